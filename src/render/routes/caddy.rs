//! Routes as sites of a Caddyfile.

use super::header;
use crate::docker::proxy;
use crate::plan::Routing;

/// The routes as sites, for a Caddyfile or a file that it imports.
pub fn render(routing: &Routing<'_>) -> String {
    let mut text = header(routing);
    for route in routing.routes {
        let sites: Vec<String> =
            route.hosts.iter().map(|host| format!("{}{host}", proxy::scheme(routing.tls))).collect();
        let tls = proxy::directive(routing.tls).map_or(String::new(), |directive| format!("\t{directive}\n"));
        text.push_str(&format!(
            "\n{} {{\n{tls}\treverse_proxy {{\n\t\tdynamic a {} {} {{\n\t\t\trefresh 1s\n\t\t}}\n\
             \t\tlb_try_duration 5s\n\t\theader_up X-Real-IP {{remote_host}}\n\t\theader_up -Forwarded\n\t}}\n}}\n",
            sites.join(", "),
            route.name(),
            route.port,
        ));
    }
    text
}
