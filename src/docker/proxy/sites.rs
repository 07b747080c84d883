//! Routes in Caddy's words: the file of routes of a project.

use crate::name::Container;
use crate::name::Domain;
use crate::name::Network;
use crate::name::Project;
use crate::spec::Role;
use crate::spec::Route;
use crate::spec::Site;
use crate::spec::Tls;
use std::fmt::Display;
use std::fmt::Write;
use std::net::Ipv4Addr;

/// The prefix of a host in a Caddyfile: without it, Caddy would take the host `import` for a directive.
pub fn scheme(tls: Tls) -> &'static str {
    if tls == Tls::Off { "http://" } else { "https://" }
}

/// What a site of a Caddyfile says of its certificate, when it says something.
pub fn directive(tls: Tls) -> Option<&'static str> {
    (tls == Tls::Internal).then_some("tls internal")
}

/// What the proxy asks docker for: a container in a network. Docker asks the resolver of the host for what it does not
/// know, and no public domain ends in a network's name; the dot at the end keeps that of the host from being added.
fn question(route: &Route, role: Role, replica: u32) -> String {
    let network = route.networks.first().expect("a routed app is on a network");
    name_in(&route.container(role, replica), network)
}

fn name_in(container: &dyn Display, network: &Network) -> String {
    format!("{container}.{network}.")
}

/// What the proxy calls a container of a network in its list of requests: its address, or its name where it was routed to
/// by name.
pub fn upstreams_of(container: &Container, network: &Network, address: Option<Ipv4Addr>) -> Vec<String> {
    let address = address.map(|address| address.to_string());
    address.into_iter().chain([name_in(container, network)]).collect()
}

/// The names by which the proxy finds its containers.
pub fn names(route: &Route) -> impl Iterator<Item = String> {
    (1..=route.replicas).map(|replica| question(route, Role::Serving, replica))
}

/// Where the proxy finds the first of its containers.
pub fn upstream(route: &Route) -> String {
    format!("{}:{}", question(route, Role::Serving, 1), route.port)
}

/// The lines of a site for its log, its compression and its snippet.
pub fn own_lines(route: &Route) -> Vec<String> {
    let Site { compress, access_log, snippet, .. } = &route.site;
    let mut lines = Vec::new();
    if *access_log {
        lines.extend(["log {", "\toutput stdout", "\tformat json", "}"].map(str::to_owned));
    }
    if *compress {
        lines.push("encode zstd gzip".to_owned());
    }
    if !snippet.is_empty() {
        lines.push(format!("{SNIPPET}{}", route.hosts[0]));
        lines.extend(snippet.lines().map(str::to_owned));
    }
    lines
}

/// Begins the line before a route's snippet. What Caddy refuses below it is in that snippet.
pub(super) const SNIPPET: &str = "# snippet of ";

/// The host whose snippet has the line of this number, counted from 1, in a routes file.
pub fn snippet_at(text: &str, line: usize) -> Option<&str> {
    let mut host = None;
    for line in text.lines().take(line) {
        match line.trim_start().strip_prefix(SNIPPET) {
            Some(of) => host = Some(of),
            None if line == "}" => host = None,
            None => {}
        }
    }
    host
}

/// The hosts whose sites in a routes file have a snippet.
pub fn snippets(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter_map(|line| line.trim_start().strip_prefix(SNIPPET))
}

/// Who the client is, for the app.
pub fn real_ip(route: &Route) -> &'static str {
    match route.site.trusts_proxies {
        true => "header_up X-Real-IP {client_ip}",
        false => "header_up X-Real-IP {remote_host}",
    }
}

/// The sites of a route in the proxy's words: that of its app, and those that send visitors there.
pub fn site(route: &Route, https_port: u16) -> String {
    let Site { tls, redirect_from, .. } = &route.site;
    let port = if https_port == 443 { String::new() } else { format!(":{https_port}") };
    // Caddy's own redirect to HTTPS goes to port 443
    let is_sent_to_https = *tls != Tls::Off && https_port != 443;
    let mut text = app_site(route);
    if is_sent_to_https {
        text += &redirecting_site("http://", &route.hosts, None, &format!("https://{{host}}{port}"));
    }
    if !redirect_from.is_empty() {
        let first = route.hosts.first().expect("a route has a host");
        let to = match tls {
            Tls::Off => format!("http://{first}"),
            Tls::Auto | Tls::Internal => format!("https://{first}{port}"),
        };
        text += &redirecting_site(scheme(*tls), redirect_from, directive(*tls), &to);
        if is_sent_to_https {
            text += &redirecting_site("http://", redirect_from, None, &to);
        }
    }
    text
}

/// The site of an app: it asks for the names of the containers that serve, each second anew, and for those of the release
/// before in the moment in which no container has these.
fn app_site(route: &Route) -> String {
    let mut text = String::new();
    let tls = route.site.tls;
    let upstream = |replica| format!("{} {}", question(route, Role::Serving, replica), route.port);
    let fallback = |replica| format!("{}:{}", question(route, Role::Previous, replica), route.port);
    let replicas = || 1..=route.replicas;
    let mut line = |depth: usize, words: &str| {
        let depth = if words.is_empty() { 0 } else { depth };
        writeln!(text, "{:\t<depth$}{words}", "").expect("a string takes all");
    };
    line(0, &format!("{} {{", addresses(scheme(tls), &route.hosts)));
    if let Some(directive) = directive(tls) {
        line(1, directive);
    }
    line(1, &format!("reverse_proxy {} {{", replicas().map(fallback).collect::<Vec<_>>().join(" ")));
    let name = |line: &mut dyn FnMut(usize, &str), depth, word: &str, replica| {
        line(depth, &format!("{word} {} {{", upstream(replica)));
        line(depth + 1, "refresh 1s");
        line(depth, "}");
    };
    if route.replicas == 1 {
        name(&mut line, 2, "dynamic a", 1);
    } else {
        line(2, "dynamic multi {");
        replicas().for_each(|replica| name(&mut line, 3, "a", replica));
        line(2, "}");
    }
    line(2, "lb_try_duration 5s");
    // apps take these for the proxy's word
    line(2, real_ip(route));
    line(2, "header_up -Forwarded");
    line(2, "import gordon-streams");
    line(1, "}");
    // Caddy puts them into its own order
    own_lines(route).iter().for_each(|words| line(1, words));
    line(0, "}");
    text
}

/// A site that sends the visitors of `hosts` to the same path and query of `to`.
fn redirecting_site(scheme: &str, hosts: &[Domain], directive: Option<&str>, to: &str) -> String {
    let directive = directive.map(|directive| format!("\t{directive}\n")).unwrap_or_default();
    format!("{} {{\n{directive}\tredir {to}{{uri}} 308\n}}\n", addresses(scheme, hosts))
}

/// Hosts as the address of a site.
fn addresses(scheme: &str, hosts: &[Domain]) -> String {
    hosts.iter().map(|host| format!("{scheme}{host}")).collect::<Vec<_>>().join(", ")
}

/// All that the proxy has to know of a project's routes; the same for the same routes.
pub fn routes_file(project: &Project, routes: &[Route], https_port: u16) -> String {
    let mut text = format!("# project {project}\n");
    let mut networks: Vec<&Network> = routes.iter().flat_map(|route| &route.networks).collect();
    networks.sort();
    networks.dedup();
    for network in networks {
        writeln!(text, "# network {network}").expect("a string takes all");
    }
    for route in routes {
        text.push_str(&site(route, https_port));
    }
    text.push_str("# end\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::Alias;
    use crate::name::Domain;
    use crate::spec::Naming;

    fn route(replicas: u32, tls: Tls) -> Route {
        Route {
            hosts: ["test.eliasson.me", "b.com"].map(|host| Domain::parse(host).expect("a host")).into(),
            base_name: "gmail-web".to_owned(),
            naming: Naming::Colours,
            replicas,
            port: 3000,
            alias: Alias::parse("gmail-web").expect("an alias"),
            networks: vec![Network::parse("gmail-network").expect("a network")],
            site: Site { tls, compress: true, ..Site::default() },
        }
    }

    #[test]
    fn the_proxy_asks_for_the_names_of_those_that_serve_and_of_those_that_did_in_their_network() {
        let project = Project::parse("gmail").expect("a project");
        assert_eq!(
            routes_file(&project, &[route(1, Tls::Off)], 8443),
            "\
# project gmail
# network gmail-network
http://test.eliasson.me, http://b.com {
	reverse_proxy gmail-web-previous.gmail-network.:3000 {
		dynamic a gmail-web-green.gmail-network. 3000 {
			refresh 1s
		}
		lb_try_duration 5s
		header_up X-Real-IP {remote_host}
		header_up -Forwarded
		import gordon-streams
	}
	encode zstd gzip
}
# end
"
        );
        let text = routes_file(&project, &[route(2, Tls::Internal)], 443);
        assert!(text.contains("\nhttps://test.eliasson.me, https://b.com {\n\ttls internal\n"), "{text}");
        let previous =
            "reverse_proxy gmail-web-previous.gmail-network.:3000 gmail-web-previous-2.gmail-network.:3000 {";
        assert!(text.contains(previous), "{text}");
        assert!(
            text.contains("\t\tdynamic multi {\n\t\t\ta gmail-web-green.gmail-network. 3000 {\n"),
            "{text}"
        );
        assert!(text.contains("\t\t\ta gmail-web-green-2.gmail-network. 3000 {\n"), "{text}");
    }

    #[test]
    fn a_redirect_to_https_names_a_port_that_is_not_443() {
        let redirect = "\nhttp://test.eliasson.me, http://b.com {\n\tredir https://{host}:8443{uri} 308\n}\n";
        assert!(site(&route(1, Tls::Internal), 8443).ends_with(&redirect[1..]));
        assert!(!site(&route(1, Tls::Auto), 443).contains("redir"));
    }

    fn domain(name: &str) -> Domain {
        Domain::parse(name).expect("a host")
    }

    #[test]
    fn a_host_that_is_redirected_has_the_certificate_of_the_first_and_one_redirect_from_http() {
        let mut route = route(1, Tls::Internal);
        route.site.redirect_from = vec![domain("www.b.com"), domain("old.com")];
        let to = |port: &str| format!("redir https://test.eliasson.me{port}{{uri}} 308");
        let text = site(&route, 8443);
        let secure =
            format!("\nhttps://www.b.com, https://old.com {{\n\ttls internal\n\t{}\n}}\n", to(":8443"));
        let plain = format!("\nhttp://www.b.com, http://old.com {{\n\t{}\n}}\n", to(":8443"));
        assert!(text.ends_with(&(secure + &plain[1..])), "{text}");
        assert!(site(&route, 443).ends_with(&format!("\t{}\n}}\n", to(""))));
        route.site.tls = Tls::Off;
        let plain = "\nhttp://www.b.com, http://old.com {\n\tredir http://test.eliasson.me{uri} 308\n}\n";
        assert!(site(&route, 8443).ends_with(plain), "{}", site(&route, 8443));
    }

    #[test]
    fn a_line_of_a_snippet_is_known_by_its_number() {
        let mut first = route(1, Tls::Off);
        first.site =
            Site { access_log: true, snippet: "handle /a {\n\trespon a\n}".into(), ..Site::default() };
        let project = Project::parse("gmail").expect("a project");
        let text = routes_file(&project, &[first, route(1, Tls::Off)], 443);
        let at = |words: &str| 1 + text.lines().position(|line| line.contains(words)).expect("it is there");
        assert!(text.contains("\n\tlog {\n\t\toutput stdout\n\t\tformat json\n\t}\n"), "{text}");
        assert_eq!(snippet_at(&text, at("respon a")), Some("test.eliasson.me"));
        assert_eq!(snippet_at(&text, at("output stdout")), None);
        assert_eq!(snippet_at(&text, at("encode")), None);
    }
}
