//! The data that containers keep which are not of this plan: beside an empty volume that it makes, and on an external one
//! that it mounts. Changes nothing.

use super::Note;
use super::builder::PlanBuilder;
use super::containers::named_volumes;
use super::prune::unwanted;
use crate::desired::Desired;
use crate::desired::Workload;
use crate::docker::HeldIn;
use crate::docker::Holding;
use crate::docker::SeenContainer;
use crate::name::Alias;
use crate::name::Container;
use crate::name::Volume;

/// Notes the data that a person may have meant when the config gives a container an empty volume, and the containers that
/// run on a volume that is to be mounted.
pub(super) fn note_other_data(plan: &mut PlanBuilder<'_>, desired: &Desired) {
    if plan.volumes.is_empty() && desired.external.is_empty() {
        return;
    }
    let mut holdings = plan.host.holdings.clone();
    let ours = plan.host.containers.iter().filter(|(_, seen)| seen.project.as_ref() == Some(plan.project));
    for name in unwanted(ours.map(|(name, _)| name.clone()).collect(), desired) {
        holdings.extend(holdings_of(&name, &plan.host.containers[&name]));
    }
    for workload in &desired.workloads {
        for (volume, path) in named_volumes(workload) {
            let note = if plan.volumes.contains_key(volume) {
                data_elsewhere(&holdings, workload, path)
            } else if desired.external.contains(volume) {
                volume_in_use(&holdings, workload, volume)
            } else {
                None
            };
            plan.plan.notes.extend(note);
        }
    }
}

/// What a container of this project keeps that the config no longer has.
fn holdings_of(name: &Container, seen: &SeenContainer) -> impl Iterator<Item = Holding> {
    let aliases =
        seen.memberships.values().flat_map(|membership| membership.aliases.iter().cloned()).collect();
    let holding = Holding {
        container: name.clone(),
        image: seen.past.image.clone(),
        aliases,
        // the plan removes it
        is_up: false,
        path: String::new(),
        place: HeldIn::Host(String::new()),
    };
    seen.volumes.iter().map(move |(path, volume)| Holding {
        path: path.clone(),
        place: HeldIn::Volume(volume.clone()),
        ..holding.clone()
    })
}

/// The data at `path` of the container that looks most like one of `workload`: by its name, by its image, and running.
fn data_elsewhere(holdings: &[Holding], workload: &Workload, path: &str) -> Option<Note> {
    let names = workload.attachments.iter().flat_map(|attachment| &attachment.aliases);
    let names: Vec<&str> = names.map(Alias::as_str).collect();
    let is_called = |holding: &Holding| {
        let own = [holding.container.as_str()];
        holding.aliases.iter().map(Alias::as_str).chain(own).any(|name| names.contains(&name))
    };
    let is_of_image = |holding: &Holding| {
        holding.image.as_ref().is_some_and(|image| image.last_part() == workload.image.last_part())
    };
    let alike = holdings.iter().filter(|holding| holding.path.trim_end_matches('/') == path);
    let alike = alike.filter(|holding| is_called(holding) || is_of_image(holding));
    let holding = alike.max_by_key(|holding| (is_called(holding), is_of_image(holding), holding.is_up))?;
    Some(Note::DataElsewhere {
        container: workload.name(),
        holder: holding.container.clone(),
        image: holding.image.clone(),
        path: path.to_owned(),
        place: holding.place.clone(),
        is_up: holding.is_up,
    })
}

/// Who runs on an external volume that a container of `workload` is to mount.
fn volume_in_use(holdings: &[Holding], workload: &Workload, volume: &Volume) -> Option<Note> {
    let is_it = |holding: &&Holding| {
        holding.is_up && matches!(&holding.place, HeldIn::Volume(held) if held == volume)
    };
    let holding = holdings.iter().find(is_it)?;
    Some(Note::VolumeInUse {
        volume: volume.clone(),
        container: workload.name(),
        holder: holding.container.clone(),
    })
}
