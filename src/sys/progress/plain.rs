//! Progress as plain lines, for logs and pipes: one as a step begins, one as it ends. Knows no terminal.

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

/// Writes lines.
pub struct Plain<W> {
    out: W,
    wording: Wording,
    pulls: BTreeMap<StepId, Layers>,
}

impl<W: Write> Plain<W> {
    /// Lines on `out`.
    pub fn new(out: W, wording: Wording) -> Self {
        Self { out, wording, pulls: BTreeMap::new() }
    }

    fn write(&mut self, lines: impl IntoIterator<Item = Text>) {
        for line in lines {
            // nobody reads on: what is being done goes on all the same
            let _ = writeln!(self.out, "{line}");
        }
        let _ = self.out.flush();
    }
}

impl<W: Write> Progress for Plain<W> {
    fn begin(&mut self, _plan: &Plan) {}

    fn hear(&mut self, plan: &Plan, event: &Event) {
        if let Event::Line { step, text } = event {
            let layers = self.pulls.entry(*step).or_default();
            if layers.hear(text)
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
