//! The last lines: the keys that matter here (or a sentence about the last one), and every source
//! with its health and age.

use crate::app::command::Action;
use crate::app::{Block, Dialog, summary};
use crate::engine::SourceState;
use crate::model::Health;

use super::row::{Row, cut};
use super::scene::Scene;

/// From this width on keys and sources share one line.
const ONE_LINE: usize = 140;

/// The footer in `width` cells.
pub(super) fn rows(scene: &Scene<'_>, width: usize) -> Vec<Row> {
    if width >= ONE_LINE {
        let left = keys(scene, width * 11 / 20);
        let room = width.saturating_sub(left.used() + 3);
        return vec![left.beside(sources(scene, room), width)];
    }
    vec![sources(scene, width), keys(scene, width)]
}

/// `space tick  enter item  …`; a sentence about the last key takes their place.
fn keys(scene: &Scene<'_>, width: usize) -> Row {
    let theme = scene.theme;
    let state = scene.state;
    if let Some(notice) = &state.notice {
        let row = Row::new().put(" » ", theme.focus).put(notice.clone(), theme.strong);
        return row.fit(width);
    }
    let hints = hints(scene);
    let part = |(action, word): &(Action, &str)| {
        let keys = state.keymap.keys(*action);
        let key = keys.split(' ').next().unwrap_or_default().to_owned();
        (!key.is_empty()).then(|| Row::new().put(key, theme.strong).put(format!(" {word}"), theme.dim))
    };
    let parts: Vec<Row> = hints.iter().filter_map(part).collect();
    // How to get help and how to leave stay longest; they stand last.
    let kept = 2.min(parts.len());
    let (first, last) = parts.split_at(parts.len() - kept);
    let size = |rows: &[Row]| rows.iter().map(|r| r.used() + 2).sum::<usize>();
    let mut room = width.saturating_sub(1 + size(last));
    let mut row = Row::new().put(" ", theme.dim);
    for part in first {
        match room.checked_sub(part.used() + 2) {
            Some(left) => room = left,
            None => break,
        }
        row = row.join(part.clone()).put("  ", theme.dim);
    }
    last.iter().fold(row, |row, part| row.join(part.clone()).put("  ", theme.dim)).fit(width)
}

fn hints(scene: &Scene<'_>) -> Vec<(Action, &'static str)> {
    let state = scene.state;
    if state.dialog.as_ref().is_some_and(|(d, _)| !matches!(d, Dialog::Help(_))) {
        return vec![(Action::Back, "close")];
    }
    // Nothing can be ticked there; what moves the tape matters instead.
    let mut hints = match state.active() {
        _ if state.replay.is_some() && state.zoom.is_none() => {
            vec![(Action::Pause, "pause"), (Action::Slower, "slower"), (Action::Faster, "faster")]
        }
        Block::Checklist => vec![(Action::Tick, "tick"), (Action::Open, "item"), (Action::Note, "note")],
        Block::Board(_) | Block::Flags if state.zoom.is_some() => vec![
            (Action::Down, "signal"),
            (Action::WindowShorter, "shorter"),
            (Action::WindowLonger, "longer"),
            (Action::CursorLeft, "cursor"),
        ],
        Block::Identity => vec![
            (Action::Down, "next"),
            (Action::FocusNext, "part"),
            (Action::Org, "organisation"),
            (Action::Filter, "filter"),
        ],
        Block::Gates | Block::Sources if state.zoom.is_some() => vec![(Action::Down, "next")],
        _ => Vec::new(),
    };
    hints.push(if state.zoom.is_some() { (Action::Back, "room") } else { (Action::Zoom, "zoom") });
    if state.active() != Block::Identity {
        hints.push((Action::FocusNext, "focus"));
    }
    hints.push((Action::Gates, "gates"));
    hints.push((Action::Sources, "sources"));
    hints.push((Action::Palette, "command"));
    hints.push((Action::Help, "help"));
    hints.push((Action::Quit, "quit"));
    hints
}

/// The sources, those in trouble first; what does not fit is counted. The only one that fails is told
/// with its reason before another is named.
fn sources(scene: &Scene<'_>, width: usize) -> Row {
    let theme = scene.theme;
    let state = scene.state;
    // Where lines could not be read, or an answer is waited for, a fresh source is worth a look too.
    let odd = |source: &SourceState| source.notes.unreadable > 0 || source.waiting(state.now).is_some();
    let mut all: Vec<(Health, bool, String)> = (state.watch.sources.iter().enumerate())
        .filter_map(|(i, source)| {
            summary::source_line(state, i).map(|(health, text)| (health, !odd(source), text))
        })
        .collect();
    let rank = |health: Health| match health {
        Health::Failed => 0,
        Health::Stale => 1,
        Health::Never => 2,
        Health::Fresh => 3,
    };
    all.sort_by_key(|(health, usual, _)| (rank(*health), *usual));
    let failed = all.iter().filter(|(health, ..)| *health == Health::Failed).count();
    // Two that fail are both named, and the count of the others beside them.
    let half = if failed > 1 { width.saturating_sub(16) / 2 } else { width / 2 }.max(12);
    let mut row = Row::new().put(" ", theme.dim);
    let total = all.len();
    for (place, (health, usual, text)) in all.into_iter().enumerate() {
        let word = if health == Health::Stale { " stale" } else { "" };
        let rest = total - place;
        let fresh = health == Health::Fresh && usual;
        let more = format!("+{rest} {}", if fresh { "fresh" } else { "more" });
        // Room is kept for the count of those that come after.
        let reserve = if rest > 1 { format!("+{rest} fresh").len() + 2 } else { 0 };
        let alone = total == 1 || (health == Health::Failed && failed == 1);
        let longest = if alone { width.saturating_sub(reserve + 2).max(12) } else { half };
        let text = cut(&format!("{text}{word}"), longest).into_owned();
        if row.used() + super::row::cells(&text) + reserve + 1 > width {
            let style = if health == Health::Failed { scene.health(health) } else { theme.dim };
            row = row.put(more, style).put("  ", theme.dim);
            break;
        }
        let style = scene.health(health);
        let mut chars = text.chars();
        let glyph = chars.next().map(String::from).unwrap_or_default();
        let rest = chars.as_str().to_owned();
        let words = if health == Health::Fresh { theme.dim } else { style };
        row = row.put(glyph, style).put(rest, words).put("  ", theme.dim);
    }
    row.trimmed().put(" ", theme.dim).fit(width)
}
