//! The README and `docs`: they show what gordon does. `UPDATE_PLANS=1 cargo test --test it readme` rewrites
//! their outputs.
//!
//! The blocks of a document run in order, in one folder, on an empty host that has pulled every image:
//!
//! - `toml`, `yaml`: becomes the config of the folder. It has to be valid.
//! - `console`: lines with `$` are run; the other lines are their output.
//! - `sh`: is run. `sh not-run`: needs an engine, a network or a person. Its gordon commands and files have
//!   to exist.
//! - `text`: is not checked.
#![expect(clippy::disallowed_methods, reason = "it reads and writes documents, and runs what they show")]

use gordon::config;
use gordon::config::Colour;
use gordon::config::Config;
use gordon::config::Source;
use gordon::desired;
use gordon::desired::Inputs;
use gordon::spec::Form;
use gordon::spec::SETTINGS;
use gordon::spec::Setting;
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// Answers like an engine that has every image, and nothing else.
const DOCKER: &str = r#"#!/bin/sh
case $* in
'image inspect'*)
	for image; do
		volumes=null
		case $image in
		image | inspect | --format | \[*) continue ;;
		caddy:*) port=80 volumes='{"/config":{},"/data":{}}' ;;
		mariadb:*) port=3306 volumes='{"/var/lib/mysql":{}}' ;;
		redis:*) port=6379 volumes='{"/data":{}}' ;;
		wordpress:*) port=80 volumes='{"/var/www/html":{}}' ;;
		*) port=3000 ;;
		esac
		id=$(printf %s "$image" | cksum)
		printf '["sha256:%064d",["%s"],[],{"Volumes":%s,"ExposedPorts":{"%s/tcp":{}}}]\n' "${id% *}" "$image" "$volumes" "$port"
	done
	;;
'ps '* | 'network ls'* | 'volume ls'* | 'network inspect'* | 'image ls'*) ;;
'info '*LoggingDriver*) echo json-file ;;
*) echo 0123456789ab ;;
esac
"#;

/// A document of the project, by its path.
struct Document {
    path: String,
    text: String,
}

/// The text between two fences.
struct Block<'t> {
    /// The word after the first fence.
    kind: &'t str,
    text: &'t str,
    /// The start of the text in the document.
    begin: usize,
}

impl Document {
    fn read(path: &str) -> Self {
        let text = fs::read_to_string(Path::new(ROOT).join(path)).expect("a document");
        Self { path: path.to_owned(), text }
    }

    fn blocks(&self) -> Vec<Block<'_>> {
        let mut blocks = Vec::new();
        let mut at = 0;
        while let Some(fence) = self.text[at..].find("\n```") {
            let kind = at + fence + "\n```".len();
            let begin = kind + self.text[kind..].find('\n').expect("a fence is a line") + 1;
            // the last fence of an empty block follows immediately
            let end = begin + self.text[begin - 1..].find("\n```").expect("a block ends");
            blocks.push(Block { kind: &self.text[kind..begin - 1], text: &self.text[begin..end], begin });
            at = end + "```".len();
        }
        blocks
    }

    fn configs(&self) -> impl Iterator<Item = Block<'_>> {
        self.blocks().into_iter().filter(|block| ["toml", "yaml"].contains(&block.kind))
    }

    /// The text outside of the blocks.
    fn prose(&self) -> String {
        self.text.split("\n```").step_by(2).collect()
    }

    /// The link targets of its headings.
    fn anchors(&self) -> BTreeSet<String> {
        let prose = self.prose();
        let headings = prose.lines().filter(|line| line.starts_with('#'));
        let anchor = |heading: &str| {
            let text = heading.trim_start_matches('#').trim().to_lowercase();
            let kept = text.chars().filter(|c| c.is_alphanumeric() || [' ', '-', '_'].contains(c));
            kept.map(|c| if c == ' ' { '-' } else { c }).collect()
        };
        headings.map(anchor).collect()
    }

    /// The folder that its links are relative to.
    fn folder(&self) -> &Path {
        Path::new(&self.path).parent().expect("a file has a folder")
    }

    /// The document with the current output of its commands.
    fn rerun(&self) -> String {
        let scene = Scene::new();
        let mut text = String::new();
        let mut copied = 0;
        for block in self.blocks() {
            match block.kind {
                "toml" | "yaml" => scene.configure(block.kind, block.text),
                "sh" => drop(scene.run(block.text)),
                "console" => {
                    text += &self.text[copied..block.begin];
                    for command in block.text.lines().filter_map(|line| line.strip_prefix("$ ")) {
                        text += &format!("$ {command}\n{}", scene.run(command));
                    }
                    copied = block.begin + block.text.len();
                }
                "sh not-run" | "text" => {}
                kind => panic!("{}: a block `{kind}`", self.path),
            }
        }
        text + &self.text[copied..]
    }
}

/// The README and all files of `docs`.
fn documents() -> Vec<Document> {
    let entries = fs::read_dir(Path::new(ROOT).join("docs")).expect("a folder");
    let names = entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("a name"));
    let mut paths: Vec<_> = names.map(|name| format!("docs/{name}")).collect();
    paths.push("README.md".to_owned());
    paths.sort();
    paths.iter().map(|path| Document::read(path)).collect()
}

/// The folder in which a document's blocks are run.
struct Scene(TempDir);

impl Scene {
    fn new() -> Self {
        let scene = Self(tempfile::tempdir().expect("a folder"));
        let bin = scene.0.path().join("bin");
        fs::create_dir_all(scene.0.path().join("project")).expect("a folder");
        fs::create_dir(&bin).expect("a folder");
        fs::write(bin.join("docker"), DOCKER).expect("a file");
        fs::set_permissions(bin.join("docker"), fs::Permissions::from_mode(0o755)).expect("its own file");
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_gordon"), bin.join("gordon")).expect("a link");
        scene
    }

    fn configure(&self, ending: &str, text: &str) {
        let path = |ending: &str| self.0.path().join(format!("project/gordon.{ending}"));
        // the previous config may have had the other ending
        for before in ["toml", "yaml"].map(path) {
            fs::remove_file(before).ok();
        }
        fs::write(path(ending), text).expect("a file");
    }

    /// The output of a shell command, which has to succeed.
    fn run(&self, command: &str) -> String {
        let output = Command::new("/bin/sh")
            .args(["-euc", command])
            .current_dir(self.0.path().join("project"))
            .env_clear()
            .env("PATH", format!("{}:/usr/bin:/bin", self.0.path().join("bin").display()))
            // a remote engine: the routes of this machine do not matter to it
            .env("DOCKER_HOST", "tcp://engine.test:2375")
            .output()
            .expect("there is a shell");
        assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("it prints text")
    }
}

/// The config in `text`, which has to be valid.
fn config(path: &str, text: &str) -> Config {
    let loaded = config::load(&Source { path, text });
    let mut problems = loaded.problems;
    let config = loaded.config.unwrap_or_default();
    problems.extend(desired::resolve(&config, &Inputs::default()).1);
    assert!(!config::has_errors(&problems), "{}", config::render(&problems, path, text, Colour::No));
    config
}

/// The `--help` text of a command, or of gordon.
fn help(command: &str) -> String {
    Scene::new().run(&format!("gordon {command} --help"))
}

/// The commands of gordon.
fn commands() -> BTreeSet<String> {
    let help = help("");
    let (_, rest) = help.split_once("Commands:\n").expect("there are commands");
    let (commands, _) = rest.split_once("\n\n").expect("a paragraph ends");
    // further lines of a description are indented more
    let lines =
        commands.lines().filter_map(|line| line.strip_prefix("  ")).filter(|line| !line.starts_with(' '));
    let names = lines.filter_map(|line| line.split_whitespace().next());
    names.filter(|name| *name != "help").map(str::to_owned).collect()
}

/// The options that a text names.
fn options(text: &str) -> BTreeSet<&str> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-');
    words.filter(|word| word.strip_prefix("--").is_some_and(|name| !name.is_empty())).collect()
}

#[test]
fn every_config_is_right() {
    let documents = documents();
    let configs = documents.iter().flat_map(Document::configs);
    let count = configs.inspect(|block| drop(config(&format!("gordon.{}", block.kind), block.text))).count();
    assert!(count >= 5, "{count} configs");
}

#[test]
fn the_settings_in_the_docs_are_the_defaults() {
    let document = Document::read("docs/config.md");
    let shown = config("gordon.toml", document.configs().next().expect("a config").text);
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
fn every_output_is_what_gordon_prints() {
    let documents = documents();
    let count = documents.iter().flat_map(Document::blocks).filter(|block| block.kind == "console").count();
    assert!(count >= 4, "{count} outputs");
    for document in documents {
        let now = document.rerun();
        if std::env::var_os("UPDATE_PLANS").is_some() {
            fs::write(Path::new(ROOT).join(&document.path), now).expect("it is writable");
        } else {
            assert!(document.text == now, "{}: UPDATE_PLANS=1 writes it anew:\n{now}", document.path);
        }
    }
}

#[test]
fn commands_in_blocks_that_are_not_run_exist() {
    let names = commands();
    let mut count = 0;
    for document in documents() {
        for block in document.blocks().iter().filter(|block| block.kind == "sh not-run") {
            for line in block.text.lines().filter_map(|line| line.split('#').next()) {
                count += 1;
                let mut words = line.split_whitespace();
                let first = words.next().unwrap_or_default();
                if first.starts_with("scripts/") {
                    assert!(Path::new(ROOT).join(first).exists(), "{}: {line}", document.path);
                }
                if first == "gordon" {
                    let name = words.next().unwrap_or_default();
                    assert!(names.contains(name), "{}: {line}", document.path);
                    let help = help(name);
                    assert!(options(line).is_subset(&options(&help)), "{}: {line}", document.path);
                }
            }
        }
    }
    assert!(count >= 5, "{count} lines");
}

#[test]
fn every_command_and_every_option_is_documented() {
    let readme = Document::read("README.md").text;
    let described = readme.clone() + &Document::read("docs/commands.md").text;
    for name in commands() {
        assert!(readme.contains(&format!("| `gordon {name}")), "`gordon {name}`");
        for option in options(&help(&name)).into_iter().filter(|option| *option != "--help") {
            assert!(options(&described).contains(option), "`{option}` of `gordon {name}`");
        }
    }
}

#[test]
fn the_readme_is_short() {
    let lines = Document::read("README.md").text.lines().count();
    assert!(lines <= 150, "{lines} lines");
}

#[test]
fn every_link_and_every_path_exists() {
    let mut all = documents();
    all.extend(["CHANGELOG.md", "SECURITY.md", "plans/README.md"].map(Document::read));
    let mut wrong = Vec::new();
    for document in &all {
        let prose = document.prose();
        let links = prose.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        for link in links.filter(|link| !link.starts_with("https://")) {
            let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
            let path = if path.is_empty() {
                Path::new(&document.path).to_owned()
            } else {
                document.folder().join(path)
            };
            let is_there = match anchor {
                "" => Path::new(ROOT).join(&path).exists(),
                anchor => Document::read(&path.to_string_lossy()).anchors().contains(anchor),
            };
            if !is_there {
                wrong.push(format!("{}: {link}", document.path));
            }
        }
        let code = prose.split('`').skip(1).step_by(2).filter_map(|code| code.split_whitespace().next());
        for path in code.filter(|code| {
            ["docs/", "plans/", "scripts/", "src/", "tests/"].iter().any(|folder| code.starts_with(folder))
        }) {
            if !Path::new(ROOT).join(path).exists() {
                wrong.push(format!("{}: `{path}`", document.path));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_reference_lists_every_setting() {
    let path = Path::new(ROOT).join("docs/config.md");
    let page = fs::read_to_string(&path).expect("a document");
    let head = "| key | as in | docker's flag | what it is |\n|---|---|---|---|\n";
    let (before, rest) = page.split_once(head).expect("a table of settings");
    let (_, after) = rest.split_at(rest.find("\n\n").unwrap_or_default());
    let rows = SETTINGS.iter().map(|Setting { key, flag, form, example, meaning }| {
        let flag = match form {
            Form::Flags(_) => String::new(),
            Form::Log(_) => format!("`{flag}`, `--log-opt`"),
            _ => format!("`{flag}`"),
        };
        format!("| `{key}` | `{example}` | {flag} | {meaning} |")
    });
    let table = rows.collect::<Vec<_>>().join("\n");
    let wanted = format!("{before}{head}{table}{after}");
    if std::env::var_os("UPDATE_PLANS").is_some() {
        fs::write(&path, &wanted).expect("a document is writable");
        return;
    }
    assert!(
        page == wanted,
        "UPDATE_PLANS=1 cargo test --test it the_reference writes the table of docs/config.md anew"
    );
}
