//! A host as the subcommands use it: what is read of it for one project, what is pulled to it, and who works on it. Does
//! not know what is planned.

use super::CommandError;
use super::Exit;
use super::cli::Global;
use super::error::warn;
use super::project;
use super::shown;
use super::shown::For;
use crate::apply::Cause;
use crate::apply::Concealment;
use crate::desired::Desired;
use crate::docker::Holding;
use crate::docker::Observed;
use crate::docker::Op;
use crate::docker::Part;
use crate::docker::Podman;
use crate::docker::Scope;
use crate::docker::SeenContainer;
use crate::docker::holdings;
use crate::docker::log_driver;
use crate::docker::mounts;
use crate::name::EnvKey;
use crate::name::Image;
use crate::name::Project;
use crate::plan;
use crate::plan::Options;
use crate::plan::Plan;
use crate::spec::LIMITED_LOG_DRIVERS;
use crate::spec::Pull;
use crate::spec::Secret;
use crate::spec::host_ports;
use crate::sys::docker::Docker;
use crate::sys::interrupt::Interrupt;
use crate::sys::lock;
use crate::sys::lock::Lock;
use crate::sys::lock::LockEvent;
use crate::sys::lock::Subject;
use crate::sys::observe::ObserveError;
use crate::sys::observe::observe;
use crate::sys::observe::observe_and_recognize;
use crate::sys::progress::Wording;
use crate::sys::terminal::say_line;
use std::cell::Cell;
use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// The host that docker talks to, for one project.
pub(super) struct Host {
    pub(super) docker: Docker,
    scope: Scope,
    pull: Pull,
    /// The secrets of the config, and their values as far as anybody looked for them.
    secret_keys: BTreeSet<EnvKey>,
    secrets: BTreeMap<EnvKey, Secret>,
    /// Whether it is known by now that docker is not Podman.
    is_recognized: Cell<bool>,
    /// The engine's log driver, once it was asked for.
    log_driver: OnceCell<String>,
    /// The images that could not be pulled, with docker's words.
    unavailable: BTreeMap<Image, String>,
}

impl Host {
    /// The host of `project`, with what its commands may take from their environment. Nothing is asked of it yet.
    ///
    /// # Errors
    /// When there is no docker, or it is on another host than the config.
    pub(super) fn find(global: &Global, project: &project::Project) -> Result<Self, CommandError> {
        let docker = Docker::find(global.cli(), &project.folder)?.with_secrets(project.secrets.clone());
        project.belongs_on(&docker.engine())?;
        let desired = &project.desired;
        let proxy = desired.proxy.as_ref().map(|proxy| proxy.image.clone());
        let images = desired.images().into_iter().cloned().collect();
        let networks = desired.networks.iter().map(|network| network.name.clone()).collect();
        let processors = desired.workloads.iter().any(|w| !w.runtime.settings.get("cpus").is_empty());
        let publish = desired.workloads.iter().flat_map(|workload| &workload.runtime.ports);
        let mut ports: BTreeSet<u16> = publish.flat_map(|port| host_ports(port)).collect();
        ports.extend(desired.proxy.iter().flat_map(|proxy| [proxy.http_port, proxy.https_port]));
        Ok(Self {
            docker,
            scope: Scope { networks, images, proxy, processors, ports },
            pull: desired.pull,
            secret_keys: desired.workloads.iter().flat_map(|w| w.runtime.secrets.clone()).collect(),
            secrets: project.secrets.clone(),
            is_recognized: Cell::new(false),
            log_driver: OnceCell::new(),
            unavailable: BTreeMap::new(),
        })
    }

    /// What is on the host now.
    ///
    /// # Errors
    /// When docker does not answer, or in an unknown way, or is Podman.
    pub(super) fn read(&self) -> Result<Observed, CommandError> {
        let mut host = if self.is_recognized.get() {
            observe(&self.docker, self.scope.clone())?
        } else {
            let (host, podman) = observe_and_recognize(&self.docker, self.scope.clone());
            podman.map_or(Ok(()), |podman| self.accept(&podman))?;
            self.is_recognized.set(true);
            host?
        };
        host.images.unavailable.clone_from(&self.unavailable);
        if self.pull == Pull::Never {
            let missing = self.scope.images.iter().filter(|image| !host.images.here.contains_key(image));
            let why = "it is not on this host, and `deploy.pull` is `never`".to_owned();
            host.images.unavailable.extend(missing.map(|image| (image.clone(), why.clone())));
        }
        Ok(host)
    }

    /// The plan that brings it from `seen`, which was read just now, to the config. What matters to few plans is asked for only
    /// when it does: the log driver when a container is made whose logs gordon limits, what others mount when volumes are made.
    ///
    /// # Errors
    /// As for [`project::Project::plan`], and when docker does not answer.
    pub(super) fn plan(
        &self,
        project: &project::Project,
        seen: &Observed,
        options: &Options,
    ) -> Result<Plan, CommandError> {
        let plan = project.plan(seen, options)?;
        let driver = if plan.limits_logs() { self.other_log_driver()? } else { None };
        let holdings =
            if plan.is_about_data(&project.desired.external) { self.holdings(seen)? } else { Vec::new() };
        if driver.is_none() && holdings.is_empty() {
            return Ok(plan);
        }
        project.plan(&Observed { log_driver: driver.cloned(), holdings, ..seen.clone() }, options)
    }

    /// The engine's log driver, where it cannot limit logs.
    fn other_log_driver(&self) -> Result<Option<&String>, CommandError> {
        let driver = match self.log_driver.get() {
            Some(driver) => driver,
            None => {
                let answer = self.docker.ask(&log_driver()).map_err(ObserveError::from)?;
                self.log_driver.get_or_init(|| answer.trim().to_owned())
            }
        };
        Ok(Some(driver).filter(|driver| !LIMITED_LOG_DRIVERS.contains(&driver.as_str())))
    }

    /// The data that containers keep which gordon did not make.
    fn holdings(&self, seen: &Observed) -> Result<Vec<Holding>, CommandError> {
        let is_anothers = |seen: &SeenContainer| seen.project.is_none() && seen.kind.is_none();
        let others = seen.containers.iter().filter(|(name, seen)| is_anothers(seen) && !lock::is_lock(name));
        // one that ends meanwhile keeps nothing that matters
        let ask = |question| self.docker.ask_about_some(&question).map_err(ObserveError::from);
        let answers: Vec<String> =
            mounts(others.map(|(name, _)| name)).into_iter().map(ask).collect::<Result<_, _>>()?;
        Ok(holdings(&answers).map_err(ObserveError::from)?)
    }

    /// Refuses Podman, with which gordon does not work.
    fn accept(&self, podman: &Podman) -> Result<(), CommandError> {
        let Podman { version, part } = podman;
        let refused = match part {
            Part::Cli => format!(
                "`{}` is Podman {version}, and gordon works with docker alone",
                self.docker.cli().binary
            ),
            Part::Engine if self.scope.proxy.is_some() => format!(
                "the engine is Podman {version}, and gordon's proxy works on Docker Engine alone: Podman's DNS does not follow \
                 a rename, so no domain would reach its app"
            ),
            Part::Engine => {
                warn(
                    &format!("the engine is Podman {version}, with which gordon is not tested"),
                    "gordon is made for Docker Engine",
                );
                return Ok(());
            }
        };
        Err(CommandError::failed(refused).hint(
            "install Docker Engine, or point gordon at one with `--docker`, `--context` or `DOCKER_HOST`"
                .to_owned(),
        ))
    }

    /// What hides the secrets of the config where text is shown: their values, and those that the containers on the host
    /// were made with, which may be older.
    pub(super) fn concealment(&self, host: &Observed) -> Concealment {
        let of_containers = host.containers.values().flat_map(|container| &container.env);
        let of_containers = of_containers.filter(|(key, _)| self.secret_keys.contains(key));
        Concealment::of(self.secrets.iter().chain(of_containers).map(|(_, secret)| secret))
    }

    /// Tells of another gordon that works on `project` while it is only looked at: what that one is about to finish would
    /// seem to be left over.
    pub(super) fn warn_of_another_run(&self, project: &Project, host: &Observed) {
        let subject = Subject::Project(project.clone());
        let is_locked = host.containers.keys().any(|container| container.as_str() == lock::name(&subject));
        // what can be seen is shown all the same
        if is_locked && let Ok(Some(holder)) = lock::at_work(&self.docker, &subject) {
            warn(
                &format!("{subject}: another gordon is at work: {holder}"),
                "this is how things are in the middle of it: look again when it is done",
            );
        }
    }

    /// The lock of `subject`: no other gordon works on it until it is given back.
    ///
    /// # Errors
    /// When another run has it for longer than `wait`, or at Ctrl-C.
    pub(super) fn lock(
        &self,
        subject: &Subject,
        wait: Duration,
        interrupt: &AtomicBool,
    ) -> Result<Lock<'_>, CommandError> {
        let mut emit = |event: &LockEvent| say_line(event);
        Ok(lock::take(&self.docker, subject, wait, interrupt, &mut emit)?)
    }

    /// Pulls what is to be pulled before anything can be planned, and remembers what could not be had.
    ///
    /// # Errors
    /// When the person asks to stop meanwhile.
    pub(super) fn pull(
        &mut self,
        desired: &Desired,
        host: &Observed,
        jobs: NonZeroUsize,
        interrupt: &Interrupt,
        shown_to: For,
    ) -> Result<Pulled, CommandError> {
        let plan = plan::pulls(desired, &host.images);
        if plan.is_empty() {
            return Ok(Pulled::Nothing);
        }
        let wording = Wording { stage: "pull", done: "pulled", next: None };
        let concealment = self.concealment(host);
        let report = interrupt.during(|interrupt| {
            shown::run(&plan, &self.docker, jobs, interrupt, &concealment, shown_to, wording)
        });
        if shown_to == For::People {
            say_line("");
        }
        if report.interrupted {
            return Err(CommandError::reported(Exit::Interrupted));
        }
        for failure in &report.failures {
            if let Op::Pull { image, .. } = &plan.steps()[failure.step.index()].op {
                self.unavailable.insert(image.clone(), words(&failure.cause));
            }
        }
        Ok(Pulled::Something)
    }
}

/// Whether a host has to be read again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pulled {
    /// Nothing was to be pulled.
    Nothing,
    /// It has other images now, or it is known that it cannot have them.
    Something,
}

/// Docker's words about a pull that failed: the last line says what the matter is.
fn words(cause: &Cause) -> String {
    match cause {
        Cause::Call { stderr, end, .. } => match stderr.trim().lines().last() {
            Some(line) => line.trim_start_matches("Error response from daemon: ").to_owned(),
            None => end.to_string(),
        },
        Cause::Hopeless { answer, .. } | Cause::TooLate { answer, .. } => answer.clone(),
        Cause::UnknownVolumes { paths, .. } => paths.join(", "),
    }
}
