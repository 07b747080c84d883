//! A status for people: a table of the containers, then what the config would have otherwise. Does not know whether it is
//! shown in colour.

use super::age;
use super::drift::Change;
use super::drift::changes;
use super::health;
use super::notes;
use super::state;
use crate::docker::NETWORK;
use crate::docker::SeenContainer;
use crate::docker::SeenMembership;
use crate::name::Image;
use crate::name::Network;
use crate::plan::Member;
use crate::plan::Place;
use crate::plan::ProxyStatus;
use crate::plan::RoutesState;
use crate::plan::Status;
use crate::plan::Unserved;
use crate::plan::WorkloadStatus;
use crate::render::Text;
use crate::render::block::Action;
use crate::render::text::OWNER;
use crate::render::text::QUIET;
use crate::render::text::WARNING;
use crate::render::text::sign;
use crate::render::words::one_line;
use anstyle::Style;
use std::time::Duration;
use std::time::SystemTime;

/// How many columns the table has.
const COLUMNS: usize = 7;

const HEAD: [&str; COLUMNS] = ["container", "image", "release", "serving", "state", "age", "addresses"];

/// The column of the state.
const STATE: usize = 4;

/// The status as text, as of `now`.
pub fn render(status: &Status<'_>, now: SystemTime) -> Text {
    let mut text = Text::default();
    let has_proxy = status.proxy.as_ref().is_some_and(|proxy| proxy.wanted.is_some());
    let table: Vec<(&str, Vec<Row>)> = status
        .owners
        .iter()
        .map(|owner| {
            let workloads = owner.workloads.iter().flat_map(|workload| rows(workload, has_proxy, now));
            let orphans = owner.orphans.iter().map(|member| Row::of(member, None, now));
            (owner.owner.as_str(), workloads.chain(orphans).collect())
        })
        .chain(status.proxy.iter().map(|proxy| ("proxy", vec![proxy_row(status, proxy, now)])))
        .collect();
    let head = Row { cells: HEAD.map(str::to_owned), state: QUIET, remarks: Vec::new() };
    let mut widths = [0; COLUMNS];
    for row in table.iter().flat_map(|(_, rows)| rows).chain([&head]) {
        for (width, cell) in widths.iter_mut().zip(&row.cells) {
            *width = cell.chars().count().max(*width);
        }
    }
    if !table.is_empty() {
        head.write(&mut text, &widths);
    }
    for (owner, rows) in &table {
        text.styled(OWNER, owner).end();
        for row in rows {
            row.write(&mut text, &widths);
        }
        text.end();
    }
    if !status.unmounted.is_empty() {
        text.styled(OWNER, "volumes that no container mounts").end();
        let width = status.unmounted.keys().map(|volume| volume.as_str().len()).max().unwrap_or(0);
        for (volume, size) in &status.unmounted {
            match size {
                Some(size) => text.add(format_args!("  {:width$}  {size}", volume.as_str())).end(),
                None => text.add("  ").line(volume),
            };
        }
        if status.unmounted.values().any(Option::is_none) {
            text.add("    ").styled(QUIET, "`docker system df --verbose` shows their sizes").end();
        }
        text.end();
    }
    let changes = changes(status);
    if !changes.is_empty() {
        text.styled(OWNER, "drift").end();
        for change in &changes {
            write_change(&mut text, change);
        }
        text.end();
    }
    write_obstacles(&mut text, status);
    let notes = notes(status);
    if !notes.is_empty() {
        text.styled(OWNER, "notes").end();
        for note in notes {
            text.add("  ·   ").line(one_line(&note));
        }
        text.end();
    }
    text.line(summary(status, !changes.is_empty()));
    text
}

/// A line of the table.
struct Row {
    cells: [String; COLUMNS],
    /// How the state is shown.
    state: Style,
    /// Lines below it.
    remarks: Vec<String>,
}

impl Row {
    /// `wanted` is the image that the config asks for.
    fn of(member: &Member<'_>, wanted: Option<&Image>, now: SystemTime) -> Self {
        let seen = member.seen;
        let image = match seen {
            Some(seen) => image(seen),
            None => wanted.map(Image::to_string).unwrap_or_default(),
        };
        let is_well = match member.place {
            Place::Serving => member.serves(),
            Place::Incoming | Place::Previous => true,
            Place::Release => seen.is_none_or(|seen| seen.exit_status.is_none_or(|status| status == 0)),
            Place::Orphan => false,
        };
        let cells = [
            member.name.to_string(),
            image,
            seen.map(|seen| seen.release.to_string()).unwrap_or_default(),
            String::new(),
            told(member),
            age(member, now).map(approximately).unwrap_or_default(),
            seen.map(addresses).unwrap_or_default(),
        ];
        Self { cells, state: if is_well { Style::new() } else { WARNING }, remarks: Vec::new() }
    }

    /// The cells side by side, the state in its style, and the remarks below.
    fn write(&self, text: &mut Text, widths: &[usize; COLUMNS]) {
        let last = self.cells.iter().rposition(|cell| !cell.is_empty()).unwrap_or(0);
        text.add("  ");
        for (at, (cell, width)) in self.cells.iter().zip(widths).enumerate().take(last + 1) {
            let gap = if at == last { 0 } else { width - cell.chars().count() + 2 };
            text.styled(if at == STATE { self.state } else { Style::new() }, cell);
            text.add(format_args!("{:gap$}", ""));
        }
        text.end();
        for remark in &self.remarks {
            text.add("    ").styled(QUIET, remark).end();
        }
    }
}

/// The rows of a workload: the first tells how many of it serve, and below the last are its hosts.
fn rows(workload: &WorkloadStatus<'_>, has_proxy: bool, now: SystemTime) -> Vec<Row> {
    let mut rows: Vec<Row> =
        workload.containers.iter().map(|member| Row::of(member, Some(workload.image), now)).collect();
    if let Some(first) = rows.first_mut() {
        first.cells[3] = format!("{} of {}", workload.serving, workload.wanted);
    }
    if let Some(last) = rows.last_mut() {
        let hosts =
            workload.route.into_iter().flat_map(|route| route.hosts.iter().map(move |host| (host, route)));
        last.remarks.extend(hosts.map(|(host, route)| {
            let why = match workload.unserved.get(host) {
                None => "",
                Some(Unserved::ProxyDown) => " (NOT SERVED: the proxy does not run)",
                Some(Unserved::NoRoute) => " (NOT SERVED: the proxy has no route for it)",
            };
            // as the proxy finds it, or a proxy of other people
            let target = if has_proxy { route.upstream() } else { route.target() };
            format!("{host} → {target}{why}")
        }));
    }
    rows
}

/// The row of the proxy, which has no releases; of the many networks that it may be on, its own is shown.
fn proxy_row(status: &Status<'_>, proxy: &ProxyStatus<'_>, now: SystemTime) -> Row {
    let (project, seen) = (status.project, proxy.container.seen);
    let mut row = Row::of(&proxy.container, proxy.wanted.map(|wanted| &wanted.image), now);
    let own = seen.and_then(|seen| seen.memberships.iter().find(|(network, _)| network.as_str() == NETWORK));
    row.cells[2] = String::new();
    row.cells[6] = own.map(address).unwrap_or_default();
    if let Some(seen) = seen {
        let ports: Vec<String> = seen.ports.iter().map(u16::to_string).collect();
        let ports = if ports.is_empty() {
            "no ports of the host".to_owned()
        } else {
            format!("ports {}", ports.join(" and "))
        };
        row.remarks.push(ports);
        row.remarks.extend(seen.maker.iter().map(|maker| format!("made by project {maker}")));
    }
    row.remarks.push(format!("tls of {project}: {}", proxy.tls.as_str()));
    row.remarks.push(match proxy.routes {
        RoutesState::Missing => format!("it has no routes of {project}"),
        RoutesState::Current => format!("it has the routes of {project}"),
        RoutesState::Outdated => format!("it has other routes of {project} than the config"),
        RoutesState::Orphan => format!("it has routes of {project}, which the config does not ask for"),
    });
    row
}

/// What a container was made of, as it was called then.
fn image(seen: &SeenContainer) -> String {
    match (&seen.past.image, &seen.image) {
        (Some(image), _) => image.to_string(),
        (None, Some(id)) => id.short().to_owned(),
        (None, None) => String::new(),
    }
}

/// What a container does, in words.
fn told(member: &Member<'_>) -> String {
    let Some(seen) = member.seen else { return "missing".to_owned() };
    let mut told = match (member.place, seen.exit_status) {
        (Place::Release, Some(0)) => "done".to_owned(),
        (Place::Release, Some(status)) => format!("failed with status {status}"),
        _ => state(member, seen.state).to_owned(),
    };
    if let Some(health) = health(member.health).filter(|_| seen.state.is_up()) {
        told.push_str(", ");
        told.push_str(health);
    }
    if member.is_unproved {
        told.push_str(", never ready");
    }
    match seen.restarts {
        0 => {}
        1 => told.push_str(", 1 restart"),
        count => told.push_str(&format!(", {count} restarts")),
    }
    told.push_str(match member.place {
        Place::Serving => "",
        Place::Incoming => " (incoming)",
        Place::Previous => " (previous)",
        Place::Release => " (release command)",
        Place::Orphan => " (not wanted)",
    });
    told
}

fn addresses(seen: &SeenContainer) -> String {
    seen.memberships.iter().map(address).collect::<Vec<_>>().join(" ")
}

fn address((network, membership): (&Network, &SeenMembership)) -> String {
    match membership.address {
        Some(address) => format!("{network}={address}"),
        None => network.to_string(),
    }
}

/// A time in its largest unit.
fn approximately(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min", seconds / 60),
        3600..86_400 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86_400),
    }
}

fn write_change(text: &mut Text, change: &Change<'_>) {
    let (sign, style) = sign(change.action);
    let plural = if change.names.len() == 1 { "" } else { "s" };
    text.add("  ").styled(style, format_args!("{sign:<3}"));
    text.add(format_args!(" {}{plural} ", change.thing.as_str())).styled(style, change.names.join(", "));
    text.add(format_args!(" would be {}: {}", done(change.action), change.reason));
    if let Some(cost) = change.cost {
        text.add("  ").styled(WARNING, format_args!("[{cost}]"));
    }
    text.end();
}

fn done(action: Action) -> &'static str {
    match action {
        Action::Pull => "pulled",
        Action::Check => "looked at",
        Action::Create => "created",
        Action::Update => "updated",
        Action::Replace => "replaced",
        Action::Remove => "removed",
        Action::Wait => "waited for",
    }
}

/// What would be left out, or why there is no plan.
fn write_obstacles(text: &mut Text, status: &Status<'_>) {
    match status.drift {
        Ok(plan) if plan.blocked.is_empty() => return,
        Ok(plan) => {
            text.styled(WARNING, "left out").end();
            for blocked in &plan.blocked {
                text.add("  ").styled(WARNING, "!").add("   ").line(one_line(&blocked.to_string()));
            }
        }
        Err(conflicts) => {
            text.styled(WARNING, "in the way").end();
            for conflict in conflicts {
                text.add("  ").styled(WARNING, "!").add("   ").line(one_line(&conflict.to_string()));
                text.add("      hint: ").line(one_line(&conflict.hint()));
            }
        }
    }
    text.end();
}

/// How many containers and hosts serve, and whether that is all that the config asks for.
fn summary(status: &Status<'_>, has_changes: bool) -> String {
    let workloads = || status.owners.iter().flat_map(|owner| &owner.workloads);
    let serving: u32 = workloads().map(|workload| workload.serving).sum();
    let wanted: u32 = workloads().map(|workload| workload.wanted).sum();
    let verdict = match status.drift {
        Err(_) => "what the config asks for cannot be planned",
        Ok(_) if has_changes => "`gordon plan` shows how this host would be brought to the config",
        Ok(plan) if !plan.blocked.is_empty() => "what is left out cannot be brought up",
        Ok(_) => "this host is as the config says",
    };
    let plural = if wanted == 1 { "" } else { "s" };
    let mut text = format!("{}: {serving} of {wanted} container{plural} serving", status.project);
    let unserved: usize = workloads().map(|workload| workload.unserved.len()).sum();
    match unserved {
        0 => {}
        1 => text.push_str(", 1 domain NOT SERVED"),
        count => text.push_str(&format!(", {count} domains NOT SERVED")),
    }
    format!("{text}; {verdict}")
}
