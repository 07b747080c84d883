//! The ports of the host that a word such as `8080:80` of `docker run --publish` names.

use std::net::IpAddr;
use std::ops::RangeInclusive;

/// A transport protocol whose ports a host listens on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Transport {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
}

/// A port of the host that docker binds for a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HostPort {
    /// The address of the host; without one, all.
    pub address: Option<IpAddr>,
    /// The port.
    pub port: u16,
    /// The protocol.
    pub transport: Transport,
}

impl HostPort {
    /// The ports that docker is certain to bind for this word of `--publish`; none where it picks a free one of several,
    /// and none of SCTP.
    pub fn certain(publish: &str) -> Vec<Self> {
        Self::try_certain(publish).unwrap_or_default()
    }

    fn try_certain(publish: &str) -> Option<Vec<Self>> {
        let (ports, protocol) = publish.split_once('/').unwrap_or((publish, "tcp"));
        let transport = match protocol {
            "tcp" => Transport::Tcp,
            "udp" => Transport::Udp,
            _ => return None,
        };
        let (host, container) = ports.rsplit_once(':')?;
        let (address, host) = match host.rsplit_once(':') {
            Some((address, host)) => (Some(address.trim_matches(['[', ']']).parse().ok()?), host),
            None => (None, host),
        };
        let (host, container) = (range(host)?, range(container)?);
        let is_certain = host.len() <= container.len();
        Some(host.filter(|_| is_certain).map(|port| Self { address, port, transport }).collect())
    }
}

/// The ports of the host that `--publish` takes for this word, such as `127.0.0.1:8080:80/tcp` or `8000-8010:80`; none when
/// it leaves the choice to docker.
pub fn host_ports(publish: &str) -> impl Iterator<Item = u16> {
    let host = publish.rsplit(':').nth(1).unwrap_or_default();
    range(host).into_iter().flatten()
}

/// The ports of `8000` or of `8000-8010`.
fn range(ports: &str) -> Option<RangeInclusive<u16>> {
    let (first, last) = ports.split_once('-').unwrap_or((ports, ports));
    Some(first.parse().ok()?..=last.parse().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn docker_binds_the_ports_of_a_word_unless_it_may_choose() {
        let told = |publish| {
            let ports = HostPort::certain(publish).into_iter();
            ports
                .map(|port| format!("{:?} {} {:?}", port.address, port.port, port.transport))
                .collect::<Vec<_>>()
        };
        assert_eq!(told("8080:80"), ["None 8080 Tcp"]);
        assert_eq!(told("127.0.0.1:53:53/udp"), ["Some(127.0.0.1) 53 Udp"]);
        assert_eq!(told("[::1]:8080:80/tcp"), ["Some(::1) 8080 Tcp"]);
        assert_eq!(told("8000-8001:80-81"), ["None 8000 Tcp", "None 8001 Tcp"]);
        for choice in ["80", "127.0.0.1::80", "8000-8010:80", "80:80/sctp"] {
            assert_eq!(told(choice), [""; 0], "{choice}");
        }
    }
}
