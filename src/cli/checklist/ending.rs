//! The verbs of last resort and of the end: `break-glass`, `rollback`, `close`.
//!
//! JSON of each: see [`super::write`]; `rollback` adds `rollback`, the run of the rollback list.

use std::fs;

use anyhow::{Context as _, anyhow};
use serde_json::json;

use crate::checklist::{Author, Begun, Command, Run, Step};
use crate::ledger::Ledger as _;
use crate::model::trigger::Action;
use crate::model::{RunId, text};
use crate::settings;

use super::super::settings::count;
use super::super::{Common, Exit, Output, output};
use super::place::Place;
use super::trouble;
use super::write::{On, Pen};

/// The verbs.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Verb {
    /// Complete a step against the rules: a deviation that stays on screen and heads the report
    BreakGlass(Glass),
    /// Begin the launch's rollback list; works without any role
    Rollback(Rollback),
    /// Close a run: only notes are taken from then on
    Close(Close),
}

/// `break-glass RUN --item ID --reason`.
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("step").required(true))]
pub(super) struct Glass {
    #[command(flatten)]
    on: On,
    /// An item, which then counts as done
    #[arg(long, value_name = "ID", group = "step")]
    item: Option<String>,
    /// The hold, which then ends
    #[arg(long, group = "step")]
    hold: bool,
    /// Lift-off
    #[arg(long, group = "step")]
    lift_off: bool,
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

/// `rollback RUN`.
#[derive(Debug, clap::Args)]
pub(super) struct Rollback {
    #[command(flatten)]
    on: On,
    /// Why [default: what is proposed]
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

/// `close RUN`.
#[derive(Debug, clap::Args)]
pub(super) struct Close {
    #[command(flatten)]
    on: On,
    /// Words at the end
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

pub(super) fn run(verb: &Verb, place: &Place, common: &Common) -> anyhow::Result<Exit> {
    match verb {
        Verb::BreakGlass(args) => {
            let pen = args.on.open(place, common)?;
            let step = match &args.item {
                Some(item) => Step::Item(pen.item(item)?),
                None if args.hold => Step::Hold,
                None => Step::LiftOff,
            };
            pen.write(&Command::BreakGlass { step, reason: args.reason.clone() })
        }
        Verb::Rollback(args) => rollback(args, place, common),
        Verb::Close(args) => {
            args.on.open(place, common)?.write(&Command::Close { reason: args.reason.clone() })
        }
    }
}

/// The list is begun first: whatever the launch's own run says to it, people can act.
fn rollback(args: &Rollback, place: &Place, common: &Common) -> anyhow::Result<Exit> {
    let mut pen = args.on.open(place, common)?;
    // Two people who press it at once, or one who presses twice, work on one list.
    if let Some((id, by, at)) = under_way(place, &pen.run) {
        let id = id.clone();
        match common.output {
            Output::Json => output::json(&json!({
                "run": pen.run.id, "seq": pen.run.seq, "head": pen.run.head, "item": null, "stage": null,
                "repeated": true, "events": [], "rollback": id,
            }))?,
            Output::Text => output::print(&format!(
                "the rollback is under way: {}\n  begun by {} at {}\n",
                text::harmless(id.as_str()),
                by.name(),
                at.clock()
            ))?,
        }
        return Ok(Exit::Yes);
    }
    let list = pen.run.template.rollback.clone().ok_or_else(|| {
        anyhow!("{} names no rollback list: its template has no `rollback`", pen.run.template.id)
    })?;
    let file = place.template(&list)?;
    let name = file.display().to_string();
    let bytes = fs::read_to_string(&file).with_context(|| format!("cannot read {name}"))?;
    let template = settings::template(&name, &bytes).map_err(|e| anyhow!(e.rendered))?;
    // What the launch was started with holds for its rollback too: the flag that goes to 0 %.
    let has = |name: &String| template.params.iter().any(|param| param.name == *name);
    let params = pen.run.params.iter().filter(|(name, _)| has(name)).cloned().collect();
    let of = Some(pen.run.id.clone());
    let begun = Begun { mode: pen.run.mode, params, of, ..Begun::default() };
    let begun = place.ledger.start(&bytes, &begun, &pen.author)?;

    let command =
        Command::Rollback { run: begun.id.clone(), reason: reason(&pen.run, args.reason.as_deref()) };
    let mut exit = Exit::Yes;
    match pen.save(&command) {
        Ok(()) => {
            confirm_proposals(&mut pen);
            let items = format!("  {}; work on: {}\n", count(begun.items.len(), "item"), begun.id);
            pen.tell(&command, &json!({ "rollback": begun.id }), &items)?;
        }
        Err(error) => {
            let (code, not_written) = trouble::kind(&error);
            exit = not_written;
            let words = text::harmless(&error.to_string()).into_owned();
            match common.output {
                Output::Json => output::json(&json!({
                    "run": pen.run.id, "rollback": begun.id, "reason": { "code": code, "text": words },
                }))?,
                Output::Text => output::print(&format!("the rollback is begun: {}\n", begun.id))?,
            }
            output::complain(&format!("begun, but not written into {}: {words}", pen.run.id));
        }
    }
    Ok(exit)
}

/// The newest rollback run that is not at its end.
fn under_way<'r>(place: &Place, run: &'r Run) -> Option<(&'r RunId, &'r Author, crate::model::Time)> {
    let (id, by, at, _) = run.rollbacks.last()?;
    // One that cannot be opened is no list to work on.
    let open = place.ledger.open(id.as_str()).is_ok_and(|rollback| !rollback.is_over());
    open.then_some((id, by, *at))
}

/// Rolling back must not wait for words: what a trigger said does, and else that nobody said anything.
fn reason(run: &Run, given: Option<&str>) -> String {
    let proposed = run.open_proposals().find(|proposal| proposal.action == Action::ProposeRollback);
    match (given.map(str::trim).filter(|words| !words.is_empty()), proposed) {
        (Some(words), _) => words.to_owned(),
        (None, Some(proposal)) => format!("{}: {}", proposal.cause, proposal.reason),
        (None, None) => "no reason was given".to_owned(),
    }
}

/// Whoever rolls back has answered what proposed it; else silence would be written about it.
fn confirm_proposals(pen: &mut Pen<'_>) {
    let open = pen.run.open_proposals().filter(|proposal| proposal.action == Action::ProposeRollback);
    let open: Vec<u64> = open.map(|proposal| proposal.seq).collect();
    for seq in open {
        let confirm = Command::Answer { proposal: seq, confirm: true, reason: None };
        if let Err(error) = pen.write_beside(&format!("answer {seq}"), &confirm) {
            output::complain(&format!("proposal {seq} is not marked as confirmed: {error}"));
        }
    }
}
