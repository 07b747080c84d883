//! Data that gordon did not make: external volumes, and data of other containers beside an empty volume.

use super::add_container;
use super::applied;
use super::change;
use super::container;
use super::desired;
use super::host;
use super::image;
use super::project;
use gordon::docker::Fact;
use gordon::docker::HeldIn;
use gordon::docker::Holding;
use gordon::docker::Observed;
use gordon::docker::Op;
use gordon::docker::SeenVolume;
use gordon::name::Alias;
use gordon::name::Volume;
use gordon::plan::Conflict;
use gordon::plan::Note;
use gordon::plan::Options;
use gordon::plan::Volumes;
use gordon::plan::diff;
use gordon::plan::down;
use std::time::Duration;

const EXTERNAL: &str = "name = \"shop\"\nservices.db = { image = \"db:1\", volumes = [{ external = \"pgdata\", target = \"/data\" }] }\n";

fn volume(name: &str) -> Volume {
    Volume::parse(name).unwrap()
}

fn with_volume(owner: Option<&str>) -> Observed {
    let mut host = host();
    let seen = SeenVolume { project: project(owner), managed: owner.is_some(), ..SeenVolume::default() };
    host.volumes.insert(volume("pgdata"), seen);
    host
}

#[test]
fn an_external_volume_is_used_as_it_is_and_never_removed() {
    for owner in [None, Some("other"), Some("shop")] {
        let host = with_volume(owner);
        let plan = diff(&desired(EXTERNAL), &host, &Options::default()).unwrap();
        assert!(!plan.steps().iter().any(|step| matches!(step.op, Op::CreateVolume { .. })), "{plan}");
        assert!(plan.expects.iter().any(|expect| expect.any == [Fact::Volume(volume("pgdata"))]));
        let notes = plan.notes.iter().filter(|note| !matches!(note, Note::Config(_) | Note::EndlessLogs(_)));
        assert_eq!(notes.count(), 0, "{plan}");

        let host = applied(EXTERNAL, &host);
        assert_eq!(host.containers[&container("shop-db")].volumes["/data"], volume("pgdata"));
        let shop = project(Some("shop")).unwrap();
        let external = desired(EXTERNAL).external;
        let gone = down(&shop, Duration::ZERO, &host, Volumes::Remove, &external);
        assert!(!gone.steps().iter().any(|step| matches!(step.op, Op::RemoveVolume { .. })), "{gone}");
    }
}

#[test]
fn an_external_volume_that_is_not_there_is_a_conflict() {
    let conflicts = diff(&desired(EXTERNAL), &host(), &Options::default()).unwrap_err();
    assert!(
        matches!(&conflicts[..], [Conflict::NoVolume(name)] if *name == volume("pgdata")),
        "{conflicts:?}"
    );
    let (text, hint) = (conflicts[0].to_string(), conflicts[0].hint());
    assert_eq!(text, "volume `pgdata` is not on this host, and the config has it as `external`");
    assert!(hint.contains("docker volume create pgdata"), "{hint}");
    // of a host that is not known the script asks
    let plan =
        diff(&desired(EXTERNAL), &Observed::default(), &Options { offline: true, ..Options::default() });
    assert!(plan.unwrap().expects.iter().any(|expect| expect.any == [Fact::Volume(volume("pgdata"))]));
}

#[test]
fn a_table_of_a_mount_means_what_its_short_form_means() {
    let long = "name = \"shop\"\nservices.db = { image = \"db:1\", volumes = [{ name = \"d\", target = \"/data/\", read_only = true }] }";
    let short = "name = \"shop\"\nservices.db = { image = \"db:1\", volumes = [\"d:/data:ro\"] }";
    assert_eq!(desired(long).workloads, desired(short).workloads);
    let plan = diff(&desired(long), &applied(short, &host()), &Options::default()).unwrap();
    assert!(plan.is_empty(), "{plan}");
}

fn holding(name: &str, made_of: &str, alias: &str, path: &str, place: HeldIn) -> Holding {
    Holding {
        container: container(name),
        image: Some(image(made_of)),
        aliases: [Alias::parse(alias).unwrap()].into(),
        is_up: true,
        path: path.to_owned(),
        place,
    }
}

#[test]
fn an_empty_volume_beside_data_that_another_container_has_is_noted_with_the_line_to_write() {
    const CONFIG: &str = "name = \"shop\"\nservices.db = \"db:1\"\nservices.cache = \"app:1\"\n";
    let in_volume = || HeldIn::Volume(volume("pgdata"));
    let notes = |host: &Observed, config: &str| {
        let plan = diff(&desired(config), host, &Options::default()).unwrap();
        let notes = plan
            .notes
            .iter()
            .filter(|note| matches!(note, Note::DataElsewhere { .. } | Note::VolumeInUse { .. }));
        notes.map(ToString::to_string).collect::<Vec<_>>()
    };
    let line = "and shop-db gets an empty volume there: to go on with those data, stop old and write \
                `volumes = [{ external = \"pgdata\", target = \"/data\" }]`";
    for (held, expected) in [
        (holding("old", "hub.example/db:9", "x", "/data", in_volume()), Some(format!("hub.example/db:9 of container old keeps /data in volume pgdata, {line}"))),
        (holding("old", "mine:1", "DB", "/data", in_volume()), None),
        (holding("old", "mine:1", "db", "/data", in_volume()), Some(format!("mine:1 of container old keeps /data in volume pgdata, {line}"))),
        (holding("old", "mine:1", "x", "/data", in_volume()), None),
        (holding("old", "db:1", "db", "/other", in_volume()), None),
        (
            holding("old", "db:1", "db", "/data", HeldIn::Host("/srv/db".to_owned())),
            Some("db:1 of container old keeps /data in /srv/db of this host, and shop-db gets an empty volume there: to go on \
                  with those data, stop old and write `volumes = [\"/srv/db:/data\"]`".to_owned()),
        ),
    ] {
        let host = Observed { holdings: vec![held.clone()], ..host() };
        assert_eq!(notes(&host, CONFIG), Vec::from_iter(expected), "{held:?}");
        // nothing is made any more
        let host = Observed { holdings: vec![held], ..applied(CONFIG, &host) };
        assert_eq!(notes(&host, CONFIG), [""; 0]);
    }
    // a container of the project that the config has no more
    let host = applied("name = \"shop\"\nservices.store = \"db:1\"\n", &host());
    let mut host = Observed { holdings: Vec::new(), ..host };
    change(&mut host, "shop-store", |seen| seen.past.image = Some(image("db:1")));
    let kept = "name = \"shop\"\nservices.db = \"db:1\"\nservices.store = \"db:1\"\n";
    assert_eq!(notes(&host, kept), [""; 0], "two databases of a project are two");
    let options = Options { replace: true, ..Options::default() };
    let plan = diff(&desired(CONFIG), &host, &options).unwrap();
    let text: Vec<String> = plan.notes.iter().map(ToString::to_string).collect();
    let line = "db:1 of container shop-store keeps /data in volume shop-store-data, and shop-db gets an empty volume there: to go \
                on with those data, write `volumes = [{ external = \"shop-store-data\", target = \"/data\" }]`";
    assert!(text.iter().any(|note| note == line), "{text:?}");

    let mut host =
        Observed { holdings: vec![holding("old", "db:1", "db", "/data", in_volume())], ..with_volume(None) };
    assert_eq!(
        notes(&host, EXTERNAL),
        [
            "container old runs on volume pgdata, which shop-db is to mount: two databases on one volume destroy it; \
          `docker stop old` ends the other"
        ]
    );
    host.holdings[0].is_up = false;
    assert_eq!(notes(&host, EXTERNAL), [""; 0]);
    // the container of another project
    add_container(&mut host, "other-db", Some("other"));
    change(&mut host, "other-db", |seen| drop(seen.volumes.insert("/x".to_owned(), volume("pgdata"))));
    assert_eq!(notes(&host, EXTERNAL).len(), 1);
}
