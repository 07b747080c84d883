//! Releases follow each other under load, and nobody who asks notices.

use crate::neighbour::Neighbour;
use crate::support::Alone;
use crate::support::Project;
use crate::support::eventually;
use crate::traffic::Load;
use crate::traffic::Question;
use std::time::Instant;

const PORT: u16 = 18080;
const HOST: &str = "load.test";

/// Every release is another image and another text than the one before, and takes its time to start.
fn config(name: &str, release: u32, replicas: u32) -> String {
    let image = 1 + release % 2;
    format!(
        "name: {name}
proxy: {{ http_port: {PORT}, https_port: 18443, tls: 'off' }}
deploy: {{ drain: 3s }}
apps:
  web:
    image: 'web:{image}'
    replicas: {replicas}
    environment: {{ BODY: release-{release:02}, START_DELAY: '2', DATABASE_URL: 'postgres://db' }}
    health: {{ cmd: 'curl -fs http://127.0.0.1:3000/up', interval: 1s }}
    proxy: {{ hosts: [{HOST}], app_port: 3000 }}
  neighbour: {{ image: 'gmail-web:latest' }}
services:
  db: {{ image: 'postgres:15', environment: {{ POSTGRES_HOST_AUTH_METHOD: trust }} }}
"
    )
}

/// The project in its first release, which answers.
fn project(name: &str, replicas: u32) -> Project {
    let project = Project::new(name, &[("gordon.yaml", &config(name, 0, replicas))]);
    project.apply();
    eventually("the app reaches its database", || database().ask().is_ok());
    project
}

fn database() -> Question {
    Question::get(PORT, HOST, "/db", "PostgreSQL")
}

/// POSTs over kept connections, each of which makes the app open one of its own, and GETs over new ones.
fn load() -> Load {
    let post = Question::post(PORT, HOST, "/db", "PostgreSQL");
    Load::new()
        .kept(32, &post)
        .new_each_time(1, &database())
        .new_each_time(1, &Question::get(PORT, HOST, "/", "body: release-"))
}

fn ten_rollouts(name: &str, replicas: u32) {
    let _alone = Alone::new();
    let project = project(name, replicas);
    let before = project.ids();
    let load = load();
    let url = "http://web:3000/db";
    let neighbour = Neighbour::start(&format!("{name}-neighbour-green"), 8, url);
    let begin = Instant::now();
    for release in 1..=10 {
        project.write("gordon.yaml", &config(name, release, replicas));
        project.apply();
    }
    println!("10 rollouts with {replicas} replicas: {:.0} s", begin.elapsed().as_secs_f64());
    let outcome = load.stop();
    let neighbour = neighbour.stop();
    println!("by alias: {neighbour}");
    outcome.is_whole(1000);
    assert!(neighbour.asked >= 1000 && neighbour.lost() * 1000 < neighbour.asked, "{neighbour}");
    let releases: Vec<String> = (0..=10).map(|release| format!("release-{release:02}")).collect();
    assert_eq!(outcome.tally.said("body: "), releases, "each release was seen");
    let after = project.ids();
    for untouched in ["db", "neighbour-green"] {
        let container = format!("{name}-{untouched}");
        assert_eq!(before[&container], after[&container], "it is the same {container}");
    }
}

#[test]
fn ten_rollouts_lose_no_request() {
    ten_rollouts("gtest-load", 1);
}

#[test]
fn ten_rollouts_of_three_replicas_lose_no_request() {
    ten_rollouts("gtest-load3", 3);
}
