//! The clock. Does not know what it is asked for.

use std::time::SystemTime;

/// The time now.
pub fn now() -> SystemTime {
    SystemTime::now()
}
