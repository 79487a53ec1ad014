//! The alerts: what fires, what will, what somebody muted; and where nothing does, what that rests on.
//!
//! ```text
//! ━ Alerts  1 firing · 1 pending ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━ 3s ━
//!   ▲ firing    TasksQueueOldestHigh  2m              queue=tasks severity=page
//!   ◔ pending   TasksQueueDepthHigh   fires in 1m20s  queue=tasks severity=page
//! ```

use ratatui::style::Style;

use crate::app::Block;
use crate::app::alerts::{self, AlertLine, Standing};

use super::row::{Row, cells, cut};
use super::scene::Scene;
use super::words;

/// The most lines that the block asks for; all of them stand in the zoom.
const LINES: usize = 6;
/// Cells before the name: marker, glyph, word.
const BEFORE: usize = 14;

/// The block with its heading, in at most `height` rows; in a single row all of it in short.
pub(super) fn rows(scene: &Scene<'_>, width: usize, height: usize) -> Vec<Row> {
    let state = scene.state;
    if height == 1 {
        return vec![in_short(scene, width)];
    }
    let lines = alerts::lines(state);
    let mut out = vec![heading(scene, &lines, scene.focused(Block::Alerts), width)];
    out.extend(trouble(scene).map(|row| row.fit(width)));
    let shown: Vec<&AlertLine<'_>> = lines.iter().filter(|l| l.standing != Standing::Watchdog).collect();
    if shown.is_empty() {
        out.push(none(scene).fit(width));
    }
    let room = height.saturating_sub(out.len());
    let cuts = shown.len() > room;
    let columns = columns(scene, &shown, width);
    let kept = if cuts { room.saturating_sub(1) } else { room };
    out.extend(shown.iter().take(kept).map(|l| line(scene, l, columns, false, width)));
    if cuts {
        let words = format!("  … and {} more", shown.len() - kept);
        out.push(Row::new().put(words, scene.theme.dim).fit(width));
    }
    out.truncate(height);
    out
}

/// How many rows the block would like.
pub(super) fn wanted(scene: &Scene<'_>) -> usize {
    let lines = alerts::lines(scene.state);
    let shown = lines.iter().filter(|l| l.standing != Standing::Watchdog).count();
    1 + usize::from(trouble(scene).is_some()) + shown.clamp(1, LINES)
}

/// `Alerts  1 firing · 1 pending`, and the age.
pub(super) fn heading(scene: &Scene<'_>, lines: &[AlertLine<'_>], focused: bool, width: usize) -> Row {
    let theme = scene.theme;
    let mut title = Row::new().put("Alerts", scene.title(focused)).put("  ", theme.base);
    let counts = counts(lines);
    let (age, bad) = alerts::age(scene.state);
    if counts.is_empty() {
        // Nothing that is known of is not the same as nothing.
        let words = if bad || age.is_none() { "cannot tell" } else { "none firing" };
        title = title.put(words, if bad { theme.warn } else { theme.dim });
    }
    for (place, (standing, count)) in counts.into_iter().enumerate() {
        let dot = if place > 0 { " · " } else { "" };
        title = title.put(dot, theme.dim).put(format!("{count} {}", standing.word()), style(scene, standing));
    }
    let age = age.map_or_else(|| "no answer yet".into(), |age| words::age(Some(age)));
    let right =
        if bad { Row::new().put(format!("{age} stale"), theme.warn) } else { Row::new().put(age, theme.dim) };
    scene.heading(focused, title, right, width)
}

fn counts(lines: &[AlertLine<'_>]) -> Vec<(Standing, usize)> {
    [Standing::Firing, Standing::Other, Standing::Silenced, Standing::Inhibited, Standing::Pending]
        .into_iter()
        .map(|standing| (standing, lines.iter().filter(|l| l.standing == standing).count()))
        .filter(|(_, count)| *count > 0)
        .collect()
}

/// `▲ 1 alert TasksQueueOldestHigh 2m`
fn in_short(scene: &Scene<'_>, width: usize) -> Row {
    let theme = scene.theme;
    let lines = alerts::lines(scene.state);
    let mark = if scene.focused(Block::Alerts) { "▸" } else { " " };
    let row = Row::new().put(mark, theme.focus);
    let (age, bad) = alerts::age(scene.state);
    let age = words::age(age);
    let right = Row::new().put(format!("{age} "), if bad { theme.warn } else { theme.dim });
    let shown: Vec<&AlertLine<'_>> = lines.iter().filter(|l| l.standing != Standing::Watchdog).collect();
    let Some(first) = shown.first() else {
        let words = match trouble(scene) {
            Some(trouble) => row.put("alerts", theme.strong).join(trouble),
            None => row.put("alerts ", theme.strong).join(none(scene)),
        };
        return words.beside(right, width);
    };
    let style = style(scene, first.standing);
    let count = shown.iter().filter(|l| l.standing == first.standing).count();
    let s = if count == 1 { "" } else { "s" };
    let row = row
        .put(format!("{} {count} alert{s} {} ", first.standing.glyph(), first.standing.word()), style)
        .put(cut(&first.seen.alert.name, 40).into_owned(), theme.strong)
        .put(format!(" {}", alerts::time_text(&first.seen.alert, scene.state.now)), theme.base);
    let rest = shown.len() - count;
    let row = if rest > 0 { row.put(format!("  +{rest} others"), theme.dim) } else { row };
    row.beside(right, width)
}

/// The row that says why the block cannot be trusted.
pub(super) fn trouble(scene: &Scene<'_>) -> Option<Row> {
    let words = alerts::trouble(scene.state)?;
    Some(Row::new().put("  ✗ ", scene.theme.bad).put(words, scene.theme.bad))
}

/// The row for no alert.
pub(super) fn none(scene: &Scene<'_>) -> Row {
    Row::new().put(format!("  {}", alerts::none_text(scene.state)), scene.theme.dim)
}

/// Ends of the name's and the time's columns.
pub(super) fn columns(scene: &Scene<'_>, lines: &[&AlertLine<'_>], width: usize) -> (usize, usize) {
    let now = scene.state.now;
    let name =
        lines.iter().map(|l| cells(&l.seen.alert.name)).max().unwrap_or(0).clamp(4, (width / 3).max(4));
    let time = lines.iter().map(|l| cells(&alerts::time_text(&l.seen.alert, now))).max().unwrap_or(0);
    (BEFORE + name + 2, BEFORE + name + 2 + time + 2)
}

/// One alert; of a group only the first line says the name.
pub(super) fn line(
    scene: &Scene<'_>,
    line: &AlertLine<'_>,
    (name_end, time_end): (usize, usize),
    selected: bool,
    width: usize,
) -> Row {
    let theme = scene.theme;
    let alert = &line.seen.alert;
    let style = style(scene, line.standing);
    let name = cut(&alert.name, name_end.saturating_sub(BEFORE + 2)).into_owned();
    let (name, name_style) = match line.group {
        None => ("  …".into(), theme.dim),
        Some(_) => (name, theme.strong),
    };
    let muted = alert.muted_text().map(|text| format!("  {text}")).unwrap_or_default();
    Row::new()
        .put(if selected { "▸" } else { " " }, theme.focus)
        .put(" ", theme.base)
        .put(format!("{} {:<9} ", line.standing.glyph(), line.standing.word()), style)
        .to(BEFORE)
        .put(name, name_style)
        .to(name_end)
        .put(alerts::time_text(alert, scene.state.now), theme.base)
        .to(time_end)
        .put(alerts::telling_labels(line.seen), theme.base)
        .put(muted, theme.dim)
        .fit(width)
}

/// The colour of a standing.
pub(super) fn style(scene: &Scene<'_>, standing: Standing) -> Style {
    match standing {
        Standing::Firing => scene.theme.bad,
        Standing::Other | Standing::Pending | Standing::Silenced | Standing::Inhibited => scene.theme.warn,
        Standing::Watchdog => scene.theme.good,
    }
}
