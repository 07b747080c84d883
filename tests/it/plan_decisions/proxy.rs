//! What is planned for the proxy and its routes of each project.

use super::add_container;
use super::add_network;
use super::after;
use super::applied;
use super::change;
use super::container;
use super::decides;
use super::desired;
use super::host;
use super::id;
use super::image;
use super::network;
use super::planned;
use super::snapshot;
use gordon::docker::Await;
use gordon::docker::Observed;
use gordon::docker::Op;
use gordon::docker::RoutesFile;
use gordon::docker::SeenVolume;
use gordon::docker::State;
use gordon::name::Container;
use gordon::name::Network;
use gordon::name::Project;
use gordon::name::Volume;
use gordon::plan::Options;
use gordon::plan::Plan;
use gordon::plan::Risk;
use gordon::plan::Volumes;
use gordon::plan::diff;
use gordon::plan::down;
use gordon::plan::rollback;
use gordon::plan::simulate;
use std::collections::BTreeSet;
use std::time::Duration;

const SHOP: &str = r#"
name = "shop"
proxy.tls = "off"
apps.web = { image = "app:1", proxy = { hosts = ["shop.com"] } }
"#;

const MALL: &str = r#"
name = "mall"
proxy.tls = "off"
apps.web = { image = "app:1", proxy = { hosts = ["mall.com"] } }
"#;

/// The same config with other settings of the proxy.
fn with(words: &str, text: &str) -> String {
    text.replace("proxy.tls = \"off\"", words)
}

fn project(name: &str) -> Project {
    Project::parse(name).unwrap()
}

fn proxy() -> Container {
    container("gordon-proxy")
}

fn befall(host: &mut Observed, op: Op) {
    simulate(host, &op).unwrap();
}

fn stopped(host: &mut Observed, name: &str) {
    befall(host, Op::Stop { name: container(name), timeout: Default::default() });
}

fn removed(host: &mut Observed, name: &str) {
    stopped(host, name);
    befall(host, Op::Remove { name: container(name) });
}

/// A host on which both configs were applied.
fn both() -> Observed {
    applied(MALL, &applied(SHOP, &host()))
}

/// The steps of a plan that change shared things, or its conflicts.
fn shared(plan: &Plan) -> String {
    let steps = plan.steps().iter().filter(|step| step.op.is_shared());
    steps.map(|step| format!("{}: {}{}\n", brief(&step.op), step.reason, cost(step.risk))).collect()
}

fn brief(op: &Op) -> String {
    match op {
        Op::AskRoutes { .. } | Op::WriteRoutes { .. } => format!("{op:#}"),
        other => other.to_string(),
    }
}

fn cost(risk: Risk) -> String {
    if risk == Risk::None { String::new() } else { format!(" ({risk:?})") }
}

/// Asserts the steps or conflicts of a config that concern shared things.
#[track_caller]
fn does(text: &str, host: &Observed, expected: &str) {
    let plan = diff(&desired(text), host, &Options::default());
    is(&plan.map_or_else(|_| planned(text, host, &Options::default()), |plan| shared(&plan)), expected);
}

/// Asserts the steps of a project's removal that concern shared things.
#[track_caller]
fn ends(name: &str, volumes: Volumes, host: &Observed, expected: &str) {
    is(&shared(&down(&project(name), Duration::from_secs(9), host, volumes, &BTreeSet::new())), expected);
}

#[track_caller]
fn is(text: &str, expected: &str) {
    let expected: Vec<&str> = expected.trim().lines().map(str::trim).collect();
    assert_eq!(text.lines().collect::<Vec<_>>(), expected, "\n{text}");
}

// the proxy -------------------------------------------------------------------------------------------------------

#[test]
fn the_proxy_is_made_before_the_apps_and_gets_routes_after_them() {
    decides("proxy_first", SHOP, &host());
}

#[test]
fn the_proxy_is_made_once_and_joins_the_networks_of_each_new_project() {
    let one = applied(SHOP, &host());
    does(
        MALL,
        &one,
        "connect gordon-proxy to mall-network: the proxy routes to apps there
         route to mall: mall.com: not there yet",
    );
    for text in [SHOP, MALL] {
        assert_eq!(planned(text, &both(), &Options::default()), "nothing\n");
    }
}

#[test]
fn another_word_of_a_site_is_a_reload_with_its_reason_and_nothing_is_probed() {
    let shop = SHOP.replace("hosts", "redirect_from = [\"www.shop.com\"], hosts");
    let mut before = applied(&shop, &host());
    // a file of routes from before text was compressed
    let file = before.routes_files.get_mut(&project("shop")).unwrap();
    *file = RoutesFile::from(&*file.as_str().replace("\tencode zstd gzip\n", ""));
    does(&shop, &before, "route to shop: shop.com, www.shop.com: routes changed shop.com; other compress");
    does(SHOP, &applied(&shop, &host()), "route to shop: shop.com: routes removed www.shop.com");
    // a host that is redirected belongs to its project
    let mall = MALL.replace("mall.com", "www.shop.com");
    does(&mall, &before, "conflict: `www.shop.com` is routed by project `shop` already");
    let mall = MALL.replace("hosts", "redirect_from = [\"shop.com\"], hosts");
    does(&mall, &before, "conflict: `shop.com` is routed by project `shop` already");
}

#[test]
fn a_new_or_changed_route_is_probed_before_the_proxy_gets_it() {
    let two = "[routes]\n\"a.com\" = { image = \"app:1\", port = 80 }\n\"b.com\" = { image = \"app:1\", port = 80 }";
    let two = &format!("proxy.tls = \"off\"\nnetwork_isolation.scope = \"all\"\n{two}");
    let host = applied(two, &host());
    let other = two.replacen("80", "81", 1);
    does(
        &other,
        &host,
        "see that the proxy reaches a.com at gordon-a.com.gordon-a-com.:81: routes changed a.com
         route to gordon: a.com, b.com: routes changed a.com",
    );
    let plan = diff(&desired(&other), &host, &Options::default()).unwrap();
    let (asks, writes) = (&plan.steps()[0], &plan.steps()[1]);
    assert!(writes.needs.contains(&asks.id), "a route on which nothing answers is not put");
    // an app that answered the proxy's own check is not probed again, unless only its port changes
    let health = ", health = { path = \"/up\" } }";
    let asked = |text: &str, host: &Observed| {
        let plan = diff(&desired(text), host, &Options::default()).unwrap();
        plan.steps().iter().any(|step| matches!(step.op, Op::AskRoutes { .. }))
    };
    let checked = two.replace(" }", health);
    assert!(!asked(&checked, &self::host()));
    assert!(asked(&checked.replacen("80", "81", 1), &applied(&checked, &self::host())));
}

#[test]
fn a_host_keeps_its_route_until_the_app_that_its_visitors_are_sent_to_is_up() {
    let two = format!(
        "{SHOP}apps.two = {{ image = \"app:1\", proxy = {{ hosts = [\"old.com\", \"two.com\"] }} }}\n"
    );
    let before = applied(&two, &host());
    let waits_for_new = |text: &str| {
        let plan = diff(&desired(text), &before, &Options::default()).unwrap();
        let ready = plan.steps().iter().rfind(
            |step| matches!(&step.op, Op::Update { name, .. } if *name == container("shop-new-green")),
        );
        let written = plan.steps().iter().find(|step| matches!(step.op, Op::WriteRoutes { .. })).unwrap();
        written.needs.contains(&ready.unwrap().id)
    };
    let new = "apps.new = { image = \"app:1\", proxy = { hosts = [\"new.com\"], redirect_from = [\"old.com\"] } }\n";
    assert!(waits_for_new(&(two.replace("\"old.com\", ", "") + new)));
    // a host that is new to the proxy has nothing to lose
    assert!(!waits_for_new(&(two.clone() + &new.replace("\"old.com\"", "\"www.new.com\""))));
}

/// A config with one app, on a network of its own or on a group's.
fn apart(image: &str) -> String {
    format!("proxy.tls = \"off\"\nnetwork_isolation.scope = \"all\"\nroutes.\"a.com\" = {image}")
}

fn in_a_group(image: &str) -> String {
    format!("{}\nnetwork_groups.all = [\"a.com\"]", apart(image))
}

#[test]
fn a_moving_app_stays_on_its_routed_network_until_the_proxy_routes_on_the_new_one() {
    let host = applied(&apart("\"app:1\""), &host());
    decides("proxy_app_moves", &in_a_group("\"app:1\""), &host);
    decides("proxy_app_moves_and_changes", &in_a_group("\"app:2\""), &host);
    let recreated = "{ image = \"app:2\", strategy = \"recreate\" }";
    decides("proxy_app_moves_and_is_recreated", &in_a_group(recreated), &host);
    let plan = diff(&desired(&in_a_group("\"app:1\"")), &host, &Options::default()).unwrap();
    let is_asked_there = |op: &Op| matches!(op, Op::WriteRoutes { .. });
    let count = 1 + plan.steps().iter().position(|step| is_asked_there(&step.op)).unwrap();
    decides("proxy_app_moved", &in_a_group("\"app:1\""), &after(&plan, count, &host));
}

#[test]
fn a_moving_app_stays_on_its_routed_network_when_the_proxy_is_blocked() {
    let mut host = applied(&apart("\"app:1\""), &host());
    host.images.here.remove(&image("caddy:3"));
    host.images.unavailable.insert(image("caddy:3"), "no such manifest".to_owned());
    let text = with("proxy = { tls = \"off\", image = \"caddy:3\" }", &in_a_group("\"app:1\""));
    decides("proxy_app_stays", &text, &host);
}

#[test]
fn a_rolled_back_release_joins_the_routed_network() {
    let mut host = applied(&apart("\"app:2\""), &applied(&apart("\"app:1\""), &host()));
    add_network(&mut host, "gordon-all", Some("gordon"));
    let back = rollback(&desired(&in_a_group("\"app:2\"")), &host, None, &BTreeSet::new()).unwrap();
    let end = after(&back, back.steps().len(), &host);
    let on = end.containers[&container("gordon-a.com")].memberships.keys().map(Network::to_string);
    assert_eq!(on.collect::<Vec<_>>(), ["gordon-a-com", "gordon-all"]);
}

#[test]
fn routes_of_an_older_gordon_without_networks_are_rewritten() {
    let mut host = both();
    let routes_file = host.routes_files.get_mut(&project("shop")).unwrap();
    *routes_file = routes_file.as_str().replace(".shop-network.", "").as_str().into();
    does(
        SHOP,
        &host,
        "see that the proxy reaches shop.com at shop-web-green.shop-network.:3000: routes changed shop.com
         route to shop: shop.com: routes changed shop.com",
    );
}

#[test]
fn the_proxy_joins_the_new_release_before_the_routed_one_leaves() {
    let text = |proxy: &str, image: &str, services: &str| {
        format!("{proxy}\n[routes]\n\"a.com\" = \"{image}\"\n[attachments]\n\"a.com\" = [{services}]")
    };
    let mut host = applied(&text("proxy.tls = \"off\"", "app:1", ""), &host());
    let plan = diff(&desired(&text("proxy.enabled = false", "app:2", "")), &host, &Options::default());
    let plan = plan.unwrap();
    let takes_over = |op: &Op| matches!(op, Op::Rename { to, .. } if to.as_str() == "gordon-a.com");
    let count = 1 + plan.steps().iter().position(|step| takes_over(&step.op)).unwrap();
    plan.steps()[..count].iter().for_each(|step| befall(&mut host, step.op.clone()));
    decides("proxy_back_on", &text("proxy.tls = \"off\"", "app:2", "\"redis:7\""), &host);
}

#[test]
fn the_proxys_new_image_is_pulled_before_it_stops() {
    decides("proxy_pulled", &with("proxy = { tls = \"off\", image = \"caddy:4\" }", SHOP), &both());
}

#[test]
fn a_pool_without_a_subnet_for_the_proxy_is_a_conflict() {
    let text = format!("{SHOP}\n[network_isolation]\naddress_pool = \"10.9.8.0/24\"");
    does(
        &text,
        &host(),
        "conflict: the address pool `10.9.8.0/24` has no free subnet for network `0-gordon-proxy`",
    );
    does(&text, &both(), "");
}

#[test]
fn the_maker_changes_the_proxys_ports_and_the_old_proxy_returns_if_they_are_in_use() {
    let text = with("proxy = { tls = \"off\", http_port = 8080 }", SHOP);
    decides("proxy_replaced", &text, &both());
    let plan = diff(
        &desired(&with("proxy = { tls = \"off\", http_port = 8080, https_port = 8443 }", SHOP)),
        &both(),
        &Options::default(),
    );
    assert_eq!(plan.unwrap().steps()[0].reason.to_string(), "command changed, ports changed");
    does(
        &with("proxy = { tls = \"off\", image = \"caddy:3\" }", SHOP),
        &both(),
        "write the set-up of gordon-proxy: image changed
         set the restart policy of gordon-proxy to no: image changed
         stop gordon-proxy: image changed (Interrupts)
         rename gordon-proxy to gordon-proxy-previous: makes room for its replacement
         run gordon-proxy: image changed
         see that gordon-proxy stays up for 1s: not ready yet
         set the restart policy of gordon-proxy to always: it is ready: docker keeps it up from here on
         remove gordon-proxy-previous: its replacement has taken over (Removes)
         connect gordon-proxy to mall-network: the proxy routes to apps there
         connect gordon-proxy to shop-network: the proxy routes to apps there",
    );
}

#[test]
fn only_the_maker_may_change_the_proxys_ports_and_image() {
    for (words, differs) in [
        ("proxy = { tls = \"off\", https_port = 8443 }", "ports"),
        ("proxy = { tls = \"off\", image = \"caddy:3\" }", "image"),
        ("proxy = { tls = \"off\", image = \"caddy:3\", http_port = 8080 }", "image and ports"),
    ] {
        let expected = format!(
            "conflict: the proxy of this host is that of project `shop`, and its {differs} differ from this config's"
        );
        does(&with(words, MALL), &both(), &expected);
    }
}

#[test]
fn any_project_may_change_the_proxy_once_its_maker_is_gone() {
    let mut host = both();
    let plan = down(&project("shop"), Duration::ZERO, &host, Volumes::Keep, &BTreeSet::new());
    plan.steps().iter().for_each(|step| befall(&mut host, step.op.clone()));
    does(MALL, &host, "");
    // routes that are left on the proxy do not keep a project on the host
    host.routes_files.insert(project("shop"), "shop.com {\n}\n# end\n".into());
    does(
        &with("proxy = { tls = \"off\", http_port = 8080 }", MALL),
        &host,
        "write the set-up of gordon-proxy: command changed, ports changed
         set the restart policy of gordon-proxy to no: command changed, ports changed
         stop gordon-proxy: command changed, ports changed (Interrupts)
         rename gordon-proxy to gordon-proxy-previous: makes room for its replacement
         run gordon-proxy: command changed, ports changed
         see that gordon-proxy stays up for 1s: not ready yet
         set the restart policy of gordon-proxy to always: it is ready: docker keeps it up from here on
         remove gordon-proxy-previous: its replacement has taken over (Removes)
         no longer route to shop: nothing is routed to it any more (Removes)
         connect gordon-proxy to mall-network: the proxy routes to apps there",
    );
}

#[test]
fn certificates_are_set_by_each_projects_routes() {
    does(
        &with("proxy.tls = \"internal\"", MALL),
        &both(),
        "route to mall: mall.com: routes changed mall.com; other tls",
    );
    does(
        &with("proxy.tls = \"auto\"", SHOP),
        &both(),
        "route to shop: shop.com: routes changed shop.com; other tls",
    );
}

#[test]
fn only_the_maker_takes_a_moved_image_of_the_proxy() {
    let mut host = both();
    host.images.here.get_mut(&image("caddy:2")).unwrap().id = Some(id(77));
    does(MALL, &host, "");
    does(
        SHOP,
        &host,
        "write the set-up of gordon-proxy: `caddy:2` is another image now: 050505050505 → 4d4d4d4d4d4d
         set the restart policy of gordon-proxy to no: `caddy:2` is another image now: 050505050505 → 4d4d4d4d4d4d
         stop gordon-proxy: `caddy:2` is another image now: 050505050505 → 4d4d4d4d4d4d (Interrupts)
         rename gordon-proxy to gordon-proxy-previous: makes room for its replacement
         run gordon-proxy: `caddy:2` is another image now: 050505050505 → 4d4d4d4d4d4d
         see that gordon-proxy stays up for 1s: not ready yet
         set the restart policy of gordon-proxy to always: it is ready: docker keeps it up from here on
         remove gordon-proxy-previous: its replacement has taken over (Removes)
         connect gordon-proxy to mall-network: the proxy routes to apps there
         connect gordon-proxy to shop-network: the proxy routes to apps there",
    );
    host.images.here.remove(&image("caddy:2"));
    does(SHOP, &host, "");
}

#[test]
fn an_unavailable_image_blocks_a_new_proxy_and_its_routes() {
    let mut host = host();
    host.images.here.remove(&image("caddy:2"));
    host.images.unavailable.insert(image("caddy:2"), "no such manifest".to_owned());
    decides("proxy_blocked", SHOP, &host);
    let mut host = both();
    host.images.here.remove(&image("caddy:2"));
    host.images.unavailable.insert(image("caddy:2"), "no such manifest".to_owned());
    does(
        &SHOP.replace("shop.com", "shop.org"),
        &host,
        "see that the proxy reaches shop.org at shop-web-green.shop-network.:3000: routes added shop.org; removed shop.com
         route to shop: shop.org: routes added shop.org; removed shop.com",
    );
}

#[test]
fn a_new_proxy_joins_the_routed_networks_of_other_projects() {
    let mut host = both();
    removed(&mut host, "gordon-proxy");
    does(
        SHOP,
        &host,
        "write the set-up of gordon-proxy: not there yet
         run gordon-proxy: not there yet
         see that gordon-proxy stays up for 1s: not ready yet
         set the restart policy of gordon-proxy to always: it is ready: docker keeps it up from here on
         connect gordon-proxy to mall-network: the proxy routes to apps there
         connect gordon-proxy to shop-network: the proxy routes to apps there",
    );
    let mut moved = host.clone();
    let mut app = moved.containers.remove(&container("mall-web-green")).unwrap();
    app.memberships.clear();
    moved.containers.insert(container("mall-web-green"), app);
    befall(&mut moved, Op::RemoveNetwork { name: network("mall-network") });
    does(
        SHOP,
        &moved,
        "write the set-up of gordon-proxy: not there yet
         run gordon-proxy: not there yet
         see that gordon-proxy stays up for 1s: not ready yet
         set the restart policy of gordon-proxy to always: it is ready: docker keeps it up from here on
         connect gordon-proxy to shop-network: the proxy routes to apps there",
    );
    // a routes file may name any network; those of other projects are ignored
    let mut strange = host.clone();
    add_network(&mut strange, "other-network", Some("other"));
    add_network(&mut strange, "unlabelled", None);
    strange
        .routes_files
        .insert(project("mall"), "# network other-network\n# network unlabelled\n# end\n".into());
    does(
        SHOP,
        &strange,
        "write the set-up of gordon-proxy: not there yet
         run gordon-proxy: not there yet
         see that gordon-proxy stays up for 1s: not ready yet
         set the restart policy of gordon-proxy to always: it is ready: docker keeps it up from here on
         connect gordon-proxy to shop-network: the proxy routes to apps there
         connect gordon-proxy to unlabelled: the proxy routes to apps there",
    );
}

#[test]
fn a_replacement_of_the_proxy_that_was_cut_off_is_finished() {
    let text = with("proxy = { tls = \"off\", http_port = 8080 }", SHOP);
    let before = both();
    let plan = diff(&desired(&text), &before, &Options::default()).unwrap();
    let mut all = String::new();
    let mut host = before.clone();
    for (k, step) in plan.steps().iter().enumerate() {
        befall(&mut host, step.op.clone());
        let rest = |text: &str| shared(&diff(&desired(text), &host, &Options::default()).unwrap());
        all += &format!("cut off after step {}: {}\n{}", k + 1, step.op, rest(&text));
        all += &format!("and with the old ports:\n{}", rest(SHOP));
        let others = diff(&desired(MALL), &host, &Options::default());
        let others = others.map_or_else(|_| planned(MALL, &host, &Options::default()), |plan| shared(&plan));
        all += &format!("and when another project goes on:\n{others}\n");
    }
    snapshot("proxy_cut_off", &all);
}

#[test]
fn a_paused_proxy_is_unpaused() {
    let mut host = both();
    befall(&mut host, Op::Pause { name: proxy() });
    does(MALL, &host, "unpause gordon-proxy: is paused");
    ends(
        "mall",
        Volumes::Keep,
        &host,
        "unpause gordon-proxy: is paused
         no longer route to mall: nothing is routed to it any more (Removes)
         disconnect gordon-proxy from mall-network: everything of this project goes",
    );
}

#[test]
fn a_restarting_proxy_is_stopped_unless_another_project_needs_it() {
    let mut host = both();
    change(&mut host, "gordon-proxy", |seen| seen.state = State::Restarting);
    ends("mall", Volumes::Keep, &host, "");
    let mut host = applied(SHOP, &self::host());
    change(&mut host, "gordon-proxy", |seen| seen.state = State::Restarting);
    ends(
        "shop",
        Volumes::Keep,
        &host,
        "stop gordon-proxy: docker restarts it over and over
         disconnect gordon-proxy from shop-network: everything of this project goes
         remove gordon-proxy: no project is left that needs it (Removes)
         remove network 0-gordon-proxy: no project is left that needs it (Removes)",
    );
}

#[test]
fn a_stopped_proxy_is_started_on_its_own_network() {
    let mut host = both();
    stopped(&mut host, "gordon-proxy");
    does(
        MALL,
        &host,
        "write the set-up of gordon-proxy: not running
         start gordon-proxy: not running
         see that gordon-proxy stays up for 1s: not ready yet",
    );
    let own = || network("0-gordon-proxy");
    befall(&mut host, Op::Disconnect { container: proxy(), network: own() });
    does(
        MALL,
        &host,
        "write the set-up of gordon-proxy: not running
         connect gordon-proxy to 0-gordon-proxy: not in this network
         start gordon-proxy: not running
         see that gordon-proxy stays up for 1s: not ready yet",
    );
    decides("proxy_started", MALL, &host);
    let mut host = both();
    befall(&mut host, Op::Disconnect { container: proxy(), network: own() });
    does(MALL, &host, "connect gordon-proxy to 0-gordon-proxy: not in this network");
    let mut host = both();
    befall(&mut host, Op::Disconnect { container: proxy(), network: network("shop-network") });
    does(MALL, &host, "connect gordon-proxy to shop-network: the proxy routes to apps there");
    let mut host = both();
    change(&mut host, "gordon-proxy", |seen| seen.state = State::Restarting);
    does(
        MALL,
        &host,
        "stop gordon-proxy: docker restarts it over and over
         write the set-up of gordon-proxy: not running
         start gordon-proxy: not running
         see that gordon-proxy stays up for 1s: not ready yet",
    );
}

#[test]
fn a_proxy_whose_network_was_removed_is_remade() {
    let mut host = both();
    stopped(&mut host, "gordon-proxy");
    change(&mut host, "gordon-proxy", |seen| {
        seen.memberships.get_mut(&network("mall-network")).unwrap().stale = true;
    });
    for text in [SHOP, MALL] {
        does(
            text,
            &host,
            "remove gordon-proxy: makes room for its replacement (Removes)
             run gordon-proxy: its network mall-network was removed: it cannot start again
             see that gordon-proxy stays up for 1s: not ready yet
             set the restart policy of gordon-proxy to always: it is ready: docker keeps it up from here on
             connect gordon-proxy to mall-network: the proxy routes to apps there
             connect gordon-proxy to shop-network: the proxy routes to apps there",
        );
    }
}

#[test]
fn foreign_things_under_the_proxys_names_are_conflicts() {
    let with = |change: &dyn Fn(&mut Observed)| {
        let mut host = host();
        change(&mut host);
        host
    };
    for name in ["gordon-proxy", "gordon-proxy-previous"] {
        does(
            SHOP,
            &with(&|host| add_container(host, name, None)),
            &format!("conflict: container `{name}` is on this host already, and gordon did not make it"),
        );
        does(
            SHOP,
            &with(&|host| add_container(host, name, Some("other"))),
            &format!("conflict: container `{name}` belongs to project `other`"),
        );
    }
    does(
        SHOP,
        &with(&|host| add_network(host, "0-gordon-proxy", Some("other"))),
        "conflict: network `0-gordon-proxy` belongs to project `other`",
    );
    does(
        SHOP,
        &with(&|host| {
            let seen = SeenVolume { managed: true, project: Some(project("other")), maker: None };
            host.volumes.insert(Volume::parse("gordon-proxy-data").unwrap(), seen);
        }),
        "conflict: volume `gordon-proxy-data` belongs to project `other`",
    );
    // things without a label are used
    does(
        SHOP,
        &with(&|host| {
            add_network(host, "0-gordon-proxy", None);
            host.volumes.insert(Volume::parse("gordon-proxy-data").unwrap(), SeenVolume::default());
        }),
        "create volume gordon-proxy-config: not there yet
         write the set-up of gordon-proxy: not there yet
         run gordon-proxy: not there yet
         see that gordon-proxy stays up for 1s: not ready yet
         set the restart policy of gordon-proxy to always: it is ready: docker keeps it up from here on
         connect gordon-proxy to shop-network: the proxy routes to apps there
         route to shop: shop.com: not there yet",
    );
}

/// The proxy as it was before HTTP/3: the same label, without the port.
fn before_http3(host: &Observed) -> Observed {
    let mut host = host.clone();
    host.containers.get_mut(&proxy()).unwrap().udp_ports.clear();
    host
}

/// The notes of a plan on the proxy.
fn notes(text: &str, host: &Observed) -> Vec<String> {
    let notes = diff(&desired(text), host, &Options::default()).unwrap().notes;
    notes.iter().map(ToString::to_string).filter(|note| note.contains("HTTP/3")).collect()
}

#[test]
fn http3_alone_replaces_no_proxy_unless_the_config_asks_for_it() {
    let (with, on, off) = (applied(SHOP, &host()), with_http3("true"), with_http3("false"));
    let without = before_http3(&with);
    assert_eq!(with.containers[&proxy()].spec, without.containers[&proxy()].spec);
    for (text, host) in [(SHOP, &with), (&on, &with), (SHOP, &without), (&off, &without)] {
        assert_eq!(planned_steps(text, host), 0, "{text}");
    }
    assert!(notes(SHOP, &with).is_empty() && notes(&off, &without).is_empty());
    let [note] = &notes(SHOP, &without)[..] else { panic!("{:?}", notes(SHOP, &without)) };
    assert!(note.contains("`proxy.http3 = true` replaces it, with an interruption"), "{note}");
    for (text, host) in [(&on, &without), (&off, &with)] {
        let steps = shared(&diff(&desired(text), host, &Options::default()).unwrap());
        assert!(steps.contains("http3 changed") && steps.contains("Interrupts"), "{steps}");
        // and what was asked for stays when the config no longer says it
        let asked = applied(text, host);
        assert_eq!((planned_steps(text, &asked), planned_steps(SHOP, &asked)), (0, 0));
    }
    // one that is replaced for another reason has it from then on
    let image = with_words("tls = \"off\", image = \"caddy:3\"");
    assert!(applied(&image, &without).containers[&proxy()].udp_ports.contains(&443));
    // an app has the port for itself
    let own = "name = \"shop\"\nproxy.tls = \"off\"\n[apps.web]\nimage = \"app:1\"\nproxy = { hosts = [\"shop.com\"] }\n\
               [services.vpn]\nimage = \"redis:7\"\nports = [\"0.0.0.0:443:443/udp\"]\n";
    assert!(applied(own, &host()).containers[&proxy()].udp_ports.is_empty());
}

fn planned_steps(text: &str, host: &Observed) -> usize {
    diff(&desired(text), host, &Options::default()).unwrap().steps().len()
}

fn with_words(words: &str) -> String {
    with(&format!("proxy = {{ {words} }}"), SHOP)
}

fn with_http3(value: &str) -> String {
    with_words(&format!("tls = \"off\", http3 = {value}"))
}

#[test]
fn words_for_all_sites_are_those_of_the_projects_that_say_them() {
    let own =
        with_words("tls = \"off\", trusted_proxies = [\"private_ranges\"], snippet = \"email a@b.com\"");
    let steps = shared(&diff(&desired(&own), &both(), &Options::default()).unwrap());
    assert!(steps.contains("snippet changed, trusted_proxies changed (Interrupts)"), "{steps}");
    let host = applied(MALL, &applied(&own, &host()));
    // who says nothing takes what there is
    assert_eq!((planned_steps(&own, &host), planned_steps(MALL, &host)), (0, 0));
    let other = with("proxy = { tls = \"off\", snippet = \"debug\", http3 = false }", MALL);
    does(
        &other,
        &host,
        "conflict: the proxy of this host is that of project `shop`, and its snippet and HTTP/3 differ from this config's",
    );
}

// the routes ------------------------------------------------------------------------------------------------------

#[test]
fn a_host_that_another_project_routes_is_a_conflict() {
    for site in ["shop.com", "http://shop.com", "SHOP.com:8080", "a.com, shop.com"] {
        let mut host = both();
        host.routes_files.insert(project("mall"), format!("{site} {{\n}}\n# end\n").as_str().into());
        does(SHOP, &host, "conflict: `shop.com` is routed by project `mall` already");
    }
    let mut host = both();
    host.routes_files.insert(project("mall"), "www.shop.com {\n}\n# end\n".into());
    host.routes_files.insert(project("shop"), "shop.com {\n}\n# end\n".into());
    does(
        SHOP,
        &host,
        "see that the proxy reaches shop.com at shop-web-green.shop-network.:3000: routes changed shop.com; other compress
         route to shop: shop.com: routes changed shop.com; other compress",
    );
}

#[test]
fn routes_of_a_removed_project_are_no_conflict() {
    let mut host = both();
    stopped(&mut host, "gordon-proxy");
    host.routes_files.insert(project("gone"), "shop.com {\n}\n# network gone-network\n# end\n".into());
    does(
        SHOP,
        &host,
        "write the set-up of gordon-proxy: not running
         start gordon-proxy: not running
         see that gordon-proxy stays up for 1s: not ready yet
         no longer route to gone: nothing is routed to it any more (Removes)",
    );
}

#[test]
fn changed_routes_are_rewritten() {
    does(
        &SHOP.replace("shop.com", "shop.com\", \"shop.org"),
        &both(),
        "route to shop: shop.com, shop.org: routes added shop.org; changed shop.com",
    );
    does(
        &SHOP.replace("app:1\"", "app:1\", replicas = 2"),
        &both(),
        "route to shop: shop.com: routes changed shop.com",
    );
    does(&SHOP.replace("app:1", "app:2"), &both(), "");
}

#[test]
fn a_project_without_routes_takes_its_routes_and_network_off_the_proxy() {
    does(
        "name = \"shop\"\napps.web = \"app:1\"\nproxy.tls = \"off\"",
        &both(),
        "no longer route to shop: nothing is routed to it any more (Removes)",
    );
    does(
        &with("proxy.enabled = false", SHOP),
        &both(),
        "no longer route to shop: nothing is routed to it any more (Removes)",
    );
    does(
        "name = \"shop\"\nservices.other = \"app:1\"\nproxy.enabled = false",
        &both(),
        "conflict: this host has containers of a project `shop`, and this config wants none of them: shop-web-green",
    );
}

#[test]
fn a_config_without_a_proxy_ignores_an_existing_one() {
    let mut host = host();
    add_container(&mut host, "gordon-proxy", None);
    host.routes_files.insert(project("other"), "shop.com {\n}\n# end\n".into());
    does(&with("proxy.enabled = false", SHOP), &host, "");
}

// its removal
// -----------------------------------------------------------------------------------------------------

#[test]
fn a_removed_project_takes_its_routes_and_network_off_the_proxy() {
    ends(
        "shop",
        Volumes::Remove,
        &both(),
        "no longer route to shop: nothing is routed to it any more (Removes)
         disconnect gordon-proxy from shop-network: everything of this project goes",
    );
}

#[test]
fn the_last_project_removes_the_proxy() {
    let host = applied(SHOP, &host());
    let last = down(&project("shop"), Duration::from_secs(9), &host, Volumes::Keep, &BTreeSet::new());
    snapshot("proxy_last", &last.to_string());
    ends(
        "shop",
        Volumes::Remove,
        &host,
        "no longer route to shop: nothing is routed to it any more (Removes)
         disconnect gordon-proxy from shop-network: everything of this project goes
         stop gordon-proxy: no project is left that needs it (Interrupts)
         remove gordon-proxy: no project is left that needs it (Removes)
         remove network 0-gordon-proxy: no project is left that needs it (Removes)
         remove volume gordon-proxy-data: no project is left that needs it (Removes)
         remove volume gordon-proxy-config: no project is left that needs it (Removes)",
    );
}

#[test]
fn replicas_start_before_the_proxy_routes_to_them_and_leave_after_it_stopped() {
    let many = SHOP.replace("image = \"app:1\"", "image = \"app:1\", replicas = 3");
    decides("proxy_more_replicas", &many, &applied(SHOP, &host()));
    decides("proxy_fewer_replicas", SHOP, &applied(&many, &host()));
}

#[test]
fn surplus_replicas_of_an_app_with_a_volume_leave_as_those_without_one() {
    let config = |replicas: u32| {
        format!(
            "name = \"shop\"\nproxy.tls = \"off\"\n[apps]\nweb = {{ image = \"app:1\", replicas = {replicas}, \
             volumes = [\"files:/files\"], proxy = {{ hosts = [\"web.com\"] }} }}\n"
        )
    };
    let steps = planned(&config(1), &applied(&config(2), &host()), &Options::default());
    let at = |text: &str| steps.find(text).unwrap_or_else(|| panic!("{text}: {steps}"));
    let (route, drain) = (at("route to shop"), at("let shop-web-green-2 end its work"));
    assert!(route < drain && drain < at("stop shop-web-green-2"), "{steps}");
}

#[test]
fn what_the_proxy_routes_to_leaves_when_the_proxy_has_no_request_for_it() {
    let text = |image: &str, neighbour: &str| {
        format!(
            "name = \"shop\"\nproxy.tls = \"off\"\nservices.db = \"redis:7\"\n{neighbour}\n\
             apps.web = {{ image = \"{image}\", replicas = 2, proxy = {{ hosts = [\"shop.com\"] }} }}"
        )
    };
    let waits = |before: &str, wanted: &str| -> Vec<String> {
        let plan = diff(&desired(wanted), &applied(before, &host()), &Options::default()).unwrap();
        let waits = plan.steps().iter().filter_map(|step| match &step.op {
            Op::Await(Await::Drain { time, upstreams, .. }) => {
                Some(format!("{time:?} {}", upstreams.join(" ")))
            }
            _ => None,
        });
        waits.collect()
    };
    let alone = waits(&text("app:1", ""), &text("app:2", ""));
    let [asked] = &alone[..] else { panic!("{alone:?}") };
    assert!(asked.starts_with("5s 10."), "by the addresses that docker gave: {asked}");
    for replica in ["", "-2"] {
        assert!(
            asked.contains(&format!(" shop-web-previous{replica}.shop-network.")),
            "and by name: {asked}"
        );
    }
    let neighbour = "apps.worker = \"checked:1\"";
    let beside = waits(&text("app:1", neighbour), &text("app:2", neighbour));
    assert_eq!(beside[1..], ["1s "], "an app beside it may have just learnt its address: {beside:?}");
    let unrouted = waits(&text("app:1", neighbour), &text("app:1", "apps.worker = \"checked:2\""));
    assert_eq!(unrouted, ["5s ", "1s "], "the proxy cannot know who asks it");
    let off = |image: &str| text(image, "").replace("proxy.tls = \"off\"", "proxy.enabled = false");
    assert_eq!(waits(&off("app:1"), &off("app:2")), ["5s ", "1s "]);
}

#[test]
fn foreign_things_under_the_proxys_names_are_never_removed() {
    let mut host = applied(&with("proxy.enabled = false", SHOP), &host());
    add_container(&mut host, "gordon-proxy", None);
    add_network(&mut host, "0-gordon-proxy", None);
    host.volumes.insert(Volume::parse("gordon-proxy-data").unwrap(), SeenVolume::default());
    ends("shop", Volumes::Remove, &host, "");
}

#[test]
fn things_of_the_proxy_that_others_use_are_kept() {
    let mut host = applied(SHOP, &host());
    add_container(&mut host, "unlabelled", None);
    change(&mut host, "unlabelled", |seen| {
        seen.memberships.insert(network("0-gordon-proxy"), Default::default());
        seen.volumes.insert("/x".to_owned(), Volume::parse("gordon-proxy-data").unwrap());
    });
    ends(
        "shop",
        Volumes::Remove,
        &host,
        "no longer route to shop: nothing is routed to it any more (Removes)
         disconnect gordon-proxy from shop-network: everything of this project goes
         stop gordon-proxy: no project is left that needs it (Interrupts)
         remove gordon-proxy: no project is left that needs it (Removes)
         remove volume gordon-proxy-config: no project is left that needs it (Removes)",
    );
}
