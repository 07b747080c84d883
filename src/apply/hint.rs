//! What to do about docker's known complaints. Does not know whether they are still true.

use super::End;
use super::ssh::unreachable;
use crate::docker::Op;
use crate::docker::proxy;
use crate::name::Container;
use std::collections::BTreeMap;

/// What to do when docker itself cannot be reached, whatever it was asked; `None` when that is not the trouble.
pub fn connection(end: &End, stderr: &str) -> Option<String> {
    match end {
        End::NotStarted(_) => Some("`--docker` names another docker binary".to_owned()),
        End::Status(_) | End::Signal(_) | End::TimedOut(_) | End::TooMuch(_) => no_answer(stderr),
    }
}

/// What to do when docker complains that no engine answers; `None` for another complaint.
pub(super) fn no_answer(stderr: &str) -> Option<String> {
    if let Some(elsewhere) = unreachable(None, stderr) {
        return Some(elsewhere.hint);
    }
    let said = stderr.to_lowercase();
    let says = |part: &str| said.contains(part);
    let hint = if says("permission denied while trying to connect") {
        "this user may not use docker: run gordon as root, or add the user to the group `docker` and log in again"
    } else if says("cannot connect to the docker daemon")
        || says("failed to connect to the docker api")
        || says("error during connect")
    {
        "start the docker daemon, or see whether `DOCKER_HOST` and the docker context are the right ones"
    } else if says("context") && (says("context not found") || says("does not exist")) {
        "`docker context ls` shows the contexts there are"
    } else if says("failed to initialize") {
        "docker cannot read where its engine is: see `DOCKER_HOST`, `DOCKER_CONTEXT` and `docker context ls`"
    } else {
        return None;
    };
    Some(hint.to_owned())
}

/// What to do about a container that did not end well.
pub(super) fn not_done(container: &Container, is_late: bool) -> String {
    let time =
        if is_late { "; `timeout`, or `health_timeout` for a service, gives it more time" } else { "" };
    format!("`docker logs {container}` shows all that it wrote, until it runs anew{time}")
}

/// What to do about `stderr`, docker's complaint about `op`; `None` for a complaint that is not known.
pub fn hint(op: &Op, end: &End, stderr: &str) -> Option<String> {
    let said = stderr.to_lowercase();
    let says = |part: &str| said.contains(part);
    let hint = if let Some(hint) = connection(end, stderr) {
        hint
    } else if matches!(op, Op::AskRoutes { .. }) && says("refused") {
        "another port, or 127.0.0.1 only? see `port` and `app_port` in the config, and `docker logs` of the app"
            .to_owned()
    } else if let Some(hint) = snippet(op, stderr) {
        hint
    } else if says("no space left on device") {
        "the disk is full: `docker system df` shows what docker keeps".to_owned()
    } else if says("non-overlapping ipv4 address pool") || says("address pools have been fully subnetted") {
        "docker's own address pool is used up: remove networks that are not used; `docker network ls` shows all"
            .to_owned()
    } else if says("pool overlaps with other one") || says("networks have overlapping ipv4") {
        overlap(op)
    } else if let Some(port) = port(&said).filter(|_| says("privileged port") || says("permission denied")) {
        format!(
            "this engine runs without root and may not listen on port {port}: choose one from 1024, or allow it by `sysctl net.ipv4.ip_unprivileged_port_start={port}`"
        )
    } else if let Some(port) = port(&said).filter(|_| says("already")) {
        format!(
            "port {port} of this host is in use: `docker ps --filter publish={port}` and `ss -ltnp` show what uses it"
        )
    } else if says("address already in use") {
        address(op)
    } else if says("is already in use by container") || says("already exists") {
        "something of this name was made after the plan: run the command again, which says what it is"
            .to_owned()
    } else if says(WRONG_CPU) {
        other_cpu().to_owned()
    } else if says("executable file not found") || says("unable to start container process: exec:") {
        "the image has no such program: see `command` and `entrypoint` in the config".to_owned()
    } else if says("has active endpoints") {
        "containers are still on this network: `docker network inspect` shows which".to_owned()
    } else if says("volume is in use") {
        "a container still mounts this volume: `docker ps -a --filter volume=…` shows which".to_owned()
    } else if says("no such image") || matches!(op, Op::Pull { .. }) {
        return image(&said);
    } else if (says("network ") && says(" not found")) || says("no such container") || says("no such network")
    {
        "it was removed after the plan was made: run the command again".to_owned()
    } else {
        return match end {
            End::TimedOut(_) => {
                Some("docker may still be working on it: `docker ps --all` shows how far it is; then run the command again".to_owned())
            }
            _ => None,
        };
    };
    Some(hint)
}

/// Where the config has the words that Caddy refuses: `at /config/gordon/next/shop.caddy:12`. Of what Caddy sees only when it
/// puts all together, it says no place.
fn snippet(op: &Op, stderr: &str) -> Option<String> {
    if matches!(op, Op::WriteSetUp { .. }) && stderr.to_lowercase().contains("caddyfile") {
        return Some("it is in the `snippet` of `[proxy]`".to_owned());
    }
    let Op::WriteRoutes { text, .. } = op else { return None };
    let at = stderr.split_once(".caddy:").map(|(_, rest)| rest);
    let line = at.and_then(|rest| rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok());
    let hosts: Vec<&str> = match line {
        Some(line) => proxy::snippet_at(text, line).into_iter().collect(),
        None => proxy::snippets(text).collect(),
    };
    match hosts.as_slice() {
        [] => None,
        [host] if line.is_some() => Some(format!("it is in the `snippet` of `{host}`")),
        hosts => Some(format!("it may be in the `snippet` of `{}`", hosts.join("` or `"))),
    }
}

fn overlap(op: &Op) -> String {
    match op {
        Op::CreateNetwork { subnet, .. } => format!(
            "{subnet} was taken after the plan was made: run the command again, which chooses another, or set `network_isolation.address_pool`"
        ),
        _ => "run the command again, which chooses another subnet, or set `network_isolation.address_pool`"
            .to_owned(),
    }
}

fn address(op: &Op) -> String {
    let memberships = match op {
        Op::Run(launch) | Op::Create(launch) => &launch.memberships[..],
        Op::Connect { membership, .. } => std::slice::from_ref(membership),
        _ => &[],
    };
    match memberships.iter().find_map(|membership| Some((&membership.network, membership.address?))) {
        Some((network, address)) => {
            format!("another container has {address}: `docker network inspect {network}` shows which")
        }
        None => "another container has its address: `docker network inspect` shows which".to_owned(),
    }
}

fn image(said: &str) -> Option<String> {
    let says = |part: &str| said.contains(part);
    let hint = if says("toomanyrequests") {
        "the registry allows no more pulls for now: wait, or pull as a user of it, after `docker login`"
    } else if says("no matching manifest") {
        "the image is not made for the CPU of this host: build it for that too, or see its tags"
    } else if says("no basic auth credentials") || says("authentication required") {
        "this registry wants to know who pulls: `docker login` with its name, as the user that runs gordon"
    } else if says("pull access denied") || says("unauthorized") || says("denied") {
        "there is no such image, or it needs `docker login`"
    } else if says("manifest unknown") || says("not found") || says("no such image") {
        "there is no such image: correct its name or tag in the config"
    } else if says("no such host")
        || says("connection refused")
        || says("timeout")
        || says("network is unreachable")
    {
        "the registry does not answer; an image that is already on this host needs none"
    } else {
        return None;
    };
    Some(hint.to_owned())
}

/// What to do about a container that ended, by the end of its log; `sharing` finds the containers that run with a volume of
/// it, each with that.
pub(super) fn ended(log: &[String], sharing: &dyn Fn() -> Vec<(String, String)>) -> Option<String> {
    let says = |part: &str| log.iter().any(|line| line.to_lowercase().contains(part));
    if says(WRONG_CPU) {
        return Some(other_cpu().to_owned());
    }
    if !["lock", "resource temporarily unavailable", "in use"].into_iter().any(says) {
        return None;
    }
    let (container, volume) = sharing().into_iter().next()?;
    Some(format!(
        "{container} has volume {volume} open too: if two cannot share it, `strategy = \"recreate\"` stops the old one before \
         the new one starts"
    ))
}

/// What the kernel says of a program that it cannot run.
const WRONG_CPU: &str = "exec format error";

/// What to do about a container that takes no connection at `port`, and listens at others or at this one for itself alone.
pub(super) fn elsewhere(port: u16, listening: &BTreeMap<u16, bool>) -> String {
    let open: Vec<String> =
        listening.iter().filter(|(_, is_open)| **is_open).map(|(port, _)| port.to_string()).collect();
    match (listening.get(&port), open.as_slice()) {
        (Some(false), _) => {
            format!(
                "it listens on 127.0.0.1:{port}, where only itself can connect: have it listen on 0.0.0.0:{port}"
            )
        }
        (_, [other]) => format!("it listens on port {other}: write `port = {other}` in the config"),
        (_, [_, ..]) => {
            format!("it listens on the ports {}: say with `port` in the config which it is", open.join(", "))
        }
        (_, []) => "another port, or too slow? see `port` and `health_timeout` in the config".to_owned(),
    }
}

fn other_cpu() -> &'static str {
    "the program is for another CPU than this host's, or a script without `#!`: `docker image inspect --format \
     '{{.Architecture}}'` with the image shows which; build or pull it with `--platform`"
}

/// The port of the host that is in use, in the words of any engine:
/// `Bind for 0.0.0.0:80 failed: port is already allocated`, `listen tcp4 0.0.0.0:80: bind: address already in use`,
/// `failed to bind host port for 0.0.0.0:80:172.17.0.2:80/tcp: address already in use`,
/// `failed to bind host port 0.0.0.0:80/tcp: address already in use`.
fn port(said: &str) -> Option<u16> {
    ["bind for ", "bind host port for ", "bind host port ", "listen tcp ", "listen tcp4 ", "listen udp4 "]
        .iter()
        .filter_map(|before| said.split_once(before))
        .find_map(|(_, rest)| {
            let address = rest.split([' ', '/']).next()?;
            address.split(':').nth(1)?.parse().ok()
        })
}

/// Those of `images`, as `docker image ls` lists them, whose last part is that of `wanted`: it may be a slip of the
/// registry or of the tag.
pub fn namesakes<'a>(wanted: &str, images: &'a str) -> Vec<&'a str> {
    let last =
        |reference: &'a str| reference.rsplit('/').next().and_then(|part| part.split([':', '@']).next());
    let name = wanted.rsplit('/').next().and_then(|part| part.split([':', '@']).next());
    let found =
        images.lines().filter(|line| !line.contains("<none>") && last(line) == name && *line != wanted);
    // docker lists them by age, and those of one age at random
    let mut found: Vec<&str> = found.collect();
    found.sort_unstable();
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::apply::sample;

    fn check(op: &Op, stderr: &str, expected: &str) {
        let hint = hint(op, &End::Status(125), stderr);
        assert!(
            hint.as_ref().is_some_and(|hint| hint.contains(expected)),
            "{hint:?} holds `{expected}`: {stderr}"
        );
    }

    #[test]
    fn docker_s_known_complaints_have_a_hint() {
        let (network, run, start) = (
            sample::network("shop-1"),
            sample::run("shop-web"),
            Op::Start { name: sample::container("shop-web") },
        );
        for (op, stderr, expected) in [
            // as engine 20.10 says it, then as newer ones do
            (
                &network,
                "could not find an available, non-overlapping IPv4 address pool among the defaults to assign to the network",
                "own address pool is used up",
            ),
            (
                &network,
                "all predefined address pools have been fully subnetted",
                "own address pool is used up",
            ),
            (
                &network,
                "Error response from daemon: Pool overlaps with other one on this address space",
                "10.208.1.0/24 was taken after",
            ),
            (
                &network,
                "invalid pool request: Pool overlaps with other one on this address space",
                "`network_isolation.address_pool`",
            ),
            (&network, "networks have overlapping IPv4", "10.208.1.0/24 was taken after"),
            (
                &network,
                "Error response from daemon: network with name shop-1 already exists",
                "of this name was made",
            ),
            (&run, "docker: Error response from daemon: Address already in use", "another container has"),
            (&run, "docker: Error response from daemon: network shop-nope not found", "was removed after"),
            (&run, "exec /serve: exec format error: unknown", "another CPU"),
            (&run, r#"exec: "serve": executable file not found in $PATH: unknown"#, "no such program"),
            (
                &run,
                r#"unable to start container process: exec: "/nope": stat /nope: no such file or directory: unknown"#,
                "no such program",
            ),
            (
                &run,
                r#"Conflict. The container name "/shop-web" is already in use by container "85a8". You have to remove"#,
                "of this name was made",
            ),
            (&run, "docker: Error response from daemon: No such image: web:1", "no such image"),
            (&run, "write /var/lib/docker/tmp/x: no space left on device", "docker system df"),
            (
                &start,
                "Error response from daemon: No such container: shop-web\nError: failed to start",
                "was removed after",
            ),
            (
                &start,
                "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?",
                "start the docker daemon",
            ),
            (
                &start,
                "failed to connect to the docker API at unix:///var/run/docker.sock; check if the path is correct",
                "start the docker daemon",
            ),
            (
                &start,
                r#"unable to resolve docker endpoint: context "far": context not found: open meta.json"#,
                "docker context ls",
            ),
            (
                &start,
                "Failed to initialize: unable to resolve docker endpoint: invalid bind address format: ftp://x",
                "see `DOCKER_HOST`",
            ),
            (
                &start,
                "permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock",
                "group `docker`",
            ),
        ] {
            check(op, stderr, expected);
        }
    }

    #[test]
    fn a_port_in_use_is_named_in_the_words_of_every_engine() {
        for stderr in [
            "driver failed programming external connectivity on endpoint shop-web (c6fa): Bind for 127.0.0.1:18088 failed: port is already allocated",
            "Error starting userland proxy: listen tcp4 0.0.0.0:18088: bind: address already in use",
            "failed to bind host port for 0.0.0.0:18088:172.17.0.2:80/tcp: address already in use",
            "failed to bind host port 0.0.0.0:18088/tcp: address already in use",
        ] {
            check(&sample::run("shop-web"), stderr, "port 18088 of this host");
        }
    }

    #[test]
    fn a_port_that_is_not_in_use_is_not_said_to_be() {
        let run = sample::run("shop-web");
        for stderr in [
            "Error starting userland proxy: error while calling PortManager.AddPort(): cannot expose privileged port 80, you can add 'net.ipv4.ip_unprivileged_port_start=80' to /etc/sysctl.conf (currently 1024), or set CAP_NET_BIND_SERVICE on rootlesskit binary, or choose a larger port number (>= 1024): listen tcp4 0.0.0.0:80: bind: permission denied.",
            "failed to bind host port 0.0.0.0:80/tcp: permission denied",
        ] {
            check(&run, stderr, "may not listen on port 80");
        }
        let no_address =
            "Error starting userland proxy: listen tcp4 10.1.1.1:80: bind: cannot assign requested address";
        assert_eq!(hint(&run, &End::Status(125), no_address), None);
    }

    #[test]
    fn an_app_that_the_proxy_does_not_reach_listens_elsewhere() {
        let (project, timeout) = (sample::project(), std::time::Duration::from_secs(1));
        let ask = Op::AskRoutes { project, routes: Vec::new(), timeout };
        let stderr = "a.com: nothing accepts connections at shop-web.shop-network.:3000: dial tcp 10.208.0.2:3000: connect: connection refused";
        check(&ask, stderr, "another port, or 127.0.0.1 only?");
    }

    #[test]
    fn a_pull_that_fails_says_whether_it_is_the_image_or_the_registry() {
        let pull = Op::Pull { image: sample::image("shop/web:1"), platform: None };
        for (stderr, expected) in [
            (
                "Get \"https://registry.example/v2/\": dial tcp: lookup registry.example: no such host",
                "does not answer",
            ),
            (
                "Get \"http://127.0.0.1:5999/v2/\": dial tcp 127.0.0.1:5999: connect: connection refused",
                "does not answer",
            ),
            ("manifest for shop/web:1 not found: manifest unknown: manifest unknown", "its name or tag"),
            (
                "pull access denied for shop/web, repository does not exist or may require 'docker login'",
                "docker login",
            ),
            (
                "Error response from daemon: Head \"https://hub.example/v2/shop/web/manifests/1\": no basic auth credentials",
                "`docker login`",
            ),
            ("unauthorized: authentication required", "`docker login`"),
            (
                "no matching manifest for linux/arm64/v8 in the manifest list entries",
                "not made for the CPU of this host",
            ),
            ("toomanyrequests: You have reached your pull rate limit", "no more pulls"),
        ] {
            check(&pull, stderr, expected);
        }
    }

    #[test]
    fn what_is_not_known_has_no_hint() {
        let run = sample::run("shop-web");
        assert_eq!(hint(&run, &End::Status(125), "Minimum memory limit allowed is 6MB"), None);
        assert!(hint(&run, &End::TimedOut(std::time::Duration::from_secs(120)), "").is_some());
        assert!(hint(&run, &End::NotStarted("not found".to_owned()), "").is_some());
    }

    #[test]
    fn what_a_container_wrote_before_it_ended_gives_a_hint() {
        let log = |line: &str| vec!["starting".to_owned(), line.to_owned()];
        let shared = || vec![("shop-web".to_owned(), "shop-data".to_owned())];
        let found = ended(&log("exec /usr/bin/serve: exec format error"), &Vec::new);
        assert!(found.is_some_and(|hint| hint.contains("another CPU")));
        for line in [
            "lock DB directory: resource temporarily unavailable",
            "Unable to lock ./ibdata1 error: 11",
            "FATAL: lock file \"postmaster.pid\" already exists",
        ] {
            let hint = ended(&log(line), &shared).expect("a hint");
            assert!(hint.starts_with("shop-web has volume shop-data open too"), "{hint}");
            assert_eq!(ended(&log(line), &Vec::new), None, "no other container has its volumes");
        }
        assert_eq!(ended(&log("no database"), &shared), None);
    }

    #[test]
    fn namesakes_have_the_same_last_part() {
        let here = "postgres:15\n<none>:<none>\nshop/web:1\nhub.example:5000/web:2\nweb2:1\n";
        assert_eq!(namesakes("far.example/web:1", here), ["hub.example:5000/web:2", "shop/web:1"]);
        assert!(namesakes("redis:7", here).is_empty());
    }
}
