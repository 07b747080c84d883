//! The folder of a config, and what is mounted of the host: what docker cannot be told of it, and what is missing. Does
//! not touch the disk.

use super::mount::Mount;
use super::mount::MountSource;
use super::problem::Problem;
use super::problem::Span;
use super::schema::Config;
use crate::name::visible;
use serde_spanned::Spanned;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::path::Path;

/// The paths of the host that the config mounts: absolute, or relative to its folder.
pub fn mounted_paths(config: &Config) -> BTreeSet<&str> {
    host_mounts(config).map(|(_, path)| path).collect()
}

/// The paths of the config's `folder` whose files are watched, each with the place of its first mount.
pub fn watched_paths<'c>(config: &'c Config, folder: &Path) -> BTreeMap<&'c str, Span> {
    let mut watched = BTreeMap::new();
    for (mount, path) in host_mounts(config).filter(|(mount, _)| mount.get_ref().is_watched()) {
        if folder.join(path).starts_with(folder) {
            watched.entry(path).or_insert_with(|| mount.span());
        }
    }
    watched
}

/// What is wrong with what the config mounts, for a config in `folder`, given those paths that are `missing`.
pub fn check_mounted_paths(config: &Config, folder: &Path, missing: &BTreeSet<&str>) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut relative = host_mounts(config).filter(|(_, path)| !path.starts_with('/'));
    if let Some(why) = unspeakable(folder)
        && let Some((first, path)) = relative.next()
    {
        let folder = folder.display().to_string();
        let message = format!("`./{path}` lies in `{}`, which docker cannot mount: {why}", visible(&folder));
        let mut problem =
            Problem::error(first.span(), message).hint("move the config into a folder with a plainer path");
        problem.also = relative.map(|(mount, _)| (mount.span(), "also here".to_owned())).collect();
        problems.push(problem);
    }
    for (mount, path) in host_mounts(config).filter(|(_, path)| missing.contains(path)) {
        let (beginning, hint) = match path.starts_with('/') {
            true => ("", "make it, or correct the path"),
            false => ("./", "make it, or correct the path: it is relative to the config's folder"),
        };
        let path = visible(path);
        let message = format!("`{beginning}{path}` is not there: docker would make an empty folder of it");
        problems.push(Problem::warning(mount.span(), message).hint(hint));
    }
    problems
}

fn host_mounts(config: &Config) -> impl Iterator<Item = (&Spanned<Mount>, &str)> {
    config.workloads().flat_map(|workload| &workload.mounts).filter_map(|mount| {
        match &mount.get_ref().source {
            MountSource::Host(path) | MountSource::Folder(path) => Some((mount, path.as_str())),
            MountSource::Named(_) | MountSource::External(_) => None,
        }
    })
}

/// Why a path cannot be part of an argument of `--volume`.
fn unspeakable(folder: &Path) -> Option<&'static str> {
    match folder.to_str() {
        None => Some("its path is not UTF-8"),
        Some(path) if path.contains(':') => Some("its path holds `:`"),
        Some(_) => None,
    }
}
