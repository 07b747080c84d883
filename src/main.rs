//! The `gordon` binary.

use std::process::ExitCode;

fn main() -> ExitCode {
    gordon::commands::main().into()
}
