//! The content of what is mounted from beside the config: read once, and only so much of it. Does not know what it is for.

use super::files::FileError;
use crate::spec::Content;
use crate::spec::hash_of;
use std::fs;
use std::fs::File;
use std::fs::Metadata;
use std::io;
use std::io::ErrorKind;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::path::PathBuf;

/// The most that is read of one mount, and how people call it.
const MOST_BYTES: u64 = 8 * 1024 * 1024;
const TOO_LARGE: Content = Content::TooMuch("8 MB");
const MOST_FILES: usize = 500;
const TOO_MANY: Content = Content::TooMuch("500 files");

/// What is at `path`, which is relative to `folder` or absolute. A link in a folder is what it says, as containers see it.
///
/// # Errors
/// When a part of it cannot be read.
pub fn read(folder: &Path, path: &str) -> Result<Content, FileError> {
    let root = folder.join(path);
    let fails = |at: &Path, error: &io::Error| {
        let rest = at.strip_prefix(&root).unwrap_or(Path::new(""));
        let known: PathBuf = Path::new(path).components().chain(rest.components()).collect();
        FileError::reading(at, &known, error)
    };
    let metadata = match fs::metadata(&root) {
        Ok(metadata) => metadata,
        Err(error) if is_gone(&error) => return Ok(Content::Missing),
        Err(error) => return Err(fails(&root, &error)),
    };
    if !metadata.is_dir() {
        if metadata.len() > MOST_BYTES && metadata.is_file() {
            return Ok(TOO_LARGE);
        }
        return word(&root, &metadata).map(Content::File).map_err(|error| fails(&root, &error));
    }
    let found = match list(&root).map_err(|(at, error)| fails(&at, &error))? {
        Listing::Files(found) => found,
        Listing::TooMuch(content) => return Ok(content),
    };
    let mut files = Vec::with_capacity(found.len());
    for (at, metadata) in found {
        match word(&at, &metadata) {
            Ok(word) => {
                let path = at.strip_prefix(&root).unwrap_or(&at);
                files.push((path.to_string_lossy().into_owned(), word));
            }
            // it went meanwhile
            Err(error) if is_gone(&error) => {}
            Err(error) => return Err(fails(&at, &error)),
        }
    }
    files.sort_unstable();
    Ok(Content::Folder(files))
}

/// What is in a folder.
enum Listing {
    /// All in it that is no folder itself.
    Files(Vec<(PathBuf, Metadata)>),
    /// More than is read, and what there is too much of.
    TooMuch(Content),
}

/// What is in the folder `root`, read no further than it takes to know that it is too much.
fn list(root: &Path) -> Result<Listing, (PathBuf, io::Error)> {
    let (mut found, mut folders, mut seen, mut bytes) = (Vec::new(), vec![root.to_owned()], 0, 0);
    while let Some(folder) = folders.pop() {
        let fails = |error| (folder.clone(), error);
        let entries = match fs::read_dir(&folder) {
            Err(error) if is_gone(&error) => continue,
            entries => entries.map_err(fails)?,
        };
        for entry in entries {
            let path = entry.map_err(fails)?.path();
            let metadata = match fs::symlink_metadata(&path) {
                Err(error) if is_gone(&error) => continue,
                metadata => metadata.map_err(|error| (path.clone(), error))?,
            };
            seen += 1;
            bytes += if metadata.is_file() { metadata.len() } else { 0 };
            if seen > MOST_FILES {
                return Ok(Listing::TooMuch(TOO_MANY));
            }
            if bytes > MOST_BYTES {
                return Ok(Listing::TooMuch(TOO_LARGE));
            }
            match metadata.is_dir() {
                true => folders.push(path),
                false => found.push((path, metadata)),
            }
        }
    }
    Ok(Listing::Files(found))
}

/// What a file is and holds. Of its permissions the owner's to run it counts, as in git: what reads it sees all others at once.
fn word(path: &Path, metadata: &Metadata) -> io::Result<String> {
    if metadata.is_symlink() {
        return Ok(format!("link {}", hash_of(fs::read_link(path)?.as_os_str().as_encoded_bytes())));
    }
    if !metadata.is_file() {
        return Ok("special".to_owned());
    }
    let mut bytes = Vec::new();
    // one that grows is not read to an end that does not come
    File::open(path)?.take(MOST_BYTES + 1).read_to_end(&mut bytes)?;
    let kind = if metadata.mode() & 0o100 == 0 { "plain" } else { "runs" };
    Ok(format!("{kind} {}", hash_of(&bytes)))
}

fn is_gone(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::files::tests::folder;
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::fs::symlink;

    /// The paths of the files in `conf` whose words differ from those `before`.
    fn changed(here: &Path, before: &Content) -> Vec<String> {
        let files = |content: &Content| match content {
            Content::Folder(files) => files.clone(),
            other => panic!("{other:?}"),
        };
        let (before, after) = (files(before), files(&read(here, "conf").expect("it can be read")));
        let gone = before.iter().filter(|file| !after.contains(file));
        let new = after.iter().filter(|file| !before.contains(file));
        let mut paths: Vec<String> = gone.chain(new).map(|(path, _)| path.clone()).collect();
        paths.sort();
        paths.dedup();
        paths
    }

    #[test]
    fn each_change_of_a_folder_is_seen_and_nothing_else() {
        let here = folder(&[("conf/a.conf", "a"), ("conf/sub/run.sh", "true"), ("conf/b.conf", "b")]);
        let conf = here.path().join("conf");
        symlink("a.conf", conf.join("link")).expect("a link");
        symlink("/nowhere", conf.join("dangling")).expect("a link");
        symlink(".", conf.join("round")).expect("a link");
        rustix::fs::mkfifoat(rustix::fs::CWD, conf.join("pipe"), rustix::fs::Mode::RWXU).expect("a pipe");
        let mut before = read(here.path(), "conf").expect("it can be read");
        let mut is = |expected: &[&str], change: &dyn Fn()| {
            change();
            assert_eq!(changed(here.path(), &before), expected);
            before = read(here.path(), "conf").expect("it can be read");
        };
        is(&[], &|| ());
        is(&["a.conf"], &|| fs::write(conf.join("a.conf"), "A").expect("its own file"));
        is(&[], &|| {
            fs::write(conf.join("b.conf"), "b").expect("its own file");
            fs::set_permissions(conf.join("b.conf"), Permissions::from_mode(0o600)).expect("its own file");
        });
        is(&["sub/run.sh"], &|| {
            fs::set_permissions(conf.join("sub/run.sh"), Permissions::from_mode(0o755))
                .expect("its own file");
        });
        is(&["link"], &|| {
            fs::remove_file(conf.join("link")).expect("its own file");
            symlink("b.conf", conf.join("link")).expect("a link");
        });
        is(&["b.conf"], &|| fs::remove_file(conf.join("b.conf")).expect("its own file"));
        is(&["new/c.conf"], &|| {
            fs::create_dir(conf.join("new")).expect("a folder");
            fs::write(conf.join("new/c.conf"), "").expect("a file");
        });
        is(&["c.conf", "new/c.conf"], &|| {
            fs::rename(conf.join("new/c.conf"), conf.join("c.conf")).expect("its own file");
        });
    }

    #[test]
    fn what_a_path_leads_to_is_read_whether_file_or_folder_or_neither() {
        let here = folder(&[("one", "1"), ("old/a", "1"), ("new/a", "2")]);
        let of = |path: &str| read(here.path(), path).expect("it can be read");
        assert!(matches!(of("one"), Content::File(word) if word.starts_with("plain ")));
        assert_eq!(of("nothing"), Content::Missing);
        assert_eq!(of("one/below"), Content::Missing);
        symlink("old", here.path().join("current")).expect("a link");
        let before = of("current");
        assert_eq!(before, of("old"));
        fs::remove_file(here.path().join("current")).expect("its own link");
        symlink("new", here.path().join("current")).expect("a link");
        assert_ne!(of("current"), before);
        assert_eq!(of(&here.path().join("new").display().to_string()), of("new"));
    }

    #[test]
    fn no_more_is_read_than_there_may_be() {
        let here = folder(&[("few/a", "")]);
        let large = |path: &str, size| {
            let file = File::create(here.path().join(path)).expect("a file");
            file.set_len(size).expect("its own file");
        };
        let of = |path: &str| read(here.path(), path).expect("it can be read");
        large("at most", MOST_BYTES);
        assert!(matches!(of("at most"), Content::File(_)));
        large("too large", MOST_BYTES + 1);
        assert_eq!(of("too large"), Content::TooMuch("8 MB"));
        // as good as without an end: to read it would take hours
        large("few/sparse", 1 << 42);
        assert_eq!(of("few"), Content::TooMuch("8 MB"));
        fs::create_dir(here.path().join("many")).expect("a folder");
        for n in 0..MOST_FILES {
            large(&format!("many/{n}"), 0);
        }
        assert!(matches!(of("many"), Content::Folder(files) if files.len() == MOST_FILES));
        large("many/more", 0);
        assert_eq!(of("many"), Content::TooMuch("500 files"));
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let here = folder(&[("conf/sub/key", "k")]);
        let path = here.path().join("conf/sub");
        // root reads everything
        if rustix::process::geteuid().is_root() {
            let long = "x".repeat(300);
            let error = read(here.path(), &format!("conf/{long}")).expect_err("no path is so long");
            assert!(error.to_string().starts_with(&format!("conf/{long}: ")), "{error}");
            return;
        }
        fs::set_permissions(&path, Permissions::from_mode(0o000)).expect("its own folder");
        let error = read(here.path(), "conf").expect_err("it is closed");
        assert!(error.to_string().starts_with("conf/sub: "), "{error}");
        fs::set_permissions(&path, Permissions::from_mode(0o755)).expect("its own folder");
    }
}
