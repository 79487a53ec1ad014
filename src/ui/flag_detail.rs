//! The flags alone: everything that is known of each, and the selected one's observed share over time.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::app::Block;
use crate::engine::flags::{Drift, FlagState, Seen};
use crate::model::duration::short;
use crate::model::flag::{Elsewhere, Rule};
use crate::model::{Flag, Percent, Time, Unit, text, value};

use super::room::slice;
use super::row::Row;
use super::scene::{Scene, put};
use super::zoom::field;
use super::{chart, flags, words};

/// Draws the table, the selected flag in detail, and its chart.
pub(super) fn draw(scene: &Scene<'_>, area: Rect, buf: &mut Buffer) {
    let width = usize::from(area.width);
    let all = &scene.state.watch.flags;
    let selected = scene.state.selected(Block::Flags).min(all.len().saturating_sub(1));
    let mut rows = flags::rows(scene, width, usize::from(area.height / 3).max(3));
    let flag = all.get(selected);
    if let Some(flag) = flag {
        rows.extend(detail(scene, flag, width));
    }
    let top = (rows.len() as u16).min(area.height);
    put(buf, area, rows);
    let track = flag.and_then(|f| scene.state.watch.track(f.def.observed.as_ref()?));
    if let Some(track) = track {
        let gap = u16::from(area.height > top + 12);
        chart::draw(scene, track, true, slice(area, top + gap, area.height.saturating_sub(top + gap)), buf);
    }
}

fn detail(scene: &Scene<'_>, state: &FlagState, width: usize) -> Vec<Row> {
    let theme = scene.theme;
    let now = scene.state.now;
    let (percent, style) = flags::percent(scene, state);
    let title = Row::new().put("▸ ", theme.focus).put(state.def.key.clone(), theme.strong);
    let mut out = vec![scene.heading(false, title, Row::new().put(percent, style), width)];
    let mut add = |label: &str, text: String| out.extend(field(scene, label, &text, width));
    let asked = state.asked.map_or_else(
        || "never answered".into(),
        |at| format!("{} ago, at {}", short(words::floor(now.since(at))), at.clock()),
    );
    add("source", format!("{}, last answer {asked}", state.def.source));
    if state.missing {
        let environment = text::harmless_line(&scene.state.launch.environment, 40);
        let words = if state.caps.missing {
            format!("the provider says that it does not exist in {environment}; that is not off")
        } else {
            "it is not among what the provider shows to this credential; that is not off".into()
        };
        add("missing", words);
    }
    let Some(flag) = &state.flag else { return out };
    let of = if flag.unit.is_empty() {
        String::new()
    } else {
        format!(" of {}", text::harmless_line(&flag.unit, 20))
    };
    add(if state.missing { "last known" } else { "rollout" }, rollout(flag, &of));
    if let Some((seen, drift)) = scene.state.watch.seen(state, now) {
        add("seen", seen_words(&seen, drift, now));
    }
    if let Some((at, to)) = flag.next {
        let to = Percent::Known { value: to }.text();
        let span =
            if at >= now { format!("in {}", short(words::floor(at.since(now)))) } else { "overdue".into() };
        add("next step", format!("{to} at {} {}, {span}", at.date(), at.clock()));
    }
    add("changed", changed(state, flag, now));
    for rule in &flag.rules {
        add("rule", rule_words(rule));
    }
    if !state.caps.rules {
        add("rules", "this provider does not tell them".into());
    }
    if !flag.variants.is_empty() {
        let one = |(name, weight): &(String, Option<f64>)| {
            let weight = weight.map_or_else(|| "?".into(), |weight| value::in_unit(weight, Unit::Percent));
            format!("{} {weight}", text::harmless_line(name, 30))
        };
        add("variants", flag.variants.iter().map(one).collect::<Vec<_>>().join(" · "));
    }
    if !flag.targets.is_empty() {
        add("always", flag.targets.clone());
    }
    if !flag.prerequisites.is_empty() {
        add("needs", flag.prerequisites.join(", "));
    }
    if !flag.elsewhere.is_empty() {
        add("elsewhere", flag.elsewhere.iter().map(elsewhere).collect::<Vec<_>>().join(" · "));
    }
    let marks =
        [(flag.archived, "archived: it is not evaluated any more"), (flag.stale, "stale: due to be removed")];
    let marks: Vec<&str> = marks.into_iter().filter(|(is, _)| *is).map(|(_, words)| words).collect();
    if !marks.is_empty() {
        add("marked", marks.join("; "));
    }
    if !flag.owner.is_empty() {
        add("owner", flag.owner.clone());
    }
    out
}

fn rollout(flag: &Flag, of: &str) -> String {
    if flag.enabled_unknown {
        let told = "whether it is switched on is not told";
        return match flag.percent {
            Percent::Estimated { n, .. } => {
                format!("{told}; none of {n} made-up keys got it, {}{of} (95 %)", flag.percent.text())
            }
            _ => told.into(),
        };
    }
    match (flag.enabled, flag.percent) {
        (true, Percent::Unknown) => "on; the provider cannot tell for how many".into(),
        (true, Percent::Unsupported) => "on; this provider tells no percentages".into(),
        (true, Percent::Estimated { n, .. }) => {
            format!("on for {}{of} (95 %), as {n} made-up keys were answered", flag.percent.text())
        }
        (true, percent) => format!("on for {}{of}", percent.text()),
        (false, Percent::Unknown | Percent::Unsupported | Percent::Estimated { .. }) => "off".into(),
        (false, percent) => format!("off; {}{of} once switched on", percent.text()),
    }
}

fn seen_words(seen: &Seen, drift: Option<Drift>, now: Time) -> String {
    let percent = value::in_unit(seen.percent, Unit::Percent);
    let of = seen.count.map_or_else(|| " had it on".into(), |n| format!(" of {n} evaluations had it on"));
    let window = seen.window.filter(|w| !w.is_zero()).map(|w| format!(" in {}", short(w)));
    let age = format!(", {} ago", short(words::floor(now.since(seen.at))));
    let judged = match drift {
        Some(Drift::Off { points, tolerance }) => {
            format!("; drift: {points:.1} points from what is set, chance explains {tolerance:.1}")
        }
        Some(Drift::Settling) => "; not yet what is set: the change is young".into(),
        Some(Drift::None) => "; as set".into(),
        None if seen.stale => "; too long ago, or too badly told, to say anything of now".into(),
        None => String::new(),
    };
    format!("{percent}{of}{}{age}{judged}", window.unwrap_or_default())
}

fn changed(state: &FlagState, flag: &Flag, now: Time) -> String {
    let by = match flag.updated_by.as_deref() {
        Some(by) => format!(" by {}", text::harmless_line(by, 60)),
        None if !state.caps.author => "; this provider does not tell by whom".into(),
        None => "; by whom is not told".into(),
    };
    match flag.updated_at {
        Some(at) => {
            let ago = short(words::floor(now.since(at)));
            format!("{} {}{by}, {ago} ago", at.date(), at.clock())
        }
        None if !state.caps.changed => "this provider does not tell when".into(),
        None => "when is not told".into(),
    }
}

/// `Beta customers: org.plan in (enterprise) → 100 %, variant on`
fn rule_words(rule: &Rule) -> String {
    let when = if rule.when.is_empty() { String::new() } else { format!(": {}", rule.when) };
    let percent = match rule.percent {
        Percent::Unknown | Percent::Unsupported => String::new(),
        percent => format!(" → {}", percent.text()),
    };
    let variant = if rule.variant.is_empty() { String::new() } else { format!(", variant {}", rule.variant) };
    let off = if rule.enabled { "" } else { " (switched off)" };
    format!("{}{when}{percent}{variant}{off}", rule.name)
}

/// `staging 100 %`, `development off`
fn elsewhere(other: &Elsewhere) -> String {
    let state = match other.enabled {
        None => "does not exist".into(),
        Some(false) => "off".into(),
        Some(true) => match other.percent {
            Percent::Unknown | Percent::Unsupported => "on".into(),
            percent => percent.text(),
        },
    };
    format!("{} {state}", other.environment)
}
