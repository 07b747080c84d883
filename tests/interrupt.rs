//! What Ctrl-C does to a process that listens.
#![expect(clippy::disallowed_methods, reason = "tests run processes and touch the environment")]

use gordon::sys::interrupt;
use rustix::process::Pid;
use rustix::process::Signal;
use rustix::process::kill_process;
use std::env;
use std::io::BufRead;
use std::io::BufReader;
use std::process::Command;
use std::process::Stdio;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

/// Tells another process that it is to listen.
const LISTEN: &str = "GORDON_TEST_LISTEN";

/// Not a test: a process that listens, says what it hears, and does not end by itself.
#[test]
fn listens_when_it_is_told_to() {
    if env::var(LISTEN).is_err() {
        return;
    }
    let interrupt = interrupt::listen().expect("it can listen");
    println!("\nlistening");
    while !interrupt.load(Ordering::Relaxed) {
        thread::sleep(Duration::from_millis(5));
    }
    println!("asked to end");
    thread::sleep(Duration::from_secs(1000));
}

#[test]
fn the_first_signal_asks_and_the_second_ends() {
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        let mut listener = Command::new(env::current_exe().expect("this test"))
            .args(["--exact", "--nocapture", "listens_when_it_is_told_to"])
            .env(LISTEN, "1")
            .stdout(Stdio::piped())
            .spawn()
            .expect("another process");
        let id = Pid::from_raw(listener.id().cast_signed()).expect("a process has an id");
        let mut said = BufReader::new(listener.stdout.take().expect("a pipe")).lines().map_while(Result::ok);
        assert!(said.any(|line| line == "listening"));
        kill_process(id, signal).expect("it runs");
        assert!(said.any(|line| line == "asked to end"));
        kill_process(id, signal).expect("it runs on");
        assert_eq!(listener.wait().expect("it ends").code(), Some(130), "{signal:?}");
    }
}
