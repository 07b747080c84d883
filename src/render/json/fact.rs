//! A statement about a host, for machines. Does not know of what it is a condition.

use super::text;
use crate::docker;
use crate::docker::Current;
use ipnet::Ipv4Net;
use serde::Serialize;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::net::Ipv4Addr;

/// A statement about a host.
#[derive(Serialize)]
#[serde(tag = "fact", rename_all = "snake_case")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) enum Fact<'a> {
    /// The image is on the host.
    Image { image: &'a str },
    /// The network is there.
    Network { network: &'a str },
    /// There is no such network.
    NoNetwork { network: &'a str },
    /// The network belongs to the project, or to no project.
    NetworkUsable { network: &'a str, project: &'a str },
    /// There is no such network yet, or it has this subnet and no container that runs has this address in it.
    Room {
        network: &'a str,
        #[serde(serialize_with = "text")]
        #[cfg_attr(test, schemars(with = "String"))]
        subnet: &'a Ipv4Net,
        #[serde(serialize_with = "text")]
        #[cfg_attr(test, schemars(with = "String"))]
        address: &'a Ipv4Addr,
    },
    /// The volume is there.
    Volume { volume: &'a str },
    /// There is no such volume.
    NoVolume { volume: &'a str },
    /// The volume belongs to the project, or to no project.
    VolumeUsable { volume: &'a str, project: &'a str },
    /// The container is there.
    Exists { container: &'a str },
    /// There is no such container.
    Absent { container: &'a str },
    /// The container is the project's, of this spec and of this release, as its labels say.
    Has { container: &'a str, project: &'a str, spec: &'a str, release: u32 },
    /// The container is as it should be, but for its networks; it need not run.
    Current {
        container: &'a str,
        project: &'a str,
        /// What its label says that it was told.
        spec: &'a str,
        /// The reference whose present image it was made of; one that is not on the host does not count.
        image: &'a str,
        /// What its label says; null for whichever.
        release: Option<u32>,
        /// The named volumes that it mounts.
        volumes: Vec<Mounted<'a>>,
    },
    /// The proxy is as it should be; it need not run.
    Proxy {
        spec: &'a str,
        /// The reference whose present image it was made of; one that is not on the host does not count.
        image: &'a str,
    },
    /// The proxy runs, and this is all that it has of the project's routes.
    Routes { project: &'a str, text: &'a str },
    /// The proxy does not run, or has no routes of the project.
    NoRoutes { project: &'a str },
    /// The container runs, or would without anybody's help.
    Running { container: &'a str },
    /// The container runs, and is not about to be started again.
    Steady { container: &'a str },
    /// The container is paused.
    Paused { container: &'a str },
    /// The container is not paused, or is not there.
    Unpaused { container: &'a str },
    /// The container does not run, or is not there.
    Stopped { container: &'a str },
    /// The container ended, with exit status 0.
    EndedWell { container: &'a str },
    /// The container's health check says that it is healthy.
    Healthy { container: &'a str },
    /// Of the containers that run on these networks, none but the project's own and the proxy answers to one of these names.
    NoOtherAnswers { project: &'a str, names: BTreeMap<&'a str, Vec<&'a str>> },
    /// The container has this restart policy.
    Restart { container: &'a str, policy: &'a str },
    /// The container is in the network, and answers there to just these names; null for whichever.
    Attached { container: &'a str, network: &'a str, aliases: Option<Vec<&'a str>> },
    /// The container is not in the network, or is not there.
    Detached { container: &'a str, network: &'a str },
    /// The engine's log driver takes `max-size` and `max-file`.
    LimitsLogs,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct Mounted<'a> {
    volume: &'a str,
    /// The path inside the container.
    path: &'a str,
}

impl<'a> Fact<'a> {
    pub(super) fn of(fact: &'a docker::Fact) -> Self {
        use docker::Fact as F;
        match fact {
            F::Image(image) => Self::Image { image: image.as_str() },
            F::Network(network) => Self::Network { network: network.as_str() },
            F::NoNetwork(network) => Self::NoNetwork { network: network.as_str() },
            F::NetworkUsable(network, project) => {
                Self::NetworkUsable { network: network.as_str(), project: project.as_str() }
            }
            F::NoOtherAnswers { project, names } => {
                let of = |names: &'a BTreeSet<String>| names.iter().map(String::as_str).collect();
                let names = names.iter().map(|(network, names)| (network.as_str(), of(names)));
                Self::NoOtherAnswers { project: project.as_str(), names: names.collect() }
            }
            F::Room { network, subnet, address } => Self::Room { network: network.as_str(), subnet, address },
            F::Volume(volume) => Self::Volume { volume: volume.as_str() },
            F::NoVolume(volume) => Self::NoVolume { volume: volume.as_str() },
            F::VolumeUsable(volume, project) => {
                Self::VolumeUsable { volume: volume.as_str(), project: project.as_str() }
            }
            F::Exists(container) => Self::Exists { container: container.as_str() },
            F::Absent(container) => Self::Absent { container: container.as_str() },
            F::Has { name, project, spec, release } => Self::Has {
                container: name.as_str(),
                project: project.as_str(),
                spec: spec.as_str(),
                release: *release,
            },
            F::Current(current) => Self::current(current),
            F::Proxy { spec, image } => Self::Proxy { spec: spec.as_str(), image: image.as_str() },
            F::Routes { project, text } => Self::Routes { project: project.as_str(), text },
            F::NoRoutes(project) => Self::NoRoutes { project: project.as_str() },
            F::Running(container) => Self::Running { container: container.as_str() },
            F::Steady(container) => Self::Steady { container: container.as_str() },
            F::Paused(container) => Self::Paused { container: container.as_str() },
            F::Unpaused(container) => Self::Unpaused { container: container.as_str() },
            F::Stopped(container) => Self::Stopped { container: container.as_str() },
            F::Restart { name, policy } => Self::Restart { container: name.as_str(), policy },
            F::EndedWell(container) => Self::EndedWell { container: container.as_str() },
            F::Healthy(container) => Self::Healthy { container: container.as_str() },
            F::Attached { container, network, aliases } => Self::Attached {
                container: container.as_str(),
                network: network.as_str(),
                aliases: aliases.as_ref().map(|names| names.iter().map(|name| name.as_str()).collect()),
            },
            F::Detached { container, network } => {
                Self::Detached { container: container.as_str(), network: network.as_str() }
            }
            F::LimitsLogs => Self::LimitsLogs,
        }
    }

    fn current(current: &'a Current) -> Self {
        let mounted = current.volumes.iter();
        Self::Current {
            container: current.name.as_str(),
            project: current.project.as_str(),
            spec: current.spec.as_str(),
            image: current.image.as_str(),
            release: current.release,
            volumes: mounted.map(|(volume, path)| Mounted { volume: volume.as_str(), path }).collect(),
        }
    }
}
