//! What a container sees of the host by path: mounts and env files, as docker writes them. Does not know what is there.

use super::enabled::Enabled;
use super::form::Short;
use super::form::ShortOr;
use super::form::Written;
use super::problem::Problem;
use crate::name::Volume;
use crate::name::VolumeName;
use crate::name::mount_path;
use crate::name::visible;
use crate::spec::Relabel;
use crate::spec::ValueError;
use serde::Deserialize;
use serde::de::Deserializer;
use serde::de::Error;
use serde_spanned::Spanned;

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
    /// Whether a change of its files is a change of the container, where that can only read them.
    pub watch: Enabled,
}

impl Mount {
    /// Whether a change of its files is a change of the container.
    pub fn is_watched(&self) -> bool {
        self.access == Access::ReadOnly && self.watch == Enabled::Yes
    }
}

/// What is mounted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum MountSource {
    /// A named volume, as the config calls it.
    Named(VolumeName),
    /// A volume that is on the host already and is never made, by its name there.
    External(Volume),
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
        let source = match MountSource::parse(source) {
            Ok(source) => source,
            Err((why, hint)) => return wrong(why, hint),
        };
        Ok(Self { source, target, access, relabel, watch: Enabled::Yes })
    }
}

impl MountSource {
    /// A name of a volume, or a path; else why it is neither, and what to do.
    fn parse(source: &str) -> Result<Self, (&'static str, &'static str)> {
        let is_path = source.starts_with('/') || matches!(source.split('/').next(), Some("." | ".."));
        if is_path {
            return match steps(source).as_slice() {
                ["..", ..] if !source.starts_with('/') => Err((
                    "it leaves the folder of the config",
                    "write the whole path of the host, as in `/srv/data:/data`",
                )),
                steps if steps.contains(&"..") => {
                    Err(("the path of the host holds `..`", "write the path that it means"))
                }
                steps if source.starts_with('/') => Ok(Self::Host(format!("/{}", steps.join("/")))),
                [] => Ok(Self::Folder(".".to_owned())),
                steps => Ok(Self::Folder(steps.join("/"))),
            };
        }
        if source.starts_with('~') {
            return Err(("`~` is known to shells alone", "write the whole path"));
        }
        if source.contains('/') {
            return Err(("the source is neither a path nor a name", "begin a folder with `./` or `/`"));
        }
        let hint = "letters, digits, `_`, `.` and `-`, beginning with a letter or digit";
        VolumeName::parse(source).map(Self::Named).map_err(|_| ("the source is no name of a volume", hint))
    }
}

/// A mount as people write it: in one word, or as a table.
pub(super) type MountForm = ShortOr<Mount, MountTable>;

impl Short for Mount {
    const EXPECTED: &'static str = "a mount, as in `data:/data`, or a table with `name` and `target`";
}

/// A mount in the long form, with a `name` or `external`.
pub(super) struct MountTable(MountKeys);

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table with `name` and `target`")]
struct MountKeys {
    #[serde(default)]
    name: Option<Spanned<Written>>,
    target: Spanned<Written>,
    #[serde(default)]
    external: Option<Spanned<Written>>,
    #[serde(default)]
    read_only: Option<Enabled>,
    #[serde(default)]
    watch: Option<Spanned<Enabled>>,
}

impl<'de> Deserialize<'de> for MountTable {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let keys = MountKeys::deserialize(deserializer)?;
        match (&keys.name, &keys.external) {
            (None, None) => Err(D::Error::missing_field("name")),
            _ => Ok(Self(keys)),
        }
    }
}

/// The mount that a form says; nothing when it is wrong.
pub(super) fn into_mount(form: Spanned<MountForm>, problems: &mut Vec<Problem>) -> Option<Spanned<Mount>> {
    let span = form.span();
    match form.into_inner() {
        ShortOr::Short(mount) => Some(mount),
        ShortOr::Table(MountTable(keys)) => keys.into_mount(problems).map(|mount| Spanned::new(span, mount)),
    }
}

impl MountKeys {
    fn into_mount(self, problems: &mut Vec<Problem>) -> Option<Mount> {
        let source = self.source(problems);
        let (place, Written(target)) = (self.target.span(), self.target.into_inner());
        let target = mount_path(&target).map_err(|error| {
            let message =
                format!("`{}` is no path of a mount: the container's path {error}", visible(&target));
            problems.push(Problem::error(place, message).hint(error.hint()));
        });
        let access = match self.read_only {
            Some(Enabled::Yes) => Access::ReadOnly,
            Some(Enabled::No) | None => Access::ReadWrite,
        };
        let (source, target) = (source?, target.ok()?);
        let watch = self.watch.map(|watch| (watch.span(), watch.into_inner()));
        let mount = Mount { source, target, access, relabel: None, watch: Enabled::Yes };
        let is_path = matches!(mount.source, MountSource::Host(_) | MountSource::Folder(_));
        match watch {
            Some((span, Enabled::Yes)) if !is_path || !mount.is_watched() => {
                let message = "files are watched only where containers do not change them";
                let hint = "a path with `read_only = true` is watched; remove `watch`";
                problems.push(Problem::error(span, message).hint(hint));
                None
            }
            Some((_, watch)) => Some(Mount { watch, ..mount }),
            None => Some(mount),
        }
    }

    fn source(&self, problems: &mut Vec<Problem>) -> Option<MountSource> {
        let problem = match (&self.name, &self.external) {
            // it was refused when it was read
            (None, None) => return None,
            // as Compose has it
            (name, Some(external)) if external.get_ref().0 == "true" => {
                let name = name.as_ref().map_or("NAME", |name| name.get_ref().0.as_str());
                Problem::error(external.span(), "`external` is the name of a volume that is there already")
                    .hint(format!("write `external = \"{}\"`, without `name`", visible(name)))
            }
            (Some(name), Some(external)) => Problem::error(
                external.span(),
                "a mount is of `name` or of `external`, not of both",
            )
            .also(name.span(), "also here")
            .hint("keep `external` for a volume that is there already, `name` for one that gordon makes"),
            (None, Some(external)) => match Volume::parse(external.get_ref().0.as_str()) {
                Ok(volume) => return Some(MountSource::External(volume)),
                Err(error) => Problem::error(external.span(), error.to_string()).hint(error.hint()),
            },
            (Some(name), None) => {
                let Written(text) = name.get_ref();
                let wrong = |why: &str, hint: &str| {
                    let message = format!("`{}` is nothing to mount: {why}", visible(text));
                    Problem::error(name.span(), message).hint(hint)
                };
                let has_others = text.contains(':') || text.chars().any(char::is_control);
                match MountSource::parse(text) {
                    _ if has_others => wrong(
                        "it holds a `:` or a control character",
                        "`target` and `read_only` have keys of their own",
                    ),
                    Ok(source) => return Some(source),
                    Err((why, hint)) => wrong(why, hint),
                }
            }
        };
        problems.push(problem);
        None
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
