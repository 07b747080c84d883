//! The settings in a container's table, and in `containers`: those that [`SETTINGS`] lists. Does not know what they mean.

use super::decode::decode;
use super::decode::did_you_mean;
use super::enabled::Enabled;
use super::form::OneOrMany;
use super::form::Written;
use super::problem::Problem;
use super::tree::Entry;
use super::tree::Kind;
use super::tree::Node;
use crate::name::visible;
use crate::spec::Check;
use crate::spec::Form;
use crate::spec::SETTINGS;
use crate::spec::Setting;
use crate::spec::Settings;
use serde::de::DeserializeOwned;
use serde_spanned::Spanned;

/// A word of a config, with its place.
type Word = Spanned<String>;

/// Takes the settings out of the table of a container, whatever else it holds.
pub(super) fn take(text: &str, node: &mut Node<'_>, problems: &mut Vec<Problem>) -> Settings {
    let mut settings = Settings::default();
    let Kind::Map(entries) = &mut node.kind else { return settings };
    entries.retain_mut(|Entry { key, value }| {
        let Some(setting) = Setting::find(key.get_ref()) else { return true };
        if let Some(values) = (Reader { text, problems, setting }).values(value) {
            settings.set(setting, values);
        }
        false
    });
    settings
}

/// The settings in `containers`, which holds nothing else.
pub(super) fn defaults(text: &str, node: Node<'_>, problems: &mut Vec<Problem>) -> Settings {
    let mut node = node;
    let settings = take(text, &mut node, problems);
    match node.kind {
        Kind::Map(entries) => problems.extend(entries.iter().map(|Entry { key, .. }| {
            let keys = SETTINGS.map(|setting| setting.key);
            Problem::error(key.span(), format!("unknown key `{}`", visible(key.get_ref())))
                .hint(did_you_mean(key.get_ref(), &keys))
        })),
        _ => problems.push(
            Problem::error(node.span, "expected a table of settings")
                .hint("as in `containers = { init = true }`"),
        ),
    }
    settings
}

struct Reader<'r> {
    text: &'r str,
    problems: &'r mut Vec<Problem>,
    setting: &'static Setting,
}

impl Reader<'_> {
    /// The values of the setting, in docker's words; nothing where it is not set, or wrong.
    fn values(&mut self, node: &mut Node<'_>) -> Option<Vec<String>> {
        if matches!(node.kind, Kind::Null) {
            return None;
        }
        match self.setting.form {
            Form::Switch => self.decode(node).map(|enabled| match enabled {
                Enabled::Yes => vec!["true".to_owned()],
                Enabled::No => Vec::new(),
            }),
            Form::Text(check) => {
                let word = self.decode(node).into_iter().map(word).collect();
                Some(self.check(word, check)).filter(|values| !values.is_empty())
            }
            Form::List(check) | Form::Flags(check) => {
                let words = self.list(node);
                Some(self.check(words, check))
            }
            Form::Map(between, check) => {
                let words = self.pairs(node, between);
                Some(self.check(words, check))
            }
            Form::Log(check) => {
                let words = self.log(node);
                Some(self.check(words, check))
            }
        }
    }

    fn decode<T: DeserializeOwned>(&mut self, node: &mut Node<'_>) -> Option<T> {
        let before = self.problems.len();
        let value = decode(self.text, node, self.problems);
        for problem in &mut self.problems[before..] {
            problem.hints.push(format!("as in `{} = {}`", self.setting.key, self.setting.example));
        }
        value
    }

    fn list(&mut self, node: &mut Node<'_>) -> Vec<Word> {
        let OneOrMany(words) = self.decode(node).unwrap_or_default();
        words.into_iter().map(word).collect()
    }

    /// The entries of a table, each as `key=value`; or a list of such words.
    fn pairs(&mut self, node: &mut Node<'_>, between: char) -> Vec<Word> {
        let Kind::Map(entries) = &mut node.kind else { return self.list(node) };
        let mut words = Vec::new();
        for Entry { key, value } in entries {
            let name = key.get_ref();
            if name.contains(between) {
                let message = format!("key `{}` holds a `{between}`", visible(name));
                self.problems
                    .push(Problem::error(key.span(), message).hint("write the value behind the key"));
                continue;
            }
            let Some(Written(text)) = self.decode(value) else { continue };
            words.push(Spanned::new(value.span.clone(), format!("{name}{between}{text}")));
        }
        words
    }

    /// A log driver; or its table, in which options stand beside `driver` or, as Compose has them, in `options`.
    fn log(&mut self, node: &mut Node<'_>) -> Vec<Word> {
        let Kind::Map(entries) = &mut node.kind else {
            return self.decode(node).into_iter().map(word).collect();
        };
        let is = |name: &'static str| move |entry: &&mut Entry<'_>| entry.key.get_ref() == name;
        let driver = entries.iter_mut().find(is("driver")).and_then(|entry| self.decode(&mut entry.value));
        let nested = entries.iter_mut().find(is("options")).map(|entry| self.pairs(&mut entry.value, '='));
        entries.retain(|entry| !["driver", "options"].contains(&entry.key.get_ref().as_ref()));
        let mut options = self.pairs(node, '=');
        options.extend(nested.unwrap_or_default());
        options.retain(|option| {
            let is_option = option.get_ref().contains('=');
            if !is_option {
                let message = format!("`{}` is not an option of a log driver", visible(option.get_ref()));
                self.problems.push(Problem::error(option.span(), message).hint("as in `max-size=10m`"));
            }
            is_option
        });
        options.sort_by(|a, b| a.get_ref().cmp(b.get_ref()));
        driver.into_iter().map(word).chain(options).collect()
    }

    /// Docker's words for those that are right.
    fn check(&mut self, words: Vec<Word>, check: Check) -> Vec<String> {
        let problems = &mut self.problems;
        let checked = words.into_iter().filter_map(|word| match check(word.get_ref()) {
            Ok(word) => Some(word),
            Err(error) => {
                problems.push(Problem::error(word.span(), error.to_string()).hint(error.hint()));
                None
            }
        });
        checked.collect()
    }
}

fn word(written: Spanned<Written>) -> Word {
    Spanned::new(written.span(), written.into_inner().0)
}
