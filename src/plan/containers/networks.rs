//! The networks of containers: joins them, leaves them, and rejoins them to change aliases.
//!
//! A serving container is paused while it is off a network, since it could open no connection there. Its open connections
//! live through that. A container that a killed run left paused is unpaused by the next run.

use super::target::default_bridge;
use super::target::slots;
use super::view::extra_networks;
use super::view::is_managed;
use super::view::own_address;
use super::view::route_steps;
use super::view::routed_network;
use super::view::runs;
use super::view::upstreams;
use crate::desired::Attachment;
use crate::desired::Desired;
use crate::desired::Workload;
use crate::docker::Await;
use crate::docker::Fact;
use crate::docker::Membership;
use crate::docker::Op;
use crate::name::Alias;
use crate::name::Container;
use crate::name::Network;
use crate::name::Owner;
use crate::plan::Conflict;
use crate::plan::NewStep;
use crate::plan::Reason;
use crate::plan::Risk;
use crate::plan::builder::Availability;
use crate::plan::builder::PlanBuilder;
use crate::plan::builder::Sequence;
use crate::plan::builder::Steps;
use std::net::Ipv4Addr;

/// When a container gets its aliases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Aliases {
    /// When it joins, since no other container has them.
    AtOnce,
    /// Once it is ready, since another container serves under them.
    Later,
}

/// A free address in one of gordon's networks. `None` for a network whose subnet docker chose: docker refuses
/// addresses there.
pub(in crate::plan) fn address(plan: &mut PlanBuilder<'_>, network: &Network) -> Option<Ipv4Addr> {
    let seen = plan.now.networks.get(network).filter(|seen| seen.managed)?;
    let address = plan.addresses.address(network, seen.subnet?);
    if address.is_none() {
        plan.conflicts.push(Conflict::NetworkFull(network.clone()));
    }
    address
}

/// Joins a container to the networks that it should be on, with the aliases that it should have. Then takes
/// it off all others, except the one on which the proxy still routes to it.
pub(super) fn reconcile_networks(seq: &mut Sequence<'_, '_>, workload: &Workload, name: &Container) {
    let bridge = [Attachment { network: default_bridge(), aliases: Vec::new() }];
    let wanted = if workload.attachments.is_empty() { &bridge[..] } else { &workload.attachments };
    for Attachment { network, aliases } in wanted {
        let is_on = seq.plan.now.containers[name].memberships.contains_key(network);
        let reason = match is_on {
            true if aliases.is_empty() => continue,
            true => Reason::Aliases { wanted: aliases.clone() },
            false => Reason::NotAttached,
        };
        let is_paused = is_on && runs(seq.plan, name);
        seq.risk = if is_paused { Risk::Pauses } else { Risk::None };
        set_aliases_paused(seq, name, network, aliases, &reason);
    }
    seq.risk = Risk::None;
    if !extra_networks(seq.plan, workload, name).is_empty() {
        let routed = route_steps(seq.plan, workload);
        seq.wait_for(&routed);
        leave_extra_networks(seq, workload, name, &Reason::Attached);
    }
}

/// Joins a container to the networks that it should be on, and to the one on which the proxy still routes to it.
pub(super) fn join_networks(
    seq: &mut Sequence<'_, '_>,
    workload: &Workload,
    name: &Container,
    aliases: Aliases,
    reason: &Reason,
) {
    for Attachment { network, aliases: wanted } in &workload.attachments {
        let aliases = if aliases == Aliases::AtOnce { wanted.as_slice() } else { &[] };
        join(seq, name, network, aliases, reason);
    }
    keep_routed_network(seq, workload, name);
}

/// Joins a container to the network on which the proxy still routes to it.
pub(super) fn keep_routed_network(seq: &mut Sequence<'_, '_>, workload: &Workload, name: &Container) {
    if let Some(network) = routed_network(seq.plan, workload) {
        join(seq, name, &network, &[], &Reason::Routed);
    }
}

/// Joins a container to an existing network, unless it is on it already, with any aliases.
fn join(seq: &mut Sequence<'_, '_>, name: &Container, network: &Network, aliases: &[Alias], reason: &Reason) {
    let on = Fact::Attached { container: name.clone(), network: network.clone(), aliases: None };
    let is_there = seq.plan.now.networks.contains_key(network) && seq.plan.has(name);
    if !is_there || on.holds(&seq.plan.now) {
        return;
    }
    let address = own_address(seq.plan, name, network).or_else(|| address(seq.plan, network));
    let membership = Membership { network: network.clone(), address, aliases: aliases.to_vec() };
    seq.step_unless(Op::Connect { container: name.clone(), membership }, reason, [on]);
}

/// Takes a container off the networks that it should not be on.
pub(super) fn leave_extra_networks(
    seq: &mut Sequence<'_, '_>,
    workload: &Workload,
    name: &Container,
    reason: &Reason,
) {
    for network in extra_networks(seq.plan, workload, name) {
        seq.step(Op::Disconnect { container: name.clone(), network }, reason);
    }
}

/// Takes serving containers off the networks on which the proxy no longer routes to them, once their requests from there
/// have had time to finish.
pub(in crate::plan) fn leave_old_route_networks(plan: &mut PlanBuilder<'_>, desired: &Desired) {
    for workload in &desired.workloads {
        let Some(Availability::After(up)) = plan.up.get(workload.base_name.as_str()) else { continue };
        let needs: Steps = up.iter().copied().chain(plan.unrouted).collect();
        let mut names: Vec<Container> = slots(workload).into_iter().map(|slot| slot.live).collect();
        names.retain(|name| !extra_networks(plan, workload, name).is_empty());
        if names.is_empty() {
            continue;
        }
        let (was_routed, time) = (plan.unrouted.is_some(), desired.drain);
        let mut seq = plan.sequence(&workload.owner, &needs);
        if was_routed && !time.is_zero() {
            let left = |plan: &PlanBuilder<'_>, name| {
                let extra = extra_networks(plan, workload, name);
                upstreams(plan, name, |network| extra.contains(network))
            };
            let upstreams = names.iter().flat_map(|name| left(seq.plan, name)).collect();
            let wait = Await::Drain { names: names.clone(), time, upstreams };
            seq.step(Op::Await(wait), &Reason::Attached);
        }
        seq.each(names, |seq, name| {
            leave_extra_networks(seq, workload, &name, &Reason::Attached);
        });
    }
}

/// Gives a container the aliases that it should have, on each of its existing networks.
pub(super) fn take_aliases(
    seq: &mut Sequence<'_, '_>,
    workload: &Workload,
    name: &Container,
    reason: &Reason,
) {
    let there = |attachment: &&Attachment| seq.plan.now.networks.contains_key(&attachment.network);
    let attachments: Vec<&Attachment> = workload.attachments.iter().filter(there).collect();
    seq.each(attachments, |seq, Attachment { network, aliases }| {
        set_aliases(seq, name, network, aliases, reason);
    });
}

/// Gives a container exactly these aliases on a network. The container has to leave and rejoin; it rejoins at
/// the same address, so its open connections survive.
pub(super) fn set_aliases(
    seq: &mut Sequence<'_, '_>,
    name: &Container,
    network: &Network,
    aliases: &[Alias],
    reason: &Reason,
) {
    rejoin(seq, name, network, aliases, reason, false);
}

/// Sets the aliases of a serving container. It is paused while it is off the network.
pub(super) fn set_aliases_paused(
    seq: &mut Sequence<'_, '_>,
    name: &Container,
    network: &Network,
    aliases: &[Alias],
    reason: &Reason,
) {
    let is_asked = Fact::Steady(name.clone()).holds(&seq.plan.now);
    rejoin(seq, name, network, aliases, reason, is_asked);
}

fn rejoin(
    seq: &mut Sequence<'_, '_>,
    name: &Container,
    network: &Network,
    aliases: &[Alias],
    reason: &Reason,
    pauses: bool,
) {
    let aliases = aliases.to_vec();
    let done =
        Fact::Attached { container: name.clone(), network: network.clone(), aliases: Some(aliases.clone()) };
    if done.holds(&seq.plan.now) {
        return;
    }
    let seen = seq.plan.now.containers[name].memberships.get(network).cloned();
    let is_away = seen.is_some();
    let mut paused = None;
    if is_away {
        seq.done.push(done);
        if pauses {
            paused = seq.step(Op::pause(name), reason);
        }
        let op = Op::Disconnect { container: name.clone(), network: network.clone() };
        let leave = seq.draft(op, reason);
        seq.add(NewStep { uninterruptible: paused.is_some(), ..leave });
        seq.done.pop();
    }
    let address = match seen.and_then(|seen| seen.address) {
        Some(address) if is_managed(seq.plan, network) => Some(address),
        _ => own_address(seq.plan, name, network).or_else(|| address(seq.plan, network)),
    };
    let membership = Membership { network: network.clone(), address, aliases };
    let join = seq.draft(Op::Connect { container: name.clone(), membership }, reason);
    let joined = seq.add(NewStep { uninterruptible: is_away, ..join });
    let (needs, after) = (paused.into_iter().collect(), joined.into_iter().collect());
    let resumed =
        resume(seq, name, reason).map(|step| NewStep { needs, after, uninterruptible: is_away, ..step });
    let resumed = resumed.and_then(|step| seq.plan.add(step));
    seq.wait_for(&resumed);
}

/// The step that unpauses a container.
fn resume(seq: &Sequence<'_, '_>, name: &Container, reason: &Reason) -> Option<NewStep> {
    if !Fact::Paused(name.clone()).holds(&seq.plan.now) {
        return None;
    }
    let op = Op::unpause(name);
    // if the unpause fails, it is tried once more
    Some(NewStep { undo: vec![op.clone()], ..seq.draft(op, reason) })
}

/// Unpauses a container that was found paused, after it has rejoined the networks that it was taken off.
pub(in crate::plan) fn unpause(plan: &mut PlanBuilder<'_>, owner: &Owner, name: &Container) -> Steps {
    if !Fact::Paused(name.clone()).holds(&plan.now) {
        return Steps::new();
    }
    let seen = &plan.now.containers[name];
    let away = seen.addresses.keys().filter(|network| !seen.memberships.contains_key(*network));
    let away: Vec<Network> = away.cloned().collect();
    let mut seq = plan.sequence(owner, &[]).done_if([Fact::Unpaused(name.clone())]);
    for network in away {
        join(&mut seq, name, &network, &[], &Reason::Paused);
    }
    seq.done.clear();
    let (needs, after) = (Steps::new(), seq.needs.clone());
    let resumed = resume(&seq, name, &Reason::Paused).map(|step| NewStep { needs, after, ..step });
    let resumed = resumed.and_then(|step| seq.plan.add(step));
    seq.wait_for(&resumed);
    seq.end()
}
