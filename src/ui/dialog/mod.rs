//! What lies over the room: help, an item, a text field, the palette, the question before leaving.
//! The header stays in view, so that nobody forgets what is at stake.

mod field;
mod help;
mod item;
mod message;
mod org;
mod palette;
mod question;
mod sign_in;
mod vote;

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::widgets::{Block as Frame, Borders, Clear, Widget};

use crate::app::Dialog;

use super::row::Row;
use super::scene::{Scene, put};

/// Draws the open dialog; returns where the cursor belongs, in one that takes text.
pub(super) fn draw(scene: &Scene<'_>, area: Rect, buf: &mut Buffer) -> Option<Position> {
    let (dialog, _) = scene.state.dialog.as_ref()?;
    let room = Rect { y: area.y + 1, height: area.height.saturating_sub(2), ..area };
    match dialog {
        Dialog::Help(at) => help::draw(scene, *at, room, buf),
        Dialog::Item(id) => item::draw(scene, id, room, buf),
        Dialog::Text(purpose, input) => return field::draw(scene, purpose, input, room, buf),
        Dialog::Palette(input, at) => return palette::draw(scene, input, *at, room, buf),
        Dialog::Org(input, at) => return org::draw(scene, input, *at, room, buf),
        Dialog::ConfirmQuit => question::quit(scene, room, buf),
        Dialog::ConfirmResume => question::resume(scene, room, buf),
        Dialog::ConfirmLiftOff => question::lift_off(scene, room, buf),
        Dialog::Approve(id, commands) => question::approve(scene, id, commands, room, buf),
        Dialog::SignIn => sign_in::draw(scene, room, buf),
        Dialog::Vote => vote::draw(scene, room, buf),
        Dialog::Message(id, filled, at) => message::draw(scene, id, filled, *at, room, buf),
    }
    None
}

/// A framed window in the middle of the room; returns the area inside its frame.
fn window(scene: &Scene<'_>, title: &str, width: u16, rows: &[Row], room: Rect, buf: &mut Buffer) -> Rect {
    let theme = scene.theme;
    let width = width.min(room.width);
    let height = (rows.len() as u16 + 2).min(room.height);
    let place =
        Rect { x: room.x + (room.width - width) / 2, y: room.y + (room.height - height) / 3, width, height };
    Clear.render(place, buf);
    let title = super::row::cut(title, usize::from(width.saturating_sub(6))).into_owned();
    let frame = Frame::new()
        .borders(Borders::ALL)
        .style(theme.base)
        .border_style(theme.focus)
        .title(Row::new().put(" ", theme.focus).put(title, theme.focus).put(" ", theme.focus).line());
    let inside = frame.inner(place);
    frame.render(place, buf);
    let inside = Rect { x: inside.x + 1, width: inside.width.saturating_sub(2), ..inside };
    put(buf, inside, rows.iter().cloned());
    inside
}

/// `t tick   s skip   esc close`
fn keys(scene: &Scene<'_>, keys: &[(&'static str, &'static str)]) -> Row {
    let theme = scene.theme;
    keys.iter().fold(Row::new(), |row, (key, word)| {
        row.put(*key, theme.strong).put(format!(" {word}   "), theme.dim)
    })
}
