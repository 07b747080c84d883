//! `gordon check`: reads the config and tells of every problem at once. Asks no docker.

use super::CommandError;
use super::Exit;
use super::cli::Global;
use super::project::Project;
use crate::sys::progress::count;
use crate::sys::terminal::say_line;

/// `gordon check`.
pub(super) fn check(global: &Global) -> Result<Exit, CommandError> {
    let project = Project::check(global)?;
    let desired = &project.desired;
    let containers = desired.workloads.iter().map(|workload| workload.replicas as usize).sum();
    say_line(format_args!(
        "{}: project `{}`, {}, {}",
        project.path,
        desired.project,
        count(containers, "container"),
        count(desired.networks.len(), "network")
    ));
    Ok(Exit::Done)
}
