//! Configs: one schema, two syntaxes, all problems at once. Does not touch the disk, and does not know the host.

mod check;
mod decode;
mod enabled;
mod env_file;
mod environment;
mod folder;
mod foreign;
mod form;
mod literal;
mod manifest;
mod mount;
mod other_host;
mod problem;
mod publish;
mod read;
mod scalar;
mod schema;
mod setting;
mod snippet;
mod table;
mod tree;
mod upstream;
mod value;
mod variable;

pub use enabled::Enabled;
pub use env_file::EnvFileUse;
pub use env_file::Need;
pub use env_file::check_env_dir;
pub use env_file::check_env_files;
pub use env_file::env_files;
pub use environment::Environment;
pub use environment::SecretVariable;
pub use folder::check_mounted_paths;
pub use folder::mounted_paths;
pub use folder::watched_paths;
pub use literal::Notation;
pub use mount::Access;
pub use mount::EnvFile;
pub use mount::Mount;
pub use mount::MountSource;
pub use other_host::far_folders;
pub use other_host::other_server;
pub use problem::Colour;
pub use problem::Place;
pub use problem::Problem;
pub use problem::Severity;
pub use problem::Span;
pub use problem::collision;
pub use problem::has_errors;
pub use problem::nearest;
pub use problem::render;
pub use publish::Protocol;
pub use publish::Published;
pub use schema::App;
pub use schema::AppProxy;
pub use schema::AttachedTo;
pub use schema::Attachments;
pub use schema::Config;
pub use schema::DEFAULT_PROJECT;
pub use schema::Deploy;
pub use schema::Env;
pub use schema::Group;
pub use schema::Health;
pub use schema::HealthTest;
pub use schema::Isolation;
pub use schema::MemberAttachments;
pub use schema::Proxy;
pub use schema::Route;
pub use schema::Scope;
pub use schema::Service;
pub use schema::Site;
pub use schema::Strategy;
pub use schema::Volumes;
pub use schema::Workload;
pub use snippet::Snippet;
pub use tree::Syntax;
pub use value::Restart;
pub use variable::Filling;
pub use variable::Took;
pub use variable::VariableUse;
pub use variable::Variables;
pub use variable::variables_in;

use problem::Lines;
use std::collections::BTreeSet;

/// The text of a config.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// The path of its file, as people know it; its ending tells the syntax.
    pub path: &'a str,
    /// Its text.
    pub text: &'a str,
}

/// What a config says, and what is wrong with it.
#[derive(Debug)]
pub struct Loaded {
    /// The config; nothing when the text cannot be read at all. With errors among the problems, what is wrong is left
    /// out, and the rest is good for finding more problems only.
    pub config: Option<Config>,
    /// All that is wrong.
    pub problems: Vec<Problem>,
    /// The values in which values took the place of variables, in the order of the file.
    pub fillings: Vec<Filling>,
}

/// The config in a text without variables.
pub fn load(source: &Source<'_>) -> Loaded {
    load_with(source, &Variables::default())
}

/// The config in a text, with values in the place of its variables.
pub fn load_with(source: &Source<'_>, variables: &Variables) -> Loaded {
    let Some(syntax) = Syntax::of(source.path) else {
        let problem = Problem::error(0..0, "the syntax of the file is not known")
            .hint("end its name with `.toml`, `.yaml` or `.yml`");
        return Loaded { config: None, problems: vec![problem], fillings: Vec::new() };
    };
    let (mut problems, mut fillings) = (Vec::new(), Vec::new());
    let config = tree::parse(syntax, source.text, &mut problems).map(|mut root| {
        let broken = problems.len();
        fillings = variable::fill(&mut root, source.text, variables, &mut problems);
        let read = read::read(root, source.text, &mut problems);
        let config = check::check(read, &mut problems);
        drop_what_follows(source.text, broken, &mut problems);
        config
    });
    Loaded { config, problems, fillings }
}

/// Drops problems in lines of which one of the first `broken` problems says that they cannot be read.
fn drop_what_follows(text: &str, broken: usize, problems: &mut Vec<Problem>) {
    if broken == 0 {
        return;
    }
    let lines = Lines::of(text);
    let line = |problem: &Problem| match problem.place {
        Place::Config(start, _) => Some(lines.line(start)),
        Place::File(_) | Place::Line(..) => None,
    };
    let lines: BTreeSet<_> = problems[..broken].iter().map(line).collect();
    let rest = problems.split_off(broken);
    problems.extend(rest.into_iter().filter(|problem| !lines.contains(&line(problem))));
}

#[cfg(test)]
mod tests;
