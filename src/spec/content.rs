//! What the files of a mount hold, as a spec remembers it. Does not read them.

use super::hash;

/// What is mounted of the host, as it was when it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// Nothing is there: docker makes an empty folder of it.
    Missing,
    /// A file, in one word.
    File(String),
    /// The files of a folder, each by its path from there and in one word, sorted.
    Folder(Vec<(String, String)>),
    /// More than gordon reads, and what there is too much of.
    TooMuch(&'static str),
}

/// How many files of a mount a spec remembers one by one. Of more it remembers whether any has changed.
const ONE_BY_ONE: usize = 20;

/// What the names of the parts of a spec begin with that remember files.
pub(super) const FILES: &str = "file-";

/// The value of a folder, beside those of its files.
const FOLDER: &str = "folder";

/// What is mounted at a path, as a part of a spec.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilesPart {
    /// The part's name.
    pub name: String,
    /// The part's values, each with the path of the host by which people know it.
    pub values: Vec<(String, String)>,
}

impl Content {
    /// The part for what is mounted from `source` at `target`; nothing for what is not watched.
    pub fn part(&self, source: &str, target: &str) -> Option<FilesPart> {
        let value = |text: String| (source.to_owned(), text);
        let values = match self {
            Self::Missing => vec![value(FOLDER.to_owned())],
            Self::File(word) => vec![value(format!("file {word}"))],
            Self::Folder(files) => {
                // an empty folder is one, too
                let mut values = vec![value(FOLDER.to_owned())];
                let lines = files.iter().map(|(path, word)| (path, format!("{path}\n{word}\n")));
                if files.len() <= ONE_BY_ONE {
                    values.extend(lines.map(|(path, line)| (within(source, path), line)));
                } else {
                    values.push(value(lines.map(|(_, line)| line).collect()));
                }
                values
            }
            Self::TooMuch(_) => return None,
        };
        Some(FilesPart { name: format!("{FILES}{}", hash(target)), values })
    }
}

/// The path of a file in the folder `source`.
fn within(source: &str, path: &str) -> String {
    if source == "." { path.to_owned() } else { format!("{source}/{path}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[(&str, &str)]) -> Content {
        Content::Folder(files.iter().map(|(path, word)| ((*path).to_owned(), (*word).to_owned())).collect())
    }

    #[test]
    fn each_file_of_a_small_folder_is_remembered_by_itself() {
        let part = folder(&[("a", "1"), ("sub/b", "2")]).part("conf", "/etc/x").expect("it is watched");
        let paths: Vec<&str> = part.values.iter().map(|(path, _)| path.as_str()).collect();
        assert_eq!(paths, ["conf", "conf/a", "conf/sub/b"]);
        let root = folder(&[("a", "1")]).part(".", "/x").expect("it is watched");
        assert_eq!(root.values[1].0, "a");

        let many: Vec<(String, String)> = (0..21).map(|n| (format!("{n:02}"), String::new())).collect();
        let part = Content::Folder(many).part("conf", "/etc/x").expect("it is watched");
        assert_eq!(part.values.len(), 2);
        assert_eq!(part.values[1].0, "conf");
    }

    #[test]
    fn contents_differ_as_containers_see_them() {
        let all = [
            Content::File("folder".to_owned()),
            folder(&[]),
            folder(&[("a", "1")]),
            folder(&[("a\n1\nb", "1")]),
            folder(&[("a", "1"), ("b", "1")]),
        ];
        let parts: Vec<_> = all.iter().map(|content| content.part("conf", "/x")).collect();
        for (at, part) in parts.iter().enumerate() {
            assert!(part.is_some() && !parts[..at].contains(part), "{part:?}");
        }
        let empty = folder(&[]).part("conf", "/x");
        assert_eq!(Content::Missing.part("conf", "/x"), empty, "docker has made a folder of it");
        assert_eq!(Content::TooMuch("500 files").part("conf", "/x"), None);
    }
}
