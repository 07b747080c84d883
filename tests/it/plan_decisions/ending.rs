//! Containers that are meant to end, and those that start after them.

use super::*;

const JOB: &str = "name = \"shop\"
[services]
web = { image = \"app:1\", after = [\"job\"] }
job = { image = \"app:1\", restart = \"no\", after = [\"db\"] }
db = { image = \"db:1\" }
";

/// The host on which the job is in this state, and has this status.
fn with_job(state: State, exit_status: Option<i64>) -> Observed {
    let mut host = applied(JOB, &host());
    change(&mut host, "shop-job", |seen| (seen.state, seen.exit_status) = (state, exit_status));
    host
}

fn steps(text: &str, host: &Observed) -> Vec<String> {
    let plan = diff(&desired(text), host, &Options::default()).unwrap();
    plan.steps().iter().map(|step| step.op.to_string()).collect()
}

#[test]
fn a_service_starts_once_those_are_ready_that_it_starts_after() {
    let plan = diff(&desired(JOB), &host(), &Options::default()).unwrap();
    let of = |text: &str| plan.steps().iter().find(|step| step.op.to_string() == text).expect(text);
    for (before, after) in [
        ("set the restart policy of shop-db to always", "run shop-job"),
        ("wait until shop-job ends well", "run shop-web"),
    ] {
        assert!(of(after).needs.contains(&of(before).id), "{after} waits: {:?}", of(after).needs);
    }
}

#[test]
fn what_has_ended_well_is_not_started_again() {
    assert_eq!(steps(JOB, &with_job(State::Exited, Some(0))), [""; 0]);
    assert_eq!(steps(JOB, &with_job(State::Running, None)), ["wait until shop-job ends well"]);
    let again = ["start shop-job", "wait until shop-job ends well"];
    assert_eq!(steps(JOB, &with_job(State::Exited, Some(3))), again);
    // of what none waits for, it does not matter whether it still runs
    let alone = &JOB.replace(", after = [\"job\"]", "");
    assert_eq!(steps(alone, &with_job(State::Running, None)), [""; 0]);
    assert_eq!(steps(alone, &with_job(State::Exited, Some(0))), [""; 0]);
    let again = ["start shop-job", "see that shop-job ends well or stays up for 1s"];
    assert_eq!(steps(alone, &with_job(State::Exited, Some(3))), again);
}

#[test]
fn what_is_meant_to_end_is_never_started_again_by_docker() {
    let plan = diff(&desired(JOB), &host(), &Options::default()).unwrap();
    let policies: Vec<_> = plan
        .steps()
        .iter()
        .filter_map(|step| match &step.op {
            Op::Run(launch) | Op::Create(launch) => {
                Some((launch.name.as_str(), launch.runtime.restart.as_str()))
            }
            _ => None,
        })
        .collect();
    assert_eq!(policies, [("shop-db", "on-failure:10"), ("shop-job", "no"), ("shop-web", "on-failure:10")]);
}

#[test]
fn a_new_release_of_a_job_that_fails_does_not_run_the_old_one_again() {
    let changed = JOB.replace("app:1\", restart", "app:2\", restart");
    for (job, goes_back) in [
        (
            (State::Exited, Some(0)),
            vec!["stop shop-job", "remove shop-job", "rename shop-job-previous to shop-job"],
        ),
        (
            (State::Running, None),
            vec![
                "stop shop-job",
                "remove shop-job",
                "rename shop-job-previous to shop-job",
                "start shop-job",
                "set the restart policy of shop-job to no",
            ],
        ),
    ] {
        let plan = diff(&desired(&changed), &with_job(job.0, job.1), &Options::default()).unwrap();
        let wait = plan.steps().iter().find(|step| matches!(step.op, Op::Await(_))).expect("a wait");
        let undo: Vec<String> = wait.undo.iter().map(ToString::to_string).collect();
        assert_eq!(
            (wait.op.to_string().as_str(), undo),
            ("wait until shop-job ends well", goes_back.iter().map(ToString::to_string).collect())
        );
    }
}

#[test]
fn a_new_release_of_an_app_that_is_meant_to_end_runs_once_and_the_old_one_not_again() {
    let config = "name = \"shop\"\n[apps]\njob = { image = \"app:1\", restart = \"no\" }\n";
    let mut host = applied(config, &host());
    change(&mut host, "shop-job-green", |seen| (seen.state, seen.exit_status) = (State::Exited, Some(0)));
    assert_eq!(steps(config, &host), [""; 0]);
    let steps = steps(&config.replace("app:1", "app:2"), &host);
    assert!(!steps.contains(&"start shop-job-green".to_owned()), "{steps:?}");
    assert!(steps.contains(&"rename shop-job-blue to shop-job-green".to_owned()), "{steps:?}");
}

#[test]
fn the_status_of_what_is_done_is_well() {
    let unknown = BTreeSet::new();
    for (job, serves) in
        [((State::Exited, Some(0)), true), ((State::Exited, Some(3)), false), ((State::Running, None), true)]
    {
        let (desired, host) = (desired(JOB), with_job(job.0, job.1));
        let plan = diff(&desired, &host, &Options::default()).unwrap();
        assert_eq!(status(&desired, &host, &unknown, Ok(&plan)).serves(), serves, "{job:?}");
    }
}
