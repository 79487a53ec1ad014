//! The command line: one file a command, and the wiring of the rooms.
//!
//! May import everything. Start with [`Cli`], then the command's own file. A command returns an
//! [`Exit`]; an `anyhow::Error` is a usage or config error (2) unless it says otherwise.

pub mod alerts;
mod backtest;
pub mod check;
pub mod checklist;
pub mod demo;
pub mod drill;
pub mod exit;
pub mod flags;
pub mod identity;
pub mod judge;
pub mod login;
pub mod logout;
pub mod output;
mod presets;
pub mod query;
pub mod record;
pub mod replay;
pub mod room;
pub mod scrape;
pub mod settings;
pub mod shell;
mod simulated;
pub mod sources;
pub mod supervise;
pub mod who;
pub mod whoami;

use std::path::PathBuf;

use clap::parser::ValueSource;
use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

pub use exit::Exit;
pub use output::Output;

/// A launch room in a terminal.
#[derive(Debug, Parser)]
#[command(name = "gonogo", version, about, disable_help_subcommand = true)]
pub struct Cli {
    /// What every command takes.
    #[command(flatten)]
    pub common: Common,
    /// How the launch room is opened, where there is no command.
    #[command(flatten)]
    pub room: room::Args,
    /// The command; none opens the launch room.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What every command takes.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Common {
    /// The launch config [default: `./gonogo.toml`, `./config/gonogo.toml`, the user's config directory]
    #[arg(long, global = true, env = "GONOGO_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Whether the command line named it, and not the environment.
    #[arg(skip)]
    pub config_is_named: bool,
    /// Text for people or JSON for programs
    #[arg(long, global = true, value_enum, default_value_t, value_name = "FORM")]
    pub output: Output,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Open the launch room on the embedded, simulated product
    Demo(demo::Args),
    /// Rehearse an incident on the simulated product, and be scored
    Drill(Box<drill::Args>),
    /// Judge all gates: GO or NO-GO, with reasons
    Check(check::Args),
    /// Write what is polled to a capture, for replays, backtests and Prometheus
    Record(record::Args),
    /// Open the launch room on a capture
    Replay(replay::Args),
    /// Show what a metrics endpoint sends
    Scrape(scrape::Args),
    /// Evaluate `PromQL` against a source, a server or a capture
    Query(query::Args),
    /// Show the rollout state of the launch's flags
    Flags(flags::Args),
    /// Compare what organisations may use with what they do; show impersonation and changes
    Identity(identity::Args),
    /// Show the alerts: firing, pending, silenced, inhibited
    Alerts(alerts::Args),
    /// Poll the launch's sources and show their health
    Sources(sources::Args),
    /// Start, list, show, tick and verify checklist runs
    Checklist(checklist::Args),
    /// Sign in with a browser, on this or any other machine
    Login(login::Args),
    /// Sign out
    Logout(logout::Args),
    /// Show who is signed in, and what they may do
    Whoami(whoami::Args),
    /// Run a command that a checklist has started
    #[command(hide = true)]
    Supervise(supervise::Args),
    /// Check a config, print its schema
    Config(settings::Args),
    /// Print completions for a shell
    Completions(shell::Completions),
    /// Print the manual page
    Man,
}

fn parse() -> Result<Cli, clap::Error> {
    let matches = Cli::command().try_get_matches()?;
    let mut cli = Cli::from_arg_matches(&matches)?;
    let mut at = Some(&matches);
    while let Some(matches) = at {
        let known = matches.try_contains_id("config").is_ok();
        cli.common.config_is_named |=
            known && matches.value_source("config") == Some(ValueSource::CommandLine);
        at = matches.subcommand().map(|(_, below)| below);
    }
    Ok(cli)
}

/// Parses the command line and runs the command.
pub fn main() -> Exit {
    let cli = match parse() {
        Ok(cli) => cli,
        Err(error) => return exit::of_clap(&error),
    };
    if cli.command.is_some() && cli.room.given() {
        output::complain(
            "--once, --write, --run, --theme and --size open the room: put them after the command, or leave the command out",
        );
        return Exit::Usage;
    }
    let common = &cli.common;
    let result = match cli.command {
        None => room::run(&cli.room, common),
        Some(Command::Demo(args)) => demo::open(&args),
        Some(Command::Drill(args)) => drill::run(&args, common),
        Some(Command::Check(args)) => check::run(&args, common),
        Some(Command::Record(args)) => record::run(&args, common),
        Some(Command::Replay(args)) => replay::run(&args, common),
        Some(Command::Scrape(args)) => scrape::run(&args, common),
        Some(Command::Query(args)) => query::run(&args, common),
        Some(Command::Flags(args)) => flags::run(&args, common),
        Some(Command::Identity(args)) => identity::run(&args, common),
        Some(Command::Alerts(args)) => alerts::run(&args, common),
        Some(Command::Sources(args)) => sources::run(&args, common),
        Some(Command::Checklist(args)) => checklist::run(&args, common),
        Some(Command::Login(args)) => login::run(&args, common),
        Some(Command::Logout(args)) => logout::run(&args, common),
        Some(Command::Whoami(args)) => whoami::run(&args, common),
        Some(Command::Supervise(args)) => supervise::run(&args),
        Some(Command::Config(args)) => settings::run(&args, common),
        Some(Command::Completions(args)) => shell::completions(&args),
        Some(Command::Man) => shell::man(),
    };
    // A refresh token that is being exchanged is the only good one as soon as it is written down.
    crate::http::sign_in::leave();
    exit::of_result(result)
}
