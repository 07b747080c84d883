//! Steps that belong together in a reader's eyes: all that is done to one thing. Does not know how they are shown.

use crate::docker::Op;
use crate::name::Container;
use crate::plan::Plan;
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
    let names = Names::of(plan);
    let mut blocks: Vec<Block<'_>> = Vec::new();
    let mut places: BTreeMap<(Thing, &str), usize> = BTreeMap::new();
    for step in plan.steps() {
        let (thing, name) = subject(&step.op);
        let key = if thing == Thing::Container { names.first(name) } else { name };
        let place = *places.entry((thing, key)).or_insert(blocks.len());
        if place == blocks.len() {
            blocks.push(Block {
                owner: step.owner.as_str(),
                thing,
                name,
                action: Action::Wait,
                steps: Vec::new(),
            });
        }
        let block = &mut blocks[place];
        if let Op::Run(_) | Op::Create(_) = step.op {
            block.name = name;
        }
        block.steps.push(step);
    }
    for block in &mut blocks {
        block.action = action(block);
    }
    blocks
}

/// The thing that an operation is about.
pub(super) fn subject(op: &Op) -> (Thing, &str) {
    match op {
        Op::Pull { image } | Op::ExpectVolumes { image, .. } => (Thing::Image, image.as_str()),
        Op::CreateNetwork { name, .. } | Op::RemoveNetwork { name } => (Thing::Network, name.as_str()),
        Op::CreateVolume { name, .. } | Op::RemoveVolume { name } => (Thing::Volume, name.as_str()),
        Op::Create(launch) | Op::Run(launch) => (Thing::Container, launch.name.as_str()),
        Op::Start { name } | Op::Stop { name, .. } | Op::Remove { name } | Op::Rename { from: name, .. } => {
            (Thing::Container, name.as_str())
        }
        Op::Connect { container, .. } | Op::Disconnect { container, .. } => {
            (Thing::Container, container.as_str())
        }
        Op::Await(wait) => (Thing::Container, wait.container().as_str()),
    }
}

fn action(block: &Block<'_>) -> Action {
    let any = |is: fn(&Op) -> bool| block.steps.iter().any(|step| is(&step.op));
    let removes =
        any(|op| matches!(op, Op::Remove { .. } | Op::RemoveNetwork { .. } | Op::RemoveVolume { .. }));
    let makes = any(|op| {
        matches!(op, Op::Run(_) | Op::Create(_) | Op::CreateNetwork { .. } | Op::CreateVolume { .. })
    });
    let moves = any(|op| matches!(op, Op::Stop { .. } | Op::Rename { .. }));
    let changes = any(|op| matches!(op, Op::Start { .. } | Op::Connect { .. } | Op::Disconnect { .. }));
    if makes {
        if removes || moves { Action::Replace } else { Action::Create }
    } else if removes {
        Action::Remove
    } else if moves || changes {
        Action::Update
    } else if any(|op| matches!(op, Op::Pull { .. })) {
        Action::Pull
    } else if any(|op| matches!(op, Op::ExpectVolumes { .. })) {
        Action::Check
    } else {
        Action::Wait
    }
}

/// Which names stand for one container: those that a rename of the plan, or of what it falls back to, connects.
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

    /// The one name that stands for all.
    fn first(&self, mut name: &'a str) -> &'a str {
        while let Some(next) = self.0.get(name) {
            name = next;
        }
        name
    }
}
