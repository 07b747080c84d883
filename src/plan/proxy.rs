//! The proxy that all projects of a host share: made once, joined to the networks of routed apps, given each project's
//! routes, removed with the last project. Does not know how an app is brought up.

use super::Blocked;
use super::BlockedBy;
use super::Change;
use super::Conflict;
use super::Reason;
use super::Risk;
use super::RouteChanges;
use super::StepId;
use super::Told;
use super::Volumes;
use super::addresses::lower_half;
use super::builder::Availability;
use super::builder::PlanBuilder;
use super::builder::StepBuilder;
use super::diff::whose;
use super::life::is_unproved;
use super::life::probation;
use super::life::restarts;
use super::workload::Setting;
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
use std::time::Duration;

/// How long the proxy has to run before it is given routes.
const SETTLES: Duration = Duration::from_secs(1);

/// How many addresses its own network needs: for it, and for the one that takes its place.
const ADDRESSES: u32 = 2;

impl<'a> PlanBuilder<'a> {
    /// Brings the proxy up, and onto every network that it leads to.
    pub(super) fn proxy(&mut self) {
        let Some(proxy) = &self.desired.proxy else { return };
        self.check_hosts();
        if !self.is_proxy_ours() {
            return;
        }
        let mut back: Vec<StepId> = self.proxy_is_given_back().into_iter().collect();
        back.extend(self.wake(&owner(), &name()));
        back.extend(self.stop_restarting(&owner(), &name(), Proxy::RESTART));
        let spec = proxy.spec();
        let why = match self.now.containers.get(&name()) {
            None => Some(if self.has(&previous()) { Reason::LeftOver } else { Reason::Missing }),
            Some(seen) => self.why_replaced(proxy, &spec, &seen.clone()),
        };
        if let (Some(_), Some(message)) = (&why, self.now.images.unavailable.get(&proxy.image)) {
            let cause = BlockedBy::Image { image: proxy.image.clone(), message: message.clone() };
            self.plan.blocked.push(Blocked { container: name(), owner: owner(), cause });
            return;
        }
        let mut steps = self.proxy_is_there(proxy, spec, why, back);
        self.forget_routes(&mut steps);
        self.proxy_joins(&steps);
        self.proxy = Availability::After(steps);
    }

    /// Gives the proxy the routes of this project, or takes them from it when there are none.
    pub(super) fn routes(&mut self) {
        let project = &self.desired.project;
        if let Some(proxy) = &self.desired.proxy {
            let Availability::After(ready) = &self.proxy else { return };
            let text = fragment(self.desired, proxy);
            let reason = match self.now.fragments.get(project) {
                Some(had) => {
                    Reason::RoutesChanged(RouteChanges::between(had, &Fragment::from(text.as_str())))
                }
                None => Reason::Missing,
            };
            let (mut needs, mut after) = (ready.clone(), Vec::new());
            needs.extend(self.joined.values());
            for route in &self.desired.routes {
                if let Some(Availability::After(steps)) = self.up.get(route.stem.as_str()) {
                    if self.leads_elsewhere(route, proxy) { &mut needs } else { &mut after }.extend(steps);
                }
            }
            let asked = self.asked_routes(proxy);
            if !asked.is_empty() {
                let (project, timeout) = (project.clone(), self.desired.health_timeout);
                let op = Op::AskRoutes { project: project.clone(), routes: asked, timeout };
                let done = Fact::Fragment { project, text: text.clone() };
                let step =
                    StepBuilder::new(op, &owner(), reason.clone()).unless([done]).needs(&needs).after(&after);
                needs.extend(self.add(step));
            }
            let op = Op::WriteFragment { project: project.clone(), text: text.clone() };
            let done = Fact::Fragment { project: project.clone(), text };
            let step = StepBuilder::new(op, &owner(), reason).unless([done]).needs(&needs).after(&after);
            self.unrouted = self.add(step);
        } else {
            let has_routes = self.now.fragments.contains_key(project);
            let woken = if has_routes { self.wake(&owner(), &name()) } else { Vec::new() };
            self.unrouted = self.take_routes(&woken);
        }
    }

    /// The routes that the proxy does not have yet, without those whose app is asked already before it serves, or left out.
    fn asked_routes(&self, proxy: &Proxy) -> Vec<(String, Domain)> {
        let had = self.now.fragments.get(&self.desired.project);
        let answers = |workload: &&Workload| matches!(workload.ready, Ready::Answers(..));
        let answering: BTreeSet<&str> =
            self.desired.workloads.iter().filter(answers).map(|workload| workload.stem.as_str()).collect();
        let is_asked = |route: &&Route| {
            let site = route.site(self.desired.tls, proxy.https_port);
            let is_new = had.is_none_or(|had| had.sites(route.hosts[0].as_str()) != Some(&site));
            let is_asked_already = match self.up.get(route.stem.as_str()) {
                Some(Availability::After(steps)) => {
                    !steps.is_empty() && answering.contains(route.stem.as_str())
                }
                Some(Availability::Blocked) | None => true,
            };
            is_new && !is_asked_already
        };
        let asked = self.desired.routes.iter().filter(is_asked);
        asked.map(|route| (route.upstream(), route.hosts[0].clone())).collect()
    }

    /// Whether the proxy leads a host of the route to somebody else, or in another way, who should not lose it to an app that
    /// does not come up. A host that leads to nobody yet has nothing to lose, and neither have the other hosts of a project
    /// one of whose apps fails.
    fn leads_elsewhere(&self, route: &Route, proxy: &Proxy) -> bool {
        let Some(fragment) = self.now.fragments.get(&self.desired.project) else { return false };
        let wanted = route.site(self.desired.tls, proxy.https_port);
        let mut sites = route.hosts.iter().filter_map(|host| fragment.sites(host.as_str()));
        sites.any(|site| site != wanted)
    }

    /// Whether somebody beside the proxy is on a network.
    pub(super) fn is_used(&self, network: &Network) -> bool {
        let on = |(_, seen): &(&Container, &SeenContainer)| seen.memberships.contains_key(network);
        let (proxies, others): (Vec<_>, Vec<_>) =
            self.now.containers.iter().filter(on).partition(|(_, seen)| is_proxy(seen));
        let its: BTreeSet<_> =
            proxies.iter().filter_map(|(_, seen)| seen.memberships[network].address).collect();
        !others.is_empty() || !self.now.networks[network].addresses.is_subset(&its)
    }

    /// Whether the proxy cannot leave a network: between two restarts it cannot, and it is not stopped while another project
    /// may need it.
    pub(super) fn proxy_is_stuck(&self, network: &Network) -> bool {
        let seen = self.now.containers.get(&name());
        let is_restarting = seen
            .is_some_and(|seen| seen.state == State::Restarting && seen.memberships.contains_key(network));
        let is_anothers =
            |seen: &SeenContainer| seen.project.as_ref().is_some_and(|project| self.is_others(project));
        is_restarting && self.now.containers.values().any(is_anothers)
    }

    /// Takes the routes of this project from the proxy.
    fn take_routes(&mut self, needs: &[StepId]) -> Option<StepId> {
        let project = &self.desired.project;
        let op = Op::RemoveFragment { project: project.clone() };
        let step = StepBuilder::new(op, &owner(), Reason::NoRoutes)
            .unless([Fact::NoFragment(project.clone())])
            .needs(needs)
            .risk(Risk::Removes);
        self.add(step)
    }

    /// Takes the proxy off a network that is to be removed.
    pub(super) fn proxy_leaves(&mut self, network: &Network, reason: &Reason) {
        let is_on = |seen: &SeenContainer| seen.memberships.contains_key(network);
        let stopped = match self.now.containers.get(&name()).is_some_and(is_on) {
            true => self.stop_restarting(&owner(), &name(), Proxy::RESTART),
            false => None,
        };
        for container in [name(), previous()] {
            let done = Fact::Detached { container: container.clone(), network: network.clone() };
            let op = Op::Disconnect { container, network: network.clone() };
            let step = StepBuilder::new(op, &owner(), reason.clone())
                .unless([done])
                .needs(self.unrouted.iter().chain(&stopped))
                .needs(self.left_networks.get(network).into_iter().flatten());
            self.add(step);
        }
    }

    /// Removes the proxy, and what belongs to it, when no project is left on the host.
    pub(super) fn leave_proxy(&mut self, volumes: Volumes) {
        if self.now.containers.values().any(|seen| seen.project.is_some()) {
            return;
        }
        for container in [name(), previous()] {
            if self.now.containers.get(&container).is_some_and(is_proxy) {
                self.remove_proxy(&container);
            }
        }
        let network = network();
        if self.now.networks.get(&network).is_some_and(|seen| seen.maker.is_some()) && !self.is_used(&network)
        {
            let needs = self.left_networks.get(&network).cloned().unwrap_or_default();
            let step =
                StepBuilder::new(Op::RemoveNetwork { name: network.clone() }, &owner(), Reason::LastProject)
                    .unless([Fact::NoNetwork(network)])
                    .needs(&needs)
                    .risk(Risk::Removes);
            self.add(step);
        }
        if volumes == Volumes::Keep {
            return;
        }
        for volume in Proxy::volumes() {
            let is_mounted =
                self.now.containers.values().any(|seen| seen.volumes.values().any(|v| *v == volume));
            if is_mounted || self.now.volumes.get(&volume).is_none_or(|seen| seen.maker.is_none()) {
                continue;
            }
            let needs = self.freed_volumes.get(&volume).cloned().unwrap_or_default();
            let step =
                StepBuilder::new(Op::RemoveVolume { name: volume.clone() }, &owner(), Reason::LastProject)
                    .unless([Fact::NoVolume(volume)])
                    .needs(&needs)
                    .risk(Risk::Removes);
            self.add(step);
        }
    }

    fn remove_proxy(&mut self, container: &Container) {
        let stop = Op::Stop { name: container.clone(), timeout: self.desired.stop_timeout };
        let mut needs: Vec<StepId> = self.unrouted.into_iter().collect();
        let left = self.plan.steps().iter().filter(|step| matches!(step.op, Op::Disconnect { .. }));
        needs.extend(left.map(|step| step.id));
        let step = StepBuilder::new(stop, &owner(), Reason::LastProject)
            .unless([Fact::Stopped(container.clone())])
            .needs(&needs)
            .risk(Risk::Interrupts);
        needs.extend(self.add(step));
        let step = StepBuilder::new(Op::Remove { name: container.clone() }, &owner(), Reason::LastProject)
            .unless([Fact::Absent(container.clone())])
            .needs(&needs)
            .risk(Risk::Removes);
        self.add(step);
    }

    /// A host that another project routes stays with that one.
    fn check_hosts(&mut self) {
        let others = self.now.fragments.iter().filter(|(project, _)| self.is_others(project));
        let holders: BTreeMap<&str, &Project> = others
            .flat_map(|(project, fragment)| fragment.hosts().map(move |host| (host, project)))
            .collect();
        let hosts = self.desired.routes.iter().flat_map(|route| &route.hosts);
        let taken = hosts.filter_map(|host| {
            let project = *holders.get(host.as_str())?;
            Some(Conflict::OthersHost(host.clone(), project.clone()))
        });
        self.conflicts.extend(taken);
    }

    /// Whether what has the names of the proxy's things is the proxy's, or not there.
    fn is_proxy_ours(&mut self) -> bool {
        let before = self.conflicts.len();
        for container in [name(), previous()] {
            match self.now.containers.get(&container) {
                Some(seen) if seen.project.is_some() => {
                    self.conflicts.push(Conflict::OthersContainer(container, whose(seen.project.as_ref())));
                }
                Some(seen) if !is_proxy(seen) => self.conflicts.push(Conflict::ForeignContainer(container)),
                _ => {}
            }
        }
        let network = network();
        if let Some(seen) =
            self.now.networks.get(&network).filter(|seen| seen.managed && seen.maker.is_none())
        {
            self.conflicts.push(Conflict::OthersNetwork(network, whose(seen.project.as_ref())));
        }
        for volume in Proxy::volumes() {
            if let Some(seen) =
                self.now.volumes.get(&volume).filter(|seen| seen.managed && seen.maker.is_none())
            {
                self.conflicts.push(Conflict::OthersVolume(volume, whose(seen.project.as_ref())));
            }
        }
        self.conflicts.len() == before
    }

    /// Why the proxy has to be replaced, when it has to: only the project that made it may change what it is, unless
    /// that one is gone.
    fn why_replaced(&mut self, proxy: &Proxy, spec: &Spec, seen: &SeenContainer) -> Option<Reason> {
        let maker = seen.maker.as_ref().filter(|maker| self.is_others(maker));
        let differences = spec.differences(&seen.spec);
        let differs = |part: &str| differences.iter().any(|difference| difference.part == part);
        let told = Told { spec, image: &proxy.image, env: &[], env_files: &[] };
        let changes = Change::between(seen, told);
        if let Some(maker) = maker {
            let differs = match (differs("image"), differs("port")) {
                (true, true) => Some("image and ports"),
                (true, false) => Some("image"),
                (false, true) => Some("ports"),
                (false, false) => None,
            };
            if let Some(differs) = differs {
                self.conflicts.push(Conflict::OthersProxy { maker: maker.clone(), differs });
                return None;
            }
        } else if !changes.is_empty() {
            return Some(Reason::Changed(changes));
        } else {
            let here = self.now.images.here.get(&proxy.image).and_then(|image| image.id.as_ref());
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

    /// Where another project was cut off before it had made a new proxy, the old one gets its name back: what the new one
    /// is to be is for that project to say.
    fn proxy_is_given_back(&mut self) -> Option<StepId> {
        let waiting = self.now.containers.get(&previous())?;
        if self.has(&name()) || !waiting.maker.as_ref().is_some_and(|maker| self.is_others(maker)) {
            return None;
        }
        let op = Op::Rename { from: previous(), to: name() };
        self.add(StepBuilder::new(op, &owner(), Reason::LeftOver).unless([Fact::Absent(previous())]))
    }

    /// Takes the routes of projects of which nothing is left on the host: they led to nobody, and would keep their hosts
    /// from others.
    fn forget_routes(&mut self, steps: &mut Vec<StepId>) {
        let ours = &self.desired.project;
        let projects = self.now.fragments.keys();
        let gone = projects.filter(|project| *project != ours && !self.is_others(project));
        for project in gone.cloned().collect::<Vec<_>>() {
            let op = Op::RemoveFragment { project: project.clone() };
            let step = StepBuilder::new(op, &owner(), Reason::NoRoutes)
                .unless([Fact::NoFragment(project)])
                .needs(&*steps)
                .risk(Risk::Removes);
            steps.extend(self.add(step));
        }
    }

    /// Whether a project is another one, of which there is something on the host.
    fn is_others(&self, project: &Project) -> bool {
        self.others.contains(project)
    }

    /// Makes the proxy, puts another one in its place, or starts it; the steps after which it runs.
    fn proxy_is_there(
        &mut self,
        proxy: &Proxy,
        spec: Spec,
        why: Option<Reason>,
        back: Vec<StepId>,
    ) -> Vec<StepId> {
        let mut needs = self.proxy_needs(proxy);
        needs.extend(back);
        if let Some(why @ Reason::NetworkGone(_)) = &why {
            // it can never start again: nothing to fall back to
            let step = StepBuilder::new(Op::Remove { name: name() }, &owner(), why.clone())
                .unless([Fact::Absent(name()), Fact::Running(name())])
                .risk(Risk::Removes);
            needs.extend(self.add(step));
        }
        let falls_back = self.has(&previous()) || (why.is_some() && self.has(&name()));
        let undo = if falls_back { self.proxy_comes_back() } else { Vec::new() };
        let from = self.plan.steps().len();
        if let Some(why) = why {
            let done = Fact::Proxy { spec: spec.clone(), image: proxy.image.clone() };
            needs = self.proxy_makes_room(&done, &why, &needs);
            needs.extend(self.run_proxy(proxy, spec, &done, why, &needs, &undo));
        } else {
            // docker would hang the published ports on another network
            let own = Membership { network: network(), address: None, aliases: Vec::new() };
            needs.extend(self.connect_proxy(own, Reason::NotAttached, &needs));
            let step = StepBuilder::new(Op::Start { name: name() }, &owner(), Reason::NotRunning)
                .unless([Fact::Running(name())])
                .needs(&needs)
                .undo(&undo);
            needs.extend(self.add(step));
        }
        let seen = self.now.containers.get(&name());
        let is_unproved = seen.is_some_and(|seen| is_unproved(seen, Proxy::RESTART));
        let is_kept_up = seen.is_none_or(|seen| seen.restart == Proxy::RESTART);
        if self.plan.steps().len() > from || falls_back || is_unproved {
            let mut unless: Vec<Fact> = falls_back.then(|| Fact::Absent(previous())).into_iter().collect();
            if !is_kept_up {
                unless.push(restarts(&name(), Proxy::RESTART));
            }
            let wait = Op::Await(Await::StaysUp { name: name(), time: SETTLES });
            let step =
                StepBuilder::new(wait, &owner(), Reason::Ready).unless(unless).needs(&needs).undo(&undo);
            needs.extend(self.add(step));
        }
        let setting = Setting { undo, ..Setting::new(Reason::Ready, &needs) };
        needs.extend(self.keep_up(&owner(), &name(), Proxy::RESTART, &setting));
        let step = StepBuilder::new(Op::Remove { name: previous() }, &owner(), Reason::Replaced)
            .unless([Fact::Absent(previous())])
            .needs(&needs)
            .risk(Risk::Removes);
        needs.extend(self.add(step));
        needs
    }

    /// What has to be there before the proxy is: its image, its network, its volumes.
    fn proxy_needs(&mut self, proxy: &Proxy) -> Vec<StepId> {
        let mut needs: Vec<StepId> = self.images.get(&proxy.image).copied().into_iter().collect();
        let network = network();
        if !self.now.networks.contains_key(&network) {
            let Some(subnet) = self.addresses.subnet(&network, ADDRESSES) else {
                let (pool, free) = (self.desired.address_pool, self.addresses.free_range());
                self.conflicts.push(Conflict::PoolFull { network, pool, free });
                return needs;
            };
            let (range, labels) = (lower_half(subnet), self.shared(Kind::Network, network.as_str()));
            let op = Op::CreateNetwork { name: network.clone(), subnet, range, labels };
            let step = StepBuilder::new(op, &owner(), Reason::Missing).unless([Fact::Network(network)]);
            needs.extend(self.add(step));
        }
        for volume in Proxy::volumes() {
            let op =
                Op::CreateVolume { name: volume.clone(), labels: self.shared(Kind::Volume, volume.as_str()) };
            let step = StepBuilder::new(op, &owner(), Reason::Missing).unless([Fact::Volume(volume)]);
            needs.extend(self.add(step));
        }
        needs
    }

    /// Takes the proxy out of the way. One that another waits behind has not proved itself: that one is removed.
    fn proxy_makes_room(&mut self, done: &Fact, why: &Reason, needs: &[StepId]) -> Vec<StepId> {
        let mut needs = needs.to_vec();
        let setting = Setting { done: vec![done.clone()], ..Setting::new(why.clone(), &needs) };
        if self.has(&name()) {
            needs.extend(self.leave_down(&owner(), &name(), Proxy::RESTART, &setting));
        }
        let stop = Op::Stop { name: name(), timeout: self.desired.stop_timeout };
        let step = StepBuilder::new(stop, &owner(), why.clone())
            .unless([done.clone(), Fact::Stopped(name())])
            .needs(&needs)
            .risk(Risk::Interrupts);
        needs.extend(self.add(step));
        let op = match self.has(&previous()) {
            true => Op::Remove { name: name() },
            false => Op::Rename { from: name(), to: previous() },
        };
        let step = StepBuilder::new(op, &owner(), Reason::MakesRoom)
            .unless([done.clone(), Fact::Absent(name())])
            .needs(&needs);
        needs.extend(self.add(step));
        needs
    }

    fn run_proxy(
        &mut self,
        proxy: &Proxy,
        spec: Spec,
        done: &Fact,
        why: Reason,
        needs: &[StepId],
        undo: &[Op],
    ) -> Option<StepId> {
        let network = network();
        let address = self.address(&network);
        let mut runtime = proxy.runtime();
        runtime.restart = probation(Proxy::RESTART).to_owned();
        self.expect_room(done.clone(), &network, address);
        let mut labels = self.shared(Kind::Proxy, docker::PROXY);
        labels.release = Some(Release { number: 1, spec, inherits: None });
        let launch = Launch {
            name: name(),
            image: proxy.image.clone(),
            labels,
            memberships: vec![Membership { network, address, aliases: Vec::new() }],
            runtime,
        };
        let step = StepBuilder::new(Op::Run(Box::new(launch)), &owner(), why)
            .unless([done.clone()])
            .needs(needs)
            .undo(undo);
        self.add(step)
    }

    /// What brings back the proxy that was there when the new one does not come up.
    fn proxy_comes_back(&self) -> Vec<Op> {
        vec![
            Op::Stop { name: name(), timeout: self.desired.stop_timeout },
            Op::Remove { name: name() },
            Op::Rename { from: previous(), to: name() },
            Op::Start { name: name() },
            Op::Update { name: name(), restart: Proxy::RESTART.to_owned() },
        ]
    }

    /// Connects the proxy to the networks of this project's apps, and to those that it leads to for others: it may be new.
    fn proxy_joins(&mut self, ready: &[StepId]) {
        let mut wanted: BTreeSet<Network> =
            self.desired.routes.iter().flat_map(|route| route.networks.iter().cloned()).collect();
        for (project, fragment) in &self.now.fragments {
            let of_project = fragment.networks().iter().filter(|network| {
                let seen = self.now.networks.get(*network);
                *project != self.desired.project
                    && seen.is_some_and(|seen| seen.project.as_ref().is_none_or(|owner| owner == project))
            });
            wanted.extend(of_project.cloned());
        }
        for network in wanted {
            let needs: Vec<StepId> = ready.iter().chain(self.networks.get(&network)).copied().collect();
            let membership = Membership { network: network.clone(), address: None, aliases: Vec::new() };
            if let Some(joined) = self.connect_proxy(membership, Reason::LeadsThere, &needs) {
                self.joined.insert(network, joined);
            }
        }
    }

    /// The steps by which the proxy comes to where it leads for `workload`: before those who serve it have left where it is.
    pub(super) fn led_to(&self, workload: &Workload) -> impl Iterator<Item = &StepId> {
        workload.attachments.iter().filter_map(|attachment| self.joined.get(&attachment.network))
    }

    /// The network on which the proxy, as it runs, still leads to a workload that is to be on others.
    pub(super) fn still_led_on(&self, workload: &Workload) -> Option<Network> {
        let project = &self.desired.project;
        if Fact::NoFragment(project.clone()).holds(&self.now) {
            return None;
        }
        let network = self.now.fragments[project].leading_network(&workload.name())?;
        let is_ours = self.now.networks.get(network)?.project.as_ref() == Some(project);
        (is_ours && workload.attachments.iter().all(|a| a.network != *network)).then(|| network.clone())
    }

    fn connect_proxy(&mut self, mut membership: Membership, why: Reason, needs: &[StepId]) -> Option<StepId> {
        let network = membership.network.clone();
        let done = Fact::Attached { container: name(), network: network.clone(), aliases: None };
        if done.holds(&self.now) {
            return None;
        }
        membership.address = self.address(&network);
        self.expect_room(done.clone(), &network, membership.address);
        let op = Op::Connect { container: name(), membership };
        self.add(StepBuilder::new(op, &owner(), why).unless([done]).needs(needs))
    }

    fn expect_room(&mut self, done: Fact, network: &Network, address: Option<Ipv4Addr>) {
        let subnet = self.now.networks.get(network).and_then(|seen| seen.subnet);
        if let (Some(address), Some(subnet)) = (address, subnet) {
            let room = Fact::Room { network: network.clone(), subnet, address };
            self.expect(
                vec![done, room],
                format!("network {network} has no room for the proxy at {address}"),
            );
        }
    }

    fn has(&self, container: &Container) -> bool {
        self.now.containers.contains_key(container)
    }

    fn shared(&self, kind: Kind, name: &str) -> Labels {
        let claim = Claim::Shared(self.desired.project.clone());
        Labels { claim, kind, owner: owner(), name: name.to_owned(), release: None }
    }
}

/// What the proxy has of a project when all that is `desired` is there.
pub(super) fn fragment(desired: &Desired, proxy: &Proxy) -> String {
    desired::fragment(&desired.project, &desired.routes, desired.tls, proxy.https_port)
}

/// Whether gordon made it to lead to apps.
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
