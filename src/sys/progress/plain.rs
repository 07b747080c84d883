//! Progress as plain lines, for logs and pipes: one for each step, as it ends. Knows no terminal.

use super::Progress;
use super::Wording;
use super::layers::Layers;
use super::words;
use crate::apply::Event;
use crate::apply::Report;
use crate::plan::Plan;
use crate::plan::StepId;
use crate::render::Text;
use std::collections::BTreeMap;
use std::io::Write;
use std::time::Duration;
use std::time::Instant;

/// After this long without a line, a pull says how far it is.
const SILENCE: Duration = Duration::from_secs(10);

/// Writes lines.
pub struct Plain<W> {
    out: W,
    wording: Wording,
    pulls: BTreeMap<StepId, Layers>,
    silence: Duration,
    last_line: Instant,
}

impl<W: Write> Plain<W> {
    /// Lines on `out`.
    pub fn new(out: W, wording: Wording) -> Self {
        Self { out, wording, pulls: BTreeMap::new(), silence: SILENCE, last_line: Instant::now() }
    }

    fn write(&mut self, lines: impl IntoIterator<Item = Text>) {
        for line in lines {
            self.last_line = Instant::now();
            // the reader is gone: the run goes on
            let _ = writeln!(self.out, "{line}");
        }
        let _ = self.out.flush();
    }
}

impl<W: Write> Progress for Plain<W> {
    fn begin(&mut self, _plan: &Plan) {}

    fn on_event(&mut self, plan: &Plan, event: &Event) {
        if let Event::Line { step, text } = event {
            let layers = self.pulls.entry(*step).or_default();
            if layers.read(text)
                && self.last_line.elapsed() >= self.silence
                && let Some(far) = layers.words()
            {
                self.write([Text::of(format_args!("  {}: {far}", words::title(plan, *step)))]);
            }
        }
        self.write(words::lines(plan, event));
    }

    fn end(&mut self, plan: &Plan, report: &Report) {
        self.write(words::summary(plan, report, &self.wording));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::apply::sample;
    use crate::docker::Op;

    fn written(silence: Duration) -> String {
        let plan =
            sample::plan_of(vec![(Op::Pull { image: sample::image("web:1"), platform: None }, vec![])]);
        let mut out = Vec::new();
        let wording = Wording { stage: "pull", done: "pulled", next: None };
        let mut plain = Plain { silence, ..Plain::new(&mut out, wording) };
        for text in ["a: Pulling fs layer", "b: Pulling fs layer", "a: Pull complete"] {
            plain.on_event(&plan, &Event::Line { step: plan.steps()[0].id, text: text.to_owned() });
        }
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn a_pull_says_how_far_it_is_only_after_a_silence() {
        assert_eq!(written(SILENCE), "");
        assert_eq!(written(Duration::ZERO), "  1/1 pull web:1: 1 of 2 layers\n");
    }
}
