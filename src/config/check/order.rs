//! Services start after others that stand beside them, and none after itself.

use crate::config::problem::Problem;
use crate::config::problem::nearest;
use crate::config::schema::Config;
use crate::config::schema::Service;
use crate::name::ShortName;
use serde_spanned::Spanned;
use std::collections::BTreeMap;

pub(super) fn check(config: &Config, problems: &mut Vec<Problem>) {
    let attached = config.attachments.iter().map(|attachments| &attachments.services);
    for services in attached.chain([&config.services]) {
        check_order(services, problems);
    }
}

fn check_order(services: &[Service], problems: &mut Vec<Problem>) {
    let places = services.iter().enumerate().map(|(place, service)| (service.name.get_ref().as_str(), place));
    let mut walk = Walk { services, places: places.collect(), path: Vec::new(), seen: BTreeMap::new() };
    for place in 0..services.len() {
        walk.visit(place, problems);
    }
}

/// A walk from each service to those that it starts after.
struct Walk<'a> {
    services: &'a [Service],
    places: BTreeMap<&'a str, usize>,
    /// The services from the first to the one that is visited.
    path: Vec<usize>,
    /// The services that were visited, and whether they are on the path.
    seen: BTreeMap<usize, bool>,
}

impl Walk<'_> {
    fn visit(&mut self, place: usize, problems: &mut Vec<Problem>) {
        if self.seen.contains_key(&place) {
            return;
        }
        self.seen.insert(place, true);
        self.path.push(place);
        for name in &self.services[place].after {
            match self.places.get(name.get_ref().as_str()) {
                None => problems.push(self.unknown(place, name)),
                Some(next) if self.seen.get(next) == Some(&true) => problems.push(self.cycle(*next, name)),
                Some(next) => self.visit(*next, problems),
            }
        }
        self.path.pop();
        self.seen.insert(place, false);
    }

    fn unknown(&self, place: usize, name: &Spanned<ShortName>) -> Problem {
        let own = self.services[place].name.get_ref().as_str();
        let known: Vec<&str> = self.places.keys().copied().filter(|known| *known != own).collect();
        let hint = match (nearest(name.get_ref().as_str(), known.iter().copied()), known.as_slice()) {
            (Some(known), _) => format!("did you mean `{known}`?"),
            (None, []) => "leave out `after`: this service is alone".to_owned(),
            (None, known) => format!("beside it are: `{}`", known.join("`, `")),
        };
        Problem::error(name.span(), format!("no service `{name}` stands beside `{own}`")).hint(hint)
    }

    /// `name` leads back to the service at `first`, which is on the path.
    fn cycle(&self, first: usize, name: &Spanned<ShortName>) -> Problem {
        let from = self.path.iter().position(|place| *place == first).unwrap_or_default();
        let names = self.path[from..]
            .iter()
            .chain([&first])
            .map(|place| self.services[*place].name.get_ref().as_str());
        let path = names.collect::<Vec<_>>().join(" → ");
        Problem::error(name.span(), format!("`{name}` would start after itself: {path}"))
            .hint("take one of them out of `after`")
    }
}
