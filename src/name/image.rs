//! Image references: `[registry[:port]/]path[:tag][@digest]`.

use super::NameError;
use serde::de::Deserialize;
use serde::de::Deserializer;
use std::fmt;
use std::sync::Arc;

/// A reference to an image, as written.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Image(Arc<str>);

const HINT: &str = "as in `redis:7-alpine` or `registry.example.com:5000/team/app:1.2`; lower case, at most 128 characters in a tag";

impl Image {
    /// The reference in `text`.
    ///
    /// # Errors
    /// When docker would not accept `text` as a reference to an image.
    pub fn parse(text: impl Into<String>) -> Result<Self, NameError> {
        let text = text.into();
        let parts = Parts::of(&text);
        if parts.are_valid() {
            Ok(Self(text.into()))
        } else {
            Err(NameError { text, expected: "an image reference", hint: HINT.into() })
        }
    }

    /// The reference as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The last part of the path, without tag and digest: `my-postgres` of `registry.x.com:5000/my-postgres:15`.
    pub fn last_part(&self) -> &str {
        let path = Parts::of(&self.0).path;
        path.rsplit('/').next().unwrap_or(path)
    }

    /// The full form of the reference, in which `redis` and `docker.io/library/redis:latest` compare equal.
    pub fn canonical(&self) -> String {
        let parts = Parts::of(&self.0);
        let registry = match parts.registry {
            None | Some("index.docker.io") => "docker.io",
            Some(registry) => registry,
        };
        let library = if registry == "docker.io" && !parts.path.contains('/') { "library/" } else { "" };
        let version = match (parts.tag, parts.digest) {
            (_, Some(digest)) => format!("@{digest}"),
            (Some(tag), None) => format!(":{tag}"),
            (None, None) => ":latest".to_owned(),
        };
        format!("{registry}/{library}{}{version}", parts.path)
    }
}

impl<'de> Deserialize<'de> for Image {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(String::deserialize(deserializer)?).map_err(NameError::for_serde)
    }
}

impl fmt::Display for Image {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

struct Parts<'a> {
    registry: Option<&'a str>,
    path: &'a str,
    tag: Option<&'a str>,
    digest: Option<&'a str>,
}

impl<'a> Parts<'a> {
    fn of(text: &'a str) -> Self {
        let (name, digest) = match text.split_once('@') {
            Some((name, digest)) => (name, Some(digest)),
            None => (text, None),
        };
        let (name, tag) = match name.rsplit_once(':') {
            Some((name, tag)) if !tag.contains('/') => (name, Some(tag)),
            _ => (name, None),
        };
        // docker's rule: the first part is a registry if it looks like a host and can be one
        let looks_like_a_host =
            |first: &str| first.contains(['.', ':']) || first == "localhost" || has_capitals(first);
        let (registry, path) = match name.split_once('/') {
            Some((first, path)) if looks_like_a_host(first) && is_registry(first) => (Some(first), path),
            _ => (None, name),
        };
        Self { registry, path, tag, digest }
    }

    fn are_valid(&self) -> bool {
        let name = self.registry.map_or(0, |r| r.len() + 1) + self.path.len();
        name <= 255
            && self.path.split('/').all(is_component)
            // docker takes 64 hex digits for an id, never for a repository
            && !(self.registry.is_none() && self.path.len() == 64 && is_hex(self.path))
            && self.tag.is_none_or(is_tag)
            && self.digest.is_none_or(is_digest)
    }
}

fn has_capitals(s: &str) -> bool {
    s.bytes().any(|b| b.is_ascii_uppercase())
}

fn is_hex(s: &str) -> bool {
    s.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

fn is_registry(s: &str) -> bool {
    let (host, port) = match s.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (s, None),
    };
    port.is_none_or(|p| !p.is_empty() && p.bytes().all(|b| b.is_ascii_digit()))
        && host.split('.').all(|label| {
            !label.is_empty()
                && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        })
}

/// Runs of lower-case letters and digits, joined by `.`, `_`, `__` or any number of `-`.
fn is_component(s: &str) -> bool {
    let is_word = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let bytes = s.as_bytes();
    let ends_with_words =
        bytes.first().is_some_and(|b| is_word(*b)) && bytes.last().is_some_and(|b| is_word(*b));
    ends_with_words
        && s.split(|c: char| c.is_ascii() && is_word(c as u8))
            .all(|joint| matches!(joint, "" | "." | "_" | "__") || joint.bytes().all(|b| b == b'-'))
}

fn is_tag(s: &str) -> bool {
    (1..=128).contains(&s.len())
        && s.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(&b))
        && !s.starts_with(['.', '-'])
}

fn is_digest(s: &str) -> bool {
    s.strip_prefix("sha256:").is_some_and(|hex| hex.len() == 64 && is_hex(hex))
        || s.strip_prefix("sha512:").is_some_and(|hex| hex.len() == 128 && is_hex(hex))
}

#[cfg(test)]
mod tests {
    use super::*;
    use oci_spec::distribution::Reference;
    use proptest::prelude::*;

    fn image(text: &str) -> Image {
        Image::parse(text).expect("an image reference")
    }

    #[test]
    fn the_last_part_of_the_path_names_a_service() {
        for (text, name) in [
            ("postgres:15", "postgres"),
            ("registry.x.com:5000/my-postgres:15", "my-postgres"),
            ("localhost/team/app", "app"),
            ("bitnami/redis", "redis"),
        ] {
            assert_eq!(image(text).last_part(), name, "{text}");
        }
    }

    #[test]
    fn references_to_one_image_compare_equal() {
        for text in [
            "redis",
            "redis:latest",
            "library/redis",
            "docker.io/redis",
            "index.docker.io/library/redis:latest",
        ] {
            assert_eq!(image(text).canonical(), "docker.io/library/redis:latest", "{text}");
        }
        assert_ne!(image("redis:7").canonical(), image("redis").canonical());
        assert_ne!(image("x.com/redis").canonical(), image("redis").canonical());
    }

    #[test]
    fn a_first_part_that_cannot_be_a_registry_belongs_to_the_path() {
        assert_eq!(image("0_a.0/a").canonical(), "docker.io/0_a.0/a:latest");
        assert!(Image::parse("A_b.c/d").is_err());
        assert!(Image::parse("a.b:x/c").is_err());
    }

    #[test]
    fn an_image_can_never_become_a_flag() {
        for text in [
            "-v",
            "--privileged",
            "-",
            "",
            " redis",
            "redis --rm",
            "a:-tag",
            "Redis",
            "a//b",
            "a___b",
            "a@sha256:1",
        ] {
            assert!(Image::parse(text).is_err(), "`{text}`");
        }
    }

    proptest! {
        #[test]
        fn references_follow_the_distribution_specification(
            text in "([a-zA-Z0-9.-]{1,6}(:[0-9]{1,3})?/)?[a-zA-Z0-9._-]{1,8}(/[a-z0-9._-]{1,5})?(:[a-zA-Z0-9._-]{1,6})?"
        ) {
            prop_assert_eq!(Image::parse(text.clone()).is_ok(), text.parse::<Reference>().is_ok(), "{}", text);
        }
    }
}
