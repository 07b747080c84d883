//! Configs as the documentation of Gordon and of Luma shows them: accepted, or refused with what to write.

use super::config;
use super::load_text;
use crate::config::Config;
use crate::config::Severity;
use crate::spec::Pull;
use crate::spec::Tls;
use std::time::Duration;

/// What is said of a config that is accepted.
#[track_caller]
fn accepts(path: &str, text: &str) -> (Config, Vec<String>) {
    let config = config(path, text);
    let problems = load_text(path, text).problems;
    let said = problems.into_iter().filter(|problem| problem.severity == Severity::Warning);
    (config, said.map(|problem| problem.message).collect())
}

/// The first thing to do about a config that is refused.
#[track_caller]
fn refuses(path: &str, text: &str) -> String {
    let problems = load_text(path, text).problems;
    let first = problems.into_iter().find(|problem| problem.severity == Severity::Error);
    first.unwrap_or_else(|| panic!("it is accepted: {text}")).hints.remove(0)
}

#[test]
fn a_whole_config_of_gordon_s_is_accepted() {
    let (config, said) = accepts(
        "gordon.toml",
        r#"
[server]
port = 8080
registry_port = 5000
gordon_domain = "gordon.shop.com"

[entrypoints.edge]
address = ":443"
protocol = "smart_tcp"

[auth]
enabled = true
[api.rate_limit]
global_rps = 500
[dns]
resolvers = ["1.1.1.1:53"]
[tls.acme]
enabled = false
[telemetry]
enabled = false
[logging.file]
enabled = true
[backups.retention]
daily = 7
[images.prune]
keep_last = 3
[auto_route]
enabled = true
[auto.preview]
ttl = "24h"
[secrets]
backend = "pass"
[registry_auth]
type = "token"

[deploy]
pull_policy = "if-tag-changed"
readiness_mode = "auto"
health_timeout = "90s"
readiness_delay = "5s"
drain_mode = "auto"
drain_timeout = "20s"
drain_delay = "2s"

[env]
dir = "/var/lib/gordon/env"
providers = ["pass", "sops"]

[containers]
security_profile = "compat"
memory_limit = "512m"
cpu_limit = 0.5

[volumes]
auto_create = true
prefix = "gordon"
preserve = true

[network_isolation]
enabled = true
network_prefix = "prod"
dns_suffix = ".internal"
internal = false

[routes]
"app.shop.com" = { image = "app:stable", https = true }
"dev.shop.com" = { image = "app:dev", https = false }
"http://internal.local" = "internal:latest"
"http://table.local" = { image = "internal:latest", port = 80 }
"https://www.shop.com" = "web:latest"

[external_routes]
"docs.shop.com" = "127.0.0.1:9000"

[network_groups]
backend = ["app.shop.com", "dev.shop.com"]

[attachments]
backend = ["redis:7-alpine"]
"http://internal.local" = ["postgres:18"]
"#,
    );
    assert_eq!((config.deploy.pull, config.deploy.drain), (Pull::Always, Duration::from_secs(20)));
    assert_eq!(
        (config.containers.get("memory"), config.containers.get("cpus")),
        (&["512m".to_owned()][..], &["0.5".to_owned()][..])
    );
    let tls: Vec<_> =
        config.routes.iter().map(|route| (route.domain.get_ref().as_str(), route.site.tls)).collect();
    let off = Some(Tls::Off);
    assert_eq!(
        tls,
        [
            ("app.shop.com", None),
            ("dev.shop.com", off),
            ("internal.local", off),
            ("table.local", off),
            ("www.shop.com", None)
        ]
    );
    let left_out = ["external_routes", "entrypoints", "readiness_delay", "drain_delay", "providers"];
    for key in left_out {
        assert!(said.contains(&format!("left out: `{key}`")), "{key}: {said:#?}");
    }
    let others: Vec<_> = said.iter().filter(|said| !said.starts_with("left out")).collect();
    assert!(matches!(others[..], [ignored] if ignored.starts_with("ignored: ")), "{others:#?}");
}

#[test]
fn each_form_of_a_pull_policy_and_of_readiness_has_a_meaning() {
    for (policy, pull) in
        [("always", Pull::Always), ("if-not-present", Pull::Missing), ("if-tag-changed", Pull::Always)]
    {
        let (config, said) = accepts("gordon.toml", &format!("[deploy]\npull_policy = {policy:?}\n"));
        assert_eq!((config.deploy.pull, said.len()), (pull, 0), "{policy}");
    }
    for (mode, warnings) in [("auto", 0), ("docker-health", 1), ("delay", 1)] {
        let (_, said) = accepts("gordon.toml", &format!("[deploy]\nreadiness_mode = {mode:?}\n"));
        assert_eq!(said.len(), warnings, "{mode}");
    }
    assert!(refuses("gordon.toml", "[deploy]\npull_policy = \"sometimes\"\n").contains("`missing`"));
}

#[test]
fn what_gordon_cannot_do_is_refused_with_what_to_write() {
    for (text, write) in [
        ("[volumes]\npreserve = false\n", "`gordon down --volumes`"),
        ("[network_isolation]\ninternal = true\n", "remove it"),
        ("[containers]\nsecurity_profile = \"strict\"\n", "write `cap_drop = [\"ALL\"]`"),
        ("[containers]\npids_limit = 100\n", "`options = [\"--pids-limit=200\"]`"),
        (
            "[routes]\n\"a.com\" = { service = \"app\", port = \"web\" }\n",
            "`\"a.com\" = { image = \"app:latest\", port = 8080 }`",
        ),
        (
            "name = \"a\"\n[apps.web]\nbuild = { context = \".\" }\nproxy = { hosts = [\"a.com\"] }\n",
            "add `image`",
        ),
        ("name = \"a\"\n[apps.web]\nimage = \"a\"\nproxy = { app_port = 3000 }\n", "add `hosts`"),
        (
            "name = \"a\"\n[apps.web]\nimage = \"a\"\nproxy = { hosts = [\"a.com\"], ssl_redirect = false }\n",
            "remove it",
        ),
        ("[deploy]\npull = \"always\"\npull_policy = \"always\"\n", "write `pull`"),
        // a domain of two routes is one
        ("[routes]\n\"a.com\" = \"web\"\n\"http://a.com\" = \"web\"\n", "a host belongs to one app"),
    ] {
        let hint = refuses("gordon.toml", text);
        assert!(hint.contains(write), "{hint} for {text}");
    }
}

#[test]
fn a_project_of_luma_s_is_accepted_with_its_apps_and_services() {
    let (config, said) = accepts(
        "luma.yml",
        r#"
name: my-project
ssh: { username: deploy, port: 22 }
docker: { registry: ghcr.io, username: me }
apps:
  web:
    image: my-app/web
    servers: [server1.com]
    build: { context: ., dockerfile: Dockerfile, platform: linux/amd64 }
    registry: { registry: ghcr.io, username: other }
    proxy:
      hosts: [shop.com, www.shop.com]
      app_port: 3000
      ssl: true
      ssl_redirect: true
      forward_headers: true
      response_timeout: 30s
    environment:
      plain: [NODE_ENV=production, PORT=3000]
      secret: [DATABASE_URL, API_KEY]
    healthcheck: { path: /health, interval: 10s, timeout: 5s, retries: 3 }
  plain:
    image: my-app/plain
    proxy: { hosts: [plain.shop.com], ssl: false }
services:
  database:
    image: postgres:15
    server: server1.com
    environment: { secret: [POSTGRES_PASSWORD] }
    ports: ["5432:5432"]
    volumes: ["postgres_data:/var/lib/postgresql/data"]
"#,
    );
    let names: Vec<_> = config.apps.iter().map(|app| app.name.get_ref().as_str()).collect();
    assert_eq!((names, config.services.len()), (vec!["web", "plain"], 1));
    assert!(config.apps[0].workload.health.is_some());
    let tls: Vec<_> =
        config.apps.iter().filter_map(|app| app.proxy.as_ref()).map(|proxy| proxy.site.tls).collect();
    assert_eq!(tls, [None, Some(Tls::Off)]);
    for key in ["build", "registry", "response_timeout"] {
        assert!(said.contains(&format!("left out: `{key}`")), "{key}: {said:#?}");
    }
}

#[test]
fn services_that_are_routed_or_several_are_apps_and_what_is_plain_and_secret_is_secret() {
    let map = r#"
name: plausible
ssh: { username: iop }
services:
  plausible:
    image: plausible:v3
    server: one.example.com
    command: sh -c "/entrypoint.sh db migrate && /entrypoint.sh run"
    environment:
      plain: [TZ=UTC, "DATABASE_URL=postgres://postgres@db:5432/plausible"]
      secret: [SECRET_KEY_BASE, DATABASE_URL]
    proxy: { hosts: [analytics.example.com], app_port: 3000 }
    healthcheck: { path: /api/health, interval: 30s, timeout: 10s, retries: 5, start_period: 60s }
  worker:
    image: plausible:v3
    replicas: 2
  db:
    image: postgres:16-alpine
    server: one.example.com
    volumes: ["db-data:/var/lib/postgresql/data"]
"#;
    let (config, said) = accepts("iop.yml", map);
    let names: Vec<_> = config.apps.iter().map(|app| app.name.get_ref().as_str()).collect();
    assert_eq!(names, ["plausible", "worker"]);
    assert_eq!(config.services[0].name.get_ref().as_str(), "db");
    let environment = &config.apps[0].workload.environment;
    assert_eq!((environment.plain.len(), environment.secret.len()), (1, 2));
    assert!(
        said.contains(&"`DATABASE_URL` is plain and secret: it is taken as a secret".to_owned()),
        "{said:#?}"
    );
    // as a list, and beside apps
    let list = "name: a\nservices:\n  - { name: web, image: web, proxy: { hosts: [a.com] } }\n  - { name: db, image: postgres }\n";
    let (config, _) = accepts("luma.yml", list);
    assert_eq!((config.apps.len(), config.services.len()), (1, 1));
    let beside = "name: a\napps: { api: web }\nservices:\n  web: { image: web, proxy: { hosts: [a.com] } }\n  db: postgres\n";
    let (config, _) = accepts("luma.yml", beside);
    assert_eq!((config.apps.len(), config.services.len()), (2, 1));
    let mixed =
        "name: a\napps: [{ image: web }]\nservices:\n  api: { image: web, proxy: { hosts: [a.com] } }\n";
    assert!(refuses("luma.yml", mixed).contains("known here"), "{}", refuses("luma.yml", mixed));
}
