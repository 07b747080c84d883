//! Builds a plan. Each step advances a model of the host, so later steps are planned from the state that
//! earlier steps leave. Does not know what is wanted, nor how it is brought up.

use super::Conflict;
use super::Expect;
use super::NewStep;
use super::Note;
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
use crate::docker::Labels;
use crate::docker::Observed;
use crate::docker::Op;
use crate::docker::SeenContainer;
use crate::docker::Subject;
use crate::name::Container;
use crate::name::Image;
use crate::name::Network;
use crate::name::Owner;
use crate::name::Project;
use crate::name::Volume;
use crate::spec::Kind;
use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::time::Duration;

/// Steps after which something is done. All steps before them are done too.
pub(super) type Steps = Vec<StepId>;

/// A plan that is being built.
pub(super) struct PlanBuilder<'a> {
    pub(super) project: &'a Project,
    /// The time that a container gets to exit after it was asked to stop.
    stop_timeout: Duration,
    pub(super) options: &'a Options,
    /// The host before the plan.
    pub(super) host: &'a Observed,
    /// The host after the steps so far.
    pub(super) now: Observed,
    pub(super) plan: Plan,
    pub(super) conflicts: Vec<Conflict>,
    /// The other projects that have something on the host.
    pub(super) others: BTreeSet<&'a Project>,
    pub(super) addresses: Addresses,
    /// What [`Self::asking`] gives, once it was asked for: only a rollout needs it.
    asking: OnceCell<BTreeMap<&'a Network, BTreeSet<&'a Container>>>,
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
    /// The availability of each workload that was planned, by its base name.
    pub(super) up: BTreeMap<&'a str, Availability>,
    /// The availability of the proxy, before it joins the networks of apps.
    pub(super) proxy: Availability,
    /// The steps by which the proxy joins a network.
    pub(super) joined: BTreeMap<Network, StepId>,
    /// The step after which the proxy no longer routes to containers that are removed.
    pub(super) unrouted: Option<StepId>,
    /// Whether the plan expects already that the engine can limit logs.
    pub(super) limits_logs: bool,
}

/// When a workload is available.
pub(super) enum Availability {
    /// Ready after these steps. Without steps, it is ready already.
    After(Steps),
    /// Left as it is.
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
            asking: OnceCell::new(),
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
            limits_logs: false,
        }
    }

    /// The plan, or all conflicts.
    pub(super) fn finish(mut self) -> Result<Plan, Vec<Conflict>> {
        let left: BTreeSet<&Volume> = self.plan.left_data.iter().map(|left| &left.volume).collect();
        let named = self.options.leave_data.iter();
        let named: Vec<String> =
            named.filter(|name| !left.iter().any(|left| left.as_str() == *name)).cloned().collect();
        if !named.is_empty() {
            let left = left.into_iter().cloned().collect();
            self.plan.notes.push(Note::NothingLeft { named, left });
        }
        if self.conflicts.is_empty() { Ok(self.plan) } else { Err(self.conflicts) }
    }

    /// The number of steps so far.
    pub(super) fn count(&self) -> usize {
        self.plan.steps().len()
    }

    /// The steps that were added after there were `count`.
    pub(super) fn since(&self, count: usize) -> impl Iterator<Item = StepId> {
        self.plan.steps()[count..].iter().map(|step| step.id)
    }

    /// The container of this name after the steps so far.
    pub(super) fn seen(&self, name: &Container) -> Option<&SeenContainer> {
        self.now.containers.get(name)
    }

    /// The time that a container has to end by itself: as it was made, where the config gave it a time of its own.
    pub(super) fn stop_timeout_of(&self, name: &Container) -> Duration {
        let own = self.seen(name).filter(|seen| seen.spec.has_part("stop_timeout"));
        own.and_then(|seen| seen.stop_timeout).unwrap_or(self.stop_timeout)
    }

    /// Stops a container.
    pub(super) fn stop(&self, name: &Container) -> Op {
        Op::stop(name, self.stop_timeout_of(name))
    }

    /// The containers on each network that ask others: all that run there, but for services and the proxy.
    pub(super) fn asking(&self) -> &BTreeMap<&'a Network, BTreeSet<&'a Container>> {
        self.asking.get_or_init(|| asking(self.host))
    }

    pub(super) fn has(&self, name: &Container) -> bool {
        self.now.containers.contains_key(name)
    }

    /// Starts a sequence of steps for `owner`, after other steps.
    pub(super) fn sequence(&mut self, owner: &Owner, after: &[StepId]) -> Sequence<'_, 'a> {
        let (owner, needs) = (owner.clone(), after.to_vec());
        let (done, undo) = (Vec::new(), Vec::new());
        Sequence { plan: self, owner, needs, done, undo, risk: Risk::None, has_begun: false }
    }

    /// Appends a step, unless the model shows that one of its facts holds.
    pub(super) fn add(&mut self, step: NewStep) -> Option<StepId> {
        if step.unless.iter().any(|fact| fact.holds(&self.now)) {
            return None;
        }
        let (left, freed, ports) = self.lets_go_of(&step.op);
        self.note_kind(&step.op);
        if let Err(refused) = simulate(&mut self.now, &step.op) {
            // its conflict was noted already; without a conflict it is a defect of this module
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

    /// Notes what the container is that an operation is about.
    fn note_kind(&mut self, op: &Op) {
        if let Subject::Container(name) = op.subject()
            && !self.plan.kinds.contains_key(name)
            && let Some((name, seen)) = self.now.containers.get_key_value(name)
            && let Some(kind) = seen.kind
        {
            self.plan.kinds.insert(name.clone(), kind);
        }
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

    /// The fact that this name belongs to the container `seen`, which may have had another name.
    pub(super) fn is_seen(&self, name: &Container, seen: &SeenContainer) -> Fact {
        let (project, spec) = (self.project.clone(), seen.spec.clone());
        Fact::Has { name: name.clone(), project, spec, release: seen.release }
    }

    /// Expects that a container is unchanged when the plan starts, or is in one of the states `any` that the
    /// plan itself leaves.
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

    /// The labels of a thing that all projects share.
    pub(super) fn shared_labels(&self, kind: Kind, owner: &Owner, name: &str) -> Labels {
        let claim = Claim::Shared(self.project.clone());
        Labels { claim, ..self.labels(kind, owner, name) }
    }
}

fn asking(host: &Observed) -> BTreeMap<&Network, BTreeSet<&Container>> {
    let mut asking: BTreeMap<&Network, BTreeSet<&Container>> = BTreeMap::new();
    for (name, seen) in host.containers.iter().filter(|(_, seen)| seen.state.is_up()) {
        if matches!(seen.kind, Some(Kind::Service | Kind::Proxy)) {
            continue;
        }
        for network in seen.memberships.keys() {
            asking.entry(network).or_default().insert(name);
        }
    }
    asking
}

/// Steps of one owner. Each step needs the one before.
pub(super) struct Sequence<'b, 'a> {
    pub(super) plan: &'b mut PlanBuilder<'a>,
    owner: Owner,
    /// The steps that the next step needs.
    pub(super) needs: Steps,
    /// The facts that make the following steps unnecessary, beside their own effect.
    pub(super) done: Vec<Fact>,
    /// The operations that restore the state before when one of the following steps fails.
    pub(super) undo: Vec<Op>,
    /// The cost of the following steps.
    pub(super) risk: Risk,
    has_begun: bool,
}

impl<'a> Sequence<'_, 'a> {
    /// Makes the sequence unnecessary where one of these facts holds.
    pub(super) fn done_if(mut self, facts: impl IntoIterator<Item = Fact>) -> Self {
        self.done.extend(facts);
        self
    }

    /// Restores the state before with these operations when a step fails.
    pub(super) fn undone_by(mut self, ops: Vec<Op>) -> Self {
        self.undo = ops;
        self
    }

    /// Makes the next step wait for these steps too.
    pub(super) fn wait_for<'s>(&mut self, steps: impl IntoIterator<Item = &'s StepId>) {
        self.needs.extend(steps);
    }

    /// Appends a step that is unnecessary where its effect holds.
    pub(super) fn step(&mut self, op: Op, reason: &Reason) -> Option<StepId> {
        let step = self.draft(op, reason);
        self.add(step)
    }

    /// Appends a step that is unnecessary where one of these facts holds.
    pub(super) fn step_unless(
        &mut self,
        op: Op,
        reason: &Reason,
        facts: impl IntoIterator<Item = Fact>,
    ) -> Option<StepId> {
        let step = self.draft_unless(op, reason, facts);
        self.add(step)
    }

    /// The step that [`Self::step`] would append, for a caller that changes it first.
    pub(super) fn draft(&self, op: Op, reason: &Reason) -> NewStep {
        let effect = op.effect();
        self.draft_unless(op, reason, effect)
    }

    /// The step that [`Self::step_unless`] would append.
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

    /// Whether the sequence has a step yet.
    pub(super) fn has_begun(&self) -> bool {
        self.has_begun
    }

    /// Appends a step, unless the model shows that one of its facts holds.
    pub(super) fn add(&mut self, step: NewStep) -> Option<StepId> {
        let id = self.plan.add(step)?;
        self.needs = vec![id];
        self.has_begun = true;
        Some(id)
    }

    /// Builds one sequence for each thing. They do not need each other; the following steps need all of them.
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

    /// The steps after which the sequence is done. Without steps, those that it came after.
    pub(super) fn end(self) -> Steps {
        self.needs
    }
}
