//! What the tests share that need an engine or run gordon as people do. Does not know what is tested.
#![expect(
    clippy::disallowed_methods,
    reason = "tests run gordon and docker, look at files, and know the time"
)]
#![expect(missing_docs, reason = "its items say what they are")]

pub mod lab;
pub mod neighbour;
pub mod private_engine;
pub mod tally;

mod own;
mod process;
mod project;
mod resolver;
mod theirs;

pub use own::free_port;
pub use own::label;
pub use own::own;
pub use process::Run;
pub use process::ask;
pub use process::docker;
pub use process::eventually;
pub use process::inside;
pub use process::run;
pub use project::Project;
pub use theirs::Theirs;
