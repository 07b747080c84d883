//! A client that asks all the time, and counts what is lost. Does not know what happens meanwhile.

use std::io::BufRead;
use std::io::BufReader;
use std::io::Read;
use std::io::Write;
use std::net::TcpStream;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::thread;
use std::thread::JoinHandle;
use std::time::Duration;
use std::time::Instant;
use std::time::SystemTime;
use support::inside;

/// Where the proxy of the tests listens.
pub const PROXY: &str = "127.0.0.1:18080";

/// The time between two requests of one client: several tests ask at once.
const PAUSE: Duration = Duration::from_millis(30);

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(15);

/// What was asked, and what of it was lost.
#[derive(Clone, Debug, Default)]
pub struct Count {
    pub asked: u32,
    /// When, and what there was in place of an answer.
    pub lost: Vec<String>,
}

impl Count {
    /// Both together.
    pub fn and(mut self, other: Self) -> Self {
        self.asked += other.asked;
        self.lost.extend(other.lost);
        self
    }
}

/// Asks for hosts through the proxy, each over and over, by GET and by POST in turn, each time over a new connection.
pub struct ThroughProxy {
    enough: Arc<AtomicBool>,
    /// Each with the time at which the last request began that has got an answer.
    clients: Vec<(Arc<Mutex<Instant>>, JoinHandle<Count>)>,
}

impl ThroughProxy {
    pub fn start(hosts: &[String], path: &'static str) -> Self {
        let enough = Arc::new(AtomicBool::new(false));
        let client = |host: &String| {
            let (host, enough) = (host.clone(), Arc::clone(&enough));
            let answered = Arc::new(Mutex::new(Instant::now()));
            let last = Arc::clone(&answered);
            let client = move || {
                let mut count = Count::default();
                while !enough.load(Ordering::Relaxed) {
                    let method = if count.asked.is_multiple_of(2) { "GET" } else { "POST" };
                    let began = Instant::now();
                    let answer = ask(PROXY, method, &host, path);
                    *last.lock().expect("no thread panics with it") = began;
                    count.asked += 1;
                    if !answer.starts_with("HTTP/1.1 200 ") {
                        let first = answer.lines().next().unwrap_or_default();
                        let what = format!("{} {method} {host}: {first}", time());
                        println!("lost: {what}");
                        count.lost.push(what);
                    }
                    thread::sleep(PAUSE);
                }
                count
            };
            (answered, thread::spawn(client))
        };
        let clients = hosts.iter().map(client).collect();
        Self { enough, clients }
    }

    /// Whether every client has got an answer to a request that began after this time.
    pub fn has_answered_since(&self, time: Instant) -> bool {
        self.clients.iter().all(|(answered, _)| *answered.lock().expect("no thread panics with it") > time)
    }

    pub fn stop(mut self) -> Count {
        self.enough.store(true, Ordering::Relaxed);
        let counts = self.clients.drain(..).map(|(_, client)| client.join().expect("it ends"));
        counts.fold(Count::default(), Count::and)
    }
}

impl Drop for ThroughProxy {
    fn drop(&mut self) {
        self.enough.store(true, Ordering::Relaxed);
    }
}

/// What there is in answer to a request with a small body: the whole of it, or what went wrong.
pub fn ask(address: &str, method: &str, host: &str, path: &str) -> String {
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello"
    );
    let answer = || {
        let mut connection = TcpStream::connect(address)?;
        connection.set_read_timeout(Some(PATIENCE))?;
        connection.write_all(request.as_bytes())?;
        let mut answer = String::new();
        connection.read_to_string(&mut answer)?;
        Ok(answer)
    };
    answer().unwrap_or_else(|e: std::io::Error| e.to_string())
}

/// Asks from inside a container by the aliases of its neighbours.
pub struct ByAlias {
    container: String,
    child: Child,
}

const BY_ALIAS: &str = "
import http.client, os, sys, threading, time
path, hosts = sys.argv[1], sys.argv[2:]
asked = [0]
def ask(host):
    while not os.path.exists('/tmp/enough'):
        asked[0] += 1
        try:
            connection = http.client.HTTPConnection(host, timeout=10)
            connection.request('GET', path)
            answer = connection.getresponse()
            answer.read()
            lost = '' if answer.status == 200 else answer.status
            connection.close()
        except OSError as error:
            lost = error
        if lost:
            print(time.strftime('%H:%M:%S'), host, lost, flush=True)
        time.sleep(0.03)
clients = [threading.Thread(target=ask, args=(host,)) for host in hosts]
for client in clients: client.start()
for client in clients: client.join()
print(asked[0])
";

impl ByAlias {
    pub fn start(container: &str, aliases: &[String], path: &str) -> Self {
        inside(container, ["rm", "-f", "/tmp/enough"]).success();
        let child = Command::new("docker")
            .args(["exec", container, "python3", "-c", BY_ALIAS, path])
            .args(aliases)
            .stdout(Stdio::piped())
            .spawn()
            .expect("docker");
        Self { container: container.to_owned(), child }
    }

    pub fn stop(mut self) -> Count {
        inside(&self.container, ["touch", "/tmp/enough"]).success();
        let lines = BufReader::new(self.child.stdout.take().expect("a pipe")).lines();
        let mut lines: Vec<String> = lines.map_while(Result::ok).collect();
        self.child.wait().expect("it ends");
        let asked = lines.pop().and_then(|line| line.parse().ok());
        Count { asked: asked.expect("the last line is a number"), lost: lines }
    }
}

/// The time of day, as the clients in containers say it.
fn time() -> String {
    let seconds = SystemTime::UNIX_EPOCH.elapsed().expect("it is after 1970").as_secs() % 86400;
    format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// No request through the proxy was lost, and of those by alias fewer than 1 in 1,000.
#[track_caller]
pub fn nobody_noticed(proxy: &Count, alias: &Count) {
    println!(
        "through the proxy {} of {} lost, by alias {} of {}",
        proxy.lost.len(),
        proxy.asked,
        alias.lost.len(),
        alias.asked
    );
    assert!(proxy.lost.is_empty(), "through the proxy: {:#?}", proxy.lost);
    assert!(alias.lost.len() * 1000 < alias.asked as usize, "by alias: {:#?}", alias.lost);
}
