//! The labels that gordon puts on what it makes: all that it remembers of a host.

use super::Membership;
use super::Spec;
use super::Word;
use crate::name::Owner;
use crate::name::Project;
use std::fmt;

/// The names of the labels.
pub mod key {
    /// What all of them begin with.
    pub const PREFIX: &str = "gordon.";
    /// `true` on everything that gordon made.
    pub const MANAGED: &str = "gordon.managed";
    /// The project that owns it.
    pub const PROJECT: &str = "gordon.project";
    /// The project that made what projects share; in place of [`PROJECT`].
    pub const MAKER: &str = "gordon.maker";
    /// What it is; see [`Kind`](super::Kind).
    pub const KIND: &str = "gordon.kind";
    /// The name that gordon gave it; a container's without what tells its role and its replica. What has another name is a
    /// copy of somebody's, labels and all.
    pub const NAME: &str = "gordon.name";
    /// The domain, group or project that it belongs to: the unit of isolation.
    pub const OWNER: &str = "gordon.owner";
    /// A number that grows with every release of a workload.
    pub const RELEASE: &str = "gordon.release";
    /// What a container was told; see [`Spec`](super::Spec).
    pub const SPEC: &str = "gordon.spec";
    /// The container's addresses, as `network=address` pairs with commas between them.
    pub const ADDRESS: &str = "gordon.address";
    /// The hash of the env file that a service has from its app.
    pub const INHERITS: &str = "gordon.inherits";
}

/// What a thing is, as its label says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A container that serves: a route's, or an app of a project.
    App,
    /// A container that apps use: an attachment, or a service of a project.
    Service,
    /// A network.
    Network,
    /// A volume.
    Volume,
    /// The container that leads from domains to apps, shared by all projects.
    Proxy,
}

impl Kind {
    /// The word in the label.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::App => "app",
            Self::Service => "service",
            Self::Network => "network",
            Self::Volume => "volume",
            Self::Proxy => "proxy",
        }
    }

    /// The kind that a label's word names.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::App, Self::Service, Self::Network, Self::Volume, Self::Proxy]
            .into_iter()
            .find(|kind| kind.as_str() == word)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The labels of a thing that gordon makes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Labels {
    /// Whose it is.
    pub claim: Claim,
    /// What it is.
    pub kind: Kind,
    /// The domain, group or project that it belongs to.
    pub owner: Owner,
    /// The name that it is given; a container's without what tells its role and its replica.
    pub name: String,
    /// What only containers remember.
    pub release: Option<Release>,
}

/// Whose a thing is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// A project's, and nobody else's.
    Owned(Project),
    /// All projects'; this one made it.
    Shared(Project),
}

impl Claim {
    /// The project that owns it, when one does.
    pub fn project(&self) -> Option<&Project> {
        match self {
            Self::Owned(project) => Some(project),
            Self::Shared(_) => None,
        }
    }

    /// The project that made it, when all share it.
    pub fn maker(&self) -> Option<&Project> {
        match self {
            Self::Owned(_) => None,
            Self::Shared(maker) => Some(maker),
        }
    }
}

/// The labels that only containers have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Release {
    /// One more than the highest of the workload on the host.
    pub number: u32,
    /// What the container was told.
    pub spec: Spec,
    /// The hash of the env file that a service has from its app.
    pub inherits: Option<String>,
}

/// What comes after the [`key::NAME`] of a container: what it does, then the number of its replica.
pub const ROLES: [&str; 4] = ["-next", "-blue", "-green", "-previous"];

/// Whether gordon would give the container that is labelled with `label` this name, in one role or another.
pub(super) fn is_of(label: &str, name: &str) -> bool {
    let is_replica = |rest: &str| {
        let number = rest.strip_prefix('-').and_then(|number| number.parse::<u32>().ok());
        rest.is_empty() || number.is_some_and(|number| rest == format!("-{number}"))
    };
    name.strip_prefix(label).is_some_and(|rest| {
        is_replica(rest) || ROLES.iter().any(|role| rest.strip_prefix(role).is_some_and(is_replica))
    })
}

impl Labels {
    /// The `--label` words for a thing with `memberships`.
    pub(super) fn words(&self, memberships: &[Membership]) -> Vec<Word> {
        let mut words = Vec::with_capacity(16);
        let mut label = |key: &str, value: &str| {
            let label = [key, "=", value].concat();
            words.extend([Word::Text("--label".into()), Word::Text(label.into())]);
        };
        label(key::MANAGED, "true");
        match &self.claim {
            Claim::Owned(project) => label(key::PROJECT, project.as_str()),
            Claim::Shared(maker) => label(key::MAKER, maker.as_str()),
        }
        label(key::KIND, self.kind.as_str());
        label(key::OWNER, self.owner.as_str());
        label(key::NAME, &self.name);
        if let Some(release) = &self.release {
            label(key::RELEASE, &release.number.to_string());
            label(key::SPEC, release.spec.as_str());
            if let Some(hash) = &release.inherits {
                label(key::INHERITS, hash);
            }
        }
        let addresses: Vec<String> =
            memberships.iter().filter_map(|m| Some(format!("{}={}", m.network, m.address?))).collect();
        if !addresses.is_empty() {
            label(key::ADDRESS, &addresses.join(","));
        }
        words
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_container_has_its_labelled_name_with_a_role_and_a_replica_behind_it() {
        for (name, fits) in [
            ("shop-db", true),
            ("shop-db-2", true),
            ("shop-db-green", true),
            ("shop-db-next-12", true),
            ("shop-db-previous", true),
            ("shop-db-copy", false),
            ("shop-db-02", false),
            ("shop-db-+2", false),
            ("shop-db-green-copy", false),
            ("shop-dbs", false),
            ("shop", false),
            ("brave_hopper", false),
        ] {
            assert_eq!(is_of("shop-db", name), fits, "{name}");
        }
    }
}
