//! What may start, and what is skipped when a step fails: a plain state machine over a plan. Knows neither threads nor
//! docker.

use crate::docker::Op;
use crate::plan::Plan;
use crate::plan::StepId;
use std::collections::BTreeSet;
use std::num::NonZeroUsize;

/// What became of a step so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It has not been done, or was left before it had come to its end.
    Waiting,
    /// It is being done.
    Running,
    /// It is done.
    Done,
    /// It failed.
    Failed,
    /// It is never done, because this step failed.
    Skipped(StepId),
}

/// How a running step ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Over {
    /// It is done.
    Done,
    /// It failed; what needs it is skipped.
    Failed,
    /// It was left undone, because nothing more is to be done at all.
    Left,
}

/// The steps of a plan while they are done.
#[derive(Clone, Debug)]
pub struct Schedule {
    states: Vec<State>,
    /// Of each step, how many of those that come before it are not over yet.
    missing: Vec<usize>,
    /// Of each step, those that need it.
    dependents: Vec<Vec<StepId>>,
    /// Of each step, those that only wait for its end.
    followers: Vec<Vec<StepId>>,
    /// Steps that only wait for something: they take no job.
    waits: Vec<bool>,
    /// Steps that are done also after a halt, once those before them are over.
    uninterruptible: Vec<bool>,
    ready_jobs: BTreeSet<StepId>,
    ready_waits: BTreeSet<StepId>,
    free: usize,
    running: usize,
    halted: bool,
}

impl Schedule {
    /// A schedule in which nothing has started, and at most `jobs` steps will run at once beside those that only wait.
    pub fn new(plan: &Plan, jobs: NonZeroUsize) -> Self {
        let count = plan.steps().len();
        let mut schedule = Self {
            states: vec![State::Waiting; count],
            missing: vec![0; count],
            dependents: vec![Vec::new(); count],
            followers: vec![Vec::new(); count],
            waits: plan.steps().iter().map(|step| matches!(step.op, Op::Await(_))).collect(),
            uninterruptible: plan.steps().iter().map(|step| step.uninterruptible).collect(),
            ready_jobs: BTreeSet::new(),
            ready_waits: BTreeSet::new(),
            free: jobs.get(),
            running: 0,
            halted: false,
        };
        for step in plan.steps() {
            schedule.missing[step.id.index()] = step.needs.len() + step.after.len();
            for need in &step.needs {
                schedule.dependents[need.index()].push(step.id);
            }
            for before in &step.after {
                schedule.followers[before.index()].push(step.id);
            }
            if schedule.missing[step.id.index()] == 0 {
                schedule.make_ready(step.id);
            }
        }
        schedule
    }

    /// The step that starts now: the earliest that only waits, or else the earliest, when a job is free. `None`: nothing
    /// may start before something else ends.
    pub fn start(&mut self) -> Option<StepId> {
        let id = match self.ready_waits.pop_first() {
            Some(id) => id,
            None if self.free > 0 => self.ready_jobs.pop_first()?,
            None => return None,
        };
        if !self.waits[id.index()] {
            self.free -= 1;
        }
        self.states[id.index()] = State::Running;
        self.running += 1;
        Some(id)
    }

    /// Notes how a running step ended. Gives the steps that are skipped for it, in the order of the plan.
    ///
    /// # Panics
    /// When the step does not run.
    pub fn finish(&mut self, id: StepId, over: Over) -> Vec<StepId> {
        assert_eq!(self.states[id.index()], State::Running, "only a running step ends");
        if !self.waits[id.index()] {
            self.free += 1;
        }
        self.running -= 1;
        match over {
            Over::Done => {
                self.states[id.index()] = State::Done;
                let others = [self.dependents[id.index()].as_slice(), &self.followers[id.index()]].concat();
                others.into_iter().for_each(|other| self.is_nearer(other));
                Vec::new()
            }
            Over::Failed => {
                self.states[id.index()] = State::Failed;
                let skipped = self.skip_dependents(id);
                for over in skipped.iter().chain([&id]) {
                    let followers = self.followers[over.index()].clone();
                    followers.into_iter().for_each(|follower| self.is_nearer(follower));
                }
                skipped
            }
            Over::Left => {
                self.states[id.index()] = State::Waiting;
                Vec::new()
            }
        }
    }

    /// Lets nothing more start but what belongs to a step that has begun; what runs may end.
    pub fn halt(&mut self) {
        self.halted = true;
        let uninterruptible = &self.uninterruptible;
        self.ready_jobs.retain(|id| uninterruptible[id.index()]);
        self.ready_waits.retain(|id| uninterruptible[id.index()]);
    }

    /// How many steps run.
    pub fn running(&self) -> usize {
        self.running
    }

    /// What became of a step so far.
    pub fn state(&self, id: StepId) -> State {
        self.states[id.index()]
    }

    /// What became of each step so far, in the order of the plan.
    pub fn states(&self) -> &[State] {
        &self.states
    }

    fn make_ready(&mut self, id: StepId) {
        if self.halted && !self.uninterruptible[id.index()] {
            return;
        }
        let ready = if self.waits[id.index()] { &mut self.ready_waits } else { &mut self.ready_jobs };
        ready.insert(id);
    }

    /// One of those that come before a step is over.
    fn is_nearer(&mut self, id: StepId) {
        self.missing[id.index()] -= 1;
        if self.missing[id.index()] == 0 && self.state(id) == State::Waiting {
            self.make_ready(id);
        }
    }

    fn skip_dependents(&mut self, failed: StepId) -> Vec<StepId> {
        let mut skipped = BTreeSet::new();
        let mut todo = self.dependents[failed.index()].clone();
        while let Some(id) = todo.pop() {
            if self.state(id) == State::Waiting {
                self.states[id.index()] = State::Skipped(failed);
                skipped.insert(id);
                todo.extend(&self.dependents[id.index()]);
            }
        }
        skipped.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::apply::sample;
    use proptest::prelude::*;

    const TWO: NonZeroUsize = NonZeroUsize::new(2).expect("not zero");

    #[test]
    fn what_needs_nothing_starts_in_the_order_of_the_plan_as_jobs_are_free() {
        let plan = sample::plan(&[&[], &[], &[], &[0]]);
        let ids: Vec<StepId> = plan.steps().iter().map(|step| step.id).collect();
        let mut schedule = Schedule::new(&plan, TWO);
        assert_eq!(schedule.start(), Some(ids[0]));
        assert_eq!(schedule.start(), Some(ids[1]));
        assert_eq!(schedule.start(), None, "both jobs are taken");
        schedule.finish(ids[0], Over::Done);
        assert_eq!(schedule.start(), Some(ids[2]));
        schedule.finish(ids[1], Over::Done);
        assert_eq!(schedule.start(), Some(ids[3]));
    }

    #[test]
    fn a_wait_takes_no_job() {
        let plan = sample::plan_of(vec![
            (sample::wait("shop-web"), vec![]),
            (sample::wait("shop-api"), vec![]),
            (sample::network("shop-1"), vec![]),
            (sample::network("shop-2"), vec![]),
        ]);
        let mut schedule = Schedule::new(&plan, TWO);
        let started: Vec<usize> = std::iter::from_fn(|| schedule.start()).map(StepId::index).collect();
        assert_eq!(started, [0, 1, 2, 3]);
    }

    #[test]
    fn after_a_halt_nothing_starts_and_what_was_left_counts_as_not_done() {
        let plan = sample::plan(&[&[], &[], &[1]]);
        let ids: Vec<StepId> = plan.steps().iter().map(|step| step.id).collect();
        let mut schedule = Schedule::new(&plan, TWO);
        schedule.start();
        schedule.start();
        schedule.halt();
        schedule.finish(ids[0], Over::Left);
        schedule.finish(ids[1], Over::Done);
        assert_eq!(schedule.start(), None);
        assert_eq!(schedule.states(), [State::Waiting, State::Done, State::Waiting]);
    }

    #[test]
    fn after_a_halt_what_belongs_to_a_step_that_has_begun_is_done() {
        let plan = sample::plan(&[&[], &[0], &[], &[2]]);
        let ids: Vec<StepId> = plan.steps().iter().map(|step| step.id).collect();
        let uninterruptible = vec![false, true, false, true];
        let mut schedule = Schedule { uninterruptible, ..Schedule::new(&plan, NonZeroUsize::MIN) };
        assert_eq!(schedule.start(), Some(ids[0]));
        schedule.halt();
        schedule.finish(ids[0], Over::Done);
        assert_eq!(schedule.start(), Some(ids[1]));
        schedule.finish(ids[1], Over::Done);
        assert_eq!(schedule.start(), None, "what has not begun does not begin");
        assert_eq!(schedule.states(), [State::Done, State::Done, State::Waiting, State::Waiting]);
    }

    /// What up to 30 steps need and what they only come after, each of earlier ones only, and for each step whether it waits and
    /// whether it fails.
    fn graphs() -> impl Strategy<Value = Vec<(Vec<usize>, Vec<usize>, bool, bool)>> {
        let others = || prop::collection::vec(any::<prop::sample::Index>(), 0..3);
        let steps =
            prop::collection::vec((others(), others(), any::<bool>(), prop::bool::weighted(0.15)), 1..30);
        steps.prop_map(|steps| {
            let limit = |at: usize, needs: Vec<prop::sample::Index>| match at {
                0 => Vec::new(),
                _ => needs.into_iter().map(|need| need.index(at)).collect(),
            };
            let number = steps.into_iter().enumerate();
            number
                .map(|(at, (needs, after, waits, fails))| (limit(at, needs), limit(at, after), waits, fails))
                .collect()
        })
    }

    proptest! {
        #[test]
        fn every_step_starts_once_after_its_needs_unless_one_of_them_failed(
            graph in graphs(),
            jobs in 1_usize..5,
            order in prop::collection::vec(any::<prop::sample::Index>(), 64),
        ) {
            let name = |at: usize| format!("shop-{at}");
            let plan = sample::plan_with_order(graph.iter().enumerate().map(|(at, (needs, after, waits, _))| {
                let op = if *waits { sample::wait(&name(at)) } else { sample::network(&name(at)) };
                (op, needs.clone(), after.clone())
            }).collect());
            let mut schedule = Schedule::new(&plan, NonZeroUsize::new(jobs).expect("at least one"));
            let (mut running, mut begun, mut done, mut skipped) =
                (Vec::new(), BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
            for turn in 0.. {
                while let Some(id) = schedule.start() {
                    prop_assert!(begun.insert(id), "{id:?} starts twice");
                    let step = &plan.steps()[id.index()];
                    for need in &step.needs {
                        prop_assert!(done.contains(need), "{id:?} starts before {need:?} is done");
                    }
                    for other in &step.after {
                        let is_over = skipped.contains(other) || begun.contains(other) && !running.contains(other);
                        prop_assert!(is_over, "{id:?} starts before {other:?} is over");
                    }
                    running.push(id);
                }
                prop_assert_eq!(schedule.running(), running.len());
                prop_assert!(running.iter().filter(|id| !graph[id.index()].2).count() <= jobs);
                if running.is_empty() {
                    break;
                }
                let id = running.swap_remove(order[turn % order.len()].index(running.len()));
                let fails = graph[id.index()].3;
                let more = schedule.finish(id, if fails { Over::Failed } else { Over::Done });
                prop_assert!(fails || more.is_empty());
                for id in more {
                    prop_assert!(skipped.insert(id), "{id:?} is skipped twice");
                }
                if !fails {
                    done.insert(id);
                }
            }
            // all and only those that need a failed step, however far down, are skipped
            let mut lost = BTreeSet::new();
            for step in plan.steps() {
                let fails = graph[step.id.index()].3;
                let hopeless = step.needs.iter().any(|need| lost.contains(need));
                prop_assert_eq!(skipped.contains(&step.id), hopeless);
                prop_assert_eq!(begun.contains(&step.id), !hopeless);
                if fails || hopeless {
                    lost.insert(step.id);
                }
            }
        }
    }
}
