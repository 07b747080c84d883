//! Ports of the host that a new container is to publish, and what has them already. Docker would find out only in the
//! middle of the plan.

use super::target::Slot;
use crate::desired::Workload;
use crate::docker::Listener;
use crate::docker::Op;
use crate::docker::SeenContainer;
use crate::name::Container;
use crate::plan::Conflict;
use crate::plan::PortHolder;
use crate::plan::StepId;
use crate::plan::builder::PlanBuilder;
use crate::spec::HostPort;

/// Reports the ports that `steps` would have a container of the workload publish, and that something else has.
pub(super) fn check_ports(plan: &mut PlanBuilder<'_>, workload: &Workload, slots: &[Slot], steps: &[StepId]) {
    let starts = |step: &StepId| {
        matches!(plan.plan.steps()[step.index()].op, Op::Run(_) | Op::Create(_) | Op::Start { .. })
    };
    if plan.host.listeners.is_empty() || !steps.iter().any(starts) {
        return;
    }
    let ports = workload.runtime.ports.iter().flat_map(|port| HostPort::certain(port));
    let taken = ports.filter_map(|port| {
        let listener = plan.host.listeners.iter().find(|listener| listener.blocks(&port))?;
        let holder = holder(plan, slots, listener)?;
        Some(Conflict::PortTaken { container: workload.name(), port: port.port, holder })
    });
    let taken: Vec<Conflict> = taken.collect();
    plan.conflicts.extend(taken);
}

/// What has the port of a listener; `None` when that is a container which the plan knows to give it up, or may.
fn holder(plan: &PlanBuilder<'_>, slots: &[Slot], listener: &Listener) -> Option<PortHolder> {
    let publishes = |seen: &SeenContainer| seen.state.is_up() && seen.ports.contains(&listener.port);
    let Some((name, seen)) = plan.host.containers.iter().find(|(_, seen)| publishes(seen)) else {
        return Some(listener.process.clone().map_or(PortHolder::Unknown, PortHolder::Process));
    };
    let is_own = |name: &Container| {
        slots.iter().any(|Slot { live, next, previous }| [live, next, previous].contains(&name))
    };
    let is_given_up = seen.project.as_ref() == Some(plan.project)
        || is_own(name)
        || !plan.seen(name).is_some_and(publishes);
    (!is_given_up).then(|| PortHolder::Container(name.clone()))
}
