//! The one text form of a plan, for tests, `gordon plan --verbose` and bug reports: everything that decides
//! what happens, one line each. Does not know docker's commands.

use super::Expect;
use super::Plan;
use super::Risk;
use super::Step;
use super::StepId;
use crate::docker::Fact;
use std::fmt;

/// First come the plan's expectations of the host. Then come its steps, each with its number, its needs in
/// brackets (`~` marks steps that only have to end), its operation, its reason, the facts that make it
/// unnecessary, its undo, and its cost. Last come blocked workloads, left data and notes.
///
/// ```
/// use gordon::config;
/// use gordon::desired::{Inputs, resolve};
/// use gordon::docker::Observed;
/// use gordon::plan::{Options, diff};
///
/// let text = "name = \"shop\"\nproxy.enabled = false\nservices.db = \"redis:7\"";
/// let config = config::load(&config::Source { path: "gordon.toml", text }).config.expect("it is right");
/// let (desired, _) = resolve(&config, &Inputs::default());
/// let plan = diff(&desired, &Observed::default(), &Options::default()).expect("nothing is in its way");
/// let text = plan.to_string();
/// assert!(text.contains("\n1 [] pull redis:7 (not on this host); unless image redis:7\n"), "{text}");
/// assert!(text.contains("\n4 [2 3] run shop-db of redis:7 as release 1, on shop-network at "), "{text}");
/// ```
impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let expects = self.expects.iter().map(expectation);
        let before = [None].into_iter().chain(self.steps().iter().map(Some));
        let steps = self.steps().iter().zip(before).map(|(step, before)| line(step, before));
        let blocked = self.blocked.iter().map(|blocked| format!("left out: {blocked}"));
        let left = self.left_data.iter();
        let left = left.map(|left| format!("left behind: {} of {}", left.volume, left.container));
        let notes = self.notes.iter().map(|note| format!("note: {note}"));
        let mut lines = expects.chain(steps).chain(blocked).chain(left).chain(notes).peekable();
        if lines.peek().is_none() {
            return f.write_str("nothing\n");
        }
        lines.try_for_each(|line| writeln!(f, "{}", in_one_line(&line)))
    }
}

fn expectation(Expect { any, otherwise }: &Expect) -> String {
    format!("expects {}; otherwise: {otherwise}", any_of(any))
}

/// The line of a step, which follows the line of `before`.
fn line(step: &Step, before: Option<&Step>) -> String {
    let number = |id: &StepId| id.index() + 1;
    let needs = step.needs.iter().map(|id| number(id).to_string());
    let after = step.after.iter().map(|id| format!("~{}", number(id)));
    let first: Vec<String> = needs.chain(after).collect();
    let mut line = format!("{} [{}] {:#} ({})", number(&step.id), first.join(" "), step.op, step.reason);
    if !step.unless.is_empty() {
        line += &format!("; unless {}", any_of(&step.unless));
    }
    if !step.undo.is_empty() {
        let undo: Vec<String> = step.undo.iter().map(ToString::to_string).collect();
        match before {
            Some(before) if before.undo == step.undo => line += "; undone likewise",
            _ => line += &format!("; undone by: {}", undo.join(", ")),
        }
    }
    if step.uninterruptible {
        line += "; uninterruptible";
    }
    line + match step.risk {
        Risk::None => "",
        Risk::Pauses => "; pauses",
        Risk::Interrupts => "; interrupts",
        Risk::Removes => "; removes",
    }
}

fn any_of(facts: &[Fact]) -> String {
    facts.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or ")
}

/// Joins lines, so that no word of a config or of docker begins a line of the plan.
fn in_one_line(line: &str) -> String {
    line.lines().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::Container;
    use crate::name::Image;
    use crate::name::Owner;
    use crate::name::Project;
    use crate::plan::Blocked;
    use crate::plan::BlockedBy;

    #[test]
    fn dockers_error_never_begins_a_line() {
        let mut plan = Plan::new(Project::parse("shop").expect("a project"));
        let image = Image::parse("web:1").expect("an image");
        let cause = BlockedBy::Image { image, message: "no\n1 [] pull other:1".to_owned() };
        let container = Container::parse("shop-web").expect("a container");
        plan.blocked.push(Blocked { container, owner: Owner::from(&plan.project), cause });
        let text = "left out: shop-web: its image web:1 cannot be had: no 1 [] pull other:1\n";
        assert_eq!(plan.to_string(), text);
    }
}
