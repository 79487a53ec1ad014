//! The verbs of the desk: `desk`, `leave-desk`.
//!
//! JSON of each: see [`super::write`]. A terminal that has the desk writes the automatic events; a command
//! that ends writes none, so `desk` is for handing it to a room that is there, or for a bot that stays.

use crate::checklist::Command;

use super::super::{Common, Exit};
use super::place::Place;
use super::write::{On, Pen};

/// The verbs.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Verb {
    /// Take the desk for a terminal, which alone writes automatic events
    Desk(Take),
    /// Leave the desk
    LeaveDesk(Leave),
}

/// `desk RUN`.
#[derive(Debug, clap::Args)]
pub(super) struct Take {
    #[command(flatten)]
    on: On,
    /// Also from somebody who has it; that is recorded as a deviation
    #[arg(long)]
    force: bool,
    /// The terminal's name [default: cli- and your name]
    #[arg(long, value_name = "NAME")]
    terminal: Option<String>,
}

/// `leave-desk RUN`.
#[derive(Debug, clap::Args)]
pub(super) struct Leave {
    #[command(flatten)]
    on: On,
    /// The terminal that has the desk [default: yours, whichever has it]
    #[arg(long, value_name = "NAME")]
    terminal: Option<String>,
}

pub(super) fn run(verb: &Verb, place: &Place, common: &Common) -> anyhow::Result<Exit> {
    match verb {
        Verb::Desk(args) => {
            let pen = args.on.open(place, common)?;
            let terminal = args.terminal.clone().unwrap_or_else(|| own(&pen));
            pen.write(&Command::Desk { terminal, force: args.force, gone: None })
        }
        Verb::LeaveDesk(args) => {
            let pen = args.on.open(place, common)?;
            let mine = pen.run.desk.as_ref().filter(|desk| desk.author.is_same_person(&pen.author));
            let mine = || mine.map_or_else(|| own(&pen), |desk| desk.terminal.clone());
            let terminal = args.terminal.clone().unwrap_or_else(mine);
            pen.write(&Command::LeaveDesk { terminal })
        }
    }
}

/// The name of a terminal that is only a command line.
fn own(pen: &Pen<'_>) -> String {
    let safe = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
    format!("cli-{}", pen.author.name().chars().map(safe).collect::<String>())
}
