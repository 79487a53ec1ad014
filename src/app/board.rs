//! The rows of a board: signals become columns, their series rows.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::engine::tenants::tenant_of;
use crate::engine::{Series, Track};
use crate::model::{Board, Fault, Labels, SourceId, Time, Unit, text, value};

use super::state::State;

/// How a cell is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Tone {
    /// A number that is true now.
    Normal,
    /// Its warning threshold is crossed.
    Warn,
    /// Its bad threshold is crossed.
    Bad,
    /// Too old to be true now.
    Stale,
    /// There is no number.
    Absent,
}

/// One number of a board, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell {
    /// The number in its unit, or a word.
    pub text: String,
    /// How it is to be read.
    pub tone: Tone,
}

/// One line of a board.
#[derive(Clone, Debug, PartialEq)]
pub struct BoardRow {
    /// The values of the series' labels: `tasks`, `success`; `all` where it has none.
    pub key: String,
    /// One for each column.
    pub cells: Vec<Cell>,
    /// The recent past of the first column, oldest first; NaN is a gap.
    pub spark: Vec<f64>,
}

/// A board as a table.
#[derive(Clone, Debug, PartialEq)]
pub struct BoardTable {
    /// Titles of the columns, with their units.
    pub columns: Vec<(String, Unit)>,
    /// The lines, in the order of the first signal's answer.
    pub rows: Vec<BoardRow>,
    /// The age of the oldest answer behind it; `None`: none yet.
    pub age: Option<Duration>,
    /// What is wrong with a source or signal behind it, in words.
    pub trouble: Option<String>,
    /// What to say where there is no row.
    pub empty: String,
    /// The organisation that its rows are narrowed to.
    pub only: Option<String>,
}

/// How many columns a sparkline is made for.
pub const SPARK: usize = 60;

/// The table of one board.
pub fn table(state: &State, board: Board) -> BoardTable {
    let tracks: Vec<&Track> = state.watch.tracks.iter().filter(|t| t.def.board == board).collect();
    let mut rows: Vec<BoardRow> = Vec::new();
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    for (column, track) in tracks.iter().enumerate() {
        for series in track.series.iter().filter(|s| s.now.is_some() && state.shows(&s.labels)) {
            let key = row_key(board, &series.labels);
            let place = *places.entry(key.clone()).or_insert(rows.len());
            if place == rows.len() {
                let cells = tracks.iter().map(|t| absent(t)).collect();
                rows.push(BoardRow { key, cells, spark: Vec::new() });
            }
            let Some(row) = rows.get_mut(place) else { continue };
            if let Some(cell) = row.cells.get_mut(column) {
                *cell = cell_of(track, series, state.now);
            }
            if column == 0 {
                row.spark = spark(series, state.now, state.chart_window());
            }
        }
    }
    let fault = |id: &SourceId| state.watch.source(id).and_then(|s| s.fault.as_ref());
    let trouble = tracks.iter().find_map(|t| trouble(t, fault(&t.def.source), rows.is_empty()));
    let answered = tracks.iter().map(|t| t.asked).min().flatten();
    let narrowed = tracks.iter().any(|t| t.series.iter().any(|s| tenant_of(&s.labels).is_some()));
    let only = state.only_org().filter(|_| narrowed).map(ToOwned::to_owned);
    let empty = if tracks.iter().all(|t| t.asked.is_none()) {
        "waiting for the first answer".to_owned()
    } else if let Some(only) = &only {
        format!("no series of {only}; the expressions may leave it out")
    } else {
        tracks.iter().find_map(|t| t.def.empty.clone()).unwrap_or_else(|| "no data".into())
    };
    BoardTable {
        columns: tracks.iter().map(|t| (t.def.title.clone(), t.def.unit)).collect(),
        rows,
        age: answered.map(|at| state.now.since(at)),
        trouble,
        empty,
        only,
    }
}

fn trouble(track: &Track, source: Option<&Fault>, no_rows: bool) -> Option<String> {
    let id = &track.def.source;
    if let Some(fault) = source {
        return Some(format!("{id} {fault}"));
    }
    if let Some(warning) = track.warnings.first() {
        return Some(format!("{id}: {warning}"));
    }
    let fault = track.fault.as_ref()?;
    // Too little history is said once, where nothing else can be shown; elsewhere the cell says it.
    no_rows.then(|| format!("{}: {fault}", track.def.title))
}

/// The values of the labels, the board's own first; made harmless, since they come from outside.
pub fn row_key(board: Board, labels: &Labels) -> String {
    let first = labels.get(board.row_label());
    let rest =
        labels.iter().filter(|(name, _)| *name != board.row_label() && *name != crate::model::labels::NAME);
    let all: Vec<&str> = first.into_iter().chain(rest.map(|(_, value)| value)).collect();
    if all.is_empty() { "all".into() } else { text::harmless_line(&all.join(" "), 60) }
}

fn absent(track: &Track) -> Cell {
    let text = match &track.fault {
        Some(fault) => fault.text.clone(),
        None if track.asked.is_none() => "…".into(),
        None => "no data".into(),
    };
    Cell { text, tone: Tone::Absent }
}

/// One series' newest value as a cell.
pub fn cell_of(track: &Track, series: &Series, now: Time) -> Cell {
    let Some(point) = &series.now else { return absent(track) };
    let def = &track.def;
    let word = match point.value {
        v if v.is_nan() => Some(def.nan.clone().unwrap_or_else(|| "NaN".into())),
        v if v.is_infinite() && v > 0.0 => def.infinite.clone(),
        _ => None,
    };
    let bad = def.bad.is_some_and(|t| t.crossed(point.value));
    let warn = def.warn.is_some_and(|t| t.crossed(point.value));
    let tone = match () {
        () if now.since(point.sampled) > def.max_age => Tone::Stale,
        () if bad => Tone::Bad,
        () if warn => Tone::Warn,
        () if point.value.is_nan() => Tone::Absent,
        () => Tone::Normal,
    };
    Cell { text: word.unwrap_or_else(|| value::in_unit(point.value, def.unit)), tone }
}

/// A series' past as [`SPARK`] equal slices of the window, each with its largest value: a peak must
/// not be averaged away.
pub fn spark(series: &Series, now: Time, window: Duration) -> Vec<f64> {
    let mut slices = vec![f64::NAN; SPARK];
    let begin = now.before(window);
    let width = (window.as_millis() as f64 / SPARK as f64).max(1.0);
    for (at, value) in series.past.iter().rev().take_while(|(at, _)| *at > begin) {
        let slice = (at.since(begin).as_millis() as f64 / width) as usize;
        if let Some(kept) = slices.get_mut(slice.min(SPARK - 1)) {
            *kept = kept.max(*value);
        }
    }
    slices
}
