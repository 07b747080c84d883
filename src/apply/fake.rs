//! A machine for tests: its docker gives the answers of the test, its clock moves with each wait.

use super::End;
use super::Machine;
use super::Outcome;
use crate::docker::Cli;
use crate::docker::Command;
use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

/// The time that a call takes.
const CALL: Duration = Duration::from_millis(100);

/// Docker calls succeed without a word, containers run, unless it was told otherwise.
#[derive(Default)]
pub(crate) struct Fake {
    rules: Mutex<Vec<Rule>>,
    calls: Mutex<Vec<String>>,
    now: Mutex<Duration>,
}

struct Rule {
    part: String,
    /// Given in turn; the last one again and again when it `stays`, else what the next rule says.
    outcomes: Vec<Outcome>,
    stays: bool,
}

impl Fake {
    /// Calls that hold `part` succeed and say `stdout`.
    pub(crate) fn says(self, part: &str, stdout: &str) -> Self {
        self.rule(part, vec![outcome(0, stdout, "")], true)
    }

    /// Calls that hold `part` succeed and say each of these, then the last one again and again.
    pub(crate) fn says_in_turn(self, part: &str, stdouts: &[&str]) -> Self {
        self.rule(part, stdouts.iter().map(|stdout| outcome(0, stdout, "")).collect(), true)
    }

    /// Calls that hold `part` fail.
    pub(crate) fn fails(self, part: &str, status: i32, stderr: &str) -> Self {
        self.rule(part, vec![outcome(status, "", stderr)], true)
    }

    /// The first `times` calls that hold `part` fail.
    pub(crate) fn fails_at_first(self, times: usize, part: &str, status: i32, stderr: &str) -> Self {
        self.rule(part, vec![outcome(status, "", stderr); times], false)
    }

    /// The first call that holds `part` fails.
    pub(crate) fn fails_once(self, part: &str, status: i32, stderr: &str) -> Self {
        self.rule(part, vec![outcome(status, "", stderr)], false)
    }

    /// All calls so far, their words with blanks between.
    pub(crate) fn calls(&self) -> Vec<String> {
        self.calls.lock().expect("no test panics with it").clone()
    }

    fn rule(self, part: &str, outcomes: Vec<Outcome>, stays: bool) -> Self {
        self.rules.lock().expect("no thread panics with it").push(Rule {
            part: part.to_owned(),
            outcomes,
            stays,
        });
        self
    }

    fn outcome(&self, call: &str) -> Outcome {
        let mut rules = self.rules.lock().expect("no thread panics with it");
        let rule = rules.iter_mut().find(|rule| call.contains(&rule.part) && !rule.outcomes.is_empty());
        match rule {
            Some(rule) if rule.stays && rule.outcomes.len() == 1 => rule.outcomes[0].clone(),
            Some(rule) => rule.outcomes.remove(0),
            None if call.contains("{{.State.Status}}") => outcome(0, "running none 0\n", ""),
            None => outcome(0, "", ""),
        }
    }
}

impl Machine for Fake {
    fn docker(&self, command: &Command, _limit: Duration, line: &mut dyn FnMut(&str)) -> Outcome {
        let call = self.argv(command).join(" ");
        let outcome = self.outcome(&call);
        self.pause(CALL);
        self.calls.lock().expect("no thread panics with it").push(call);
        outcome.stdout.lines().chain(outcome.stderr.lines()).for_each(line);
        outcome
    }

    fn argv(&self, command: &Command) -> Vec<String> {
        let mut words = Cli::default().prefix();
        words.extend(command.argv(Path::new("/srv/shop")));
        words
    }

    fn now(&self) -> Duration {
        *self.now.lock().expect("no thread panics with it")
    }

    fn pause(&self, time: Duration) {
        *self.now.lock().expect("no thread panics with it") += time;
    }
}

fn outcome(status: i32, stdout: &str, stderr: &str) -> Outcome {
    Outcome { end: End::Status(status), stdout: stdout.to_owned(), stderr: stderr.to_owned() }
}
