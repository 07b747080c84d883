//! Routes as a list of host, target and project: the seed's own form, for proxies that a script configures.

use super::header;
use super::left_out;
use super::scalar;
use crate::plan::Routing;

/// The routes as YAML.
pub fn render(routing: &Routing<'_>) -> String {
    let mut text = header(routing) + &left_out(routing);
    for route in routing.routes {
        for host in &route.hosts {
            let [host, target, project] =
                [host.as_str(), &route.target(), routing.project.as_str()].map(scalar);
            text.push_str(&format!("- host: {host}\n  target: {target}\n  project: {project}\n"));
        }
    }
    for route in routing.routes {
        for host in &route.site.redirect_from {
            let [host, to, project] =
                [host.as_str(), route.hosts[0].as_str(), routing.project.as_str()].map(scalar);
            text.push_str(&format!("- host: {host}\n  redirect_to: {to}\n  project: {project}\n"));
        }
    }
    if routing.routes.is_empty() {
        text.push_str("[]\n");
    }
    text
}
