//! A release begins with its command: once, before its first container, and never again once it ended well.

use std::os::unix::process::CommandExt;
use std::process::Stdio;
use support::Project;
use support::docker;
use support::eventually;
use support::inside;
use support::own;
use support::run;

/// An app of two containers whose releases begin with `release`. It writes its version to a volume.
fn config(name: &str, version: u8, release: &str) -> String {
    format!(
        "name: {name}\nproxy: {{ enabled: false }}\ndeploy: {{ drain: 0s, keep_previous: false, stop_timeout: 1s }}\n\
         apps:\n  web:\n    image: 'busybox:latest'\n    replicas: 2\n    command: [sleep, '1000000']\n    \
         environment: {{ VERSION: '{version}' }}\n    volumes: ['data:/data']\n    \
         health: {{ cmd: 'true', interval: 200ms }}\n    labels: {{ team: shop }}\n    {release}\n"
    )
}

const RELEASE: &str = "release: [sh, -c, 'echo $VERSION >>/data/runs; echo migrates to $VERSION; \
                       while [ -e /data/held ]; do sleep 0.1; done; [ ! -e /data/broken ]']";

/// The versions whose command was run, in order.
fn runs(live: &str) -> String {
    inside(live, ["cat", "/data/runs"]).success().stdout.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn of(format: &str, container: &str) -> String {
    docker(["container", "inspect", "--format", format, container]).success().stdout.trim().to_owned()
}

#[test]
fn the_command_of_a_release_runs_once_and_nothing_of_the_release_without_it() {
    let name = own("release");
    let (live, ran) = (own("release-web-green"), own("release-web-release"));
    let project = Project::new(name, &[("gordon.yaml", &config(name, 1, RELEASE))]);
    let state = || of("{{.State.Status}} {{.State.ExitCode}}", ran);
    project.apply();
    project.is_settled();
    assert_eq!((runs(live).as_str(), state().as_str()), ("1", "exited 0"), "once for two containers");
    let told = "{{index .Config.Labels \"gordon.part\"}} {{index .Config.Labels \"team\"}} {{.HostConfig.PortBindings}} {{.Config.StopSignal}}";
    assert_eq!(of(told, ran), format!("release/{name}/{name}-web/1  map[] SIGKILL"));
    assert_eq!(of("{{range .NetworkSettings.Networks}}{{len .Aliases}}{{end}}", ran), "1", "but for its id");
    let status = project.gordon(&["status"]).success().stdout;
    assert!(status.contains("done (release command)"), "{status}");

    // it fails: what serves goes on, also by a script, which tries anew each time
    let before = project.ids();
    let serves = || {
        let now = project.ids();
        [live, own("release-web-green-2")].iter().all(|name| now[*name] == before[*name]) && now.len() == 3
    };
    inside(live, ["touch", "/data/broken"]).success();
    project.write("gordon.yaml", &config(name, 2, RELEASE));
    let failed = project.gordon(&["apply", "--yes"]).ended(1);
    for text in ["exited with status 1", "migrates to 2", &format!("docker logs {ran}")] {
        assert!(failed.stderr.contains(text), "{text}: {}", failed.stderr);
    }
    let mut script = project.script(&[]);
    for tries in ["1 2 2", "1 2 2 2"] {
        let failed = run(&mut script).ended(1);
        let told = format!("{ran} has not ended well: failed 1");
        assert!(
            failed.stderr.contains(&told) && failed.stderr.contains("migrates to 2"),
            "{}",
            failed.stderr
        );
        assert_eq!((runs(live).as_str(), state().as_str(), serves()), (tries, "exited 1", true));
    }
    let status = project.gordon(&["status"]).stdout;
    assert!(status.contains("failed with status 1 (release command)"), "{status}");
    inside(live, ["rm", "/data/broken"]).success();
    run(&mut script).success();
    assert_ne!(project.ids()[live], before[live], "the release took over");
    run(&mut script).success();
    assert_eq!((runs(live).as_str(), state().as_str()), ("1 2 2 2 2", "exited 0"));

    // it takes too long
    let before = project.ids();
    project.write("gordon.yaml", &config(name, 3, "release: { command: sleep 1000000, timeout: 1s }"));
    let failed = project.gordon(&["apply", "--yes"]).ended(1);
    assert!(failed.stderr.contains("it did not end within 1.0 s, so it is stopped"), "{}", failed.stderr);
    assert_eq!((state().as_str(), &project.ids()[live]), ("exited 137", &before[live]));

    // gordon is killed while it runs
    inside(live, ["touch", "/data/held"]).success();
    project.write("gordon.yaml", &config(name, 3, RELEASE));
    let mut killed = project
        .command(&["apply", "--yes"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .expect("it starts");
    eventually("its command runs", || runs(live).ends_with('3'));
    run(std::process::Command::new("kill").args(["-KILL", "--", &format!("-{}", killed.id())])).success();
    killed.wait().expect("it ends");
    let id = of("{{.Id}}", ran);
    let plan = project.gordon(&["plan"]).success().stdout;
    assert!(
        !plan.contains("docker create") && plan.contains(&format!("wait until {ran} ends well")),
        "{plan}"
    );
    inside(live, ["rm", "/data/held"]).success();
    project.apply();
    assert_eq!((runs(live).as_str(), of("{{.Id}}", ran)), ("1 2 2 2 2 3", id));
    project.is_settled();

    // it goes with its line in the config, and nothing else does
    let before = project.ids();
    project.write("gordon.yaml", &config(name, 3, ""));
    project.apply();
    let mut after = project.ids();
    assert_eq!(after.len(), 2);
    after.extend(before.get_key_value(ran).map(|(name, id)| (name.clone(), id.clone())));
    assert_eq!(after, before);
}
