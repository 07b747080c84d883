//! The apps of domains, with the networks and services of the domains and of their groups.

use super::Resolver;
use super::workloads::App;
use super::workloads::Home;
use crate::config;
use crate::config::AttachedTo;
use crate::config::Enabled;
use crate::config::MemberAttachments;
use crate::config::Scope;
use crate::desired::aliases::Names;
use crate::desired::names;
use crate::name::Alias;
use crate::name::Domain;
use crate::name::Label;
use crate::name::Network;
use crate::spec::Naming;
use std::ops::Range;

impl<'a> Resolver<'a> {
    fn is_isolated(&self) -> bool {
        self.config.isolation.enabled == Enabled::Yes
    }

    fn services_of(&self, to: &AttachedTo) -> &'a [config::Service] {
        if self.is_isolated() { self.attached.get(to).copied().unwrap_or_default() } else { &[] }
    }

    pub(super) fn groups(&mut self) {
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
            let base_names = self.services(services, &home);
            self.group_services.insert(name, base_names);
        }
    }

    pub(super) fn routes(&mut self) {
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
            release: route.release.clone(),
            strategy: route.strategy,
            hosts: Some(
                [&route.domain].into_iter().chain(&route.domains).map(|d| d.get_ref().clone()).collect(),
            ),
            site: self.site(&route.site),
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

    /// The base names of the services of a domain's groups.
    fn services_of_groups(&self, domain: &Domain) -> Vec<String> {
        let services = self.groups_of(domain).into_iter().filter_map(|group| self.group_services.get(group));
        services.flatten().cloned().collect()
    }

    /// Adds the services that are attached to a domain, on its own network or on that of its first group; their base names.
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
        self.services(services, &home)
    }
}
