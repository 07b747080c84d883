//! Files of lines `KEY=VALUE` whose values may be secret. Does not know what they are for, and shows no value.

use crate::config::Notation;
use crate::config::Problem;
use crate::name::EnvKey;
use crate::spec::Secret;
use std::collections::BTreeMap;

/// What is wrong with a line. It does not show the line, which may be a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    /// There is no `=`, or no name before it.
    NoKey,
    /// The quote that opens the value is never closed.
    Unclosed,
    /// Something follows the quote that closes the value.
    AfterQuote,
    /// A value without quotes has ` #` in it: a comment to some tools, part of the value to others.
    Comment,
    /// There is a byte 0, which no variable can hold.
    Null,
    /// It is longer than a variable of a docker call can be.
    Long,
    /// It names a store of secrets.
    Store(Notation),
}

impl Fault {
    fn message(self) -> String {
        match self {
            Self::NoKey => "this is not `KEY=VALUE`".to_owned(),
            Self::Unclosed => "the quote that opens the value is never closed".to_owned(),
            Self::AfterQuote => "something follows the quote that closes the value".to_owned(),
            Self::Comment => "it is not clear whether ` #` begins a comment".to_owned(),
            Self::Null => "there is a byte 0 in the value".to_owned(),
            Self::Long => "the value is longer than 120 KiB".to_owned(),
            Self::Store(notation) => format!("nothing is put in place of `{}`", notation.sample()),
        }
    }

    fn hint(self) -> &'static str {
        match self {
            Self::NoKey => "a line is `KEY=VALUE`, empty, or a comment that begins with `#`",
            Self::Unclosed | Self::AfterQuote => {
                "between quotes everything is taken as it is, up to the next such quote; other quotes around it help"
            }
            Self::Comment => "put the value in quotes, or the comment on a line of its own",
            Self::Null => "a value is text",
            Self::Long => "no variable of a docker call can hold it: mount it as a file",
            Self::Store(_) => "write the value itself; in single quotes it is taken as it is",
        }
    }
}

/// Linux takes 128 KiB for a variable with its name.
pub(super) const LONGEST: usize = 120 * 1024;

/// The variables of [`parse_lines`] alone.
pub(super) fn parse(path: &str, text: &str) -> (BTreeMap<EnvKey, Secret>, Vec<Problem>) {
    let (values, problems) = parse_lines(path, text);
    (values.into_iter().map(|(key, (value, _))| (key, value)).collect(), problems)
}

/// The variables in `text`, the content of the file `path`, each with the number of its line, counted from 1; and all that is
/// wrong with it, which holds no value.
///
/// A line is `KEY=VALUE`, perhaps after `export`. Blanks around the value do not belong to it, nor do quotes around it; between
/// quotes everything is taken as it is, line feeds too. Nothing is expanded, nothing escaped. Empty lines and lines that begin
/// with `#` say nothing. Of several values of one key the last counts, with a warning.
pub(super) fn parse_lines(path: &str, text: &str) -> (BTreeMap<EnvKey, (Secret, usize)>, Vec<Problem>) {
    let mut values = BTreeMap::new();
    let mut line_of: BTreeMap<EnvKey, usize> = BTreeMap::new();
    let mut problems = Vec::new();
    let mut lines = text.trim_start_matches('\u{feff}').lines().enumerate();
    while let Some((index, line)) = lines.next() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        match assignment(line, lines.by_ref().map(|(_, line)| line)) {
            Ok(Assignment { key, value, is_quoted }) => {
                if let Some(notation) = Notation::of(&value).filter(|_| !is_quoted) {
                    let message =
                        format!("nothing is put in place of `{}` in the value of `{key}`", notation.sample());
                    problems.push(
                        Problem::warning_in_line(path, index + 1, message)
                            .hint("write the value itself; in single quotes it is taken as it is"),
                    );
                }
                if let Some(first) = line_of.insert(key.clone(), index + 1) {
                    let message = format!("`{key}` has a value in line {first} already; this one counts");
                    problems.push(
                        Problem::warning_in_line(path, index + 1, message).hint("remove one of the lines"),
                    );
                }
                values.insert(key, (Secret::new(value), index + 1));
            }
            Err(fault) => {
                problems.push(Problem::error_in_line(path, index + 1, fault.message()).hint(fault.hint()))
            }
        }
    }
    (values, problems)
}

/// What a line says.
struct Assignment {
    key: EnvKey,
    value: String,
    /// Whether it is in single quotes.
    is_quoted: bool,
}

/// What `line` says, together with `more` lines where its value goes on.
fn assignment<'a>(line: &'a str, more: impl Iterator<Item = &'a str>) -> Result<Assignment, Fault> {
    let line = line.strip_prefix("export ").unwrap_or(line);
    let (key, value) = line.split_once('=').ok_or(Fault::NoKey)?;
    let key = EnvKey::parse(key.trim()).map_err(|_| Fault::NoKey)?;
    let value = value.trim_start();
    let is_quoted = value.starts_with('\'');
    let value = match value.chars().next() {
        Some(quote @ ('"' | '\'')) => quoted(&value[1..], quote, more)?,
        _ if value.contains(" #") || value.contains("\t#") => return Err(Fault::Comment),
        _ => value.to_owned(),
    };
    match Notation::of(&value) {
        Some(notation @ Notation::Store(_)) if !is_quoted => Err(Fault::Store(notation)),
        _ if value.contains('\0') => Err(Fault::Null),
        _ if value.len() > LONGEST => Err(Fault::Long),
        _ => Ok(Assignment { key, value, is_quoted }),
    }
}

/// The value that begins with `first`, after its `quote`, and goes on with `more` lines until the quote is closed.
fn quoted<'a>(first: &str, quote: char, more: impl Iterator<Item = &'a str>) -> Result<String, Fault> {
    let mut value = first.to_owned();
    let mut more = more;
    loop {
        if let Some((inside, after)) = value.split_once(quote) {
            let comment = after.trim_start();
            let is_over = comment.is_empty() || comment.starts_with('#') && comment.len() < after.len();
            return if is_over { Ok(inside.to_owned()) } else { Err(Fault::AfterQuote) };
        }
        value.push('\n');
        value.push_str(more.next().ok_or(Fault::Unclosed)?);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(values: &BTreeMap<EnvKey, Secret>) -> Vec<(&str, &str)> {
        values.iter().map(|(key, secret)| (key.as_str(), secret.reveal())).collect()
    }

    #[test]
    fn a_line_gives_the_value_that_people_expect() {
        for (line, value) in [
            ("PW=hunter2", "hunter2"),
            ("PW = hunter2 ", "hunter2"),
            ("export PW=hunter2\r", "hunter2"),
            ("\u{feff}PW=a=b==", "a=b=="),
            ("PW=a$b`c`\\n", "a$b`c`\\n"),
            ("PW=a#b'c\"", "a#b'c\""),
            ("PW=", ""),
            ("PW=\"a 'b' # c\"", "a 'b' # c"),
            ("PW=' a\"$HOME\\' # a comment", " a\"$HOME\\"),
            (
                "PW=\"-----BEGIN KEY-----\n\n# 1\n-----END KEY-----\"\n",
                "-----BEGIN KEY-----\n\n# 1\n-----END KEY-----",
            ),
            ("# PW=1\n\n PW=3", "3"),
        ] {
            let (secrets, problems) = parse("file", line);
            assert_eq!((values(&secrets), problems.len()), (vec![("PW", value)], 0), "{line}");
        }
    }

    #[test]
    fn a_line_that_is_not_understood_is_named_by_its_number_alone() {
        for (text, line, fault) in [
            ("A=1\nhunter2", 2, Fault::NoKey),
            ("hunter2 x=1", 1, Fault::NoKey),
            ("=hunter2", 1, Fault::NoKey),
            ("A='\nB\n\nC=2", 1, Fault::Unclosed),
            ("A=\"hunter\\\"2\"", 1, Fault::AfterQuote),
            ("A='hunter'#2", 1, Fault::AfterQuote),
            ("\nA=hunter2 # the password", 2, Fault::Comment),
            ("A=\0", 1, Fault::Null),
            ("A=${pass:hunter2}", 1, Fault::Store(Notation::Store("pass"))),
            ("A=\"${sops:hunter2}\"", 1, Fault::Store(Notation::Store("sops"))),
        ] {
            let expected = Problem::error_in_line("file", line, fault.message()).hint(fault.hint());
            let (_, problems) = parse("file", text);
            assert_eq!(problems, [expected], "{text}");
            assert!(!format!("{problems:?}").contains("hunter"), "{problems:?}");
        }
        let (_, problems) = parse("file", &format!("A={}", "x".repeat(LONGEST + 1)));
        assert_eq!(problems[0].message, Fault::Long.message());
    }

    #[test]
    fn of_several_values_of_a_key_the_last_counts_with_a_warning() {
        let (secrets, problems) = parse("file", "A=1\nB=2\nexport A='3'\n");
        assert_eq!(values(&secrets), [("A", "3"), ("B", "2")]);
        let warning =
            Problem::warning_in_line("file", 3, "`A` has a value in line 1 already; this one counts")
                .hint("remove one of the lines");
        assert_eq!(problems, [warning]);
    }
}
