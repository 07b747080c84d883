//! Containers that leave: they lose their names in DNS, finish their requests, and stop.

use super::life::RETIRED;
use super::life::is_failing;
use super::life::is_unproved;
use super::life::restarts;
use super::networks::set_aliases;
use super::networks::set_aliases_paused;
use super::target::Slot;
use super::target::Target;
use super::view::Asked;
use super::view::switchable_networks;
use super::view::upstreams;
use crate::desired::Strategy;
use crate::docker::Await;
use crate::docker::Fact;
use crate::docker::Op;
use crate::docker::State;
use crate::name::Container;
use crate::name::Owner;
use crate::plan::Reason;
use crate::plan::StepId;
use crate::plan::builder::PlanBuilder;
use crate::plan::builder::Sequence;
use crate::plan::builder::Steps;
use std::time::Duration;

/// How long a container still gets connections for a name that was resolved before the container left DNS.
const ALIAS_GRACE: Duration = Duration::from_secs(1);

/// Gives running containers time to end their requests, takes them out of DNS, and stops them. Kept containers with
/// this restart policy stay down.
pub(in crate::plan) fn drain(
    plan: &mut PlanBuilder<'_>,
    owner: &Owner,
    running: &[&Container],
    (time, asked): (Duration, Asked),
    reason: &Reason,
    after: &[StepId],
    kept: Option<&str>,
) -> Steps {
    let Some(first) = running.first() else { return after.to_vec() };
    let names: Vec<Container> = running.iter().map(|name| (*name).clone()).collect();
    let upstreams =
        running.iter().filter(|_| asked.by_proxy).flat_map(|name| upstreams(plan, name, |_| true));
    let upstreams: Vec<String> = upstreams.collect();
    let wait = |time, upstreams| Op::Await(Await::Drain { names: names.clone(), time, upstreams });
    let stopped = |name: &Container| vec![Fact::Stopped(name.clone())];
    let mut seq = plan.sequence(owner, after).done_if(stopped(first));
    if !time.is_zero() {
        seq.step(wait(time, upstreams), reason);
    }
    seq.each(running, |seq, name| {
        seq.done = stopped(name);
        // one after the other, so that it is paused once at a time
        for network in switchable_networks(seq.plan, name) {
            set_aliases_paused(seq, name, &network, &[], reason);
        }
    });
    if asked.by_alias || !asked.by_proxy {
        seq.step(wait(ALIAS_GRACE, Vec::new()), reason);
    }
    seq.each(running, |seq, name| {
        seq.done = stopped(name);
        if let Some(restart) = kept {
            stay_down(seq, name, restart, reason);
        }
        seq.done.clear();
        let stop = seq.plan.stop(name);
        seq.step(stop, reason);
    });
    seq.end()
}

/// Keeps a container that is about to stop down when the engine comes back. An unproved container keeps its
/// policy, which marks it as unproved.
pub(super) fn stay_down(seq: &mut Sequence<'_, '_>, name: &Container, restart: &str, reason: &Reason) {
    if seq.plan.seen(name).is_none_or(|seen| is_unproved(seen, restart)) {
        return;
    }
    let op = Op::update(name, RETIRED);
    seq.step_unless(op, reason, [restarts(name, RETIRED), Fact::Absent(name.clone())]);
}

/// Removes the previous release if the config does not keep it, or if it was never ready. Otherwise keeps it
/// down.
pub(super) fn retire_previous(
    plan: &mut PlanBuilder<'_>,
    target: &Target<'_>,
    slot: &Slot,
    after: &[StepId],
) {
    let previous = &slot.previous;
    let Some(seen) = plan.seen(previous).filter(|seen| !seen.state.is_up()) else { return };
    let reason = if is_unproved(seen, target.restart()) { Reason::Unproved } else { Reason::Replaced };
    if !target.workload.keeps_previous || reason == Reason::Unproved {
        plan.sequence(target.owner(), after).step(Op::remove(previous), &reason);
        return;
    }
    keep_previous(plan, target, slot, after);
}

/// Keeps a previous release down that does not run, without aliases.
pub(super) fn keep_previous(plan: &mut PlanBuilder<'_>, target: &Target<'_>, slot: &Slot, after: &[StepId]) {
    let previous = &slot.previous;
    stay_down(&mut plan.sequence(target.owner(), after), previous, target.restart(), &Reason::Leaves);
    if target.workload.strategy == Strategy::Rolling {
        // a rollback starts it beside the serving one
        for network in switchable_networks(plan, previous) {
            let mut seq = plan.sequence(target.owner(), after);
            set_aliases(&mut seq, previous, &network, &[], &Reason::Leaves);
        }
    }
}

/// Stops a container that docker restarts over and over, before any other operation on it. It serves no
/// requests, and docker refuses to rename or disconnect it.
pub(in crate::plan) fn stop_restarting(
    plan: &mut PlanBuilder<'_>,
    owner: &Owner,
    name: &Container,
    restart: &str,
) -> Option<StepId> {
    let state = plan.seen(name).filter(|seen| is_failing(seen, restart))?.state;
    let op = plan.stop(name);
    let is_settled = match state {
        State::Restarting => Fact::Steady(name.clone()),
        _ => restarts(name, restart),
    };
    let unless = [Fact::Stopped(name.clone()), Fact::Paused(name.clone()), is_settled];
    plan.sequence(owner, &[]).step_unless(op, &Reason::Restarting, unless)
}
