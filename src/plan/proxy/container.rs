//! The proxy's container, which is brought up like a workload, and the network and volumes that it needs.

use super::claim::check_hosts;
use super::claim::check_things;
use super::claim::give_back;
use super::claim::is_anothers;
use super::joins::join_networks;
use super::names::network;
use super::names::owner;
use super::names::proxy_name;
use super::routes::forget_routes;
use crate::desired::Attachment;
use crate::desired::Desired;
use crate::desired::Ready;
use crate::desired::Strategy;
use crate::desired::Workload;
use crate::docker::Fact;
use crate::docker::Op;
use crate::docker::proxy;
use crate::plan::Note;
use crate::plan::Reason;
use crate::plan::builder::Availability;
use crate::plan::builder::PlanBuilder;
use crate::plan::builder::Steps;
use crate::plan::containers::bring_up_shared;
use crate::plan::resources::new_network;
use crate::plan::subnets::Subnets;
use crate::spec::Http3;
use crate::spec::Kind;
use crate::spec::Naming;
use crate::spec::PROXY;
use crate::spec::Proxy;
use crate::spec::Spec;

/// How many addresses the proxy's own network needs: one for it, and one for its replacement.
const ADDRESSES: u32 = 2;

/// Brings the proxy up, and joins it to the network of every routed app.
pub(in crate::plan) fn bring_up_proxy(plan: &mut PlanBuilder<'_>, desired: &Desired, subnets: &mut Subnets) {
    let Some(proxy) = &desired.proxy else { return };
    let (proxy, spec) = &settled(plan, proxy);
    let conflicts = plan.conflicts.len();
    check_hosts(plan, desired);
    check_things(plan);
    let mut after: Steps = give_back(plan).into_iter().collect();
    let is_anothers = is_anothers(plan, proxy, spec);
    if !plan.now.images.unavailable.contains_key(&proxy.image) {
        after.extend(things(plan, subnets));
    }
    let (workload, set_up) = (workload(proxy), proxy::set_up(proxy));
    let up = bring_up_shared(plan, desired, &workload, spec.clone(), is_anothers, set_up, &after);
    if let (Availability::After(steps), true) = (up, plan.conflicts.len() == conflicts) {
        let steps = forget_routes(plan, &steps);
        join_networks(plan, desired, &steps);
        plan.proxy = Availability::After(steps);
    }
}

/// The proxy with its spec. One that runs stays as it is where it differs in HTTP/3 alone and the config does not ask for that.
fn settled(plan: &mut PlanBuilder<'_>, proxy: &Proxy) -> (Proxy, Spec) {
    let wanted = (proxy.clone(), proxy::spec(proxy));
    let Some(seen) = plan.seen(&proxy_name()) else { return wanted };
    let has = if seen.udp_ports.contains(&proxy.https_port) { Http3::On } else { Http3::Off };
    let spec = seen.spec.clone();
    let differs_in_http3_alone = [Http3::Usual, Http3::On, Http3::Off]
        .into_iter()
        .any(|http3| proxy::spec(&Proxy { http3, ..proxy.clone() }) == spec);
    let is_kept = Fact::Proxy { spec: spec.clone(), image: proxy.image.clone() }.holds(&plan.now);
    let is_asked_otherwise = proxy.http3 != Http3::Usual && proxy.http3 != has;
    if !differs_in_http3_alone || !is_kept || is_asked_otherwise {
        return wanted;
    }
    if proxy.http3 == Http3::Usual && has == Http3::Off && !spec.has_part("http3") {
        plan.plan.notes.push(Note::NoHttp3);
    }
    (Proxy { http3: has, ..proxy.clone() }, spec)
}

/// The proxy as a workload: one container, on a network of its own.
fn workload(proxy: &Proxy) -> Workload {
    Workload {
        owner: owner(),
        kind: Kind::Proxy,
        base_name: PROXY.to_owned(),
        naming: Naming::Plain,
        replicas: 1,
        image: proxy.image.clone(),
        attachments: vec![Attachment { network: network(), aliases: Vec::new() }],
        runtime: proxy::runtime(proxy),
        image_mounts: Vec::new(),
        needs: Vec::new(),
        ready: Ready::StaysUp,
        release: None,
        strategy: Strategy::Recreate(None),
        keeps_previous: false,
    }
}

/// Makes the proxy's network and volumes.
fn things(plan: &mut PlanBuilder<'_>, subnets: &mut Subnets) -> Steps {
    let mut steps = Steps::new();
    let network = network();
    if !plan.now.networks.contains_key(&network) {
        let labels = plan.shared_labels(Kind::Network, &owner(), network.as_str());
        let Some(op) = new_network(plan, subnets, &network, ADDRESSES, labels) else { return steps };
        steps.extend(plan.sequence(&owner(), &[]).step(op, &Reason::Missing));
    }
    for volume in proxy::volumes() {
        let labels = plan.shared_labels(Kind::Volume, &owner(), volume.as_str());
        let op = Op::CreateVolume { name: volume, labels };
        steps.extend(plan.sequence(&owner(), &[]).step(op, &Reason::Missing));
    }
    steps
}
