//! One docker call as data. Does not know shells: its renderer quotes it.

use crate::name::EnvKey;
use std::borrow::Cow;
use std::path::Path;

/// A docker call: its words after the docker binary, what it is fed, and the secrets it takes from the environment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Command {
    /// The words after the docker binary and its global flags.
    pub words: Vec<Word>,
    /// What the command reads from its standard input.
    pub stdin: Option<String>,
    /// Variables that the command takes from its environment; their values are nowhere in the words.
    pub secrets: Vec<EnvKey>,
}

/// One word of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Word {
    /// Itself.
    Text(Cow<'static, str>),
    /// A path below the folder of the config, which docker wants absolute, and what follows it in the same word.
    InFolder {
        /// Relative to the folder of the config, without a leading `./`.
        path: String,
        /// Appended as it is, for instance `:/data:ro`.
        rest: String,
    },
}

/// How docker is called: the binary and the flags that come before every command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cli {
    /// The docker binary, as a name on the path or as a path.
    pub binary: String,
    /// The docker context, when one was asked for.
    pub context: Option<String>,
}

impl Default for Cli {
    fn default() -> Self {
        Self { binary: "docker".to_owned(), context: None }
    }
}

impl Cli {
    /// The words that every command begins with.
    pub fn prefix(&self) -> Vec<String> {
        let mut words = vec![self.binary.clone()];
        if let Some(context) = &self.context {
            words.extend(["--context".to_owned(), context.clone()]);
        }
        words
    }
}

/// The variables that a docker client gives every container that it makes when `proxies` in its `config.json` says so.
/// gordon's own containers talk to containers alone, which no proxy of the client reaches.
pub const CLIENT_PROXIES: [&str; 10] = [
    "ALL_PROXY",
    "FTP_PROXY",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "NO_PROXY",
    "all_proxy",
    "ftp_proxy",
    "http_proxy",
    "https_proxy",
    "no_proxy",
];

impl Command {
    /// A command of plain words.
    pub fn new<W: Into<String>>(words: impl IntoIterator<Item = W>) -> Self {
        Self {
            words: words.into_iter().map(|word| Word::Text(Cow::Owned(word.into()))).collect(),
            ..Self::default()
        }
    }

    /// Appends plain words.
    pub fn extend<W: Into<String>>(&mut self, words: impl IntoIterator<Item = W>) {
        self.words.extend(words.into_iter().map(|word| Word::Text(Cow::Owned(word.into()))));
    }

    /// Appends a flag and its value.
    pub(super) fn flag(&mut self, flag: &'static str, value: impl Into<String>) {
        self.words.extend([Word::Text(Cow::Borrowed(flag)), Word::Text(Cow::Owned(value.into()))]);
    }

    /// Appends flags of `docker run` that leave the [`CLIENT_PROXIES`] empty.
    pub(super) fn without_proxies(&mut self) {
        self.extend(CLIENT_PROXIES.iter().flat_map(|name| ["--env".to_owned(), format!("{name}=")]));
    }

    /// The words as the operating system takes them, for a config in `folder`.
    pub fn argv(&self, folder: &Path) -> Vec<String> {
        self.words.iter().map(|word| word.resolve(folder).into_owned()).collect()
    }
}

impl Word {
    /// The word as the operating system takes it, for a config in `folder`.
    pub fn resolve(&self, folder: &Path) -> Cow<'_, str> {
        match self {
            Self::Text(text) => Cow::Borrowed(text),
            Self::InFolder { path, rest } => Cow::Owned(format!("{}{rest}", folder.join(path).display())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_of_the_config_becomes_absolute_for_docker() {
        let mut command = Command::new(["run", "--volume"]);
        command.words.push(Word::InFolder { path: "data".to_owned(), rest: ":/data:ro".to_owned() });
        assert_eq!(command.argv(Path::new("/srv/shop")), ["run", "--volume", "/srv/shop/data:/data:ro"]);
    }

    #[test]
    fn a_context_comes_before_the_command() {
        let cli = Cli { binary: "podman".to_owned(), context: Some("far".to_owned()) };
        assert_eq!(cli.prefix(), ["podman", "--context", "far"]);
    }
}
