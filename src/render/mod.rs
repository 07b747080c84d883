//! A plan as text: for people, as a POSIX script, as JSON; what a host has already, and the routes of hosts. Every renderer is a pure function;
//! none knows how a plan is made or carried out.

pub mod json;
pub mod routes;
pub mod sh;
pub mod status;
pub mod text;

mod block;
mod container;
mod cost;
mod duration;
mod overview;
mod prelude;
mod served;
mod shown;
mod words;

pub use duration::duration;
pub use served::served;
pub use shown::Text;
pub use words::command_line;

#[cfg(test)]
mod sample;
