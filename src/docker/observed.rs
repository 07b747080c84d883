//! What is on a host, as far as gordon looks. Does not know what should be there.

use super::RoutesFiles;
use crate::name::Alias;
use crate::name::Container;
use crate::name::EnvKey;
use crate::name::Image;
use crate::name::ImageId;
use crate::name::Network;
use crate::name::Owner;
use crate::name::Project;
use crate::name::Volume;
use crate::spec::HostPort;
use crate::spec::ImageFacts;
use crate::spec::Kind;
use crate::spec::Limits;
use crate::spec::Secret;
use crate::spec::Spec;
use crate::spec::Transport;
use ipnet::Ipv4Net;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::net::Ipv4Addr;
use std::time::Duration;
use std::time::SystemTime;

/// A host at one moment, or the model of one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Observed {
    /// Every container, foreign ones too. Of those, the names they answer to are known on the networks of the scope.
    pub containers: BTreeMap<Container, SeenContainer>,
    /// Every network.
    pub networks: BTreeMap<Network, SeenNetwork>,
    /// Every volume.
    pub volumes: BTreeMap<Volume, SeenVolume>,
    /// The images that were asked for.
    pub images: Images,
    /// Subnets that docker uses beside those of the networks: second subnets of networks, and subnets of networks whose
    /// names gordon cannot say.
    pub other_subnets: BTreeSet<Ipv4Net>,
    /// Routes of the machine that the engine runs on.
    pub routes: BTreeSet<Ipv4Net>,
    /// What the proxy's volume holds of each project.
    pub routes_files: RoutesFiles,
    /// How many processors the engine has; looked up only when a container is to have a share of them.
    pub processors: Option<u32>,
    /// The log driver of containers that have none of their own; looked up only when such a container is made.
    pub log_driver: Option<String>,
    /// The data that containers keep which gordon did not make; looked up only when a plan makes volumes, or mounts external ones.
    pub holdings: Vec<Holding>,
    /// What listens on the machine that the engine runs on, at ports that the config may publish.
    pub listeners: BTreeSet<Listener>,
}

/// Data that a container keeps which gordon did not make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holding {
    /// The container.
    pub container: Container,
    /// What its image was called when it was made.
    pub image: Option<Image>,
    /// The names that it answers to on its networks.
    pub aliases: BTreeSet<Alias>,
    /// Whether it runs.
    pub is_up: bool,
    /// Where it sees the data.
    pub path: String,
    /// Where the data are.
    pub place: HeldIn,
}

/// Where data are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HeldIn {
    /// In a volume.
    Volume(Volume),
    /// At a path of the host.
    Host(String),
}

/// A socket of a host that listens, docker's own included.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Listener {
    /// Its address.
    pub address: IpAddr,
    /// Its port.
    pub port: u16,
    /// Its protocol.
    pub transport: Transport,
    /// The process that has it, where that is known.
    pub process: Option<Process>,
}

/// A process of a host.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Process {
    /// Its number.
    pub id: u32,
    /// Its name.
    pub name: String,
}

impl Listener {
    /// Whether it keeps docker from binding `port`.
    pub fn blocks(&self, port: &HostPort) -> bool {
        (self.port, self.transport) == (port.port, port.transport)
            && match port.address {
                None => true,
                // whether a socket of all IPv6 addresses has those of IPv4 too cannot be seen
                Some(address) if self.address.is_ipv4() != address.is_ipv4() => false,
                Some(address) => {
                    self.address == address || self.address.is_unspecified() || address.is_unspecified()
                }
            }
    }
}

impl Observed {
    /// Whether a container, running or not, mounts the volume.
    pub fn is_mounted(&self, volume: &Volume) -> bool {
        self.containers.values().any(|seen| seen.volumes.values().any(|mounted| mounted == volume))
    }
}

/// The images of a host, of those that a config names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Images {
    /// Those on the host.
    pub here: BTreeMap<Image, SeenImage>,
    /// Those that could not be had, with docker's words.
    pub unavailable: BTreeMap<Image, String>,
    /// All that the host's images are called; looked up only when one that was asked for is missing.
    pub references: BTreeSet<Image>,
}

impl Images {
    /// What those on the host declare.
    pub fn facts(&self) -> BTreeMap<Image, ImageFacts> {
        self.here.iter().map(|(image, seen)| (image.clone(), seen.facts.clone())).collect()
    }
}

/// An image on a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenImage {
    /// Its id; `None` in a model, for an image that has yet to be pulled.
    pub id: Option<ImageId>,
    /// What it declares.
    pub facts: ImageFacts,
}

/// A network on a host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SeenNetwork {
    /// The project whose label it carries.
    pub project: Option<Project>,
    /// The project that made it for all.
    pub maker: Option<Project>,
    /// Whether gordon made it, for whatever project.
    pub managed: bool,
    /// Its IPv4 subnet.
    pub subnet: Option<Ipv4Net>,
    /// The addresses of all containers that run on it.
    pub addresses: BTreeSet<Ipv4Addr>,
}

/// A volume on a host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SeenVolume {
    /// The project whose label it carries.
    pub project: Option<Project>,
    /// The project that made it for all.
    pub maker: Option<Project>,
    /// Whether gordon made it, for whatever project.
    pub managed: bool,
}

/// A container on a host. Of one that gordon did not make, little more is known than its state and its networks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenContainer {
    /// The project whose label it carries.
    pub project: Option<Project>,
    /// The project that made it for all.
    pub maker: Option<Project>,
    /// What its label says that it is.
    pub kind: Option<Kind>,
    /// The domain, group or project in its label.
    pub owner: Owner,
    /// The release in its label; 0 without one.
    pub release: u32,
    /// What it was told.
    pub spec: Spec,
    /// The hash of the env file that it has from its app.
    pub inherits: Option<String>,
    /// The image that it was made of; `None` in a model, for one that had yet to be pulled.
    pub image: Option<ImageId>,
    /// What it does.
    pub state: State,
    /// The exit status with which it ended, of containers that gordon made and that ended.
    pub exit_status: Option<i64>,
    /// Its restart policy, as `docker run --restart` takes it.
    pub restart: String,
    /// The time that it has to end by itself, where it was told one.
    pub stop_timeout: Option<Duration>,
    /// Its limits, which `docker update` changes.
    pub limits: Limits,
    /// Whether docker keeps all that it ever wrote.
    pub has_endless_log: bool,
    /// How often docker has restarted it since its last `docker start`.
    pub restarts: u32,
    /// What its health check says.
    pub health: Health,
    /// The addresses that it was made with; its own also while it is off a network.
    pub addresses: BTreeMap<Network, Ipv4Addr>,
    /// Its networks.
    pub memberships: BTreeMap<Network, SeenMembership>,
    /// Its named and anonymous volumes, by their path inside.
    pub volumes: BTreeMap<String, Volume>,
    /// The ports of the host that it publishes.
    pub ports: BTreeSet<u16>,
    /// Those of them that it publishes over UDP.
    pub udp_ports: BTreeSet<u16>,
    /// Its environment, of containers that gordon made; read for comparing secrets and for nothing else.
    pub env: BTreeMap<EnvKey, Secret>,
    /// Where it comes from; shown, and decides nothing.
    pub past: Past,
}

/// Where a container comes from, as far as docker says; nothing of it in a model.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Past {
    /// What its image was called when it was made.
    pub image: Option<Image>,
    /// When it was made.
    pub created: Option<SystemTime>,
    /// When it started last.
    pub started: Option<SystemTime>,
}

/// What a container does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It was made and never started.
    Created,
    /// It runs.
    Running,
    /// It runs, frozen.
    Paused,
    /// It ended, and docker is about to start it again.
    Restarting,
    /// It ended.
    Exited,
}

impl SeenContainer {
    /// Whether it ended by itself, with exit status 0.
    pub fn ended_well(&self) -> bool {
        self.exit_status == Some(0)
    }

    /// Whether it is the proxy that all projects share.
    pub fn is_proxy(&self) -> bool {
        self.maker.is_some() && self.kind == Some(Kind::Proxy)
    }
}

impl State {
    /// Whether it runs, or would without anybody's help.
    pub fn is_up(self) -> bool {
        matches!(self, Self::Running | Self::Paused | Self::Restarting)
    }
}

/// What a container's health check says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// It has none.
    None,
    /// Nothing yet.
    Starting,
    /// That it is healthy.
    Healthy,
    /// That it is not.
    Unhealthy,
}

/// A container's place in a network.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SeenMembership {
    /// Its address, also when it does not run and docker would not keep it.
    pub address: Option<Ipv4Addr>,
    /// The names that it was given there.
    pub aliases: BTreeSet<Alias>,
    /// All names that it answers to there, where the engine says so; newer ones do.
    pub dns_names: BTreeSet<Alias>,
    /// Whether the network was removed since: the container can then never start again.
    pub stale: bool,
}
