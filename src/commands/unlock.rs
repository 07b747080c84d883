//! `gordon unlock`: removes the lock of a run, which may have been cut off: that of the project, or that of
//! the proxy.

use super::CommandError;
use super::Exit;
use super::carry_out::ask;
use super::cli;
use super::cli::Global;
use super::host::Host;
use super::project::Project;
use crate::sys::lock;
use crate::sys::lock::Subject;
use crate::sys::terminal::say_line;

/// `gordon unlock`.
pub(super) fn unlock(global: &Global, said: &cli::Unlock) -> Result<Exit, CommandError> {
    let project = Project::load(global)?;
    let host = Host::find(global, &project)?;
    let subject = if said.proxy { Subject::Proxy } else { Subject::Project(project.config.project()) };
    if !said.yes
        && let Some(holder) = lock::look(&host.docker, &subject)?
    {
        ask(&format!("take the lock of {subject} away from {holder}?"), &|| false)?;
    }
    match lock::unlock(&host.docker, &subject)? {
        Some(holder) => say_line(format_args!("the lock of {subject} is taken away from {holder}")),
        None => say_line(format_args!("the lock of {subject} is free")),
    }
    Ok(Exit::Done)
}
