//! The command line as people and machines use it: all output and every exit code, with a script in place of
//! docker.
#![expect(clippy::disallowed_methods, reason = "tests run processes and make files")]

use proptest::prelude::*;
use serde_json::Value;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::process::Stdio;
use tempfile::TempDir;

/// Answers like an engine that has only the images `web:1` and `db:1`, and accepts every command. A test puts
/// its own cases for `$*` before these. Each call is recorded.
const DOCKER: &str = r#"#!/bin/sh
here=${0%/*}
echo "$*" >>"$here/calls"
image() {
	printf '["sha256:%064d",["%s"],[],{"Volumes":%s}]\n' "$1" "$2" "$3"
}
case $* in
CASES
'image inspect --format'*'json .Config.Volumes'*) echo null ;;
'image inspect'*)
	status=0
	for reference; do
		case $reference in
		web:1) image 1 web:1 null ;;
		db:1) image 2 db:1 '{"/data":{}}' ;;
		image | inspect | --format | \[*) ;;
		*)
			echo "Error: No such image: $reference" >&2
			status=1
			;;
		esac
	done
	exit $status
	;;
'container inspect'*gordon-lock-*) exit 1 ;;
'container inspect'*State.Status*) echo 'running none 0' ;;
# an engine of its own: locks are files of this machine, by engine
'info --format {{.ID}}'*) echo "$here" ;;
'ps '* | 'network ls'* | 'volume ls'* | 'network inspect'* | 'image ls'*) ;;
'info '*LoggingDriver*) echo json-file ;;
'exec gordon-proxy sh -c a='*) echo ready ;;
*) echo 0123456789ab ;;
esac
"#;

/// A folder with a config and a docker.
struct Scene {
    folder: TempDir,
    docker: TempDir,
}

/// The exit code and the output of gordon.
struct Run {
    status: i32,
    stdout: String,
    stderr: String,
}

impl Scene {
    /// A scene with these files, and a docker with `cases` before the usual ones.
    fn new(files: &[(&str, &str)], cases: &str) -> Self {
        let scene = Self {
            folder: tempfile::tempdir().expect("a folder"),
            docker: tempfile::tempdir().expect("a folder"),
        };
        for (path, text) in files {
            scene.write(path, text);
        }
        let script = scene.docker.path().join("docker");
        fs::write(&script, DOCKER.replace("CASES\n", cases)).expect("a file");
        fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).expect("its own file");
        scene
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.folder.path().join(path);
        fs::create_dir_all(path.parent().expect("it lies in a folder")).expect("a folder");
        fs::write(path, text).expect("a file");
    }

    fn path(&self) -> String {
        format!("{}:/usr/bin:/bin", self.docker.path().display())
    }

    fn gordon(&self, words: &str) -> Run {
        self.run(words, &self.path())
    }

    fn command(&self, words: &str, path: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gordon"));
        command
            .args(words.split_whitespace())
            .current_dir(self.folder.path())
            .env_clear()
            .env("PATH", path)
            // a remote engine: the routes of this machine do not matter to it
            .env("DOCKER_HOST", "tcp://engine.test:2375")
            .stdin(Stdio::null());
        command
    }

    fn run(&self, words: &str, path: &str) -> Run {
        self.outcome(&mut self.command(words, path))
    }

    fn outcome(&self, command: &mut Command) -> Run {
        let output = command.output().expect("gordon is built");
        let text = |bytes: &[u8]| {
            let text = String::from_utf8_lossy(bytes).into_owned();
            text.replace(&self.folder.path().display().to_string(), "[folder]")
        };
        Run {
            status: output.status.code().unwrap_or(-1),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
        }
    }

    /// The docker calls so far, each by its first words.
    fn calls(&self) -> Vec<String> {
        let calls = fs::read_to_string(self.docker.path().join("calls")).unwrap_or_default();
        let short = |call: &str| call.split(' ').take(2).collect::<Vec<_>>().join(" ");
        calls.lines().map(short).collect()
    }

    /// Whether docker has got no command that changes something.
    fn is_untouched(&self) -> bool {
        let reads = [
            "ps --all",
            "network ls",
            "volume ls",
            "image inspect",
            "image ls",
            "network inspect",
            "container inspect",
            "info --format",
            "version --format",
        ];
        self.calls().iter().all(|call| reads.contains(&call.as_str()))
    }
}

impl Run {
    #[track_caller]
    fn ended(self, status: i32) -> Self {
        assert_eq!(self.status, status, "{}\n{}", self.stdout, self.stderr);
        self
    }

    /// Compares the whole output with a snapshot.
    #[track_caller]
    fn shows(&self, name: &str) {
        let mut text = String::new();
        for (stream, said) in [("stdout", &self.stdout), ("stderr", &self.stderr)] {
            writeln!(text, "{stream}:").expect("a string takes everything");
            for line in said.lines() {
                writeln!(text, "  {}", timeless(line)).expect("a string takes everything");
            }
        }
        writeln!(text, "exit status: {}", self.status).expect("a string takes everything");
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path("../snapshots");
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        settings.bind(|| insta::assert_snapshot!(format!("cli_{name}"), text.replace("  \n", "\n")));
    }
}

/// A line without durations: `12 ms` and `1.2 s` become `# s`, `"seconds":0.12` becomes `"seconds":#`.
fn timeless(line: &str) -> String {
    let words: Vec<&str> = line.split(' ').collect();
    let is_time = |at: usize| words[at].parse::<f64>().is_ok();
    let word = |at: usize| match words[at] {
        _ if is_time(at) && words.get(at + 1).is_some_and(|unit| is_unit(unit)) => "#",
        unit if is_unit(unit) && at > 0 && is_time(at - 1) => unit.trim_start_matches('m'),
        word => word,
    };
    let line = (0..words.len()).map(word).collect::<Vec<_>>().join(" ");
    match line.split_once("\"seconds\":") {
        Some((before, after)) => {
            let rest = after.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
            format!("{before}\"seconds\":#{rest}")
        }
        None => line,
    }
}

fn is_unit(word: &str) -> bool {
    ["s", "ms"].contains(&word.trim_end_matches(','))
}

/// An app with a database that has a volume. `NAME` keeps tests apart, since locks are files.
const SHOP: &str = r#"
name = "cli-NAME"
[routes]
"shop.test" = "web:1"
[attachments]
"shop.test" = ["db:1"]
[proxy]
enabled = false
"#;

fn shop(name: &str, cases: &str) -> Scene {
    Scene::new(&[("gordon.toml", &SHOP.replace("NAME", name))], cases)
}

#[test]
fn help_describes_every_command() {
    let scene = shop("help", "");
    for (words, name) in [
        ("--help", "help"),
        ("plan --help", "help_plan"),
        ("apply --help", "help_apply"),
        ("down --help", "help_down"),
        ("rollback --help", "help_rollback"),
        ("status --help", "help_status"),
        ("check --help", "help_check"),
        ("images --help", "help_images"),
        ("routes --help", "help_routes"),
        ("unlock --help", "help_unlock"),
    ] {
        scene.gordon(words).shows(name);
    }
    assert_eq!(scene.gordon("deploy --help").stdout, scene.gordon("apply --help").stdout);
}

#[test]
fn wrong_usage_exits_with_2() {
    let scene = shop("use", "");
    for words in [
        "",
        "plan --colour",
        "plan --images images.json",
        "apply plan.json --pull",
        "apply --jobs 0",
        "plan --docker=",
        "plan --context=",
    ] {
        let run = scene.gordon(words).ended(2);
        assert_eq!(run.stdout, "", "{words}");
        assert!(
            run.stderr.contains("--help") || run.stderr.contains("Usage: gordon"),
            "{words}: {}",
            run.stderr
        );
    }
    assert!(scene.calls().is_empty());
}

#[test]
fn a_config_is_needed() {
    let scene = Scene::new(&[], "");
    scene.gordon("plan").ended(2).shows("no_config");
    scene.gordon("check --file other.toml").ended(2).shows("no_such_config");
}

#[test]
fn check_needs_no_docker() {
    let scene = shop("check", "");
    scene.run("check", "").ended(0).shows("check");
}

#[test]
fn check_reports_every_problem_at_once() {
    let config = "name = \"cli-problems\"\nrotues = {}\n[routes]\n\"a.test\" = { image = \"web:1\", env_file = [\"none.env\", \"/dev/zero\"] }\n";
    let scene = Scene::new(&[("gordon.toml", config), ("env/a_test.env/folder", "")], "");
    scene.gordon("check").ended(2).shows("check_problems");
    scene.gordon("apply --yes").ended(2);
    assert!(scene.calls().is_empty());
}

#[test]
fn check_reads_every_file_of_the_config() {
    let config = "name = \"cli-files\"\nenv.dir = \"envs\"\n[routes]\n\"a.test\" = { image = \"web:1\", env_file = \"a.env\", volumes = [\"./www:/www\", \"./gordon.toml:/c\"], environment = { secret = [\"TOKEN\"] } }\n";
    let files = [
        ("gordon.toml", config),
        ("a.env", "A=1\nexport B=2\n"),
        (".gordon/secrets", "hunter2\nTOKEN=${pass:hunter2}\n"),
    ];
    let scene = Scene::new(&files, "");
    let run =
        |words| scene.outcome(scene.command(words, "").env("DOCKER_HOST", "unix:///nowhere/docker.sock"));
    run("check").ended(2).shows("check_files");
    assert!(!run("check").stderr.contains("hunter"));
    scene.write("envs/b_test.env", "");
    scene.write("a.env", "");
    scene.write(".gordon/secrets", "TOKEN=$(hunter2)\n");
    run("check").ended(0).shows("check_files_warnings");
    // the engine is remote: the files of this machine do not matter to it
    assert!(!scene.gordon("check").stderr.contains("www"));
    assert!(!run("plan --offline").ended(0).stderr.contains("www"));
}

#[test]
fn a_plan_without_docker_suggests_offline() {
    let scene = shop("offline", "");
    scene.run("plan", "/nonexistent").ended(1).shows("plan_without_docker");
    scene.run("plan --offline --docker nosuch", "").ended(0);
}

#[test]
fn an_offline_plan_uses_images_json() {
    let images = r#"{"version": 1, "images": {"web:1": {}, "db:1": {"volumes": ["/data"]}}}"#;
    let scene = Scene::new(
        &[("gordon.toml", &SHOP.replace("NAME", "images-json")), ("images.json", images), ("bad.json", "{}")],
        "",
    );
    let run = scene.run("plan --offline --images images.json", "").ended(0);
    assert!(run.stdout.contains("docker volume create"), "{}", run.stdout);
    assert_eq!(run.stderr, "");
    scene.run("plan --offline --images bad.json", "").ended(2).shows("plan_bad_images");
    scene.run("plan --offline --images none.json", "").ended(2).shows("plan_no_images");
}

#[test]
fn an_explanation_names_the_source_of_each_value_and_shows_no_secret() {
    let config = "name = \"shop\"\n[routes.\"a.com\"]\nimage = \"app:${TAG}\"\nport = \"${PORT:-8080}\"\n\
                  command = [\"serve\", \"${MODE:-${KIND}}\", \"${DEBUG:+--debug}${TRACE:+--trace}\"]\nenv_file = \"own.env\"\n\
                  environment = { plain = { LOG = \"${LOG}\", SAME = \"config\" }, secret = [\"TOKEN\", \"KEPT\", \"NONE\", \
                  { name = \"ASKED\", command = [\"op\", \"read\", \"x\"] }] }\n";
    let files = [
        ("gordon.toml", config),
        (".env", "# tags\nTAG=1.3\nMODE=\nTRACE=1\nKIND=file\n"),
        ("env/a_com.env", "# of the route\nDB=hunter2\nSAME=file\nFIRST=hunter2\n"),
        ("own.env", "FIRST=hunter3\nPASSED\n"),
        (".gordon/secrets", "KEPT=hunter4\nTOKEN=hunter5\n"),
    ];
    let scene = Scene::new(&files, "");
    let mut command = scene.command("plan --explain --var LOG=debug", "");
    let run = scene.outcome(command.env("TOKEN", "hunter6").env("KIND", "batch"));
    assert_eq!(run.status, 0, "{}", run.stderr);
    assert_eq!(
        run.stdout,
        "routes.\"a.com\".image = app:1.3  (gordon.toml:3)\n  TAG  from .env, line 2\n\
         routes.\"a.com\".port = 8080  (gordon.toml:4)\n  PORT  not set: the default in the config\n\
         routes.\"a.com\".command[1] = batch  (gordon.toml:5)\n  MODE  empty, from .env, line 3: the default in the config\n  \
         KIND  from the environment\n\
         routes.\"a.com\".command[2] = --trace  (gordon.toml:5)\n  DEBUG  not set: nothing\n  TRACE  set, from .env, line 4: the \
         text in the config\n\
         routes.\"a.com\".environment.plain.LOG = debug  (gordon.toml:7)\n  LOG  from `--var`\n\
         shop-a.com\n  ASKED   secret, from the command `op`\n  DB      env/a_com.env, line 2\n  FIRST   own.env, line 1\n  \
         KEPT    secret, from .gordon/secrets, line 1\n  NONE    secret, without a value\n  \
         PASSED  own.env, line 2, which leaves it to the environment\n  TOKEN   secret, from the environment\n"
    );
    assert!(!format!("{}{}", run.stdout, run.stderr).contains("hunter"), "{}{}", run.stdout, run.stderr);
    let plain = Scene::new(&[("gordon.toml", "[routes]\n\"a.com\" = \"app:1\"\n")], "");
    assert!(plain.run("plan --explain", "").ended(0).stdout.starts_with("all values are in the config"));
}

#[test]
fn variables_come_from_the_command_line_the_environment_and_the_env_file() {
    let config = "name = \"variables\"\n[services.web]\nimage = \"web:${FIRST}-${SECOND}-${THIRD}\"\n";
    let scene = Scene::new(&[("gordon.toml", config), (".env", "FIRST=3\nSECOND=3\nTHIRD=3\n")], "");
    let mut command = scene.command("plan --offline --summary --var FIRST=1", "");
    let run = scene.outcome(command.envs([("FIRST", "2"), ("SECOND", "2")])).ended(0);
    assert!(run.stdout.contains("web:1-2-3"), "{}", run.stdout);
    scene.write(".env", "FIRST=3\n");
    let run = scene.run("check --var THIRD=1", "").ended(2);
    assert!(run.stderr.contains("error: the variable `SECOND` has no value"), "{}", run.stderr);
}

#[test]
fn plan_shows_and_changes_nothing() {
    let scene = shop("plan", "");
    scene.gordon("plan").ended(0).shows("plan");
    scene.gordon("plan -v").ended(0).shows("plan_verbose");
    let changes = scene.gordon("plan --exit-code").ended(3);
    assert_eq!(changes.stderr, "");
    assert!(scene.gordon("plan --format sh").ended(0).stdout.starts_with("#!/bin/sh\n"));
    let json = scene.gordon("plan --format json").ended(0).stdout;
    let plan: Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!((&plan["version"], &plan["project"]), (&1.into(), &"cli-plan".into()));
    assert!(scene.is_untouched(), "{:?}", scene.calls());
}

/// Two hosts behind a proxy, of which the second does not answer.
const SERVED: &str = "'exec --interactive gordon-proxy sh -c '*)
	case $(cat) in
	'a.test
b.test') printf '%s\\n' 'b.test no - dial tcp 127.0.0.1:80: connect: connection refused' 'a.test yes 200 41.3' ;;
	esac
	;;
";

#[test]
fn an_apply_that_did_something_says_what_is_served() {
    let config = "name = \"cli-served\"\n[routes]\n\"a.test\" = \"web:1\"\n\"b.test\" = \"web:1\"\n";
    let scene = |config: &str, cases| {
        let images = "'image inspect'*caddy:2*)\n\timage 1 web:1 null\n\timage 3 caddy:2 null\n\t;;\n";
        Scene::new(&[("gordon.toml", config)], &format!("{images}{cases}"))
    };
    let last = |run: &Run, count: usize| {
        let lines: Vec<&str> = run.stderr.lines().collect();
        lines[lines.len() - count..].join("\n")
    };
    let run = scene(config, SERVED).gordon("apply --yes").ended(0);
    assert_eq!(
        last(&run, 2),
        "https://b.test → no answer: connection refused; its certificate is not there yet\nhttps://a.test → 200 in 41 ms"
    );
    let refuses =
        "'exec --interactive gordon-proxy sh -c '*)\n\techo 'no such container' >&2\n\texit 1\n\t;;\n";
    let run = scene(config, refuses).gordon("apply --yes").ended(0);
    assert_eq!(last(&run, 1), "what is served is not known: the proxy cannot be asked: no such container");
    for (config, words) in [
        (format!("{config}[proxy]\nenabled = false\n"), "apply --yes"),
        (config.to_owned(), "apply --yes --json"),
    ] {
        let scene = scene(&config, SERVED);
        scene.gordon(words).ended(0);
        let calls = fs::read_to_string(scene.docker.path().join("calls")).expect("calls");
        assert!(!calls.contains("served http"), "{words}");
    }
}

#[test]
fn with_nothing_to_do_docker_gets_no_further_calls() {
    let scene = Scene::new(&[("gordon.toml", "name = \"cli-nothing\"\n")], "");
    scene.gordon("apply").ended(0).shows("apply_nothing");
    let calls = scene.calls();
    assert_eq!(calls.len(), 4, "{calls:?}");
    assert!(scene.is_untouched());
    scene.gordon("apply --json").ended(0).shows("apply_nothing_json");
    scene.gordon("plan --exit-code").ended(0).shows("plan_nothing");
    scene.gordon("down").ended(0).shows("down_nothing");
}

#[test]
fn an_engine_that_cannot_limit_logs_is_given_no_limits() {
    for (driver, is_limited) in [("json-file", true), ("local", true), ("journald", false)] {
        let cases = format!("'info '*LoggingDriver*) echo {driver} ;;");
        let scene = shop("logs", &cases);
        let plan = scene.gordon("plan --format sh").ended(0).stdout;
        assert_eq!(plan.contains("--log-opt max-size=10m"), is_limited, "{driver}: {plan}");
        assert_eq!(plan.contains("limits_logs"), is_limited, "{driver}: {plan}");
        scene.gordon("apply --yes").ended(0);
        let calls = scene.calls().iter().filter(|call| call.starts_with("info")).count();
        assert!(calls <= 3, "it is asked once a run, and once for the lock: {:?}", scene.calls());
    }
}

#[test]
fn without_a_terminal_apply_asks_no_question() {
    let scene = shop("ask", "");
    scene.gordon("apply").ended(2).shows("apply_without_yes");
    assert!(scene.is_untouched(), "{:?}", scene.calls());
}

#[test]
fn apply_reports_each_step_and_a_summary() {
    let scene = shop("apply", "");
    scene.gordon("apply --yes --jobs 1").ended(0).shows("apply");
    let calls = scene.calls();
    let changes: Vec<&str> = calls.iter().map(String::as_str).filter(|c| !c.contains("inspect")).collect();
    let reads = ["version --format", "ps --all", "network ls", "volume ls"];
    let without_reads: Vec<&str> = changes.into_iter().filter(|call| !reads.contains(call)).collect();
    assert_eq!(
        without_reads,
        [
            "info --format",
            "info --format",
            "create --pull",
            "network create",
            "volume create",
            "run --detach",
            "update --restart",
            "run --detach",
            "update --restart",
            "rm --force"
        ]
    );
}

#[test]
fn apply_reports_json_events_on_request() {
    let scene = shop("json", "");
    let run = scene.gordon("apply --yes --jobs 1 --json").ended(0);
    Run { stderr: String::new(), ..run }.shows("apply_json");
}

#[test]
fn apply_continues_when_its_output_is_closed() {
    let scene = shop("reader", "");
    let mut gordon = scene.command("apply --yes --jobs 1", &scene.path());
    let mut gordon = gordon.stderr(Stdio::piped()).spawn().expect("gordon is built");
    drop(gordon.stderr.take());
    assert_eq!(gordon.wait().expect("it ends").code(), Some(0));
    assert_eq!(scene.calls().last().map(String::as_str), Some("rm --force"));
    let mut plan = scene.command("plan --format json", &scene.path());
    let mut plan = plan.stdout(Stdio::piped()).spawn().expect("gordon is built");
    drop(plan.stdout.take());
    assert_eq!(plan.wait().expect("it ends").code(), Some(0));
}

#[test]
fn a_failed_step_is_reported_with_dockers_error_and_a_hint() {
    let scene = shop(
        "fails",
        "'run '*web:1)\n\techo 'docker: Error response from daemon: driver failed programming external connectivity on \
         endpoint x: Bind for 0.0.0.0:80 failed: port is already allocated.' >&2\n\texit 125 ;;\n",
    );
    let run = scene.gordon("apply --yes --jobs 1").ended(1);
    Run { stderr: after_plan(&run.stderr), ..run }.shows("apply_port_in_use");
    assert_eq!(scene.calls().last().map(String::as_str), Some("rm --force"), "the lock is given back");
}

#[test]
fn a_container_that_exits_is_reported_with_its_log() {
    let scene = shop(
        "dies",
        "'container inspect'*State.Status*cli-dies-shop.test-db) echo 'exited none 0' ;;\n\
         'container inspect'*'json .State'*) echo '{\"Status\":\"exited\",\"ExitCode\":3,\"FinishedAt\":\"2024\"}' ;;\n\
         'logs '*) echo '1 starting'; echo '2 no room' >&2 ;;\n",
    );
    let run = scene.gordon("apply --yes --jobs 1").ended(1);
    Run { stderr: after_plan(&run.stderr), ..run }.shows("apply_dies");
}

#[test]
fn an_unavailable_image_fails_only_its_own_app() {
    let config = "name = \"cli-no-image\"\n[routes]\n\"a.test\" = \"web:1\"\n\"b.test\" = \"far.test/web:9\"\n[proxy]\nenabled = false\n";
    let cases = "'pull '*)\n\techo 'Error response from daemon: manifest unknown' >&2\n\texit 1 ;;\n\
                 'image ls'*'{{.Repository}}:'*) printf 'web:1\\ndb:1\\n' ;;\n";
    let scene = Scene::new(&[("gordon.toml", config)], cases);
    scene.gordon("apply --yes --jobs 1").ended(1).shows("apply_no_image");
}

#[test]
fn an_image_that_may_not_be_pulled_fails_only_its_own_app() {
    let config = "name = \"cli-never\"\n[apps.a]\nimage = \"web:1\"\n[apps.b]\nimage = \"none:1\"\n[deploy]\npull = \"never\"\n";
    let scene = Scene::new(&[("gordon.toml", config)], "");
    let run = scene.gordon("apply --yes --jobs 1").ended(1);
    assert!(
        run.stderr.contains("none:1 cannot be had: it is not on this host, and `deploy.pull` is `never`")
    );
    let calls = scene.calls();
    assert_eq!(calls.iter().filter(|call| *call == "run --detach").count(), 1, "{calls:?}");
    assert!(!calls.contains(&"pull none:1".to_owned()));
}

#[test]
fn an_unreachable_docker_is_reported() {
    let scene = shop(
        "daemon",
        "*)\n\techo 'Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?' \
         >&2\n\texit 1 ;;\n",
    );
    scene.gordon("apply --yes").ended(1).shows("apply_no_daemon");
}

#[test]
fn all_missing_secrets_are_named_before_docker_is_asked() {
    let config = "name = \"cli-secrets\"\n[apps.web]\nimage = \"web:1\"\nenvironment = { secret = [\"TOKEN\", \"KEY\"] }\n";
    let scene = Scene::new(&[("gordon.toml", config)], "");
    scene.gordon("apply --yes").ended(2).shows("no_secrets");
    assert!(scene.calls().is_empty());
    scene.gordon("plan --offline").ended(0);
    scene.write(".gordon/secrets", "TOKEN=hunter2\nKEY=hunter3\n");
    let run = scene.gordon("apply --yes --jobs 1").ended(0);
    assert!(!format!("{}{}", run.stdout, run.stderr).contains("hunter"));
    assert!(run.stderr.contains("other users can read"), "{}", run.stderr);
}

#[test]
fn the_command_of_a_secret_runs_once_a_run_and_status_runs_none() {
    let config = "name = \"cli-store\"\n[apps]\n\"web\" = { image = \"web:1\", environment = { secret = [{ name = \"TOKEN\", command = [\"./store\", \"shop/token\"] }] } }\n";
    let scene = Scene::new(&[("gordon.toml", config)], "");
    scene.write("store", "#!/bin/sh\necho \"$1\" >>asked\necho hunter2\n");
    let path = scene.folder.path().join("store");
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("a program");
    let asked = || fs::read_to_string(scene.folder.path().join("asked")).unwrap_or_default();
    let run = scene.gordon("status").ended(1);
    assert!(run.stdout.contains("secret `TOKEN` has no value here") && asked().is_empty(), "{}", run.stdout);
    let run = scene.gordon("apply --yes --jobs 1").ended(0);
    assert_eq!(asked(), "shop/token\n");
    assert!(!format!("{}{}", run.stdout, run.stderr).contains("hunter"));
    scene.write("store", "#!/bin/sh\necho locked >&2\nexit 7\n");
    let run = scene.gordon("apply --yes").ended(2);
    let told = "error: secret `TOKEN`: `./store` ended with exit status: 7";
    assert!(run.stderr.starts_with("locked\n") && run.stderr.contains(told), "{}", run.stderr);
}

#[test]
fn a_saved_plan_is_carried_out_or_refused() {
    let scene = shop("saved", "");
    let run = scene.gordon("plan --out plan.json").ended(0);
    assert!(
        run.stdout.ends_with("`gordon apply plan.json` carries out this plan or nothing\n"),
        "{}",
        run.stdout
    );
    scene.gordon("apply plan.json --yes --jobs 1").ended(0);
    scene.write("gordon.toml", &SHOP.replace("NAME", "saved").replace("db:1", "web:1"));
    let before = scene.calls().len();
    scene.gordon("apply plan.json --yes").ended(1).shows("apply_stale");
    assert!(scene.calls()[before..].iter().all(|call| !call.starts_with("run")));
    scene.write("plan.json", "{}");
    scene.gordon("apply plan.json --yes").ended(2).shows("apply_no_plan");
}

#[test]
fn a_plan_that_changes_under_the_lock_is_shown_and_applied_with_yes() {
    // the volume appears between the two readings
    let scene = shop(
        "meanwhile",
        "'volume ls'*)\n\t[ \"$(grep -c '^volume ls' \"$here/calls\")\" = 1 ] ||\n\t\t\
         echo '[\"cli-meanwhile-shop-test-db-data\",\"\",\"\",\"\"]' ;;\n",
    );
    let run = scene.gordon("apply --yes --jobs 1").ended(0);
    Run { stderr: after_plan(&run.stderr), ..run }.shows("apply_replanned");
    assert!(!scene.calls().contains(&"volume create".to_owned()), "{:?}", scene.calls());
}

#[test]
fn a_config_for_several_machines_is_not_applied_to_one() {
    let config =
        "name = \"cli-several\"\nservers = [\"a.test\", \"b.test\"]\n[apps.web]\nimage = \"web:1\"\n";
    let scene = Scene::new(&[("gordon.toml", config)], "");
    scene.gordon("apply --yes").ended(2).shows("apply_several_machines");
    assert!(scene.calls().is_empty());
}

#[test]
fn every_command_that_calls_docker_refuses_a_config_for_another_host() {
    let config = "name = \"cli-server\"\n[apps.web]\nimage = \"web:1\"\nserver = \"h1.test\"\n";
    let scene = Scene::new(&[("gordon.toml", config)], "");
    scene.gordon("apply --yes").ended(2).shows("apply_other_server");
    for words in ["plan", "status", "down --yes", "rollback --yes", "images", "unlock --yes"] {
        scene.gordon(words).ended(2);
    }
    assert!(scene.calls().is_empty(), "{:?}", scene.calls());
    scene.write("gordon.toml", &config.replace("h1.test", "root@engine.test"));
    scene.gordon("apply --yes").ended(0);
}

#[test]
fn a_local_folder_is_not_mounted_on_a_remote_engine() {
    let config = "name = \"cli-far\"\nproxy.enabled = false\n[apps.web]\nimage = \"web:1\"\nvolumes = [\"./www:/www:ro\", \"/srv:/srv\", \"data:/data\"]\n";
    let scene = Scene::new(&[("gordon.toml", config), ("www/index.html", "")], "");
    scene.gordon("apply --yes").ended(2).shows("apply_far_folder");
    assert!(scene.calls().is_empty(), "{:?}", scene.calls());
    let plan = scene.gordon("plan").ended(0);
    assert!(plan.stderr.contains("warning: `./www` is on this machine"), "{}", plan.stderr);
    let mut here = scene.command("apply --yes", &scene.path());
    let here = here.env("DOCKER_HOST", "unix:///run/docker.sock").output().expect("gordon is built");
    assert!(here.status.success(), "{}", String::from_utf8_lossy(&here.stderr));
}

#[test]
fn an_engine_unreachable_by_ssh_is_reported_in_one_line_with_a_hint() {
    let cases = "*)\n\techo 'error during connect: Get \"http://docker.example.com/v1.50/info\": command [ssh -o ConnectTimeout=30 -T \
                 -l deploy -- h1.test docker system dial-stdio] has exited with exit status 255, make sure the URL is valid: \
                 stderr=ssh: connect to host 10.99.1.2 port 22: Connection refused' >&2\n\texit 1 ;;\n";
    let scene = shop("ssh", cases);
    let output = scene.command("status", &scene.path()).env("DOCKER_HOST", "ssh://deploy@h1.test").output();
    let output = output.expect("gordon is built");
    assert_eq!(
        String::from_utf8_lossy(&output.stderr),
        "error: deploy@h1.test: nothing listens at 10.99.1.2 port 22 (ssh: Connection refused)\n  hint: see whether sshd runs \
         there, and whether the port is right: `Port` in ~/.ssh/config, or the one in `DOCKER_HOST`\n"
    );
    assert_eq!(output.status.code(), Some(1));
}

/// A docker that answers `docker version` like Podman.
fn podman(name: &str, answer: &str) -> Scene {
    shop(name, &format!("version*)\n\tprintf '%s' '{answer}' ;;\n"))
}

#[test]
fn podman_is_refused_where_its_dns_would_break_the_routes() {
    let socket = include_str!("../answers/podman-4.3/socket-version").trim();
    let scene = podman("podman", socket);
    let config = fs::read_to_string(scene.folder.path().join("gordon.toml")).expect("the config");
    let without = scene.gordon("apply --yes").ended(0);
    assert!(without.stderr.starts_with("warning: the engine is Podman 4.3.1"), "{}", without.stderr);
    assert_eq!(without.stderr.matches("Podman").count(), 1, "{}", without.stderr);

    let scene = podman("podman", socket);
    scene.write("gordon.toml", &config.replace("enabled = false\n", ""));
    let refused = scene.gordon("apply --yes").ended(1);
    assert!(
        refused.stderr.contains("error: the engine is Podman 4.3.1, and gordon's proxy"),
        "{}",
        refused.stderr
    );
    assert!(scene.is_untouched(), "{:?}", scene.calls());
}

#[test]
fn the_podman_command_is_refused_even_if_other_calls_fail() {
    let cli = include_str!("../answers/podman-4.3/cli-version").trim();
    let failing =
        "ps*)\n\techo \"Error: template: ps:1:10: can't evaluate field Label\" >&2\n\texit 125 ;;\n";
    let scene = shop("podman-cli", &format!("version*)\n\tprintf '%s' '{cli}' ;;\n{failing}"));
    scene.gordon("plan").ended(1).shows("plan_podman");
}

#[test]
fn an_engine_with_docker_s_own_networks_is_not_asked_for_its_version() {
    let network = |name: &str| format!("{{\"Id\":\"{name}\",\"Name\":\"{name}\",\"IPAM\":{{}}}}");
    let networks = format!(
        "'network ls'*) printf 'n1\\nn2\\n' ;;\n'network inspect'*) echo '{}{}' ;;\n",
        network("host"),
        network("none")
    );
    for (cases, is_asked) in [(networks.as_str(), false), ("", true)] {
        let scene = shop("version", cases);
        scene.gordon("plan").ended(0);
        let calls = scene.calls();
        assert_eq!(calls.contains(&"version --format".to_owned()), is_asked, "{calls:?}");
    }
}

#[test]
fn plan_and_status_report_another_gordon_at_work() {
    let labels = |machine: &str| {
        format!(
            "{{\"gordon.kind\":\"lock\",\"gordon.lock.user\":\"ada\",\"gordon.lock.host\":\"web1\",\"gordon.lock.since\":\"2026\",\
             \"gordon.lock.process\":\"77\",\"gordon.lock.machine\":\"{machine}\"}}"
        )
    };
    let listed =
        "'ps '*) echo '[\"0123456789abcdef\",\"gordon-lock-cli-work\",\"\",\"created\",\"none\"]' ;;\n";
    let held = format!("'container inspect'*gordon-lock-*) echo '[\"0123\",{}]' ;;\n", labels("other"));
    let scene = shop("work", &format!("{listed}{held}"));
    for (words, status) in [("plan", 0), ("status", 1)] {
        let run = scene.gordon(words).ended(status);
        let told = "warning: project cli-work: another gordon is at work: `ada` on `web1`, since 2026, process 77\n  hint: ";
        assert!(run.stderr.starts_with(told), "{}", run.stderr);
    }
    let free = shop("work", "").gordon("plan").ended(0);
    assert!(!free.stderr.contains("another gordon"), "{}", free.stderr);
}

#[test]
fn images_prints_what_the_images_declare() {
    let scene = shop("images", "");
    scene.gordon("images").ended(0).shows("images");
    scene.write("gordon.toml", &SHOP.replace("NAME", "images").replace("db:1", "none:1"));
    scene.gordon("images").ended(1).shows("images_missing");
}

#[test]
fn an_unknown_container_cannot_be_recreated() {
    shop("recreate", "").gordon("plan --recreate unknown").ended(2).shows("plan_recreate_unknown");
}

/// Apps of every kind for a proxy that gordon does not run: in a group, with an attachment, of a project.
const ROUTED: &str = r#"
name = "gmail"
[proxy]
enabled = false
[routes]
"api.company.com" = { image = "web:1", port = 8080 }
"blog.company.com" = { image = "web:1", port = 80, tls = "off", compress = false }
[attachments]
"blog.company.com" = ["db:1"]
[network_groups]
"backend" = ["api.company.com"]
[apps.web]
image = "web:1"
replicas = 3
proxy = { hosts = ["test.eliasson.me", "www.eliasson.me"], redirect_from = ["old.eliasson.me"], access_log = true, snippet = "header X-Own yes" }
"#;

#[test]
fn routes_are_printed_in_each_proxys_syntax_without_docker() {
    let scene = Scene::new(&[("gordon.toml", ROUTED)], "");
    for format in ["yaml", "json", "caddy", "nginx", "traefik"] {
        let run = scene.run(&format!("routes --format {format}"), "").ended(0);
        run.shows(&format!("routes_{format}"));
    }
    assert_eq!(scene.run("routes", "").stdout, scene.run("routes --format yaml", "").stdout);
    for (tls, has) in [("off", "http://test.eliasson.me, http://www"), ("internal", "\n\ttls internal\n")] {
        scene.write(
            "gordon.toml",
            &ROUTED.replace("enabled = false", &format!("enabled = false\ntls = {tls:?}")),
        );
        let caddy = scene.run("routes --format caddy", "").stdout;
        assert!(caddy.contains(has), "{caddy}");
    }
}

#[test]
fn routes_reads_unset_ports_from_the_images() {
    let config = "name = \"cli-routes\"\n[proxy]\nenabled = false\n[network_isolation]\nscope = \"all\"\n[routes]\n\
                  \"a.test\" = \"web:2\"\n\"b.test\" = \"web:1\"\n";
    let cases = "'image inspect --format'*) echo '[\"sha256:'$(printf %064d 2)'\",[\"web:2\"],[],{\"ExposedPorts\":{\"3000/tcp\":{}}}]' ;;\n";
    let images = r#"{"version": 1, "images": {"web:2": {"ports": ["3000/tcp"]}}}"#;
    let scene = Scene::new(&[("gordon.toml", config), ("images.json", images)], cases);
    let read = scene.gordon("routes").ended(0);
    assert!(scene.is_untouched() && !scene.calls().is_empty(), "{:?}", scene.calls());
    let told = scene.run("routes --offline --images images.json", "").ended(0);
    assert_eq!((&read.stdout, &read.stderr), (&told.stdout, &told.stderr));
    read.shows("routes_from_images");
    let offline = scene.run("routes --offline", "").ended(0);
    assert!(offline.stdout.contains("target: a-test:80\n"), "{}", offline.stdout);
    scene.run("routes", "").ended(1).shows("routes_without_docker");
}

#[test]
fn a_port_problem_is_reported_only_if_the_port_is_used() {
    let asked = "health = { path = \"/up\" }";
    let config = |asked: &str| {
        format!(
            "name = \"cli-port\"\n[proxy]\nenabled = false\n[routes]\n\"a.test\" = {{ image = \"web:1\", port = 80 }}\n\
             [services.api]\nimage = \"web:1\"\n{asked}\n"
        )
    };
    let scene = Scene::new(&[("gordon.toml", &config(asked))], "");
    let says =
        |words: &str| scene.gordon(words).ended(0).stdout.contains("it is taken to be 80: cli-port-api");
    assert!(says("plan"));
    assert_eq!(scene.run("routes", "").ended(0).stdout, scene.gordon("routes --offline").stdout, "no docker");
    scene.write("gordon.toml", &config(""));
    assert!(!says("plan"));
}

#[test]
fn an_app_that_no_proxy_can_reach_is_reported() {
    let config = "name = \"cli-bridge\"\n[proxy]\nenabled = false\n[routes]\n\"a.test\" = { image = \"web:1\", port = 80 }\n";
    Scene::new(&[("gordon.toml", config)], "").run("routes", "").ended(0).shows("routes_on_the_bridge");
    let none = Scene::new(&[("gordon.toml", "name = \"cli-none\"\n")], "");
    none.run("routes", "").ended(0).shows("routes_none");
    for format in ["json", "caddy", "nginx", "traefik"] {
        let run = none.run(&format!("routes --format {format}"), "").ended(0);
        assert_eq!(run.stderr, "cli-none: the config has no routes\n", "{format}");
    }
}

/// A container of the project `cli-status` in docker's form, an hour and a half old.
fn running(name: &str, kind: &str, image: u8, spec: &str, address: u8) -> String {
    format!(
        "\techo '{{\"Id\":\"{name}\",\"Name\":\"/{name}\",\"Created\":\"'$(date -u -d '-90 min' +%FT%TZ)'\",\"Image\":\"sha256:'$(printf %064d {image})'\",\
         \"State\":{{\"Status\":\"running\",\"StartedAt\":\"2024-01-01T00:00:00Z\"}},\"Mounts\":[],\"Config\":{{\"Image\":\"web:1\",\"Labels\":{{\
         \"gordon.managed\":\"true\",\"gordon.project\":\"cli-status\",\"gordon.kind\":\"{kind}\",\"gordon.owner\":\"shop.test\",\
         \"gordon.release\":\"4\",\"gordon.spec\":\"{spec}\"}}}},\"NetworkSettings\":{{\"Networks\":{{\"cli-status-shop-test\":{{\
         \"Aliases\":[\"shop\",\"shop-test\"],\"NetworkID\":\"n1\",\"IPAddress\":\"10.9.8.{address}\"}}}}}}}}'\n"
    )
}

#[test]
fn status_shows_the_host_and_its_differences_from_the_config() {
    let list = |name: &str| format!("\techo '[\"{name}\",\"{name}\",\"true\",\"running\",\"\"]'\n");
    let (app, old) = ("cli-status-shop.test", "cli-status-old.test");
    let cases = format!(
        "'ps '*)\n{}{}\t;;\n'network ls'*) echo n1 ;;\n\
         'network inspect'*)\n\techo '{{\"Id\":\"n1\",\"Name\":\"cli-status-shop-test\",\"IPAM\":{{\"Config\":[{{\"Subnet\":\"10.9.8.0/24\"}}]}},\
         \"Labels\":{{\"gordon.managed\":\"true\",\"gordon.project\":\"cli-status\"}}}}' ;;\n\
         'container inspect'*)\n{}{}\t;;\n",
        list(app),
        list(old),
        running(app, "app", 1, "command:1a2b3c4d image:0f2f0f3a", 128),
        running(old, "app", 1, "", 129),
    );
    let scene = shop("status", &cases);
    scene.gordon("status").ended(1).shows("status");
    let json = scene.gordon("status --json").ended(1).stdout;
    let status: Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!((&status["version"], &status["project"]), (&1.into(), &"cli-status".into()));
    let of_app = &status["workloads"][1];
    assert_eq!((&of_app["name"], &of_app["serving"], &of_app["wanted"]), (&app.into(), &1.into(), &1.into()));
    assert_eq!(
        of_app["routes"],
        serde_json::json!([{"host": "shop.test", "target": "shop-test", "port": 80, "served": null}])
    );
    assert!(of_app["containers"][0]["age_seconds"].as_u64().is_some_and(|age| age >= 5400), "{of_app}");
    assert_eq!(status["workloads"][0]["containers"][0]["state"], "missing");
    assert_eq!(status["orphans"][0]["name"], old);
    assert!(scene.is_untouched(), "{:?}", scene.calls());
}

#[test]
fn data_are_left_behind_only_on_request() {
    let config = "name = \"cli-data\"\n[services.db]\nimage = \"db:1\"\nvolumes = [\"store:/data\"]\n";
    let volume = |name: &str| format!("\techo '[\"{name}\",\"true\",\"cli-data\",\"\",\"\"]'\n");
    let cases = format!(
        "'system df'*) echo '[\"cli-data-old\",\"48.2MB\"]' ;;\n'ps '*) echo '[\"c1\",\"cli-data-db\",\"true\",\"running\",\"\"]' ;;\n'volume ls'*)\n{}{}\t;;\n\
         'container inspect --format {{{{json .}}}} c1')\n\
         \techo '{{\"Id\":\"c1\",\"Name\":\"/cli-data-db\",\"Image\":\"sha256:'$(printf %064d 2)'\",\"State\":{{\"Status\":\"running\"}},\
         \"Mounts\":[{{\"Type\":\"volume\",\"Name\":\"cli-data-data\",\"Destination\":\"/data\"}}],\"Config\":{{\"Labels\":{{\
         \"gordon.managed\":\"true\",\"gordon.project\":\"cli-data\",\"gordon.kind\":\"service\",\"gordon.owner\":\"cli-data\",\
         \"gordon.release\":\"1\"}}}},\"NetworkSettings\":{{\"Networks\":{{}}}}}}' ;;\n",
        volume("cli-data-data"),
        volume("cli-data-old"),
    );
    let scene = Scene::new(&[("gordon.toml", config)], &cases);
    let why = "cli-data-db would leave its data behind, in volume cli-data-data: let the config mount it, or say `--leave-data cli-data-data`";
    let plan = scene.gordon("plan --out plan.json").ended(0).stdout;
    assert!(plan.contains("! LEAVES ITS DATA BEHIND: volume cli-data-data\n"), "{plan}");
    let script = scene.gordon("plan --format sh").ended(0).stdout;
    assert!(script.contains("--leave-data cli-data-data"), "{script}");
    for words in ["apply --yes", "apply --yes plan.json"] {
        let run = scene.gordon(words).ended(1);
        assert!(run.stderr.contains(why), "{}", run.stderr);
    }
    assert!(scene.is_untouched(), "{:?}", scene.calls());

    let status: Value = serde_json::from_str(&scene.gordon("status --json").ended(0).stdout).expect("JSON");
    let unmounted = serde_json::json!([{"name": "cli-data-old", "size": "48.2MB"}]);
    assert_eq!(status["unmounted_volumes"], unmounted);
    let status = scene.gordon("status").ended(0).stdout;
    assert!(status.contains("volumes that no container mounts\n  cli-data-old  48.2MB\n\n"), "{status}");
    let without_sizes = Scene::new(&[("gordon.toml", config)], &cases.replace("'system df'", "'nothing'"));
    let status = without_sizes.gordon("status").ended(0).stdout;
    assert!(
        status.contains("  cli-data-old\n    `docker system df --verbose` shows their sizes\n\n"),
        "{status}"
    );

    let script = scene.gordon("plan --format sh --leave-data cli-data-data --out meant.json").ended(0).stdout;
    assert!(!script.contains("--leave-data"), "{script}");
    scene.gordon("apply --yes meant.json").ended(0);
    scene.gordon("apply --yes --leave-data cli-data-data").ended(0);
}

#[test]
fn status_shows_the_proxy_and_its_routes_of_the_project() {
    let config = "name = \"cli-proxied\"\nproxy = { http_port = 8080, tls = \"off\" }\n\
                  [apps.web]\nimage = \"web:1\"\nproxy = { hosts = [\"shop.test\"] }\n";
    let proxy = "{\"Id\":\"p\",\"Name\":\"/gordon-proxy\",\"Created\":\"'$(date -u -d '-3 days' +%FT%TZ)'\",\"Image\":\"sha256:'$(printf %064d 9)'\",\
                 \"State\":{\"Status\":\"running\"},\"HostConfig\":{\"PortBindings\":{\"443/tcp\":[{\"HostPort\":\"443\"}],\"8080/tcp\":[{\"HostPort\":\"8080\"}]}},\
                 \"Config\":{\"Image\":\"caddy:2\",\"Labels\":{\"gordon.managed\":\"true\",\"gordon.maker\":\"other\",\"gordon.kind\":\"proxy\",\"gordon.release\":\"1\"}},\
                 \"NetworkSettings\":{\"Networks\":{\"0-gordon-proxy\":{\"NetworkID\":\"n1\",\"IPAddress\":\"10.9.8.128\"},\"other-network\":{\"NetworkID\":\"n2\"}}}}";
    let cases = format!(
        "'ps '*) echo '[\"p\",\"gordon-proxy\",\"true\",\"running\",\"\"]' ;;\n'container inspect'*) echo '{proxy}' ;;\n\
         exec*) cat \"$here/routes_files\" ;;\n"
    );
    let scene = Scene::new(&[("gordon.toml", config)], &cases);
    let has = |routes_files: &str| {
        fs::write(scene.docker.path().join("routes_files"), routes_files).expect("a file")
    };
    let told =
        || -> Value { serde_json::from_str(&scene.gordon("status --json").ended(1).stdout).expect("JSON") };
    has("\0cli-proxied.caddy\nhttp://old.test {\n}\n");
    scene.gordon("status").ended(1).shows("status_proxy");
    let status = told();
    let proxy = &status["proxy"];
    assert_eq!((&proxy["ports"], &proxy["maker"]), (&serde_json::json!([443, 8080]), &"other".into()));
    assert_eq!((&proxy["container"]["state"], &proxy["tls"]), (&"running".into(), &"off".into()));
    assert_eq!(proxy["routes"], "outdated");
    has("\0other.caddy\nhttp://other.test {\n}\n");
    assert_eq!(told()["proxy"]["routes"], "missing");
    scene.write("gordon.toml", "name = \"cli-proxied\"\n[apps.web]\nimage = \"web:1\"\n");
    assert_eq!(told()["proxy"], Value::Null, "the project has nothing to do with it");
    has("\0cli-proxied.caddy\nhttp://old.test {\n}\n");
    assert_eq!(told()["proxy"]["routes"], "orphan");
}

#[test]
fn status_needs_neither_secrets_nor_a_plan() {
    let config = "name = \"cli-bare\"\n[apps.web]\nimage = \"none:1\"\nenvironment = { secret = [\"TOKEN\"] }\n[deploy]\npull = \"never\"\n";
    let scene = Scene::new(&[("gordon.toml", config)], "");
    scene.gordon("status").ended(1).shows("status_blocked");
    scene.write(".gordon/secrets", "no secret\n");
    let run = scene.gordon("status --json").ended(1);
    assert!(run.stderr.contains("whether secrets have changed is not known"), "{}", run.stderr);
    let stranger = "'ps '*) echo '[\"1\",\"cli-foreign-shop.test\",\"\",\"running\",\"bridge\"]' ;;\n";
    shop("foreign", stranger).gordon("status").ended(1).shows("status_conflict");
}

#[test]
fn a_domain_is_served_only_while_the_proxy_runs_and_has_its_route() {
    let config =
        "name = \"cli-served\"\n[apps.web]\nimage = \"web:1\"\nproxy = { hosts = [\"shop.test\"] }\n";
    let of_host = |proxy: &str| {
        let app = running("cli-served-web-green", "app", 1, "image:0f2f0f3a", 128)
            .replace("cli-status-shop-test", "cli-served-network")
            .replace("cli-status", "cli-served");
        let proxy_seen = format!(
            "\techo '{{\"Id\":\"p\",\"Name\":\"/gordon-proxy\",\"Image\":\"sha256:'$(printf %064d 9)'\",\"State\":{{\"Status\":\"{proxy}\"}},\
             \"HostConfig\":{{\"RestartPolicy\":{{\"Name\":\"always\"}}}},\"Config\":{{\"Image\":\"caddy:2\",\"Labels\":{{\"gordon.managed\":\"true\",\
             \"gordon.maker\":\"other\",\"gordon.kind\":\"proxy\",\"gordon.release\":\"1\"}}}},\"NetworkSettings\":{{\"Networks\":{{}}}}}}'\n"
        );
        let list =
            |name: &str, state: &str| format!("\techo '[\"{name}\",\"{name}\",\"true\",\"{state}\",\"\"]'\n");
        let cases = format!(
            "'ps '*)\n{}{}\t;;\n'network ls'*) echo n1 ;;\n\
             'network inspect'*) echo '{{\"Id\":\"n1\",\"Name\":\"cli-served-network\",\"IPAM\":{{\"Config\":[{{\"Subnet\":\"10.9.8.0/24\"}}]}},\
             \"Labels\":{{\"gordon.managed\":\"true\",\"gordon.project\":\"cli-served\"}}}}' ;;\n\
             'container inspect'*)\n{app}{proxy_seen}\t;;\nexec*) cat \"$here/routes_files\" ;;\n",
            list("cli-served-web-green", "running"),
            list("gordon-proxy", proxy),
        );
        let scene = Scene::new(&[("gordon.toml", config)], &cases);
        let routes = "\0cli-served.caddy\nhttps://shop.test {\n}\n";
        fs::write(scene.docker.path().join("routes_files"), routes).expect("a file");
        scene
    };
    let up = of_host("running");
    let text = up.gordon("status").ended(0).stdout;
    assert!(text.contains("\ncli-served: 1 of 1 container serving; "), "{text}");
    let down = of_host("exited");
    let text = down.gordon("status").ended(1).stdout;
    assert!(
        text.contains("    shop.test → cli-served-web-green:3000 (NOT SERVED: the proxy does not run)\n"),
        "{text}"
    );
    assert!(text.contains("\ncli-served: 1 of 1 container serving, 1 domain NOT SERVED; "), "{text}");
    for (scene, status, served) in [(up, 0, true), (down, 1, false)] {
        let json: Value =
            serde_json::from_str(&scene.gordon("status --json").ended(status).stdout).expect("JSON");
        assert_eq!(json["workloads"][0]["routes"][0]["served"], served);
    }
}

/// Sequences that move the cursor, begin a line, conceal text, or reverse its direction, and a mark behind
/// them.
const EVIL: &str = "\u{1b}[2K\u{1b}[1A\r\u{1b}]0;x\u{7}\u{9b}8m\u{202e}evil";

/// Asserts that a text contains of [`EVIL`] only its mark and escapes.
fn hides_nothing(told: &str, what: &str) {
    assert!(
        told.contains("\\u{1b}[2K\\u{1b}[1A\\r") || told.contains("\\x1b[2K\\x1b[1A\\r"),
        "{what}: {told:?}"
    );
    let is_obeyed = |c: char| c.is_control() && !"\n\t".contains(c) || ('\u{202a}'..='\u{202e}').contains(&c);
    assert!(!told.contains(is_obeyed), "{what}: {told:?}");
}

#[test]
fn every_text_for_people_escapes_hidden_characters() {
    let words = |scene: &Scene, words: &[&str]| {
        let output = scene.command("", &scene.path()).args(words).output().expect("gordon is built");
        String::from_utf8([output.stdout, output.stderr].concat()).expect("text")
    };
    let json = EVIL.chars().map(|c| format!("\\u{:04x}", u32::from(c))).collect::<String>();
    let config =
        |more: &str| format!("name = \"evil\"\nproxy.enabled = false\n[apps.web]\nimage = \"web:1\"\n{more}");
    let scene = |more: &str, cases: &str| Scene::new(&[("gordon.toml", &config(more))], cases);
    let evil = EVIL.replace('\'', "");
    let locked = format!(
        "'run '*gordon-lock-*) echo 'Conflict. The container name is already in use' >&2; exit 125 ;;\n\
         'container inspect'*gordon-lock-*)\n\tcat <<'END'\n[\"0123\",{{\"gordon.kind\":\"lock\",\"gordon.lock.user\":\"{json}\",\
         \"gordon.lock.host\":\"far\",\"gordon.lock.since\":\"2024\",\"gordon.lock.process\":\"7\"}}]\nEND\n;;\n"
    );
    let dies = format!(
        "'container inspect'*State.Status*) echo 'exited none 0' ;;\n\
         'container inspect'*'json .State'*) echo '{{\"Status\":\"exited\",\"ExitCode\":3,\"FinishedAt\":\"2024\"}}' ;;\n\
         'logs '*) echo '1 {evil}' ;;\n"
    );
    let broken = format!("'ps '*) echo '{evil}' >&2; exit 1 ;;\n");
    let fails = format!("'network create'*) echo '{evil}' >&2; exit 1 ;;\n");
    let command = format!("command = [\"{json}\", \"1\"]\n");
    let plain = |more: &str| scene(more, "");
    for (what, told) in [
        ("clap", words(&plain(""), &[EVIL])),
        ("a path", words(&plain(""), &["check", "--file", EVIL])),
        ("a docker binary", words(&plain(""), &["plan", "--docker", EVIL])),
        ("a key", words(&plain(&format!("\"{json}\" = 1\n")), &["check"])),
        ("a value", words(&plain(&format!("restart = \"{json}\"\n")), &["check"])),
        ("a plan", words(&plain(&command), &["plan", "--offline"])),
        ("a plan on the host", words(&plain(&command), &["apply"])),
        ("docker's error", words(&scene("", &broken), &["plan"])),
        ("a failed step", words(&scene("", &fails), &["apply", "--yes"])),
        ("a failed command", words(&scene(&command, "'run '*web:1*) exit 1 ;;\n"), &["apply", "--yes"])),
        ("a log", words(&scene("", &dies), &["apply", "--yes"])),
        ("a lock's holder", words(&scene("", &locked), &["unlock", "--yes"])),
    ] {
        hides_nothing(&told, what);
    }
}

#[test]
fn a_word_cannot_imitate_a_line_of_a_plan() {
    let config = "name = \"evil\"\nproxy.enabled = false\n[apps.web]\nimage = \"web:1\"\n\
                  command = [\"x\\n  +   container good: not there yet\\n      docker run good\\ngood\\n\"]\n";
    let scene = Scene::new(&[("gordon.toml", config)], "");
    let plan = scene.gordon("plan --offline").ended(0).stdout;
    assert!(
        plan.contains("$'  +   container good: not there yet\\n'\\\n$'      docker run good\\n'"),
        "{plan}"
    );
    assert!(
        !plan.lines().any(|line| ["good", "  +   container good: not there yet"].contains(&line)),
        "{plan}"
    );
}

/// The terminal output of a command, with an answer to its question.
fn on_a_terminal(scene: &Scene, words: &str, answer: &str) -> String {
    let mut command = scene.command("", &format!("{}:/usr/bin:/bin", scene.path()));
    let gordon = format!("{} {words}", command.get_program().display());
    let mut terminal = Command::new("script");
    terminal.args(["--quiet", "--return", "--command", &gordon, "/dev/null"]);
    terminal.current_dir(command.get_current_dir().expect("the scene's folder")).env_clear();
    terminal.envs(command.get_envs().filter_map(|(key, value)| Some((key, value?)))).env("TERM", "xterm");
    command = terminal;
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("`script` is installed");
    child.stdin.take().expect("a pipe").write_all(answer.as_bytes()).expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    String::from_utf8(output.stdout).expect("text").replace("\r\n", "\n")
}

#[test]
fn the_plan_above_a_question_cannot_hide_its_own_lines() {
    let config = "name = \"evil\"\nproxy.enabled = false\n[apps.web]\nimage = \"web:1\"\nvolumes = [\"/:/host\"]\n\
                  command = [\"\\u001b[2K\\u001b[1A\\u001b[2K\\r  sleep\\u202e\", \"\\u001b[8m1000\"]\n";
    let scene = Scene::new(&[("gordon.toml", config)], "");
    let shown = on_a_terminal(&scene, "apply", "n\n");
    assert!(shown.contains("mounts /:/host") && shown.contains("apply this plan? [y/N]"), "{shown:?}");
    let styles = ["0", "1", "2", "31", "32", "33"].map(|style| format!("\u{1b}[{style}m"));
    let shown = styles.iter().fold(shown, |shown, style| shown.replace(style, ""));
    hides_nothing(&shown.replace("\\u{1b}[1A\\u{1b}[2K\\r", "\\u{1b}[1A\\r"), "a plan at the prompt");

    let fails = format!("'network create'*) echo '{EVIL}' >&2; exit 1 ;;\n");
    let shown = on_a_terminal(&Scene::new(&[("gordon.toml", config)], &fails), "apply --yes", "");
    assert!(shown.contains("\\u{1b}]0;x\\u{7}\\u{9b}8m\\u{202e}evil"), "{shown:?}");
    assert!(!shown.contains(['\u{7}', '\u{9b}', '\u{202e}']) && !shown.contains("\u{1b}]0"), "{shown:?}");
}

#[test]
fn a_held_lock_is_respected() {
    let scene = shop(
        "lock",
        "'create --pull'*) echo 'Conflict. The container name is already in use' >&2; exit 1 ;;\n\
         'container inspect'*gordon-lock-*)\n\
         \techo '[\"0123\",{\"gordon.kind\":\"lock\",\"gordon.lock.user\":\"ada\",\"gordon.lock.host\":\"far\",\"gordon.lock.since\":\"2024\",\
         \"gordon.lock.process\":\"7\"}]' ;;\n",
    );
    let run = scene.gordon("apply --yes").ended(1);
    Run { stderr: after_plan(&run.stderr), ..run }.shows("apply_locked");
    assert!(scene.calls().iter().all(|call| !call.starts_with("run") && !call.starts_with("rm")));
    scene.gordon("unlock").ended(2).shows("unlock_without_yes");
    scene.gordon("unlock --yes").ended(0).shows("unlock");
}

#[test]
fn a_time_to_wait_needs_a_unit() {
    let run = shop("wait", "").gordon("apply --yes --wait=600").ended(2);
    assert!(run.stderr.contains("'600'"), "{}", run.stderr);
    assert!(run.stderr.contains("a time is expected, as in `10m` or `90s`"), "{}", run.stderr);
}

#[test]
fn a_wait_for_the_lock_that_times_out_reports_its_time() {
    let cases = "create*gordon-lock-*) echo 'is already in use' >&2; exit 1 ;;\n\
                 'container inspect'*gordon-lock-*) echo '[\"1\",{\"gordon.kind\":\"lock\",\"gordon.lock.user\":\"ada\"}]' ;;\n";
    let scene = shop("held", cases);
    let run = scene.gordon("apply --yes").ended(1);
    assert!(run.stderr.contains("project cli-held: another gordon is at work: `ada`"), "{}", run.stderr);
    assert!(run.stderr.contains("`--wait` waits for the end"), "{}", run.stderr);
    let run = scene.gordon("apply --yes --wait=10ms").ended(1);
    assert!(
        run.stderr.contains("project cli-held: after 10ms, another gordon is still at work: `ada`"),
        "{}",
        run.stderr
    );
    assert!(run.stderr.contains("`--wait=20ms` waits longer"), "{}", run.stderr);
}

#[test]
fn unlock_asks_no_question_when_no_lock_is_held() {
    shop("unlocked", "").gordon("unlock").ended(0).shows("unlock_nothing");
}

/// The output after the plan.
fn after_plan(stderr: &str) -> String {
    stderr.split_once("nothing is removed\n").map_or(stderr, |(_, after)| after).to_owned()
}

#[test]
fn paths_are_relative_to_the_config() {
    let scene = Scene::new(
        &[("shops/gordon.toml", &SHOP.replace("NAME", "paths")), ("shops/env/shop_test.env", "A=1\n")],
        "",
    );
    let plan = |words: &str| scene.gordon(words).ended(0).stdout;
    assert!(plan("plan --file shops/gordon.toml").contains("--env-file"));
    assert!(!plan("plan --file shops/gordon.toml --project-directory .").contains("--env-file"));
}

/// Asserts that words of `docker run` come through unchanged: in the script and JSON of `gordon plan`, with
/// and without forced colours; in a saved plan; and in the event of a failed step.
fn words_survive_every_format(words: &[String]) {
    let escaped = |c: char| {
        if c == ' ' || c.is_ascii_alphanumeric() { c.to_string() } else { format!("\\u{:04x}", u32::from(c)) }
    };
    // two dollars are one
    let quoted =
        |word: &String| format!("\"{}\"", word.replace('$', "$$").chars().map(escaped).collect::<String>());
    let list = words.iter().map(quoted).collect::<Vec<_>>().join(", ");
    let config = format!(
        "name: words\nproxy: {{ enabled: false }}\napps:\n  web:\n    image: 'web:1'\n    environment: {{ A: {} }}\n    command: [{list}]\n",
        quoted(&words.concat())
    );
    let cases = "'run '*) echo no >&2; exit 1 ;;";
    let scene = Scene::new(&[("gordon.yaml", &config)], cases);
    let bytes = |words: &str, env: &[(&str, &str)]| {
        let output =
            scene.command(words, &scene.path()).envs(env.iter().copied()).output().expect("gordon is built");
        assert!(
            !output.stdout.is_empty() || words.contains("--out"),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).expect("text")
    };
    let both = |words: &str| {
        let plain = bytes(words, &[]);
        assert_eq!(bytes(words, &[("CLICOLOR_FORCE", "1")]), plain, "{words}");
        plain
    };
    let run = |plan: &Value| {
        let steps = plan["steps"].as_array().expect("steps").iter();
        let argv = |step: &Value| {
            step["argv"]
                .as_array()
                .map(|argv| argv.iter().map(|w| w.as_str().expect("a word").to_owned()).collect())
        };
        let mut all = steps.filter_map(argv).filter(|argv: &Vec<String>| argv[1] == "run");
        all.next().expect("a container is made")
    };
    let plan: Value = serde_json::from_str(&both("plan --format json")).expect("JSON");
    let argv = run(&plan);
    assert!(argv.ends_with(words) && argv.contains(&format!("A={}", words.concat())), "{argv:?}");

    bytes("plan --out saved.json", &[]);
    let saved = fs::read_to_string(scene.folder.path().join("saved.json")).expect("a saved plan");
    assert_eq!(run(&serde_json::from_str::<Value>(&saved).expect("JSON")["plan"]), argv);
    let events = bytes("apply --yes --json", &[("CLICOLOR_FORCE", "1")]);
    let events = events.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    let failed: Vec<Value> = events.filter(|event| event["event"] == "failed").collect();
    assert_eq!(failed[0]["cause"]["argv"], serde_json::json!(argv));

    let script = both("plan --offline --format sh");
    for shell in ["dash", "busybox sh", "bash --posix"] {
        let fake = "#!/bin/sh\n[ \"$1\" = run ] && { printf '%s\\0' docker \"$@\"; exit 1; } >&3\ncase $* in *'inspect --format {{.'*) exit 1 ;; info*) echo json-file ;; esac\n";
        let folder = tempfile::tempdir().expect("a folder");
        let driver = format!(
            "cat >script; printf '%s' \"$FAKE\" >docker; chmod +x docker; exec 3>&1 >&2; PATH=$PWD:$PATH; {shell} script"
        );
        let mut child = Command::new("sh")
            .args(["-c", &driver])
            .env("FAKE", fake)
            .current_dir(folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("a shell");
        child.stdin.take().expect("a pipe").write_all(script.as_bytes()).expect("it reads");
        let output = child.wait_with_output().expect("it ends");
        let read = String::from_utf8(output.stdout).expect("text");
        let read: Vec<&str> = read.split_terminator('\0').collect();
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(read, argv, "{shell}: {told}");
    }
}

#[test]
fn words_survive_the_standard_output_in_every_format() {
    let words = [
        "x\u{1b}]",
        "\u{7}'; touch pwned; exit #",
        "\u{1b}[2K\u{1b}[1A\r  sleep",
        "\u{9b}31m",
        "\u{202e}é→",
        "a\nb\\",
        "\u{7f}\t!$x`",
    ];
    words_survive_every_format(&words.map(str::to_owned));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_words_survive_the_standard_output(words in proptest::collection::vec(
        "[ -~\\t\\n'\"$`!é→\u{1}-\u{1f}\u{1b}\\[\\]\u{7}\u{7f}-\u{a0}\u{202a}-\u{202e}]{1,12}", 1..40))
    {
        words_survive_every_format(&words);
    }
}

#[test]
fn the_declarations_of_an_image_are_printed_unchanged() {
    // JSON escapes only the first of these
    let paths = ["/d\u{1b}]", "/e\u{7f}x", "/f\u{9b}31mx", "/g\u{202e}x"];
    let volumes: serde_json::Map<_, _> =
        paths.map(|path| (path.to_owned(), serde_json::json!({}))).into_iter().collect();
    let json = Value::from(volumes);
    let cases = format!(
        "'image inspect'*'web:1') printf '%s\\n' '[\"sha256:{:064}\",[\"web:1\"],[],{{\"Volumes\":{json}}}]' ;;",
        1
    );
    let config =
        "name = \"odd\"\nproxy.enabled = false\nvolumes.auto_create = false\n[apps.web]\nimage = \"web:1\"\n";
    let scene = Scene::new(&[("gordon.toml", config)], &cases);
    let run = scene.gordon("images").ended(0);
    let images: Value = serde_json::from_str(&run.stdout).expect("JSON");
    assert_eq!(images["images"]["web:1"]["volumes"], serde_json::json!(paths));
}
