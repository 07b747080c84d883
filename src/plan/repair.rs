//! The networks of containers that stay: joined, left, and joined anew where the aliases are to be others.

use super::Draft;
use super::Reason;
use super::Risk;
use super::StepId;
use super::diff::Draw;
use super::workload::Setting;
use super::workload::default_bridge;
use crate::desired::Attachment;
use crate::desired::Workload;
use crate::docker::Fact;
use crate::docker::Membership;
use crate::docker::Op;
use crate::name::Alias;
use crate::name::Container;
use crate::name::Network;
use crate::name::Owner;

impl Draft<'_> {
    /// Puts a container that stays into the networks that it should be in, under the names that it should have there,
    /// and only then takes it off the others.
    pub(super) fn repair(&mut self, workload: &Workload, name: &Container, needs: &[StepId]) {
        let risk = if Fact::Running(name.clone()).holds(&self.now) { Risk::Pauses } else { Risk::None };
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

    /// Takes a container off the networks that it should not be on; the last step of it.
    pub(super) fn leave_strange(
        &mut self,
        workload: &Workload,
        name: &Container,
        mut setting: Setting,
    ) -> Vec<StepId> {
        let is_wanted = |network: &Network| match workload.attachments.as_slice() {
            [] => *network == default_bridge(),
            attachments => attachments.iter().any(|attachment| attachment.network == *network),
        };
        let networks = self.now.containers[name].memberships.keys();
        let strange = networks.filter(|network| !is_wanted(network) && self.is_for_us_to_leave(network));
        for network in strange.cloned().collect::<Vec<_>>() {
            let done = [detached(name, &network)];
            let op = Op::Disconnect { container: name.clone(), network };
            setting.needs.extend(self.draw(Draw::set(op, &workload.owner, &setting).unless(done)));
        }
        setting.needs
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
            let step = Draw::set(op, owner, &setting).unless([done, detached(name, network)]);
            setting.needs.extend(self.draw(step.after(&paused)));
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

    /// Lets a container that serves stand still while it is away from a network: so it cannot miss it.
    fn pause(&mut self, owner: &Owner, name: &Container, done: &Fact, setting: &Setting) -> Option<StepId> {
        if !setting.pauses || !Fact::Steady(name.clone()).holds(&self.now) {
            return None;
        }
        let op = Op::Pause { name: name.clone() };
        let setting = Setting { undo: vec![Op::Unpause { name: name.clone() }], ..setting.clone() };
        self.draw(Draw::set(op, owner, &setting).unless([done.clone(), Fact::Paused(name.clone())]))
    }

    /// Lets a container that is paused go on, whether what comes before has succeeded or not.
    fn resume(
        &mut self,
        owner: &Owner,
        name: &Container,
        before: Option<StepId>,
        setting: &Setting,
    ) -> Option<StepId> {
        if !Fact::Paused(name.clone()).holds(&self.now) {
            return None;
        }
        let op = Op::Unpause { name: name.clone() };
        // it is tried once more
        let setting = Setting { undo: vec![op.clone()], ..setting.clone() };
        self.draw(Draw::set(op, owner, &setting).after(&before).unless([Fact::Unpaused(name.clone())]))
    }

    /// Lets a container go on that is paused, as a run leaves it that is killed while the container is away from a network.
    pub(super) fn wake(&mut self, owner: &Owner, name: &Container) -> Vec<StepId> {
        if !Fact::Paused(name.clone()).holds(&self.now) {
            return Vec::new();
        }
        let setting = Setting::new(Reason::Paused, &[]);
        let seen = &self.now.containers[name];
        let away = seen.addresses.keys().filter(|network| !seen.memberships.contains_key(*network));
        let mut last = None;
        for network in away.cloned().collect::<Vec<_>>() {
            if let Some(address) = self.own_address(name, &network) {
                let done =
                    Fact::Attached { container: name.clone(), network: network.clone(), aliases: None };
                let membership = Membership { network, address: Some(address), aliases: Vec::new() };
                let op = Op::Connect { container: name.clone(), membership };
                let step = Draw::set(op, owner, &setting).needs(&last).unless([done]);
                last = self.draw(step);
            }
        }
        last.into_iter().chain(self.resume(owner, name, last, &setting)).collect()
    }

    /// Whether a container is taken off a network: one of gordon's, whichever project's, or the default bridge. Into
    /// others somebody put it by hand, to watch it for instance.
    fn is_for_us_to_leave(&self, network: &Network) -> bool {
        *network == default_bridge() || self.now.networks.get(network).is_some_and(|seen| seen.managed)
    }
}

fn detached(container: &Container, network: &Network) -> Fact {
    Fact::Detached { container: container.clone(), network: network.clone() }
}
