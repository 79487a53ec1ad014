//! Writes a capture while polls come in.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::head::Head;
use super::poll_line::{Beside, PollLine, SignalLine, pairs_of};
use super::rows;
use crate::model::text::visible_json;
use crate::model::{Labels, Polled, Time, value};
use crate::sources::Batch;

/// A capture that is being written. Each poll is written at once, its samples before its line of JSON:
/// whatever ends the program leaves a capture that can be read up to there.
#[derive(Debug)]
pub struct Recorder {
    path: PathBuf,
    samples: File,
    lines: File,
    offset: u64,
    /// The last time written of each series, by the hash of its labels.
    last: HashMap<u64, i64>,
    tally: Tally,
}

/// What was written so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Polls.
    pub polls: u64,
    /// Polls that failed.
    pub failed: u64,
    /// Samples.
    pub samples: u64,
    /// Bytes of both files.
    pub bytes: u64,
}

/// The JSON lines beside a capture: its name and `.jsonl`.
pub fn beside(capture: &Path) -> PathBuf {
    let mut name: OsString = capture.as_os_str().to_owned();
    name.push(".jsonl");
    PathBuf::from(name)
}

impl Recorder {
    /// Begins a capture in two files that must not exist yet.
    ///
    /// # Errors
    /// The system's.
    pub fn create(path: &Path, head: &Head) -> io::Result<Self> {
        let new = |path: &Path| {
            let file = OpenOptions::new().append(true).create_new(true).open(path);
            file.map_err(|e| io::Error::new(e.kind(), format!("{}: {e}", path.display())))
        };
        let samples = new(path)?;
        let lines = new(&beside(path)).inspect_err(|_| {
            // The empty file is this call's own.
            let _ = std::fs::remove_file(path);
        })?;
        let mut recorder = Self {
            path: path.to_owned(),
            samples,
            lines,
            offset: 0,
            last: HashMap::new(),
            tally: Tally::default(),
        };
        recorder.line(&serde_json::to_string(head)?)?;
        Ok(recorder)
    }

    /// Where it is written.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What was written so far.
    pub fn tally(&self) -> Tally {
        self.tally
    }

    /// Writes a poll whose answer was there at `arrived`, and what it scraped.
    ///
    /// # Errors
    /// The system's: a full disk. What was written before stays readable.
    pub fn take(
        &mut self,
        poll: &Polled,
        scraped: &[(Labels, f64, Option<Time>)],
        arrived: Time,
    ) -> io::Result<()> {
        let answered;
        let batch = if scraped.is_empty() {
            answered = points(poll);
            &answered
        } else {
            scraped
        };
        let mut line = PollLine {
            source: poll.source.clone(),
            asked: poll.asked,
            arrived,
            took_seconds: poll.took.as_secs_f64(),
            at: self.offset,
            bytes: 0,
            samples: 0,
            stamped: 0,
            beside: Vec::new(),
            left_out: 0,
            fault: poll.outcome.as_ref().err().cloned(),
            answer: poll.outcome.as_ref().ok().cloned(),
            signals: signals(poll, scraped.is_empty()),
        };
        let text = self.text(batch, poll.asked, &mut line);
        line.bytes = text.len() as u64;
        self.samples.write_all(text.as_bytes())?;
        self.offset += line.bytes;
        self.line(&serde_json::to_string(&line)?)?;
        self.tally.polls += 1;
        self.tally.failed += u64::from(line.fault.is_some());
        self.tally.samples += line.samples + line.beside.len() as u64;
        self.tally.bytes += line.bytes;
        Ok(())
    }

    /// Ends the capture with `# EOF`, once everything is on the disk.
    ///
    /// # Errors
    /// The system's.
    pub fn finish(mut self) -> io::Result<Tally> {
        self.samples.write_all(b"# EOF\n")?;
        self.samples.sync_all()?;
        self.lines.sync_all()?;
        Ok(self.tally)
    }

    fn text(&mut self, batch: &[(Labels, f64, Option<Time>)], asked: Time, line: &mut PollLine) -> String {
        let mut text = String::new();
        for (labels, number, time) in batch {
            let at = time.unwrap_or(asked);
            let place = line.samples + line.beside.len() as u64;
            if !self.is_new(labels, at) {
                // An endpoint that repeats its own time says nothing new, as in the history.
                line.left_out += u64::from(time.is_none());
            } else if rows::write(&mut text, labels, *number, at, asked) {
                line.samples += 1;
                line.stamped += u64::from(time.is_some());
            } else {
                line.beside.push(Beside(place, pairs_of(labels), value::text(*number), *time));
            }
        }
        text
    }

    /// Whether a sample is after the last one of its series: a reader would refuse any other.
    fn is_new(&mut self, labels: &Labels, at: Time) -> bool {
        let mut hasher = DefaultHasher::new();
        labels.hash(&mut hasher);
        let last = self.last.entry(hasher.finish()).or_insert(i64::MIN);
        let new = at.millis() > *last;
        *last = at.millis().max(*last);
        new
    }

    fn line(&mut self, json: &str) -> io::Result<()> {
        let mut line = visible_json(json).into_owned();
        line.push('\n');
        self.tally.bytes += line.len() as u64;
        self.lines.write_all(line.as_bytes())
    }
}

/// The answer's points as rows.
fn points(poll: &Polled) -> Batch {
    let answers = poll.outcome.iter().flat_map(|answer| &answer.signals);
    let rows =
        answers.filter_map(|a| Some(rows::of_points(&poll.source, &a.signal, a.result.as_deref().ok()?)));
    rows.flatten().collect()
}

/// What is kept of the signals: of a scrape source only the warnings, for they are evaluated again.
fn signals(poll: &Polled, whole: bool) -> Vec<SignalLine> {
    let answers = poll.outcome.iter().flat_map(|answer| &answer.signals);
    let lines = answers.map(|answer| SignalLine {
        id: answer.signal.clone(),
        fault: answer.result.as_ref().err().filter(|_| whole).cloned(),
        warnings: answer.warnings.clone(),
        history: SignalLine::written(&answer.history),
    });
    if whole {
        return lines.collect();
    }
    // Those that all signals share; what one of them has more comes of its expression.
    lines
        .min_by_key(|line| line.warnings.len())
        .filter(|line| !line.warnings.is_empty())
        .into_iter()
        .collect()
}
