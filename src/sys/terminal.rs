//! Talks with the person, on the standard error: data goes to the standard output. Does not know what is asked or why.

use std::io;
use std::io::BufRead;
use std::io::IsTerminal;
use std::io::Write;

/// Whether a person can be asked: both the question and the answer have a terminal.
pub fn can_ask() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Whether what runs can be drawn as it moves.
pub fn can_draw() -> bool {
    io::stderr().is_terminal()
}

/// Asks a question that is answered with yes or no; anything but `y` or `yes` is a no.
///
/// # Errors
/// When the terminal cannot be read or written.
pub fn ask(question: &str) -> io::Result<bool> {
    ask_on(question, &mut anstream::stderr(), &mut io::stdin().lock())
}

fn ask_on(question: &str, out: &mut dyn Write, answers: &mut dyn BufRead) -> io::Result<bool> {
    write!(out, "{question} [y/N] ")?;
    out.flush()?;
    let mut answer = String::new();
    if answers.read_line(&mut answer)? == 0 {
        writeln!(out)?;
    }
    Ok(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_yes_is_a_yes() {
        for (answer, yes) in
            [("y\n", true), ("Yes\n", true), ("\n", false), ("", false), ("n\n", false), ("yep\n", false)]
        {
            let mut out = Vec::new();
            let said = ask_on("apply?", &mut out, &mut answer.as_bytes()).expect("memory can be read");
            assert_eq!(said, yes, "{answer:?}");
            assert!(out.starts_with(b"apply? [y/N] "));
        }
    }
}
