//! The command line: one file a command, and the wiring of the rooms.
//!
//! May import everything. Start with [`Cli`], then the command's own file. A command returns an
//! [`Exit`]; an `anyhow::Error` is a usage or config error (2) unless it says otherwise.

pub mod checklist;
pub mod exit;
pub mod flags;
pub mod output;
pub mod query;
pub mod scrape;
pub mod settings;

use std::path::PathBuf;

use clap::{Parser, Subcommand};

pub use exit::Exit;
pub use output::Output;

/// A launch room in a terminal.
#[derive(Debug, Parser)]
#[command(name = "gonogo", version, about, disable_help_subcommand = true)]
pub struct Cli {
    /// What every command takes.
    #[command(flatten)]
    pub common: Common,
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
    /// Text for people or JSON for programs
    #[arg(long, global = true, value_enum, default_value_t, value_name = "FORM")]
    pub output: Output,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show what a metrics endpoint sends
    Scrape(scrape::Args),
    /// Evaluate `PromQL` against a source, a server or a capture
    Query(query::Args),
    /// Show the rollout state of the launch's flags
    Flags(flags::Args),
    /// Start, list, show, tick and verify checklist runs
    Checklist(checklist::Args),
    /// Check a config, print its schema
    Config(settings::Args),
}

/// Parses the command line and runs the command.
pub fn main() -> Exit {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return exit::of_clap(&error),
    };
    let result = match cli.command {
        Some(Command::Scrape(args)) => scrape::run(&args, &cli.common),
        Some(Command::Query(args)) => query::run(&args, &cli.common),
        Some(Command::Flags(args)) => flags::run(&args, &cli.common),
        Some(Command::Checklist(args)) => checklist::run(&args, &cli.common),
        Some(Command::Config(args)) => settings::run(&args, &cli.common),
        None => Ok(Exit::Yes),
    };
    exit::of_result(result)
}
