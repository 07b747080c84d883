//! `gordon routes`: shows the app of each host, as a config of the proxy that people run. Changes nothing.

use super::CommandError;
use super::Exit;
use super::cli;
use super::cli::Global;
use super::cli::RoutesFormat;
use super::error::warn;
use super::host::Host;
use super::output;
use super::project::Project;
use crate::desired::Desired;
use crate::desired::Note;
use crate::name::Container;
use crate::plan::Routing;
use crate::render::routes;
use crate::spec::Role;
use crate::sys::terminal::say_line;
use std::collections::BTreeSet;

/// `gordon routes`.
pub(super) fn routes(global: &Global, said: &cli::Routes) -> Result<Exit, CommandError> {
    let project = Project::load_offline(global, said.images.as_deref())?;
    let is_known = assumed(&project.desired).next().is_none();
    let desired = if said.offline || is_known { project.desired } else { on_the_host(global, &project)? };
    report(&desired);
    let routing = Routing::of(&desired);
    match said.format {
        RoutesFormat::Yaml => output::data(&routes::yaml(&routing)),
        RoutesFormat::Json => output::with(|out| routes::json(&routing, out)),
        RoutesFormat::Caddy => output::data(&routes::caddy(&routing)),
        RoutesFormat::Nginx => output::data(&routes::nginx(&routing)),
        RoutesFormat::Traefik => output::data(&routes::traefik(&routing)),
    }?;
    Ok(Exit::Done)
}

/// What the config asks for, where images say what they EXPOSE.
fn on_the_host(global: &Global, project: &Project) -> Result<Desired, CommandError> {
    let seen = Host::find(global, project)?.read()?;
    project.desired_on(&seen)
}

/// The notes on ports of routes that are taken for granted.
fn assumed(desired: &Desired) -> impl Iterator<Item = &Note> {
    let apps: BTreeSet<Container> =
        desired.routes.iter().map(|route| route.container(Role::Serving, 1)).collect();
    desired.notes.iter().filter(move |note| match note {
        Note::PortAssumed { containers, .. } => containers.iter().any(|container| apps.contains(container)),
        Note::ImageUnknown { .. }
        | Note::NotWatched(_)
        | Note::AskedBeside { .. }
        | Note::AliasLeftOut { .. } => false,
    })
}

/// What the person should know of what is shown.
fn report(desired: &Desired) {
    if desired.routes.is_empty() {
        say_line(format_args!("{}: the config has no routes", desired.project));
    }
    for note in assumed(desired) {
        warn(&note.to_string(), "`port` says it");
    }
    for route in desired.routes.iter().filter(|route| route.networks.is_empty()) {
        warn(
            &format!("{} is on docker's default bridge, where containers have no names", route.name()),
            "`network_isolation.scope = \"all\"` gives it a network, and so does an attachment or a group",
        );
    }
}
