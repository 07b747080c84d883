//! What a container is told when it is made, and the hashed form of it that its label remembers.

use crate::name::EnvKey;
use crate::name::Volume;
use sha2::Digest;
use sha2::Sha256;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fmt;
use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

/// Everything that `docker run` is told of a container beside its name, image, labels and networks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Runtime {
    /// `--hostname`; `None`: docker's own choice.
    pub hostname: Option<String>,
    /// `--dns-option`, in order.
    pub dns: Vec<String>,
    /// `--entrypoint`: the first word goes there, the others before the command; empty: the image's.
    pub entrypoint: Vec<String>,
    /// The command; empty: the image's.
    pub command: Vec<String>,
    /// `--env-file`, in order; a later one wins over an earlier one.
    pub env_files: Vec<EnvFile>,
    /// `--env KEY=VALUE`, in order.
    pub env: Vec<(EnvKey, String)>,
    /// `--env KEY`: the value comes from the environment of the docker call.
    pub secrets: Vec<EnvKey>,
    /// `--volume`, in order.
    pub mounts: Vec<Mount>,
    /// `--publish`, in order.
    pub ports: Vec<String>,
    /// `--health-cmd` and its settings; `None`: the image's.
    pub health: Option<HealthCheck>,
    /// `--restart`.
    pub restart: String,
    /// `--user`.
    pub user: Option<String>,
    /// `--memory`.
    pub memory: Option<String>,
    /// `--cpus`.
    pub cpus: Option<String>,
}

/// An env file that docker reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnvFile {
    /// Relative to the folder of the config, or absolute.
    pub path: String,
    /// The hash of its content; see [`hash`].
    pub content: String,
    /// Whether a service has it from its app; then it is no part of the service's spec.
    pub inherited: bool,
}

/// Where a path inside a container comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount {
    /// What is mounted.
    pub source: Source,
    /// The path inside the container.
    pub target: String,
    /// Whether the container may only read it.
    pub read_only: bool,
}

/// What is mounted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A named volume.
    Volume(Volume),
    /// An absolute path of the host.
    Host(String),
    /// A path relative to the folder of the config, without a leading `./`.
    Folder(String),
}

/// A health check by command, which docker runs inside the container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealthCheck {
    /// A shell command line; exit status 0 is healthy.
    pub command: String,
    /// The time between two checks.
    pub interval: Duration,
    /// The time after which one check has failed.
    pub timeout: Duration,
    /// The time that the container has to become healthy, during which failed checks do not count.
    pub start_period: Duration,
}

/// What an image declares, which must be known before a container of it is planned.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImageFacts {
    /// The paths of its VOLUMEs, sorted.
    pub volumes: Vec<String>,
    /// The ports that it EXPOSEs, as `3000/tcp`, sorted.
    pub ports: Vec<String>,
    /// Whether it has a HEALTHCHECK.
    pub healthcheck: bool,
}

/// The ports of the host that `--publish` takes for this word, such as `127.0.0.1:8080:80/tcp` or `8000-8010:80`; none when
/// it leaves the choice to docker.
pub fn host_ports(publish: &str) -> impl Iterator<Item = u16> {
    let host = publish.rsplit(':').nth(1).unwrap_or_default();
    let (first, last) = host.split_once('-').unwrap_or((host, host));
    first.parse().ok().zip(last.parse().ok()).into_iter().flat_map(|(first, last): (u16, u16)| first..=last)
}

/// A value that nobody may see; shown as `…`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Keeps `value` from being shown.
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// The value, for the environment of a docker call, and for finding out that it is none: a variable of a config.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

/// What a container was told, as words `part:hash[,hash…]` with slashes between them, sorted by part; parts at their default are absent.
///
/// One label both decides and explains: the parts that differ are the reason to replace a container. Nothing that was
/// learned from a host is in it, so that plans made with and without a host agree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spec(Arc<str>);

/// A part of a [`Spec`] that two containers do not have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Difference<'a> {
    /// The part's name.
    pub part: &'a str,
    /// Which of the part's values differ, counted from 0.
    pub at: usize,
}

impl Default for Spec {
    fn default() -> Self {
        Self("".into())
    }
}

impl Spec {
    /// The spec with these parts, each with its values; those without any are left out.
    pub fn of(parts: &[(&str, Vec<&str>)]) -> Self {
        let words = parts.iter().filter(|(_, values)| !values.is_empty()).map(|(name, values)| {
            let hashes: Vec<String> = values.iter().map(|value| hash(value)).collect();
            format!("{name}:{}", hashes.join(","))
        });
        Self::sorted(words.collect())
    }

    /// The spec as it stands in a label.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The spec in a label; the version before had blanks in place of slashes.
    pub fn parse(label: &str) -> Self {
        let words = label.split([' ', '/']).filter(|word| !word.is_empty());
        Self::sorted(words.map(str::to_owned).collect())
    }

    fn sorted(words: BTreeSet<String>) -> Self {
        Self(words.into_iter().collect::<Vec<_>>().join("/").into())
    }

    /// Where this spec and `other` differ, in the order of the parts.
    pub fn differences<'a>(&'a self, other: &'a Self) -> Vec<Difference<'a>> {
        if self == other {
            return Vec::new();
        }
        let (ours, theirs) = (self.parts(), other.parts());
        let names: BTreeSet<&str> = ours.keys().chain(theirs.keys()).copied().collect();
        let mut found = Vec::new();
        for part in names {
            let hash =
                |parts: &BTreeMap<&str, Vec<&'a str>>, at| parts.get(part).and_then(|p| p.get(at).copied());
            let count = |parts: &BTreeMap<&str, Vec<&str>>| parts.get(part).map_or(0, Vec::len);
            let all = 0..count(&ours).max(count(&theirs));
            found.extend(
                all.filter(|at| hash(&ours, *at) != hash(&theirs, *at)).map(|at| Difference { part, at }),
            );
        }
        found
    }

    /// Whether this is one of a part's values.
    pub fn has(&self, part: &str, value: &str) -> bool {
        self.parts().get(part).is_some_and(|hashes| hashes.contains(&hash(value).as_str()))
    }

    fn parts(&self) -> BTreeMap<&str, Vec<&str>> {
        let words = self.0.split('/').filter_map(|word| word.split_once(':'));
        words.map(|(name, hashes)| (name, hashes.split(',').collect())).collect()
    }
}

impl fmt::Display for Spec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The first 8 hex digits of the SHA-256 of `text`: enough to tell a change, no help to anyone who guesses.
pub fn hash(text: &str) -> String {
    let mut hex = String::with_capacity(8);
    for byte in Sha256::digest(text.as_bytes()).iter().take(4) {
        write!(hex, "{byte:02x}").expect("a string takes all");
    }
    hex
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(parts: &[(&str, &[&str])]) -> Spec {
        let parts: Vec<_> = parts.iter().map(|(name, values)| (*name, values.to_vec())).collect();
        Spec::of(&parts)
    }

    #[test]
    fn a_spec_survives_its_label() {
        let spec = spec(&[("image", &["redis:7"]), ("env", &["A=1", "B=2"]), ("command", &[])]);
        assert_eq!(spec.to_string(), "env:f1d316d3,0bb52b08/image:00ed341f");
        assert_eq!(Spec::parse(&spec.to_string()), spec);
        // the version before had blanks between them
        assert_eq!(Spec::parse("env:f1d316d3,0bb52b08 image:00ed341f"), spec);
    }

    #[test]
    fn the_parts_that_differ_are_the_reason() {
        let old = spec(&[("image", &["redis:7"]), ("env-file", &["a", "b"])]);
        let new = spec(&[("image", &["redis:7"]), ("env-file", &["a", "c"]), ("user", &["app"])]);
        let parts: Vec<_> = new.differences(&old).iter().map(|d| (d.part, d.at)).collect();
        assert_eq!(parts, [("env-file", 1), ("user", 0)]);
        assert!(new.differences(&new).is_empty());
    }

    #[test]
    fn a_secret_is_not_shown() {
        assert_eq!(format!("{:?}", Secret::new("hunter2")), "…");
    }
}
