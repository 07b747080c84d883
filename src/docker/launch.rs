//! A container that is to be made, and the words of `docker run` and `docker create` that make it.

use super::Command;
use super::Labels;
use super::Word;
use crate::name::Alias;
use crate::name::Container;
use crate::name::Image;
use crate::name::Network;
use crate::spec::Mount;
use crate::spec::Relabel;
use crate::spec::Runtime;
use crate::spec::Source;
use std::net::Ipv4Addr;
use std::time::Duration;

/// A container that is to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Launch {
    /// Its name.
    pub name: Container,
    /// Its image.
    pub image: Image,
    /// Its labels.
    pub labels: Labels,
    /// Its networks: it is made on the first, the others are connected afterwards. Never empty.
    pub memberships: Vec<Membership>,
    /// All its other settings.
    pub runtime: Runtime,
}

/// A container's place in a network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Membership {
    /// The network.
    pub network: Network,
    /// The address; `None` where docker deals it, as on networks that gordon did not make.
    pub address: Option<Ipv4Addr>,
    /// The names that the container answers to there.
    pub aliases: Vec<Alias>,
}

impl Launch {
    pub(super) fn command(&self, mut command: Command) -> Command {
        let runtime = &self.runtime;
        command.flag("--name", self.name.as_str());
        command.flag("--restart", &runtime.restart);
        let first = self.memberships.first().expect("a container is made on a network");
        command.flag("--network", first.network.as_str());
        if let Some(address) = first.address {
            command.flag("--ip", address.to_string());
        }
        first.aliases.iter().for_each(|alias| command.flag("--network-alias", alias.as_str()));
        if let Some(hostname) = &runtime.hostname {
            command.flag("--hostname", hostname);
        }
        runtime.env_files.iter().for_each(|file| command.flag("--env-file", &file.path));
        for (key, value) in &runtime.env {
            command.flag("--env", format!("{key}={value}"));
        }
        runtime.secrets.iter().for_each(|key| command.flag("--env", key.as_str()));
        command.words.extend(self.labels.words(&self.memberships));
        command.extend(runtime.settings.flags());
        for mount in &runtime.mounts {
            command.words.extend([Word::Text("--volume".into()), mount.word()]);
        }
        runtime.ports.iter().for_each(|port| command.flag("--publish", port));
        runtime.dns.iter().for_each(|option| command.flag("--dns-option", option));
        if let Some(health) = &runtime.health {
            command.flag("--health-cmd", &health.command);
            if let Some(retries) = health.retries {
                command.flag("--health-retries", retries.to_string());
            }
            for (flag, time) in [
                ("--health-interval", health.interval),
                ("--health-timeout", health.timeout),
                ("--health-start-period", health.start_period),
            ] {
                command.flag(flag, milliseconds(time));
            }
        }
        let (entrypoint, arguments) = match runtime.entrypoint.split_first() {
            Some((first, rest)) => (Some(first), rest),
            None => (None, &[][..]),
        };
        if let Some(entrypoint) = entrypoint {
            command.flag("--entrypoint", entrypoint);
        }
        command.extend([self.image.as_str()]);
        command.extend(arguments.iter().chain(&runtime.command));
        command.secrets.clone_from(&runtime.secrets);
        command
    }
}

impl Mount {
    fn word(&self) -> Word {
        let access = self.read_only.then_some("ro");
        let options: Vec<&str> = access.into_iter().chain(self.relabel.map(Relabel::as_str)).collect();
        let colon = if options.is_empty() { "" } else { ":" };
        let rest = format!(":{}{colon}{}", self.target, options.join(","));
        match &self.source {
            Source::Volume(volume) => Word::Text(format!("{volume}{rest}").into()),
            Source::Host(path) => Word::Text(format!("{path}{rest}").into()),
            Source::Folder(path) => Word::InFolder { path: path.clone(), rest },
        }
    }
}

/// A duration as docker reads it.
fn milliseconds(duration: Duration) -> String {
    format!("{}ms", duration.as_millis())
}
