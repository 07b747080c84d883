//! Progress for machines: one JSON object a line, in the words of `version` 1. Knows no terminal.

use super::Progress;
use super::Wording;
use super::words;
use crate::apply::Cause;
use crate::apply::Diagnosis;
use crate::apply::End;
use crate::apply::Event;
use crate::apply::Failure;
use crate::apply::Report;
use crate::plan::Plan;
use crate::plan::StepId;
use serde_json::Value;
use serde_json::json;
use std::io::Write;
use std::time::Duration;

/// The version of what is written; grows when a reader could misunderstand it.
const VERSION: u32 = 1;

/// Writes JSON.
pub struct Json<W> {
    out: W,
    wording: Wording,
}

impl<W: Write> Json<W> {
    /// Objects on `out`.
    pub fn new(out: W, wording: Wording) -> Self {
        Self { out, wording }
    }

    fn write(&mut self, mut object: Value) {
        object["version"] = VERSION.into();
        // the reader is gone: the run goes on
        let _ = writeln!(self.out, "{object}");
        let _ = self.out.flush();
    }
}

impl<W: Write> Progress for Json<W> {
    fn begin(&mut self, plan: &Plan) {
        self.write(json!({
            "event": "begin",
            "stage": self.wording.stage,
            "project": plan.project.as_str(),
            "steps": plan.steps().len(),
        }));
    }

    fn on_event(&mut self, plan: &Plan, event: &Event) {
        let object = match event {
            Event::Started { step } => {
                let of = &plan.steps()[step.index()];
                json!({ "event": "started", "step": number(*step), "title": of.op.to_string(), "owner": of.owner.as_str() })
            }
            Event::Line { step, text } => json!({ "event": "line", "step": number(*step), "text": text }),
            Event::Finished { step, after } => {
                json!({ "event": "finished", "step": number(*step), "seconds": seconds(*after) })
            }
            Event::DoneWithout { step, after, cause: why } => json!({
                "event": "done-without",
                "step": number(*step),
                "seconds": seconds(*after),
                "cause": cause(why),
            }),
            Event::Failed(failure) => failed(failure),
            Event::Undone { step, undo, failure } => json!({
                "event": "undone",
                "step": number(*step),
                "title": plan.steps()[step.index()].undo[*undo].to_string(),
                "cause": failure.as_ref().map(cause),
            }),
            Event::Skipped { step, because } => {
                json!({ "event": "skipped", "step": number(*step), "because": number(*because) })
            }
            Event::Interrupted { running } => json!({ "event": "interrupted", "running": running }),
        };
        self.write(object);
    }

    fn end(&mut self, _plan: &Plan, report: &Report) {
        self.write(json!({
            "event": "end",
            "stage": self.wording.stage,
            "done": report.done(),
            "failed": report.failed(),
            "skipped": report.skipped(),
            "left": report.left(),
            "seconds": seconds(report.took),
        }));
    }
}

/// Steps are counted from 1, as people do.
fn number(step: StepId) -> usize {
    step.index() + 1
}

/// To the millisecond: more is noise.
fn seconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 1000.0).round() / 1000.0
}

fn failed(failure: &Failure) -> Value {
    json!({
        "event": "failed",
        "step": number(failure.step),
        "seconds": seconds(failure.after),
        "cause": cause(&failure.cause),
        "hint": failure.hint,
        "container": failure.diagnosis.as_ref().map(diagnosis),
    })
}

fn cause(cause: &Cause) -> Value {
    match cause {
        Cause::Call { argv, end, stderr } => {
            json!({ "kind": "call", "argv": argv, "end": ended(end), "stderr": stderr })
        }
        Cause::Hopeless { argv, answer } => json!({ "kind": "hopeless", "argv": argv, "answer": answer }),
        Cause::TooLate { argv, limit, answer } => {
            json!({ "kind": "too-late", "argv": argv, "limit": seconds(*limit), "answer": answer })
        }
        Cause::UnknownVolumes { argv, image, paths } => {
            json!({ "kind": "unknown-volumes", "argv": argv, "image": image.as_str(), "paths": paths })
        }
    }
}

fn ended(end: &End) -> Value {
    match end {
        End::Status(status) => json!({ "status": status }),
        End::Signal(signal) => json!({ "signal": signal }),
        End::TimedOut(limit) => json!({ "limit": seconds(*limit) }),
        End::TooMuch(most) => json!({ "too-much": most }),
        End::NotStarted(cause) => json!({ "not-started": cause }),
    }
}

fn diagnosis(diagnosis: &Diagnosis) -> Value {
    json!({
        "name": diagnosis.container.as_str(),
        "status": diagnosis.status,
        "exit-status": diagnosis.exit_status,
        "restarts": diagnosis.restarts,
        "out-of-memory": diagnosis.out_of_memory,
        "error": diagnosis.error,
        "health": diagnosis.health,
        "log": diagnosis.log.iter().map(|line| words::cut(line)).collect::<Vec<_>>(),
    })
}
