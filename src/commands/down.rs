//! `gordon down`: removes what the project has on the host.

use super::CommandError;
use super::Exit;
use super::carry_out::Work;
use super::carry_out::carry_out;
use super::cli;
use super::cli::Global;
use super::host::Host;
use super::project::Project;
use super::shown;
use crate::docker::Observed;
use crate::plan;
use crate::plan::Volumes;
use crate::sys::progress::Wording;

/// `gordon down`.
pub(super) fn down(global: &Global, said: &cli::Down) -> Result<Exit, CommandError> {
    let project = Project::load(global)?;
    let host = Host::find(global, &project)?;
    let interrupt = shown::interrupt()?;
    let seen = host.read()?;
    let (name, stop_timeout) = (project.config.project(), project.config.deploy.stop_timeout);
    let volumes = if said.volumes { Volumes::Remove } else { Volumes::Keep };
    let question = match volumes {
        Volumes::Keep => "remove all this?",
        Volumes::Remove => "remove all this, with the data in the volumes?",
    };
    let next = Some("run this again: it removes what is left".to_owned());
    let work = Work {
        plan: &|seen: &Observed| {
            Ok(plan::down(&name, stop_timeout, seen, volumes, &project.desired.external))
        },
        question,
        wording: Wording { stage: "down", done: "removed", next },
        serves: None,
    };
    carry_out(&host, &said.running, &interrupt, &work, &seen)
}
