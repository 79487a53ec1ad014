//! The verbs that write: `tick`, `skip`, `reopen`, `note`, `t0`.
//!
//! JSON of each: `{"run","seq","head","item","stage"}`, with the event's number and hash; `item` and
//! `stage` are null where it is not about an item.

use std::time::Duration;

use anyhow::bail;
use serde_json::json;
use ulid::Ulid;

use crate::checklist::{Command, Item, Kind, Refused, Run, expects};
use crate::ledger::{Ledger as _, LedgerError};
use crate::model::{ItemId, Time, text};

use super::super::who::Signed;
use super::super::{Common, Exit, Output, output};
use super::gate::gate_evidence;
use super::place::Place;

/// How long a gate without a hold may take to be judged.
const PATIENCE: Duration = Duration::from_mins(1);

/// `tick RUN ITEM`.
#[derive(Debug, clap::Args)]
pub(super) struct Tick {
    /// The run: its name, or a part that fits no other
    run: String,
    /// The item's id
    item: String,
    /// The longest to wait until a gate can be judged [default: its hold and a minute]
    #[arg(long, value_name = "DURATION", value_parser = crate::model::duration::parse)]
    timeout: Option<Duration>,
    #[command(flatten)]
    signed: Signed,
}

/// `skip RUN ITEM --reason`, `reopen RUN ITEM --reason`.
#[derive(Debug, clap::Args)]
pub(super) struct Reasoned {
    /// The run: its name, or a part that fits no other
    run: String,
    /// The item's id
    item: String,
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: String,
    #[command(flatten)]
    signed: Signed,
}

/// `note RUN [ITEM] TEXT`.
#[derive(Debug, clap::Args)]
pub(super) struct Note {
    /// The run: its name, or a part that fits no other
    run: String,
    /// The item's id, where the note is about one, and the words
    #[arg(num_args = 1..=2, required = true, value_names = ["ITEM", "TEXT"])]
    words: Vec<String>,
    #[command(flatten)]
    signed: Signed,
}

/// `t0 RUN TIME`.
#[derive(Debug, clap::Args)]
pub(super) struct T0 {
    /// The run: its name, or a part that fits no other
    run: String,
    /// The new T-0, in RFC 3339 or Unix seconds
    #[arg(value_parser = Time::parse)]
    time: Time,
    #[command(flatten)]
    signed: Signed,
}

pub(super) fn tick(args: &Tick, place: &Place, common: &Common) -> anyhow::Result<Exit> {
    let run = place.ledger.open(&args.run)?;
    let item = item(&run, &args.item)?;
    let evidence = match run.template.item(&item) {
        Some(Item { kind: Kind::Gate(gate), .. }) => {
            // A gate that is settled or blocked is told so without asking any server.
            let tick = Command::Tick { item: item.clone(), evidence: Vec::new() };
            let now = crate::runtime::Clock::wall().now();
            let asked = crate::checklist::decide(&run, &tick, &args.signed.author()?, now);
            if let Err(refused) = asked
                && !matches!(refused, Refused::NeedsEvidence(_))
            {
                return Err(LedgerError::Refused(refused).into());
            }
            let patience = args.timeout.unwrap_or(gate.hold + PATIENCE);
            gate_evidence(place, &run, gate, patience, common)?
        }
        _ => Vec::new(),
    };
    append(place, common, &args.signed, &run, &Command::Tick { item, evidence })
}

pub(super) fn skip(args: &Reasoned, place: &Place, common: &Common) -> anyhow::Result<Exit> {
    let run = place.ledger.open(&args.run)?;
    let command = Command::Skip { item: item(&run, &args.item)?, reason: args.reason.clone() };
    append(place, common, &args.signed, &run, &command)
}

pub(super) fn reopen(args: &Reasoned, place: &Place, common: &Common) -> anyhow::Result<Exit> {
    let run = place.ledger.open(&args.run)?;
    let command = Command::Reopen { item: item(&run, &args.item)?, reason: args.reason.clone() };
    append(place, common, &args.signed, &run, &command)
}

pub(super) fn note(args: &Note, place: &Place, common: &Common) -> anyhow::Result<Exit> {
    let run = place.ledger.open(&args.run)?;
    let (about, words) = match args.words.as_slice() {
        [about, words] => (Some(item(&run, about)?), words),
        [words] => (None, words),
        _ => bail!("a note is written as: note RUN [ITEM] TEXT"),
    };
    append(place, common, &args.signed, &run, &Command::Note { item: about, text: words.clone() })
}

pub(super) fn t0(args: &T0, place: &Place, common: &Common) -> anyhow::Result<Exit> {
    let run = place.ledger.open(&args.run)?;
    append(place, common, &args.signed, &run, &Command::SetT0 { t0: args.time })
}

/// The item that is meant; one that does not exist is refused with the nearest that does.
fn item(run: &Run, named: &str) -> Result<ItemId, LedgerError> {
    let ids = || run.template.items.iter().map(|item| &item.id);
    if let Some(id) = ids().find(|id| id.as_str() == named) {
        return Ok(id.clone());
    }
    let like = |id: &ItemId| strsim::normalized_damerau_levenshtein(id.as_str(), named);
    let nearest = ids().max_by(|a, b| like(a).total_cmp(&like(b))).filter(|id| like(id) >= 0.5);
    let asked = ItemId::new(named);
    Err(LedgerError::Refused(match nearest {
        Some(nearest) => Refused::Misspelt { asked, nearest: nearest.clone() },
        None => Refused::NoSuchItem(asked),
    }))
}

fn append(
    place: &Place,
    common: &Common,
    signed: &Signed,
    run: &Run,
    command: &Command,
) -> anyhow::Result<Exit> {
    let by = signed.author()?;
    let id = Ulid::generate().to_string();
    let events = place.ledger.append(run, &expects(run, command), &id, &by, command)?;
    let mut run = run.clone();
    for event in &events {
        run.apply(event);
    }
    let Some(event) = events.iter().find(|event| event.id == id) else {
        bail!("the ledger saved the event and did not return it");
    };
    let item = event.fact.item();
    let state = item.and_then(|item| run.item(item)).map(|(_, state)| state);
    match common.output {
        Output::Json => output::json(&json!({
            "run": run.id, "seq": event.seq, "head": event.hash, "item": item,
            "stage": state.map(|state| state.stage.word()),
        }))?,
        Output::Text => {
            let what = match command {
                Command::Note { .. } => format!("a note on {}", item.map_or("the run", ItemId::as_str)),
                Command::SetT0 { t0 } => format!("T-0 is {t0}"),
                _ => format!(
                    "{} {}",
                    item.map_or("", ItemId::as_str),
                    state.map_or_else(String::new, crate::checklist::ItemState::words)
                ),
            };
            output::print(&format!(
                "saved: {}\n  event {} of {}, head {}\n",
                text::harmless(&what),
                event.seq,
                run.id,
                event.hash.0
            ))?;
        }
    }
    Ok(Exit::Yes)
}
