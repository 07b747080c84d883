//! Hostile input: mangled configs, env files, docker answers and files of the proxy. None makes gordon panic,
//! and what gordon accepts, it plans to the end. `scripts/fuzz` goes on for minutes.
#![expect(clippy::disallowed_methods, reason = "it reads samples")]
#![expect(clippy::unwrap_used, reason = "samples are right")]

use gordon::config;
use gordon::config::Colour;
use gordon::config::Config;
use gordon::config::Problem;
use gordon::config::Source;
use gordon::desired;
use gordon::desired::Desired;
use gordon::desired::Inputs;
use gordon::docker::Cli;
use gordon::docker::First;
use gordon::docker::ImageList;
use gordon::docker::Observed;
use gordon::docker::RoutesFile;
use gordon::docker::Scope;
use gordon::docker::Second;
use gordon::docker::SeenImage;
use gordon::docker::Survey;
use gordon::name::Container;
use gordon::name::Image;
use gordon::name::Project;
use gordon::plan;
use gordon::plan::Options;
use gordon::plan::Plan;
use gordon::plan::Routing;
use gordon::plan::Volumes;
use gordon::render;
use gordon::spec::ImageFacts;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::sample::select;
use serde_json::Value;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::LazyLock;
use std::time::SystemTime;

// samples, and their changes
// --------------------------------------------------------------------------------------

/// A text, and the ending of its file name.
struct Sample {
    ending: &'static str,
    text: String,
}

/// The configs of `plans`, and one that has every key.
static CONFIGS: LazyLock<Vec<Sample>> = LazyLock::new(|| {
    let folders = fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/plans")).unwrap();
    let mut folders: Vec<_> = folders.map(|folder| folder.unwrap().path()).collect();
    folders.sort();
    let files = folders.iter().flat_map(|folder| ["toml", "yaml"].map(|ending| (folder, ending)));
    let configs = files.filter_map(|(folder, ending)| {
        let text = fs::read_to_string(folder.join(format!("gordon.{ending}"))).ok()?;
        Some(Sample { ending, text })
    });
    configs.chain([Sample { ending: "toml", text: EVERYTHING.to_owned() }]).collect()
});

const EVERYTHING: &str = r#"
name = "shop"
servers = ["one"]
[routes]
"a.com" = { image = "a:1", id = "a", port = 80, replicas = 2, strategy = "rolling", health = { path = "/up", interval = "1s" } }
"b.com" = { image = "b:1", command = "serve --all", entrypoint = ["sh", "-c"], environment = { plain = ["A=1"], secret = ["B"] } }
[routes."c.com"]
image = "registry.example.com:5000/c:1"
env_file = "c.env"
volumes = ["data:/data", "./www:/www:ro", "/srv:/srv"]
restart = "on-failure:3"
user = "1000:1000"
memory = "512m"
cpus = "1.5"
[attachments]
"a.com" = ["my-redis:7", { image = "postgres:15", name = "db", health_check = { cmd = "true", timeout = "2s" } }]
"g" = ["mongodb:6"]
[network_groups]
"g" = ["a.com", "b.com"]
[network_isolation]
enabled = true
network_prefix = "shop"
dns_suffix = ".internal"
scope = "all"
member_attachments = "private"
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
http_port = 8080
https_port = 8443
tls = "internal"
[apps.web]
image = "web:1"
proxy = { hosts = ["d.com"], app_port = 3000 }
[apps.worker]
image = "web:1"
ports = ["127.0.0.1:9000:9000"]
[services.queue]
image = "rabbitmq:3"
"#;

const ENV_FILE: &str = "\u{feff}# a comment\nA=1\n B='two words'\nC=\"a\nb=\nc d\"\n\nexport D=4\nE F=5\nG\n=h\nI= j # k\nK=${L}\nM=${pass:n}\r\nO=$(p)\nQ=\n";

/// Pieces that have a meaning to gordon, docker, a shell or a terminal.
const PIECES: [&str; 72] = [
    "\n",
    "\r\n",
    "\t",
    " ",
    "  ",
    "\0",
    "\u{1b}[2J",
    "\u{202e}",
    "\u{feff}",
    "\u{85}",
    "ü",
    "日本",
    "\u{1F600}",
    "\"",
    "'",
    "\"\"\"",
    "'''",
    "[",
    "]",
    "{",
    "}",
    "[[",
    "=",
    ".",
    ":",
    ",",
    "#",
    " #",
    "-",
    "--",
    "- ",
    "\\",
    "\\u0000",
    "&a ",
    "*a",
    "<<: *a",
    "!x ",
    "---\n",
    "? ",
    "|\n  ",
    "> ",
    "~",
    "null",
    "true",
    "no",
    "0",
    "-1",
    "1e9",
    "0x10",
    "1.10",
    ".inf",
    "07:30",
    "8080:80",
    "4294967295",
    "18446744073709551616",
    "99999999999999999999999999",
    "..",
    "../..",
    "/",
    "//",
    "./",
    "~/",
    "${A}",
    "${pass:a}",
    "$(a)",
    "my-",
    "my--",
    "-next",
    "-previous",
    "gordon-proxy",
    "0-gordon-proxy",
    "default",
];

/// A change to a text.
#[derive(Clone, Debug)]
enum Edit {
    Cut(Index, usize),
    Insert(Index, &'static str),
    /// A piece is put inside a word.
    InWord(Index, Index, &'static str),
    /// A word is replaced.
    Replace(Index, &'static str),
    /// A word is replaced by another word of the same text.
    Exchange(Index, Index),
    /// A line is repeated elsewhere.
    Copy(Index, Index),
    Drop(Index),
    /// A word is repeated.
    Repeat(Index, usize),
}

fn edits() -> impl Strategy<Value = Vec<Edit>> {
    let at = any::<Index>;
    let piece = || select(&PIECES[..]);
    let edit = prop_oneof![
        1 => (at(), 1..12_usize).prop_map(|(at, length)| Edit::Cut(at, length)),
        1 => (at(), piece()).prop_map(|(at, piece)| Edit::Insert(at, piece)),
        2 => (at(), at(), piece()).prop_map(|(at, place, piece)| Edit::InWord(at, place, piece)),
        1 => (at(), piece()).prop_map(|(at, piece)| Edit::Replace(at, piece)),
        1 => (at(), at()).prop_map(|(at, from)| Edit::Exchange(at, from)),
        1 => (at(), at()).prop_map(|(at, from)| Edit::Copy(at, from)),
        1 => at().prop_map(Edit::Drop),
        1 => (at(), select(&[2, 10, 70, 300, 5000][..])).prop_map(|(at, times)| Edit::Repeat(at, times)),
    ];
    // most texts stay readable as a whole, so that their errors are met in later stages
    let many = prop::collection::vec(edit.clone(), 3..8);
    prop_oneof![3 => prop::collection::vec(edit, 1..3), 1 => many]
}

/// The start and end of each word in a text.
fn words(text: &str) -> Vec<(usize, usize)> {
    let is_part = |c: char| c.is_alphanumeric() || "-_./:@".contains(c);
    let mut words = Vec::new();
    let mut start = None;
    for (at, c) in text.char_indices().chain([(text.len(), ' ')]) {
        match (start, is_part(c)) {
            (None, true) => start = Some(at),
            (Some(from), false) => {
                words.push((from, at));
                start = None;
            }
            _ => {}
        }
    }
    words
}

fn edited(text: &str, edits: &[Edit]) -> String {
    let mut text = text.to_owned();
    for edit in edits {
        let boundary = |text: &str, at: &Index| text.floor_char_boundary(at.index(text.len() + 1));
        let word = |text: &str, at: &Index| {
            let words = words(text);
            if words.is_empty() { (0, 0) } else { words[at.index(words.len())] }
        };
        match edit {
            Edit::Cut(at, length) => {
                let start = boundary(&text, at);
                let end = text.ceil_char_boundary((start + length).min(text.len()));
                text.replace_range(start..end, "");
            }
            Edit::Insert(at, piece) => text.insert_str(boundary(&text, at), piece),
            Edit::InWord(at, place, piece) => {
                let (start, end) = word(&text, at);
                text.insert_str(text.floor_char_boundary(start + place.index(end - start + 1)), piece);
            }
            Edit::Replace(at, piece) => {
                let (start, end) = word(&text, at);
                text.replace_range(start..end, piece);
            }
            Edit::Exchange(at, from) => {
                let (start, end) = word(&text, from);
                let other = text[start..end].to_owned();
                let (start, end) = word(&text, at);
                text.replace_range(start..end, &other);
            }
            Edit::Copy(at, from) => {
                let lines: Vec<&str> = text.split_inclusive('\n').collect();
                if !lines.is_empty() {
                    let line = lines[from.index(lines.len())].to_owned();
                    let before: usize = lines[..at.index(lines.len())].iter().map(|line| line.len()).sum();
                    text.insert_str(before, &line);
                }
            }
            Edit::Drop(at) => {
                let mut lines: Vec<&str> = text.split_inclusive('\n').collect();
                if !lines.is_empty() {
                    lines.remove(at.index(lines.len()));
                    text = lines.concat();
                }
            }
            Edit::Repeat(at, times) => {
                let (start, end) = word(&text, at);
                let many = text[start..end].repeat(*times);
                text.replace_range(start..end, &many[..many.floor_char_boundary(many.len().min(200_000))]);
            }
        }
    }
    text
}

// checks
// ----------------------------------------------------------------------------------------------------------

/// Shows problems, and checks that each has a hint.
fn shown(problems: &[Problem], path: &str, text: &str) -> Result<String, TestCaseError> {
    for problem in problems {
        prop_assert!(problem.hints.iter().any(|hint| !hint.is_empty()), "no hint: {}", problem.message);
    }
    let shown = config::render(problems, path, text, Colour::No);
    let control = shown.chars().find(|c| c.is_control() && *c != '\n');
    prop_assert_eq!(control, None, "it is not for a terminal: {:?}", shown);
    Ok(shown)
}

/// What images declare, for some images.
static FACTS: LazyLock<BTreeMap<Image, ImageFacts>> = LazyLock::new(|| {
    let text = include_str!("../../plans/blog/images.json");
    ImageList::parse(text).unwrap().0
});

/// A host that has every image of `config`, and nothing else.
fn host(config: &Config) -> (Inputs, Observed) {
    let images = config.workloads().map(|workload| workload.image.get_ref().clone());
    let facts = images.chain([config.proxy.image.clone()]).map(|image| {
        let facts = FACTS.get(&image).cloned().unwrap_or_default();
        (image, facts)
    });
    let images: BTreeMap<Image, ImageFacts> = facts.collect();
    let mut host = Observed::default();
    let seen = |facts: &ImageFacts| SeenImage { id: None, facts: facts.clone() };
    host.images.here = images.iter().map(|(image, facts)| (image.clone(), seen(facts))).collect();
    let env_files = config::env_files(config).into_iter().map(|file| (file.path, "A=1\n".to_owned()));
    (Inputs { env_files: env_files.collect(), images, ..Inputs::default() }, host)
}

/// Shows a plan in every form.
fn rendered(plan: &Plan) {
    let cli = Cli::default();
    assert!(render::sh::render(plan, &cli).starts_with("#!/bin/sh\n") || plan.is_empty());
    render::text::render(plan, &cli, None);
    let mut json = Vec::new();
    render::json::write(plan, &cli, Path::new("/srv"), &mut json).unwrap();
    serde_json::from_slice::<Value>(&json).unwrap();
    for step in plan.steps() {
        let words = step.op.command().map(|command| command.argv(Path::new("/srv"))).unwrap_or_default();
        assert!(words.iter().all(|word| !word.contains('\0') && word.len() < 128 * 1024), "{words:?}");
    }
}

/// Walks a project through status, plan, rollback and down on a host.
fn walked(desired: &Desired, host: &Observed) {
    let planned = plan::diff(desired, host, &Options::default());
    let drift = planned.as_ref().map_err(Vec::as_slice);
    let none = BTreeSet::new();
    let status = plan::status(desired, host, &none, drift);
    render::status::text(&status, SystemTime::UNIX_EPOCH);
    render::status::json(&status, SystemTime::UNIX_EPOCH, &mut Vec::new()).unwrap();
    for plan in [planned, plan::rollback(desired, host, None, &BTreeSet::new())] {
        match plan {
            Ok(plan) => rendered(&plan),
            Err(conflicts) => conflicts
                .iter()
                .for_each(|conflict| assert!(!format!("{conflict}{}", conflict.hint()).is_empty())),
        }
    }
    for volumes in [Volumes::Keep, Volumes::Remove] {
        rendered(&plan::down(&desired.project, desired.stop_timeout, host, volumes, &desired.external));
    }
}

/// Applies the plan of a config to an empty host, and checks that nothing is left to do.
fn planned_to_the_end(config: &Config) -> Result<Observed, TestCaseError> {
    let (inputs, mut host) = host(config);
    let (desired, problems) = desired::resolve(config, &inputs);
    if config::has_errors(&problems) {
        return Ok(host);
    }
    let Ok(plan) = plan::diff(&desired, &host, &Options::default()) else { return Ok(host) };
    rendered(&plan);
    for step in plan.steps() {
        let done = plan::simulate(&mut host, &step.op);
        prop_assert!(done.is_ok(), "{}: {:?}", step.op, done);
    }
    let again = plan::diff(&desired, &host, &Options::default());
    prop_assert!(again.as_ref().is_ok_and(Plan::is_empty), "not the end: {:?}", again);
    walked(&desired, &host);
    let routing = Routing::of(&desired);
    for format in
        [render::routes::caddy, render::routes::nginx, render::routes::traefik, render::routes::yaml]
    {
        format(&routing);
    }
    Ok(host)
}

fn shop() -> Config {
    let loaded = config::load(&Source { path: "gordon.toml", text: EVERYTHING });
    assert!(!config::has_errors(&loaded.problems), "{:?}", loaded.problems);
    loaded.config.unwrap()
}

// docker's answers -------------------------------------------------------------------------------------------------

/// Recorded answers of engines, by question.
static ANSWERS: LazyLock<Vec<BTreeMap<String, String>>> = LazyLock::new(|| {
    let folders = ["20.10", "26.1"].map(|engine| {
        let folder = format!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/answers/engine-{}"), engine);
        let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
        let named = files.map(|path| {
            (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read_to_string(path).unwrap())
        });
        named.collect()
    });
    folders.into()
});

/// A change to a value in an answer.
#[derive(Clone, Debug)]
enum Change {
    Null,
    Text(&'static str),
    Number(i64),
    List,
    Table,
    /// The value from another place.
    Other(Index),
    Gone,
}

fn changes() -> impl Strategy<Value = Vec<(Index, Change)>> {
    let change = prop_oneof![
        Just(Change::Null),
        select(&PIECES[..]).prop_map(Change::Text),
        select(
            &[
                "true",
                "shop",
                "gordon-proxy",
                "app",
                "10.208.0.0/12",
                "0.0.0.0/0",
                "10.209.77.255",
                "::1/128",
                "sha256:0"
            ][..]
        )
        .prop_map(Change::Text),
        select(&[0, -1, i64::MAX, i64::MIN][..]).prop_map(Change::Number),
        Just(Change::List),
        Just(Change::Table),
        any::<Index>().prop_map(Change::Other),
        Just(Change::Gone),
    ];
    prop::collection::vec((any::<Index>(), change), 0..5)
}

/// The answer with changed values. Each change is applied to the result of the one before.
fn changed(answer: &str, changes: &[(Index, Change)]) -> String {
    let mut values: Vec<Value> =
        serde_json::Deserializer::from_str(answer).into_iter().map(Result::unwrap).collect();
    for (at, change) in changes {
        let mut places = Vec::new();
        values.iter().enumerate().for_each(|(at, value)| places_in(value, format!("/{at}"), &mut places));
        if places.is_empty() {
            break;
        }
        let mut all = Value::Array(values);
        let place = &places[at.index(places.len())];
        let new = match change {
            Change::Null | Change::Gone => Value::Null,
            Change::Text(text) => (*text).into(),
            Change::Number(number) => (*number).into(),
            Change::List => Value::Array(Vec::new()),
            Change::Table => Value::Object(serde_json::Map::new()),
            Change::Other(from) => {
                all.pointer(&places[from.index(places.len())]).cloned().unwrap_or_default()
            }
        };
        let (parent, key) = place.rsplit_once('/').unwrap();
        match all.pointer_mut(parent) {
            Some(Value::Object(map)) if matches!(change, Change::Gone) => {
                map.remove(&key.replace("~1", "/").replace("~0", "~"));
            }
            _ => *all.pointer_mut(place).unwrap() = new,
        }
        let Value::Array(rest) = all else { unreachable!("it was a list") };
        values = rest;
    }
    values.iter().map(|value| format!("{value}\n")).collect()
}

fn places_in(value: &Value, at: String, places: &mut Vec<String>) {
    match value {
        Value::Array(list) => {
            list.iter()
                .enumerate()
                .for_each(|(index, value)| places_in(value, format!("{at}/{index}"), places));
        }
        Value::Object(map) => map.iter().for_each(|(key, value)| {
            places_in(value, format!("{at}/{}", key.replace('~', "~0").replace('/', "~1")), places);
        }),
        _ => {}
    }
    places.push(at);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_config_is_planned_to_the_end_or_refused_with_a_hint(which: Index, edits in edits()) {
        let sample = which.get(&CONFIGS);
        let (path, text) = (format!("gordon.{}", sample.ending), edited(&sample.text, &edits));
        let loaded = config::load(&Source { path: &path, text: &text });
        shown(&loaded.problems, &path, &text)?;
        if let Some(config) = &loaded.config {
            let paths = config::mounted_paths(config);
            shown(&config::check_mounted_paths(config, Path::new("/srv/a:b"), &paths), &path, &text)?;
            shown(&config::check_env_dir(config, Some(&["x.env".to_owned()])), &path, &text)?;
            shown(&desired::resolve(config, &host(config).0).1, &path, &text)?;
            if !config::has_errors(&loaded.problems) {
                planned_to_the_end(config)?;
            }
        }
    }

    #[test]
    fn problems_of_an_env_file_never_show_its_content(edits in edits()) {
        let config = shop();
        let secret = ENV_FILE.replace("a\nb=", "ä\nb=").replace("two", "zwö").replace("4", "ü");
        let uses = config::env_files(&config);
        let texts = uses.iter().map(|file| (file.path.clone(), edited(&secret, &edits))).collect();
        let told = shown(&config::check_env_files(&uses, &texts), "gordon.toml", EVERYTHING)?;
        prop_assert!(!told.contains(['ä', 'ö', 'ü']), "{}", told);
    }

    #[test]
    fn every_answer_of_docker_is_planned_upon_or_refused(
        which: Index,
        changes in prop::collection::vec((any::<Index>(), changes()), 1..4),
        edit in prop::option::weighted(0.1, (any::<Index>(), edits())),
        routes_files in edits(),
    ) {
        let mut answers = which.get(&ANSWERS).clone();
        let questions: Vec<String> = answers.keys().filter(|name| *name != "network-ls").cloned().collect();
        for (which, changes) in &changes {
            let answer = answers.get_mut(which.get(&questions)).unwrap();
            *answer = changed(answer, changes);
        }
        if let Some((which, edits)) = &edit {
            let answer = answers.get_mut(which.get(&questions)).unwrap();
            *answer = edited(answer, edits);
        }
        let mut answer = |name: &str| answers.remove(name).unwrap();
        let images = ["edges.example:5000/team/db:1", "docker.io/edges-plain", "edges-missing:2"];
        let images = images.map(|image| Image::parse(image).unwrap());
        let scope = Scope { images: images.into(), ..Scope::default() };
        let first = First {
            containers: answer("ps"),
            networks: answer("network-ls"),
            volumes: answer("volume-ls"),
            images: vec![answer("image-inspect")],
            processors: None,
        };
        let config = shop();
        let (desired, _) = desired::resolve(&config, &host(&config).0);
        if let Ok(survey) = Survey::read(scope, &first) {
            survey.questions();
            let second = Second {
                containers: vec![answer("container-inspect")],
                images: Vec::new(),
                networks: vec![answer("network-inspect")],
                references: Some(answer("image-ls")),
                routes_files: Some(edited("\0shop.caddy\n# network shop-a\na.com {\n}\n# end\n\0mall.caddy\n", &routes_files)),
            };
            if let Ok(host) = survey.observed(&second) {
                walked(&desired, &host);
            }
        }
    }

    #[test]
    fn every_routes_file_of_the_proxy_is_planned_upon(own in edits(), other in edits()) {
        let config = shop();
        let mut host = planned_to_the_end(&config)?;
        let (desired, _) = desired::resolve(&config, &host_inputs(&config));
        let [shop, mall] = ["shop", "mall"].map(|name| Project::parse(name).unwrap());
        let text = host.routes_files[&shop].clone();
        host.routes_files.insert(shop, RoutesFile::from(edited(text.as_str(), &own).as_str()));
        host.routes_files.insert(mall, RoutesFile::from(edited(text.as_str(), &other).as_str()));
        for routes_file in host.routes_files.values() {
            for host in routes_file.hosts() {
                prop_assert!(routes_file.sites(host).is_some_and(|sites| routes_file.as_str().contains(sites)));
            }
            routes_file.leading_network(&Container::parse("shop-web-green").unwrap());
        }
        walked(&desired, &host);
    }
}

fn host_inputs(config: &Config) -> Inputs {
    host(config).0
}
