//! Pulls images before the plan itself is made, since what they declare decides what the plan contains.

use super::NewStep;
use super::Plan;
use super::Reason;
use super::resources::pull;
use crate::desired::Desired;
use crate::docker::Images;
use crate::name::Image;
use crate::spec::Pull;

/// The plan that pulls the due images of `desired`, all in parallel.
pub fn pulls(desired: &Desired, images: &Images) -> Plan {
    let mut plan = Plan::new(desired.project.clone());
    let is_due = |image: &&Image| match desired.pull {
        Pull::Always => true,
        Pull::Missing => !images.here.contains_key(image),
        Pull::Never => false,
    };
    let platforms = desired.platforms();
    for image in desired.images().into_iter().filter(is_due) {
        plan.push(NewStep::new(pull(image, &platforms), (&desired.project).into(), Reason::NotOnHost));
    }
    plan
}
