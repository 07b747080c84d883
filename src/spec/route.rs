//! Which hosts are routed to which app, and the proxy in front of them.

use super::Naming;
use super::Role;
use super::value::ValueError;
use crate::name::Alias;
use crate::name::Container;
use crate::name::Domain;
use crate::name::Image;
use crate::name::Network;
use crate::name::visible;

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
    /// How they are served.
    pub site: Site,
}

/// How a proxy serves the hosts of an app.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Site {
    /// Hosts that send their visitors to the first of the app's.
    pub redirect_from: Vec<Domain>,
    /// Where the certificates of all of these hosts come from.
    pub tls: Tls,
    /// Whether text is compressed for those who ask for it.
    pub compress: bool,
    /// Whether each request has a line in the proxy's log.
    pub access_log: bool,
    /// More of the proxy's own words, as they are; empty: none.
    pub snippet: String,
    /// Whether other proxies say who the client is.
    pub trusts_proxies: bool,
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
    /// Whether it speaks HTTP/3, over UDP on the port for HTTPS.
    pub http3: Http3,
    /// Those whose word it takes for a client's address: subnets, or `private_ranges`.
    pub trusted_proxies: Vec<String>,
    /// More of its own words for all sites; empty: none.
    pub snippet: String,
}

/// Whether a proxy speaks HTTP/3.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Http3 {
    /// A new one does; one that runs stays as it is.
    #[default]
    Usual,
    /// It does.
    On,
    /// It does not.
    Off,
}

/// Where certificates come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
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
    /// Where `text` says that they come from; `false` is another word for nowhere.
    ///
    /// # Errors
    /// When it says nothing known.
    pub fn parse(text: &str) -> Result<Self, ValueError> {
        match text {
            "auto" => Ok(Self::Auto),
            "internal" => Ok(Self::Internal),
            "off" | "false" => Ok(Self::Off),
            _ => Err(ValueError::new(
                format!("`{}` is none of `auto`, `internal`, `off`", visible(text)),
                "`auto` is a public authority, `internal` the proxy's own, `off` HTTP alone",
            )),
        }
    }

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
    /// Its hosts, and those that are redirected to them.
    pub fn all_hosts(&self) -> impl Iterator<Item = &Domain> {
        self.hosts.iter().chain(&self.site.redirect_from)
    }

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
