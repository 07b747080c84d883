//! The README: what it shows is what gordon does. `UPDATE_PLANS=1 cargo test --test it readme` writes its plan anew.
#![expect(clippy::disallowed_methods, reason = "it reads and writes the README")]

use assert_cmd::Command;
use gordon::config;
use gordon::config::Colour;
use gordon::config::Config;
use gordon::config::Source;
use gordon::desired;
use gordon::desired::Inputs;
use std::fs;

const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");

/// What `gordon images` writes for the config that the README begins with.
const IMAGES: &str = r#"{
  "version": 1,
  "images": {
    "redis:7-alpine": { "volumes": ["/data"], "ports": ["6379/tcp"], "healthcheck": false },
    "wordpress:latest": { "volumes": [], "ports": ["80/tcp"], "healthcheck": false }
  }
}"#;

/// The command whose output the README shows.
const COMMAND: &str = "$ gordon plan --offline --images images.json\n";

fn readme() -> String {
    fs::read_to_string(PATH).expect("there is a README")
}

/// The code blocks of a text in this language.
fn blocks<'t>(text: &'t str, language: &str) -> Vec<&'t str> {
    let fence = format!("\n```{language}\n");
    text.split(&fence).skip(1).map(|rest| &rest[..=rest.find("\n```").expect("a block ends")]).collect()
}

/// The config in `text`, which has no errors, and none in the names that it gives.
fn config(path: &str, text: &str) -> Config {
    let loaded = config::load(&Source { path, text });
    let mut problems = loaded.problems;
    let config = loaded.config.unwrap_or_default();
    problems.extend(desired::resolve(&config, &Inputs::default()).1);
    assert!(!config::has_errors(&problems), "{}", config::render(&problems, path, text, Colour::No));
    config
}

/// What `gordon` prints, called with these words in a folder that holds the first config.
fn gordon(words: &[&str]) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let first = blocks(&readme(), "toml")[0].to_owned();
    fs::write(folder.path().join("gordon.toml"), first).expect("a config");
    fs::write(folder.path().join("images.json"), IMAGES).expect("what images declare");
    let output = Command::cargo_bin("gordon")
        .expect("gordon is built")
        .current_dir(folder.path())
        .env("PATH", "")
        .args(words)
        .output()
        .expect("it runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("it prints text")
}

#[test]
fn every_config_in_it_is_right() {
    let text = readme();
    let (toml, yaml) = (blocks(&text, "toml"), blocks(&text, "yaml"));
    assert!(toml.len() >= 2 && !yaml.is_empty());
    for block in toml {
        config("gordon.toml", block);
    }
    for block in yaml {
        config("gordon.yaml", block);
    }
}

#[test]
fn the_settings_that_it_shows_are_the_defaults() {
    let text = readme();
    let shown = config("gordon.toml", blocks(&text, "toml")[1]);
    let mut default = Config { name: shown.name.clone(), ..Config::default() };
    assert_eq!(shown.network_prefix(), default.network_prefix());
    assert_eq!(shown.volume_prefix(), default.volume_prefix());
    default.isolation.network_prefix.clone_from(&shown.isolation.network_prefix);
    default.volumes.prefix.clone_from(&shown.volumes.prefix);
    assert_eq!(shown.isolation, default.isolation);
    assert_eq!(shown.env, default.env);
    assert_eq!(shown.volumes, default.volumes);
    assert_eq!(shown.deploy, default.deploy);
    assert_eq!(shown.proxy, default.proxy);
}

#[test]
fn the_plan_in_it_is_what_gordon_prints() {
    let text = readme();
    let begin = text.find(COMMAND).expect("it shows a plan") + COMMAND.len();
    let end = begin + text[begin..].find("```").expect("a block ends");
    let printed = gordon(&["plan", "--offline", "--images", "images.json"]);
    if std::env::var_os("UPDATE_PLANS").is_some() {
        fs::write(PATH, format!("{}{printed}{}", &text[..begin], &text[end..])).expect("it is writable");
    } else {
        assert!(text[begin..end] == printed, "UPDATE_PLANS=1 writes it anew:\n{printed}");
    }
}

#[test]
fn every_command_and_every_option_stands_in_it() {
    let text = readme();
    let help = gordon(&["--help"]);
    let (_, rest) = help.split_once("Commands:\n").expect("there are commands");
    let (commands, _) = rest.split_once("\n\n").expect("a paragraph ends");
    // what a description goes on with stands further right
    let names =
        commands.lines().filter_map(|line| line.strip_prefix("  ")).filter(|line| !line.starts_with(' '));
    for name in names.filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help") {
        assert!(text.contains(&format!("`gordon {name}")), "`gordon {name}`");
        let help = gordon(&[name, "--help"]);
        for option in
            help.split([' ', '\n', ':', ',', '`']).filter(|word| word.starts_with("--") && *word != "--help")
        {
            assert!(text.contains(option), "`{option}` of `gordon {name}`");
        }
    }
}
