//! `gonogo checklist show`: everything that the room shows of a run.
//!
//! Start with [`run`]; [`document`](mod@document) is for programs, [`page`] for people, [`late`] is what both
//! say of items and milestones.

mod document;
mod late;
mod page;

use crate::ledger::Ledger as _;

use super::super::{Common, Exit, Output, output};
use super::place::Place;
use super::write::Pen;

pub(super) use document::{deviations as deviations_json, poll as poll_json};
pub(super) use page::{deviation as deviation_words, poll as poll_words};

/// Arguments.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The run: its name, or a part that fits no other
    run: String,
}

/// Shows a run; for the JSON see [`document`](mod@document).
pub(super) fn run(args: &Args, place: &Place, common: &Common) -> anyhow::Result<Exit> {
    let run = place.ledger.open(&args.run)?;
    let source = place.template_file(&run.template.id).and_then(|file| std::fs::read_to_string(file).ok());
    let changed = source.map(|source| run.template_changed(&source));
    let now = Pen::now();
    match common.output {
        Output::Json => output::json(&document::of(&run, changed, now))?,
        Output::Text => output::print(&page::of(&run, changed, now))?,
    }
    Ok(Exit::Yes)
}
