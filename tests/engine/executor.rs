//! A plan as JSON says all that `apply` obeys: a program of a few lines carries it out and comes to the same end.

use gordon::docker::Op;
use gordon::name::Image;
use std::path::Path;
use std::process::Command;
use std::process::Stdio;
use std::thread::sleep;
use std::time::Duration;
use support::Project;
use support::Run;
use support::docker;
use support::label;
use support::own;
use support::private_engine::on_private_engine;
use support::run;

const EXECUTOR: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/engine/executor.py");

/// The program, with a plan that gordon makes now.
fn executor(project: &Project) -> Command {
    project.write("plan.json", &project.gordon(&["plan", "--format", "json"]).success().stdout);
    let mut command = Command::new("sh");
    command.args(["-c", "exec python3 \"$0\" <plan.json", EXECUTOR]);
    command.current_dir(project.folder()).env("POSTGRES_PASSWORD", "s3cret");
    command
}

fn execute(project: &Project) -> Run {
    run(&mut executor(project))
}

/// An app of two containers behind the proxy, with a health check, and its database. With its `drain` of ten minutes the test
/// ends in time only where a drain ends with the last request.
fn config(body: &str) -> String {
    format!(
        "name: gtest-executor\nproxy: {{ http_port: 18080, https_port: 18443, tls: 'off' }}\n\
         deploy: {{ drain: 10m, health_timeout: 20s }}\napps:\n  web:\n    image: 'web:1'\n    replicas: 2\n    \
         environment: {{ {body} }}\n    health: {{ path: /up }}\n    release: {{ command: [echo, migrated], entrypoint: '' }}\n    proxy: {{ hosts: [web.test], app_port: 3000 }}\n\
         services:\n  db: {{ image: 'postgres:15', environment: {{ secret: [POSTGRES_PASSWORD] }} }}\n"
    )
}

fn answer() -> String {
    let question = ["-s", "-m", "10", "-H", "Host: web.test", "http://127.0.0.1:18080/"];
    run(Command::new("curl").args(question)).stdout
}

#[test]
fn a_check_of_an_image_names_the_volumes_that_are_not_known() {
    let image = own("volumes:1");
    let declares = "VOLUME [\"/data\", \"/logs/\", \"/a b\"]";
    docker(["create", "--name", own("volumes"), "--label", &label(), "busybox:latest"]).success();
    docker(["commit", "--change", declares, own("volumes"), image]).success();
    docker(["rm", own("volumes")]).success();
    for (known, named) in [
        (&[][..], "/a b\n/data\n/logs/"),
        (&["/logs"], "/a b\n/data"),
        (&["/data", "/logs", "/a b", "/more"], ""),
    ] {
        let image = Image::parse(image).expect("an image");
        let known = known.iter().map(|path| (*path).to_owned()).collect();
        let probe = Op::ExpectVolumes { image, known }.probe().expect("a check asks");
        let answer = run(Command::new("docker").args(probe.command.argv(Path::new("/")))).stdout;
        assert_eq!((answer.trim_end(), probe.is_ready(&answer)), (named, named.is_empty()));
    }
    docker(["image", "rm", image]).success();
}

#[test]
fn a_plan_as_json_is_carried_out_by_a_program_that_knows_nothing_of_gordon() {
    on_private_engine(a_plan_as_json_is_carried_out_by_a_program_that_knows_nothing_of_gordon, || {
        let project = Project::new("gtest-executor", &[("gordon.yaml", &config("BODY: first"))]);
        project.apply();
        let applied = project.state();
        project.gordon(&["down", "--yes", "--volumes"]).success();
        execute(&project).success();
        assert_eq!(project.state(), applied, "the end of an apply on an empty host");
        project.is_settled();

        project.write("gordon.yaml", &config("BODY: second"));
        execute(&project).success();
        assert!(answer().contains("second"), "a rollout: {}", answer());
        project.is_settled();

        project.write("gordon.yaml", &config("BODY: third, EXIT_CODE: '3'"));
        let serving = || {
            let mut ids = project.ids();
            ids.remove("gtest-executor-web-release");
            ids
        };
        let before = serving();
        let failed = execute(&project);
        assert_eq!(failed.status, 1, "{}", failed.stderr);
        assert!(answer().contains("second"), "the release that failed is gone: {}", answer());
        assert_eq!(serving(), before, "it was undone: the same containers are there");

        project.write("gordon.yaml", &config("BODY: fourth"));
        let mut stopped = executor(&project).stderr(Stdio::null()).spawn().expect("it starts");
        sleep(Duration::from_secs(2));
        run(Command::new("kill").args(["-INT", &stopped.id().to_string()])).success();
        assert_eq!(stopped.wait().expect("it ends").code(), Some(1));
        let served = answer();
        assert!(served.contains("second") || served.contains("fourth"), "a release serves: {served}");
        execute(&project).success();
        assert!(answer().contains("fourth"), "{}", answer());
        project.is_settled();
    });
}
