//! Exposition text, read as it streams, in bounded memory.
//!
//! Start with [`Reader`]: bytes go in by slices of any size, [`Sample`]s come out through a
//! callback, a [`Summary`] at the end. Behind it, one file each: `sample_line` (one line, zero-copy),
//! `number` (floats and timestamps), `comment` (HELP, TYPE, `# EOF`), `families`, `seen` (duplicates),
//! `unwanted` (the quick way past the rest).
//!
//! The rule for what can be read is what a Prometheus server accepts in a scrape, line by line, with
//! four kindnesses: CRLF, blanks before a sample line and around a TYPE, the `OpenMetrics` types in
//! the older text, and timestamps with a sign, which the format's paper allows and the server's lexer
//! does not. Where a server throws the whole scrape away because of one line, this reader goes on and
//! counts the line.

mod comment;
mod families;
mod format;
mod number;
mod reader;
mod sample_line;
mod seen;
mod unwanted;

pub use format::{ACCEPT, Format};
pub use reader::{MAX_LINE, Reader};

use crate::model::Labels;
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
