//! The hashed form of a container's settings, which its label remembers.

use super::content::FILES;
use sha2::Digest;
use sha2::Sha256;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

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

    /// The spec as a label has it.
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

    /// The spec as it was remembered before files were; `None`: there are none in it.
    pub fn without_files(&self) -> Option<Self> {
        let words = self.0.split('/').filter(|word| !word.starts_with(FILES)).map(str::to_owned);
        let without = Self::sorted(words.collect());
        (without != *self).then_some(without)
    }

    /// Whether a part remembers files, and is not in this spec: whether they changed is not known.
    pub fn lacks_files(&self, part: &str) -> bool {
        part.starts_with(FILES) && !self.has_part(part)
    }

    /// Whether the part is there, so not at its default.
    pub fn has_part(&self, part: &str) -> bool {
        self.parts().contains_key(part)
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
    hash_of(text.as_bytes())
}

/// The same of any bytes.
pub fn hash_of(bytes: &[u8]) -> String {
    let [a, b, c, d, ..] = Sha256::digest(bytes).0;
    format!("{:08x}", u32::from_be_bytes([a, b, c, d]))
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
}
