//! (being built)

use super::{Common, Exit};

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Runs the command.
pub fn run(_args: &Args, _common: &Common) -> anyhow::Result<Exit> {
    todo!()
}
