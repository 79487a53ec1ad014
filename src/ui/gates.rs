//! Every gate with its verdict, and the selected one explained: the query as sent, the threshold,
//! the last measurements.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::app::Block;
use crate::engine::{Gate, Judgement};
use crate::model::duration::short;
use crate::model::{Condition, Verdict, text, value};

use super::room::slice;
use super::row::{Row, cells, cut};
use super::scene::{Scene, put};
use super::words;
use super::zoom::field;

/// One gate with its judgement, and whether it counts in the verdict now.
type Judged<'a> = (&'a Gate, Judgement, bool);

/// Draws the list above the details of the selected gate.
pub(super) fn draw(scene: &Scene<'_>, area: Rect, buf: &mut Buffer) {
    let width = usize::from(area.width);
    let all = judged(scene);
    let selected = scene.state.selected(Block::Gates).min(all.len().saturating_sub(1));
    let theme = scene.theme;
    let counting = all.iter().filter(|(_, _, counts)| *counts).count();
    let right = Row::new().put(format!("{counting} of {} count now", all.len()), theme.dim);
    let heading = scene.heading(true, Row::new().put("Gates", scene.title(true)), right, width);
    let detail = all.get(selected).map(|one| detail(scene, one, width)).unwrap_or_default();
    let height = usize::from(area.height);
    let list_height =
        (1 + all.len().max(1)).min(height.saturating_sub(detail.len().min(height * 3 / 5)).max(3));
    let room = list_height.saturating_sub(1);
    let first = selected.saturating_sub(room / 2).min(all.len().saturating_sub(room));
    let widest = all.iter().map(|(g, ..)| cells(g.def.id.as_str())).max().unwrap_or(0).min(26);
    let mut rows = vec![heading];
    if all.is_empty() {
        rows.push(Row::new().put("  this launch has no gate: nothing can be GO", theme.warn));
    }
    for (index, one) in all.iter().enumerate().skip(first).take(room) {
        let row = line(scene, one, widest, width, index == selected);
        rows.push(if index == selected { row.over(theme.selected, width) } else { row });
    }
    put(buf, slice(area, 0, list_height as u16), rows);
    let gap = u16::from(height > list_height + detail.len());
    put(buf, slice(area, list_height as u16 + gap, area.height), detail);
}

/// Those that count, worst first, then the others in the order of the config.
fn judged<'a>(scene: &Scene<'a>) -> Vec<Judged<'a>> {
    let state = scene.state;
    let counting = scene.overall.gates.iter();
    let mut all: Vec<Judged<'a>> =
        counting.filter_map(|(id, j)| Some((state.watch.gate(id)?, j.clone(), true))).collect();
    for (id, judgement) in state.watch.judge_all(state.now) {
        if !scene.overall.gates.iter().any(|(counted, _)| *counted == id)
            && let Some(gate) = state.watch.gate(&id)
        {
            all.push((gate, judgement, false));
        }
    }
    all
}

fn line(
    scene: &Scene<'_>,
    (gate, judgement, counts): &Judged<'_>,
    widest: usize,
    width: usize,
    selected: bool,
) -> Row {
    let theme = scene.theme;
    let style = if *counts { scene.verdict(judgement.verdict) } else { theme.dim };
    let id = cut(gate.def.id.as_str(), widest).into_owned();
    let mut words = judgement.reason.text.clone();
    let series: Vec<&str> = judgement.labels.iter().map(|(_, value)| value).collect();
    if !series.is_empty() {
        words = format!("{}: {words}", text::harmless_line(&series.join(" "), 30));
    }
    let left = Row::new()
        .put(if selected { "▸" } else { " " }, theme.focus)
        .put(format!("{} ", judgement.verdict.glyph()), style)
        .put(id, if *counts { theme.strong } else { theme.dim })
        .to(widest + 5)
        .put(format!("{:<8}", judgement.verdict.word()), style)
        .put(words, if *counts { theme.base } else { theme.dim });
    let note = if *counts { String::new() } else { "does not count yet  ".into() };
    let age = judgement.age.map(|a| format!(" {}", short(words::floor(a)))).unwrap_or_default();
    left.beside(Row::new().put(format!("{note}{}{age} ", gate.source), theme.dim), width)
}

fn detail(scene: &Scene<'_>, (gate, judgement, counts): &Judged<'_>, width: usize) -> Vec<Row> {
    let theme = scene.theme;
    let title = Row::new()
        .put(gate.def.id.as_str().to_owned(), theme.strong)
        .put(format!(" · {}", text::harmless_line(&gate.def.title, 80)), theme.base);
    let verdict = Row::new().put(
        format!("{} {}", judgement.verdict.glyph(), judgement.verdict.word()),
        scene.verdict(judgement.verdict),
    );
    let mut out = vec![scene.heading(false, title, verdict, width)];
    if !counts {
        out.extend(field(scene, "counts", "not yet: its item is still blocked, or was skipped", width));
    }
    out.extend(explain(scene, gate, judgement, width));
    out.push(Row::new().put("  last measurements, newest first", theme.dim));
    if gate.recent.is_empty() {
        out.push(Row::new().put("    none yet", theme.dim));
    }
    for measure in gate.recent.iter().rev() {
        let style = scene.verdict(measure.verdict);
        let labels = if measure.labels.is_empty() {
            String::new()
        } else {
            format!("  {}", text::harmless_line(&measure.labels.to_string(), 60))
        };
        let row = Row::new()
            .put(format!("    {}  ", measure.at.clock()), theme.dim)
            .put(format!("{} {:<8}", measure.verdict.glyph(), measure.verdict.word()), style)
            .put(measure.reason.text.clone(), theme.base)
            .put(labels, theme.dim);
        out.push(row.fit(width));
    }
    out
}

/// Why the gate says what it says: what a person would ask for one after the other.
pub(super) fn explain(scene: &Scene<'_>, gate: &Gate, judgement: &Judgement, width: usize) -> Vec<Row> {
    let mut out = Vec::new();
    let mut add = |label: &str, text: String| out.extend(field(scene, label, &text, width));
    let lasting = judgement.lasting.filter(|l| !l.is_zero() && judgement.verdict == Verdict::Fail);
    let lasting = lasting.map(|l| format!(", for {}", short(words::floor(l)))).unwrap_or_default();
    add("why", format!("{}{lasting}", judgement.reason.text));
    let limit = judgement.threshold;
    let clear = match gate.def.clear {
        Some(clear) if gate.failed() => format!(
            " (it failed, so it passes again at {} {})",
            limit.op.as_str(),
            value::in_unit(clear, gate.unit)
        ),
        Some(clear) => format!(" (after a fail: {} {})", limit.op.as_str(), value::in_unit(clear, gate.unit)),
        None => String::new(),
    };
    add("must be", format!("{} {}{clear}", limit.op.as_str(), value::in_unit(limit.value, gate.unit)));
    if let Some(measured) = judgement.value {
        let of = if judgement.labels.is_empty() {
            String::new()
        } else {
            format!("  {}", text::harmless_line(&judgement.labels.to_string(), 80))
        };
        add("value", format!("{}{of}", value::in_unit(measured, gate.unit)));
    }
    let age = match (judgement.sampled, judgement.age) {
        (Some(at), Some(age)) => format!("sampled {} ago, at {}; ", short(words::floor(age)), at.clock()),
        _ => "no sample; ".into(),
    };
    add("age", format!("{age}at most {} counts", short(gate.max_age)));
    if let Some(hold) = judgement.hold {
        let done = if hold.complete { ", proven" } else { "" };
        add("hold", format!("{} of {}{done}", short(words::floor(hold.held)), short(hold.of)));
    }
    if let Condition::Signal(id) = &gate.def.condition {
        for info in scene.state.watch.track(id).map(|track| track.infos.as_slice()).unwrap_or_default() {
            add("remark", info.clone());
        }
    }
    if let Some((signal, least)) = &gate.def.min_volume {
        add("volume", format!("{signal} must be at least {}", value::text(*least)));
    }
    if !gate.def.matching.is_empty() {
        let pairs: Vec<String> = gate.def.matching.iter().map(|(n, v)| format!("{n}={v:?}")).collect();
        add("series", text::harmless_line(&pairs.join(", "), 200));
    }
    add("source", format!("{}, every {}", gate.source, short(gate.every)));
    add("asked", text::harmless_line(&gate.query, 1_000));
    out
}
