//! One block alone.
//!
//! ```text
//! header, the worst reason
//! the block: a table above its chart, a list above (or beside) the details of what is selected
//! footer
//! ```

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::app::Block;
use crate::app::board::{BoardRow, BoardTable, Cell, Tone, row_key, table};
use crate::model::duration::short;
use crate::model::{Board, Time, value};

use super::room::{frame, slice};
use super::row::Row;
use super::scene::{Scene, put};
use super::{
    alert_detail, board, chart, checklist, flag_detail, gates, identity, item_detail, log, milestones, past,
    sources,
};

/// From this width on details stand beside their list.
const BESIDE: u16 = 120;

/// Draws the zoomed block.
pub(super) fn draw(scene: &Scene<'_>, block: Block, area: Rect, buf: &mut Buffer) {
    let body = frame(scene, area, buf, 1);
    let (width, height) = (usize::from(body.width), usize::from(body.height));
    match block {
        Block::Board(board) => of_board(scene, board, body, buf),
        Block::Flags => flag_detail::draw(scene, body, buf),
        Block::Alerts => alert_detail::draw(scene, body, buf),
        Block::Checklist => of_checklist(scene, body, buf),
        Block::Log => put(buf, body, log::zoom(scene, width, height)),
        Block::Gates => gates::draw(scene, body, buf),
        Block::Sources => sources::draw(scene, body, buf),
        Block::Milestones => milestones::draw(scene, body, buf),
        Block::Identity => identity::draw(scene, body, buf),
    }
}

fn of_board(scene: &Scene<'_>, board: Board, area: Rect, buf: &mut Buffer) {
    let state = scene.state;
    let width = usize::from(area.width);
    let moment = state.cursor.map(|back| (state.now.before(back), back));
    let rows = match moment {
        Some((at, back)) => {
            let note = format!("at {}, {} ago", at.clock(), short(back));
            board::whole(scene, board, &at_moment(scene, board, at), width, &note)
        }
        None => board::whole(scene, board, &table(state, board), width, ""),
    };
    let most = (area.height * 3 / 5).max(area.height.saturating_sub(14));
    let top = (rows.len() as u16).min(most);
    put(buf, slice(area, 0, top), rows);
    let tracks = board::tracks(scene, board);
    let selected = state.selected(Block::Board(board)).min(tracks.len().saturating_sub(1));
    if let Some(track) = tracks.get(selected) {
        let gap = u16::from(area.height > top + 12);
        chart::draw(scene, track, true, slice(area, top + gap, area.height - top - gap), buf);
    }
}

/// The board's table as it was at the cursor: every series of every signal.
fn at_moment(scene: &Scene<'_>, board: Board, moment: Time) -> BoardTable {
    let tracks = board::tracks(scene, board);
    let mut now = table(scene.state, board);
    let every = |id| scene.state.watch.source(id).map(|s| s.def.every).unwrap_or_default();
    let cell = |row: &BoardRow, column: usize| {
        let track = tracks.get(column)?;
        let series = track.series.iter().find(|s| row_key(board, &s.labels) == row.key)?;
        let then = past::at(series, moment, every(&track.def.source))?;
        let word = if then == f64::INFINITY { track.def.infinite.clone() } else { None };
        let tone = match () {
            () if track.def.bad.is_some_and(|t| t.crossed(then)) => Tone::Bad,
            () if track.def.warn.is_some_and(|t| t.crossed(then)) => Tone::Warn,
            () => Tone::Normal,
        };
        Some(Cell { text: word.unwrap_or_else(|| value::in_unit(then, track.def.unit)), tone })
    };
    let none = || Cell { text: "no data".into(), tone: Tone::Absent };
    let cells: Vec<Vec<Cell>> = now
        .rows
        .iter()
        .map(|row| (0..row.cells.len()).map(|column| cell(row, column).unwrap_or_else(none)).collect())
        .collect();
    for (row, cells) in now.rows.iter_mut().zip(cells) {
        row.cells = cells;
        row.spark = Vec::new();
    }
    now.trouble = None;
    now
}

fn of_checklist(scene: &Scene<'_>, area: Rect, buf: &mut Buffer) {
    let (width, height) = (usize::from(area.width), usize::from(area.height));
    let item = checklist::template(scene).and_then(|t| t.item(scene.state.selected_item()?));
    let Some(item) = item else {
        return put(buf, area, checklist::rows(scene, width, height));
    };
    if area.width >= BESIDE {
        let left = width * 6 / 10;
        put(buf, Rect { width: left as u16, ..area }, checklist::rows(scene, left, height));
        let side =
            Rect { x: area.x + left as u16 + 2, width: area.width.saturating_sub(left as u16 + 2), ..area };
        return put(buf, side, item_detail::panel(scene, item, usize::from(side.width)));
    }
    let detail = item_detail::panel(scene, item, width);
    let below = detail.len().min(height * 2 / 5);
    let above = height - below;
    put(buf, slice(area, 0, above as u16), checklist::rows(scene, width, above));
    put(buf, slice(area, above as u16, below as u16), detail);
}

/// A label and words that wrap under themselves: the details of gates, sources, items, flags.
pub(super) fn field(scene: &Scene<'_>, label: &str, text: &str, width: usize) -> Vec<Row> {
    const LABEL: usize = 14;
    let theme = scene.theme;
    let lines = super::row::wrap(text, width.saturating_sub(LABEL + 1));
    let labels = std::iter::once(label.to_owned()).chain(std::iter::repeat(String::new()));
    lines
        .into_iter()
        .zip(labels)
        .map(|(line, label)| Row::new().put(format!("  {label}"), theme.dim).to(LABEL).put(line, theme.base))
        .collect()
}
