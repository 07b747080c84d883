//! The settings of a container beside its name, image, labels and networks.

use super::FilesPart;
use super::Settings;
use crate::name::EnvKey;
use crate::name::Volume;
use std::sync::Arc;
use std::time::Duration;

/// All settings of a container beside its name, image, labels and networks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Runtime {
    /// What it takes for its host's name; `None`: no matter what.
    pub hostname: Option<String>,
    /// The options of its resolver, in order.
    pub dns: Vec<String>,
    /// The entrypoint: its words come before those of the command; empty: the image's.
    pub entrypoint: Vec<String>,
    /// The command; empty: the image's.
    pub command: Vec<String>,
    /// Its env files, in order; a later one wins over an earlier one.
    pub env_files: Vec<EnvFile>,
    /// Its environment, in order.
    pub env: Vec<(EnvKey, String)>,
    /// Variables whose values are secrets: they come from the environment of the call that makes the container.
    pub secrets: Vec<EnvKey>,
    /// Its mounts, in order.
    pub mounts: Vec<Mount>,
    /// The ports that it publishes, as in `8080:80/tcp`, in order.
    pub ports: Vec<String>,
    /// Its health check by command; `None`: the image's.
    pub health: Option<HealthCheck>,
    /// Its restart policy, once it has proved itself.
    pub restart: String,
    /// Its other settings.
    pub settings: Settings,
}

/// The command that runs once before the containers of a new release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReleaseCommand {
    /// Its words, in place of the app's command; never empty.
    pub command: Vec<String>,
    /// The entrypoint, in place of the app's; `None`: the app's.
    pub entrypoint: Option<Vec<String>>,
    /// The time after which it has failed.
    pub timeout: Duration,
}

/// An env file that docker reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnvFile {
    /// Relative to the folder of the config, or absolute.
    pub path: String,
    /// The hash of its content, as in a spec.
    pub content: String,
    /// Whether a service has it from its app; then it is no part of the service's spec.
    pub inherited: bool,
}

/// Where a path inside a container comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount {
    /// What is mounted.
    pub source: Source,
    /// The path inside the container.
    pub target: String,
    /// Whether the container may only read it.
    pub read_only: bool,
    /// The label that SELinux is to find there; `None`: the one that it has.
    pub relabel: Option<Relabel>,
    /// What is there, where a change of it is a change of the container.
    pub files: Option<Arc<FilesPart>>,
}

/// The label that docker gives to the files of a mount, on hosts with SELinux.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Relabel {
    /// One that all containers may use: `z`.
    Shared,
    /// One that this container alone may use: `Z`.
    Private,
}

impl Relabel {
    /// The option of a mount.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Shared => "z",
            Self::Private => "Z",
        }
    }
}

/// What is mounted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A named volume.
    Volume(Volume),
    /// An absolute path of the host.
    Host(String),
    /// A path relative to the folder of the config, without a leading `./`.
    Folder(String),
}

/// A health check by command, which docker runs inside the container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealthCheck {
    /// A shell command line; exit status 0 is healthy.
    pub command: String,
    /// The time between two checks.
    pub interval: Duration,
    /// The time after which one check has failed.
    pub timeout: Duration,
    /// The time that the container has to become healthy, during which failed checks do not count.
    pub start_period: Duration,
    /// How many failed checks on end make it unhealthy; `None`: as many as docker says.
    pub retries: Option<u8>,
}
