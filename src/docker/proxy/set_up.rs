//! The settings of the proxy's container, and the script that it starts from.

use super::files::SCRIPTS;
use super::names::CONFIG;
use super::names::DATA;
use super::names::volumes;
use super::routes_file::one_line;
use crate::docker::CLIENT_PROXIES;
use crate::docker::Op;
use crate::name::EnvKey;
use crate::spec::Http3;
use crate::spec::Mount;
use crate::spec::Proxy;
use crate::spec::Runtime;
use crate::spec::Source;
use crate::spec::Spec;
use crate::spec::hash;

/// Its restart policy, once it has proved itself.
pub const RESTART: &str = "always";

/// How it asks for names. Caddy holds back every request that needs a new answer while it waits for one: a name that no
/// container has at the moment, of which docker asks the host's resolver, is not waited for for long.
const DNS: [&str; 3] = ["ndots:1", "timeout:1", "attempts:2"];

/// Its settings, and what it answers for hosts that no project routes. A certificate of its own authority, for its own name,
/// is there for those whose certificate it does not have; what a route changes closes no websocket for a day. Lines that end
/// in `# 2.7` or `# 2.8` are for a Caddy of that age or newer; an older one goes without. `WORDS` and `SERVERS` are the places
/// of what the config says.
const SETTINGS: &str = include_str!("settings.caddy");

/// Asks the container that a request names for its health: a site of its own, which is not reached from outside. A
/// redirect is a good answer, and is not followed.
const HEALTH: &str = include_str!("health.caddy");

/// Asks a container for whatever it has, in the same way: says why where it has no answer.
const ASKING: &str = include_str!("asking.caddy");

/// Writes its files, in place of the line `FILES`, which the next start may find already, and becomes Caddy.
const START: &str = include_str!("start.sh");

/// Begins the line before the words of the config for all sites.
const OWN_WORDS: &str = "# snippet of the proxy";

/// Whether a set-up holds words of the config, which Caddy may refuse.
pub(super) fn has_own_words(text: &str) -> bool {
    text.contains(OWN_WORDS)
}

/// What a set-up has of the config, each in a line for people.
pub fn set_up_words(text: &str) -> Vec<String> {
    let words = text
        .split_once(&format!("\t{OWN_WORDS}\n"))
        .and_then(|(_, rest)| rest.split_once("\n\tservers {\n\t\tprot"));
    let words = words.map(|(words, _)| format!("snippet {}", one_line(words)));
    let trusted = text.lines().find_map(|line| line.strip_prefix("\t\ttrusted_proxies static "));
    words.into_iter().chain(trusted.map(|trusted| format!("trusts {trusted}"))).collect()
}

/// The settings of its container.
pub fn runtime(proxy: &Proxy) -> Runtime {
    let [data, config] = volumes();
    let mount = |volume, target: &str| Mount {
        source: Source::Volume(volume),
        target: target.to_owned(),
        read_only: false,
        relabel: None,
        files: None,
    };
    Runtime {
        entrypoint: vec!["sh".to_owned()],
        command: vec![format!("{}/{}", CONFIG.1, set_up_file(proxy))],
        mounts: vec![mount(data, DATA.1), mount(config, CONFIG.1)],
        dns: DNS.map(str::to_owned).into(),
        env: CLIENT_PROXIES.map(|name| (EnvKey::parse(name).expect("a key"), String::new())).into(),
        ports: own_ports(proxy).chain(http3_port(proxy)).collect(),
        restart: RESTART.to_owned(),
        ..Runtime::default()
    }
}

fn own_ports(proxy: &Proxy) -> impl Iterator<Item = String> + use<> {
    [proxy.http_port, proxy.https_port].into_iter().map(|port| format!("{port}:{port}"))
}

fn http3_port(proxy: &Proxy) -> Option<String> {
    (proxy.http3 != Http3::Off).then(|| format!("{0}:{0}/udp", proxy.https_port))
}

/// The spec of its container, which its label remembers. Other scripts are no reason to replace it, which would
/// interrupt everybody; nor is HTTP/3, unless the config asks for it.
pub fn spec(proxy: &Proxy) -> Spec {
    let ports: Vec<String> = own_ports(proxy).collect();
    let plain =
        Proxy { http3: Http3::Off, trusted_proxies: Vec::new(), snippet: String::new(), ..proxy.clone() };
    let command = settings(&plain);
    let mut parts = vec![
        ("image", vec![proxy.image.as_str()]),
        ("command", vec![&command]),
        ("port", ports.iter().map(String::as_str).collect()),
        ("trusted_proxies", proxy.trusted_proxies.iter().map(String::as_str).collect()),
    ];
    match proxy.http3 {
        Http3::Usual => {}
        Http3::On => parts.push(("http3", vec!["on"])),
        Http3::Off => parts.push(("http3", vec!["off"])),
    }
    if !proxy.snippet.is_empty() {
        parts.push(("snippet", vec![&proxy.snippet]));
    }
    Spec::of(&parts)
}

/// Writes what it starts from to its volume.
pub fn set_up(proxy: &Proxy) -> Op {
    Op::WriteSetUp { image: proxy.image.clone(), file: set_up_file(proxy), text: script(proxy) }
}

/// The name of the file that it starts from: another for other settings, so that a proxy that is put back finds its own.
fn set_up_file(proxy: &Proxy) -> String {
    format!("start-{}", hash(&settings(proxy)))
}

/// What it starts from, and how it asks for names.
fn settings(proxy: &Proxy) -> String {
    format!("{} {}", caddyfile(proxy), DNS.join(" "))
}

fn script(proxy: &Proxy) -> String {
    let caddyfile = caddyfile(proxy);
    let files = [("Caddyfile", caddyfile.as_str())].into_iter().chain(SCRIPTS);
    let write = |(name, text)| format!("cat >new <<\"END\"\n{text}END\nmv new {name}\n");
    START.replace("FILES\n", &files.map(write).collect::<String>())
}

fn caddyfile(proxy: &Proxy) -> String {
    let settings = SETTINGS.replace("HTTP_PORT", &proxy.http_port.to_string());
    let settings = settings.replace("HTTPS_PORT", &proxy.https_port.to_string());
    let http3 = if proxy.http3 == Http3::Off { "" } else { " h3" };
    let settings = settings.replace(" HTTP3", http3);
    let mut servers = String::new();
    if !proxy.trusted_proxies.is_empty() {
        let trusted = proxy.trusted_proxies.join(" ");
        // without the second line a client could put any address before its own
        servers = format!("\t\ttrusted_proxies static {trusted}\n\t\ttrusted_proxies_strict # 2.8\n");
    }
    let settings = settings.replace("\t\tSERVERS\n", &servers);
    let mut words = String::new();
    if !proxy.snippet.is_empty() {
        let lines = proxy.snippet.lines().map(|line| match line {
            "" => "\n".to_owned(),
            line => format!("\t{line}\n"),
        });
        words = format!("\t{OWN_WORDS}\n{}", lines.collect::<String>());
    }
    let settings = settings.replace("\tWORDS\n", &words);
    format!("{settings}{HEALTH}{ASKING}import *.caddy\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::Image;

    fn proxy(http_port: u16, image: &str) -> Proxy {
        Proxy {
            image: Image::parse(image).expect("an image"),
            http_port,
            https_port: 443,
            http3: Http3::Usual,
            trusted_proxies: Vec::new(),
            snippet: String::new(),
        }
    }

    #[test]
    fn the_proxy_has_none_of_the_client_s_proxies() {
        let env = runtime(&proxy(80, "caddy:2")).env;
        let empty = |name| env.iter().any(|(key, value)| key.as_str() == name && value.is_empty());
        assert!(CLIENT_PROXIES.into_iter().all(empty), "{env:?}");
    }

    #[test]
    fn other_ports_or_another_image_make_another_proxy() {
        let before = spec(&proxy(80, "caddy:2"));
        let parts = |other: &Proxy| {
            spec(other).differences(&before).iter().map(|d| d.part.to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(parts(&proxy(8080, "caddy:2")), ["command", "port"]);
        assert_eq!(parts(&proxy(80, "caddy:2.9")), ["image"]);
        // one that is put back finds the set-up with its own ports
        let file = |http_port, image| set_up_file(&proxy(http_port, image));
        assert_ne!(file(8080, "caddy:2"), file(80, "caddy:2"));
        assert_eq!(file(80, "caddy:2.9"), file(80, "caddy:2"));
    }

    #[test]
    fn a_proxy_of_the_version_before_is_the_same_proxy() {
        let was = "command:8a8b78f1/image:60eaacfb/port:2a220460,e8f65b14";
        let proxy = Proxy { https_port: 8443, ..proxy(8080, "caddy:2") };
        assert_eq!(spec(&proxy).as_str(), was);
        assert_eq!(
            spec(&Proxy { http3: Http3::Off, ..proxy.clone() }).as_str(),
            "command:8a8b78f1/http3:b4dc66dd/image:60eaacfb/port:2a220460,e8f65b14"
        );
        // it starts from the file that it has, which one with HTTP/3 does not overwrite
        assert_eq!(set_up_file(&Proxy { http3: Http3::Off, ..proxy.clone() }), "start-8a8b78f1");
        assert_ne!(set_up_file(&proxy), "start-8a8b78f1");
    }

    #[test]
    fn what_the_config_says_for_all_sites_is_in_the_set_up_and_in_the_spec() {
        let plain = proxy(80, "caddy:2");
        let trusted_proxies = vec!["private_ranges".to_owned(), "192.0.2.0/24".to_owned()];
        let own = Proxy { trusted_proxies, snippet: "email a@b.com\n\nlog {\n}".to_owned(), ..plain.clone() };
        let text = caddyfile(&own);
        for words in [
            "\t# snippet of the proxy\n\temail a@b.com\n\n\tlog {\n\t}\n\tservers {\n\t\tprotocols h1 h2 h3\n",
            "\t\ttrusted_proxies static private_ranges 192.0.2.0/24\n\t\ttrusted_proxies_strict # 2.8\n\t}\n}\n",
        ] {
            assert!(text.contains(words), "{text}");
        }
        assert_eq!(
            set_up_words(&script(&own)),
            ["snippet email a@b.com ⏎ log { ⏎ }", "trusts private_ranges 192.0.2.0/24"]
        );
        assert!(set_up_words(&script(&plain)).is_empty());
        assert!(has_own_words(&script(&own)) && !has_own_words(&script(&plain)));
        let (own, plain) = (spec(&own), spec(&plain));
        let parts: Vec<&str> = own.differences(&plain).iter().map(|difference| difference.part).collect();
        assert_eq!(parts, ["snippet", "trusted_proxies", "trusted_proxies"]);
    }

    #[test]
    fn a_set_up_is_whole_when_it_has_its_last_line() {
        let text = script(&proxy(80, "caddy:2"));
        let (before, last) = text.split_at(text.find("\n# end").expect("it has an end"));
        assert!(last == "\n# end\n" && before.is_ascii());
    }
}
