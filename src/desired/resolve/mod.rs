//! From a config, env files and what images declare to networks, volumes and workloads with their final names. Does
//! not know what a host looks like.

mod parts;

use super::Attachment;
use super::Desired;
use super::DesiredNetwork;
use super::DesiredVolume;
use super::Naming;
use super::Note;
use super::Proxy;
use super::Pull;
use super::Ready;
use super::Role;
use super::Route;
use super::Strategy;
use super::Tls;
use super::WhyRecreate;
use super::Workload;
use super::aliases::Aliases;
use super::aliases::Names;
use super::collisions::Collisions;
use super::names;
use crate::config;
use crate::config::AttachedTo;
use crate::config::Config;
use crate::config::Enabled;
use crate::config::HealthTest;
use crate::config::MemberAttachments;
use crate::config::Problem;
use crate::config::Scope;
use crate::name::Alias;
use crate::name::Container;
use crate::name::Domain;
use crate::name::EnvKey;
use crate::name::Image;
use crate::name::Label;
use crate::name::Network;
use crate::name::Owner;
use crate::name::Project;
use crate::name::Volume;
use crate::spec::ImageFacts;
use crate::spec::Kind;
use crate::spec::Prober;
use crate::spec::Secret;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::ops::Range;

/// The port of an app when neither the config nor its image says one.
const HTTP_PORT: u16 = 80;

/// What a config needs beside itself.
#[derive(Clone, Debug, Default)]
pub struct Inputs {
    /// The contents of env files, by the path that the config calls them by; those that are not there are absent.
    pub env_files: BTreeMap<String, String>,
    /// What images declare, as far as it is known.
    pub images: BTreeMap<Image, ImageFacts>,
    /// The values of secrets, as far as they are known.
    pub secrets: BTreeMap<EnvKey, Secret>,
}

/// What `config` asks for, with every problem that only final names show.
pub fn resolve(config: &Config, inputs: &Inputs) -> (Desired, Vec<Problem>) {
    let mut resolver = Resolver::new(config, inputs);
    resolver.groups();
    resolver.routes();
    resolver.project();
    resolver.finish()
}

struct Resolver<'a> {
    config: &'a Config,
    inputs: &'a Inputs,
    project: Project,
    prefix: Project,
    volume_prefix: Project,
    networks: Vec<DesiredNetwork>,
    /// The places of `networks`, by name.
    network_index: BTreeMap<Network, usize>,
    volumes: BTreeMap<Volume, DesiredVolume>,
    volume_order: Vec<Volume>,
    workloads: Vec<Workload>,
    routes: Vec<Route>,
    /// The networks that the proxy joins.
    proxied: BTreeSet<Network>,
    /// The containers of routed apps whose port is a guess, by that port.
    silent: BTreeMap<u16, Vec<Container>>,
    /// By the order of `workloads`: the names under which others find each.
    aliases: Aliases,
    collisions: Collisions,
    problems: Vec<Problem>,
    /// The groups of a domain, in the order of the file.
    groups_of: BTreeMap<&'a Domain, Vec<&'a Label>>,
    attached: BTreeMap<&'a AttachedTo, &'a [config::Service]>,
    /// By group: the base_names of its services.
    group_services: BTreeMap<&'a Label, Vec<String>>,
}

/// Where a service stands: under a domain, a group or a project.
struct Home<'a> {
    /// What its owner label says.
    owner: Owner,
    /// What its names begin with, after the prefix.
    id: &'a str,
    /// What its containers' names begin with.
    base_name: String,
    /// The network that it is on.
    network: Network,
    /// The env file that it has from its app.
    env_file: Option<String>,
}

/// What a route and an app of a project differ in.
struct App<'a> {
    owner: Owner,
    base_name: String,
    naming: Naming,
    names: Names,
    networks: Vec<Network>,
    /// The base_names of the services that are up before it.
    needs: Vec<String>,
    env_file: Option<String>,
    /// What the names of its volumes begin with.
    volume_home: String,
    replicas: u32,
    /// Where it listens, when the config says so.
    port: Option<u16>,
    strategy: config::Strategy,
    /// The hosts that lead there; `None`: no proxy does.
    hosts: Option<Vec<Domain>>,
    /// The host for which it is asked whether it is ready.
    asked_host: &'a str,
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
    fn new(config: &'a Config, inputs: &'a Inputs) -> Self {
        let mut groups_of: BTreeMap<&Domain, Vec<&Label>> = BTreeMap::new();
        for group in &config.groups {
            for member in &group.members {
                groups_of.entry(member.get_ref()).or_default().push(group.name.get_ref());
            }
        }
        let attached = config.attachments.iter().map(|a| (a.to.get_ref(), a.services.as_slice())).collect();
        Self {
            config,
            inputs,
            project: config.project(),
            prefix: config.network_prefix(),
            volume_prefix: config.volume_prefix(),
            networks: Vec::new(),
            network_index: BTreeMap::new(),
            volumes: BTreeMap::new(),
            volume_order: Vec::new(),
            workloads: Vec::new(),
            routes: Vec::new(),
            proxied: BTreeSet::new(),
            silent: BTreeMap::new(),
            aliases: Aliases::default(),
            collisions: Collisions::default(),
            problems: Vec::new(),
            groups_of,
            attached,
            group_services: BTreeMap::new(),
        }
    }

    fn finish(mut self) -> (Desired, Vec<Problem>) {
        let names: Vec<_> = self.workloads.iter().map(Workload::name).collect();
        let mut notes = Vec::new();
        for (alias, holders) in self.aliases.settle(&mut self.workloads, &mut self.problems) {
            let containers = holders.into_iter().map(|i| names[i].clone()).collect();
            notes.push(Note::AliasLeftOut { alias, containers });
        }
        let mut unknown: BTreeMap<&Image, Vec<_>> = BTreeMap::new();
        for (workload, name) in self.workloads.iter().zip(&names) {
            if !self.inputs.images.contains_key(&workload.image) {
                unknown.entry(&workload.image).or_default().push(name.clone());
            }
        }
        notes.extend(
            unknown
                .into_iter()
                .map(|(image, containers)| Note::ImageUnknown { image: image.clone(), containers }),
        );
        let silent = self.silent.into_iter();
        notes.extend(silent.map(|(port, containers)| Note::PortAssumed { containers, port }));
        self.problems.extend(self.collisions.finish());
        for workload in &mut self.workloads {
            let is_proxied = workload.attachments.iter().any(|a| self.proxied.contains(&a.network));
            if let Ready::Answers(check, _) = &mut workload.ready
                && is_proxied
            {
                check.prober = Prober::Proxy;
            }
        }
        let mut probers: BTreeMap<&Image, Vec<_>> = BTreeMap::new();
        for (workload, name) in self.workloads.iter().zip(&names) {
            if let Some(image) = workload.ready.prober_image() {
                probers.entry(image).or_default().push(name.clone());
            }
        }
        let beside =
            |(image, containers): (&Image, _)| Note::AskedBeside { image: image.clone(), containers };
        notes.extend(probers.into_iter().map(beside));
        // the proxy, and the one that takes its place
        let proxied = self.networks.iter_mut().filter(|network| self.proxied.contains(&network.name));
        proxied.for_each(|network| network.addresses += 2);
        let deploy = &self.config.deploy;
        let mut volumes = self.volumes;
        let desired = Desired {
            project: self.project,
            networks: self.networks,
            address_pool: *self.config.isolation.address_pool.get_ref(),
            volumes: self.volume_order.iter().filter_map(|name| volumes.remove(name)).collect(),
            workloads: self.workloads,
            proxy: proxy(&self.config.proxy).filter(|_| !self.routes.is_empty()),
            routes: self.routes,
            tls: match self.config.proxy.tls {
                config::Tls::Auto => Tls::Auto,
                config::Tls::Internal => Tls::Internal,
                config::Tls::Off => Tls::Off,
            },
            secrets: self.inputs.secrets.clone(),
            pull: match deploy.pull {
                config::Pull::Missing => Pull::Missing,
                config::Pull::Always => Pull::Always,
                config::Pull::Never => Pull::Never,
            },
            auto_volumes: self.config.volumes.auto_create == Enabled::Yes,
            drain: deploy.drain,
            health_timeout: deploy.health_timeout,
            stop_timeout: deploy.stop_timeout,
            notes,
        };
        (desired, self.problems)
    }

    fn is_isolated(&self) -> bool {
        self.config.isolation.enabled == Enabled::Yes
    }

    fn services_of(&self, to: &AttachedTo) -> &'a [config::Service] {
        if self.is_isolated() { self.attached.get(to).copied().unwrap_or_default() } else { &[] }
    }

    fn groups(&mut self) {
        if !self.is_isolated() {
            return;
        }
        for group in &self.config.groups {
            let name = group.name.get_ref();
            let network = self.network_of(name.as_str(), name.into(), group.name.span());
            let base_name = format!("{}-{name}", self.prefix);
            // as the seed has it, a group's services take the env file of its first member
            let env_file = group.members.first().map(|member| self.config.env.file_of(member.get_ref()));
            let home = Home { owner: name.into(), id: name.as_str(), base_name, network, env_file };
            let services = self.services_of(&AttachedTo::Group(name.clone()));
            let base_names = services.iter().map(|service| self.service(service, &home)).collect();
            self.group_services.insert(name, base_names);
        }
    }

    fn routes(&mut self) {
        for route in &self.config.routes {
            self.route(route);
        }
    }

    fn route(&mut self, route: &'a config::Route) {
        let domain = route.domain.get_ref();
        let (id, place) = match &route.id {
            Some(id) => (id.get_ref().as_str(), id.span()),
            None => (domain.as_str(), route.domain.span()),
        };
        let base_name = format!("{}-{id}", self.prefix);
        let env_file = self.config.env.file_of(domain);
        let mut networks = self.networks_of(domain, id, &place);
        let mut needs = self.services_of_groups(domain);
        needs.extend(self.attached_services(domain, id, &networks, &env_file));
        if networks.is_empty() && self.is_routing() {
            networks.push(self.network_of("default", (&self.project).into(), place.clone()));
        }
        let first = id.split('.').next().expect("a text has a first part");
        let first = Alias::parse(first).expect("the label of a domain is an alias");
        let qualified = names::qualified(id, None);
        let app = App {
            owner: domain.into(),
            base_name,
            naming: Naming::Plain,
            names: Names { place, declared: Vec::new(), derived: vec![first], qualified },
            networks,
            needs,
            env_file: Some(env_file),
            volume_home: format!("{}-{}", self.prefix, names::dashed(id)),
            replicas: u32::from(route.replicas.get_ref().get()),
            port: route.port.as_ref().map(|port| port.get_ref().get()),
            strategy: route.strategy,
            hosts: Some(vec![domain.clone()]),
            asked_host: domain.as_str(),
        };
        self.app(app, &route.workload);
    }

    /// The groups of a domain, as far as they have networks.
    fn groups_of(&self, domain: &Domain) -> Vec<&'a Label> {
        let groups = self.groups_of.get(domain).filter(|_| self.is_isolated());
        groups.cloned().unwrap_or_default()
    }

    /// Whether the app of a domain has a network beside those of its groups.
    fn has_own_network(&self, domain: &Domain) -> bool {
        let isolation = &self.config.isolation;
        let has_services = !self.services_of(&AttachedTo::Domain(domain.clone())).is_empty();
        match self.groups_of(domain).as_slice() {
            [] => self.is_isolated() && (has_services || isolation.scope == Scope::All),
            _ => has_services && isolation.member_attachments == MemberAttachments::Private,
        }
    }

    /// The networks of the app of a domain: those of its groups, and at the end its own.
    fn networks_of(&mut self, domain: &Domain, id: &str, place: &Range<usize>) -> Vec<Network> {
        let groups = self.groups_of(domain).into_iter();
        let of_group = |group: &Label| self.network_of(group.as_str(), group.into(), place.clone());
        let mut networks: Vec<Network> = groups.map(of_group).collect();
        if self.has_own_network(domain) {
            networks.push(self.network_of(id, domain.into(), place.clone()));
        }
        networks
    }

    /// The base_names of the services of a domain's groups.
    fn services_of_groups(&self, domain: &Domain) -> Vec<String> {
        let services = self.groups_of(domain).into_iter().filter_map(|group| self.group_services.get(group));
        services.flatten().cloned().collect()
    }

    /// Adds the services that are attached to a domain, on its own network or on that of its first group; their base_names.
    fn attached_services(
        &mut self,
        domain: &Domain,
        id: &str,
        networks: &[Network],
        env_file: &str,
    ) -> Vec<String> {
        let services = self.services_of(&AttachedTo::Domain(domain.clone()));
        let network = if self.has_own_network(domain) { networks.last() } else { networks.first() };
        let Some(network) = network else { return Vec::new() };
        let home = Home {
            owner: domain.into(),
            id,
            base_name: format!("{}-{id}", self.prefix),
            network: network.clone(),
            env_file: Some(env_file.to_owned()),
        };
        services.iter().map(|service| self.service(service, &home)).collect()
    }

    /// Adds an app.
    fn app(&mut self, app: App<'_>, config: &config::Workload) {
        let App { owner, base_name, naming, names, .. } = app;
        self.collisions.app(&names.qualified, &base_name, owner.clone(), &names.place);
        let env_files = self.env_files(None, app.env_file.as_deref(), config);
        let runtime = self.runtime(config, env_files, None, &app.volume_home, &owner);
        let listener = Listener { naming, base_name: &base_name, declared: app.port, place: &names.place };
        let port = self.port(config, &listener, app.hosts.is_some());
        let ready = self.ready(config, port, app.asked_host);
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
            strategy: strategy(app.strategy, config),
            keeps_previous: self.keeps_previous(),
        };
        if let Some(hosts) = app.hosts {
            self.lead(hosts, &workload, port, &names.qualified);
        }
        self.add(workload, names);
    }

    /// Whether the proxy routes to apps.
    fn is_routing(&self) -> bool {
        self.config.proxy.enabled == Enabled::Yes
    }

    /// Where a workload listens: as the config says, else on the only TCP port that its image EXPOSEs. Whether that is certain
    /// matters when hosts lead there (`is_led`), or when it is asked there whether it is ready.
    fn port(&mut self, workload: &config::Workload, listener: &Listener<'_>, is_led: bool) -> u16 {
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
            Some(HealthTest::Path(_))
        );
        let is_routed = is_led && self.is_routing();
        match exposed.as_slice() {
            [_] => {}
            [_, ..] if is_routed || is_asked => {
                let ports: Vec<String> = exposed.iter().map(|port| format!("`{port}`")).collect();
                let message = format!("`{image}` listens on several ports: {}", ports.join(", "));
                let way_out = match is_routed {
                    true => "say with `port` to which of them its domain leads",
                    false => {
                        "an app says with `port` which of them is asked; else check its health with `cmd`"
                    }
                };
                self.problems.push(Problem::error(listener.place.clone(), message).hint(way_out));
            }
            _ if is_led || is_asked => {
                let name = listener.naming.container(listener.base_name, Role::Serving, 1);
                self.silent.entry(port).or_default().push(name);
            }
            _ => {}
        }
        port
    }

    /// Notes that `hosts` lead to `workload`, and makes room for the proxy in its networks.
    fn lead(&mut self, hosts: Vec<Domain>, workload: &Workload, port: u16, alias: &Alias) {
        let networks = workload.attachments.iter().map(|attachment| attachment.network.clone());
        let networks: Vec<Network> = networks.collect();
        if self.is_routing() {
            self.proxied.extend(networks.iter().cloned());
        }
        self.routes.push(Route {
            hosts,
            base_name: workload.base_name.clone(),
            naming: workload.naming,
            replicas: workload.replicas,
            port,
            alias: alias.clone(),
            networks,
        });
    }

    /// The apps and services of a Luma project.
    fn project(&mut self) {
        let Config { apps, services, name, .. } = self.config;
        let place = match (name, apps.first(), services.first()) {
            (_, None, None) => return,
            (Some(name), ..) => name.span(),
            (None, Some(app), _) => app.name.span(),
            (None, None, Some(service)) => service.name.span(),
        };
        let project = self.project.to_string();
        let network = self.make_network(format!("{project}-network"), (&self.project).into(), place);
        let home = Home {
            owner: (&self.project).into(),
            id: &project,
            base_name: project.clone(),
            network: network.clone(),
            env_file: None,
        };
        let needs: Vec<String> = services.iter().map(|service| self.service(service, &home)).collect();
        for app in apps {
            let name = app.name.get_ref().as_str();
            let short = Alias::parse(name).expect("a short name is an alias");
            let qualified = names::qualified(&project, Some(name));
            let hosts = app.proxy.as_ref().map(|proxy| proxy.hosts.iter().map(|host| host.get_ref().clone()));
            let hosts: Option<Vec<Domain>> = hosts.map(Iterator::collect);
            let asked_host = hosts.as_ref().and_then(|hosts| hosts.first()).map_or(name, Domain::as_str);
            let resolved = App {
                owner: (&self.project).into(),
                base_name: format!("{project}-{name}"),
                naming: Naming::Colours,
                names: Names {
                    place: app.name.span(),
                    declared: vec![short],
                    derived: Vec::new(),
                    qualified,
                },
                networks: vec![network.clone()],
                needs: needs.clone(),
                env_file: None,
                volume_home: project.clone(),
                replicas: u32::from(app.replicas.get_ref().get()),
                port: app.port.as_ref().map(|port| port.get_ref().get()),
                strategy: app.strategy,
                asked_host,
                hosts: hosts.clone(),
            };
            self.app(resolved, &app.workload);
        }
    }

    /// Adds a service; its base_name.
    fn service(&mut self, service: &'a config::Service, home: &Home<'_>) -> String {
        let name = service.name.get_ref().as_str();
        let base_name = format!("{}-{name}", home.base_name);
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
        let ready = self.ready(&service.workload, port, name);
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
            needs: Vec::new(),
            ready,
            strategy: Strategy::Recreate(None),
            keeps_previous: false,
        };
        self.add(workload, names);
        base_name
    }

    fn add(&mut self, mut workload: Workload, names: Names) {
        self.collisions.containers(&workload, &names.place);
        let per_container = if workload.kind == Kind::App { 3 } else { 2 };
        for attachment in &workload.attachments {
            let index = self.network_index[&attachment.network];
            self.networks[index].addresses += per_container * workload.replicas;
        }
        workload.image_mounts = self.image_mounts(&workload, &names.place);
        self.aliases.add(names, &mut self.problems);
        self.workloads.push(workload);
    }
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

/// The proxy that a config would have.
fn proxy(section: &config::Proxy) -> Option<Proxy> {
    (section.enabled == Enabled::Yes).then(|| Proxy {
        image: section.image.clone(),
        http_port: section.http_port.get_ref().get(),
        https_port: section.https_port.get_ref().get(),
    })
}
