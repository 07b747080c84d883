//! One `apply` at a time on one project.

use std::env;
use std::process::Child;
use std::process::Stdio;
use support::Project;
use support::docker;
use support::eventually;
use support::own;
use support::run;

/// A config whose apply takes its time: the app's check fails until its delay is over.
fn slow(name: &str) -> Project {
    let text = format!(
        "name = \"{name}\"\n[routes]\n\"one.example.com\" = {{ image = \"web:1\", environment = {{ START_DELAY = \"4\" }}, \
         health = {{ cmd = \"python3 -c 'import urllib.request as u; u.urlopen(\\\"http://127.0.0.1:3000/up\\\")'\", interval = \"1s\" }} }}\n"
    );
    Project::new(name, &[("gordon.toml", &text)])
}

fn is_locked(name: &str) -> bool {
    let lock = format!("name=^/?gordon-lock-{name}$");
    !docker(["ps", "--all", "--quiet", "--filter", &lock]).success().stdout.is_empty()
}

/// An apply that has the lock, and is not yet done.
fn apply_begins(project: &Project, name: &str) -> Child {
    let mut apply = project.command(&["apply", "--yes"]);
    let child = apply.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
    eventually("the first has the lock", || is_locked(name));
    child
}

#[test]
fn of_two_at_once_one_works_and_the_other_says_who_does() {
    let project = slow(own("two"));
    let mut first = apply_begins(&project, own("two"));
    let second = project.gordon(&["apply", "--yes"]).ended(1);
    let holder = format!("{}", first.id());
    assert!(second.stderr.contains(&holder), "it says who holds the lock: {}", second.stderr);
    assert!(second.stderr.contains("--wait"), "and what to do: {}", second.stderr);
    let third = project.gordon(&["apply", "--yes", "--wait"]).success();
    assert!(first.wait().expect("it ends").success());
    assert!(!is_locked(own("two")), "{}", third.stderr);
    project.is_settled();
}

#[test]
fn a_lock_whose_owner_is_dead_is_no_obstacle() {
    let project = slow(own("dead"));
    let mut first = apply_begins(&project, own("dead"));
    first.kill().expect("it runs");
    first.wait().expect("it ends");
    assert!(is_locked(own("dead")), "it was not released");
    project.apply();
    assert!(!is_locked(own("dead")));
    project.is_settled();
}

#[test]
fn an_engine_is_one_however_it_is_spelt() {
    let project = slow(own("spelt"));
    let mut first = apply_begins(&project, own("spelt"));
    // as `docker container prune` does
    docker(["rm", "--force", &format!("gordon-lock-{}", own("spelt"))]).success();
    let host = env::var("DOCKER_HOST").unwrap_or_else(|_| "unix:///var/run/docker.sock".to_owned());
    let spelt = host.replace("unix:///", "unix:////");
    let second = run(project.command(&["apply", "--yes"]).env("DOCKER_HOST", spelt)).success();
    assert!(second.stderr.contains("waiting for docker commands"), "{}", second.stderr);
    assert!(first.wait().expect("it ends").success());
    project.is_settled();
}

#[test]
fn ctrl_c_finishes_what_runs_says_what_is_left_and_leaves_no_lock() {
    let project = slow(own("ctrlc"));
    let child = project
        .command(&["apply", "--yes"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    eventually("the app is there", || !project.ids().is_empty());
    run(std::process::Command::new("kill").args(["-INT", &child.id().to_string()])).success();
    let output = child.wait_with_output().expect("it ends");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(130), "{stderr}");
    assert!(stderr.contains("left"), "{stderr}");
    assert!(!is_locked(own("ctrlc")));
    project.apply();
    project.is_settled();
}
