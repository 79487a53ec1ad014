//! Everything about one item: for its dialog, and beside the zoomed checklist.

use crate::app::RunView;
use crate::checklist::template::Due;
use crate::checklist::{Derived, Item, ItemState, Kind, Stage, params};
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
    let Some(view) = scene.state.shown_run() else { return "no run".into() };
    if let Some(pending) = view.pending.get(&item.id) {
        return item::pending_words(pending);
    }
    let state = view.run.item(&item.id).map(|(_, s)| s.stage).unwrap_or_default();
    match (state, view.run.derived(&item.id)) {
        (_, Derived::Blocked(_)) => "blocked".into(),
        (Stage::Todo, _) => "to do".into(),
        (Stage::InProgress, _) => "in progress".into(),
        (Stage::Done, _) if scene.state.side.is_none() && scene.state.is_regressed(item) => {
            "regressed".into()
        }
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
    if let Some(view) = scene.state.shown_run() {
        if let Some(why) = view.failed.get(&item.id) {
            let lines = super::row::wrap(why, width.saturating_sub(5));
            out.extend(lines.into_iter().map(|l| Row::new().put("  ! ", theme.bad).put(l, theme.bad)));
        }
        if let Derived::Blocked(waits) = view.run.derived(&item.id) {
            let names: Vec<&str> = waits.iter().map(ItemId::as_str).collect();
            out.extend(field(scene, "waits for", &names.join(", "), width));
        }
        if let Some((_, state)) = view.run.item(&item.id) {
            out.extend(attempt(scene, view, &item.id, state, width));
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
    out.extend(terms(scene, item, width));
    if item.kind.gate().is_some() {
        out.extend(of_gate(scene, item, width));
    }
    out
}

/// What the template asks of the item.
fn terms(scene: &Scene<'_>, item: &Item, width: usize) -> Vec<Row> {
    let mut out = Vec::new();
    let mut add =
        |label: &str, text: &str| out.extend(field(scene, label, &text::harmless_line(text, 400), width));
    if let Some(role) = &item.role {
        add("role", role);
    }
    if let Some(signoff) = &item.signoff {
        let roles = if signoff.roles.is_empty() { "any role".to_owned() } else { signoff.roles.join(" or ") };
        add("signed by", &format!("{} different people, as {roles}", signoff.count));
    }
    if !item.evidence.is_empty() {
        let kinds: Vec<&str> = item.evidence.iter().map(|kind| kind.as_str()).collect();
        add("asks for", &kinds.join(", "));
    }
    if let Some(due) = item.due {
        let t0 = scene.state.run.as_ref().and_then(|view| view.run.clock.t0);
        let at = due.time(t0).map(|at| format!("{} {}", at.date(), at.clock()));
        let mark = if let Due::Mark(mark) = due { format!("{mark} ") } else { String::new() };
        add("due", &format!("{mark}{}", at.unwrap_or_else(|| "once T-0 is set".into())));
    }
    if !item.waivable_by.is_empty() {
        add("waived by", &item.waivable_by.join(", "));
    }
    match &item.kind {
        Kind::Command(command) => {
            let params = scene.state.params();
            let filled =
                |argument: &String| params::fill(argument, &params).unwrap_or_else(|_| argument.clone());
            let argv: Vec<String> = command.argv.iter().map(filled).collect();
            add("command", &argv.join(" "));
            add("time-out", &crate::model::duration::short(command.timeout));
            if !command.env.is_empty() {
                add("variables", &command.env.join(", "));
            }
        }
        Kind::Message(message) => add("message", &message.file),
        Kind::Wait { span, .. } => add("waits", &crate::model::duration::short(*span)),
        Kind::Check | Kind::Gate(_) => {}
    }
    if let Some(undo) = &item.undo {
        add("undone by", undo.as_str());
    }
    out
}

/// The newest run of its command, with the end of the output.
fn attempt(scene: &Scene<'_>, view: &RunView, id: &ItemId, state: &ItemState, width: usize) -> Vec<Row> {
    let Some(attempt) = &state.attempt else { return Vec::new() };
    let by = words::who(&attempt.author);
    let ended = match &attempt.end {
        Some(end) => format!(
            "{} after {}, {} bytes of output",
            text::harmless_line(&end.outcome, 200),
            crate::model::duration::short(end.took),
            end.bytes
        ),
        None if attempt.is_unknown(scene.state.now) || view.orphaned.contains(id) => {
            "nobody knows: its supervisor is gone; look at what it did, then reopen the item".into()
        }
        None => "running".into(),
    };
    let began = format!("started by {by} at {}: {ended}", attempt.at.clock());
    let mut out = field(scene, "run", &began, width);
    let lines = view.outputs.get(id).map_or(&[][..], Vec::as_slice);
    for line in lines.iter().skip(lines.len().saturating_sub(OUTPUT)) {
        out.push(Row::new().put("  │ ", scene.theme.dim).put(line.clone(), scene.theme.base).fit(width));
    }
    out
}

/// How many lines of a command's output are shown.
const OUTPUT: usize = 8;

fn history(scene: &Scene<'_>, state: &ItemState, width: usize) -> Vec<Row> {
    let mut out = Vec::new();
    let mut add = |label: &str, text: String| out.extend(field(scene, label, &text, width));
    if let Some((author, at)) = &state.settled {
        add(
            state.stage.word(),
            format!("by {} on {} at {}", words::who_in_full(author), at.date(), at.clock()),
        );
    }
    for signature in &state.signatures {
        let note = signature.note.as_ref().map(|n| format!(": {}", text::harmless_line(n, 200)));
        let by = words::who_in_full(&signature.author);
        add("signed", format!("by {by} at {}{}", signature.at.clock(), note.unwrap_or_default()));
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
