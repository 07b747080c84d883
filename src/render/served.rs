//! What is served, for people: a line for each host. Does not know how the hosts were asked.

use super::Text;
use super::duration;
use crate::docker::proxy::Entrance;
use crate::docker::proxy::Response;
use crate::docker::proxy::Served;
use crate::name::Domain;
use anstyle::AnsiColor;
use anstyle::Style;
use std::collections::BTreeMap;

/// How many hosts have a line of their own.
const MOST: usize = 10;

/// The hosts with what a visitor gets there; those without an answer first.
pub fn served(entrance: Entrance, hosts: &[&Domain], answers: &BTreeMap<&str, Served>) -> Text {
    let mut all: Vec<_> = hosts.iter().map(|host| (*host, answers.get(host.as_str()))).collect();
    all.sort_by_key(|(_, answer)| !is_none(*answer));
    let (shown, rest) = all.split_at(all.len().min(MOST));
    let mut text = Text::default();
    for (host, answer) in shown {
        text.add(entrance.url(host)).add(" → ");
        add_answer(&mut text, *answer);
        if entrance.is_https && answer.is_some_and(|answer| !answer.has_certificate) {
            text.add("; its certificate is not there yet");
        }
        text.end();
    }
    let more = rest.len();
    match rest.iter().filter(|(_, answer)| is_none(*answer)).count() {
        _ if more == 0 => {}
        0 => drop(text.line(format_args!("and {more} more answer"))),
        none => drop(text.line(format_args!("and {more} more, {none} of them without an answer"))),
    }
    text
}

fn is_none(answer: Option<&Served>) -> bool {
    !matches!(answer, Some(Served { response: Response::Status(..), .. }))
}

fn add_answer(text: &mut Text, answer: Option<&Served>) {
    let colour = |colour: AnsiColor| Style::new().fg_color(Some(colour.into()));
    match answer.map(|answer| &answer.response) {
        Some(Response::Status(status, took)) => {
            let style = colour(if *status < 400 { AnsiColor::Green } else { AnsiColor::Yellow });
            text.styled(style, status).add(format_args!(" in {}", duration(*took)));
        }
        Some(Response::None(why)) => {
            text.styled(colour(AnsiColor::Red), format_args!("no answer: {why}"));
        }
        None => drop(text.styled(colour(AnsiColor::Red), "no answer in time")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use anstream::adapter::strip_str;

    fn told(is_https: bool, hosts: &[&str], said: &str) -> String {
        let hosts: Vec<Domain> = hosts.iter().map(|host| Domain::parse(*host).expect("a domain")).collect();
        let entrance = Entrance { is_https, port: if is_https { 443 } else { 8080 } };
        let text = served(entrance, &hosts.iter().collect::<Vec<_>>(), &Served::read(said));
        strip_str(text.as_str()).to_string()
    }

    #[test]
    fn a_host_is_told_with_its_status_or_why_it_does_not_answer() {
        let said = "a.com yes 200 41.2\nb.com no 302 1234.5\nc.com no - connection refused\n";
        assert_eq!(
            told(true, &["a.com", "b.com", "c.com", "d.com"], said),
            "https://c.com → no answer: connection refused; its certificate is not there yet\n\
             https://d.com → no answer in time\n\
             https://a.com → 200 in 41 ms\n\
             https://b.com → 302 in 1.2 s; its certificate is not there yet\n"
        );
        assert_eq!(told(false, &["a.com"], "a.com no 404 0.2\n"), "http://a.com:8080 → 404 in 1 ms\n");
    }

    #[test]
    fn of_many_hosts_ten_are_told() {
        let hosts: Vec<String> = (10..32).map(|number| format!("h{number}.com")).collect();
        let hosts: Vec<&str> = hosts.iter().map(String::as_str).collect();
        let said = |bad: usize| -> String {
            let answer = |at| if at < bad { "- connection refused" } else { "200 1" };
            hosts.iter().enumerate().map(|(at, host)| format!("{host} yes {}\n", answer(at))).collect()
        };
        let last = |bad| told(false, &hosts, &said(bad)).lines().last().expect("a line").to_owned();
        assert_eq!(told(false, &hosts, &said(0)).lines().count(), 11);
        assert_eq!(last(0), "and 12 more answer");
        assert_eq!(last(10), "and 12 more answer");
        assert_eq!(last(13), "and 12 more, 3 of them without an answer");
        assert_eq!(told(false, &hosts[..10], &said(0)).lines().count(), 10);
    }
}
