//! Texts in, configs and problems out, in both syntaxes.

mod env_files;
mod problems;
mod syntaxes;
mod upstream;

use super::*;

fn load_text(path: &str, text: &str) -> Loaded {
    load(&Source { path, text })
}

/// The problems of a text, drawn; each says what to do.
fn drawn(path: &str, text: &str) -> String {
    let Loaded { problems, .. } = load_text(path, text);
    for problem in &problems {
        assert!(problem.hints.iter().any(|hint| !hint.is_empty()), "a hint for `{}`", problem.message);
        let first = problem.message.chars().next().expect("a message");
        assert!(!first.is_uppercase() && !problem.message.ends_with('.'), "`{}`", problem.message);
    }
    render(&problems, path, text, Colour::No)
}

fn messages(path: &str, text: &str) -> Vec<String> {
    let mut messages: Vec<_> =
        load_text(path, text).problems.into_iter().map(|problem| problem.message).collect();
    messages.sort();
    messages
}

fn snapshot(name: &str, text: &str) {
    insta::with_settings!({ snapshot_path => "../../../tests/snapshots", prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!(format!("config_{name}"), text);
    });
}

/// The problems of one config in both syntaxes: the same, each drawn at its place.
fn check(name: &str, toml: &str, yaml: &str) {
    assert_eq!(
        messages("gordon.toml", toml),
        messages("gordon.yaml", yaml),
        "both syntaxes have the same problems"
    );
    snapshot(name, &format!("{}{}", drawn("gordon.toml", toml), drawn("gordon.yaml", yaml)));
}

/// The config of a text that has warnings at most.
fn config(path: &str, text: &str) -> Config {
    let Loaded { config, problems, .. } = load_text(path, text);
    assert!(!has_errors(&problems), "{}", render(&problems, path, text, Colour::No));
    config.expect("a config")
}
