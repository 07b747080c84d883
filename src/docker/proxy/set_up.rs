//! The settings of the proxy's container, and the script that it starts from.

use super::files::SCRIPTS;
use super::names::CONFIG;
use super::names::DATA;
use super::names::volumes;
use crate::docker::CLIENT_PROXIES;
use crate::docker::Op;
use crate::name::EnvKey;
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
/// in `# 2.7` are for a Caddy of 2.7 or newer; an older one goes without. HTTP/3 would take a port of UDP.
const SETTINGS: &str = include_str!("settings.caddy");

/// Asks the container that a request names for its health: a site of its own, which is not reached from outside. A
/// redirect is a good answer, and is not followed.
const HEALTH: &str = include_str!("health.caddy");

/// Asks a container for whatever it has, in the same way: says why where it has no answer.
const ASKING: &str = include_str!("asking.caddy");

/// Writes its files, in place of the line `FILES`, which the next start may find already, and becomes Caddy.
const START: &str = include_str!("start.sh");

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
        ports: [proxy.http_port, proxy.https_port].map(|port| format!("{port}:{port}")).into(),
        restart: RESTART.to_owned(),
        ..Runtime::default()
    }
}

/// The spec of its container, which its label remembers. Other scripts are no reason to replace it, which would
/// interrupt everybody.
pub fn spec(proxy: &Proxy) -> Spec {
    let Runtime { ports, .. } = runtime(proxy);
    Spec::of(&[
        ("image", vec![proxy.image.as_str()]),
        ("command", vec![&settings(proxy)]),
        ("port", ports.iter().map(String::as_str).collect()),
    ])
}

/// Writes what it starts from to its volume.
pub fn set_up(proxy: &Proxy) -> Op {
    Op::WriteSetUp { image: proxy.image.clone(), file: set_up_file(proxy), text: script(proxy) }
}

/// The name of the file that it starts from: another for other settings, so that a proxy that is put back finds its own.
fn set_up_file(proxy: &Proxy) -> String {
    format!("start-{}", hash(&settings(proxy)))
}

/// What makes another proxy of it, beside its image.
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
    format!("{settings}{HEALTH}{ASKING}import *.caddy\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::Image;

    fn proxy(http_port: u16, image: &str) -> Proxy {
        Proxy { image: Image::parse(image).expect("an image"), http_port, https_port: 443 }
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
        let image = Image::parse("caddy:2").expect("an image");
        assert_eq!(spec(&Proxy { image, http_port: 8080, https_port: 8443 }).as_str(), was);
    }

    #[test]
    fn a_set_up_is_whole_when_it_has_its_last_line() {
        let text = script(&proxy(80, "caddy:2"));
        let (before, last) = text.split_at(text.find("\n# end").expect("it has an end"));
        assert!(last == "\n# end\n" && before.is_ascii());
    }
}
