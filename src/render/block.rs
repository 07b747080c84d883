//! Steps that belong together in a reader's eyes: all that is done to one thing. Does not know how they are shown.

use crate::docker::Deed;
use crate::docker::Op;
use crate::docker::Subject;
use crate::name::Container;
use crate::plan::Plan;
use crate::plan::Reason;
use crate::plan::Risk;
use crate::plan::Step;
use serde::Serialize;
use std::collections::BTreeMap;

/// All that a plan does to one thing.
pub(super) struct Block<'a> {
    pub(super) owner: &'a str,
    pub(super) thing: Thing,
    /// The thing's name; of a container that is replaced, the one that serves.
    pub(super) name: &'a str,
    pub(super) action: Action,
    /// In the plan's order; never empty.
    pub(super) steps: Vec<&'a Step>,
}

/// What a step is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "Kind"))]
pub(super) enum Thing {
    Image,
    Network,
    Volume,
    Container,
    Routes,
}

/// What becomes of a thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) enum Action {
    Pull,
    Check,
    Create,
    Update,
    Replace,
    Remove,
    Wait,
}

impl Thing {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Network => "network",
            Self::Volume => "volume",
            Self::Container => "container",
            Self::Routes => "routes",
        }
    }
}

impl Block<'_> {
    /// The worst that it costs.
    pub(super) fn risk(&self) -> Risk {
        let has = |risk| self.steps.iter().any(|step| step.risk == risk);
        let worst = match self.action {
            // that it is gone in the end says more than that it stops on the way
            Action::Remove => [Risk::Removes, Risk::Interrupts, Risk::Pauses],
            _ => [Risk::Interrupts, Risk::Pauses, Risk::Removes],
        };
        worst.into_iter().find(|risk| has(*risk)).unwrap_or(Risk::None)
    }
}

/// The steps of a plan by the thing that they are about, in the order of the first step of each.
pub(super) fn blocks(plan: &Plan) -> Vec<Block<'_>> {
    let (places, all) = places(plan);
    let mut blocks: Vec<Block<'_>> = Vec::with_capacity(all.len());
    for (step, place) in plan.steps().iter().zip(places) {
        let (thing, name) = subject(&step.op);
        if place == blocks.len() {
            let action = all[place].action();
            blocks.push(Block { owner: step.owner.as_str(), thing, name, action, steps: Vec::new() });
        }
        let block = &mut blocks[place];
        match &step.op {
            Op::Run(_) | Op::Create(_) => block.name = name,
            Op::Rename { to, .. } => block.name = to.as_str(),
            _ => {}
        }
        block.steps.push(step);
    }
    blocks
}

/// What becomes of the thing that each step is about.
pub(super) fn actions(plan: &Plan) -> Vec<Action> {
    let (places, all) = places(plan);
    places.into_iter().map(|place| all[place].action()).collect()
}

/// For each step the number of its block, and for each block all that is done in it.
fn places(plan: &Plan) -> (Vec<usize>, Vec<Doings>) {
    let names = Names::of(plan);
    let mut known: BTreeMap<(Thing, &str), usize> = BTreeMap::new();
    let mut places = Vec::with_capacity(plan.steps().len());
    let mut all: Vec<Doings> = Vec::new();
    for step in plan.steps() {
        let (thing, name) = subject(&step.op);
        let name = if thing == Thing::Container { names.first(name) } else { name };
        let place = *known.entry((thing, name)).or_insert(all.len());
        if place == all.len() {
            all.push(Doings::default());
        }
        all[place].add(step);
        places.push(place);
    }
    (places, all)
}

/// All that is done to one thing.
#[derive(Clone, Copy, Default)]
struct Doings {
    pulls: bool,
    checks: bool,
    makes: bool,
    starts: bool,
    changes: bool,
    moves: bool,
    removes: bool,
    waits: bool,
}

impl Doings {
    fn add(&mut self, step: &Step) {
        let Subject::Routes(_) = step.op.subject() else { return self.does(step.op.deed()) };
        match step.op.deed() {
            // they are written anew as a whole
            Deed::Changes if step.reason == Reason::Missing => self.makes = true,
            deed => self.does(deed),
        }
    }

    fn does(&mut self, deed: Deed) {
        match deed {
            Deed::Pulls => self.pulls = true,
            Deed::Checks => self.checks = true,
            Deed::Makes => self.makes = true,
            Deed::Starts => self.starts = true,
            Deed::Changes => self.changes = true,
            Deed::Moves => self.moves = true,
            Deed::Removes => self.removes = true,
            Deed::Drains | Deed::Notes => {}
            Deed::Waits => self.waits = true,
        }
    }

    fn action(self) -> Action {
        match self {
            Self { makes: true, removes: false, moves: false, .. } => Action::Create,
            Self { makes: true, .. } => Action::Replace,
            // what is started or waited for stays: only what it took the place of is removed
            Self { removes: true, starts: false, waits: false, .. } => Action::Remove,
            Self { removes: true, .. }
            | Self { moves: true, .. }
            | Self { starts: true, .. }
            | Self { changes: true, .. } => Action::Update,
            Self { pulls: true, .. } => Action::Pull,
            Self { checks: true, .. } => Action::Check,
            _ => Action::Wait,
        }
    }
}

/// The thing that an operation is about.
pub(super) fn subject(op: &Op) -> (Thing, &str) {
    match op.subject() {
        Subject::Image(image) => (Thing::Image, image),
        Subject::Network(name) => (Thing::Network, name),
        Subject::Volume(name) => (Thing::Volume, name),
        Subject::Container(name) => (Thing::Container, name),
        Subject::Routes(project) => (Thing::Routes, project),
    }
}

/// The names of one container: those that a rename in the plan, or in an undo, connects.
struct Names<'a>(BTreeMap<&'a str, &'a str>);

impl<'a> Names<'a> {
    fn of(plan: &'a Plan) -> Self {
        let mut names = Self(BTreeMap::new());
        for op in plan.steps().iter().flat_map(|step| step.undo.iter().chain([&step.op])) {
            if let Op::Rename { from, to } = op {
                names.connect(from, to);
            }
        }
        names
    }

    fn connect(&mut self, one: &'a Container, other: &'a Container) {
        let (one, other) = (self.first(one.as_str()), self.first(other.as_str()));
        if one != other {
            self.0.insert(one.max(other), one.min(other));
        }
    }

    /// The name by which all names of the container are sorted.
    fn first(&self, mut name: &'a str) -> &'a str {
        while let Some(next) = self.0.get(name) {
            name = next;
        }
        name
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::NewStep;
    use crate::plan::Reason;
    use crate::render::sample;
    use crate::render::sample::container;

    fn told(plan: &Plan) -> Vec<String> {
        let name = |block: &Block<'_>| format!("{:?} {} ({})", block.action, block.name, block.steps.len());
        blocks(plan).iter().map(name).collect()
    }

    fn plan<const N: usize>(steps: [(Op, Vec<Op>); N]) -> Plan {
        let mut plan = Plan::new(sample::project());
        for (op, undo) in steps {
            plan.push(NewStep { undo, ..sample::new("shop", op, Reason::Missing) });
        }
        plan
    }

    fn remove(name: &str) -> Op {
        Op::Remove { name: container(name) }
    }

    fn rename(from: &str, to: &str) -> Op {
        Op::Rename { from: container(from), to: container(to) }
    }

    fn start(name: &str) -> Op {
        Op::Start { name: container(name) }
    }

    #[test]
    fn all_that_is_done_to_one_thing_is_one_block() {
        assert_eq!(
            told(&sample::first_start()),
            [
                "Pull postgres:15 (2)",
                "Create shop-backend (1)",
                "Create shop-frontend (1)",
                "Create shop-db-data (1)",
                "Create shop-db (2)",
                "Create shop-web (4)"
            ]
        );
    }

    #[test]
    fn a_container_and_the_one_that_it_replaces_are_one_block() {
        assert_eq!(told(&sample::change())[..2], ["Replace shop-db (5)", "Update shop-web (4)"]);
    }

    #[test]
    fn a_container_that_takes_over_has_the_name_that_serves() {
        let steps = [
            (start("shop-web-next"), Vec::new()),
            (rename("shop-web", "shop-web-previous"), Vec::new()),
            (rename("shop-web-next", "shop-web"), Vec::new()),
            (Op::Stop { name: container("shop-web-previous"), timeout: Default::default() }, Vec::new()),
        ];
        assert_eq!(told(&plan(steps)), ["Update shop-web (4)"]);
    }

    #[test]
    fn what_an_earlier_run_left_belongs_to_what_would_fall_back_to_it() {
        let back = vec![rename("shop-web-previous", "shop-web")];
        let steps = [(start("shop-web"), back), (remove("shop-web-previous"), Vec::new())];
        assert_eq!(told(&plan(steps)), ["Update shop-web (2)"]);
        let steps = [(start("shop-web"), Vec::new()), (remove("shop-web-previous"), Vec::new())];
        assert_eq!(told(&plan(steps)), ["Update shop-web (1)", "Remove shop-web-previous (1)"]);
    }
}
