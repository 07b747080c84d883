//! From a plan to a host that is as planned: show, ask, lock, look again, run, sum up. Does not know what the plan is
//! for.

use super::Exit;
use super::Trouble;
use super::cli::Running;
use super::host::Host;
use super::shown;
use super::shown::For;
use crate::docker::Observed;
use crate::plan::Plan;
use crate::render;
use crate::sys::progress::Wording;
use crate::sys::terminal;
use std::sync::atomic::AtomicBool;

/// What is to be carried out.
pub(super) struct Work<'a> {
    /// The plan for a host as it is.
    pub(super) plan: &'a dyn Fn(&Observed) -> Result<Plan, Trouble>,
    /// The question before it is carried out.
    pub(super) question: &'a str,
    /// How its beginning and its end are worded.
    pub(super) wording: Wording,
}

/// Carries out what is planned for the host, of which `seen` was read just now.
///
/// With nothing to do, nothing more is asked of docker and no lock is taken. Else the person is asked before the lock is
/// taken, and again when the plan has changed by then.
///
/// # Errors
/// When the person says no or cannot be asked, somebody else works on the project, or docker does not answer.
pub(super) fn carry_out(
    host: &Host,
    running: &Running,
    interrupt: &AtomicBool,
    work: Work<'_>,
    seen: &Observed,
) -> Result<Exit, Trouble> {
    let mut plan = (work.plan)(seen)?;
    show(host, &plan);
    if plan.is_empty() {
        return Ok(nothing_to_do(&plan));
    }
    agree(running, work.question)?;
    loop {
        let seen = host.read()?;
        let now = (work.plan)(&seen)?;
        let is_as_shown = now == plan;
        plan = now;
        if !is_as_shown {
            anstream::eprintln!("this host has changed meanwhile; what is to do now:\n");
            show(host, &plan);
        }
        if plan.is_empty() {
            return Ok(nothing_to_do(&plan));
        }
        if is_as_shown || running.yes {
            expect(&plan, &seen)?;
            break;
        }
        agree(running, work.question)?;
    }
    let shown_to = if running.json { For::Machines } else { For::People };
    let report = shown::run(&plan, &host.docker, running.jobs, interrupt, shown_to, work.wording);
    Ok(shown::exit(&plan, &report))
}

/// Shows a plan to a person.
fn show(host: &Host, plan: &Plan) {
    anstream::eprint!("{}", render::text::render(plan, host.docker.cli(), None));
    if !plan.is_empty() {
        anstream::eprintln!();
    }
}

/// How it ends when nothing is to do: what is left out is no success.
fn nothing_to_do(plan: &Plan) -> Exit {
    if plan.blocked.is_empty() { Exit::Done } else { Exit::Failed }
}

fn agree(running: &Running, question: &str) -> Result<(), Trouble> {
    if running.yes {
        return Ok(());
    }
    if !terminal::can_ask() {
        return Err(Trouble::wrong("nobody can be asked: this is no terminal")
            .hint("`--yes` does it without asking".to_owned()));
    }
    match terminal::ask(question) {
        Ok(true) => Ok(()),
        Ok(false) => Err(Trouble::failed("nothing was done")),
        Err(e) => Err(Trouble::failed(format!("the terminal cannot be read: {e}"))),
    }
}

/// Asks what the plan takes for granted of the host.
fn expect(plan: &Plan, host: &Observed) -> Result<(), Trouble> {
    let broken = plan.expects.iter().filter(|expect| !expect.any.iter().any(|fact| fact.holds(host)));
    let troubles = broken.map(|expect| Trouble::failed(&expect.otherwise));
    troubles.reduce(Trouble::and).map_or(Ok(()), Err)
}
