//! The verbs of questions to people: `poll`, `vote`, `answer`.
//!
//! JSON of each: see [`super::write`]; `vote` adds `poll`, the poll as `show` tells it. A GO polls every gate
//! that counts, and needs Pass from that answer.

use std::time::Duration;

use anyhow::bail;
use serde_json::json;

use crate::checklist::Command;
use crate::model::trigger::Action;
use crate::model::{duration, text};

use super::super::{Common, Exit};
use super::numbers;
use super::place::Place;
use super::show;
use super::write::{On, Pen};

/// The verbs.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Verb {
    /// Ask stations GO or NO-GO, outside the built-in holds
    Poll(Ask),
    /// Answer the poll for a station; GO polls every gate that counts, and all must pass
    Vote(Vote),
    /// Confirm or dismiss what a trigger or a regressed item proposed
    Answer(Answer),
}

/// `poll RUN STATION…`.
#[derive(Debug, clap::Args)]
pub(super) struct Ask {
    #[command(flatten)]
    on: On,
    /// Who is asked
    #[arg(required = true, value_name = "STATION")]
    stations: Vec<String>,
    /// How long they have; silence past it is NO-GO
    #[arg(long, value_name = "DURATION", value_parser = duration::parse, default_value = "10m")]
    within: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Word {
    /// GO
    Go,
    /// NO-GO
    NoGo,
}

/// `vote RUN go|no-go`.
#[derive(Debug, clap::Args)]
pub(super) struct Vote {
    #[command(flatten)]
    on: On,
    /// The answer
    word: Word,
    /// The station [default: the role of --as]
    #[arg(long, value_name = "STATION")]
    station: Option<String>,
    /// Words beside it
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
    /// The longest to wait until all gates can be judged [default: the longest window and hold and a minute]
    #[arg(long, value_name = "DURATION", value_parser = duration::parse)]
    timeout: Option<Duration>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Reply {
    /// So it is to be
    Confirm,
    /// It is not, with a reason
    Dismiss,
}

/// `answer RUN SEQ confirm|dismiss`.
#[derive(Debug, clap::Args)]
pub(super) struct Answer {
    #[command(flatten)]
    on: On,
    /// The number of the event that proposed
    seq: u64,
    /// The answer
    reply: Reply,
    /// Why; dismissing needs it
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

pub(super) fn run(verb: &Verb, place: &Place, common: &Common) -> anyhow::Result<Exit> {
    match verb {
        Verb::Poll(args) => args
            .on
            .open(place, common)?
            .write(&Command::Poll { stations: args.stations.clone(), within: args.within }),
        Verb::Vote(args) => vote(args, place, common),
        Verb::Answer(args) => answer(args, place, common),
    }
}

fn vote(args: &Vote, place: &Place, common: &Common) -> anyhow::Result<Exit> {
    let mut pen = args.on.open(place, common)?;
    let Some(station) = args.station.clone().or_else(|| pen.author.role.clone()) else {
        bail!("a vote is for a station: name it with --as STATION");
    };
    let go = args.word == Word::Go;
    let with = |evidence| Command::Vote {
        station: station.clone(),
        go,
        note: args.note.clone(),
        evidence,
        poll: None,
    };
    pen.would(&[&with(numbers::to_come())])?;
    let command = with(if go { numbers::of_all(&pen, "GO", args.timeout)? } else { Vec::new() });
    pen.save(&command)?;
    let now = Pen::now();
    let poll = pen.run.poll_at(now);
    let after = poll.as_ref().map(|poll| format!("  {}\n", show::poll_words(poll, now)));
    let poll = poll.as_ref().map(|poll| show::poll_json(poll, now));
    pen.tell(&command, &json!({ "poll": poll }), &after.unwrap_or_default())?;
    Ok(Exit::Yes)
}

fn answer(args: &Answer, place: &Place, common: &Common) -> anyhow::Result<Exit> {
    let mut pen = args.on.open(place, common)?;
    let confirm = args.reply == Reply::Confirm;
    let command = Command::Answer { proposal: args.seq, confirm, reason: args.reason.clone() };
    pen.save(&command)?;
    let begins_rollback =
        confirm && pen.run.proposal(args.seq).is_some_and(|p| p.action == Action::ProposeRollback);
    let after = if begins_rollback {
        let run = text::harmless(pen.run.id.as_str()).into_owned();
        format!("  now begin it: gonogo checklist rollback {run}\n")
    } else {
        String::new()
    };
    pen.tell(&command, &json!({}), &after)?;
    Ok(Exit::Yes)
}
