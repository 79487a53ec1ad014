//! The flags: how far each is rolled out, what callers really get, what comes next.
//!
//! ```text
//! ━ Flags · production ━━━━━━━━━━━━━━━━━ seen ━ next ━━━━━━━━━━━━ changed ━━ 31s ━
//!   tasks.enabled  ██▌·······   25 %   24.1 %  → 50 % 15:00   14:02 ravi
//! ```

use ratatui::style::Style;

use crate::app::Block;
use crate::engine::flags::{Drift, FlagState};
use crate::model::{Flag, Health, Percent, Unit, text, value};

use super::row::{Row, cells, cut};
use super::scene::Scene;
use super::words;

const BAR: usize = 10;
const PARTS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

/// One flag's cells, right of its bar.
struct Cells {
    percent: (String, Style),
    seen: (String, Style),
    next: (String, Style),
    changed: (String, Style),
}

/// The block with its heading, in at most `height` rows.
pub(super) fn rows(scene: &Scene<'_>, width: usize, height: usize) -> Vec<Row> {
    let theme = scene.theme;
    let flags = &scene.state.watch.flags;
    let all: Vec<(&FlagState, Cells)> = flags.iter().map(|f| (f, cells_of(scene, f))).collect();
    let widest = |of: fn(&Cells) -> &str| all.iter().map(|(_, c)| cells(of(c))).max().unwrap_or(0);
    let key = all.iter().map(|(f, _)| cells(&f.def.key)).max().unwrap_or(0).clamp(5, width / 3);
    let percent = widest(|c| &c.percent.0);
    let (age, stale) = age(scene);
    let room = width.saturating_sub(2 + cells(&age) + 3);
    // Heading, width and end of the optional columns; the rightmost give way.
    let mut end = 2 + key + 2 + BAR + 2 + percent;
    let mut columns = Vec::new();
    for (head, wide, of) in [
        ("seen", widest(|c| &c.seen.0), (|c: &Cells| c.seen.clone()) as fn(&Cells) -> (String, Style)),
        ("next", widest(|c| &c.next.0), |c| c.next.clone()),
        ("changed", widest(|c| &c.changed.0), |c| c.changed.clone()),
    ] {
        let wide = if wide == 0 { 0 } else { wide.max(cells(head)) };
        if wide > 0 && end + 2 + wide <= room {
            end += 2 + wide;
            columns.push((head, end, of));
        }
    }
    let focused = scene.focused(Block::Flags);
    let (symbol, rule) = scene.rule(focused);
    let environment = text::harmless_line(&scene.state.launch.environment, 20);
    let title = cut(&format!("Flags · {environment}"), room.saturating_sub(2)).into_owned();
    let mut heading = Row::new().put(symbol, rule).put(" ", rule).put(title, scene.title(focused));
    for (head, end, _) in &columns {
        let begin = end - cells(head);
        if heading.used() < begin {
            heading = scene.ruled(heading, begin, focused).put(*head, theme.dim);
        }
    }
    let age_style = if stale { theme.warn } else { theme.dim };
    let heading = scene.ruled(heading, width.saturating_sub(cells(&age) + 2), focused);
    let mut out = vec![heading.put(age, age_style).put(" ", rule).put(symbol, rule).fit(width)];
    out.extend(trouble(scene));
    for (flag, c) in &all {
        let name = cut(&flag.def.key, key).into_owned();
        let mut row = Row::new().put("  ", theme.base).put(name, theme.base).to(2 + key + 2);
        if flag.missing {
            let words = if flag.caps.missing {
                format!("✗ does not exist in {environment}")
            } else {
                "✗ is not among what the provider shows".into()
            };
            out.push(row.put(words, theme.bad).fit(width));
            continue;
        }
        row = row.join(bar(scene, flag)).right(
            c.percent.0.clone(),
            2 + key + 2 + BAR + 2 + percent,
            c.percent.1,
        );
        for (_, end, of) in &columns {
            let (words, style) = of(c);
            row = row.right(words, *end, dimmed(scene, flag, style));
        }
        out.push(row.fit(width));
    }
    // Whoever acts in somebody else's name explains odd traffic.
    out.extend(super::identity_parts::room_note(scene).map(|row| row.fit(width)));
    out.truncate(height);
    out
}

/// How many rows the block would like.
pub(super) fn wanted(scene: &Scene<'_>) -> usize {
    let note = super::identity_parts::room_note(scene);
    1 + scene.state.watch.flags.len() + trouble(scene).iter().len() + note.iter().len()
}

fn cells_of(scene: &Scene<'_>, state: &FlagState) -> Cells {
    let (now, base) = (scene.state.now, scene.theme.base);
    let flag = state.flag.as_ref();
    let next = flag
        .and_then(|f| f.next)
        .map(|(at, to)| format!("→ {} {}", Percent::Known { value: to }.text(), words::when(at, now)));
    let changed = flag.and_then(|f| f.updated_at).map(|at| {
        let by = flag.and_then(|f| f.updated_by.as_deref()).unwrap_or_default();
        format!("{} {}", words::when(at, now), text::harmless_line(by, 16)).trim_end().to_owned()
    });
    let (share, style) = percent(scene, state);
    // Whoever reads the heading thinks of the launch's environment.
    let share = match state.elsewhere(&scene.state.launch.environment) {
        Some(other) => (format!("{share} in {}", text::harmless_line(other, 16)), scene.theme.warn),
        None => (share, style),
    };
    Cells {
        percent: share,
        seen: seen(scene, state).unwrap_or((String::new(), base)),
        next: (next.unwrap_or_default(), base),
        changed: (changed.unwrap_or_default(), base),
    }
}

/// `25 %`, `≥ 10 %`, `unknown`, `off`; never a bare 0 for what is not known.
pub(super) fn percent(scene: &Scene<'_>, state: &FlagState) -> (String, Style) {
    let theme = scene.theme;
    match &state.flag {
        None if state.missing => ("missing".into(), theme.bad),
        None => ("no answer yet".into(), theme.dim),
        Some(flag) if flag.archived => ("archived".into(), theme.warn),
        Some(flag) if flag.switched() == Some(false) => ("off".into(), dimmed(scene, state, theme.strong)),
        Some(flag) if is_in_doubt(flag) => ("unknown".into(), theme.warn),
        Some(flag) if flag.percent == Percent::Unsupported => {
            ("on, share not told".into(), dimmed(scene, state, theme.base))
        }
        Some(flag) => (flag.percent.text(), dimmed(scene, state, theme.strong)),
    }
}

/// What callers got, and in a word where that is not what is set: `24.1 %`, `12.4 % drift`.
fn seen(scene: &Scene<'_>, state: &FlagState) -> Option<(String, Style)> {
    let (seen, drift) = scene.state.watch.seen(state, scene.state.now)?;
    let percent = value::in_unit(seen.percent, Unit::Percent);
    if seen.stale {
        return Some((format!("{percent} stale"), scene.theme.stale));
    }
    Some(match drift {
        Some(Drift::Off { .. }) => (format!("{percent} drift"), scene.theme.warn),
        Some(Drift::Settling) => (format!("{percent} settling"), scene.theme.base),
        Some(Drift::None) | None => (percent, scene.theme.base),
    })
}

/// Whether nothing is known of how far it is out; where no shares are told, not even whether it is on.
fn is_in_doubt(flag: &Flag) -> bool {
    flag.percent == Percent::Unknown || (flag.percent == Percent::Unsupported && flag.enabled_unknown)
}

/// Ten cells; off, none, and not known are three different pictures.
pub(super) fn bar(scene: &Scene<'_>, state: &FlagState) -> Row {
    let theme = scene.theme;
    let Some(flag) = &state.flag else { return Row::new().fill(BAR, " ", theme.dim) };
    if flag.switched() == Some(false) {
        return Row::new().fill(BAR, "─", theme.dim);
    }
    let (value, open) = match flag.percent {
        _ if is_in_doubt(flag) => return Row::new().fill(BAR, "?", theme.dim),
        Percent::Known { value } | Percent::Estimated { value, .. } => (value, false),
        Percent::AtLeast { value } => (value, true),
        // Neither full nor empty nor in doubt: this provider has no percentages.
        Percent::Unknown | Percent::Unsupported => return Row::new().fill(BAR, " ", theme.dim),
    };
    let eighths = ((value.clamp(0.0, 100.0) / 100.0) * (BAR * 8) as f64).round() as usize;
    // A flag that is on for anybody at all draws something, and a full bar means everybody.
    let eighths = match value {
        v if v > 0.0 && eighths == 0 => 1,
        v if v < 100.0 && eighths == BAR * 8 => BAR * 8 - 1,
        _ => eighths,
    };
    let part = PARTS.get(eighths % 8).copied().unwrap_or("");
    let style = dimmed(scene, state, theme.accent);
    let row = Row::new().fill(eighths / 8, "█", style).put(part, style);
    let row = if open && row.used() < BAR { row.put("›", style) } else { row };
    row.fill(BAR, "·", theme.dim)
}

fn dimmed(scene: &Scene<'_>, state: &FlagState, style: Style) -> Style {
    if is_stale(scene, state) { scene.theme.stale } else { style }
}

fn is_stale(scene: &Scene<'_>, state: &FlagState) -> bool {
    let patience = scene.state.watch.source(&state.def.source).map(crate::engine::SourceState::patience);
    match (state.asked, patience) {
        (Some(asked), Some(patience)) => scene.state.now.since(asked) > patience,
        _ => false,
    }
}

fn age(scene: &Scene<'_>) -> (String, bool) {
    let flags = &scene.state.watch.flags;
    let oldest = flags.iter().map(|f| f.asked).min().flatten();
    let stale = flags.iter().any(|f| is_stale(scene, f));
    match oldest {
        None => ("no answer yet".into(), false),
        Some(at) => {
            let age = words::age(Some(scene.state.now.since(at)));
            (if stale { format!("{age} stale") } else { age }, stale)
        }
    }
}

fn trouble(scene: &Scene<'_>) -> Option<Row> {
    let state = scene.state;
    let theme = scene.theme;
    let source = |f: &FlagState| state.watch.source(&f.def.source);
    let failed =
        state.watch.flags.iter().filter_map(source).find(|s| s.health(state.now) != Health::Fresh)?;
    let as_of = failed.age(state.now).map(|age| format!("  {}", words::as_of(state.now, age)));
    let (glyph, words, style) = match (&failed.fault, failed.health(state.now)) {
        (Some(fault), _) => ("✗", format!("{} {fault}", failed.def.id), theme.bad),
        (None, Health::Stale) => ("◌", format!("{}: no newer answer", failed.def.id), theme.warn),
        _ => return None,
    };
    let row = Row::new().put(format!("  {glyph} "), style).put(words, style);
    Some(row.put(as_of.unwrap_or_default(), theme.dim))
}
