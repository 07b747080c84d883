//! A project whose apps go from release to release, whatever goes wrong, under constant traffic. Does
//! not know what goes wrong.

use super::fault_injection::Faulty;
use super::fault_injection::Step;
use super::fault_injection::planned;
use super::probe::ByAlias;
use super::probe::Count;
use super::probe::PROXY;
use super::probe::ThroughProxy;
use super::probe::ask;
use serde_json::Value;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::time::Duration;
use std::time::Instant;
use support::Project;
use support::eventually;
use support::private_engine::RESOLVER;

/// What the apps are made of, in turn.
pub const IMAGES: [&str; 3] = ["web:1", "web:2", "nextjs-web:latest"];

/// What is asked of an app: it answers once its database has, over a new connection.
const PATH: &str = "/redis";

/// After which time the proxy has asked for names anew: it does so every second.
const REFRESHED: Duration = Duration::from_secs(2);

/// What a project looks like.
#[derive(Clone, Copy, Debug)]
pub enum Shape {
    /// As many apps, each with its previous release kept, in one network.
    Apps(usize),
    /// One such app, which is asked from its network whether it is ready.
    Asked,
    /// One route, of two replicas, on two networks, without a release kept.
    Replicas,
}

pub struct RollingProject {
    pub project: Project,
    pub docker: Faulty,
    name: String,
    shape: Shape,
    /// Which of the images is asked for.
    wanted: usize,
    /// What undisturbed runs left, by name and image of each container.
    left: BTreeMap<(String, String), Value>,
    rest: Value,
    /// Containers that no rollout may replace.
    others: BTreeMap<String, String>,
}

/// Requests to the apps of the project, through the proxy and by alias.
pub struct Traffic(ThroughProxy, ByAlias);

impl RollingProject {
    /// A project that has seen as many undisturbed releases as there are images, and one more.
    pub fn new(name: &str, shape: Shape, images: usize) -> Self {
        let project = Project::new(name, &[]);
        let mut rolling = Self {
            project,
            docker: Faulty::new(),
            name: name.to_owned(),
            shape,
            wanted: 0,
            left: BTreeMap::new(),
            rest: Value::Null,
            others: BTreeMap::new(),
        };
        for image in (0..images).chain([0]) {
            rolling.wants(image);
            rolling.project.apply();
            rolling.remembers();
        }
        rolling.others =
            rolling.project.ids().into_iter().filter(|(name, _)| !rolling.is_rolled(name)).collect();
        assert_eq!(rolling.others.len(), 2, "the database and the neighbour");
        rolling
    }

    /// From here on the config asks for this image.
    pub fn wants(&mut self, image: usize) {
        self.wanted = image;
        let text = self.config(IMAGES[image]);
        self.project
            .write(if matches!(self.shape, Shape::Replicas) { "gordon.toml" } else { "gordon.yaml" }, &text);
    }

    /// Which image the config asks for.
    pub fn wanted(&self) -> usize {
        self.wanted
    }

    /// The steps of what the config asks for now.
    #[track_caller]
    pub fn steps(&self) -> Vec<Step> {
        planned(&self.project)
    }

    /// Those who ask for all the apps, from here on.
    pub fn traffic(&self) -> Traffic {
        let neighbour = match self.shape {
            Shape::Apps(_) | Shape::Asked => format!("{}-neighbour-green", self.name),
            Shape::Replicas => format!("{0}-neighbour.{0}.test", self.name),
        };
        let by_alias: Vec<String> = self.apps().iter().map(|app| format!("{app}:3000")).collect();
        let by_alias = ByAlias::start(&neighbour, &by_alias, PATH);
        let hosts: Vec<String> = self.apps().iter().map(|app| format!("{app}.{}.test", self.name)).collect();
        Traffic(ThroughProxy::start(&hosts, PATH), by_alias)
    }

    /// A plain apply, and nothing tells any more that something had gone wrong: the image that the config asks for serves,
    /// the one `before` is kept where one is, and all is as an undisturbed run leaves it.
    #[track_caller]
    pub fn mends(&self, before: usize, what: &str) {
        self.project.apply();
        self.is_mended(before, what);
    }

    #[track_caller]
    pub fn is_mended(&self, before: usize, what: &str) {
        let state = self.project.state();
        let containers = containers(&state);
        let names = |keys: &mut dyn Iterator<Item = &(String, String)>| {
            keys.map(|(name, _)| name.clone()).collect::<BTreeSet<_>>()
        };
        assert_eq!(names(&mut containers.keys()), names(&mut self.left.keys()), "{what}");
        for (key, container) in &containers {
            assert_eq!(Some(container), self.left.get(key), "{what}: {key:?}");
            if self.is_rolled(&key.0) {
                let image = if key.0.contains("-previous") { before } else { self.wanted };
                assert_eq!(key.1, IMAGES[image], "{what}: {}", key.0);
            }
        }
        assert_eq!(rest(&state), self.rest, "{what}");
        let ids = self.project.ids();
        assert!(self.others.iter().all(|(name, id)| ids.get(name) == Some(id)), "{what}: {ids:?}");
        let plan = self.project.gordon(&["plan", "--exit-code"]);
        assert_eq!(plan.status, 0, "{what}: {}", plan.stdout);
    }

    /// Whether a rollout that was cut off has come so far that the new release has, or is about to have, the name.
    pub fn has_changed_hands(&self) -> bool {
        let state = self.project.state();
        let containers = state["containers"].as_array().expect("a list");
        let is =
            |container: &Value, end: &str| container["name"].as_str().is_some_and(|name| name.ends_with(end));
        let is_about_to = containers.iter().any(|c| is(c, "-blue"));
        !is_about_to || containers.iter().any(|c| is(c, "-previous") && c["running"] == true)
    }

    /// Waits until all the apps answer through the proxy.
    #[track_caller]
    pub fn serves(&self) {
        for app in self.apps() {
            let host = format!("{app}.{}.test", self.name);
            eventually(&format!("{host} answers"), || {
                ask(PROXY, "GET", &host, PATH).starts_with("HTTP/1.1 200 ")
            });
        }
    }

    /// All the apps answer through the proxy at once, each time, while no engine is there.
    #[track_caller]
    pub fn serves_without_docker(&self) {
        // at 127.0.0.1, where the kernel leads no connection on, a process of the engine's listens
        let proxy = PROXY.replace("127.0.0.1", &RESOLVER.to_string());
        for app in self.apps() {
            let host = format!("{app}.{}.test", self.name);
            for _ in 0..10 {
                let answer = ask(&proxy, "POST", &host, "/");
                assert!(answer.starts_with("HTTP/1.1 200 "), "{host}: {answer}");
            }
        }
    }

    /// Waits until all that is not ready has become so by itself.
    #[track_caller]
    pub fn settles(&self) {
        eventually("nothing is left to do", || self.project.gordon(&["plan", "--exit-code"]).status == 0);
    }

    fn remembers(&mut self) {
        let state = self.project.state();
        self.left.extend(containers(&state));
        self.rest = rest(&state);
    }

    /// The short names of the apps.
    fn apps(&self) -> Vec<String> {
        match self.shape {
            Shape::Apps(count) => (1..=count).map(|i| format!("web{i}")).collect(),
            Shape::Asked => vec!["web1".to_owned()],
            Shape::Replicas => vec!["web".to_owned()],
        }
    }

    /// Whether a container is one of those that come and go.
    fn is_rolled(&self, container: &str) -> bool {
        container.starts_with(&format!("{}-web", self.name))
    }

    fn config(&self, image: &str) -> String {
        let name = &self.name;
        let head = "drain: 2s, health_timeout: 60s, stop_timeout: 5s";
        let health = "cmd: 'curl -fs http://127.0.0.1:3000/up', interval: 2s";
        match self.shape {
            Shape::Apps(_) | Shape::Asked => {
                let health =
                    if matches!(self.shape, Shape::Asked) { "path: /up, interval: 2s" } else { health };
                let app = |app: &String| {
                    format!(
                        "  {app}: {{ image: '{image}', environment: {{ REDIS_HOST: db }}, health: {{ {health} }}, \
                         proxy: {{ hosts: [{app}.{name}.test], app_port: 3000 }} }}\n"
                    )
                };
                let apps: String = self.apps().iter().map(app).collect();
                format!(
                    "name: {name}\nproxy: {{ http_port: 18080, https_port: 18443, tls: 'off' }}\ndeploy: {{ {head} }}\n\
                     apps:\n{apps}  neighbour: {{ image: 'gmail-web:latest' }}\n\
                     services: {{ db: {{ image: 'redis:7-alpine' }} }}\n"
                )
            }
            Shape::Replicas => {
                let toml = |words: &str| words.replace(": ", " = ").replace('\'', "\"");
                let (head, health) = (toml(head), toml(health));
                let head = head.replace("2s", "\"2s\"").replace("60s", "\"60s\"").replace("5s", "\"5s\"");
                let health = health.replace("2s", "\"2s\"");
                format!(
                    "name = \"{name}\"\n\
                     proxy = {{ http_port = 18080, https_port = 18443, tls = \"off\" }}\n\
                     deploy = {{ {head}, keep_previous = false }}\n\
                     [routes]\n\
                     \"web.{name}.test\" = {{ image = \"{image}\", port = 3000, replicas = 2, \
                     environment = {{ REDIS_HOST = \"db\" }}, health = {{ {health} }} }}\n\
                     \"neighbour.{name}.test\" = {{ image = \"gmail-web:latest\", port = 3000 }}\n\
                     [network_groups]\n\
                     both = [\"web.{name}.test\", \"neighbour.{name}.test\"]\n\
                     other = [\"web.{name}.test\"]\n\
                     [attachments]\n\
                     both = [{{ image = \"redis:7-alpine\", name = \"db\" }}]\n"
                )
            }
        }
    }
}

impl Traffic {
    /// Waits until the proxy has noticed whatever there is to notice.
    pub fn wait(&self) {
        let refreshed = Instant::now() + REFRESHED;
        eventually("the proxy is asked on and on", || self.0.has_answered_since(refreshed));
    }

    /// What was lost through the proxy, and by alias.
    pub fn stop(self) -> (Count, Count) {
        (self.0.stop(), self.1.stop())
    }
}

/// The containers of a state, by name and image, without what differs from release to release: its number, and the address,
/// where it is the one that the label remembers.
fn containers(state: &Value) -> BTreeMap<(String, String), Value> {
    let mut found = BTreeMap::new();
    for container in state["containers"].as_array().expect("a list") {
        let mut container = container.clone();
        let labels = container["labels"].as_object_mut().expect("labels");
        let mut cut_off = |key: &str, at: char| {
            let label = labels.get_mut(key).expect("a container of gordon's has it");
            let text = label.as_str().expect("a label is a text").to_owned();
            let (rest, end) = text.rsplit_once(at).expect("it has both parts");
            *label = rest.into();
            end.to_owned()
        };
        cut_off("gordon.part", '/');
        let own = cut_off("gordon.spec", '@');
        for (network, membership) in container["networks"].as_object_mut().expect("networks") {
            let address = membership["address"].as_str().unwrap_or_default();
            if own.split(',').any(|own| own == format!("{network}={address}")) {
                membership["address"] = "its own".into();
            }
        }
        let text = |key: &str| container[key].as_str().expect("a text").to_owned();
        found.insert((text("name").trim_start_matches('/').to_owned(), text("image")), container);
    }
    found
}

fn rest(state: &Value) -> Value {
    let mut rest = state.clone();
    rest.as_object_mut().expect("an object").remove("containers");
    rest
}
