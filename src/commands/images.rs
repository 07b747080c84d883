//! `gordon images`: writes what the images of the config declare, for plans without a host.

use super::CommandError;
use super::Exit;
use super::cli;
use super::cli::Global;
use super::host::Host;
use super::host::Pulled;
use super::output;
use super::project::Project;
use super::shown;
use super::shown::For;
use super::shown::JOBS;
use crate::docker::ImageList;
use std::collections::BTreeSet;

/// `gordon images`.
pub(super) fn images(global: &Global, said: &cli::Images) -> Result<Exit, CommandError> {
    let project = Project::load(global)?;
    let mut host = Host::find(global, &project)?;
    let mut seen = host.read()?;
    let desired = &project.desired;
    if said.pull {
        let interrupt = shown::interrupt()?;
        if host.pull(desired, &seen, JOBS, &interrupt, For::People)? == Pulled::Something {
            seen = host.read()?;
        }
    }
    let facts = seen.images.facts();
    let missing = desired.workloads.iter().map(|workload| &workload.image);
    let missing = missing.filter(|image| !facts.contains_key(image)).collect::<BTreeSet<_>>();
    let troubles =
        missing.into_iter().map(|image| CommandError::failed(format!("image {image} is not on this host")));
    match troubles.reduce(CommandError::and) {
        Some(trouble) if said.pull => Err(trouble),
        Some(trouble) => Err(trouble.hint("`--pull` pulls what is missing first".to_owned())),
        None => output::data(&ImageList(facts).print()).map(|()| Exit::Done),
    }
}
