//! The limits that `docker update` changes of a container that is there, as docker counts them.

use super::Settings;
use super::check;
use std::collections::BTreeMap;

/// The limits of a container, by docker's flags for them; those that it does not have are absent.
pub type Limits = BTreeMap<&'static str, String>;

/// A limit that is not the one of the config.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtherLimit {
    /// Docker's flag.
    pub flag: &'static str,
    /// What the container has, as docker counts it.
    pub seen: String,
    /// What the config says, in the same form.
    pub wanted: Option<String>,
}

/// How docker counts a limit.
#[derive(Clone, Copy)]
enum Unit {
    Bytes,
    /// A part of a processor in a thousand millions.
    Nano,
    Number,
    Text,
}

const LIMITS: [(&str, Unit); 6] = [
    ("--cpu-shares", Unit::Number),
    ("--cpus", Unit::Nano),
    ("--cpuset-cpus", Unit::Text),
    ("--memory", Unit::Bytes),
    ("--memory-reservation", Unit::Bytes),
    (PIDS, Unit::Number),
];

/// Engines may have a limit of their own for this.
const PIDS: &str = "--pids-limit";

impl Settings {
    /// The first limit of a container which these settings did not give it. One that it lacks is none: docker leaves out what
    /// the kernel cannot limit.
    pub fn other_limit(&self, seen: &Limits) -> Option<OtherLimit> {
        LIMITS.iter().find_map(|(flag, unit)| {
            let seen = seen.get(flag)?;
            let wanted = match self.word_of(flag) {
                Some(word) => Some(unit.count(word)?),
                None if *flag == PIDS => return None,
                None => None,
            };
            let is_other = wanted.as_ref() != Some(seen);
            is_other.then(|| OtherLimit { flag, seen: seen.clone(), wanted })
        })
    }

    /// The limits that docker would tell of a container with these settings.
    pub fn limits(&self) -> Limits {
        let limit = |(flag, unit): &(&'static str, Unit)| Some((*flag, unit.count(self.word_of(flag)?)?));
        LIMITS.iter().filter_map(limit).collect()
    }

    /// The value of a flag, whether it has a key or is an option.
    fn word_of(&self, flag: &str) -> Option<&str> {
        let mut found = None;
        let mut words = self.flags();
        while let Some(word) = words.next() {
            match word.strip_prefix(flag) {
                Some("") => found = words.next(),
                Some(rest) if rest.starts_with('=') => found = Some(&rest[1..]),
                _ => {}
            }
        }
        found
    }
}

impl Unit {
    /// `word` as docker counts it; nothing where that is not known.
    fn count(self, word: &str) -> Option<String> {
        const NANO: f64 = 1e9;
        match self {
            Self::Bytes => check::bytes(word).map(|bytes| format!("{:.0}", bytes.floor())),
            Self::Nano => word.parse().ok().map(|cpus: f64| format!("{:.0}", cpus * NANO)),
            Self::Number => word.parse().ok().map(|number: i64| number.to_string()),
            Self::Text => Some(word.to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Setting;
    use super::*;

    #[test]
    fn a_limit_that_the_config_did_not_give_is_found() {
        let settings = |pairs: &[(&str, &str)]| {
            let mut settings = Settings::default();
            for (key, value) in pairs {
                settings.set(Setting::find(key).expect("a setting"), vec![(*value).to_owned()]);
            }
            settings
        };
        let memory = &[("memory", "512m")][..];
        for (told, flag, seen, found) in [
            (memory, "--memory", "536870912", None),
            (memory, "--memory", "67108864", Some(Some("536870912"))),
            (&[("memory", "1.5g")], "--memory", "1610612736", None),
            (&[], "--memory", "67108864", Some(None)),
            (&[("cpus", "0.5")], "--cpus", "500000000", None),
            (&[("cpus", "1.5")], "--cpus", "500000000", Some(Some("1500000000"))),
            (&[("options", "--cpu-shares=512")], "--cpu-shares", "512", None),
            (&[("options", "--cpu-shares=512")], "--cpu-shares", "100", Some(Some("512"))),
            (&[("options", "--cpuset-cpus=0-1")], "--cpuset-cpus", "0", Some(Some("0-1"))),
            (&[("options", "--pids-limit=200")], "--pids-limit", "100", Some(Some("200"))),
            // Podman's own
            (&[], "--pids-limit", "2048", None),
        ] {
            let told = settings(told);
            let seen = Limits::from([(flag, seen.to_owned())]);
            let other = told.other_limit(&seen);
            assert_eq!(other.as_ref().map(|other| other.wanted.as_deref()), found, "{told:?} {seen:?}");
            assert_eq!(told.other_limit(&told.limits()), None);
            assert_eq!(told.other_limit(&Limits::new()), None, "the kernel may not know it");
        }
    }
}
