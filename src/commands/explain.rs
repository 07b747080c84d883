//! `gordon plan --explain`: where the values come from that the config does not have itself. Shows no value of a file or of a
//! secret, and asks no docker.

use super::CommandError;
use super::Exit;
use super::cli::Global;
use super::output;
use super::project::Project;
use crate::config::Took;
use crate::config::VariableUse;
use crate::desired::Workload;
use crate::name::EnvKey;
use crate::render::Text;
use crate::sys::secrets;
use crate::sys::secrets::Origin;
use crate::sys::variables;
use std::collections::BTreeMap;

/// `gordon plan --explain`.
pub(super) fn explain(global: &Global) -> Result<Exit, CommandError> {
    let project = Project::load(global)?;
    let workloads = &project.desired.workloads;
    let wanted = workloads.iter().flat_map(|workload| workload.runtime.secrets.clone()).collect();
    let secrets = secrets::origins(&project.folder, &wanted, &project.config.secret_commands())?;
    let mut text = Text::default();
    explain_variables(&project, &mut text);
    for workload in workloads {
        let sources = sources(&project, workload, &secrets);
        let longest = sources.keys().map(|key| key.as_str().len()).max().unwrap_or_default();
        if !sources.is_empty() {
            text.line(workload.name());
        }
        for (key, source) in sources {
            text.line(format!("  {:longest$}  {source}", key.as_str()));
        }
    }
    if text == Text::default() {
        text.line("all values are in the config: it names no variables, and has no env files and no secrets");
    }
    output::text(&text)?;
    Ok(Exit::Done)
}

/// The values of the config that name variables.
fn explain_variables(project: &Project, text: &mut Text) {
    for filling in &project.fillings {
        let line = project.text[..filling.span.start].matches('\n').count() + 1;
        text.line(format!("{} = {}  ({}:{line})", filling.key, filling.value, project.path));
        for VariableUse { name, took } in &filling.uses {
            let source = match (took, project.origins.get(name)) {
                (Took::Default, None) => "not set: the default in the config".to_owned(),
                (Took::Default, Some(origin)) => {
                    format!("empty, {}: the default in the config", words(*origin))
                }
                (Took::Nothing, _) => "not set: nothing".to_owned(),
                (Took::Text, Some(origin)) => format!("set, {}: the text in the config", words(*origin)),
                (Took::Value, Some(origin)) => words(*origin),
                (Took::Text | Took::Value, None) => unreachable!("what has a value has it from somewhere"),
            };
            text.line(format!("  {name}  {source}"));
        }
    }
}

fn words(origin: variables::Origin) -> String {
    match origin {
        variables::Origin::Given => "from `--var`".to_owned(),
        variables::Origin::Environment => "from the environment".to_owned(),
        variables::Origin::Line(line) => format!("from {}, line {line}", variables::FILE),
    }
}

/// Where the variables of a container's environment come from that the config does not have itself.
fn sources(
    project: &Project,
    workload: &Workload,
    secrets: &BTreeMap<EnvKey, Origin>,
) -> BTreeMap<EnvKey, String> {
    let mut sources = BTreeMap::new();
    for file in &workload.runtime.env_files {
        let text = project.env_files.get(&file.path).map_or("", String::as_str);
        for (index, line) in text.lines().enumerate() {
            let line = line.trim_start_matches('\u{feff}').trim_start();
            let (key, more) = match line.split_once('=') {
                Some((key, _)) => (key, ""),
                // docker takes it from its own environment
                None => (line, ", which leaves it to the environment"),
            };
            if let Ok(key) = EnvKey::parse(key) {
                sources.insert(key, format!("{}, line {}{more}", file.path, index + 1));
            }
        }
    }
    // docker takes what it is told itself before what a file says
    for (key, _) in &workload.runtime.env {
        sources.remove(key);
    }
    for key in &workload.runtime.secrets {
        let source = match &secrets[key] {
            Origin::Environment => "secret, from the environment".to_owned(),
            Origin::Command(program) => format!("secret, from the command `{program}`"),
            Origin::Line(file, line) => format!("secret, from {file}, line {line}"),
            Origin::Nowhere => "secret, without a value".to_owned(),
        };
        sources.insert(key.clone(), source);
    }
    sources
}
