//! The docker binary: finds it, and runs commands with it. Does not know what they are for.

use super::process::Process;
use crate::apply;
use crate::apply::End;
use crate::apply::Machine;
use crate::apply::Outcome;
use crate::docker::Cli;
use crate::docker::Command;
use crate::docker::Secret;
use crate::name::EnvKey;
use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::Path;
use std::path::PathBuf;
use std::thread;
use std::time::Duration;
use std::time::Instant;

/// How long docker may take to answer a question.
const PATIENCE: Duration = Duration::from_secs(60);

/// The docker binary, for one config.
#[derive(Clone, Debug)]
pub struct Docker {
    cli: Cli,
    binary: PathBuf,
    folder: PathBuf,
    secrets: BTreeMap<EnvKey, Secret>,
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
    /// It did not answer, or refused to.
    Failed {
        /// What was asked, in a few words.
        asked: String,
        /// How that ended.
        end: End,
        /// Docker's words.
        said: String,
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
                "install docker, or name its binary with `--docker`; `gordon plan --offline` needs none"
                    .to_owned(),
            ),
            Self::Folder(_) => None,
            Self::Failed { end, said, .. } => match (apply::connection_hint(end, said), end) {
                (Some(hint), _) => Some(hint.to_owned()),
                (None, End::TimedOut(_)) => {
                    Some("docker does not answer: `docker info` shows whether it is well".to_owned())
                }
                (None, _) => None,
            },
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
            Self::Failed { asked, end, said } if said.is_empty() => write!(f, "{asked}: {end}"),
            Self::Failed { asked, end, said } => write!(f, "{asked}: {end}: {said}"),
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
        Ok(Self { cli, binary, folder, secrets: BTreeMap::new(), began: Instant::now() })
    }

    /// The same with `secrets`, each for the commands that name it and for no other.
    pub fn with_secrets(self, secrets: BTreeMap<EnvKey, Secret>) -> Self {
        Self { secrets, ..self }
    }

    /// How it is called.
    pub fn cli(&self) -> &Cli {
        &self.cli
    }

    /// What docker answers to `command`.
    ///
    /// # Errors
    /// When it fails, or does not answer within a minute.
    pub fn ask(&self, command: &Command) -> Result<String, DockerError> {
        let outcome = self.docker(command, PATIENCE, &mut |_| {});
        if outcome.is_success() { Ok(outcome.stdout) } else { Err(self.failed(command, &outcome)) }
    }

    /// What docker answers to `command`, which inspects several things: about those that are there.
    ///
    /// # Errors
    /// When it fails for another reason than that some are not there, or does not answer within a minute.
    pub fn ask_about_some(&self, command: &Command) -> Result<String, DockerError> {
        let outcome = self.docker(command, PATIENCE, &mut |_| {});
        let is_partial = outcome.end == End::Status(1) && outcome.stderr.lines().all(says_missing);
        if outcome.is_success() || is_partial {
            Ok(outcome.stdout)
        } else {
            Err(self.failed(command, &outcome))
        }
    }

    /// The error of a `command` that ended so.
    pub(super) fn failed(&self, command: &Command, outcome: &Outcome) -> DockerError {
        let words = command.argv(&self.folder);
        let words = words.iter().take_while(|word| !word.starts_with('-')).take(2).cloned();
        let asked = self.cli.prefix().into_iter().chain(words).collect::<Vec<_>>().join(" ");
        DockerError::Failed { asked, end: outcome.end.clone(), said: outcome.stderr.trim().to_owned() }
    }
}

impl Machine for Docker {
    fn docker(&self, command: &Command, limit: Duration, line: &mut dyn FnMut(&str)) -> Outcome {
        let context = self.cli.prefix().into_iter().skip(1);
        let secrets = command.secrets.iter().filter_map(|key| self.secrets.get_key_value(key));
        Process {
            program: &self.binary,
            arguments: context.chain(command.argv(&self.folder)).collect(),
            folder: &self.folder,
            environment: secrets.map(|(key, secret)| (key.as_str(), secret.reveal())).collect(),
            stdin: command.stdin.as_deref(),
            limit,
        }
        .run(line)
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

/// Whether docker says with this line that something that was asked for by name is not there, and no more.
fn says_missing(line: &str) -> bool {
    let line = line.trim().to_lowercase();
    line.is_empty()
        || line.starts_with("error") && line.contains("no such ")
        || line.starts_with("error response from daemon: network ") && line.ends_with(" not found")
}
