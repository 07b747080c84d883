//! What the parts of a config say about each other. Does not know final names of containers, networks and volumes.

mod ignored;
mod names;
mod order;
mod owners;
mod short_names;
mod workloads;

use super::problem::Problem;
use super::read::Read;
use super::schema::Config;

/// The config that was read, with what its parts contradict reported and left out.
pub(super) fn check(read: Read, problems: &mut Vec<Problem>) -> Config {
    names::check(&read, problems);
    let isolation_enabled = read.isolation_enabled.clone();
    let config = owners::check(read, problems);
    short_names::check(&config, problems);
    order::check(&config, problems);
    workloads::check(&config, problems);
    ignored::check(&config, isolation_enabled, problems);
    config
}
