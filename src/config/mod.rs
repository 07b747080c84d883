//! Configs: one schema, two syntaxes, all problems at once. Does not touch the disk, and does not know the host.

mod problem;
mod schema;
mod value;

pub use problem::{Problem, Severity, collision};
pub use schema::*;
pub use value::*;
