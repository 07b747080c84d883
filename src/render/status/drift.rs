//! What a plan changes, workload by workload: the steps are the plan's, and so are their reasons.

use crate::plan::Status;
use crate::render::block::Action;
use crate::render::block::Thing;
use crate::render::block::blocks;
use crate::render::text::costs;
use crate::render::text::reason;
use std::collections::BTreeMap;

/// What would be done to things that belong together, all for the same reason.
pub(super) struct Change<'a> {
    pub(super) owner: &'a str,
    pub(super) thing: Thing,
    /// At least one; several are replicas of one workload.
    pub(super) names: Vec<&'a str>,
    pub(super) action: Action,
    /// As a sentence.
    pub(super) reason: String,
    /// What it costs its users.
    pub(super) cost: Option<&'static str>,
}

impl Change<'_> {
    fn says_what(&self, other: &Change<'_>) -> bool {
        (self.action, &self.reason, self.cost) == (other.action, &other.reason, other.cost)
    }
}

/// What would bring the host to the config; nothing where there is no plan.
pub(super) fn changes<'a>(status: &Status<'a>) -> Vec<Change<'a>> {
    let Ok(plan) = status.drift else { return Vec::new() };
    let workloads = status.owners.iter().flat_map(|owner| &owner.workloads).enumerate();
    let workload_of: BTreeMap<&str, usize> = workloads
        .flat_map(|(at, workload)| workload.containers.iter().map(move |c| (c.name.as_str(), at)))
        .collect();
    let mut changes: Vec<Change<'a>> = Vec::new();
    let mut of_workload: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for block in blocks(plan).iter().filter(|block| block.action != Action::Check) {
        let change = Change {
            owner: block.owner,
            thing: block.thing,
            names: vec![block.name],
            action: block.action,
            reason: reason(block),
            cost: costs(block),
        };
        if let (Thing::Container, Some(workload)) = (block.thing, workload_of.get(block.name)) {
            let others = of_workload.entry(*workload).or_default();
            if let Some(same) = others.iter().find(|at| changes[**at].says_what(&change)) {
                changes[*same].names.push(block.name);
                continue;
            }
            others.push(changes.len());
        }
        changes.push(change);
    }
    changes
}
