//! Orphans: what is on the host for this project and no longer in the config. Containers go, then networks; volumes stay.
//! Never touches what gordon did not make.

use super::Conflict;
use super::NewStep;
use super::Note;
use super::Reason;
use super::Risk;
use super::StepId;
use super::builder::Availability;
use super::builder::PlanBuilder;
use super::builder::Steps;
use super::containers::Slot;
use super::containers::drain;
use super::containers::is_failing;
use super::containers::published;
use super::containers::slots;
use super::proxy::is_used_beside_proxy;
use super::proxy::keeps_proxy;
use super::proxy::take_proxy_off;
use crate::desired::Role;
use crate::desired::Workload;
use crate::docker::Fact;
use crate::docker::Kind;
use crate::docker::Op;
use crate::name::Container;
use crate::name::Network;
use crate::name::Owner;
use crate::name::Volume;
use std::collections::BTreeMap;
use std::collections::BTreeSet;

/// When the config wants none of the project's containers, it is most likely another config of the same name.
pub(super) fn check_config(plan: &mut PlanBuilder<'_>) {
    let project = &plan.desired.project;
    let ours = plan.now.containers.values().filter(|seen| seen.project.as_ref() == Some(project));
    let count = ours.count();
    let orphans = orphans(plan);
    if !plan.options.replace && count > 0 && orphans.len() == count {
        plan.conflicts.push(Conflict::AnotherConfig(project.clone(), orphans));
    }
}

/// Removes the orphans that must not run beside a new container: two databases on one volume destroy it, and only one
/// container can publish a port.
pub(super) fn make_way(plan: &mut PlanBuilder<'_>) {
    let ports: BTreeSet<u16> = plan.desired.workloads.iter().flat_map(published).collect();
    for name in orphans(plan) {
        let seen = &plan.now.containers[&name];
        let is_mounted = seen.volumes.values().any(|volume| plan.mounted.contains(volume));
        if is_mounted || !seen.ports.is_disjoint(&ports) {
            let reason = why_orphan(plan, &name);
            remove(plan, &name, &reason, &[]);
        }
    }
}

/// Removes what is left of this project on the host.
pub(super) fn prune(plan: &mut PlanBuilder<'_>) {
    let count = plan.count();
    remove_containers(plan, None);
    remove_networks(plan, &Reason::NotInConfig);
    if plan.count() > count {
        note_volumes(plan);
    }
}

/// The containers of this project on the host that its config does not want: none of those that serve, are about to, or did.
fn orphans(plan: &PlanBuilder<'_>) -> Vec<Container> {
    let project = Some(&plan.desired.project);
    let mut ours = plan.now.containers.iter().filter(|(_, seen)| seen.project.as_ref() == project).peekable();
    if ours.peek().is_none() {
        return Vec::new();
    }
    let slots = plan.desired.workloads.iter().flat_map(slots);
    let wanted: BTreeSet<Container> = slots.flat_map(Slot::names).collect();
    ours.map(|(name, _)| name).filter(|name| !wanted.contains(*name)).cloned().collect()
}

/// Removes the containers that are not wanted: services only after the apps that are on a network with them. Without a
/// reason for all, each has its own, and an app that runs is drained.
pub(super) fn remove_containers(plan: &mut PlanBuilder<'_>, reason: Option<&Reason>) {
    let is_app = |name: &Container| plan.now.containers[name].kind == Some(Kind::App);
    let (apps, services): (Vec<_>, Vec<_>) = orphans(plan).into_iter().partition(is_app);
    let mut gone: BTreeMap<Network, Steps> = BTreeMap::new();
    for name in apps {
        let networks = networks_of(plan, &name);
        let last = match reason {
            Some(reason) => remove(plan, &name, reason, &[]),
            None => drain_and_remove(plan, &name),
        };
        for network in networks {
            gone.entry(network).or_default().extend(last);
        }
    }
    for name in services {
        let reason = reason.cloned().unwrap_or_else(|| why_orphan(plan, &name));
        let networks = networks_of(plan, &name);
        let needs: Steps = networks.iter().filter_map(|n| gone.get(n)).flatten().copied().collect();
        remove(plan, &name, &reason, &needs);
    }
}

fn networks_of(plan: &PlanBuilder<'_>, name: &Container) -> Vec<Network> {
    plan.now.containers[name].memberships.keys().cloned().collect()
}

/// Removes a container of an app: while it runs, it leaves as those do that a rollout puts others in the place of. One
/// replica of too many leaves only when the others are up.
fn drain_and_remove(plan: &mut PlanBuilder<'_>, name: &Container) -> Option<StepId> {
    let reason = why_orphan(plan, name);
    let mut needs: Steps = plan.unrouted.into_iter().collect();
    let workload = replicated(plan, name);
    if let Some(Availability::After(steps)) = workload.and_then(|w| plan.up.get(w.stem.as_str())) {
        needs.extend(steps);
    }
    let seen = &plan.now.containers[name];
    // which policy it was to have is no longer known
    if seen.state.is_up() && !is_failing(seen, "always") {
        let owner = seen.owner.clone();
        needs = drain(plan, &owner, &[name], &reason, &needs, None);
    }
    remove(plan, name, &reason, &needs)
}

fn why_orphan(plan: &PlanBuilder<'_>, name: &Container) -> Reason {
    match replicated(plan, name) {
        Some(_) => Reason::TooManyReplicas,
        None => Reason::NotInConfig,
    }
}

/// The workload that a container is a replica of.
fn replicated<'a>(plan: &PlanBuilder<'a>, name: &Container) -> Option<&'a Workload> {
    let (first, number) = name.as_str().rsplit_once('-')?;
    number.parse::<u32>().ok()?;
    let roles = [Role::Serving, Role::Incoming, Role::Previous];
    let is_of =
        |workload: &&Workload| roles.iter().any(|role| workload.container(*role, 1).as_str() == first);
    plan.desired.workloads.iter().find(is_of)
}

fn remove(plan: &mut PlanBuilder<'_>, name: &Container, reason: &Reason, after: &[StepId]) -> Option<StepId> {
    let seen = &plan.now.containers[name];
    let owner = seen.owner.clone();
    let any = vec![Fact::Absent(name.clone()), plan.is_seen(name, seen)];
    plan.expect_as_it_is(name, any);
    let stop = Op::stop(name, plan.desired.stop_timeout);
    let needs: Steps = after.iter().copied().chain(plan.unrouted).collect();
    let mut seq = plan.sequence(&owner, &needs);
    seq.add(NewStep { risk: Risk::Interrupts, ..seq.draft(stop, reason) });
    seq.step(Op::remove(name), reason)
}

/// Removes the orphaned networks of this project, once no container is on them.
pub(super) fn remove_networks(plan: &mut PlanBuilder<'_>, reason: &Reason) {
    let wanted: BTreeSet<&Network> = plan.desired.networks.iter().map(|network| &network.name).collect();
    let project = Some(&plan.desired.project);
    let ours = plan.now.networks.iter().filter(|(_, seen)| seen.project.as_ref() == project);
    let orphans: Vec<Network> =
        ours.map(|(name, _)| name).filter(|name| !wanted.contains(name)).cloned().collect();
    for network in orphans {
        if is_used_beside_proxy(plan, &network) || keeps_proxy(plan, &network) {
            plan.plan.notes.push(Note::NetworkKept(network));
            continue;
        }
        take_proxy_off(plan, &network, reason);
        let needs = plan.left_networks.get(&network).cloned().unwrap_or_default();
        let owner = Owner::from(&plan.desired.project);
        plan.sequence(&owner, &needs).step(Op::RemoveNetwork { name: network }, reason);
    }
}

/// Notes the volumes that stay.
pub(super) fn note_volumes(plan: &mut PlanBuilder<'_>) {
    let volumes = orphan_volumes(plan);
    if !volumes.is_empty() {
        plan.plan.notes.push(Note::VolumesKept(volumes));
    }
}

/// The volumes of this project that the config does not want.
pub(super) fn orphan_volumes(plan: &PlanBuilder<'_>) -> Vec<Volume> {
    let wanted: BTreeSet<&Volume> = plan.desired.volumes.iter().map(|volume| &volume.name).collect();
    let project = Some(&plan.desired.project);
    let ours = plan.now.volumes.iter().filter(|(_, seen)| seen.project.as_ref() == project);
    ours.map(|(name, _)| name).filter(|name| !wanted.contains(name)).cloned().collect()
}
