//! The resolver of the host answers for every name of a routed domain: nobody but the engine may be asked for an app.

use super::fault_injection::Fault;
use super::fault_injection::Faulty;
use super::fault_injection::planned;
use super::probe::PROXY;
use super::probe::ask;
use std::io::Read;
use std::io::Write;
use std::net::Ipv4Addr;
use std::net::TcpListener;
use std::net::UdpSocket;
use std::sync::Arc;
use std::sync::Mutex;
use std::thread;
use support::Project;
use support::eventually;
use support::private_engine::RESOLVER;
use support::private_engine::SEARCHED;
use support::private_engine::with_private_engine;

const NAME: &str = "gtest-wildcard";
const HOST: &str = "blog.company.test";
const PORT: u16 = 3000;

#[test]
fn between_two_names_nobody_but_the_engine_is_asked_for_an_app() {
    with_private_engine(between_two_names_nobody_but_the_engine_is_asked_for_an_app, |_| cut_off());
}

fn cut_off() {
    let resolver = Resolver::start();
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
    assert!(asked.iter().all(|name| !is_answered(name)), "{asked:?}");

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

/// Whether there is a wildcard record for it.
fn is_answered(name: &str) -> bool {
    name.ends_with(&format!(".{SEARCHED}"))
}

/// Answers for every name of a domain with its own address, where a web server answers, too; of all others it says that they
/// are not there.
struct Resolver(Arc<Mutex<Vec<String>>>);

impl Resolver {
    fn start() -> Self {
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let socket = UdpSocket::bind((RESOLVER, 53)).expect("the port for names");
        let seen = Arc::clone(&asked);
        thread::spawn(move || {
            let mut packet = [0; 512];
            while let Ok((length, from)) = socket.recv_from(&mut packet) {
                let (name, answer) = answer(&packet[..length]);
                seen.lock().expect("a list").push(name);
                socket.send_to(&answer, from).expect("an answer");
            }
        });
        let server = TcpListener::bind((RESOLVER, PORT)).expect("the port of the app");
        thread::spawn(move || {
            for connection in server.incoming() {
                let mut connection = connection.expect("a connection");
                // whatever is asked
                let _ = connection.read(&mut [0; 4096]);
                let _ = connection.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nwrong\n");
            }
        });
        Self(asked)
    }

    /// The names that it was asked for.
    fn asked(&self) -> Vec<String> {
        self.0.lock().expect("a list").clone()
    }
}

/// The name that a question is for, and the answer: RFC 1035, section 4.
fn answer(question: &[u8]) -> (String, Vec<u8>) {
    let mut labels = Vec::new();
    let mut at = 12;
    while question[at] > 0 {
        let end = at + 1 + usize::from(question[at]);
        labels.push(String::from_utf8_lossy(&question[at + 1..end]).to_lowercase());
        at = end;
    }
    let name = labels.join(".");
    let end = at + 5;
    let is_for_address = question[at + 1..at + 3] == [0, 1];
    let count = u8::from(is_answered(&name) && is_for_address);
    let code = if is_answered(&name) { 0 } else { 3 };
    let mut answer = question[..2].to_vec();
    answer.extend([0x81, 0x80 | code, 0, 1, 0, count, 0, 0, 0, 0]);
    answer.extend(&question[12..end]);
    if count == 1 {
        // the same name, an address, for a minute
        answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4]);
        answer.extend(RESOLVER.parse::<Ipv4Addr>().expect("an address").octets());
    }
    (name, answer)
}
