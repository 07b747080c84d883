//! Notations of other tools for a value that is kept elsewhere. To gordon and to docker they are text.

/// A notation for a value that is kept elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notation {
    /// `${pass:…}` or `${sops:…}`: some store of secrets has it.
    Store(&'static str),
    /// `${…}`.
    Variable,
    /// `$(…)`.
    Command,
}

/// The stores of secrets that other tools read.
const STORES: [&str; 2] = ["pass", "sops"];

/// Whether what is between braces, as in `${pass:shop/db}`, names a store of secrets.
pub(super) fn names_store(inside: &str) -> bool {
    inside.split_once(':').is_some_and(|(store, _)| STORES.contains(&store))
}

impl Notation {
    /// The one that `value` holds; that of a store before the others.
    pub fn of(value: &str) -> Option<Self> {
        let store = STORES.into_iter().find(|store| value.contains(&format!("${{{store}:")));
        let others = [("${", Self::Variable), ("$(", Self::Command)];
        store.map(Self::Store).or_else(|| {
            others.into_iter().find(|(sign, _)| value.contains(sign)).map(|(_, notation)| notation)
        })
    }

    /// The notation without its content, which may be secret.
    pub fn sample(self) -> &'static str {
        match self {
            Self::Store("pass") => "${pass:…}",
            Self::Store(_) => "${sops:…}",
            Self::Variable => "${…}",
            Self::Command => "$(…)",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notation_is_seen_wherever_it_stands() {
        let sample = |value| Notation::of(value).map(Notation::sample);
        assert_eq!(sample("x${A}"), Some("${…}"));
        assert_eq!(sample("$(date)"), Some("$(…)"));
        assert_eq!(sample("${A}${pass:shop/db}"), Some("${pass:…}"));
        assert_eq!(sample("${sops:a.yaml:b}"), Some("${sops:…}"));
        for value in ["", "$A", "$", "a{b}", "$ {A}", "pass:a"] {
            assert_eq!(sample(value), None, "{value}");
        }
    }
}
