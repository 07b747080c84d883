//! Which host leads to which app. Does not know whether anything leads there.

use super::Desired;
use super::Workload;
use super::names;
use crate::config::Config;
use crate::docker::ImageFacts;
use crate::docker::Kind;
use crate::name::Domain;
use crate::name::Image;
use std::collections::BTreeMap;

/// Where a route's app listens whose image exposes no port.
const DEFAULT_PORT: u16 = 80;

/// A host, and the app that answers to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// The host.
    pub host: Domain,
    /// The stem of the app.
    pub stem: String,
    /// The name that a neighbour asks for: the app's qualified alias, or its container where there are no aliases.
    pub target: String,
    /// Where the app listens; `None` where the config does not say, and the image is not known or exposes several.
    pub port: Option<u16>,
}

/// The hosts of `config`, in the order of the file: those of routes, then those of apps. `desired` is what it asks for.
pub fn hosts(config: &Config, desired: &Desired, images: &BTreeMap<Image, ImageFacts>) -> Vec<Host> {
    let apps: BTreeMap<&str, &Workload> = desired
        .workloads
        .iter()
        .filter(|workload| workload.kind == Kind::App)
        .map(|workload| (workload.stem.as_str(), workload))
        .collect();
    let host = |domain: &Domain, stem: String, alias: &dyn Fn() -> String, port| {
        let app = apps.get(stem.as_str())?;
        let target = if app.attachments.is_empty() { app.name().to_string() } else { alias() };
        Some(Host { host: domain.clone(), stem, target, port })
    };
    let routes = config.routes.iter().filter_map(|route| {
        let domain = route.domain.get_ref();
        let id = route.id.as_ref().map_or(domain.as_str(), |id| id.get_ref().as_str());
        let image = route.workload.image.get_ref();
        let said = route.port.as_ref().map(|port| port.get_ref().get());
        let port = said.or_else(|| exposed(images.get(image)?));
        let stem = format!("{}-{id}", config.network_prefix());
        host(domain, stem, &|| names::qualified(id, None).to_string(), port)
    });
    let project = config.project();
    let apps = config.apps.iter().flat_map(|app| {
        let (name, port) = (app.name.get_ref().as_str(), app.port.as_ref().map(|port| port.get_ref().get()));
        let hosts = app.proxy.iter().flat_map(|proxy| &proxy.hosts);
        hosts.map(move |host| (name, host.get_ref(), port))
    });
    let apps = apps.filter_map(|(name, domain, port)| {
        let alias = || names::qualified(project.as_str(), Some(name)).to_string();
        host(domain, format!("{project}-{name}"), &alias, port)
    });
    routes.chain(apps).collect()
}

/// The only TCP port that an image exposes; 80 when it exposes none.
fn exposed(facts: &ImageFacts) -> Option<u16> {
    let mut ports = facts.ports.iter().filter_map(|port| port.strip_suffix("/tcp")?.parse().ok());
    match (ports.next(), ports.next()) {
        (None, _) => Some(DEFAULT_PORT),
        (port, None) => port,
        (Some(_), Some(_)) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;
    use crate::desired::Inputs;
    use crate::desired::resolve;

    fn told(text: &str) -> Vec<String> {
        let ports = |ports: &[&str]| ImageFacts {
            ports: ports.iter().map(ToString::to_string).collect(),
            ..ImageFacts::default()
        };
        let images = [("none", &[][..]), ("one", &["8080/tcp", "53/udp"]), ("two", &["80/tcp", "443/tcp"])]
            .map(|(name, exposed)| (Image::parse(name).expect("an image"), ports(exposed)));
        let loaded = config::load(&config::Source { path: "gordon.toml", text });
        let config = loaded.config.expect("a config");
        let inputs = Inputs { images: images.into(), ..Inputs::default() };
        let (desired, _) = resolve(&config, &inputs);
        let tell = |host: &Host| {
            let port = host.port.map_or("?".to_owned(), |port| port.to_string());
            format!("{} → {} → {}:{port}", host.host, host.stem, host.target)
        };
        hosts(&config, &desired, &inputs.images).iter().map(tell).collect()
    }

    #[test]
    fn every_host_leads_to_its_app() {
        let config = "\
            name = \"shop\"\n[routes]\n\"a.test\" = \"none\"\n\"b.test\" = { image = \"one\", id = \"bee\" }\n\
            \"c.test\" = \"two\"\n\"d.test\" = { image = \"two\", port = 443 }\n\"e.test\" = \"unknown\"\n\
            [apps.web]\nimage = \"one\"\nproxy = { hosts = [\"shop.test\", \"www.shop.test\"], app_port = 9000 }\n\
            [apps.worker]\nimage = \"one\"\n";
        assert_eq!(
            told(config),
            [
                "a.test → shop-a.test → a-test:80",
                "b.test → shop-bee → bee:8080",
                "c.test → shop-c.test → c-test:?",
                "d.test → shop-d.test → d-test:443",
                "e.test → shop-e.test → e-test:?",
                "shop.test → shop-web → shop-web:9000",
                "www.shop.test → shop-web → shop-web:9000",
            ]
        );
    }

    #[test]
    fn without_a_network_an_app_is_called_as_its_container() {
        let config = "name = \"shop\"\n[proxy]\nenabled = false\n[routes]\n\"a.test\" = \"none\"\n";
        assert_eq!(told(config), ["a.test → shop-a.test → shop-a.test:80"]);
    }
}
