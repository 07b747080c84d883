//! Releases: their numbers, and the command with which one begins. It runs in a container of its own, which stays,
//! stopped: its labels tell the release, and its exit status whether the command has to run again.

use super::launch::made;
use super::launch::memberships;
use super::networks::Aliases;
use super::target::Slot;
use super::target::Target;
use super::target::default_bridge;
use super::view::changed;
use super::view::is_current;
use super::view::is_managed;
use super::view::outdated;
use crate::desired::Workload;
use crate::docker::Await;
use crate::docker::Fact;
use crate::docker::Op;
use crate::docker::SeenContainer;
use crate::name::Container;
use crate::name::Network;
use crate::plan::NewStep;
use crate::plan::Reason;
use crate::plan::StepId;
use crate::plan::builder::PlanBuilder;
use crate::plan::builder::Sequence;
use crate::plan::builder::Steps;
use crate::spec::Role;
use std::time::Duration;

/// The command of a release, as a target of its own.
pub(super) struct Command<'a> {
    pub(super) name: Container,
    target: Target<'a>,
    timeout: Duration,
}

impl<'a> Command<'a> {
    /// The command of `app`, which `run` runs.
    pub(super) fn of(app: &Target<'a>, run: &'a Workload) -> Option<Self> {
        let timeout = app.workload.release.as_ref()?.timeout;
        let target =
            Target { workload: run, spec: app.workload.release_spec(), ..Target::new(app.desired, run) };
        Some(Self { name: run.container(Role::Release, 1), target, timeout })
    }
}

/// One more than the highest release on the host, or that release if it already matches the config. A release whose command
/// was begun by an earlier run keeps its number.
pub(super) fn number(
    plan: &PlanBuilder<'_>,
    target: &Target<'_>,
    slots: &[Slot],
    command: Option<&Command<'_>>,
) -> u32 {
    let seen = containers(plan, slots);
    let highest = seen.iter().map(|(_, container)| container.release).max().unwrap_or(0);
    let is_wanted = seen.iter().any(|(name, container)| {
        container.release == highest && outdated(plan, target, name, container).is_none()
    });
    let mut recreated = slots.iter().filter(|slot| is_recreated(plan, slot)).peekable();
    if is_wanted && recreated.peek().is_none() {
        return highest;
    }
    let begun = command.and_then(|command| Some((command, plan.seen(&command.name)?)));
    let Some((command, begun)) = begun else { return highest + 1 };
    let live = |slot: &Slot| plan.seen(&slot.live).map(|live| live.release);
    let is_under_way = match recreated.peek() {
        Some(_) => recreated.all(|slot| live(slot).is_some_and(|live| live < begun.release)),
        None => slots.iter().any(|slot| live(slot).is_none_or(|live| live < begun.release)),
    };
    let is_right = begun.release >= highest && changed(plan, &command.target, begun).is_none();
    if is_under_way && is_right { begun.release } else { highest.max(begun.release) + 1 }
}

/// Runs the command of a release before its first container, unless it ended well or a container of the release is there.
/// Gives the steps after which the containers may start.
pub(super) fn run_command(
    plan: &mut PlanBuilder<'_>,
    target: &Target<'_>,
    slots: &[Slot],
    mut command: Command<'_>,
    after: &[StepId],
) -> Steps {
    command.target.release = target.release;
    let (name, current) = (&command.name, is_current(plan, &command.target, &command.name));
    let ended_well = Fact::EndedWell(name.clone());
    let is_done = current.holds(&plan.now) && ended_well.holds(&plan.now);
    let mut seq = plan.sequence(target.owner(), after);
    if !is_done && is_due(seq.plan, target, slots) {
        let any = vec![Fact::Absent(name.clone()), current.clone()];
        seq.plan.expect_as_it_is(name, any);
        // a container of the release shows that its command ended well
        seq.done = slots.iter().take(1).map(|slot| is_current(seq.plan, target, &slot.live)).collect();
        let reason = make_room(&mut seq, &command, &current);
        if !seq.plan.has(name) {
            make(&mut seq, &command, &current, &reason);
        }
        let wait = Op::Await(Await::Ends { name: name.clone(), timeout: command.timeout });
        let undo = vec![Op::stop(name, command.target.stop_timeout())];
        seq.add(NewStep { undo, ..seq.draft(wait, &reason) });
        seq.done.clear();
    }
    leave_networks(&mut seq, &command);
    seq.end()
}

/// Whether a container of the release has to be made, and none is there that shows that its command ended well.
fn is_due(plan: &PlanBuilder<'_>, target: &Target<'_>, slots: &[Slot]) -> bool {
    let is_right =
        |name: &Container| plan.seen(name).is_some_and(|seen| outdated(plan, target, name, seen).is_none());
    let is_recreated = slots.iter().any(|slot| is_recreated(plan, slot));
    let is_of_release = |(name, seen): &(&Container, &SeenContainer)| {
        // a repair may give a release another number
        let is_kept = slots.iter().any(|slot| slot.previous == **name);
        (seen.release == target.release || !is_recreated && !is_kept) && changed(plan, target, seen).is_none()
    };
    let makes = slots.iter().any(|slot| !is_right(&slot.live) && !is_right(&slot.next));
    makes && !containers(plan, slots).iter().any(is_of_release)
}

/// Removes the container of an earlier release, or the one of this release if its command has to run anew. Gives the reason
/// for what follows.
fn make_room(seq: &mut Sequence<'_, '_>, command: &Command<'_>, current: &Fact) -> Reason {
    let name = &command.name;
    let Some(seen) = seq.plan.seen(name) else { return Reason::Begins };
    let (is_up, is_of_release) = (seen.state.is_up(), current.holds(&seq.plan.now));
    let absent = Fact::Absent(name.clone());
    if !is_of_release {
        let stop = seq.plan.stop(name);
        seq.step_unless(stop, &Reason::EarlierRelease, [Fact::Stopped(name.clone()), current.clone()]);
        seq.step_unless(Op::remove(name), &Reason::EarlierRelease, [absent, current.clone()]);
        return Reason::Begins;
    }
    if is_up {
        return Reason::LeftOver;
    }
    let goes_on = [absent, Fact::Running(name.clone()), Fact::EndedWell(name.clone())];
    seq.step_unless(Op::remove(name), &Reason::NotDone, goes_on);
    Reason::NotDone
}

/// Makes the container and starts it. It is started by a step of its own, which a script that is run again repeats.
fn make(seq: &mut Sequence<'_, '_>, command: &Command<'_>, current: &Fact, reason: &Reason) {
    let Command { name, target, .. } = command;
    let all = memberships(seq.plan, target.workload, name, Aliases::AtOnce);
    let others = all[1..].to_vec();
    let made = Box::new(made(seq.plan, target, name, all));
    seq.step_unless(Op::Create(made), reason, [current.clone()]);
    for membership in others {
        seq.step(Op::Connect { container: name.clone(), membership }, reason);
    }
    seq.step_unless(Op::start(name), reason, [Fact::Running(name.clone()), Fact::EndedWell(name.clone())]);
}

/// Takes the stopped container off networks that its app has left, so that they can be removed.
fn leave_networks(seq: &mut Sequence<'_, '_>, command: &Command<'_>) {
    let Some(seen) = seq.plan.seen(&command.name).filter(|seen| !seen.state.is_up()) else { return };
    let is_wanted = |network: &Network| match command.target.workload.attachments.as_slice() {
        [] => *network == default_bridge(),
        attachments => attachments.iter().any(|attachment| attachment.network == *network),
    };
    let is_left = |network: &&Network| {
        !is_wanted(network) && (**network == default_bridge() || is_managed(seq.plan, network))
    };
    let left: Vec<Network> = seen.memberships.keys().filter(is_left).cloned().collect();
    for network in left {
        seq.step(Op::Disconnect { container: command.name.clone(), network }, &Reason::Attached);
    }
}

/// Whether the person asked for this replica to be made anew.
fn is_recreated(plan: &PlanBuilder<'_>, slot: &Slot) -> bool {
    plan.options.recreate.contains(slot.live.as_str())
}

fn containers<'p>(plan: &'p PlanBuilder<'_>, slots: &'p [Slot]) -> Vec<(&'p Container, &'p SeenContainer)> {
    let names = slots.iter().flat_map(|slot| [&slot.live, &slot.next, &slot.previous]);
    names.filter_map(|name| plan.now.containers.get_key_value(name)).collect()
}
