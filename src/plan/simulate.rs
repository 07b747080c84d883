//! What docker would do with an operation, on the model of a host. Refuses what docker refuses.

use crate::docker::Await;
use crate::docker::Health;
use crate::docker::Launch;
use crate::docker::Membership;
use crate::docker::Observed;
use crate::docker::Op;
use crate::docker::PROXY;
use crate::docker::Past;
use crate::docker::SeenContainer;
use crate::docker::SeenImage;
use crate::docker::SeenMembership;
use crate::docker::SeenNetwork;
use crate::docker::SeenVolume;
use crate::docker::Source;
use crate::docker::State;
use crate::docker::host_ports;
use crate::name::Container;
use crate::name::Network;
use crate::name::Volume;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fmt;

/// What docker would say, in short.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused(String);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Changes the model of `host` as docker would change the host.
///
/// # Errors
/// When docker would refuse; the model is then unchanged.
pub fn simulate(host: &mut Observed, op: &Op) -> Result<(), Refused> {
    match op {
        Op::Pull { image } => {
            let pulled = || SeenImage { id: None, facts: Default::default() };
            host.images.here.entry(image.clone()).or_insert_with(pulled);
            host.images.unavailable.remove(image);
        }
        Op::ExpectVolumes { image, .. } => {
            require(host.images.here.contains_key(image), || format!("no image {image}"))?;
        }
        Op::CreateNetwork { name, subnet, labels, .. } => {
            require(!host.networks.contains_key(name), || format!("network {name} exists"))?;
            let (project, maker) = (labels.claim.project().cloned(), labels.claim.maker().cloned());
            let network = SeenNetwork {
                project,
                maker,
                managed: true,
                subnet: Some(*subnet),
                addresses: BTreeSet::new(),
            };
            host.networks.insert(name.clone(), network);
        }
        Op::CreateVolume { name, labels } => {
            let (project, maker) = (labels.claim.project().cloned(), labels.claim.maker().cloned());
            let volume = SeenVolume { project, maker, managed: true };
            host.volumes.entry(name.clone()).or_insert(volume);
        }
        Op::Create(launch) => make(host, launch)?,
        Op::Run(launch) => {
            make(host, launch)?;
            start(host, &launch.name)?;
        }
        Op::Start { name } => start(host, name)?,
        Op::Stop { name, .. } => stop(host, name)?,
        Op::Pause { name } => {
            let seen = host.containers.get_mut(name).ok_or_else(|| absent(name))?;
            require(seen.state == State::Running, || format!("{name} does not run, or is paused"))?;
            seen.state = State::Paused;
        }
        Op::Unpause { name } => {
            let seen = host.containers.get_mut(name).ok_or_else(|| absent(name))?;
            require(seen.state == State::Paused, || format!("{name} is not paused"))?;
            seen.state = State::Running;
        }
        Op::Update { name, restart } => {
            let seen = host.containers.get_mut(name).ok_or_else(|| absent(name))?;
            seen.restart.clone_from(restart);
        }
        Op::Rename { from, to } => {
            require(!host.containers.contains_key(to), || format!("the name {to} is in use"))?;
            require_settled(host, from)?;
            let container = host.containers.remove(from).ok_or_else(|| absent(from))?;
            host.containers.insert(to.clone(), container);
        }
        Op::Remove { name } => {
            let seen = host.containers.get(name).ok_or_else(|| absent(name))?;
            require(!seen.state.is_up(), || format!("{name} runs"))?;
            host.containers.remove(name);
        }
        Op::Connect { container, membership } => connect(host, container, membership)?,
        Op::Disconnect { container, network } => disconnect(host, container, network)?,
        Op::RemoveNetwork { name } => {
            // docker lets a stopped container's network go, and can then never start it again: refused here
            let is_on = |seen: &SeenContainer| seen.memberships.get(name).is_some_and(|m| !m.stale);
            require(!host.containers.values().any(is_on), || format!("network {name} has containers"))?;
            host.networks.remove(name).ok_or_else(|| Refused(format!("no network {name}")))?;
        }
        Op::RemoveVolume { name } => {
            let mounts = |seen: &SeenContainer| seen.volumes.values().any(|volume| volume == name);
            require(!host.containers.values().any(mounts), || format!("volume {name} is in use"))?;
            host.volumes.remove(name).ok_or_else(|| Refused(format!("no volume {name}")))?;
            if is_of_proxy(name) {
                host.fragments.clear();
            }
        }
        Op::WriteSetUp { .. } => {
            require(host.volumes.keys().any(is_of_proxy), || "the proxy has no volume".to_owned())?
        }
        Op::WriteFragment { project, text } => {
            require_proxy(host)?;
            host.fragments.insert(project.clone(), text.as_str().into());
        }
        Op::AskRoutes { .. } => require_proxy(host)?,
        Op::RemoveFragment { project } => {
            require_proxy(host)?;
            host.fragments.remove(project);
        }
        Op::Await(Await::Healthy { name, .. }) => {
            let seen = host.containers.get_mut(name).ok_or_else(|| absent(name))?;
            settle(name, seen)?;
            seen.health = Health::Healthy;
        }
        Op::Await(Await::Drain { name, .. }) => {
            require(host.containers.contains_key(name), || format!("no container {name}"))?;
        }
        Op::Await(Await::Answers { name, .. } | Await::StaysUp { name, .. }) => {
            settle(name, host.containers.get_mut(name).ok_or_else(|| absent(name))?)?;
        }
    }
    Ok(())
}

fn require(condition: bool, otherwise: impl FnOnce() -> String) -> Result<(), Refused> {
    if condition { Ok(()) } else { Err(Refused(otherwise())) }
}

/// The proxy's files are reached through the proxy.
fn require_proxy(host: &Observed) -> Result<(), Refused> {
    let proxy = host.containers.get(PROXY);
    require(proxy.is_some_and(|seen| seen.state == State::Running), || format!("{PROXY} does not run"))
}

/// Between two restarts a container is off its networks: docker neither renames nor disconnects it then, and what it is
/// connected to meanwhile, it never leaves.
fn require_settled(host: &Observed, name: &Container) -> Result<(), Refused> {
    let seen = host.containers.get(name);
    require(seen.is_none_or(|seen| seen.state != State::Restarting), || format!("{name} is restarting"))
}

/// Whether the fragments are on this volume.
fn is_of_proxy(volume: &Volume) -> bool {
    volume.as_str().starts_with(PROXY)
}

fn absent(name: &Container) -> Refused {
    Refused(format!("no container {name}"))
}

/// What was waited for with success has stopped restarting; what is paused is waited for in vain.
fn settle(name: &Container, seen: &mut SeenContainer) -> Result<(), Refused> {
    require(seen.state.is_up() && seen.state != State::Paused, || format!("{name} does not run"))?;
    seen.state = State::Running;
    Ok(())
}

fn make(host: &mut Observed, launch: &Launch) -> Result<(), Refused> {
    let Launch { name, image, labels, memberships, runtime } = launch;
    require(!host.containers.contains_key(name), || format!("the name {name} is in use"))?;
    let seen_image = host.images.here.get(image);
    require(!host.images.unavailable.contains_key(image), || format!("no image {image}"))?;
    let mut volumes = BTreeMap::new();
    for mount in &runtime.mounts {
        if let Source::Volume(volume) = &mount.source {
            require(host.volumes.contains_key(volume), || format!("no volume {volume}"))?;
            volumes.insert(mount.target.clone(), volume.clone());
        }
    }
    let first = memberships.first().expect("a container is made on a network");
    require(host.networks.contains_key(&first.network) || is_builtin(&first.network), || {
        format!("no network {}", first.network)
    })?;
    let release = labels.release.as_ref().expect("a container has a release");
    let checked = runtime.health.is_some() || seen_image.is_some_and(|image| image.facts.healthcheck);
    let container = SeenContainer {
        project: labels.claim.project().cloned(),
        maker: labels.claim.maker().cloned(),
        kind: Some(labels.kind),
        owner: labels.owner.clone(),
        release: release.number,
        spec: release.spec.clone(),
        inherits: release.inherits.clone(),
        image: seen_image.and_then(|image| image.id.clone()),
        state: State::Created,
        restart: runtime.restart.clone(),
        restarts: 0,
        health: if checked { Health::Starting } else { Health::None },
        addresses: memberships.iter().filter_map(|m| Some((m.network.clone(), m.address?))).collect(),
        memberships: BTreeMap::from([(first.network.clone(), seen(first))]),
        volumes,
        ports: runtime.ports.iter().flat_map(|port| host_ports(port)).collect(),
        env: BTreeMap::new(),
        past: Past::default(),
    };
    host.containers.insert(name.clone(), container);
    Ok(())
}

fn start(host: &mut Observed, name: &Container) -> Result<(), Refused> {
    let container = host.containers.get_mut(name).ok_or_else(|| absent(name))?;
    require(container.state != State::Paused, || format!("{name} is paused"))?;
    for (network, membership) in &container.memberships {
        require(!membership.stale, || format!("network {network} of {name} is gone"))?;
        if let (Some(address), Some(network)) = (membership.address, host.networks.get_mut(network)) {
            require(network.addresses.insert(address), || format!("address {address} is in use"))?;
        }
    }
    container.state = State::Running;
    container.restarts = 0;
    if container.health != Health::None {
        container.health = Health::Starting;
    }
    Ok(())
}

fn stop(host: &mut Observed, name: &Container) -> Result<(), Refused> {
    let container = host.containers.get_mut(name).ok_or_else(|| absent(name))?;
    container.state = State::Exited;
    for (network, membership) in &container.memberships {
        if let (Some(address), Some(network)) = (membership.address, host.networks.get_mut(network)) {
            network.addresses.remove(&address);
        }
    }
    Ok(())
}

fn connect(host: &mut Observed, name: &Container, membership: &Membership) -> Result<(), Refused> {
    let network = &membership.network;
    require(host.networks.contains_key(network) || is_builtin(network), || format!("no network {network}"))?;
    require_settled(host, name)?;
    let container = host.containers.get_mut(name).ok_or_else(|| absent(name))?;
    require(!container.memberships.contains_key(network), || format!("{name} is already in {network}"))?;
    if let (Some(address), Some(seen), true) =
        (membership.address, host.networks.get_mut(network), container.state.is_up())
    {
        require(seen.addresses.insert(address), || format!("address {address} is in use"))?;
    }
    container.memberships.insert(network.clone(), seen(membership));
    Ok(())
}

fn disconnect(host: &mut Observed, name: &Container, network: &Network) -> Result<(), Refused> {
    require_settled(host, name)?;
    let container = host.containers.get_mut(name).ok_or_else(|| absent(name))?;
    let membership = container
        .memberships
        .remove(network)
        .ok_or_else(|| Refused(format!("{name} is not in {network}")))?;
    if let (Some(address), Some(seen), true) =
        (membership.address, host.networks.get_mut(network), container.state.is_up())
    {
        seen.addresses.remove(&address);
    }
    Ok(())
}

fn seen(membership: &Membership) -> SeenMembership {
    let Membership { address, aliases, .. } = membership;
    SeenMembership {
        address: *address,
        aliases: aliases.iter().cloned().collect(),
        ..SeenMembership::default()
    }
}

/// Networks that every engine has; a model of an empty host does not list them.
fn is_builtin(network: &Network) -> bool {
    network.as_str() == "bridge"
}
