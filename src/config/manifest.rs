//! Gordon's later forms, in the tree of a config: an app manifest, and routes to ports of services. Does not know what the keys do.

use super::problem::Problem;
use super::problem::Span;
use super::tree::Entry;
use super::tree::Kind;
use super::tree::Node;
use crate::name::visible;
use serde_spanned::Spanned;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::mem;

const OF_V3: &str = "write `name`, and each service that answers to a host as an app: `[apps.web]` with `image` and \
    `proxy = { hosts = [\"shop.com\"], app_port = 8080 }`; each other as `[services.db]`, with `ports = [\"5432:5432\"]` where \
    the host is to have its port";
const ONE_PORT: &str =
    "the proxy asks one port of an app, with HTTPS or without: write the app again, under another name";
const SHARED_NETWORK: &str =
    "the apps and services of one project reach each other: write those that share a network into one config";
const AT_ITS_ROUTE: &str =
    "an app is where its route is: `\"a.com\" = { image = \"app:latest\", port = 8080 }`";
const ALIKE: &str =
    "routes to one service agree in `port` and `https`, and say nothing else: they are domains of one app";
const CONTAINERS: &str = "what is routed to is the route's image, the others are attached to it: `\"a.com\" = { image = \
    \"app:latest\", port = 8080 }` in `[routes]`, `\"a.com\" = [\"postgres:18\"]` in `[attachments]`";

/// The services of an app manifest are apps, where they answer to hosts, and services.
pub(super) fn take_manifest(sections: &mut Vec<Entry<'_>>, problems: &mut Vec<Problem>) {
    if let Some(place) = entrypoints_of_services(sections) {
        problems.push(Problem::error(place, "this is an app manifest of Gordon 3").hint(OF_V3));
        return sections.clear();
    }
    let is_list = |entry: &Entry<'_>| matches!(entry.value.kind, Kind::List(_));
    if find(sections, "apps").or(find(sections, "services")).is_some()
        || !find(sections, "service").is_some_and(is_list)
    {
        return;
    }
    let Some(Entry { key, value: Node { kind: Kind::List(items), span } }) = take(sections, "service") else {
        return;
    };
    if let Some(Entry { key, .. }) = take(sections, "network") {
        problems.push(Problem::error(key.span(), "gordon has no `network`").hint(SHARED_NETWORK));
    }
    let variables = take_variables(sections);
    let (mut apps, mut services) = (Vec::new(), Vec::new());
    for mut item in items {
        let Kind::Map(entries) = &mut item.kind else {
            services.push(item);
            continue;
        };
        take_environment(entries, &variables);
        take_readiness(entries);
        take_volumes(entries);
        match take(entries, "http").and_then(|http| into_proxy(http, problems)) {
            Some(proxy) => {
                entries.push(proxy);
                apps.push(item);
            }
            None => services.push(item),
        }
    }
    for (name, items) in [("apps", apps), ("services", services)] {
        if !items.is_empty() {
            let value = Node { kind: Kind::List(items), span: span.clone() };
            sections.push(Entry { key: Spanned::new(key.span(), name.into()), value });
        }
    }
}

/// Where a config says that entrypoints are ports of services.
fn entrypoints_of_services(sections: &[Entry<'_>]) -> Option<Span> {
    let section = find(sections, "entrypoints")?;
    let Kind::Map(entrypoints) = &section.value.kind else { return None };
    let is_port = |entry: &Entry<'_>| match &entry.value.kind {
        Kind::Map(keys) => find(keys, "service").is_some(),
        _ => false,
    };
    entrypoints.iter().any(is_port).then(|| section.key.span())
}

/// The variables of all services.
fn take_variables<'t>(sections: &mut Vec<Entry<'t>>) -> Vec<Entry<'t>> {
    let is_ours = |entry: &Entry<'_>| match &entry.value.kind {
        Kind::Map(keys) => find(keys, "dir").or(find(keys, "providers")).is_some(),
        _ => true,
    };
    if find(sections, "env").is_none_or(is_ours) {
        return Vec::new();
    }
    match take(sections, "env") {
        Some(Entry { value: Node { kind: Kind::Map(variables), .. }, .. }) => variables,
        _ => Vec::new(),
    }
}

/// A secret is called as its variable is.
fn take_environment<'t>(service: &mut Vec<Entry<'t>>, variables: &[Entry<'t>]) {
    let secrets: Vec<Node<'t>> = match find(service, "secrets") {
        Some(Entry { value: Node { kind: Kind::Map(secrets), .. }, .. }) => secrets
            .iter()
            .map(|Entry { key, .. }| Node { kind: Kind::String(key.get_ref().clone()), span: key.span() })
            .collect(),
        Some(_) => return,
        None => Vec::new(),
    };
    if secrets.is_empty() && variables.is_empty() {
        return;
    }
    let place = take(service, "secrets").map_or(0..0, |entry| entry.key.span());
    let parts = vec![
        entry("plain", place.clone(), Kind::Map(variables.to_vec())),
        entry("secret", place.clone(), Kind::List(secrets)),
    ];
    service.push(entry("environment", place, Kind::Map(parts)));
}

/// What is asked over HTTP is ready when it answers.
fn take_readiness(service: &mut [Entry<'_>]) {
    let Some(readiness) = service.iter_mut().find(|entry| entry.key.get_ref() == "readiness") else { return };
    if let Kind::Map(keys) = &mut readiness.value.kind
        && find(keys, "type").and_then(|entry| text(&entry.value)) == Some("http")
    {
        take(keys, "type");
        rename(readiness, "health");
    }
}

fn take_volumes(service: &mut [Entry<'_>]) {
    let Some(volumes) = service.iter_mut().find(|entry| entry.key.get_ref() == "volume") else { return };
    rename(volumes, "volumes");
    let Kind::List(volumes) = &mut volumes.value.kind else { return };
    for volume in volumes {
        let Kind::Map(keys) = &mut volume.kind else { continue };
        for key in keys {
            match key.key.get_ref().as_ref() {
                "path" => rename(key, "target"),
                "readonly" => rename(key, "read_only"),
                _ => {}
            }
        }
    }
}

/// The hosts that a service answers to, as an app has them. What has no host is for its own network.
fn into_proxy<'t>(http: Entry<'t>, problems: &mut Vec<Problem>) -> Option<Entry<'t>> {
    let place = http.key.span();
    let interfaces = match http.value.kind {
        Kind::List(interfaces) => interfaces,
        kind => return Some(entry("http", place, kind)),
    };
    let (mut hosts, mut ports, mut is_open) = (Vec::new(), Vec::new(), Vec::new());
    for interface in interfaces {
        let Kind::Map(mut keys) = interface.kind else { continue };
        let Some(host) = take(&mut keys, "host") else { continue };
        hosts.push(host.value);
        is_open.push(find(&keys, "tls").and_then(|entry| text(&entry.value)) == Some("never"));
        ports.extend(take(&mut keys, "port").map(|entry| entry.value));
    }
    let first = is_open.first().copied()?;
    let number = |port: &Node<'_>| match port.kind {
        Kind::Int(number, _) => Some(number),
        _ => None,
    };
    let is_one = |ports: &[Node<'_>]| ports.windows(2).all(|two| number(&two[0]) == number(&two[1]));
    if is_open.contains(&!first) || !is_one(&ports) {
        let message = "the hosts of this service differ in port or `tls`";
        problems.push(Problem::error(place.clone(), message).hint(ONE_PORT));
    }
    let mut keys = vec![entry("hosts", place.clone(), Kind::List(hosts))];
    keys.extend(
        ports
            .into_iter()
            .next()
            .map(|value| Entry { key: Spanned::new(value.span.clone(), "app_port".into()), value }),
    );
    if first {
        keys.push(entry("tls", place.clone(), Kind::String("off".into())));
    }
    Some(entry("proxy", place, Kind::Map(keys)))
}

/// The named ports that routes go to, as numbers; such a port of a service has served its purpose.
pub(super) fn resolve_ports(sections: &mut [Entry<'_>]) {
    let mut ports = BTreeMap::new();
    for service in map(sections, "services") {
        let Kind::Map(keys) = &service.value.kind else { continue };
        for port in map(keys, "ports") {
            if let Some(number) = http_port(&port.value) {
                ports.insert((service.key.get_ref().to_string(), port.key.get_ref().to_string()), number);
            }
        }
    }
    let Some(routes) = sections.iter_mut().find(|entry| entry.key.get_ref() == "routes") else { return };
    let Kind::Map(routes) = &mut routes.value.kind else { return };
    let mut used = BTreeSet::new();
    for route in routes {
        let Kind::Map(keys) = &mut route.value.kind else { continue };
        let Some(service) = find(keys, "service").and_then(|entry| text(&entry.value)).map(str::to_owned)
        else {
            continue;
        };
        let Some(port) = keys.iter_mut().find(|entry| entry.key.get_ref() == "port") else { continue };
        let Some(named) = text(&port.value).map(|named| (service, named.to_owned())) else { continue };
        if let Some(number) = ports.get(&named) {
            port.value.kind = Kind::Int(*number, port.value.span.clone());
            used.insert(named);
        }
    }
    let Some(services) = sections.iter_mut().find(|entry| entry.key.get_ref() == "services") else { return };
    let Kind::Map(services) = &mut services.value.kind else { return };
    for Entry { key, value } in services {
        let Kind::Map(keys) = &mut value.kind else { continue };
        let mut ports = take_map(keys, "ports");
        let before = ports.len();
        ports.retain(|port| !used.contains(&(key.get_ref().to_string(), port.key.get_ref().to_string())));
        if ports.is_empty() && before > 0 {
            take(keys, "ports");
        } else {
            put_map(keys, "ports", ports);
        }
    }
}

/// The number of a port that speaks HTTP to the proxy.
fn http_port(port: &Node<'_>) -> Option<i64> {
    if let Kind::Map(keys) = &port.kind {
        let is_http = find(keys, "protocol").and_then(|entry| text(&entry.value)) == Some("http");
        let has_tls = find(keys, "tls").is_some_and(|entry| matches!(entry.value.kind, Kind::Bool(true, _)));
        return match find(keys, "port")?.value.kind {
            Kind::Int(number, _) if is_http && !has_tls => Some(number),
            _ => None,
        };
    }
    text(port)?.strip_suffix("/http")?.parse().ok()
}

/// A service that routes go to is the app of the first; the hosts of the others are its domains.
pub(super) fn join_routed_services(sections: &mut Vec<Entry<'_>>, problems: &mut Vec<Problem>) {
    let (routes, mut services) = (take_map(sections, "routes"), take_map(sections, "services"));
    let before = services.len();
    let mut refused = Vec::new();
    services.retain(|service| {
        let Kind::Map(keys) = &service.value.kind else { return true };
        let Some(containers) = find(keys, "containers") else { return true };
        let problem = Problem::error(containers.key.span(), "a service is one container here");
        problems.push(problem.hint(CONTAINERS));
        refused.push(service.key.get_ref().to_string());
        false
    });
    let mut homes: Vec<Home> = Vec::new();
    let mut joined: Vec<Entry<'_>> = Vec::new();
    for mut route in routes {
        let Some((service, place)) = service_of(&route) else {
            joined.push(route);
            continue;
        };
        let Kind::Map(keys) = &mut route.value.kind else { unreachable!("it names a service") };
        take(keys, "service");
        let port = take(keys, "port");
        let number = match port.as_ref().map(|port| &port.value.kind) {
            Some(Kind::Int(number, _)) => Some(*number),
            _ => None,
        };
        let is_off = |tls: &Entry<'_>| {
            matches!(tls.value.kind, Kind::Bool(false, _)) || text(&tls.value) == Some("off")
        };
        let has_tls_off = find(keys, "tls").is_some_and(is_off);
        let is_plain = keys.len() == usize::from(has_tls_off);
        let home = homes.iter().find(|home| home.service == service);
        if let Some(home) = home
            && is_plain
            && (home.port, home.has_tls_off) == (number, has_tls_off)
            && let Kind::Map(keys) = &mut joined[home.at].value.kind
        {
            let domain = Node { kind: Kind::String(route.key.get_ref().clone()), span: route.key.span() };
            match keys
                .iter_mut()
                .find(|entry| entry.key.get_ref() == "domains")
                .map(|entry| &mut entry.value.kind)
            {
                Some(Kind::List(domains)) => domains.push(domain),
                _ => keys.push(entry("domains", domain.span.clone(), Kind::List(vec![domain]))),
            }
            continue;
        }
        let at = services.iter().position(|entry| *entry.key.get_ref() == service);
        if let (Some(at), Some(port), Some(_), true) = (at, port, number, is_plain)
            && matches!(services[at].value.kind, Kind::Map(_))
        {
            if let Kind::Map(table) = services.remove(at).value.kind {
                keys.extend(table);
            }
            keys.push(port);
            homes.push(Home { service, port: number, has_tls_off, at: joined.len(), place });
        } else {
            if let Some(home) = homes.iter().find(|home| home.service == service) {
                let message = format!("the routes to `{}` differ", visible(&service));
                let problem =
                    Problem::error(place.clone(), message).also(home.place.clone(), "the other one");
                problems.push(problem.hint(ALIKE));
            } else if !refused.contains(&service) {
                problems.push(Problem::error(place.clone(), "gordon has no `service`").hint(AT_ITS_ROUTE));
            }
            // what follows from the mistake is none
            *keys = vec![entry("image", place, Kind::String(Cow::Owned(service)))];
        }
        joined.push(route);
    }
    let is_left = services.len() == before || !services.is_empty();
    put_map(sections, "routes", joined);
    put_map(sections, "services", services);
    if !is_left {
        take(sections, "services");
    }
}

/// The route that a service went to.
struct Home {
    service: String,
    port: Option<i64>,
    has_tls_off: bool,
    at: usize,
    place: Span,
}

/// The service that a route goes to, and where it says so.
fn service_of(route: &Entry<'_>) -> Option<(String, Span)> {
    let Kind::Map(keys) = &route.value.kind else { return None };
    let service = find(keys, "service")?;
    Some((text(&service.value).unwrap_or_default().to_owned(), service.key.span()))
}

fn find<'e, 't>(entries: &'e [Entry<'t>], key: &str) -> Option<&'e Entry<'t>> {
    entries.iter().find(|entry| entry.key.get_ref() == key)
}

fn take<'t>(entries: &mut Vec<Entry<'t>>, key: &str) -> Option<Entry<'t>> {
    let at = entries.iter().position(|entry| entry.key.get_ref() == key)?;
    Some(entries.remove(at))
}

/// The entries of a table; none where it is none.
fn map<'e, 't>(entries: &'e [Entry<'t>], key: &str) -> &'e [Entry<'t>] {
    match find(entries, key).map(|entry| &entry.value.kind) {
        Some(Kind::Map(entries)) => entries,
        _ => &[],
    }
}

fn take_map<'t>(entries: &mut [Entry<'t>], key: &str) -> Vec<Entry<'t>> {
    match entries.iter_mut().find(|entry| entry.key.get_ref() == key).map(|entry| &mut entry.value.kind) {
        Some(Kind::Map(entries)) => mem::take(entries),
        _ => Vec::new(),
    }
}

/// Puts back what was taken.
fn put_map<'t>(entries: &mut [Entry<'t>], key: &str, map: Vec<Entry<'t>>) {
    let entry = entries.iter_mut().find(|entry| entry.key.get_ref() == key);
    if let Some(Kind::Map(entries)) = entry.map(|entry| &mut entry.value.kind) {
        *entries = map;
    }
}

fn rename(entry: &mut Entry<'_>, key: &'static str) {
    entry.key = Spanned::new(entry.key.span(), key.into());
}

fn entry<'t>(key: &'static str, place: Span, kind: Kind<'t>) -> Entry<'t> {
    Entry { key: Spanned::new(place.clone(), key.into()), value: Node { kind, span: place } }
}

fn text<'n>(node: &'n Node<'_>) -> Option<&'n str> {
    match &node.kind {
        Kind::String(text) => Some(text),
        Kind::Filled(text) => Some(text),
        _ => None,
    }
}
