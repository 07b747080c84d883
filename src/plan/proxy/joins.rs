//! The networks of apps that the proxy is on: joined before it routes there, left when they are removed.

use super::claim::is_others;
use super::names::owner;
use super::names::previous;
use super::names::proxy_name;
use crate::desired::Desired;
use crate::docker::Fact;
use crate::docker::Membership;
use crate::docker::Op;
use crate::docker::SeenContainer;
use crate::docker::State;
use crate::docker::proxy;
use crate::name::Container;
use crate::name::Network;
use crate::plan::Reason;
use crate::plan::StepId;
use crate::plan::builder::PlanBuilder;
use crate::plan::builder::Steps;
use crate::plan::containers::address;
use crate::plan::containers::expect_room;
use crate::plan::containers::stop_restarting;
use std::collections::BTreeSet;

/// Joins the proxy to the networks of this project's routed apps. Also joins those of other projects, since
/// the proxy may be new.
pub(super) fn join_networks(plan: &mut PlanBuilder<'_>, desired: &Desired, ready: &[StepId]) {
    let mut wanted: BTreeSet<Network> =
        desired.routes.iter().flat_map(|route| route.networks.iter().cloned()).collect();
    for (project, routes_file) in &plan.now.routes_files {
        let of_project = routes_file.networks().iter().filter(|network| {
            let seen = plan.now.networks.get(*network);
            project != plan.project
                && seen.is_some_and(|seen| seen.project.as_ref().is_none_or(|owner| owner == project))
        });
        wanted.extend(of_project.cloned());
    }
    for network in wanted {
        let needs: Steps = ready.iter().chain(plan.networks.get(&network)).copied().collect();
        if let Some(joined) = join(plan, network.clone(), &needs) {
            plan.joined.insert(network, joined);
        }
    }
}

fn join(plan: &mut PlanBuilder<'_>, network: Network, after: &[StepId]) -> Option<StepId> {
    let on = Fact::Attached { container: proxy_name(), network: network.clone(), aliases: None };
    if on.holds(&plan.now) {
        return None;
    }
    let address = address(plan, &network);
    expect_room(plan, vec![on.clone()], &proxy_name(), &network, address);
    let membership = Membership { network, address, aliases: Vec::new() };
    let op = Op::Connect { container: proxy_name(), membership };
    plan.sequence(&owner(), after).step_unless(op, &Reason::Routed, [on])
}

/// Takes the proxy off a network that is to be removed.
pub(in crate::plan) fn take_proxy_off(plan: &mut PlanBuilder<'_>, network: &Network, reason: &Reason) {
    let is_on = plan.seen(&proxy_name()).is_some_and(|seen| seen.memberships.contains_key(network));
    let stopped = if is_on { stop_restarting(plan, &owner(), &proxy_name(), proxy::RESTART) } else { None };
    for container in [proxy_name(), previous()] {
        let left = plan.left_networks.get(network).into_iter().flatten();
        let needs: Steps = plan.unrouted.iter().chain(&stopped).chain(left).copied().collect();
        let op = Op::Disconnect { container, network: network.clone() };
        plan.sequence(&owner(), &needs).step(op, reason);
    }
}

/// Whether any container except the proxy is on a network.
pub(in crate::plan) fn is_used_beside_proxy(plan: &PlanBuilder<'_>, network: &Network) -> bool {
    let on = |(_, seen): &(&Container, &SeenContainer)| seen.memberships.contains_key(network);
    let (proxies, others): (Vec<_>, Vec<_>) =
        plan.now.containers.iter().filter(on).partition(|(_, seen)| seen.is_proxy());
    let its: BTreeSet<_> = proxies.iter().filter_map(|(_, seen)| seen.memberships[network].address).collect();
    !others.is_empty() || !plan.now.networks[network].addresses.is_subset(&its)
}

/// Whether the proxy cannot leave a network. It cannot between two restarts, and it is not stopped while
/// another project may need it.
pub(in crate::plan) fn keeps_proxy(plan: &PlanBuilder<'_>, network: &Network) -> bool {
    let is_restarting = plan
        .seen(&proxy_name())
        .is_some_and(|seen| seen.state == State::Restarting && seen.memberships.contains_key(network));
    let is_anothers =
        |seen: &SeenContainer| seen.project.as_ref().is_some_and(|project| is_others(plan, project));
    is_restarting && plan.now.containers.values().any(is_anothers)
}
