//! The command line: what may be said, and what it means in words. Does nothing of it.

use crate::docker;
use crate::plan::Options;
use clap::Args;
use clap::Parser;
use clap::Subcommand;
use clap::ValueEnum;
use clap::ValueHint;
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
    after_help = "Exit status: 0 done; 1 failed; 2 wrong use or wrong config; 3 `plan --exit-code` found changes; \
                        130 stopped by Ctrl-C."
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
    /// The config; without it the gordon.toml, gordon.yaml or gordon.yml of this folder
    #[arg(short, long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(super) file: Option<PathBuf>,
    /// Where relative paths of the config begin; without it in the config's own folder
    #[arg(long, global = true, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(super) project_directory: Option<PathBuf>,
    /// The docker binary, or another that takes its commands: podman, nerdctl
    #[arg(long, global = true, value_name = "BINARY", default_value = "docker")]
    pub(super) docker: String,
    /// The docker context; without it docker decides: DOCKER_HOST, DOCKER_CONTEXT, `docker context use`
    #[arg(long, global = true, value_name = "NAME")]
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
    /// Show what would bring this host to the config; change nothing
    Plan(Plan),
    /// Bring this host to the config: pull what is missing, show the plan, ask, do it
    #[command(visible_alias = "deploy")]
    Apply(Apply),
    /// Remove what the project has on this host; volumes stay, unless asked for
    Down(Down),
    /// Bring apps back to the release before the one that serves, without a pull and without a gap
    Rollback(Rollback),
    /// Show what the project has on this host, and how that differs from the config
    Status(Status),
    /// Show which host leads to which app, in the words of the proxy that you run
    Routes(Routes),
    /// Read the config and report every problem at once; needs no docker
    Check,
    /// Write what the images of the config declare, for `plan --offline --images`
    Images(Images),
    /// Break the lock that another gordon holds, or left, on this project or on the proxy
    Unlock(Unlock),
}

/// What is replaced beside what the config asks for.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct Replacing {
    /// Make this container anew although nothing about it changed; may be given several times
    #[arg(long, value_name = "CONTAINER")]
    pub(super) recreate: Vec<String>,
    /// This config takes the place of another of the same name, whose containers are removed
    #[arg(long)]
    pub(super) replace: bool,
    #[command(flatten)]
    pub(super) leaving: Leaving,
}

/// What may be left behind.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct Leaving {
    /// A container that is replaced may leave this volume behind, with its data; may be given several times
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
    /// The same for whoever makes a plan.
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
    /// With --offline: what the images declare, as `gordon images` writes it
    #[arg(long, value_name = "FILE", requires = "offline", value_hint = ValueHint::FilePath)]
    pub(super) images: Option<PathBuf>,
    /// `text` for people; `sh`, a script that needs docker and no gordon; `json` for machines
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = Format::Text)]
    pub(super) format: Format,
    /// Exit with 3 when there is something to do
    #[arg(long)]
    pub(super) exit_code: bool,
    /// Pull first what `gordon apply` would pull first: then all that the images declare is known
    #[arg(long, conflicts_with = "offline")]
    pub(super) pull: bool,
    /// Save the plan too: `gordon apply FILE` carries out this very plan, or refuses
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
    /// A plan that `gordon plan --out` saved: carried out as it is, or refused when it is no longer true
    #[arg(value_name = "PLAN", conflicts_with_all = ["recreate", "replace", "leave_data", "pull"], value_hint = ValueHint::FilePath)]
    pub(super) plan: Option<PathBuf>,
    /// Pull every image first, also those that are on this host
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
    /// Do not ask
    #[arg(short, long)]
    pub(super) yes: bool,
    /// How many docker commands run at once
    #[arg(short, long, value_name = "N", default_value = "4", value_parser = at_least_one)]
    pub(super) jobs: NonZeroUsize,
    /// Wait while another gordon works on this project, for at most this time; 10m where none is given
    #[arg(
        long,
        value_name = "TIME",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "10m",
        value_parser = time
    )]
    pub(super) wait: Option<Duration>,
    /// Write what happens to the standard output, as JSON, an object a line
    #[arg(long)]
    pub(super) json: bool,
}

/// `gordon down`.
#[derive(Debug, Args)]
pub(super) struct Down {
    /// Remove the volumes too, with their data
    #[arg(long)]
    pub(super) volumes: bool,
    #[command(flatten)]
    pub(super) running: Running,
}

/// `gordon rollback`.
#[derive(Debug, Args)]
pub(super) struct Rollback {
    /// The app: its domain, its name under `apps`, or its container; without it all that have a release before
    pub(super) app: Option<String>,
    #[command(flatten)]
    pub(super) leaving: Leaving,
    #[command(flatten)]
    pub(super) running: Running,
}

/// `gordon status`.
#[derive(Debug, Args)]
pub(super) struct Status {
    /// Write it as JSON, for machines
    #[arg(long)]
    pub(super) json: bool,
}

/// `gordon routes`.
#[derive(Debug, Args)]
pub(super) struct Routes {
    /// The words of a proxy; `yaml` is a list of host, target and project, `json` the same for machines
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = RoutesFormat::Yaml)]
    pub(super) format: RoutesFormat,
    /// Ask docker for nothing; otherwise it is asked what images EXPOSE, where only they say where an app listens
    #[arg(long)]
    pub(super) offline: bool,
    /// With --offline: what the images declare, as `gordon images` writes it
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
    /// Pull first what is not on this host
    #[arg(long)]
    pub(super) pull: bool,
}

/// `gordon unlock`.
#[derive(Debug, Args)]
pub(super) struct Unlock {
    /// The lock of the proxy that all projects of the host share, in place of this project's
    #[arg(long)]
    pub(super) proxy: bool,
    /// Do not ask
    #[arg(short, long)]
    pub(super) yes: bool,
}

fn at_least_one(text: &str) -> Result<NonZeroUsize, &'static str> {
    text.parse().map_err(|_| "a number from 1 on is expected")
}

fn time(text: &str) -> Result<Duration, &'static str> {
    humantime::parse_duration(text).map_err(|_| "a time is expected, as in `10m` or `90s`")
}
