//! The alerts alone: every one, grouped by name, and all that is known of the selected one.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::app::Block;
use crate::app::alerts::{self as list, AlertLine};
use crate::model::alert::{Alert, Rule};
use crate::model::duration::short;
use crate::model::{Time, value};

use super::room::slice;
use super::row::Row;
use super::scene::{Scene, put};
use super::zoom::field;
use super::{alerts, words};

/// Draws the list above the details of the selected alert.
pub(super) fn draw(scene: &Scene<'_>, area: Rect, buf: &mut Buffer) {
    let (width, height) = (usize::from(area.width), usize::from(area.height));
    let lines = list::lines(scene.state);
    let selected = scene.state.selected(Block::Alerts).min(lines.len().saturating_sub(1));
    let mut rows = vec![alerts::heading(scene, &lines, true, width)];
    rows.extend(told_by(scene, width));
    let detail = lines.get(selected).map(|line| detail(scene, line, width)).unwrap_or_default();
    let head = rows.len();
    let list_height = (head + lines.len().max(1))
        .min(height.saturating_sub(detail.len().min(height * 3 / 5)).max(head + 2));
    let room = list_height.saturating_sub(head);
    let first = selected.saturating_sub(room / 2).min(lines.len().saturating_sub(room));
    let all: Vec<&AlertLine<'_>> = lines.iter().collect();
    let columns = alerts::columns(scene, &all, width);
    if lines.is_empty() {
        rows.push(alerts::none(scene).fit(width));
    }
    for (place, line) in lines.iter().skip(first).take(room).enumerate() {
        let chosen = line.index == selected;
        // A group whose first line is above the view says its name in the first line of it.
        let line = AlertLine { group: line.group.or((place == 0).then_some(0)), ..line.clone() };
        let row = alerts::line(scene, &line, columns, chosen, width);
        rows.push(if chosen { row.over(scene.theme.selected, width) } else { row });
    }
    put(buf, slice(area, 0, list_height as u16), rows);
    let gap = u16::from(height > list_height + detail.len());
    put(buf, slice(area, list_height as u16 + gap, area.height), detail);
}

/// What the list rests on, source by source, and everything that is wrong with it.
fn told_by(scene: &Scene<'_>, width: usize) -> Vec<Row> {
    let state = scene.state;
    let theme = scene.theme;
    let mut out = Vec::new();
    if let Some((count, age)) = state.watch.alerts.rules(state.now) {
        let age = age.map_or_else(
            || "none evaluated yet".into(),
            |a| format!("the oldest evaluated {} ago", words::age(Some(a))),
        );
        out.push(Row::new().put(format!("  {count} rules, {age}"), theme.dim).fit(width));
    }
    let shown = state.watch.alerts.troubles(state.now);
    for why in shown.iter().take(3) {
        out.push(Row::new().put("  ✗ ", theme.bad).put(why.clone(), theme.bad).fit(width));
    }
    if shown.len() > 3 {
        out.push(Row::new().put(format!("    and {} more", shown.len() - 3), theme.dim));
    }
    if shown.is_empty() {
        out.extend(alerts::trouble(scene).map(|row| row.fit(width)));
    }
    out
}

fn detail(scene: &Scene<'_>, line: &AlertLine<'_>, width: usize) -> Vec<Row> {
    let theme = scene.theme;
    let now = scene.state.now;
    let alert = &line.seen.alert;
    let style = alerts::style(scene, line.standing);
    let title = Row::new().put("▸ ", theme.focus).put(alert.name.clone(), theme.strong);
    let right = Row::new().put(format!("{} {}", line.standing.glyph(), line.standing.word()), style);
    let mut out = vec![scene.heading(false, title, right, width)];
    let mut add = |label: &str, text: String| out.extend(field(scene, label, &text, width));
    add("state", state_text(alert, now));
    for silence in &alert.silences {
        let by = silence.by.as_deref().unwrap_or("somebody who could not be learned");
        let until =
            silence.until.map(|at| format!(" until {} {}", at.date(), at.clock())).unwrap_or_default();
        let comment = silence.comment.as_deref().map(|c| format!(": {c}")).unwrap_or_default();
        add("silenced", format!("by {by}{until}{comment}"));
    }
    if !alert.inhibited_by.is_empty() {
        add("inhibited", format!("by {}", alert.inhibited_by.join(", ")));
    }
    if !alert.muted_by.is_empty() {
        add("muted", format!("by {}", alert.muted_by.join(", ")));
    }
    let mut told: Vec<&str> = Vec::new();
    for name in ["summary", "description", "message"] {
        if let Some(text) = alert.annotations.get(name) {
            told.push(name);
            add(name, text.to_owned());
        }
    }
    if let Some(link) = &alert.runbook {
        told.push("runbook_url");
        add("runbook", link.clone());
    }
    let rest = alert.annotations.filtered(|name| !told.contains(&name));
    for (name, text) in rest.iter() {
        add("annotation", format!("{name}: {text}"));
    }
    for (name, value) in alert.labels.iter() {
        add("label", format!("{name} = {value}"));
    }
    if let Some(sent) = &alert.value {
        // As the rule's server prints it (`1.276e+03`), where that is a number as the room prints one.
        add("value", sent.parse().map_or_else(|_| sent.clone(), value::text));
    }
    if let Some(rule) = rule_of(scene, alert) {
        add("rule", rule_text(rule));
        add("expression", rule.query.clone());
    }
    if !alert.receivers.is_empty() {
        add("sent to", alert.receivers.join(", "));
    }
    if let Some(link) = &alert.generator {
        add("comes from", link.clone());
    }
    let sources: Vec<&str> = line.seen.sources.iter().map(crate::model::SourceId::as_str).collect();
    add("told by", sources.join(", "));
    out
}

fn state_text(alert: &Alert, now: Time) -> String {
    let ago = |at: Time| format!("{}, {} ago", at.clock(), short(words::floor(now.since(at))));
    let active = alert.active_at.map(|at| format!("; condition holds since {}", ago(at))).unwrap_or_default();
    if let Some(left) = alert.fires_in(now) {
        return format!("pending, fires in {}{active}", short(words::floor(left)));
    }
    let since = alert.since().map(|at| format!(" since {}", ago(at))).unwrap_or_default();
    let kept =
        alert.keep_firing_since.map(|at| format!("; kept firing since its condition ceased at {}", ago(at)));
    format!("{}{since}{}", alert.state.word(), kept.unwrap_or_default())
}

fn rule_of<'a>(scene: &Scene<'a>, alert: &Alert) -> Option<&'a Rule> {
    let sources = &scene.state.watch.alerts.sources;
    sources.iter().flat_map(|s| &s.told.rules).find(|rule| rule.name == alert.name)
}

fn rule_text(rule: &Rule) -> String {
    let every = rule.interval.map(|i| format!(", evaluated every {}", short(i))).unwrap_or_default();
    let hold = if rule.hold.is_zero() { String::new() } else { format!(", for {}", short(rule.hold)) };
    format!("group {}{hold}{every}, {}", rule.group, rule.health.word())
}
