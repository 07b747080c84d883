//! Foreign things on the engine.

use crate::process::run;
use std::ffi::OsStr;
use std::process::Command;

/// A thing on the engine that gordon did not make: a docker command makes it, another removes it.
pub struct Theirs(pub Vec<String>);

impl Theirs {
    /// Makes it with `docker <make…>`; `remove` are the words that remove it.
    #[track_caller]
    pub fn new(make: &[impl AsRef<OsStr>], remove: &[&str]) -> Self {
        run(Command::new("docker").args(remove));
        // what docker makes and cannot start is removed, too
        let theirs = Self(remove.iter().map(ToString::to_string).collect());
        run(Command::new("docker").args(make)).success();
        theirs
    }
}

impl Drop for Theirs {
    fn drop(&mut self) {
        run(Command::new("docker").args(&self.0));
    }
}
