//! What is wrong with a config, and where; how that is shown. Does not know how it was found.

use crate::name::visible;
use annotate_snippets::AnnotationKind;
use annotate_snippets::Element;
use annotate_snippets::Group;
use annotate_snippets::Level;
use annotate_snippets::Origin;
use annotate_snippets::Renderer;
use annotate_snippets::Snippet;
use serde_spanned::Spanned;
use std::collections::BTreeSet;
use std::ops::Range;

/// The bytes of the config that a value has.
pub type Span = Range<usize>;

/// Something wrong with a config.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Whether anything can be planned in spite of it.
    pub severity: Severity,
    /// What is wrong: lower case, no full stop, values in backticks.
    pub message: String,
    /// Its place.
    pub place: Place,
    /// Other places of the config that have a part in it, and which.
    pub also: Vec<(Span, String)>,
    /// What to do about it.
    pub hints: Vec<String>,
}

/// The place of a problem; in the order in which problems are shown.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// At these bytes of the config, `start..end`.
    Config(usize, usize),
    /// Another file as a whole.
    File(String),
    /// In a line of another file, counted from 1. The line is never shown: it may hold a secret.
    Line(String, usize),
}

/// Whether anything can be planned in spite of a problem.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Nothing can.
    Error,
    /// Yes, but the config may not mean what it seems to.
    Warning,
    /// Yes; it is something to know.
    Note,
}

impl Problem {
    /// Something that must be put right first.
    pub fn error(span: Span, message: impl Into<String>) -> Self {
        Self::new(Severity::Error, Place::Config(span.start, span.end), message.into())
    }

    /// Something to be aware of.
    pub fn warning(span: Span, message: impl Into<String>) -> Self {
        Self::new(Severity::Warning, Place::Config(span.start, span.end), message.into())
    }

    /// Something to know.
    pub fn note(span: Span, message: impl Into<String>) -> Self {
        Self::new(Severity::Note, Place::Config(span.start, span.end), message.into())
    }

    /// Something to be aware of about a file other than the config.
    pub fn warning_about_file(file: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(Severity::Warning, Place::File(file.into()), message.into())
    }

    /// Something that must be put right first in a line, counted from 1, of a file other than the config.
    pub fn error_in_line(file: impl Into<String>, line: usize, message: impl Into<String>) -> Self {
        Self::new(Severity::Error, Place::Line(file.into(), line), message.into())
    }

    /// Something to be aware of in a line, counted from 1, of a file other than the config.
    pub fn warning_in_line(file: impl Into<String>, line: usize, message: impl Into<String>) -> Self {
        Self::new(Severity::Warning, Place::Line(file.into(), line), message.into())
    }

    fn new(severity: Severity, place: Place, message: String) -> Self {
        Self { severity, message, place, also: Vec::new(), hints: Vec::new() }
    }

    /// The same with its words as they can be seen: the renderer lets some through that a terminal obeys.
    fn visible(&self) -> Self {
        let Self { severity, message, place, also, hints } = self;
        Self {
            severity: *severity,
            message: visible(message),
            place: match place {
                Place::Config(..) => place.clone(),
                Place::File(file) => Place::File(visible(file)),
                Place::Line(file, line) => Place::Line(visible(file), *line),
            },
            also: also.iter().map(|(span, part)| (span.clone(), visible(part))).collect(),
            hints: hints.iter().map(|hint| visible(hint)).collect(),
        }
    }

    /// All places that it is about, where these are several: two problems with the same are one.
    pub fn places(&self) -> Option<BTreeSet<Place>> {
        let also = self.also.iter().map(|(span, _)| Place::Config(span.start, span.end));
        (!self.also.is_empty()).then(|| also.chain([self.place.clone()]).collect())
    }

    /// The same with advice.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// The same with a second place of the config that has a part in it, and which: `also here`.
    #[must_use]
    pub fn also(mut self, span: Span, part: impl Into<String>) -> Self {
        self.also.push((span, part.into()));
        self
    }
}

/// Two things that have one name: an error at the second that shows the first.
pub fn collision<A, B>(first: &Spanned<A>, second: &Spanned<B>, message: impl Into<String>) -> Problem {
    Problem::error(second.span(), message).also(first.span(), "also here")
}

/// The one of `known` that `word` is most likely a misspelling of: a letter or two were left out, added, exchanged or
/// mistaken.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let most = |known: &str| match word.len().min(known.len()) {
        0..3 => 0,
        3..8 => 1,
        _ => 2,
    };
    known
        .into_iter()
        .filter(|known| *known != word && word.len().abs_diff(known.len()) <= most(known))
        .map(|known| (strsim::osa_distance(word, known), known))
        .filter(|(distance, known)| *distance <= most(known))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known)
}

/// Whether anything in `problems` must be put right first.
pub fn has_errors(problems: &[Problem]) -> bool {
    problems.iter().any(|problem| problem.severity == Severity::Error)
}

/// Whether a text is for a terminal that knows colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    /// With escape sequences.
    Yes,
    /// Plain text.
    No,
}

/// The most problems that are shown, and the most places of one.
const MOST_PROBLEMS: usize = 50;
const MOST_PLACES: usize = 10;

/// A longer line is not drawn.
const LONGEST_LINE: usize = 2000;

/// `problems` for people, by place, with their lines of the config. Of very many, errors are shown first.
pub fn render(problems: &[Problem], path: &str, text: &str, colour: Colour) -> String {
    let renderer = match colour {
        Colour::Yes => Renderer::styled(),
        Colour::No => Renderer::plain(),
    };
    let lines = Lines::of(text);
    let mut sorted: Vec<&Problem> = problems.iter().collect();
    if sorted.len() > MOST_PROBLEMS {
        sorted.sort_by_key(|problem| (problem.severity, &problem.place));
        sorted.truncate(MOST_PROBLEMS);
    }
    sorted.sort_by_key(|problem| &problem.place);
    let mut shown = String::new();
    for problem in &sorted {
        shown.push_str(&renderer.render(&[group(&problem.visible(), &visible(path), &lines)]));
        shown.push_str("\n\n");
    }
    if problems.len() > sorted.len() {
        shown.push_str(&format!("… and {} more problems\n\n", problems.len() - sorted.len()));
    }
    // the renderer leaves these as they are, and some terminals obey them
    shown.replace(|c| matches!(c, '\u{80}'..='\u{9f}'), "\u{fffd}")
}

fn group<'a>(problem: &'a Problem, path: &'a str, lines: &Lines<'a>) -> Group<'a> {
    let level = match problem.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    };
    let place: Element<'a> = match &problem.place {
        Place::Config(start, end) => match lines.snippet(&(*start..*end), &problem.also) {
            Some(snippet) => snippet.path(path).into(),
            None => {
                let (line, column) = lines.position(*start);
                Origin::path(path).line(line).char_column(column).into()
            }
        },
        Place::File(file) => Origin::path(file.as_str()).into(),
        Place::Line(file, line) => Origin::path(file.as_str()).line(*line).into(),
    };
    let hints = problem.hints.iter().map(|hint| Level::HELP.message(hint.as_str()));
    level.primary_title(problem.message.as_str()).element(place).elements(hints)
}

/// A text and where its lines begin.
pub(super) struct Lines<'a> {
    text: &'a str,
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Self { text, starts }
    }

    /// The number of the line of a byte, from 0.
    pub(super) fn line(&self, at: usize) -> usize {
        self.starts.partition_point(|start| *start <= at) - 1
    }

    fn end(&self, line: usize) -> usize {
        self.starts.get(line + 1).map_or(self.text.len(), |next| next - 1)
    }

    /// The span without what is beyond the end of its first line: what is wrong begins there.
    fn in_one_line(&self, span: &Span) -> Span {
        let start = span.start.min(self.text.len());
        start..span.end.clamp(start, self.end(self.line(start)).max(start))
    }

    /// The line and the column of a byte, from 1.
    fn position(&self, at: usize) -> (usize, usize) {
        let at = at.min(self.text.len());
        let line = self.line(at);
        (line + 1, self.text[self.starts[line]..at].chars().count() + 1)
    }

    /// Only the lines that matter, since drawing reads all that it is given; nothing where one of them is no line that
    /// people read.
    fn snippet(
        &self,
        span: &Span,
        also: &[(Span, String)],
    ) -> Option<Snippet<'a, annotate_snippets::Annotation<'a>>> {
        let primary = self.in_one_line(span);
        let others: Vec<(Span, &str)> = also
            .iter()
            .take(MOST_PLACES)
            .map(|(span, part)| (self.in_one_line(span), part.as_str()))
            .collect();
        let starts = others.iter().map(|(span, _)| span.start).chain([primary.start]);
        let (first, last) = starts.fold((usize::MAX, 0), |(first, last), at| (first.min(at), last.max(at)));
        let (first, last) = (self.line(first), self.line(last));
        if (first..=last).any(|line| self.end(line) - self.starts[line] > LONGEST_LINE) {
            return None;
        }
        let offset = self.starts[first];
        let shift = |span: &Span| span.start - offset..span.end - offset;
        let mut snippet = Snippet::source(&self.text[offset..self.end(last)])
            .line_start(first + 1)
            .annotation(AnnotationKind::Primary.span(shift(&primary)));
        for (span, part) in &others {
            snippet = snippet.annotation(AnnotationKind::Context.span(shift(span)).label((*part).to_owned()));
        }
        Some(snippet)
    }
}
