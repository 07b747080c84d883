//! Commands as shells read them: the only place that quotes. Does not know what a command does.

use crate::docker::Cli;
use crate::docker::Command;
use crate::docker::Word;
use crate::name::is_hidden;
use crate::name::visible;
use std::borrow::Cow;

/// Lines are broken before they are longer than this.
const WIDTH: usize = 110;

/// `text` as one word of a shell: dash, busybox sh, bash, zsh, in a script or pasted.
pub(super) fn quote(text: &str) -> Cow<'_, str> {
    if is_plain(text) {
        Cow::Borrowed(text)
    // a backslash before the closing quote looks as if it were meant for that
    } else if !text.contains('\'') && !text.ends_with('\\') {
        Cow::Owned(format!("'{text}'"))
    } else {
        let mut quoted = String::with_capacity(text.len() + 8);
        quoted.push('"');
        for c in text.chars() {
            match c {
                '"' | '$' | '`' | '\\' => quoted.extend(['\\', c]),
                // pasted between double quotes, bash replaces it with a line of the history
                '!' => quoted.push_str("\"'!'\""),
                _ => quoted.push(c),
            }
        }
        quoted.push('"');
        Cow::Owned(quoted)
    }
}

/// `text` as one word for people to read, and to paste into bash, zsh or busybox: what is hidden is an escape, and no line
/// begins with anything of the text.
fn quote_visibly(text: &str) -> Cow<'_, str> {
    if !text.contains(is_hidden) {
        return quote(text);
    }
    let mut quoted = String::with_capacity(text.len() + 16);
    for line in text.split_inclusive('\n') {
        quoted.push_str(if quoted.is_empty() { "$'" } else { "\\\n$'" });
        for c in line.chars() {
            match c {
                '\'' | '\\' => quoted.extend(['\\', c]),
                // pasted, bash replaces it with a line of the history
                '!' => quoted.push_str("\\x21"),
                '\n' => quoted.push_str("\\n"),
                '\r' => quoted.push_str("\\r"),
                '\t' => quoted.push_str("\\t"),
                c if is_hidden(c) => {
                    let mut bytes = [0; 4];
                    quoted.extend(c.encode_utf8(&mut bytes).bytes().map(|byte| format!("\\x{byte:02x}")));
                }
                c => quoted.push(c),
            }
        }
        quoted.push('\'');
    }
    Cow::Owned(quoted)
}

/// How a word is written.
type Quote = fn(&str) -> Cow<'_, str>;

/// Whether every shell takes the word as it is, at any place after the command's name.
fn is_plain(text: &str) -> bool {
    !text.is_empty()
        && !text.starts_with('=')
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_@%+=:,./-".contains(&b))
}

fn word(word: &Word, quote: Quote) -> String {
    match word {
        Word::Text(text) => quote(text).into_owned(),
        Word::InFolder { path, rest } => format!("\"$PWD\"/{}", quote(&format!("{path}{rest}"))),
    }
}

/// `text` in a comment or a line: in one line, with what is hidden as escapes.
pub(super) fn one_line(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    visible(&lines.join(" "))
}

/// The words of a process in a line for people, that can be pasted into a shell.
pub fn command_line(words: &[String]) -> String {
    words.iter().map(|word| quote_visibly(word)).collect::<Vec<_>>().join(" ")
}

/// The words that begin every docker command.
pub(super) fn prefix(cli: &Cli) -> String {
    cli.prefix().iter().map(|word| quote(word)).collect::<Vec<_>>().join(" ")
}

/// A docker command in lines of a script. The first begins with `before`; the text starts behind `indent` columns.
pub(super) fn fold(before: &str, cli: &Cli, command: &Command, indent: usize) -> String {
    let head = if before.is_empty() { prefix(cli) } else { format!("{before} {}", prefix(cli)) };
    lay_out(head, &pieces(command, quote), indent)
}

/// A docker command in as few lines as it takes, for people, that can be pasted. The text starts behind `indent` columns.
pub(super) fn fold_visibly(cli: &Cli, command: &Command, indent: usize) -> String {
    let pieces = pieces(command, quote_visibly).into_iter();
    let pieces: Vec<Piece> = pieces.map(|piece| Piece { begins_line: false, ..piece }).collect();
    lay_out(command_line(&cli.prefix()), &pieces, indent)
}

/// What gives `text` to a command: the words at the end of its line, and the lines that follow on that one.
///
/// All routes are ASCII; dash 0.5.12 loses a byte of other text in a line that begins as the mark of the end does.
///
/// # Panics
/// When `text` does not end with a line break: a shell would add one.
pub(super) fn here(text: &str) -> (String, String) {
    assert!(text.ends_with('\n'), "what a command reads are whole lines");
    let mut end = "END".to_owned();
    while text.lines().any(|line| line == end) {
        end.push('_');
    }
    (format!(" <<'{end}'"), format!("\n{text}{end}"))
}

/// A call of a function with plain words, in lines of a script.
pub(super) fn call<W: AsRef<str>>(function: &str, words: &[W], indent: usize) -> String {
    let piece = |word: &W| Piece { text: quote(word.as_ref()).into_owned(), begins_line: false };
    lay_out(function.to_owned(), &words.iter().map(piece).collect::<Vec<_>>(), indent)
}

/// Shell commands of which the first that succeeds is the last that runs: in one line when they fit behind `indent` columns.
pub(super) fn either(commands: &[String], indent: usize) -> String {
    let line = commands.join(" || ");
    if indent + line.chars().count() <= WIDTH && !line.contains('\n') {
        line
    } else {
        commands.join(&format!(" ||\n{:1$}", "", indent + 2))
    }
}

/// One line when it fits; otherwise as many as it takes, with a backslash at the end of all but the last.
fn lay_out(head: String, pieces: &[Piece], indent: usize) -> String {
    let mut text = head;
    let mut column = indent + text.chars().count();
    let whole: usize = pieces.iter().map(|piece| 1 + piece.text.chars().count()).sum();
    let fits = column + whole <= WIDTH;
    for (i, piece) in pieces.iter().enumerate() {
        let length = piece.text.chars().count();
        let begins_line = i > 0 && piece.begins_line || column + 1 + length + " \\".len() > WIDTH;
        if begins_line && !fits {
            text.push_str(&format!(" \\\n{:1$}", "", indent + 4));
            column = indent + 4;
        } else {
            text.push(' ');
            column += 1;
        }
        text.push_str(&piece.text);
        // a word of several lines ends in a line of its own
        column = if piece.text.contains('\n') { WIDTH } else { column + length };
    }
    text
}

/// Words that stay together: a flag and its value, or one word.
struct Piece {
    text: String,
    begins_line: bool,
}

/// Cuts a command where it reads well: flags of one topic in a row get lines of their own, and so does what
/// follows the flags, as the image and its command do.
fn pieces(command: &Command, quote: Quote) -> Vec<Piece> {
    let flag = |i: usize| match command.words.get(i) {
        Some(Word::Text(text)) if text.starts_with('-') => Some(&**text),
        _ => None,
    };
    let count = command.words.len();
    let first_flag = (0..count).find(|i| flag(*i).is_some()).unwrap_or(count);
    let mut pieces: Vec<Piece> = command.words[..first_flag]
        .iter()
        .map(|w| Piece { text: word(w, quote), begins_line: false })
        .collect();
    let (mut i, mut last, mut was_joined) = (first_flag, None, false);
    while let Some(name) = flag(i) {
        let mut text = word(&command.words[i], quote);
        let mut next = i + 1;
        if next < count && flag(next).is_none() {
            text.push(' ');
            text.push_str(&word(&command.words[next], quote));
            next += 1;
        }
        let topic = Some(topic(name));
        let goes_on = topic == last;
        let is_joined = goes_on || flag(next).map(self::topic) == topic;
        pieces.push(Piece { text, begins_line: !goes_on && (is_joined || was_joined) });
        (last, was_joined, i) = (topic, is_joined, next);
    }
    let operands = command.words[i..].iter().enumerate();
    pieces.extend(operands.map(|(i, w)| Piece { text: word(w, quote), begins_line: i == 0 }));
    pieces
}

/// What a flag is about: `health` for `--health-cmd`.
fn topic(flag: &str) -> &str {
    match flag.trim_start_matches('-').split('-').next().unwrap_or_default() {
        "ip" | "hostname" => "network",
        topic => topic,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::sample::SHELLS;
    use crate::render::sample::shell;
    use proptest::collection::vec;
    use proptest::prelude::*;
    use std::path::Path;

    /// Words with much that shells obey, and any others.
    fn words(count: usize) -> impl Strategy<Value = Vec<String>> {
        let nasty = r#"[ -~\t\r\n'"$`\\!*?~#&|;<>(){}\[\]=^%é→\u{1b}\u{7f}\u{a0}]{0,12}"#;
        let any = any::<String>().prop_map(|word| word.replace('\0', ""));
        vec(prop_oneof![3 => nasty, 1 => any, 1 => "-{0,2}[a-z=-]{0,8}"], 0..count)
    }

    fn command(words: &[String]) -> Command {
        Command::new(words.iter().map(String::as_str))
    }

    /// What a shell makes of the words that `script` gives to `docker`, each with a NUL at its end.
    fn read_back(name: &str, script: &str) -> Vec<u8> {
        shell(name, &format!("docker() {{ printf '%s\\0' \"$@\"; }}\n{script}\n")).stdout
    }

    fn expected(words: &[String]) -> Vec<u8> {
        words.iter().flat_map(|word| [word.as_bytes(), b"\0"].concat()).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 4, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn words_survive_every_shell(words in words(2000)) {
            let line: Vec<_> = words.iter().map(|word| quote(word)).collect();
            for name in SHELLS {
                let read = read_back(name, &format!("docker '' {}", line.join(" ")));
                prop_assert_eq!(&read[1..], expected(&words), "{}", name);
            }
        }

        #[test]
        fn what_a_command_reads_survives_every_shell(lines in words(50), ends in 0..3_usize) {
            let lines: Vec<String> = lines.iter().map(|line| line.replace(|c: char| !c.is_ascii(), "")).collect();
            let lines: Vec<_> = lines.iter().map(|line| line.as_str()).chain(["END", "END_"].into_iter().take(ends)).collect();
            let text = lines.join("\n") + "\n";
            let (feed, body) = here(&text);
            for name in SHELLS {
                let read = shell(name, &format!("cat {feed} || exit 1{body}\necho done\n")).stdout;
                prop_assert_eq!(String::from_utf8_lossy(&read), format!("{text}done\n"), "{}", name);
            }
        }

        #[test]
        fn a_command_for_people_can_be_pasted_and_hides_nothing(words in words(200)) {
            let words: Vec<String> = words.into_iter().chain(["a\n\n b\t\u{1b}\u{202e}é!".to_owned()]).collect();
            let folded = fold_visibly(&Cli::default(), &command(&words), 6);
            prop_assert!(!folded.contains(|c| c != '\n' && is_hidden(c)), "{}", folded);
            prop_assert!(folded.lines().skip(1).all(|line| line.starts_with("          ") || line.starts_with("$'")), "{}", folded);
            for name in ["bash", "busybox sh"] {
                prop_assert_eq!(read_back(name, &folded), expected(&words), "{}: {}", name, folded);
            }
        }

        #[test]
        fn a_folded_command_can_be_pasted(words in words(200)) {
            let folded = fold("", &Cli::default(), &command(&words), 6);
            for name in SHELLS {
                let read = read_back(name, &folded);
                let whole = if words.is_empty() { b"\0".to_vec() } else { expected(&words) };
                prop_assert_eq!(read, whole, "{}: {}", name, folded);
            }
        }
    }

    #[test]
    fn what_people_type_without_quotes_has_none() {
        for word in
            ["redis:7-alpine", "--label", "10.0.0.0/24", "a=b,c", "postgres.internal", "50%", "user@host"]
        {
            assert_eq!(quote(word), word);
        }
        for (word, quoted) in [
            ("", "''"),
            ("a b", "'a b'"),
            ("it's", "\"it's\""),
            ("$HOME", "'$HOME'"),
            ("it's $HOME", r#""it's \$HOME""#),
            ("no!", "'no!'"),
            ("it's $no!", r#""it's \$no"'!'"""#),
            ("a\\", r#""a\\""#),
            ("=ls", "'=ls'"),
        ] {
            assert_eq!(quote(word), quoted);
        }
    }

    #[test]
    fn a_path_of_the_config_begins_in_the_folder_that_the_script_runs_in() {
        let mut command = Command::new(["run", "--volume"]);
        command.words.push(Word::InFolder { path: "my data".to_owned(), rest: ":/data".to_owned() });
        let folded = fold("", &Cli::default(), &command, 0);
        assert_eq!(folded, "docker run --volume \"$PWD\"/'my data:/data'");
        for name in SHELLS {
            let read = read_back(name, &format!("cd /usr\n{folded}"));
            assert_eq!(read, expected(&command.argv(Path::new("/usr"))), "{name}");
        }
    }

    #[test]
    fn a_long_command_is_broken_where_it_reads_well() {
        let command = Command::new([
            "run",
            "--detach",
            "--name",
            "shop-db",
            "--network",
            "shop-backend",
            "--ip",
            "10.214.7.128",
            "--network-alias",
            "postgres",
            "--network-alias",
            "shop-db",
            "--label",
            "gordon.managed=true",
            "--label",
            "gordon.project=shop",
            "--label",
            "gordon.kind=service",
            "--label",
            "gordon.owner=backend",
            "--env",
            "GREETING=hello world",
            "postgres:15",
            "postgres",
            "-c",
            "log_statement=all",
        ]);
        let cli = Cli { binary: "docker".to_owned(), context: Some("far".to_owned()) };
        assert_eq!(
            fold("", &cli, &command, 2),
            "\
docker --context far run --detach --name shop-db \\
      --network shop-backend --ip 10.214.7.128 --network-alias postgres --network-alias shop-db \\
      --label gordon.managed=true --label gordon.project=shop --label gordon.kind=service \\
      --label gordon.owner=backend \\
      --env 'GREETING=hello world' \\
      postgres:15 postgres -c log_statement=all"
        );
    }

    #[test]
    fn one_line_holds_nothing_that_a_terminal_obeys() {
        assert_eq!(
            one_line("manifest unknown:\r\n\u{1b}[31mno such tag\u{202e}\n"),
            "manifest unknown: \\u{1b}[31mno such tag\\u{202e}"
        );
    }

    #[test]
    fn what_is_hidden_in_a_word_is_an_escape_and_no_line_begins_with_it() {
        for (word, quoted) in [
            ("a\u{1b}[2K\r  b", "$'a\\x1b[2K\\r  b'"),
            ("\u{202e}it's\\", "$'\\xe2\\x80\\xaeit\\'s\\\\'"),
            ("\n  +   container x!\n", "$'\\n'\\\n$'  +   container x\\x21\\n'"),
            ("it's", "\"it's\""),
        ] {
            assert_eq!(quote_visibly(word), quoted);
        }
    }
}
