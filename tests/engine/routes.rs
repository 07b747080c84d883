//! A foreign proxy, with the output of `gordon routes` and on the project's networks, routes to the apps.

use std::process::Command;
use support::Project;
use support::Run;
use support::Theirs;
use support::docker;
use support::eventually;
use support::free_port;
use support::own;
use support::run;

/// What the proxy at a port of this host answers for `host`, with its status behind it.
fn ask(port: u16, host: &str, path: &str, words: &[&str]) -> Run {
    let header = format!("Host: {host}");
    let url = format!("http://127.0.0.1:{port}{path}");
    let flags = ["-s", "-m", "10", "-w", "\n%{http_code}", "-H", &header, &url];
    run(Command::new("curl").args(flags).args(words))
}

fn get(port: u16, host: &str) -> String {
    ask(port, host, "/", &[]).stdout
}

/// A name longer than nginx takes without more ado.
const LONG: &str = "a-name-that-is-longer-than-the-table-of-nginx-takes.test";

fn config(name: &str, body: &str) -> String {
    format!(
        "name: {name}\nproxy: {{ enabled: false, tls: 'off' }}\ndeploy: {{ drain: 2s }}\napps:\n  \
         web: {{ image: 'web:1', environment: {{ BODY: {body} }}, proxy: {{ hosts: [web.test, {LONG}], redirect_from: [www.test] }} }}\n  \
         api: {{ image: 'web:1', environment: {{ BODY: api }}, replicas: 2, proxy: {{ hosts: [api.test] }} }}\n"
    )
}

/// A proxy of this image, told by `gordon routes --format`, routes as ours does, also after a rollout. It has the routes as
/// `file` in its folder `at`, and is started with `words`.
fn leads_to_the_apps(format: &str, image: &str, file: &str, at: &str, words: &[&str]) {
    let (name, port) = (own(&format!("routes-{format}")), free_port());
    let project = Project::new(name, &[("gordon.yaml", &config(name, "first"))]);
    project.apply();
    let routes = project.gordon(&["routes", "--format", format]).success().stdout;
    project.write(&format!("proxy/{file}"), &routes);

    let proxy = &format!("{name}-proxy");
    let (own, volume) = (&format!("0-{name}"), format!("{}/proxy:{at}:ro", project.folder().display()));
    let _network = Theirs::new(&["network", "create", own], &["network", "rm", own]);
    let publish = format!("127.0.0.1:{port}:80");
    let run = ["run", "--detach", "--name", proxy, "--network", own, "--publish", &publish];
    let run = [&run[..], &["--volume", &volume, image], words].concat();
    let _proxy = Theirs::new(&run, &["rm", "--force", "--volumes", proxy]);
    for network in routes.lines().filter_map(|line| line.strip_prefix("# network ")) {
        docker(["network", "connect", network, proxy]).success();
    }

    eventually("web.test reaches the app", || get(port, "web.test").contains("first"));
    assert!(get(port, LONG).contains("first"));
    assert!(get(port, "api.test").contains("api"));
    assert!(!get(port, "none.test").contains("first") && !get(port, "none.test").contains("api"));
    let sent = ask(port, "www.test", "/x?y=z", &["-w", " %{http_code} %{redirect_url}"]).stdout;
    assert!(sent.ends_with("http://web.test/x?y=z") && sent.contains(" 30"), "{sent}");
    sends_on_what_comes(port);
    project.write("gordon.yaml", &config(name, "second"));
    project.apply();
    eventually("the same proxy routes to the new release", || get(port, "web.test").contains("second"));
    assert!(get(port, "api.test").contains("api"));
}

/// Requests and answers pass as they come, and nothing that a client says of itself but its port.
fn sends_on_what_comes(port: u16) {
    let forged = ["X-Real-IP: 203.0.113.9", "X-Forwarded-For: 203.0.113.9", "Forwarded: for=203.0.113.9"];
    let forged = forged.iter().flat_map(|header| ["-H", header]).collect::<Vec<_>>();
    let host = format!("web.test:{port}");
    let headers = ask(port, &host, "/headers", &forged).stdout;
    assert!(headers.contains(&format!("Host: {host}\n")), "{headers}");
    assert!(headers.to_lowercase().contains("x-real-ip: ") && !headers.contains("203.0.113.9"), "{headers}");
    let large = "x".repeat(2 << 20);
    let upload = Project::new(own("routes-upload"), &[("upload", &large)]);
    let data = format!("@{}", upload.folder().join("upload").display());
    assert!(ask(port, "web.test", "/", &["--data-binary", &data]).stdout.ends_with("\n200"));
    let begun = ask(port, "web.test", "/events?seconds=5", &["-m", "2", "-N"]);
    assert!(begun.stdout.starts_with("data: first\n"), "an event comes before the end: {begun:?}");
}

#[test]
fn a_caddy_of_ones_own_leads_to_the_apps() {
    let words = ["caddy", "run", "--config", "/etc/caddy/Caddyfile"];
    leads_to_the_apps("caddy", "caddy:2", "Caddyfile", "/etc/caddy", &words);
}

#[test]
fn an_nginx_of_ones_own_leads_to_the_apps() {
    leads_to_the_apps("nginx", "nginx:1", "routes.conf", "/etc/nginx/conf.d", &[]);
}

#[test]
fn a_traefik_of_ones_own_leads_to_the_apps() {
    let words = ["--entrypoints.web.address=:80", "--providers.file.filename=/etc/traefik/routes.yaml"];
    leads_to_the_apps("traefik", "traefik:3", "routes.yaml", "/etc/traefik", &words);
}
