//! Exposition text, read as it streams, in bounded memory.

use crate::model::Labels;
use crate::promql::Filter;

/// Which dialect of the text is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// Text 0.0.4: timestamps are milliseconds.
    #[default]
    Text,
    /// `OpenMetrics` 1.0: timestamps are seconds with fractions, `# EOF` ends it.
    OpenMetrics,
}

impl Format {
    /// The dialect a `Content-Type` header names; `None` where it is not an exposition (HTML, JSON).
    /// A missing header, `text/plain` of any version, and `application/octet-stream` are text.
    pub fn of_content_type(_header: Option<&str>) -> Option<Format> {
        todo!()
    }
}

/// One sample line, wanted and read. `labels` hold the metric name; values are as sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// Name and labels.
    pub labels: Labels,
    /// The value.
    pub value: f64,
    /// The timestamp of the line in milliseconds since the epoch, whatever the dialect.
    pub timestamp_ms: Option<i64>,
}

/// HELP and TYPE of a family, where the reader was asked to keep them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Family {
    /// Its name.
    pub name: String,
    /// `counter`, `gauge`, …; `unknown` where no TYPE line came.
    pub kind: String,
    /// HELP, unescaped.
    pub help: String,
}

/// A line that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// 1-based line number.
    pub line: u64,
    /// `bad-value`, `bad-label`, `no-value`, `bad-name`, `bad-timestamp`, `not-utf8`, `too-long`, …
    pub code: &'static str,
    /// What is wrong, in a sentence.
    pub text: String,
    /// The line, harmless and cut to 200 characters.
    pub line_text: String,
}

/// What reading came to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Summary {
    /// Decoded bytes that were fed.
    pub bytes: u64,
    /// Lines seen.
    pub lines: u64,
    /// Sample lines seen, wanted or not.
    pub series_sent: u64,
    /// Lines that were judged and could not be read.
    pub unreadable: u64,
    /// The first hundred of them.
    pub first_unreadable: Vec<Unreadable>,
    /// Series that came twice (the first is kept, as in Prometheus). Counted among wanted ones.
    pub duplicates: u64,
    /// Families, where asked for.
    pub families: Vec<Family>,
    /// Whether the text was whole: the last line ended or is readable, and `OpenMetrics` had `# EOF`.
    pub complete: bool,
}

/// A streaming reader: bytes in slices of any size, samples out through a callback.
#[derive(Debug)]
pub struct Reader<'f> {
    _filter: &'f Filter,
}

impl<'f> Reader<'f> {
    /// Reads lines whose names the filter wants; the others are skipped, not judged.
    pub fn new(_format: Format, filter: &'f Filter) -> Self {
        Self { _filter: filter }
    }

    /// Reads and judges every line and keeps families (`gonogo scrape`).
    pub fn judging_all(_format: Format, filter: &'f Filter) -> Self {
        Self { _filter: filter }
    }

    /// Feeds a slice; calls `keep` for each wanted sample line that ended in it. Label matchers are
    /// the caller's business ([`Filter::wants`] after it added its own labels).
    pub fn feed(&mut self, _bytes: &[u8], _keep: &mut impl FnMut(Sample)) {
        todo!()
    }

    /// Ends the text: reads a last line without a newline and returns the summary.
    pub fn finish(self, _keep: &mut impl FnMut(Sample)) -> Summary {
        todo!()
    }
}
