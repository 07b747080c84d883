//! When docker starts a container again, as docker writes it.

use crate::name::visible;
use crate::spec::ValueError;
use std::fmt;

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
}
