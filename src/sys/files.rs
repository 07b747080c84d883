//! Files: the config, what it names, and what is written. Does not know what is in them.

use rustix::fs::OFlags;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::env;
use std::fmt;
use std::fs;
use std::fs::File;
use std::fs::OpenOptions;
use std::io;
use std::io::Read;
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::path::PathBuf;
use std::process;

/// The default names of a config, in the folder where gordon is run.
pub const USUAL: [&str; 3] = ["gordon.toml", "gordon.yaml", "gordon.yml"];

/// The names that configs of other tools have.
const OTHERS: [&str; 9] = [
    "docker-compose.yml",
    "docker-compose.yaml",
    "compose.yml",
    "compose.yaml",
    "iop.yml",
    "iop.yaml",
    "luma.yml",
    "luma.yaml",
    "config/deploy.yml",
];

/// The most that a config, an env file or a file of secrets may hold.
const LARGEST: u64 = 16 << 20;

/// What gordon wrote itself, of a project of any size.
const LARGEST_PLAN: u64 = 1 << 30;

/// The text of a config.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigFile {
    /// Its path, as the person knows it.
    pub path: PathBuf,
    /// Where its relative paths begin; absolute, and the same however it was named.
    pub folder: PathBuf,
    /// Its text.
    pub text: String,
}

/// Why a file cannot be read or written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileError {
    /// No config was named, and none has a default name; perhaps one of another tool is there.
    NoConfig(Option<&'static str>),
    /// No config was named, and several have a default name.
    Several(Vec<&'static str>),
    /// It is not there.
    Missing(PathBuf),
    /// It is a link to what is not there.
    Dangling(PathBuf),
    /// The folder where relative paths are to begin is not there.
    NoFolder(PathBuf),
    /// It is a folder, a pipe or a device, which may have no end.
    NoFile(PathBuf),
    /// It has more than so many bytes.
    TooLarge(PathBuf, u64),
    /// It is not UTF-8 text.
    NotText(PathBuf),
    /// It cannot be read, for this cause.
    Unreadable(PathBuf, String),
    /// It cannot be written, for this cause.
    Unwritable(PathBuf, String),
}

impl FileError {
    /// What to do about it.
    pub fn hint(&self) -> String {
        match self {
            Self::NoConfig(None) => "`--file` names a config that is elsewhere".to_owned(),
            Self::NoConfig(Some(other)) => format!(
                "`{other}` is of another tool: write `{}`; `--file` names a config of gordon that is elsewhere",
                USUAL[0]
            ),
            Self::Several(names) => format!("`--file {}` takes the first", names.first().unwrap_or(&"")),
            Self::Missing(_) | Self::NoFolder(_) => {
                "see whether the path is right, and relative to where".to_owned()
            }
            Self::Dangling(_) => "`ls -l` shows where the link points".to_owned(),
            Self::NoFile(_) => "write it into a file, and name that".to_owned(),
            Self::TooLarge(..) => "see whether it is the right file".to_owned(),
            Self::NotText(_) => "save it as UTF-8".to_owned(),
            Self::Unreadable(..) => "see whether this user may read it".to_owned(),
            Self::Unwritable(..) => {
                "see whether its folder is there, and whether this user may write to it".to_owned()
            }
        }
    }

    /// Why `path`, which people know as `known`, cannot be read.
    pub(super) fn reading(path: &Path, known: &Path, error: &io::Error) -> Self {
        let known = known.to_owned();
        match error.kind() {
            io::ErrorKind::NotFound if path.is_symlink() => Self::Dangling(known),
            io::ErrorKind::NotFound => Self::Missing(known),
            _ => Self::Unreadable(known, error.to_string()),
        }
    }
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoConfig(_) => write!(f, "there is no config here: none of {}", USUAL.join(", ")),
            Self::Several(names) => write!(f, "there are several configs here: {}", names.join(", ")),
            Self::Missing(path) => write!(f, "{}: there is no such file", path.display()),
            Self::Dangling(path) => {
                write!(f, "{}: this is a link to a file that is not there", path.display())
            }
            Self::NoFolder(path) => write!(f, "{}: there is no such folder", path.display()),
            Self::NoFile(path) => write!(f, "{}: this is a folder, a pipe or a device", path.display()),
            Self::TooLarge(path, most) => {
                write!(f, "{}: this is larger than {} MiB", path.display(), most >> 20)
            }
            Self::NotText(path) => write!(f, "{}: this is not UTF-8 text", path.display()),
            Self::Unreadable(path, cause) => write!(f, "{}: cannot be read: {cause}", path.display()),
            Self::Unwritable(path, cause) => write!(f, "{}: cannot be written: {cause}", path.display()),
        }
    }
}

impl std::error::Error for FileError {}

/// The config: `named`, or the one in this folder that has a usual name. Its relative paths begin in `folder`, or where it
/// is itself.
///
/// # Errors
/// When it cannot be read, or it was not named and there is none or more than one.
pub fn config(named: Option<&Path>, folder: Option<&Path>) -> Result<ConfigFile, FileError> {
    let here = env::current_dir().map_err(|e| FileError::Unreadable(".".into(), e.to_string()))?;
    config_in(&here, named, folder)
}

fn config_in(here: &Path, named: Option<&Path>, folder: Option<&Path>) -> Result<ConfigFile, FileError> {
    let path = match named {
        Some(path) => path.to_owned(),
        None => {
            // a dangling link is a config that cannot be read
            let is_there = |name: &&str| fs::symlink_metadata(here.join(name)).is_ok();
            let mut usual = USUAL.into_iter().filter(is_there);
            let others = || OTHERS.into_iter().find(|name| here.join(name).exists());
            let first = usual.next().ok_or_else(|| FileError::NoConfig(others()))?;
            let others: Vec<_> = usual.collect();
            if !others.is_empty() {
                return Err(FileError::Several([vec![first], others].concat()));
            }
            PathBuf::from(first)
        }
    };
    let text = read_up_to(LARGEST, &here.join(&path), &path)?;
    let beside = path.parent().expect("a file that was read has a folder");
    let folder = folder.unwrap_or(beside);
    let no_folder = || FileError::NoFolder(folder.to_owned());
    let folder = fs::canonicalize(here.join(folder)).map_err(|_| no_folder())?;
    if !folder.is_dir() {
        return Err(no_folder());
    }
    Ok(ConfigFile { path, folder, text })
}

/// The text of a file.
///
/// # Errors
/// When it cannot be read.
pub fn read(path: &Path) -> Result<String, FileError> {
    read_up_to(LARGEST, path, path)
}

/// The text of a file that gordon wrote, however large a project is.
///
/// # Errors
/// When it cannot be read.
pub fn read_plan(path: &Path) -> Result<String, FileError> {
    read_up_to(LARGEST_PLAN, path, path)
}

/// The text of the file `path`, which people know as `known`; at once, or not at all.
fn read_up_to(most: u64, path: &Path, known: &Path) -> Result<String, FileError> {
    let fails = |error: io::Error| FileError::reading(path, known, &error);
    // a pipe is not waited for
    let file = OpenOptions::new().read(true).custom_flags(OFlags::NONBLOCK.bits().cast_signed()).open(path);
    let file = file.map_err(fails)?;
    if !file.metadata().map_err(fails)?.is_file() {
        return Err(FileError::NoFile(known.to_owned()));
    }
    let mut bytes = Vec::new();
    file.take(most + 1).read_to_end(&mut bytes).map_err(fails)?;
    if bytes.len() as u64 > most {
        return Err(FileError::TooLarge(known.to_owned(), most));
    }
    String::from_utf8(bytes).map_err(|_| FileError::NotText(known.to_owned()))
}

/// The text of a file, when there is one.
///
/// # Errors
/// When it is there and cannot be read.
pub fn read_if_there(path: &Path) -> Result<Option<String>, FileError> {
    match read(path) {
        Ok(text) => Ok(Some(text)),
        Err(FileError::Missing(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The texts of those of `paths`, relative to `folder` or absolute, that are there; or why one cannot be read.
pub fn read_those_there<'a>(
    folder: &Path,
    paths: impl IntoIterator<Item = &'a str>,
) -> BTreeMap<String, Result<String, FileError>> {
    let read = |path: &'a str| {
        let text = read_up_to(LARGEST, &folder.join(path), Path::new(path));
        (text != Err(FileError::Missing(path.into()))).then(|| (path.to_owned(), text))
    };
    paths.into_iter().filter_map(read).collect()
}

/// The names of the files in `folder`, in their order; those that are no text are left out. `None` where it is no folder.
pub fn names_in(folder: &Path) -> Option<Vec<String>> {
    let entries = fs::read_dir(folder).ok()?.filter_map(Result::ok);
    let files = entries.filter(|entry| entry.file_type().is_ok_and(|kind| !kind.is_dir()));
    let mut names: Vec<String> = files.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort_unstable();
    Some(names)
}

/// Those of `paths`, relative to `folder` or absolute, that are not there for certain.
pub fn missing<'a>(folder: &Path, paths: impl IntoIterator<Item = &'a str>) -> BTreeSet<&'a str> {
    paths.into_iter().filter(|path| folder.join(path).try_exists().is_ok_and(|is_there| !is_there)).collect()
}

/// Whether others than the owner of a file may read it.
pub(super) fn is_read_by_others(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| metadata.mode() & 0o044 != 0)
}

/// Writes `text` to `path`: a reader sees the old text or the new one, never a part. Who may read it is left as
/// it was.
///
/// # Errors
/// When it cannot be written; the old text is then still there.
pub fn write(path: &Path, text: &str) -> Result<(), FileError> {
    try_write(path, text).map_err(|e| FileError::Unwritable(path.to_owned(), e.to_string()))
}

fn try_write(path: &Path, text: &str) -> io::Result<()> {
    // the target of a link is replaced, not the link
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let before = fs::metadata(&path).ok();
    if before.as_ref().is_some_and(|before| !before.is_file()) {
        // a pipe or a terminal
        return OpenOptions::new().write(true).open(&path)?.write_all(text.as_bytes());
    }
    let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?.to_string_lossy();
    let draft = path.with_file_name(format!(".{name}.{}", process::id()));
    let written = File::create_new(&draft).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        if let Some(before) = before {
            file.set_permissions(before.permissions())?;
        }
        file.sync_all()?;
        fs::rename(&draft, &path)
    });
    if written.is_err() {
        // what went wrong before matters more
        let _ = fs::remove_file(&draft);
    }
    written
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::fs::symlink;

    /// A folder with these files, each a path and a text.
    pub(in crate::sys) fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, text) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().expect("it is in a folder")).expect("a folder");
            fs::write(path, text).expect("a file");
        }
        folder
    }

    #[test]
    fn the_config_that_has_a_usual_name_is_taken() {
        let here = folder(&[("gordon.yml", "name: shop"), ("other.toml", "")]);
        let config = config_in(here.path(), None, None).expect("there is one");
        let folder = fs::canonicalize(here.path()).expect("a folder");
        assert_eq!((config.path, config.folder), ("gordon.yml".into(), folder));
        assert_eq!(config.text, "name: shop");
    }

    #[test]
    fn none_or_several_configs_are_not_guessed() {
        let error = |files: &[(&str, &str)]| {
            let error = config_in(folder(files).path(), None, None).expect_err("not clear");
            format!("{error}; {}", error.hint())
        };
        assert_eq!(
            error(&[("shop.toml", "")]),
            "there is no config here: none of gordon.toml, gordon.yaml, gordon.yml; `--file` names a config that is elsewhere"
        );
        assert_eq!(
            error(&[("iop.yml", ""), ("README.md", "")]),
            "there is no config here: none of gordon.toml, gordon.yaml, gordon.yml; `iop.yml` is of another tool: write `gordon.toml`; `--file` names a config of gordon that is elsewhere"
        );
        assert_eq!(
            error(&[("gordon.toml", ""), ("gordon.yml", "")]),
            "there are several configs here: gordon.toml, gordon.yml; `--file gordon.toml` takes the first"
        );
    }

    #[test]
    fn relative_paths_begin_beside_the_config_or_where_the_person_says() {
        let here = folder(&[("shops/a.toml", ""), ("env/a.env", "")]);
        let path = fs::canonicalize(here.path()).expect("a folder");
        let of = |folder| config_in(&path, Some(Path::new("shops/a.toml")), folder);
        let folder = |folder| of(Some(Path::new(folder))).expect("a config").folder;
        assert_eq!(of(None).expect("a config").folder, path.join("shops"));
        assert_eq!(of(None).expect("a config").path, Path::new("shops/a.toml"));
        assert_eq!(folder("env"), path.join("env"));
        assert_eq!(folder("/"), Path::new("/"));
        for no_folder in ["no", "env/a.env"] {
            let error = of(Some(Path::new(no_folder))).expect_err("it is no folder");
            assert_eq!(error.to_string(), format!("{no_folder}: there is no such folder"));
        }
    }

    #[test]
    fn a_folder_is_the_same_however_it_is_named() {
        let here = folder(&[("shop/gordon.toml", "")]);
        let shop = fs::canonicalize(here.path()).expect("a folder").join("shop");
        symlink("shop", here.path().join("current")).expect("a link");
        for (from, named) in [
            (".", "shop/gordon.toml"),
            ("shop", "gordon.toml"),
            ("shop", "./gordon.toml"),
            ("shop", "../shop//gordon.toml"),
            ("shop", "../current/gordon.toml"),
        ] {
            let config = config_in(&here.path().join(from), Some(Path::new(named)), None);
            assert_eq!(config.expect("a config").folder.as_os_str(), shop.as_os_str(), "{named} from {from}");
        }
    }

    #[test]
    fn a_file_that_cannot_be_read_is_named_with_the_cause() {
        let here = folder(&[("folder/file", "")]);
        fs::write(here.path().join("latin"), b"\xe4").expect("a file");
        let error = |name: &str| {
            let error = config_in(here.path(), Some(Path::new(name)), None).expect_err("not to be read");
            error.to_string()
        };
        assert_eq!(error("no.toml"), "no.toml: there is no such file");
        assert_eq!(error("latin"), "latin: this is not UTF-8 text");
        assert_eq!(error("folder"), "folder: this is a folder, a pipe or a device");
    }

    #[test]
    fn a_config_that_is_a_link_to_nothing_is_not_taken_for_none() {
        let here = folder(&[]);
        symlink("nowhere.toml", here.path().join("gordon.toml")).expect("a link");
        let error = config_in(here.path(), None, None).expect_err("there is nothing to read");
        assert_eq!(error, FileError::Dangling("gordon.toml".into()));
    }

    #[test]
    fn what_has_no_end_is_not_read() {
        let here = folder(&[]);
        let pipe = here.path().join("pipe");
        rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, rustix::fs::Mode::RWXU).expect("a pipe");
        for path in [pipe.as_path(), Path::new("/dev/zero"), here.path()] {
            assert_eq!(read(path), Err(FileError::NoFile(path.to_owned())));
        }
        let large = here.path().join("large");
        File::create(&large).and_then(|file| file.set_len(LARGEST + 1)).expect("a file");
        assert_eq!(read(&large), Err(FileError::TooLarge(large.clone(), LARGEST)));
        assert_eq!(
            read_those_there(here.path(), ["large"])["large"],
            Err(FileError::TooLarge("large".into(), LARGEST))
        );
        File::options()
            .write(true)
            .open(&large)
            .and_then(|file| file.set_len(LARGEST))
            .expect("its own file");
        assert!(read(&large).is_ok());
    }

    #[test]
    fn of_files_that_may_be_there_those_that_are_there_are_read() {
        let here = folder(&[("env/a.env", "A=1")]);
        symlink("nowhere", here.path().join("env/link.env")).expect("a link");
        let texts = read_those_there(here.path(), ["env/a.env", "env/b.env", "env/link.env", "env"]);
        let expected = [
            ("env", Err(FileError::NoFile("env".into()))),
            ("env/a.env", Ok("A=1".to_owned())),
            ("env/link.env", Err(FileError::Dangling("env/link.env".into()))),
        ];
        assert_eq!(texts, BTreeMap::from(expected.map(|(path, text)| (path.to_owned(), text))));
    }

    #[test]
    fn a_file_is_replaced_as_a_whole_and_keeps_its_permissions() {
        let here = folder(&[("real.sh", "old")]);
        let (real, link) = (here.path().join("real.sh"), here.path().join("link.sh"));
        fs::set_permissions(&real, fs::Permissions::from_mode(0o750)).expect("its own file");
        symlink("real.sh", &link).expect("a link");
        let reader = File::open(&real).expect("it is there");
        write(&link, "new").expect("it can be written");
        assert_eq!(io::read_to_string(reader).expect("it is open"), "old");
        assert_eq!(read(&real).as_deref(), Ok("new"));
        assert!(link.is_symlink());
        assert_eq!(fs::metadata(&real).expect("it is there").mode() & 0o777, 0o750);
        assert_eq!(fs::read_dir(here.path()).expect("a folder").count(), 2, "nothing is left behind");
    }

    #[test]
    fn what_cannot_be_written_leaves_nothing_behind() {
        let here = folder(&[("a/b", "")]);
        let error = write(&here.path().join("no/plan.json"), "").expect_err("there is no such folder");
        assert!(error.to_string().contains("no/plan.json: cannot be written: "), "{error}");
        write(Path::new("/dev/null"), "text").expect("a device can be written");
    }
}
