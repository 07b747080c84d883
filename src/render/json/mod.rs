//! A plan for machines: versioned, its shape published in `plans/plan.schema.json`. Does not know who reads it.

mod fact;
mod lines;

use super::block::Action;
use super::block::Thing;
use super::block::actions;
use super::block::subject;
use crate::docker;
use crate::docker::Cli;
use crate::docker::Command;
use crate::docker::Op;
use crate::docker::Word;
use crate::name::EnvKey;
use crate::plan;
use crate::plan::Plan;
use crate::plan::Reason;
use crate::plan::StepId;
use fact::Fact;
use lines::Lines;
use serde::Serialize;
use serde::Serializer;
use std::borrow::Cow;
use std::fmt::Display;
use std::io;
use std::path;
use std::path::Path;
use std::time::Duration;

/// What changes when a reader of today's plans could not read tomorrow's.
const VERSION: u32 = 1;

/// Writes the plan for a config in `folder` as JSON, with one line for each step.
///
/// # Errors
/// When `out` takes no more.
pub fn write(plan: &Plan, cli: &Cli, folder: &Path, out: &mut impl io::Write) -> io::Result<()> {
    let prefix = cli.prefix();
    let calls = Calls { prefix: &prefix, folder };
    let mut serializer = serde_json::Serializer::with_formatter(&mut *out, Lines::default());
    Document::of(plan, calls).serialize(&mut serializer)?;
    out.write_all(b"\n")
}

/// A plan of gordon's: docker commands in an order that brings a host to a config.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "Plan"))]
struct Document<'a> {
    /// The version of this format.
    version: u32,
    /// The project that the plan is for.
    project: &'a str,
    /// Where docker is called: paths in commands are relative to this folder, or absolute.
    #[serde(serialize_with = "text")]
    #[cfg_attr(test, schemars(with = "String"))]
    folder: path::Display<'a>,
    /// How docker is called: the words that every `argv` begins with.
    docker: &'a [String],
    /// What the plan takes for granted of the host; to be asked before anything is changed.
    #[serde(serialize_with = "expects")]
    #[cfg_attr(test, schemars(with = "Vec<Expect<'a>>"))]
    expects: &'a [plan::Expect],
    /// What a person should know, as sentences.
    notes: Vec<String>,
    /// What is left out, because it cannot be brought up.
    blocked: Vec<Blocked<'a>>,
    /// The data that containers which are replaced leave behind.
    left_data: Vec<LeftData<'a>>,
    /// What is done, each step after those that it needs.
    #[serde(serialize_with = "steps")]
    #[cfg_attr(test, schemars(with = "Vec<Step<'a>>"))]
    steps: Steps<'a>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Expect<'a> {
    /// One of these holds.
    #[serde(serialize_with = "facts")]
    #[cfg_attr(test, schemars(with = "Vec<Fact<'a>>"))]
    any: &'a [docker::Fact],
    /// What is wrong otherwise.
    otherwise: &'a str,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Blocked<'a> {
    /// The container that is left as it is.
    container: &'a str,
    /// The domain, group or project that it belongs to.
    owner: &'a str,
    /// What it lacks, as a sentence.
    reason: String,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct LeftData<'a> {
    /// The container, which is replaced.
    container: &'a str,
    /// The volume, which it mounts; its successor does not, nor does anything else that the config asks for.
    volume: &'a str,
}

impl<'a> LeftData<'a> {
    fn of(left: &'a plan::LeftData) -> Self {
        Self { container: left.container.as_str(), volume: left.volume.as_str() }
    }
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Step<'a> {
    /// Counted from 1, in the order of the steps.
    id: usize,
    /// The domain, group or project that it belongs to.
    owner: &'a str,
    /// What becomes of the thing.
    action: Action,
    /// What it is done to.
    kind: Thing,
    /// The thing's name.
    name: &'a str,
    /// What is done, in a few words.
    #[serde(serialize_with = "text")]
    #[cfg_attr(test, schemars(with = "String"))]
    title: &'a Op,
    /// Why, as a sentence.
    #[serde(serialize_with = "text")]
    #[cfg_attr(test, schemars(with = "String"))]
    reason: &'a Reason,
    /// What it costs the users of the thing.
    risk: Risk,
    /// The steps that are done before.
    #[serde(serialize_with = "numbers")]
    #[cfg_attr(test, schemars(with = "Vec<usize>"))]
    needs: &'a [StepId],
    /// The steps that are over before, however they ended.
    #[serde(serialize_with = "numbers")]
    #[cfg_attr(test, schemars(with = "Vec<usize>"))]
    after: &'a [StepId],
    /// It has nothing to do when one of these holds. A wait without any has nothing to do when none of the steps had that
    /// it needs; all else without any is always done.
    #[serde(serialize_with = "facts")]
    #[cfg_attr(test, schemars(with = "Vec<Fact<'a>>"))]
    unless: &'a [docker::Fact],
    /// The docker command; null for what only looks or waits.
    #[cfg_attr(test, schemars(with = "Option<Vec<String>>"))]
    argv: Option<Argv<'a>>,
    /// What the command reads from its standard input.
    stdin: Option<String>,
    /// The time after which the command is ended, and has failed; null without a command.
    limit_seconds: Option<u64>,
    /// Variables that the command takes from its environment; their values are nowhere in the plan.
    #[serde(serialize_with = "texts")]
    #[cfg_attr(test, schemars(with = "Vec<String>"))]
    secrets: Vec<EnvKey>,
    /// The pattern of an error of the command after which the step counts as done all the same; `*` matches anything.
    accepts: Option<String>,
    /// What is asked by a wait or a check.
    probe: Option<Probe<'a>>,
    /// What restores the state before, tried one after the other when the step fails.
    undo: Vec<Undo<'a>>,
    /// Whether it is done even when no other step may start any more, once the steps before it have started.
    uninterruptible: bool,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Undo<'a> {
    /// The docker command.
    #[cfg_attr(test, schemars(with = "Vec<String>"))]
    argv: Argv<'a>,
    /// The time after which the command is ended.
    limit_seconds: u64,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Probe<'a> {
    /// The question, as a docker command.
    #[cfg_attr(test, schemars(with = "Vec<String>"))]
    argv: Argv<'a>,
    /// The pattern that a good answer matches; `*` matches anything.
    ready: &'a str,
    /// What is asked as well once the answer is good; its own good answer is `ready`.
    #[cfg_attr(test, schemars(with = "Option<Vec<String>>"))]
    then: Option<Argv<'a>>,
    /// Patterns of answers after which waiting is useless.
    fatal: &'a [&'a str],
    /// How many good answers it takes on end.
    answers: u64,
    /// The time before the first question.
    first_seconds: f64,
    /// The time before each other.
    every_seconds: f64,
    /// The time after which the wait has failed with the next answer that is not good.
    timeout_seconds: f64,
    /// The time for which answers that are not good do not count.
    start_seconds: f64,
    /// After so many answers on end that are not good, and count, the wait has failed; null: however many they are.
    retries: Option<u8>,
    /// Whether it is done then all the same.
    lapses: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
enum Risk {
    /// Nothing.
    None,
    /// A running container pauses for about 0.3 s; no connection ends.
    Pauses,
    /// The container does not serve from here until its successor does.
    Interrupts,
    /// Something is removed for good.
    Removes,
}

/// How commands become words of the operating system.
#[derive(Clone, Copy)]
struct Calls<'a> {
    prefix: &'a [String],
    folder: &'a Path,
}

/// A docker command, its words written one by one.
struct Argv<'a> {
    calls: Calls<'a>,
    words: Vec<Word>,
}

struct Steps<'a> {
    steps: &'a [plan::Step],
    /// What becomes of the thing that each step is about.
    actions: Vec<Action>,
    calls: Calls<'a>,
}

impl<'a> Document<'a> {
    fn of(plan: &'a Plan, calls: Calls<'a>) -> Self {
        let actions = actions(plan);
        let blocked = |blocked: &'a plan::Blocked| Blocked {
            container: blocked.container.as_str(),
            owner: blocked.owner.as_str(),
            reason: blocked.cause.to_string(),
        };
        Self {
            version: VERSION,
            project: plan.project.as_str(),
            folder: calls.folder.display(),
            docker: calls.prefix,
            expects: &plan.expects,
            notes: plan.notes.iter().map(ToString::to_string).collect(),
            blocked: plan.blocked.iter().map(blocked).collect(),
            left_data: plan.left_data.iter().map(LeftData::of).collect(),
            steps: Steps { steps: plan.steps(), actions, calls },
        }
    }
}

impl<'a> Step<'a> {
    fn of(step: &'a plan::Step, action: Action, calls: Calls<'a>) -> Self {
        let (kind, name) = subject(&step.op);
        let Command { words, stdin, secrets } = step.op.command().unwrap_or_default();
        let has_command = !words.is_empty();
        Self {
            id: number(step.id),
            owner: step.owner.as_str(),
            action: match step.op {
                Op::Await(_) => Action::Wait,
                Op::ExpectVolumes { .. } => Action::Check,
                _ => action,
            },
            kind,
            name,
            title: &step.op,
            reason: &step.reason,
            risk: Risk::of(step.risk),
            needs: &step.needs,
            after: &step.after,
            unless: &step.unless,
            argv: has_command.then_some(Argv { calls, words }),
            stdin,
            limit_seconds: has_command.then(|| step.op.limit().as_secs()),
            secrets,
            accepts: match step.op.is_dispensable() {
                true => Some("*".to_owned()),
                false => step.op.needless().map(|error| format!("*{error}*")),
            },
            probe: step.op.probe().map(|probe| Probe::of(probe, calls)),
            undo: step
                .undo
                .iter()
                .filter_map(|op| Some((op.command()?, op.limit())))
                .map(|(command, limit)| Undo {
                    argv: Argv { calls, words: command.words },
                    limit_seconds: limit.as_secs(),
                })
                .collect(),
            uninterruptible: step.uninterruptible,
        }
    }
}

impl<'a> Probe<'a> {
    fn of(probe: docker::Probe, calls: Calls<'a>) -> Self {
        let seconds = |duration: Duration| duration.as_secs_f64();
        let answers = probe.answers();
        Self {
            argv: Argv { calls, words: probe.command.words },
            ready: probe.ready,
            then: probe.then.map(|command| Argv { calls, words: command.words }),
            fatal: probe.fatal,
            answers,
            first_seconds: seconds(probe.first),
            every_seconds: seconds(probe.every),
            timeout_seconds: seconds(probe.timeout),
            start_seconds: probe.patience.map_or(0.0, |patience| seconds(patience.start_period)),
            retries: probe.patience.map(|patience| patience.retries),
            lapses: probe.lapses,
        }
    }
}

impl Risk {
    fn of(risk: plan::Risk) -> Self {
        match risk {
            plan::Risk::None => Self::None,
            plan::Risk::Pauses => Self::Pauses,
            plan::Risk::Interrupts => Self::Interrupts,
            plan::Risk::Removes => Self::Removes,
        }
    }
}

fn number(id: StepId) -> usize {
    id.index() + 1
}

fn numbers<S: Serializer>(ids: &&[StepId], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(ids.iter().copied().map(number))
}

fn facts<S: Serializer>(facts: &&[docker::Fact], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(facts.iter().map(Fact::of))
}

fn expects<S: Serializer>(expects: &&[plan::Expect], serializer: S) -> Result<S::Ok, S::Error> {
    serializer
        .collect_seq(expects.iter().map(|expect| Expect { any: &expect.any, otherwise: &expect.otherwise }))
}

fn steps<S: Serializer>(steps: &Steps<'_>, serializer: S) -> Result<S::Ok, S::Error> {
    let with_actions = steps.steps.iter().zip(&steps.actions);
    serializer.collect_seq(with_actions.map(|(step, action)| Step::of(step, *action, steps.calls)))
}

fn text<S: Serializer>(text: &impl Display, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(text)
}

fn texts<S: Serializer>(texts: &[impl Display], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(texts.iter().map(ToString::to_string))
}

impl Serialize for Argv<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { calls, words } = self;
        let prefix = calls.prefix.iter().map(|word| Cow::Borrowed(word.as_str()));
        serializer.collect_seq(prefix.chain(words.iter().map(|word| word.resolve(calls.folder))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::sample;
    use crate::render::sample::assert_text;
    use serde_json::Value;
    use serde_json::json;

    fn written(plan: &Plan) -> String {
        let mut out = Vec::new();
        write(plan, &Cli::default(), Path::new("/srv/shop"), &mut out).expect("memory takes everything");
        String::from_utf8(out).expect("JSON is text")
    }

    #[test]
    fn a_plan_is_data_for_machines() {
        let plan: Value = serde_json::from_str(&written(&sample::first_start())).expect("JSON");
        assert_text!("render_json_first_start", serde_json::to_string_pretty(&plan).expect("JSON"));
        let plan: Value = serde_json::from_str(&written(&sample::change())).expect("JSON");
        let actions: Vec<&Value> =
            plan["steps"].as_array().expect("steps").iter().map(|s| &s["action"]).collect();
        assert_eq!(
            actions,
            [
                "replace", "replace", "replace", "wait", "replace", "update", "update", "update", "update",
                "remove", "remove", "remove", "remove"
            ]
        );
    }

    #[test]
    fn each_step_has_a_line_of_its_own() {
        let text = written(&sample::change());
        let ids: Vec<u64> = text
            .lines()
            .filter(|line| line.starts_with("{\"id\":"))
            .map(|line| line.trim_end_matches(['}', ',', ']']).to_owned() + "}]}")
            .map(|line| line.split([':', ',']).nth(1).expect("an id").parse().expect("a number"))
            .collect();
        assert_eq!(ids, (1..=13).collect::<Vec<_>>());
    }

    #[test]
    fn a_command_is_there_once_and_begins_with_the_docker_binary() {
        let cli = Cli { binary: "podman".to_owned(), context: Some("far".to_owned()) };
        let mut out = Vec::new();
        write(&sample::first_start(), &cli, Path::new("/srv/shop"), &mut out)
            .expect("memory takes everything");
        let plan: Value = serde_json::from_slice(&out).expect("JSON");
        for (step, op) in plan["steps"].as_array().expect("steps").iter().zip(sample::first_start().steps()) {
            match op.op.command() {
                Some(command) => {
                    let words = cli.prefix().into_iter().chain(command.argv(Path::new("/srv/shop")));
                    assert_eq!(step["argv"], Value::from_iter(words));
                }
                None => assert_eq!(step["argv"], Value::Null),
            }
        }
    }

    #[test]
    fn steps_that_leave_no_container_off_its_network_are_marked() {
        let plan: Value = serde_json::from_str(&written(&sample::change())).expect("JSON");
        let steps = plan["steps"].as_array().expect("steps").iter();
        let titles: Vec<&Value> =
            steps.filter(|step| step["uninterruptible"] == true).map(|step| &step["title"]).collect();
        assert_eq!(
            titles,
            [
                "disconnect shop-web from shop-frontend",
                "connect shop-web to shop-frontend",
                "unpause shop-web"
            ]
        );
    }

    #[test]
    fn a_pause_may_fail_and_so_may_the_end_of_one_that_has_failed() {
        let plan: Value = serde_json::from_str(&written(&sample::change())).expect("JSON");
        let steps = plan["steps"].as_array().expect("steps").iter();
        let accepting = steps.filter(|step| !step["accepts"].is_null());
        let accepting: Vec<Value> = accepting.map(|step| json!([step["title"], step["accepts"]])).collect();
        assert_eq!(
            accepting,
            [json!(["pause shop-web", "*"]), json!(["unpause shop-web", "*is not paused*"])]
        );
    }

    #[test]
    fn the_published_schema_is_true() {
        sample::assert_schema::<Document<'_>>("plans/plan.schema.json");
    }
}
