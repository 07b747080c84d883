//! The stage of a container's life, which its restart policy records: unproved until it has been ready once,
//! then kept up, and retired at last.

use crate::desired::Workload;
use crate::docker::Fact;
use crate::docker::SeenContainer;
use crate::docker::State;
use crate::name::Container;

/// The restart policy of a retired container. It stays down when the engine comes back.
pub(super) const RETIRED: &str = "no";

/// The restart policy of an unproved container, which limits its restarts. It always differs from the final
/// policy.
pub(super) fn probation(restart: &str) -> &'static str {
    if restart == "on-failure:10" { "on-failure:9" } else { "on-failure:10" }
}

/// Whether a container with this final policy is still unproved.
pub(in crate::plan) fn is_unproved(seen: &SeenContainer, restart: &str) -> bool {
    seen.restart == probation(restart)
}

/// Whether a container with this final policy exits again and again, even if it was seen running between two
/// exits.
pub(in crate::plan) fn is_failing(seen: &SeenContainer, restart: &str) -> bool {
    match seen.state {
        State::Restarting => true,
        State::Running => is_unproved(seen, restart) && seen.restarts > 0,
        State::Created | State::Paused | State::Exited => false,
    }
}

/// Whether a container of this workload has done what it is there for: it is meant to end, and has ended well.
pub(in crate::plan) fn is_done(workload: &Workload, seen: &SeenContainer) -> bool {
    workload.ready.is_meant_to_end() && seen.ended_well()
}

/// Whether docker can start a container. It refuses once one of the container's networks was removed.
pub(super) fn can_start(seen: &SeenContainer) -> bool {
    seen.memberships.values().all(|membership| !membership.stale)
}

/// The fact that a container has this restart policy.
pub(super) fn restarts(name: &Container, policy: &str) -> Fact {
    Fact::Restart { name: name.clone(), policy: policy.to_owned() }
}
