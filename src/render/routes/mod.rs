//! Where hosts lead, in the words of the proxies that people run. Each knows an app by the name that is one of a kind on the
//! host, and asks for it anew each second: what answers to it changes with every release.

mod caddy;
mod json;
mod nginx;
mod traefik;
mod yaml;

pub use caddy::render as caddy;
pub use json::write as json;
pub use nginx::render as nginx;
pub use traefik::render as traefik;
pub use yaml::render as yaml;

use crate::plan::Routing;

/// What every format that has comments begins with: whose routes these are, and where the proxy has to be to find the apps.
fn header(routing: &Routing<'_>) -> String {
    let networks = routing.networks().into_iter().map(|network| format!("# network {network}\n"));
    let project = routing.project;
    format!("# project {project}: the proxy has to be on these networks\n{}", networks.collect::<String>())
}

/// What the config says of these routes in words that only Caddy has, as comments of the other formats.
fn left_out(routing: &Routing<'_>) -> String {
    let mut text = String::new();
    for route in routing.routes {
        let site = &route.site;
        let words = [(site.access_log, "access_log"), (!site.snippet.is_empty(), "snippet")];
        let words: Vec<&str> =
            words.into_iter().filter_map(|(is_said, word)| is_said.then_some(word)).collect();
        if !words.is_empty() {
            text.push_str(&format!("# left out of {}: {}\n", route.hosts[0], words.join(", ")));
        }
    }
    text
}

/// `text` as YAML that is a text to every reader: what begins with a digit, or is a word for something else, is quoted.
fn scalar(text: &str) -> String {
    let is_word = text.starts_with(|c: char| c.is_ascii_alphabetic());
    let is_taken = ["true", "false", "yes", "no", "on", "off", "null", "y", "n"].contains(&text);
    if is_word && !is_taken { text.to_owned() } else { format!("\"{text}\"") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_text_in_yaml_whatever_it_looks_like() {
        for (text, written) in
            [("shop.test", "shop.test"), ("12:30", "\"12:30\""), ("on", "\"on\""), ("1e3", "\"1e3\"")]
        {
            assert_eq!(scalar(text), written);
        }
    }
}
