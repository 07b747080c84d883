//! Configs as the documentation of Gordon and of Luma shows them: accepted, or refused with what to write.

use super::config;
use super::load_text;
use super::messages;
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

#[test]
fn a_service_that_routes_go_to_is_the_app_of_the_first() {
    let (config, said) = accepts(
        "gordon.toml",
        r#"
[services.shop]
image = "shop:latest"
env = ["REGION=eu"]
enabled = true

[services.shop.ports]
web = "8080/http"

[services.docs]
image = "docs:latest"
ports = { web = { port = 80, protocol = "http" } }

[routes]
"shop.com" = { service = "shop", port = "web" }
"www.shop.com" = { service = "shop", port = "web", https = true }
"docs.shop.com" = { service = "docs", port = "web", https = false }
"api.shop.com" = "api:latest"

[attachments]
"shop.com" = ["postgres:18"]
"#,
    );
    assert_eq!(said, Vec::<String>::new());
    let routes: Vec<_> = config
        .routes
        .iter()
        .map(|route| {
            let domains: Vec<_> = route.domains.iter().map(|domain| domain.get_ref().as_str()).collect();
            let port = route.port.as_ref().map(|port| port.get_ref().get());
            (route.domain.get_ref().as_str(), domains, port, route.site.tls)
        })
        .collect();
    assert_eq!(
        routes,
        [
            ("shop.com", vec!["www.shop.com"], Some(8080), None),
            ("docs.shop.com", vec![], Some(80), Some(Tls::Off)),
            ("api.shop.com", vec![], None, None),
        ]
    );
    assert_eq!(config.routes[0].workload.environment.plain.len(), 1);
    assert!(config.services.is_empty());
}

#[test]
fn a_service_that_no_route_goes_to_is_told_how_it_is_reached() {
    let text = r#"
name = "arena"
[services.game]
image = "arena:latest"
env = ["REGION=eu"]
readiness = { type = "log", path = "/srv/log", contains = "up", timeout = "2m" }
cleanup = { preserve_volumes = true }
[services.game.ports]
game = { port = 28015, protocol = "udp", publish = "127.0.0.1:38015" }
[entrypoints.game]
address = ":28015"
protocol = "udp"
[[traffic.udp.routers]]
name = "game"
"#;
    let (config, said) = accepts("gordon.toml", text);
    assert_eq!(config.services.len(), 1);
    for key in ["ports", "readiness", "cleanup", "entrypoints", "traffic"] {
        assert!(said.contains(&format!("left out: `{key}`")), "{key}: {said:#?}");
    }
    for (keys, write) in [
        ("enabled = false", "remove the service"),
        ("[[services.game.ports]]\nname = \"game\"\ncontainer = 80", "`ports = [\"28015:28015/udp\"]`"),
    ] {
        let hint = refuses("gordon.toml", &format!("name = \"a\"\n[services.game]\nimage = \"a\"\n{keys}\n"));
        assert!(hint.contains(write), "{hint} for {keys}");
    }
}

#[test]
fn a_route_that_no_service_can_be_found_for_is_one_mistake() {
    for (text, write) in [
        ("[routes]\n\"a.com\" = { service = \"app\", port = \"web\" }\n", "an app is where its route is"),
        (
            "name = \"x\"\n[services.app]\nimage = \"a\"\nports = { db = \"5432/tcp\" }\n[routes]\n\"a.com\" = { service = \"app\", port = \"db\" }\n",
            "an app is where its route is",
        ),
        (
            "[services.shop.containers]\nweb = \"shop\"\ndb = \"postgres:18\"\n[services.shop.ports]\nweb = \"web:80/http\"\n[routes]\n\"a.com\" = { service = \"shop\", port = \"web\" }\n",
            "in `[attachments]`",
        ),
        // one with HTTPS, one without
        (
            "[services.app]\nimage = \"a\"\nports = { web = \"80/http\" }\n[routes]\n\"a.com\" = { service = \"app\", port = \"web\" }\n\"b.com\" = { service = \"app\", port = \"web\", https = false }\n",
            "agree in `port` and `https`",
        ),
    ] {
        let problems = load_text("gordon.toml", text).problems;
        let errors: Vec<_> = problems.iter().filter(|problem| problem.severity == Severity::Error).collect();
        let [error] = errors[..] else { panic!("{errors:#?} for {text}") };
        assert!(error.hints[0].contains(write), "{} for {text}", error.hints[0]);
    }
}

#[test]
fn an_app_manifest_is_a_project_of_apps_and_services() {
    let (config, said) = accepts(
        "gordon.app.toml",
        r#"
name = "notes"

[env]
STAGE = "live"

[[service]]
name = "web"
image = "registry.shop.com/notes:2.0"
command = ["bin/serve"]
stop_grace = "20s"

[service.readiness]
type = "http"
path = "/up"
port = 4000

[[service.http]]
host = "notes.shop.com"
port = 4000
tls = "auto"

[[service.http]]
visibility = "internal"
port = 9090

[service.secrets]
DATABASE_URL = "database-url"

[[service.volume]]
name = "files"
path = "/files"
readonly = true

[[service]]
name = "db"
image = "postgres:18"

[[service.volume]]
name = "data"
path = "/var/lib/postgresql"

[[service.database]]
name = "main"
type = "postgres"
schedule = "daily"

[service.backup]
postgres = ["main"]
"#,
    );
    let [web] = &config.apps[..] else { panic!("one app: {:?}", config.apps) };
    let proxy = web.proxy.as_ref().expect("it has hosts");
    assert_eq!(proxy.hosts[0].get_ref().as_str(), "notes.shop.com");
    assert_eq!(web.port.as_ref().map(|port| port.get_ref().get()), Some(4000));
    let environment = &web.workload.environment;
    assert_eq!((environment.plain.len(), environment.secret.len()), (1, 1));
    assert!(web.workload.health.is_some());
    assert_eq!(web.workload.settings.get("stop_timeout").len(), 1);
    assert_eq!(web.workload.mounts[0].get_ref().target, "/files");
    let [db] = &config.services[..] else { panic!("one service: {:?}", config.services) };
    assert_eq!(db.name.get_ref().as_str(), "db");
    assert_eq!(db.workload.environment.plain.len(), 1);
    for key in ["database", "backup"] {
        assert!(said.contains(&format!("left out: `{key}`")), "{key}: {said:#?}");
    }
}

#[test]
fn what_an_app_manifest_cannot_have_is_refused_with_what_to_write() {
    let service = "name = \"a\"\n[[service]]\nname = \"web\"\nimage = \"web\"\n";
    for (keys, write) in [
        (
            "[[service.bind]]\nname = \"logs\"\npath = \"/logs\"",
            "`volumes = [\"/srv/logs:/var/log/app:ro\"]`",
        ),
        ("[[service.tcp]]\nentrypoint = \"db\"\nport = 5432", "`ports = [\"28015:28015/udp\"]`"),
        ("[[service.udp]]\nentrypoint = \"db\"\nport = 5432", "`ports = [\"28015:28015/udp\"]`"),
        ("[[network.shared]]\nnetwork = \"b\"\nservices = [\"web\"]", "into one config"),
        (
            "[[service.http]]\nhost = \"a.com\"\nport = 1\n[[service.http]]\nhost = \"b.com\"\nport = 2",
            "under another name",
        ),
    ] {
        let hint = refuses("gordon.app.toml", &format!("{service}{keys}\n"));
        assert!(hint.contains(write), "{hint} for {keys}");
    }
    let of_v3 = "name = \"a\"\n[services.web]\nimage = \"web\"\nsecrets = [\"KEY\"]\n[entrypoints.web]\nservice = \"web\"\nport = 80\n[routes.web]\nhost = \"a.com\"\nentrypoint = \"web\"\n";
    assert_eq!(messages("gordon.app.toml", of_v3), ["this is an app manifest of Gordon 3"]);
}

#[test]
fn sections_for_a_daemon_are_a_warning() {
    let (_, said) = accepts(
        "gordon.toml",
        "[control]\nendpoint = \"a:1\"\n[edge]\n[auto_route_allowed_domains]\n[routes]\n\"a.com\" = \"web\"\n",
    );
    assert_eq!(said, ["ignored: `control`, `edge`, `auto_route_allowed_domains`"]);
}
