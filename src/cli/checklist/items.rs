//! The verbs of items: `begin`, `tick`, `sign`, `skip`, `waive`, `fail`, `reopen`, `evidence`, `note`.
//!
//! JSON of each: see [`super::write`].

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{anyhow, bail};

use crate::checklist::Command;
use crate::model::{ItemId, duration};

use super::super::{Common, Exit};
use super::brought::Brought;
use super::numbers;
use super::place::Place;
use super::write::{On, Pen};

/// The verbs.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Verb {
    /// Begin an item; of a wait, start its timer
    Begin(OnItem),
    /// Tick an item; a gate is polled for it, and must pass
    Tick(Tick),
    /// Sign an item; the last signature that it takes settles it
    Sign(Sign),
    /// Leave an item out, with a reason
    Skip(Reasoned),
    /// Excuse an item, with a reason; for those whom its checklist names
    Waive(Reasoned),
    /// Say that an item did not come true, with a reason
    Fail(Reasoned),
    /// Open a settled item again, with a reason
    Reopen(Reasoned),
    /// Bring evidence for an item
    Evidence(Bring),
    /// Write a note on an item or on the run
    Note(Note),
}

/// `begin RUN ITEM`.
#[derive(Debug, clap::Args)]
pub(super) struct OnItem {
    #[command(flatten)]
    on: On,
    /// The item's id
    item: String,
}

/// `tick RUN ITEM`.
#[derive(Debug, clap::Args)]
pub(super) struct Tick {
    #[command(flatten)]
    at: OnItem,
    #[command(flatten)]
    with: With,
    /// The longest to wait until a gate can be judged [default: its hold and a minute]
    #[arg(long, value_name = "DURATION", value_parser = duration::parse)]
    timeout: Option<Duration>,
}

/// `sign RUN ITEM`.
#[derive(Debug, clap::Args)]
pub(super) struct Sign {
    #[command(flatten)]
    at: OnItem,
    #[command(flatten)]
    with: With,
    /// Words beside the signature
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
}

/// Evidence that is brought first.
#[derive(Debug, clap::Args)]
pub(super) struct With {
    /// Evidence that is brought first: link=URL, text=WORDS or file=PATH (by its hash); may be repeated
    #[arg(long, value_name = "KIND=WHAT", value_parser = Brought::parse)]
    evidence: Vec<Brought>,
}

/// `skip RUN ITEM --reason`, and its like.
#[derive(Debug, clap::Args)]
pub(super) struct Reasoned {
    #[command(flatten)]
    at: OnItem,
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

/// `evidence RUN ITEM --link URL`.
#[derive(Debug, clap::Args)]
pub(super) struct Bring {
    #[command(flatten)]
    at: OnItem,
    /// An address
    #[arg(long, value_name = "URL")]
    link: Vec<String>,
    /// Words
    #[arg(long, value_name = "WORDS")]
    text: Vec<String>,
    /// A file: its name and the hash of its bytes are stored, and not the file
    #[arg(long, value_name = "PATH")]
    file: Vec<PathBuf>,
}

/// `note RUN [ITEM] TEXT`.
#[derive(Debug, clap::Args)]
pub(super) struct Note {
    #[command(flatten)]
    on: On,
    /// The item's id, where the note is about one, and the words
    #[arg(num_args = 1..=2, required = true, value_names = ["ITEM", "TEXT"])]
    words: Vec<String>,
}

pub(super) fn run(verb: &Verb, place: &Place, common: &Common) -> anyhow::Result<Exit> {
    let reasoned = |args: &Reasoned, command: fn(ItemId, String) -> Command| {
        let (pen, item) = args.at.open(place, common)?;
        pen.write(&command(item, args.reason.clone()))
    };
    match verb {
        Verb::Begin(args) => {
            let (pen, item) = args.open(place, common)?;
            pen.write(&Command::Begin { item })
        }
        Verb::Tick(args) => tick(args, place, common),
        Verb::Sign(args) => sign(args, place, common),
        Verb::Skip(args) => reasoned(args, |item, reason| Command::Skip { item, reason }),
        Verb::Waive(args) => reasoned(args, |item, reason| Command::Waive { item, reason }),
        Verb::Fail(args) => reasoned(args, |item, reason| Command::Fail { item, reason }),
        Verb::Reopen(args) => reasoned(args, |item, reason| Command::Reopen { item, reason }),
        Verb::Evidence(args) => evidence(args, place, common),
        Verb::Note(args) => note(args, place, common),
    }
}

impl OnItem {
    pub(super) fn open<'p>(&self, place: &'p Place, common: &'p Common) -> anyhow::Result<(Pen<'p>, ItemId)> {
        let pen = self.on.open(place, common)?;
        let item = pen.item(&self.item)?;
        Ok((pen, item))
    }
}

impl With {
    /// The command that brings it; none where nothing is brought.
    fn attach(&self, item: &ItemId) -> anyhow::Result<Option<Command>> {
        if self.evidence.is_empty() {
            return Ok(None);
        }
        let evidence = self.evidence.iter().map(Brought::evidence).collect::<anyhow::Result<_>>()?;
        Ok(Some(Command::Attach { item: item.clone(), evidence }))
    }
}

fn tick(args: &Tick, place: &Place, common: &Common) -> anyhow::Result<Exit> {
    let (mut pen, item) = args.at.open(place, common)?;
    let attach = args.with.attach(&item)?;
    let gate = pen.run.template.item(&item).and_then(|item| item.kind.gate()).cloned();
    // What a rule refuses is told without asking any server, and before anything is written.
    let numbers = if gate.is_some() { numbers::to_come() } else { Vec::new() };
    let asked = Command::Tick { item: item.clone(), evidence: numbers };
    pen.would(&attach.iter().chain([&asked]).collect::<Vec<_>>())?;
    let evidence = match &gate {
        Some(gate) => numbers::of_item(&pen, gate, args.timeout)?,
        None => Vec::new(),
    };
    bring_first(&mut pen, attach.as_ref())?;
    pen.write(&Command::Tick { item, evidence })
}

fn sign(args: &Sign, place: &Place, common: &Common) -> anyhow::Result<Exit> {
    let (mut pen, item) = args.at.open(place, common)?;
    let attach = args.with.attach(&item)?;
    let sign = Command::Sign { item, note: args.note.clone(), binds: None };
    pen.would(&attach.iter().chain([&sign]).collect::<Vec<_>>())?;
    bring_first(&mut pen, attach.as_ref())?;
    pen.write(&sign)
}

/// Where the verb's own event was written by an earlier call, so was what it brought.
fn bring_first(pen: &mut Pen<'_>, attach: Option<&Command>) -> anyhow::Result<()> {
    if let Some(attach) = attach.filter(|_| !pen.is_repeated()) {
        pen.write_before("evidence", attach)?;
    }
    Ok(())
}

fn evidence(args: &Bring, place: &Place, common: &Common) -> anyhow::Result<Exit> {
    let links = args.link.iter().map(|url| Brought::link(url)).collect::<Result<Vec<_>, _>>();
    let mut brought = links.map_err(|why| anyhow!(why))?;
    brought.extend(args.text.iter().cloned().map(Brought::Text));
    brought.extend(args.file.iter().cloned().map(Brought::File));
    if brought.is_empty() {
        bail!("evidence is --link URL, --text WORDS or --file PATH");
    }
    let (pen, item) = args.at.open(place, common)?;
    let evidence = brought.iter().map(Brought::evidence).collect::<anyhow::Result<_>>()?;
    pen.write(&Command::Attach { item, evidence })
}

fn note(args: &Note, place: &Place, common: &Common) -> anyhow::Result<Exit> {
    let pen = args.on.open(place, common)?;
    let (item, text) = match args.words.as_slice() {
        [about, words] => (Some(pen.item(about)?), words),
        [words] => (None, words),
        _ => bail!("a note is written as: note RUN [ITEM] TEXT"),
    };
    pen.write(&Command::Note { item, text: text.clone() })
}
