//! The milestones, each with its items that are not settled; what is late stands first.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::app::Block;
use crate::checklist::template::Milestone;
use crate::model::duration::short;
use crate::model::text::harmless_line;

use super::row::Row;
use super::scene::{Scene, put};
use super::{checklist, words};

/// Draws the milestones of the list that is shown.
pub(super) fn draw(scene: &Scene<'_>, area: Rect, buf: &mut Buffer) {
    let width = usize::from(area.width);
    let theme = scene.theme;
    let title = Row::new().put("Milestones", scene.title(true));
    let mut rows = vec![scene.heading(true, title, Row::new(), width)];
    let Some(template) = checklist::template(scene) else { return put(buf, area, rows) };
    if template.milestones.is_empty() {
        rows.push(Row::new().put("  this checklist has no [[milestone]]", theme.dim));
    }
    let selected = scene.state.selected(Block::Milestones).min(template.milestones.len().saturating_sub(1));
    let mut begin = 0;
    for (place, milestone) in template.milestones.iter().enumerate() {
        if place == selected {
            begin = rows.len();
        }
        rows.extend(of_one(scene, milestone, place == selected, width));
    }
    // The selected one stands in view, under the heading.
    let height = usize::from(area.height);
    let skip = begin.saturating_sub(height / 2).min(rows.len().saturating_sub(height));
    if skip > 0 {
        rows.drain(1..=skip);
    }
    put(buf, area, rows);
}

fn of_one(scene: &Scene<'_>, milestone: &Milestone, selected: bool, width: usize) -> Vec<Row> {
    let theme = scene.theme;
    let now = scene.state.now;
    let items = checklist::template(scene).map_or(&[][..], |template| &template.items);
    let of = items.iter().filter(|item| item.milestone.as_ref() == Some(&milestone.id));
    let stands = |id| scene.state.shown_run().is_some_and(|view| view.run.stands(id));
    let (done, open): (Vec<_>, Vec<_>) = of.partition(|item| stands(&item.id));
    let past = now >= milestone.date;
    let (glyph, style, when) = match (open.is_empty(), past) {
        (true, _) => ("✓", theme.good, milestone.date.date()),
        (false, true) => (
            "!",
            theme.bad,
            format!("{}, late by {}", milestone.date.date(), short(words::floor(now.since(milestone.date)))),
        ),
        (false, false) => (
            "○",
            theme.base,
            format!("{}, in {}", milestone.date.date(), short(words::floor(milestone.date.since(now)))),
        ),
    };
    let right = Row::new().put(format!("{}/{} ", done.len(), done.len() + open.len()), theme.strong);
    let row = Row::new()
        .put(if selected { "▸" } else { " " }, theme.focus)
        .put(format!("{glyph} "), style)
        .put(harmless_line(&milestone.title, 60), theme.strong)
        .put(format!("  {when}"), style);
    let mut rows = vec![row.beside(right, width)];
    for item in open {
        let whose = item
            .owner
            .as_ref()
            .or(item.role.as_ref())
            .map(|whose| format!(" ({})", harmless_line(whose, 20)));
        rows.push(
            Row::new()
                .put(if past { "   ! " } else { "   ○ " }, style)
                .put(item.id.to_string(), theme.base)
                .put(format!("  {}{}", harmless_line(&item.title, 120), whose.unwrap_or_default()), theme.dim)
                .fit(width),
        );
    }
    rows
}
