//! Finds out what became of a container that did not become ready, before anything is undone. Does not know why it was
//! waited for.

use super::Diagnosis;
use super::Machine;
use crate::docker::Command;
use crate::name::Container;
use serde::Deserialize;
use std::time::Duration;

/// How many lines of a container's log are shown.
const LOG_LINES: &str = "20";
/// The time for one question.
const LIMIT: Duration = Duration::from_secs(30);

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct State {
    status: String,
    #[serde(default)]
    exit_code: i32,
    #[serde(default, rename = "OOMKilled")]
    oom_killed: bool,
    #[serde(default)]
    error: String,
    #[serde(default)]
    finished_at: String,
    #[serde(default)]
    health: Option<Health>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Health {
    #[serde(default)]
    log: Option<Vec<Check>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Check {
    #[serde(default)]
    output: String,
}

/// What became of `container`; `None` when it is gone.
pub(super) fn diagnose(machine: &dyn Machine, container: &Container) -> Option<Diagnosis> {
    let question = Command::new(["container", "inspect", "--format", "{{json .State}}", container.as_str()]);
    let answer = machine.docker(&question, LIMIT, &mut |_| {});
    let state: State = serde_json::from_str(answer.is_success().then_some(answer.stdout.trim())?).ok()?;
    let checks = state.health.and_then(|health| health.log).unwrap_or_default();
    Some(Diagnosis {
        container: container.clone(),
        // a container that never ended has the zero time
        exit_status: (!state.finished_at.starts_with("0001-") && state.status != "running")
            .then_some(state.exit_code),
        status: state.status,
        out_of_memory: state.oom_killed,
        error: state.error,
        health: checks.last().map(|check| check.output.trim().to_owned()).unwrap_or_default(),
        log: log(machine, container),
    })
}

/// The end of the container's log. What it wrote to its two outputs comes on two ways: only the times tell what was
/// first.
fn log(machine: &dyn Machine, container: &Container) -> Vec<String> {
    let question = Command::new(["logs", "--timestamps", "--tail", LOG_LINES, container.as_str()]);
    let mut lines = Vec::new();
    machine.docker(&question, LIMIT, &mut |line| {
        let (time, text) = line.split_once(' ').unwrap_or((line, ""));
        lines.push((time.to_owned(), text.to_owned()));
    });
    lines.sort_by(|a, b| a.0.cmp(&b.0));
    lines.into_iter().map(|(_, text)| text).collect()
}
