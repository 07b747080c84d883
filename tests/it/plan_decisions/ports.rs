//! Ports of the host that something else has.

use super::add_container;
use super::applied;
use super::change;
use super::container;
use super::host;
use super::planned;
use gordon::docker::Listener;
use gordon::docker::Observed;
use gordon::docker::Op;
use gordon::docker::Process;
use gordon::docker::State;
use gordon::plan::Options;
use gordon::plan::simulate;
use gordon::spec::Transport;

const SHOP: &str = r#"
name = "shop"
apps.web = { image = "app:1", proxy = { hosts = ["shop.com"] } }
services.db = { image = "app:1", ports = ["127.0.0.1:5432:5432"] }
"#;

/// A socket at `address` and `port`, of a process of this name.
fn listener(address: &str, port: u16, name: &str) -> Listener {
    let process = (!name.is_empty()).then(|| Process { id: 7, name: name.to_owned() });
    Listener { address: address.parse().unwrap(), port, transport: Transport::Tcp, process }
}

/// The plan for a host with these sockets: its conflicts, or nothing.
fn conflicts(host: &Observed, sockets: &[Listener]) -> String {
    let host = Observed { listeners: sockets.iter().cloned().collect(), ..host.clone() };
    let planned = planned(SHOP, &host, &Options::default());
    if planned.contains("conflict") { planned } else { String::new() }
}

#[test]
fn a_port_that_a_process_has_is_a_conflict_before_anything_is_made() {
    assert_eq!(
        conflicts(
            &host(),
            &[
                listener("0.0.0.0", 80, "nginx"),
                listener("::", 443, ""),
                listener("0.0.0.0", 5432, "postgres")
            ]
        ),
        "conflict: port 80 of this host is in use by `nginx` (process 7), and `gordon-proxy` is to publish it\n\
         conflict: port 443 of this host is in use, and `gordon-proxy` is to publish it\n\
         conflict: port 5432 of this host is in use by `postgres` (process 7), and `shop-db` is to publish it\n"
    );
    for (address, port, is_conflict) in [
        ("127.0.0.1", 80, true),
        ("::1", 80, true),
        ("127.0.0.1", 5432, true),
        // not the address that it publishes
        ("127.0.0.2", 5432, false),
        ("::1", 5432, false),
        ("0.0.0.0", 81, false),
    ] {
        let told = conflicts(&host(), &[listener(address, port, "x")]);
        assert_eq!(!told.is_empty(), is_conflict, "{address} {port}: {told}");
    }
    let udp = Listener { transport: Transport::Udp, ..listener("0.0.0.0", 80, "x") };
    assert_eq!(conflicts(&host(), &[udp]), "");
}

#[test]
fn a_port_that_a_container_publishes_is_known_as_its_port() {
    let sockets =
        [listener("0.0.0.0", 80, ""), listener("0.0.0.0", 443, ""), listener("127.0.0.1", 5432, "")];
    let applied = applied(SHOP, &host());
    assert_eq!(conflicts(&applied, &sockets), "", "they are the project's own");
    let mut other = host();
    add_container(&mut other, "mall-edge", Some("mall"));
    change(&mut other, "mall-edge", |seen| {
        seen.state = State::Running;
        seen.ports = [80].into();
    });
    assert_eq!(
        conflicts(&other, &sockets[..1]),
        "conflict: port 80 of this host is published by container `mall-edge`, and `gordon-proxy` is to publish it\n"
    );
    assert_eq!(
        conflicts(&host(), &[listener("0.0.0.0", 80, "docker-proxy")]),
        "conflict: port 80 of this host is published by another container, and `gordon-proxy` is to publish it\n"
    );
}

#[test]
fn only_a_container_that_is_about_to_start_needs_its_port() {
    let mut host = applied(SHOP, &host());
    let sockets = [listener("0.0.0.0", 80, "nginx")];
    assert_eq!(conflicts(&host, &sockets), "", "it has the port already");
    simulate(&mut host, &Op::Stop { name: container("gordon-proxy"), timeout: Default::default() }).unwrap();
    assert_eq!(
        conflicts(&host, &sockets),
        "conflict: port 80 of this host is in use by `nginx` (process 7), and `gordon-proxy` is to publish it\n"
    );
}
