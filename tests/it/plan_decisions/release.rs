//! The command with which a release begins: when it runs, and what became of the container that ran it before.

use super::after;
use super::applied;
use super::change;
use super::container;
use super::desired;
use super::host;
use super::snapshot;
use gordon::docker::Await;
use gordon::docker::Observed;
use gordon::docker::Op;
use gordon::docker::State;
use gordon::plan::Options;
use gordon::plan::Plan;
use gordon::plan::Volumes;
use gordon::plan::diff;
use gordon::plan::down;
use gordon::plan::rollback;
use gordon::plan::simulate;
use std::collections::BTreeSet;
use std::time::Duration;

const SHOP: &str = r#"
name = "shop"
[services]
db = "db:1"
[apps]
web = { image = "app:1", replicas = 2, volumes = ["files:/files"], release = "bin/migrate --all" }
"#;

const NAME: &str = "shop-web-release";

fn next() -> String {
    SHOP.replace("app:1", "app:2")
}

fn without() -> String {
    SHOP.replace(", release = \"bin/migrate --all\"", "")
}

fn plan(text: &str, host: &Observed) -> Plan {
    diff(&desired(text), host, &Options::default()).unwrap()
}

/// What a plan does with the container that runs the command.
fn done(plan: &Plan) -> Vec<String> {
    let ops = plan.steps().iter().map(|step| step.op.to_string());
    let words = ops.filter(|op| op.contains(NAME)).map(|op| op.replace(NAME, "it"));
    words.collect()
}

/// The same in one line.
fn line(text: &str, host: &Observed) -> String {
    done(&plan(text, host)).join(", ")
}

/// The host after a plan was killed before its first step that `is_it`.
fn killed(text: &str, host: &Observed, is_it: impl Fn(&Op) -> bool) -> Observed {
    let plan = plan(text, host);
    let count = plan.steps().iter().position(|step| is_it(&step.op)).expect("there is such a step");
    after(&plan, count, host)
}

fn is_wait(op: &Op) -> bool {
    matches!(op, Op::Await(Await::Ends { .. }))
}

const RUNS: &str = "create it, start it, wait until it ends well";

#[test]
fn a_release_begins_with_its_command_in_a_container_of_its_own() {
    snapshot("release_begins", &plan(SHOP, &host()).to_string());
    let host = applied(SHOP, &host());
    assert!(plan(SHOP, &host).is_empty());
    snapshot("release_begins_again", &plan(&next(), &host).to_string());
}

#[test]
fn the_command_runs_once_for_all_replicas_and_not_for_a_repair() {
    let served = applied(SHOP, &host());
    let without_container = |name: &str, host: &Observed| {
        let mut host = host.clone();
        for op in [Op::stop(&container(name), Duration::ZERO), Op::remove(&container(name))] {
            simulate(&mut host, &op).unwrap();
        }
        host
    };
    let more = SHOP.replace("replicas = 2", "replicas = 3");
    for (text, host) in [
        (SHOP, without_container("shop-web-green", &served)),
        (SHOP, without_container(NAME, &served)),
        (&more, served.clone()),
        // where the command is new, it waits for the next release
        (SHOP, applied(&without(), &host())),
        (&SHOP.replace("--all", "--some"), served.clone()),
    ] {
        assert_eq!(line(text, &host), "", "{text}");
    }
    let gone = without_container("shop-web-green-2", &without_container("shop-web-green", &served));
    assert_eq!(line(SHOP, &gone), "", "its container is all that is left of the release");
    let asked = Options { recreate: ["shop-web-green".to_owned()].into(), ..Options::default() };
    let plan = diff(&desired(SHOP), &served, &asked).unwrap();
    assert_eq!(done(&plan).join(", "), format!("remove it, {RUNS}"), "another release is asked for");
}

#[test]
fn what_became_of_the_command_decides_what_the_next_run_does() {
    let served = applied(SHOP, &host());
    let running = || killed(&next(), &served, is_wait);
    let with = |state: State, exit_status: Option<i64>| {
        let mut host = running();
        change(&mut host, NAME, |seen| (seen.state, seen.exit_status) = (state, exit_status));
        host
    };
    let other = SHOP.replace("app:1", "checked:1");
    let anew = format!("remove it, {RUNS}");
    let gone = format!("stop it, remove it, {RUNS}");
    for (what, host, text, then) in [
        ("of an earlier release", served.clone(), &next(), anew.as_str()),
        ("killed before it was started", with(State::Created, None), &next(), &anew),
        ("it still runs", running(), &next(), "wait until it ends well"),
        ("frozen by hand", with(State::Paused, None), &next(), "unpause it, wait until it ends well"),
        ("it failed", with(State::Exited, Some(1)), &next(), &anew),
        ("it was killed", with(State::Exited, Some(137)), &next(), &anew),
        ("it ended well", with(State::Exited, Some(0)), &next(), ""),
        (
            "it ended well, of a release that is not wanted any more",
            with(State::Exited, Some(0)),
            &other,
            &anew,
        ),
        ("it runs, of a release that is not wanted any more", running(), &other, &gone),
        (
            "it failed, and its command was changed",
            with(State::Exited, Some(1)),
            &next().replace("all", "it"),
            &anew,
        ),
        ("it ended well, and its release was given up", with(State::Exited, Some(0)), &SHOP.to_owned(), ""),
        ("it failed, and its release was given up", with(State::Exited, Some(1)), &SHOP.to_owned(), ""),
        ("there is no command any more", with(State::Exited, Some(1)), &without(), "remove it"),
    ] {
        assert_eq!(line(text, &host), then, "{what}");
    }
}

#[test]
fn nothing_of_the_old_release_is_touched_before_the_command_ended_well() {
    for strategy in ["rolling", "recreate"] {
        let with = |text: &str| text.replace("replicas = 2", &format!("strategy = \"{strategy}\""));
        let host = applied(&with(SHOP), &host());
        let plan = plan(&with(&next()), &host);
        let wait = plan.steps().iter().position(|step| is_wait(&step.op)).expect("it is waited for");
        let mut needing: BTreeSet<usize> = [wait].into();
        for step in plan.steps() {
            if step.needs.iter().any(|need| needing.contains(&need.index())) {
                needing.insert(step.id.index());
            }
        }
        for step in plan.steps() {
            let is_its = step.op.to_string().contains(NAME);
            assert!(is_its || needing.contains(&step.id.index()), "{strategy}: {}", step.op);
        }
    }
}

#[test]
fn a_rollback_runs_no_command_and_the_way_back_neither() {
    let host = applied(&next(), &applied(SHOP, &host()));
    let back = rollback(&desired(&next()), &host, None, &BTreeSet::new()).unwrap();
    assert_eq!(done(&back), [""; 0]);
    let host = after(&back, back.steps().len(), &host);
    assert_eq!(line(SHOP, &host), "", "the config was brought back too");
    assert_eq!(line(&next(), &host), "", "its command ended well");
}

#[test]
fn an_asked_release_that_was_killed_goes_on_with_its_command_done() {
    let served = applied(SHOP, &host());
    let asked = Options { recreate: ["shop-web-green".to_owned()].into(), ..Options::default() };
    let first = diff(&desired(SHOP), &served, &asked).unwrap();
    let wait = first.steps().iter().position(|step| is_wait(&step.op)).unwrap();
    let renamed = first.steps().iter().position(|step| matches!(step.op, Op::Rename { .. })).unwrap();
    for count in wait + 1..=renamed {
        let again = diff(&desired(SHOP), &after(&first, count, &served), &asked).unwrap();
        assert_eq!(done(&again), [""; 0], "killed after step {count}");
    }
    for count in renamed..first.steps().len() {
        // the release is there: it is finished, and another one is made
        let again = diff(&desired(SHOP), &after(&first, count, &served), &asked).unwrap();
        assert!(again.steps().len() > 3, "killed after step {count}");
    }
}

#[test]
fn it_goes_with_its_app_and_with_its_project() {
    let host = applied(SHOP, &host());
    let text = "name = \"shop\"\n[services]\ndb = \"db:1\"";
    assert_eq!(line(text, &host), "remove it");
    let down = down(&desired(SHOP).project, Duration::ZERO, &host, Volumes::Keep, &BTreeSet::new());
    assert_eq!(done(&down), ["remove it"]);
    // the first deploy failed, and the config is another one now
    let failed = killed(SHOP, &self::host(), is_wait);
    let mut failed = Observed { containers: failed.containers, ..failed };
    failed.containers.retain(|name, _| name.as_str() == NAME);
    change(&mut failed, NAME, |seen| (seen.state, seen.exit_status) = (State::Exited, Some(1)));
    assert_eq!(line(text, &failed), "remove it");
}

#[test]
fn it_leaves_the_networks_that_its_app_leaves() {
    let text = r#"
        network_isolation.scope = "all"
        [routes]
        "a.com" = { image = "app:1", release = "bin/migrate" }
    "#;
    let host = applied(text, &host());
    let apart = text.replace("\"all\"", "\"attached\"");
    let end = applied(&apart, &host);
    assert!(plan(&apart, &end).is_empty(), "{}", plan(&apart, &end));
    let names = |host: &Observed| host.networks.keys().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!((names(&host).join(" ").as_str(), names(&end).join(" ").as_str()), ("gordon-a-com", ""));
}
