//! Why a step exists, and what a person should know beside the steps: data that reads as a sentence.

use crate::desired;
use crate::docker::HeldIn;
use crate::docker::RoutesFile;
use crate::docker::SeenContainer;
use crate::docker::differing_words;
use crate::docker::route_sites;
use crate::name::Alias;
use crate::name::Container;
use crate::name::EnvKey;
use crate::name::Image;
use crate::name::ImageId;
use crate::name::Network;
use crate::name::Volume;
use crate::spec::FilesPart;
use crate::spec::OtherLimit;
use crate::spec::Setting;
use crate::spec::Settings;
use crate::spec::Spec;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fmt;

/// Why a step exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The thing does not exist yet.
    Missing,
    /// The image is not on the host.
    NotOnHost,
    /// Docker's answer about a pulled image is needed before a container is made of it.
    VolumesUnknown,
    /// The container's spec has changed.
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
    /// Secrets have other values than the container was started with.
    SecretsChanged(Vec<EnvKey>),
    /// A limit of the container was changed by hand.
    Limit(OtherLimit),
    /// A path inside the container is not on the volume that it should be on.
    NotMounted(String),
    /// A network of the container was removed, so it can never start again.
    NetworkGone(Network),
    /// The person asked for it.
    Asked,
    /// A new release begins with it.
    Begins,
    /// The command of a release did not end well, so it runs anew.
    NotDone,
    /// The command of an earlier release ran in it.
    EarlierRelease,
    /// The container exists, but does not run.
    NotRunning,
    /// The container is paused.
    Paused,
    /// The container has proved itself.
    Proved,
    /// The restart policy differs.
    Restart {
        /// The policy that it has.
        from: String,
        /// The policy that it should have.
        to: String,
    },
    /// The container served until it exited.
    Served,
    /// The container has never been ready.
    Unproved,
    /// Docker restarts the container over and over.
    Restarting,
    /// The container is not on a network that it should be on.
    NotAttached,
    /// The container is on a network that it should not be on.
    Attached,
    /// The container answers to other names than it should.
    Aliases {
        /// The names that it should have.
        wanted: Vec<Alias>,
    },
    /// A replacement is coming, and this makes room for it.
    MakesRoom,
    /// The replacement is ready, and this is no longer needed.
    Replaced,
    /// It is a release from before the serving one.
    Older,
    /// It is ready, and serves from here on.
    TakesOver,
    /// The person asked for the previous release.
    GoesBack,
    /// Its successor serves. It has no aliases any more, and finishes its requests.
    Leaves,
    /// It has to be ready.
    Ready,
    /// It is no longer in the config.
    NotInConfig,
    /// There are more replicas than the config asks for.
    TooManyReplicas,
    /// An earlier run was cut off and left it behind.
    LeftOver,
    /// The proxy routes to apps on this network.
    Routed,
    /// The routes differ from those that the proxy has.
    RoutesChanged(RouteChanges),
    /// The project has no routes any more.
    NoRoutes,
    /// The proxy finds it there also while docker does not answer.
    DockerAway,
    /// The last project of the host is removed.
    LastProject,
    /// The whole project is removed.
    Down,
}

/// How the proxy's routes of a project change, host by host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RouteChanges {
    /// The hosts that get a route.
    pub added: BTreeSet<String>,
    /// The hosts whose route changes, each with the container and port that it had before.
    pub changed: BTreeMap<String, String>,
    /// The words of the config that change of these.
    pub words: BTreeSet<&'static str>,
    /// The hosts that lose their route.
    pub removed: BTreeSet<String>,
}

impl RouteChanges {
    /// The changes when `to` replaces `from`.
    pub fn between(from: &RoutesFile, to: &RoutesFile) -> Self {
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
                Some(site) => {
                    changes.words.extend(differing_words(site, to.sites(host).unwrap_or_default()));
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
        let mut parts: Vec<String> = parts.map(|(what, hosts)| format!("{what} {}", few(hosts))).collect();
        let words: Vec<&str> = self.words.iter().copied().collect();
        if !words.is_empty() {
            parts.push(format!("other {}", words.join(", ")));
        }
        if parts.is_empty() {
            return f.write_str("the routes changed");
        }
        write!(f, "routes {}", parts.join("; "))
    }
}

/// The first few of many names.
fn few(names: &[String]) -> String {
    const FEW: usize = 5;
    let more = names.len().saturating_sub(FEW);
    let first = list(&names[..names.len() - more]);
    if more == 0 { first } else { format!("{first} and {more} more") }
}

/// One change in a container's spec.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// The image has another name.
    Image {
        /// The image that the container was made of.
        from: Image,
        /// The image that it should be made of.
        to: Image,
    },
    /// A variable of the config has another value, is new, or is gone. It is not a secret.
    Env {
        /// Its name.
        key: EnvKey,
        /// Its value before.
        from: Option<String>,
        /// Its value from now on.
        to: Option<String>,
    },
    /// The content of an env file has changed.
    EnvFile(String),
    /// Files that are mounted have changed.
    Files(Vec<String>),
    /// A setting has another value, of which only the new one is known.
    Setting {
        /// Its key.
        key: &'static str,
        /// What it is from now on.
        to: String,
    },
    /// Another part of the spec has changed; its values are not known.
    Part(&'static str),
}

/// The wanted container, as far as changes to it can be shown.
#[derive(Clone, Copy, Debug)]
pub struct Told<'a> {
    /// Its spec, in the form that its label records.
    pub spec: &'a Spec,
    /// Its image.
    pub image: &'a Image,
    /// Its variables from the config.
    pub env: &'a [(EnvKey, String)],
    /// Its own env files.
    pub env_files: &'a [&'a str],
    /// The parts of its spec that remember files.
    pub files: &'a [&'a FilesPart],
    /// Its settings from the config.
    pub settings: &'a Settings,
}

impl Change {
    /// The changes that turn the container `seen` into `told`.
    pub fn between(seen: &SeenContainer, told: Told<'_>) -> Vec<Self> {
        let mut changes: Vec<Self> = Vec::new();
        let is_known = |part| !seen.spec.lacks_files(part) && !told.spec.lacks_files(part);
        let differences = told.spec.differences(&seen.spec).into_iter();
        for difference in differences.filter(|difference| is_known(difference.part)) {
            let found = match difference.part {
                "image" => vec![Self::image(seen, told.image)],
                "env" => Self::env(seen, told.env),
                "env-file" => match told.env_files.get(difference.at) {
                    Some(path) => vec![Self::EnvFile((*path).to_owned())],
                    None => vec![Self::Part("env files")],
                },
                part if told.files.iter().any(|files| files.name == part) => {
                    Self::files(seen, part, told.files)
                }
                part => vec![match Setting::find(part) {
                    Some(setting) => {
                        Self::Setting { key: setting.key, to: setting.describe(told.settings.get(part)) }
                    }
                    None => Self::Part(in_words(part)),
                }],
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

    /// The files that are new or changed; where some are only gone, what is mounted.
    fn files(seen: &SeenContainer, part: &str, files: &[&FilesPart]) -> Vec<Self> {
        let values = files.iter().filter(|files| files.name == part).flat_map(|files| &files.values);
        let changed = values.clone().filter(|(_, value)| !seen.spec.has(part, value));
        let mut paths: Vec<String> = changed.map(|(path, _)| path.clone()).collect();
        if paths.is_empty() {
            paths.extend(values.take(1).map(|(path, _)| path.clone()));
        }
        vec![Self::Files(paths)]
    }

    /// The changed variables. A container's environment has other sources too; its label tells which values
    /// came from a config.
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

/// The everyday word for a part of a spec.
fn in_words(part: &str) -> &'static str {
    match part {
        "entrypoint" => "entrypoint",
        "command" => "command",
        "mount" => "volumes",
        "port" => "ports",
        "secret" => "names of secrets",
        "health" => "health check",
        "dns" => "dns",
        "http3" => "http3",
        "snippet" => "snippet",
        "trusted_proxies" => "trusted_proxies",
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
            Self::Files(paths) => write!(f, "{} changed", few(paths)),
            Self::Setting { key, to } => write!(f, "{key}: {}", short(to)),
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
            Self::Limit(OtherLimit { flag, seen, wanted }) => match wanted {
                Some(wanted) => write!(f, "{flag} was changed by hand: {seen} → {wanted}"),
                None => write!(f, "{flag} was set by hand, to {seen}"),
            },
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
            Self::Begins => f.write_str("a new release begins with it"),
            Self::NotDone => f.write_str("it did not end well: it runs anew"),
            Self::EarlierRelease => f.write_str("of an earlier release"),
            Self::LeftOver => f.write_str("left over from a run that was cut off"),
            Self::Routed => f.write_str("the proxy routes to apps there"),
            Self::RoutesChanged(changes) => changes.fmt(f),
            Self::NoRoutes => f.write_str("nothing is routed to it any more"),
            Self::DockerAway => f.write_str("for when docker does not answer"),
            Self::LastProject => f.write_str("no project is left that needs it"),
            Self::Down => f.write_str("everything of this project goes"),
        }
    }
}

/// What a person should know beside the steps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// A note from the config alone.
    Config(desired::Note),
    /// The app's env file changed, and a service keeps the old one until it is recreated.
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
    /// A new container gets its aliases before it is ready, since they cannot be changed later on this
    /// network.
    AliasesAtOnce {
        /// The container.
        container: Container,
        /// The network.
        network: Network,
    },
    /// A network that gordon did not make is used unchanged.
    NetworkReused(Network),
    /// A volume that gordon did not make is used unchanged.
    VolumeReused(Volume),
    /// A network stays, because foreign containers are on it.
    NetworkKept(Network),
    /// A volume stays, because foreign containers mount it.
    VolumeKept(Volume),
    /// Volumes stay.
    VolumesKept(Vec<Volume>),
    /// A container gets an empty volume where another container, which looks like the one before it, has data.
    DataElsewhere {
        /// The container that gets it.
        container: Container,
        /// The other container.
        holder: Container,
        /// What that was made of.
        image: Option<Image>,
        /// Where both see the data.
        path: String,
        /// Where the other has them.
        place: HeldIn,
        /// Whether the other goes on running.
        is_up: bool,
    },
    /// A container is to mount an external volume on which another container runs.
    VolumeInUse {
        /// The volume.
        volume: Volume,
        /// The container that is to mount it.
        container: Container,
        /// The container that runs on it.
        holder: Container,
    },
    /// It is not known whether the files changed that containers which stay were made with.
    FilesUnknown(Vec<Container>),
    /// Containers that stay have logs without a limit.
    EndlessLogs(Vec<Container>),
    /// The proxy that stays does not speak HTTP/3.
    NoHttp3,
    /// Volumes that may be left behind, and that nothing leaves.
    NothingLeft {
        /// Their names, as the person wrote them.
        named: Vec<String>,
        /// The volumes that are left behind.
        left: Vec<Volume>,
    },
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
                write!(f, "volume {volume} stays: a foreign container mounts it")
            }
            Self::DataElsewhere { container, holder, image, path, place, is_up } => {
                if let Some(image) = image {
                    write!(f, "{image} of ")?;
                }
                let line = match place {
                    HeldIn::Volume(volume) => {
                        write!(f, "container {holder} keeps {path} in volume {volume}")?;
                        format!("{{ external = \"{volume}\", target = \"{path}\" }}")
                    }
                    HeldIn::Host(source) => {
                        write!(f, "container {holder} keeps {path} in {source} of this host")?;
                        format!("\"{source}:{path}\"")
                    }
                };
                let first = if *is_up { format!("stop {holder} and ") } else { String::new() };
                write!(
                    f,
                    ", and {container} gets an empty volume there: to go on with those data, {first}write \
                     `volumes = [{line}]`"
                )
            }
            Self::VolumeInUse { volume, container, holder } => write!(
                f,
                "container {holder} runs on volume {volume}, which {container} is to mount: two databases on one volume destroy \
                 it; `docker stop {holder}` ends the other"
            ),
            Self::FilesUnknown(containers) => write!(
                f,
                "what mounted files these were made with is not known, so a change of one is seen only once they are replaced: \
                 {}; `gordon apply --recreate NAME` does it",
                list(containers)
            ),
            Self::EndlessLogs(containers) => write!(
                f,
                "docker keeps all that these ever wrote, until they are replaced: {}; `gordon apply --recreate NAME` does it",
                list(containers)
            ),
            Self::NoHttp3 => f.write_str(
                "gordon-proxy is from before HTTP/3, and stays: `proxy.http3 = true` replaces it, with an interruption; `false` \
                 leaves it so",
            ),
            Self::VolumesKept(volumes) => write!(f, "volumes stay, with their data: {}", list(volumes)),
            Self::NothingLeft { named, left } => {
                let named: Vec<String> = named.iter().map(|name| format!("`--leave-data {name}`")).collect();
                write!(f, "{} has no effect: this plan leaves ", list(&named))?;
                match &left[..] {
                    [] => f.write_str("no data behind"),
                    left => write!(f, "behind the data of {}", list(left)),
                }
            }
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
    use crate::docker::State;
    use crate::name::Owner;
    use crate::spec::Limits;
    use crate::spec::Secret;

    fn key(name: &str) -> EnvKey {
        EnvKey::parse(name).expect("a variable")
    }

    fn image(text: &str) -> Image {
        Image::parse(text).expect("an image")
    }

    /// A container of this spec, with more variables in its environment.
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
            exit_status: None,
            restart: String::new(),
            stop_timeout: None,
            limits: Limits::new(),
            has_endless_log: false,
            restarts: 0,
            health: Health::None,
            addresses: BTreeMap::new(),
            memberships: BTreeMap::new(),
            volumes: BTreeMap::new(),
            ports: BTreeSet::new(),
            udp_ports: BTreeSet::new(),
            env: env.iter().map(|(name, value)| (key(name), Secret::new(*value))).collect(),
            past: Past { image: Some(image(made_of)), ..Past::default() },
        }
    }

    #[test]
    fn a_change_shows_old_and_new_values_but_no_secret() {
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
        let told = Told {
            spec: &spec,
            image: &image("app:2"),
            env: &env,
            env_files: &[],
            files: &[],
            settings: &Settings::default(),
        };
        let reason = Reason::Changed(Change::between(&had, told)).to_string();
        assert_eq!(
            reason,
            "command changed, env LOG=info → LOG=debug, env + TOKEN=public, env + NEW=2, env - OLD=1, \
             image app:1 → app:2, names of secrets changed"
        );
    }

    #[test]
    fn a_changed_setting_says_what_it_is_from_now_on() {
        let mut settings = Settings::default();
        let mut set = |key, values: &[&str]| {
            let values = values.iter().map(|value| (*value).to_owned()).collect();
            settings.set(Setting::find(key).expect("a setting"), values);
        };
        set("init", &["true"]);
        set("cap_add", &["NET_ADMIN", "SYS_TIME"]);
        set("memory", &["1g"]);
        let image = image("app:1");
        let was =
            Spec::of(&[("memory", vec!["512m"]), ("read_only", vec!["true"]), ("shm_size", vec!["1g"])]);
        let is = Spec::of(&settings.parts().collect::<Vec<_>>());
        let told =
            Told { spec: &is, image: &image, env: &[], env_files: &[], files: &[], settings: &settings };
        assert_eq!(
            Reason::Changed(Change::between(&seen(was, "app:1", &[]), told)).to_string(),
            "cap_add: NET_ADMIN, SYS_TIME, init: on, memory: 1g, read_only: off, shm_size: no longer set"
        );
    }

    #[test]
    fn a_value_that_the_label_does_not_confirm_is_not_shown() {
        let spec = |image: &str, env: &str| Spec::of(&[("image", vec![image]), ("env", vec![env])]);
        let had = seen(spec("app:1", "LOG=info"), "sha256", &[("LOG", "else")]);
        let told = spec("app:2", "TZ=UTC");
        let told = Told {
            spec: &told,
            image: &image("app:2"),
            env: &[],
            env_files: &[],
            files: &[],
            settings: &Settings::default(),
        };
        assert_eq!(
            Reason::Changed(Change::between(&had, told)).to_string(),
            "environment changed, image changed"
        );
    }
}
