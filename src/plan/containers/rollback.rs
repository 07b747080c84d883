//! Goes back to the previous release. The kept containers come back by the steps of a rollout, or of a
//! replacement if the app cannot be rolled out.

use super::drain::keep_previous;
use super::drain::stay_down;
use super::drain::stop_restarting;
use super::launch::await_stable;
use super::launch::keep_up;
use super::launch::undo_of_stop;
use super::left_data::leave_data_unless;
use super::life::can_start;
use super::networks::Aliases;
use super::networks::join_networks;
use super::networks::keep_routed_network;
use super::networks::leave_extra_networks;
use super::networks::take_aliases;
use super::rollout::promote;
use super::rollout::retire;
use super::target::Slot;
use super::target::Target;
use super::target::slots;
use crate::desired::Desired;
use crate::desired::Strategy;
use crate::desired::Workload;
use crate::docker::Observed;
use crate::docker::Op;
use crate::docker::SeenContainer;
use crate::plan::Conflict;
use crate::plan::NewStep;
use crate::plan::Note;
use crate::plan::Options;
use crate::plan::Plan;
use crate::plan::Reason;
use crate::plan::Risk;
use crate::plan::StepId;
use crate::plan::answers::check_answers;
use crate::plan::answers::expect_no_other_answers;
use crate::plan::builder::Availability;
use crate::plan::builder::PlanBuilder;
use crate::plan::builder::Steps;
use crate::plan::proxy::note_addresses;
use crate::spec::Kind;
use std::collections::BTreeSet;

/// The plan that brings apps back to their previous release. `apps` gives their base names; `None` means all
/// apps that have a previous release. The volumes in `leave_data` may be left behind.
///
/// # Errors
/// When a named app has no previous release, or no app has one.
pub fn rollback(
    desired: &Desired,
    host: &Observed,
    apps: Option<&str>,
    leave_data: &BTreeSet<String>,
) -> Result<Plan, Vec<Conflict>> {
    let options = Options { leave_data: leave_data.clone(), ..Options::default() };
    let mut plan = PlanBuilder::new(&desired.project, desired.stop_timeout, host, &options);
    let is_meant = |workload: &&Workload| {
        workload.kind == Kind::App && apps.is_none_or(|base_name| workload.base_name == base_name)
    };
    let meant: Vec<&Workload> = desired.workloads.iter().filter(is_meant).collect();
    let (can, cannot): (Vec<&Workload>, Vec<&Workload>) =
        meant.iter().partition(|workload| can_go_back(&plan, workload));
    if can.is_empty() || apps.is_some() && !cannot.is_empty() {
        let without = if can.is_empty() { &meant } else { &cannot };
        let conflict = |workload: &&Workload| match is_between_releases(&plan, workload) {
            true => Conflict::BetweenReleases(workload.name()),
            false => Conflict::NothingBefore(workload.name()),
        };
        return Err(without.iter().map(conflict).collect());
    }
    check_answers(&mut plan, desired);
    for workload in can {
        let count = plan.count();
        go_back(&mut plan, &Target::new(desired, workload));
        let up = Availability::After(plan.since(count).collect());
        plan.up.insert(&workload.base_name, up);
    }
    note_addresses(&mut plan, desired);
    expect_no_other_answers(&mut plan, desired);
    plan.finish()
}

/// Whether every container of an app has a kept container of a lower release.
fn can_go_back(plan: &PlanBuilder<'_>, workload: &Workload) -> bool {
    slots(workload).iter().all(|slot| kept(plan, slot).is_some())
}

/// Whether an earlier run was cut off before all containers of an app were renamed to their new release.
fn is_between_releases(plan: &PlanBuilder<'_>, workload: &Workload) -> bool {
    slots(workload).iter().any(|slot| plan.has(&slot.next))
}

fn kept<'p>(plan: &'p PlanBuilder<'_>, slot: &Slot) -> Option<&'p SeenContainer> {
    let (serving, kept) = (plan.seen(&slot.live)?, plan.seen(&slot.previous)?);
    let can_come_back = !kept.state.is_up() && can_start(kept);
    (!plan.has(&slot.next) && kept.release < serving.release && can_come_back).then_some(kept)
}

fn go_back(plan: &mut PlanBuilder<'_>, target: &Target<'_>) {
    let slots = target.slots();
    for Slot { live, previous, .. } in &slots {
        let (serving, kept) = (plan.now.containers[live].clone(), plan.now.containers[previous].clone());
        let (mounted, done) = (kept.volumes.values().collect(), plan.is_seen(live, &kept));
        leave_data_unless(plan, live, &serving, &mounted, &done);
    }
    match target.workload.strategy {
        Strategy::Rolling => roll_back(plan, target, &slots.iter().collect::<Vec<_>>()),
        Strategy::Recreate(why) => {
            let mut last = Steps::new();
            for slot in &slots {
                if let Some(why) = why {
                    plan.plan.notes.push(Note::NotRolledOut { container: slot.live.clone(), why });
                }
                last = put_back(plan, target, slot, &last);
            }
        }
    }
}

fn roll_back(plan: &mut PlanBuilder<'_>, target: &Target<'_>, slots: &[&Slot]) {
    let mut ready = Steps::new();
    for slot in slots {
        ready.extend(stop_restarting(plan, target.owner(), &slot.live, target.restart()));
    }
    for slot in slots {
        ready.extend(bring_back(plan, target, slot));
    }
    let mut named = ready.clone();
    for Slot { live, next, .. } in slots {
        let done = plan.seen(next).map(|kept| plan.is_seen(live, kept));
        let mut seq = plan.sequence(target.owner(), &ready).done_if(done);
        take_aliases(&mut seq, target.workload, next, &Reason::TakesOver);
        named.extend(seq.end());
    }
    let last = slots.iter().fold(named, |last, slot| promote(plan, target, slot, &last, &[]));
    let last = retire(plan, target, slots, &last);
    for slot in slots {
        keep_previous(plan, target, slot, &last);
    }
}

/// Starts a kept container under the next name, beside the live one, and waits until it is ready.
fn bring_back(plan: &mut PlanBuilder<'_>, target: &Target<'_>, slot: &Slot) -> Steps {
    let Slot { live, next, previous } = slot;
    let (serving, kept) = (plan.now.containers[live].clone(), plan.now.containers[previous].clone());
    let is_back = plan.is_seen(live, &kept);
    let any = vec![plan.is_seen(live, &serving), plan.is_seen(previous, &serving), is_back.clone()];
    plan.expect_as_it_is(live, any);
    let any = vec![plan.is_seen(previous, &kept), plan.is_seen(next, &kept), is_back.clone()];
    plan.expect_as_it_is(previous, any);
    let comes_in = plan.is_seen(next, &kept);
    let stop = Op::stop(next, plan.stop_timeout_of(previous));
    let reason = &Reason::GoesBack;

    let mut seq = plan.sequence(target.owner(), &[]).done_if([is_back]);
    seq.step_unless(Op::rename(previous, next), reason, [comes_in]);
    leave_extra_networks(&mut seq, target.workload, next, reason);
    seq.undo = vec![stop, Op::rename(next, previous)];
    join_networks(&mut seq, target.workload, next, Aliases::Later, reason);
    seq.step(Op::start(next), reason);
    await_stable(&mut seq, target, next, reason);
    keep_up(&mut seq, next, target.restart());
    seq.end()
}

/// Puts a kept container in place of the live one. The live one stops first and waits under the next name. It
/// comes back when the kept one does not come up.
fn put_back(plan: &mut PlanBuilder<'_>, target: &Target<'_>, slot: &Slot, after: &[StepId]) -> Steps {
    let Slot { live, next, previous } = slot;
    let (serving, kept) = (plan.now.containers[live].clone(), plan.now.containers[previous].clone());
    let (is_back, is_kept) = (plan.is_seen(live, &kept), plan.is_seen(previous, &serving));
    let any = vec![plan.is_seen(live, &serving), plan.is_seen(next, &serving), is_back.clone()];
    plan.expect_as_it_is(live, any);
    let any = vec![plan.is_seen(previous, &kept), is_back.clone(), is_kept.clone()];
    plan.expect_as_it_is(previous, any);
    let restart = target.restart();
    let undo = Op::stop(live, plan.stop_timeout_of(previous));
    let again = undo_of_stop(target, live, &serving);
    let stop = plan.stop(live);
    let reason = &Reason::GoesBack;

    let mut seq = plan.sequence(target.owner(), after).done_if([is_back]);
    stay_down(&mut seq, live, restart, reason);
    seq.undo = again.clone();
    seq.add(NewStep { risk: Risk::Interrupts, ..seq.draft(stop, reason) });
    seq.undo = [vec![undo, Op::rename(live, previous), Op::rename(next, live)], again].concat();
    seq.step(Op::rename(live, next), reason);
    seq.step_unless(Op::rename(previous, live), reason, []);

    seq.done = vec![is_kept];
    leave_extra_networks(&mut seq, target.workload, live, reason);
    take_aliases(&mut seq, target.workload, live, reason);
    keep_routed_network(&mut seq, target.workload, live);
    seq.step(Op::start(live), reason);
    await_stable(&mut seq, target, live, reason);
    keep_up(&mut seq, live, restart);
    seq.undo.clear();
    seq.step_unless(Op::rename(next, previous), reason, []);
    seq.end()
}
