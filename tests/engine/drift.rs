//! Every change is seen, with its reason: of the config, of its files, of secrets and images, and by hand on the host. One host
//! is set up; of each change only the plan is asked for.

use gordon::spec::SETTINGS;
use std::fs;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;
use std::thread;
use support::Project;
use support::docker;
use support::free_port;
use support::own;
use support::run;

/// What one change does to the folder of the config.
type Change = Box<dyn Fn(&Path) + Send + Sync>;

/// The plan for a copy of the project's folder after `change`.
fn planned(project: &Project, token: &str, change: &Change) -> String {
    let copy = tempfile::tempdir().expect("a folder");
    let from = project.folder().join(".");
    run(Command::new("cp").arg("-a").arg(&from).arg(copy.path())).success();
    change(copy.path());
    let mut plan = project.command(&["plan", "--summary"]);
    let run = run(plan.current_dir(copy.path()).env("TOKEN", token));
    format!("{}{}", run.stdout, run.stderr)
}

fn edit(path: &'static str, from: impl Into<String>, to: impl Into<String>) -> Change {
    let (from, to) = (from.into(), to.into());
    Box::new(move |folder| {
        let path = folder.join(path);
        let text = fs::read_to_string(&path).expect("a file");
        assert!(text.contains(&from), "{from}: {text}");
        fs::write(path, text.replacen(&from, &to, 1)).expect("its own file");
    })
}

fn file(change: impl Fn(&Path) -> std::io::Result<()> + Send + Sync + 'static) -> Change {
    Box::new(move |folder| change(folder).expect("its own file"))
}

fn config(name: &str, port: u16, moving: &str) -> String {
    let by_hand =
        ["stopped", "paused", "removed", "updated", "limited", "slowed", "off", "alias", "joined", "renamed"];
    let mut text = format!(
        r#"name = "{name}"
deploy.stop_timeout = "1s"
[routes]
"a.example.com" = {{ image = "busybox:latest", port = 80, replicas = 2, command = ["sleep", "1000000"], environment = {{ A = "1", B = "2" }}, env_file = "own.env", volumes = ["./conf:/conf:ro", "./one.conf:/one.conf:ro", "data:/data"], health = {{ cmd = "true", interval = "1s" }}, memory = "64m" }}
"b.example.com" = {{ image = "busybox:latest", port = 80, command = ["sleep", "1000000"] }}
"#
    );
    text += "[attachments]\n";
    text += &format!(
        "\"a.example.com\" = [{{ image = \"busybox:latest\", name = \"db\", entrypoint = [\"sleep\"], command = [\"1000000\"], \
         ports = [\"127.0.0.1:{port}:80\"], environment = {{ secret = [\"TOKEN\"] }} }}]\n"
    );
    text += "\"b.example.com\" = [{ image = \"busybox:latest\", name = \"lost\", command = [\"sleep\", \"1000000\"] }]\n[services]\n";
    text += &format!("moved = {{ image = \"{moving}\", command = [\"sleep\", \"1000000\"] }}\n");
    for service in by_hand {
        text +=
            &format!("{service} = {{ image = \"busybox:latest\", command = [\"sleep\", \"1000000\"] }}\n");
    }
    text
}

/// Changes of the config and of its files, each with the reason that the plan has for it.
fn changes(port: u16) -> Vec<(Change, String)> {
    let mut changes: Vec<(Change, String)> = Vec::new();
    let mut of_config = |from: &str, to: &str, reason: &str| {
        changes.push((edit("gordon.toml", from, to), reason.to_owned()));
    };
    let (image, other) =
        ("image = \"busybox:latest\", port = 80, replicas", "image = \"web:1\", port = 80, replicas");
    of_config(image, other, "image busybox:latest → web:1");
    of_config(
        "[\"sleep\", \"1000000\"], environment",
        "[\"sleep\", \"2000000\"], environment",
        "command changed",
    );
    of_config("entrypoint = [\"sleep\"]", "entrypoint = [\"busybox\", \"sleep\"]", "entrypoint changed");
    of_config("A = \"1\"", "A = \"2\"", "env A=1 → A=2");
    of_config("A = \"1\", ", "", "env - A=1");
    of_config("B = \"2\"", "B = \"2\", C = \"3\"", "env + C=3");
    of_config("env_file = \"own.env\"", "env_file = [\"own.env\", \"more.env\"]", "more.env changed");
    of_config("env_file = \"own.env\", ", "", "env files changed");
    of_config("\"data:/data\"", "\"data:/data\", \"more:/more\"", "volumes changed");
    of_config("\"data:/data\"", "\"data:/data:ro\"", "volumes changed");
    of_config("\"./one.conf:/one.conf:ro\"", "\"./one.conf:/two.conf:ro\"", "volumes changed");
    of_config(&format!("127.0.0.1:{port}:80"), &format!("127.0.0.1:{port}:81"), "ports changed");
    of_config("cmd = \"true\"", "cmd = \"true 1\"", "health check changed");
    of_config("interval = \"1s\"", "interval = \"2s\"", "health check changed");
    of_config(", health = { cmd = \"true\", interval = \"1s\" }", "", "health check changed");
    of_config("memory = \"64m\"", "memory = \"65m\"", "memory: 65m");
    of_config(", memory = \"64m\"", "", "memory: no longer set");
    of_config(
        "memory = \"64m\"",
        "memory = \"64m\", restart = \"unless-stopped\"",
        "restart policy always → unless-stopped",
    );
    of_config(
        "secret = [\"TOKEN\"]",
        "secret = [\"TOKEN\", \"POSTGRES_PASSWORD\"]",
        "names of secrets changed",
    );
    of_config("replicas = 2", "replicas = 3", "not there yet");
    of_config("replicas = 2", "replicas = 1", "more replicas than the config asks for");
    of_config("name = \"db\"", "name = \"store\"", "no longer in the config");
    of_config("[services]\n", "[services]\nnew = \"busybox:latest\"\n", "+ service");
    of_config(
        "[attachments]\n",
        "[network_isolation]\ndns_suffix = \".local\"\n[attachments]\n",
        "should answer to db, db.local",
    );
    of_config(
        "[attachments]\n",
        "[network_groups]\nall = [\"a.example.com\"]\n[attachments]\n",
        "not in this network",
    );
    of_config("[attachments]\n", "\"c.example.com\" = \"web:1\"\n[attachments]\n", "+ app");
    for setting in &SETTINGS {
        let (key, example) = (setting.key, setting.example);
        if key != "memory" {
            of_config("name = \"db\", ", &format!("name = \"db\", {key} = {example}, "), &format!("{key}: "));
        }
    }
    let mut of_file = |change: Change, reason: &str| changes.push((change, reason.to_owned()));
    of_file(edit("own.env", "X=1", "X=2"), "own.env changed");
    of_file(edit("env/a_example_com.env", "Y=1", "Y=2"), "env/a_example_com.env changed");
    of_file(edit("one.conf", "1", "2"), "one.conf changed");
    of_file(edit("conf/x.conf", "1", "2"), "conf/x.conf changed");
    of_file(file(|at| fs::write(at.join("conf/y.conf"), "")), "conf/y.conf changed");
    of_file(file(|at| fs::remove_file(at.join("conf/x.conf"))), "conf changed");
    of_file(
        file(|at| fs::set_permissions(at.join("conf/run.sh"), Permissions::from_mode(0o644))),
        "conf/run.sh changed",
    );
    of_file(
        file(|at| {
            fs::remove_file(at.join("conf/link"))?;
            symlink("run.sh", at.join("conf/link"))
        }),
        "conf/link changed",
    );
    changes
}

#[test]
fn every_change_is_seen_with_its_reason() {
    let (name, port) = (own("drift"), free_port());
    let moving = &format!("{}:1", own("drift-image"));
    let _image = support::Theirs::new(&["tag", "busybox:latest", moving], &["rmi", "--no-prune", moving]);
    let project = Project::new(
        name,
        &[
            ("gordon.toml", &config(name, port, moving)),
            ("own.env", "X=1\n"),
            ("more.env", "Z=1\n"),
            ("env/a_example_com.env", "Y=1\n"),
            ("one.conf", "1\n"),
            ("conf/x.conf", "1\n"),
            ("conf/run.sh", "true\n"),
        ],
    );
    fs::set_permissions(project.folder().join("conf/run.sh"), Permissions::from_mode(0o755))
        .expect("its own file");
    symlink("x.conf", project.folder().join("conf/link")).expect("a link");
    run(project.command(&["apply", "--yes"]).env("TOKEN", "abcdef")).success();

    let nothing: Change = Box::new(|_| ());
    let unchanged = planned(&project, "abcdef", &nothing);
    assert!(unchanged.contains("nothing to do"), "{unchanged}");
    let secret = planned(&project, "ghijkl", &nothing);
    assert!(secret.contains("secret TOKEN changed"), "{secret}");

    let changes = changes(port);
    assert!(changes.len() >= 40, "{}", changes.len());
    let (left, missed) = (Mutex::new(changes.iter()), Mutex::new(Vec::new()));
    let ask = || {
        while let Some((change, reason)) = { left.lock().expect("no thread failed").next() } {
            let plan = planned(&project, "abcdef", change);
            if !plan.contains(reason.as_str()) {
                missed.lock().expect("no thread failed").push(format!("{reason}:\n{plan}"));
            }
        }
    };
    thread::scope(|scope| (0..4).for_each(|_| drop(scope.spawn(ask))));
    let missed = missed.into_inner().expect("no thread failed");
    assert!(missed.is_empty(), "{}", missed.join("\n"));

    by_hand(&project, moving, &nothing);
    project.write("one.conf", "2\n");
    run(project.command(&["apply", "--yes"]).env("TOKEN", "abcdef")).success();
    let mended = planned(&project, "abcdef", &nothing);
    assert!(mended.contains("nothing to do"), "{mended}");
}

/// Changes by hand, one container each, and the one plan that sees them all.
fn by_hand(project: &Project, moving: &str, nothing: &Change) {
    let name = &project.name;
    let is = |service: &str| format!("{name}-{service}");
    let network = format!("{name}-network");
    let format = format!("{{{{(index .NetworkSettings.Networks \"{network}\").IPAddress}}}}");
    let address = docker(["inspect", "--format", &format, &is("alias")]).success().stdout;
    let lost = format!("{name}-b-example-com");
    for words in [
        vec!["stop", &is("stopped")],
        vec!["pause", &is("paused")],
        vec!["rm", "--force", &is("removed")],
        vec!["update", "--restart", "no", &is("updated")],
        vec!["update", "--memory", "64m", "--memory-swap", "128m", &is("limited")],
        vec!["update", "--cpus", "0.5", &is("slowed")],
        vec!["network", "disconnect", &network, &is("off")],
        vec!["network", "disconnect", &network, &is("alias")],
        vec!["network", "connect", "--ip", address.trim(), &network, &is("alias")],
        vec!["network", "connect", &format!("{name}-a-example-com"), &is("joined")],
        vec!["stop", &is("b.example.com"), &is("b.example.com-lost")],
        vec!["network", "rm", &lost],
        vec!["tag", "web:1", moving],
    ] {
        run(Command::new("docker").args(words)).success();
    }
    let plan = planned(project, "abcdef", nothing);
    for (service, reason) in [
        ("stopped", "not running"),
        ("paused", "is paused"),
        ("removed", "busybox:latest"),
        ("updated", "restart policy no → always"),
        ("limited", "--memory was set by hand, to 67108864"),
        ("slowed", "--cpus was set by hand, to 500000000"),
        ("off", "not in this network"),
        ("alias", "should answer to alias"),
        ("joined", "no longer belongs to this network"),
        ("lost", &format!("its network {lost} was removed")),
        ("moved", "is another image now"),
    ] {
        let line = plan.lines().find(|line| line.contains(reason) && line.contains(service));
        assert!(line.is_some(), "{service}: {reason}:\n{plan}");
    }
    // one with another name is not gordon's
    docker(["rename", &is("renamed"), &is("renamed-else")]).success();
    let plan = planned(project, "abcdef", nothing);
    docker(["rename", &is("renamed-else"), &is("renamed")]).success();
    assert!(plan.contains(&format!("container `{}` is not of this project", is("renamed-else"))), "{plan}");
}
