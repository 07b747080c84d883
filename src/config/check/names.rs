//! Names that gordon keeps for itself, that are missing, or that two things claim.

use crate::config::mount::MountSource;
use crate::config::problem::Problem;
use crate::config::problem::collision;
use crate::config::read::Read;
use crate::config::schema::Config;
use crate::config::schema::Route;
use crate::name::Domain;
use crate::name::Project;
use serde_spanned::Spanned;
use std::collections::BTreeMap;

/// Final names have these at the place of an owner: `gordon-default`, `gordon-proxy`.
const RESERVED: [&str; 4] = ["default", "proxy", "network", "lock"];

/// What is shared by all projects is named so.
const SHARED: [&str; 2] = ["gordon-proxy", "gordon-lock"];

/// The proxy's own network, which has to sort before all that the proxy joins.
const PROXY_NETWORK: &str = "0-gordon-proxy";

pub(super) fn check(read: &Read, problems: &mut Vec<Problem>) {
    let config = &read.config;
    check_project(read, problems);
    check_prefixes(config, problems);
    check_reserved(config, problems);
    check_volumes(config, problems);
    check_hosts(config, problems);
}

fn check_project(read: &Read, problems: &mut Vec<Problem>) {
    let section = read.sections.get("apps").into_iter().chain(read.sections.get("services"));
    if let Some(span) = section.min_by_key(|span| span.start)
        && !read.sections.contains_key("name")
    {
        problems.push(Problem::error(span.clone(), "apps and services need the name of their project").hint(
            "add `name` at the top of the file: it sets their project apart from all others on the host",
        ));
    }
}

/// Prefixes, with what they are.
fn prefixes(config: &Config) -> impl Iterator<Item = (&Spanned<Project>, &'static str)> {
    let network = config.isolation.network_prefix.as_ref().map(|prefix| (prefix, "network prefix"));
    let volume = config.volumes.prefix.as_ref().map(|prefix| (prefix, "volume prefix"));
    config.name.as_ref().map(|name| (name, "project")).into_iter().chain(network).chain(volume)
}

fn check_prefixes(config: &Config, problems: &mut Vec<Problem>) {
    for (prefix, what) in prefixes(config) {
        if is_shared(prefix.get_ref().as_str()) {
            problems
                .push(Problem::error(prefix.span(), format!("the {what} `{prefix}` is reserved")).hint(
                    "`gordon-proxy` and `gordon-lock` are shared by all projects; choose another name",
                ));
        } else if what != "volume prefix" && format!("{prefix}-").as_str() < PROXY_NETWORK {
            problems.push(
                Problem::error(
                    prefix.span(),
                    format!("networks of `{prefix}` would sort before `{PROXY_NETWORK}`"),
                )
                .hint("docker would move the proxy's ports to them; begin the name with a letter"),
            );
        }
    }
}

fn is_shared(name: &str) -> bool {
    SHARED.iter().any(|shared| {
        name.strip_prefix(shared).is_some_and(|rest| rest.is_empty() || rest.starts_with(['-', '.', '_']))
    })
}

fn check_reserved(config: &Config, problems: &mut Vec<Problem>) {
    let prefix = config.network_prefix();
    let mut check = |owner: &str, span, what: &str, way_out: &str| {
        if RESERVED.contains(&owner) {
            problems.push(
                Problem::error(span, format!("`{owner}` is reserved and cannot be {what}"))
                    .hint(format!("reserved are `default`, `proxy`, `network` and `lock`; {way_out}")),
            );
        } else if is_shared(&format!("{prefix}-{owner}")) {
            problems.push(
                Problem::error(
                    span,
                    format!(
                        "names of {what} `{owner}` would begin with `{prefix}-{owner}`, which is reserved"
                    ),
                )
                .hint(format!("`gordon-proxy` and `gordon-lock` are shared by all projects; {way_out}")),
            );
        }
    };
    for group in &config.groups {
        check(group.name.get_ref().as_str(), group.name.span(), "a group", "call the group something else");
    }
    for route in &config.routes {
        match &route.id {
            Some(id) => check(id.get_ref().as_str(), id.span(), "an id", "choose another `id`"),
            None => {
                let domain = &route.domain;
                let way_out = "give the route an `id`, which replaces the domain in names";
                check(domain.get_ref().as_str(), domain.span(), "a domain", way_out);
            }
        }
    }
    let project = config.project();
    let apps = config.apps.iter().map(|app| (&app.name, "an app"));
    let services = config.services.iter().map(|service| (&service.name, "a service"));
    for (name, what) in apps.chain(services) {
        if is_shared(&format!("{project}-{name}")) {
            problems.push(
                Problem::error(name.span(), format!("`{project}-{name}` is reserved and cannot be {what}"))
                    .hint("`gordon-proxy` and `gordon-lock` are shared by all projects; choose another name"),
            );
        }
    }
}

/// Of a project, volumes are named after it alone: `gordon` and `proxy-data` would give a volume of the proxy.
fn check_volumes(config: &Config, problems: &mut Vec<Problem>) {
    let project = config.project();
    let apps = config.apps.iter().map(|app| &app.workload);
    let services = config.services.iter().map(|service| &service.workload);
    for mount in apps.chain(services).flat_map(|workload| &workload.mounts) {
        if let MountSource::Named(name) = &mount.get_ref().source
            && is_shared(&format!("{project}-{name}").to_ascii_lowercase())
        {
            problems.push(
                Problem::error(
                    mount.span(),
                    format!("`{project}-{name}` is reserved and cannot be a volume"),
                )
                .hint("`gordon-proxy` and `gordon-lock` are shared by all projects; choose another name"),
            );
        }
    }
}

fn check_hosts<'c>(config: &'c Config, problems: &mut Vec<Problem>) {
    let mut seen: BTreeMap<&Domain, &Spanned<Domain>> = BTreeMap::new();
    let proxies = config.apps.iter().filter_map(|app| app.proxy.as_ref());
    let of_app = proxies.flat_map(|proxy| proxy.hosts.iter().chain(&proxy.site.redirect_from));
    let of_route =
        |route: &'c Route| [&route.domain].into_iter().chain(&route.domains).chain(&route.site.redirect_from);
    for host in config.routes.iter().flat_map(of_route).chain(of_app) {
        match seen.get(host.get_ref()) {
            Some(first) => problems.push(
                collision(*first, host, format!("the host `{host}` is routed twice"))
                    .hint("a host belongs to one app; remove it from the other"),
            ),
            None => drop(seen.insert(host.get_ref(), host)),
        }
    }
}
