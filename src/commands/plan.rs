//! `gordon plan`: shows what would bring the host to the config, and changes nothing.

use super::CommandError;
use super::Exit;
use super::cli;
use super::cli::Format;
use super::cli::Global;
use super::explain::explain;
use super::host::Host;
use super::host::Pulled;
use super::output;
use super::project::Project;
use super::saved::Saved;
use super::shown;
use super::shown::For;
use super::shown::JOBS;
use crate::config::Severity;
use crate::docker::Cli;
use crate::plan::Options;
use crate::plan::Plan;
use crate::render;
use crate::sys::files;
use std::mem;
use std::path::Path;

/// `gordon plan`.
pub(super) fn plan(global: &Global, said: &cli::Plan) -> Result<Exit, CommandError> {
    if said.explain {
        return explain(global);
    }
    let options = Options { offline: said.offline, ..said.replacing.options() };
    let (project, plan) =
        if said.offline { offline(global, said, &options)? } else { online(global, said, &options)? };
    if let Some(path) = &said.out {
        let saved = Saved::of(&plan, &options, &global.cli(), &project.folder);
        files::write(path, &saved.text())?;
    }
    write(&plan, said, &global.cli(), &project.folder)?;
    let exit = match (&plan, said.exit_code) {
        (plan, _) if !plan.blocked.is_empty() => Exit::Failed,
        (plan, true) if !plan.is_empty() => Exit::Changes,
        _ => Exit::Done,
    };
    // the process ends here: to give a large plan back piece by piece takes a tenth of the time that making it took
    mem::forget((project, plan));
    Ok(exit)
}

/// The plan for an empty host, where images declare what the file says that the person names.
fn offline(global: &Global, said: &cli::Plan, options: &Options) -> Result<(Project, Plan), CommandError> {
    let project = Project::load_offline(global, said.images.as_deref())?;
    let plan = project.plan_offline(options)?;
    Ok((project, plan))
}

/// The plan for the host that docker talks to.
fn online(global: &Global, said: &cli::Plan, options: &Options) -> Result<(Project, Plan), CommandError> {
    let mut project = Project::load(global)?;
    project.find_secrets()?;
    let mut host = Host::find(global, &project)?;
    // a script mounts what lies beside it where it runs
    project.mounts_on(&host.docker.engine(), Severity::Warning)?;
    let mut seen = host.read()?;
    if said.pull {
        let interrupt = shown::interrupt()?;
        if host.pull(&project.desired, &seen, JOBS, &interrupt, For::People)? == Pulled::Something {
            seen = host.read()?;
        }
    }
    host.warn_of_another_run(&project.config.project(), &seen);
    let plan = host.plan(&project, &seen, options)?;
    Ok((project, plan))
}

fn write(plan: &Plan, said: &cli::Plan, cli: &Cli, folder: &Path) -> Result<(), CommandError> {
    match said.format {
        Format::Text if said.summary => {
            output::text(&render::text::overview(plan, cli, next(plan, said).as_deref()))
        }
        Format::Text if said.verbose => {
            output::text(&render::text::verbose(plan, cli, next(plan, said).as_deref()))
        }
        Format::Text => output::text(&render::text::render(plan, cli, next(plan, said).as_deref())),
        Format::Sh => output::data(&render::sh::render(plan, cli)),
        Format::Json => output::with(|out| render::json::write(plan, cli, folder, out)),
    }
}

/// What the person can do with the plan.
fn next(plan: &Plan, said: &cli::Plan) -> Option<String> {
    if plan.is_empty() {
        return None;
    }
    Some(match &said.out {
        Some(path) => format!("`gordon apply {}` carries out this plan or nothing", path.display()),
        None if said.offline => "`--format sh` writes it as a script".to_owned(),
        None => "`gordon apply` carries it out".to_owned(),
    })
}
