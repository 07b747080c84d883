//! What happens while a plan is applied, in words: a line or a block for each event. Does not know where it is shown.

use super::Wording;
use crate::apply::Cause;
use crate::apply::Diagnosis;
use crate::apply::End;
use crate::apply::Event;
use crate::apply::Failure;
use crate::apply::Report;
use crate::apply::State;
use crate::plan::Plan;
use crate::plan::StepId;
use crate::render::command_line;
use anstream::adapter::strip_str;
use anstyle::AnsiColor;
use anstyle::Style;
use std::borrow::Cow;
use std::fmt::Display;
use std::time::Duration;

const GOOD: Style = AnsiColor::Green.on_default();
const WARN: Style = AnsiColor::Yellow.on_default();
const BAD: Style = AnsiColor::Red.on_default().bold();
const DIM: Style = Style::new().dimmed();

/// A duration for people: `0.11 s`, `4.2 s`, `3 min 5 s`.
pub fn duration(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    if seconds < 0.995 {
        format!("{seconds:.2} s")
    } else if seconds < 59.95 {
        format!("{seconds:.1} s")
    } else {
        let seconds = seconds.round() as u64;
        format!("{} min {} s", seconds / 60, seconds % 60)
    }
}

/// A step's number and what it does, as in ` 3/12 run shop-web`.
pub(super) fn title(plan: &Plan, step: StepId) -> String {
    let total = plan.steps().len().to_string();
    let (number, width) = (step.index() + 1, total.len());
    format!("{number:>width$}/{total} {}", plan.steps()[step.index()].op)
}

/// The lines that tell of `event`, with colours, none ending in a line break. None for what a pull says: that moves.
pub(super) fn lines(plan: &Plan, event: &Event) -> Vec<String> {
    match event {
        Event::Started { step } => vec![format!("  {}", title(plan, *step))],
        Event::Line { .. } => Vec::new(),
        Event::Finished { step, after } => {
            vec![format!("{GOOD}✓{GOOD:#} {} {DIM}· {}{DIM:#}", title(plan, *step), duration(*after))]
        }
        Event::DoneWithout { step, after, cause } => done_without(plan, *step, *after, cause),
        Event::Failed(failure) => failed(plan, failure),
        Event::Undone { step, undo, failure } => undone(plan, *step, *undo, failure.as_ref()),
        Event::Skipped { step, because } => {
            vec![format!("- {}: skipped, as it needs step {}", title(plan, *step), because.index() + 1)]
        }
        Event::Interrupted { running: 0 } => vec!["stopping: nothing more is started".to_owned()],
        Event::Interrupted { running } => vec![format!(
            "stopping: {} finished, nothing more is started; once more Ctrl-C ends it at once",
            match running {
                1 => "the step that runs is".to_owned(),
                _ => format!("the {running} steps that run are"),
            }
        )],
    }
}

fn done_without(plan: &Plan, step: StepId, after: Duration, cause: &Cause) -> Vec<String> {
    let title = title(plan, step);
    let mut lines = vec![format!(
        "{WARN}! {title}: not done{WARN:#} after {}, the rest goes on without",
        duration(after)
    )];
    lines.extend(what(cause));
    lines.push(command(cause));
    lines
}

fn failed(plan: &Plan, failure: &Failure) -> Vec<String> {
    let Failure { step, after, cause, hint, diagnosis, undoes: _ } = failure;
    let mut lines = vec![format!("{BAD}✗ {}: failed{BAD:#} after {}", title(plan, *step), duration(*after))];
    lines.extend(what(cause));
    lines.extend(diagnosis.iter().flat_map(what_became));
    lines.extend(hint.iter().map(|hint| format!("    hint: {hint}")));
    lines.push(command(cause));
    lines
}

/// The command that failed. It comes last, as some are long.
fn command(cause: &Cause) -> String {
    format!("    {DIM}command:{DIM:#} {}", command_line(cause.argv()))
}

/// What went wrong.
fn what(cause: &Cause) -> Vec<String> {
    match cause {
        Cause::Call { end, stderr, .. } => {
            let mut lines = vec![format!("    {}", ended(end))];
            lines.extend(quoted(without_advertisement(stderr)));
            lines
        }
        Cause::Hopeless { answer, .. } => vec![format!("    docker answered: {answer}")],
        Cause::TooLate { limit, answer, .. } => {
            vec![format!("    not ready after {}; the last answer: {answer}", duration(*limit))]
        }
        Cause::UnknownVolumes { image, paths, .. } => vec![format!(
            "    {image} declares {}, which this plan would lose with the container",
            paths.iter().map(|path| format!("VOLUME {path}")).collect::<Vec<_>>().join(", ")
        )],
    }
}

fn ended(end: &End) -> String {
    match end {
        End::TimedOut(limit) => format!("no end after {}, so it was ended", duration(*limit)),
        End::Status(_) | End::Signal(_) | End::TooMuch(_) | End::NotStarted(_) => end.to_string(),
    }
}

fn what_became(diagnosis: &Diagnosis) -> Vec<String> {
    let Diagnosis { container, status, exit_status, out_of_memory, error, health, log } = diagnosis;
    let mut state = match exit_status {
        Some(exit_status) if status == "exited" => {
            format!("    {container} exited with status {exit_status}")
        }
        Some(exit_status) => {
            format!("    {container} is {status}, and exited with status {exit_status} before")
        }
        None => format!("    {container} is {status}"),
    };
    if *out_of_memory {
        state.push_str(", out of memory");
    }
    let mut lines = vec![state];
    if !error.is_empty() {
        lines.push(format!("    docker says: {error}"));
    }
    if !health.is_empty() {
        lines.push("    its health check said:".to_owned());
        lines.extend(quoted(health.lines()));
    }
    if log.is_empty() {
        lines.push("    its log is empty".to_owned());
    } else {
        lines.push("    the end of its log:".to_owned());
        lines.extend(quoted(log.iter().map(String::as_str)));
    }
    lines
}

fn undone(plan: &Plan, step: StepId, undo: usize, failure: Option<&Cause>) -> Vec<String> {
    let op = &plan.steps()[step.index()].undo[undo];
    let number = step.index() + 1;
    match failure {
        None => vec![format!("    undoing step {number}: {op}: done")],
        Some(cause) => {
            let mut lines = vec![format!("    undoing step {number}: {op}: {BAD}failed{BAD:#}")];
            lines.extend(what(cause).into_iter().map(|line| format!("    {line}")));
            lines
        }
    }
}

/// The end of it all: what was done, and what to do next.
pub(super) fn summary(plan: &Plan, report: &Report, wording: &Wording) -> Vec<String> {
    let took = duration(report.took);
    let total = plan.steps().len();
    if report.is_complete() && plan.blocked.is_empty() {
        return vec![format!("{GOOD}{}{GOOD:#}: {} in {took}", wording.done, count(total, "step"))];
    }
    let mut parts = vec![format!("{} of {} in {took}", report.done(), count(total, "step"))];
    for (number, what) in [
        (report.failed(), "failed"),
        (report.skipped(), "skipped"),
        (report.left(), "left"),
        (plan.blocked.len(), "left out"),
    ] {
        if number > 0 {
            parts.push(format!("{number} {what}"));
        }
    }
    let mut lines = vec![format!("{BAD}{}{BAD:#}: {}", wording.done, parts.join(", "))];
    for (state, what) in [(State::Failed, "failed"), (State::Waiting, "left")] {
        let of = plan.steps().iter().filter(|step| report.states[step.id.index()] == state);
        let titles: Vec<String> = of.map(|step| step.op.to_string()).collect();
        if !titles.is_empty() {
            lines.push(format!("  {what}: {}", titles.join(", ")));
        }
    }
    if !plan.blocked.is_empty() {
        let names: Vec<&str> = plan.blocked.iter().map(|blocked| blocked.container.as_str()).collect();
        lines.push(format!("  left out: {}", names.join(", ")));
    }
    let first = if report.failed() > 0 || !plan.blocked.is_empty() { "mend what failed, then " } else { "" };
    lines.extend(wording.next.iter().map(|next| format!("next: {first}{next}")));
    lines
}

/// A number of things, as in `1 step` or `2 steps`.
pub fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

fn quoted<'a>(lines: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    lines.into_iter().map(|line| format!("    {DIM}│{DIM:#} {}", visible(&cut(line)))).collect()
}

/// A line as long as people can read it.
pub(super) fn cut(line: &str) -> Cow<'_, str> {
    const LONGEST: usize = 2000;
    match line.char_indices().nth(LONGEST) {
        None => line.into(),
        Some((end, _)) => {
            let more = line[end..].chars().count();
            format!("{}… and {more} characters more", &line[..end]).into()
        }
    }
}

/// Without the signs that would move the cursor or colour the terminal: logs hold anything.
fn visible(line: &str) -> impl Display {
    strip_str(line).to_string().chars().filter(|c| !c.is_control() || *c == '\t').collect::<String>()
}

/// What docker wrote, without the pointer to its manual.
fn without_advertisement(stderr: &str) -> impl Iterator<Item = &str> {
    let is_pointer = |line: &&str| {
        line.trim().is_empty() || line.starts_with("Run 'docker ") || line.starts_with("See 'docker ")
    };
    stderr.lines().filter(move |line| !is_pointer(line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_nobody_reads_is_cut() {
        assert_eq!(cut(&"ä".repeat(2000)), "ä".repeat(2000));
        assert_eq!(cut(&"ä".repeat(300_000)), format!("{}… and 298000 characters more", "ä".repeat(2000)));
    }
}
