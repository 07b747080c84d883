//! Who answers the questions for names that an engine does not know, as a host's resolver does.

use std::net::Ipv4Addr;
use std::net::UdpSocket;
use std::sync::Arc;
use std::sync::Mutex;
use std::thread;

/// Says of each name that it is not there, but for those of one domain.
pub struct Resolver(Arc<Mutex<Known>>);

#[derive(Default)]
struct Known {
    /// The names that it was asked for.
    asked: Vec<String>,
    /// A domain, and the address of all its names.
    domain: Option<(String, Ipv4Addr)>,
}

impl Resolver {
    /// Answers at this address until the process ends.
    pub fn start(address: Ipv4Addr) -> Self {
        let resolver = Self(Arc::default());
        let socket = UdpSocket::bind((address, 53)).expect("the port for names");
        let known = Arc::clone(&resolver.0);
        thread::spawn(move || {
            let mut packet = [0; 512];
            while let Ok((length, from)) = socket.recv_from(&mut packet) {
                let answer = known.lock().expect("what it knows").answer(&packet[..length]);
                // the client may be gone
                let _ = socket.send_to(&answer, from);
            }
        });
        resolver
    }

    /// From here on all names of a domain have this address.
    pub fn knows(&self, domain: &str, address: Ipv4Addr) {
        self.0.lock().expect("what it knows").domain = Some((domain.to_owned(), address));
    }

    /// The names that it was asked for.
    pub fn asked(&self) -> Vec<String> {
        self.0.lock().expect("what it knows").asked.clone()
    }
}

impl Known {
    /// The answer to a question: RFC 1035, section 4.
    fn answer(&mut self, question: &[u8]) -> Vec<u8> {
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
        let is_below = |domain: &str| name.strip_suffix(domain).is_some_and(|host| host.ends_with('.'));
        let known = self.domain.as_ref().filter(|(domain, _)| is_below(domain)).map(|(_, address)| *address);
        let code = if known.is_some() { 0 } else { 3 };
        let address = known.filter(|_| is_for_address);
        let mut answer = question[..2].to_vec();
        answer.extend([0x81, 0x80 | code, 0, 1, 0, u8::from(address.is_some()), 0, 0, 0, 0]);
        answer.extend(&question[12..end]);
        if let Some(address) = address {
            // the same name, an address, for a minute
            answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4]);
            answer.extend(address.octets());
        }
        self.asked.push(name);
        answer
    }
}
