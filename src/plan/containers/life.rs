//! Where a container is in its life, which docker keeps as its restart policy: on probation until it has proved itself
//! once, kept up from then on, and left alone when it has retired.

use crate::docker::Fact;
use crate::docker::SeenContainer;
use crate::docker::State;
use crate::name::Container;

/// The policy of a container that has retired: it does not come back when the engine does.
pub(super) const RETIRED: &str = "no";

/// The policy of a container that has yet to prove itself: it does not restart for ever. One that it would not differ from
/// in the end gets another.
pub(super) fn probation(restart: &str) -> &'static str {
    if restart == "on-failure:10" { "on-failure:9" } else { "on-failure:10" }
}

/// Whether a container that is to have this policy in the end has yet to prove itself.
pub(in crate::plan) fn is_unproved(seen: &SeenContainer, restart: &str) -> bool {
    seen.restart == probation(restart)
}

/// Whether a container that is to have this policy in the end ends again and again, also when it was seen between two ends.
pub(in crate::plan) fn is_failing(seen: &SeenContainer, restart: &str) -> bool {
    match seen.state {
        State::Restarting => true,
        State::Running => is_unproved(seen, restart) && seen.restarts > 0,
        State::Created | State::Paused | State::Exited => false,
    }
}

/// Whether it could be started: docker starts none of whose networks one was removed.
pub(super) fn can_start(seen: &SeenContainer) -> bool {
    seen.memberships.values().all(|membership| !membership.stale)
}

/// The fact that a container has this restart policy.
pub(super) fn restarts(name: &Container, policy: &str) -> Fact {
    Fact::Restart { name: name.clone(), policy: policy.to_owned() }
}
