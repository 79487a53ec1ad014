//! `gonogo checklist diff`: what changed in a template's file since a run began with its own copy.

use std::fs;

use anyhow::{Context as _, anyhow};
use serde_json::json;
use similar::TextDiff;

use crate::ledger::Ledger as _;
use crate::model::text;

use super::super::{Common, Exit, Output, output};
use super::place::Place;

/// Arguments.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The run: its name, or a part that fits no other
    run: String,
}

/// Shows the difference as a unified diff, from the run's copy to today's file. Exit 0 where there is
/// none, 1 where there is one. JSON: `{"run","file","changed","diff"}`.
///
/// # Errors
/// The template's file is not found, or cannot be read.
pub(super) fn run(args: &Args, place: &Place, common: &Common) -> anyhow::Result<Exit> {
    let run = place.ledger.open(&args.run)?;
    let copy = place.ledger.template(&run.id)?;
    let id = &run.template.id;
    let file = place.template_file(id).ok_or_else(|| anyhow!("there is no {id}.toml to compare with"))?;
    let name = file.display().to_string();
    let today = fs::read_to_string(&file).with_context(|| format!("cannot read {name}"))?;
    let changed = run.template_changed(&today);
    let diff = TextDiff::from_lines(&copy, &today);
    let diff = diff.unified_diff().header(&format!("{} (this run)", run.id), &name).to_string();
    match common.output {
        Output::Json => {
            output::json(&json!({ "run": run.id, "file": name, "changed": changed, "diff": diff }))?;
        }
        Output::Text if !changed => output::print(&format!("{}: as {}\n", run.id, text::harmless(&name)))?,
        Output::Text => {
            let lines: Vec<_> = diff.lines().map(text::harmless).collect();
            output::print(&format!("{}\n", lines.join("\n")))?;
        }
    }
    Ok(if changed { Exit::No } else { Exit::Yes })
}
