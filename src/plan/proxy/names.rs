//! The names of what all projects of a host share: the proxy, its network.

use crate::docker;
use crate::name::Container;
use crate::name::Network;
use crate::name::Owner;

/// The proxy.
pub(in crate::plan) fn proxy_name() -> Container {
    Container::parse(docker::PROXY).expect("it is the name of a container")
}

/// The proxy that was, while another takes its place.
pub(super) fn previous() -> Container {
    Container::parse(docker::PREVIOUS).expect("it is the name of a container")
}

/// The network of its own.
pub(super) fn network() -> Network {
    Network::parse(docker::NETWORK).expect("it is the name of a network")
}

/// To whom all this belongs.
pub(super) fn owner() -> Owner {
    Owner::parse(docker::PROXY).expect("any text is an owner")
}
