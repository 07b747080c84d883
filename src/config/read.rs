//! A tree → a config, section by section. Does not know what sections say about each other.

use super::decode::decode;
use super::decode::did_you_mean;
use super::form::ImageOr;
use super::form::List;
use super::form::OneOrMany;
use super::form::Written;
use super::problem::Problem;
use super::problem::Span;
use super::schema::Config;
use super::schema::Group;
use super::schema::Service;
use super::setting;
use super::table::AppTable;
use super::table::AttachmentTable;
use super::table::RouteTable;
use super::table::ServiceTable;
use super::table::add_servers;
use super::tree::Entry;
use super::tree::Kind;
use super::tree::Node;
use super::upstream::translate;
use crate::name::Domain;
use crate::name::Label;
use crate::name::NameError;
use crate::name::ShortName;
use crate::name::visible;
use crate::spec::Setting;
use crate::spec::Settings;
use serde::de::DeserializeOwned;
use serde::de::IgnoredAny;
use serde_spanned::Spanned;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::collections::BTreeSet;

/// The sections of a config.
const SECTIONS: [&str; 14] = [
    "name",
    "containers",
    "routes",
    "attachments",
    "network_groups",
    "network_isolation",
    "env",
    "volumes",
    "deploy",
    "proxy",
    "apps",
    "services",
    "server",
    "servers",
];

/// Sections that speak to the daemons of the tools that configs may come from.
const FOREIGN: [&str; 26] = [
    "admin",
    "api",
    "app_mounts",
    "auth",
    "auto",
    "auto_route",
    "auto_route_allowed_domains",
    "backups",
    "control",
    "dns",
    "docker",
    "edge",
    "images",
    "limits",
    "logging",
    "network_services",
    "preview",
    "previews",
    "registry",
    "registry_auth",
    "secrets",
    "server",
    "service_routes",
    "ssh",
    "telemetry",
    "tls",
];

/// A config, and what its text says besides.
#[derive(Default)]
pub(super) struct Read {
    pub(super) config: Config,
    /// Attachments whose owner may be unknown, with the owner as it is written.
    pub(super) attachments: Vec<(Spanned<String>, Vec<Service>)>,
    /// The keys of routes and groups, also of those that are wrong.
    pub(super) domains: BTreeMap<String, Span>,
    pub(super) groups: BTreeMap<String, Span>,
    /// Groups without members, right or wrong.
    pub(super) empty_groups: BTreeSet<Label>,
    /// The key of each section.
    pub(super) sections: BTreeMap<String, Span>,
    /// Where `network_isolation.enabled` is set.
    pub(super) isolation_enabled: Option<Span>,
}

/// The config in a tree. What is wrong is reported and left out.
pub(super) fn read(mut root: Node<'_>, text: &str, problems: &mut Vec<Problem>) -> Read {
    let mut read = Read::default();
    translate(&mut root, problems);
    let entries =
        match root.kind {
            Kind::Map(entries) => entries,
            Kind::Null => Vec::new(),
            _ => {
                problems.push(Problem::error(root.span, "a config is a table of sections").hint(format!(
                    "known here: {}",
                    SECTIONS.map(|section| format!("`{section}`")).join(", ")
                )));
                return read;
            }
        };
    let mut foreign = Vec::new();
    for Entry { key, value } in entries {
        let name = key.get_ref().as_ref();
        let is_table = matches!(value.kind, Kind::Map(_));
        if (FOREIGN.contains(&name) && !SECTIONS.contains(&name)) || (name == "server" && is_table) {
            foreign.push((name.to_owned(), key.span()));
            continue;
        }
        if !SECTIONS.contains(&name) {
            problems.push(
                Problem::error(key.span(), format!("unknown section `{}`", visible(name)))
                    .hint(did_you_mean(name, &SECTIONS)),
            );
            continue;
        }
        read.sections.insert(name.to_owned(), key.span());
        // `routes:` with nothing below it, or a variable without a value
        if !matches!(value.kind, Kind::Null | Kind::Cut) {
            read.section(name, value, &mut Reader { text, problems });
        }
    }
    let mut known = BTreeSet::new();
    read.config.servers.retain(|server| known.insert(server.get_ref().clone()));
    if let Some((_, span)) = foreign.first() {
        let names: Vec<_> = foreign.iter().map(|(name, _)| format!("`{name}`")).collect();
        let mut problem = Problem::warning(span.clone(), format!("ignored: {}", names.join(", ")))
            .hint("such sections speak to the daemon of another tool; gordon has none");
        problem.also =
            foreign[1..].iter().map(|(_, span)| (span.clone(), "also ignored".to_owned())).collect();
        problems.push(problem);
    }
    read
}

struct Reader<'r> {
    text: &'r str,
    problems: &'r mut Vec<Problem>,
}

impl Reader<'_> {
    fn decode<T: DeserializeOwned>(&mut self, mut node: Node<'_>) -> Option<T> {
        decode(self.text, &mut node, self.problems)
    }

    /// What a container is described by: an image or a table, and its settings.
    fn container<T: DeserializeOwned>(&mut self, mut node: Node<'_>) -> Option<(T, Settings)> {
        let settings = setting::take(self.text, &mut node, self.problems);
        Some((self.decode(node)?, settings))
    }

    /// A section that holds other settings than the defaults.
    fn settings<T: DeserializeOwned + Default>(&mut self, node: Node<'_>) -> T {
        self.decode(node).unwrap_or_default()
    }

    /// The entries of a section that is a table of things.
    fn entries<'t>(&mut self, node: Node<'t>, expected: &str) -> Vec<Entry<'t>> {
        match node.kind {
            Kind::Map(entries) => entries,
            _ => {
                self.expected(node.span, expected);
                Vec::new()
            }
        }
    }

    fn expected(&mut self, span: Span, expected: &str) {
        self.problems
            .push(Problem::error(span, format!("expected {expected}")).hint(format!("write {expected}")));
    }

    /// In TOML `b.com = "web"` says that `b` holds `com`: the keys that were meant, with their places.
    fn dotted(&mut self, key: &Spanned<Cow<'_, str>>, value: &Node<'_>) -> Vec<Spanned<String>> {
        let mut meant = Vec::new();
        if !key.get_ref().contains('.') && dotted_entries(self.text, value).next().is_some() {
            collect_dotted(self.text, key.get_ref().clone().into_owned(), key.span(), value, &mut meant);
        }
        for key in &meant {
            self.problems.push(
                Problem::error(key.span(), format!("`{}` is taken for keys in keys", visible(key.get_ref())))
                    .hint(format!("put a key with dots in quotes: `\"{}\"`", visible(key.get_ref()))),
            );
        }
        meant
    }

    /// The name that a key is.
    fn name<T>(
        &mut self,
        key: Spanned<Cow<'_, str>>,
        parse: fn(String) -> Result<T, NameError>,
    ) -> Option<Spanned<T>> {
        let span = key.span();
        match parse(key.into_inner().into_owned()) {
            Ok(name) => Some(Spanned::new(span, name)),
            Err(error) => {
                self.problems.push(Problem::error(span, error.to_string()).hint(error.hint()));
                None
            }
        }
    }
}

/// Keys that are valid after a dot: `[routes.localhost.environment]`.
const ROUTE_KEYS: [&str; 19] = [
    "image",
    "id",
    "port",
    "replicas",
    "strategy",
    "domains",
    "redirect_from",
    "tls",
    "compress",
    "access_log",
    "snippet",
    "command",
    "entrypoint",
    "environment",
    "env_file",
    "volumes",
    "health",
    "health_check",
    "restart",
];

/// The entries whose keys come after a dot, as a part of a domain.
fn dotted_entries<'n>(text: &str, node: &'n Node<'n>) -> impl Iterator<Item = &'n Entry<'n>> {
    let entries = match &node.kind {
        Kind::Map(entries) => entries.as_slice(),
        _ => &[],
    };
    entries.iter().filter(|Entry { key, .. }| {
        let name = key.get_ref().as_ref();
        text[..key.span().start].ends_with('.')
            && !ROUTE_KEYS.contains(&name)
            && Setting::find(name).is_none()
    })
}

fn collect_dotted(text: &str, name: String, last: Span, node: &Node<'_>, meant: &mut Vec<Spanned<String>>) {
    let mut is_leaf = true;
    for Entry { key, value } in dotted_entries(text, node) {
        is_leaf = false;
        collect_dotted(text, format!("{name}.{}", key.get_ref()), key.span(), value, meant);
    }
    if is_leaf {
        let whole = last.end.saturating_sub(name.len())..last.end;
        let span = if text.get(whole.clone()) == Some(&name) { whole } else { last };
        meant.push(Spanned::new(span, name));
    }
}

impl Read {
    fn section(&mut self, name: &str, node: Node<'_>, reader: &mut Reader<'_>) {
        let config = &mut self.config;
        match name {
            "name" => config.name = reader.decode(node),
            "routes" => self.routes(node, reader),
            "attachments" => self.attachments(node, reader),
            "network_groups" => self.network_groups(node, reader),
            "containers" => config.containers = setting::defaults(reader.text, node, reader.problems),
            "network_isolation" => {
                self.isolation_enabled = place_of(&node, "enabled");
                config.isolation = reader.settings(node);
            }
            "env" => config.env = reader.settings(node),
            "volumes" => config.volumes = reader.settings(node),
            "deploy" => config.deploy = reader.settings(node),
            "proxy" => config.proxy = reader.settings(node),
            "apps" => self.apps(node, reader),
            "services" => self.services(node, reader),
            "server" | "servers" => {
                let OneOrMany(named) = reader.decode::<OneOrMany<Written>>(node).unwrap_or_default();
                add_servers(&mut config.servers, [OneOrMany(named)]);
            }
            other => unreachable!("`{other}` is a section"),
        }
    }

    fn routes(&mut self, node: Node<'_>, reader: &mut Reader<'_>) {
        for Entry { key, value } in reader.entries(node, "a table of domains, each with an image") {
            let meant = reader.dotted(&key, &value);
            if !meant.is_empty() {
                self.domains.extend(meant.into_iter().map(|key| (key.get_ref().clone(), key.span())));
                continue;
            }
            self.domains.insert(key.get_ref().clone().into_owned(), key.span());
            let domain = reader.name(key, Domain::parse);
            let table = reader.container::<ImageOr<RouteTable>>(value);
            if let (Some(domain), Some((table, settings))) = (domain, table) {
                self.config.routes.push(RouteTable::from(table).into_route(
                    domain,
                    settings,
                    reader.problems,
                ));
            }
        }
    }

    fn attachments(&mut self, node: Node<'_>, reader: &mut Reader<'_>) {
        for Entry { key, value } in
            reader.entries(node, "a table of domains and groups, each with a list of services")
        {
            if !reader.dotted(&key, &value).is_empty() {
                continue;
            }
            let items = match value.kind {
                Kind::List(items) => items,
                _ => {
                    reader.decode::<Vec<IgnoredAny>>(value);
                    Vec::new()
                }
            };
            let services = items.into_iter().filter_map(|item| {
                let (table, settings) = reader.container::<ImageOr<AttachmentTable>>(item)?;
                AttachmentTable::from(table).into_service(settings, reader.problems)
            });
            let services = services.collect();
            self.attachments.push((Spanned::new(key.span(), key.into_inner().into_owned()), services));
        }
    }

    fn network_groups(&mut self, node: Node<'_>, reader: &mut Reader<'_>) {
        for Entry { key, value } in reader.entries(node, "a table of groups, each with a list of domains") {
            self.groups.insert(key.get_ref().clone().into_owned(), key.span());
            let name = reader.name(key, Label::parse);
            let members: Option<List<Spanned<Domain>>> = reader.decode(value);
            if let (Some(name), Some(List { items: members, is_empty })) = (name, members) {
                if is_empty {
                    self.empty_groups.insert(name.get_ref().clone());
                }
                self.config.groups.push(Group { name, members });
            }
        }
    }

    fn apps(&mut self, node: Node<'_>, reader: &mut Reader<'_>) {
        for (key, value) in keyed(node, reader) {
            let table = reader.container::<ImageOr<AppTable>>(value);
            let key = match key {
                Key::Name(name) => Some(name),
                Key::Item => None,
                Key::Wrong => continue,
            };
            let app = table.and_then(|(table, settings)| {
                AppTable::from(table).into_app(key, settings, &mut self.config.servers, reader.problems)
            });
            self.config.apps.extend(app);
        }
    }

    fn services(&mut self, node: Node<'_>, reader: &mut Reader<'_>) {
        for (key, value) in keyed(node, reader) {
            let table = reader.container::<ImageOr<ServiceTable>>(value);
            let key = match key {
                Key::Name(name) => Some(name),
                Key::Item => None,
                Key::Wrong => continue,
            };
            let service = table.and_then(|(table, settings)| {
                ServiceTable::from(table).into_service(
                    key,
                    settings,
                    &mut self.config.servers,
                    reader.problems,
                )
            });
            self.config.services.extend(service);
        }
    }
}

/// What names an app or a service.
enum Key {
    /// Its name.
    Name(Spanned<ShortName>),
    /// Nothing: it is an item of a list.
    Item,
    /// Something that is no name, and has been reported.
    Wrong,
}

/// The entries of a map with their names, or of a list without.
fn keyed<'t>(node: Node<'t>, reader: &mut Reader<'_>) -> Vec<(Key, Node<'t>)> {
    match node.kind {
        Kind::List(list) => list.into_iter().map(|node| (Key::Item, node)).collect(),
        Kind::Map(entries) => entries
            .into_iter()
            .map(|Entry { key, value }| {
                let name = reader.name(key, ShortName::parse);
                (name.map_or(Key::Wrong, Key::Name), value)
            })
            .collect(),
        _ => {
            reader.expected(node.span, "a table of names, or a list of entries with `name`");
            Vec::new()
        }
    }
}

fn place_of(node: &Node<'_>, key: &str) -> Option<Span> {
    match &node.kind {
        Kind::Map(entries) => {
            entries.iter().find(|entry| entry.key.get_ref() == key).map(|entry| entry.value.span.clone())
        }
        _ => None,
    }
}
