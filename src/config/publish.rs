//! Published ports, as docker writes them. Does not know who else publishes them.

use crate::name::visible;
use crate::spec::ValueError;
use std::fmt;
use std::net::IpAddr;
use std::ops::RangeInclusive;

/// A port of the host that docker forwards to a container, or as many of them.
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
                return wrong("after the address come two ports: the host's and the container's");
            }
            Some(Err(host)) => (None, host),
            Some(Ok((ip, host))) => {
                let address = ip.strip_prefix('[').and_then(|ip| ip.strip_suffix(']')).unwrap_or(ip);
                let Ok(address) = address.parse::<IpAddr>() else {
                    return wrong("the address is no IP address");
                };
                if address.is_ipv6() != ip.starts_with('[') {
                    return wrong("an IPv6 address is written in brackets, any other is not");
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

#[cfg(test)]
mod tests {
    use super::*;

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
            error.to_string().ends_with(": after the address come two ports: the host's and the container's")
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
}
