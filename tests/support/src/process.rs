//! Commands, and what they leave. Does not know what they are for.

use std::process::Command;
use std::process::Stdio;
use std::time::Duration;
use std::time::Instant;

/// How long anything may take that a test waits for: on a busy machine a minute is not enough.
const PATIENCE: Duration = Duration::from_secs(180);

/// What a command left.
#[derive(Debug)]
pub struct Run {
    pub status: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Run {
    /// The same, once it is certain that it went well.
    #[track_caller]
    pub fn success(self) -> Self {
        assert_eq!(self.status, 0, "{}\n{}", self.stdout, self.stderr);
        self
    }

    /// The same, once it is certain that it ended so.
    #[track_caller]
    pub fn ended(self, status: i32) -> Self {
        assert_eq!(self.status, status, "{}\n{}", self.stdout, self.stderr);
        self
    }
}

/// Runs `command` to its end.
pub fn run(command: &mut Command) -> Run {
    let output = command.stdin(Stdio::null()).output().expect("the command is there");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Run {
        status: output.status.code().unwrap_or(-1),
        stdout: text(&output.stdout),
        stderr: text(&output.stderr),
    }
}

/// Runs docker.
pub fn docker<const N: usize>(words: [&str; N]) -> Run {
    run(Command::new("docker").args(words))
}

/// Asks until it is so.
#[track_caller]
pub fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < PATIENCE, "never: {what}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// Runs a command inside a container.
pub fn inside<const N: usize>(container: &str, words: [&str; N]) -> Run {
    run(Command::new("docker").args(["exec", container]).args(words))
}

/// What the web app in `container` answers, asked from inside of it: its status and body.
pub fn ask(container: &str, port: u16, path: &str) -> (u16, String) {
    let script = format!(
        "import urllib.request as u, urllib.error as e\n\
         try:\n r = u.urlopen('http://127.0.0.1:{port}{path}', timeout=10)\n\
         except e.HTTPError as x:\n r = x\n\
         print(r.status); print(r.read().decode(), end='')"
    );
    let run = inside(container, ["python3", "-c", &script]);
    match run.stdout.split_once('\n') {
        Some((status, body)) => (status.parse().expect("a status is a number"), body.to_owned()),
        None => (0, run.stderr),
    }
}
