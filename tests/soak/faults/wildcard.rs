//! The resolver of the host answers for every name of a routed domain: only the engine may be asked for an app.

use super::fault_injection::Fault;
use super::fault_injection::Faulty;
use super::fault_injection::planned;
use super::probe::PROXY;
use super::probe::ask;
use std::io::Read;
use std::io::Write;
use std::net::Ipv4Addr;
use std::net::TcpListener;
use std::thread;
use support::Project;
use support::eventually;
use support::private_engine::Engine;
use support::private_engine::RESOLVER;
use support::private_engine::SEARCHED;
use support::private_engine::with_private_engine;

const NAME: &str = "gtest-wildcard";
const HOST: &str = "blog.company.test";
const PORT: u16 = 3000;

#[test]
fn between_two_names_nobody_but_the_engine_is_asked_for_an_app() {
    with_private_engine(between_two_names_nobody_but_the_engine_is_asked_for_an_app, cut_off);
}

fn cut_off(engine: Engine) {
    let resolver = &engine.resolver;
    resolver.knows(SEARCHED, RESOLVER);
    answers(RESOLVER);
    let docker = Faulty::new();
    let project = Project::new(NAME, &[("gordon.toml", &config("web:1"))]);
    project.apply();
    eventually("the app answers", || is_of(&get(), "web:1"));

    project.write("gordon.toml", &config("web:2"));
    let gives_up = format!("rename {NAME}-{HOST} {NAME}-{HOST}-previous");
    let step = planned(&project).into_iter().find(|step| step.pattern == gives_up);
    docker.breaks(&[(&step.expect("the old release gives up its name"), Fault::KilledAfter)]);
    docker.gordon(&project, &["apply", "--yes"]);
    assert_eq!(docker.met(), 1);

    // the proxy asks anew every second
    let before = resolver.asked().len();
    eventually("the resolver is asked", || {
        let answer = get();
        assert!(is_of(&answer, "web:1"), "{answer}\n{:?}", resolver.asked());
        resolver.asked().len() > before
    });
    let answer = get();
    assert!(is_of(&answer, "web:1"), "{answer}");
    let asked = resolver.asked();
    assert!(asked.iter().all(|name| !name.ends_with(SEARCHED)), "{asked:?}");

    project.apply();
    eventually("the new release answers", || is_of(&get(), "web:2"));
    project.is_settled();
}

fn config(image: &str) -> String {
    format!(
        "name = \"{NAME}\"\n\
         proxy = {{ http_port = 18080, https_port = 18443, tls = \"off\" }}\n\
         deploy = {{ drain = \"2s\", stop_timeout = \"5s\" }}\n\
         [routes]\n\
         \"{HOST}\" = {{ image = \"{image}\", port = {PORT}, health = {{ path = \"/up\" }} }}\n"
    )
}

fn get() -> String {
    ask(PROXY, "GET", HOST, "/")
}

fn is_of(answer: &str, image: &str) -> bool {
    answer.starts_with("HTTP/1.1 200 ") && answer.contains(&format!("image: {image}"))
}

/// A web server at an address, whatever is asked of it.
fn answers(address: Ipv4Addr) {
    let server = TcpListener::bind((address, PORT)).expect("the port of the app");
    thread::spawn(move || {
        for connection in server.incoming() {
            let mut connection = connection.expect("a connection");
            let _ = connection.read(&mut [0; 4096]);
            let _ = connection.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nwrong\n");
        }
    });
}
