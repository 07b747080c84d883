//! What applying a plan needs of the world: docker calls, a clock, a pause. Does not know how they are made.

use crate::docker::Command;
use std::fmt;
use std::time::Duration;

/// The machine that runs docker; shared by all that run side by side.
pub trait Machine: Sync {
    /// Runs `command` until it ends, or until `limit` is over, when it is ended with all that it has started.
    ///
    /// `line` gets each line of both outputs as it comes, without its end; the outcome holds them once more.
    fn docker(&self, command: &Command, limit: Duration, line: &mut dyn FnMut(&str)) -> Outcome;

    /// All words of `command` as this machine runs it, beginning with the docker binary. Secrets are in none of them.
    fn argv(&self, command: &Command) -> Vec<String>;

    /// The time since some moment in the past, always the same one.
    fn now(&self) -> Duration;

    /// Waits for `time`.
    fn pause(&self, time: Duration);
}

/// How a docker call ended, and what it said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// How it ended.
    pub end: End,
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
}

/// How a docker call ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// By itself, with this status; 0 is success.
    Status(i32),
    /// By this signal, which another process sent.
    Signal(i32),
    /// Its time limit was over.
    TimedOut(Duration),
    /// It wrote more than so many bytes, and was ended.
    TooMuch(usize),
    /// It was never started, with the system's words.
    NotStarted(String),
}

impl Outcome {
    /// Whether the call did what it should.
    pub fn is_success(&self) -> bool {
        self.end == End::Status(0)
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => write!(f, "exit status {status}"),
            Self::Signal(signal) => write!(f, "ended by signal {signal}"),
            Self::TimedOut(limit) => write!(f, "no end after {} s, so it was ended", limit.as_secs()),
            Self::TooMuch(most) => write!(f, "more output than {} MiB, so it was ended", most >> 20),
            Self::NotStarted(cause) => write!(f, "could not be started: {cause}"),
        }
    }
}
