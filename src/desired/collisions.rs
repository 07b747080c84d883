//! Finds things that would have one name, also by names that they will have only later. Volumes that differ only in
//! case are one; all other names are lower case.

use super::Workload;
use super::names::LABEL;
use crate::config::Problem;
use crate::name::Alias;
use crate::name::Container;
use crate::name::Image;
use crate::name::Network;
use crate::name::Owner;
use crate::name::Volume;
use crate::spec::Kind;
use crate::spec::Role;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::ops::Range;
use std::sync::Arc;

const WAY_OUT: &str = "give one of them another `id` or `name`";

/// Every name that is taken, and who has it.
#[derive(Debug, Default)]
pub(super) struct Collisions {
    /// Names of containers, without the number of a replica, and qualified aliases of apps.
    containers: BTreeMap<Container, Holder>,
    networks: BTreeMap<Network, Range<usize>>,
    volumes: BTreeMap<String, (String, Range<usize>)>,
    platforms: BTreeMap<Image, (String, Range<usize>)>,
    problems: Vec<Problem>,
}

/// Who has a name.
#[derive(Clone, Debug)]
struct Holder {
    /// What its workload's names begin with: one of a kind, but for collisions.
    base_name: Arc<str>,
    owner: Owner,
    place: Range<usize>,
    what: What,
}

/// What a name is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    /// A container of an app, whose replicas are called `-2`, `-3` and so on.
    Replicas,
    /// A container of a service.
    Service,
    /// The qualified alias of an app.
    Alias,
}

impl Holder {
    fn describe(&self) -> String {
        let Self { base_name, owner, what, .. } = self;
        match what {
            What::Replicas | What::Service => format!("a container of {base_name} (of `{owner}`)"),
            What::Alias => format!("the alias of {base_name} (of `{owner}`)"),
        }
    }

    fn is_same(&self, other: &Self) -> bool {
        self.base_name == other.base_name && self.place == other.place
    }
}

impl Collisions {
    /// The platform of a workload's image: docker has one image of a name.
    pub(super) fn platform(&mut self, workload: &Workload, place: &Range<usize>) {
        let Some(platform) = workload.platform() else { return };
        let new = (platform.to_owned(), place.clone());
        let (first, there) = self.platforms.entry(workload.image.clone()).or_insert(new);
        if first != platform {
            let message =
                format!("`{}` is for `{platform}` here and for `{first}` elsewhere", workload.image);
            self.problems.push(
                Problem::error(place.clone(), message)
                    .also(there.clone(), "here")
                    .hint("docker has one image of a name: give them different tags, or the same `platform`"),
            );
        }
    }

    /// Every name that the containers of a workload may ever have.
    pub(super) fn containers(&mut self, workload: &Workload, place: &Range<usize>) {
        let is_app = workload.kind == Kind::App;
        let is_used = |role: &Role| match role {
            Role::Serving | Role::Previous => true,
            Role::Incoming => is_app,
            Role::Release => workload.release.is_some(),
        };
        let roles = [Role::Serving, Role::Incoming, Role::Previous, Role::Release];
        let what = if is_app { What::Replicas } else { What::Service };
        let owner = workload.owner.clone();
        let holder =
            Holder { base_name: workload.base_name.as_str().into(), owner, place: place.clone(), what };
        for role in roles.into_iter().filter(is_used) {
            self.hold(workload.container(role, 1), holder.clone());
        }
        let longest = if is_app { "-previous-255" } else { "-previous" };
        let label = workload.base_name.rsplit('.').next().map_or(0, str::len) + longest.len();
        // docker answers to `CONTAINER.NETWORK`
        let network = workload.attachments.iter().map(|a| a.network.as_str().len() + 1).max().unwrap_or(0);
        if label > LABEL || workload.base_name.len() + longest.len() + network > 253 {
            let message = format!(
                "container names like `{}{longest}` are too long for DNS: at most {LABEL} between dots, 253 in all with the network's",
                workload.base_name
            );
            let problem = Problem::error(place.clone(), message);
            self.problems.push(problem.hint("a shorter `id`, `name` or `network_isolation.network_prefix`"));
        }
    }

    /// The qualified alias of an app: one of a kind on the host.
    pub(super) fn app(&mut self, alias: &Alias, base_name: &str, owner: Owner, place: &Range<usize>) {
        let Ok(name) = Container::parse(alias.as_str()) else {
            return; // what no container can be called collides with none
        };
        self.hold(
            name,
            Holder { base_name: base_name.into(), owner, place: place.clone(), what: What::Alias },
        );
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

    /// A volume, and in words whose it is: the same may share it.
    pub(super) fn volume(&mut self, name: &Volume, whose: &str, place: &Range<usize>) {
        let key = name.as_str().to_ascii_lowercase();
        match self.volumes.get(&key) {
            Some((first, also)) if first != whose => {
                let message = format!("{first} and {whose} would share the volume `{name}`");
                let problem = Problem::error(place.clone(), message).also(also.clone(), "also here");
                self.problems.push(problem.hint("name one of the volumes otherwise in the config"));
            }
            Some(_) => {}
            None => {
                self.volumes.insert(key, (whose.to_owned(), place.clone()));
            }
        }
    }

    /// Everything found.
    pub(super) fn finish(mut self) -> Vec<Problem> {
        // `x-2` beside an `x` that counts its replicas
        for (name, holder) in &self.containers {
            let Some((base_name, number)) = name.as_str().rsplit_once('-') else { continue };
            if !number.parse::<u32>().is_ok_and(|n| n >= 2 && n.to_string() == number) {
                continue;
            }
            let counting =
                Container::parse(base_name).ok().and_then(|base_name| self.containers.get(&base_name));
            if let Some(counting) = counting.filter(|c| c.what == What::Replicas && !c.is_same(holder)) {
                self.problems.push(collision(name, counting, holder));
            }
        }
        self.problems
    }

    fn hold(&mut self, name: Container, holder: Holder) {
        match self.containers.entry(name) {
            Entry::Occupied(first) if !first.get().is_same(&holder) => {
                let problem = collision(first.key(), first.get(), &holder);
                // one pair of workloads collides in several names at once: the first tells enough
                if !self.problems.iter().any(|p| p.place == problem.place && p.also == problem.also) {
                    self.problems.push(problem);
                }
            }
            Entry::Occupied(_) => {}
            Entry::Vacant(free) => drop(free.insert(holder)),
        }
    }
}

fn collision(name: &Container, first: &Holder, second: &Holder) -> Problem {
    let message = format!("{} and {} would both be `{name}`", first.describe(), second.describe());
    Problem::error(second.place.clone(), message).also(first.place.clone(), "also here").hint(WAY_OUT)
}
