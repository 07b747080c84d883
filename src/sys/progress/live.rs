//! Progress on a terminal: what runs moves at the bottom, what is done stays above it. Knows no pipes.

use super::Progress;
use super::Wording;
use super::layers::Layers;
use super::words;
use crate::apply::Event;
use crate::apply::Report;
use crate::plan::Plan;
use crate::plan::StepId;
use crate::render::Text;
use anstream::AutoStream;
use anstream::ColorChoice;
use anstream::adapter::strip_str;
use indicatif::MultiProgress;
use indicatif::ProgressBar;
use indicatif::ProgressStyle;
use std::collections::BTreeMap;
use std::fmt::Display;
use std::time::Duration;

/// How many steps have a line of their own while they run; more would push the others off the terminal.
const LINES: usize = 12;

/// How often what runs is drawn anew.
const TICK: Duration = Duration::from_millis(100);

/// Draws on the terminal of the standard error.
pub struct Live {
    lines: MultiProgress,
    running: BTreeMap<StepId, Running>,
    /// The last line: how far it all is.
    total: ProgressBar,
    wording: Wording,
}

struct Running {
    bar: ProgressBar,
    layers: Layers,
}

impl Live {
    /// Lines on the terminal.
    pub fn new(wording: Wording) -> Self {
        Self { lines: MultiProgress::new(), running: BTreeMap::new(), total: ProgressBar::hidden(), wording }
    }

    fn print(&self, lines: impl IntoIterator<Item = Text>) {
        let has_colour = AutoStream::choice(&std::io::stderr()) != ColorChoice::Never;
        for line in lines {
            let line = line.as_str();
            let line = if has_colour { line.to_owned() } else { strip_str(line).to_string() };
            // a terminal that is gone is no reason to stop
            let _ = self.lines.println(line);
        }
    }

    fn started(&mut self, plan: &Plan, step: StepId) {
        if self.running.len() < LINES {
            let bar = ProgressBar::new_spinner().with_style(style("{spinner} {wide_msg} {elapsed}"));
            let bar = self.lines.insert_before(&self.total, bar);
            bar.set_message(message(words::title(plan, step)));
            bar.enable_steady_tick(TICK);
            self.running.insert(step, Running { bar, layers: Layers::default() });
        }
    }

    fn ended(&mut self, step: StepId) {
        if let Some(Running { bar, .. }) = self.running.remove(&step) {
            bar.finish_and_clear();
            self.lines.remove(&bar);
        }
        self.total.inc(1);
    }
}

impl Progress for Live {
    fn begin(&mut self, plan: &Plan) {
        let total = ProgressBar::new(plan.steps().len() as u64);
        self.total = self.lines.add(total.with_style(style("  {pos} of {len} · {elapsed}")));
        self.total.enable_steady_tick(TICK);
    }

    fn on_event(&mut self, plan: &Plan, event: &Event) {
        match event {
            Event::Started { step } => self.started(plan, *step),
            Event::Line { step, text } => {
                if let Some(Running { bar, layers }) = self.running.get_mut(step) {
                    layers.read(text);
                    let far = layers.words().map(|far| format!(": {far}")).unwrap_or_default();
                    bar.set_message(message(format_args!("{}{far}", words::title(plan, *step))));
                }
            }
            Event::Finished { step, .. } | Event::DoneWithout { step, .. } | Event::Skipped { step, .. } => {
                self.ended(*step);
            }
            Event::Failed(failure) if failure.undoes == 0 => self.ended(failure.step),
            Event::Failed(failure) => {
                if let Some(Running { bar, .. }) = self.running.get(&failure.step) {
                    bar.set_message(message(format_args!(
                        "{}: undoing it",
                        words::title(plan, failure.step)
                    )));
                }
            }
            Event::Undone { step, undo, .. } if undo + 1 == plan.steps()[step.index()].undo.len() => {
                self.ended(*step);
            }
            Event::Undone { .. } | Event::Interrupted { .. } => {}
        }
        self.print(words::lines(plan, event));
    }

    fn end(&mut self, plan: &Plan, report: &Report) {
        for (_, Running { bar, .. }) in std::mem::take(&mut self.running) {
            bar.finish_and_clear();
        }
        self.total.finish_and_clear();
        self.print(words::summary(plan, report, &self.wording));
    }
}

/// The text beside a spinner.
fn message(words: impl Display) -> String {
    Text::of(words).to_string()
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("the template is well-formed")
}
