//! The labels that gordon puts on what it makes: all that it remembers of a host.

use super::Membership;
use super::Word;
use crate::name::Network;
use crate::name::Owner;
use crate::name::Project;
use crate::spec::Kind;
use crate::spec::ROLES;
use crate::spec::Spec;
use std::collections::BTreeMap;
use std::net::Ipv4Addr;

/// The names of the labels.
pub mod key {
    /// What all of them begin with.
    pub const PREFIX: &str = "gordon.";
    /// The project that owns it.
    pub const PROJECT: &str = "gordon.project";
    /// The project that made what projects share; in place of [`PROJECT`].
    pub const MAKER: &str = "gordon.maker";
    /// What it is: `KIND/OWNER/NAME`, and of a container `KIND/OWNER/NAME/RELEASE`. See [`Kind`](super::Kind); the owner is
    /// the domain, group or project that is the unit of isolation. The name is the one that gordon gave it, a container's
    /// without what tells its role and its replica: a container of another name is a copy, labels and all. The
    /// number grows with every release of a workload.
    pub const PART: &str = "gordon.part";
    /// What a container was told; see [`Spec`](super::Spec). Behind an `@`, as `key=value` pairs with commas between them, its
    /// address on each network, and as `inherits` the hash of the env file that a service has from its app.
    pub const SPEC: &str = "gordon.spec";
    /// What kind of thing a lock is; once that of all things.
    pub const KIND: &str = "gordon.kind";

    /// What the version before wrote in place of [`PART`] and behind the `@` of [`SPEC`].
    pub(in crate::docker) mod before {
        pub(in crate::docker) const MANAGED: &str = "gordon.managed";
        pub(in crate::docker) const NAME: &str = "gordon.name";
        pub(in crate::docker) const OWNER: &str = "gordon.owner";
        pub(in crate::docker) const RELEASE: &str = "gordon.release";
        pub(in crate::docker) const ADDRESS: &str = "gordon.address";
        pub(in crate::docker) const INHERITS: &str = "gordon.inherits";
    }
}

/// The key of the pair behind the `@` that is no network: its value is no address.
const INHERITS: &str = "inherits";

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
    /// One project's.
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
        let mut words = Vec::with_capacity(6);
        let mut label = |key: &str, value: &str| {
            let label = [key, "=", value].concat();
            words.extend([Word::Text("--label".into()), Word::Text(label.into())]);
        };
        match &self.claim {
            Claim::Owned(project) => label(key::PROJECT, project.as_str()),
            Claim::Shared(maker) => label(key::MAKER, maker.as_str()),
        }
        let part = [self.kind.as_str(), self.owner.as_str(), &self.name].join("/");
        let Some(release) = &self.release else {
            label(key::PART, &part);
            return words;
        };
        label(key::PART, &format!("{part}/{}", release.number));
        let inherits = release.inherits.iter().map(|hash| format!("{INHERITS}={hash}"));
        let addresses = memberships.iter().filter_map(|m| Some(format!("{}={}", m.network, m.address?)));
        let memory: Vec<String> = inherits.chain(addresses).collect();
        let spec = release.spec.as_str();
        if memory.is_empty() {
            label(key::SPEC, spec);
        } else {
            label(key::SPEC, &format!("{spec}@{}", memory.join(",")));
        }
        words
    }
}

/// What the labels of a thing say of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Labelled {
    pub(super) project: Option<Project>,
    pub(super) maker: Option<Project>,
    pub(super) kind: Option<Kind>,
    pub(super) owner: String,
    /// The name that it was given; what has another is a copy.
    pub(super) name: Option<String>,
    /// 0 without one.
    pub(super) release: u32,
    pub(super) spec: Spec,
    pub(super) inherits: Option<String>,
    pub(super) addresses: BTreeMap<Network, Ipv4Addr>,
}

impl Labelled {
    /// What these labels say, as this version writes them or the one before; `None`: they are not gordon's.
    pub(super) fn read<'l>(label: impl Fn(&str) -> Option<&'l str>) -> Option<Self> {
        let project = |key| label(key).and_then(|name| Project::parse(name).ok());
        let (told, memory) =
            label(key::SPEC).map_or(("", ""), |text| text.split_once('@').unwrap_or((text, "")));
        let inherits =
            pairs(memory).find(|(key, value)| *key == INHERITS && value.parse::<Ipv4Addr>().is_err());
        let part = match label(key::PART) {
            Some(part) => Part::parse(part)?,
            None if label(key::before::MANAGED) == Some("true") => Part {
                kind: label(key::KIND).and_then(Kind::parse),
                owner: label(key::before::OWNER).unwrap_or_default(),
                name: label(key::before::NAME),
                release: label(key::before::RELEASE).unwrap_or_default(),
            },
            None => return None,
        };
        let inherits = inherits.map(|(_, hash)| hash).or_else(|| label(key::before::INHERITS));
        Some(Self {
            project: project(key::PROJECT),
            maker: project(key::MAKER),
            kind: part.kind,
            owner: part.owner.to_owned(),
            name: part.name.map(str::to_owned),
            release: release(part.release),
            spec: Spec::parse(told),
            inherits: inherits.map(str::to_owned),
            addresses: addresses(if memory.is_empty() {
                label(key::before::ADDRESS).unwrap_or_default()
            } else {
                memory
            }),
        })
    }

    /// Whether a network or a volume of this name is the one that was labelled.
    pub(super) fn is_of(&self, name: &str) -> bool {
        self.name.as_deref().is_none_or(|labelled| labelled == name)
    }

    /// The same, of labels in a map.
    pub(super) fn of(labels: &BTreeMap<String, String>) -> Option<Self> {
        Self::read(|key| labels.get(key).map(String::as_str))
    }
}

/// What the label [`key::PART`] says.
struct Part<'l> {
    kind: Option<Kind>,
    owner: &'l str,
    name: Option<&'l str>,
    release: &'l str,
}

impl<'l> Part<'l> {
    /// The owner alone can hold a slash.
    fn parse(text: &'l str) -> Option<Self> {
        let (kind, rest) = text.split_once('/')?;
        let kind = Kind::parse(kind)?;
        let (rest, release) = match kind {
            Kind::Network | Kind::Volume => (rest, ""),
            Kind::App | Kind::Service | Kind::Proxy | Kind::Release => rest.rsplit_once('/')?,
        };
        let (owner, name) = rest.rsplit_once('/')?;
        Some(Self { kind: Some(kind), owner, name: Some(name), release })
    }
}

fn pairs(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.split(',').filter_map(|pair| pair.split_once('='))
}

/// The addresses in `network=address` pairs.
fn addresses(text: &str) -> BTreeMap<Network, Ipv4Addr> {
    pairs(text)
        .filter_map(|(network, address)| Some((Network::parse(network).ok()?, address.parse().ok()?)))
        .collect()
}

/// The release in a label; 0 where gordon did not write it. It counts deploys, and there is always a next one.
fn release(label: &str) -> u32 {
    const LAST: u32 = 1_000_000_000;
    label.parse().ok().filter(|release| *release < LAST).unwrap_or(0)
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

    fn read(words: &[&str]) -> Option<Labelled> {
        let labels = words.iter().filter_map(|word| word.split_once('='));
        Labelled::of(&labels.map(|(key, value)| (key.to_owned(), value.to_owned())).collect())
    }

    #[test]
    fn three_labels_say_what_those_of_the_version_before_say() {
        let spec = Spec::of(&[("image", vec!["mysql"]), ("env", vec!["A=1", "B=2"])]);
        let labels = Labels {
            claim: Claim::Owned(Project::parse("shop").expect("a project")),
            kind: Kind::Service,
            owner: Owner::parse("blog.company.com").expect("an owner"),
            name: "shop-blog.company.com-db".to_owned(),
            release: Some(Release { number: 7, spec: spec.clone(), inherits: Some("d624a773".to_owned()) }),
        };
        let network = |name: &str| Network::parse(name).expect("a network");
        let membership = |name: &str, address: Option<&str>| Membership {
            network: network(name),
            address: address.map(|address| address.parse().expect("an address")),
            aliases: Vec::new(),
        };
        let memberships = [
            membership("inherits", Some("10.1.2.3")),
            membership("shop-b", None),
            membership("shop-c", Some("10.1.2.4")),
        ];
        let words = labels.words(&memberships);
        let texts: Vec<&str> = words
            .iter()
            .filter_map(|word| match word {
                Word::Text(text) if text != "--label" => Some(&**text),
                _ => None,
            })
            .collect();
        assert_eq!(texts.len(), 3, "{texts:?}");
        assert!(texts.iter().all(|text| !text.contains(' ')), "{texts:?}");
        let now = read(&texts).expect("gordon's");
        let before = read(&[
            "gordon.managed=true",
            "gordon.project=shop",
            "gordon.kind=service",
            "gordon.owner=blog.company.com",
            "gordon.name=shop-blog.company.com-db",
            "gordon.release=7",
            "gordon.spec=env:f1d316d3,0bb52b08 image:30ef6d6b",
            "gordon.inherits=d624a773",
            "gordon.address=inherits=10.1.2.3,shop-c=10.1.2.4",
        ]);
        assert_eq!(before.as_ref().map(|before| before.release), Some(7));
        let spec_before = Spec::parse("env:f1d316d3,0bb52b08 image:30ef6d6b");
        assert_eq!(Some(Labelled { spec: spec_before, ..now.clone() }), before);
        assert_eq!((now.spec, now.inherits.as_deref()), (spec, Some("d624a773")));
        assert_eq!(now.addresses.len(), 2);
    }

    #[test]
    fn what_a_stranger_labelled_is_not_gordon_s() {
        assert_eq!(read(&["gordon.project=shop"]), None);
        assert_eq!(read(&["gordon.managed=no", "gordon.project=shop"]), None);
        assert_eq!(read(&["gordon.part=mine", "gordon.managed=true"]), None);
        assert_eq!(read(&["gordon.part=lock/a/b"]), None);
    }

    #[test]
    fn after_every_release_there_is_a_next_one() {
        assert_eq!(
            ["1", "999999999", "4294967295", "4294967296", "-1", ""].map(release),
            [1, 999_999_999, 0, 0, 0, 0]
        );
    }
}
