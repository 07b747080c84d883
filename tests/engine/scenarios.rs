//! The script of a plan does what applying it does, and neither does anything twice.

use support::Project;
use support::own;
use support::run;

/// Applied and, on the same host made empty again, done by the script of the same plan: the same containers, networks,
/// aliases, labels and mounts. A second run of either changes nothing.
#[track_caller]
fn check(scenario: &str, name: &str) {
    let project = Project::of_scenario(scenario, name);
    let mut script = project.script(&[]);
    project.apply();
    let applied = project.state();
    project.is_settled();
    let ids = project.ids();
    run(&mut script).success();
    assert_eq!(project.ids(), ids, "the script changes nothing of what was applied");

    project.remove();
    run(&mut script).success();
    assert_eq!(project.state(), applied, "the script makes what was applied");
    let ids = project.ids();
    run(&mut script).success();
    assert_eq!(project.ids(), ids, "the script changes nothing the second time");
    project.is_settled();
    assert_eq!(project.ids(), ids, "there is nothing left to apply");
}

#[test]
fn two_apps_with_services_of_their_own() {
    check("basic", own("basic"));
}

#[test]
fn a_group_and_a_database_of_a_member() {
    check("microservices", own("micro"));
}

#[test]
fn three_replicas_with_secrets_and_named_volumes() {
    check("replicas", own("replicas"));
}

#[test]
fn everything_that_can_be_said_of_a_container() {
    check("long-form", own("long"));
}

#[test]
fn members_of_a_group_with_networks_of_their_own() {
    check("private-attachments", own("private"));
}

#[test]
fn apps_on_the_default_network() {
    check("migration", own("migration"));
}

#[test]
fn an_offline_script_makes_what_is_applied() {
    let project = Project::of_scenario("blog", own("offline"));
    let images = project.gordon(&["images"]).success().stdout;
    project.write("images.json", &images);
    let mut script = project.script(&["--offline", "--images", "images.json"]);
    run(&mut script).success();
    let ids = project.ids();
    assert_eq!(ids.len(), 3);
    project.is_settled();
    assert_eq!(project.ids(), ids, "there is nothing left to apply");
}

#[test]
fn an_offline_script_that_does_not_know_what_an_image_declares_makes_no_container_of_it() {
    let project = Project::of_scenario("blog", own("unknown"));
    let mut script = project.script(&["--offline"]);
    let run = run(&mut script).ended(1);
    assert!(run.stderr.contains("VOLUME"), "{}", run.stderr);
    assert!(project.ids().is_empty(), "{:?}", project.ids());
}

#[test]
fn down_removes_all_but_the_volumes_and_then_those_too() {
    let project = Project::of_scenario("persistent-database", own("down"));
    project.apply();
    let volumes = project.list("volume");
    assert_eq!(volumes.len(), 2);
    project.gordon(&["down", "--yes"]).success();
    assert!(project.ids().is_empty() && project.list("network").is_empty());
    assert_eq!(project.list("volume"), volumes);
    project.gordon(&["down", "--yes", "--volumes"]).success();
    assert!(project.list("volume").is_empty());
}
