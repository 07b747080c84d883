//! The standard output: data, and nothing else. Does not know what is written.

use super::CommandError;
use crate::render::Text;
use std::io;
use std::io::Write;

/// Writes a text for people; its colours only where a terminal wants them.
pub(super) fn text(text: &Text) -> Result<(), CommandError> {
    finish(anstream::stdout().lock().write_all(text.as_str().as_bytes()))
}

/// Writes data, to the byte.
pub(super) fn data(data: &str) -> Result<(), CommandError> {
    with(|out| out.write_all(data.as_bytes()))
}

/// Writes the data that `write` writes, to the byte.
pub(super) fn with(
    write: impl FnOnce(&mut io::BufWriter<io::StdoutLock<'_>>) -> io::Result<()>,
) -> Result<(), CommandError> {
    let mut out = io::BufWriter::with_capacity(1 << 16, io::stdout().lock());
    finish(write(&mut out).and_then(|()| out.flush()))
}

/// A reader that stops early, as `head` does, is no error.
fn finish(result: io::Result<()>) -> Result<(), CommandError> {
    match result {
        Err(e) if e.kind() != io::ErrorKind::BrokenPipe => {
            Err(CommandError::failed(format!("the standard output cannot be written: {e}")))
        }
        _ => Ok(()),
    }
}
