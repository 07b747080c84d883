//! Names, parsed once at the border, so that none is wrong inside. Does not know where a name comes from.

mod image;

pub use image::Image;

use serde::de::Deserialize;
use serde::de::Deserializer;
use serde::de::Error;
use std::borrow::Borrow;
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

/// Why a text is not a valid name of its kind. Continues the phrase "`text` is not …".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameError {
    text: String,
    expected: &'static str,
    hint: Cow<'static, str>,
}

impl NameError {
    /// `check` tells whether a text is a valid name; `hint` lists the allowed characters.
    fn new(text: String, expected: &'static str, hint: &'static str, check: fn(&str) -> bool) -> Self {
        let plain = without_url(&text);
        let has_capitals = check("A");
        let hint = match !has_capitals && check(&plain) {
            true => format!("did you mean `{plain}`?").into(),
            false => hint.into(),
        };
        Self { text, expected, hint }
    }

    /// How to correct it: the name that was probably meant, or the allowed characters.
    pub fn hint(&self) -> &str {
        &self.hint
    }
}

/// The text in lower case; of a URL, only the host.
fn without_url(text: &str) -> String {
    let host = text.split_once("://").and_then(|(_, rest)| rest.split(['/', ':']).next());
    host.unwrap_or(text).trim().trim_end_matches(['.', '/']).to_lowercase()
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is not {}", visible(&self.text), self.expected)
    }
}

impl std::error::Error for NameError {}

impl NameError {
    /// The same error for serde, with the hint on a line of its own.
    fn for_serde<E: Error>(self) -> E {
        E::custom(format_args!("{self}\n{}", self.hint))
    }
}

/// Whether a terminal obeys a character or hides it, so that the reader does not see what the text holds:
/// control characters, line and paragraph separators, direction marks, and characters without width.
pub fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{ad}'
                | '\u{61c}'
                | '\u{180e}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

/// A text as a message shows it: hidden characters are escaped.
pub fn visible(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut shown, c| {
        if is_hidden(c) {
            shown.extend(c.escape_default())
        } else {
            shown.push(c)
        }
        shown
    })
}

/// Why a path cannot be a mount point inside a container. Continues a phrase that begins with the path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MountPathError {
    /// It holds a control character.
    Control,
    /// It holds a colon, at which docker would cut it.
    Colon,
    /// It does not begin with a slash.
    Relative,
    /// It holds `..`.
    Parent,
    /// It is the root.
    Root,
}

impl MountPathError {
    /// What to write instead.
    pub fn hint(self) -> &'static str {
        match self {
            Self::Control => "write it on one line",
            Self::Colon => "docker knows no mount at such a path",
            Self::Relative => "begin the container's path with `/`",
            Self::Parent => "write the path that it means",
            Self::Root => "mount it on a folder, as in `data:/data`",
        }
    }
}

impl fmt::Display for MountPathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Control => "holds a control character",
            Self::Colon => "holds `:`",
            Self::Relative => "is not absolute",
            Self::Parent => "holds `..`",
            Self::Root => "would hide the whole container",
        })
    }
}

/// The mount point of `path` inside a container, as docker normalises it. Paths of a config and of an image
/// compare equal in this form.
///
/// # Errors
/// When docker would refuse the path, take it for another path, or hide everything else in the container.
pub fn mount_path(path: &str) -> Result<String, MountPathError> {
    let steps = || path.split('/').filter(|step| !matches!(*step, "" | "."));
    if path.chars().any(char::is_control) {
        Err(MountPathError::Control)
    } else if path.contains(':') {
        Err(MountPathError::Colon)
    } else if !path.starts_with('/') {
        Err(MountPathError::Relative)
    } else if steps().any(|step| step == "..") {
        Err(MountPathError::Parent)
    } else if steps().next().is_none() {
        Err(MountPathError::Root)
    } else {
        Ok(steps().fold(String::new(), |path, step| path + "/" + step))
    }
}

macro_rules! names {
    ($($(#[$doc:meta])* $name:ident: $expected:literal, $check:expr, $hint:literal;)*) => { $(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// The name in `text`.
            ///
            /// # Errors
            /// When `text` is not such a name.
            pub fn parse(text: impl AsRef<str>) -> Result<Self, NameError> {
                let text = text.as_ref();
                let check: fn(&str) -> bool = $check;
                if check(text) {
                    Ok(Self(text.into()))
                } else {
                    Err(NameError::new(text.to_owned(), $expected, $hint, check))
                }
            }

            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Self::parse(String::deserialize(deserializer)?).map_err(NameError::for_serde)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )* }
}

names! {
    /// A project: the unit that owns what gordon makes, and the default prefix of its names.
    Project: "a project name", |s| is_label(s) && is_lower(s),
        "lower-case letters, digits and `-`, at most 63, beginning and ending with a letter or digit";
    /// A domain that routes to an app; lower case, since DNS ignores case.
    Domain: "a domain", |s| s.len() <= 253 && is_lower(s) && s.split('.').all(is_label),
        "lower-case letters, digits and `-` between dots, without scheme, port and `*`; other scripts as `xn--…`";
    /// A group of domains that share a network, or the id of a route.
    Label: "a name", |s| is_label(s) && is_lower(s),
        "lower-case letters, digits and `-`, at most 63, beginning and ending with a letter or digit";
    /// The own name of an app or a service. The last part of an image's path is one, unless it is too long.
    ShortName: "a name", is_short_name,
        "lower-case letters, digits, `-`, `_` and `.`, at most 63 between dots, beginning and ending with a letter or digit";
    /// A volume as a config names it, before its prefix.
    VolumeName: "the name of a volume", is_volume_name, "letters, digits, `_`, `.` and `-`, beginning with a letter or digit";
    /// The unit of isolation, which every thing belongs to: a domain, a group or a project.
    Owner: "an owner", |_| true, "any text";
    /// A container, as docker names it.
    Container: "a container name", is_object, "letters, digits, `_`, `.` and `-`, beginning with a letter or digit";
    /// A network, as docker names it.
    Network: "a network name", is_object, "letters, digits, `_`, `.` and `-`, beginning with a letter or digit";
    /// A volume, as docker names it.
    Volume: "a volume name", is_object, "letters, digits, `_`, `.` and `-`, beginning with a letter or digit";
    /// A name that docker's resolver answers inside a network: labels of at most 63 characters.
    Alias: "a network alias", |s| s.len() <= 253 && s.split('.').all(|l| l.len() <= 63 && is_host_label(l)),
        "letters, digits, `_` and `-` between dots, at most 63 a label";
    /// The name of an environment variable, as docker accepts it: `discovery.type` is one.
    EnvKey: "the name of an environment variable", is_env_key, "anything printable without blanks, `=` and `#`";
    /// The name of an environment variable that a shell passes on unchanged, and that does not change
    /// docker's own behaviour.
    SecretKey: "the name of a secret", is_secret_key,
        "letters, digits and `_`, not beginning with a digit; not what docker reads (`PATH`, `HOME`, `DOCKER_…`), what a \
         shell sets (`IFS`, `PWD`, `BASH…`), or `_` before a small letter, which scripts of gordon use";
    /// The id of an image: `sha256:` and 64 hex digits.
    ImageId: "an image id", is_image_id, "`sha256:` and 64 hex digits";
}

impl ImageId {
    /// The first 12 digits, docker's short form of an id.
    pub fn short(&self) -> &str {
        &self.0["sha256:".len()..][..12]
    }
}

impl Borrow<str> for Container {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl Volume {
    /// Whether docker made up the name.
    pub fn is_anonymous(&self) -> bool {
        self.0.len() == 64 && self.0.bytes().all(|b| b.is_ascii_hexdigit())
    }
}

impl From<&Project> for Owner {
    fn from(project: &Project) -> Self {
        Self(project.0.clone())
    }
}

impl From<&Domain> for Owner {
    fn from(domain: &Domain) -> Self {
        Self(domain.0.clone())
    }
}

impl From<&Label> for Owner {
    fn from(group: &Label) -> Self {
        Self(group.0.clone())
    }
}

impl From<SecretKey> for EnvKey {
    fn from(key: SecretKey) -> Self {
        Self(key.0)
    }
}

fn is_lower(s: &str) -> bool {
    !s.bytes().any(|b| b.is_ascii_uppercase())
}

/// A DNS label: RFC 1123.
fn is_label(s: &str) -> bool {
    (1..=63).contains(&s.len())
        && s.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        && !s.starts_with('-')
        && !s.ends_with('-')
}

/// A label that docker's resolver accepts: with underscores, which are common in image names.
fn is_host_label(s: &str) -> bool {
    !s.is_empty()
        && s.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        && !s.starts_with('-')
}

/// Docker's rule: `[a-zA-Z0-9][a-zA-Z0-9_.-]+`.
fn is_object(s: &str) -> bool {
    s.len() >= 2
        && s.as_bytes()[0].is_ascii_alphanumeric()
        && s.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-'))
}

fn is_short_name(s: &str) -> bool {
    let is_word = |b: Option<u8>| b.is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    s.len() <= 253
        && is_word(s.bytes().next())
        && is_word(s.bytes().last())
        && is_lower(s)
        && s.split('.').all(|label| label.len() <= 63 && is_host_label(label))
}

fn is_volume_name(s: &str) -> bool {
    s.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric())
        && s.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-'))
}

fn is_env_key(s: &str) -> bool {
    !s.is_empty() && s.bytes().all(|b| b.is_ascii_graphic() && b != b'=' && b != b'#')
}

/// Variables that shells set themselves, whatever their environment holds.
const SHELL_VARIABLES: [&str; 22] = [
    "_",
    "COMP_WORDBREAKS",
    "ENV",
    "EPOCHREALTIME",
    "EPOCHSECONDS",
    "EUID",
    "HISTCMD",
    "IFS",
    "LINENO",
    "OLDPWD",
    "OPTERR",
    "OPTIND",
    "PPID",
    "PS1",
    "PS2",
    "PS4",
    "PWD",
    "RANDOM",
    "SECONDS",
    "SHELLOPTS",
    "SHLVL",
    "UID",
];

/// Whether a secret may have this name. Secrets are in the environment of docker's command, which reads some
/// variables itself. In a script, the shell and the script have variables of their own.
fn is_secret_key(s: &str) -> bool {
    let is_of_scripts =
        s.strip_prefix('_').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_lowercase()));
    s.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        && s.bytes().next().is_some_and(|b| !b.is_ascii_digit())
        && !["PATH", "HOME", "GODEBUG", "XDG_RUNTIME_DIR", "CONTAINER_HOST"].contains(&s)
        && !["DOCKER_", "LD_", "BASH"].iter().any(|prefix| s.starts_with(prefix))
        && !SHELL_VARIABLES.contains(&s)
        && !is_of_scripts
}

fn is_image_id(s: &str) -> bool {
    s.strip_prefix("sha256:").is_some_and(|hex| {
        hex.len() == 64 && hex.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(good: &[&str], bad: &[&str], parses: fn(&str) -> bool) {
        for text in good {
            assert!(parses(text), "`{text}` is one");
        }
        for text in bad {
            assert!(!parses(text), "`{text}` is none");
        }
    }

    #[test]
    fn a_project_is_a_lower_case_dns_label() {
        let long = "a".repeat(64);
        check(&["gmail", "a-1", "9"], &["", "-a", "a-", "A", "a.b", "a_b", "ä", &long], |s| {
            Project::parse(s).is_ok()
        });
    }

    #[test]
    fn a_domain_is_made_of_dns_labels() {
        let long = format!("{}.com", "a".repeat(64));
        check(
            &["blog.company.com", "localhost", "xn--bcher-kva.example"],
            &["", ".com", "a..b", "a.com.", "*.a.com", "a b.com", "A.com", "bücher.de", "-a.com", &long],
            |s| Domain::parse(s).is_ok(),
        );
    }

    #[test]
    fn docker_objects_begin_with_a_letter_or_digit() {
        check(&["0-gordon-proxy", "a.b_c-D"], &["", "a", "-a", ".a", "a b", "a/b"], |s| {
            Container::parse(s).is_ok()
        });
    }

    #[test]
    fn each_label_of_an_alias_has_at_most_63_characters() {
        let (fits, long) = ("a".repeat(63), "a".repeat(64));
        check(&["redis", "postgres.internal", "my_app", &fits], &["", "a..b", "a b", &long], |s| {
            Alias::parse(s).is_ok()
        });
    }

    #[test]
    fn an_environment_name_is_one_that_docker_accepts() {
        check(&["A", "_a9", "discovery.type", "A-B"], &["", "A=B", "A B", "#A", "ä"], |s| {
            EnvKey::parse(s).is_ok()
        });
    }

    #[test]
    fn a_secret_never_changes_what_docker_does() {
        check(
            &["DATABASE_URL", "a9", "HOMEPAGE", "DOCKER"],
            &["", "9a", "A-B", "PATH", "HOME", "DOCKER_HOST", "LD_PRELOAD"],
            |s| SecretKey::parse(s).is_ok(),
        );
    }

    #[test]
    fn a_secret_never_shadows_a_variable_of_the_shell_or_script() {
        check(
            &["_JAVA_OPTIONS", "_9", "__a", "ENVIRONMENT", "PPID_FILE"],
            &["_", "_seen", "_step", "_a9", "IFS", "PWD", "BASH_ENV", "SHLVL"],
            |s| SecretKey::parse(s).is_ok(),
        );
    }

    #[test]
    fn the_last_part_of_an_image_is_a_short_name() {
        let long = "a".repeat(64);
        check(&["redis", "my_app", "my.app", "a__b"], &["", "_a", "a-", "A", "a..b", "a.-b", &long], |s| {
            ShortName::parse(s).is_ok()
        });
    }

    #[test]
    fn a_volume_may_have_capitals_and_a_single_letter() {
        check(&["d", "pg_data", "pgData"], &["", ".a", "-a", "a/b", "a b"], |s| VolumeName::parse(s).is_ok());
    }

    #[test]
    fn an_error_shows_the_text_and_a_hint() {
        let error = Project::parse("My Shop").expect_err("capitals and blanks are refused");
        assert_eq!(error.to_string(), "`My Shop` is not a project name");
        assert!(error.hint().starts_with("lower-case letters"));
    }

    #[test]
    fn an_error_suggests_the_name_that_was_meant() {
        for text in ["A.com", "a.com.", " a.com", "a.com/", "https://a.com", "HTTPS://A.com:443/up?x=1"] {
            assert_eq!(Domain::parse(text).expect_err(text).hint(), "did you mean `a.com`?", "{text}");
        }
        assert_eq!(Project::parse("Shop").expect_err("a capital").hint(), "did you mean `shop`?");
        assert!(SecretKey::parse("PATH").expect_err("docker reads it").hint().starts_with("letters"));
    }
}
