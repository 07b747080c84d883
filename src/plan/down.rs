//! Removes everything of a project: its routes, its containers, its networks and, on request, its volumes.

use super::Note;
use super::Options;
use super::Plan;
use super::Reason;
use super::builder::PlanBuilder;
use super::proxy::remove_unused_proxy;
use super::proxy::remove_unused_proxy_volumes;
use super::proxy::take_own_routes;
use super::removal::note_volumes;
use super::removal::own_containers;
use super::removal::own_networks;
use super::removal::own_volumes;
use super::removal::remove_container;
use super::removal::remove_containers;
use super::removal::remove_networks;
use crate::docker::Observed;
use crate::docker::Op;
use crate::name::Owner;
use crate::name::Project;
use crate::name::Volume;
use std::collections::BTreeSet;
use std::time::Duration;

/// What happens to the volumes of a project that is removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Volumes {
    /// They are kept, with their data.
    Keep,
    /// They are removed.
    Remove,
}

/// The plan that removes everything of a project from `host`.
///
/// `stop_timeout` is the time that each container gets to exit after it was asked to stop.
/// The volumes that the config has as `external` stay in any case.
pub fn down(
    project: &Project,
    stop_timeout: Duration,
    host: &Observed,
    volumes: Volumes,
    external: &BTreeSet<Volume>,
) -> Plan {
    let options = Options::default();
    let mut plan = PlanBuilder::new(project, stop_timeout, host, &options);
    take_own_routes(&mut plan);
    let (containers, networks) = (own_containers(&plan), own_networks(&plan));
    remove_containers(&mut plan, containers, |plan, name, after| {
        remove_container(plan, name, &Reason::Down, after)
    });
    remove_networks(&mut plan, networks, &Reason::Down);
    let (kept, removed): (Vec<_>, Vec<_>) = own_volumes(&plan)
        .into_iter()
        .partition(|volume| volumes == Volumes::Keep || external.contains(volume));
    note_volumes(&mut plan, kept);
    remove_volumes(&mut plan, removed);
    remove_unused_proxy(&mut plan);
    if volumes == Volumes::Remove {
        remove_unused_proxy_volumes(&mut plan);
    }
    plan.plan
}

fn remove_volumes(plan: &mut PlanBuilder<'_>, volumes: Vec<Volume>) {
    for volume in volumes {
        if plan.now.is_mounted(&volume) {
            plan.plan.notes.push(Note::VolumeKept(volume));
            continue;
        }
        let needs = plan.freed_volumes.get(&volume).cloned().unwrap_or_default();
        let owner = Owner::from(plan.project);
        plan.sequence(&owner, &needs).step(Op::RemoveVolume { name: volume }, &Reason::Down);
    }
}
