//! Routes as routers and services of Traefik, for its file provider.

use super::header;
use super::scalar;
use crate::plan::Routing;

/// The routes as routers, each for a service of the same name. They listen where Traefik does by default: entry points and
/// certificates are in its own configuration.
pub fn render(routing: &Routing<'_>) -> String {
    let mut text = header(routing);
    if routing.routes.is_empty() {
        return text;
    }
    // Traefik itself sets the other headers that apps take for its word
    let middleware = scalar(&format!("{}-client", routing.project));
    text.push_str(&format!(
        "http:\n  middlewares:\n    {middleware}:\n      headers:\n        customRequestHeaders:\n          Forwarded: \"\"\n"
    ));
    text.push_str("  routers:\n");
    for route in routing.routes {
        let hosts: Vec<String> = route.hosts.iter().map(|host| format!("Host(`{host}`)")).collect();
        let (name, rule) = (scalar(&route.name()), hosts.join(" || "));
        text.push_str(&format!(
            "    {name}:\n      rule: \"{rule}\"\n      middlewares: [{middleware}]\n      service: {name}\n"
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
