//! A plan in the making. It walks on a model of the host that each step advances, so what follows is planned from what
//! will be. Does not know what is wanted, nor how it is brought up.

use super::Conflict;
use super::Expect;
use super::NewStep;
use super::Options;
use super::Plan;
use super::Reason;
use super::Risk;
use super::StepId;
use super::addresses::Addresses;
use super::simulate;
use crate::docker::Claim;
use crate::docker::Deed;
use crate::docker::Fact;
use crate::docker::Kind;
use crate::docker::Labels;
use crate::docker::Observed;
use crate::docker::Op;
use crate::docker::SeenContainer;
use crate::name::Container;
use crate::name::Image;
use crate::name::Network;
use crate::name::Owner;
use crate::name::Project;
use crate::name::Volume;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::time::Duration;

/// Steps after which something is done: all that is before them is done too.
pub(super) type Steps = Vec<StepId>;

/// A plan in the making.
pub(super) struct PlanBuilder<'a> {
    pub(super) project: &'a Project,
    /// The time that a container has to end by itself when it is stopped.
    pub(super) stop_timeout: Duration,
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
    pub(super) left_networks: BTreeMap<Network, Steps>,
    pub(super) freed_volumes: BTreeMap<Volume, Steps>,
    pub(super) freed_ports: BTreeMap<u16, Steps>,
    /// How far each workload comes, by its stem.
    pub(super) up: BTreeMap<&'a str, Availability>,
    /// How far the proxy comes, before it joins the networks of apps.
    pub(super) proxy: Availability,
    /// The steps by which the proxy joins a network.
    pub(super) joined: BTreeMap<Network, StepId>,
    /// The step after which the proxy routes nothing to what goes.
    pub(super) unrouted: Option<StepId>,
}

/// How far a workload comes.
pub(super) enum Availability {
    /// It is ready after these steps; after none, it is already.
    After(Steps),
    /// It is left as it is.
    Blocked,
}

impl<'a> PlanBuilder<'a> {
    pub(super) fn new(
        project: &'a Project,
        stop_timeout: Duration,
        host: &'a Observed,
        options: &'a Options,
    ) -> Self {
        let projects = host.containers.values().filter_map(|seen| seen.project.as_ref());
        Self {
            project,
            stop_timeout,
            options,
            host,
            now: host.clone(),
            plan: Plan::new(project.clone()),
            conflicts: Vec::new(),
            others: projects.filter(|other| *other != project).collect(),
            addresses: Addresses::of(host),
            mounted: BTreeSet::new(),
            images: BTreeMap::new(),
            networks: BTreeMap::new(),
            volumes: BTreeMap::new(),
            left_networks: BTreeMap::new(),
            freed_volumes: BTreeMap::new(),
            freed_ports: BTreeMap::new(),
            up: BTreeMap::new(),
            proxy: Availability::Blocked,
            joined: BTreeMap::new(),
            unrouted: None,
        }
    }

    /// The plan, or all its conflicts.
    pub(super) fn finish(self) -> Result<Plan, Vec<Conflict>> {
        if self.conflicts.is_empty() { Ok(self.plan) } else { Err(self.conflicts) }
    }

    /// How many steps there are so far.
    pub(super) fn count(&self) -> usize {
        self.plan.steps().len()
    }

    /// The steps that came since there were `count`.
    pub(super) fn since(&self, count: usize) -> impl Iterator<Item = StepId> {
        self.plan.steps()[count..].iter().map(|step| step.id)
    }

    /// The container of this name as the steps so far leave it.
    pub(super) fn seen(&self, name: &Container) -> Option<&SeenContainer> {
        self.now.containers.get(name)
    }

    pub(super) fn has(&self, name: &Container) -> bool {
        self.now.containers.contains_key(name)
    }

    /// Steps of `owner` that come after others.
    pub(super) fn sequence(&mut self, owner: &Owner, after: &[StepId]) -> Sequence<'_, 'a> {
        let (owner, needs) = (owner.clone(), after.to_vec());
        let (done, undo) = (Vec::new(), Vec::new());
        Sequence { plan: self, owner, needs, done, undo, risk: Risk::None, has_begun: false }
    }

    /// Appends a step, unless one of its facts holds on the model.
    pub(super) fn add(&mut self, step: NewStep) -> Option<StepId> {
        if step.unless.iter().any(|fact| fact.holds(&self.now)) {
            return None;
        }
        let (left, freed, ports) = self.lets_go_of(&step.op);
        if let Err(refused) = simulate(&mut self.now, &step.op) {
            // what stands in the way was noted already; without a conflict it is a defect of this module
            assert!(
                !self.conflicts.is_empty(),
                "no step is planned that docker refuses: {refused}: {:?}",
                step.op
            );
            return None;
        }
        let id = self.plan.push(step);
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
            Op::Remove { name } => self.seen(name).map_or_else(Default::default, |seen| {
                let networks = seen.memberships.keys().cloned().collect();
                (networks, seen.volumes.values().cloned().collect(), seen.ports.iter().copied().collect())
            }),
            _ => Default::default(),
        }
    }

    pub(super) fn expect(&mut self, any: Vec<Fact>, otherwise: impl Into<String>) {
        self.plan.expects.push(Expect { any, otherwise: otherwise.into() });
    }

    /// The fact that a container is the one that was seen, if under another name.
    pub(super) fn is_seen(&self, name: &Container, seen: &SeenContainer) -> Fact {
        let (project, spec) = (self.project.clone(), seen.spec.clone());
        Fact::Has { name: name.clone(), project, spec, release: seen.release }
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
        let claim = Claim::Owned(self.project.clone());
        Labels { claim, kind, owner: owner.clone(), name: name.to_owned(), release: None }
    }

    /// The labels of what all projects share.
    pub(super) fn shared_labels(&self, kind: Kind, owner: &Owner, name: &str) -> Labels {
        let claim = Claim::Shared(self.project.clone());
        Labels { claim, ..self.labels(kind, owner, name) }
    }
}

/// Steps of one owner, each of which needs the one before.
pub(super) struct Sequence<'b, 'a> {
    pub(super) plan: &'b mut PlanBuilder<'a>,
    owner: Owner,
    /// What the next step needs.
    pub(super) needs: Steps,
    /// What makes the steps from here on unnecessary, beside their own effect.
    pub(super) done: Vec<Fact>,
    /// What restores the state before when one of the steps from here on fails.
    pub(super) undo: Vec<Op>,
    /// What the steps from here on cost.
    pub(super) risk: Risk,
    has_begun: bool,
}

impl<'a> Sequence<'_, 'a> {
    /// All is done where one of these facts holds.
    pub(super) fn done_if(mut self, facts: impl IntoIterator<Item = Fact>) -> Self {
        self.done.extend(facts);
        self
    }

    /// What restores the state before when a step fails.
    pub(super) fn undone_by(mut self, ops: Vec<Op>) -> Self {
        self.undo = ops;
        self
    }

    /// The next step comes after these too.
    pub(super) fn wait_for<'s>(&mut self, steps: impl IntoIterator<Item = &'s StepId>) {
        self.needs.extend(steps);
    }

    /// The next step, which has nothing to do where its effect holds.
    pub(super) fn step(&mut self, op: Op, reason: &Reason) -> Option<StepId> {
        let step = self.draft(op, reason);
        self.add(step)
    }

    /// The next step, which has nothing to do where one of these facts holds.
    pub(super) fn step_unless(
        &mut self,
        op: Op,
        reason: &Reason,
        facts: impl IntoIterator<Item = Fact>,
    ) -> Option<StepId> {
        let step = self.draft_unless(op, reason, facts);
        self.add(step)
    }

    /// The next step as [`Self::step`] would add it, for one that departs from the others.
    pub(super) fn draft(&self, op: Op, reason: &Reason) -> NewStep {
        let effect = op.effect();
        self.draft_unless(op, reason, effect)
    }

    /// The next step as [`Self::step_unless`] would add it.
    pub(super) fn draft_unless(
        &self,
        op: Op,
        reason: &Reason,
        facts: impl IntoIterator<Item = Fact>,
    ) -> NewStep {
        let risk = if op.deed() == Deed::Removes { Risk::Removes } else { self.risk };
        let unless = self.done.iter().cloned().chain(facts).collect();
        let (needs, undo) = (self.needs.clone(), self.undo.clone());
        NewStep { unless, needs, undo, risk, ..NewStep::new(op, self.owner.clone(), reason.clone()) }
    }

    /// Whether it has a step yet.
    pub(super) fn has_begun(&self) -> bool {
        self.has_begun
    }

    /// Appends a step, unless one of its facts holds on the model.
    pub(super) fn add(&mut self, step: NewStep) -> Option<StepId> {
        let id = self.plan.add(step)?;
        self.needs = vec![id];
        self.has_begun = true;
        Some(id)
    }

    /// For each thing a sequence of its own; none of them needs another, and what follows needs all.
    pub(super) fn each<T>(
        &mut self,
        things: impl IntoIterator<Item = T>,
        mut steps: impl FnMut(&mut Sequence<'_, 'a>, T),
    ) {
        let mut ends = Steps::new();
        for thing in things {
            let (owner, needs) = (self.owner.clone(), self.needs.clone());
            let (done, undo, risk) = (self.done.clone(), self.undo.clone(), self.risk);
            let mut one =
                Sequence { plan: &mut *self.plan, owner, needs, done, undo, risk, has_begun: false };
            steps(&mut one, thing);
            self.has_begun |= one.has_begun;
            ends.extend(one.needs);
        }
        if !ends.is_empty() {
            self.needs = ends;
        }
    }

    /// The steps after which all of it is done; without any, those that it came after.
    pub(super) fn end(self) -> Steps {
        self.needs
    }
}
