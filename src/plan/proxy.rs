//! The proxy that all projects of a host share: made once, joined to the networks of routed apps, given each project's
//! routes, removed with the last project. Does not know how an app is brought up.

use super::Blocked;
use super::BlockedBy;
use super::Change;
use super::Claimant;
use super::Conflict;
use super::NewStep;
use super::Reason;
use super::Risk;
use super::RouteChanges;
use super::StepId;
use super::Told;
use super::builder::Availability;
use super::builder::PlanBuilder;
use super::builder::Sequence;
use super::builder::Steps;
use super::containers::SETTLES;
use super::containers::address;
use super::containers::is_unproved;
use super::containers::keep_up;
use super::containers::probation;
use super::containers::restarts;
use super::containers::stay_down;
use super::containers::stop_restarting;
use super::containers::unpause;
use super::resources::new_network;
use crate::desired;
use crate::desired::Desired;
use crate::desired::Proxy;
use crate::desired::Ready;
use crate::desired::Route;
use crate::desired::Workload;
use crate::docker;
use crate::docker::Await;
use crate::docker::Claim;
use crate::docker::Fact;
use crate::docker::Fragment;
use crate::docker::Kind;
use crate::docker::Labels;
use crate::docker::Launch;
use crate::docker::Membership;
use crate::docker::Op;
use crate::docker::Release;
use crate::docker::SeenContainer;
use crate::docker::Spec;
use crate::docker::State;
use crate::name::Container;
use crate::name::Domain;
use crate::name::Network;
use crate::name::Owner;
use crate::name::Project;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::net::Ipv4Addr;

/// How many addresses its own network needs: for it, and for the one that takes its place.
const ADDRESSES: u32 = 2;

/// Brings the proxy up, and joins it to every network of a routed app.
pub(super) fn bring_up(plan: &mut PlanBuilder<'_>) {
    let Some(proxy) = &plan.desired.proxy else { return };
    check_hosts(plan);
    if !is_ours(plan) {
        return;
    }
    let mut before: Steps = give_back(plan).into_iter().collect();
    before.extend(unpause(plan, &owner(), &name()));
    before.extend(stop_restarting(plan, &owner(), &name(), Proxy::RESTART));
    let spec = proxy.spec();
    let why = match plan.seen(&name()).cloned() {
        None => Some(if plan.has(&previous()) { Reason::LeftOver } else { Reason::Missing }),
        Some(seen) => why_replaced(plan, proxy, &spec, &seen),
    };
    if let (Some(_), Some(message)) = (&why, plan.now.images.unavailable.get(&proxy.image)) {
        let cause = BlockedBy::Image { image: proxy.image.clone(), message: message.clone() };
        plan.plan.blocked.push(Blocked { container: name(), owner: owner(), cause });
        return;
    }
    let mut steps = ensure_running(plan, proxy, spec, why, &before);
    forget_routes(plan, &mut steps);
    join_networks(plan, &steps);
    plan.proxy = Availability::After(steps);
}

/// Gives the proxy the routes of this project, or takes them from it when there are none.
pub(super) fn route(plan: &mut PlanBuilder<'_>) {
    let project = &plan.desired.project;
    let Some(proxy) = &plan.desired.proxy else {
        let has_routes = plan.now.fragments.contains_key(project);
        let woken = if has_routes { unpause(plan, &owner(), &name()) } else { Steps::new() };
        plan.unrouted = plan.sequence(&owner(), &woken).step(take_routes(project), &Reason::NoRoutes);
        return;
    };
    let Availability::After(ready) = &plan.proxy else { return };
    let (mut needs, mut after) = (ready.clone(), Steps::new());
    needs.extend(plan.joined.values());
    for route in &plan.desired.routes {
        if let Some(Availability::After(steps)) = plan.up.get(route.stem.as_str()) {
            if is_rerouted(plan, route, proxy) { &mut needs } else { &mut after }.extend(steps);
        }
    }
    let text = routes_file(plan.desired, proxy);
    let done = Fact::Fragment { project: project.clone(), text: text.clone() };
    let reason = match plan.now.fragments.get(project) {
        Some(had) => Reason::RoutesChanged(RouteChanges::between(had, &Fragment::from(text.as_str()))),
        None => Reason::Missing,
    };
    let routes = asked_routes(plan, proxy);
    let timeout = plan.desired.health_timeout;
    let mut seq = plan.sequence(&owner(), &needs).done_if([done]);
    if !routes.is_empty() {
        let op = Op::AskRoutes { project: project.clone(), routes, timeout };
        seq.add(NewStep { after: after.clone(), ..seq.draft(op, &reason) });
    }
    let op = Op::WriteFragment { project: project.clone(), text };
    let written = seq.add(NewStep { after, ..seq.draft_unless(op, &reason, []) });
    plan.unrouted = written;
}

/// The routes that are new to the proxy. Skips apps that are left out, and apps whose own check asks them already.
fn asked_routes(plan: &PlanBuilder<'_>, proxy: &Proxy) -> Vec<(String, Domain)> {
    let had = plan.now.fragments.get(&plan.desired.project);
    let answers = |workload: &&Workload| matches!(workload.ready, Ready::Answers(..));
    let answering: BTreeSet<&str> =
        plan.desired.workloads.iter().filter(answers).map(|workload| workload.stem.as_str()).collect();
    let is_asked = |route: &&Route| {
        let site = || route.site(plan.desired.tls, proxy.https_port);
        let is_new = had.is_none_or(|had| had.sites(route.hosts[0].as_str()) != Some(&site()));
        let is_asked_already = match plan.up.get(route.stem.as_str()) {
            Some(Availability::After(steps)) => !steps.is_empty() && answering.contains(route.stem.as_str()),
            Some(Availability::Blocked) | None => true,
        };
        is_new && !is_asked_already
    };
    let asked = plan.desired.routes.iter().filter(is_asked);
    asked.map(|route| (route.upstream(), route.hosts[0].clone())).collect()
}

/// Whether a host of the route is routed otherwise today. Such a host keeps its old route when its new app does not come
/// up; a host without a route has nothing to lose.
fn is_rerouted(plan: &PlanBuilder<'_>, route: &Route, proxy: &Proxy) -> bool {
    let Some(fragment) = plan.now.fragments.get(&plan.desired.project) else { return false };
    let wanted = route.site(plan.desired.tls, proxy.https_port);
    let mut sites = route.hosts.iter().filter_map(|host| fragment.sites(host.as_str()));
    sites.any(|site| site != wanted)
}

/// Whether a container beside the proxy is on a network.
pub(super) fn is_used(plan: &PlanBuilder<'_>, network: &Network) -> bool {
    let on = |(_, seen): &(&Container, &SeenContainer)| seen.memberships.contains_key(network);
    let (proxies, others): (Vec<_>, Vec<_>) =
        plan.now.containers.iter().filter(on).partition(|(_, seen)| is_proxy(seen));
    let its: BTreeSet<_> = proxies.iter().filter_map(|(_, seen)| seen.memberships[network].address).collect();
    !others.is_empty() || !plan.now.networks[network].addresses.is_subset(&its)
}

/// Whether the proxy cannot leave a network: between two restarts it cannot, and it is not stopped while another project
/// may need it.
pub(super) fn is_stuck(plan: &PlanBuilder<'_>, network: &Network) -> bool {
    let is_restarting = plan
        .seen(&name())
        .is_some_and(|seen| seen.state == State::Restarting && seen.memberships.contains_key(network));
    let is_anothers =
        |seen: &SeenContainer| seen.project.as_ref().is_some_and(|project| is_others(plan, project));
    is_restarting && plan.now.containers.values().any(is_anothers)
}

/// Takes the proxy off a network that is to be removed.
pub(super) fn leave_network(plan: &mut PlanBuilder<'_>, network: &Network, reason: &Reason) {
    let is_on = plan.seen(&name()).is_some_and(|seen| seen.memberships.contains_key(network));
    let stopped = if is_on { stop_restarting(plan, &owner(), &name(), Proxy::RESTART) } else { None };
    for container in [name(), previous()] {
        let left = plan.left_networks.get(network).into_iter().flatten();
        let needs: Steps = plan.unrouted.iter().chain(&stopped).chain(left).copied().collect();
        let op = Op::Disconnect { container, network: network.clone() };
        plan.sequence(&owner(), &needs).step(op, reason);
    }
}

/// Removes the proxy and its network when no project is left on the host.
pub(super) fn remove_unused(plan: &mut PlanBuilder<'_>) {
    if !is_unused(plan) {
        return;
    }
    for container in [name(), previous()] {
        if plan.seen(&container).is_some_and(is_proxy) {
            remove(plan, container);
        }
    }
    let network = network();
    let is_its = plan.now.networks.get(&network).is_some_and(|seen| seen.maker.is_some());
    if is_its && !is_used(plan, &network) {
        let needs = plan.left_networks.get(&network).cloned().unwrap_or_default();
        plan.sequence(&owner(), &needs).step(Op::RemoveNetwork { name: network }, &Reason::LastProject);
    }
}

/// Removes the proxy's volumes, with its certificates, when no project is left on the host.
pub(super) fn remove_unused_volumes(plan: &mut PlanBuilder<'_>) {
    if !is_unused(plan) {
        return;
    }
    for volume in Proxy::volumes() {
        let is_mounted = plan.now.containers.values().any(|seen| seen.volumes.values().any(|v| *v == volume));
        if is_mounted || plan.now.volumes.get(&volume).is_none_or(|seen| seen.maker.is_none()) {
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
    let stop = Op::stop(&container, plan.desired.stop_timeout);
    let mut seq = plan.sequence(&owner(), &needs);
    seq.add(NewStep { risk: Risk::Interrupts, ..seq.draft(stop, &Reason::LastProject) });
    seq.step(Op::remove(&container), &Reason::LastProject);
}

/// A host that another project routes stays with that one.
fn check_hosts(plan: &mut PlanBuilder<'_>) {
    let others = plan.now.fragments.iter().filter(|(project, _)| is_others(plan, project));
    let holders: BTreeMap<&str, &Project> =
        others.flat_map(|(project, fragment)| fragment.hosts().map(move |host| (host, project))).collect();
    let hosts = plan.desired.routes.iter().flat_map(|route| &route.hosts);
    let taken = hosts.filter_map(|host| {
        let project = *holders.get(host.as_str())?;
        Some(Conflict::OthersHost(host.clone(), project.clone()))
    });
    plan.conflicts.extend(taken);
}

/// Whether what has the names of the proxy's things is the proxy's, or not there.
fn is_ours(plan: &mut PlanBuilder<'_>) -> bool {
    let before = plan.conflicts.len();
    for container in [name(), previous()] {
        match plan.now.containers.get(&container) {
            Some(seen) if seen.project.is_some() => {
                let claimant = Claimant::of(seen.project.as_ref());
                plan.conflicts.push(Conflict::OthersContainer(container, claimant));
            }
            Some(seen) if !is_proxy(seen) => plan.conflicts.push(Conflict::ForeignContainer(container)),
            _ => {}
        }
    }
    let network = network();
    if let Some(seen) = plan.now.networks.get(&network).filter(|seen| seen.managed && seen.maker.is_none()) {
        let claimant = Claimant::of(seen.project.as_ref());
        plan.conflicts.push(Conflict::OthersNetwork(network, claimant));
    }
    for volume in Proxy::volumes() {
        if let Some(seen) = plan.now.volumes.get(&volume).filter(|seen| seen.managed && seen.maker.is_none())
        {
            let claimant = Claimant::of(seen.project.as_ref());
            plan.conflicts.push(Conflict::OthersVolume(volume, claimant));
        }
    }
    plan.conflicts.len() == before
}

/// Why the proxy has to be replaced, when it has to: only the project that made it may change what it is, unless that one
/// is gone.
fn why_replaced(
    plan: &mut PlanBuilder<'_>,
    proxy: &Proxy,
    spec: &Spec,
    seen: &SeenContainer,
) -> Option<Reason> {
    let maker = seen.maker.as_ref().filter(|maker| is_others(plan, maker));
    let differences = spec.differences(&seen.spec);
    let differs = |part: &str| differences.iter().any(|difference| difference.part == part);
    let changes = Change::between(seen, Told { spec, image: &proxy.image, env: &[], env_files: &[] });
    if let Some(maker) = maker {
        let differs = match (differs("image"), differs("port")) {
            (true, true) => Some("image and ports"),
            (true, false) => Some("image"),
            (false, true) => Some("ports"),
            (false, false) => None,
        };
        if let Some(differs) = differs {
            plan.conflicts.push(Conflict::OthersProxy { maker: maker.clone(), differs });
            return None;
        }
    } else if !changes.is_empty() {
        return Some(Reason::Changed(changes));
    } else {
        let here = plan.now.images.here.get(&proxy.image).and_then(|image| image.id.as_ref());
        if let (Some(to), Some(from)) = (here, &seen.image)
            && to != from
        {
            let (from, to) = (from.clone(), to.clone());
            return Some(Reason::ImageMoved { image: proxy.image.clone(), from, to });
        }
    }
    let gone = seen.memberships.iter().find(|(_, membership)| membership.stale);
    gone.map(|(network, _)| Reason::NetworkGone(network.clone()))
}

/// Where another project's run was cut off before it had made a new proxy, the old one gets its name back: only that
/// project may say what the new one is.
fn give_back(plan: &mut PlanBuilder<'_>) -> Option<StepId> {
    let waiting = plan.seen(&previous())?;
    if plan.has(&name()) || !waiting.maker.as_ref().is_some_and(|maker| is_others(plan, maker)) {
        return None;
    }
    plan.sequence(&owner(), &[]).step(Op::rename(&previous(), &name()), &Reason::LeftOver)
}

/// Takes the routes of projects of which nothing is left on the host: no app is behind them, and no other project could
/// route their hosts.
fn forget_routes(plan: &mut PlanBuilder<'_>, steps: &mut Steps) {
    let ours = &plan.desired.project;
    let projects = plan.now.fragments.keys();
    let gone = projects.filter(|project| *project != ours && !is_others(plan, project));
    let gone: Vec<Project> = gone.cloned().collect();
    let mut seq = plan.sequence(&owner(), steps);
    for project in gone {
        seq.step(take_routes(&project), &Reason::NoRoutes);
    }
    *steps = seq.end();
}

fn take_routes(project: &Project) -> Op {
    Op::RemoveFragment { project: project.clone() }
}

/// Whether a project is another one, of which there is something on the host.
fn is_others(plan: &PlanBuilder<'_>, project: &Project) -> bool {
    plan.others.contains(project)
}

/// Makes the proxy, puts another one in its place, or starts it; the steps after which it runs.
fn ensure_running(
    plan: &mut PlanBuilder<'_>,
    proxy: &Proxy,
    spec: Spec,
    why: Option<Reason>,
    before: &[StepId],
) -> Steps {
    let needs = [proxy_needs(plan, proxy), before.to_vec()].concat();
    let mut seq = plan.sequence(&owner(), &needs);
    if let Some(why @ Reason::NetworkGone(_)) = &why {
        // it can never start again: nothing to fall back to
        let unless = [Fact::Absent(name()), Fact::Running(name())];
        seq.step_unless(Op::remove(&name()), why, unless);
    }
    let falls_back = seq.plan.has(&previous()) || (why.is_some() && seq.plan.has(&name()));
    let undo = if falls_back { comes_back(seq.plan) } else { Vec::new() };
    let count = seq.plan.count();
    if let Some(why) = why {
        let done = Fact::Proxy { spec: spec.clone(), image: proxy.image.clone() };
        make_room(&mut seq, &done, &why);
        seq.undo = undo;
        run(&mut seq, proxy, spec, &done, why);
    } else {
        // docker would hang the published ports on another network
        connect(&mut seq, network(), Reason::NotAttached);
        seq.undo = undo;
        seq.step(Op::start(&name()), &Reason::NotRunning);
    }
    let is_changed = seq.plan.count() > count;
    let seen = seq.plan.seen(&name());
    let is_unproved = seen.is_some_and(|seen| is_unproved(seen, Proxy::RESTART));
    let is_kept_up = seen.is_none_or(|seen| seen.restart == Proxy::RESTART);
    if is_changed || falls_back || is_unproved {
        let replaced = falls_back.then(|| Fact::Absent(previous()));
        let kept_up = (!is_kept_up).then(|| restarts(&name(), Proxy::RESTART));
        let wait = Op::Await(Await::StaysUp { name: name(), time: SETTLES });
        seq.step_unless(wait, &Reason::Ready, replaced.into_iter().chain(kept_up));
    }
    keep_up(&mut seq, &name(), Proxy::RESTART);
    seq.undo.clear();
    seq.step(Op::remove(&previous()), &Reason::Replaced);
    seq.end()
}

/// What has to be there before the proxy is: its image, its network, its volumes.
fn proxy_needs(plan: &mut PlanBuilder<'_>, proxy: &Proxy) -> Steps {
    let mut needs: Steps = plan.images.get(&proxy.image).copied().into_iter().collect();
    let network = network();
    if !plan.now.networks.contains_key(&network) {
        let labels = shared(plan, Kind::Network, network.as_str());
        let Some(op) = new_network(plan, &network, ADDRESSES, labels) else { return needs };
        needs.extend(plan.sequence(&owner(), &[]).step(op, &Reason::Missing));
    }
    for volume in Proxy::volumes() {
        let labels = shared(plan, Kind::Volume, volume.as_str());
        let op = Op::CreateVolume { name: volume, labels };
        needs.extend(plan.sequence(&owner(), &[]).step(op, &Reason::Missing));
    }
    needs
}

/// Takes the proxy out of the way. One that another waits behind has not proved itself: that one is removed.
fn make_room(seq: &mut Sequence<'_, '_>, done: &Fact, why: &Reason) {
    seq.done = vec![done.clone()];
    stay_down(seq, &name(), Proxy::RESTART, why);
    let stop = Op::stop(&name(), seq.plan.desired.stop_timeout);
    seq.add(NewStep { risk: Risk::Interrupts, ..seq.draft(stop, why) });
    let op = match seq.plan.has(&previous()) {
        true => Op::remove(&name()),
        false => Op::rename(&name(), &previous()),
    };
    seq.step(op, &Reason::MakesRoom);
    seq.done.clear();
}

fn run(seq: &mut Sequence<'_, '_>, proxy: &Proxy, spec: Spec, done: &Fact, why: Reason) {
    let network = network();
    let address = address(seq.plan, &network);
    let mut runtime = proxy.runtime();
    runtime.restart = probation(Proxy::RESTART).to_owned();
    expect_room(seq.plan, done.clone(), &network, address);
    let mut labels = shared(seq.plan, Kind::Proxy, docker::PROXY);
    labels.release = Some(Release { number: 1, spec, inherits: None });
    let launch = Launch {
        name: name(),
        image: proxy.image.clone(),
        labels,
        memberships: vec![Membership { network, address, aliases: Vec::new() }],
        runtime,
    };
    seq.step_unless(Op::Run(Box::new(launch)), &why, [done.clone()]);
}

/// What brings back the proxy that was there when the new one does not come up.
fn comes_back(plan: &PlanBuilder<'_>) -> Vec<Op> {
    vec![
        Op::stop(&name(), plan.desired.stop_timeout),
        Op::remove(&name()),
        Op::rename(&previous(), &name()),
        Op::start(&name()),
        Op::update(&name(), Proxy::RESTART),
    ]
}

/// Connects the proxy to the networks of this project's routed apps, and, since it may be new, to those of other projects.
fn join_networks(plan: &mut PlanBuilder<'_>, ready: &[StepId]) {
    let mut wanted: BTreeSet<Network> =
        plan.desired.routes.iter().flat_map(|route| route.networks.iter().cloned()).collect();
    for (project, fragment) in &plan.now.fragments {
        let of_project = fragment.networks().iter().filter(|network| {
            let seen = plan.now.networks.get(*network);
            *project != plan.desired.project
                && seen.is_some_and(|seen| seen.project.as_ref().is_none_or(|owner| owner == project))
        });
        wanted.extend(of_project.cloned());
    }
    for network in wanted {
        let needs: Steps = ready.iter().chain(plan.networks.get(&network)).copied().collect();
        let mut seq = plan.sequence(&owner(), &needs);
        if let Some(joined) = connect(&mut seq, network.clone(), Reason::LeadsThere) {
            plan.joined.insert(network, joined);
        }
    }
}

fn connect(seq: &mut Sequence<'_, '_>, network: Network, why: Reason) -> Option<StepId> {
    let on = Fact::Attached { container: name(), network: network.clone(), aliases: None };
    if on.holds(&seq.plan.now) {
        return None;
    }
    let address = address(seq.plan, &network);
    expect_room(seq.plan, on.clone(), &network, address);
    let membership = Membership { network, address, aliases: Vec::new() };
    seq.step_unless(Op::Connect { container: name(), membership }, &why, [on])
}

fn expect_room(plan: &mut PlanBuilder<'_>, done: Fact, network: &Network, address: Option<Ipv4Addr>) {
    let subnet = plan.now.networks.get(network).and_then(|seen| seen.subnet);
    if let (Some(address), Some(subnet)) = (address, subnet) {
        let room = Fact::Room { network: network.clone(), subnet, address };
        plan.expect(vec![done, room], format!("network {network} has no room for the proxy at {address}"));
    }
}

fn shared(plan: &PlanBuilder<'_>, kind: Kind, name: &str) -> Labels {
    let claim = Claim::Shared(plan.desired.project.clone());
    Labels { claim, kind, owner: owner(), name: name.to_owned(), release: None }
}

/// What the proxy has of a project when all that is `desired` is there.
pub(super) fn routes_file(desired: &Desired, proxy: &Proxy) -> String {
    desired::fragment(&desired.project, &desired.routes, desired.tls, proxy.https_port)
}

/// Whether a container is gordon's proxy.
pub(super) fn is_proxy(seen: &SeenContainer) -> bool {
    seen.maker.is_some() && seen.kind == Some(Kind::Proxy)
}

pub(super) fn name() -> Container {
    Container::parse(docker::PROXY).expect("it is the name of a container")
}

fn previous() -> Container {
    Container::parse(docker::PREVIOUS).expect("it is the name of a container")
}

fn network() -> Network {
    Network::parse(docker::NETWORK).expect("it is the name of a network")
}

fn owner() -> Owner {
    Owner::parse(docker::PROXY).expect("any text is an owner")
}
