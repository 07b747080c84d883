//! One config written in two ways is one config.

use super::*;
use crate::config::tree::Entry;
use crate::config::tree::Kind;
use crate::config::tree::Node;
use crate::config::tree::parse;
use crate::name::Label;
use crate::name::ShortName;
use crate::spec::SETTINGS;
use crate::spec::Setting;
use std::num::NonZeroU8;
use std::num::NonZeroU16;
use std::time::Duration;

/// A TOML text as YAML, in a style that people write.
pub(super) fn to_yaml(toml: &str) -> String {
    let root = parse(Syntax::Toml, toml, &mut Vec::new()).expect("a tree");
    let mut yaml = String::new();
    let Kind::Map(entries) = root.kind else { panic!("TOML is a table") };
    for Entry { key, value } in entries {
        yaml += &format!("{}:{}\n", key.get_ref(), node_to_yaml(toml, &value, 1));
    }
    yaml
}

fn node_to_yaml(toml: &str, node: &Node<'_>, depth: usize) -> String {
    let indent = format!("\n{}", "  ".repeat(depth));
    match &node.kind {
        Kind::String(text) => format!(" {}", serde_json::to_string(text).expect("JSON")),
        Kind::Filled(_) => unreachable!("no value was put into the tree"),
        Kind::Bool(..) | Kind::Int(..) | Kind::Float(..) => format!(" {}", &toml[node.span.clone()]),
        Kind::List(list) => list
            .iter()
            .map(|item| format!("{indent}- {}", node_to_yaml(toml, item, depth + 1).trim_start()))
            .collect::<String>(),
        Kind::Map(entries) => entries
            .iter()
            .map(|Entry { key, value }| {
                format!("{indent}{}:{}", key.get_ref(), node_to_yaml(toml, value, depth + 1))
            })
            .collect::<String>(),
        Kind::Null | Kind::Cut => unreachable!("TOML has no null"),
    }
}

const ISOLATED: &str = r#"
[routes]
"myapp.example.com" = "myapp:latest"
"api.example.com" = "api:latest"

[attachments]
"myapp.example.com" = ["postgres:15", "redis:7-alpine"]
"api.example.com" = ["mongodb:6", "redis:7-alpine"]  # Each gets own Redis instance
"#;

const GROUPED: &str = r#"
[routes]
"app1.example.com" = "app1:latest"
"app2.example.com" = "app2:latest"
"app3.example.com" = "app3:latest"

[network_groups]  # Optional section
"backend" = ["app1.example.com", "app2.example.com"]
"frontend" = ["app3.example.com"]

[attachments]
"backend" = ["redis:7-alpine", "rabbitmq:3"]     # Shared by app1 & app2
"frontend" = ["redis:7-alpine"]                   # Separate Redis for app3
"app1.example.com" = ["postgres:15"]              # app1-specific database
"#;

const MICROSERVICES: &str = r#"
[routes]
"api.company.com" = "api:latest"
"worker.company.com" = "worker:latest"
"admin.company.com" = "admin:latest"

[network_groups]
"backend" = ["api.company.com", "worker.company.com"]

[attachments]
"backend" = ["redis:7-alpine", "rabbitmq:3"]
"api.company.com" = ["postgres:15"]
"admin.company.com" = ["postgres:15"]
"#;

const TENANTS: &str = r#"
[routes]
"tenant1.app.com" = "app:v2.0"
"tenant2.app.com" = "app:v2.0"

[attachments]
"tenant1.app.com" = ["postgres:15", "redis:7"]
"tenant2.app.com" = ["postgres:15", "redis:7"]

[network_isolation]
enabled = false
"#;

/// Each key that there is, and each default as it is.
pub(super) const WHOLE: &str = r#"
name = "shop"

[routes]
"blog.company.com" = "wordpress:latest"
"api.company.com" = { image = "api:latest", port = 8080, replicas = 2, health = { path = "/up" } }
"worker.company.com" = "worker:latest"

[attachments]
"blog.company.com" = ["my-mysql:latest", "redis:7-alpine"]
"backend" = [{ image = "redis:7-alpine", name = "cache", volumes = ["data:/data"], command = ["redis-server", "--appendonly", "yes"] }]

[network_groups]
"backend" = ["api.company.com", "worker.company.com"]

[network_isolation]
enabled = true
network_prefix = "shop"
dns_suffix = ".internal"
scope = "attached"
member_attachments = "group"
address_pool = "10.208.0.0/12"

[env]
dir = "env"

[volumes]
auto_create = true
prefix = "shop"

[deploy]
pull = "missing"
health_timeout = "60s"
drain = "5s"
stop_timeout = "30s"
keep_previous = true

[proxy]
enabled = true
image = "caddy:2"
http_port = 80
https_port = 443
tls = "auto"
"#;

pub(super) const LONG: &str = r#"
name = "shop"

[routes."a.com"]
image = "registry.x.com:5000/team/web@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
id = "a"
domains = ["c.com", "d.com"]
redirect_from = "www.a.com"
tls = false
compress = false
snippet = """
header X "a b"
handle /own {
	respond own
}
"""
strategy = "recreate"
entrypoint = ""
command = ["serve"]
env_file = ["one.env", "two.env"]
health = { path = "/up", interval = "500ms", timeout = "1m30s", start_period = "20s", retries = 5, status = [200, "400-401"], port = 9000 }
restart = "on-failure:3"
user = 1000
memory = "512m"
cpus = 1.5

[routes."a.com".environment]
VERSION = 1.10
DEBUG = true
NUMBER = 0x10
TEXT = "a=b c"

[routes.localhost.environment]
A = "1"

[routes.localhost]
image = "web"
health.cmd = "true"

[[services]]
image = "postgres:15"
ports = ["127.0.0.1:5432:5432", 9000]
environment = ["A=1", "B=x=y"]

[[services]]
image = "redis"
name = "my_cache"
command = "redis-server --appendonly 'yes please'"
environment = { plain = { A = "1" }, secret = ["TOKEN"] }

[proxy]
http3 = false
trusted_proxies = ["private_ranges", "192.0.2.0/24"]
snippet = "email a@b.com"

[apps.web]
image = "web"
proxy = { hosts = ["b.com"], redirect_from = ["www.b.com"], tls = "internal", access_log = true, snippet = "header Y" }
server = "one"

[apps.worker]
image = "web"
port = 9090
ports = ["8080:80/udp"]
"#;

#[test]
fn a_config_is_the_same_in_both_syntaxes() {
    for toml in [ISOLATED, GROUPED, MICROSERVICES, TENANTS, WHOLE, LONG, ""] {
        let yaml = to_yaml(toml);
        assert_eq!(config("gordon.toml", toml), config("gordon.yaml", &yaml), "{toml}\n{yaml}");
        let windows = toml.replace('\n', "\r\n");
        assert_eq!(config("gordon.toml", toml), config("gordon.toml", &windows), "{toml}");
        let windows = yaml.replace('\n', "\r\n");
        assert_eq!(config("gordon.toml", toml), config("gordon.YML", &windows), "{yaml}");
    }
}

#[test]
fn the_sample_shows_the_defaults() {
    let whole = config("gordon.toml", WHOLE);
    let (prefix, volumes) = (whole.network_prefix(), whole.volume_prefix());
    assert_eq!((prefix.as_str(), volumes.as_str()), ("shop", "shop"));
    let defaults = Config::default();
    assert_eq!(Isolation { network_prefix: None, ..whole.isolation }, defaults.isolation);
    assert_eq!(Volumes { prefix: None, ..whole.volumes }, defaults.volumes);
    assert_eq!((whole.env, whole.deploy, whole.proxy), (defaults.env, defaults.deploy, defaults.proxy));
    assert_eq!(Config::default().project().as_str(), "gordon");
}

#[test]
fn a_luma_project_is_read_as_its_own_examples_write_it() {
    let map = r#"
name: gmail                         # Luma
apps:
  web:
    image: gmail-web:latest
    replicas: 3
    command: ["serve"]
    environment:
      plain: ["LOG=info"]
      secret: [DATABASE_URL]        # from .gordon/secrets or the caller's environment, never on an argv
    volumes: ["uploads:/data"]
    health_check: { path: /up }
    proxy: { hosts: [test.eliasson.me], app_port: 3000 }
services:
  db:
    image: postgres:15
    volumes: ["pgdata:/var/lib/postgresql/data"]
    environment: { secret: [POSTGRES_PASSWORD] }
"#;
    let list = r#"
name: gmail
apps:
  - name: web
    image: gmail-web:latest
    replicas: 3
    command: serve
    environment: { plain: { LOG: info }, secret: [DATABASE_URL] }
    volumes: ["uploads:/data"]
    health: { path: /up }
    proxy: { hosts: [test.eliasson.me] }
services:
  - name: db
    image: postgres:15
    volumes: ["pgdata:/var/lib/postgresql/data:rw"]
    environment: { secret: [POSTGRES_PASSWORD] }
"#;
    let gmail = config("luma.yml", map);
    assert_eq!(gmail, config("luma.yaml", list));
    let app = &gmail.apps[0];
    assert_eq!(app.name.get_ref().as_str(), "web");
    assert_eq!(app.replicas.get_ref(), &NonZeroU8::new(3).expect("not 0"));
    assert_eq!(app.port.as_ref().map(|port| port.get_ref().get()), Some(3000));
    assert_eq!(app.workload.environment.plain[0].1, "info");
    assert_eq!(app.workload.environment.secret[0].key.get_ref().as_str(), "DATABASE_URL");
    assert_eq!(gmail.services[0].workload.image.get_ref().as_str(), "postgres:15");
}

#[test]
fn yaml_may_name_what_it_says_again() {
    let yaml = r#"
name: shop
apps:
  web: &web
    image: web
    environment: { VERSION: &version 1.10 }
  worker:
    <<: *web
    command: [work, *version]
"#;
    let config = config("gordon.yaml", yaml);
    let worker = &config.apps[1].workload;
    assert_eq!(worker.image.get_ref().as_str(), "web");
    assert_eq!(worker.command, ["work", "1.10"]);
    assert_eq!(worker.environment.plain[0].1, "1.10");
}

#[test]
fn values_are_kept_as_they_were_written() {
    let config = config("gordon.toml", LONG);
    let route = &config.routes[0];
    let plain: Vec<_> =
        route.workload.environment.plain.iter().map(|(key, value)| format!("{key}={value}")).collect();
    assert_eq!(plain, ["VERSION=1.10", "DEBUG=true", "NUMBER=0x10", "TEXT=a=b c"]);
    assert_eq!(route.id.as_ref().map(|id| id.get_ref()), Some(&Label::parse("a").expect("a name")));
    assert_eq!(route.strategy, Strategy::Recreate);
    assert_eq!(
        (&route.workload.entrypoint[..], &route.workload.command[..]),
        (&[String::new()][..], &["serve".to_owned()][..])
    );
    assert_eq!(route.workload.settings.get("user"), ["1000"]);
    assert_eq!(route.workload.settings.get("cpus"), ["1.5"]);
    let health = route.workload.health.as_ref().expect("a health check").get_ref();
    assert_eq!(health.timeout, Some(Duration::from_secs(90)));
    assert_eq!((health.start_period, health.retries), (Some(Duration::from_secs(20)), Some(5)));
    let HealthTest::Path { port, status, .. } = &health.test else { panic!("{health:?}") };
    assert_eq!((port.map(NonZeroU16::get), status.to_string().as_str()), (Some(9000), "200, 400-401"));
    let [postgres, cache] = config.services.as_slice() else { panic!("two services") };
    assert_eq!(postgres.name.get_ref(), &ShortName::parse("postgres").expect("a name"));
    let ports: Vec<_> = postgres.workload.ports.iter().map(|port| port.get_ref().to_string()).collect();
    assert_eq!(ports, ["127.0.0.1:5432:5432", "9000"]);
    assert_eq!(cache.name.get_ref().as_str(), "my_cache");
    assert_eq!(cache.workload.command, ["redis-server", "--appendonly", "yes please"]);
    let [web, worker] = config.apps.as_slice() else { panic!("two apps") };
    assert_eq!((web.strategy, worker.strategy), (Strategy::Rolling, Strategy::Recreate));
    assert_eq!(worker.port.as_ref().map(|port| port.get_ref().get()), Some(9090));
    assert_eq!(config.servers[0].get_ref(), "one");
}

#[test]
fn the_command_of_a_release_is_words_or_a_table() {
    let release = |value: &str| {
        let text = format!("[routes]\n\"a.com\" = {{ image = \"web\"{value} }}\n");
        let toml = config("gordon.toml", &text);
        assert_eq!(toml, config("gordon.yaml", &to_yaml(&text)));
        let release = toml.routes[0].release.clone()?;
        Some((release.command.join("|"), release.entrypoint, release.timeout.as_secs()))
    };
    assert_eq!(release(""), None);
    let none = || Some(vec![String::new()]);
    for (value, entrypoint, seconds) in [
        ("[\"bin/migrate\", \"all of it\"]", None, 300),
        ("\"bin/migrate 'all of it'\"", None, 300),
        ("{ command = [\"bin/migrate\", \"all of it\"] }", None, 300),
        ("{ command = \"bin/migrate 'all of it'\", entrypoint = \"\", timeout = \"20m\" }", none(), 1200),
    ] {
        let found = release(&format!(", release = {value}"));
        assert_eq!(found, Some(("bin/migrate|all of it".to_owned(), entrypoint, seconds)), "{value}");
    }
}

#[test]
fn an_empty_entrypoint_takes_away_that_of_the_image() {
    let entrypoint = |value: &str| {
        let text = format!("[routes]\n\"a.com\" = {{ image = \"web\", command = \"serve\"{value} }}\n");
        config("gordon.toml", &text).routes[0].workload.entrypoint.clone()
    };
    assert_eq!(entrypoint(""), [""; 0]);
    for empty in ["\"\"", "[]", "[\"\"]"] {
        assert_eq!(entrypoint(&format!(", entrypoint = {empty}")), [""], "{empty}");
    }
}

#[test]
fn a_dns_suffix_may_be_written_without_its_dot_or_left_out() {
    let suffix = |text: &str| {
        let text = format!("[network_isolation]\ndns_suffix = \"{text}\"\n");
        config("gordon.toml", &text).isolation.dns_suffix.map(|suffix| suffix.to_string())
    };
    assert_eq!(suffix(".internal"), suffix("internal"));
    assert_eq!(suffix("svc.cluster"), Some("svc.cluster".to_owned()));
    assert_eq!(suffix(""), None);
}

#[test]
fn attachments_know_what_they_are_attached_to() {
    let config = config("gordon.toml", MICROSERVICES);
    let to: Vec<_> = config.attachments.iter().map(|attachments| attachments.to.get_ref().clone()).collect();
    assert!(matches!(to.as_slice(), [AttachedTo::Group(_), AttachedTo::Domain(_), AttachedTo::Domain(_)]));
}

#[test]
fn each_setting_is_written_as_its_example_in_both_syntaxes() {
    for setting in &SETTINGS {
        let Setting { key, example, .. } = setting;
        // a value of TOML without tables is one of YAML too
        let yaml = example.replace(" = ", ": ");
        let toml = config("gordon.toml", &format!("containers = {{ {key} = {example} }}\n"));
        let yaml = config("gordon.yaml", &format!("containers:\n  {key}: {yaml}\n"));
        assert!(!toml.containers.get(key).is_empty(), "{key}");
        assert_eq!(toml.containers, yaml.containers, "{key}");
    }
}

#[test]
fn a_setting_may_be_written_as_compose_has_it() {
    let get = |key: &str, value: &str| {
        let text = format!("containers:\n  {key}: {value}\n");
        config("gordon.yaml", &text).containers.get(key).join(" ")
    };
    for (key, value, is) in [
        ("cap_drop", "ALL", "ALL"),
        ("extra_hosts", "[\"a.lan:10.0.0.1\"]", "a.lan:10.0.0.1"),
        ("extra_hosts", "{ a.lan: fd00::1 }", "a.lan:fd00::1"),
        ("labels", "[\"b=2\", a]", "a= b=2"),
        ("labels", "{ b: 2, a: true }", "a=true b=2"),
        ("log", "{ driver: local, options: { max-size: 1m, max-file: 2 } }", "local max-file=2 max-size=1m"),
        ("log", "none", "none"),
        ("sysctls", "[net.core.somaxconn=1]", "net.core.somaxconn=1"),
        ("ulimits", "{ nproc: 65535, nofile: \"1:2\" }", "nofile=1:2 nproc=65535"),
        ("tmpfs", "/run", "/run"),
        ("gpus", "2", "2"),
        ("stop_timeout", "1m30s", "90"),
        ("read_only", "false", ""),
        ("init", "", ""),
    ] {
        assert_eq!(get(key, value), is, "{key}: {value}");
    }
}

#[test]
fn the_example_of_each_setting_is_right() {
    for setting in SETTINGS {
        let text =
            format!("[routes]\n\"a.com\" = {{ image = \"web\", {} = {} }}\n", setting.key, setting.example);
        assert_eq!(load_text("gordon.toml", &text).problems, [], "{text}");
    }
}
