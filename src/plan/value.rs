//! A plan: the ordered operations that bring a host to a config, and the expectations that it depends on.
//! Does not know how it was made.

use super::Note;
use super::step::NewStep;
use super::step::Step;
use super::step::StepId;
use crate::docker::Fact;
use crate::docker::Op;
use crate::name::Container;
use crate::name::Image;
use crate::name::Owner;
use crate::name::Project;
use crate::name::Volume;
use crate::spec::Kind;
use crate::spec::Source;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fmt;

/// The operations that bring a host to a config, in an order in which they can run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The project that it belongs to.
    pub project: Project,
    /// What it expects of the host. Checked before anything is changed.
    pub expects: Vec<Expect>,
    /// What a person should know beside the steps.
    pub notes: Vec<Note>,
    /// The workloads that are left as they are, because they cannot be brought up.
    pub blocked: Vec<Blocked>,
    /// The data that containers leave behind.
    pub left_data: Vec<LeftData>,
    /// What the containers are that it changes or removes, as far as they are on the host.
    pub kinds: BTreeMap<Container, Kind>,
    /// The ports for HTTP and HTTPS of the proxy that the config asks for.
    pub proxy_ports: Option<[u16; 2]>,
    steps: Vec<Step>,
}

/// What a plan expects of a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expect {
    /// The facts, of which one has to hold.
    pub any: Vec<Fact>,
    /// The error if none holds, as a sentence without a full stop.
    pub otherwise: String,
}

/// A volume that a container mounts, and that neither its successor nor anything else in the config mounts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftData {
    /// The container.
    pub container: Container,
    /// The volume.
    pub volume: Volume,
}

/// A workload that is left as it is, because it cannot be brought up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blocked {
    /// Its container.
    pub container: Container,
    /// The domain, group or project that it belongs to.
    pub owner: Owner,
    /// Why it cannot be brought up.
    pub cause: BlockedBy,
}

/// Why a workload cannot be brought up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BlockedBy {
    /// Its image is not on the host and could not be pulled.
    Image {
        /// The image.
        image: Image,
        /// Docker's error.
        message: String,
    },
    /// A container that it needs is not brought up either.
    Needs(Container),
}

impl fmt::Display for Blocked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.container, self.cause)
    }
}

impl fmt::Display for BlockedBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Image { image, message } => write!(f, "its image {image} cannot be had: {message}"),
            Self::Needs(needed) => write!(f, "it needs {needed}, which is left out too"),
        }
    }
}

impl Plan {
    /// A plan without steps.
    pub fn new(project: Project) -> Self {
        Self {
            project,
            expects: Vec::new(),
            notes: Vec::new(),
            blocked: Vec::new(),
            left_data: Vec::new(),
            kinds: BTreeMap::new(),
            proxy_ports: None,
            steps: Vec::new(),
        }
    }

    /// Whether it makes containers whose logs it limits, which takes an engine that can.
    pub fn limits_logs(&self) -> bool {
        self.expects.iter().any(|expect| expect.any == [Fact::LimitsLogs])
    }

    /// Whether it makes volumes, or containers that mount some of the `external` ones: others may keep data that it is about.
    pub fn is_about_data(&self, external: &BTreeSet<Volume>) -> bool {
        self.steps.iter().any(|step| match &step.op {
            Op::CreateVolume { .. } => true,
            Op::Run(launch) | Op::Create(launch) => launch
                .runtime
                .mounts
                .iter()
                .any(|mount| matches!(&mount.source, Source::Volume(volume) if external.contains(volume))),
            _ => false,
        })
    }

    /// The steps, in an order in which they can run.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Whether a step changes something that all projects of a host share.
    pub fn is_shared(&self) -> bool {
        self.steps.iter().any(|step| step.op.is_shared())
    }

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// Appends a step and returns its id. Ids come only from here, so every plan is acyclic and ordered by
    /// construction.
    pub(crate) fn push(&mut self, step: NewStep) -> StepId {
        let id = StepId::nth(self.steps.len());
        let NewStep { op, owner, reason, unless, mut needs, mut after, undo, risk, uninterruptible } = step;
        assert!(needs.iter().chain(&after).all(|other| *other < id), "a step needs only earlier steps");
        for others in [&mut needs, &mut after] {
            others.sort_unstable();
            others.dedup();
        }
        // one by itself is never implied by another
        let first = needs.iter().chain(&after).min().filter(|_| needs.len() + after.len() > 1).copied();
        let (done, over) = first.map(|first| self.implied(first, &needs)).unwrap_or_default();
        after.retain(|other| {
            [&done, &over].iter().all(|implied| !implied.contains(other))
                && needs.binary_search(other).is_err()
        });
        // a wait without facts needs each step that tells whether there is something to wait for
        if !matches!(op, Op::Await(_)) || !unless.is_empty() {
            needs.retain(|need| !done.contains(need));
        }
        self.steps.push(Step { id, op, owner, reason, unless, needs, after, undo, risk, uninterruptible });
        id
    }

    /// The steps from `first` on that have succeeded, and those that have ended, once `needs` have succeeded.
    fn implied(&self, first: StepId, needs: &[StepId]) -> (BTreeSet<StepId>, BTreeSet<StepId>) {
        let (mut done, mut over) = (BTreeSet::new(), BTreeSet::new());
        let mut todo = needs.to_vec();
        while let Some(id) = todo.pop() {
            let step = &self.steps[id.index()];
            todo.extend(step.needs.iter().filter(|need| **need >= first && done.insert(**need)));
            over.extend(&step.after);
        }
        (done, over)
    }
}
