//! The edges: all that touches the world outside of the process. Does not know which subcommand wants it.
#![expect(clippy::disallowed_methods, reason = "this is where the world outside is touched")]

mod assignment;
pub mod clock;
pub mod docker;
pub mod files;
pub mod host;
pub mod interrupt;
pub mod lock;
pub mod observe;
mod process;
pub mod progress;
pub mod secrets;
pub mod terminal;
pub mod variables;
pub mod watched;
