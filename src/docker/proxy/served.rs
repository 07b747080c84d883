//! What the proxy serves, asked as a visitor would ask. Does not know what it should serve.

use crate::docker::Command;
use crate::name::Domain;
use crate::spec::PROXY;
use std::collections::BTreeMap;
use std::time::Duration;

/// Asks for hosts, inside the proxy.
const SERVED: &str = include_str!("served.sh");

/// Where a visitor finds the proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entrance {
    /// Whether it is over HTTPS.
    pub is_https: bool,
    /// The port of the host, and of the proxy.
    pub port: u16,
}

/// What a visitor gets for a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Served {
    /// What the app, or the proxy in its place, answered to `GET /`.
    pub response: Response,
    /// Whether the proxy has a certificate for the host.
    pub has_certificate: bool,
}

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Response {
    /// An answer over HTTP, with its status, after this time.
    Status(u16, Duration),
    /// None, for this reason.
    None(String),
}

impl Entrance {
    /// What a visitor calls the host, as in `https://a.com` or `http://a.com:8080`.
    pub fn url(self, host: &Domain) -> String {
        match self {
            Self { is_https: true, port: 443 } => format!("https://{host}"),
            Self { is_https: false, port: 80 } => format!("http://{host}"),
            Self { port, .. } => format!("{}://{host}:{port}", self.scheme()),
        }
    }

    fn scheme(self) -> &'static str {
        if self.is_https { "https" } else { "http" }
    }
}

impl Served {
    /// Asks the proxy for `hosts`, side by side: one line of the answer for each.
    pub fn question<'a>(entrance: Entrance, hosts: impl IntoIterator<Item = &'a Domain>) -> Command {
        let port = entrance.port.to_string();
        let words = ["exec", "--interactive", PROXY, "sh", "-c", SERVED, "served", entrance.scheme(), &port];
        let lines = hosts.into_iter().map(|host| format!("{host}\n")).collect();
        Command { stdin: Some(lines), ..Command::new(words) }
    }

    /// What docker says to the question, by host. Leaves out what is no answer.
    pub fn read(said: &str) -> BTreeMap<&str, Self> {
        said.lines().filter_map(Self::of_line).collect()
    }

    fn of_line(line: &str) -> Option<(&str, Self)> {
        let (host, rest) = line.split_once(' ')?;
        let (certificate, rest) = rest.split_once(' ')?;
        let (status, rest) = rest.split_once(' ')?;
        let response = match status {
            "-" => Response::None(without_place(rest).to_owned()),
            status => {
                let took = Duration::try_from_secs_f64(rest.parse::<f64>().ok()? / 1000.0).ok()?;
                Response::Status(status.parse().ok()?, took)
            }
        };
        Some((host, Self { response, has_certificate: certificate == "yes" }))
    }
}

/// Why a connection failed, as in "connection refused", without the address inside the proxy.
fn without_place(message: &str) -> &str {
    ["connect: ", "net/http: ", "remote error: ", "wget: "]
        .iter()
        .find_map(|end| message.split_once(end))
        .map_or(message, |(_, why)| why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_script_has_no_mistakes() {
        let check = assert_cmd::Command::new("shellcheck").args(["--shell=sh", "-"]).write_stdin(SERVED).ok();
        assert!(check.is_ok(), "{check:?}");
    }

    #[test]
    fn a_host_has_the_url_that_a_visitor_types() {
        let host = Domain::parse("a.com").expect("a domain");
        let url = |is_https, port| Entrance { is_https, port }.url(&host);
        assert_eq!(url(true, 443), "https://a.com");
        assert_eq!(url(true, 8443), "https://a.com:8443");
        assert_eq!(url(false, 80), "http://a.com");
        assert_eq!(url(false, 443), "http://a.com:443");
    }

    #[test]
    fn an_answer_is_a_status_or_the_reason_why_there_is_none() {
        let said = "a.com yes 200 41.26\nb.com no - dial tcp 127.0.0.1:80: connect: connection refused\n\
                    c.com no - net/http: timeout awaiting response headers\nd.com no 200\nno such thing\n";
        let answers = Served::read(said);
        let none = |why: &str| Served { response: Response::None(why.to_owned()), has_certificate: false };
        let status = Response::Status(200, Duration::from_micros(41_260));
        assert_eq!(
            answers.into_iter().collect::<Vec<_>>(),
            [
                ("a.com", Served { response: status, has_certificate: true }),
                ("b.com", none("connection refused")),
                ("c.com", none("timeout awaiting response headers")),
            ]
        );
    }
}
