//! Which hosts lead to which app, and the proxy that knows the way. Does not know what a host's proxy routes now.

use super::Naming;
use super::Role;
use super::Workload;
use crate::docker::CLIENT_PROXIES;
use crate::docker::Mount;
use crate::docker::Runtime;
use crate::docker::SCRIPTS;
use crate::docker::Source;
use crate::docker::Spec;
use crate::docker::hash;
use crate::name::Alias;
use crate::name::Container;
use crate::name::Domain;
use crate::name::EnvKey;
use crate::name::Image;
use crate::name::Network;
use crate::name::Project;
use crate::name::Volume;
use std::fmt::Write;

/// Where the proxy keeps its certificates.
const DATA: (&str, &str) = ("gordon-proxy-data", "/data");

/// Where it keeps what it routes.
const CONFIG: (&str, &str) = ("gordon-proxy-config", "/config");

/// How it asks for names. Caddy answers nobody who needs a new answer while it waits for one: a name that no container has
/// at the moment, of which docker asks the host's resolver, is not waited for for long.
const DNS: [&str; 3] = ["ndots:1", "timeout:1", "attempts:2"];

/// Its settings, and what it answers for hosts that no project routes. A certificate of its own authority, for its own name,
/// is there for those whose certificate it does not have; what a route changes closes no websocket for a day. Lines that end
/// in [`SINCE_2_7`] are for a Caddy of 2.7 or newer. HTTP/3 would take a port of UDP.
fn settings(http_port: u16, https_port: u16) -> String {
    format!(
        "\
{{
	http_port {http_port}
	https_port {https_port}
	skip_install_trust
	fallback_sni gordon-proxy{SINCE_2_7}
	servers {{
		protocols h1 h2
	}}
}}
(gordon-streams) {{
	stream_close_delay 24h{SINCE_2_7}
}}
http://, https:// {{
	respond \"no app has this host\" 404
}}
https://gordon-proxy {{
	tls internal
	respond \"no app has this host\" 404
}}
"
    )
}

/// How a line of the settings ends that an older Caddy does not know, and goes without.
const SINCE_2_7: &str = " # 2.7";

/// Takes those lines from the settings of an older Caddy.
const OLD_CADDY: &str = "\
case $(caddy version) in
  2.[0-6].* | v2.[0-6].*) sed -i \"/ # 2.7$/d\" Caddyfile ;;
esac
";

/// Asks a container for its health, for whoever names it: its own site, which nobody outside reaches. A redirect is a good
/// answer, and is not followed.
const HEALTH: &str = "\
http://127.0.0.1:2020 {
	bind 127.0.0.1
	reverse_proxy {http.request.header.X-To} {
		header_up Host {http.request.header.X-Host}
		header_up X-Forwarded-Proto https
		header_up -X-To
		header_up -X-Host
		transport http {
			dial_timeout 5s
			response_header_timeout 5s
		}
		@ready status 2xx 3xx
		handle_response @ready {
			respond ready
		}
	}
}
";

/// Asks a container for whatever it has, in the same way: says why where it has no answer.
const ASKING: &str = "\
http://127.0.0.1:2021 {
	bind 127.0.0.1
	reverse_proxy {http.request.header.X-To} {
		header_up Host {http.request.header.X-Host}
		header_up X-Forwarded-Proto https
		header_up -X-To
		header_up -X-Host
		transport http {
			dial_timeout 2s
			response_header_timeout 2s
		}
		handle_response {
			respond reached
		}
	}
	handle_errors {
		respond {err.message} 200
	}
}
";

/// The hosts that lead to an app.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// The hosts; at least one.
    pub hosts: Vec<Domain>,
    /// The stem of the app.
    pub stem: String,
    /// What comes after the stem.
    pub naming: Naming,
    /// How many containers answer.
    pub replicas: u32,
    /// Where they listen.
    pub port: u16,
    /// The name that is one of a kind on the host, for proxies of other people.
    pub alias: Alias,
    /// The networks that they are on; on the first of them the proxy finds them.
    pub networks: Vec<Network>,
}

/// The proxy of a host, as a config would have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proxy {
    /// What it runs.
    pub image: Image,
    /// Its port of the host for HTTP.
    pub http_port: u16,
    /// Its port of the host for HTTPS.
    pub https_port: u16,
}

/// Where certificates come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tls {
    /// A public authority.
    Auto,
    /// The proxy's own authority.
    Internal,
    /// Nowhere: HTTP alone.
    Off,
}

impl Tls {
    /// As the config says it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Internal => "internal",
            Self::Off => "off",
        }
    }

    /// What stands before a host in a Caddyfile: without it, Caddy would take the host `import` for a directive.
    pub fn scheme(self) -> &'static str {
        if self == Self::Off { "http://" } else { "https://" }
    }

    /// What a site of a Caddyfile says of its certificate, when it says something.
    pub fn directive(self) -> Option<&'static str> {
        (self == Self::Internal).then_some("tls internal")
    }
}

impl Route {
    /// The name that finds its containers from outside of the project, as far as there is one: docker's default bridge
    /// knows none, and gives no other than the container's.
    pub fn name(&self) -> String {
        if self.networks.is_empty() {
            self.container(Role::Serving, 1).to_string()
        } else {
            self.alias.to_string()
        }
    }

    /// The name, and where it listens: `gmail-web:3000`.
    pub fn target(&self) -> String {
        format!("{}:{}", self.name(), self.port)
    }

    /// The name of the container of this role and replica, counted from 1.
    pub fn container(&self, role: Role, replica: u32) -> Container {
        self.naming.container(&self.stem, role, replica)
    }

    /// What the proxy asks docker for: a container in a network. Docker asks the resolver of the host for what it does not
    /// know, and no public domain ends in a network's name; the dot at the end keeps that of the host from being added.
    fn question(&self, role: Role, replica: u32) -> String {
        let network = self.networks.first().expect("who is led to is on a network");
        format!("{}.{network}.", self.container(role, replica))
    }

    /// Where the proxy finds the first of its containers.
    pub fn upstream(&self) -> String {
        format!("{}:{}", self.question(Role::Serving, 1), self.port)
    }

    /// The route in the proxy's words: it asks for the names of the containers that serve, each second anew, and for those
    /// of the release before in the moment in which nobody has these. Caddy's own redirect to HTTPS leads to port 443.
    pub fn site(&self, tls: Tls, https_port: u16) -> String {
        let mut text = String::new();
        let sites = |scheme: &str| -> String {
            self.hosts.iter().map(|host| format!("{scheme}{host}")).collect::<Vec<_>>().join(", ")
        };
        let upstream = |replica| format!("{} {}", self.question(Role::Serving, replica), self.port);
        let fallback = |replica| format!("{}:{}", self.question(Role::Previous, replica), self.port);
        let replicas = || 1..=self.replicas;
        let mut line = |depth: usize, words: &str| {
            writeln!(text, "{:\t<depth$}{words}", "").expect("a string takes all");
        };
        line(0, &format!("{} {{", sites(tls.scheme())));
        if let Some(directive) = tls.directive() {
            line(1, directive);
        }
        line(1, &format!("reverse_proxy {} {{", replicas().map(fallback).collect::<Vec<_>>().join(" ")));
        let name = |line: &mut dyn FnMut(usize, &str), depth, word: &str, replica| {
            line(depth, &format!("{word} {} {{", upstream(replica)));
            line(depth + 1, "refresh 1s");
            line(depth, "}");
        };
        if self.replicas == 1 {
            name(&mut line, 2, "dynamic a", 1);
        } else {
            line(2, "dynamic multi {");
            replicas().for_each(|replica| name(&mut line, 3, "a", replica));
            line(2, "}");
        }
        line(2, "lb_try_duration 5s");
        // apps take these for the proxy's word
        line(2, "header_up X-Real-IP {remote_host}");
        line(2, "header_up -Forwarded");
        line(2, "import gordon-streams");
        line(1, "}");
        line(0, "}");
        if tls != Tls::Off && https_port != 443 {
            line(0, &format!("{} {{", sites("http://")));
            line(1, &format!("redir https://{{host}}:{https_port}{{uri}} 308"));
            line(0, "}");
        }
        text
    }
}

/// All that the proxy has to know of a project's routes; the same for the same routes.
pub fn fragment(project: &Project, routes: &[Route], tls: Tls, https_port: u16) -> String {
    let mut text = format!("# project {project}\n");
    let mut networks: Vec<&Network> = routes.iter().flat_map(|route| &route.networks).collect();
    networks.sort();
    networks.dedup();
    for network in networks {
        writeln!(text, "# network {network}").expect("a string takes all");
    }
    for route in routes {
        text.push_str(&route.site(tls, https_port));
    }
    text.push_str("# end\n");
    text
}

impl Proxy {
    /// Its named volumes: for its certificates, and for what it routes.
    pub fn volumes() -> [Volume; 2] {
        [DATA, CONFIG].map(|(name, _)| Volume::parse(name).expect("it is the name of a volume"))
    }

    /// The paths of its volumes inside.
    pub fn paths() -> [&'static str; 2] {
        [DATA, CONFIG].map(|(_, path)| path)
    }

    /// Its restart policy, once it has proved itself.
    pub const RESTART: &'static str = "always";

    /// What its container is told.
    pub fn runtime(&self) -> Runtime {
        let [data, config] = Self::volumes();
        let mount = |volume, target: &str| Mount {
            source: Source::Volume(volume),
            target: target.to_owned(),
            read_only: false,
        };
        Runtime {
            entrypoint: vec!["sh".to_owned()],
            command: vec![format!("{}/{}", CONFIG.1, self.set_up_file())],
            mounts: vec![mount(data, DATA.1), mount(config, CONFIG.1)],
            dns: DNS.map(str::to_owned).into(),
            env: CLIENT_PROXIES.map(|name| (EnvKey::parse(name).expect("a key"), String::new())).into(),
            ports: [self.http_port, self.https_port].map(|port| format!("{port}:{port}")).into(),
            restart: Self::RESTART.to_owned(),
            ..Runtime::default()
        }
    }

    /// What its container is told, in the form that its label remembers. Other scripts are no reason to replace it, which
    /// would interrupt everybody.
    pub fn spec(&self) -> Spec {
        let Runtime { ports, .. } = self.runtime();
        Spec::of(&[
            ("image", vec![self.image.as_str()]),
            ("command", vec![&self.settings()]),
            ("port", ports.iter().map(String::as_str).collect()),
        ])
    }

    /// What makes another proxy of it, beside its image.
    fn settings(&self) -> String {
        format!("{} {}", self.main(), DNS.join(" "))
    }

    /// The name of the file that it starts from: another for other settings, so that a proxy that is put back finds its own.
    pub fn set_up_file(&self) -> String {
        format!("start-{}", hash(&self.settings()))
    }

    /// The script that it starts from: writes its files, which the next start may find already, and becomes Caddy.
    pub fn set_up(&self) -> String {
        let main = self.main();
        let files = [("Caddyfile", main.as_str())].into_iter().chain(SCRIPTS);
        let write = |(name, text)| format!("cat >new <<\"END\"\n{text}END\nmv new {name}\n");
        format!(
            "set -e\nmkdir -p /config/gordon\ncd /config/gordon\n{}{OLD_CADDY}exec caddy run --config Caddyfile --adapter caddyfile\n# end\n",
            files.map(write).collect::<String>()
        )
    }

    fn main(&self) -> String {
        format!("{}{HEALTH}{ASKING}import *.caddy\n", settings(self.http_port, self.https_port))
    }
}

/// The networks that the proxy has to be on to lead to a workload.
pub(super) fn networks(workload: &Workload) -> Vec<Network> {
    workload.attachments.iter().map(|attachment| attachment.network.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(replicas: u32) -> Route {
        Route {
            hosts: ["test.eliasson.me", "b.com"].map(|host| Domain::parse(host).expect("a host")).into(),
            stem: "gmail-web".to_owned(),
            naming: Naming::Colours,
            replicas,
            port: 3000,
            alias: Alias::parse("gmail-web").expect("an alias"),
            networks: vec![Network::parse("gmail-network").expect("a network")],
        }
    }

    #[test]
    fn the_proxy_asks_for_the_names_of_those_that_serve_and_of_those_that_did_in_their_network() {
        let project = Project::parse("gmail").expect("a project");
        assert_eq!(
            fragment(&project, &[route(1)], Tls::Off, 8443),
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
}
# end
"
        );
        let text = fragment(&project, &[route(2)], Tls::Internal, 443);
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
        assert!(route(1).site(Tls::Internal, 8443).ends_with(&redirect[1..]));
        assert!(!route(1).site(Tls::Auto, 443).contains("redir"));
    }

    #[test]
    fn the_proxy_has_none_of_the_client_s_proxies() {
        let image = Image::parse("caddy:2").expect("an image");
        let env = Proxy { image, http_port: 80, https_port: 443 }.runtime().env;
        let empty = |name| env.iter().any(|(key, value)| key.as_str() == name && value.is_empty());
        assert!(CLIENT_PROXIES.into_iter().all(empty), "{env:?}");
    }

    #[test]
    fn other_ports_or_another_image_make_another_proxy() {
        let proxy = |http_port, image: &str| {
            let image = Image::parse(image).expect("an image");
            Proxy { image, http_port, https_port: 443 }
        };
        let spec = proxy(80, "caddy:2").spec();
        let parts = |other: &Proxy| {
            other.spec().differences(&spec).iter().map(|d| d.part.to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(parts(&proxy(8080, "caddy:2")), ["command", "port"]);
        assert_eq!(parts(&proxy(80, "caddy:2.9")), ["image"]);
        // one that is put back finds the set-up with its own ports
        let file = |http_port, image| proxy(http_port, image).set_up_file();
        assert_ne!(file(8080, "caddy:2"), file(80, "caddy:2"));
        assert_eq!(file(80, "caddy:2.9"), file(80, "caddy:2"));
    }

    #[test]
    fn a_set_up_is_whole_when_it_has_its_last_line() {
        let image = Image::parse("caddy:2").expect("an image");
        let text = Proxy { image, http_port: 80, https_port: 443 }.set_up();
        let (before, last) = text.split_at(text.find("\n# end").expect("it has an end"));
        assert!(last == "\n# end\n" && before.is_ascii());
    }
}
