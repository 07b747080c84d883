//! `gordon check`: reads the config and tells of every problem at once. Asks no docker.

use super::Exit;
use super::Trouble;
use super::cli::Global;
use super::project::Project;
use std::collections::BTreeMap;

/// `gordon check`.
pub(super) fn check(global: &Global) -> Result<Exit, Trouble> {
    let project = Project::load(global)?;
    let desired = project.desired(BTreeMap::new())?;
    let containers: u32 = desired.workloads.iter().map(|workload| workload.replicas).sum();
    let networks = desired.networks.len();
    anstream::eprintln!(
        "{}: project `{}`, {containers} containers, {networks} networks",
        project.path,
        desired.project
    );
    Ok(Exit::Done)
}
