//! Who holds a lock: a process on a machine, as the labels of the lock say. Does not know what is locked.

use rustix::io::Errno;
use rustix::process::Pid;
use std::collections::BTreeMap;
use std::env;
use std::fmt;
use std::fs;
use std::process;
use std::time::SystemTime;

/// The namespace in which Linux starts its first process; the others come and go with containers.
const FIRST_NAMESPACE: &str = "pid:[4026531836]";

/// The words of the labels, each after `gordon.lock.`.
const WORDS: [&str; 8] = ["user", "host", "since", "process", "started", "namespace", "boot", "machine"];

/// Who holds a lock, as far as its labels say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holder(BTreeMap<&'static str, String>);

impl Holder {
    /// This process, from now on.
    pub(super) fn this_process() -> Self {
        let number = process::id();
        let user = ["USER", "LOGNAME"].into_iter().find_map(|name| env::var(name).ok());
        let read =
            |path: &str| fs::read_to_string(path).map(|text| text.trim().to_owned()).unwrap_or_default();
        let namespace = fs::read_link("/proc/self/ns/pid").map(|link| link.display().to_string());
        let started = match life(number) {
            Life::Since(ticks) => ticks.to_string(),
            Life::Gone | Life::Unknown => String::new(),
        };
        let values = [
            user.unwrap_or_else(|| format!("user {}", rustix::process::getuid().as_raw())),
            rustix::system::uname().nodename().to_string_lossy().into_owned(),
            humantime::format_rfc3339_seconds(SystemTime::now()).to_string(),
            number.to_string(),
            started,
            namespace.unwrap_or_default(),
            read("/proc/sys/kernel/random/boot_id"),
            read("/etc/machine-id"),
        ];
        Self(WORDS.into_iter().zip(values).collect())
    }

    /// The one in the labels of a lock.
    pub(super) fn parse(labels: &BTreeMap<String, String>) -> Self {
        let value = |word| Some((word, labels.get(&format!("gordon.lock.{word}"))?.clone()));
        Self(WORDS.into_iter().filter_map(value).collect())
    }

    /// The labels that say it, as `key=value`.
    pub(super) fn labels(&self) -> impl Iterator<Item = String> {
        self.0.iter().map(|(word, value)| format!("gordon.lock.{word}={value}"))
    }

    /// Whether it is certain, seen from `here`, that it is no more; `life` tells of processes of this machine.
    pub(super) fn is_gone(&self, here: &Self, life: &dyn Fn(u32) -> Life) -> bool {
        let is_same = |word| !self.of(word).is_empty() && self.of(word) == here.of(word);
        if is_same("boot") {
            return is_same("namespace")
                && self.of("process").parse().is_ok_and(|process| match life(process) {
                    Life::Gone => true,
                    Life::Since(ticks) => self.of("started").parse() != Ok(ticks),
                    Life::Unknown => false,
                });
        }
        // the machine was started anew since. Copies of one machine may share its id, hence its name as well
        let is_first =
            |holder: &Self| holder.of("namespace") == FIRST_NAMESPACE && !holder.of("boot").is_empty();
        is_same("machine") && is_same("host") && is_first(self) && is_first(here)
    }

    fn of(&self, word: &str) -> &str {
        self.0.get(word).map_or("", String::as_str)
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("an unknown run");
        }
        write!(
            f,
            "`{}` on `{}`, since {}, process {}",
            self.of("user"),
            self.of("host"),
            self.of("since"),
            self.of("process")
        )
    }
}

/// What is known of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Life {
    /// No process has this number, or the one that has it is a zombie: it has ended, and its parent has not waited for it.
    Gone,
    /// It began at this time, in ticks of the machine's clock.
    Since(u64),
    /// There is one, of which nothing is known.
    Unknown,
}

/// What is known of the process of this number, in the namespace of this process.
pub(super) fn life(number: u32) -> Life {
    let id = i32::try_from(number).ok().and_then(Pid::from_raw);
    if id.is_none_or(|id| rustix::process::test_kill_process(id) == Err(Errno::SRCH)) {
        return Life::Gone;
    }
    let stat = fs::read_to_string(format!("/proc/{number}/stat")).unwrap_or_default();
    parse_stat(&stat).unwrap_or(Life::Unknown)
}

/// What the kernel's line on a process says.
fn parse_stat(stat: &str) -> Option<Life> {
    // the name of the program may hold anything, also `) `; the state is the first word after it
    let words: Vec<&str> = stat.rsplit_once(") ")?.1.split_ascii_whitespace().collect();
    match *words.first()? {
        "Z" | "X" | "x" => Some(Life::Gone),
        _ => Some(Life::Since(words.get(19)?.parse().ok()?)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::process::WaitId;
    use rustix::process::WaitIdOptions;

    fn with(holder: &Holder, changes: &[(&'static str, &str)]) -> Holder {
        let changes = changes.iter().map(|(word, value)| (*word, (*value).to_owned()));
        Holder(holder.0.clone().into_iter().chain(changes).collect())
    }

    #[test]
    fn a_holder_survives_its_labels() {
        let holder = Holder::this_process();
        let labels = holder.labels().map(|label| {
            let (key, value) = label.split_once('=').expect("key=value");
            (key.to_owned(), value.to_owned())
        });
        assert_eq!(Holder::parse(&labels.collect()), holder);
    }

    #[test]
    fn this_process_is_not_gone() {
        let here = Holder::this_process();
        assert!(!here.is_gone(&here, &life));
        assert_ne!(here.of("started"), "");
    }

    #[test]
    fn a_process_that_ended_is_gone_also_when_another_has_its_number() {
        let here = Holder::this_process();
        assert!(with(&here, &[("started", "1")]).is_gone(&here, &life));
        let mut child = process::Command::new("true").spawn().expect("a process");
        let ended = with(&here, &[("process", &child.id().to_string())]);
        child.wait().expect("it ends");
        assert!(ended.is_gone(&here, &|_| Life::Gone));
        assert!(!ended.is_gone(&here, &|_| Life::Unknown));
    }

    #[test]
    fn a_zombie_is_gone() {
        let (reader, writer) = os_pipe::pipe().expect("a pipe");
        let mut child = process::Command::new("cat").stdin(reader).spawn().expect("a process");
        let holder = with(&Holder::this_process(), &[("process", &child.id().to_string())]);
        let Life::Since(ticks) = life(child.id()) else { panic!("it reads") };
        let holder = with(&holder, &[("started", &ticks.to_string())]);
        assert!(!holder.is_gone(&holder, &life));
        drop(writer);
        let id = Pid::from_child(&child);
        rustix::process::waitid(WaitId::Pid(id), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT)
            .expect("it ends");
        assert!(holder.is_gone(&holder, &life), "it is a zombie");
        child.wait().expect("it ended");
    }

    #[test]
    fn a_process_is_known_by_its_state_and_its_beginning_whatever_its_program_is_called() {
        let stat = |name: &str, state: &str| format!("7 ({name}) {state} {}77 0", "0 ".repeat(18));
        for (name, state, life) in [
            ("gordon", "S", Some(Life::Since(77))),
            ("a) Z (b) ", "R", Some(Life::Since(77))),
            ("gordon", "Z", Some(Life::Gone)),
            ("gordon", "X", Some(Life::Gone)),
        ] {
            assert_eq!(parse_stat(&stat(name, state)), life, "{name} {state}");
        }
        assert_eq!(parse_stat(""), None);
    }

    #[test]
    fn of_processes_elsewhere_nothing_is_certain() {
        let here =
            with(&Holder::this_process(), &[("namespace", FIRST_NAMESPACE), ("machine", "m"), ("boot", "b")]);
        let gone = |changes: &[(&'static str, &str)]| with(&here, changes).is_gone(&here, &|_| Life::Gone);
        assert!(!gone(&[("boot", "other"), ("machine", "other")]), "another machine");
        assert!(!gone(&[("boot", "other"), ("machine", "")]), "an unknown machine");
        assert!(!gone(&[("boot", "other"), ("host", "copy")]), "a copy of this machine");
        assert!(!gone(&[("namespace", "pid:[1]")]), "a container on this machine");
        assert!(
            !gone(&[("boot", "other"), ("namespace", "pid:[1]")]),
            "a container on this machine, or on another"
        );
        assert!(!Holder::default().is_gone(&here, &|_| Life::Gone), "the holder is unknown");
        assert!(gone(&[("boot", "other")]), "this machine before it was started anew");
    }

    #[test]
    fn who_holds_a_lock_can_be_read() {
        let known = [("user", "ada"), ("host", "web1"), ("since", "2026-01-02T03:04:05Z"), ("process", "77")];
        let holder = with(&Holder::default(), &known);
        assert_eq!(holder.to_string(), "`ada` on `web1`, since 2026-01-02T03:04:05Z, process 77");
        assert_eq!(Holder::default().to_string(), "an unknown run");
    }
}
