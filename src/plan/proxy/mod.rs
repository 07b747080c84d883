//! The proxy that all projects of a host share. Its container is planned like any other. This module holds
//! what is particular to it: who may change it, which networks it joins, each project's routes, and its
//! removal with the last project.

mod claim;
mod container;
mod end;
mod joins;
mod names;
mod routes;

pub(super) use container::bring_up_proxy;
pub(super) use end::remove_unused_proxy;
pub(super) use end::remove_unused_proxy_volumes;
pub(super) use joins::is_used_beside_proxy;
pub(super) use joins::keeps_proxy;
pub(super) use joins::take_proxy_off;
pub(super) use names::proxy_name;
pub(super) use routes::give_routes;
pub(super) use routes::note_addresses;
pub(super) use routes::routes_file;
pub(super) use routes::take_own_routes;
