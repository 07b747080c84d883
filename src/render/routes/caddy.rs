//! Routes as sites of a Caddyfile.

use super::header;
use crate::docker::proxy;
use crate::name::Domain;
use crate::plan::Routing;

/// The routes as sites, for a Caddyfile or a file that it imports.
pub fn render(routing: &Routing<'_>) -> String {
    let mut text = header(routing);
    for route in routing.routes {
        let (hosts, scheme) = (&route.hosts, proxy::scheme(route.site.tls));
        let sites = |hosts: &[Domain]| {
            hosts.iter().map(|host| format!("{scheme}{host}")).collect::<Vec<_>>().join(", ")
        };
        let tls =
            proxy::directive(route.site.tls).map_or(String::new(), |directive| format!("\t{directive}\n"));
        let real_ip = proxy::real_ip(route);
        let own: String = proxy::own_lines(route).iter().map(|line| format!("\t{line}\n")).collect();
        text.push_str(&format!(
            "\n{} {{\n{tls}\treverse_proxy {{\n\t\tdynamic a {} {} {{\n\t\t\trefresh 1s\n\t\t}}\n\
             \t\tlb_try_duration 5s\n\t\t{real_ip}\n\t\theader_up -Forwarded\n\t}}\n{own}}}\n",
            sites(hosts),
            route.name(),
            route.port,
        ));
        if !route.site.redirect_from.is_empty() {
            text.push_str(&format!(
                "\n{} {{\n{tls}\tredir {scheme}{}{{uri}} 308\n}}\n",
                sites(&route.site.redirect_from),
                hosts[0],
            ));
        }
    }
    text
}
