//! Statements about a host that can be asked: of what was observed, here; of a live host, by a script.

use super::Health;
use super::Observed;
use super::RoutesFile;
use super::SeenContainer;
use super::State;
use crate::name::Alias;
use crate::name::Container;
use crate::name::Image;
use crate::name::Network;
use crate::name::Project;
use crate::name::Volume;
use crate::spec::LIMITED_LOG_DRIVERS;
use crate::spec::PROXY;
use crate::spec::Spec;
use ipnet::Ipv4Net;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fmt;
use std::net::Ipv4Addr;
use std::sync::Arc;

/// A statement about a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    /// The image is on the host.
    Image(Image),
    /// The network is there.
    Network(Network),
    /// There is no such network.
    NoNetwork(Network),
    /// The network is the project's, or of no project.
    NetworkUsable(Network, Project),
    /// Of the containers that run on these networks, none but the project's own and the proxy answers to one of these names.
    NoOtherAnswers {
        /// The project.
        project: Project,
        /// The names on each network, in lower case.
        names: Names,
    },
    /// There is no such network yet, or it has this subnet and no container that runs has this address in it.
    Room {
        /// The network.
        network: Network,
        /// Its subnet.
        subnet: Ipv4Net,
        /// The address.
        address: Ipv4Addr,
    },
    /// The volume is there.
    Volume(Volume),
    /// There is no such volume.
    NoVolume(Volume),
    /// The volume is the project's, or of no project.
    VolumeUsable(Volume, Project),
    /// The container is there.
    Exists(Container),
    /// There is no such container.
    Absent(Container),
    /// The container is the project's, of this spec and of this release.
    Has {
        /// The container.
        name: Container,
        /// The project whose label it carries.
        project: Project,
        /// What it was told.
        spec: Spec,
        /// Its release.
        release: u32,
    },
    /// The container is as it should be, but for its networks; it need not run.
    Current(Arc<Current>),
    /// The proxy is as it should be; it need not run.
    Proxy {
        /// What it was told.
        spec: Spec,
        /// The reference whose present image it was made of.
        image: Image,
    },
    /// The proxy runs, and this is all that it has of the project's routes.
    Routes {
        /// The project.
        project: Project,
        /// The routes, in the proxy's words.
        text: String,
    },
    /// The proxy does not run, or has no routes of the project.
    NoRoutes(Project),
    /// The container runs, or would without anybody's help.
    Running(Container),
    /// The container runs, and is not about to be started again.
    Steady(Container),
    /// The container is paused.
    Paused(Container),
    /// The container is not paused, or is not there.
    Unpaused(Container),
    /// The container does not run, or is not there.
    Stopped(Container),
    /// The container ended, with exit status 0.
    EndedWell(Container),
    /// The container's health check says that it is healthy.
    Healthy(Container),
    /// The container has this restart policy.
    Restart {
        /// The container.
        name: Container,
        /// The policy.
        policy: String,
    },
    /// The container is in the network, and answers there to just these names where they are given.
    Attached {
        /// The container.
        container: Container,
        /// The network.
        network: Network,
        /// The names; `None`: whichever.
        aliases: Option<Vec<Alias>>,
    },
    /// The container is not in the network, or is not there.
    Detached {
        /// The container.
        container: Container,
        /// The network.
        network: Network,
    },
    /// The engine's log driver takes `max-size` and `max-file`.
    LimitsLogs,
}

/// Names that are looked up on networks, in lower case: docker's DNS ignores it.
pub type Names = BTreeMap<Network, BTreeSet<String>>;

/// What makes a container the one that is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Current {
    /// Its name.
    pub name: Container,
    /// The project whose label it carries.
    pub project: Project,
    /// What it was told.
    pub spec: Spec,
    /// The reference whose present image it was made of.
    pub image: Image,
    /// Its release, in a plan that was made from a host; `None`: whichever.
    pub release: Option<u32>,
    /// The named volumes that it mounts, with their paths inside.
    pub volumes: Vec<(Volume, String)>,
}

impl Fact {
    /// Whether it is so on the host that was observed.
    pub fn holds(&self, host: &Observed) -> bool {
        let container = |name: &Container| host.containers.get(name);
        match self {
            Self::Image(image) => host.images.here.contains_key(image),
            Self::Network(name) => host.networks.contains_key(name),
            Self::NoNetwork(name) => !host.networks.contains_key(name),
            Self::NetworkUsable(name, project) => host
                .networks
                .get(name)
                .is_some_and(|network| is_usable(network.managed, network.project.as_ref(), project)),
            Self::NoOtherAnswers { project, names } => {
                others_that_answer(host, project, names).next().is_none()
            }
            Self::Room { network, subnet, address } => host
                .networks
                .get(network)
                .is_none_or(|seen| seen.subnet == Some(*subnet) && !seen.addresses.contains(address)),
            Self::Volume(name) => host.volumes.contains_key(name),
            Self::NoVolume(name) => !host.volumes.contains_key(name),
            Self::VolumeUsable(name, project) => {
                host.volumes.get(name).is_some_and(|v| is_usable(v.managed, v.project.as_ref(), project))
            }
            Self::Exists(name) => container(name).is_some(),
            Self::Absent(name) => container(name).is_none(),
            Self::Has { name, project, spec, release } => container(name).is_some_and(|seen| {
                seen.project.as_ref() == Some(project) && seen.spec == *spec && seen.release == *release
            }),
            Self::Current(current) => container(&current.name).is_some_and(|seen| current.is(seen, host)),
            Self::Proxy { spec, image } => proxy(host).is_some_and(|seen| {
                seen.maker.is_some()
                    && seen.spec == *spec
                    && host.images.here.get(image).is_none_or(|image| image.id == seen.image)
            }),
            Self::Routes { project, text } => routes_file(host, project) == Some(text.as_str()),
            Self::NoRoutes(project) => routes_file(host, project).is_none(),
            Self::Running(name) => container(name).is_some_and(|seen| seen.state.is_up()),
            Self::Steady(name) => container(name).is_some_and(|seen| seen.state == State::Running),
            Self::Paused(name) => container(name).is_some_and(|seen| seen.state == State::Paused),
            Self::Unpaused(name) => container(name).is_none_or(|seen| seen.state != State::Paused),
            Self::Stopped(name) => container(name).is_none_or(|seen| !seen.state.is_up()),
            Self::EndedWell(name) => container(name).is_some_and(SeenContainer::ended_well),
            Self::Healthy(name) => container(name)
                .is_some_and(|seen| seen.state == State::Running && seen.health == Health::Healthy),
            Self::Restart { name, policy } => container(name).is_some_and(|seen| seen.restart == *policy),
            Self::Attached { container: name, network, aliases } => container(name)
                .and_then(|seen| seen.memberships.get(network))
                .is_some_and(|seen| aliases.as_ref().is_none_or(|wanted| same(wanted, &seen.aliases))),
            Self::Detached { container: name, network } => {
                container(name).is_none_or(|seen| !seen.memberships.contains_key(network))
            }
            Self::LimitsLogs => {
                host.log_driver.as_deref().is_none_or(|driver| LIMITED_LOG_DRIVERS.contains(&driver))
            }
        }
    }
}

impl fmt::Display for Fact {
    /// The statement in a few words.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Image(image) => write!(f, "image {image}"),
            Self::Network(name) => write!(f, "network {name}"),
            Self::NoNetwork(name) => write!(f, "no network {name}"),
            Self::NetworkUsable(name, project) => write!(f, "network {name} usable by {project}"),
            Self::NoOtherAnswers { project, .. } => write!(f, "no others answer to names of {project}"),
            Self::Room { network, address, .. } => write!(f, "{address} free on {network}"),
            Self::Volume(name) => write!(f, "volume {name}"),
            Self::NoVolume(name) => write!(f, "no volume {name}"),
            Self::VolumeUsable(name, project) => write!(f, "volume {name} usable by {project}"),
            Self::Exists(name) => write!(f, "{name} there"),
            Self::Absent(name) => write!(f, "no {name}"),
            Self::Has { name, release, .. } => write!(f, "{name} is release {release} as seen"),
            Self::Current(current) => match current.release {
                Some(release) => write!(f, "{} is release {release} as wanted", current.name),
                None => write!(f, "{} as wanted", current.name),
            },
            Self::Proxy { .. } => write!(f, "{PROXY} as wanted"),
            Self::Routes { project, .. } => write!(f, "routes of {project} as wanted"),
            Self::NoRoutes(project) => write!(f, "no routes of {project}"),
            Self::Running(name) => write!(f, "{name} runs"),
            Self::Steady(name) => write!(f, "{name} runs steadily"),
            Self::Paused(name) => write!(f, "{name} paused"),
            Self::Unpaused(name) => write!(f, "{name} not paused"),
            Self::Stopped(name) => write!(f, "{name} stopped"),
            Self::EndedWell(name) => write!(f, "{name} ended well"),
            Self::Healthy(name) => write!(f, "{name} healthy"),
            Self::Restart { name, policy } => write!(f, "{name} restarts {policy}"),
            Self::Attached { container, network, aliases: None } => write!(f, "{container} on {network}"),
            Self::Attached { container, network, aliases: Some(aliases) } => {
                let aliases: Vec<&str> = aliases.iter().map(Alias::as_str).collect();
                let names = if aliases.is_empty() { "no alias".to_owned() } else { aliases.join(" ") };
                write!(f, "{container} on {network} as {names}")
            }
            Self::Detached { container, network } => write!(f, "{container} not on {network}"),
            Self::LimitsLogs => write!(f, "logs can be limited"),
        }
    }
}

impl Current {
    /// The specs that its label may have. An older gordon watched no files, so its labels lack them.
    pub fn specs(&self) -> Vec<Spec> {
        [self.spec.clone()].into_iter().chain(self.spec.without_files()).collect()
    }

    fn is(&self, seen: &SeenContainer, host: &Observed) -> bool {
        seen.project.as_ref() == Some(&self.project)
            && self.specs().contains(&seen.spec)
            && self.release.is_none_or(|release| release == seen.release)
            && host.images.here.get(&self.image).is_none_or(|image| image.id == seen.image)
            && self.volumes.iter().all(|(volume, path)| seen.volumes.get(path) == Some(volume))
    }
}

fn proxy(host: &Observed) -> Option<&SeenContainer> {
    host.containers.get(PROXY)
}

/// The containers that run and are neither the project's nor the proxy.
pub fn others<'a>(
    host: &'a Observed,
    project: &'a Project,
) -> impl Iterator<Item = (&'a Container, &'a SeenContainer)> {
    let is_other = move |seen: &SeenContainer| {
        seen.state.is_up() && !seen.is_proxy() && seen.project.as_ref() != Some(project)
    };
    host.containers.iter().filter(move |(_, seen)| is_other(seen))
}

/// Those of the [`others`] that answer on a network to some of `names`; with the network and these.
pub fn others_that_answer<'a>(
    host: &'a Observed,
    project: &'a Project,
    names: &'a Names,
) -> impl Iterator<Item = (&'a Container, &'a Network, BTreeSet<String>)> {
    let places = others(host, project).flat_map(|(container, seen)| {
        seen.memberships.iter().map(move |(network, membership)| (container, network, membership))
    });
    places.filter_map(move |(container, network, membership)| {
        let names = names.get(network)?;
        let known = membership.aliases.iter().chain(&membership.dns_names).map(Alias::as_str);
        let known = known.chain([container.as_str()]).map(str::to_lowercase);
        let common: BTreeSet<String> = known.filter(|name| names.contains(name)).collect();
        (!common.is_empty()).then_some((container, network, common))
    })
}

/// What the proxy that runs has of a project.
fn routes_file<'a>(host: &'a Observed, project: &Project) -> Option<&'a str> {
    proxy(host).filter(|seen| seen.state == State::Running)?;
    host.routes_files.get(project).map(RoutesFile::as_str)
}

/// What carries another project's label is never used; what carries none is.
fn is_usable(managed: bool, owner: Option<&Project>, project: &Project) -> bool {
    match owner {
        Some(owner) => owner == project,
        None => !managed,
    }
}

fn same(wanted: &[Alias], seen: &BTreeSet<Alias>) -> bool {
    wanted.iter().collect::<BTreeSet<_>>() == seen.iter().collect()
}
