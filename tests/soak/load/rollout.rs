//! Releases follow each other under load, and no client notices.

use super::alone;
use super::app;
use super::app::HOST;
use super::app::PORT;
use super::app::SOCKETS;
use super::traffic::Load;
use super::traffic::Question;
use std::thread;
use std::time::Duration;
use std::time::Instant;
use support::Project;
use support::eventually;
use support::inside;
use support::neighbour::Neighbour;
use support::tally::Tally;

/// An engine that can pause a container, where it is not too busy.
const DOCKER: &str = "docker";

/// One that never can.
const CANNOT_PAUSE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/soak/load/docker.sh");

/// Ten rollouts lose nothing of what is asked through the proxy, nothing that was written to a volume, and no websocket of
/// another project; what became of what is asked by alias.
fn ten_rollouts(project: &Project, name: &str, replicas: u32, docker: &str) -> Tally {
    let before = project.ids();
    let _beside = app::beside(&format!("{name}-beside"));
    let load = app::load().websocket(PORT, SOCKETS);
    let notes = Load::new().new_each_time(1, &app::note());
    let pace = Duration::from_millis(100);
    let neighbour = Neighbour::start(&format!("{name}-neighbour-green"), 4, pace, "http://web:3000/db");
    let begin = Instant::now();
    for release in 1..=10 {
        project.write("gordon.yaml", &app::config(name, release, replicas));
        project.gordon(&["apply", "--yes", "--docker", docker]).success();
    }
    println!("10 rollouts, replicas: {replicas}, {:.0} s", begin.elapsed().as_secs_f64());
    let (outcome, notes) = (load.stop(), notes.stop());
    let neighbour = neighbour.stop();
    println!("by alias: {neighbour}");
    outcome.is_whole(1000);
    notes.is_whole(100);
    let noted = inside(&format!("{name}-web-green"), ["wc", "--lines", "/data/notes"]).success().stdout;
    assert_eq!(noted, format!("{} /data/notes\n", notes.tally.asked), "the releases share a volume");
    let releases: Vec<String> = (0..=10).map(|release| format!("release-{release:02}")).collect();
    assert_eq!(outcome.tally.said("body: "), releases, "each release was seen");
    let after = project.ids();
    for untouched in ["db", "neighbour-green"] {
        let container = format!("{name}-{untouched}");
        assert_eq!(before[&container], after[&container], "it is the same {container}");
    }
    neighbour
}

#[track_caller]
fn hardly_noticed(neighbour: &Tally) {
    assert!(neighbour.asked >= 1000 && neighbour.lost() * 1000 < neighbour.asked, "{neighbour}");
}

#[test]
fn ten_rollouts_lose_no_request() {
    alone(ten_rollouts_lose_no_request, || {
        let name = "gtest-load";
        let project = app::project(name, 1);
        let late = app::late_project("gtest-load-late");
        let asked = Load::new().new_each_time(1, &app::late().every(Duration::from_millis(50)));
        let apply = late.command(&["apply", "--yes"]).spawn().expect("gordon runs");
        hardly_noticed(&ten_rollouts(&project, name, 1, DOCKER));
        let apply = apply.wait_with_output().expect("it ends");
        assert!(apply.status.success(), "{}", String::from_utf8_lossy(&apply.stderr));
        let asked = asked.stop();
        asked.is_whole(400);
        assert_eq!(
            asked.tally.said("version: "),
            ["1", "2"],
            "an app without a check takes over once it listens"
        );
    });
}

#[test]
fn ten_rollouts_of_three_replicas_lose_no_request() {
    alone(ten_rollouts_of_three_replicas_lose_no_request, || {
        let name = "gtest-load3";
        hardly_noticed(&ten_rollouts(&app::project(name, 3), name, 3, DOCKER));
    });
}

/// What is asked by alias just as a container leaves its network may fail there. What the proxy is asked never does: by
/// then it routes to another.
#[test]
fn ten_rollouts_on_an_engine_that_cannot_pause_lose_no_request_of_the_proxy() {
    alone(ten_rollouts_on_an_engine_that_cannot_pause_lose_no_request_of_the_proxy, || {
        let name = "gtest-load-awake";
        let neighbour = ten_rollouts(&app::project(name, 1), name, 1, CANNOT_PAUSE);
        assert!(neighbour.asked >= 1000 && neighbour.lost() * 100 < neighbour.asked, "{neighbour}");
    });
}

#[test]
fn replicas_come_and_go_and_cost_no_more_than_the_reloads() {
    alone(replicas_come_and_go_and_cost_no_more_than_the_reloads, || {
        let name = "gtest-load-scale";
        let project = app::project(name, 1);
        let before = project.ids();
        let load = app::load();
        let neighbour = Neighbour::start(
            &format!("{name}-neighbour-green"),
            4,
            Duration::from_millis(100),
            "http://web:3000/db",
        );
        for replicas in [3, 1] {
            project.write("gordon.yaml", &app::config(name, 0, replicas));
            project.apply();
        }
        let outcome = load.stop();
        let neighbour = neighbour.stop();
        println!("by alias: {neighbour}");
        outcome.is_whole_but_for_reloads(500, 2);
        assert_eq!(outcome.tally.said("hostname: ").len(), 3, "all of them answered");
        assert!(neighbour.lost() * 1000 < neighbour.asked.max(3000), "{neighbour}");
        assert_eq!(project.ids(), before, "those that stay were not touched");
    });
}

#[test]
fn a_rollback_loses_no_request() {
    alone(a_rollback_loses_no_request, || {
        let name = "gtest-load-back";
        let project = app::project(name, 1);
        project.write("gordon.yaml", &app::config(name, 1, 1));
        project.apply();
        let before = project.ids();
        let load = app::load();
        project.gordon(&["rollback", "--yes", "web"]).success();
        let outcome = load.stop();
        outcome.is_whole(300);
        assert_eq!(outcome.tally.said("body: "), ["release-00", "release-01"]);
        let (after, database) = (project.ids(), format!("{name}-db"));
        assert_eq!(before[&database], after[&database], "it is the same database");
    });
}

#[test]
fn a_request_that_begins_before_the_switch_ends_normally() {
    alone(a_request_that_begins_before_the_switch_ends_normally, || {
        let name = "gtest-load-long";
        let project = app::project(name, 1);
        let serving = format!("{name}-web-green");
        let old = project.ids()[&serving].clone();
        let slow = Question::get(PORT, HOST, "/slow?seconds=4", "waited 4 s");
        project.write("gordon.yaml", &app::config(name, 1, 1));
        let apply = project.command(&["apply", "--yes"]).spawn().expect("gordon runs");
        let mut requests = Vec::new();
        eventually("the new release has the name", || {
            let slow = slow.clone();
            requests.push(thread::spawn(move || slow.ask()));
            project.ids().get(&serving).is_some_and(|id| *id != old)
        });
        let spanning = requests.iter().filter(|request| !request.is_finished()).count();
        println!("{} requests of 4 s, {spanning} of them on their way at the switch", requests.len());
        assert!(spanning > 10, "{spanning}");
        for request in requests {
            let answer = request.join().expect("it is asked");
            assert!(answer.is_ok(), "{answer:?}");
        }
        assert!(apply.wait_with_output().expect("it ends").status.success());
        project.is_settled();
    });
}

#[test]
fn a_release_that_is_not_well_never_gets_a_request() {
    alone(a_release_that_is_not_well_never_gets_a_request, || {
        let name = "gtest-load-sick";
        let project = app::project(name, 1);
        let before = project.ids();
        let sick = app::config(name, 1, 1)
            .replace("START_DELAY: '2'", "HEALTH_STATUS: '500'")
            .replace("drain: 3s", "drain: 3s, health_timeout: 8s");
        project.write("gordon.yaml", &sick);
        let load = app::load();
        let apply = project.gordon(&["apply", "--yes"]).ended(1);
        let outcome = load.stop();
        assert!(apply.stderr.contains("500"), "its answer is shown: {}", apply.stderr);
        outcome.is_whole(300);
        assert_eq!(outcome.tally.said("body: "), ["release-00"], "the release before answered all of them");
        assert_eq!(project.ids(), before, "what came in is gone");
    });
}
