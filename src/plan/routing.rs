//! Which host of a project routes to which app, for any proxy. Does not know the syntax of any proxy.

use crate::desired::Desired;
use crate::name::Network;
use crate::name::Project;
use crate::spec::Route;
use std::collections::BTreeSet;

/// Which host of a project routes to which app.
#[derive(Clone, Copy, Debug)]
pub struct Routing<'a> {
    /// The project.
    pub project: &'a Project,
    /// Its routes, in the order of the apps.
    pub routes: &'a [Route],
}

impl<'a> Routing<'a> {
    /// The routes of `desired`.
    pub fn of(desired: &'a Desired) -> Self {
        Self { project: &desired.project, routes: &desired.routes }
    }

    /// The networks that the proxy has to be on.
    pub fn networks(&self) -> BTreeSet<&'a Network> {
        self.routes.iter().flat_map(|route| &route.networks).collect()
    }
}
