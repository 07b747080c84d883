//! A project's file of routes, and what can be read from it.

use super::sites::SNIPPET;
use crate::name::Container;
use crate::name::Network;
use crate::name::Project;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::ops::Range;

/// The routes files of all projects.
pub type RoutesFiles = BTreeMap<Project, RoutesFile>;

/// A project's routes file, and what can be read from it: worked out once, since every app of a project needs it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RoutesFile {
    text: String,
    /// By host, the place of its sites in the text.
    sites: BTreeMap<String, Range<usize>>,
    networks: BTreeSet<Network>,
    /// By container, the network on which it is routed to.
    leading: BTreeMap<Container, Network>,
}

impl From<&str> for RoutesFile {
    fn from(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            sites: sites(text),
            networks: networks(text).collect(),
            leading: leading(text),
        }
    }
}

impl RoutesFile {
    /// The text, in the proxy's words.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The hosts that it routes, in lower case, without scheme and port: what Caddy would call one host is one here.
    pub fn hosts(&self) -> impl Iterator<Item = &str> {
        self.sites.keys().map(String::as_str)
    }

    /// The sites that route a host, which is in lower case: from the first of them to the last.
    pub fn sites(&self, host: &str) -> Option<&str> {
        self.sites.get(host).map(|place| &self.text[place.clone()])
    }

    /// The networks of the apps that it routes to, as its comments say.
    pub fn networks(&self) -> &BTreeSet<Network> {
        &self.networks
    }

    /// The network on which it routes to a container; `None` also where an older gordon named none.
    pub fn leading_network(&self, container: &Container) -> Option<&Network> {
        self.leading.get(container)
    }
}

/// A site of a routes file that routes to an app.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RouteSite<'a> {
    /// Its hosts as they are written there, as in `http://a.com, http://b.com`.
    pub addresses: &'a str,
    /// The first of the containers that answer.
    pub container: &'a str,
    /// Where they listen.
    pub port: &'a str,
}

impl RouteSite<'_> {
    /// The hosts, in lower case, without scheme and port.
    pub fn hosts(&self) -> impl Iterator<Item = String> {
        hosts(self.addresses)
    }

    /// Its container and port, as in `shop-web:80`.
    pub fn target(&self) -> String {
        format!("{}:{}", self.container, self.port)
    }
}

/// The sites of a routes file's text that route to apps, without those that redirect.
pub fn route_sites(text: &str) -> impl Iterator<Item = RouteSite<'_>> {
    let mut addresses = None;
    text.lines().filter_map(move |line| {
        if !line.starts_with(['\t', '}', '#']) {
            addresses = line.strip_suffix(" {");
            return None;
        }
        let question = line.trim_start();
        let question = question.strip_prefix("dynamic a ").or_else(|| question.strip_prefix("a "))?;
        let (name, port) = question.strip_suffix(" {")?.split_once(' ')?;
        let container = name.strip_suffix('.')?.rsplit_once('.')?.0;
        // the first of several replicas is enough
        Some(RouteSite { addresses: addresses.take()?, container, port })
    })
}

/// The hosts of a routes file's text that are redirected, in lower case, each with the host that its visitors are sent to.
pub fn redirects(text: &str) -> BTreeMap<String, &str> {
    let mut addresses = "";
    let mut redirects = BTreeMap::new();
    for line in text.lines() {
        match line.strip_prefix("\tredir ").and_then(|to| to.split_once("://")) {
            Some((_, to)) if !to.starts_with('{') => {
                let to = to.split([':', '{']).next().unwrap_or_default();
                redirects.extend(hosts(addresses).map(|host| (host, to)));
            }
            Some(_) => {}
            None if line.starts_with(['\t', '}', '#']) => {}
            None => addresses = line.strip_suffix(" {").unwrap_or_default(),
        }
    }
    redirects
}

/// What a site of a routes file has in the config's own words of Caddy, in one line; empty where it has none.
pub fn own_words(site: &str) -> String {
    let snippet = site.split_once(&format!("\t{SNIPPET}")).and_then(|(_, rest)| rest.split_once('\n'));
    let snippet = snippet.and_then(|(_, rest)| rest.split_once("\n}\n")).map_or("", |(snippet, _)| snippet);
    one_line(snippet)
}

/// Lines of a Caddyfile as one, for people.
pub(super) fn one_line(lines: &str) -> String {
    lines.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ⏎ ")
}

/// Where a site routes to, as it says it, whatever else it says.
pub fn routing(site: &str) -> &str {
    let begin = site.find("\treverse_proxy ").unwrap_or(site.len());
    let end = site[begin..].find("\n\t}\n").map_or(site.len(), |end| begin + end);
    &site[begin..end]
}

/// The words of a config in which two sites of one host differ.
pub fn differing_words(one: &str, other: &str) -> Vec<&'static str> {
    WORDS.into_iter().filter(|(_, of)| of(one) != of(other)).map(|(word, _)| word).collect()
}

/// What a site has of a word of the config.
type OfWord = fn(&str) -> Option<&str>;

/// The words of a config that change a site, but not where it routes to.
const WORDS: [(&str, OfWord); 4] = [
    ("tls", |site| {
        let is_secure = |line: &&str| line.starts_with("https://") || line.trim_start() == "tls internal";
        site.lines().rfind(is_secure).map(|line| if line.starts_with('\t') { "internal" } else { "auto" })
    }),
    ("compress", |site| site.lines().find(|line| line.starts_with("\tencode "))),
    ("access_log", |site| site.lines().find(|line| *line == "\tlog {")),
    ("snippet", |site| site.split_once(&format!("\t{SNIPPET}")).map(|(_, rest)| rest)),
];

/// A site goes from the line with its hosts to that with its brace.
fn sites(text: &str) -> BTreeMap<String, Range<usize>> {
    let mut sites: BTreeMap<String, Range<usize>> = BTreeMap::new();
    let mut close = |open: &mut Vec<(String, usize)>, end| {
        for (host, start) in open.drain(..) {
            sites.entry(host).or_insert(start..end).end = end;
        }
    };
    let mut open: Vec<(String, usize)> = Vec::new();
    let mut end = 0;
    for line in text.split_inclusive('\n') {
        let start = end;
        end += line.len();
        let is_first = !line.starts_with([' ', '\t', '#', '(', '{', '}']);
        if let Some(addresses) = line.trim_end().strip_suffix('{').filter(|_| is_first) {
            open.extend(hosts(addresses).map(|host| (host, start)));
        } else if line.starts_with('}') {
            close(&mut open, end);
        }
    }
    close(&mut open, end);
    sites
}

/// The hosts in the line that begins a site.
fn hosts(addresses: &str) -> impl Iterator<Item = String> {
    let hosts = addresses.split(',').map(|address| {
        let bare = address.trim().split_once("://").map_or(address.trim(), |(_, rest)| rest);
        bare.split([':', '/']).next().unwrap_or_default().to_lowercase()
    });
    hosts.filter(|host| !host.is_empty())
}

fn networks(text: &str) -> impl Iterator<Item = Network> {
    let names = text.lines().filter_map(|line| line.strip_prefix("# network "));
    names.filter_map(|name| Network::parse(name).ok())
}

fn leading(text: &str) -> BTreeMap<Container, Network> {
    let mut leading = BTreeMap::new();
    for question in text.split_whitespace().filter_map(|word| word.strip_suffix('.')) {
        if let Some((name, network)) = question.rsplit_once('.')
            && let (Ok(name), Ok(network)) = (Container::parse(name), Network::parse(network))
        {
            leading.entry(name).or_insert(network);
        }
    }
    leading
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_host_is_one_however_it_is_written() {
        let text = "# network shop-network\n(snippet) {\n}\n:8080 {\n}\nhttp://C.com, d.com:8080 {\n\thandle {\n\t}\n}\nE.com {\n}\n# end\n";
        let routes_file = RoutesFile::from(text);
        assert_eq!(routes_file.hosts().collect::<Vec<_>>(), ["c.com", "d.com", "e.com"]);
        let networks: Vec<_> = routes_file.networks().iter().map(Network::as_str).collect();
        assert_eq!(networks, ["shop-network"]);
    }

    #[test]
    fn a_host_has_the_sites_that_begin_with_it() {
        let routes_file = RoutesFile::from(
            "# a\na.com, b.com {\n\thandle {\n\t}\n}\nc.com {\n}\nhttp://c.com {\n}\n# end\n",
        );
        assert_eq!(routes_file.sites("b.com"), Some("a.com, b.com {\n\thandle {\n\t}\n}\n"));
        assert_eq!(routes_file.sites("c.com"), Some("c.com {\n}\nhttp://c.com {\n}\n"));
        assert_eq!(routes_file.sites("d.com"), None);
    }

    const OWN: &str = "\t# snippet of a.com\n\thandle /b {\n\t\trespond b\n\t}\n";

    fn site_with(words: &str) -> String {
        format!("https://a.com {{\n\treverse_proxy x.net.:80 {{\n\t}}\n{words}}}\n")
    }

    #[test]
    fn the_snippet_of_a_site_is_told_in_one_line() {
        assert_eq!(own_words(&site_with(OWN)), "handle /b { ⏎ respond b ⏎ }");
        assert_eq!(own_words(&site_with("")), "");
    }

    #[test]
    fn two_sites_differ_in_the_keys_of_the_config_that_made_them_differ() {
        let plain = site_with("");
        let internal = plain.replace("{\n\trev", "{\n\ttls internal\n\trev");
        for (one, other, words) in [
            (&plain, site_with(OWN), &["snippet"][..]),
            (&plain, internal, &["tls"]),
            (&plain, plain.replace("https", "http"), &["tls"]),
            (&site_with("\tencode zstd gzip\n"), site_with("\tlog {\n\t}\n"), &["compress", "access_log"]),
            (&plain, plain.replace(":80", ":81"), &[]),
        ] {
            assert_eq!(differing_words(one, &other), words, "{one}{other}");
        }
    }

    #[test]
    fn the_routing_of_a_site_is_where_it_routes_to_and_nothing_else() {
        let plain = site_with("");
        assert_eq!(routing(&site_with(OWN)), routing(&plain));
        assert_ne!(routing(&plain.replace(":80", ":81")), routing(&plain));
        assert_eq!(routing(""), "");
    }

    #[test]
    fn a_redirect_to_another_host_is_told_and_one_to_https_is_not() {
        let text = site_with("")
            + "https://W.a.com, https://b.com {\n\tredir https://a.com:8443{uri} 308\n}\n\
               http://a.com {\n\tredir https://{host}:8443{uri} 308\n}\n";
        let expected = BTreeMap::from([("w.a.com".to_owned(), "a.com"), ("b.com".to_owned(), "a.com")]);
        assert_eq!(redirects(&text), expected);
    }

    #[test]
    fn a_route_site_names_the_first_of_its_containers() {
        let text = "# project shop\nhttps://a.com, https://B.com {\n\treverse_proxy x.net.:80 y.net.:80 {\n\t\tdynamic multi {\n\
                    \t\t\ta shop-a.com.net. 80 {\n\t\t\t\trefresh 1s\n\t\t\t}\n\t\t\ta shop-a.com-2.net. 80 {\n\t\t\t}\n\t\t}\n\t}\n}\n\
                    http://a.com {\n\tredir https://{host}:8443{uri} 308\n}\n\
                    http://c.com {\n\treverse_proxy z.net.:81 {\n\t\tdynamic a shop-c.net. 81 {\n\t\t}\n\t}\n}\n# end\n";
        let sites: Vec<_> = route_sites(text).map(|site| (site.addresses, site.target())).collect();
        assert_eq!(
            sites,
            [
                ("https://a.com, https://B.com", "shop-a.com:80".to_owned()),
                ("http://c.com", "shop-c:81".to_owned())
            ]
        );
        let hosts: Vec<_> = route_sites(text).next().expect("a site").hosts().collect();
        assert_eq!(hosts, ["a.com", "b.com"]);
    }

    #[test]
    fn an_app_is_routed_to_on_the_network_behind_its_name() {
        let text = "a.com {\n\treverse_proxy shop-a.com-previous.shop-net.:80 {\n\t\tdynamic a shop-a.com.shop-net. 80 {\n";
        let network = |text: &str, name| {
            let name = Container::parse(name).expect("a name");
            RoutesFile::from(text).leading_network(&name).map(Network::to_string)
        };
        assert_eq!(network(text, "shop-a.com").as_deref(), Some("shop-net"));
        assert_eq!(network(text, "shop-a"), None);
        assert_eq!(network(&text.replace(".shop-net.", ""), "shop-a.com"), None);
    }
}
