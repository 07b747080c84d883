//! `gordon unlock`: takes away the lock of a project, when whoever held it is gone.

use super::Exit;
use super::Trouble;
use super::cli;
use super::cli::Global;

/// `gordon unlock`.
pub(super) fn unlock(_global: &Global, _said: &cli::Unlock) -> Result<Exit, Trouble> {
    Err(Trouble::failed("not yet"))
}
