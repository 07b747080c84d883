//! Makes containers, starts them, and waits until they are ready.

use super::Conflict;
use super::Note;
use super::Reason;
use super::StepId;
use super::builder::Availability;
use super::builder::PlanBuilder;
use super::builder::StepBuilder;
use super::life::is_unproved;
use super::life::probation;
use super::life::restarts;
use super::workload::Job;
use super::workload::Setting;
use super::workload::default_bridge;
use super::workload::inherited;
use crate::desired::Ready;
use crate::desired::Workload;
use crate::docker::Asker;
use crate::docker::Await;
use crate::docker::Fact;
use crate::docker::Health;
use crate::docker::Launch;
use crate::docker::Membership;
use crate::docker::Op;
use crate::docker::Release;
use crate::name::Container;
use crate::name::Network;
use crate::name::Owner;
use std::net::Ipv4Addr;
use std::time::Duration;

/// How long a container without a health check has to run before what needs it starts.
const SETTLES: Duration = Duration::from_secs(1);

/// How long one has to run before it takes the place of another.
const PROVES_ITSELF: Duration = Duration::from_secs(5);

/// When a container gets its aliases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Aliases {
    /// When it is made: nobody else has them.
    AtOnce,
    /// Once it is ready: another one serves under them.
    Later,
}

impl PlanBuilder<'_> {
    pub(super) fn launch(&mut self, job: &Job<'_>, name: &Container, aliases: Aliases, setting: &Setting) {
        let workload = job.workload;
        let memberships = self.memberships(workload, name, aliases);
        let current = self.is_current(job, name);
        for membership in &memberships {
            let subnet = self.now.networks.get(&membership.network).and_then(|network| network.subnet);
            if let (Some(address), Some(subnet)) = (membership.address, subnet) {
                let network = membership.network.clone();
                let room = Fact::Room { network, subnet, address };
                let any = [current.clone()].into_iter().chain(setting.done.iter().cloned()).chain([room]);
                self.expect(
                    any.collect(),
                    format!("network {} has no room for {name} at {address}", membership.network),
                );
            }
        }
        let mut labels = self.labels(workload.kind, &workload.owner, &workload.stem);
        let inherits = inherited(workload);
        labels.release = Some(Release { number: job.release, spec: job.spec.clone(), inherits });
        let mut runtime = workload.runtime.clone();
        runtime.restart = probation(&runtime.restart).to_owned();
        runtime.mounts.extend(workload.learned.iter().cloned());
        let launch = Box::new(Launch {
            name: name.clone(),
            image: workload.image.clone(),
            labels,
            memberships: memberships.clone(),
            runtime,
        });
        let is_single = memberships.len() == 1 && self.still_led_on(workload).is_none();
        let op = if is_single { Op::Run(launch) } else { Op::Create(launch) };
        let mut setting = setting.clone();
        setting.needs.extend(self.add(StepBuilder::set(op, &workload.owner, &setting).unless([current])));
        if is_single {
            return;
        }
        for membership in memberships.into_iter().skip(1) {
            setting.needs.extend(self.connect(&workload.owner, name, membership, &setting));
        }
        // where the proxy still leads to it; once it runs, it may have left again
        let mut led = setting.clone();
        led.done.push(Fact::Running(name.clone()));
        setting.needs.extend(self.stay_led(workload, name, &led));
        self.start(workload, name, &setting);
    }

    /// The networks of a new container, with its addresses there.
    fn memberships(&mut self, workload: &Workload, name: &Container, aliases: Aliases) -> Vec<Membership> {
        if workload.attachments.is_empty() {
            return vec![Membership { network: default_bridge(), address: None, aliases: Vec::new() }];
        }
        let mut memberships = Vec::new();
        for attachment in &workload.attachments {
            let network = attachment.network.clone();
            let address = self.address(&network);
            let aliases = match (aliases, address) {
                (Aliases::AtOnce, _) => attachment.aliases.clone(),
                (Aliases::Later, Some(_)) => Vec::new(),
                // it could not come back to where it was, so they cannot be changed later
                (Aliases::Later, None) => {
                    let (container, network) = (name.clone(), network.clone());
                    self.plan.notes.push(Note::AliasesAtOnce { container, network });
                    attachment.aliases.clone()
                }
            };
            memberships.push(Membership { network, address, aliases });
        }
        memberships
    }

    /// An address in a network of gordon's; docker takes none in a network that it chose the subnet of itself.
    pub(super) fn address(&mut self, network: &Network) -> Option<Ipv4Addr> {
        let seen = self.now.networks.get(network).filter(|seen| seen.managed)?;
        let address = self.addresses.address(network, seen.subnet?);
        if address.is_none() {
            self.conflicts.push(Conflict::NetworkFull(network.clone()));
        }
        address
    }

    /// The address that a container was made with, while nobody else has it.
    pub(super) fn own_address(&self, name: &Container, network: &Network) -> Option<Ipv4Addr> {
        let seen = self.now.networks.get(network).filter(|seen| seen.managed)?;
        let own = self.now.containers[name].addresses.get(network)?;
        (seen.subnet?.contains(own) && !seen.addresses.contains(own)).then_some(*own)
    }

    pub(super) fn connect(
        &mut self,
        owner: &Owner,
        container: &Container,
        membership: Membership,
        setting: &Setting,
    ) -> Option<StepId> {
        let done = Fact::Attached {
            container: container.clone(),
            network: membership.network.clone(),
            aliases: Some(membership.aliases.clone()),
        };
        let op = Op::Connect { container: container.clone(), membership };
        self.add(StepBuilder::set(op, owner, setting).unless([done]))
    }

    pub(super) fn start(
        &mut self,
        workload: &Workload,
        name: &Container,
        setting: &Setting,
    ) -> Option<StepId> {
        let op = Op::Start { name: name.clone() };
        self.add(StepBuilder::set(op, &workload.owner, setting).unless([Fact::Running(name.clone())]))
    }

    /// Whether a container that stays has to be waited for.
    pub(super) fn is_unready(&self, workload: &Workload, name: &Container) -> bool {
        self.now.containers.get(name).is_some_and(|seen| {
            is_unproved(seen, &workload.runtime.restart)
                || matches!(seen.health, Health::Starting | Health::Unhealthy)
                    && matches!(workload.ready, Ready::Healthy(_))
        })
    }

    /// Waits until a container that nobody waits to be replaced by is ready.
    pub(super) fn settle(
        &mut self,
        workload: &Workload,
        name: &Container,
        reason: Reason,
        needs: &[StepId],
    ) -> Option<StepId> {
        self.wait(workload, name, SETTLES, &Setting::new(reason, needs))
    }

    /// Waits until a container that is to take the place of another has shown that it can.
    pub(super) fn prove(
        &mut self,
        workload: &Workload,
        name: &Container,
        setting: &Setting,
    ) -> Option<StepId> {
        self.wait(workload, name, PROVES_ITSELF, setting)
    }

    fn wait(
        &mut self,
        workload: &Workload,
        name: &Container,
        time: Duration,
        setting: &Setting,
    ) -> Option<StepId> {
        let name = name.clone();
        let mut setting = setting.clone();
        let restart = &workload.runtime.restart;
        if self.now.containers.get(&name).is_some_and(|seen| seen.restart != *restart) {
            setting.done.push(restarts(&name, restart));
        }
        let (wait, ready) = match &workload.ready {
            Ready::Healthy(timeout) => {
                let ready = Fact::Healthy(name.clone());
                (Await::Healthy { name, timeout: *timeout }, Some(ready))
            }
            Ready::Answers(check, timeout) => {
                setting.needs.extend(self.asks(workload, &check.asker));
                (Await::Answers { name, check: check.clone(), timeout: *timeout }, None)
            }
            Ready::StaysUp => (Await::StaysUp { name, time }, None),
        };
        self.add(StepBuilder::set(Op::Await(wait), &workload.owner, &setting).unless(ready))
    }

    /// The steps after which the asker can ask.
    fn asks(&self, workload: &Workload, asker: &Asker) -> Vec<StepId> {
        match asker {
            Asker::Proxy => match &self.proxy {
                Availability::After(steps) => steps.iter().chain(self.led_to(workload)).copied().collect(),
                Availability::Blocked => Vec::new(),
            },
            Asker::Beside(image) => self.images.get(image).copied().into_iter().collect(),
        }
    }
}
