//! Properties of the proxy and of its routes of each project.

use super::Accident;
use super::Sketch;
use super::accidents;
use super::befall;
use super::end_of;
use super::essence;
use super::host;
use super::in_an_order;
use super::options;
use super::plan_for;
use super::run;
use super::run_as_script;
use super::sketch;
use super::works;
use gordon::desired::Desired;
use gordon::desired::Strategy as Deployed;
use gordon::docker::NETWORK;
use gordon::docker::Observed;
use gordon::docker::Op;
use gordon::docker::RoutesFile;
use gordon::docker::RoutesFiles;
use gordon::docker::SeenContainer;
use gordon::docker::State;
use gordon::name::Container;
use gordon::name::Network;
use gordon::name::Project;
use gordon::name::Volume;
use gordon::plan;
use gordon::plan::Conflict;
use gordon::plan::Plan;
use gordon::plan::Volumes;
use gordon::plan::diff;
use gordon::plan::simulate;
use gordon::spec::PROXY;
use proptest::prelude::*;
use proptest::sample::Index;
use std::collections::BTreeSet;

// what the proxy does with its files
// ------------------------------------------------------------------------------

/// A name that the proxy looks up: a container, on a network if one is given. An older gordon gave none.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Question {
    container: Container,
    network: Option<Network>,
}

/// A site of a routes file: its hosts, and for each replica the name to look up first and the one to look up
/// second.
struct Site {
    hosts: BTreeSet<String>,
    replicas: Vec<[Question; 2]>,
}

fn sites(host: &Observed) -> Vec<Site> {
    host.routes_files
        .values()
        .flat_map(|routes_file| routes_file.as_str().split("\n}\n"))
        .filter_map(site)
        .collect()
}

fn site(block: &str) -> Option<Site> {
    let lines = || block.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let serving = lines().filter_map(|words| match words.as_slice() {
        ["dynamic", "a", name, _, "{"] | ["a", name, _, "{"] => Some(question(name)),
        _ => None,
    });
    let previous = lines().find(|words| words.first() == Some(&"reverse_proxy"))?;
    let previous = previous[1..].iter().filter_map(|word| Some(question(word.split_once(':')?.0)));
    let replicas: Vec<_> = serving.zip(previous).map(|(serving, previous)| [serving, previous]).collect();
    assert!(!replicas.is_empty(), "{block}");
    Some(Site { hosts: RoutesFile::from(block).hosts().map(str::to_owned).collect(), replicas })
}

fn question(name: &str) -> Question {
    let (container, network) = match name.strip_suffix('.').and_then(|name| name.rsplit_once('.')) {
        Some((container, network)) => (container, Some(Network::parse(network).unwrap())),
        None => (name, None),
    };
    Question { container: Container::parse(container).unwrap(), network }
}

/// Rewrites the routes files as an older gordon wrote them: without networks in the names.
fn in_older_words(host: &mut Observed) {
    for routes_file in host.routes_files.values_mut() {
        let older = |text: String, network| text.replace(&format!(".{network}."), "");
        let text = routes_file.networks().iter().fold(routes_file.as_str().to_owned(), older);
        *routes_file = text.as_str().into();
    }
}

fn proxy(host: &Observed) -> Option<&SeenContainer> {
    host.containers.get(&Container::parse(PROXY).unwrap())
}

/// The running container of this name, on the network that is given.
fn finds<'h>(host: &'h Observed, question: &Question) -> Option<&'h SeenContainer> {
    let seen = host.containers.get(&question.container).filter(|seen| works(seen))?;
    question.network.as_ref().is_none_or(|network| seen.memberships.contains_key(network)).then_some(seen)
}

/// For each replica of a site, whether a container runs under one of its two names.
fn answers(host: &Observed, site: &Site) -> Vec<bool> {
    site.replicas.iter().map(|names| names.iter().any(|name| finds(host, name).is_some())).collect()
}

/// Whether the proxy is on the network of a site and finds a running container there.
fn reaches(host: &Observed, site: &Site) -> bool {
    let on = |seen: &SeenContainer| seen.memberships.keys().cloned().collect::<BTreeSet<Network>>();
    let its = proxy(host).map(on).unwrap_or_default();
    site.replicas.iter().flatten().any(|question| {
        let found = finds(host, question);
        found.is_some_and(|seen| match &question.network {
            Some(network) => its.contains(network),
            None => !on(seen).is_disjoint(&its),
        })
    })
}

/// The networks that routes files name and the proxy is not on.
fn unreached(host: &Observed) -> BTreeSet<Network> {
    let named = host.routes_files.values().flat_map(|routes_file| routes_file.networks().iter().cloned());
    named.filter(|name| proxy(host).is_none_or(|seen| !seen.memberships.contains_key(name))).collect()
}

/// Whether a plan makes or remakes the proxy. Until then it routes nothing.
fn makes_proxy(plan: &Plan) -> bool {
    plan.steps().iter().any(|step| match &step.op {
        Op::Run(launch) => launch.name.as_str() == PROXY,
        Op::Start { name } => name.as_str() == PROXY,
        _ => false,
    })
}

fn apply(desired: &Desired, host: &mut Observed) {
    let plan = diff(desired, host, &options()).unwrap();
    run(host, plan.steps());
}

/// Each project's routes, and the networks of the proxy, whichever project made it.
fn routes(host: &Observed) -> (RoutesFiles, BTreeSet<Network>) {
    let networks = proxy(host).map(|seen| seen.memberships.keys().cloned().collect());
    (host.routes_files.clone(), networks.unwrap_or_default())
}

/// The hosts that route to apps that are rolled out.
fn rolled_hosts(desired: &Desired) -> BTreeSet<String> {
    if desired.proxy.is_none() {
        return BTreeSet::new();
    }
    let is_rolled = |base_name: &str| {
        desired.workloads.iter().any(|w| w.base_name == base_name && w.strategy == Deployed::Rolling)
    };
    let routes = desired.routes.iter().filter(|route| is_rolled(&route.base_name));
    routes.flat_map(|route| route.hosts.iter().map(|host| host.as_str().to_lowercase())).collect()
}

/// Whether the script of `plan` runs to its end on `host`, and does nothing the second time.
fn is_done_by_a_script(plan: &Plan, host: &Observed) -> bool {
    let mut end = host.clone();
    run_as_script(plan, &mut end);
    run_as_script(plan, &mut end).is_empty()
}

fn project(name: &str) -> Project {
    Project::parse(name).unwrap()
}

/// A config without settings for the shared proxy.
fn agreeing() -> impl Strategy<Value = Sketch> {
    sketch().prop_map(|mut sketch| {
        sketch.settings.retain(|setting| !setting.contains("port") && !setting.contains("image"));
        sketch
    })
}

/// A config with a route and a proxy.
fn routed() -> impl Strategy<Value = Sketch> {
    agreeing().prop_map(|mut sketch| {
        sketch.settings.retain(|setting| !setting.contains("proxy"));
        if sketch.routes.is_empty() {
            sketch.routes.push(("a.com", 1, 1));
        }
        sketch
    })
}

// properties
// ------------------------------------------------------------------------------------------------------

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_routed_host_always_reaches_a_running_replica(
        neighbour in prop::option::of(routed()), before in agreeing(), second in agreeing(), third in prop::option::of(agreeing()),
        cut in 0..40usize, order: Vec<Index>, older: bool,
    ) {
        let mut host = host(false);
        if let Some(neighbour) = &neighbour {
            apply(&neighbour.neighbours(), &mut host);
        }
        apply(&before.desired(), &mut host);
        if older {
            in_older_words(&mut host);
        }
        for (i, sketch) in [Some(&second), third.as_ref()].into_iter().flatten().enumerate() {
            let plan = plan_for(sketch, &host);
            let lasting = rolled_hosts(&sketch.desired());
            let steps = in_an_order(&plan, &order);
            let count = if i == 0 && third.is_some() { cut.min(steps.len()) } else { steps.len() };
            let mut before = host.clone();
            for step in &steps[..count] {
                run(&mut host, std::slice::from_ref(step));
                if host.containers.values().any(|seen| seen.state == State::Paused) {
                    // a serving container that gets other aliases is paused: open connections live through
                    // it, new ones wait
                    continue;
                }
                for site in sites(&host) {
                    let was = sites(&before).into_iter().find(|was| was.hosts == site.hosts);
                    let lasts = site.hosts.is_subset(&lasting) || site.hosts.iter().any(|host| host.ends_with(".org"));
                    if let Some(was) = was && lasts {
                        let name = || format!("{:?} after step {} of plan {}: {:?}", site.hosts, step.id.index() + 1, i + 1, step.op);
                        let lost = answers(&before, &was).into_iter().zip(answers(&host, &site)).position(|(was, is)| was && !is);
                        prop_assert!(lost.is_none() || was.replicas.len() != site.replicas.len(), "replica {lost:?} of {}", name());
                        prop_assert!(!reaches(&before, &was) || reaches(&host, &site) || makes_proxy(&plan), "{}", name());
                    }
                }
                before.clone_from(&host);
            }
        }
    }

    #[test]
    fn the_proxy_has_its_set_up_and_every_routed_network_and_never_leaves_its_own(
        neighbour in prop::option::of(routed()), before in prop::option::of(agreeing()), sketch in agreeing(), accidents in accidents(), order: Vec<Index>,
    ) {
        let mut host = host(false);
        if let Some(neighbour) = &neighbour {
            apply(&neighbour.neighbours(), &mut host);
        }
        if let Some(before) = &before {
            apply(&before.desired(), &mut host);
        }
        accidents.iter().for_each(|accident| befall(&mut host, accident));
        let own = Network::parse(NETWORK).unwrap();
        for plan in [plan_for(&sketch, &host), plan::down(&project("shop"), Default::default(), &host, Volumes::Keep, &BTreeSet::new())] {
            let (mut now, mut set_up) = (host.clone(), None);
            for step in in_an_order(&plan, &order) {
                let before = now.clone();
                run(&mut now, std::slice::from_ref(step));
                let leaves = matches!(&step.op, Op::Disconnect { container, network } if container.as_str() == PROXY && *network == own);
                prop_assert!(!leaves, "step {}", step.id.index() + 1);
                match &step.op {
                    Op::WriteSetUp { file, .. } => set_up = Some(format!("/config/{file}")),
                    Op::Run(launch) if launch.name.as_str() == PROXY => {
                        prop_assert_eq!(launch.memberships.iter().map(|m| &m.network).collect::<Vec<_>>(), [&own]);
                        prop_assert_eq!(set_up.as_ref(), launch.runtime.command.first(), "made after its set-up");
                    }
                    Op::Start { name } if name.as_str() == PROXY => {
                        prop_assert!(set_up.is_some(), "started after its set-up");
                    }
                    _ => {}
                }
                if let Some(seen) = proxy(&now).filter(|seen| seen.memberships.contains_key(&own)) {
                    prop_assert_eq!(seen.memberships.keys().next(), Some(&own));
                }
                // a proxy that does not run routes nothing
                let routes = [&before, &now].iter().all(|host| proxy(host).is_some_and(|seen| seen.state.is_up()));
                if routes && !makes_proxy(&plan) {
                    let more: Vec<_> = unreached(&now).difference(&unreached(&before)).cloned().collect();
                    prop_assert!(more.is_empty(), "{more:?} after step {}: {:?}", step.id.index() + 1, step.op);
                }
            }
        }
        let end = end_of(&plan_for(&sketch, &host), &host);
        if sketch.desired().proxy.is_some() {
            prop_assert!(proxy(&end).is_some_and(|seen| seen.state.is_up()));
            let gone: BTreeSet<_> = unreached(&end).into_iter().filter(|name| end.networks.contains_key(name)).collect();
            prop_assert!(gone.is_empty(), "{gone:?}");
        }
    }

    #[test]
    fn a_new_release_never_changes_the_proxy_or_its_routes(sketch in agreeing()) {
        let mut host = host(false);
        apply(&sketch.desired(), &mut host);
        let mut next = sketch.clone();
        next.env += 1;
        next.routes.iter_mut().chain(&mut next.apps).for_each(|(_, version, _)| *version = 3 - *version);
        let shared: Vec<_> = plan_for(&next, &host).steps().iter().filter(|step| step.op.is_shared()).cloned().collect();
        prop_assert!(shared.is_empty(), "{shared:?}");
    }

    #[test]
    fn the_order_of_projects_does_not_change_their_routes(shop in agreeing(), mall in agreeing()) {
        let (shop, mall) = (shop.desired(), mall.neighbours());
        let (mut one, mut other) = (host(false), host(false));
        apply(&shop, &mut one);
        apply(&mall, &mut one);
        apply(&mall, &mut other);
        apply(&shop, &mut other);
        prop_assert_eq!(routes(&one), routes(&other));
        for host in [one, other] {
            for desired in [&shop, &mall] {
                let again = diff(desired, &host, &options()).unwrap();
                prop_assert!(again.is_empty(), "{:?}", again.steps());
            }
        }
    }

    #[test]
    fn a_foreign_host_stays_with_its_project(shop in routed(), mall in routed(), upper: bool, which: Index) {
        let mut host = host(false);
        apply(&mall.neighbours(), &mut host);
        let desired = shop.desired();
        let hosts: Vec<_> = desired.routes.iter().flat_map(|route| &route.hosts).collect();
        let taken = which.get(&hosts);
        let written = if upper { taken.as_str().to_uppercase() } else { taken.to_string() };
        let routes_file = host.routes_files.get_mut(&project("mall")).unwrap();
        *routes_file = routes_file.as_str().replacen(".org", &format!(".org, http://{written}"), 1).as_str().into();
        let conflicts = diff(&desired, &host, &options()).unwrap_err();
        prop_assert_eq!(conflicts, [Conflict::OthersHost((*taken).clone(), project("mall"))]);
    }

    #[test]
    fn only_the_last_project_takes_the_proxy_down(
        shop in agreeing(), mall in routed(), order: Vec<Index>, volumes: bool,
    ) {
        let volumes = if volumes { Volumes::Remove } else { Volumes::Keep };
        let mut host = host(false);
        apply(&mall.neighbours(), &mut host);
        let alone = host.clone();
        apply(&shop.desired(), &mut host);
        let down = |name: &str, host: &mut Observed| {
            let plan = plan::down(&project(name), Default::default(), host, volumes, &BTreeSet::new());
            in_an_order(&plan, &order).into_iter().for_each(|step| run(host, std::slice::from_ref(step)));
            assert!(plan::down(&project(name), Default::default(), host, volumes, &BTreeSet::new()).is_empty());
        };
        let plan = plan::down(&project("shop"), Default::default(), &host, volumes, &BTreeSet::new());
        prop_assert!(is_done_by_a_script(&plan, &host));
        down("shop", &mut host);
        if volumes == Volumes::Remove {
            prop_assert_eq!(essence(&host), essence(&alone));
        }
        prop_assert_eq!(routes(&host), routes(&alone));
        let plan = plan::down(&project("mall"), Default::default(), &host, volumes, &BTreeSet::new());
        prop_assert!(is_done_by_a_script(&plan, &host));
        down("mall", &mut host);
        prop_assert!(host.containers.is_empty() && host.networks.is_empty() && host.routes_files.is_empty(), "{host:?}");
        let certificates = Volume::parse("gordon-proxy-data").unwrap();
        prop_assert_eq!(host.volumes.contains_key(&certificates), volumes == Volumes::Keep);
    }

    #[test]
    fn a_lost_or_replaced_proxy_comes_back_with_the_routes_of_every_project(
        shop in routed(), mall in routed(), fate in 0..6usize, mall_goes_on: bool, order: Vec<Index>,
    ) {
        let mut host = host(false);
        let (mut changed, neighbours) = (shop.clone(), mall.neighbours());
        apply(&shop.desired(), &mut host);
        apply(&neighbours, &mut host);
        let wanted = routes(&host);
        let name = || Container::parse(PROXY).unwrap();
        let stop = Op::Stop { name: name(), timeout: Default::default() };
        match fate {
            0 => befall(&mut host, &Accident::Retagged(2)),
            1 => {
                simulate(&mut host, &stop).unwrap();
                simulate(&mut host, &Op::Remove { name: name() }).unwrap();
            }
            2 => {
                let network = Network::parse(NETWORK).unwrap();
                simulate(&mut host, &Op::Disconnect { container: name(), network }).unwrap();
            }
            3 => {
                simulate(&mut host, &stop).unwrap();
                let seen = host.containers.get_mut(&name()).unwrap();
                seen.memberships.values_mut().for_each(|membership| membership.stale = true);
            }
            4 => drop(host.routes_files.insert(project("gone"), "gone.com {\n}\n# end\n".into())),
            _ => changed.settings.push("proxy.http_port = 8080"),
        }
        let plan = plan_for(&changed, &host);
        prop_assert!(!plan.is_empty());
        let mut half_way = host.clone();
        for step in in_an_order(&plan, &order) {
            let mut end = half_way.clone();
            if mall_goes_on && let Ok(plan) = diff(&neighbours, &end, &options()) {
                prop_assert!(is_done_by_a_script(&plan, &end));
                run(&mut end, plan.steps());
                prop_assert_eq!(&routes(&end).0, &wanted.0, "cut off before step {}", step.id.index() + 1);
            }
            apply(&changed.desired(), &mut end);
            prop_assert_eq!(routes(&end), wanted.clone(), "cut off before step {}", step.id.index() + 1);
            prop_assert!(proxy(&end).unwrap().state.is_up());
            prop_assert!(is_done_by_a_script(&plan, &half_way), "cut off before step {}", step.id.index() + 1);
            run(&mut half_way, std::slice::from_ref(step));
        }
    }
}
