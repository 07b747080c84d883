//! The proxy, which is one for all projects of a host.

use crate::process::docker;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;

/// The proxy, for one test at a time; nothing of it is there before and after.
pub struct ProxyTurn(#[expect(dead_code, reason = "it is held")] MutexGuard<'static, ()>);

static PROXY: Mutex<()> = Mutex::new(());

impl ProxyTurn {
    /// Waits until no other test has the proxy.
    pub fn take() -> Self {
        let turn = Self(PROXY.lock().unwrap_or_else(PoisonError::into_inner));
        Self::clean();
        turn
    }

    fn clean() {
        docker(["rm", "--force", "gordon-proxy", "gordon-proxy-previous", "gordon-lock-gordon-proxy"]);
        docker(["network", "rm", "0-gordon-proxy"]);
        docker(["volume", "rm", "gordon-proxy-data", "gordon-proxy-config"]);
    }
}

impl Drop for ProxyTurn {
    fn drop(&mut self) {
        Self::clean();
    }
}
