//! What a person asks for on the command line, beside the config.

use std::collections::BTreeSet;

/// What a person asks for on the command line, beside the config.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Containers to recreate even if nothing about them changed.
    pub recreate: BTreeSet<String>,
    /// Whether this config replaces another one of the same project name.
    pub replace: bool,
    /// Whether to plan for an empty host, because the real one is unknown.
    pub offline: bool,
    /// Volumes that containers may leave behind with their data.
    pub leave_data: BTreeSet<String>,
}
