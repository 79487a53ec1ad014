//! The log, newest at the top.

use ratatui::style::Style;

use crate::app::{Block, LogKind, LogLine};
use crate::model::duration::short;

use super::row::{Row, cells, wrap};
use super::scene::Scene;
use super::words;

/// Cells before a line's text: marker, time, kind.
const BEFORE: usize = 18;

/// The block with its heading, in at most `height` rows.
pub(super) fn rows(scene: &Scene<'_>, width: usize, height: usize) -> Vec<Row> {
    let focused = scene.focused(Block::Log);
    let state = scene.state;
    let title = Row::new().put("Log", scene.title(focused));
    let newest = state.log.lines().next_back().map(|l| words::floor(state.now.since(l.at)));
    let age = newest.map_or_else(|| "nothing yet".into(), |age| format!("last {} ago", short(age)));
    let mut out = vec![scene.heading(focused, title, Row::new().put(age, scene.theme.dim), width)];
    out.extend(lines(scene, width, height.saturating_sub(1), focused, false));
    out
}

/// The whole log, long lines wrapped.
pub(super) fn zoom(scene: &Scene<'_>, width: usize, height: usize) -> Vec<Row> {
    let title = Row::new().put("Log", scene.title(true));
    let count = format!("{} lines, newest first", scene.state.log.len());
    let mut out = vec![scene.heading(true, title, Row::new().put(count, scene.theme.dim), width)];
    out.extend(lines(scene, width, height.saturating_sub(1), true, true));
    out
}

/// Lines without a heading; with `focused` the selected one is marked and in view.
pub(super) fn lines(scene: &Scene<'_>, width: usize, height: usize, focused: bool, whole: bool) -> Vec<Row> {
    let log = &scene.state.log;
    let selected =
        if focused { scene.state.selected(Block::Log).min(log.len().saturating_sub(1)) } else { 0 };
    let first = selected.saturating_sub(height / 2).min(log.len().saturating_sub(height));
    let mut out = Vec::new();
    for (index, line) in log.lines().rev().enumerate().skip(first) {
        if out.len() >= height {
            break;
        }
        let marked = focused && index == selected;
        for row in one(scene, line, width, marked, whole) {
            out.push(if marked { row.over(scene.theme.selected, width) } else { row });
        }
    }
    out.truncate(height);
    out
}

fn one(scene: &Scene<'_>, line: &LogLine, width: usize, marked: bool, whole: bool) -> Vec<Row> {
    let theme = scene.theme;
    let (glyph, style, text) = parts(scene, line);
    let head = Row::new()
        .put(if marked { "▸" } else { " " }, theme.focus)
        .put(line.at.clock(), theme.dim)
        .put("  ", theme.dim)
        .put(line.kind.word(), theme.dim)
        .to(BEFORE);
    if !whole {
        return vec![head.put(glyph, style).put(text.to_owned(), theme.base).fit(width)];
    }
    let inset = BEFORE + cells(&glyph);
    let mut wrapped = wrap(text, width.saturating_sub(inset + 1)).into_iter();
    let first = wrapped.next().unwrap_or_default();
    let mut rows = vec![head.put(glyph, style).put(first, theme.base)];
    rows.extend(wrapped.map(|text| Row::new().to(inset).put(text, theme.base)));
    rows
}

/// The glyph of a gate's line, which alone is coloured, and the words.
fn parts<'a>(scene: &Scene<'_>, line: &'a LogLine) -> (String, Style, &'a str) {
    let theme = scene.theme;
    if matches!(line.kind, LogKind::Gate | LogKind::AlertFires | LogKind::AlertEnds | LogKind::Alert) {
        for (glyph, style) in [
            ("✗ ", theme.bad),
            ("? ", theme.warn),
            ("✓ ", theme.good),
            ("▲ ", theme.bad),
            ("◔ ", theme.warn),
            ("△ ", theme.good),
        ] {
            if let Some(rest) = line.text.strip_prefix(glyph) {
                return (glyph.to_owned(), style, rest);
            }
        }
    }
    (String::new(), theme.base, &line.text)
}
