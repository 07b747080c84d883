//! The names that a project's workloads answer to on its networks, and foreign containers that answer to the
//! same names.

use super::Conflict;
use super::builder::PlanBuilder;
use super::containers::Slot;
use super::containers::slots;
use crate::desired::Desired;
use crate::docker::Fact;
use crate::docker::Names;
use crate::docker::others;
use crate::docker::others_that_answer;

/// Reports foreign containers that answer to a name of the project. A look-up of such a name reaches either
/// container.
pub(super) fn check_answers(plan: &mut PlanBuilder<'_>, desired: &Desired) {
    let project = plan.project;
    if others(&plan.now, project).next().is_none() {
        return;
    }
    let names = names(desired);
    let conflicts = others_that_answer(&plan.now, project, &names).map(|(container, network, names)| {
        let (container, network) = (container.clone(), network.clone());
        Conflict::OtherAnswers { container, names, network }
    });
    plan.conflicts.extend(conflicts);
}

/// Expects that no such container has come by the time the plan is carried out.
pub(super) fn expect_no_other_answers(plan: &mut PlanBuilder<'_>, desired: &Desired) {
    let (project, names) = (plan.project.clone(), names(desired));
    if !plan.plan.is_empty() && !names.is_empty() {
        let otherwise = "a container that is not of this project answers to one of its names on its networks";
        plan.expect(vec![Fact::NoOtherAnswers { project, names }], otherwise);
    }
}

/// The names that the workloads answer to on each network: their aliases and their containers' names.
fn names(desired: &Desired) -> Names {
    let mut names = Names::new();
    for workload in &desired.workloads {
        let containers = slots(workload).into_iter().flat_map(Slot::names);
        let containers: Vec<String> = containers.map(|name| name.as_str().to_lowercase()).collect();
        for attachment in &workload.attachments {
            let names = names.entry(attachment.network.clone()).or_default();
            names.extend(attachment.aliases.iter().map(|alias| alias.as_str().to_lowercase()));
            names.extend(containers.iter().cloned());
        }
    }
    names
}
