//! This machine, as far as it concerns an engine that runs on it: its routes, and what listens on its ports. Does not know
//! docker's networks.

use crate::docker::Cli;
use crate::docker::Listener;
use crate::docker::Process;
use crate::spec::Transport;
use ipnet::Ipv4Net;
use serde::Deserialize;
use sha2::Digest;
use sha2::Sha256;
use std::cell::LazyCell;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::net::IpAddr;
use std::net::Ipv4Addr;
use std::net::Ipv6Addr;
use std::path::Path;
use std::path::PathBuf;

/// The subnets that this machine routes, when the engine runs on it: docker does not look at them. None where they
/// cannot be had, which is anywhere but on Linux.
pub(super) fn routes(cli: &Cli) -> BTreeSet<Ipv4Net> {
    if !is_here(cli) {
        return BTreeSet::new();
    }
    fs::read_to_string("/proc/net/route").map(|table| parse_routes(&table)).unwrap_or_default()
}

/// The subnets in a table such as `/proc/net/route`, but for those of docker's own bridges: they are subnets of its
/// networks, and free again with them. The default route is no subnet.
fn parse_routes(table: &str) -> BTreeSet<Ipv4Net> {
    let route = |line: &str| {
        let mut words = line.split_ascii_whitespace();
        words.next().filter(|interface| !is_dockers(interface))?;
        let destination = address(words.next()?)?;
        let mask = address(words.nth(5)?)?;
        let subnet =
            Ipv4Net::with_netmask(destination, mask).ok().filter(|subnet| subnet.prefix_len() > 0)?;
        Some(subnet.trunc())
    };
    table.lines().skip(1).filter_map(route).collect()
}

/// An address as the kernel prints it: hex, of the bytes as they lie in memory.
fn address(hex: &str) -> Option<Ipv4Addr> {
    let number = u32::from_str_radix(hex, 16).ok()?;
    Some(Ipv4Addr::from(number.to_ne_bytes()))
}

/// Whether docker made this interface: `docker0`, `docker_gwbridge`, `br-` and the beginning of a network's id.
fn is_dockers(interface: &str) -> bool {
    let is_id = |text: &str| text.len() == 12 && text.bytes().all(|b| b.is_ascii_hexdigit());
    interface.starts_with("docker") || interface.strip_prefix("br-").is_some_and(is_id)
}

/// What listens on this machine at one of `ports`, when the engine runs on it; at those in `known` without its process,
/// since to find one takes a look at every process. None where they cannot be had: anywhere but on Linux, and where this
/// process has other network interfaces than the engine, as in a container.
pub(super) fn listeners(cli: &Cli, ports: &BTreeSet<u16>, known: &BTreeSet<u16>) -> BTreeSet<Listener> {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    if ports.is_empty() || !is_here(cli) || !has_dockers(&read("/proc/net/dev")) {
        return BTreeSet::new();
    }
    let tables = [
        ("tcp", Transport::Tcp),
        ("tcp6", Transport::Tcp),
        ("udp", Transport::Udp),
        ("udp6", Transport::Udp),
    ];
    let tables = tables.map(|(table, transport)| (read(&format!("/proc/net/{table}")), transport));
    let sockets = tables.iter().flat_map(|(table, transport)| parse_sockets(table, *transport));
    let sockets = sockets.filter(|(listener, _)| ports.contains(&listener.port));
    let processes = LazyCell::new(|| processes_by_socket(Path::new("/proc")));
    let with_process = |(listener, inode): (Listener, String)| {
        let process = if known.contains(&listener.port) { None } else { processes.get(&inode).cloned() };
        Listener { process, ..listener }
    };
    sockets.map(with_process).collect()
}

/// Whether docker made one of the network interfaces in a table such as `/proc/net/dev`.
fn has_dockers(interfaces: &str) -> bool {
    interfaces.lines().filter_map(|line| line.split_once(':')).any(|(name, _)| is_dockers(name.trim()))
}

/// The sockets that listen in a table such as `/proc/net/tcp`, each with its inode.
fn parse_sockets(table: &str, transport: Transport) -> impl Iterator<Item = (Listener, String)> {
    // of UDP the state of a socket that is bound and not connected
    let listens = match transport {
        Transport::Tcp => "0A",
        Transport::Udp => "07",
    };
    let socket = move |line: &str| {
        let words: Vec<&str> = line.split_ascii_whitespace().collect();
        let [_, local, _, state, _, _, _, _, _, inode, ..] = words[..] else { return None };
        let (hex, port) = local.split_once(':').filter(|_| state == listens)?;
        let port = u16::from_str_radix(port, 16).ok()?;
        Some((Listener { address: ip_address(hex)?, port, transport, process: None }, inode.to_owned()))
    };
    table.lines().skip(1).filter_map(socket)
}

/// An address of either kind as the kernel prints it; one of IPv4 in the form of IPv6 is one of IPv4.
fn ip_address(hex: &str) -> Option<IpAddr> {
    match hex.len() {
        8 => Some(address(hex)?.into()),
        32 => {
            let words = [hex.get(..8)?, hex.get(8..16)?, hex.get(16..24)?, hex.get(24..)?];
            let mut bytes = Vec::new();
            for word in words {
                bytes.extend(address(word)?.octets());
            }
            let bytes: [u8; 16] = bytes.try_into().ok()?;
            Some(Ipv6Addr::from(bytes).to_canonical())
        }
        _ => None,
    }
}

/// The processes in a folder such as `/proc` by the inodes of their sockets, as far as this user may see them.
fn processes_by_socket(folder: &Path) -> BTreeMap<String, Process> {
    let mut processes = BTreeMap::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let Some(id) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        let name = fs::read_to_string(entry.path().join("comm")).unwrap_or_default();
        let process = Process { id, name: name.trim_end().to_owned() };
        for file in fs::read_dir(entry.path().join("fd")).into_iter().flatten().flatten() {
            let target = fs::read_link(file.path()).unwrap_or_default();
            let inode = target.to_str().and_then(|target| target.strip_prefix("socket:[")?.strip_suffix(']'));
            if let Some(inode) = inode {
                processes.entry(inode.to_owned()).or_insert_with(|| process.clone());
            }
        }
    }
    processes
}

/// Whether the engine is on this machine, as far as the environment tells.
pub fn is_here(cli: &Cli) -> bool {
    is_local(endpoint(cli).as_deref())
}

/// Whether an engine at `endpoint` is on this machine; `None`: docker's own choice, which is.
fn is_local(endpoint: Option<&str>) -> bool {
    endpoint.is_none_or(|endpoint| endpoint.is_empty() || endpoint.starts_with("unix://"))
}

/// Where docker finds the engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Engine {
    /// The name of docker's context, when it goes by one.
    context: Option<String>,
    /// As in `DOCKER_HOST`; `None` when neither is given.
    endpoint: Option<String>,
}

impl Engine {
    /// Where `cli` finds its engine, by docker's own rules: the context of its options, else `DOCKER_HOST`, else the
    /// context in `DOCKER_CONTEXT`, else that of `docker context use`.
    pub(super) fn of(cli: &Cli) -> Self {
        let variable = |name: &str| env::var(name).ok().filter(|value: &String| !value.is_empty());
        let folder = variable("DOCKER_CONFIG").map(PathBuf::from);
        let folder = folder.or_else(|| Some(PathBuf::from(variable("HOME")?).join(".docker")));
        let read = |path: &str| fs::read_to_string(folder.as_ref()?.join(path)).ok();
        choose(cli.context.as_deref(), &variable, &read)
    }

    /// The name of its host for people; `None` when that is this machine.
    pub fn elsewhere(&self) -> Option<&str> {
        let endpoint = self.endpoint.as_deref().filter(|endpoint| !is_local(Some(endpoint)))?;
        Some(host(endpoint).or(self.context.as_deref()).unwrap_or(endpoint))
    }

    /// Whether a person may call its host or its context so, perhaps with a user and a port.
    pub fn is_called(&self, name: &str) -> bool {
        let own = [self.endpoint.as_deref().and_then(host), self.context.as_deref()];
        let name = host(name).unwrap_or(name);
        own.into_iter().flatten().any(|own| own.eq_ignore_ascii_case(name))
    }

    /// What `ssh` takes to get to its host, when docker goes there by ssh.
    pub(super) fn ssh_destination(&self) -> Option<&str> {
        let endpoint = self.endpoint.as_deref()?;
        let destination = endpoint.strip_prefix("ssh://")?.split('/').next()?;
        Some(if destination.contains(':') { endpoint } else { destination })
    }
}

/// The host in an address such as `ssh://user@host:22/path`, of which it may be all.
fn host(address: &str) -> Option<&str> {
    let address = address.split_once("://").map_or(address, |(_, rest)| rest);
    let address = address.split('/').next()?;
    let address = address.rsplit('@').next()?;
    let host = match address.strip_prefix('[') {
        Some(rest) => rest.split(']').next()?,
        None => address.split(':').next()?,
    };
    Some(host).filter(|host| !host.is_empty() && !host.contains(' '))
}

/// The endpoint of the engine that `cli` finds, as it is spelt there.
pub(super) fn endpoint(cli: &Cli) -> Option<String> {
    Engine::of(cli).endpoint
}

#[derive(Deserialize)]
struct Config {
    #[serde(rename = "currentContext", default)]
    context: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Context {
    endpoints: Endpoints,
}

#[derive(Deserialize)]
struct Endpoints {
    docker: Endpoint,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Endpoint {
    host: String,
}

/// `variable` reads the environment, `read` a file of docker's folder.
fn choose(
    context: Option<&str>,
    variable: &dyn Fn(&str) -> Option<String>,
    read: &dyn Fn(&str) -> Option<String>,
) -> Engine {
    let of_docker = || Some(serde_json::from_str::<Config>(&read("config.json")?).ok()?.context);
    let context = match (context, variable("DOCKER_HOST")) {
        (Some(context), _) => Some(context.to_owned()),
        (None, Some(_)) => None,
        (None, None) => variable("DOCKER_CONTEXT").or_else(of_docker),
    };
    let Some(context) = context.filter(|context| !context.is_empty() && context != "default") else {
        return Engine { context: None, endpoint: variable("DOCKER_HOST") };
    };
    let digest: String =
        Sha256::digest(context.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
    let known = read(&format!("contexts/meta/{digest}/meta.json"));
    let known = known.and_then(|text| serde_json::from_str::<Context>(&text).ok());
    // one that cannot be read is somewhere else, as far as anybody knows
    let endpoint =
        known.map_or_else(|| format!("context {context}"), |context| context.endpoints.docker.host);
    Engine { context: Some(context), endpoint: Some(endpoint) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "\
Iface	Destination	Gateway 	Flags	RefCnt	Use	Metric	Mask		MTU	Window	IRTT
eth0	00000000	010200C0	0003	0	0	0	00000000	0	0	0
docker0	000011AC	00000000	0001	0	0	0	0000FFFF	0	0	0
eth0	000200C0	00000000	0001	0	0	0	00FFFFFF	0	0	0
tun0	0000D00A	00000000	0001	0	0	0	0000F0FF	0	0	0
br-5d67d7725ce9	004DD10A	00000000	0001	0	0	0	00FFFFFF	0	0	0
br-lan	0001A8C0	00000000	0001	0	0	0	00FFFFFF	0	0	0
wg0	0502640A	00000000	0005	0	0	0	FFFFFFFF	0	0	0
";

    #[test]
    fn subnets_of_this_machine_are_taken_but_not_those_of_docker_s_own_bridges() {
        let routes: Vec<_> = parse_routes(TABLE).iter().map(ToString::to_string).collect();
        assert_eq!(routes, ["10.100.2.5/32", "10.208.0.0/12", "192.0.2.0/24", "192.168.1.0/24"]);
        assert!(parse_routes("").is_empty());
    }

    #[test]
    fn sockets_that_listen_are_those_of_the_kernel_s_tables() {
        let tcp = "\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 11 1 0 100 0 0 10 0
   1: 0100007F:1F91 0200007F:0050 01 00000000:00000000 00:00000000 00000000     0        0 12 1 0 100 0 0 10 0
";
        let tcp6 = "\
  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000000000000000000000000000:0050 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 13 1 0 100 0 0 10 0
   1: 0000000000000000FFFF00000100007F:0051 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 14 1 0 100 0 0 10 0
";
        let told = |table, transport| {
            let sockets = parse_sockets(table, transport);
            sockets
                .map(|(socket, inode)| format!("{} {} {inode}", socket.address, socket.port))
                .collect::<Vec<_>>()
        };
        assert_eq!(told(tcp, Transport::Tcp), ["127.0.0.1 8080 11"]);
        assert_eq!(told(tcp6, Transport::Tcp), [":: 80 13", "127.0.0.1 81 14"]);
        assert_eq!(told(&tcp.replace(" 0A ", " 07 "), Transport::Udp), ["127.0.0.1 8080 11"]);
    }

    #[test]
    fn a_socket_of_this_process_is_found_with_its_name() {
        let socket = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = socket.local_addr().expect("an address").port();
        let table = fs::read_to_string("/proc/net/tcp").expect("the kernel's table");
        let own = parse_sockets(&table, Transport::Tcp).find(|(listener, _)| listener.port == port);
        let (listener, inode) = own.expect("it listens");
        assert_eq!(listener.address, IpAddr::from([127, 0, 0, 1]));
        assert_eq!(processes_by_socket(Path::new("/proc"))[&inode].id, std::process::id());
    }

    #[test]
    fn the_engine_is_where_docker_looks_for_it() {
        let read = |path: &str| {
            match path {
            "config.json" => Some(r#"{"auths": {}, "currentContext": "far"}"#.to_owned()),
            // the digest of `far`
            "contexts/meta/512eea46ceb3921dff4363c7069d89d4964d1d9fccaa0f411851a7aa60a5c868/meta.json" => Some(
                r#"{"Name": "far", "Endpoints": {"docker": {"Host": "ssh://far.example", "SkipTLSVerify": false}}}"#
                    .to_owned(),
            ),
            _ => None,
        }
        };
        let nothing = |_: &str| None;
        let of = |context: Option<&str>, set: &[(&str, &str)], read: &dyn Fn(&str) -> Option<String>| {
            let set =
                |name: &str| set.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
            choose(context, &set, read)
        };
        let (host, context) = (("DOCKER_HOST", "tcp://10.0.0.1:2375"), ("DOCKER_CONTEXT", "near"));
        for (context, set, read, endpoint) in [
            (None, &[][..], &nothing as &dyn Fn(&str) -> _, None),
            (None, &[], &read, Some("ssh://far.example")),
            (None, &[host, context], &read, Some("tcp://10.0.0.1:2375")),
            (None, &[context], &read, Some("context near")),
            (Some("far"), &[host], &read, Some("ssh://far.example")),
            (Some("default"), &[host], &read, Some("tcp://10.0.0.1:2375")),
            (Some("default"), &[], &read, None),
        ] {
            assert_eq!(of(context, set, read).endpoint.as_deref(), endpoint, "{context:?} {set:?}");
        }
    }

    #[test]
    fn an_engine_behind_a_socket_of_this_machine_is_on_it() {
        for (endpoint, local) in [
            (None, true),
            (Some("unix:///run/user/1000/docker.sock"), true),
            (Some("ssh://far.example"), false),
            (Some("tcp://127.0.0.1:2375"), false),
            (Some("context near"), false),
        ] {
            assert_eq!(is_local(endpoint), local, "{endpoint:?}");
        }
    }

    #[test]
    fn an_engine_elsewhere_has_the_names_that_people_know_it_by() {
        let engine = |context: Option<&str>, endpoint: Option<&str>| Engine {
            context: context.map(str::to_owned),
            endpoint: endpoint.map(str::to_owned),
        };
        for (context, endpoint, elsewhere, names, others) in [
            (
                None,
                Some("ssh://deploy@h1"),
                Some("h1"),
                &["h1", "H1", "root@h1", "h1:2222", "ssh://h1"][..],
                &["h2", ""][..],
            ),
            (Some("far"), Some("ssh://h1:22/run/docker.sock"), Some("h1"), &["far", "h1"], &["22", "near"]),
            (None, Some("tcp://[fd00::1]:2376"), Some("fd00::1"), &["[fd00::1]"], &["fd00"]),
            (Some("near"), Some("context near"), Some("near"), &["near"], &["context near"]),
            (None, Some("unix:///run/docker.sock"), None, &[], &["h1"]),
            (None, None, None, &[], &["h1"]),
        ] {
            let engine = engine(context, endpoint);
            assert_eq!(engine.elsewhere(), elsewhere, "{endpoint:?}");
            assert!(names.iter().all(|name| engine.is_called(name)), "{engine:?} {names:?}");
            assert!(!others.iter().any(|name| engine.is_called(name)), "{engine:?} {others:?}");
        }
    }

    #[test]
    fn ssh_gets_to_the_host_by_what_docker_is_told() {
        for (endpoint, destination) in [
            ("ssh://h1", Some("h1")),
            ("ssh://deploy@h1/run/docker.sock", Some("deploy@h1")),
            ("ssh://deploy@h1:2222", Some("ssh://deploy@h1:2222")),
            ("tcp://h1:2375", None),
            ("unix:///run/docker.sock", None),
        ] {
            let engine = Engine { context: None, endpoint: Some(endpoint.to_owned()) };
            assert_eq!(engine.ssh_destination(), destination, "{endpoint}");
        }
    }
}
