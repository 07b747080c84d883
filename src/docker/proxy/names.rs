//! The names of the proxy's things.

use crate::name::Volume;

/// The proxy's container before, while it is replaced.
pub const PREVIOUS: &str = "gordon-proxy-previous";

/// The proxy's own network: its name sorts first, for docker hangs published ports on the network whose name does.
pub const NETWORK: &str = "0-gordon-proxy";

/// Where the proxy keeps its certificates: the volume, and the path inside.
pub(super) const DATA: (&str, &str) = ("gordon-proxy-data", "/data");

/// Where it keeps what it starts from, and what it routes.
pub(super) const CONFIG: (&str, &str) = ("gordon-proxy-config", "/config");

/// Its named volumes: for its certificates, and for what it routes.
pub fn volumes() -> [Volume; 2] {
    [DATA, CONFIG].map(|(name, _)| Volume::parse(name).expect("it is the name of a volume"))
}

/// The volume that holds the routes files.
pub(in crate::docker) fn routes_volume() -> Volume {
    Volume::parse(CONFIG.0).expect("it is the name of a volume")
}

/// The paths of its volumes inside.
pub fn paths() -> [&'static str; 2] {
    [DATA, CONFIG].map(|(_, path)| path)
}
