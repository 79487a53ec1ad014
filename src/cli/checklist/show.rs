//! `gonogo checklist show`.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::checklist::{Author, Derived, Item, ItemState, Run, Stage, TEMPLATE_CHANGED};
use crate::ledger::Ledger as _;
use crate::model::{Time, text};

use super::super::{Common, Exit, Output, output};
use super::place::Place;

/// Arguments.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The run: its name, or a part that fits no other
    run: String,
}

/// Shows a run. JSON: `{"run","title","checklist","mode","started","by","t0","seq","head","settled",
/// "items_total","template_changed","notes":[{"by","at","text"}],"items":[{"id","section","title","kind","stage","ready","lapsed",
/// "waits_for","optional","rev","by","at","reason","notes","evidence"}]}`. `lapsed` is a settled item that rests on one
/// that was opened again. `template_changed` is null where the template's file is not found.
pub(super) fn run(args: &Args, place: &Place, common: &Common) -> anyhow::Result<Exit> {
    let run = place.ledger.open(&args.run)?;
    let source = place.template_file(&run.template.id).and_then(|file| std::fs::read_to_string(file).ok());
    let changed = source.map(|source| run.template_changed(&source));
    match common.output {
        Output::Json => output::json(&document(&run, changed))?,
        Output::Text => output::print(&page(&run, changed))?,
    }
    Ok(Exit::Yes)
}

fn document(run: &Run, changed: Option<bool>) -> Value {
    let (settled, total) = run.progress();
    let items: Vec<Value> = run
        .template
        .items
        .iter()
        .zip(&run.items)
        .zip(run.all_derived())
        .map(|((item, state), derived)| {
            json!({
                "id": item.id, "section": item.section, "title": item.title, "kind": kind(item),
                "stage": state.stage.word(), "ready": derived == Derived::Ready, "lapsed": run.lapsed(&item.id),
                "waits_for": run.waits_for(&item.id), "optional": item.optional, "rev": state.rev,
                "by": state.settled.as_ref().map(|(author, _)| &author.by),
                "at": state.settled.as_ref().map(|(_, at)| at),
                "reason": state.reason, "notes": notes(&state.notes), "evidence": state.evidence,
            })
        })
        .collect();
    json!({
        "run": run.id, "title": run.template.title, "checklist": run.template.id, "mode": run.mode,
        "started": run.started.as_ref().map(|(_, at)| at), "by": run.started.as_ref().map(|(author, _)| &author.by),
        "t0": run.clock.t0, "seq": run.seq, "head": run.head, "settled": settled, "items_total": total,
        "template_changed": changed, "notes": notes(&run.notes), "items": items,
    })
}

fn notes(notes: &[(Author, Time, String)]) -> Vec<Value> {
    notes.iter().map(|(author, at, text)| json!({ "by": author.by, "at": at, "text": text })).collect()
}

fn kind(item: &Item) -> &'static str {
    item.kind.word()
}

fn page(run: &Run, changed: Option<bool>) -> String {
    let (settled, total) = run.progress();
    let mut out = String::new();
    let _ = writeln!(
        out,
        "{} · {} · {}",
        text::harmless_line(&run.template.title, 100),
        run.id,
        run.mode.as_str()
    );
    if let Some((author, at)) = &run.started {
        let _ = writeln!(out, "started {} {}Z by {}", at.date(), at.clock(), author.name());
    }
    let t0 = run.clock.t0.map_or_else(|| "T-0 not set".to_owned(), |t0| format!("T-0 {t0}"));
    let _ = writeln!(out, "{t0} · {settled}/{total} settled");
    if changed == Some(true) {
        let _ = writeln!(out, "! {TEMPLATE_CHANGED}");
    }
    let mut section = "";
    for ((item, state), derived) in run.template.items.iter().zip(&run.items).zip(run.all_derived()) {
        if item.section != section {
            section = &item.section;
            let _ = writeln!(out, "\n{}", text::harmless_line(section, 100));
        }
        row(&mut out, run, item, state, &derived);
    }
    for (author, at, words) in &run.notes {
        let _ = writeln!(out, "\nnote {} {}: {}", at.clock(), author.name(), text::harmless(words));
    }
    let _ = writeln!(out, "\nevent {}, head {}", run.seq, run.head.as_ref().map_or("none", |h| &h.0));
    out
}

fn row(out: &mut String, run: &Run, item: &Item, state: &ItemState, derived: &Derived) {
    let lapsed = run.lapsed(&item.id);
    let glyph = match (state.stage, derived) {
        _ if lapsed => "!",
        (Stage::Done, _) => "✓",
        (Stage::Skipped, _) => "-",
        (Stage::Waived, _) => "~",
        (Stage::Failed, _) => "✗",
        (_, Derived::Blocked(_)) => "⊘",
        (Stage::InProgress, _) => "◐",
        (Stage::Todo, _) => "○",
    };
    let words = match (state.stage, derived) {
        (Stage::Todo, Derived::Blocked(_)) => format!("waits for {}", names(run, item)),
        (Stage::Todo, _) => "ready".to_owned(),
        _ if lapsed => format!("{}, but {} is open again", state.words(), names(run, item)),
        _ => state.words(),
    };
    let gate = if kind(item) == "gate" { " [gate]" } else { "" };
    let optional = if item.optional { " [optional]" } else { "" };
    let title = text::harmless_line(&item.title, 120);
    let _ =
        writeln!(out, " {glyph} {:20} {title}{gate}{optional} · {words}", text::harmless(item.id.as_str()));
    if let Some(reason) = &state.reason {
        let _ = writeln!(out, "     because: {}", text::harmless(reason));
    }
    for evidence in &state.evidence {
        let line = format!(
            "{} = {} sampled {} from {}",
            evidence.query.as_deref().unwrap_or(&evidence.kind),
            evidence.value,
            evidence.sampled.map(|at| at.to_string()).unwrap_or_default(),
            evidence.source.as_deref().unwrap_or("a person")
        );
        let _ = writeln!(out, "     {}", text::harmless(&line));
    }
    for (author, at, words) in &state.notes {
        let _ = writeln!(out, "     note {} {}: {}", at.clock(), author.name(), text::harmless(words));
    }
}

fn names(run: &Run, item: &Item) -> String {
    let ids: Vec<String> = run.waits_for(&item.id).iter().map(ToString::to_string).collect();
    ids.join(", ")
}
