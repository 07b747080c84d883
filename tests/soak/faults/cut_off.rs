//! Runs that are killed at each of their steps.

use super::fault_injection::Fault;
use super::probe::Count;
use super::probe::nobody_noticed;
use super::rolling_project::Askers;
use super::rolling_project::Lane;
use super::rolling_project::Shape;
use super::sample::sample;
use std::thread;
use support::Run;
use support::private_engine::on_private_engine;

/// What is done to a project, over and over.
type Work = fn(&mut Lane, &Askers);

/// How a rollout is cut off, and what brings it to its end.
#[derive(Clone, Copy)]
struct Way {
    fault: Fault,
    cut: fn(&Lane) -> Run,
    mend: fn(&mut Lane, usize, &str),
}

const AFTER: Way = Way { fault: Fault::KilledAfter, cut: apply, mend: applied };

/// A rollout after the other is cut off: at the step `first` of this number, then at each `every`th after it.
fn at_each_step(lane: &mut Lane, askers: &Askers, way: Way, first: usize, every: usize) {
    for k in sample((first..).step_by(every)) {
        let before = lane.wanted();
        lane.wants((before + 1) % 2);
        let steps = lane.steps();
        let Some(step) = steps.get(k) else { break };
        let what = format!("{:?} at step {} of {}, {}", way.fault, k + 1, steps.len(), step.pattern);
        println!("{what}");
        lane.docker.breaks(&[(step, way.fault)]);
        let run = (way.cut)(lane);
        let is_cut_off = run.status == -1 && lane.docker.met() == 1;
        // a script passes over the end of a pause that a busy engine has refused
        let is_passed_over = run.status == 0
            && step.is_known_by("unpause ")
            && run.stderr.contains("is not paused: the rest goes on without");
        assert!(is_cut_off || is_passed_over, "{what}: {run:?}");
        lane.docker.breaks(&[]);
        askers.wait();
        (way.mend)(lane, before, &what);
    }
}

fn apply(lane: &Lane) -> Run {
    lane.docker.gordon(&lane.project, &["apply", "--yes"])
}

fn script(lane: &Lane) -> Run {
    lane.docker.run(&lane.docker.script(&lane.project))
}

fn applied(lane: &mut Lane, before: usize, what: &str) {
    lane.mends(before, what);
}

fn same_script(lane: &mut Lane, before: usize, what: &str) {
    lane.docker.run(&lane.project.run_script()).success();
    lane.is_mended(before, what);
}

/// The config asks for a third release before the second has come in whole.
fn third_release(lane: &mut Lane, askers: &Askers) {
    for k in sample(0..) {
        let first = lane.wanted();
        lane.wants((first + 1) % 3);
        let steps = lane.steps();
        let Some(step) = steps.get(k) else { break };
        let what = format!("another release after step {} of {}, {}", k + 1, steps.len(), step.pattern);
        println!("{what}");
        lane.docker.breaks(&[(step, Fault::KilledAfter)]);
        apply(lane).ended(-1);
        assert_eq!(lane.docker.met(), 1, "{what}");
        askers.wait();
        let second = lane.wanted();
        let kept = if lane.has_changed_hands() { second } else { first };
        lane.wants((first + 2) % 3);
        lane.mends(kept, &what);
    }
}

/// The way back is cut off at each step; the config still asks for the release that it leads away from.
fn way_back(lane: &mut Lane, askers: &Askers) {
    lane.docker.breaks(&[]);
    lane.docker.gordon(&lane.project, &["rollback", "--yes"]).success();
    let steps = lane.docker.done();
    assert!(steps.len() > 10, "{steps:#?}");
    lane.mends(1, "after a rollback");
    for (k, step) in sample(steps.iter().enumerate()) {
        let what = format!("a rollback after step {} of {}, {}", k + 1, steps.len(), step.pattern);
        println!("{what}");
        lane.docker.breaks(&[(step, Fault::KilledAfter)]);
        lane.docker.gordon(&lane.project, &["rollback", "--yes"]).ended(-1);
        assert_eq!(lane.docker.met(), 1, "{what}");
        askers.wait();
        lane.mends(1, &what);
    }
}

/// Several projects at once, each killed at each step in its own way, behind one proxy.
#[test]
fn whenever_a_run_is_killed_the_next_brings_it_to_its_end_and_nobody_notices() {
    on_private_engine(whenever_a_run_is_killed_the_next_brings_it_to_its_end_and_nobody_notices, cuts_off);
}

fn cuts_off() {
    let (one, two) = (Shape::Apps(1), Shape::Replicas);
    let works: [(&str, Shape, usize, Work); 9] = [
        ("gtest-cut-during", one, 2, |l, a| {
            at_each_step(l, a, Way { fault: Fault::KilledMeanwhile, cut: apply, mend: applied }, 0, 1)
        }),
        ("gtest-cut-after", one, 2, |l, a| at_each_step(l, a, AFTER, 0, 1)),
        ("gtest-cut-script", one, 2, |l, a| at_each_step(l, a, Way { cut: script, ..AFTER }, 0, 1)),
        ("gtest-cut-again", Shape::Asked, 2, |l, a| {
            at_each_step(l, a, Way { cut: script, mend: same_script, ..AFTER }, 0, 1)
        }),
        ("gtest-cut-third", one, 3, third_release),
        ("gtest-cut-back", one, 2, way_back),
        ("gtest-cut-two-a", two, 2, |l, a| at_each_step(l, a, AFTER, 0, 3)),
        ("gtest-cut-two-b", two, 2, |l, a| at_each_step(l, a, AFTER, 1, 3)),
        ("gtest-cut-two-c", two, 2, |l, a| at_each_step(l, a, AFTER, 2, 3)),
    ];
    // routes are given while nobody asks: to take new ones, the proxy lets go of connections
    let lanes: Vec<Lane> = thread::scope(|scope| {
        let lanes = works.map(|(name, shape, images, _)| scope.spawn(move || Lane::new(name, shape, images)));
        lanes.map(|lane| lane.join().expect("it is set up")).into()
    });
    let ends: Vec<(Lane, (Count, Count))> = thread::scope(|scope| {
        let lanes = lanes.into_iter().zip(works);
        let lanes: Vec<_> = lanes
            .map(|(mut lane, (.., work))| {
                scope.spawn(move || {
                    let askers = lane.askers();
                    work(&mut lane, &askers);
                    // a project that is gone would leave others its routes to remove
                    (lane, askers.stop())
                })
            })
            .collect();
        lanes.into_iter().map(|lane| lane.join().expect("it comes to its end")).collect()
    });
    let (_lanes, counts): (Vec<Lane>, Vec<(Count, Count)>) = ends.into_iter().unzip();
    let (proxy, alias) = counts
        .into_iter()
        .reduce(|(p, a), (proxy, alias)| (p.and(proxy), a.and(alias)))
        .expect("there are some");
    nobody_noticed(&proxy, &alias);
}
