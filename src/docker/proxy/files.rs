//! The proxy's files on its volume: the file of routes of each project, and the scripts that put them, take them and ask where
//! they lead. Does not know what is in them.

use super::RoutesFile;
use super::RoutesFiles;
use super::names::CONFIG;
use super::set_up::has_own_words;
use crate::docker::Command;
use crate::name::Domain;
use crate::name::Image;
use crate::name::Project;
use crate::spec::PROXY;
use std::time::Duration;

/// Prints every file of routes, its name in a line before it, each with a NUL in front.
const READ: &str = include_str!("read.sh");

/// Asks for the requests that are on their way. Of a container that it found by a name, the proxy knows the address.
const IDLE: &str = include_str!("idle.sh");

/// How long after a name means another container the proxy may still send requests to the one before: it asks for names
/// each second, and an answer takes a moment.
pub(in crate::docker) const LAG: Duration = Duration::from_millis(1050);

/// The scripts beside the routes, by the names of their files; the proxy writes them when it starts. A proxy may be older
/// than this gordon, and has the scripts of its own time: what they are called with, and what they do, stays as it is.
pub(super) const SCRIPTS: [(&str, &str); 4] = [
    ("put", include_str!("put.sh")),
    ("take", include_str!("take.sh")),
    ("ask", include_str!("ask.sh")),
    ("note", NOTE),
];

/// Notes the addresses of names.
const NOTE: &str = include_str!("note.sh");

/// Writes `text` as the file `name` to the volume, in a container of the proxy's `image` that is gone afterwards: once it has
/// arrived to its last line, `# end`, and is on the disk. A kill or a power failure leaves no part of it. Words of the config
/// are there only if Caddy takes them.
pub(in crate::docker) fn write_set_up(image: &Image, name: &str, text: &str) -> Command {
    let (volume, folder) = CONFIG;
    let volume = format!("{volume}:{folder}");
    let mut command =
        Command::new(["run", "--rm", "--interactive", "--network", "none", "--volume", &volume]);
    let check =
        if has_own_words(text) { "PATH=\"$PATH:/usr/local/bin\" sh new \"$(mktemp -d)\" && " } else { "" };
    let write = format!("cd {folder} && cat >new && grep -q \"^# end\" new && {check}sync && mv new {name}");
    // nothing in there has the proxies of docker's client
    command.extend(["--entrypoint", "env", image.as_str(), "-i", "sh", "-c", &write]);
    Command { stdin: Some(text.to_owned()), ..command }
}

/// Reads all routes files in the proxy, which runs.
pub(in crate::docker) fn read() -> Command {
    Command::new(["exec", PROXY, "sh", "-c", READ.trim_end()])
}

/// Reads all routes files where the proxy does not run, in a container of `image` that is gone afterwards.
pub(in crate::docker) fn read_without_proxy(image: &str) -> Command {
    let (volume, folder) = CONFIG;
    let volume = format!("{volume}:{folder}:ro");
    let flags = ["run", "--rm", "--pull", "never", "--network", "none", "--volume", &volume];
    let mut command = Command::new(flags);
    command.without_proxies();
    command.extend(["--entrypoint", "sh", image, "-c", READ.trim_end()]);
    command
}

/// Puts the routes file of `project`.
pub(in crate::docker) fn put(project: &Project, text: &str) -> Command {
    let words = ["exec", "--interactive", PROXY, "sh", &script("put"), project.as_str()];
    Command { stdin: Some(text.to_owned()), ..Command::new(words) }
}

/// Asks each target for its host, as the proxy would.
pub(in crate::docker) fn ask(routes: &[(String, Domain)], timeout: Duration) -> Command {
    let seconds = timeout.as_secs().to_string();
    let words = ["exec", "--interactive", PROXY, "sh", &script("ask"), &seconds];
    let lines = routes.iter().map(|(target, host)| format!("{target} {host}\n")).collect();
    Command { stdin: Some(lines), ..Command::new(words) }
}

/// Asks the proxy whether it has no request on its way to these, as it calls them: it says `idle` then, else `busy`.
pub(in crate::docker) fn is_idle(upstreams: &[String]) -> Command {
    let mut command = Command::new(["exec", PROXY, "sh", "-c", IDLE.trim_end(), "idle"]);
    command.extend(upstreams.iter().map(String::as_str));
    command
}

/// Notes where these names lead, for the time in which docker does not answer. A proxy of an older gordon takes no notes.
pub(in crate::docker) fn note(names: &[String]) -> Command {
    let script = script("note");
    let note = format!("[ ! -f {script} ] || exec sh {script} \"$@\"");
    let mut command = Command::new(["exec", PROXY, "sh", "-c", &note, "note"]);
    command.extend(names.iter().map(String::as_str));
    command
}

/// Takes the routes file of `project` away.
pub(in crate::docker) fn take(project: &Project) -> Command {
    Command::new(["exec", PROXY, "sh", &script("take"), project.as_str()])
}

/// The path of a script in the proxy.
fn script(name: &str) -> String {
    format!("{}/gordon/{name}", CONFIG.1)
}

/// The routes files in the answer to [`read`].
pub(in crate::docker) fn routes_files(answer: &str) -> RoutesFiles {
    let files = answer.split('\0').filter_map(|file| file.split_once('\n'));
    files
        .filter_map(|(name, text)| {
            Some((Project::parse(name.strip_suffix(".caddy")?).ok()?, RoutesFile::from(text)))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn routes_files_are_told_apart_by_their_files() {
        let answer = "\0shop.caddy\na.com {\n}\n\0gmail.caddy\n\0.caddy\nx\n";
        let routes_files = routes_files(answer);
        let texts: Vec<_> = routes_files
            .iter()
            .map(|(project, routes_file)| (project.as_str(), routes_file.as_str()))
            .collect();
        assert_eq!(texts, [("gmail", ""), ("shop", "a.com {\n}\n")]);
    }

    #[test]
    fn the_proxy_is_idle_when_no_request_is_on_its_way_to_any_of_these() {
        let all = r#"[{"address":"shop-web-previous.shop.:80","num_requests":0,"fails":0},{"address":"10.2.0.4:80","num_requests":1,"fails":0},{"address":"10.2.0.40:80","num_requests":0,"fails":3},{"address":"10.2.0.4:80","num_requests":0,"fails":0}]"#;
        for (said, of, answer) in [
            (format!("printf %s '{all}'"), &["10.2.0.4"][..], "busy\n"),
            (format!("printf %s '{all}'"), &["shop-web-previous.shop.", "10.2.0.4"], "busy\n"),
            (format!("printf %s '{all}'"), &["shop-web-previous.shop.", "10.2.0.40", "10.2.0.5"], "idle\n"),
            ("echo null".to_owned(), &["10.2.0.4"], "idle\n"),
            ("false".to_owned(), &["10.2.0.4"], ""),
        ] {
            let script = format!("wget() {{ {said}; }}\n{IDLE}");
            let run = assert_cmd::Command::new("sh").args(["-c", &script, "idle"]).args(of).output();
            let told = String::from_utf8(run.expect("there is a shell").stdout).expect("text");
            assert_eq!(told, answer, "{said} of {of:?}");
        }
        let check = assert_cmd::Command::new("shellcheck").args(["--shell=sh", "-"]).write_stdin(IDLE).ok();
        assert!(check.is_ok(), "{check:?}");
    }

    /// The proxy's list of hosts and its order of names after some notes, of which each is a Caddy's version, an address
    /// that docker gives, and the words of the call.
    fn noted(notes: &[[&str; 3]]) -> String {
        let folder = tempfile::tempdir().expect("a folder");
        let [etc, config] = ["etc/", "config"].map(|part| folder.path().join(part).display().to_string());
        let script = NOTE.replace("/etc/", &etc).replace("/config/gordon", &config);
        let note = |[version, address, words]: &[&str; 3]| {
            format!(
                "(caddy() {{ echo {version}; }}; flock() {{ :; }}; set -- {words}\nnslookup() {{ printf \
                 'Server: 127.0.0.11\\nAddress: 127.0.0.11:53\\n\\nName:\\tx\\nAddress: {address}\\nAddress: fd00::2\\n'; }}\n{script})\n"
            )
        };
        let notes: String = notes.iter().map(note).collect();
        let whole = format!(
            "mkdir {etc} {config} && cd {etc} && echo '10.1.0.2 itself' >hosts && printf 'passwd: files\\nhosts: files dns\\n' >nsswitch.conf\n\
             {notes}cat hosts nsswitch.conf"
        );
        let run = assert_cmd::Command::new("sh").args(["-c", &whole]).output().expect("there is a shell");
        assert!(run.status.success() && run.stderr.is_empty(), "{run:?}");
        String::from_utf8(run.stdout).expect("text")
    }

    #[test]
    fn a_note_takes_the_place_of_the_one_before_and_counts_after_what_docker_says() {
        let first = ["2.11.7", "10.2.0.4", "shop-web.shop. shop-web-2.shop."];
        let text = noted(&[first, ["v2.11.7", "10.2.0.9", "shop-web.shop."], ["2.8.0", "10.3.0.4", ""]]);
        let hosts = "10.1.0.2 itself\n10.2.0.4 shop-web-2.shop. # gordon\n10.2.0.9 shop-web.shop. # gordon\n";
        assert_eq!(text, format!("{hosts}passwd: files\nhosts: dns files\n"));
        // a name that docker does not know any more has no note
        let gone = noted(&[first, ["2.11.7", "*** x", "shop-web.shop. shop-web-2.shop."]]);
        assert_eq!(gone, "10.1.0.2 itself\npasswd: files\nhosts: dns files\n");
        let old = noted(&[["v2.7.6", "10.2.0.4", "shop-web.shop."]]);
        assert_eq!(old, "10.1.0.2 itself\npasswd: files\nhosts: files dns\n");
    }

    /// With a resolver that does not answer, the name `localhost` takes 10 s: notes put docker's answers before those of files.
    #[test]
    fn caddy_is_told_and_asked_at_an_address() {
        for script in [include_str!("start.sh"), SCRIPTS[0].1, SCRIPTS[1].1] {
            let (before, _) =
                script.split_once("caddy reload").or(script.split_once("caddy run")).expect("Caddy");
            assert!(before.contains("export CADDY_ADMIN=127.0.0.1:2019\n"), "{script}");
        }
    }

    #[test]
    fn a_script_stands_in_a_here_document() {
        for (name, text) in SCRIPTS {
            assert!(text.is_ascii() && text.ends_with('\n'), "{name}");
            assert!(text.lines().all(|line| line != "END"), "{name}");
            let check =
                assert_cmd::Command::new("shellcheck").args(["--shell=sh", "-"]).write_stdin(text).ok();
            assert!(check.is_ok(), "{check:?}");
        }
    }

    #[test]
    fn the_set_up_is_written_without_the_environment_of_dockers_client() {
        let image = Image::parse("caddy:2").expect("an image");
        let words = write_set_up(&image, "start-1", "exit\n# end\n").argv(Path::new("/"));
        let begin = words.iter().position(|word| word == "--entrypoint").expect("it has one");
        assert_eq!(words[begin + 1..begin + 6], ["env", "caddy:2", "-i", "sh", "-c"]);
        assert!(!words.iter().any(|word| word == "--env"));
    }

    #[test]
    fn where_the_proxy_does_not_run_its_files_are_read_and_nothing_else_is_done() {
        let mut empty = Command::default();
        empty.without_proxies();
        let empty = empty.argv(Path::new("/")).join(" ");
        let line = read_without_proxy("caddy:2").argv(Path::new("/")).join(" ");
        assert_eq!(
            line,
            format!(
                "run --rm --pull never --network none --volume gordon-proxy-config:/config:ro {empty} --entrypoint sh caddy:2 -c {}",
                READ.trim_end()
            )
        );
    }
}
