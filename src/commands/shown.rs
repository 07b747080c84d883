//! Carries out a plan while what happens is shown. Does not know what the plan is for.

use super::CommandError;
use super::Exit;
use crate::apply;
use crate::apply::Concealment;
use crate::apply::Machine;
use crate::apply::Report;
use crate::plan::Plan;
use crate::sys::interrupt::Interrupt;
use crate::sys::progress::Json;
use crate::sys::progress::Live;
use crate::sys::progress::Plain;
use crate::sys::progress::Progress;
use crate::sys::progress::Wording;
use crate::sys::terminal;
use std::io;
use std::num::NonZeroUsize;
use std::sync::atomic::AtomicBool;

/// Who is shown what happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum For {
    /// People, on the standard error.
    People,
    /// Machines, on the standard output.
    Machines,
}

/// How many docker commands run at once by default.
pub(super) const JOBS: NonZeroUsize = NonZeroUsize::new(4).expect("not zero");

/// Ctrl-C, which from now on lets running steps end, and ends gordon at once when none runs.
///
/// # Errors
/// When the system does not let gordon listen.
pub(super) fn interrupt() -> Result<Interrupt, CommandError> {
    Interrupt::listen().map_err(|e| CommandError::failed(format!("gordon cannot listen for Ctrl-C: {e}")))
}

/// Carries out `plan` and shows it. Nothing is shown of a plan without steps.
pub(super) fn run(
    plan: &Plan,
    machine: &dyn Machine,
    jobs: NonZeroUsize,
    interrupt: &AtomicBool,
    concealment: &Concealment,
    shown_to: For,
    wording: Wording,
) -> Report {
    let mut progress: Box<dyn Progress> = match shown_to {
        For::Machines => Box::new(Json::new(io::stdout(), wording)),
        For::People if terminal::can_draw() => Box::new(Live::new(wording)),
        For::People => Box::new(Plain::new(anstream::stderr(), wording)),
    };
    progress.begin(plan);
    let report =
        apply::run(plan, machine, jobs, interrupt, concealment, &mut |event| progress.on_event(plan, event));
    progress.end(plan, &report);
    report
}

/// How a subcommand ended that carried out a plan.
pub(super) fn exit(plan: &Plan, report: &Report) -> Exit {
    match report {
        report if report.left() > 0 => Exit::Interrupted,
        report if report.failed() > 0 || !plan.blocked.is_empty() => Exit::Failed,
        _ => Exit::Done,
    }
}
