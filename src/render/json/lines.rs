//! Where JSON has its line feeds. Does not know what is written.

use serde_json::ser::Formatter;
use std::io;

/// Begins a line at each key of the document and at each value of its lists.
#[derive(Default)]
pub(super) struct Lines {
    depth: u32,
}

impl Lines {
    fn open<W: io::Write + ?Sized>(&mut self, out: &mut W, sign: &[u8]) -> io::Result<()> {
        self.depth += 1;
        out.write_all(sign)
    }

    fn close<W: io::Write + ?Sized>(&mut self, out: &mut W, sign: &[u8]) -> io::Result<()> {
        self.depth -= 1;
        out.write_all(sign)
    }

    /// Begins an item: on a line of its own in what is not deeper than `deepest`.
    fn next<W: io::Write + ?Sized>(&mut self, out: &mut W, is_first: bool, deepest: u32) -> io::Result<()> {
        out.write_all(match (is_first, self.depth <= deepest) {
            (true, true) => b"\n",
            (true, false) => b"",
            (false, true) => b",\n",
            (false, false) => b",",
        })
    }
}

impl Formatter for Lines {
    fn begin_array<W: io::Write + ?Sized>(&mut self, out: &mut W) -> io::Result<()> {
        self.open(out, b"[")
    }

    fn end_array<W: io::Write + ?Sized>(&mut self, out: &mut W) -> io::Result<()> {
        self.close(out, b"]")
    }

    fn begin_array_value<W: io::Write + ?Sized>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.next(out, first, 2)
    }

    fn begin_object<W: io::Write + ?Sized>(&mut self, out: &mut W) -> io::Result<()> {
        self.open(out, b"{")
    }

    fn end_object<W: io::Write + ?Sized>(&mut self, out: &mut W) -> io::Result<()> {
        self.close(out, b"}")
    }

    fn begin_object_key<W: io::Write + ?Sized>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.next(out, first, 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Serialize;
    use serde_json::json;

    #[test]
    fn keys_of_the_document_and_values_of_its_lists_begin_lines() {
        let value = json!({ "a": 1, "b": [{ "c": [1, 2] }, {}], "d": { "e": [1, 2] } });
        let mut out = Vec::new();
        let mut serializer = serde_json::Serializer::with_formatter(&mut out, Lines::default());
        value.serialize(&mut serializer).expect("memory takes everything");
        let lines = "{\n\"a\":1,\n\"b\":[\n{\"c\":[1,2]},\n{}],\n\"d\":{\"e\":[1,2]}}";
        assert_eq!(String::from_utf8(out).expect("JSON is text"), lines);
    }
}
