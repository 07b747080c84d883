//! The apps and services of a Luma project.

use super::Resolver;
use super::workloads::App;
use super::workloads::Home;
use crate::config::Config;
use crate::desired::aliases::Names;
use crate::desired::names;
use crate::name::Alias;
use crate::name::Domain;
use crate::spec::Naming;

impl<'a> Resolver<'a> {
    /// The apps and services of a Luma project.
    pub(super) fn project(&mut self) {
        let Config { apps, services, name, .. } = self.config;
        let place = match (name, apps.first(), services.first()) {
            (_, None, None) => return,
            (Some(name), ..) => name.span(),
            (None, Some(app), _) => app.name.span(),
            (None, None, Some(service)) => service.name.span(),
        };
        let project = self.project.to_string();
        let network = self.make_network(format!("{project}-network"), (&self.project).into(), place);
        let home = Home {
            owner: (&self.project).into(),
            id: &project,
            base_name: project.clone(),
            network: network.clone(),
            env_file: None,
        };
        let needs = self.services(services, &home);
        for app in apps {
            let name = app.name.get_ref().as_str();
            let short = Alias::parse(name).expect("a short name is an alias");
            let qualified = names::qualified(&project, Some(name));
            let hosts = app.proxy.as_ref().map(|proxy| proxy.hosts.iter().map(|host| host.get_ref().clone()));
            let hosts: Option<Vec<Domain>> = hosts.map(Iterator::collect);
            let asked_host = hosts.as_ref().and_then(|hosts| hosts.first()).map_or(name, Domain::as_str);
            let resolved = App {
                owner: (&self.project).into(),
                base_name: format!("{project}-{name}"),
                naming: Naming::Colours,
                names: Names {
                    place: app.name.span(),
                    declared: vec![short],
                    derived: Vec::new(),
                    qualified,
                },
                networks: vec![network.clone()],
                needs: needs.clone(),
                env_file: None,
                volume_home: project.clone(),
                replicas: u32::from(app.replicas.get_ref().get()),
                port: app.port.as_ref().map(|port| port.get_ref().get()),
                release: app.release.clone(),
                strategy: app.strategy,
                asked_host,
                hosts: hosts.clone(),
                site: app.proxy.as_ref().map(|proxy| self.site(&proxy.site)).unwrap_or_default(),
            };
            self.app(resolved, &app.workload);
        }
    }
}
