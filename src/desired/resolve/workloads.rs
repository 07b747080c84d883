//! An app or a service, of a route or of a project: its names, where it listens, and how a new release takes over.

use super::Resolver;
use crate::config;
use crate::config::Enabled;
use crate::config::HealthTest;
use crate::config::Problem;
use crate::desired::Attachment;
use crate::desired::Ready;
use crate::desired::Strategy;
use crate::desired::WhyRecreate;
use crate::desired::Workload;
use crate::desired::aliases::Names;
use crate::desired::names;
use crate::name::Alias;
use crate::name::Domain;
use crate::name::Network;
use crate::name::Owner;
use crate::spec::Kind;
use crate::spec::Naming;
use crate::spec::PortCheck;
use crate::spec::ReleaseCommand;
use crate::spec::Role;
use crate::spec::Route;
use crate::spec::Site;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::ops::Range;

/// The port of an app when neither the config nor its image says one.
const HTTP_PORT: u16 = 80;

/// What a service belongs to: a domain, a group or a project.
pub(super) struct Home<'a> {
    /// What its owner label says.
    pub(super) owner: Owner,
    /// What its names begin with, after the prefix.
    pub(super) id: &'a str,
    /// What its containers' names begin with.
    pub(super) base_name: String,
    /// The network that it is on.
    pub(super) network: Network,
    /// The env file that it has from its app.
    pub(super) env_file: Option<String>,
}

/// What a route and an app of a project differ in.
pub(super) struct App<'a> {
    pub(super) owner: Owner,
    pub(super) base_name: String,
    pub(super) naming: Naming,
    pub(super) names: Names,
    pub(super) networks: Vec<Network>,
    /// The base names of the services that are up before it.
    pub(super) needs: Vec<String>,
    pub(super) env_file: Option<String>,
    /// What the names of its volumes begin with.
    pub(super) volume_home: String,
    pub(super) replicas: u32,
    /// Where it listens, when the config says so.
    pub(super) port: Option<u16>,
    /// What a new release begins with.
    pub(super) release: Option<ReleaseCommand>,
    pub(super) strategy: config::Strategy,
    /// The hosts that are routed to it; `None`: none are.
    pub(super) hosts: Option<Vec<Domain>>,
    /// How they are served.
    pub(super) site: Site,
    /// The host for which it is asked whether it is ready.
    pub(super) asked_host: &'a str,
}

/// What the config says of where a workload listens.
struct Listener<'a> {
    naming: Naming,
    base_name: &'a str,
    declared: Option<u16>,
    /// Where problems are shown.
    place: &'a Range<usize>,
}

impl<'a> Resolver<'a> {
    /// Adds an app.
    pub(super) fn app(&mut self, app: App<'_>, config: &config::Workload) {
        let App { owner, base_name, naming, names, .. } = app;
        self.collisions.app(&names.qualified, &base_name, owner.clone(), &names.place);
        let env_files = self.env_files(None, app.env_file.as_deref(), config);
        let runtime = self.runtime(config, env_files, None, &app.volume_home, &owner);
        let listener = Listener { naming, base_name: &base_name, declared: app.port, place: &names.place };
        let port = self.port(config, &listener, app.hosts.is_some());
        let ready = match self.ready(config, port, app.asked_host, app.hosts.is_none()) {
            Ready::StaysUp if app.hosts.is_some() && self.is_routing() => {
                let check = PortCheck { port, host: app.asked_host.to_owned() };
                Ready::Listens(check, self.config.deploy.health_timeout)
            }
            ready => ready,
        };
        let workload = Workload {
            owner,
            kind: Kind::App,
            base_name,
            naming,
            replicas: app.replicas,
            image: config.image.get_ref().clone(),
            attachments: attachments(app.networks),
            runtime,
            image_mounts: Vec::new(),
            needs: app.needs,
            ready,
            release: app.release,
            strategy: strategy(app.strategy, config),
            keeps_previous: self.keeps_previous(),
        };
        if let Some(hosts) = app.hosts {
            let route = Route {
                hosts,
                base_name: workload.base_name.clone(),
                naming,
                replicas: workload.replicas,
                port,
                alias: names.qualified.clone(),
                networks: workload.attachments.iter().map(|attachment| attachment.network.clone()).collect(),
                site: app.site,
            };
            self.add_route(route);
        }
        self.add(workload, names);
    }

    /// Adds services, each after those that it starts after; their base names.
    pub(super) fn services(&mut self, services: &'a [config::Service], home: &Home<'_>) -> Vec<String> {
        let awaited: BTreeSet<&str> =
            services.iter().flat_map(|service| &service.after).map(|name| name.get_ref().as_str()).collect();
        let is_awaited = |service: &config::Service| awaited.contains(service.name.get_ref().as_str());
        let ordered = in_order(services).into_iter();
        ordered.map(|service| self.service(service, home, is_awaited(service))).collect()
    }

    /// Adds a service, which others may start after; its base name.
    fn service(&mut self, service: &'a config::Service, home: &Home<'_>, is_awaited: bool) -> String {
        let name = service.name.get_ref().as_str();
        let base_name_of = |name: &str| format!("{}-{name}", home.base_name);
        let base_name = base_name_of(name);
        let alias = |text: &str| Alias::parse(text).expect("a short name is an alias");
        let mut declared = vec![alias(name)];
        if let Some(suffix) = &self.config.isolation.dns_suffix {
            match Alias::parse(format!("{name}.{}", suffix.get_ref())) {
                Ok(alias) => declared.push(alias),
                Err(error) => {
                    let problem = Problem::error(service.name.span(), error.to_string());
                    self.problems
                        .push(problem.hint("a shorter `name`, or a shorter `network_isolation.dns_suffix`"));
                }
            }
        }
        let derived = names::without_my(name).map(alias).into_iter().collect();
        let qualified = names::qualified(home.id, Some(name));
        let names = Names { place: service.name.span(), declared, derived, qualified };
        let env_files = self.env_files(home.env_file.as_deref(), None, &service.workload);
        let volumes = if home.base_name == self.project.as_str() {
            home.base_name.clone()
        } else {
            format!("{}-{}", self.prefix, names::dashed(home.id))
        };
        let place = service.name.span();
        let listener =
            Listener { naming: Naming::Plain, base_name: &base_name, declared: None, place: &place };
        let port = self.port(&service.workload, &listener, false);
        let ready = match self.ready(&service.workload, port, name, true) {
            Ready::Ends if is_awaited => Ready::Done(self.config.deploy.health_timeout),
            ready => ready,
        };
        let hostname = Some(names::label(name));
        let runtime = self.runtime(&service.workload, env_files, hostname, &volumes, &home.owner);
        let workload = Workload {
            owner: home.owner.clone(),
            kind: Kind::Service,
            base_name: base_name.clone(),
            naming: Naming::Plain,
            replicas: 1,
            image: service.workload.image.get_ref().clone(),
            attachments: attachments(vec![home.network.clone()]),
            runtime,
            image_mounts: Vec::new(),
            needs: service.after.iter().map(|name| base_name_of(name.get_ref().as_str())).collect(),
            ready,
            release: None,
            strategy: Strategy::Recreate(None),
            keeps_previous: false,
        };
        self.add(workload, names);
        base_name
    }

    fn add(&mut self, mut workload: Workload, names: Names) {
        self.collisions.containers(&workload, &names.place);
        self.collisions.platform(&workload, &names.place);
        let per_container = if workload.kind == Kind::App { 3 } else { 2 };
        for attachment in &workload.attachments {
            let index = self.network_index[&attachment.network];
            self.networks[index].addresses += per_container * workload.replicas;
        }
        workload.image_mounts = self.image_mounts(&workload, &names.place);
        self.aliases.add(names, &mut self.problems);
        self.workloads.push(workload);
    }

    /// Whether the proxy routes to apps.
    pub(super) fn is_routing(&self) -> bool {
        self.config.proxy.enabled == Enabled::Yes
    }

    /// Where a workload listens: as the config says, else on the only TCP port that its image EXPOSEs. Whether that is certain
    /// matters when hosts are routed to it (`has_hosts`), or when it is asked there whether it is ready.
    fn port(&mut self, workload: &config::Workload, listener: &Listener<'_>, has_hosts: bool) -> u16 {
        if let Some(port) = listener.declared {
            return port;
        }
        let image = workload.image.get_ref();
        let facts = self.inputs.images.get(image);
        let exposed: Vec<u16> = facts
            .iter()
            .flat_map(|facts| &facts.ports)
            .filter_map(|port| port.strip_suffix("/tcp")?.parse().ok())
            .collect();
        let port = exposed.first().copied().unwrap_or(HTTP_PORT);
        let is_asked = matches!(
            workload.health.as_ref().map(|health| &health.get_ref().test),
            Some(HealthTest::Path { port: None, .. })
        );
        let is_routed = has_hosts && self.is_routing();
        match exposed.as_slice() {
            [_] => {}
            [_, ..] if is_routed || is_asked => {
                let ports: Vec<String> = exposed.iter().map(|port| format!("`{port}`")).collect();
                let message = format!("`{image}` listens on several ports: {}", ports.join(", "));
                let way_out = match is_routed {
                    true => "say with `port` which of them its domain is routed to",
                    false => {
                        "an app says with `port` which of them is asked; else check its health with `cmd`"
                    }
                };
                self.problems.push(Problem::error(listener.place.clone(), message).hint(way_out));
            }
            _ if has_hosts || is_asked => {
                let name = listener.naming.container(listener.base_name, Role::Serving, 1);
                self.silent.entry(port).or_default().push(name);
            }
            _ => {}
        }
        port
    }

    /// Adds a route, and makes room for the proxy in its networks.
    fn add_route(&mut self, route: Route) {
        if self.is_routing() {
            self.proxied.extend(route.networks.iter().cloned());
        }
        self.routes.push(route);
    }

    /// How hosts are served, as they say it, or all.
    pub(super) fn site(&self, own: &config::Site) -> Site {
        let all = &self.config.proxy;
        Site {
            redirect_from: own.redirect_from.iter().map(|host| host.get_ref().clone()).collect(),
            tls: own.tls.unwrap_or(all.tls),
            compress: own.compress.unwrap_or(all.compress) == Enabled::Yes,
            access_log: own.access_log.unwrap_or(all.access_log) == Enabled::Yes,
            trusts_proxies: !all.trusted_proxies.is_empty(),
            snippet: own.snippet.as_ref().map(|snippet| snippet.as_str().to_owned()).unwrap_or_default(),
        }
    }
}

/// Services in their order, but for those that start after a later one.
fn in_order(services: &[config::Service]) -> Vec<&config::Service> {
    fn add<'a>(
        service: &'a config::Service,
        left: &mut BTreeMap<&str, &'a config::Service>,
        ordered: &mut Vec<&'a config::Service>,
    ) {
        if left.remove(service.name.get_ref().as_str()).is_none() {
            return;
        }
        for name in &service.after {
            if let Some(first) = left.get(name.get_ref().as_str()).copied() {
                add(first, left, ordered);
            }
        }
        ordered.push(service);
    }
    let mut left: BTreeMap<&str, &config::Service> =
        services.iter().map(|service| (service.name.get_ref().as_str(), service)).collect();
    let mut ordered = Vec::with_capacity(services.len());
    for service in services {
        add(service, &mut left, &mut ordered);
    }
    ordered
}

/// How a new release of an app takes over, and why not otherwise.
fn strategy(asked: config::Strategy, workload: &config::Workload) -> Strategy {
    match asked {
        config::Strategy::Rolling => Strategy::Rolling,
        config::Strategy::Recreate if workload.ports.is_empty() => {
            Strategy::Recreate(Some(WhyRecreate::Asked))
        }
        config::Strategy::Recreate => Strategy::Recreate(Some(WhyRecreate::PublishesPorts)),
    }
}

/// Attachments without aliases yet: those are settled when all names are known.
fn attachments(networks: Vec<Network>) -> Vec<Attachment> {
    networks.into_iter().map(|network| Attachment { network, aliases: Vec::new() }).collect()
}
