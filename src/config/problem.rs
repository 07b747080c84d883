//! What is wrong with a config, and where. Does not know how it was found.

use serde_spanned::Spanned;
use std::ops::Range;

/// Something wrong with a config.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Whether anything can be planned in spite of it.
    pub severity: Severity,
    /// What is wrong: lower case, no full stop, values in backticks.
    pub message: String,
    /// The file it stands in; without one, the config.
    pub file: Option<String>,
    /// The bytes of the file that it is about.
    pub span: Range<usize>,
    /// Other places in the same file that have a part in it, and which.
    pub also: Vec<(Range<usize>, String)>,
    /// What to do about it.
    pub hints: Vec<String>,
}

/// Whether anything can be planned in spite of a problem.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Nothing can.
    Error,
    /// Yes, but the config may not mean what it seems to.
    Warning,
}

impl Problem {
    /// Something that must be put right first.
    pub fn error(span: Range<usize>, message: impl Into<String>) -> Self {
        Self::new(Severity::Error, span, message.into())
    }

    /// Something to be aware of.
    pub fn warning(span: Range<usize>, message: impl Into<String>) -> Self {
        Self::new(Severity::Warning, span, message.into())
    }

    fn new(severity: Severity, span: Range<usize>, message: String) -> Self {
        Self { severity, message, file: None, span, also: Vec::new(), hints: Vec::new() }
    }

    /// The same with advice.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// The same with a second place that has a part in it, and which: `also here`.
    #[must_use]
    pub fn also(mut self, span: Range<usize>, part: impl Into<String>) -> Self {
        self.also.push((span, part.into()));
        self
    }

    /// The same in a file other than the config.
    #[must_use]
    pub fn in_file(mut self, file: impl Into<String>) -> Self {
        self.file = Some(file.into());
        self
    }
}

/// Two things that have one name: an error at the second that shows the first.
pub fn collision<A, B>(first: &Spanned<A>, second: &Spanned<B>, message: impl Into<String>) -> Problem {
    Problem::error(second.span(), message).also(first.span(), "also here")
}
