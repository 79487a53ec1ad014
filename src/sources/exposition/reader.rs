//! The streaming reader: slices to lines, lines past the filter, the wanted ones to samples.

use super::comment::{self, Comment};
use super::families::Families;
use super::lines::{Head, head, readable_part, split_line};
use super::parts::{Alike, Parts, Shapes};
use super::sample_line;
use super::seen::{Seen, Sight};
use super::stricter::Strict;
use super::unwanted::Unwanted;
use super::{Flaw, Format, Sample, SampleRef, Summary, Unreadable, Wanted};
use crate::model::labels::{LabelsBuf, LabelsRef};
use crate::model::text::harmless_line;
use crate::promql::Filter;

/// The longest line that is read, in bytes, unless told otherwise; a longer one is unreadable.
pub const MAX_LINE: usize = 1 << 20;

/// How many unreadable lines are kept with their text.
const KEPT: usize = 100;
/// The same for a reader that judges all lines.
const KEPT_OF_ALL: usize = 10_000;
/// How many lines that nobody wants are looked at, to tell metrics from another text.
const LOOKED_AT: u64 = 64;

/// Gives a series its final labels, which it puts into the buffer; `false`: it is not kept.
pub type Pick<'f> = dyn Fn(LabelsRef<'_>, &mut LabelsBuf) -> bool + Sync + 'f;

/// A streaming reader: bytes in slices of any size, samples out through a callback.
pub struct Reader<'f, W: Wanted + ?Sized = Filter> {
    wanted: &'f W,
    format: Format,
    pick: Option<&'f Pick<'f>>,
    /// The most samples that are kept.
    most: usize,
    max_line: usize,
    /// The line that the last slice left open; at most `max_line` bytes and one.
    open: Vec<u8>,
    unwanted: Unwanted,
    parts: Parts,
    shapes: Shapes,
    /// The labels of a line as they were sent, and as they were picked.
    sent: LabelsBuf,
    picked: LabelsBuf,
    families: Option<Families>,
    seen: Option<Seen>,
    strict: Option<Strict>,
    /// Whether a sample without a timestamp is a flaw.
    stamped: bool,
    eof: bool,
    summary: Summary,
}

impl<'f, W: Wanted + ?Sized> Reader<'f, W> {
    /// Reads lines whose names the filter wants; the others are skipped, not judged.
    pub fn new(format: Format, wanted: &'f W) -> Self {
        Self {
            wanted,
            format,
            pick: None,
            most: usize::MAX,
            max_line: MAX_LINE,
            open: Vec::new(),
            unwanted: Unwanted::default(),
            parts: Parts::default(),
            shapes: Shapes::default(),
            sent: LabelsBuf::default(),
            picked: LabelsBuf::default(),
            families: None,
            seen: Some(Seen::default()),
            strict: None,
            stamped: false,
            eof: false,
            summary: Summary { complete: true, ..Summary::default() },
        }
    }

    /// Reads and judges every line and keeps families (`gonogo scrape`).
    pub fn judging_all(format: Format, wanted: &'f W) -> Self {
        Self {
            families: Some(Families::default()),
            strict: Some(Strict::new(format)),
            ..Self::new(format, wanted)
        }
    }

    /// Reads and judges every line of a capture: `OpenMetrics` in which each sample must carry its
    /// time, and a series comes as often as it was sampled. Samples that come twice are the caller's
    /// to find.
    pub fn of_capture(wanted: &'f W) -> Self {
        Self { seen: None, strict: None, stamped: true, ..Self::judging_all(Format::OpenMetrics, wanted) }
    }

    /// Keeps at most `most` samples, of those series to which `pick` gives labels, by those labels.
    #[must_use]
    pub fn picking(self, pick: &'f Pick<'f>, most: usize) -> Self {
        Self { pick: Some(pick), most, ..self }
    }

    /// Reads lines of at most this many bytes.
    #[must_use]
    pub fn with_max_line(self, max_line: usize) -> Self {
        Self { max_line, ..self }
    }

    /// What reading has come to so far; `complete` and the families are told by [`Reader::finish`].
    pub fn so_far(&self) -> &Summary {
        &self.summary
    }

    /// Feeds a slice; calls `keep` for each wanted sample line that ended in it. Label matchers are
    /// the caller's business ([`Filter::wants`] after it added its own labels).
    pub fn feed(&mut self, bytes: &[u8], keep: &mut impl FnMut(SampleRef<'_>)) {
        self.summary.bytes += bytes.len() as u64;
        let mut rest = bytes;
        if !self.open.is_empty() {
            let Some((end, behind)) = split_line(rest) else {
                self.hold(rest);
                return;
            };
            self.hold(end);
            let open = std::mem::take(&mut self.open);
            self.line(&open, false, keep);
            self.open = open;
            self.open.clear();
            rest = behind;
        }
        let rest = self.whole_lines(rest, keep);
        self.hold(rest);
    }

    /// Ends the text: reads a last line without a newline and returns the summary.
    pub fn finish(mut self, keep: &mut impl FnMut(SampleRef<'_>)) -> Summary {
        self.summary.newline = self.open.is_empty();
        if !self.open.is_empty() {
            let open = std::mem::take(&mut self.open);
            let readable = self.line(&open, true, keep);
            self.summary.complete = readable;
        }
        self.summary.complete &= self.eof || self.format == Format::Text;
        if let Some(strict) = self.strict.take() {
            self.summary.stricter = strict.finish();
        }
        self.summary.families = self.families.take().map(Families::into_wanted).unwrap_or_default();
        self.summary
    }

    /// Reads the lines that end in `rest` and returns what is left. This loop is what a million
    /// unwanted series cost.
    fn whole_lines<'b>(&mut self, mut rest: &'b [u8], keep: &mut impl FnMut(SampleRef<'_>)) -> &'b [u8] {
        let mut skipped = 0;
        loop {
            // A name holds no newline, so that the search for the end can begin behind it.
            if let Some(behind) = self.unwanted.behind(rest) {
                let Some((_, behind)) = split_line(behind) else { break };
                rest = behind;
                skipped += 1;
                continue;
            }
            let Some((line, behind)) = split_line(rest) else { break };
            rest = behind;
            self.summary.lines += skipped;
            self.summary.series_sent += skipped;
            skipped = 0;
            self.line(line, false, keep);
        }
        self.summary.lines += skipped;
        self.summary.series_sent += skipped;
        rest
    }

    /// Keeps a piece of a line until the rest of it comes.
    fn hold(&mut self, piece: &[u8]) {
        let room = (self.max_line + 1).saturating_sub(self.open.len());
        self.open.extend_from_slice(piece.get(..room).unwrap_or(piece));
    }

    /// Reads one line, without its newline; `last` where the text ended before one. Returns whether
    /// it could be read, which of a line that nobody wants is asked of the last one only.
    fn line(&mut self, line: &[u8], last: bool, keep: &mut impl FnMut(SampleRef<'_>)) -> bool {
        self.summary.lines += 1;
        let too_long = line.len() > self.max_line;
        if let Some(strict) = &mut self.strict {
            strict.line(self.summary.lines, line, last);
        }
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let line = line.get(..self.max_line).unwrap_or(line);
        if !last && !too_long && self.alike(line, keep) {
            return true;
        }
        let judge = self.families.is_some();
        match head(line, self.format) {
            Head::Blank if self.format == Format::Text || !judge => return true,
            Head::Blank => {
                return self.unreadable(line, &Flaw::new("blank-line", "OpenMetrics has no blank lines"));
            }
            Head::Comment => return self.comment(line, too_long),
            Head::Name(name) if !judge && !self.wanted.wants_name(name) => {
                self.summary.series_sent += 1;
                // Within a run of one name only the first is looked at, wherever slices were cut.
                let runs_on = self.unwanted.behind(line).is_some();
                self.unwanted.remember(line, name);
                let looked = last || !runs_on && self.summary.sound + self.summary.unsound < LOOKED_AT;
                let readable = !looked || !too_long && self.lex(line, readable_part(line)).is_ok();
                if looked {
                    self.looked_at(line, readable);
                }
                return readable || !last;
            }
            Head::Name(_) | Head::Other => self.summary.series_sent += 1,
        }
        if too_long {
            self.looked_at(line, false);
            return self.unreadable(line, &too_long_flaw(self.max_line));
        }
        let text = readable_part(line);
        let read = self.lex(line, text);
        self.looked_at(line, read.is_ok());
        let name = self.parts.name_in(text);
        // A name at the very end may be the beginning of a longer one that was cut.
        let cut = last || text.len() < line.len();
        let name_is_whole = self.parts.name.as_ref().is_some_and(|at| !cut || at.end < text.len());
        let wanted = name.as_ref().is_some_and(|name| self.wanted.wants_name(name.as_bytes()));
        match (read, name) {
            (Ok(point), Some(name)) => {
                self.shapes.remember(text, &self.parts, wanted);
                self.sample(text, &name, wanted, point, keep)
            }
            (Err(flaw), _) if judge || wanted || !name_is_whole => self.unreadable(line, &flaw),
            _ => false,
        }
    }

    /// Reads a line that is like one before it; returns whether it was one.
    fn alike(&mut self, line: &[u8], keep: &mut impl FnMut(SampleRef<'_>)) -> bool {
        let Some(Alike { end, wanted }) = self.shapes.follow(line, &mut self.parts) else { return false };
        let Ok(text) = std::str::from_utf8(line) else { return false };
        // Where something is wrong with it, the long way says what.
        let (Ok(point), Some(name)) =
            (sample_line::lex_point(text, end, self.format), self.parts.raw_name_in(text))
        else {
            return false;
        };
        self.summary.series_sent += 1;
        self.summary.sound += 1;
        self.sample(text, name, wanted, point, keep);
        true
    }

    /// Takes in a sample line that lexed well. Returns whether nothing else is wrong with it.
    fn sample(
        &mut self,
        line: &str,
        name: &str,
        wanted: bool,
        point: sample_line::Point,
        keep: &mut impl FnMut(SampleRef<'_>),
    ) -> bool {
        if self.eof && (wanted || self.families.is_some()) {
            return self.unreadable(line.as_bytes(), &after_eof());
        }
        if self.stamped && point.timestamp_ms.is_none() {
            let flaw = Flaw::new("no-timestamp", "a sample of a capture needs its time");
            return self.unreadable(line.as_bytes(), &flaw);
        }
        if let Some(families) = &mut self.families {
            families.count(name, wanted);
        }
        if let Some(strict) = &mut self.strict {
            strict.sample(self.summary.lines, name, line, &self.parts, point);
        }
        if wanted {
            self.summary.wanted = true;
            self.keep(line, point, keep);
        }
        true
    }

    /// Hands a wanted sample on, unless it was had before or is one too many.
    fn keep(&mut self, line: &str, point: sample_line::Point, keep: &mut impl FnMut(SampleRef<'_>)) {
        self.parts.put_labels(line, &mut self.sent);
        let labels = match self.pick {
            Some(pick) if pick(self.sent.labels(), &mut self.picked) => self.picked.labels(),
            Some(_) => return,
            None => self.sent.labels(),
        };
        let sample_line::Point { value, timestamp_ms } = point;
        let sight =
            self.seen.as_mut().map_or(Sight::New, |seen| seen.see(labels, value, timestamp_ms, self.most));
        match sight {
            Sight::New => keep(Sample { labels, value, timestamp_ms }),
            Sight::Full => self.summary.cut += 1,
            Sight::Again | Sight::Otherwise => {
                self.summary.duplicates += 1;
                self.summary.conflicts += u64::from(sight == Sight::Otherwise);
                if let Some(strict) = &mut self.strict {
                    strict.again(self.summary.lines, labels);
                }
            }
        }
    }

    /// Counts a sample line that was looked at, to tell metrics from another text.
    fn looked_at(&mut self, line: &[u8], sound: bool) {
        if sound {
            self.summary.sound += 1;
            return;
        }
        self.summary.unsound += 1;
        if self.summary.first_unsound.is_none() {
            let shown = String::from_utf8_lossy(line.get(..400).unwrap_or(line));
            self.summary.first_unsound = Some(harmless_line(shown.trim(), 80));
        }
    }

    /// Lexes a sample line into `parts`; `text` is as much of it as is UTF-8.
    fn lex(&mut self, line: &[u8], text: &str) -> Result<sample_line::Point, Flaw> {
        let read = sample_line::lex(text, self.format, &mut self.parts);
        if text.len() == line.len() { read } else { Err(not_utf8(text)) }
    }

    fn comment(&mut self, line: &[u8], too_long: bool) -> bool {
        let openmetrics = self.format == Format::OpenMetrics;
        if openmetrics && line == b"# EOF" && !self.eof {
            self.eof = true;
            return true;
        }
        let Some(families) = &mut self.families else {
            return true;
        };
        if too_long {
            return self.unreadable(line, &too_long_flaw(self.max_line));
        }
        if self.eof {
            return self.unreadable(line, &after_eof());
        }
        let valid = readable_part(line);
        let text = if openmetrics { valid } else { valid.trim_start_matches([' ', '\t']) };
        let said = comment::read(text, self.format);
        // A remark may hold what it likes; HELP and TYPE may not.
        if valid.len() < line.len() && said != Ok(Comment::Remark) {
            return self.unreadable(line, &not_utf8(valid));
        }
        if let Some(strict) = &mut self.strict {
            strict.comment(self.summary.lines, text, &said);
        }
        match said {
            Ok(Comment::Help { name, help }) => {
                families.help(&name, &help, self.wanted.wants_name(name.as_bytes()));
            }
            Ok(Comment::Type { name, kind }) => {
                families.kind(&name, kind, self.wanted.wants_name(name.as_bytes()));
            }
            Ok(Comment::Eof | Comment::Remark) => {}
            Err(flaw) => return self.unreadable(line, &flaw),
        }
        true
    }

    fn unreadable(&mut self, line: &[u8], flaw: &Flaw) -> bool {
        self.summary.unreadable += 1;
        let kept = if self.families.is_some() { KEPT_OF_ALL } else { KEPT };
        if self.summary.first_unreadable.len() < kept {
            // Four bytes a character at most, so that a line of a megabyte is not walked for its end.
            let shown = String::from_utf8_lossy(line.get(..900).unwrap_or(line));
            self.summary.first_unreadable.push(Unreadable {
                line: self.summary.lines,
                code: flaw.code,
                text: harmless_line(&flaw.text, 300),
                line_text: harmless_line(&shown, 200),
            });
        }
        false
    }
}

fn after_eof() -> Flaw {
    Flaw::new("after-eof", "the line comes after # EOF")
}

fn not_utf8(valid: &str) -> Flaw {
    Flaw::new("not-utf8", format!("the line is not UTF-8 from byte {} on", valid.len() + 1))
}

fn too_long_flaw(max_line: usize) -> Flaw {
    let longest = if max_line.is_multiple_of(1 << 10) {
        format!("{} KiB", max_line >> 10)
    } else {
        format!("{max_line} bytes")
    };
    Flaw::new("too-long", format!("the line is longer than {longest} (max-line)"))
}
