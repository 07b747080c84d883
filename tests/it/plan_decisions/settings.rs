//! The settings that gordon gives containers by itself: limited logs, and the time that they have to end.

use super::applied;
use super::change;
use super::desired;
use super::host;
use gordon::docker::Fact;
use gordon::docker::Observed;
use gordon::docker::Op;
use gordon::plan::Options;
use gordon::plan::Plan;
use gordon::plan::Volumes;
use gordon::plan::diff;
use gordon::plan::down;
use gordon::plan::rollback;
use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

const CONFIG: &str = "name = \"x\"\n[services]\ny = \"app:1\"";

fn plan(text: &str, host: &Observed) -> Plan {
    diff(&desired(text), host, &Options::default()).unwrap()
}

/// The line that makes a plan's container.
fn line(plan: &Plan) -> String {
    let run = plan.steps().iter().find(|step| matches!(step.op, Op::Run(_))).expect("a container is made");
    run.op.command().expect("a command").argv(Path::new("/")).join(" ")
}

/// The containers that a plan stops, with the time that each has.
fn stops(plan: &Plan) -> Vec<(String, u64)> {
    let undone = plan.steps().iter().flat_map(|step| &step.undo);
    let ops = plan.steps().iter().map(|step| &step.op).chain(undone);
    let stops = ops.filter_map(|op| match op {
        Op::Stop { name, timeout } => Some((name.to_string(), timeout.as_secs())),
        _ => None,
    });
    stops.collect::<BTreeSet<_>>().into_iter().collect()
}

#[test]
fn logs_are_limited_where_the_engine_can_and_the_config_says_nothing_of_them() {
    let own = |log: &str| CONFIG.replace("\"app:1\"", &format!("{{ image = \"app:1\", log = {log} }}"));
    let usual = "--log-opt max-file=3 --log-opt max-size=10m";
    for (text, driver, flags, is_expected) in [
        (CONFIG, None, Some(usual), true),
        (CONFIG, Some("json-file"), Some(usual), true),
        (CONFIG, Some("local"), Some(usual), true),
        (CONFIG, Some("journald"), None, false),
        (&own("\"none\""), None, Some("--log-driver none"), false),
        (&own("{ max-size = \"1m\" }"), Some("journald"), Some("--log-opt max-size=1m"), false),
        (&own("{}"), None, None, false),
        (
            &format!("containers = {{ log = \"journald\" }}\n{CONFIG}"),
            None,
            Some("--log-driver journald"),
            false,
        ),
    ] {
        let host = Observed { log_driver: driver.map(str::to_owned), ..host() };
        let plan = plan(text, &host);
        let line = line(&plan);
        assert_eq!(flags.is_some(), line.contains("--log-"), "{text} {driver:?}: {line}");
        assert!(line.contains(flags.unwrap_or_default()), "{text} {driver:?}: {line}");
        let expected = plan.expects.iter().filter(|expect| expect.any.contains(&Fact::LimitsLogs)).count();
        assert_eq!(
            (plan.limits_logs(), expected),
            (is_expected, usize::from(is_expected)),
            "{text} {driver:?}"
        );
    }
    assert!(!Fact::LimitsLogs.holds(&Observed { log_driver: Some("journald".to_owned()), ..host() }));
}

#[test]
fn a_container_whose_log_has_no_limit_stays_with_a_note() {
    let mut host = applied(CONFIG, &host());
    assert_eq!(plan(CONFIG, &host).notes, []);
    change(&mut host, "x-y", |seen| seen.has_endless_log = true);
    let note = "docker keeps all that these ever wrote, until they are replaced: x-y; `gordon apply --recreate NAME` does it";
    let notes = |text: &str| plan(text, &host).notes.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert!(plan(CONFIG, &host).is_empty());
    assert_eq!(notes(CONFIG), [note]);
    assert_eq!(notes(&CONFIG.replace("app:1", "app:2")), Vec::<String>::new());
}

#[test]
fn a_container_has_the_time_to_end_that_its_config_gave_it() {
    let deploy = "deploy.stop_timeout = \"20s\"\n";
    let own = |image: &str| {
        format!(
            "{deploy}name = \"x\"\n[services]\ny = {{ image = \"{image}\", stop_timeout = \"2m\" }}\n[apps]\nz = \"{image}\""
        )
    };
    let host = applied(&own("app:1"), &host());
    assert!(line(&plan(&own("app:1"), &self::host())).contains("--stop-timeout 120"));
    // what is no longer in the config, and all that is removed, has its own time too
    let other = format!("{deploy}name = \"x\"\n[apps]\nz = \"app:1\"");
    let project = desired(&other).project;
    let gone = down(&project, Duration::from_secs(20), &host, Volumes::Keep, &BTreeSet::new());
    for (plan, stopped) in [
        (plan(&own("app:2"), &host), &["x-y", "x-z"][..]),
        (plan(&other, &host), &["x-y"]),
        (gone, &["x-y", "x-z"]),
    ] {
        let stops = stops(&plan);
        for (name, time) in &stops {
            assert_eq!(*time, if name == "x-y" { 120 } else { 20 }, "{name}");
        }
        for name in stopped {
            assert!(stops.iter().any(|(stop, _)| stop.starts_with(name)), "{name}: {stops:?}");
        }
    }
}

#[test]
fn another_time_for_all_is_no_reason_to_replace_a_container() {
    let host = applied(CONFIG, &host());
    assert!(plan(&format!("deploy.stop_timeout = \"50s\"\n{CONFIG}"), &host).is_empty());
    let own = CONFIG.replace("\"app:1\"", "{ image = \"app:1\", stop_timeout = \"30s\" }");
    assert!(!plan(&own, &host).is_empty());
}

#[test]
fn a_rollback_gives_each_release_the_time_that_it_was_made_with() {
    let app = |image: &str, time: &str| {
        format!("name = \"x\"\n[apps]\nz = {{ image = \"{image}\", stop_timeout = \"{time}\" }}")
    };
    let host = applied(&app("app:2", "50s"), &applied(&app("app:1", "40s"), &host()));
    let plan = rollback(&desired(&app("app:2", "50s")), &host, None, &BTreeSet::new()).unwrap();
    let times: BTreeSet<u64> = stops(&plan).into_iter().map(|(_, time)| time).collect();
    assert_eq!(times, [40, 50].into());
}
