//! What a person asks for beside the config.

use std::collections::BTreeSet;

/// What a person asks for beside the config.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Containers that are made anew though nothing about them changed.
    pub recreate: BTreeSet<String>,
    /// This config takes the place of another one of the same name.
    pub replace: bool,
    /// Nothing is known of the host: the plan is for an empty one.
    pub offline: bool,
    /// Volumes that containers may leave behind with their data.
    pub leave_data: BTreeSet<String>,
}
