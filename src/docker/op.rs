//! What can be done to a host, and the docker command that does it.

use super::Await;
use super::Command;
use super::Fact;
use super::Labels;
use super::Launch;
use super::Membership;
use super::Probe;
use super::RoutesFile;
use super::probe::unknown_volumes;
use super::proxy;
use crate::name::Alias;
use crate::name::Container;
use crate::name::Domain;
use crate::name::Image;
use crate::name::Network;
use crate::name::Project;
use crate::name::Volume;
use crate::spec::PROXY;
use ipnet::Ipv4Net;
use std::fmt;
use std::net::Ipv4Addr;
use std::time::Duration;

/// One operation on a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Op {
    /// `docker pull`.
    Pull {
        /// What is pulled.
        image: Image,
        /// The platform that it is for; `None`: the engine's.
        platform: Option<String>,
    },
    /// Fails when the image declares a VOLUME that is not among `known`: its data would land in an anonymous volume.
    ExpectVolumes {
        /// The image, which is on the host by then.
        image: Image,
        /// The paths that the plan knows how to keep.
        known: Vec<String>,
    },
    /// `docker network create`.
    CreateNetwork {
        /// Its name.
        name: Network,
        /// All its addresses.
        subnet: Ipv4Net,
        /// The addresses that docker may give out; the others are gordon's.
        range: Ipv4Net,
        /// Its labels.
        labels: Labels,
    },
    /// `docker volume create`.
    CreateVolume {
        /// Its name.
        name: Volume,
        /// Its labels.
        labels: Labels,
    },
    /// `docker create`: for a container on several networks, which are connected before it starts.
    Create(Box<Launch>),
    /// `docker run`: for a container on one network.
    Run(Box<Launch>),
    /// `docker start`.
    Start {
        /// A container that does not run.
        name: Container,
    },
    /// `docker stop`.
    Stop {
        /// A container that runs.
        name: Container,
        /// The time it has to end by itself.
        timeout: Duration,
    },
    /// `docker pause`: its processes are frozen, and none of its connections ends.
    Pause {
        /// A container that runs.
        name: Container,
    },
    /// `docker unpause`.
    Unpause {
        /// A container that is paused.
        name: Container,
    },
    /// `docker update --restart`.
    Update {
        /// A container, in whichever state.
        name: Container,
        /// Its restart policy from now on.
        restart: String,
    },
    /// `docker rename`.
    Rename {
        /// Its name until now.
        from: Container,
        /// Its name from now on.
        to: Container,
    },
    /// `docker rm`, without its volumes.
    Remove {
        /// A container that does not run.
        name: Container,
    },
    /// `docker network connect`.
    Connect {
        /// The container that joins.
        container: Container,
        /// The network, and the address and aliases in it.
        membership: Membership,
    },
    /// `docker network disconnect`.
    Disconnect {
        /// The container that leaves.
        container: Container,
        /// The network that it leaves.
        network: Network,
    },
    /// `docker network rm`.
    RemoveNetwork {
        /// A network without containers.
        name: Network,
    },
    /// `docker volume rm`.
    RemoveVolume {
        /// A volume that no container mounts.
        name: Volume,
    },
    /// Writes what the proxy starts from to its volume, where a proxy of the same settings finds it at every start.
    WriteSetUp {
        /// The proxy's image.
        image: Image,
        /// The name of the file, one for each proxy that differs from others.
        file: String,
        /// The file, a script.
        text: String,
    },
    /// Gives the proxy a project's routes in place of those that it has of it, unless it finds them wrong.
    WriteRoutes {
        /// The project.
        project: Project,
        /// All its routes, in the proxy's words.
        text: String,
    },
    /// Asks the apps of routes, as the proxy does. Fails while one of them takes no connections.
    AskRoutes {
        /// The project.
        project: Project,
        /// The upstream of each route, and a host of it.
        routes: Vec<(String, Domain)>,
        /// The time after which it has failed.
        timeout: Duration,
    },
    /// Lets the proxy note where names lead, for the time in which docker does not answer.
    NoteAddresses {
        /// The project.
        project: Project,
        /// The names, as the proxy asks for them.
        names: Vec<String>,
    },
    /// Takes a project's routes from the proxy.
    RemoveRoutes {
        /// The project.
        project: Project,
    },
    /// Nothing is done: something is waited for.
    Await(Await),
}

/// What an operation is done to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject<'a> {
    /// An image.
    Image(&'a str),
    /// A network.
    Network(&'a str),
    /// A volume.
    Volume(&'a str),
    /// A container.
    Container(&'a str),
    /// The routes that the proxy has of a project.
    Routes(&'a str),
}

/// What an operation does to its subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// It is got from a registry.
    Pulls,
    /// It is looked at.
    Checks,
    /// It is there from now on.
    Makes,
    /// It runs from now on.
    Starts,
    /// It goes on otherwise.
    Changes,
    /// It makes room, or takes the place of another.
    Moves,
    /// It is gone for good.
    Removes,
    /// It is given time to end its work.
    Drains,
    /// Where it leads is noted.
    Notes,
    /// It is waited for.
    Waits,
}

impl Op {
    /// `docker start`.
    pub fn start(name: &Container) -> Self {
        Self::Start { name: name.clone() }
    }

    /// `docker stop`.
    pub fn stop(name: &Container, timeout: Duration) -> Self {
        Self::Stop { name: name.clone(), timeout }
    }

    /// `docker pause`.
    pub fn pause(name: &Container) -> Self {
        Self::Pause { name: name.clone() }
    }

    /// `docker unpause`.
    pub fn unpause(name: &Container) -> Self {
        Self::Unpause { name: name.clone() }
    }

    /// `docker update --restart`.
    pub fn update(name: &Container, restart: &str) -> Self {
        Self::Update { name: name.clone(), restart: restart.to_owned() }
    }

    /// `docker rename`.
    pub fn rename(from: &Container, to: &Container) -> Self {
        Self::Rename { from: from.clone(), to: to.clone() }
    }

    /// `docker rm`.
    pub fn remove(name: &Container) -> Self {
        Self::Remove { name: name.clone() }
    }

    /// The docker command; `None` for what only looks or waits.
    pub fn command(&self) -> Option<Command> {
        Some(match self {
            Self::ExpectVolumes { .. } | Self::Await(_) => return None,
            Self::Pull { image, platform } => {
                let mut command = Command::new(["pull"]);
                command.extend(platform.iter().flat_map(|platform| ["--platform", platform]));
                command.extend([image.as_str()]);
                command
            }
            Self::CreateNetwork { name, subnet, range, labels } => {
                let mut command = Command::new(["network", "create", "--subnet", &subnet.to_string()]);
                command.extend(["--ip-range", &range.to_string()]);
                command.words.extend(labels.words(&[]));
                command.extend([name.as_str()]);
                command
            }
            Self::CreateVolume { name, labels } => {
                let mut command = Command::new(["volume", "create"]);
                command.words.extend(labels.words(&[]));
                command.extend([name.as_str()]);
                command
            }
            Self::Create(launch) => launch.command(Command::new(["create"])),
            Self::Run(launch) => launch.command(Command::new(["run", "--detach"])),
            Self::Start { name } => Command::new(["start", name.as_str()]),
            // `-t`: the long form is deprecated in newer clients and its successor unknown to older ones
            Self::Stop { name, timeout } => {
                Command::new(["stop", "-t", &timeout.as_secs().to_string(), name.as_str()])
            }
            Self::Pause { name } => Command::new(["pause", name.as_str()]),
            Self::Unpause { name } => Command::new(["unpause", name.as_str()]),
            Self::Update { name, restart } => Command::new(["update", "--restart", restart, name.as_str()]),
            Self::Rename { from, to } => Command::new(["rename", from.as_str(), to.as_str()]),
            Self::Remove { name } => Command::new(["rm", name.as_str()]),
            Self::Connect { container, membership } => {
                let mut command = Command::new(["network", "connect"]);
                if let Some(address) = membership.address {
                    command.flag("--ip", address.to_string());
                }
                membership.aliases.iter().for_each(|alias| command.flag("--alias", alias.as_str()));
                command.extend([membership.network.as_str(), container.as_str()]);
                command
            }
            Self::Disconnect { container, network } => {
                Command::new(["network", "disconnect", network.as_str(), container.as_str()])
            }
            Self::RemoveNetwork { name } => Command::new(["network", "rm", name.as_str()]),
            Self::RemoveVolume { name } => Command::new(["volume", "rm", name.as_str()]),
            Self::WriteSetUp { image, file, text } => proxy::write_set_up(image, file, text),
            Self::WriteRoutes { project, text } => proxy::put(project, text),
            Self::AskRoutes { routes, timeout, .. } => proxy::ask(routes, *timeout),
            Self::NoteAddresses { names, .. } => proxy::note(names),
            Self::RemoveRoutes { project } => proxy::take(project),
        })
    }
}

impl Op {
    /// The fact that holds once it is done, where docker can be asked for it: with it, there is nothing to do. That of a
    /// rename is that the old name is free; a container that is made is known by more than its name, which the plan says.
    pub fn effect(&self) -> Option<Fact> {
        Some(match self {
            Self::Pull { image, .. } => Fact::Image(image.clone()),
            Self::CreateNetwork { name, .. } => Fact::Network(name.clone()),
            Self::CreateVolume { name, .. } => Fact::Volume(name.clone()),
            Self::Start { name } => Fact::Running(name.clone()),
            Self::Stop { name, .. } => Fact::Stopped(name.clone()),
            Self::Pause { name } => Fact::Paused(name.clone()),
            Self::Unpause { name } => Fact::Unpaused(name.clone()),
            Self::Update { name, restart } => Fact::Restart { name: name.clone(), policy: restart.clone() },
            Self::Rename { from: name, .. } | Self::Remove { name } => Fact::Absent(name.clone()),
            Self::Connect { container, membership: Membership { network, aliases, .. } } => Fact::Attached {
                container: container.clone(),
                network: network.clone(),
                aliases: Some(aliases.clone()),
            },
            Self::Disconnect { container, network } => {
                Fact::Detached { container: container.clone(), network: network.clone() }
            }
            Self::RemoveNetwork { name } => Fact::NoNetwork(name.clone()),
            Self::RemoveVolume { name } => Fact::NoVolume(name.clone()),
            Self::WriteRoutes { project, text } => {
                Fact::Routes { project: project.clone(), text: text.clone() }
            }
            Self::RemoveRoutes { project } => Fact::NoRoutes(project.clone()),
            Self::Await(Await::Healthy { name, .. }) => Fact::Healthy(name.clone()),
            Self::Await(Await::Ends { name, .. }) => Fact::EndedWell(name.clone()),
            Self::ExpectVolumes { .. }
            | Self::Create(_)
            | Self::Run(_)
            | Self::WriteSetUp { .. }
            | Self::AskRoutes { .. }
            | Self::NoteAddresses { .. }
            | Self::Await(
                Await::Answers { .. }
                | Await::Listens { .. }
                | Await::StaysUp { .. }
                | Await::GoesWell { .. }
                | Await::Drain { .. },
            ) => {
                return None;
            }
        })
    }

    /// What it is done to, by name. Of a rename, the name until now.
    pub fn subject(&self) -> Subject<'_> {
        match self {
            Self::Pull { image, .. } | Self::ExpectVolumes { image, .. } => Subject::Image(image.as_str()),
            Self::CreateNetwork { name, .. } | Self::RemoveNetwork { name } => {
                Subject::Network(name.as_str())
            }
            Self::CreateVolume { name, .. } | Self::RemoveVolume { name } => Subject::Volume(name.as_str()),
            Self::Create(launch) | Self::Run(launch) => Subject::Container(launch.name.as_str()),
            Self::Start { name }
            | Self::Stop { name, .. }
            | Self::Pause { name }
            | Self::Unpause { name }
            | Self::Update { name, .. }
            | Self::Remove { name }
            | Self::Rename { from: name, .. }
            | Self::Connect { container: name, .. }
            | Self::Disconnect { container: name, .. } => Subject::Container(name.as_str()),
            Self::Await(wait) => Subject::Container(wait.container().as_str()),
            Self::WriteSetUp { .. } => Subject::Container(PROXY),
            Self::WriteRoutes { project, .. }
            | Self::AskRoutes { project, .. }
            | Self::NoteAddresses { project, .. }
            | Self::RemoveRoutes { project } => Subject::Routes(project.as_str()),
        }
    }

    /// What it does to its subject.
    pub fn deed(&self) -> Deed {
        match self {
            Self::Pull { .. } => Deed::Pulls,
            Self::ExpectVolumes { .. } => Deed::Checks,
            Self::CreateNetwork { .. } | Self::CreateVolume { .. } | Self::Create(_) | Self::Run(_) => {
                Deed::Makes
            }
            Self::Start { .. } => Deed::Starts,
            Self::Pause { .. }
            | Self::Unpause { .. }
            | Self::Update { .. }
            | Self::Connect { .. }
            | Self::Disconnect { .. }
            | Self::WriteSetUp { .. }
            | Self::WriteRoutes { .. } => Deed::Changes,
            Self::Stop { .. } | Self::Rename { .. } => Deed::Moves,
            Self::Remove { .. }
            | Self::RemoveNetwork { .. }
            | Self::RemoveVolume { .. }
            | Self::RemoveRoutes { .. } => Deed::Removes,
            Self::Await(Await::Drain { .. }) => Deed::Drains,
            Self::NoteAddresses { .. } => Deed::Notes,
            Self::Await(_) | Self::AskRoutes { .. } => Deed::Waits,
        }
    }

    /// The time after which its command is ended: 30 minutes for a pull, 30 seconds more than it gives the container for a
    /// stop or for a question to apps, 10 seconds for a pause, as its container may be paused meanwhile, 2 minutes for
    /// anything else.
    pub fn limit(&self) -> Duration {
        match self {
            Self::Pull { .. } => Duration::from_secs(30 * 60),
            Self::Stop { timeout, .. } | Self::AskRoutes { timeout, .. } => {
                *timeout + Duration::from_secs(30)
            }
            Self::Pause { .. } => Duration::from_secs(10),
            _ => Duration::from_secs(2 * 60),
        }
    }

    /// Whether what follows can do without it. A busy engine cannot always freeze a container, and some never can. Notes count
    /// only while docker does not answer.
    pub fn is_dispensable(&self) -> bool {
        matches!(self, Self::Pause { .. } | Self::NoteAddresses { .. })
    }

    /// Whether a script does it only after a step that it needs had something to do, where no fact says more.
    pub fn follows(&self) -> bool {
        matches!(self, Self::Await(_) | Self::NoteAddresses { .. })
    }

    /// What is asked by a wait or a check; `None` for commands.
    pub fn probe(&self) -> Option<Probe> {
        match self {
            Self::Await(wait) => Some(wait.probe()),
            Self::ExpectVolumes { image, known } => Some(unknown_volumes(image, known)),
            _ => None,
        }
    }

    /// What docker says when there was nothing to do: a container goes on that could not be paused.
    pub fn needless(&self) -> Option<&'static str> {
        matches!(self, Self::Unpause { .. }).then_some("is not paused")
    }

    /// Whether it is done to what all projects of a host share: the proxy, its network, its files.
    pub fn is_shared(&self) -> bool {
        match (self, self.subject()) {
            (Self::CreateNetwork { labels, .. } | Self::CreateVolume { labels, .. }, _) => {
                labels.claim.maker().is_some()
            }
            (_, Subject::Network(name)) => name == proxy::NETWORK,
            (_, Subject::Volume(name)) => name.starts_with(PROXY),
            (_, Subject::Container(name)) => [PROXY, proxy::PREVIOUS].contains(&name),
            // notes keep out of each other's way by themselves, so that a rollout need not wait for other projects
            (Self::NoteAddresses { .. }, _) => false,
            (_, Subject::Routes(_)) => true,
            (_, Subject::Image(_)) => false,
        }
    }
}

impl fmt::Display for Op {
    /// What is done, in a few words, as in "create network `shop-backend`" without the quotes. `{:#}` also tells how: the
    /// image, the release, the networks with addresses and aliases, the routes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pull { image, .. } => write!(f, "pull {image}"),
            Self::ExpectVolumes { image, .. } => write!(f, "check the volumes of {image}"),
            Self::CreateNetwork { name, .. } => write!(f, "create network {name}"),
            Self::CreateVolume { name, .. } => write!(f, "create volume {name}"),
            Self::Create(launch) => write!(f, "create {}", launch.name),
            Self::Run(launch) => write!(f, "run {}", launch.name),
            Self::Start { name } => write!(f, "start {name}"),
            Self::Stop { name, .. } => write!(f, "stop {name}"),
            Self::Pause { name } => write!(f, "pause {name}"),
            Self::Unpause { name } => write!(f, "unpause {name}"),
            Self::Update { name, restart } => write!(f, "set the restart policy of {name} to {restart}"),
            Self::Rename { from, to } => write!(f, "rename {from} to {to}"),
            Self::Remove { name } => write!(f, "remove {name}"),
            Self::Connect { container, membership } => {
                write!(f, "connect {container} to {}", membership.network)
            }
            Self::Disconnect { container, network } => write!(f, "disconnect {container} from {network}"),
            Self::RemoveNetwork { name } => write!(f, "remove network {name}"),
            Self::RemoveVolume { name } => write!(f, "remove volume {name}"),
            Self::WriteSetUp { .. } => write!(f, "write the set-up of {}", PROXY),
            Self::WriteRoutes { project, .. } => write!(f, "route to {project}"),
            Self::AskRoutes { routes, .. } => {
                let hosts: Vec<&str> = routes.iter().map(|(_, host)| host.as_str()).collect();
                write!(f, "see that the proxy reaches {}", hosts.join(", "))
            }
            Self::NoteAddresses { names, .. } => {
                let names: Vec<&str> = names.iter().map(|name| name.trim_end_matches('.')).collect();
                write!(f, "let the proxy note where it finds {}", names.join(", "))
            }
            Self::RemoveRoutes { project } => write!(f, "no longer route to {project}"),
            Self::Await(wait) => wait.fmt(f),
        }?;
        if f.alternate() { self.details(f) } else { Ok(()) }
    }
}

impl Op {
    fn details(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ExpectVolumes { known, .. } => write!(f, ": {}", known.join(", ")),
            Self::CreateNetwork { subnet, .. } => write!(f, " of {subnet}"),
            Self::Create(launch) | Self::Run(launch) => {
                write!(f, " of {}", launch.image)?;
                if let Some(release) = &launch.labels.release {
                    write!(f, " as release {}", release.number)?;
                }
                launch.memberships.iter().try_for_each(|Membership { network, address, aliases }| {
                    write!(f, ", on {network}")?;
                    write_place(f, *address, aliases)
                })
            }
            Self::Connect { membership: Membership { address, aliases, .. }, .. } => {
                write_place(f, *address, aliases)
            }
            Self::WriteRoutes { text, .. } => {
                let routes_file = RoutesFile::from(text.as_str());
                write!(f, ": {}", routes_file.hosts().collect::<Vec<_>>().join(", "))
            }
            Self::AskRoutes { routes, .. } => {
                let targets: Vec<&str> = routes.iter().map(|(target, _)| target.as_str()).collect();
                write!(f, " at {}", targets.join(", "))
            }
            _ => Ok(()),
        }
    }
}

fn write_place(f: &mut fmt::Formatter<'_>, address: Option<Ipv4Addr>, aliases: &[Alias]) -> fmt::Result {
    if let Some(address) = address {
        write!(f, " at {address}")?;
    }
    let aliases: Vec<&str> = aliases.iter().map(Alias::as_str).collect();
    if aliases.is_empty() { Ok(()) } else { write!(f, " as {}", aliases.join(" ")) }
}
