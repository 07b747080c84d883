//! What a project has on a host, and how that differs from its config: for people and for machines. The plan
//! says what differs. Does not know what time it is.

mod drift;
mod json;
mod text;

pub use json::write as json;
pub use text::render as text;

use crate::docker::Health;
use crate::docker::State;
use crate::plan::Member;
use crate::plan::Note;
use crate::plan::Status;
use std::time::Duration;
use std::time::SystemTime;

/// The word for what a container on the host does.
fn state(member: &Member<'_>, state: State) -> &'static str {
    match state {
        State::Exited if member.is_done => "done",
        State::Created => "created",
        State::Running => "running",
        State::Paused => "paused",
        State::Restarting => "restarting",
        State::Exited => "exited",
    }
}

/// The word for what a health check says, when there is one.
fn health(health: Health) -> Option<&'static str> {
    match health {
        Health::None => None,
        Health::Starting => Some("starting"),
        Health::Healthy => Some("healthy"),
        Health::Unhealthy => Some("unhealthy"),
    }
}

/// How long ago a container was made; not at all, by a clock that is behind.
fn age(member: &Member<'_>, now: SystemTime) -> Option<Duration> {
    let created = member.seen?.past.created?;
    Some(now.duration_since(created).unwrap_or_default())
}

/// What the plan notes about the host. What it notes about its own steps belongs to who reads those.
fn notes(status: &Status<'_>) -> Vec<String> {
    let is_of_the_host = |note: &&Note| match note {
        Note::Config(_)
        | Note::NotRolledOut { .. }
        | Note::AliasesAtOnce { .. }
        | Note::DataElsewhere { .. }
        | Note::VolumeInUse { .. } => false,
        Note::EnvInherited { .. }
        | Note::NetworkReused(_)
        | Note::VolumeReused(_)
        | Note::NetworkKept(_)
        | Note::VolumeKept(_)
        | Note::VolumesKept(_)
        | Note::FilesUnknown(_)
        | Note::EndlessLogs(_)
        | Note::NoHttp3
        | Note::NothingLeft { .. } => true,
    };
    let notes = status.drift.map_or(&[][..], |plan| &plan.notes);
    let notes = notes.iter().filter(is_of_the_host).map(ToString::to_string);
    notes
        .chain(status.unknown_secrets.iter().map(|key| {
            format!("secret `{key}` has no value here: whether containers have another one is not known")
        }))
        .collect()
}
