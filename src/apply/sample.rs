//! Plans for tests, whose steps are of no consequence.

use crate::docker::Await;
use crate::docker::Claim;
use crate::docker::Labels;
use crate::docker::Launch;
use crate::docker::Membership;
use crate::docker::Op;
use crate::name::Container;
use crate::name::Image;
use crate::name::Network;
use crate::name::Project;
use crate::plan::NewStep;
use crate::plan::Plan;
use crate::plan::Reason;
use crate::plan::StepId;
use crate::spec::Kind;
use crate::spec::Runtime;
use std::time::Duration;

/// A plan of networks with these needs.
pub(crate) fn plan(needs: &[&[usize]]) -> Plan {
    let step = |(at, needs): (usize, &&[usize])| (network(&format!("shop-{at}")), needs.to_vec());
    plan_of(needs.iter().enumerate().map(step).collect())
}

/// A plan of these operations with their needs.
pub(crate) fn plan_of(steps: Vec<(Op, Vec<usize>)>) -> Plan {
    plan_with_undo(steps.into_iter().map(|(op, needs)| (op, needs, Vec::new())).collect())
}

/// A plan of these operations with their needs, and what undoes them.
pub(crate) fn plan_with_undo(steps: Vec<(Op, Vec<usize>, Vec<Op>)>) -> Plan {
    assemble(steps.into_iter().map(|(op, needs, undo)| (op, needs, Vec::new(), undo)))
}

/// A plan of these operations with their needs, and what they only come after.
pub(crate) fn plan_with_order(steps: Vec<(Op, Vec<usize>, Vec<usize>)>) -> Plan {
    assemble(steps.into_iter().map(|(op, needs, after)| (op, needs, after, Vec::new())))
}

fn assemble(steps: impl Iterator<Item = (Op, Vec<usize>, Vec<usize>, Vec<Op>)>) -> Plan {
    let mut plan = Plan::new(project());
    let mut ids: Vec<StepId> = Vec::new();
    for (op, needs, after, undo) in steps {
        let earlier = |steps: Vec<usize>| steps.into_iter().map(|step| ids[step]).collect();
        let (needs, after) = (earlier(needs), earlier(after));
        ids.push(plan.push(NewStep {
            needs,
            after,
            undo,
            ..NewStep::new(op, (&project()).into(), Reason::Missing)
        }));
    }
    plan
}

pub(crate) fn project() -> Project {
    Project::parse("shop").expect("a project name")
}

pub(crate) fn container(name: &str) -> Container {
    Container::parse(name).expect("a container name")
}

pub(crate) fn image(reference: &str) -> Image {
    Image::parse(reference).expect("an image reference")
}

pub(crate) fn labels(kind: Kind, name: &str) -> Labels {
    let (claim, owner) = (Claim::Owned(project()), (&project()).into());
    Labels { claim, kind, owner, name: name.to_owned(), release: None }
}

pub(crate) fn network(name: &str) -> Op {
    Op::CreateNetwork {
        name: Network::parse(name).expect("a network name"),
        subnet: "10.208.1.0/24".parse().expect("a subnet"),
        range: "10.208.1.0/25".parse().expect("a subnet"),
        labels: labels(Kind::Network, name),
    }
}

pub(crate) fn run(name: &str) -> Op {
    Op::Run(Box::new(Launch {
        name: container(name),
        image: image("web:1"),
        labels: labels(Kind::App, name),
        memberships: vec![Membership {
            network: Network::parse("shop-network").expect("a network name"),
            address: None,
            aliases: Vec::new(),
        }],
        runtime: Runtime { restart: "unless-stopped".to_owned(), ..Runtime::default() },
    }))
}

pub(crate) fn wait(name: &str) -> Op {
    Op::Await(Await::StaysUp { name: container(name), time: Duration::from_secs(5) })
}
