//! The variables of a config: from the command line, else from the caller's environment, else from `.env` beside the
//! config. Does not know where a config names them.

use super::assignment::parse;
use super::files;
use super::files::FileError;
use crate::config::Problem;
use crate::config::Variables;
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
    mut wanted: impl Iterator<Item = &'a str>,
) -> Result<(Variables, Vec<Problem>), FileError> {
    let environment: Vec<(String, String)> = env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    // of several values that are given the last counts
    let given: Vec<(String, String)> = given.iter().rev().cloned().collect();
    let known = Variables::of([given.clone(), environment.clone()]);
    if wanted.all(|name| known.has(name)) {
        return Ok((known, Vec::new()));
    }
    let path = folder.join(FILE);
    let Some(text) = files::read_if_there(&path)? else { return Ok((known, Vec::new())) };
    let (kept, problems) = parse(&path.display().to_string(), &text);
    let kept = kept.into_iter().map(|(key, value)| (key.to_string(), value.reveal().to_owned())).collect();
    Ok((Variables::of([given, environment, kept]), problems))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn the_command_line_comes_before_the_environment_and_that_before_the_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join(FILE);
        fs::write(&file, "GORDON_TEST_A=file\nPATH=file\nGORDON_TEST_B='a b'\n").expect("a file");
        let given = [("GORDON_TEST_A", "first"), ("GORDON_TEST_A", "last")];
        let given = given.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let path = env::var("PATH").expect("a path");
        let found = |wanted: &[&str]| {
            find(folder.path(), &given, wanted.iter().copied()).expect("a file that can be read")
        };
        let pairs = |pairs: &[(&str, &str)]| {
            let pairs = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
            pairs.collect::<Vec<_>>()
        };
        let (variables, problems) = found(&["GORDON_TEST_A", "PATH", "GORDON_TEST_B"]);
        let expected = [("GORDON_TEST_A", "last"), ("PATH", &path), ("GORDON_TEST_B", "a b")];
        let others: Vec<(String, String)> = env::vars().collect();
        assert_eq!(variables, Variables::of([pairs(&expected), others]));
        assert_eq!(problems, []);

        fs::write(&file, "not understood\n").expect("a file");
        assert_eq!(found(&["GORDON_TEST_A", "PATH"]).1, [], "a file that is not needed is not read");
        assert_eq!(found(&["GORDON_TEST_B"]).1.len(), 1);
    }
}
