//! Routes as routers and services of Traefik, for its file provider.

use super::header;
use super::left_out;
use super::scalar;
use crate::name::Domain;
use crate::plan::Routing;
use crate::spec::Route;

/// The routes as routers, each for a service of the same name. They listen where Traefik does by default: entry points and
/// certificates are in its own configuration.
pub fn render(routing: &Routing<'_>) -> String {
    let mut text = header(routing) + &left_out(routing);
    if routing.routes.is_empty() {
        return text;
    }
    // Traefik itself sets the other headers that apps take for its word
    let middleware = scalar(&format!("{}-client", routing.project));
    text.push_str(&format!(
        "http:\n  middlewares:\n    {middleware}:\n      headers:\n        customRequestHeaders:\n          Forwarded: \"\"\n"
    ));
    let redirect = |route: &Route| scalar(&format!("{}-redirect", route.name()));
    let redirects = || routing.routes.iter().filter(|route| !route.site.redirect_from.is_empty());
    for route in redirects() {
        text.push_str(&format!(
            "    {}:\n      redirectRegex:\n        regex: \"^(https?)://[^/]+(.*)\"\n        \
             replacement: \"${{1}}://{}${{2}}\"\n        permanent: true\n",
            redirect(route),
            route.hosts[0]
        ));
    }
    text.push_str("  routers:\n");
    for route in routing.routes {
        let (name, rule) = (scalar(&route.name()), rule(&route.hosts));
        text.push_str(&format!(
            "    {name}:\n      rule: \"{rule}\"\n      middlewares: [{middleware}]\n      service: {name}\n"
        ));
    }
    for route in redirects() {
        text.push_str(&format!(
            "    {name}:\n      rule: \"{}\"\n      middlewares: [{name}]\n      service: noop@internal\n",
            rule(&route.site.redirect_from),
            name = redirect(route),
        ));
    }
    text.push_str("  services:\n");
    for route in routing.routes {
        text.push_str(&format!(
            "    {}:\n      loadBalancer:\n        servers:\n          - url: \"http://{}\"\n",
            scalar(&route.name()),
            route.target()
        ));
    }
    text
}

/// Which requests these hosts are asked in.
fn rule(hosts: &[Domain]) -> String {
    hosts.iter().map(|host| format!("Host(`{host}`)")).collect::<Vec<_>>().join(" || ")
}
