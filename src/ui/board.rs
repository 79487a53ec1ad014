//! A board: signals as columns, their series as rows, the first column with its recent past.
//!
//! ```text
//! ━ Queues ━━━ depth ━━━━━━━━━━━━━━ oldest ━━━━ in ━━━━ out ━━━━━━━━ 2s ━
//!   tasks        312 ▁▂▃▅▇▅▃▂▂       4.2s  41.0/s  43.1/s
//! ```

use crate::app::Block;
use crate::app::board::{BoardRow, BoardTable, Tone, table};
use crate::engine::Track;
use crate::model::{Board, Health, Unit};

use super::row::{Row, cells, cut};
use super::scene::Scene;
use super::{spark, words};

/// The narrowest sparkline that says something.
const SPARK_LEAST: usize = 6;
/// Words in a cell are cut to this; numbers never are.
const WORDS: usize = 16;
/// From this width on a table keeps room for the past of its first column.
const SPARK_WIDTH: usize = 60;
/// Longer bars say no more.
const SPARK_MOST: usize = 24;
/// Between columns.
const GAP: usize = 2;

/// The board with its heading, in at most `height` rows.
pub(super) fn rows(scene: &Scene<'_>, board: Board, width: usize, height: usize) -> Vec<Row> {
    let table = table(scene.state, board);
    let tracks = tracks(scene, board);
    let (age, stale) = age(scene, &table, &tracks);
    let plan = Plan::new(&table, board, width, cells(&age) + 5);
    let mut out = vec![heading(scene, board, &table, &plan, width, &age, stale, 0)];
    let mut room = height.saturating_sub(1);
    if let Some(row) = trouble(scene, &table, &tracks, stale) {
        out.push(row.fit(width));
        room = room.saturating_sub(1);
    }
    if table.rows.is_empty() {
        out.push(Row::new().put("  ", scene.theme.dim).put(table.empty.clone(), scene.theme.dim).fit(width));
    }
    // In very little room a number says more than the count of what is hidden.
    let counted = table.rows.len() > room && room > 2;
    let shown = room - usize::from(counted);
    let rows = worst_first(&table, table.rows.len() > room);
    out.extend(rows.into_iter().take(shown).map(|row| line(scene, row, &plan, tracks.first().copied())));
    if counted {
        out.push(Row::new().put(format!("  … {} more", table.rows.len() - shown), scene.theme.dim));
    }
    out.truncate(height);
    out
}

/// The rows, those in trouble first where not all of them fit.
fn worst_first(table: &BoardTable, cut: bool) -> Vec<&BoardRow> {
    let mut rows: Vec<&BoardRow> = table.rows.iter().collect();
    let trouble = |row: &BoardRow| {
        let worst = |tone| row.cells.iter().any(|c| c.tone == tone);
        if worst(Tone::Bad) { 0 } else { 1 + u8::from(!worst(Tone::Warn)) }
    };
    if cut {
        rows.sort_by_key(|row| trouble(row));
    }
    rows
}

/// Every column of the board, in as many tables below each other as the width asks for.
pub(super) fn whole(
    scene: &Scene<'_>,
    board: Board,
    table: &BoardTable,
    width: usize,
    note: &str,
) -> Vec<Row> {
    let tracks = tracks(scene, board);
    let (age, stale) = if note.is_empty() { age(scene, table, &tracks) } else { (note.to_owned(), false) };
    let mut out = Vec::new();
    let mut from = 0;
    while from < table.columns.len() {
        let part = from_column(table, from);
        let mut plan = Plan::new(&part, board, width, cells(&age) + 5);
        plan.hidden = 0;
        let (word, stale) = if from == 0 { (age.as_str(), stale) } else { ("", false) };
        out.push(heading(scene, board, &part, &plan, width, word, stale, from));
        if from == 0 {
            out.extend(trouble(scene, table, &tracks, stale).map(|row| row.fit(width)));
            if table.rows.is_empty() {
                out.push(Row::new().put(format!("  {}", table.empty), scene.theme.dim).fit(width));
            }
        }
        let first = tracks.get(from).copied();
        out.extend(part.rows.iter().map(|row| line(scene, row, &plan, first)));
        from += plan.columns.len().max(1);
    }
    out
}

fn from_column(table: &BoardTable, from: usize) -> BoardTable {
    let row = |r: &BoardRow| BoardRow {
        key: r.key.clone(),
        cells: r.cells.iter().skip(from).cloned().collect(),
        spark: if from == 0 { r.spark.clone() } else { Vec::new() },
    };
    BoardTable {
        columns: table.columns.iter().skip(from).cloned().collect(),
        rows: table.rows.iter().map(row).collect(),
        ..table.clone()
    }
}

/// How many rows the board would like.
pub(super) fn wanted(scene: &Scene<'_>, board: Board) -> usize {
    let table = table(scene.state, board);
    let tracks = tracks(scene, board);
    let (_, stale) = age(scene, &table, &tracks);
    let trouble = trouble(scene, &table, &tracks, stale).is_some();
    1 + table.rows.len().max(1) + usize::from(trouble)
}

pub(super) fn tracks<'a>(scene: &Scene<'a>, board: Board) -> Vec<&'a Track> {
    scene.state.watch.tracks.iter().filter(|t| t.def.board == board).collect()
}

/// The title of a board's block.
pub(super) fn name(board: Board) -> &'static str {
    match board {
        Board::Queues => "Queues",
        Board::Api => "API",
        Board::Flags => "Flags",
        Board::Tenants => "Tenants",
        Board::Billing => "Billing",
        Board::Usage => "Usage",
        Board::Identity => "Identity",
        Board::Hidden => "",
    }
}

fn age(scene: &Scene<'_>, table: &BoardTable, tracks: &[&Track]) -> (String, bool) {
    let old = |t: &&Track| t.asked.is_some_and(|asked| scene.state.now.since(asked) > t.def.max_age);
    let stale = tracks.iter().any(old);
    let text = match table.age {
        None => "no answer yet".into(),
        age if stale => format!("{} stale", words::age(age)),
        age => words::age(age),
    };
    (text, stale)
}

/// What is wrong, in the block itself and not only in the footer.
fn trouble(scene: &Scene<'_>, table: &BoardTable, tracks: &[&Track], stale: bool) -> Option<Row> {
    let theme = scene.theme;
    let health = |t: &&Track| scene.state.watch.source(&t.def.source).map(|s| s.health(scene.state.now));
    let failed = tracks.iter().filter_map(health).any(|h| h == Health::Failed);
    let as_of = table.age.map(|age| format!("  {}", words::as_of(scene.state.now, age))).unwrap_or_default();
    match &table.trouble {
        Some(text) if failed => {
            Some(Row::new().put("  ✗ ", theme.bad).put(text.clone(), theme.bad).put(as_of, theme.dim))
        }
        Some(text) => Some(Row::new().put("  ! ", theme.warn).put(text.clone(), theme.warn)),
        None if stale => {
            Some(Row::new().put("  ◌ ", theme.warn).put("no newer answer", theme.warn).put(as_of, theme.dim))
        }
        None => None,
    }
}

/// Which columns fit, and how wide they are.
struct Plan {
    key: usize,
    columns: Vec<usize>,
    spark: usize,
    hidden: usize,
}

impl Plan {
    fn new(table: &BoardTable, board: Board, width: usize, margin: usize) -> Self {
        let has_spark = table.rows.iter().any(|r| !r.spark.is_empty());
        let longest = table.rows.iter().map(|r| cells(&r.key)).max().unwrap_or(0).min(24);
        let only = table.only.as_ref().map_or(0, |only| cells(&only_words(only)));
        let key = longest.max(cells(name(board)) + 1 + only);
        // The past of the first column is worth more than the last columns.
        let kept = if has_spark && width >= SPARK_WIDTH { SPARK_LEAST + 2 } else { 0 };
        let room = width.saturating_sub(2 + key + margin + kept);
        let wanted: Vec<usize> = (0..table.columns.len()).map(|i| column_width(table, i)).collect();
        let fits = |room: usize| {
            let mut used = 0;
            wanted
                .iter()
                .take_while(|w| {
                    used += *w + GAP;
                    used <= room
                })
                .count()
        };
        let all = wanted.len();
        // Hidden columns are counted in the title, which takes its place from the key.
        let shown = if fits(room) == all { all } else { fits(room.saturating_sub(3)).max(1) };
        let hidden = all.saturating_sub(shown);
        let key = if hidden > 0 { key.max(cells(name(board)) + 5 + only) } else { key };
        let columns: Vec<usize> = wanted.into_iter().take(shown).collect();
        let used: usize = columns.iter().map(|w| w + GAP).sum();
        let left = width.saturating_sub(2 + key + margin + used);
        let spark = if has_spark && left > SPARK_LEAST { (left - 1).min(SPARK_MOST) } else { 0 };
        Self { key, columns, spark, hidden }
    }

    /// Where each column ends.
    fn ends(&self) -> Vec<usize> {
        let mut end = 2 + self.key;
        let spark = if self.spark > 0 { self.spark + 1 } else { 0 };
        let widths = self.columns.iter().enumerate();
        widths
            .map(|(i, width)| {
                end += GAP + width + if i == 1 { spark } else { 0 };
                end
            })
            .collect()
    }
}

/// Wide enough for its title and cells, and for the numbers that its unit usually has: columns that
/// move with every digit are hard to read.
fn column_width(table: &BoardTable, column: usize) -> usize {
    let Some((title, unit)) = table.columns.get(column) else { return 0 };
    let usual = match unit {
        Unit::Jobs | Unit::None | Unit::Seconds => 5,
        Unit::Percent | Unit::Ratio | Unit::PerSecond => 6,
        Unit::Bytes => 9,
    };
    let cell = |r: &BoardRow| r.cells.get(column).map_or(0, |c| cell_width(&c.text, c.tone));
    table.rows.iter().map(cell).max().unwrap_or(0).max(usual).max(cells(&head(title, *unit)))
}

fn cell_width(text: &str, tone: Tone) -> usize {
    let is_number = text.starts_with(|c: char| c.is_ascii_digit() || "<+-".contains(c));
    if is_number && tone != Tone::Absent { cells(text) } else { cells(text).min(WORDS) }
}

/// A count has no unit beside it in the cell, so the heading says what is counted.
fn head(title: &str, unit: Unit) -> String {
    let title = crate::model::text::harmless_line(title, 20);
    if unit == Unit::Jobs && !title.contains("job") { format!("{title} jobs") } else { title }
}

/// ` acme only`: the rows of others are left out.
fn only_words(only: &str) -> String {
    format!(" {} only", cut(only, 16))
}

#[expect(clippy::too_many_arguments, reason = "the parts of one line; a struct would only rename them")]
fn heading(
    scene: &Scene<'_>,
    board: Board,
    table: &BoardTable,
    plan: &Plan,
    width: usize,
    age: &str,
    stale: bool,
    from: usize,
) -> Row {
    let theme = scene.theme;
    let focused = scene.focused(Block::Board(board));
    let (symbol, style) = scene.rule(focused);
    let mut row = Row::new().put(symbol, style).put(" ", style).put(name(board), scene.title(focused));
    if let Some(only) = &table.only {
        row = row.put(only_words(only), theme.accent);
    }
    if plan.hidden > 0 {
        row = row.put(format!(" +{}", plan.hidden), theme.dim);
    }
    let selected = scene.state.selected(Block::Board(board));
    for (i, ((title, unit), end)) in table.columns.iter().zip(plan.ends()).enumerate() {
        let title = head(title, *unit);
        let marked = focused && i + from == selected;
        let title = if marked { format!("▸{title}") } else { title };
        let title_style = if marked { theme.focus } else { theme.dim };
        row = scene.ruled(row, end.saturating_sub(cells(&title)), focused).put(title, title_style);
    }
    if age.is_empty() {
        return scene.ruled(row, width + 1, focused).fit(width);
    }
    let end = width.saturating_sub(cells(age) + 2);
    let age_style = if stale { theme.warn } else { theme.dim };
    scene
        .ruled(row, end, focused)
        .put(age.to_owned(), age_style)
        .put(" ", style)
        .put(symbol, style)
        .fit(width)
}

fn line(scene: &Scene<'_>, row: &BoardRow, plan: &Plan, first: Option<&Track>) -> Row {
    let theme = scene.theme;
    let mut out = Row::new().put("  ", theme.base).put(cut(&row.key, plan.key).into_owned(), theme.base);
    for (i, (cell, end)) in row.cells.iter().zip(plan.ends()).enumerate() {
        let width = plan.columns.get(i).copied().unwrap_or(0);
        let text = cut(&cell.text, width).into_owned();
        // A number beyond its threshold has a sign beside its colour.
        let sign = match cell.tone {
            Tone::Bad => "▲",
            Tone::Warn => "△",
            _ => "",
        };
        let text = format!("{sign}{text}");
        out = out.right(text, end, scene.tone(cell.tone));
        if i == 0
            && plan.spark > 0
            && let Some(track) = first
        {
            out = out.put(" ", theme.base);
            let missing = plan.spark.saturating_sub(row.spark.len());
            let begin = out.used() + missing;
            out = out.to(begin);
            for (bar, tone) in spark::bars(&row.spark, plan.spark, &track.def) {
                let style = match (tone, cell.tone) {
                    (_, Tone::Stale) => theme.stale,
                    (Tone::Normal, _) => theme.accent,
                    (tone, _) => scene.tone(tone),
                };
                out = out.put(bar, style);
            }
        }
    }
    out
}
