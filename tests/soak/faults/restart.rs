//! The engine goes away with everything on it, and comes back.

use super::fault_injection::Fault;
use super::fault_injection::Step;
use super::rolling_project::RollingProject;
use super::rolling_project::Shape;
use support::private_engine::Engine;
use support::private_engine::with_private_engine;

/// What happens to an engine.
type Way = fn(&mut Engine);

/// How an engine goes away and comes back so that all that ran runs again.
const WAYS: [(&str, Way); 2] =
    [("the engine was restarted", Engine::restart), ("the power was cut", Engine::loses_power)];

/// How the command of a rollout begins and ends that fails, and what is left then.
const LEFT: [(&str, &str, &str); 6] = [
    ("network disconnect", "-blue", "the incoming without aliases"),
    ("network connect", "-blue", "the incoming on no network"),
    ("rm", "-previous", "the incoming with aliases"),
    ("rename", "-green", "neither with the serving name"),
    ("network connect", "-previous", "the outgoing on no network"),
    ("stop", "-previous", "the outgoing without aliases"),
];

#[test]
fn what_was_at_rest_serves_again_and_nothing_is_left_to_do() {
    with_private_engine(what_was_at_rest_serves_again_and_nothing_is_left_to_do, |mut engine| {
        let projects = [
            RollingProject::new("gtest-restart-one", Shape::Apps(1), 2),
            RollingProject::new("gtest-restart-two", Shape::Replicas, 2),
        ];
        engine.is_away(|| {
            for rolling in &projects {
                rolling.serves_without_docker();
            }
        });
        // the next engine stops what still runs, as a person would
        let killed: (&str, Way) = ("the engine was killed", Engine::crashes);
        for (what, way) in WAYS.into_iter().chain([killed]) {
            way(&mut engine);
            for rolling in &projects {
                rolling.serves();
                rolling.settles();
                rolling.is_mended(1, what);
            }
        }
    });
}

/// Each app of one project is left in another state of its rollout; of two replicas, one has changed hands, and the other is
/// between its names.
#[test]
fn what_was_cut_off_serves_again_and_the_next_apply_ends_it() {
    with_private_engine(what_was_cut_off_serves_again_and_the_next_apply_ends_it, |mut engine| {
        let mut apps = RollingProject::new("gtest-midway-apps", Shape::Apps(LEFT.len()), 2);
        let mut replicas = RollingProject::new("gtest-midway-replicas", Shape::Replicas, 2);
        for (what, way) in WAYS {
            let before = apps.wanted();
            for rolling in [&mut apps, &mut replicas] {
                rolling.wants((before + 1) % 2);
            }
            let steps = apps.steps();
            let failing = |(i, (begin, end, left)): (usize, &(&str, &str, &str))| {
                let app = format!("-web{}-", i + 1);
                let is = |step: &&Step| {
                    let pattern = &step.pattern;
                    pattern.contains(&app) && pattern.starts_with(begin) && pattern.ends_with(end)
                };
                (steps.iter().find(is).unwrap_or_else(|| panic!("a command leaves {left}")), Fault::Fails)
            };
            let failing: Vec<(&Step, Fault)> = LEFT.iter().enumerate().map(failing).collect();
            apps.docker.breaks(&failing);
            let jobs = LEFT.len().to_string();
            apps.docker.gordon(&apps.project, &["apply", "--yes", "--jobs", &jobs]).ended(1);
            assert_eq!(apps.docker.met(), LEFT.len());

            let steps = replicas.steps();
            let renames: Vec<&Step> =
                steps.iter().filter(|step| step.pattern.starts_with("rename ")).collect();
            replicas.docker.breaks(&[(renames[2], Fault::KilledAfter)]);
            replicas.docker.gordon(&replicas.project, &["apply", "--yes"]).ended(-1);

            way(&mut engine);
            for rolling in [&apps, &replicas] {
                rolling.serves();
            }
            for rolling in [&apps, &replicas] {
                rolling.mends(before, what);
            }
        }
    });
}

#[test]
fn an_apply_whose_engine_goes_away_says_so_and_the_next_ends_it() {
    with_private_engine(an_apply_whose_engine_goes_away_says_so_and_the_next_ends_it, |mut engine| {
        let mut rolling = RollingProject::new("gtest-gone", Shape::Apps(1), 2);
        for begin in ["run", "container inspect", "network connect"] {
            let before = rolling.wanted();
            rolling.wants((before + 1) % 2);
            let steps = rolling.steps();
            let step = steps.iter().find(|step| step.pattern.starts_with(begin)).expect("a rollout has it");
            rolling.docker.breaks(&[(step, Fault::EngineEnds)]);
            let run = rolling.docker.gordon(&rolling.project, &["apply", "--yes"]).ended(1);
            assert_eq!(rolling.docker.met(), 1, "{begin}");
            assert_eq!(
                run.stderr.matches("hint: start the docker daemon").count(),
                1,
                "{begin}: {}",
                run.stderr
            );

            engine.restart();
            rolling.serves();
            rolling.mends(before, &format!("the engine went away at `{begin}`"));
        }
    });
}
