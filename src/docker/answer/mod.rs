//! What docker answers to the questions of a reading, turned into [`Observed`]. Does not know how it was asked.

mod container;
mod image;
mod network;

use super::Command;
use super::Holding;
use super::Images;
use super::Observed;
use super::SeenImage;
use super::SeenVolume;
use super::ask::First;
use super::ask::Scope;
use super::ask::Second;
use super::key;
use super::label::Labelled;
use super::proxy;
use crate::name::Image;
use crate::name::Network;
use crate::name::Volume;
use container::ContainerAnswer;
use container::ImageLabels;
use container::Listed;
use image::ImageAnswer;
use network::NetworkAnswer;
use network::Present;
use serde::Deserialize;
use serde::Deserializer;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fmt;

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
    /// What those images are called, in full.
    references: BTreeSet<String>,
    image_labels: ImageLabels,
    processors: Option<u32>,
}

impl Survey {
    /// Reads the answers of the first round.
    ///
    /// # Errors
    /// When an answer is not of docker's form.
    pub fn read(scope: Scope, answers: &First<String>) -> Result<Self, ReadError> {
        let volumes: Vec<ListedVolume> = read("volume ls", &answers.volumes)?;
        let images: Vec<ImageAnswer> = read_all("image inspect", &answers.images)?;
        Ok(Self {
            containers: read("ps", &answers.containers)?,
            networks: answers.networks.split_whitespace().map(str::to_owned).collect(),
            volumes: volumes.iter().filter_map(ListedVolume::seen).collect(),
            references: image::references(&images),
            image_labels: image::labels(&images),
            processors: read("info", answers.processors.as_deref().unwrap_or_default())?.pop(),
            images: image::asked_for(&scope.images, &images),
            scope,
        })
    }

    /// The questions of the second round.
    pub fn questions(&self) -> Second<Command> {
        let containers: Vec<&str> = self
            .containers
            .iter()
            .filter(|listed| self.is_asked_about(listed))
            .map(|listed| listed.id.as_str())
            .collect();
        let images = self.containers.iter().filter_map(|listed| listed.unknown_image(&self.references));
        let networks: Vec<&str> = self.networks.iter().map(String::as_str).collect();
        let is_image_missing = self.images.len() < self.scope.images.len();
        let mut questions = Second::of(&containers, &images.collect(), &networks, is_image_missing);
        questions.routes_files = self.routes_files();
        questions
    }

    /// Whether the list does not say enough of a container: it carries gordon's labels, or answers on a network of the scope.
    fn is_asked_about(&self, listed: &Listed) -> bool {
        listed.is_managed() || listed.is_on(&self.scope.networks)
    }

    /// How the proxy's routes files are read: where it runs, there; where it does not, off its volume, which takes its image.
    fn routes_files(&self) -> Option<Command> {
        if self.containers.iter().any(Listed::is_running_proxy) {
            return Some(proxy::read());
        }
        let image = self.scope.proxy.as_ref().filter(|image| self.images.contains_key(image))?;
        self.volumes.contains_key(&proxy::routes_volume()).then(|| proxy::read_without_proxy(image.as_str()))
    }

    /// The host, once the second round is answered.
    ///
    /// # Errors
    /// When an answer is not of docker's form, or a name that gordon needs means several networks.
    pub fn observed(mut self, answers: &Second<String>) -> Result<Observed, ReadError> {
        let Second { containers, images, networks, references, routes_files } = answers;
        let images: Vec<ImageAnswer> = read_all("image inspect", images)?;
        self.image_labels.extend(image::labels(&images));
        let inspected: Vec<ContainerAnswer> = read_all("container inspect", containers)?;
        let networks: Vec<NetworkAnswer> = read_all("network inspect", networks)?;
        let references: Vec<(String, String)> = read("image ls", references.as_deref().unwrap_or_default())?;

        network::refuse_same_names(&networks, &self.scope.networks)?;
        let present = Present::of(&networks);
        let volumes = std::mem::take(&mut self.volumes);
        let mut host = Observed { volumes, processors: self.processors, ..Observed::default() };
        let listed = self.containers.iter().filter(|listed| !self.is_asked_about(listed));
        host.containers = listed.filter_map(Listed::seen).collect();
        host.containers
            .extend(inspected.iter().filter_map(|container| container.seen(&present, &self.image_labels)));
        for network in &networks {
            let mut subnets = network.subnets();
            if let Ok(name) = Network::parse(network.name.as_str()) {
                let same_name = host.networks.insert(name, network.seen(subnets.next()));
                host.other_subnets.extend(same_name.and_then(|network| network.subnet));
            }
            host.other_subnets.extend(subnets);
        }
        host.routes_files = routes_files.as_deref().map(proxy::routes_files).unwrap_or_default();
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

/// The data that containers keep, in the answers to the question for what they mount.
///
/// # Errors
/// When an answer is not of docker's form.
pub fn holdings(answers: &[String]) -> Result<Vec<Holding>, ReadError> {
    let containers: Vec<ContainerAnswer> = read_all("container inspect", answers)?;
    Ok(containers.iter().flat_map(ContainerAnswer::holdings).collect())
}

/// The values in several answers to one question.
fn read_all<T: DeserializeOwned>(question: &'static str, answers: &[String]) -> Result<Vec<T>, ReadError> {
    let mut all = Vec::new();
    for answer in answers {
        all.append(&mut read(question, answer)?);
    }
    Ok(all)
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

/// A volume in a list.
#[derive(Deserialize)]
struct ListedVolume {
    name: String,
    /// What it is, as its label says; `true` where the version before made it.
    made: String,
    project: String,
    maker: String,
    /// The name in the label of the version before.
    #[serde(default)]
    labelled: String,
}

impl ListedVolume {
    /// One that was given the labels of another, as a backup may be, is not gordon's.
    fn seen(&self) -> Option<(Volume, SeenVolume)> {
        let labelled = Labelled::read(|key| {
            let value = match key {
                key::PROJECT => &self.project,
                key::MAKER => &self.maker,
                key::PART if self.made.contains('/') => &self.made,
                key::before::MANAGED => &self.made,
                key::before::NAME => &self.labelled,
                _ => return None,
            };
            (!value.is_empty()).then_some(value.as_str())
        });
        let labelled = labelled.filter(|labelled| labelled.is_of(&self.name));
        let managed = labelled.is_some();
        let Labelled { project, maker, .. } = labelled.unwrap_or_default();
        let seen = SeenVolume { project, maker, managed };
        Some((Volume::parse(self.name.as_str()).ok()?, seen))
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
    use crate::docker::Health;
    use crate::docker::SeenContainer;
    use crate::docker::State;
    use crate::name::Container;
    use crate::name::Project;
    use crate::spec::ImageFacts;
    use crate::spec::Kind;
    use std::net::Ipv4Addr;
    use std::path::Path;

    macro_rules! recorded {
        ($engine:literal) => {
            Recorded {
                first: First {
                    containers: recorded!($engine, "ps"),
                    networks: recorded!($engine, "network-ls"),
                    volumes: recorded!($engine, "volume-ls"),
                    images: vec![recorded!($engine, "image-inspect")],
                    processors: None,
                },
                second: Second {
                    containers: vec![recorded!($engine, "container-inspect")],
                    images: Vec::new(),
                    networks: vec![recorded!($engine, "network-inspect")],
                    references: Some(recorded!($engine, "image-ls")),
                    routes_files: None,
                },
            }
        };
        ($engine:literal, $question:literal) => {
            include_str!(concat!("../../../tests/answers/", $engine, "/", $question)).to_owned()
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

    /// The same scene on each engine.
    fn engines() -> [Recorded; 2] {
        [recorded!("engine-20.10"), recorded!("engine-26.1")]
    }

    fn hosts() -> [Observed; 2] {
        engines().map(|engine| engine.observed().expect("docker's form"))
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
        for engine in engines() {
            let questions = Survey::read(scope(), &engine.first).expect("docker's form").questions();
            let count = |commands: Vec<Command>| match commands.as_slice() {
                [one] => one.argv(Path::new("/")).len() - 4,
                several => panic!("{several:?}"),
            };
            assert_eq!(count(questions.containers), 3);
            assert_eq!(count(questions.networks), 7);
            assert!(questions.references.is_some(), "an image is missing");
        }
    }

    #[test]
    fn a_container_is_seen_with_all_that_its_labels_remember() {
        for host in hosts() {
            assert_eq!(
                words(host.containers.keys()),
                "edges-linked edges-stranger shop-db shop-web-green shop-web-green-previous"
            );
            let seen = &host.containers[&container("shop-db")];
            assert_eq!(seen.project, Project::parse("shop").ok());
            assert_eq!((seen.kind, seen.owner.as_str(), seen.release), (Some(Kind::Service), "shop", 3));
            assert_eq!(seen.spec.to_string(), "env:f1d316d3,0bb52b08/image:00ed341f");
            assert_eq!(seen.inherits.as_deref(), Some("00ed341f"));
            assert_eq!(seen.image, host.images.here[&image("edges.example:5000/team/db:1")].id);
            assert_eq!((seen.state, seen.health), (State::Running, Health::Healthy));
            assert_eq!(words(seen.volumes.keys()), "/data /logs");
            assert_eq!(seen.volumes["/data"].as_str(), "shop-data");
            let env: Vec<_> = seen.env.iter().map(|(key, value)| (key.as_str(), value.reveal())).collect();
            assert_eq!(env, [("A", "1"), ("PW", "a=b c")]);
        }
    }

    #[test]
    fn a_container_answers_to_its_aliases_and_not_to_the_id_that_older_engines_add() {
        for host in hosts() {
            let memberships = &host.containers[&container("shop-db")].memberships;
            assert_eq!(words(memberships.keys()), "edges-other shop-network");
            let membership = &memberships[&network("shop-network")];
            assert_eq!(words(&membership.aliases), "db shop-db");
            assert_eq!(membership.address, Some(address("10.209.77.128")));
            assert!(!membership.stale);
        }
    }

    #[test]
    fn a_container_that_never_ran_has_the_address_that_it_was_promised() {
        for host in hosts() {
            let seen = &host.containers[&container("shop-web-green")];
            assert_eq!(seen.state, State::Created);
            let membership = &seen.memberships[&network("shop-network")];
            assert_eq!(membership.address, Some(address("10.209.77.129")));
            assert!(!membership.stale, "it has no network id yet");
        }
    }

    #[test]
    fn a_container_remembers_when_it_was_made_and_of_what() {
        for host in hosts() {
            let past = |name| &host.containers[&container(name)].past;
            let (db, web) = (past("shop-db"), past("shop-web-green"));
            assert_eq!(db.image.as_ref().map(Image::as_str), Some("edges.example:5000/team/db:1"));
            assert!(db.created.is_some() && db.created < db.started, "{db:?}");
            assert!(web.created.is_some() && web.started.is_none(), "it never ran: {web:?}");
        }
    }

    #[test]
    fn a_network_of_the_same_name_is_not_the_one_that_a_container_lost() {
        for host in hosts() {
            let seen = &host.containers[&container("shop-web-green-previous")];
            let membership = &seen.memberships[&network("shop-gone")];
            assert!(membership.stale);
            assert_eq!(membership.address, Some(address("10.209.78.130")));
            assert!(host.networks.contains_key(&network("shop-gone")));
        }
    }

    #[test]
    fn of_others_containers_the_names_are_known_on_the_networks_that_matter() {
        for engine in engines() {
            let scope = || Scope { networks: [network("edges-other")].into(), ..scope() };
            let survey = Survey::read(scope(), &engine.first).expect("docker's form");
            let asked = survey.questions().containers;
            let count: usize = asked.iter().map(|command| command.argv(Path::new("/")).len() - 4).sum();
            assert_eq!(count, 5, "those of gordon's, and two others on the network");
        }
    }

    #[test]
    fn of_others_containers_the_state_and_the_networks_are_known() {
        for host in hosts() {
            let seen = &host.containers[&container("edges-stranger")];
            assert_eq!((seen.project.clone(), seen.state), (None, State::Running));
            assert_eq!(words(seen.memberships.keys()), "edges-other");
            assert_eq!(seen.env.len(), 0);
        }
    }

    #[test]
    fn a_network_knows_the_addresses_of_all_that_run_on_it() {
        for host in hosts() {
            assert_eq!(words(host.networks.keys()), "bridge edges-other host none shop-gone shop-network");
            let other = &host.networks[&network("edges-other")];
            assert_eq!(words(&other.addresses), "10.209.79.2 10.209.79.3 10.209.79.200");
            assert_eq!((other.managed, other.project.clone()), (false, None));
            let shop = &host.networks[&network("shop-network")];
            assert_eq!((shop.managed, shop.project.clone()), (true, Project::parse("shop").ok()));
            assert_eq!(shop.subnet, "10.209.77.0/24".parse().ok());
            assert_eq!(host.networks[&network("none")].subnet, None);
        }
    }

    #[test]
    fn the_subnet_of_a_network_whose_name_cannot_be_said_is_taken() {
        for host in hosts() {
            assert_eq!(words(&host.other_subnets), "10.209.80.0/24");
        }
    }

    /// A host with one container of the image `web:1`, which is not in the scope, and carries `image_labels` itself.
    fn with_one(name: &str, labels: &str, image_labels: &str) -> SeenContainer {
        let first = First {
            containers: format!(r#"["c1", "{name}", "true", "running", "shop-network", "web:1"]"#),
            networks: String::new(),
            volumes: String::new(),
            images: Vec::new(),
            processors: None,
        };
        let survey = Survey::read(Scope::default(), &first).expect("docker's form");
        let asked = survey.questions().images;
        assert!(asked[0].argv(Path::new("/")).ends_with(&["web:1".to_owned()]), "{asked:?}");
        let container = format!(
            r#"{{"Id": "c1", "Name": "/{name}", "Image": "sha256:{0:064}", "State": {{"Status": "running"}},
                 "Config": {{"Labels": {labels}, "Env": ["PW=hunter2"]}},
                 "NetworkSettings": {{"Networks": {{"shop-network": {{"Aliases": ["web"]}}}}}}}}"#,
            1
        );
        let image = format!(r#"["sha256:{0:064}", ["web:1"], [], {{"Labels": {image_labels}}}]"#, 1);
        let second = Second { containers: vec![container], images: vec![image], ..Second::default() };
        let host = survey.observed(&second).expect("docker's form");
        host.containers.into_values().next().expect("it is there")
    }

    const LABELS: &str = r#"{"gordon.managed": "true", "gordon.project": "shop", "gordon.kind": "app", "gordon.owner": "shop",
        "gordon.name": "shop-web", "gordon.release": "2", "gordon.spec": "image:00ed341f"}"#;

    #[test]
    fn labels_that_a_container_has_from_its_image_do_not_make_it_gordon_s() {
        let newer = LABELS.replace(r#""2""#, r#""1""#);
        let unrelated = r#"{"maintainer": "somebody"}"#;
        for (image_labels, is_ours) in [("null", true), (unrelated, true), (&newer, true), (LABELS, false)] {
            let seen = with_one("shop-web-green", LABELS, image_labels);
            assert_eq!(seen.project.is_some(), is_ours, "{image_labels}");
            assert_eq!((seen.kind.is_some(), seen.release > 0), (is_ours, is_ours), "{image_labels}");
            assert_eq!(seen.env.is_empty(), !is_ours, "of others the environment is not kept");
            assert_eq!(words(seen.memberships.keys()), "shop-network");
        }
    }

    #[test]
    fn a_container_that_has_not_the_name_in_its_label_is_not_gordon_s() {
        for (name, is_ours) in [("shop-web-green", true), ("shop-web-blue-2", true), ("shop-web-mine", false)]
        {
            assert_eq!(with_one(name, LABELS, "null").project.is_some(), is_ours, "{name}");
        }
        let without = LABELS.replace(r#""gordon.name": "shop-web", "#, "");
        assert!(with_one("any", &without, "null").project.is_some(), "an older gordon gave no name");
    }

    #[test]
    fn an_image_that_the_first_round_told_of_is_not_asked_about_again() {
        let [mut engine, _] = engines();
        let image = "edges.example:5000/team/db:1";
        engine.first.containers = format!(r#"["c1", "shop-db", "true", "running", "", "{image}"]"#);
        let survey = Survey::read(scope(), &engine.first).expect("docker's form");
        assert_eq!(survey.questions().images, []);
    }

    #[test]
    fn a_volume_that_was_given_the_labels_of_another_is_not_gordon_s() {
        let volume = |name| format!(r#"["{name}", "true", "shop", "", "shop-data"]"#);
        let (containers, networks) = (String::new(), String::new());
        let volumes = [volume("shop-data"), volume("backup")].concat();
        let first = First { containers, networks, volumes, images: Vec::new(), processors: None };
        let survey = Survey::read(Scope::default(), &first).expect("docker's form");
        let host = survey.observed(&Second::default()).expect("docker's form");
        let managed: Vec<_> = host.volumes.iter().map(|(name, seen)| (name.as_str(), seen.managed)).collect();
        assert_eq!(managed, [("backup", false), ("shop-data", true)]);
        assert!(host.volumes.values().all(|seen| seen.managed == seen.project.is_some()));
    }

    #[test]
    fn a_volume_knows_whose_it_is() {
        for host in hosts() {
            let volumes: Vec<_> = host
                .volumes
                .iter()
                .map(|(name, seen)| (name.as_str(), seen.managed, seen.project.as_ref().map(Project::as_str)))
                .collect();
            assert_eq!(volumes, [("edges-volume", false, None), ("shop-data", true, Some("shop"))]);
        }
    }

    #[test]
    fn an_image_tells_what_it_declares_under_the_name_that_was_asked_for() {
        for host in hosts() {
            let images = host.images;
            let facts = |text| images.here.get(&image(text)).map(|seen| seen.facts.clone());
            assert_eq!(
                facts("edges.example:5000/team/db:1"),
                Some(ImageFacts {
                    volumes: vec!["/data".to_owned(), "/logs/".to_owned()],
                    ports: vec!["5432/tcp".to_owned(), "9000/udp".to_owned()],
                    healthcheck: true,
                })
            );
            assert_eq!(
                facts("docker.io/edges-plain"),
                Some(ImageFacts::default()),
                "`HEALTHCHECK NONE` is none"
            );
            assert_eq!(facts("edges-missing:2"), None);
            assert!(images.references.contains(&image("edges-plain:latest")));
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
