//! What is planned for a host that is not empty, config by config: steps with their needs, risks and undos.
//! Everything runs on the model: no docker.
#![expect(clippy::unwrap_used, reason = "names that a test writes are right")]

mod ending;
mod external;
mod files;
mod left_data;
mod ports;
mod proxy;
mod release;
mod settings;

use gordon::config;
use gordon::desired::Desired;
use gordon::desired::Inputs;
use gordon::desired::resolve;
use gordon::docker::Await;
use gordon::docker::Fact;
use gordon::docker::Health;
use gordon::docker::Observed;
use gordon::docker::Op;
use gordon::docker::SeenContainer;
use gordon::docker::SeenImage;
use gordon::docker::SeenMembership;
use gordon::docker::SeenNetwork;
use gordon::docker::SeenVolume;
use gordon::docker::State;
use gordon::name::Alias;
use gordon::name::Container;
use gordon::name::EnvKey;
use gordon::name::Image;
use gordon::name::ImageId;
use gordon::name::Network;
use gordon::name::Project;
use gordon::name::Volume;
use gordon::plan::Conflict;
use gordon::plan::Options;
use gordon::plan::Plan;
use gordon::plan::Volumes;
use gordon::plan::diff;
use gordon::plan::down;
use gordon::plan::pulls;
use gordon::plan::rollback;
use gordon::plan::simulate;
use gordon::plan::status;
use gordon::spec::ImageFacts;
use gordon::spec::Secret;
use std::collections::BTreeSet;
use std::fmt::Write;
use std::time::Duration;

// hosts and configs -----------------------------------------------------------------------------------------------

const IMAGES: [(&str, &[&str], bool); 8] = [
    ("app:1", &[], false),
    ("app:2", &[], false),
    ("checked:1", &[], true),
    ("db:1", &["/data"], false),
    ("db:2", &["/data"], false),
    ("caddy:2", &[], false),
    ("caddy:3", &[], false),
    ("db:3", &["/var"], false),
];

fn image(text: &str) -> Image {
    Image::parse(text).unwrap()
}

fn container(text: &str) -> Container {
    Container::parse(text).unwrap()
}

fn network(text: &str) -> Network {
    Network::parse(text).unwrap()
}

fn id(n: usize) -> ImageId {
    ImageId::parse(format!("sha256:{}", format!("{n:02x}").repeat(32))).unwrap()
}

fn facts(volumes: &[&str], healthcheck: bool) -> ImageFacts {
    ImageFacts { volumes: volumes.iter().map(ToString::to_string).collect(), ports: Vec::new(), healthcheck }
}

/// The wanted state of a config, without a proxy unless the config mentions one.
fn desired(text: &str) -> Desired {
    let without = if text.contains("proxy") { "" } else { "proxy.enabled = false\n" };
    let text = &format!("{without}{text}");
    let loaded = config::load(&config::Source { path: "gordon.toml", text });
    let images = IMAGES.map(|(name, volumes, checked)| (image(name), facts(volumes, checked))).into();
    let env_files = [("env/a_com.env".to_owned(), "A=1".to_owned())].into();
    let (desired, problems) =
        resolve(&loaded.config.unwrap(), &Inputs { images, env_files, ..Inputs::default() });
    let all: Vec<_> = loaded.problems.into_iter().chain(problems).collect();
    assert!(!config::has_errors(&all), "{text}\n{all:?}");
    desired
}

/// A host with all images and nothing else.
fn host() -> Observed {
    let mut host = Observed::default();
    for (n, (name, volumes, checked)) in IMAGES.into_iter().enumerate() {
        host.images.here.insert(image(name), SeenImage { id: Some(id(n)), facts: facts(volumes, checked) });
    }
    host
}

/// The host after a config has been applied to it.
fn applied(text: &str, host: &Observed) -> Observed {
    let plan = diff(&desired(text), host, &Options::default()).unwrap();
    after(&plan, plan.steps().len(), host)
}

/// The host after the first `count` steps of a plan.
fn after(plan: &Plan, count: usize, host: &Observed) -> Observed {
    let mut host = host.clone();
    for step in &plan.steps()[..count] {
        simulate(&mut host, &step.op).unwrap();
    }
    host
}

/// Another project, or none.
fn project(name: Option<&str>) -> Option<Project> {
    name.map(|name| Project::parse(name).unwrap())
}

fn add_container(host: &mut Observed, name: &str, owner: Option<&str>) {
    let mut seen = applied("name = \"x\"\n[services]\ny = \"app:1\"", &self::host()).containers
        [&container("x-y")]
        .clone();
    seen.project = project(owner);
    seen.kind = seen.kind.filter(|_| owner.is_some());
    seen.memberships.clear();
    host.containers.insert(container(name), seen);
}

fn add_network(host: &mut Observed, name: &str, owner: Option<&str>) {
    let seen = SeenNetwork {
        project: project(owner),
        maker: None,
        managed: owner.is_some(),
        subnet: Some("172.20.0.0/16".parse().unwrap()),
        addresses: Default::default(),
    };
    host.networks.insert(network(name), seen);
}

fn change(host: &mut Observed, name: &str, change: impl FnOnce(&mut SeenContainer)) {
    change(host.containers.get_mut(&container(name)).unwrap());
}

// plans as text ---------------------------------------------------------------------------------------------------

fn snapshot(name: &str, text: &str) {
    insta::with_settings!({ snapshot_path => "../../snapshots", prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!(format!("plan_{name}"), text);
    });
}

fn planned(text: &str, host: &Observed, options: &Options) -> String {
    match diff(&desired(text), host, options) {
        Ok(plan) => plan.to_string(),
        Err(conflicts) => {
            conflicts.iter().map(|conflict: &Conflict| format!("conflict: {conflict}\n")).collect()
        }
    }
}

fn decides(name: &str, text: &str, host: &Observed) {
    snapshot(name, &planned(text, host, &Options::default()));
}

#[test]
fn the_text_of_a_plan_has_one_line_for_each_thing() {
    let text = "name = \"a\"\napps.web = { image = \"app:1\", strategy = \"recreate\" }";
    let host = applied(text, &host());
    let plan = diff(&desired(&text.replace("app:1", "app:2")), &host, &Options::default()).unwrap();
    insta::assert_snapshot!(plan, @r#"
    expects no a-web-green or a-web-green is release 1 as seen or a-web-green is release 2 as wanted; otherwise: a-web-green is not as it was when this was planned
    expects no a-web-previous or a-web-previous is release 1 as seen; otherwise: a-web-previous is not as it was when this was planned
    expects a-web-green is release 2 as wanted or 10.208.248.129 free on a-network; otherwise: network a-network has no room for a-web-green at 10.208.248.129
    expects logs can be limited; otherwise: the engine's log driver cannot limit logs: say which it is, as in `containers = { log = "journald" }`
    expects no others answer to names of a; otherwise: a container that is not of this project answers to one of its names on its networks
    1 [] set the restart policy of a-web-green to no (image changed); unless a-web-green is release 2 as wanted or a-web-green restarts no or no a-web-green
    2 [1] stop a-web-green (image changed); unless a-web-green is release 2 as wanted or a-web-green stopped; undone by: start a-web-green, set the restart policy of a-web-green to always; interrupts
    3 [2] rename a-web-green to a-web-previous (makes room for its replacement); unless a-web-green is release 2 as wanted or no a-web-green; undone by: rename a-web-previous to a-web-green, start a-web-green, set the restart policy of a-web-green to always
    4 [3] run a-web-green of app:2 as release 2, on a-network at 10.208.248.129 as web a-web (image changed); unless a-web-green is release 2 as wanted; undone by: stop a-web-green, remove a-web-green, rename a-web-previous to a-web-green, start a-web-green, set the restart policy of a-web-green to always
    5 [4] see that a-web-green stays up for 5s (not ready yet); unless a-web-green restarts always; undone likewise
    6 [5] set the restart policy of a-web-green to always (it is ready: docker keeps it up from here on); unless a-web-green restarts always; undone likewise
    note: a-web-green cannot be rolled out, because its strategy is `recreate`: it is replaced, with an interruption
    "#);
}

// what is missing -------------------------------------------------------------------------------------------------

const SHOP: &str = r#"
name = "shop"
[services]
db = "db:1"
[apps]
web = { image = "app:1", volumes = ["files:/files"] }
"#;

#[test]
fn a_container_is_made_after_its_image_networks_and_volumes() {
    let mut bare = host();
    bare.images.here.clear();
    decides("first_start", SHOP, &bare);
}

#[test]
fn a_pulled_image_is_checked_for_volumes_that_not_every_container_mounts() {
    let mut bare = host();
    bare.images.here.clear();
    let text = "[routes]\n\"a.com\" = { image = \"other:1\", volumes = [\"one:/a\", \"two:/b\"] }\n\
                \"b.com\" = { image = \"other:1\", volumes = [\"two:/b/\", \"three:/c\"] }";
    decides("volumes_known", text, &bare);
}

#[test]
fn a_foreign_container_with_a_name_of_the_project_is_a_conflict() {
    const CONFIG: &str = "name = \"x\"\n[services]\ny = \"app:1\"";
    for (name, owner, state, aliases, dns_names, found) in [
        ("other", None, State::Running, &["Y"][..], &[][..], Some("y")),
        ("other", None, State::Paused, &[], &["y"], Some("y")),
        ("other", Some("z"), State::Running, &["web", "x-y"], &[], Some("x-y")),
        ("X-Y", None, State::Running, &[], &[], Some("x-y")),
        // a replacement that is cut off leaves this name
        ("other", None, State::Running, &["x-y-previous"], &[], Some("x-y-previous")),
        ("other", Some("x"), State::Running, &["y"], &[], None),
        ("other", None, State::Exited, &["y"], &[], None),
        ("other", None, State::Running, &["z"], &["x"], None),
    ] {
        let mut host = applied(CONFIG, &host());
        add_container(&mut host, name, owner);
        let set = |names: &[&str]| names.iter().map(|name| Alias::parse(*name).unwrap()).collect();
        let seen = SeenMembership { aliases: set(aliases), dns_names: set(dns_names), ..Default::default() };
        change(&mut host, name, |container| {
            container.state = state;
            container.memberships.insert(network("x-network"), seen);
        });
        let conflicts = diff(&desired(CONFIG), &host, &Options::default()).err().unwrap_or_default();
        let texts: Vec<String> = conflicts.iter().map(ToString::to_string).collect();
        let expected = found.map(|alias| {
            format!(
                "container `{name}` is not of this project, and answers to `{alias}` on network `x-network`"
            )
        });
        assert_eq!(texts, Vec::from_iter(expected), "{name} {owner:?} {state:?} {aliases:?} {dns_names:?}");
        let is_told = |conflict: &Conflict| {
            conflict.hint().contains(&format!("`docker network disconnect x-network {name}`"))
        };
        assert!(conflicts.iter().all(is_told));
    }
}

#[test]
fn a_rollback_refuses_a_foreign_container_with_a_name_of_the_project() {
    let next = SHOP.replace("app:1", "app:2");
    let mut host = applied(&next, &applied(SHOP, &host()));
    add_container(&mut host, "other", None);
    let web = Alias::parse("web").unwrap();
    let seen = SeenMembership { aliases: [web].into(), ..Default::default() };
    change(&mut host, "other", |other| drop(other.memberships.insert(network("shop-network"), seen)));
    let conflicts = rollback(&desired(&next), &host, None, &BTreeSet::new()).unwrap_err();
    assert!(matches!(conflicts[..], [Conflict::OtherAnswers { .. }]), "{conflicts:?}");
}

#[test]
fn an_image_is_pulled_when_the_config_says_so() {
    for (pull, here, due, planned) in [
        ("missing", true, 0, 0),
        ("missing", false, 1, 1),
        ("always", true, 1, 0),
        ("always", false, 1, 1),
        ("never", true, 0, 0),
        ("never", false, 0, 0),
    ] {
        let mut host = host();
        host.images.here.retain(|_, _| here);
        let desired = desired(&format!("deploy.pull = \"{pull}\"\nroutes.\"a.com\" = \"app:1\""));
        assert_eq!(pulls(&desired, &host.images).steps().len(), due, "{pull}, {here}");
        let plan = diff(&desired, &host, &Options::default()).unwrap();
        let count = plan.steps().iter().filter(|step| matches!(step.op, Op::Pull { .. })).count();
        assert_eq!(count, planned, "{pull}, {here}");
        let is_expected = plan.expects.iter().any(|expect| matches!(expect.any.as_slice(), [Fact::Image(_)]));
        assert_eq!(is_expected, pull == "never", "{pull}, {here}");
    }
}

#[test]
fn an_unavailable_image_blocks_only_the_workloads_that_need_it() {
    let mut host = host();
    host.images.here.remove(&image("db:1"));
    host.images.unavailable.insert(image("db:1"), "no such manifest".to_owned());
    let other = "[routes]\n\"a.com\" = \"app:1\"";
    decides("blocked", &format!("{SHOP}{other}"), &host);
}

#[test]
fn a_running_service_satisfies_its_apps_when_its_new_image_is_unavailable() {
    let mut host = applied(SHOP, &host());
    host.images.here.remove(&image("db:2"));
    host.images.unavailable.insert(image("db:2"), "no such manifest".to_owned());
    decides("blocked_service_runs", &SHOP.replace("db:1", "db:2").replace("app:1", "app:2"), &host);
}

// what has changed ------------------------------------------------------------------------------------------------

#[test]
fn a_service_is_replaced_and_restored_when_the_new_one_fails() {
    decides("replaced", &SHOP.replace("db:1", "db:2"), &applied(SHOP, &host()));
}

#[test]
fn a_replacement_that_was_cut_off_continues_and_keeps_the_old_container_to_the_end() {
    let host = applied(SHOP, &host());
    let text = SHOP.replace("db:1", "db:2");
    let plan = diff(&desired(&text), &host, &Options::default()).unwrap();
    let mut all = String::new();
    for count in 1..plan.steps().len() {
        let half_way = after(&plan, count, &host);
        let rest = planned(&text, &half_way, &Options::default());
        let third = planned(&text.replace("db:2", "db:1"), &half_way, &Options::default());
        let _ = write!(all, "cut off after step {count}:\n{rest}\nand with a third release:\n{third}\n");
    }
    snapshot("replaced_cut_off", &all);
}

const RECREATED: &str = r#"
network_isolation.scope = "all"
routes."a.com" = { image = "app:1", strategy = "recreate", replicas = 3 }
"#;

#[test]
fn an_orphan_releases_its_port_before_another_container_publishes_it() {
    let service = |name: &str, port: &str| {
        format!("name = \"shop\"\n[services.{name}]\nimage = \"redis:7\"\nports = [\"{port}\"]\n")
    };
    let host = applied(&service("cache", "127.0.0.1:6000-6010:6000-6010"), &host());
    let options = Options { replace: true, ..Options::default() };
    let plan = diff(&desired(&service("store", "6005:6379")), &host, &options).unwrap();
    let step = |op: &dyn Fn(&Op) -> bool| plan.steps().iter().find(|step| op(&step.op)).unwrap();
    let gone = step(&|op| matches!(op, Op::Remove { name } if name.as_str() == "shop-cache"));
    let comes = step(&|op| matches!(op, Op::Run(launch) if launch.name.as_str() == "shop-store"));
    assert!(comes.needs.contains(&gone.id));
}

#[test]
fn replicas_are_replaced_one_after_the_other() {
    decides("replicas_replaced", &RECREATED.replace("app:1", "app:2"), &applied(RECREATED, &host()));
}

#[test]
fn an_app_that_cannot_be_rolled_out_is_rolled_back_by_replacement() {
    let text = "network_isolation.scope = \"all\"\n\
                routes.\"a.com\" = { image = \"app:1\", strategy = \"recreate\", replicas = 2 }";
    let next = text.replace("app:1", "checked:1");
    let host = applied(&next, &applied(text, &host()));
    let back = rollback(&desired(&next), &host, None, &BTreeSet::new()).unwrap();
    snapshot("rolled_back", &back.to_string());
    let mut all = String::new();
    for count in 1..back.steps().len() / 2 {
        let rest = planned(&next, &after(&back, count, &host), &Options::default());
        let _ = write!(all, "cut off after step {count}, and applied:\n{rest}\n");
    }
    snapshot("rolled_back_cut_off", &all);
    let half_way = rollback(&desired(&next), &after(&back, 3, &host), None, &BTreeSet::new());
    assert_eq!(half_way.unwrap_err(), [Conflict::BetweenReleases(container("gordon-a.com"))]);
}

#[test]
fn a_rollback_skips_a_network_that_does_not_exist() {
    let text = |image: &str, scope: &str| {
        format!(
            "network_isolation.scope = \"{scope}\"\nproxy.enabled = false\nroutes.\"a.com\" = \"{image}\""
        )
    };
    let host = applied(&text("app:2", "attached"), &applied(&text("app:1", "attached"), &host()));
    let back = rollback(&desired(&text("app:2", "all")), &host, None, &BTreeSet::new()).unwrap();
    assert!(!back.steps().iter().any(|step| matches!(step.op, Op::Connect { .. })), "{back}");
    let host = after(&back, back.steps().len(), &host);
    assert!(host.containers[&container("gordon-a.com")].state.is_up());
}

#[test]
fn a_proved_release_is_kept_and_an_unproved_one_is_not() {
    let host = applied(RECREATED, &host());
    let text = RECREATED.replace("app:1", "app:2").replace("replicas = 3", "replicas = 1");
    let mut host = applied(&text, &host);
    let third = RECREATED.replace("app:1", "checked:1").replace("replicas = 3", "replicas = 1");
    decides("proven", &third, &host);
    change(&mut host, "gordon-a.com", |seen| seen.health = Health::Unhealthy);
    decides("unproven", &third, &host);
}

#[test]
fn an_app_is_rolled_out_beside_its_serving_containers() {
    let text = SHOP.replace("files:/files\"]", "files:/files\"], replicas = 2");
    let host = applied(&text, &host());
    decides("rolled_out", &text.replace("app:1", "app:2"), &host);
    let again = applied(&text.replace("app:1", "app:2"), &host);
    decides("rolled_out_again", &text.replace("app:1", "checked:1"), &again);
}

#[test]
fn a_drain_of_no_time_is_no_step() {
    let text = format!("deploy.drain = \"0s\"\n{SHOP}");
    let plan = diff(&desired(&text.replace("app:1", "app:2")), &applied(&text, &host()), &Options::default());
    let plan = plan.unwrap();
    let drains = plan.steps().iter().filter_map(|step| match &step.op {
        Op::Await(Await::Drain { time, .. }) => Some(*time),
        _ => None,
    });
    // what others have just learnt of its address is waited for
    assert_eq!(drains.collect::<Vec<_>>(), [Duration::from_secs(1)], "{plan}");
}

#[test]
fn a_rollout_has_hardly_more_edges_than_steps() {
    let networks = SHOP.replace("files:/files\"]", "files:/files\"], replicas = 3");
    let none = "network_isolation.enabled = false\nroutes.\"a.com\" = { image = \"app:1\", replicas = 3 }"
        .to_owned();
    for (text, steps, most) in [(networks, 41, 54), (none, 23, 30)] {
        let host = applied(&text, &host());
        let plan = diff(&desired(&text.replace("app:1", "app:2")), &host, &Options::default()).unwrap();
        let edges: usize = plan.steps().iter().map(|step| step.needs.len() + step.after.len()).sum();
        assert_eq!(plan.steps().len(), steps);
        assert!(edges <= most, "{edges} edges");
    }
}

#[test]
fn every_change_of_an_app_is_rolled_out_with_its_reason() {
    let seen = applied(SHOP, &host());
    let mut reasons = String::new();
    let mut tell = |what: &str, text: &str, host: &Observed, options: &Options| {
        let plan = diff(&desired(text), host, options).unwrap();
        let step =
            plan.steps().iter().find(|step| matches!(step.op, Op::Run(_) | Op::Create(_))).expect(what);
        let _ = writeln!(reasons, "{what}: {:#} ({})", step.op, step.reason);
    };
    tell("spec", &SHOP.replace("app:1", "app:2"), &seen, &Options::default());
    let mut host = seen.clone();
    host.images.here.get_mut(&image("app:1")).unwrap().id = Some(id(77));
    tell("image", SHOP, &host, &Options::default());
    let mut host = seen.clone();
    change(&mut host, "shop-web-green", |seen| seen.volumes.clear());
    tell("volume", SHOP, &host, &Options::default());
    let mut host = seen.clone();
    change(&mut host, "shop-web-green", |seen| {
        seen.state = State::Exited;
        seen.memberships.values_mut().for_each(|membership| membership.stale = true);
    });
    tell("network", SHOP, &host, &Options::default());
    let recreate = Options { recreate: ["shop-web-green".to_owned()].into(), ..Options::default() };
    tell("asked", SHOP, &seen, &recreate);
    snapshot("reasons", &reasons);
}

#[test]
fn a_changed_secret_replaces_the_containers_that_have_the_old_value() {
    let text = "routes.\"a.com\" = { image = \"app:1\", environment = { secret = [\"KEY\"] } }";
    let mut host = applied(text, &host());
    let key = EnvKey::parse("KEY").unwrap();
    change(&mut host, "gordon-a.com", |seen| drop(seen.env.insert(key.clone(), Secret::new("old"))));
    let mut desired = desired(text);
    for (value, is_replaced) in [("old", false), ("new", true)] {
        desired.secrets.insert(key.clone(), Secret::new(value));
        let plan = diff(&desired, &host, &Options::default()).unwrap();
        assert_eq!(!plan.is_empty(), is_replaced, "{value}");
    }
}

#[test]
fn a_service_keeps_the_old_env_file_of_its_app_and_the_plan_notes_it() {
    let text = "routes.\"a.com\" = \"app:1\"\nattachments.\"a.com\" = [\"db:1\"]";
    let mut host = applied(text, &host());
    assert_eq!(planned(text, &host, &Options::default()), "nothing\n");
    change(&mut host, "gordon-a.com-db", |seen| seen.inherits = None);
    decides("inherited", text, &host);
}

#[test]
fn a_changed_container_is_repaired() {
    let seen = applied(SHOP, &host());
    let mut all = String::new();
    let mut tell = |what: &str, change_it: &dyn Fn(&mut Observed)| {
        let mut host = seen.clone();
        add_network(&mut host, "unlabelled", None);
        change_it(&mut host);
        let _ = write!(all, "{what}:\n{}\n", planned(SHOP, &host, &Options::default()));
    };
    let name = network("shop-network");
    let also_on = |host: &mut Observed, name: &str| {
        change(host, "shop-db", |seen| drop(seen.memberships.insert(network(name), Default::default())));
    };
    tell("without an alias", &|host| {
        change(host, "shop-db", |seen| seen.memberships.get_mut(&name).unwrap().aliases.clear());
    });
    tell("without its network", &|host| {
        let (container, network) = (container("shop-db"), name.clone());
        simulate(host, &Op::Disconnect { container, network }).unwrap();
    });
    tell("on the default bridge, too", &|host| also_on(host, "bridge"));
    tell("on a network that gordon did not make, too", &|host| also_on(host, "unlabelled"));
    tell("stopped", &|host| {
        let name = container("shop-db");
        simulate(host, &Op::Stop { name, timeout: Default::default() }).unwrap();
    });
    tell("paused", &|host| change(host, "shop-db", |seen| seen.state = State::Paused));
    tell("restarting", &|host| change(host, "shop-db", |seen| seen.state = State::Restarting));
    snapshot("repaired", &all);
}

#[test]
fn a_restarting_container_is_stopped_first() {
    let rolled = "name = \"shop\"\n[network_isolation]\nscope = \"all\"\n[apps]\nweb = \"app:1\"\n";
    let also = format!("{rolled}old = \"app:1\"\n");
    let restarting = |names: &[&str]| {
        let mut host = applied(&also, &applied(&also.replace("app:1", "app:2"), &host()));
        names.iter().for_each(|name| change(&mut host, name, |seen| seen.state = State::Restarting));
        host
    };
    let mut all = String::new();
    let mut tell = |what: &str, plan: String| {
        let _ = write!(all, "{what}:\n{plan}\n");
    };
    let plan = |text: &str, host: &Observed| planned(text, host, &Options::default());
    let outgoing = restarting(&["shop-web-green"]);
    tell("outgoing", plan(&also.replace("web = \"app:1", "web = \"app:2"), &outgoing));
    let mut on_the_bridge = outgoing.clone();
    change(&mut on_the_bridge, "shop-web-green", |seen| {
        seen.memberships.insert(network("bridge"), Default::default());
    });
    tell("on the default bridge, too", plan(&also, &on_the_bridge));
    tell("no longer wanted", plan(rolled, &restarting(&["shop-old-green"])));
    let back = rollback(&desired(&also), &outgoing, None, &BTreeSet::new()).unwrap();
    tell("gone back", back.to_string());
    snapshot("restarting", &all);
}

#[test]
fn the_release_that_a_rollback_replaces_stays_down() {
    let text = "name = \"shop\"\n[apps]\nweb = { image = \"app:1\", replicas = 2 }\n";
    let next = text.replace("app:1", "app:2");
    for state in [State::Running, State::Restarting, State::Exited] {
        let mut host = applied(&next, &applied(text, &host()));
        change(&mut host, "shop-web-green", |seen| seen.state = state);
        let back = rollback(&desired(&next), &host, None, &BTreeSet::new()).unwrap();
        let host = after(&back, back.steps().len(), &host);
        assert_eq!(host.containers[&container("shop-web-previous")].restart, "no", "{state:?}");
        let left = diff(&desired(text), &host, &Options::default()).unwrap();
        assert!(left.is_empty(), "{state:?}: {left}");
    }
}

#[test]
fn an_unproved_container_is_awaited_until_it_is_ready_once() {
    let seen = applied(SHOP, &host());
    let mut all = String::new();
    let mut tell = |what: &str, change_it: &dyn Fn(&mut SeenContainer)| {
        let mut host = seen.clone();
        let name = container("shop-web-green");
        if what == "given up" {
            simulate(&mut host, &Op::Stop { name, timeout: Default::default() }).unwrap();
        }
        change(&mut host, "shop-web-green", |seen| {
            seen.restart = "on-failure:10".to_owned();
            change_it(seen);
        });
        let _ = write!(all, "{what}:\n{}\n", planned(SHOP, &host, &Options::default()));
    };
    tell("running", &|_| {});
    tell("restarted since", &|seen| seen.restarts = 2);
    tell("between two restarts", &|seen| seen.state = State::Restarting);
    tell("given up", &|_| {});
    tell("of an older gordon", &|seen| {
        seen.restart = "unless-stopped".to_owned();
        seen.restarts = 2;
    });
    snapshot("never_ready", &all);
    let stated = SHOP.replace("image = \"app:1\"", "image = \"app:1\", restart = \"on-failure:10\"");
    let host = applied(&stated, &seen);
    assert_eq!(host.containers[&container("shop-web-green")].restart, "on-failure:10");
    assert_eq!(planned(&stated, &host, &Options::default()), "nothing\n");
}

#[test]
fn an_unproved_replacement_falls_back_and_an_unproved_release_is_not_kept() {
    let one = RECREATED.replace("replicas = 3", "replicas = 1");
    let host = applied(&one, &host());
    let next = one.replace("app:1", "app:2");
    let plan = diff(&desired(&next), &host, &Options::default()).unwrap();
    let wait = plan.steps().iter().position(|step| matches!(step.op, Op::Await(_))).unwrap();
    let mut unready = after(&plan, wait, &host);
    decides("unready_replacement", &next, &unready);
    change(&mut unready, "gordon-a.com-previous", |seen| seen.restart = "on-failure:10".to_owned());
    decides("unready_both", &next, &unready);
}

/// The host after an engine crash that left every container down.
fn crashed(host: &Observed) -> Observed {
    let mut host = host.clone();
    let up = host.containers.iter().filter(|(_, seen)| seen.state.is_up());
    for name in up.map(|(name, _)| name.clone()).collect::<Vec<_>>() {
        simulate(&mut host, &Op::Stop { name, timeout: Default::default() }).unwrap();
    }
    host
}

#[test]
fn after_an_engine_crash_the_serving_container_starts_before_its_successor_is_awaited() {
    let host = applied(SHOP, &host());
    let text = SHOP.replace("app:1", "app:2");
    let plan = diff(&desired(&text), &host, &Options::default()).unwrap();
    let begins = |op: &dyn Fn(&Op) -> bool| plan.steps().iter().position(|step| op(&step.op)).unwrap();
    let waits = begins(&|op| matches!(op, Op::Await(_)));
    decides("crashed_before_ready", &text, &crashed(&after(&plan, waits, &host)));
    let renames = begins(&|op| matches!(op, Op::Rename { .. }));
    decides("crashed_between_names", &text, &crashed(&after(&plan, renames + 1, &host)));
}

#[test]
fn after_an_engine_crash_every_container_is_started() {
    let mut host = crashed(&applied(SHOP, &host()));
    host.containers.values_mut().for_each(|seen| seen.restart = "unless-stopped".to_owned());
    decides("crashed_at_rest", SHOP, &host);
}

#[test]
fn a_container_that_can_never_start_is_removed_and_is_no_fallback() {
    let gone = |host: &Observed, name: &str| {
        let mut host = host.clone();
        if host.containers[&container(name)].state.is_up() {
            simulate(&mut host, &Op::Stop { name: container(name), timeout: Default::default() }).unwrap();
        }
        change(&mut host, name, |seen| seen.memberships.values_mut().for_each(|m| m.stale = true));
        host
    };
    let host = applied(SHOP, &host());
    let mut all = String::new();
    for (name, text) in
        [("shop-db", SHOP.replace("db:1", "db:2")), ("shop-web-green", SHOP.replace("app:1", "app:2"))]
    {
        let _ = write!(all, "{name}:\n{}\n", planned(&text, &gone(&host, name), &Options::default()));
    }
    let next = SHOP.replace("db:1", "db:2");
    let other = next.replace("\"db:2\"", "{ image = \"db:2\", environment = { A = \"1\" } }");
    let plan = diff(&desired(&next), &host, &Options::default()).unwrap();
    let waits = plan.steps().iter().position(|step| matches!(step.op, Op::Await(_))).unwrap();
    let cut_off = gone(&after(&plan, waits, &host), "shop-db-previous");
    for (what, text) in [("goes on", next), ("begins anew", other)] {
        let plan = planned(&text, &cut_off, &Options::default());
        let _ = write!(all, "shop-db-previous, when what was cut off {what}:\n{plan}\n");
    }
    let next = SHOP.replace("app:1", "app:2");
    let kept = gone(&applied(&next, &host), "shop-web-previous");
    assert!(rollback(&desired(&next), &kept, None, &BTreeSet::new()).is_err());
    snapshot("lost", &all);
}

#[test]
fn a_running_app_whose_network_is_gone_serves_until_its_successor_does() {
    let mut host = applied(SHOP, &host());
    change(&mut host, "shop-web-green", |seen| seen.memberships.values_mut().for_each(|m| m.stale = true));
    for text in [SHOP.to_owned(), SHOP.replace("app:1", "app:2")] {
        let plan = diff(&desired(&text), &host, &Options::default()).unwrap();
        let end = after(&plan, plan.steps().len(), &host);
        assert!(end.containers[&container("shop-web-green")].state.is_up());
        assert!(diff(&desired(&text), &end, &Options::default()).unwrap().is_empty(), "{plan}");
    }
}

#[test]
fn a_container_with_a_health_check_is_awaited_until_it_is_healthy() {
    let text = "routes.\"a.com\" = \"checked:1\"";
    for (health, is_awaited) in
        [(Health::Healthy, false), (Health::Starting, true), (Health::Unhealthy, true), (Health::None, false)]
    {
        let mut host = applied(text, &host());
        change(&mut host, "gordon-a.com", |seen| seen.health = health);
        let plan = planned(text, &host, &Options::default());
        assert_eq!(plan.contains("wait until gordon-a.com is healthy"), is_awaited, "{plan}");
    }
}

#[test]
fn a_readiness_check_of_the_config_overrides_the_images_own() {
    let text = "routes.\"a.com\" = { image = \"checked:1\", health = { path = \"/up\" } }";
    let mut host = applied(text, &host());
    let mut tell = |health: Health, restart: &str| {
        change(&mut host, "gordon-a.com", |seen| {
            seen.health = health;
            seen.restart = restart.to_owned();
        });
        let desired = desired(text);
        let plan = diff(&desired, &host, &Options::default()).unwrap();
        let unknown = Default::default();
        let serving = status(&desired, &host, &unknown, Ok(&plan)).owners[0].workloads[0].serving;
        (plan.is_empty(), serving)
    };
    assert_eq!(tell(Health::Unhealthy, "always"), (true, 1));
    assert_eq!(tell(Health::Healthy, "on-failure:10"), (false, 0));
}

#[test]
fn a_container_rejoins_at_its_address_if_that_is_free_and_fits() {
    let seen = applied(SHOP, &host());
    let name = network("shop-network");
    let mut all = String::new();
    let mut tell = |what: &str, change_it: &dyn Fn(&mut Observed)| {
        let mut host = seen.clone();
        let address = host.containers[&container("shop-db")].addresses[&name];
        change(&mut host, "shop-db", |seen| drop(seen.memberships.remove(&name)));
        host.networks.get_mut(&name).unwrap().addresses.remove(&address);
        change_it(&mut host);
        let plan = diff(&desired(SHOP), &host, &Options::default()).unwrap();
        let _ = writeln!(all, "{what}: {:#}", plan.steps()[0].op);
    };
    tell("free", &|_| {});
    tell("taken", &|host| {
        let address = host.containers[&container("shop-db")].addresses[&name];
        host.networks.get_mut(&name).unwrap().addresses.insert(address);
    });
    tell("of a subnet that was", &|host| {
        host.networks.get_mut(&name).unwrap().subnet = Some("10.77.7.0/24".parse().unwrap());
    });
    snapshot("addresses", &all);
}

#[test]
fn the_address_of_a_stopped_container_stays_reserved() {
    let mut host = applied("name = \"shop\"\n[apps]\nold = \"app:1\"", &host());
    change(&mut host, "shop-old-green", |seen| {
        seen.state = State::Exited;
        seen.memberships.clear();
    });
    host.networks.values_mut().for_each(|network| network.addresses.clear());
    decides("address_of_stopped", "name = \"shop\"\n[apps]\nnew = \"app:1\"\nold = \"app:1\"", &host);
}

// foreign things
// --------------------------------------------------------------------------------------------------

#[test]
fn a_foreign_thing_with_a_needed_name_is_a_conflict_or_used() {
    let mut all = String::new();
    let mut tell = |what: &str, change_it: &dyn Fn(&mut Observed)| {
        let mut host = host();
        change_it(&mut host);
        let _ = write!(
            all,
            "{what}:\n{}\n",
            planned("name = \"shop\"\n[apps]\nweb = \"db:1\"", &host, &Options::default())
        );
    };
    for owner in [None, Some("other")] {
        let who = owner.unwrap_or("no project");
        for name in ["shop-web-green", "shop-web-blue", "shop-web-previous"] {
            tell(&format!("{name} of {who}"), &|host| add_container(host, name, owner));
        }
        tell(&format!("the network of {who}"), &|host| add_network(host, "shop-network", owner));
        tell(&format!("the volume of {who}"), &|host| {
            let volume = Volume::parse("shop-web-green-data").unwrap();
            host.volumes.insert(
                volume,
                SeenVolume { project: project(owner), maker: None, managed: owner.is_some() },
            );
        });
    }
    tell("all addresses", &|host| add_network_of(host, "10.208.0.0/12"));
    snapshot("foreign", &all);
}

fn add_network_of(host: &mut Observed, subnet: &str) {
    add_network(host, "all", Some("other"));
    host.networks.get_mut(&network("all")).unwrap().subnet = Some(subnet.parse().unwrap());
}

#[test]
fn routes_of_the_machine_take_addresses_from_the_pool() {
    let text = "network_isolation = { address_pool = \"10.9.8.0/24\", scope = \"all\" }\nroutes.\"a.com\" = \"app:1\"";
    let mut host = host();
    assert!(diff(&desired(text), &host, &Options::default()).is_ok());
    host.routes.insert("10.9.0.0/16".parse().unwrap());
    assert!(
        diff(&desired(text), &host, &Options::default()).is_ok(),
        "one that contains all of it takes nothing"
    );
    host.routes.insert("10.9.8.0/25".parse().unwrap());
    decides("routes", text, &host);
}

#[test]
fn more_processors_than_the_host_has_are_a_conflict() {
    let desired = desired("name = \"a\"\nservices.db = { image = \"db:1\", cpus = 2.5 }");
    for (there, is_refused) in [(None, false), (Some(3), false), (Some(2), true)] {
        let host = Observed { processors: there, ..host() };
        let conflicts = diff(&desired, &host, &Options::default()).err().unwrap_or_default();
        let conflicts: Vec<String> = conflicts.iter().map(ToString::to_string).collect();
        let expected = ["`a-db` is to have 2.5 processors, and this host has 2"];
        assert_eq!(conflicts, expected[usize::from(!is_refused)..], "{there:?}");
    }
}

#[test]
fn a_network_without_a_free_address_is_a_conflict() {
    let mut host = applied(SHOP, &host());
    host.networks.get_mut(&network("shop-network")).unwrap().subnet = Some("10.7.7.0/30".parse().unwrap());
    decides("network_full", &SHOP.replace("db:1", "db:2").replace("app:1", "app:2"), &host);
}

#[test]
fn another_config_of_the_same_name_and_an_unknown_container_are_conflicts() {
    let host = applied(SHOP, &host());
    let other = "name = \"shop\"\n[apps]\nother = \"app:1\"";
    let replace = Options { replace: true, ..Options::default() };
    let unknown = Options { recreate: ["shop-unknown".to_owned()].into(), ..Options::default() };
    let text = [(other, &Options::default()), (other, &replace), (SHOP, &unknown)]
        .map(|(text, options)| planned(text, &host, options))
        .join("\n");
    snapshot("another_config", &text);
}

// orphans
// ---------------------------------------------------------------------------------------------------------

#[test]
fn orphans_are_removed_and_their_volumes_kept() {
    let text = format!(
        "{SHOP}[routes]\n\"a.com\" = {{ image = \"app:1\", replicas = 2 }}\n[network_isolation]\nscope = \"all\""
    );
    let host = applied(&text, &host());
    let rest = "name = \"shop\"\n[routes]\n\"a.com\" = \"app:1\"\n[network_isolation]\nscope = \"all\"";
    decides("orphans", rest, &host);
    assert_eq!(planned(rest, &applied(rest, &host), &Options::default()), "nothing\n");
}

#[test]
fn down_removes_everything_except_what_others_use() {
    let seen = applied(SHOP, &host());
    let project = Project::parse("shop").unwrap();
    let mut all = String::new();
    for (what, volumes) in [("volumes stay", Volumes::Keep), ("volumes go", Volumes::Remove)] {
        let _ = write!(
            all,
            "{what}:\n{}\n",
            down(&project, Default::default(), &seen, volumes, &BTreeSet::new())
        );
    }
    let mut host = seen;
    add_container(&mut host, "other-app", Some("other"));
    change(&mut host, "other-app", |seen| {
        seen.volumes.insert("/x".to_owned(), Volume::parse("shop-files").unwrap());
    });
    host.networks.get_mut(&network("shop-network")).unwrap().addresses.insert("10.9.9.9".parse().unwrap());
    let _ = write!(
        all,
        "others use them:\n{}\n",
        down(&project, Default::default(), &host, Volumes::Remove, &BTreeSet::new())
    );
    change(&mut host, "other-app", |seen| {
        seen.memberships.insert(network("shop-network"), Default::default());
    });
    host.networks.get_mut(&network("shop-network")).unwrap().addresses.clear();
    let _ = write!(
        all,
        "a stopped one uses them:\n{}\n",
        down(&project, Default::default(), &host, Volumes::Remove, &BTreeSet::new())
    );
    snapshot("down", &all);
}
