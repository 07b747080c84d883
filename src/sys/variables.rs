//! The variables of a config: from the command line, else from the caller's environment, else from `.env` beside the
//! config. Does not know where a config names them.

use super::assignment::parse_lines;
use super::files;
use super::files::FileError;
use crate::config::Problem;
use crate::config::Variables;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::env;
use std::path::Path;

/// Where variables are kept, relative to the folder of the config.
pub const FILE: &str = ".env";

/// Where a variable has its value from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The command line.
    Given,
    /// The environment of this process.
    Environment,
    /// This line of [`FILE`].
    Line(usize),
}

/// The variables that a config names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Their values.
    pub variables: Variables,
    /// Where each has its value from.
    pub origins: BTreeMap<String, Origin>,
    /// What is wrong with [`FILE`].
    pub problems: Vec<Problem>,
}

/// The variables of a config in `folder` that names `wanted`, and what is wrong with [`FILE`]. The file is read only when
/// a name has no value without it. What `given` says comes first.
///
/// # Errors
/// When the file is there and cannot be read.
pub fn find<'a>(
    folder: &Path,
    given: &[(String, String)],
    wanted: impl Iterator<Item = &'a str>,
) -> Result<Found, FileError> {
    let mut values = BTreeMap::new();
    let mut missing = BTreeSet::new();
    for name in wanted {
        // of several values that are given the last counts
        let given = given.iter().rev().find(|(known, _)| known == name);
        let given = given.map(|(_, value)| (value.clone(), Origin::Given));
        match given.or_else(|| Some((env::var(name).ok()?, Origin::Environment))) {
            Some(found) => drop(values.insert(name.to_owned(), found)),
            None => drop(missing.insert(name)),
        }
    }
    let mut problems = Vec::new();
    let path = folder.join(FILE);
    if !missing.is_empty()
        && let Some(text) = files::read_if_there(&path)?
    {
        let (kept, wrong) = parse_lines(&path.display().to_string(), &text);
        let kept = kept.into_iter().filter(|(key, _)| missing.contains(key.as_str()));
        values.extend(
            kept.map(|(key, (value, line))| {
                (key.to_string(), (value.reveal().to_owned(), Origin::Line(line)))
            }),
        );
        problems = wrong;
    }
    let origins = values.iter().map(|(name, (_, origin))| (name.clone(), *origin)).collect();
    let variables = values.into_iter().map(|(name, (value, _))| (name, value)).collect();
    Ok(Found { variables, origins, problems })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn the_command_line_comes_before_the_environment_and_that_before_the_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join(FILE);
        fs::write(&file, "GORDON_TEST_A=file\nPATH=file\nGORDON_TEST_B='a b'\nGORDON_TEST_C=file\n")
            .expect("a file");
        let given = [("GORDON_TEST_A", "first"), ("GORDON_TEST_A", "last"), ("GORDON_TEST_C", "")];
        let given = given.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let path = env::var("PATH").expect("a path");
        let found = |wanted: &[&str]| {
            find(folder.path(), &given, wanted.iter().copied()).expect("a file that can be read")
        };
        let pairs = |pairs: &[(&str, &str)]| {
            let pairs = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
            pairs.collect::<Variables>()
        };
        let names = ["GORDON_TEST_A", "PATH", "GORDON_TEST_B", "GORDON_TEST_C", "GORDON_TEST_D"];
        let Found { variables, origins, problems } = found(&names);
        let expected =
            [("GORDON_TEST_A", "last"), ("PATH", &path), ("GORDON_TEST_B", "a b"), ("GORDON_TEST_C", "")];
        assert_eq!(variables, pairs(&expected));
        assert_eq!(problems, []);
        let of = |name: &str| origins.get(name).copied();
        assert_eq!(
            names.map(of),
            [
                Some(Origin::Given),
                Some(Origin::Environment),
                Some(Origin::Line(3)),
                Some(Origin::Given),
                None,
            ]
        );

        fs::write(&file, "not understood\n").expect("a file");
        assert_eq!(found(&["GORDON_TEST_A", "PATH"]).problems, [], "a file that is not needed is not read");
        assert_eq!(found(&["GORDON_TEST_B"]).problems.len(), 1);
    }
}
