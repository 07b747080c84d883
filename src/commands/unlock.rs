//! `gordon unlock`: takes the lock of the project away from whoever holds it, or held it when he was cut off.

use super::Exit;
use super::Trouble;
use super::carry_out::ask;
use super::cli;
use super::cli::Global;
use super::host::Host;
use super::project::Project;
use crate::sys::lock;
use crate::sys::terminal::say;

/// `gordon unlock`.
pub(super) fn unlock(global: &Global, said: &cli::Unlock) -> Result<Exit, Trouble> {
    let project = Project::load(global)?;
    let host = Host::find(global, &project)?;
    let name = project.config.project();
    if !said.yes
        && let Some(holder) = lock::look(&host.docker, &name)?
    {
        ask(&format!("take the lock of project `{name}` away from {holder}?"), &|| false)?;
    }
    match lock::unlock(&host.docker, &name)? {
        Some(holder) => say(format_args!("the lock of project `{name}` is taken away from {holder}\n")),
        None => say(format_args!("nobody holds the lock of project `{name}`\n")),
    }
    Ok(Exit::Done)
}
