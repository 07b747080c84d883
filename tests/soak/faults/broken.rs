//! Docker commands that fail, and those that never answer.

use super::fault_injection::Fault;
use super::fault_injection::Step;
use super::probe::nobody_noticed;
use super::rolling_project::IMAGES;
use super::rolling_project::RollingProject;
use super::rolling_project::Shape;
use super::sample::sample;
use support::private_engine::on_private_engine;

/// The steps of one app among those of many.
fn of_app(steps: &[Step], app: usize, name: &str) -> Vec<Step> {
    let base_name = format!("{name}-web{app}-");
    steps.iter().filter(|step| step.pattern.contains(&base_name)).cloned().collect()
}

/// As many apps are rolled out at once as a rollout has steps, and of each another step goes wrong.
#[test]
fn each_command_of_a_rollout_may_fail_or_never_answer() {
    on_private_engine(each_command_of_a_rollout_may_fail_or_never_answer, breaks);
}

fn breaks() {
    let name = "gtest-broken";
    let mut rolling = RollingProject::new(name, Shape::Apps(1), 2);
    rolling.wants(1);
    let count = rolling.steps().len();
    drop(rolling);

    let points: Vec<usize> = sample(0..count).collect();
    let mut rolling = RollingProject::new(name, Shape::Apps(points.len()), 2);
    let traffic = rolling.traffic();
    let jobs = (2 * points.len()).to_string();
    for fault in [Fault::Fails, Fault::Hangs] {
        let before = rolling.wanted();
        rolling.wants((before + 1) % 2);
        let steps = rolling.steps();
        let broken: Vec<Step> = points
            .iter()
            .enumerate()
            .map(|(app, k)| {
                let own = of_app(&steps, app + 1, name);
                assert_eq!(own.len(), count, "each app has its rollout");
                own[*k].clone()
            })
            .collect();
        let faults: Vec<(&Step, Fault)> = broken.iter().map(|step| (step, fault)).collect();
        rolling.docker.breaks(&faults);
        let run = rolling.docker.gordon(&rolling.project, &["apply", "--yes", "--jobs", &jobs]).ended(1);
        assert_eq!(rolling.docker.met(), points.len(), "{fault:?}: {}", run.stderr);

        traffic.wait();
        rolling.mends(
            before,
            &format!("after each command once: {fault:?} on the way to {}", IMAGES[rolling.wanted()]),
        );
    }
    let (proxy, alias) = traffic.stop();
    nobody_noticed(&proxy, &alias);
}
