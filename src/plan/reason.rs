//! Why a step is there, and what a person should know beside the steps: data that reads as a sentence.

use crate::desired;
use crate::docker::Difference;
use crate::name::Alias;
use crate::name::Container;
use crate::name::EnvKey;
use crate::name::Image;
use crate::name::ImageId;
use crate::name::Network;
use crate::name::Volume;
use std::fmt;

/// Why a step is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// It is not there yet.
    Missing,
    /// The image is not on the host.
    NotOnHost,
    /// Docker's answer about a pulled image is needed before a container is made of it.
    VolumesUnknown,
    /// The container was told something else.
    Changed(Vec<Change>),
    /// The image's tag has moved.
    ImageMoved {
        /// The tag.
        image: Image,
        /// The image that the container was made of.
        from: ImageId,
        /// The image that the tag names now.
        to: ImageId,
    },
    /// Secrets have other values than the container has.
    SecretsChanged(Vec<EnvKey>),
    /// A path inside is not on the volume that it should be on.
    NotMounted(String),
    /// A network of the container was removed: it can never start again.
    NetworkGone(Network),
    /// The person asked for it.
    Asked,
    /// The container is there, but does not run.
    NotRunning,
    /// The container is paused.
    Paused,
    /// The container has proved itself.
    Proved,
    /// The restart policy is another one.
    Restart {
        /// What it is.
        from: String,
        /// What it is to be.
        to: String,
    },
    /// The container served until it ended.
    Served,
    /// The container has never been ready.
    Unproved,
    /// Docker restarts the container over and over.
    Restarting,
    /// The container is not in a network that it should be in.
    NotAttached,
    /// The container is in a network that it should not be in.
    Attached,
    /// The container answers to other names than it should.
    Aliases {
        /// The names that it should have.
        wanted: Vec<Alias>,
    },
    /// A replacement is on its way: this makes room for it.
    MakesRoom,
    /// The replacement is there: this has had its day.
    Replaced,
    /// It is a release from before the one that serves.
    Older,
    /// It is ready: from here on it is the one that serves.
    TakesOver,
    /// The person asked for the release before.
    GoesBack,
    /// Its successor serves: it answers to no name any more, and ends what it has begun.
    Leaves,
    /// It is to be ready.
    Ready,
    /// It is no longer in the config.
    NotInConfig,
    /// There are more replicas than the config asks for.
    TooManyReplicas,
    /// An earlier run was cut off and left it.
    LeftOver,
    /// The proxy leads to apps on this network.
    LeadsThere,
    /// The routes are others than the proxy has.
    RoutesChanged,
    /// There is nothing to route any more.
    NoRoutes,
    /// The last project of the host goes.
    LastProject,
    /// Everything is to go.
    Down,
}

/// One thing that a container was told, and is now told otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A part of the spec.
    Part(String),
    /// The content of an env file.
    EnvFile(String),
}

impl Change {
    /// What `difference` means, for a container with these env files of its own.
    pub fn of(difference: Difference<'_>, env_files: &[&str]) -> Self {
        match difference.part {
            "env-file" => match env_files.get(difference.at) {
                Some(path) => Self::EnvFile((*path).to_owned()),
                None => Self::Part("env files".to_owned()),
            },
            "env" => Self::Part("environment".to_owned()),
            "mount" => Self::Part("volumes".to_owned()),
            "port" => Self::Part("ports".to_owned()),
            "secret" => Self::Part("names of secrets".to_owned()),
            "health" => Self::Part("health check".to_owned()),
            part => Self::Part(part.to_owned()),
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Part(part) => f.write_str(part),
            Self::EnvFile(path) => f.write_str(path),
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("not there yet"),
            Self::NotOnHost => f.write_str("not on this host"),
            Self::VolumesUnknown => f.write_str("what it declares is not known yet"),
            Self::Changed(changes) => write!(f, "{} changed", list(changes)),
            Self::ImageMoved { image, from, to } => {
                write!(f, "`{image}` is another image now: {} → {}", from.short(), to.short())
            }
            Self::SecretsChanged(keys) => {
                write!(f, "secret{} {} changed", if keys.len() == 1 { "" } else { "s" }, list(keys))
            }
            Self::NotMounted(path) => write!(f, "{path} is not on its volume"),
            Self::NetworkGone(network) => {
                write!(f, "its network {network} was removed: it cannot start again")
            }
            Self::Asked => f.write_str("asked for with --recreate"),
            Self::NotRunning => f.write_str("not running"),
            Self::Paused => f.write_str("is paused"),
            Self::Proved => f.write_str("it is ready: docker keeps it up from here on"),
            Self::Restart { from, to } => write!(f, "restart policy {from} → {to}"),
            Self::Served => f.write_str("not running: it serves until its successor is ready"),
            Self::Unproved => f.write_str("it has never been ready"),
            Self::Restarting => f.write_str("docker restarts it over and over"),
            Self::NotAttached => f.write_str("not in this network"),
            Self::Attached => f.write_str("no longer belongs to this network"),
            Self::Aliases { wanted } => write!(f, "should answer to {}", list(wanted)),
            Self::MakesRoom => f.write_str("makes room for its replacement"),
            Self::Replaced => f.write_str("its replacement has taken over"),
            Self::Older => f.write_str("kept from before the release that serves"),
            Self::TakesOver => f.write_str("it is ready to serve"),
            Self::GoesBack => f.write_str("the release before comes back"),
            Self::Leaves => f.write_str("its successor serves"),
            Self::Ready => f.write_str("not ready yet"),
            Self::NotInConfig => f.write_str("no longer in the config"),
            Self::TooManyReplicas => f.write_str("more replicas than the config asks for"),
            Self::LeftOver => f.write_str("left over from a run that was cut off"),
            Self::LeadsThere => f.write_str("the proxy leads to apps there"),
            Self::RoutesChanged => f.write_str("the routes changed"),
            Self::NoRoutes => f.write_str("nothing is routed to it any more"),
            Self::LastProject => f.write_str("no project is left that needs it"),
            Self::Down => f.write_str("everything of this project goes"),
        }
    }
}

/// What a person should know beside the steps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// What the config alone tells.
    Config(desired::Note),
    /// The env file of its app changed, and a service keeps the old one until it is recreated.
    EnvInherited {
        /// The service.
        container: Container,
        /// The env file.
        path: String,
    },
    /// An app is replaced with an interruption, because it cannot be rolled out.
    NotRolledOut {
        /// The app.
        container: Container,
        /// Why not.
        why: desired::WhyRecreate,
    },
    /// A container that comes in gets its aliases before it is ready: in this network they cannot be changed later.
    AliasesAtOnce {
        /// The container.
        container: Container,
        /// The network.
        network: Network,
    },
    /// A network that somebody else made is used as it is.
    NetworkReused(Network),
    /// A volume that somebody else made is used as it is.
    VolumeReused(Volume),
    /// A network stays, because containers of others are on it.
    NetworkKept(Network),
    /// A volume stays, because containers of others mount it.
    VolumeKept(Volume),
    /// Volumes stay.
    VolumesKept(Vec<Volume>),
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Config(note) => note.fmt(f),
            Self::EnvInherited { container, path } => write!(
                f,
                "{container} still has the {path} that it was made with; `gordon apply --recreate {container}` gives it the new one"
            ),
            Self::NotRolledOut { container, why } => {
                write!(
                    f,
                    "{container} cannot be rolled out, because {why}: it is replaced, with an interruption"
                )
            }
            Self::AliasesAtOnce { container, network } => write!(
                f,
                "{container} answers in {network} before it is ready: gordon did not make the network, and cannot change names there"
            ),
            Self::NetworkReused(network) => {
                write!(
                    f,
                    "network {network} was not made by gordon: used as it is, never removed, no fixed addresses"
                )
            }
            Self::VolumeReused(volume) => {
                write!(f, "volume {volume} was not made by gordon: used as it is, never removed")
            }
            Self::NetworkKept(network) => write!(
                f,
                "network {network} stays while containers are on it; see `docker network inspect {network}`"
            ),
            Self::VolumeKept(volume) => {
                write!(f, "volume {volume} stays: a container of somebody else mounts it")
            }
            Self::VolumesKept(volumes) => write!(f, "volumes stay, with their data: {}", list(volumes)),
        }
    }
}

fn list<T: fmt::Display>(things: &[T]) -> String {
    things.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
