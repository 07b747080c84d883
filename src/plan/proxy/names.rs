//! The names of what all projects of a host share: the proxy and its network.

use crate::docker;
use crate::name::Container;
use crate::name::Network;
use crate::name::Owner;
use crate::spec::PROXY;

/// The proxy's container.
pub(in crate::plan) fn proxy_name() -> Container {
    Container::parse(PROXY).expect("it is the name of a container")
}

/// The old proxy, while a new one replaces it.
pub(super) fn previous() -> Container {
    Container::parse(docker::PREVIOUS).expect("it is the name of a container")
}

/// The proxy's own network.
pub(super) fn network() -> Network {
    Network::parse(docker::NETWORK).expect("it is the name of a network")
}

/// The owner of the proxy and its things.
pub(super) fn owner() -> Owner {
    Owner::parse(PROXY).expect("any text is an owner")
}
