//! What docker says of networks. Does not know who is on them but for the addresses.

use super::ReadError;
use super::or_default;
use crate::docker::SeenNetwork;
use crate::docker::label::Labelled;
use crate::name::Network;
use ipnet::Ipv4Net;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::collections::BTreeSet;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct NetworkAnswer {
    id: String,
    pub(super) name: String,
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
    pub(super) fn subnets(&self) -> impl Iterator<Item = Ipv4Net> {
        self.ipam.config.iter().filter_map(|pool| pool.subnet.parse::<Ipv4Net>().ok())
    }

    /// What its labels say, when gordon made it, and no other tool that copied its labels.
    fn labelled(&self) -> Option<Labelled> {
        Labelled::of(&self.labels).filter(|labelled| labelled.is_of(&self.name))
    }

    pub(super) fn seen(&self, subnet: Option<Ipv4Net>) -> SeenNetwork {
        let members = self.containers.values();
        let labelled = self.labelled();
        let managed = labelled.is_some();
        let Labelled { project, maker, .. } = labelled.unwrap_or_default();
        SeenNetwork {
            project,
            maker,
            managed,
            subnet,
            addresses: members
                .filter_map(|member| Some(member.address.parse::<Ipv4Net>().ok()?.addr()))
                .collect(),
        }
    }
}

/// The networks that exist.
pub(super) struct Present<'a> {
    ids: BTreeSet<&'a str>,
    names: BTreeSet<&'a str>,
}

impl<'a> Present<'a> {
    pub(super) fn of(networks: &'a [NetworkAnswer]) -> Self {
        Self {
            ids: networks.iter().map(|network| network.id.as_str()).collect(),
            names: networks.iter().map(|network| network.name.as_str()).collect(),
        }
    }

    /// Whether a container that knows its network by this name and id can find it when it starts. Docker looks for its
    /// own networks by name, since they get new ids, and so it does while the container has never run and has no id.
    pub(super) fn has(&self, name: &str, id: &str) -> bool {
        if id.is_empty() || matches!(name, "bridge" | "host" | "none") {
            self.names.contains(name)
        } else {
            self.ids.contains(id)
        }
    }
}

/// A name that gordon's own networks, and those that are wanted, do not share.
pub(super) fn refuse_same_names(
    networks: &[NetworkAnswer],
    wanted: &BTreeSet<Network>,
) -> Result<(), ReadError> {
    let mut by_name: BTreeMap<&str, Vec<&NetworkAnswer>> = BTreeMap::new();
    for network in networks {
        by_name.entry(&network.name).or_default().push(network);
    }
    for (name, same) in by_name.iter().filter(|(_, same)| same.len() > 1) {
        let Ok(network) = Network::parse(*name) else { continue };
        if wanted.contains(&network) || same.iter().any(|network| network.labelled().is_some()) {
            let ids = same.iter().map(|network| network.id.chars().take(12).collect()).collect();
            return Err(ReadError::SameName { network, ids });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::read;
    use super::*;

    #[test]
    fn docker_finds_its_own_networks_by_name() {
        let networks = r#"{"Id": "2", "Name": "bridge", "IPAM": {}}"#;
        let networks: Vec<NetworkAnswer> = read("network inspect", networks).expect("docker's form");
        let present = Present::of(&networks);
        assert!(present.has("bridge", "1"), "its id changed when the engine started again");
        assert!(!present.has("shop", ""), "made for a network that was removed before it ran");
    }

    #[test]
    fn a_network_that_was_given_the_labels_of_another_is_not_gordon_s() {
        let labels = r#"{"gordon.managed": "true", "gordon.project": "shop", "gordon.name": "shop-network"}"#;
        for (name, managed) in [("shop-network", true), ("shop-network-copy", false)] {
            let answer = format!(r#"{{"Id": "1", "Name": "{name}", "IPAM": {{}}, "Labels": {labels}}}"#);
            let networks: Vec<NetworkAnswer> = read("network inspect", &answer).expect("docker's form");
            let seen = networks[0].seen(None);
            assert_eq!((seen.managed, seen.project.is_some()), (managed, managed), "{name}");
        }
    }

    #[test]
    fn two_networks_of_one_name_are_refused_where_the_name_matters() {
        let networks = |labels: &str| -> Vec<NetworkAnswer> {
            let one = |id| format!(r#"{{"Id": "{id}", "Name": "shop", "IPAM": {{}}, "Labels": {labels}}}"#);
            read("network inspect", &[one("1234567890abcdef"), one("2")].concat()).expect("docker's form")
        };
        let [nobodys, ours] = ["null", r#"{"gordon.managed": "true"}"#].map(networks);
        assert_eq!(refuse_same_names(&nobodys, &BTreeSet::new()), Ok(()));
        for (networks, wanted) in [
            (&ours, BTreeSet::new()),
            (&nobodys, BTreeSet::from([Network::parse("shop").expect("a network")])),
        ] {
            let error = refuse_same_names(networks, &wanted).expect_err("a name that matters");
            assert_eq!(error.to_string(), "network shop: 2 networks have this name: 1234567890ab, 2");
            assert_eq!(error.hint(), "`docker network rm 1234567890ab` removes one of them by its id");
        }
    }
}
