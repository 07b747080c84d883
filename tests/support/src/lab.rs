//! Things on a real engine that a test makes, removed again however the test ends. Does not know what is tested.

use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::process::Output;

/// An image whose containers do nothing until they are stopped; it stays on the engine.
pub const IDLE: &str = "gordon-test/idle:1";

/// A place on the engine for one test. All that is made in it carries the label `gordon.test=NAME`.
pub struct Lab {
    label: String,
    folder: tempfile::TempDir,
}

impl Lab {
    /// A place for the test of this name.
    pub fn new(name: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder for the test");
        let lab = Self { label: format!("gordon.test={name}"), folder };
        make_idle();
        lab
    }

    /// A folder of its own.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The label of all that is made here.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// Docker's answer to `words`, which may be several lines of them, without blanks around it.
    pub fn docker(&self, words: &str) -> String {
        let words: Vec<String> = shlex::split(words).expect("words as a shell has them");
        let output = run(&words);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "docker {}: {said}", words.join(" "));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// An executable of this text.
    pub fn script(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder().join(name);
        // written by a process of its own: a file that another test's child still has open for writing cannot be run
        let write = ["-c", "cat > \"$0\" && chmod +x \"$0\"", &path.display().to_string()];
        duct::cmd("sh", write).stdin_bytes(text).run().expect("a script");
        path
    }

    fn clean(&self) {
        let filter = format!("label={}", self.label);
        for (list, remove) in [
            (&["ps", "-aq"][..], &["rm", "-f", "-v"][..]),
            (&["network", "ls", "-q"], &["network", "rm"]),
            (&["volume", "ls", "-q"], &["volume", "rm"]),
        ] {
            let listed = run(&[list, &["--filter", &filter]].concat());
            let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
            let things: Vec<&str> = listed.split_whitespace().collect();
            if !things.is_empty() {
                run(&[remove, &things].concat());
            }
        }
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        self.clean();
    }
}

fn run<W: AsRef<std::ffi::OsStr>>(words: &[W]) -> Output {
    Command::new("docker").args(words).output().expect("docker is on the path")
}

/// Imports a static busybox, where the image is not there yet.
fn make_idle() {
    if run(&["image", "inspect", IDLE]).status.success() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let busybox = which::which("busybox").expect("a static busybox is on the path");
    std::fs::create_dir(folder.path().join("bin")).expect("a folder");
    std::fs::copy(busybox, folder.path().join("bin/busybox")).expect("a copy of busybox");
    let script = r#"ln -s busybox "$1/bin/sh" && tar -C "$1" -c . | docker import --change 'CMD ["/bin/busybox","sleep","100000"]' - "$2""#;
    let made = Command::new("sh").args(["-c", script, "sh"]).arg(folder.path()).arg(IDLE).output();
    assert!(made.expect("a shell").status.success(), "busybox is imported");
}
