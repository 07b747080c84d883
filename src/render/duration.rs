//! How long something took, for people.

use std::time::Duration;

/// A duration for people: `41 ms`, `4.2 s`, `3 min 5 s`. Anything takes a millisecond at least.
pub fn duration(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    if seconds < 0.9995 {
        format!("{:.0} ms", (seconds * 1000.0).max(1.0))
    } else if seconds < 59.95 {
        format!("{seconds:.1} s")
    } else {
        let seconds = seconds.round() as u64;
        format!("{} min {} s", seconds / 60, seconds % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_in_the_unit_in_which_people_say_it() {
        for (millis, told) in [
            (0, "1 ms"),
            (41, "41 ms"),
            (999, "999 ms"),
            (1000, "1.0 s"),
            (59_949, "59.9 s"),
            (59_950, "1 min 0 s"),
            (185_000, "3 min 5 s"),
        ] {
            assert_eq!(duration(Duration::from_millis(millis)), told);
        }
    }
}
