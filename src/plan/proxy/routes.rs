//! The routes files of the proxy, one for each project: written once the project's apps are up, removed when
//! it has no routes.

use super::claim::is_others;
use super::names::owner;
use super::names::proxy_name;
use crate::desired::Desired;
use crate::desired::Ready;
use crate::desired::Workload;
use crate::docker::Fact;
use crate::docker::Op;
use crate::docker::RoutesFile;
use crate::docker::proxy;
use crate::name::Domain;
use crate::name::Project;
use crate::plan::NewStep;
use crate::plan::Reason;
use crate::plan::RouteChanges;
use crate::plan::StepId;
use crate::plan::builder::Availability;
use crate::plan::builder::PlanBuilder;
use crate::plan::builder::Steps;
use crate::plan::containers::is_routed;
use crate::plan::containers::unpause;
use crate::spec::Proxy;
use crate::spec::Role;
use crate::spec::Route;
use std::collections::BTreeSet;

/// Removes the routes of this project from the proxy.
pub(in crate::plan) fn take_own_routes(plan: &mut PlanBuilder<'_>) {
    let project = plan.project;
    let has_routes = plan.now.routes_files.contains_key(project);
    let woken = if has_routes { unpause(plan, &owner(), &proxy_name()) } else { Steps::new() };
    plan.unrouted = plan.sequence(&owner(), &woken).step(take_routes(project), &Reason::NoRoutes);
}

/// Writes the routes of this project to the proxy, or removes them when there are none.
pub(in crate::plan) fn give_routes(plan: &mut PlanBuilder<'_>, desired: &Desired) {
    let project = plan.project;
    let Some(proxy) = &desired.proxy else { return take_own_routes(plan) };
    let Availability::After(ready) = &plan.proxy else { return };
    let (mut needs, mut after) = (ready.clone(), Steps::new());
    needs.extend(plan.joined.values());
    for route in &desired.routes {
        if let Some(Availability::After(steps)) = plan.up.get(route.base_name.as_str()) {
            if is_rerouted(plan, route, proxy) { &mut needs } else { &mut after }.extend(steps);
        }
    }
    let text = routes_file(desired, proxy);
    let done = Fact::Routes { project: project.clone(), text: text.clone() };
    let reason = match plan.now.routes_files.get(project) {
        Some(had) => Reason::RoutesChanged(RouteChanges::between(had, &RoutesFile::from(text.as_str()))),
        None => Reason::Missing,
    };
    let routes = asked_routes(plan, desired, proxy);
    let timeout = desired.health_timeout;
    let mut seq = plan.sequence(&owner(), &needs).done_if([done]);
    if !routes.is_empty() {
        let op = Op::AskRoutes { project: project.clone(), routes, timeout };
        seq.add(NewStep { after: after.clone(), ..seq.draft(op, &reason) });
    }
    let op = Op::WriteRoutes { project: project.clone(), text };
    let written = seq.add(NewStep { after, ..seq.draft_unless(op, &reason, []) });
    plan.unrouted = written;
}

/// Lets the proxy note the addresses of the containers that are new to it: those of apps that this plan brings up, or of all
/// when it gets its routes.
pub(in crate::plan) fn note_addresses(plan: &mut PlanBuilder<'_>, desired: &Desired) {
    if !Fact::Steady(proxy_name()).holds(&plan.now) {
        return;
    }
    let (mut needs, mut names) = (Steps::from_iter(plan.unrouted), Vec::new());
    for route in &desired.routes {
        let Some(Availability::After(steps)) = plan.up.get(route.base_name.as_str()) else { continue };
        let is_new = !steps.is_empty() || plan.unrouted.is_some();
        if is_new && is_routed(&plan.now, plan.project, &route.container(Role::Serving, 1)) {
            needs.extend(steps);
            names.extend(proxy::names(route));
        }
    }
    if !names.is_empty() {
        let op = Op::NoteAddresses { project: plan.project.clone(), names };
        plan.sequence(&owner(), &needs).step(op, &Reason::DockerAway);
    }
}

/// The routes to probe: those that are new to the proxy. Skips blocked apps, and apps whose own check probes
/// them already.
fn asked_routes(plan: &PlanBuilder<'_>, desired: &Desired, proxy: &Proxy) -> Vec<(String, Domain)> {
    let had = plan.now.routes_files.get(plan.project);
    let answers = |workload: &&Workload| matches!(workload.ready, Ready::Answers(..) | Ready::Listens(..));
    let answering: BTreeSet<&str> =
        desired.workloads.iter().filter(answers).map(|workload| workload.base_name.as_str()).collect();
    let is_asked = |route: &&Route| {
        let site = || proxy::site(route, proxy.https_port);
        let is_new = had
            .and_then(|had| had.sites(route.hosts[0].as_str()))
            .is_none_or(|had| !leads_alike(had, &site()));
        let is_asked_already = match plan.up.get(route.base_name.as_str()) {
            Some(Availability::After(steps)) => {
                !steps.is_empty() && answering.contains(route.base_name.as_str())
            }
            Some(Availability::Blocked) | None => true,
        };
        is_new && !is_asked_already
    };
    let asked = desired.routes.iter().filter(is_asked);
    asked.map(|route| (proxy::upstream(route), route.hosts[0].clone())).collect()
}

/// Whether a host of the route, or one that it redirects, leads to another app today. That host keeps its old route when
/// its new app does not come up. A host without a route has nothing to lose.
fn is_rerouted(plan: &PlanBuilder<'_>, route: &Route, proxy: &Proxy) -> bool {
    let Some(routes_file) = plan.now.routes_files.get(plan.project) else { return false };
    let wanted = proxy::site(route, proxy.https_port);
    let hosts = route.hosts.iter().chain(&route.site.redirect_from);
    let mut sites = hosts.filter_map(|host| routes_file.sites(host.as_str()));
    sites.any(|site| !proxy::routing(site).is_empty() && !leads_alike(site, &wanted))
}

/// Whether two sites route to the same place.
fn leads_alike(one: &str, other: &str) -> bool {
    proxy::routing(one) == proxy::routing(other)
}

/// Removes the routes of projects that have nothing left on the host. They have no apps, and they would keep
/// other projects from routing their hosts.
pub(super) fn forget_routes(plan: &mut PlanBuilder<'_>, after: &[StepId]) -> Steps {
    let ours = plan.project;
    let projects = plan.now.routes_files.keys();
    let gone = projects.filter(|project| *project != ours && !is_others(plan, project));
    let gone: Vec<Project> = gone.cloned().collect();
    let mut seq = plan.sequence(&owner(), after);
    for project in gone {
        seq.step(take_routes(&project), &Reason::NoRoutes);
    }
    seq.end()
}

fn take_routes(project: &Project) -> Op {
    Op::RemoveRoutes { project: project.clone() }
}

/// The routes file of a project once `desired` is reached.
pub(in crate::plan) fn routes_file(desired: &Desired, proxy: &Proxy) -> String {
    proxy::routes_file(&desired.project, &desired.routes, proxy.https_port)
}
