//! The keys, from the one table of commands.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::app::Action;
use crate::app::command::TABLE;

use super::super::row::{Row, wrap};
use super::super::scene::Scene;
use super::window;

/// Which group of the help an action stands in.
fn group(action: Action) -> &'static str {
    match action {
        Action::Room
        | Action::Queues
        | Action::Api
        | Action::Flags
        | Action::Tenants
        | Action::Identity
        | Action::Org
        | Action::Filter
        | Action::Alerts
        | Action::Checklist
        | Action::Log
        | Action::Gates
        | Action::Milestones
        | Action::Sources => "Screens",
        Action::FocusNext
        | Action::FocusPrevious
        | Action::Down
        | Action::Up
        | Action::Top
        | Action::Bottom
        | Action::HalfDown
        | Action::HalfUp
        | Action::Open
        | Action::Zoom
        | Action::Back => "Moving",
        Action::Tick
        | Action::Sign
        | Action::Run
        | Action::Evidence
        | Action::Note
        | Action::Undo
        | Action::Copy
        | Action::Waive
        | Action::Fail
        | Action::BreakGlass
        | Action::ActAs
        | Action::List
        | Action::Write
        | Action::Start => "Checklist",
        Action::Vote
        | Action::Hold
        | Action::Rollback
        | Action::SetT0
        | Action::Resume
        | Action::Extend
        | Action::Recycle
        | Action::Scrub
        | Action::LiftOff
        | Action::Poll
        | Action::Desk
        | Action::LeaveDesk
        | Action::Confirm
        | Action::Dismiss
        | Action::Close => "Launch",
        Action::WindowShorter | Action::WindowLonger | Action::CursorLeft | Action::CursorRight => "Chart",
        Action::Pause | Action::Faster | Action::Slower | Action::Seek => "Replay",
        Action::Palette
        | Action::SignIn
        | Action::SignOut
        | Action::Record
        | Action::Help
        | Action::Suspend
        | Action::Quit => "Program",
    }
}

const GROUPS: [&str; 7] = ["Screens", "Moving", "Checklist", "Launch", "Chart", "Replay", "Program"];

const SIGNS: [(&str, &str); 14] = [
    ("✓ ? ✗", "pass, unknown, fail; only pass is GO"),
    ("○ ◐", "an item to do; one that is held, asked again or saved just now"),
    ("⊘", "an item that waits for others"),
    ("✓ – ~", "an item that is done; one that was skipped; one that was waived"),
    ("✗", "an item that failed"),
    ("↯", "an item that was done, and whose gate has gone bad since: regressed"),
    ("!", "something was not saved, or wants your eye"),
    ("△ ▲", "a number beyond its warn, its bad threshold"),
    ("● ◌ ✗ ○", "a source that is fresh, stale, failed, never seen"),
    ("ana?", "a name that nobody has verified"),
    ("▲ ◔ ◇ ▽", "an alert that fires, is pending, is silenced, is inhibited"),
    ("⚑ ✓ ▲ △", "on a chart: a flag changed, an event of the run, an alert fired, was resolved"),
    ("5s", "the age of what stands beside it"),
    ("as of", "the moment of the last good answer"),
];

/// Draws the help; `at` is how far it is scrolled, in commands.
pub(super) fn draw(scene: &Scene<'_>, at: usize, room: Rect, buf: &mut Buffer) {
    let width = room.width.min(78);
    let rows = rows(scene, usize::from(width.saturating_sub(4)));
    let height = usize::from(room.height.saturating_sub(2));
    // The state counts in commands, of which there are fewer than rows: its last is the last row.
    let last = TABLE.len().saturating_sub(1).max(1);
    let first = (at.min(last) * rows.len().saturating_sub(height)).div_ceil(last);
    let below = rows.len().saturating_sub(first + height);
    let title = match (first, below) {
        (0, 0) => "Help · esc closes".to_owned(),
        (above, below) => format!("Help · ↑{above} ↓{below} · esc closes"),
    };
    let shown: Vec<Row> = rows.into_iter().skip(first).take(height).collect();
    window(scene, &title, width, &shown, room, buf);
}

fn rows(scene: &Scene<'_>, width: usize) -> Vec<Row> {
    let theme = scene.theme;
    let mut out = Vec::new();
    let mut add = |head: &str, rows: Vec<(String, String)>| {
        if !out.is_empty() {
            out.push(Row::new());
        }
        out.push(Row::new().put(head.to_owned(), theme.focus));
        for (key, words) in rows {
            let mut key = Some(key);
            for line in wrap(&words, width.saturating_sub(21)) {
                let row = Row::new().put("  ", theme.base).put(key.take().unwrap_or_default(), theme.strong);
                out.push(row.to(20).put(" ", theme.base).put(line, theme.base));
            }
        }
    };
    // What only a replay can do is told where one is shown.
    let replay = scene.state.replay.is_some();
    for head in GROUPS.into_iter().filter(|head| replay || *head != "Replay") {
        let of = TABLE.iter().filter(|row| group(row.action) == head);
        add(
            head,
            of.map(|row| (pressed(scene, row.action, row.name, row.argument), row.help.to_owned())).collect(),
        );
    }
    add("Signs", SIGNS.iter().map(|(sign, words)| ((*sign).to_owned(), (*words).to_owned())).collect());
    out
}

/// The keys of an action, or the palette line that asks for it.
fn pressed(scene: &Scene<'_>, action: Action, name: &str, argument: Option<&str>) -> String {
    let keys = scene.state.keymap.keys(action);
    match (keys.is_empty(), argument) {
        (false, _) => keys,
        (true, None) => format!(":{name}"),
        (true, Some(argument)) => format!(":{name} {argument}"),
    }
}
