//! What is shown where the room does not fit: the verdict, what is at stake, and the size it takes.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::header;
use super::row::Row;
use super::scene::{Scene, put};

/// The smallest room.
pub(super) const LEAST: (u16, u16) = (60, 15);

/// Draws the card.
pub(super) fn draw(scene: &Scene<'_>, area: Rect, buf: &mut Buffer) {
    let theme = scene.theme;
    let width = usize::from(area.width);
    let size = format!("needs {}x{}, is {}x{}", LEAST.0, LEAST.1, area.width, area.height);
    let quit = scene.state.keymap.keys(crate::app::Action::Quit);
    let badges = header::badge(scene).put(" ", theme.base).join(header::verdict(scene));
    let one_line = Row::new().put(format!("{size}; {quit} quits"), theme.base);
    let rows = if one_line.used() <= width {
        vec![badges, one_line]
    } else {
        let quits = Row::new().put(format!("{quit} quits"), theme.base);
        vec![badges, Row::new().put(size, theme.base), quits]
    };
    let height = rows.len() as u16;
    let y = area.height.saturating_sub(height) / 2;
    let place = super::room::slice(area, y, height);
    put(
        buf,
        place,
        rows.into_iter().map(|row| {
            let begin = width.saturating_sub(row.used()) / 2;
            Row::new().to(begin).join(row).fit(width)
        }),
    );
}
