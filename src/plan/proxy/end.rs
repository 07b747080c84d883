//! Removes the proxy with the last project of the host.

use super::joins::is_used_beside_proxy;
use super::names::network;
use super::names::owner;
use super::names::previous;
use super::names::proxy_name;
use crate::docker::Op;
use crate::docker::SeenContainer;
use crate::docker::proxy;
use crate::name::Container;
use crate::plan::NewStep;
use crate::plan::Reason;
use crate::plan::Risk;
use crate::plan::builder::PlanBuilder;
use crate::plan::builder::Steps;

/// Removes the proxy and its network when no project is left on the host.
pub(in crate::plan) fn remove_unused_proxy(plan: &mut PlanBuilder<'_>) {
    if !is_unused(plan) {
        return;
    }
    for container in [proxy_name(), previous()] {
        if plan.seen(&container).is_some_and(SeenContainer::is_proxy) {
            remove(plan, container);
        }
    }
    let network = network();
    let is_its = plan.now.networks.get(&network).is_some_and(|seen| seen.maker.is_some());
    if is_its && !is_used_beside_proxy(plan, &network) {
        let needs = plan.left_networks.get(&network).cloned().unwrap_or_default();
        plan.sequence(&owner(), &needs).step(Op::RemoveNetwork { name: network }, &Reason::LastProject);
    }
}

/// Removes the proxy's volumes, with its certificates, when no project is left on the host.
pub(in crate::plan) fn remove_unused_proxy_volumes(plan: &mut PlanBuilder<'_>) {
    if !is_unused(plan) {
        return;
    }
    for volume in proxy::volumes() {
        if plan.now.is_mounted(&volume)
            || plan.now.volumes.get(&volume).is_none_or(|seen| seen.maker.is_none())
        {
            continue;
        }
        let needs = plan.freed_volumes.get(&volume).cloned().unwrap_or_default();
        plan.sequence(&owner(), &needs).step(Op::RemoveVolume { name: volume }, &Reason::LastProject);
    }
}

/// Whether no project is left on the host.
fn is_unused(plan: &PlanBuilder<'_>) -> bool {
    plan.now.containers.values().all(|seen| seen.project.is_none())
}

fn remove(plan: &mut PlanBuilder<'_>, container: Container) {
    let left = plan.plan.steps().iter().filter(|step| matches!(step.op, Op::Disconnect { .. }));
    let needs: Steps = plan.unrouted.into_iter().chain(left.map(|step| step.id)).collect();
    let stop = plan.stop(&container);
    let mut seq = plan.sequence(&owner(), &needs);
    seq.add(NewStep { risk: Risk::Interrupts, ..seq.draft(stop, &Reason::LastProject) });
    seq.step(Op::remove(&container), &Reason::LastProject);
}
