//! Hides the values of secrets in a text that is to be shown. Does not know where the text or the secrets come from.

use crate::docker::Secret;

/// A shorter value is part of too many words: without them, nobody could read what is left.
const SHORTEST: usize = 4;

/// What is shown in the place of a value.
const MARK: &str = "…";

/// The values that are not to be shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Concealment(Vec<Secret>);

impl Concealment {
    /// Hides these values.
    pub fn of<'a>(secrets: impl IntoIterator<Item = &'a Secret>) -> Self {
        Self(secrets.into_iter().filter(|secret| secret.reveal().len() >= SHORTEST).cloned().collect())
    }

    /// `text` as it may be shown. For people and logs alone: nothing is decided by what it leaves.
    pub fn conceal(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, secret| text.replace(secret.reveal(), MARK))
    }
}
