//! What happens while a plan is applied: all that anybody who shows it learns. Does not know how it is shown.

use super::Concealment;
use super::End;
use super::Schedule;
use super::State;
use crate::name::Container;
use crate::name::Image;
use crate::plan::StepId;
use std::time::Duration;

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A step began.
    Started {
        /// The step.
        step: StepId,
    },
    /// Docker said something about a pull that runs.
    Line {
        /// The step.
        step: StepId,
        /// What it said.
        text: String,
    },
    /// A step is done.
    Finished {
        /// The step.
        step: StepId,
        /// How long it took.
        after: Duration,
    },
    /// A step failed that what follows can do without; it counts as done.
    DoneWithout {
        /// The step.
        step: StepId,
        /// How long it took.
        after: Duration,
        /// What went wrong.
        cause: Cause,
    },
    /// A step failed. What undoes it follows, then what is skipped for it.
    Failed(Box<Failure>),
    /// One of the operations that undo a failed step was tried.
    Undone {
        /// The failed step.
        step: StepId,
        /// Which of its undo operations, counted from 0.
        undo: usize,
        /// Why it failed, when it did.
        failure: Option<Cause>,
    },
    /// A step will never be done, because of one that failed.
    Skipped {
        /// The step.
        step: StepId,
        /// The step that failed.
        because: StepId,
    },
    /// The person asked to stop: what runs goes on to its end, nothing more starts.
    Interrupted {
        /// How many steps run.
        running: usize,
    },
}

impl Event {
    /// The same as it may be shown: what docker and containers wrote, without what `concealment` hides.
    pub(super) fn concealed(self, concealment: &Concealment) -> Self {
        match self {
            Self::Line { step, text } => Self::Line { step, text: concealment.conceal(&text) },
            Self::DoneWithout { step, after, cause } => {
                Self::DoneWithout { step, after, cause: cause.concealed(concealment) }
            }
            Self::Failed(failure) => Self::Failed(Box::new(failure.concealed(concealment))),
            Self::Undone { step, undo, failure } => {
                Self::Undone { step, undo, failure: failure.map(|cause| cause.concealed(concealment)) }
            }
            Self::Started { .. }
            | Self::Finished { .. }
            | Self::Skipped { .. }
            | Self::Interrupted { .. } => self,
        }
    }
}

/// A step that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The step.
    pub step: StepId,
    /// How long it took.
    pub after: Duration,
    /// What went wrong.
    pub cause: Cause,
    /// What to do about it, where the cause is a known one: a sentence without a full stop.
    pub hint: Option<String>,
    /// What became of the container that was waited for.
    pub diagnosis: Option<Diagnosis>,
    /// How many operations are tried now to undo it.
    pub undoes: usize,
}

impl Failure {
    fn concealed(self, concealment: &Concealment) -> Self {
        Self { cause: self.cause.concealed(concealment), ..self }
    }
}

/// What went wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// A docker call failed.
    Call {
        /// All its words, beginning with the docker binary.
        argv: Vec<String>,
        /// How it ended.
        end: End,
        /// What it wrote to its standard error.
        stderr: String,
    },
    /// What was waited for cannot come any more.
    Hopeless {
        /// The question that was put to docker.
        argv: Vec<String>,
        /// The last answer.
        answer: String,
    },
    /// What was waited for did not come in time.
    TooLate {
        /// The question that was put to docker.
        argv: Vec<String>,
        /// The time that it had.
        limit: Duration,
        /// The last answer.
        answer: String,
    },
    /// An image declares VOLUMEs whose data the plan would not keep.
    UnknownVolumes {
        /// The question that was put to docker.
        argv: Vec<String>,
        /// The image.
        image: Image,
        /// Their paths.
        paths: Vec<String>,
    },
}

impl Cause {
    /// All words of the docker call that told of it.
    pub fn argv(&self) -> &[String] {
        match self {
            Self::Call { argv, .. }
            | Self::Hopeless { argv, .. }
            | Self::TooLate { argv, .. }
            | Self::UnknownVolumes { argv, .. } => argv,
        }
    }

    /// Words of a command hold no secrets.
    fn concealed(self, concealment: &Concealment) -> Self {
        match self {
            Self::Call { argv, end, stderr } => {
                Self::Call { argv, end, stderr: concealment.conceal(&stderr) }
            }
            Self::Hopeless { argv, answer } => Self::Hopeless { argv, answer: concealment.conceal(&answer) },
            Self::TooLate { argv, limit, answer } => {
                Self::TooLate { argv, limit, answer: concealment.conceal(&answer) }
            }
            Self::UnknownVolumes { .. } => self,
        }
    }
}

/// What became of a container that did not become ready, as it may be shown. Read once it was too late, so all of it may be missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnosis {
    /// The container.
    pub container: Container,
    /// Docker's word for what it does.
    pub status: String,
    /// The exit status with which it last ended, when it ended at all.
    pub exit_status: Option<i32>,
    /// How often docker started it again.
    pub restarts: u32,
    /// Whether it was killed because it took too much memory.
    pub out_of_memory: bool,
    /// What docker says of why it could not start; often empty.
    pub error: String,
    /// What its health check printed last; often empty.
    pub health: String,
    /// The end of its log, both outputs.
    pub log: Vec<String>,
}

/// How applying a plan ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// What became of each step, in the order of the plan.
    pub states: Vec<State>,
    /// What failed, in the order in which it did.
    pub failures: Vec<Failure>,
    /// How long it took.
    pub took: Duration,
    /// Whether the person asked to stop.
    pub interrupted: bool,
}

impl Report {
    pub(super) fn new(
        schedule: &Schedule,
        failures: Vec<Failure>,
        took: Duration,
        interrupted: bool,
    ) -> Self {
        Self { states: schedule.states().to_vec(), failures, took, interrupted }
    }

    /// Whether every step is done.
    pub fn is_complete(&self) -> bool {
        self.states.iter().all(|state| *state == State::Done)
    }

    /// How many steps are done.
    pub fn done(&self) -> usize {
        self.count(|state| state == State::Done)
    }

    /// How many steps failed.
    pub fn failed(&self) -> usize {
        self.count(|state| state == State::Failed)
    }

    /// How many steps were skipped because another failed.
    pub fn skipped(&self) -> usize {
        self.count(|state| matches!(state, State::Skipped(_)))
    }

    /// How many steps are left because the person asked to stop.
    pub fn left(&self) -> usize {
        self.count(|state| state == State::Waiting)
    }

    fn count(&self, is: fn(State) -> bool) -> usize {
        self.states.iter().filter(|state| is(**state)).count()
    }
}
