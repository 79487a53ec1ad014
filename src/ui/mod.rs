//! Draws the room: [`State`] goes in, cells come out, and nothing changes.
//!
//! May import `model`, `engine`, `checklist` and `app`. Start with [`view`]; `room` places the
//! blocks, one file each, `zoom` shows one alone, `dialog` what lies over them. A block is rows of
//! text (`row`), so that what is cut, where, and in which cell a number ends is decided in one place.
//!
//! ```text
//! ┌──────────────────────────────────────────────┐
//! │ header    verdict  badge      T-clock  clock │  every frame has it, zooms and dialogs too
//! │ reasons   why it is not GO, worst first      │
//! ├──────────────────────────────────────────────┤
//! │ room │ zoom │ card (too small)               │
//! │          ┌──────────────┐                    │
//! │          │ dialog       │                    │
//! │          └──────────────┘                    │
//! ├──────────────────────────────────────────────┤
//! │ footer    keys or a notice, sources          │
//! └──────────────────────────────────────────────┘
//! ```

mod alert_detail;
mod alerts;
mod ascii;
mod axis;
mod board;
mod card;
mod chart;
mod checklist;
mod dialog;
mod flag_detail;
mod flags;
mod footer;
mod gates;
mod header;
mod identity;
mod identity_orgs;
mod identity_parts;
mod item;
mod item_detail;
mod log;
mod milestones;
mod past;
mod proposal;
mod reasons;
mod room;
mod row;
mod scene;
mod sources;
mod spark;
pub mod svg;
pub mod text;
pub mod theme;
mod words;
mod zoom;

pub use theme::Theme;

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use crate::app::State;

use scene::Scene;

/// Draws the state into the frame, at any size.
pub fn view(state: &State, theme: &Theme, frame: &mut Frame) {
    let area = frame.area();
    if let Some(cursor) = draw(state, theme, area, frame.buffer_mut()) {
        frame.set_cursor_position(cursor);
    }
}

/// The terminal's title: what needs an answer, else the verdict, and which launch it is.
pub fn title(state: &State) -> String {
    let launch = crate::model::text::harmless_line(&state.launch.product, 40);
    let badge = state.badge();
    let what = match crate::app::call::words(state) {
        Some(needs) => format!("! {}", crate::model::text::harmless_line(&needs, 80)),
        None => state.overall().outcome.words().to_owned(),
    };
    format!("{what} · {launch} · {badge}")
}

/// The state as a frame of that size without any terminal: for `--once` and for screenshots.
pub fn picture(state: &State, theme: &Theme, width: u16, height: u16) -> Buffer {
    let mut buffer = Buffer::empty(Rect::new(0, 0, width, height));
    let area = *buffer.area();
    draw(state, theme, area, &mut buffer);
    buffer
}

fn draw(state: &State, theme: &Theme, area: Rect, buf: &mut Buffer) -> Option<Position> {
    if area.is_empty() {
        return None;
    }
    let scene = Scene::new(state, theme);
    buf.set_style(area, theme.base);
    let cursor = if area.width < card::LEAST.0 || area.height < card::LEAST.1 {
        card::draw(&scene, area, buf);
        None
    } else {
        match state.zoom {
            Some(block) => zoom::draw(&scene, block, area, buf),
            None => room::draw(&scene, area, buf),
        }
        dialog::draw(&scene, area, buf)
    };
    if theme.ascii {
        ascii::flatten(buf);
    }
    cursor
}
