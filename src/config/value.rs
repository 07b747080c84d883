//! Values that docker has a notation of its own for: mounts, published ports, memory. Does not know what they are for.

use crate::name::VolumeName;
use std::net::IpAddr;
use std::ops::RangeInclusive;

/// A volume or a folder of the host that a container sees.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mount {
    /// What is mounted.
    pub source: MountSource,
    /// Where the container sees it: an absolute path without `..`.
    pub target: String,
    /// Whether the container may write there.
    pub access: Access,
}

/// What is mounted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum MountSource {
    /// A named volume, as the config calls it.
    Named(VolumeName),
    /// A folder or file of the host: absolute, or (`./…`, `../…`) relative to the config's folder.
    Folder(String),
}

/// What a container may do with a mount.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Access {
    /// `rw`.
    ReadWrite,
    /// `ro`.
    ReadOnly,
}

/// The path of an env file: absolute, or relative to the config's folder.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct EnvFile(pub(super) String);

/// A port, or as many of them, of the host that lead to a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// The host's address; without one, all.
    pub ip: Option<IpAddr>,
    /// The host's ports; without them, docker picks free ones.
    pub host: Option<RangeInclusive<u16>>,
    /// The container's ports.
    pub container: RangeInclusive<u16>,
    /// The protocol.
    pub protocol: Protocol,
}

/// A transport protocol.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Protocol {
    /// TCP.
    #[default]
    Tcp,
    /// UDP.
    Udp,
    /// SCTP.
    Sctp,
}

/// When docker starts a container again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Restart {
    /// `no`.
    No,
    /// `always`.
    Always,
    /// `unless-stopped`.
    #[default]
    UnlessStopped,
    /// `on-failure`, and how often at most.
    OnFailure(Option<u32>),
}

/// Whom a program runs as: `user[:group]`, names or numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User(pub(super) String);

/// An amount of memory, as docker writes it: `512m`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Memory(pub(super) String);

/// A number of processors, as docker writes it: `1.5`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cpus(pub(super) String);

macro_rules! as_str {
    ($($name:ident)*) => { $(
        impl $name {
            /// The value as docker takes it.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
    )* }
}

as_str! { EnvFile User Memory Cpus }
