//! How one item of the checklist looks: its glyph, and what is said at its right.

use ratatui::style::Style;

use crate::app::run::Pending;
use crate::app::{RunView, State};
use crate::checklist::{Derived, Item, ItemState, Kind, Stage};
use crate::engine::Judgement;
use crate::model::duration::short;
use crate::model::{ItemId, Verdict, text};

use super::row::Row;
use super::scene::Scene;
use super::words;

/// Cells of a hold's progress bar.
const BAR: usize = 6;

/// An item as a list shows it.
pub(super) struct Look {
    pub(super) glyph: &'static str,
    pub(super) style: Style,
    pub(super) settled: bool,
    pub(super) status: Row,
}

/// The item's glyph, and its status in at most `room` cells: the id beside it stays whole.
pub(super) fn look(scene: &Scene<'_>, item: &Item, room: usize) -> Look {
    let look = of_any_size(scene, item, room);
    Look { status: look.status.fit(room), ..look }
}

fn of_any_size(scene: &Scene<'_>, item: &Item, room: usize) -> Look {
    let theme = scene.theme;
    let Some(view) = scene.state.shown_run() else {
        return Look { glyph: "○", style: theme.dim, settled: false, status: without_run(scene, item) };
    };
    let open = |glyph, style, status| Look { glyph, style, settled: false, status };
    if let Some(pending) = view.pending.get(&item.id) {
        return open("◐", theme.accent, Row::new().put(pending_words(pending), theme.accent));
    }
    let Some((_, state)) = view.run.item(&item.id) else {
        return open("○", theme.dim, Row::new());
    };
    match state.stage {
        Stage::Done if scene.state.side.is_none() && scene.state.is_regressed(item) => {
            open("↯", theme.bad, done(scene, item, state))
        }
        Stage::Done => {
            Look { glyph: "✓", style: theme.good, settled: true, status: done(scene, item, state) }
        }
        Stage::Skipped => {
            Look { glyph: "–", style: theme.dim, settled: true, status: excused(scene, state) }
        }
        Stage::Waived => Look { glyph: "~", style: theme.warn, settled: true, status: excused(scene, state) },
        Stage::Failed => {
            Look { glyph: "✗", style: theme.bad, settled: true, status: excused(scene, state) }
        }
        Stage::Todo | Stage::InProgress if view.failed.contains_key(&item.id) => {
            open("!", theme.bad, todo(scene, view, item, room).2)
        }
        Stage::Todo | Stage::InProgress => {
            let (glyph, style, status) = todo(scene, view, item, room);
            open(glyph, style, status)
        }
    }
}

/// `saving…`, `asking prom, identity…`
pub(super) fn pending_words(pending: &Pending) -> String {
    match pending {
        Pending::Saving { .. } => "saving…".into(),
        Pending::Polling { waiting, .. } => {
            let names: Vec<&str> = waiting.iter().map(crate::model::SourceId::as_str).collect();
            format!("asking {}…", names.join(", "))
        }
    }
}

fn todo(scene: &Scene<'_>, view: &RunView, item: &Item, room: usize) -> (&'static str, Style, Row) {
    let theme = scene.theme;
    let state = view.run.item(&item.id).map(|(_, state)| state);
    if let Some(words) = state.and_then(|state| under_way(scene, view, item, state)) {
        return ("◐", theme.accent, Row::new().put(words, theme.accent));
    }
    if let Derived::Blocked(waits) = view.run.derived(&item.id) {
        return ("⊘", theme.dim, Row::new().put(waits_for(&waits), theme.dim));
    }
    let late = item.due.and_then(|due| due.time(view.run.clock.t0)).filter(|due| scene.state.now >= *due);
    match gate(scene.state, item).filter(|_| !matches!(item.kind, Kind::Wait { .. })) {
        Some(judgement) if judgement.reason.code == "holding" => {
            ("◐", theme.accent, holding(scene, item, &judgement, room))
        }
        Some(judgement) => ("○", theme.strong, live(scene, &judgement)),
        None if late.is_some() => (
            "○",
            theme.warn,
            Row::new().put("late", theme.warn).put("  ", theme.dim).join(owner(scene, item)),
        ),
        None => ("○", theme.strong, owner(scene, item)),
    }
}

/// What has begun: a command, a timer, signatures.
fn under_way(scene: &Scene<'_>, view: &RunView, item: &Item, state: &ItemState) -> Option<String> {
    let now = scene.state.now;
    if let Some(attempt) = state.attempt.as_ref().filter(|attempt| attempt.end.is_none()) {
        if attempt.is_unknown(now) {
            return Some("unknown: look at what it did, then reopen".into());
        }
        if view.orphaned.contains(&item.id) {
            let then = attempt.awaited_until().clock();
            return Some(format!("unknown: look at what it did, reopen after {then}"));
        }
        let took = short(words::floor(now.since(attempt.at)));
        return Some(format!("running {took} of {}", short(attempt.timeout)));
    }
    if let (Kind::Wait { span, .. }, Some((_, since))) = (&item.kind, &state.begun) {
        let left = span.saturating_sub(now.since(*since));
        return Some(if left.is_zero() {
            "over".into()
        } else {
            format!("{} to go", short(words::floor(left)))
        });
    }
    let needs = item.signoff.as_ref().map_or(0, |signoff| signoff.count);
    if !state.signatures.is_empty() && needs > 0 {
        let names: Vec<String> = state.signatures.iter().map(|s| words::who(&s.author)).collect();
        return Some(format!("{} of {needs} signed: {}", names.len(), names.join(", ")));
    }
    let (author, at) = state.begun.as_ref()?;
    Some(format!("begun by {} {}", words::who(author), words::when(*at, now)))
}

fn without_run(scene: &Scene<'_>, item: &Item) -> Row {
    gate(scene.state, item).map_or_else(|| owner(scene, item), |judgement| live(scene, &judgement))
}

/// `⚙ sre`: what kind of item it is, where that is not a plain check, and whose.
fn owner(scene: &Scene<'_>, item: &Item) -> Row {
    let kind = match &item.kind {
        Kind::Command(_) => "x ",
        Kind::Message(_) => "message ",
        Kind::Wait { span, .. } => return Row::new().put(format!("wait {}", short(*span)), scene.theme.dim),
        Kind::Check | Kind::Gate(_) => "",
    };
    let signs = item.signoff.as_ref().map(|signoff| format!("{} sign ", signoff.count)).unwrap_or_default();
    let whose = item.role.as_ref().or(item.owner.as_ref());
    let whose = whose.map(|whose| text::harmless_line(whose, 20)).unwrap_or_default();
    Row::new().put(format!("{kind}{signs}{whose}"), scene.theme.dim)
}

/// `waits for ramp-10 +1`
pub(super) fn waits_for(waits: &[ItemId]) -> String {
    match waits {
        [] => "waits".into(),
        [one] => format!("waits for {one}"),
        [first, rest @ ..] => format!("waits for {first} +{}", rest.len()),
    }
}

/// The item's gate as it is judged now.
pub(super) fn gate(state: &State, item: &Item) -> Option<Judgement> {
    item.kind.gate().and_then(|gate| state.watch.judge(&gate.id, state.now))
}

/// `✓ 312 < 500`
fn live(scene: &Scene<'_>, judgement: &Judgement) -> Row {
    let style = scene.verdict(judgement.verdict);
    Row::new().put(format!("{} {}", judgement.verdict.glyph(), judgement.reason.text), style)
}

/// `312 < 500 ▓▓▓▓░░ 3m10s of 5m`
fn holding(scene: &Scene<'_>, item: &Item, judgement: &Judgement, room: usize) -> Row {
    let theme = scene.theme;
    let Some(hold) = judgement.hold else { return live(scene, judgement) };
    let gate = item.kind.gate().and_then(|def| scene.state.watch.gate(&def.id));
    let measured = gate.and_then(|g| g.recent.back()).map(|m| m.reason.text.clone()).unwrap_or_default();
    let part = hold.held.as_secs_f64() / hold.of.as_secs_f64().max(1e-9);
    let full = ((part * BAR as f64) as usize).min(BAR);
    let measured = Row::new().put(format!("{measured} "), theme.base);
    let bar = Row::new().fill_more(full, "▓", theme.accent).fill_more(BAR - full, "░", theme.dim);
    let progress = format!("{} of {}", short(words::floor(hold.held)), short(hold.of));
    let progress = Row::new().put(progress, theme.base);
    // Where not all of it fits, the bar goes first: the words say the same.
    if measured.used() + bar.used() + 1 + progress.used() <= room {
        measured.join(bar).put(" ", theme.base).join(progress)
    } else if measured.used() + progress.used() <= room {
        measured.join(progress)
    } else {
        progress
    }
}

/// `ana? 13:41`, after what its gate says now if that is not a pass any more.
fn done(scene: &Scene<'_>, item: &Item, state: &ItemState) -> Row {
    let theme = scene.theme;
    let by = if state.overridden {
        format!("OVERRIDDEN {}", settled_by(scene, state))
    } else {
        settled_by(scene, state)
    };
    match gate(scene.state, item).filter(|j| j.verdict != Verdict::Pass && j.reason.code != "holding") {
        Some(now) => {
            let words = format!("{} now {}", now.verdict.glyph(), now.reason.text);
            Row::new().put(words, scene.verdict(now.verdict)).put(format!("  {by}"), theme.dim)
        }
        None => Row::new().put(by, theme.dim),
    }
}

fn excused(scene: &Scene<'_>, state: &ItemState) -> Row {
    let reason = state.reason.as_deref().map(|r| format!(": {}", text::harmless_line(r, 30)));
    let words =
        format!("{} by {}{}", state.stage.word(), settled_by(scene, state), reason.unwrap_or_default());
    Row::new().put(words, scene.theme.dim)
}

fn settled_by(scene: &Scene<'_>, state: &ItemState) -> String {
    match &state.settled {
        Some((author, at)) => format!("{} {}", words::who(author), words::when(*at, scene.state.now)),
        None => String::new(),
    }
}
