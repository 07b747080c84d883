//! What has to exist before containers: images, networks, volumes.

use super::Claimant;
use super::Conflict;
use super::Note;
use super::Reason;
use super::builder::PlanBuilder;
use super::subnets::Subnets;
use super::subnets::lower_half;
use crate::desired::Desired;
use crate::desired::DesiredNetwork;
use crate::desired::DesiredVolume;
use crate::docker::Fact;
use crate::docker::Labels;
use crate::docker::Op;
use crate::docker::proxy;
use crate::name::Image;
use crate::name::Network;
use crate::name::Owner;
use crate::spec::Kind;
use crate::spec::Pull;
use std::collections::BTreeMap;
use std::collections::BTreeSet;

/// Pulls the images. Checks what an image declares if it was not on the host when the plan was made.
pub(super) fn images<'a>(plan: &mut PlanBuilder<'a>, desired: &'a Desired) {
    let platforms = desired.platforms();
    for (image, paths) in mounted_paths(desired) {
        if plan.now.images.unavailable.contains_key(image) {
            continue;
        }
        let is_here = Fact::Image(image.clone());
        let unless = match desired.pull {
            Pull::Never => {
                plan.expect(vec![is_here], format!("image {image} is not on this host"));
                continue;
            }
            Pull::Missing => Some(is_here),
            // images on the host were pulled before this plan was made
            Pull::Always if plan.now.images.here.contains_key(image) => continue,
            Pull::Always => None,
        };
        let checks = desired.auto_volumes;
        let mut seq = plan.sequence(&Owner::from(plan.project), &[]);
        if seq.step_unless(pull(image, &platforms), &Reason::NotOnHost, unless).is_none() {
            continue;
        }
        if checks {
            let known = paths.into_iter().flatten().map(str::to_owned).collect();
            seq.step(Op::ExpectVolumes { image: image.clone(), known }, &Reason::VolumesUnknown);
        }
        let last = seq.end()[0];
        plan.images.insert(image, last);
    }
}

/// Pulls an image, for its platform among these.
pub(super) fn pull(image: &Image, platforms: &BTreeMap<&Image, &str>) -> Op {
    Op::Pull { image: image.clone(), platform: platforms.get(image).map(|platform| (*platform).to_owned()) }
}

/// The images, each with the paths at which every workload of the image mounts something.
fn mounted_paths(desired: &Desired) -> BTreeMap<&Image, Option<BTreeSet<&str>>> {
    let mut known: BTreeMap<&Image, Option<BTreeSet<&str>>> = BTreeMap::new();
    for workload in &desired.workloads {
        let paths: BTreeSet<&str> = workload.mounted_paths().map(|path| path.trim_end_matches('/')).collect();
        // a path counts only if every workload of the image mounts something there
        let entry = known.entry(&workload.image).or_insert_with(|| Some(paths.clone()));
        *entry = entry.take().map(|so_far| so_far.intersection(&paths).copied().collect());
    }
    for image in desired.own_images() {
        known.entry(image).or_insert_with(|| Some(proxy::paths().into()));
    }
    known
}

/// Makes the networks of the config.
pub(super) fn networks<'a>(plan: &mut PlanBuilder<'a>, desired: &'a Desired, subnets: &mut Subnets) {
    for DesiredNetwork { name, owner, addresses } in &desired.networks {
        let usable = Fact::NetworkUsable(name.clone(), plan.project.clone());
        if let Some(seen) = plan.now.networks.get(name) {
            if !usable.holds(&plan.now) {
                let claimant = Claimant::of(seen.project.as_ref());
                plan.conflicts.push(Conflict::OthersNetwork(name.clone(), claimant));
            } else if !seen.managed {
                plan.plan.notes.push(Note::NetworkReused(name.clone()));
            }
            continue;
        }
        let any = vec![Fact::NoNetwork(name.clone()), usable];
        let labels = plan.labels(Kind::Network, owner, name.as_str());
        if let Some(op) = new_network(plan, subnets, name, *addresses, labels) {
            plan.expect(any, format!("network {name} belongs to another project"));
            if let Some(id) = plan.sequence(owner, &[]).step(op, &Reason::Missing) {
                plan.networks.insert(name, id);
            }
        }
    }
}

/// The operation that makes a network with room for `count` of gordon's addresses, if the pool has room for
/// it.
pub(super) fn new_network(
    plan: &mut PlanBuilder<'_>,
    subnets: &mut Subnets,
    name: &Network,
    addresses: u32,
    labels: Labels,
) -> Option<Op> {
    let Some(subnet) = subnets.subnet(name, addresses) else {
        let (pool, free) = (subnets.pool, subnets.free_range());
        plan.conflicts.push(Conflict::PoolFull { network: name.clone(), pool, free });
        return None;
    };
    Some(Op::CreateNetwork { name: name.clone(), subnet, range: lower_half(subnet), labels })
}

/// Expects the volumes that are to be there already.
pub(super) fn external_volumes(plan: &mut PlanBuilder<'_>, desired: &Desired) {
    for volume in &desired.external {
        let is_there = Fact::Volume(volume.clone());
        if !plan.options.offline && !is_there.holds(&plan.now) {
            plan.conflicts.push(Conflict::NoVolume(volume.clone()));
        }
        // the rest is planned as if it were there
        plan.now.volumes.entry(volume.clone()).or_default();
        let why =
            "is not on this host, and the config says that it is: `docker volume ls` shows those that are";
        plan.expect(vec![is_there], format!("volume {volume} {why}"));
    }
}

/// Makes the volumes of the config.
pub(super) fn volumes<'a>(plan: &mut PlanBuilder<'a>, desired: &'a Desired) {
    for DesiredVolume { name, owner } in &desired.volumes {
        let usable = Fact::VolumeUsable(name.clone(), plan.project.clone());
        if let Some(seen) = plan.now.volumes.get(name) {
            if !usable.holds(&plan.now) {
                let claimant = Claimant::of(seen.project.as_ref());
                plan.conflicts.push(Conflict::OthersVolume(name.clone(), claimant));
            } else if !seen.managed {
                plan.plan.notes.push(Note::VolumeReused(name.clone()));
            }
            continue;
        }
        let any = vec![Fact::NoVolume(name.clone()), usable];
        plan.expect(any, format!("volume {name} belongs to another project"));
        let op =
            Op::CreateVolume { name: name.clone(), labels: plan.labels(Kind::Volume, owner, name.as_str()) };
        if let Some(id) = plan.sequence(owner, &[]).step(op, &Reason::Missing) {
            plan.volumes.insert(name, id);
        }
    }
}
