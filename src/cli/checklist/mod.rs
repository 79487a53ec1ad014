//! `gonogo checklist`: everything the screen does to a run, for scripts and bots.
//!
//! Start with [`run`]; [`place`] finds the ledger and templates, [`verbs`] writes, [`show`],
//! [`list`] and [`verify`] read.
//!
//! What a program gets with `--output json` stands at each of them. Whatever goes wrong with a run is
//! then also one JSON document on stdout, `{"reason":{"code","text"}}` with the codes `no-such-run`,
//! `ambiguous`, `refused`, `conflict`, `not-saved`, `unconfirmed`, `damaged`, `unreadable`, and the sentence
//! on stderr. Exit codes: 0 done, 1 refused by a rule, or the chain is broken, 2 usage or config (a run
//! that does not exist), 5 somebody else was first, 6 not saved.

mod gate;
mod list;
mod place;
mod show;
mod start;
mod trouble;
mod verbs;
mod verify;

use std::path::PathBuf;

use super::{Common, Exit};

pub use place::{approved_dir, default_dir, directory_ledger, history_dir};

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The directory that holds the runs [default: the config's `ledger.path`, else the user's state directory]
    #[arg(long, global = true, value_name = "DIR")]
    ledger: Option<PathBuf>,
    #[command(subcommand)]
    command: Sub,
}

/// The verbs.
#[derive(Debug, clap::Subcommand)]
enum Sub {
    /// Start a run from a template
    Start(start::Args),
    /// List all runs, newest first
    List,
    /// Show a run, item by item
    Show(show::Args),
    /// Recompute a run's chain and name the first bad event
    Verify(verify::Args),
    /// Tick an item
    Tick(verbs::Tick),
    /// Leave an item out, with a reason
    Skip(verbs::Reasoned),
    /// Open a settled item again, with a reason
    Reopen(verbs::Reasoned),
    /// Write a note on an item or on the run
    Note(verbs::Note),
    /// Set or move T-0
    T0(verbs::T0),
}

/// Runs the command.
///
/// # Errors
/// A wrong config, template or output; what the ledger says is told here and becomes an [`Exit`].
pub fn run(args: &Args, common: &Common) -> anyhow::Result<Exit> {
    let place = place::Place::find(args.ledger.as_deref(), common)?;
    let done = match &args.command {
        Sub::Start(args) => start::run(args, &place, common),
        Sub::List => list::run(&place, common),
        Sub::Show(args) => show::run(args, &place, common),
        Sub::Verify(args) => verify::run(args, &place, common),
        Sub::Tick(args) => verbs::tick(args, &place, common),
        Sub::Skip(args) => verbs::skip(args, &place, common),
        Sub::Reopen(args) => verbs::reopen(args, &place, common),
        Sub::Note(args) => verbs::note(args, &place, common),
        Sub::T0(args) => verbs::t0(args, &place, common),
    };
    done.or_else(|error| trouble::told(error, common))
}
