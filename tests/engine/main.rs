//! gordon on a real Docker Engine: real images, real databases, real packets. `scripts/engine` and `scripts/images`
//! make ready what these tests need.
#![expect(clippy::disallowed_methods, reason = "tests run gordon and docker, and look at files")]

mod change;
mod data;
mod drift;
mod executor;
mod facts;
mod isolation;
mod killed;
mod lock;
mod observe;
mod others;
mod proxy;
mod release;
mod rollout;
mod routes;
mod scenarios;
mod secrets;
mod settings;
mod status;
mod sys_lock;
