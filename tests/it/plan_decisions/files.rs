//! Files that containers mount: a change of one is a change of the container, and what an older gordon did not know is none.

use super::after;
use super::container;
use super::host;
use super::image;
use gordon::config;
use gordon::desired::Desired;
use gordon::desired::Inputs;
use gordon::desired::resolve;
use gordon::docker::Observed;
use gordon::docker::Op;
use gordon::plan::Note;
use gordon::plan::Options;
use gordon::plan::Plan;
use gordon::plan::diff;
use gordon::spec::Content;

const CONFIG: &str = "name = \"shop\"\nproxy.enabled = false\n\
    [apps]\nweb = { image = \"app:1\", replicas = 2, volumes = [\"./conf:/etc/web:ro\", \"data:/data\"] }\n\
    [services]\ndb = { image = \"db:1\", volumes = [\"./my.cnf:/etc/my.cnf:ro\"] }\n";

fn folder(files: &[(&str, &str)]) -> Content {
    Content::Folder(files.iter().map(|(path, word)| ((*path).to_owned(), (*word).to_owned())).collect())
}

fn desired(text: &str, files: &[(&str, Content)]) -> Desired {
    let config = config::load(&config::Source { path: "gordon.toml", text }).config.unwrap();
    let files = files.iter().map(|(path, content)| ((*path).to_owned(), content.clone())).collect();
    let images = ["app:1", "app:2", "db:1"].map(|name| {
        let image = image(name);
        let facts = host().images.here[&image].facts.clone();
        (image, facts)
    });
    let (desired, problems) = resolve(&config, &Inputs { files, images: images.into(), ..Inputs::default() });
    assert!(!config::has_errors(&problems), "{problems:?}");
    desired
}

fn usual() -> Vec<(&'static str, Content)> {
    vec![("conf", folder(&[("a.conf", "1"), ("b.conf", "1")])), ("my.cnf", Content::File("1".to_owned()))]
}

fn plan(text: &str, files: &[(&str, Content)], host: &Observed) -> Plan {
    diff(&desired(text, files), host, &Options::default()).unwrap()
}

fn done(plan: &Plan, host: &Observed) -> Observed {
    after(plan, plan.steps().len(), host)
}

#[test]
fn each_change_of_a_file_that_is_mounted_is_the_reason() {
    let host = done(&plan(CONFIG, &usual(), &host()), &host());
    assert!(plan(CONFIG, &usual(), &host).is_empty());
    let many = |changed: usize| {
        let files: Vec<(String, String)> =
            (0..30).map(|n| (format!("{n:02}"), usize::from(n == changed).to_string())).collect();
        Content::Folder(files)
    };
    for (path, content, reason) in [
        ("conf", folder(&[("a.conf", "1"), ("b.conf", "2")]), "conf/b.conf changed"),
        ("conf", folder(&[("a.conf", "2"), ("b.conf", "2")]), "conf/a.conf, conf/b.conf changed"),
        ("conf", folder(&[("a.conf", "1"), ("b.conf", "1"), ("c/d", "1")]), "conf/c/d changed"),
        ("conf", folder(&[("b.conf", "1")]), "conf changed"),
        ("conf", Content::Missing, "conf changed"),
        ("conf", many(0), "conf changed"),
        ("my.cnf", Content::File("2".to_owned()), "my.cnf changed"),
        ("my.cnf", Content::Missing, "my.cnf changed"),
    ] {
        let mut files = usual();
        files.retain(|(known, _)| *known != path);
        files.push((path, content));
        let plan = plan(CONFIG, &files, &host);
        assert!(reasons(&plan).contains(&reason.to_owned()), "{reason}: {:?}", reasons(&plan));
        let others = if path == "conf" { "shop-db" } else { "shop-web" };
        assert!(!plan.steps().iter().any(|step| step.op.to_string().contains(others)), "{plan}");
        let host = done(&plan, &host);
        assert!(self::plan(CONFIG, &files, &host).is_empty(), "{reason}");
    }
    let large = |changed| [("conf", many(changed)), usual().remove(1)];
    let host = done(&plan(CONFIG, &large(0), &host), &host);
    assert!(reasons(&plan(CONFIG, &large(7), &host)).contains(&"conf changed".to_owned()));
}

#[test]
fn what_a_container_was_made_with_before_gordon_watched_files_is_not_known_and_no_reason() {
    let old = done(&plan(CONFIG, &[], &host()), &host());
    let unknown = |plan: &Plan| {
        let names = plan.notes.iter().find_map(|note| match note {
            Note::FilesUnknown(names) => Some(names.iter().map(ToString::to_string).collect::<Vec<_>>()),
            _ => None,
        });
        names.unwrap_or_default()
    };
    let seen = plan(CONFIG, &usual(), &old);
    assert!(seen.is_empty(), "{seen}");
    assert_eq!(unknown(&seen), ["shop-db", "shop-web-green", "shop-web-green-2"]);
    // files that are no longer watched, or have become too many, are no reason either
    let new = done(&plan(CONFIG, &usual(), &host()), &host());
    let large = [("conf", Content::TooMuch("500 files")), usual().remove(1)];
    let seen = plan(CONFIG, &large, &new);
    assert!(seen.is_empty() && unknown(&seen).is_empty(), "{seen}");
    let note = "changes of files in these are not seen: ./conf (more than 500 files)";
    assert!(seen.notes.iter().any(|seen| seen.to_string() == note), "{:?}", seen.notes);

    // a change that replaces them tells nothing of the files, and makes them known
    let text = CONFIG.replace("app:1", "app:2");
    let changed = plan(&text, &usual(), &old);
    assert!(reasons(&changed).contains(&"image changed".to_owned()), "{:?}", reasons(&changed));
    assert!(!reasons(&changed).iter().any(|reason| reason.contains("conf")), "{:?}", reasons(&changed));
    assert_eq!(unknown(&changed), ["shop-db"]);
    let host = done(&changed, &old);
    assert!(plan(&text, &usual(), &host).is_empty());
    let files = [("conf", folder(&[("a.conf", "2")])), usual().remove(1)];
    assert!(reasons(&plan(&text, &files, &host)).contains(&"conf/a.conf changed".to_owned()));
    // so does being asked to
    let options = Options { recreate: ["shop-db".to_owned()].into(), ..Options::default() };
    let asked = diff(&desired(CONFIG, &usual()), &old, &options).unwrap();
    let host = done(&asked, &old);
    let files = [usual().remove(0), ("my.cnf", Content::File("2".to_owned()))];
    assert_eq!(unknown(&plan(CONFIG, &files, &host)), ["shop-web-green", "shop-web-green-2"]);
    assert!(reasons(&plan(CONFIG, &files, &host)).contains(&"my.cnf changed".to_owned()));
}

/// A script that was made for an empty host leaves out what an older gordon made.
#[test]
fn what_an_older_gordon_made_is_as_wanted() {
    let old = done(&plan(CONFIG, &[], &host()), &host());
    let options = Options { offline: true, ..Options::default() };
    let script = diff(&desired(CONFIG, &usual()), &Observed::default(), &options).unwrap();
    let makes = script.steps().iter().filter(|step| matches!(step.op, Op::Run(_) | Op::Create(_)));
    for step in makes {
        assert!(step.unless.iter().any(|fact| fact.holds(&old)), "{}", step.op);
        let other = [("conf", folder(&[("a.conf", "9")])), ("my.cnf", Content::File("9".to_owned()))];
        let new = done(&plan(CONFIG, &other, &host()), &host());
        assert!(!step.unless.iter().any(|fact| fact.holds(&new)), "{}", step.op);
    }
}

/// Whatever step an older gordon was cut off after, this one comes to the same end.
#[test]
fn a_run_of_an_older_gordon_that_was_cut_off_goes_on() {
    let old = done(&plan(CONFIG, &[], &host()), &host());
    let text = CONFIG.replace("app:1", "app:2").replace("\"db:1\"", "\"db:1\", init = true");
    for begun in [&host(), &old] {
        let whole = plan(&text, &[], begun);
        for count in 0..=whole.steps().len() {
            let host = after(&whole, count, begun);
            let rest = plan(&text, &usual(), &host);
            let end = done(&rest, &host);
            let settled = plan(&text, &usual(), &end);
            assert!(settled.is_empty(), "after {count}:\n{rest}\nthen:\n{settled}");
            for name in ["shop-web-green", "shop-web-green-2", "shop-db"] {
                assert!(end.containers[&container(name)].state.is_up(), "{name} after {count}");
            }
        }
    }
}

#[test]
fn writable_mounts_and_those_that_say_so_are_not_watched() {
    let of = |mount: &str| {
        let text = format!("name = \"shop\"\nservices.x = {{ image = \"app:1\", volumes = [{mount}] }}\n");
        desired(&text, &[("conf", folder(&[("a", "1")]))])
    };
    let watched = |desired: &Desired| desired.workloads[0].watched_files().count();
    let unwatched = "{ name = \"./conf\", target = \"/c\", read_only = true, watch = false }";
    for (mount, count) in [
        ("\"./conf:/c\"", 0),
        ("\"./conf:/c:ro\"", 1),
        ("\"./conf:/c:ro,z\"", 1),
        ("{ name = \"./conf\", target = \"/c\", read_only = true }", 1),
        (unwatched, 0),
        ("\"conf:/c:ro\"", 0),
    ] {
        assert_eq!(watched(&of(mount)), count, "{mount}");
    }
    let notes: Vec<String> = of(unwatched).notes.iter().map(ToString::to_string).collect();
    assert!(
        notes.contains(&"changes of files in these are not seen: ./conf (`watch = false`)".to_owned()),
        "{notes:?}"
    );
}

/// The reasons of a plan's steps.
fn reasons(plan: &Plan) -> Vec<String> {
    plan.steps().iter().map(|step| step.reason.to_string()).collect()
}
