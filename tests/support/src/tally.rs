//! What became of many requests.

use std::collections::BTreeMap;
use std::fmt;
use std::iter::Sum;

/// How many kinds of losses are counted.
const KINDS: usize = 20;

/// How the lines of an answer begin that say who gave it.
const SIGNS: [&str; 4] = ["image: ", "version: ", "hostname: ", "body: "];

/// Requests, counted: all that were sent, and those that were lost, by what went wrong.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    pub asked: u64,
    pub losses: BTreeMap<String, u64>,
    /// The lines of answers that say who gave them (`version: 1`), and how many there were of each.
    pub seen: BTreeMap<String, u64>,
}

impl Tally {
    /// More requests were lost.
    pub fn lose(&mut self, why: &str, count: u64) {
        let is_new = !self.losses.contains_key(why);
        let why = if is_new && self.losses.len() >= KINDS { "and others" } else { why };
        *self.losses.entry(why.to_owned()).or_default() += count;
    }

    /// More answers arrived.
    pub fn see(&mut self, body: &str, count: u64) {
        let is_sign = |line: &&str| SIGNS.iter().any(|sign| line.starts_with(sign));
        for line in body.lines().filter(is_sign) {
            *self.seen.entry(line.to_owned()).or_default() += count;
        }
    }

    /// How many were lost.
    pub fn lost(&self) -> u64 {
        self.losses.values().sum()
    }

    /// What the answers said after `sign`, each once.
    pub fn said(&self, sign: &str) -> Vec<&str> {
        self.seen.keys().filter_map(|line| line.strip_prefix(sign)).collect()
    }
}

impl Sum for Tally {
    fn sum<I: Iterator<Item = Self>>(tallies: I) -> Self {
        tallies.fold(Self::default(), |mut sum, tally| {
            sum.asked += tally.asked;
            tally.losses.iter().for_each(|(why, count)| sum.lose(why, *count));
            tally.seen.iter().for_each(|(line, count)| sum.see(line, *count));
            sum
        })
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} lost", self.lost(), self.asked)?;
        for (why, count) in &self.losses {
            write!(f, "\n  {count} × {why}")?;
        }
        Ok(())
    }
}
