//! Runs a process to its end, or to its time limit with all that it has started. Does not know what it is for.

use crate::apply::End;
use crate::apply::Outcome;
use duct::Handle;
use os_pipe::PipeReader;
use rustix::process::Pid;
use rustix::process::Signal;
use std::io;
use std::io::BufRead;
use std::io::BufReader;
use std::io::Read;
use std::os::unix::process::CommandExt;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::ExitStatus;
use std::sync::mpsc;
use std::sync::mpsc::Receiver;
use std::sync::mpsc::RecvTimeoutError;
use std::sync::mpsc::SyncSender;
use std::thread;
use std::time::Duration;
use std::time::Instant;

/// How often it is looked whether a process that says nothing has ended.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// How long a process is listened to after its end: what it left behind may hold its outputs open for ever.
const OUTPUT_GRACE: Duration = Duration::from_secs(1);

/// How long a process that is asked to end may take, before it is made to.
const KILL_GRACE: Duration = Duration::from_secs(2);

/// A longer line is read in pieces, and told without its rest.
const LONGEST_LINE: u64 = 64 * 1024;

/// How many lines wait at most until they are taken.
const WAITING: usize = 1024;

/// A process that is to run. It hears no Ctrl-C: it has a process group of its own.
#[derive(Debug)]
pub(super) struct Process<'a> {
    /// An absolute path.
    pub(super) program: &'a Path,
    pub(super) arguments: Vec<String>,
    pub(super) folder: &'a Path,
    /// Beside the environment of this process.
    pub(super) environment: Vec<(&'a str, &'a str)>,
    /// `None`: it reads nothing.
    pub(super) stdin: Option<&'a str>,
    pub(super) limit: Duration,
    /// How many bytes it may write.
    pub(super) most: usize,
}

impl Process<'_> {
    /// Runs it; `line` gets each line of both outputs as it comes, without its end, and of a very long one the beginning.
    pub(super) fn run(&self, line: &mut dyn FnMut(&str)) -> Outcome {
        let mut outputs = Outputs::default();
        let end = self.try_run(line, &mut outputs).unwrap_or_else(|e| End::NotStarted(e.to_string()));
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Outcome { end, stdout: text(outputs.stdout), stderr: text(outputs.stderr) }
    }

    fn try_run(&self, line: &mut dyn FnMut(&str), outputs: &mut Outputs) -> io::Result<End> {
        // a limit beyond the clock's end is none
        let deadline = Instant::now().checked_add(self.limit);
        let (handle, pieces) = self.start()?;
        let heard = outputs.listen(&handle, &pieces, deadline, self.most, line)?;
        if heard == Heard::Everything {
            let ended = match deadline {
                Some(deadline) => handle.wait_deadline(deadline)?,
                None => Some(handle.wait()?),
            };
            if let Some(output) = ended {
                return Ok(end(output.status));
            }
        }
        end_group(&handle)?;
        if heard == Heard::TooMuch {
            return Ok(End::TooMuch(self.most));
        }
        outputs.listen(&handle, &pieces, None, self.most, line)?;
        Ok(End::TimedOut(self.limit))
    }

    fn start(&self) -> io::Result<(Handle, Receiver<Piece>)> {
        let (stdout, stdout_writer) = os_pipe::pipe()?;
        let (stderr, stderr_writer) = os_pipe::pipe()?;
        let process = duct::cmd(self.program, &self.arguments);
        let process = match self.stdin {
            Some(text) => process.stdin_bytes(text),
            None => process.stdin_null(),
        };
        let process = self.environment.iter().fold(process, |process, (key, value)| process.env(key, value));
        let handle = process
            .dir(self.folder)
            .stdout_file(stdout_writer)
            .stderr_file(stderr_writer)
            .unchecked()
            .before_spawn(|command| {
                command.process_group(0);
                Ok(())
            })
            .start()?;
        let (sender, pieces) = mpsc::sync_channel(WAITING);
        read(stdout, Stream::Out, sender.clone());
        read(stderr, Stream::Err, sender);
        Ok((handle, pieces))
    }
}

#[derive(Clone, Copy)]
enum Stream {
    Out,
    Err,
}

/// A line of an output, with its end where it has one; or a piece of a very long one.
type Piece = (Stream, Vec<u8>);

/// Reads until every writer has closed the pipe; the thread outlives its caller when one never does.
fn read(pipe: PipeReader, stream: Stream, sender: SyncSender<Piece>) {
    thread::spawn(move || {
        let mut pipe = BufReader::new(pipe);
        loop {
            let mut piece = Vec::new();
            match pipe.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut piece) {
                Ok(1..) if sender.send((stream, piece)).is_ok() => {}
                _ => return,
            }
        }
    });
}

#[derive(Default)]
struct Outputs {
    stdout: Vec<u8>,
    stderr: Vec<u8>,
}

/// How listening to a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Heard {
    /// There is no more, or the process has ended for a while.
    Everything,
    /// The time is over.
    TooLate,
    /// It wrote more than it may.
    TooMuch,
}

impl Outputs {
    /// Takes what comes, at most so many bytes.
    fn listen(
        &mut self,
        handle: &Handle,
        pieces: &Receiver<Piece>,
        deadline: Option<Instant>,
        most: usize,
        line: &mut dyn FnMut(&str),
    ) -> io::Result<Heard> {
        let mut silent_after = None;
        loop {
            let now = Instant::now();
            if deadline.is_some_and(|deadline| deadline <= now) {
                return Ok(Heard::TooLate);
            }
            if silent_after.is_some_and(|moment| moment <= now) {
                return Ok(Heard::Everything);
            }
            match pieces.recv_timeout(POLL_INTERVAL) {
                Ok((_, piece)) if self.stdout.len() + self.stderr.len() + piece.len() > most => {
                    return Ok(Heard::TooMuch);
                }
                Ok((stream, piece)) => self.take(stream, &piece, line),
                Err(RecvTimeoutError::Disconnected) => return Ok(Heard::Everything),
                Err(RecvTimeoutError::Timeout) => {
                    if silent_after.is_none() && handle.try_wait()?.is_some() {
                        silent_after = Some(now + OUTPUT_GRACE);
                    }
                }
            }
        }
    }

    fn take(&mut self, stream: Stream, piece: &[u8], line: &mut dyn FnMut(&str)) {
        let output = match stream {
            Stream::Out => &mut self.stdout,
            Stream::Err => &mut self.stderr,
        };
        let begins = output.last().is_none_or(|last| *last == b'\n');
        output.extend_from_slice(piece);
        if begins {
            line(String::from_utf8_lossy(piece).trim_end_matches(['\n', '\r']));
        }
    }
}

fn end(status: ExitStatus) -> End {
    match (status.code(), status.signal()) {
        (Some(code), _) => End::Status(code),
        (None, signal) => End::Signal(signal.expect("what ends without a status was ended by a signal")),
    }
}

/// Ends the process and all that it has started; at once when it does not end when it is asked to.
fn end_group(handle: &Handle) -> io::Result<()> {
    for signal in [Signal::TERM, Signal::KILL] {
        for id in handle.pids() {
            let group = i32::try_from(id).ok().and_then(Pid::from_raw).expect("a process has an id");
            // an error says that its last process has ended
            let _ = rustix::process::kill_process_group(group, signal);
        }
        if handle.wait_timeout(KILL_GRACE)?.is_some() {
            break;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Process<'_> {
        Process {
            program: Path::new("/bin/sh"),
            arguments: vec!["-c".to_owned(), script.to_owned()],
            folder: Path::new("/"),
            environment: Vec::new(),
            stdin: None,
            limit: Duration::from_secs(60),
            most: 1 << 20,
        }
    }

    fn quiet(_: &str) {}

    #[test]
    fn what_a_process_says_is_heard_as_it_comes_and_kept() {
        let (told, heard) = mpsc::channel();
        // it ends only when the first line was heard
        let folder = tempfile::tempdir().expect("a folder");
        let script = "echo pulling >&2; until [ -e heard ]; do sleep 0.01; done; printf 'a\\r\\nb'; exit 3";
        let process = Process { folder: folder.path(), ..shell(script) };
        let outcome = process.run(&mut |line| {
            std::fs::write(folder.path().join("heard"), "").expect("a file");
            told.send(line.to_owned()).expect("the receiver is there");
        });
        assert_eq!(outcome.end, End::Status(3));
        assert_eq!((outcome.stdout.as_str(), outcome.stderr.as_str()), ("a\r\nb", "pulling\n"));
        assert_eq!(heard.try_iter().collect::<Vec<_>>(), ["pulling", "a", "b"]);
    }

    #[test]
    fn of_a_very_long_line_the_beginning_is_told_and_all_is_kept() {
        let mut heard = Vec::new();
        let script = "head -c 300000 /dev/zero | tr '\\0' x; printf '\\nafter\\n'";
        let outcome = shell(script).run(&mut |line| heard.push(line.len()));
        assert_eq!(outcome.end, End::Status(0));
        assert_eq!(heard, [64 * 1024, "after".len()]);
        assert_eq!(outcome.stdout.len(), 300_000 + "\nafter\n".len());
    }

    #[test]
    fn a_process_that_writes_without_end_is_ended() {
        let outcome = Process { most: 1 << 20, ..shell("exec cat /dev/zero") }.run(&mut quiet);
        assert_eq!(outcome.end, End::TooMuch(1 << 20));
        assert!(outcome.stdout.len() <= 1 << 20);
        let outcome = shell("while :; do echo line; done >&2").run(&mut quiet);
        assert_eq!(outcome.end, End::TooMuch(1 << 20));
    }

    #[test]
    fn a_process_reads_what_it_is_fed_and_nothing_otherwise() {
        let fed = Process { stdin: Some("routes"), ..shell("cat") }.run(&mut quiet);
        assert_eq!(fed.stdout, "routes");
        assert_eq!(shell("cat").run(&mut quiet).end, End::Status(0));
    }

    #[test]
    fn a_process_that_does_not_end_is_ended_with_all_that_it_has_started() {
        // time enough for a busy machine to come to the last word
        let limit = Duration::from_secs(2);
        let outcome =
            Process { limit, ..shell("echo begin; sleep 1000 & echo $!; exec sleep 1000") }.run(&mut quiet);
        assert_eq!(outcome.end, End::TimedOut(limit));
        let grandchild = outcome.stdout.lines().nth(1).and_then(|id| id.parse().ok()).and_then(Pid::from_raw);
        let grandchild = grandchild.expect("its id");
        // it has its signal, and may be about to go
        let patience = Instant::now() + Duration::from_secs(30);
        while is_alive(grandchild) {
            assert!(Instant::now() < patience, "{}", outcome.stdout);
            thread::sleep(Duration::from_millis(10));
        }
    }

    #[test]
    fn a_process_that_will_not_end_is_made_to() {
        let limit = Duration::from_millis(300);
        let outcome = Process { limit, ..shell("trap '' TERM; while :; do sleep 0.1; done") }.run(&mut quiet);
        assert_eq!(outcome.end, End::TimedOut(limit));
    }

    #[test]
    fn what_a_process_leaves_behind_is_not_waited_for() {
        let outcome = shell("sleep 1000 & echo $!").run(&mut quiet);
        assert_eq!(outcome.end, End::Status(0));
        let left = outcome.stdout.trim().parse().ok().and_then(Pid::from_raw).expect("its id");
        assert!(is_alive(left));
        rustix::process::kill_process(left, Signal::KILL).expect("it was alive");
    }

    #[test]
    fn a_process_that_is_ended_by_a_signal_says_so() {
        assert_eq!(shell("kill -9 $$").run(&mut quiet).end, End::Signal(9));
    }

    #[test]
    fn a_program_that_is_not_there_is_not_started() {
        let process = Process { program: Path::new("/nowhere/docker"), ..shell("") };
        let End::NotStarted(cause) = process.run(&mut quiet).end else { panic!("it cannot start") };
        assert!(cause.contains("No such file"), "{cause}");
    }

    #[test]
    fn a_process_has_a_group_of_its_own_and_so_hears_no_ctrl_c() {
        let outcome = shell("cut -d' ' -f5 /proc/$$/stat; echo $$").run(&mut quiet);
        let (group, id) = outcome.stdout.trim().split_once('\n').expect("two lines");
        assert_eq!(group, id);
    }

    /// Whether the process runs; one that only waits to be buried does not.
    fn is_alive(id: Pid) -> bool {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", id.as_raw_nonzero())).unwrap_or_default();
        stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with('Z'))
    }
}
