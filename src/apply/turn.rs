//! Lets one thread at a time do something, for a limited time. Does not know what.

use std::sync::Condvar;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

/// Something that one has at a time.
#[derive(Debug, Default)]
pub(super) struct Turn {
    is_taken: Mutex<bool>,
    free: Condvar,
}

/// A thread's turn, until it is dropped.
#[derive(Debug)]
pub(super) struct Taken<'a> {
    turn: &'a Turn,
    /// Whether it came in turn, and is to be passed on.
    is_proper: bool,
}

impl Turn {
    /// Waits until it is the caller's turn; after `patience` it is, since the holder may be stuck.
    pub(super) fn take(&self, patience: Duration) -> Taken<'_> {
        let is_taken = self.is_taken.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.free.wait_timeout_while(is_taken, patience, |is_taken| *is_taken);
        let (mut is_taken, waited) = waited.unwrap_or_else(PoisonError::into_inner);
        *is_taken = true;
        Taken { turn: self, is_proper: !waited.timed_out() }
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        if self.is_proper {
            *self.turn.is_taken.lock().unwrap_or_else(PoisonError::into_inner) = false;
            self.turn.free.notify_one();
        }
    }
}
