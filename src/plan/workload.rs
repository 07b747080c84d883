//! Brings one workload up: what keeps it from being brought up, what has to be there before, and what is done with each
//! of its containers: made, replaced, rolled out, repaired, started, awaited.

use super::Blocked;
use super::BlockedBy;
use super::Change;
use super::Conflict;
use super::LeftData;
use super::Note;
use super::Reason;
use super::Risk;
use super::StepId;
use super::Told;
use super::builder::Availability;
use super::builder::PlanBuilder;
use super::diff::whose;
use super::proxy;
use crate::desired::Ready;
use crate::desired::Role;
use crate::desired::Strategy;
use crate::desired::Workload;
use crate::docker::Asker;
use crate::docker::Current;
use crate::docker::Fact;
use crate::docker::HttpCheck;
use crate::docker::Kind;
use crate::docker::Mount;
use crate::docker::Op;
use crate::docker::SeenContainer;
use crate::docker::Source;
use crate::docker::Spec;
use crate::docker::hash;
use crate::docker::host_ports;
use crate::name::Container;
use crate::name::EnvKey;
use crate::name::Network;
use crate::name::Volume;
use std::collections::BTreeSet;
use std::sync::Arc;

/// A workload with all that is worked out once for its containers.
pub(super) struct Job<'a> {
    pub(super) workload: &'a Workload,
    pub(super) spec: Spec,
    /// The release of the containers that are made.
    pub(super) release: u32,
}

/// The containers that one replica may have.
pub(super) struct Place {
    /// The one that serves.
    pub(super) name: Container,
    /// The one that is about to.
    pub(super) incoming: Container,
    /// The one that did.
    pub(super) previous: Container,
}

/// What the steps that do something to a container have in common.
#[derive(Clone)]
pub(super) struct Setting {
    pub(super) reason: Reason,
    /// The steps that come before.
    pub(super) needs: Vec<StepId>,
    /// What restores the state before when one of them fails.
    pub(super) undo: Vec<Op>,
    /// What makes all of them unnecessary.
    pub(super) done: Vec<Fact>,
    pub(super) risk: Risk,
    /// Whether the container stands still while it is away from a network.
    pub(super) pauses: bool,
    /// Whether each of them goes on where the one before has begun.
    pub(super) unbroken: bool,
}

impl Setting {
    pub(super) fn new(reason: Reason, needs: &[StepId]) -> Self {
        let (needs, undo, done) = (needs.to_vec(), Vec::new(), Vec::new());
        Self { reason, needs, undo, done, risk: Risk::None, pauses: false, unbroken: false }
    }
}

impl Workload {
    /// The containers that each of its replicas may have.
    pub(super) fn places(&self) -> Vec<Place> {
        let place = |replica| Place {
            name: self.container(Role::Serving, replica),
            incoming: self.container(Role::Incoming, replica),
            previous: self.container(Role::Previous, replica),
        };
        (1..=self.replicas).map(place).collect()
    }
}

impl<'a> PlanBuilder<'a> {
    pub(super) fn workload(&mut self, workload: &'a Workload) {
        if let Some(cause) = self.obstacle(workload) {
            let blocked = Blocked { container: workload.name(), owner: workload.owner.clone(), cause };
            self.plan.blocked.push(blocked);
            self.up.insert(&workload.stem, Availability::Blocked);
            return;
        }
        let places = workload.places();
        let mut is_ours = true;
        for place in &places {
            for name in [&place.name, &place.incoming, &place.previous] {
                is_ours &= self.is_ours(name);
            }
        }
        let mut steps = Vec::new();
        if is_ours {
            let spec = workload.spec();
            let release = self.release(workload, &places, &spec);
            let job = Job { workload, spec, release };
            let names = places.iter().flat_map(|place| [&place.name, &place.incoming, &place.previous]);
            let mut woken: Vec<StepId> = Vec::new();
            for name in names {
                woken.extend(self.wake(&workload.owner, name));
                woken.extend(self.stop_restarting(&workload.owner, name, &workload.runtime.restart));
            }
            let mut before = self.needs(workload);
            before.extend(&woken);
            let from = self.plan.steps().len();
            if workload.kind == Kind::App {
                before = self.tidy_up(&job, &places, &before);
            }
            if self.plan.steps().len() > from {
                // the name may change hands
                steps.extend(&before);
            }
            let from = self.plan.steps().len();
            steps.extend(match workload.strategy {
                Strategy::Rolling => self.roll(&job, &places, &before),
                Strategy::Recreate(_) => self.replace(&job, &places, &before),
            });
            let new = self.plan.steps()[from..].iter().map(|step| step.id);
            let all: Vec<StepId> = before.iter().copied().chain(new).collect();
            for place in &places {
                self.forget(&job, place, &all);
            }
            steps.extend(woken);
        }
        self.up.insert(&workload.stem, Availability::After(steps));
    }

    /// What keeps a workload from being brought up.
    fn obstacle(&self, workload: &Workload) -> Option<BlockedBy> {
        let images = [Some(&workload.image), workload.ready.asker_image()];
        for image in images.into_iter().flatten() {
            if let Some(message) = self.now.images.unavailable.get(image) {
                return Some(BlockedBy::Image { image: image.clone(), message: message.clone() });
            }
        }
        if let Ready::Answers(HttpCheck { asker: Asker::Proxy, .. }, _) = &workload.ready
            && matches!(self.proxy, Availability::Blocked)
        {
            return Some(BlockedBy::Needs(proxy::name()));
        }
        let is_blocked = |stem: &&String| matches!(self.up.get(stem.as_str()), Some(Availability::Blocked));
        workload.needs.iter().filter(is_blocked).find_map(|stem| {
            let name = Container::parse(stem.as_str()).expect("a service's stem is its container's name");
            (!Fact::Running(name.clone()).holds(&self.now)).then_some(BlockedBy::Needs(name))
        })
    }

    /// The steps that come before the first of a workload.
    fn needs(&self, workload: &Workload) -> Vec<StepId> {
        let mut needs: Vec<StepId> = Vec::new();
        needs.extend(self.images.get(&workload.image));
        needs.extend(
            workload.attachments.iter().filter_map(|attachment| self.networks.get(&attachment.network)),
        );
        for volume in named_volumes(workload).map(|(volume, _)| volume) {
            needs.extend(self.volumes.get(volume));
            needs.extend(self.freed_volumes.get(volume).into_iter().flatten());
        }
        for port in published(workload) {
            needs.extend(self.freed_ports.get(&port).into_iter().flatten());
        }
        for stem in &workload.needs {
            if let Some(Availability::After(steps)) = self.up.get(stem.as_str()) {
                needs.extend(steps);
            }
        }
        needs
    }

    /// Whether nobody else has a container of this name.
    fn is_ours(&mut self, name: &Container) -> bool {
        let Some(seen) = self.now.containers.get(name) else { return true };
        if seen.project.as_ref() == Some(&self.desired.project) {
            return true;
        }
        let conflict = if seen.project.is_some() || seen.kind.is_some() {
            Conflict::OthersContainer(name.clone(), whose(seen.project.as_ref()))
        } else {
            Conflict::ForeignContainer(name.clone())
        };
        self.conflicts.push(conflict);
        false
    }

    /// One more than the highest release on the host, unless that one is what is wanted.
    fn release(&self, workload: &Workload, places: &[Place], spec: &Spec) -> u32 {
        let names = places.iter().flat_map(|place| [&place.name, &place.incoming, &place.previous]);
        let seen: Vec<_> = names.filter_map(|name| self.now.containers.get_key_value(name)).collect();
        let highest = seen.iter().map(|(_, container)| container.release).max().unwrap_or(0);
        let is_wanted = seen.iter().any(|(name, container)| {
            container.release == highest && self.outdated(workload, spec, name, container).is_none()
        });
        let is_asked = seen.iter().any(|(name, _)| self.options.recreate.contains(name.as_str()));
        if is_wanted && !is_asked { highest } else { highest + 1 }
    }

    /// A container that is what it should be stays: it is put into its networks, started and awaited.
    pub(super) fn keep(&mut self, job: &Job<'_>, name: &Container, before: &[StepId]) -> Vec<StepId> {
        let from = self.plan.steps().len();
        self.repair(job.workload, name, before);
        let reason = self.why_awaited(name, &job.workload.runtime.restart);
        let is_repaired = self.plan.steps().len() > from;
        let setting = Setting::new(Reason::NotRunning, &self.last(from, before));
        let started = self.start(job.workload, name, &setting);
        if started.is_some()
            || self.is_unready(job.workload, name)
            || is_repaired && job.workload.ready != Ready::StaysUp
        {
            self.settle(job.workload, name, reason, &self.last(from, before));
        }
        let setting = Setting::new(Reason::Ready, &self.last(from, before));
        self.keep_up(&job.workload.owner, name, &job.workload.runtime.restart, &setting);
        self.note(job.workload, name);
        if self.plan.steps().len() > from { self.last(from, before) } else { Vec::new() }
    }

    /// The last step since `from`, after which all of them are done; without one, those `before`.
    pub(super) fn last(&self, from: usize, before: &[StepId]) -> Vec<StepId> {
        match self.plan.steps()[from..].last() {
            Some(step) => vec![step.id],
            None => before.to_vec(),
        }
    }

    /// Why a container has to be replaced, when it has to.
    pub(super) fn outdated(
        &self,
        workload: &Workload,
        spec: &Spec,
        name: &Container,
        seen: &SeenContainer,
    ) -> Option<Reason> {
        if self.options.recreate.contains(name.as_str()) {
            return Some(Reason::Asked);
        }
        let (image, env) = (&workload.image, workload.runtime.env.as_slice());
        let told = Told { spec, image, env, env_files: &workload.own_env_file_paths() };
        let changes = Change::between(seen, told);
        if !changes.is_empty() {
            return Some(Reason::Changed(changes));
        }
        let here = self.now.images.here.get(&workload.image).and_then(|image| image.id.as_ref());
        if let (Some(to), Some(from)) = (here, &seen.image)
            && to != from
        {
            let (from, to) = (from.clone(), to.clone());
            return Some(Reason::ImageMoved { image: workload.image.clone(), from, to });
        }
        let has_changed = |key: &&EnvKey| match (self.desired.secrets.get(key), seen.env.get(key)) {
            (Some(wanted), Some(had)) => wanted != had,
            _ => false,
        };
        let secrets: Vec<_> = workload.runtime.secrets.iter().filter(has_changed).cloned().collect();
        if !secrets.is_empty() {
            return Some(Reason::SecretsChanged(secrets));
        }
        if let Some((_, path)) =
            named_volumes(workload).find(|(volume, path)| seen.volumes.get(*path) != Some(volume))
        {
            return Some(Reason::NotMounted(path.to_owned()));
        }
        let gone = seen.memberships.iter().find(|(_, membership)| membership.stale);
        gone.map(|(network, _)| Reason::NetworkGone(network.clone()))
    }

    /// Marks the data that the container that serves leaves behind when it is replaced: an image that has moved its VOLUME, or
    /// a volume with another name, begin empty. Only a person can say that this is meant.
    pub(super) fn leave_data(&mut self, job: &Job<'_>, name: &Container, serving: Option<&SeenContainer>) {
        if let Some(seen) = serving {
            self.leave_data_unless(name, seen, &self.mounted.clone(), &self.is_current(job, name));
        }
    }

    /// The same for a successor that mounts some volumes, and that is there once a fact holds.
    pub(super) fn leave_data_unless(
        &mut self,
        name: &Container,
        serving: &SeenContainer,
        mounted: &BTreeSet<&Volume>,
        is_done: &Fact,
    ) {
        let left = serving.volumes.values().filter(|volume| {
            let is_there = self.now.volumes.contains_key(*volume);
            is_there && !volume.is_anonymous() && !mounted.contains(volume)
        });
        for volume in left.cloned().collect::<BTreeSet<_>>() {
            if !self.options.leave_data.contains(volume.as_str()) {
                self.expect(
                    vec![is_done.clone()],
                    format!(
                        "{name} would leave its data behind, in volume {volume}: let the config mount it, or say `--leave-data {volume}`"
                    ),
                );
            }
            self.plan.left_data.push(LeftData { container: name.clone(), volume });
        }
    }

    pub(super) fn current(&self, job: &Job<'_>, name: &Container) -> Current {
        Current {
            name: name.clone(),
            project: self.desired.project.clone(),
            spec: job.spec.clone(),
            image: job.workload.image.clone(),
            release: (!self.options.offline).then_some(job.release),
            volumes: named_volumes(job.workload)
                .map(|(volume, path)| (volume.clone(), path.to_owned()))
                .collect(),
        }
    }

    /// The fact that a container is the one that is wanted.
    pub(super) fn is_current(&self, job: &Job<'_>, name: &Container) -> Fact {
        Fact::Current(Arc::new(self.current(job, name)))
    }

    /// The fact that a container is the one that was seen, if under another name.
    pub(super) fn is_seen(&self, name: &Container, seen: &SeenContainer) -> Fact {
        let (project, spec) = (self.desired.project.clone(), seen.spec.clone());
        Fact::Has { name: name.clone(), project, spec, release: seen.release }
    }

    /// What a person should know of a container that stays.
    pub(super) fn note(&mut self, workload: &Workload, name: &Container) {
        let seen = &self.now.containers[name];
        let mut notes = Vec::new();
        let inherited_file = workload.runtime.env_files.iter().find(|file| file.inherited);
        if let Some(file) = inherited_file
            && seen.inherits != inherited(workload)
        {
            notes.push(Note::EnvInherited { container: name.clone(), path: file.path.clone() });
        }
        self.plan.notes.extend(notes);
    }
}

/// Docker's default network: no DNS, no aliases, no addresses of one's own.
pub(super) fn default_bridge() -> Network {
    Network::parse("bridge").expect("docker names it so")
}

/// The named volumes that a workload mounts, with their paths inside.
pub(super) fn named_volumes(workload: &Workload) -> impl Iterator<Item = (&Volume, &str)> {
    let mounts = workload.runtime.mounts.iter().chain(&workload.learned);
    mounts.filter_map(|Mount { source, target, .. }| match source {
        Source::Volume(volume) => Some((volume, target.as_str())),
        Source::Host(_) | Source::Folder(_) => None,
    })
}

/// The ports of the host that a workload publishes.
pub(super) fn published(workload: &Workload) -> impl Iterator<Item = u16> {
    workload.runtime.ports.iter().flat_map(|port| host_ports(port))
}

/// The hash of the env files that a service has from its app.
pub(super) fn inherited(workload: &Workload) -> Option<String> {
    let contents: Vec<&str> = workload
        .runtime
        .env_files
        .iter()
        .filter(|file| file.inherited)
        .map(|file| file.content.as_str())
        .collect();
    (!contents.is_empty()).then(|| hash(&contents.join(" ")))
}
