//! Which points of a long row of faults a run takes.

use std::env;

/// Of how many points a sample has one.
const ONE_IN: usize = 4;

/// All the points, or with `GORDON_TEST_SEED=N` one in four of them: which ones, the next N moves on.
pub fn sample<T>(points: impl IntoIterator<Item = T>) -> impl Iterator<Item = T> {
    let seed = env::var("GORDON_TEST_SEED").ok();
    let first = seed.map(|seed| seed.parse::<usize>().expect("GORDON_TEST_SEED is a number") % ONE_IN);
    points
        .into_iter()
        .enumerate()
        .filter(move |(i, _)| first.is_none_or(|first| i % ONE_IN == first))
        .map(|(_, point)| point)
}
