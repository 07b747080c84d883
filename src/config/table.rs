//! The long forms of routes, apps, services and attachments, and what they mean. Does not know their places in the config.

use super::enabled::Enabled;
use super::environment::Environment;
use super::form::ImageOr;
use super::form::List;
use super::form::OneOrMany;
use super::form::WordsForm;
use super::form::WordsOr;
use super::form::Written;
use super::mount::EnvFile;
use super::mount::MountForm;
use super::mount::into_mount;
use super::problem::Problem;
use super::problem::Span;
use super::publish::Published;
use super::scalar::GoodStatuses;
use super::scalar::Port;
use super::scalar::Replicas;
use super::scalar::Retries;
use super::scalar::Time;
use super::schema::App;
use super::schema::AppProxy;
use super::schema::Health;
use super::schema::HealthTest;
use super::schema::Route;
use super::schema::Service;
use super::schema::Site;
use super::schema::Strategy;
use super::schema::Workload;
use super::snippet::Snippet;
use super::value::Restart;
use crate::name::Domain;
use crate::name::Image;
use crate::name::Label;
use crate::name::ShortName;
use crate::name::visible;
use crate::spec::ReleaseCommand;
use crate::spec::Settings;
use crate::spec::Tls;
use serde::Deserialize;
use serde_spanned::Spanned;
use std::collections::BTreeMap;
use std::num::NonZeroU8;
use std::num::NonZeroU16;
use std::time::Duration;

/// A table with the keys that all workloads have, and its own. Serde's own way of sharing them (`flatten`) loses the
/// places.
macro_rules! table {
    ($(#[$doc:meta])* $name:ident { $($key:ident: $type:ty,)* }) => {
        $(#[$doc])*
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields, expecting = "a table with `image`")]
        pub(super) struct $name {
            image: Spanned<Image>,
            $(#[serde(default)] $key: $type,)*
            #[serde(default)]
            command: Option<Spanned<WordsForm>>,
            #[serde(default)]
            entrypoint: Option<Spanned<WordsForm>>,
            #[serde(default)]
            environment: Environment,
            #[serde(default)]
            env_file: OneOrMany<EnvFile>,
            #[serde(default)]
            volumes: Vec<Spanned<MountForm>>,
            #[serde(default)]
            health: Option<Spanned<HealthTable>>,
            #[serde(default)]
            health_check: Option<Spanned<HealthTable>>,
            #[serde(default)]
            restart: Restart,
        }

        impl From<Spanned<Image>> for $name {
            fn from(image: Spanned<Image>) -> Self {
                Self {
                    image,
                    $($key: Default::default(),)*
                    command: None,
                    entrypoint: None,
                    environment: Environment::default(),
                    env_file: OneOrMany::default(),
                    volumes: Vec::new(),
                    health: None,
                    health_check: None,
                    restart: Restart::default(),
                                                                }
            }
        }

        impl From<ImageOr<$name>> for $name {
            fn from(form: ImageOr<$name>) -> Self {
                match form {
                    ImageOr::Short(image) => image.into(),
                    ImageOr::Table(table) => table,
                }
            }
        }

        impl $name {
            fn common(self) -> Common {
                Common {
                    image: self.image,
                    command: self.command,
                    entrypoint: self.entrypoint,
                    environment: self.environment,
                    env_file: self.env_file,
                    volumes: self.volumes,
                    health: self.health,
                    health_check: self.health_check,
                    restart: self.restart,
                                                                }
            }
        }
    };
}

table! {
    /// A route.
    RouteTable {
        id: Option<Spanned<Label>>,
        port: Option<Spanned<Port>>,
        replicas: Option<Spanned<Replicas>>,
        release: Option<Spanned<WordsOr<ReleaseTable>>>,
        strategy: Option<Strategy>,
        domains: OneOrMany<Domain>,
        redirect_from: OneOrMany<Domain>,
        tls: Option<Tls>,
        compress: Option<Enabled>,
        access_log: Option<Enabled>,
        snippet: Option<Snippet>,
    }
}

table! {
    /// A service that is attached to a domain or a group.
    AttachmentTable {
        name: Option<Spanned<ShortName>>,
        after: OneOrMany<ShortName>,
        ports: Vec<Spanned<Published>>,
    }
}

table! {
    /// An app of a Luma project.
    AppTable {
        name: Option<Spanned<ShortName>>,
        proxy: Option<AppProxyTable>,
        port: Option<Spanned<Port>>,
        replicas: Option<Spanned<Replicas>>,
        release: Option<Spanned<WordsOr<ReleaseTable>>>,
        strategy: Option<Spanned<Strategy>>,
        ports: Vec<Spanned<Published>>,
        server: OneOrMany<Written>,
        servers: OneOrMany<Written>,
    }
}

table! {
    /// A service of a Luma project.
    ServiceTable {
        name: Option<Spanned<ShortName>>,
        after: OneOrMany<ShortName>,
        ports: Vec<Spanned<Published>>,
        server: OneOrMany<Written>,
        servers: OneOrMany<Written>,
    }
}

/// How the proxy reaches an app.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table with `hosts` and `app_port`")]
pub(super) struct AppProxyTable {
    hosts: Spanned<List<Spanned<Domain>>>,
    #[serde(default)]
    app_port: Option<Spanned<Port>>,
    #[serde(default)]
    redirect_from: OneOrMany<Domain>,
    tls: Option<Tls>,
    compress: Option<Enabled>,
    access_log: Option<Enabled>,
    snippet: Option<Snippet>,
}

/// The command that a release begins with.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table with `command`")]
pub(super) struct ReleaseTable {
    command: Spanned<WordsForm>,
    #[serde(default)]
    entrypoint: Option<Spanned<WordsForm>>,
    #[serde(default)]
    timeout: Option<Time>,
}

/// How to see that a container is ready.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table with `path` or `cmd`")]
pub(super) struct HealthTable {
    path: Option<Spanned<Written>>,
    cmd: Option<Spanned<Written>>,
    interval: Option<Time>,
    timeout: Option<Time>,
    start_period: Option<Time>,
    retries: Option<Spanned<Retries>>,
    status: Option<Spanned<GoodStatuses>>,
    port: Option<Spanned<Port>>,
}

/// What all tables have.
struct Common {
    image: Spanned<Image>,
    command: Option<Spanned<WordsForm>>,
    entrypoint: Option<Spanned<WordsForm>>,
    environment: Environment,
    env_file: OneOrMany<EnvFile>,
    volumes: Vec<Spanned<MountForm>>,
    health: Option<Spanned<HealthTable>>,
    health_check: Option<Spanned<HealthTable>>,
    restart: Restart,
}

/// Where an app of a Luma project listens, unless it says so.
const DEFAULT_APP_PORT: u16 = 3000;

/// The time that the command of a release has, unless it says so.
const RELEASE_TIMEOUT: Duration = Duration::from_secs(5 * 60);

impl RouteTable {
    /// The route of `domain`.
    pub(super) fn into_route(
        mut self,
        domain: Spanned<Domain>,
        settings: Settings,
        problems: &mut Vec<Problem>,
    ) -> Route {
        Route {
            domain,
            domains: std::mem::take(&mut self.domains).0,
            site: Site {
                redirect_from: std::mem::take(&mut self.redirect_from).0,
                tls: self.tls.take(),
                compress: self.compress.take(),
                access_log: self.access_log.take(),
                snippet: self.snippet.take(),
            },
            id: self.id.take(),
            port: self.port.take().map(into_port),
            replicas: replicas(self.replicas.take()),
            release: into_release(self.release.take(), problems),
            strategy: self.strategy.take().unwrap_or(Strategy::Rolling),
            workload: self.common().into_workload(Vec::new(), settings, problems),
        }
    }
}

impl AttachmentTable {
    /// The service; nothing when it has no name that it can be called by.
    pub(super) fn into_service(mut self, settings: Settings, problems: &mut Vec<Problem>) -> Option<Service> {
        let ports = std::mem::take(&mut self.ports);
        let name = own_name(self.name.take(), &self.image, problems)?;
        let after = std::mem::take(&mut self.after).0;
        Some(Service { name, after, workload: self.common().into_workload(ports, settings, problems) })
    }
}

impl ServiceTable {
    /// The key of the service is its name; an item of a list has none.
    pub(super) fn into_service(
        mut self,
        key: Option<Spanned<ShortName>>,
        settings: Settings,
        servers: &mut Vec<Spanned<String>>,
        problems: &mut Vec<Problem>,
    ) -> Option<Service> {
        let ports = std::mem::take(&mut self.ports);
        add_servers(servers, [std::mem::take(&mut self.server), std::mem::take(&mut self.servers)]);
        let name = keyed_name(key, self.name.take(), &self.image, problems)?;
        let after = std::mem::take(&mut self.after).0;
        Some(Service { name, after, workload: self.common().into_workload(ports, settings, problems) })
    }
}

impl AppTable {
    /// The key of the app is its name; an item of a list has none.
    pub(super) fn into_app(
        mut self,
        key: Option<Spanned<ShortName>>,
        settings: Settings,
        servers: &mut Vec<Spanned<String>>,
        problems: &mut Vec<Problem>,
    ) -> Option<App> {
        let ports = std::mem::take(&mut self.ports);
        add_servers(servers, [std::mem::take(&mut self.server), std::mem::take(&mut self.servers)]);
        let name = keyed_name(key, self.name.take(), &self.image, problems)?;
        let replicas = replicas(self.replicas.take());
        let (proxy, port) = into_proxy(self.proxy.take(), self.port.take(), problems);
        let release = into_release(self.release.take(), problems);
        let declared = self.strategy.take();
        if let (Some(strategy), [port, ..]) = (&declared, ports.as_slice())
            && *strategy.get_ref() == Strategy::Rolling
        {
            problems.push(
                Problem::error(strategy.span(), format!("`{name}` publishes ports and cannot be rolled out"))
                    .also(port.span(), "the old and the new one would both need it")
                    .hint("remove `strategy`, or reach it through the proxy and remove `ports`"),
            );
        }
        if replicas.get_ref().get() > 1
            && let Some(port) =
                ports.iter().find(|port| has_too_few_ports(port.get_ref(), replicas.get_ref().get()))
        {
            problems.push(
                Problem::error(
                    port.span(),
                    format!("`{name}` runs {replicas} times, but the host has each port once"),
                )
                .also(replicas.span(), "this often")
                .hint("reach it through the proxy, or leave the host's port to docker, as in `80`"),
            );
        }
        let default = if ports.is_empty() { Strategy::Rolling } else { Strategy::Recreate };
        let strategy = declared.map_or(default, Spanned::into_inner);
        Some(App {
            name,
            proxy,
            port,
            replicas,
            release,
            strategy,
            workload: self.common().into_workload(ports, settings, problems),
        })
    }
}

/// Whether so many containers cannot all have the ports; of a range docker takes one that is free.
fn has_too_few_ports(ports: &Published, replicas: u8) -> bool {
    ports.host.as_ref().is_some_and(|host| ports.container.len() > 1 || host.len() < usize::from(replicas))
}

/// The hosts of an app, and the port that they route to.
fn into_proxy(
    proxy: Option<AppProxyTable>,
    port: Option<Spanned<Port>>,
    problems: &mut Vec<Problem>,
) -> (Option<AppProxy>, Option<Spanned<NonZeroU16>>) {
    let port = port.map(into_port);
    let Some(proxy) = proxy else { return (None, port) };
    let AppProxyTable { hosts, app_port, redirect_from, tls, compress, access_log, snippet } = proxy;
    if hosts.get_ref().is_empty {
        problems.push(
            Problem::error(hosts.span(), "the list of hosts is empty")
                .hint("name a host, or remove `proxy` from an app that has no domain"),
        );
    }
    if let (Some(port), Some(app_port)) = (&port, &app_port) {
        problems.push(
            Problem::error(app_port.span(), "`port` and `proxy.app_port` are the same")
                .also(port.span(), "also here")
                .hint("keep one of them"),
        );
    }
    let default = NonZeroU16::new(DEFAULT_APP_PORT).expect("the default port is not 0");
    let port = app_port.map(into_port).or(port).unwrap_or_else(|| Spanned::new(hosts.span(), default));
    let site = Site { redirect_from: redirect_from.0, tls, compress, access_log, snippet };
    (Some(AppProxy { hosts: hosts.into_inner().items, site }), Some(port))
}

fn into_port(port: Spanned<Port>) -> Spanned<NonZeroU16> {
    Spanned::new(port.span(), port.into_inner().0)
}

impl Common {
    fn into_workload(
        self,
        ports: Vec<Spanned<Published>>,
        settings: Settings,
        problems: &mut Vec<Problem>,
    ) -> Workload {
        let health = match (self.health, self.health_check) {
            (Some(health), Some(second)) => {
                problems.push(
                    Problem::error(second.span(), "`health` and `health_check` are the same")
                        .also(health.span(), "also here")
                        .hint("keep one of them"),
                );
                None
            }
            (health, second) => health.or(second).and_then(|health| into_health(health, problems)),
        };
        let command = into_words(self.command, problems);
        if let Words::Empty(span) = &command {
            problems.push(
                Problem::warning(span.clone(), "an empty `command` leaves the image's own")
                    .hint("remove it; with `entrypoint = \"\"`, `command` alone is what runs"),
            );
        }
        let entrypoint = into_words(self.entrypoint, problems);
        if let (Words::Empty(span), Words::None | Words::Empty(_)) = (&entrypoint, &command) {
            problems.push(
                Problem::error(span.clone(), "without an entrypoint and a `command` there is nothing to run")
                    .hint("add `command`: docker leaves out the image's own, too"),
            );
        }
        let entrypoint = into_entrypoint(entrypoint);
        let command = match command {
            Words::None | Words::Empty(_) => Vec::new(),
            Words::Some(words) => words,
        };
        let mut environment = self.environment;
        take_secrets(&mut environment, problems);
        Workload {
            image: self.image,
            command,
            entrypoint,
            environment,
            env_files: self.env_file.0,
            mounts: self.volumes.into_iter().filter_map(|form| into_mount(form, problems)).collect(),
            ports,
            health,
            restart: self.restart,
            settings,
        }
    }
}

/// A variable that is plain and secret is secret, as it is in Luma.
fn take_secrets(environment: &mut Environment, problems: &mut Vec<Problem>) {
    let secrets: BTreeMap<&str, Span> =
        environment.secret.iter().map(|secret| (secret.key.get_ref().as_str(), secret.key.span())).collect();
    environment.plain.retain(|(key, _)| {
        let Some(secret) = secrets.get(key.get_ref().as_str()) else { return true };
        problems.push(
            Problem::warning(
                key.span(),
                format!("`{}` is plain and secret: it is taken as a secret", key.get_ref()),
            )
            .also(secret.clone(), "the secret")
            .hint("remove one of them"),
        );
        false
    });
}

/// Words of which people expect that a shell reads them.
const SHELL_WORDS: [&str; 9] = ["&&", "||", "|", ";", ">", ">>", "<", "2>&1", "&"];

/// What is written as a command or an entrypoint.
enum Words {
    /// Nothing.
    None,
    /// No word at all, here.
    Empty(Span),
    Some(Vec<String>),
}

/// The words of an entrypoint, as docker takes them: one empty word takes the image's away.
fn into_entrypoint(words: Words) -> Vec<String> {
    match words {
        Words::None => Vec::new(),
        Words::Empty(_) => vec![String::new()],
        Words::Some(words) => words,
    }
}

fn into_words(words: Option<Spanned<WordsForm>>, problems: &mut Vec<Problem>) -> Words {
    let Some(words) = words else { return Words::None };
    let span = words.span();
    let (words, is_line) = match words.into_inner() {
        WordsForm::Empty => return Words::Empty(span),
        WordsForm::List(words) => (words, false),
        WordsForm::Line(words) => (words, true),
    };
    let operator = words.iter().find(|word| SHELL_WORDS.contains(&word.as_str()));
    let variable = words.iter().find(|word| word.starts_with('$'));
    let has_shell = words.iter().any(|word| word == "-c");
    if is_line
        && let Some(word) = operator.or(variable)
        && !has_shell
    {
        problems.push(
            Problem::warning(
                span,
                format!("no shell reads this: the program is given `{}` as it is", visible(word)),
            )
            .hint("write `[\"sh\", \"-c\", \"…\"]` for a line that a shell reads"),
        );
    }
    Words::Some(words)
}

fn into_release(
    release: Option<Spanned<WordsOr<ReleaseTable>>>,
    problems: &mut Vec<Problem>,
) -> Option<ReleaseCommand> {
    let release = release?;
    let place = release.span();
    let ReleaseTable { command, entrypoint, timeout } = match release.into_inner() {
        WordsOr::Words(words) => {
            ReleaseTable { command: Spanned::new(place, words), entrypoint: None, timeout: None }
        }
        WordsOr::Table(table) => table,
    };
    let entrypoint = match into_words(entrypoint, problems) {
        Words::None => None,
        words => Some(into_entrypoint(words)),
    };
    let timeout = timeout.map_or(RELEASE_TIMEOUT, |time| time.0);
    match into_words(Some(command), problems) {
        Words::Some(command) => Some(ReleaseCommand { command, entrypoint, timeout }),
        Words::Empty(place) => {
            problems.push(
                Problem::error(place, "a `release` without a command runs nothing")
                    .hint("as in `release = [\"bin/migrate\"]`; or remove it"),
            );
            None
        }
        Words::None => None,
    }
}

fn into_health(health: Spanned<HealthTable>, problems: &mut Vec<Problem>) -> Option<Spanned<Health>> {
    let span = health.span();
    let HealthTable { path, cmd, interval, timeout, start_period, retries, status, port } =
        health.into_inner();
    let test = match (path, cmd) {
        (Some(path), Some(cmd)) => {
            problems.push(
                Problem::error(cmd.span(), "a health check is a `path` or a `cmd`, not both")
                    .also(path.span(), "also here")
                    .hint("keep `path` for what answers HTTP, `cmd` for what does not"),
            );
            return None;
        }
        (None, None) => {
            problems.push(
                Problem::error(span, "a health check needs a `path` or a `cmd`")
                    .hint("as in `path = \"/up\"` or `cmd = \"pg_isready\"`"),
            );
            return None;
        }
        (Some(path), None) => {
            let place = path.span();
            let Written(path) = path.into_inner();
            if !path.starts_with('/')
                || path.contains(|c: char| c.is_whitespace() || c.is_control() || c == '#')
            {
                problems.push(
                    Problem::error(place, format!("`{}` is not a path", visible(&path)))
                        .hint("begin it with `/` and leave out blanks and `#`, as in `/up`"),
                );
                return None;
            }
            if timeout.is_some() {
                let problem = Problem::warning(place, "a `path` always has 5 s to answer");
                problems.push(problem.hint("leave out `timeout`"));
            }
            if let (Some(retries), None) = (&retries, &start_period) {
                let message =
                    "a `path` is asked until `deploy.health_timeout` is over, however often it fails";
                let hint = "add `start_period`: `retries` counts from its end; or leave out `retries`";
                problems.push(Problem::warning(retries.span(), message).hint(hint));
            }
            HealthTest::Path {
                path,
                port: port.map(|port| port.into_inner().0),
                status: status.map(|status| status.into_inner().0).unwrap_or_default(),
            }
        }
        (None, Some(cmd)) => {
            let place = cmd.span();
            let Written(cmd) = cmd.into_inner();
            if cmd.trim().is_empty() {
                problems
                    .push(Problem::error(place, "the command is empty").hint("as in `cmd = \"pg_isready\"`"));
                return None;
            }
            let of_path = [("status", status.map(|s| s.span())), ("port", port.map(|port| port.span()))];
            for (key, span) in of_path {
                if let Some(span) = span {
                    let problem = Problem::error(
                        span,
                        format!("a `cmd` has no `{key}`: docker runs it inside the container"),
                    );
                    problems.push(
                        problem.also(place.clone(), "here").hint(format!("remove `{key}`, or ask a `path`")),
                    );
                }
            }
            HealthTest::Cmd(cmd)
        }
    };
    let health = Health {
        test,
        interval: interval.map(|time| time.0),
        timeout: timeout.map(|time| time.0),
        start_period: start_period.map(|time| time.0),
        retries: retries.map(|retries| retries.into_inner().0.get()),
    };
    Some(Spanned::new(span, health))
}

fn replicas(replicas: Option<Spanned<Replicas>>) -> Spanned<NonZeroU8> {
    match replicas {
        Some(replicas) => Spanned::new(replicas.span(), replicas.into_inner().0),
        None => Spanned::new(0..0, NonZeroU8::MIN),
    }
}

/// Adds the hosts that are named.
pub(super) fn add_servers(
    servers: &mut Vec<Spanned<String>>,
    named: impl IntoIterator<Item = OneOrMany<Written>>,
) {
    let named = named.into_iter().flat_map(|named| named.0);
    servers.extend(named.map(|server| Spanned::new(server.span(), server.into_inner().0)));
}

/// In a map the key is the name, and `name` says nothing.
fn keyed_name(
    key: Option<Spanned<ShortName>>,
    declared: Option<Spanned<ShortName>>,
    image: &Spanned<Image>,
    problems: &mut Vec<Problem>,
) -> Option<Spanned<ShortName>> {
    if let (Some(key), Some(declared)) = (&key, &declared) {
        problems.push(
            Problem::error(declared.span(), format!("`{key}` already has its name"))
                .also(key.span(), "here")
                .hint("remove `name`, or write a list of entries with `name`"),
        );
    }
    key.or(declared).or_else(|| own_name(None, image, problems))
}

/// The declared name, or the last part of the image's path.
fn own_name(
    declared: Option<Spanned<ShortName>>,
    image: &Spanned<Image>,
    problems: &mut Vec<Problem>,
) -> Option<Spanned<ShortName>> {
    if declared.is_some() {
        return declared;
    }
    let span: Span = image.span();
    match ShortName::parse(image.get_ref().last_part()) {
        Ok(name) => Some(Spanned::new(span, name)),
        Err(error) => {
            let message = format!("{error} that others can reach it by");
            problems.push(Problem::error(span, message).hint(format!("add `name`: {}", error.hint())));
            None
        }
    }
}
