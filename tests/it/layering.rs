//! The arrows between the modules: which module may import which. Read from the sources, so that no arrow is
//! missed.
#![expect(clippy::disallowed_methods, reason = "it reads sources")]

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::path::PathBuf;

/// Each module with the modules that it may import.
const ARROWS: [(&str, &[&str]); 10] = [
    ("name", &[]),
    ("config", &["name", "spec"]),
    ("spec", &["name"]),
    ("docker", &["name", "spec"]),
    ("desired", &["name", "config", "spec"]),
    ("plan", &["name", "spec", "desired", "docker"]),
    ("render", &["name", "spec", "plan", "docker"]),
    ("apply", &["name", "spec", "plan", "docker"]),
    ("sys", &["name", "config", "spec", "docker", "desired", "plan", "render", "apply"]),
    ("commands", &["name", "config", "spec", "docker", "desired", "plan", "render", "apply", "sys"]),
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

#[test]
fn the_architecture_page_shows_every_arrow() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/how-it-works.md");
    let page = fs::read_to_string(page).expect("a document");
    let (_, table) = page.split_once("| module | imports |").expect("a table of modules");
    let rows = table.lines().skip(2).take_while(|line| line.starts_with('|'));
    let words = |cell: &str| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<BTreeSet<_>>();
    let mut shown: Vec<_> = rows
        .map(|row| {
            let cells: Vec<_> = row.split('|').collect();
            (words(cells[1]), words(cells[2]))
        })
        .collect();
    let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
    let mut arrows = ARROWS.map(|(module, imports)| (set(&[module]), set(imports)));
    arrows.sort();
    shown.sort();
    assert_eq!(shown, arrows);
}

#[test]
fn the_files_of_the_plan_import_without_cycles() {
    let files = Files::below("plan");
    let mut arrows: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (path, text) in files.0.iter().filter(|(path, _)| !path.ends_with("mod.rs")) {
        arrows.insert(path, files.used_by(path, text));
    }
    assert!(arrows.values().any(|used| !used.is_empty()), "no arrow was found");
    // files that import no remaining file are removed, until none is left or only cycles are
    while let Some(path) = arrows.iter().find(|(_, used)| used.is_empty()).map(|(path, _)| *path) {
        arrows.remove(path);
        for used in arrows.values_mut() {
            used.remove(path);
        }
    }
    assert!(arrows.is_empty(), "in circles, or above one: {arrows:#?}");
}

#[test]
fn only_its_own_file_adds_methods_to_a_type_of_the_plan() {
    let files = Files::below("plan");
    let mut wrong = Vec::new();
    for (path, text) in &files.0 {
        let own = code(text);
        for name in implemented(own) {
            let is_own = ["struct", "enum"].iter().any(|kind| own.contains(&format!("{kind} {name}")));
            if !is_own {
                wrong.push(format!("{path} adds methods to {name}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The sources of one module, by their paths in the module.
struct Files(BTreeMap<String, String>);

impl Files {
    fn below(module: &str) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(module);
        Self(sources(&folder).into_iter().collect())
    }

    /// The files whose things the source at `path` imports, directly or through a `mod.rs`.
    fn used_by(&self, path: &str, text: &str) -> BTreeSet<&str> {
        let parent = |folder: &str| folder.rsplit_once('/').map_or("", |(parent, _)| parent).to_owned();
        let folder = parent(path);
        let imports =
            code(text).lines().filter_map(|line| line.trim().strip_prefix("use ")?.strip_suffix(';'));
        let found = imports.filter_map(|import| {
            if let Some(rest) = import.strip_prefix("crate::plan::") {
                self.defining("", rest)
            } else if let Some(rest) = import.strip_prefix("super::super::") {
                self.defining(&parent(&folder), rest)
            } else {
                self.defining(&folder, import.strip_prefix("super::")?)
            }
        });
        found.filter(|found| *found != path).collect()
    }

    /// The file that defines `name`, as a file in `folder` refers to it.
    fn defining(&self, folder: &str, name: &str) -> Option<&str> {
        let below = |name: &str| if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
        let (first, rest) = name.split_once("::").unwrap_or((name, ""));
        if let Some((file, _)) = self.0.get_key_value(&below(&format!("{first}.rs"))) {
            return Some(file);
        }
        if self.0.contains_key(&below(&format!("{first}/mod.rs"))) {
            return self.defining(&below(first), rest);
        }
        let reexported = self.0.get(&below("mod.rs"))?.lines().find_map(|line| {
            let (_, path) = line.strip_prefix("pub")?.split_once("use ")?;
            let path = path.strip_suffix(';')?;
            (path.rsplit("::").next() == Some(first)).then_some(path)
        });
        let target = reexported.unwrap_or_else(|| panic!("{folder}/mod.rs has no `{name}`"));
        self.defining(folder, target)
    }
}

/// The types that a source adds methods to.
fn implemented(text: &str) -> impl Iterator<Item = &str> {
    let blocks = text.lines().filter(|line| line.starts_with("impl") && !line.contains(" for "));
    blocks.map(|line| {
        let line = line
            .strip_prefix("impl<")
            .map_or(line, |line| line.split_once("> ").map_or(line, |(_, line)| line));
        let name = line.strip_prefix("impl ").unwrap_or(line);
        name.split(['<', ' ']).next().unwrap_or(name)
    })
}

/// A source without its tests.
fn code(text: &str) -> &str {
    text.split("#[cfg(test)]").next().unwrap_or(text)
}

/// The top modules of this crate that a source names, including its tests.
fn imports(text: &str) -> impl Iterator<Item = String> + '_ {
    text.split("crate::")
        .skip(1)
        .map(|rest| rest.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect())
}

/// Every source below `folder`, by its path in it.
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
