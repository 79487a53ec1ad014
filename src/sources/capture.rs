//! Captures: `OpenMetrics` text whose samples carry their own times, as
//! `promtool tsdb create-blocks-from openmetrics` reads it.
//!
//! [`Recorder`] writes one while polls come in, with JSON lines beside it ([`Head`], then a line a
//! poll) for what samples cannot hold. [`Tape`] opens one, and [`Play`] gives its polls again, built
//! by the same history and evaluator as those of a living source.

mod by_time;
mod chunk;
mod head;
mod lines;
mod play;
mod poll_line;
mod recorder;
mod rows;
mod tape;

pub use head::{Head, SCHEMA, SourceHead, Written};
pub use play::Play;
pub use recorder::{Recorder, Tally, beside};
pub use tape::Tape;

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use self::poll_line::{Beside, PollLine, labels_of};
use super::exposition::{Reader, Sample, Summary, Unreadable};
use crate::model::{Labels, Time};
use crate::promql::{Filter, History};

/// The most wanted samples of one capture, which are held until they are in order of time: about a
/// gigabyte of them.
const MOST_SAMPLES: usize = 40_000_000;

/// What a capture held, beside the samples that went into the history.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Capture {
    /// The time of its first sample, wanted or not; `None` where it holds none.
    pub first: Option<Time>,
    /// The time of its last sample, wanted or not.
    pub last: Option<Time>,
    /// How many samples went into the history.
    pub samples: u64,
    /// How many the history refused: a second sample of a series at the same moment (the first is
    /// kept), or a series beyond its `max_series`.
    pub refused: u64,
    /// How many lines could not be read, those without a timestamp among them.
    pub unreadable: u64,
    /// The first of them, in order.
    pub first_unreadable: Vec<Unreadable>,
    /// Whether `# EOF` came. Without it the capture may have been cut off, which is worth a word.
    pub ended: bool,
}

/// Reads a capture file into a history, with the samples that stand in the JSON lines beside it where
/// they are a capture's. A line of those that cannot be read counts as unreadable.
///
/// # Errors
/// A file cannot be opened or read, or holds more wanted samples than memory is meant for.
pub fn read_file(path: &Path, wanted: &Filter, history: &mut History) -> io::Result<Capture> {
    let wants = |labels: &Labels| wanted.wants(labels);
    let mut samples = Samples::default();
    let summary = samples.take_in(File::open(path)?, &wants)?;
    let mut torn = 0;
    if let Some(mut lines) = tape::polls(path)? {
        while let Some(line) = lines.next()? {
            let Some(poll) = line.ok().and_then(|line| PollLine::read(line).ok()) else {
                torn += 1;
                continue;
            };
            samples.take_beside(poll, &wants)?;
        }
    }
    let capture = samples.pour(summary, &mut |labels, at, value| history.push(labels, at, value));
    Ok(Capture { unreadable: capture.unreadable + torn, ..capture })
}

/// Reads the text of a capture into a history: of all series those that the filter wants, each in order of time,
/// whatever order they were captured in. Bytes are read as they come; only wanted samples are held,
/// 24 bytes each.
///
/// # Errors
/// As [`read_file`].
pub fn read(source: impl Read, wanted: &Filter, history: &mut History) -> io::Result<Capture> {
    read_wanted(source, |labels| wanted.wants(labels), |labels, at, value| history.push(labels, at, value))
}

fn read_wanted(
    source: impl Read,
    wants: impl Fn(&Labels) -> bool,
    mut push: impl FnMut(&Labels, Time, f64) -> bool,
) -> io::Result<Capture> {
    let mut samples = Samples::default();
    let summary = samples.take_in(source, &wants)?;
    Ok(samples.pour(summary, &mut push))
}

/// The wanted samples of a capture, in the order in which they came.
#[derive(Default)]
struct Samples {
    series: HashMap<Labels, u32>,
    points: Vec<(Time, u32, f64)>,
    span: Option<(Time, Time)>,
}

impl Samples {
    /// Reads a capture's text.
    fn take_in(&mut self, mut source: impl Read, wants: &impl Fn(&Labels) -> bool) -> io::Result<Summary> {
        let everything = |_: &[u8]| true;
        let mut reader = Reader::of_capture(&everything);
        let mut slice = vec![0; 128 << 10];
        loop {
            let read = match source.read(&mut slice) {
                Ok(0) => break,
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            let text = slice.get(..read).unwrap_or_default();
            reader.feed(text, &mut |sample| self.keep(sample.to_sample(), wants));
            self.fits()?;
        }
        Ok(reader.finish(&mut |sample| self.keep(sample.to_sample(), wants)))
    }

    /// Takes the samples of a poll that its text has no way to write.
    fn take_beside(&mut self, poll: PollLine, wants: &impl Fn(&Labels) -> bool) -> io::Result<()> {
        for Beside(_, labels, number, time) in poll.beside {
            if let Ok(value) = number.parse() {
                let at = time.unwrap_or(poll.asked).millis();
                let sample = Sample { labels: labels_of(&labels), value, timestamp_ms: Some(at) };
                self.keep(sample, wants);
            }
        }
        self.fits()
    }

    fn fits(&self) -> io::Result<()> {
        if self.points.len() <= MOST_SAMPLES {
            return Ok(());
        }
        let text =
            format!("the capture holds more than {MOST_SAMPLES} samples of the series that were asked for");
        Err(io::Error::new(io::ErrorKind::FileTooLarge, text))
    }

    fn keep(&mut self, sample: Sample, wants: &impl Fn(&Labels) -> bool) {
        let Some(at) = sample.timestamp_ms.map(Time::from_millis) else {
            return;
        };
        let (first, last) = self.span.unwrap_or((at, at));
        self.span = Some((first.min(at), last.max(at)));
        let series = match self.series.get(&sample.labels) {
            Some(series) => *series,
            None if wants(&sample.labels) => {
                let next = u32::try_from(self.series.len()).unwrap_or(u32::MAX);
                self.series.insert(sample.labels, next);
                next
            }
            None => return,
        };
        self.points.push((at, series, sample.value));
    }

    /// Pushes all samples in order of time. Of two at one moment the one that came first goes first,
    /// and the history refuses the other.
    fn pour(mut self, summary: Summary, push: &mut impl FnMut(&Labels, Time, f64) -> bool) -> Capture {
        self.points.sort_by_key(|(at, ..)| *at);
        let mut names: Vec<(Labels, u32)> = self.series.into_iter().collect();
        names.sort_unstable_by_key(|(_, series)| *series);
        let mut capture = Capture {
            first: self.span.map(|(first, _)| first),
            last: self.span.map(|(_, last)| last),
            unreadable: summary.unreadable,
            first_unreadable: summary.first_unreadable,
            ended: summary.complete,
            ..Capture::default()
        };
        for (at, series, value) in self.points {
            let taken = names.get(series as usize).is_some_and(|(labels, _)| push(labels, at, value));
            capture.samples += u64::from(taken);
            capture.refused += u64::from(!taken);
        }
        capture
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Pushed = Vec<(String, i64, f64)>;

    fn captured(text: &str, wants: impl Fn(&Labels) -> bool) -> (Capture, Pushed) {
        let mut pushed: Pushed = Vec::new();
        let capture = read_wanted(text.as_bytes(), wants, |labels, at, value| {
            let series = labels.to_string();
            let in_order = pushed.iter().all(|(name, time, _)| *name != series || *time < at.millis());
            if in_order {
                pushed.push((series, at.millis(), value));
            }
            in_order
        });
        (capture.unwrap(), pushed)
    }

    fn point(series: &str, at: i64, value: f64) -> (String, i64, f64) {
        (series.to_owned(), at, value)
    }

    #[test]
    fn each_series_is_in_order_of_time_whatever_order_it_was_captured_in() {
        let (capture, pushed) = captured(
            "# TYPE a gauge\na{x=\"1\"} 3 30\na{x=\"1\"} 1 10.5\na{x=\"2\"} 9 20\na{x=\"1\"} 2 20\nb 7 99\n# EOF\n",
            |labels| labels.name() == Some("a"),
        );
        assert_eq!(
            pushed,
            [
                point("a{x=\"1\"}", 10_500, 1.0),
                point("a{x=\"2\"}", 20_000, 9.0),
                point("a{x=\"1\"}", 20_000, 2.0),
                point("a{x=\"1\"}", 30_000, 3.0),
            ]
        );
        assert_eq!((capture.samples, capture.refused, capture.unreadable), (4, 0, 0));
        assert_eq!(capture.first, Some(Time::from_millis(10_500)));
        assert_eq!(capture.last, Some(Time::from_millis(99_000)), "of all series, wanted or not");
        assert!(capture.ended);
    }

    #[test]
    fn of_two_samples_at_one_moment_the_first_is_kept_and_the_other_counted() {
        let (capture, pushed) = captured("a 1 10\na 2 10\na 3 5\n# EOF\n", |_| true);
        assert_eq!(pushed, [point("a", 5000, 3.0), point("a", 10_000, 1.0)]);
        assert_eq!((capture.samples, capture.refused), (2, 1));
    }

    #[test]
    fn a_line_without_a_timestamp_is_unreadable_and_a_missing_eof_is_said() {
        let (capture, pushed) = captured("a 1\na 1 10\na x 11", |_| true);
        assert_eq!(pushed, [point("a", 10_000, 1.0)]);
        let codes: Vec<_> = capture.first_unreadable.iter().map(|u| (u.line, u.code)).collect();
        assert_eq!(codes, [(1, "no-timestamp"), (3, "bad-value")]);
        assert!(!capture.ended);
        assert_eq!(captured("", |_| true).0.last, None);
    }
}
