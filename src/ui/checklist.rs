//! The checklist: sections, items, and what stands in each item's way.
//!
//! ```text
//! ━ Checklist · Tasks v0.1.4 launch · run 01kax3 ━━━━━━━━━━━━━━━━━━━━━━━━━━━━ 7/23 ━
//!   Identity & permissions
//!  ✓ flags-reviewed   Flags and roles reviewed                        ana? 13:41
//! ▸◐ queue-healthy    Queue can absorb the launch   312 < 500 ▓▓▓▓░░ 3m10s of 5m
//! ```

use crate::app::{Block, RunView};
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
    let (lines, selected) = lines(scene, width);
    let notes = notes(scene);
    let room = height.saturating_sub(1 + notes.len());
    let first = first_line(lines.len(), selected, room);
    let below = lines.len().saturating_sub(first + room);
    let right = right(scene, first, below);
    let mut out = vec![scene.heading(focused, title(scene), right, width)];
    out.extend(notes);
    out.extend(lines.into_iter().skip(first).take(room));
    out.truncate(height);
    out
}

/// How many rows the block would like.
pub(super) fn wanted(scene: &Scene<'_>) -> usize {
    let lines = template(scene).map_or(0, |t| t.items.len() + sections(t));
    let failed = scene.state.run.as_ref().map_or(0, |view| view.failed.len());
    1 + notes(scene).len() + lines + failed
}

fn sections(template: &Template) -> usize {
    let mut last = "";
    template.items.iter().filter(|i| std::mem::replace(&mut last, &i.section) != i.section).count()
}

pub(super) fn template<'a>(scene: &Scene<'a>) -> Option<&'a Template> {
    let state = scene.state;
    state.run.as_ref().map(|view| &*view.run.template).or(state.template.as_deref())
}

fn title(scene: &Scene<'_>) -> Row {
    let theme = scene.theme;
    let focused = scene.focused(Block::Checklist);
    let mut row = Row::new().put("Checklist", scene.title(focused));
    if let Some(template) = template(scene) {
        row = row.put(format!(" · {}", text::harmless_line(&template.title, 60)), theme.base);
    }
    if let Some(view) = &scene.state.run {
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

fn right(scene: &Scene<'_>, above: usize, below: usize) -> Row {
    let theme = scene.theme;
    let mut row = Row::new();
    if above > 0 {
        row = row.put(format!("↑{above} "), theme.dim);
    }
    if below > 0 {
        row = row.put(format!("↓{below} "), theme.dim);
    }
    let Some(view) = &scene.state.run else { return row.put("no run", theme.warn) };
    let (done, all) = view.run.progress();
    row.put(format!("{} ", head(view)), theme.dim).put(format!("{done}/{all}"), theme.strong)
}

/// What concerns the whole run.
fn notes(scene: &Scene<'_>) -> Vec<Row> {
    let theme = scene.theme;
    let mut notes = Vec::new();
    match &scene.state.run {
        None => {
            let why = scene.state.run_note.clone().unwrap_or_else(|| "opening the run".into());
            notes.push(Row::new().put(format!("  {why}"), theme.dim));
        }
        Some(view) => {
            if let Some(why) = &view.frozen {
                let why = text::harmless_line(why, 200);
                notes.push(Row::new().put(format!("  ! read only: {why}"), theme.bad));
            }
            if view.template_changed {
                let words = "  ! the template's file has changed; this run keeps its own copy";
                notes.push(Row::new().put(words, theme.warn));
            }
        }
    }
    notes
}

/// Every line of the list, and which one is selected.
fn lines(scene: &Scene<'_>, width: usize) -> (Vec<Row>, usize) {
    let theme = scene.theme;
    let Some(template) = template(scene) else { return (Vec::new(), 0) };
    let focused = scene.focused(Block::Checklist);
    let selected_item = scene.state.selected(Block::Checklist).min(template.items.len().saturating_sub(1));
    let longest = template.items.iter().map(|i| cells(i.id.as_str())).max().unwrap_or(0);
    let id_width = longest.min(LONGEST_ID).min(width / 3);
    let (mut out, mut selected, mut section) = (Vec::new(), 0, "");
    for (index, item) in template.items.iter().enumerate() {
        if std::mem::replace(&mut section, &item.section) != item.section {
            let name = text::harmless_line(&item.section, 80);
            out.push(Row::new().put("  ", theme.dim).put(name, theme.dim).fit(width));
        }
        let is_selected = index == selected_item;
        if is_selected {
            selected = out.len();
        }
        let look = item::look(scene, item);
        let row = line(scene, item, look, id_width, width, is_selected && focused);
        out.push(if is_selected && focused { row.over(theme.selected, width) } else { row });
        if let Some(why) = scene.state.run.as_ref().and_then(|view| view.failed.get(&item.id)) {
            out.push(Row::new().put("   ! ", theme.bad).put(why.clone(), theme.bad).fit(width));
        }
    }
    (out, selected)
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
