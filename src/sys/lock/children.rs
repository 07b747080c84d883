//! A file lock that docker calls inherit: it is held for as long as gordon or one of them lives. Does not know what it
//! protects.

use rustix::fs::Mode;
use rustix::fs::OFlags;
use rustix::io::FdFlags;
use sha2::Digest;
use sha2::Sha256;
use std::env;
use std::fs;
use std::fs::File;
use std::fs::OpenOptions;
use std::fs::TryLockError;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::path::PathBuf;

/// The folder in which this user's locks are. Only this user may write there, since every user who can open a file can lock it.
///
/// # Errors
/// When there is no such folder and none can be made; with the last that was tried.
pub(super) fn folder() -> Result<PathBuf, (PathBuf, io::Error)> {
    let user = rustix::process::geteuid().as_raw();
    let runtime = env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|path| path.is_absolute());
    first_own(&candidates(user, runtime), user)
}

/// Where the folder of `user` may be, the best place first. Root's does not depend on the environment, which `sudo` may keep.
fn candidates(user: u32, runtime: Option<PathBuf>) -> Vec<PathBuf> {
    let by_user = PathBuf::from(format!("/tmp/gordon-{user}"));
    if user == 0 {
        return vec![PathBuf::from("/run/gordon"), by_user];
    }
    let runtime = runtime.unwrap_or_else(|| PathBuf::from(format!("/run/user/{user}")));
    vec![runtime.join("gordon"), by_user]
}

/// The first of `candidates` that is, or can be made, a folder into which only `user` may write.
fn first_own(candidates: &[PathBuf], user: u32) -> Result<PathBuf, (PathBuf, io::Error)> {
    let mut refused = None;
    for path in candidates {
        match own(path, user) {
            Ok(()) => return Ok(path.clone()),
            Err(e) => refused = Some((path.clone(), e)),
        }
    }
    Err(refused.expect("there are candidates"))
}

/// Makes the folder at `path`, unless it is there, and makes sure that only `user` may write into it.
fn own(path: &Path, user: u32) -> io::Result<()> {
    match rustix::fs::mkdir(path, Mode::RWXU) {
        Ok(()) | Err(rustix::io::Errno::EXIST) => {}
        Err(e) => return Err(e.into()),
    }
    // not through a link: it could change hands
    let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::RDONLY;
    let folder = File::from(rustix::fs::open(path, flags, Mode::empty())?);
    let owner = folder.metadata()?.uid();
    if owner != user {
        return Err(io::Error::other(format!("it belongs to another user (number {owner})")));
    }
    Ok(rustix::fs::fchmod(&folder, Mode::RWXU)?)
}

/// The file for `subject` on `engine`, whose words are the same however people say which engine.
pub(super) fn path(folder: &Path, subject: &str, engine: &str) -> PathBuf {
    let engine = Sha256::digest(engine);
    let engine: String = engine.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    folder.join(format!("{engine}-{subject}.lock"))
}

/// What came of an attempt to lock a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Found {
    /// It was free, and is locked now.
    Free,
    /// Another process has it.
    Held,
    /// No longer the lock: who had it has taken the file away meanwhile.
    Gone,
}

/// The lock, unless another process has it. Processes that are started from here on have it too.
pub(super) fn try_lock(path: &Path) -> io::Result<Option<File>> {
    loop {
        let file = open(path)?;
        match try_lock_opened(&file, path)? {
            Found::Free => {
                rustix::io::fcntl_setfd(&file, FdFlags::empty())?;
                return Ok(Some(file));
            }
            Found::Held => return Ok(None),
            Found::Gone => {}
        }
    }
}

/// Locks a file that was opened at `path`, unless another process has it.
fn try_lock_opened(file: &File, path: &Path) -> io::Result<Found> {
    match file.try_lock() {
        Ok(()) if is_at(file, path)? => Ok(Found::Free),
        Ok(()) => Ok(Found::Gone),
        Err(TryLockError::WouldBlock) => Ok(Found::Held),
        Err(TryLockError::Error(e)) => Err(e),
    }
}

/// Follows no link, and does not wait at a pipe, whatever is in the place of the file.
fn open(path: &Path) -> io::Result<File> {
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
    OpenOptions::new().read(true).write(true).create(true).mode(0o600).custom_flags(flags).open(path)
}

/// Whether `file` is the one at `path`.
fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    let of_file = file.metadata()?;
    match fs::symlink_metadata(path) {
        Ok(at_path) => Ok((at_path.dev(), at_path.ino()) == (of_file.dev(), of_file.ino())),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(e) => Err(e),
    }
}

/// Removes the file once no process has the lock: the next gordon waits for a process that still runs.
pub(super) fn tidy_up(path: &Path) {
    // a file that stays does no harm
    if let Ok(Some(_lock)) = try_lock(path) {
        let _ = forget(path);
    }
}

/// Removes the file, so that the next gordon does not wait for the processes that still have the lock.
pub(super) fn forget(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn user() -> u32 {
        rustix::process::geteuid().as_raw()
    }

    #[test]
    fn the_folder_is_one_into_which_only_its_user_may_write() {
        let scene = tempfile::tempdir().expect("a folder");
        let mode = |path: &Path| fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
        let (made, open) = (scene.path().join("made"), scene.path().join("open"));
        fs::create_dir(&open).expect("a folder");
        fs::set_permissions(&open, fs::Permissions::from_mode(0o777)).expect("its own folder");
        for path in [made, open] {
            assert_eq!(first_own(std::slice::from_ref(&path), user()).expect("its own"), path);
            assert_eq!(mode(&path), 0o700);
        }
    }

    #[test]
    fn a_folder_that_another_user_has_made_first_is_left_for_the_next_place() {
        let scene = tempfile::tempdir().expect("a folder");
        let [theirs, link, ours] = ["theirs", "link", "ours"].map(|name| scene.path().join(name));
        fs::create_dir(&theirs).expect("a folder");
        std::os::unix::fs::symlink(scene.path(), &link).expect("a link");
        let nowhere = scene.path().join("nowhere/gordon");
        let candidates = [nowhere, link, ours.clone()];
        assert_eq!(first_own(&candidates, user()).expect("the last is fine"), ours);
        let (path, cause) = first_own(std::slice::from_ref(&theirs), user() + 1).expect_err("not theirs");
        assert_eq!(path, theirs);
        assert_eq!(cause.to_string(), format!("it belongs to another user (number {})", user()));
    }

    #[test]
    fn root_s_folder_does_not_depend_on_the_environment() {
        let of = |user, runtime: Option<&str>| {
            let paths = candidates(user, runtime.map(PathBuf::from));
            paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(of(0, None), "/run/gordon /tmp/gordon-0");
        assert_eq!(of(0, Some("/run/user/1000")), of(0, None));
        assert_eq!(of(1000, None), "/run/user/1000/gordon /tmp/gordon-1000");
        assert_eq!(of(1000, Some("/x")), "/x/gordon /tmp/gordon-1000");
    }

    #[test]
    fn a_process_that_was_started_under_the_lock_has_it_until_it_ends() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("lock");
        let lock = try_lock(&path).expect("a file").expect("it is free");
        // it reads, and so lives, until the writer is closed
        let (reader, writer) = os_pipe::pipe().expect("a pipe");
        let child = duct::cmd("cat", [""; 0]).stdin_file(reader).start().expect("a process");
        drop(lock);
        assert!(try_lock(&path).expect("a file").is_none(), "the child has it");
        tidy_up(&path);
        assert!(path.exists(), "it is waited for");
        drop(writer);
        child.wait().expect("it ends");
        // by waiting: children of other tests may have it, too
        open(&path).expect("a file").lock().expect("it is free again");
        // for a moment any test's new child has all files of this process
        let is_tidy = |_| {
            tidy_up(&path);
            !path.exists()
        };
        assert!((0..1000).any(is_tidy), "nothing is left behind");
    }

    #[test]
    fn a_file_that_was_taken_away_meanwhile_is_not_the_lock() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("lock");
        let open = || open(&path).expect("a file");
        let found = |file: &File| try_lock_opened(file, &path).expect("it is known");
        // by unlocking: for a moment any test's new child has all files of this process
        let give_back = |file: &File| file.unlock().expect("a file");
        let [late, later, has] = [open(), open(), open()];
        assert_eq!(found(&has), Found::Free);
        assert_eq!(found(&late), Found::Held);
        forget(&path).expect("it is there");
        give_back(&has);
        assert_eq!(found(&late), Found::Gone, "nothing is there");
        give_back(&late);
        let next = open();
        assert_eq!(found(&next), Found::Free);
        assert_eq!(found(&later), Found::Gone, "another is there");
    }

    #[test]
    fn a_forgotten_lock_is_free() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("lock");
        let _lock = try_lock(&path).expect("a file").expect("it is free");
        forget(&path).expect("it is there");
        assert!(try_lock(&path).expect("a file").is_some());
        forget(&path).expect("it is there");
        forget(&path).expect("not being there is fine");
    }

    #[test]
    fn a_link_in_place_of_the_file_is_not_followed() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("lock");
        std::os::unix::fs::symlink("elsewhere", &path).expect("a link");
        assert!(try_lock(&path).is_err());
        assert!(!folder.path().join("elsewhere").exists());
    }
}
