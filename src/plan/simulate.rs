//! What docker would do with an operation, on a model of the host. Refuses what docker refuses.

use crate::docker::Await;
use crate::docker::Health;
use crate::docker::Labels;
use crate::docker::Launch;
use crate::docker::Membership;
use crate::docker::Observed;
use crate::docker::Op;
use crate::docker::Past;
use crate::docker::SeenContainer;
use crate::docker::SeenImage;
use crate::docker::SeenMembership;
use crate::docker::SeenNetwork;
use crate::docker::SeenVolume;
use crate::docker::State;
use crate::name::Container;
use crate::name::Image;
use crate::name::Network;
use crate::name::Project;
use crate::name::Volume;
use crate::spec::PROXY;
use crate::spec::Source;
use crate::spec::host_ports;
use ipnet::Ipv4Net;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fmt;

/// Docker's error, in short.
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
        Op::Pull { image, .. } => pull(host, image),
        Op::ExpectVolumes { image, .. } => require_image(host, image),
        Op::CreateNetwork { name, subnet, labels, .. } => create_network(host, name, *subnet, labels),
        Op::CreateVolume { name, labels } => create_volume(host, name, labels),
        Op::Create(launch) => make(host, launch),
        Op::Run(launch) => make(host, launch).and_then(|()| start(host, &launch.name)),
        Op::Start { name } => start(host, name),
        Op::Stop { name, .. } => stop(host, name),
        Op::Pause { name } => pause(host, name),
        Op::Unpause { name } => unpause(host, name),
        Op::Update { name, restart } => update(host, name, restart),
        Op::Rename { from, to } => rename(host, from, to),
        Op::Remove { name } => remove(host, name),
        Op::Connect { container, membership } => connect(host, container, membership),
        Op::Disconnect { container, network } => disconnect(host, container, network),
        Op::RemoveNetwork { name } => remove_network(host, name),
        Op::RemoveVolume { name } => remove_volume(host, name),
        Op::WriteSetUp { .. } => require_proxy_volume(host),
        Op::WriteRoutes { project, text } => write_routes(host, project, text),
        Op::AskRoutes { .. } | Op::NoteAddresses { .. } => require_proxy(host),
        Op::RemoveRoutes { project } => remove_routes(host, project),
        Op::Await(wait) => end_wait(host, wait),
    }
}

fn require(condition: bool, otherwise: impl FnOnce() -> String) -> Result<(), Refused> {
    if condition { Ok(()) } else { Err(Refused(otherwise())) }
}

/// The proxy has to run: its files are written through it.
fn require_proxy(host: &Observed) -> Result<(), Refused> {
    let proxy = host.containers.get(PROXY);
    require(proxy.is_some_and(|seen| seen.state == State::Running), || format!("{PROXY} does not run"))
}

/// The container must not be between two restarts. Docker would neither rename nor disconnect it then, and it
/// could never leave a network that it is connected to then.
fn require_settled(host: &Observed, name: &Container) -> Result<(), Refused> {
    let seen = host.containers.get(name);
    require(seen.is_none_or(|seen| seen.state != State::Restarting), || format!("{name} is restarting"))
}

/// Whether a volume is one of the proxy's.
fn is_of_proxy(volume: &Volume) -> bool {
    volume.as_str().starts_with(PROXY)
}

fn require_proxy_volume(host: &Observed) -> Result<(), Refused> {
    require(host.volumes.keys().any(is_of_proxy), || "the proxy has no volume".to_owned())
}

fn absent(name: &Container) -> Refused {
    Refused(format!("no container {name}"))
}

fn require_image(host: &Observed, image: &Image) -> Result<(), Refused> {
    require(host.images.here.contains_key(image), || format!("no image {image}"))
}

fn container<'h>(host: &'h mut Observed, name: &Container) -> Result<&'h mut SeenContainer, Refused> {
    host.containers.get_mut(name).ok_or_else(|| absent(name))
}

fn pull(host: &mut Observed, image: &Image) -> Result<(), Refused> {
    let pulled = || SeenImage { id: None, facts: Default::default() };
    host.images.here.entry(image.clone()).or_insert_with(pulled);
    host.images.unavailable.remove(image);
    Ok(())
}

fn create_network(
    host: &mut Observed,
    name: &Network,
    subnet: Ipv4Net,
    labels: &Labels,
) -> Result<(), Refused> {
    require(!host.networks.contains_key(name), || format!("network {name} exists"))?;
    let (project, maker) = (labels.claim.project().cloned(), labels.claim.maker().cloned());
    let (subnet, addresses) = (Some(subnet), BTreeSet::new());
    host.networks.insert(name.clone(), SeenNetwork { project, maker, managed: true, subnet, addresses });
    Ok(())
}

fn create_volume(host: &mut Observed, name: &Volume, labels: &Labels) -> Result<(), Refused> {
    let (project, maker) = (labels.claim.project().cloned(), labels.claim.maker().cloned());
    host.volumes.entry(name.clone()).or_insert(SeenVolume { project, maker, managed: true });
    Ok(())
}

/// A successful wait ends a restart loop. A wait for a paused container fails.
fn end_wait(host: &mut Observed, wait: &Await) -> Result<(), Refused> {
    let name = wait.container();
    let seen = container(host, name)?;
    if let Await::Drain { .. } = wait {
        return Ok(());
    }
    let ends = matches!(wait, Await::Ends { .. });
    let may_be_over = ends || matches!(wait, Await::GoesWell { .. });
    if may_be_over && seen.ended_well() {
        return Ok(());
    }
    require(seen.state.is_up() && seen.state != State::Paused, || format!("{name} does not run"))?;
    seen.state = State::Running;
    if let Await::Healthy { .. } = wait {
        seen.health = Health::Healthy;
    }
    if ends { end(host, name, 0) } else { Ok(()) }
}

fn make(host: &mut Observed, launch: &Launch) -> Result<(), Refused> {
    let Launch { name, image, memberships, .. } = launch;
    require(!host.containers.contains_key(name), || format!("the name {name} is in use"))?;
    require(!host.images.unavailable.contains_key(image), || format!("no image {image}"))?;
    let volumes = volumes(launch);
    for volume in volumes.values() {
        require(host.volumes.contains_key(volume), || format!("no volume {volume}"))?;
    }
    require_network(host, &memberships.first().expect("a container is made on a network").network)?;
    host.containers.insert(name.clone(), made(host.images.here.get(image), launch, volumes));
    Ok(())
}

/// The named volumes of a container, by their paths inside it.
fn volumes(launch: &Launch) -> BTreeMap<String, Volume> {
    let mounts = launch.runtime.mounts.iter();
    let named = mounts.filter_map(|mount| match &mount.source {
        Source::Volume(volume) => Some((mount.target.clone(), volume.clone())),
        Source::Host(_) | Source::Folder(_) => None,
    });
    named.collect()
}

/// A container that was just made, on its first network.
fn made(image: Option<&SeenImage>, launch: &Launch, volumes: BTreeMap<String, Volume>) -> SeenContainer {
    let Launch { labels, memberships, runtime, .. } = launch;
    let release = labels.release.as_ref().expect("a container has a release");
    let is_checked = runtime.health.is_some() || image.is_some_and(|image| image.facts.healthcheck);
    let first = &memberships[0];
    SeenContainer {
        project: labels.claim.project().cloned(),
        maker: labels.claim.maker().cloned(),
        kind: Some(labels.kind),
        owner: labels.owner.clone(),
        release: release.number,
        spec: release.spec.clone(),
        inherits: release.inherits.clone(),
        image: image.and_then(|image| image.id.clone()),
        state: State::Created,
        exit_status: None,
        restart: runtime.restart.clone(),
        stop_timeout: runtime.settings.stop_timeout(),
        limits: runtime.settings.limits(),
        has_endless_log: false,
        restarts: 0,
        health: if is_checked { Health::Starting } else { Health::None },
        addresses: memberships.iter().filter_map(|m| Some((m.network.clone(), m.address?))).collect(),
        memberships: BTreeMap::from([(first.network.clone(), seen(first))]),
        volumes,
        ports: runtime.ports.iter().flat_map(|port| host_ports(port)).collect(),
        udp_ports: runtime
            .ports
            .iter()
            .filter_map(|port| port.strip_suffix("/udp"))
            .flat_map(host_ports)
            .collect(),
        env: BTreeMap::new(),
        past: Past::default(),
    }
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
    (container.state, container.exit_status) = (State::Running, None);
    container.restarts = 0;
    if container.health != Health::None {
        container.health = Health::Starting;
    }
    Ok(())
}

/// It ends as if it had been killed: nothing is known of what it says to a signal.
fn stop(host: &mut Observed, name: &Container) -> Result<(), Refused> {
    let exit_status = container(host, name)?.exit_status.unwrap_or(137);
    end(host, name, exit_status)
}

fn end(host: &mut Observed, name: &Container, exit_status: i64) -> Result<(), Refused> {
    let container = host.containers.get_mut(name).ok_or_else(|| absent(name))?;
    (container.state, container.exit_status) = (State::Exited, Some(exit_status));
    for (network, membership) in &container.memberships {
        if let (Some(address), Some(network)) = (membership.address, host.networks.get_mut(network)) {
            network.addresses.remove(&address);
        }
    }
    Ok(())
}

fn pause(host: &mut Observed, name: &Container) -> Result<(), Refused> {
    let seen = container(host, name)?;
    require(seen.state == State::Running, || format!("{name} does not run, or is paused"))?;
    seen.state = State::Paused;
    Ok(())
}

fn unpause(host: &mut Observed, name: &Container) -> Result<(), Refused> {
    let seen = container(host, name)?;
    require(seen.state == State::Paused, || format!("{name} is not paused"))?;
    seen.state = State::Running;
    Ok(())
}

fn update(host: &mut Observed, name: &Container, restart: &str) -> Result<(), Refused> {
    restart.clone_into(&mut container(host, name)?.restart);
    Ok(())
}

fn rename(host: &mut Observed, from: &Container, to: &Container) -> Result<(), Refused> {
    require(!host.containers.contains_key(to), || format!("the name {to} is in use"))?;
    require_settled(host, from)?;
    let container = host.containers.remove(from).ok_or_else(|| absent(from))?;
    host.containers.insert(to.clone(), container);
    Ok(())
}

fn remove(host: &mut Observed, name: &Container) -> Result<(), Refused> {
    let is_up = container(host, name)?.state.is_up();
    require(!is_up, || format!("{name} runs"))?;
    host.containers.remove(name);
    Ok(())
}

fn connect(host: &mut Observed, name: &Container, membership: &Membership) -> Result<(), Refused> {
    let network = &membership.network;
    require_network(host, network)?;
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

fn remove_network(host: &mut Observed, name: &Network) -> Result<(), Refused> {
    // docker would remove a stopped container's network, and the container could never start again; the model
    // refuses
    let is_on = |seen: &SeenContainer| seen.memberships.get(name).is_some_and(|m| !m.stale);
    require(!host.containers.values().any(is_on), || format!("network {name} has containers"))?;
    require(host.networks.remove(name).is_some(), || format!("no network {name}"))
}

fn remove_volume(host: &mut Observed, name: &Volume) -> Result<(), Refused> {
    require(!host.is_mounted(name), || format!("volume {name} is in use"))?;
    require(host.volumes.remove(name).is_some(), || format!("no volume {name}"))?;
    if is_of_proxy(name) {
        host.routes_files.clear();
    }
    Ok(())
}

fn write_routes(host: &mut Observed, project: &Project, text: &str) -> Result<(), Refused> {
    require_proxy(host)?;
    host.routes_files.insert(project.clone(), text.into());
    Ok(())
}

fn remove_routes(host: &mut Observed, project: &Project) -> Result<(), Refused> {
    require_proxy(host)?;
    host.routes_files.remove(project);
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

/// The network has to exist. Every engine has its own default networks; a model of an empty host does not
/// list them.
fn require_network(host: &Observed, network: &Network) -> Result<(), Refused> {
    let is_builtin = network.as_str() == "bridge";
    require(host.networks.contains_key(network) || is_builtin, || format!("no network {network}"))
}
