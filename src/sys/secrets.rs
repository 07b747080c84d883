//! Secrets: from the caller's environment, else from `.gordon/secrets` beside the config. Does not know what they are
//! for, and shows none.

use super::assignment::parse;
use super::files;
use super::files::FileError;
use crate::config;
use crate::config::Problem;
use crate::docker::Secret;
use crate::name::EnvKey;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::env;
use std::fmt;
use std::path::Path;
use std::path::PathBuf;

/// Where secrets are kept, relative to the folder of the config.
pub const FILE: &str = ".gordon/secrets";

/// The secrets that were asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Secrets {
    /// Those that have a value; an empty one is one.
    pub values: BTreeMap<EnvKey, Secret>,
    /// Those that have none.
    pub missing: BTreeSet<EnvKey>,
    /// The file of the secrets, when others than its owner may read it.
    pub exposed: Option<PathBuf>,
    /// What to be aware of in that file.
    pub warnings: Vec<Problem>,
}

/// Why the secrets cannot be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretsError {
    /// The file cannot be read.
    File(FileError),
    /// Lines of the file are not understood; warnings may be among the problems.
    Lines(Vec<Problem>),
    /// The value in the environment is not text.
    NotText(EnvKey),
}

impl SecretsError {
    /// What to do about it.
    pub fn hint(&self) -> String {
        match self {
            Self::File(error) => error.hint(),
            Self::Lines(_) => "`gordon check` shows them".to_owned(),
            Self::NotText(_) => "a secret is UTF-8 text".to_owned(),
        }
    }
}

impl fmt::Display for SecretsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(error) => error.fmt(f),
            Self::Lines(_) => write!(f, "lines of {FILE} are not understood"),
            Self::NotText(key) => write!(f, "the value of `{key}` in the environment is not text"),
        }
    }
}

impl std::error::Error for SecretsError {}

/// The secrets `wanted`, each from the environment of this process or, when it is not there, from [`FILE`] in `folder`.
///
/// # Errors
/// When the file is there and cannot be read or understood, or a value is not text. No error holds a value.
pub fn find(folder: &Path, wanted: &BTreeSet<EnvKey>) -> Result<Secrets, SecretsError> {
    let mut found = Secrets::default();
    for key in wanted {
        match env::var(key.as_str()) {
            Ok(value) => drop(found.values.insert(key.clone(), Secret::new(value))),
            Err(env::VarError::NotPresent) => drop(found.missing.insert(key.clone())),
            Err(env::VarError::NotUnicode(_)) => return Err(SecretsError::NotText(key.clone())),
        }
    }
    if found.missing.is_empty() {
        return Ok(found);
    }
    let path = folder.join(FILE);
    let Some(text) = files::read_if_there(&path).map_err(SecretsError::File)? else { return Ok(found) };
    let (kept, problems) = parse(&path.display().to_string(), &text);
    if config::has_errors(&problems) {
        return Err(SecretsError::Lines(problems));
    }
    found.warnings = problems;
    found.values.extend(kept.into_iter().filter(|(key, _)| found.missing.contains(key)));
    found.missing.retain(|key| !found.values.contains_key(key));
    found.exposed = files::is_read_by_others(&path).then_some(path);
    Ok(found)
}

/// All that is wrong with the file of the secrets in `folder`, where it is there.
///
/// # Errors
/// When it cannot be read.
pub fn check(folder: &Path) -> Result<Vec<Problem>, FileError> {
    let path = folder.join(FILE);
    let text = files::read_if_there(&path)?;
    Ok(text.map(|text| parse(&path.display().to_string(), &text).1).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Place;
    use crate::config::Severity;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    fn key(name: &str) -> EnvKey {
        EnvKey::parse(name).expect("a key")
    }

    #[test]
    fn all_lines_that_are_not_understood_are_named_at_once() {
        let folder = tempfile::tempdir().expect("a folder");
        assert_eq!(check(folder.path()), Ok(Vec::new()));
        fs::create_dir(folder.path().join(".gordon")).expect("a folder");
        fs::write(folder.path().join(FILE), "hunter2\nA=1\nB=${C}\nC='${D}'\nD=x # y\n").expect("a file");
        let lines = |problems: Vec<Problem>| {
            problems.into_iter().map(|problem| (problem.severity, problem.place)).collect::<Vec<_>>()
        };
        let at = |line| Place::Line(folder.path().join(FILE).display().to_string(), line);
        let expected = vec![(Severity::Error, at(1)), (Severity::Warning, at(3)), (Severity::Error, at(5))];
        assert_eq!(lines(check(folder.path()).expect("it can be read")), expected);
        match find(folder.path(), &[key("GORDON_TEST_MISSING")].into()) {
            Err(SecretsError::Lines(problems)) => assert_eq!(lines(problems), expected),
            other => panic!("{other:?}"),
        }
        fs::write(folder.path().join(FILE), "A=$(B)\n").expect("a file");
        let found = find(folder.path(), &[key("GORDON_TEST_MISSING")].into()).expect("it is understood");
        assert_eq!(lines(found.warnings), [(Severity::Warning, at(1))]);
    }

    #[test]
    fn the_environment_comes_before_the_file_and_what_is_in_neither_is_missing() {
        let folder = tempfile::tempdir().expect("a folder");
        let wanted = ["PATH", "GORDON_TEST_KEPT", "GORDON_TEST_MISSING"].map(key).into();
        let found = find(folder.path(), &wanted).expect("no file is fine");
        assert_eq!(found.missing, ["GORDON_TEST_KEPT", "GORDON_TEST_MISSING"].map(key).into());

        fs::create_dir(folder.path().join(".gordon")).expect("a folder");
        let file = folder.path().join(FILE);
        fs::write(&file, "PATH=/nowhere\nGORDON_TEST_KEPT=a b\nOTHER=1\n").expect("a file");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).expect("a file of its owner");
        let found = find(folder.path(), &wanted).expect("a good file");
        assert_eq!(found.missing, ["GORDON_TEST_MISSING"].map(key).into());
        assert_eq!(found.values[&key("GORDON_TEST_KEPT")].reveal(), "a b");
        assert_ne!(found.values[&key("PATH")].reveal(), "/nowhere");
        assert_eq!(found.values.len(), 2);
        assert_eq!(found.exposed, None);

        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).expect("a file of its group");
        assert_eq!(find(folder.path(), &wanted).expect("a good file").exposed, Some(file));
    }

    #[test]
    fn a_file_of_no_wanted_secret_is_not_read() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir_all(folder.path().join(FILE)).expect("a folder in its place");
        let wanted = [key("PATH")].into();
        assert!(find(folder.path(), &wanted).is_ok());
        let error =
            find(folder.path(), &[key("GORDON_TEST_MISSING")].into()).expect_err("a folder cannot be read");
        assert!(error.to_string().contains(".gordon/secrets: "), "{error}");
    }
}
