//! Every fact means the same to the planner, which looks at what was read of a host, and to a script, which asks docker.

use gordon::docker::Cli;
use gordon::docker::Current;
use gordon::docker::Fact;
use gordon::docker::Observed;
use gordon::docker::Scope;
use gordon::name::Alias;
use gordon::name::Container;
use gordon::name::Image;
use gordon::name::Network;
use gordon::name::Project;
use gordon::name::Volume;
use gordon::plan::Expect;
use gordon::plan::Plan;
use gordon::plan::Volumes;
use gordon::plan::down;
use gordon::render::sh;
use gordon::spec::Spec;
use gordon::sys::docker::Docker;
use gordon::sys::observe::observe;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use support::lab::IDLE;
use support::lab::Lab;
use support::private_engine::on_private_engine;

const SHELLS: [&str; 3] = ["dash", "busybox sh", "bash --posix"];

fn project(name: &str) -> Project {
    Project::parse(name).expect("a project")
}

fn container(name: &str) -> Container {
    Container::parse(name).expect("a container")
}

fn network(name: &str) -> Network {
    Network::parse(name).expect("a network")
}

fn volume(name: &str) -> Volume {
    Volume::parse(name).expect("a volume")
}

fn image(text: &str) -> Image {
    Image::parse(text).expect("an image")
}

fn attached(name: &str, on: &str, aliases: Option<&[&str]>) -> Fact {
    let names =
        |aliases: &[&str]| aliases.iter().map(|name| Alias::parse(*name).expect("an alias")).collect();
    Fact::Attached { container: container(name), network: network(on), aliases: aliases.map(names) }
}

fn restarts(name: &str, policy: &str) -> Fact {
    Fact::Restart { name: container(name), policy: policy.to_owned() }
}

fn detached(name: &str, from: &str) -> Fact {
    Fact::Detached { container: container(name), network: network(from) }
}

/// No container but those of the project answers to these names.
fn no_others(of: &str, names: &[(&str, &[&str])]) -> Fact {
    let names =
        names.iter().map(|(on, names)| (network(on), names.iter().map(|name| (*name).to_owned()).collect()));
    Fact::NoOtherAnswers { project: project(of), names: names.collect() }
}

fn room(on: &str, subnet: &str, address: &str) -> Fact {
    Fact::Room {
        network: network(on),
        subnet: subnet.parse().expect("a subnet"),
        address: address.parse().expect("an address"),
    }
}

fn has(name: &str, of: &str, spec: &str, release: u32) -> Fact {
    Fact::Has { name: container(name), project: project(of), spec: Spec::parse(spec), release }
}

/// What `facts-web` is, but for one thing.
fn current(change: fn(&mut Current)) -> Fact {
    let mut current = Current {
        name: container("facts-web"),
        project: project("facts"),
        spec: Spec::parse("env:1 image:2"),
        image: image(IDLE),
        release: Some(3),
        volumes: vec![(volume("facts-data"), "/my data".to_owned())],
    };
    change(&mut current);
    Fact::Current(Arc::new(current))
}

/// The proxy of this spec, made of this image.
fn proxy(spec: &str, of: &str) -> Fact {
    Fact::Proxy { spec: Spec::parse(spec), image: image(of) }
}

fn routes_file(of: &str, text: &str) -> Fact {
    Fact::Routes { project: project(of), text: text.to_owned() }
}

fn no_routes(of: &str) -> Fact {
    Fact::NoRoutes(project(of))
}

/// Whose labels the things carry: this version's, or those of the one before.
#[derive(Clone, Copy)]
enum By {
    Us,
    OurPredecessor,
}

impl By {
    /// The labels of a network or a volume.
    fn thing(self, kind: &str, name: &str, project: Option<&str>) -> String {
        let project = project.map(|project| format!("--label gordon.project={project} ")).unwrap_or_default();
        match self {
            Self::Us => format!("{project}--label gordon.part={kind}/facts/{name}"),
            Self::OurPredecessor => format!("{project}--label gordon.managed=true"),
        }
    }

    /// The labels of a container, in its third release, but for those that say whose it is.
    fn container(self, kind: &str, name: &str, spec: &str) -> String {
        match self {
            Self::Us => format!(
                "--label gordon.part={kind}/facts/{name}/3 --label gordon.spec={}@inherits=1,bridge=10.1.2.3",
                spec.replace(' ', "/")
            ),
            Self::OurPredecessor => format!(
                "--label gordon.managed=true --label gordon.kind={kind} --label gordon.name={name} \
                 --label gordon.release=3 --label 'gordon.spec={spec}'"
            ),
        }
    }
}

/// What passes for the proxy: it has files where the proxy has its own.
fn furnish_proxy(lab: &Lab, by: By, labels: &str) {
    let own = by.container("proxy", "gordon-proxy", "command:1 image:2");
    lab.docker(&format!("run -d --name gordon-proxy --label {} {labels} {own} {IDLE}", lab.label()));
    let write = "busybox --install -s /bin; mkdir -p /config/gordon; cd /config/gordon
        printf \"# project facts\\nit's {\\n\\t*\\n}\\n# end\\n\" >facts.caddy; : >empty.caddy";
    lab.docker(&format!("exec gordon-proxy busybox sh -c {}", shlex::try_quote(write).expect("no NUL")));
}

/// What [`furnish_proxy`] puts there for the project `facts`.
const ROUTES: &str = "# project facts\nit's {\n\t*\n}\n# end\n";

/// Statements about what [`furnish_proxy`] makes, and whether they are so: while it runs, and when it does not.
fn proxy_cases(runs: bool) -> Vec<(Fact, bool)> {
    vec![
        (proxy("command:1 image:2", IDLE), true),
        (proxy("command:1", IDLE), false),
        (proxy("image:2", IDLE), false),
        (proxy("command:1 image:2", OtherImage::NAME), false),
        (proxy("command:1 image:2", "gordon-test/none"), true),
        (routes_file("facts", ROUTES), runs),
        (routes_file("facts", &ROUTES.replace("it's", "its")), false),
        (routes_file("facts", ROUTES.trim_end()), false),
        (routes_file("none", ROUTES), false),
        (no_routes("facts"), !runs),
        (no_routes("empty"), !runs),
        (no_routes("none"), true),
        (detached("gordon-proxy", "bridge"), false),
        (detached("gordon-proxy", "facts-net"), true),
    ]
}

/// Containers, networks and volumes of all sorts.
fn furnish(lab: &Lab, by: By) {
    let test = format!("--label {}", lab.label());
    let thing = |kind, name, project| format!("{test} {}", by.thing(kind, name, project));
    let mine = Some("facts");
    lab.docker(&format!(
        "network create {} --subnet 10.209.110.0/24 facts-net",
        thing("network", "facts-net", mine)
    ));
    lab.docker(&format!("volume create {} facts-data", thing("volume", "facts-data", mine)));
    for (kind, of) in [("network", "--subnet 10.209.11"), ("volume", "")] {
        let subnet = |n: u8| if of.is_empty() { String::new() } else { format!("{of}{n}.0/24") };
        let (one, two, three) = (subnet(1), subnet(2), subnet(3));
        lab.docker(&format!("{kind} create {test} {one} facts-nobody"));
        let orphan = thing(kind, "facts-orphan", None);
        lab.docker(&format!("{kind} create {orphan} {two} facts-orphan"));
        let other = thing(kind, "facts-other", Some("other"));
        lab.docker(&format!("{kind} create {other} {three} facts-other"));
    }
    let on = "--network facts-net";
    let labels = |name: &str| {
        let own = by.container("app", name, "env:1 image:2");
        format!("--name {name} {test} --label gordon.project=facts {own}")
    };
    lab.docker(&format!(
        "run -d {} {on} --ip 10.209.110.130 --network-alias web --network-alias x.internal
         --volume 'facts-data:/my data' --health-cmd true --health-interval 500ms {IDLE}",
        labels("facts-web")
    ));
    lab.docker(&format!(
        "run -d {} {on} --health-cmd false --health-interval 500ms --health-retries 1 {IDLE}",
        labels("facts-bare")
    ));
    lab.docker(&format!(
        "create --restart on-failure:10 {} {on} --ip 10.209.110.140 {IDLE}",
        labels("facts-stopped")
    ));
    lab.docker(&format!("run -d --restart always {} {IDLE}", labels("facts-paused")));
    lab.docker("pause facts-paused");
    lab.docker(&format!("run -d --name facts-strange {test} {IDLE}"));
    for (name, status) in [("facts-done", 0), ("facts-failed", 3)] {
        lab.docker(&format!("run -d {} --entrypoint sh {IDLE} -c 'exit {status}'", labels(name)));
        lab.docker(&format!("wait {name}"));
    }
    lab.docker("network connect --alias Cache facts-nobody facts-strange");
    for (name, health) in [("facts-web", "healthy"), ("facts-bare", "unhealthy")] {
        while lab.docker(&format!("container inspect --format {{{{.State.Health.Status}}}} {name}")) != health
        {
        }
    }
}

/// An image that no container is made of.
struct OtherImage<'a>(&'a Lab);

impl<'a> OtherImage<'a> {
    const NAME: &'static str = "gordon-test/facts:other";

    fn new(lab: &'a Lab) -> Self {
        lab.docker(&format!("commit facts-strange {}", Self::NAME));
        Self(lab)
    }
}

impl Drop for OtherImage<'_> {
    fn drop(&mut self) {
        self.0.docker(&format!("image rm {}", Self::NAME));
    }
}

/// Statements about what [`furnish`] makes, and whether they are so.
fn cases(lab: &Lab) -> Vec<(Fact, bool)> {
    let id = |kind: &str, name: &str| lab.docker(&format!("{kind} inspect --format {{{{.Id}}}} {name}"));
    // docker takes the beginning of an id for a name
    let (web_id, net_id) = (id("container", "facts-web"), id("network", "facts-net"));
    let image_id = id("image", IDLE).replace("sha256:", "");
    let (web_id, net_id, image_id) = (&web_id[..12], &net_id[..12], &image_id[..12]);
    let mine = || project("facts");
    vec![
        (Fact::Image(image(IDLE)), true),
        (Fact::Image(image("gordon-test/none")), false),
        (Fact::Image(image(image_id)), false),
        (Fact::Network(network("facts-net")), true),
        (Fact::Network(network("facts-none")), false),
        (Fact::Network(network(net_id)), false),
        (Fact::NoNetwork(network("facts-net")), false),
        (Fact::NoNetwork(network("facts-none")), true),
        (Fact::NoNetwork(network(net_id)), true),
        (Fact::NetworkUsable(network("facts-net"), mine()), true),
        (Fact::NetworkUsable(network("facts-net"), project("other")), false),
        (Fact::NetworkUsable(network("facts-nobody"), mine()), true),
        (Fact::NetworkUsable(network("facts-other"), mine()), false),
        (Fact::NetworkUsable(network("facts-orphan"), mine()), false),
        (Fact::NetworkUsable(network("facts-none"), mine()), false),
        (no_others("facts", &[("facts-nobody", &["db", "cache"])]), false),
        (no_others("facts", &[("facts-nobody", &["facts-strange"])]), false),
        (no_others("facts", &[("facts-net", &["cache"]), ("facts-nobody", &["cach", "caches"])]), true),
        (no_others("facts", &[("facts-net", &["web", "facts-web"])]), true),
        (no_others("other", &[("facts-net", &["web"])]), false),
        (no_others("other", &[("facts-none", &["web"])]), true),
        (room("facts-none", "10.209.110.0/24", "10.209.110.130"), true),
        (room("facts-net", "10.209.110.0/24", "10.209.110.131"), true),
        (room("facts-net", "10.209.110.0/24", "10.209.110.13"), true),
        (room("facts-net", "10.209.110.0/24", "10.209.110.130"), false),
        (room("facts-net", "10.209.110.0/24", "10.209.110.140"), true),
        (room("facts-net", "10.209.110.0/25", "10.209.110.131"), false),
        (room("facts-net", "10.209.119.0/24", "10.209.119.131"), false),
        (Fact::Volume(volume("facts-data")), true),
        (Fact::Volume(volume("facts-dat")), false),
        (Fact::NoVolume(volume("facts-data")), false),
        (Fact::NoVolume(volume("facts-dat")), true),
        (Fact::VolumeUsable(volume("facts-data"), mine()), true),
        (Fact::VolumeUsable(volume("facts-nobody"), mine()), true),
        (Fact::VolumeUsable(volume("facts-other"), mine()), false),
        (Fact::VolumeUsable(volume("facts-orphan"), mine()), false),
        (Fact::VolumeUsable(volume("facts-none"), mine()), false),
        (Fact::Exists(container("facts-web")), true),
        (Fact::Exists(container("facts-strange")), true),
        (Fact::Exists(container(web_id)), false),
        (Fact::Absent(container("facts-web")), false),
        (Fact::Absent(container(web_id)), true),
        (has("facts-web", "facts", "env:1 image:2", 3), true),
        (has("facts-web", "facts", "env:1 image:3", 3), false),
        (has("facts-web", "facts", "env:1 image:2", 2), false),
        (has("facts-web", "other", "env:1 image:2", 3), false),
        (has("facts-strange", "facts", "", 0), false),
        (has("facts-none", "facts", "env:1 image:2", 3), false),
        (current(|_| {}), true),
        (current(|current| current.release = None), true),
        (current(|current| current.release = Some(4)), false),
        (current(|current| current.volumes.clear()), true),
        (current(|current| current.volumes[0].1 = "/my".to_owned()), false),
        (current(|current| current.volumes[0].0 = volume("facts-nobody")), false),
        (current(|current| current.spec = Spec::parse("env:1")), false),
        (current(|current| current.spec = Spec::parse("env:1/file-1:3,4/image:2")), true),
        (current(|current| current.spec = Spec::parse("env:1/file-1:3,4")), false),
        (current(|current| current.project = project("other")), false),
        (current(|current| current.image = image(OtherImage::NAME)), false),
        (current(|current| current.image = image("gordon-test/none")), true),
        (current(|current| current.name = container("facts-strange")), false),
        (current(|current| current.name = container("facts-none")), false),
        (Fact::Running(container("facts-web")), true),
        (Fact::Running(container("facts-paused")), true),
        (Fact::Running(container("facts-stopped")), false),
        (Fact::Running(container("facts-none")), false),
        (Fact::Steady(container("facts-web")), true),
        (Fact::Steady(container("facts-paused")), false),
        (Fact::Steady(container("facts-stopped")), false),
        (Fact::Paused(container("facts-paused")), true),
        (Fact::Paused(container("facts-web")), false),
        (Fact::Unpaused(container("facts-paused")), false),
        (Fact::Unpaused(container("facts-web")), true),
        (Fact::Unpaused(container("facts-none")), true),
        (Fact::Stopped(container("facts-web")), false),
        (Fact::Stopped(container("facts-paused")), false),
        (Fact::Stopped(container("facts-stopped")), true),
        (Fact::Stopped(container("facts-none")), true),
        (restarts("facts-web", "no"), true),
        (restarts("facts-web", "always"), false),
        (restarts("facts-paused", "always"), true),
        (restarts("facts-stopped", "on-failure:10"), true),
        (restarts("facts-stopped", "on-failure:1"), false),
        (restarts("facts-none", "no"), false),
        (Fact::EndedWell(container("facts-done")), true),
        (Fact::EndedWell(container("facts-failed")), false),
        (Fact::EndedWell(container("facts-web")), false),
        (Fact::EndedWell(container("facts-stopped")), false),
        (Fact::EndedWell(container("facts-none")), false),
        (Fact::Healthy(container("facts-web")), true),
        (Fact::Healthy(container("facts-bare")), false),
        (Fact::Healthy(container("facts-stopped")), false),
        (attached("facts-web", "facts-net", None), true),
        (attached("facts-web", "facts-net", Some(&["web", "x.internal"])), true),
        (attached("facts-web", "facts-net", Some(&["x.internal", "web"])), true),
        (attached("facts-web", "facts-net", Some(&["web"])), false),
        (attached("facts-web", "facts-net", Some(&["web", "x.internal", "other"])), false),
        (attached("facts-web", "facts-net", Some(&[])), false),
        (attached("facts-bare", "facts-net", Some(&[])), true),
        (attached("facts-bare", "facts-net", Some(&["web"])), false),
        (attached("facts-stopped", "facts-net", Some(&[])), true),
        (attached("facts-web", "bridge", None), false),
        (attached("facts-paused", "bridge", None), true),
        (attached("facts-paused", "bridge", Some(&[])), true),
        (attached("facts-none", "facts-net", None), false),
        (attached("facts-none", "facts-net", Some(&[])), false),
        (detached("facts-web", "facts-net"), false),
        (detached("facts-web", "bridge"), true),
        (detached("facts-none", "facts-net"), true),
    ]
}

fn read(lab: &Lab) -> Observed {
    let images = [IDLE, "gordon-test/none", OtherImage::NAME].map(image);
    let docker = Docker::find(Cli::default(), lab.folder()).expect("docker is there");
    let networks = ["facts-net", "facts-nobody"].map(network).into();
    let scope = Scope { images: images.into(), networks, ..Scope::default() };
    observe(&docker, scope).expect("the host is readable")
}

/// The part of a script that asks what its plan takes for granted, here that `fact` holds.
fn question(plan: &Plan, fact: &Fact) -> String {
    let mut plan = plan.clone();
    plan.expects = vec![Expect { any: vec![fact.clone()], otherwise: "it is not so".to_owned() }];
    let script = sh::render(&plan, &Cli::default());
    let (questions, rest) = script.split_once("\n  step 1 ").expect("a script has steps");
    format!("{questions}\n  exit 0\n  step 1 {rest}")
}

/// The planner and a script say this of each statement.
fn agree(lab: &Lab, cases: Vec<(Fact, bool)>) {
    let host = read(lab);
    let plan = down(&project("facts"), Duration::ZERO, &host, Volumes::Keep, &BTreeSet::new());
    // the shells in turn: each meets every function, if not every case
    for ((fact, holds), shell) in cases.into_iter().zip(SHELLS.into_iter().cycle()) {
        assert_eq!(fact.holds(&host), holds, "the planner on {fact:?}");
        let words: Vec<&str> = shell.split(' ').collect();
        let mut command = assert_cmd::Command::new(words[0]);
        command.args(&words[1..]).arg("-s").write_stdin(question(&plan, &fact));
        let output = command.output().expect("a shell");
        let told = String::from_utf8_lossy(&output.stderr);
        // some say before what they have found
        let last = told.lines().last().unwrap_or_default();
        let expected = if holds { (0, "") } else { (4, "refused, nothing was changed: it is not so") };
        assert_eq!((output.status.code().unwrap_or(-1), last), expected, "{shell} on {fact:?}: {told}");
    }
}

#[test]
fn every_fact_means_the_same_to_the_planner_and_to_a_script() {
    on_private_engine(every_fact_means_the_same_to_the_planner_and_to_a_script, all_agree);
}

fn all_agree() {
    for by in [By::Us, By::OurPredecessor] {
        let lab = Lab::new("facts");
        furnish(&lab, by);
        let _other = OtherImage::new(&lab);
        agree(&lab, cases(&lab));
        let without =
            [(proxy("", IDLE), false), (routes_file("facts", ROUTES), false), (no_routes("facts"), true)];
        agree(&lab, without.into());
        furnish_proxy(&lab, by, "--label gordon.maker=facts");
        agree(&lab, proxy_cases(true));
        lab.docker("stop -t 0 gordon-proxy");
        agree(&lab, proxy_cases(false));
        // one that gordon did not make is none
        lab.docker("rm gordon-proxy");
        furnish_proxy(&lab, by, "");
        agree(&lab, vec![(proxy("command:1 image:2", IDLE), false)]);
    }
}
