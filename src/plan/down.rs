//! Everything of a project goes: its routes, containers, networks, and, only when asked, its volumes.

use super::Note;
use super::Options;
use super::Plan;
use super::Reason;
use super::builder::PlanBuilder;
use super::proxy::give_routes;
use super::proxy::remove_unused_proxy;
use super::proxy::remove_unused_proxy_volumes;
use super::prune::note_volumes;
use super::prune::orphan_volumes;
use super::prune::remove_containers;
use super::prune::remove_networks;
use crate::desired::Desired;
use crate::desired::Pull;
use crate::desired::Tls;
use crate::docker::Observed;
use crate::docker::Op;
use crate::name::Owner;
use crate::name::Project;
use std::collections::BTreeMap;
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
    give_routes(&mut plan);
    remove_containers(&mut plan, Some(&Reason::Down));
    remove_networks(&mut plan, &Reason::Down);
    match volumes {
        Volumes::Keep => note_volumes(&mut plan),
        Volumes::Remove => remove_volumes(&mut plan),
    }
    remove_unused_proxy(&mut plan);
    if volumes == Volumes::Remove {
        remove_unused_proxy_volumes(&mut plan);
    }
    plan.plan
}

fn remove_volumes(plan: &mut PlanBuilder<'_>) {
    for volume in orphan_volumes(plan) {
        if plan.now.containers.values().any(|seen| seen.volumes.values().any(|mounted| *mounted == volume)) {
            plan.plan.notes.push(Note::VolumeKept(volume));
            continue;
        }
        let needs = plan.freed_volumes.get(&volume).cloned().unwrap_or_default();
        let owner = Owner::from(&plan.desired.project);
        plan.sequence(&owner, &needs).step(Op::RemoveVolume { name: volume }, &Reason::Down);
    }
}
