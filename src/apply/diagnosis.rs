//! Finds out what became of a container that did not become ready, before anything is undone. Does not know why it was
//! waited for. It is where secrets are hidden in a log, as only here it is known where docker cut one off.

use super::Concealment;
use super::Diagnosis;
use super::Machine;
use super::conceal::Cut;
use crate::docker::Command;
use crate::name::Container;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::time::Duration;

/// How many lines of a container's log are shown.
const LOG_LINES: usize = 20;
/// Docker keeps a longer line in pieces of this many bytes, and writes the time before each.
const LOG_PIECE: usize = 16 * 1024;
/// How docker writes a time before a line of a log; 0 is any digit.
const LOG_TIME: &[u8] = b"0000-00-00T00:00:00.000000000Z ";
/// What docker puts in the place of the rest of a health check's output after 4 kB.
const HEALTH_CUT: &str = "...";
/// How the kernel writes the state of a socket that listens, the address of docker's own DNS in each container, and the ends of
/// addresses that only the container itself can reach: 127.0.0.1, also as an address of IPv6, and ::1.
const LISTENS: &str = "0A";
const DOCKER_DNS: &str = "0B00007F";
const LOOPBACK: [&str; 2] = ["0100007F", "00000000000000000000000001000000"];
/// The time for one question.
const LIMIT: Duration = Duration::from_secs(30);

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct State {
    status: String,
    #[serde(default)]
    exit_code: i32,
    #[serde(default, rename = "OOMKilled")]
    oom_killed: bool,
    #[serde(default)]
    error: String,
    #[serde(default)]
    finished_at: String,
    #[serde(default)]
    health: Option<Health>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Health {
    #[serde(default)]
    log: Option<Vec<Check>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Check {
    #[serde(default)]
    output: String,
}

/// A volume that a container may write to, as docker tells of it.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Mount {
    #[serde(default)]
    name: String,
    #[serde(rename = "RW")]
    is_writable: bool,
}

/// The containers that run with a volume to which `container` may write too, each with that volume.
pub(super) fn sharing(machine: &dyn Machine, container: &Container) -> Vec<(String, String)> {
    let question = Command::new(["container", "inspect", "--format", "{{json .Mounts}}", container.as_str()]);
    let answer = machine.docker(&question, LIMIT, &mut |_| {});
    let mounts: Vec<Mount> = serde_json::from_str(answer.stdout.trim()).unwrap_or_default();
    let volumes = mounts.into_iter().filter(|mount| mount.is_writable && !mount.name.is_empty());
    let with = |volume: String| {
        let filter = format!("volume={volume}");
        let question = Command::new(["ps", "--filter", &filter, "--format", "{{.Names}}"]);
        let names = machine.docker(&question, LIMIT, &mut |_| {}).stdout;
        let others = names.lines().filter(|name| *name != container.as_str()).map(str::to_owned);
        others.map(|name| (name, volume.clone())).collect::<Vec<_>>()
    };
    volumes.flat_map(|mount| with(mount.name)).collect()
}

/// Where the processes of `container` listen, by port: whether others than itself can connect there. Empty where its image
/// has no `cat`.
pub(super) fn listening(machine: &dyn Machine, container: &Container) -> BTreeMap<u16, bool> {
    let question = Command::new(["exec", container.as_str(), "cat", "/proc/net/tcp", "/proc/net/tcp6"]);
    let answer = machine.docker(&question, LIMIT, &mut |_| {});
    let mut ports = BTreeMap::new();
    for line in answer.stdout.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [_, local, _, LISTENS, ..] = words[..] else { continue };
        let Some((address, port)) = local.split_once(':') else { continue };
        let Ok(port) = u16::from_str_radix(port, 16) else { continue };
        if address != DOCKER_DNS {
            *ports.entry(port).or_insert(false) |=
                !LOOPBACK.iter().any(|loopback| address.ends_with(loopback));
        }
    }
    ports
}

/// What became of `container`, without what `concealment` hides; `None` when it is gone.
pub(super) fn diagnose(
    machine: &dyn Machine,
    container: &Container,
    concealment: &Concealment,
) -> Option<Diagnosis> {
    let format = "{{json .State}}{{println}}{{.RestartCount}}";
    let question = Command::new(["container", "inspect", "--format", format, container.as_str()]);
    let answer = machine.docker(&question, LIMIT, &mut |_| {});
    let mut lines = answer.is_success().then(|| answer.stdout.lines())?;
    let state: State = serde_json::from_str(lines.next()?).ok()?;
    let restarts = lines.next().and_then(|line| line.trim().parse().ok()).unwrap_or_default();
    let checks = state.health.and_then(|health| health.log).unwrap_or_default();
    Some(Diagnosis {
        container: container.clone(),
        // a container that never ended has the zero time
        exit_status: (!state.finished_at.starts_with("0001-") && state.status != "running")
            .then_some(state.exit_code),
        status: state.status,
        restarts,
        out_of_memory: state.oom_killed,
        error: concealment.conceal(&state.error),
        health: checks.last().map(|check| health(&check.output, concealment)).unwrap_or_default(),
        log: log(machine, container, concealment),
    })
}

/// What a health check printed.
fn health(output: &str, concealment: &Concealment) -> String {
    match output.strip_suffix(HEALTH_CUT) {
        Some(start) => concealment.conceal_cut(start, Cut { start: false, end: true }) + HEALTH_CUT,
        None => concealment.conceal(output),
    }
    .trim()
    .to_owned()
}

/// The end of the container's log. What it wrote to its two outputs comes on two ways: only the times tell what was
/// first.
fn log(machine: &dyn Machine, container: &Container, concealment: &Concealment) -> Vec<String> {
    let tail = LOG_LINES.to_string();
    let question = Command::new(["logs", "--timestamps", "--tail", &tail, container.as_str()]);
    let answer = machine.docker(&question, LIMIT, &mut |_| {});
    let outputs = [answer.stdout, answer.stderr].map(|output| joined(&output));
    // what came before may be the beginning of the first line
    let is_end = outputs.iter().map(|(_, pieces)| pieces).sum::<usize>() >= LOG_LINES;
    let mut lines = Vec::new();
    for (output, _) in &outputs {
        for (index, line) in output.split_inclusive('\n').enumerate() {
            let (time, text) = line.split_once(' ').unwrap_or((line, ""));
            let cut = Cut { start: is_end && index == 0, end: !line.ends_with('\n') };
            let text = concealment.conceal_cut(text.trim_end_matches(['\n', '\r']), cut);
            lines.push((time.to_owned(), text));
        }
    }
    lines.sort_by(|a, b| a.0.cmp(&b.0));
    lines.into_iter().map(|(_, text)| text).collect()
}

/// An output of `docker logs`, in which lines that docker kept in pieces are whole again; and the number of pieces.
fn joined(output: &str) -> (String, usize) {
    let (mut whole, mut pieces) = (String::new(), 0);
    for mut line in output.split_inclusive('\n') {
        pieces += 1;
        while let Some(at) = (LOG_PIECE..line.len()).find(|at| is_time(&line.as_bytes()[*at..])) {
            whole.push_str(&line[..at]);
            line = &line[at + LOG_TIME.len()..];
            pieces += 1;
        }
        whole.push_str(line);
    }
    (whole, pieces)
}

/// Whether `text` begins with a time as docker writes it before a line of a log.
fn is_time(text: &[u8]) -> bool {
    let is_like = |(form, byte): (&u8, &u8)| if *form == b'0' { byte.is_ascii_digit() } else { form == byte };
    text.len() >= LOG_TIME.len() && LOG_TIME.iter().zip(text).all(is_like)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::apply::fake::Fake;
    use crate::apply::sample;
    use crate::spec::Secret;

    const TIME: &str = "2026-11-29T18:49:44.731027261Z ";

    /// What is shown of a container whose health check and log say this, when these secrets are hidden.
    fn shown(health: &str, log: &str, secrets: &[&str]) -> Diagnosis {
        let secrets: Vec<Secret> = secrets.iter().map(|value| Secret::new(*value)).collect();
        let state = serde_json::json!({
            "Status": "running", "Health": { "Log": [{ "Output": health }] },
        });
        let state = state.to_string().replace('&', r"\u0026");
        let machine = Fake::default().says("{{json .State}}", &state).says("docker logs", log);
        diagnose(&machine, &sample::container("shop-web"), &Concealment::of(&secrets)).expect("it is there")
    }

    /// Text that is nowhere the same as elsewhere.
    fn long(length: usize) -> String {
        (100_000..)
            .flat_map(|number: u32| number.to_string().into_bytes())
            .take(length)
            .map(char::from)
            .collect()
    }

    #[test]
    fn where_a_container_listens_is_read_from_the_kernel() {
        let line = |local: &str, state: &str| {
            format!("   0: {local} 00000000:0000 {state} 00000000:00000000 00:00\n")
        };
        let answer = [
            "  sl  local_address rem_address   st tx_queue rx_queue tr\n".to_owned(),
            line("00000000:1F90", "0A"),
            line("0100007F:0BB8", "0A"),
            line("0B00007F:8235", "0A"),
            line("020013AC:0050", "01"),
            line("00000000000000000000000000000000:1F91", "0A"),
            line("00000000000000000000000001000000:0BB9", "0A"),
        ];
        let machine = Fake::default().says("cat /proc/net/tcp", &answer.concat());
        let ports = listening(&machine, &sample::container("shop-web"));
        assert_eq!(ports, BTreeMap::from([(3000, false), (3001, false), (8080, true), (8081, true)]));
    }

    #[test]
    fn secrets_are_hidden_in_docker_s_own_words() {
        let state = r#"{"Status": "created", "Error": "exec: \"hunter2\": not found"}"#;
        let machine = Fake::default().says("{{json .State}}", state);
        let concealment = Concealment::of(&[Secret::new("hunter2")]);
        let diagnosis = diagnose(&machine, &sample::container("shop-web"), &concealment);
        assert_eq!(diagnosis.expect("it is there").error, "exec: \"…\": not found");
    }

    #[test]
    fn secrets_are_hidden_in_the_health_check_s_output_as_it_was_before_docker_wrote_it_as_json() {
        let diagnosis = shown("health says pass&word<1>\"x\n", "", &["pass&word<1>\"x"]);
        assert_eq!(diagnosis.health, "health says …");
        let cut = format!("{}hunter2-hun...", long(4085));
        let diagnosis = shown(&cut, "", &["hunter2-hunter3"]);
        assert!(diagnosis.health.ends_with("…..."), "{}", &diagnosis.health[4080..]);
    }

    #[test]
    fn a_line_that_docker_keeps_in_pieces_is_shown_whole_and_without_secrets() {
        let text = format!("{}hunter2{}", long(LOG_PIECE - 3), long(LOG_PIECE));
        let pieces: String = [&text[..LOG_PIECE], &text[LOG_PIECE..2 * LOG_PIECE], &text[2 * LOG_PIECE..]]
            .map(|piece| format!("{TIME}{piece}"))
            .concat();
        let diagnosis = shown("", &format!("{pieces}\n{TIME}at {TIME}end\n"), &["hunter2"]);
        assert_eq!(diagnosis.log, [text.replace("hunter2", "…"), format!("at {TIME}end")]);
    }

    #[test]
    fn the_rest_of_a_value_with_which_the_end_of_a_log_begins_is_hidden() {
        let value = long(4 * LOG_PIECE);
        for rest in [5, 30, 2000, LOG_PIECE + 10] {
            let rest = &value[value.len() - rest..];
            let pieces: Vec<String> = rest
                .as_bytes()
                .chunks(LOG_PIECE)
                .map(|piece| format!("{TIME}{}", String::from_utf8_lossy(piece)))
                .collect();
            let lines = format!("{TIME}next\n").repeat(LOG_LINES - pieces.len());
            let diagnosis = shown("", &format!("{}\n{lines}", pieces.concat()), &[&value]);
            assert_eq!(
                (diagnosis.log[0].as_str(), diagnosis.log[1].as_str()),
                ("…", "next"),
                "{}",
                rest.len()
            );
        }
    }

    #[test]
    fn nothing_comes_before_a_log_that_is_shorter_than_what_was_asked_for() {
        let log = format!("{TIME}-hunter3 is wrong\n").repeat(LOG_LINES - 1);
        assert_eq!(shown("", &log, &["hunter2-hunter3"]).log[0], "-hunter3 is wrong");
    }

    #[test]
    fn the_beginning_of_a_value_with_which_a_log_ends_is_hidden() {
        let log = format!("{TIME}hunter2-hunt\n{TIME}it is hunter2-hunt");
        assert_eq!(shown("", &log, &["hunter2-hunter3"]).log, ["hunter2-hunt", "it is …"]);
    }
}
