//! When images are pulled.

use serde::Deserialize;

/// When an image is pulled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Pull {
    /// When it is not on the host.
    #[default]
    Missing,
    /// Before every plan.
    Always,
    /// Never: it is on the host, or it is an error.
    Never,
}
