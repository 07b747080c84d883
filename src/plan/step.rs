//! A step: one operation, and everything that is known about it.

use super::Reason;
use crate::docker::Fact;
use crate::docker::Op;
use crate::name::Owner;

/// The number of a step in its plan, counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct StepId(usize);

impl StepId {
    /// The id of the step at this index.
    pub(super) fn nth(index: usize) -> Self {
        Self(index)
    }

    /// Its index in [`Plan::steps`](super::Plan::steps).
    pub fn index(self) -> usize {
        self.0
    }
}

/// One operation, and everything that is known about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Its number.
    pub id: StepId,
    /// The operation.
    pub op: Op,
    /// The domain, group or project that it belongs to.
    pub owner: Owner,
    /// Why it exists.
    pub reason: Reason,
    /// Facts that make it unnecessary, each by itself. A wait without facts runs only if one of the steps
    /// that it needs had something to do. Any other step without facts always runs.
    pub unless: Vec<Fact>,
    /// The steps that succeed before it starts. All are earlier in the plan.
    pub needs: Vec<StepId>,
    /// The steps that end before it starts, successfully or not. All are earlier in the plan.
    pub after: Vec<StepId>,
    /// The operations that restore the state before when the step fails, tried one after the other.
    pub undo: Vec<Op>,
    /// Its cost.
    pub risk: Risk,
    /// Runs even after Ctrl-C once the steps before it have started, so that no container is left off its network.
    pub uninterruptible: bool,
}

/// What a step costs the users of what it changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Risk {
    /// Nothing.
    None,
    /// A running container is paused for about 0.3 s; no connection ends.
    Pauses,
    /// The container does not serve until its successor does.
    Interrupts,
    /// Something is removed for good.
    Removes,
}

/// A step that has no number yet.
#[derive(Clone, Debug)]
pub(crate) struct NewStep {
    pub(crate) op: Op,
    pub(crate) owner: Owner,
    pub(crate) reason: Reason,
    pub(crate) unless: Vec<Fact>,
    pub(crate) needs: Vec<StepId>,
    pub(crate) after: Vec<StepId>,
    pub(crate) undo: Vec<Op>,
    pub(crate) risk: Risk,
    pub(crate) uninterruptible: bool,
}

impl NewStep {
    /// A step that needs nothing, always runs, and costs nothing.
    pub(crate) fn new(op: Op, owner: Owner, reason: Reason) -> Self {
        let (unless, needs, after, undo) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        Self { op, owner, reason, unless, needs, after, undo, risk: Risk::None, uninterruptible: false }
    }
}
