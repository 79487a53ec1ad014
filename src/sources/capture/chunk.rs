//! The sample lines of one poll, read from their place in a capture.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};

use super::poll_line::{Beside, PollLine, labels_of};
use crate::model::{Labels, Time};
use crate::sources::Batch;
use crate::sources::exposition::{Format, Reader, Sample, SampleRef};

/// How much text of series is known at most: past it, they are learnt anew.
const MOST_KNOWN: usize = 32 << 20;

/// The series that earlier polls of a source held, by their text, so that each is read only once.
#[derive(Default)]
pub(super) struct Known {
    series: HashMap<Box<[u8]>, Series>,
    /// How long the texts are.
    size: usize,
    /// Which poll is being read.
    poll: u64,
}

struct Series {
    /// `None`: nobody wants it.
    labels: Option<Labels>,
    /// The last poll that held it.
    poll: u64,
}

/// What the lines of a poll came to.
#[derive(Default)]
struct Found {
    batch: Batch,
    lines: u64,
    stamped: u64,
    /// A line that this program would not have written so.
    foreign: bool,
}

/// Reads a poll's wanted samples; `None` where there is something else in their place than was
/// written.
pub(super) fn read(
    file: &mut File,
    line: &PollLine,
    known: &mut Known,
    wants: impl Fn(&Labels) -> bool,
) -> io::Result<Option<Batch>> {
    file.seek(SeekFrom::Start(line.at))?;
    known.poll += 1;
    if known.size > MOST_KNOWN {
        (known.series, known.size) = (HashMap::new(), 0);
    }
    let mut found = Found::default();
    let mut rest = line.bytes;
    let mut slice = vec![0; 128 << 10];
    // A line that a slice has cut.
    let mut open = Vec::new();
    while rest > 0 {
        let want = usize::try_from(rest).unwrap_or(usize::MAX).min(slice.len());
        let read = file.read(slice.get_mut(..want).unwrap_or_default())?;
        if read == 0 {
            return Ok(None);
        }
        rest -= read as u64;
        let mut piece = slice.get(..read).unwrap_or_default();
        while let Some(end) = memchr::memchr(b'\n', piece) {
            let (text, behind) = piece.split_at_checked(end).unwrap_or_default();
            if open.is_empty() {
                found.take(text, line.asked, known, &wants);
            } else {
                open.extend_from_slice(text);
                found.take(&open, line.asked, known, &wants);
                open.clear();
            }
            piece = behind.get(1..).unwrap_or_default();
        }
        open.extend_from_slice(piece);
        if found.foreign || found.lines > line.samples {
            return Ok(None);
        }
    }
    if !open.is_empty() || found.lines != line.samples || found.foreign || found.stamped > line.stamped {
        return Ok(None);
    }
    put_beside(&mut found.batch, line);
    Ok(Some(found.batch))
}

impl Found {
    /// Takes in a line, without its newline.
    fn take(&mut self, text: &[u8], asked: Time, known: &mut Known, wants: &impl Fn(&Labels) -> bool) {
        self.lines += 1;
        let poll = known.poll;
        let split = split(text);
        if let Some((series, value, at)) = split
            && let Some(series) = known.series.get_mut(series)
        {
            // Twice in one poll.
            self.foreign |= std::mem::replace(&mut series.poll, poll) == poll;
            self.put(series.labels.as_ref(), value, at, asked);
            return;
        }
        let Some(Sample { labels, value, timestamp_ms: Some(at) }) = lexed(text) else {
            self.foreign = true;
            return;
        };
        let at = Time::from_millis(at);
        let labels = Some(labels).filter(wants);
        self.put(labels.as_ref(), value, at, asked);
        match split {
            Some((series, plain, when))
                if plain.total_cmp(&value).is_eq() || plain.is_nan() && value.is_nan() =>
            {
                self.foreign |= when != at;
                known.size += series.len();
                known.series.insert(series.into(), Series { labels, poll });
            }
            // No line of the recorder's.
            _ => self.foreign = true,
        }
    }

    fn put(&mut self, labels: Option<&Labels>, value: f64, at: Time, asked: Time) {
        let own = Some(at).filter(|at| *at != asked);
        self.stamped += u64::from(own.is_some());
        if let Some(labels) = labels {
            self.batch.push((labels.clone(), value, own));
        }
    }
}

/// A line as the recorder writes it, `series value seconds.milliseconds`, in its three parts.
fn split(text: &[u8]) -> Option<(&[u8], f64, Time)> {
    let stamp = memchr::memrchr(b' ', text)?;
    let (rest, at) = text.split_at_checked(stamp)?;
    let number = memchr::memrchr(b' ', rest)?;
    let (series, value) = rest.split_at_checked(number)?;
    let value = std::str::from_utf8(value.get(1..)?).ok()?.parse().ok()?;
    Some((series, value, millis(at.get(1..)?)?))
}

/// Seconds with three digits behind the point.
fn millis(text: &[u8]) -> Option<Time> {
    let (minus, digits) = match text.strip_prefix(b"-") {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (seconds, behind) = digits.split_at_checked(digits.len().checked_sub(4)?)?;
    let behind = behind.strip_prefix(b".")?;
    if seconds.is_empty() || seconds.len() > 15 {
        return None;
    }
    let mut all = seconds.iter().chain(behind);
    let millis =
        all.try_fold(0_i64, |sum, digit| digit.is_ascii_digit().then(|| sum * 10 + i64::from(digit - b'0')))?;
    Some(Time::from_millis(if minus { -millis } else { millis }))
}

/// A line read as any `OpenMetrics` is.
fn lexed(text: &[u8]) -> Option<Sample> {
    let any = |_: &[u8]| true;
    let mut reader = Reader::new(Format::OpenMetrics, &any);
    let mut one = None;
    let mut keep = |sample: SampleRef<'_>| one = Some(sample.to_sample());
    reader.feed(text, &mut keep);
    reader.feed(b"\n", &mut keep);
    let summary = reader.finish(&mut keep);
    one.filter(|_| summary.unreadable == 0)
}

/// Adds the samples that stand in the line of JSON, at their places.
pub(super) fn put_beside(batch: &mut Batch, line: &PollLine) {
    let mut all = Batch::with_capacity(batch.len() + line.beside.len());
    let mut written = std::mem::take(batch).into_iter();
    for Beside(place, labels, number, time) in &line.beside {
        let Ok(number) = number.parse::<f64>() else { continue };
        let before = usize::try_from(*place).unwrap_or(usize::MAX).saturating_sub(all.len());
        all.extend(written.by_ref().take(before));
        all.push((labels_of(labels), number, *time));
    }
    all.extend(written);
    *batch = all;
}
