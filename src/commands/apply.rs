//! `gordon apply`: pulls what is missing, then carries out the plan that brings the host to the config.

use super::CommandError;
use super::Exit;
use super::carry_out::Work;
use super::carry_out::carry_out;
use super::cli;
use super::cli::Global;
use super::host::Host;
use super::host::Pulled;
use super::project::Project;
use super::saved::Saved;
use super::shown;
use super::shown::For;
use crate::config::Severity;
use crate::docker::Observed;
use crate::spec::Pull;
use crate::sys::progress::Wording;

/// `gordon apply`.
pub(super) fn apply(global: &Global, said: &cli::Apply) -> Result<Exit, CommandError> {
    let mut project = Project::load(global)?;
    one_machine(&project)?;
    project.find_secrets()?;
    let mut host = Host::find(global, &project)?;
    project.mounts_on(&host.docker.engine(), Severity::Error)?;
    let interrupt = shown::interrupt()?;
    let mut seen = host.read()?;
    let saved = said.plan.as_deref().map(Saved::load).transpose()?;
    let options = saved.as_ref().map_or_else(|| said.replacing.options(), Saved::options);
    if saved.is_none() {
        let mut desired = project.desired.clone();
        if said.pull {
            desired.pull = Pull::Always;
        }
        let shown_to = if said.running.json { For::Machines } else { For::People };
        if host.pull(&desired, &seen, said.running.jobs, &interrupt, shown_to)? == Pulled::Something {
            seen = host.read()?;
        }
    }
    let next = match &saved {
        None => "run this again: it does what is left",
        Some(_) => "make a new plan with `gordon plan`: it holds what is left",
    };
    let work = Work {
        plan: &|seen: &Observed| {
            let plan = host.plan(&project, seen, &options)?;
            match &saved {
                Some(saved) if !plan.is_empty() => saved.expect(&plan, host.docker.cli(), &project.folder)?,
                _ => {}
            }
            Ok(plan)
        },
        question: "apply this plan?",
        wording: Wording { stage: "apply", done: "applied", next: Some(next.to_owned()) },
        serves: Some(&project.desired),
    };
    carry_out(&host, &said.running, &interrupt, &work, &seen)
}

/// A config that names several machines is not for this one alone.
fn one_machine(project: &Project) -> Result<(), CommandError> {
    match &project.config.servers[..] {
        [] | [_] => Ok(()),
        servers => {
            let names: Vec<String> = servers.iter().map(|server| format!("`{}`", server.get_ref())).collect();
            Err(CommandError::wrong(format!("the config is for several machines: {}", names.join(", ")))
                .hint("gordon works on the machine that docker is on: make a config for each".to_owned()))
        }
    }
}
