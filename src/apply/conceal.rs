//! Hides the values of secrets in a text that is to be shown. Does not know where the text or the secrets come from.

use crate::spec::Secret;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fmt;
use std::hash::DefaultHasher;
use std::hash::Hash;
use std::hash::Hasher;
use std::ops::Range;
use std::sync::OnceLock;

/// A shorter value is part of too many words: the rest would be illegible without them.
const SHORTEST: usize = 4;

/// So many successive bytes of a value are hidden, also where the rest of it is not in the text.
const PIECE: usize = 32;

/// What is shown in the place of a value.
const MARK: &str = "…";

/// The values that are not to be shown.
#[derive(Clone, Default)]
pub struct Concealment {
    secrets: Vec<Secret>,
    /// Made when the first text is to be shown: most runs show none.
    index: OnceLock<Index>,
}

/// What is looked for in a text.
#[derive(Clone, Default)]
struct Index {
    values: BTreeSet<String>,
    /// The fingerprints of all pieces of the values, sorted, by the length of the pieces in bytes: that of the value, or
    /// [`PIECE`] where it is longer. So a text is read once for each length, however many values there are.
    pieces: BTreeMap<usize, Vec<u64>>,
}

/// Where a text may be the rest of a longer one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Cut {
    /// Before its first character.
    pub(super) start: bool,
    /// After its last character.
    pub(super) end: bool,
}

impl Concealment {
    /// Hides these values, each of their lines, and both as they are written in JSON.
    pub fn of<'a>(secrets: impl IntoIterator<Item = &'a Secret>) -> Self {
        Self { secrets: secrets.into_iter().cloned().collect(), index: OnceLock::new() }
    }

    /// `text` as it may be shown. For people and logs alone: nothing is decided by what it leaves.
    pub fn conceal(&self, text: &str) -> String {
        self.conceal_cut(text, Cut::default())
    }

    /// The same of a text that was cut off, perhaps in the middle of a value.
    pub(super) fn conceal_cut(&self, text: &str, cut: Cut) -> String {
        let index = self.index.get_or_init(|| Index::of(&self.secrets));
        let mut hidden = index.found(text.as_bytes());
        hidden.extend(index.at_cuts(text, cut));
        hidden.sort_unstable_by_key(|range| range.start);
        let mut shown = String::with_capacity(text.len());
        let mut next = 0;
        for range in hidden {
            // a piece may begin or end within a character
            let (start, end) = (text.floor_char_boundary(range.start), text.ceil_char_boundary(range.end));
            if start > next || shown.is_empty() {
                shown.push_str(&text[next..start]);
                shown.push_str(MARK);
            }
            next = next.max(end);
        }
        shown + &text[next..]
    }
}

impl fmt::Debug for Concealment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Concealment").field(&self.secrets.len()).finish()
    }
}

impl Index {
    fn of(secrets: &[Secret]) -> Self {
        let lines = secrets.iter().map(Secret::reveal).flat_map(|value| value.lines().chain([value]));
        let values: BTreeSet<String> =
            lines.map(str::trim).flat_map(forms).filter(|value| value.len() >= SHORTEST).collect();
        let mut pieces = BTreeMap::<usize, Vec<u64>>::new();
        for value in &values {
            let length = value.len().min(PIECE);
            pieces.entry(length).or_default().extend(value.as_bytes().windows(length).map(fingerprint));
        }
        for fingerprints in pieces.values_mut() {
            fingerprints.sort_unstable();
            fingerprints.dedup();
        }
        Self { values, pieces }
    }

    /// Where pieces of values are in `text`.
    fn found(&self, text: &[u8]) -> Vec<Range<usize>> {
        let of_length = |(length, known): (&usize, &Vec<u64>)| {
            let windows = text.windows(*length).enumerate();
            let hits = windows.filter(|(_, window)| known.binary_search(&fingerprint(window)).is_ok());
            hits.map(|(start, _)| start..start + length).collect::<Vec<_>>()
        };
        self.pieces.iter().flat_map(of_length).collect()
    }

    /// What is left of a value at the ends of a text that was cut off there.
    fn at_cuts(&self, text: &str, cut: Cut) -> Vec<Range<usize>> {
        let bytes = text.as_bytes();
        let is_known = |is: &dyn Fn(&[u8]) -> bool| self.values.iter().any(|value| is(value.as_bytes()));
        // longer ones are found anywhere
        let mut lengths = (SHORTEST..=bytes.len().min(PIECE)).rev();
        let mut hidden = Vec::new();
        if cut.start
            && cut.end
            && (SHORTEST..PIECE).contains(&bytes.len())
            && self.values.iter().any(|value| value.contains(text))
        {
            hidden.push(0..bytes.len());
        }
        if cut.start {
            let length = lengths.clone().find(|length| is_known(&|value| value.ends_with(&bytes[..*length])));
            hidden.extend(length.map(|length| 0..length));
        }
        if cut.end {
            let rest = |length: usize| &bytes[bytes.len() - length..];
            let length = lengths.find(|length| is_known(&|value| value.starts_with(rest(*length))));
            hidden.extend(length.map(|length| bytes.len() - length..bytes.len()));
        }
        hidden
    }
}

/// A value as it is, and as it is written in JSON: by docker, which also escapes what has a meaning in HTML, and by others.
fn forms(value: &str) -> [String; 3] {
    let json = serde_json::Value::from(value).to_string();
    let json = json[1..json.len() - 1].to_owned();
    let html = json.replace('&', r"\u0026").replace('<', r"\u003c").replace('>', r"\u003e");
    [value.to_owned(), json, html]
}

fn fingerprint(piece: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    piece.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Cut = Cut { start: true, end: false };
    const END: Cut = Cut { start: false, end: true };
    const BOTH: Cut = Cut { start: true, end: true };

    /// 4,000 different bytes, hence no piece twice.
    fn long() -> String {
        (1000..2000).map(|number| number.to_string()).collect()
    }

    fn concealment(values: &[&str]) -> Concealment {
        let secrets: Vec<Secret> = values.iter().map(|value| Secret::new(*value)).collect();
        Concealment::of(&secrets)
    }

    #[test]
    fn a_value_is_hidden_wherever_it_is() {
        for (values, text, shown) in [
            (&["hunter2"][..], "hunter2", "…"),
            (&["hunter2"], "no hunter2, nor hunter2hunter2.", "no …, nor …."),
            (&["hunter2"], "hunter", "hunter"),
            (&["is", ""], "this is no secret", "this is no secret"),
            (&["    "], "    indented", "    indented"),
            (&[" hunter2\n"], "hunter2", "…"),
            (&["Grüße"], "viele Grüße!", "viele …!"),
            (&[], "hunter2", "hunter2"),
            (&["hunter2"], "", ""),
        ] {
            assert_eq!(concealment(values).conceal(text), shown, "{values:?} in {text}");
        }
    }

    #[test]
    fn values_that_overlap_are_hidden_together() {
        for (values, text, shown) in [
            (&["hunter2", "hunter2-REST"][..], "pair hunter2 hunter2-REST", "pair … …"),
            (&["REST", "hunter2-REST"], "hunter2-REST", "…"),
            (&["abcdef", "defghi"], "abcdefghi abcdef", "… …"),
            (&["hunter2", "word"], "hunter2word", "…"),
        ] {
            assert_eq!(concealment(values).conceal(text), shown, "{values:?} in {text}");
        }
    }

    #[test]
    fn each_line_of_a_value_is_hidden() {
        let key = "-----BEGIN KEY-----\n  MIIline1\r\nMIIline2\n}\n-----END KEY-----\n";
        let concealment = concealment(&[key]);
        assert_eq!(concealment.conceal(key.trim_end()), "…");
        assert_eq!(concealment.conceal("read MIIline1 and MIIline2 }"), "read … and … }");
        assert_eq!(concealment.conceal(r"key=-----BEGIN KEY-----\n  MIIline1"), r"key=…\n  …");
    }

    #[test]
    fn a_value_is_hidden_as_json_writes_it() {
        let value = "pass&word<1>\"x\ty";
        for text in [value, r#"pass&word<1>\"x\ty"#, r#"pass\u0026word\u003c1\u003e\"x\ty"#] {
            assert_eq!(concealment(&[value]).conceal(&format!("\"{text}\"")), "\"…\"", "{text}");
        }
    }

    #[test]
    fn a_long_piece_of_a_value_is_hidden_without_the_rest() {
        let value = long();
        let concealment = concealment(&[&value]);
        assert_eq!(concealment.conceal(&format!("a {} b", &value[500..500 + PIECE])), "a … b");
        assert_eq!(concealment.conceal(&format!("{} then {}", &value[..3000], &value[3000..])), "… then …");
        let short = &value[500..500 + PIECE - 1];
        assert_eq!(concealment.conceal(short), short);
        let value = "ü".repeat(PIECE);
        assert_eq!(
            self::concealment(&[&value]).conceal(&format!("{}ö", &value[2..])),
            "…",
            "up to a whole character"
        );
    }

    #[test]
    fn what_is_left_of_a_value_where_a_text_was_cut_is_hidden() {
        let concealment = concealment(&["hunter2-hunter3", "first\nsecond"]);
        for (text, cut, shown) in [
            ("hunter3 is wrong", START, "… is wrong"),
            ("-hunter3 is wrong", Cut::default(), "-hunter3 is wrong"),
            ("ond is wrong", START, "ond is wrong"),
            ("cond is wrong", START, "… is wrong"),
            ("it is hunter2-h", END, "it is …"),
            ("it is hunter2-h", START, "it is hunter2-h"),
            ("er2-hu", BOTH, "…"),
            ("er2-hu", END, "er2-hu"),
            ("hunter2-hunter3", BOTH, "…"),
            ("", BOTH, ""),
        ] {
            assert_eq!(concealment.conceal_cut(text, cut), shown, "{text} {cut:?}");
        }
    }

    #[test]
    fn nothing_shows_the_values() {
        let concealment = concealment(&["hunter2"]);
        concealment.conceal("");
        assert!(!format!("{concealment:?}").contains("hunter2"));
    }
}
