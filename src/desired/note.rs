//! What a person should know of a config before anything is planned.

use crate::name::Alias;
use crate::name::Container;
use crate::name::Image;
use std::collections::BTreeMap;
use std::fmt;

/// What a person should know of a config before anything is planned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// What an image declares is not known, so a part of the plan may change once it is.
    ImageUnknown {
        /// The image.
        image: Image,
        /// The containers that are made of it.
        containers: Vec<Container>,
    },
    /// Where apps listen is taken for granted.
    PortAssumed {
        /// The apps' containers.
        containers: Vec<Container>,
        /// The port.
        port: u16,
    },
    /// Changes of files that are mounted are not seen, and why not, by their paths.
    NotWatched(BTreeMap<String, String>),
    /// The proxy does not reach these, so others ask them whether they are ready.
    AskedBeside {
        /// The image of the containers that ask.
        image: Image,
        /// The containers that are asked.
        containers: Vec<Container>,
    },
    /// A derived short name would mean several things, so those that would have it go without.
    AliasLeftOut {
        /// The name.
        alias: Alias,
        /// Those that go without.
        containers: Vec<Container>,
    },
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ImageUnknown { image, containers } => write!(
                f,
                "what `{image}` declares (VOLUME, EXPOSE, HEALTHCHECK) is not known yet: the plan for {} may grow",
                list(containers)
            ),
            Self::PortAssumed { containers, port } => write!(
                f,
                "neither a `port` nor an image says where these listen, so it is taken to be {port}: {}",
                list(containers)
            ),
            Self::NotWatched(paths) => {
                let paths: Vec<String> = paths.iter().map(|(path, why)| format!("{path} ({why})")).collect();
                write!(f, "changes of files in these are not seen: {}", paths.join(", "))
            }
            Self::AskedBeside { image, containers } => write!(
                f,
                "gordon's proxy does not reach these, so a container of `{image}` asks for their `path`: {}",
                list(containers)
            ),
            Self::AliasLeftOut { alias, containers } => {
                let verb = if containers.len() == 1 { "does" } else { "do" };
                write!(f, "`{alias}` would mean several things: {} {verb} not answer to it", list(containers))
            }
        }
    }
}

fn list(containers: &[Container]) -> String {
    containers.iter().map(Container::as_str).collect::<Vec<_>>().join(", ")
}
