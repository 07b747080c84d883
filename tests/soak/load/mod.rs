//! gordon under load: a real proxy, a database that every request asks over a new connection, and nearly as many requests
//! as the machine can answer. Only one of these tests runs at a time.

mod app;
mod bench;
mod projects;
mod rollout;
mod traffic;

use std::sync::Mutex;
use std::sync::PoisonError;
use support::private_engine::on_private_engine;

/// Runs the body of `test` on a private engine, with no other load beside it.
#[track_caller]
fn alone<T: Copy>(test: T, body: fn()) {
    static LOAD: Mutex<()> = Mutex::new(());
    let _turn = LOAD.lock().unwrap_or_else(PoisonError::into_inner);
    on_private_engine(test, body);
}
