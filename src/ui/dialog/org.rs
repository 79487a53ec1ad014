//! Which organisation to look at: what is typed narrows the list.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use tui_input::Input;

use crate::app::identity::choices;

use super::super::row::Row;
use super::super::scene::Scene;
use super::field::{cursor, edited};
use super::window;

/// How many choices are shown.
const SHOWN: usize = 12;

/// Draws the choices; returns where the cursor is.
pub(super) fn draw(
    scene: &Scene<'_>,
    input: &Input,
    at: usize,
    room: Rect,
    buf: &mut Buffer,
) -> Option<Position> {
    let theme = scene.theme;
    let width = room.width.min(64);
    let inside = usize::from(width.saturating_sub(4));
    let found = choices(scene.state, input.value());
    let at = at.min(found.len().saturating_sub(1));
    let shown = SHOWN.min(usize::from(room.height.saturating_sub(4)));
    let first = at.saturating_sub(shown.saturating_sub(1));
    let (line, column) = edited(scene, input, inside, "");
    let mut rows = vec![line, Row::new()];
    if found.is_empty() {
        rows.push(Row::new().put("no organisation fits", theme.warn));
    }
    for (index, org) in found.iter().enumerate().skip(first).take(shown) {
        let marked = index == at;
        let row = Row::new().put(if marked { "▸ " } else { "  " }, theme.focus);
        let row = match org {
            None => row.put("all organisations", theme.strong),
            Some(org) => row
                .put(org.name.clone(), theme.strong)
                .to(26)
                .put(org.id.clone(), theme.dim)
                .put(format!("  {}", org.plan), theme.dim),
        };
        rows.push(if marked { row.over(theme.selected, inside) } else { row });
    }
    let inside = window(scene, "Organisation", width, &rows, room, buf);
    cursor(inside, 0, column)
}
