//! Brings one workload up: makes what is missing, replaces what was told something else, repairs networks and aliases,
//! starts what does not run, and waits until it is ready.

use super::Blocked;
use super::BlockedBy;
use super::Change;
use super::Conflict;
use super::Draft;
use super::Note;
use super::Reason;
use super::Risk;
use super::StepId;
use super::diff::Draw;
use super::diff::Up;
use super::diff::whose;
use crate::desired::Ready;
use crate::desired::Role;
use crate::desired::Workload;
use crate::docker::Await;
use crate::docker::Current;
use crate::docker::Fact;
use crate::docker::Health;
use crate::docker::Launch;
use crate::docker::Membership;
use crate::docker::Mount;
use crate::docker::Op;
use crate::docker::Release;
use crate::docker::SeenContainer;
use crate::docker::Source;
use crate::docker::Spec;
use crate::docker::State;
use crate::docker::hash;
use crate::name::Container;
use crate::name::Network;
use crate::name::Owner;
use crate::name::Volume;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

/// How long a container without a health check has to run before what needs it starts.
const SETTLES: Duration = Duration::from_secs(1);

/// How long one has to run before the container that it replaces is removed.
const PROVES_ITSELF: Duration = Duration::from_secs(5);

/// A workload with all that is worked out once for its containers.
struct Job<'a> {
    workload: &'a Workload,
    spec: Spec,
    /// The release of the containers that are made.
    release: u32,
}

/// The container that stands where a replica is wanted.
struct Place {
    name: Container,
    previous: Container,
}

impl<'a> Draft<'a> {
    pub(super) fn workload(&mut self, workload: &'a Workload) {
        if let Some(cause) = self.obstacle(workload) {
            let blocked = Blocked { container: workload.name(), owner: workload.owner.clone(), cause };
            self.plan.blocked.push(blocked);
            self.up.insert(&workload.stem, Up::Blocked);
            return;
        }
        let spec = workload.spec();
        let release = self.release(workload, &spec);
        let job = Job { workload, spec, release };
        let before = self.needs(workload);
        let mut steps = Vec::new();
        let mut replaced: Vec<StepId> = Vec::new();
        for replica in 1..=workload.replicas {
            let place = Place {
                name: workload.container(Role::Serving, replica),
                previous: workload.container(Role::Previous, replica),
            };
            if !self.is_ours(&place.name) || !self.is_ours(&place.previous) {
                continue;
            }
            let is_there = self.now.containers.contains_key(&place.name);
            // one replica is replaced after the other, so that some always serve
            let needs: Vec<StepId> =
                if is_there { before.iter().chain(&replaced).copied().collect() } else { before.clone() };
            let last = self.replica(&job, &place, &needs);
            if is_there {
                replaced.extend(&last);
            }
            steps.extend(last);
        }
        self.up.insert(&workload.stem, Up::After(steps));
    }

    /// What keeps a workload from being brought up.
    fn obstacle(&self, workload: &Workload) -> Option<BlockedBy> {
        if let Some(message) = self.now.images.unavailable.get(&workload.image) {
            return Some(BlockedBy::Image { image: workload.image.clone(), message: message.clone() });
        }
        let is_blocked = |stem: &&String| matches!(self.up.get(stem.as_str()), Some(Up::Blocked));
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
        for stem in &workload.needs {
            if let Some(Up::After(steps)) = self.up.get(stem.as_str()) {
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
    fn release(&self, workload: &Workload, spec: &Spec) -> u32 {
        let seen = || {
            (1..=workload.replicas)
                .flat_map(|i| [workload.container(Role::Serving, i), workload.container(Role::Previous, i)])
                .filter_map(|name| self.now.containers.get_key_value(&name))
        };
        let highest = seen().map(|(_, container)| container.release).max().unwrap_or(0);
        let is_wanted = seen().any(|(name, container)| {
            container.release == highest && self.outdated(workload, spec, name, container).is_none()
        });
        let is_asked = seen().any(|(name, _)| self.options.recreate.contains(name.as_str()));
        if is_wanted && !is_asked { highest } else { highest + 1 }
    }

    /// Brings one replica up; the steps after which it is.
    fn replica(&mut self, job: &Job<'_>, place: &Place, before: &[StepId]) -> Vec<StepId> {
        let Job { workload, spec, .. } = job;
        let Place { name, previous } = place;
        let from = self.plan.steps().len();
        let serving = self.now.containers.get(name).cloned();
        let mut falls_back = self.now.containers.contains_key(previous);
        let mut needs = before.to_vec();
        let mut reason = if falls_back { Reason::LeftOver } else { Reason::Missing };
        let mut is_new = true;
        if let Some(seen) = &serving {
            match self.outdated(workload, spec, name, seen) {
                Some(why) => {
                    needs = self.make_room(job, place, seen, &why, &needs);
                    reason = why;
                    falls_back = true;
                }
                None => is_new = false,
            }
        }
        let undo = if falls_back { self.fall_back(place) } else { Vec::new() };
        if is_new {
            self.expect_as_seen(job, place, serving.as_ref());
            self.launch(job, name, reason, &needs, &undo);
        } else {
            self.repair(workload, name, &needs);
            self.start(workload, name, Reason::NotRunning, &needs, &undo);
            self.note(workload, name);
        }
        self.wait(workload, place, from, before, &undo);
        if falls_back {
            let last = self.last(from, before);
            let remove = Op::Remove { name: previous.clone() };
            let step = Draw::new(remove, &workload.owner, Reason::Replaced)
                .unless([Fact::Absent(previous.clone())])
                .needs(&last)
                .risk(Risk::Removes);
            self.draw(step);
        }
        if self.plan.steps().len() > from { self.last(from, before) } else { Vec::new() }
    }

    /// The last step since `from`, after which all of them are done; without one, those `before`.
    fn last(&self, from: usize, before: &[StepId]) -> Vec<StepId> {
        match self.plan.steps()[from..].last() {
            Some(step) => vec![step.id],
            None => before.to_vec(),
        }
    }

    /// Why a container has to be replaced, when it has to.
    fn outdated(
        &self,
        workload: &Workload,
        spec: &Spec,
        name: &Container,
        seen: &SeenContainer,
    ) -> Option<Reason> {
        if self.options.recreate.contains(name.as_str()) {
            return Some(Reason::Asked);
        }
        let own_files = workload.own_env_file_paths();
        let mut changes = Vec::new();
        for change in spec.differences(&seen.spec).into_iter().map(|d| Change::of(d, &own_files)) {
            if !changes.contains(&change) {
                changes.push(change);
            }
        }
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
        let has_changed =
            |key: &&crate::name::EnvKey| match (self.desired.secrets.get(key), seen.env.get(key)) {
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

    /// Takes the container that serves out of the way: it stays under the previous name, as what is fallen back to.
    /// When an earlier replacement was cut off, that one stays, and the unproven one that serves is removed.
    fn make_room(
        &mut self,
        job: &Job<'_>,
        place: &Place,
        seen: &SeenContainer,
        why: &Reason,
        needs: &[StepId],
    ) -> Vec<StepId> {
        let Place { name, previous } = place;
        let owner = &job.workload.owner;
        let done = || Fact::Current(Arc::new(self.current(job, name)));
        let (done, done_too) = (done(), done());
        let stop = Op::Stop { name: name.clone(), timeout: self.desired.stop_timeout };
        let step = Draw::new(stop, owner, why.clone())
            .unless([done, Fact::Stopped(name.clone())])
            .needs(needs)
            .risk(if seen.state.is_up() { Risk::Interrupts } else { Risk::None });
        let stopped = self.draw(step);
        let needs: Vec<StepId> = needs.iter().chain(&stopped).copied().collect();
        let op = if self.now.containers.contains_key(previous) {
            Op::Remove { name: name.clone() }
        } else {
            Op::Rename { from: name.clone(), to: previous.clone() }
        };
        let step = Draw::new(op, owner, Reason::MakesRoom)
            .unless([done_too, Fact::Absent(name.clone())])
            .needs(&needs);
        let moved = self.draw(step);
        needs.into_iter().chain(moved).collect()
    }

    /// What brings the previous container back when the new one does not come up.
    fn fall_back(&self, place: &Place) -> Vec<Op> {
        let Place { name, previous } = place;
        vec![
            Op::Stop { name: name.clone(), timeout: self.desired.stop_timeout },
            Op::Remove { name: name.clone() },
            Op::Rename { from: previous.clone(), to: name.clone() },
            Op::Start { name: name.clone() },
        ]
    }

    /// Before anything is changed: where a container will be made stands none, the old one, or the very one.
    fn expect_as_seen(&mut self, job: &Job<'_>, place: &Place, serving: Option<&SeenContainer>) {
        let project = self.desired.project.clone();
        let has = |name: &Container, seen: &SeenContainer| Fact::Has {
            name: name.clone(),
            project: project.clone(),
            spec: seen.spec.clone(),
            release: seen.release,
        };
        let Place { name, previous } = place;
        let mut any = vec![Fact::Absent(name.clone())];
        any.extend(serving.map(|seen| has(name, seen)));
        any.push(Fact::Current(Arc::new(self.current(job, name))));
        // as a part of this same plan leaves it: the old one waits under its previous name
        let waiting = serving.or(self.now.containers.get(previous)).map(|seen| has(previous, seen));
        self.expect(any, format!("{name} is not as it was when this was planned"));
        if let Some(waiting) = waiting {
            self.expect(
                vec![Fact::Absent(previous.clone()), waiting],
                format!("{previous} is not as it was when this was planned"),
            );
        }
    }

    fn current(&self, job: &Job<'_>, name: &Container) -> Current {
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

    fn launch(&mut self, job: &Job<'_>, name: &Container, reason: Reason, needs: &[StepId], undo: &[Op]) {
        let workload = job.workload;
        let memberships = self.memberships(workload);
        let current = Fact::Current(Arc::new(self.current(job, name)));
        for membership in &memberships {
            let subnet = self.now.networks.get(&membership.network).and_then(|network| network.subnet);
            if let (Some(address), Some(subnet)) = (membership.address, subnet) {
                let network = membership.network.clone();
                self.expect(
                    vec![current.clone(), Fact::Room { network, subnet, address }],
                    format!("network {} has no room for {name} at {address}", membership.network),
                );
            }
        }
        let mut labels = self.labels(workload.kind, &workload.owner);
        let inherits = inherited(workload);
        labels.release = Some(Release { number: job.release, spec: job.spec.clone(), inherits });
        let mut runtime = workload.runtime.clone();
        runtime.mounts.extend(workload.learned.iter().cloned());
        let launch = Box::new(Launch {
            name: name.clone(),
            image: workload.image.clone(),
            labels,
            memberships: memberships.clone(),
            runtime,
        });
        let is_single = memberships.len() == 1;
        let op = if is_single { Op::Run(launch) } else { Op::Create(launch) };
        let step = Draw::new(op, &workload.owner, reason.clone()).unless([current]).needs(needs).undo(undo);
        let mut last: Vec<StepId> = self.draw(step).into_iter().collect();
        if is_single {
            return;
        }
        for membership in memberships.into_iter().skip(1) {
            last.extend(self.connect(&workload.owner, name, membership, reason.clone(), &last, undo));
        }
        self.start(workload, name, reason, &last, undo);
    }

    /// The networks of a new container, with its addresses there.
    fn memberships(&mut self, workload: &Workload) -> Vec<Membership> {
        if workload.attachments.is_empty() {
            return vec![Membership { network: default_bridge(), address: None, aliases: Vec::new() }];
        }
        let mut memberships = Vec::new();
        for attachment in &workload.attachments {
            let network = attachment.network.clone();
            let address = self.address(&network);
            memberships.push(Membership { network, address, aliases: attachment.aliases.clone() });
        }
        memberships
    }

    /// An address in a network of gordon's; docker takes none in a network that it chose the subnet of itself.
    fn address(&mut self, network: &Network) -> Option<Ipv4Addr> {
        let seen = self.now.networks.get(network).filter(|seen| seen.managed)?;
        let address = self.addresses.address(network, seen.subnet?);
        if address.is_none() {
            self.conflicts.push(Conflict::NetworkFull(network.clone()));
        }
        address
    }

    /// The address that a container was made with, while nobody else has it.
    fn own_address(&self, name: &Container, network: &Network) -> Option<Ipv4Addr> {
        let seen = self.now.networks.get(network).filter(|seen| seen.managed)?;
        let own = self.now.containers[name].addresses.get(network)?;
        (seen.subnet?.contains(own) && !seen.addresses.contains(own)).then_some(*own)
    }

    fn connect(
        &mut self,
        owner: &Owner,
        container: &Container,
        membership: Membership,
        reason: Reason,
        needs: &[StepId],
        undo: &[Op],
    ) -> Option<StepId> {
        let done = Fact::Attached {
            container: container.clone(),
            network: membership.network.clone(),
            aliases: Some(membership.aliases.clone()),
        };
        let op = Op::Connect { container: container.clone(), membership };
        self.draw(Draw::new(op, owner, reason).unless([done]).needs(needs).undo(undo))
    }

    fn start(
        &mut self,
        workload: &Workload,
        name: &Container,
        reason: Reason,
        needs: &[StepId],
        undo: &[Op],
    ) {
        let step = Draw::new(Op::Start { name: name.clone() }, &workload.owner, reason)
            .unless([Fact::Running(name.clone())])
            .needs(needs)
            .undo(undo);
        self.draw(step);
    }

    /// Puts a container that stays into the networks that it should be in, under the names that it should have there.
    fn repair(&mut self, workload: &Workload, name: &Container, needs: &[StepId]) {
        let owner = &workload.owner;
        let risk = if Fact::Running(name.clone()).holds(&self.now) { Risk::Pauses } else { Risk::None };
        let mut steps = needs.to_vec();
        let bridge = crate::desired::Attachment { network: default_bridge(), aliases: Vec::new() };
        let wanted: Vec<_> = match workload.attachments.as_slice() {
            [] => vec![&bridge],
            attachments => attachments.iter().collect(),
        };
        for attachment in &wanted {
            let network = &attachment.network;
            let aliases = attachment.aliases.clone();
            let seen = self.now.containers[name].memberships.get(network).cloned();
            let attached =
                |aliases| Fact::Attached { container: name.clone(), network: network.clone(), aliases };
            if attached(Some(aliases.clone())).holds(&self.now) {
                continue;
            }
            let reason = match &seen {
                Some(_) => Reason::Aliases { wanted: aliases.clone() },
                None => Reason::NotAttached,
            };
            if seen.is_some() {
                let op = Op::Disconnect { container: name.clone(), network: network.clone() };
                let done = [attached(Some(aliases.clone())), detached(name, network)];
                let step = Draw::new(op, owner, reason.clone()).unless(done).needs(&steps).risk(risk);
                steps.extend(self.draw(step));
            }
            let address = match seen.and_then(|seen| seen.address) {
                Some(address) if self.now.networks.get(network).is_some_and(|seen| seen.managed) => {
                    Some(address)
                }
                _ => self.own_address(name, network).or_else(|| self.address(network)),
            };
            let membership = Membership { network: network.clone(), address, aliases };
            steps.extend(self.connect(owner, name, membership, reason, &steps, &[]));
        }
        let strange: Vec<Network> = self.now.containers[name]
            .memberships
            .keys()
            .filter(|network| !wanted.iter().any(|attachment| attachment.network == **network))
            .filter(|network| self.is_for_us_to_leave(network))
            .cloned()
            .collect();
        for network in strange {
            let done = [detached(name, &network)];
            let op = Op::Disconnect { container: name.clone(), network };
            let step = Draw::new(op, owner, Reason::Attached).unless(done).needs(&steps).risk(risk);
            steps.extend(self.draw(step));
        }
    }

    /// Whether a container may be taken off a network: one of this project's, or the default bridge. Into others
    /// somebody put it by hand.
    fn is_for_us_to_leave(&self, network: &Network) -> bool {
        *network == default_bridge()
            || self
                .now
                .networks
                .get(network)
                .is_some_and(|seen| seen.project.as_ref() == Some(&self.desired.project))
    }

    /// Waits until a container is ready, when it has just been brought up or was not ready before.
    fn wait(&mut self, workload: &Workload, place: &Place, from: usize, before: &[StepId], undo: &[Op]) {
        let name = &place.name;
        let Some(seen) = self.now.containers.get(name) else { return };
        let replaces = !undo.is_empty();
        let is_unready = seen.state == State::Restarting
            || matches!(seen.health, Health::Starting | Health::Unhealthy)
                && workload.ready != Ready::StaysUp;
        if self.plan.steps().len() == from && !is_unready && !replaces {
            return;
        }
        let name = name.clone();
        let (wait, unless) = match workload.ready {
            Ready::Healthy(timeout) => {
                (Await::Healthy { name: name.clone(), timeout }, Some(Fact::Healthy(name)))
            }
            Ready::StaysUp if replaces => {
                (Await::StaysUp { name, time: PROVES_ITSELF }, Some(Fact::Absent(place.previous.clone())))
            }
            Ready::StaysUp => {
                // nothing may have been done to it that the wait could follow
                let steady = (seen.state == State::Restarting).then(|| Fact::Steady(name.clone()));
                (Await::StaysUp { name, time: SETTLES }, steady)
            }
        };
        let last = self.last(from, before);
        self.draw(
            Draw::new(Op::Await(wait), &workload.owner, Reason::Ready).unless(unless).needs(&last).undo(undo),
        );
    }

    /// What a person should know of a container that stays.
    fn note(&mut self, workload: &Workload, name: &Container) {
        let seen = &self.now.containers[name];
        let mut notes = Vec::new();
        if seen.state == State::Paused {
            notes.push(Note::Paused(name.clone()));
        }
        let inherited_file = workload.runtime.env_files.iter().find(|file| file.inherited);
        if let Some(file) = inherited_file
            && seen.inherits != inherited(workload)
        {
            notes.push(Note::EnvInherited { container: name.clone(), path: file.path.clone() });
        }
        self.plan.notes.extend(notes);
    }
}

fn detached(container: &Container, network: &Network) -> Fact {
    Fact::Detached { container: container.clone(), network: network.clone() }
}

/// Docker's default network: no DNS, no aliases, no addresses of one's own.
fn default_bridge() -> Network {
    Network::parse("bridge").expect("docker names it so")
}

/// The named volumes that a workload mounts, with their paths inside.
fn named_volumes(workload: &Workload) -> impl Iterator<Item = (&Volume, &str)> {
    let mounts = workload.runtime.mounts.iter().chain(&workload.learned);
    mounts.filter_map(|Mount { source, target, .. }| match source {
        Source::Volume(volume) => Some((volume, target.as_str())),
        Source::Host(_) | Source::Folder(_) => None,
    })
}

/// The hash of the env files that a service has from its app.
fn inherited(workload: &Workload) -> Option<String> {
    let contents: Vec<&str> = workload
        .runtime
        .env_files
        .iter()
        .filter(|file| file.inherited)
        .map(|file| file.content.as_str())
        .collect();
    (!contents.is_empty()).then(|| hash(&contents.join(" ")))
}
