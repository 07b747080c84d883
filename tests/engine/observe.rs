//! Reading a real host.

use gordon::docker::Cli;
use gordon::docker::Health;
use gordon::docker::Observed;
use gordon::docker::Scope;
use gordon::docker::State;
use gordon::name::Container;
use gordon::name::Image;
use gordon::name::Network;
use gordon::name::Project;
use gordon::name::Volume;
use gordon::sys::docker::Docker;
use gordon::sys::observe::ObserveError;
use gordon::sys::observe::observe;
use std::path::Path;
use support::lab::IDLE;
use support::lab::Lab;
use support::private_engine::on_private_engine;

fn container(name: &str) -> Container {
    Container::parse(name).expect("a container")
}

fn network(name: &str) -> Network {
    Network::parse(name).expect("a network")
}

fn scope(images: &[&str]) -> Scope {
    let images = images.iter().map(|text| Image::parse(*text).expect("an image")).collect();
    Scope { images, ..Scope::default() }
}

fn read(lab: &Lab, binary: &Path, images: &[&str]) -> Result<Observed, ObserveError> {
    let cli = Cli { binary: binary.display().to_string(), context: None };
    observe(&Docker::find(cli, lab.folder()).expect("docker is there"), scope(images))
}

fn words<T: ToString>(things: impl IntoIterator<Item = T>) -> String {
    things.into_iter().map(|thing| thing.to_string()).collect::<Vec<_>>().join(" ")
}

#[test]
fn a_host_is_seen_as_it_is() {
    on_private_engine(a_host_is_seen_as_it_is, || {
        let lab = Lab::new("observe");
        let mine =
            format!("--label {} --label gordon.managed=true --label gordon.project=observe", lab.label());
        lab.docker(&format!(
            "network create {mine} --subnet 10.209.100.0/24 --ip-range 10.209.100.0/25 observe-a"
        ));
        lab.docker(&format!("network create {mine} --subnet 10.209.101.0/24 observe-b"));
        lab.docker(&format!("volume create {mine} observe-data"));
        lab.docker(&format!(
        "create {mine} --label gordon.kind=service --label gordon.owner=observe --label gordon.release=7
         --label 'gordon.spec=image:00ed341f' --label gordon.address=observe-a=10.209.100.200
         --name observe-db --network observe-a --ip 10.209.100.200 --network-alias db --network-alias observe-db
         --volume observe-data:/data --env 'PW=a=b c' --health-cmd true {IDLE}"
    ));
        lab.docker("network connect --alias store observe-b observe-db");
        let created = read(&lab, Path::new("docker"), &[IDLE, "edges-missing:2"]).expect("docker answers");

        let seen = &created.containers[&container("observe-db")];
        assert_eq!(seen.state, State::Created);
        let membership = &seen.memberships[&network("observe-a")];
        assert_eq!((words(membership.address), membership.stale), ("10.209.100.200".to_owned(), false));
        assert_eq!(words(&created.networks[&network("observe-a")].addresses), "", "nothing runs on it");

        lab.docker("start observe-db");
        let running = read(&lab, Path::new("docker"), &[IDLE, "edges-missing:2"]).expect("docker answers");
        let seen = &running.containers[&container("observe-db")];
        assert_eq!(seen.state, State::Running);
        assert_ne!(seen.health, Health::None);
        assert_eq!((seen.release, seen.spec.to_string().as_str()), (7, "image:00ed341f"));
        assert_eq!(seen.volumes.get("/data"), Volume::parse("observe-data").ok().as_ref());
        assert!(seen.env.iter().any(|(key, value)| key.as_str() == "PW" && value.reveal() == "a=b c"));
        let [image, missing] = [IDLE, "edges-missing:2"].map(|text| Image::parse(text).expect("an image"));
        assert_eq!(seen.image, running.images.here[&image].id);
        assert!(!running.images.here.contains_key(&missing));
        assert!(running.images.references.contains(&image));
        assert_eq!(words(seen.memberships.keys()), "observe-a observe-b");
        assert_eq!(words(&seen.memberships[&network("observe-a")].aliases), "db observe-db");
        assert_eq!(words(&seen.memberships[&network("observe-b")].aliases), "store");
        let seen = &running.networks[&network("observe-a")];
        assert_eq!(
            (words(seen.subnet), words(&seen.addresses)),
            ("10.209.100.0/24".into(), "10.209.100.200".into())
        );
        assert_eq!((seen.managed, seen.project.as_ref()), (true, Project::parse("observe").ok().as_ref()));
        assert!(running.volumes[&Volume::parse("observe-data").expect("a volume")].managed);

        lab.docker("stop --time 0 observe-db");
        lab.docker("network rm observe-a");
        lab.docker(&format!("network create {mine} --subnet 10.209.100.0/24 observe-a"));
        let stopped = read(&lab, Path::new("docker"), &[]).expect("docker answers");
        let seen = &stopped.containers[&container("observe-db")];
        assert_eq!(seen.state, State::Exited);
        let membership = &seen.memberships[&network("observe-a")];
        assert_eq!((words(membership.address), membership.stale), ("10.209.100.200".to_owned(), true));
        assert!(!seen.memberships[&network("observe-b")].stale);
    });
}

#[test]
fn more_containers_make_no_more_docker_calls() {
    on_private_engine(more_containers_make_no_more_docker_calls, || {
        let lab = Lab::new("observe-calls");
        let log = lab.folder().join("calls");
        let spy = lab.script("spy", &format!("#!/bin/sh\necho >> {}\nexec docker \"$@\"\n", log.display()));
        let calls = || {
            std::fs::write(&log, "").expect("an empty log");
            read(&lab, &spy, &[IDLE]).expect("docker answers");
            std::fs::read_to_string(&log).expect("the log").len()
        };
        let make = |n: u32| {
            lab.docker(&format!(
                "create --label {} --label gordon.managed=true --name observe-calls-{n} {IDLE}",
                lab.label()
            ))
        };
        make(1);
        let one = calls();
        (2..=5).for_each(|n| drop(make(n)));
        assert_eq!((one, calls()), (6, 6));
    });
}

#[test]
fn what_goes_away_between_the_rounds_was_never_there() {
    on_private_engine(what_goes_away_between_the_rounds_was_never_there, || {
        let lab = Lab::new("observe-gone");
        lab.docker(&format!(
            "network create --label {} --subnet 10.209.102.0/24 observe-gone-n",
            lab.label()
        ));
        for name in ["observe-gone-a", "observe-gone-b"] {
            lab.docker(&format!(
                "create --label {} --label gordon.managed=true --name {name} {IDLE}",
                lab.label()
            ));
        }
        let thief = lab.script(
            "thief",
            "#!/bin/sh
        case $1$2 in
            containerinspect) docker rm observe-gone-a > /dev/null ;;
            networkinspect) docker network rm observe-gone-n > /dev/null ;;
        esac
        exec docker \"$@\"\n",
        );
        let host = read(&lab, &thief, &[]).expect("docker answers");
        assert!(!host.containers.contains_key(&container("observe-gone-a")));
        assert!(host.containers.contains_key(&container("observe-gone-b")));
        assert!(!host.networks.contains_key(&network("observe-gone-n")));
        assert!(host.networks.contains_key(&network("bridge")));
    });
}

#[test]
fn a_question_that_ends_with_what_it_is_about_is_asked_again() {
    on_private_engine(a_question_that_ends_with_what_it_is_about_is_asked_again, || {
        let lab = Lab::new("observe-ended");
        lab.docker(&format!(
            "create --label {} --label gordon.managed=true --name observe-ended-a {IDLE}",
            lab.label()
        ));
        let ended = lab.script(
            "ended",
            "#!/bin/sh
        case $1$2 in containerinspect) mkdir \"$0.once\" 2>/dev/null && exit 137 ;; esac
        exec docker \"$@\"\n",
        );
        let host = read(&lab, &ended, &[]).expect("docker answers the second time");
        assert!(host.containers.contains_key(&container("observe-ended-a")));
    });
}

#[test]
fn an_engine_that_does_not_answer_is_no_empty_host() {
    on_private_engine(an_engine_that_does_not_answer_is_no_empty_host, || {
        let lab = Lab::new("observe-down");
        let down =
            lab.script("down", "#!/bin/sh\nDOCKER_HOST=unix:///nowhere/docker.sock exec docker \"$@\"\n");
        let error = read(&lab, &down, &[IDLE]).expect_err("no engine answers");
        let text = error.to_string();
        assert!(text.contains("down ps: exit status 1: "), "{text}");
        assert!(text.contains("unix:///nowhere/docker.sock"), "{text}");
        assert_eq!(
            error.hint().as_deref(),
            Some(
                "start the docker daemon, or see whether `DOCKER_HOST` and the docker context are the right ones"
            )
        );

        let far = Cli { context: Some("nowhere".to_owned()), ..Cli::default() };
        let docker = Docker::find(far, lab.folder()).expect("docker is there");
        let error = observe(&docker, scope(&[IDLE])).expect_err("there is no such context");
        assert_eq!(error.hint().as_deref(), Some("`docker context ls` shows the contexts there are"));
    });
}
