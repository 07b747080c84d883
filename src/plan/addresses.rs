//! Which address a container gets in a network.

use crate::docker::Observed;
use crate::name::Network;
use ipnet::Ipv4Net;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::net::Ipv4Addr;

/// The taken addresses of each network: those of all containers, running or not, and those given out by this
/// plan.
#[derive(Debug)]
pub(super) struct Addresses(BTreeMap<Network, BTreeSet<Ipv4Addr>>);

impl Addresses {
    /// The addresses that are taken on `host`.
    pub(super) fn of(host: &Observed) -> Self {
        let networks = host.networks.iter();
        let mut taken: BTreeMap<Network, BTreeSet<Ipv4Addr>> =
            networks.map(|(name, network)| (name.clone(), network.addresses.clone())).collect();
        for container in host.containers.values() {
            for (network, membership) in &container.memberships {
                taken.entry(network.clone()).or_default().extend(membership.address);
            }
            for (network, address) in &container.addresses {
                taken.entry(network.clone()).or_default().insert(*address);
            }
        }
        Self(taken)
    }

    /// A free address in one of gordon's networks. Prefers the upper half, which docker does not give out;
    /// then takes from the end of the lower half. `None` when the network is full.
    pub(super) fn address(&mut self, network: &Network, subnet: Ipv4Net) -> Option<Ipv4Addr> {
        let taken = self.0.entry(network.clone()).or_default();
        let (low, high) = (u32::from(subnet.network()), u32::from(subnet.broadcast()));
        let middle = low + (high - low) / 2 + 1;
        // the first address of a subnet is docker's gateway
        let address = (middle..high)
            .chain((low + 2..middle).rev())
            .map(Ipv4Addr::from)
            .find(|address| !taken.contains(address))?;
        taken.insert(address);
        Some(address)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_come_from_the_upper_half_and_then_from_the_end_of_the_lower() {
        let subnet: Ipv4Net = "10.0.0.0/24".parse().expect("a subnet");
        let network = Network::parse("a1").expect("a network name");
        let mut addresses = Addresses::of(&Observed::default());
        let mut given: Vec<u8> = Vec::new();
        while let Some(address) = addresses.address(&network, subnet) {
            given.push(address.octets()[3]);
        }
        assert_eq!((given[0], given[126], given[127]), (128, 254, 127));
        assert_eq!((given.len(), given.last()), (253, Some(&2)), "all but network, gateway and broadcast");
    }
}
