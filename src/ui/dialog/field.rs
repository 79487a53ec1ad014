//! A line of text, asked for.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use tui_input::Input;

use crate::app::state::Purpose;

use super::super::row::{Row, cells};
use super::super::scene::Scene;
use super::{keys, window};

/// Draws the field; returns where its cursor is.
pub(super) fn draw(
    scene: &Scene<'_>,
    purpose: &Purpose,
    input: &Input,
    room: Rect,
    buf: &mut Buffer,
) -> Option<Position> {
    let (title, hint) = match purpose {
        Purpose::Skip(item) => (format!("Skip {item}"), "why it may be left out; kept in the run for ever"),
        Purpose::Reopen(item) => {
            (format!("Reopen {item}"), "why it is not done after all; kept in the run for ever")
        }
        Purpose::Note(Some(item)) => (format!("Note on {item}"), "kept in the run for ever"),
        Purpose::Note(None) => ("Note on the run".to_owned(), "kept in the run for ever"),
        Purpose::Waive(item) => (format!("Waive {item}"), "why it is excused; a recorded deviation"),
        Purpose::Fail(item) => (format!("{item} has failed"), "what was found; kept in the run for ever"),
        Purpose::Evidence(item) => (format!("Evidence for {item}"), "an address, or words"),
        Purpose::Run(item) => (format!("Run {item}"), "type the item's id to run its command"),
        Purpose::Dismiss(_) => ("Dismiss what is proposed".to_owned(), "why it is not needed"),
        Purpose::Close => ("Close the run".to_owned(), "why; only notes are taken after that"),
        Purpose::Filter => {
            ("List changes with these words".to_owned(), "who, what, on what; enter keeps, esc clears")
        }
        Purpose::NoGo(station) => (format!("{station} says NO-GO"), "what stands in the way"),
    };
    let filter = *purpose == Purpose::Filter;
    let width = room.width.min(84);
    let (line, column) = edited(scene, input, usize::from(width.saturating_sub(4)), "");
    let rows = [
        Row::new().put(hint, scene.theme.dim),
        Row::new(),
        line,
        Row::new(),
        keys(
            scene,
            if filter {
                &[("enter", "keep"), ("esc", "clear")]
            } else {
                &[("enter", "save"), ("esc", "leave it")]
            },
        ),
    ];
    let inside = window(scene, &title, width, &rows, room, buf);
    cursor(inside, 2, column)
}

/// The visible part of what was typed, and the cursor's column in it.
pub(super) fn edited(scene: &Scene<'_>, input: &Input, width: usize, prompt: &'static str) -> (Row, usize) {
    let theme = scene.theme;
    let room = width.saturating_sub(cells(prompt) + 1).max(1);
    let scroll = input.visual_scroll(room);
    // Skips whole characters: the half of a wide one cannot be shown.
    let (mut skipped, mut visible) = (0, String::new());
    for c in input.value().chars() {
        if skipped < scroll {
            skipped += cells(c.encode_utf8(&mut [0; 4]));
        } else {
            visible.push(c);
        }
    }
    let column = cells(prompt) + input.visual_cursor().saturating_sub(skipped);
    let text: String = visible
        .chars()
        .scan(0, |used, c| {
            *used += cells(c.encode_utf8(&mut [0; 4]));
            (*used <= room).then_some(c)
        })
        .collect();
    let row = Row::new().put(prompt, theme.focus).put(text, theme.strong);
    (row.fill(width, "_", theme.dim).fit(width), column)
}

pub(super) fn cursor(inside: Rect, row: u16, column: usize) -> Option<Position> {
    let column = (column as u16).min(inside.width.saturating_sub(1));
    (row < inside.height).then(|| Position::new(inside.x + column, inside.y + row))
}
