//! Which names a workload answers to: for each workload, over all its networks, a short name means one thing.

use super::Workload;
use crate::config::Problem;
use crate::name::Alias;
use crate::name::Network;
use crate::spec::PROXY;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::ops::Range;

/// The names that a workload would like to answer to.
#[derive(Debug)]
pub(super) struct Names {
    /// The workload's place in the config.
    pub(super) place: Range<usize>,
    /// Short names that the config gives it.
    pub(super) declared: Vec<Alias>,
    /// Short names that are made of others, and that it goes without when another would have them too.
    pub(super) derived: Vec<Alias>,
    /// The name that no other workload has.
    pub(super) qualified: Alias,
}

/// The names of all workloads, in their order.
#[derive(Debug, Default)]
pub(super) struct Aliases(Vec<Names>);

/// How firmly a workload holds a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Hold {
    Derived,
    Declared,
    /// The name of its container, or its qualified alias.
    Fixed,
}

impl Aliases {
    /// Adds the names of the next workload. The proxy's own name, by which it is known on every network that it joins, is left
    /// out where it is derived, and a problem where it is declared.
    pub(super) fn add(&mut self, mut names: Names, problems: &mut Vec<Problem>) {
        let is_proxy = |alias: &Alias| alias.as_str().eq_ignore_ascii_case(PROXY);
        if names.declared.iter().any(is_proxy) {
            let message = format!("`{PROXY}` is the name of the proxy, and on its networks too");
            problems.push(Problem::error(names.place.clone(), message).hint("choose another name"));
        }
        names.derived.retain(|alias| !is_proxy(alias));
        self.0.push(names);
    }

    /// Gives each workload its aliases. Derived names that would mean two things are left out: those, with the
    /// workloads that would have had them, are returned. Declared ones are problems.
    pub(super) fn settle(
        self,
        workloads: &mut [Workload],
        problems: &mut Vec<Problem>,
    ) -> Vec<(Alias, Vec<usize>)> {
        let mut seen_in: BTreeMap<&Network, Vec<usize>> = BTreeMap::new();
        for (i, workload) in workloads.iter().enumerate() {
            for attachment in &workload.attachments {
                seen_in.entry(&attachment.network).or_default().push(i);
            }
        }
        let mut meetings = Meetings::default();
        for neighbours in seen_in.values() {
            meetings.find(&self.0, workloads, neighbours.iter().copied());
        }
        for workload in workloads.iter().filter(|workload| workload.attachments.len() > 1) {
            let around =
                workload.attachments.iter().flat_map(|attachment| &seen_in[&attachment.network]).copied();
            meetings.find(&self.0, workloads, around.collect::<BTreeSet<_>>());
        }
        for ((first, second), name) in &meetings.clashes {
            problems.push(self.problem(workloads, *first, *second, name));
        }
        let left_out = meetings.left_out;
        for (i, (workload, names)) in workloads.iter_mut().zip(&self.0).enumerate() {
            let derived = names
                .derived
                .iter()
                .filter(|alias| !left_out.get(*alias).is_some_and(|who| who.contains(&i)));
            let mut aliases: Vec<Alias> = Vec::new();
            for alias in names.declared.iter().chain(derived).chain([&names.qualified]) {
                if !aliases.contains(alias) {
                    aliases.push(alias.clone());
                }
            }
            for attachment in &mut workload.attachments {
                attachment.aliases.clone_from(&aliases);
            }
        }
        left_out.into_iter().map(|(alias, who)| (alias, who.into_iter().collect())).collect()
    }

    fn problem(&self, workloads: &[Workload], first: usize, second: usize, name: &str) -> Problem {
        let (one, other) = (&workloads[first], &workloads[second]);
        let message = format!(
            "`{name}` would mean two things to the same app: {} of {} and {} of {}",
            one.name(),
            one.owner,
            other.name(),
            other.owner
        );
        Problem::error(self.0[second].place.clone(), message)
            .also(self.0[first].place.clone(), "also here")
            .hint("give one of them another `name` or `id`")
    }
}

/// Names that several workloads would have within one workload's sight.
#[derive(Default)]
struct Meetings {
    /// Two that cannot go without the name.
    clashes: BTreeMap<(usize, usize), String>,
    /// Derived names that are left out, and for whom.
    left_out: BTreeMap<Alias, BTreeSet<usize>>,
}

impl Meetings {
    fn find(&mut self, names: &[Names], workloads: &[Workload], around: impl IntoIterator<Item = usize>) {
        let mut holders: Vec<(String, usize, Hold)> = Vec::new();
        for i in around {
            let Names { declared, derived, qualified, .. } = &names[i];
            let short = derived.iter().map(|alias| (alias.as_str(), Hold::Derived));
            let short = short.chain(declared.iter().map(|alias| (alias.as_str(), Hold::Declared)));
            let container = workloads[i].name();
            let fixed = [qualified.as_str(), container.as_str()].map(|name| (name, Hold::Fixed));
            holders.extend(short.chain(fixed).map(|(name, hold)| (name.to_ascii_lowercase(), i, hold)));
        }
        holders.sort();
        for held in holders.chunk_by(|(one, ..), (other, ..)| one == other) {
            let ((name, first, _), (_, last, _)) = (&held[0], &held[held.len() - 1]);
            if first == last {
                continue;
            }
            // of what one workload holds twice the last counts, which is the firmest
            let who: BTreeMap<usize, Hold> = held.iter().map(|(_, i, hold)| (*i, *hold)).collect();
            let derived = who.iter().filter(|(_, hold)| **hold == Hold::Derived).map(|(i, _)| *i);
            let derived: BTreeSet<usize> = derived.collect();
            let firm: Vec<usize> = who.keys().filter(|i| !derived.contains(i)).copied().collect();
            // two declared names that are equal are found in the config; two fixed ones are a collision of containers
            let has = |wanted| who.values().any(|hold| *hold == wanted);
            if let (true, true, [first, second, ..]) =
                (has(Hold::Declared), has(Hold::Fixed), firm.as_slice())
            {
                self.clashes.entry((*first, *second)).or_insert_with(|| name.clone());
            }
            if !derived.is_empty() {
                let alias = Alias::parse(name).expect("a derived name is an alias");
                self.left_out.entry(alias).or_default().extend(derived);
            }
        }
    }
}
