//! The command line: what may be said, and what it means in words. Does nothing of it.

use crate::docker;
use crate::name::EnvKey;
use crate::plan::Options;
use clap::Args;
use clap::Parser;
use clap::Subcommand;
use clap::ValueEnum;
use clap::ValueHint;
use clap::builder::NonEmptyStringValueParser;
use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

/// `terraform plan` for `docker run`: one config for many isolated projects on one Docker host.
///
/// The config is compiled into an explicit, ordered plan of docker commands. The plan can be read, saved, written as a
/// shell script, or carried out. What gordon knows of a host it reads from docker; it keeps no state of its own.
#[derive(Debug, Parser)]
#[command(
    name = "gordon",
    version,
    max_term_width = 100,
    subcommand_required = true,
    arg_required_else_help = true
)]
#[command(
    after_help = "Exit status: 0 done; 1 failed, or `status` found something that does not serve; 2 wrong use or a wrong config; 3 `plan --exit-code` found changes; \
                        4 a script of `plan --format sh` refused this host, nothing was changed; 130 stopped by Ctrl-C."
)]
pub(super) struct Cli {
    #[command(flatten)]
    pub(super) global: Global,
    #[command(subcommand)]
    pub(super) command: Command,
}

/// What may be said of every subcommand.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Global options")]
pub(super) struct Global {
    /// The config; the default is gordon.toml, gordon.yaml or gordon.yml in this folder
    #[arg(short, long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(super) file: Option<PathBuf>,
    /// The folder in which relative paths of the config begin; the default is the config's own
    #[arg(long, global = true, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(super) project_directory: Option<PathBuf>,
    /// A value for `${NAME}` in the config; it comes before the environment and `.env`; can be repeated
    #[arg(long = "var", global = true, value_name = "NAME=VALUE", value_parser = variable)]
    pub(super) variables: Vec<(String, String)>,
    /// The docker binary to call
    #[arg(long, global = true, value_name = "BINARY", default_value = "docker", value_parser = NonEmptyStringValueParser::new())]
    pub(super) docker: String,
    /// The docker context; without it docker decides: DOCKER_HOST, DOCKER_CONTEXT, `docker context use`
    #[arg(long, global = true, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    pub(super) context: Option<String>,
}

impl Global {
    /// How docker is called.
    pub(super) fn cli(&self) -> docker::Cli {
        docker::Cli { binary: self.docker.clone(), context: self.context.clone() }
    }
}

/// What is to be done.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Show the docker commands that would bring this host to the config; run none of them
    Plan(Plan),
    /// Bring this host to the config: pull missing images, show the plan, ask, run it
    #[command(visible_alias = "deploy")]
    Apply(Apply),
    /// Remove the project from this host; its volumes stay, unless `--volumes` is given
    Down(Down),
    /// Bring apps back to their previous release; nothing is pulled
    Rollback(Rollback),
    /// Show what the project has on this host, and how it differs from the config
    Status(Status),
    /// Write the app of each domain, as a config for a proxy of your own
    Routes(Routes),
    /// Check the config, and report all its problems at once; docker is not needed
    Check,
    /// Write what the config's images declare, for `plan --offline --images`
    Images(Images),
    /// Break the lock that another gordon holds or left behind: the project's, or the proxy's
    Unlock(Unlock),
}

/// What is replaced beside what the config asks for.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct Replacing {
    /// Make this container anew, even if nothing about it changed; can be repeated
    #[arg(long, value_name = "CONTAINER")]
    pub(super) recreate: Vec<String>,
    /// Take the place of another config that has the same project name; remove its containers
    #[arg(long)]
    pub(super) replace: bool,
    #[command(flatten)]
    pub(super) leaving: Leaving,
}

/// What may be left behind.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct Leaving {
    /// Let a replaced container leave this volume behind, with its data; can be repeated
    #[arg(long, value_name = "VOLUME")]
    leave_data: Vec<String>,
}

impl Leaving {
    /// The volumes.
    pub(super) fn volumes(&self) -> BTreeSet<String> {
        self.leave_data.iter().cloned().collect()
    }
}

impl Replacing {
    /// The same for the planner.
    pub(super) fn options(&self) -> Options {
        Options {
            recreate: self.recreate.iter().cloned().collect(),
            replace: self.replace,
            leave_data: self.leaving.volumes(),
            offline: false,
        }
    }
}

/// `gordon plan`.
#[derive(Debug, Args)]
pub(super) struct Plan {
    /// Plan for an empty host; docker is not needed
    #[arg(long)]
    pub(super) offline: bool,
    /// With --offline: a file that says what the images declare, as `gordon images` writes it
    #[arg(long, value_name = "FILE", requires = "offline", value_hint = ValueHint::FilePath)]
    pub(super) images: Option<PathBuf>,
    /// `text` is for people, `json` for machines; `sh` is a script that needs docker, but not gordon
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = Format::Text)]
    pub(super) format: Format,
    /// Show what changes, for whom and at what cost, without the commands
    #[arg(long, conflicts_with = "format")]
    pub(super) summary: bool,
    /// Show, below the commands, all that decides what happens: what each step needs, and what makes it unnecessary
    #[arg(short, long, conflicts_with_all = ["format", "summary"])]
    pub(super) verbose: bool,
    /// Show, in place of the plan, where values come from: variables of the config, env files, secrets; docker is not needed
    #[arg(long, conflicts_with_all = ["format", "summary", "verbose", "exit_code", "pull", "out", "images"])]
    pub(super) explain: bool,
    /// Exit with status 3 when there is something to do
    #[arg(long)]
    pub(super) exit_code: bool,
    /// First pull what `gordon apply` would pull, so that all that the images declare is known
    #[arg(long, conflicts_with = "offline")]
    pub(super) pull: bool,
    /// Also save the plan: `gordon apply FILE` runs exactly this plan, or refuses
    #[arg(long, value_name = "FILE", conflicts_with = "offline", value_hint = ValueHint::FilePath)]
    pub(super) out: Option<PathBuf>,
    #[command(flatten)]
    pub(super) replacing: Replacing,
}

/// How a plan is written.
// no documentation of the variants: with it, clap would turn `--help` into two lines an option
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    Text,
    Sh,
    Json,
}

/// `gordon apply`.
#[derive(Debug, Args)]
pub(super) struct Apply {
    /// A plan that `gordon plan --out` saved; it runs as it is, or is refused if the host has changed
    #[arg(value_name = "PLAN", conflicts_with_all = ["recreate", "replace", "leave_data", "pull"], value_hint = ValueHint::FilePath)]
    pub(super) plan: Option<PathBuf>,
    /// First pull every image, also those that are on this host
    #[arg(long)]
    pub(super) pull: bool,
    #[command(flatten)]
    pub(super) replacing: Replacing,
    #[command(flatten)]
    pub(super) running: Running,
}

/// How a plan is carried out.
#[derive(Clone, Debug, Args)]
pub(super) struct Running {
    /// Do not ask for confirmation
    #[arg(short, long)]
    pub(super) yes: bool,
    /// Run at most N docker commands at once
    #[arg(short, long, value_name = "N", default_value = "8", value_parser = at_least_one)]
    pub(super) jobs: NonZeroUsize,
    /// Wait while another gordon works on this project, at most TIME; `--wait` alone means 10m
    #[arg(
        long,
        value_name = "TIME",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "10m",
        value_parser = time
    )]
    pub(super) wait: Option<Duration>,
    /// Report progress on the standard output, as one JSON object a line
    #[arg(long)]
    pub(super) json: bool,
}

/// `gordon down`.
#[derive(Debug, Args)]
pub(super) struct Down {
    /// Also remove the volumes, with their data
    #[arg(long)]
    pub(super) volumes: bool,
    #[command(flatten)]
    pub(super) running: Running,
}

/// `gordon rollback`.
#[derive(Debug, Args)]
pub(super) struct Rollback {
    /// The app: its domain, its name under `apps`, or its container; without it, every app that has a previous release
    pub(super) app: Option<String>,
    #[command(flatten)]
    pub(super) leaving: Leaving,
    #[command(flatten)]
    pub(super) running: Running,
}

/// `gordon status`.
#[derive(Debug, Args)]
pub(super) struct Status {
    /// Write JSON, for machines
    #[arg(long)]
    pub(super) json: bool,
}

/// `gordon routes`.
#[derive(Debug, Args)]
pub(super) struct Routes {
    /// The proxy's syntax; `yaml` is a list of host, target and project, `json` the same for machines
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = RoutesFormat::Yaml)]
    pub(super) format: RoutesFormat,
    /// Do not ask docker; otherwise it is asked which port an image EXPOSEs, where the config names none
    #[arg(long)]
    pub(super) offline: bool,
    /// With --offline: a file that says what the images declare, as `gordon images` writes it
    #[arg(long, value_name = "FILE", requires = "offline", value_hint = ValueHint::FilePath)]
    pub(super) images: Option<PathBuf>,
}

/// How routes are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum RoutesFormat {
    Yaml,
    Json,
    Caddy,
    Nginx,
    Traefik,
}

/// `gordon images`.
#[derive(Debug, Args)]
pub(super) struct Images {
    /// First pull the images that are not on this host
    #[arg(long)]
    pub(super) pull: bool,
}

/// `gordon unlock`.
#[derive(Debug, Args)]
pub(super) struct Unlock {
    /// Break the lock of the proxy, which all projects of the host share, not that of the project
    #[arg(long)]
    pub(super) proxy: bool,
    /// Do not ask for confirmation
    #[arg(short, long)]
    pub(super) yes: bool,
}

fn variable(text: &str) -> Result<(String, String), &'static str> {
    let (name, value) = text.split_once('=').ok_or("a name and its value are expected, as in `TAG=1.2`")?;
    let name = EnvKey::parse(name).map_err(|_| "the name is none that a variable can have")?;
    Ok((name.to_string(), value.to_owned()))
}

fn at_least_one(text: &str) -> Result<NonZeroUsize, &'static str> {
    text.parse().map_err(|_| "a number from 1 on is expected")
}

fn time(text: &str) -> Result<Duration, &'static str> {
    humantime::parse_duration(text).map_err(|_| "a time is expected, as in `10m` or `90s`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_waiting_ends() {
        let wait = |said: &str| match Cli::parse_from(said.split(' ')).command {
            Command::Apply(apply) => apply.running.wait,
            other => panic!("{other:?}"),
        };
        let minutes = |minutes: u64| Some(Duration::from_secs(60 * minutes));
        assert_eq!(wait("gordon apply"), None);
        assert_eq!(wait("gordon apply --wait"), minutes(10));
        assert_eq!(wait("gordon apply --wait=3m"), minutes(3));
    }
}
