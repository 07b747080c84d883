//! Runs that are killed at each of their steps.

use super::fault_injection::Fault;
use super::probe::Count;
use super::probe::nobody_noticed;
use super::rolling_project::RollingProject;
use super::rolling_project::Shape;
use super::rolling_project::Traffic;
use super::sample::sample;
use std::thread;
use support::Run;
use support::private_engine::on_private_engine;

/// What is done to a project, over and over.
type Work = fn(&mut RollingProject, &Traffic);

/// How a rollout is cut off, and what brings it to its end.
#[derive(Clone, Copy)]
struct Way {
    fault: Fault,
    cut: fn(&RollingProject) -> Run,
    mend: fn(&mut RollingProject, usize, &str),
}

const AFTER: Way = Way { fault: Fault::KilledAfter, cut: apply, mend: applied };

/// A rollout after the other is cut off: at the step `first` of this number, then at each `every`th after it.
fn at_each_step(rolling: &mut RollingProject, traffic: &Traffic, way: Way, first: usize, every: usize) {
    for k in sample((first..).step_by(every)) {
        let before = rolling.wanted();
        rolling.wants((before + 1) % 2);
        let steps = rolling.steps();
        let Some(step) = steps.get(k) else { break };
        let what = format!("{:?} at step {} of {}, {}", way.fault, k + 1, steps.len(), step.pattern);
        println!("{what}");
        rolling.docker.breaks(&[(step, way.fault)]);
        let run = (way.cut)(rolling);
        let is_cut_off = run.status == -1 && rolling.docker.met() == 1;
        // a script passes over the end of a pause that a busy engine has refused
        let is_passed_over = run.status == 0
            && step.is_known_by("unpause ")
            && run.stderr.contains("is not paused: the rest goes on without");
        // it asks nothing of what drains: it gives it time
        let is_slept_through = run.status == 0
            && step.pattern.starts_with("container inspect ")
            && step.pattern.ends_with("-previous");
        assert!(is_cut_off || is_passed_over || is_slept_through, "{what}: {run:?}");
        rolling.docker.breaks(&[]);
        traffic.wait();
        (way.mend)(rolling, before, &what);
    }
}

fn apply(rolling: &RollingProject) -> Run {
    rolling.docker.gordon(&rolling.project, &["apply", "--yes"])
}

fn script(rolling: &RollingProject) -> Run {
    rolling.docker.run(&rolling.docker.script(&rolling.project))
}

fn applied(rolling: &mut RollingProject, before: usize, what: &str) {
    rolling.mends(before, what);
}

fn same_script(rolling: &mut RollingProject, before: usize, what: &str) {
    rolling.docker.run(&rolling.project.run_script()).success();
    rolling.is_mended(before, what);
}

/// The config asks for a third release before the second has come in whole.
fn third_release(rolling: &mut RollingProject, traffic: &Traffic) {
    for k in sample(0..) {
        let first = rolling.wanted();
        rolling.wants((first + 1) % 3);
        let steps = rolling.steps();
        let Some(step) = steps.get(k) else { break };
        let what = format!("another release after step {} of {}, {}", k + 1, steps.len(), step.pattern);
        println!("{what}");
        rolling.docker.breaks(&[(step, Fault::KilledAfter)]);
        apply(rolling).ended(-1);
        assert_eq!(rolling.docker.met(), 1, "{what}");
        traffic.wait();
        let second = rolling.wanted();
        let kept = if rolling.has_changed_hands() { second } else { first };
        rolling.wants((first + 2) % 3);
        rolling.mends(kept, &what);
    }
}

/// The way back is cut off at each step; the config still asks for the release that it leaves.
fn way_back(rolling: &mut RollingProject, traffic: &Traffic) {
    rolling.docker.breaks(&[]);
    rolling.docker.gordon(&rolling.project, &["rollback", "--yes"]).success();
    let steps = rolling.docker.done();
    assert!(steps.len() > 10, "{steps:#?}");
    rolling.mends(1, "after a rollback");
    for (k, step) in sample(steps.iter().enumerate()) {
        let what = format!("a rollback after step {} of {}, {}", k + 1, steps.len(), step.pattern);
        println!("{what}");
        rolling.docker.breaks(&[(step, Fault::KilledAfter)]);
        rolling.docker.gordon(&rolling.project, &["rollback", "--yes"]).ended(-1);
        assert_eq!(rolling.docker.met(), 1, "{what}");
        traffic.wait();
        rolling.mends(1, &what);
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
    // routes change while there is no traffic: the proxy closes waiting connections for new ones
    let projects: Vec<RollingProject> = thread::scope(|scope| {
        let projects = works
            .map(|(name, shape, images, _)| scope.spawn(move || RollingProject::new(name, shape, images)));
        projects.map(|rolling| rolling.join().expect("it is set up")).into()
    });
    let ends: Vec<(RollingProject, (Count, Count))> = thread::scope(|scope| {
        let projects = projects.into_iter().zip(works);
        let projects: Vec<_> = projects
            .map(|(mut rolling, (.., work))| {
                scope.spawn(move || {
                    let traffic = rolling.traffic();
                    work(&mut rolling, &traffic);
                    // a project that is gone would leave others its routes to remove
                    (rolling, traffic.stop())
                })
            })
            .collect();
        projects.into_iter().map(|rolling| rolling.join().expect("it comes to its end")).collect()
    });
    let (_lanes, counts): (Vec<RollingProject>, Vec<(Count, Count)>) = ends.into_iter().unzip();
    let (proxy, alias) = counts
        .into_iter()
        .reduce(|(p, a), (proxy, alias)| (p.and(proxy), a.and(alias)))
        .expect("there are some");
    nobody_noticed(&proxy, &alias);
}
