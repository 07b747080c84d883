//! Translates the keys of Gordon and of Luma, where gordon has others, in the tree of a config. Does not know what the keys do.

use super::manifest::join_routed_services;
use super::manifest::resolve_ports;
use super::manifest::take_manifest;
use super::problem::Problem;
use super::tree::Entry;
use super::tree::Kind;
use super::tree::Node;
use crate::name::visible;
use Meaning::Implied;
use Meaning::LeftOut;
use Meaning::Refused;
use Meaning::Renamed;
use serde_spanned::Spanned;
use std::borrow::Cow;
use std::mem;

/// What a key means here.
enum Meaning {
    /// It has this name here, and these of its values have others.
    Renamed(&'static str, &'static [(&'static str, &'static str)]),
    /// It says what gordon does anyway.
    Implied,
    /// It means nothing here, which is a warning with this hint.
    LeftOut(&'static str),
    /// It cannot be had, which is an error with this way out.
    Refused(&'static str),
}

/// A key of another tool.
struct Word {
    /// The keys above it; `*` is any, as is an item of a list. Several have blanks between them.
    place: &'static str,
    key: &'static str,
    /// The values for which this holds, a table or a list of tables by its sign; none: any.
    values: &'static [&'static str],
    meaning: Meaning,
}

const TABLE: &str = "{}";
const TABLES: &str = "[{}]";

const READINESS: &str =
    "gordon sees how an app is ready: by its `health`, by its image's check, else by its port";
const DRAIN: &str = "a release before answers until its requests have ended, at most for `drain`";
const BUILD: &str = "gordon builds no images: `docker build` this one under the name that `image` says";
const PUBLISH: &str =
    "a port that the host is to have is published: `ports = [\"28015:28015/udp\"]`; others need no word";
const BACKUP: &str = "gordon makes no backups; `docker exec` runs what does, as in `pg_dump`";
const REGISTRY: &str = "the registry is a part of `image`; `docker login` tells docker who you are";

/// The first that fits an entry counts.
const WORDS: &[Word] = &[
    word(
        "",
        "external_routes",
        &[],
        LeftOut(
            "gordon routes to containers; another host goes into a `snippet` of a route, as in \
         `handle { reverse_proxy 10.0.0.5:9000 }`",
        ),
    ),
    word(
        "",
        "entrypoints",
        &[],
        LeftOut(
            "`http_port` and `https_port` in `[proxy]` say where it listens; other ports are a service's `ports`",
        ),
    ),
    word("", "traffic", &[], LeftOut(PUBLISH)),
    word(
        "deploy",
        "pull_policy",
        &[],
        Renamed("pull", &[("if-not-present", "missing"), ("if-tag-changed", "always")]),
    ),
    word("deploy", "readiness_mode", &["auto"], Implied),
    word("deploy", "readiness_mode", &[], LeftOut(READINESS)),
    word("deploy", "readiness_delay", &[], LeftOut(READINESS)),
    word("deploy", "drain_timeout", &[], Renamed("drain", &[])),
    word("deploy", "drain_mode", &["auto", "inflight"], Implied),
    word("deploy", "drain_mode", &[], LeftOut(DRAIN)),
    word("deploy", "drain_delay", &[], LeftOut(DRAIN)),
    word("volumes", "preserve", &["true"], Implied),
    word(
        "volumes",
        "preserve",
        &[],
        Refused("remove it: volumes stay until `gordon down --volumes` removes them with their project"),
    ),
    word("network_isolation", "internal", &["false"], Implied),
    word(
        "network_isolation",
        "internal",
        &[],
        Refused(
            "remove it: containers of a network reach what is outside; close that on the host's firewall",
        ),
    ),
    word(
        "env",
        "providers",
        &[],
        LeftOut(
            "a secret has a command that prints it: `secret = [{ name = \"TOKEN\", command = [\"pass\", \"show\", \"shop/token\"] }]`",
        ),
    ),
    word("containers", "security_profile", &["compat"], Implied),
    word(
        "containers",
        "security_profile",
        &[],
        Refused("write `cap_drop = [\"ALL\"]` and `security_opt = [\"no-new-privileges\"]`"),
    ),
    word("containers", "memory_limit", &[], Renamed("memory", &[])),
    word("containers", "cpu_limit", &[], Renamed("cpus", &[])),
    word("routes.*", "https", &["true"], Implied),
    word("routes.*", "https", &["false"], Renamed("tls", &[])),
    word("apps.* services.*", "build", &[], LeftOut(BUILD)),
    word("apps.* services.*", "registry", &[], LeftOut(REGISTRY)),
    word("apps.* services.*", "healthcheck", &[], Renamed("health", &[])),
    word("apps.* services.*", "readiness", &[], LeftOut(READINESS)),
    word("apps.* services.*", "stop_grace", &[], Renamed("stop_timeout", &[])),
    word(
        "apps.* services.*",
        "bind",
        &[],
        Refused("write the host's path: `volumes = [\"/srv/logs:/var/log/app:ro\"]`"),
    ),
    word("apps.* services.*", "database", &[], LeftOut(BACKUP)),
    word("apps.* services.*", "backup", &[], LeftOut(BACKUP)),
    word("apps.* services.*", "tcp", &[], Refused(PUBLISH)),
    word("apps.* services.*", "udp", &[], Refused(PUBLISH)),
    word("services.*", "env", &[], Renamed("environment", &[])),
    word("services.*", "enabled", &["true"], Implied),
    word(
        "services.*",
        "enabled",
        &[],
        Refused("remove the service: gordon removes the containers that its config no longer names"),
    ),
    word("services.*", "cleanup", &[], LeftOut("volumes stay until `gordon down --volumes` removes them")),
    word("services.*", "ports", &[TABLE], LeftOut(PUBLISH)),
    word("services.*", "ports", &[TABLES], Refused(PUBLISH)),
    word("apps.*.proxy", "ssl", &["true"], Implied),
    word("apps.*.proxy", "ssl", &["false"], Renamed("tls", &[])),
    word("apps.*.proxy", "ssl_redirect", &["true"], Implied),
    word(
        "apps.*.proxy",
        "ssl_redirect",
        &[],
        Refused("remove it: HTTP is redirected where there is HTTPS; `tls = false` is HTTP alone"),
    ),
    word("apps.*.proxy", "forward_headers", &["true"], Implied),
    word("apps.*.proxy", "forward_headers", &[], LeftOut("an app always learns its client's address")),
    word(
        "apps.*.proxy",
        "response_timeout",
        &[],
        LeftOut("the proxy waits for an app as long as its client does"),
    ),
];

impl Word {
    fn places(&self) -> impl Iterator<Item = &'static str> {
        self.place.split(' ')
    }
}

const fn word(
    place: &'static str,
    key: &'static str,
    values: &'static [&'static str],
    meaning: Meaning,
) -> Word {
    Word { place, key, values, meaning }
}

/// Translates the tree. What it leaves out or refuses is a problem.
pub(super) fn translate(root: &mut Node<'_>, problems: &mut Vec<Problem>) {
    let Kind::Map(sections) = &mut root.kind else { return };
    take_manifest(sections, problems);
    resolve_ports(sections);
    move_routed_services(sections);
    for Entry { key, value } in sections.iter_mut() {
        if ["routes", "attachments"].contains(&key.get_ref().as_ref()) {
            take_schemes(value, key.get_ref() == "routes");
        }
    }
    translate_at(root, "", problems);
    if let Kind::Map(sections) = &mut root.kind {
        join_routed_services(sections, problems);
    }
}

/// Translates the keys at this place, and below it.
fn translate_at(node: &mut Node<'_>, place: &str, problems: &mut Vec<Problem>) {
    let below = |key: &str| if place.is_empty() { key.to_owned() } else { format!("{place}.{key}") };
    let is_of_names = ["routes", "apps", "services"].contains(&place);
    match &mut node.kind {
        Kind::List(items) if is_of_names => {
            items.iter_mut().for_each(|item| translate_at(item, &below("*"), problems));
        }
        Kind::Map(entries) => {
            let here: Vec<&Word> = WORDS.iter().filter(|word| word.places().any(|of| of == place)).collect();
            let keys: Vec<String> = entries.iter().map(|entry| entry.key.get_ref().to_string()).collect();
            entries.retain_mut(|entry| keep(entry, &here, &keys, problems));
            for Entry { key, value } in entries {
                let name = if is_of_names { "*" } else { key.get_ref().as_ref() };
                let place = below(name);
                if WORDS.iter().any(|word| word.places().any(|of| of.starts_with(&place))) {
                    translate_at(value, &place, problems);
                }
            }
        }
        _ => {}
    }
}

/// Translates an entry. Gives whether it stays.
fn keep(entry: &mut Entry<'_>, here: &[&Word], keys: &[String], problems: &mut Vec<Problem>) -> bool {
    let value = match &entry.value.kind {
        Kind::Bool(value, _) => Some(value.to_string()),
        Kind::String(value) => Some(value.to_string()),
        Kind::Filled(value) => Some(value.clone()),
        Kind::Map(_) => Some(TABLE.to_owned()),
        Kind::List(items) if items.iter().any(|item| matches!(item.kind, Kind::Map(_))) => {
            Some(TABLES.to_owned())
        }
        _ => None,
    };
    let fits = |word: &&&Word| {
        word.key == entry.key.get_ref()
            && (word.values.is_empty() || value.as_deref().is_some_and(|value| word.values.contains(&value)))
    };
    let Some(word) = here.iter().find(fits) else { return true };
    let (key, place) = (visible(entry.key.get_ref()).to_string(), entry.key.span());
    match word.meaning {
        Renamed(name, _) if keys.iter().any(|key| key == name) => true,
        Renamed(name, words) => {
            entry.key = Spanned::new(place, name.into());
            let to = words.iter().find(|(from, _)| value.as_deref() == Some(from));
            if let Some((_, to)) = to {
                entry.value.kind = Kind::String(Cow::Borrowed(to));
            }
            true
        }
        Implied => false,
        LeftOut(why) => {
            problems.push(Problem::warning(place, format!("left out: `{key}`")).hint(why));
            false
        }
        Refused(way_out) => {
            problems.push(Problem::error(place, format!("gordon has no `{key}`")).hint(way_out));
            false
        }
    }
}

/// Luma's services that answer to hosts, or are several, are apps.
fn move_routed_services(sections: &mut Vec<Entry<'_>>) {
    let position = |name: &str| sections.iter().position(|entry| entry.key.get_ref() == name);
    let (Some(services), apps) = (position("services"), position("apps")) else { return };
    // a list and a table do not join: they stay services, whose table has no such key
    let form = |at: usize| mem::discriminant(&sections[at].value.kind);
    if apps.is_some_and(|apps| form(apps) != form(services)) {
        return;
    }
    let is_app = |node: &Node<'_>| match &node.kind {
        Kind::Map(entries) => {
            entries.iter().any(|entry| ["proxy", "replicas"].contains(&entry.key.get_ref().as_ref()))
        }
        _ => false,
    };
    let (key, place) = (sections[services].key.span(), sections[services].value.span.clone());
    let moved = match &mut sections[services].value.kind {
        Kind::Map(entries) => Kind::Map(entries.extract_if(.., |entry| is_app(&entry.value)).collect()),
        Kind::List(items) => Kind::List(items.extract_if(.., |item| is_app(item)).collect()),
        _ => return,
    };
    match &moved {
        Kind::Map(entries) if entries.is_empty() => return,
        Kind::List(items) if items.is_empty() => return,
        _ => {}
    }
    let Some(apps) = apps else {
        let value = Node { kind: moved, span: place };
        return sections.push(Entry { key: Spanned::new(key, "apps".into()), value });
    };
    match (&mut sections[apps].value.kind, moved) {
        (Kind::Map(apps), Kind::Map(moved)) => apps.extend(moved),
        (Kind::List(apps), Kind::List(moved)) => apps.extend(moved),
        _ => unreachable!("services and apps are both tables or both lists"),
    }
}

/// A domain may be written as a URL; over `http://` it is HTTP alone.
fn take_schemes(node: &mut Node<'_>, is_routes: bool) {
    let Kind::Map(entries) = &mut node.kind else { return };
    for Entry { key, value } in entries {
        let url = key.get_ref().clone().into_owned();
        let Some((scheme, host)) =
            url.split_once("://").filter(|(scheme, _)| ["http", "https"].contains(scheme))
        else {
            continue;
        };
        let place = key.span();
        *key = Spanned::new(place.clone(), host.to_owned().into());
        if !is_routes || scheme == "https" {
            continue;
        }
        if matches!(value.kind, Kind::String(_) | Kind::Filled(_)) {
            let image = Node { kind: mem::replace(&mut value.kind, Kind::Null), span: value.span.clone() };
            value.kind =
                Kind::Map(vec![Entry { key: Spanned::new(place.clone(), "image".into()), value: image }]);
        }
        if let Kind::Map(entries) = &mut value.kind
            && entries.iter().all(|entry| !["tls", "https"].contains(&entry.key.get_ref().as_ref()))
        {
            let off = Node { kind: Kind::String("off".into()), span: place.clone() };
            entries.push(Entry { key: Spanned::new(place, "tls".into()), value: off });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_word_is_in_the_docs() {
        let docs = include_str!("../../docs/coming-from.md");
        for Word { place, key, .. } in WORDS {
            assert!(docs.contains(key), "{place} {key}");
        }
    }

    #[test]
    fn what_fits_any_value_is_the_last_of_its_key() {
        for (at, word) in WORDS.iter().enumerate().filter(|(_, word)| word.values.is_empty()) {
            let is_same = |other: &&Word| (other.place, other.key) == (word.place, word.key);
            assert!(!WORDS[at + 1..].iter().any(|other| is_same(&other)), "{} {}", word.place, word.key);
        }
    }
}
