//! Who may change the proxy: the project that made it, as long as that project is on the host. A foreign
//! thing under a name of the proxy's is left alone.

use super::names::network;
use super::names::owner;
use super::names::previous;
use super::names::proxy_name;
use crate::desired::Desired;
use crate::docker::Op;
use crate::docker::proxy;
use crate::name::Project;
use crate::plan::Claimant;
use crate::plan::Conflict;
use crate::plan::Reason;
use crate::plan::StepId;
use crate::plan::builder::PlanBuilder;
use crate::spec::Http3;
use crate::spec::Proxy;
use crate::spec::Route;
use crate::spec::Spec;
use std::collections::BTreeMap;

/// Whether this is another project that has something on the host.
pub(super) fn is_others(plan: &PlanBuilder<'_>, project: &Project) -> bool {
    plan.others.contains(project)
}

/// Reports hosts that another project routes. They stay with that project.
pub(super) fn check_hosts(plan: &mut PlanBuilder<'_>, desired: &Desired) {
    let others = plan.now.routes_files.iter().filter(|(project, _)| is_others(plan, project));
    let holders: BTreeMap<&str, &Project> = others
        .flat_map(|(project, routes_file)| routes_file.hosts().map(move |host| (host, project)))
        .collect();
    let hosts = desired.routes.iter().flat_map(Route::all_hosts);
    let taken = hosts.filter_map(|host| {
        let project = *holders.get(host.as_str())?;
        Some(Conflict::OthersHost(host.clone(), project.clone()))
    });
    plan.conflicts.extend(taken);
}

/// Reports a network and volumes under the proxy's names that carry gordon's label for something else. Things
/// without such a label are used.
pub(super) fn check_things(plan: &mut PlanBuilder<'_>) {
    let network = network();
    if let Some(seen) = plan.now.networks.get(&network).filter(|seen| seen.managed && seen.maker.is_none()) {
        let claimant = Claimant::of(seen.project.as_ref());
        plan.conflicts.push(Conflict::OthersNetwork(network, claimant));
    }
    for volume in proxy::volumes() {
        if let Some(seen) = plan.now.volumes.get(&volume).filter(|seen| seen.managed && seen.maker.is_none())
        {
            let claimant = Claimant::of(seen.project.as_ref());
            plan.conflicts.push(Conflict::OthersVolume(volume, claimant));
        }
    }
}

/// Whether another project on the host made the proxy. That project's config then decides the proxy's image
/// and ports.
pub(super) fn is_anothers(plan: &mut PlanBuilder<'_>, proxy: &Proxy, spec: &Spec) -> bool {
    let Some(seen) = plan.now.containers.get(&proxy_name()).filter(|seen| seen.is_proxy()) else {
        return false;
    };
    let Some(maker) = seen.maker.as_ref().filter(|maker| is_others(plan, maker)) else { return false };
    let differences = spec.differences(&seen.spec);
    let differs = |part: &str| differences.iter().any(|difference| difference.part == part);
    // a config that does not say these takes what there is
    let says = [
        ("image", "image", true),
        ("port", "ports", true),
        ("trusted_proxies", "trusted proxies", !proxy.trusted_proxies.is_empty()),
        ("snippet", "snippet", !proxy.snippet.is_empty()),
        ("http3", "HTTP/3", proxy.http3 != Http3::Usual),
    ];
    let differing: Vec<&str> = says
        .into_iter()
        .filter(|(part, _, is_said)| *is_said && differs(part))
        .map(|(_, word, _)| word)
        .collect();
    if !differing.is_empty() {
        let differs = differing.join(" and ");
        plan.conflicts.push(Conflict::OthersProxy { maker: maker.clone(), differs });
    }
    true
}

/// Renames the previous proxy back when another project's run was cut off before it had made the new one.
/// Only that project knows what the new one should be.
pub(super) fn give_back(plan: &mut PlanBuilder<'_>) -> Option<StepId> {
    let waiting = plan.seen(&previous())?;
    if plan.has(&proxy_name()) || !waiting.maker.as_ref().is_some_and(|maker| is_others(plan, maker)) {
        return None;
    }
    plan.sequence(&owner(), &[]).step(Op::rename(&previous(), &proxy_name()), &Reason::LeftOver)
}
