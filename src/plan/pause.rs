//! A container that answers stands still while it is away from a network, for it could open no connection then: none of
//! its connections ends, and it cannot miss the network. What a run leaves paused that is killed meanwhile goes on.

use super::Reason;
use super::StepId;
use super::builder::PlanBuilder;
use super::builder::StepBuilder;
use super::workload::Setting;
use crate::docker::Fact;
use crate::docker::Op;
use crate::name::Container;
use crate::name::Owner;

impl PlanBuilder<'_> {
    /// Pauses a container that runs, where it is to be paused while it is away.
    pub(super) fn pause(
        &mut self,
        owner: &Owner,
        name: &Container,
        done: &Fact,
        setting: &Setting,
    ) -> Option<StepId> {
        if !setting.pauses || !Fact::Steady(name.clone()).holds(&self.now) {
            return None;
        }
        let op = Op::Pause { name: name.clone() };
        self.add(StepBuilder::set(op, owner, setting).unless([done.clone(), Fact::Paused(name.clone())]))
    }

    /// Lets a container that is paused go on, whether what comes before has succeeded or not.
    pub(super) fn resume(
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
        self.add(StepBuilder::set(op, owner, &setting).after(&before).unless([Fact::Unpaused(name.clone())]))
    }

    /// Lets a container go on that is found paused, back in the networks that it was taken off.
    pub(super) fn wake(&mut self, owner: &Owner, name: &Container) -> Vec<StepId> {
        if !Fact::Paused(name.clone()).holds(&self.now) {
            return Vec::new();
        }
        let setting = Setting::new(Reason::Paused, &[]);
        let mut joins = Setting { done: vec![Fact::Unpaused(name.clone())], ..setting.clone() };
        let seen = &self.now.containers[name];
        let away = seen.addresses.keys().filter(|network| !seen.memberships.contains_key(*network));
        for network in away.cloned().collect::<Vec<_>>() {
            joins.needs.extend(self.join_one(owner, name, &network, &[], &joins));
        }
        let last = joins.needs.last().copied();
        joins.needs.into_iter().chain(self.resume(owner, name, last, &setting)).collect()
    }
}
