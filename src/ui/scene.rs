//! What every widget draws from: the state, the theme, and the verdict judged once a frame.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::app::board::Tone;
use crate::app::{Block, State};
use crate::engine::Overall;
use crate::model::{Health, Verdict};

use super::row::Row;
use super::theme::Theme;

pub(super) struct Scene<'a> {
    pub(super) state: &'a State,
    pub(super) theme: &'a Theme,
    pub(super) overall: Overall,
}

impl<'a> Scene<'a> {
    pub(super) fn new(state: &'a State, theme: &'a Theme) -> Self {
        Self { state, theme, overall: state.overall() }
    }

    pub(super) fn focused(&self, block: Block) -> bool {
        self.state.active() == block
    }

    pub(super) fn tone(&self, tone: Tone) -> Style {
        match tone {
            Tone::Normal => self.theme.base,
            Tone::Warn => self.theme.warn,
            Tone::Bad => self.theme.bad,
            Tone::Stale => self.theme.stale,
            Tone::Absent => self.theme.dim,
        }
    }

    pub(super) fn verdict(&self, verdict: Verdict) -> Style {
        match verdict {
            Verdict::Pass => self.theme.good,
            Verdict::Unknown => self.theme.warn,
            Verdict::Fail => self.theme.bad,
        }
    }

    pub(super) fn health(&self, health: Health) -> Style {
        match health {
            Health::Fresh => self.theme.good,
            Health::Never => self.theme.dim,
            Health::Stale => self.theme.warn,
            Health::Failed => self.theme.bad,
        }
    }

    /// The line above a block: a light rule, or a heavy one where the focus is.
    pub(super) fn rule(&self, focused: bool) -> (&'static str, Style) {
        if focused { ("━", self.theme.focus) } else { ("─", self.theme.rule) }
    }

    pub(super) fn title(&self, focused: bool) -> Style {
        if focused { self.theme.focus } else { self.theme.strong }
    }

    /// `━ Title ━━━━━━━━━━━ right ━`
    pub(super) fn heading(&self, focused: bool, title: Row, right: Row, width: usize) -> Row {
        let (symbol, style) = self.rule(focused);
        let room = width.saturating_sub(right.used() + 8);
        let row = Row::new().put(symbol, style).put(" ", style).join(title.fit(room));
        let end = width.saturating_sub(if right.used() == 0 { 0 } else { right.used() + 2 });
        let row = self.ruled(row, end, focused);
        if right.used() == 0 {
            row.fit(width)
        } else {
            row.join(right).put(" ", style).put(symbol, style).fit(width)
        }
    }

    /// Draws the rule on until `to`, with a blank at either end.
    pub(super) fn ruled(&self, row: Row, to: usize, focused: bool) -> Row {
        let (symbol, style) = self.rule(focused);
        match to.saturating_sub(row.used()) {
            0..3 => row.to(to),
            _ => row.put(" ", style).fill(to.saturating_sub(1), symbol, style).put(" ", style),
        }
    }
}

/// Writes rows from the top of an area; what does not fit below is left out.
pub(super) fn put(buf: &mut Buffer, area: Rect, rows: impl IntoIterator<Item = Row>) {
    let area = area.intersection(*buf.area());
    for (y, row) in (area.top()..area.bottom()).zip(rows) {
        let row = row.fit(usize::from(area.width));
        buf.set_line(area.x, y, &row.line(), area.width);
    }
}
