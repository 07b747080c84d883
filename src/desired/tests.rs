//! Configs in, what is desired or what is wrong with the final names out.

use super::*;
use crate::config;
use crate::config::Colour;
use crate::name::Image;
use crate::spec::HttpCheck;
use crate::spec::ImageFacts;
use crate::spec::PortCheck;
use crate::spec::Source;
use std::fmt::Write;

fn snapshot(name: &str, text: &str) {
    insta::with_settings!({ snapshot_path => "../../tests/snapshots", prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!(format!("desired_{name}"), text);
    });
}

/// Each image declares what a real one does: databases a VOLUME, `checked` a health check, `listens` a port. Of `unknown` nothing is known.
fn inputs() -> Inputs {
    let facts = |volumes: &[&str], healthcheck| ImageFacts {
        volumes: volumes.iter().map(ToString::to_string).collect(),
        ports: Vec::new(),
        healthcheck,
    };
    let listens = |ports: &[&str]| ImageFacts {
        ports: ports.iter().map(ToString::to_string).collect(),
        ..facts(&[], false)
    };
    let images = [
        ("app", facts(&[], false)),
        ("checked", facts(&[], true)),
        ("listens", listens(&["9200/tcp", "53/udp"])),
        ("listens-twice", listens(&["9200/tcp", "9300/tcp"])),
        ("redis", facts(&["/data"], false)),
        ("postgres", facts(&["/var/lib/postgresql/data"], false)),
        ("my-postgres", facts(&["/var/lib/postgresql/data/", "/log"], false)),
    ];
    let image = |name: &str| Image::parse(name).expect("an image");
    Inputs {
        files: BTreeMap::new(),
        env_files: ["env/a_com.env", "env/b_com.env", "own.env"]
            .map(|path| (path.to_owned(), path.to_owned()))
            .into(),
        images: images.map(|(name, facts)| (image(name), facts)).into(),
        secrets: BTreeMap::new(),
    }
}

fn resolved(text: &str) -> (Desired, String) {
    let loaded = config::load(&config::Source { path: "gordon.toml", text });
    let (desired, more) = resolve(&loaded.config.expect("a config"), &inputs());
    let problems: Vec<_> = loaded.problems.into_iter().chain(more).collect();
    let problems: Vec<_> =
        problems.into_iter().filter(|problem| config::has_errors(std::slice::from_ref(problem))).collect();
    (desired, config::render(&problems, "gordon.toml", text, Colour::No))
}

/// The errors of a config, which has some.
fn errors(name: &str, text: &str) {
    let (_, problems) = resolved(text);
    assert!(!problems.is_empty(), "{text}");
    snapshot(name, &problems);
}

/// What a config asks for, which has no errors.
fn asks_for(name: &str, text: &str) {
    let (desired, problems) = resolved(text);
    assert_eq!(problems, "", "{text}");
    snapshot(name, &list(&desired));
}

fn list(desired: &Desired) -> String {
    let mut text = String::new();
    let w = &mut text;
    for DesiredNetwork { name, owner, addresses } in &desired.networks {
        let _ = writeln!(w, "network {name} of {owner}, {addresses} addresses");
    }
    for DesiredVolume { name, owner } in &desired.volumes {
        let _ = writeln!(w, "volume {name} of {owner}");
    }
    for workload in &desired.workloads {
        let _ = writeln!(w, "{} of {}, {}", workload.name(), workload.owner, workload.image);
        describe(workload, w);
    }
    for note in &desired.notes {
        let _ = writeln!(w, "note: {note}");
    }
    text
}

fn describe(workload: &Workload, w: &mut String) {
    if workload.replicas > 1 {
        let _ = writeln!(w, "  {} replicas", workload.replicas);
    }
    for Attachment { network, aliases } in &workload.attachments {
        let aliases: Vec<&str> = aliases.iter().map(|alias| alias.as_str()).collect();
        let _ = writeln!(w, "  in {network} as {}", aliases.join(", "));
    }
    if let Some(hostname) = &workload.runtime.hostname {
        let _ = writeln!(w, "  calls itself {hostname}");
    }
    for file in &workload.runtime.env_files {
        let _ = writeln!(w, "  env file {}{}", file.path, if file.inherited { ", inherited" } else { "" });
    }
    let image_mounts = workload.image_mounts.iter().map(|mount| (mount, ", learned"));
    for (mount, how) in workload.runtime.mounts.iter().map(|mount| (mount, "")).chain(image_mounts) {
        let source = match &mount.source {
            Source::Volume(volume) => volume.as_str(),
            Source::Host(path) | Source::Folder(path) => path,
        };
        let _ = writeln!(w, "  {source} at {}{how}", mount.target);
    }
    if !workload.needs.is_empty() {
        let _ = writeln!(w, "  needs {}", workload.needs.join(", "));
    }
    let _ = match &workload.ready {
        Ready::Healthy(timeout) => writeln!(w, "  healthy within {timeout:?}"),
        Ready::Answers(check, timeout) => {
            let HttpCheck { port, path, host, status, prober, every, patience } = check;
            writeln!(
                w,
                "  answers {path} at {port} for {host} within {timeout:?}, asked every {every:?} by {prober:?}, good are {status}, {patience:?}"
            )
        }
        Ready::Listens(PortCheck { port, host }, timeout) => {
            writeln!(w, "  listens at {port} for {host} within {timeout:?}")
        }
        Ready::StaysUp => Ok(()),
        Ready::Ends => writeln!(w, "  is meant to end"),
        Ready::Done(timeout) => writeln!(w, "  done within {timeout:?}"),
    };
}

// names that meet ------------------------------------------------------------------------------------------------

#[test]
fn two_containers_of_one_name_are_an_error_that_names_both() {
    errors(
        "containers",
        r#"
name = "shop"
[routes]
"a.com" = { image = "app", id = "x" }
"b.com" = "app"
[network_groups]
one = ["a.com"]
one-two = ["b.com"]
[attachments]
one = [{ image = "redis", name = "two-cache" }]
one-two = [{ image = "postgres", name = "cache" }]
[services]
x = "redis"
"#,
    );
}

#[test]
fn names_that_containers_have_only_later_are_taken_too() {
    errors(
        "containers_later",
        r#"
name = "shop"
[apps]
web = "app"
api = { image = "app", release = "migrate" }
[routes]
"a.com" = { image = "app", id = "x" }
[services]
api-release = "redis"
web-green = "redis"
web-blue = "redis"
web-previous = "redis"
x-next = "redis"
x-previous = "redis"
db = "postgres"
db-previous = "postgres"
"#,
    );
}

#[test]
fn names_that_replicas_have_are_taken_however_many_there_are() {
    errors(
        "containers_of_replicas",
        r#"
name = "shop"
[apps]
web = "app"
[routes]
"a.com" = { image = "app", id = "x" }
[services]
web-green-2 = "redis"
web-blue-17 = "redis"
web-previous-3 = "redis"
x-2 = "redis"
x-next-2 = "redis"
"#,
    );
}

#[test]
fn names_that_no_container_will_have_are_free() {
    let (_, problems) = resolved(
        r#"
name = "shop"
[apps]
web = { image = "app", replicas = 2 }
[services]
web-1 = "redis"
web-green-1 = "redis"
web-green-02 = "redis"
web-red = "redis"
web-release = "redis"
db = "postgres"
db-2 = "postgres"
db-next = "postgres"
"#,
    );
    assert_eq!(problems, "");
}

#[test]
fn the_qualified_alias_of_an_app_is_no_containers_name_and_no_other_apps_alias() {
    errors(
        "qualified",
        r#"
name = "shop"
[routes]
"a.com" = { image = "app", id = "shop-db" }
"b.com" = { image = "app", id = "shop-web" }
"c.com" = { image = "app", id = "c-com" }
"d.com" = { image = "app", id = "shop-c-com-2" }
[apps]
web = "app"
[services]
db = "postgres"
"#,
    );
}

#[test]
fn two_owners_do_not_share_a_network_unasked() {
    errors(
        "networks",
        r#"
name = "shop"
[routes]
"a.b-c.com" = "app"
"a-b.c.com" = "app"
"x.com" = "app"
[network_groups]
a-b-c-com = ["x.com"]
[network_isolation]
scope = "all"
"#,
    );
}

#[test]
fn two_owners_do_not_share_a_volume_unasked() {
    errors(
        "volumes",
        r#"
name = "shop"
[routes]
"a.com" = { image = "app", id = "one", volumes = ["Two-data:/data"] }
"b.com" = { image = "app", id = "one-two", volumes = ["data:/data"] }
[network_groups]
three = ["a.com"]
[attachments]
three = ["redis", { image = "app", volumes = ["redis-data:/data"] }]
"#,
    );
}

#[test]
fn containers_of_one_place_share_its_volumes() {
    asks_for(
        "volumes_shared",
        r#"
name = "shop"
apps.web = { image = "app", volumes = ["files:/a"] }
services.cleaner = { image = "app", volumes = ["files:/b:ro", "./files:/c", "/files:/d"] }
"#,
    );
}

#[test]
fn a_declared_name_is_no_qualified_alias_and_no_container_within_sight() {
    errors(
        "declared_names",
        r#"
name = "shop"
[routes]
"a.com" = "app"
"b.com" = "app"
[network_groups]
one = ["a.com"]
[attachments]
one = [{ image = "redis", name = "a-com" }, { image = "redis", name = "cache" }, { image = "redis", name = "shop-one-cache" }]
"b.com" = [{ image = "redis", name = "a-com" }]
[apps]
web = "app"
[services]
shop-web = "redis"
"#,
    );
}

#[test]
fn only_the_proxy_answers_to_its_name() {
    for text in [
        "name = \"shop\"\nservices.gordon-proxy = \"redis\"",
        "name = \"shop\"\n[apps.gordon-proxy]\nimage = \"app\"",
        "routes.\"a.com\" = \"app\"\nattachments.\"a.com\" = [{ image = \"redis\", name = \"gordon-proxy\" }]",
    ] {
        let (_, problems) = resolved(text);
        assert!(problems.contains("`gordon-proxy` is the name of the proxy"), "{text}: {problems}");
    }
    let text = "routes.\"a.com\" = \"app\"\nattachments.\"a.com\" = [{ image = \"team/gordon-proxy\", name = \"other\" }]";
    let (desired, problems) = resolved(text);
    assert_eq!(problems, "");
    let aliases = desired.workloads.iter().flat_map(|w| &w.attachments).flat_map(|a| &a.aliases);
    assert!(
        aliases.clone().all(|alias| alias.as_str() != "gordon-proxy"),
        "{:?}",
        aliases.collect::<Vec<_>>()
    );
}

#[test]
fn names_that_dns_does_not_take_are_errors() {
    let label = "l".repeat(50);
    let domain = ["d".repeat(63), "d".repeat(63), "d".repeat(63), "d".repeat(39), "com".to_owned()].join(".");
    errors(
        "too_long",
        &format!(
            r#"
name = "shop"
[routes]
"a.com" = {{ image = "app", id = "{label}" }}
"{domain}" = "app"
[attachments]
"a.com" = [{{ image = "redis", name = "{label}s" }}]
[network_isolation]
dns_suffix = "{}.{}.{}.{}"
"#,
            "s".repeat(60),
            "s".repeat(60),
            "s".repeat(60),
            "s".repeat(60),
        ),
    );
}

#[test]
fn a_network_and_a_qualified_alias_that_are_too_long_are_cut() {
    let domain = format!("{}.{}.com", "l".repeat(30), "m".repeat(30));
    asks_for("cut", &format!("routes.\"{domain}\" = \"app\"\nattachments.\"{domain}\" = [\"redis\"]"));
}

#[test]
fn derived_names_that_would_mean_two_things_are_left_out() {
    asks_for(
        "left_out",
        r#"
[routes]
"api.a.com" = "app"
"api.b.com" = "app"
"redis.c.com" = "app"
"api.d.com" = "app"
[network_groups]
one = ["api.a.com", "api.b.com"]
[attachments]
one = ["postgres", "my-postgres"]
"redis.c.com" = ["redis"]
"api.d.com" = ["my-postgres"]
"#,
    );
}

#[test]
fn what_meets_in_one_app_alone_counts_over_all_its_networks() {
    asks_for(
        "left_out_between_networks",
        r#"
[routes]
"a.com" = "app"
"db.b.com" = "app"
"c.com" = "app"
[network_groups]
one = ["a.com", "db.b.com"]
two = ["a.com", "c.com"]
[attachments]
two = [{ image = "postgres", name = "db" }]
"#,
    );
}

// what a config asks for -----------------------------------------------------------------------------------------

#[test]
fn services_inherit_the_env_file_of_their_app_or_of_the_groups_first_member() {
    asks_for(
        "env_files",
        r#"
[routes]
"a.com" = { image = "app", env_file = "own.env" }
"b.com" = "app"
"c.com" = "app"
[network_groups]
one = ["b.com", "c.com"]
[attachments]
"a.com" = [{ image = "redis", env_file = "own.env" }]
"c.com" = [{ image = "redis", name = "cache" }]
one = ["redis"]
"#,
    );
}

#[test]
fn an_id_stands_for_the_domain_in_every_name() {
    asks_for(
        "id",
        r#"
[routes]
"www.a.com" = { image = "app", id = "site", volumes = ["files:/files"] }
[attachments]
"www.a.com" = ["redis"]
"#,
    );
}

/// A member of two groups, with a database of its own, beside one without.
const MEMBERS: &str = r#"
[routes]
"a.com" = "app"
"b.com" = "app"
[network_groups]
one = ["a.com", "b.com"]
two = ["a.com"]
[attachments]
"a.com" = ["postgres"]
one = ["redis"]
"#;

#[test]
fn a_members_attachments_are_on_the_network_of_its_first_group() {
    asks_for("members", MEMBERS);
}

#[test]
fn a_members_attachments_are_its_own_when_the_config_says_so() {
    asks_for("members_private", &format!("network_isolation.member_attachments = \"private\"\n{MEMBERS}"));
}

#[test]
fn every_app_without_a_group_has_a_network_when_the_config_says_so() {
    let text = MEMBERS.replace("[routes]", "[routes]\n\"c.com\" = \"app\"");
    asks_for("scope_all", &format!("network_isolation.scope = \"all\"\n{text}"));
}

#[test]
fn without_isolation_there_are_routes_on_the_default_network_and_projects() {
    let project = "[apps]\nweb = \"app\"\n[services]\ndb = \"postgres\"";
    asks_for(
        "not_isolated",
        &format!("name = \"shop\"\nnetwork_isolation.enabled = false\n{MEMBERS}{project}"),
    );
}

#[test]
fn an_app_alone_is_on_the_default_network_or_without_a_proxy_on_dockers_bridge() {
    asks_for("alone", "routes.\"a.com\" = \"app\"");
    asks_for("alone_without_proxy", "routes.\"a.com\" = \"app\"\nproxy.enabled = false");
}

#[test]
fn what_an_image_declares_is_kept_on_a_volume_of_its_container() {
    asks_for(
        "auto_volumes",
        r#"
volumes.prefix = "data"
[routes]
"a.com" = { image = "postgres", replicas = 2 }
"b.com" = { image = "unknown" }
[attachments]
"a.com" = ["my-postgres"]
"#,
    );
}

#[test]
fn a_declared_mount_covers_what_the_image_declares() {
    asks_for(
        "auto_volumes_covered",
        r#"
[routes]
"a.com" = { image = "redis", volumes = ["mine:/data/"] }
"b.com" = { image = "my-postgres", volumes = ["./log:/log", "mine:/var/lib/postgresql/data"] }
"c.com" = { image = "redis", volumes = ["mine:/data/sub"] }
"#,
    );
}

#[test]
fn nothing_is_kept_of_what_images_declare_when_the_config_says_so() {
    asks_for("no_auto_volumes", "volumes.auto_create = false\nroutes.\"a.com\" = \"redis\"");
}

#[test]
fn a_health_check_of_the_config_or_of_the_image_is_waited_for() {
    asks_for(
        "ready",
        r#"
name = "shop"
deploy.health_timeout = "9s"
[routes]
"a.com" = "checked"
"b.com" = { image = "app", health = { cmd = "true" } }
"c.com" = { image = "app", health = { path = "/up" } }
"d.com" = "app"
[apps.web]
image = "app"
health = { path = "/up", interval = "3s" }
[apps.admin]
image = "app"
health = { path = "/up", port = 9000, status = [204, "400-401"], start_period = "20s", retries = 2 }
[services.search]
image = "listens"
health = { path = "/health" }
[services.index]
image = "listens-twice"
health = { path = "/health", port = 9200, start_period = "2s" }
[services.db]
image = "app"
health = { cmd = "true", start_period = "20s", retries = 4 }
"#,
    );
    asks_for(
        "ready_without_proxy",
        r#"
proxy = { enabled = false, image = "prober" }
[routes]
"c.com" = { image = "app", port = 8080, health = { path = "/up" } }
"#,
    );
}

#[test]
fn services_stand_after_those_that_they_start_after() {
    asks_for(
        "after",
        r#"
name = "shop"
[routes]
"a.com" = { image = "app", restart = "no" }
[attachments]
"a.com" = [{ image = "app", name = "late", after = ["early"] }, { image = "app", name = "early" }]
[apps]
job = { image = "app", restart = "no" }
[services]
web = { image = "app", after = ["migrate", "cache"] }
migrate = { image = "checked", restart = "no", after = "db" }
report = { image = "app", restart = "no" }
watched = { image = "app", restart = "no", health = { cmd = "true" } }
cache = "app"
db = "app"
"#,
    );
}

#[test]
fn a_path_is_asked_of_one_port() {
    errors(
        "ready_ports",
        r#"
name = "shop"
proxy.enabled = false
[routes]
"a.com" = "listens-twice"
"b.com" = { image = "listens-twice", health = { path = "/up" } }
[services.search]
image = "listens-twice"
health = { path = "/up" }
"#,
    );
}

/// Each host with its app and its target, and the notes.
fn routes_of(text: &str) -> Vec<String> {
    let loaded = config::load(&config::Source { path: "gordon.toml", text });
    let exposes = |ports: &[&str]| ImageFacts {
        ports: ports.iter().map(ToString::to_string).collect(),
        ..ImageFacts::default()
    };
    let images = [("none", &[][..]), ("one", &["8080/tcp", "53/udp"]), ("two", &["80/tcp", "443/tcp"])]
        .map(|(name, ports)| (Image::parse(name).expect("an image"), exposes(ports)));
    let inputs = Inputs { images: images.into(), ..Inputs::default() };
    let (desired, _) = resolve(&loaded.config.expect("a config"), &inputs);
    let routes = desired.routes.iter().flat_map(|route| {
        route.hosts.iter().map(move |host| format!("{host} → {} → {}", route.base_name, route.target()))
    });
    let assumed = |note: &&Note| matches!(note, Note::PortAssumed { .. });
    routes.chain(desired.notes.iter().filter(assumed).map(Note::to_string)).collect()
}

#[test]
fn every_host_is_routed_to_its_app_and_an_assumed_port_is_noted() {
    let config = "\
        name = \"shop\"\n[network_isolation]\nscope = \"all\"\n[proxy]\nenabled = false\n[routes]\n\"a.test\" = \"none\"\n\
        \"b.test\" = { image = \"one\", id = \"bee\" }\n\"c.test\" = \"two\"\n\"d.test\" = { image = \"two\", port = 443 }\n\
        \"e.test\" = \"unknown\"\n\
        [apps.web]\nimage = \"one\"\nproxy = { hosts = [\"shop.test\", \"www.shop.test\"], app_port = 9000 }\n\
        [apps.worker]\nimage = \"one\"\n";
    assert_eq!(
        routes_of(config),
        [
            "a.test → shop-a.test → a-test:80",
            "b.test → shop-bee → bee:8080",
            "c.test → shop-c.test → c-test:80",
            "d.test → shop-d.test → d-test:443",
            "e.test → shop-e.test → e-test:80",
            "shop.test → shop-web → shop-web:9000",
            "www.shop.test → shop-web → shop-web:9000",
            "neither a `port` nor an image says where these listen, so it is taken to be 80: \
             shop-a.test, shop-c.test, shop-e.test",
        ]
    );
}

#[test]
fn without_a_network_an_app_is_called_as_its_container() {
    let config =
        "name = \"shop\"\n[proxy]\nenabled = false\n[routes]\n\"a.test\" = { image = \"none\", port = 81 }\n";
    assert_eq!(routes_of(config), ["a.test → shop-a.test → shop-a.test:81"]);
}

#[test]
fn a_name_that_docker_derives_another_from_is_one_that_it_takes() {
    let text = |name: &str| {
        format!("name = \"shop\"\nproxy.enabled = false\n[services.\"{name}\"]\nimage = \"redis\"\n")
    };
    for name in ["my--redis", "my-_redis", "my-.redis", "my-my--redis"] {
        let (desired, problems) = resolved(&text(name));
        assert_eq!(problems, "", "{name}");
        let aliases: Vec<_> =
            desired.workloads[0].attachments[0].aliases.iter().map(|a| a.as_str()).collect();
        assert_eq!(aliases[..2], [name, &format!("{name}.internal")], "{name}: {aliases:?}");
    }
}

#[test]
fn a_folder_in_memory_takes_the_place_of_an_image_s_volume() {
    let mounts = |settings: &str| {
        let (desired, problems) =
            resolved(&format!("[routes]\n\"a.com\" = {{ image = \"redis\"{settings} }}\n"));
        assert_eq!(problems, "");
        desired.workloads[0].image_mounts.len()
    };
    assert_eq!(mounts(""), 1);
    assert_eq!(mounts(", tmpfs = [\"/data/:size=64m\"]"), 0);
}

#[test]
fn a_container_without_new_settings_keeps_the_spec_of_the_version_before() {
    let spec = |text: &str| {
        resolved(&format!("[routes]\n\"c.com\" = {{ image = \"app\"{text} }}\n")).0.workloads[0].spec()
    };
    assert_eq!(
        spec(", user = \"app\", memory = \"512m\", cpus = 1.5").as_str(),
        "cpus:9f29a130/image:a172cedc/memory:e29fde5d/user:a172cedc"
    );
    assert_eq!(spec("").as_str(), "image:a172cedc");
    assert_eq!(spec(", volumes = [\"/srv:/d:ro\"]").as_str(), "image:a172cedc/mount:1f1409e3");
    assert_eq!(spec(", volumes = [\"/srv:/d:ro,Z\"]").as_str(), "image:a172cedc/mount:5fe9a686");
}

#[test]
fn an_image_has_one_platform() {
    let text = |other: &str| {
        format!(
            "[routes]\n\"a.com\" = {{ image = \"app\", platform = \"linux/arm64\" }}\n\"b.com\" = {{ image = \"app\"{other} }}\n"
        )
    };
    for other in ["", ", platform = \"linux/arm64\""] {
        let (desired, problems) = resolved(&text(other));
        assert_eq!(problems, "");
        assert_eq!(desired.platforms().into_values().collect::<Vec<_>>(), ["linux/arm64"]);
    }
    errors("two_platforms", &text(", platform = \"linux/amd64\""));
}

#[test]
fn a_volume_has_a_name_that_fits() {
    let text = |name: &str| {
        format!("name = \"shop\"\n[services.db]\nimage = \"redis\"\nvolumes = [\"{name}:/data\"]\n")
    };
    assert_eq!(resolved(&text(&"a".repeat(250))).1, "");
    let (_, problems) = resolved(&text(&"a".repeat(251)));
    assert!(problems.contains("which is too long for docker"), "{problems}");
}

#[test]
fn volumes_of_an_image_obey_the_rules_of_a_configs_mounts() {
    for path in
        ["/", "//", "", "data", "/d:/etc:ro", "/a/../etc", "/d\n/etc", "/d\u{1b}]", "/e\u{7}'; touch x #"]
    {
        let odd = ImageFacts { volumes: vec![path.to_owned()], ..ImageFacts::default() };
        let inputs =
            Inputs { images: [(Image::parse("odd").expect("an image"), odd)].into(), ..Inputs::default() };
        let problems = |text: &str| {
            let loaded = config::load(&config::Source { path: "gordon.toml", text });
            let (_, problems) = resolve(&loaded.config.expect("a config"), &inputs);
            config::render(&problems, "gordon.toml", text, Colour::No)
        };
        let text = "name = \"shop\"\n[apps.web]\nimage = \"odd\"\n";
        let told = problems(text);
        assert!(told.starts_with("error: `odd` declares VOLUME `"), "{path:?}: {told}");
        assert!(
            told.contains("gordon.toml:2:") && !told.contains(|c: char| c.is_control() && c != '\n'),
            "{told}"
        );
        assert!(!problems(&format!("volumes.auto_create = false\n{text}")).contains("error: "));
    }
}
