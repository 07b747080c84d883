//! Replaces what cannot be rolled out: services, and apps that publish ports or whose config says so. The old container
//! stops, stays under its previous name until the new one is ready, and comes back when that fails.

use super::drain::stay_down;
use super::launch::await_ready;
use super::launch::await_stable;
use super::launch::ensure_running;
use super::launch::keep_up;
use super::launch::launch;
use super::launch::note_inherited;
use super::launch::start;
use super::launch::undo_of_stop;
use super::left_data::leave_data;
use super::life::can_start;
use super::life::is_unproved;
use super::networks::Aliases;
use super::networks::reconcile_networks;
use super::target::Slot;
use super::target::Target;
use super::view::gone_network;
use super::view::is_current;
use super::view::is_unready;
use super::view::outdated;
use crate::desired::Strategy;
use crate::docker::Fact;
use crate::docker::Op;
use crate::docker::SeenContainer;
use crate::docker::State;
use crate::plan::NewStep;
use crate::plan::Note;
use crate::plan::Reason;
use crate::plan::Risk;
use crate::plan::StepId;
use crate::plan::builder::PlanBuilder;
use crate::plan::builder::Sequence;
use crate::plan::builder::Steps;

/// Brings all containers of a workload up. Replaces them one after the other, so that some always serve.
pub(super) fn replace(
    plan: &mut PlanBuilder<'_>,
    target: &Target<'_>,
    slots: &[Slot],
    after: &[StepId],
) -> Steps {
    let mut steps = Steps::new();
    let mut replaced = Steps::new();
    for slot in slots {
        let is_there = plan.has(&slot.live);
        let needs = if is_there { [after, &replaced].concat() } else { after.to_vec() };
        let last = replace_one(plan, target, slot, &needs);
        if is_there {
            replaced.extend(&last);
        }
        steps.extend(last);
    }
    steps
}

fn replace_one(plan: &mut PlanBuilder<'_>, target: &Target<'_>, slot: &Slot, after: &[StepId]) -> Steps {
    let Slot { live, previous, .. } = slot;
    let serving = plan.seen(live).cloned();
    let reason = match &serving {
        None if plan.has(previous) && !target.workload.keeps_previous => Some(Reason::LeftOver),
        None => Some(Reason::Missing),
        Some(seen) => outdated(plan, target, live, seen),
    };
    let Some(reason) = reason else {
        return keep_or_fall_back(plan, target, slot, after);
    };
    expect_as_seen(plan, target, slot, serving.as_ref());
    leave_data(plan, target, live, serving.as_ref());
    let mut seq = plan.sequence(target.owner(), after);
    remove_lost(&mut seq, target, slot, serving.as_ref());
    if let Some(seen) = &serving {
        if let Strategy::Recreate(Some(why)) = target.workload.strategy {
            seq.plan.plan.notes.push(Note::NotRolledOut { container: live.clone(), why });
        }
        make_room(&mut seq, target, slot, seen, &reason);
    }
    let falls_back = seq.plan.has(previous);
    if falls_back {
        seq.undo = fall_back(seq.plan, target, slot);
    }
    launch(&mut seq, target, live, Aliases::AtOnce, &reason);
    if falls_back {
        take_its_place(&mut seq, target, slot, &Reason::Ready);
    } else {
        await_ready(&mut seq, target, live, &Reason::Ready);
        keep_up(&mut seq, live, target.restart());
    }
    seq.end()
}

/// Keeps a container that matches the config. While it is unproved, the container that it replaces stays as a
/// fallback.
pub(super) fn keep_or_fall_back(
    plan: &mut PlanBuilder<'_>,
    target: &Target<'_>,
    slot: &Slot,
    after: &[StepId],
) -> Steps {
    let Slot { live, previous, .. } = slot;
    let stands_by = plan.seen(previous).is_some_and(|seen| !seen.state.is_up() && can_start(seen));
    if !stands_by || !is_unproved(&plan.now.containers[live], target.restart()) {
        return ensure_running(plan, target, live, after);
    }
    let undo = fall_back(plan, target, slot);
    let mut seq = plan.sequence(target.owner(), after);
    reconcile_networks(&mut seq, target.workload, live);
    seq.undo = undo;
    start(&mut seq, target, live, &Reason::NotRunning);
    take_its_place(&mut seq, target, slot, &Reason::Unproved);
    note_inherited(seq.plan, target.workload, live);
    seq.end()
}

/// Waits until the new container has proved itself, and then removes the one that it replaces.
fn take_its_place(seq: &mut Sequence<'_, '_>, target: &Target<'_>, slot: &Slot, reason: &Reason) {
    let Slot { live, previous, .. } = slot;
    let removes = !target.workload.keeps_previous;
    if removes {
        seq.done.push(Fact::Absent(previous.clone()));
    }
    await_stable(seq, target, live, reason);
    keep_up(seq, live, target.restart());
    seq.done.clear();
    seq.undo.clear();
    if removes {
        seq.step(Op::remove(previous), &Reason::Replaced);
    }
}

/// Removes a waiting container that can never start again, so it is no fallback.
fn remove_lost(
    seq: &mut Sequence<'_, '_>,
    target: &Target<'_>,
    slot: &Slot,
    serving: Option<&SeenContainer>,
) {
    let Slot { live, previous, .. } = slot;
    let Some(waiting) = seq.plan.seen(previous) else { return };
    let Some(network) = gone_network(waiting) else { return };
    let reason = Reason::NetworkGone(network.clone());
    let mut unless = vec![is_current(seq.plan, target, live), Fact::Absent(previous.clone())];
    unless.extend(serving.map(|seen| seq.plan.is_seen(previous, seen)));
    seq.step_unless(Op::remove(previous), &reason, unless);
}

/// Renames the serving container to the previous name, as the fallback.
///
/// A container that has the previous name already is removed: it is a release kept from before. But if a
/// replacement was cut off before the new container had proved itself, the old one stays and the unproved one
/// is removed.
fn make_room(
    seq: &mut Sequence<'_, '_>,
    target: &Target<'_>,
    slot: &Slot,
    seen: &SeenContainer,
    reason: &Reason,
) {
    let Slot { live, previous, .. } = slot;
    let is_lost = !can_start(seen) && !seen.state.is_up();
    seq.done = match target.is_shared() && is_lost {
        // it has no release, so it would pass for its own replacement
        true => vec![Fact::Running(live.clone())],
        false => vec![is_current(seq.plan, target, live)],
    };
    let is_proven =
        target.workload.keeps_previous && seen.state == State::Running && !is_unready(seq.plan, target, live);
    if is_proven && seq.plan.has(previous) {
        let gone = [Fact::Absent(previous.clone()), seq.plan.is_seen(previous, seen)];
        seq.step_unless(Op::remove(previous), &Reason::Older, gone);
    }
    if can_start(seen) {
        stay_down(seq, live, target.restart(), reason);
    }
    let is_up = seen.state.is_up();
    let again = if is_up { undo_of_stop(target, live, seen) } else { Vec::new() };
    seq.undo = again.clone();
    let stop = seq.plan.stop(live);
    seq.add(NewStep { risk: Risk::Interrupts, ..seq.draft(stop, reason) });
    let op = if seq.plan.has(previous) {
        seq.undo = fall_back(seq.plan, target, slot);
        Op::remove(live)
    } else if !can_start(seen) {
        seq.undo.clear();
        Op::remove(live)
    } else {
        if is_up {
            seq.undo.insert(0, Op::rename(previous, live));
        }
        Op::rename(live, previous)
    };
    seq.step(op, &Reason::MakesRoom);
    seq.done.clear();
    seq.undo.clear();
}

/// The operations that bring the previous container back when the new one does not come up.
fn fall_back(plan: &PlanBuilder<'_>, target: &Target<'_>, slot: &Slot) -> Vec<Op> {
    let Slot { live, previous, .. } = slot;
    let mut ops = vec![Op::stop(live, target.stop_timeout()), Op::remove(live), Op::rename(previous, live)];
    ops.extend(undo_of_stop(target, live, &plan.now.containers[previous]));
    ops
}

/// Expects before the plan starts: the live name is free, or belongs to the old or the wanted container; the
/// previous name is free, or belongs to its container of today or to the old one. Expects nothing of the
/// proxy, which another project may have changed meanwhile.
pub(super) fn expect_as_seen(
    plan: &mut PlanBuilder<'_>,
    target: &Target<'_>,
    slot: &Slot,
    serving: Option<&SeenContainer>,
) {
    if target.is_shared() {
        return;
    }
    let Slot { live, previous, .. } = slot;
    let seen = serving.map(|seen| plan.is_seen(live, seen));
    let any = [Fact::Absent(live.clone())].into_iter().chain(seen).chain([is_current(plan, target, live)]);
    plan.expect_as_it_is(live, any.collect());
    let waiting = serving.into_iter().chain(plan.seen(previous));
    let waiting: Vec<Fact> = waiting.map(|seen| plan.is_seen(previous, seen)).collect();
    if !waiting.is_empty() {
        let any = [Fact::Absent(previous.clone())].into_iter().chain(waiting).collect();
        plan.expect_as_it_is(previous, any);
    }
}
