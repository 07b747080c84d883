//! Docker Engines of the tests' own, each with its own network, mounts and processes, so that nothing on this machine meets
//! what is on them. Whatever becomes of the test, and of the process that ran it, nothing of them is left. They need root,
//! `dockerd`, `ip`, `nsenter` and `unshare`.
//!
//! The test runs once more as a process of its own in there: `docker` talks to that engine, and 127.0.0.1 is where its
//! published ports are.

use crate::process::Run;
use crate::process::docker;
use crate::process::eventually;
use crate::process::run;
use crate::resolver::Resolver;
use rustix::process::Pid;
use rustix::process::Signal;
use rustix::process::kill_process;
use std::any::type_name;
use std::env;
use std::fs;
use std::io::BufRead;
use std::io::BufReader;
use std::net::Ipv4Addr;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::path::PathBuf;
use std::process;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::sync::Condvar;
use std::sync::Mutex;
use std::sync::PoisonError;

/// Where containers' questions for names go that the engine does not know.
pub const RESOLVER: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 53);

/// What containers add to a name that is not found.
pub const SEARCHED: &str = "company.test";

/// The images that the tests on such engines are made of.
const IMAGES: [&str; 7] =
    ["caddy:2", "gmail-web:latest", "nextjs-web:latest", "postgres:15", "redis:7-alpine", "web:1", "web:2"];

/// Tells the process in there where its engine keeps everything.
const FOLDER: &str = "GORDON_TEST_ENGINE";

/// Where in it the engine has what a machine forgets when it is switched off.
const RUN: &str = "run";

/// How many engines a process has at once: with more, they would only wait for each other.
const AT_ONCE: usize = 3;

/// Engines that no test uses, with nothing on them but images, and how many may still be made.
static POOL: Mutex<(Vec<PrivateEngine>, usize)> = Mutex::new((Vec::new(), AT_ONCE));

/// Wakes a test that waits for an engine: there is one more.
static ONE_MORE: Condvar = Condvar::new();

/// Runs dockerd; `$1` is its folder.
const START: &str =
    r#"env -u DOCKER_HOST dockerd --config-file "$1/daemon.json" </dev/null >>"$1/log" 2>&1 &"#;

/// Makes the namespaces, starts the engine, and holds both until standard input ends, which it does when this process ends
/// in any way. Then the kernel ends all that runs in there, and the folder is removed. The first process in there ignores its
/// children, so that none of them stays as a zombie.
const HOLD: &str = r#"
folder=$1 resolver=$2 start=$3
exec 3<&0
unshare --net --mount --uts --pid --fork --mount-proc sh -ec '
	ip link set lo up
	ip address add "$2" dev lo
	sysctl --quiet --write net.ipv4.ip_forward=1
	eval "$3"
	echo ready
	exec env --ignore-signal=CHLD cat >/dev/null
' sh "$folder" "$resolver" "$start" <&3 &
echo "$!"
exec 3<&- >/dev/null
wait "$!"
for container in "$folder"/data/containers/*; do
	[ -d "$container" ] || continue
	find /sys/fs/cgroup -depth -type d -path "*/${container##*/}*" -exec rmdir {} + 2>/dev/null
done
rm -rf "$folder"
"#;

/// Removes all that is on an engine but its images.
const CLEAR: &str = "docker ps --all --quiet | xargs -r docker rm --force --volumes >/dev/null
docker network prune --force >/dev/null
docker volume ls --quiet | xargs -r docker volume rm --force >/dev/null";

/// An engine, as those see it who are not in there.
struct PrivateEngine {
    folder: PathBuf,
    /// The process whose namespaces they are.
    inside: String,
    holder: Child,
    _room: Room,
}

/// What one of the engines that a process has at once takes up.
struct Room;

/// The engine, as a test in there sees it: it may end it in several ways, and start it again.
pub struct Engine {
    folder: PathBuf,
    dockerd: Pid,
    /// Who is asked for the names that the engine does not know.
    pub resolver: Resolver,
}

/// Runs `body` on a private engine that has nothing but images. `test` is the test that calls this.
#[track_caller]
pub fn on_private_engine<T: Copy>(test: T, body: fn()) {
    if let Some(folder) = env::var_os(FOLDER) {
        // another word means an engine that was started outside of the tests
        let _engine = Path::new(&folder).is_dir().then(|| Engine::of(folder.into()));
        return body();
    }
    let engine = PrivateEngine::take();
    engine.runs(test);
    engine.give_back();
}

/// Runs `body` on a private engine that no other test gets.
#[track_caller]
pub fn with_private_engine<T: Copy>(test: T, body: fn(Engine)) {
    match env::var_os(FOLDER) {
        Some(folder) => body(Engine::of(folder.into())),
        None => PrivateEngine::take().runs(test),
    }
}

impl PrivateEngine {
    /// One that is idle, or one more; waits while there are too many.
    fn take() -> Self {
        let pool = POOL.lock().unwrap_or_else(PoisonError::into_inner);
        let is_none = |(idle, more): &mut (Vec<Self>, usize)| idle.is_empty() && *more == 0;
        let mut pool = ONE_MORE.wait_while(pool, is_none).unwrap_or_else(PoisonError::into_inner);
        pool.0.pop().unwrap_or_else(|| {
            pool.1 -= 1;
            drop(pool);
            Self::new(Room)
        })
    }

    fn give_back(self) {
        self.sh(CLEAR);
        POOL.lock().unwrap_or_else(PoisonError::into_inner).0.push(self);
        ONE_MORE.notify_one();
    }

    fn new(room: Room) -> Self {
        // where an engine may keep layers; a folder for temporary files may be in memory
        let folder = tempfile::Builder::new().prefix("gordon-test-").tempdir_in("/var/tmp");
        let folder = folder.expect("a folder").keep();
        let forgotten = |name: &str| folder.join(RUN).join(name);
        fs::create_dir(folder.join(RUN)).expect("a folder");
        let driver = docker(["info", "--format", "{{.Driver}}"]).success().stdout;
        let config = serde_json::json!({
            "data-root": folder.join("data"),
            "exec-root": forgotten("exec"),
            "pidfile": forgotten("pid"),
            "hosts": [host(&folder)],
            "storage-driver": driver.trim(),
            "dns": [RESOLVER.to_string()],
            "dns-search": [SEARCHED],
        });
        fs::write(folder.join("daemon.json"), config.to_string()).expect("a file");
        let mut holder = Command::new("sh")
            .args(["-c", HOLD, "sh"])
            .arg(&folder)
            .args([&RESOLVER.to_string(), START])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // Ctrl-C is for this process: that one removes what is left of it
            .process_group(0)
            .spawn()
            .expect("there is a shell");
        let lines = BufReader::new(holder.stdout.take().expect("a pipe")).lines();
        let lines: Vec<String> = lines.take(2).map(|line| line.expect("text")).collect();
        let inside = lines.iter().find(|line| *line != "ready").cloned().unwrap_or_default();
        let engine = Self { folder, inside, holder, _room: room };
        assert!(lines.len() == 2, "a private engine needs root, `ip` and `unshare`: {lines:?}");
        eventually("the private engine answers", || engine.sh("docker version").status == 0);
        let save =
            format!("docker save {} | DOCKER_HOST={} docker load", IMAGES.join(" "), host(&engine.folder));
        run(Command::new("sh").args(["-c", &save])).success();
        engine
    }

    /// Runs a script whose docker talks to this engine.
    fn sh(&self, script: &str) -> Run {
        run(Command::new("sh").args(["-c", script]).env("DOCKER_HOST", host(&self.folder)))
    }

    /// Runs a test of this process once more, in there.
    #[track_caller]
    fn runs<T>(&self, _: T) {
        let (_, test) = type_name::<T>().split_once("::").expect("a test is in a crate");
        let namespaces = ["--net", "--mount", "--uts", "--wd=."];
        let again = run(Command::new("nsenter")
            .args(["--target", &self.inside])
            .args(namespaces)
            .arg(format!("--pid=/proc/{}/ns/pid_for_children", self.inside))
            .arg(env::current_exe().expect("this test"))
            .args(["--exact", "--include-ignored", "--nocapture", test])
            .env(FOLDER, &self.folder)
            .env("DOCKER_HOST", host(&self.folder)));
        println!("{}{}", again.stdout, again.stderr);
        if again.status != 0 {
            println!("the end of the engine's log:\n{}", log(&self.folder));
        }
        assert!(again.status == 0 && again.stdout.contains("ok. 1 passed"), "{test} fails on its own engine");
    }
}

impl Drop for PrivateEngine {
    fn drop(&mut self) {
        // a paused process cannot be ended, and a test that failed may have left one
        self.sh("timeout 20 docker ps --quiet --filter status=paused | xargs -r timeout 20 docker unpause");
        drop(self.holder.stdin.take());
        // what matters is that it has ended
        let _ = self.holder.wait();
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        POOL.lock().unwrap_or_else(PoisonError::into_inner).1 += 1;
        ONE_MORE.notify_one();
    }
}

/// Where the engine of this folder listens.
fn host(folder: &Path) -> String {
    format!("unix://{}", folder.join(RUN).join("socket").display())
}

/// The end of the log of the engine of this folder.
fn log(folder: &Path) -> String {
    let log = fs::read_to_string(folder.join("log")).unwrap_or_default();
    let lines: Vec<&str> = log.lines().collect();
    lines[lines.len().saturating_sub(30)..].join("\n")
}

/// Lets go of what is mounted in this folder.
fn unmount(folder: &Path) {
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

/// The processes in there, but for this one and the first.
fn others() -> Vec<Pid> {
    let first = fs::read_to_string("/proc/1/comm").expect("there is a first process");
    assert_eq!(first, "cat\n", "these are the processes of a private engine");
    let ids = fs::read_dir("/proc").expect("the processes").flatten();
    let ids = ids.filter_map(|process| process.file_name().to_str()?.parse::<u32>().ok());
    let ids = ids.filter(|id| ![1, process::id()].contains(id));
    ids.filter_map(|id| Pid::from_raw(id.cast_signed())).collect()
}

impl Engine {
    fn of(folder: PathBuf) -> Self {
        let dockerd = number(&folder.join(RUN).join("pid"));
        Self { folder, dockerd, resolver: Resolver::start(RESOLVER) }
    }

    /// Ends it, and starts it again.
    pub fn restart(&mut self) {
        // an error says that it has been told already
        let _ = kill_process(self.dockerd, Signal::TERM);
        eventually("the engine ends", || is_gone(self.dockerd));
        self.start();
    }

    /// Ends it, and all containers go on running while it is away, as in an upgrade; starts it again.
    pub fn is_away(&mut self, meanwhile: impl FnOnce()) {
        self.leaves_containers(true);
        // an error says that it has been told already
        let _ = kill_process(self.dockerd, Signal::TERM);
        eventually("the engine ends", || is_gone(self.dockerd));
        meanwhile();
        self.start();
        self.leaves_containers(false);
    }

    /// Whether containers go on running when it ends.
    fn leaves_containers(&self, is_so: bool) {
        let file = self.folder.join("daemon.json");
        let config = fs::read_to_string(&file).expect("an engine has a config");
        let mut config: serde_json::Value = serde_json::from_str(&config).expect("JSON");
        config["live-restore"] = is_so.into();
        fs::write(&file, config.to_string()).expect("a file");
        kill_process(self.dockerd, Signal::HUP).expect("it runs");
        let told = is_so.to_string();
        eventually("the engine has read its config", || {
            docker(["info", "--format", "{{.LiveRestoreEnabled}}"]).stdout.trim() == told
        });
    }

    /// Cuts the power, and starts it again: all its processes are gone at once, and so is what was in memory alone.
    pub fn loses_power(&mut self) {
        eventually("all processes are gone", || {
            // stopped first, so that none of them lives to see another end
            for signal in [Signal::STOP, Signal::KILL] {
                for id in others() {
                    // an error says that it is gone by itself
                    let _ = kill_process(id, signal);
                }
            }
            others().is_empty()
        });
        unmount(&self.folder);
        forget_links();
        let run = self.folder.join(RUN);
        fs::remove_dir_all(&run).expect("nothing is mounted there");
        fs::create_dir(&run).expect("a folder");
        self.start();
    }

    /// Kills it alone, with all containers running, and starts it again.
    pub fn crashes(&mut self) {
        let containerd = number(&self.folder.join(RUN).join("exec/containerd/containerd.pid"));
        kill_process(self.dockerd, Signal::KILL).expect("it runs");
        // a new one waits for it: it may be gone, and its parent not have noticed
        eventually("it took containerd with it", || is_gone(self.dockerd) && is_gone(containerd));
        self.start();
    }

    fn start(&mut self) {
        run(Command::new("sh").args(["-c", START, "sh"]).arg(&self.folder)).success();
        eventually("the engine answers", || docker(["version"]).status == 0);
        self.dockerd = number(&self.folder.join(RUN).join("pid"));
    }
}

/// The process whose number a file has.
fn number(file: &Path) -> Pid {
    let text = fs::read_to_string(file).expect("an engine writes its number");
    Pid::from_raw(text.trim().parse().expect("a number")).expect("a process has an id")
}

fn is_gone(process: Pid) -> bool {
    !Path::new("/proc").join(process.as_raw_nonzero().to_string()).exists()
}
