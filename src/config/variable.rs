//! `${NAME}` in the values of a config, and what takes its place. Does not know where variables come from, nor what the
//! values mean.

use super::literal::names_store;
use super::problem::Problem;
use super::problem::Span;
use super::tree::Entry;
use super::tree::Kind;
use super::tree::Node;
use crate::name::visible;
use std::collections::BTreeMap;

/// How deeply defaults may hold variables of their own.
const MOST_LEVELS: usize = 8;

/// The values of variables, by their names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Variables(BTreeMap<String, String>);

impl FromIterator<(String, String)> for Variables {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(values: I) -> Self {
        Self(values.into_iter().collect())
    }
}

/// A value of a config in which values took the place of variables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filling {
    /// The keys that lead to it, as in `routes."a.com".image`.
    pub key: String,
    /// Its place.
    pub span: Span,
    /// What it is now.
    pub value: String,
    /// The variables that it names, in order.
    pub uses: Vec<VariableUse>,
}

/// What took the place of a variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VariableUse {
    /// Its name.
    pub name: String,
    /// What it was.
    pub took: Took,
}

/// What takes the place of a variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Took {
    /// Its value.
    Value,
    /// The text behind `-`, as it has none.
    Default,
    /// The text behind `+`, as it has one.
    Text,
    /// Nothing, as it has none.
    Nothing,
}

/// The names of the variables that `text` speaks of. Some may stand in comments.
pub fn variables_in(text: &str) -> impl Iterator<Item = &str> {
    text.split("${").skip(1).map(name_of).filter(|name| !name.is_empty())
}

/// Puts values in the place of the variables in `node`, and tells of each value that had any. A value of the config that cannot
/// be had is reported and cut.
pub(super) fn fill(
    node: &mut Node<'_>,
    text: &str,
    variables: &Variables,
    problems: &mut Vec<Problem>,
) -> Vec<Filling> {
    let mut filler = Filler { text, variables, problems, key: Vec::new(), fillings: Vec::new() };
    filler.fill(node);
    filler.fillings
}

struct Filler<'f> {
    text: &'f str,
    variables: &'f Variables,
    problems: &'f mut Vec<Problem>,
    key: Vec<String>,
    fillings: Vec<Filling>,
}

impl Filler<'_> {
    fn fill(&mut self, node: &mut Node<'_>) {
        match &mut node.kind {
            Kind::List(list) => {
                for (at, node) in list.iter_mut().enumerate() {
                    self.fill_below(format!("[{at}]"), node);
                }
            }
            Kind::Map(entries) => {
                for Entry { key, value } in entries {
                    self.fill_below(key_of(key.get_ref()), value);
                }
            }
            Kind::String(value) if value.contains("${") || value.contains("$$") => {
                node.kind = match filled(value, self.variables, MOST_LEVELS) {
                    Ok(Filled { text, uses }) if uses.is_empty() => Kind::String(text.into()),
                    Ok(Filled { text, uses }) => {
                        let (key, span) = (self.key.concat(), node.span.clone());
                        let key = key.trim_start_matches('.').to_owned();
                        self.fillings.push(Filling { key, span, value: text.clone(), uses });
                        Kind::Filled(text)
                    }
                    Err(fault) => {
                        let place = fault.place(self.text, &node.span);
                        self.problems.push(Problem::error(place, fault.message()).hint(fault.hint()));
                        Kind::Cut
                    }
                };
            }
            _ => {}
        }
    }

    fn fill_below(&mut self, key: String, node: &mut Node<'_>) {
        self.key.push(key);
        self.fill(node);
        self.key.pop();
    }
}

/// A key behind another, in quotes where it could be read as several.
fn key_of(key: &str) -> String {
    let is_plain = !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b));
    if is_plain { format!(".{key}") } else { format!(".\"{key}\"") }
}

/// A text with values in the place of its variables.
#[derive(Debug, Default, PartialEq, Eq)]
struct Filled {
    text: String,
    /// The variables that it had.
    uses: Vec<VariableUse>,
}

/// Why a variable has no value.
#[derive(Debug, PartialEq, Eq)]
enum Fault {
    /// It is set nowhere, or to nothing where it must not be empty.
    Unset { name: String, why: Option<String> },
    /// What stands in the braces is no variable.
    Form(String),
    /// The brace is never closed.
    Unclosed,
    /// Defaults hold defaults, and so on.
    Deep,
}

impl Fault {
    /// The beginning of the variable where the config has it as it is, else the whole value.
    fn place(&self, text: &str, value: &Span) -> Span {
        let beginning = match self {
            Self::Unset { name, .. } => format!("${{{name}"),
            Self::Form(inside) => format!("${{{inside}"),
            Self::Unclosed | Self::Deep => "${".to_owned(),
        };
        let found = text.get(value.clone()).and_then(|written| written.find(&beginning));
        found.map_or_else(|| value.clone(), |at| value.start + at..value.start + at + beginning.len())
    }

    fn message(&self) -> String {
        match self {
            Self::Unset { name, why: None } => format!("the variable `{name}` has no value"),
            Self::Unset { name, why: Some(why) } => {
                format!("the variable `{name}` has no value: {}", visible(why))
            }
            Self::Form(inside) => format!("`${{{}}}` is not a variable", visible(inside)),
            Self::Unclosed => "the brace of a variable is never closed".to_owned(),
            Self::Deep => "the defaults of variables nest too deeply".to_owned(),
        }
    }

    fn hint(&self) -> String {
        match self {
            Self::Unset { name, .. } => format!(
                "set it with `--var {name}=VALUE`, in the environment or in `.env`; `${{{name}:-VALUE}}` has a default, and \
                 `$${{{name}}}` is left to the container"
            ),
            Self::Form(_) | Self::Unclosed => {
                "write `${NAME}`, `${NAME:-default}` or `${NAME:?why}`; `$${` is a dollar and a brace"
                    .to_owned()
            }
            Self::Deep => "write the value itself".to_owned(),
        }
    }
}

/// `text` with values in the place of its variables. Defaults may hold variables, `levels` deep.
fn filled(text: &str, variables: &Variables, levels: usize) -> Result<Filled, Fault> {
    let mut filled = Filled::default();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        let (before, after) = rest.split_at(at);
        filled.text.push_str(before);
        rest = &after[1..];
        if let Some(after) = rest.strip_prefix('$') {
            filled.text.push('$');
            rest = after;
            continue;
        }
        // other tools ask a store of secrets for it
        let inside = rest.strip_prefix('{').filter(|inside| !names_store(inside));
        let Some(inside) = inside else {
            filled.text.push('$');
            continue;
        };
        let end = closing_brace(inside).ok_or(Fault::Unclosed)?;
        value_of(&inside[..end], variables, levels, &mut filled)?;
        rest = &inside[end + 1..];
    }
    filled.text.push_str(rest);
    Ok(filled)
}

/// Where the brace that opened before `inside` is closed.
fn closing_brace(inside: &str) -> Option<usize> {
    let mut open = 1_usize;
    let mut previous = ' ';
    for (at, c) in inside.char_indices() {
        match c {
            '{' if previous == '$' => open += 1,
            '}' => open -= 1,
            _ => {}
        }
        if open == 0 {
            return Some(at);
        }
        previous = c;
    }
    None
}

/// The name at the beginning of `text`.
fn name_of(text: &str) -> &str {
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(text.len());
    if text.starts_with(|c: char| c.is_ascii_digit()) { "" } else { &text[..end] }
}

/// Adds the value of what stands between braces: a name, or a name and what to do when it is unset. With a colon an empty
/// value is none either.
fn value_of(inside: &str, variables: &Variables, levels: usize, into: &mut Filled) -> Result<(), Fault> {
    let name = name_of(inside);
    let rest = &inside[name.len()..];
    let (rest, may_be_empty) = match rest.strip_prefix(':') {
        Some(rest) => (rest, false),
        None => (rest, true),
    };
    let value = variables.0.get(name).filter(|value| may_be_empty || !value.is_empty());
    let otherwise = |text: &str| {
        let levels = levels.checked_sub(1).ok_or(Fault::Deep)?;
        filled(text, variables, levels)
    };
    let form = || Fault::Form(inside.to_owned());
    let operator = match rest.chars().next() {
        _ if name.is_empty() => return Err(form()),
        None if !may_be_empty => return Err(form()),
        operator => operator,
    };
    let text = |text: String| Filled { text, uses: Vec::new() };
    let (took, Filled { text, uses }) = match (operator, value) {
        (Some('-'), None) => (Took::Default, otherwise(&rest[1..])?),
        (Some('+'), Some(_)) => (Took::Text, otherwise(&rest[1..])?),
        (Some('+'), None) => (Took::Nothing, text(String::new())),
        (None | Some('-' | '?'), Some(value)) => (Took::Value, text(value.clone())),
        (None, None) => return Err(Fault::Unset { name: name.to_owned(), why: None }),
        (Some('?'), None) => {
            let why = Some(otherwise(&rest[1..])?.text).filter(|why| !why.is_empty());
            return Err(Fault::Unset { name: name.to_owned(), why });
        }
        (Some(_), _) => return Err(form()),
    };
    into.text.push_str(&text);
    into.uses.push(VariableUse { name: name.to_owned(), took });
    into.uses.extend(uses);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The cases of the page about variables: a text of a config, the variables, and what it means.
    fn cases() -> Vec<[String; 3]> {
        let page = include_str!("../../docs/variables.md");
        let (_, table) = page.split_once("| in the config | variables | means |").expect("a table of cases");
        let rows = table.lines().skip(2).take_while(|line| line.starts_with('|'));
        let cell = |cell: &str| cell.trim().trim_matches('`').to_owned();
        let row = |row: &str| row.split('|').skip(1).take(3).map(cell).collect::<Vec<_>>();
        rows.map(|line| row(line).try_into().expect("three cells")).collect()
    }

    #[test]
    fn the_cases_of_the_documentation_mean_what_it_says() {
        let cases = cases();
        assert!(cases.len() >= 30, "{} cases", cases.len());
        for [text, given, meaning] in cases {
            let given = given.split_whitespace().filter_map(|pair| pair.split_once('='));
            let given = given.map(|(name, value)| (name.to_owned(), value.to_owned()));
            let found = match filled(&text, &given.collect(), MOST_LEVELS) {
                Ok(Filled { text, .. }) => text,
                Err(fault) => format!("error: {}", fault.message()),
            };
            let found = if found.is_empty() { "nothing".to_owned() } else { found };
            assert_eq!(found.replace('`', ""), meaning.replace('`', ""), "{text}");
        }
    }

    #[test]
    fn defaults_do_not_nest_without_end() {
        let text = format!("{}x{}", "${A:-".repeat(100_000), "}".repeat(100_000));
        assert_eq!(filled(&text, &Variables::default(), MOST_LEVELS), Err(Fault::Deep));
    }

    #[test]
    fn the_names_in_a_text_are_those_after_a_dollar_and_a_brace() {
        let names: Vec<_> = variables_in("a: ${A}\nb: ${B:-${C}} $D ${1} ${ }").collect();
        assert_eq!(names, ["A", "B", "C"]);
    }
}
