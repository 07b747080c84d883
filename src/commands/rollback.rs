//! `gordon rollback`: brings apps back to the release before, without a pull.

use super::CommandError;
use super::Exit;
use super::carry_out::Work;
use super::carry_out::carry_out;
use super::cli;
use super::cli::Global;
use super::host::Host;
use super::project::Project;
use super::shown;
use crate::config::nearest;
use crate::desired::Desired;
use crate::docker::Observed;
use crate::spec::Kind;
use crate::spec::Naming;
use crate::sys::progress::Wording;

/// `gordon rollback`.
pub(super) fn rollback(global: &Global, said: &cli::Rollback) -> Result<Exit, CommandError> {
    let project = Project::load(global)?;
    let host = Host::find(global, &project)?;
    let interrupt = shown::interrupt()?;
    let seen = host.read()?;
    let base_name = said.app.as_deref().map(|app| base_name(&project.desired, app)).transpose()?;
    let leave_data = said.leaving.volumes();
    let next = "`gordon apply` brings the apps back to the config; run this again once what failed is mended"
        .to_owned();
    let work = Work {
        plan: &|seen: &Observed| project.rollback(seen, base_name.as_deref(), &leave_data),
        question: "go back to the release before?",
        wording: Wording { stage: "rollback", done: "rolled back", next: Some(next) },
        serves: Some(&project.desired),
    };
    carry_out(&host, &said.running, &interrupt, &work, &seen)
}

/// The base name of the app that a person calls by its domain, its own name, or its container's.
fn base_name(desired: &Desired, app: &str) -> Result<String, CommandError> {
    let apps = || desired.workloads.iter().filter(|workload| workload.kind == Kind::App);
    let own = format!("{}-{app}", desired.project);
    let found = apps().find(|w| {
        let is_its_domain = w.naming == Naming::Plain && w.owner.as_str() == app;
        is_its_domain || w.base_name == own || w.base_name == app || w.name().as_str() == app
    });
    if let Some(workload) = found {
        return Ok(workload.base_name.clone());
    }
    let names: Vec<&str> = apps().map(|workload| workload.owner.as_str()).collect();
    let hint = match nearest(app, names) {
        Some(name) => format!("did you mean `{name}`?"),
        None => "an app is called by its domain, or by its name under `apps`".to_owned(),
    };
    Err(CommandError::wrong(format!("`{app}` is no app of this config")).hint(hint))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;
    use crate::config::Source;
    use crate::desired;
    use crate::desired::Inputs;

    #[test]
    fn an_app_is_called_by_its_domain_its_name_or_its_container() {
        let text = "name = \"shop\"\n[apps]\nweb = \"app\"\nshop = \"app\"\n\
                    [routes]\n\"www.a.com\" = { image = \"app\", id = \"site\" }\n\"b.com\" = \"app\"";
        let config = config::load(&Source { path: "gordon.toml", text }).config.expect("a config");
        let (desired, _) = desired::resolve(&config, &Inputs::default());
        for (app, found) in [
            ("www.a.com", Some("shop-site")),
            ("site", Some("shop-site")),
            ("b.com", Some("shop-b.com")),
            ("shop-b.com", Some("shop-b.com")),
            ("web", Some("shop-web")),
            ("shop-web-green", Some("shop-web")),
            ("shop", Some("shop-shop")),
            ("a.com", None),
        ] {
            assert_eq!(base_name(&desired, app).ok().as_deref(), found, "{app}");
        }
    }
}
