//! Orphans: what this project has on the host and no longer in the config. Removes containers first, then
//! networks; volumes stay. Never touches what gordon did not make.

use super::Conflict;
use super::Reason;
use super::StepId;
use super::builder::Availability;
use super::builder::PlanBuilder;
use super::builder::Steps;
use super::containers::Asked;
use super::containers::Slot;
use super::containers::drain;
use super::containers::is_failing;
use super::containers::is_routed;
use super::containers::published;
use super::containers::slots;
use super::removal::note_volumes;
use super::removal::own_containers;
use super::removal::own_networks;
use super::removal::own_volumes;
use super::removal::remove_container;
use super::removal::remove_containers;
use super::removal::remove_networks;
use crate::desired::Desired;
use crate::desired::Strategy;
use crate::desired::Workload;
use crate::name::Container;
use crate::spec::Kind;
use crate::spec::Role;
use std::collections::BTreeSet;

/// Reports a config that asks for none of the project's containers. It is most likely another config of the
/// same name.
pub(super) fn check_config(plan: &mut PlanBuilder<'_>, desired: &Desired) {
    // what ran the command of a release is no container that a config asks for
    let is_asked_for = |name: &Container| plan.now.containers[name].kind != Some(Kind::Release);
    let count = own_containers(plan).iter().filter(|name| is_asked_for(name)).count();
    let mut orphans = orphans(plan, desired);
    orphans.retain(is_asked_for);
    if !plan.options.replace && count > 0 && orphans.len() == count {
        plan.conflicts.push(Conflict::AnotherConfig(plan.project.clone(), orphans));
    }
}

/// Removes the orphans that must not run beside a new container: two databases on one volume destroy it, and only one
/// container can publish a port. The replicas of an app that is rolled out share their volumes anyway.
pub(super) fn make_way(plan: &mut PlanBuilder<'_>, desired: &Desired) {
    let ports: BTreeSet<u16> = desired.workloads.iter().flat_map(published).collect();
    for name in orphans(plan, desired) {
        let seen = &plan.now.containers[&name];
        let is_mounted = seen.volumes.values().any(|volume| plan.mounted.contains(volume));
        let shares_anyway =
            || replicated(desired, &name).is_some_and(|workload| workload.strategy == Strategy::Rolling);
        if is_mounted && !shares_anyway() || !seen.ports.is_disjoint(&ports) {
            remove_container(plan, &name, &why_orphan(desired, &name), &[]);
        }
    }
}

/// Removes the orphans of this project.
pub(super) fn prune(plan: &mut PlanBuilder<'_>, desired: &Desired) {
    let count = plan.count();
    let containers = orphans(plan, desired);
    remove_containers(plan, containers, |plan, name, after| drain_and_remove(plan, desired, name, after));
    let mut networks = own_networks(plan);
    let wanted: BTreeSet<_> = desired.networks.iter().map(|network| &network.name).collect();
    networks.retain(|name| !wanted.contains(name));
    remove_networks(plan, networks, &Reason::NotInConfig);
    if plan.count() > count {
        let mut volumes = own_volumes(plan);
        let made = desired.volumes.iter().map(|volume| &volume.name);
        let wanted: BTreeSet<_> = made.chain(&desired.external).collect();
        volumes.retain(|name| !wanted.contains(name));
        note_volumes(plan, volumes);
    }
}

/// The containers of this project whose names the config does not use: neither as live, nor as next, nor as
/// previous ones.
fn orphans(plan: &PlanBuilder<'_>, desired: &Desired) -> Vec<Container> {
    let mut ours = own_containers(plan);
    // all that the plan makes is wanted
    ours.retain(|name| plan.host.containers.contains_key(name));
    unwanted(ours, desired)
}

/// Those containers of this project of which the config says nothing.
pub(super) fn unwanted(mut ours: Vec<Container>, desired: &Desired) -> Vec<Container> {
    if !ours.is_empty() {
        let slots = desired.workloads.iter().flat_map(slots);
        let releases = desired.workloads.iter().filter(|workload| workload.release.is_some());
        let releases = releases.map(|workload| workload.container(Role::Release, 1));
        let wanted: BTreeSet<Container> = slots.flat_map(Slot::names).chain(releases).collect();
        ours.retain(|name| !wanted.contains(name));
    }
    ours
}

/// Removes an orphan. A running app is drained first, as in a rollout. A surplus replica leaves only once the
/// others are up.
fn drain_and_remove(
    plan: &mut PlanBuilder<'_>,
    desired: &Desired,
    name: &Container,
    after: &[StepId],
) -> Option<StepId> {
    let reason = why_orphan(desired, name);
    let seen = &plan.now.containers[name];
    if seen.kind != Some(Kind::App) {
        return remove_container(plan, name, &reason, after);
    }
    let (owner, state) = (seen.owner.clone(), seen.state);
    // the policy that it was meant to have is no longer known
    let can_drain = state.is_up() && !is_failing(seen, "always");
    let mut needs: Steps = plan.unrouted.iter().chain(after).copied().collect();
    let workload = replicated(desired, name);
    if let Some(Availability::After(steps)) = workload.and_then(|w| plan.up.get(w.base_name.as_str())) {
        needs.extend(steps);
    }
    if can_drain {
        let by_proxy = is_routed(plan.host, plan.project, name);
        let asked = (desired.drain, Asked { by_proxy, by_alias: true });
        needs = drain(plan, &owner, &[name], asked, &reason, &needs, None);
    }
    remove_container(plan, name, &reason, &needs)
}

fn why_orphan(desired: &Desired, name: &Container) -> Reason {
    match replicated(desired, name) {
        Some(_) => Reason::TooManyReplicas,
        None => Reason::NotInConfig,
    }
}

/// The workload that a container is a replica of.
fn replicated<'a>(desired: &'a Desired, name: &Container) -> Option<&'a Workload> {
    let (first, number) = name.as_str().rsplit_once('-')?;
    number.parse::<u32>().ok()?;
    let roles = [Role::Serving, Role::Incoming, Role::Previous];
    let is_of =
        |workload: &&Workload| roles.iter().any(|role| workload.container(*role, 1).as_str() == first);
    desired.workloads.iter().find(is_of)
}
