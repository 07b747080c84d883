//! What a config asks for: networks, volumes and workloads with their final names. Does not know what a host looks
//! like.

mod aliases;
mod collisions;
mod names;
mod note;
mod resolve;
mod workload;

pub use note::Note;
pub use resolve::Inputs;
pub use resolve::resolve;
pub use workload::Attachment;
pub use workload::Ready;
pub use workload::Strategy;
pub use workload::WhyRecreate;
pub use workload::Workload;

use crate::name::EnvKey;
use crate::name::Image;
use crate::name::Network;
use crate::name::Owner;
use crate::name::Project;
use crate::name::Volume;
use crate::spec::Proxy;
use crate::spec::Pull;
use crate::spec::Route;
use crate::spec::Secret;
use crate::spec::Settings;
use crate::spec::Tls;
use ipnet::Ipv4Net;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::time::Duration;

/// Everything that a config asks of one host.
#[derive(Clone, Debug)]
pub struct Desired {
    /// The project that owns all of it.
    pub project: Project,
    /// The networks, in the order in which they are made.
    pub networks: Vec<DesiredNetwork>,
    /// Where the subnets of new networks come from.
    pub address_pool: Ipv4Net,
    /// The volumes, in the order in which they are made.
    pub volumes: Vec<DesiredVolume>,
    /// The volumes that have to be there, and are never made.
    pub external: BTreeSet<Volume>,
    /// The workloads, each after those that it needs.
    pub workloads: Vec<Workload>,
    /// The hosts that are routed to apps, in the order of the apps.
    pub routes: Vec<Route>,
    /// The proxy that routes them; `None` when there is nothing to route, or it is not wanted.
    pub proxy: Option<Proxy>,
    /// Where the certificates of these hosts come from, as far as the config says.
    pub tls: Tls,
    /// The values of secrets, where they are known; compared with those of containers and never shown.
    pub secrets: BTreeMap<EnvKey, Secret>,
    /// When images are pulled.
    pub pull: Pull,
    /// Whether every VOLUME of an image is kept on a named volume; otherwise what it declares does not matter.
    pub auto_volumes: bool,
    /// How long an outgoing container of an app goes on answering.
    pub drain: Duration,
    /// The time that a container has to become ready.
    pub health_timeout: Duration,
    /// The time that a container has to end by itself when it is stopped, unless it has a setting for it.
    pub stop_timeout: Duration,
    /// The settings of new containers that have none of their own. They are no part of a spec: a container that runs without
    /// them stays.
    pub usual: Settings,
    /// What a person should know.
    pub notes: Vec<Note>,
}

impl Desired {
    /// All images that are needed on the host: those of the workloads, and those of gordon's own containers.
    pub fn images(&self) -> BTreeSet<&Image> {
        self.workloads.iter().map(|workload| &workload.image).chain(self.own_images()).collect()
    }

    /// The images of which the config says the platform, with that.
    pub fn platforms(&self) -> BTreeMap<&Image, &str> {
        self.workloads.iter().filter_map(|workload| Some((&workload.image, workload.platform()?))).collect()
    }

    /// The images of gordon's own containers: the proxy, and those that ask workloads whether they are ready.
    pub fn own_images(&self) -> impl Iterator<Item = &Image> {
        let probers = self.workloads.iter().filter_map(|workload| workload.ready.prober_image());
        self.proxy.iter().map(|proxy| &proxy.image).chain(probers)
    }
}

/// A network that a config asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DesiredNetwork {
    /// Its name.
    pub name: Network,
    /// The domain, group or project that it belongs to.
    pub owner: Owner,
    /// How many addresses its workloads may need at once: 2 a service and 3 a replica of an app, so that the old and
    /// the new one of each fit.
    pub addresses: u32,
}

/// A volume that a config asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DesiredVolume {
    /// Its name.
    pub name: Volume,
    /// The domain, group or project that it belongs to.
    pub owner: Owner,
}

#[cfg(test)]
mod tests;
