//! A capture, opened: what it is of, when it was, and in which way its samples can be read.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use super::chunk::{self, Known};
use super::head::{Head, SCHEMA};
use super::lines::Lines;
use super::poll_line::PollLine;
use super::recorder::beside;
use crate::model::Time;
use crate::model::text::harmless_line;

/// A capture.
#[derive(Clone, Debug)]
pub struct Tape {
    pub(super) path: PathBuf,
    pub(super) head: Option<Head>,
    pub(super) way: Way,
    first: Option<Time>,
    last: Option<Time>,
    remarks: Vec<String>,
}

/// How samples are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// Each poll's where its line of JSON says, read as they are needed.
    InPlace,
    /// By their times and labels, all of them read before: the file is not as it was written.
    ByTime,
    /// By their times alone, for there are no JSON lines.
    Foreign,
}

/// How long `# EOF` is, with its newline.
const END: u64 = 6;

/// What the JSON lines hold.
#[derive(Default)]
struct Scan {
    first: Option<Time>,
    last: Option<Time>,
    unreadable: u64,
    with_samples: Option<(PollLine, PollLine)>,
    end: u64,
    cut: bool,
}

impl Tape {
    /// Opens a capture and looks through its JSON lines, where it has some.
    ///
    /// # Errors
    /// A file that cannot be read; JSON lines that are not a capture's, or of a newer gonogo.
    pub fn open(path: &Path) -> io::Result<Self> {
        let mut file = File::open(path)?;
        if file.metadata()?.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        let mut tape = Self {
            path: path.to_owned(),
            head: None,
            way: Way::Foreign,
            first: None,
            last: None,
            remarks: Vec::new(),
        };
        let Some(mut lines) = lines(path)? else { return Ok(tape) };
        tape.head = Some(head(&mut lines)?);
        let scan = scan(&mut lines)?;
        (tape.first, tape.last) = (scan.first, scan.last);
        tape.remark(&scan);
        let length = file.metadata()?.len();
        let in_place = length >= scan.end
            && match &scan.with_samples {
                None => true,
                Some((first, last)) => {
                    chunk::read(&mut file, first, &mut Known::default(), |_| true)?.is_some()
                        && chunk::read(&mut file, last, &mut Known::default(), |_| true)?.is_some()
                }
            };
        tape.way = if in_place { Way::InPlace } else { Way::ByTime };
        if in_place {
            let whole = ends(&mut file, length)?;
            if !whole {
                tape.remarks.push("the capture was cut off (it has no # EOF)".into());
            }
            let behind = (length - scan.end).saturating_sub(if whole { END } else { 0 });
            if behind > 0 {
                tape.remarks.push(format!("{behind} bytes behind the last poll are passed over"));
            }
        } else {
            tape.remarks
                .push("the samples are not as they were written: they are read by their times".into());
        }
        Ok(tape)
    }

    /// What the capture is of; `None` for `OpenMetrics` from elsewhere, which has no JSON lines.
    pub fn head(&self) -> Option<&Head> {
        self.head.as_ref()
    }

    /// When its first poll was answered and its last, where it has JSON lines with polls.
    pub fn span(&self) -> Option<(Time, Time)> {
        self.first.zip(self.last)
    }

    /// What the reader should know of its state.
    pub fn remarks(&self) -> &[String] {
        &self.remarks
    }

    fn remark(&mut self, scan: &Scan) {
        let cut = u64::from(scan.cut);
        if scan.unreadable > cut {
            let count = scan.unreadable - cut;
            let lines = if count == 1 { "line" } else { "lines" };
            self.remarks.push(format!(
                "{count} {lines} of the JSON beside it cannot be read: those polls are missing"
            ));
        }
        if scan.cut {
            self.remarks.push("the last line of the JSON beside it was cut off".into());
        }
    }
}

/// The JSON lines beside a capture, if there are any.
fn lines(path: &Path) -> io::Result<Option<Lines>> {
    match Lines::open(&beside(path)) {
        Ok(lines) => Ok(Some(lines)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// The lines of the polls beside a capture, if there are any.
///
/// # Errors
/// As [`Tape::open`].
pub(super) fn polls(path: &Path) -> io::Result<Option<Lines>> {
    let Some(mut lines) = lines(path)? else { return Ok(None) };
    head(&mut lines)?;
    Ok(Some(lines))
}

fn head(lines: &mut Lines) -> io::Result<Head> {
    let bad = |why: String| {
        let text = format!("the first line of the JSON lines beside it is no head of a capture: {why}");
        io::Error::new(io::ErrorKind::InvalidData, harmless_line(&text, 400))
    };
    let line = lines.next()?.ok_or_else(|| bad("there is none".into()))?;
    let line = line.map_err(|_| bad("it was cut off or is no text".into()))?;
    let value: serde_json::Value = serde_json::from_str(line).map_err(|e| bad(e.to_string()))?;
    let schema = value.get("schema").and_then(serde_json::Value::as_u64);
    if let Some(schema) = schema.filter(|schema| *schema != u64::from(SCHEMA)) {
        return Err(bad(format!("it is of schema {schema}, and this gonogo reads schema {SCHEMA}")));
    }
    serde_json::from_value(value).map_err(|e| bad(e.to_string()))
}

fn scan(lines: &mut Lines) -> io::Result<Scan> {
    let mut scan = Scan::default();
    while let Some(line) = lines.next()? {
        scan.cut = line.is_err();
        let Some(poll) = line.ok().and_then(|line| PollLine::read(line).ok()) else {
            scan.unreadable += 1;
            continue;
        };
        scan.first = Some(scan.first.map_or(poll.arrived, |first| first.min(poll.arrived)));
        scan.last = scan.last.max(Some(poll.arrived));
        scan.end = scan.end.max(poll.at.saturating_add(poll.bytes));
        if poll.samples > 0 {
            let last = poll.clone();
            scan.with_samples = Some(match scan.with_samples {
                Some((first, _)) => (first, last),
                None => (poll, last),
            });
        }
    }
    Ok(scan)
}

/// Whether the file ends as a whole capture does.
fn ends(file: &mut File, length: u64) -> io::Result<bool> {
    file.seek(SeekFrom::Start(length.saturating_sub(8)))?;
    let mut end = Vec::new();
    file.take(8).read_to_end(&mut end)?;
    Ok(end.trim_ascii_end().ends_with(b"# EOF"))
}
