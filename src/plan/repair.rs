//! The networks of containers that stay: joined, left, and joined anew where the aliases are to be others.

use super::Reason;
use super::Risk;
use super::StepId;
use super::builder::Availability;
use super::builder::PlanBuilder;
use super::builder::StepBuilder;
use super::workload::Setting;
use super::workload::default_bridge;
use crate::desired::Attachment;
use crate::desired::Workload;
use crate::docker::Await;
use crate::docker::Fact;
use crate::docker::Membership;
use crate::docker::Op;
use crate::name::Alias;
use crate::name::Container;
use crate::name::Network;
use crate::name::Owner;

impl PlanBuilder<'_> {
    /// Puts a container that stays into the networks that it should be in, under the names that it should have there,
    /// and only then takes it off the others, as far as the proxy does not lead to it there.
    pub(super) fn repair(&mut self, workload: &Workload, name: &Container, needs: &[StepId]) {
        let risk = self.risk(name);
        let bridge = Attachment { network: default_bridge(), aliases: Vec::new() };
        let wanted: Vec<_> = match workload.attachments.as_slice() {
            [] => vec![&bridge],
            attachments => attachments.iter().collect(),
        };
        let mut steps = needs.to_vec();
        for attachment in &wanted {
            let reason = match self.now.containers[name].memberships.get(&attachment.network) {
                Some(_) => Reason::Aliases { wanted: attachment.aliases.clone() },
                None => Reason::NotAttached,
            };
            let setting = Setting { risk, pauses: true, ..Setting::new(reason, &steps) };
            steps.extend(self.answer_to(
                &workload.owner,
                name,
                &attachment.network,
                &attachment.aliases,
                &setting,
            ));
        }
        steps.extend(self.led_to(workload));
        let setting = Setting { risk, ..Setting::new(Reason::Attached, &steps) };
        self.leave_strange(workload, name, setting);
    }

    /// Puts a container into the network on which the proxy still leads to it.
    pub(super) fn stay_led(
        &mut self,
        workload: &Workload,
        name: &Container,
        setting: &Setting,
    ) -> Option<StepId> {
        let network = self.still_led_on(workload)?;
        let setting = Setting { reason: Reason::LeadsThere, ..setting.clone() };
        self.join_one(&workload.owner, name, &network, &[], &setting)
    }

    /// Puts a container into a network that is there, unless it is on it, under whichever names.
    pub(super) fn join_one(
        &mut self,
        owner: &Owner,
        name: &Container,
        network: &Network,
        aliases: &[Alias],
        setting: &Setting,
    ) -> Option<StepId> {
        let on = Fact::Attached { container: name.clone(), network: network.clone(), aliases: None };
        let is_there = self.now.networks.contains_key(network) && self.now.containers.contains_key(name);
        if !is_there || on.holds(&self.now) {
            return None;
        }
        let address = self.own_address(name, network).or_else(|| self.address(network));
        let membership = Membership { network: network.clone(), address, aliases: aliases.to_vec() };
        let op = Op::Connect { container: name.clone(), membership };
        self.add(StepBuilder::set(op, owner, setting).unless([on]))
    }

    /// Takes a container off the networks that it should not be on; the last step of it.
    pub(super) fn leave_strange(
        &mut self,
        workload: &Workload,
        name: &Container,
        mut setting: Setting,
    ) -> Vec<StepId> {
        for network in self.strange(workload, name) {
            let done = [detached(name, &network)];
            let op = Op::Disconnect { container: name.clone(), network };
            setting.needs.extend(self.add(StepBuilder::set(op, &workload.owner, &setting).unless(done)));
        }
        setting.needs
    }

    /// Takes those who serve off the networks on which the proxy no longer leads to them: what was asked of them there has
    /// had its time to be answered.
    pub(super) fn leave_where_led(&mut self) {
        for workload in &self.desired.workloads {
            let Some(Availability::After(up)) = self.up.get(workload.stem.as_str()) else { continue };
            let needs: Vec<StepId> = up.iter().copied().chain(self.unrouted).collect();
            let mut setting = Setting::new(Reason::Attached, &needs);
            let mut names: Vec<Container> = workload.places().into_iter().map(|place| place.name).collect();
            names.retain(|name| !self.strange(workload, name).is_empty());
            if let (Some(first), Some(_)) = (names.first(), self.unrouted) {
                let drain = Await::Drain { name: first.clone(), time: self.desired.drain };
                let step = StepBuilder::set(Op::Await(drain), &workload.owner, &setting);
                setting.needs.extend(self.add(step));
            }
            for name in names {
                let setting = Setting { risk: self.risk(&name), ..setting.clone() };
                self.leave_strange(workload, &name, setting);
            }
        }
    }

    /// The networks that a container is on and should not be. That on which the proxy still leads to it is none, and neither
    /// is one of somebody else's, into which it was put by hand, to watch it for instance.
    fn strange(&self, workload: &Workload, name: &Container) -> Vec<Network> {
        let Some(seen) = self.now.containers.get(name) else { return Vec::new() };
        let led = self.still_led_on(workload);
        let is_wanted = |network: &Network| match workload.attachments.as_slice() {
            _ if led.as_ref() == Some(network) => true,
            [] => *network == default_bridge(),
            attachments => attachments.iter().any(|attachment| attachment.network == *network),
        };
        let is_managed = |network: &Network| self.now.networks.get(network).is_some_and(|seen| seen.managed);
        let networks = seen.memberships.keys();
        let is_strange = |network: &&Network| {
            !is_wanted(network) && (**network == default_bridge() || is_managed(network))
        };
        networks.filter(is_strange).cloned().collect()
    }

    /// What it costs a container to join or leave a network.
    fn risk(&self, name: &Container) -> Risk {
        if self.runs(name) { Risk::Pauses } else { Risk::None }
    }

    /// Gives a container the aliases that it should have, in each of its networks that is there.
    pub(super) fn answer(&mut self, workload: &Workload, name: &Container, setting: &Setting) -> Vec<StepId> {
        let mut steps = Vec::new();
        for Attachment { network, aliases } in &workload.attachments {
            if self.now.networks.contains_key(network) {
                steps.extend(self.answer_to(&workload.owner, name, network, aliases, setting));
            }
        }
        steps
    }

    /// Gives a container just these aliases in a network. They cannot be changed but by leaving and joining it; at the
    /// same address, open connections live through that.
    pub(super) fn answer_to(
        &mut self,
        owner: &Owner,
        name: &Container,
        network: &Network,
        aliases: &[Alias],
        setting: &Setting,
    ) -> Vec<StepId> {
        let done = Fact::Attached {
            container: name.clone(),
            network: network.clone(),
            aliases: Some(aliases.to_vec()),
        };
        if done.holds(&self.now) {
            return Vec::new();
        }
        let mut setting = setting.clone();
        let mut paused = None;
        let seen = self.now.containers[name].memberships.get(network).cloned();
        if seen.is_some() {
            paused = self.pause(owner, name, &done, &setting);
            setting.unbroken = paused.is_some();
            let op = Op::Disconnect { container: name.clone(), network: network.clone() };
            let step = StepBuilder::set(op, owner, &setting).unless([done, detached(name, network)]);
            setting.needs.extend(self.add(step.after(&paused)));
            setting.unbroken = true;
        }
        let is_managed = self.now.networks.get(network).is_some_and(|seen| seen.managed);
        let address = match seen.and_then(|seen| seen.address) {
            Some(address) if is_managed => Some(address),
            _ => self.own_address(name, network).or_else(|| self.address(network)),
        };
        let membership = Membership { network: network.clone(), address, aliases: aliases.to_vec() };
        let connected = self.connect(owner, name, membership, &setting);
        setting.needs = paused.into_iter().collect();
        let resumed = self.resume(owner, name, connected, &setting);
        connected.into_iter().chain(resumed).collect()
    }
}

fn detached(container: &Container, network: &Network) -> Fact {
    Fact::Detached { container: container.clone(), network: network.clone() }
}
