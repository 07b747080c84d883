//! What a config says, parsed and with every default filled in. Does not know which syntax it was written in.
//!
//! A [`Spanned`] value knows its place in the text; two that differ only in their places are equal.

use super::enabled::Enabled;
use super::environment::Environment;
use super::mount::EnvFile;
use super::mount::Mount;
use super::publish::Protocol;
use super::publish::Published;
use super::scalar;
use super::snippet::Snippet;
use super::value::Restart;
use crate::name::Domain;
use crate::name::EnvKey;
use crate::name::Image;
use crate::name::Label;
use crate::name::Project;
use crate::name::ShortName;
use crate::spec::Pull;
use crate::spec::ReleaseCommand;
use crate::spec::Settings;
use crate::spec::Statuses;
use crate::spec::Tls;
use ipnet::Ipv4Net;
use serde::Deserialize;
use serde_spanned::Spanned;
use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZeroU8;
use std::num::NonZeroU16;
use std::time::Duration;

/// A whole config. Lists are in the order of the file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Config {
    /// The project's name, when the config gives one.
    pub name: Option<Spanned<Project>>,
    /// `[routes]`: the apps that answer to a domain.
    pub routes: Vec<Route>,
    /// `[attachments]`: services beside a domain's app, or beside a group's. Each key is here once.
    pub attachments: Vec<Attachments>,
    /// `[network_groups]`: domains that share a network; none is empty.
    pub groups: Vec<Group>,
    /// `[network_isolation]`.
    pub isolation: Isolation,
    /// `[env]`.
    pub env: Env,
    /// `[volumes]`.
    pub volumes: Volumes,
    /// `[deploy]`.
    pub deploy: Deploy,
    /// `[proxy]`.
    pub proxy: Proxy,
    /// `containers`: settings of every container that has none of its own.
    pub containers: Settings,
    /// `apps`: the apps of a Luma project.
    pub apps: Vec<App>,
    /// `services`: the services of a Luma project.
    pub services: Vec<Service>,
    /// The distinct hosts that `server` and `servers` name, anywhere in the file. With more than one, the config
    /// is for several machines and must not be applied to this one.
    pub servers: Vec<Spanned<String>>,
}

/// The project of a config without a `name`, and so its prefix.
pub const DEFAULT_PROJECT: &str = "gordon";

impl Config {
    /// The project's name, given or not.
    pub fn project(&self) -> Project {
        match &self.name {
            Some(name) => name.get_ref().clone(),
            None => Project::parse(DEFAULT_PROJECT).expect("the default project is a project name"),
        }
    }

    /// What names of networks and containers begin with.
    pub fn network_prefix(&self) -> Project {
        self.isolation
            .network_prefix
            .as_ref()
            .map_or_else(|| self.project(), |prefix| prefix.get_ref().clone())
    }

    /// The commands that print secrets, by the names of the secrets.
    pub fn secret_commands(&self) -> BTreeMap<EnvKey, &[String]> {
        let secrets = self.workloads().flat_map(|workload| &workload.environment.secret);
        let with_command = secrets.filter(|secret| !secret.command.is_empty());
        with_command.map(|secret| (secret.key.get_ref().clone().into(), secret.command.as_slice())).collect()
    }

    /// What describes the containers of routes, attachments, apps and services.
    pub fn workloads(&self) -> impl Iterator<Item = &Workload> {
        let routes = self.routes.iter().map(|route| &route.workload);
        let attached = self.attachments.iter().flat_map(|attachments| &attachments.services);
        let apps = self.apps.iter().map(|app| &app.workload);
        let services = attached.chain(&self.services).map(|service| &service.workload);
        routes.chain(apps).chain(services)
    }

    /// Whether a container of it publishes this port of the host over UDP.
    pub fn publishes_udp(&self, port: u16) -> bool {
        let published = self.workloads().flat_map(|workload| &workload.ports).map(Spanned::get_ref);
        published
            .filter(|published| published.protocol == Protocol::Udp)
            .any(|published| published.host.as_ref().is_some_and(|host| host.contains(&port)))
    }

    /// What names of automatic volumes begin with.
    pub fn volume_prefix(&self) -> Project {
        self.volumes.prefix.as_ref().map_or_else(|| self.network_prefix(), |prefix| prefix.get_ref().clone())
    }
}

/// An app that answers to a domain.
#[derive(Clone, Debug, PartialEq)]
pub struct Route {
    /// The domain that it answers to.
    pub domain: Spanned<Domain>,
    /// The others that it answers to.
    pub domains: Vec<Spanned<Domain>>,
    /// How the proxy serves them.
    pub site: Site,
    /// Takes the domain's part in names.
    pub id: Option<Spanned<Label>>,
    /// Where the app listens, when the config says so.
    pub port: Option<Spanned<NonZeroU16>>,
    /// How many containers run it.
    pub replicas: Spanned<NonZeroU8>,
    /// What a new release begins with.
    pub release: Option<ReleaseCommand>,
    /// How a new release takes over.
    pub strategy: Strategy,
    /// What every container is described by.
    pub workload: Workload,
}

/// An app of a Luma project.
#[derive(Clone, Debug, PartialEq)]
pub struct App {
    /// Its own name.
    pub name: Spanned<ShortName>,
    /// The hosts that it answers to, when it answers any.
    pub proxy: Option<AppProxy>,
    /// Where it listens, when the config says so or it answers to hosts.
    pub port: Option<Spanned<NonZeroU16>>,
    /// How many containers run it.
    pub replicas: Spanned<NonZeroU8>,
    /// What a new release begins with.
    pub release: Option<ReleaseCommand>,
    /// How a new release takes over.
    pub strategy: Strategy,
    /// What every container is described by.
    pub workload: Workload,
}

/// How the proxy reaches an app of a Luma project.
#[derive(Clone, Debug, PartialEq)]
pub struct AppProxy {
    /// The hosts that the app answers to; at least one.
    pub hosts: Vec<Spanned<Domain>>,
    /// How the proxy serves them.
    pub site: Site,
}

/// How the proxy serves the hosts of an app. What is not said is as `[proxy]` has it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Site {
    /// Hosts that send their visitors to the first of the app's.
    pub redirect_from: Vec<Spanned<Domain>>,
    /// Where the certificates of all of these hosts come from.
    pub tls: Option<Tls>,
    /// Whether text is compressed.
    pub compress: Option<Enabled>,
    /// Whether requests are logged.
    pub access_log: Option<Enabled>,
    /// More of the proxy's own words.
    pub snippet: Option<Snippet>,
}

/// A service: of a Luma project, or attached to a domain or a group.
#[derive(Clone, Debug, PartialEq)]
pub struct Service {
    /// Its own name: declared, or the last part of its image's path. Its place is that of the declaration.
    pub name: Spanned<ShortName>,
    /// The services beside it that are ready before it starts.
    pub after: Vec<Spanned<ShortName>>,
    /// What every container is described by.
    pub workload: Workload,
}

/// The services of a domain or a group.
#[derive(Clone, Debug, PartialEq)]
pub struct Attachments {
    /// What they are attached to; a route or a group of the same config.
    pub to: Spanned<AttachedTo>,
    /// The services.
    pub services: Vec<Service>,
}

/// What services are attached to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AttachedTo {
    /// The app of a domain.
    Domain(Domain),
    /// The apps of a group.
    Group(Label),
}

/// Domains that share a network.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// Its name.
    pub name: Spanned<Label>,
    /// Routes of the same config, each once; at least one.
    pub members: Vec<Spanned<Domain>>,
}

/// What describes a container, whatever it is for.
#[derive(Clone, Debug, PartialEq)]
pub struct Workload {
    /// What it runs.
    pub image: Spanned<Image>,
    /// The arguments, in place of the image's own; none leaves those.
    pub command: Vec<String>,
    /// The program, in place of the image's own; none leaves that, one empty word takes it away.
    pub entrypoint: Vec<String>,
    /// Its environment.
    pub environment: Environment,
    /// Files with more environment; what `environment` says wins.
    pub env_files: Vec<Spanned<EnvFile>>,
    /// Folders of the host and volumes that it sees.
    pub mounts: Vec<Spanned<Mount>>,
    /// Ports of the host that docker forwards to it; a route has none.
    pub ports: Vec<Spanned<Published>>,
    /// How to see that it is ready, in place of the image's own check.
    pub health: Option<Spanned<Health>>,
    /// When docker starts it again.
    pub restart: Restart,
    /// Its other settings.
    pub settings: Settings,
}

/// How to see that a container is ready.
#[derive(Clone, Debug, PartialEq)]
pub struct Health {
    /// What is tried.
    pub test: HealthTest,
    /// The time between two tries, when the config says so.
    pub interval: Option<Duration>,
    /// The time that one try may take, when the config says so.
    pub timeout: Option<Duration>,
    /// The time for which failed tries do not count, when the config says so.
    pub start_period: Option<Duration>,
    /// How many tries may fail on end afterwards, when the config says so.
    pub retries: Option<u8>,
}

/// What is tried to see that a container is ready.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HealthTest {
    /// A request of HTTP.
    Path {
        /// What it asks for; begins with `/`.
        path: String,
        /// The port that it goes to; `None`: that where the container listens.
        port: Option<NonZeroU16>,
        /// Which answers are good.
        status: Statuses,
    },
    /// A line for the shell inside the container.
    Cmd(String),
}

/// How a new release takes over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Strategy {
    /// Beside the old one, which leaves when the new one is ready.
    Rolling,
    /// After the old one has stopped. So does whatever publishes ports, unless the config says otherwise.
    Recreate,
}

/// `[network_isolation]`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a table")]
pub struct Isolation {
    /// Whether routes have networks and attachments at all.
    pub enabled: Enabled,
    /// What names of networks and containers begin with, in place of the project's name.
    pub network_prefix: Option<Spanned<Project>>,
    /// What every service also answers under, without its first dot: `internal`.
    #[serde(deserialize_with = "scalar::dns_suffix")]
    pub dns_suffix: Option<Spanned<Domain>>,
    /// Which apps have a network of their own.
    pub scope: Scope,
    /// Where the attachments of a group's member live.
    pub member_attachments: MemberAttachments,
    /// Where networks take their subnets from; its place is empty when it is the default.
    #[serde(deserialize_with = "scalar::address_pool")]
    pub address_pool: Spanned<Ipv4Net>,
}

/// Which apps have a network of their own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// Those with attachments.
    #[default]
    Attached,
    /// Every one that is in no group.
    All,
}

/// Where the attachments of a group's member live.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MemberAttachments {
    /// In the network of the member's first group.
    #[default]
    Group,
    /// In a network of the member's own.
    Private,
}

/// `[env]`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a table")]
pub struct Env {
    /// The folder with one env file a domain; its place is empty when it is the default.
    #[serde(deserialize_with = "scalar::folder")]
    pub dir: Spanned<String>,
}

/// `[volumes]`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a table")]
pub struct Volumes {
    /// Whether every VOLUME of an image gets a named volume.
    pub auto_create: Enabled,
    /// What names of automatic volumes begin with, in place of the network prefix.
    pub prefix: Option<Spanned<Project>>,
}

/// `[deploy]`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a table")]
pub struct Deploy {
    /// When an image is pulled.
    pub pull: Pull,
    /// How long a container may take to become ready.
    #[serde(deserialize_with = "scalar::some_time")]
    pub health_timeout: Duration,
    /// How long an outgoing app goes on answering.
    #[serde(deserialize_with = "scalar::duration")]
    pub drain: Duration,
    /// How long a container may take to stop; whole seconds.
    #[serde(deserialize_with = "scalar::seconds")]
    pub stop_timeout: Duration,
    /// Whether the release before stays, stopped, for a rollback.
    pub keep_previous: Enabled,
}

/// `[proxy]`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a table")]
pub struct Proxy {
    /// Whether there is one.
    pub enabled: Enabled,
    /// What it runs.
    pub image: Image,
    /// Its port of the host for HTTP.
    #[serde(deserialize_with = "scalar::spanned_port")]
    pub http_port: Spanned<NonZeroU16>,
    /// Its port of the host for HTTPS.
    #[serde(deserialize_with = "scalar::spanned_port")]
    pub https_port: Spanned<NonZeroU16>,
    /// Where its certificates come from.
    pub tls: Tls,
    /// Whether text is compressed, unless an app says otherwise.
    pub compress: Enabled,
    /// Whether requests are logged, unless an app says otherwise.
    pub access_log: Enabled,
    /// Whether it speaks HTTP/3, when the config says so.
    pub http3: Option<Enabled>,
    /// The proxies before it whose word it takes for a client's address.
    #[serde(deserialize_with = "scalar::trusted_proxies")]
    pub trusted_proxies: Vec<String>,
    /// More of its own words for all sites.
    pub snippet: Option<Snippet>,
}

impl fmt::Display for AttachedTo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Domain(domain) => domain.fmt(f),
            Self::Group(name) => name.fmt(f),
        }
    }
}

impl Default for Isolation {
    fn default() -> Self {
        let internal = Domain::parse("internal").expect("`internal` is a domain");
        let pool = "10.208.0.0/12".parse().expect("the default pool is a subnet");
        Self {
            enabled: Enabled::Yes,
            network_prefix: None,
            dns_suffix: Some(Spanned::new(0..0, internal)),
            scope: Scope::default(),
            member_attachments: MemberAttachments::default(),
            address_pool: Spanned::new(0..0, pool),
        }
    }
}

impl Default for Env {
    fn default() -> Self {
        Self { dir: Spanned::new(0..0, "env".to_owned()) }
    }
}

impl Default for Volumes {
    fn default() -> Self {
        Self { auto_create: Enabled::Yes, prefix: None }
    }
}

impl Default for Deploy {
    fn default() -> Self {
        Self {
            pull: Pull::default(),
            health_timeout: Duration::from_secs(60),
            drain: Duration::from_secs(5),
            stop_timeout: Duration::from_secs(30),
            keep_previous: Enabled::Yes,
        }
    }
}

impl Default for Proxy {
    fn default() -> Self {
        let port = |port| Spanned::new(0..0, NonZeroU16::new(port).expect("a default port is not 0"));
        Self {
            enabled: Enabled::Yes,
            image: Image::parse("caddy:2").expect("`caddy:2` is an image reference"),
            http_port: port(80),
            https_port: port(443),
            tls: Tls::default(),
            compress: Enabled::Yes,
            access_log: Enabled::No,
            http3: None,
            trusted_proxies: Vec::new(),
            snippet: None,
        }
    }
}
