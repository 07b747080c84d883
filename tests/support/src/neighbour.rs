//! A load from inside a container: GETs by name, each over a new connection.

use crate::process::inside;
use crate::tally::Tally;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::time::Duration;

/// It ends by itself after ten minutes. Of several addresses the C library would always choose the nearest.
const ASK: &str = "
import collections, http.client, json, os, random, socket, sys, threading, time, urllib.parse
threads, pace, url = int(sys.argv[1]), float(sys.argv[2]), urllib.parse.urlsplit(sys.argv[3])
begin = time.monotonic()
answers = collections.Counter()

def ask():
    while not os.path.exists('/tmp/enough') and time.monotonic() - begin < 600:
        asked = time.monotonic()
        try:
            address = random.choice(socket.getaddrinfo(url.hostname, url.port, socket.AF_INET))[4][0]
            connection = http.client.HTTPConnection(address, url.port, timeout=60)
            connection.request('GET', url.path)
            answer = connection.getresponse()
            body = answer.read().decode()
            connection.close()
            answers[answer.status, body] += 1
        except (OSError, http.client.HTTPException) as error:
            answers[0, repr(error)] += 1
        time.sleep(max(0, asked + pace - time.monotonic()))

workers = [threading.Thread(target=ask) for _ in range(threads)]
for worker in workers: worker.start()
for worker in workers: worker.join()
json.dump([[*answer, count] for answer, count in answers.items()], sys.stdout)
";

/// Asks in a container until it is stopped.
pub struct Neighbour {
    container: String,
    child: Child,
}

impl Neighbour {
    /// Asks for `url` from inside `container`, as many requests at once as there are `threads`, each of which asks once in
    /// the time of `pace` at most.
    pub fn start(container: &str, threads: u32, pace: Duration, url: &str) -> Self {
        let (threads, pace) = (threads.to_string(), pace.as_secs_f64().to_string());
        inside(container, ["rm", "-f", "/tmp/enough"]).success();
        let child = Command::new("docker")
            .args(["exec", container, "python3", "-c", ASK, &threads, &pace, url])
            .stdout(Stdio::piped())
            .spawn()
            .expect("docker");
        Self { container: container.to_owned(), child }
    }

    /// Ends it, and tells what became of its requests.
    pub fn stop(self) -> Tally {
        inside(&self.container, ["touch", "/tmp/enough"]).success();
        let output = self.child.wait_with_output().expect("it ends");
        let answers: Vec<(u16, String, u64)> =
            serde_json::from_slice(&output.stdout).expect("it writes what it was answered");
        let mut tally = Tally::default();
        for (status, body, count) in answers {
            tally.asked += count;
            match status {
                200 => tally.see(&body, count),
                0 => tally.lose(&body, count),
                _ => tally.lose(&format!("{status}: {}", body.trim()), count),
            }
        }
        tally
    }
}
