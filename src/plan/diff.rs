//! The one traversal: for each thing that is wanted the whole way there, less what already holds. It walks on a model
//! of the host that each step advances, so what follows is planned from what will be.

use super::Conflict;
use super::Expect;
use super::NewStep;
use super::Note;
use super::Plan;
use super::Reason;
use super::Risk;
use super::StepId;
use super::Whose;
use super::addresses::Addresses;
use super::addresses::lower_half;
use super::simulate;
use super::workload::Setting;
use super::workload::named_volumes;
use crate::desired;
use crate::desired::Desired;
use crate::desired::DesiredNetwork;
use crate::desired::DesiredVolume;
use crate::desired::Proxy;
use crate::desired::Pull;
use crate::desired::Ready;
use crate::docker::Claim;
use crate::docker::Fact;
use crate::docker::Kind;
use crate::docker::Labels;
use crate::docker::Observed;
use crate::docker::Op;
use crate::name::Container;
use crate::name::Image;
use crate::name::Network;
use crate::name::Owner;
use crate::name::Project;
use crate::name::Volume;
use std::collections::BTreeMap;
use std::collections::BTreeSet;

/// What a person asks for beside the config.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Containers that are made anew though nothing about them changed.
    pub recreate: BTreeSet<String>,
    /// This config takes the place of another one of the same name.
    pub replace: bool,
    /// Nothing is known of the host: the plan is for an empty one.
    pub offline: bool,
    /// Volumes that containers may leave behind with their data.
    pub leave_data: BTreeSet<String>,
}

/// The plan that brings `host` to what is `desired`.
///
/// # Errors
/// Everything on the host that stands in the way.
pub fn diff(desired: &Desired, host: &Observed, options: &Options) -> Result<Plan, Vec<Conflict>> {
    let mut draft = Draft::new(desired, host, options);
    draft.plan.notes.extend(notes(desired, host));
    draft.check_recreate();
    draft.check_whose();
    draft.check_answers();
    draft.images();
    draft.make_way();
    for network in &desired.networks {
        draft.network(network);
    }
    for volume in &desired.volumes {
        draft.volume(volume);
    }
    draft.proxy();
    for workload in &desired.workloads {
        draft.workload(workload);
    }
    draft.routes();
    draft.leave_where_led();
    draft.left_over();
    draft.expect_no_other_answers();
    if draft.conflicts.is_empty() { Ok(draft.plan) } else { Err(draft.conflicts) }
}

/// What the config gives to note; not what is unknown of images that cannot be had, whose apps are left out, nor of
/// ports to which no proxy leads and at which nobody is asked whether he is ready.
fn notes(desired: &Desired, host: &Observed) -> impl Iterator<Item = Note> {
    let is_asked = |name: &Container| {
        let mut workloads = desired.workloads.iter();
        workloads.any(|workload| matches!(workload.ready, Ready::Answers(..)) && workload.name() == *name)
    };
    let is_moot = move |note: &&desired::Note| match note {
        desired::Note::ImageUnknown { image, .. } => host.images.unavailable.contains_key(image),
        desired::Note::PortAssumed { containers, .. } => {
            desired.proxy.is_none() && !containers.iter().any(is_asked)
        }
        desired::Note::AskedBeside { .. } | desired::Note::AliasLeftOut { .. } => false,
    };
    desired.notes.iter().filter(move |note| !is_moot(note)).cloned().map(Note::Config)
}

/// A plan in the making.
pub(super) struct Draft<'a> {
    pub(super) desired: &'a Desired,
    pub(super) options: &'a Options,
    /// The host as it is.
    pub(super) host: &'a Observed,
    /// The host as the steps so far leave it.
    pub(super) now: Observed,
    pub(super) plan: Plan,
    pub(super) conflicts: Vec<Conflict>,
    /// The other projects of which there is something on the host.
    pub(super) others: BTreeSet<&'a Project>,
    pub(super) addresses: Addresses,
    /// The volumes that the config's containers mount.
    pub(super) mounted: BTreeSet<&'a Volume>,
    /// The steps that make an image, a network or a volume available.
    pub(super) images: BTreeMap<&'a Image, StepId>,
    pub(super) networks: BTreeMap<&'a Network, StepId>,
    pub(super) volumes: BTreeMap<&'a Volume, StepId>,
    /// The steps by which containers leave a network, or let go of a volume or of a port of the host.
    pub(super) left_networks: BTreeMap<Network, Vec<StepId>>,
    pub(super) freed_volumes: BTreeMap<Volume, Vec<StepId>>,
    pub(super) freed_ports: BTreeMap<u16, Vec<StepId>>,
    /// By stem: what has to be done before a workload is up, or why it will not be.
    pub(super) up: BTreeMap<&'a str, Up>,
    /// The steps by which the proxy joins a network.
    pub(super) joined: BTreeMap<Network, StepId>,
    /// How far the proxy comes, before it joins the networks of apps.
    pub(super) proxy: Up,
    /// The step by which the proxy no longer leads to what goes.
    pub(super) unrouted: Option<StepId>,
}

/// How far a workload comes.
pub(super) enum Up {
    /// It is ready after these steps; after none, it is already.
    After(Vec<StepId>),
    /// It is left as it is.
    Blocked,
}

/// A step about to be pushed; what it says of itself is filled in by the methods of this type.
pub(super) struct Draw {
    step: NewStep,
}

impl Draw {
    pub(super) fn new(op: Op, owner: &Owner, reason: Reason) -> Self {
        let step = NewStep {
            op,
            owner: owner.clone(),
            reason,
            unless: Vec::new(),
            needs: Vec::new(),
            after: Vec::new(),
            undo: Vec::new(),
            risk: Risk::None,
            unbroken: false,
        };
        Self { step }
    }

    /// A step that does something to a container of `owner`.
    pub(super) fn set(op: Op, owner: &Owner, setting: &Setting) -> Self {
        let Setting { reason, needs, undo, done, risk, pauses: _, unbroken } = setting;
        let mut draw = Self::new(op, owner, reason.clone()).unless(done.iter().cloned());
        draw.step.unbroken = *unbroken;
        draw.needs(needs).undo(undo).risk(*risk)
    }

    pub(super) fn unless(mut self, facts: impl IntoIterator<Item = Fact>) -> Self {
        self.step.unless.extend(facts);
        self
    }

    pub(super) fn needs<'s>(mut self, steps: impl IntoIterator<Item = &'s StepId>) -> Self {
        self.step.needs.extend(steps);
        self
    }

    pub(super) fn after<'s>(mut self, steps: impl IntoIterator<Item = &'s StepId>) -> Self {
        self.step.after.extend(steps);
        self
    }

    pub(super) fn undo(mut self, ops: &[Op]) -> Self {
        self.step.undo.extend_from_slice(ops);
        self
    }

    pub(super) fn risk(mut self, risk: Risk) -> Self {
        self.step.risk = risk;
        self
    }
}

impl<'a> Draft<'a> {
    pub(super) fn new(desired: &'a Desired, host: &'a Observed, options: &'a Options) -> Self {
        let mounted = desired.workloads.iter().flat_map(named_volumes);
        let projects = host.containers.values().filter_map(|seen| seen.project.as_ref());
        Self {
            desired,
            options,
            host,
            now: host.clone(),
            plan: Plan::new(desired.project.clone()),
            conflicts: Vec::new(),
            others: projects.filter(|project| **project != desired.project).collect(),
            addresses: Addresses::of(host, desired.address_pool),
            mounted: mounted.map(|(volume, _)| volume).collect(),
            images: BTreeMap::new(),
            networks: BTreeMap::new(),
            volumes: BTreeMap::new(),
            left_networks: BTreeMap::new(),
            freed_volumes: BTreeMap::new(),
            freed_ports: BTreeMap::new(),
            up: BTreeMap::new(),
            joined: BTreeMap::new(),
            proxy: Up::Blocked,
            unrouted: None,
        }
    }

    /// Appends a step, unless one of its facts holds on the model.
    pub(super) fn draw(&mut self, draw: Draw) -> Option<StepId> {
        if draw.step.unless.iter().any(|fact| fact.holds(&self.now)) {
            return None;
        }
        let (left, freed, ports) = self.lets_go_of(&draw.step.op);
        if let Err(refused) = simulate(&mut self.now, &draw.step.op) {
            // what stands in the way was noted already; without a conflict it is a defect of this module
            assert!(
                !self.conflicts.is_empty(),
                "no step is planned that docker refuses: {refused}: {:?}",
                draw.step.op
            );
            return None;
        }
        let id = self.plan.push(draw.step);
        for network in left {
            self.left_networks.entry(network).or_default().push(id);
        }
        for volume in freed {
            self.freed_volumes.entry(volume).or_default().push(id);
        }
        for port in ports {
            self.freed_ports.entry(port).or_default().push(id);
        }
        Some(id)
    }

    /// The networks, volumes and ports that a container no longer holds after an operation.
    fn lets_go_of(&self, op: &Op) -> (Vec<Network>, Vec<Volume>, Vec<u16>) {
        match op {
            Op::Disconnect { network, .. } => (vec![network.clone()], Vec::new(), Vec::new()),
            Op::Remove { name } => self.now.containers.get(name).map_or_else(Default::default, |seen| {
                let networks = seen.memberships.keys().cloned().collect();
                (networks, seen.volumes.values().cloned().collect(), seen.ports.iter().copied().collect())
            }),
            _ => Default::default(),
        }
    }

    pub(super) fn expect(&mut self, any: Vec<Fact>, otherwise: impl Into<String>) {
        self.plan.expects.push(Expect { any, otherwise: otherwise.into() });
    }

    /// Before anything is changed, a container is as it is now, or as a part of this same plan leaves it, which is `any`.
    pub(super) fn expect_as_it_is(&mut self, name: &Container, mut any: Vec<Fact>) {
        let as_it_is = match self.host.containers.get(name) {
            Some(seen) => self.is_seen(name, seen),
            None => Fact::Absent(name.clone()),
        };
        if !any.contains(&as_it_is) {
            any.push(as_it_is);
        }
        self.expect(any, format!("{name} is not as it was when this was planned"));
    }

    pub(super) fn labels(&self, kind: Kind, owner: &Owner, name: &str) -> Labels {
        let claim = Claim::Owned(self.desired.project.clone());
        Labels { claim, kind, owner: owner.clone(), name: name.to_owned(), release: None }
    }

    fn check_recreate(&mut self) {
        if self.options.recreate.is_empty() {
            return;
        }
        let known: BTreeSet<Container> = self
            .desired
            .workloads
            .iter()
            .flat_map(|w| (1..=w.replicas).map(|i| w.container(desired::Role::Serving, i)))
            .collect();
        let unknown = self.options.recreate.iter().filter(|name| !known.iter().any(|k| k.as_str() == *name));
        self.conflicts.extend(unknown.cloned().map(Conflict::UnknownContainer));
    }

    fn images(&mut self) {
        let mut known: BTreeMap<&Image, Option<BTreeSet<&str>>> = BTreeMap::new();
        for workload in &self.desired.workloads {
            let mounts = workload.runtime.mounts.iter().chain(&workload.learned);
            let paths: BTreeSet<&str> = mounts.map(|mount| mount.target.trim_end_matches('/')).collect();
            // what one workload of an image cannot keep is not known, whatever the others can
            let entry = known.entry(&workload.image).or_insert_with(|| Some(paths.clone()));
            *entry = entry.take().map(|so_far| so_far.intersection(&paths).copied().collect());
        }
        for image in self.desired.own_images() {
            known.entry(image).or_insert_with(|| Some(Proxy::paths().into()));
        }
        for (image, paths) in known {
            if self.now.images.unavailable.contains_key(image) {
                continue;
            }
            let unless = match self.desired.pull {
                Pull::Never => {
                    self.expect(
                        vec![Fact::Image(image.clone())],
                        format!("image {image} is not on this host"),
                    );
                    continue;
                }
                Pull::Missing => Some(Fact::Image(image.clone())),
                // what is on the host was pulled before this was planned
                Pull::Always if self.now.images.here.contains_key(image) => continue,
                Pull::Always => None,
            };
            let owner = &Owner::from(&self.desired.project);
            let pull = Draw::new(Op::Pull { image: image.clone() }, owner, Reason::NotOnHost).unless(unless);
            let Some(pull) = self.draw(pull) else { continue };
            let mut ready = pull;
            if self.desired.auto_volumes {
                let known = paths.into_iter().flatten().map(str::to_owned).collect();
                let op = Op::ExpectVolumes { image: image.clone(), known };
                let check = Draw::new(op, owner, Reason::VolumesUnknown).needs([&pull]);
                ready = self.draw(check).unwrap_or(pull);
            }
            self.images.insert(image, ready);
        }
    }

    fn network(&mut self, wanted: &'a DesiredNetwork) {
        let DesiredNetwork { name, owner, addresses } = wanted;
        let project = &self.desired.project;
        let usable = Fact::NetworkUsable(name.clone(), project.clone());
        if let Some(seen) = self.now.networks.get(name) {
            if !usable.holds(&self.now) {
                self.conflicts.push(Conflict::OthersNetwork(name.clone(), whose(seen.project.as_ref())));
            } else if !seen.managed {
                self.plan.notes.push(Note::NetworkReused(name.clone()));
            }
            return;
        }
        let Some(subnet) = self.addresses.subnet(name, *addresses) else {
            let (pool, free) = (self.desired.address_pool, self.addresses.free_range());
            self.conflicts.push(Conflict::PoolFull { network: name.clone(), pool, free });
            return;
        };
        self.expect(
            vec![Fact::NoNetwork(name.clone()), usable],
            format!("network {name} belongs to another project"),
        );
        let labels = self.labels(Kind::Network, owner, name.as_str());
        let op = Op::CreateNetwork { name: name.clone(), subnet, range: lower_half(subnet), labels };
        let step = Draw::new(op, owner, Reason::Missing).unless([Fact::Network(name.clone())]);
        if let Some(id) = self.draw(step) {
            self.networks.insert(name, id);
        }
    }

    fn volume(&mut self, wanted: &'a DesiredVolume) {
        let DesiredVolume { name, owner } = wanted;
        let usable = Fact::VolumeUsable(name.clone(), self.desired.project.clone());
        if let Some(seen) = self.now.volumes.get(name) {
            if !usable.holds(&self.now) {
                self.conflicts.push(Conflict::OthersVolume(name.clone(), whose(seen.project.as_ref())));
            } else if !seen.managed {
                self.plan.notes.push(Note::VolumeReused(name.clone()));
            }
            return;
        }
        self.expect(
            vec![Fact::NoVolume(name.clone()), usable],
            format!("volume {name} belongs to another project"),
        );
        let op =
            Op::CreateVolume { name: name.clone(), labels: self.labels(Kind::Volume, owner, name.as_str()) };
        let step = Draw::new(op, owner, Reason::Missing).unless([Fact::Volume(name.clone())]);
        if let Some(id) = self.draw(step) {
            self.volumes.insert(name, id);
        }
    }
}

/// Whose a thing is that carries another project's label.
pub(super) fn whose(project: Option<&Project>) -> Whose {
    project.map_or(Whose::Unknown, |project| Whose::Project(project.clone()))
}
