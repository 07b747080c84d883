//! What is on the host for this project and no longer wanted: containers, then networks, then, only when asked,
//! volumes. Never touches what somebody else made.

use super::Conflict;
use super::Note;
use super::Options;
use super::Plan;
use super::Reason;
use super::Risk;
use super::StepId;
use super::builder::Availability;
use super::builder::PlanBuilder;
use super::builder::StepBuilder;
use super::life::is_failing;
use super::workload::published;
use crate::desired::Desired;
use crate::desired::Pull;
use crate::desired::Role;
use crate::desired::Tls;
use crate::desired::Workload;
use crate::docker::Fact;
use crate::docker::Kind;
use crate::docker::Observed;
use crate::docker::Op;
use crate::name::Container;
use crate::name::Network;
use crate::name::Owner;
use crate::name::Project;
use crate::name::Volume;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::time::Duration;

/// What becomes of the volumes of a project that goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Volumes {
    /// They stay, with their data.
    Keep,
    /// They go.
    Remove,
}

/// The plan that removes everything of a project from `host`.
///
/// `stop_timeout` is the time that each container has to end by itself.
pub fn down(project: &Project, stop_timeout: Duration, host: &Observed, volumes: Volumes) -> Plan {
    let nothing = Desired {
        project: project.clone(),
        networks: Vec::new(),
        address_pool: ipnet::Ipv4Net::default(),
        volumes: Vec::new(),
        workloads: Vec::new(),
        routes: Vec::new(),
        proxy: None,
        tls: Tls::Off,
        secrets: BTreeMap::new(),
        pull: Pull::Never,
        auto_volumes: false,
        drain: Duration::ZERO,
        health_timeout: Duration::ZERO,
        stop_timeout,
        notes: Vec::new(),
    };
    let options = Options { replace: true, ..Options::default() };
    let mut plan = PlanBuilder::new(&nothing, host, &options);
    plan.routes();
    plan.containers(Some(Reason::Down));
    plan.leave_networks(Reason::Down);
    plan.leave_volumes(volumes);
    plan.leave_proxy(volumes);
    plan.plan
}

impl<'a> PlanBuilder<'a> {
    /// The containers that this config may have: those that serve, those that are about to, and those that did.
    fn wanted_containers(&self) -> BTreeSet<Container> {
        let places = self.desired.workloads.iter().flat_map(Workload::places);
        places.flat_map(|place| [place.name, place.incoming, place.previous]).collect()
    }

    /// The containers of this project on the host that this config does not want.
    fn unwanted_containers(&self) -> Vec<Container> {
        let project = Some(&self.desired.project);
        let mut ours =
            self.now.containers.iter().filter(|(_, seen)| seen.project.as_ref() == project).peekable();
        if ours.peek().is_none() {
            return Vec::new();
        }
        let wanted = self.wanted_containers();
        ours.map(|(name, _)| name).filter(|name| !wanted.contains(*name)).cloned().collect()
    }

    /// A project whose containers this config wants none of is most likely another config's of the same name.
    pub(super) fn check_whose(&mut self) {
        let project = &self.desired.project;
        let count =
            self.now.containers.values().filter(|seen| seen.project.as_ref() == Some(project)).count();
        let unwanted = self.unwanted_containers();
        if !self.options.replace && count > 0 && unwanted.len() == count {
            self.conflicts.push(Conflict::AnotherConfig(project.clone(), unwanted));
        }
    }

    /// Removes at once what must not run beside what is to come: two databases on one volume destroy it, and a port is
    /// published by one container at a time.
    pub(super) fn make_way(&mut self) {
        let ports: BTreeSet<u16> = self.desired.workloads.iter().flat_map(published).collect();
        for name in self.unwanted_containers() {
            let seen = &self.now.containers[&name];
            let is_mounted = seen.volumes.values().any(|volume| self.mounted.contains(volume));
            if is_mounted || !seen.ports.is_disjoint(&ports) {
                self.remove(&name, self.why_unwanted(&name), &[]);
            }
        }
    }

    /// Removes what is left of this project on the host.
    pub(super) fn left_over(&mut self) {
        let before = self.plan.steps().len();
        self.containers(None);
        self.leave_networks(Reason::NotInConfig);
        if self.plan.steps().len() > before {
            self.note_volumes();
        }
    }

    /// Removes the containers that are not wanted: services only after the apps that are on a network with them.
    fn containers(&mut self, reason: Option<Reason>) {
        let is_app = |name: &Container| self.now.containers[name].kind == Some(Kind::App);
        let (apps, services): (Vec<_>, Vec<_>) = self.unwanted_containers().into_iter().partition(is_app);
        let mut gone: BTreeMap<Network, Vec<StepId>> = BTreeMap::new();
        for name in apps {
            let networks = self.networks_of(&name);
            let last = match &reason {
                Some(reason) => self.remove(&name, reason.clone(), &[]),
                None => self.let_go(&name),
            };
            for network in networks {
                gone.entry(network).or_default().extend(last);
            }
        }
        for name in services {
            let reason = reason.clone().unwrap_or_else(|| self.why_unwanted(&name));
            let networks = self.networks_of(&name);
            let needs: Vec<StepId> = networks.iter().filter_map(|n| gone.get(n)).flatten().copied().collect();
            self.remove(&name, reason, &needs);
        }
    }

    fn networks_of(&self, name: &Container) -> Vec<Network> {
        self.now.containers[name].memberships.keys().cloned().collect()
    }

    /// Removes a container of an app: while it runs, it leaves as those do that a rollout puts others in the place of. One
    /// replica of too many leaves only when the others are up.
    fn let_go(&mut self, name: &Container) -> Option<StepId> {
        let reason = self.why_unwanted(name);
        let mut needs: Vec<StepId> = self.unrouted.into_iter().collect();
        if let Some(Availability::After(steps)) =
            self.one_of_too_many(name).and_then(|w| self.up.get(w.stem.as_str()))
        {
            needs.extend(steps);
        }
        let seen = &self.now.containers[name];
        // which policy it was to have is no longer known
        if seen.state.is_up() && !is_failing(seen, "always") {
            let owner = seen.owner.clone();
            needs = self.leave(&owner, &[name], reason.clone(), &needs, None);
        }
        self.remove(name, reason, &needs)
    }

    fn why_unwanted(&self, name: &Container) -> Reason {
        match self.one_of_too_many(name) {
            Some(_) => Reason::TooManyReplicas,
            None => Reason::NotInConfig,
        }
    }

    /// The workload that a container is a replica of.
    fn one_of_too_many(&self, name: &Container) -> Option<&'a Workload> {
        let (first, number) = name.as_str().rsplit_once('-')?;
        number.parse::<u32>().ok()?;
        let roles = [Role::Serving, Role::Incoming, Role::Previous];
        let is_of =
            |workload: &&Workload| roles.iter().any(|role| workload.container(*role, 1).as_str() == first);
        self.desired.workloads.iter().find(is_of)
    }

    fn remove(&mut self, name: &Container, reason: Reason, needs: &[StepId]) -> Option<StepId> {
        let seen = &self.now.containers[name];
        let owner = seen.owner.clone();
        let as_seen = self.is_seen(name, seen);
        self.expect_as_it_is(name, vec![Fact::Absent(name.clone()), as_seen]);
        let stop = Op::Stop { name: name.clone(), timeout: self.desired.stop_timeout };
        let step = StepBuilder::new(stop, &owner, reason.clone())
            .unless([Fact::Stopped(name.clone())])
            .needs(needs)
            .needs(&self.unrouted)
            .risk(Risk::Interrupts);
        let stopped = self.add(step);
        let step = StepBuilder::new(Op::Remove { name: name.clone() }, &owner, reason)
            .unless([Fact::Absent(name.clone())])
            .needs(needs)
            .needs(self.unrouted.iter().chain(&stopped))
            .risk(Risk::Removes);
        self.add(step)
    }

    /// Removes the networks of this project that the config does not want, once nobody is on them.
    fn leave_networks(&mut self, reason: Reason) {
        let wanted: BTreeSet<&Network> = self.desired.networks.iter().map(|network| &network.name).collect();
        let project = Some(&self.desired.project);
        let ours = self.now.networks.iter().filter(|(_, seen)| seen.project.as_ref() == project);
        let unwanted: Vec<Network> =
            ours.map(|(name, _)| name).filter(|name| !wanted.contains(name)).cloned().collect();
        for network in unwanted {
            if self.is_used(&network) || self.proxy_is_stuck(&network) {
                self.plan.notes.push(Note::NetworkKept(network));
                continue;
            }
            self.proxy_leaves(&network, &reason);
            let needs: Vec<StepId> = self.left_networks.get(&network).cloned().unwrap_or_default();
            let owner = Owner::from(&self.desired.project);
            let step = StepBuilder::new(Op::RemoveNetwork { name: network.clone() }, &owner, reason.clone())
                .unless([Fact::NoNetwork(network)])
                .needs(&needs)
                .risk(Risk::Removes);
            self.add(step);
        }
    }

    fn leave_volumes(&mut self, volumes: Volumes) {
        if volumes == Volumes::Keep {
            self.note_volumes();
            return;
        }
        for volume in self.unwanted_volumes() {
            if self
                .now
                .containers
                .values()
                .any(|seen| seen.volumes.values().any(|mounted| *mounted == volume))
            {
                self.plan.notes.push(Note::VolumeKept(volume));
                continue;
            }
            let needs: Vec<StepId> = self.freed_volumes.get(&volume).cloned().unwrap_or_default();
            let owner = Owner::from(&self.desired.project);
            let step = StepBuilder::new(Op::RemoveVolume { name: volume.clone() }, &owner, Reason::Down)
                .unless([Fact::NoVolume(volume)])
                .needs(&needs)
                .risk(Risk::Removes);
            self.add(step);
        }
    }

    fn note_volumes(&mut self) {
        let volumes = self.unwanted_volumes();
        if !volumes.is_empty() {
            self.plan.notes.push(Note::VolumesKept(volumes));
        }
    }

    fn unwanted_volumes(&self) -> Vec<Volume> {
        let wanted: BTreeSet<&Volume> = self.desired.volumes.iter().map(|volume| &volume.name).collect();
        let project = Some(&self.desired.project);
        let ours = self.now.volumes.iter().filter(|(_, seen)| seen.project.as_ref() == project);
        ours.map(|(name, _)| name).filter(|name| !wanted.contains(name)).cloned().collect()
    }
}
