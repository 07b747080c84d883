//! A workload: the containers that do one job, an app with its replicas or a service.

use crate::name::Alias;
use crate::name::Container;
use crate::name::Image;
use crate::name::Network;
use crate::name::Owner;
use crate::spec::FilesPart;
use crate::spec::HealthCheck;
use crate::spec::HttpCheck;
use crate::spec::Kind;
use crate::spec::Mount;
use crate::spec::Naming;
use crate::spec::PortCheck;
use crate::spec::Prober;
use crate::spec::ReleaseCommand;
use crate::spec::Role;
use crate::spec::Runtime;
use crate::spec::Setting;
use crate::spec::Source;
use crate::spec::Spec;
use std::fmt;
use std::time::Duration;

/// The settings of a container that runs the command of a release. Labels of other tools are not for it: some route by
/// them. A program that is asked to end may say that all went well, and did half of its work: it is killed.
const RELEASE_SETTINGS: [(&str, &[&str]); 2] = [("labels", &[]), ("stop_signal", &["SIGKILL"])];

/// The containers that do one job.
#[derive(Clone, Debug, PartialEq)]
pub struct Workload {
    /// The domain, group or project that it belongs to.
    pub owner: Owner,
    /// An app or a service.
    pub kind: Kind,
    /// What its containers' names begin with.
    pub base_name: String,
    /// What comes after the base name.
    pub naming: Naming,
    /// How many containers do the job.
    pub replicas: u32,
    /// What they are made of.
    pub image: Image,
    /// The networks that they are on, with the names that they answer to there; empty: docker's default bridge.
    pub attachments: Vec<Attachment>,
    /// Their settings, as far as the config has them.
    pub runtime: Runtime,
    /// The mounts that the image asks for, as far as it is known.
    pub image_mounts: Vec<Mount>,
    /// The base names of the services that are up before it starts.
    pub needs: Vec<String>,
    /// How to see that it is ready.
    pub ready: Ready,
    /// What a new release begins with.
    pub release: Option<ReleaseCommand>,
    /// How a new release takes over.
    pub strategy: Strategy,
    /// Whether the release before stays, stopped.
    pub keeps_previous: bool,
}

/// How a new release takes over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strategy {
    /// Beside the old one, which leaves when the new one is ready.
    Rolling,
    /// After the old one has stopped; for an app, why.
    Recreate(Option<WhyRecreate>),
}

/// Why an app is not rolled out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhyRecreate {
    /// It publishes ports of the host, which only one container can have.
    PublishesPorts,
    /// The config says so.
    Asked,
}

impl fmt::Display for WhyRecreate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PublishesPorts => "it publishes ports of the host",
            Self::Asked => "its strategy is `recreate`",
        })
    }
}

/// A workload's place in a network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attachment {
    /// The network.
    pub network: Network,
    /// The names that the workload answers to there: the short ones first.
    pub aliases: Vec<Alias>,
}

/// How to see that a container is ready.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ready {
    /// Its health check says so before this time is over.
    Healthy(Duration),
    /// It answers a request before this time is over.
    Answers(HttpCheck, Duration),
    /// It has no health check, and the proxy routes to it: it takes a connection before this time is over.
    Listens(PortCheck, Duration),
    /// It has no health check: it stays up for a moment.
    StaysUp,
    /// It is meant to end: it stays up for a moment, or has ended well.
    Ends,
    /// It is meant to end, and others wait for that: it ends well before this time is over.
    Done(Duration),
}

impl Ready {
    /// The image of the container that asks, where one is made for it.
    pub fn prober_image(&self) -> Option<&Image> {
        match self {
            Self::Answers(HttpCheck { prober: Prober::Beside(image), .. }, _) => Some(image),
            Self::Answers(..)
            | Self::Listens(..)
            | Self::Healthy(_)
            | Self::StaysUp
            | Self::Ends
            | Self::Done(_) => None,
        }
    }

    /// Whether the container is meant to end.
    pub fn is_meant_to_end(&self) -> bool {
        matches!(self, Self::Ends | Self::Done(_))
    }

    /// Whether the proxy asks.
    pub fn is_asked_by_proxy(&self) -> bool {
        matches!(self, Self::Answers(HttpCheck { prober: Prober::Proxy, .. }, _) | Self::Listens(..))
    }
}

impl Workload {
    /// The name of the container of this role and replica, counted from 1.
    pub fn container(&self, role: Role, replica: u32) -> Container {
        self.naming.container(&self.base_name, role, replica)
    }

    /// The name by which people know the workload: that of its first serving container.
    pub fn name(&self) -> Container {
        self.container(Role::Serving, 1)
    }

    /// The spec of its containers, which their label remembers. Leaves out what comes from the image
    /// or from its app.
    pub fn spec(&self) -> Spec {
        self.spec_with(None)
    }

    /// The spec of the container that runs the command of its release: that of its containers, and the command. So it
    /// changes with every release.
    pub fn release_spec(&self) -> Spec {
        self.spec_with(self.release.as_ref())
    }

    fn spec_with(&self, release: Option<&ReleaseCommand>) -> Spec {
        let runtime = &self.runtime;
        let env: Vec<String> = runtime.env.iter().map(|(key, value)| format!("{key}={value}")).collect();
        let mounts: Vec<String> = runtime.mounts.iter().map(describe).collect();
        let health = runtime.health.as_ref().map(|health| {
            let HealthCheck { command, interval, timeout, start_period, retries } = health;
            let retries = retries.map(|retries| format!("{retries} ")).unwrap_or_default();
            format!("{interval:?} {timeout:?} {start_period:?} {retries}{command}")
        });
        let mut parts: Vec<(&str, Vec<&str>)> = vec![
            ("image", vec![self.image.as_str()]),
            ("entrypoint", words(&runtime.entrypoint)),
            ("command", words(&runtime.command)),
            ("env", words(&env)),
            ("env-file", self.own_env_files().map(|(_, content)| content).collect()),
            ("secret", runtime.secrets.iter().map(|key| key.as_str()).collect()),
            ("mount", words(&mounts)),
            ("port", words(&runtime.ports)),
            ("health", words(&health)),
            ("release", words(release.iter().flat_map(|release| &release.command))),
            ("release-entrypoint", words(release.iter().flat_map(|release| &release.entrypoint).flatten())),
        ];
        parts.extend(runtime.settings.parts().map(|(key, values)| -> (&str, _) { (key, values) }));
        parts.extend(self.watched_files().map(|part| {
            let values = part.values.iter().map(|(_, value)| value.as_str());
            (part.name.as_str(), values.collect())
        }));
        Spec::of(&parts)
    }

    /// The parts of its spec that remember files.
    pub fn watched_files(&self) -> impl Iterator<Item = &FilesPart> {
        self.runtime.mounts.iter().filter_map(|mount| mount.files.as_deref())
    }

    /// What runs the command of its release, as a workload of one container: like its own, but nothing finds it, and it ends.
    pub fn release_run(&self) -> Option<Self> {
        let release = self.release.as_ref()?;
        let attachments = self
            .attachments
            .iter()
            .map(|attachment| Attachment { network: attachment.network.clone(), aliases: Vec::new() });
        let mut settings = self.runtime.settings.clone();
        for (key, values) in RELEASE_SETTINGS {
            let setting = Setting::find(key).expect("it is a setting");
            settings.set(setting, values.iter().map(|value| (*value).to_owned()).collect());
        }
        Some(Self {
            kind: Kind::Release,
            replicas: 1,
            ready: Ready::Done(release.timeout),
            attachments: attachments.collect(),
            runtime: Runtime {
                entrypoint: release.entrypoint.clone().unwrap_or_else(|| self.runtime.entrypoint.clone()),
                command: release.command.clone(),
                ports: Vec::new(),
                health: None,
                restart: "no".to_owned(),
                settings,
                ..self.runtime.clone()
            },
            ..self.clone()
        })
    }

    /// The platform of its image, where the config says one.
    pub fn platform(&self) -> Option<&str> {
        self.runtime.settings.get("platform").first().map(String::as_str)
    }

    /// The paths at which something is mounted in its containers.
    pub fn mounted_paths(&self) -> impl Iterator<Item = &str> {
        let mounts = self.runtime.mounts.iter().chain(&self.image_mounts).map(|mount| mount.target.as_str());
        mounts.chain(self.runtime.settings.get("tmpfs").iter().map(|word| path_of(word)))
    }

    /// The paths of its own env files, in the order of the spec's part.
    pub fn own_env_file_paths(&self) -> Vec<&str> {
        self.own_env_files().map(|(path, _)| path).collect()
    }

    fn own_env_files(&self) -> impl Iterator<Item = (&str, &str)> {
        let own = self.runtime.env_files.iter().filter(|file| !file.inherited);
        own.map(|file| (file.path.as_str(), file.content.as_str()))
    }
}

/// The path in `/tmp:size=64m`.
fn path_of(tmpfs: &str) -> &str {
    tmpfs.split_once(':').map_or(tmpfs, |(path, _)| path)
}

fn words<'a>(values: impl IntoIterator<Item = &'a String>) -> Vec<&'a str> {
    values.into_iter().map(String::as_str).collect()
}

fn describe(mount: &Mount) -> String {
    let source = match &mount.source {
        Source::Volume(volume) => format!("volume {volume}"),
        Source::Host(path) => format!("host {path}"),
        Source::Folder(path) => format!("folder {path}"),
    };
    let access = if mount.read_only { "ro" } else { "rw" };
    match mount.relabel {
        None => format!("{source} {} {access}", mount.target),
        Some(relabel) => format!("{source} {} {access},{}", mount.target, relabel.as_str()),
    }
}
