//! A file lock that docker calls inherit: it is held for as long as gordon or one of them lives. Does not know why
//! somebody waits for them.

use rustix::fs::OFlags;
use rustix::io::FdFlags;
use sha2::Digest;
use sha2::Sha256;
use std::fs;
use std::fs::File;
use std::fs::OpenOptions;
use std::fs::TryLockError;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

/// The file for `subject` on the engine at `endpoint`. It is for all users of the machine, so it is not where each of them
/// has a place of his own.
pub(super) fn path(subject: &str, endpoint: Option<&str>) -> PathBuf {
    let engine = Sha256::digest(endpoint.unwrap_or_default());
    let engine: String = engine.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    PathBuf::from(format!("/tmp/gordon-{engine}-{subject}.lock"))
}

/// The lock, unless somebody has it. Processes that are started from here on have it too.
pub(super) fn try_lock(path: &PathBuf) -> io::Result<Option<File>> {
    let file = open(path)?;
    match file.try_lock() {
        Ok(()) => {
            rustix::io::fcntl_setfd(&file, FdFlags::empty())?;
            Ok(Some(file))
        }
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(e)) => Err(e),
    }
}

/// Whoever may read the file may lock it, so nobody opens a file of somebody else for writing. Nothing that lies in its
/// place leads astray: neither a link nor a pipe.
fn open(path: &PathBuf) -> io::Result<File> {
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
    let opened = OpenOptions::new().read(true).custom_flags(flags).open(path);
    match opened {
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            match OpenOptions::new().write(true).create_new(true).mode(0o644).open(path) {
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists => open(path),
                created => created,
            }
        }
        opened => opened,
    }
}

/// Takes the file away, so that nobody waits for those who still have the lock.
pub(super) fn forget(path: &PathBuf) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_was_started_under_the_lock_has_it_until_it_ends() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("lock");
        let lock = try_lock(&path).expect("a file").expect("nobody has it");
        // it reads, and so lives, until the writer is closed
        let (reader, writer) = os_pipe::pipe().expect("a pipe");
        let child = duct::cmd("cat", [""; 0]).stdin_file(reader).start().expect("a process");
        drop(lock);
        assert!(try_lock(&path).expect("a file").is_none(), "the child has it");
        drop(writer);
        child.wait().expect("it ends");
        // by waiting: children of other tests may have it, too
        open(&path).expect("a file").lock().expect("nobody has it any more");
    }

    #[test]
    fn a_forgotten_lock_is_free() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("lock");
        let _lock = try_lock(&path).expect("a file").expect("nobody has it");
        forget(&path).expect("it is there");
        assert!(try_lock(&path).expect("a file").is_some());
        forget(&path).expect("it is there");
        forget(&path).expect("not being there is fine");
    }

    #[test]
    fn a_link_in_place_of_the_file_leads_nowhere() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("lock");
        std::os::unix::fs::symlink("elsewhere", &path).expect("a link");
        assert!(try_lock(&path).is_err());
        assert!(!folder.path().join("elsewhere").exists());
    }
}
