//! Plans for the tests of the renderers.

use crate::docker::Await;
use crate::docker::Claim;
use crate::docker::Current;
use crate::docker::Fact;
use crate::docker::Labels;
use crate::docker::Launch;
use crate::docker::Membership;
use crate::docker::Op;
use crate::docker::Release;
use crate::name::Alias;
use crate::name::Container;
use crate::name::EnvKey;
use crate::name::Image;
use crate::name::Network;
use crate::name::Owner;
use crate::name::Project;
use crate::name::Volume;
use crate::plan::Blocked;
use crate::plan::BlockedBy;
use crate::plan::Change;
use crate::plan::Expect;
use crate::plan::NewStep;
use crate::plan::Note;
use crate::plan::Plan;
use crate::plan::Reason;
use crate::plan::Risk;
use crate::plan::StepId;
use crate::spec::EnvFile;
use crate::spec::HealthCheck;
use crate::spec::Kind;
use crate::spec::Mount;
use crate::spec::Runtime;
use crate::spec::Source;
use crate::spec::Spec;
use std::sync::Arc;
use std::time::Duration;

/// The shells that scripts have to run in.
pub(super) const SHELLS: [&str; 3] = ["dash", "busybox sh", "bash --posix"];

/// How a script went.
pub(super) struct Outcome {
    pub(super) status: i32,
    pub(super) stdout: Vec<u8>,
    pub(super) stderr: String,
}

/// Runs a script in one of the [`SHELLS`], in an empty folder. Ctrl-C means to it what it means on a terminal: no shell
/// can trap it where the tests were started with it ignored.
pub(super) fn shell(name: &str, script: &str) -> Outcome {
    let folder = tempfile::tempdir().expect("a folder");
    let output = assert_cmd::Command::new("env")
        .arg("--default-signal=INT")
        .args(name.split(' '))
        .arg("-s")
        .current_dir(folder.path())
        .write_stdin(script)
        .output()
        .expect("the shell is installed");
    Outcome {
        status: output.status.code().expect("no signal ends the shell"),
        stdout: output.stdout,
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// Compares a text with the one in `tests/snapshots`.
macro_rules! assert_text {
    ($name:literal, $text:expr) => {
        insta::with_settings!({
            snapshot_path => concat!(env!("CARGO_MANIFEST_DIR"), "/tests/snapshots"),
            prepend_module_to_snapshot => false,
            omit_expression => true,
        }, { insta::assert_snapshot!($name, $text) })
    };
}
pub(super) use assert_text;

const PATH: &str = "/var/lib/postgresql/data";

/// A database with its volume, and an app on two networks: nothing of it is there.
pub(super) fn first_start() -> Plan {
    let mut plan = Plan::new(project());
    plan.notes.push(Note::VolumeReused(volume("shop-uploads")));
    plan.expects.push(Expect {
        any: vec![
            Fact::NoNetwork(network("shop-backend")),
            Fact::NetworkUsable(network("shop-backend"), project()),
        ],
        otherwise: "network shop-backend belongs to another project".to_owned(),
    });
    plan.expects.push(Expect {
        any: vec![
            current("shop-db"),
            Fact::Room {
                network: network("shop-backend"),
                subnet: "10.214.7.0/24".parse().expect("a subnet"),
                address: "10.214.7.128".parse().expect("an address"),
            },
        ],
        otherwise: "network shop-backend has no room for shop-db at 10.214.7.128".to_owned(),
    });
    let image = image("postgres:15");
    let op = Op::Pull { image: image.clone(), platform: None };
    let pull = step(&mut plan, "shop", op, Reason::NotOnHost, [Fact::Image(image.clone())], &[]);
    let op = Op::ExpectVolumes { image, known: vec![PATH.to_owned()] };
    let check = step(&mut plan, "shop", op, Reason::VolumesUnknown, [], &[pull]);
    let mut needs = vec![check];
    for (name, block) in [("shop-backend", 7), ("shop-frontend", 8)] {
        let op = Op::CreateNetwork {
            name: network(name),
            subnet: format!("10.214.{block}.0/24").parse().expect("a subnet"),
            range: format!("10.214.{block}.0/25").parse().expect("a subnet"),
            labels: labels(Kind::Network, name, None),
        };
        let unless = [Fact::Network(network(name))];
        needs.push(step(&mut plan, &name[5..], op, Reason::Missing, unless, &[]));
    }
    let op =
        Op::CreateVolume { name: volume("shop-db-data"), labels: labels(Kind::Volume, "shop-db-data", None) };
    let unless = [Fact::Volume(volume("shop-db-data"))];
    needs.push(step(&mut plan, "backend", op, Reason::Missing, unless, &[]));
    let run = step(&mut plan, "backend", Op::Run(db()), Reason::Missing, [current("shop-db")], &needs);
    let name = container("shop-db");
    let op = Op::Await(Await::Healthy { name: name.clone(), timeout: Duration::from_secs(60) });
    let ready = step(&mut plan, "backend", op, Reason::Ready, [Fact::Healthy(name)], &[run]);
    let app = app();
    let second = app.memberships[1].clone();
    let name = container("shop-web");
    let op = Op::Create(app);
    let create = step(&mut plan, "shop.example", op, Reason::Missing, [current("shop-web")], &[ready]);
    let unless = Fact::Attached {
        container: name.clone(),
        network: second.network.clone(),
        aliases: Some(second.aliases.clone()),
    };
    let op = Op::Connect { container: name.clone(), membership: second };
    let connect = step(&mut plan, "shop.example", op, Reason::Missing, [unless], &[create]);
    let op = Op::Start { name: name.clone() };
    let unless = [Fact::Running(name.clone())];
    let start = step(&mut plan, "shop.example", op, Reason::Missing, unless, &[connect]);
    let op = Op::Await(Await::StaysUp { name, time: Duration::from_secs(1) });
    step(&mut plan, "shop.example", op, Reason::Ready, [], &[start]);
    plan
}

/// A database that is replaced, an app that changes its network, and what is left over of another.
pub(super) fn change() -> Plan {
    let mut plan = Plan::new(project());
    let (name, previous) = (container("shop-db"), container("shop-db-previous"));
    let timeout = Duration::from_secs(30);
    plan.expects.push(Expect {
        any: vec![
            Fact::Absent(name.clone()),
            Fact::Has {
                name: name.clone(),
                project: project(),
                spec: Spec::parse("image:5e57a4b8"),
                release: 1,
            },
            current("shop-db"),
        ],
        otherwise: "shop-db is not as it was when this was planned".to_owned(),
    });
    let why = || Reason::Changed(vec![Change::EnvFile("env/db.env".to_owned()), Change::Part("command")]);
    let undo = vec![
        Op::Stop { name: name.clone(), timeout },
        Op::Remove { name: name.clone() },
        Op::Rename { from: previous.clone(), to: name.clone() },
        Op::Start { name: name.clone() },
    ];
    let op = Op::Stop { name: name.clone(), timeout };
    let stop = plan.push(NewStep {
        unless: vec![current("shop-db"), Fact::Stopped(name.clone())],
        risk: Risk::Interrupts,
        ..new("backend", op, why())
    });
    let op = Op::Rename { from: name.clone(), to: previous.clone() };
    let unless = [current("shop-db"), Fact::Absent(name.clone())];
    let rename = step(&mut plan, "backend", op, Reason::MakesRoom, unless, &[stop]);
    let run = plan.push(NewStep {
        unless: vec![current("shop-db")],
        needs: vec![rename],
        undo: undo.clone(),
        ..new("backend", Op::Run(db()), why())
    });
    let op = Op::Await(Await::Healthy { name: name.clone(), timeout: Duration::from_secs(60) });
    let ready = plan.push(NewStep {
        unless: vec![Fact::Healthy(name)],
        needs: vec![run],
        undo,
        ..new("backend", op, Reason::Ready)
    });
    plan.push(NewStep {
        unless: vec![Fact::Absent(previous.clone())],
        needs: vec![ready],
        risk: Risk::Removes,
        ..new("backend", Op::Remove { name: previous }, Reason::Replaced)
    });
    let web = container("shop-web");
    let membership = app().memberships.remove(1);
    let is_done = Fact::Attached {
        container: web.clone(),
        network: membership.network.clone(),
        aliases: Some(membership.aliases.clone()),
    };
    let is_away = Fact::Detached { container: web.clone(), network: membership.network.clone() };
    let reason = || Reason::Aliases { wanted: app().memberships.remove(1).aliases };
    let op = Op::Pause { name: web.clone() };
    let pause = plan.push(NewStep {
        unless: vec![is_done.clone(), Fact::Paused(web.clone())],
        risk: Risk::Pauses,
        ..new("shop.example", op, reason())
    });
    let op = Op::Disconnect { container: web.clone(), network: membership.network.clone() };
    let leave = plan.push(NewStep {
        unless: vec![is_done.clone(), is_away],
        after: vec![pause],
        risk: Risk::Pauses,
        uninterruptible: true,
        ..new("shop.example", op, reason())
    });
    let op = Op::Connect { container: web.clone(), membership };
    let join = plan.push(NewStep {
        unless: vec![is_done],
        needs: vec![leave],
        risk: Risk::Pauses,
        uninterruptible: true,
        ..new("shop.example", op, reason())
    });
    let op = Op::Unpause { name: web.clone() };
    plan.push(NewStep {
        unless: vec![Fact::Unpaused(web)],
        needs: vec![pause],
        after: vec![join],
        risk: Risk::Pauses,
        uninterruptible: true,
        ..new("shop.example", op, reason())
    });
    let old = container("shop-old");
    plan.push(NewStep {
        unless: vec![Fact::Stopped(old.clone())],
        risk: Risk::Interrupts,
        ..new("old.example", Op::Stop { name: old.clone(), timeout }, Reason::NotInConfig)
    });
    let op = Op::Remove { name: old.clone() };
    let unless = vec![Fact::Absent(old)];
    let gone =
        plan.push(NewStep { unless, risk: Risk::Removes, ..new("old.example", op, Reason::NotInConfig) });
    plan.push(NewStep {
        unless: vec![Fact::NoNetwork(network("shop-old-example"))],
        needs: vec![gone],
        risk: Risk::Removes,
        ..new("shop", Op::RemoveNetwork { name: network("shop-old-example") }, Reason::NotInConfig)
    });
    let kept = Fact::NoVolume(volume("shop-old-data"));
    plan.push(NewStep {
        unless: vec![kept],
        risk: Risk::Removes,
        ..new("shop", Op::RemoveVolume { name: volume("shop-old-data") }, Reason::NotInConfig)
    });
    plan.notes.push(Note::NetworkKept(network("shop-example")));
    let cause =
        BlockedBy::Image { image: image("api:2"), message: "manifest unknown:\nno such tag".to_owned() };
    plan.blocked.push(Blocked { container: container("shop-api"), owner: owner("api.example"), cause });
    plan
}

pub(super) fn new(owner: &str, op: Op, reason: Reason) -> NewStep {
    NewStep::new(op, self::owner(owner), reason)
}

pub(super) fn step<const N: usize>(
    plan: &mut Plan,
    owner: &str,
    op: Op,
    reason: Reason,
    unless: [Fact; N],
    needs: &[StepId],
) -> StepId {
    plan.push(NewStep { unless: unless.into(), needs: needs.to_vec(), ..new(owner, op, reason) })
}

pub(super) fn current(name: &str) -> Fact {
    let launch = if name == "shop-db" { db() } else { app() };
    let release = launch.labels.release.expect("a container has a release");
    let volumes = launch.runtime.mounts.iter().filter_map(|mount| match &mount.source {
        Source::Volume(volume) => Some((volume.clone(), mount.target.clone())),
        _ => None,
    });
    Fact::Current(Arc::new(Current {
        name: launch.name,
        project: project(),
        spec: release.spec,
        image: launch.image,
        release: Some(release.number),
        volumes: volumes.collect(),
    }))
}

fn db() -> Box<Launch> {
    let spec =
        Spec::of(&[("image", vec!["postgres:15"]), ("command", vec!["postgres", "-c", "log_statement=all"])]);
    Box::new(Launch {
        name: container("shop-db"),
        image: image("postgres:15"),
        labels: labels(Kind::Service, "shop-db", Some(spec)),
        memberships: vec![membership(
            "shop-backend",
            "10.214.7.128",
            &["postgres", "postgres.internal", "shop-db"],
        )],
        runtime: Runtime {
            hostname: Some("postgres".to_owned()),
            command: ["postgres", "-c", "log_statement=all"].map(str::to_owned).into(),
            env_files: vec![EnvFile {
                path: "env/db.env".to_owned(),
                content: "00ed341f".to_owned(),
                inherited: false,
            }],
            env: vec![(key("GREETING"), "it's $HOME, \"sweet\" `home`!\n".to_owned())],
            secrets: vec![key("POSTGRES_PASSWORD")],
            mounts: vec![
                Mount {
                    source: Source::Volume(volume("shop-db-data")),
                    target: PATH.to_owned(),
                    read_only: false,
                    relabel: None,
                    files: None,
                },
                Mount {
                    source: Source::Folder("db/init scripts".to_owned()),
                    target: "/docker-entrypoint-initdb.d".to_owned(),
                    read_only: true,
                    relabel: None,
                    files: None,
                },
            ],
            health: Some(HealthCheck {
                command: "pg_isready -U \"$POSTGRES_USER\"".to_owned(),
                interval: Duration::from_secs(1),
                timeout: Duration::from_secs(5),
                start_period: Duration::from_secs(60),
                retries: None,
            }),
            restart: "unless-stopped".to_owned(),
            ..Runtime::default()
        },
    })
}

pub(super) fn app() -> Box<Launch> {
    let spec = Spec::of(&[("image", vec!["web"])]);
    Box::new(Launch {
        name: container("shop-web"),
        image: image("web"),
        labels: labels(Kind::App, "shop-web", Some(spec)),
        memberships: vec![
            membership("shop-backend", "10.214.7.129", &["web", "shop-web"]),
            membership("shop-frontend", "10.214.8.128", &["web", "shop-web"]),
        ],
        runtime: Runtime { restart: "unless-stopped".to_owned(), ..Runtime::default() },
    })
}

fn membership(name: &str, address: &str, aliases: &[&str]) -> Membership {
    Membership {
        network: network(name),
        address: Some(address.parse().expect("an address")),
        aliases: aliases.iter().map(|alias| Alias::parse(*alias).expect("an alias")).collect(),
    }
}

fn labels(kind: Kind, name: &str, spec: Option<Spec>) -> Labels {
    let release = spec.map(|spec| Release { number: 2, spec, inherits: None });
    Labels { claim: Claim::Owned(project()), kind, owner: owner("backend"), name: name.to_owned(), release }
}

fn owner(text: &str) -> Owner {
    Owner::parse(text).expect("an owner")
}

pub(super) fn project() -> Project {
    Project::parse("shop").expect("a project")
}

pub(super) fn container(name: &str) -> Container {
    Container::parse(name).expect("a container")
}

pub(super) fn network(name: &str) -> Network {
    Network::parse(name).expect("a network")
}

fn volume(name: &str) -> Volume {
    Volume::parse(name).expect("a volume")
}

pub(super) fn image(text: &str) -> Image {
    Image::parse(text).expect("an image")
}

fn key(name: &str) -> EnvKey {
    EnvKey::parse(name).expect("a variable")
}

/// The JSON Schema of `T` is the one in `file`, a path in the repository. It is written anew with `INSTA_UPDATE=always`, as
/// the other texts that tests compare with.
#[expect(clippy::disallowed_methods, reason = "a test that rewrites the file that it checks")]
pub(crate) fn assert_schema<T: schemars::JsonSchema>(file: &str) {
    let settings = schemars::generate::SchemaSettings::draft2020_12().for_serialize();
    let schema = settings.into_generator().into_root_schema_for::<T>();
    let text = serde_json::to_string_pretty(&schema).expect("a schema is JSON") + "\n";
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    if std::env::var("INSTA_UPDATE").is_ok_and(|value| value == "always") {
        std::fs::write(path, &text).expect("written");
    } else {
        let published = std::fs::read_to_string(path).expect("it is there");
        assert!(text == published, "{file} differs: run this test with INSTA_UPDATE=always");
    }
}
