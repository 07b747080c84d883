//! Killed at any moment and run again, gordon and its scripts come to the same end.

use std::os::unix::process::CommandExt;
use std::process::Command;
use std::process::Stdio;
use std::thread::sleep;
use std::time::Duration;
use support::Project;
use support::docker;
use support::own;
use support::run;

/// The moments at which a run is killed, in milliseconds after its start: spread over all that it does.
const MOMENTS: [u64; 6] = [150, 400, 800, 1300, 2000, 3200];

/// Starts `command`, kills it and everything that it started, and waits until docker has come to rest.
fn kill_after(mut command: Command, moment: u64) {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .expect("it starts");
    // a moment of the run itself is what is wanted here, not a condition
    sleep(Duration::from_millis(moment));
    let group = format!("-{}", child.id());
    run(Command::new("kill").args(["-KILL", "--", &group]));
    child.wait().expect("it ends");
}

fn project() -> Project {
    let config = r#"
        [routes]
        "api.example.com" = "api:latest"
        "worker.example.com" = { image = "worker:latest", replicas = 2 }
        [network_groups]
        "backend" = ["api.example.com", "worker.example.com"]
        [attachments]
        "backend" = ["redis:7-alpine"]
        "api.example.com" = ["my-postgres:latest"]
    "#;
    Project::new(own("killed"), &[("gordon.toml", &format!("name = \"{}\"\n{config}", own("killed")))])
}

#[test]
fn what_was_killed_is_brought_to_the_end_that_it_would_have_come_to() {
    let project = project();
    let mut script = project.script(&[]);
    project.apply();
    let undisturbed = project.state();
    for moment in MOMENTS {
        project.remove();
        kill_after(project.command(&["apply", "--yes"]), moment);
        project.apply();
        assert_eq!(project.state(), undisturbed, "apply was killed after {moment} ms");
        project.is_settled();

        project.remove();
        kill_after(project.run_script(), moment);
        run(&mut script).success();
        assert_eq!(project.state(), undisturbed, "the script was killed after {moment} ms");
    }
}

#[test]
fn a_rollout_that_was_killed_is_brought_to_its_end() {
    let name = own("replaced");
    let config = |version: u8| {
        format!(
            "name = \"{name}\"\n[routes]\n\"a.example.com\" = {{ image = \"web:{version}\", replicas = 2 }}\n\
             [deploy]\ndrain = \"2s\"\nkeep_previous = false\n"
        )
    };
    let project = Project::new(name, &[("gordon.toml", &config(1))]);
    for moment in [300, 900, 1500, 7000, 7800, 10500] {
        project.write("gordon.toml", &config(1));
        project.apply();
        project.write("gordon.toml", &config(2));
        kill_after(project.command(&["apply", "--yes"]), moment);
        let running =
            docker(["ps", "--quiet", "--filter", &format!("label=gordon.project={name}")]).success();
        assert!(!running.stdout.is_empty(), "killed after {moment} ms, some replica serves");
        project.apply();
        let state = project.state();
        let containers = state["containers"].as_array().expect("a list");
        assert_eq!(containers.len(), 2, "nothing is left over: {state:#}");
        for container in containers {
            assert_eq!((&container["image"], &container["running"]), (&"web:2".into(), &true.into()));
        }
        project.is_settled();
    }
}
