//! What a plan changes, for whom, and at what cost, computed from the plan alone. Does not know how it is shown.

use super::block::Action;
use super::block::Block;
use super::block::Thing;
use super::block::blocks;
use super::container::changed_facts;
use super::container::facts;
use super::container::launch;
use super::container::release_command;
use super::container::short_name;
use super::container::volumes;
use super::cost::Cost;
use super::cost::Impact;
use super::cost::cost;
use super::cost::impact;
use super::cost::removes_kept;
use super::words::one_line;
use crate::docker::Await;
use crate::docker::Launch;
use crate::docker::NETWORK;
use crate::docker::Op;
use crate::docker::RouteSite;
use crate::docker::RoutesFile;
use crate::docker::own_words;
use crate::docker::redirects;
use crate::docker::route_sites;
use crate::name::Volume;
use crate::plan::Plan;
use crate::plan::Reason;
use crate::plan::RouteChanges;
use crate::plan::StepId;
use crate::spec::Kind;
use crate::spec::PROXY;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::time::Duration;

/// What a plan changes, for whom, and at what cost.
#[derive(Debug)]
pub(super) struct Overview<'a> {
    /// In the order of their first steps; what all projects share comes last.
    pub(super) groups: Vec<Group<'a>>,
    pub(super) cost: Cost<'a>,
}

/// All that changes for one owner.
#[derive(Debug)]
pub(super) struct Group<'a> {
    /// The domain, group or project; `None`: all projects of the host.
    pub(super) owner: Option<&'a str>,
    /// Each with the number of things of which it tells; several are replicas.
    pub(super) entries: Vec<(Entry<'a>, usize)>,
}

/// A thing that changes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Entry<'a> {
    pub(super) action: Action,
    /// Its kind in one word, as in `network`, `service`, `app`, `route`.
    pub(super) kind: &'static str,
    /// The name by which people know it.
    pub(super) name: String,
    /// What it becomes, or why.
    pub(super) what: String,
    pub(super) impact: Option<Impact>,
    /// What else there is to know of it.
    pub(super) facts: Vec<String>,
    /// The volumes that it leaves behind, with their data.
    pub(super) left: Vec<&'a Volume>,
}

/// What `plan` changes.
pub(super) fn overview(plan: &Plan) -> Overview<'_> {
    let blocks = blocks(plan);
    let view = View::of(plan, &blocks);
    let mut sections = Sections::default();
    for block in blocks.iter().filter(|block| block.thing != Thing::Image) {
        match block.thing {
            // they come last of what each owner has
            Thing::Routes => {}
            _ if view.is_told_elsewhere(block) => {}
            _ => sections.add(owner(block), view.entry(block)),
        }
    }
    for block in blocks.iter().filter(|block| block.thing == Thing::Routes) {
        for (owner, entry) in view.routes(block) {
            sections.add(Some(owner), entry);
        }
    }
    let pulls = [(Action::Pull, "pull"), (Action::Check, "check")];
    for (action, kind) in pulls {
        let of = blocks.iter().filter(|block| (block.thing, block.action) == (Thing::Image, action));
        let names: Vec<&str> = of.map(|block| block.name).collect();
        if !names.is_empty() {
            let what = if action == Action::Check { "the volumes that it declares" } else { "" };
            sections.add(None, Entry { what: what.to_owned(), ..entry(action, kind, names.join("  ")) });
        }
    }
    Overview { groups: sections.groups(), cost: cost(plan, &blocks, &view.short_names) }
}

/// Entries by their owner.
#[derive(Default)]
struct Sections<'a> {
    places: BTreeMap<&'a str, usize>,
    owned: Vec<Group<'a>>,
    shared: Vec<(Entry<'a>, usize)>,
}

impl<'a> Sections<'a> {
    /// Replicas of which the same can be said are one entry.
    fn add(&mut self, owner: Option<&'a str>, entry: Entry<'a>) {
        let entries = match owner {
            None => &mut self.shared,
            Some(owner) => {
                let place = *self.places.entry(owner).or_insert(self.owned.len());
                if place == self.owned.len() {
                    self.owned.push(Group { owner: Some(owner), entries: Vec::new() });
                }
                &mut self.owned[place].entries
            }
        };
        match entries.last_mut() {
            Some((last, count)) if *last == entry => *count += 1,
            _ => entries.push((entry, 1)),
        }
    }

    fn groups(self) -> Vec<Group<'a>> {
        let shared = Group { owner: None, entries: self.shared };
        self.owned.into_iter().chain([shared]).filter(|group| !group.entries.is_empty()).collect()
    }
}

/// Whose a thing is; `None`: all projects'.
fn owner<'a>(block: &Block<'a>) -> Option<&'a str> {
    (block.owner != PROXY).then_some(block.owner)
}

fn entry<'a>(action: Action, kind: &'static str, name: impl Into<String>) -> Entry<'a> {
    Entry {
        action,
        kind,
        name: name.into(),
        what: String::new(),
        impact: None,
        facts: Vec::new(),
        left: Vec::new(),
    }
}

/// A plan, with what of its things is looked up by name.
struct View<'a> {
    plan: &'a Plan,
    /// By container, the short name by which people know it.
    short_names: BTreeMap<&'a str, &'a str>,
    /// By container, whose it is.
    owners: BTreeMap<&'a str, &'a str>,
    /// By step, the container that it is about.
    containers: BTreeMap<StepId, &'a str>,
    /// The short names of apps that are made, by what the names of their containers begin with.
    apps: BTreeMap<&'a str, &'a str>,
    /// The volumes that are created and mounted by a container of the plan.
    mounted: BTreeSet<&'a str>,
    makes_proxy: bool,
    /// By owner, how long containers that are replaced go on answering.
    drains: BTreeMap<&'a str, Duration>,
}

impl<'a> View<'a> {
    fn of(plan: &'a Plan, blocks: &[Block<'a>]) -> Self {
        let mut view = Self {
            plan,
            short_names: BTreeMap::new(),
            owners: BTreeMap::new(),
            containers: BTreeMap::new(),
            apps: BTreeMap::new(),
            mounted: BTreeSet::new(),
            makes_proxy: false,
            drains: BTreeMap::new(),
        };
        for block in blocks.iter().filter(|block| block.thing == Thing::Container) {
            view.short_names.insert(block.name, short_name(block));
            view.owners.insert(block.name, block.owner);
            view.containers.extend(block.steps.iter().map(|step| (step.id, block.name)));
            for step in &block.steps {
                if let Op::Await(Await::Drain { time, .. }) = &step.op {
                    // a shorter wait follows, for names that were looked up just before
                    let longest = view.drains.entry(block.owner).or_default();
                    *longest = (*time).max(*longest);
                }
            }
            if let Some(launch) = launch(block) {
                if launch.labels.kind == Kind::App {
                    view.apps.entry(&launch.labels.name).or_insert(short_name(block));
                }
                view.mounted.extend(volumes(launch));
                view.makes_proxy |= launch.labels.kind == Kind::Proxy;
            }
        }
        view
    }

    /// Whether the entry of a container tells of it: a volume that the container mounts, the proxy's own network.
    fn is_told_elsewhere(&self, block: &Block<'_>) -> bool {
        block.action == Action::Create
            && match block.thing {
                Thing::Volume => self.mounted.contains(block.name),
                Thing::Network => block.name == NETWORK && self.makes_proxy,
                _ => false,
            }
    }

    /// The command with which a release begins. What ran the one before makes room for it.
    fn release(&self, block: &Block<'a>, launch: &'a Launch) -> Entry<'a> {
        let base_name = launch.labels.name.as_str();
        let app = self.apps.get(base_name).copied().unwrap_or(base_name);
        let command = release_command(launch);
        Entry {
            what: format!("run {command} once, before app {app}"),
            facts: facts(block, launch, self.waits_for(block)),
            ..entry(Action::Create, Kind::Release.as_str(), app)
        }
    }

    fn entry(&self, block: &Block<'a>) -> Entry<'a> {
        let launch = launch(block);
        if let Some(launch) = launch.filter(|launch| launch.labels.kind == Kind::Release) {
            return self.release(block, launch);
        }
        let kind = match launch.map(|launch| launch.labels.kind) {
            Some(kind) => kind.as_str(),
            None if block.name == PROXY => Kind::Proxy.as_str(),
            None if block.thing == Thing::Container => {
                self.plan.kinds.get(block.name).map_or(block.thing.as_str(), |kind| kind.as_str())
            }
            None => block.thing.as_str(),
        };
        let impact = impact(block).map(|impact| match impact {
            // one wait is enough for all replicas
            Impact::Rolled { .. } => Impact::Rolled { drains: self.drains.get(block.owner).copied() },
            impact => impact,
        });
        let is_new = block.action == Action::Create;
        let is_plain = is_new && block.steps[0].reason == Reason::Missing;
        let mut what = Vec::new();
        match (&block.steps[0].op, launch) {
            (Op::CreateNetwork { subnet, .. }, _) => what.push(subnet.to_string()),
            (_, Some(launch)) if is_new => what.push(launch.image.to_string()),
            _ => {}
        }
        // that everything goes need not be said of each thing
        let is_down = block.steps.iter().all(|step| step.reason == Reason::Down);
        if !is_plain && !is_down {
            what.push(super::text::reason(block));
        }
        let mut facts = match launch {
            Some(launch) if is_new => facts(block, launch, self.waits_for(block)),
            Some(launch) => changed_facts(block, launch),
            None => Vec::new(),
        };
        if removes_kept(block) {
            facts.push("removes the release kept for a rollback".to_owned());
        }
        let left = self.plan.left_data.iter().filter(|left| left.container.as_str() == block.name);
        let action = match impact {
            Some(Impact::Rolled { .. }) => Action::Update,
            _ => block.action,
        };
        Entry {
            what: what.join(": "),
            impact,
            facts,
            left: left.map(|left| &left.volume).collect(),
            ..entry(action, kind, self.short_names.get(block.name).copied().unwrap_or(block.name))
        }
    }

    /// The containers that are ready before this one is made.
    fn waits_for(&self, block: &Block<'a>) -> Vec<String> {
        let needs = block.steps.iter().flat_map(|step| &step.needs);
        let others = needs.filter_map(|need| self.containers.get(need));
        let mut names: Vec<String> = Vec::new();
        // of the command of its release the entry before tells
        let is_command = |other: &str| self.plan.kinds.get(other) == Some(&Kind::Release);
        let is_told = |other: &&&str| **other != block.name && **other != PROXY && !is_command(other);
        for other in others.filter(is_told) {
            let name = self.short_names[other].to_owned();
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }

    /// The routes that change, each with its owner: that of its app, where the plan changes that.
    fn routes(&self, block: &Block<'a>) -> Vec<(&'a str, Entry<'a>)> {
        let project = self.plan.project.as_str();
        let mut routes = Vec::new();
        for step in &block.steps {
            match &step.op {
                Op::WriteRoutes { text, .. } => {
                    let changed = match &step.reason {
                        Reason::RoutesChanged(changed) => Some(changed),
                        _ => None,
                    };
                    let file = RoutesFile::from(text.as_str());
                    let redirects = redirects(text);
                    for site in route_sites(text) {
                        let Some((owner, entry)) = self.route(&site, changed, &redirects) else { continue };
                        routes.push((owner, Entry { facts: site_facts(&site, &file, &redirects), ..entry }));
                    }
                    let gone = changed.into_iter().flat_map(|changed| &changed.removed);
                    routes.extend(gone.map(|host| {
                        let what = "no longer routed".to_owned();
                        (project, Entry { what, ..entry(Action::Remove, "route", host) })
                    }));
                }
                Op::RemoveRoutes { project: of } => {
                    let what = one_line(&step.reason.to_string());
                    let entry = Entry { what, ..entry(Action::Remove, "routes", format!("all of {of}")) };
                    routes.push((project, entry));
                }
                _ => {}
            }
        }
        routes
    }

    /// A site of the new routes, unless it is among them unchanged, with the hosts that are redirected to it.
    fn route(
        &self,
        site: &RouteSite<'a>,
        changed: Option<&RouteChanges>,
        redirects: &BTreeMap<String, &str>,
    ) -> Option<(&'a str, Entry<'a>)> {
        let to = site.target();
        let was = changed.and_then(|changed| site.hosts().find_map(|host| changed.changed.get(&host)));
        let is_added = changed.is_none_or(|changed| site.hosts().any(|host| changed.added.contains(&host)));
        let is_redirected = redirects.iter().any(|(from, to)| {
            let is_new =
                |changed: &RouteChanges| changed.added.contains(from) || changed.changed.contains_key(from);
            site.hosts().any(|host| host == *to) && changed.is_some_and(is_new)
        });
        let (action, what) = match was {
            Some(from) if !from.is_empty() && *from != to => (Action::Update, format!("{from} → {to}")),
            Some(_) => {
                let words = changed.into_iter().flat_map(|changed| changed.words.iter().copied());
                let words: Vec<&str> = words.collect();
                let other =
                    if words.is_empty() { String::new() } else { format!("; other {}", words.join(", ")) };
                (Action::Update, format!("→ {to}{other}"))
            }
            None if is_added => (Action::Create, format!("→ {to}")),
            None if is_redirected => (Action::Update, format!("→ {to}")),
            None => return None,
        };
        let owner = self.owners.get(site.container).copied().unwrap_or(self.plan.project.as_str());
        Some((owner, Entry { what, ..entry(action, "route", self.urls(site)) }))
    }

    /// What visitors call the hosts of a site, as in `http://a.com:8080`.
    fn urls(&self, site: &RouteSite<'a>) -> String {
        let url = |address: &str| {
            let (usual, port) = match (self.plan.proxy_ports, address.starts_with("http://")) {
                (None, _) => return address.to_owned(),
                (Some([http, _]), true) => (80, http),
                (Some([_, https]), false) => (443, https),
            };
            if port == usual { address.to_owned() } else { format!("{address}:{port}") }
        };
        site.addresses.split(", ").map(url).collect::<Vec<_>>().join(", ")
    }
}

/// What is particular to a site.
fn site_facts(site: &RouteSite<'_>, file: &RoutesFile, redirects: &BTreeMap<String, &str>) -> Vec<String> {
    let hosts: Vec<String> = site.hosts().collect();
    let from = redirects.iter().filter(|(_, to)| hosts.iter().any(|host| host == *to));
    let from: Vec<&str> = from.map(|(from, _)| from.as_str()).collect();
    let words = hosts.first().and_then(|host| file.sites(host)).map(own_words).unwrap_or_default();
    let facts = [("redirected from ", from.join(", ")), ("snippet ", words)];
    facts
        .into_iter()
        .filter(|(_, said)| !said.is_empty())
        .map(|(what, said)| format!("{what}{said}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::docker::Membership;
    use crate::docker::RoutesFile;
    use crate::name::Alias;
    use crate::name::Project;
    use crate::plan::LeftData;
    use crate::plan::NewStep;
    use crate::plan::Risk;
    use crate::render::sample;
    use crate::render::sample::container;

    fn entries<'a>(overview: &Overview<'a>, owner: Option<&str>) -> Vec<(&'static str, String, String)> {
        let group = overview.groups.iter().find(|group| group.owner == owner).expect("a group");
        let told = |(entry, count): &(Entry<'a>, usize)| {
            (entry.kind, format!("{}*{count}", entry.name), entry.what.clone())
        };
        group.entries.iter().map(told).collect()
    }

    fn told<'a>(kind: &'a str, name: &str, what: &str) -> (&'a str, String, String) {
        (kind, name.to_owned(), what.to_owned())
    }

    #[test]
    fn what_is_new_is_said_of_each_owner_and_the_volumes_of_its_containers_with_them() {
        let plan = sample::first_start();
        let overview = overview(&plan);
        let owners: Vec<_> = overview.groups.iter().map(|group| group.owner).collect();
        assert_eq!(owners, [Some("backend"), Some("frontend"), Some("shop.example"), None]);
        assert_eq!(
            entries(&overview, Some("backend")),
            [
                told("network", "shop-backend*1", "10.214.7.0/24"),
                told("service", "postgres*1", "postgres:15")
            ]
        );
        let facts = &overview.groups[0].entries[1].0.facts;
        let mounts = "mounts ./db/init scripts:/docker-entrypoint-initdb.d";
        for fact in ["data in shop-db-data", mounts, "runs postgres -c log_statement=all"] {
            assert!(facts.contains(&fact.to_owned()), "{facts:?}");
        }
        assert!(facts.contains(&"ready when healthy (≤ 1m)".to_owned()), "{facts:?}");
        let app = &overview.groups[2].entries[0].0.facts;
        assert!(app.contains(&"after postgres".to_owned()), "{app:?}");
        assert_eq!(overview.cost, Cost { steps: 11, ..Cost::default() });
        assert_eq!(overview.cost.to_string(), "11 steps; nothing is interrupted, nothing is removed");
    }

    #[test]
    fn what_costs_somebody_something_is_said_of_the_thing_and_in_all() {
        let mut plan = sample::change();
        let volume = Volume::parse("shop-db-old").expect("a volume");
        plan.left_data.push(LeftData { container: container("shop-db"), volume: volume.clone() });
        let overview = overview(&plan);
        let impacts: Vec<_> = overview
            .groups
            .iter()
            .flat_map(|group| &group.entries)
            .map(|(entry, _)| (entry.name.as_str(), entry.impact.clone(), entry.left.len()))
            .collect();
        let limit = Some(Duration::from_secs(60));
        assert_eq!(
            impacts,
            [
                ("postgres", Some(Impact::Interrupted { limit, falls_back: true }), 1),
                ("shop-web", Some(Impact::Paused), 0),
                ("shop-old", Some(Impact::Stopped), 0),
                ("shop-old-example", Some(Impact::Removed), 0),
                ("shop-old-data", Some(Impact::DataRemoved), 0),
            ]
        );
        assert_eq!(
            overview.cost.to_string(),
            "13 steps; INTERRUPTED: postgres; STOPPED: shop-old; paused for 0.3 s: shop-web; removes 1 network, 1 container; \
             REMOVED WITH ITS DATA: volume shop-old-data; DATA LEFT BEHIND: shop-db-old"
        );
        assert!(overview.cost.hurts());
    }

    #[test]
    fn replicas_are_one_entry() {
        let mut plan = Plan::new(sample::project());
        for name in ["shop-web", "shop-web-2", "shop-web-3", "shop-worker"] {
            let alias = Alias::parse(&name[..8]).expect("an alias");
            let network = sample::network("shop-network");
            let membership = Membership { network, address: None, aliases: vec![alias] };
            let mut launch = sample::app();
            (launch.name, launch.memberships) = (container(name), vec![membership]);
            plan.push(sample::new("shop", Op::Run(launch), Reason::Missing));
        }
        assert_eq!(
            entries(&overview(&plan), Some("shop")),
            [told("app", "shop-web*3", "web"), told("app", "shop-wor*1", "web")]
        );
    }

    #[test]
    fn of_routes_only_those_are_told_that_change() {
        let site = |host: &str, app: &str| {
            format!(
                "http://{host} {{\n\treverse_proxy x.net.:80 {{\n\t\tdynamic a {app}.net. 80 {{\n\t\t}}\n\t}}\n}}\n"
            )
        };
        let old = [site("a.com", "shop-a"), site("b.com", "shop-b"), site("c.com", "shop-c")].concat();
        let new = [site("a.com", "shop-a"), site("b.com", "shop-x"), site("d.com", "shop-d")].concat();
        let changes = RouteChanges::between(&RoutesFile::from(&*old), &RoutesFile::from(&*new));
        assert_eq!(changes.to_string(), "routes added d.com; changed b.com; removed c.com");
        let mut plan = Plan::new(sample::project());
        let write = |text: &str| Op::WriteRoutes { project: sample::project(), text: text.to_owned() };
        plan.push(sample::new(PROXY, write(&new), Reason::RoutesChanged(changes)));
        assert_eq!(
            entries(&overview(&plan), Some("shop")),
            [
                told("route", "http://b.com*1", "shop-b:80 → shop-x:80"),
                told("route", "http://d.com*1", "→ shop-d:80"),
                told("route", "c.com*1", "no longer routed"),
            ]
        );
        let mut plan = Plan::new(sample::project());
        plan.push(sample::new(PROXY, write(&old), Reason::Missing));
        assert_eq!(entries(&overview(&plan), Some("shop")).len(), 3);
        let mut plan = Plan::new(sample::project());
        let op = Op::RemoveRoutes { project: Project::parse("gone").expect("a project") };
        plan.push(NewStep { risk: Risk::Removes, ..sample::new(PROXY, op, Reason::NoRoutes) });
        assert_eq!(
            entries(&overview(&plan), Some("shop")),
            [told("routes", "all of gone*1", "nothing is routed to it any more")]
        );
    }

    #[test]
    fn a_kept_release_that_a_rollout_removes_is_said_of_its_app_and_in_all() {
        let mut plan = Plan::new(sample::project());
        let mut launch = sample::app();
        launch.name = container("shop-web-next");
        let rename = |from: &str, to: &str| Op::Rename { from: container(from), to: container(to) };
        plan.push(sample::new("shop", Op::Run(launch), Reason::Asked));
        let removes = Op::Remove { name: container("shop-web-previous") };
        plan.push(NewStep { risk: Risk::Removes, ..sample::new("shop", removes, Reason::Older) });
        plan.push(sample::new("shop", rename("shop-web", "shop-web-previous"), Reason::MakesRoom));
        plan.push(sample::new("shop", rename("shop-web-next", "shop-web"), Reason::TakesOver));
        let overview = overview(&plan);
        let (entry, _) = &overview.groups[0].entries[0];
        assert_eq!(entry.what, "asked for with --recreate");
        assert!(entry.facts.contains(&"removes the release kept for a rollback".to_owned()), "{entry:?}");
        assert_eq!(
            overview.cost.to_string(),
            format!(
                "4 steps; removes the release kept for a rollback: {}; nothing is interrupted",
                entry.name
            )
        );
    }

    #[test]
    fn what_is_stopped_is_an_interruption_and_that_everything_goes_is_not_said_of_each_thing() {
        let mut plan = Plan::new(sample::project());
        let name = container("shop-web");
        let stop = Op::Stop { name: name.clone(), timeout: Duration::from_secs(30) };
        plan.push(NewStep { risk: Risk::Interrupts, ..sample::new("shop", stop, Reason::Down) });
        let remove = Op::Remove { name: name.clone() };
        plan.push(NewStep { risk: Risk::Removes, ..sample::new("shop", remove, Reason::Down) });
        let op = Op::RemoveRoutes { project: sample::project() };
        plan.push(NewStep { risk: Risk::Removes, ..sample::new(PROXY, op, Reason::NoRoutes) });
        plan.kinds.insert(name, Kind::App);
        let overview = overview(&plan);
        assert_eq!(overview.groups[0].entries[0].0.impact, Some(Impact::Stopped));
        assert_eq!(entries(&overview, Some("shop"))[0], told("app", "shop-web*1", ""));
        assert_eq!(overview.cost.to_string(), "3 steps; STOPPED: shop-web; removes 1 container, routes");
    }

    #[test]
    fn a_route_has_the_port_by_which_visitors_reach_it() {
        let told = |http_port, https_port| {
            let mut plan = Plan::new(sample::project());
            plan.proxy_ports = Some([http_port, https_port]);
            let text = "http://a.com, https://b.com {\n\t\tdynamic a shop-a.net. 80 {\n\t\t}\n}\n".to_owned();
            let write = Op::WriteRoutes { project: sample::project(), text };
            plan.push(sample::new(PROXY, write, Reason::Missing));
            let overview = overview(&plan);
            overview.groups[0].entries[0].0.name.clone()
        };
        assert_eq!(told(80, 443), "http://a.com, https://b.com");
        assert_eq!(told(8080, 8443), "http://a.com:8080, https://b.com:8443");
    }

    #[test]
    fn replicas_that_are_rolled_out_are_one_entry_though_one_wait_drains_all() {
        let mut plan = Plan::new(sample::project());
        for name in ["shop-web", "shop-web-2"] {
            let next = format!("{name}-next");
            let mut launch = sample::app();
            launch.name = container(&next);
            let rename = Op::Rename { from: container(&next), to: container(name) };
            plan.push(sample::new("shop", Op::Run(launch), Reason::Asked));
            plan.push(sample::new("shop", rename, Reason::TakesOver));
        }
        for seconds in [5, 1] {
            let wait = Await::Drain {
                names: vec![container("shop-web")],
                time: Duration::from_secs(seconds),
                upstreams: Vec::new(),
            };
            plan.push(sample::new("shop", Op::Await(wait), Reason::Leaves));
        }
        let overview = overview(&plan);
        let [(entry, 2)] = &overview.groups[0].entries[..] else { panic!("{overview:?}") };
        let drains = Some(Duration::from_secs(5));
        assert_eq!((entry.action, entry.impact.clone()), (Action::Update, Some(Impact::Rolled { drains })));
    }
}
