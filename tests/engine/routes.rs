//! A proxy of somebody else's: told by `gordon routes`, and on the project's networks, it leads to the apps.

use crate::support::Project;
use crate::support::Theirs;
use crate::support::docker;
use crate::support::eventually;
use crate::support::run;
use std::process::Command;

/// What answers for `host` at a port of this host.
fn get(host: &str) -> String {
    let header = format!("Host: {host}");
    run(Command::new("curl").args(["-s", "-m", "10", "-H", &header, "http://127.0.0.1:18090/"])).stdout
}

#[test]
fn a_caddy_of_ones_own_leads_to_the_apps_also_after_a_rollout() {
    let name = "gtest-routes";
    let config = |body: &str| {
        format!(
            "name: {name}\nproxy: {{ enabled: false, tls: 'off' }}\ndeploy: {{ drain: 2s }}\napps:\n  \
             web: {{ image: 'web:1', environment: {{ BODY: {body} }}, proxy: {{ hosts: [web.test, www.test] }} }}\n  \
             api: {{ image: 'web:1', environment: {{ BODY: api }}, replicas: 2, proxy: {{ hosts: [api.test] }} }}\n"
        )
    };
    let project = Project::new(name, &[("gordon.yaml", &config("first"))]);
    project.apply();
    let caddyfile = project.gordon(&["routes", "--format", "caddy"]).success().stdout;
    project.write("Caddyfile", &caddyfile);

    let proxy = "gtest-routes-caddy";
    let (own, volume) = ("0-gtest-routes", format!("{}:/etc/caddy:ro", project.folder().display()));
    let _network = Theirs::new(&["network", "create", own], &["network", "rm", own]);
    let caddy = ["caddy:2", "caddy", "run", "--config", "/etc/caddy/Caddyfile"];
    let run = ["run", "--detach", "--name", proxy, "--network", own, "--publish", "127.0.0.1:18090:80"];
    let run = [&run[..], &["--volume", &volume], &caddy].concat();
    let _proxy = Theirs::new(&run, &["rm", "--force", "--volumes", proxy]);
    for network in caddyfile.lines().filter_map(|line| line.strip_prefix("# network ")) {
        docker(["network", "connect", network, proxy]).success();
    }

    eventually("web.test leads to the app", || get("web.test").contains("first"));
    assert!(get("www.test").contains("first"));
    assert!(get("api.test").contains("api"));
    project.write("gordon.yaml", &config("second"));
    project.apply();
    eventually("the same proxy leads to the new release", || get("web.test").contains("second"));
    assert!(get("api.test").contains("api"));
}
