//! Why a step is there, and what a person should know beside the steps: data that reads as a sentence.

use crate::desired;
use crate::docker::Fragment;
use crate::docker::SeenContainer;
use crate::docker::Spec;
use crate::docker::route_sites;
use crate::name::Alias;
use crate::name::Container;
use crate::name::EnvKey;
use crate::name::Image;
use crate::name::ImageId;
use crate::name::Network;
use crate::name::Volume;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fmt;

/// Why a step is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// It is not there yet.
    Missing,
    /// The image is not on the host.
    NotOnHost,
    /// Docker's answer about a pulled image is needed before a container is made of it.
    VolumesUnknown,
    /// The container was told something else.
    Changed(Vec<Change>),
    /// The image's tag has moved.
    ImageMoved {
        /// The tag.
        image: Image,
        /// The image that the container was made of.
        from: ImageId,
        /// The image that the tag names now.
        to: ImageId,
    },
    /// Secrets have other values than the container has.
    SecretsChanged(Vec<EnvKey>),
    /// A path inside is not on the volume that it should be on.
    NotMounted(String),
    /// A network of the container was removed: it can never start again.
    NetworkGone(Network),
    /// The person asked for it.
    Asked,
    /// The container is there, but does not run.
    NotRunning,
    /// The container is paused.
    Paused,
    /// The container has proved itself.
    Proved,
    /// The restart policy is another one.
    Restart {
        /// What it is.
        from: String,
        /// What it is to be.
        to: String,
    },
    /// The container served until it ended.
    Served,
    /// The container has never been ready.
    Unproved,
    /// Docker restarts the container over and over.
    Restarting,
    /// The container is not in a network that it should be in.
    NotAttached,
    /// The container is in a network that it should not be in.
    Attached,
    /// The container answers to other names than it should.
    Aliases {
        /// The names that it should have.
        wanted: Vec<Alias>,
    },
    /// A replacement is on its way: this makes room for it.
    MakesRoom,
    /// The replacement is there: this has had its day.
    Replaced,
    /// It is a release from before the one that serves.
    Older,
    /// It is ready: from here on it is the one that serves.
    TakesOver,
    /// The person asked for the release before.
    GoesBack,
    /// Its successor serves: it answers to no name any more, and ends what it has begun.
    Leaves,
    /// It is to be ready.
    Ready,
    /// It is no longer in the config.
    NotInConfig,
    /// There are more replicas than the config asks for.
    TooManyReplicas,
    /// An earlier run was cut off and left it.
    LeftOver,
    /// The proxy leads to apps on this network.
    LeadsThere,
    /// The routes are others than the proxy has.
    RoutesChanged(RouteChanges),
    /// There is nothing to route any more.
    NoRoutes,
    /// The last project of the host goes.
    LastProject,
    /// Everything is to go.
    Down,
}

/// What becomes of the routes that the proxy has of a project, host by host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RouteChanges {
    /// The hosts that it gets.
    pub added: BTreeSet<String>,
    /// The hosts that are routed otherwise, each with the container and port that it leads to until now.
    pub changed: BTreeMap<String, String>,
    /// The hosts that it loses.
    pub removed: BTreeSet<String>,
}

impl RouteChanges {
    /// What changes when the proxy has `to` in place of `from`.
    pub fn between(from: &Fragment, to: &Fragment) -> Self {
        let mut changes = Self::default();
        if from.as_str() == to.as_str() {
            return changes;
        }
        let targets: BTreeMap<String, String> = route_sites(from.as_str())
            .flat_map(|site| site.hosts().map(move |host| (host, site.target())).collect::<Vec<_>>())
            .collect();
        for host in to.hosts() {
            match from.sites(host) {
                None => drop(changes.added.insert(host.to_owned())),
                Some(site) if Some(site) == to.sites(host) => {}
                Some(_) => {
                    let target = targets.get(host).cloned().unwrap_or_default();
                    changes.changed.insert(host.to_owned(), target);
                }
            }
        }
        let gone = from.hosts().filter(|host| to.sites(host).is_none());
        changes.removed.extend(gone.map(str::to_owned));
        changes
    }
}

impl fmt::Display for RouteChanges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hosts = |hosts: &mut dyn Iterator<Item = &String>| hosts.cloned().collect::<Vec<_>>();
        let parts = [
            ("added", hosts(&mut self.added.iter())),
            ("changed", hosts(&mut self.changed.keys())),
            ("removed", hosts(&mut self.removed.iter())),
        ];
        let parts = parts.iter().filter(|(_, hosts)| !hosts.is_empty());
        let parts: Vec<String> = parts.map(|(what, hosts)| format!("{what} {}", few(hosts))).collect();
        if parts.is_empty() {
            return f.write_str("the routes changed");
        }
        write!(f, "routes {}", parts.join("; "))
    }
}

/// The first of many.
fn few(names: &[String]) -> String {
    const FEW: usize = 5;
    let more = names.len().saturating_sub(FEW);
    let first = list(&names[..names.len() - more]);
    if more == 0 { first } else { format!("{first} and {more} more") }
}

/// One thing that a container was told, and is now told otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// The image has another name.
    Image {
        /// What the container was made of.
        from: Image,
        /// What it is to be made of.
        to: Image,
    },
    /// A variable of the config has another value, is new, or is gone; no secret.
    Env {
        /// Its name.
        key: EnvKey,
        /// What it was.
        from: Option<String>,
        /// What it is to be.
        to: Option<String>,
    },
    /// The content of an env file.
    EnvFile(String),
    /// Another part of the spec, of which only that it changed is known.
    Part(&'static str),
}

/// What a container is to be told, as far as a change of it can be shown.
#[derive(Clone, Copy, Debug)]
pub struct Told<'a> {
    /// In the form that its label remembers.
    pub spec: &'a Spec,
    /// What it is made of.
    pub image: &'a Image,
    /// The variables of the config.
    pub env: &'a [(EnvKey, String)],
    /// The env files of its own.
    pub env_files: &'a [&'a str],
}

impl Change {
    /// What `told` changes for the container `seen`.
    pub fn between(seen: &SeenContainer, told: Told<'_>) -> Vec<Self> {
        let mut changes: Vec<Self> = Vec::new();
        for difference in told.spec.differences(&seen.spec) {
            let found = match difference.part {
                "image" => vec![Self::image(seen, told.image)],
                "env" => Self::env(seen, told.env),
                "env-file" => match told.env_files.get(difference.at) {
                    Some(path) => vec![Self::EnvFile((*path).to_owned())],
                    None => vec![Self::Part("env files")],
                },
                part => vec![Self::Part(in_words(part))],
            };
            for change in found {
                if !changes.contains(&change) {
                    changes.push(change);
                }
            }
        }
        changes
    }

    fn image(seen: &SeenContainer, to: &Image) -> Self {
        let from = seen.past.image.as_ref().filter(|from| seen.spec.has("image", from.as_str()));
        from.map_or(Self::Part("image"), |from| Self::Image { from: from.clone(), to: to.clone() })
    }

    /// What a container has in its environment can come from anywhere. Its label knows what came from a config.
    fn env(seen: &SeenContainer, wanted: &[(EnvKey, String)]) -> Vec<Self> {
        let was = |key: &EnvKey| {
            let value = seen.env.get(key)?.reveal();
            seen.spec.has("env", &format!("{key}={value}")).then(|| value.to_owned())
        };
        let mut changes = Vec::new();
        for (key, to) in wanted {
            let from = was(key);
            if from.as_ref() != Some(to) {
                changes.push(Self::Env { key: key.clone(), from, to: Some(to.clone()) });
            }
        }
        let gone = seen.env.keys().filter(|key| wanted.iter().all(|(wanted, _)| wanted != *key));
        for key in gone {
            if let Some(from) = was(key) {
                changes.push(Self::Env { key: key.clone(), from: Some(from), to: None });
            }
        }
        if changes.is_empty() { vec![Self::Part("environment")] } else { changes }
    }
}

/// A part of a spec, as people call it.
fn in_words(part: &str) -> &'static str {
    match part {
        "entrypoint" => "entrypoint",
        "command" => "command",
        "mount" => "volumes",
        "port" => "ports",
        "secret" => "names of secrets",
        "health" => "health check",
        "user" => "user",
        "memory" => "memory",
        "cpus" => "cpus",
        "dns" => "dns",
        _ => "settings",
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Image { from, to } => write!(f, "image {from} → {to}"),
            Self::Env { key, from: Some(from), to: Some(to) } => {
                write!(f, "env {key}={} → {key}={}", short(from), short(to))
            }
            Self::Env { key, from: None, to: Some(to) } => write!(f, "env + {key}={}", short(to)),
            Self::Env { key, from, to: None } => {
                write!(f, "env - {key}={}", short(from.as_deref().unwrap_or_default()))
            }
            Self::EnvFile(path) => write!(f, "{path} changed"),
            Self::Part(part) => write!(f, "{part} changed"),
        }
    }
}

/// The beginning of a long value.
fn short(value: &str) -> String {
    const LONGEST: usize = 40;
    match value.char_indices().nth(LONGEST) {
        None => value.to_owned(),
        Some((end, _)) => format!("{}…", &value[..end]),
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("not there yet"),
            Self::NotOnHost => f.write_str("not on this host"),
            Self::VolumesUnknown => f.write_str("what it declares is not known yet"),
            Self::Changed(changes) => f.write_str(&list(changes)),
            Self::ImageMoved { image, from, to } => {
                write!(f, "`{image}` is another image now: {} → {}", from.short(), to.short())
            }
            Self::SecretsChanged(keys) => {
                write!(f, "secret{} {} changed", if keys.len() == 1 { "" } else { "s" }, list(keys))
            }
            Self::NotMounted(path) => write!(f, "{path} is not on its volume"),
            Self::NetworkGone(network) => {
                write!(f, "its network {network} was removed: it cannot start again")
            }
            Self::Asked => f.write_str("asked for with --recreate"),
            Self::NotRunning => f.write_str("not running"),
            Self::Paused => f.write_str("is paused"),
            Self::Proved => f.write_str("it is ready: docker keeps it up from here on"),
            Self::Restart { from, to } => write!(f, "restart policy {from} → {to}"),
            Self::Served => f.write_str("not running: it serves until its successor is ready"),
            Self::Unproved => f.write_str("it has never been ready"),
            Self::Restarting => f.write_str("docker restarts it over and over"),
            Self::NotAttached => f.write_str("not in this network"),
            Self::Attached => f.write_str("no longer belongs to this network"),
            Self::Aliases { wanted } => write!(f, "should answer to {}", list(wanted)),
            Self::MakesRoom => f.write_str("makes room for its replacement"),
            Self::Replaced => f.write_str("its replacement has taken over"),
            Self::Older => f.write_str("kept from before the release that serves"),
            Self::TakesOver => f.write_str("it is ready to serve"),
            Self::GoesBack => f.write_str("the release before comes back"),
            Self::Leaves => f.write_str("its successor serves"),
            Self::Ready => f.write_str("not ready yet"),
            Self::NotInConfig => f.write_str("no longer in the config"),
            Self::TooManyReplicas => f.write_str("more replicas than the config asks for"),
            Self::LeftOver => f.write_str("left over from a run that was cut off"),
            Self::LeadsThere => f.write_str("the proxy leads to apps there"),
            Self::RoutesChanged(changes) => changes.fmt(f),
            Self::NoRoutes => f.write_str("nothing is routed to it any more"),
            Self::LastProject => f.write_str("no project is left that needs it"),
            Self::Down => f.write_str("everything of this project goes"),
        }
    }
}

/// What a person should know beside the steps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// What the config alone tells.
    Config(desired::Note),
    /// The env file of its app changed, and a service keeps the old one until it is recreated.
    EnvInherited {
        /// The service.
        container: Container,
        /// The env file.
        path: String,
    },
    /// An app is replaced with an interruption, because it cannot be rolled out.
    NotRolledOut {
        /// The app.
        container: Container,
        /// Why not.
        why: desired::WhyRecreate,
    },
    /// A container that comes in gets its aliases before it is ready: in this network they cannot be changed later.
    AliasesAtOnce {
        /// The container.
        container: Container,
        /// The network.
        network: Network,
    },
    /// A network that somebody else made is used as it is.
    NetworkReused(Network),
    /// A volume that somebody else made is used as it is.
    VolumeReused(Volume),
    /// A network stays, because containers of others are on it.
    NetworkKept(Network),
    /// A volume stays, because containers of others mount it.
    VolumeKept(Volume),
    /// Volumes stay.
    VolumesKept(Vec<Volume>),
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Config(note) => note.fmt(f),
            Self::EnvInherited { container, path } => write!(
                f,
                "{container} still has the {path} that it was made with; `gordon apply --recreate {container}` gives it the new one"
            ),
            Self::NotRolledOut { container, why } => {
                write!(
                    f,
                    "{container} cannot be rolled out, because {why}: it is replaced, with an interruption"
                )
            }
            Self::AliasesAtOnce { container, network } => write!(
                f,
                "{container} answers in {network} before it is ready: gordon did not make the network, and cannot change names there"
            ),
            Self::NetworkReused(network) => {
                write!(
                    f,
                    "network {network} was not made by gordon: used as it is, never removed, no fixed addresses"
                )
            }
            Self::VolumeReused(volume) => {
                write!(f, "volume {volume} was not made by gordon: used as it is, never removed")
            }
            Self::NetworkKept(network) => write!(
                f,
                "network {network} stays while containers are on it; see `docker network inspect {network}`"
            ),
            Self::VolumeKept(volume) => {
                write!(f, "volume {volume} stays: a container of somebody else mounts it")
            }
            Self::VolumesKept(volumes) => write!(f, "volumes stay, with their data: {}", list(volumes)),
        }
    }
}

fn list<T: fmt::Display>(things: &[T]) -> String {
    things.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::docker::Health;
    use crate::docker::Past;
    use crate::docker::Secret;
    use crate::docker::State;
    use crate::name::Owner;

    fn key(name: &str) -> EnvKey {
        EnvKey::parse(name).expect("a variable")
    }

    fn image(text: &str) -> Image {
        Image::parse(text).expect("an image")
    }

    /// A container that was told this, and has more in its environment.
    fn seen(spec: Spec, made_of: &str, env: &[(&str, &str)]) -> SeenContainer {
        SeenContainer {
            project: None,
            maker: None,
            kind: None,
            owner: Owner::parse("shop").expect("an owner"),
            release: 1,
            spec,
            inherits: None,
            image: None,
            state: State::Running,
            restart: String::new(),
            restarts: 0,
            health: Health::None,
            addresses: BTreeMap::new(),
            memberships: BTreeMap::new(),
            volumes: BTreeMap::new(),
            ports: BTreeSet::new(),
            env: env.iter().map(|(name, value)| (key(name), Secret::new(*value))).collect(),
            past: Past { image: Some(image(made_of)), ..Past::default() },
        }
    }

    #[test]
    fn a_change_is_told_from_what_to_what_and_of_secrets_no_value() {
        let had = seen(
            Spec::of(&[
                ("image", vec!["app:1"]),
                ("env", vec!["LOG=info", "OLD=1", "SAME=x"]),
                ("secret", vec!["TOKEN"]),
                ("command", vec!["serve"]),
            ]),
            "app:1",
            &[("LOG", "info"), ("OLD", "1"), ("SAME", "x"), ("TOKEN", "hunter2"), ("PATH", "/bin")],
        );
        let env = [("LOG", "debug"), ("SAME", "x"), ("TOKEN", "public"), ("NEW", "2")]
            .map(|(name, value)| (key(name), value.to_owned()));
        let words: Vec<String> = env.iter().map(|(key, value)| format!("{key}={value}")).collect();
        let spec = Spec::of(&[
            ("image", vec!["app:2"]),
            ("env", words.iter().map(String::as_str).collect()),
            ("command", vec!["serve", "--fast"]),
        ]);
        let told = Told { spec: &spec, image: &image("app:2"), env: &env, env_files: &[] };
        let reason = Reason::Changed(Change::between(&had, told)).to_string();
        assert_eq!(
            reason,
            "command changed, env LOG=info → LOG=debug, env + TOKEN=public, env + NEW=2, env - OLD=1, \
             image app:1 → app:2, names of secrets changed"
        );
    }

    #[test]
    fn what_its_label_does_not_confirm_is_not_told_of_a_container() {
        let spec = |image: &str, env: &str| Spec::of(&[("image", vec![image]), ("env", vec![env])]);
        let had = seen(spec("app:1", "LOG=info"), "sha256", &[("LOG", "else")]);
        let told = spec("app:2", "TZ=UTC");
        let told = Told { spec: &told, image: &image("app:2"), env: &[], env_files: &[] };
        assert_eq!(
            Reason::Changed(Change::between(&had, told)).to_string(),
            "environment changed, image changed"
        );
    }
}
