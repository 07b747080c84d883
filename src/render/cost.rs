//! What a plan costs: what each change costs the users of the thing, and all of them together.

use super::block::Action;
use super::block::Block;
use super::block::Thing;
use crate::docker::Op;
use crate::name::Volume;
use crate::plan::Plan;
use crate::plan::Reason;
use crate::plan::Risk;
use crate::plan::Step;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fmt::Display;
use std::time::Duration;

/// What a change costs the users of the thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Impact {
    /// Not a request is lost.
    Rolled {
        /// How long the old container goes on answering.
        drains: Option<Duration>,
    },
    /// It pauses for a moment, and no connection ends.
    Paused,
    /// It does not serve for a while.
    Interrupted {
        /// Until it is ready, at most for so long.
        limit: Option<Duration>,
        /// Whether the old container comes back when the new one fails.
        falls_back: bool,
    },
    /// It is removed, and has no data.
    Removed,
    /// A container that runs is stopped and removed.
    Stopped,
    /// A volume is removed.
    DataRemoved,
}

impl Impact {
    /// Whether it interrupts or removes something.
    pub(super) fn hurts(&self) -> bool {
        matches!(self, Self::Interrupted { .. } | Self::Stopped | Self::DataRemoved)
    }
}

impl Display for Impact {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let time = |time: &Duration| humantime::format_duration(*time);
        match self {
            Self::Rolled { drains: None } => f.write_str("rolled out"),
            Self::Rolled { drains: Some(drains) } => write!(f, "rolled out, drains up to {}", time(drains)),
            Self::Paused => f.write_str("paused for 0.3 s"),
            Self::Interrupted { limit, falls_back } => {
                f.write_str("INTERRUPTED")?;
                match limit {
                    Some(limit) => write!(f, " until ready (≤ {})", time(limit))?,
                    None => f.write_str(" until ready")?,
                }
                f.write_str(if *falls_back { "; the old one comes back if it fails" } else { "" })
            }
            Self::Removed => f.write_str("removed"),
            Self::Stopped => f.write_str("STOPPED and removed"),
            Self::DataRemoved => f.write_str("REMOVED WITH ITS DATA"),
        }
    }
}

/// What a plan costs in all.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Cost<'a> {
    pub(super) steps: usize,
    /// The things that do not serve for a while.
    pub(super) interrupted: Vec<String>,
    /// The containers that run, and are stopped and removed.
    pub(super) stopped: Vec<String>,
    /// The things that are paused for a moment.
    pub(super) paused: Vec<String>,
    /// How many things of each kind are removed for good; volumes are not counted here.
    pub(super) removed: BTreeMap<Thing, usize>,
    /// The apps that lose the release that was kept for a rollback.
    pub(super) kept_removed: Vec<String>,
    /// The volumes that are removed.
    pub(super) data_removed: Vec<&'a str>,
    /// The volumes that nothing mounts any more.
    pub(super) data_left: BTreeSet<&'a Volume>,
}

impl Cost<'_> {
    /// Whether anything stops serving, or data are removed or left behind.
    pub(super) fn hurts(&self) -> bool {
        let Self { interrupted, stopped, data_removed, data_left, .. } = self;
        let names = [interrupted.len(), stopped.len(), data_removed.len(), data_left.len()];
        names.iter().any(|count| *count > 0)
    }
}

impl Display for Cost<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut parts = Vec::new();
        if !self.interrupted.is_empty() {
            parts.push(format!("INTERRUPTED: {}", few(&self.interrupted)));
        }
        if !self.stopped.is_empty() {
            parts.push(format!("STOPPED: {}", few(&self.stopped)));
        }
        if !self.paused.is_empty() {
            parts.push(format!("paused for 0.3 s: {}", few(&self.paused)));
        }
        if !self.removed.is_empty() {
            let counts = self.removed.iter().map(|(thing, number)| match thing {
                Thing::Routes => "routes".to_owned(),
                thing => count(*number, thing.as_str()),
            });
            parts.push(format!("removes {}", counts.collect::<Vec<_>>().join(", ")));
        }
        if !self.kept_removed.is_empty() {
            parts.push(format!("removes the release kept for a rollback: {}", few(&self.kept_removed)));
        }
        if !self.data_removed.is_empty() {
            parts.push(match &self.data_removed[..] {
                [volume] => format!("REMOVED WITH ITS DATA: volume {volume}"),
                volumes => format!("REMOVED WITH THEIR DATA: volumes {}", few(volumes)),
            });
        }
        if !self.data_left.is_empty() {
            let volumes: Vec<_> = self.data_left.iter().collect();
            parts.push(format!("DATA LEFT BEHIND: {}", few(&volumes)));
        }
        let removes = [self.removed.len(), self.kept_removed.len(), self.data_removed.len()]
            .iter()
            .any(|count| *count > 0);
        match (self.interrupted.is_empty() && self.stopped.is_empty(), removes) {
            (true, false) => parts.push("nothing is interrupted, nothing is removed".to_owned()),
            (true, true) => parts.push("nothing is interrupted".to_owned()),
            (false, false) => parts.push("nothing is removed".to_owned()),
            (false, true) => {}
        }
        write!(f, "{}; {}", count(self.steps, "step"), parts.join("; "))
    }
}

/// A number of things, as in `1 step` or `2 steps`.
fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

/// The first of many names.
fn few<T: Display>(names: &[T]) -> String {
    const FEW: usize = 5;
    let mut text = names.iter().take(FEW).map(ToString::to_string).collect::<Vec<_>>().join(", ");
    if names.len() > FEW {
        text.push_str(&format!(" and {} more", names.len() - FEW));
    }
    text
}

/// What a block costs the users of the thing.
pub(super) fn impact(block: &Block<'_>) -> Option<Impact> {
    let has = |risk| block.steps.iter().any(|step| step.risk == risk);
    let find = |what: &dyn Fn(&Op) -> Option<Duration>| block.steps.iter().find_map(|step| what(&step.op));
    match block.action {
        Action::Remove if block.thing == Thing::Volume => Some(Impact::DataRemoved),
        Action::Remove if has(Risk::Interrupts) => Some(Impact::Stopped),
        Action::Remove => Some(Impact::Removed),
        _ if has(Risk::Interrupts) => Some(Impact::Interrupted {
            limit: find(&|op| match op {
                Op::Await(wait) => wait.limit(),
                _ => None,
            }),
            falls_back: block.steps.iter().any(|step| falls_back(step)),
        }),
        _ if has(Risk::Pauses) => Some(Impact::Paused),
        Action::Replace => Some(Impact::Rolled { drains: None }),
        _ => None,
    }
}

/// Whether the container that served comes back when the new one does not come up.
fn falls_back(step: &Step) -> bool {
    matches!(step.op, Op::Await(_)) && step.undo.iter().any(|op| matches!(op, Op::Rename { .. }))
}

/// What `plan` costs in all; things are named as people know them.
pub(super) fn cost<'a>(
    plan: &'a Plan,
    blocks: &[Block<'a>],
    short_names: &BTreeMap<&'a str, &'a str>,
) -> Cost<'a> {
    let mut cost = Cost { steps: plan.steps().len(), ..Cost::default() };
    let add = |names: &mut Vec<String>, block: &Block<'a>| {
        let name = short_names.get(block.name).copied().unwrap_or(block.name).to_owned();
        if !names.contains(&name) {
            names.push(name);
        }
    };
    for block in blocks {
        if removes_kept(block) {
            add(&mut cost.kept_removed, block);
        }
        match impact(block) {
            Some(Impact::Interrupted { .. }) => add(&mut cost.interrupted, block),
            Some(Impact::Paused) => add(&mut cost.paused, block),
            Some(Impact::DataRemoved) => cost.data_removed.push(block.name),
            Some(impact @ (Impact::Removed | Impact::Stopped)) => {
                if impact == Impact::Stopped {
                    add(&mut cost.stopped, block);
                }
                *cost.removed.entry(block.thing).or_default() += 1;
            }
            Some(Impact::Rolled { .. }) | None => {}
        }
    }
    cost.data_left.extend(plan.left_data.iter().map(|left| &left.volume));
    cost
}

/// Whether a block removes, beside what else it does, the release from before the one that serves.
pub(super) fn removes_kept(block: &Block<'_>) -> bool {
    let removes = |step: &&Step| matches!(step.op, Op::Remove { .. }) && step.reason == Reason::Older;
    block.action != Action::Remove && block.steps.iter().any(removes)
}
