//! A second Docker Engine for one test, in a network of its own, which the test may end and start again. Nothing of it is
//! left, however the test ends. It needs root, `dockerd`, `ip` and `nsenter`.
//!
//! The test runs once more as a process of its own in that network: there, `docker` talks to this engine, and 127.0.0.1 is
//! where its published ports are.

use crate::support::docker;
use crate::support::eventually;
use crate::support::run;
use rustix::process::Pid;
use rustix::process::Signal;
use rustix::process::kill_process;
use std::env;
use std::fs;
use std::fs::File;
use std::path::Path;
use std::path::PathBuf;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::thread::panicking;
use std::thread::sleep;
use std::time::Duration;
use tempfile::TempDir;

/// Where its containers' questions for names go that the engine does not know: somebody may answer there, or nobody.
pub const RESOLVER: &str = "192.0.2.53";

/// What its containers add to a name that is not found.
pub const SEARCHED: &str = "company.test";

/// Tells the process in that network where its engine keeps everything.
const FOLDER: &str = "GORDON_TEST_ENGINE";

/// A network of its own, and a place for an engine in it.
struct Place {
    network: String,
    folder: TempDir,
}

/// The engine, while it runs.
pub struct Engine {
    folder: PathBuf,
    dockerd: Child,
}

/// Runs `test`, which is the test of this name, against an engine of its own that has these images.
pub fn with_an_engine(name: &str, images: &[&str], test: fn(Engine)) {
    if let Ok(folder) = env::var(FOLDER) {
        return test(Engine::new(Path::new(&folder)));
    }
    let place = Place::new();
    let archive = place.folder.path().join("images.tar");
    run(Command::new("docker").args(["save", "--output"]).arg(&archive).args(images)).success();
    let status = Command::new("nsenter")
        .arg(format!("--net=/var/run/netns/{}", place.network))
        .args(["unshare", "--uts"])
        .arg(env::current_exe().expect("this test"))
        .args(["--exact", "--nocapture", name])
        .env(FOLDER, place.folder.path())
        .env("DOCKER_HOST", format!("unix://{}", place.folder.path().join("socket").display()))
        .status();
    assert!(status.expect("nsenter is there: `scripts/engine` installs it").success(), "it went well there");
}

impl Place {
    fn new() -> Self {
        // where an engine may keep layers; a folder for temporary files may be in memory
        let folder = tempfile::tempdir_in("/var/tmp").expect("a folder");
        let network = format!("gordon-test-{}", std::process::id());
        let place = Self { network, folder };
        let ip = |words: &[&str]| {
            let words = words.join(" ");
            let done = run(Command::new("sh").args(["-c", &words]));
            assert_eq!(done.status, 0, "an engine apart needs root and `ip`: {words}: {}", done.stderr);
        };
        let network = place.network.as_str();
        ip(&["ip netns add", network]);
        ip(&["ip -netns", network, "link set lo up"]);
        ip(&["ip -netns", network, "address add", RESOLVER, "dev lo"]);
        ip(&["ip netns exec", network, "sysctl --quiet --write net.ipv4.ip_forward=1"]);
        let driver = docker(["info", "--format", "{{.Driver}}"]).success().stdout;
        let path = |name: &str| place.folder.path().join(name);
        let config = serde_json::json!({
            "data-root": path("data"),
            "exec-root": path("run"),
            "pidfile": path("pid"),
            "hosts": [format!("unix://{}", path("socket").display())],
            "storage-driver": driver.trim(),
            "dns": [RESOLVER],
            "dns-search": [SEARCHED],
        });
        fs::write(path("daemon.json"), config.to_string()).expect("a file");
        place
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let folder = self.folder.path().display().to_string();
        // the engine itself was ended by who started it; a killed one leaves others behind
        for _ in 0..100 {
            let left = processes_that_name(&folder);
            for id in &left {
                // an error says that it is gone by itself
                let _ = kill_process(*id, Signal::KILL);
            }
            if left.is_empty() {
                break;
            }
            sleep(Duration::from_millis(100));
        }
        let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
        let mounts = mounts.lines().filter_map(|line| line.split(' ').nth(1));
        let mut mounts: Vec<&str> = mounts.filter(|mount| mount.starts_with(&folder)).collect();
        mounts.sort_unstable();
        for mount in mounts.into_iter().rev() {
            run(Command::new("umount").args(["--lazy", mount]));
        }
        run(Command::new("ip").args(["netns", "delete", &self.network]));
    }
}

/// The processes that were told of this path.
fn processes_that_name(path: &str) -> Vec<Pid> {
    let processes = fs::read_dir("/proc").expect("the processes").flatten();
    let named = processes.filter(|process| {
        let words = fs::read(process.path().join("cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&words).contains(path)
    });
    named.filter_map(|process| process.file_name().to_str()?.parse().ok().and_then(Pid::from_raw)).collect()
}

impl Engine {
    fn new(folder: &Path) -> Self {
        let mut engine = Self { folder: folder.to_owned(), dockerd: Self::dockerd(folder) };
        engine.answers();
        run(Command::new("docker").args(["load", "--input"]).arg(folder.join("images.tar"))).success();
        engine
    }

    fn dockerd(folder: &Path) -> Child {
        let log = File::options().create(true).append(true).open(folder.join("log")).expect("a log");
        Command::new("dockerd")
            .arg("--config-file")
            .arg(folder.join("daemon.json"))
            .env_remove("DOCKER_HOST")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("dockerd is there: `scripts/engine` installs it")
    }

    fn answers(&mut self) {
        eventually("the engine answers", || {
            let ended = self.dockerd.try_wait().expect("it is a child");
            assert!(ended.is_none(), "the engine does not start: {ended:?}\n{}", self.log());
            docker(["version"]).status == 0
        });
    }

    /// The end of its log.
    fn log(&self) -> String {
        let log = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(30)..].join("\n")
    }

    /// Ends it, and starts it again.
    pub fn restart(&mut self) {
        self.end();
        self.dockerd = Self::dockerd(&self.folder);
        self.answers();
    }

    fn end(&mut self) {
        let id = Pid::from_raw(self.dockerd.id().cast_signed()).expect("a process has an id");
        // an error says that it has ended already
        let _ = kill_process(id, Signal::TERM);
        self.dockerd.wait().expect("it ends");
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        if panicking() {
            println!("the end of the engine's log:\n{}", self.log());
        }
        self.end();
    }
}
