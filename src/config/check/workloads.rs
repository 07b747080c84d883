//! The settings of one container do not contradict each other, and no two containers publish one port of the host.

use crate::config::enabled::Enabled;
use crate::config::env_file::STORE_HINT;
use crate::config::environment::SecretVariable;
use crate::config::literal::Notation;
use crate::config::problem::Problem;
use crate::config::problem::Span;
use crate::config::problem::collision;
use crate::config::publish::Protocol;
use crate::config::publish::Published;
use crate::config::schema::Config;
use crate::config::schema::Workload;
use serde_spanned::Spanned;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::net::Ipv4Addr;

pub(super) fn check(config: &Config, problems: &mut Vec<Problem>) {
    for workload in config.workloads() {
        check_environment(workload, problems);
        check_mounts(workload, problems);
    }
    check_secret_commands(config, problems);
    check_ports(config, problems);
}

/// A secret has one value for all containers, so one command prints it.
fn check_secret_commands(config: &Config, problems: &mut Vec<Problem>) {
    let mut seen: BTreeMap<&str, &SecretVariable> = BTreeMap::new();
    let secrets = config.workloads().flat_map(|workload| &workload.environment.secret);
    for secret in secrets.filter(|secret| !secret.command.is_empty()) {
        let key = secret.key.get_ref().as_str();
        let first = *seen.entry(key).or_insert(secret);
        if first.command != secret.command {
            let message = format!("the secret `{key}` has two commands");
            problems.push(
                collision(&first.key, &secret.key, message).hint("a secret has one value in all containers"),
            );
        }
    }
}

fn check_environment(workload: &Workload, problems: &mut Vec<Problem>) {
    let environment = &workload.environment;
    let mut seen: BTreeMap<&str, Span> = BTreeMap::new();
    let plain = environment.plain.iter().map(|(key, _)| (key.get_ref().as_str(), key.span()));
    let secret =
        environment.secret.iter().map(|SecretVariable { key, .. }| (key.get_ref().as_str(), key.span()));
    for (key, span) in plain.chain(secret) {
        if let Some(first) = seen.get(key) {
            problems.push(
                Problem::error(span, format!("the variable `{key}` is set twice"))
                    .also(first.clone(), "first here")
                    .hint("keep one of them"),
            );
        } else {
            seen.insert(key, span);
        }
    }
    for (key, value) in &environment.plain {
        match Notation::of(value) {
            Some(notation @ Notation::Store(store)) => problems.push(
                Problem::error(
                    key.span(),
                    format!(
                        "gordon does not read `{store}`: the value of `{key}` would be `{}`",
                        notation.sample()
                    ),
                )
                .hint(STORE_HINT),
            ),
            Some(notation @ Notation::Command) => problems.push(
                Problem::warning(
                    key.span(),
                    format!("nothing is put in place of `{}` in the value of `{key}`", notation.sample()),
                )
                .hint("write the value itself, or name the variable in `environment.secret`"),
            ),
            // what is left of variables was meant to be left
            Some(Notation::Variable) | None => {}
        }
    }
}

fn check_mounts(workload: &Workload, problems: &mut Vec<Problem>) {
    let mut seen = BTreeMap::new();
    for mount in &workload.mounts {
        let target = mount.get_ref().target.as_str();
        match seen.get(target) {
            Some(first) => problems.push(
                collision(*first, mount, format!("two things are mounted at `{target}`"))
                    .hint("a path of the container shows one volume or folder"),
            ),
            None => drop(seen.insert(target, mount)),
        }
    }
}

/// What asks for a port of the host.
struct Claim {
    ip: Option<IpAddr>,
    span: Span,
}

impl Claim {
    /// Whether docker could not give the port to both.
    fn meets(&self, other: &Self) -> bool {
        let is_any = |ip: &Option<IpAddr>| ip.is_none_or(|ip| ip.is_unspecified());
        is_any(&self.ip) || is_any(&other.ip) || self.ip == other.ip
    }
}

fn check_ports(config: &Config, problems: &mut Vec<Problem>) {
    let mut claims: BTreeMap<(Protocol, u16), Vec<Claim>> = BTreeMap::new();
    check_proxy_ports(config, &mut claims, problems);
    for port in config.workloads().flat_map(|workload| &workload.ports) {
        check_port(port, &mut claims, problems);
        check_reach(port, problems);
    }
}

/// Docker's rules come before those of the host's firewall, which people trust to close a port.
fn check_reach(port: &Spanned<Published>, problems: &mut Vec<Problem>) {
    if port.get_ref().ip.is_some() {
        return;
    }
    let at = |ip: Ipv4Addr| Published { ip: Some(ip.into()), ..port.get_ref().clone() };
    let (here, everywhere) = (at(Ipv4Addr::LOCALHOST), at(Ipv4Addr::UNSPECIFIED));
    problems.push(
        Problem::note(
            port.span(),
            format!("`{}` is open to everyone who reaches this host, past its firewall", port.get_ref()),
        )
        .hint(format!("`{here}` is open to this host alone; `{everywhere}` says that everyone is meant")),
    );
}

fn check_proxy_ports(
    config: &Config,
    claims: &mut BTreeMap<(Protocol, u16), Vec<Claim>>,
    problems: &mut Vec<Problem>,
) {
    let proxy = &config.proxy;
    if proxy.http_port == proxy.https_port {
        problems.push(
            collision(
                &proxy.http_port,
                &proxy.https_port,
                "the proxy cannot have one port for HTTP and HTTPS",
            )
            .hint("as in `http_port = 80` and `https_port = 443`"),
        );
    }
    let is_used = !config.routes.is_empty() || config.apps.iter().any(|app| app.proxy.is_some());
    if proxy.enabled == Enabled::Yes && is_used {
        for port in [&proxy.http_port, &proxy.https_port] {
            let claim = Claim { ip: None, span: port.span() };
            claims.entry((Protocol::Tcp, port.get_ref().get())).or_default().push(claim);
        }
        // where the config does not ask for HTTP/3, it may have the port for something else
        if proxy.http3 == Some(Enabled::Yes) {
            let claim = Claim { ip: None, span: proxy.https_port.span() };
            claims.entry((Protocol::Udp, proxy.https_port.get_ref().get())).or_default().push(claim);
        }
    }
}

fn check_port(
    port: &Spanned<Published>,
    claims: &mut BTreeMap<(Protocol, u16), Vec<Claim>>,
    problems: &mut Vec<Problem>,
) {
    let Published { ip, host, container, protocol } = port.get_ref();
    // of more ports than the container has, docker takes one that is free
    let Some(host) = host.clone().filter(|host| host.len() == container.len()) else { return };
    let mut is_reported = false;
    for number in host {
        let claim = Claim { ip: *ip, span: port.span() };
        let claims = claims.entry((*protocol, number)).or_default();
        if let Some(first) = claims.iter().find(|first| first.meets(&claim))
            && !is_reported
        {
            is_reported = true;
            let problem =
                Problem::error(port.span(), format!("port {number} of the host is published twice"));
            problems.push(if first.span.is_empty() {
                problem.hint(
                    "the proxy has it: choose another one, or set `proxy.http_port` and `proxy.https_port`",
                )
            } else {
                problem
                    .also(first.span.clone(), "also here")
                    .hint("choose another port of the host for one of them")
            });
        }
        claims.push(claim);
    }
}
