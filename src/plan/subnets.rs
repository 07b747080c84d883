//! Which subnet a new network gets.

use crate::docker::Observed;
use crate::name::Network;
use crate::spec::hash;
use ipnet::Ipv4Net;
use std::collections::BTreeSet;
use std::net::Ipv4Addr;

/// The smallest network: 256 addresses.
const USUAL_PREFIX: u8 = 24;

/// The taken subnets: those on the host, and those given out by this plan.
#[derive(Debug)]
pub(super) struct Subnets {
    /// The pool that subnets come from.
    pub(super) pool: Ipv4Net,
    /// All taken subnets, inside the pool or not.
    taken: Vec<Ipv4Net>,
    /// The taken blocks of the pool, as numbers of /24s.
    blocks: BTreeSet<u32>,
}

impl Subnets {
    /// The subnets that are taken on `host`.
    pub(super) fn of(host: &Observed, pool: Ipv4Net) -> Self {
        // a route that contains the whole pool, as a VPN's does, takes nothing: docker's routes are more
        // specific
        let routes = host.routes.iter().filter(|route| !route.contains(&pool));
        let others = host.other_subnets.iter().chain(routes).copied();
        let taken: Vec<_> =
            host.networks.values().filter_map(|network| network.subnet).chain(others).collect();
        let mut subnets = Self { pool, taken, blocks: BTreeSet::new() };
        for subnet in subnets.taken.clone() {
            subnets.take(subnet);
        }
        subnets
    }

    /// A free subnet for a network of this name, with room for `count` of gordon's addresses; `None` when the
    /// pool is full. The name decides where the search begins, so the same network gets the same subnet on
    /// every host where it is free.
    pub(super) fn subnet(&mut self, name: &Network, count: u32) -> Option<Ipv4Net> {
        let prefix = prefix_for(count);
        if prefix < self.pool.prefix_len() {
            return None;
        }
        let blocks = 1u32 << (USUAL_PREFIX - prefix);
        let slots = 1u32 << (prefix - self.pool.prefix_len());
        let start = u32::from_str_radix(&hash(name.as_str()), 16).expect("a hash is hex digits") % slots;
        let first = u32::from(self.pool.network()) >> 8;
        let block = (0..slots)
            .map(|i| first + (start + i) % slots * blocks)
            .find(|block| self.blocks.range(*block..block + blocks).next().is_none())?;
        let subnet = Ipv4Net::new(Ipv4Addr::from(block << 8), prefix).expect("a prefix has at most 24 bits");
        self.take(subnet);
        Some(subnet)
    }

    /// A wholly free private range, as a proposal for another pool.
    pub(super) fn free_range(&self) -> Option<Ipv4Net> {
        const PRIVATE: [(&str, u8); 3] = [("10.0.0.0/8", 12), ("172.16.0.0/12", 16), ("192.168.0.0/16", 16)];
        let ranges = PRIVATE.iter().flat_map(|(range, prefix)| {
            let range: Ipv4Net = range.parse().expect("a private range is a subnet");
            range.subnets(*prefix).expect("a part of it is longer")
        });
        let is_free = |range: &Ipv4Net| {
            !self.taken.iter().any(|taken| {
                // half of all addresses are a default route, not a subnet
                taken.prefix_len() >= 8 && (taken.contains(range) || range.contains(taken))
            })
        };
        ranges.into_iter().find(is_free)
    }

    fn take(&mut self, subnet: Ipv4Net) {
        let (first, last) = (u32::from(self.pool.network()) >> 8, u32::from(self.pool.broadcast()) >> 8);
        let from = (u32::from(subnet.network()) >> 8).max(first);
        let to = (u32::from(subnet.broadcast()) >> 8).min(last);
        self.blocks.extend(from..=to);
    }
}

/// The half of a subnet that docker may give out, for `--ip-range`.
pub(super) fn lower_half(subnet: Ipv4Net) -> Ipv4Net {
    Ipv4Net::new(subnet.network(), subnet.prefix_len() + 1).expect("a subnet has at most 24 bits")
}

/// The longest prefix whose upper half, less the broadcast address, holds `count` addresses.
fn prefix_for(count: u32) -> u8 {
    (0..=USUAL_PREFIX).rev().find(|prefix| (1u64 << (31 - prefix)) > u64::from(count)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::docker::SeenNetwork;

    fn network(name: &str) -> Network {
        Network::parse(name).expect("a network name")
    }

    fn net(text: &str) -> Ipv4Net {
        text.parse().expect("a subnet")
    }

    fn host(subnets: &[&str]) -> Observed {
        let seen = |text: &&str| SeenNetwork { subnet: Some(net(text)), ..SeenNetwork::default() };
        let networks =
            subnets.iter().enumerate().map(|(i, text)| (network(&format!("other-{i}")), seen(text)));
        Observed { networks: networks.collect(), ..Observed::default() }
    }

    #[test]
    fn a_network_gets_the_same_subnet_wherever_it_is_free() {
        let pool = net("10.208.0.0/12");
        let first = Subnets::of(&host(&[]), pool).subnet(&network("shop-backend"), 5);
        let again = Subnets::of(&host(&["172.18.0.0/16"]), pool).subnet(&network("shop-backend"), 5);
        assert_eq!(first, again);
        assert!(pool.contains(&first.expect("the pool is empty")));
    }

    #[test]
    fn a_new_subnet_never_overlaps_an_existing_one() {
        let taken = ["10.0.0.0/25", "10.0.1.0/24", "10.0.2.128/30"];
        let mut subnets = Subnets::of(&host(&taken), net("10.0.0.0/22"));
        assert_eq!(subnets.subnet(&network("a1"), 5), Some(net("10.0.3.0/24")));
        assert_eq!(subnets.subnet(&network("b1"), 5), None, "the pool is used up");
    }

    #[test]
    fn a_route_around_the_whole_pool_takes_no_subnet() {
        let routed = |routes: &[&str]| Observed {
            routes: routes.iter().map(|route| net(route)).collect(),
            ..host(&["10.208.0.0/14"])
        };
        let subnet =
            |routes: &[&str], pool| Subnets::of(&routed(routes), net(pool)).subnet(&network("a1"), 5);
        let vpn = ["0.0.0.0/1", "128.0.0.0/1", "10.0.0.0/8"];
        assert!(subnet(&vpn, "10.208.0.0/12").is_some());
        assert_eq!(subnet(&vpn, "10.208.0.0/12"), subnet(&[], "10.208.0.0/12"));
        assert_eq!(subnet(&["10.208.0.0/13", "10.216.0.0/13"], "10.208.0.0/12"), None);
        let host = Observed { other_subnets: [net("10.0.0.0/8")].into(), ..host(&[]) };
        assert_eq!(
            Subnets::of(&host, net("10.208.0.0/12")).subnet(&network("a1"), 5),
            None,
            "docker refuses"
        );
    }

    #[test]
    fn the_proposed_range_is_free() {
        let free = |taken: &[&str]| Subnets::of(&host(taken), net("10.208.0.0/12")).free_range();
        assert_eq!(free(&["10.208.0.0/12"]), Some(net("10.0.0.0/12")));
        assert_eq!(free(&["10.0.3.0/24", "10.16.0.0/12", "0.0.0.0/1"]), Some(net("10.32.0.0/12")));
        assert_eq!(free(&["10.0.0.0/8", "172.16.0.0/15", "172.18.1.0/24"]), Some(net("172.19.0.0/16")));
        assert_eq!(free(&["10.0.0.0/8", "172.16.0.0/12", "192.168.1.0/24"]), None);
    }

    #[test]
    fn a_network_with_many_workloads_gets_a_larger_subnet() {
        assert_eq!([1, 126, 127, 128, 255, 256].map(prefix_for), [24, 24, 24, 23, 23, 22]);
        let mut subnets = Subnets::of(&host(&["10.0.1.0/24"]), net("10.0.0.0/22"));
        assert_eq!(subnets.subnet(&network("a1"), 200), Some(net("10.0.2.0/23")));
        assert_eq!(subnets.subnet(&network("b1"), 100_000), None, "larger than the pool");
    }
}
