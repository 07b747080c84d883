//! What kinds of things gordon makes.

use std::fmt;

/// What a thing is, as its label says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A container that serves: a route's, or an app of a project.
    App,
    /// A container that apps use: an attachment, or a service of a project.
    Service,
    /// A network.
    Network,
    /// A volume.
    Volume,
    /// The container that routes domains to apps, shared by all projects.
    Proxy,
    /// A container that runs the command with which a release of an app begins, and ends.
    Release,
}

impl Kind {
    /// The word in the label.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::App => "app",
            Self::Service => "service",
            Self::Network => "network",
            Self::Volume => "volume",
            Self::Proxy => "proxy",
            Self::Release => "release",
        }
    }

    /// The kind that a label's word names.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::App, Self::Service, Self::Network, Self::Volume, Self::Proxy, Self::Release]
            .into_iter()
            .find(|kind| kind.as_str() == word)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
