//! A database keeps its data through everything but being told to lose them.

use support::Project;
use support::ask;
use support::docker;
use support::eventually;
use support::free_port;
use support::label;
use support::own;
use support::run;

fn config(name: &str, image: &str, more: &str) -> String {
    format!(
        "name = \"{name}\"\n\
         [routes]\n\"one.example.com\" = {{ image = \"web:1\", port = 3000, environment = {{ DATABASE_HOST = \"postgres\" }} }}\n\
         [attachments]\n\"one.example.com\" = [{{ image = \"{image}\", name = \"postgres\" {more} }}]\n"
    )
}

/// Adds a row through the app and gives how many there are.
fn visit(app: &str) -> String {
    let mut answer = (0, String::new());
    eventually("the app reaches its database", || {
        answer = ask(app, 3000, "/visit");
        answer.0 == 200
    });
    answer.1
}

#[test]
fn data_survive_a_changed_spec_and_down() {
    let (name, app) = (own("data"), own("data-one.example.com"));
    let project = Project::new(name, &[("gordon.toml", &config(name, "postgres:15", ""))]);
    project.write("env/one_example_com.env", "POSTGRES_PASSWORD=example\n");
    project.apply();
    assert_eq!(visit(app), "visits: 1\n");

    let before = project.ids();
    project.write("gordon.toml", &config(name, "postgres:15", ", environment = { TZ = \"UTC\" }"));
    project.apply();
    assert_ne!(
        project.ids().get(own("data-one.example.com-postgres")),
        before.get(own("data-one.example.com-postgres"))
    );
    assert_eq!(visit(app), "visits: 2\n");

    project.gordon(&["down", "--yes"]).success();
    project.apply();
    assert_eq!(visit(app), "visits: 3\n");
}

#[test]
fn a_replacement_that_does_not_start_gives_way_to_the_database_that_did() {
    let (name, app) = (own("fallback"), own("fallback-one.example.com"));
    let project = Project::new(name, &[("gordon.toml", &config(name, "postgres:15", ""))]);
    project.write("env/one_example_com.env", "POSTGRES_PASSWORD=example\n");
    project.apply();
    assert_eq!(visit(app), "visits: 1\n");
    let before = project.ids();
    project
        .write("gordon.toml", &config(name, "postgres:15", ", command = [\"postgres\", \"--no-such-flag\"]"));
    let run = project.gordon(&["apply", "--yes"]).ended(1);
    assert!(run.stderr.contains("no-such-flag"), "the end of its log is shown: {}", run.stderr);
    assert_eq!(project.ids(), before, "the old one is back, and nothing else is there");
    assert_eq!(visit(app), "visits: 2\n");
}

#[test]
fn a_script_leaves_data_behind_only_when_its_plan_says_so() {
    let name = own("left");
    let config = |volume: &str| {
        format!(
            "name = \"{name}\"\nproxy.enabled = false\ndeploy.stop_timeout = \"1s\"\n\
             [services.db]\nimage = \"busybox:latest\"\ncommand = \"sleep 1000000\"\nvolumes = [\"{volume}:/data\"]\n"
        )
    };
    let project = Project::new(name, &[("gordon.toml", &config("data"))]);
    project.apply();
    project.write("gordon.toml", &config("store"));
    let before = project.ids();
    let refused = project.gordon(&["apply", "--yes"]).ended(1);
    assert!(refused.stderr.contains(&format!("volume {name}-data")), "{}", refused.stderr);
    let refused = run(&mut project.script(&[])).ended(4);
    assert!(refused.stderr.contains(&format!("volume {name}-data")), "{}", refused.stderr);
    assert_eq!(project.ids(), before);
    run(&mut project.script(&["--leave-data", own("left-data")])).success();
    assert_ne!(project.ids(), before);
    assert_eq!(project.list("volume"), [own("left-data"), own("left-store")]);
}

#[test]
fn data_of_another_container_are_told_of_and_taken_over_and_stay() {
    let (name, old, volume) = (own("taken"), own("taken-old"), own("taken-over"));
    let config = |mount: &str| {
        format!(
            "name = \"{name}\"\nproxy.enabled = false\ndeploy.stop_timeout = \"1s\"\n\
             [services.db]\nimage = \"busybox:latest\"\ncommand = \"sleep 1000000\"\nvolumes = [{mount}]\n"
        )
    };
    let mount = format!("{volume}:/data");
    let line = format!("{{ external = \"{volume}\", target = \"/data\" }}");
    let _volume = support::Theirs::new(
        &["volume", "create", "--label", &label(), volume],
        &["volume", "rm", "--force", volume],
    );
    let _old = support::Theirs::new(
        &[
            "run",
            "--detach",
            "--name",
            old,
            "--label",
            &label(),
            "--volume",
            &mount,
            "busybox:latest",
            "sh",
            "-c",
            "echo kept >/data/file; exec sleep 1000000",
        ],
        &["rm", "--force", old],
    );
    let project = Project::new(name, &[("gordon.toml", &config("\"data:/data\""))]);
    let plan = project.gordon(&["plan"]).success().stdout;
    assert!(
        plan.contains(&format!("busybox:latest of container {old} keeps /data in volume {volume}")),
        "{plan}"
    );
    assert!(plan.contains(&format!("`volumes = [{line}]`")), "{plan}");

    project.write("gordon.toml", &config(&line));
    let plan = project.gordon(&["plan"]).success().stdout;
    assert!(plan.contains(&format!("container {old} runs on volume {volume}")), "{plan}");
    docker(["rm", "--force", old]).success();
    project.apply();
    let db = own("taken-db");
    assert_eq!(docker(["exec", db, "cat", "/data/file"]).success().stdout, "kept\n");
    project.is_settled();
    let mut script = project.script(&["--offline"]);
    project.gordon(&["down", "--yes", "--volumes"]).success();
    run(&mut script).success();
    assert_eq!(docker(["exec", db, "cat", "/data/file"]).success().stdout, "kept\n");
    project.is_settled();
    project.gordon(&["down", "--yes", "--volumes"]).success();
    docker(["volume", "rm", volume]).success();
    let refused = project.gordon(&["apply", "--yes"]).ended(1);
    assert!(refused.stderr.contains(&format!("volume `{volume}` is not on this host")), "{}", refused.stderr);
    let refused = run(&mut script).ended(4);
    assert!(refused.stderr.contains(&format!("volume {volume} is not on this host")), "{}", refused.stderr);
    assert!(project.ids().is_empty() && project.list("network").is_empty(), "nothing is made");
}

#[test]
fn an_image_that_was_not_on_the_host_keeps_its_data_on_a_named_volume_from_the_first_start() {
    let (name, registry) = (own("pulled"), own("registry"));
    let reference = format!("127.0.0.1:{}/gtest/postgres:15", free_port());
    let _registry = registry_with(registry, "postgres:15", &reference);
    let text = config(name, &reference, "");
    let project = Project::new(name, &[("gordon.toml", &text)]);
    project.write("env/one_example_com.env", "POSTGRES_PASSWORD=example\n");
    let run = project.apply();
    assert!(run.stderr.contains("pull"), "{}", run.stderr);
    let app = own("pulled-one.example.com");
    assert_eq!(visit(app), "visits: 1\n");
    let volume = own("pulled-one-example-com-postgres-var-lib-postgresql-data");
    assert_eq!(project.list("volume"), [volume]);
    docker(["rm", "--force", "--volumes", own("pulled-one.example.com-postgres")]).success();
    project.apply();
    assert_eq!(visit(app), "visits: 2\n");
    drop(project);
    docker(["image", "rm", &reference]);
}

/// A registry on loopback that has `image` as `reference`, which is then no longer on the host.
fn registry_with(name: &str, image: &str, reference: &str) -> support::Theirs {
    let (host, _) = reference.split_once('/').expect("a registry and a path");
    let publish = format!("{host}:5000");
    let registry = support::Theirs::new(
        &[
            "run",
            "--detach",
            "--name",
            name,
            "--label",
            &label(),
            "--publish",
            &publish,
            "gordon-test/registry:2",
        ],
        &["rm", "--force", "--volumes", name],
    );
    docker(["tag", image, reference]).success();
    eventually("the registry takes the image", || docker(["push", reference]).status == 0);
    docker(["image", "rm", reference]).success();
    registry
}
