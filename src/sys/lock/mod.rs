//! One gordon at a time on a project of a host, and on what its projects share: a lock that is a container's name, which
//! docker gives out only once. Does not know what is done under it.

mod children;
mod holder;

pub use holder::Holder;

use super::docker::Docker;
use super::docker::DockerError;
use crate::apply::Machine;
use crate::docker::Command;
use crate::docker::key;
use crate::name::Container;
use crate::name::Project;
use crate::spec::PROXY;
use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io;
use std::path::Path;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// An empty image, made on the spot: locking needs no registry.
const IMAGE: &str = "gordon/lock:1";

/// What the names of locks begin with.
const PREFIX: &str = "gordon-lock-";

/// The label's value, which distinguishes a lock from another container of the same name.
const KIND: &str = "lock";

/// What distinguishes an engine. Engines of one machine share their id, and machines made of one disk image do; their
/// folders and hosts then differ.
const ENGINE: &str = "{{.ID}} {{.Name}} {{.DockerRootDir}}";

/// What `docker import` takes for an archive with nothing in it.
const EMPTY_ARCHIVE: [u8; 1024] = [0; 1024];

/// The time that making or removing the lock may take.
const LIMIT: Duration = Duration::from_secs(60);

/// The time between two looks at a lock that another run has.
const EVERY: Duration = Duration::from_millis(500);

/// How long docker calls of a gordon that is gone are waited for.
const CHILDREN: Duration = Duration::from_secs(120);

/// The time between two looks whether they are done.
const EVERY_CHILD: Duration = Duration::from_millis(50);

/// What only one gordon at a time works on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// What a project has on the host.
    Project(Project),
    /// What all projects of the host share: the proxy, its network, its files.
    Proxy,
}

/// A lock that is held until it is dropped.
#[derive(Debug)]
pub struct Lock<'a> {
    docker: &'a Docker,
    /// The id of the container: its name could mean another container by the time it is removed.
    id: String,
    file: PathBuf,
    children: Option<File>,
}

/// What is waited for, or was found; for the person who waits too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LockEvent {
    /// Another run has the lock, and gordon waits for it.
    Held(Subject, Holder),
    /// The run that had the lock is gone: gordon takes the lock over.
    Gone(Holder),
    /// Docker calls of a gordon that is gone are still at it, and are waited for.
    Children,
}

/// Why there is no lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LockError {
    /// Another run has it, and had it for as long as gordon waited.
    Held(Subject, Holder, Duration),
    /// A container that gordon did not make has the name of the lock.
    Taken(Subject),
    /// Docker calls of a gordon that is gone do not end.
    Children(Subject),
    /// The person no longer waits.
    Interrupted,
    /// Docker refused.
    Docker(DockerError),
    /// The file that docker calls inherit cannot be had, for this cause.
    File(PathBuf, String),
}

impl Subject {
    /// Its part in names; no project may have the proxy's.
    fn id(&self) -> &str {
        match self {
            Self::Project(project) => project.as_str(),
            Self::Proxy => PROXY,
        }
    }

    /// The command that removes its lock.
    fn unlock(&self) -> &'static str {
        match self {
            Self::Project(_) => "gordon unlock",
            Self::Proxy => "gordon unlock --proxy",
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Project(project) => write!(f, "project {project}"),
            Self::Proxy => f.write_str("the proxy of all projects"),
        }
    }
}

impl LockError {
    /// What to do about it, where that is known.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Held(subject, _, waited) => {
                let wait = match *waited {
                    Duration::ZERO => "`--wait` waits for the end".to_owned(),
                    waited => format!(
                        "`--wait={}` waits longer",
                        humantime::format_duration(waited.saturating_mul(2))
                    ),
                };
                Some(format!("{wait}; `{}` removes the lock of a run that is gone", subject.unlock()))
            }
            Self::Taken(subject) => Some(format!(
                "rename it or remove it (`docker rename {} …`): gordon needs this name",
                name(subject)
            )),
            Self::Children(subject) => Some(format!(
                "`ps -ef` shows them: wait for them, or end them; `{}` goes on without them",
                subject.unlock()
            )),
            Self::Interrupted => None,
            Self::Docker(error) => error.hint(),
            Self::File(path, _) => Some(format!(
                "gordon keeps its locks where only this user may write: see whose `{}` is, and remove it, or let \
                 `XDG_RUNTIME_DIR` name a folder of this user",
                path.display()
            )),
        }
    }
}

impl fmt::Display for LockError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Held(subject, holder, Duration::ZERO) => {
                write!(f, "{subject}: another gordon is at work: {holder}")
            }
            Self::Held(subject, holder, waited) => {
                let waited = humantime::format_duration(*waited);
                write!(f, "{subject}: after {waited}, another gordon is still at work: {holder}")
            }
            Self::Taken(subject) => {
                write!(f, "container `{}` is on this host already, and gordon did not make it", name(subject))
            }
            Self::Children(subject) => {
                write!(f, "{subject}: docker commands of a gordon that is gone are still running")
            }
            Self::Interrupted => f.write_str("stopped while waiting for the lock"),
            Self::Docker(error) => error.fmt(f),
            Self::File(path, cause) => write!(f, "{}: {cause}", path.display()),
        }
    }
}

impl std::error::Error for LockError {}

impl From<DockerError> for LockError {
    fn from(error: DockerError) -> Self {
        Self::Docker(error)
    }
}

impl fmt::Display for LockEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Held(subject, holder) => {
                write!(f, "waiting for another gordon, at work on {subject}: {holder}")
            }
            Self::Gone(holder) => {
                write!(f, "an earlier gordon was cut off, and its lock is taken over: {holder}")
            }
            Self::Children => f.write_str("waiting for docker commands that a gordon left behind"),
        }
    }
}

/// Takes the lock of `subject`; waits up to `wait` while another run has it. A lock whose holder has exited is taken
/// over, once that holder's docker processes have finished. `interrupt` ends all waiting; `emit` gets what is waited for.
///
/// # Errors
/// When another run has it for longer than `wait`, when the person interrupts, or when docker refuses.
pub fn take<'a>(
    docker: &'a Docker,
    subject: &Subject,
    wait: Duration,
    interrupt: &AtomicBool,
    emit: &mut dyn FnMut(&LockEvent),
) -> Result<Lock<'a>, LockError> {
    let here = Holder::this_process();
    let path = file(docker, subject)?;
    let (mut begin, mut told) = (None, None);
    loop {
        if let Some(id) = create(docker, subject, &here)? {
            let mut lock = Lock { docker, id, file: path.clone(), children: None };
            lock.children = Some(children(docker, subject, &path, interrupt, emit)?);
            return Ok(lock);
        }
        // none: it was released meanwhile
        if let Some((id, holder)) = holder(docker, subject)? {
            if holder.is_gone(&here, &holder::life) {
                emit(&LockEvent::Gone(holder));
                children(docker, subject, &path, interrupt, emit)?;
                remove(docker, &id)?;
                continue;
            }
            let begin = *begin.get_or_insert(docker.now());
            if docker.now() - begin >= wait {
                return Err(LockError::Held(subject.clone(), holder, wait));
            }
            if told.as_ref() != Some(&id) {
                emit(&LockEvent::Held(subject.clone(), holder));
                told = Some(id);
            }
        }
        docker.pause(EVERY);
        if interrupt.load(Ordering::Relaxed) {
            return Err(LockError::Interrupted);
        }
    }
}

/// The run that has the lock of `subject`; `None` when it is free.
///
/// # Errors
/// When docker refuses, or a foreign container has the lock's name.
pub fn look(docker: &Docker, subject: &Subject) -> Result<Option<Holder>, LockError> {
    Ok(holder(docker, subject)?.map(|(_, holder)| holder))
}

/// The run that works on `subject` now; `None` when there is none, also when the lock is that of a run that is gone.
///
/// # Errors
/// When docker refuses, or a foreign container has the lock's name.
pub fn at_work(docker: &Docker, subject: &Subject) -> Result<Option<Holder>, LockError> {
    let here = Holder::this_process();
    Ok(look(docker, subject)?.filter(|holder| !holder.is_gone(&here, &holder::life)))
}

/// Removes the lock of `subject`, and returns the run that had it; `None` when it was free.
///
/// # Errors
/// When docker refuses.
pub fn unlock(docker: &Docker, subject: &Subject) -> Result<Option<Holder>, LockError> {
    let held = holder(docker, subject)?;
    let path = file(docker, subject)?;
    children::forget(&path).map_err(|e| LockError::File(path, e.to_string()))?;
    let Some((id, holder)) = held else { return Ok(None) };
    remove(docker, &id)?;
    Ok(Some(holder))
}

impl Lock<'_> {
    /// Gives the lock back, as dropping it does, and tells what goes wrong.
    ///
    /// # Errors
    /// When docker refuses; the lock is then still there, and broken once this process is gone.
    pub fn release(mut self) -> Result<(), DockerError> {
        self.give_back()
    }

    fn give_back(&mut self) -> Result<(), DockerError> {
        // before the name is free: the next gordon should not find it held
        if self.children.take().is_some() {
            children::tidy_up(&self.file);
        }
        let id = std::mem::take(&mut self.id);
        if id.is_empty() { Ok(()) } else { remove(self.docker, &id) }
    }
}

impl Drop for Lock<'_> {
    fn drop(&mut self) {
        // an error is left: the next gordon finds that this process is gone
        let _ = self.give_back();
    }
}

/// The name of the container that is the lock of `subject`.
pub fn name(subject: &Subject) -> String {
    format!("{PREFIX}{}", subject.id())
}

/// Whether a container of this name is a lock, whoever has it.
pub fn is_lock(name: &Container) -> bool {
    name.as_str().starts_with(PREFIX)
}

/// The file that docker calls inherit while `subject` is worked on.
fn file(docker: &Docker, subject: &Subject) -> Result<PathBuf, LockError> {
    let engine = docker.ask(&Command::new(["info", "--format", ENGINE]))?;
    let folder = children::folder().map_err(|(path, e)| LockError::File(path, e.to_string()))?;
    Ok(children::path(&folder, subject.id(), engine.trim()))
}

/// Makes the container that is the lock, and gives its id; `None` when there is one.
fn create(docker: &Docker, subject: &Subject, here: &Holder) -> Result<Option<String>, DockerError> {
    let mut command =
        Command::new(["create", "--pull", "never", "--network", "none", "--name", &name(subject)]);
    let kind = format!("{}={KIND}", key::KIND);
    let maker = format!("{}={}", key::MAKER, subject.id());
    command.extend(
        [kind, maker].into_iter().chain(here.labels()).flat_map(|label| ["--label".to_owned(), label]),
    );
    // docker wants a command, and never runs it
    command.extend([IMAGE, "lock"]);
    let mut outcome = docker.docker(&command, LIMIT, &mut |_| {});
    if !outcome.is_success() && outcome.stderr.to_lowercase().contains("no such image") {
        let empty = String::from_utf8(EMPTY_ARCHIVE.to_vec()).expect("zeros are text");
        docker.ask(&Command { stdin: Some(empty), ..Command::new(["import", "-", IMAGE]) })?;
        outcome = docker.docker(&command, LIMIT, &mut |_| {});
    }
    if outcome.is_success() {
        Ok(Some(outcome.stdout.trim().to_owned()))
    } else if outcome.stderr.contains("already in use") {
        Ok(None)
    } else {
        Err(docker.failed(&command, &outcome))
    }
}

/// The id of the container that is the lock, and who made it.
fn holder(docker: &Docker, subject: &Subject) -> Result<Option<(String, Holder)>, LockError> {
    let format = "[{{json .Id}},{{json .Config.Labels}}]";
    let question = Command::new(["container", "inspect", "--format", format, &name(subject)]);
    let answer = docker.ask_about_some(&question)?;
    let answer: Option<(String, Option<BTreeMap<String, String>>)> = serde_json::from_str(&answer).ok();
    let Some((id, labels)) = answer else { return Ok(None) };
    let labels = labels.unwrap_or_default();
    if labels.get(key::KIND).is_none_or(|kind| kind != KIND) {
        return Err(LockError::Taken(subject.clone()));
    }
    Ok(Some((id, Holder::parse(&labels))))
}

/// Removes the container of this id; another gordon may have done so already.
fn remove(docker: &Docker, id: &str) -> Result<(), DockerError> {
    docker.ask_about_some(&Command::new(["rm", "--force", id])).map(drop)
}

/// The lock that docker calls inherit, once it is free.
fn children(
    docker: &Docker,
    subject: &Subject,
    path: &Path,
    interrupt: &AtomicBool,
    emit: &mut dyn FnMut(&LockEvent),
) -> Result<File, LockError> {
    let try_lock = || {
        children::try_lock(path).map_err(|e: io::Error| LockError::File(path.to_path_buf(), e.to_string()))
    };
    if let Some(file) = try_lock()? {
        return Ok(file);
    }
    emit(&LockEvent::Children);
    let begin = docker.now();
    while docker.now() - begin < CHILDREN {
        docker.pause(EVERY_CHILD);
        if let Some(file) = try_lock()? {
            return Ok(file);
        }
        if interrupt.load(Ordering::Relaxed) {
            return Err(LockError::Interrupted);
        }
    }
    Err(LockError::Children(subject.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::docker::tests::fake;

    /// The file of a project's lock on an engine that gives these answers about itself.
    fn file_on(id: &str, host: &str, folder: &str) -> PathBuf {
        let scene = tempfile::tempdir().expect("a folder");
        let fill =
            format!("s|{{{{.ID}}}}|{id}|; s|{{{{.Name}}}}|{host}|; s|{{{{.DockerRootDir}}}}|{folder}|");
        let docker = fake(scene.path(), &format!("for format; do :; done; echo \"$format\" | sed '{fill}'"));
        let subject = Subject::Project(Project::parse("shop").expect("a project"));
        file(&docker, &subject).expect("docker answers")
    }

    #[test]
    fn engines_with_one_id_do_not_wait_for_each_other_s_docker_calls() {
        let engine = file_on("ABCD", "h1", "/var/lib/docker");
        assert_eq!(file_on("ABCD", "h1", "/var/lib/docker"), engine);
        assert_ne!(file_on("ABCD", "h1", "/srv/docker"), engine, "a second engine of the machine");
        assert_ne!(file_on("ABCD", "h2", "/var/lib/docker"), engine, "a copy of the machine");
        assert_ne!(file_on("EFGH", "h1", "/var/lib/docker"), engine);
    }
}
