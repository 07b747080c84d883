//! The names that a project's workloads answer to on its networks, and the containers of others that answer to them too.

use super::Conflict;
use super::builder::PlanBuilder;
use crate::desired::Desired;
use crate::docker::Fact;
use crate::docker::Names;
use crate::docker::others_that_answer;

impl PlanBuilder<'_> {
    /// Look-ups of a name that two containers answer to reach either of them.
    pub(super) fn check_answers(&mut self) {
        let (project, names) = (&self.desired.project, names(self.desired));
        let conflicts = others_that_answer(&self.now, project, &names).map(|(container, network, names)| {
            let (container, network) = (container.clone(), network.clone());
            Conflict::OtherAnswers { container, names, network }
        });
        self.conflicts.extend(conflicts);
    }

    /// Another container may have come when the plan is carried out.
    pub(super) fn expect_no_other_answers(&mut self) {
        let (project, names) = (self.desired.project.clone(), names(self.desired));
        if !self.plan.is_empty() && !names.is_empty() {
            let otherwise =
                "a container that is not of this project answers to one of its names on its networks";
            self.expect(vec![Fact::NoOtherAnswers { project, names }], otherwise);
        }
    }
}

/// What the workloads answer to on each network: their aliases, and the names of their containers.
fn names(desired: &Desired) -> Names {
    let mut names = Names::new();
    for workload in &desired.workloads {
        let places = workload.places().into_iter();
        let containers = places.flat_map(|place| [place.name, place.incoming, place.previous]);
        let containers: Vec<String> = containers.map(|name| name.as_str().to_lowercase()).collect();
        for attachment in &workload.attachments {
            let names = names.entry(attachment.network.clone()).or_default();
            names.extend(attachment.aliases.iter().map(|alias| alias.as_str().to_lowercase()));
            names.extend(containers.iter().cloned());
        }
    }
    names
}
