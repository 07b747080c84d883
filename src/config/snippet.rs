//! A piece of a Caddyfile in a config. Knows of its words only where they end, and the braces.

use super::form::Written;
use super::form::wrong;
use serde::de::Deserialize;
use serde::de::Deserializer;

/// A piece of a Caddyfile, whose blocks are closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snippet(String);

impl Snippet {
    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Snippet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Written(text) = Written::deserialize(deserializer)?;
        let text = text.replace("\r\n", "\n");
        if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\t')) {
            return Err(wrong("the snippet holds a control character", "write words of a Caddyfile"));
        }
        if !closes_what_it_opens(&text) {
            return Err(wrong(
                "the snippet does not close the blocks that it opens",
                "a block begins with `{` at the end of a line and ends with a line `}`",
            ));
        }
        Ok(Self(text.trim_matches('\n').to_owned()))
    }
}

/// Whether the site around it goes on behind it. Words end, and quotes, comments and heredocs begin, where Caddy has them so.
fn closes_what_it_opens(text: &str) -> bool {
    let mut depth = 0_u32;
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        rest = match first {
            '#' => rest.split_once('\n').map_or("", |(_, rest)| rest),
            '"' | '`' => behind_quote(&rest[1..], first),
            _ => {
                let (word, behind) = rest.split_at(rest.find(char::is_whitespace).unwrap_or(rest.len()));
                match (word, word.strip_prefix("<<")) {
                    ("{", _) => depth += 1,
                    ("}", _) if depth == 0 => return false,
                    ("}", _) => depth -= 1,
                    _ => {}
                }
                match word.strip_prefix("<<").filter(|marker| !marker.is_empty() && behind.starts_with('\n'))
                {
                    Some(marker) => behind.split_once(marker).map_or("", |(_, rest)| rest),
                    None => behind,
                }
            }
        };
        rest = rest.trim_start();
    }
    depth == 0
}

/// What follows the end of a quote.
fn behind_quote(text: &str, quote: char) -> &str {
    let mut is_escaped = false;
    let end = text.find(|c| {
        let is_end = c == quote && !is_escaped;
        is_escaped = c == '\\' && quote == '"' && !is_escaped;
        is_end
    });
    end.map_or("", |end| &text[end + 1..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snippet_that_leaves_its_site_is_refused() {
        for good in [
            "",
            "header X y",
            "handle /a {\n\trespond a\n}",
            "log { # }\n}",
            "respond \"{method} }\"",
            "respond `{\n\t\"a\": {\n}`",
            "respond \"\\\"}\n}\"",
            "respond <<X\n}\n  X 200",
        ] {
            assert!(closes_what_it_opens(good), "{good}");
        }
        for bad in [
            "}\nevil.com {",
            "handle {",
            "handle {\n}\n}",
            "}",
            "header X \"{\n{\n\"\n}\nevil.com {\nheader X \"\n}\n}\n\"",
            "respond <<X\n{\nX\n}\nevil.com {\nrespond <<X\n}\nX",
            "handle {\nrespond a }\n}\nevil.com {",
        ] {
            assert!(!closes_what_it_opens(bad), "{bad}");
        }
    }
}
