//! A plan in a file: what `plan --out` saves, and `apply FILE` carries out or refuses. Does not know how a plan is made.

use super::CommandError;
use crate::docker::Cli;
use crate::plan::Options;
use crate::plan::Plan;
use crate::render;
use crate::sys::files;
use serde::Deserialize;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;

/// The version that is written, and the only one that is read.
const VERSION: u32 = 1;

/// A plan as it was saved, with what was asked for beside the config.
///
/// It is never turned back into a plan: it is compared with the one that is made anew. So nothing is carried out that
/// was not there to be read, and nothing that was written into the file by hand.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Saved {
    version: u32,
    recreate: BTreeSet<String>,
    replace: bool,
    #[serde(default)]
    leave_data: BTreeSet<String>,
    plan: Value,
}

impl Saved {
    /// `plan`, made with `options` for a config in `folder`.
    pub(super) fn of(plan: &Plan, options: &Options, cli: &Cli, folder: &Path) -> Self {
        let Options { recreate, replace, leave_data, .. } = options.clone();
        Self { version: VERSION, recreate, replace, leave_data, plan: value(plan, cli, folder) }
    }

    /// Reads a saved plan.
    ///
    /// # Errors
    /// When the file cannot be read, or is no such plan.
    pub(super) fn load(path: &Path) -> Result<Self, CommandError> {
        let text = files::read_plan(path)?;
        let wrong = |why: String| {
            CommandError::wrong(format!("`{}` is no saved plan: {why}", path.display()))
                .hint("`gordon plan --out FILE` saves one; `--file` names a config".to_owned())
        };
        let saved: Self = serde_json::from_str(&text).map_err(|e| wrong(e.to_string()))?;
        if saved.version == VERSION { Ok(saved) } else { Err(wrong(format!("version {}", saved.version))) }
    }

    /// The file's text.
    pub(super) fn text(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).expect("a saved plan is JSON");
        text.push('\n');
        text
    }

    /// What was asked for beside the config.
    pub(super) fn options(&self) -> Options {
        Options {
            recreate: self.recreate.clone(),
            replace: self.replace,
            leave_data: self.leave_data.clone(),
            ..Options::default()
        }
    }

    /// Whether `plan`, which was made just now, is the one that was saved.
    ///
    /// # Errors
    /// When it is another one.
    pub(super) fn expect(&self, plan: &Plan, cli: &Cli, folder: &Path) -> Result<(), CommandError> {
        if self.plan == value(plan, cli, folder) {
            return Ok(());
        }
        Err(CommandError::failed(
            "the saved plan is no longer true: the config or this host has changed since",
        )
        .hint("`gordon plan` shows what is to do now; with `--out` it saves it".to_owned()))
    }
}

/// All that there is to read of a plan.
fn value(plan: &Plan, cli: &Cli, folder: &Path) -> Value {
    let mut text = Vec::new();
    render::json::write(plan, cli, folder, &mut text).expect("memory takes everything");
    serde_json::from_slice(&text).expect("a plan is rendered as JSON")
}
