//! JSON with a line for each key of the document and for each value of its lists. Does not know what it writes.

use serde::Serialize;
use serde::Serializer;
use serde::ser::Impossible;
use serde::ser::SerializeMap;
use serde::ser::SerializeSeq;
use serde::ser::SerializeStruct;
use std::fmt;
use std::fmt::Display;
use std::fmt::Write;
use std::io;

/// Writes `value`, and ends the last line.
///
/// # Errors
/// When `out` takes no more.
pub(super) fn write(value: &impl Serialize, out: &mut impl io::Write) -> io::Result<()> {
    let mut lines = Lines { out: Out { out, result: Ok(()) }, depth: 0 };
    let written = value.serialize(&mut lines).and_then(|()| lines.out.write_char('\n'));
    lines.out.result?;
    written.map_err(io::Error::other)
}

/// Takes text, and keeps why it takes no more.
struct Out<'a, W> {
    out: &'a mut W,
    result: io::Result<()>,
}

impl<W: io::Write> Write for Out<'_, W> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.out.write_all(text.as_bytes()).map_err(|error| {
            self.result = Err(error);
            fmt::Error
        })
    }
}

/// A serializer for JSON. Serde's own looks at each byte by itself, which takes a tenth of the time that a large plan takes.
struct Lines<W> {
    out: W,
    depth: u32,
}

impl<W: Write> Lines<W> {
    fn open(&mut self, sign: &str) -> Result<Items<'_, W>, fmt::Error> {
        self.depth += 1;
        self.out.write_str(sign)?;
        Ok(Items { lines: self, is_first: true })
    }

    fn close(&mut self, sign: &str) -> fmt::Result {
        self.depth -= 1;
        self.out.write_str(sign)
    }
}

/// The text of a string.
struct Escaped<'a, W>(&'a mut W);

#[inline]
fn is_special(byte: u8) -> bool {
    // without branches, so that many bytes are looked at as one
    (byte < b' ') | (byte == b'"') | (byte == b'\\')
}

impl<W: Write> Write for Escaped<'_, W> {
    fn write_str(&mut self, mut text: &str) -> fmt::Result {
        let Self(out) = self;
        // nearly all text is plain
        if !text.bytes().fold(false, |any, byte| any | is_special(byte)) {
            return out.write_str(text);
        }
        while let Some(at) = text.bytes().position(is_special) {
            out.write_str(&text[..at])?;
            match text.as_bytes()[at] {
                b'"' => out.write_str("\\\""),
                b'\\' => out.write_str("\\\\"),
                b'\n' => out.write_str("\\n"),
                b'\t' => out.write_str("\\t"),
                b'\r' => out.write_str("\\r"),
                8 => out.write_str("\\b"),
                12 => out.write_str("\\f"),
                control => write!(out, "\\u{control:04x}"),
            }?;
            text = &text[at + 1..];
        }
        out.write_str(text)
    }
}

/// What stands between brackets.
struct Items<'a, W> {
    lines: &'a mut Lines<W>,
    is_first: bool,
}

impl<W: Write> Items<'_, W> {
    /// Begins an item: on a line of its own in what is not deeper than `deepest`.
    fn next(&mut self, deepest: u32) -> fmt::Result {
        let is_first = std::mem::replace(&mut self.is_first, false);
        self.lines.out.write_str(match (is_first, self.lines.depth <= deepest) {
            (true, true) => "\n",
            (true, false) => "",
            (false, true) => ",\n",
            (false, false) => ",",
        })
    }
}

impl<W: Write> SerializeSeq for Items<'_, W> {
    type Ok = ();
    type Error = fmt::Error;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> fmt::Result {
        self.next(2)?;
        value.serialize(&mut *self.lines)
    }

    fn end(self) -> fmt::Result {
        self.lines.close("]")
    }
}

impl<W: Write> SerializeMap for Items<'_, W> {
    type Ok = ();
    type Error = fmt::Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> fmt::Result {
        self.next(1)?;
        key.serialize(&mut *self.lines)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> fmt::Result {
        self.lines.out.write_char(':')?;
        value.serialize(&mut *self.lines)
    }

    fn end(self) -> fmt::Result {
        self.lines.close("}")
    }
}

impl<W: Write> SerializeStruct for Items<'_, W> {
    type Ok = ();
    type Error = fmt::Error;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> fmt::Result {
        self.next(1)?;
        let out = &mut self.lines.out;
        // the name of a field holds nothing to escape
        out.write_char('"')?;
        out.write_str(key)?;
        out.write_str("\":")?;
        value.serialize(&mut *self.lines)
    }

    fn end(self) -> fmt::Result {
        SerializeMap::end(self)
    }
}

/// What a plan has none of.
const UNKNOWN: Result<Impossible<(), fmt::Error>, fmt::Error> = Err(fmt::Error);

macro_rules! as_rust_writes_it {
    ($format:literal: $($method:ident($number:ty))*) => { $(
        fn $method(self, number: $number) -> fmt::Result {
            write!(self.out, $format, number)
        }
    )* }
}

impl<'a, W: Write> Serializer for &'a mut Lines<W> {
    type Ok = ();
    type Error = fmt::Error;
    type SerializeSeq = Items<'a, W>;
    type SerializeMap = Items<'a, W>;
    type SerializeStruct = Items<'a, W>;
    type SerializeTuple = Impossible<(), fmt::Error>;
    type SerializeTupleStruct = Impossible<(), fmt::Error>;
    type SerializeTupleVariant = Impossible<(), fmt::Error>;
    type SerializeStructVariant = Impossible<(), fmt::Error>;

    as_rust_writes_it! { "{}":
        serialize_bool(bool)
        serialize_i8(i8) serialize_i16(i16) serialize_i32(i32) serialize_i64(i64)
        serialize_u8(u8) serialize_u16(u16) serialize_u32(u32) serialize_u64(u64)
    }

    // a whole number has its `.0`
    as_rust_writes_it! { "{:?}": serialize_f32(f32) serialize_f64(f64) }

    fn serialize_char(self, char: char) -> fmt::Result {
        self.collect_str(&char)
    }

    fn serialize_str(self, text: &str) -> fmt::Result {
        self.out.write_char('"')?;
        Escaped(&mut self.out).write_str(text)?;
        self.out.write_char('"')
    }

    fn collect_str<T: Display + ?Sized>(self, text: &T) -> fmt::Result {
        self.out.write_char('"')?;
        write!(Escaped(&mut self.out), "{text}")?;
        self.out.write_char('"')
    }

    fn serialize_unit(self) -> fmt::Result {
        self.out.write_str("null")
    }

    fn serialize_none(self) -> fmt::Result {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> fmt::Result {
        value.serialize(self)
    }

    fn serialize_unit_struct(self, _: &'static str) -> fmt::Result {
        self.serialize_unit()
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> fmt::Result {
        value.serialize(self)
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, name: &'static str) -> fmt::Result {
        self.serialize_str(name)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Items<'a, W>, fmt::Error> {
        self.open("[")
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Items<'a, W>, fmt::Error> {
        self.open("{")
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Items<'a, W>, fmt::Error> {
        self.open("{")
    }

    fn serialize_bytes(self, _: &[u8]) -> fmt::Result {
        Err(fmt::Error)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> fmt::Result {
        Err(fmt::Error)
    }

    fn serialize_tuple(self, _: usize) -> Result<Self::SerializeTuple, fmt::Error> {
        UNKNOWN
    }

    fn serialize_tuple_struct(
        self,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleStruct, fmt::Error> {
        UNKNOWN
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, fmt::Error> {
        UNKNOWN
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, fmt::Error> {
        UNKNOWN
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;
    use serde_json::json;

    fn written(value: &Value) -> String {
        let mut out = Vec::new();
        write(value, &mut out).expect("memory takes everything");
        String::from_utf8(out).expect("JSON is text")
    }

    #[test]
    fn every_character_is_read_as_it_was_meant() {
        let all: String = (0..=0x2100).filter_map(char::from_u32).chain("😀\u{7f}".chars()).collect();
        let value = json!({ "text": all, "plain": "a b", "": ["\"", "\\", ""] });
        assert_eq!(serde_json::from_str::<Value>(&written(&value)).expect("JSON"), value);
        for text in ["\u{8}\u{c}\n\r\t", "\u{0}\u{1b}\u{7f}", "a\"b\\c/d"] {
            assert_eq!(written(&json!(text)), serde_json::to_string(text).expect("JSON") + "\n");
        }
    }

    #[test]
    fn numbers_are_written_as_serde_writes_them() {
        let value = json!([0, -1, u64::MAX, 0.0, 5.0, 0.25, 1.5e-7, true, null]);
        assert_eq!(written(&value).replace(['\n'], ""), value.to_string());
    }

    #[test]
    fn keys_of_the_document_and_values_of_its_lists_begin_lines() {
        let value = json!({ "a": 1, "b": [{ "c": [1, 2] }, {}], "d": { "e": [1, 2] } });
        let lines = "{\n\"a\":1,\n\"b\":[\n{\"c\":[1,2]},\n{}],\n\"d\":{\"e\":[1,2]}}\n";
        assert_eq!(written(&value), lines);
    }

    #[test]
    fn an_output_that_takes_no_more_says_why() {
        let error = write(&json!({ "a": "b" }), &mut [0; 4].as_mut_slice()).expect_err("there is no room");
        assert_eq!(error.kind(), io::ErrorKind::WriteZero);
    }
}
