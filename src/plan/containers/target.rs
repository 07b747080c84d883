//! What a workload asks of its containers: their names, volumes and ports.

use crate::desired::Desired;
use crate::desired::Workload;
use crate::docker::Op;
use crate::name::Container;
use crate::name::Network;
use crate::name::Owner;
use crate::name::Volume;
use crate::spec::Kind;
use crate::spec::Mount;
use crate::spec::Role;
use crate::spec::Source;
use crate::spec::Spec;
use crate::spec::hash;
use crate::spec::host_ports;
use std::time::Duration;

/// A workload, with the values that are worked out once for all its containers.
pub(super) struct Target<'a> {
    pub(super) desired: &'a Desired,
    pub(super) workload: &'a Workload,
    pub(super) spec: Spec,
    /// The release of the containers that this plan makes.
    pub(super) release: u32,
    /// Whether another project made the serving container. Only that project may change its spec.
    pub(super) is_anothers: bool,
    /// The operation that writes the set-up that a container starts from, if there is one.
    pub(super) set_up: Option<Op>,
}

/// The containers that one replica may have.
pub(in crate::plan) struct Slot {
    /// The one that serves.
    pub(in crate::plan) live: Container,
    /// The one that serves next.
    pub(in crate::plan) next: Container,
    /// The one that served before.
    pub(in crate::plan) previous: Container,
}

impl<'a> Target<'a> {
    pub(super) fn new(desired: &'a Desired, workload: &'a Workload) -> Self {
        Self { desired, workload, spec: workload.spec(), release: 0, is_anothers: false, set_up: None }
    }

    /// The proxy, with this spec. It has no releases: all projects plan for the same container.
    pub(super) fn shared(
        desired: &'a Desired,
        workload: &'a Workload,
        spec: Spec,
        is_anothers: bool,
    ) -> Self {
        Self { desired, workload, spec, release: 1, is_anothers, set_up: None }
    }

    /// Whether all projects of the host share it.
    pub(super) fn is_shared(&self) -> bool {
        self.workload.kind == Kind::Proxy
    }

    pub(super) fn owner(&self) -> &'a Owner {
        &self.workload.owner
    }

    /// The restart policy of its proved containers.
    pub(super) fn restart(&self) -> &'a str {
        &self.workload.runtime.restart
    }

    /// The time that the containers which this plan makes have to end by themselves.
    pub(super) fn stop_timeout(&self) -> Duration {
        self.workload.runtime.settings.stop_timeout().unwrap_or(self.desired.stop_timeout)
    }

    pub(super) fn slots(&self) -> Vec<Slot> {
        slots(self.workload)
    }
}

impl Slot {
    pub(in crate::plan) fn names(self) -> [Container; 3] {
        [self.live, self.next, self.previous]
    }
}

/// The container names of each replica of a workload.
pub(in crate::plan) fn slots(workload: &Workload) -> Vec<Slot> {
    let slot = |replica| Slot {
        live: workload.container(Role::Serving, replica),
        next: workload.container(Role::Incoming, replica),
        previous: workload.container(Role::Previous, replica),
    };
    (1..=workload.replicas).map(slot).collect()
}

/// Docker's default network. It has no DNS, no aliases and no chosen addresses.
pub(super) fn default_bridge() -> Network {
    Network::parse("bridge").expect("docker names it so")
}

/// The named volumes that a workload mounts, with their paths inside the container.
pub(in crate::plan) fn named_volumes(workload: &Workload) -> impl Iterator<Item = (&Volume, &str)> {
    let mounts = workload.runtime.mounts.iter().chain(&workload.image_mounts);
    mounts.filter_map(|Mount { source, target, .. }| match source {
        Source::Volume(volume) => Some((volume, target.as_str())),
        Source::Host(_) | Source::Folder(_) => None,
    })
}

/// The ports of the host that a workload publishes.
pub(in crate::plan) fn published(workload: &Workload) -> impl Iterator<Item = u16> {
    workload.runtime.ports.iter().flat_map(|port| host_ports(port))
}

/// The hash of the app's env files that a service inherits.
pub(super) fn inherited(workload: &Workload) -> Option<String> {
    let files = workload.runtime.env_files.iter().filter(|file| file.inherited);
    let contents: Vec<&str> = files.map(|file| file.content.as_str()).collect();
    (!contents.is_empty()).then(|| hash(&contents.join(" ")))
}
