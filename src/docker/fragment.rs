//! The proxy's files: one fragment a project, beside the others on the proxy's volume, and the scripts that read, put and
//! take them inside its container. Does not know what is routed where.

use super::Command;
use crate::name::Container;
use crate::name::Domain;
use crate::name::Image;
use crate::name::Network;
use crate::name::Project;
use crate::name::Volume;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::ops::Range;
use std::time::Duration;

/// The proxy's container.
pub const PROXY: &str = "gordon-proxy";

/// The proxy's container before, while it is replaced.
pub const PREVIOUS: &str = "gordon-proxy-previous";

/// The proxy's own network: its name sorts first, for docker hangs published ports on the network whose name does.
pub const NETWORK: &str = "0-gordon-proxy";

/// The volume that the fragments are on.
pub(super) const CONFIG_VOLUME: &str = "gordon-proxy-config";

/// The fragments of all projects.
pub type Fragments = BTreeMap<Project, Fragment>;

/// A project's fragment, and what can be read from it: worked out once, for every app of a project asks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fragment {
    text: String,
    /// By host, the place of its sites in the text.
    sites: BTreeMap<String, Range<usize>>,
    networks: BTreeSet<Network>,
    /// By container, the network on which it is led to.
    leading: BTreeMap<Container, Network>,
}

/// Prints every fragment, its file's name in a line before it, each with a NUL in front.
const READ: &str = r#"cd /config/gordon 2>/dev/null || exit 0
for file in *.caddy; do
  [ ! -f "$file" ] || { printf '\000%s\n' "$file"; cat "$file"; }
done"#;

/// The scripts beside the fragments, by the names of their files; the proxy writes them when it starts. A proxy may be older
/// than this gordon, and has the scripts of its own time: what they are called with, and what they do, stays as it is. No
/// single quote is in them, so that they can stand between two.
pub const SCRIPTS: [(&str, &str); 3] = [("put", PUT), ("take", TAKE), ("ask", ASK)];

/// What is refused, or arrives only in part, leaves everything as it was.
const PUT: &str = r##"# put PROJECT: its routes become those that this reads, once they are valid beside those of the others
set -eu
cd /config/gordon
exec 9>lock
flock 9
rm -rf next
mkdir next
cp Caddyfile next
for file in *.caddy; do [ ! -f "$file" ] || cp "$file" next; done
cat >"next/$1.caddy"
[ "$(tail -n 1 "next/$1.caddy")" = "# end" ] || { echo "the fragment is not whole" >&2; exit 1; }
try() { said=$("$@" 2>&1) || { printf "%s\n" "$said" | tail -n 1 >&2; return 1; }; }
try caddy validate --config next/Caddyfile --adapter caddyfile || exit 1
count=0
until wget -q -O /dev/null http://127.0.0.1:2019/config/ 2>/dev/null; do
  count=$((count + 1))
  [ "$count" -lt 20 ] || { echo "the proxy does not answer" >&2; exit 1; }
  sleep 1
done
rm -f old
[ ! -f "$1.caddy" ] || mv "$1.caddy" old
mv "next/$1.caddy" "$1.caddy"
try caddy reload --config Caddyfile --adapter caddyfile && exit
rm "$1.caddy"
[ ! -f old ] || mv old "$1.caddy"
exit 1
"##;

const TAKE: &str = r#"# take PROJECT: its routes are gone
set -eu
cd /config/gordon
exec 9>lock
flock 9
rm -f "$1.caddy"
caddy reload --config Caddyfile --adapter caddyfile 2>/dev/null
"#;

/// A container that is not there, or that does not answer in time, is no failure here: what brings it up says so.
const ASK: &str = r##"# ask SECONDS: each line that this reads, TARGET HOST, is asked over HTTP until all of them take connections
set -eu
routes=$(cat)
end=$(($(date +%s) + $1))
ask() {
  answer=$(wget -q -O - --header "X-To: $1" --header "X-Host: $2" http://127.0.0.1:2021/ 2>/dev/null) || return 0
  case $answer in *refused*) printf "%s
" "$2: nothing accepts connections at $1: $answer" ;; esac
}
while :; do
  refused=$(printf "%s
" "$routes" | {
    count=0
    while read -r target host; do
      ask "$target" "$host" &
      count=$(((count + 1) % 16))
      [ "$count" -gt 0 ] || wait
    done
    wait
  })
  [ -n "$refused" ] || exit 0
  [ "$(date +%s)" -lt "$end" ] || { printf "%s
" "$refused" >&2; exit 1; }
  sleep 1
done
"##;

/// Writes `text` as the file `name` to the volume, in a container of the proxy's `image` that is gone afterwards: once it has
/// arrived to its last line, `# end`, and is on the disk. A kill or a power failure leaves no part of it.
pub(super) fn set_up(image: &Image, name: &str, text: &str) -> Command {
    let volume = format!("{CONFIG_VOLUME}:/config");
    let mut command =
        Command::new(["run", "--rm", "--interactive", "--network", "none", "--volume", &volume]);
    let write = format!("cd /config && cat >new && grep -q \"^# end\" new && sync && mv new {name}");
    command.extend(["--entrypoint", "sh", image.as_str(), "-c", &write]);
    Command { stdin: Some(text.to_owned()), ..command }
}

/// Reads all fragments in the proxy, which runs.
pub(super) fn read() -> Command {
    Command::new(["exec", PROXY, "sh", "-c", READ])
}

/// Reads all fragments where the proxy does not run, in a container of `image` that is gone afterwards.
pub(super) fn read_without_proxy(image: &str) -> Command {
    let volume = format!("{CONFIG_VOLUME}:/config:ro");
    let flags = ["run", "--rm", "--pull", "never", "--network", "none", "--volume", &volume];
    let mut command = Command::new(flags);
    command.without_proxies();
    command.extend(["--entrypoint", "sh", image, "-c", READ]);
    command
}

/// Puts the fragment of `project`.
pub(super) fn put(project: &Project, text: &str) -> Command {
    let words = ["exec", "--interactive", PROXY, "sh", "/config/gordon/put", project.as_str()];
    Command { stdin: Some(text.to_owned()), ..Command::new(words) }
}

/// Asks each target for its host, as the proxy would.
pub(super) fn ask(routes: &[(String, Domain)], timeout: Duration) -> Command {
    let seconds = timeout.as_secs().to_string();
    let words = ["exec", "--interactive", PROXY, "sh", "/config/gordon/ask", &seconds];
    let lines = routes.iter().map(|(target, host)| format!("{target} {host}\n")).collect();
    Command { stdin: Some(lines), ..Command::new(words) }
}

/// Takes the fragment of `project` away.
pub(super) fn take(project: &Project) -> Command {
    Command::new(["exec", PROXY, "sh", "/config/gordon/take", project.as_str()])
}

/// The volume that holds the fragments.
pub(super) fn volume() -> Volume {
    Volume::parse(CONFIG_VOLUME).expect("it is the name of a volume")
}

/// The fragments in the answer to [`read`].
pub(super) fn fragments(answer: &str) -> Fragments {
    let files = answer.split('\0').filter_map(|file| file.split_once('\n'));
    files
        .filter_map(|(name, text)| {
            Some((Project::parse(name.strip_suffix(".caddy")?).ok()?, Fragment::from(text)))
        })
        .collect()
}

impl From<&str> for Fragment {
    fn from(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            sites: sites(text),
            networks: networks(text).collect(),
            leading: leading(text),
        }
    }
}

impl Fragment {
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

    /// The networks on which the apps are that it leads to, as its comments say.
    pub fn networks(&self) -> &BTreeSet<Network> {
        &self.networks
    }

    /// The network on which it leads to a container; `None` also where an older gordon named none.
    pub fn leading_network(&self, container: &Container) -> Option<&Network> {
        self.leading.get(container)
    }
}

/// A site of a fragment that leads to an app.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RouteSite<'a> {
    /// Its hosts as they stand there, as in `http://a.com, http://b.com`.
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

    /// Where it leads, as in `shop-web:80`.
    pub fn target(&self) -> String {
        format!("{}:{}", self.container, self.port)
    }
}

/// The sites of a fragment's text that lead to apps; those that redirect do not.
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
        // of several replicas the first stands for all
        Some(RouteSite { addresses: addresses.take()?, container, port })
    })
}

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
    use std::path::Path;

    #[test]
    fn fragments_are_told_apart_by_their_files() {
        let answer = "\0shop.caddy\na.com {\n}\n\0gmail.caddy\n\0.caddy\nx\n";
        let fragments = fragments(answer);
        let texts: Vec<_> =
            fragments.iter().map(|(project, fragment)| (project.as_str(), fragment.as_str())).collect();
        assert_eq!(texts, [("gmail", ""), ("shop", "a.com {\n}\n")]);
    }

    #[test]
    fn a_script_stands_between_single_quotes_and_in_a_here_document() {
        for (name, text) in SCRIPTS {
            assert!(!text.contains('\'') && text.ends_with('\n'), "{name}");
            assert!(text.lines().all(|line| line != "END"), "{name}");
            let check =
                assert_cmd::Command::new("shellcheck").args(["--shell=sh", "-"]).write_stdin(text).ok();
            assert!(check.is_ok(), "{check:?}");
        }
    }

    #[test]
    fn where_the_proxy_does_not_run_its_files_are_read_and_nothing_else_is_done() {
        let mut empty = Command::default();
        empty.without_proxies();
        let empty = empty.argv(Path::new("/")).join(" ");
        let line = read_without_proxy("caddy:2").argv(Path::new("/")).join(" ");
        assert_eq!(
            line,
            format!(
                "run --rm --pull never --network none --volume gordon-proxy-config:/config:ro {empty} --entrypoint sh caddy:2 -c {READ}"
            )
        );
    }

    #[test]
    fn one_host_is_one_however_it_is_written() {
        let text = "# network shop-network\n(snippet) {\n}\n:8080 {\n}\nhttp://C.com, d.com:8080 {\n\thandle {\n\t}\n}\nE.com {\n}\n# end\n";
        let fragment = Fragment::from(text);
        assert_eq!(fragment.hosts().collect::<Vec<_>>(), ["c.com", "d.com", "e.com"]);
        let networks: Vec<_> = fragment.networks().iter().map(Network::as_str).collect();
        assert_eq!(networks, ["shop-network"]);
    }

    #[test]
    fn a_host_has_the_sites_that_begin_with_it() {
        let fragment =
            Fragment::from("# a\na.com, b.com {\n\thandle {\n\t}\n}\nc.com {\n}\nhttp://c.com {\n}\n# end\n");
        assert_eq!(fragment.sites("b.com"), Some("a.com, b.com {\n\thandle {\n\t}\n}\n"));
        assert_eq!(fragment.sites("c.com"), Some("c.com {\n}\nhttp://c.com {\n}\n"));
        assert_eq!(fragment.sites("d.com"), None);
    }

    #[test]
    fn a_route_site_leads_to_the_first_of_its_containers() {
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
    fn an_app_is_led_to_on_the_network_behind_its_name() {
        let text = "a.com {\n\treverse_proxy shop-a.com-previous.shop-net.:80 {\n\t\tdynamic a shop-a.com.shop-net. 80 {\n";
        let network = |text: &str, name| {
            let name = Container::parse(name).expect("a name");
            Fragment::from(text).leading_network(&name).map(Network::to_string)
        };
        assert_eq!(network(text, "shop-a.com").as_deref(), Some("shop-net"));
        assert_eq!(network(text, "shop-a"), None);
        assert_eq!(network(&text.replace(".shop-net.", ""), "shop-a.com"), None);
    }
}
