//! The data that a container leaves behind when it is replaced. If the image has moved its VOLUME, or the
//! config names another volume, the successor's volume is empty. Only a person can say that this is meant.

use super::target::Target;
use super::target::named_volumes;
use super::view::is_current;
use crate::docker::Fact;
use crate::docker::SeenContainer;
use crate::name::Container;
use crate::name::Volume;
use crate::plan::LeftData;
use crate::plan::builder::PlanBuilder;
use std::collections::BTreeSet;

/// Marks the data that the serving container leaves behind when it is replaced.
pub(super) fn leave_data(
    plan: &mut PlanBuilder<'_>,
    target: &Target<'_>,
    name: &Container,
    serving: Option<&SeenContainer>,
) {
    if let Some(seen) = serving {
        let done = is_current(plan, target, name);
        let own = named_volumes(target.workload).map(|(volume, _)| volume);
        let mounted = plan.mounted.iter().copied().chain(own).collect();
        leave_data_unless(plan, name, seen, &mounted, &done);
    }
}

/// Marks the data that the serving container leaves behind, unless the successor mounts it. `done` holds once
/// the successor exists.
pub(super) fn leave_data_unless(
    plan: &mut PlanBuilder<'_>,
    name: &Container,
    serving: &SeenContainer,
    mounted: &BTreeSet<&Volume>,
    done: &Fact,
) {
    let is_left = |volume: &&Volume| {
        let is_there = plan.now.volumes.contains_key(*volume);
        is_there && !volume.is_anonymous() && !mounted.contains(volume)
    };
    let left: BTreeSet<Volume> = serving.volumes.values().filter(is_left).cloned().collect();
    for volume in left {
        if !plan.options.leave_data.contains(volume.as_str()) {
            plan.expect(
                vec![done.clone()],
                format!(
                    "{name} would leave its data behind, in volume {volume}: let the config mount it, or say `--leave-data {volume}`"
                ),
            );
        }
        plan.plan.left_data.push(LeftData { container: name.clone(), volume });
    }
}
