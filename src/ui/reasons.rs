//! Why it is not GO: the worst gates in words. At GO, what the GO rests on.

use crate::app::Block;
use crate::app::summary::{self, ReasonLine};
use crate::engine::Judgement;
use crate::model::duration::short;
use crate::model::{GateId, Verdict};

use super::row::{Row, cells};
use super::scene::Scene;

/// How many reasons the room has space for.
const MOST: usize = 3;

/// One to three rows of `width` cells.
pub(super) fn rows(scene: &Scene<'_>, width: usize) -> Vec<Row> {
    let theme = scene.theme;
    let bad: Vec<ReasonLine> = summary::worst(scene.state, &scene.overall, usize::MAX);
    if bad.is_empty() {
        return vec![at_go(scene).fit(width)];
    }
    let focused = scene.focused(Block::Gates);
    let selected = if focused { scene.state.selected(Block::Gates).min(bad.len() - 1) } else { usize::MAX };
    let first = if focused { selected.saturating_sub(MOST - 1) } else { 0 };
    let shown: Vec<(usize, &ReasonLine)> = bad.iter().enumerate().skip(first).take(MOST).collect();
    let id_width = shown.iter().map(|(_, r)| cells(r.gate.as_str())).max().unwrap_or(0).min(24);
    let hidden = bad.len() - shown.len();
    let last = shown.len() - 1;
    let mut rows = Vec::new();
    for (place, (index, reason)) in shown.into_iter().enumerate() {
        let style = scene.verdict(reason.verdict);
        let id = super::row::cut(reason.gate.as_str(), id_width).into_owned();
        let marker = if index == selected { "▸" } else { " " };
        let left = Row::new()
            .put(marker, theme.focus)
            .put(format!("{} ", reason.verdict.glyph()), style)
            .put(id, theme.strong)
            .to(id_width + 5)
            .put(reason.text.clone(), style);
        let mut right = Row::new().put(reason.source.clone(), theme.dim);
        if place == last && hidden > 0 {
            right = Row::new()
                .put(
                    format!("+{hidden} more: {} ", scene.state.keymap.keys(crate::app::Action::Gates)),
                    theme.dim,
                )
                .put(" ", theme.dim)
                .join(right);
        }
        rows.push(left.beside(right.put(" ", theme.dim), width));
    }
    rows
}

/// `✓ all 12 gates pass   closest: queue-healthy 312 < 500   oldest number: prom 3s`
fn at_go(scene: &Scene<'_>) -> Row {
    let theme = scene.theme;
    let gates = &scene.overall.gates;
    if gates.is_empty() {
        return Row::new()
            .put(" ? ", theme.warn)
            .put("no gate counts yet, and nothing is GO by default", theme.warn);
    }
    let marker = if scene.focused(Block::Gates) { "▸" } else { " " };
    let all = match gates.len() {
        1 => "the one gate passes".to_owned(),
        n => format!("all {n} gates pass"),
    };
    let mut row = Row::new().put(marker, theme.focus).put("✓ ", theme.good).put(all, theme.good);
    if let Some((id, judgement)) = closest(gates) {
        row = row
            .put("   closest ", theme.dim)
            .put(id.as_str().to_owned(), theme.base)
            .put(format!(" {}", judgement.reason.text), theme.base);
    }
    let oldest = gates.iter().filter_map(|(id, j)| Some((j.age?, id))).max_by_key(|(age, _)| *age);
    if let Some((age, id)) = oldest {
        let source = scene.state.watch.gate(id).map(|g| g.source.to_string()).unwrap_or_default();
        row = row
            .put("   oldest number ", theme.dim)
            .put(format!("{source} {}", short(super::words::floor(age))), theme.base);
    }
    row
}

/// The gate that is nearest to its threshold, in parts of the threshold.
fn closest(gates: &[(GateId, Judgement)]) -> Option<(&GateId, &Judgement)> {
    let distance = |j: &Judgement| {
        let (value, limit) = (j.value?, j.threshold.value);
        (value.is_finite() && limit != 0.0 && j.verdict == Verdict::Pass)
            .then(|| ((value - limit) / limit).abs())
    };
    let known = gates.iter().filter_map(|(id, j)| Some((distance(j)?, id, j)));
    known.min_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, id, j)| (id, j))
}
