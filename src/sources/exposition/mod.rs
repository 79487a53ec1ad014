//! Exposition text, read as it streams, in bounded memory.
//!
//! Start with [`Reader`]: bytes go in by slices of any size, [`Sample`]s come out through a
//! callback, a [`Summary`] at the end. Behind it, one file each: `lines` (where they end, what they
//! are), `sample_line` (one line, zero-copy), `parts` (where its parts lie, and the short way through
//! the next line that is like it), `number` (floats and timestamps), `comment` (HELP, TYPE, `# EOF`),
//! `families`, `seen` (duplicates), `unwanted` (the quick way past the rest), `stricter` (what other
//! readers would refuse), `points` (how they want the samples of a metric to stand).
//!
//! The rule for what can be read is what a Prometheus server accepts in a scrape, line by line, with
//! these kindnesses: CRLF, blanks before a sample line and around a TYPE, the `OpenMetrics` types in
//! the older text, timestamps with a sign, which the format's paper allows and the server's lexer
//! does not, exemplars on any type, and what only Prometheus 3 reads: names in quotes, a comma behind
//! the last label of `OpenMetrics`. It is stricter in two: a line break within a label value makes both lines unreadable,
//! and so does a NUL byte, at which a server stops reading without a word. `tests/data/scraped` holds
//! each of them, compared with a real server. Where a server throws the whole scrape away because of
//! one line, this reader goes on and counts the line.

mod comment;
mod families;
mod format;
mod lines;
mod number;
mod parts;
mod points;
mod reader;
mod sample_line;
mod seen;
mod stricter;
mod unwanted;

pub use format::{ACCEPT, ACCEPT_TEXT, Format, foreign_charset};
pub use reader::{MAX_LINE, Pick, Reader};
pub use stricter::Stricter;

use crate::model::Labels;
use crate::model::labels::LabelsRef;
use crate::promql::Filter;

/// What tells a [`Reader`] which metric names to read: a [`Filter`] or a closure.
pub trait Wanted {
    /// Whether lines of this metric name are to be read. Called once for each run of lines with
    /// the same name, with the name as raw bytes (unescaped where it came in quotes).
    fn wants_name(&self, name: &[u8]) -> bool;
}

impl Wanted for Filter {
    fn wants_name(&self, name: &[u8]) -> bool {
        Filter::wants_name(self, name)
    }
}

impl<F: Fn(&[u8]) -> bool> Wanted for F {
    fn wants_name(&self, name: &[u8]) -> bool {
        self(name)
    }
}

/// One sample line, wanted and read. `labels` hold the metric name; values are as sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample<L = Labels> {
    /// Name and labels.
    pub labels: L,
    /// The value.
    pub value: f64,
    /// The timestamp of the line in milliseconds since the epoch, whatever the dialect.
    pub timestamp_ms: Option<i64>,
}

/// A sample as a [`Reader`] hands it on: its labels lie in the reader's memory until the next line.
pub type SampleRef<'l> = Sample<LabelsRef<'l>>;

impl SampleRef<'_> {
    /// The same sample with labels of its own.
    pub fn to_sample(&self) -> Sample {
        let Self { labels, value, timestamp_ms } = *self;
        Sample { labels: labels.to_labels(), value, timestamp_ms }
    }
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
    /// How many wanted sample lines belong to it.
    pub series: u64,
}

/// A line that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// 1-based line number.
    pub line: u64,
    /// `bad-value`, `bad-label`, `no-value`, `bad-name`, `bad-timestamp`, `bad-exemplar`,
    /// `trailing-text`, `bad-comment`, `bad-type`, `blank-line`, `after-eof`, `not-utf8`, `too-long`,
    /// and in captures `no-timestamp`.
    pub code: &'static str,
    /// What is wrong, in a sentence; harmless.
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
    /// Sample lines seen, wanted or not, readable or not.
    pub series_sent: u64,
    /// Lines that were judged and could not be read.
    pub unreadable: u64,
    /// The first of them: a hundred, or ten thousand of a reader that judges all.
    pub first_unreadable: Vec<Unreadable>,
    /// Wanted samples beyond the most that the reader was to keep.
    pub cut: u64,
    /// Series that came twice (the first is kept, as in Prometheus). Counted among wanted ones. A
    /// series may come again with another timestamp.
    pub duplicates: u64,
    /// Those of them whose value was another one.
    pub conflicts: u64,
    /// Families, where asked for, in the order in which they came; without those of which no name
    /// is wanted.
    pub families: Vec<Family>,
    /// Whether the text was whole: the last line ended or is readable, and `OpenMetrics` had `# EOF`.
    pub complete: bool,
    /// Whether the last line ended with a newline.
    pub newline: bool,
    /// What stricter readers would refuse; only told by a reader that judges all.
    pub stricter: Vec<Stricter>,
    /// Sample lines that were looked at and read well, wanted or not: all that are wanted, and some
    /// of the others.
    sound: u64,
    /// Sample lines that were looked at and could not be read, wanted or not.
    unsound: u64,
    /// Whether one that is wanted read well.
    wanted: bool,
    /// The first one that could not be read, wanted or not, harmless and short.
    first_unsound: Option<String>,
}

impl Summary {
    /// The first line of a text that holds no metrics: an error page in plain text, say. None of its
    /// lines is a wanted sample, and most of those that were looked at are no samples at all. `None`
    /// where there are metrics, or nothing but comments.
    pub fn no_metrics(&self) -> Option<&str> {
        let none = !self.wanted && self.unsound > self.sound;
        self.first_unsound.as_deref().filter(|_| none)
    }
}

/// What is wrong with a line.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Flaw {
    code: &'static str,
    text: String,
}

impl Flaw {
    fn new(code: &'static str, text: impl Into<String>) -> Self {
        Self { code, text: text.into() }
    }
}

/// Whether the text is a metric name that needs no quotes.
fn is_plain_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes.next().is_some_and(sample_line::starts_name) && bytes.all(sample_line::is_name_byte)
}
