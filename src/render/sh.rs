//! A plan as a POSIX script that needs docker and a shell, and no gordon. Does not know why a step is there.

use super::prelude;
use super::words::call;
use super::words::either;
use super::words::fold;
use super::words::here;
use super::words::one_line;
use super::words::prefix;
use super::words::quote;
use crate::docker::Await;
use crate::docker::Cli;
use crate::docker::Command;
use crate::docker::Fact;
use crate::docker::Launch;
use crate::docker::Op;
use crate::name::EnvKey;
use crate::name::Image;
use crate::plan::Plan;
use crate::plan::Step;
use crate::spec::PROXY;
use crate::spec::Patience;
use std::collections::BTreeSet;
use std::fmt::Display;
use std::mem;
use std::time::Duration;

/// The rules of shellcheck that do not fit the script.
const LINTS: &str = "# shellcheck disable=SC2016 # text between single quotes is for other shells\n";

/// The lines before the first function: a script that was cut off does nothing, and says so.
const BEGIN: &str = "\
set -eu
trap 'echo \"refused, nothing was changed: this script is not whole\" >&2; exit 4' EXIT";

/// The column where the steps begin, inside of `main`.
const BODY: usize = 2;

/// The script that carries out a plan.
///
/// It asks what the plan takes for granted and refuses otherwise, with exit status 4 and nothing changed; then it goes
/// through the steps, passes over those that have nothing to do, and ends with exit status 1 at the first that fails.
/// Paths are relative to the folder that it is run in. Nothing runs before the shell has read the last line.
pub fn render(plan: &Plan, cli: &Cli) -> String {
    let mut script = Script::new(cli);
    script.line("trap - EXIT");
    if plan.is_empty() {
        let text = script.call("say", &[format!("{}: nothing to do", plan.project)], BODY);
        script.line(&text);
    } else {
        script.line(&format!("_steps={} _step=0 _open='' _ran=' ' _count=0", plan.steps().len()));
        let secrets: Vec<&str> = secrets(plan).into_iter().map(EnvKey::as_str).collect();
        if !secrets.is_empty() {
            script.line(&format!("_secrets={}", quote(&secrets.join(" "))));
        }
        script.line("expectations");
        for step in plan.steps() {
            script.step(step);
        }
        let finish = script.name("finish");
        script.paragraph();
        script.line(finish);
    }
    for blocked in &plan.blocked {
        let text = script.call("say", &[one_line(&format!("left out: {blocked}"))], BODY);
        script.line(&text);
    }
    if !plan.blocked.is_empty() {
        script.line("exit 1");
    }
    let mut functions = vec![format!("main() {{\n{}}}", mem::take(&mut script.text))];
    if !plan.is_empty() {
        script.checks(plan);
        let checks = mem::take(&mut script.text);
        functions
            .push(format!("# expectations: what the plan takes for granted\nexpectations() {{\n{checks}}}"));
    }
    for (i, text) in script.undos.iter().enumerate() {
        let name = numbered("go_back", i);
        let what = "puts back what was there before a step that failed, and ends the script";
        functions.push(format!("# {name}: {what}\n{name}() {{\n{text}}}"));
    }
    for (i, text) in script.routes.iter().enumerate() {
        let (name, (feed, body)) = (numbered("routes", i), here(text));
        let what = "what the proxy is to have of a project";
        functions.push(format!("# {name}: {what}\n{name}() {{\n  cat{feed}{body}\n}}"));
    }
    let docker = format!(" {} ", prefix(cli));
    functions.extend(prelude::of(script.called).map(|text| match prelude::names_docker(text) {
        true => text.replace(" docker ", &docker),
        false => text.to_owned(),
    }));
    format!("{}{LINTS}{BEGIN}\n\n{}\n\nmain \"$@\"\n", header(plan), functions.join("\n\n"))
}

/// The name of the `i`th of the functions that are alike.
fn numbered(name: &str, i: usize) -> String {
    if i == 0 { name.to_owned() } else { format!("{name}_{}", i + 1) }
}

/// The place of a text among those that are written once, at the end when it is new.
fn position(texts: &mut Vec<String>, text: &str) -> usize {
    texts.iter().position(|known| known == text).unwrap_or_else(|| {
        texts.push(text.to_owned());
        texts.len() - 1
    })
}

/// Whether a fact says that the container which `op` makes is there already, as `op` makes it.
fn is_of_launch(fact: &Fact, op: &Op) -> bool {
    match (op, fact) {
        (Op::Run(launch) | Op::Create(launch), Fact::Current(current)) => current.name == launch.name,
        (Op::Run(_) | Op::Create(_), Fact::Proxy { .. }) => true,
        _ => false,
    }
}

/// The comment at the top: what the script does.
fn header(plan: &Plan) -> String {
    let mut lines = vec!["#!/bin/sh".to_owned()];
    let mut say = |text: &str| lines.push(if text.is_empty() { "#".to_owned() } else { format!("# {text}") });
    match plan.steps().len() {
        0 => say(&format!("What gordon planned for project {}: nothing to do.", plan.project)),
        1 => say(&format!("What gordon planned for project {}: 1 step.", plan.project)),
        count => say(&format!("What gordon planned for project {}: {count} steps.", plan.project)),
    }
    if !plan.is_empty() {
        say("");
        say("Run it from the folder of the config. It needs docker and a POSIX shell, nothing else.");
        let secrets: Vec<&str> = secrets(plan).into_iter().map(EnvKey::as_str).collect();
        if !secrets.is_empty() {
            say(&format!("In its environment it needs {}.", secrets.join(", ")));
        }
        say("");
        say(
            "It first asks whether the host is as the plan takes for granted, and changes nothing when it is not. Then",
        );
        say(
            "it goes through the steps and passes over those that have nothing to do: it can be run again at any time.",
        );
        say(
            "The steps come first, the functions that they call below. Nothing runs before the last line is read.",
        );
        say("");
        say(
            "Exit status: 0 done; 1 a step failed, or something was left out; 4 refused, and nothing was changed.",
        );
    }
    if !plan.is_empty() {
        say("");
    }
    let digits = plan.steps().len().to_string().len();
    for step in plan.steps() {
        say(&format!("  {:>digits$}  {}", step.id.index() + 1, one_line(&step.op.to_string())));
    }
    if !plan.notes.is_empty() || !plan.blocked.is_empty() {
        say("");
    }
    for note in &plan.notes {
        say(&format!("Note: {}.", one_line(&note.to_string())));
    }
    for blocked in &plan.blocked {
        say(&format!("Left out: {}.", one_line(&blocked.to_string())));
    }
    lines.join("\n") + "\n"
}

/// The secrets that a plan's commands take from the environment.
fn secrets(plan: &Plan) -> BTreeSet<&EnvKey> {
    launches(plan).flat_map(|launch| &launch.runtime.secrets).collect()
}

fn launches(plan: &Plan) -> impl Iterator<Item = &Launch> {
    plan.steps().iter().filter_map(|step| match &step.op {
        Op::Run(launch) | Op::Create(launch) => Some(&**launch),
        _ => None,
    })
}

/// The function `main` of a script.
struct Script<'a> {
    cli: &'a Cli,
    text: String,
    /// The functions that it calls.
    called: BTreeSet<&'static str>,
    /// What it undoes when a step fails, each text once.
    undos: Vec<String>,
    /// The routes that it speaks of, each text once.
    routes: Vec<String>,
}

impl<'a> Script<'a> {
    fn new(cli: &'a Cli) -> Self {
        Self { cli, text: String::new(), called: BTreeSet::new(), undos: Vec::new(), routes: Vec::new() }
    }

    /// A command, whose further lines are indented already.
    fn line(&mut self, command: &str) {
        self.text.push_str(&format!("{:BODY$}{command}\n", ""));
    }

    /// An empty line.
    fn paragraph(&mut self) {
        self.text.push('\n');
    }

    /// A function of the prelude, which the script then has.
    fn name(&mut self, function: &'static str) -> &'static str {
        self.called.insert(function);
        function
    }

    fn call<W: AsRef<str>>(&mut self, function: &'static str, words: &[W], indent: usize) -> String {
        call(self.name(function), words, indent)
    }

    /// All that is asked before anything is changed.
    fn checks(&mut self, plan: &Plan) {
        let (ask, refuse) = (self.name("ask"), self.name("refuse"));
        self.line(&format!("{ask} version >/dev/null || {refuse} 'docker does not answer'"));
        for key in secrets(plan) {
            let why = format!("the secret {key} is not in the environment");
            self.line(&format!("[ -n \"${{{key}+set}}\" ] || {refuse} {}", quote(&why)));
        }
        let files = launches(plan).flat_map(|launch| &launch.runtime.env_files);
        for path in files.map(|file| file.path.as_str()).collect::<BTreeSet<&str>>() {
            let why = format!("the env file {path} cannot be read");
            let commands = [self.call("readable", &[path], BODY), self.call("refuse", &[why], BODY + 2)];
            self.line(&either(&commands, BODY));
        }
        for expect in &plan.expects {
            let mut commands: Vec<String> = expect.any.iter().map(|fact| self.fact(fact, BODY)).collect();
            commands.push(self.call("refuse", &[one_line(&expect.otherwise)], BODY + 2));
            self.line(&either(&commands, BODY));
        }
    }

    fn step(&mut self, step: &Step) {
        let number = (step.id.index() + 1).to_string();
        let (what, why) = (one_line(&step.op.to_string()), one_line(&step.reason.to_string()));
        let begin = self.call("step", &[number, what, why], BODY);
        let mut commands = self.conditions(step);
        let indent = if commands.is_empty() { BODY } else { BODY + 2 };
        commands.push(self.work(step, indent));
        let work = commands.join(&format!(" ||\n{:1$}", "", BODY + 2));
        self.paragraph();
        self.line(&begin);
        self.line(&work);
    }

    /// Why a step may have nothing to do.
    fn conditions(&mut self, step: &Step) -> Vec<String> {
        let follows = step.op.follows() && step.unless.is_empty() && !step.needs.is_empty();
        if follows {
            let numbers: Vec<String> = step.needs.iter().map(|id| (id.index() + 1).to_string()).collect();
            vec![self.call("skipped", &numbers, BODY)]
        } else {
            let facts = step.unless.iter().filter(|fact| !is_of_launch(fact, &step.op));
            facts.map(|fact| self.fact(fact, BODY)).collect()
        }
    }

    /// A command that makes a container, unless the one that is there is what it makes.
    fn launch(&mut self, step: &Step, indent: usize) -> String {
        let function = match &step.op {
            // only what is meant to end is made with this policy
            Op::Run(launch) if launch.runtime.restart == "no" => "run_once_unless",
            Op::Run(_) => "run_unless",
            _ => "create_unless",
        };
        let fact = step.unless.iter().find(|fact| is_of_launch(fact, &step.op));
        let fact = self.fact(fact.expect("it is asked whether a container is what a step makes"), indent);
        let command = step.op.command().expect("it is a command");
        let command = fold("", self.cli, &command, indent + 2);
        format!("{} {fact} -- \\\n{:2$}{command}", self.name(function), "", indent + 2)
    }

    /// What a step does, and what is done when it fails.
    fn work(&mut self, step: &Step, indent: usize) -> String {
        match &step.op {
            Op::ExpectVolumes { image, known } => {
                let words: Vec<String> =
                    std::iter::once(tagged(image)).chain(known.iter().cloned()).collect();
                let check = self.call("only_volumes", &words, indent);
                format!("{check} || {}", self.failure(&step.undo))
            }
            Op::Await(wait) => {
                let wait = self.wait(wait, indent);
                format!("{wait} || {}", self.failure(&step.undo))
            }
            Op::Run(_) | Op::Create(_) => {
                let launch = self.launch(step, indent);
                format!("{launch} || {}", self.failure(&step.undo))
            }
            op => self.carry_out(op, &step.undo, indent),
        }
    }

    fn carry_out(&mut self, op: &Op, undo: &[Op], indent: usize) -> String {
        let command = op.command().expect("all that is neither a check nor a wait is a command");
        match op {
            Op::Pause { name } => {
                let pause = self.call("pause", &[name.as_str()], indent);
                return fold(&pause, self.cli, &command, indent);
            }
            Op::Unpause { .. } => return fold(self.name("unpause"), self.cli, &command, indent),
            Op::NoteAddresses { .. } => {
                let otherwise = self.call("say", &["the rest goes on without notes"], indent);
                return self.command("try", &command, &format!(" || {otherwise}"), indent);
            }
            _ => {}
        }
        let function = match (op, undo) {
            (Op::Pull { .. }, _) => "stream",
            (_, []) if command.stdin.is_none() => return self.command("run", &command, "", indent),
            (_, _) => "try",
        };
        let failure = self.failure(undo);
        self.command(function, &command, &format!(" || {failure}"), indent)
    }

    /// The function that ends the script, once it has undone what is left of a step that failed.
    fn failure(&mut self, undo: &[Op]) -> String {
        let failed = self.name("failed");
        if undo.is_empty() {
            return failed.to_owned();
        }
        let mut lines = Vec::new();
        // a script is run again: by then what it would go back to may be gone, and what serves has to stay
        let back = undo.iter().find_map(|op| match op {
            Op::Rename { from, .. } => Some(from.as_str()),
            _ => None,
        });
        if let Some(name) = back {
            lines.push(format!("{} || {failed}", self.call("exists", &[name], BODY)));
            lines.push(self.call("say", &["going back to what was there"], BODY));
        }
        let commands = undo.iter().filter_map(Op::command);
        lines.extend(commands.map(|command| self.command("undo", &command, "", BODY)));
        lines.push(failed.to_owned());
        let body: String = lines.into_iter().map(|line| format!("{:BODY$}{line}\n", "")).collect();
        numbered("go_back", position(&mut self.undos, &body))
    }

    /// The function that prints these routes.
    fn routes(&mut self, text: &str) -> String {
        numbered("routes", position(&mut self.routes, text))
    }

    /// A command, given to a function that runs it, and what follows on it; what the command reads begins after the first
    /// line of that.
    fn command(&mut self, function: &'static str, command: &Command, follows: &str, indent: usize) -> String {
        let Some(text) = &command.stdin else {
            return fold(self.name(function), self.cli, command, indent) + follows;
        };
        let (feed, body) = match self.routes.contains(text) {
            true => (" <<END".to_owned(), format!("\n$({})\nEND", self.routes(text))),
            false => here(text),
        };
        let (line, rest) = follows.split_at(follows.find('\n').unwrap_or(follows.len()));
        fold(self.name("feed"), self.cli, command, indent) + &feed + line + &body + rest
    }

    /// A wait as a call of a function, which knows the answers that are good and those after which waiting is useless.
    fn wait(&mut self, wait: &Await, indent: usize) -> String {
        let probe = wait.probe();
        let name = wait.container().to_string();
        let limit = seconds(probe.timeout).to_string();
        let every = seconds(probe.every).max(1).to_string();
        let hold = seconds(probe.hold).to_string();
        match wait {
            Await::StaysUp { .. } => self.call("stays_up", &[name, hold, limit], indent),
            Await::GoesWell { .. } => self.call("goes_well", &[name, hold, limit], indent),
            Await::Healthy { .. } => self.call("gets_healthy", &[name, every, limit], indent),
            Await::Ends { .. } => self.call("ends_well", &[name, every, limit], indent),
            Await::Drain { upstreams, .. } if upstreams.is_empty() => {
                self.call("drain", &[name, limit], indent)
            }
            Await::Drain { .. } => {
                let first = probe.first.as_secs_f64().to_string();
                self.asking("drain_of_proxy", &[name, first, limit], &probe.command, indent)
            }
            Await::Answers { .. } | Await::Listens { .. } => {
                let question = probe.then.expect("it is asked whether it answers");
                let gets_ready = self.asking("gets_ready", &[name, every, limit], &question, indent);
                match probe.patience {
                    Some(Patience { start_period, retries }) => {
                        let words = [seconds(start_period).to_string(), retries.to_string()];
                        format!("{} {gets_ready}", self.call("patiently", &words, indent))
                    }
                    None => gets_ready,
                }
            }
        }
    }

    /// A call of a function to which a question is given.
    fn asking(
        &mut self,
        function: &'static str,
        words: &[String],
        question: &Command,
        indent: usize,
    ) -> String {
        let call = self.call(function, words, indent);
        format!("{call} \\\n{:1$}{2}", "", indent + 4, fold("", self.cli, question, indent + 4))
    }

    /// A fact as a call of a function that tells whether it holds.
    fn fact(&mut self, fact: &Fact, indent: usize) -> String {
        let text = |thing: &dyn Display| thing.to_string();
        let (function, words): (&'static str, Vec<String>) = match fact {
            Fact::Image(image) => ("has_image", vec![tagged(image)]),
            Fact::Network(name) => ("has_network", vec![text(name)]),
            Fact::NoNetwork(name) => ("no_network", vec![text(name)]),
            Fact::NetworkUsable(name, project) => ("usable_network", vec![text(name), text(project)]),
            Fact::NoOtherAnswers { project, names } => {
                let mut words = vec![text(project)];
                for (network, names) in names {
                    words.push(format!("{network}:"));
                    words.extend(names.iter().cloned());
                }
                ("no_other_answers", words)
            }
            Fact::Room { network, subnet, address } => {
                ("has_room", vec![text(network), text(subnet), text(address)])
            }
            Fact::Volume(name) => ("has_volume", vec![text(name)]),
            Fact::NoVolume(name) => ("no_volume", vec![text(name)]),
            Fact::VolumeUsable(name, project) => ("usable_volume", vec![text(name), text(project)]),
            Fact::Exists(name) => ("exists", vec![text(name)]),
            Fact::Absent(name) => ("absent", vec![text(name)]),
            Fact::Has { name, project, spec, release } => {
                ("has_release", vec![text(name), text(project), text(release), text(spec)])
            }
            Fact::Current(current) => {
                let release = current.release.map_or("any".to_owned(), |release| release.to_string());
                let mut words = vec![text(&current.name), text(&current.project), release];
                let specs: Vec<String> = current.specs().iter().map(ToString::to_string).collect();
                words.extend([specs.join("|"), tagged(&current.image)]);
                words.extend(current.volumes.iter().map(|(volume, path)| format!("{volume}:{path}")));
                ("is_current", words)
            }
            Fact::Proxy { spec, image } => ("is_proxy", vec![PROXY.to_owned(), text(spec), tagged(image)]),
            // the point keeps the shell from taking the ends of the lines before it away
            Fact::Routes { project, text: routes } if routes.ends_with('\n') => {
                let call = self.call("has_routes", &[text(project)], indent);
                return format!("{call} \"$({}; echo .)\"", self.routes(routes));
            }
            Fact::Routes { project, text: routes } => {
                ("has_routes", vec![text(project), format!("{routes}.")])
            }
            Fact::NoRoutes(project) => ("no_routes", vec![text(project)]),
            Fact::Running(name) => ("is_running", vec![text(name)]),
            Fact::Steady(name) => ("is_steady", vec![text(name)]),
            Fact::Paused(name) => ("is_paused", vec![text(name)]),
            Fact::Unpaused(name) => ("is_unpaused", vec![text(name)]),
            Fact::Stopped(name) => ("is_stopped", vec![text(name)]),
            Fact::Restart { name, policy } => ("restarts", vec![text(name), text(policy)]),
            Fact::EndedWell(name) => ("ended_well", vec![text(name)]),
            Fact::Healthy(name) => ("is_healthy", vec![text(name)]),
            Fact::Attached { container, network, aliases: None } => {
                ("is_attached", vec![text(container), text(network)])
            }
            Fact::Attached { container, network, aliases: Some(aliases) } => {
                let names = aliases.iter().map(|alias| text(alias));
                ("answers_to", [text(container), text(network)].into_iter().chain(names).collect())
            }
            Fact::Detached { container, network } => ("is_detached", vec![text(container), text(network)]),
            Fact::LimitsLogs => ("limits_logs", Vec::new()),
        };
        self.call(function, &words, indent)
    }
}

/// A reference that docker cannot take for the beginning of an image's id.
fn tagged(image: &Image) -> String {
    let (text, full) = (image.as_str(), image.canonical());
    if full.ends_with(":latest") && !text.ends_with(":latest") {
        format!("{text}:latest")
    } else {
        text.to_owned()
    }
}

/// Whole seconds, as `sleep` takes them everywhere; a part of one counts as one.
fn seconds(duration: Duration) -> u64 {
    duration.as_secs() + u64::from(duration.subsec_nanos() > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::SecretKey;
    use crate::plan::Expect;
    use crate::plan::Reason;
    use crate::render::sample;
    use crate::render::sample::SHELLS;
    use crate::render::sample::assert_text;
    use crate::render::sample::container;
    use crate::render::sample::image;
    use crate::render::sample::network;
    use crate::render::sample::step;
    use crate::spec::HttpCheck;
    use crate::spec::Prober;
    use crate::spec::Statuses;
    use std::path::Path;

    /// A run of a script where `docker` is a function of the shell.
    struct Run {
        status: i32,
        /// The calls that could change something.
        changes: Vec<String>,
        /// The calls that only look.
        looks: usize,
        told: String,
    }

    /// Runs the script of `plan` in every shell. `docker` answers as the arms of a `case` over its words say; looking
    /// for a thing fails otherwise, all else succeeds.
    fn run(plan: &Plan, answers: &str) -> Run {
        let folder = tempfile::tempdir().expect("a folder");
        let before = format!(
            r#"
            cd {} && mkdir -p env && : >env/db.env
            export POSTGRES_PASSWORD=hunter2
            exec 3>&1
            sleep() {{ :; }}
            docker() {{
              printf '%s\n' "$*" | tr '\n' ' ' >&3
              echo >&3
              case "$*" in
                {answers}
                *' inspect '*) return 1 ;;
              esac
            }}
            "#,
            folder.path().display()
        );
        let script = render(plan, &Cli::default());
        let runs = SHELLS.map(|name| {
            let outcome = sample::shell(name, &format!("{before}\n{script}"));
            let calls = String::from_utf8(outcome.stdout).expect("the words are text");
            let (looks, changes): (Vec<&str>, Vec<&str>) = calls
                .lines()
                .map(str::trim_end)
                .partition(|call| call.contains(" inspect ") || call.starts_with("version"));
            let changes = changes.into_iter().map(str::to_owned).collect();
            Run { status: outcome.status, changes, looks: looks.len(), told: outcome.stderr }
        });
        for other in &runs[1..] {
            assert_eq!((other.status, &other.changes), (runs[0].status, &runs[0].changes), "{}", other.told);
            assert_eq!(other.told, runs[0].told);
        }
        let [first, ..] = runs;
        first
    }

    fn body(plan: &Plan) -> String {
        let script = render(plan, &Cli::default());
        let from = script.find("main() {").expect("a script begins with its steps");
        let to = script.find("\n\n# ask WORDS").expect("the library follows");
        script[from..=to].to_owned()
    }

    /// A wait for a container that an earlier step starts.
    fn start_and_wait(wait: Await) -> Plan {
        let mut plan = Plan::new(sample::project());
        let name = container("shop-web");
        let op = Op::Start { name: name.clone() };
        let start = step(&mut plan, "shop", op, Reason::NotRunning, [Fact::Running(name)], &[]);
        step(&mut plan, "shop", Op::Await(wait), Reason::Ready, [], &[start]);
        plan
    }

    fn stays_up(seconds: u64) -> Await {
        Await::StaysUp { name: container("shop-web"), time: Duration::from_secs(seconds) }
    }

    const PROBE: &str = "'container inspect --format {{.State.Status}} {{if '*";

    #[test]
    fn a_script_reads_like_a_runbook() {
        assert_text!("render_sh_first_start", body(&sample::first_start()));
        assert_text!("render_sh_change", body(&sample::change()));
    }

    #[test]
    fn an_empty_plan_is_a_script_that_says_so() {
        let plan = Plan::new(sample::project());
        assert_text!("render_sh_empty", render(&plan, &Cli::default()));
        assert_eq!(run(&plan, "").told, "shop: nothing to do\n");
    }

    #[test]
    fn a_script_that_was_cut_off_after_any_line_does_nothing_and_fails() {
        let cli = Cli { binary: "./docker".to_owned(), context: None };
        for plan in [sample::first_start(), sample::change(), Plan::new(sample::project())] {
            let script = render(&plan, &cli);
            assert!(script.ends_with("\n\nmain \"$@\"\n"), "the last line is what begins it all");
            let count = script.lines().count();
            let begin = script.lines().position(|line| line.starts_with("trap")).expect("it has a guard");
            let driver = format!(
                r#"
                export POSTGRES_PASSWORD=hunter2
                mkdir env && : >env/db.env
                printf '#!/bin/sh\necho "$*" >>calls\n[ "$1" = version ]\n' >docker
                chmod +x docker
                cat >script <<'END OF SCRIPT'
{script}END OF SCRIPT
                count=0
                while [ $((count += 1)) -le {count} ] && [ ! -e calls ]; do
                  head -n $count script | dash -s 2>/dev/null
                  echo $?
                done
                "#
            );
            let outcome = sample::shell("bash --posix", &driver);
            let statuses = String::from_utf8(outcome.stdout).expect("numbers");
            let statuses: Vec<&str> = statuses.lines().collect();
            assert_eq!(statuses.len(), count, "docker was asked before the last line was read");
            for (line, status) in statuses.iter().enumerate().take(count - 1).skip(begin) {
                assert_ne!(*status, "0", "after line {} of {count}", line + 1);
            }
        }
    }

    #[test]
    fn a_secret_reaches_docker_whatever_the_shell() {
        let candidates = "_JAVA_OPTIONS ANY CDPATH CHILD_MAX COLUMNS COPROC DIRSTACK EMACS FCEDIT FUNCNAME GLOBIGNORE \
            GROUPS HISTFILE HISTSIZE HOSTNAME HOSTTYPE IGNOREEOF LANG LC_ALL LINES MACHTYPE MAIL MAILCHECK MAPFILE \
            OPTARG OSTYPE PIPESTATUS REPLY SHELL TERM TIMEFORMAT TMOUT a container image line name path seen step why";
        let others = "_ _seen _step BASH BASHOPTS BASH_VERSION BASHPID COMP_WORDBREAKS ENV EPOCHREALTIME EPOCHSECONDS \
            EUID HISTCMD IFS LINENO OLDPWD OPTERR OPTIND PPID PS1 PS2 PS4 PWD RANDOM SECONDS SHELLOPTS SHLVL UID";
        let (taken, refused): (Vec<&str>, Vec<&str>) = candidates
            .split_whitespace()
            .chain(others.split_whitespace())
            .partition(|name| SecretKey::parse(*name).is_ok());
        assert_eq!(refused.len(), others.split_whitespace().count());
        let script = render(&sample::first_start(), &Cli { binary: "./docker".to_owned(), context: None });
        let environment: String = taken.iter().map(|name| format!("{name}='a secret' ")).collect();
        for name in SHELLS {
            let driver = format!(
                r#"
                mkdir env && : >env/db.env
                printf '#!/bin/sh\n/usr/bin/env >>told\ncase "$*" in *" inspect "*) exit 1 ;; esac\n' >docker
                chmod +x docker
                cat >script <<'END OF SCRIPT'
{script}END OF SCRIPT
                env {environment} POSTGRES_PASSWORD=hunter2 {name} script
                cat told
                "#
            );
            let told = String::from_utf8(sample::shell("dash", &driver).stdout).expect("variables are text");
            let calls = told.matches("POSTGRES_PASSWORD=hunter2\n").count();
            assert!(calls > 3, "{told}");
            for taken in &taken {
                let count = told.lines().filter(|line| *line == format!("{taken}=a secret")).count();
                assert_eq!(count, calls, "{name}: {taken}");
            }
        }
    }

    #[test]
    fn a_first_run_does_every_step() {
        let answers = format!(
            r#"'image inspect --format {{{{range'*) echo /var/lib/postgresql/data ;;
               {PROBE}shop-db) echo 'running healthy 0' ;;
               {PROBE}shop-web) echo 'running none 0' ;;"#
        );
        let run = run(&sample::first_start(), &answers);
        assert_eq!(run.status, 0, "{}", run.told);
        let verbs: Vec<String> =
            run.changes.iter().map(|call| call.split(' ').take(2).collect::<Vec<_>>().join(" ")).collect();
        assert_eq!(
            verbs,
            [
                "pull postgres:15",
                "network create",
                "network create",
                "volume create",
                "run --detach",
                "create --name",
                "network connect",
                "start shop-web"
            ]
        );
        assert!(
            run.told.contains(
                "[3/11] create network shop-backend: not there yet\n+ docker network create --subnet"
            )
        );
        assert!(run.told.ends_with("done: 10 of 11 steps had something to do\n"), "{}", run.told);
        assert!(!run.told.contains("hunter2"));
    }

    #[test]
    fn a_script_refuses_before_it_changes_anything() {
        let mut plan = sample::first_start();
        for (answers, first, why) in [
            ("version) return 1 ;;", ":", "docker does not answer"),
            ("", "unset POSTGRES_PASSWORD", "the secret POSTGRES_PASSWORD is not in the environment"),
            ("", "rm env/db.env", "the env file env/db.env cannot be read"),
            (
                "'network inspect '*shop-backend) echo 'shop-backend|true|other' ;;",
                ":",
                "network shop-backend belongs to another project",
            ),
        ] {
            let answers = format!("never) ;; esac; {first}; case \"$*\" in {answers}");
            let run = run(&plan, &answers);
            assert_eq!((run.status, run.changes.len()), (4, 0), "{why}: {}", run.told);
            assert_eq!(run.told, format!("refused, nothing was changed: {why}\n"));
        }
        plan.expects.push(Expect { any: Vec::new(), otherwise: "never mind".to_owned() });
        assert_eq!(run(&plan, "").told, "refused, nothing was changed: never mind\n");
    }

    #[test]
    fn a_script_refuses_when_a_container_of_others_answers_to_a_name_of_the_project() {
        let mut plan = start_and_wait(stays_up(1));
        let names = ["db", "shop-db"].map(str::to_owned);
        let names =
            [(network("shop-backend"), names.into()), (network("shop-frontend"), ["web".to_owned()].into())];
        let fact = Fact::NoOtherAnswers { project: sample::project(), names: names.into() };
        plan.expects.push(Expect { any: vec![fact], otherwise: "another answers".to_owned() });
        let answers = |container: &str, networks: &str, project: &str, aliases: &str| {
            let (project, made_as) = project.split_once(' ').unwrap_or((project, ""));
            format!(
                "'ps '*) echo 'c1|,{networks},|{container}|{project}|{made_as}' ;;
                 'container inspect --format {{{{json'*c1) echo '{{\"Links\":null,\"Aliases\":[{aliases}],\"Gateway\":\"\"}}' ;;
                 'container inspect '*) echo '/shop-web|running' ;;"
            )
        };
        for (container, networks, project, aliases, status) in [
            ("other", "bridge,shop-backend", "", r#""DB","c1""#, 4),
            ("Shop-DB", "shop-backend", "else", "", 4),
            ("other", "shop-backend", "", r#""adb","db2""#, 0),
            ("other", "shop-frontend", "", r#""db""#, 0),
            ("other", "shop-backend", "shop", r#""db""#, 0),
            ("shop-db-2", "shop-backend", "shop shop-db", r#""db""#, 0),
            ("shop-db-next", "shop-backend", "shop shop-db", r#""db""#, 0),
            ("copy", "shop-backend", "shop shop-db", r#""db""#, 4),
            ("shop-db-next", "shop-backend", "shop service/a.com/shop-db/12", r#""db""#, 0),
            ("copy", "shop-backend", "shop service/a.com/shop-db/12", r#""db""#, 4),
            ("gordon-proxy", "shop-backend", "", r#""db""#, 0),
        ] {
            let run = run(&plan, &answers(container, networks, project, aliases));
            assert_eq!(run.status, status, "{container} {networks} {project} {aliases}: {}", run.told);
            if status == 4 {
                assert!(run.told.contains(&format!("container {container} answers to ")), "{}", run.told);
                assert!(
                    run.told.ends_with("refused, nothing was changed: another answers\n"),
                    "{}",
                    run.told
                );
            }
        }
    }

    #[test]
    fn what_a_container_that_is_not_ready_wrote_is_told_without_secrets() {
        let answers = format!(
            r#"'image inspect --format {{{{range'*) echo /var/lib/postgresql/data ;;
               {PROBE}shop-db) echo 'running hunter2 0' ;;
               {PROBE}shop-web) echo 'exited none 0' ;;
               logs*) echo password is hunter2, they say; echo hunter2 >&2 ;;"#
        );
        let run = run(&sample::first_start(), &answers);
        assert_eq!(run.status, 1, "{}", run.told);
        let told = "is not ready: running … 0\nthe end of its log:\npassword is …, they say\n…\n";
        assert!(run.told.contains(told), "{}", run.told);
    }

    #[test]
    fn a_name_is_not_the_beginning_of_an_id() {
        let answers = format!(
            "'container inspect --format {{{{.Name}}'*shop-web) echo '/other|running' ;; {PROBE}) echo 'running none 0' ;;"
        );
        let run = run(&start_and_wait(stays_up(1)), &answers);
        assert_eq!(run.changes, ["start shop-web"]);
    }

    #[test]
    fn there_is_nothing_to_wait_for_when_nothing_was_done() {
        let run = run(&start_and_wait(stays_up(1)), "'container inspect '*) echo '/shop-web|running' ;;");
        assert_eq!((run.status, run.changes.len(), run.looks), (0, 0, 2));
        assert_eq!(
            run.told,
            "\
[1/2] start shop-web: nothing to do
[2/2] see that shop-web stays up for 1s: nothing to do
done: 0 of 2 steps had something to do
"
        );
    }

    #[test]
    fn a_script_waits_for_the_answers_that_apply_waits_for() {
        let (name, time) = (container("shop-web"), Duration::from_secs(3));
        for wait in [
            Await::StaysUp { name: name.clone(), time },
            Await::Ends { name: name.clone(), timeout: time },
            Await::GoesWell { name: name.clone(), time },
            Await::Healthy { name, timeout: time },
        ] {
            let probe = wait.probe();
            let argv = probe.command.argv(Path::new("/"));
            let script = render(&start_and_wait(wait), &Cli::default());
            let state =
                format!("ask {} \"$1\"\n", argv[..4].iter().map(|w| quote(w)).collect::<Vec<_>>().join(" "));
            let function = match probe.ready {
                "done" => "outcome",
                "good" => "outcome_so_far",
                _ => "state",
            };
            let answers = format!(" '{}' '{}' {function} \"$1\"; }}\n", probe.ready, probe.fatal.join("|"));
            assert!(script.contains(&state) && script.contains(&answers), "{answers}\n{script}");
        }
    }

    #[test]
    fn a_script_lets_containers_drain_as_apply_does() {
        let drain = |upstreams: &[&str]| Await::Drain {
            names: vec![container("shop-web")],
            time: Duration::from_secs(5),
            upstreams: upstreams.iter().map(ToString::to_string).collect(),
        };
        // three more for docker itself and the container, which starts
        let asked = |wait, answers: &str| {
            let run = run(&start_and_wait(wait), answers);
            assert_eq!(run.status, 0, "{}", run.told);
            run.changes.iter().filter(|call| call.starts_with("exec gordon-proxy sh -c ")).count()
        };
        assert_eq!(asked(drain(&["10.2.0.4"]), "'exec gordon-proxy '*) echo idle ;;"), 1);
        assert_eq!(asked(drain(&["10.2.0.4"]), "'exec gordon-proxy '*) echo busy ;;"), 4, "for 5 s");
        assert_eq!(asked(drain(&["10.2.0.4"]), "'exec gordon-proxy '*) return 1 ;;"), 4);
        assert_eq!(asked(drain(&[]), ""), 0);
    }

    #[test]
    fn a_good_answer_has_to_stay_good() {
        let run = run(&start_and_wait(stays_up(5)), &format!("{PROBE}) echo 'running none 0' ;;"));
        // one for docker itself, one for the container, its liveness, and six for five seconds
        assert_eq!((run.status, run.looks), (0, 1 + 2 + 6), "{}", run.told);
    }

    #[test]
    fn a_warning_of_docker_is_no_part_of_an_answer() {
        let warned = format!("{PROBE}) echo 'WARNING: no config' >&2; echo 'running none 0' ;;");
        let done = run(&start_and_wait(stays_up(1)), &warned);
        assert_eq!(done.status, 0, "{}", done.told);
    }

    #[test]
    fn what_docker_says_of_a_question_that_failed_is_told() {
        let fails = format!("{PROBE}) echo 'no such thing' >&2; exit 1 ;;");
        let failed = run(&start_and_wait(stays_up(1)), &fails);
        assert_eq!(failed.status, 1, "{}", failed.told);
        assert!(failed.told.contains("shop-web is not ready: no answer: no such thing\n"), "{}", failed.told);
    }

    #[test]
    fn a_container_that_ends_is_told_of_at_once_with_the_end_of_its_log() {
        let answers = format!("{PROBE}) echo 'exited none 0' ;; logs*) echo 'no such table' ;;");
        let run = run(&start_and_wait(stays_up(5)), &answers);
        assert_eq!((run.status, run.looks), (1, 1 + 2 + 1));
        assert_eq!(run.changes, ["start shop-web", "logs --tail 20 shop-web"]);
        assert!(
            run.told.ends_with(
                "\
shop-web is not ready: exited none 0
the end of its log:
no such table
failed at step 2 of 2: see that shop-web stays up for 5s
run this again when the cause is gone: it goes on from here
"
            ),
            "{}",
            run.told
        );
    }

    #[test]
    fn failures_count_from_the_end_of_the_start_period_until_they_are_too_many() {
        let check = HttpCheck {
            port: 80,
            path: "/up".to_owned(),
            host: "a.test".to_owned(),
            status: Statuses::default(),
            prober: Prober::Proxy,
            every: Duration::from_secs(2),
            patience: Some(Patience { start_period: Duration::from_secs(7), retries: 3 }),
        };
        let wait = Await::Answers { name: container("shop-web"), check, timeout: Duration::from_secs(60) };
        let answers =
            "'container inspect --format {{.State.Status}}'*) echo running ;; exec*) echo 500; return 1 ;;";
        let run = run(&start_and_wait(wait), answers);
        let questions = run.changes.iter().filter(|call| call.starts_with("exec")).count();
        // four in the start period, three that count, and one for what it says
        assert_eq!((run.status, questions), (1, 4 + 3 + 1), "{}", run.told);
        assert!(run.told.contains("shop-web is not ready: no answer: 500"), "{}", run.told);
    }

    #[test]
    fn a_wait_ends_when_its_time_is_over() {
        let wait = Await::Healthy { name: container("shop-web"), timeout: Duration::from_secs(7) };
        let run = run(&start_and_wait(wait), &format!("{PROBE}) echo 'running starting 0' ;;"));
        assert_eq!((run.status, run.looks), (1, 1 + 2 + 8), "{}", run.told);
        assert!(run.told.contains("shop-web is not ready: running starting 0\n"));
    }

    #[test]
    fn a_container_is_created_started_when_it_was_only_created_and_left_alone_when_it_is_another() {
        let absent = "";
        let is = |spec: &str, state: &str| {
            format!(
                "'container inspect '*State.Status*) echo '/shop-web|{state}' ;;
                 'container inspect '*) echo '/shop-web|shop|{spec}|app/backend/shop-web/2|sha256:1|' ;;"
            )
        };
        let current = "image:4b5e57f6@shop-backend=10.214.7.129";
        let run_ops = [Op::Run(sample::app()), Op::Create(sample::app())].map(|op| {
            let mut plan = Plan::new(sample::project());
            let current = sample::current("shop-web");
            step(&mut plan, "shop", op, Reason::Missing, [current], &[]);
            plan
        });
        for (answers, ran, created, status) in [
            (absent, "run --detach", "create --name", 0),
            (&is(current, "running"), "", "", 0),
            (&is(current, "created"), "start shop-web", "", 0),
            (&is("image:00000000", "running"), "", "", 1),
        ] {
            for (plan, expected) in run_ops.iter().zip([ran, created]) {
                let run = run(plan, answers);
                let words = |call: &String| call.split(' ').take(2).collect::<Vec<_>>().join(" ");
                let changes: Vec<String> = run.changes.iter().map(words).collect();
                assert_eq!((run.status, changes.join(", ").as_str()), (status, expected), "{}", run.told);
                let why =
                    "failed at step 1 of 1: shop-web is not as this plan makes it: plan again on this host";
                assert_eq!(run.told.contains(why), status == 1, "{}", run.told);
            }
        }
    }

    #[test]
    fn what_is_replaced_comes_back_when_its_replacement_fails() {
        let previous = "'container inspect '*shop-db-previous) echo '/shop-db-previous|' ;;";
        let fails = "'run '*) echo 'port is already allocated' >&2; return 125 ;;";
        let run_ = run(&sample::change(), &format!("{previous} {fails} 'rm shop-db') return 1 ;;"));
        assert_eq!(run_.status, 1);
        let after: Vec<&str> = run_.changes[1..].iter().map(String::as_str).collect();
        assert_eq!(
            after,
            ["stop -t 30 shop-db", "rm shop-db", "rename shop-db-previous shop-db", "start shop-db"]
        );
        assert!(
            run_.told.contains("port is already allocated\ngoing back to what was there\n"),
            "{}",
            run_.told
        );
        // nothing to go back to: the one that is there stays
        let run = run(&sample::change(), fails);
        assert_eq!((run.status, run.changes.len()), (1, 1), "{:?}", run.changes);
    }

    #[test]
    fn however_a_script_ends_a_container_that_it_has_paused_goes_on_and_one_that_it_could_not_is_left() {
        let mut plan = Plan::new(sample::project());
        let name = container("shop-web");
        let away = Op::Disconnect { container: name.clone(), network: network("shop-network") };
        let pause = step(&mut plan, "shop", Op::Pause { name: name.clone() }, Reason::Leaves, [], &[]);
        let away = step(&mut plan, "shop", away, Reason::Leaves, [], &[pause]);
        let goes_on = [Fact::Unpaused(name.clone())];
        step(&mut plan, "shop", Op::Unpause { name }, Reason::Leaves, goes_on, &[away]);
        let away = "network disconnect shop-network shop-web";
        for (answer, status) in [("return 1", 1), ("kill -s TERM $$", 143), ("kill -s INT $$", 130), (":", 0)]
        {
            let paused = "*'{{.State.Status}}'*) echo '/shop-web|paused' ;;";
            let run = run(&plan, &format!("'network disconnect '*) {answer} ;; {paused}"));
            assert_eq!(run.status, status, "{}", run.told);
            assert_eq!(run.changes, ["pause shop-web", away, "unpause shop-web"], "{answer}");
        }
        let run = run(&plan, "'pause '*) return 1 ;; *'{{.State.Status}}'*) echo '/shop-web|running' ;;");
        assert_eq!((run.status, &run.changes[..]), (0, &["pause shop-web", away].map(str::to_owned)[..]));
        assert!(run.told.contains("shop-web is not paused: the rest goes on without"), "{}", run.told);
    }

    #[test]
    fn a_docker_that_no_longer_answers_is_not_a_host_without_containers() {
        let answers = "version) asked=$((${asked:-0} + 1)); [ $asked = 1 ] ;;";
        let mut plan = Plan::new(sample::project());
        let name = container("shop-old");
        let op = Op::Remove { name: name.clone() };
        step(&mut plan, "shop", op, Reason::NotInConfig, [Fact::Absent(name.clone())], &[]);
        let first = run(&plan, answers);
        assert_eq!((first.status, first.changes.len()), (1, 0));
        assert!(first.told.contains("failed at step 1 of 1: docker does not answer any more"));
        plan.expects.push(Expect { any: vec![Fact::Absent(name)], otherwise: "it is there".to_owned() });
        assert_eq!(
            run(&plan, answers).told,
            "refused, nothing was changed: docker does not answer any more\n"
        );
    }

    #[test]
    fn a_volume_that_the_plan_does_not_know_ends_the_script() {
        let mut plan = Plan::new(sample::project());
        let known = vec!["/data".to_owned(), "/my data".to_owned()];
        let op = Op::ExpectVolumes { image: image("redis"), known };
        step(&mut plan, "shop", op, Reason::VolumesUnknown, [], &[]);
        assert_eq!(run(&plan, "'image inspect '*redis:latest) printf '/my data\\n' ;;").status, 0);
        assert_eq!(run(&plan, "'image inspect '*) : ;;").status, 0);
        let run = run(&plan, "'image inspect '*) printf '/data\\n/other\\n\\n' ;;");
        assert_eq!(run.status, 1);
        assert!(run.told.starts_with("redis:latest declares VOLUME /other, which this plan does not know"));
    }

    #[test]
    fn what_a_command_reads_is_given_to_it() {
        let cli = Cli::default();
        let mut script = Script::new(&cli);
        let mut command = Command::new(["exec", "-i", "proxy", "cat"]);
        command.stdin = Some("it's\n".to_owned());
        let follows = " || {\n  undone\n}";
        assert_eq!(
            script.command("try", &command, follows, 0),
            "feed docker exec -i proxy cat <<'END' || {\nit's\nEND\n  undone\n}"
        );
    }

    #[test]
    fn a_reference_without_a_tag_is_never_taken_for_an_id() {
        for (text, asked) in [
            ("cafe", "cafe:latest"),
            ("redis:7", "redis:7"),
            ("localhost:5000/web", "localhost:5000/web:latest"),
            ("web:latest", "web:latest"),
        ] {
            assert_eq!(tagged(&image(text)), asked);
        }
    }

    #[test]
    fn another_docker_is_asked_and_told_by_its_name() {
        let cli = Cli { binary: "podman".to_owned(), context: Some("far away".to_owned()) };
        let script = render(&sample::change(), &cli);
        assert!(script.contains("ask() { podman --context 'far away' \"$@\"; }"));
        assert!(script.contains("\n    run podman --context 'far away' rm shop-old\n"));
        assert!(!script.contains("run docker") && !script.contains("try docker"), "{script}");
    }

    #[test]
    fn what_is_left_out_ends_in_a_failure() {
        let mut plan = Plan::new(sample::project());
        plan.blocked = sample::change().blocked;
        let run = run(&plan, "");
        assert_eq!(run.status, 1);
        assert!(
            run.told.ends_with(
                "left out: shop-api: its image api:2 cannot be had: manifest unknown: no such tag\n"
            )
        );
    }
}
