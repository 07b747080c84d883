//! Finishes a rollout that was cut off in an earlier run. Reads from the containers how far that run came.

use super::drain::drain;
use super::launch::await_stable;
use super::launch::keep_up;
use super::launch::serve_again;
use super::life::is_unproved;
use super::networks::Aliases;
use super::networks::join_networks;
use super::networks::take_aliases;
use super::rollout::promote;
use super::rollout::retire;
use super::target::Slot;
use super::target::Target;
use super::view::how_asked;
use super::view::outdated;
use super::view::route_steps;
use super::view::runs;
use crate::desired::Strategy;
use crate::docker::Fact;
use crate::docker::Op;
use crate::name::Container;
use crate::plan::Reason;
use crate::plan::StepId;
use crate::plan::builder::PlanBuilder;
use crate::plan::builder::Steps;

/// Finishes an earlier rollout, and discards the containers that it started and that are no longer wanted.
pub(super) fn resume(
    plan: &mut PlanBuilder<'_>,
    target: &Target<'_>,
    slots: &[Slot],
    after: &[StepId],
) -> Steps {
    let mut steps = match slots.iter().any(|slot| is_half_done(plan, slot)) {
        true => resume_rollout(plan, target, slots, after),
        false => after.to_vec(),
    };
    for slot in slots {
        if is_discarded(plan, target, slot) {
            steps.extend(discard(plan, target, slot, after));
        }
    }
    steps
}

/// Whether a rollout was cut off after the live container had lost its name.
fn is_half_done(plan: &PlanBuilder<'_>, Slot { live, next, previous }: &Slot) -> bool {
    runs(plan, previous) || !plan.has(live) && plan.has(previous) && plan.has(next)
}

fn resume_rollout(
    plan: &mut PlanBuilder<'_>,
    target: &Target<'_>,
    slots: &[Slot],
    after: &[StepId],
) -> Steps {
    let mut ready = after.to_vec();
    let mut restarted = Steps::new();
    for slot in slots {
        if plan.has(&slot.next) {
            restarted.extend(previous_serves_again(plan, target, slot));
            ready.extend(await_next(plan, target, slot, after));
        }
    }
    let mut last = ready;
    for slot in slots {
        let Slot { live, next, previous } = slot;
        if plan.has(next) {
            last = promote(plan, target, slot, &last, &restarted);
        } else if !plan.has(live) && runs(plan, previous) {
            let mut seq = plan.sequence(target.owner(), &last);
            seq.step(Op::rename(previous, live), &Reason::LeftOver);
            last = seq.end();
        }
    }
    // it may have been made for networks on which the proxy does not route yet
    let both = |slot: &&Slot| runs(plan, &slot.live) && runs(plan, &slot.previous);
    let both: Vec<&Slot> = slots.iter().filter(both).collect();
    let mut seq = plan.sequence(target.owner(), &last);
    seq.each(both, |seq, slot| {
        join_networks(seq, target.workload, &slot.live, Aliases::AtOnce, &Reason::NotAttached);
    });
    let joined = seq.end();
    let needs = [joined, route_steps(plan, target.workload), restarted].concat();
    retire(plan, target, &slots.iter().collect::<Vec<_>>(), &needs)
}

/// Starts the previous container while no container has the live name.
fn previous_serves_again(
    plan: &mut PlanBuilder<'_>,
    target: &Target<'_>,
    Slot { live, next, previous }: &Slot,
) -> Option<StepId> {
    if plan.has(live) || target.workload.strategy != Strategy::Rolling {
        return None;
    }
    let done = plan.is_seen(live, plan.seen(next)?);
    serve_again(plan, target, previous, done)
}

/// Waits until the next container, which an earlier run made, is ready.
fn await_next(
    plan: &mut PlanBuilder<'_>,
    target: &Target<'_>,
    Slot { live, next, previous }: &Slot,
    after: &[StepId],
) -> Steps {
    let done = plan.is_seen(live, &plan.now.containers[next]);
    let undo = match !plan.has(live) && plan.has(previous) {
        // no container has the live name, and the previous one is better than none
        true => vec![Op::rename(previous, live)],
        false => Vec::new(),
    };
    let mut seq = plan.sequence(target.owner(), after).done_if([done]).undone_by(undo);
    seq.step(Op::start(next), &Reason::LeftOver);
    take_aliases(&mut seq, target.workload, next, &Reason::LeftOver);
    await_stable(&mut seq, target, next, &Reason::LeftOver);
    keep_up(&mut seq, next, target.restart());
    seq.end()
}

/// Whether a next container is useless: the config asks for another, or the live one already matches.
fn is_discarded(plan: &PlanBuilder<'_>, target: &Target<'_>, slot: &Slot) -> bool {
    let is_right =
        |name: &Container| plan.seen(name).map(|seen| outdated(plan, target, name, seen).is_none());
    let is_rolling = target.workload.strategy == Strategy::Rolling;
    match is_right(&slot.next) {
        None => false,
        Some(next) => !is_rolling || !next || is_right(&slot.live) == Some(true),
    }
}

/// Drains and removes a useless next container. If its release is lower than the live one's, it comes from a
/// rollback that was cut off: it is kept as the previous one again.
fn discard(plan: &mut PlanBuilder<'_>, target: &Target<'_>, slot: &Slot, after: &[StepId]) -> Steps {
    let Slot { live, next, previous } = slot;
    let seen = plan.now.containers[next].clone();
    let any = vec![Fact::Absent(next.clone()), plan.is_seen(next, &seen)];
    plan.expect_as_it_is(next, any);
    let is_older = plan.seen(live).is_some_and(|serving| seen.release < serving.release);
    let is_kept = is_older
        && !is_unproved(&seen, target.restart())
        && !plan.has(previous)
        && target.workload.keeps_previous;
    let mut drained = after.to_vec();
    if runs(plan, next) {
        let kept = is_kept.then_some(target.restart());
        let asked = (target.desired.drain, how_asked(plan, target));
        drained = drain(plan, target.owner(), &[next], asked, &Reason::LeftOver, after, kept);
    }
    let op = match is_kept {
        true => Op::rename(next, previous),
        false => Op::remove(next),
    };
    let mut seq = plan.sequence(target.owner(), &drained);
    seq.step(op, &Reason::LeftOver);
    seq.end()
}
