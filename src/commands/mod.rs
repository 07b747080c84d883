//! The subcommands: the only place that joins the stages with the edges. Each is a function from what was said on the
//! command line to how it ended.

mod apply;
mod carry_out;
mod check;
mod cli;
mod down;
mod error;
mod explain;
mod host;
mod images;
mod output;
mod plan;
mod project;
mod rollback;
mod routes;
mod saved;
mod served;
mod shown;
mod status;
mod unlock;

use error::CommandError;
pub use error::Exit;

use crate::name::visible;
use crate::sys::terminal::say;
use clap::Parser;
use cli::Cli;
use cli::Command;

/// Does what the command line says, and tells the person what went wrong. How it ended.
pub fn main() -> Exit {
    let Cli { global, command } = Cli::try_parse().unwrap_or_else(|error| visibly(error).exit());
    let result = match command {
        Command::Plan(said) => plan::plan(&global, &said),
        Command::Apply(said) => apply::apply(&global, &said),
        Command::Down(said) => down::down(&global, &said),
        Command::Rollback(said) => rollback::rollback(&global, &said),
        Command::Routes(said) => routes::routes(&global, &said),
        Command::Status(said) => status::status(&global, &said),
        Command::Check => check::check(&global),
        Command::Images(said) => images::images(&global, &said),
        Command::Unlock(said) => unlock::unlock(&global, &said),
    };
    result.unwrap_or_else(|trouble| {
        say(&trouble.text());
        trouble.exit()
    })
}

/// What clap says of the command line, where it shows words of that as they can be seen.
fn visibly(error: clap::Error) -> clap::Error {
    let words = std::env::args_os().map(|word| visible(&word.to_string_lossy()));
    Cli::try_parse_from(words).err().unwrap_or(error)
}
