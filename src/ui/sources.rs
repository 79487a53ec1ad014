//! Every source with its health, and the selected one in detail.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::app::Block;
use crate::engine::SourceState;
use crate::model::duration::short;
use crate::model::{SourceKind, Unit, text, value};

use super::room::slice;
use super::row::{Row, cells, cut};
use super::scene::{Scene, put};
use super::words;
use super::zoom::field;

/// Draws the list above the details of the selected source.
pub(super) fn draw(scene: &Scene<'_>, area: Rect, buf: &mut Buffer) {
    let width = usize::from(area.width);
    let theme = scene.theme;
    let sources = &scene.state.watch.sources;
    let selected = scene.state.selected(Block::Sources).min(sources.len().saturating_sub(1));
    let right = Row::new().put(format!("{} polled", sources.len()), theme.dim);
    let mut rows = vec![scene.heading(true, Row::new().put("Sources", scene.title(true)), right, width)];
    if sources.is_empty() {
        rows.push(Row::new().put("  this launch polls nothing", theme.warn));
    }
    let height = usize::from(area.height);
    let detail = sources.get(selected).map(|s| detail(scene, s, width)).unwrap_or_default();
    let list = (1 + sources.len().max(1)).min(height.saturating_sub(detail.len().min(height * 3 / 5)).max(3));
    let room = list.saturating_sub(1);
    let first = selected.saturating_sub(room / 2).min(sources.len().saturating_sub(room));
    let widest = sources.iter().map(|s| cells(s.def.id.as_str())).max().unwrap_or(0).min(20);
    for (index, source) in sources.iter().enumerate().skip(first).take(room) {
        let row = line(scene, source, widest, index == selected, width);
        rows.push(if index == selected { row.over(theme.selected, width) } else { row });
    }
    put(buf, slice(area, 0, list as u16), rows);
    let gap = u16::from(height > list + detail.len());
    put(buf, slice(area, list as u16 + gap, area.height), detail);
}

fn line(scene: &Scene<'_>, source: &SourceState, widest: usize, selected: bool, width: usize) -> Row {
    let theme = scene.theme;
    let now = scene.state.now;
    let health = source.health(now);
    let style = scene.health(health);
    let took = source.took.map_or_else(|| "–".into(), |t| value::in_unit(t.as_secs_f64(), Unit::Seconds));
    let row = Row::new()
        .put(if selected { "▸" } else { " " }, theme.focus)
        .put(format!("{} ", health.glyph()), style)
        .put(cut(source.def.id.as_str(), widest).into_owned(), theme.strong)
        .to(widest + 5)
        .put(format!("{:<12}", health.word()), style)
        .put("age ", theme.dim)
        .right(words::age(source.age(now)), widest + 27, theme.base)
        .put("  took ", theme.dim)
        .right(took, widest + 41, theme.base)
        .put("   ", theme.base);
    let row = match source.waiting(now) {
        Some(waited) => {
            row.put(format!("no answer yet, asked {} ago; ", short(words::floor(waited))), theme.warn)
        }
        None => row,
    };
    match &source.fault {
        Some(fault) => row.put(fault.text.clone(), theme.bad),
        None if source.notes.unreadable + source.notes.series_cut > 0 => row.put(series(source), theme.warn),
        None => row.put(series(source), theme.dim),
    }
    .fit(width)
}

fn series(source: &SourceState) -> String {
    let notes = &source.notes;
    let words = match (&source.def.kind, notes.not_modified) {
        (SourceKind::Scrape { .. }, _) => {
            format!("{} of {} series kept", notes.series_kept, notes.series_sent)
        }
        (_, true) => "not modified".into(),
        _ => value::in_unit(notes.bytes as f64, Unit::Bytes),
    };
    let cut = (notes.series_cut > 0).then(|| format!("{} series left out", notes.series_cut));
    let more = [notes.unreadable_lines(), cut].into_iter().flatten();
    more.fold(words, |words, more| format!("{words}, {more}"))
}

fn detail(scene: &Scene<'_>, source: &SourceState, width: usize) -> Vec<Row> {
    let theme = scene.theme;
    let now = scene.state.now;
    let health = source.health(now);
    let title = Row::new().put(source.def.id.as_str().to_owned(), theme.strong);
    let right = Row::new().put(format!("{} {}", health.glyph(), health.word()), scene.health(health));
    let mut out = vec![scene.heading(false, title, right, width)];
    let mut add = |label: &str, text: String| out.extend(field(scene, label, &text, width));
    let (kind, place) = match &source.def.kind {
        SourceKind::Scrape { urls, .. } => ("scrape", urls.join("  ")),
        SourceKind::Prometheus { url, alerts: false } => ("prometheus", url.clone()),
        SourceKind::Prometheus { url, alerts: true } => ("prometheus, with its alerts", url.clone()),
        SourceKind::Alertmanager { url, .. } => ("alertmanager", url.clone()),
        SourceKind::Identity { url, environment, .. } => ("identity", format!("{url} ({environment})")),
        SourceKind::Flags(flags) => {
            let url = if flags.url.is_empty() { "$OFREP_ENDPOINT" } else { &flags.url };
            (flags.provider.as_str(), format!("{url} ({})", flags.environment))
        }
    };
    add("kind", kind.into());
    add("asks", text::harmless_line(&place, 300));
    if let Some(engine) = &source.notes.engine {
        add("engine", engine.clone());
    }
    for remark in &source.notes.remarks {
        add("remark", remark.clone());
    }
    add("every", format!("{}, time-out {}", short(source.def.every), short(source.def.timeout)));
    if let Some(fault) = &source.fault {
        let failures =
            if source.failures == 1 { "1 poll".into() } else { format!("{} polls", source.failures) };
        add("trouble", format!("{fault} ({}, {failures} in a row)", fault.code.as_str()));
        if let Some(after) = fault.retry_after {
            add("asked for", format!("{} of peace", short(after)));
        }
    }
    let moment = |at: Option<crate::model::Time>| {
        at.map_or_else(
            || "never".into(),
            |at| format!("{}, {} ago", at.clock(), short(words::floor(now.since(at)))),
        )
    };
    add("last good", moment(source.last_good));
    add("last asked", moment(source.last_asked.max(source.asking)));
    if let Some(at) = source.asking {
        let left = source.def.timeout.saturating_sub(now.since(at));
        let ago = short(words::floor(now.since(at)));
        add(
            "under way",
            format!("asked {ago} ago, no answer yet; gives up in {}", short(words::floor(left))),
        );
    }
    let notes = &source.notes;
    let bytes = value::in_unit(notes.bytes as f64, Unit::Bytes);
    let series = series(source);
    add("sent", if series.starts_with(&bytes) { series } else { format!("{bytes}; {series}") });
    if let Some((line, why)) = &notes.first_unreadable {
        add(
            "unreadable",
            format!(
                "{}, the first is line {line}: {}",
                if notes.unreadable == 1 { "1 line".into() } else { format!("{} lines", notes.unreadable) },
                text::harmless_line(why, 200)
            ),
        );
    }
    if let Some(offset) = notes.clock_offset {
        let side = if offset >= 0.0 { "ahead of" } else { "behind" };
        add("clock", format!("{} {side} this one", value::in_unit(offset.abs(), Unit::Seconds)));
    }
    for (label, remarks) in [("remark", &notes.infos), ("empty", &notes.absences)] {
        for (signal, text) in remarks {
            add(label, format!("{signal}: {text}"));
        }
    }
    if let Some(who) = &source.whoami {
        let roles = if who.roles.is_empty() { "no role".into() } else { who.roles.join(", ") };
        add("signed in", format!("{} ({roles})", who.display));
        add("scopes", who.scopes.join(", "));
        if let Some(impersonator) = &who.impersonator {
            add("really", format!("{} acts in that name", impersonator.display));
        }
    }
    if let Some(meta) = &source.meta {
        add("service", format!("{}, contract {}", meta.service, meta.contract));
        add("can", meta.capabilities.join(", "));
    }
    out
}
