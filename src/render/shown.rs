//! Text for people. The only form in which words reach a person: whatever they hold, they neither move the cursor, nor
//! change the order in which they are read, nor begin a line of their own. Does not know where it is shown.

use crate::name::is_hidden;
use anstyle::Style;
use std::fmt;
use std::fmt::Display;
use std::fmt::Write;

/// Lines for people, with the escape sequences of their styles and no others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Text(String);

impl Text {
    /// `words` alone, without the end of a line.
    pub fn of(words: impl Display) -> Self {
        let mut text = Self::default();
        text.add(words);
        text
    }

    /// What a library has drawn: its lines and its styles stay, and it has let no escape sequences of others through.
    pub fn drawn(drawing: &str) -> Self {
        let mut text = Self::default();
        let parts = drawing.split_inclusive(['\n', '\u{1b}']);
        for part in parts {
            let end = part.len() - usize::from(part.ends_with(['\n', '\u{1b}']));
            text.add(&part[..end]).0.push_str(&part[end..]);
        }
        text
    }

    /// Words as they can be seen, all in the same line.
    pub fn add(&mut self, words: impl Display) -> &mut Self {
        write!(Visible(&mut self.0), "{words}").expect("a string takes everything");
        self
    }

    /// The same in a style of their own.
    pub fn styled(&mut self, style: Style, words: impl Display) -> &mut Self {
        write!(self.0, "{style}").expect("a string takes everything");
        self.add(words);
        write!(self.0, "{style:#}").expect("a string takes everything");
        self
    }

    /// What follows is in the next line.
    pub fn end(&mut self) -> &mut Self {
        self.0.push('\n');
        self
    }

    /// Words that end a line.
    pub fn line(&mut self, words: impl Display) -> &mut Self {
        self.add(words).end()
    }

    /// Lines that gordon has laid out itself, so that no word in them holds a line feed.
    pub fn lines(&mut self, lines: &str) -> &mut Self {
        for line in lines.lines() {
            self.line(line);
        }
        self
    }

    /// All of another text.
    pub fn append(&mut self, other: &Self) -> &mut Self {
        self.0.push_str(&other.0);
        self
    }

    /// The text as it goes to a terminal.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Writes what is hidden as escapes. A tab stays: it hides nothing, and logs are full of them.
struct Visible<'a>(&'a mut String);

impl Write for Visible<'_> {
    fn write_str(&mut self, words: &str) -> fmt::Result {
        let is_escaped = |c: char| c != '\t' && is_hidden(c);
        let mut rest = words;
        while let Some(at) = rest.find(is_escaped) {
            let (before, from) = rest.split_at(at);
            let hidden = from.chars().next().expect("it was found");
            self.0.push_str(before);
            self.0.extend(hidden.escape_default());
            rest = &from[hidden.len_utf8()..];
        }
        self.0.push_str(rest);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use anstyle::AnsiColor;
    use proptest::prelude::*;

    #[test]
    fn words_stay_in_their_line_and_in_their_order() {
        let mut text = Text::of("a\u{1b}[2K\r\n  +   b");
        text.end().styled(Style::new().bold(), "\u{202e}c\u{9b}31m\u{2028}\u{7f}\u{85}").add("\té→").end();
        assert_eq!(
            text.as_str(),
            "a\\u{1b}[2K\\r\\n  +   b\n\u{1b}[1m\\u{202e}c\\u{9b}31m\\u{2028}\\u{7f}\\u{85}\u{1b}[0m\té→\n"
        );
    }

    #[test]
    fn of_a_drawing_the_lines_and_styles_stay() {
        let drawing = "\u{1b}[1merror\u{1b}[0m: x\u{9b}\r\n  |\n";
        assert_eq!(Text::drawn(drawing).as_str(), "\u{1b}[1merror\u{1b}[0m: x\\u{9b}\\r\n  |\n");
    }

    proptest! {
        #[test]
        fn only_styles_and_the_ends_of_lines_are_obeyed(words in any::<String>(), more in "[ -~\\x00-\\x1f\\x7f-\\u{a0}\\u{2000}-\\u{2070}]*") {
            let mut text = Text::default();
            text.line(&words).styled(AnsiColor::Red.on_default(), &more).end();
            prop_assert_eq!(text.as_str().matches('\n').count(), 2);
            prop_assert_eq!(text.as_str().matches('\u{1b}').count(), 2);
            let is_obeyed = |c| is_hidden(c) && !['\n', '\t', '\u{1b}'].contains(&c);
            prop_assert!(!text.as_str().contains(is_obeyed), "{:?}", text);
        }
    }
}
