//! Replaces what cannot be rolled out: services, and apps that publish ports or ask for it. The old container stops, waits
//! under its previous name while the new one proves itself, and comes back when that fails.

use super::Note;
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
use crate::desired::Strategy;
use crate::docker::Fact;
use crate::docker::Op;
use crate::docker::SeenContainer;
use crate::docker::State;

impl PlanBuilder<'_> {
    /// Brings all containers of a workload up, those that are replaced one after the other, so that some always serve.
    pub(super) fn replace(&mut self, job: &Job<'_>, places: &[Place], before: &[StepId]) -> Vec<StepId> {
        let mut steps = Vec::new();
        let mut replaced: Vec<StepId> = Vec::new();
        for place in places {
            let is_there = self.now.containers.contains_key(&place.name);
            let needs: Vec<StepId> =
                if is_there { before.iter().chain(&replaced).copied().collect() } else { before.to_vec() };
            let last = self.replace_one(job, place, &needs);
            if is_there {
                replaced.extend(&last);
            }
            steps.extend(last);
        }
        steps
    }

    fn replace_one(&mut self, job: &Job<'_>, place: &Place, before: &[StepId]) -> Vec<StepId> {
        let Place { name, previous, .. } = place;
        let from = self.plan.steps().len();
        let keeps = job.workload.keeps_previous;
        let serving = self.now.containers.get(name).cloned();
        let was_waiting = self.now.containers.contains_key(previous);
        let reason = match &serving {
            None if was_waiting && !keeps => Some(Reason::LeftOver),
            None => Some(Reason::Missing),
            Some(seen) => self.outdated(job.workload, &job.spec, name, seen),
        };
        let Some(reason) = reason else {
            return self.keep_or_fall_back(job, place, before);
        };
        self.expect_as_seen(job, place, serving.as_ref());
        self.leave_data(job, name, serving.as_ref());
        let mut setting = Setting::new(reason, before);
        setting.needs.extend(self.discard_lost(job, place, serving.as_ref(), &setting));
        if let Some(seen) = &serving {
            if let Strategy::Recreate(Some(why)) = job.workload.strategy {
                self.plan.notes.push(Note::NotRolledOut { container: name.clone(), why });
            }
            setting.needs = self.make_room(job, place, seen, &setting);
        }
        let falls_back = self.now.containers.contains_key(previous);
        if falls_back {
            setting.undo = self.fall_back(job, place);
        }
        self.launch(job, name, Aliases::AtOnce, &setting);
        let setting = Setting { undo: setting.undo, ..Setting::new(Reason::Ready, &self.last(from, before)) };
        if falls_back {
            self.take_its_place(job, place, &setting);
        } else {
            self.settle(job.workload, name, Reason::Ready, &setting.needs);
            let setting = Setting::new(Reason::Ready, &self.last(from, before));
            self.keep_up(&job.workload.owner, name, &job.workload.runtime.restart, &setting);
        }
        self.last(from, before)
    }

    /// A container that is what it should be stays. While it has yet to prove itself, the one that it replaces stands by.
    pub(super) fn keep_or_fall_back(
        &mut self,
        job: &Job<'_>,
        place: &Place,
        before: &[StepId],
    ) -> Vec<StepId> {
        let Place { name, previous, .. } = place;
        let waiting = self.now.containers.get(previous);
        let stands_by = waiting.is_some_and(|seen| !seen.state.is_up() && can_start(seen));
        let is_unproved = is_unproved(&self.now.containers[name], &job.workload.runtime.restart);
        if !stands_by || !is_unproved {
            return self.keep(job, name, before);
        }
        let from = self.plan.steps().len();
        let undo = self.fall_back(job, place);
        self.repair(job.workload, name, before);
        let setting = Setting { undo, ..Setting::new(Reason::NotRunning, &self.last(from, before)) };
        self.start(job.workload, name, &setting);
        let setting = Setting { reason: Reason::Unproved, needs: self.last(from, before), ..setting };
        self.take_its_place(job, place, &setting);
        self.note(job.workload, name);
        self.last(from, before)
    }

    /// The container has to prove itself before the one that it replaces goes.
    fn take_its_place(&mut self, job: &Job<'_>, place: &Place, setting: &Setting) {
        let Place { name, previous, .. } = place;
        let workload = job.workload;
        let mut setting = setting.clone();
        if !workload.keeps_previous {
            setting.done.push(Fact::Absent(previous.clone()));
        }
        setting.needs.extend(self.prove(workload, name, &setting));
        setting.needs.extend(self.keep_up(&workload.owner, name, &workload.runtime.restart, &setting));
        if !workload.keeps_previous {
            self.remove_previous(job, place, &setting.needs);
        }
    }

    /// Removes a container that waits and can never start again: there is nothing to fall back to.
    fn discard_lost(
        &mut self,
        job: &Job<'_>,
        place: &Place,
        serving: Option<&SeenContainer>,
        setting: &Setting,
    ) -> Option<StepId> {
        let Place { name, previous, .. } = place;
        let waiting = self.now.containers.get(previous)?;
        let network = waiting.memberships.iter().find(|(_, membership)| membership.stale)?.0.clone();
        let mut done = vec![self.is_current(job, name), Fact::Absent(previous.clone())];
        done.extend(serving.map(|seen| self.is_seen(previous, seen)));
        let setting =
            Setting { reason: Reason::NetworkGone(network), risk: Risk::Removes, done, ..setting.clone() };
        self.add(StepBuilder::set(Op::Remove { name: previous.clone() }, &job.workload.owner, &setting))
    }

    fn remove_previous(&mut self, job: &Job<'_>, place: &Place, needs: &[StepId]) {
        let setting = Setting { risk: Risk::Removes, ..Setting::new(Reason::Replaced, needs) };
        let op = Op::Remove { name: place.previous.clone() };
        self.add(
            StepBuilder::set(op, &job.workload.owner, &setting)
                .unless([Fact::Absent(place.previous.clone())]),
        );
    }

    /// Takes the container that serves out of the way: it stays under the previous name, as what is fallen back to.
    ///
    /// A container that waits there already goes: it is a release kept from before. But where a replacement was cut off
    /// before the new one had proved itself, the old one stays and the unproven one goes.
    fn make_room(
        &mut self,
        job: &Job<'_>,
        place: &Place,
        seen: &SeenContainer,
        setting: &Setting,
    ) -> Vec<StepId> {
        let Place { name, previous, .. } = place;
        let workload = job.workload;
        let done = self.is_current(job, name);
        let mut setting = Setting { done: vec![done], ..setting.clone() };
        let waiting = self.now.containers.get(previous).cloned();
        let restart = &workload.runtime.restart;
        let is_proven =
            workload.keeps_previous && seen.state == State::Running && !self.is_unready(workload, name);
        if is_proven && waiting.is_some() {
            let op = Op::Remove { name: previous.clone() };
            let kept = Setting { reason: Reason::Older, risk: Risk::Removes, ..setting.clone() };
            let step = StepBuilder::set(op, &workload.owner, &kept)
                .unless([Fact::Absent(previous.clone()), self.is_seen(previous, seen)]);
            setting.needs.extend(self.add(step));
        }
        let is_up = seen.state.is_up();
        let again = if is_up { self.serves_again(name, restart, seen) } else { Vec::new() };
        let risk = if is_up { Risk::Interrupts } else { Risk::None };
        if can_start(seen) {
            setting.needs.extend(self.leave_down(&workload.owner, name, restart, &setting));
        }
        let undo = again.clone();
        let stop = Op::Stop { name: name.clone(), timeout: self.desired.stop_timeout };
        let step = StepBuilder::set(stop, &workload.owner, &Setting { risk, undo, ..setting.clone() })
            .unless([Fact::Stopped(name.clone())]);
        setting.needs.extend(self.add(step));
        let (op, undo) = if self.now.containers.contains_key(previous) {
            (Op::Remove { name: name.clone() }, self.fall_back(job, place))
        } else if !can_start(seen) {
            (Op::Remove { name: name.clone() }, Vec::new())
        } else {
            let back = Op::Rename { from: previous.clone(), to: name.clone() };
            let undo = if is_up { [vec![back], again].concat() } else { Vec::new() };
            (Op::Rename { from: name.clone(), to: previous.clone() }, undo)
        };
        let setting = Setting { reason: Reason::MakesRoom, undo, ..setting };
        let step = StepBuilder::set(op, &workload.owner, &setting).unless([Fact::Absent(name.clone())]);
        setting.needs.iter().copied().chain(self.add(step)).collect()
    }

    /// What brings the previous container back when the new one does not come up.
    fn fall_back(&self, job: &Job<'_>, place: &Place) -> Vec<Op> {
        let Place { name, previous, .. } = place;
        let mut ops = vec![
            Op::Stop { name: name.clone(), timeout: self.desired.stop_timeout },
            Op::Remove { name: name.clone() },
            Op::Rename { from: previous.clone(), to: name.clone() },
        ];
        let waiting = &self.now.containers[previous];
        ops.extend(self.serves_again(name, &job.workload.runtime.restart, waiting));
        ops
    }

    /// Before anything is changed: where a container will be made stands none, the old one, or the very one; and where it
    /// will wait none, the one that does, or the old one as a part of this same plan leaves it.
    pub(super) fn expect_as_seen(&mut self, job: &Job<'_>, place: &Place, serving: Option<&SeenContainer>) {
        let Place { name, previous, .. } = place;
        let mut any = vec![Fact::Absent(name.clone())];
        any.extend(serving.map(|seen| self.is_seen(name, seen)));
        any.push(self.is_current(job, name));
        self.expect_as_it_is(name, any);
        let waiting = serving.into_iter().chain(self.now.containers.get(previous));
        let waiting: Vec<Fact> = waiting.map(|seen| self.is_seen(previous, seen)).collect();
        if !waiting.is_empty() {
            let any = [Fact::Absent(previous.clone())].into_iter().chain(waiting).collect();
            self.expect_as_it_is(previous, any);
        }
    }
}
