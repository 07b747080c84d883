//! Secrets: from the caller's environment, else from `.gordon/secrets` beside the config. Does not know what they are
//! for, and shows none.

use super::files;
use super::files::FileError;
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
}

/// Why the secrets cannot be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretsError {
    /// The file cannot be read.
    File(FileError),
    /// A line of the file is not understood.
    Line(PathBuf, LineError),
    /// The value in the environment is not text.
    NotText(EnvKey),
}

impl SecretsError {
    /// What to do about it.
    pub fn hint(&self) -> String {
        match self {
            Self::File(error) => error.hint(),
            Self::Line(_, error) => error.problem.hint().to_owned(),
            Self::NotText(_) => "a secret is UTF-8 text".to_owned(),
        }
    }
}

impl fmt::Display for SecretsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(error) => error.fmt(f),
            Self::Line(path, LineError { line, problem }) => {
                write!(f, "{}:{line}: {problem}", path.display())
            }
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
    let kept = parse(&text).map_err(|error| SecretsError::Line(path.clone(), error))?;
    found.values.extend(kept.into_iter().filter(|(key, _)| found.missing.contains(key)));
    found.missing.retain(|key| !found.values.contains_key(key));
    found.exposed = files::is_read_by_others(&path).then_some(path);
    Ok(found)
}

/// A line of the secrets that is not understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LineError {
    /// Its number, counted from 1.
    pub line: usize,
    /// What is wrong with it.
    pub problem: LineProblem,
}

/// What is wrong with a line of the secrets. It says nothing of what stands there: that may be a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineProblem {
    /// There is no `=`, or no name before it.
    NoKey,
    /// The quote that opens the value is never closed.
    Unclosed,
    /// Something follows the quote that closes the value.
    AfterQuote,
    /// A value without quotes has ` #` in it: a comment to some tools, part of the value to others.
    Comment,
    /// There is a byte 0, which no variable can hold.
    Null,
}

impl LineProblem {
    fn hint(self) -> &'static str {
        match self {
            Self::NoKey => "a line is `KEY=VALUE`, empty, or a comment that begins with `#`",
            Self::Unclosed | Self::AfterQuote => {
                "between quotes everything is taken as it is, up to the next such quote; other quotes around it help"
            }
            Self::Comment => "put the value in quotes, or the comment on a line of its own",
            Self::Null => "a value is text",
        }
    }
}

impl fmt::Display for LineProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoKey => "this is not `KEY=VALUE`",
            Self::Unclosed => "the quote that opens the value is never closed",
            Self::AfterQuote => "something follows the quote that closes the value",
            Self::Comment => "it is not clear whether ` #` begins a comment",
            Self::Null => "there is a byte 0 in the value",
        })
    }
}

/// The secrets in `text`: lines `KEY=VALUE`, perhaps after `export`. Blanks around the value do not belong to it, nor do
/// quotes around it; between quotes everything is taken as it is, line feeds too. Nothing is expanded, nothing escaped.
/// Empty lines and lines that begin with `#` say nothing. Of several values of one key the last counts.
///
/// # Errors
/// The first line that is not understood.
pub fn parse(text: &str) -> Result<BTreeMap<EnvKey, Secret>, LineError> {
    let mut secrets = BTreeMap::new();
    let mut lines = text.trim_start_matches('\u{feff}').lines().enumerate();
    while let Some((index, line)) = lines.next() {
        let fails = |problem| LineError { line: index + 1, problem };
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let line = line.strip_prefix("export ").unwrap_or(line);
        let (key, value) = line.split_once('=').ok_or(fails(LineProblem::NoKey))?;
        let key = EnvKey::parse(key.trim()).map_err(|_| fails(LineProblem::NoKey))?;
        let value = value.trim_start();
        let value = match value.chars().next() {
            Some(quote @ ('"' | '\'')) => {
                let more = lines.by_ref().map(|(_, line)| line);
                quoted(&value[1..], quote, more).map_err(fails)?
            }
            _ if value.contains(" #") || value.contains("\t#") => return Err(fails(LineProblem::Comment)),
            _ => value.to_owned(),
        };
        if value.contains('\0') {
            return Err(fails(LineProblem::Null));
        }
        secrets.insert(key, Secret::new(value));
    }
    Ok(secrets)
}

/// The value that begins with `first`, after its `quote`, and goes on with `more` lines until the quote is closed.
fn quoted<'a>(first: &str, quote: char, more: impl Iterator<Item = &'a str>) -> Result<String, LineProblem> {
    let mut value = first.to_owned();
    let mut more = more;
    loop {
        if let Some((inside, after)) = value.split_once(quote) {
            let comment = after.trim_start();
            let is_over = comment.is_empty() || comment.starts_with('#') && comment.len() < after.len();
            return if is_over { Ok(inside.to_owned()) } else { Err(LineProblem::AfterQuote) };
        }
        value.push('\n');
        value.push_str(more.next().ok_or(LineProblem::Unclosed)?);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    fn key(name: &str) -> EnvKey {
        EnvKey::parse(name).expect("a key")
    }

    fn values(secrets: &BTreeMap<EnvKey, Secret>) -> Vec<(&str, &str)> {
        secrets.iter().map(|(key, secret)| (key.as_str(), secret.reveal())).collect()
    }

    #[test]
    fn a_line_gives_the_value_that_people_expect() {
        for (line, value) in [
            ("PW=hunter2", "hunter2"),
            ("PW = hunter2 ", "hunter2"),
            ("export PW=hunter2\r", "hunter2"),
            ("\u{feff}PW=a=b==", "a=b=="),
            ("PW=a$b`c`\\n", "a$b`c`\\n"),
            ("PW=a#b'c\"", "a#b'c\""),
            ("PW=", ""),
            ("PW=\"a 'b' # c\"", "a 'b' # c"),
            ("PW=' a\"$HOME\\' # a comment", " a\"$HOME\\"),
            (
                "PW=\"-----BEGIN KEY-----\n\n# 1\n-----END KEY-----\"\n",
                "-----BEGIN KEY-----\n\n# 1\n-----END KEY-----",
            ),
            ("# PW=1\n\n PW=2\nPW=3", "3"),
        ] {
            let secrets = parse(line).expect("understood");
            assert_eq!(values(&secrets), [("PW", value)], "{line}");
        }
    }

    #[test]
    fn a_line_that_is_not_understood_is_named_by_its_number_alone() {
        for (text, line, problem) in [
            ("A=1\nhunter2", 2, LineProblem::NoKey),
            ("hunter2 x=1", 1, LineProblem::NoKey),
            ("=hunter2", 1, LineProblem::NoKey),
            ("A='\nB\n\nC=2", 1, LineProblem::Unclosed),
            ("A=\"hunter\\\"2\"", 1, LineProblem::AfterQuote),
            ("A='hunter'#2", 1, LineProblem::AfterQuote),
            ("\nA=hunter2 # the password", 2, LineProblem::Comment),
            ("A=\0", 1, LineProblem::Null),
        ] {
            let error = parse(text).expect_err("not understood");
            assert_eq!((error.line, error.problem), (line, problem), "{text}");
            let error = SecretsError::Line("secrets".into(), error);
            assert!(!format!("{error} {} {error:?}", error.hint()).contains("hunter"), "{error}");
        }
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
    fn a_file_that_nobody_needs_is_not_read() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir_all(folder.path().join(FILE)).expect("a folder in its place");
        let wanted = [key("PATH")].into();
        assert!(find(folder.path(), &wanted).is_ok());
        let error =
            find(folder.path(), &[key("GORDON_TEST_MISSING")].into()).expect_err("a folder cannot be read");
        assert!(error.to_string().contains(".gordon/secrets: "), "{error}");
    }
}
