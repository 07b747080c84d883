//! Requests to a published port from outside, and what became of each. Does not know what is deployed meanwhile.
//!
//! The rule: a request is sent once, and is answered or lost. It is answered when a whole answer of status 200 arrives
//! that has the text that is asked for. Whatever else happens once it is on its way is a loss: no connection to be had,
//! one that ends without an answer or in the midst of it, another status, another project's text, no answer in time. A
//! kept connection that the other side has closed before a request is sent on it is opened anew: nothing was asked on it.

use super::app::CONNECTIONS;
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::BufRead;
use std::io::BufReader;
use std::io::ErrorKind;
use std::io::Read;
use std::io::Write;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::thread;
use std::thread::JoinHandle;
use std::time::Duration;
use std::time::Instant;
use support::docker;
use support::tally::Tally;

/// How long one answer may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// A load that no test ends, ends by itself: each worker after this time, so many requests, or so many losses.
const LONGEST: Duration = Duration::from_secs(600);
const MOST: u64 = 1_000_000;
const TOO_MANY: u64 = 1000;

/// How many requests of one question are on their way at once.
const AT_ONCE: u32 = 10;

const UNANSWERED: &str = "the connection ended without an answer";

const ENDS: &str = "a worker counts to the end";

/// What is asked of whom.
#[derive(Clone, Debug)]
pub struct Question {
    port: u16,
    text: Vec<u8>,
    expected: String,
    /// The time from one request on a connection to the next at least.
    pace: Duration,
}

impl Question {
    /// A GET of `path` at `host`, whose answer has `expected` in it.
    pub fn get(port: u16, host: &str, path: &str, expected: &str) -> Self {
        Self::new(port, format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n"), expected)
    }

    /// A POST of a thousand bytes.
    pub fn post(port: u16, host: &str, path: &str, expected: &str) -> Self {
        let head = format!("POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 1000\r\n\r\n");
        Self::new(port, format!("{head}{:x<1000}", ""), expected)
    }

    fn new(port: u16, text: String, expected: &str) -> Self {
        Self { port, text: text.into_bytes(), expected: expected.to_owned(), pace: Duration::ZERO }
    }

    /// The same, asked no more than once in this time on each connection.
    pub fn every(self, pace: Duration) -> Self {
        Self { pace, ..self }
    }

    /// Asks once, over a connection of its own: the body of the answer, or what went wrong.
    pub fn ask(&self) -> Result<String, String> {
        self.ask_over(&mut Connection::open(self.port)?)
    }

    fn ask_over(&self, connection: &mut Connection) -> Result<String, String> {
        let (status, body) = connection.exchange(&self.text)?;
        if status == 200 && body.contains(&self.expected) {
            return Ok(body);
        }
        let first = body.lines().next().unwrap_or_default();
        Err(format!("{status}: {}", first.chars().take(100).collect::<String>()))
    }
}

/// A connection on which one request follows the other.
struct Connection {
    stream: BufReader<TcpStream>,
    /// The other side has said that it closes it.
    ends: bool,
}

impl Connection {
    fn open(port: u16) -> Result<Self, String> {
        let open = || {
            let stream = TcpStream::connect_timeout(&([127, 0, 0, 1], port).into(), PATIENCE)?;
            stream.set_nodelay(true)?;
            stream.set_read_timeout(Some(PATIENCE))?;
            stream.set_write_timeout(Some(PATIENCE))?;
            Ok(stream)
        };
        let stream = open().map_err(|error: std::io::Error| format!("no connection: {}", error.kind()))?;
        Ok(Self { stream: BufReader::new(stream), ends: false })
    }

    /// Whether the other side has not closed it since its last answer.
    fn is_open(&self) -> bool {
        let stream = self.stream.get_ref();
        let peek = || {
            stream.set_nonblocking(true)?;
            let answer = stream.peek(&mut [0]);
            stream.set_nonblocking(false)?;
            answer
        };
        !self.ends && peek().is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
    }

    /// Sends a request and reads its answer: status and body.
    fn exchange(&mut self, request: &[u8]) -> Result<(u16, String), String> {
        let closed = |_| UNANSWERED.to_owned();
        self.stream.get_mut().write_all(request).map_err(closed)?;
        let mut line = String::new();
        match self.stream.read_line(&mut line) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Err("no answer in time".to_owned()),
            Err(error) => return Err(closed(error)),
            Ok(0) => return Err(closed(ErrorKind::UnexpectedEof.into())),
            Ok(_) => {}
        }
        let status = line.split(' ').nth(1).and_then(|word| word.parse().ok());
        let status = status.ok_or_else(|| format!("no status in {line:?}"))?;
        let broken = |_| "the answer broke off".to_owned();
        let mut length = 0;
        loop {
            line.clear();
            self.stream.read_line(&mut line).map_err(broken)?;
            let (name, value) = match line.trim_end() {
                "" if line.is_empty() => return Err(broken(ErrorKind::UnexpectedEof.into())),
                "" => break,
                header => header.split_once(':').unwrap_or((header, "")),
            };
            let value = value.trim().to_lowercase();
            match name.to_lowercase().as_str() {
                "content-length" => length = value.parse().map_err(|_| format!("a length of {value}"))?,
                "connection" => self.ends = value == "close",
                "transfer-encoding" => return Err(format!("an answer that is {value}")),
                _ => {}
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).map_err(broken)?;
        Ok((status, String::from_utf8_lossy(&body).into_owned()))
    }
}

/// A websocket at `/websocket`, whose other side sends back what it is sent.
struct WebSocket(Connection);

impl WebSocket {
    fn open(port: u16, host: &str) -> Result<Self, String> {
        let mut connection = Connection::open(port)?;
        let request = format!(
            "GET /websocket HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: Z29yZG9uIHRlc3RzIGl0IQ==\r\n\r\n"
        );
        let (status, _) = connection.exchange(request.as_bytes())?;
        if status == 101 { Ok(Self(connection)) } else { Err(format!("{status} instead of a websocket")) }
    }

    /// Sends a short message, and reads it again. What a client sends is masked, here by zeros.
    fn echo(&mut self, message: &str) -> Result<String, String> {
        let length = u8::try_from(message.len()).expect("a short message");
        let frame = [&[0x81, 0x80 | length, 0, 0, 0, 0], message.as_bytes()].concat();
        let stream = &mut self.0.stream;
        let mut answer = vec![0; 2 + message.len()];
        let exchanged = stream.get_mut().write_all(&frame).and_then(|()| stream.read_exact(&mut answer));
        exchanged.map_err(|error| format!("the websocket was cut: {}", error.kind()))?;
        if answer[2..] == *message.as_bytes() {
            Ok(message.to_owned())
        } else {
            Err("another message".to_owned())
        }
    }
}

/// Requests of several kinds, one after the other on each of many connections, until told to stop.
pub struct Load {
    enough: Arc<AtomicBool>,
    workers: Vec<JoinHandle<Tally>>,
    errors_before: usize,
}

/// Asks each question so many `times`, ten at once, all of them side by side.
pub fn ask_all<const N: usize>(questions: &[Question; N], times: u32) -> [Tally; N] {
    let ask = |question: &Question| {
        let mut tally = Tally::default();
        for _ in 0..times / AT_ONCE {
            count(&mut tally, question.ask());
        }
        tally
    };
    thread::scope(|scope| {
        questions
            .each_ref()
            .map(|question| (0..AT_ONCE).map(|_| scope.spawn(move || ask(question))).collect::<Vec<_>>())
            .map(|workers| workers.into_iter().map(|worker| worker.join().expect(ENDS)).sum())
    })
}

/// What became of all requests of a load, as the clients saw it and as the proxy did.
#[derive(Debug)]
pub struct Outcome {
    pub tally: Tally,
    /// What the proxy itself could not have answered meanwhile, and how often.
    pub errors: BTreeMap<String, u64>,
}

impl Load {
    /// Nothing, yet.
    pub fn new() -> Self {
        Self { enough: Arc::default(), workers: Vec::new(), errors_before: errors().len() }
    }

    /// Asks over `count` connections that are kept from one request to the next.
    pub fn kept(self, count: u32, question: &Question) -> Self {
        (0..count).fold(self, |load, _| {
            let mut connection: Option<Connection> = None;
            load.worker(question.clone(), move |question| {
                let mut open = match connection.take().filter(Connection::is_open) {
                    Some(open) => open,
                    None => Connection::open(question.port)?,
                };
                let answer = question.ask_over(&mut open);
                connection = answer.is_ok().then_some(open);
                answer
            })
        })
    }

    /// Asks, `count` requests at once, over a new connection for each.
    pub fn new_each_time(self, count: u32, question: &Question) -> Self {
        (0..count).fold(self, |load, _| load.worker(question.clone(), Question::ask))
    }

    /// Holds a websocket at `host`, with ten messages a second. A cut is a loss.
    pub fn websocket(self, port: u16, host: &str) -> Self {
        let (host, mut websocket) = (host.to_owned(), None);
        let message = Question::get(port, &host, "/websocket", "").every(Duration::from_millis(100));
        self.worker(message, move |question| {
            let mut open = match websocket.take() {
                Some(open) => open,
                None => WebSocket::open(question.port, &host)?,
            };
            let answer = open.echo("are you there?");
            websocket = answer.is_ok().then_some(open);
            answer
        })
    }

    fn worker(
        mut self,
        question: Question,
        mut ask: impl FnMut(&Question) -> Result<String, String> + Send + 'static,
    ) -> Self {
        let enough = Arc::clone(&self.enough);
        self.workers.push(thread::spawn(move || {
            let (mut tally, begin) = (Tally::default(), Instant::now());
            while !enough.load(Ordering::Relaxed)
                && begin.elapsed() < LONGEST
                && tally.asked < MOST
                && tally.lost() < TOO_MANY
            {
                let asked = Instant::now();
                count(&mut tally, ask(&question));
                thread::sleep(question.pace.saturating_sub(asked.elapsed()));
            }
            tally
        }));
        self
    }

    /// Ends it once all that was sent is answered or lost.
    pub fn stop(self) -> Outcome {
        self.enough.store(true, Ordering::Relaxed);
        let tally = self.workers.into_iter().map(|worker| worker.join().expect(ENDS)).sum();
        let mut found = BTreeMap::new();
        for error in errors().into_iter().skip(self.errors_before) {
            *found.entry(error).or_default() += 1;
        }
        Outcome { tally, errors: found }
    }
}

impl Outcome {
    /// It is certain that none was lost, neither for the clients nor for the proxy, and that there was a load at all.
    #[track_caller]
    pub fn is_whole(&self, at_least: u64) {
        println!("through the proxy: {}", self.tally);
        assert!(self.tally.asked >= at_least, "hardly a load: {}", self.tally);
        assert!(self.tally.lost() == 0 && self.errors.is_empty(), "{}\n{:#?}", self.tally, self.errors);
    }

    /// The same, but for what reloads of the proxy cost: each of them may close a kept connection as a request is sent on it.
    #[track_caller]
    pub fn is_whole_but_for_reloads(&self, at_least: u64, reloads: u64) {
        println!("through the proxy, with {reloads} reloads: {}", self.tally);
        assert!(self.tally.asked >= at_least && self.errors.is_empty(), "{self:?}");
        assert!(self.tally.lost() <= reloads * u64::from(CONNECTIONS), "{}", self.tally);
        assert!(self.tally.losses.keys().all(|why| why == UNANSWERED), "{}", self.tally);
    }
}

/// Counts what became of one more request.
fn count(tally: &mut Tally, answer: Result<String, String>) {
    tally.asked += 1;
    match answer {
        Ok(body) => tally.see(&body, 1),
        Err(why) => tally.lose(&why, 1),
    }
}

/// The answers of status 5xx that the proxy gave of its own, each with its status and the end of its message: before that
/// are addresses.
fn errors() -> Vec<String> {
    let log = docker(["logs", "gordon-proxy"]);
    let lines = log.stderr.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    // what it asks itself, over its loopback, are questions of health
    let is_lost = |line: &Value| {
        line["status"].as_u64().is_some_and(|status| status >= 500)
            && line["request"]["remote_ip"] != "127.0.0.1"
    };
    let cause = |line: &Value| line["msg"].as_str()?.rsplit(": ").next().map(str::to_owned);
    let errors = lines.filter(is_lost);
    errors.map(|line| format!("{}: {}", line["status"], cause(&line).unwrap_or_default())).collect()
}
