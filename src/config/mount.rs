//! What a container sees of the host by path: mounts and env files, as docker writes them. Does not know what is there.

use crate::name::VolumeName;
use crate::name::mount_path;
use crate::name::visible;
use crate::spec::Relabel;
use crate::spec::ValueError;

/// A volume or a folder of the host that a container sees.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mount {
    /// What is mounted.
    pub source: MountSource,
    /// Where the container sees it: an absolute path without `..`, and without a `/` at its end.
    pub target: String,
    /// Whether the container may write there.
    pub access: Access,
    /// The label that SELinux is to find there.
    pub relabel: Option<Relabel>,
}

/// What is mounted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum MountSource {
    /// A named volume, as the config calls it.
    Named(VolumeName),
    /// A folder or file of the host, by its absolute path.
    Host(String),
    /// A folder or file inside the config's folder, by its path from there; `.` is the folder itself.
    Folder(String),
}

/// What a container may do with a mount.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Access {
    /// `rw`.
    ReadWrite,
    /// `ro`.
    ReadOnly,
}

impl Mount {
    /// The mount in `text`: `name:/path`, `./path:/path` or `/path:/path`, each with options such as `:ro` and `:ro,z` or
    /// without.
    ///
    /// # Errors
    /// When `text` is no mount, or one that gordon does not make.
    pub fn parse(text: &str) -> Result<Self, ValueError> {
        let wrong = |why: &str, hint: &str| {
            Err(ValueError::new(format!("`{}` is not a mount: {why}", visible(text)), hint))
        };
        if text.chars().any(char::is_control) {
            return wrong("it holds a control character", "write it on one line");
        }
        let mut parts = text.split(':');
        let (Some(source), Some(target)) = (parts.next(), parts.next()) else {
            return wrong(
                "it has no `:`",
                "write `name:/path/in/the/container`, so that the data outlive the container",
            );
        };
        let (options, rest) = (parts.next(), parts.next());
        let Some((access, relabel)) = options_of(options).filter(|_| rest.is_none()) else {
            let why = "after the second `:` come `ro`, `rw`, `z` and `Z` with commas, or nothing";
            return wrong(why, "as in `data:/data:ro` or `/srv:/srv:ro,z`");
        };
        let target = match mount_path(target) {
            Ok(target) => target,
            Err(error) => return wrong(&format!("the container's path {error}"), error.hint()),
        };
        let is_path = source.starts_with('/') || matches!(source.split('/').next(), Some("." | ".."));
        let source = if is_path {
            match steps(source).as_slice() {
                ["..", ..] if !source.starts_with('/') => {
                    return wrong(
                        "it leaves the folder of the config",
                        "write the whole path of the host, as in `/srv/data:/data`",
                    );
                }
                steps if steps.contains(&"..") => {
                    return wrong("the path of the host holds `..`", "write the path that it means");
                }
                steps if source.starts_with('/') => MountSource::Host(format!("/{}", steps.join("/"))),
                [] => MountSource::Folder(".".to_owned()),
                steps => MountSource::Folder(steps.join("/")),
            }
        } else if source.starts_with('~') {
            return wrong("`~` is known to shells alone", "write the whole path");
        } else if source.contains('/') {
            return wrong("its first part is neither a path nor a name", "begin a folder with `./` or `/`");
        } else {
            match VolumeName::parse(source) {
                Ok(name) => MountSource::Named(name),
                Err(error) => return wrong("its first part is no name of a volume", error.hint()),
            }
        };
        Ok(Self { source, target, access, relabel })
    }
}

/// What `ro,z` says; each of it at most once.
fn options_of(text: Option<&str>) -> Option<(Access, Option<Relabel>)> {
    let (mut access, mut relabel) = (None, None);
    for option in text.into_iter().flat_map(|text| text.split(',')) {
        let is_new = match option {
            "rw" => access.replace(Access::ReadWrite).is_none(),
            "ro" => access.replace(Access::ReadOnly).is_none(),
            "z" => relabel.replace(Relabel::Shared).is_none(),
            "Z" => relabel.replace(Relabel::Private).is_none(),
            _ => false,
        };
        if !is_new {
            return None;
        }
    }
    Some((access.unwrap_or(Access::ReadWrite), relabel))
}

/// The parts of a path that are names: neither empty nor `.`.
pub(super) fn steps(path: &str) -> Vec<&str> {
    path.split('/').filter(|part| !matches!(*part, "" | ".")).collect()
}

/// The path of an env file: absolute, or relative to the config's folder.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct EnvFile(pub(super) String);

impl EnvFile {
    /// The path as docker takes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The path in `text`.
    ///
    /// # Errors
    /// When `text` is no path.
    pub fn parse(text: &str) -> Result<Self, ValueError> {
        if text.is_empty() || text.ends_with('/') || text.chars().any(char::is_control) {
            let message = format!("`{}` is not the path of a file", visible(text));
            return Err(ValueError::new(message, "as in `env/web.env`, relative to the config's folder"));
        }
        if text.starts_with('~') {
            let message = format!("`{}`: `~` is known to shells alone", visible(text));
            return Err(ValueError::new(message, "write the whole path"));
        }
        Ok(Self(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mount_is_a_volume_or_a_folder() {
        let mount = |text| Mount::parse(text).expect("a mount");
        assert_eq!(
            mount("pg_data:/data").source,
            MountSource::Named(VolumeName::parse("pg_data").expect("a name"))
        );
        assert_eq!(mount("data:/data").access, Access::ReadWrite);
        assert_eq!(mount("./conf:/etc/conf:ro").access, Access::ReadOnly);
        assert_eq!(mount("/srv:/srv:rw").target, "/srv");
        for (text, access, relabel) in [
            ("./conf:/etc/conf:z", Access::ReadWrite, Some(Relabel::Shared)),
            ("./conf:/etc/conf:Z,ro", Access::ReadOnly, Some(Relabel::Private)),
            ("./conf:/etc/conf:rw,z", Access::ReadWrite, Some(Relabel::Shared)),
        ] {
            assert_eq!((mount(text).access, mount(text).relabel), (access, relabel), "{text}");
        }
    }

    #[test]
    fn a_folder_is_one_however_its_path_is_written() {
        let mount = |text| Mount::parse(text).expect("a mount");
        let folder = |path: &str| MountSource::Folder(path.to_owned());
        for (text, source) in [
            ("./conf:/c", folder("conf")),
            (".//etc:/c", folder("etc")),
            ("././/etc/./ssl//:/c", folder("etc/ssl")),
            (".:/c", folder(".")),
            (".//:/c", folder(".")),
            ("./...:/c", folder("...")),
            ("//etc/./:/c", MountSource::Host("/etc".to_owned())),
            ("/:/c", MountSource::Host("/".to_owned())),
        ] {
            assert_eq!(mount(text).source, source, "{text}");
        }
        assert_eq!(mount("data://a/./b/").target, "/a/b");
    }

    #[test]
    fn a_mount_never_leaves_the_folder_of_the_config_unless_its_path_is_absolute() {
        for text in ["../conf:/c", "..:/c", ".//../conf:/c", "./..:/c"] {
            let error = Mount::parse(text).expect_err("it is outside");
            assert!(error.to_string().contains("leaves the folder"), "{error}");
            assert!(error.hint().contains("/srv/data:/data"), "{}", error.hint());
        }
        for text in ["./a/../b:/c", "./a/../../b:/c", "/srv/../etc:/c", "/..:/c"] {
            let error = Mount::parse(text).expect_err("it is not clear what it names");
            assert!(error.to_string().contains("holds `..`"), "{error}");
        }
    }

    #[test]
    fn a_mount_that_docker_or_people_would_misread_is_refused() {
        for text in [
            "",
            "/data",
            "data",
            "data:",
            "data:data",
            "data:/",
            "data:/.",
            "data:/a/../b",
            "data:/a:x",
            "data:/a:ro:z",
            "data:/a:",
            "data:/a:ro,",
            "data:/a:ro,rw",
            "data:/a:z,Z",
            "data:/a:shared",
            ":/a",
            "-v:/a",
            "~/a:/a",
            "a/b:/a",
            "a b:/a",
            ".hidden:/a",
            "/a\nb:/a",
            "a:/a\u{1b}[2J",
        ] {
            assert!(Mount::parse(text).is_err(), "`{text}`");
        }
    }
}
