//! Questions about the containers of a workload, on the host after the steps so far. Changes nothing.

use super::life::can_start;
use super::life::is_unproved;
use super::target::Slot;
use super::target::Target;
use super::target::default_bridge;
use super::target::named_volumes;
use crate::desired::Ready;
use crate::desired::Workload;
use crate::docker::Current;
use crate::docker::Fact;
use crate::docker::Health;
use crate::docker::Observed;
use crate::docker::SeenContainer;
use crate::docker::SeenMembership;
use crate::docker::proxy;
use crate::name::Container;
use crate::name::EnvKey;
use crate::name::Network;
use crate::name::Project;
use crate::name::Volume;
use crate::plan::Change;
use crate::plan::Reason;
use crate::plan::Told;
use crate::plan::builder::PlanBuilder;
use crate::plan::builder::Steps;
use crate::spec::Kind;
use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::sync::Arc;

/// Who asks the containers of an app, also while they leave.
#[derive(Clone, Copy)]
pub(in crate::plan) struct Asked {
    /// The proxy, which knows when their requests are over.
    pub(in crate::plan) by_proxy: bool,
    /// Others, for their aliases.
    pub(in crate::plan) by_alias: bool,
}

/// Who asks the containers of a workload. A service asks no app.
pub(super) fn how_asked(plan: &PlanBuilder<'_>, target: &Target<'_>) -> Asked {
    let by_proxy = is_routed(&plan.now, plan.project, &target.workload.name());
    let own: BTreeSet<Container> = target.slots().into_iter().flat_map(Slot::names).collect();
    let networks = own.iter().filter_map(|name| plan.seen(name)).flat_map(|seen| seen.memberships.keys());
    let mut asking = networks.filter_map(|network| plan.asking().get(network)).flatten();
    Asked { by_proxy, by_alias: asking.any(|name| !own.contains(*name)) }
}

/// Whether the proxy of a host routes to a container of the project, which serves.
pub(in crate::plan) fn is_routed(host: &Observed, project: &Project, live: &Container) -> bool {
    host.routes_files.get(project).is_some_and(|routes| routes.leading_network(live).is_some())
}

/// What the proxy calls a container in those of its networks that are meant.
pub(super) fn upstreams(
    plan: &PlanBuilder<'_>,
    name: &Container,
    is_meant: impl Fn(&Network) -> bool,
) -> Vec<String> {
    let seen = plan.seen(name).into_iter().flat_map(|seen| &seen.memberships);
    let meant = seen.filter(|(network, _)| is_meant(network));
    meant.flat_map(|(network, seen)| proxy::upstreams_of(name, network, seen.address)).collect()
}

pub(super) fn runs(plan: &PlanBuilder<'_>, name: &Container) -> bool {
    Fact::Running(name.clone()).holds(&plan.now)
}

/// Why a container has to be replaced, if it has to.
pub(super) fn outdated(
    plan: &PlanBuilder<'_>,
    target: &Target<'_>,
    name: &Container,
    seen: &SeenContainer,
) -> Option<Reason> {
    if plan.options.recreate.contains(name.as_str()) {
        return Some(Reason::Asked);
    }
    let changed = if target.is_anothers { None } else { changed(plan, target, seen) };
    changed.or_else(|| gone_network(seen).map(|network| Reason::NetworkGone(network.clone())))
}

/// How a container differs from the config: in its spec, image, secrets or volumes.
pub(super) fn changed(plan: &PlanBuilder<'_>, target: &Target<'_>, seen: &SeenContainer) -> Option<Reason> {
    let workload = target.workload;
    let runtime = &workload.runtime;
    let told = Told {
        spec: &target.spec,
        image: &workload.image,
        env: &runtime.env,
        env_files: &workload.own_env_file_paths(),
        files: &workload.watched_files().collect::<Vec<_>>(),
        settings: &runtime.settings,
    };
    let changes = Change::between(seen, told);
    if !changes.is_empty() {
        return Some(Reason::Changed(changes));
    }
    let here = plan.now.images.here.get(&workload.image).and_then(|image| image.id.as_ref());
    if let (Some(to), Some(from)) = (here, &seen.image)
        && to != from
    {
        let (from, to) = (from.clone(), to.clone());
        return Some(Reason::ImageMoved { image: workload.image.clone(), from, to });
    }
    let has_changed = |key: &&EnvKey| match (target.desired.secrets.get(key), seen.env.get(key)) {
        (Some(wanted), Some(had)) => wanted != had,
        _ => false,
    };
    let secrets: Vec<_> = workload.runtime.secrets.iter().filter(has_changed).cloned().collect();
    if !secrets.is_empty() {
        return Some(Reason::SecretsChanged(secrets));
    }
    if let Some(other) = runtime.settings.other_limit(&seen.limits).filter(|_| !target.is_shared()) {
        return Some(Reason::Limit(other));
    }
    // the proxy's fact, `is_current`, does not cover volumes
    let is_elsewhere = |(volume, path): &(&Volume, &str)| seen.volumes.get(*path) != Some(*volume);
    let elsewhere = named_volumes(workload).find(is_elsewhere).filter(|_| !target.is_shared());
    elsewhere.map(|(_, path)| Reason::NotMounted(path.to_owned()))
}

/// A removed network that a container is still attached to. Docker refuses to start such a container.
pub(super) fn gone_network(seen: &SeenContainer) -> Option<&Network> {
    seen.memberships.iter().find(|(_, membership)| membership.stale).map(|(network, _)| network)
}

/// The fact that a container matches the config.
pub(super) fn is_current(plan: &PlanBuilder<'_>, target: &Target<'_>, name: &Container) -> Fact {
    if target.is_shared() {
        return Fact::Proxy { spec: target.spec.clone(), image: target.workload.image.clone() };
    }
    let volumes = named_volumes(target.workload);
    Fact::Current(Arc::new(Current {
        name: name.clone(),
        project: plan.project.clone(),
        spec: target.spec.clone(),
        image: target.workload.image.clone(),
        release: (!plan.options.offline).then_some(target.release),
        volumes: volumes.map(|(volume, path)| (volume.clone(), path.to_owned())).collect(),
    }))
}

/// Whether the plan has to wait for a container that stays.
pub(super) fn is_unready(plan: &PlanBuilder<'_>, target: &Target<'_>, name: &Container) -> bool {
    plan.seen(name).is_some_and(|seen| {
        is_unproved(seen, target.restart())
            || matches!(seen.health, Health::Starting | Health::Unhealthy)
                && matches!(target.workload.ready, Ready::Healthy(_))
            || matches!(target.workload.ready, Ready::Done(_)) && seen.state.is_up()
    })
}

/// Why the plan waits for an existing container.
pub(super) fn why_awaited(plan: &PlanBuilder<'_>, target: &Target<'_>, name: &Container) -> Reason {
    let is_unproved = plan.seen(name).is_some_and(|seen| is_unproved(seen, target.restart()));
    if is_unproved { Reason::Unproved } else { Reason::Ready }
}

/// Whether docker could start a container: its networks are there, and its addresses are free.
pub(super) fn can_start_now(plan: &PlanBuilder<'_>, seen: &SeenContainer) -> bool {
    let is_free = |(network, membership): (&Network, &SeenMembership)| {
        let network = plan.now.networks.get(network);
        let address = membership.address.as_ref();
        network.zip(address).is_none_or(|(network, address)| !network.addresses.contains(address))
    };
    can_start(seen) && seen.memberships.iter().all(is_free)
}

/// The address that a container was made with, if no other container has it.
pub(super) fn own_address(plan: &PlanBuilder<'_>, name: &Container, network: &Network) -> Option<Ipv4Addr> {
    let seen = plan.now.networks.get(network).filter(|seen| seen.managed)?;
    let own = plan.now.containers[name].addresses.get(network)?;
    (seen.subnet?.contains(own) && !seen.addresses.contains(own)).then_some(*own)
}

pub(super) fn is_managed(plan: &PlanBuilder<'_>, network: &Network) -> bool {
    plan.now.networks.get(network).is_some_and(|seen| seen.managed)
}

/// The networks in which a container's aliases can be changed: those in which it has an address of its own.
/// Includes a network that an earlier run took it off when that run was cut off.
pub(super) fn switchable_networks(plan: &PlanBuilder<'_>, name: &Container) -> BTreeSet<Network> {
    let seen = &plan.now.containers[name];
    let networks = seen.memberships.keys().chain(seen.addresses.keys());
    networks.filter(|network| is_managed(plan, network)).cloned().collect()
}

/// The networks that a container should leave. Excludes the one on which the proxy still routes to it, and
/// networks that gordon did not make: a person put the container there. Always empty for the proxy, which is
/// on the networks of the apps.
pub(super) fn extra_networks(plan: &PlanBuilder<'_>, workload: &Workload, name: &Container) -> Vec<Network> {
    let Some(seen) = plan.seen(name).filter(|_| workload.kind != Kind::Proxy) else { return Vec::new() };
    let routed = routed_network(plan, workload);
    let is_wanted = |network: &Network| match workload.attachments.as_slice() {
        _ if routed.as_ref() == Some(network) => true,
        [] => *network == default_bridge(),
        attachments => attachments.iter().any(|attachment| attachment.network == *network),
    };
    let is_extra = |network: &&Network| {
        !is_wanted(network) && (**network == default_bridge() || is_managed(plan, network))
    };
    seen.memberships.keys().filter(is_extra).cloned().collect()
}

/// The network on which the proxy routes to a workload today, if the workload is to leave it.
pub(super) fn routed_network(plan: &PlanBuilder<'_>, workload: &Workload) -> Option<Network> {
    let project = plan.project;
    if Fact::NoRoutes(project.clone()).holds(&plan.now) {
        return None;
    }
    let network = plan.now.routes_files[project].leading_network(&workload.name())?;
    let is_ours = plan.now.networks.get(network)?.project.as_ref() == Some(project);
    (is_ours && workload.attachments.iter().all(|a| a.network != *network)).then(|| network.clone())
}

/// The steps by which the proxy joins the networks of a workload. The workload leaves its old networks after them.
pub(super) fn route_steps(plan: &PlanBuilder<'_>, workload: &Workload) -> Steps {
    let networks = workload.attachments.iter().map(|attachment| &attachment.network);
    networks.filter_map(|network| plan.joined.get(network)).copied().collect()
}
