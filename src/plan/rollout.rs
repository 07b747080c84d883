//! Rolls an app out: the new containers come up beside the old ones, take their names when they are ready, and the old
//! ones leave once nobody asks for them any more. A rollout that was cut off is read from what is there.
//!
//! A *name* leaves DNS with `docker rename`, at once and without touching a connection; an *alias* leaves only with the
//! network, and while a container is away from it, it can open no new connection. So a container changes its aliases only
//! before it serves, or after; and since neighbours may still ask it then, it is paused meanwhile.

use super::Reason;
use super::Risk;
use super::StepId;
use super::builder::PlanBuilder;
use super::builder::StepBuilder;
use super::launch::Aliases;
use super::life::can_start;
use super::life::is_unproved;
use super::workload::Job;
use super::workload::Place;
use super::workload::Setting;
use crate::desired::Attachment;
use crate::desired::Strategy;
use crate::desired::Workload;
use crate::docker::Await;
use crate::docker::Fact;
use crate::docker::Op;
use crate::name::Container;
use crate::name::Network;
use crate::name::Owner;
use std::collections::BTreeSet;
use std::time::Duration;

/// How long a container that has left DNS still gets what was resolved before.
const AFTERGLOW: Duration = Duration::from_secs(1);

impl PlanBuilder<'_> {
    /// Brings all containers of an app up: those that are missing or outdated come in beside what serves.
    pub(super) fn roll(&mut self, job: &Job<'_>, places: &[Place], before: &[StepId]) -> Vec<StepId> {
        let is_there = |plan: &Self, name: &Container| plan.now.containers.contains_key(name);
        if !places
            .iter()
            .any(|p| is_there(self, &p.name) || is_there(self, &p.incoming) || self.runs(&p.previous))
        {
            return self.replace(job, places, before);
        }
        let mut up = Vec::new();
        let mut rolled: Vec<&Place> = Vec::new();
        for place in places {
            match self
                .now
                .containers
                .get(&place.name)
                .map(|s| self.outdated(job.workload, &job.spec, &place.name, s))
            {
                Some(None) => up.extend(self.keep_or_fall_back(job, place, before)),
                Some(Some(_)) | None => rolled.push(place),
            }
        }
        if !rolled.is_empty() {
            up.extend(self.roll_out(job, &rolled, before));
        }
        up
    }

    /// Brings what an earlier rollout left half done to its end, and lets those leave that it brought in and nobody wants
    /// any more.
    pub(super) fn tidy_up(&mut self, job: &Job<'_>, places: &[Place], before: &[StepId]) -> Vec<StepId> {
        let mut needs = self.finish(job, places, before);
        for place in places {
            if self.is_unwanted(job, place) {
                needs.extend(self.turn_away(job, place, before));
            }
        }
        needs
    }

    pub(super) fn runs(&self, name: &Container) -> bool {
        Fact::Running(name.clone()).holds(&self.now)
    }

    /// All incoming are ready before any outgoing leaves.
    fn roll_out(&mut self, job: &Job<'_>, places: &[&Place], needs: &[StepId]) -> Vec<StepId> {
        let restart = &job.workload.runtime.restart;
        let mut started = Vec::new();
        for place in places {
            let done = vec![self.is_current(job, &place.name)];
            started.extend(self.serve_again(&job.workload.owner, &place.name, restart, done));
        }
        let mut ready = needs.to_vec();
        for place in places {
            ready.extend(self.bring_in(job, place, needs));
        }
        let mut named = ready.clone();
        for place in places {
            let done = vec![self.is_current(job, &place.name)];
            let setting = Setting { done, ..Setting::new(Reason::TakesOver, &ready) };
            named.extend(self.answer(job.workload, &place.incoming, &setting));
        }
        let mut last = named;
        for place in places {
            last = self.take_over(job, place, &last, &started);
        }
        self.retire(job, places, &last);
        last
    }

    /// Makes an incoming container, without aliases, and waits until it is ready.
    fn bring_in(&mut self, job: &Job<'_>, place: &Place, needs: &[StepId]) -> Vec<StepId> {
        let Place { name, incoming, .. } = place;
        let from = self.plan.steps().len();
        let serving = self.now.containers.get(name).cloned();
        self.expect_as_seen(job, place, serving.as_ref());
        let reason = match &serving {
            Some(seen) => self.outdated(job.workload, &job.spec, name, seen).unwrap_or(Reason::Missing),
            None => Reason::Missing,
        };
        let mut setting = Setting {
            undo: vec![
                Op::Stop { name: incoming.clone(), timeout: self.desired.stop_timeout },
                Op::Remove { name: incoming.clone() },
            ],
            done: vec![self.is_current(job, name)],
            ..Setting::new(reason, needs)
        };
        let reason = self.why_awaited(incoming, &job.workload.runtime.restart);
        if !self.now.containers.contains_key(incoming) {
            let any = vec![Fact::Absent(incoming.clone()), self.is_current(job, incoming)];
            self.expect_as_it_is(incoming, any);
            self.leave_data(job, name, serving.as_ref());
            self.launch(job, incoming, Aliases::Later, &setting);
        } else {
            // an earlier run made it and was cut off
            self.join(job.workload, incoming, Aliases::Later, &setting);
            setting.needs = self.last(from, needs);
            self.start(job.workload, incoming, &setting);
        }
        setting.needs = self.last(from, needs);
        setting.reason = reason;
        if self.plan.steps().len() > from || self.is_unready(job.workload, incoming) {
            self.prove(job.workload, incoming, &setting);
            setting.needs = self.last(from, needs);
        }
        self.keep_up(&job.workload.owner, incoming, &job.workload.runtime.restart, &setting);
        self.last(from, needs)
    }

    /// Puts a container into the networks that it should be on and is not; the last step comes after all others.
    pub(super) fn join(
        &mut self,
        workload: &Workload,
        name: &Container,
        aliases: Aliases,
        setting: &Setting,
    ) {
        let mut setting = setting.clone();
        for Attachment { network, aliases: wanted } in &workload.attachments {
            let aliases = if aliases == Aliases::AtOnce { wanted.as_slice() } else { &[] };
            setting.needs.extend(self.join_one(&workload.owner, name, network, aliases, &setting));
        }
        self.stay_led(workload, name, &setting);
    }

    /// The outgoing gives up its name, and the incoming gets it. A release kept from before makes room.
    pub(super) fn take_over(
        &mut self,
        job: &Job<'_>,
        place: &Place,
        needs: &[StepId],
        after: &[StepId],
    ) -> Vec<StepId> {
        let Place { name, incoming, previous } = place;
        let workload = job.workload;
        let done = self.now.containers.get(incoming).map(|seen| self.is_seen(name, seen));
        let mut setting =
            Setting { done: done.into_iter().collect(), ..Setting::new(Reason::MakesRoom, needs) };
        setting.needs.extend(self.led_to(workload));
        if let Some(outgoing) = self.now.containers.get(name).cloned() {
            if self.now.containers.contains_key(previous) {
                let kept = Setting { reason: Reason::Older, risk: Risk::Removes, ..setting.clone() };
                let op = Op::Remove { name: previous.clone() };
                let gone = [Fact::Absent(previous.clone()), self.is_seen(previous, &outgoing)];
                setting.needs.extend(self.add(StepBuilder::set(op, &workload.owner, &kept).unless(gone)));
            }
            let (op, risk) = match can_start(&outgoing) {
                true => (Op::Rename { from: name.clone(), to: previous.clone() }, Risk::None),
                // it could not come back
                false => (Op::Remove { name: name.clone() }, Risk::Removes),
            };
            let given = Setting { risk, ..setting.clone() };
            let step = StepBuilder::set(op, &workload.owner, &given).unless([Fact::Absent(name.clone())]);
            setting.needs.extend(self.add(step.after(after)));
        }
        let setting = Setting { reason: Reason::TakesOver, ..setting };
        let op = Op::Rename { from: incoming.clone(), to: name.clone() };
        setting
            .needs
            .iter()
            .copied()
            .chain(self.add(StepBuilder::set(op, &workload.owner, &setting)))
            .collect()
    }

    /// Lets those leave that have given up their names: out of DNS, then stopped, once they have ended what they began.
    pub(super) fn retire(&mut self, job: &Job<'_>, places: &[&Place], needs: &[StepId]) -> Vec<StepId> {
        let running: Vec<&Container> =
            places.iter().map(|place| &place.previous).filter(|name| self.runs(name)).collect();
        let kept = job.workload.keeps_previous.then_some(job.workload.runtime.restart.as_str());
        self.leave(&job.workload.owner, &running, Reason::Leaves, needs, kept)
    }

    /// Takes running containers out of DNS and stops them: the proxy first has time to see that they are gone. Those that
    /// are kept, and had this restart policy, stay down.
    pub(super) fn leave(
        &mut self,
        owner: &Owner,
        running: &[&Container],
        reason: Reason,
        needs: &[StepId],
        kept: Option<&str>,
    ) -> Vec<StepId> {
        let Some(first) = running.first() else { return needs.to_vec() };
        let drain = |time: Duration| Op::Await(Await::Drain { name: (*first).clone(), time });
        let stopped = vec![Fact::Stopped((*first).clone())];
        let mut setting = Setting { done: stopped, ..Setting::new(reason, needs) };
        setting.needs.extend(self.add(StepBuilder::set(drain(self.desired.drain), owner, &setting)));
        let mut nameless = setting.needs.clone();
        for name in running {
            let done = vec![Fact::Stopped((*name).clone())];
            let mut setting = Setting { done, pauses: true, ..setting.clone() };
            for network in self.switchable(name) {
                // one after the other: it is paused once at a time
                setting.needs.extend(self.answer_to(owner, name, &network, &[], &setting));
            }
            nameless.extend(setting.needs);
        }
        setting.needs = nameless;
        setting.needs.extend(self.add(StepBuilder::set(drain(AFTERGLOW), owner, &setting)));
        let mut last = setting.needs.clone();
        for name in running {
            let op = Op::Stop { name: (*name).clone(), timeout: self.desired.stop_timeout };
            let mut setting = Setting { done: Vec::new(), ..setting.clone() };
            if let Some(restart) = kept {
                let done = vec![Fact::Stopped((*name).clone())];
                let setting_ = Setting { done, ..setting.clone() };
                setting.needs.extend(self.leave_down(owner, name, restart, &setting_));
            }
            last.extend(
                self.add(StepBuilder::set(op, owner, &setting).unless([Fact::Stopped((*name).clone())])),
            );
        }
        last
    }

    /// The networks of a container in which its aliases can be changed: those in which it has an address of its own, also
    /// where a run was cut off while it was away.
    fn switchable(&self, name: &Container) -> BTreeSet<Network> {
        let is_managed = |network: &Network| self.now.networks.get(network).is_some_and(|seen| seen.managed);
        let seen = &self.now.containers[name];
        let networks = seen.memberships.keys().chain(seen.addresses.keys());
        networks.filter(|network| is_managed(network)).cloned().collect()
    }

    /// A rollout that was cut off after a name had changed hands is brought to its end before another begins.
    fn finish(&mut self, job: &Job<'_>, places: &[Place], before: &[StepId]) -> Vec<StepId> {
        let is_there = |plan: &Self, name: &Container| plan.now.containers.contains_key(name);
        let is_half_done = |plan: &Self, place: &Place| {
            plan.runs(&place.previous)
                || !is_there(plan, &place.name)
                    && is_there(plan, &place.previous)
                    && is_there(plan, &place.incoming)
        };
        if !places.iter().any(|place| is_half_done(self, place)) {
            return before.to_vec();
        }
        let mut ready = before.to_vec();
        let mut started = Vec::new();
        for place in places {
            if !is_there(self, &place.incoming) {
                continue;
            }
            if !is_there(self, &place.name) && job.workload.strategy == Strategy::Rolling {
                let done = vec![self.is_seen(&place.name, &self.now.containers[&place.incoming])];
                let restart = &job.workload.runtime.restart;
                started.extend(self.serve_again(&job.workload.owner, &place.previous, restart, done));
            }
            let from = self.plan.steps().len();
            let done = vec![self.is_seen(&place.name, &self.now.containers[&place.incoming])];
            let mut setting = Setting { done, ..Setting::new(Reason::LeftOver, before) };
            if !is_there(self, &place.name) && is_there(self, &place.previous) {
                // nobody has the name: whoever had it is better than nobody
                setting.undo = vec![Op::Rename { from: place.previous.clone(), to: place.name.clone() }];
            }
            self.start(job.workload, &place.incoming, &setting);
            setting.needs = self.last(from, before);
            setting.needs.extend(self.answer(job.workload, &place.incoming, &setting));
            self.prove(job.workload, &place.incoming, &setting);
            setting.needs = self.last(from, before);
            self.keep_up(&job.workload.owner, &place.incoming, &job.workload.runtime.restart, &setting);
            ready.extend(self.last(from, before));
        }
        let mut last = ready;
        for place in places {
            if is_there(self, &place.incoming) {
                last = self.take_over(job, place, &last, &started);
            } else if !is_there(self, &place.name) && self.runs(&place.previous) {
                let setting = Setting::new(Reason::LeftOver, &last);
                let op = Op::Rename { from: place.previous.clone(), to: place.name.clone() };
                last.extend(
                    self.add(
                        StepBuilder::set(op, &job.workload.owner, &setting)
                            .unless([Fact::Absent(place.previous.clone())]),
                    ),
                );
            }
        }
        let from = self.plan.steps().len();
        for place in places {
            // it may have been made where the proxy did not lead, or no longer leads
            if self.runs(&place.name) && self.runs(&place.previous) {
                let setting = Setting::new(Reason::NotAttached, &last);
                self.join(job.workload, &place.name, Aliases::AtOnce, &setting);
            }
        }
        last.extend(self.plan.steps()[from..].iter().map(|step| step.id));
        last.extend(self.led_to(job.workload));
        last.extend(started);
        self.retire(job, &places.iter().collect::<Vec<_>>(), &last)
    }

    /// Whether an incoming container is of no use: another is wanted, or one serves that is.
    fn is_unwanted(&self, job: &Job<'_>, place: &Place) -> bool {
        let is_right = |name: &Container| {
            let seen = self.now.containers.get(name)?;
            Some(self.outdated(job.workload, &job.spec, name, seen).is_none())
        };
        match is_right(&place.incoming) {
            None => false,
            Some(incoming) => {
                let is_rolling = job.workload.strategy == Strategy::Rolling;
                !is_rolling || !incoming || is_right(&place.name) == Some(true)
            }
        }
    }

    /// Lets an incoming container leave that is of no use any more. One of a lower release than the one that serves is a
    /// rollback that was cut off: it is kept again.
    fn turn_away(&mut self, job: &Job<'_>, place: &Place, before: &[StepId]) -> Vec<StepId> {
        let Place { name, incoming, previous } = place;
        let seen = self.now.containers[incoming].clone();
        let any = vec![Fact::Absent(incoming.clone()), self.is_seen(incoming, &seen)];
        self.expect_as_it_is(incoming, any);
        let mut needs = before.to_vec();
        let restart = &job.workload.runtime.restart;
        let is_older = self.now.containers.get(name).is_some_and(|serving| seen.release < serving.release);
        let is_kept = is_older
            && !is_unproved(&seen, restart)
            && !self.now.containers.contains_key(previous)
            && job.workload.keeps_previous;
        if self.runs(incoming) {
            let kept = is_kept.then_some(restart.as_str());
            needs = self.leave(&job.workload.owner, &[incoming], Reason::LeftOver, before, kept);
        }
        let (op, done, risk) = if is_kept {
            let op = Op::Rename { from: incoming.clone(), to: previous.clone() };
            (op, Fact::Absent(incoming.clone()), Risk::None)
        } else {
            (Op::Remove { name: incoming.clone() }, Fact::Absent(incoming.clone()), Risk::Removes)
        };
        let setting = Setting { risk, done: vec![done], ..Setting::new(Reason::LeftOver, &needs) };
        needs.extend(self.add(StepBuilder::set(op, &job.workload.owner, &setting)));
        needs
    }

    /// A container that is kept and does not run stays down, and answers to nothing.
    pub(super) fn stay_down(&mut self, job: &Job<'_>, previous: &Container, needs: &[StepId]) {
        let setting = Setting::new(Reason::Leaves, needs);
        self.leave_down(&job.workload.owner, previous, &job.workload.runtime.restart, &setting);
        if job.workload.strategy == Strategy::Rolling {
            // it comes back beside the one that serves
            for network in self.switchable(previous) {
                self.answer_to(&job.workload.owner, previous, &network, &[], &setting);
            }
        }
    }

    /// Removes the release before, where the config does not ask to keep it, or it was never ready; else it stays down.
    pub(super) fn forget(&mut self, job: &Job<'_>, place: &Place, needs: &[StepId]) {
        let previous = &place.previous;
        let restart = &job.workload.runtime.restart;
        let Some(seen) = self.now.containers.get(previous) else { return };
        if seen.state.is_up() {
            return;
        }
        let reason = if is_unproved(seen, restart) { Reason::Unproved } else { Reason::Replaced };
        if job.workload.keeps_previous && reason == Reason::Replaced {
            self.stay_down(job, previous, needs);
            return;
        }
        let setting = Setting { risk: Risk::Removes, ..Setting::new(reason, needs) };
        let op = Op::Remove { name: previous.clone() };
        self.add(
            StepBuilder::set(op, &job.workload.owner, &setting).unless([Fact::Absent(previous.clone())]),
        );
    }
}
