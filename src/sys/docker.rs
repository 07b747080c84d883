//! The docker binary: finds it, and runs commands with it. Does not know what they are for.

use super::host::Engine;
use super::process::Process;
use crate::apply;
use crate::apply::Concealment;
use crate::apply::End;
use crate::apply::Machine;
use crate::apply::Outcome;
use crate::apply::Unreachable;
use crate::docker::Cli;
use crate::docker::Command;
use crate::name::EnvKey;
use crate::spec::Secret;
use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::Path;
use std::path::PathBuf;
use std::thread;
use std::time::Duration;
use std::time::Instant;

/// How long docker may take to answer a question. Over ssh it gives up by itself after 62 s, and only then says why.
const QUERY_TIMEOUT: Duration = Duration::from_secs(75);

/// How many bytes docker may answer; a host with 10,000 containers takes a tenth of it.
const LONGEST_ANSWER: usize = 512 << 20;

/// A docker call works for milliseconds, a quarter of which its garbage collector would take. The limit brings the
/// collector back where an answer is large.
const SHORT_LIVED: [(&str, &str); 2] = [("GOGC", "off"), ("GOMEMLIMIT", "256MiB")];

/// The docker binary, for one config.
#[derive(Clone, Debug)]
pub struct Docker {
    cli: Cli,
    binary: PathBuf,
    folder: PathBuf,
    secrets: BTreeMap<EnvKey, Secret>,
    concealment: Concealment,
    began: Instant,
}

/// Why docker does not do what it is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DockerError {
    /// There is no such binary.
    NotFound {
        /// The binary, as it was named.
        binary: String,
    },
    /// The folder of the config has no path.
    Folder(String),
    /// It is elsewhere, and out of ssh's reach.
    Unreachable(Unreachable),
    /// It did not answer, or refused to.
    Failed {
        /// What was asked, in a few words.
        asked: String,
        /// How that ended.
        end: End,
        /// Docker's words, as they may be shown.
        said: String,
        /// What to do about it, where that is known.
        hint: Option<String>,
    },
}

impl DockerError {
    /// What to do about it, where that is known.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NotFound { binary } if binary.contains('/') => {
                Some("`--docker` names the docker binary".to_owned())
            }
            Self::NotFound { .. } => Some(
                "install docker, or name its binary with `--docker`; with `--offline`, `plan` and `routes` need none"
                    .to_owned(),
            ),
            Self::Folder(_) => None,
            Self::Unreachable(unreachable) => Some(unreachable.hint.clone()),
            Self::Failed { hint, .. } => hint.clone(),
        }
    }
}

impl fmt::Display for DockerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound { binary } if binary.contains('/') => {
                write!(f, "`{binary}` is not there, or cannot be run")
            }
            Self::NotFound { binary } => write!(f, "`{binary}` is not on the path"),
            Self::Folder(cause) => write!(f, "the folder of the config: {cause}"),
            Self::Unreachable(unreachable) => f.write_str(&unreachable.message),
            Self::Failed { asked, end, said, .. } if said.is_empty() => write!(f, "{asked}: {end}"),
            Self::Failed { asked, end, said, .. } => write!(f, "{asked}: {end}: {said}"),
        }
    }
}

impl std::error::Error for DockerError {}

impl Docker {
    /// The docker that `cli` names, for a config whose paths begin in `folder`.
    ///
    /// # Errors
    /// When there is no such binary.
    pub fn find(cli: Cli, folder: &Path) -> Result<Self, DockerError> {
        let binary =
            which::which(&cli.binary).map_err(|_| DockerError::NotFound { binary: cli.binary.clone() })?;
        let folder =
            std::path::absolute(folder).map_err(|e: io::Error| DockerError::Folder(e.to_string()))?;
        let (secrets, concealment) = Default::default();
        Ok(Self { cli, binary, folder, secrets, concealment, began: Instant::now() })
    }

    /// The same with `secrets`, each for the commands that name it and for no other.
    pub fn with_secrets(self, secrets: BTreeMap<EnvKey, Secret>) -> Self {
        let concealment = Concealment::of(secrets.values());
        Self { secrets, concealment, ..self }
    }

    /// How it is called.
    pub fn cli(&self) -> &Cli {
        &self.cli
    }

    /// Where its engine is.
    pub fn engine(&self) -> Engine {
        Engine::of(&self.cli)
    }

    /// What docker answers to `command`.
    ///
    /// # Errors
    /// When it fails, or does not answer in time.
    pub fn ask(&self, command: &Command) -> Result<String, DockerError> {
        let outcome = self.question(command);
        if outcome.is_success() { Ok(outcome.stdout) } else { Err(self.failed(command, &outcome)) }
    }

    /// What docker answers to `command`, which inspects several things: about those that are there.
    ///
    /// # Errors
    /// When it fails for another reason than that some are not there, or does not answer in time.
    pub fn ask_about_some(&self, command: &Command) -> Result<String, DockerError> {
        let outcome = self.question(command);
        let is_partial = outcome.end == End::Status(1) && outcome.stderr.lines().all(says_missing);
        if outcome.is_success() || is_partial {
            Ok(outcome.stdout)
        } else {
            Err(self.failed(command, &outcome))
        }
    }

    /// What docker answers to `command`, where that does not take longer than `limit`; nothing when it fails.
    pub fn ask_briefly(&self, command: &Command, limit: Duration) -> Option<String> {
        let outcome = self.run(command, limit, &mut |_| {});
        outcome.is_success().then_some(outcome.stdout)
    }

    fn question(&self, command: &Command) -> Outcome {
        self.run(command, QUERY_TIMEOUT, &mut |_| {})
    }

    fn run(&self, command: &Command, limit: Duration, line: &mut dyn FnMut(&str)) -> Outcome {
        let context = self.cli.prefix().into_iter().skip(1);
        let secrets = command.secrets.iter().filter_map(|key| self.secrets.get_key_value(key));
        let secrets = secrets.map(|(key, secret)| (key.as_str(), secret.reveal()));
        Process {
            program: &self.binary,
            arguments: context.chain(command.argv(&self.folder)).collect(),
            folder: &self.folder,
            environment: secrets.chain(SHORT_LIVED).collect(),
            stdin: command.stdin.as_deref(),
            limit,
            most: LONGEST_ANSWER,
        }
        .run(line)
    }

    /// The error of a `command` that ended so.
    pub(super) fn failed(&self, command: &Command, outcome: &Outcome) -> DockerError {
        let words = command.argv(&self.folder);
        let words = words.iter().take_while(|word| !word.starts_with('-')).take(2).cloned();
        let asked = self.cli.prefix().into_iter().chain(words).collect::<Vec<_>>().join(" ");
        let (end, said) = (&outcome.end, outcome.stderr.trim());
        let engine = self.engine();
        if let Some(unreachable) = apply::unreachable(engine.ssh_destination(), said) {
            let message = self.concealment.conceal(&unreachable.message);
            return DockerError::Unreachable(Unreachable { message, ..unreachable });
        }
        DockerError::Failed {
            asked,
            end: end.clone(),
            said: self.concealment.conceal(said),
            hint: hint(end, said),
        }
    }
}

impl Machine for Docker {
    fn docker(&self, command: &Command, limit: Duration, line: &mut dyn FnMut(&str)) -> Outcome {
        self.run(command, limit, line)
    }

    fn argv(&self, command: &Command) -> Vec<String> {
        self.cli.prefix().into_iter().chain(command.argv(&self.folder)).collect()
    }

    fn now(&self) -> Duration {
        self.began.elapsed()
    }

    fn pause(&self, time: Duration) {
        thread::sleep(time);
    }
}

/// What to do when docker does not answer a question, and `said` this.
fn hint(end: &End, said: &str) -> Option<String> {
    apply::connection_hint(end, said).or_else(|| match end {
        End::TimedOut(_) => Some("docker does not answer: `docker info` shows whether it is well".to_owned()),
        _ => None,
    })
}

/// Whether docker says with this line that something that was asked for by name is not there, and no more.
fn says_missing(line: &str) -> bool {
    let line = line.trim().to_lowercase();
    line.is_empty()
        || line.starts_with("error") && line.contains("no such ")
        || line.starts_with("error response from daemon: container ") && line.ends_with(" is not running")
        || line.starts_with("error response from daemon: network ") && line.ends_with(" not found")
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A docker that does what `script` says, in the context `far`.
    pub(in crate::sys) fn fake(folder: &Path, script: &str) -> Docker {
        let binary = folder.join("docker");
        // written by a process of its own: a file that another test's child still has open for writing cannot be run
        let write = ["-c", "cat > \"$0\" && chmod +x \"$0\"", &binary.display().to_string()];
        duct::cmd("sh", write).stdin_bytes(format!("#!/bin/sh\n{script}\n")).run().expect("a script");
        let cli = Cli { binary: binary.display().to_string(), context: Some("far".to_owned()) };
        Docker::find(cli, folder).expect("it is there")
    }

    fn key(name: &str) -> EnvKey {
        EnvKey::parse(name).expect("a key")
    }

    #[test]
    fn docker_is_read_as_it_writes_and_only_its_errors_are_shown_without_secrets() {
        let folder = tempfile::tempdir().expect("a folder");
        let docker = fake(folder.path(), "echo 0123456789ab; echo bad hunter2 0123 >&2; exit ${1#--}");
        let docker = Docker { cli: Cli { context: None, ..docker.cli }, ..docker };
        let docker = docker
            .with_secrets([(key("PW"), Secret::new("hunter2")), (key("ID"), Secret::new("0123"))].into());
        let mut lines = Vec::new();
        let command = Command::new(["--1"]);
        let outcome =
            Machine::docker(&docker, &command, QUERY_TIMEOUT, &mut |line| lines.push(line.to_owned()));
        assert_eq!(
            (outcome.stdout.as_str(), outcome.stderr.as_str()),
            ("0123456789ab\n", "bad hunter2 0123\n")
        );
        lines.sort();
        assert_eq!(lines, ["0123456789ab", "bad hunter2 0123"]);
        assert_eq!(docker.ask(&Command::new(["--0"])).as_deref(), Ok("0123456789ab\n"));
        let error = docker.ask(&command).expect_err("it fails").to_string();
        assert!(error.ends_with("exit status 1: bad … …"), "{error}");
    }

    #[test]
    fn a_hint_does_not_depend_on_what_a_secret_is() {
        let folder = tempfile::tempdir().expect("a folder");
        let docker = fake(folder.path(), "echo 'Cannot connect to the Docker daemon' >&2; exit 1")
            .with_secrets([(key("PW"), Secret::new("connect"))].into());
        let error = docker.ask(&Command::new(["ps"])).expect_err("no engine answers");
        assert!(error.to_string().ends_with("Cannot … to the Docker daemon"), "{error}");
        assert!(error.hint().is_some_and(|hint| hint.starts_with("start the docker daemon")));
    }

    #[test]
    fn a_binary_that_is_not_there_is_named() {
        let find = |binary: &str| {
            let cli = Cli { binary: binary.to_owned(), context: None };
            Docker::find(cli, Path::new("/")).expect_err("there is none")
        };
        assert_eq!(find("no-docker-here").to_string(), "`no-docker-here` is not on the path");
        assert!(find("no-docker-here").hint().is_some_and(|hint| hint.contains("--offline")));
        assert_eq!(find("./no/docker").to_string(), "`./no/docker` is not there, or cannot be run");
    }

    #[test]
    fn a_secret_is_seen_by_the_commands_that_name_it_and_by_no_other() {
        let folder = tempfile::tempdir().expect("a folder");
        let secrets = [(key("GORDON_TEST_PW"), Secret::new("a b"))].into();
        let docker = fake(folder.path(), "printf '%s ' \"$@\"; echo \"${GORDON_TEST_PW-unset}\"")
            .with_secrets(secrets);
        let mut command = Command::new(["run", "--env", "GORDON_TEST_PW"]);
        assert_eq!(docker.ask(&command).as_deref(), Ok("--context far run --env GORDON_TEST_PW unset\n"));
        command.secrets.push(key("GORDON_TEST_PW"));
        assert_eq!(docker.ask(&command).as_deref(), Ok("--context far run --env GORDON_TEST_PW a b\n"));
        assert!(!docker.argv(&command).concat().contains("a b"));
    }

    #[test]
    fn a_command_runs_in_the_folder_of_the_config() {
        let folder = tempfile::tempdir().expect("a folder");
        let said = fake(folder.path(), "pwd").ask(&Command::new(["x"])).expect("it says where it is");
        let here = folder.path().canonicalize().expect("it is there");
        assert_eq!(said.trim_end(), here.display().to_string());
    }

    #[test]
    fn an_error_tells_what_was_asked_and_what_docker_says() {
        let folder = tempfile::tempdir().expect("a folder");
        let docker = fake(folder.path(), "echo 'Cannot connect to the Docker daemon' >&2; exit 1");
        let error = docker.ask(&Command::new(["network", "ls", "--quiet"])).expect_err("no engine answers");
        let binary = docker.cli().binary.as_str();
        assert_eq!(
            error.to_string(),
            format!("{binary} --context far network ls: exit status 1: Cannot connect to the Docker daemon")
        );
        assert!(error.hint().is_some_and(|hint| hint.starts_with("start the docker daemon")));
    }

    #[test]
    fn only_what_is_missing_may_be_missing_from_an_answer() {
        let folder = tempfile::tempdir().expect("a folder");
        let ask = |said: &str| {
            let docker = fake(folder.path(), &format!("echo here; echo '{said}' >&2; exit 1"));
            docker.ask_about_some(&Command::new(["inspect"])).is_ok()
        };
        for (said, is_fine) in [
            ("Error: No such image: nope", true),
            ("Error response from daemon: no such image: nope: No such image: nope:latest", true),
            ("Error response from daemon: No such container: 1", true),
            ("Error response from daemon: network 1 not found\nError: No such network: 2", true),
            ("Failed to initialize: context \"far\": context not found", false),
            ("dial unix /var/run/docker.sock: connect: no such file or directory", false),
            ("Error response from daemon: No such container: 1\nCannot connect to the Docker daemon", false),
        ] {
            assert_eq!(ask(said), is_fine, "{said}");
        }
    }
}
