//! Parts of a config that have no effect on this host.

use crate::config::enabled::Enabled;
use crate::config::problem::Problem;
use crate::config::problem::Span;
use crate::config::schema::Config;

/// The most names in one warning.
const MOST_NAMES: usize = 10;

pub(super) fn check(config: &Config, isolation_enabled: Option<Span>, problems: &mut Vec<Problem>) {
    check_attachments(config, isolation_enabled, problems);
    check_servers(config, problems);
    check_pool(config, problems);
}

fn check_attachments(config: &Config, isolation_enabled: Option<Span>, problems: &mut Vec<Problem>) {
    if config.isolation.enabled == Enabled::Yes {
        return;
    }
    let attached: Vec<String> = config
        .attachments
        .iter()
        .flat_map(|attachments| attachments.services.iter().map(|service| (service, &attachments.to)))
        .map(|(service, to)| format!("`{}` of `{to}`", service.name))
        .collect();
    if attached.is_empty() {
        return;
    }
    let mut names = attached[..attached.len().min(MOST_NAMES)].join(", ");
    if attached.len() > MOST_NAMES {
        names.push_str(&format!(" and {} more", attached.len() - MOST_NAMES));
    }
    problems.push(
        Problem::warning(
            isolation_enabled.unwrap_or(0..0),
            format!("not started without isolation: {names}"),
        )
        .hint("routes run on the default network, where nothing could reach them; set `enabled = true`"),
    );
}

fn check_servers(config: &Config, problems: &mut Vec<Problem>) {
    if let [server] = config.servers.as_slice() {
        problems.push(
            Problem::warning(server.span(), format!("`{server}` is taken for the host that docker is on"))
                .hint("gordon goes where docker goes: see `--context` and `DOCKER_HOST`"),
        );
    } else if let [first, rest @ ..] = config.servers.as_slice() {
        let hint = "write one config for each of them; this one can be planned, but not applied";
        let mut problem = Problem::warning(
            first.span(),
            format!("{} servers, and gordon plans for one host", config.servers.len()),
        )
        .hint(hint);
        problem.also = rest.iter().map(|server| (server.span(), "another one".to_owned())).collect();
        problems.push(problem);
    }
}

fn check_pool(config: &Config, problems: &mut Vec<Problem>) {
    let pool = &config.isolation.address_pool;
    let first = pool.get_ref().network();
    let is_shared_space = first.octets()[0] == 100 && first.octets()[1] & 0b1100_0000 == 64;
    if !first.is_private() && !is_shared_space {
        problems.push(
            Problem::warning(
                pool.span(),
                format!("`{pool}` holds public addresses, which containers then cannot reach"),
            )
            .hint("take it from a private range: `10.0.0.0/8`, `172.16.0.0/12` or `192.168.0.0/16`"),
        );
    }
}
