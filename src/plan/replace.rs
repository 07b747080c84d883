//! Replaces what cannot be rolled out: services, and apps that publish ports or ask for it. The old container stops, waits
//! under its previous name while the new one proves itself, and comes back when that fails.

use super::Draft;
use super::Note;
use super::Reason;
use super::Risk;
use super::StepId;
use super::diff::Draw;
use super::launch::Aliases;
use super::workload::Job;
use super::workload::Place;
use super::workload::Setting;
use crate::desired::Strategy;
use crate::docker::Fact;
use crate::docker::Health;
use crate::docker::Op;
use crate::docker::SeenContainer;
use crate::docker::State;

impl Draft<'_> {
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
            let last = self.keep(job, name, before);
            return if was_waiting && !keeps { self.prove_at_last(job, place, before) } else { last };
        };
        self.expect_as_seen(job, place, serving.as_ref());
        self.leave_data(job, name, serving.as_ref());
        let mut setting = Setting::new(reason, before);
        if let Some(seen) = &serving {
            if let Strategy::Recreate(Some(why)) = job.workload.strategy {
                self.plan.notes.push(Note::NotRolledOut { container: name.clone(), why });
            }
            setting.needs = self.make_room(job, place, seen, &setting);
        }
        let falls_back = self.now.containers.contains_key(previous);
        if falls_back {
            setting.undo = self.fall_back(place);
        }
        self.launch(job, name, Aliases::AtOnce, &setting);
        let last = self.last(from, before);
        if !falls_back {
            self.settle(job.workload, name, &last);
            return self.last(from, before);
        }
        let waits = if keeps { None } else { Some(Fact::Absent(previous.clone())) };
        let setting = Setting {
            undo: setting.undo,
            done: waits.into_iter().collect(),
            ..Setting::new(Reason::Ready, &last)
        };
        self.prove(job.workload, name, &setting);
        if !keeps {
            self.remove_previous(job, place, &self.last(from, before));
        }
        self.last(from, before)
    }

    /// A replacement that was cut off while the new container proved itself.
    fn prove_at_last(&mut self, job: &Job<'_>, place: &Place, before: &[StepId]) -> Vec<StepId> {
        let from = self.plan.steps().len();
        let setting = Setting {
            undo: self.fall_back(place),
            done: vec![Fact::Absent(place.previous.clone())],
            ..Setting::new(Reason::Ready, before)
        };
        self.prove(job.workload, &place.name, &setting);
        self.remove_previous(job, place, &self.last(from, before));
        self.last(from, before)
    }

    fn remove_previous(&mut self, job: &Job<'_>, place: &Place, needs: &[StepId]) {
        let setting = Setting { risk: Risk::Removes, ..Setting::new(Reason::Replaced, needs) };
        let op = Op::Remove { name: place.previous.clone() };
        self.draw(
            Draw::set(op, &job.workload.owner, &setting).unless([Fact::Absent(place.previous.clone())]),
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
        let is_proven = workload.keeps_previous
            && seen.state == State::Running
            && matches!(seen.health, Health::None | Health::Healthy);
        if is_proven && waiting.is_some() {
            let op = Op::Remove { name: previous.clone() };
            let kept = Setting { reason: Reason::Older, risk: Risk::Removes, ..setting.clone() };
            let step = Draw::set(op, &workload.owner, &kept)
                .unless([Fact::Absent(previous.clone()), self.is_seen(previous, seen)]);
            setting.needs.extend(self.draw(step));
        }
        let is_up = seen.state.is_up();
        let start = Op::Start { name: name.clone() };
        let risk = if is_up { Risk::Interrupts } else { Risk::None };
        let undo = if is_up { vec![start.clone()] } else { Vec::new() };
        let stop = Op::Stop { name: name.clone(), timeout: self.desired.stop_timeout };
        let step = Draw::set(stop, &workload.owner, &Setting { risk, undo, ..setting.clone() })
            .unless([Fact::Stopped(name.clone())]);
        setting.needs.extend(self.draw(step));
        let (op, undo) = if self.now.containers.contains_key(previous) {
            (Op::Remove { name: name.clone() }, self.fall_back(place))
        } else {
            let back = Op::Rename { from: previous.clone(), to: name.clone() };
            let undo = if is_up { vec![back, start] } else { Vec::new() };
            (Op::Rename { from: name.clone(), to: previous.clone() }, undo)
        };
        let setting = Setting { reason: Reason::MakesRoom, undo, ..setting };
        let step = Draw::set(op, &workload.owner, &setting).unless([Fact::Absent(name.clone())]);
        setting.needs.iter().copied().chain(self.draw(step)).collect()
    }

    /// What brings the previous container back when the new one does not come up.
    fn fall_back(&self, place: &Place) -> Vec<Op> {
        let Place { name, previous, .. } = place;
        vec![
            Op::Stop { name: name.clone(), timeout: self.desired.stop_timeout },
            Op::Remove { name: name.clone() },
            Op::Rename { from: previous.clone(), to: name.clone() },
            Op::Start { name: name.clone() },
        ]
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
