//! Where a container is in its life, which docker keeps as its restart policy: on probation until it has proved itself
//! once, kept up from then on, and left alone when it has retired.

use super::Reason;
use super::StepId;
use super::builder::PlanBuilder;
use super::builder::StepBuilder;
use super::workload::Setting;
use crate::docker::Fact;
use crate::docker::Op;
use crate::docker::SeenContainer;
use crate::docker::SeenMembership;
use crate::docker::State;
use crate::name::Container;
use crate::name::Network;
use crate::name::Owner;

/// The policy of a container that has retired: it does not come back when the engine does.
const RETIRED: &str = "no";

/// The policy of a container that has yet to prove itself: it does not restart for ever. One that it would not differ from
/// in the end gets another.
pub(super) fn probation(restart: &str) -> &'static str {
    if restart == "on-failure:10" { "on-failure:9" } else { "on-failure:10" }
}

/// Whether a container that is to have this policy in the end has yet to prove itself.
pub(super) fn is_unproved(seen: &SeenContainer, restart: &str) -> bool {
    seen.restart == probation(restart)
}

/// Whether a container that is to have this policy in the end ends again and again, also when it was seen between two ends.
pub(super) fn is_failing(seen: &SeenContainer, restart: &str) -> bool {
    match seen.state {
        State::Restarting => true,
        State::Running => is_unproved(seen, restart) && seen.restarts > 0,
        State::Created | State::Paused | State::Exited => false,
    }
}

/// Whether it could be started: docker starts none of whose networks one was removed.
pub(super) fn can_start(seen: &SeenContainer) -> bool {
    seen.memberships.values().all(|membership| !membership.stale)
}

impl PlanBuilder<'_> {
    /// Why a container is waited for that is there already.
    pub(super) fn why_awaited(&self, name: &Container, restart: &str) -> Reason {
        let seen = self.now.containers.get(name);
        if seen.is_some_and(|seen| is_unproved(seen, restart)) { Reason::Unproved } else { Reason::Ready }
    }

    /// A container that is ready is kept up from here on.
    pub(super) fn keep_up(
        &mut self,
        owner: &Owner,
        name: &Container,
        restart: &str,
        setting: &Setting,
    ) -> Option<StepId> {
        // where something stands in the way, it was not made
        let seen = self.now.containers.get(name)?;
        let reason = match is_unproved(seen, restart) || seen.restart == RETIRED {
            true => Reason::Proved,
            false => Reason::Restart { from: seen.restart.clone(), to: restart.to_owned() },
        };
        let op = Op::Update { name: name.clone(), restart: restart.to_owned() };
        let setting = Setting { reason, ..setting.clone() };
        self.add(StepBuilder::set(op, owner, &setting).unless([restarts(name, restart)]))
    }

    /// A container that is about to stop for good stays down when the engine comes back. One that never proved itself is
    /// still known by its policy.
    pub(super) fn leave_down(
        &mut self,
        owner: &Owner,
        name: &Container,
        restart: &str,
        setting: &Setting,
    ) -> Option<StepId> {
        let seen = self.now.containers.get(name)?;
        if is_unproved(seen, restart) {
            return None;
        }
        let op = Op::Update { name: name.clone(), restart: RETIRED.to_owned() };
        let unless = [restarts(name, RETIRED), Fact::Absent(name.clone())];
        self.add(StepBuilder::set(op, owner, setting).unless(unless))
    }

    /// Starts a container that served and does not run, so that it serves until its successor is ready. One that docker had to
    /// be kept from restarting serves nobody.
    pub(super) fn serve_again(
        &mut self,
        owner: &Owner,
        name: &Container,
        restart: &str,
        done: Vec<Fact>,
    ) -> Option<StepId> {
        let seen = self.now.containers.get(name).filter(|seen| seen.state == State::Exited)?;
        let found = self.host.containers.get(name)?;
        if is_unproved(seen, restart) || found.state != State::Exited || !self.can_start(seen) {
            return None;
        }
        let setting = Setting { done, ..Setting::new(Reason::Served, &[]) };
        let unless = [Fact::Running(name.clone()), Fact::Absent(name.clone())];
        self.add(StepBuilder::set(Op::Start { name: name.clone() }, owner, &setting).unless(unless))
    }

    /// Whether docker could start a container: its networks are there, and its addresses are free.
    fn can_start(&self, seen: &SeenContainer) -> bool {
        let is_free = |(network, membership): (&Network, &SeenMembership)| {
            let network = self.now.networks.get(network);
            let address = membership.address.as_ref();
            network.zip(address).is_none_or(|(network, address)| !network.addresses.contains(address))
        };
        can_start(seen) && seen.memberships.iter().all(is_free)
    }

    /// What lets a container serve again that was to stop for good: it runs, and is kept up.
    pub(super) fn serves_again(&self, name: &Container, restart: &str, seen: &SeenContainer) -> Vec<Op> {
        let start = Op::Start { name: name.clone() };
        if is_unproved(seen, restart) {
            return vec![start];
        }
        vec![start, Op::Update { name: name.clone(), restart: restart.to_owned() }]
    }

    /// Stops a container that docker restarts over and over, before anything else is done to it: it serves nobody, and docker
    /// would neither rename nor disconnect it.
    pub(super) fn stop_restarting(
        &mut self,
        owner: &Owner,
        name: &Container,
        restart: &str,
    ) -> Option<StepId> {
        if !self.now.containers.get(name).is_some_and(|seen| is_failing(seen, restart)) {
            return None;
        }
        let op = Op::Stop { name: name.clone(), timeout: self.desired.stop_timeout };
        let is_settled = match self.now.containers[name].state {
            State::Restarting => Fact::Steady(name.clone()),
            _ => restarts(name, restart),
        };
        let unless = [Fact::Stopped(name.clone()), Fact::Paused(name.clone()), is_settled];
        self.add(StepBuilder::new(op, owner, Reason::Restarting).unless(unless))
    }
}

/// The fact that a container has this restart policy.
pub(super) fn restarts(name: &Container, policy: &str) -> Fact {
    Fact::Restart { name: name.clone(), policy: policy.to_owned() }
}
