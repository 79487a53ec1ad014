//! Lines of a file, one at a time, none of them too long to be held.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::path::Path;

/// The longest line of JSON that is read.
const LONGEST: u64 = 64 << 20;

/// A line that is no text, is too long, or was cut off.
pub(super) struct Torn;

/// A line, or that it cannot be read.
pub(super) type Line<'l> = Result<&'l str, Torn>;

/// The lines of a file.
pub(super) struct Lines {
    file: BufReader<File>,
    line: Vec<u8>,
}

impl Lines {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        Ok(Self { file: BufReader::with_capacity(128 << 10, File::open(path)?), line: Vec::new() })
    }

    /// The next line; `None` at the end.
    pub(super) fn next(&mut self) -> io::Result<Option<Line<'_>>> {
        self.line.clear();
        let read = self.file.by_ref().take(LONGEST).read_until(b'\n', &mut self.line)?;
        if read == 0 {
            return Ok(None);
        }
        if self.line.pop_if(|last| *last == b'\n').is_none() {
            self.skip()?;
            return Ok(Some(Err(Torn)));
        }
        Ok(Some(std::str::from_utf8(&self.line).map_err(|_| Torn)))
    }

    /// To the end of a line that is too long.
    fn skip(&mut self) -> io::Result<()> {
        loop {
            let piece = self.file.fill_buf()?;
            let (length, done) = match memchr::memchr(b'\n', piece) {
                Some(at) => (at + 1, true),
                None => (piece.len(), piece.is_empty()),
            };
            self.file.consume(length);
            if done {
                return Ok(());
            }
        }
    }
}
