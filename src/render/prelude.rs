//! The functions that scripts are made of: finds those that a script calls, by itself or through others. Does not know
//! what they do.

use std::collections::BTreeSet;

/// One function a paragraph.
const TEXT: &str = include_str!("prelude.sh");

/// Whether a paragraph holds a function that calls docker by its name.
pub(super) fn names_docker(paragraph: &str) -> bool {
    ["ask", "start_made"].contains(&name(paragraph))
}

/// The paragraphs that hold the functions `called` and all that these call, in their order in the file.
pub(super) fn of(called: impl IntoIterator<Item = &'static str>) -> impl Iterator<Item = &'static str> {
    let functions: Vec<(&str, &str)> = TEXT.trim_end().split("\n\n").map(|text| (name(text), text)).collect();
    let find = |wanted: &str| functions.iter().find(|(name, _)| *name == wanted).copied();
    let mut open: Vec<&str> = called.into_iter().collect();
    let mut needed = BTreeSet::new();
    while let Some(wanted) = open.pop() {
        let (name, text) = find(wanted).expect("a script calls only functions of the prelude");
        if needed.insert(name) {
            open.extend(words(text).filter(|word| find(word).is_some()));
        }
    }
    functions.into_iter().filter(move |(name, _)| needed.contains(name)).map(|(_, text)| text)
}

/// The name of the function in a paragraph.
fn name(paragraph: &str) -> &str {
    let code = paragraph.lines().find(|line| !line.starts_with('#')).unwrap_or_default();
    code.split('(').next().unwrap_or_default()
}

/// The words of a paragraph's code, the functions that it calls among them. Nothing is called between double quotes.
fn words(paragraph: &str) -> impl Iterator<Item = &str> {
    let code = paragraph.lines().filter(|line| !line.trim_start().starts_with('#'));
    let bare = code.flat_map(|line| line.split('"').step_by(2));
    bare.flat_map(|code| code.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::docker::Cli;
    use crate::name::SecretKey;
    use crate::render::sample;
    use crate::render::sample::SHELLS;
    use crate::render::sample::shell;
    use crate::render::sh;
    use proptest::prelude::*;
    use std::io::Write;
    use tempfile::NamedTempFile;

    fn all() -> Vec<&'static str> {
        TEXT.trim_end().split("\n\n").map(name).collect()
    }

    fn script(functions: impl IntoIterator<Item = &'static str>, rest: &str) -> String {
        format!("#!/bin/sh\nset -eu\n\n{}\n\n{rest}\n", of(functions).collect::<Vec<_>>().join("\n\n"))
    }

    #[test]
    fn a_script_gets_what_it_calls_and_no_more() {
        assert_eq!(of(["say"]).map(name).collect::<Vec<_>>(), ["say"]);
        assert_eq!(
            of(["is_detached"]).map(name).collect::<Vec<_>>(),
            ["ask", "say", "refuse", "fail", "look", "answers", "is_attached", "is_detached"]
        );
        assert_eq!(of(all()).count(), all().len());
    }

    /// Each function with what it calls, all of them, and whole scripts: no combination has more to complain of.
    #[test]
    fn shellcheck_has_nothing_to_say_of_any_script() {
        let usual = ["step", "run", "finish"];
        let begin = "_steps=1 _step=0 _open='' _ran=' ' _count=0";
        let mut scripts: Vec<String> = all()
            .into_iter()
            .map(|name| {
                script(
                    usual.into_iter().chain([name]),
                    &format!("{begin}\nstep 1 a b\nrun a || {name} a\nfinish"),
                )
            })
            .collect();
        scripts.push(script(all(), begin));
        for plan in [sample::first_start(), sample::change(), crate::plan::Plan::new(sample::project())] {
            scripts.push(sh::render(&plan, &Cli::default()));
        }
        let files: Vec<NamedTempFile> = scripts
            .iter()
            .map(|script| {
                let mut file = NamedTempFile::new().expect("a file");
                file.write_all(script.as_bytes()).expect("it can be written");
                file
            })
            .collect();
        let output = assert_cmd::Command::new("shellcheck")
            .args(["--shell=sh", "--norc"])
            .args(files.iter().map(NamedTempFile::path))
            .output()
            .expect("shellcheck is installed");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    }

    #[test]
    fn every_shell_takes_the_whole_prelude() {
        for name in SHELLS {
            let outcome = shell(name, &script(all(), "say done"));
            assert_eq!((outcome.status, outcome.stderr.as_str()), (0, "done\n"), "{name}");
        }
    }

    #[test]
    fn what_a_script_says_moves_no_cursor() {
        let says = r#"docker() { printf 'a log\033[2K\r\n'; }
            show docker "$(printf 'x\033[1A\007\177\ty→')"
            ask logs 2>&1 | while read -r _line; do say "$_line"; done"#;
        for name in SHELLS {
            let told = shell(name, &script(["ask", "show", "say"], says)).stderr;
            assert_eq!(told, "+ docker 'x?[1A??\ty→'\na log?[2K?\n", "{name}");
        }
    }

    #[test]
    fn patterns_are_those_of_a_probe() {
        for (text, patterns, fits) in [
            ("running none 0", "running * 0", true),
            ("running none 10", "running * 0", false),
            ("exited none 0", "exited *|dead *", true),
            ("dead none 0", "exited *|dead *", true),
            ("running unhealthy 1", "* unhealthy *", true),
            ("running [healthy] 1", "* [healthy] *", false),
            ("a*b", "a b", false),
        ] {
            for name in SHELLS {
                let outcome = shell(name, &script(["matches"], &format!("matches '{text}' '{patterns}'")));
                assert_eq!(outcome.status == 0, fits, "{name}: {text} {patterns}");
            }
        }
    }

    #[test]
    fn values_of_secrets_and_their_lines_are_hidden() {
        let set = "_secrets='A B KEY SHORT EMPTY GLOB'\nA=hunter2 B=hunter2-REST SHORT=is EMPTY= GLOB='a*[b]?\\'\n\
                   KEY='-----BEGIN KEY-----\nfirst line\n  second\n}'";
        for (text, told) in [
            ("pair hunter2 hunter2-REST hunter2hunter2", "pair … … ……"),
            ("read first line, then second }", "read …, then second }"),
            ("it is a*[b]?\\, not axbx", "it is …, not axbx"),
            ("a\nhunter2\n * b", "a\n…\n * b"),
            ("", ""),
        ] {
            for name in SHELLS {
                let script = script(["hide"], &format!("{set}\nhide {}", super::super::words::quote(text)));
                assert_eq!(shell(name, &script).stderr, format!("{told}\n"), "{name}: {text}");
            }
        }
        for name in SHELLS {
            assert_eq!(shell(name, &script(["hide"], "hide 'no secrets'")).stderr, "no secrets\n", "{name}");
        }
    }

    /// The variables that a shell text sets. None is set between double quotes.
    fn variables(text: &str) -> BTreeSet<&str> {
        let bare = text
            .lines()
            .filter(|line| !line.trim_start().starts_with('#'))
            .flat_map(|line| line.split('"').step_by(2));
        let words: Vec<&str> = bare.flat_map(|code| code.split([' ', ';', '(', ')'])).collect();
        let assigned = words.iter().filter_map(|word| Some(word.split_once('=')?.0));
        let named =
            words.windows(2).filter(|pair| ["for", "read", "-r"].contains(&pair[0])).map(|pair| pair[1]);
        let is_name =
            |word: &&str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        assigned.chain(named).filter(is_name).collect()
    }

    #[test]
    fn a_script_sets_no_variable_that_a_secret_can_have() {
        let names = variables(TEXT);
        for known in ["_seen", "_step", "_number", "_path", "IFS"] {
            assert!(names.contains(known), "{known} is not found in {names:?}");
        }
        // set for one command alone
        for name in names.into_iter().filter(|name| *name != "LC_ALL") {
            assert!(SecretKey::parse(name).is_err(), "a secret `{name}` would be overwritten");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 4, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a_command_is_shown_as_it_could_be_typed(words in proptest::collection::vec("[ -~\\n'→]{0,12}", 1..300)) {
            let line: Vec<_> = words.iter().map(|word| super::super::words::quote(word)).collect();
            for name in SHELLS {
                let shown = shell(name, &script(["show"], &format!("show {}", line.join(" ")))).stderr;
                let typed = shown.strip_prefix("+ ").expect("a command is shown behind a plus");
                let read = shell(name, &format!("printf '%s\\0' {typed}")).stdout;
                let expected: Vec<u8> = words.iter().flat_map(|word| [word.as_bytes(), b"\0"].concat()).collect();
                prop_assert_eq!(read, expected, "{}: {}", name, shown);
            }
        }
    }
}
