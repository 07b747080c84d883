//! What people read of a container that is made: the name by which they know it, and its settings.

use super::block::Block;
use crate::docker::Await;
use crate::docker::Launch;
use crate::docker::Op;
use crate::docker::proxy;
use crate::plan::Change;
use crate::plan::Reason;
use crate::spec::Kind;
use crate::spec::Source;
use std::collections::BTreeSet;

/// The settings of a new container that matter to the person who decides.
pub(super) fn facts<'a>(block: &Block<'a>, launch: &'a Launch, waits_for: Vec<String>) -> Vec<String> {
    let listed = |what: &str, things: Vec<String>| {
        (!things.is_empty()).then(|| format!("{what}{}", things.join(", ")))
    };
    let runtime = &launch.runtime;
    let name = short_name(block);
    // on a network of several owners each has a name of its own, for proxies of other people
    let own = block.owner.replace('.', "-");
    let names = aliases(block).filter(|alias| *alias != name && !alias.starts_with(&own));
    let ports = if launch.labels.kind == Kind::Proxy {
        listed("ports ", runtime.ports.iter().map(|port| own_port(port)).collect())
    } else {
        listed("publishes ", runtime.ports.clone())
    };
    let data = volumes(launch).map(str::to_owned);
    let mut told: Vec<String> = runtime.env_files.iter().map(|file| file.path.clone()).collect();
    told.extend(runtime.secrets.iter().map(|key| format!("secret {key}")));
    let facts = [
        listed("", proxy_words(block)),
        listed("also ", names.map(str::to_owned).collect()),
        ports,
        listed("data in ", data.collect()),
        listed("mounts ", folders(launch)),
        command(launch),
        listed("after ", waits_for),
        block.steps.iter().find_map(|step| ready(&step.op)),
        listed("", told),
    ];
    facts.into_iter().flatten().collect()
}

/// What the set-up of a proxy that a block writes has of the config.
fn proxy_words(block: &Block<'_>) -> Vec<String> {
    let words = block.steps.iter().find_map(|step| match &step.op {
        Op::WriteSetUp { text, .. } => Some(proxy::set_up_words(text)),
        _ => None,
    });
    words.unwrap_or_default()
}

/// The container that a block makes.
pub(super) fn launch<'a>(block: &Block<'a>) -> Option<&'a Launch> {
    block.steps.iter().rev().find_map(|step| match &step.op {
        Op::Run(launch) | Op::Create(launch) => Some(&**launch),
        _ => None,
    })
}

/// The named volumes that a container mounts, each once, however many paths show it.
pub(super) fn volumes(launch: &Launch) -> impl Iterator<Item = &str> {
    let mut seen = BTreeSet::new();
    let volumes = launch.runtime.mounts.iter().filter_map(|mount| match &mount.source {
        Source::Volume(volume) => Some(volume.as_str()),
        Source::Host(_) | Source::Folder(_) => None,
    });
    volumes.filter(move |volume| seen.insert(*volume))
}

/// The names that a block gives to its container, on whichever network.
fn aliases<'a>(block: &Block<'a>) -> impl Iterator<Item = &'a str> {
    let memberships = block.steps.iter().flat_map(|step| match &step.op {
        Op::Run(launch) | Op::Create(launch) => launch.memberships.as_slice(),
        Op::Connect { membership, .. } => std::slice::from_ref(membership),
        _ => &[],
    });
    let mut seen = BTreeSet::new();
    let aliases = memberships.flat_map(|membership| &membership.aliases);
    aliases.map(|alias| alias.as_str()).filter(move |alias| seen.insert(*alias))
}

/// The name by which people know a container that is made: the first that it answers to.
pub(super) fn short_name<'a>(block: &Block<'a>) -> &'a str {
    let is_made = launch(block).is_some();
    aliases(block).next().filter(|_| is_made).unwrap_or(block.name)
}

/// The folders of the host that a container mounts.
fn folders(launch: &Launch) -> Vec<String> {
    let mounts = launch.runtime.mounts.iter().filter_map(|mount| match &mount.source {
        Source::Volume(_) => None,
        Source::Host(path) => Some(format!("{path}:{}", mount.target)),
        Source::Folder(path) => Some(format!("./{path}:{}", mount.target)),
    });
    mounts.collect()
}

/// What an app or a service runs in place of what its image says.
fn command(launch: &Launch) -> Option<String> {
    let words: Vec<&str> =
        launch.runtime.entrypoint.iter().chain(&launch.runtime.command).map(String::as_str).collect();
    let line = words.join(" ");
    let is_said = ![Kind::Proxy, Kind::Release].contains(&launch.labels.kind) && !words.is_empty();
    is_said.then(|| format!("runs {}", shortened(&line)))
}

/// The command with which a release begins, and ends before others are made.
pub(super) fn release_command(launch: &Launch) -> String {
    shortened(&launch.runtime.command.join(" "))
}

fn shortened(line: &str) -> String {
    const LONGEST: usize = 60;
    match line.char_indices().nth(LONGEST) {
        None => line.to_owned(),
        Some((end, _)) => format!("{}…", &line[..end]),
    }
}

/// The new settings of a container that its reasons only name.
pub(super) fn changed_facts(block: &Block<'_>, launch: &Launch) -> Vec<String> {
    let is_changed = |part| {
        block.steps.iter().any(|step| match &step.reason {
            Reason::Changed(changes) => changes.contains(&Change::Part(part)),
            _ => false,
        })
    };
    let mut facts = Vec::new();
    if ["snippet", "trusted_proxies"].into_iter().any(is_changed) {
        facts.extend(proxy_words(block));
    }
    if is_changed("volumes") {
        let mounts: Vec<String> = volumes(launch).map(str::to_owned).chain(folders(launch)).collect();
        facts.push(format!(
            "mounts {}",
            if mounts.is_empty() { "nothing".to_owned() } else { mounts.join(", ") }
        ));
    }
    if is_changed("ports") {
        let ports = &launch.runtime.ports;
        facts.push(format!(
            "publishes {}",
            if ports.is_empty() { "nothing".to_owned() } else { ports.join(", ") }
        ));
    }
    if is_changed("command") || is_changed("entrypoint") {
        facts.extend(command(launch));
    }
    facts
}

/// The port of the host in `8080:8080`.
fn own_port(publish: &str) -> String {
    let (ports, udp) = publish.strip_suffix("/udp").map_or((publish, ""), |ports| (ports, "/udp"));
    format!("{}{udp}", ports.rsplit_once(':').map_or(ports, |(host, _)| host))
}

/// When a container is ready, where it is asked.
fn ready(op: &Op) -> Option<String> {
    let Op::Await(wait) = op else { return None };
    let limit = humantime::format_duration(wait.limit()?);
    let ready = match wait {
        Await::Ends { .. } => return Some(format!("has {limit} to end well")),
        Await::Answers { check, .. } => format!("{} answers", check.path),
        // as every app of a route that says nothing else
        Await::Listens { .. } => return None,
        _ => "healthy".to_owned(),
    };
    Some(format!("ready when {ready} (≤ {limit})"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::sample;

    #[test]
    fn a_volume_that_several_paths_show_is_named_once() {
        let plan = sample::first_start();
        let made = plan.steps().iter().find_map(|step| match &step.op {
            Op::Run(launch) => Some((**launch).clone()),
            _ => None,
        });
        let mut launch = made.expect("a container is made");
        let mounts = &mut launch.runtime.mounts;
        let mut again = mounts.iter().find(|mount| matches!(mount.source, Source::Volume(_))).cloned();
        again.as_mut().expect("it has a volume").target = "/again".to_owned();
        mounts.extend(again);
        assert_eq!(volumes(&launch).collect::<Vec<_>>(), ["shop-db-data"]);
    }
}
