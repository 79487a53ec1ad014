//! The palette: a command by name, with what fits best below.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use tui_input::Input;

use crate::app::dialog::suggestions;

use super::super::row::{Row, cells};
use super::super::scene::Scene;
use super::field::{cursor, edited};
use super::window;

/// How many suggestions are shown.
const SHOWN: usize = 10;

/// Draws the palette; returns where its cursor is.
pub(super) fn draw(
    scene: &Scene<'_>,
    input: &Input,
    at: usize,
    room: Rect,
    buf: &mut Buffer,
) -> Option<Position> {
    let theme = scene.theme;
    let width = room.width.min(76);
    let inside = usize::from(width.saturating_sub(4));
    let found = suggestions(input.value());
    let at = at.min(found.len().saturating_sub(1));
    let shown = SHOWN.min(usize::from(room.height.saturating_sub(4)));
    let first = at.saturating_sub(shown.saturating_sub(1));
    let (line, column) = edited(scene, input, inside, ":");
    let mut rows = vec![line, Row::new()];
    if found.is_empty() {
        rows.push(Row::new().put("no command fits", theme.warn));
    }
    for (index, row) in found.iter().enumerate().skip(first).take(shown) {
        let marked = index == at;
        let name = match row.argument {
            Some(argument) => format!("{} {argument}", row.name),
            None => row.name.to_owned(),
        };
        let line = Row::new()
            .put(if marked { "▸ " } else { "  " }, theme.focus)
            .put(name, theme.strong)
            .to(18)
            .put(row.help, theme.dim);
        let keys = scene.state.keymap.keys(row.action);
        let keys = if cells(&keys) > 14 { String::new() } else { keys };
        let line = line.beside(Row::new().put(keys, theme.dim), inside);
        rows.push(if marked { line.over(theme.selected, inside) } else { line });
    }
    let inside = window(scene, "Command", width, &rows, room, buf);
    cursor(inside, 0, column)
}
