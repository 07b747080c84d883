//! Ctrl-C and its kin. Does not know what is to be left when they come.

use signal_hook::consts::SIGHUP;
use signal_hook::consts::SIGINT;
use signal_hook::consts::SIGTERM;
use signal_hook::flag;
use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

/// The exit status of a process that Ctrl-C ended: 128 and the number of the signal.
const ENDED: i32 = 128 + SIGINT;

/// Ctrl-C, `SIGTERM` and `SIGHUP`: each ends this process at once, but for the time of [`Interrupt::during`].
#[derive(Debug)]
pub struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// From here on signals are heard.
    ///
    /// # Errors
    /// When the system does not let the process listen.
    pub fn listen() -> io::Result<Self> {
        let is_heard = Arc::new(AtomicBool::new(true));
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            // this order: the first signal finds the flag unset, and sets it
            flag::register_conditional_shutdown(signal, ENDED, Arc::clone(&is_heard))?;
            flag::register(signal, Arc::clone(&is_heard))?;
        }
        Ok(Self(is_heard))
    }

    /// Does `work`, in which a first signal only sets the flag that it is given, for a tidy end; a second one ends the
    /// process at once.
    pub fn during<T>(&self, work: impl FnOnce(&AtomicBool) -> T) -> T {
        self.0.store(false, Ordering::Relaxed);
        let done = work(&self.0);
        self.0.store(true, Ordering::Relaxed);
        done
    }
}
