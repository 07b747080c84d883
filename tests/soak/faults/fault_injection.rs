//! A docker that works, but for some commands. Does not know what they are for.

use serde_json::Value;
use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use support::Project;
use support::Run;
use support::run;
use tempfile::TempDir;

/// What goes wrong with a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing is done, and it says so.
    Fails,
    /// It is done, and the call never returns.
    Hangs,
    /// The engine of the test is ended just before.
    EngineEnds,
    /// Its caller is killed; it goes on to its end.
    KilledMeanwhile,
    /// It is done; then its caller is killed.
    KilledAfter,
}

impl Fault {
    fn word(self) -> &'static str {
        match self {
            Self::Fails => "fails",
            Self::Hangs => "hangs",
            Self::EngineEnds => "engine-ends",
            Self::KilledMeanwhile => "killed-meanwhile",
            Self::KilledAfter => "killed-after",
        }
    }
}

/// A step of a run, as docker hears of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The shell pattern of its command, or of its question: any address is meant.
    pub pattern: String,
    /// Where an earlier step has the same one: that of the step just before.
    before: String,
}

impl Step {
    /// Whether it is known by a command that begins so: by its own, or by the one before.
    pub fn is_known_by(&self, begins: &str) -> bool {
        [&self.pattern, &self.before].iter().any(|words| words.starts_with(begins))
    }
}

/// The steps of these commands, each of them docker's words with blanks between them.
fn steps(commands: &[String]) -> Vec<Step> {
    let patterns: Vec<String> = commands.iter().map(|words| without_addresses(words)).collect();
    let step = |i: usize| {
        let is_again = patterns[..i].contains(&patterns[i]);
        let before = if is_again { patterns[i - 1].clone() } else { String::new() };
        Step { pattern: patterns[i].clone(), before }
    };
    (0..patterns.len()).map(step).collect()
}

/// Addresses, and what holds them, change from run to run. What else a pattern would mean is meant literally.
fn without_addresses(words: &str) -> String {
    let mut after_ip = false;
    let literal =
        |word: &str| word.replace('\\', r"\\").replace('*', r"\*").replace('?', r"\?").replace('[', r"\[");
    let pattern = words.split(' ').map(|word| match word.split_once('@') {
        _ if std::mem::replace(&mut after_ip, word == "--ip") => "*".to_owned(),
        Some((spec, _)) if spec.starts_with("gordon.spec=") => format!("{}@*", literal(spec)),
        _ if word.parse::<std::net::Ipv4Addr>().is_ok() => "*".to_owned(),
        _ => literal(word),
    });
    pattern.collect::<Vec<_>>().join(" ")
}

/// The steps of what gordon would do now with the project, in their order.
#[track_caller]
pub fn planned(project: &Project) -> Vec<Step> {
    let plan = project.gordon(&["plan", "--format", "json"]).success().stdout;
    let plan: Value = serde_json::from_str(&plan).expect("a plan is JSON");
    let command = |step: &Value| {
        // a wait ends with the last of its questions
        let candidates = [&step["argv"], &step["probe"]["then"], &step["probe"]["argv"]];
        let argv =
            candidates.into_iter().find(|argv| !argv.is_null()).expect("every step asks docker something");
        let words = argv.as_array().expect("every step has a command or a question").iter().skip(1);
        words.map(|word| word.as_str().expect("a word")).collect::<Vec<_>>().join(" ")
    };
    let commands: Vec<String> = plan["steps"].as_array().expect("steps").iter().map(command).collect();
    steps(&commands)
}

/// The docker of one project.
pub struct Faulty {
    folder: TempDir,
}

impl Faulty {
    /// One without faults.
    pub fn new() -> Self {
        let faulty = Self { folder: tempfile::tempdir().expect("a folder") };
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/soak/faults/docker.sh");
        // by a process of its own: a file that another test's child still has open for writing cannot be run
        run(Command::new("cp").arg(source).arg(faulty.path())).success();
        faulty.breaks(&[]);
        faulty
    }

    /// From here on these steps go wrong, and no others.
    pub fn breaks(&self, faults: &[(&Step, Fault)]) {
        for folder in ["faults", "armed", "met"] {
            let folder = self.folder.path().join(folder);
            let _ = fs::remove_dir_all(&folder);
            fs::create_dir(folder).expect("a folder");
        }
        for (i, (step, fault)) in faults.iter().enumerate() {
            let text = format!("{}\n{}\n{}\n", fault.word(), step.pattern, step.before);
            fs::write(self.folder.path().join("faults").join(i.to_string()), text).expect("a file");
        }
        fs::write(self.folder.path().join("calls"), "").expect("a file");
    }

    /// Runs gordon with this docker in the project's folder.
    pub fn gordon(&self, project: &Project, words: &[&str]) -> Run {
        let path = self.path().display().to_string();
        self.run(&project.command(&[words, &["--docker", &path]].concat()))
    }

    /// A script of what is to be done, which calls this docker.
    #[track_caller]
    pub fn script(&self, project: &Project) -> Command {
        let path = self.path().display().to_string();
        project.script(&["--docker", &path])
    }

    /// Runs a command, so that this docker knows whom to kill.
    pub fn run(&self, command: &Command) -> Run {
        let mut known = Command::new("sh");
        known.args(["-c", "echo $$ >\"$0\" && exec \"$@\""]).arg(self.folder.path().join("caller"));
        known.arg(command.get_program()).args(command.get_args());
        known.current_dir(command.get_current_dir().expect("the project's folder"));
        known.envs(command.get_envs().filter_map(|(key, value)| Some((key, value?))));
        run(&mut known)
    }

    /// How many of the faults came to pass.
    pub fn met(&self) -> usize {
        fs::read_dir(self.folder.path().join("met")).expect("a folder").count()
    }

    /// The steps that were done since it was last told what breaks.
    pub fn done(&self) -> Vec<Step> {
        let calls = fs::read_to_string(self.folder.path().join("calls")).expect("a file");
        let is_step = |call: &&str| {
            let changes =
                ["run ", "create ", "start ", "stop ", "pause ", "unpause ", "rename ", "rm ", "network "];
            let is_change = changes.iter().any(|word| call.starts_with(word));
            let is_wait = call.starts_with("container inspect ") && call.contains(".RestartCount");
            let is_other = ["gordon-lock", "rm --force", "network ls", "network inspect"]
                .iter()
                .any(|w| call.contains(w));
            (is_change || is_wait) && !is_other
        };
        let mut commands: Vec<String> = calls.lines().filter(is_step).map(str::to_owned).collect();
        commands.dedup();
        steps(&commands)
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("docker.sh")
    }
}
