//! Podman in the place of docker, by its answer to `docker version`. Does not know what is done about it.

use super::Command;
use super::Observed;
use serde::Deserialize;

/// The name of its part that answers in the place of docker's.
const ENGINE: &str = "Podman Engine";

/// Podman in the place of docker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Podman {
    /// Its version.
    pub version: String,
    /// What of it is there.
    pub part: Part,
}

/// What of Podman is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The binary that is called in the place of docker's.
    Cli,
    /// The engine that docker talks to.
    Engine,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Version {
    client: Client,
    #[serde(default)]
    server: Option<Server>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Client {
    /// Docker writes `ApiVersion`.
    #[serde(rename = "APIVersion")]
    podman_api: Option<String>,
    version: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Server {
    #[serde(default)]
    components: Vec<Component>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Component {
    name: String,
    version: String,
}

impl Podman {
    /// Whether a host is docker's by its networks: docker has these two on every host, Podman has neither and makes neither.
    pub fn is_ruled_out(host: &Observed) -> bool {
        ["host", "none"].iter().all(|name| host.networks.keys().any(|network| network.as_str() == *name))
    }

    /// The question of which [`Self::parse`] reads the answer.
    pub fn question() -> Command {
        Command::new(["version", "--format", "{{json .}}"])
    }

    /// Podman, when that is what answers; an answer that is not understood is no sign of it.
    pub fn parse(answer: &str) -> Option<Self> {
        let Version { client, server } = serde_json::from_str(answer).ok()?;
        if client.podman_api.is_some() {
            return Some(Self { version: client.version, part: Part::Cli });
        }
        let engine = server?.components.into_iter().find(|component| component.name == ENGINE)?;
        Some(Self { version: engine.version, part: Part::Engine })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::docker::SeenNetwork;
    use crate::name::Network;

    #[test]
    fn a_host_with_docker_s_own_networks_is_no_podman_s() {
        let host = |names: &[&str]| {
            let networks =
                names.iter().map(|name| (Network::parse(*name).expect("a name"), SeenNetwork::default()));
            Observed { networks: networks.collect(), ..Observed::default() }
        };
        assert!(Podman::is_ruled_out(&host(&["bridge", "host", "none", "shop-network"])));
        assert!(Podman::is_ruled_out(&host(&["host", "none"])), "docker can be without its bridge");
        assert!(!Podman::is_ruled_out(&host(&["podman", "bridge", "host"])));
        assert!(!Podman::is_ruled_out(&Observed::default()));
    }

    #[test]
    fn podman_is_known_by_its_version_and_docker_is_not_taken_for_it() {
        let podman = |part| Some(Podman { version: "4.3.1".to_owned(), part });
        for (answer, found) in [
            (include_str!("../../tests/answers/podman-4.3/cli-version"), podman(Part::Cli)),
            (include_str!("../../tests/answers/podman-4.3/socket-version"), podman(Part::Engine)),
            (include_str!("../../tests/answers/engine-20.10/version"), None),
            // docker, whose engine does not answer
            (r#"{"Client":{"Version":"28.2.2","ApiVersion":"1.50"},"Server":null}"#, None),
            ("Docker version 28.2.2", None),
            ("", None),
        ] {
            assert_eq!(Podman::parse(answer), found, "{answer}");
        }
    }
}
