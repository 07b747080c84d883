//! Everything that can be wrong with a config.

use super::*;
use proptest::prelude::*;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

#[test]
fn syntax_errors_are_shown_at_their_place() {
    let toml = r#"
[routes]
"a.com" = api:latest
"c.com" = "web:1"
"d.com" = "-x"

[network_groups]
backend = ["a.com",, "c.com"]
"#;
    snapshot("syntax_toml", &drawn("gordon.toml", toml));
    snapshot(
        "syntax_toml_unclosed",
        &drawn("gordon.toml", "[routes]\n\"a.com\" = \"api:latest\n\"b.com\" = \"web\"\n"),
    );
    let mut yaml = String::new();
    for text in [
        "name: a: b\n",
        "routes:\n  a.com: 'api\n  b.com: web\n",
        "routes:\n  a.com: @api\n",
        "apps:\n - a\n  - b\n c: d\n",
    ] {
        yaml += &drawn("gordon.yaml", text);
    }
    snapshot("syntax_yaml", &yaml);
}

#[test]
fn a_value_of_toml_without_quotes_is_told_as_what_people_wrote() {
    for word in [
        "8080:80",
        "512m",
        "web",
        "05",
        "1.2.3",
        "127.0.0.1:80:80",
        "07:3",
        "1_",
        "+-1",
        "5s",
        "registry.x.com/web:1",
    ] {
        let text = format!("name = \"a\"\n[apps.web]\nimage = \"web\"\nports = [{word}] # them\n");
        let shown = drawn("gordon.toml", &text);
        assert!(
            shown.contains(&format!("error: `{word}` is no number, no date and no string"))
                && shown.contains(&format!("put it in quotes: `\"{word}\"`")),
            "{shown}"
        );
    }
}

#[test]
fn what_is_wrong_with_yaml_is_told_in_words_of_a_config() {
    let mut shown = String::new();
    for text in [
        "~: a\n",
        ": a\n",
        "[a, b]: c\n",
        "{a: b}: c\n",
        "name: !secret a\n",
        "name: !!binary a\n",
        "!x name: a\n",
        "name: !include a.yaml\n",
        "name: *a\n",
        "<<: a\n",
        "a: &a [*a]\n",
        "name: a\n---\nname: b\n",
        "name: [a\n",
        "name: \"a\n",
        "name: >\nfold\n",
        "- a\nname: b\n",
        "\tname: a\n",
        "name: .inf\n",
        "name: 0x1ffffffffffffffffff\n",
        "name: %a\n",
    ] {
        let told = drawn("gordon.yaml", text);
        for word in
            ["Option", "String", "serialize", "struct", "enum", "scalar", "policy", "budget", "replay"]
        {
            assert!(!told.contains(word), "`{word}` for {text:?}: {told}");
        }
        shown += &told;
    }
    snapshot("yaml_words", &shown);
}

#[test]
fn a_tag_of_yaml_is_an_error_at_its_place_and_not_passed_over() {
    let found = |text: &str| {
        let problems = load_text("gordon.yaml", text).problems;
        let tags = problems.iter().filter(|problem| problem.message.contains("tag"));
        tags.map(|problem| {
            let Place::Config(start, end) = problem.place else { panic!("{problem:?}") };
            assert_eq!(problem.hints, ["remove the word with `!`, and write the value itself"]);
            assert_eq!(
                problem.message,
                format!("`{}` is a tag, and tags are not read here", &text[start..end])
            );
            text[start..end].to_owned()
        })
        .collect::<Vec<_>>()
    };
    for (text, tags) in [
        ("name: !Foo shop\n", &["!Foo"][..]),
        ("name: !Foo  'shop'\n", &["!Foo"]),
        ("env: !Foo\n  dir: env\n", &["!Foo"]),
        ("env: !Foo {dir: !Bar env}\n", &["!Foo", "!Bar"]),
        ("services:\n- !Foo db\n- !Bar\n  image: db\n", &["!Foo", "!Bar"]),
        ("services: [!Foo db,!Bar web]\n", &["!Foo", "!Bar"]),
        ("name: !!python/name shop\n", &["!!python/name"]),
        ("name: !!str 12\n", &[]),
        ("# careful !Foo\nname: shop\nservices: # !Bar\n  - db\n", &[]),
        ("name: shop!Foo\nservices: ['!Foo', \"a !Bar\", c]\n", &[]),
    ] {
        assert_eq!(found(text), tags, "{text}");
    }
}

#[test]
fn a_key_of_another_tool_is_told_where_its_purpose_is_served() {
    let hint = |key: &str| {
        let text = format!("[routes]\n\"a.com\" = {{ image = \"web\", {key} = 1 }}\n");
        let problems = load_text("gordon.toml", &text).problems;
        assert_eq!(problems.len(), 1, "{problems:?}");
        problems[0].hints[0].clone()
    };
    for (key, way_out) in [
        ("env", "write `environment`"),
        ("scale", "write `replicas`"),
        ("builder", "gordon builds no images: `docker build` one, and name it with `image`"),
        ("pull_policy", "`pull` in `[deploy]` says when images are pulled: `missing`, `always` or `never`"),
        ("volums", "did you mean `volumes`?"),
        ("memry", "did you mean `memory`?"),
        ("logging", "write `log`"),
        ("stop_grace_period", "write `stop_timeout`"),
        ("release_command", "write `release`"),
        ("pre_deploy", "write `release`"),
        ("workdir", "write `working_dir`"),
        ("pid", "write it as docker has it: `options = [\"--pid=host\"]`"),
        ("memswap_limit", "write it as docker has it: `options = [\"--memory-swap=1g\"]`"),
    ] {
        assert_eq!(hint(key), way_out, "{key}");
    }
    for key in ["restart_or_not", "tags", "wings"] {
        assert!(hint(key).starts_with("known here: `image`"), "{key}: {}", hint(key));
    }
    assert!(hint("registry").contains("docker login"), "{}", hint("registry"));
    let volumes =
        load_text("gordon.yaml", "routes: { a.com: web }\nvolumes:\n  pgdata:\n    external: true\n")
            .problems;
    assert!(volumes[0].hints[0].contains("external = \"NAME\""), "{volumes:?}");
}

#[test]
fn a_suggestion_cannot_move_the_cursor() {
    let toml = "[routes]\n\"\\u001b[2Ka.company.com\" = \"web\"\n\"\\tb.company.com\" = \"web\"\n[attachments]\n\"b.company.com\" = [\"redis\"]\n";
    let shown = drawn("gordon.toml", toml);
    assert!(shown.contains("did you mean `\\tb.company.com`?"), "{shown}");
    assert!(!shown.contains(|c: char| c.is_control() && c != '\n'), "{shown:?}");
}

#[test]
fn a_suggestion_is_near() {
    for (word, known, near) in [
        ("wroker.company.com", "worker.company.com", true),
        ("worker.company.com", "blog.company.com", false),
        ("bakend", "backend", true),
        ("imge", "image", true),
        ("registry", "restart", false),
        ("pull_policy", "pull", false),
        ("service", "services", true),
        ("ab", "ac", false),
        ("image", "image", false),
    ] {
        assert_eq!(nearest(word, [known]).is_some(), near, "{word} and {known}");
    }
    assert_eq!(nearest("port", ["sport", "ports", "part"]), Some("sport"), "of equals the first");
}

#[test]
fn problems_of_the_whole_file_are_reported_in_one_run() {
    check(
        "wrong_types_and_unknown_keys",
        r#"
name = 5
nam = "shop"

[routes]
"a.com" = 3
"b.com" = { imge = "api", port = "80" }
"c.com" = { image = "api", port = 70000, replicas = 0 }
"d.com" = { port = 80 }
"e.com" = { image = "api", command = 5, restart = "never", wings = 2 }

[network_isolation]
enabled = "yes"
scope = "attachd"

[deploy]
pull = true
drain = "5 parsecs"
health_timeout = "0s"
stop_timeout = "1500ms"

[proxy]
tls = "none"
"#,
        r#"
name: 5
nam: shop

routes:
  a.com: 3
  b.com: { imge: api, port: "80" }
  c.com: { image: api, port: 70000, replicas: 0 }
  d.com: { port: 80 }
  e.com:
    image: api
    command: 5
    restart: never
    wings: 2

network_isolation:
  enabled: "yes"
  scope: attachd

deploy:
  pull: true
  drain: 5 parsecs
  health_timeout: 0s
  stop_timeout: 1500ms

proxy:
  tls: none
"#,
    );
}

#[test]
fn sections_of_a_wrong_kind_are_refused() {
    check(
        "wrong_sections",
        r#"
routes = ["api"]
attachments = "redis"
network_groups = 5
env = "env"
deploy = ["missing"]
apps = "web"
services = 1
name = "shop"
"#,
        r#"
routes: [api]
attachments: redis
network_groups: 5
env: env
deploy: [missing]
apps: web
services: 1
name: shop
"#,
    );
    snapshot("not_a_table", &drawn("gordon.yaml", "- routes\n"));
    snapshot("unknown_syntax", &drawn("gordon.conf", ""));
}

#[test]
fn duplicate_keys_are_refused() {
    check(
        "duplicate_keys",
        r#"
[routes]
"a.com" = "api"
"b.com" = { image = "api", port = 80, port = 81 }
"a.com" = "web"
"#,
        r#"
routes:
  a.com: api
  b.com: { image: api, port: 80, port: 81 }
  a.com: web
"#,
    );
}

#[test]
fn attachments_and_members_need_a_route() {
    check(
        "unknown_owners",
        r#"
[routes]
"api.company.com" = "api"
"worker.company.com" = "worker"
"localhost" = "web"

[attachments]
"api.compny.com" = ["redis"]
"bakend" = ["redis"]
"nothing-like-it" = ["redis"]
"localhost" = "redis"

[network_groups]
"backend" = ["api.company.com", "wroker.company.com", "api.company.com", "other.org"]
"empty" = []
"localhost" = ["api.company.com"]
"Front End" = ["api.company.com"]
"#,
        r#"
routes:
  api.company.com: api
  worker.company.com: worker
  localhost: web

attachments:
  api.compny.com: [redis]
  bakend: [redis]
  nothing-like-it: [redis]
  localhost: redis

network_groups:
  backend: [api.company.com, wroker.company.com, api.company.com, other.org]
  empty: []
  localhost: [api.company.com]
  Front End: [api.company.com]
"#,
    );
}

#[test]
fn a_wrong_route_is_still_known_to_what_refers_to_it() {
    let text = "[routes]\n\"a.com\" = \"Not An Image\"\n[attachments]\n\"a.com\" = [\"redis\"]\n[network_groups]\ng = [\"a.com\"]\n";
    assert_eq!(messages("gordon.toml", text), ["`Not An Image` is not an image reference"]);
}

#[test]
fn what_a_site_cannot_be_is_said() {
    let toml = r#"
[routes]
"a.com" = { image = "web", domains = ["b.com"], redirect_from = ["c.com", "a.com"], tls = true, snippet = "handle {" }
"b.com" = { image = "web", compress = 1, hosts = ["c.com"], https = true, redirect = "d.com" }
"c.com" = { image = "web", snippet = "}\nevil.com {", access_log = "yes" }
"#;
    let yaml = r#"
routes:
  a.com: { image: web, domains: [b.com], redirect_from: [c.com, a.com], tls: true, snippet: "handle {" }
  b.com: { image: web, compress: 1, hosts: [c.com], https: true, redirect: d.com }
  c.com: { image: web, snippet: "}\nevil.com {", access_log: "yes" }
"#;
    check("sites", toml, yaml);
}

#[test]
fn a_proxy_that_is_trusted_has_an_address() {
    let toml = r#"
[proxy]
trusted_proxies = ["10.0.0.1/8", "private_ranges", "cloudflare", "0.0.0.0/0", "192.0.2.7", "2400:cb00::/32"]
http3 = "yes"
snippet = "log {"
"#;
    let yaml = r#"
proxy:
  trusted_proxies: [10.0.0.1/8, private_ranges, cloudflare, 0.0.0.0/0, 192.0.2.7, "2400:cb00::/32"]
  http3: "yes"
  snippet: "log {"
"#;
    check("trusted_proxies", toml, yaml);
}

#[test]
fn an_empty_group_is_ignored_with_its_attachments() {
    let toml = "[routes]\n\"a.com\" = \"api\"\n[attachments]\ng = [\"redis\"]\n[network_groups]\ng = []\n";
    let yaml = "routes:\n  a.com: api\nattachments:\n  g: [redis]\nnetwork_groups:\n  g: []\n";
    check("empty_group", toml, yaml);
    let config = config("gordon.toml", toml);
    assert!(config.groups.is_empty() && config.attachments.is_empty());
}

#[test]
fn a_list_whose_items_are_all_wrong_is_not_called_empty() {
    let text = "name = \"shop\"\n[routes]\n\"a.com\" = { image = \"web\", command = [[]], entrypoint = [[]] }\n\
                [network_groups]\ng = [5]\n[apps.web]\nimage = \"web\"\nproxy.hosts = [\"http://b.com\"]\n";
    let messages = messages("gordon.toml", text);
    assert!(
        !messages.iter().any(|message| message.contains("empty")
            || message.contains("no members")
            || message.contains("without")),
        "{messages:?}"
    );
    assert_eq!(messages.len(), 4, "{messages:?}");
}

#[test]
fn reserved_names_are_refused() {
    check(
        "reserved",
        r#"
name = "gordon-proxy"

[routes]
"proxy" = "web"
"a.com" = { image = "web", id = "default" }
"lock" = { image = "web", id = "fine" }

[network_groups]
"network" = ["a.com"]

[network_isolation]
network_prefix = "gordon"

[volumes]
prefix = "gordon-lock-1"

[attachments]
"a.com" = ["redis"]
"#,
        r#"
name: gordon-proxy
routes:
  proxy: web
  a.com: { image: web, id: default }
  lock: { image: web, id: fine }
network_groups:
  network: [a.com]
network_isolation:
  network_prefix: gordon
volumes:
  prefix: gordon-lock-1
attachments:
  a.com: [redis]
"#,
    );
    check(
        "reserved_beginnings",
        "[routes]\n\"proxy.company.com\" = \"web\"\n\"locksmith.com\" = \"web\"\n\"lock.com\" = { image = \"web\", id = \"lock-com\" }\n",
        "routes:\n  proxy.company.com: web\n  locksmith.com: web\n  lock.com: { image: web, id: lock-com }\n",
    );
    check(
        "reserved_apps",
        "name = \"gordon\"\napps = { proxy = \"web\", locks = \"web\" }\nservices = [\"team/lock:1\"]\n",
        "name: gordon\napps: { proxy: web, locks: web }\nservices: [\"team/lock:1\"]\n",
    );
}

#[test]
fn no_network_sorts_before_that_of_the_proxy() {
    check(
        "sorts_before_the_proxy",
        "name = \"0\"\nnetwork_isolation.network_prefix = \"0-gordon\"\n",
        "name: \"0\"\nnetwork_isolation: { network_prefix: 0-gordon }\n",
    );
    for name in ["1", "00", "0-gordon-proxz", "a"] {
        assert_eq!(messages("gordon.toml", &format!("name = \"{name}\"")), [""; 0], "{name}");
    }
}

#[test]
fn a_host_leads_to_one_app() {
    check(
        "hosts",
        r#"
name = "shop"
[routes]
"a.com" = "api"
[apps.web]
image = "web"
proxy = { hosts = ["b.com", "a.com", "b.com"] }
[apps.other]
image = "web"
proxy = { hosts = [], app_port = 0 }
[apps.third]
image = "web"
proxy = { app_port = 80 }
[apps.fourth]
image = "web"
port = 80
proxy = { hosts = ["c.com"], app_port = 81 }
"#,
        r#"
name: shop
routes:
  a.com: api
apps:
  web:
    image: web
    proxy: { hosts: [b.com, a.com, b.com] }
  other:
    image: web
    proxy: { hosts: [], app_port: 0 }
  third:
    image: web
    proxy: { app_port: 80 }
  fourth:
    image: web
    port: 80
    proxy: { hosts: [c.com], app_port: 81 }
"#,
    );
}

#[test]
fn a_short_name_means_one_thing() {
    check(
        "short_names",
        r#"
name = "shop"
[routes]
"a.com" = "web"
"b.com" = "web"
"c.com" = "web"
[network_groups]
one = ["a.com", "b.com"]
two = ["b.com", "a.com"]
[attachments]
one = ["redis:7", "postgres:15"]
two = ["redis:6"]
"a.com" = ["postgres:15", "mysql:8"]
"b.com" = ["mysql:8"]
"c.com" = ["redis:7", { image = "valkey", name = "redis" }]
[apps]
db = "web"
[services]
db = "postgres:15"
"#,
        r#"
name: shop
routes: { a.com: web, b.com: web, c.com: web }
network_groups:
  one: [a.com, b.com]
  two: [b.com, a.com]
attachments:
  one: ["redis:7", "postgres:15"]
  two: ["redis:6"]
  a.com: ["postgres:15", "mysql:8"]
  b.com: ["mysql:8"]
  c.com: ["redis:7", { image: valkey, name: redis }]
apps: { db: web }
services: { db: "postgres:15" }
"#,
    );
}

#[test]
fn private_attachments_are_seen_by_their_member_alone() {
    let text = r#"
[routes]
"a.com" = "web"
"b.com" = "web"
[network_groups]
one = ["a.com", "b.com"]
[network_isolation]
member_attachments = "private"
[proxy]
enabled = false
[attachments]
"a.com" = ["postgres:15"]
"b.com" = ["postgres:15"]
"#;
    assert_eq!(messages("gordon.toml", text), [""; 0]);
    let text = text.replace("[attachments]", "[attachments]\none = [\"postgres:15\"]");
    assert_eq!(
        messages("gordon.toml", &text),
        [
            "`postgres` would mean two things to `a.com`: `postgres:15` of `one` and `postgres:15` of `a.com`",
            "`postgres` would mean two things to `b.com`: `postgres:15` of `one` and `postgres:15` of `b.com`"
        ]
    );
}

#[test]
fn names_and_references_are_parsed() {
    check(
        "names",
        r#"
name = "My Shop"
[routes]
"https://a.com" = "web"
"A.com" = "web"
"*.b.com" = "web"
"c.com" = "-v"
"d.com" = { image = "web:", id = "a b" }
"e.com" = "--privileged"
[attachments]
"c.com" = [{ image = "redis", name = "my cache" }, "Redis", { name = "x" }]
[network_isolation]
network_prefix = "a_b"
dns_suffix = ".in ternal"
[apps]
"Web" = { image = "web", replicas = "3" }
web2 = { image = "web", name = "web3" }
[[services]]
image = "registry.x.com:5000/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa:1"
"#,
        r#"
name: My Shop
routes:
  https://a.com: web
  A.com: web
  "*.b.com": web
  c.com: -v
  d.com: { image: "web:", id: a b }
  e.com: --privileged
attachments:
  c.com: [{ image: redis, name: my cache }, Redis, { name: x }]
network_isolation:
  network_prefix: a_b
  dns_suffix: .in ternal
apps:
  Web: { image: web, replicas: "3" }
  web2: { image: web, name: web3 }
services:
- image: registry.x.com:5000/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa:1
"#,
    );
}

#[test]
fn workloads_are_what_docker_takes() {
    check(
        "workloads",
        r#"
name = "shop"
[apps.web]
image = "web"
command = "serve 'it"
entrypoint = "migrate && serve"
user = "a b"
memory = "1m"
cpus = 0
env_file = ["", "env/web.env"]
volumes = ["data", "data:/a/../b", "~/x:/x", "data:/data", "./data:/data/", "a/b:/c"]
ports = ["http:80", "8080:80", "127.0.0.1:8080:81", "443:443", 99999]
strategy = "rolling"
replicas = 2
health = { path = "up" }

[apps.web.environment]
plain = ["A=1", "A=2", "B", "C D=1"]
secret = ["A", "PATH", "DOCKER_HOST", "a-b"]

[apps.two]
image = "web"
environment = { A = 1, plain = ["B=2"] }
health = { path = "/up", cmd = "true" }
ports = ["8080:80"]
strategy = "blue"

[services.db]
image = "postgres"
health = { interval = "5s" }
replicas = 2

[services.queue]
image = "rabbitmq"
health = { cmd = " " }

[services.cache]
image = "redis"
health = { cmd = "redis-cli ping" }
health_check = { cmd = "true" }
environment = 5

[services.search]
image = "search"
health = { path = "/", retries = 3, status = "2xx", start_interval = "1s" }

[services.index]
image = "search"
health = { cmd = "true", port = 9200, status = [200, 401], retries = 0, test = "true" }
"#,
        r#"
name: shop
apps:
  web:
    image: web
    command: serve 'it
    entrypoint: migrate && serve
    user: a b
    memory: 1m
    cpus: 0
    env_file: ["", env/web.env]
    volumes: ["data", "data:/a/../b", "~/x:/x", "data:/data", "./data:/data/", "a/b:/c"]
    ports: ["http:80", "8080:80", "127.0.0.1:8080:81", "443:443", 99999]
    strategy: rolling
    replicas: 2
    health: { path: up }
    environment:
      plain: ["A=1", "A=2", "B", "C D=1"]
      secret: [A, PATH, DOCKER_HOST, a-b]
  two:
    image: web
    environment: { A: 1, plain: ["B=2"] }
    health: { path: /up, cmd: "true" }
    ports: ["8080:80"]
    strategy: blue
services:
  db:
    image: postgres
    health: { interval: 5s }
    replicas: 2
  queue:
    image: rabbitmq
    health: { cmd: " " }
  cache:
    image: redis
    health: { cmd: redis-cli ping }
    health_check: { cmd: "true" }
    environment: 5
  search:
    image: search
    health: { path: /, retries: 3, status: 2xx, start_interval: 1s }
  index:
    image: search
    health: { cmd: "true", port: 9200, status: [200, 401], retries: 0, test: "true" }
"#,
    );
}

#[test]
fn apps_and_services_need_a_project() {
    check(
        "project",
        "[services]\ndb = \"postgres\"\n[apps]\nweb = \"web\"\n",
        "services: { db: postgres }\napps: { web: web }\n",
    );
}

#[test]
fn a_service_starts_after_others_beside_it_and_not_after_itself() {
    check(
        "after",
        r#"
name = "shop"
[services]
db = { image = "postgres", after = "db" }
web = { image = "web", after = ["cache", "queu"] }
cache = { image = "redis", after = ["queue"] }
queue = { image = "rabbitmq", after = ["search", "db"] }
search = { image = "search", after = ["cache"], depends_on = ["db"] }

[routes]
"a.com" = { image = "web", depends_on = ["db"] }

[attachments]
"a.com" = [{ image = "postgres", after = ["cache"] }]
"#,
        r#"
name: shop
services:
  db: { image: postgres, after: db }
  web: { image: web, after: [cache, queu] }
  cache: { image: redis, after: [queue] }
  queue: { image: rabbitmq, after: [search, db] }
  search: { image: search, after: [cache], depends_on: [db] }
routes:
  a.com: { image: web, depends_on: [db] }
attachments:
  a.com: [{ image: postgres, after: [cache] }]
"#,
    );
}

#[test]
fn pools_have_room_for_networks() {
    for (name, pool) in [
        ("small", "10.0.0.0/25"),
        ("bits", "10.1.2.3/12"),
        ("text", "10.0.0.0"),
        ("loopback", "127.0.0.0/8"),
        ("public", "8.0.0.0/8"),
        ("all", "0.0.0.0/0"),
    ] {
        check(
            &format!("pool_{name}"),
            &format!("[network_isolation]\naddress_pool = \"{pool}\"\n"),
            &format!("network_isolation:\n  address_pool: {pool}\n"),
        );
    }
    for pool in ["10.0.0.0/8", "192.168.4.0/24", "100.64.0.0/10"] {
        assert_eq!(messages("gordon.toml", &format!("network_isolation.address_pool = \"{pool}\"")), [""; 0]);
    }
}

#[test]
fn ports_of_the_host_are_the_proxys_or_one_things() {
    check(
        "ports",
        r#"
name = "shop"
apps = { web = { image = "web", proxy = { hosts = ["a.com"] } } }
proxy = { http_port = 8080, https_port = 8080 }
[services]
a = { image = "web", ports = ["8080:80"] }
b = { image = "web", ports = ["127.0.0.1:53:53/udp", "53:53", "9000-9010:80"] }
c = { image = "web", ports = ["127.0.0.2:53:53/udp", "9000:80"] }
d = { image = "web", ports = ["0.0.0.0:53:53/udp"] }
"#,
        r#"
name: shop
apps: { web: { image: web, proxy: { hosts: [a.com] } } }
proxy: { http_port: 8080, https_port: 8080 }
services:
  a: { image: web, ports: ["8080:80"] }
  b: { image: web, ports: ["127.0.0.1:53:53/udp", "53:53", "9000-9010:80"] }
  c: { image: web, ports: ["127.0.0.2:53:53/udp", "9000:80"] }
  d: { image: web, ports: ["0.0.0.0:53:53/udp"] }
"#,
    );
}

#[test]
fn what_has_no_effect_is_said_once() {
    check(
        "ignored",
        r#"
server = "one.example.com"
[routes]
"a.com" = "web"
"b.com" = "web"
[attachments]
"a.com" = ["redis", "postgres"]
"b.com" = ["redis"]
[network_isolation]
enabled = false
[logging]
level = "debug"
[registry_auth]
enabled = true
"#,
        r#"
server: one.example.com
routes: { a.com: web, b.com: web }
attachments:
  a.com: [redis, postgres]
  b.com: [redis]
network_isolation:
  enabled: false
logging: { level: debug }
registry_auth: { enabled: true }
"#,
    );
    check(
        "servers",
        "name = \"shop\"\nservers = [\"one\", \"two\"]\n[services.db]\nimage = \"postgres\"\nserver = \"three\"\n",
        "name: shop\nservers: [one, two]\nservices:\n  db: { image: postgres, server: three }\n",
    );
    check("foreign_server", "[server]\nport = 8080\n", "server: { port: 8080 }\n");
}

#[test]
fn a_toml_key_with_dots_stands_in_quotes() {
    let toml = "[routes]\nb.com = \"web\"\nwww.c.com = { image = \"web\" }\nwww.d.com = \"web\"\n[routes.e.com]\nimage = \"web\"\n[attachments]\nb.com = [\"redis\"]\n\"b.com\" = [\"redis\"]\n";
    snapshot("dotted_keys", &drawn("gordon.toml", toml));
}

#[test]
fn a_syntax_error_does_not_hide_the_rest_of_the_file() {
    let toml = "[routes]\n\"a.com\" = web\n\"b.com\" = \"-v\"\n[attachments]\n\"a.com\" = [\"redis\"]\n\"c.com\" = []\n";
    assert_eq!(
        messages("gordon.toml", toml),
        [
            "`-v` is not an image reference",
            "`web` is no number, no date and no string",
            "attachments for `c.com`, which is neither a route nor a group",
        ]
    );
}

#[test]
fn what_is_wrong_with_the_table_of_a_mount_is_told_at_its_place() {
    check(
        "mounts",
        r#"
name = "shop"
[services.db]
image = "postgres"
volumes = [
  { name = "data", target = "/a", external = true },
  { external = true, target = "/b" },
  { name = "data", external = "pgdata", target = "/c" },
  { target = "/d" },
  { name = "data" },
  { name = "../data", target = "/e" },
  { name = "data:/data", target = "/f" },
  { external = "./data", target = "/g" },
  { name = "data", target = "h" },
  { source = "./data", target = "/i" },
  { name = "data", target = "/j", readonly = true },
  { name = "data", target = "/k", type = "bind" },
  { name = "data", target = "/l", read_only = "yes" },
  { external = "other", target = "/m/" },
  { name = "./n", target = "/n", watch = true },
  { name = "n", target = "/o", read_only = true, watch = true },
  "data:/m",
  5,
]
"#,
        r#"
name: shop
services:
  db:
    image: postgres
    volumes:
      - { name: data, target: /a, external: true }
      - external: true
        target: /b
      - { name: data, external: pgdata, target: /c }
      - { target: /d }
      - { name: data }
      - { name: ../data, target: /e }
      - { name: "data:/data", target: /f }
      - { external: ./data, target: /g }
      - { name: data, target: h }
      - { source: ./data, target: /i }
      - { name: data, target: /j, readonly: true }
      - { name: data, target: /k, type: bind }
      - { name: data, target: /l, read_only: "yes" }
      - { external: other, target: /m/ }
      - { name: ./n, target: /n, watch: true }
      - { name: n, target: /o, read_only: true, watch: true }
      - data:/m
      - 5
"#,
    );
}

#[test]
fn volumes_of_the_proxy_belong_to_it() {
    check(
        "reserved_volumes",
        "name = \"gordon\"\nservices = [{ image = \"db\", volumes = [\"Proxy-data:/data\", \"data:/srv\"] }]\n",
        "name: gordon\nservices: [{ image: db, volumes: [\"Proxy-data:/data\", \"data:/srv\"] }]\n",
    );
}

#[test]
fn what_docker_would_not_see_in_time_is_refused() {
    check(
        "more_values",
        "[routes]\n\"a.com\" = { image = \"web\", command = [\"a\\u0000b\"], health = { path = \"/up\", interval = \"0s\" } }\n[deploy]\ndrain = \"25h\"\n",
        "routes:\n  a.com: { image: web, command: [\"a\\0b\"], health: { path: /up, interval: 0s } }\ndeploy:\n  drain: 25h\n",
    );
    snapshot(
        "yaml_values",
        &drawn(
            "gordon.yaml",
            "name: shop\napps:\n  web:\n    image:\n    environment: { A: }\n    restart: no\n    replicas: 1.5\n  other:\n",
        ),
    );
}

#[test]
fn what_docker_is_sure_to_refuse_is_refused_at_once() {
    check(
        "refused_by_docker",
        r#"
[routes]
"a.com" = { image = "web", entrypoint = "" }
"b.com" = { image = "web", command = [], cpus = 99999999, memory = "8388608t" }
"c.com" = { image = "web", health = { cmd = "true", interval = "1us" }, cpus = "1.0000000001" }
"#,
        r#"
routes:
  a.com: { image: web, entrypoint: "" }
  b.com: { image: web, command: [], cpus: 99999999, memory: 8388608t }
  c.com: { image: web, health: { cmd: "true", interval: 1us }, cpus: "1.0000000001" }
"#,
    );
    let text = |length| {
        format!(
            "[routes]\n\"a.com\" = {{ image = \"web\", environment = {{ A = \"{}\" }} }}\n",
            "x".repeat(length)
        )
    };
    assert_eq!(messages("gordon.toml", &text(120 * 1024)), [""; 0]);
    assert_eq!(messages("gordon.toml", &text(120 * 1024 + 1)), ["the text is longer than 120 KiB"]);
}

#[test]
fn what_stands_for_a_value_that_is_elsewhere_is_taken_as_it_is() {
    check(
        "notations",
        "[routes]\n\"a.com\" = { image = \"web\", environment = { A = \"$${A}\", B = \"$(b)\", C = \"${pass:c}\", D = \"$D\" } }\n",
        "routes:\n  a.com: { image: web, environment: { A: \"$${A}\", B: $(b), C: \"${pass:c}\", D: $D } }\n",
    );
}

#[test]
fn a_secret_has_one_command_with_words() {
    check(
        "secret_commands",
        r#"
[routes]
"a.com" = { image = "web", environment = { secret = ["A", { name = "B", command = ["pass", "b"] }, { name = "C", command = "pass 'c d'" }] } }
"b.com" = { image = "web", environment = { secret = ["B", { name = "C", command = ["pass", "c d"] }] } }
"c.com" = { image = "web", environment = { secret = [{ name = "B", command = ["pass", "c"] }, { name = "D", command = [] }, { name = "E" }, { key = "F" }] } }
"#,
        r#"
routes:
  a.com: { image: web, environment: { secret: [A, { name: B, command: [pass, b] }, { name: C, command: "pass 'c d'" }] } }
  b.com: { image: web, environment: { secret: [B, { name: C, command: [pass, c d] }] } }
  c.com: { image: web, environment: { secret: [{ name: B, command: [pass, c] }, { name: D, command: [] }, { name: E }, { key: F }] } }
"#,
    );
}

#[test]
fn the_command_of_a_release_has_words_and_a_time() {
    check(
        "releases",
        r#"
name = "shop"
[routes]
"a.com" = { image = "web", release = [] }
"b.com" = { image = "web", release = { command = "", timeout = "0s" } }
"c.com" = { image = "web", release = { timeout = "5m" } }
"d.com" = { image = "web", release = { command = "bin/migrate && bin/seed", after = "db" } }
"e.com" = { image = "web", release = true }
[services.db]
image = "postgres"
release = "bin/migrate"
"#,
        r#"
name: shop
routes:
  a.com: { image: web, release: [] }
  b.com: { image: web, release: { command: "", timeout: 0s } }
  c.com: { image: web, release: { timeout: 5m } }
  d.com: { image: web, release: { command: bin/migrate && bin/seed, after: db } }
  e.com: { image: web, release: true }
services:
  db:
    image: postgres
    release: bin/migrate
"#,
    );
}

#[test]
fn a_variable_without_a_value_is_an_error_at_its_place() {
    check(
        "variables",
        r#"
[routes]
"a.com" = { image = "web:${TAG}", command = ["run", "--level", "${LEVEL:?debug or info}"], port = "${PORT:-none}" }
"b.com" = { image = "web", environment = { A = "${a.b}", B = "x${" } }
"#,
        r#"
routes:
  a.com: { image: "web:${TAG}", command: [run, --level, "${LEVEL:?debug or info}"], port: "${PORT:-none}" }
  b.com: { image: web, environment: { A: "${a.b}", B: "x${" } }
"#,
    );
}

#[test]
fn a_variable_may_give_whatever_the_config_wants() {
    let text = r#"
[routes]
"a.com" = { image = "${IMAGE}:1", port = "${PORT}", replicas = "${MANY}", memory = "${MANY}00m", environment = { A = "${MANY}" } }
[network_isolation]
enabled = "${ON}"
[proxy]
enabled = "${ON}"
tls = "${TLS}"
[deploy]
drain = "${MANY}s"
"#;
    let plain = text.replace("${IMAGE}", "web").replace("\"${PORT}\"", "8080").replace("\"${MANY}\"", "2");
    let plain = plain.replace("A = 2", "A = \"2\"").replace("${MANY}", "2").replace("${TLS}", "off");
    let plain = plain.replace("\"${ON}\"", "false");
    let values = [("IMAGE", "web"), ("PORT", "8080"), ("MANY", "2"), ("ON", "false"), ("TLS", "off")];
    let values = values.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let Loaded { config: filled, problems, .. } =
        load_with(&Source { path: "gordon.toml", text }, &values.into_iter().collect());
    assert_eq!(problems, []);
    assert_eq!(filled.expect("a config"), config("gordon.toml", &plain));
}

/// The problems of what `text` mounts, for a config in `folder` where `missing` is not there.
fn mounted(text: &str, folder: &OsStr, missing: &[&str]) -> String {
    let config = config("gordon.toml", text);
    let problems = check_mounted_paths(&config, Path::new(folder), &missing.iter().copied().collect());
    render(&problems, "gordon.toml", text, Colour::No)
}

#[test]
fn a_folder_that_docker_cannot_be_told_of_has_no_relative_mounts() {
    let relative = "[routes]\n\"a.com\" = { image = \"web\", volumes = [\"./a:/a\", \"/b:/b\", \".:/c\"] }\n";
    let absolute = "[routes]\n\"a.com\" = { image = \"web\", volumes = [\"/b:/b\", \"c:/c\"] }\n";
    let folders = [OsStr::from_bytes(b"/srv/a:b"), OsStr::from_bytes(b"/srv/\xe4")];
    let shown: String = folders.iter().map(|folder| mounted(relative, folder, &[])).collect();
    snapshot("folder", &shown);
    assert!(folders.iter().all(|folder| mounted(absolute, folder, &[]).is_empty()));
    assert_eq!(mounted(relative, OsStr::new("/srv/a b"), &[]), "");
}

#[test]
fn a_folder_that_docker_would_make_is_told() {
    let text = "[routes]\n\"a.com\" = { image = \"web\", volumes = [\"./a:/a\", \"/b:/b\", \"b:/c\", \"./d:/d\"] }\n";
    assert_eq!(mounted_paths(&config("gordon.toml", text)), ["/b", "a", "d"].into());
    snapshot("missing_folders", &mounted(text, OsStr::new("/srv"), &["a", "/b"]));
}

#[test]
fn a_port_that_is_open_to_everyone_is_told_unless_that_is_said() {
    let ports = |ports: &str| {
        let text = format!("name = \"shop\"\n[services.db]\nimage = \"db\"\nports = [{ports}]\n");
        assert!(!has_errors(&load_text("gordon.toml", &text).problems));
        drawn("gordon.toml", &text)
    };
    snapshot("open_ports", &ports("5432, \"5432:5432\", \"53:53/udp\", \"8000-8001:8000-8001\""));
    assert_eq!(ports("\"127.0.0.1:5432:5432\", \"0.0.0.0:80:80\", \"[::]:81:81\", \"127.0.0.1::9000\""), "");
}

#[test]
fn a_long_list_of_attachments_is_cut_short() {
    let images: Vec<String> = (0..30).map(|number| format!("\"service-{number}\"")).collect();
    let text = format!(
        "[routes]\n\"a.com\" = \"web\"\n[attachments]\n\"a.com\" = [{}]\n[network_isolation]\nenabled = false\n[proxy]\nenabled = false\n",
        images.join(", ")
    );
    let messages = messages("gordon.toml", &text);
    assert!(messages[0].ends_with("`service-9` of `a.com` and 20 more"), "{messages:?}");
    assert_eq!(messages.len(), 1);
}

#[test]
fn a_text_that_nests_without_end_is_refused() {
    let laughs = (1..10).fold("a0: &a0 [x]\n".to_owned(), |text, level| {
        let many = vec![format!("*a{}", level - 1); 10].join(", ");
        format!("{text}a{level}: &a{level} [{many}]\n")
    });
    for (path, text) in [
        ("gordon.toml", format!("a = {}", "[".repeat(100_000))),
        ("gordon.yaml", format!("a: {}", "[".repeat(100_000))),
        ("gordon.yaml", "- ".repeat(100_000)),
        ("gordon.yaml", laughs),
    ] {
        let shown = drawn(path, &text);
        assert!(shown.starts_with("error: this nests too deeply, or repeats too much\n"), "{path}: {shown}");
        assert!(shown.contains("a config has few levels"), "{path}: {shown}");
    }
}

#[test]
fn of_very_many_problems_the_first_errors_are_shown_and_the_others_counted() {
    const MANY: usize = 2_000;
    let lines = |line: fn(usize) -> String| (0..MANY).map(line).collect::<String>();
    let routes = lines(|n| format!("\"{n}.com\" = \"-x\"\n"));
    let shown = drawn("gordon.toml", &format!("[env]\ndir = \"a\"\n[routes]\n{routes}"));
    assert_eq!(shown.matches("error:").count(), 50);
    assert!(shown.ends_with("… and 1950 more problems\n\n"), "{}", &shown[shown.len() - 100..]);

    // none of these is worked on more than once for each of its lines
    for (path, text) in [
        ("gordon.toml", format!("[deploy]\n{}", lines(|n| format!("key-{n} = 1\n")))),
        ("gordon.yaml", format!("deploy:\n{}", lines(|n| format!("  key-{n}: 1\n")))),
        ("gordon.toml", format!("[routes]\n{}", lines(|_| "\"a.com\" = \"web\"\n".to_owned()))),
        ("gordon.toml", format!("[routes]\n{}", lines(|_| "x".to_owned() + " = y\n"))),
        ("gordon.toml", lines(|n| format!("section-{n} = 1\n"))),
        ("gordon.toml", format!("[attachments]\n{}", lines(|n| format!("\"{n}.com\" = [\"redis\"]\n")))),
        ("gordon.toml", format!("[network_groups]\ng = [{}]\n", lines(|n| format!("\"{n}.com\", ")))),
        ("gordon.toml", format!("[network_groups]\ng = [{}]\n", lines(|n| format!("{n}, ")))),
        ("gordon.toml", format!("servers = [{}]\n", lines(|n| format!("\"{n}\", ")))),
        (
            "gordon.toml",
            format!(
                "[routes]\n\"a.com\" = {{ image = \"web\", volumes = [{}] }}\n",
                lines(|_| "\"a:/a\", ".to_owned())
            ),
        ),
        (
            "gordon.toml",
            format!(
                "name = \"a\"\n[services]\na = {{ image = \"web\", ports = [{}] }}\n",
                lines(|_| "\"80:80\", ".to_owned())
            ),
        ),
    ] {
        let shown = drawn(path, &text);
        assert!(shown.len() < 100_000, "{} bytes of {}", shown.len(), &text[..40]);
    }
}

#[test]
fn a_line_that_nobody_reads_is_not_drawn() {
    let text =
        format!("[routes]\n\"ä.com\" = {{ image = \"web\", user = \"{}\", pot = 80 }}\n", "x".repeat(2000));
    let shown = drawn("gordon.toml", &text);
    assert!(shown.starts_with("error: `ä.com` is not a domain\n--> gordon.toml:2:1\n = help: "), "{shown}");
    assert!(shown.contains("error: unknown key `pot`\n--> gordon.toml:2:2039\n"), "{shown}");
}

#[test]
fn errors_are_shown_before_warnings() {
    let hosts: String =
        (0..60).map(|n| format!("\"{n}.com\" = {{ image = \"web\", command = [] }}\n")).collect();
    let shown = drawn("gordon.toml", &format!("[routes]\n{hosts}\"a.com\" = \"-x\"\n"));
    assert_eq!((shown.matches("error:").count(), shown.matches("warning:").count()), (1, 49));
    assert!(shown.ends_with("… and 11 more problems\n\n"), "{shown}");
}

/// What people do to a file: they drop a piece of it, and write something in its place.
fn edited(text: &str, edits: &[(prop::sample::Index, usize, String)]) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    for (at, length, new) in edits {
        let at = at.index(chars.len() + 1);
        let end = (at + length).min(chars.len());
        chars.splice(at..end, new.chars());
    }
    chars.into_iter().collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_a_file_holds_its_problems_can_be_drawn(
        edits in prop::collection::vec(
            (any::<prop::sample::Index>(), 0..12_usize, "([\\[\\]{}\"':=,.#*&!|>äß\u{1F600}\\\\ \t\r\n\u{0}-]|[a-z0-9]){0,4}"),
            1..6,
        )
    ) {
        for toml in [syntaxes::WHOLE, syntaxes::LONG] {
            let yaml = syntaxes::to_yaml(toml);
            drawn("gordon.toml", &edited(toml, &edits));
            drawn("gordon.yaml", &edited(&yaml, &edits));
        }
    }
}

#[test]
fn a_problem_shows_what_would_be_hidden() {
    let evil = "\u{1b}[2K\r\u{9b}8m\u{202e}\n";
    let problem = Problem::error(0..1, evil).hint(evil).also(5..6, evil);
    let elsewhere = Problem::warning_in_line(evil, 1, evil).hint(evil);
    for colour in [Colour::Yes, Colour::No] {
        let shown = render(&[problem.clone(), elsewhere.clone()], evil, "name\nname\n", colour);
        assert!(!shown.contains(['\r', '\u{9b}', '\u{202e}']) && !shown.contains("\u{1b}[2K"), "{shown:?}");
        assert_eq!(shown.matches("\\u{1b}[2K\\r\\u{9b}8m\\u{202e}\\n").count(), 7, "{shown:?}");
    }
}

#[test]
fn settings_are_what_docker_takes() {
    check(
        "settings",
        r#"
containers = { init = "yes", wings = 1, stop_grace_period = "1m" }

[routes]
"a.com" = { image = "web", init = 1, shm_size = "big", ulimits = { nofile = { soft = 1, hard = 2 }, files = 3 }, cap_add = "NET ADMIN" }
"b.com" = { image = "web", read_only = "true", tmpfs = ["tmp", "/run:size=1m"], extra_hosts = ["db:10.0.0.1", "db"], log = 5 }
"c.com" = { image = "web", log = { driver = "json-file", max_size = "1m", options = ["a"] }, sysctls = { "vm.swappiness" = 1 }, stop_timeout = 30 }
"d.com" = { image = "web", options = ["--memory=1g", "--pid", "host", "-v"], labels = { "gordon.project" = "x" }, devices = ["sda"] }
"#,
        r#"
containers:
  init: "yes"
  wings: 1
  stop_grace_period: 1m

routes:
  a.com:
    image: web
    init: 1
    shm_size: big
    ulimits: { nofile: { soft: 1, hard: 2 }, files: 3 }
    cap_add: NET ADMIN
  b.com:
    image: web
    read_only: "true"
    tmpfs: ["tmp", "/run:size=1m"]
    extra_hosts: ["db:10.0.0.1", "db"]
    log: 5
  c.com:
    image: web
    log: { driver: json-file, max_size: 1m, options: [a] }
    sysctls: { vm.swappiness: 1 }
    stop_timeout: 30
  d.com:
    image: web
    options: ["--memory=1g", "--pid", "host", "-v"]
    labels: { gordon.project: x }
    devices: [sda]
"#,
    );
}

#[test]
fn a_variable_without_a_value_is_one_problem_wherever_it_is() {
    for (before, line) in [
        ("", "name = \"${X}\""),
        ("", "routes = \"${X}\""),
        ("[routes]", "\"a.com\" = \"${X}\""),
        ("[routes]", "\"a.com\" = { image = \"${X}\" }"),
        ("[routes]", "\"a.com\" = { image = \"web\", memory = \"${X}\" }"),
        ("[routes]", "\"a.com\" = { image = \"web\", ulimits = \"${X}\" }"),
        ("[routes]", "\"a.com\" = { image = \"web\", labels = { a = \"${X}\" } }"),
        ("[routes]", "\"a.com\" = { image = \"web\", log = { driver = \"${X}\" } }"),
        ("[routes]", "\"a.com\" = { image = \"web\", environment = \"${X}\" }"),
        ("[routes]", "\"a.com\" = { image = \"web\", health = \"${X}\" }"),
        ("[routes]\n\"a.com\" = \"web\"\n[attachments]", "\"a.com\" = \"${X}\""),
        ("[routes]\n\"a.com\" = \"web\"\n[attachments]", "\"a.com\" = [\"${X}\"]"),
        ("[network_groups]", "backend = \"${X}\""),
        ("", "containers = \"${X}\""),
        ("[containers]", "memory = \"${X}\""),
        ("", "proxy = \"${X}\""),
        ("[deploy]", "pull = \"${X}\""),
        ("name = \"a\"", "apps = \"${X}\""),
        ("name = \"a\"\n[apps]", "web = \"${X}\""),
        ("name = \"a\"", "apps = [\"${X}\"]"),
        ("name = \"a\"", "services = [\"${X}\"]"),
    ] {
        let messages = messages("gordon.toml", &format!("{before}\n{line}\n"));
        assert_eq!(messages, ["the variable `X` has no value"], "{line}");
    }
}
