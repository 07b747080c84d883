//! Carries out a plan, step by step, side by side where it can, and tells what happens. Decides nothing: the plan says
//! what is to be done. Does not know who makes the docker calls or who reads the events.

mod conceal;
mod diagnosis;
mod event;
mod execute;
#[cfg(test)]
pub(crate) mod fake;
mod hint;
mod machine;
#[cfg(test)]
pub(crate) mod sample;
mod schedule;
mod ssh;
mod turn;

pub use conceal::Concealment;
pub use event::Cause;
pub use event::Diagnosis;
pub use event::Event;
pub use event::Failure;
pub use event::Report;
pub use hint::connection as connection_hint;
pub use machine::End;
pub use machine::Machine;
pub use machine::Outcome;
pub use schedule::Over;
pub use schedule::Schedule;
pub use schedule::State;
pub use ssh::Unreachable;
pub use ssh::unreachable;

use crate::plan::Plan;
use crate::plan::Step;
use crate::plan::StepId;
use execute::Executor;
use std::num::NonZeroUsize;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;
use turn::Turn;

/// How often `interrupt` is looked at while nothing else happens.
const POLL_INTERVAL: Duration = Duration::from_millis(100);

/// Carries out `plan` on `machine`, with at most `jobs` docker commands at once, not counting the questions of waits.
/// Everything is decided by docker's own words; events and the report show nothing that `concealment` hides.
///
/// Of a failed step only what needs it is skipped; the rest goes on. Once `interrupt` is set, commands that run go on to
/// their end, waits are left, and nothing more starts. `tell` hears everything, on the caller's thread, in an order that
/// could have been: a step's start before its end, a failure before what is skipped for it.
///
/// A command that takes too long is ended, and has failed: a pull after 30 minutes, a stop 30 seconds after the time that
/// it gives its container, a pause after 10 seconds, anything else after 2 minutes. A wait has the time limit of its probe.
pub fn run(
    plan: &Plan,
    machine: &dyn Machine,
    jobs: NonZeroUsize,
    interrupt: &AtomicBool,
    concealment: &Concealment,
    tell: &mut dyn FnMut(&Event),
) -> Report {
    let begin = machine.now();
    let mut schedule = Schedule::new(plan, jobs);
    let mut failures = Vec::new();
    let mut interrupted = false;
    let executor = Executor { machine, interrupt, concealment, asking: Turn::default() };
    let (sender, messages) = mpsc::channel();
    thread::scope(|scope| {
        loop {
            if !interrupted && interrupt.load(Ordering::Relaxed) {
                interrupted = true;
                schedule.halt();
                tell(&Event::Interrupted { running: schedule.running() });
            }
            if let Some(id) = schedule.start() {
                tell(&Event::Started { step: id });
                let (step, sender, executor) = (&plan.steps()[id.index()], sender.clone(), &executor);
                scope.spawn(move || work(executor, step, sender));
                continue;
            }
            if schedule.running() == 0 {
                break;
            }
            match messages.recv_timeout(POLL_INTERVAL) {
                Ok(Message::Event(event)) => {
                    let event = event.concealed(concealment);
                    tell(&event);
                    if let Event::Failed(failure) = event {
                        failures.push(*failure);
                    }
                }
                Ok(Message::Over(id, over)) => {
                    for step in schedule.finish(id, over) {
                        tell(&Event::Skipped { step, because: id });
                    }
                }
                Err(mpsc::RecvTimeoutError::Timeout) => {}
                Err(mpsc::RecvTimeoutError::Disconnected) => unreachable!("a sender is kept here"),
            }
        }
    });
    Report::new(&schedule, failures, machine.now().saturating_sub(begin), interrupted)
}

/// What a thread that does a step has to say.
enum Message {
    Event(Event),
    /// The last one.
    Over(StepId, Over),
}

/// Says how a step is over when it goes out of scope: also when its thread panics, for the others wait for it.
struct Last {
    step: StepId,
    over: Over,
    sender: mpsc::Sender<Message>,
}

impl Drop for Last {
    fn drop(&mut self) {
        // the receiver is gone when the listener itself has panicked
        let _ = self.sender.send(Message::Over(self.step, self.over));
    }
}

fn work(executor: &Executor<'_>, step: &Step, sender: mpsc::Sender<Message>) {
    let mut last = Last { step: step.id, over: Over::Failed, sender: sender.clone() };
    last.over = executor.execute(step, &mut |event| {
        let _ = sender.send(Message::Event(event));
    });
}

#[cfg(test)]
mod tests {
    use super::fake::Fake;
    use super::*;
    use crate::docker::Await;
    use crate::docker::Command;
    use crate::docker::Op;
    use crate::name::Image;
    use crate::name::Network;
    use crate::spec::HttpCheck;
    use crate::spec::Patience;
    use crate::spec::Prober;
    use crate::spec::Runtime;
    use crate::spec::Secret;
    use crate::spec::Statuses;
    use std::fmt::Write as _;
    use std::sync::Mutex;

    const SECOND: Duration = Duration::from_secs(1);

    const ONE: NonZeroUsize = NonZeroUsize::new(1).expect("not zero");

    /// What happens and what docker is asked, in order, when `plan` is carried out one step at a time.
    fn happens(plan: &Plan, machine: &Fake) -> (String, Report) {
        let mut told = String::new();
        let report =
            run(plan, machine, ONE, &AtomicBool::new(false), &Concealment::default(), &mut |event| {
                writeln!(told, "{event:?}").expect("a string takes all");
            });
        (told, report)
    }

    fn undo_of_replacement() -> Vec<Op> {
        vec![
            Op::Stop { name: sample::container("shop-web"), timeout: Duration::from_secs(10) },
            Op::Remove { name: sample::container("shop-web") },
            Op::Start { name: sample::container("shop-web-previous") },
        ]
    }

    #[test]
    fn every_step_is_done_after_what_it_needs() {
        let plan = sample::plan_of(vec![
            (sample::network("shop-network"), vec![]),
            (sample::run("shop-web"), vec![0]),
            (sample::wait("shop-web"), vec![1]),
        ]);
        let machine = Fake::default();
        let (_, report) = happens(&plan, &machine);
        assert!(report.is_complete());
        let calls = machine.calls();
        assert!(calls[0].starts_with("docker network create"));
        assert!(calls[1].starts_with("docker run"));
        let questions = calls[2..].iter().filter(|call| call.starts_with("docker container inspect"));
        assert_eq!((questions.count(), calls.len()), (5, 7), "5 s, asked after every second: {calls:#?}");
    }

    #[test]
    fn of_a_failed_step_only_what_needs_it_is_skipped() {
        let plan = sample::plan_of(vec![
            (sample::network("shop-1"), vec![]),
            (sample::run("shop-web"), vec![0]),
            (sample::network("shop-2"), vec![]),
        ]);
        let machine =
            Fake::default().fails("shop-1", 1, "Error response from daemon: Pool overlaps with other one");
        let (_, report) = happens(&plan, &machine);
        let ids: Vec<StepId> = plan.steps().iter().map(|step| step.id).collect();
        assert_eq!(report.states, [State::Failed, State::Skipped(ids[0]), State::Done]);
        assert_eq!((report.done(), report.failed(), report.skipped(), report.left()), (1, 1, 1, 0));
    }

    #[test]
    fn what_others_can_do_without_may_fail() {
        let name = sample::container("shop-web");
        let network = Network::parse("shop-network").expect("a network name");
        let away = Op::Disconnect { container: name.clone(), network };
        let plan = sample::plan_of(vec![
            (Op::Pause { name: name.clone() }, vec![]),
            (away, vec![0]),
            (Op::Unpause { name }, vec![0, 1]),
        ]);
        let machine = Fake::default()
            .fails("docker pause", 1, "OCI runtime pause failed: unable to freeze")
            .fails("docker unpause", 1, "Error response from daemon: Container 85a8 is not paused");
        let (told, report) = happens(&plan, &machine);
        assert!(report.is_complete() && report.failures.is_empty(), "{report:?}");
        assert_eq!(told.matches("DoneWithout").count(), 1, "{told}");
        let machine = Fake::default().fails("docker unpause", 1, "unable to thaw");
        assert_eq!(happens(&plan, &machine).1.failed(), 1, "a container that stays paused is no detail");
    }

    #[test]
    fn a_drain_ends_with_the_last_request_that_the_proxy_has_or_when_its_time_is_over() {
        let drain = |upstreams: &[&str]| {
            let upstreams = upstreams.iter().map(ToString::to_string).collect();
            let wait =
                Await::Drain { names: vec![sample::container("shop-web")], time: SECOND * 5, upstreams };
            sample::plan_of(vec![(Op::Await(wait), vec![])])
        };
        for (plan, machine, questions, times) in [
            (drain(&["10.2.0.4"]), Fake::default().says("exec gordon-proxy", "idle\n"), 1, 1..2),
            (
                drain(&["10.2.0.4"]),
                Fake::default().says_in_turn("exec gordon-proxy", &["busy", "busy", "idle"]),
                3,
                2..3,
            ),
            (drain(&["10.2.0.4"]), Fake::default().says("exec gordon-proxy", "busy\n"), 8, 5..6),
            (
                drain(&["10.2.0.4"]),
                Fake::default().fails("exec gordon-proxy", 1, "no such container"),
                8,
                5..6,
            ),
            (drain(&[]), Fake::default(), 1, 5..6),
        ] {
            let (told, report) = happens(&plan, &machine);
            assert!(report.is_complete(), "{told}");
            assert_eq!(machine.calls().len(), questions, "{:#?}", machine.calls());
            assert!(times.contains(&machine.now().as_secs()), "{:?}", machine.now());
        }
    }

    #[test]
    fn a_failure_holds_command_status_words_and_hint() {
        let plan = sample::plan_of(vec![(sample::network("shop-1"), vec![])]);
        let machine =
            Fake::default().fails("shop-1", 1, "Pool overlaps with other one on this address space\n");
        let (_, report) = happens(&plan, &machine);
        let failure = &report.failures[0];
        let Cause::Call { argv, end, stderr } = &failure.cause else { panic!("{failure:?}") };
        assert_eq!(argv[..3], ["docker", "network", "create"]);
        assert_eq!(*end, End::Status(1));
        assert_eq!(stderr, "Pool overlaps with other one on this address space\n");
        assert!(failure.hint.as_ref().is_some_and(|hint| hint.starts_with("10.208.1.0/24 was taken")));
    }

    #[test]
    fn the_log_of_a_container_that_died_is_read_before_it_is_removed() {
        let plan = sample::plan_with_undo(vec![(sample::wait("shop-web"), vec![], undo_of_replacement())]);
        let machine = Fake::default()
            .says("{{.State.Status}}", "exited none 0\n")
            .says("{{json .State}}", r#"{"Status":"exited","ExitCode":3,"OOMKilled":true,"Error":"","FinishedAt":"2024-01-01T00:00:00Z"}"#)
            .says("docker logs", "2024-01-01T00:00:00.200000000Z no database\n2024-01-01T00:00:00.100000000Z starting\n");
        let (_, report) = happens(&plan, &machine);
        let failure = &report.failures[0];
        assert!(matches!(&failure.cause, Cause::Hopeless { answer, .. } if answer == "exited none 0"));
        let diagnosis = failure.diagnosis.as_ref().expect("the container is there");
        assert_eq!(diagnosis.exit_status, Some(3));
        assert_eq!(diagnosis.log, ["starting", "no database"]);
        assert!(failure.hint.as_ref().is_some_and(|hint| hint.contains("memory")));
        let words = [
            "docker container",
            "docker container",
            "docker logs",
            "docker stop",
            "docker rm",
            "docker start",
        ];
        for (call, begins) in machine.calls().iter().zip(words) {
            assert!(call.starts_with(begins), "{call} begins with {begins}");
        }
    }

    #[test]
    fn a_container_that_ended_over_a_volume_of_another_that_runs_has_a_hint() {
        let plan = sample::plan_of(vec![(sample::wait("shop-web-next"), vec![])]);
        let with = |names: &str| {
            let machine = Fake::default()
                .says("{{.State.Status}}", "exited none 0\n")
                .says(
                    "{{json .State}}",
                    r#"{"Status":"exited","ExitCode":1,"FinishedAt":"2024-01-01T00:00:00Z"}"#,
                )
                .says(
                    "{{json .Mounts}}",
                    r#"[{"Type":"bind","RW":true},{"Name":"ro","RW":false},{"Name":"data","RW":true}]"#,
                )
                .says("docker ps --filter volume=data", names)
                .says("docker ps", "shop-reader\n")
                .says("docker logs", "1 database is locked\n");
            happens(&plan, &machine).1.failures[0].hint.clone()
        };
        let hint = with("shop-web-next\nshop-web\n").expect("they share it");
        assert!(hint.starts_with("shop-web has volume data open too"), "{hint}");
        assert_eq!(with("shop-web-next\n"), None, "no other container has it");
    }

    #[test]
    fn what_never_becomes_ready_fails_when_its_time_is_over_with_the_last_answer() {
        let name = sample::container("shop-db");
        let wait = Await::Healthy { name, timeout: Duration::from_secs(60) };
        let plan = sample::plan_of(vec![(Op::Await(wait), vec![])]);
        let machine = Fake::default().says("{{.State.Status}}", "running starting 0\n").says(
            "{{json .State}}",
            r#"{"Status":"running","Health":{"Log":[{"Output":"old"},{"Output":"no answer\n"}]}}"#,
        );
        let (_, report) = happens(&plan, &machine);
        let failure = &report.failures[0];
        let Cause::TooLate { limit, answer, .. } = &failure.cause else { panic!("{failure:?}") };
        assert_eq!((limit.as_secs(), answer.as_str()), (60, "running starting 0"));
        let diagnosis = failure.diagnosis.as_ref().expect("the container is there");
        assert_eq!((diagnosis.health.as_str(), diagnosis.exit_status), ("no answer", None));
        assert!((60..62).contains(&failure.after.as_secs()));
    }

    #[test]
    fn failures_count_from_the_end_of_the_start_period_until_they_are_too_many() {
        let check = HttpCheck {
            port: 80,
            path: "/up".to_owned(),
            host: "a.test".to_owned(),
            status: Statuses::default(),
            prober: Prober::Proxy,
            every: Duration::from_secs(1),
            patience: Some(Patience { start_period: Duration::from_secs(20), retries: 3 }),
        };
        let (name, timeout) = (sample::container("shop-web"), Duration::from_secs(60));
        let plan = sample::plan_of(vec![(Op::Await(Await::Answers { name, check, timeout }), vec![])]);
        let after = |failures| {
            let machine = Fake::default()
                .says("{{.State.Status}}", "running none 0\n")
                .fails_at_first(failures, "wget", 1, "500")
                .says("wget", "ready");
            let (_, report) = happens(&plan, &machine);
            report.failures.first().map(|failure| match &failure.cause {
                Cause::TooLate { limit, .. } => limit.as_secs(),
                cause => panic!("{cause:?}"),
            })
        };
        assert_eq!(after(15), None, "the start period is not over");
        assert!(after(100).is_some_and(|seconds| (20..26).contains(&seconds)), "{:?}", after(100));
    }

    #[test]
    fn what_is_waited_for_when_docker_is_gone_fails_with_docker_s_hint() {
        let plan = sample::plan_of(vec![(sample::wait("shop-web"), vec![])]);
        let machine = Fake::default().fails("docker", 1, "Cannot connect to the Docker daemon");
        let (_, report) = happens(&plan, &machine);
        let hint = report.failures[0].hint.as_ref();
        assert!(hint.is_some_and(|hint| hint.contains("start the docker daemon")), "{hint:?}");
    }

    #[test]
    fn a_wait_survives_a_restart_of_docker_and_gives_up_on_a_docker_that_is_gone() {
        let wait =
            || Await::Healthy { name: sample::container("shop-db"), timeout: Duration::from_secs(600) };
        let plan = sample::plan_of(vec![(Op::Await(wait()), vec![])]);
        let gone = "Cannot connect to the Docker daemon at unix:///var/run/docker.sock";
        let machine = Fake::default()
            .fails_at_first(40, "{{.State.Status}}", 1, gone)
            .says("{{.State.Status}}", "running healthy 0\n");
        let (_, report) = happens(&plan, &machine);
        assert!(report.is_complete(), "it is back after 24 s");
        let machine = Fake::default().fails("docker", 1, gone);
        let (_, report) = happens(&plan, &machine);
        let failure = &report.failures[0];
        let Cause::Hopeless { answer, .. } = &failure.cause else { panic!("{failure:?}") };
        assert_eq!(answer, gone);
        assert!((30..32).contains(&failure.after.as_secs()), "{:?}", failure.after);
        let hint = failure.hint.as_ref();
        assert!(hint.is_some_and(|hint| hint.contains("start the docker daemon")), "{hint:?}");
        // what an app says is no word of docker's own
        let machine = Fake::default().fails("{{.State.Status}}", 1, "Error response from daemon: busy");
        let (_, report) = happens(&plan, &machine);
        assert_eq!(report.failures[0].after.as_secs(), 600);
    }

    #[test]
    fn a_question_that_fails_is_put_again() {
        let plan = sample::plan_of(vec![(sample::wait("shop-web"), vec![])]);
        let machine =
            Fake::default().fails_once("{{.State.Status}}", 1, "Cannot connect to the Docker daemon");
        let (_, report) = happens(&plan, &machine);
        assert!(report.is_complete());
    }

    /// Its docker has no first answer about `shop-stuck` before it has one about `shop-web`.
    struct Stuck {
        others: Fake,
        answers: Mutex<mpsc::Sender<()>>,
        answered: Mutex<Option<mpsc::Receiver<()>>>,
    }

    impl Machine for Stuck {
        fn docker(&self, command: &Command, limit: Duration, line: &mut dyn FnMut(&str)) -> Outcome {
            let words = self.argv(command).concat();
            if words.contains("shop-stuck") {
                let answered = self.answered.lock().expect("no thread panics with it").take();
                let _ = answered.map(|answered| answered.recv_timeout(Duration::from_secs(60)));
                return self.others.docker(command, limit, line);
            }
            let outcome = self.others.docker(command, limit, line);
            let _ = self.answers.lock().expect("no thread panics with it").send(());
            outcome
        }

        fn argv(&self, command: &Command) -> Vec<String> {
            self.others.argv(command)
        }

        fn now(&self) -> Duration {
            self.others.now()
        }

        fn pause(&self, time: Duration) {
            self.others.pause(time);
        }
    }

    #[test]
    fn a_question_without_an_answer_keeps_nobody_else_from_asking() {
        let plan =
            sample::plan_of(vec![(sample::wait("shop-stuck"), vec![]), (sample::wait("shop-web"), vec![])]);
        let (answers, answered) = mpsc::channel();
        let (others, answers, answered) = (Fake::default(), Mutex::new(answers), Mutex::new(Some(answered)));
        let machine = Stuck { others, answers, answered };
        let two = NonZeroUsize::new(2).expect("not zero");
        let report = run(&plan, &machine, two, &AtomicBool::new(false), &Concealment::default(), &mut |_| {});
        assert!(report.is_complete());
        let calls = machine.others.calls();
        assert!(calls[0].contains("shop-web"), "{calls:#?}");
    }

    #[test]
    fn an_answer_has_to_stay_good() {
        let plan = sample::plan_of(vec![(sample::wait("shop-web"), vec![])]);
        let machine = Fake::default()
            .says_in_turn("{{.State.Status}}", &["running none 0", "created none 0", "running none 0"]);
        let (_, report) = happens(&plan, &machine);
        assert!(report.is_complete());
        assert_eq!(machine.calls().len(), 2 + 6, "5 s begin anew after a bad answer");
    }

    #[test]
    fn all_that_undoes_a_step_is_tried_even_when_some_of_it_fails() {
        let plan = sample::plan_with_undo(vec![(sample::run("shop-web"), vec![], undo_of_replacement())]);
        let machine = Fake::default().fails("docker run", 125, "port is already allocated").fails(
            "docker stop",
            1,
            "permission denied",
        );
        let (told, report) = happens(&plan, &machine);
        assert_eq!(report.failed(), 1);
        let begins = ["docker run", "docker stop", "docker rm", "docker start"];
        assert!(machine.calls().iter().zip(begins).all(|(call, begins)| call.starts_with(begins)));
        assert_eq!(told.matches("Undone").count(), 3);
        assert_eq!(told.matches("failure: None").count(), 2, "{told}");
    }

    #[test]
    fn an_undo_that_was_not_needed_has_not_failed() {
        let plan = sample::plan_with_undo(vec![(sample::run("shop-web"), vec![], undo_of_replacement())]);
        let gone = "Error response from daemon: No such container: shop-web";
        let machine = Fake::default()
            .fails("docker run", 125, "invalid env file")
            .fails("docker stop", 1, gone)
            .fails("docker rm", 1, gone)
            .fails("docker start", 1, "Error response from daemon: No such container: shop-web-previous");
        let (told, _) = happens(&plan, &machine);
        assert_eq!(told.matches("failure: None").count(), 2, "what cannot be started is missed: {told}");
    }

    #[test]
    fn a_container_of_somebody_else_that_took_the_name_is_not_undone() {
        let plan = sample::plan_with_undo(vec![(sample::run("shop-web"), vec![], undo_of_replacement())]);
        let taken = "Conflict. The container name \"/shop-web\" is already in use by container \"85a8\".";
        let machine = Fake::default().fails("docker run", 125, taken);
        let (_, report) = happens(&plan, &machine);
        assert_eq!((report.failed(), machine.calls().len()), (1, 1));
    }

    #[test]
    fn an_image_with_a_volume_that_the_plan_does_not_know_fails_the_step() {
        let expect = |known: &[&str]| Op::ExpectVolumes {
            image: sample::image("postgres:15"),
            known: known.iter().map(|path| (*path).to_owned()).collect(),
        };
        for (answer, known, complete) in [
            (r#"{"/data":{},"/log":{}}"#, &["/data"][..], false),
            (r#"{"/data/":{}}"#, &["/data", "/more"][..], true),
            ("null", &[][..], true),
        ] {
            let plan = sample::plan_of(vec![(expect(known), vec![])]);
            let (_, report) = happens(&plan, &Fake::default().says("docker image inspect", answer));
            assert_eq!(report.is_complete(), complete, "{answer} with {known:?} known");
            if let Some(failure) = report.failures.first() {
                assert!(
                    matches!(&failure.cause, Cause::UnknownVolumes { paths, .. } if paths[..] == ["/log"])
                );
            }
        }
    }

    #[test]
    fn a_pull_that_fails_names_what_is_on_the_host() {
        let plan =
            sample::plan_of(vec![(Op::Pull { image: sample::image("shop/web:2"), platform: None }, vec![])]);
        let machine = Fake::default()
            .fails(
                "docker pull",
                1,
                "Error response from daemon: manifest for shop/web:2 not found: manifest unknown",
            )
            .says("docker image ls", "web:1\n<none>:<none>\nother/web:2\nredis:7\n");
        let (_, report) = happens(&plan, &machine);
        assert_eq!(
            report.failures[0].hint.as_deref(),
            Some(
                "there is no such image: correct its name or tag in the config; on this host there is `other/web:2`, `web:1`"
            )
        );
    }

    #[test]
    fn a_pull_tells_every_line() {
        let plan =
            sample::plan_of(vec![(Op::Pull { image: sample::image("redis:7"), platform: None }, vec![])]);
        let (told, _) =
            happens(&plan, &Fake::default().says("docker pull", "a: Pulling fs layer\na: Pull complete\n"));
        assert_eq!(told.matches("Line").count(), 2);
    }

    /// How `plan` ends when the person asks to stop as soon as its first step has started.
    fn interrupted(plan: &Plan) -> Report {
        let interrupt = AtomicBool::new(false);
        run(plan, &Fake::default(), ONE, &interrupt, &Concealment::default(), &mut |event| {
            if matches!(event, Event::Started { .. }) {
                interrupt.store(true, Ordering::Relaxed);
            }
        })
    }

    #[test]
    fn once_interrupted_what_runs_goes_on_and_nothing_more_starts() {
        let report = interrupted(&sample::plan(&[&[], &[], &[0]]));
        assert_eq!(report.states, [State::Done, State::Waiting, State::Waiting]);
        assert_eq!((report.interrupted, report.left()), (true, 2));
    }

    #[test]
    fn once_interrupted_waits_are_left() {
        let report = interrupted(&sample::plan_of(vec![(sample::wait("shop-web"), vec![])]));
        assert_eq!(report.states, [State::Waiting]);
    }

    /// The events of `plan` when these secrets are hidden, and how it ends.
    fn happens_with(plan: &Plan, machine: &Fake, secrets: &[&str]) -> (String, Report) {
        let secrets: Vec<Secret> = secrets.iter().map(|value| Secret::new(*value)).collect();
        let mut told = String::new();
        let concealment = Concealment::of(&secrets);
        let report = run(plan, machine, ONE, &AtomicBool::new(false), &concealment, &mut |event| {
            writeln!(told, "{event:?}").expect("a string takes all");
        });
        (told, report)
    }

    #[test]
    fn a_secret_that_is_a_word_of_docker_changes_no_decision() {
        let wait = sample::plan_of(vec![(sample::wait("shop-web"), vec![])]);
        let (_, report) = happens_with(&wait, &Fake::default(), &["running"]);
        assert!(report.is_complete(), "{report:?}");

        let run = sample::plan_with_undo(vec![(sample::run("shop-web"), vec![], undo_of_replacement())]);
        let taken = "Conflict. The container name \"/shop-web\" is already in use by container \"85a8\".";
        let machine = Fake::default().fails("docker run", 125, taken);
        let (told, report) = happens_with(&run, &machine, &["already in use"]);
        assert_eq!(machine.calls().len(), 1, "a container of somebody else is not undone");
        assert!(report.failures[0].hint.as_ref().is_some_and(|hint| hint.contains("of this name was made")));
        assert!(told.contains("is … by container"), "{told}");
    }

    #[test]
    fn what_docker_and_containers_write_is_told_without_secrets() {
        let pull = Op::Pull { image: sample::image("redis:7"), platform: None };
        let pause = Op::Pause { name: sample::container("shop-db") };
        let plan = sample::plan_with_undo(vec![
            (pull, vec![], vec![]),
            (pause, vec![0], vec![]),
            (sample::wait("shop-web"), vec![1], undo_of_replacement()),
            (sample::network("shop-1"), vec![1], vec![]),
        ]);
        let machine = Fake::default()
            .says("docker pull", "pulling hunter2\n")
            .fails("docker pause", 1, "no pause for hunter2")
            .says("{{.State.Status}}", "exited hunter2\n")
            .says("{{json .State}}", r#"{"Status":"exited","Error":"of hunter2","Health":{"Log":[{"Output":"pair \u0026hunter2"}]}}"#)
            .says("docker logs", "1 log of hunter2\n")
            .fails("docker stop", 1, "cannot stop hunter2")
            .fails("docker network", 1, "cannot make hunter2");
        let (told, report) = happens_with(&plan, &machine, &["hunter2"]);
        assert_eq!(told.matches('…').count(), 8, "{told}");
        assert!(!told.contains("hunter2") && !format!("{report:?}").contains("hunter2"), "{told}");
    }

    #[test]
    fn a_secret_is_in_no_event() {
        let Op::Run(mut launch) = sample::run("shop-web") else { unreachable!("a run is made") };
        let key = crate::name::EnvKey::parse("PASSWORD").expect("a name");
        launch.runtime = Runtime { secrets: vec![key], ..launch.runtime };
        launch.image = Image::parse("web:1").expect("an image");
        let plan = sample::plan_of(vec![(Op::Run(launch), vec![])]);
        let machine = Fake::default().fails("docker run", 125, "no");
        let (told, _) = happens(&plan, &machine);
        assert!(told.contains(r#""--env", "PASSWORD""#), "{told}");
    }
}
