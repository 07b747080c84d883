//! A switch of the config: `true` or `false`.

use serde::de::Deserialize;
use serde::de::Deserializer;
use serde::de::Error;
use serde::de::Visitor;
use std::fmt;

/// A switch of the config, in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Enabled {
    /// `true`.
    Yes,
    /// `false`.
    No,
}

impl<'de> Deserialize<'de> for Enabled {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct EnabledVisitor;

        impl Visitor<'_> for EnabledVisitor {
            type Value = Enabled;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("`true` or `false`")
            }

            fn visit_bool<E: Error>(self, value: bool) -> Result<Enabled, E> {
                Ok(if value { Enabled::Yes } else { Enabled::No })
            }
        }

        deserializer.deserialize_bool(EnabledVisitor)
    }
}
