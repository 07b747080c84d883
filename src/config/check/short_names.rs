//! To each workload, a short name that the config declares means one thing, over all the workload's networks.

use crate::config::problem::Problem;
use crate::config::problem::collision;
use crate::config::schema::AttachedTo;
use crate::config::schema::Config;
use crate::config::schema::MemberAttachments;
use crate::config::schema::Service;
use crate::name::Domain;
use crate::name::Label;
use crate::name::ShortName;
use serde_spanned::Spanned;
use std::collections::BTreeMap;
use std::collections::BTreeSet;

/// A service that a name means.
#[derive(Clone, Copy)]
struct Meaning<'c> {
    service: &'c Service,
    attached_to: &'c AttachedTo,
}

/// The names that a network answers to.
type Names<'c> = BTreeMap<&'c ShortName, Meaning<'c>>;

pub(super) fn check(config: &Config, problems: &mut Vec<Problem>) {
    check_project(config, problems);
    let groups_of = groups_of(config);
    let mut networks: BTreeMap<AttachedTo, Names<'_>> = BTreeMap::new();
    let is_private = config.isolation.member_attachments == MemberAttachments::Private;
    for attachments in &config.attachments {
        let attached_to = attachments.to.get_ref();
        let network = match attached_to {
            AttachedTo::Domain(domain) if !is_private => {
                match groups_of.get(domain).and_then(|groups| groups.first()) {
                    Some(group) => AttachedTo::Group((*group).clone()),
                    None => attached_to.clone(),
                }
            }
            _ => attached_to.clone(),
        };
        let names = networks.entry(network.clone()).or_default();
        for service in &attachments.services {
            let second = Meaning { service, attached_to };
            match names.get(service.name.get_ref()) {
                Some(first) => problems.push(two_meanings(*first, second, &network)),
                None => drop(names.insert(service.name.get_ref(), second)),
            }
        }
    }
    let mut reported = BTreeSet::new();
    for (domain, groups) in &groups_of {
        let to = AttachedTo::Domain((*domain).clone());
        let own = is_private.then(|| networks.get(&to)).flatten();
        let groups = groups.iter().filter_map(|group| networks.get(&AttachedTo::Group((*group).clone())));
        let joined: Vec<&Names<'_>> = own.into_iter().chain(groups).collect();
        for (index, first) in joined.iter().enumerate() {
            for second in &joined[index + 1..] {
                for (one, other) in in_both(first, second) {
                    // members of the same groups have the same problem
                    if reported.insert((one.service.name.span().start, other.service.name.span().start)) {
                        problems.push(two_meanings(one, other, &to));
                    }
                }
            }
        }
    }
}

/// The groups of each domain that is in one, in the order of the file.
fn groups_of(config: &Config) -> BTreeMap<&Domain, Vec<&Label>> {
    let mut groups_of: BTreeMap<&Domain, Vec<&Label>> = BTreeMap::new();
    for group in &config.groups {
        for member in &group.members {
            groups_of.entry(member.get_ref()).or_default().push(group.name.get_ref());
        }
    }
    groups_of
}

/// What two networks call the same; as many steps as the smaller one has names.
fn in_both<'c>(first: &Names<'c>, second: &Names<'c>) -> Vec<(Meaning<'c>, Meaning<'c>)> {
    let (small, large) = if first.len() <= second.len() { (first, second) } else { (second, first) };
    small.iter().filter_map(|(name, one)| large.get(name).map(|other| (*one, *other))).collect()
}

fn two_meanings(one: Meaning<'_>, other: Meaning<'_>, to: &AttachedTo) -> Problem {
    let (first, second) = if one.service.name.span().start <= other.service.name.span().start {
        (one, other)
    } else {
        (other, one)
    };
    let name = &first.service.name;
    let describe =
        |meaning: Meaning<'_>| format!("`{}` of `{}`", meaning.service.workload.image, meaning.attached_to);
    let what = match to {
        AttachedTo::Domain(domain) => format!("to `{domain}`"),
        AttachedTo::Group(group) => format!("in group `{group}`"),
    };
    let message =
        format!("`{name}` would mean two things {what}: {} and {}", describe(first), describe(second));
    let problem = collision(name, &second.service.name, message).hint("give one of them a `name` of its own");
    match (first.attached_to, second.attached_to, to) {
        (AttachedTo::Domain(_), AttachedTo::Domain(_), AttachedTo::Group(_)) => {
            problem.hint("or set `network_isolation.member_attachments` to `private`: each to its own member")
        }
        _ => problem,
    }
}

/// Apps and services of a Luma project share one network.
fn check_project(config: &Config, problems: &mut Vec<Problem>) {
    let mut seen: BTreeMap<&ShortName, (&Spanned<ShortName>, &str)> = BTreeMap::new();
    let apps = config.apps.iter().map(|app| (&app.name, "an app"));
    let services = config.services.iter().map(|service| (&service.name, "a service"));
    for (name, what) in apps.chain(services) {
        match seen.get(name.get_ref()) {
            Some((first, other)) => {
                let message = if *other == what {
                    format!("`{name}` would mean two things: it is the name of {what} twice")
                } else {
                    format!("`{name}` would mean two things: it is {other} and {what}")
                };
                problems.push(collision(first, name, message).hint("give one of them another name"));
            }
            None => drop(seen.insert(name.get_ref(), (name, what))),
        }
    }
}
