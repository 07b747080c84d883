//! Reads a host: puts the questions to docker, side by side. Does not know what the answers mean.

use super::docker::Docker;
use super::docker::DockerError;
use super::host;
use crate::apply::End;
use crate::docker::Command;
use crate::docker::First;
use crate::docker::Listener;
use crate::docker::Observed;
use crate::docker::Podman;
use crate::docker::ReadError;
use crate::docker::Scope;
use crate::docker::Second;
use crate::docker::Survey;
use std::collections::BTreeSet;
use std::fmt;
use std::thread;
use std::thread::ScopedJoinHandle;
use std::time::Duration;

/// How often a host is read again when something goes away while it is read.
const RETRIES: u32 = 4;

/// How long what goes away has to be gone before the host is read again.
const RETRY_INTERVAL: Duration = Duration::from_millis(250);

/// Why a host could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ObserveError {
    /// Docker does not answer.
    Docker(DockerError),
    /// What it answers makes no sense.
    Read(ReadError),
}

impl ObserveError {
    /// What to do about it, where that is known.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Docker(error) => error.hint(),
            Self::Read(error) => Some(error.hint()),
        }
    }
}

impl fmt::Display for ObserveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Docker(error) => error.fmt(f),
            Self::Read(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ObserveError {}

impl From<DockerError> for ObserveError {
    fn from(error: DockerError) -> Self {
        Self::Docker(error)
    }
}

impl From<ReadError> for ObserveError {
    fn from(error: ReadError) -> Self {
        Self::Read(error)
    }
}

/// What is on the host that `docker` talks to, in at most two rounds of docker calls, and the subnets that this machine
/// routes when that is the host.
///
/// # Errors
/// When docker does not answer, or a name that gordon needs means several networks.
pub fn observe(docker: &Docker, scope: Scope) -> Result<Observed, ObserveError> {
    let ports = scope.ports.clone();
    let (survey, second) = both_rounds(docker, &scope)?;
    let mut host = survey.observed(&second)?;
    host.listeners = listeners(docker, &ports, &host);
    let subnets: BTreeSet<_> = host.networks.values().filter_map(|network| network.subnet).collect();
    // a bridge may have any name: a network's own route is not counted a second time
    host.routes.extend(host::routes(docker.cli()).difference(&subnets));
    Ok(host)
}

/// What listens at `ports`, when `host` is this machine. What a container publishes needs no look at its process.
fn listeners(docker: &Docker, ports: &BTreeSet<u16>, host: &Observed) -> BTreeSet<Listener> {
    let up = host.containers.values().filter(|seen| seen.state.is_up());
    host::listeners(docker.cli(), ports, &up.flat_map(|seen| seen.ports.iter().copied()).collect())
}

/// The same, and whether it is Podman that answers, which is asked where nothing shows that it is docker.
pub fn observe_and_recognize(
    docker: &Docker,
    scope: Scope,
) -> (Result<Observed, ObserveError>, Option<Podman>) {
    let host = observe(docker, scope);
    let hangs = matches!(host, Err(ObserveError::Docker(DockerError::Failed { end: End::TimedOut(_), .. })));
    if hangs || host.as_ref().is_ok_and(Podman::is_ruled_out) {
        return (host, None);
    }
    // that docker does not answer, the other questions report
    let version = docker.ask(&Podman::question()).unwrap_or_default();
    (host, Podman::parse(&version))
}

/// Both rounds; from the start again when a question of the second fails, since what it was about may have ended meanwhile:
/// a command in a proxy that another project stops ends with it. A question that is not answered in time is not asked again.
fn both_rounds(docker: &Docker, scope: &Scope) -> Result<(Survey, Second<String>), ObserveError> {
    let mut again = RETRIES;
    loop {
        let first = first_round(docker, &First::of(scope))?;
        let survey = Survey::read(scope.clone(), &first)?;
        match second_round(docker, &survey.questions()) {
            Ok(second) => return Ok((survey, second)),
            Err(DockerError::Failed { end: End::Status(_), .. }) if again > 0 => again -= 1,
            Err(error) => return Err(error.into()),
        }
        thread::sleep(RETRY_INTERVAL);
    }
}

fn first_round(docker: &Docker, questions: &First<Command>) -> Result<First<String>, DockerError> {
    thread::scope(|scope| {
        let containers = scope.spawn(|| docker.ask(&questions.containers));
        let networks = scope.spawn(|| docker.ask(&questions.networks));
        let volumes = scope.spawn(|| docker.ask(&questions.volumes));
        let ask_about_some = |question| scope.spawn(move || docker.ask_about_some(question));
        let images: Vec<_> = questions.images.iter().map(ask_about_some).collect();
        let processors =
            questions.processors.as_ref().map(|question| scope.spawn(move || docker.ask(question)));
        Ok(First {
            containers: answer(containers)?,
            networks: answer(networks)?,
            volumes: answer(volumes)?,
            images: answers(images)?,
            processors: processors.map(answer).transpose()?,
        })
    })
}

fn second_round(docker: &Docker, questions: &Second<Command>) -> Result<Second<String>, DockerError> {
    thread::scope(|scope| {
        let ask_about_some = |question| scope.spawn(move || docker.ask_about_some(question));
        let containers: Vec<_> = questions.containers.iter().map(ask_about_some).collect();
        let images: Vec<_> = questions.images.iter().map(ask_about_some).collect();
        let networks: Vec<_> = questions.networks.iter().map(ask_about_some).collect();
        let routes_files = questions.routes_files.as_ref().map(ask_about_some);
        let references =
            questions.references.as_ref().map(|question| scope.spawn(move || docker.ask(question)));
        Ok(Second {
            containers: answers(containers)?,
            images: answers(images)?,
            networks: answers(networks)?,
            references: references.map(answer).transpose()?,
            routes_files: routes_files.map(answer).transpose()?,
        })
    })
}

type Asking<'scope> = ScopedJoinHandle<'scope, Result<String, DockerError>>;

fn answers(asking: Vec<Asking<'_>>) -> Result<Vec<String>, DockerError> {
    asking.into_iter().map(answer).collect()
}

fn answer(asking: Asking<'_>) -> Result<String, DockerError> {
    asking.join().expect("asking docker does not panic")
}
