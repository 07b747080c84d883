//! The edges: all that touches the world outside of the process. Does not know which subcommand wants it.

pub mod progress;
pub mod terminal;
