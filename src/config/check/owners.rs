//! Groups have routes as members, and attachments belong to a route or a group.

use crate::config::problem::Problem;
use crate::config::problem::Span;
use crate::config::problem::collision;
use crate::config::problem::nearest;
use crate::config::read::Read;
use crate::config::schema::AttachedTo;
use crate::config::schema::Attachments;
use crate::config::schema::Config;
use crate::config::schema::Group;
use crate::name::Domain;
use crate::name::Label;
use crate::name::visible;
use serde_spanned::Spanned;
use std::collections::BTreeMap;
use std::collections::BTreeSet;

/// Looking for the nearest name reads all names, so it is done for this many.
const MOST_NEAREST: usize = 50;

/// The config with its groups checked and each of its attachments with its owner.
pub(super) fn check(read: Read, problems: &mut Vec<Problem>) -> Config {
    let mut nearest = Nearest { left: MOST_NEAREST };
    let mut config = read.config;
    for group in &mut config.groups {
        if let Some(domain) = read.domains.get(group.name.get_ref().as_str()) {
            problems.push(
                collision(
                    &Spanned::new(domain.clone(), ()),
                    &group.name,
                    format!("`{}` is a group and a route", group.name),
                )
                .hint("call the group something else"),
            );
        }
        check_members(group, &read.domains, &mut nearest, problems);
    }
    let mut attachments = Vec::with_capacity(read.attachments.len());
    for (owner, services) in read.attachments {
        match owner_of(&owner, &read.domains, &read.groups) {
            Owner::Known(to) => {
                attachments.push(Attachments { to: Spanned::new(owner.span(), to), services })
            }
            Owner::Wrong => {}
            Owner::Unknown => {
                let known = read.domains.keys().chain(read.groups.keys()).map(String::as_str);
                let hint = nearest.hint(owner.get_ref(), known).unwrap_or_else(|| {
                    "add it to `routes`, or to `network_groups` with the domains that share it".into()
                });
                let message = format!(
                    "attachments for `{}`, which is neither a route nor a group",
                    visible(owner.get_ref())
                );
                problems.push(Problem::error(owner.span(), message).hint(hint));
            }
        }
    }
    config.attachments = attachments;
    drop_empty_groups(&mut config, &read.empty_groups, problems);
    config
}

fn check_members(
    group: &mut Group,
    domains: &BTreeMap<String, Span>,
    nearest: &mut Nearest,
    problems: &mut Vec<Problem>,
) {
    let mut seen: BTreeMap<Domain, Span> = BTreeMap::new();
    let name = &group.name;
    group.members.retain(|member| {
        let domain = member.get_ref();
        if !domains.contains_key(domain.as_str()) {
            let hint = nearest
                .hint(domain.as_str(), domains.keys().map(String::as_str))
                .unwrap_or_else(|| "add it to `routes`".to_owned());
            problems.push(
                Problem::error(member.span(), format!("`{domain}` in group `{name}` has no route"))
                    .hint(hint),
            );
            return false;
        }
        if let Some(first) = seen.insert(domain.clone(), member.span()) {
            problems.push(
                Problem::warning(member.span(), format!("`{domain}` is in group `{name}` twice"))
                    .also(first, "first here")
                    .hint("remove one of them"),
            );
            return false;
        }
        true
    });
}

enum Owner {
    Known(AttachedTo),
    /// It is a key of routes or groups, and has been reported there.
    Wrong,
    Unknown,
}

fn owner_of(
    owner: &Spanned<String>,
    domains: &BTreeMap<String, Span>,
    groups: &BTreeMap<String, Span>,
) -> Owner {
    let name = owner.get_ref().as_str();
    let known = if domains.contains_key(name) {
        Domain::parse(name).ok().map(AttachedTo::Domain)
    } else if groups.contains_key(name) {
        Label::parse(name).ok().map(AttachedTo::Group)
    } else {
        return Owner::Unknown;
    };
    known.map_or(Owner::Wrong, Owner::Known)
}

/// A group without members has no network, and its services would serve no app.
fn drop_empty_groups(config: &mut Config, empty: &BTreeSet<Label>, problems: &mut Vec<Problem>) {
    let attached: BTreeMap<&AttachedTo, Span> = config
        .attachments
        .iter()
        .map(|attachments| (attachments.to.get_ref(), attachments.to.span()))
        .collect();
    for group in config.groups.iter().filter(|group| empty.contains(group.name.get_ref())) {
        let name = &group.name;
        problems.push(match attached.get(&AttachedTo::Group(name.get_ref().clone())) {
            Some(attached) => Problem::warning(
                name.span(),
                format!("the group `{name}` has no members: it and its attachments are ignored"),
            )
            .also(attached.clone(), "its attachments")
            .hint("name its domains, or remove it"),
            None => {
                Problem::warning(name.span(), format!("the group `{name}` has no members: it is ignored"))
                    .hint("name its domains, or remove it")
            }
        });
    }
    let is_empty = |to: &AttachedTo| matches!(to, AttachedTo::Group(name) if empty.contains(name));
    config.attachments.retain(|attachments| !is_empty(attachments.to.get_ref()));
    // also those of which no member was right
    config.groups.retain(|group| !group.members.is_empty());
}

/// Names that a word may be a misspelling of.
struct Nearest {
    left: usize,
}

impl Nearest {
    fn hint<'a>(&mut self, word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
        self.left = self.left.checked_sub(1)?;
        nearest(word, known).map(|near| format!("did you mean `{}`?", visible(near)))
    }
}
