//! Values in one word that docker has a notation of its own for: a restart policy, a user, memory. Does not know what they are
//! for.

use crate::name::visible;
use std::fmt;

/// Why a text is not the value that it should be, and what to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValueError {
    message: String,
    hint: String,
}

impl ValueError {
    pub(super) fn new(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { message: message.into(), hint: hint.into() }
    }

    /// What to write.
    pub fn hint(&self) -> &str {
        &self.hint
    }
}

impl fmt::Display for ValueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ValueError {}

/// When docker starts a container again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Restart {
    /// `no`.
    No,
    /// `always`.
    #[default]
    Always,
    /// `unless-stopped`.
    UnlessStopped,
    /// `on-failure`, and how often at most.
    OnFailure(Option<u32>),
}

/// Whom a program runs as: `user[:group]`, names or numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User(pub(super) String);

/// An amount of memory, as docker writes it: `512m`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Memory(pub(super) String);

/// A number of processors, as docker writes it: `1.5`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cpus(pub(super) String);

macro_rules! as_str {
    ($($name:ident)*) => { $(
        impl $name {
            /// The value as docker takes it.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
    )* }
}

as_str! { User Memory Cpus }

impl Restart {
    /// The policy in `text`.
    ///
    /// # Errors
    /// When docker would not take `text`.
    pub fn parse(text: &str) -> Result<Self, ValueError> {
        let (policy, tries) = match text.split_once(':') {
            Some((policy, tries)) => (policy, tries.parse::<u32>().ok()),
            None => (text, None),
        };
        let has_tries = text.contains(':');
        match policy {
            "no" if !has_tries => Ok(Self::No),
            "always" if !has_tries => Ok(Self::Always),
            "unless-stopped" if !has_tries => Ok(Self::UnlessStopped),
            "on-failure" if has_tries == tries.is_some() => {
                // docker takes 0 for as many as it takes
                Ok(Self::OnFailure(tries.filter(|tries| *tries > 0)))
            }
            _ => Err(ValueError::new(
                format!("`{}` is not a restart policy", visible(text)),
                "write `no`, `always`, `unless-stopped`, `on-failure` or `on-failure:3`",
            )),
        }
    }
}

impl fmt::Display for Restart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::No => f.write_str("no"),
            Self::Always => f.write_str("always"),
            Self::UnlessStopped => f.write_str("unless-stopped"),
            Self::OnFailure(None) => f.write_str("on-failure"),
            Self::OnFailure(Some(tries)) => write!(f, "on-failure:{tries}"),
        }
    }
}

impl User {
    /// The user in `text`.
    ///
    /// # Errors
    /// When docker would not take `text`.
    pub fn parse(text: &str) -> Result<Self, ValueError> {
        let is_name = |s: &str| !s.is_empty() && s.chars().all(|c| !c.is_control() && !c.is_whitespace());
        if text.split(':').count() > 2 || !text.split(':').all(is_name) {
            let message = format!("`{}` is not a user", visible(text));
            return Err(ValueError::new(message, "write `name`, `1000` or `1000:1000`"));
        }
        Ok(Self(text.to_owned()))
    }
}

impl Memory {
    /// The amount in `text`.
    ///
    /// # Errors
    /// When docker would not take `text`; less than 6 MiB it does not.
    pub fn parse(text: &str) -> Result<Self, ValueError> {
        const LEAST: f64 = 6.0 * 1024.0 * 1024.0;
        const MOST: f64 = 9_223_372_036_854_775_807.0;
        let lower = text.to_ascii_lowercase();
        let number = lower.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let power = match &lower[number.len()..] {
            "" | "b" => Some(0),
            "k" | "kb" | "kib" => Some(1),
            "m" | "mb" | "mib" => Some(2),
            "g" | "gb" | "gib" => Some(3),
            "t" | "tb" | "tib" => Some(4),
            _ => None,
        };
        let bytes = parse_decimal(number).zip(power).map(|(number, power)| number * 1024_f64.powi(power));
        match bytes {
            Some(bytes) if bytes < LEAST => Err(ValueError::new(
                format!("`{text}` is less memory than docker gives a container"),
                "docker's least is `6m`; `512m` are 512 MiB",
            )),
            Some(bytes) if bytes >= MOST => Err(ValueError::new(
                format!("`{text}` is more memory than docker can count"),
                "as in `512m` or `2g`",
            )),
            Some(_) => Ok(Self(text.to_owned())),
            None => Err(ValueError::new(
                format!("`{}` is not an amount of memory", visible(text)),
                "as in `512m` or `2g`",
            )),
        }
    }
}

impl Cpus {
    /// The number in `text`.
    ///
    /// # Errors
    /// When docker would not take `text`.
    pub fn parse(text: &str) -> Result<Self, ValueError> {
        const LEAST: f64 = 0.01;
        // Linux knows no more
        const MOST: f64 = 8192.0;
        let decimals = text.split_once('.').map_or(0, |(_, decimals)| decimals.len());
        match parse_decimal(text) {
            Some(number) if number > MOST => Err(ValueError::new(
                format!("`{text}` are more processors than any host has"),
                "write at most as many as the host has: docker refuses more",
            )),
            Some(_) if decimals > 9 => Err(ValueError::new(
                format!("`{text}` is more exact than docker is"),
                "write at most nine digits after the dot",
            )),
            Some(number) if number >= LEAST => Ok(Self(text.to_owned())),
            _ => {
                let message = format!("`{}` is not a number of processors", visible(text));
                Err(ValueError::new(message, "as in `0.5` or `2`; at least `0.01`"))
            }
        }
    }
}

/// Digits, and a dot between some of them at most.
fn parse_decimal(text: &str) -> Option<f64> {
    let is_digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    (is_digits(whole) && is_digits(part)).then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_restart_policy_is_one_of_dockers() {
        for text in ["no", "always", "unless-stopped", "on-failure", "on-failure:3"] {
            assert_eq!(Restart::parse(text).expect("a policy").to_string(), text);
        }
        for text in ["", "never", "always:3", "on-failure:", "on-failure:x", "No"] {
            assert!(Restart::parse(text).is_err(), "`{text}`");
        }
    }

    #[test]
    fn limits_are_what_docker_takes() {
        for text in ["6m", "512M", "1.5g", "2GiB", "6291456", "8192kb"] {
            assert!(Memory::parse(text).is_ok(), "`{text}`");
        }
        for text in
            ["", "m", "1m", "0", "-1g", "1e9", "512 m", "1x", "1.g", "9223372036854775808", "8388608t"]
        {
            assert!(Memory::parse(text).is_err(), "`{text}`");
        }
        for text in ["1", "0.5", "0.01", "16", "8192", "0.123456789"] {
            assert!(Cpus::parse(text).is_ok(), "`{text}`");
        }
        for text in ["", "0", "0.001", "-1", "1e1", "inf", ".5", "two", "99999999", "1.0000000001"] {
            assert!(Cpus::parse(text).is_err(), "`{text}`");
        }
        for text in ["root", "1000", "1000:1000", "www-data:www"] {
            assert!(User::parse(text).is_ok(), "`{text}`");
        }
        for text in ["", ":", "a:", "a:b:c", "a b"] {
            assert!(User::parse(text).is_err(), "`{text}`");
        }
    }
}
