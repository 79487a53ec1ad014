//! A message, filled with the values of the moment it was opened.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::model::ItemId;
use crate::model::text::harmless_line;

use super::super::row::{Row, wrap};
use super::super::scene::Scene;
use super::{keys, window};

/// Draws the message; `at` is how far it is scrolled, in lines of the text.
pub(super) fn draw(
    scene: &Scene<'_>,
    id: &ItemId,
    filled: &Result<String, String>,
    at: usize,
    room: Rect,
    buf: &mut Buffer,
) {
    let theme = scene.theme;
    let width = room.width.min(92);
    let inside = usize::from(width.saturating_sub(4));
    let most = usize::from(room.height).saturating_sub(5);
    let (mut rows, does): (Vec<Row>, &[(&str, &str)]) = match filled {
        Ok(text) => {
            let lines = text.lines().skip(at).flat_map(|line| match line.trim() {
                "" => vec![String::new()],
                _ => wrap(&harmless_line(line, 2_000), inside),
            });
            let rows = lines.take(most).map(|line| Row::new().put(line, theme.base)).collect();
            (rows, &[("y", "copy"), ("w", "mark as sent"), ("j k", "scroll"), ("esc", "close")])
        }
        Err(why) => {
            let lines = wrap(why, inside).into_iter();
            (lines.map(|line| Row::new().put(line, theme.bad)).collect(), &[("esc", "close")])
        }
    };
    rows.push(Row::new());
    rows.push(keys(scene, does));
    window(scene, &format!("{id} · as of {}", scene.state.now.clock()), width, &rows, room, buf);
}
