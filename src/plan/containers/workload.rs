//! Brings one workload up: what blocks it, what has to exist before, and whether its containers are kept,
//! replaced or rolled out.

use super::drain::retire_previous;
use super::drain::stop_restarting;
use super::life::RETIRED;
use super::networks::unpause;
use super::ports::check_ports;
use super::release;
use super::release::run_command;
use super::replace::keep_or_fall_back;
use super::replace::replace;
use super::resume::resume;
use super::rollout::roll_out;
use super::target::Slot;
use super::target::Target;
use super::target::named_volumes;
use super::target::published;
use super::view::is_current;
use super::view::outdated;
use super::view::runs;
use crate::desired::Desired;
use crate::desired::Strategy;
use crate::desired::Workload;
use crate::docker::Fact;
use crate::docker::Op;
use crate::docker::SeenContainer;
use crate::name::Container;
use crate::plan::Blocked;
use crate::plan::BlockedBy;
use crate::plan::Claimant;
use crate::plan::Conflict;
use crate::plan::Reason;
use crate::plan::StepId;
use crate::plan::builder::Availability;
use crate::plan::builder::PlanBuilder;
use crate::plan::builder::Steps;
use crate::spec::Kind;
use crate::spec::PROXY;
use crate::spec::Spec;

/// Brings the containers of a workload up. Gives the steps after which it is ready.
pub(in crate::plan) fn bring_up(
    plan: &mut PlanBuilder<'_>,
    desired: &Desired,
    workload: &Workload,
) -> Availability {
    match obstacle(plan, workload) {
        Some(cause) => leave_out(plan, workload, cause),
        None => bring_up_target(plan, Target::new(desired, workload), &[]),
    }
}

/// Brings up the one container that all projects of the host share, with this spec and set-up. An unavailable
/// image blocks it only if the container has to be made.
pub(in crate::plan) fn bring_up_shared(
    plan: &mut PlanBuilder<'_>,
    desired: &Desired,
    workload: &Workload,
    spec: Spec,
    is_anothers: bool,
    set_up: Op,
    after: &[StepId],
) -> Availability {
    let mut target = Target::shared(desired, workload, spec, is_anothers);
    let name = workload.name();
    let is_right = plan.seen(&name).is_some_and(|seen| outdated(plan, &target, &name, seen).is_none());
    match obstacle(plan, workload) {
        Some(cause) if !is_right => leave_out(plan, workload, cause),
        Some(_) => bring_up_target(plan, target, after),
        None => {
            target.set_up = Some(set_up);
            bring_up_target(plan, target, after)
        }
    }
}

/// Writes the set-up that its container starts from. A container that does not run may have lost it.
fn write_set_up(plan: &mut PlanBuilder<'_>, target: &Target<'_>, after: &[StepId]) -> Steps {
    let Some(set_up) = target.set_up.clone() else { return after.to_vec() };
    let name = target.workload.name();
    let outdated = match plan.seen(&name) {
        Some(seen) => outdated(plan, target, &name, seen),
        None => Some(Reason::Missing),
    };
    let (reason, done) = match outdated {
        Some(reason) => (reason, is_current(plan, target, &name)),
        None => (Reason::NotRunning, Fact::Running(name)),
    };
    let mut seq = plan.sequence(target.owner(), after);
    seq.step_unless(set_up, &reason, [done]);
    seq.end()
}

/// Leaves a workload as it is.
fn leave_out(plan: &mut PlanBuilder<'_>, workload: &Workload, cause: BlockedBy) -> Availability {
    let blocked = Blocked { container: workload.name(), owner: workload.owner.clone(), cause };
    plan.plan.blocked.push(blocked);
    Availability::Blocked
}

fn bring_up_target(plan: &mut PlanBuilder<'_>, mut target: Target<'_>, after: &[StepId]) -> Availability {
    let workload = target.workload;
    let slots = target.slots();
    let run = workload.release_run();
    let command = run.as_ref().and_then(|run| release::Command::of(&target, run));
    let names = slots.iter().flat_map(|slot| [&slot.live, &slot.next, &slot.previous]);
    let names = names.chain(command.iter().map(|command| &command.name));
    let names: Vec<&Container> = names.filter(|name| plan.has(name)).collect();
    // all names are checked, so that all conflicts are reported
    let strangers = names.iter().filter(|name| !is_ours(plan, &target, name)).count();
    if strangers > 0 {
        return Availability::After(Steps::new());
    }
    if !target.is_shared() {
        target.release = release::number(plan, &target, &slots, command.as_ref());
    }
    let begin = plan.count();
    let mut woken = Steps::new();
    for name in names {
        woken.extend(unpause(plan, target.owner(), name));
        woken.extend(stop_restarting(plan, target.owner(), name, target.restart()));
    }
    let mut after = [after.to_vec(), needs(plan, workload), woken.clone()].concat();
    after = write_set_up(plan, &target, &after);
    let mut up = Steps::new();
    if workload.kind == Kind::App {
        let count = plan.count();
        after = resume(plan, &target, &slots, &after);
        if plan.count() > count {
            // the container behind the name may change
            up.extend(&after);
        }
    }
    if let Some(command) = command {
        after = run_command(plan, &target, &slots, command, &after);
    }
    let count = plan.count();
    up.extend(bring_up_slots(plan, &target, &slots, &after));
    after.extend(plan.since(count));
    for slot in &slots {
        retire_previous(plan, &target, slot, &after);
    }
    up.extend(woken);
    let steps: Steps = plan.since(begin).collect();
    check_ports(plan, workload, &slots, &steps);
    Availability::After(up)
}

/// Chooses the way. An app is rolled out beside its live containers; other workloads are replaced; matching
/// containers are kept.
fn bring_up_slots(
    plan: &mut PlanBuilder<'_>,
    target: &Target<'_>,
    slots: &[Slot],
    after: &[StepId],
) -> Steps {
    let is_there = |slot: &Slot| plan.has(&slot.live) || plan.has(&slot.next) || runs(plan, &slot.previous);
    if target.workload.strategy != Strategy::Rolling || !slots.iter().any(is_there) {
        return replace(plan, target, slots, after);
    }
    let is_right = |Slot { live, .. }: &&Slot| {
        plan.seen(live).is_some_and(|seen| outdated(plan, target, live, seen).is_none())
    };
    let (right, outdated): (Vec<&Slot>, Vec<&Slot>) = slots.iter().partition(is_right);
    let mut up = Steps::new();
    for slot in right {
        up.extend(keep_or_fall_back(plan, target, slot, after));
    }
    if !outdated.is_empty() {
        up.extend(roll_out(plan, target, &outdated, after));
    }
    up
}

/// The reason why a workload cannot be brought up.
fn obstacle(plan: &PlanBuilder<'_>, workload: &Workload) -> Option<BlockedBy> {
    let images = [Some(&workload.image), workload.ready.prober_image()];
    for image in images.into_iter().flatten() {
        if let Some(message) = plan.now.images.unavailable.get(image) {
            return Some(BlockedBy::Image { image: image.clone(), message: message.clone() });
        }
    }
    if workload.ready.is_asked_by_proxy() && matches!(plan.proxy, Availability::Blocked) {
        return Some(BlockedBy::Needs(Container::parse(PROXY).expect("it is the name of a container")));
    }
    let is_blocked =
        |base_name: &&String| matches!(plan.up.get(base_name.as_str()), Some(Availability::Blocked));
    workload.needs.iter().filter(is_blocked).find_map(|base_name| {
        let name =
            Container::parse(base_name.as_str()).expect("a service's base name is its container's name");
        let is_there = runs(plan, &name) || plan.seen(&name).is_some_and(is_over);
        (!is_there).then_some(BlockedBy::Needs(name))
    })
}

/// Whether a container of a service that was left out is done.
fn is_over(seen: &SeenContainer) -> bool {
    seen.restart == RETIRED && seen.ended_well()
}

/// The steps that come before the first of a workload.
fn needs(plan: &PlanBuilder<'_>, workload: &Workload) -> Steps {
    let mut needs = Steps::new();
    needs.extend(plan.images.get(&workload.image));
    needs.extend(workload.attachments.iter().filter_map(|attachment| plan.networks.get(&attachment.network)));
    for (volume, _) in named_volumes(workload) {
        needs.extend(plan.volumes.get(volume));
        needs.extend(plan.freed_volumes.get(volume).into_iter().flatten());
    }
    for port in published(workload) {
        needs.extend(plan.freed_ports.get(&port).into_iter().flatten());
    }
    for base_name in &workload.needs {
        if let Some(Availability::After(steps)) = plan.up.get(base_name.as_str()) {
            needs.extend(steps);
        }
    }
    needs
}

/// Whether the container of this name belongs to this project, or is the shared proxy.
fn is_ours(plan: &mut PlanBuilder<'_>, target: &Target<'_>, name: &Container) -> bool {
    let Some(seen) = plan.seen(name) else { return true };
    let is_ours = match target.is_shared() {
        true => seen.is_proxy(),
        false => seen.project.as_ref() == Some(plan.project),
    };
    if is_ours {
        return true;
    }
    let conflict = if seen.project.is_some() || seen.kind.is_some() {
        Conflict::OthersContainer(name.clone(), Claimant::of(seen.project.as_ref()))
    } else {
        Conflict::ForeignContainer(name.clone())
    };
    plan.conflicts.push(conflict);
    false
}
