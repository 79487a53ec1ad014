//! What other readers would refuse in a text that is read here: the papers of both formats,
//! `promtool check metrics` (its parser is the one of Prometheus' own libraries) and the
//! `OpenMetrics` parser of the Python client hold more than a scrape does.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use super::comment::Comment;
use super::parts::Parts;
use super::points::{Place, Points};
use super::sample_line::{Point, exemplar_length};
use super::{Flaw, Format};
use crate::model::labels::{LabelsBuf, LabelsRef};
use crate::model::text::harmless_line;

/// One thing that stricter readers would refuse.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stricter {
    /// `no-final-newline`, `crlf`, `repeated-comment`, …
    pub code: &'static str,
    /// What it is and who refuses it, in a sentence; harmless.
    pub text: String,
    /// The first line that has it, 1-based.
    pub line: u64,
    /// How many lines have it.
    pub count: u64,
}

/// The most characters of an exemplar's labels (`OpenMetrics` 1.0).
const EXEMPLAR: usize = 128;

/// The endings of the samples of a family, by its type in `OpenMetrics`; an empty one is the name itself.
const ENDINGS: [(&str, &[&str]); 8] = [
    ("counter", &["_total", "_created"]),
    ("gauge", &[""]),
    ("unknown", &[""]),
    ("stateset", &[""]),
    ("info", &["_info"]),
    ("summary", &["", "_count", "_sum", "_created"]),
    ("histogram", &["_bucket", "_count", "_sum", "_created"]),
    ("gaugehistogram", &["_bucket", "_gcount", "_gsum"]),
];

/// Looks at a text with the eyes of stricter readers.
#[derive(Debug)]
pub(super) struct Strict {
    format: Format,
    found: Vec<Stricter>,
    families: HashMap<String, Told, RandomState>,
    /// The family of the last sample or comment, and whether it was a sample.
    at: String,
    in_samples: bool,
    /// The name of the last sample, its family and its type: samples come in runs.
    last: (String, String, Option<&'static str>),
    points: Points,
    /// The labels of the last sample.
    labels: LabelsBuf,
}

/// What was said of a family.
#[derive(Debug, Default)]
struct Told {
    help: bool,
    kind: Option<&'static str>,
    samples: bool,
    /// Another family came after it.
    left: bool,
}

impl Strict {
    pub(super) fn new(format: Format) -> Self {
        Self {
            format,
            found: Vec::new(),
            families: HashMap::default(),
            at: String::new(),
            in_samples: false,
            last: Default::default(),
            points: Points::default(),
            labels: LabelsBuf::default(),
        }
    }

    /// What was found, in the order in which it came.
    pub(super) fn finish(mut self) -> Vec<Stricter> {
        if let Some((line, code, text)) = self.points.leave() {
            self.add(line, code, text);
        }
        self.found
    }

    /// Looks at a line as it came, without its line feed; `last` where it had none.
    pub(super) fn line(&mut self, number: u64, line: &[u8], last: bool) {
        if line.ends_with(b"\r") {
            self.add(number, "crlf", "lines end in CRLF: Prometheus refuses that");
        }
        if self.format == Format::Text {
            if last {
                let text = "the last line has no line break: promtool refuses that";
                self.add(number, "no-final-newline", text);
            }
            let stripped = line.trim_ascii_start();
            if stripped.len() < line.len() && stripped.first().is_some_and(|first| *first != b'#') {
                self.add(number, "leading-blank", "a blank before a sample: Prometheus refuses that");
            }
        }
    }

    /// Looks at a comment.
    pub(super) fn comment(&mut self, number: u64, line: &str, said: &Result<Comment<'_>, Flaw>) {
        match said {
            Ok(Comment::Help { name, .. }) => {
                if self.format == Format::Text && odd_escape(line, false) {
                    self.add(number, "bad-escape", "an escape that is none in a HELP: promtool refuses that");
                }
                let told = self.enter(number, name);
                let (again, late) = (std::mem::replace(&mut told.help, true), told.samples);
                self.repeated(number, "HELP", name, again, late);
            }
            Ok(Comment::Type { name, kind }) => {
                self.last = Default::default();
                let told = self.enter(number, name);
                let (again, late) = (told.kind.replace(kind).is_some(), told.samples);
                self.repeated(number, "TYPE", name, again, late || again);
                if self.format == Format::Text {
                    self.text_type(number, line, kind);
                }
            }
            Ok(Comment::Remark) if self.format == Format::Text && line.starts_with("# HELP ") => {
                self.add(number, "bad-comment", "HELP of a name that is none: promtool refuses that");
            }
            _ => {}
        }
    }

    fn text_type(&mut self, number: u64, line: &str, kind: &str) {
        if ["info", "stateset", "gaugehistogram"].contains(&kind) {
            let text = format!("the type {kind} in the text format: Prometheus refuses it");
            self.add(number, "openmetrics-type", &text);
        }
        if line.ends_with([' ', '\t']) {
            self.add(number, "type-blank", "a blank behind a type: Prometheus refuses that");
        }
    }

    fn repeated(&mut self, number: u64, word: &str, name: &str, again: bool, late: bool) {
        if again {
            let text = format!("{word} of {name:?} comes again: promtool and OpenMetrics refuse that");
            self.add(number, "repeated-comment", &text);
        } else if late && (word == "TYPE" || self.format == Format::OpenMetrics) {
            let text = format!("{word} of {name:?} behind its samples: promtool and OpenMetrics refuse that");
            self.add(number, "late-comment", &text);
        }
    }

    /// Looks at a sample that read well.
    pub(super) fn sample(&mut self, number: u64, name: &str, line: &str, parts: &Parts, point: Point) {
        if parts.quoted {
            let text = "a name in quotes: readers before Prometheus 3 refuse it";
            self.add(number, "quoted-name", text);
        }
        if parts.escaped && parts.raw_values(line).any(|value| odd_escape(value, true)) {
            let text = "an escape that is none in a label value: promtool and OpenMetrics refuse it";
            self.add(number, "bad-escape", text);
        }
        if self.last.0 != name {
            let (family, kind) = self.family_of(name);
            self.last = (name.to_owned(), family, kind);
        }
        let (name_kept, family, kind) = std::mem::take(&mut self.last);
        if !self.in_samples || self.at != family {
            self.enter(number, &family).samples = true;
            self.in_samples = true;
        }
        self.judge(number, (name, &family, kind), line, parts, point);
        self.last = (name_kept, family, kind);
    }

    fn judge(
        &mut self,
        number: u64,
        (name, family, kind): (&str, &str, Option<&'static str>),
        line: &str,
        parts: &Parts,
        point: Point,
    ) {
        if matches!(kind, Some("histogram" | "gaugehistogram" | "summary")) {
            self.bounds(number, name, line, parts);
        }
        match self.format {
            Format::Text => {
                if parts.comma_missing {
                    self.add(number, "missing-comma", "no comma between labels: promtool refuses that");
                }
                let (_, tail) = if point.timestamp_ms.is_some() { parts.tail(line) } else { ("", "") };
                if tail.split_ascii_whitespace().nth(1).is_some_and(|at| at.starts_with(['+', '-'])) {
                    let text = "a timestamp with a sign: Prometheus refuses it";
                    self.add(number, "signed-timestamp", text);
                }
            }
            Format::OpenMetrics => {
                let (closing, tail) = parts.tail(line);
                if closing.contains(",}") {
                    let text = "a comma behind the last label: Prometheus 2 refuses it";
                    self.add(number, "trailing-comma", text);
                }
                let ending = name.strip_prefix(family).unwrap_or_default();
                let place = Place { family, kind, ending };
                parts.put_labels(line, &mut self.labels);
                for (line, code, text) in self.points.sample(number, place, self.labels.labels(), point) {
                    self.add(line, code, text);
                }
                self.openmetrics_sample(number, name, place, tail, point);
            }
        }
    }

    fn openmetrics_sample(
        &mut self,
        number: u64,
        name: &str,
        Place { kind, ending, .. }: Place<'_>,
        tail: &str,
        point: Point,
    ) {
        if let Some((_, endings)) = ENDINGS.iter().find(|(of, _)| Some(*of) == kind)
            && !endings.contains(&ending)
        {
            let text = format!("a sample {name:?} of a {}: OpenMetrics refuses it", kind.unwrap_or_default());
            self.add(number, "odd-ending", &text);
        }
        if !may_be(kind, ending, point.value) {
            let text =
                format!("a value that no {} may have: OpenMetrics refuses it", kind.unwrap_or_default());
            self.add(number, "odd-value", &text);
        }
        if let Some((_, exemplar)) = tail.split_once(" # {") {
            if !name.ends_with("_total") && !name.ends_with("_bucket") {
                let text = "an exemplar that is of no counter or bucket: Prometheus refuses it";
                self.add(number, "exemplar-place", text);
            }
            if exemplar_length(exemplar).is_some_and(|length| length > EXEMPLAR) {
                let text = "an exemplar of more than 128 characters: OpenMetrics refuses it";
                self.add(number, "exemplar-length", text);
            }
        }
    }

    fn bounds(&mut self, number: u64, name: &str, line: &str, parts: &Parts) {
        let bound = |key| parts.value_in(line, key);
        let odd = ["le", "quantile"]
            .iter()
            .any(|key| bound(key).is_some_and(|bound| super::number::value(&bound).is_err()));
        if odd || name.ends_with("_bucket") && bound("le").is_none() {
            let text = "a bucket or quantile whose bound is no number: promtool and OpenMetrics refuse it";
            self.add(number, "odd-bound", text);
        }
    }

    /// A series came again.
    pub(super) fn again(&mut self, number: u64, labels: LabelsRef<'_>) {
        let text = format!("the series {labels} comes again: OpenMetrics refuses that");
        self.add(number, "duplicate-series", &text);
    }

    /// The family that a sample of this name belongs to, and its type.
    fn family_of(&self, name: &str) -> (String, Option<&'static str>) {
        let of = |family: &str| self.families.get(family).and_then(|told| told.kind);
        for (_, endings) in ENDINGS {
            for ending in endings.iter().filter(|ending| !ending.is_empty()) {
                let Some(stem) = name.strip_suffix(ending) else { continue };
                let kind = of(stem);
                let fits = ENDINGS.iter().any(|(k, all)| kind == Some(*k) && all.contains(ending));
                if fits {
                    return (stem.to_owned(), kind);
                }
            }
        }
        (name.to_owned(), of(name))
    }

    /// Comes to a family, and leaves the last one.
    fn enter(&mut self, number: u64, family: &str) -> &mut Told {
        self.in_samples = false;
        if self.at != family {
            if let Some(before) = self.families.get_mut(&self.at) {
                before.left = true;
            }
            let back = self.families.get(family).is_some_and(|told| told.left);
            if back && self.format == Format::OpenMetrics {
                let text = format!("{family:?} goes on behind another family: OpenMetrics refuses that");
                self.add(number, "interleaved", &text);
            }
            family.clone_into(&mut self.at);
        }
        self.families.entry(family.to_owned()).or_default()
    }

    fn add(&mut self, line: u64, code: &'static str, text: &str) {
        if let Some(known) = self.found.iter_mut().find(|known| known.code == code) {
            known.count += 1;
        } else {
            self.found.push(Stricter { code, text: harmless_line(text, 300), line, count: 1 });
        }
    }
}

/// Whether a sample of a family of this type may have the value.
fn may_be(kind: Option<&str>, ending: &str, value: f64) -> bool {
    match (kind, ending) {
        (Some("info"), _) => value == 1.0,
        (Some("stateset"), _) => value == 0.0 || value == 1.0,
        (Some("counter"), "_total") | (Some("histogram" | "summary"), "_sum") => value >= 0.0,
        (Some("histogram" | "gaugehistogram" | "summary"), "_bucket" | "_count" | "_gcount") => {
            // Infinity has no fraction, and is no whole number either.
            value >= 0.0 && value.fract() == 0.0
        }
        (Some("gaugehistogram"), "_gsum") => !value.is_nan(),
        (Some("summary"), "") => value.is_nan() || value >= 0.0,
        _ => true,
    }
}

/// Whether a backslash stands before something that it does not escape.
fn odd_escape(text: &str, quotes: bool) -> bool {
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'\\' {
            match bytes.next() {
                Some(b'\\' | b'n') => {}
                Some(b'"') if quotes => {}
                _ => return true,
            }
        }
    }
    false
}
