//! `gonogo checklist`: everything the screen does to a run, for scripts and bots.
//!
//! Start with [`run`]; [`place`] finds the ledger and templates; [`write`](mod@write) is what every verb that
//! writes has, the verbs stand in [`items`], [`clock`],
//! [`polls`], [`desk`], [`command`], [`message`] and [`ending`], the numbers that
//! they rest on in [`numbers`]; [`show`], [`list`], [`export`] and [`verify`] read; [`check`] reads a template.
//!
//! What a program gets with `--output json` stands at each of them. Whatever goes wrong with a run is
//! then also one JSON document on stdout, `{"reason":{"code","text"}}` with the codes `no-such-run`,
//! `ambiguous`, `refused`, `conflict`, `not-saved`, `unconfirmed`, `damaged`, `unreadable`, and the sentence
//! on stderr; of numbers that do not pass `no-go`, `unknown` and `timed-out`, with `verdict` and `gates` as
//! `gonogo check` tells them. Exit codes: 0 done, 1 refused by a rule, a gate that fails, or the chain is
//! broken, 2 usage or config (a run that does not exist), 3 a gate cannot be told, 4 time ran out before it
//! could be, 5 somebody else was first, 6 not saved.

mod brought;
mod check;
mod clock;
mod command;
mod desk;
mod diff;
mod ending;
mod export;
mod following;
mod items;
mod list;
mod message;
mod numbers;
mod place;
mod polls;
mod show;
mod start;
mod trouble;
mod verify;
mod write;

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
    /// Show a run: clock, polls, proposals, milestones, items
    Show(show::Args),
    #[command(flatten)]
    Item(items::Verb),
    #[command(flatten)]
    Clock(clock::Verb),
    #[command(flatten)]
    Poll(polls::Verb),
    #[command(flatten)]
    Desk(desk::Verb),
    /// Run the command of an item, and show what it writes
    Run(command::Args),
    #[command(flatten)]
    Message(message::Verb),
    #[command(flatten)]
    Ending(ending::Verb),
    /// Recompute a run's chain and name the first bad event
    Verify(verify::Args),
    /// Show what changed in the template's file since the run began
    Diff(diff::Args),
    /// Print every event of a run, for archives
    Export(export::Args),
    /// Check a template, its messages and the lists that it names
    Check(check::Args),
}

/// Runs the command.
///
/// # Errors
/// A wrong config, template or output; what the ledger says is told here and becomes an [`Exit`].
pub fn run(args: &Args, common: &Common) -> anyhow::Result<Exit> {
    if let Sub::Check(args) = &args.command {
        return check::run(args, common);
    }
    let place = place::Place::find(args.ledger.as_deref(), common)?;
    let done = match &args.command {
        Sub::Start(args) => start::run(args, &place, common),
        Sub::List => list::run(&place, common),
        Sub::Show(args) => show::run(args, &place, common),
        Sub::Item(verb) => items::run(verb, &place, common),
        Sub::Clock(verb) => clock::run(verb, &place, common),
        Sub::Poll(verb) => polls::run(verb, &place, common),
        Sub::Desk(verb) => desk::run(verb, &place, common),
        Sub::Run(args) => command::run(args, &place, common),
        Sub::Message(verb) => message::run(verb, &place, common),
        Sub::Ending(verb) => ending::run(verb, &place, common),
        Sub::Verify(args) => verify::run(args, &place, common),
        Sub::Diff(args) => diff::run(args, &place, common),
        Sub::Export(args) => export::run(args, &place, common),
        Sub::Check(args) => check::run(args, common),
    };
    done.or_else(|error| trouble::told(error, common))
}
