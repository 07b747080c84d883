//! A container that is found paused goes on.

use super::Draft;
use super::Reason;
use super::StepId;
use super::diff::Draw;
use super::workload::Setting;
use crate::docker::Fact;
use crate::docker::Op;
use crate::name::Container;
use crate::name::Owner;

impl Draft<'_> {
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
        let op = Op::Unpause { name: name.clone() };
        // it is tried once more, and whether it is back in its networks or not
        let setting = Setting { undo: vec![op.clone()], ..setting };
        let step = Draw::set(op, owner, &setting).after(joins.needs.last());
        let resumed = self.draw(step.unless([Fact::Unpaused(name.clone())]));
        joins.needs.into_iter().chain(resumed).collect()
    }
}
