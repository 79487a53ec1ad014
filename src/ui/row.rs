//! A line of the screen, measured in cells: what fits, what is cut, what stands at the right edge.

use std::borrow::Cow;

use ratatui::buffer::CellWidth;
use ratatui::style::Style;
use ratatui::text::{Line, Span, StyledGrapheme};

/// How many cells a text takes; a wide character takes two.
pub(super) fn cells(text: &str) -> usize {
    if text.is_ascii() {
        return text.len();
    }
    Span::raw(text).styled_graphemes(Style::new()).map(|g| usize::from(g.symbol.cell_width())).sum()
}

fn graphemes(text: &str) -> impl Iterator<Item = (String, usize)> {
    let sized = |g: StyledGrapheme<'_>| (g.symbol.to_owned(), usize::from(g.symbol.cell_width()));
    let all: Vec<(String, usize)> = Span::raw(text).styled_graphemes(Style::new()).map(sized).collect();
    all.into_iter()
}

/// The text in at most `max` cells, with an ellipsis in place of what was cut.
pub(super) fn cut(text: &str, max: usize) -> Cow<'_, str> {
    if cells(text) <= max {
        return Cow::Borrowed(text);
    }
    if max == 0 {
        return Cow::Borrowed("");
    }
    let mut kept = String::new();
    let mut used = 0;
    for (symbol, width) in graphemes(text) {
        if used + width >= max {
            break;
        }
        used += width;
        kept.push_str(&symbol);
    }
    kept.truncate(kept.trim_end().len());
    kept.push('…');
    Cow::Owned(kept)
}

/// The text in lines of at most `width` cells, broken between words where that is possible.
pub(super) fn wrap(text: &str, width: usize) -> Vec<String> {
    let width = width.max(1);
    let mut lines = Vec::new();
    for paragraph in text.split('\n') {
        let mut line = String::new();
        let mut used = 0;
        let before = lines.len();
        for word in paragraph.split_whitespace() {
            let mut rest = word.to_owned();
            let mut size = cells(&rest);
            if used > 0 && used + 1 + size > width {
                lines.push(std::mem::take(&mut line));
                used = 0;
            }
            while size > width {
                let (head, tail) = split(&rest, width);
                lines.push(head);
                rest = tail;
                size = cells(&rest);
            }
            if rest.is_empty() {
                continue;
            }
            if used > 0 {
                line.push(' ');
                used += 1;
            }
            line.push_str(&rest);
            used += size;
        }
        if !line.is_empty() || lines.len() == before {
            lines.push(line);
        }
    }
    lines
}

/// The first `width` cells of a word (at least one character), and the rest.
fn split(word: &str, width: usize) -> (String, String) {
    let (mut head, mut tail) = (String::new(), String::new());
    let mut used = 0;
    for (symbol, size) in graphemes(word) {
        used += size;
        if tail.is_empty() && (head.is_empty() || used <= width) {
            head.push_str(&symbol);
        } else {
            tail.push_str(&symbol);
        }
    }
    (head, tail)
}

/// A line being put together from left to right.
#[derive(Clone, Debug, Default)]
pub(super) struct Row {
    spans: Vec<Span<'static>>,
    used: usize,
}

impl Row {
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// How many cells it takes so far.
    pub(super) fn used(&self) -> usize {
        self.used
    }

    /// Adds text at the right.
    #[must_use]
    pub(super) fn put(mut self, text: impl Into<Cow<'static, str>>, style: Style) -> Self {
        let text = text.into();
        self.used += cells(&text);
        self.spans.push(Span::styled(text, style));
        self
    }

    /// Adds another row at the right.
    #[must_use]
    pub(super) fn join(mut self, other: Row) -> Self {
        self.used += other.used;
        self.spans.extend(other.spans);
        self
    }

    /// Repeats a symbol of one cell until the row takes `to` cells.
    #[must_use]
    pub(super) fn fill(self, to: usize, symbol: &str, style: Style) -> Self {
        let missing = to.saturating_sub(self.used);
        if missing == 0 { self } else { self.put(symbol.repeat(missing), style) }
    }

    /// Repeats a symbol of one cell `count` times.
    #[must_use]
    pub(super) fn fill_more(self, count: usize, symbol: &str, style: Style) -> Self {
        let to = self.used + count;
        self.fill(to, symbol, style)
    }

    /// Blanks until the row takes `to` cells.
    #[must_use]
    pub(super) fn to(self, to: usize) -> Self {
        self.fill(to, " ", Style::new())
    }

    /// Adds text that ends at cell `to`.
    #[must_use]
    pub(super) fn right(self, text: impl Into<Cow<'static, str>>, to: usize, style: Style) -> Self {
        let text = text.into();
        let begin = to.saturating_sub(cells(&text));
        self.to(begin).put(text, style)
    }

    /// The row in at most `max` cells; what does not fit is cut with an ellipsis.
    #[must_use]
    pub(super) fn fit(self, max: usize) -> Self {
        if self.used <= max {
            return self;
        }
        let mut kept = Row::new();
        for span in self.spans {
            let left = max.saturating_sub(kept.used);
            let size = cells(&span.content);
            if size < left {
                kept = kept.put(span.content, span.style);
            } else {
                // A blank behind the cut keeps the ellipsis where the eye looks for it.
                let text =
                    if size == left { format!("{}…", span.content) } else { span.content.into_owned() };
                return kept.put(cut(&text, left).into_owned(), span.style);
            }
        }
        kept
    }

    /// `self` at the left, `right` at the right edge of `width` cells; the left part gives way.
    #[must_use]
    pub(super) fn beside(self, right: Row, width: usize) -> Self {
        if right.used == 0 {
            return self.fit(width);
        }
        let right = right.fit(width);
        let left = self.fit(width.saturating_sub(right.used + 1));
        left.to(width.saturating_sub(right.used)).join(right)
    }

    /// The row over `width` cells with a style laid over (or under) all of it.
    #[must_use]
    pub(super) fn over(self, style: Style, width: usize) -> Self {
        let mut row = self.fit(width).to(width);
        for span in &mut row.spans {
            span.style = style.patch(span.style);
        }
        row
    }

    /// Without the separator that was put last.
    #[must_use]
    pub(super) fn trimmed(mut self) -> Self {
        while let Some(last) = self.spans.pop_if(|s| s.content.trim().is_empty()) {
            self.used -= cells(&last.content);
        }
        self
    }

    /// For drawing.
    pub(super) fn line(self) -> Line<'static> {
        Line::from(self.spans)
    }

    /// Its text, for tests and titles.
    #[cfg(test)]
    pub(super) fn text(&self) -> String {
        self.spans.iter().map(|s| s.content.as_ref()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_text_says_so_and_a_wide_character_is_never_halved() {
        assert_eq!(cut("queue-healthy", 8), "queue-h…");
        assert_eq!(cut("日本語", 4), "日…");
        assert_eq!(cut("ok", 2), "ok");
        assert_eq!(cells(&cut("日本語", 4)), 3);
    }

    #[test]
    fn words_are_kept_whole_where_they_fit_and_split_where_they_do_not() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("abcdefghij k", 4), ["abcd", "efgh", "ij k"]);
        assert_eq!(wrap("", 4), [""]);
        assert_eq!(wrap("日本", 1), ["日", "本"]);
    }

    #[test]
    fn the_left_part_gives_way_to_the_right_edge() {
        let left = Row::new().put("a long sentence", Style::new());
        let row = left.beside(Row::new().put("3s", Style::new()), 12);
        assert_eq!(row.text(), "a long s… 3s");
        let tight = Row::new().put("abc", Style::new()).put("def", Style::new()).fit(3);
        assert_eq!(tight.text(), "ab…");
    }
}
