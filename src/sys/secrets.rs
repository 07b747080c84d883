//! Secrets: from the caller's environment, else from `.gordon/secrets` beside the config. Does not know what they are
//! for, and shows none.

use super::assignment::LONGEST;
use super::assignment::parse;
use super::assignment::parse_lines;
use super::files;
use super::files::FileError;
use crate::config;
use crate::config::Problem;
use crate::name::EnvKey;
use crate::name::visible;
use crate::spec::Secret;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::env;
use std::fmt;
use std::path::Path;
use std::path::PathBuf;

/// Where secrets are kept, relative to the folder of the config.
pub const FILE: &str = ".gordon/secrets";

/// Where Luma kept them, under the names that it has had: read where [`FILE`] is not there.
const FORMER: [&str; 3] = [".iop/secrets", ".luma/secrets", ".lightform/secrets"];

/// The file of the secrets, by its path in `folder`, and its text, where there is one.
fn read(folder: &Path) -> Result<Option<(&'static str, String)>, FileError> {
    for file in [FILE].into_iter().chain(FORMER) {
        if let Some(text) = files::read_if_there(&folder.join(file))? {
            return Ok(Some((file, text)));
        }
    }
    Ok(None)
}

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
    /// The command of a secret gives no value.
    Command {
        /// The secret.
        key: EnvKey,
        /// The program.
        program: String,
        /// What it did.
        fault: String,
    },
}

impl SecretsError {
    /// What to do about it.
    pub fn hint(&self) -> String {
        match self {
            Self::File(error) => error.hint(),
            Self::Lines(_) => "`gordon check` shows them".to_owned(),
            Self::NotText(_) => "a secret is UTF-8 text".to_owned(),
            Self::Command { key, .. } => format!(
                "the command prints the value on its standard output; a variable `{key}` in the environment comes before it"
            ),
        }
    }
}

impl fmt::Display for SecretsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(error) => error.fmt(f),
            Self::Lines(_) => f.write_str("lines of the file of secrets are not understood"),
            Self::NotText(key) => write!(f, "the value of `{key}` in the environment is not text"),
            Self::Command { key, program, fault } => {
                write!(f, "secret `{key}`: `{}` {fault}", visible(program))
            }
        }
    }
}

impl std::error::Error for SecretsError {}

/// The secrets `wanted`, each from the first of these that has it: the environment of this process, its command, the file of
/// secrets in `folder`. A command runs in `folder`, and may ask the person something on the terminal.
///
/// # Errors
/// When a command fails, the file is there and cannot be read or understood, or a value is not text. No error holds a value.
pub fn find(
    folder: &Path,
    wanted: &BTreeSet<EnvKey>,
    commands: &BTreeMap<EnvKey, &[String]>,
) -> Result<Secrets, SecretsError> {
    let mut found = Secrets::default();
    for key in wanted {
        match env::var(key.as_str()) {
            Ok(value) => drop(found.values.insert(key.clone(), Secret::new(value))),
            Err(env::VarError::NotPresent) => match commands.get(key) {
                Some(words) => drop(found.values.insert(key.clone(), printed(folder, key, words)?)),
                None => drop(found.missing.insert(key.clone())),
            },
            Err(env::VarError::NotUnicode(_)) => return Err(SecretsError::NotText(key.clone())),
        }
    }
    if found.missing.is_empty() {
        return Ok(found);
    }
    let Some((file, text)) = read(folder).map_err(SecretsError::File)? else { return Ok(found) };
    let path = folder.join(file);
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

/// Where a secret gets its value from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The environment of this process.
    Environment,
    /// Its command, with this program.
    Command(String),
    /// This line of this file, by its path in the folder of the config.
    Line(&'static str, usize),
    /// Nowhere.
    Nowhere,
}

/// Where the secrets `wanted` get their values from. Runs no command.
///
/// # Errors
/// When the file is there and cannot be read.
pub fn origins(
    folder: &Path,
    wanted: &BTreeSet<EnvKey>,
    commands: &BTreeMap<EnvKey, &[String]>,
) -> Result<BTreeMap<EnvKey, Origin>, FileError> {
    let (file, text) = read(folder)?.unwrap_or((FILE, String::new()));
    let (kept, _) = parse_lines(file, &text);
    let origin = |key: &EnvKey| match (env::var_os(key.as_str()), commands.get(key), kept.get(key)) {
        (Some(_), _, _) => Origin::Environment,
        (None, Some([program, ..]), _) => Origin::Command(program.clone()),
        (None, _, Some((_, line))) => Origin::Line(file, *line),
        (None, _, None) => Origin::Nowhere,
    };
    Ok(wanted.iter().map(|key| (key.clone(), origin(key))).collect())
}

/// What the command `words` prints, without the line feed at its end.
fn printed(folder: &Path, key: &EnvKey, words: &[String]) -> Result<Secret, SecretsError> {
    let (program, arguments) = words.split_first().expect("a command has words");
    let failed = |fault: String| SecretsError::Command { key: key.clone(), program: program.clone(), fault };
    // a name alone is looked for on the path
    let program_file =
        if program.contains('/') { folder.join(program).into_os_string() } else { program.into() };
    let output = duct::cmd(program_file, arguments).dir(folder).stdout_capture().unchecked().run();
    let output = output.map_err(|e| failed(format!("cannot be run: {e}")))?;
    if !output.status.success() {
        return Err(failed(format!("ended with {}", output.status)));
    }
    let value =
        String::from_utf8(output.stdout).map_err(|_| failed("printed what is not UTF-8 text".to_owned()))?;
    let value = value.strip_suffix('\n').unwrap_or(&value);
    let value = value.strip_suffix('\r').unwrap_or(value);
    match value {
        "" => Err(failed("printed nothing".to_owned())),
        value if value.contains('\0') => {
            Err(failed("printed a byte 0, which no variable can hold".to_owned()))
        }
        value if value.len() > LONGEST => {
            Err(failed("printed more than 120 KiB, which no variable can hold".to_owned()))
        }
        value => Ok(Secret::new(value)),
    }
}

/// All that is wrong with the file of the secrets in `folder`, where it is there.
///
/// # Errors
/// When it cannot be read.
pub fn check(folder: &Path) -> Result<Vec<Problem>, FileError> {
    let file = read(folder)?;
    let problems = file.map(|(file, text)| parse(&folder.join(file).display().to_string(), &text).1);
    Ok(problems.unwrap_or_default())
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
        match find(folder.path(), &[key("GORDON_TEST_MISSING")].into(), &BTreeMap::new()) {
            Err(SecretsError::Lines(problems)) => assert_eq!(lines(problems), expected),
            other => panic!("{other:?}"),
        }
        fs::write(folder.path().join(FILE), "A=$(B)\n").expect("a file");
        // Luma's file is read where there is no other
        fs::create_dir(folder.path().join(".luma")).expect("a folder");
        fs::write(folder.path().join(".luma/secrets"), "GORDON_TEST_MISSING=x\n").expect("a file");
        let found = find(folder.path(), &[key("GORDON_TEST_MISSING")].into(), &BTreeMap::new())
            .expect("it is understood");
        assert_eq!(lines(found.warnings), [(Severity::Warning, at(1))]);
        assert!(found.values.is_empty());
        fs::remove_file(folder.path().join(FILE)).expect("it is there");
        let wanted = [key("GORDON_TEST_MISSING")].into();
        let found = find(folder.path(), &wanted, &BTreeMap::new());
        assert_eq!(found.expect("it is understood").values.len(), 1);
        let origins = origins(folder.path(), &wanted, &BTreeMap::new()).expect("it can be read");
        assert_eq!(origins[&key("GORDON_TEST_MISSING")], Origin::Line(".luma/secrets", 1));
    }

    #[test]
    fn the_environment_comes_before_the_file_and_what_is_in_neither_is_missing() {
        let folder = tempfile::tempdir().expect("a folder");
        let wanted = ["PATH", "GORDON_TEST_KEPT", "GORDON_TEST_MISSING"].map(key).into();
        let found = find(folder.path(), &wanted, &BTreeMap::new()).expect("no file is fine");
        assert_eq!(found.missing, ["GORDON_TEST_KEPT", "GORDON_TEST_MISSING"].map(key).into());

        fs::create_dir(folder.path().join(".gordon")).expect("a folder");
        let file = folder.path().join(FILE);
        fs::write(&file, "PATH=/nowhere\nGORDON_TEST_KEPT=a b\nOTHER=1\n").expect("a file");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).expect("a file of its owner");
        let found = find(folder.path(), &wanted, &BTreeMap::new()).expect("a good file");
        assert_eq!(found.missing, ["GORDON_TEST_MISSING"].map(key).into());
        assert_eq!(found.values[&key("GORDON_TEST_KEPT")].reveal(), "a b");
        assert_ne!(found.values[&key("PATH")].reveal(), "/nowhere");
        assert_eq!(found.values.len(), 2);
        assert_eq!(found.exposed, None);

        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).expect("a file of its group");
        assert_eq!(find(folder.path(), &wanted, &BTreeMap::new()).expect("a good file").exposed, Some(file));
    }

    #[test]
    fn a_file_of_no_wanted_secret_is_not_read() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir_all(folder.path().join(FILE)).expect("a folder in its place");
        let wanted = [key("PATH")].into();
        assert!(find(folder.path(), &wanted, &BTreeMap::new()).is_ok());
        let error = find(folder.path(), &[key("GORDON_TEST_MISSING")].into(), &BTreeMap::new())
            .expect_err("a folder cannot be read");
        assert!(error.to_string().contains(".gordon/secrets: "), "{error}");
    }

    #[test]
    fn a_command_prints_a_secret_that_the_environment_has_not() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir(folder.path().join(".gordon")).expect("a folder");
        fs::write(folder.path().join(FILE), "GORDON_TEST_PRINTED=kept\n").expect("a file");
        let asked = |words: &[&str]| {
            let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            let commands =
                [key("GORDON_TEST_PRINTED"), key("PATH")].map(|key| (key, words.as_slice())).into();
            find(folder.path(), &[key("GORDON_TEST_PRINTED")].into(), &commands)
        };
        for (script, value) in [
            ("echo a b", "a b"),
            ("printf 'a\\r\\n'", "a"),
            ("printf 'a\\n\\n'", "a\n"),
            ("pwd", &folder.path().canonicalize().expect("a folder").display().to_string()),
        ] {
            let found = asked(&["sh", "-c", script]).expect("it prints");
            assert_eq!(found.values[&key("GORDON_TEST_PRINTED")].reveal(), value, "{script}");
        }
        for (script, fault) in [
            ("exit 3", "exit status: 3"),
            ("true", "printed nothing"),
            ("printf '\\0'", "byte 0"),
            ("printf '\\377'", "UTF-8"),
            ("head -c 200000 /dev/zero | tr '\\0' x", "120 KiB"),
        ] {
            let error = asked(&["sh", "-c", script]).expect_err("it gives no value").to_string();
            assert!(error.contains(fault) && error.contains("GORDON_TEST_PRINTED"), "{script}: {error}");
        }
        let error = asked(&["./none"]).expect_err("there is no such program").to_string();
        assert!(error.contains("`./none` cannot be run"), "{error}");
        fs::remove_file(folder.path().join(FILE)).expect("a file");
        let path =
            find(folder.path(), &[key("PATH")].into(), &[(key("PATH"), &["false".to_owned()][..])].into());
        assert_eq!(path.expect("the command is not run").missing, BTreeSet::new());
    }
}
