//! The whole room.
//!
//! ```text
//! from 110x24:  header                               below:  header
//!               reasons                                      reasons
//!               boards     │ checklist                       boards
//!               flags      │                                 flags
//!               …          │ log                             checklist
//!               chart      │                                 log
//!               footer                                       sources, keys
//! ```

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::app::Block;
use crate::model::Board;

use super::row::Row;
use super::scene::{Scene, put};
use super::{alerts, board, chart, checklist, flags, footer, header, log, proposal, reasons};

/// From this size on there are two columns.
const TWO_COLUMNS: (u16, u16) = (110, 24);
/// The least rows in which a block says something: its heading, a line, and how many more there are.
const LEAST: usize = 3;
/// The least rows in which a chart says something.
const CHART_LEAST: usize = 9;

/// Draws the room.
pub(super) fn draw(scene: &Scene<'_>, area: Rect, buf: &mut Buffer) {
    let body = frame(scene, area, buf, if area.height < 20 { 2 } else { 3 });
    if area.width >= TWO_COLUMNS.0 && area.height >= TWO_COLUMNS.1 {
        two_columns(scene, body, buf);
    } else {
        triage(scene, body, buf);
    }
}

/// Draws header, reasons and footer; returns what is left between them.
pub(super) fn frame(scene: &Scene<'_>, area: Rect, buf: &mut Buffer, most_reasons: usize) -> Rect {
    let width = usize::from(area.width);
    let mut top = vec![header::row(scene, width)];
    top.extend(reasons::rows(scene, width, most_reasons));
    top.extend(proposal::rows(scene, width, if area.height < 30 { 2 } else { 4 }));
    let bottom = footer::rows(scene, width);
    let roomy = area.height >= 32;
    let below = top.len() as u16 + u16::from(roomy);
    let foot = (bottom.len() as u16).min(area.height);
    put(buf, area, top);
    put(buf, slice(area, area.height - foot, foot), bottom);
    slice(area, below, area.height.saturating_sub(below + foot))
}

fn two_columns(scene: &Scene<'_>, area: Rect, buf: &mut Buffer) {
    let vitals = vitals(scene);
    if vitals.is_empty() {
        return right_column(scene, area, buf);
    }
    let left = area.width * 59 / 100;
    left_column(scene, &vitals, Rect { width: left, ..area }, buf);
    let x = area.x + left + 2;
    right_column(scene, Rect { x, width: area.width.saturating_sub(left + 2), ..area }, buf);
}

fn left_column(scene: &Scene<'_>, vitals: &[Block], area: Rect, buf: &mut Buffer) {
    let wants: Vec<usize> = vitals.iter().map(|b| wanted(scene, *b)).collect();
    let room = usize::from(area.height);
    let crowded = wants.iter().map(|w| (*w).min(LEAST)).sum::<usize>() > room;
    let shares = share(scene, vitals, &wants, room - usize::from(crowded && room > 0));
    let used: usize = shares.iter().sum();
    let shown = shares.iter().filter(|s| **s > 0).count();
    // A blank between the blocks, unless it would cost the chart.
    let left = room - used;
    let airy = left >= shown && !(CHART_LEAST..CHART_LEAST + shown).contains(&left);
    let mut y = 0_u16;
    for (block, height) in vitals.iter().zip(&shares).filter(|(_, h)| **h > 0) {
        let rows = block_rows(scene, *block, usize::from(area.width), *height);
        put(buf, slice(area, y, *height as u16), rows);
        y += *height as u16 + u16::from(airy);
    }
    let hidden: Vec<&str> =
        vitals.iter().zip(&shares).filter(|(_, h)| **h == 0).map(|(b, _)| name(*b)).collect();
    if !hidden.is_empty() {
        let words = format!("  no room for {}", hidden.join(", "));
        put(buf, slice(area, area.height.saturating_sub(1), 1), [Row::new().put(words, scene.theme.dim)]);
        return;
    }
    let rest = area.height.saturating_sub(y);
    if usize::from(rest) >= CHART_LEAST {
        trend(scene, vitals, slice(area, y, rest), buf);
    }
}

/// What there is room for below the boards: the past of the focused signal, else of the first.
fn trend(scene: &Scene<'_>, vitals: &[Block], area: Rect, buf: &mut Buffer) {
    let focus = scene.state.active();
    let boards = vitals.iter().filter_map(|b| if let Block::Board(board) = b { Some(*board) } else { None });
    let of_focus = if let Block::Board(board) = focus { Some(board) } else { None };
    let Some(board) = of_focus.or(boards.into_iter().next()) else { return };
    let selected = scene.state.selected(Block::Board(board));
    let tracks = board::tracks(scene, board);
    if let Some(track) = tracks.get(selected).or(tracks.first()) {
        chart::draw(scene, track, false, area, buf);
    }
}

fn right_column(scene: &Scene<'_>, area: Rect, buf: &mut Buffer) {
    let (width, room) = (usize::from(area.width), usize::from(area.height));
    if checklist::template(scene).is_none() {
        return put(buf, area, log::rows(scene, width, room));
    }
    let log_least = (room / 4).clamp(4, 12);
    let height = checklist::wanted(scene).min(room.saturating_sub(log_least + 1));
    put(buf, slice(area, 0, height as u16), checklist::rows(scene, width, height));
    let below = slice(area, height as u16 + 1, area.height.saturating_sub(height as u16 + 1));
    put(buf, below, log::rows(scene, width, usize::from(below.height)));
}

/// One screen with every vital: boards, flags, the next items, the newest of the log.
fn triage(scene: &Scene<'_>, area: Rect, buf: &mut Buffer) {
    let (width, room) = (usize::from(area.width), usize::from(area.height));
    let has_list = checklist::template(scene).is_some();
    let list_wants = if has_list { checklist::wanted(scene) } else { 0 };
    // Whoever opened another list is about to work in it.
    let part = if scene.state.side.is_some() { room / 2 } else { (room / 4).clamp(3, 8) + 1 };
    let list_least = list_wants.min(part);
    let log_least = (room / 9).min(3);
    // The vitals proper, and what has the focus; the other boards are a key away.
    let mut vitals = vitals(scene);
    vitals.retain(|b| {
        *b <= Block::Board(Board::Api) || matches!(b, Block::Flags | Block::Alerts) || scene.focused(*b)
    });
    // Of alerts one line, which nothing may push out.
    let want = |b: &Block| if *b == Block::Alerts && !scene.focused(*b) { 1 } else { wanted(scene, *b) };
    let wants: Vec<usize> = vitals.iter().map(want).collect();
    let shares = share(scene, &vitals, &wants, room.saturating_sub(list_least + log_least));
    let mut y = 0;
    for (block, height) in vitals.iter().zip(&shares).filter(|(_, h)| **h > 0) {
        put(buf, slice(area, y, *height as u16), block_rows(scene, *block, width, *height));
        y += *height as u16;
    }
    let left = room.saturating_sub(usize::from(y));
    let list = list_wants.min(left.saturating_sub(log_least));
    put(buf, slice(area, y, list as u16), checklist::rows(scene, width, list));
    let log_rows = left.saturating_sub(list);
    let focused = scene.focused(Block::Log);
    // Two lines with their times need no heading; it would cost one of them.
    let rows = match log_rows {
        0..=2 => log::lines(scene, width, log_rows, focused, false),
        _ => log::rows(scene, width, log_rows),
    };
    put(buf, slice(area, y + list as u16, log_rows as u16), rows);
}

/// The blocks with numbers, most important first.
fn vitals(scene: &Scene<'_>) -> Vec<Block> {
    let blocks = scene.state.blocks();
    blocks.into_iter().filter(|b| matches!(b, Block::Board(_) | Block::Flags | Block::Alerts)).collect()
}

fn wanted(scene: &Scene<'_>, block: Block) -> usize {
    match block {
        Block::Board(board) => board::wanted(scene, board),
        Block::Flags => flags::wanted(scene),
        Block::Alerts => alerts::wanted(scene),
        _ => 0,
    }
}

fn block_rows(scene: &Scene<'_>, block: Block, width: usize, height: usize) -> Vec<Row> {
    match block {
        Block::Board(board) => board::rows(scene, board, width, height),
        Block::Flags => flags::rows(scene, width, height),
        Block::Alerts => alerts::rows(scene, width, height),
        _ => Vec::new(),
    }
}

fn name(block: Block) -> &'static str {
    match block {
        Block::Board(board) => board::name(board),
        Block::Flags => board::name(Board::Flags),
        Block::Alerts => "Alerts",
        _ => "",
    }
}

/// Rows for each block: the focused one first, then in order, each as many as it wants as long as
/// there are any; fewer than [`LEAST`] are none.
fn share(scene: &Scene<'_>, blocks: &[Block], wants: &[usize], room: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..blocks.len()).collect();
    let one_line = |i: &usize| wants.get(*i) == Some(&1);
    order.sort_by_key(|i| (!one_line(i), blocks.get(*i).is_none_or(|b| !scene.focused(*b))));
    let mut given = vec![0; blocks.len()];
    let mut room = room;
    for i in order {
        let (Some(given), Some(want)) = (given.get_mut(i), wants.get(i)) else { continue };
        if (*want).min(LEAST) <= room {
            *given = (*want).min(room);
            room -= *given;
        }
    }
    given
}

/// `height` rows of an area from its row `y` on, as far as they are inside.
pub(super) fn slice(area: Rect, y: u16, height: u16) -> Rect {
    let y = y.min(area.height);
    Rect { y: area.y + y, height: height.min(area.height - y), ..area }
}
