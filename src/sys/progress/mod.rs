//! Shows what happens while a plan is applied: live on a terminal, as plain lines elsewhere, or as JSON for machines.
//! Does not know why anything happens.

mod json;
mod layers;
mod live;
mod plain;
mod words;

pub use json::Json;
pub use live::Live;
pub use plain::Plain;
pub use words::count;

use crate::apply::Event;
use crate::apply::Report;
use crate::plan::Plan;

/// How the beginning and the end are worded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wording {
    /// What is done, for machines: `apply`.
    pub stage: &'static str,
    /// What has been done: `applied`.
    pub done: &'static str,
    /// What the person can do when not all was done, and what failed is mended; as a sentence without a full stop.
    pub next: Option<String>,
}

/// What shows the events of a run while a plan is applied.
pub trait Progress {
    /// `plan` is about to be carried out.
    fn begin(&mut self, plan: &Plan);

    /// Something happened.
    fn on_event(&mut self, plan: &Plan, event: &Event);

    /// It is over.
    fn end(&mut self, plan: &Plan, report: &Report);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::apply::Concealment;
    use crate::apply::fake::Fake;
    use crate::apply::run;
    use crate::apply::sample;
    use crate::docker::Op;
    use std::num::NonZeroUsize;
    use std::sync::atomic::AtomicBool;
    use std::sync::atomic::Ordering;
    use std::time::Duration;

    /// What `plan` gives when it is carried out one step at a time, and stopped after `stop_at` has started.
    fn shown(plan: &Plan, machine: &Fake, stop_at: Option<usize>, progress: &mut dyn Progress) {
        let interrupt = AtomicBool::new(false);
        progress.begin(plan);
        let jobs = NonZeroUsize::new(1).expect("not zero");
        let report = run(plan, machine, jobs, &interrupt, &Concealment::default(), &mut |event| {
            progress.on_event(plan, event);
            if matches!(event, Event::Started { step } if Some(step.index()) == stop_at) {
                interrupt.store(true, Ordering::Relaxed);
            }
        });
        progress.end(plan, &report);
    }

    fn wording() -> Wording {
        let next = Some("run this again: it does what is left".to_owned());
        Wording { stage: "apply", done: "applied", next }
    }

    fn check(name: &str, plan: &Plan, machine: &Fake, stop_at: Option<usize>) {
        let mut out = Vec::new();
        let mut plain = Plain::new(anstream::StripStream::new(&mut out), wording());
        shown(plan, machine, stop_at, &mut plain);
        drop(plain);
        snapshot(name, &String::from_utf8(out).expect("text"));
    }

    fn snapshot(name: &str, text: &str) {
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/snapshots"));
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        settings.bind(|| insta::assert_snapshot!(name, text));
    }

    /// A web app whose container ends at once, beside a network that docker refuses.
    fn troubled() -> (Plan, Fake) {
        let back = vec![
            Op::Stop { name: sample::container("shop-web"), timeout: Duration::from_secs(10) },
            Op::Remove { name: sample::container("shop-web") },
        ];
        // in this order one step runs after the other, although a wait takes no job
        let plan = sample::plan_with_undo(vec![
            (Op::Pull { image: sample::image("web:1"), platform: None }, vec![], vec![]),
            (sample::network("shop-alone"), vec![], vec![]),
            (Op::Pause { name: sample::container("shop-db") }, vec![0], vec![]),
            (sample::run("shop-web"), vec![2], vec![]),
            (sample::wait("shop-web"), vec![3], back),
            (sample::run("shop-api"), vec![4], vec![]),
            (sample::network("shop-other"), vec![5], vec![]),
        ]);
        let machine = Fake::default()
            .says("docker pull", "a: Pulling fs layer\nb: Pulling fs layer\na: Pull complete\nb: Pull complete\n")
            .fails("docker pause", 1, "Error response from daemon: Cannot pause container 85a8: OCI runtime pause failed: unable to freeze\n")
            .says("{{.State.Status}}", "exited none 0\n")
            .says(
                "{{json .State}}",
                "{\"Status\":\"exited\",\"ExitCode\":3,\"Error\":\"\",\"FinishedAt\":\"2024-01-01T00:00:00Z\"}\n2\n",
            )
            .says("docker logs", "1 \u{1b}[31mstarting\u{1b}[0m\n2 no database\n")
            .fails("docker stop", 1, "Error response from daemon: cannot stop container: shop-web\n")
            .fails(
                "shop-alone",
                1,
                "Error response from daemon: Pool overlaps with other one on this address space\n\nRun 'docker network create --help' for more information\n",
            );
        (plan, machine)
    }

    #[test]
    fn what_is_done_is_told_line_by_line() {
        let plan =
            sample::plan_of(vec![(sample::network("shop-1"), vec![]), (sample::wait("shop-web"), vec![0])]);
        check("progress-done", &plan, &Fake::default(), None);
    }

    #[test]
    fn what_fails_is_told_with_all_that_helps() {
        let (plan, machine) = troubled();
        check("progress-failed", &plan, &machine, None);
    }

    #[test]
    fn what_is_left_is_told() {
        check("progress-left", &sample::plan(&[&[], &[0], &[1]]), &Fake::default(), Some(1));
    }

    #[test]
    fn machines_are_told_the_same() {
        let (plan, machine) = troubled();
        let mut out = Vec::new();
        shown(&plan, &machine, None, &mut Json::new(&mut out, wording()));
        let text = String::from_utf8(out).expect("text");
        for line in text.lines() {
            let object: serde_json::Value = serde_json::from_str(line).expect("each line is JSON");
            assert_eq!(object["version"], 1);
        }
        snapshot("progress-json", &text);
    }
}
