//! Deploys of the same app by several procedures, side by side: when a new release serves, when the command has ended, and
//! what the same load lost. `scripts/bench deploy` runs it; it asserts nothing of what it measures.

use super::alone;
use super::app;
use super::app::HOST;
use super::app::PORT;
use super::traffic::Load;
use super::traffic::Question;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Duration;
use std::time::Instant;
use support::Project;
use support::Run;
use support::Theirs;
use support::docker;
use support::eventually;
use support::inside;
use support::run;
use support::tally::Tally;

/// How many deploys are measured of each procedure.
const DEPLOYS: u32 = 3;

/// How long the load goes on for each deploy at least, so that all procedures have about as much of it.
const WINDOW: Duration = Duration::from_secs(15);

const NETWORK: &str = "gtest-bench";
const WEB: &str = "gtest-bench-web";
const PROXY: &str = "gtest-bench-proxy";

/// What was measured of a procedure: the medians of its deploys, and the load of all of them.
struct Figures {
    serves: Duration,
    ends: Duration,
    tally: Tally,
}

#[test]
#[ignore = "it measures: `scripts/bench deploy`"]
fn deploys_side_by_side() {
    alone(deploys_side_by_side, measures);
}

fn measures() {
    let compose = compose();
    let mut table = vec![("`gordon apply`".to_owned(), with_gordon())];
    table.push(("by hand: `docker stop`, `rm`, `run`".to_owned(), by_hand()));
    match &compose {
        Some((command, version)) => {
            let figures = with_compose(command);
            table.push((format!("`{} up -d` ({version})", command.join(" ")), figures));
        }
        None => println!("Compose is not here: it is left out"),
    }
    table.push(("aliases at `run`, health, `stop` the old".to_owned(), seed()));

    let cores = thread::available_parallelism().map_or(0, usize::from);
    let engine = docker(["version", "--format", "{{.Server.Version}}"]).success().stdout;
    println!("| {cores} cores, Docker Engine {} | serves after | ends after | lost |", engine.trim());
    println!("|---|---|---|---|");
    for (name, Figures { serves, ends, tally }) in table {
        let (serves, ends) = (serves.as_secs_f64(), ends.as_secs_f64());
        println!("| {name} | {serves:.1} s | {ends:.1} s | {} of {} |", tally.lost(), tally.asked);
    }
    let tally = changes_of_routes();
    println!(
        "Nine changes of another project's routes, 16 busy connections: lost {} of {}",
        tally.lost(),
        tally.asked
    );
}

/// What connections lose that are kept and never at rest, while the routes of another project change: Caddy closes those on
/// which it waits for a request.
fn changes_of_routes() -> Tally {
    let _project = app::project("gtest-bench", 1);
    let config = |hosts: u32| {
        let hosts = (0..hosts).map(|host| format!("host-{host}.test")).collect::<Vec<_>>().join(", ");
        format!(
            "name: gtest-bench-other\nproxy: {{ http_port: {PORT}, https_port: 18443, tls: 'off' }}\napps:\n  \
             web: {{ image: 'gmail-web:latest', proxy: {{ hosts: [{hosts}] }} }}\n"
        )
    };
    let other = Project::new("gtest-bench-other", &[("gordon.yaml", &config(1))]);
    other.apply();
    let load = Load::new().kept(16, &Question::post(PORT, HOST, "/", "body: release-"));
    for hosts in 2..=10 {
        other.write("gordon.yaml", &config(hosts));
        other.apply();
    }
    load.stop().tally
}

/// Deploys one release after the other under load.
fn measure(deploy: impl Fn(u32)) -> Figures {
    eventually("the app reaches its database", || app::database().ask().is_ok());
    let load = app::load();
    let (mut serves, mut ends) = (Vec::new(), Vec::new());
    for release in 1..=DEPLOYS {
        let begin = Instant::now();
        let first = thread::spawn(move || {
            let question = Question::get(PORT, HOST, "/", &body(release));
            eventually("the new release serves", || question.ask().is_ok());
            begin.elapsed()
        });
        deploy(release);
        ends.push(begin.elapsed());
        serves.push(first.join().expect("it serves"));
        thread::sleep(WINDOW.saturating_sub(begin.elapsed()));
    }
    let median = |mut times: Vec<Duration>| {
        times.sort();
        times[times.len() / 2]
    };
    Figures { serves: median(serves), ends: median(ends), tally: load.stop().tally }
}

fn body(release: u32) -> String {
    format!("release-{release:02}")
}

fn image(release: u32) -> String {
    format!("web:{}", 1 + release % 2)
}

fn with_gordon() -> Figures {
    let name = "gtest-bench";
    // the proxy outlives the project, and has the port
    let _proxy = Theirs(["rm", "--force", "--volumes", "gordon-proxy"].map(str::to_owned).into());
    let project = app::project(name, 1);
    measure(|release| {
        // as people have it who say nothing of the drain
        let config = app::config(name, release, 1).replace("deploy: { drain: 3s }\n", "");
        project.write("gordon.yaml", &config);
        project.apply();
    })
}

fn by_hand() -> Figures {
    let (_network, _database) = (network(), database());
    let _web = Theirs::new(&web(WEB, 0, &[]), &["rm", "--force", WEB]);
    let _proxy = proxy(WEB);
    measure(|release| {
        docker(["stop", WEB]).success();
        docker(["rm", WEB]).success();
        run_web(WEB, release, &[]);
    })
}

/// The procedure that promises it with two aliases: they are given at `docker run`, the proxy asks for the one that is unique
/// on the host, and so does the check of health, whichever of the two answers it.
fn seed() -> Figures {
    let aliases = ["--network-alias", "web", "--network-alias", "gmail-web"];
    let colours = ["gtest-bench-web-green", "gtest-bench-web-blue"];
    let (_network, _database) = (network(), database());
    let _web = Theirs::new(&web(colours[0], 0, &aliases), &["rm", "--force", colours[0], colours[1]]);
    let _proxy = proxy("gmail-web");
    measure(|release| {
        let [incoming, outgoing] = if release % 2 == 1 { [colours[1], colours[0]] } else { colours };
        run_web(incoming, release, &aliases);
        let up = "http://gmail-web:3000/up";
        eventually("it is healthy", || inside(PROXY, ["wget", "-q", "-O", "/dev/null", up]).status == 0);
        docker(["stop", outgoing]).success();
        docker(["rm", outgoing]).success();
    })
}

fn with_compose(command: &[&str]) -> Figures {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("compose.yaml");
    let project = Composed { command, file: &file };
    project.up(0);
    measure(|release| project.up(release))
}

/// A project of Compose, with the proxy in it.
struct Composed<'a> {
    command: &'a [&'a str],
    file: &'a Path,
}

impl Composed<'_> {
    fn run(&self, words: &[&str]) -> Run {
        let mut command = Command::new(self.command[0]);
        command.args(&self.command[1..]).args(["-p", "gtest-bench", "-f"]).arg(self.file);
        run(command.args(words))
    }

    fn up(&self, release: u32) {
        let (image, body) = (image(release), body(release));
        let text = format!(
            "services:
  db: {{ image: 'postgres:15', environment: {{ POSTGRES_HOST_AUTH_METHOD: trust }} }}
  web: {{ image: '{image}', environment: {{ BODY: {body}, START_DELAY: '2', DATABASE_URL: 'postgres://db', LIMIT: '30' }} }}
  proxy:
    image: 'caddy:2'
    command: caddy reverse-proxy --from :80 --to web:3000
    ports: ['{PORT}:80']
"
        );
        fs::write(self.file, text).expect("a file");
        self.run(&["up", "-d"]).success();
    }
}

impl Drop for Composed<'_> {
    fn drop(&mut self) {
        self.run(&["down", "-v", "-t", "1"]);
    }
}

/// The Compose that is here, and its version.
fn compose() -> Option<(&'static [&'static str], String)> {
    let commands: [&[&str]; 2] = [&["docker-compose"], &["docker", "compose"]];
    commands.into_iter().find_map(|command| {
        let output =
            Command::new(command[0]).args(&command[1..]).args(["version", "--short"]).output().ok()?;
        let version = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        output.status.success().then_some((command, version))
    })
}

fn network() -> Theirs {
    Theirs::new(&["network", "create", NETWORK], &["network", "rm", NETWORK])
}

fn database() -> Theirs {
    let name = "gtest-bench-db";
    let trust = "POSTGRES_HOST_AUTH_METHOD=trust";
    let words = ["run", "--detach", "--name", name, "--network", NETWORK, "--network-alias", "db"];
    let words = [&words[..], &["--env", trust, "postgres:15"]].concat();
    Theirs::new(&words, &["rm", "--force", "--volumes", name])
}

fn proxy(upstream: &str) -> Theirs {
    let (port, upstream) = (format!("{PORT}:80"), format!("{upstream}:3000"));
    let words = ["run", "--detach", "--name", PROXY, "--network", NETWORK, "--publish", &port, "caddy:2"];
    let caddy = ["caddy", "reverse-proxy", "--from", ":80", "--to", &upstream];
    Theirs::new(&[&words[..], &caddy].concat(), &["rm", "--force", "--volumes", PROXY])
}

fn run_web(name: &str, release: u32, more: &[&str]) {
    run(Command::new("docker").args(web(name, release, more))).success();
}

/// The words that run a release of the app.
fn web(name: &str, release: u32, more: &[&str]) -> Vec<String> {
    let body = format!("BODY={}", body(release));
    let mut words = vec!["run", "--detach", "--name", name, "--network", NETWORK];
    words.extend(more);
    for variable in [&body, "START_DELAY=2", "DATABASE_URL=postgres://db", "LIMIT=30"] {
        words.extend(["--env", variable]);
    }
    let image = image(release);
    words.push(&image);
    words.into_iter().map(str::to_owned).collect()
}
