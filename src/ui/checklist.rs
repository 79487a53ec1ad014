//! The checklist: sections, items, and what stands in each item's way.
//!
//! ```text
//! ━ Checklist · Tasks v0.1.4 launch · run 01kax3 ━━━━━━━━━━━━━━━━━━━━━━━━━━━━ 7/23 ━
//!   Identity & permissions
//!  ✓ flags-reviewed   Flags and roles reviewed                        ana? 13:41
//! ▸◐ queue-healthy    Queue can absorb the launch   312 < 500 ▓▓▓▓░░ 3m10s of 5m
//! ```

use crate::app::{Block, RunView, summary};
use crate::checklist::template::ListKind;
use crate::checklist::{Item, Template};
use crate::model::text;

use super::item::{self, Look};
use super::row::{Row, cells, cut};
use super::scene::Scene;

/// The longest id that is given a column of its own.
const LONGEST_ID: usize = 22;
/// A title shorter than this says nothing.
const SHORTEST_TITLE: usize = 10;

/// The block with its heading, in exactly `height` rows or fewer.
pub(super) fn rows(scene: &Scene<'_>, width: usize, height: usize) -> Vec<Row> {
    let focused = scene.focused(Block::Checklist);
    let (lines, selected) = lines(scene);
    let notes = notes(scene, width);
    let room = height.saturating_sub(1 + notes.len());
    let first = first_line(lines.len(), selected, room);
    let below = lines.len().saturating_sub(first + room);
    let right = right(scene, first, below, width);
    let mut out = vec![scene.heading(focused, title(scene, width), right, width)];
    out.extend(notes);
    // Of ten thousand items only those in view are drawn.
    let columns = columns(scene, width);
    let shown = lines.into_iter().skip(first).take(room);
    out.extend(shown.map(|line| drawn(scene, line, columns, width)));
    out.truncate(height);
    out
}

/// How many rows the block would like.
pub(super) fn wanted(scene: &Scene<'_>) -> usize {
    let lines = template(scene).map_or(0, |t| t.items.len() + sections(t));
    let failed = scene.state.shown_run().map_or(0, |view| view.failed.len());
    1 + notes(scene, 80).len() + lines + failed
}

fn sections(template: &Template) -> usize {
    let mut last = "";
    template.items.iter().filter(|i| std::mem::replace(&mut last, &i.section) != i.section).count()
}

pub(super) fn template<'a>(scene: &Scene<'a>) -> Option<&'a Template> {
    scene.state.shown_template().map(|template| &**template)
}

fn title(scene: &Scene<'_>, width: usize) -> Row {
    let theme = scene.theme;
    let focused = scene.focused(Block::Checklist);
    let mut row = Row::new().put("Checklist", scene.title(focused));
    if let Some(template) = template(scene) {
        row = row.put(format!(" · {}", text::harmless_line(&template.title, 60)), theme.base);
    }
    if let Some(view) = scene.state.shown_run().filter(|_| width >= 56) {
        row = row.put(format!(" · run {}", short_id(view)), theme.dim);
    }
    row
}

/// The end of a run's name is what tells it from its neighbours.
fn short_id(view: &RunView) -> String {
    let id = view.run.id.as_str();
    id.rsplit('-').next().unwrap_or(id).chars().take(10).collect()
}

/// `#42 3f9a1c`: the last event and the beginning of its hash, to compare two terminals by.
fn head(view: &RunView) -> String {
    let hash = view.run.head.as_ref().map(|h| h.0.rsplit(':').next().unwrap_or(&h.0).to_owned());
    let hash: String = hash.unwrap_or_default().chars().take(6).collect();
    format!("#{} {hash}", view.run.seq)
}

fn right(scene: &Scene<'_>, above: usize, below: usize, width: usize) -> Row {
    let theme = scene.theme;
    let mut row = Row::new();
    if above > 0 {
        row = row.put(format!("↑{above} "), theme.dim);
    }
    if below > 0 {
        row = row.put(format!("↓{below} "), theme.dim);
    }
    let Some(view) = scene.state.shown_run() else { return row.put("no run", theme.warn) };
    let (done, all) = view.run.progress();
    let head = if width >= 80 { format!("{}  ", head(view)) } else { String::new() };
    row.put(head, theme.dim).put(format!("{done}/{all}"), theme.strong)
}

/// What concerns the whole run.
fn notes(scene: &Scene<'_>, width: usize) -> Vec<Row> {
    let theme = scene.theme;
    let mut notes = Vec::new();
    if let Some(side) = &scene.state.side {
        let back = scene.state.keymap.keys(crate::app::Action::Back);
        let kind = side.list.template.kind;
        let (style, words) = match kind {
            ListKind::Rollback => (theme.bad, "ROLLBACK: every press works, the order is advice"),
            ListKind::Runbook | ListKind::Launch => (theme.accent, "beside the launch"),
        };
        let words = format!("  {words} · {back} goes back");
        notes.push(Row::new().put(words, style).fit(width));
    }
    match scene.state.shown_run() {
        None if scene.state.side.is_some() => {
            notes.push(Row::new().put("  no run of it yet: the first press begins one", theme.dim));
        }
        None => {
            let why = scene.state.run_note.clone().unwrap_or_else(|| "opening the run".into());
            notes.push(Row::new().put(format!("  {why}"), theme.dim));
        }
        Some(view) => {
            if let Some(why) = &view.frozen {
                let why = text::harmless_line(why, 200);
                notes.push(Row::new().put(format!("  ! read only: {why}"), theme.bad));
            }
            if let Some((by, at)) = &view.run.closed {
                let words = format!("  closed by {} at {}", super::words::who(by), at.clock());
                notes.push(Row::new().put(words, theme.warn));
            }
            if view.template_changed {
                let words = "  ! the template's file has changed: gonogo checklist diff";
                notes.push(Row::new().put(words, theme.warn));
            }
        }
    }
    if scene.state.side.is_none()
        && let Some(poll) = summary::poll(scene.state)
    {
        let vote = scene.state.keymap.keys(crate::app::Action::Vote);
        let row =
            Row::new().put(format!("  {poll}"), theme.accent).put(format!("   {vote} votes"), theme.dim);
        notes.push(row.fit(width));
    }
    notes
}

/// A line of the list, not yet drawn.
#[derive(Clone, Copy)]
enum Line<'t> {
    Section(&'t str),
    Item(&'t Item, bool),
    Trouble(&'t str),
}

/// Every line of the list, and which one is selected.
fn lines<'t>(scene: &Scene<'t>) -> (Vec<Line<'t>>, usize) {
    let Some(template) = template(scene) else { return (Vec::new(), 0) };
    let selected_item = scene.state.selected(Block::Checklist).min(template.items.len().saturating_sub(1));
    let failed = scene.state.shown_run().map(|view| &view.failed).filter(|failed| !failed.is_empty());
    let (mut out, mut selected, mut section) = (Vec::new(), 0, "");
    for (index, item) in template.items.iter().enumerate() {
        if std::mem::replace(&mut section, &item.section) != item.section {
            out.push(Line::Section(&item.section));
        }
        if index == selected_item {
            selected = out.len();
        }
        out.push(Line::Item(item, index == selected_item));
        if let Some(why) = failed.and_then(|failed| failed.get(&item.id)) {
            out.push(Line::Trouble(why));
        }
    }
    (out, selected)
}

/// The width of the column of ids.
fn columns(scene: &Scene<'_>, width: usize) -> usize {
    let items = template(scene).map_or(&[][..], |template| &template.items);
    let longest = items.iter().map(|item| cells(item.id.as_str())).max().unwrap_or(0);
    longest.min(LONGEST_ID).min(width / 3)
}

fn drawn(scene: &Scene<'_>, line: Line<'_>, id_width: usize, width: usize) -> Row {
    let theme = scene.theme;
    match line {
        Line::Section(section) => {
            let name = text::harmless_line(section, 80);
            Row::new().put("  ", theme.dim).put(name, theme.dim).fit(width)
        }
        Line::Trouble(why) => Row::new().put("   ! ", theme.bad).put(why.to_owned(), theme.bad).fit(width),
        Line::Item(item, selected) => {
            let marked = selected && scene.focused(Block::Checklist);
            let look = item::look(scene, item, width.saturating_sub(id_width + 7));
            let row = self::line(scene, item, look, id_width, width, marked);
            if marked { row.over(theme.selected, width) } else { row }
        }
    }
}

fn line(scene: &Scene<'_>, item: &Item, look: Look, id_width: usize, width: usize, selected: bool) -> Row {
    let theme = scene.theme;
    let marker = if selected { "▸" } else { " " };
    let id = cut(item.id.as_str(), id_width).into_owned();
    let begin = id_width + 5;
    let row = Row::new()
        .put(marker, theme.focus)
        .put(look.glyph, look.style)
        .put(" ", theme.base)
        .put(id, if look.settled { theme.dim } else { theme.base })
        .to(begin);
    let right = look.status.put(" ", theme.base);
    let room = width.saturating_sub(begin + right.used() + 2);
    let row = if room >= SHORTEST_TITLE {
        let title = text::harmless_line(&item.title, 200);
        row.put(cut(&title, room).into_owned(), theme.dim)
    } else {
        row
    };
    row.beside(right, width)
}

/// The first line shown, so that the selected one is in view with its surroundings.
fn first_line(lines: usize, selected: usize, room: usize) -> usize {
    selected.saturating_sub(room / 2).min(lines.saturating_sub(room))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_selected_line_is_always_in_view() {
        for lines in 0..40_usize {
            for room in 1..30 {
                for selected in 0..lines.max(1) {
                    let first = first_line(lines, selected, room);
                    assert!((first..first + room).contains(&selected), "{lines} {room} {selected}");
                }
            }
        }
    }
}
