//! What a workload asks of its containers: which there may be, what they mount and publish.

use crate::desired::Desired;
use crate::desired::Role;
use crate::desired::Workload;
use crate::docker::Kind;
use crate::docker::Mount;
use crate::docker::Op;
use crate::docker::Source;
use crate::docker::Spec;
use crate::docker::hash;
use crate::docker::host_ports;
use crate::name::Container;
use crate::name::Network;
use crate::name::Owner;
use crate::name::Volume;

/// A workload with all that is worked out once for its containers.
pub(super) struct Target<'a> {
    pub(super) desired: &'a Desired,
    pub(super) workload: &'a Workload,
    pub(super) spec: Spec,
    /// The release of the containers that are made.
    pub(super) release: u32,
    /// Another project made the container that serves: only that one may change what it is.
    pub(super) is_anothers: bool,
    /// What writes the set-up that a container starts from, where there is one.
    pub(super) set_up: Option<Op>,
}

/// The containers that one replica may have.
pub(in crate::plan) struct Slot {
    /// The one that serves.
    pub(in crate::plan) live: Container,
    /// The one that is about to.
    pub(in crate::plan) next: Container,
    /// The one that did.
    pub(in crate::plan) previous: Container,
}

impl<'a> Target<'a> {
    pub(super) fn new(desired: &'a Desired, workload: &'a Workload) -> Self {
        Self { desired, workload, spec: workload.spec(), release: 0, is_anothers: false, set_up: None }
    }

    /// The proxy, which has this spec. It has no releases: each project that plans for it means the same one.
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

    /// The restart policy of its containers once they have proved themselves.
    pub(super) fn restart(&self) -> &'a str {
        &self.workload.runtime.restart
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

/// The containers that each replica of a workload may have.
pub(in crate::plan) fn slots(workload: &Workload) -> Vec<Slot> {
    let slot = |replica| Slot {
        live: workload.container(Role::Serving, replica),
        next: workload.container(Role::Incoming, replica),
        previous: workload.container(Role::Previous, replica),
    };
    (1..=workload.replicas).map(slot).collect()
}

/// Docker's default network: no DNS, no aliases, no addresses of one's own.
pub(super) fn default_bridge() -> Network {
    Network::parse("bridge").expect("docker names it so")
}

/// The named volumes that a workload mounts, with their paths inside.
pub(in crate::plan) fn named_volumes(workload: &Workload) -> impl Iterator<Item = (&Volume, &str)> {
    let mounts = workload.runtime.mounts.iter().chain(&workload.learned);
    mounts.filter_map(|Mount { source, target, .. }| match source {
        Source::Volume(volume) => Some((volume, target.as_str())),
        Source::Host(_) | Source::Folder(_) => None,
    })
}

/// The ports of the host that a workload publishes.
pub(in crate::plan) fn published(workload: &Workload) -> impl Iterator<Item = u16> {
    workload.runtime.ports.iter().flat_map(|port| host_ports(port))
}

/// The hash of the env files that a service has from its app.
pub(super) fn inherited(workload: &Workload) -> Option<String> {
    let files = workload.runtime.env_files.iter().filter(|file| file.inherited);
    let contents: Vec<&str> = files.map(|file| file.content.as_str()).collect();
    (!contents.is_empty()).then(|| hash(&contents.join(" ")))
}
