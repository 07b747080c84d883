//! A tree → the types of the schema, through serde. Does not know the schema.
//!
//! Serde stops at the first error. So when a value does not fit, the error is reported at its place, the value is
//! cut out of the tree, and the rest is decoded again.
//!
//! The first line of an error's text is what is wrong, the second what to do.

use super::foreign;
use super::problem::Problem;
use super::problem::Span;
use super::problem::nearest;
use super::tree::Entry;
use super::tree::Kind;
use super::tree::Node;
use crate::name::visible;
use crate::spec::SETTINGS;
use serde::de::DeserializeOwned;
use serde::de::DeserializeSeed;
use serde::de::Deserializer;
use serde::de::Error as _;
use serde::de::Expected;
use serde::de::IntoDeserializer;
use serde::de::MapAccess;
use serde::de::SeqAccess;
use serde::de::Unexpected;
use serde::de::Visitor;
use serde::de::value::BorrowedStrDeserializer;
use serde::de::value::StrDeserializer;
use serde::forward_to_deserialize_any;
use serde_spanned::Spanned;
use serde_spanned::de::SpannedDeserializer;
use serde_spanned::de::is_spanned;
use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

/// The name of a newtype that takes a number or a boolean as the text that it was written as.
pub(super) const WRITTEN: &str = "$written";

/// For each fault the value is decoded again, so that it is given up after these.
const MOST_FAULTS: usize = 100;

/// What a node says. Its parts that do not fit are reported, cut out, and left out; without an answer, it does not
/// fit itself.
pub(super) fn decode<T: DeserializeOwned>(
    text: &str,
    node: &mut Node<'_>,
    problems: &mut Vec<Problem>,
) -> Option<T> {
    // a variable without a value left nothing
    if matches!(node.kind, Kind::Cut) {
        return None;
    }
    for _ in 0..MOST_FAULTS {
        let error = match T::deserialize(Decoder { node, text }) {
            Ok(value) => return Some(value),
            Err(Error(fault)) => *fault,
        };
        let is_known = error.kind == FaultKind::Missing && has_cut(at(node, &error.path));
        if !is_known {
            let span = error.span.unwrap_or_else(|| node.span.clone());
            let mut problem = Problem::error(span, error.message);
            problem.hints = error.hints;
            problems.push(problem);
        }
        if error.path.is_empty() {
            node.kind = Kind::Cut;
            return None;
        }
        at(node, &error.path).kind = Kind::Cut;
    }
    node.kind = Kind::Cut;
    None
}

/// A key that is missing may be one that was cut, or misspelt and cut.
fn has_cut(node: &Node<'_>) -> bool {
    match &node.kind {
        Kind::Map(entries) => entries.iter().any(|entry| matches!(entry.value.kind, Kind::Cut)),
        _ => false,
    }
}

fn at<'n, 't>(node: &'n mut Node<'t>, path: &[usize]) -> &'n mut Node<'t> {
    // a fault collects its path on the way up
    path.iter().rev().fold(node, |node, index| match &mut node.kind {
        Kind::List(list) => &mut list[*index],
        Kind::Map(entries) => &mut entries[*index].value,
        _ => unreachable!("a path goes through lists and maps"),
    })
}

/// Why a value does not fit, and where.
#[derive(Debug)]
pub(super) struct Error(Box<Fault>);

#[derive(Debug)]
struct Fault {
    message: String,
    hints: Vec<String>,
    kind: FaultKind,
    span: Option<Span>,
    path: Vec<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum FaultKind {
    Wrong,
    Missing,
}

impl Error {
    fn new(message: String, hint: String) -> Self {
        Self(Box::new(Fault {
            message,
            hints: vec![hint],
            kind: FaultKind::Wrong,
            span: None,
            path: Vec::new(),
        }))
    }

    /// The same, on its way out of the value at `index` of a list or map.
    fn out_of(mut self, index: usize, key: Option<&Span>, value: &Span) -> Self {
        if self.0.span.is_none() {
            let place = if self.0.kind == FaultKind::Missing { key.unwrap_or(value) } else { value };
            self.0.span = Some(place.clone());
        }
        self.0.path.push(index);
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl std::error::Error for Error {}

impl serde::de::Error for Error {
    fn custom<T: fmt::Display>(text: T) -> Self {
        let text = text.to_string();
        match text.split_once('\n') {
            Some((message, hint)) => Self::new(message.to_owned(), hint.to_owned()),
            None => Self::new(text, "see the config reference".to_owned()),
        }
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let expected = match expected.to_string() {
            list if list == "a sequence" => "a list".to_owned(),
            expected => expected,
        };
        let hint = match found {
            Unexpected::Str(word) if expected.contains("number") && word.parse::<f64>().is_ok() => {
                "remove the quotes".to_owned()
            }
            Unexpected::Str(word) if expected == "a list" => format!("write `[\"{}\"]`", visible(word)),
            Unexpected::Signed(_) | Unexpected::Float(_) | Unexpected::Bool(_)
                if expected.starts_with("a string") =>
            {
                "put it in quotes".to_owned()
            }
            _ => format!("write {expected}"),
        };
        Self::new(format!("expected {expected}, found {}", Found(found)), hint)
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::new(format!("expected {expected}, found {}", Found(found)), format!("write {expected}"))
    }

    fn unknown_variant(word: &str, known: &'static [&'static str]) -> Self {
        Self::new(format!("`{}` is none of {}", visible(word), words(known)), did_you_mean(word, known))
    }

    fn unknown_field(key: &str, known: &'static [&'static str]) -> Self {
        // what has an entrypoint is a container: its settings are no fields of its table
        let settings = SETTINGS.iter().map(|setting| setting.key).filter(|_| known.contains(&"entrypoint"));
        let known: Vec<&str> = known.iter().copied().chain(settings).collect();
        Self::new(format!("unknown key `{}`", visible(key)), did_you_mean(key, &known))
    }

    fn missing_field(key: &'static str) -> Self {
        let mut error = Self::new(format!("missing key `{key}`"), format!("add `{key}`"));
        error.0.kind = FaultKind::Missing;
        error
    }

    fn duplicate_field(key: &'static str) -> Self {
        Self::new(
            format!("duplicate key `{key}`"),
            "two keys say the same thing; keep one of them".to_owned(),
        )
    }
}

/// The advice for a word that should be one of `known`.
pub(super) fn did_you_mean(word: &str, known: &[&str]) -> String {
    if let Some(way_out) = foreign::way_out(word, known) {
        return way_out;
    }
    match nearest(word, known.iter().copied()).filter(|_| !foreign::is_dockers(word)) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("known here: {}", words(known)),
    }
}

/// `words` in backticks, with commas.
fn words(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

struct Found<'a>(Unexpected<'a>);

impl fmt::Display for Found<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Unexpected::Str(text) => write!(f, "the string `{}`", visible(text)),
            Unexpected::Signed(number) => write!(f, "the number `{number}`"),
            Unexpected::Float(number) => write!(f, "the number `{number}`"),
            Unexpected::Bool(value) => write!(f, "`{value}`"),
            Unexpected::Unit => f.write_str("nothing"),
            Unexpected::Seq => f.write_str("a list"),
            Unexpected::Map => f.write_str("a table"),
            other => other.fmt(f),
        }
    }
}

#[derive(Clone, Copy)]
struct Decoder<'n> {
    node: &'n Node<'n>,
    text: &'n str,
}

impl<'n> Decoder<'n> {
    /// The text of a number or a boolean.
    fn written(self) -> Option<&'n str> {
        match &self.node.kind {
            Kind::Bool(_, span) | Kind::Int(_, span) | Kind::Float(_, span) => self.text.get(span.clone()),
            _ => None,
        }
    }

    /// What a text that variables gave means as a `T`.
    fn filled<T: FromStr>(self) -> Option<T> {
        match &self.node.kind {
            Kind::Filled(text) => text.parse().ok(),
            _ => None,
        }
    }

    fn found(self) -> Unexpected<'n> {
        match &self.node.kind {
            Kind::Null | Kind::Cut => Unexpected::Unit,
            Kind::Bool(value, _) => Unexpected::Bool(*value),
            Kind::Int(value, _) => Unexpected::Signed(*value),
            Kind::Float(value, _) => Unexpected::Float(*value),
            Kind::String(value) => Unexpected::Str(value),
            Kind::Filled(value) => Unexpected::Str(value),
            Kind::List(_) => Unexpected::Seq,
            Kind::Map(_) => Unexpected::Map,
        }
    }
}

impl<'de, 'n: 'de> IntoDeserializer<'de, Error> for Decoder<'n> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de, 'n: 'de> Deserializer<'de> for Decoder<'n> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match &self.node.kind {
            Kind::Null => visitor.visit_unit(),
            Kind::Bool(value, _) => visitor.visit_bool(*value),
            Kind::Int(value, _) => visitor.visit_i64(*value),
            Kind::Float(value, _) => visitor.visit_f64(*value),
            Kind::String(value) => visitor.visit_borrowed_str(value),
            Kind::Filled(value) => visitor.visit_borrowed_str(value),
            Kind::List(list) => visitor.visit_seq(Items { list, next: 0, text: self.text }),
            Kind::Map(entries) => visitor.visit_map(Entries { entries, next: 0, text: self.text }),
            Kind::Cut => unreachable!("lists and maps pass over what was cut"),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.filled() {
            Some(value) => visitor.visit_bool(value),
            None => self.deserialize_any(visitor),
        }
    }

    fn deserialize_i64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.filled() {
            Some(value) => visitor.visit_i64(value),
            None => self.deserialize_any(visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.node.kind {
            Kind::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self.written() {
            Some(written) if name == WRITTEN => visitor.visit_borrowed_str(written),
            _ if name == WRITTEN => self.deserialize_any(visitor),
            _ => visitor.visit_newtype_struct(self),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        known: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match &self.node.kind {
            Kind::String(word) => visitor.visit_enum(StrDeserializer::new(word)),
            Kind::Filled(word) => visitor.visit_enum(StrDeserializer::new(word)),
            _ => Err(Error::invalid_type(self.found(), &format!("one of {}", words(known)).as_str())),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        if is_spanned(name) {
            return visitor.visit_map(SpannedDeserializer::new(self, self.node.span.clone()));
        }
        match self.node.kind {
            Kind::Map(_) => self.deserialize_any(visitor),
            // a derived type would take a list for its fields in order
            _ => Err(Error::invalid_type(self.found(), &visitor)),
        }
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map identifier ignored_any
    }
}

struct Items<'n> {
    list: &'n [Node<'n>],
    next: usize,
    text: &'n str,
}

impl<'de, 'n: 'de> SeqAccess<'de> for Items<'n> {
    type Error = Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Error> {
        while let Some(node) = self.list.get(self.next) {
            let index = self.next;
            self.next += 1;
            if !matches!(node.kind, Kind::Cut) {
                let value = seed.deserialize(Decoder { node, text: self.text });
                return value.map(Some).map_err(|error| error.out_of(index, None, &node.span));
            }
        }
        Ok(None)
    }

    /// Counts what was cut, so that a list which lost items is not taken for one that never had them.
    fn size_hint(&self) -> Option<usize> {
        Some(self.list.len() - self.next)
    }
}

struct Entries<'n> {
    entries: &'n [Entry<'n>],
    next: usize,
    text: &'n str,
}

impl<'de, 'n: 'de> MapAccess<'de> for Entries<'n> {
    type Error = Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Error> {
        while let Some(entry) = self.entries.get(self.next) {
            if !matches!(entry.value.kind, Kind::Cut) {
                let key = &entry.key.span();
                let value = seed.deserialize(KeyDecoder(&entry.key));
                return value.map(Some).map_err(|error| error.out_of(self.next, Some(key), key));
            }
            self.next += 1;
        }
        Ok(None)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Error> {
        let index = self.next;
        self.next += 1;
        let Entry { key, value: node } = &self.entries[index];
        seed.deserialize(Decoder { node, text: self.text })
            .map_err(|error| error.out_of(index, Some(&key.span()), &node.span))
    }
}

struct KeyDecoder<'n>(&'n Spanned<Cow<'n, str>>);

impl<'de, 'n: 'de> Deserializer<'de> for KeyDecoder<'n> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_borrowed_str(self.0.get_ref())
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        if is_spanned(name) {
            let key = BorrowedStrDeserializer::new(self.0.get_ref());
            return visitor.visit_map(SpannedDeserializer::new(key, self.0.span()));
        }
        self.deserialize_any(visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        seq tuple tuple_struct map enum identifier ignored_any
    }
}
