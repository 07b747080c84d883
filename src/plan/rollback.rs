//! Goes back to the release before: the containers that were kept come in again, by the steps of a rollout, or of a
//! replacement where an app cannot be rolled out.

use super::Conflict;
use super::Note;
use super::Options;
use super::Plan;
use super::Reason;
use super::Risk;
use super::StepId;
use super::builder::PlanBuilder;
use super::builder::StepBuilder;
use super::launch::Aliases;
use super::life::can_start;
use super::workload::Job;
use super::workload::Place;
use super::workload::Setting;
use crate::desired::Desired;
use crate::desired::Strategy;
use crate::desired::Workload;
use crate::docker::Fact;
use crate::docker::Kind;
use crate::docker::Observed;
use crate::docker::Op;
use crate::docker::SeenContainer;
use crate::name::Container;
use std::collections::BTreeSet;

/// The plan that brings apps back to the release before the one that serves; `apps` names them by stem, `None` all that
/// have one. The volumes in `leave_data` may be left behind.
///
/// # Errors
/// When a named app has no release before, or none of them has.
pub fn rollback(
    desired: &Desired,
    host: &Observed,
    apps: Option<&str>,
    leave_data: &BTreeSet<String>,
) -> Result<Plan, Vec<Conflict>> {
    let options = Options { leave_data: leave_data.clone(), ..Options::default() };
    let mut plan = PlanBuilder::new(desired, host, &options);
    let is_meant =
        |workload: &&Workload| workload.kind == Kind::App && apps.is_none_or(|stem| workload.stem == stem);
    let meant: Vec<&Workload> = desired.workloads.iter().filter(is_meant).collect();
    let (can, cannot): (Vec<&Workload>, Vec<&Workload>) = meant.iter().partition(|w| plan.can_go_back(w));
    if can.is_empty() || apps.is_some() && !cannot.is_empty() {
        let without = if can.is_empty() { &meant } else { &cannot };
        let conflict = |workload: &&Workload| match plan.is_between_releases(workload) {
            true => Conflict::BetweenReleases(workload.name()),
            false => Conflict::NothingBefore(workload.name()),
        };
        return Err(without.iter().map(conflict).collect());
    }
    plan.check_answers();
    for workload in can {
        plan.go_back(workload);
    }
    plan.expect_no_other_answers();
    if plan.conflicts.is_empty() { Ok(plan.plan) } else { Err(plan.conflicts) }
}

impl PlanBuilder<'_> {
    /// Whether every container of an app has one that was kept, of a lower release.
    fn can_go_back(&self, workload: &Workload) -> bool {
        workload.places().iter().all(|place| self.kept(place).is_some())
    }

    /// Whether an earlier run was cut off before all containers of an app had the names of its last release.
    fn is_between_releases(&self, workload: &Workload) -> bool {
        workload.places().iter().any(|place| self.now.containers.contains_key(&place.incoming))
    }

    fn kept(&self, place: &Place) -> Option<&SeenContainer> {
        let serving = self.now.containers.get(&place.name)?;
        let is_clear = !self.now.containers.contains_key(&place.incoming);
        let kept = self.now.containers.get(&place.previous)?;
        let can_come_back = !kept.state.is_up() && can_start(kept);
        (is_clear && kept.release < serving.release && can_come_back).then_some(kept)
    }

    fn go_back(&mut self, workload: &Workload) {
        for Place { name, previous, .. } in workload.places() {
            let (serving, kept) =
                (self.now.containers[&name].clone(), self.now.containers[&previous].clone());
            let mounted = kept.volumes.values().collect();
            self.leave_data_unless(&name, &serving, &mounted, &self.is_seen(&name, &kept));
        }
        match workload.strategy {
            Strategy::Rolling => self.roll_back(workload),
            Strategy::Recreate(why) => {
                let mut last = Vec::new();
                for place in workload.places() {
                    if let Some(why) = why {
                        self.plan.notes.push(Note::NotRolledOut { container: place.name.clone(), why });
                    }
                    last = self.put_back(workload, &place, &last);
                }
            }
        }
    }

    fn roll_back(&mut self, workload: &Workload) {
        let places = workload.places();
        let (spec, release) = (workload.spec(), 0);
        let job = Job { workload, spec, release };
        let mut ready: Vec<StepId> = Vec::new();
        for place in &places {
            ready.extend(self.stop_restarting(&workload.owner, &place.name, &workload.runtime.restart));
        }
        for place in &places {
            ready.extend(self.bring_back(&job, place));
        }
        let mut named = ready.clone();
        for place in &places {
            let setting =
                Setting { done: self.has_gone_back(place), ..Setting::new(Reason::TakesOver, &ready) };
            named.extend(self.answer(workload, &place.incoming, &setting));
        }
        let mut last = named;
        for place in &places {
            last = self.take_over(&job, place, &last, &[]);
        }
        let last = self.retire(&job, &places.iter().collect::<Vec<_>>(), &last);
        for place in &places {
            self.stay_down(&job, &place.previous, &last);
        }
    }

    /// Starts a container that was kept, under the name of one that comes in, and waits until it is ready.
    fn bring_back(&mut self, job: &Job<'_>, place: &Place) -> Vec<StepId> {
        let Place { name, incoming, previous } = place;
        let (serving, kept) = (self.now.containers[name].clone(), self.now.containers[previous].clone());
        self.expect_as_it_is(
            name,
            vec![self.is_seen(name, &serving), self.is_seen(previous, &serving), self.is_seen(name, &kept)],
        );
        self.expect_as_it_is(
            previous,
            vec![self.is_seen(previous, &kept), self.is_seen(incoming, &kept), self.is_seen(name, &kept)],
        );
        let from = self.plan.steps().len();
        let done = vec![self.is_seen(name, &kept)];
        let mut setting = Setting { done, ..Setting::new(Reason::GoesBack, &[]) };
        let op = Op::Rename { from: previous.clone(), to: incoming.clone() };
        let step =
            StepBuilder::set(op, &job.workload.owner, &setting).unless([self.is_seen(incoming, &kept)]);
        setting.needs.extend(self.add(step));
        setting.needs = self.leave_strange(job.workload, incoming, setting.clone());
        setting.undo = vec![
            Op::Stop { name: incoming.clone(), timeout: self.desired.stop_timeout },
            Op::Rename { from: incoming.clone(), to: previous.clone() },
        ];
        self.join(job.workload, incoming, Aliases::Later, &setting);
        setting.needs = self.last(from, &[]);
        self.start(job.workload, incoming, &setting);
        setting.needs = self.last(from, &[]);
        self.prove(job.workload, incoming, &setting);
        setting.needs = self.last(from, &[]);
        self.keep_up(&job.workload.owner, incoming, &job.workload.runtime.restart, &setting);
        self.last(from, &[])
    }

    /// Puts a container that was kept in the place of the one that serves, which stops first, waits under the name of one
    /// that comes in, and comes back when the other does not come up.
    fn put_back(&mut self, workload: &Workload, place: &Place, needs: &[StepId]) -> Vec<StepId> {
        let Place { name, incoming, previous } = place;
        let (serving, kept) = (self.now.containers[name].clone(), self.now.containers[previous].clone());
        let (is_back, is_kept) = (self.is_seen(name, &kept), self.is_seen(previous, &serving));
        self.expect_as_it_is(
            name,
            vec![self.is_seen(name, &serving), self.is_seen(incoming, &serving), is_back.clone()],
        );
        self.expect_as_it_is(previous, vec![self.is_seen(previous, &kept), is_back.clone(), is_kept.clone()]);
        let rename = |from: &Container, to: &Container| Op::Rename { from: from.clone(), to: to.clone() };
        let stop = || Op::Stop { name: name.clone(), timeout: self.desired.stop_timeout };
        let restart = &workload.runtime.restart;
        let again = self.serves_again(name, restart, &serving);
        let undo = vec![stop(), rename(name, previous), rename(incoming, name)];
        let undo = undo.into_iter().chain(again.clone()).collect();
        let mut setting = Setting { done: vec![is_back], ..Setting::new(Reason::GoesBack, needs) };

        setting.needs.extend(self.leave_down(&workload.owner, name, restart, &setting));
        let interrupts = Setting { risk: Risk::Interrupts, undo: again, ..setting.clone() };
        let step =
            StepBuilder::set(stop(), &workload.owner, &interrupts).unless([Fact::Stopped(name.clone())]);
        setting.needs.extend(self.add(step));
        setting.undo = undo;
        let step = StepBuilder::set(rename(name, incoming), &workload.owner, &setting);
        setting.needs.extend(self.add(step.unless([Fact::Absent(name.clone())])));
        setting.needs.extend(self.add(StepBuilder::set(rename(previous, name), &workload.owner, &setting)));

        setting.done = vec![is_kept];
        setting.needs = self.leave_strange(workload, name, setting.clone());
        setting.needs.extend(self.answer(workload, name, &setting));
        setting.needs.extend(self.stay_led(workload, name, &setting));
        setting.needs.extend(self.start(workload, name, &setting));
        setting.needs.extend(self.prove(workload, name, &setting));
        setting.needs.extend(self.keep_up(&workload.owner, name, restart, &setting));
        setting.undo = Vec::new();
        setting.needs.extend(self.add(StepBuilder::set(
            rename(incoming, previous),
            &workload.owner,
            &setting,
        )));
        setting.needs
    }

    fn has_gone_back(&self, place: &Place) -> Vec<Fact> {
        let kept = self.now.containers.get(&place.incoming);
        kept.map(|kept| self.is_seen(&place.name, kept)).into_iter().collect()
    }
}
