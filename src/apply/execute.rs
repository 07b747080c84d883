//! Does one step: runs its command, or waits for what it waits for, and undoes it when it failed. Knows no other steps.

use super::Cause;
use super::Concealment;
use super::End;
use super::Event;
use super::Failure;
use super::Machine;
use super::Outcome;
use super::Over;
use super::diagnosis::diagnose;
use super::diagnosis::listening;
use super::diagnosis::sharing;
use super::hint::elsewhere;
use super::hint::ended;
use super::hint::hint;
use super::hint::namesakes;
use super::hint::no_answer;
use super::hint::not_done;
use super::turn::Turn;
use crate::docker::Await;
use crate::docker::Command;
use crate::docker::Op;
use crate::docker::READY;
use crate::name::Image;
use crate::plan::Step;
use crate::plan::StepId;
use crate::spec::Patience;
use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// The time for a question that changes nothing.
const QUESTION_LIMIT: Duration = Duration::from_secs(30);

/// How long those who wait leave docker to the one who asks: an answer takes milliseconds, or never comes.
const TURN_TIMEOUT: Duration = Duration::from_secs(1);

/// How long a wait goes on while docker itself does not answer: a restart of the engine takes less.
const UNREACHABLE_TIMEOUT: Duration = Duration::from_secs(30);

/// Does steps on a machine, several at once.
pub(super) struct Executor<'a> {
    pub(super) machine: &'a dyn Machine,
    pub(super) interrupt: &'a AtomicBool,
    pub(super) concealment: &'a Concealment,
    /// Held by the one who asks: many that wait at once would otherwise keep the machine busy with their questions.
    pub(super) asking: Turn,
}

/// Why a step ended before it was done.
enum Stop {
    Failed(Cause),
    Interrupted,
}

impl Executor<'_> {
    /// Does `step` and tells of it, from the first line of a pull to the last operation that undoes it.
    pub(super) fn execute(&self, step: &Step, tell: &mut dyn FnMut(Event)) -> Over {
        let begin = self.machine.now();
        let result = match &step.op {
            Op::Await(wait) => self.wait(wait),
            Op::ExpectVolumes { image, known } => self.expect_volumes(image, known).map_err(Stop::Failed),
            op => self.call(op, &mut |line| {
                if matches!(op, Op::Pull { .. }) {
                    tell(Event::Line { step: step.id, text: line.to_owned() });
                }
            }),
        };
        let after = self.machine.now().saturating_sub(begin);
        match result {
            Ok(()) => {
                tell(Event::Finished { step: step.id, after });
                Over::Done
            }
            Err(Stop::Interrupted) => Over::Left,
            Err(Stop::Failed(cause)) if step.op.is_dispensable() => {
                tell(Event::DoneWithout { step: step.id, after, cause });
                Over::Done
            }
            Err(Stop::Failed(cause)) => {
                let undo = if is_name_taken(&step.op, &cause) { &[][..] } else { &step.undo };
                tell(Event::Failed(Box::new(self.failure(step, cause, after, undo.len()))));
                self.undo(step.id, undo, tell);
                Over::Failed
            }
        }
    }

    fn call(&self, op: &Op, line: &mut dyn FnMut(&str)) -> Result<(), Stop> {
        let command = op.command().expect("what neither waits nor looks is a command");
        let outcome = self.machine.docker(&command, op.limit(), line);
        if outcome.is_success() || op.needless().is_some_and(|error| outcome.stderr.contains(error)) {
            return Ok(());
        }
        Err(Stop::Failed(self.failed_call(&command, outcome)))
    }

    fn failed_call(&self, command: &Command, outcome: Outcome) -> Cause {
        Cause::Call { argv: self.machine.argv(command), end: outcome.end, stderr: outcome.stderr }
    }

    /// Asks until the answer has been good for as long as it should, and as the probe says nothing else. Gives up when its
    /// time is over, or when docker has been unreachable for [`UNREACHABLE_TIMEOUT`].
    fn wait(&self, wait: &Await) -> Result<(), Stop> {
        let probe = wait.probe();
        let begin = self.machine.now();
        let (mut good_since, mut unreachable_since) = (None, None);
        let mut failures = 0;
        if !probe.hold.is_zero() {
            // the step before has started it: an answer that is good at the end of the time was good all along
            good_since = Some(begin);
        }
        if !probe.first.is_zero() {
            self.machine.pause(probe.first);
        }
        loop {
            let mut asked = &probe.command;
            let (mut answer, mut is_reachable) = {
                let _turn = self.asking.take(TURN_TIMEOUT);
                self.ask(asked)
            };
            if probe.is_fatal(&answer) {
                return Err(Stop::Failed(Cause::Hopeless { argv: self.machine.argv(asked), answer }));
            }
            let mut is_ready = probe.is_ready(&answer);
            if let Some(then) = probe.then.as_ref().filter(|_| is_ready) {
                asked = then;
                (answer, is_reachable) = self.ask(then);
                is_ready = answer == READY;
            }
            let now = self.machine.now();
            if is_ready {
                if now.saturating_sub(*good_since.get_or_insert(now)) >= probe.hold {
                    return Ok(());
                }
            } else {
                good_since = None;
                let counts = |patience: &Patience| now.saturating_sub(begin) >= patience.start_period;
                failures += u8::from(probe.patience.as_ref().is_some_and(counts));
            }
            if is_reachable {
                unreachable_since = None;
            } else if now.saturating_sub(*unreachable_since.get_or_insert(now)) >= UNREACHABLE_TIMEOUT {
                return Err(Stop::Failed(Cause::Hopeless { argv: self.machine.argv(asked), answer }));
            }
            let limit = match probe.patience {
                Some(Patience { retries, .. }) if failures >= retries => now.saturating_sub(begin),
                _ => probe.timeout,
            };
            if now.saturating_sub(begin) >= limit {
                if probe.lapses {
                    return Ok(());
                }
                let argv = self.machine.argv(asked);
                return Err(Stop::Failed(Cause::TooLate { argv, limit, answer }));
            }
            if self.interrupt.load(Ordering::Relaxed) {
                return Err(Stop::Interrupted);
            }
            self.machine.pause(probe.every);
        }
    }

    /// What docker says to a question of a wait, in one text, and whether docker could be reached.
    fn ask(&self, question: &Command) -> (String, bool) {
        let outcome = self.machine.docker(question, QUESTION_LIMIT, &mut |_| {});
        let is_reachable = outcome.is_success()
            || !matches!(outcome.end, End::TimedOut(_)) && no_answer(&outcome.stderr).is_none();
        let answer = if outcome.is_success() { outcome.stdout } else { said(&outcome) };
        match answer.trim_end() {
            "" => ("nothing".to_owned(), is_reachable),
            answer => (answer.to_owned(), is_reachable),
        }
    }

    fn expect_volumes(&self, image: &Image, known: &[String]) -> Result<(), Cause> {
        // docker mounts `VOLUME /data/` at /data
        let is_known = |path: &String| known.iter().any(|known| known == path.trim_end_matches('/'));
        let question =
            Command::new(["image", "inspect", "--format", "{{json .Config.Volumes}}", image.as_str()]);
        let outcome = self.machine.docker(&question, QUESTION_LIMIT, &mut |_| {});
        if !outcome.is_success() {
            return Err(self.failed_call(&question, outcome));
        }
        // `null` for none
        let declared: Option<BTreeMap<String, serde_json::Value>> =
            match serde_json::from_str(outcome.stdout.trim()) {
                Ok(declared) => declared,
                Err(_) => {
                    let stderr = format!("this is no answer of docker's: {}", outcome.stdout);
                    return Err(self.failed_call(&question, Outcome { stderr, ..outcome }));
                }
            };
        let paths: Vec<String> =
            declared.unwrap_or_default().into_keys().filter(|path| !is_known(path)).collect();
        if paths.is_empty() {
            return Ok(());
        }
        Err(Cause::UnknownVolumes { argv: self.machine.argv(&question), image: image.clone(), paths })
    }

    fn failure(&self, step: &Step, cause: Cause, after: Duration, undoes: usize) -> Failure {
        let diagnosis = match (&step.op, &cause) {
            (Op::Await(wait), Cause::Hopeless { .. } | Cause::TooLate { .. }) => {
                diagnose(self.machine, wait.container(), self.concealment)
            }
            _ => None,
        };
        let hint = match &cause {
            Cause::Call { end, stderr, .. } => hint(&step.op, end, stderr),
            Cause::UnknownVolumes { .. } => {
                Some("run the command again: the new plan gives each of them a volume".to_owned())
            }
            Cause::Hopeless { answer, .. } | Cause::TooLate { answer, .. } => match &diagnosis {
                Some(diagnosis) if diagnosis.out_of_memory => {
                    Some("it took more memory than it may have: raise `memory` in the config".to_owned())
                }
                Some(diagnosis) if diagnosis.exit_status.is_some() => {
                    ended(&diagnosis.log, &|| sharing(self.machine, &diagnosis.container))
                }
                Some(diagnosis) => match &step.op {
                    Op::Await(Await::Listens { check, .. }) => {
                        Some(elsewhere(check.port, &listening(self.machine, &diagnosis.container)))
                    }
                    _ => None,
                },
                None => no_answer(answer),
            },
        };
        let hint = match &step.op {
            Op::Pull { image, .. } => self.with_namesakes(image, hint),
            Op::Await(Await::Ends { name, .. }) if diagnosis.is_some() => {
                let is_late = matches!(cause, Cause::TooLate { .. });
                hint.or_else(|| Some(not_done(name, is_late)))
            }
            _ => hint,
        };
        Failure { step: step.id, after, cause, hint, diagnosis, undoes }
    }

    fn with_namesakes(&self, image: &Image, hint: Option<String>) -> Option<String> {
        let question = Command::new(["image", "ls", "--format", "{{.Repository}}:{{.Tag}}"]);
        let answer = self.machine.docker(&question, QUESTION_LIMIT, &mut |_| {});
        let found = namesakes(image.as_str(), &answer.stdout).join("`, `");
        if found.is_empty() {
            return hint;
        }
        let here = format!("on this host there is `{found}`");
        Some(match hint {
            Some(hint) => format!("{hint}; {here}"),
            None => here,
        })
    }

    /// Tries all that undoes a step; what fails keeps nothing else from being tried.
    fn undo(&self, step: StepId, ops: &[Op], tell: &mut dyn FnMut(Event)) {
        for (undo, op) in ops.iter().enumerate() {
            let failure = match self.call(op, &mut |_| {}) {
                Err(Stop::Failed(cause)) if !is_undone_already(op, &cause) => Some(cause),
                Ok(()) | Err(Stop::Failed(_) | Stop::Interrupted) => None,
            };
            tell(Event::Undone { step, undo, failure });
        }
    }
}

/// Whether the container that was to be made is there already: then nothing was made, and an undo would remove a
/// container that this run did not make.
fn is_name_taken(op: &Op, cause: &Cause) -> bool {
    let makes = matches!(op, Op::Create(_) | Op::Run(_));
    makes && matches!(cause, Cause::Call { stderr, .. } if stderr.contains("is already in use by container"))
}

/// Whether `op` had nothing to undo, as the step failed before it did anything: what should go is not there.
fn is_undone_already(op: &Op, cause: &Cause) -> bool {
    let Cause::Call { stderr, .. } = cause else { return false };
    let gone = match op {
        Op::Stop { .. } | Op::Remove { .. } | Op::Rename { .. } => "No such container",
        Op::RemoveNetwork { .. } => "No such network",
        Op::Disconnect { .. } => "is not connected to",
        _ => return false,
    };
    stderr.contains(gone)
}

/// What a failed question has to say.
fn said(outcome: &Outcome) -> String {
    match &outcome.end {
        End::Status(_) if !outcome.stderr.trim().is_empty() => outcome.stderr.clone(),
        end => end.to_string(),
    }
}
