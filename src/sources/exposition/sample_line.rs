//! One sample line, lexed without copying: `name{label="value",…} value timestamp # {…} value time`.

use std::borrow::Cow;
use std::ops::Range;

use memchr::memchr2;

use super::parts::Parts;
use super::{Flaw, Format, number};

/// What stands behind the name and the labels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Point {
    pub(super) value: f64,
    pub(super) timestamp_ms: Option<i64>,
}

pub(super) const fn starts_name(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_' || byte == b':'
}

pub(super) const fn is_name_byte(byte: u8) -> bool {
    starts_name(byte) || byte.is_ascii_digit()
}

const fn starts_label(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_'
}

const fn is_label_byte(byte: u8) -> bool {
    starts_label(byte) || byte.is_ascii_digit()
}

pub(super) const fn is_blank(byte: u8) -> bool {
    byte == b' ' || byte == b'\t'
}

/// Lexes a line (without its line break) into `parts`.
pub(super) fn lex(line: &str, format: Format, parts: &mut Parts) -> Result<Point, Flaw> {
    parts.clear();
    let mut cursor = Cursor { line, at: 0, format };
    cursor.blanks();
    if cursor.take(b'{') {
        cursor.labels(Some(&mut parts.name), &mut parts.pairs)?;
        if parts.name.is_none() {
            return Err(Flaw::new("bad-name", "the line has no metric name"));
        }
    } else {
        parts.name = Some(cursor.plain_name()?);
        cursor.blanks();
        if cursor.take(b'{') {
            cursor.labels(Some(&mut parts.name), &mut parts.pairs)?;
        }
    }
    parts.close(line, cursor.at)?;
    cursor.point()
}

/// Lexes what stands behind the name and the labels of a line, which end at `at`.
pub(super) fn lex_point(line: &str, at: usize, format: Format) -> Result<Point, Flaw> {
    Cursor { line, at, format }.point()
}

/// How many characters the labels of an exemplar have, names and values; `text` begins behind its
/// brace. `None` where it cannot be read.
pub(super) fn exemplar_length(text: &str) -> Option<usize> {
    let mut pairs = Vec::new();
    Cursor { line: text, at: 0, format: Format::OpenMetrics }.labels(None, &mut pairs).ok()?;
    let length = |at: &Range<usize>| unescape(text.get(at.clone()).unwrap_or_default()).chars().count();
    Some(pairs.iter().map(|(name, value)| length(name) + length(value)).sum())
}

/// Undoes `\\`, `\"` and `\n`; any other backslash stays, as in Prometheus.
pub(super) fn unescape(text: &str) -> Cow<'_, str> {
    if !text.contains('\\') {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        let ahead = chars.clone().next();
        let plain = match (c, ahead) {
            ('\\', Some(escaped @ ('\\' | '"'))) => escaped,
            ('\\', Some('n')) => '\n',
            _ => {
                out.push(c);
                continue;
            }
        };
        out.push(plain);
        chars.next();
    }
    Cow::Owned(out)
}

/// A place in a line.
struct Cursor<'l> {
    line: &'l str,
    at: usize,
    format: Format,
}

impl<'l> Cursor<'l> {
    fn rest(&self) -> &'l [u8] {
        self.line.as_bytes().get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<u8> {
        self.line.as_bytes().get(self.at).copied()
    }

    fn at_end(&self) -> bool {
        self.at >= self.line.len()
    }

    fn take(&mut self, byte: u8) -> bool {
        let there = self.peek() == Some(byte);
        self.at += usize::from(there);
        there
    }

    fn take_while(&mut self, is_part: impl Fn(u8) -> bool) -> Range<usize> {
        let start = self.at;
        self.at += self.rest().iter().take_while(|byte| is_part(**byte)).count();
        start..self.at
    }

    /// Blanks between tokens; `OpenMetrics` allows none but the single spaces that it asks for.
    fn blanks(&mut self) {
        if self.format == Format::Text {
            self.take_while(is_blank);
        }
    }

    fn text_of(&self, range: Range<usize>) -> &'l str {
        self.line.get(range).unwrap_or_default()
    }

    fn plain_name(&mut self) -> Result<Range<usize>, Flaw> {
        if !self.peek().is_some_and(starts_name) {
            return Err(Flaw::new("bad-name", "the line does not begin with a metric name"));
        }
        let name = self.take_while(is_name_byte);
        match self.peek() {
            None | Some(b' ' | b'\t' | b'{') => Ok(name),
            Some(_) => {
                let odd = self.line.get(self.at..).and_then(|rest| rest.chars().next()).unwrap_or(' ');
                Err(Flaw::new(
                    "bad-name",
                    format!(
                        "{odd:?} in a metric name: such names are written {{\"…\"}}, with braces and quotes"
                    ),
                ))
            }
        }
    }

    /// A quoted string; the cursor stands on its opening quote. Returns what is between the quotes.
    fn quoted(&mut self, what: &str) -> Result<Range<usize>, Flaw> {
        let open = || Flaw::new("bad-label", format!("the quotes of {what} are not closed"));
        self.at += 1;
        let start = self.at;
        loop {
            let ahead = memchr2(b'"', b'\\', self.rest()).ok_or_else(open)?;
            self.at += ahead;
            if self.take(b'"') {
                return Ok(start..self.at - 1);
            }
            self.at += 2;
        }
    }

    /// Labels up to the closing brace; the cursor stands behind the opening one. `name` is where a
    /// quoted metric name goes; `None` in an exemplar, which has none.
    fn labels(
        &mut self,
        mut name: Option<&mut Option<Range<usize>>>,
        pairs: &mut Vec<(Range<usize>, Range<usize>)>,
    ) -> Result<(), Flaw> {
        loop {
            self.blanks();
            let label = match self.peek() {
                None => return Err(Flaw::new("bad-label", "the braces are not closed")),
                Some(b'}') => {
                    self.at += 1;
                    return Ok(());
                }
                Some(b'"') => {
                    let quoted = self.quoted("a name")?;
                    self.blanks();
                    if let (Some(b',' | b'}'), Some(name)) = (self.peek(), name.as_mut()) {
                        set_name(name, quoted)?;
                        self.take(b',');
                        continue;
                    }
                    quoted
                }
                Some(byte) if starts_label(byte) => self.take_while(is_label_byte),
                Some(_) => return Err(self.not_a("label name")),
            };
            self.blanks();
            if !self.take(b'=') {
                return Err(self.not_a("= behind a label name"));
            }
            self.blanks();
            if self.peek() != Some(b'"') {
                return Err(self.not_a("label value in quotes"));
            }
            let value = self.quoted("a label value")?;
            pairs.push((label, value));
            self.blanks();
            // Prometheus' text parser lets a comma be missing; OpenMetrics does not.
            if !self.take(b',') && self.format == Format::OpenMetrics && self.peek() != Some(b'}') {
                return Err(self.not_a("comma or closing brace"));
            }
        }
    }

    fn not_a(&self, expected: &str) -> Flaw {
        match self.line.get(self.at..).and_then(|rest| rest.chars().next()) {
            Some(found) => Flaw::new("bad-label", format!("{found:?} where a {expected} belongs")),
            None => Flaw::new("bad-label", format!("the line ends where a {expected} belongs")),
        }
    }

    fn point(&mut self) -> Result<Point, Flaw> {
        match self.format {
            Format::Text => self.text_point(),
            Format::OpenMetrics => self.openmetrics_point(),
        }
    }

    fn text_point(&mut self) -> Result<Point, Flaw> {
        let value = self.text_token().ok_or_else(no_value)?;
        let value = number::value(value)?;
        let Some(stamp) = self.text_token() else {
            return Ok(Point { value, timestamp_ms: None });
        };
        if stamp.starts_with('#') {
            return Err(Flaw::new(
                "trailing-text",
                "a comment or an exemplar behind the value: only OpenMetrics has them",
            ));
        }
        let timestamp_ms = Some(number::millis(stamp)?);
        match self.text_token() {
            None => Ok(Point { value, timestamp_ms }),
            Some(more) => Err(trailing(more)),
        }
    }

    /// The next token between blanks; `None` at the end of the line.
    fn text_token(&mut self) -> Option<&'l str> {
        self.take_while(is_blank);
        let token = self.take_while(|byte| !is_blank(byte));
        (!token.is_empty()).then(|| self.text_of(token))
    }

    fn openmetrics_point(&mut self) -> Result<Point, Flaw> {
        let value = number::value(self.spaced_token().ok_or_else(no_value)?)?;
        let mut timestamp_ms = None;
        if !self.at_end() && !self.rest().starts_with(b" # {") {
            let stamp = self.spaced_token().ok_or_else(|| self.stray())?;
            timestamp_ms = Some(number::seconds(stamp)?);
        }
        if self.rest().starts_with(b" # {") {
            self.at += 4;
            self.exemplar()?;
        }
        if self.at_end() { Ok(Point { value, timestamp_ms }) } else { Err(self.stray()) }
    }

    /// One space and the token behind it.
    fn spaced_token(&mut self) -> Option<&'l str> {
        let start = self.at;
        if self.take(b' ') {
            let token = self.take_while(|byte| byte != b' ');
            if !token.is_empty() {
                return Some(self.text_of(token));
            }
        }
        self.at = start;
        None
    }

    fn exemplar(&mut self) -> Result<(), Flaw> {
        let in_exemplar = |flaw: Flaw| Flaw::new("bad-exemplar", format!("in the exemplar: {}", flaw.text));
        let mut pairs = Vec::new();
        self.labels(None, &mut pairs).map_err(in_exemplar)?;
        let value = self.spaced_token().ok_or_else(no_value).map_err(in_exemplar)?;
        number::value(value).map_err(in_exemplar)?;
        if !self.at_end() {
            let stamp = self.spaced_token().ok_or_else(|| self.stray())?;
            number::seconds(stamp).map_err(in_exemplar)?;
        }
        Ok(())
    }

    fn stray(&self) -> Flaw {
        trailing(self.text_of(self.at..self.line.len()))
    }
}

fn set_name(name: &mut Option<Range<usize>>, quoted: Range<usize>) -> Result<(), Flaw> {
    if name.is_some() {
        return Err(Flaw::new("bad-name", "the metric name is given twice"));
    }
    if quoted.is_empty() {
        return Err(Flaw::new("bad-name", "the metric name is empty"));
    }
    *name = Some(quoted);
    Ok(())
}

fn no_value() -> Flaw {
    Flaw::new("no-value", "no value where one belongs")
}

fn trailing(text: &str) -> Flaw {
    Flaw::new("trailing-text", format!("{text:?} behind what the line may hold"))
}
