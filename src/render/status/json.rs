//! A status for machines: versioned, its shape published in `plans/status.schema.json`. Does not know who reads it.

use super::age;
use super::drift;
use super::health;
use super::notes;
use super::state;
use crate::plan;
use crate::plan::Place;
use crate::plan::Status;
use crate::plan::WorkloadStatus;
use crate::render::block::Action;
use crate::render::block::Thing;
use serde::Serialize;
use std::io;
use std::time::SystemTime;

/// What changes when a reader of today's status could not read tomorrow's.
const VERSION: u32 = 1;

/// Writes the status as JSON, as of `now`.
///
/// # Errors
/// When `out` takes no more.
pub fn write(status: &Status<'_>, now: SystemTime, out: &mut impl io::Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, &Document::of(status, now))?;
    out.write_all(b"\n")
}

/// What a project of gordon's has on a host, and how that differs from its config.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "Status"))]
struct Document<'a> {
    /// The version of this format.
    version: u32,
    /// The project.
    project: &'a str,
    /// What the config asks for, each with what the host has of it.
    workloads: Vec<Workload<'a>>,
    /// Containers of the project that the config does not ask for.
    orphans: Vec<Orphan<'a>>,
    /// The volumes of the project that no container mounts.
    unmounted_volumes: Vec<UnmountedVolume<'a>>,
    /// The proxy that all projects of the host share; null when this one has nothing to do with it.
    proxy: Option<Proxy<'a>>,
    /// What would bring the host to the config; empty when nothing would, and where there is no plan.
    drift: Vec<Change<'a>>,
    /// What would be left out, because it cannot be brought up.
    blocked: Vec<Blocked<'a>>,
    /// Why there is no plan; empty when there is one.
    conflicts: Vec<Conflict>,
    /// What a person should know, as sentences.
    notes: Vec<String>,
}

/// A volume that no container mounts.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct UnmountedVolume<'a> {
    /// Its name.
    name: &'a str,
    /// Its size in docker's words, as in `48.2MB`; null where docker does not tell it within 3 seconds.
    size: Option<&'a str>,
}

/// An app with its replicas, or a service.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Workload<'a> {
    /// The name of its first serving container.
    name: String,
    /// The domain, group or project that it belongs to.
    owner: &'a str,
    /// `app` or `service`.
    kind: &'static str,
    /// The image that the config asks for.
    image: &'a str,
    /// How many containers the config asks for.
    wanted: u32,
    /// How many of them run, have been ready once, and are not said to be unhealthy or not ready yet; or are done.
    serving: u32,
    /// The hosts that it answers to.
    routes: Vec<Route<'a>>,
    /// Its containers: those that serve, also those that are missing, then those to come, then those kept from before.
    containers: Vec<Container<'a>>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Route<'a> {
    /// The host.
    host: &'a str,
    /// The network alias of the app, or its container's name where there are no aliases.
    target: String,
    /// Where it is asked.
    port: u16,
    /// Whether the proxy runs and has a route for the host; null when the config asks for no proxy.
    served: Option<bool>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Proxy<'a> {
    /// Its container.
    container: Container<'a>,
    /// The ports of the host that it has.
    ports: Vec<u16>,
    /// The project that made it, and whose config says what it is.
    maker: Option<&'a str>,
    /// Where the certificates of this project's hosts come from: `auto`, `internal` or `off`.
    tls: &'static str,
    /// What it has of this project's routes.
    routes: RoutesState,
}

#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
enum RoutesState {
    /// Nothing.
    Missing,
    /// Those of the config.
    Current,
    /// Others than those of the config.
    Outdated,
    /// Some, and the config asks for none.
    Orphan,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Orphan<'a> {
    /// The domain, group or project that it belongs to, as its label says.
    owner: &'a str,
    #[serde(flatten)]
    container: Container<'a>,
}

/// A container, or the place of one.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Container<'a> {
    /// Its name.
    name: String,
    /// What it is there for.
    role: Role,
    /// What it does: `missing`, `created`, `running`, `paused`, `restarting`, `exited`, or `done`, of what
    /// was meant to end and has ended with status 0.
    state: &'static str,
    /// The exit status with which it ended; null where it did not end.
    exit_status: Option<i64>,
    /// What its health check says: `starting`, `healthy` or `unhealthy`; null without one that counts.
    health: Option<&'static str>,
    /// Whether it has been ready once.
    proved: Option<bool>,
    /// How often docker has restarted it since it was started last.
    restarts: Option<u32>,
    /// What its image was called when it was made.
    image: Option<&'a str>,
    /// The id of that image.
    image_id: Option<&'a str>,
    /// A number that grows with every release.
    release: Option<u32>,
    /// When it was made, in UTC.
    created: Option<String>,
    /// When it started last, in UTC.
    started: Option<String>,
    /// How long ago it was made.
    age_seconds: Option<u64>,
    /// The networks that it is on.
    networks: Vec<Membership<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
enum Role {
    /// It does the job.
    Serving,
    /// It is about to.
    Incoming,
    /// It did, and was kept.
    Previous,
    /// It runs the command with which a release begins, or ran it.
    Release,
    /// The config does not ask for it.
    Orphan,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Membership<'a> {
    /// The network.
    network: &'a str,
    /// Its address there, also when it does not run.
    address: Option<String>,
    /// The names that it answers to there.
    aliases: Vec<&'a str>,
}

/// Something that would be done to bring the host to the config.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Change<'a> {
    /// The domain, group or project that the things belong to.
    owner: &'a str,
    /// What the things are.
    kind: Thing,
    /// The things; several are replicas of one workload.
    names: Vec<&'a str>,
    /// What would become of them.
    action: Action,
    /// Why, as a sentence.
    reason: String,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Blocked<'a> {
    /// The container that would be left as it is.
    container: &'a str,
    /// The domain, group or project that it belongs to.
    owner: &'a str,
    /// What it lacks, as a sentence.
    reason: String,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Conflict {
    /// What prevents it, as a sentence.
    message: String,
    /// What to do about it.
    hint: String,
}

impl<'a> Document<'a> {
    fn of(status: &'a Status<'a>, now: SystemTime) -> Self {
        let owners = || status.owners.iter();
        let workloads = owners().flat_map(|owner| owner.workloads.iter().map(|w| (owner.owner.as_str(), w)));
        let orphans = owners().flat_map(|owner| owner.orphans.iter().map(|m| (owner.owner.as_str(), m)));
        let (blocked, conflicts) = match status.drift {
            Ok(plan) => (plan.blocked.as_slice(), &[][..]),
            Err(conflicts) => (&[][..], conflicts),
        };
        let change = |change: drift::Change<'a>| Change {
            owner: change.owner,
            kind: change.thing,
            names: change.names,
            action: change.action,
            reason: change.reason,
        };
        let blocked = blocked.iter().map(|blocked| Blocked {
            container: blocked.container.as_str(),
            owner: blocked.owner.as_str(),
            reason: blocked.cause.to_string(),
        });
        let has_proxy = status.proxy.as_ref().is_some_and(|proxy| proxy.wanted.is_some());
        let conflict =
            |conflict: &plan::Conflict| Conflict { message: conflict.to_string(), hint: conflict.hint() };
        Self {
            version: VERSION,
            project: status.project.as_str(),
            workloads: workloads
                .map(|(owner, workload)| Workload::of(owner, workload, has_proxy, now))
                .collect(),
            orphans: orphans
                .map(|(owner, member)| Orphan { owner, container: Container::of(member, now) })
                .collect(),
            unmounted_volumes: status
                .unmounted
                .iter()
                .map(|(volume, size)| UnmountedVolume { name: volume.as_str(), size: size.as_deref() })
                .collect(),
            proxy: status.proxy.as_ref().map(|proxy| Proxy::of(proxy, now)),
            drift: drift::changes(status).into_iter().map(change).collect(),
            blocked: blocked.collect(),
            conflicts: conflicts.iter().map(conflict).collect(),
            notes: notes(status),
        }
    }
}

impl<'a> Proxy<'a> {
    fn of(proxy: &plan::ProxyStatus<'a>, now: SystemTime) -> Self {
        let seen = proxy.container.seen;
        Self {
            container: Container::of(&proxy.container, now),
            ports: seen.into_iter().flat_map(|seen| seen.ports.iter().copied()).collect(),
            maker: seen.and_then(|seen| Some(seen.maker.as_ref()?.as_str())),
            tls: proxy.tls.as_str(),
            routes: match proxy.routes {
                plan::RoutesState::Missing => RoutesState::Missing,
                plan::RoutesState::Current => RoutesState::Current,
                plan::RoutesState::Outdated => RoutesState::Outdated,
                plan::RoutesState::Orphan => RoutesState::Orphan,
            },
        }
    }
}

impl<'a> Workload<'a> {
    fn of(owner: &'a str, workload: &WorkloadStatus<'a>, has_proxy: bool, now: SystemTime) -> Self {
        let routes = workload.route.into_iter().flat_map(|route| {
            let (target, port) = (route.name(), route.port);
            route.hosts.iter().map(move |host| Route {
                host: host.as_str(),
                target: target.clone(),
                port,
                served: has_proxy.then(|| !workload.unserved.contains_key(host)),
            })
        });
        Self {
            name: workload.name.to_string(),
            owner,
            kind: workload.kind.as_str(),
            image: workload.image.as_str(),
            wanted: workload.wanted,
            serving: workload.serving,
            routes: routes.collect(),
            containers: workload.containers.iter().map(|member| Container::of(member, now)).collect(),
        }
    }
}

impl<'a> Container<'a> {
    fn of(member: &plan::Member<'a>, now: SystemTime) -> Self {
        let seen = member.seen;
        let past = seen.map(|seen| &seen.past);
        let moment = |time: SystemTime| humantime::format_rfc3339_seconds(time).to_string();
        let networks = seen.into_iter().flat_map(|seen| &seen.memberships);
        Self {
            name: member.name.to_string(),
            role: match member.place {
                Place::Serving => Role::Serving,
                Place::Incoming => Role::Incoming,
                Place::Previous => Role::Previous,
                Place::Release => Role::Release,
                Place::Orphan => Role::Orphan,
            },
            state: seen.map_or("missing", |seen| state(member, seen.state)),
            exit_status: seen.and_then(|seen| seen.exit_status),
            health: health(member.health),
            proved: seen.map(|_| !member.is_unproved),
            restarts: seen.map(|seen| seen.restarts),
            image: past.and_then(|past| Some(past.image.as_ref()?.as_str())),
            image_id: seen.and_then(|seen| Some(seen.image.as_ref()?.as_str())),
            release: seen.map(|seen| seen.release),
            created: past.and_then(|past| past.created.map(moment)),
            started: past.and_then(|past| past.started.map(moment)),
            age_seconds: age(member, now).map(|age| age.as_secs()),
            networks: networks
                .map(|(network, membership)| Membership {
                    network: network.as_str(),
                    address: membership.address.map(|address| address.to_string()),
                    aliases: membership.aliases.iter().map(|alias| alias.as_str()).collect(),
                })
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::sample;

    #[test]
    fn the_published_schema_is_true() {
        sample::assert_schema::<Document<'_>>("plans/status.schema.json");
    }
}
