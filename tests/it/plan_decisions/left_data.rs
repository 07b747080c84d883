//! The data of a container whose successor does not mount its volume.

use super::after;
use super::applied;
use super::change;
use super::desired;
use super::host;
use gordon::docker::Observed;
use gordon::docker::SeenVolume;
use gordon::name::Volume;
use gordon::plan::Options;
use gordon::plan::Plan;
use gordon::plan::diff;
use gordon::plan::rollback;
use std::collections::BTreeSet;

fn plan(text: &str, host: &Observed, leave_data: &[&str]) -> Plan {
    let leave_data = leave_data.iter().map(ToString::to_string).collect();
    diff(&desired(text), host, &Options { leave_data, ..Options::default() }).unwrap()
}

/// The left data of a plan.
fn left(plan: &Plan) -> Vec<String> {
    plan.left_data.iter().map(|left| format!("{}: {}", left.container, left.volume)).collect()
}

/// The expectations of a plan that a host does not meet.
fn refusals<'a>(plan: &'a Plan, host: &Observed) -> Vec<&'a str> {
    let broken = plan.expects.iter().filter(|expect| !expect.any.iter().any(|fact| fact.holds(host)));
    broken.map(|expect| expect.otherwise.as_str()).collect()
}

#[test]
fn a_volume_that_may_be_left_behind_and_is_not_is_noted() {
    let [old, new] = ["db:1", "db:3"].map(|image| format!("name = \"shop\"\nservices.db = \"{image}\"\n"));
    let host = applied(&old, &host());
    let notes = |text: &str, leave_data: &[&str]| {
        let plan = plan(text, &host, leave_data);
        plan.notes
            .iter()
            .map(ToString::to_string)
            .filter(|note| note.contains("--leave-data"))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        notes(&new, &["shop-db-dta"]),
        ["`--leave-data shop-db-dta` has no effect: this plan leaves behind the data of shop-db-data"]
    );
    assert_eq!(notes(&old, &["x"]), ["`--leave-data x` has no effect: this plan leaves no data behind"]);
    assert_eq!(notes(&new, &["shop-db-data"]), [""; 0]);
}

#[test]
fn a_replacement_leaves_data_behind_only_on_request() {
    for (old, new, container, volume) in [
        // the image has moved its VOLUME
        ("services.db = \"db:1\"", "services.db = \"db:3\"", "shop-db", "shop-db-data"),
        (
            "services.db = { image = \"db:1\", volumes = [\"data:/data\"] }",
            "services.db = { image = \"db:1\", volumes = [\"store:/data\"] }",
            "shop-db",
            "shop-data",
        ),
        (
            "apps.web = { image = \"app:1\", volumes = [\"files:/files\"] }",
            "apps.web = { image = \"app:1\" }",
            "shop-web-green",
            "shop-files",
        ),
    ] {
        let [old, new] = [old, new].map(|text| format!("name = \"shop\"\n{text}"));
        let host = applied(&old, &host());
        let refused = plan(&new, &host, &[]);
        assert_eq!(left(&refused), [format!("{container}: {volume}")]);
        assert_eq!(
            refusals(&refused, &host),
            [format!(
                "{container} would leave its data behind, in volume {volume}: let the config mount it, or say `--leave-data {volume}`"
            )]
        );
        let meant = plan(&new, &host, &[volume]);
        assert_eq!((left(&meant), refusals(&meant, &host)), (left(&refused), Vec::new()));
        assert_eq!(meant.steps(), refused.steps());

        let end = after(&meant, meant.steps().len(), &host);
        assert_eq!(refusals(&refused, &end), [""; 0], "it is done already");
        let again = plan(&new, &end, &[]);
        assert!(again.is_empty() && left(&again).is_empty(), "{again}");
        assert!(end.volumes.contains_key(&Volume::parse(volume).unwrap()));
    }
}

#[test]
fn a_rollback_leaves_data_behind_only_on_request() {
    for strategy in ["rolling", "recreate"] {
        let text = |volumes: &str| {
            format!(
                "name = \"shop\"\napps.web = {{ image = \"app:1\", strategy = \"{strategy}\", volumes = [{volumes}] }}"
            )
        };
        let (old, new) = (text("\"both:/both\""), text("\"both:/both\", \"files:/files\""));
        let host = applied(&new, &applied(&old, &host()));
        let back = |leave_data: &[&str]| {
            let leave_data: BTreeSet<_> = leave_data.iter().map(ToString::to_string).collect();
            rollback(&desired(&new), &host, None, &leave_data).unwrap()
        };
        let (refused, meant) = (back(&[]), back(&["shop-files"]));
        assert_eq!(left(&refused), ["shop-web-green: shop-files"], "{strategy}");
        assert!(refusals(&refused, &host)[0].contains("`--leave-data shop-files`"), "{strategy}");
        assert_eq!((left(&meant), refusals(&meant, &host)), (left(&refused), Vec::new()), "{strategy}");
        let end = after(&refused, refused.steps().len(), &host);
        assert_eq!(refusals(&refused, &end), [""; 0], "{strategy}: it is done already");
    }
}

#[test]
fn data_that_the_config_mounts_elsewhere_is_not_left_behind() {
    let old = "services.db = \"db:1\"";
    for new in [
        "services.db = \"db:2\"",
        "services.db = { image = \"db:3\", volumes = [\"db-data:/old\"] }",
        "services.db = { image = \"db:3\", volumes = [\"db-data:/var\"] }",
        "services.db = \"db:3\"\nservices.copy = { image = \"app:1\", volumes = [\"db-data:/from\"] }",
    ] {
        let [old, new] = [old, new].map(|text| format!("name = \"shop\"\n{text}"));
        let host = applied(&old, &host());
        let plan = plan(&new, &host, &[]);
        assert!(!plan.is_empty(), "{new}");
        assert_eq!((left(&plan), refusals(&plan, &host)), (Vec::new(), Vec::new()), "{new}");
    }
}

#[test]
fn an_anonymous_or_removed_volume_blocks_no_plan() {
    let mut host = applied("name = \"shop\"\nservices.db = \"db:1\"", &host());
    let anonymous = Volume::parse("0".repeat(64)).unwrap();
    let gone = Volume::parse("shop-gone").unwrap();
    host.volumes.insert(anonymous.clone(), SeenVolume::default());
    change(&mut host, "shop-db", |seen| {
        seen.volumes.extend([("/tmp".to_owned(), anonymous), ("/gone".to_owned(), gone)]);
    });
    assert_eq!(left(&plan("name = \"shop\"\nservices.db = \"db:2\"", &host, &[])), [""; 0]);
}
