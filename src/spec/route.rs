//! Which hosts are routed to which app, and the proxy in front of them.

use super::Naming;
use super::Role;
use crate::name::Alias;
use crate::name::Container;
use crate::name::Domain;
use crate::name::Image;
use crate::name::Network;
use serde::Deserialize;

/// The hosts that are routed to an app.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// The hosts; at least one.
    pub hosts: Vec<Domain>,
    /// The base name of the app.
    pub base_name: String,
    /// What comes after the base name.
    pub naming: Naming,
    /// How many containers answer.
    pub replicas: u32,
    /// Where they listen.
    pub port: u16,
    /// The name that is one of a kind on the host, for proxies of other people.
    pub alias: Alias,
    /// The networks that they are on; on the first of them the proxy finds them.
    pub networks: Vec<Network>,
}

/// The proxy's container, and its name on every network that it joins.
pub const PROXY: &str = "gordon-proxy";

/// The proxy of a host, as a config would have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proxy {
    /// What it runs.
    pub image: Image,
    /// Its port of the host for HTTP.
    pub http_port: u16,
    /// Its port of the host for HTTPS.
    pub https_port: u16,
}

/// Where certificates come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tls {
    /// A public authority.
    #[default]
    Auto,
    /// The proxy's own authority.
    Internal,
    /// Nowhere: HTTP alone.
    Off,
}

impl Tls {
    /// As the config says it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Internal => "internal",
            Self::Off => "off",
        }
    }
}

impl Route {
    /// The name that finds its containers from outside of the project, as far as there is one: docker's default bridge
    /// knows none, and gives no other than the container's.
    pub fn name(&self) -> String {
        if self.networks.is_empty() {
            self.container(Role::Serving, 1).to_string()
        } else {
            self.alias.to_string()
        }
    }

    /// The name, and where it listens: `gmail-web:3000`.
    pub fn target(&self) -> String {
        format!("{}:{}", self.name(), self.port)
    }

    /// Where the proxy finds the first of its containers: `gmail-web-green:3000`.
    pub fn upstream(&self) -> String {
        format!("{}:{}", self.container(Role::Serving, 1), self.port)
    }

    /// The name of the container of this role and replica, counted from 1.
    pub fn container(&self, role: Role, replica: u32) -> Container {
        self.naming.container(&self.base_name, role, replica)
    }
}
