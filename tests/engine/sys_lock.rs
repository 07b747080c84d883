//! The lock of a project, on a real engine.

use gordon::docker::Cli;
use gordon::docker::Command;
use gordon::name::Project;
use gordon::sys::docker::Docker;
use gordon::sys::lock;
use gordon::sys::lock::Lock;
use gordon::sys::lock::LockError;
use gordon::sys::lock::LockEvent;
use gordon::sys::lock::Subject;
use std::env;
use std::io;
use std::io::BufRead;
use std::process;
use std::process::Stdio;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;
use support::lab::Lab;
use support::own;

/// Longer than anything here takes.
const LONG: Duration = Duration::from_secs(60);

/// A lock of this test alone, gone when the test is over.
struct Scene {
    lab: Lab,
    docker: Docker,
    subject: Subject,
}

impl Scene {
    fn new(name: &str) -> Self {
        let lab = Lab::new(name);
        let docker = Docker::find(Cli::default(), lab.folder()).expect("docker is there");
        let subject = Subject::Project(Project::parse(name).expect("a project"));
        lock::unlock(&docker, &subject).expect("docker answers");
        Self { lab, docker, subject }
    }

    fn take(&self, wait: Duration, tell: &mut dyn FnMut(&LockEvent)) -> Result<Lock<'_>, LockError> {
        lock::take(&self.docker, &self.subject, wait, &AtomicBool::new(false), tell)
    }

    fn take_now(&self) -> Result<Lock<'_>, LockError> {
        self.take(Duration::ZERO, &mut |_| {})
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        // a failure of the test matters more
        let _ = lock::unlock(&self.docker, &self.subject);
    }
}

/// The files of a lock, wherever this user's are.
fn files(subject: &str) -> Vec<String> {
    let runtime = env::var("XDG_RUNTIME_DIR").unwrap_or_default();
    let folders = ["/run/gordon".to_owned(), format!("{runtime}/gordon")];
    let files = folders.iter().filter_map(|folder| std::fs::read_dir(folder).ok()).flatten();
    let names = files.map(|file| file.expect("a file").file_name().to_string_lossy().into_owned());
    names.filter(|name| name.ends_with(&format!("-{subject}.lock"))).collect()
}

#[test]
fn a_lock_is_held_by_one_until_it_is_given_back() {
    let scene = Scene::new(own("lock-one"));
    let lock = scene.take_now().expect("it is free");
    let error = scene.take_now().expect_err("this process has it");
    let message = error.to_string();
    assert!(
        message.starts_with(&format!("project {}: another gordon is at work: `", own("lock-one"))),
        "{message}"
    );
    assert!(message.ends_with(&format!(", process {}", process::id())), "{message}");
    assert!(error.hint().is_some_and(|hint| hint.contains("gordon unlock")));
    assert_eq!(files(own("lock-one")).len(), 1, "docker calls inherit it");
    lock.release().expect("docker answers");
    // a docker call of another test, in this process, may hold the file for a moment: then the next release removes it
    let is_removed = (0..100).any(|_| {
        scene.take_now().expect("it is free").release().expect("docker answers");
        files(own("lock-one")).is_empty()
    });
    assert!(is_removed, "nothing is left behind");
}

#[test]
fn of_many_at_once_one_gets_the_lock() {
    let scene = Scene::new(own("lock-many"));
    let taken = thread::scope(|scope| {
        let all: Vec<_> = (0..8).map(|_| scope.spawn(|| scene.take_now())).collect();
        all.into_iter().map(|one| one.join().expect("no panic")).collect::<Vec<_>>()
    });
    assert_eq!(taken.iter().filter(|one| one.is_ok()).count(), 1, "{taken:?}");
    assert!(taken.iter().all(|one| matches!(one, Ok(_) | Err(LockError::Held(..)))), "{taken:?}");
}

#[test]
fn a_lock_is_given_back_when_its_holder_panics() {
    let scene = Scene::new(own("lock-panic"));
    let outcome = thread::scope(|scope| {
        let holder = scope.spawn(|| {
            let _lock = scene.take_now().expect("it is free");
            panic!("as it should");
        });
        holder.join()
    });
    assert!(outcome.is_err());
    scene.take_now().expect("it is free");
}

#[test]
fn who_waits_gets_the_lock_when_it_is_free() {
    let scene = Scene::new(own("lock-wait"));
    let lock = scene.take_now().expect("it is free");
    thread::scope(|scope| {
        let (tell, heard) = mpsc::channel();
        let waiter = scope.spawn(|| {
            let tell = tell;
            scene.take(LONG, &mut |news| tell.send(news.to_string()).expect("it is heard")).is_ok()
        });
        let news = heard.recv().expect("it reports what it waits for");
        assert!(
            news.starts_with(&format!(
                "waiting for another gordon, at work on project {}: `",
                own("lock-wait")
            )),
            "{news}"
        );
        drop(lock);
        assert!(waiter.join().expect("no panic"));
    });
}

#[test]
fn who_waits_for_a_while_gives_up_when_it_is_over() {
    let scene = Scene::new(own("lock-while"));
    let _lock = scene.take_now().expect("it is free");
    let mut heard = Vec::new();
    let outcome = scene.take(Duration::from_millis(1), &mut |news| heard.push(news.clone()));
    assert!(matches!(outcome, Err(LockError::Held(..))), "{outcome:?}");
    assert!(matches!(heard[..], [LockEvent::Held(..)]), "it reports once what it waits for: {heard:?}");
}

#[test]
fn who_waits_can_be_interrupted() {
    let scene = Scene::new(own("lock-interrupt"));
    let _lock = scene.take_now().expect("it is free");
    let interrupt = AtomicBool::new(false);
    let outcome = lock::take(&scene.docker, &scene.subject, LONG, &interrupt, &mut |_| {
        interrupt.store(true, Ordering::Relaxed);
    });
    assert_eq!(outcome.err(), Some(LockError::Interrupted));
}

#[test]
fn anybody_can_take_a_lock_away_and_its_holder_then_takes_nothing_from_the_next() {
    let scene = Scene::new(own("lock-unlock"));
    assert_eq!(lock::unlock(&scene.docker, &scene.subject), Ok(None));
    let first = scene.take_now().expect("it is free");
    let holder = lock::unlock(&scene.docker, &scene.subject).expect("docker answers").expect("it was held");
    assert!(holder.to_string().contains(&process::id().to_string()), "{holder}");
    let _second = scene.take_now().expect("it is free");
    drop(first);
    assert!(matches!(scene.take_now(), Err(LockError::Held(..))), "the second still has it");
}

/// The variables by which the other process gets what it needs.
const HOLD: &str = "GORDON_TEST_HOLD";
const SLOW: &str = "GORDON_TEST_SLOW";

/// Not a test: a process that takes the lock, starts a docker call that does not end, and is then killed.
#[test]
fn holds_the_lock_when_asked_to() {
    let (Ok(name), Ok(binary)) = (env::var(HOLD), env::var(SLOW)) else { return };
    let docker = Docker::find(Cli::default(), &env::temp_dir()).expect("docker is there");
    let subject = Subject::Project(Project::parse(name).expect("a project"));
    let _lock = lock::take(&docker, &subject, Duration::ZERO, &AtomicBool::new(false), &mut |_| {});
    let slow = Docker::find(Cli { binary, context: None }, &env::temp_dir()).expect("the script is there");
    let _ = slow.ask(&Command::new(["stop"]));
}

#[test]
fn the_lock_of_a_killed_gordon_is_broken_once_its_docker_calls_are_done() {
    let scene = Scene::new(own("lock-killed"));
    // says that it runs, and ends when its pipe is closed
    let (pipe, ready) = (scene.lab.folder().join("pipe"), scene.lab.folder().join("ready"));
    for path in [&pipe, &ready] {
        assert!(process::Command::new("mkfifo").arg(path).status().expect("mkfifo runs").success());
    }
    let script = format!("#!/bin/sh\necho running > {}\ncat {}\n", ready.display(), pipe.display());
    let slow = scene.lab.script("slow", &script);

    let mut gordon = process::Command::new(env::current_exe().expect("this test"))
        .args(["--exact", "sys_lock::holds_the_lock_when_asked_to"])
        .env(HOLD, own("lock-killed"))
        .env(SLOW, slow)
        .stdout(Stdio::null())
        .spawn()
        .expect("another process");
    let ready = io::BufReader::new(std::fs::File::open(ready).expect("a pipe")).lines().next();
    assert_eq!(ready.expect("a line").expect("a line"), "running");
    assert!(matches!(scene.take_now(), Err(LockError::Held(..))), "it is alive");
    gordon.kill().expect("it is alive");
    gordon.wait().expect("it ends");

    thread::scope(|scope| {
        let (tell, heard) = mpsc::channel();
        let next = scope.spawn(|| {
            let tell = tell;
            scene.take(Duration::ZERO, &mut |news| tell.send(news.clone()).expect("it is heard")).is_ok()
        });
        assert!(matches!(heard.recv(), Ok(LockEvent::Gone(_))));
        assert_eq!(heard.recv(), Ok(LockEvent::Children));
        assert!(!next.is_finished());
        // closed at once: the docker call ends
        drop(std::fs::File::options().write(true).open(&pipe).expect("a pipe"));
        assert!(next.join().expect("no panic"), "it has the lock");
    });
}
