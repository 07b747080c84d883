//! A piece of a Caddyfile in a config. Knows of its words only the braces.

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
        // what stands in a heredoc may be anything
        if !text.contains("<<") && !closes_what_it_opens(&text) {
            return Err(wrong(
                "the snippet does not close the blocks that it opens",
                "a block begins with `{` at the end of a line and ends with a line `}`",
            ));
        }
        Ok(Self(text.trim_matches('\n').to_owned()))
    }
}

/// Whether the site around it goes on behind it.
fn closes_what_it_opens(text: &str) -> bool {
    let mut depth = 0_u32;
    for line in text.lines() {
        let mut words = line.split_whitespace().take_while(|word| !word.starts_with('#')).peekable();
        if words.peek() == Some(&"}") {
            match depth.checked_sub(1) {
                Some(less) => depth = less,
                None => return false,
            }
        }
        if words.last() == Some("{") {
            depth += 1;
        }
    }
    depth == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snippet_that_leaves_its_site_is_refused() {
        for good in
            ["", "header X y", "handle /a {\n\trespond a\n}", "log { # }\n}", "respond \"{method} }\""]
        {
            assert!(closes_what_it_opens(good), "{good}");
        }
        for bad in ["}\nevil.com {", "handle {", "handle {\n}\n}", "}"] {
            assert!(!closes_what_it_opens(bad), "{bad}");
        }
    }
}
