//! Env files: which ones a config needs, and lines that docker reads otherwise than people expect. Does not show what
//! their content, which may be secret.

use super::literal::Notation;
use super::mount::steps;
use super::problem::Problem;
use super::problem::Span;
use super::schema::Config;
use super::schema::Env;
use super::schema::Route;
use crate::name::Domain;
use crate::name::visible;
use std::collections::BTreeMap;
use std::collections::BTreeSet;

/// A place of a config that an env file belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnvFileUse {
    /// The file: absolute, or relative to the config's folder.
    pub path: String,
    /// Whether it has to be there.
    pub need: Need,
    /// What names or implies it.
    pub span: Span,
}

/// Whether an env file has to be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// The config names it, so it has to be there.
    Named,
    /// It is the domain's file, if there is one.
    Implied,
}

/// The env files that a config names or implies, in its order.
pub fn env_files(config: &Config) -> Vec<EnvFileUse> {
    let implied = config.routes.iter().map(|route| EnvFileUse {
        path: config.env.file_of(route.domain.get_ref()),
        need: Need::Implied,
        span: route.domain.span(),
    });
    let named = config.workloads().flat_map(|workload| &workload.env_files).map(|file| EnvFileUse {
        path: file.get_ref().as_str().to_owned(),
        need: Need::Named,
        span: file.span(),
    });
    implied.chain(named).collect()
}

impl Env {
    /// The env file of a domain: `env/api_company_com.env`.
    pub fn file_of(&self, domain: &Domain) -> String {
        let name = domain.as_str().replace(|c: char| !c.is_ascii_alphanumeric(), "_");
        self.path_in_dir(&format!("{name}.env"))
    }

    fn path_in_dir(&self, name: &str) -> String {
        let dir = self.dir.get_ref();
        if dir.is_empty() { name.to_owned() } else { format!("{}/{name}", dir.trim_end_matches('/')) }
    }
}

/// The most names in one warning.
const MOST_NAMES: usize = 10;

/// What is wrong with the folder of env files, given the names of the files in it, where it is there.
pub fn check_env_dir(config: &Config, names: Option<&[String]>) -> Vec<Problem> {
    let dir = &config.env.dir;
    let is_stated = !dir.span().is_empty();
    let Some(names) = names else {
        let problem = Problem::error(dir.span(), format!("there is no folder `{}`", visible(dir.get_ref())))
            .hint("make it, or correct its path; it is relative to the config's folder");
        return if is_stated { vec![problem] } else { Vec::new() };
    };
    let uses = env_files(config);
    let used: BTreeSet<Vec<&str>> = uses.iter().map(|file| steps(&file.path)).collect();
    let names = names.iter().filter(|name| name.ends_with(".env") && !name.starts_with('.'));
    let mut unused: Vec<String> = names.map(|name| config.env.path_in_dir(name)).collect();
    unused.retain(|path| !used.contains(&steps(path)));
    unused.sort_unstable();
    let Some(first) = unused.first() else { return Vec::new() };
    let shown: Vec<_> = unused.iter().take(MOST_NAMES).map(|path| format!("`{}`", visible(path))).collect();
    let more = match unused.len() - shown.len() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let message = format!("env files that no route has: {}{more}", shown.join(", "));
    let problem = match is_stated {
        true => Problem::warning(dir.span(), message),
        false => Problem::warning_about_file(first, message),
    };
    let hint = match config.routes.first() {
        Some(Route { domain, .. }) => {
            let file = config.env.file_of(domain.get_ref());
            format!("`{domain}` has `{file}`; any other file is named with `env_file`")
        }
        None => "apps and services name their files with `env_file`".to_owned(),
    };
    vec![problem.hint(hint)]
}

/// What is wrong with the env files of a config, given the texts of those that are there.
pub fn check_env_files(uses: &[EnvFileUse], texts: &BTreeMap<String, String>) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut implied_by: BTreeMap<&str, &Span> = BTreeMap::new();
    for EnvFileUse { path, need, span } in uses {
        match need {
            Need::Named if !texts.contains_key(path) => problems.push(
                Problem::error(span.clone(), format!("there is no env file `{}`", visible(path)))
                    .hint("make it, or correct its path; it is relative to the config's folder"),
            ),
            Need::Implied if texts.contains_key(path) => {
                if let Some(first) = implied_by.insert(path, span) {
                    problems.push(
                        Problem::warning(span.clone(), format!("`{path}` belongs to two domains"))
                            .also(first.clone(), "also to this one")
                            .hint("use `env_file` to give each a file of its own"),
                    );
                }
            }
            _ => {}
        }
    }
    let mut paths: Vec<&str> = uses.iter().map(|file| file.path.as_str()).collect();
    paths.sort_unstable();
    paths.dedup();
    for path in paths {
        if let Some(text) = texts.get(path) {
            check_text(path, text, &mut problems);
        }
    }
    problems
}

/// Docker reads no longer lines.
const LONGEST_LINE: usize = 64 * 1024;

fn check_text(path: &str, text: &str, problems: &mut Vec<Problem>) {
    let mut open_quote = None;
    let mut line_of: BTreeMap<&str, usize> = BTreeMap::new();
    for (number, line) in (1..).zip(text.trim_start_matches('\u{feff}').lines()) {
        let refused = refusal(line, open_quote.is_some());
        let is_readable = refused.is_none();
        problems
            .extend(refused.map(|(message, hint)| Problem::error_in_line(path, number, message).hint(hint)));
        if let Some(quote) = open_quote {
            // the rest of a value that people expect to go over several lines
            if line.trim_end().ends_with(quote) {
                open_quote = None;
            }
            continue;
        }
        let line = line.trim_start();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let mut warn = |message: String, hint: &str| {
            problems.push(Problem::warning_in_line(path, number, message).hint(hint));
        };
        let Some((key, value)) = line.split_once('=') else {
            if is_readable {
                warn(
                    "a line without `=`: docker takes the variable from its own environment, or drops it"
                        .to_owned(),
                    "write `KEY=value`",
                );
            }
            continue;
        };
        let key = key.strip_prefix("export ").unwrap_or(key);
        let first = line_of.insert(key, number);
        let key = shown(key);
        if let Some(first) = first.filter(|_| is_readable) {
            warn(
                format!("`{key}` has a value in line {first} already: docker takes this one"),
                "remove one of the lines",
            );
        }
        open_quote = check_value(key, value, &mut warn);
        match Notation::of(value) {
            Some(notation @ Notation::Store(store)) => problems.push(
                Problem::error_in_line(
                    path,
                    number,
                    format!(
                        "gordon does not read `{store}`: the value of `{key}` would be `{}`",
                        notation.sample()
                    ),
                )
                .hint(STORE_HINT),
            ),
            Some(notation) => warn(
                format!("docker puts nothing in place of `{}` in the value of `{key}`", notation.sample()),
                "write the value itself",
            ),
            None => {}
        }
    }
}

/// What to do in place of the notation of a store.
pub(super) const STORE_HINT: &str = "name the variable in `environment.secret`, and put its value into `.gordon/secrets` or into the environment of gordon";

/// Why docker refuses the whole file because of a line, and what to do. A line may go on with a value that a quote began,
/// for people; for docker it does not.
fn refusal(line: &str, goes_on: bool) -> Option<(String, &'static str)> {
    if line.len() >= LONGEST_LINE {
        let message = "docker cannot read a line of more than 64 KiB".to_owned();
        return Some((message, "mount it as a file instead"));
    }
    if line.contains('\0') {
        return Some(("docker refuses a NUL byte".to_owned(), "an env file is text"));
    }
    let line = line.trim_start();
    let parts = line.split_once('=');
    let key = parts.map_or(line, |(key, _)| key);
    if line.is_empty() || line.starts_with('#') || !key.is_empty() && !key.contains([' ', '\t']) {
        return None;
    }
    Some(match (parts, key.strip_prefix("export ")) {
        _ if goes_on => (
            "docker refuses this line: to docker the value ended with the line that it began in".to_owned(),
            "put the value into one line, or mount it as a file",
        ),
        (Some(_), Some(key)) => (
            format!("docker refuses a file with `export` before `{}`", shown(key)),
            "remove `export`: docker is no shell",
        ),
        (Some(("", _)), _) => {
            ("docker refuses a line without a name before `=`".to_owned(), "write `KEY=value`")
        }
        (Some(_), None) => (
            format!("docker refuses a file with a blank in the name `{}`", shown(key)),
            "write `KEY=value`, without blanks around `=`",
        ),
        (None, _) => ("docker refuses a line with a blank and without `=`".to_owned(), "write `KEY=value`"),
    })
}

/// Returns the quote that is open at the end of the line.
fn check_value(key: &str, value: &str, warn: &mut impl FnMut(String, &str)) -> Option<char> {
    let trimmed = value.trim();
    if value.starts_with(char::is_whitespace) {
        warn(format!("the value of `{key}` begins with a blank, which docker keeps"), "write `KEY=value`");
    }
    if let Some(quote) = trimmed.chars().next().filter(|c| matches!(c, '"' | '\'')) {
        if trimmed[1..].contains(quote) {
            warn(format!("the quotes are a part of the value of `{key}`"), "remove them: docker keeps them");
        } else {
            warn(
                format!("the value of `{key}` ends with its line: docker knows no quotes"),
                "put the value into one line, or mount it as a file",
            );
            return Some(quote);
        }
    } else if value.contains(" #") {
        warn(
            format!("what follows `#` is a part of the value of `{key}`"),
            "put the comment on a line of its own, beginning with `#`",
        );
    } else if !trimmed.is_empty() && value.ends_with(char::is_whitespace) {
        warn(format!("the value of `{key}` ends with a blank, which docker keeps"), "remove it");
    }
    None
}

/// A key, unless it may be a part of some secret.
fn shown(key: &str) -> &str {
    let key = key.trim();
    let is_name = key.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.- ".contains(&b));
    if is_name && key.len() <= 64 { key } else { "…" }
}
