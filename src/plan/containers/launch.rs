//! Makes containers, starts them, and waits until they are ready.

use super::life::RETIRED;
use super::life::is_done;
use super::life::is_unproved;
use super::life::probation;
use super::life::restarts;
use super::networks::Aliases;
use super::networks::address;
use super::networks::keep_routed_network;
use super::networks::reconcile_networks;
use super::target::Target;
use super::target::default_bridge;
use super::target::inherited;
use super::view::can_start_now;
use super::view::is_current;
use super::view::is_unready;
use super::view::route_steps;
use super::view::routed_network;
use super::view::why_awaited;
use crate::desired::Ready;
use crate::desired::Workload;
use crate::docker::Await;
use crate::docker::Fact;
use crate::docker::Launch;
use crate::docker::Membership;
use crate::docker::Op;
use crate::docker::Release;
use crate::docker::SeenContainer;
use crate::docker::State;
use crate::name::Container;
use crate::name::Network;
use crate::plan::Note;
use crate::plan::Reason;
use crate::plan::StepId;
use crate::plan::builder::Availability;
use crate::plan::builder::PlanBuilder;
use crate::plan::builder::Sequence;
use crate::plan::builder::Steps;
use crate::spec::Kind;
use crate::spec::Settings;
use std::net::Ipv4Addr;
use std::time::Duration;

/// How long a container without a health check runs before the containers that need it start.
const SETTLES: Duration = Duration::from_secs(1);

/// How long a container without a health check runs before it replaces another.
const PROVES_ITSELF: Duration = Duration::from_secs(5);

/// Makes a container and starts it.
pub(super) fn launch(
    seq: &mut Sequence<'_, '_>,
    target: &Target<'_>,
    name: &Container,
    aliases: Aliases,
    reason: &Reason,
) {
    let workload = target.workload;
    let memberships = memberships(seq.plan, workload, name, aliases);
    let current = is_current(seq.plan, target, name);
    for Membership { network, address, .. } in &memberships {
        let done: Vec<Fact> = [&current].into_iter().chain(&seq.done).cloned().collect();
        expect_room(seq.plan, done, name, network, *address);
    }
    let is_single = memberships.len() == 1 && routed_network(seq.plan, workload).is_none();
    let others: Vec<Membership> = memberships[1..].to_vec();
    let made = Box::new(made(seq.plan, target, name, memberships));
    let op = if is_single { Op::Run(made) } else { Op::Create(made) };
    seq.step_unless(op, reason, [current]);
    if is_single {
        return;
    }
    for membership in others {
        seq.step(Op::Connect { container: name.clone(), membership }, reason);
    }
    // the proxy may still route there; a container that runs may already have left that network again
    seq.done.push(Fact::Running(name.clone()));
    keep_routed_network(seq, workload, name);
    seq.done.pop();
    start(seq, target, name, reason);
}

/// Starts a container, unless it runs, or is done.
pub(super) fn start(
    seq: &mut Sequence<'_, '_>,
    target: &Target<'_>,
    name: &Container,
    reason: &Reason,
) -> Option<StepId> {
    let done = target.workload.ready.is_meant_to_end().then(|| Fact::EndedWell(name.clone()));
    let op = Op::start(name);
    let unless: Vec<Fact> = op.effect().into_iter().chain(done).collect();
    seq.step_unless(op, reason, unless)
}

/// The container that is made of a target.
pub(super) fn made(
    plan: &mut PlanBuilder<'_>,
    target: &Target<'_>,
    name: &Container,
    memberships: Vec<Membership>,
) -> Launch {
    let workload = target.workload;
    let mut labels = match target.is_shared() {
        true => plan.shared_labels(workload.kind, &workload.owner, &workload.base_name),
        false => plan.labels(workload.kind, &workload.owner, &workload.base_name),
    };
    let (spec, inherits) = (target.spec.clone(), inherited(workload));
    labels.release = Some(Release { number: target.release, spec, inherits });
    let mut runtime = workload.runtime.clone();
    runtime.settings = settings(plan, target);
    // what is meant to end runs once, also when it fails
    if !workload.ready.is_meant_to_end() {
        runtime.restart = probation(&runtime.restart).to_owned();
    }
    runtime.mounts.reserve_exact(workload.image_mounts.len());
    runtime.mounts.extend(workload.image_mounts.iter().cloned());
    Launch { name: name.clone(), image: workload.image.clone(), labels, memberships, runtime }
}

/// The settings of a new container. Expects that the engine can limit logs, where it is not known.
fn settings(plan: &mut PlanBuilder<'_>, target: &Target<'_>) -> Settings {
    let usual = target.desired.usual.clone();
    let usual = match &plan.now.log_driver {
        Some(driver) => usual.for_log_driver(driver),
        None => usual,
    };
    let settings = target.workload.runtime.settings.over(&usual);
    if settings.limit_logs() && !plan.limits_logs {
        plan.limits_logs = true;
        plan.expect(
            vec![Fact::LimitsLogs],
            "the engine's log driver cannot limit logs: say which it is, as in `containers = { log = \"journald\" }`",
        );
    }
    settings
}

/// Expects that a container's address is free, unless one of the facts `done` shows that the container has it
/// already.
pub(in crate::plan) fn expect_room(
    plan: &mut PlanBuilder<'_>,
    done: Vec<Fact>,
    name: &Container,
    network: &Network,
    address: Option<Ipv4Addr>,
) {
    let subnet = plan.now.networks.get(network).and_then(|network| network.subnet);
    if let (Some(address), Some(subnet)) = (address, subnet) {
        let room = Fact::Room { network: network.clone(), subnet, address };
        let any = done.into_iter().chain([room]).collect();
        plan.expect(any, format!("network {network} has no room for {name} at {address}"));
    }
}

/// The networks of a new container, with its addresses on them.
pub(super) fn memberships(
    plan: &mut PlanBuilder<'_>,
    workload: &Workload,
    name: &Container,
    aliases: Aliases,
) -> Vec<Membership> {
    if workload.attachments.is_empty() {
        return vec![Membership { network: default_bridge(), address: None, aliases: Vec::new() }];
    }
    let mut memberships = Vec::with_capacity(workload.attachments.len());
    for attachment in &workload.attachments {
        let network = attachment.network.clone();
        // nothing has to find the container that runs the command of a release
        let address = if workload.kind == Kind::Release { None } else { address(plan, &network) };
        let aliases = match (aliases, address) {
            (Aliases::AtOnce, _) => attachment.aliases.clone(),
            (Aliases::Later, Some(_)) => Vec::new(),
            // without an address of its own it could not rejoin at the same one, so its aliases cannot be
            // changed later
            (Aliases::Later, None) => {
                let (container, network) = (name.clone(), network.clone());
                plan.plan.notes.push(Note::AliasesAtOnce { container, network });
                attachment.aliases.clone()
            }
        };
        memberships.push(Membership { network, address, aliases });
    }
    memberships
}

/// Keeps a container that matches the config: joins it to its networks, starts it and waits for it.
pub(super) fn ensure_running(
    plan: &mut PlanBuilder<'_>,
    target: &Target<'_>,
    name: &Container,
    after: &[StepId],
) -> Steps {
    let workload = target.workload;
    let mut seq = plan.sequence(target.owner(), after);
    reconcile_networks(&mut seq, workload, name);
    let reason = why_awaited(seq.plan, target, name);
    let is_repaired = seq.has_begun();
    let started = start(&mut seq, target, name, &Reason::NotRunning);
    let has_check = workload.ready != Ready::StaysUp && !workload.ready.is_meant_to_end();
    if started.is_some() || is_unready(seq.plan, target, name) || is_repaired && has_check {
        await_ready(&mut seq, target, name, &reason);
    }
    keep_up(&mut seq, name, target.restart());
    note_inherited(seq.plan, workload, name);
    if seq.has_begun() { seq.end() } else { Steps::new() }
}

/// Notes that a service keeps the app's env file as it was when the service was made.
pub(super) fn note_inherited(plan: &mut PlanBuilder<'_>, workload: &Workload, name: &Container) {
    let inherited_file = workload.runtime.env_files.iter().find(|file| file.inherited);
    if let Some(file) = inherited_file
        && plan.now.containers[name].inherits != inherited(workload)
    {
        plan.plan.notes.push(Note::EnvInherited { container: name.clone(), path: file.path.clone() });
    }
}

/// Waits until a container is ready that replaces no other.
pub(super) fn await_ready(
    seq: &mut Sequence<'_, '_>,
    target: &Target<'_>,
    name: &Container,
    reason: &Reason,
) {
    wait(seq, target, name, SETTLES, reason);
}

/// Waits until a container is ready and stable enough to replace another.
pub(super) fn await_stable(
    seq: &mut Sequence<'_, '_>,
    target: &Target<'_>,
    name: &Container,
    reason: &Reason,
) {
    // the proxy serves no domain during this wait, and reports a port in use at once, so its wait is short
    let time = if target.is_shared() { SETTLES } else { PROVES_ITSELF };
    wait(seq, target, name, time, reason);
}

fn wait(seq: &mut Sequence<'_, '_>, target: &Target<'_>, name: &Container, time: Duration, reason: &Reason) {
    let restart = target.restart();
    let is_to_be_kept_up = seq.plan.seen(name).is_some_and(|seen| seen.restart != *restart);
    let name = name.clone();
    let kept_up = is_to_be_kept_up.then(|| restarts(&name, restart));
    let asks = prober_steps(seq.plan, target.workload);
    let wait = Op::Await(match &target.workload.ready {
        Ready::Healthy(timeout) => Await::Healthy { name, timeout: *timeout },
        Ready::Answers(check, timeout) => Await::Answers { name, check: check.clone(), timeout: *timeout },
        Ready::Listens(check, timeout) => Await::Listens { name, check: check.clone(), timeout: *timeout },
        Ready::StaysUp => Await::StaysUp { name, time },
        Ready::Ends => Await::GoesWell { name, time },
        Ready::Done(timeout) => Await::Ends { name, timeout: *timeout },
    });
    let unless: Vec<Fact> = kept_up.into_iter().chain(wait.effect()).collect();
    let mut step = seq.draft_unless(wait, reason, unless);
    step.needs.extend(asks);
    seq.add(step);
}

/// The steps after which the prober can probe.
fn prober_steps(plan: &PlanBuilder<'_>, workload: &Workload) -> Steps {
    match &plan.proxy {
        Availability::After(steps) if workload.ready.is_asked_by_proxy() => {
            [steps.as_slice(), &route_steps(plan, workload)].concat()
        }
        _ => workload
            .ready
            .prober_image()
            .and_then(|image| plan.images.get(image))
            .copied()
            .into_iter()
            .collect(),
    }
}

/// Gives a ready container its final restart policy.
pub(super) fn keep_up(seq: &mut Sequence<'_, '_>, name: &Container, restart: &str) {
    // after a conflict the container does not exist
    let Some(seen) = seq.plan.seen(name) else { return };
    // one that nothing else happens to was retired by hand
    let comes_back = seen.restart == RETIRED && seq.has_begun();
    let reason = match is_unproved(seen, restart) || comes_back {
        true => Reason::Proved,
        false => Reason::Restart { from: seen.restart.clone(), to: restart.to_owned() },
    };
    seq.step(Op::update(name, restart), &reason);
}

/// Starts a container that served and does not run, so that it serves until `done` holds: until its successor
/// is ready. Skips a container that was stopped because docker restarted it over and over.
pub(super) fn serve_again(
    plan: &mut PlanBuilder<'_>,
    target: &Target<'_>,
    name: &Container,
    done: Fact,
) -> Option<StepId> {
    let seen = plan.seen(name).filter(|seen| seen.state == State::Exited)?;
    let found = plan.host.containers.get(name)?;
    let is_done = is_done(target.workload, seen);
    if is_done
        || is_unproved(seen, target.restart())
        || found.state != State::Exited
        || !can_start_now(plan, seen)
    {
        return None;
    }
    let unless = [Fact::Running(name.clone()), Fact::Absent(name.clone())];
    let mut seq = plan.sequence(target.owner(), &[]).done_if([done]);
    seq.step_unless(Op::start(name), &Reason::Served, unless)
}

/// The operations that undo a final stop: the container runs again, with its restart policy. One that is done stays so.
pub(super) fn undo_of_stop(target: &Target<'_>, name: &Container, seen: &SeenContainer) -> Vec<Op> {
    let (start, restart) = (Op::start(name), target.restart());
    if is_done(target.workload, seen) {
        return Vec::new();
    }
    if is_unproved(seen, restart) {
        return vec![start];
    }
    vec![start, Op::update(name, restart)]
}
