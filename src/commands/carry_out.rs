//! From a plan to a host that is as planned: show, ask, lock, look again, run, sum up. Does not know what the plan is
//! for.

use super::CommandError;
use super::Exit;
use super::cli::Running;
use super::error::warn;
use super::host::Host;
use super::served::say_what_is_served;
use super::shown;
use super::shown::For;
use crate::apply::Report;
use crate::desired::Desired;
use crate::docker::Observed;
use crate::plan::Plan;
use crate::render;
use crate::sys::interrupt::Interrupt;
use crate::sys::lock::Subject;
use crate::sys::progress::Wording;
use crate::sys::terminal;
use crate::sys::terminal::Answer;
use crate::sys::terminal::say;
use crate::sys::terminal::say_line;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// How long another gordon is waited for that works on the proxy for another project, without `--wait`.
const OTHERS: Duration = Duration::from_secs(600);

/// What is to be carried out.
pub(super) struct Work<'a> {
    /// The plan for a host as it is.
    pub(super) plan: &'a dyn Fn(&Observed) -> Result<Plan, CommandError>,
    /// The question before it is carried out.
    pub(super) question: &'a str,
    /// How its beginning and its end are worded.
    pub(super) wording: Wording,
    /// What the host is to serve afterwards, where the person would like to know.
    pub(super) serves: Option<&'a Desired>,
}

/// Carries out what is planned for the host, of which `seen` was read just now.
///
/// With nothing to do, nothing more is asked of docker and no lock is taken. Else the person is asked before the lock is
/// taken, and again when the plan has changed by then.
///
/// # Errors
/// When the person says no or cannot be asked, another run works on the project, or docker does not answer.
pub(super) fn carry_out(
    host: &Host,
    running: &Running,
    interrupt: &Interrupt,
    work: &Work<'_>,
    seen: &Observed,
) -> Result<Exit, CommandError> {
    let plan = (work.plan)(seen)?;
    expect(&plan, seen)?;
    show(host, &plan);
    if plan.is_empty() {
        return Ok(interrupt.during(|interrupt| run(host, running, interrupt, work, &plan, seen)));
    }
    interrupt.during(|interrupt| agree(running, work.question, &|| interrupt.load(Ordering::Relaxed)))?;
    let exit = interrupt.during(|interrupt| {
        let wait = running.wait.unwrap_or_default();
        let lock = host.lock(&Subject::Project(plan.project.clone()), wait, interrupt)?;
        let done = carry_out_alone(host, running, interrupt, work, plan);
        if let Err(error) = lock.release() {
            warn(&error.to_string(), "the lock is still there: the next gordon of this machine takes it over, `gordon unlock` takes it away");
        }
        done
    })?;
    if let Some(desired) = work.serves.filter(|_| exit == Exit::Done && !running.json) {
        say_what_is_served(host, desired);
    }
    Ok(exit)
}

/// The rest, with the lock: no other gordon changes the host now, but one may have since `shown` was planned.
fn carry_out_alone(
    host: &Host,
    running: &Running,
    interrupt: &AtomicBool,
    work: &Work<'_>,
    shown: Plan,
) -> Result<Exit, CommandError> {
    let mut plan = shown;
    let mut shared = None;
    loop {
        if plan.is_shared() && shared.is_none() {
            let wait = running.wait.unwrap_or(OTHERS);
            shared = Some(host.lock(&Subject::Proxy, wait, interrupt)?);
        }
        let seen = host.read()?;
        let now = (work.plan)(&seen)?;
        let is_as_shown = now == plan;
        plan = now;
        if !is_as_shown {
            say_line("this host has changed since the plan was shown; the plan now:");
            say_line("");
            show(host, &plan);
        }
        let is_locked = !plan.is_shared() || shared.is_some();
        if is_locked && (is_as_shown || running.yes || plan.is_empty()) {
            expect(&plan, &seen)?;
            return Ok(run(host, running, interrupt, work, &plan, &seen));
        }
        if is_as_shown || running.yes {
            continue;
        }
        agree(running, work.question, &|| interrupt.load(Ordering::Relaxed))?;
    }
}

/// Runs a plan for the host, which was read as `seen`, and shows it. One without steps is reported to machines
/// alone: people have seen it.
fn run(
    host: &Host,
    running: &Running,
    interrupt: &AtomicBool,
    work: &Work<'_>,
    plan: &Plan,
    seen: &Observed,
) -> Exit {
    let shown_to = if running.json { For::Machines } else { For::People };
    if plan.is_empty() && shown_to == For::People {
        return shown::exit(plan, &Report::default());
    }
    let (concealment, wording) = (host.concealment(seen), work.wording.clone());
    let report = shown::run(plan, &host.docker, running.jobs, interrupt, &concealment, shown_to, wording);
    shown::exit(plan, &report)
}

/// Shows a person what a plan changes, and at what cost.
fn show(host: &Host, plan: &Plan) {
    say(&render::text::overview(plan, host.docker.cli(), None));
    if !plan.is_empty() {
        say_line("");
    }
}

fn agree(running: &Running, question: &str, is_interrupted: &dyn Fn() -> bool) -> Result<(), CommandError> {
    if running.yes { Ok(()) } else { ask(question, is_interrupted) }
}

/// Asks a person.
///
/// # Errors
/// When the answer is not a yes, or there is no terminal to ask at.
pub(super) fn ask(question: &str, is_interrupted: &dyn Fn() -> bool) -> Result<(), CommandError> {
    if !terminal::can_ask() {
        return Err(CommandError::wrong("this has to be confirmed, and there is no terminal to ask on")
            .hint("`--yes` goes ahead without asking".to_owned()));
    }
    match terminal::ask(question, is_interrupted) {
        Ok(Answer::Yes) => Ok(()),
        Ok(Answer::No) => Err(CommandError::failed("nothing was done")),
        Ok(Answer::Interrupted) => Err(CommandError::reported(Exit::Interrupted)),
        Err(e) => Err(CommandError::failed(format!("the terminal cannot be read: {e}"))),
    }
}

/// Asks what the plan takes for granted of the host.
fn expect(plan: &Plan, host: &Observed) -> Result<(), CommandError> {
    let broken = plan.expects.iter().filter(|expect| !expect.any.iter().any(|fact| fact.holds(host)));
    let troubles = broken.map(|expect| CommandError::failed(&expect.otherwise));
    troubles.reduce(CommandError::and).map_or(Ok(()), Err)
}
