//! TOML or YAML text → one tree in which every key and value knows its place. Does not know what a config may say.

use super::problem::Lines;
use super::problem::Problem;
use super::problem::Span;
use crate::name::visible;
use serde::de::Deserialize;
use serde::de::Deserializer;
use serde::de::Error;
use serde::de::MapAccess;
use serde::de::SeqAccess;
use serde::de::Visitor;
use serde_spanned::Spanned;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::mem::take;
use toml::de::DeTable;
use toml::de::DeValue;

/// How a config is written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Syntax {
    /// TOML.
    Toml,
    /// YAML.
    Yaml,
}

impl Syntax {
    /// The syntax of a file, by the ending of its name.
    pub fn of(path: &str) -> Option<Self> {
        let (_, ending) = path.rsplit_once('.')?;
        match ending.to_ascii_lowercase().as_str() {
            "toml" => Some(Self::Toml),
            "yaml" | "yml" => Some(Self::Yaml),
            _ => None,
        }
    }
}

/// A value with its place.
#[derive(Clone, Debug)]
pub(super) struct Node<'t> {
    pub(super) kind: Kind<'t>,
    pub(super) span: Span,
}

/// A value. What is neither text nor made of others knows where it was written, so that `1.10` can stay `1.10`.
#[derive(Clone, Debug)]
pub(super) enum Kind<'t> {
    Null,
    Bool(bool, Span),
    Int(i64, Span),
    Float(f64, Span),
    String(Cow<'t, str>),
    /// A text in which values took the place of variables. It may be meant as a number or a boolean.
    Filled(String),
    List(Vec<Node<'t>>),
    Map(Vec<Entry<'t>>),
    /// A value that a problem has been reported for.
    Cut,
}

/// A key and its value.
#[derive(Clone, Debug)]
pub(super) struct Entry<'t> {
    pub(super) key: Spanned<Cow<'t, str>>,
    pub(super) value: Node<'t>,
}

/// The tree of `text`. What cannot be read is reported and left out; without a tree, nothing could be read.
pub(super) fn parse<'t>(syntax: Syntax, text: &'t str, problems: &mut Vec<Problem>) -> Option<Node<'t>> {
    match syntax {
        Syntax::Toml => parse_toml(text, problems),
        Syntax::Yaml => parse_yaml(text, problems),
    }
}

const TOO_DEEP: &str = "this nests too deeply, or repeats too much";

fn parse_toml<'t>(text: &'t str, problems: &mut Vec<Problem>) -> Option<Node<'t>> {
    let (table, mut errors) = DeTable::parse_recoverable(text);
    let span = table.span();
    let root = toml_table(table.into_inner(), span);
    errors.sort_by_key(|error| error.span().map(|span| span.start));
    let lines = Lines::of(text);
    let mut keys = None;
    let mut last_line = None;
    let mut is_whole = true;
    for error in errors {
        let span = error.span().unwrap_or(0..0);
        // one mistake often gives several errors
        let line = lines.line(span.start);
        if error.message() == "duplicate key" {
            let keys = keys.get_or_insert_with(|| Keys::of(&root));
            problems.push(toml_duplicate(&text[span.clone()], keys, span));
        } else if last_line.replace(line) != Some(line) {
            problems.push(toml_problem(text, span, error.message()));
        }
        if swallows_what_follows(error.message()) {
            is_whole = false;
            break;
        }
    }
    is_whole.then_some(root)
}

/// Whether a mistake makes the parser take the next lines for a part of this one.
fn swallows_what_follows(message: &str) -> bool {
    [
        "unclosed",
        "invalid literal string",
        "invalid basic string",
        "invalid multi-line",
        "unexpected `=` in array",
    ]
    .iter()
    .any(|part| message.contains(part))
}

/// What the parser takes for a number or a time, because it is not in quotes, is mostly a string.
fn toml_problem(text: &str, span: Span, message: &str) -> Problem {
    if message.starts_with("cannot recurse further") {
        return Problem::error(span, TOO_DEEP).hint("a config has few levels: close the brackets");
    }
    const BARE: [&str; 14] = [
        "string values must be quoted",
        "invalid time",
        "invalid date",
        "invalid number",
        "invalid integer",
        "invalid float",
        "invalid mantissa",
        "invalid fraction",
        "invalid exponent",
        "invalid boolean",
        "redundant numeric sign",
        "unexpected leading zero",
        "unexpected sign",
        "`_` may only go between digits",
    ];
    if !BARE.iter().any(|beginning| message.starts_with(beginning)) {
        return Problem::error(span, message).hint(toml_hint(message));
    }
    let is_end = |c: char| c.is_whitespace() || matches!(c, ',' | ']' | '}' | '#' | '"' | '\'');
    let start =
        text[..span.start].rfind(|c| is_end(c) || matches!(c, '=' | '[' | '{')).map_or(0, |at| at + 1);
    let end = text[span.start..].find(is_end).map_or(text.len(), |at| span.start + at);
    let word = visible(&text[start..end]);
    Problem::error(start..end, format!("`{word}` is no number, no date and no string"))
        .hint(format!("put it in quotes: `\"{word}\"`"))
}

fn toml_hint(message: &str) -> &'static str {
    if message.contains("string") {
        "close the quotes on the same line"
    } else if message.contains("array") {
        "a list is `[\"one\", \"two\"]`"
    } else if message.contains("inline table") {
        "a table is `{ key = \"value\", other = 2 }`"
    } else if message.contains("table") {
        "the head of a section is `[section]` on a line of its own"
    } else {
        "a line is `key = value`; keys with dots need quotes"
    }
}

/// The parser keeps the first of two equal keys and drops the second.
fn toml_duplicate(written: &str, keys: &Keys<'_>, span: Span) -> Problem {
    let key = written.trim_matches(['"', '\'']);
    let mut before = keys.0.get(key).into_iter().flatten().filter(|place| place.start < span.start);
    // other tables may have the same key, and the parser does not say which one it means
    let first = before.next().filter(|_| before.next().is_none()).cloned();
    duplicate_key(key, first, span)
}

/// The place of each key, in all tables.
struct Keys<'n>(BTreeMap<&'n str, Vec<Span>>);

impl<'n> Keys<'n> {
    fn of(root: &'n Node<'_>) -> Self {
        let mut keys = Self(BTreeMap::new());
        keys.add(root);
        keys
    }

    fn add(&mut self, node: &'n Node<'_>) {
        match &node.kind {
            Kind::List(list) => list.iter().for_each(|node| self.add(node)),
            Kind::Map(entries) => {
                for Entry { key, value } in entries {
                    self.0.entry(key.get_ref().as_ref()).or_default().push(key.span());
                    self.add(value);
                }
            }
            _ => {}
        }
    }
}

fn duplicate_key(key: &str, first: Option<Span>, second: Span) -> Problem {
    let problem = Problem::error(second, format!("duplicate key `{}`", visible(key)))
        .hint("keep one of them, or join what they say");
    match first {
        Some(first) => problem.also(first, "first here"),
        None => problem,
    }
}

fn toml_table<'t>(table: DeTable<'t>, span: Span) -> Node<'t> {
    let mut entries: Vec<Entry<'t>> = table
        .into_iter()
        .map(|(key, value)| Entry {
            key: Spanned::new(key.span(), key.into_inner()),
            value: toml_value(value),
        })
        .collect();
    entries.sort_by_key(|entry| entry.key.span().start);
    Node { kind: Kind::Map(entries), span }
}

fn toml_value<'t>(value: Spanned<DeValue<'t>>) -> Node<'t> {
    let span = value.span();
    let written = span.clone();
    let kind = match value.into_inner() {
        DeValue::String(text) => Kind::String(text),
        DeValue::Boolean(value) => Kind::Bool(value, written),
        DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
            Ok(value) => Kind::Int(value, written),
            Err(_) => Kind::Float(f64::INFINITY, written),
        },
        DeValue::Float(number) => Kind::Float(number.as_str().parse().unwrap_or(f64::NAN), written),
        DeValue::Datetime(time) => Kind::String(time.to_string().into()),
        DeValue::Array(list) => Kind::List(list.into_iter().map(toml_value).collect()),
        DeValue::Table(table) => return toml_table(table, span),
    };
    Node { kind, span }
}

/// More than any config needs; what a file can make the parser do stays bounded.
const MAX_YAML_NODES: usize = 10_000_000;
const MAX_YAML_DEPTH: usize = 32;
const MAX_YAML_ALIASED: usize = 100_000;

fn parse_yaml<'t>(text: &'t str, problems: &mut Vec<Problem>) -> Option<Node<'t>> {
    let mut budget = serde_yaml::Budget::default();
    budget.max_nodes = MAX_YAML_NODES;
    budget.max_events = 2 * MAX_YAML_NODES;
    budget.max_depth = MAX_YAML_DEPTH;
    let mut options = serde_yaml::Options::default();
    options.budget = Some(budget);
    options.alias_limits.max_total_replayed_events = MAX_YAML_ALIASED;
    options.duplicate_keys = serde_yaml::DuplicateKeyPolicy::PassThrough;
    options.strict_booleans = true;
    options.non_finite_float_policy = serde_yaml::options::NonFiniteFloatPolicy::AsString;
    match serde_yaml::from_str_with_options::<Node<'t>>(text, options) {
        Ok(mut root) => {
            cut_duplicates(&mut root, problems);
            find_tags(&root, text, problems);
            Some(root)
        }
        Err(error) => {
            let error = error.without_snippet();
            let span = error.location().map_or(0..0, |place| yaml_error_span(text, place));
            let (message, hint) = yaml_problem(error);
            problems.push(Problem::error(span, message).hint(hint));
            None
        }
    }
}

/// What is wrong, without the words that the library has for programs that use it.
fn yaml_problem(error: &serde_yaml::Error) -> (String, &'static str) {
    use serde_yaml::Error as E;
    let (message, hint) = match error {
        E::AliasError { error, .. } => return yaml_problem(error),
        E::NullIntoString { .. } => {
            ("there is a key without a name", "write a name before the `:`; `~` and `null` are none")
        }
        E::Unexpected { expected: "string scalar", .. } | E::SerdeInvalidType { .. } => (
            "a key is a list or a table",
            "write a name before the `:`; put one that holds `[` or `{` in quotes",
        ),
        E::Eof { .. } => ("the file ends too early", "close the last bracket or quote"),
        E::MultipleDocuments { .. } => {
            ("there are several documents", "a config is one document: remove the `---` in its middle")
        }
        E::TaggedScalarCannotDeserializeIntoString { .. }
        | E::UnsupportedTag { .. }
        | E::BinaryNotUtf8 { .. }
        | E::InvalidBinaryBase64 { .. }
        | E::BytesNotSupportedMissingBinaryTag { .. }
        | E::UnsupportedIncludeForm { .. }
        | E::ResolverError { .. } => ("tags are not read here", TAG_HINT),
        E::MergeValueNotMapOrSeqOfMaps { .. } => {
            ("`<<` takes a table", "as in `<<: *name`, where `&name` is before a table")
        }
        E::UnknownAnchor { .. } => {
            ("an alias names nothing", "write `&name` before the value that `*name` repeats")
        }
        E::RecursiveReferencesRequireWeakTypes { .. } => {
            ("an alias is inside the value that it names", "write the value itself")
        }
        E::Budget { .. }
        | E::AliasReplayCounterOverflow { .. }
        | E::AliasReplayLimitExceeded { .. }
        | E::AliasExpansionLimitExceeded { .. }
        | E::AliasReplayStackDepthExceeded { .. } => {
            (TOO_DEEP, "a config has few levels: close the brackets, and write out what aliases repeat")
        }
        error => {
            let message = error.to_string();
            let message = message.rfind(" at line ").map_or(message.as_str(), |end| &message[..end]);
            if message == "recursion limit exceeded" {
                return (TOO_DEEP.to_owned(), "a config has few levels: close the brackets");
            }
            let message = match message {
                "simple key expected ':'" => "this line is neither `key: value` nor `- item`",
                message if message.contains("block collection") => {
                    "an item of a list and a key are in one column"
                }
                message if message.contains("block mapping") => "this line is not in the column of its table",
                message => message,
            };
            return (message.to_owned(), yaml_hint(message));
        }
    };
    (message.to_owned(), hint)
}

fn yaml_hint(message: &str) -> &'static str {
    if message.contains("mapping values") {
        "put a value that holds `: ` in quotes"
    } else if message.contains("unexpected character") {
        "put a value that begins with such a character in quotes"
    } else if message.contains("quote") || message.contains("escape") {
        "close the quote; in double quotes `\\` begins an escape, in single quotes it is itself"
    } else {
        "see that lines of one level begin in one column, and that brackets and quotes are closed"
    }
}

fn yaml_span(place: serde_yaml::Location) -> Span {
    let span = place.span();
    let start = span.byte_offset().unwrap_or(0) as usize;
    start..start + span.byte_len().unwrap_or(0) as usize
}

/// Errors of the parser know line and column only.
fn yaml_error_span(text: &str, place: serde_yaml::Location) -> Span {
    if place.span().byte_offset().is_some() {
        return yaml_span(place);
    }
    let mut start = 0;
    for (number, line) in (1..).zip(text.split_inclusive('\n')) {
        if number == place.line() {
            let column = place.column().saturating_sub(1) as usize;
            start += line.char_indices().nth(column).map_or(line.len(), |(at, _)| at);
            break;
        }
        start += line.len();
    }
    start..start + text[start..].chars().next().map_or(0, char::len_utf8)
}

impl<'de> Deserialize<'de> for Node<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = serde_yaml::Spanned::<Kind<'de>>::deserialize(deserializer)?;
        let mut span = yaml_span(value.referenced);
        let mut kind = value.value;
        match &mut kind {
            Kind::Bool(_, written) | Kind::Int(_, written) | Kind::Float(_, written) => {
                *written = yaml_span(value.defined);
            }
            // a block has a beginning, but no length
            Kind::Map(entries) if span.is_empty() => {
                if let Some(first) = entries.first() {
                    span = first.key.span();
                }
            }
            Kind::List(_) if span.is_empty() => span.end += 1,
            _ => {}
        }
        Ok(Self { kind, span })
    }
}

impl<'de> Deserialize<'de> for Kind<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(YamlVisitor)
    }
}

struct YamlVisitor;

impl<'de> Visitor<'de> for YamlVisitor {
    type Value = Kind<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Kind<'de>, E> {
        Ok(Kind::Null)
    }

    fn visit_none<E>(self) -> Result<Kind<'de>, E> {
        Ok(Kind::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Kind<'de>, E> {
        Ok(Kind::Bool(value, 0..0))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Kind<'de>, E> {
        Ok(Kind::Int(value, 0..0))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Kind<'de>, E> {
        Ok(i64::try_from(value).map_or(Kind::Float(f64::INFINITY, 0..0), |value| Kind::Int(value, 0..0)))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Kind<'de>, E> {
        Ok(Kind::Float(value, 0..0))
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Kind<'de>, E> {
        Ok(Kind::String(Cow::Borrowed(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Kind<'de>, E> {
        Ok(Kind::String(Cow::Owned(value.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Kind<'de>, A::Error> {
        let mut list = Vec::new();
        while let Some(node) = access.next_element()? {
            list.push(node);
        }
        Ok(Kind::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Kind<'de>, A::Error> {
        let mut entries = Vec::new();
        while let Some((key, value)) = access.next_entry::<serde_yaml::Spanned<String>, Node<'de>>()? {
            let key = Spanned::new(yaml_span(key.referenced), Cow::Owned(key.value));
            entries.push(Entry { key, value });
        }
        Ok(Kind::Map(entries))
    }
}

const TAG_HINT: &str = "remove the word with `!`, and write the value itself";

/// The tags of YAML itself, by which the parser reads a value.
const CORE_TAGS: [&str; 7] = ["!!str", "!!int", "!!float", "!!bool", "!!null", "!!map", "!!seq"];

/// Reports the tags of values. The parser passes over those that it does not know.
fn find_tags(node: &Node<'_>, text: &str, problems: &mut Vec<Problem>) {
    if let Some((start, tag)) = tag_of(text, node.span.start).filter(|(_, tag)| !CORE_TAGS.contains(tag)) {
        let place = start..start + tag.len();
        let message = format!("`{}` is a tag, and tags are not read here", visible(tag));
        let problem = Problem::error(place, message).hint(TAG_HINT);
        // a list begins where its first item does
        if problems.last() != Some(&problem) {
            problems.push(problem);
        }
    }
    match &node.kind {
        Kind::List(list) => list.iter().for_each(|node| find_tags(node, text, problems)),
        Kind::Map(entries) => entries.iter().for_each(|entry| find_tags(&entry.value, text, problems)),
        _ => {}
    }
}

/// The tag before the value at `start`, and its place: the word before it, or the first word of the value's span.
fn tag_of(text: &str, start: usize) -> Option<(usize, &str)> {
    let is_tag = |word: &str| word.len() > 1 && word.starts_with('!');
    let first = text.get(start..)?.split([' ', '\n', '\r', '\t', ',', ']', '}']).next()?;
    if is_tag(first) {
        return Some((start, first));
    }
    let before = text.get(..start)?.trim_end();
    let line = before.rsplit('\n').next()?;
    let is_comment = line.starts_with('#') || line.contains(" #");
    let word = line.rsplit([' ', '\t', '[', '{', ',']).next()?;
    (is_tag(word) && !is_comment).then(|| (before.len() - word.len(), word))
}

/// As in TOML, the first of two equal keys stays.
fn cut_duplicates(node: &mut Node<'_>, problems: &mut Vec<Problem>) {
    match &mut node.kind {
        Kind::List(list) => list.iter_mut().for_each(|node| cut_duplicates(node, problems)),
        Kind::Map(entries) => {
            let mut seen = BTreeMap::new();
            let mut is_first = Vec::with_capacity(entries.len());
            for entry in entries.iter() {
                let key = entry.key.get_ref().as_ref();
                let first = seen.get(key).cloned();
                is_first.push(first.is_none());
                match first {
                    Some(first) => problems.push(duplicate_key(key, Some(first), entry.key.span())),
                    None => drop(seen.insert(key, entry.key.span())),
                }
            }
            if is_first.contains(&false) {
                *entries = take(entries)
                    .into_iter()
                    .zip(is_first)
                    .filter_map(|(e, first)| first.then_some(e))
                    .collect();
            }
            entries.iter_mut().for_each(|entry| cut_duplicates(&mut entry.value, problems));
        }
        _ => {}
    }
}
