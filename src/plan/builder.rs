//! A plan in the making. It walks on a model of the host that each step advances, so what follows is planned from what
//! will be. Does not know what is brought up, nor how.

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
use super::workload::Setting;
use super::workload::named_volumes;
use crate::desired::Desired;
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

/// A plan in the making.
pub(super) struct PlanBuilder<'a> {
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
    pub(super) up: BTreeMap<&'a str, Availability>,
    /// The steps by which the proxy joins a network.
    pub(super) joined: BTreeMap<Network, StepId>,
    /// How far the proxy comes, before it joins the networks of apps.
    pub(super) proxy: Availability,
    /// The step by which the proxy no longer leads to what goes.
    pub(super) unrouted: Option<StepId>,
}

/// How far a workload comes.
pub(super) enum Availability {
    /// It is ready after these steps; after none, it is already.
    After(Vec<StepId>),
    /// It is left as it is.
    Blocked,
}

/// A step about to be pushed; what it says of itself is filled in by the methods of this type.
pub(super) struct StepBuilder {
    step: NewStep,
}

impl StepBuilder {
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
        let mut new = Self::new(op, owner, reason.clone()).unless(done.iter().cloned());
        new.step.unbroken = *unbroken;
        new.needs(needs).undo(undo).risk(*risk)
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

impl<'a> PlanBuilder<'a> {
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
            proxy: Availability::Blocked,
            unrouted: None,
        }
    }

    /// Appends a step, unless one of its facts holds on the model.
    pub(super) fn add(&mut self, StepBuilder { step }: StepBuilder) -> Option<StepId> {
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
}
