//! Which host of a project leads where, for whatever proxy people run. Does not know the words of any.

use crate::desired::Desired;
use crate::desired::Route;
use crate::desired::Tls;
use crate::name::Network;
use crate::name::Project;
use std::collections::BTreeSet;

/// Which host of a project leads where.
#[derive(Clone, Copy, Debug)]
pub struct Routing<'a> {
    /// The project.
    pub project: &'a Project,
    /// Its routes, in the order of the apps.
    pub routes: &'a [Route],
    /// Where certificates come from, where the proxy is to be told.
    pub tls: Tls,
}

impl<'a> Routing<'a> {
    /// The routes that are `desired`.
    pub fn of(desired: &'a Desired) -> Self {
        Self { project: &desired.project, routes: &desired.routes, tls: desired.tls }
    }

    /// The networks that the proxy has to be on.
    pub fn networks(&self) -> BTreeSet<&'a Network> {
        self.routes.iter().flat_map(|route| &route.networks).collect()
    }
}
