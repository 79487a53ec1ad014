//! Everything about one item: for its dialog, and beside the zoomed checklist.

use crate::checklist::{Derived, Item, ItemState, Stage};
use crate::model::{ItemId, text, value};

use super::row::Row;
use super::scene::Scene;
use super::zoom::field;
use super::{gates, item, words};

/// The item with a heading of its own.
pub(super) fn panel(scene: &Scene<'_>, item: &Item, width: usize) -> Vec<Row> {
    let title = Row::new().put(item.id.as_str().to_owned(), scene.theme.strong);
    let look = item::look(scene, item, width);
    let right = Row::new().put(format!("{} {}", look.glyph, stage(scene, item)), look.style);
    let mut out = vec![scene.heading(false, title, right, width)];
    out.extend(rows(scene, item, width));
    out
}

/// The state of the item in a word.
pub(super) fn stage(scene: &Scene<'_>, item: &Item) -> String {
    let Some(view) = &scene.state.run else { return "no run".into() };
    if let Some(pending) = view.pending.get(&item.id) {
        return item::pending_words(pending);
    }
    let state = view.run.item(&item.id).map(|(_, s)| s.stage).unwrap_or_default();
    match (state, view.run.derived(&item.id)) {
        (_, Derived::Blocked(_)) => "blocked".into(),
        (Stage::Todo, _) => "to do".into(),
        (Stage::InProgress, _) => "in progress".into(),
        (stage, _) => stage.word().into(),
    }
}

/// Title, detail, state, gate, evidence, notes.
pub(super) fn rows(scene: &Scene<'_>, item: &Item, width: usize) -> Vec<Row> {
    let theme = scene.theme;
    let title = text::harmless_line(&item.title, 400);
    let mut out: Vec<Row> = super::row::wrap(&title, width.saturating_sub(3))
        .into_iter()
        .map(|line| Row::new().put("  ", theme.base).put(line, theme.strong))
        .collect();
    if let Some(detail) = &item.detail {
        for line in detail
            .trim()
            .lines()
            .flat_map(|l| super::row::wrap(&text::harmless_line(l, 600), width.saturating_sub(3)))
        {
            out.push(Row::new().put("  ", theme.base).put(line, theme.base));
        }
    }
    out.push(Row::new());
    if let Some(view) = &scene.state.run {
        if let Some(why) = view.failed.get(&item.id) {
            let lines = super::row::wrap(why, width.saturating_sub(5));
            out.extend(lines.into_iter().map(|l| Row::new().put("  ! ", theme.bad).put(l, theme.bad)));
        }
        if let Derived::Blocked(waits) = view.run.derived(&item.id) {
            let names: Vec<&str> = waits.iter().map(ItemId::as_str).collect();
            out.extend(field(scene, "waits for", &names.join(", "), width));
        }
        if let Some((_, state)) = view.run.item(&item.id) {
            out.extend(history(scene, state, width));
        }
    }
    let mut add =
        |label: &str, text: &str| out.extend(field(scene, label, &text::harmless_line(text, 300), width));
    if let Some(owner) = &item.owner {
        add("owner", owner);
    }
    if item.optional {
        add("optional", "the launch may go on with this skipped");
    }
    if let Some(runbook) = &item.runbook {
        add("runbook", runbook);
    }
    if item.kind.gate().is_some() {
        out.extend(of_gate(scene, item, width));
    }
    out
}

fn history(scene: &Scene<'_>, state: &ItemState, width: usize) -> Vec<Row> {
    let mut out = Vec::new();
    let mut add = |label: &str, text: String| out.extend(field(scene, label, &text, width));
    if let Some((author, at)) = &state.settled {
        add(
            state.stage.word(),
            format!("by {} on {} at {}", words::who_in_full(author), at.date(), at.clock()),
        );
    }
    if let Some(reason) = &state.reason {
        add(if state.stage.is_open() { "reopened" } else { "reason" }, text::harmless_line(reason, 400));
    }
    for evidence in &state.evidence {
        let Some(query) = &evidence.query else {
            add("evidence", evidence.words());
            continue;
        };
        let query = text::harmless_line(query, 200);
        let number = evidence.value.parse::<f64>().map_or_else(|_| evidence.value.clone(), value::text);
        add(
            "evidence",
            format!(
                "{number} from {} at {}: {query}",
                text::harmless_line(evidence.source.as_deref().unwrap_or_default(), 40),
                evidence.sampled.map(crate::model::Time::clock).unwrap_or_default()
            ),
        );
    }
    for (author, at, note) in &state.notes {
        let note = text::harmless_line(note, 600);
        add("note", format!("{} {}: {note}", words::who(author), words::when(*at, scene.state.now)));
    }
    out
}

fn of_gate(scene: &Scene<'_>, item: &Item, width: usize) -> Vec<Row> {
    let theme = scene.theme;
    let gate = item.kind.gate().and_then(|def| scene.state.watch.gate(&def.id));
    let (Some(gate), Some(judgement)) = (gate, item::gate(scene.state, item)) else { return Vec::new() };
    let style = scene.verdict(judgement.verdict);
    let verdict = format!("{} {}", judgement.verdict.glyph(), judgement.verdict.word());
    let mut out = vec![Row::new().put("  its gate", theme.dim).to(14).put(verdict, style)];
    out.extend(gates::explain(scene, gate, &judgement, width));
    out
}
