//! What a config asks for and what a host has of it, thing by thing. Does not know what time it is.

use super::Conflict;
use super::Plan;
use super::containers::is_done;
use super::containers::is_unproved;
use super::proxy::proxy_name;
use super::proxy::routes_file;
use crate::desired::Desired;
use crate::desired::Ready;
use crate::desired::Workload;
use crate::docker::Health;
use crate::docker::Observed;
use crate::docker::RoutesFile;
use crate::docker::SeenContainer;
use crate::docker::State;
use crate::docker::proxy;
use crate::name::Container;
use crate::name::Domain;
use crate::name::EnvKey;
use crate::name::Image;
use crate::name::Owner;
use crate::name::Project;
use crate::name::Volume;
use crate::spec::Kind;
use crate::spec::Proxy;
use crate::spec::Role;
use crate::spec::Route;
use crate::spec::Tls;
use std::collections::BTreeMap;
use std::collections::BTreeSet;

/// What a project has on a host.
#[derive(Clone, Debug)]
pub struct Status<'a> {
    /// The project.
    pub project: &'a Project,
    /// Its owners: those of the config in its order, then those that only the host knows.
    pub owners: Vec<OwnerStatus<'a>>,
    /// The volumes of the project that no container mounts, each with its size if docker reported it.
    pub unmounted: BTreeMap<&'a Volume, Option<String>>,
    /// The shared proxy, if this project uses it.
    pub proxy: Option<ProxyStatus<'a>>,
    /// The plan that would bring the host to the config, or the conflicts that prevent it.
    pub drift: Result<&'a Plan, &'a [Conflict]>,
    /// Secrets that have no value here, so whether they changed is unknown.
    pub unknown_secrets: &'a BTreeSet<EnvKey>,
}

/// What a domain, a group or a project has on a host.
#[derive(Clone, Debug)]
pub struct OwnerStatus<'a> {
    /// The owner.
    pub owner: &'a Owner,
    /// What the config asks for.
    pub workloads: Vec<WorkloadStatus<'a>>,
    /// Containers of the project that the config does not ask for.
    pub orphans: Vec<Member<'a>>,
}

/// The proxy of a host, as one project sees it.
#[derive(Clone, Debug)]
pub struct ProxyStatus<'a> {
    /// The proxy that the config asks for, if it asks for one.
    pub wanted: Option<&'a Proxy>,
    /// Its container.
    pub container: Member<'a>,
    /// Where the certificates of this project's hosts come from.
    pub tls: Tls,
    /// The state of this project's routes.
    pub routes: RoutesState,
}

/// The state of a project's routes on the proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RoutesState {
    /// The proxy has none.
    Missing,
    /// They match the config.
    Current,
    /// They differ from the config.
    Outdated,
    /// The config asks for none.
    Orphan,
}

/// A workload of the config, and its containers on the host.
#[derive(Clone, Debug)]
pub struct WorkloadStatus<'a> {
    /// Its name: that of its first serving container.
    pub name: Container,
    /// An app or a service.
    pub kind: Kind,
    /// The image that the config asks for.
    pub image: &'a Image,
    /// How many containers the config asks for.
    pub wanted: u32,
    /// How many of them serve.
    pub serving: u32,
    /// The hosts that route to it.
    pub route: Option<&'a Route>,
    /// Why the proxy does not serve these hosts, if the config asks for the proxy.
    pub unserved: BTreeMap<&'a Domain, Unserved>,
    /// Its containers, including missing ones.
    pub containers: Vec<Member<'a>>,
}

/// Why the proxy does not serve a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unserved {
    /// It is missing, or does not run.
    ProxyDown,
    /// It has no route for the host.
    NoRoute,
}

/// A container, or the slot for one.
#[derive(Clone, Debug)]
pub struct Member<'a> {
    /// Its name.
    pub name: Container,
    /// Its role.
    pub place: Place,
    /// The container on the host; `None` if it is missing.
    pub seen: Option<&'a SeenContainer>,
    /// The state of its health check. `Health::None` if the config has a readiness check of its own.
    pub health: Health,
    /// Whether it has never been ready.
    pub is_unproved: bool,
    /// Whether it was meant to end, and has ended well.
    pub is_done: bool,
}

/// The role of a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// It serves.
    Serving,
    /// It serves next.
    Incoming,
    /// It served before, and was kept.
    Previous,
    /// It runs the command with which a release begins, or ran it.
    Release,
    /// The config does not ask for it.
    Orphan,
}

impl<'a> Member<'a> {
    /// `restart` is the policy of a proved container.
    fn of(name: Container, place: Place, seen: Option<&'a SeenContainer>, restart: Option<&str>) -> Self {
        let health = seen.map_or(Health::None, |seen| seen.health);
        let is_unproved = seen.zip(restart).is_some_and(|(seen, restart)| is_unproved(seen, restart));
        Self { name, place, seen, health, is_unproved, is_done: false }
    }

    /// Whether it runs, has been ready, and is not known to be unready now; or is done.
    pub fn serves(&self) -> bool {
        self.is_done
            || self.seen.is_some_and(|seen| seen.state == State::Running)
                && matches!(self.health, Health::None | Health::Healthy)
                && !self.is_unproved
    }
}

impl Status<'_> {
    /// Whether everything that the config asks for serves.
    pub fn serves(&self) -> bool {
        let mut workloads = self.owners.iter().flat_map(|owner| &owner.workloads);
        workloads.all(|workload| workload.serving == workload.wanted && workload.unserved.is_empty())
    }
}

/// What `host` has of `desired`. `drift` is what [`diff`](super::diff()) returns for both.
pub fn status<'a>(
    desired: &'a Desired,
    host: &'a Observed,
    unknown_secrets: &'a BTreeSet<EnvKey>,
    drift: Result<&'a Plan, &'a [Conflict]>,
) -> Status<'a> {
    let ours: BTreeMap<&Container, &SeenContainer> =
        host.containers.iter().filter(|(_, seen)| seen.project.as_ref() == Some(&desired.project)).collect();
    let routes: BTreeMap<&str, &Route> =
        desired.routes.iter().map(|route| (route.base_name.as_str(), route)).collect();
    let proxy = of_proxy(desired, host);
    let mut owners = Owners::default();
    let mut wanted = BTreeSet::new();
    for workload in &desired.workloads {
        let route = routes.get(workload.base_name.as_str()).copied();
        let unserved = unserved(route, &proxy, host.routes_files.get(&desired.project));
        let of_workload = of_workload(workload, &ours, route, unserved);
        wanted.extend(of_workload.containers.iter().map(|member| member.name.clone()));
        owners.of(&workload.owner).workloads.push(of_workload);
    }
    for (name, seen) in ours.iter().filter(|(name, _)| !wanted.contains(**name)) {
        let member = Member::of((*name).clone(), Place::Orphan, Some(seen), None);
        owners.of(&seen.owner).orphans.push(member);
    }
    let unmounted = unmounted(&desired.project, host);
    Status { project: &desired.project, owners: owners.list, unmounted, proxy, drift, unknown_secrets }
}

/// The volumes of a project that no container mounts.
fn unmounted<'a>(project: &Project, host: &'a Observed) -> BTreeMap<&'a Volume, Option<String>> {
    let mounted: BTreeSet<&Volume> =
        host.containers.values().flat_map(|seen| seen.volumes.values()).collect();
    let ours = host.volumes.iter().filter(|(_, seen)| seen.project.as_ref() == Some(project));
    ours.filter(|(name, _)| !mounted.contains(name)).map(|(name, _)| (name, None)).collect()
}

#[derive(Default)]
struct Owners<'a> {
    places: BTreeMap<&'a Owner, usize>,
    list: Vec<OwnerStatus<'a>>,
}

impl<'a> Owners<'a> {
    fn of(&mut self, owner: &'a Owner) -> &mut OwnerStatus<'a> {
        let place = *self.places.entry(owner).or_insert(self.list.len());
        if place == self.list.len() {
            self.list.push(OwnerStatus { owner, workloads: Vec::new(), orphans: Vec::new() });
        }
        &mut self.list[place]
    }
}

fn of_workload<'a>(
    workload: &'a Workload,
    ours: &BTreeMap<&Container, &'a SeenContainer>,
    route: Option<&'a Route>,
    unserved: BTreeMap<&'a Domain, Unserved>,
) -> WorkloadStatus<'a> {
    let member = |role, place, replica| {
        let name = workload.container(role, replica);
        let seen = ours.get(&name).copied();
        let member = Member::of(name, place, seen, Some(&workload.runtime.restart));
        let member = Member { is_done: seen.is_some_and(|seen| is_done(workload, seen)), ..member };
        match workload.ready {
            Ready::Answers(..) => Member { health: Health::None, ..member },
            Ready::Healthy(_) | Ready::Listens(..) | Ready::StaysUp | Ready::Ends | Ready::Done(_) => member,
        }
    };
    let mut containers = Vec::new();
    let mut serving = 0;
    for replica in 1..=workload.replicas {
        let [current, incoming, previous] = [
            (Role::Serving, Place::Serving),
            (Role::Incoming, Place::Incoming),
            (Role::Previous, Place::Previous),
        ]
        .map(|(role, place)| member(role, place, replica));
        // between the two renames of a rollout the previous container serves
        let serves = if current.seen.is_some() { &current } else { &previous };
        serving += u32::from(serves.serves());
        containers.push(current);
        containers.extend([incoming, previous].into_iter().filter(|member| member.seen.is_some()));
    }
    if workload.release.is_some() {
        let name = workload.container(Role::Release, 1);
        let seen = ours.get(&name).copied();
        let ran = Member { health: Health::None, ..Member::of(name, Place::Release, seen, None) };
        containers.extend(seen.is_some().then_some(ran));
    }
    containers.sort_by_key(|member| member.place);
    WorkloadStatus {
        name: workload.name(),
        kind: workload.kind,
        image: &workload.image,
        wanted: workload.replicas,
        serving,
        route,
        unserved,
        containers,
    }
}

/// The hosts of a route that the proxy does not serve.
fn unserved<'a>(
    route: Option<&'a Route>,
    proxy: &Option<ProxyStatus<'_>>,
    routes_file: Option<&RoutesFile>,
) -> BTreeMap<&'a Domain, Unserved> {
    let Some(proxy) = proxy.as_ref().filter(|proxy| proxy.wanted.is_some()) else { return BTreeMap::new() };
    let why = |host: &Domain| match proxy.container.serves() {
        false => Some(Unserved::ProxyDown),
        true if routes_file.and_then(|file| file.sites(host.as_str())).is_none() => Some(Unserved::NoRoute),
        true => None,
    };
    route.into_iter().flat_map(|route| &route.hosts).filter_map(|host| Some((host, why(host)?))).collect()
}

/// The proxy, if the config asks for it or it has routes of this project.
fn of_proxy<'a>(desired: &'a Desired, host: &'a Observed) -> Option<ProxyStatus<'a>> {
    let wanted = desired.proxy.as_ref();
    let routes = match (host.routes_files.get(&desired.project), wanted) {
        (None, None) => return None,
        (None, Some(_)) => RoutesState::Missing,
        (Some(_), None) => RoutesState::Orphan,
        (Some(seen), Some(wanted)) if seen.as_str() == routes_file(desired, wanted) => RoutesState::Current,
        (Some(_), Some(_)) => RoutesState::Outdated,
    };
    let name = proxy_name();
    let seen = host.containers.get(&name).filter(|seen| seen.is_proxy());
    let container = Member::of(name, Place::Serving, seen, Some(proxy::RESTART));
    Some(ProxyStatus { wanted, container, tls: desired.tls, routes })
}
