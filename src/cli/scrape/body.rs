//! The body of an answer or a file: is it an exposition at all, and if so, through the reader.

use std::io;

use super::{Page, Trouble};
use crate::promql::Filter;
use crate::sources::exposition::{Format, Reader, SampleRef, Stricter, Summary};

/// How many bytes are looked at before it is decided that this is an exposition.
const LOOKED_AT: usize = 1024;

/// Bytes on their way to a page.
pub(super) struct Body<'f> {
    filter: &'f Filter,
    page: Box<dyn Page>,
    /// The first bytes, while they are too few to tell what this is.
    head: Vec<u8>,
    format: Format,
    reader: Option<Reader<'f>>,
    max_line: usize,
    /// What stricter readers would refuse in the head of the answer.
    stricter: Vec<Stricter>,
}

/// Why a body is not read on.
#[derive(Debug)]
pub(super) enum Refusal {
    /// It is no exposition; the sentence says what it looks like.
    NoExposition(&'static str),
    /// The page cannot be written.
    Output(io::Error),
}

impl<'f> Body<'f> {
    pub(super) fn new(filter: &'f Filter, page: Box<dyn Page>, max_line: usize) -> Self {
        Self {
            filter,
            page,
            head: Vec::new(),
            format: Format::Text,
            reader: None,
            max_line,
            stricter: Vec::new(),
        }
    }

    /// Remarks on the head of the answer, which stands before the first line.
    pub(super) fn remark(&mut self, code: &'static str, text: String) {
        self.stricter.push(Stricter { code, text, line: 0, count: 1 });
    }

    /// Says which dialect this is, before the first bytes.
    pub(super) fn in_format(&mut self, format: Format) {
        self.format = format;
    }

    /// Takes a slice of the body.
    pub(super) fn slice(&mut self, bytes: &[u8]) -> Result<(), Refusal> {
        if self.reader.is_some() {
            return self.feed(bytes).map_err(Refusal::Output);
        }
        self.head.extend_from_slice(bytes);
        if self.head.len() >= LOOKED_AT { self.look() } else { Ok(()) }
    }

    /// Tells that the body is over, or broke off.
    pub(super) fn over(&mut self) -> Result<(), Refusal> {
        if self.reader.is_none() { self.look() } else { Ok(()) }
    }

    /// Ends the page; after [`Body::over`].
    pub(super) fn end(mut self, cut: Option<&Trouble>) -> io::Result<Summary> {
        let mut failed = None;
        let mut summary = match self.reader.take() {
            Some(reader) => reader.finish(&mut kept(self.filter, self.page.as_mut(), &mut failed)),
            None => Summary::default(),
        };
        failed.map_or(Ok(()), Err)?;
        summary.complete &= cut.is_none();
        summary.stricter.splice(..0, self.stricter);
        self.page.end(&summary, cut)?;
        Ok(summary)
    }

    /// Ends the page of a body that is none.
    pub(super) fn nothing(mut self, trouble: &Trouble) -> io::Result<()> {
        self.page.end(&Summary::default(), Some(trouble))
    }

    fn look(&mut self) -> Result<(), Refusal> {
        if let Some(sentence) = no_exposition(&self.head) {
            return Err(Refusal::NoExposition(sentence));
        }
        self.reader = Some(Reader::judging_all(self.format, self.filter).with_max_line(self.max_line));
        let head = std::mem::take(&mut self.head);
        self.feed(&head).map_err(Refusal::Output)
    }

    fn feed(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut failed = None;
        if let Some(reader) = &mut self.reader {
            reader.feed(bytes, &mut kept(self.filter, self.page.as_mut(), &mut failed));
        }
        failed.map_or(Ok(()), Err)
    }
}

/// Writes the samples that the matchers pick; after a failed write, none.
fn kept<'a>(
    filter: &'a Filter,
    page: &'a mut dyn Page,
    failed: &'a mut Option<io::Error>,
) -> impl FnMut(SampleRef<'_>) + use<'a> {
    move |sample: SampleRef<'_>| {
        if failed.is_none() && filter.wants(sample.labels) {
            *failed = page.sample(&sample).err();
        }
    }
}

/// What the first bytes look like where no exposition begins so.
fn no_exposition(head: &[u8]) -> Option<&'static str> {
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
    match head {
        [b'<', ..] => Some("an HTML or XML page, not an exposition"),
        [b'[', ..] => Some("JSON, not an exposition"),
        [b'{', rest @ ..] if begins_object(rest) => Some("JSON, not an exposition"),
        [0x1f, 0x8b, ..] => Some("compressed with gzip: unpack it first"),
        _ => None,
    }
}

/// Whether what stands behind a brace makes it JSON: a key and a colon, or nothing at all. In an
/// exposition a brace is followed by a name in quotes and a comma, an equals sign or a brace.
fn begins_object(rest: &[u8]) -> bool {
    match rest.trim_ascii_start() {
        [b'}', rest @ ..] => rest.trim_ascii().is_empty(),
        [b'"', rest @ ..] => {
            let key = rest.iter().position(|byte| *byte == b'"');
            let behind = key.and_then(|end| rest.get(end + 1..)).unwrap_or_default();
            behind.trim_ascii_start().starts_with(b":")
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::no_exposition;

    #[test]
    fn a_page_or_json_is_known_by_its_first_bytes_and_names_in_quotes_are_not_json() {
        for page in [
            &b"<!DOCTYPE html><html>"[..],
            b"\n\n  <html lang=en>",
            b"\xef\xbb\xbf<?xml version",
            b"{\"error\": \"not found\"}",
            b"{\n  \"a\" : 1",
            b"{}\n",
            b"[1,2]",
            b"\x1f\x8b\x08",
        ] {
            assert!(no_exposition(page).is_some(), "{}", String::from_utf8_lossy(page));
        }
        for text in [
            &b""[..],
            b"up 1",
            b"# HELP",
            b"{\"my.metric\"} 1",
            b"{\"my.metric\",a=\":\"} 1",
            b"{\"a\"=\"b\",\"c\"} 1",
        ] {
            assert_eq!(no_exposition(text), None, "{}", String::from_utf8_lossy(text));
        }
    }
}
