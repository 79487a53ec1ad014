//! Signing in: where to go, what to type in there, and how long that works.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::app::signing::Step;
use crate::model::duration::short;

use super::super::row::{Row, wrap};
use super::super::scene::Scene;
use super::super::words::floor;
use super::{keys, window};

/// Draws the sign-in that is under way.
pub(super) fn draw(scene: &Scene<'_>, room: Rect, buf: &mut Buffer) {
    let Some(signing) = &scene.state.signing else { return };
    let theme = scene.theme;
    let width = room.width.min(78);
    let inside = usize::from(width.saturating_sub(4));
    let lines = |text: &str, style| -> Vec<Row> {
        wrap(text, inside).into_iter().map(|line| Row::new().put(line, style)).collect()
    };
    let mut rows = Vec::new();
    match &signing.step {
        Step::Asking => {
            rows.extend(lines(&format!("Asking {} for a code …", signing.issuer), theme.base));
            rows.push(Row::new());
            rows.push(keys(scene, &[("esc", "cancel")]));
        }
        Step::Code(code) => {
            rows.extend(lines("Open this page in a browser, on any machine:", theme.dim));
            rows.extend(lines(&code.uri, theme.strong));
            rows.push(Row::new());
            rows.extend(lines("and type in", theme.dim));
            rows.extend(lines(&code.user_code, theme.strong));
            rows.push(Row::new());
            let left = floor(code.ends.since(scene.state.now));
            let text = if left.is_zero() {
                "The code has ended.".to_owned()
            } else {
                format!("The code is good for {}.", short(left))
            };
            rows.extend(lines(&text, theme.dim));
            rows.push(Row::new());
            rows.push(keys(scene, &[("y", "copy the address"), ("esc", "cancel")]));
        }
        Step::Failed(why) => {
            rows.extend(lines(why, theme.bad));
            rows.push(Row::new());
            rows.push(keys(scene, &[("r", "try again"), ("esc", "close")]));
        }
    }
    window(scene, &format!("Sign in: {}", signing.credential), width, &rows, room, buf);
}
