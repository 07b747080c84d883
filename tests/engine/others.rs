//! Foreign things on the host survive every command.

use std::process::Command;
use support::Project;
use support::Theirs;
use support::docker;
use support::label;
use support::own;

const CONFIG: &str = r#"
    [routes]
    "one.example.com" = "web:1"
    [attachments]
    "one.example.com" = ["redis:7-alpine"]
"#;

/// Which container it is, and since when it is as it is.
const STATE: &str = "{{.Id}} {{.State.StartedAt}} {{.State.FinishedAt}}";

fn project(name: &str) -> Project {
    Project::new(name, &[("gordon.toml", &format!("name = \"{name}\"\n{CONFIG}"))])
}

fn every_command(project: &Project) {
    for words in [
        &["plan"][..],
        &["plan", "--format", "sh"],
        &["apply", "--yes"],
        &["apply", "--yes", "--replace"],
        &["down", "--yes", "--volumes"],
        &["unlock", "--yes"],
        &["images"],
    ] {
        project.gordon(words);
    }
}

#[test]
fn a_container_of_a_name_that_is_needed() {
    let project = project(own("their-c"));
    let name = own("their-c-one.example.com");
    let _theirs = Theirs::new(
        &["run", "--detach", "--name", name, "--label", &label(), "busybox:latest", "sleep", "600"],
        &["rm", "--force", name],
    );
    let id = docker(["inspect", "--format", STATE, name]).success().stdout;
    let run = project.gordon(&["apply", "--yes"]).ended(1);
    assert!(run.stderr.contains(name) && run.stderr.contains("gordon did not make it"), "{}", run.stderr);
    assert!(project.ids().is_empty() && project.list("network").is_empty(), "nothing is done by halves");
    every_command(&project);
    assert_eq!(docker(["inspect", "--format", STATE, name]).success().stdout, id);
}

#[test]
fn a_container_of_the_name_of_the_lock() {
    let project = project(own("their-l"));
    let name = &format!("gordon-lock-{}", own("their-l"));
    let _theirs = Theirs::new(
        &["create", "--name", name, "--label", &label(), "busybox:latest"],
        &["rm", "--force", name],
    );
    let id = docker(["inspect", "--format", "{{.Id}}", name]).success().stdout;
    for words in [&["apply", "--yes"][..], &["apply", "--yes", "--wait"], &["unlock", "--yes"]] {
        let run = project.gordon(words).ended(1);
        assert!(run.stderr.contains(name) && run.stderr.contains("gordon did not make it"), "{}", run.stderr);
    }
    every_command(&project);
    assert_eq!(docker(["inspect", "--format", "{{.Id}}", name]).success().stdout, id);
}

#[test]
fn a_copy_of_a_container_has_its_labels_from_its_image_and_is_somebody_elses() {
    let project = project(own("their-i"));
    project.apply();
    let image = own("their-i:copy");
    let _image = Theirs::new(
        &["commit", "--change", &format!("LABEL {}", label()), own("their-i-one.example.com"), image],
        &["rmi", image],
    );
    // the other has a name that gordon could have given
    let names = [own("their-i-debug"), own("their-i-one.example.com-2")];
    let _copies = names.map(|name| {
        Theirs::new(
            &["run", "--detach", "--network", "none", "--name", name, image],
            &["rm", "--force", name],
        )
    });
    let states = || names.map(|name| docker(["inspect", "--format", STATE, name]).success().stdout);
    let before = states();
    project.is_settled();
    every_command(&project);
    assert_eq!(states(), before);
}

#[test]
fn a_container_that_somebody_has_renamed_is_theirs() {
    let project = project(own("their-r"));
    project.apply();
    let (ours, name) = (own("their-r-one.example.com"), own("their-r-kept"));
    docker(["stop", "--time", "1", ours]).success();
    docker(["rename", ours, name]).success();
    let _theirs = Theirs(["rm", "--force", name].map(str::to_owned).to_vec());
    let state = docker(["inspect", "--format", STATE, name]).success().stdout;
    project.apply();
    assert!(project.ids().contains_key(ours), "there is another");
    project.is_settled();
    every_command(&project);
    assert_eq!(docker(["inspect", "--format", STATE, name]).success().stdout, state);
}

#[test]
fn a_network_of_a_name_that_is_needed_is_used_and_never_removed() {
    let project = project(own("their-n"));
    let name = own("their-n-one-example-com");
    let _theirs = Theirs::new(&["network", "create", "--label", &label(), name], &["network", "rm", name]);
    let id = docker(["network", "inspect", "--format", "{{.Id}}", name]).success().stdout;
    project.apply();
    project.is_settled();
    assert_eq!(
        docker(["exec", own("their-n-one.example.com"), "getent", "hosts", "redis"]).success().status,
        0
    );
    every_command(&project);
    assert!(project.ids().is_empty(), "down has removed what gordon made");
    assert_eq!(docker(["network", "inspect", "--format", "{{.Id}}", name]).success().stdout, id);
}

#[test]
fn a_container_that_answers_to_a_name_of_the_project_is_refused_until_it_is_off_the_network() {
    let (network, name) = (own("their-a-one-example-com"), own("their-a-other"));
    // made first, so that it goes last: the project's containers are on it
    let _network =
        Theirs::new(&["network", "create", "--label", &label(), network], &["network", "rm", network]);
    let project = project(own("their-a"));
    let script = project.gordon(&["plan", "--format", "sh"]).success().stdout;
    project.write("plan.sh", &script);
    let _theirs = Theirs::new(
        &[
            "run",
            "--detach",
            "--name",
            name,
            "--label",
            &label(),
            "--network",
            network,
            "--network-alias",
            "Redis",
            "busybox:latest",
            "sleep",
            "600",
        ],
        &["rm", "--force", name],
    );
    let run = project.gordon(&["apply", "--yes"]).ended(1);
    for words in [name, "`redis`", &format!("`docker network disconnect {network} {name}`")] {
        assert!(run.stderr.contains(words), "{words}: {}", run.stderr);
    }
    let run = support::run(Command::new("sh").arg("plan.sh").current_dir(project.folder())).ended(4);
    assert!(run.stderr.contains(name) && run.stderr.contains("answers to redis"), "{}", run.stderr);
    assert!(project.ids().is_empty(), "nothing is done by halves");

    docker(["network", "disconnect", network, name]).success();
    project.apply();
    project.is_settled();
    docker(["network", "connect", "--alias", "one", network, name]).success();
    docker(["rename", name, &format!("{name}-2")]).success();
    let _renamed = Theirs(vec!["rm".to_owned(), "--force".to_owned(), format!("{name}-2")]);
    let run = project.gordon(&["plan"]).ended(1);
    assert!(run.stderr.contains("`one`"), "a rename keeps aliases: {}", run.stderr);
    let status = project.gordon(&["status"]).success().stdout;
    assert!(status.contains("answers to `one`"), "{status}");
    docker(["network", "disconnect", network, &format!("{name}-2")]).success();
    project.is_settled();
}

#[test]
fn a_volume_of_a_name_that_is_needed_is_used_and_never_removed() {
    let project = project(own("their-v"));
    let name = own("their-v-one-example-com-redis-data");
    let _theirs = Theirs::new(&["volume", "create", "--label", &label(), name], &["volume", "rm", name]);
    project.apply();
    let mounts =
        docker(["inspect", "--format", "{{json .Mounts}}", own("their-v-one.example.com-redis")]).success();
    assert!(mounts.stdout.contains(name), "{}", mounts.stdout);
    every_command(&project);
    docker(["volume", "inspect", name]).success();
}

#[test]
fn what_another_project_has_is_refused() {
    let (project, name) = (project(own("their-p")), own("their-p-one-example-com"));
    let _theirs = Theirs::new(
        &["network", "create", "--label", "gordon.managed=true", "--label", "gordon.project=somebody", name],
        &["network", "rm", name],
    );
    let run = project.gordon(&["apply", "--yes"]).ended(1);
    assert!(run.stderr.contains("project `somebody`"), "{}", run.stderr);
    every_command(&project);
    docker(["network", "inspect", name]).success();
}

#[test]
fn another_config_of_the_same_name_is_not_taken_for_this_one() {
    let first = project(own("same"));
    first.apply();
    let ids = first.ids();
    first.write(
        "gordon.toml",
        &format!("name = \"{}\"\n[routes]\n\"other.example.com\" = \"web:1\"\n", own("same")),
    );
    let run = first.gordon(&["apply", "--yes"]).ended(1);
    assert!(run.stderr.contains("--replace") && run.stderr.contains("`name`"), "{}", run.stderr);
    assert_eq!(first.ids(), ids);
    first.gordon(&["apply", "--yes", "--replace"]).success();
    assert_eq!(first.ids().keys().collect::<Vec<_>>(), [own("same-other.example.com")]);
}
