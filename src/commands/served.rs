//! Says what is served once a plan has been carried out. Does not know what the plan was for.

use super::host::Host;
use crate::apply::Machine;
use crate::desired::Desired;
use crate::docker::proxy::Entrance;
use crate::docker::proxy::Served;
use crate::name::Domain;
use crate::render;
use crate::spec::Route;
use crate::spec::Tls;
use crate::sys::terminal::say;
use crate::sys::terminal::say_line;
use std::time::Duration;

/// How long all hosts together have to answer. Each has five seconds.
const LIMIT: Duration = Duration::from_secs(20);

/// Asks the proxy for every host of the config and says what a visitor gets there. Says nothing without a proxy or hosts.
pub(super) fn say_what_is_served(host: &Host, desired: &Desired) {
    let Some(proxy) = &desired.proxy else { return };
    let (plain, secure): (Vec<&Route>, Vec<&Route>) =
        desired.routes.iter().partition(|route| route.site.tls == Tls::Off);
    let entrances = [
        (Entrance { is_https: true, port: proxy.https_port }, secure),
        (Entrance { is_https: false, port: proxy.http_port }, plain),
    ];
    for (entrance, routes) in entrances {
        let hosts: Vec<_> = routes.into_iter().flat_map(|route| &route.hosts).collect();
        if !hosts.is_empty() {
            say_what_is_served_at(host, entrance, &hosts);
        }
    }
}

fn say_what_is_served_at(host: &Host, entrance: Entrance, hosts: &[&Domain]) {
    let question = Served::question(entrance, hosts.iter().copied());
    let outcome = host.docker.docker(&question, LIMIT, &mut |_| {});
    let answers = Served::read(&outcome.stdout);
    if answers.is_empty() {
        let why = outcome.stderr.trim().lines().last().map_or(outcome.end.to_string(), str::to_owned);
        say_line(format_args!("what is served is not known: the proxy cannot be asked: {why}"));
    } else {
        say(&render::served(entrance, hosts, &answers));
    }
}
