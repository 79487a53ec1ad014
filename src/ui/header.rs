//! The first line: the verdict, what is at stake, the clocks.

use ratatui::style::Style;

use crate::app::summary;
use crate::checklist::Mode;
use crate::engine::Outcome;
use crate::model::Verdict;

use super::row::Row;
use super::scene::Scene;

const LIVE: &str = " LIVE";
/// The most cells for the name of an environment.
const BADGE: usize = 14;

/// A part of the header; those of a lower rank give way first.
struct Part {
    rank: u8,
    row: Row,
}

/// The header in `width` cells. Verdict, badge and clocks are kept as long as anything is.
pub(super) fn row(scene: &Scene<'_>, width: usize) -> Row {
    let (row, dropped) = of_parts(scene, width, true);
    if dropped { of_parts(scene, width, false).0 } else { row }
}

/// The row, and whether a part had to give way; what passes is counted only where there is room.
fn of_parts(scene: &Scene<'_>, width: usize, count_passes: bool) -> (Row, bool) {
    let state = scene.state;
    let theme = scene.theme;
    let dim = theme.dim;
    let text = |rank, words: String, style| Part { rank, row: Row::new().put(words, style) };
    let mut left = vec![
        Part { rank: 9, row: verdict(scene) },
        text(5, counts(scene, count_passes), theme.base),
        Part { rank: 8, row: badge(scene) },
    ];
    let mut right = Vec::new();
    if state.forwarding {
        left.push(text(6, "fast-forward".into(), theme.warn));
    }
    if let Some(replay) = &state.replay {
        left.push(text(7, replay.words(), theme.warn));
    }
    if let Some(recording) = &state.recording {
        left.push(match &recording.broken {
            None => text(7, format!("● REC {}", recording.polls), theme.strong),
            Some(_) => text(8, "REC broke off".into(), theme.warn),
        });
    }
    if let Some(view) = &state.run {
        if let Some(broken) = view.run.overridden().filter(|_| view.run.closed.is_none()) {
            let words = format!(" OVERRIDDEN by {} ", super::words::who(&broken.author));
            left.push(Part { rank: 8, row: Row::new().put(words, theme.badge_no_go) });
        }
        let real = !state.demo && state.replay.is_none();
        if let Some(desk) = &view.run.desk
            && state.is_watched()
        {
            let here = state.present.as_ref().map_or(1, Vec::len);
            let here = if here > 1 { format!(" · {here} here") } else { String::new() };
            let name = super::words::who(&desk.author);
            right.push(text(4, format!("desk {name}{here}"), dim));
        } else if real && view.run.mode == Mode::Live && view.run.is_watched_for() {
            // Nobody writes what happens by itself, and the triggers are not armed.
            right.push(text(7, "UNWATCHED".into(), theme.warn));
        }
    }
    right.extend(person(scene));
    if let Some((hold, _)) = summary::hold(state) {
        right.push(text(7, hold, theme.warn));
    }
    let live = !state.demo
        && state.replay.is_none()
        && state.run.as_ref().is_none_or(|view| view.run.mode == Mode::Live);
    if live && !state.write {
        right.push(text(6, "read only".into(), dim));
    }
    let launch = &state.launch;
    let product = crate::model::text::harmless_line(&format!("{} v{}", launch.product, launch.version), 40);
    right.push(text(3, product, theme.base));
    right.push(text(7, summary::t_clock(state), theme.strong));
    right.push(text(6, format!("{}Z", state.now.clock()), dim));
    let all = left.len() + right.len();
    drop_lowest(&mut left, &mut right, width.saturating_sub(1));
    let dropped = left.len() + right.len() < all;
    let join = |parts: Vec<Part>| {
        parts.into_iter().enumerate().fold(Row::new(), |row, (i, part)| {
            let row = if i == 0 { row } else { row.put("  ", Style::new()) };
            row.join(part.row)
        })
    };
    let left = Row::new().put(" ", Style::new()).join(join(left));
    let right = join(right).put(" ", Style::new());
    let begin = width.saturating_sub(right.used());
    // What is not real says so across the whole line.
    let gap = begin.saturating_sub(left.used());
    let row = if is_play(scene) && gap > 6 {
        left.put("  ", Style::new()).fill(begin.saturating_sub(2), "╱", hatch(scene)).to(begin)
    } else {
        left.to(begin)
    };
    (row.join(right).fit(width), dropped)
}

/// Who is at the keyboard, where somebody can sign in; that the sign-in has ended, and a clock that is off.
fn person(scene: &Scene<'_>) -> Vec<Part> {
    let (state, theme) = (scene.state, scene.theme);
    if state.launch.identity.is_none() {
        return Vec::new();
    }
    let part = |rank, words: String, style| Part { rank, row: Row::new().put(words, style) };
    let mut parts = Vec::new();
    match state.person.as_ref().filter(|person| !person.is_signed_in()) {
        Some(person) => {
            let name = crate::model::text::harmless_line(&person.name, 20);
            parts.push(part(7, format!("{name}: sign-in ended, S"), theme.warn));
        }
        None => parts.push(part(4, super::words::who(&state.author), theme.dim)),
    }
    if let Some(skew) = state.person.as_ref().and_then(crate::model::Person::skew) {
        let off = std::time::Duration::from_secs_f64(skew.abs().min(1e9).round());
        let side = if skew >= 0.0 { "slow" } else { "fast" };
        parts.push(part(6, format!("clock {} {side}", crate::model::duration::short(off)), theme.warn));
    }
    parts
}

fn drop_lowest(left: &mut Vec<Part>, right: &mut Vec<Part>, width: usize) {
    let needed = |parts: &[Part]| parts.iter().map(|p| p.row.used() + 2).sum::<usize>();
    while needed(left) + needed(right) > width + 1 {
        let lowest = left.iter().chain(right.iter()).map(|p| p.rank).min().unwrap_or(9);
        if lowest >= 8 {
            break;
        }
        left.retain(|p| p.rank != lowest);
        right.retain(|p| p.rank != lowest);
    }
}

/// The verdict as a badge.
pub(super) fn verdict(scene: &Scene<'_>) -> Row {
    let theme = scene.theme;
    let style = match scene.overall.outcome {
        Outcome::Go => theme.badge_go,
        Outcome::NoGo => theme.badge_no_go,
        Outcome::Unknown => theme.badge_unknown,
    };
    Row::new().put(format!(" {} ", scene.overall.outcome.words()), style)
}

/// `DEMO`, `PROD LIVE`, …: in every frame.
pub(super) fn badge(scene: &Scene<'_>) -> Row {
    let style = if is_play(scene) { scene.theme.badge_play } else { scene.theme.badge_live };
    let words = crate::model::text::harmless_line(&scene.state.badge(), 200);
    // An environment's name may be long; that it is live must stay.
    let words = match words.strip_suffix(LIVE) {
        Some(environment) => format!("{}{LIVE}", super::row::cut(environment, BADGE)),
        None => words,
    };
    Row::new().put(format!(" {words} "), style)
}

fn is_play(scene: &Scene<'_>) -> bool {
    scene.state.demo
        || scene.state.replay.is_some()
        || scene.state.run.as_ref().is_some_and(|view| view.run.mode != Mode::Live)
}

fn hatch(scene: &Scene<'_>) -> Style {
    let style = scene.theme.badge_play;
    match style.bg {
        Some(ground) => Style::new().fg(ground),
        None => Style::new(),
    }
}

fn counts(scene: &Scene<'_>, passes: bool) -> String {
    let some = [Verdict::Fail, Verdict::Unknown, Verdict::Pass].into_iter().filter_map(|verdict| {
        let count = scene.overall.count(verdict);
        (count > 0 && (passes || verdict != Verdict::Pass || scene.overall.outcome == Outcome::Go))
            .then(|| format!("{count} {}", verdict.word()))
    });
    let words: Vec<String> = some.collect();
    if words.is_empty() { "no gate".into() } else { words.join(" · ") }
}
