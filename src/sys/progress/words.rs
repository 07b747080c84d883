//! What happens while a plan is applied, in words: a line or a block for each event. Does not know where it is shown.

use super::Wording;
use crate::apply::Cause;
use crate::apply::Diagnosis;
use crate::apply::End;
use crate::apply::Event;
use crate::apply::Failure;
use crate::apply::Report;
use crate::apply::State;
use crate::docker::Await;
use crate::docker::Op;
use crate::plan::Plan;
use crate::plan::StepId;
use crate::render::Text;
use crate::render::command_line;
use crate::render::duration;
use anstyle::AnsiColor;
use anstyle::Style;
use std::borrow::Cow;
use std::time::Duration;

const GOOD: Style = AnsiColor::Green.on_default();
const WARN: Style = AnsiColor::Yellow.on_default();
const BAD: Style = AnsiColor::Red.on_default().bold();
const DIM: Style = Style::new().dimmed();

/// A step's number and what it does, as in ` 3/12 run shop-web`.
pub(super) fn title(plan: &Plan, step: StepId) -> String {
    let total = plan.steps().len().to_string();
    let (number, width) = (step.index() + 1, total.len());
    format!("{number:>width$}/{total} {}", plan.steps()[step.index()].op)
}

/// The lines that tell of `event`. None for a step that begins, nor for what a pull says: those move.
pub(super) fn lines(plan: &Plan, event: &Event) -> Vec<Text> {
    match event {
        Event::Started { .. } | Event::Line { .. } => Vec::new(),
        Event::Finished { step, after } => {
            let mut line = Text::default();
            line.styled(GOOD, "✓").add(format_args!(" {} ", title(plan, *step)));
            line.styled(DIM, format_args!("· {}", duration(*after)));
            vec![line]
        }
        Event::DoneWithout { step, after, cause } => done_without(plan, *step, *after, cause),
        Event::Failed(failure) => failed(plan, failure),
        Event::Undone { step, undo, failure } => undone(plan, *step, *undo, failure.as_ref()),
        Event::Skipped { step, because } => {
            let because = because.index() + 1;
            vec![Text::of(format_args!("- {}: skipped, as it needs step {because}", title(plan, *step)))]
        }
        Event::Interrupted { running: 0 } => vec![Text::of("stopping: nothing more is started")],
        Event::Interrupted { running } => vec![Text::of(format_args!(
            "stopping: {} finished, nothing more is started; once more Ctrl-C ends it at once",
            match running {
                1 => "the step that runs is".to_owned(),
                _ => format!("the {running} steps that run are"),
            }
        ))],
    }
}

fn done_without(plan: &Plan, step: StepId, after: Duration, cause: &Cause) -> Vec<Text> {
    let mut line = Text::default();
    line.styled(WARN, format_args!("! {}: not done", title(plan, step)));
    line.add(format_args!(" after {}, the rest goes on without", duration(after)));
    [vec![line], what(cause), command(cause)].concat()
}

fn failed(plan: &Plan, failure: &Failure) -> Vec<Text> {
    let Failure { step, after, cause, hint, diagnosis, undoes: _ } = failure;
    let mut line = Text::default();
    line.styled(BAD, format_args!("✗ {}: failed", title(plan, *step)));
    line.add(format_args!(" after {}", duration(*after)));
    let mut lines = vec![line];
    // what docker answered about a container is a part of what became of it
    match (cause, &plan.steps()[step.index()].op) {
        (Cause::TooLate { limit, .. }, Op::Await(Await::Ends { .. })) => {
            let limit = duration(*limit);
            lines.push(Text::of(format_args!("    it did not end within {limit}, so it is stopped")));
        }
        (Cause::Hopeless { .. }, _) if diagnosis.is_some() => {}
        _ => lines.extend(what(cause)),
    }
    lines.extend(diagnosis.iter().flat_map(what_became));
    lines.extend(hint.iter().map(|hint| Text::of(format_args!("    hint: {hint}"))));
    lines.extend(command(cause));
    lines
}

/// The command that failed. It comes last, as some are long.
fn command(cause: &Cause) -> Vec<Text> {
    let command = command_line(cause.argv());
    let mut lines = command.lines();
    let mut first = Text::of("    ");
    first.styled(DIM, "command:").add(" ").add(lines.next().unwrap_or_default());
    std::iter::once(first).chain(lines.map(Text::of)).collect()
}

/// What went wrong.
fn what(cause: &Cause) -> Vec<Text> {
    match cause {
        Cause::Call { end, stderr, .. } => {
            let mut lines = vec![Text::of(format_args!("    {}", ended(end)))];
            lines.extend(quoted(without_advertisement(stderr)));
            lines
        }
        Cause::Hopeless { answer, .. } => vec![Text::of(format_args!("    docker answered: {answer}"))],
        Cause::TooLate { limit, answer, .. } => {
            let limit = duration(*limit);
            vec![Text::of(format_args!("    not ready after {limit}; the last answer: {answer}"))]
        }
        Cause::UnknownVolumes { image, paths, .. } => vec![Text::of(format_args!(
            "    {image} declares {}, which this plan would lose with the container",
            paths.iter().map(|path| format!("VOLUME {path}")).collect::<Vec<_>>().join(", ")
        ))],
    }
}

fn ended(end: &End) -> String {
    match end {
        End::TimedOut(limit) => format!("no end after {}, so it was ended", duration(*limit)),
        End::Status(_) | End::Signal(_) | End::TooMuch(_) | End::NotStarted(_) => end.to_string(),
    }
}

fn what_became(diagnosis: &Diagnosis) -> Vec<Text> {
    let Diagnosis { container, status, exit_status, restarts, out_of_memory, error, health, log } = diagnosis;
    let mut state = Text::of(format_args!("    {container} "));
    match exit_status {
        Some(exit_status) if status == "exited" => {
            state.add(format_args!("exited with status {exit_status}"))
        }
        Some(exit_status) => {
            state.add(format_args!("is {status}, and exited with status {exit_status} before"))
        }
        None => state.add(format_args!("is {status}")),
    };
    match restarts {
        0 => {}
        1 => drop(state.add(", after 1 restart")),
        many => drop(state.add(format_args!(", after {many} restarts"))),
    }
    if *out_of_memory {
        state.add(", out of memory");
    }
    let mut lines = vec![state];
    if !error.is_empty() {
        lines.push(Text::of(format_args!("    docker says: {error}")));
    }
    if !health.is_empty() {
        lines.push(Text::of("    its health check said:"));
        lines.extend(quoted(health.lines()));
    }
    if log.is_empty() {
        lines.push(Text::of("    its log is empty"));
    } else {
        lines.push(Text::of("    the end of its log:"));
        lines.extend(quoted(log.iter().map(String::as_str)));
    }
    lines
}

fn undone(plan: &Plan, step: StepId, undo: usize, failure: Option<&Cause>) -> Vec<Text> {
    let op = &plan.steps()[step.index()].undo[undo];
    let mut line = Text::of(format_args!("    undoing step {}: {op}: ", step.index() + 1));
    let Some(cause) = failure else {
        line.add("done");
        return vec![line];
    };
    line.styled(BAD, "failed");
    let mut lines = vec![line];
    for line in what(cause) {
        let mut indented = Text::of("    ");
        indented.append(&line);
        lines.push(indented);
    }
    lines
}

/// The end of it all: what was done, and what to do next.
pub(super) fn summary(plan: &Plan, report: &Report, wording: &Wording) -> Vec<Text> {
    let took = duration(report.took);
    let total = plan.steps().len();
    let mut first = Text::default();
    if report.is_complete() && plan.blocked.is_empty() {
        first.styled(GOOD, wording.done).add(format_args!(": {} in {took}", count(total, "step")));
        return vec![first];
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
    first.styled(BAD, wording.done).add(format_args!(": {}", parts.join(", ")));
    let mut lines = vec![first];
    for (state, what) in [(State::Failed, "failed"), (State::Waiting, "left")] {
        let of = plan.steps().iter().filter(|step| report.states[step.id.index()] == state);
        let titles: Vec<String> = of.map(|step| step.op.to_string()).collect();
        if !titles.is_empty() {
            lines.push(Text::of(format_args!("  {what}: {}", titles.join(", "))));
        }
    }
    if !plan.blocked.is_empty() {
        let names: Vec<&str> = plan.blocked.iter().map(|blocked| blocked.container.as_str()).collect();
        lines.push(Text::of(format_args!("  left out: {}", names.join(", "))));
    }
    let first = if report.failed() > 0 || !plan.blocked.is_empty() { "mend what failed, then " } else { "" };
    lines.extend(wording.next.iter().map(|next| Text::of(format_args!("next: {first}{next}"))));
    lines
}

/// A number of things, as in `1 step` or `2 steps`.
pub fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

fn quoted<'a>(lines: impl IntoIterator<Item = &'a str>) -> Vec<Text> {
    let quote = |line| {
        let mut quoted = Text::of("    ");
        quoted.styled(DIM, "│").add(" ").add(cut(line));
        quoted
    };
    lines.into_iter().map(quote).collect()
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
    fn a_line_that_is_longer_than_a_screen_is_cut() {
        assert_eq!(cut(&"ä".repeat(2000)), "ä".repeat(2000));
        assert_eq!(cut(&"ä".repeat(300_000)), format!("{}… and 298000 characters more", "ä".repeat(2000)));
    }
}
