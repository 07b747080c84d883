//! Routes for machines: versioned, their shape published in `plans/routes.schema.json`. Does not know who reads them.

use crate::plan;
use serde::Serialize;
use std::io;

/// What changes when a reader of today's routes could not read tomorrow's.
const VERSION: u32 = 1;

/// Writes the routes as JSON.
///
/// # Errors
/// When `out` takes no more.
pub fn write(routing: &plan::Routing<'_>, out: &mut impl io::Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, &Document::of(routing))?;
    out.write_all(b"\n")
}

/// The routes of a project of gordon's: hosts and their apps.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "Routes"))]
struct Document<'a> {
    /// The version of this format.
    version: u32,
    /// The project.
    project: &'a str,
    /// The networks that a proxy has to be on to find all targets.
    networks: Vec<&'a str>,
    /// One entry a host, in the order of the config.
    routes: Vec<Route<'a>>,
    /// The hosts that send their visitors to another, with path and query.
    redirects: Vec<Redirect<'a>>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Route<'a> {
    /// The host.
    host: &'a str,
    /// The app that it routes to: a name that is unique on the docker host, and a port.
    target: String,
    /// The project.
    project: &'a str,
    /// Where its certificate comes from: `auto`, `internal`, or `off` for HTTP alone.
    tls: &'static str,
    /// Whether text is to be compressed.
    compress: bool,
    /// Whether requests are to be logged.
    access_log: bool,
    /// More of the site in Caddy's words; empty: none.
    snippet: &'a str,
    /// The networks on which the name is known; none on docker's default bridge, which knows no names.
    networks: Vec<&'a str>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Redirect<'a> {
    /// The host.
    host: &'a str,
    /// The host that it sends its visitors to, for good.
    to: &'a str,
    /// The project.
    project: &'a str,
}

impl<'a> Document<'a> {
    fn of(routing: &plan::Routing<'a>) -> Self {
        let project = routing.project.as_str();
        let routes = routing.routes.iter().flat_map(|route| {
            route.hosts.iter().map(move |host| Route {
                host: host.as_str(),
                target: route.target(),
                project,
                tls: route.site.tls.as_str(),
                compress: route.site.compress,
                access_log: route.site.access_log,
                snippet: &route.site.snippet,
                networks: route.networks.iter().map(|network| network.as_str()).collect(),
            })
        });
        let redirects = routing.routes.iter().flat_map(|route| {
            let to = route.hosts[0].as_str();
            route.site.redirect_from.iter().map(move |host| Redirect { host: host.as_str(), to, project })
        });
        Self {
            version: VERSION,
            project,
            networks: routing.networks().into_iter().map(|network| network.as_str()).collect(),
            routes: routes.collect(),
            redirects: redirects.collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::sample;

    #[test]
    fn the_published_schema_is_true() {
        sample::assert_schema::<Document<'_>>("plans/routes.schema.json");
    }
}
