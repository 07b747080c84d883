//! Properties of every plan, over generated configs and hosts. Everything runs on the model: no docker.
#![expect(clippy::unwrap_used, reason = "names that a test writes are right")]

mod engine;
mod growth;
mod proxy;

use gordon::config;
use gordon::desired::Desired;
use gordon::desired::Inputs;
use gordon::desired::resolve;
use gordon::docker::Await;
use gordon::docker::Fact;
use gordon::docker::Health;
use gordon::docker::Membership;
use gordon::docker::Observed;
use gordon::docker::Op;
use gordon::docker::SeenContainer;
use gordon::docker::SeenImage;
use gordon::docker::SeenMembership;
use gordon::docker::SeenNetwork;
use gordon::docker::SeenVolume;
use gordon::docker::State;
use gordon::name::Container;
use gordon::name::Image;
use gordon::name::ImageId;
use gordon::name::Network;
use gordon::name::Project;
use gordon::name::Volume;
use gordon::plan;
use gordon::plan::Options;
use gordon::plan::Plan;
use gordon::plan::Step;
use gordon::plan::diff;
use gordon::plan::simulate;
use gordon::spec::ImageFacts;
use gordon::spec::Kind;
use gordon::spec::PROXY;
use gordon::spec::Role;
use proptest::prelude::*;
use proptest::sample::subsequence;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fmt::Write;

// configs and hosts -----------------------------------------------------------------------------------------------

const DOMAINS: [&str; 3] = ["a.com", "b.com", "c.com"];
const SERVICES: [&str; 3] = ["postgres:15", "redis:7", "checked:1"];

/// A config, as short as a person would write it.
#[derive(Clone, Debug)]
struct Sketch {
    routes: Vec<(&'static str, u8, u8)>,
    attachments: Vec<(&'static str, Vec<&'static str>)>,
    group: Vec<&'static str>,
    group_services: Vec<&'static str>,
    apps: Vec<(&'static str, u8, u8)>,
    services: Vec<(&'static str, &'static str)>,
    settings: Vec<&'static str>,
    /// Routes whose strategy is `recreate`.
    recreated: Vec<&'static str>,
    /// Routes and apps whose releases begin with a command.
    releases: Vec<&'static str>,
    env: u8,
}

fn sketch() -> impl Strategy<Value = Sketch> {
    let routes = subsequence(DOMAINS.to_vec(), 0..=3).prop_flat_map(|domains| {
        domains.into_iter().map(|domain| (Just(domain), 1..3u8, 1..4u8)).collect::<Vec<_>>()
    });
    let services = || subsequence(SERVICES.to_vec(), 0..=3);
    let attachments = subsequence(DOMAINS.to_vec(), 0..=3)
        .prop_flat_map(move |d| d.into_iter().map(|d| (Just(d), services())).collect::<Vec<_>>());
    let settings = vec![
        "network_isolation.enabled = false",
        "network_isolation.scope = \"all\"",
        "network_isolation.member_attachments = \"private\"",
        "proxy.enabled = false",
        "proxy.http_port = 8080",
        "proxy.image = \"caddy:3\"",
        "proxy.tls = \"internal\"",
        "volumes.auto_create = false",
        "deploy.keep_previous = false",
    ];
    let apps = subsequence(vec!["web", "worker"], 0..=2)
        .prop_flat_map(|apps| apps.into_iter().map(|app| (Just(app), 1..3u8, 1..4u8)).collect::<Vec<_>>());
    (
        routes,
        attachments,
        subsequence(DOMAINS.to_vec(), 0..=3),
        subsequence(vec!["redis:7", "checked:1"], 0..=2),
        apps,
        subsequence(vec![("db", "postgres:15"), ("cache", "redis:7"), ("store", "postgres:15")], 0..=3),
        subsequence(settings, 0..=2),
        prop_oneof![3 => Just(vec![]), 1 => subsequence(DOMAINS.to_vec(), 0..=3)],
        prop_oneof![1 => Just(vec![]), 1 => subsequence(vec!["a.com", "b.com", "web"], 0..=3)],
        0..3u8,
    )
        .prop_map(
            |(
                routes,
                attachments,
                group,
                group_services,
                apps,
                services,
                settings,
                recreated,
                releases,
                env,
            )| Sketch {
                routes,
                attachments,
                group,
                group_services,
                apps,
                services,
                settings,
                recreated,
                releases,
                env,
            },
        )
}

impl Sketch {
    fn toml(&self) -> String {
        let mut text = String::from("name = \"shop\"\n");
        let w = &mut text;
        for setting in &self.settings {
            let _ = writeln!(w, "{setting}");
        }
        let quoted =
            |words: &[&str]| words.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(", ");
        let is_route = |domain: &str| self.routes.iter().any(|(route, ..)| *route == domain);
        let members: Vec<&str> = self.group.iter().copied().filter(|domain| is_route(domain)).collect();
        let _ = writeln!(w, "[routes]");
        for (domain, version, replicas) in &self.routes {
            let strategy = if self.recreated.contains(domain) { "recreate" } else { "rolling" };
            let release = if self.releases.contains(domain) { ", release = \"migrate\"" } else { "" };
            let _ = writeln!(
                w,
                "\"{domain}\" = {{ image = \"app:{version}\", replicas = {replicas}, strategy = \"{strategy}\"{release} }}"
            );
        }
        let _ = writeln!(w, "[network_groups]");
        if !members.is_empty() {
            let _ = writeln!(w, "backend = [{}]", quoted(&members));
        }
        let _ = writeln!(w, "[attachments]");
        let is_private = self.settings.iter().any(|setting| setting.contains("private"));
        for (domain, services) in self.attachments.iter().filter(|(domain, _)| is_route(domain)) {
            // in a group's network two services of one name are an error
            let is_member = members.contains(domain) && (members.first() != Some(domain) || is_private);
            if !is_member {
                let free: Vec<&str> = services
                    .iter()
                    .copied()
                    .filter(|s| !members.contains(domain) || !self.group_services.contains(s))
                    .collect();
                let _ = writeln!(w, "\"{domain}\" = [{}]", quoted(&free));
            }
        }
        if !members.is_empty() {
            let _ = writeln!(w, "backend = [{}]", quoted(&self.group_services));
        }
        for (app, version, replicas) in &self.apps {
            let _ = writeln!(w, "[apps.{app}]\nimage = \"app:{version}\"\nreplicas = {replicas}");
            let _ = writeln!(w, "environment = {{ plain = [\"ENV={}\"] }}", self.env);
            if self.releases.contains(app) {
                let _ = writeln!(w, "release = \"migrate\"");
            }
            if *app == "web" {
                let _ = writeln!(w, "proxy = {{ hosts = [\"web.com\", \"www.web.com\"] }}");
            }
        }
        for (service, image) in &self.services {
            // the service `db` may be renamed to `store`, and keeps its data
            let volume = if *service == "store" { "db" } else { service };
            let _ =
                writeln!(w, "[services.{service}]\nimage = \"{image}\"\nvolumes = [\"data-{volume}:/data\"]");
        }
        text
    }

    fn desired(&self) -> Desired {
        desired(&self.toml(), self.env)
    }

    /// The same config for another project, with other domains.
    fn neighbours(&self) -> Desired {
        desired(&self.toml().replace("shop", "mall").replace(".com", ".org"), self.env)
    }
}

fn desired(text: &str, env: u8) -> Desired {
    let loaded = config::load(&config::Source { path: "gordon.toml", text });
    let config = loaded.config.unwrap_or_else(|| panic!("{text}\n{:?}", loaded.problems));
    let env_files = [("env/a_com.env".to_owned(), format!("A={env}"))].into();
    let inputs = Inputs { env_files, images: images(), ..Inputs::default() };
    let (desired, problems) = resolve(&config, &inputs);
    assert!(problems.is_empty(), "{text}\n{problems:?}");
    desired
}

fn images() -> BTreeMap<Image, ImageFacts> {
    let facts = |volumes: &[&str], healthcheck| ImageFacts {
        volumes: volumes.iter().map(ToString::to_string).collect(),
        ports: Vec::new(),
        healthcheck,
    };
    [
        ("app:1", facts(&[], false)),
        ("app:2", facts(&[], true)),
        ("postgres:15", facts(&["/var/lib/postgresql/data"], false)),
        ("redis:7", facts(&["/data"], false)),
        ("checked:1", facts(&["/data", "/log"], true)),
        ("caddy:2", facts(&["/data"], false)),
        ("caddy:3", facts(&["/data"], false)),
    ]
    .map(|(image, facts)| (Image::parse(image).unwrap(), facts))
    .into()
}

fn shop() -> Option<Project> {
    Some(Project::parse("shop").unwrap())
}

fn id(n: u8) -> ImageId {
    ImageId::parse(format!("sha256:{}", format!("{n:02x}").repeat(32))).unwrap()
}

/// A host with all images and, on request, with foreign things.
fn host(others: bool) -> Observed {
    let mut host = Observed::default();
    for (n, (image, facts)) in (1..).zip(images()) {
        host.images.here.insert(image, SeenImage { id: Some(id(n)), facts });
    }
    if others {
        let project = Some(Project::parse("other").unwrap());
        let network = |project: Option<Project>, subnet: &str| SeenNetwork {
            managed: project.is_some(),
            maker: None,
            project,
            subnet: Some(subnet.parse().unwrap()),
            addresses: ["10.208.7.128".parse().unwrap()].into(),
        };
        let name = |name: &str| Network::parse(name).unwrap();
        host.networks.insert(name("other-network"), network(project.clone(), "10.208.7.0/24"));
        // a network made by hand under a name that a config here may want; it is used and never removed
        host.networks.insert(name("shop-a-com"), network(None, "172.20.0.0/16"));
        let container = SeenContainer {
            project: project.clone(),
            maker: None,
            kind: None,
            owner: gordon::name::Owner::parse("other").unwrap(),
            release: 0,
            spec: Default::default(),
            inherits: None,
            image: Some(id(99)),
            state: State::Running,
            exit_status: None,
            restart: "always".to_owned(),
            stop_timeout: None,
            limits: Default::default(),
            has_endless_log: false,
            restarts: 0,
            health: Health::None,
            addresses: BTreeMap::new(),
            memberships: [(
                name("other-network"),
                SeenMembership { address: Some("10.208.7.128".parse().unwrap()), ..Default::default() },
            )]
            .into(),
            volumes: [("/data".to_owned(), Volume::parse("other-data").unwrap())].into(),
            env: BTreeMap::new(),
            ports: Default::default(),
            udp_ports: Default::default(),
            past: Default::default(),
        };
        host.containers.insert(Container::parse("other-db").unwrap(), container);
        host.volumes.insert(
            Volume::parse("other-data").unwrap(),
            SeenVolume { project: project.clone(), maker: None, managed: true },
        );
        let routes = "# network other-network\nother.com {\n}\n# end\n";
        host.routes_files.extend(project.map(|project| (project, routes.into())));
        host.volumes.insert(Volume::parse("shop-data-db").unwrap(), SeenVolume::default());
    }
    host
}

/// A change to a host that gordon did not make.
#[derive(Clone, Debug)]
enum Accident {
    Stopped(usize),
    Removed(usize),
    Detached(usize),
    Unhealthy(usize),
    Restarting(usize),
    /// Docker has restarted it.
    Crashed(usize),
    Paused(usize),
    NetworkRemoved(usize),
    Retagged(u8),
    /// A container was put on another project's network.
    Breached(usize),
}

fn accidents() -> impl Strategy<Value = Vec<Accident>> {
    let accident = prop_oneof![
        (0..9usize).prop_map(Accident::Stopped),
        (0..9usize).prop_map(Accident::Removed),
        (0..9usize).prop_map(Accident::Detached),
        (0..9usize).prop_map(Accident::Unhealthy),
        (0..9usize).prop_map(Accident::Restarting),
        (0..9usize).prop_map(Accident::Crashed),
        (0..9usize).prop_map(Accident::Paused),
        (0..9usize).prop_map(Accident::NetworkRemoved),
        (0..5u8).prop_map(Accident::Retagged),
        (0..9usize).prop_map(Accident::Breached),
    ];
    prop::collection::vec(accident, 0..4)
}

fn befall(host: &mut Observed, accident: &Accident) {
    let project = Some(Project::parse("shop").unwrap());
    let ours: Vec<Container> = host
        .containers
        .iter()
        .filter(|(_, c)| c.project == project || c.maker == project)
        .map(|(name, _)| name.clone())
        .collect();
    let nth = |n: &usize| (!ours.is_empty()).then(|| ours[n % ours.len()].clone());
    match accident {
        Accident::Stopped(n) => {
            if let Some(name) = nth(n) {
                let _ = simulate(host, &Op::Stop { name, timeout: Default::default() });
            }
        }
        Accident::Removed(n) => {
            if let Some(name) = nth(n) {
                let _ = simulate(host, &Op::Stop { name: name.clone(), timeout: Default::default() });
                let _ = simulate(host, &Op::Remove { name });
            }
        }
        Accident::Detached(n) => {
            if let Some(container) = nth(n)
                && let Some(network) = host.containers[&container].memberships.keys().next().cloned()
            {
                let _ = simulate(host, &Op::Disconnect { container, network });
            }
        }
        Accident::Unhealthy(n) => {
            if let Some(seen) = nth(n).and_then(|name| host.containers.get_mut(&name))
                && seen.health == Health::Healthy
            {
                seen.health = Health::Unhealthy;
            }
        }
        Accident::Restarting(n) => {
            if let Some(seen) = nth(n).and_then(|name| host.containers.get_mut(&name))
                && seen.state == State::Running
            {
                seen.state = State::Restarting;
            }
        }
        Accident::Crashed(n) => {
            if let Some(seen) = nth(n).and_then(|name| host.containers.get_mut(&name))
                && seen.state == State::Running
            {
                seen.restarts += 1;
            }
        }
        Accident::Paused(n) => {
            if let Some(name) = nth(n) {
                let _ = simulate(host, &Op::Pause { name });
            }
        }
        Accident::NetworkRemoved(n) => {
            // docker removes a network under stopped containers
            let network = host.networks.iter().filter(|(_, seen)| seen.project == project).nth(*n);
            if let Some((name, _)) = network.map(|(name, seen)| (name.clone(), seen.clone())) {
                let runs = |c: &SeenContainer| c.state.is_up() && c.memberships.contains_key(&name);
                if !host.containers.values().any(runs) {
                    host.networks.remove(&name);
                    for membership in
                        host.containers.values_mut().filter_map(|c| c.memberships.get_mut(&name))
                    {
                        membership.stale = true;
                    }
                }
            }
        }
        Accident::Breached(n) => {
            if let Some(container) = nth(n) {
                let network = Network::parse("other-network").unwrap();
                let membership = Membership { network, address: None, aliases: Vec::new() };
                let _ = simulate(host, &Op::Connect { container, membership });
            }
        }
        Accident::Retagged(n) => {
            let count = host.images.here.len();
            if let Some(image) = host.images.here.values_mut().nth(usize::from(*n) % count) {
                image.id = Some(id(50 + n));
            }
        }
    }
}

fn run(host: &mut Observed, steps: &[Step]) {
    for step in steps {
        run_op(host, &step.op, step);
    }
}

fn run_op(host: &mut Observed, op: &Op, step: &Step) {
    if let Err(refused) = simulate(host, op) {
        panic!("docker refuses step {}: {refused}: {op:?}", step.id.index() + 1);
    }
}

/// A host on which an earlier config was applied, perhaps not to its end, and then some accidents happened.
fn with_history(others: bool, before: Option<&Sketch>, cut: usize, accidents: &[Accident]) -> Observed {
    let mut host = host(others);
    if let Some(before) = before
        && let Ok(plan) = diff(&before.desired(), &host, &Options::default())
    {
        let end = plan.steps().len().min(if cut == 0 { usize::MAX } else { cut });
        run(&mut host, &plan.steps()[..end]);
    }
    for accident in accidents {
        befall(&mut host, accident);
    }
    host
}

fn options() -> Options {
    Options { replace: true, ..Options::default() }
}

fn plan_for(sketch: &Sketch, host: &Observed) -> Plan {
    let plan = |options: &Options| {
        diff(&sketch.desired(), host, options)
            .unwrap_or_else(|conflicts| panic!("{}\n{conflicts:?}", sketch.toml()))
    };
    // the person agrees to leave the data behind
    let left = plan(&options()).left_data.into_iter().map(|left| left.volume.as_str().to_owned());
    let plan = plan(&Options { leave_data: left.collect(), ..options() });
    for expect in &plan.expects {
        let holds = expect.any.iter().any(|fact| fact.holds(host));
        assert!(holds, "refused by its own plan: {}\n{}", expect.otherwise, sketch.toml());
    }
    plan
}

/// The comparable part of a host. The address and the release number of a container may depend on the steps
/// that made it.
fn essence(host: &Observed) -> Observed {
    let mut host = host.clone();
    for seen in host.containers.values_mut() {
        seen.release = 0;
        seen.addresses.clear();
        seen.memberships.values_mut().for_each(|membership| membership.address = None);
        if seen.state == State::Exited {
            // health that was seen before the plan says nothing about health after it
            seen.health = Health::None;
        }
    }
    host.networks.values_mut().for_each(|network| network.addresses.clear());
    host
}

fn end_of(plan: &Plan, host: &Observed) -> Observed {
    let mut end = host.clone();
    run(&mut end, plan.steps());
    end
}

/// Runs a plan as its script does: each step unless one of its facts holds; a wait only after a needed step
/// had something to do. Returns the steps that did something.
fn run_as_script(plan: &Plan, host: &mut Observed) -> BTreeSet<usize> {
    for expect in &plan.expects {
        assert!(expect.any.iter().any(|fact| fact.holds(host)), "refused: {}", expect.otherwise);
    }
    let mut done = BTreeSet::new();
    for step in plan.steps() {
        let follows = step.op.follows() && step.unless.is_empty();
        let is_needed = if follows {
            step.needs.iter().any(|need| done.contains(&need.index()))
        } else {
            !step.unless.iter().any(|fact| fact.holds(host))
        };
        if is_needed {
            if let Op::Await(wait) = &step.op {
                can_get_ready(host, wait, &plan.steps()[step.id.index()..]);
            }
            run_op(host, &step.op, step);
            done.insert(step.id.index());
        } else if let Op::Run(launch) = &step.op
            && host.containers.get(&launch.name).is_some_and(|seen| !seen.state.is_up())
            && step.unless.iter().all(|fact| {
                matches!(fact, Fact::Current(c) if c.name == launch.name)
                    || matches!(fact, Fact::Proxy { .. })
                    || !fact.holds(host)
            })
        {
            // killed between docker's create and its start
            let start = Op::Start { name: launch.name.clone() };
            run_op(host, &start, step);
        }
    }
    done
}

/// Checks that an awaited container is on every network that a `later` step takes it off. It may need
/// something there, or be probed from there.
fn can_get_ready(host: &Observed, wait: &Await, later: &[Step]) {
    if matches!(wait, Await::Drain { .. }) {
        return;
    }
    let name = wait.container();
    let away = later.iter().find_map(|step| match &step.op {
        Op::Disconnect { container, network } if container == name => Some(network),
        _ => None,
    });
    let away = away.filter(|network| !host.containers[name].memberships.contains_key(*network));
    assert_eq!(away, None, "{name} is waited for while it is off a network");
}

/// The steps in one of the orders that their `needs` and `after` allow.
fn in_an_order<'p>(plan: &'p Plan, order: &[prop::sample::Index]) -> Vec<&'p Step> {
    let mut waiting: Vec<&Step> = plan.steps().iter().collect();
    let mut order = order.iter().cycle();
    let mut steps = Vec::new();
    while !waiting.is_empty() {
        let is_waited_for = |id: &plan::StepId| waiting.iter().any(|step| step.id == *id);
        let is_ready = |i: &usize| !waiting[*i].needs.iter().chain(&waiting[*i].after).any(is_waited_for);
        let ready: Vec<usize> = (0..waiting.len()).filter(is_ready).collect();
        let choice = order.next().map_or(ready.len() - 1, |index| index.index(ready.len()));
        steps.push(waiting.remove(ready[choice]));
    }
    steps
}

/// What runs after a failed step: its undo, and the uninterruptible steps that do not need it.
fn after_failure(plan: &Plan, failed: &Step, host: &mut Observed) {
    for op in &failed.undo {
        let _ = simulate(host, op);
    }
    let mut is_done: Vec<bool> = plan.steps().iter().map(|step| step.id < failed.id).collect();
    is_done[failed.id.index()] = failed.op.is_dispensable();
    let mut is_over: Vec<bool> = plan.steps().iter().map(|step| step.id <= failed.id).collect();
    for step in &plan.steps()[failed.id.index() + 1..] {
        let all = |others: &[plan::StepId], are: &[bool]| others.iter().all(|other| are[other.index()]);
        if !step.uninterruptible || !all(&step.needs, &is_over) || !all(&step.after, &is_over) {
            continue;
        }
        is_over[step.id.index()] = true;
        if all(&step.needs, &is_done) {
            let _ = simulate(host, &step.op);
            is_done[step.id.index()] = true;
        }
    }
}

/// The serving names of the apps that are rolled out.
fn rolling(sketch: &Sketch) -> Vec<String> {
    let desired = sketch.desired();
    let apps = desired.workloads.iter().filter(|w| w.strategy == gordon::desired::Strategy::Rolling);
    apps.map(|w| w.name().to_string()).collect()
}

/// Whether a container has never been ready.
fn is_unproved(seen: &SeenContainer) -> bool {
    seen.restart == "on-failure:10"
}

/// Whether a container runs and is not paused.
fn works(seen: &SeenContainer) -> bool {
    seen.state.is_up() && seen.state != State::Paused
}

/// Whether a container runs under the serving name or the previous one. The proxy asks for both, in this
/// order.
fn serves(host: &Observed, name: &str) -> bool {
    let base_name = name.strip_suffix("-green").unwrap_or(name);
    let roles = [name.to_owned(), format!("{base_name}-previous")];
    let replicas = (1..=4).map(|i| if i == 1 { String::new() } else { format!("-{i}") });
    replicas
        .flat_map(|number| roles.clone().map(|role| format!("{role}{number}")))
        .any(|name| host.containers.get(&Container::parse(name).unwrap()).is_some_and(works))
}

/// A container that runs on a volume of the one that `op` has just started, and that is about to be removed.
/// Two databases on one volume destroy it.
fn intruder<'h>(op: &Op, host: &'h Observed, end: &Observed) -> Option<&'h Container> {
    let started = match op {
        Op::Run(launch) => &launch.name,
        Op::Start { name } => name,
        _ => return None,
    };
    let volumes: BTreeSet<_> = host.containers[started].volumes.values().collect();
    let others = host.containers.iter().filter(|(name, seen)| *name != started && seen.state.is_up());
    let mut others = others.filter(|(_, seen)| seen.volumes.values().any(|volume| volumes.contains(volume)));
    others
        .find(|(name, _)| !end.containers.get(*name).is_some_and(|seen| seen.state.is_up()))
        .map(|(name, _)| name)
}

/// The names that the containers of each replica may have: live, next and previous.
fn places(desired: &Desired) -> Vec<[Container; 3]> {
    let roles = [Role::Serving, Role::Incoming, Role::Previous];
    let replicas = desired.workloads.iter().flat_map(|w| (1..=w.replicas).map(move |i| (w, i)));
    replicas.map(|(w, i)| roles.map(|role| w.container(role, i))).collect()
}

/// The container that an operation changes.
fn subject(op: &Op) -> Option<&Container> {
    match op {
        Op::Create(launch) | Op::Run(launch) => Some(&launch.name),
        Op::Start { name }
        | Op::Stop { name, .. }
        | Op::Pause { name }
        | Op::Unpause { name }
        | Op::Update { name, .. }
        | Op::Remove { name } => Some(name),
        Op::Rename { from, .. } => Some(from),
        Op::Connect { container, .. } | Op::Disconnect { container, .. } => Some(container),
        Op::Await(wait) => Some(wait.container()),
        _ => None,
    }
}

/// A new container, and the one that is its fallback.
struct Entrance {
    comes: Container,
    fallback: Container,
    /// The name under which one of the two serves in the end.
    serving: Container,
}

impl Entrance {
    fn of(op: &Op, desired: &Desired, host: &Observed) -> Option<Self> {
        let is_created =
            |name: &Container| host.containers.get(name).is_some_and(|seen| seen.state == State::Created);
        let comes = match op {
            Op::Create(launch) | Op::Run(launch) => &launch.name,
            Op::Start { name } => name,
            Op::Connect { container, .. } if is_created(container) => container,
            Op::Await(
                Await::Healthy { name, .. } | Await::Listens { name, .. } | Await::StaysUp { name, .. },
            ) => name,
            _ => return None,
        };
        let mut entrances = places(desired).into_iter().filter_map(|[serving, incoming, previous]| {
            let fallback = match comes {
                name if *name == serving => previous,
                name if *name == incoming => serving.clone(),
                _ => return None,
            };
            Some(Self { comes: comes.clone(), fallback, serving })
        });
        entrances.next().filter(|entrance| host.containers.contains_key(&entrance.fallback))
    }
}

// properties
// ------------------------------------------------------------------------------------------------------

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_applied_plan_leaves_nothing_to_do(
        sketch in sketch(), before in prop::option::of(sketch()), cut in 0..30usize, others: bool, accidents in accidents(),
    ) {
        let host = with_history(others, before.as_ref(), cut, &accidents);
        let end = end_of(&plan_for(&sketch, &host), &host);
        let again = plan_for(&sketch, &end);
        prop_assert!(again.is_empty(), "{}\n{again}", sketch.toml());
        let (project, proxy) = (shop(), Container::parse(PROXY).unwrap());
        let has_proxy = sketch.desired().proxy.is_some();
        let is_its = |name: &Container, seen: &SeenContainer| seen.project == project || has_proxy && *name == proxy;
        for (name, seen) in end.containers.iter().filter(|(name, seen)| is_its(name, seen)) {
            prop_assert!(seen.state != State::Paused, "{name} is paused");
            let is_down = ["-previous", "-release"].iter().any(|role| name.as_str().contains(role));
            let policy = if is_down { "no" } else { "always" };
            prop_assert_eq!(&seen.restart, policy, "{}", name);
        }
    }

    #[test]
    fn a_step_lists_no_need_that_another_need_implies(
        sketch in sketch(), before in prop::option::of(sketch()), cut in 0..30usize, others: bool, accidents in accidents(),
    ) {
        let host = with_history(others, before.as_ref(), cut, &accidents);
        let plan = plan_for(&sketch, &host);
        let mut implied: Vec<BTreeSet<plan::StepId>> = Vec::new();
        for step in plan.steps() {
            let before: BTreeSet<_> = step.needs.iter().flat_map(|need| &implied[need.index()]).copied().collect();
            let follows = step.op.follows() && step.unless.is_empty();
            let listed_twice = step.needs.iter().chain(&step.after).find(|other| before.contains(other));
            prop_assert!(follows || listed_twice.is_none(), "step {}: {listed_twice:?}", step.id.index() + 1);
            implied.push(before.into_iter().chain(step.needs.iter().copied()).collect());
        }
    }

    #[test]
    fn an_operation_reaches_its_effect(
        sketch in sketch(), before in prop::option::of(sketch()), cut in 0..30usize, accidents in accidents(), down: bool,
    ) {
        let mut host = with_history(false, before.as_ref(), cut, &accidents);
        let plan = match down {
            true => plan::down(&shop().unwrap(), Default::default(), &host, plan::Volumes::Remove, &BTreeSet::new()),
            false => plan_for(&sketch, &host),
        };
        for step in plan.steps() {
            run_op(&mut host, &step.op, step);
            let effect = step.op.effect();
            prop_assert!(effect.as_ref().is_none_or(|fact| fact.holds(&host)), "{}: {effect:?}", step.op);
        }
    }

    #[test]
    fn a_plan_cut_off_anywhere_is_finished_by_the_next_one(
        sketch in sketch(), before in prop::option::of(sketch()), cut in 0..30usize, others: bool, accidents in accidents(),
    ) {
        let host = with_history(others, before.as_ref(), cut, &accidents);
        let plan = plan_for(&sketch, &host);
        let end = essence(&end_of(&plan, &host));
        let mut half_way = host.clone();
        let mut ended: BTreeSet<&Container> = BTreeSet::new();
        for step in plan.steps() {
            let rest = plan_for(&sketch, &half_way);
            let again = rest.steps().iter().find(|step| matches!(&step.op, Op::Start { name } if ended.contains(name)));
            prop_assert!(again.is_none(), "it ended well: {again:?}");
            prop_assert_eq!(&essence(&end_of(&rest, &half_way)), &end, "cut off before step {}", step.id.index() + 1);
            run(&mut half_way, std::slice::from_ref(step));
            if let Op::Await(Await::Ends { name, .. }) = &step.op {
                ended.insert(name);
            }
        }
    }

    #[test]
    fn an_unready_container_is_awaited_again(
        sketch in sketch(), before in prop::option::of(sketch()), cut in 0..30usize, accidents in accidents(),
    ) {
        let host = with_history(false, before.as_ref(), cut, &accidents);
        let plan = plan_for(&sketch, &host);
        let mut now = host.clone();
        for step in plan.steps() {
            if let Op::Await(wait) = &step.op
                && !matches!(wait, Await::Drain { .. })
                && is_unproved(&now.containers[wait.container()])
            {
                let mut failed = now.clone();
                step.undo.iter().for_each(|op| drop(simulate(&mut failed, op)));
                let again = plan_for(&sketch, &failed);
                let is_awaited = |op: &Op| matches!(op, Op::Await(again) if again.container() == wait.container());
                prop_assert!(again.steps().iter().any(|step| is_awaited(&step.op)), "{wait} again");
            }
            run(&mut now, std::slice::from_ref(step));
        }
    }

    #[test]
    fn dispensable_steps_do_not_change_the_end(sketch in sketch(), before in sketch(), accidents in accidents()) {
        let host = with_history(false, Some(&before), 0, &accidents);
        let plan = plan_for(&sketch, &host);
        let mut without = host.clone();
        for step in plan.steps().iter().filter(|step| !step.op.is_dispensable()) {
            match &step.op {
                Op::Unpause { name } if without.containers[name].state != State::Paused => {}
                op => run_op(&mut without, op, step),
            }
        }
        prop_assert_eq!(without, end_of(&plan, &host));
    }

    #[test]
    fn networks_never_overlap_and_containers_never_share_an_address(
        sketch in sketch(), before in prop::option::of(sketch()), cut in 0..30usize, others: bool, accidents in accidents(),
    ) {
        let host = with_history(others, before.as_ref(), cut, &accidents);
        let end = end_of(&plan_for(&sketch, &host), &host);
        let subnets: Vec<_> = end.networks.values().filter_map(|network| network.subnet).collect();
        for (i, one) in subnets.iter().enumerate() {
            for other in &subnets[i + 1..] {
                prop_assert!(!one.contains(other) && !other.contains(one), "{one} and {other}");
            }
        }
        let mut taken = BTreeSet::new();
        for (name, seen) in &end.containers {
            let is_its = |network: &Network| end.networks.get(network).is_some_and(|seen| seen.project == shop());
            // nothing asks for the one that runs the command of a release: docker gives it an address
            let is_asked_for = seen.kind != Some(Kind::Release);
            for (network, membership) in seen.memberships.iter().filter(|(n, _)| is_asked_for && is_its(n)) {
                let address = membership.address.expect("a container has an address in each network of gordon's");
                prop_assert!(taken.insert((network, address)), "{name} at {address}");
            }
        }
    }

    #[test]
    fn project_never_joins_foreign_network(
        sketch in sketch(), before in sketch(), accidents in accidents(),
    ) {
        let host = with_history(true, Some(&before), 0, &accidents);
        let end = end_of(&plan_for(&sketch, &host), &host);
        let (project, theirs) = (Project::parse("shop").unwrap(), Network::parse("other-network").unwrap());
        for (name, seen) in end.containers.iter().filter(|(_, c)| c.project.as_ref() == Some(&project) && c.state.is_up()) {
            prop_assert!(!seen.memberships.contains_key(&theirs), "{name}");
        }
    }

    #[test]
    fn every_order_that_respects_the_needs_reaches_the_same_end(
        sketch in sketch(), before in prop::option::of(sketch()), cut in 0..30usize, others: bool, order: Vec<prop::sample::Index>,
    ) {
        let mut host = with_history(others, before.as_ref(), 0, &[]);
        let undisturbed = plan_for(&sketch, &host);
        run(&mut host, &undisturbed.steps()[..cut.min(undisturbed.steps().len())]);
        let plan = plan_for(&sketch, &host);
        let end = end_of(&plan, &host);
        let mut model = host.clone();
        for step in in_an_order(&plan, &order) {
            run(&mut model, std::slice::from_ref(step));
            if let Some(other) = intruder(&step.op, &model, &end) {
                prop_assert!(false, "{other} still runs on a volume of what step {} starts", step.id.index() + 1);
            }
        }
        prop_assert_eq!(model, end);
    }

    #[test]
    fn a_container_never_starts_on_a_volume_that_a_leaving_one_still_uses(
        sketch in sketch(), before in sketch(), cut in 0..30usize, accidents in accidents(),
    ) {
        let host = with_history(false, Some(&before), cut, &accidents);
        let plan = plan_for(&sketch, &host);
        let end = end_of(&plan, &host);
        let mut model = host.clone();
        for step in plan.steps() {
            run(&mut model, std::slice::from_ref(step));
            let other = intruder(&step.op, &model, &end);
            prop_assert!(other.is_none(), "{other:?} after step {}", step.id.index() + 1);
        }
    }

    #[test]
    fn foreign_things_are_never_touched(
        sketch in sketch(), before in prop::option::of(sketch()), cut in 0..30usize, accidents in accidents(), volumes: bool,
    ) {
        let host = with_history(true, before.as_ref(), cut, &accidents);
        let project = Project::parse("shop").unwrap();
        let volumes = if volumes { plan::Volumes::Remove } else { plan::Volumes::Keep };
        for plan in [plan_for(&sketch, &host), plan::down(&project, Default::default(), &host, volumes, &BTreeSet::new())] {
            let end = end_of(&plan, &host);
            for (name, network) in host.networks.iter().filter(|(_, seen)| seen.project.as_ref() != Some(&project)) {
                prop_assert_eq!(end.networks.get(name).map(|seen| &seen.subnet), Some(&network.subnet));
            }
            for (name, container) in host.containers.iter().filter(|(_, c)| c.project.as_ref() != Some(&project) && c.maker.is_none()) {
                prop_assert_eq!(end.containers.get(name), Some(container));
            }
            let others = |host: &Observed| host.routes_files.iter().filter(|(p, _)| **p != project).map(|(p, text)| (p.clone(), text.clone())).collect::<Vec<_>>();
            prop_assert_eq!(others(&end), others(&host));
            for (name, volume) in host.volumes.iter().filter(|(_, v)| v.project.as_ref() != Some(&project)) {
                prop_assert_eq!(end.volumes.get(name), Some(volume));
            }
        }
    }

    #[test]
    fn volumes_are_removed_only_on_request(
        sketch in sketch(), before in sketch(), cut in 0..30usize, accidents in accidents(),
    ) {
        let host = with_history(false, Some(&before), cut, &accidents);
        let project = Project::parse("shop").unwrap();
        let keep = plan::down(&project, Default::default(), &host, plan::Volumes::Keep, &BTreeSet::new());
        for plan in [plan_for(&sketch, &host), keep] {
            let end = end_of(&plan, &host);
            prop_assert!(host.volumes.keys().all(|name| end.volumes.contains_key(name)));
        }
        let remove = plan::down(&project, Default::default(), &host, plan::Volumes::Remove, &BTreeSet::new());
        let end = end_of(&remove, &host);
        prop_assert!(end.containers.is_empty() && end.networks.is_empty() && end.volumes.is_empty(), "{end:?}");
    }

    #[test]
    fn a_script_cut_off_anywhere_reaches_the_same_end_and_then_does_nothing(
        sketch in sketch(), before in prop::option::of(sketch()), others: bool, accidents in accidents(),
    ) {
        let host = with_history(others, before.as_ref(), 0, &accidents);
        let plan = plan_for(&sketch, &host);
        let end = end_of(&plan, &host);
        for k in 0..=plan.steps().len() {
            let mut half_way = host.clone();
            run(&mut half_way, &plan.steps()[..k]);
            run_as_script(&plan, &mut half_way);
            prop_assert_eq!(essence(&half_way), essence(&end), "cut off after step {}", k);
            let done = run_as_script(&plan, &mut half_way);
            prop_assert!(done.is_empty(), "done again: {:?}", done);
        }
    }

    #[test]
    fn a_rollout_always_keeps_a_serving_container(
        sketch in sketch(), before in sketch(), third in prop::option::of(sketch()), cut in 0..40usize,
    ) {
        // the first plan is applied in full, the second may be cut off, the third has to cope
        let mut host = with_history(false, Some(&before), 0, &[]);
        let mut plans = vec![plan_for(&sketch, &host)];
        let mut last = &sketch;
        if let Some(third) = &third {
            let end = plans[0].steps().len().min(cut);
            let mut half_way = host.clone();
            run(&mut half_way, &plans[0].steps()[..end]);
            plans.push(plan_for(third, &half_way));
            last = third;
        }
        let lasting: Vec<_> = rolling(&before)
            .into_iter()
            .filter(|name| rolling(&sketch).contains(name) && rolling(last).contains(name))
            .collect();
        for (i, plan) in plans.iter().enumerate() {
            let end = if i + 1 < plans.len() { plan.steps().len().min(cut) } else { plan.steps().len() };
            for step in &plan.steps()[..end] {
                run(&mut host, std::slice::from_ref(step));
                for name in &lasting {
                    prop_assert!(serves(&host, name), "no container serves {name} after step {} of plan {}: {:?}", step.id.index() + 1, i + 1, step.op);
                }
            }
        }
    }

}

proptest! {
    // fewer cases: each step takes a plan, a script and a failure
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_rollback_cut_off_anywhere_still_brings_the_previous_release_back(
        sketch in sketch(), before in sketch(),
    ) {
        let mut host = with_history(false, Some(&before), 0, &[]);
        let plan = plan_for(&sketch, &host);
        run(&mut host, plan.steps());
        let desired = sketch.desired();
        let back = |leave_data| plan::rollback(&desired, &host, None, &leave_data);
        let Ok(refused) = back(BTreeSet::new()) else { return Ok(()) };
        let left = refused.left_data.iter().map(|left| left.volume.as_str().to_owned());
        let back = back(left.collect()).expect("the same plan");
        let kept: BTreeMap<Container, Container> = back
            .steps()
            .iter()
            .filter_map(|step| match &step.op {
                Op::Rename { from, to } if from.as_str().contains("-previous") => Some((from.clone(), to.clone())),
                _ => None,
            })
            .collect();
        prop_assert!(!kept.is_empty());
        let lasting: Vec<String> = rolling(&sketch).into_iter().filter(|name| serves(&host, name)).collect();
        let mut half_way = host.clone();
        for step in back.steps() {
            // a plain apply from here reaches the config
            let mut now = half_way.clone();
            for step in plan_for(&sketch, &now).steps() {
                run(&mut now, std::slice::from_ref(step));
                for name in &lasting {
                    prop_assert!(serves(&now, name), "no container serves {name} on the way to the config");
                }
            }
            prop_assert!(plan_for(&sketch, &now).is_empty());
            let mut script = half_way.clone();
            run_as_script(&back, &mut script);
            prop_assert_eq!(essence(&script), essence(&end_of(&back, &host)), "the script, cut off before step {}", step.id.index() + 1);
            // a step may fail before or after its effect
            for done in [false, true] {
                let mut failed = half_way.clone();
                let goes_back = step.undo.iter().any(|op| matches!(op, Op::Rename { .. }));
                if !goes_back || done && simulate(&mut failed, &step.op).is_err() {
                    continue;
                }
                for op in &step.undo {
                    let _ = simulate(&mut failed, op);
                }
                let place = places(&desired).into_iter().find(|names| subject(&step.op).is_some_and(|name| names.contains(name)));
                let [serving, incoming, previous] = place.expect("it is a container of an app");
                for name in [&serving, &previous] {
                    prop_assert_eq!(&failed.containers[name].spec, &host.containers[name].spec, "{} after step {} has failed", name, step.id.index() + 1);
                }
                prop_assert!(failed.containers[&serving].state.is_up() && !failed.containers.contains_key(&incoming));
            }
            run(&mut half_way, std::slice::from_ref(step));
            for name in &lasting {
                prop_assert!(serves(&half_way, name), "no container serves {name} after step {}", step.id.index() + 1);
            }
        }
        // without a failure, the kept release serves, and the serving one is kept
        let end = end_of(&back, &host);
        for previous in kept.keys() {
            let serving = Container::parse(previous.as_str().replace("-previous", if previous.as_str().starts_with("shop-w") { "-green" } else { "" })).unwrap();
            prop_assert_eq!(&end.containers[&serving].spec, &host.containers[previous].spec);
            prop_assert_eq!(&end.containers[previous].spec, &host.containers[&serving].spec);
            prop_assert!(works(&end.containers[&serving]) && !end.containers[previous].state.is_up());
        }
        prop_assert!(run_as_script(&back, &mut half_way).is_empty(), "done again");
    }

}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_workload_keeps_serving_whichever_of_its_steps_fails(
        sketch in sketch(), before in sketch(), between in sketch(), cut in 0..40usize,
    ) {
        let mut host = with_history(false, Some(&before), 0, &[]);
        let plan = plan_for(&between, &host);
        run(&mut host, &plan.steps()[..cut.min(plan.steps().len())]);
        let desired = sketch.desired();
        let serves = |host: &Observed, serving: &[Container; 2]| {
            serving.iter().any(|name| host.containers.get(name).is_some_and(works))
        };
        let plan = plan_for(&sketch, &host);
        let mut now = host.clone();
        for step in plan.steps() {
            for [serving, incoming, previous] in places(&desired) {
                let is_its_own = subject(&step.op).is_some_and(|name| [&serving, &incoming, &previous].contains(&name));
                let serving = [serving, previous];
                if !is_its_own || !serves(&host, &serving) {
                    continue;
                }
                // a step may fail before or after its effect
                for done in [false, true] {
                    let mut failed = now.clone();
                    if done && simulate(&mut failed, &step.op).is_err() {
                        continue;
                    }
                    after_failure(&plan, step, &mut failed);
                    prop_assert!(
                        serves(&failed, &serving),
                        "no container serves {} after step {} has failed, done: {done}: {:?}\n{}",
                        serving[0], step.id.index() + 1, step.op, sketch.toml()
                    );
                }
            }
            run(&mut now, std::slice::from_ref(step));
        }
    }

    #[test]
    fn a_failed_replacement_restores_the_old_container(
        sketch in sketch(), before in sketch(), accidents in accidents(),
    ) {
        let host = with_history(false, Some(&before), 0, &accidents);
        let plan = plan_for(&sketch, &host);
        let desired = sketch.desired();
        let mut now = host.clone();
        for step in plan.steps() {
            if let Some(Entrance { comes, fallback, serving }) = Entrance::of(&step.op, &desired, &now) {
                let old = &now.containers[&fallback];
                let mut failed = now.clone();
                // a step may fail before or after its effect
                for done in [false, true] {
                    if done && simulate(&mut failed, &step.op).is_err() {
                        continue;
                    }
                    let mut back = failed.clone();
                    for op in &step.undo {
                        let _ = simulate(&mut back, op);
                    }
                    let seen = &back.containers[&serving];
                    prop_assert_eq!(&seen.spec, &old.spec);
                    prop_assert!(
                        seen.state.is_up() || fallback == serving && !old.state.is_up(),
                        "{serving} serves after step {} has failed", step.id.index() + 1
                    );
                    prop_assert!(
                        comes == serving || !back.containers.contains_key(&comes),
                        "{comes} is gone after step {} has failed", step.id.index() + 1
                    );
                }
            }
            run(&mut now, std::slice::from_ref(step));
        }
    }
}
