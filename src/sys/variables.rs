//! The variables of a config: from the command line, else from the caller's environment, else from `.env` beside the
//! config. Does not know where a config names them.

use super::assignment::parse;
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

/// The variables of a config in `folder` that names `wanted`, and what is wrong with [`FILE`]. The file is read only when
/// a name has no value without it. What `given` says comes first.
///
/// # Errors
/// When the file is there and cannot be read.
pub fn find<'a>(
    folder: &Path,
    given: &[(String, String)],
    wanted: impl Iterator<Item = &'a str>,
) -> Result<(Variables, Vec<Problem>), FileError> {
    let mut values = BTreeMap::new();
    let mut missing = BTreeSet::new();
    for name in wanted {
        // of several values that are given the last counts
        let given = given.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value.clone());
        match given.or_else(|| env::var(name).ok()) {
            Some(value) => drop(values.insert(name.to_owned(), value)),
            None => drop(missing.insert(name)),
        }
    }
    let mut problems = Vec::new();
    let path = folder.join(FILE);
    if !missing.is_empty()
        && let Some(text) = files::read_if_there(&path)?
    {
        let (kept, wrong) = parse(&path.display().to_string(), &text);
        let kept = kept.into_iter().filter(|(key, _)| missing.contains(key.as_str()));
        values.extend(kept.map(|(key, value)| (key.to_string(), value.reveal().to_owned())));
        problems = wrong;
    }
    Ok((values.into_iter().collect(), problems))
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
        let (variables, problems) = found(&names);
        let expected =
            [("GORDON_TEST_A", "last"), ("PATH", &path), ("GORDON_TEST_B", "a b"), ("GORDON_TEST_C", "")];
        assert_eq!(variables, pairs(&expected));
        assert_eq!(problems, []);

        fs::write(&file, "not understood\n").expect("a file");
        assert_eq!(found(&["GORDON_TEST_A", "PATH"]).1, [], "a file that is not needed is not read");
        assert_eq!(found(&["GORDON_TEST_B"]).1.len(), 1);
    }
}
