//! gordon under load: a real proxy, a database that every request asks over a new connection, and nearly as many requests
//! as the machine can answer. Only one of these tests runs at a time, and nothing else on the engine beside it.
#![expect(clippy::disallowed_methods, reason = "tests run gordon and docker, and know the time")]

#[path = "../engine/neighbour.rs"]
mod neighbour;
#[path = "../engine/support.rs"]
#[expect(dead_code, reason = "other tests use the rest of it")]
mod support;
#[path = "../engine/tally.rs"]
mod tally;
mod traffic;

mod app;
mod bench;
mod projects;
mod rollout;
