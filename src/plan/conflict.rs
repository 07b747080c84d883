//! Why there is no plan: something on the host conflicts with the config.

use crate::docker::Process;
use crate::name::Container;
use crate::name::Domain;
use crate::name::Network;
use crate::name::Project;
use crate::name::Volume;
use crate::spec::PROXY;
use ipnet::Ipv4Net;
use std::collections::BTreeSet;
use std::fmt;

/// Something on the host that makes a plan impossible.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Conflict {
    /// A container that gordon did not make has a name that the config needs.
    ForeignContainer(Container),
    /// Another project's container has a name that this config needs.
    OthersContainer(Container, Claimant),
    /// Another project's network has a name that this config needs.
    OthersNetwork(Network, Claimant),
    /// Another project's volume has a name that this config needs.
    OthersVolume(Volume, Claimant),
    /// The config takes a volume for one that is on the host, and it is not.
    NoVolume(Volume),
    /// The host has containers of this project, and the config asks for none of them.
    AnotherConfig(Project, Vec<Container>),
    /// A container outside the project answers to names of the project on one of its networks.
    OtherAnswers {
        /// The container.
        container: Container,
        /// The names.
        names: BTreeSet<String>,
        /// The network.
        network: Network,
    },
    /// The pool has no free subnet for a network.
    PoolFull {
        /// The network.
        network: Network,
        /// The pool.
        pool: Ipv4Net,
        /// A range that is wholly free.
        free: Option<Ipv4Net>,
    },
    /// A network has no free address.
    NetworkFull(Network),
    /// A container asks for more processors than the host has.
    MoreProcessors {
        /// The container.
        container: Container,
        /// How many it asks for.
        wanted: String,
        /// How many the host has.
        there: u32,
    },
    /// Something else has a port of the host that a new container is to publish.
    PortTaken {
        /// The container.
        container: Container,
        /// The port.
        port: u16,
        /// What has it.
        holder: PortHolder,
    },
    /// The app has no release before the serving one.
    NothingBefore(Container),
    /// An earlier run was cut off between two releases of the app.
    BetweenReleases(Container),
    /// Another project routes a host.
    OthersHost(Domain, Project),
    /// The proxy differs from what this config asks for, and the project that made it is still on the host.
    OthersProxy {
        /// The project that made it.
        maker: Project,
        /// What differs, in words.
        differs: String,
    },
    /// The config has no container of this name.
    UnknownContainer(String),
}

/// What has a port of the host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PortHolder {
    /// A container of another project.
    Container(Container),
    /// A process; docker's own for a container that gordon did not make.
    Process(Process),
    /// A process that this user may not look at.
    Unknown,
}

/// The processes by which docker listens for a container.
const DOCKERS: [&str; 2] = ["docker-proxy", "dockerd"];

impl PortHolder {
    /// How to find out more about what has `port`.
    fn finder(&self, port: u16) -> String {
        let (of_docker, of_all) = (format!("`docker ps --filter publish={port}`"), "`ss -ltunp`");
        match self {
            Self::Container(name) => format!("`docker inspect {name}` shows more of it"),
            Self::Process(Process { name, .. }) if DOCKERS.contains(&name.as_str()) => {
                format!("{of_docker} shows which")
            }
            Self::Process(Process { id, .. }) => format!("`ps -fp {id}` shows more of it"),
            Self::Unknown => format!("{of_docker} and, as root, {of_all} show what has it"),
        }
    }
}

impl fmt::Display for PortHolder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Container(name) => write!(f, "published by container `{name}`"),
            Self::Process(Process { name, .. }) if DOCKERS.contains(&name.as_str()) => {
                f.write_str("published by another container")
            }
            Self::Process(Process { name, id }) => write!(f, "in use by `{name}` (process {id})"),
            Self::Unknown => f.write_str("in use"),
        }
    }
}

/// Who has claimed a thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claimant {
    /// A project.
    Project(Project),
    /// Gordon made the thing, but its label names no project.
    Unknown,
}

impl Claimant {
    /// The claimant of a thing that carries a project's label, or one of gordon's labels without a project.
    pub(super) fn of(project: Option<&Project>) -> Self {
        project.map_or(Self::Unknown, |project| Self::Project(project.clone()))
    }
}

impl fmt::Display for Claimant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Project(project) => write!(f, "project `{project}`"),
            Self::Unknown => f.write_str("an unknown project"),
        }
    }
}

impl Conflict {
    /// How to resolve the conflict.
    pub fn hint(&self) -> String {
        match self {
            Self::ForeignContainer(name) => {
                format!(
                    "rename it or remove it (`docker rename {name} …`), or give the workload another name in the config"
                )
            }
            Self::OthersContainer(..) | Self::OthersNetwork(..) | Self::OthersVolume(..) => {
                "give this config another `name`, or the workload another `id` or `name`".to_owned()
            }
            Self::NoVolume(volume) => format!(
                "`docker volume ls` shows those that are; `docker volume create {volume}` makes it, empty; a volume that gordon \
                 makes is a `name`, as in `data:/data`"
            ),
            Self::OthersHost(host, project) => {
                format!("remove `{host}` from this config, or from that of project `{project}` and apply that first")
            }
            Self::OthersProxy { maker, .. } => format!(
                "all projects of a host share one proxy: copy `[proxy]` from the config of `{maker}`, or change it there"
            ),
            Self::OtherAnswers { container, network, .. } => format!(
                "`docker network disconnect {network} {container}` takes it off the network; another name of the container \
                 would not, its aliases stay"
            ),
            Self::AnotherConfig(..) => {
                "give this config a `name` of its own; if it takes the place of the other, `--replace` removes those containers"
                    .to_owned()
            }
            Self::PoolFull { free, .. } => {
                let takers = "networks of docker (`docker network ls`) and routes of this machine (`ip route`)";
                match free {
                    Some(free) => format!(
                        "set `network_isolation.address_pool` to `{free}`, which is free; {takers} take their part of a pool"
                    ),
                    None => format!(
                        "remove networks that are idle, or set `network_isolation.address_pool` to a larger range; \
                         {takers} take a part of every private range"
                    ),
                }
            }
            Self::NetworkFull(network) => {
                format!(
                    "move workloads to another group, or remove network {network} when it is idle: it comes back larger"
                )
            }
            Self::MoreProcessors { there, .. } => {
                format!("docker gives a container no more than there are: set its `cpus` to at most {there}")
            }
            Self::PortTaken { container, port, holder } => {
                let other = match container.as_str() {
                    PROXY => "let the proxy have another (`proxy.http_port`, `proxy.https_port`), or for UDP do without (`proxy.http3 = false`)",
                    _ => "publish another (`ports`)",
                };
                format!("free the port, or {other}; {}", holder.finder(*port))
            }
            Self::NothingBefore(_) => {
                "an app keeps one release before, with `deploy.keep_previous`, until it is removed (`docker container prune`); \
                 an older image in the config is a way back, too; after a rollback, `gordon apply` goes forward again"
                    .to_owned()
            }
            Self::BetweenReleases(_) => {
                "`gordon apply` ends what was begun; after that, `gordon rollback` can go back".to_owned()
            }
            Self::UnknownContainer(_) => "`gordon plan` shows the names of the containers".to_owned(),
        }
    }
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ForeignContainer(name) => {
                write!(f, "container `{name}` is on this host already, and gordon did not make it")
            }
            Self::OthersContainer(name, owner) => write!(f, "container `{name}` belongs to {owner}"),
            Self::OthersNetwork(name, owner) => write!(f, "network `{name}` belongs to {owner}"),
            Self::OthersVolume(name, owner) => write!(f, "volume `{name}` belongs to {owner}"),
            Self::NoVolume(volume) => {
                write!(f, "volume `{volume}` is not on this host, and the config has it as `external`")
            }
            Self::OtherAnswers { container, names, network } => {
                let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
                write!(
                    f,
                    "container `{container}` is not of this project, and answers to {} on network `{network}`",
                    names.join(", ")
                )
            }
            Self::AnotherConfig(project, containers) => {
                let names: Vec<&str> = containers.iter().map(Container::as_str).collect();
                write!(
                    f,
                    "this host has containers of a project `{project}`, and this config wants none of them: {}",
                    names.join(", ")
                )
            }
            Self::PoolFull { network, pool, .. } => {
                write!(f, "the address pool `{pool}` has no free subnet for network `{network}`")
            }
            Self::NetworkFull(network) => write!(f, "network `{network}` has no free address"),
            Self::MoreProcessors { container, wanted, there } => {
                write!(f, "`{container}` is to have {wanted} processors, and this host has {there}")
            }
            Self::PortTaken { container, port, holder } => {
                write!(f, "port {port} of this host is {holder}, and `{container}` is to publish it")
            }
            Self::NothingBefore(name) => write!(f, "`{name}` has no release before the one that serves"),
            Self::BetweenReleases(name) => {
                write!(f, "an earlier run was cut off between two releases of `{name}`")
            }
            Self::OthersHost(host, project) => write!(f, "`{host}` is routed by project `{project}` already"),
            Self::OthersProxy { maker, differs } => {
                write!(
                    f,
                    "the proxy of this host is that of project `{maker}`, and its {differs} differ from this config's"
                )
            }
            Self::UnknownContainer(name) => write!(f, "`{name}` is no container of this config"),
        }
    }
}
