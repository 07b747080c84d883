//! Removes containers and networks of this project. Does not know which ones, nor why.

use super::NewStep;
use super::Note;
use super::Reason;
use super::Risk;
use super::StepId;
use super::builder::PlanBuilder;
use super::builder::Steps;
use super::proxy::is_used_beside_proxy;
use super::proxy::keeps_proxy;
use super::proxy::take_proxy_off;
use crate::docker::Fact;
use crate::docker::Op;
use crate::name::Container;
use crate::name::Network;
use crate::name::Owner;
use crate::name::Volume;
use crate::spec::Kind;
use std::collections::BTreeMap;

/// The containers of the project.
pub(super) fn own_containers(plan: &PlanBuilder<'_>) -> Vec<Container> {
    let ours = plan.now.containers.iter().filter(|(_, seen)| seen.project.as_ref() == Some(plan.project));
    ours.map(|(name, _)| name).cloned().collect()
}

/// The networks of the project.
pub(super) fn own_networks(plan: &PlanBuilder<'_>) -> Vec<Network> {
    let ours = plan.now.networks.iter().filter(|(_, seen)| seen.project.as_ref() == Some(plan.project));
    ours.map(|(name, _)| name).cloned().collect()
}

/// The volumes of the project.
pub(super) fn own_volumes(plan: &PlanBuilder<'_>) -> Vec<Volume> {
    let ours = plan.now.volumes.iter().filter(|(_, seen)| seen.project.as_ref() == Some(plan.project));
    ours.map(|(name, _)| name).cloned().collect()
}

/// Removes containers, each by `remove`. A service is removed only after the apps on its networks.
pub(super) fn remove_containers<'a>(
    plan: &mut PlanBuilder<'a>,
    names: Vec<Container>,
    remove: impl Fn(&mut PlanBuilder<'a>, &Container, &[StepId]) -> Option<StepId>,
) {
    let is_app = |name: &Container| plan.now.containers[name].kind == Some(Kind::App);
    let (apps, services): (Vec<_>, Vec<_>) = names.into_iter().partition(is_app);
    let mut gone: BTreeMap<Network, Steps> = BTreeMap::new();
    for name in apps {
        let networks = networks_of(plan, &name);
        let last = remove(plan, &name, &[]);
        for network in networks {
            gone.entry(network).or_default().extend(last);
        }
    }
    for name in services {
        let networks = networks_of(plan, &name);
        let needs: Steps = networks.iter().filter_map(|n| gone.get(n)).flatten().copied().collect();
        remove(plan, &name, &needs);
    }
}

fn networks_of(plan: &PlanBuilder<'_>, name: &Container) -> Vec<Network> {
    plan.now.containers[name].memberships.keys().cloned().collect()
}

/// Stops and removes a container, once the proxy no longer routes to it.
pub(super) fn remove_container(
    plan: &mut PlanBuilder<'_>,
    name: &Container,
    reason: &Reason,
    after: &[StepId],
) -> Option<StepId> {
    let seen = &plan.now.containers[name];
    let owner = seen.owner.clone();
    let any = vec![Fact::Absent(name.clone()), plan.is_seen(name, seen)];
    plan.expect_as_it_is(name, any);
    let stop = plan.stop(name);
    let needs: Steps = after.iter().copied().chain(plan.unrouted).collect();
    let mut seq = plan.sequence(&owner, &needs);
    seq.add(NewStep { risk: Risk::Interrupts, ..seq.draft(stop, reason) });
    seq.step(Op::remove(name), reason)
}

/// Removes networks, once no container is on them.
pub(super) fn remove_networks(plan: &mut PlanBuilder<'_>, networks: Vec<Network>, reason: &Reason) {
    for network in networks {
        if is_used_beside_proxy(plan, &network) || keeps_proxy(plan, &network) {
            plan.plan.notes.push(Note::NetworkKept(network));
            continue;
        }
        take_proxy_off(plan, &network, reason);
        let needs = plan.left_networks.get(&network).cloned().unwrap_or_default();
        let owner = Owner::from(plan.project);
        plan.sequence(&owner, &needs).step(Op::RemoveNetwork { name: network }, reason);
    }
}

/// Notes the volumes that stay.
pub(super) fn note_volumes(plan: &mut PlanBuilder<'_>, volumes: Vec<Volume>) {
    if !volumes.is_empty() {
        plan.plan.notes.push(Note::VolumesKept(volumes));
    }
}
