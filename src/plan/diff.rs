//! The one traversal: for each thing that is wanted the whole way there, less what already holds.

use super::Conflict;
use super::Note;
use super::Plan;
use super::Reason;
use super::Whose;
use super::addresses::lower_half;
use super::builder::PlanBuilder;
use super::builder::StepBuilder;
use crate::desired;
use crate::desired::Desired;
use crate::desired::DesiredNetwork;
use crate::desired::DesiredVolume;
use crate::desired::Proxy;
use crate::desired::Pull;
use crate::desired::Ready;
use crate::docker::Fact;
use crate::docker::Kind;
use crate::docker::Observed;
use crate::docker::Op;
use crate::name::Container;
use crate::name::Image;
use crate::name::Owner;
use crate::name::Project;
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
    let mut plan = PlanBuilder::new(desired, host, options);
    plan.plan.notes.extend(notes(desired, host));
    plan.check_recreate();
    plan.check_whose();
    plan.check_answers();
    plan.images();
    plan.make_way();
    for network in &desired.networks {
        plan.network(network);
    }
    for volume in &desired.volumes {
        plan.volume(volume);
    }
    plan.proxy();
    for workload in &desired.workloads {
        plan.workload(workload);
    }
    plan.routes();
    plan.leave_where_led();
    plan.left_over();
    plan.expect_no_other_answers();
    if plan.conflicts.is_empty() { Ok(plan.plan) } else { Err(plan.conflicts) }
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

impl<'a> PlanBuilder<'a> {
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
            let pull =
                StepBuilder::new(Op::Pull { image: image.clone() }, owner, Reason::NotOnHost).unless(unless);
            let Some(pull) = self.add(pull) else { continue };
            let mut ready = pull;
            if self.desired.auto_volumes {
                let known = paths.into_iter().flatten().map(str::to_owned).collect();
                let op = Op::ExpectVolumes { image: image.clone(), known };
                let check = StepBuilder::new(op, owner, Reason::VolumesUnknown).needs([&pull]);
                ready = self.add(check).unwrap_or(pull);
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
        let step = StepBuilder::new(op, owner, Reason::Missing).unless([Fact::Network(name.clone())]);
        if let Some(id) = self.add(step) {
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
        let step = StepBuilder::new(op, owner, Reason::Missing).unless([Fact::Volume(name.clone())]);
        if let Some(id) = self.add(step) {
            self.volumes.insert(name, id);
        }
    }
}

/// Whose a thing is that carries another project's label.
pub(super) fn whose(project: Option<&Project>) -> Whose {
    project.map_or(Whose::Unknown, |project| Whose::Project(project.clone()))
}
