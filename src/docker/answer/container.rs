//! What docker says of containers. Does not know which networks there are: it asks.

use super::network::Present;
use super::or_default;
use crate::docker::Health;
use crate::docker::HeldIn;
use crate::docker::Holding;
use crate::docker::Past;
use crate::docker::SeenContainer;
use crate::docker::SeenMembership;
use crate::docker::State;
use crate::docker::key;
use crate::docker::label::Labelled;
use crate::docker::label::is_of;
use crate::name::Alias;
use crate::name::Container;
use crate::name::EnvKey;
use crate::name::Image;
use crate::name::ImageId;
use crate::name::Network;
use crate::name::Owner;
use crate::name::Volume;
use crate::spec::Limits;
use crate::spec::PROXY;
use crate::spec::Secret;
use crate::spec::Spec;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::time::Duration;
use std::time::SystemTime;

/// The labels that images carry themselves.
pub(super) type ImageLabels = BTreeMap<ImageId, BTreeMap<String, String>>;

/// A container in a list.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Listed {
    pub(super) id: String,
    names: String,
    managed: String,
    state: String,
    networks: String,
    /// What its image is called; its id, where it is not called so any more.
    #[serde(default)]
    image: String,
}

impl Listed {
    /// Whether it carries gordon's label, from wherever.
    pub(super) fn is_managed(&self) -> bool {
        self.managed == "true" || self.managed.contains('/')
    }

    /// Whether it is on one of `networks`.
    pub(super) fn is_on(&self, networks: &BTreeSet<Network>) -> bool {
        self.networks
            .split(',')
            .any(|name| Network::parse(name).is_ok_and(|network| networks.contains(&network)))
    }

    /// Whether it is the proxy, and runs.
    pub(super) fn is_running_proxy(&self) -> bool {
        self.is_managed() && self.names == PROXY && self.state == "running"
    }

    /// The image of a container that carries gordon's label, unless it is one of `known`: it may have the label from there.
    pub(super) fn unknown_image(&self, known: &BTreeSet<String>) -> Option<&str> {
        let is_known =
            || Image::parse(self.image.as_str()).is_ok_and(|image| known.contains(&image.canonical()));
        let is_asked = self.is_managed() && !self.image.is_empty() && !is_known();
        is_asked.then_some(self.image.as_str())
    }

    /// All that is known of a container that is not asked about.
    pub(super) fn seen(&self) -> Option<(Container, SeenContainer)> {
        // a container that others link to has a name for each of them, `other/name`
        let name = self.names.split(',').find(|name| !name.contains('/'))?;
        let networks = self.networks.split(',').filter_map(|name| Network::parse(name).ok());
        let seen = SeenContainer {
            project: None,
            maker: None,
            kind: None,
            owner: owner(""),
            release: 0,
            spec: Spec::default(),
            inherits: None,
            image: None,
            state: state(&self.state),
            exit_status: None,
            restart: String::new(),
            stop_timeout: None,
            limits: Limits::new(),
            has_endless_log: false,
            restarts: 0,
            health: Health::None,
            addresses: BTreeMap::new(),
            memberships: networks.map(|network| (network, SeenMembership::default())).collect(),
            volumes: BTreeMap::new(),
            ports: BTreeSet::new(),
            udp_ports: BTreeSet::new(),
            env: BTreeMap::new(),
            past: Past::default(),
        };
        Some((Container::parse(name).ok()?, seen))
    }
}

fn owner(label: &str) -> Owner {
    Owner::parse(label).expect("any text is an owner")
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ContainerAnswer {
    id: String,
    name: String,
    image: String,
    #[serde(default)]
    created: String,
    state: StateAnswer,
    #[serde(default)]
    restart_count: u32,
    #[serde(default, deserialize_with = "or_default")]
    mounts: Vec<MountAnswer>,
    config: ContainerConfig,
    #[serde(default, deserialize_with = "or_default")]
    host_config: HostConfig,
    network_settings: NetworkSettings,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct HostConfig {
    #[serde(default, deserialize_with = "or_default")]
    port_bindings: BTreeMap<String, Option<Vec<PortBinding>>>,
    #[serde(default, deserialize_with = "or_default")]
    restart_policy: RestartPolicy,
    #[serde(default, deserialize_with = "or_default")]
    log_config: LogConfig,
    #[serde(default)]
    memory: i64,
    #[serde(default)]
    memory_reservation: i64,
    #[serde(default)]
    nano_cpus: i64,
    #[serde(default)]
    cpu_shares: i64,
    #[serde(default)]
    cpuset_cpus: String,
    #[serde(default, deserialize_with = "or_default")]
    pids_limit: i64,
}

impl HostConfig {
    fn limits(&self) -> Limits {
        let numbers = [
            ("--memory", self.memory),
            ("--memory-reservation", self.memory_reservation),
            ("--cpus", self.nano_cpus),
            ("--cpu-shares", self.cpu_shares),
            ("--pids-limit", self.pids_limit),
        ];
        // none, or without end
        let numbers = numbers.into_iter().filter(|(_, number)| *number > 0);
        let numbers = numbers.map(|(flag, number)| (flag, number.to_string()));
        let processors = Some(("--cpuset-cpus", self.cpuset_cpus.clone()));
        numbers.chain(processors.filter(|(_, list)| !list.is_empty())).collect()
    }
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct LogConfig {
    #[serde(default)]
    r#type: String,
    #[serde(default, deserialize_with = "or_default")]
    config: BTreeMap<String, String>,
}

impl LogConfig {
    /// Docker adds the options of its own configuration here. `local` has a limit by itself.
    fn is_endless(&self) -> bool {
        self.r#type == "json-file" && !self.config.contains_key("max-size")
    }
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RestartPolicy {
    #[serde(default)]
    name: String,
    #[serde(default)]
    maximum_retry_count: u32,
}

impl RestartPolicy {
    /// The policy as `docker run --restart` takes it.
    fn as_flag(&self) -> String {
        match (self.name.as_str(), self.maximum_retry_count) {
            ("", _) => "no".to_owned(),
            (name, 0) => name.to_owned(),
            (name, tries) => format!("{name}:{tries}"),
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PortBinding {
    host_port: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct StateAnswer {
    status: String,
    #[serde(default)]
    exit_code: i64,
    #[serde(default)]
    started_at: String,
    health: Option<HealthAnswer>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct HealthAnswer {
    status: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct MountAnswer {
    r#type: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    source: String,
    destination: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ContainerConfig {
    #[serde(default)]
    image: String,
    #[serde(default, deserialize_with = "or_default")]
    env: Vec<String>,
    #[serde(default, deserialize_with = "or_default")]
    labels: BTreeMap<String, String>,
    #[serde(default)]
    stop_timeout: Option<u64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct NetworkSettings {
    #[serde(default, deserialize_with = "or_default")]
    networks: BTreeMap<String, Endpoint>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Endpoint {
    #[serde(rename = "IPAMConfig", default, deserialize_with = "or_default")]
    asked: AskedAddress,
    #[serde(default, deserialize_with = "or_default")]
    aliases: Vec<String>,
    #[serde(rename = "DNSNames", default, deserialize_with = "or_default")]
    dns_names: Vec<String>,
    #[serde(rename = "NetworkID", default)]
    network: String,
    #[serde(rename = "IPAddress", default)]
    address: String,
}

#[derive(Default, Deserialize)]
struct AskedAddress {
    #[serde(rename = "IPv4Address", default)]
    address: String,
}

impl ContainerAnswer {
    /// What its labels say, when gordon made it. Labels alone do not say that: `docker commit` gives those of a container to
    /// an image, and each container of the image has them from there; and `docker rename` gives a container another name.
    fn labelled(&self, image_labels: &ImageLabels) -> Option<Labelled> {
        let labels = &self.config.labels;
        let labelled = Labelled::of(labels)?;
        let from_image = ImageId::parse(self.image.as_str()).ok().and_then(|image| image_labels.get(&image));
        let mut ours = labels.iter().filter(|(key, _)| key.starts_with(key::PREFIX));
        let is_own =
            labelled.name.as_ref().is_none_or(|label| is_of(label, self.name.trim_start_matches('/')))
                && from_image.is_none_or(|image| ours.any(|(key, value)| image.get(key) != Some(value)));
        is_own.then_some(labelled)
    }

    pub(super) fn seen(
        &self,
        present: &Present,
        image_labels: &ImageLabels,
    ) -> Option<(Container, SeenContainer)> {
        let name = Container::parse(self.name.trim_start_matches('/')).ok()?;
        let labelled = self.labelled(image_labels);
        let is_managed = labelled.is_some();
        let labelled = labelled.unwrap_or_default();
        let memberships = self.network_settings.networks.iter().filter_map(|(network, endpoint)| {
            let network = Network::parse(network.as_str()).ok()?;
            let remembered = labelled.addresses.get(&network).copied();
            let stale = !present.has(network.as_str(), &endpoint.network);
            Some((network, endpoint.seen(&self.id, remembered, stale)))
        });
        let volumes = self.mounts.iter().filter(|mount| mount.r#type == "volume");
        let bindings = self.host_config.port_bindings.values().flatten().flatten();
        let udp = self.host_config.port_bindings.iter().filter(|(port, _)| port.ends_with("/udp"));
        let udp = udp.flat_map(|(_, bindings)| bindings).flatten();
        let variables = self.config.env.iter().filter_map(|variable| variable.split_once('='));
        let seen = SeenContainer {
            project: labelled.project,
            maker: labelled.maker,
            kind: labelled.kind,
            owner: owner(&labelled.owner),
            release: labelled.release,
            spec: labelled.spec,
            inherits: labelled.inherits,
            image: ImageId::parse(self.image.as_str()).ok(),
            state: state(&self.state.status),
            exit_status: (state(&self.state.status) == State::Exited).then_some(self.state.exit_code),
            restart: self.host_config.restart_policy.as_flag(),
            stop_timeout: self.config.stop_timeout.map(Duration::from_secs),
            limits: self.host_config.limits(),
            has_endless_log: self.host_config.log_config.is_endless(),
            restarts: self.restart_count,
            health: self.state.health.as_ref().map_or(Health::None, |health| health_of(&health.status)),
            memberships: memberships.collect(),
            addresses: labelled.addresses,
            volumes: volumes
                .filter_map(|mount| {
                    Some((mount.destination.clone(), Volume::parse(mount.name.as_str()).ok()?))
                })
                .collect(),
            ports: bindings.filter_map(|binding| binding.host_port.parse().ok()).collect(),
            udp_ports: udp.filter_map(|binding| binding.host_port.parse().ok()).collect(),
            env: variables
                .filter(|_| is_managed)
                .filter_map(|(key, value)| Some((EnvKey::parse(key).ok()?, Secret::new(value))))
                .collect(),
            past: Past {
                image: Image::parse(self.config.image.as_str()).ok(),
                created: time(&self.created),
                started: time(&self.state.started_at),
            },
        };
        Some((name, seen))
    }
}

impl ContainerAnswer {
    /// The data that it keeps.
    pub(super) fn holdings(&self) -> Vec<Holding> {
        let Ok(container) = Container::parse(self.name.trim_start_matches('/')) else { return Vec::new() };
        let endpoints = self.network_settings.networks.values();
        let aliases: BTreeSet<Alias> =
            endpoints.flat_map(|endpoint| endpoint.seen(&self.id, None, false).aliases).collect();
        let mounts = self.mounts.iter().filter_map(|mount| {
            let place = match mount.r#type.as_str() {
                "volume" => HeldIn::Volume(Volume::parse(mount.name.as_str()).ok()?),
                "bind" => HeldIn::Host(mount.source.clone()),
                _ => return None,
            };
            Some(Holding {
                container: container.clone(),
                image: Image::parse(self.config.image.as_str()).ok(),
                aliases: aliases.clone(),
                is_up: state(&self.state.status).is_up(),
                path: mount.destination.clone(),
                place,
            })
        });
        mounts.collect()
    }
}

impl Endpoint {
    /// `remembered` is what the container's label says of its address.
    fn seen(&self, container: &str, remembered: Option<Ipv4Addr>, stale: bool) -> SeenMembership {
        // engines before 25 add the beginning of the container's id
        let is_id = |alias: &str| alias.len() >= 12 && container.starts_with(alias);
        let names = |names: &[String]| {
            let names = names.iter().filter(|name| !is_id(name));
            names.filter_map(|name| Alias::parse(name.as_str()).ok()).collect()
        };
        SeenMembership {
            address: [&self.address, &self.asked.address]
                .into_iter()
                .find_map(|address| address.parse().ok())
                .or(remembered),
            aliases: names(&self.aliases),
            dns_names: names(&self.dns_names),
            stale,
        }
    }
}

/// A moment as docker writes it. One that never came it puts into the year 1: that is none, and so is what is no moment.
fn time(text: &str) -> Option<SystemTime> {
    humantime::parse_rfc3339(text).ok()
}

fn state(word: &str) -> State {
    match word {
        "created" => State::Created,
        "running" => State::Running,
        "paused" => State::Paused,
        "restarting" => State::Restarting,
        // `exited`, `dead`, `removing`
        _ => State::Exited,
    }
}

fn health_of(word: &str) -> Health {
    match word {
        "starting" => Health::Starting,
        "healthy" => Health::Healthy,
        "unhealthy" => Health::Unhealthy,
        _ => Health::None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::read;
    use super::*;

    #[test]
    fn a_container_that_others_link_to_has_its_own_name() {
        let listed = r#"["1", "other/db,db-1", "", "paused", "bridge"]"#;
        let listed: Vec<Listed> = read("ps", listed).expect("docker's form");
        let (name, seen) = listed[0].seen().expect("a container");
        assert_eq!((name.as_str(), seen.state), ("db-1", State::Paused));
    }

    #[test]
    fn a_log_is_endless_where_nothing_limits_it() {
        for (log, is_endless) in [
            (r#"{"Type": "json-file", "Config": {}}"#, true),
            (r#"{"Type": "json-file", "Config": null}"#, true),
            (r#"{"Type": "json-file", "Config": {"max-file": "3"}}"#, true),
            (r#"{"Type": "json-file", "Config": {"max-size": "10m"}}"#, false),
            (r#"{"Type": "local", "Config": {}}"#, false),
            (r#"{"Type": "journald", "Config": {}}"#, false),
            ("{}", false),
        ] {
            let config: LogConfig = serde_json::from_str(log).expect("docker's form");
            assert_eq!(config.is_endless(), is_endless, "{log}");
        }
    }
}
