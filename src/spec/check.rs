//! How a container is asked over its networks whether it is ready.

use crate::name::Image;
use std::time::Duration;

/// A request of HTTP that a container answers once it is ready: with a status below 400. A redirect is a good answer and is
/// not followed, since its target could be the release before. Each has 5 s.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpCheck {
    /// Where the container listens.
    pub port: u16,
    /// What it is asked for; begins with `/`.
    pub path: String,
    /// The host that it takes the request for.
    pub host: String,
    /// Who asks.
    pub prober: Prober,
    /// The time between two requests.
    pub every: Duration,
}

/// A connection that an app takes once it is ready. The proxy makes it, as it makes those of visitors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortCheck {
    /// Where the app is to listen.
    pub port: u16,
    /// The host that the proxy asks it for.
    pub host: String,
}

/// Who asks a container over HTTP: only these have a way into its networks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Prober {
    /// The proxy, which is on a network of the container's.
    Proxy,
    /// A container of this image, made for one request, beside the one that is asked and with the same `localhost`.
    Beside(Image),
}
