//! Why a text of a config is not a value.

use std::fmt;

/// Why a text is not the value that it should be, and what to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValueError {
    message: String,
    hint: String,
}

impl ValueError {
    /// A message, and what to write.
    pub fn new(message: impl Into<String>, hint: impl Into<String>) -> Self {
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
