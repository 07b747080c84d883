//! From a config, env files and what images declare to networks, volumes and workloads with their final names. Does
//! not know what a host looks like.

mod domains;
mod parts;
mod project;
mod workloads;

use super::Desired;
use super::DesiredNetwork;
use super::DesiredVolume;
use super::Note;
use super::Ready;
use super::Workload;
use super::aliases::Aliases;
use super::collisions::Collisions;
use crate::config;
use crate::config::AttachedTo;
use crate::config::Config;
use crate::config::Enabled;
use crate::config::Problem;
use crate::name::Container;
use crate::name::Domain;
use crate::name::EnvKey;
use crate::name::Image;
use crate::name::Label;
use crate::name::Network;
use crate::name::Project;
use crate::name::Volume;
use crate::spec::Content;
use crate::spec::Http3;
use crate::spec::ImageFacts;
use crate::spec::Prober;
use crate::spec::Proxy;
use crate::spec::Route;
use crate::spec::Secret;
use crate::spec::Settings;
use std::collections::BTreeMap;
use std::collections::BTreeSet;

/// What a config needs beside itself.
#[derive(Clone, Debug, Default)]
pub struct Inputs {
    /// The contents of env files, by the path that the config calls them by; those that are not there are absent.
    pub env_files: BTreeMap<String, String>,
    /// What is at the paths that are watched, as the config calls them.
    pub files: BTreeMap<String, Content>,
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
    volumes: Vec<DesiredVolume>,
    volume_names: BTreeSet<Volume>,
    external: BTreeSet<Volume>,
    workloads: Vec<Workload>,
    routes: Vec<Route>,
    /// The networks that the proxy joins.
    proxied: BTreeSet<Network>,
    /// The mounts whose files are not watched, and why.
    unwatched: BTreeMap<String, String>,
    /// The containers of routed apps whose port is a guess, by that port.
    silent: BTreeMap<u16, Vec<Container>>,
    /// By the order of `workloads`: the names under which others find each.
    aliases: Aliases,
    collisions: Collisions,
    problems: Vec<Problem>,
    /// The groups of a domain, in the order of the file.
    groups_of: BTreeMap<&'a Domain, Vec<&'a Label>>,
    attached: BTreeMap<&'a AttachedTo, &'a [config::Service]>,
    /// By group: the base names of its services.
    group_services: BTreeMap<&'a Label, Vec<String>>,
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
            volumes: Vec::new(),
            volume_names: BTreeSet::new(),
            external: BTreeSet::new(),
            workloads: Vec::new(),
            routes: Vec::new(),
            proxied: BTreeSet::new(),
            unwatched: BTreeMap::new(),
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
        if !self.unwatched.is_empty() {
            notes.push(Note::NotWatched(self.unwatched));
        }
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
        let desired = Desired {
            project: self.project,
            networks: self.networks,
            address_pool: *self.config.isolation.address_pool.get_ref(),
            volumes: self.volumes,
            external: self.external,
            workloads: self.workloads,
            proxy: proxy(self.config).filter(|_| !self.routes.is_empty()),
            routes: self.routes,
            tls: self.config.proxy.tls,
            secrets: self.inputs.secrets.clone(),
            pull: deploy.pull,
            auto_volumes: self.config.volumes.auto_create == Enabled::Yes,
            drain: deploy.drain,
            health_timeout: deploy.health_timeout,
            stop_timeout: deploy.stop_timeout,
            usual: Settings::usual(deploy.stop_timeout),
            notes,
        };
        (desired, self.problems)
    }
}

/// The proxy that a config would have.
fn proxy(config: &Config) -> Option<Proxy> {
    let section = &config.proxy;
    let https_port = section.https_port.get_ref().get();
    (section.enabled == Enabled::Yes).then(|| Proxy {
        image: section.image.clone(),
        http_port: section.http_port.get_ref().get(),
        https_port,
        http3: match section.http3 {
            Some(Enabled::Yes) => Http3::On,
            Some(Enabled::No) => Http3::Off,
            None if config.publishes_udp(https_port) => Http3::Off,
            None => Http3::Usual,
        },
        trusted_proxies: section.trusted_proxies.clone(),
        snippet: section.snippet.as_ref().map(|snippet| snippet.as_str().to_owned()).unwrap_or_default(),
    })
}
