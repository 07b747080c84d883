//! A step: one operation, and all that there is to know of it.

use super::Reason;
use crate::docker::Fact;
use crate::docker::Op;
use crate::name::Owner;

/// The number of a step in its plan, counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct StepId(usize);

impl StepId {
    /// The step at this place.
    pub(super) fn nth(index: usize) -> Self {
        Self(index)
    }

    /// Its place in [`Plan::steps`](super::Plan::steps).
    pub fn index(self) -> usize {
        self.0
    }
}

/// One operation, and all that there is to know of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Its number.
    pub id: StepId,
    /// What is done.
    pub op: Op,
    /// For whom: the domain, group or project that it belongs to.
    pub owner: Owner,
    /// Why.
    pub reason: Reason,
    /// It has nothing to do when one of these holds. A wait without any follows the steps that it needs: there is
    /// something to wait for when one of them had something to do. All else without any is always done.
    pub unless: Vec<Fact>,
    /// The steps that are done before it starts; all of them earlier ones.
    pub needs: Vec<StepId>,
    /// The steps that are over before it starts, however they ended; all of them earlier ones.
    pub after: Vec<StepId>,
    /// What restores the state before, tried one after the other when the step fails.
    pub undo: Vec<Op>,
    /// What it costs.
    pub risk: Risk,
    /// Runs even after Ctrl-C once the steps before it have started, so that no container is left off its network.
    pub uninterruptible: bool,
}

/// What a step costs those who use what it changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Risk {
    /// Nothing.
    None,
    /// A running container stands still for about 0.3 s; no connection ends.
    Pauses,
    /// The container does not serve from here until its successor does.
    Interrupts,
    /// Something is removed for good.
    Removes,
}

/// A step before it has its number.
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
    /// A step that needs nothing, is always done, and costs nothing.
    pub(crate) fn new(op: Op, owner: Owner, reason: Reason) -> Self {
        let (unless, needs, after, undo) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        Self { op, owner, reason, unless, needs, after, undo, risk: Risk::None, uninterruptible: false }
    }
}
