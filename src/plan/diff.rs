//! The one traversal: for each wanted thing all its steps, without those whose effect already holds.

use super::Conflict;
use super::Note;
use super::Options;
use super::Plan;
use super::answers::check_answers;
use super::answers::expect_no_other_answers;
use super::builder::PlanBuilder;
use super::containers::Slot;
use super::containers::bring_up;
use super::containers::leave_old_route_networks;
use super::containers::named_volumes;
use super::containers::slots;
use super::other_data::note_other_data;
use super::proxy::bring_up_proxy;
use super::proxy::give_routes;
use super::proxy::note_addresses;
use super::prune;
use super::resources;
use super::subnets::Subnets;
use crate::desired;
use crate::desired::Desired;
use crate::desired::Ready;
use crate::docker::Observed;
use crate::name::Container;
use std::collections::BTreeSet;

/// The plan that brings `host` to `desired`.
///
/// # Errors
/// All conflicts between the config and the host.
pub fn diff(desired: &Desired, host: &Observed, options: &Options) -> Result<Plan, Vec<Conflict>> {
    let mut plan = PlanBuilder::new(&desired.project, desired.stop_timeout, host, options);
    let mut subnets = Subnets::of(host, desired.address_pool);
    plan.mounted = desired.workloads.iter().flat_map(named_volumes).map(|(volume, _)| volume).collect();
    plan.plan.notes.extend(notes(desired, host));
    plan.plan.proxy_ports = desired.proxy.as_ref().map(|proxy| [proxy.http_port, proxy.https_port]);
    check_recreate(&mut plan, desired);
    check_processors(&mut plan, desired);
    prune::check_config(&mut plan, desired);
    check_answers(&mut plan, desired);
    resources::images(&mut plan, desired);
    prune::make_way(&mut plan, desired);
    resources::networks(&mut plan, desired, &mut subnets);
    resources::external_volumes(&mut plan, desired);
    resources::volumes(&mut plan, desired);
    bring_up_proxy(&mut plan, desired, &mut subnets);
    for workload in &desired.workloads {
        let up = bring_up(&mut plan, desired, workload);
        plan.up.insert(&workload.base_name, up);
    }
    give_routes(&mut plan, desired);
    leave_old_route_networks(&mut plan, desired);
    prune::prune(&mut plan, desired);
    note_addresses(&mut plan, desired);
    expect_no_other_answers(&mut plan, desired);
    note_endless_logs(&mut plan, desired);
    note_unknown_files(&mut plan, desired);
    note_other_data(&mut plan, desired);
    plan.finish()
}

/// Notes from the config. Skips notes about images that could not be pulled, and about guessed ports that nothing uses.
fn notes(desired: &Desired, host: &Observed) -> impl Iterator<Item = Note> {
    let is_asked = |name: &Container| {
        let mut workloads = desired.workloads.iter();
        workloads.any(|workload| matches!(workload.ready, Ready::Answers(..)) && workload.name() == *name)
    };
    let is_moot = move |note: &&desired::Note| match note {
        desired::Note::ImageUnknown { image, .. } => host.images.unavailable.contains_key(image),
        desired::Note::PortAssumed { containers, .. } => {
            desired.proxy.is_none() && !containers.iter().any(is_asked)
        }
        desired::Note::NotWatched(_)
        | desired::Note::AskedBeside { .. }
        | desired::Note::AliasLeftOut { .. } => false,
    };
    desired.notes.iter().filter(move |note| !is_moot(note)).cloned().map(Note::Config)
}

/// Notes the containers that stay, from before gordon limited logs. A limit alone is no reason to replace them.
fn note_endless_logs(plan: &mut PlanBuilder<'_>, desired: &Desired) {
    let workloads = desired.workloads.iter().filter(|workload| !workload.runtime.settings.has("log"));
    let live = workloads.flat_map(slots).map(|slot| slot.live);
    let endless = live.filter(|name| plan.seen(name).is_some_and(|seen| seen.has_endless_log));
    let endless: Vec<Container> = endless.collect();
    if !endless.is_empty() {
        plan.plan.notes.push(Note::EndlessLogs(endless));
    }
}

/// Notes the containers that stay and of which it is not known what files they were made with.
fn note_unknown_files(plan: &mut PlanBuilder<'_>, desired: &Desired) {
    let mut unknown = Vec::new();
    for workload in &desired.workloads {
        let stays = |slot: Slot| {
            let seen = plan.seen(&slot.live)?;
            let mut parts = workload.watched_files();
            parts.any(|part| seen.spec.lacks_files(&part.name)).then_some(slot.live)
        };
        unknown.extend(slots(workload).into_iter().filter_map(stays));
    }
    if !unknown.is_empty() {
        plan.plan.notes.push(Note::FilesUnknown(unknown));
    }
}

/// Reports containers to recreate that the config does not have.
fn check_recreate(plan: &mut PlanBuilder<'_>, desired: &Desired) {
    if plan.options.recreate.is_empty() {
        return;
    }
    let workloads = desired.workloads.iter();
    let known: BTreeSet<Container> = workloads.flat_map(slots).map(|slot| slot.live).collect();
    let recreate = plan.options.recreate.iter();
    let unknown = recreate.filter(|name| !known.iter().any(|known| known.as_str() == *name));
    plan.conflicts.extend(unknown.cloned().map(Conflict::UnknownContainer));
}

/// Reports containers that ask for more processors than the host has. Docker refuses to start them.
fn check_processors(plan: &mut PlanBuilder<'_>, desired: &Desired) {
    let Some(there) = plan.now.processors else { return };
    for workload in &desired.workloads {
        let [wanted] = workload.runtime.settings.get("cpus") else { continue };
        if wanted.parse().is_ok_and(|wanted: f64| wanted > f64::from(there)) {
            let (container, wanted) = (workload.name(), wanted.clone());
            plan.conflicts.push(Conflict::MoreProcessors { container, wanted, there });
        }
    }
}
