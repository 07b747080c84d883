//! A second Docker Engine for one test, in a network of its own, which the test may end in several ways and start again.
//! Nothing of it is left, however the test ends. It needs root, `dockerd`, `ip` and `nsenter`.
//!
//! The test runs once more as a process of its own in that network: there, `docker` talks to this engine, and 127.0.0.1 is
//! where its published ports are.

use crate::process::docker;
use crate::process::eventually;
use crate::process::run;
use rustix::process::Pid;
use rustix::process::Signal;
use rustix::process::kill_process;
use std::collections::BTreeMap;
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

/// Where in it the engine has what a machine forgets when it is switched off.
const RUN: &str = "run";

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
        .env("DOCKER_HOST", format!("unix://{}", place.folder.path().join(RUN).join("socket").display()))
        .status();
    assert!(status.expect("nsenter is there: `scripts/engine` installs it").success(), "it went well there");
    assert!(place.folder.path().join("log").exists(), "a test of this name ran there");
}

impl Place {
    fn new() -> Self {
        // where an engine may keep layers; a folder for temporary files may be in memory
        let folder =
            tempfile::Builder::new().prefix("gordon-test-").tempdir_in("/var/tmp").expect("a folder");
        let network = folder.path().file_name().expect("it has a name").display().to_string();
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
        let forgotten = |name: &str| path(RUN).join(name);
        fs::create_dir(path(RUN)).expect("a folder");
        let config = serde_json::json!({
            "data-root": path("data"),
            "exec-root": forgotten("exec"),
            "pidfile": forgotten("pid"),
            "hosts": [format!("unix://{}", forgotten("socket").display())],
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
        // the engine itself was ended by who started it; a killed one leaves others behind
        switch_off(self.folder.path());
        run(Command::new("ip").args(["netns", "delete", &self.network]));
    }
}

/// Kills all processes of the engine in this folder, none of which lives to see another end, and lets go of its mounts.
fn switch_off(folder: &Path) {
    for _ in 0..100 {
        let left = processes(folder);
        for signal in [Signal::STOP, Signal::KILL] {
            for id in &left {
                // an error says that it is gone by itself
                let _ = kill_process(*id, signal);
            }
        }
        if left.is_empty() {
            break;
        }
        sleep(Duration::from_millis(100));
    }
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    let mounts = mounts.lines().filter_map(|line| line.split(' ').nth(1));
    let mut mounts: Vec<&str> = mounts.filter(|mount| Path::new(mount).starts_with(folder)).collect();
    mounts.sort_unstable();
    for mount in mounts.into_iter().rev() {
        run(Command::new("umount").args(["--lazy", mount]));
    }
}

/// Removes what the kernel has of this network's containers: it goes on answering for a process that is gone, with its
/// address, until its connections have timed out.
fn forget_links() {
    for kind in ["veth", "bridge"] {
        let links = run(Command::new("ip").args(["-brief", "link", "show", "type", kind])).success().stdout;
        for link in links.lines().filter_map(|line| line.split(['@', ' ']).next()) {
            // an error says that it is gone by itself
            run(Command::new("ip").args(["link", "delete", link]));
        }
    }
}

/// The processes that were told of this folder, and all that they started, as far as they run.
fn processes(folder: &Path) -> Vec<Pid> {
    let folder = folder.display().to_string();
    let mut all = BTreeMap::new();
    for process in fs::read_dir("/proc").expect("the processes").flatten() {
        let Some(id) = process.file_name().to_str().and_then(|name| name.parse::<i32>().ok()) else {
            continue;
        };
        let words = fs::read(process.path().join("cmdline")).unwrap_or_default();
        let stat = fs::read_to_string(process.path().join("stat")).unwrap_or_default();
        // the name of the program may hold anything, also `) `
        let mut stat = stat.rsplit(") ").next().unwrap_or_default().split(' ');
        let (state, parent) = (stat.next(), stat.next().and_then(|parent| parent.parse::<i32>().ok()));
        if state != Some("Z") {
            all.insert(id, (parent, String::from_utf8_lossy(&words).contains(&folder)));
        }
    }
    let is_own = |mut id: i32| loop {
        match all.get(&id) {
            Some((_, true)) => break true,
            Some((Some(parent), false)) => id = *parent,
            _ => break false,
        }
    };
    all.keys().filter(|id| is_own(**id)).filter_map(|id| Pid::from_raw(*id)).collect()
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
        self.start();
    }

    /// Cuts the power, and starts it again: all its processes are gone at once, and so is what was in memory alone.
    pub fn loses_power(&mut self) {
        switch_off(&self.folder);
        forget_links();
        self.dockerd.wait().expect("it was killed");
        let run = self.folder.join(RUN);
        fs::remove_dir_all(&run).expect("nothing is mounted there");
        fs::create_dir(&run).expect("a folder");
        self.start();
    }

    /// Kills it alone, with all containers running, and starts it again.
    pub fn crashes(&mut self) {
        self.dockerd.kill().expect("it runs");
        self.dockerd.wait().expect("it was killed");
        let containerd = self.folder.join(RUN).join("exec/containerd/containerd.pid");
        let containerd = fs::read_to_string(containerd).expect("it wrote its number");
        // a new one waits for it: it may be gone, and its parent not have noticed
        eventually("it took containerd with it", || !Path::new("/proc").join(&containerd).exists());
        self.start();
    }

    fn start(&mut self) {
        self.dockerd = Self::dockerd(&self.folder);
        self.answers();
    }

    fn end(&mut self) {
        if let Ok(None) = self.dockerd.try_wait() {
            let id = Pid::from_raw(self.dockerd.id().cast_signed()).expect("a process has an id");
            kill_process(id, Signal::TERM).expect("it has not been waited for");
        }
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
