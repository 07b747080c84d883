//! What a step waits for, and the question that tells. `apply` and the script interpret this one table.

use super::Command;
use super::proxy;
use crate::name::Container;
use crate::name::Image;
use crate::spec::HttpCheck;
use crate::spec::PROXY;
use crate::spec::Patience;
use crate::spec::PortCheck;
use crate::spec::Prober;
use crate::spec::Statuses;
use std::fmt;
use std::time::Duration;

/// Something that is waited for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Await {
    /// The container's own health check says that it is healthy.
    Healthy {
        /// The container.
        name: Container,
        /// The time after which it has failed.
        timeout: Duration,
    },
    /// The container answers a request of HTTP.
    Answers {
        /// The container.
        name: Container,
        /// The request.
        check: HttpCheck,
        /// The time after which it has failed.
        timeout: Duration,
    },
    /// The container takes a connection at its port.
    Listens {
        /// The container.
        name: Container,
        /// The connection.
        check: PortCheck,
        /// The time after which it has failed.
        timeout: Duration,
    },
    /// The container has no health check: it is to run, without a restart, for `time` on end.
    StaysUp {
        /// The container.
        name: Container,
        /// How long.
        time: Duration,
    },
    /// The container is meant to end: it is to run for `time` on end, or to have ended with status 0.
    GoesWell {
        /// The container.
        name: Container,
        /// How long.
        time: Duration,
    },
    /// The container ends, with exit status 0.
    Ends {
        /// The container.
        name: Container,
        /// The time after which it has failed.
        timeout: Duration,
    },
    /// The containers have given up their names, and end the requests that they still get for those names.
    Drain {
        /// The containers; at least one.
        names: Vec<Container>,
        /// How long; at most, where the proxy is asked.
        time: Duration,
        /// What the proxy calls the containers, which is asked whether it has a request left for them. Empty where it does
        /// not route to them.
        upstreams: Vec<String>,
    },
}

/// A question that is put to docker again and again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probe {
    /// The question.
    pub command: Command,
    /// The shell pattern that a good answer matches.
    pub ready: &'static str,
    /// What is asked as well once the answer is good, and has to answer [`READY`] itself.
    pub then: Option<Command>,
    /// Shell patterns of answers after which waiting is useless.
    pub fatal: &'static [&'static str],
    /// The time before the first question.
    pub first: Duration,
    /// How long the answer has to stay good.
    pub hold: Duration,
    /// The time between two questions.
    pub every: Duration,
    /// The time after which the wait has failed.
    pub timeout: Duration,
    /// How many answers may be other than good, before that time is over.
    pub patience: Option<Patience>,
    /// Whether the wait ends well after that time, too.
    pub lapses: bool,
}

/// The good answer of what a [`Probe`] asks as well.
pub const READY: &str = "ready";

/// Asks `$3` of the port `$2` of `$1` for the host `$4`, and says [`READY`] when the status matches `$5`, or what else came
/// back. The request's end stays open until the answer is there: many a server takes a half-closed connection for a client
/// that left.
const ASK: &str = r#"trap '' PIPE
to=/tmp/request-$$
mkfifo "$to"
timeout 5 nc "$1" "$2" <"$to" 2>&1 | sed -nE '1{s/\r$//;s/^HTTP[^ ]* ('"$5"')( .*)?$/ready/;p;q}' &
exec 3>"$to"
rm "$to"
printf 'GET %s HTTP/1.1\r\nHost: %s\r\nX-Forwarded-Proto: https\r\nConnection: close\r\n\r\n' "$3" "$4" >&3
wait"#;

/// Asks for the host `$3` through the proxy whether a connection to the port `$2` of `$1` comes about, and says [`READY`] or
/// what went wrong. Any answer on the connection is good, a late one too. An error of Caddy's begins with `dial` when there
/// was none.
const CONNECT: &str = r#"a=$(wget -q -O - --header "X-To: $1:$2" --header "X-Host: $3" http://127.0.0.1:2021/ 2>&1); case "$? $a" in [!0]* | "0 dial"*) echo "nothing listens on port $2: $a" ;; *) echo ready ;; esac"#;

/// The time between two connections of a check by port.
const CONNECTION_INTERVAL: Duration = Duration::from_secs(1);

/// The good answer of a proxy that is asked for requests.
const IDLE: &str = "idle";

const STATUS: &str =
    "{{.State.Status}} {{if .State.Health}}{{.State.Health.Status}}{{else}}none{{end}} {{.RestartCount}}";
/// Whether a container ended, and how: that it did is good or fatal.
const OUTCOME: &str = "{{if ne .State.Status \"exited\"}}{{.State.Status}}{{else if .State.ExitCode}}failed {{.State.ExitCode}}{{else}}done{{end}}";
/// The same, where it is good that it runs.
const OUTCOME_SO_FAR: &str = "{{if eq .State.Status \"running\"}}good{{else if ne .State.Status \"exited\"}}{{.State.Status}}{{else if .State.ExitCode}}failed {{.State.ExitCode}}{{else}}good{{end}}";
const ENDED: &[&str] = &["exited *", "dead *", "restarting *"];
const ENDED_OR_SICK: &[&str] = &["exited *", "dead *", "restarting *", "* unhealthy *"];
const FAILED: &[&str] = &["failed *", "dead"];

/// The one question of a check for the container `name`.
fn question(check: &HttpCheck, name: &Container) -> Command {
    let HttpCheck { port, path, host, status, prober, .. } = check;
    let ask = |to: &str| {
        ["-c", ASK, "ask", to, &port.to_string(), path, host, &status.pattern()].map(str::to_owned)
    };
    match prober {
        // the proxy itself tells only those below 400 from the others
        Prober::Proxy if *status != Statuses::default() => {
            let mut command = Command::new(["exec", PROXY, "sh"]);
            command.extend(ask(name.as_str()));
            command
        }
        Prober::Proxy => Command::new([
            "exec",
            PROXY,
            "wget",
            "-q",
            "-O",
            "-",
            "--header",
            &format!("X-To: {name}:{port}"),
            "--header",
            &format!("X-Host: {host}"),
            &format!("http://127.0.0.1:2020{path}"),
        ]),
        Prober::Beside(image) => {
            let beside = format!("container:{name}");
            let mut command = Command::new(["run", "--rm", "--pull", "never", "--network", &beside]);
            command.without_proxies();
            command.extend(["--entrypoint", "sh", image.as_str()]);
            command.extend(ask("127.0.0.1"));
            command
        }
    }
}

/// The one connection of a check for the container `name`.
fn connection(check: &PortCheck, name: &Container) -> Command {
    let port = check.port.to_string();
    Command::new(["exec", PROXY, "sh", "-c", CONNECT, "connect", name.as_str(), &port, &check.host])
}

impl Await {
    /// The container that is waited for; the first of several.
    pub fn container(&self) -> &Container {
        match self {
            Self::Healthy { name, .. }
            | Self::Answers { name, .. }
            | Self::Listens { name, .. }
            | Self::StaysUp { name, .. }
            | Self::Ends { name, .. }
            | Self::GoesWell { name, .. } => name,
            Self::Drain { names, .. } => names.first().expect("a container drains"),
        }
    }

    /// The time after which it has failed, where it is not a time that passes anyway.
    pub fn limit(&self) -> Option<Duration> {
        match self {
            Self::Healthy { timeout, .. }
            | Self::Answers { timeout, .. }
            | Self::Listens { timeout, .. }
            | Self::Ends { timeout, .. } => Some(*timeout),
            Self::StaysUp { .. } | Self::GoesWell { .. } | Self::Drain { .. } => None,
        }
    }

    /// How it is asked.
    pub fn probe(&self) -> Probe {
        let name = self.container();
        let inspect = |format| Command::new(["container", "inspect", "--format", format, name.as_str()]);
        match self {
            Self::Healthy { timeout, .. } => {
                Probe { fatal: ENDED_OR_SICK, ..Probe::until("running healthy *", inspect(STATUS), *timeout) }
            }
            Self::Answers { check, timeout, .. } => Probe {
                then: Some(question(check, name)),
                fatal: ENDED,
                every: check.every,
                patience: check.patience,
                ..Probe::until("running *", inspect(STATUS), *timeout)
            },
            Self::Listens { check, timeout, .. } => Probe {
                then: Some(connection(check, name)),
                fatal: ENDED,
                every: CONNECTION_INTERVAL,
                ..Probe::until("running *", inspect(STATUS), *timeout)
            },
            Self::StaysUp { time, .. } => {
                Probe { fatal: ENDED_OR_SICK, ..Probe::throughout("running * 0", inspect(STATUS), *time) }
            }
            Self::GoesWell { time, .. } => {
                Probe { fatal: FAILED, ..Probe::throughout("good", inspect(OUTCOME_SO_FAR), *time) }
            }
            Self::Ends { timeout, .. } => {
                Probe { fatal: FAILED, ..Probe::until("done", inspect(OUTCOME), *timeout) }
            }
            // it is no matter what becomes of the containers: the requests are, or the time is
            Self::Drain { time, upstreams, .. } if upstreams.is_empty() => {
                Probe { first: *time, lapses: true, ..Probe::until("*", inspect(STATUS), *time) }
            }
            Self::Drain { time, upstreams, .. } => Probe {
                first: (*time).min(proxy::LAG),
                lapses: true,
                ..Probe::until(IDLE, proxy::is_idle(upstreams), *time)
            },
        }
    }
}

impl Probe {
    /// Asks until the answer is `ready`; after `timeout` the wait has failed.
    fn until(ready: &'static str, command: Command, timeout: Duration) -> Self {
        Self {
            command,
            ready,
            then: None,
            fatal: &[],
            first: Duration::ZERO,
            hold: Duration::ZERO,
            every: Duration::from_millis(500),
            timeout,
            patience: None,
            lapses: false,
        }
    }

    /// Asks whether the answer is `ready` for the whole of `time`.
    fn throughout(ready: &'static str, command: Command, time: Duration) -> Self {
        let every = Duration::from_secs(1);
        // time enough for docker to bring up a container that was only just made
        let timeout = time + Duration::from_secs(10);
        Self { first: time.min(every), hold: time, every, ..Self::until(ready, command, timeout) }
    }
}

/// A check whose good answer is empty: the VOLUMEs that an image declares beside those that are known.
pub(super) fn unknown_volumes(image: &Image, known: &[String]) -> Probe {
    // docker mounts `VOLUME /data/` at /data
    let known = known.iter().flat_map(|path| [path.clone(), format!("{path}/")]);
    let known: String = known.map(|path| format!(" {}", serde_json::Value::from(path))).collect();
    let is_known = format!("eq $path \"\"{known}");
    let template = format!(
        "{{{{range $path, $_ := .Config.Volumes}}}}{{{{if not ({is_known})}}}}{{{{println $path}}}}{{{{end}}}}{{{{end}}}}"
    );
    let command = Command::new(["image", "inspect", "--format", &template, image.as_str()]);
    Probe { every: Duration::ZERO, ..Probe::until("", command, Duration::ZERO) }
}

impl fmt::Display for Await {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Healthy { name, .. } => write!(f, "wait until {name} is healthy"),
            Self::Answers { name, check, .. } => {
                write!(f, "wait until {name} answers {}", check.path)?;
                if check.status == Statuses::default() { Ok(()) } else { write!(f, " with {}", check.status) }
            }
            Self::Listens { name, check, .. } => {
                write!(f, "wait until {name} listens on port {}", check.port)
            }
            Self::StaysUp { name, time } => {
                write!(f, "see that {name} stays up for {}", humantime::format_duration(*time))
            }
            Self::Ends { name, .. } => write!(f, "wait until {name} ends well"),
            Self::GoesWell { name, time } => {
                write!(f, "see that {name} ends well or stays up for {}", humantime::format_duration(*time))
            }
            Self::Drain { names, time, upstreams } => {
                let their = if names.len() == 1 { "its" } else { "their" };
                let names = names.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
                let how_long = if upstreams.is_empty() { "for" } else { "for at most" };
                write!(f, "let {names} end {their} work {how_long} {}", humantime::format_duration(*time))
            }
        }
    }
}

/// Whether `text` matches a shell pattern whose only special sign is `*`.
pub(crate) fn matches(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((before, after)) => text.strip_prefix(before).is_some_and(|rest| {
            (0..=rest.len()).filter(|i| rest.is_char_boundary(*i)).any(|i| matches(after, &rest[i..]))
        }),
    }
}

impl Probe {
    /// Whether `answer` is good.
    pub fn is_ready(&self, answer: &str) -> bool {
        matches(self.ready, answer.trim_end())
    }

    /// How many good answers on end it takes when each comes [`Self::every`] after the one before or the beginning.
    pub fn answers(&self) -> u64 {
        let answers = self.hold.as_nanos().div_ceil(self.every.as_nanos().max(1));
        u64::try_from(answers.max(1)).unwrap_or(u64::MAX)
    }

    /// Whether waiting is useless after `answer`.
    pub fn is_fatal(&self, answer: &str) -> bool {
        self.fatal.iter().any(|pattern| matches(pattern, answer.trim_end()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::docker::CLIENT_PROXIES;
    use std::path::Path;

    #[test]
    fn a_star_stands_for_anything() {
        for (pattern, text, fits) in [
            ("running * 0", "running none 0", true),
            ("running * 0", "running none 10", false),
            ("* unhealthy *", "running unhealthy 0", true),
            ("exited *", "exited none 0", true),
            ("a", "ab", false),
            ("*", "", true),
        ] {
            assert_eq!(matches(pattern, text), fits, "{pattern} on {text}");
        }
    }

    #[test]
    fn who_asks_has_none_of_the_client_s_proxies() {
        let check = HttpCheck {
            port: 80,
            path: "/".to_owned(),
            host: "a.test".to_owned(),
            prober: Prober::Beside(Image::parse("caddy:2").expect("an image")),
            every: Duration::from_secs(1),
            status: Statuses::default(),
            patience: None,
        };
        let words = question(&check, &Container::parse("web").expect("a name")).argv(Path::new("/"));
        for name in CLIENT_PROXIES {
            let at = words.iter().position(|word| *word == format!("{name}=")).expect(name);
            assert_eq!(words[at - 1], "--env");
        }
    }

    #[test]
    fn good_answers_on_end_cover_the_time_for_which_an_answer_has_to_stay_good() {
        let name = Container::parse("shop-web").expect("a name");
        let stays_up = |millis| Await::StaysUp { name: name.clone(), time: Duration::from_millis(millis) };
        let (names, time) = (vec![name.clone()], Duration::from_secs(5));
        let drain = Await::Drain { names, time, upstreams: Vec::new() };
        let healthy = Await::Healthy { name: name.clone(), timeout: Duration::from_secs(5) };
        let waits = [stays_up(1000), stays_up(1500), stays_up(3000), drain, healthy];
        assert_eq!(waits.map(|wait| wait.probe().answers()), [1, 2, 3, 1, 1]);
    }

    #[test]
    fn a_container_that_restarts_does_not_stay_up() {
        let name = Container::parse("shop-web").expect("a name");
        let probe = Await::StaysUp { name, time: Duration::from_secs(1) }.probe();
        assert!(probe.is_ready("running none 0\n"));
        assert!(!probe.is_ready("running none 1\n"));
        assert!(probe.is_fatal("restarting none 1\n"));
    }
}
