//! Finds things that would have one name, also by names that they will have only later. Names that differ only in
//! case are one, since DNS ignores case.

use super::Naming;
use super::Role;
use super::Workload;
use super::names::LABEL;
use crate::config::Problem;
use crate::docker::Kind;
use crate::name::Alias;
use crate::name::Network;
use crate::name::Owner;
use crate::name::Volume;
use std::collections::BTreeMap;
use std::ops::Range;

const WAY_OUT: &str = "give one of them another `id` or `name`";

/// Every name that is taken, and who has it.
#[derive(Debug, Default)]
pub(super) struct Collisions {
    /// Names of containers and qualified aliases of apps, without the number of a replica.
    containers: BTreeMap<String, Holder>,
    networks: BTreeMap<Network, Range<usize>>,
    volumes: BTreeMap<String, (String, Range<usize>)>,
    problems: Vec<Problem>,
}

/// Who has a name.
#[derive(Clone, Debug)]
struct Holder {
    workload: usize,
    what: String,
    place: Range<usize>,
    /// Whether the name may be followed by `-2`, `-3` and so on.
    counts: bool,
}

impl Collisions {
    /// Every name that the containers of a workload may ever have.
    pub(super) fn containers(&mut self, workload: &Workload, place: &Range<usize>, index: usize) {
        let is_app = workload.kind == Kind::App;
        let roles: &[Role] = if is_app {
            &[Role::Serving, Role::Incoming, Role::Previous]
        } else {
            &[Role::Serving, Role::Previous]
        };
        for role in roles {
            let name = workload.container(*role, 1).to_string();
            let what = format!("a container of {}", workload.stem);
            self.hold(name, Holder { workload: index, what, place: place.clone(), counts: is_app });
        }
        let longest = match (workload.naming, is_app) {
            (Naming::Plain, false) => "-previous",
            _ => "-previous-255",
        };
        let longest = format!("{}{longest}", workload.stem);
        let label = longest.rsplit('.').next().map_or(0, str::len);
        if label > LABEL || longest.len() > 253 {
            let problem = Problem::error(
                place.clone(),
                format!(
                    "container names like `{longest}` are too long for DNS: at most {LABEL} between dots, 253 in all"
                ),
            );
            self.problems.push(problem.hint("a shorter `id`, `name` or `network_isolation.network_prefix`"));
        }
    }

    /// The qualified alias of an app: one of a kind on the host.
    pub(super) fn app(&mut self, alias: &Alias, stem: &str, place: &Range<usize>, index: usize) {
        let what = format!("the alias of {stem}");
        self.hold(alias.to_string(), Holder { workload: index, what, place: place.clone(), counts: false });
    }

    /// A network's own name.
    pub(super) fn network(&mut self, name: &Network, place: &Range<usize>) {
        self.networks.insert(name.clone(), place.clone());
    }

    /// Two owners that would share a network without having asked for it.
    pub(super) fn networks(&mut self, name: &Network, first: &Owner, second: &Owner, place: &Range<usize>) {
        let problem = Problem::error(
            place.clone(),
            format!("`{first}` and `{second}` would share the network `{name}`"),
        )
        .also(self.networks[name].clone(), "also here")
        .hint("give one of them an `id` of its own; a group, if they are to share it");
        self.problems.push(problem);
    }

    /// A volume: whoever stands in one place may share it.
    pub(super) fn volume(&mut self, name: &Volume, owner: &str, place: &Range<usize>) {
        let key = name.as_str().to_ascii_lowercase();
        match self.volumes.get(&key) {
            Some((first, also)) if first != owner => {
                let message = format!("`{first}` and `{owner}` would share the volume `{name}`");
                let problem = Problem::error(place.clone(), message).also(also.clone(), "also here");
                self.problems.push(problem.hint("name one of the volumes otherwise in the config"));
            }
            Some(_) => {}
            None => {
                self.volumes.insert(key, (owner.to_owned(), place.clone()));
            }
        }
    }

    /// Everything found.
    pub(super) fn finish(mut self) -> Vec<Problem> {
        // `x-2` beside an `x` that counts its replicas
        for (name, holder) in &self.containers {
            let Some((stem, number)) = name.rsplit_once('-') else { continue };
            let is_number = number.parse::<u32>().is_ok_and(|n| n >= 2 && n.to_string() == number);
            if let (true, Some(counting)) = (is_number, self.containers.get(stem))
                && counting.counts
                && counting.workload != holder.workload
            {
                self.problems.push(collision(name, counting, holder));
            }
        }
        self.problems
    }

    fn hold(&mut self, name: String, holder: Holder) {
        let key = name.to_ascii_lowercase();
        match self.containers.get(&key) {
            Some(first) if first.workload != holder.workload => {
                let problem = collision(&name, first, &holder);
                // one pair of workloads collides in several names at once: the first tells enough
                if !self.problems.iter().any(|p| p.place == problem.place && p.also == problem.also) {
                    self.problems.push(problem);
                }
            }
            Some(_) => {}
            None => {
                self.containers.insert(key, holder);
            }
        }
    }
}

fn collision(name: &str, first: &Holder, second: &Holder) -> Problem {
    let message = format!("{} and {} would both be `{name}`", first.what, second.what);
    Problem::error(second.place.clone(), message).also(first.place.clone(), "also here").hint(WAY_OUT)
}
