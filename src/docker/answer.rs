//! What docker answers to the questions of a reading, turned into [`Observed`]. Does not know how it was asked.

use super::Health;
use super::ImageFacts;
use super::Images;
use super::Kind;
use super::Observed;
use super::Secret;
use super::SeenContainer;
use super::SeenImage;
use super::SeenMembership;
use super::SeenNetwork;
use super::SeenVolume;
use super::Spec;
use super::State;
use super::ask::First;
use super::ask::Scope;
use super::ask::Second;
use super::key;
use crate::name::Alias;
use crate::name::Container;
use crate::name::EnvKey;
use crate::name::Image;
use crate::name::ImageId;
use crate::name::Network;
use crate::name::Project;
use crate::name::Volume;
use ipnet::Ipv4Net;
use serde::Deserialize;
use serde::Deserializer;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fmt;
use std::net::Ipv4Addr;

/// Why a host cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReadError {
    /// An answer is not of the form that docker gives it.
    Form {
        /// The question.
        question: &'static str,
        /// Where in the answer, counted from 1.
        line: usize,
        /// The column there, counted from 1.
        column: usize,
    },
    /// A name means several networks, which older engines allow.
    SameName {
        /// The name.
        network: Network,
        /// The ids of those that have it.
        ids: Vec<String>,
    },
}

impl ReadError {
    /// What to do about it.
    pub fn hint(&self) -> String {
        match self {
            Self::Form { question, .. } => {
                format!("is it docker that answers? `docker {question}` shows what it says")
            }
            Self::SameName { ids, .. } => {
                let first = ids.first().map_or("", String::as_str);
                format!("`docker network rm {first}` removes one of them by its id")
            }
        }
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // the answer itself is not shown: it may hold secrets
            Self::Form { question, line, column } => {
                write!(
                    f,
                    "docker {question}: line {line}, column {column} of the answer is not of docker's form"
                )
            }
            Self::SameName { network, ids } => {
                write!(f, "network {network}: {} networks have this name: {}", ids.len(), ids.join(", "))
            }
        }
    }
}

impl std::error::Error for ReadError {}

/// What the first round of a reading told.
#[derive(Clone, Debug)]
pub struct Survey {
    scope: Scope,
    containers: Vec<Listed>,
    networks: Vec<String>,
    volumes: BTreeMap<Volume, SeenVolume>,
    images: BTreeMap<Image, SeenImage>,
}

impl Survey {
    /// Reads the answers of the first round.
    ///
    /// # Errors
    /// When an answer is not of docker's form.
    pub fn read(scope: Scope, answers: &First<String>) -> Result<Self, ReadError> {
        let volumes: Vec<(String, String, String)> = read("volume ls", &answers.volumes)?;
        let images: Vec<ImageAnswer> = read("image inspect", answers.images.as_deref().unwrap_or_default())?;
        Ok(Self {
            containers: read("ps", &answers.containers)?,
            networks: answers.networks.split_whitespace().map(str::to_owned).collect(),
            volumes: volumes
                .iter()
                .filter_map(|(name, managed, project)| volume(name, managed, project))
                .collect(),
            images: asked_for(&scope.images, &images),
            scope,
        })
    }

    /// The questions of the second round.
    pub fn questions(&self) -> Second<super::Command> {
        let containers: Vec<&str> = self
            .containers
            .iter()
            .filter(|listed| listed.is_managed())
            .map(|listed| listed.id.as_str())
            .collect();
        let networks: Vec<&str> = self.networks.iter().map(String::as_str).collect();
        Second::of(&containers, &networks, self.images.len() < self.scope.images.len())
    }

    /// The host, once the second round is answered.
    ///
    /// # Errors
    /// When an answer is not of docker's form, or a name that gordon needs means several networks.
    pub fn observed(self, answers: &Second<String>) -> Result<Observed, ReadError> {
        let answer = |text: &Option<String>| text.clone().unwrap_or_default();
        let networks: Vec<NetworkAnswer> = read("network inspect", &answer(&answers.networks))?;
        let inspected: Vec<ContainerAnswer> = read("container inspect", &answer(&answers.containers))?;
        let references: Vec<(String, String)> = read("image ls", &answer(&answers.references))?;

        refuse_same_names(&networks, &self.scope.networks)?;
        let present = Present::of(&networks);
        let mut host = Observed { volumes: self.volumes, ..Observed::default() };
        host.containers =
            self.containers.iter().filter(|listed| !listed.is_managed()).filter_map(Listed::seen).collect();
        host.containers.extend(inspected.iter().filter_map(|container| container.seen(&present)));
        for network in &networks {
            let mut subnets = network.subnets();
            if let Ok(name) = Network::parse(network.name.as_str()) {
                host.networks.insert(name, network.seen(subnets.next()));
            }
            host.routes.extend(subnets);
        }
        host.images = Images {
            here: self.images,
            references: references
                .iter()
                .filter_map(|(repository, tag)| Image::parse(format!("{repository}:{tag}")).ok())
                .collect(),
            ..Images::default()
        };
        Ok(host)
    }
}

/// The values in `text`, which follow one another.
fn read<T: DeserializeOwned>(question: &'static str, text: &str) -> Result<Vec<T>, ReadError> {
    let values = serde_json::Deserializer::from_str(text).into_iter();
    values.collect::<Result<_, _>>().map_err(|e| ReadError::Form {
        question,
        line: e.line(),
        column: e.column(),
    })
}

/// The networks that exist.
struct Present<'a> {
    ids: BTreeSet<&'a str>,
    names: BTreeSet<&'a str>,
}

impl<'a> Present<'a> {
    fn of(networks: &'a [NetworkAnswer]) -> Self {
        Self {
            ids: networks.iter().map(|network| network.id.as_str()).collect(),
            names: networks.iter().map(|network| network.name.as_str()).collect(),
        }
    }

    /// Whether a container that knows its network by this name and id can find it when it starts. Docker looks for its
    /// own networks by name, since they get new ids, and so it does while the container has never run and has no id.
    fn has(&self, name: &str, id: &str) -> bool {
        if id.is_empty() || matches!(name, "bridge" | "host" | "none") {
            self.names.contains(name)
        } else {
            self.ids.contains(id)
        }
    }
}

/// A name that only gordon's own networks and those of a config must not share.
fn refuse_same_names(networks: &[NetworkAnswer], wanted: &BTreeSet<Network>) -> Result<(), ReadError> {
    let mut by_name: BTreeMap<&str, Vec<&NetworkAnswer>> = BTreeMap::new();
    for network in networks {
        by_name.entry(&network.name).or_default().push(network);
    }
    for (name, same) in by_name.iter().filter(|(_, same)| same.len() > 1) {
        let Ok(network) = Network::parse(*name) else { continue };
        if wanted.contains(&network) || same.iter().any(|network| is_managed(&network.labels)) {
            let ids = same.iter().map(|network| network.id.chars().take(12).collect()).collect();
            return Err(ReadError::SameName { network, ids });
        }
    }
    Ok(())
}

fn volume(name: &str, managed: &str, project: &str) -> Option<(Volume, SeenVolume)> {
    let seen = SeenVolume { project: Project::parse(project).ok(), managed: managed == "true" };
    Some((Volume::parse(name).ok()?, seen))
}

/// Which of `answers` each of `wanted` names: docker also finds images by the beginning of their id.
fn asked_for(wanted: &BTreeSet<Image>, answers: &[ImageAnswer]) -> BTreeMap<Image, SeenImage> {
    let mut by_reference = BTreeMap::new();
    for answer in answers {
        let ImageAnswer(_, tags, digests, _) = answer;
        for reference in tags.iter().chain(digests).flatten() {
            if let Ok(reference) = Image::parse(reference.as_str()) {
                by_reference.insert(reference.canonical(), answer);
            }
        }
    }
    let seen = |image: &Image| Some((image.clone(), by_reference.get(&image.canonical())?.seen()));
    wanted.iter().filter_map(seen).collect()
}

/// A container in a list.
#[derive(Clone, Debug, Deserialize)]
struct Listed {
    id: String,
    names: String,
    managed: String,
    state: String,
    networks: String,
}

impl Listed {
    fn is_managed(&self) -> bool {
        self.managed == "true"
    }

    /// All that is known of a container that gordon did not make.
    fn seen(&self) -> Option<(Container, SeenContainer)> {
        // a container that others link to has a name for each of them, `other/name`
        let name = self.names.split(',').find(|name| !name.contains('/'))?;
        let networks = self.networks.split(',').filter_map(|name| Network::parse(name).ok());
        let seen = SeenContainer {
            project: None,
            kind: None,
            owner: String::new(),
            release: 0,
            spec: Spec::default(),
            inherits: None,
            image: None,
            state: state(&self.state),
            health: Health::None,
            memberships: networks.map(|network| (network, SeenMembership::default())).collect(),
            volumes: BTreeMap::new(),
            env: BTreeMap::new(),
        };
        Some((Container::parse(name).ok()?, seen))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ContainerAnswer {
    id: String,
    name: String,
    image: String,
    state: StateAnswer,
    #[serde(default, deserialize_with = "or_default")]
    mounts: Vec<MountAnswer>,
    config: ContainerConfig,
    network_settings: NetworkSettings,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct StateAnswer {
    status: String,
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
    destination: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ContainerConfig {
    #[serde(default, deserialize_with = "or_default")]
    env: Vec<String>,
    #[serde(default, deserialize_with = "or_default")]
    labels: BTreeMap<String, String>,
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
    fn seen(&self, present: &Present) -> Option<(Container, SeenContainer)> {
        let name = Container::parse(self.name.trim_start_matches('/')).ok()?;
        let label = |key: &str| self.config.labels.get(key).map(String::as_str);
        let remembered = addresses(label(key::ADDRESS).unwrap_or_default());
        let memberships = self.network_settings.networks.iter().filter_map(|(network, endpoint)| {
            let network = Network::parse(network.as_str()).ok()?;
            let remembered = remembered.get(network.as_str()).copied();
            let stale = !present.has(network.as_str(), &endpoint.network);
            Some((network, endpoint.seen(&self.id, remembered, stale)))
        });
        let volumes = self.mounts.iter().filter(|mount| mount.r#type == "volume");
        let variables = self.config.env.iter().filter_map(|variable| variable.split_once('='));
        let seen = SeenContainer {
            project: label(key::PROJECT).and_then(|project| Project::parse(project).ok()),
            kind: label(key::KIND).and_then(Kind::parse),
            owner: label(key::OWNER).unwrap_or_default().to_owned(),
            release: label(key::RELEASE).and_then(|release| release.parse().ok()).unwrap_or(0),
            spec: Spec::parse(label(key::SPEC).unwrap_or_default()),
            inherits: label(key::INHERITS).map(str::to_owned),
            image: ImageId::parse(self.image.as_str()).ok(),
            state: state(&self.state.status),
            health: self.state.health.as_ref().map_or(Health::None, |health| health_of(&health.status)),
            memberships: memberships.collect(),
            volumes: volumes
                .filter_map(|mount| {
                    Some((mount.destination.clone(), Volume::parse(mount.name.as_str()).ok()?))
                })
                .collect(),
            env: variables
                .filter_map(|(key, value)| Some((EnvKey::parse(key).ok()?, Secret::new(value))))
                .collect(),
        };
        Some((name, seen))
    }
}

impl Endpoint {
    /// `remembered` is what the container's label says of its address.
    fn seen(&self, container: &str, remembered: Option<Ipv4Addr>, stale: bool) -> SeenMembership {
        // engines before 25 add the beginning of the container's id
        let is_id = |alias: &str| alias.len() >= 12 && container.starts_with(alias);
        let aliases = self.aliases.iter().filter(|alias| !is_id(alias));
        SeenMembership {
            address: [&self.address, &self.asked.address]
                .into_iter()
                .find_map(|address| address.parse().ok())
                .or(remembered),
            aliases: aliases.filter_map(|alias| Alias::parse(alias.as_str()).ok()).collect(),
            stale,
        }
    }
}

/// What the label [`key::ADDRESS`] says.
fn addresses(label: &str) -> BTreeMap<&str, Ipv4Addr> {
    let pairs = label.split(',').filter_map(|pair| pair.split_once('='));
    pairs.filter_map(|(network, address)| Some((network, address.parse().ok()?))).collect()
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct NetworkAnswer {
    id: String,
    name: String,
    #[serde(rename = "IPAM")]
    ipam: Ipam,
    #[serde(default, deserialize_with = "or_default")]
    containers: BTreeMap<String, NetworkMember>,
    #[serde(default, deserialize_with = "or_default")]
    labels: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Ipam {
    #[serde(default, deserialize_with = "or_default")]
    config: Vec<IpamPool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct IpamPool {
    #[serde(default)]
    subnet: String,
}

#[derive(Deserialize)]
struct NetworkMember {
    #[serde(rename = "IPv4Address", default)]
    address: String,
}

impl NetworkAnswer {
    /// Its IPv4 subnets; the others do not concern gordon.
    fn subnets(&self) -> impl Iterator<Item = Ipv4Net> {
        self.ipam.config.iter().filter_map(|pool| pool.subnet.parse::<Ipv4Net>().ok())
    }

    fn seen(&self, subnet: Option<Ipv4Net>) -> SeenNetwork {
        let members = self.containers.values();
        SeenNetwork {
            project: self.labels.get(key::PROJECT).and_then(|project| Project::parse(project.as_str()).ok()),
            managed: is_managed(&self.labels),
            subnet,
            addresses: members
                .filter_map(|member| Some(member.address.parse::<Ipv4Net>().ok()?.addr()))
                .collect(),
        }
    }
}

/// Id, tags, digests, config.
#[derive(Deserialize)]
struct ImageAnswer(String, Option<Vec<String>>, Option<Vec<String>>, Option<ImageConfig>);

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ImageConfig {
    #[serde(default, deserialize_with = "or_default")]
    volumes: BTreeMap<String, serde::de::IgnoredAny>,
    #[serde(default, deserialize_with = "or_default")]
    exposed_ports: BTreeMap<String, serde::de::IgnoredAny>,
    healthcheck: Option<Healthcheck>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Healthcheck {
    #[serde(default, deserialize_with = "or_default")]
    test: Vec<String>,
}

impl ImageAnswer {
    fn seen(&self) -> SeenImage {
        let ImageAnswer(id, _, _, config) = self;
        SeenImage {
            id: ImageId::parse(id.as_str()).ok(),
            facts: config.as_ref().map(ImageConfig::facts).unwrap_or_default(),
        }
    }
}

impl ImageConfig {
    fn facts(&self) -> ImageFacts {
        let port = |port: &String| if port.contains('/') { port.clone() } else { format!("{port}/tcp") };
        ImageFacts {
            volumes: self.volumes.keys().cloned().collect(),
            ports: self.exposed_ports.keys().map(port).collect(),
            healthcheck: self
                .healthcheck
                .as_ref()
                .and_then(|check| check.test.first())
                .is_some_and(|how| how != "NONE"),
        }
    }
}

fn is_managed(labels: &BTreeMap<String, String>) -> bool {
    labels.get(key::MANAGED).is_some_and(|value| value == "true")
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

/// Docker writes `null` for what is empty, sometimes.
fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    macro_rules! recorded {
        ($engine:literal) => {
            Recorded {
                first: First {
                    containers: recorded!($engine, "ps"),
                    networks: recorded!($engine, "network-ls"),
                    volumes: recorded!($engine, "volume-ls"),
                    images: Some(recorded!($engine, "image-inspect")),
                },
                second: Second {
                    containers: Some(recorded!($engine, "container-inspect")),
                    networks: Some(recorded!($engine, "network-inspect")),
                    references: Some(recorded!($engine, "image-ls")),
                },
            }
        };
        ($engine:literal, $question:literal) => {
            include_str!(concat!("../../tests/answers/", $engine, "/", $question)).to_owned()
        };
    }

    struct Recorded {
        first: First<String>,
        second: Second<String>,
    }

    impl Recorded {
        fn observed(&self) -> Result<Observed, ReadError> {
            Survey::read(scope(), &self.first)?.observed(&self.second)
        }
    }

    fn scope() -> Scope {
        let images = ["edges.example:5000/team/db:1", "docker.io/edges-plain", "edges-missing:2"];
        Scope { images: images.map(image).into(), ..Scope::default() }
    }

    fn old() -> Recorded {
        recorded!("engine-20.10")
    }

    fn image(text: &str) -> Image {
        Image::parse(text).expect("an image")
    }

    fn network(text: &str) -> Network {
        Network::parse(text).expect("a network")
    }

    fn container(text: &str) -> Container {
        Container::parse(text).expect("a container")
    }

    fn address(text: &str) -> Ipv4Addr {
        text.parse().expect("an address")
    }

    fn words<T: ToString>(things: impl IntoIterator<Item = T>) -> String {
        things.into_iter().map(|thing| thing.to_string()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn only_what_gordon_made_is_asked_about_again() {
        let questions = Survey::read(scope(), &old().first).expect("docker's form").questions();
        let count = |command: Option<super::super::Command>| {
            command.expect("there are some").argv(Path::new("/")).len() - 4
        };
        assert_eq!(count(questions.containers), 3);
        assert_eq!(count(questions.networks), 7);
        assert!(questions.references.is_some(), "an image is missing");
    }

    #[test]
    fn a_container_is_seen_with_all_that_its_labels_remember() {
        let host = old().observed().expect("docker's form");
        assert_eq!(
            words(host.containers.keys()),
            "edges-linked edges-stranger shop-db shop-web-green shop-web-green-previous"
        );
        let seen = &host.containers[&container("shop-db")];
        assert_eq!(seen.project, Project::parse("shop").ok());
        assert_eq!((seen.kind, seen.owner.as_str(), seen.release), (Some(Kind::Service), "shop", 3));
        assert_eq!(seen.spec.to_string(), "env:f1d316d3,0bb52b08 image:00ed341f");
        assert_eq!(seen.inherits.as_deref(), Some("00ed341f"));
        assert_eq!(seen.image, host.images.here[&image("edges.example:5000/team/db:1")].id);
        assert_eq!((seen.state, seen.health), (State::Running, Health::Healthy));
        assert_eq!(words(seen.volumes.keys()), "/data /logs");
        assert_eq!(seen.volumes["/data"].as_str(), "shop-data");
        let env: Vec<_> = seen.env.iter().map(|(key, value)| (key.as_str(), value.reveal())).collect();
        assert_eq!(env, [("A", "1"), ("PW", "a=b c")]);
    }

    #[test]
    fn a_container_answers_to_its_aliases_and_not_to_the_id_that_older_engines_add() {
        let host = old().observed().expect("docker's form");
        let memberships = &host.containers[&container("shop-db")].memberships;
        assert_eq!(words(memberships.keys()), "edges-other shop-network");
        let membership = &memberships[&network("shop-network")];
        assert_eq!(words(&membership.aliases), "db shop-db");
        assert_eq!(membership.address, Some(address("10.209.77.128")));
        assert!(!membership.stale);
    }

    #[test]
    fn a_container_that_never_ran_has_the_address_that_it_was_promised() {
        let host = old().observed().expect("docker's form");
        let seen = &host.containers[&container("shop-web-green")];
        assert_eq!(seen.state, State::Created);
        let membership = &seen.memberships[&network("shop-network")];
        assert_eq!(membership.address, Some(address("10.209.77.129")));
        assert!(!membership.stale, "it has no network id yet");
    }

    #[test]
    fn a_network_of_the_same_name_is_not_the_one_that_a_container_lost() {
        let host = old().observed().expect("docker's form");
        let seen = &host.containers[&container("shop-web-green-previous")];
        let membership = &seen.memberships[&network("shop-gone")];
        assert!(membership.stale);
        assert_eq!(membership.address, Some(address("10.209.78.130")));
        assert!(host.networks.contains_key(&network("shop-gone")));
    }

    #[test]
    fn of_others_containers_the_state_and_the_networks_are_known() {
        let host = old().observed().expect("docker's form");
        let seen = &host.containers[&container("edges-stranger")];
        assert_eq!((seen.project.clone(), seen.state), (None, State::Running));
        assert_eq!(words(seen.memberships.keys()), "edges-other");
        assert_eq!(seen.env.len(), 0);
    }

    #[test]
    fn a_network_knows_the_addresses_of_all_that_run_on_it() {
        let host = old().observed().expect("docker's form");
        assert_eq!(words(host.networks.keys()), "bridge edges-other host none shop-gone shop-network");
        let other = &host.networks[&network("edges-other")];
        assert_eq!(words(&other.addresses), "10.209.79.2 10.209.79.3 10.209.79.200");
        assert_eq!((other.managed, other.project.clone()), (false, None));
        let shop = &host.networks[&network("shop-network")];
        assert_eq!((shop.managed, shop.project.clone()), (true, Project::parse("shop").ok()));
        assert_eq!(shop.subnet, "10.209.77.0/24".parse().ok());
        assert_eq!(host.networks[&network("none")].subnet, None);
    }

    #[test]
    fn the_subnet_of_a_network_whose_name_cannot_be_said_is_taken() {
        let host = old().observed().expect("docker's form");
        assert_eq!(words(&host.routes), "10.209.80.0/24");
    }

    #[test]
    fn a_volume_knows_whose_it_is() {
        let host = old().observed().expect("docker's form");
        let volumes: Vec<_> = host
            .volumes
            .iter()
            .map(|(name, seen)| (name.as_str(), seen.managed, seen.project.as_ref().map(Project::as_str)))
            .collect();
        assert_eq!(volumes, [("edges-volume", false, None), ("shop-data", true, Some("shop"))]);
    }

    #[test]
    fn an_image_tells_what_it_declares_under_the_name_that_was_asked_for() {
        let images = old().observed().expect("docker's form").images;
        let facts = |text| images.here.get(&image(text)).map(|seen| seen.facts.clone());
        assert_eq!(
            facts("edges.example:5000/team/db:1"),
            Some(ImageFacts {
                volumes: vec!["/data".to_owned(), "/logs/".to_owned()],
                ports: vec!["5432/tcp".to_owned(), "9000/udp".to_owned()],
                healthcheck: true,
            })
        );
        assert_eq!(facts("docker.io/edges-plain"), Some(ImageFacts::default()), "`HEALTHCHECK NONE` is none");
        assert_eq!(facts("edges-missing:2"), None);
        assert!(images.references.contains(&image("redis:7-alpine")));
    }

    #[test]
    fn an_image_that_docker_finds_by_the_beginning_of_its_id_is_not_the_one_asked_for() {
        let answer = r#"["sha256:beef", ["redis:7"], null, null]"#;
        let answers: Vec<ImageAnswer> = read("image inspect", answer).expect("docker's form");
        let wanted = ["beef", "library/redis:7"].map(image).into();
        assert_eq!(words(asked_for(&wanted, &answers).keys()), "library/redis:7");
    }

    #[test]
    fn an_image_is_found_by_its_digest() {
        let digest = format!("sha256:{}", "1f".repeat(32));
        let answer = format!(r#"["sha256:00", [], ["redis@{digest}"], null]"#);
        let answers: Vec<ImageAnswer> = read("image inspect", &answer).expect("docker's form");
        let wanted = BTreeSet::from([image(&format!("redis:7@{digest}"))]);
        assert_eq!(asked_for(&wanted, &answers).len(), 1);
    }

    #[test]
    fn a_container_that_others_link_to_has_its_own_name() {
        let listed = r#"["1", "other/db,db-1", "", "paused", "bridge"]"#;
        let listed: Vec<Listed> = read("ps", listed).expect("docker's form");
        let (name, seen) = listed[0].seen().expect("a container");
        assert_eq!((name.as_str(), seen.state), ("db-1", State::Paused));
    }

    #[test]
    fn docker_finds_its_own_networks_by_name() {
        let networks = r#"{"Id": "2", "Name": "bridge", "IPAM": {}}"#;
        let networks: Vec<NetworkAnswer> = read("network inspect", networks).expect("docker's form");
        let present = Present::of(&networks);
        assert!(present.has("bridge", "1"), "its id changed when the engine started again");
        assert!(!present.has("shop", ""), "made for a network that was removed before it ran");
    }

    #[test]
    fn two_networks_of_one_name_are_refused_where_the_name_matters() {
        let networks = |labels: &str| -> Vec<NetworkAnswer> {
            let one = |id| format!(r#"{{"Id": "{id}", "Name": "shop", "IPAM": {{}}, "Labels": {labels}}}"#);
            read("network inspect", &[one("1234567890abcdef"), one("2")].concat()).expect("docker's form")
        };
        let [nobodys, ours] = ["null", r#"{"gordon.managed": "true"}"#].map(networks);
        assert_eq!(refuse_same_names(&nobodys, &BTreeSet::new()), Ok(()));
        for (networks, wanted) in [(&ours, BTreeSet::new()), (&nobodys, BTreeSet::from([network("shop")]))] {
            let error = refuse_same_names(networks, &wanted).expect_err("a name that matters");
            assert_eq!(error.to_string(), "network shop: 2 networks have this name: 1234567890ab, 2");
            assert_eq!(error.hint(), "`docker network rm 1234567890ab` removes one of them by its id");
        }
    }

    #[test]
    fn an_answer_that_is_not_understood_is_not_shown() {
        let answer = "\n{\"Id\": \"1\", \"Name\": [\"hunter2\"]}";
        let error = read::<NetworkAnswer>("network inspect", answer).err().expect("a list is no name");
        assert_eq!(
            error.to_string(),
            "docker network inspect: line 2, column 20 of the answer is not of docker's form"
        );
    }
}
