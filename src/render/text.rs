//! A plan for people: what becomes of each thing, why, what it costs, and the commands, which can be pasted. Does not
//! know whether it is shown in colour.

use super::block::Action;
use super::block::Block;
use super::block::Thing;
use super::cost::Impact;
use super::overview;
use super::overview::Entry;
use super::overview::Overview;
use super::shown::Text;
use super::words::fold_visibly;
use super::words::here;
use super::words::one_line;
use crate::docker::Cli;
use crate::docker::Command;
use crate::docker::Op;
use crate::name::Network;
use crate::plan::Plan;
use crate::plan::Reason;
use crate::plan::Risk;
use crate::plan::Step;
use anstyle::AnsiColor;
use anstyle::Style;

pub(super) const OWNER: Style = Style::new().bold();
pub(super) const QUIET: Style = Style::new().dimmed();
pub(super) const WARNING: Style = AnsiColor::Yellow.on_default().bold();

/// Lines of people's words are broken before they are longer than this.
const WIDTH: usize = 80;

/// Where names begin.
const NAMES: usize = 14;

/// The column of the lines below an entry.
const BELOW: usize = 6;

/// Lines of facts are broken before they are longer than this.
const FACTS: usize = 90;

/// What gordon has written for the proxy is shown as far as it has no more lines.
const LONGEST_TEXT: usize = 12;

/// Names that are longer do not widen their column.
const WIDEST_NAME: usize = 30;

/// The plan as text: the overview, below it the commands, `next` at its end: what the reader can do now, as a sentence.
pub fn render(plan: &Plan, cli: &Cli, next: Option<&str>) -> Text {
    let mut text = overview(plan, cli, None);
    if !plan.is_empty() {
        text.end().append(&commands(plan, cli));
    }
    close(&mut text, plan, next);
    text
}

/// The same, and below the commands all that decides what happens, a line for each step: what a report of a fault needs.
pub fn verbose(plan: &Plan, cli: &Cli, next: Option<&str>) -> Text {
    let mut text = overview(plan, cli, None);
    if !plan.is_empty() {
        text.end().append(&commands(plan, cli));
    }
    text.end().styled(OWNER, "what decides").end();
    for line in LEGEND {
        text.styled(QUIET, line).end();
    }
    text.lines(&plan.to_string());
    close(&mut text, plan, next);
    text
}

/// How to read the lines of a plan.
const LEGEND: [&str; 4] = [
    "first what the plan expects of the host, else it changes nothing; then the steps, numbered as above:",
    "NUMBER [3 ~2]  it needs step 3 to succeed; `~`: step 2 has only to end",
    "(REASON); unless FACT  a step is left out when one of its facts holds at its turn",
    "undone by  what follows when it fails, `likewise` as in the line above; uninterruptible: Ctrl-C does not keep it from running",
];

/// What the reader can do now, where there is anything to do.
fn close(text: &mut Text, plan: &Plan, next: Option<&str>) {
    let Some(next) = next else { return };
    if !plan.is_empty() {
        text.end();
    }
    let mut commands = plan.steps().iter().filter_map(|step| step.op.command());
    let where_the_rest_is = if commands.all(|command| shortened(command).1 == 0) {
        ""
    } else if next.contains("--format sh") {
        ", with the lines left out here"
    } else {
        "; `--format sh` shows the lines left out"
    };
    text.line(format_args!("{next}{where_the_rest_is}"));
}

/// What changes, for whom, and at what cost; `next` at its end.
pub fn overview(plan: &Plan, cli: &Cli, next: Option<&str>) -> Text {
    let mut text = Text::default();
    let Overview { groups, cost } = overview::overview(plan);
    if !plan.is_empty() {
        text.styled(OWNER, format_args!("project {}", plan.project));
        if let Some(context) = &cli.context {
            text.styled(QUIET, format_args!(" · docker context {context}"));
        }
        text.end().end();
    }
    for group in &groups {
        text.styled(OWNER, group.owner.unwrap_or("shared by all projects of this host")).end();
        let beside = group.entries.iter().filter(|(entry, _)| !entry.what.is_empty());
        let widths = beside.map(|(entry, count)| width(&named(entry, *count)));
        let column = widths.filter(|width| *width <= WIDEST_NAME).max().unwrap_or_default();
        for (entry, count) in &group.entries {
            write_entry(&mut text, entry, *count, column);
        }
        text.end();
    }
    if !plan.blocked.is_empty() {
        text.styled(WARNING, "left out").end();
        for blocked in &plan.blocked {
            text.add("  ").styled(WARNING, "!").add(" ").line(one_line(&blocked.to_string()));
        }
        text.end();
    }
    if !plan.notes.is_empty() {
        text.styled(OWNER, "notes").end();
        for note in &plan.notes {
            text.add("  · ").line(one_line(&note.to_string()));
        }
        text.end();
    }
    if plan.is_empty() {
        text.line(format_args!("{}: nothing to do", plan.project));
    } else {
        let style = if cost.hurts() { WARNING } else { OWNER };
        text.styled(style, &cost).end();
    }
    if let Some(next) = next {
        text.line(next);
    }
    text
}

/// The name of what an entry is about, and how many there are of it.
fn named(entry: &Entry<'_>, count: usize) -> String {
    if count > 1 { format!("{} ×{count}", entry.name) } else { entry.name.clone() }
}

fn write_entry(text: &mut Text, entry: &Entry<'_>, count: usize, column: usize) {
    let (sign, style) = sign(entry.action);
    let name = named(entry, count);
    text.add("  ").styled(style, sign).add(format_args!(" {:<10}", entry.kind)).styled(style, &name);
    // that something is removed says its sign
    let impact = entry.impact.as_ref().filter(|impact| **impact != Impact::Removed);
    let style = if impact.is_some_and(Impact::hurts) { WARNING } else { Style::new() };
    let impact = impact.map(ToString::to_string).unwrap_or_default();
    let column = column.max(width(&name));
    if !entry.what.is_empty() {
        text.add(format_args!("{:1$}  ", "", column - width(&name))).add(&entry.what);
    }
    let fits = NAMES + column + 4 + width(&entry.what) + width(&impact) <= WIDTH;
    match (impact.is_empty(), fits) {
        (true, _) => text.end(),
        (false, true) => text.add("  ").styled(style, impact).end(),
        (false, false) => text.end().add(format_args!("{:BELOW$}", "")).styled(style, impact).end(),
    };
    for line in joined(&entry.facts, FACTS) {
        text.add(format_args!("{:BELOW$}", "")).styled(QUIET, line).end();
    }
    for volume in &entry.left {
        let remark = format!("! LEAVES ITS DATA BEHIND: volume {volume}");
        text.add(format_args!("{:BELOW$}", "")).styled(WARNING, remark).end();
    }
}

/// Facts with a point between them, in lines that are no longer than `width` where each fact is not.
fn joined(facts: &[String], longest: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for fact in facts {
        match lines.last_mut() {
            Some(line) if width(line) + 3 + width(fact) <= longest => {
                line.push_str(" · ");
                line.push_str(fact);
            }
            _ => lines.push(fact.clone()),
        }
    }
    lines
}

fn width(text: &str) -> usize {
    text.chars().count()
}

/// The commands in the order in which they can be run, with the numbers that their steps have.
fn commands(plan: &Plan, cli: &Cli) -> Text {
    let mut text = Text::default();
    let digits = plan.steps().len().to_string().len();
    let indent = digits + 2;
    let mut steps = plan.steps().iter().peekable();
    while let Some(step) = steps.next() {
        let number = format!("{:>digits$}", step.id.index() + 1);
        text.styled(QUIET, number).add("  ");
        match step.op.command() {
            Some(command) => {
                let (command, left_out) = shortened(command);
                let (feed, body) = command.stdin.as_deref().map(here).unwrap_or_default();
                let command = fold_visibly(cli, &command, indent);
                let omission =
                    if left_out > 0 { format!("  # {left_out} lines left out") } else { String::new() };
                text.lines(&format!("{command}{feed}{omission}{body}"));
            }
            None => remark(&mut text, &waited_for(&step.op)),
        }
        let is_last = steps.peek().is_none_or(|next| next.undo != step.undo);
        if is_last && !step.undo.is_empty() {
            text.add(format_args!("{:indent$}", ""));
            remark(&mut text, &format!("if that fails: {}", undone(&step.undo)));
        }
    }
    text
}

/// A command without what it reads, where that is long, and how many lines that has.
fn shortened(mut command: Command) -> (Command, usize) {
    let lines = |text: &str| Some(text.lines().count()).filter(|lines| *lines > LONGEST_TEXT);
    let left_out = command.stdin.as_deref().and_then(lines).unwrap_or_default();
    if left_out > 0 {
        command.stdin = None;
    }
    (command, left_out)
}

/// What is done when a step fails, in words.
fn undone(undo: &[Op]) -> String {
    let renamed = undo.iter().find_map(|op| match op {
        Op::Rename { from, to } => Some(format!("{from} comes back as {to}")),
        _ => None,
    });
    renamed.unwrap_or_else(|| undo.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))
}

/// A line that a shell passes over when it is pasted with the commands around it.
fn remark(text: &mut Text, remark: &str) {
    text.styled(QUIET, format_args!("# {}", one_line(remark))).end();
}

pub(super) fn sign(action: Action) -> (&'static str, Style) {
    match action {
        Action::Pull => ("↓", AnsiColor::Green.on_default()),
        Action::Create => ("+", AnsiColor::Green.on_default()),
        Action::Update => ("~", AnsiColor::Yellow.on_default()),
        Action::Replace => ("±", AnsiColor::Yellow.on_default()),
        Action::Remove => ("-", AnsiColor::Red.on_default()),
        Action::Check | Action::Wait => ("·", Style::new()),
    }
}

/// Why a thing is touched: each reason and each network once, and those that only follow from another left out.
pub(super) fn reason(block: &Block<'_>) -> String {
    let goes_along = |op: &Op| matches!(op, Op::Pause { .. } | Op::Unpause { .. });
    let follows = |step: &&&Step| {
        goes_along(&step.op) && step.reason != Reason::Paused
            || matches!(
                step.reason,
                Reason::MakesRoom
                    | Reason::TakesOver
                    | Reason::Leaves
                    | Reason::Replaced
                    | Reason::Ready
                    | Reason::Proved
                    | Reason::Older
                    | Reason::VolumesUnknown
                    | Reason::DockerAway
            )
    };
    let (following, leading): (Vec<&Step>, Vec<&Step>) = block.steps.iter().partition(follows);
    let mut reasons: Vec<(Option<&Network>, Vec<String>)> = Vec::new();
    for step in if leading.is_empty() { following } else { leading } {
        let network = match (&step.op, &step.reason) {
            (Op::Connect { membership, .. }, Reason::NotAttached | Reason::Aliases { .. }) => {
                Some(&membership.network)
            }
            (Op::Disconnect { network, .. }, Reason::Attached | Reason::Aliases { .. }) => Some(network),
            _ => None,
        };
        let reason = one_line(&step.reason.to_string());
        match reasons.iter_mut().find(|(other, _)| *other == network) {
            Some((_, same)) if same.contains(&reason) => {}
            Some((_, same)) => same.push(reason),
            None => reasons.push((network, vec![reason])),
        }
    }
    let parts = reasons.into_iter().map(|(network, reasons)| match network {
        Some(network) => format!("{} (network {network})", reasons.join(", ")),
        None => reasons.join("; "),
    });
    parts.collect::<Vec<_>>().join("; ")
}

/// What a block costs the users of the thing, in words.
pub(super) fn costs(block: &Block<'_>) -> Option<&'static str> {
    match block.risk() {
        Risk::None => None,
        Risk::Pauses => Some("pauses 0.3 s"),
        Risk::Interrupts => Some("interrupts"),
        Risk::Removes if block.thing == Thing::Volume => Some("removes its data"),
        Risk::Removes => Some("removes"),
    }
}

/// What a step that is no command looks at or waits for.
fn waited_for(op: &Op) -> String {
    match op {
        Op::Await(wait) => match wait.limit() {
            Some(limit) => format!("{wait}, at most {}", humantime::format_duration(limit)),
            None => wait.to_string(),
        },
        Op::ExpectVolumes { known, .. } if known.is_empty() => format!("{op}: it should declare none"),
        Op::ExpectVolumes { known, .. } => format!("{op}: it should declare none but {}", known.join(", ")),
        op => op.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::docker::Membership;
    use crate::name::Alias;
    use crate::name::Container;
    use crate::render::sample;
    use crate::render::sample::assert_text;

    fn plain(plan: &Plan) -> String {
        let text = render(plan, &Cli::default(), Some("`gordon apply` does this"));
        anstream::adapter::strip_str(text.as_str()).to_string()
    }

    #[test]
    fn what_changes_is_said_first_and_then_how() {
        assert_text!("render_text_first_start", plain(&sample::first_start()));
        assert_text!("render_text_change", plain(&sample::change()));
    }

    #[test]
    fn a_plan_without_steps_says_that_there_is_nothing_to_do() {
        let mut plan = Plan::new(sample::project());
        assert_eq!(render(&plan, &Cli::default(), None).as_str(), "shop: nothing to do\n");
        plan.blocked = sample::change().blocked;
        assert_eq!(
            anstream::adapter::strip_str(render(&plan, &Cli::default(), None).as_str()).to_string(),
            "\
left out
  ! shop-api: its image api:2 cannot be had: manifest unknown: no such tag

shop: nothing to do
"
        );
    }

    #[test]
    fn a_reason_names_a_network_once() {
        let mut plan = Plan::new(sample::project());
        let name = Container::parse("shop-web").expect("a name");
        let network = Network::parse("shop-network").expect("a name");
        let aliases = vec![Alias::parse("web").expect("an alias")];
        let membership = Membership { network: network.clone(), address: None, aliases: aliases.clone() };
        let leaves = Op::Disconnect { container: name.clone(), network: network.clone() };
        let joins = Op::Connect { container: name, membership };
        plan.push(sample::new("shop", leaves, Reason::Aliases { wanted: Vec::new() }));
        plan.push(sample::new("shop", joins, Reason::Aliases { wanted: aliases }));
        let text = plain(&plan);
        assert_eq!(text.matches(&format!("(network {network})")).count(), 1, "{text}");
    }

    #[test]
    fn colour_only_repeats_what_the_signs_say() {
        let text = render(&sample::change(), &Cli::default(), None);
        assert!(text.as_str().contains("\u{1b}[33m±\u{1b}[0m service"));
        for word in [
            "  ± service   postgres",
            "INTERRUPTED until ready (≤ 1m); the old one comes back if it fails",
            "  ~ container shop-web",
            "paused for 0.3 s",
            "  - volume",
            "REMOVED WITH ITS DATA",
        ] {
            assert!(plain(&sample::change()).contains(word), "{word}");
        }
    }

    #[test]
    fn what_is_shown_can_be_pasted() {
        for plan in [sample::first_start(), sample::change()] {
            let shown = plain(&plan);
            // the commands with their remarks, without the numbers before them
            let (_, commands) = shown.split_once("\n\n 1  ").expect("the commands begin with the first step");
            let (commands, _) = commands.rsplit_once("\n\n").expect("they end");
            let bare = |line: &str| match line.split_once("  ") {
                Some((number, command)) if number.trim().parse::<usize>().is_ok() => command.to_owned(),
                _ => line.to_owned(),
            };
            let block: Vec<String> = commands.lines().map(bare).collect();
            let docker = "docker() { printf '%s\\0' \"$@\"; printf '\\1\\0'; }";
            for name in ["bash", "busybox sh"] {
                let pasted = format!("{docker}\ncd /usr\n{}\n", block.join("\n"));
                let typed = sample::shell(name, &pasted);
                assert_eq!((typed.status, typed.stderr.as_str()), (0, ""), "{name}");
                let typed = String::from_utf8(typed.stdout).expect("the words are text");
                let mut typed: Vec<Vec<&str>> = typed
                    .split("\u{1}\0")
                    .filter(|line| !line.is_empty())
                    .map(|line| line.split_terminator('\0').collect())
                    .collect();
                let commands = plan.steps().iter().filter_map(|step| step.op.command());
                let mut meant: Vec<Vec<String>> =
                    commands.map(|command| command.argv(std::path::Path::new("/usr"))).collect();
                typed.sort();
                meant.sort();
                assert_eq!(typed, meant, "{name}");
            }
        }
    }
}
