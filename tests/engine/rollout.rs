//! A new release takes over without anybody noticing.

use std::time::Duration;
use support::Project;
use support::docker;
use support::eventually;
use support::free_port;
use support::inside;
use support::neighbour::Neighbour;
use support::own;

fn config(name: &str, version: u8, replicas: u8) -> String {
    format!(
        "name: {name}\n\
         proxy: {{ enabled: false }}\n\
         deploy: {{ drain: 3s }}\n\
         apps:\n  web: {{ image: 'web:{version}', replicas: {replicas}, environment: {{ START_DELAY: '2' }},\n    \
         health: {{ cmd: 'curl -fs http://127.0.0.1:3000/up', interval: 1s }} }}\n  neighbour: {{ image: 'gmail-web:latest' }}\n"
    )
}

#[test]
fn neighbours_that_ask_by_alias_hardly_notice_a_rollout() {
    let name = own("rollout");
    let project = Project::new(name, &[("gordon.yaml", &config(name, 1, 3))]);
    project.apply();
    let before = project.ids();
    let load = Neighbour::start(own("rollout-neighbour-green"), 1, Duration::ZERO, "http://web:3000/");
    for version in [2, 1, 2] {
        project.write("gordon.yaml", &config(name, version, 3));
        project.apply();
        project.is_settled();
    }
    let tally = load.stop();
    println!("by alias: {tally}");
    assert!(tally.asked > 1000 && tally.lost() * 1000 < tally.asked, "{tally}");
    assert_eq!(tally.said("version: "), ["1", "2"], "both releases answered");
    let after = project.ids();
    assert_eq!(before[own("rollout-neighbour-green")], after[own("rollout-neighbour-green")]);
    let names: Vec<&str> = after.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            own("rollout-neighbour-green"),
            own("rollout-web-green"),
            own("rollout-web-green-2"),
            own("rollout-web-green-3"),
            own("rollout-web-previous"),
            own("rollout-web-previous-2"),
            own("rollout-web-previous-3"),
        ]
    );
}

#[test]
fn more_replicas_come_and_go_without_touching_the_others() {
    let name = own("scale");
    let project = Project::new(name, &[("gordon.yaml", &config(name, 1, 1))]);
    project.apply();
    let before = project.ids();
    project.write("gordon.yaml", &config(name, 1, 3));
    project.apply();
    project.is_settled();
    let more = project.ids();
    assert_eq!(more.len(), 4);
    assert!(before.iter().all(|(name, id)| more.get(name) == Some(id)));
    project.write("gordon.yaml", &config(name, 1, 1));
    project.apply();
    assert_eq!(project.ids(), before);
    project.is_settled();
}

#[test]
fn a_release_that_does_not_become_ready_never_takes_over() {
    let name = own("sick");
    let project = Project::new(name, &[("gordon.yaml", &config(name, 1, 2))]);
    project.apply();
    let before = project.ids();
    let sick = config(name, 2, 2).replace("START_DELAY: '2'", "EXIT_CODE: '3'");
    project.write("gordon.yaml", &sick);
    let run = project.gordon(&["apply", "--yes"]).ended(1);
    assert!(run.stderr.contains("EXIT_CODE"), "the end of its log is shown: {}", run.stderr);
    assert_eq!(project.ids(), before, "what served was not touched, and what came in is gone");
    let running = docker(["ps", "--quiet", "--filter", &format!("label=gordon.project={name}")]).success();
    assert_eq!(running.stdout.lines().count(), before.len());
    project.write("gordon.yaml", &config(name, 1, 2));
    project.is_settled();
}

#[test]
fn a_release_takes_over_when_it_answers_its_path_below_400() {
    let name = own("path");
    let config = |version: u8, port: u16, status: &str| {
        format!(
            "name: {name}\nproxy: {{ enabled: false }}\ndeploy: {{ drain: 1s, health_timeout: 6s }}\napps:\n  \
             web: {{ image: 'web:{version}', port: {port}, health: {{ path: /up }}, environment: {{ START_DELAY: '2', HEALTH_STATUS: '{status}' }} }}\n"
        )
    };
    let project = Project::new(name, &[("gordon.yaml", &config(1, 3000, "200"))]);
    project.apply();
    let before = project.ids();
    for (sick, said) in [(config(2, 3000, "500"), "HTTP/1.1 500"), (config(2, 3999, "200"), "refused")] {
        project.write("gordon.yaml", &sick);
        let run = project.gordon(&["apply", "--yes"]).ended(1);
        assert!(run.stderr.contains(said), "{}", run.stderr);
        assert_eq!(project.ids(), before, "what served was not touched, and what came in is gone");
    }
    project.write("gordon.yaml", &config(2, 3000, "302"));
    project.apply();
    assert_ne!(project.ids()[own("path-web-green")], before[own("path-web-green")]);
    project.is_settled();
}

#[test]
fn whatever_shows_that_an_app_is_ready_rolls_it_out() {
    let name = own("ready");
    let config = |body: &str| {
        let app = |app: &str, image: &str, health: &str| {
            format!("  {app}: {{ image: '{image}', port: 3000, environment: {{ BODY: {body} }}{health} }}\n")
        };
        format!(
            "name: {name}\nproxy: {{ enabled: false }}\ndeploy: {{ drain: 1s }}\napps:\n{}{}{}{}",
            app("path", "web:1", ", health: { path: /up }"),
            app("command", "web:1", ", health: { cmd: 'curl -fs http://127.0.0.1:3000/up', interval: 1s }"),
            app("image", "web:checked", ""),
            app("none", "web:1", ""),
        )
    };
    let project = Project::new(name, &[("gordon.yaml", &config("first"))]);
    project.apply();
    let before = project.ids();
    project.write("gordon.yaml", &config("second"));
    let plan = project.gordon(&["plan"]).success().stdout;
    for wait in
        ["answers /up", "command-blue is healthy", "image-blue is healthy", "none-blue stays up for 5s"]
    {
        assert!(plan.contains(wait), "{wait}: {plan}");
    }
    project.apply();
    let after = project.ids();
    for app in ["path", "command", "image", "none"] {
        let container = format!("{name}-{app}-green");
        assert_ne!(before[&container], after[&container], "{app}");
        let asked =
            inside(own("ready-none-green"), ["curl", "-fs", &format!("http://{app}:3000/")]).success();
        assert!(asked.stdout.contains("second"), "{app}: {}", asked.stdout);
    }
    project.is_settled();
}

#[test]
fn an_app_that_joins_a_group_is_on_its_network_before_it_leaves_its_own() {
    let name = own("moves");
    let config = |group: &str| {
        format!(
            "name = \"{name}\"\n[proxy]\nenabled = false\n[network_isolation]\nscope = \"all\"\n\
             [routes]\n\"a.example.com\" = \"web:1\"\n\"b.example.com\" = \"web:1\"\n{group}"
        )
    };
    let project = Project::new(name, &[("gordon.toml", &config(""))]);
    project.apply();
    let before = project.ids();
    project
        .write("gordon.toml", &config("[network_groups]\nboth = [\"a.example.com\", \"b.example.com\"]\n"));
    project.apply();
    assert_eq!(project.ids(), before, "no container is another one");
    assert_eq!(project.list("network"), [own("moves-both")]);
    inside(own("moves-a.example.com"), ["curl", "-fs", "http://b:3000/up"]).success();
    project.is_settled();
}

#[test]
fn a_rollback_goes_one_release_back_and_says_when_there_is_none() {
    let name = own("back");
    let project = Project::new(name, &[("gordon.yaml", &config(name, 1, 2))]);
    project.apply();
    let none = project.gordon(&["rollback", "--yes", "web"]).ended(1);
    assert!(none.stderr.contains("no release before"), "{}", none.stderr);
    let first = project.ids();
    project.write("gordon.yaml", &config(name, 2, 2));
    project.apply();
    let second = project.ids();

    let load = Neighbour::start(own("back-neighbour-green"), 1, Duration::ZERO, "http://web:3000/");
    project.gordon(&["rollback", "--yes", "web"]).success();
    let tally = load.stop();
    println!("by alias, while going back: {tally}");
    assert!(tally.asked > 300 && tally.lost() * 1000 < tally.asked.max(1000), "{tally}");
    assert_eq!(tally.said("version: "), ["1", "2"]);
    let back = project.ids();
    for number in ["", "-2"] {
        let (green, previous) = (format!("{name}-web-green{number}"), format!("{name}-web-previous{number}"));
        assert_eq!(
            (&back[&green], &back[&previous]),
            (&first[&green], &second[&green]),
            "they have changed places"
        );
    }

    let again = project.gordon(&["rollback", "--yes", "web"]).ended(1);
    assert!(again.stderr.contains("no release before"), "{}", again.stderr);
    project.apply();
    project.is_settled();
    let answer = inside(own("back-neighbour-green"), ["curl", "-fs", "http://web:3000/"]).success();
    assert!(answer.stdout.contains("version: 2"), "apply brings the config's release: {}", answer.stdout);
}

#[test]
fn an_app_that_publishes_a_port_goes_back_with_an_interruption_and_stays_when_it_cannot() {
    let (name, port) = (own("backport"), free_port());
    let config = |version: u8| {
        format!(
            "name: {name}\napps:\n  web: {{ image: 'web:{version}', ports: ['127.0.0.1:{port}:3000'], \
             health: {{ cmd: 'curl -fs http://127.0.0.1:3000/up', interval: 1s }} }}\n"
        )
    };
    let version =
        || docker(["exec", own("backport-web-green"), "curl", "-fs", "http://127.0.0.1:3000/"]).stdout;
    let project = Project::new(name, &[("gordon.yaml", &config(1))]);
    project.apply();
    project.write("gordon.yaml", &config(2));
    project.apply();
    let second = project.ids();
    let (green, previous) = (own("backport-web-green"), own("backport-web-previous"));

    let back = project.gordon(&["rollback", "--yes"]).success();
    assert!(back.stderr.contains("it publishes ports"), "{}", back.stderr);
    let first = project.ids();
    assert_eq!((&first[green], &first[previous]), (&second[previous], &second[green]));
    assert!(version().contains("version: 1"), "{}", version());
    let published = docker(["port", green, "3000"]).success();
    assert!(published.stdout.contains(&format!("127.0.0.1:{port}")), "{}", published.stdout);

    // the one to go back to cannot start any more: the one that serves goes on
    project.apply();
    docker(["cp", "/dev/null", &format!("{previous}:/app.py")]).success();
    let before = project.ids();
    let failed = project.gordon(&["rollback", "--yes"]).ended(1);
    assert_eq!(project.ids(), before, "{}", failed.stderr);
    eventually("the one that served answers again", || version().contains("version: 2"));
    project.apply();
    project.is_settled();
}
