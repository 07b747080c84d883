//! Talks with the person, on the standard error: data goes to the standard output. Does not know what is asked or why.

use crate::render::Text;
use std::fmt::Display;
use std::io;
use std::io::BufRead;
use std::io::IsTerminal;
use std::io::Write;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// Says `text`; its colours only where a terminal wants them.
pub fn say(text: &Text) {
    // the reader is gone: the run goes on
    let _ = anstream::stderr().write_all(text.as_str().as_bytes());
}

/// Says `words` in a line of their own.
pub fn say_line(words: impl Display) {
    say(Text::of(words).end());
}

/// Whether a person can be asked: both the question and the answer have a terminal.
pub fn can_ask() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Whether what runs can be drawn as it moves.
pub fn can_draw() -> bool {
    io::stderr().is_terminal()
}

/// How often it is looked whether the person has pressed Ctrl-C in place of an answer.
const POLL_INTERVAL: Duration = Duration::from_millis(100);

/// An answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// `y` or `yes`.
    Yes,
    /// Anything else.
    No,
    /// Ctrl-C.
    Interrupted,
}

/// Asks a question that is answered with yes or no, until `is_interrupted`.
///
/// # Errors
/// When the terminal cannot be read or written.
pub fn ask(question: &str, is_interrupted: &dyn Fn() -> bool) -> io::Result<Answer> {
    let mut out = anstream::stderr();
    write!(out, "{} [y/N] ", Text::of(question))?;
    out.flush()?;
    let (sender, answers) = mpsc::channel();
    // the thread may wait for a line that is no longer needed; it does not keep the process from ending
    thread::spawn(move || sender.send(read_line(&mut io::stdin().lock())));
    loop {
        match answers.recv_timeout(POLL_INTERVAL) {
            Ok(line) => {
                let line = line?;
                if !line.ends_with('\n') {
                    writeln!(out)?;
                }
                return Ok(answer(&line));
            }
            Err(_) if is_interrupted() => {
                writeln!(out)?;
                return Ok(Answer::Interrupted);
            }
            Err(_) => {}
        }
    }
}

fn read_line(input: &mut dyn BufRead) -> io::Result<String> {
    let mut line = String::new();
    input.read_line(&mut line)?;
    Ok(line)
}

fn answer(line: &str) -> Answer {
    match line.trim().to_ascii_lowercase().as_str() {
        "y" | "yes" => Answer::Yes,
        _ => Answer::No,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_yes_is_a_yes() {
        for (line, expected) in [
            ("y\n", Answer::Yes),
            ("Yes\n", Answer::Yes),
            ("\n", Answer::No),
            ("", Answer::No),
            ("n\n", Answer::No),
            ("yep\n", Answer::No),
        ] {
            assert_eq!(answer(line), expected, "{line:?}");
        }
    }
}
