//! Questions that `y` answers with yes.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::app::{press, summary};
use crate::engine::Outcome;
use crate::model::ItemId;
use crate::model::text::harmless_line;

use super::super::row::{Row, wrap};
use super::super::scene::Scene;
use super::{keys, window};

/// Leaving now would lose sight of something.
pub(super) fn quit(scene: &Scene<'_>, room: Rect, buf: &mut Buffer) {
    let saving: usize = scene.state.runs().map(|view| view.saving.len()).sum();
    let words = match (saving, press::leaves_behind(scene.state)) {
        (0, Some(why)) => format!(
            "{}{}.",
            why.get(..1).unwrap_or_default().to_uppercase(),
            why.get(1..).unwrap_or_default()
        ),
        (1, _) => {
            "One change is still being saved. Leave now and you will not see whether that worked.".into()
        }
        (n, _) => {
            format!("{n} changes are still being saved. Leave now and you will not see whether that worked.")
        }
    };
    ask(scene, "Quit?", &[words], ("leave", "stay"), room, buf);
}

/// The clock goes on.
pub(super) fn resume(scene: &Scene<'_>, room: Rect, buf: &mut Buffer) {
    let mut words: Vec<String> = Vec::new();
    if let Some((hold, why)) = summary::hold(scene.state) {
        words.push(why.map_or_else(|| hold.clone(), |why| format!("{hold}: {}", harmless_line(&why, 200))));
    }
    words.extend(summary::poll(scene.state));
    words.push(verdict(scene));
    ask(scene, "Resume the clock?", &words, ("resume", "keep holding"), room, buf);
}

/// T-0.
pub(super) fn lift_off(scene: &Scene<'_>, room: Rect, buf: &mut Buffer) {
    let words =
        [verdict(scene), "Every gate that counts is polled again now, and every one must pass.".to_owned()];
    ask(scene, "Lift-off?", &words, ("lift off", "not yet"), room, buf);
}

fn verdict(scene: &Scene<'_>) -> String {
    let outcome = scene.overall.outcome;
    match (outcome, summary::worst(scene.state, &scene.overall, 1).first()) {
        (Outcome::Go, _) | (_, None) => format!("The verdict is {} now.", outcome.words()),
        (_, Some(worst)) => format!("The verdict is {} now: {} {}", outcome.words(), worst.gate, worst.text),
    }
}

/// Commands of a template that this user never approved.
pub(super) fn approve(scene: &Scene<'_>, id: &ItemId, commands: &[String], room: Rect, buf: &mut Buffer) {
    let mut words = vec![format!(
        "You have not run a command of this template before, or it was edited since. {id} runs one of these:"
    )];
    let most = usize::from(room.height).saturating_sub(9).max(1);
    words.extend(commands.iter().take(most).map(|command| format!("  {}", harmless_line(command, 200))));
    if commands.len() > most {
        let more = commands.len() - most;
        words.push(format!("  … and {more} more: a larger terminal, or gonogo checklist show, has them all"));
    }
    ask(scene, "Approve this template's commands?", &words, ("approve and run", "leave it"), room, buf);
}

fn ask(
    scene: &Scene<'_>,
    title: &str,
    words: &[String],
    (yes, no): (&'static str, &'static str),
    room: Rect,
    buf: &mut Buffer,
) {
    let width = room.width.min(78);
    let inside = usize::from(width.saturating_sub(4));
    let most = usize::from(room.height).saturating_sub(5);
    let mut rows: Vec<Row> = words
        .iter()
        .flat_map(|words| wrap(words, inside))
        .take(most)
        .map(|line| Row::new().put(line, scene.theme.base))
        .collect();
    rows.push(Row::new());
    rows.push(keys(scene, &[("y", yes), ("n", no)]));
    window(scene, title, width, &rows, room, buf);
}
