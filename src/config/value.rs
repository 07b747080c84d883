//! Values that docker has a notation of its own for: mounts, published ports, memory. Does not know what they are for.

use crate::name::VolumeName;
use crate::name::mount_path;
use crate::name::visible;
use std::fmt;
use std::net::IpAddr;
use std::ops::RangeInclusive;

/// Why a text is not the value that it should be, and what to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValueError {
    message: String,
    hint: String,
}

impl ValueError {
    pub(super) fn new(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { message: message.into(), hint: hint.into() }
    }

    /// What to write.
    pub fn hint(&self) -> &str {
        &self.hint
    }
}

impl fmt::Display for ValueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ValueError {}

/// A volume or a folder of the host that a container sees.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mount {
    /// What is mounted.
    pub source: MountSource,
    /// Where the container sees it: an absolute path without `..`, and without a `/` at its end.
    pub target: String,
    /// Whether the container may write there.
    pub access: Access,
}

/// What is mounted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum MountSource {
    /// A named volume, as the config calls it.
    Named(VolumeName),
    /// A folder or file of the host, by its absolute path.
    Host(String),
    /// A folder or file inside the config's folder, by its path from there; `.` is the folder itself.
    Folder(String),
}

/// What a container may do with a mount.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Access {
    /// `rw`.
    ReadWrite,
    /// `ro`.
    ReadOnly,
}

/// The path of an env file: absolute, or relative to the config's folder.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct EnvFile(pub(super) String);

/// A port, or as many of them, of the host that lead to a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// The host's address; without one, all.
    pub ip: Option<IpAddr>,
    /// The host's ports; without them, docker picks free ones.
    pub host: Option<RangeInclusive<u16>>,
    /// The container's ports.
    pub container: RangeInclusive<u16>,
    /// The protocol.
    pub protocol: Protocol,
}

/// A transport protocol.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Protocol {
    /// TCP.
    #[default]
    Tcp,
    /// UDP.
    Udp,
    /// SCTP.
    Sctp,
}

/// When docker starts a container again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Restart {
    /// `no`.
    No,
    /// `always`.
    #[default]
    Always,
    /// `unless-stopped`.
    UnlessStopped,
    /// `on-failure`, and how often at most.
    OnFailure(Option<u32>),
}

/// Whom a program runs as: `user[:group]`, names or numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User(pub(super) String);

/// An amount of memory, as docker writes it: `512m`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Memory(pub(super) String);

/// A number of processors, as docker writes it: `1.5`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cpus(pub(super) String);

macro_rules! as_str {
    ($($name:ident)*) => { $(
        impl $name {
            /// The value as docker takes it.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
    )* }
}

as_str! { EnvFile User Memory Cpus }

impl Mount {
    /// The mount in `text`: `name:/path`, `./path:/path` or `/path:/path`, each with `:ro` or without.
    ///
    /// # Errors
    /// When `text` is no mount, or one that gordon does not make.
    pub fn parse(text: &str) -> Result<Self, ValueError> {
        let wrong = |why: &str, hint: &str| {
            Err(ValueError::new(format!("`{}` is not a mount: {why}", visible(text)), hint))
        };
        if text.chars().any(char::is_control) {
            return wrong("it holds a control character", "write it on one line");
        }
        let mut parts = text.split(':');
        let (Some(source), Some(target)) = (parts.next(), parts.next()) else {
            return wrong(
                "it has no `:`",
                "write `name:/path/in/the/container`, so that the data outlive the container",
            );
        };
        let access = match (parts.next(), parts.next()) {
            (None | Some("rw"), None) => Access::ReadWrite,
            (Some("ro"), None) => Access::ReadOnly,
            _ => return wrong("after the second `:` stands `ro`, `rw` or nothing", "as in `data:/data:ro`"),
        };
        let target = match mount_path(target) {
            Ok(target) => target,
            Err(error) => return wrong(&format!("the container's path {error}"), error.hint()),
        };
        let is_path = source.starts_with('/') || matches!(source.split('/').next(), Some("." | ".."));
        let source = if is_path {
            match steps(source).as_slice() {
                ["..", ..] if !source.starts_with('/') => {
                    return wrong(
                        "it leaves the folder of the config",
                        "write the whole path of the host, as in `/srv/data:/data`",
                    );
                }
                steps if steps.contains(&"..") => {
                    return wrong("the path of the host holds `..`", "write the path that it leads to");
                }
                steps if source.starts_with('/') => MountSource::Host(format!("/{}", steps.join("/"))),
                [] => MountSource::Folder(".".to_owned()),
                steps => MountSource::Folder(steps.join("/")),
            }
        } else if source.starts_with('~') {
            return wrong("`~` is known to shells alone", "write the whole path");
        } else if source.contains('/') {
            return wrong("its first part is neither a path nor a name", "begin a folder with `./` or `/`");
        } else {
            match VolumeName::parse(source) {
                Ok(name) => MountSource::Named(name),
                Err(error) => return wrong("its first part is no name of a volume", error.hint()),
            }
        };
        Ok(Self { source, target, access })
    }
}

/// The parts of a path that lead anywhere: neither empty nor `.`.
pub(super) fn steps(path: &str) -> Vec<&str> {
    path.split('/').filter(|part| !matches!(*part, "" | ".")).collect()
}

impl EnvFile {
    /// The path in `text`.
    ///
    /// # Errors
    /// When `text` is no path.
    pub fn parse(text: &str) -> Result<Self, ValueError> {
        if text.is_empty() || text.ends_with('/') || text.chars().any(char::is_control) {
            let message = format!("`{}` is not the path of a file", visible(text));
            return Err(ValueError::new(message, "as in `env/web.env`, relative to the config's folder"));
        }
        if text.starts_with('~') {
            let message = format!("`{}`: `~` is known to shells alone", visible(text));
            return Err(ValueError::new(message, "write the whole path"));
        }
        Ok(Self(text.to_owned()))
    }
}

impl Published {
    /// The ports in `text`, as `docker run --publish` takes them: `[[ip:][host]:]container[/protocol]`.
    ///
    /// # Errors
    /// When docker would not take `text`.
    pub fn parse(text: &str) -> Result<Self, ValueError> {
        let wrong = |why: &str| {
            let hint = "as in `8080:80`, `127.0.0.1:8080:80`, `53:53/udp` or `8000-8005:8000-8005`";
            Err(ValueError::new(format!("`{}` is not a published port: {why}", visible(text)), hint))
        };
        let (ports, protocol) = match text.split_once('/') {
            None => (text, Protocol::Tcp),
            Some((ports, "tcp")) => (ports, Protocol::Tcp),
            Some((ports, "udp")) => (ports, Protocol::Udp),
            Some((ports, "sctp")) => (ports, Protocol::Sctp),
            Some(_) => return wrong("the protocol is `tcp`, `udp` or `sctp`"),
        };
        let (before, container) = match ports.rsplit_once(':') {
            Some((before, container)) => (Some(before), container),
            None => (None, ports),
        };
        let (ip, host) = match before.map(|before| before.rsplit_once(':').ok_or(before)) {
            None => (None, ""),
            Some(Err(address)) if address.parse::<IpAddr>().is_ok() => {
                return wrong("behind the address stand two ports: the host's and the container's");
            }
            Some(Err(host)) => (None, host),
            Some(Ok((ip, host))) => {
                let address = ip.strip_prefix('[').and_then(|ip| ip.strip_suffix(']')).unwrap_or(ip);
                let Ok(address) = address.parse::<IpAddr>() else {
                    return wrong("the address is no IP address");
                };
                if address.is_ipv6() != ip.starts_with('[') {
                    return wrong("an IPv6 address, and no other, stands in brackets");
                }
                (Some(address), host)
            }
        };
        let Some(container) = parse_ports(container) else {
            return wrong("a port is a number from 1 to 65535");
        };
        if before.is_none() || (ip.is_some() && host.is_empty()) {
            return Ok(Self { ip, host: None, container, protocol });
        }
        let Some(host) = parse_ports(host) else { return wrong("a port is a number from 1 to 65535") };
        if host.len() != container.len() && container.len() != 1 {
            return wrong("it has as many ports of the host as of the container");
        }
        Ok(Self { ip, host: Some(host), container, protocol })
    }
}

impl fmt::Display for Published {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.ip {
            Some(IpAddr::V6(ip)) => write!(f, "[{ip}]:")?,
            Some(IpAddr::V4(ip)) => write!(f, "{ip}:")?,
            None => {}
        }
        match &self.host {
            Some(host) => write!(f, "{}:", Ports(host))?,
            None if self.ip.is_some() => f.write_str(":")?,
            None => {}
        }
        Ports(&self.container).fmt(f)?;
        match self.protocol {
            Protocol::Tcp => Ok(()),
            Protocol::Udp => f.write_str("/udp"),
            Protocol::Sctp => f.write_str("/sctp"),
        }
    }
}

struct Ports<'a>(&'a RangeInclusive<u16>);

impl fmt::Display for Ports<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (first, last) = (self.0.start(), self.0.end());
        if first == last { write!(f, "{first}") } else { write!(f, "{first}-{last}") }
    }
}

fn parse_ports(text: &str) -> Option<RangeInclusive<u16>> {
    let port = |text: &str| {
        let is_number = text.bytes().all(|b| b.is_ascii_digit());
        text.parse::<u16>().ok().filter(|port| *port > 0 && is_number)
    };
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last) = (port(first)?, port(last)?);
    (first <= last).then_some(first..=last)
}

impl Restart {
    /// The policy in `text`.
    ///
    /// # Errors
    /// When docker would not take `text`.
    pub fn parse(text: &str) -> Result<Self, ValueError> {
        let (policy, tries) = match text.split_once(':') {
            Some((policy, tries)) => (policy, tries.parse::<u32>().ok()),
            None => (text, None),
        };
        let has_tries = text.contains(':');
        match policy {
            "no" if !has_tries => Ok(Self::No),
            "always" if !has_tries => Ok(Self::Always),
            "unless-stopped" if !has_tries => Ok(Self::UnlessStopped),
            "on-failure" if has_tries == tries.is_some() => {
                // docker takes 0 for as many as it takes
                Ok(Self::OnFailure(tries.filter(|tries| *tries > 0)))
            }
            _ => Err(ValueError::new(
                format!("`{}` is not a restart policy", visible(text)),
                "write `no`, `always`, `unless-stopped`, `on-failure` or `on-failure:3`",
            )),
        }
    }
}

impl fmt::Display for Restart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::No => f.write_str("no"),
            Self::Always => f.write_str("always"),
            Self::UnlessStopped => f.write_str("unless-stopped"),
            Self::OnFailure(None) => f.write_str("on-failure"),
            Self::OnFailure(Some(tries)) => write!(f, "on-failure:{tries}"),
        }
    }
}

impl User {
    /// The user in `text`.
    ///
    /// # Errors
    /// When docker would not take `text`.
    pub fn parse(text: &str) -> Result<Self, ValueError> {
        let is_name = |s: &str| !s.is_empty() && s.chars().all(|c| !c.is_control() && !c.is_whitespace());
        if text.split(':').count() > 2 || !text.split(':').all(is_name) {
            let message = format!("`{}` is not a user", visible(text));
            return Err(ValueError::new(message, "write `name`, `1000` or `1000:1000`"));
        }
        Ok(Self(text.to_owned()))
    }
}

impl Memory {
    /// The amount in `text`.
    ///
    /// # Errors
    /// When docker would not take `text`; less than 6 MiB it does not.
    pub fn parse(text: &str) -> Result<Self, ValueError> {
        const LEAST: f64 = 6.0 * 1024.0 * 1024.0;
        const MOST: f64 = 9_223_372_036_854_775_807.0;
        let lower = text.to_ascii_lowercase();
        let number = lower.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let power = match &lower[number.len()..] {
            "" | "b" => Some(0),
            "k" | "kb" | "kib" => Some(1),
            "m" | "mb" | "mib" => Some(2),
            "g" | "gb" | "gib" => Some(3),
            "t" | "tb" | "tib" => Some(4),
            _ => None,
        };
        let bytes = parse_decimal(number).zip(power).map(|(number, power)| number * 1024_f64.powi(power));
        match bytes {
            Some(bytes) if bytes < LEAST => Err(ValueError::new(
                format!("`{text}` is less memory than docker gives a container"),
                "docker's least is `6m`; `512m` are 512 MiB",
            )),
            Some(bytes) if bytes >= MOST => Err(ValueError::new(
                format!("`{text}` is more memory than docker can count"),
                "as in `512m` or `2g`",
            )),
            Some(_) => Ok(Self(text.to_owned())),
            None => Err(ValueError::new(
                format!("`{}` is not an amount of memory", visible(text)),
                "as in `512m` or `2g`",
            )),
        }
    }
}

impl Cpus {
    /// The number in `text`.
    ///
    /// # Errors
    /// When docker would not take `text`.
    pub fn parse(text: &str) -> Result<Self, ValueError> {
        const LEAST: f64 = 0.01;
        // Linux knows no more
        const MOST: f64 = 8192.0;
        let decimals = text.split_once('.').map_or(0, |(_, decimals)| decimals.len());
        match parse_decimal(text) {
            Some(number) if number > MOST => Err(ValueError::new(
                format!("`{text}` are more processors than any host has"),
                "write at most as many as the host has: docker refuses more",
            )),
            Some(_) if decimals > 9 => Err(ValueError::new(
                format!("`{text}` is more exact than docker is"),
                "write at most nine digits after the dot",
            )),
            Some(number) if number >= LEAST => Ok(Self(text.to_owned())),
            _ => {
                let message = format!("`{}` is not a number of processors", visible(text));
                Err(ValueError::new(message, "as in `0.5` or `2`; at least `0.01`"))
            }
        }
    }
}

/// Digits, and a dot between some of them at most.
fn parse_decimal(text: &str) -> Option<f64> {
    let is_digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    (is_digits(whole) && is_digits(part)).then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mount_is_a_volume_or_a_folder() {
        let mount = |text| Mount::parse(text).expect("a mount");
        assert_eq!(
            mount("pg_data:/data").source,
            MountSource::Named(VolumeName::parse("pg_data").expect("a name"))
        );
        assert_eq!(mount("data:/data").access, Access::ReadWrite);
        assert_eq!(mount("./conf:/etc/conf:ro").access, Access::ReadOnly);
        assert_eq!(mount("/srv:/srv:rw").target, "/srv");
    }

    #[test]
    fn a_folder_is_one_however_its_path_is_written() {
        let mount = |text| Mount::parse(text).expect("a mount");
        let folder = |path: &str| MountSource::Folder(path.to_owned());
        for (text, source) in [
            ("./conf:/c", folder("conf")),
            (".//etc:/c", folder("etc")),
            ("././/etc/./ssl//:/c", folder("etc/ssl")),
            (".:/c", folder(".")),
            (".//:/c", folder(".")),
            ("./...:/c", folder("...")),
            ("//etc/./:/c", MountSource::Host("/etc".to_owned())),
            ("/:/c", MountSource::Host("/".to_owned())),
        ] {
            assert_eq!(mount(text).source, source, "{text}");
        }
        assert_eq!(mount("data://a/./b/").target, "/a/b");
    }

    #[test]
    fn a_mount_never_leaves_the_folder_of_the_config_unless_its_path_is_absolute() {
        for text in ["../conf:/c", "..:/c", ".//../conf:/c", "./..:/c"] {
            let error = Mount::parse(text).expect_err("it is outside");
            assert!(error.to_string().contains("leaves the folder"), "{error}");
            assert!(error.hint().contains("/srv/data:/data"), "{}", error.hint());
        }
        for text in ["./a/../b:/c", "./a/../../b:/c", "/srv/../etc:/c", "/..:/c"] {
            let error = Mount::parse(text).expect_err("it is not clear where it leads");
            assert!(error.to_string().contains("holds `..`"), "{error}");
        }
    }

    #[test]
    fn a_mount_that_docker_or_people_would_misread_is_refused() {
        for text in [
            "",
            "/data",
            "data",
            "data:",
            "data:data",
            "data:/",
            "data:/.",
            "data:/a/../b",
            "data:/a:x",
            "data:/a:ro:z",
            ":/a",
            "-v:/a",
            "~/a:/a",
            "a/b:/a",
            "a b:/a",
            ".hidden:/a",
            "/a\nb:/a",
            "a:/a\u{1b}[2J",
        ] {
            assert!(Mount::parse(text).is_err(), "`{text}`");
        }
    }

    #[test]
    fn published_ports_are_written_back_as_docker_takes_them() {
        for text in [
            "80",
            "8080:80",
            "127.0.0.1:8080:80",
            "127.0.0.1::80",
            "[::1]:80:80",
            "53:53/udp",
            "8000-8002:80",
            "8000-8002:9000-9002",
            "3000-3005",
        ] {
            assert_eq!(Published::parse(text).expect("published ports").to_string(), text);
        }
        assert_eq!(Published::parse("80/tcp").expect("a port").to_string(), "80");
    }

    #[test]
    fn an_address_with_one_port_is_told_that_one_is_missing() {
        let error = Published::parse("127.0.0.1:80").expect_err("it is not clear whose port this is");
        assert!(
            error
                .to_string()
                .ends_with(": behind the address stand two ports: the host's and the container's")
        );
        assert!(error.hint().contains("`127.0.0.1:8080:80`"));
    }

    #[test]
    fn ports_that_docker_refuses_are_refused() {
        for text in [
            "",
            ":",
            ":80",
            "80:",
            "0",
            "0:80",
            "65536",
            "+80",
            "a:80",
            "80:80/icmp",
            "1.2.3:80:80",
            "::1:80:80",
            "[1.2.3.4]:80:80",
            "8000-8002:80-81",
            "81-80",
            "80:80:80:80",
            "-p",
        ] {
            assert!(Published::parse(text).is_err(), "`{text}`");
        }
    }

    #[test]
    fn a_restart_policy_is_one_of_dockers() {
        for text in ["no", "always", "unless-stopped", "on-failure", "on-failure:3"] {
            assert_eq!(Restart::parse(text).expect("a policy").to_string(), text);
        }
        for text in ["", "never", "always:3", "on-failure:", "on-failure:x", "No"] {
            assert!(Restart::parse(text).is_err(), "`{text}`");
        }
    }

    #[test]
    fn limits_are_what_docker_takes() {
        for text in ["6m", "512M", "1.5g", "2GiB", "6291456", "8192kb"] {
            assert!(Memory::parse(text).is_ok(), "`{text}`");
        }
        for text in
            ["", "m", "1m", "0", "-1g", "1e9", "512 m", "1x", "1.g", "9223372036854775808", "8388608t"]
        {
            assert!(Memory::parse(text).is_err(), "`{text}`");
        }
        for text in ["1", "0.5", "0.01", "16", "8192", "0.123456789"] {
            assert!(Cpus::parse(text).is_ok(), "`{text}`");
        }
        for text in ["", "0", "0.001", "-1", "1e1", "inf", ".5", "two", "99999999", "1.0000000001"] {
            assert!(Cpus::parse(text).is_err(), "`{text}`");
        }
        for text in ["root", "1000", "1000:1000", "www-data:www"] {
            assert!(User::parse(text).is_ok(), "`{text}`");
        }
        for text in ["", ":", "a:", "a:b:c", "a b"] {
            assert!(User::parse(text).is_err(), "`{text}`");
        }
    }
}
