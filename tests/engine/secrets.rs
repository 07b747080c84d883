//! Secrets that containers print, with the values that are hard to hide and hard to read past.

use support::Project;
use support::Run;
use support::own;
use support::run;

const WORD: (&str, &str) = ("MODE", "running");
const KEY: (&str, &str) = ("KEY", "-----BEGIN KEY-----\nMIIfirstline\nMIIsecondline\n-----END KEY-----");
const PREFIX: (&str, &str) = ("A", "hunter2");
const REST: (&str, &str) = ("B", "hunter2-REST");

/// But for its name.
const CONFIG: &str = r#"
deploy = { drain = "0s", stop_timeout = "1s", health_timeout = "2s" }
[apps.web]
image = "web:1"
entrypoint = ["sh", "-c"]
command = ["echo \"$KEY\"; echo url=$PW; exec sleep 100"]
environment = { secret = ["MODE", "KEY", "A", "B", "PW"] }
health = { cmd = "echo health of $PW, pair $A $B; cat /gate/open", interval = "1s" }
volumes = ["./gate:/gate:ro"]
"#;

fn gordon(project: &Project, words: &[&str], secrets: &[(&str, &str)]) -> Run {
    run(project.command(words).envs(secrets.iter().copied()))
}

/// Nothing of the values is in what was shown of a container that failed.
#[track_caller]
fn hides_all(shown: &str) {
    assert!(shown.contains("health of …, pair … …") && shown.contains("url=…"), "{shown}");
    for part in ["MIIfirst", "MIIsecond", "END KEY", "hunter2", "REST", "pass", "word"] {
        assert!(!shown.contains(part), "{part} is in {shown}");
    }
}

#[test]
fn what_a_failed_container_printed_is_shown_without_its_secrets_old_ones_too() {
    let project = Project::new(
        own("secrets"),
        &[("gordon.toml", &format!("name = \"{}\"\n{CONFIG}", own("secrets"))), ("gate/open", "")],
    );
    for release in ["pass&word<1>\"x", "pass&word<2>\"x"] {
        gordon(&project, &["apply", "--yes"], &[WORD, KEY, PREFIX, REST, ("PW", release)]).success();
    }
    std::fs::remove_file(project.folder().join("gate/open")).expect("it is there");
    // of the release before nothing is known but what its container was made with
    hides_all(&gordon(&project, &["rollback", "--yes"], &[]).ended(1).stderr);
    let secrets = [WORD, KEY, PREFIX, REST, ("PW", "pass&word<3>\"x")];
    hides_all(&gordon(&project, &["apply", "--yes", "--json"], &secrets).ended(1).stdout);
}
