//! A fake engine on which a plan was carried out, and its answers in docker's form.
#![expect(clippy::disallowed_methods, reason = "it writes what the benchmark reads")]

use super::images;
use gordon::docker::First;
use gordon::docker::Launch;
use gordon::docker::Membership;
use gordon::docker::Observed;
use gordon::docker::Op;
use gordon::docker::Scope;
use gordon::docker::Second;
use gordon::docker::Survey;
use gordon::docker::key;
use gordon::name::Container;
use gordon::name::Network;
use gordon::plan::Plan;
use gordon::spec::ImageFacts;
use gordon::spec::Source;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;
use std::collections::BTreeMap;
use std::fs;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// A docker that answers from files beside it. An id is the number of a line.
const DOCKER: &str = r#"#!/bin/sh
here=${0%/*}
case $* in
*gordon-lock-*) exit 1 ;;
'ps '*) cat "$here/containers" ;;
'network ls'*) cat "$here/networks" ;;
'volume ls'*) cat "$here/volumes" ;;
'image inspect'*) cat "$here/images" ;;
exec*) cat "$here/routes" ;;
'container inspect'* | 'network inspect'*)
	file=$here/inspected-$1s
	shift 4
	first=${1#"${1%%[!0]*}"}
	tail -n "+$first" "$file" | head -n "$#"
	;;
esac
"#;

/// The things on a host, in the form in which docker reports them.
#[derive(Default)]
pub(super) struct Engine {
    containers: BTreeMap<Container, Value>,
    networks: BTreeMap<Network, Value>,
    volumes: Vec<Value>,
    routes: String,
    by: By,
}

/// Which version's labels the things carry.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum By {
    /// Those of this version.
    #[default]
    Us,
    /// Those of the version before.
    OurPredecessor,
}

impl Engine {
    /// An engine on which a plan for a first start was carried out.
    pub(super) fn after(plan: &Plan, by: By) -> Self {
        let mut engine = Self { by, ..Self::default() };
        for step in plan.steps() {
            engine.add(&step.op);
        }
        engine
    }

    fn add(&mut self, op: &Op) {
        match op {
            Op::CreateNetwork { name, subnet, .. } => {
                let id = id(self.networks.len());
                let network = json!({
                    "Id": id, "Name": name.as_str(), "Labels": self.labels(op), "Containers": {},
                    "IPAM": { "Config": [{ "Subnet": subnet.to_string() }] },
                });
                self.networks.insert(name.clone(), network);
            }
            Op::CreateVolume { name, .. } => {
                let labels = self.labels(op);
                let label = |key| labels.get(key).cloned().unwrap_or_else(|| "".into());
                self.volumes.push(json!([
                    name.as_str(),
                    if self.by == By::Us { label(key::PART) } else { label("gordon.managed") },
                    label(key::PROJECT),
                    label(key::MAKER),
                    label("gordon.name")
                ]));
            }
            Op::Run(launch) | Op::Create(launch) => self.make(op, launch),
            Op::Start { name } => {
                self.containers.get_mut(name).unwrap()["State"]["Status"] = "running".into()
            }
            Op::Update { name, restart } => {
                self.containers.get_mut(name).unwrap()["HostConfig"]["RestartPolicy"] = policy(restart);
            }
            Op::Connect { container, membership } => self.join(container, membership),
            Op::WriteRoutes { project, text } => self.routes = format!("\0{project}.caddy\n{text}"),
            _ => {}
        }
    }

    fn labels(&self, op: &Op) -> Map<String, Value> {
        let labels = match self.by {
            By::Us => labels(op),
            By::OurPredecessor => before(&labels(op)),
        };
        labels.into_iter().map(|(key, value)| (key, value.into())).collect()
    }

    fn make(&mut self, op: &Op, launch: &Launch) {
        let Launch { name, image, memberships, runtime, .. } = launch;
        let volumes = runtime.mounts.iter().filter_map(|mount| match &mount.source {
            Source::Volume(volume) => {
                Some(json!({ "Type": "volume", "Name": volume.as_str(), "Destination": mount.target }))
            }
            _ => None,
        });
        let is_run = matches!(op, Op::Run(_));
        let container = json!({
            "Id": id(self.containers.len()), "Name": format!("/{name}"), "Image": image_id(image.as_str()),
            "Created": "2026-01-02T03:04:05Z",
            "State": { "Status": if is_run { "running" } else { "created" }, "StartedAt": "2026-01-02T03:04:05Z" },
            "Mounts": volumes.collect::<Vec<_>>(),
            "Config": {
                "Image": image.as_str(),
                "Env": ["PATH=/bin"],
                "Labels": self.labels(op),
                "StopTimeout": runtime.settings.stop_timeout().map(|time| time.as_secs()),
            },
            "HostConfig": {
                "PortBindings": {},
                "RestartPolicy": policy(&runtime.restart),
                "Memory": runtime.settings.limits().get("--memory").map_or(0, |bytes| bytes.parse::<u64>().unwrap()),
                "LogConfig": { "Type": "json-file", "Config": { "max-size": "10m" } },
            },
            "NetworkSettings": { "Networks": {} },
        });
        self.containers.insert(name.clone(), container);
        self.join(name, &memberships[0]);
    }

    fn join(&mut self, name: &Container, membership: &Membership) {
        let Membership { network, address, aliases } = membership;
        let address = address.map(|address| address.to_string()).unwrap_or_default();
        let aliases: Vec<&str> = aliases.iter().map(|alias| alias.as_str()).collect();
        let container = self.containers.get_mut(name).unwrap();
        let id = container["Id"].as_str().unwrap().to_owned();
        let seen = self.networks.get_mut(network).unwrap();
        seen["Containers"][id] = json!({ "IPv4Address": format!("{address}/24") });
        container["NetworkSettings"]["Networks"][network.as_str()] =
            json!({ "NetworkID": seen["Id"], "IPAddress": address, "Aliases": aliases });
    }

    pub(super) fn first(&self) -> First<String> {
        let listed = |container: &Value| {
            let name = container["Name"].as_str().unwrap().trim_start_matches('/').to_owned();
            let image = &container["Config"]["Image"];
            json!([container["Id"], name, "true", container["State"]["Status"], "", image])
        };
        let images = images();
        let image = |image: &str, facts: &ImageFacts| {
            let volumes: Map<_, _> = facts.volumes.iter().map(|path| (path.clone(), json!({}))).collect();
            json!([image_id(image), [image], [], { "Volumes": volumes }])
        };
        First {
            containers: lines(in_order(&self.containers).into_iter().map(listed)),
            networks: lines(in_order(&self.networks).into_iter().map(|network| network["Id"].clone()))
                .replace('"', ""),
            volumes: lines(self.volumes.iter().cloned()),
            images: vec![lines(images.iter().map(|(name, facts)| image(name.as_str(), facts)))],
            processors: None,
        }
    }

    pub(super) fn second(&self) -> Second<String> {
        Second {
            images: Vec::new(),
            containers: vec![lines(in_order(&self.containers).into_iter().cloned())],
            networks: vec![lines(in_order(&self.networks).into_iter().cloned())],
            references: None,
            routes_files: Some(self.routes.clone()),
        }
    }

    /// The host that gordon reads from it.
    pub(super) fn observed(first: &First<String>, second: &Second<String>) -> Observed {
        let images = images().into_keys().collect();
        let scope = Scope { images, ..Scope::default() };
        Survey::read(scope, first).unwrap().observed(second).unwrap()
    }

    /// Writes a docker with these answers into `folder`.
    pub(super) fn write(&self, folder: &Path) {
        fs::create_dir(folder).unwrap();
        let write = |file: &str, text: &str| fs::write(folder.join(file), text).unwrap();
        let (first, second) = (self.first(), self.second());
        write("docker", DOCKER);
        write("containers", &first.containers);
        write("networks", &first.networks);
        write("volumes", &first.volumes);
        write("images", &first.images.concat());
        write("inspected-containers", &second.containers.concat());
        write("inspected-networks", &second.networks.concat());
        write("routes", &self.routes);
        fs::set_permissions(folder.join("docker"), Permissions::from_mode(0o755)).unwrap();
    }
}

fn id(count: usize) -> String {
    format!("{:064}", count + 1)
}

fn image_id(image: &str) -> String {
    let place = images().keys().position(|known| known.as_str() == image);
    format!("sha256:{:064}", place.unwrap())
}

/// The labels that the version before wrote in place of these.
fn before(labels: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let mut before = BTreeMap::from([("gordon.managed".to_owned(), "true".to_owned())]);
    let mut add = |key: &str, value: &str| drop(before.insert(format!("gordon.{key}"), value.to_owned()));
    for (key, value) in labels {
        let parts: Vec<&str> = value.split('/').collect();
        match (key.as_str(), &parts[..]) {
            (key::PART, [kind, owner, name, release @ ..]) => {
                let named = [("kind", kind), ("owner", owner), ("name", name)];
                let release = release.iter().map(|release| ("release", release));
                named.into_iter().chain(release).for_each(|(key, value)| add(key, value));
            }
            (key::SPEC, _) => {
                let (spec, memory) = value.split_once('@').unwrap_or((value, ""));
                add("spec", &spec.replace('/', " "));
                let memory = memory.split(',').filter(|pair| !pair.is_empty());
                let (inherits, addresses): (Vec<&str>, Vec<&str>) =
                    memory.partition(|pair| pair.starts_with("inherits="));
                inherits.iter().for_each(|pair| add("inherits", &pair["inherits=".len()..]));
                if !addresses.is_empty() {
                    add("address", &addresses.join(","));
                }
            }
            (key, _) => add(&key["gordon.".len()..], value),
        }
    }
    before
}

/// The labels in the command of an operation.
fn labels(op: &Op) -> BTreeMap<String, String> {
    let words = op.command().unwrap().argv(Path::new("/"));
    let labels = words.windows(2).filter(|words| words[0] == "--label");
    labels
        .map(|words| words[1].split_once('=').unwrap())
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect()
}

/// Things in the order in which they were made.
fn in_order<K>(things: &BTreeMap<K, Value>) -> Vec<&Value> {
    let mut things: Vec<&Value> = things.values().collect();
    things.sort_by_key(|thing| thing["Id"].as_str());
    things
}

fn lines(values: impl Iterator<Item = Value>) -> String {
    values.map(|value| format!("{value}\n")).collect()
}

/// A restart policy in docker's form.
fn policy(restart: &str) -> Value {
    let (name, tries) = restart.split_once(':').unwrap_or((restart, "0"));
    json!({ "Name": name, "MaximumRetryCount": tries.parse::<u32>().unwrap() })
}
