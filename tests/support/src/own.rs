//! Names and ports that are free on this machine, of other runs of these tests too.

use std::hash::BuildHasher;
use std::hash::RandomState;
use std::net::TcpListener;
use std::process;
use std::sync::LazyLock;

/// What the names of this run begin with.
static PREFIX: LazyLock<String> = LazyLock::new(|| {
    let random = RandomState::new().hash_one(process::id());
    format!("gtest-{:04x}", random % 0x1_0000)
});

/// The name of a project, and of what it has on the engine, with that of this run before it. It lives as long as the run.
pub fn own(name: &str) -> &'static str {
    format!("{}-{name}", *PREFIX).leak()
}

/// The label of what this run makes that no project has.
pub fn label() -> String {
    format!("gordon.test={}", *PREFIX)
}

/// A port of this host that is free.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port is free");
    listener.local_addr().expect("it is bound").port()
}
