//! A plan for people: what becomes of each thing, why, what it costs, and the commands, which can be pasted. Does not
//! know whether it is shown in colour.

use super::block::Action;
use super::block::Block;
use super::block::Thing;
use super::block::blocks;
use super::shown::Text;
use super::words::fold_visibly;
use super::words::here;
use super::words::one_line;
use crate::docker::Await;
use crate::docker::Cli;
use crate::docker::Op;
use crate::name::Network;
use crate::name::Volume;
use crate::plan::LeftData;
use crate::plan::Plan;
use crate::plan::Reason;
use crate::plan::Risk;
use crate::plan::Step;
use anstyle::AnsiColor;
use anstyle::Style;
use std::collections::BTreeMap;

pub(super) const OWNER: Style = Style::new().bold();
pub(super) const QUIET: Style = Style::new().dimmed();
pub(super) const WARNING: Style = AnsiColor::Yellow.on_default().bold();

/// How far commands stand from the left.
const INDENT: usize = 6;

/// The plan as text, `next` at its end: what the reader can do now, as a sentence.
pub fn render(plan: &Plan, cli: &Cli, next: Option<&str>) -> Text {
    let mut text = Text::default();
    let left = left_data(plan);
    for group in by_owner(blocks(plan)) {
        text.styled(OWNER, group[0].owner).end();
        for block in &group {
            write_block(&mut text, block, left.get(block.name).map_or(&[], Vec::as_slice), cli);
        }
        text.end();
    }
    if !plan.blocked.is_empty() {
        text.styled(WARNING, "left out").end();
        for blocked in &plan.blocked {
            text.add("  ").styled(WARNING, "!").add("   ").line(one_line(&blocked.to_string()));
        }
        text.end();
    }
    if !plan.notes.is_empty() {
        text.styled(OWNER, "notes").end();
        for note in &plan.notes {
            text.add("  ·   ").line(one_line(&note.to_string()));
        }
        text.end();
    }
    text.line(summary(plan));
    if let Some(next) = next {
        text.line(next);
    }
    text
}

/// The blocks of each owner, in the order of the first of each.
fn by_owner(blocks: Vec<Block<'_>>) -> Vec<Vec<Block<'_>>> {
    let mut places = BTreeMap::new();
    let mut groups: Vec<Vec<Block<'_>>> = Vec::new();
    for block in blocks {
        let place = *places.entry(block.owner).or_insert(groups.len());
        if place == groups.len() {
            groups.push(Vec::new());
        }
        groups[place].push(block);
    }
    groups
}

/// The plan in one line: how many of what are made, changed and removed, and what that costs.
pub fn summary(plan: &Plan) -> String {
    let blocks = blocks(plan);
    let mut parts = Vec::new();
    for (action, verb) in [
        (Action::Pull, "to pull"),
        (Action::Check, "to check"),
        (Action::Create, "to create"),
        (Action::Update, "to update"),
        (Action::Replace, "to replace"),
        (Action::Remove, "to remove"),
        (Action::Wait, "to wait for"),
    ] {
        let of = |thing| blocks.iter().filter(move |block| (block.action, block.thing) == (action, thing));
        let counts: Vec<String> =
            [Thing::Image, Thing::Network, Thing::Volume, Thing::Container, Thing::Fragment]
                .into_iter()
                .map(|thing| (of(thing).count(), thing.as_str()))
                .filter(|(count, _)| *count > 0)
                .map(|(count, thing)| format!("{count} {thing}{}", if count == 1 { "" } else { "s" }))
                .collect();
        if counts.is_empty() {
            continue;
        }
        let mut cost: Vec<&str> = Vec::new();
        for block in blocks.iter().filter(|block| block.action == action && action != Action::Remove) {
            cost.extend(costs(block).filter(|text| !cost.contains(text)));
        }
        let cost = if cost.is_empty() { String::new() } else { format!(" ({})", cost.join(", ")) };
        parts.push(format!("{} {verb}{cost}", counts.join(", ")));
    }
    if parts.is_empty() {
        return format!("{}: nothing to do", plan.project);
    }
    format!("{}: {}", plan.project, parts.join("; "))
}

/// By container, the volumes that it leaves behind.
fn left_data(plan: &Plan) -> BTreeMap<&str, Vec<&Volume>> {
    let mut left: BTreeMap<&str, Vec<&Volume>> = BTreeMap::new();
    for LeftData { container, volume } in &plan.left_data {
        left.entry(container.as_str()).or_default().push(volume);
    }
    left
}

fn write_block(text: &mut Text, block: &Block<'_>, left: &[&Volume], cli: &Cli) {
    let (sign, style) = sign(block.action);
    text.add("  ").styled(style, format_args!("{sign:<3}"));
    text.add(format_args!(" {} ", block.thing.as_str())).styled(style, block.name);
    text.add(": ").add(reason(block));
    if let Some(cost) = costs(block) {
        text.add("  ").styled(WARNING, format_args!("[{cost}]"));
    }
    text.end();
    for volume in left {
        let remark = format!("# leaves its data behind: {volume}");
        text.add(format_args!("{:INDENT$}", "")).styled(WARNING, remark).end();
    }
    for (i, step) in block.steps.iter().enumerate() {
        match step.op.command() {
            Some(command) => {
                let (feed, body) = command.stdin.as_deref().map(here).unwrap_or_default();
                let command = fold_visibly(cli, &command, INDENT);
                text.lines(&format!("{:INDENT$}{command}{feed}{body}", ""));
            }
            None => remark(text, &waited_for(&step.op)),
        }
        let is_last = block.steps.get(i + 1).is_none_or(|next| next.undo != step.undo);
        if is_last && !step.undo.is_empty() {
            remark(text, &format!("if that fails: {}", undone(&step.undo)));
        }
    }
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
    text.add(format_args!("{:INDENT$}", "")).styled(QUIET, format_args!("# {}", one_line(remark))).end();
}

pub(super) fn sign(action: Action) -> (&'static str, Style) {
    match action {
        Action::Pull | Action::Create => ("+", AnsiColor::Green.on_default()),
        Action::Update => ("~", AnsiColor::Yellow.on_default()),
        Action::Replace => ("-/+", AnsiColor::Yellow.on_default()),
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
                    | Reason::VolumesUnknown
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

/// What a block costs those who use the thing, in words.
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
        Op::Await(wait @ (Await::Healthy { timeout, .. } | Await::Answers { timeout, .. })) => {
            format!("{wait}, at most {}", humantime::format_duration(*timeout))
        }
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
    fn a_plan_reads_like_a_letter() {
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
  !   shop-api: its image api:2 cannot be had: manifest unknown: no such tag

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
        assert!(text.as_str().contains("\u{1b}[33m-/+\u{1b}[0m container"));
        for word in [
            "  -/+ container shop-db",
            "[interrupts]",
            "  ~   container",
            "[pauses 0.3 s]",
            "  -   volume",
            "[removes its data]",
        ] {
            assert!(plain(&sample::change()).contains(word), "{word}");
        }
    }

    #[test]
    fn what_is_shown_can_be_pasted() {
        for plan in [sample::first_start(), sample::change()] {
            let shown = plain(&plan);
            // the commands with their remarks; a word with a line break in it goes on without indentation
            let block: Vec<&str> =
                shown.lines().filter(|line| line.starts_with("      ") || line.starts_with("$'")).collect();
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
