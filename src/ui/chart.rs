//! One signal over time: its series in braille, thresholds as lines, marks where flags changed and
//! items were ticked, a cursor that reads every series at one moment.
//!
//! ```text
//! ─ depth jobs · last 15m ──────────────────── bad > 500 · warn > 300 ─
//!         ⚑        ✓
//!  500 ╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌
//!      ⡠⠒⠒⠤⣀⡠⠔⠊⠉                tasks
//!    0 ──────────────────────────
//!      13:50     13:55     14:00
//!   now   ━ tasks 312   ━ billing 12
//! ```

use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Style};
use ratatui::symbols::Marker;
use ratatui::widgets::Widget;
use ratatui::widgets::canvas::{Canvas, Line};

use crate::app::LogLine;
use crate::app::board::{cell_of, row_key};
use crate::engine::{Series, Track};
use crate::model::duration::short;
use crate::model::{Time, Unit, value};

use super::axis;
use super::past::{at, segments};
use super::row::{Row, cells, cut};
use super::scene::{Scene, put};

/// Lines of more series than this cannot be told apart.
const MOST: usize = 6;

/// A signal's chart with its heading; `zoomed` gives the readout and the words of the marks.
pub(super) fn draw(scene: &Scene<'_>, track: &Track, zoomed: bool, area: Rect, buf: &mut Buffer) {
    if area.height < 6 || area.width < 24 {
        return;
    }
    let width = usize::from(area.width);
    let view = View::new(scene, track, area, zoomed);
    put(buf, area, [heading(scene, track, &view, width)]);
    view.marks(scene, buf);
    view.lines(buf);
    view.thresholds(scene, track, buf);
    view.axes(scene, track.def.unit, buf);
    view.cursor(scene, buf);
    view.names(track, buf);
    let legend = readout(scene, track, &view, width);
    let below = Rect { y: area.bottom().saturating_sub(view.legend), height: view.legend, ..area };
    put(buf, below, legend.into_iter().chain(mark_words(scene, &view, width)));
}

/// Where everything goes.
struct View<'a> {
    series: Vec<(&'a Series, Style)>,
    begin: Time,
    now: Time,
    window: Duration,
    top: f64,
    bottom: f64,
    step: f64,
    plot: Rect,
    labels: u16,
    legend: u16,
    gutter: u16,
    cursor: Option<Time>,
    every: Duration,
}

impl<'a> View<'a> {
    fn new(scene: &Scene<'_>, track: &'a Track, area: Rect, zoomed: bool) -> Self {
        let state = scene.state;
        let window = state.chart_window();
        let (now, begin) = (state.now, state.now.before(window));
        let series = shown(scene, track);
        let inside = |s: &Series| {
            let of = |(at, v): &(Time, f64)| (*at >= begin && v.is_finite()).then_some(*v);
            s.past.iter().filter_map(of).collect::<Vec<f64>>()
        };
        let values: Vec<f64> = series.iter().flat_map(|(s, _)| inside(s)).collect();
        let limits = [track.def.warn, track.def.bad].into_iter().flatten().map(|t| t.value);
        let (bottom, top, step) = axis::bounds(&values, limits, usize::from(area.height) / 4);
        let ticks = axis::ticks(bottom, top, step);
        let labels =
            ticks.iter().map(|v| cells(&value::in_unit(*v, track.def.unit))).max().unwrap_or(0) as u16 + 2;
        let names = series.iter().map(|(s, _)| cells(&row_key(track.def.board, &s.labels)).min(12)).max();
        let gutter = if area.width > 60 { names.unwrap_or(0) as u16 + 2 } else { 0 };
        let legend = if zoomed { (area.height / 4).clamp(1, 5) } else { 1 };
        let plot = Rect {
            x: area.x + labels,
            y: area.y + 2,
            width: area.width.saturating_sub(labels + gutter),
            height: area.height.saturating_sub(3 + legend),
        };
        let cursor = state.cursor.filter(|_| zoomed).map(|back| now.before(back));
        let every = state.watch.source(&track.def.source).map_or(Duration::from_secs(5), |s| s.def.every);
        Self { series, begin, now, window, top, bottom, step, plot, labels, legend, gutter, cursor, every }
    }

    fn column(&self, at: Time) -> Option<u16> {
        let span = self.window.as_millis() as f64;
        let part = at.millis().saturating_sub(self.begin.millis()) as f64 / span;
        (0.0..=1.0)
            .contains(&part)
            .then(|| self.plot.x + (part * f64::from(self.plot.width.saturating_sub(1))).round() as u16)
    }

    fn row(&self, value: f64) -> Option<u16> {
        let part = (value - self.bottom) / (self.top - self.bottom);
        let down = (1.0 - part) * f64::from(self.plot.height.saturating_sub(1));
        (0.0..=1.0).contains(&part).then(|| self.plot.y + down.round() as u16)
    }

    fn lines(&self, buf: &mut Buffer) {
        let span = self.window.as_millis() as f64;
        let x = |t: Time| t.millis().saturating_sub(self.begin.millis()) as f64;
        Canvas::default()
            .marker(Marker::Braille)
            .x_bounds([0.0, span])
            .y_bounds([self.bottom, self.top])
            .paint(|ctx| {
                // The first series is drawn last, over the others.
                for (series, style) in self.series.iter().rev() {
                    let color = style.fg.unwrap_or(Color::Reset);
                    for run in segments(series, self.begin, self.every) {
                        let to = run.iter().skip(1).chain(run.last());
                        for ((t1, v1), (t2, v2)) in run.iter().zip(to) {
                            ctx.draw(&Line::new(x(*t1), *v1, x(*t2), *v2, color));
                        }
                    }
                }
            })
            .render(self.plot, buf);
    }

    fn thresholds(&self, scene: &Scene<'_>, track: &Track, buf: &mut Buffer) {
        let of = [(track.def.warn, scene.theme.warn), (track.def.bad, scene.theme.bad)];
        for (limit, style) in of {
            let Some(y) = limit.and_then(|t| self.row(t.value)) else { continue };
            for x in self.plot.left()..self.plot.right() {
                under(buf, x, y, "╌", style);
            }
        }
    }

    fn axes(&self, scene: &Scene<'_>, unit: Unit, buf: &mut Buffer) {
        let dim = scene.theme.dim;
        let mut last = None;
        for tick in axis::ticks(self.bottom, self.top, self.step) {
            let Some(y) = self.row(tick) else { continue };
            if last == Some(y) {
                continue;
            }
            last = Some(y);
            let text = value::in_unit(tick, unit);
            let row = Row::new().right(text, usize::from(self.labels.saturating_sub(1)), dim);
            put(
                buf,
                Rect { x: self.plot.x.saturating_sub(self.labels), y, width: self.labels, height: 1 },
                [row],
            );
            for x in self.plot.left()..self.plot.right() {
                under(buf, x, y, if tick == self.bottom { "─" } else { "┈" }, scene.theme.rule);
            }
        }
        let y = self.plot.bottom();
        let mut free = self.plot.x.saturating_sub(2);
        for (at, text) in axis::times(self.begin, self.now, self.window) {
            let Some(x) = self.column(at) else { continue };
            let size = cells(&text) as u16;
            let begin = x.saturating_sub(size / 2).min(self.plot.right().saturating_sub(size));
            if begin >= free {
                put(buf, Rect { x: begin, y, width: size, height: 1 }, [Row::new().put(text, dim)]);
                free = begin + size + 2;
            }
        }
    }

    fn marks(&self, scene: &Scene<'_>, buf: &mut Buffer) {
        for (line, glyph) in marks(scene, self.begin) {
            let Some(x) = self.column(line.at) else { continue };
            if let Some(cell) = buf.cell_mut((x, self.plot.y.saturating_sub(1))) {
                cell.set_symbol(glyph).set_style(scene.theme.strong);
            }
            for y in self.plot.top()..self.plot.bottom() {
                under(buf, x, y, "┊", scene.theme.rule);
            }
        }
    }

    fn cursor(&self, scene: &Scene<'_>, buf: &mut Buffer) {
        let Some(x) = self.cursor.and_then(|at| self.column(at)) else { return };
        for y in self.plot.top().saturating_sub(1)..self.plot.bottom() {
            under(buf, x, y, "│", scene.theme.focus);
        }
        if let Some(cell) = buf.cell_mut((x, self.plot.y.saturating_sub(1))) {
            cell.set_symbol("▼").set_style(scene.theme.focus);
        }
    }

    /// The series' names where their lines end, so that a line needs no colour to be known.
    fn names(&self, track: &Track, buf: &mut Buffer) {
        let mut free = self.plot.y;
        let mut ends: Vec<(u16, String, Style)> = self
            .series
            .iter()
            .filter_map(|(s, style)| {
                let last = s.past.iter().rev().map(|(_, v)| *v).find(|v| v.is_finite())?;
                Some((self.row(last)?, row_key(track.def.board, &s.labels), *style))
            })
            .collect();
        ends.sort_by_key(|(y, ..)| *y);
        let width = self.gutter;
        for (y, name, style) in ends {
            let y = y.max(free);
            if y >= self.plot.bottom() || width < 3 {
                break;
            }
            free = y + 1;
            let row = Row::new().put(cut(&name, usize::from(width - 1)).into_owned(), style);
            put(buf, Rect { x: self.plot.right() + 1, y, width: width - 1, height: 1 }, [row]);
        }
    }
}

/// The series that are drawn: where there are too many, those that are highest now.
fn shown<'a>(scene: &Scene<'_>, track: &'a Track) -> Vec<(&'a Series, Style)> {
    let mut all: Vec<&Series> = track.series.iter().filter(|s| scene.state.shows(&s.labels)).collect();
    if all.len() > MOST {
        let now = |s: &&Series| s.now.as_ref().map_or(f64::NEG_INFINITY, |p| p.value);
        all.sort_by(|a, b| now(b).total_cmp(&now(a)));
        all.truncate(MOST);
    }
    all.into_iter().zip(scene.theme.series).collect()
}

/// Draws only where nothing is drawn yet.
fn under(buf: &mut Buffer, x: u16, y: u16, symbol: &str, style: Style) {
    if let Some(cell) = buf.cell_mut((x, y))
        && matches!(cell.symbol(), " " | "\u{2800}" | "┈" | "┊")
    {
        cell.set_symbol(symbol).set_style(style);
    }
}

fn heading(scene: &Scene<'_>, track: &Track, view: &View<'_>, width: usize) -> Row {
    let theme = scene.theme;
    let title = crate::model::text::harmless_line(&track.def.title, 40);
    let title =
        if track.def.unit == Unit::Jobs && !title.contains("job") { format!("{title} jobs") } else { title };
    let mut row = Row::new()
        .put(title, theme.strong)
        .put(format!(" · {}", super::board::name(track.def.board)), theme.dim)
        .put(format!(" · last {}", short(view.window)), theme.dim);
    let of_org = track.series.iter().filter(|s| scene.state.shows(&s.labels)).count();
    if let Some(only) = scene.state.only_org().filter(|_| of_org < track.series.len()) {
        row = row.put(format!(" · {only} only"), theme.accent);
    }
    if of_org > view.series.len() {
        row = row.put(format!(" · the highest {} of {of_org} series", view.series.len()), theme.dim);
    }
    let limit = |word: &str, t: Option<crate::model::gate::Threshold>| {
        t.map(|t| format!("{word} {} {}", t.op.as_str(), value::in_unit(t.value, track.def.unit)))
    };
    let mut right = Row::new();
    if let Some(words) = limit("warn", track.def.warn) {
        right = right.put(words, theme.warn);
    }
    if let Some(words) = limit("bad", track.def.bad) {
        let gap = if right.used() > 0 { "  " } else { "" };
        right = right.put(gap, theme.dim).put(words, theme.bad);
    }
    scene.heading(false, row, right, width)
}

/// Every series at the cursor, or now.
fn readout(scene: &Scene<'_>, track: &Track, view: &View<'_>, width: usize) -> Vec<Row> {
    let theme = scene.theme;
    let state = scene.state;
    let begin = match view.cursor {
        None => Row::new().put("  now  ", theme.dim),
        Some(at) => {
            let back = short(state.now.since(at));
            Row::new().put(format!("  at {}, {back} ago  ", at.clock()), theme.focus)
        }
    };
    if view.series.is_empty() {
        return vec![begin.put("no data", theme.dim)];
    }
    let mut rows = vec![begin];
    for (series, style) in &view.series {
        let text = match view.cursor {
            None => cell_of(track, series, state.now).text,
            Some(moment) => at(series, moment, view.every)
                .map_or_else(|| "no data".into(), |v| value::in_unit(v, track.def.unit)),
        };
        let name = row_key(track.def.board, &series.labels);
        let part = Row::new()
            .put("━ ", *style)
            .put(format!("{} ", cut(&name, 24)), theme.dim)
            .put(text, theme.strong)
            .put("   ", theme.dim);
        let fits = rows.last().is_none_or(|r| r.used() + part.used() <= width);
        if !fits {
            rows.push(Row::new().put("  ", theme.dim));
        }
        if let Some(last) = rows.pop() {
            rows.push(last.join(part));
        }
    }
    rows
}

/// The lines of the log that mark the chart, newest first.
fn marks<'a>(scene: &Scene<'a>, begin: Time) -> impl Iterator<Item = (&'a LogLine, &'static str)> {
    let lines = scene.state.log.lines().rev().take_while(move |l| l.at >= begin);
    lines.filter_map(|line| Some((line, line.kind.mark()?)))
}

/// The marks in words: those at the cursor, else the newest.
fn mark_words(scene: &Scene<'_>, view: &View<'_>, width: usize) -> Vec<Row> {
    let theme = scene.theme;
    let near = |at: Time| {
        view.cursor.is_none_or(|c| at.millis().abs_diff(c.millis()) <= view.window.as_millis() as u64 / 30)
    };
    marks(scene, view.begin)
        .filter(|(line, _)| near(line.at))
        .take(usize::from(view.legend))
        .map(|(line, glyph)| {
            Row::new()
                .put(format!("  {glyph} "), theme.strong)
                .put(format!("{}  ", line.at.clock()), theme.dim)
                .put(line.text.clone(), theme.base)
                .fit(width)
        })
        .collect()
}
