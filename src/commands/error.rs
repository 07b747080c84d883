//! Why a subcommand failed: its messages and the exit status.

use crate::render::Text;
use crate::sys::docker::DockerError;
use crate::sys::files::FileError;
use crate::sys::lock::LockError;
use crate::sys::observe::ObserveError;
use crate::sys::terminal::say;
use anstyle::AnsiColor;
use std::process::ExitCode;

/// How a subcommand ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// All is done.
    Done,
    /// Something failed.
    Failed,
    /// The use or the config is wrong.
    Wrong,
    /// `plan --exit-code` found something to do.
    Changes,
    /// The person pressed Ctrl-C.
    Interrupted,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Done => 0,
            Exit::Failed => 1,
            Exit::Wrong => 2,
            Exit::Changes => 3,
            Exit::Interrupted => 130,
        })
    }
}

/// Why a subcommand failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandError {
    exit: Exit,
    messages: Vec<(String, Option<String>)>,
}

impl CommandError {
    /// A mistake on the command line or in a file.
    pub fn wrong(message: impl Into<String>) -> Self {
        Self { exit: Exit::Wrong, messages: vec![(message.into(), None)] }
    }

    /// A failure while it ran.
    pub fn failed(message: impl Into<String>) -> Self {
        Self { exit: Exit::Failed, messages: vec![(message.into(), None)] }
    }

    /// A failure whose messages have been printed already.
    pub fn reported(exit: Exit) -> Self {
        Self { exit, messages: Vec::new() }
    }

    /// Adds a hint to the last message, where there is one: a sentence without a full stop.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<Option<String>>) -> Self {
        if let Some((_, last)) = self.messages.last_mut() {
            *last = hint.into();
        }
        self
    }

    /// The messages of both.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.messages.extend(other.messages);
        self
    }

    /// The messages as they are printed.
    pub fn text(&self) -> Text {
        let mut text = Text::default();
        for (message, hint) in &self.messages {
            write(&mut text, AnsiColor::Red, "error", message, hint.as_deref());
        }
        text
    }

    /// How the subcommand ended.
    pub fn exit(&self) -> Exit {
        self.exit
    }
}

impl From<FileError> for CommandError {
    fn from(error: FileError) -> Self {
        Self::wrong(error.to_string()).hint(error.hint())
    }
}

impl From<DockerError> for CommandError {
    fn from(error: DockerError) -> Self {
        Self::failed(error.to_string()).hint(error.hint())
    }
}

impl From<ObserveError> for CommandError {
    fn from(error: ObserveError) -> Self {
        Self::failed(error.to_string()).hint(error.hint())
    }
}

impl From<LockError> for CommandError {
    fn from(error: LockError) -> Self {
        let exit = if error == LockError::Interrupted { Exit::Interrupted } else { Exit::Failed };
        Self { exit, messages: vec![(error.to_string(), error.hint())] }
    }
}

/// Prints a warning with a hint.
pub(super) fn warn(message: &str, hint: &str) {
    let mut text = Text::default();
    write(&mut text, AnsiColor::Yellow, "warning", message, Some(hint));
    say(&text);
}

/// A message, whose further lines are indented, and its hint.
fn write(text: &mut Text, colour: AnsiColor, what: &str, message: &str, hint: Option<&str>) {
    text.styled(colour.on_default().bold(), what).add(": ");
    for (i, line) in message.lines().enumerate() {
        text.add(if i == 0 { "" } else { "    " }).line(line);
    }
    if let Some(hint) = hint {
        text.add("  hint: ").line(hint);
    }
}
