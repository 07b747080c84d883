//! The settings of a container that docker takes as they are: one table from the key of a config to docker's flag. What reads,
//! compares, explains or documents a setting looks it up here, so that one more setting is one more row.

mod check;
mod limit;
mod option;

pub use limit::Limits;
pub use limit::OtherLimit;

use super::ValueError;
use std::collections::BTreeMap;
use std::time::Duration;

/// One setting.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// Its key in a config. It also names its part of a spec.
    pub key: &'static str,
    /// The flag of `docker run`.
    pub flag: &'static str,
    /// How it is written.
    pub form: Form,
    /// A value, as TOML has it.
    pub example: &'static str,
    /// What it does, for the reference.
    pub meaning: &'static str,
}

/// How a setting is written. Each word that is written goes through a [`Check`].
#[derive(Clone, Copy, Debug)]
pub enum Form {
    /// `true` or `false`.
    Switch,
    /// One word.
    Text(Check),
    /// A word or a list of words, in no order.
    List(Check),
    /// A table, or a list of words, in no order. Between a key and its value stands this character.
    Map(char, Check),
    /// A log driver; or a table of `driver` and its options.
    Log(Check),
    /// A list of flags, in order. Each is a word of its own.
    Flags(Check),
}

/// From a word of a config to docker's word.
pub type Check = fn(&str) -> Result<String, ValueError>;

/// All settings.
pub const SETTINGS: [Setting; 22] = [
    row(
        "cap_add",
        "--cap-add",
        Form::List(check::capability),
        "[\"NET_ADMIN\"]",
        "capabilities beyond docker's default ones",
    ),
    row(
        "cap_drop",
        "--cap-drop",
        Form::List(check::capability),
        "[\"ALL\"]",
        "capabilities that it goes without",
    ),
    row("cpus", "--cpus", Form::Text(check::cpus), "1.5", "how many processors it may use"),
    row(
        "devices",
        "--device",
        Form::List(check::device),
        "[\"/dev/ttyUSB0:/dev/modem:rw\"]",
        "devices of the host",
    ),
    row(
        "extra_hosts",
        "--add-host",
        Form::Map(':', check::extra_host),
        "{ \"printer.lan\" = \"192.168.1.9\", host = \"host-gateway\" }",
        "names with their addresses, for `/etc/hosts`",
    ),
    row("gpus", "--gpus", Form::Text(check::gpus), "\"all\"", "GPUs of the host"),
    row(
        "init",
        "--init",
        Form::Switch,
        "true",
        "a small init as the first process, which forwards signals and reaps zombies",
    ),
    row(
        "labels",
        "--label",
        Form::Map('=', check::label),
        "{ team = \"shop\" }",
        "labels for other tools; `gordon…` is gordon's own",
    ),
    row(
        "log",
        "--log-driver",
        Form::Log(check::log),
        "{ driver = \"json-file\", max-size = \"50m\" }",
        "a log driver, such as `\"journald\"` or `\"none\"`, with its options",
    ),
    row("memory", "--memory", Form::Text(check::memory), "\"512m\"", "how much memory it may use"),
    row(
        "options",
        "",
        Form::Flags(option::check),
        "[\"--pids-limit=200\", \"--privileged\"]",
        "other flags of `docker run`, each in one word",
    ),
    row(
        "platform",
        "--platform",
        Form::Text(check::platform),
        "\"linux/amd64\"",
        "the platform of its image, which is pulled for it",
    ),
    row(
        "read_only",
        "--read-only",
        Form::Switch,
        "true",
        "its file system is read-only, but for volumes and `tmpfs`",
    ),
    row(
        "security_opt",
        "--security-opt",
        Form::List(check::security_opt),
        "[\"no-new-privileges\"]",
        "security options",
    ),
    row(
        "shm_size",
        "--shm-size",
        Form::Text(check::size),
        "\"256m\"",
        "the size of `/dev/shm`; docker's default is 64m",
    ),
    row(
        "stop_signal",
        "--stop-signal",
        Form::Text(check::signal),
        "\"SIGQUIT\"",
        "the signal that asks it to end",
    ),
    row(
        "stop_timeout",
        "--stop-timeout",
        Form::Text(check::seconds),
        "\"2m\"",
        "the time that it has to end; default: `[deploy] stop_timeout`",
    ),
    row(
        "sysctls",
        "--sysctl",
        Form::Map('=', check::sysctl),
        "{ \"net.core.somaxconn\" = 1024 }",
        "parameters of the kernel that are its own",
    ),
    row("tmpfs", "--tmpfs", Form::List(check::tmpfs), "[\"/tmp:size=64m\"]", "folders in memory"),
    row(
        "ulimits",
        "--ulimit",
        Form::Map('=', check::ulimit),
        "{ nofile = \"1024:65536\" }",
        "limits, soft and hard",
    ),
    row("user", "--user", Form::Text(check::user), "\"1000:1000\"", "whom its program runs as"),
    row(
        "working_dir",
        "--workdir",
        Form::Text(check::working_dir),
        "\"/srv\"",
        "the folder that its program starts in",
    ),
];

const fn row(
    key: &'static str,
    flag: &'static str,
    form: Form,
    example: &'static str,
    meaning: &'static str,
) -> Setting {
    Setting { key, flag, form, example, meaning }
}

/// The options of the log drivers that limit what docker keeps of what a container writes.
const LOG_LIMITS: [&str; 2] = ["max-file=3", "max-size=10m"];

/// The log drivers that have these options.
pub const LIMITED_LOG_DRIVERS: [&str; 2] = ["json-file", "local"];

/// The flag of an option of a log driver.
const LOG_OPTION: &str = "--log-opt";

impl Setting {
    /// The setting of this key.
    pub fn find(key: &str) -> Option<&'static Self> {
        SETTINGS.iter().find(|setting| setting.key == key)
    }

    /// The setting that has this flag of docker's.
    fn of_flag(flag: &str) -> Option<&'static Self> {
        let is_log = flag == LOG_OPTION;
        SETTINGS
            .iter()
            .find(|setting| setting.flag == flag || (is_log && matches!(setting.form, Form::Log(_))))
    }

    /// Docker's flags for these values.
    fn flags<'a>(&self, values: &'a [String]) -> Vec<&'a str> {
        match self.form {
            Form::Switch => values.iter().map(|_| self.flag).collect(),
            Form::Text(_) | Form::List(_) | Form::Map(..) => {
                values.iter().flat_map(|value| [self.flag, value]).collect()
            }
            Form::Log(_) => {
                let flag = |value: &str| if value.contains('=') { LOG_OPTION } else { self.flag };
                values.iter().flat_map(|value| [flag(value), value]).collect()
            }
            Form::Flags(_) => values.iter().map(String::as_str).collect(),
        }
    }

    /// What these values say, for people; none is docker's default.
    pub fn describe(&self, values: &[String]) -> String {
        match (self.form, values) {
            (Form::Switch, []) => "off".to_owned(),
            (Form::Switch, _) => "on".to_owned(),
            (_, []) => "no longer set".to_owned(),
            (_, values) => values.join(", "),
        }
    }
}

/// Settings, by their keys. One without values says that the setting is docker's default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings(BTreeMap<&'static str, Vec<String>>);

impl Settings {
    /// The settings of a container of which the config says nothing: limited logs, and the time that it has to end by itself.
    pub fn usual(stop_timeout: Duration) -> Self {
        Self(BTreeMap::from([
            ("log", LOG_LIMITS.map(str::to_owned).into()),
            ("stop_timeout", vec![stop_timeout.as_secs().to_string()]),
        ]))
    }

    /// Whether they limit the logs of a container as gordon does by itself.
    pub fn limit_logs(&self) -> bool {
        self.get("log") == LOG_LIMITS
    }

    /// The same for an engine with this log driver: without limits of logs that it does not have.
    #[must_use]
    pub fn for_log_driver(mut self, driver: &str) -> Self {
        if self.limit_logs() && !LIMITED_LOG_DRIVERS.contains(&driver) {
            self.0.remove("log");
        }
        self
    }

    /// The time that a container has to end by itself, where it is set.
    pub fn stop_timeout(&self) -> Option<Duration> {
        self.get("stop_timeout").first()?.parse().ok().map(Duration::from_secs)
    }

    /// Whether the setting of this key is set, if only to docker's default.
    pub fn has(&self, key: &str) -> bool {
        self.0.contains_key(key)
    }

    /// Gives a setting its values, in place of those that it has. The order of words in a list has no meaning.
    pub fn set(&mut self, setting: &'static Setting, mut values: Vec<String>) {
        if matches!(setting.form, Form::List(_) | Form::Map(..)) {
            values.sort();
            values.dedup();
        }
        self.0.insert(setting.key, values);
    }

    /// The values of the setting of this key; none when it is docker's default.
    pub fn get(&self, key: &str) -> &[String] {
        self.0.get(key).map_or(&[], Vec::as_slice)
    }

    /// These, and of `defaults` those that are not among them.
    #[must_use]
    pub fn over(&self, defaults: &Self) -> Self {
        let mut all = defaults.clone();
        all.0.extend(self.0.clone());
        all
    }

    /// The parts of a spec.
    pub fn parts(&self) -> impl Iterator<Item = (&'static str, Vec<&str>)> {
        self.0.iter().map(|(key, values)| (*key, values.iter().map(String::as_str).collect()))
    }

    /// Docker's flags.
    pub fn flags(&self) -> impl Iterator<Item = &str> {
        let found = self.0.iter().filter_map(|(key, values)| Some((Setting::find(key)?, values)));
        found.flat_map(|(setting, values)| setting.flags(values))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_flags_are_each_there_once() {
        let keys: Vec<&str> = SETTINGS.iter().map(|setting| setting.key).collect();
        assert!(keys.is_sorted() && keys.windows(2).all(|pair| pair[0] != pair[1]), "{keys:?}");
        for setting in &SETTINGS {
            assert_eq!(
                SETTINGS.iter().filter(|other| other.flag == setting.flag).count(),
                1,
                "{}",
                setting.key
            );
        }
    }

    #[test]
    fn each_form_has_its_own_flags() {
        let mut settings = Settings::default();
        let mut set = |key, values: &[&str]| {
            settings.set(
                Setting::find(key).expect("a setting"),
                values.iter().map(|v| (*v).to_owned()).collect(),
            );
        };
        set("init", &["true"]);
        set("read_only", &[]);
        set("shm_size", &["64m"]);
        set("cap_add", &["SYS_TIME", "NET_ADMIN", "SYS_TIME"]);
        set("log", &["json-file", "max-size=1m"]);
        set("options", &["--pid=host", "--ipc=host"]);
        let flags: Vec<&str> = settings.flags().collect();
        assert_eq!(
            flags.join(" "),
            "--cap-add NET_ADMIN --cap-add SYS_TIME --init --log-driver json-file --log-opt max-size=1m \
             --pid=host --ipc=host --shm-size 64m"
        );
    }

    #[test]
    fn a_setting_of_its_own_takes_the_place_of_a_default() {
        let mut defaults = Settings::default();
        let init = Setting::find("init").expect("a setting");
        defaults.set(init, vec!["true".to_owned()]);
        defaults.set(Setting::find("user").expect("a setting"), vec!["app".to_owned()]);
        let mut own = Settings::default();
        assert_eq!(own.over(&defaults), defaults);
        own.set(init, Vec::new());
        assert_eq!(own.over(&defaults).flags().collect::<Vec<_>>(), ["--user", "app"]);
    }
}
