//! The plans of `plans/`: each scenario, planned for an empty host, gives exactly the `plan.txt` and
//! `plan.sh` beside it. `UPDATE_PLANS=1 cargo test --test it golden` rewrites them.
#![expect(clippy::disallowed_methods, reason = "it reads and writes the scenarios")]

use assert_cmd::Command;
use std::fs;
use std::path::Path;
use std::path::PathBuf;

fn scenarios() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("plans");
    let entries = fs::read_dir(folder).expect("the scenarios");
    let mut folders: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    folders.retain(|path| path.is_dir());
    folders.sort();
    folders
}

/// The output of `gordon plan` for a scenario, without docker on the path.
fn plan(folder: &Path, format: &str) -> String {
    let output = Command::cargo_bin("gordon")
        .expect("gordon is built")
        .current_dir(folder)
        .env("PATH", "")
        .args(["plan", "--offline", "--images", "images.json", "--format", format])
        .output()
        .expect("it runs");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {stderr}", folder.display());
    String::from_utf8(output.stdout).expect("a plan is text")
}

#[test]
fn every_scenario_compiles_to_the_plan_beside_it() {
    let writes = std::env::var_os("UPDATE_PLANS").is_some();
    let scenarios = scenarios();
    assert!(scenarios.len() >= 13, "{scenarios:?}");
    for folder in scenarios {
        for (format, file) in [("text", "plan.txt"), ("sh", "plan.sh")] {
            let path = folder.join(file);
            let compiled = plan(&folder, format);
            if writes {
                fs::write(&path, &compiled).expect("a scenario is writable");
            }
            let golden = fs::read_to_string(&path).unwrap_or_default();
            assert!(
                golden == compiled,
                "{} differs; UPDATE_PLANS=1 writes it anew:\n{compiled}",
                path.display()
            );
        }
    }
}

#[test]
fn the_same_inputs_give_the_same_bytes() {
    for folder in scenarios() {
        assert_eq!(plan(&folder, "json"), plan(&folder, "json"));
    }
}

#[test]
fn the_plan_of_a_small_project_is_short() {
    let blog = Path::new(env!("CARGO_MANIFEST_DIR")).join("plans/blog/plan.txt");
    let lines = fs::read_to_string(blog).expect("a plan").lines().count();
    assert!(lines <= 90, "{lines} lines");
}
