//! A change touches what it is about and nothing else.

use std::collections::BTreeMap;
use support::Project;
use support::docker;
use support::eventually;
use support::own;
use support::run;

const SERVICES: &str = r#"
    [attachments]
    "one.example.com" = ["redis:7-alpine"]
    "two.example.com" = ["redis:7-alpine"]
"#;

fn config(name: &str, one: &str, two: &str) -> String {
    format!(
        "name = \"{name}\"\n[routes]\n\"one.example.com\" = {{ {one} }}\n\"two.example.com\" = {{ {two} }}\n{SERVICES}"
    )
}

/// The names of the containers that are there in both and are not the same.
fn changed(before: &BTreeMap<String, String>, after: &BTreeMap<String, String>) -> Vec<String> {
    before.iter().filter(|(name, id)| after.get(*name) != Some(id)).map(|(name, _)| name.clone()).collect()
}

#[test]
fn a_change_of_one_app_touches_nothing_else() {
    let name = own("change");
    let image = r#"image = "web:1""#;
    let project = Project::new(name, &[("gordon.toml", &config(name, image, image))]);
    project.apply();
    let before = project.ids();
    project.write("gordon.toml", &config(name, image, r#"image = "web:2", environment = { LOG = "debug" }"#));
    let plan = project.gordon(&["plan", "--exit-code"]).ended(3).stdout;
    assert!(plan.contains("env + LOG=debug, image web:1 → web:2"), "{plan}");
    project.apply();
    assert_eq!(changed(&before, &project.ids()), [own("change-two.example.com")]);
    project.is_settled();
}

#[test]
fn an_app_that_is_removed_takes_its_containers_and_its_network_and_leaves_its_volumes() {
    let name = own("remove");
    let image = r#"image = "web:1""#;
    let project = Project::new(name, &[("gordon.toml", &config(name, image, image))]);
    project.apply();
    let (before, volumes) = (project.ids(), project.list("volume"));
    project.write(
        "gordon.toml",
        &format!("name = \"{name}\"\n[routes]\n\"one.example.com\" = \"web:1\"\n[attachments]\n\"one.example.com\" = [\"redis:7-alpine\"]\n"),
    );
    project.apply();
    assert_eq!(
        changed(&before, &project.ids()),
        [own("remove-two.example.com"), own("remove-two.example.com-redis")]
    );
    assert_eq!(project.list("network"), [own("remove-one-example-com")]);
    assert_eq!((project.list("volume"), volumes.len()), (volumes, 2));
    project.is_settled();
}

#[test]
fn an_env_file_that_changes_replaces_the_app_and_leaves_its_database() {
    let name = own("env");
    let text = format!(
        "name = \"{name}\"\n[routes]\n\"one.example.com\" = \"web:1\"\n[attachments]\n\"one.example.com\" = [\"postgres:15\"]\n"
    );
    let env = "env/one_example_com.env";
    let project = Project::new(name, &[("gordon.toml", &text), (env, "POSTGRES_PASSWORD=a\nBODY=one\n")]);
    project.apply();
    let before = project.ids();
    project.write(env, "POSTGRES_PASSWORD=a\nBODY=two\n");
    let plan = project.gordon(&["plan"]).success().stdout;
    assert!(plan.contains("env/one_example_com.env changed"), "{plan}");
    project.apply();
    assert_eq!(changed(&before, &project.ids()), [own("env-one.example.com")]);
    let plan = project.gordon(&["plan"]).success();
    assert!(
        format!("{}{}", plan.stdout, plan.stderr)
            .contains(&format!("--recreate {name}-one.example.com-postgres"))
    );
    project.gordon(&["apply", "--yes", "--recreate", own("env-one.example.com-postgres")]).success();
    assert_eq!(changed(&before, &project.ids()).len(), 2);
    project.is_settled();
}

#[test]
fn a_secret_that_changes_replaces_what_uses_it() {
    let project = Project::of_scenario("replicas", own("secret"));
    project.apply();
    let before = project.ids();
    let mut apply = project.command(&["apply", "--yes"]);
    run(apply.env("DATABASE_URL", "postgres://postgres@db/other")).success();
    let changed = changed(&before, &project.ids());
    let (replicas, others): (Vec<_>, Vec<_>) =
        changed.iter().partition(|name| name.starts_with(own("secret-web-green")));
    assert_eq!(replicas.len(), 3, "{changed:?}");
    assert_eq!(others, [own("secret-web-release")], "the release's command has the secret, too");
}

#[test]
fn networks_and_aliases_that_somebody_took_away_come_back_without_a_new_container() {
    let project = Project::of_scenario("microservices", own("repair"));
    project.apply();
    let (state, ids) = (project.state(), project.ids());
    let (network, api, cache) =
        (own("repair-backend"), own("repair-api.company.com"), own("repair-backend-redis"));
    let format = format!("{{{{(index .NetworkSettings.Networks \"{network}\").IPAddress}}}}");
    let address = docker(["inspect", "--format", &format, cache]).success().stdout;
    for container in [api, cache] {
        docker(["network", "disconnect", network, container]).success();
    }
    docker(["network", "connect", "--ip", address.trim(), "--alias", "other", network, cache]).success();
    docker(["stop", "-t", "1", own("repair-worker.company.com")]).success();
    project.apply();
    assert_eq!(project.ids(), ids, "no container is another one");
    assert_eq!(project.state(), state);
    project.is_settled();
}

#[test]
fn an_image_whose_tag_moved_replaces_its_containers() {
    let image = own("moves:latest");
    docker(["tag", "web:1", image]).success();
    let text = format!("name = \"{}\"\n[routes]\n\"one.example.com\" = \"{image}\"\n", own("moved"));
    let project = Project::new(own("moved"), &[("gordon.toml", &text)]);
    project.apply();
    let before = project.ids();
    docker(["tag", "web:2", image]).success();
    let plan = project.gordon(&["plan"]).success().stdout;
    assert!(plan.contains("is another image now"), "{plan}");
    project.apply();
    assert_eq!(changed(&before, &project.ids()), [own("moved-one.example.com")]);
    project.is_settled();
    drop(project);
    docker(["image", "rm", image]).success();
}

#[test]
fn what_docker_restarts_over_and_over_is_mended_and_removed() {
    let name = own("restarting");
    let config = |apps: &str| format!("name = \"{name}\"\ndeploy.drain = \"1s\"\n[apps]\n{apps}");
    let broken = "{ image = \"busybox\", command = [\"sh\", \"-c\", \"exit 3\"] }";
    let project =
        Project::new(name, &[("gordon.toml", &config(&format!("web = {broken}\nold = {broken}\n")))]);
    project.gordon(&["apply", "--yes"]).ended(1);
    for container in [own("restarting-web-green"), own("restarting-old-green")] {
        eventually("it waits for its next start", || {
            let state = docker([
                "container",
                "inspect",
                "--format",
                "{{.State.Status}} {{.RestartCount}}",
                container,
            ]);
            state
                .stdout
                .trim()
                .strip_prefix("restarting ")
                .is_some_and(|count| count.parse().is_ok_and(|count: u32| count >= 3))
        });
    }
    // a failed deploy is not done
    project.gordon(&["plan", "--exit-code"]).ended(3);
    let status = project.gordon(&["status"]).ended(1).stdout;
    assert!(status.contains(", never ready, ") && status.contains(" restarts"), "{status}");
    project.gordon(&["apply", "--yes"]).ended(1);
    project.write("gordon.toml", &config("web = { image = \"busybox\", command = [\"sleep\", \"1000\"] }\n"));
    project.apply();
    assert!(!project.ids().contains_key(own("restarting-old-green")));
    project.is_settled();
}

#[test]
fn more_processors_than_the_host_has_are_refused_before_anything_is_made() {
    let there: u32 =
        docker(["info", "--format", "{{.NCPU}}"]).success().stdout.trim().parse().expect("a number");
    let name = own("processors");
    let config = |cpus: u32| {
        format!(
            "name = \"{name}\"\nproxy.enabled = false\n[services]\none = {{ image = \"redis:7-alpine\", cpus = {cpus} }}"
        )
    };
    let project = Project::new(name, &[("gordon.toml", &config(there + 1))]);
    let run = project.gordon(&["apply", "--yes"]).ended(1);
    let said = format!("`{name}-one` is to have {} processors, and this host has {there}", there + 1);
    assert!(run.stderr.contains(&said), "{}", run.stderr);
    assert!(project.ids().is_empty() && project.list("network").is_empty(), "{:?}", project.ids());
    project.write("gordon.toml", &config(there));
    project.apply();
    project.is_settled();
}

#[test]
fn what_is_meant_to_end_runs_once_and_others_start_after_it() {
    let name = own("job");
    let config = |command: &str| {
        format!(
            "name: {name}\nservices:\n  web: {{ image: busybox, command: sleep 1000, after: [job] }}\n  \
             job: {{ image: busybox, restart: 'no', command: [sh, -c, '{command}'] }}\n"
        )
    };
    let project = Project::new(name, &[("gordon.yaml", &config("sleep 2; echo no such table; exit 3"))]);
    let failed = project.gordon(&["apply", "--yes"]).ended(1);
    for said in ["exited with status 3", "no such table"] {
        assert!(failed.stderr.contains(said), "{said}: {}", failed.stderr);
    }
    let restarts = |container: &str| {
        let format = "{{.State.Status}} {{.State.ExitCode}} {{.RestartCount}} {{.State.StartedAt}}";
        docker(["inspect", "--format", format, container]).stdout
    };
    assert!(restarts(own("job-job")).starts_with("exited 3 0 "), "docker did not start it again");
    assert!(!project.ids().contains_key(own("job-web")), "what starts after it did not start");
    // a script goes on from there, and a second one has nothing to do
    project.write("gordon.yaml", &config("sleep 2"));
    run(&mut project.script(&[])).success();
    let job = restarts(own("job-job"));
    assert!(job.starts_with("exited 0 0 "), "{job}");
    let times = ["{{.State.FinishedAt}} job-job", "{{.State.StartedAt}} job-web"].map(|question| {
        let (format, container) = question.split_once(' ').expect("two words");
        docker(["inspect", "--format", format, own(container)]).success().stdout
    });
    assert!(times[0] < times[1], "{times:?}");
    project.is_settled();
    run(&mut project.script(&["--offline"])).success();
    assert_eq!(restarts(own("job-job")), job, "it was not started again");
    let status = project.gordon(&["status", "--json"]).success().stdout;
    assert!(status.contains("\"state\": \"done\""), "{status}");
}
