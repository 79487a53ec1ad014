//! The flags alone: everything that is known of each, and the selected one's observed share over time.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::app::Block;
use crate::engine::flags::FlagState;
use crate::model::duration::short;
use crate::model::{Percent, Unit, text, value};

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
        add(
            "missing",
            format!(
                "the provider says that it does not exist in {}; that is not off",
                text::harmless_line(&scene.state.launch.environment, 40)
            ),
        );
    }
    let Some(flag) = &state.flag else { return out };
    let of = if flag.unit.is_empty() {
        String::new()
    } else {
        format!(" of {}", text::harmless_line(&flag.unit, 20))
    };
    let rollout = match (flag.enabled, flag.percent) {
        (true, Percent::Unknown) => "on; the provider cannot tell for how many".into(),
        (true, percent) => format!("on for {}{of}", percent.text()),
        (false, Percent::Unknown) => "off".into(),
        (false, percent) => format!("off; {}{of} once switched on", percent.text()),
    };
    add(if state.missing { "last known" } else { "rollout" }, rollout);
    if let Some(seen) = flags::seen(scene, state) {
        let count = flag.observed.map(|(_, n)| format!(" of {n} evaluations")).unwrap_or_default();
        add("seen", format!("{seen}{count} had it on"));
    }
    if let Some((at, to)) = flag.next {
        let to = Percent::Known { value: to }.text();
        let span =
            if at >= now { format!("in {}", short(words::floor(at.since(now)))) } else { "overdue".into() };
        add("next step", format!("{to} at {} {}, {span}", at.date(), at.clock()));
    }
    if let Some(at) = flag.updated_at {
        let by = flag.updated_by.as_deref().map(|by| format!(" by {}", text::harmless_line(by, 60)));
        add(
            "changed",
            format!(
                "{} {}{}, {} ago",
                at.date(),
                at.clock(),
                by.unwrap_or_default(),
                short(words::floor(now.since(at)))
            ),
        );
    }
    if !flag.variants.is_empty() {
        let one = |(name, weight): &(String, f64)| {
            format!("{} {}", text::harmless_line(name, 30), value::in_unit(*weight, Unit::Percent))
        };
        add("variants", flag.variants.iter().map(one).collect::<Vec<_>>().join(" · "));
    }
    out
}
