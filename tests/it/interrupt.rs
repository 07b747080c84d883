//! How a process that listens for signals reacts to Ctrl-C.
#![expect(clippy::disallowed_methods, reason = "tests run processes and touch the environment")]

use gordon::sys::interrupt::Interrupt;
use rustix::process::Pid;
use rustix::process::Signal;
use rustix::process::kill_process;
use std::env;
use std::io::BufRead;
use std::io::BufReader;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

/// Makes the process of [`the_listening_process`] listen, idle or busy.
const LISTEN: &str = "GORDON_TEST_LISTEN";

/// Not a test: a process that listens, prints what it receives, and does not end by itself.
#[test]
fn the_listening_process() {
    let Ok(when) = env::var(LISTEN) else { return };
    let interrupt = Interrupt::listen().expect("it can listen");
    let sleep = || thread::sleep(Duration::from_secs(1000));
    if when == "idle" {
        println!("\nlistening");
        sleep();
    }
    interrupt.during(|interrupt| {
        println!("\nlistening");
        while !interrupt.load(Ordering::Relaxed) {
            thread::sleep(Duration::from_millis(5));
        }
        println!("asked to end");
        sleep();
    });
}

/// A listening process, and the lines that it prints from then on.
fn listener(when: &str) -> (Child, impl Iterator<Item = String>) {
    let mut listener = Command::new(env::current_exe().expect("this test"))
        .args(["--exact", "--nocapture", "interrupt::the_listening_process"])
        .env(LISTEN, when)
        .stdout(Stdio::piped())
        .spawn()
        .expect("another process");
    let mut said = BufReader::new(listener.stdout.take().expect("a pipe")).lines().map_while(Result::ok);
    assert!(said.any(|line| line == "listening"));
    (listener, said)
}

#[test]
fn the_first_signal_asks_to_end_and_the_second_ends() {
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        let (mut listener, mut said) = listener("busy");
        let id = Pid::from_raw(listener.id().cast_signed()).expect("a process has an id");
        kill_process(id, signal).expect("it runs");
        assert!(said.any(|line| line == "asked to end"));
        kill_process(id, signal).expect("it runs on");
        assert_eq!(listener.wait().expect("it ends").code(), Some(130), "{signal:?}");
    }
}

#[test]
fn an_idle_process_ends_at_the_first_signal() {
    let (mut listener, _) = listener("idle");
    let id = Pid::from_raw(listener.id().cast_signed()).expect("a process has an id");
    kill_process(id, Signal::INT).expect("it runs");
    assert_eq!(listener.wait().expect("it ends").code(), Some(130));
}
