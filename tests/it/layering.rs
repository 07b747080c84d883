//! The arrows between the modules: who may import whom. Read from the sources, so that no edge slips in.
#![expect(clippy::disallowed_methods, reason = "it reads sources")]

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::path::PathBuf;

/// Each module with those that it may import.
const ARROWS: [(&str, &[&str]); 9] = [
    ("name", &[]),
    ("config", &["name"]),
    ("docker", &["name"]),
    ("desired", &["name", "config", "docker"]),
    ("plan", &["name", "desired", "docker"]),
    ("render", &["name", "plan", "docker"]),
    ("apply", &["name", "plan", "docker"]),
    ("sys", &["name", "config", "docker", "desired", "plan", "render", "apply"]),
    ("commands", &["name", "config", "docker", "desired", "plan", "render", "apply", "sys"]),
];

#[test]
fn modules_import_only_what_the_architecture_allows() {
    let arrows = BTreeMap::from(ARROWS);
    let mut seen = BTreeSet::new();
    let mut wrong = Vec::new();
    for (path, text) in sources(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src"))) {
        let Some(module) = arrows.keys().find(|module| path.split('/').next() == Some(**module)) else {
            assert!(
                ["lib.rs", "main.rs"].contains(&path.as_str()),
                "{path} belongs to no module of the architecture"
            );
            continue;
        };
        seen.insert(*module);
        for imported in
            imports(&text).filter(|imported| imported != module && arrows.contains_key(imported.as_str()))
        {
            if !arrows[module].contains(&imported.as_str()) {
                wrong.push(format!("{path} imports {imported}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(seen.len(), ARROWS.len(), "modules found: {seen:?}");
}

/// The top modules of this crate that a source names, tests included.
fn imports(text: &str) -> impl Iterator<Item = String> + '_ {
    text.split("crate::")
        .skip(1)
        .map(|rest| rest.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect())
}

/// Every source below `folder`, by its path there.
fn sources(folder: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders: Vec<PathBuf> = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next).expect("a folder of sources") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(folder).expect("it lies below").to_string_lossy().into_owned();
                found.push((name, fs::read_to_string(&path).expect("a source")));
            }
        }
    }
    found
}
