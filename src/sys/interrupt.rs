//! Ctrl-C and its kin. Does not know what is to be left when they come.

use signal_hook::consts::SIGHUP;
use signal_hook::consts::SIGINT;
use signal_hook::consts::SIGTERM;
use signal_hook::flag;
use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// The exit status of a process that its second Ctrl-C ended: 128 and the number of the signal.
const ENDED: i32 = 128 + SIGINT;

/// A flag that the first Ctrl-C sets, for a tidy end; from then on a second one ends the process at once. So do
/// `SIGTERM` and `SIGHUP`.
///
/// # Errors
/// When the system does not let the process listen.
pub fn listen() -> io::Result<Arc<AtomicBool>> {
    let interrupt = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        // this order: the first signal finds the flag unset, and sets it
        flag::register_conditional_shutdown(signal, ENDED, Arc::clone(&interrupt))?;
        flag::register(signal, Arc::clone(&interrupt))?;
    }
    Ok(interrupt)
}
