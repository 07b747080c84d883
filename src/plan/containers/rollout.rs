//! Rolls an app out: the new containers start beside the old ones and take their names once they are ready; then the old
//! ones are drained.
//!
//! `docker rename` moves a *name* in DNS at once and touches no connection. An *alias* moves only when the
//! container leaves the network and rejoins it; while it is off the network, it can open no connection. So a
//! container changes its aliases before or after it serves; after, it is paused meanwhile, since neighbours
//! may still ask it.

use super::drain::drain;
use super::launch::await_stable;
use super::launch::keep_up;
use super::launch::launch;
use super::launch::serve_again;
use super::launch::start;
use super::left_data::leave_data;
use super::life::can_start;
use super::networks::Aliases;
use super::networks::join_networks;
use super::networks::take_aliases;
use super::replace::expect_as_seen;
use super::target::Slot;
use super::target::Target;
use super::view::how_asked;
use super::view::is_current;
use super::view::is_unready;
use super::view::outdated;
use super::view::route_steps;
use super::view::runs;
use super::view::why_awaited;
use crate::docker::Fact;
use crate::docker::Op;
use crate::name::Container;
use crate::plan::NewStep;
use crate::plan::Reason;
use crate::plan::StepId;
use crate::plan::builder::PlanBuilder;
use crate::plan::builder::Steps;

/// Rolls out the containers of these slots. All next containers are ready before a live one leaves. Gives the
/// steps after which the new containers serve, and the steps to wait for when one of them fails.
pub(super) fn roll_out(
    plan: &mut PlanBuilder<'_>,
    target: &Target<'_>,
    slots: &[&Slot],
    after: &[StepId],
) -> Steps {
    let mut restarted = Steps::new();
    for Slot { live, .. } in slots {
        restarted.extend(serve_again(plan, target, live, is_current(plan, target, live)));
    }
    let mut ready = after.to_vec();
    for slot in slots {
        ready.extend(start_next(plan, target, slot, after));
    }
    let mut named = ready.clone();
    for Slot { live, next, .. } in slots {
        let done = is_current(plan, target, live);
        let mut seq = plan.sequence(target.owner(), &ready).done_if([done]);
        take_aliases(&mut seq, target.workload, next, &Reason::TakesOver);
        named.extend(seq.end());
    }
    let count = plan.count();
    let last = slots.iter().fold(named.clone(), |last, slot| promote(plan, target, slot, &last, &restarted));
    let up = named.into_iter().chain(plan.since(count)).collect();
    retire(plan, target, slots, &last);
    up
}

/// Starts the next container beside the live one, without aliases, and waits until it is ready.
fn start_next(plan: &mut PlanBuilder<'_>, target: &Target<'_>, slot: &Slot, after: &[StepId]) -> Steps {
    let Slot { live, next, .. } = slot;
    let serving = plan.seen(live).cloned();
    expect_as_seen(plan, target, slot, serving.as_ref());
    let reason =
        serving.as_ref().and_then(|seen| outdated(plan, target, live, seen)).unwrap_or(Reason::Missing);
    let why_awaited = why_awaited(plan, target, next);
    let is_new = !plan.has(next);
    if is_new {
        let any = vec![Fact::Absent(next.clone()), is_current(plan, target, next)];
        plan.expect_as_it_is(next, any);
        leave_data(plan, target, live, serving.as_ref());
    }
    let done = is_current(plan, target, live);
    let stop = Op::stop(next, target.stop_timeout());
    let undo = vec![stop, Op::remove(next)];
    let mut seq = plan.sequence(target.owner(), after).done_if([done]).undone_by(undo);
    if is_new {
        launch(&mut seq, target, next, Aliases::Later, &reason);
    } else {
        // an earlier run made it and was cut off
        join_networks(&mut seq, target.workload, next, Aliases::Later, &reason);
        start(&mut seq, target, next, &reason);
    }
    if seq.has_begun() || is_unready(seq.plan, target, next) {
        await_stable(&mut seq, target, next, &why_awaited);
    }
    keep_up(&mut seq, next, target.restart());
    seq.end()
}

/// Renames the live container to the previous name and the next one to the live name. Removes an older
/// previous container.
pub(super) fn promote(
    plan: &mut PlanBuilder<'_>,
    target: &Target<'_>,
    slot: &Slot,
    after: &[StepId],
    restarted: &[StepId],
) -> Steps {
    let Slot { live, next, previous } = slot;
    let (serving, comes) = (plan.seen(live).cloned(), plan.seen(next));
    let done = comes.map(|seen| plan.is_seen(live, seen));
    let routed = route_steps(plan, target.workload);
    let mut seq = plan.sequence(target.owner(), after).done_if(done);
    seq.wait_for(&routed);
    if let Some(serving) = serving {
        if seq.plan.has(previous) {
            let gone = [Fact::Absent(previous.clone()), seq.plan.is_seen(previous, &serving)];
            seq.step_unless(Op::remove(previous), &Reason::Older, gone);
        }
        let op = match can_start(&serving) || serving.state.is_up() {
            true => Op::rename(live, previous),
            // it could not come back
            false => Op::remove(live),
        };
        seq.add(NewStep { after: restarted.to_vec(), ..seq.draft(op, &Reason::MakesRoom) });
    }
    seq.step_unless(Op::rename(next, live), &Reason::TakesOver, []);
    seq.end()
}

/// Drains the containers that have given up their names.
pub(super) fn retire(
    plan: &mut PlanBuilder<'_>,
    target: &Target<'_>,
    slots: &[&Slot],
    after: &[StepId],
) -> Steps {
    let previous = slots.iter().map(|slot| &slot.previous);
    let running: Vec<&Container> = previous.filter(|name| runs(plan, name)).collect();
    let kept = target.workload.keeps_previous.then_some(target.restart());
    let asked = how_asked(plan, target);
    drain(plan, target.owner(), &running, (target.desired.drain, asked), &Reason::Leaves, after, kept)
}
