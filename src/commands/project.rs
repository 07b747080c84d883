//! A project as its files tell: the config, its env files, its secrets, with all that is wrong with them. Does not know
//! docker.

use super::CommandError;
use super::Exit;
use super::cli::Global;
use super::error::warn;
use crate::config;
use crate::config::Colour;
use crate::config::Config;
use crate::config::EnvFileUse;
use crate::config::Filling;
use crate::config::Place;
use crate::config::Problem;
use crate::config::Severity;
use crate::config::Source;
use crate::desired;
use crate::desired::Desired;
use crate::desired::Inputs;
use crate::docker::ImageList;
use crate::docker::Observed;
use crate::name::EnvKey;
use crate::name::Image;
use crate::plan;
use crate::plan::Conflict;
use crate::plan::Options;
use crate::plan::Plan;
use crate::render::Text;
use crate::spec::Content;
use crate::spec::ImageFacts;
use crate::spec::Secret;
use crate::sys::files;
use crate::sys::files::ConfigFile;
use crate::sys::host;
use crate::sys::host::Engine;
use crate::sys::secrets;
use crate::sys::secrets::Secrets;
use crate::sys::secrets::SecretsError;
use crate::sys::terminal::say;
use crate::sys::variables;
use crate::sys::variables::Found;
use crate::sys::variables::Origin;
use crate::sys::watched;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::path::Path;
use std::path::PathBuf;

/// A config without errors, and the files that belong to it.
pub(super) struct Project {
    pub(super) config: Config,
    /// Where its relative paths begin.
    pub(super) folder: PathBuf,
    /// The config's file, as people know it.
    pub(super) path: String,
    pub(super) text: String,
    /// The values of the config in which values took the place of variables.
    pub(super) fillings: Vec<Filling>,
    /// Where the variables have their values from.
    pub(super) origins: BTreeMap<String, Origin>,
    /// The texts of the env files that are there, by their paths in the config.
    pub(super) env_files: BTreeMap<String, String>,
    /// What is at the paths that are watched, by their paths in the config.
    files: BTreeMap<String, Content>,
    /// What it asks for, as far as that is known without a host.
    pub(super) desired: Desired,
    /// The values of its secrets, as far as anybody looked for them.
    pub(super) secrets: BTreeMap<EnvKey, Secret>,
    /// Problems that the person knows of.
    told: RefCell<BTreeMap<Place, Vec<Problem>>>,
}

/// What is read beside the config and what it names.
#[derive(Clone, Copy, Debug, Default)]
struct Reading {
    /// The file of its secrets, where it wants any.
    secrets: bool,
    /// Nothing of the host that the config is for.
    is_offline: bool,
}

impl Project {
    /// Reads the config that `global` names, and tells of every problem of it at once.
    ///
    /// # Errors
    /// When there is no config, or it has errors.
    pub(super) fn load(global: &Global) -> Result<Self, CommandError> {
        Self::load_with(global, BTreeMap::new(), Reading::default())
    }

    /// The same, with what is wrong with the file of its secrets.
    ///
    /// # Errors
    /// When there is no config, or it or the secrets have errors.
    pub(super) fn check(global: &Global) -> Result<Self, CommandError> {
        Self::load_with(global, BTreeMap::new(), Reading { secrets: true, ..Reading::default() })
    }

    /// The same, where images declare what the file `images` says, as `gordon images` writes it.
    ///
    /// # Errors
    /// When there is no config, or it has errors, or there is no such file.
    pub(super) fn load_offline(global: &Global, images: Option<&Path>) -> Result<Self, CommandError> {
        let ImageList(facts) = images.map_or_else(|| Ok(ImageList::default()), read_images)?;
        Self::load_with(global, facts, Reading { is_offline: true, ..Reading::default() })
    }

    fn load_with(
        global: &Global,
        images: BTreeMap<Image, ImageFacts>,
        reading: Reading,
    ) -> Result<Self, CommandError> {
        let file = files::config(global.file.as_deref(), global.project_directory.as_deref())?;
        let ConfigFile { path, folder, text } = file;
        let path = path.display().to_string();
        let wanted = config::variables_in(&text);
        let found = variables::find(&folder, &global.variables, wanted)?;
        let Found { variables, origins, mut problems } = found;
        let loaded = config::load_with(&Source { path: &path, text: &text }, &variables);
        problems.extend(loaded.problems);
        let uses = loaded.config.as_ref().map(config::env_files).unwrap_or_default();
        let (uses, env_files, unreadable) = read_env_files(&folder, uses);
        problems.extend(unreadable);
        problems.extend(config::check_env_files(&uses, &env_files));
        let mut watched = BTreeMap::new();
        if let Some(config) = &loaded.config {
            let is_here = !reading.is_offline && host::is_here(&global.cli());
            let (contents, unreadable) = read_watched(&folder, config, is_here);
            problems.extend(unreadable);
            watched = contents;
            let names = files::names_in(&folder.join(config.env.dir.get_ref()));
            problems.extend(config::check_env_dir(config, names.as_deref()));
            let missing = match is_here {
                true => files::missing(&folder, config::mounted_paths(config)),
                false => BTreeSet::new(),
            };
            problems.extend(config::check_mounted_paths(config, &folder, &missing));
            if reading.secrets && config.workloads().any(|w| !w.environment.secret.is_empty()) {
                problems.extend(secrets::check(&folder)?);
            }
        }
        let config = loaded.config.unwrap_or_default();
        let inputs = Inputs { env_files, files: watched, images, secrets: BTreeMap::new() };
        let (desired, mut more) = desired::resolve(&config, &inputs);
        // two of one name may be seen both in the config and among the final names
        let known: BTreeSet<_> = problems.iter().filter_map(Problem::places).collect();
        more.retain(|problem| problem.places().is_none_or(|places| !known.contains(&places)));
        problems.extend(more);
        let Inputs { env_files, files, secrets, .. } = inputs;
        let told = RefCell::default();
        let fillings = loaded.fillings;
        let project =
            Self { config, folder, path, text, fillings, origins, desired, env_files, files, secrets, told };
        project.report(problems)?;
        Ok(project)
    }

    /// Finds the value of every secret.
    ///
    /// # Errors
    /// When some are missing: then all of those are named.
    pub(super) fn find_secrets(&mut self) -> Result<(), CommandError> {
        let missing = match self.look_for_secrets(true) {
            Ok(missing) => missing,
            Err(SecretsError::Lines(problems)) => {
                self.report(problems)?;
                return Err(CommandError::reported(Exit::Wrong));
            }
            Err(error) => return Err(CommandError::wrong(error.to_string()).hint(error.hint())),
        };
        let desired = &self.desired;
        let missing = missing.iter().map(|key| {
            let users = desired.workloads.iter().filter(|w| w.runtime.secrets.contains(key));
            let users: Vec<String> = users.map(|workload| workload.name().to_string()).collect();
            CommandError::wrong(format!("secret `{key}` of {} has no value", users.join(", ")))
        });
        match missing.reduce(CommandError::and) {
            None => Ok(()),
            Some(error) => Err(error.hint(format!(
                "put `NAME=value` into `{}`, have `NAME` in the environment in which gordon is called, or give it a `command`",
                self.folder.join(secrets::FILE).display()
            ))),
        }
    }

    /// Finds the value of every secret that has one; those that have none. Runs their commands only if it `may_ask`.
    ///
    /// # Errors
    /// When where they are kept cannot be read.
    pub(super) fn look_for_secrets(&mut self, may_ask: bool) -> Result<BTreeSet<EnvKey>, SecretsError> {
        let workloads = &self.desired.workloads;
        let wanted = workloads.iter().flat_map(|workload| workload.runtime.secrets.clone()).collect();
        let commands = if may_ask { self.config.secret_commands() } else { BTreeMap::new() };
        let Secrets { values, missing, exposed, warnings } = secrets::find(&self.folder, &wanted, &commands)?;
        self.show(warnings);
        if let Some(path) = exposed {
            let path = path.display();
            warn(
                &format!("other users can read `{path}`"),
                &format!("`chmod 600 {path}` leaves it to its owner"),
            );
        }
        self.secrets = values;
        Ok(missing)
    }

    /// Makes sure that `engine` is where the config belongs.
    ///
    /// # Errors
    /// When its `server` is another host.
    pub(super) fn belongs_on(&self, engine: &Engine) -> Result<(), CommandError> {
        let Some(host) = engine.elsewhere() else { return Ok(()) };
        let problem = config::other_server(&self.config, host, &|name| engine.is_called(name));
        self.report(problem.into_iter().collect())
    }

    /// The problems with what the config mounts of this machine, when `engine` is on another: `severity` is theirs.
    ///
    /// # Errors
    /// When there are some that are errors.
    pub(super) fn mounts_on(&self, engine: &Engine, severity: Severity) -> Result<(), CommandError> {
        let Some(host) = engine.elsewhere() else { return Ok(()) };
        let problems = config::far_folders(&self.config, host).into_iter();
        self.report(problems.map(|problem| Problem { severity, ..problem }).collect())
    }

    /// The plan that brings `host` to the config, now that it is known what is on it.
    ///
    /// # Errors
    /// When that shows more errors of the config, or a conflict with the host: then every conflict is named.
    pub(super) fn plan(&self, host: &Observed, options: &Options) -> Result<Plan, CommandError> {
        or_trouble(plan::diff(&self.desired_on(host)?, host, options))
    }

    /// The plan that brings apps on `host` back to the release before: one, by its base name, or all that have one.
    ///
    /// # Errors
    /// As for [`Self::plan`], and when there is no release before.
    pub(super) fn rollback(
        &self,
        host: &Observed,
        base_name: Option<&str>,
        leave_data: &BTreeSet<String>,
    ) -> Result<Plan, CommandError> {
        or_trouble(plan::rollback(&self.desired_on(host)?, host, base_name, leave_data))
    }

    /// What the config asks for, now that it is known what the images on `host` declare.
    ///
    /// # Errors
    /// When that shows more errors of the config.
    pub(super) fn desired_on(&self, host: &Observed) -> Result<Desired, CommandError> {
        let (env_files, files) = (self.env_files.clone(), self.files.clone());
        let inputs = Inputs { env_files, files, images: host.images.facts(), secrets: self.secrets.clone() };
        let (desired, problems) = desired::resolve(&self.config, &inputs);
        self.report(problems)?;
        Ok(desired)
    }

    /// The plan that brings an empty host to the config.
    ///
    /// # Errors
    /// When the config asks for more than any host has.
    pub(super) fn plan_offline(&self, options: &Options) -> Result<Plan, CommandError> {
        or_trouble(plan::diff(&self.desired, &Observed::default(), options))
    }

    /// Tells of problems with the config, each only once; the errors among them are an end.
    fn report(&self, problems: Vec<Problem>) -> Result<(), CommandError> {
        let has_errors = config::has_errors(&problems);
        self.show(problems);
        if has_errors { Err(CommandError::reported(Exit::Wrong)) } else { Ok(()) }
    }

    fn show(&self, mut problems: Vec<Problem>) {
        let mut told = self.told.borrow_mut();
        problems.retain(|problem| !told.get(&problem.place).is_some_and(|same| same.contains(problem)));
        say(&Text::drawn(&config::render(&problems, &self.path, &self.text, Colour::Yes)));
        for problem in problems {
            told.entry(problem.place.clone()).or_default().push(problem);
        }
    }
}

/// Those of `uses` whose files can be read or are not there, the texts of those that are there, and what is wrong with all
/// others.
fn read_env_files(
    folder: &Path,
    mut uses: Vec<EnvFileUse>,
) -> (Vec<EnvFileUse>, BTreeMap<String, String>, Vec<Problem>) {
    let texts = files::read_those_there(folder, uses.iter().map(|file| file.path.as_str()));
    let mut problems = Vec::new();
    uses.retain(|file| match texts.get(&file.path) {
        Some(Err(error)) => {
            problems.push(Problem::error(file.span.clone(), error.to_string()).hint(error.hint()));
            false
        }
        Some(Ok(_)) | None => true,
    });
    let texts = texts.into_iter().filter_map(|(path, text)| Some((path, text.ok()?))).collect();
    (uses, texts, problems)
}

/// What is at the paths of `folder` that are watched, and what is wrong with it. What is not there says something of the host
/// only if that `is_here`.
fn read_watched(folder: &Path, config: &Config, is_here: bool) -> (BTreeMap<String, Content>, Vec<Problem>) {
    let (mut contents, mut problems) = (BTreeMap::new(), Vec::new());
    for (path, span) in config::watched_paths(config, folder) {
        match watched::read(folder, path) {
            Ok(Content::Missing) if !is_here => {}
            Ok(content) => drop(contents.insert(path.to_owned(), content)),
            Err(error) => {
                let way_out = "a mount whose changes do not matter is a table with `watch = false`";
                problems.push(Problem::error(span, error.to_string()).hint(error.hint()).hint(way_out));
            }
        }
    }
    (contents, problems)
}

fn read_images(path: &Path) -> Result<ImageList, CommandError> {
    let text = files::read(path)?;
    ImageList::parse(&text).map_err(|error| {
        CommandError::wrong(format!("`{}`: {error}", path.display())).hint(error.hint().to_owned())
    })
}

fn or_trouble(plan: Result<Plan, Vec<Conflict>>) -> Result<Plan, CommandError> {
    plan.map_err(|conflicts| {
        let trouble = |conflict: &Conflict| match conflict {
            Conflict::UnknownContainer(_) => CommandError::wrong(conflict.to_string()).hint(conflict.hint()),
            _ => CommandError::failed(conflict.to_string()).hint(conflict.hint()),
        };
        let troubles = conflicts.iter().map(trouble);
        troubles.reduce(CommandError::and).expect("there is no plan because of a conflict")
    })
}
