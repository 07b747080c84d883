//! `gordon status`: shows what the project has on the host, and how that differs from its config. Changes nothing.

use super::CommandError;
use super::Exit;
use super::cli;
use super::cli::Global;
use super::error::warn;
use super::host::Host;
use super::output;
use super::project::Project;
use crate::docker::volume_sizes;
use crate::plan;
use crate::plan::Options;
use crate::render;
use crate::sys::clock;
use std::collections::BTreeSet;
use std::time::Duration;

/// How long docker may add up the sizes of volumes: a status does without them sooner than it waits.
const SIZES_TIMEOUT: Duration = Duration::from_secs(3);

/// `gordon status`.
pub(super) fn status(global: &Global, said: &cli::Status) -> Result<Exit, CommandError> {
    let mut project = Project::load(global)?;
    let unknown_secrets = project.look_for_secrets(false).unwrap_or_else(|error| {
        warn(&format!("{error}; whether secrets have changed is not known"), &error.hint());
        BTreeSet::new()
    });
    let host = Host::find(global, &project)?;
    let seen = host.read()?;
    host.warn_of_another_run(&project.config.project(), &seen);
    let desired = project.desired_on(&seen)?;
    let planned = plan::diff(&desired, &seen, &Options::default());
    let drift = planned.as_ref().map_err(Vec::as_slice);
    let mut status = plan::status(&desired, &seen, &unknown_secrets, drift);
    if !status.unmounted.is_empty() {
        let answer = host.docker.ask_briefly(&volume_sizes::question(), SIZES_TIMEOUT);
        let sizes = volume_sizes::parse(&answer.unwrap_or_default());
        for (volume, size) in &mut status.unmounted {
            *size = sizes.get(volume.as_str()).cloned();
        }
    }
    let now = clock::now();
    if said.json {
        output::with(|out| render::status::json(&status, now, out))?;
    } else {
        output::text(&render::status::text(&status, now))?;
    }
    Ok(if status.serves() { Exit::Done } else { Exit::Failed })
}
