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
use crate::docker::Observed;
use crate::docker::SeenContainer;
use crate::name::Alias;
use crate::name::Container;
use crate::name::Project;
use crate::name::Volume;
use std::collections::BTreeMap;
use std::collections::BTreeSet;

/// Notes the data that a person may have meant when the config gives a container an empty volume, and the containers that
/// run on a volume that is to be mounted.
pub(super) fn note_other_data(plan: &mut PlanBuilder<'_>, desired: &Desired) {
    if plan.volumes.is_empty() && desired.external.is_empty() {
        return;
    }
    let left = left(plan.host, plan.project, desired);
    let beside = Beside::of(plan.host.holdings.iter().chain(&left));
    let in_use = in_use(plan.host, plan.project);
    for workload in &desired.workloads {
        for (volume, path) in named_volumes(workload) {
            let note = if plan.volumes.contains_key(volume) {
                beside.like(workload, path).map(|holding| Note::DataElsewhere {
                    container: workload.name(),
                    holder: holding.container.clone(),
                    image: holding.image.clone(),
                    path: path.to_owned(),
                    place: holding.place.clone(),
                    is_up: holding.is_up,
                })
            } else {
                let holder = in_use.get(volume).filter(|_| desired.external.contains(volume));
                holder.map(|holder| Note::VolumeInUse {
                    volume: volume.clone(),
                    container: workload.name(),
                    holder: (*holder).clone(),
                })
            };
            plan.plan.notes.extend(note);
        }
    }
}

/// What the containers of `project` keep that the config no longer has.
fn left(host: &Observed, project: &Project, desired: &Desired) -> Vec<Holding> {
    let ours = host.containers.iter().filter(|(_, seen)| seen.project.as_ref() == Some(project));
    let unwanted = unwanted(ours.map(|(name, _)| name.clone()).collect(), desired);
    unwanted.iter().flat_map(|name| holdings_of(name, &host.containers[name])).collect()
}

/// The volumes that a container of the project keeps.
fn holdings_of(name: &Container, seen: &SeenContainer) -> impl Iterator<Item = Holding> {
    let memberships = seen.memberships.values();
    let aliases: BTreeSet<Alias> =
        memberships.flat_map(|membership| membership.aliases.iter().cloned()).collect();
    seen.volumes.iter().map(move |(path, volume)| Holding {
        container: name.clone(),
        image: seen.past.image.clone(),
        aliases: aliases.clone(),
        // the plan removes it
        is_up: false,
        path: path.clone(),
        place: HeldIn::Volume(volume.clone()),
    })
}

/// The containers outside `project` that run, by the volumes that they mount.
fn in_use<'h>(host: &'h Observed, project: &Project) -> BTreeMap<&'h Volume, &'h Container> {
    let others = host.containers.iter().filter(|(_, seen)| seen.project.as_ref() != Some(project));
    let others = others.filter(|(_, seen)| seen.state.is_up());
    let known = others.flat_map(|(name, seen)| seen.volumes.values().map(move |volume| (volume, name)));
    let held = host.holdings.iter().filter(|holding| holding.is_up).filter_map(|holding| {
        let HeldIn::Volume(volume) = &holding.place else { return None };
        Some((volume, &holding.container))
    });
    known.chain(held).collect()
}

/// Data beside those of the plan, by where containers see them and by what the containers are called and made of.
struct Beside<'h> {
    by_name: BTreeMap<(&'h str, &'h str), &'h Holding>,
    by_image: BTreeMap<(&'h str, &'h str), &'h Holding>,
}

impl<'h> Beside<'h> {
    fn of(holdings: impl Iterator<Item = &'h Holding>) -> Self {
        let mut beside = Self { by_name: BTreeMap::new(), by_image: BTreeMap::new() };
        for holding in holdings {
            let path = holding.path.trim_end_matches('/');
            let aliases = holding.aliases.iter().map(Alias::as_str);
            for name in aliases.chain([holding.container.as_str()]) {
                keep_running(&mut beside.by_name, (path, name), holding);
            }
            if let Some(image) = &holding.image {
                keep_running(&mut beside.by_image, (path, image.last_part()), holding);
            }
        }
        beside
    }

    /// The data at `path` of a container that is called as one of `workload` is, else of one that is made of the same.
    fn like(&self, workload: &Workload, path: &str) -> Option<&'h Holding> {
        let mut names = workload.attachments.iter().flat_map(|attachment| &attachment.aliases);
        let called = names.find_map(|name| self.by_name.get(&(path, name.as_str())));
        called.or_else(|| self.by_image.get(&(path, workload.image.last_part()))).copied()
    }
}

/// Of several, one that runs.
fn keep_running<'h>(
    known: &mut BTreeMap<(&'h str, &'h str), &'h Holding>,
    key: (&'h str, &'h str),
    holding: &'h Holding,
) {
    let kept = known.entry(key).or_insert(holding);
    if holding.is_up && !kept.is_up {
        *kept = holding;
    }
}
