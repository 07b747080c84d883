//! The networks and volumes of a workload, and the settings of its containers.

use super::Resolver;
use crate::config;
use crate::config::Enabled;
use crate::config::HealthTest;
use crate::config::MountSource;
use crate::config::Problem;
use crate::desired::DesiredNetwork;
use crate::desired::DesiredVolume;
use crate::desired::Ready;
use crate::desired::Workload;
use crate::desired::names;
use crate::name::Network;
use crate::name::Owner;
use crate::name::Volume;
use crate::name::mount_path;
use crate::name::visible;
use crate::spec::Content;
use crate::spec::EnvFile;
use crate::spec::FilesPart;
use crate::spec::HealthCheck;
use crate::spec::HttpCheck;
use crate::spec::Mount;
use crate::spec::Patience;
use crate::spec::Prober;
use crate::spec::Runtime;
use crate::spec::Source;
use crate::spec::hash;
use serde_spanned::Spanned;
use std::collections::BTreeSet;
use std::num::NonZeroU16;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

/// The settings of a health check that the config does not give; docker's own 30 s would make every start wait so long.
const HEALTH_INTERVAL: Duration = Duration::from_secs(5);
const HEALTH_TIMEOUT: Duration = Duration::from_secs(5);

/// How many checks may fail on end, as docker has it.
const RETRIES: u8 = 3;

/// The time between two requests of a health check by path that does not say it.
const PATH_INTERVAL: Duration = Duration::from_secs(1);

impl Resolver<'_> {
    /// The network of a domain, a group or the plain apps, by its part in names.
    pub(super) fn network_of(&mut self, id: &str, owner: Owner, place: Range<usize>) -> Network {
        self.make_network(format!("{}-{}", self.prefix, names::dashed(id)), owner, place)
    }

    /// A network's name is one label of DNS: docker answers to `CONTAINER.NETWORK`.
    pub(super) fn make_network(&mut self, name: String, owner: Owner, place: Range<usize>) -> Network {
        let name = Network::parse(names::label(&name)).expect("a prefix and a name make a network name");
        if let Some(index) = self.network_index.get(&name) {
            let first = &self.networks[*index].owner;
            if *first != owner {
                self.collisions.networks(&name, first, &owner, &place);
            }
            return name;
        }
        self.collisions.network(&name, &place);
        self.network_index.insert(name.clone(), self.networks.len());
        self.networks.push(DesiredNetwork { name: name.clone(), owner, addresses: 0 });
        name
    }

    /// A volume, and in words whose it is; others may share it who say the same.
    pub(super) fn volume(
        &mut self,
        name: String,
        whose: &str,
        owner: &Owner,
        place: &Range<usize>,
    ) -> Volume {
        let name = Volume::parse(name).expect("a prefix and a name make a volume name");
        self.collisions.volume(&name, whose, place);
        if self.volume_names.insert(name.clone()) {
            self.volumes.push(DesiredVolume { name: name.clone(), owner: owner.clone() });
        }
        name
    }

    /// Mounts for the VOLUMEs of the image that the config does not mount itself.
    pub(super) fn image_mounts(&mut self, workload: &Workload, place: &Range<usize>) -> Vec<Mount> {
        let Some(facts) = self.inputs.images.get(&workload.image) else { return Vec::new() };
        if self.config.volumes.auto_create == Enabled::No {
            return Vec::new();
        }
        let mut paths = BTreeSet::new();
        for declared in &facts.volumes {
            match mount_path(declared) {
                Ok(path) => {
                    paths.insert(path);
                }
                Err(error) => {
                    let image = &workload.image;
                    let message = format!("`{image}` declares VOLUME `{}`, which {error}", visible(declared));
                    let hint = "nothing can be mounted there: use an image without it";
                    self.problems.push(Problem::error(place.clone(), message).hint(hint));
                }
            }
        }
        for path in workload.mounted_paths() {
            paths.remove(path);
        }
        let mut image_mounts = Vec::with_capacity(paths.len());
        for path in paths {
            let name = names::automatic_volume(&self.volume_prefix, workload.name().as_str(), &path);
            let whose = format!("VOLUME {path} of {}", workload.name());
            let volume = self.volume(name, &whose, &workload.owner, place);
            let source = Source::Volume(volume);
            image_mounts.push(Mount { source, target: path, read_only: false, relabel: None, files: None });
        }
        image_mounts
    }

    pub(super) fn env_files(
        &self,
        from_app: Option<&str>,
        implied: Option<&str>,
        workload: &config::Workload,
    ) -> Vec<EnvFile> {
        let file = |path: &str, inherited: bool| {
            let content = self.inputs.env_files.get(path)?;
            Some(EnvFile { path: path.to_owned(), content: hash(content), inherited })
        };
        let own = workload.env_files.iter().map(|path| path.get_ref().as_str());
        let inherited = from_app.and_then(|path| file(path, true));
        inherited
            .into_iter()
            .chain(implied.into_iter().chain(own).filter_map(|path| file(path, false)))
            .collect()
    }

    pub(super) fn runtime(
        &mut self,
        workload: &config::Workload,
        env_files: Vec<EnvFile>,
        hostname: Option<String>,
        volume_home: &str,
        owner: &Owner,
    ) -> Runtime {
        let mounts = workload.mounts.iter().map(|mount| self.mount(mount, volume_home, owner)).collect();
        let plain =
            workload.environment.plain.iter().map(|(key, value)| (key.get_ref().clone(), value.clone()));
        let health = workload.health.as_ref().and_then(|health| match &health.get_ref().test {
            HealthTest::Cmd(command) => Some(HealthCheck {
                command: command.clone(),
                interval: health.get_ref().interval.unwrap_or(HEALTH_INTERVAL),
                timeout: health.get_ref().timeout.unwrap_or(HEALTH_TIMEOUT),
                start_period: health.get_ref().start_period.unwrap_or(self.config.deploy.health_timeout),
                retries: health.get_ref().retries,
            }),
            HealthTest::Path { .. } => None,
        });
        Runtime {
            hostname,
            dns: Vec::new(),
            entrypoint: workload.entrypoint.clone(),
            command: workload.command.clone(),
            env_files,
            env: plain.collect(),
            secrets: workload
                .environment
                .secret
                .iter()
                .map(|secret| secret.key.get_ref().clone().into())
                .collect(),
            mounts,
            ports: workload.ports.iter().map(|port| port.get_ref().to_string()).collect(),
            health,
            restart: workload.restart.to_string(),
            settings: workload.settings.over(&self.config.containers),
        }
    }

    pub(super) fn mount(
        &mut self,
        mount: &Spanned<config::Mount>,
        volume_home: &str,
        owner: &Owner,
    ) -> Mount {
        let config::Mount { source, target, access, relabel, .. } = mount.get_ref();
        let files = self.files(mount.get_ref());
        let source = match source {
            MountSource::Named(name) => {
                let name = format!("{volume_home}-{name}");
                if name.len() > names::VOLUME {
                    let message =
                        format!("the volume would be called `{name}`, which is too long for docker");
                    let hint = format!("a volume's name has at most {} characters", names::VOLUME);
                    self.problems.push(Problem::error(mount.span(), message).hint(hint));
                }
                Source::Volume(self.volume(name, &format!("`{owner}`"), owner, &mount.span()))
            }
            MountSource::External(volume) => {
                self.external.insert(volume.clone());
                Source::Volume(volume.clone())
            }
            MountSource::Host(path) => Source::Host(path.clone()),
            MountSource::Folder(path) => Source::Folder(path.clone()),
        };
        let read_only = *access == config::Access::ReadOnly;
        Mount { source, target: target.clone(), read_only, relabel: *relabel, files }
    }

    /// What is mounted, where a change of it is a change of the container.
    fn files(&mut self, mount: &config::Mount) -> Option<Arc<FilesPart>> {
        let (path, shown) = match &mount.source {
            MountSource::Folder(path) => (path, format!("./{path}")),
            MountSource::Host(path) => (path, path.clone()),
            MountSource::Named(_) | MountSource::External(_) => return None,
        };
        if mount.watch == Enabled::No {
            self.unwatched.insert(shown, "`watch = false`".to_owned());
            return None;
        }
        let content = self.inputs.files.get(path).filter(|_| mount.is_watched())?;
        if let Content::TooMuch(what) = content {
            self.unwatched.insert(shown, format!("more than {what}"));
        }
        content.part(path, &mount.target).map(Arc::new)
    }

    pub(super) fn keeps_previous(&self) -> bool {
        self.config.deploy.keep_previous == Enabled::Yes
    }

    /// How to see that a workload is ready that listens at `port` and takes requests for `host`. One that nothing is routed to
    /// may be meant to end.
    pub(super) fn ready(&self, workload: &config::Workload, port: u16, host: &str, may_end: bool) -> Ready {
        let timeout = self.config.deploy.health_timeout;
        let image = workload.image.get_ref();
        let health = workload.health.as_ref().map(|health| health.get_ref());
        match health.map(|health| (health, &health.test)) {
            Some((health, HealthTest::Path { path, port: own_port, status })) => {
                let every = health.interval.unwrap_or(PATH_INTERVAL);
                let patience = patience(health);
                let check = HttpCheck {
                    port: own_port.map_or(port, NonZeroU16::get),
                    path: path.clone(),
                    host: host.to_owned(),
                    status: status.clone(),
                    prober: Prober::Beside(self.config.proxy.image.clone()),
                    every,
                    patience,
                };
                Ready::Answers(check, timeout.max(time_to_fail(patience, every + HEALTH_TIMEOUT)))
            }
            Some((health, HealthTest::Cmd(_))) => {
                let try_time =
                    health.interval.unwrap_or(HEALTH_INTERVAL) + health.timeout.unwrap_or(HEALTH_TIMEOUT);
                Ready::Healthy(timeout.max(time_to_fail(patience(health), try_time)))
            }
            None if may_end && workload.restart == config::Restart::No => Ready::Ends,
            None if self.inputs.images.get(image).is_some_and(|facts| facts.healthcheck) => {
                Ready::Healthy(timeout)
            }
            None => Ready::StaysUp,
        }
    }
}

/// How often a check may fail, where the config says from when on failures count.
fn patience(health: &config::Health) -> Option<Patience> {
    let retries = health.retries.unwrap_or(RETRIES);
    health.start_period.map(|start_period| Patience { start_period, retries })
}

/// The longest time that passes before a check with `patience` has failed, where each try takes `try_time` at most.
fn time_to_fail(patience: Option<Patience>, try_time: Duration) -> Duration {
    patience.map_or(Duration::ZERO, |Patience { start_period, retries }| {
        start_period + try_time * u32::from(retries)
    })
}
