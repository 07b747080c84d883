//! From a word of a config to the word that docker takes. Does not know where the word stands.

use crate::name::mount_path;
use crate::name::visible;
use crate::spec::ValueError;
use std::net::IpAddr;
use std::time::Duration;

type Checked = Result<String, ValueError>;

fn wrong(text: &str, what: &str, hint: &str) -> ValueError {
    ValueError::new(format!("`{}` is not {what}", visible(text)), hint)
}

fn when(is_right: bool, text: &str, what: &str, hint: &str) -> Checked {
    if is_right { Ok(text.to_owned()) } else { Err(wrong(text, what, hint)) }
}

/// Letters, digits, and what else stands in names; at least one character.
fn is_word(text: &str, beside: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || beside.contains(c))
}

fn is_plain(text: &str) -> bool {
    !text.is_empty() && !text.chars().any(char::is_control)
}

/// Whom a program runs as: `user[:group]`, names or numbers.
pub(super) fn user(text: &str) -> Checked {
    let is_name = |s: &str| !s.is_empty() && s.chars().all(|c| !c.is_control() && !c.is_whitespace());
    let is_user = text.split(':').count() <= 2 && text.split(':').all(is_name);
    when(is_user, text, "a user", "write `name`, `1000` or `1000:1000`")
}

/// An amount of memory; less than 6 MiB docker does not take.
pub(super) fn memory(text: &str) -> Checked {
    const LEAST: f64 = 6.0 * 1024.0 * 1024.0;
    match bytes(text) {
        Some(bytes) if bytes < LEAST => Err(ValueError::new(
            format!("`{text}` is less memory than docker gives a container"),
            "docker's least is `6m`; `512m` are 512 MiB",
        )),
        _ => size_of(text, "an amount of memory", "as in `512m` or `2g`"),
    }
}

/// A size, as docker writes it.
pub(super) fn size(text: &str) -> Checked {
    size_of(text, "a size", "as in `64m` or `1g`")
}

fn size_of(text: &str, what: &str, hint: &str) -> Checked {
    const MOST: f64 = 9_223_372_036_854_775_807.0;
    match bytes(text) {
        Some(bytes) if bytes >= MOST => {
            Err(ValueError::new(format!("`{text}` is more memory than docker can count"), hint))
        }
        bytes => when(bytes.is_some_and(|bytes| bytes > 0.0), text, what, hint),
    }
}

/// The bytes in `512m`.
pub(super) fn bytes(text: &str) -> Option<f64> {
    let lower = text.to_ascii_lowercase();
    let number = lower.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let power = match &lower[number.len()..] {
        "" | "b" => 0,
        "k" | "kb" | "kib" => 1,
        "m" | "mb" | "mib" => 2,
        "g" | "gb" | "gib" => 3,
        "t" | "tb" | "tib" => 4,
        _ => return None,
    };
    decimal(number).map(|number| number * 1024_f64.powi(power))
}

/// A number of processors.
pub(super) fn cpus(text: &str) -> Checked {
    const LEAST: f64 = 0.01;
    // Linux knows no more
    const MOST: f64 = 8192.0;
    let decimals = text.split_once('.').map_or(0, |(_, decimals)| decimals.len());
    match decimal(text) {
        Some(number) if number > MOST => Err(ValueError::new(
            format!("`{text}` are more processors than any host has"),
            "write at most as many as the host has: docker refuses more",
        )),
        Some(_) if decimals > 9 => Err(ValueError::new(
            format!("`{text}` is more exact than docker is"),
            "write at most nine digits after the dot",
        )),
        number => when(
            number.is_some_and(|number| number >= LEAST),
            text,
            "a number of processors",
            "as in `0.5` or `2`; at least `0.01`",
        ),
    }
}

/// Digits, and a dot between some of them at most.
fn decimal(text: &str) -> Option<f64> {
    let is_digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    (is_digits(whole) && is_digits(part)).then(|| text.parse().ok()).flatten()
}

/// A capability of Linux.
pub(super) fn capability(text: &str) -> Checked {
    let name = text.to_ascii_uppercase();
    let is_name = is_word(&name, "_") && !name.starts_with('_') && !name.ends_with('_');
    when(is_name, &name, "a capability", "as in `NET_ADMIN`, or `ALL`; `man capabilities` lists them")
}

/// A device: `host[:container][:rwm]`, or one by its CDI name, `vendor.com/class=name`.
pub(super) fn device(text: &str) -> Checked {
    let is_path = |path: &str| path.starts_with('/') && is_plain(path);
    let is_access = |access: &str| !access.is_empty() && access.chars().all(|c| "rwm".contains(c));
    let is_device = match text.split(':').collect::<Vec<_>>().as_slice() {
        [host] => is_path(host) || (host.contains('/') && host.contains('=') && is_word(host, "./=_-")),
        [host, second] => is_path(host) && (is_path(second) || is_access(second)),
        [host, container, access] => is_path(host) && is_path(container) && is_access(access),
        _ => false,
    };
    when(is_device, text, "a device", "as in `/dev/ttyUSB0`, or `/dev/sda:/dev/disk:rwm`")
}

/// A name and its address, `host:ip`.
pub(super) fn extra_host(text: &str) -> Checked {
    let Some((host, address)) = text.split_once(':').filter(|(host, _)| is_word(host, ".-_")) else {
        return Err(wrong(text, "a host with its address", "as in `printer.lan:192.168.1.9`"));
    };
    let ip = address.strip_prefix('[').and_then(|ip| ip.strip_suffix(']')).unwrap_or(address);
    if address == "host-gateway" || ip.parse::<IpAddr>().is_ok() {
        return Ok(format!("{host}:{ip}"));
    }
    Err(wrong(address, "an IP address", "as in `192.168.1.9`; `host-gateway` is the host itself"))
}

/// GPUs: `all`, how many, or which.
pub(super) fn gpus(text: &str) -> Checked {
    let is_gpus =
        text == "all" || text.parse::<u16>().is_ok_and(|n| n > 0) || (text.contains('=') && is_plain(text));
    when(is_gpus, text, "a choice of GPUs", "as in `all`, `2` or `device=0`")
}

/// A label, `key=value`; one without a value has an empty one.
pub(super) fn label(text: &str) -> Checked {
    let (key, value) = text.split_once('=').unwrap_or((text, ""));
    if key.is_empty() || key.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Err(wrong(text, "a label", "as in `team=shop`"));
    }
    if key == "gordon" || key.starts_with("gordon.") {
        let message = format!("label `{}` is gordon's own memory of what it made", visible(key));
        return Err(ValueError::new(message, "choose another name"));
    }
    Ok(format!("{key}={value}"))
}

/// A log driver, or an option of it as `key=value`.
pub(super) fn log(text: &str) -> Checked {
    match text.split_once('=') {
        None => {
            when(is_word(text, "/:.-_@"), text, "a log driver", "as in `json-file`, `journald` or `none`")
        }
        Some((key @ ("max_size" | "max_file"), _)) => {
            let hint = format!("write `{}`", key.replace('_', "-"));
            Err(wrong(key, "an option of docker's log drivers", &hint))
        }
        Some((key, _)) => when(is_plain(key), text, "an option of a log driver", "as in `max-size`"),
    }
}

/// A platform, `os[/architecture[/variant]]`.
pub(super) fn platform(text: &str) -> Checked {
    let is_platform = text.split('/').count() <= 3 && text.split('/').all(|part| is_word(part, "._-"));
    when(is_platform, text, "a platform", "as in `linux/arm64` or `linux/arm/v7`")
}

/// A security option.
pub(super) fn security_opt(text: &str) -> Checked {
    const KNOWN: [&str; 7] = [
        "apparmor",
        "credentialspec",
        "label",
        "no-new-privileges",
        "seccomp",
        "systempaths",
        "writable-cgroups",
    ];
    let (key, value) = text.split_once(['=', ':']).map_or((text, None), |(key, value)| (key, Some(value)));
    let is_whole = value.map_or(key == "no-new-privileges", is_plain);
    let hint = "as in `no-new-privileges`, `seccomp=profile.json`, `apparmor=NAME` or `label=disable`";
    when(KNOWN.contains(&key) && is_whole, text, "a security option", hint)
}

/// A signal, by name or number.
pub(super) fn signal(text: &str) -> Checked {
    const NAMES: [&str; 35] = [
        "ABRT", "ALRM", "BUS", "CHLD", "CLD", "CONT", "FPE", "HUP", "ILL", "INT", "IO", "IOT", "KILL",
        "PIPE", "POLL", "PROF", "PWR", "QUIT", "SEGV", "STKFLT", "STOP", "SYS", "TERM", "TRAP", "TSTP",
        "TTIN", "TTOU", "URG", "USR1", "USR2", "VTALRM", "WINCH", "XCPU", "XFSZ", "UNUSED",
    ];
    let upper = text.to_ascii_uppercase();
    let name = upper.strip_prefix("SIG").unwrap_or(&upper);
    let is_number = text.parse::<u8>().is_ok_and(|number| (1..=64).contains(&number));
    let is_signal = is_number || NAMES.contains(&name) || name.starts_with("RTM");
    when(is_signal, text, "a signal", "as in `SIGTERM`, `SIGQUIT` or `SIGINT`")
}

/// A time in whole seconds, up to a day.
pub(super) fn seconds(text: &str) -> Checked {
    const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);
    match humantime::parse_duration(text) {
        Ok(time) if time <= LONGEST && time.subsec_nanos() == 0 => Ok(time.as_secs().to_string()),
        _ => Err(wrong(text, "a time in whole seconds, of a day at most", "as in `30s` or `2m`")),
    }
}

/// A parameter of the kernel, `key=value`: one that belongs to a namespace of the container's.
pub(super) fn sysctl(text: &str) -> Checked {
    const KERNEL: [&str; 8] =
        ["msgmax", "msgmnb", "msgmni", "sem", "shmall", "shmmax", "shmmni", "shm_rmid_forced"];
    let Some((key, _)) = text.split_once('=').filter(|(key, value)| is_word(key, "._-/") && is_plain(value))
    else {
        return Err(wrong(
            text,
            "a parameter of the kernel with its value",
            "as in `net.core.somaxconn=1024`",
        ));
    };
    let is_own = key.starts_with("net.")
        || key.starts_with("fs.mqueue.")
        || key.strip_prefix("kernel.").is_some_and(|rest| KERNEL.contains(&rest));
    let what = "a parameter that a container has for itself";
    when(
        is_own,
        key,
        what,
        "docker sets those of `net.`, `fs.mqueue.` and of System V IPC; others are the host's",
    )?;
    Ok(text.to_owned())
}

/// A folder in memory, `path[:options]`.
pub(super) fn tmpfs(text: &str) -> Checked {
    let (path, options) = text.split_once(':').map_or((text, None), |(path, options)| (path, Some(options)));
    let path = mount_path(path).map_err(|error| {
        ValueError::new(format!("`{}`: the container's path {error}", visible(text)), error.hint())
    })?;
    match options {
        None => Ok(path),
        Some(options) if options.split(',').all(|option| is_word(option, "=.-_:%")) => {
            Ok(format!("{path}:{options}"))
        }
        Some(_) => Err(wrong(text, "a folder with mount options", "as in `/tmp:size=64m,mode=1777`")),
    }
}

/// A limit, `name=soft[:hard]`; -1 is none.
pub(super) fn ulimit(text: &str) -> Checked {
    const NAMES: [&str; 15] = [
        "core",
        "cpu",
        "data",
        "fsize",
        "locks",
        "memlock",
        "msgqueue",
        "nice",
        "nofile",
        "nproc",
        "rss",
        "rtprio",
        "rttime",
        "sigpending",
        "stack",
    ];
    let Some((name, value)) = text.split_once('=') else {
        return Err(wrong(text, "a limit with its value", "as in `nofile=65536`"));
    };
    if !NAMES.contains(&name) {
        return Err(wrong(name, "a limit that docker knows", "as in `nofile`, `nproc`, `memlock` or `core`"));
    }
    let number = |text: &str| text.parse::<i64>().ok().filter(|number| *number >= -1);
    let (soft, hard) = value.split_once(':').unwrap_or((value, value));
    let is_limit = match (number(soft), number(hard)) {
        (_, None) | (None, _) => false,
        (Some(soft), Some(hard)) => hard == -1 || (soft != -1 && soft <= hard),
    };
    when(
        is_limit,
        value,
        "a limit",
        "a number, or a lower and a higher one, as in `1024:65536`; `-1` is no limit",
    )?;
    Ok(text.to_owned())
}

/// An absolute path.
pub(super) fn working_dir(text: &str) -> Checked {
    when(text.starts_with('/') && is_plain(text), text, "an absolute path", "as in `/srv/app`")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::Setting;
    use crate::spec::setting::Form;

    /// For each setting: words that are taken, then words that are not.
    const WORDS: [(&str, &[&str], &[&str]); 20] = [
        ("cap_add", &["NET_ADMIN", "ALL", "CAP_SYS_TIME"], &["", "NET ADMIN", "NET-ADMIN", "_A"]),
        (
            "cpus",
            &["1", "0.5", "0.01", "16", "8192", "0.123456789"],
            &["", "0", "0.001", "-1", "1e1", "inf", ".5", "two", "99999999", "1.0000000001"],
        ),
        (
            "devices",
            &["/dev/sda", "/dev/sda:/dev/b", "/dev/sda:r", "/dev/sda:/dev/b:rwm", "nvidia.com/gpu=all"],
            &["", "sda", "/dev/sda:b", "/dev/sda:/b:x", "/a:/b:r:w"],
        ),
        (
            "extra_hosts",
            &["a.lan:1.2.3.4", "a:host-gateway", "a:::1", "a_b:fd00::1"],
            &["", "a", "a:", "a:b", ":1.2.3.4", "a b:1.2.3.4", "a:1.2.3"],
        ),
        ("gpus", &["all", "2", "device=0", "\"device=0,1\""], &["", "0", "some", "-1"]),
        (
            "labels",
            &["a=b", "a=", "com.example.a=b c=d", "gordonia=1"],
            &["", "=b", "a b=c", "gordon.project=x", "gordon=x"],
        ),
        (
            "log",
            &[
                "json-file",
                "none",
                "loki:latest",
                "grafana/loki-docker-driver:2.9",
                "max-size=10m",
                "tag={{.Name}}",
            ],
            &["", "json file", "=x", "max_size=1m"],
        ),
        (
            "memory",
            &["6m", "512M", "1.5g", "2GiB", "6291456", "8192kb"],
            &["", "m", "1m", "0", "-1g", "1e9", "512 m", "1x", "1.g", "9223372036854775808", "8388608t"],
        ),
        (
            "platform",
            &["linux", "linux/arm64", "linux/arm/v7"],
            &["", "linux/", "linux/arm/v7/x", "linux arm64"],
        ),
        (
            "security_opt",
            &["no-new-privileges", "no-new-privileges:true", "seccomp=unconfined", "label:disable"],
            &["", "seccomp", "apparmor=", "privileged", "x=y"],
        ),
        ("shm_size", &["64m", "1g", "1024"], &["", "0", "-1m", "64 m", "big"]),
        ("stop_signal", &["SIGTERM", "term", "SIGRTMIN+3", "9"], &["", "0", "65", "SIGNOPE", "STOPIT"]),
        ("stop_timeout", &["30s", "2m", "0s", "1h 30m"], &["", "30", "1.5s", "500ms", "2 days", "-1s"]),
        (
            "sysctls",
            &["net.core.somaxconn=1024", "kernel.sem=250 32000 100 128", "fs.mqueue.msg_max=5"],
            &["", "net.core.somaxconn", "net.core.somaxconn=", "vm.swappiness=1", "kernel.panic=1", "=1"],
        ),
        (
            "tmpfs",
            &["/tmp", "/run:size=64m,mode=1777,noexec"],
            &["", "tmp", "/", "/a/../b", "/tmp:", "/tmp:size=64m,,ro", "/tmp:a b"],
        ),
        (
            "ulimits",
            &["nofile=1024", "nofile=1024:65536", "memlock=-1:-1", "core=0", "nproc=5:-1"],
            &["", "nofile", "nofile=", "nofile=2:1", "nofile=-1:5", "nofile=x", "files=1", "nofile=-2"],
        ),
        ("user", &["root", "1000", "1000:1000", "www-data:www"], &["", ":", "a:", "a:b:c", "a b"]),
        ("working_dir", &["/", "/srv/a b"], &["", "srv", "./srv", "/a\nb"]),
        ("cap_drop", &["ALL"], &["-ALL"]),
        ("options", &["--pid=host"], &["pid"]),
    ];

    #[test]
    fn words_are_those_that_docker_takes() {
        for (key, right, wrong) in WORDS {
            let (Form::Text(check)
            | Form::List(check)
            | Form::Map(_, check)
            | Form::Log(check)
            | Form::Flags(check)) = Setting::find(key).expect("a setting").form
            else {
                panic!("{key} has no words");
            };
            for word in right {
                assert!(check(word).is_ok(), "{key}: {:?}", check(word));
            }
            for word in wrong {
                assert!(check(word).is_err_and(|error| !error.hint().is_empty()), "{key}: `{word}`");
            }
        }
    }

    #[test]
    fn each_setting_with_words_has_words_in_this_test() {
        for setting in &crate::spec::SETTINGS {
            let is_tested = WORDS.iter().any(|(key, ..)| *key == setting.key);
            assert!(is_tested || matches!(setting.form, Form::Switch), "{}", setting.key);
        }
    }

    #[test]
    fn docker_is_given_its_own_form_of_a_word() {
        assert_eq!(seconds("2m"), Ok("120".to_owned()));
        assert_eq!(extra_host("a:[::1]"), Ok("a:::1".to_owned()));
        assert_eq!(capability("net_admin"), Ok("NET_ADMIN".to_owned()));
        assert_eq!(tmpfs("/a//b/:ro"), Ok("/a/b:ro".to_owned()));
        assert_eq!(label("a"), Ok("a=".to_owned()));
    }
}
