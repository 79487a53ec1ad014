//! The go/no-go poll: who has said what, and the two keys. Enter never means GO.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::app::summary;
use crate::model::Verdict;
use crate::model::duration::short;
use crate::model::text::harmless_line;

use super::super::row::Row;
use super::super::scene::Scene;
use super::super::words;
use super::{keys, window};

/// Draws the poll.
pub(super) fn draw(scene: &Scene<'_>, room: Rect, buf: &mut Buffer) {
    let theme = scene.theme;
    let now = scene.state.now;
    let poll = scene.state.run.as_ref().and_then(|view| view.run.poll_at(now));
    let width = room.width.min(84);
    let Some(poll) = poll else {
        let rows = [
            Row::new()
                .put("No poll is open: a hold that ends by poll opens one, or :poll STATION…", theme.base),
            Row::new(),
            keys(scene, &[("esc", "close")]),
        ];
        window(scene, "Go/no-go", width, &rows, room, buf);
        return;
    };
    let mine = scene.state.author.role.as_deref();
    let mut rows = Vec::new();
    for (place, station) in poll.stations.iter().enumerate() {
        let (word, style, rest) = match poll.votes.get(station) {
            Some(vote) if vote.is_go() => ("GO", theme.good, by(scene, vote)),
            Some(vote) if !vote.go => ("NO-GO", theme.bad, by(scene, vote)),
            Some(vote) => {
                let why = harmless_line(vote.lapsed.as_deref().unwrap_or_default(), 80);
                ("lapsed", theme.warn, format!("{}: {why}", by(scene, vote)))
            }
            None if poll.is_over(now) => ("silent", theme.bad, "counts as NO-GO".to_owned()),
            None => ("?", theme.warn, String::new()),
        };
        let marker = if mine == Some(station) { "▸" } else { " " };
        rows.push(
            Row::new()
                .put(marker, theme.focus)
                .put(format!("{} ", place + 1), theme.dim)
                .put(harmless_line(station, 20), theme.strong)
                .to(22)
                .put(word, style)
                .to(30)
                .put(rest, theme.dim),
        );
    }
    rows.push(Row::new());
    let left = match poll.deadline {
        Some(deadline) if now < deadline => {
            format!("{} left; silence is NO-GO", short(words::floor(deadline.since(now))))
        }
        Some(deadline) => format!("over since {}: extend the hold, or scrub", deadline.clock()),
        None => "no deadline".into(),
    };
    rows.push(Row::new().put(left, theme.base));
    let worst = summary::worst(scene.state, &scene.overall, 3);
    if worst.is_empty() {
        rows.push(Row::new().put("✓ every gate that counts passes", theme.good));
    }
    for line in worst {
        let style = scene.verdict(line.verdict);
        let glyph = if line.verdict == Verdict::Fail { "✗" } else { "?" };
        rows.push(Row::new().put(format!("{glyph} {} {}", line.gate, line.text), style));
    }
    rows.push(Row::new());
    let who = mine.map_or_else(
        || "You act in no role: a number chooses the station.".to_owned(),
        |role| format!("You speak for {}.", harmless_line(role, 40)),
    );
    rows.push(Row::new().put(who, theme.base));
    rows.push(keys(
        scene,
        &[("g", "GO, on numbers polled now"), ("n", "NO-GO"), ("1-9", "station"), ("esc", "close")],
    ));
    window(scene, &format!("Go/no-go: {}", poll.id), width, &rows, room, buf);
}

fn by(scene: &Scene<'_>, vote: &crate::checklist::Vote) -> String {
    let note = vote.note.as_ref().map(|note| format!(": {}", harmless_line(note, 60))).unwrap_or_default();
    format!("{} {}{note}", words::who(&vote.author), words::when(vote.at, scene.state.now))
}
