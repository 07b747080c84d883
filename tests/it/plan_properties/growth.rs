//! Ten times the config takes about ten times the time. Measures the processor time of each stage, on an
//! empty host and on one that matches the config.
#![expect(clippy::disallowed_methods, reason = "it writes what the benchmark reads")]

use super::engine::By;
use super::engine::Engine;
use super::images;
use gordon::config;
use gordon::config::Config;
use gordon::desired::Desired;
use gordon::desired::Inputs;
use gordon::desired::resolve;
use gordon::docker::Cli;
use gordon::docker::First;
use gordon::docker::ImageList;
use gordon::docker::Observed;
use gordon::docker::Second;
use gordon::plan::Options;
use gordon::plan::Plan;
use gordon::plan::Volumes;
use gordon::plan::diff;
use gordon::plan::down;
use gordon::plan::simulate;
use gordon::render;
use gordon::spec::Content;
use gordon::spec::Setting;
use rustix::time::ClockId;
use rustix::time::clock_gettime;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

/// How many routes the two configs have.
const ROUTES: [usize; 2] = [50, 500];

/// The largest allowed factor for ten times the routes. Maps and caches add less than that.
const MOST: f64 = 20.0;

/// Stages below this time are too short to compare.
const LEAST: Duration = Duration::from_millis(2);

/// A config with this many routes, each with two services. Every tenth route has a health path.
fn text(routes: usize) -> String {
    let mut text = "network_isolation.address_pool = \"10.0.0.0/8\"\n[routes]\n".to_owned();
    for i in 1..=routes {
        let path = if i % 10 == 0 { ", health = { path = \"/up\" }" } else { "" };
        writeln!(text, "\"app{i}.example.com\" = {{ image = \"app:1\"{path} }}").unwrap();
    }
    text.push_str("[attachments]\n");
    for i in 1..=routes {
        writeln!(text, "\"app{i}.example.com\" = [\"postgres:15\", \"redis:7\"]").unwrap();
    }
    text
}

fn load(text: &str) -> Config {
    let loaded = config::load(&config::Source { path: "gordon.toml", text });
    assert!(loaded.problems.is_empty(), "{:?}", loaded.problems);
    loaded.config.unwrap()
}

fn desired(config: &Config) -> Desired {
    let inputs = Inputs { images: images(), ..Inputs::default() };
    let (desired, problems) = resolve(config, &inputs);
    assert!(problems.is_empty(), "{problems:?}");
    desired
}

/// The time of each stage, measured in its thread.
#[derive(Default)]
struct Stages(Vec<(&'static str, Duration)>);

impl Stages {
    fn run<T>(&mut self, name: &'static str, stage: impl FnOnce() -> T) -> T {
        let begin = now();
        let result = black_box(stage());
        self.0.push((name, now().saturating_sub(begin)));
        result
    }

    fn render(&mut self, names: [&'static str; 3], plan: &Plan) {
        let cli = Cli::default();
        self.run(names[0], || render::text::render(plan, &cli, None));
        self.run(names[1], || render::sh::render(plan, &cli));
        let write = || render::json::write(plan, &cli, Path::new("/"), &mut Vec::new());
        self.run(names[2], write).unwrap();
    }
}

fn now() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.try_into().unwrap(), time.tv_nsec.try_into().unwrap())
}

fn stages(routes: usize) -> Stages {
    let mut stages = Stages::default();
    let text = text(routes);
    let config = stages.run("load", || load(&text));
    let desired = stages.run("resolve", || desired(&config));
    let options = Options::default();
    let plan_for = |host: &Observed| diff(&desired, host, &options);

    let plan = stages.run("plan for an empty host", || plan_for(&Observed::default())).unwrap();
    stages.render(["text", "script", "JSON"], &plan);
    let mut host = Observed::default();
    stages.run("model", || plan.steps().iter().try_for_each(|step| simulate(&mut host, &step.op))).unwrap();

    let engine = Engine::after(&plan, By::Us);
    let (first, second) = (engine.first(), engine.second());
    let seen = stages.run("docker's answers", || Engine::observed(&first, &second));
    assert_eq!(seen.containers.len(), host.containers.len());
    let nothing = stages.run("plan for a host that has all", || plan_for(&seen)).unwrap();
    assert!(nothing.is_empty(), "{:?}", nothing.steps());

    let mut other = desired.clone();
    for workload in &mut other.workloads {
        workload.runtime.settings.set(Setting::find("user").expect("a setting"), vec!["1000".to_owned()]);
    }
    let change = stages.run("plan of a change", || diff(&other, &host, &options)).unwrap();
    stages.render(["text of a change", "script of a change", "JSON of a change"], &change);
    let gone = stages.run("plan of the end", || {
        down(&desired.project, Duration::from_secs(10), &host, Volumes::Remove, &BTreeSet::new())
    });
    stages.render(["text of the end", "script of the end", "JSON of the end"], &gone);

    for seen in host.containers.values_mut() {
        seen.project = None;
    }
    let conflicts = stages.run("conflicts", || plan_for(&host)).unwrap_err();
    stages.run("words of conflicts", || conflicts.iter().map(ToString::to_string).collect::<String>());
    stages
}

#[test]
fn every_stage_grows_linearly_with_the_routes() {
    let mut slow = slow();
    for _ in 0..3 {
        if slow.is_empty() {
            break;
        }
        // other processes disturb a measurement, but not each time in the same stage
        let again = self::slow();
        slow.retain(|stage, _| again.contains_key(stage));
    }
    assert!(slow.is_empty(), "{slow:#?}");
}

/// The stages that grow too fast, with both times.
fn slow() -> BTreeMap<&'static str, [Duration; 2]> {
    let [few, many] = ROUTES.map(stages);
    let both = few.0.into_iter().zip(many.0).map(|((stage, few), (_, many))| (stage, [few, many]));
    both.filter(|(_, [few, many])| *many > (*few).max(LEAST).mul_f64(MOST)).collect()
}

/// Writes into the folder `GORDON_BENCH`: `images.json`, and for each number of routes `ROUTES.toml` and
/// `ROUTES/docker`, a docker whose host matches that config.
#[test]
#[ignore = "`scripts/bench` asks for it"]
fn write_the_benchmark_inputs() {
    let folder = PathBuf::from(std::env::var("GORDON_BENCH").expect("where the files go"));
    fs::write(folder.join("images.json"), ImageList(images()).print()).unwrap();
    for routes in [100, 1_000, 10_000] {
        let text = text(routes);
        let plan = diff(&desired(&load(&text)), &Observed::default(), &Options::default()).unwrap();
        fs::write(folder.join(format!("{routes}.toml")), &text).unwrap();
        Engine::after(&plan, By::Us).write(&folder.join(routes.to_string()));
    }
}

#[test]
fn a_thousand_plans_of_an_unchanged_host_change_nothing() {
    let text = "containers = { init = true }\n\
                [routes]\n\"a.com\" = { image = \"app:1\", memory = \"64m\", volumes = [\"./conf:/conf:ro\"], environment = { A = 1 } }\n\
                \"b.com\" = { image = \"app:2\", replicas = 3, health = { path = \"/up\" }, options = [\"--cpu-shares=512\"] }\n\
                [attachments]\n\"a.com\" = [\"postgres:15\"]\n\"both\" = [\"redis:7\", { image = \"checked:1\", ports = [\"127.0.0.1:81:80\"] }]\n\
                [network_groups]\n\"both\" = [\"a.com\", \"b.com\"]\n";
    let desired = || {
        let files = vec![("x.conf".to_owned(), "1".to_owned()), ("y.conf".to_owned(), "2".to_owned())];
        let files = [("conf".to_owned(), Content::Folder(files))].into();
        let (desired, problems) =
            resolve(&load(text), &Inputs { images: images(), files, ..Inputs::default() });
        assert!(problems.is_empty(), "{problems:?}");
        desired
    };
    let plan = diff(&desired(), &Observed::default(), &Options::default()).unwrap();
    let engine = Engine::after(&plan, By::Us);
    let (first, second) = (engine.first(), engine.second());
    // docker gives things in any order
    let turned = |text: &str, by: usize| {
        let mut lines: Vec<&str> = text.lines().collect();
        let by = by % lines.len().max(1);
        lines.rotate_left(by);
        lines.join("\n")
    };
    for n in 0..1_000 {
        let first = First {
            containers: turned(&first.containers, n),
            networks: turned(&first.networks, n / 2),
            volumes: turned(&first.volumes, n / 3),
            ..first.clone()
        };
        let second = Second {
            containers: vec![turned(&second.containers[0], n / 5)],
            networks: vec![turned(&second.networks[0], n / 7)],
            ..second.clone()
        };
        let host = Engine::observed(&first, &second);
        let nothing = diff(&desired(), &host, &Options::default()).unwrap();
        assert!(nothing.is_empty(), "plan {n}: {nothing}");
    }
}

#[test]
fn a_host_made_by_the_version_before_has_nothing_to_do() {
    let text = "[routes]\n\"a.com\" = \"app:1\"\n\"b.com\" = { image = \"app:1\", replicas = 2, health = { path = \"/up\" } }\n\
                [attachments]\n\"a.com\" = [\"postgres:15\"]\n\"both\" = [\"redis:7\"]\n\
                [network_groups]\n\"both\" = [\"a.com\", \"b.com\"]\n";
    let desired = desired(&load(text));
    let plan = diff(&desired, &Observed::default(), &Options::default()).unwrap();
    let ends = [By::Us, By::OurPredecessor].map(|by| {
        let engine = Engine::after(&plan, by);
        let host = Engine::observed(&engine.first(), &engine.second());
        assert_eq!(diff(&desired, &host, &Options::default()).unwrap().steps(), []);
        down(&desired.project, Duration::ZERO, &host, Volumes::Remove, &BTreeSet::new())
    });
    assert!(ends[0] == ends[1] && !ends[0].is_empty(), "the operations are the same");
}
