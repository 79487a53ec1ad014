//! Values that a program was given, wherever they stand in what it writes.

use std::ops::Range;

use memchr::memmem::Finder;

use super::REDACTED;

/// The shortest value that is a secret: shorter ones stand in every second word.
const MIN: usize = 4;
/// The shortest line of a value of several lines that is a secret by itself.
const MIN_LINE: usize = 8;

/// Takes known values out of a stream.
///
/// Where two of them overlap, all that either covers becomes one `[redacted]`.
pub(super) struct Secrets {
    finders: Vec<Finder<'static>>,
    longest: usize,
    /// What may be the beginning of a secret.
    held: Vec<u8>,
    /// How many of the first bytes held belong to a secret that was already replaced.
    gone: usize,
}

impl Secrets {
    /// For these values, each also without space around it, and line by line.
    pub(super) fn new<'a>(values: impl Iterator<Item = &'a [u8]>) -> Self {
        let mut secrets: Vec<&[u8]> = Vec::new();
        for value in values {
            let lines = value.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii);
            secrets.extend(lines.filter(|line| line.len() >= MIN_LINE));
            secrets.extend([value, value.trim_ascii()].iter().filter(|value| value.len() >= MIN));
        }
        secrets.sort_unstable();
        secrets.dedup();
        let longest = secrets.iter().map(|secret| secret.len()).max().unwrap_or(0);
        let finders = secrets.into_iter().map(|secret| Finder::new(secret).into_owned()).collect();
        Self { finders, longest, held: Vec::new(), gone: 0 }
    }

    /// Adds to `out` what may be written once `bytes` have come.
    pub(super) fn feed(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        self.held.extend(bytes);
        self.release(self.beginning(), out);
    }

    /// Adds the rest, once nothing more comes.
    pub(super) fn finish(&mut self, out: &mut Vec<u8>) {
        self.release(self.held.len(), out);
    }

    /// Where the earliest end of what is held stands that may be the beginning of a secret.
    fn beginning(&self) -> usize {
        let all = self.held.len();
        let from = all.saturating_sub(self.longest.saturating_sub(1));
        let begins = |at: &usize| {
            let end = self.held.get(*at..).unwrap_or_default();
            self.finders.iter().any(|s| s.needle().len() > end.len() && s.needle().starts_with(end))
        };
        (from..all).find(begins).unwrap_or(all)
    }

    /// Writes what stands before `until`, and holds the rest.
    fn release(&mut self, until: usize, out: &mut Vec<u8>) {
        if until == 0 {
            return;
        }
        let mut at = 0;
        let mut gone = 0;
        for range in self.covered() {
            if range.start >= until {
                break;
            }
            out.extend(self.held.get(at..range.start).unwrap_or_default());
            if range.start > 0 || self.gone == 0 {
                out.extend(REDACTED);
            }
            at = range.end.min(until);
            gone = range.end - at;
        }
        out.extend(self.held.get(at..until).unwrap_or_default());
        self.held.drain(..until);
        self.gone = gone;
    }

    /// What secrets cover in what is held: in order, overlapping ones as one.
    fn covered(&self) -> Vec<Range<usize>> {
        let mut found: Vec<Range<usize>> = Vec::new();
        if self.gone > 0 {
            found.push(0..self.gone);
        }
        for secret in &self.finders {
            let length = secret.needle().len();
            let mut from = 0;
            while let Some(at) = secret.find(self.held.get(from..).unwrap_or_default()) {
                found.push(from + at..from + at + length);
                from += at + 1;
            }
        }
        found.sort_unstable_by_key(|range| (range.start, range.end));
        let mut covered: Vec<Range<usize>> = Vec::new();
        for range in found {
            match covered.last_mut() {
                Some(last) if range.start < last.end => last.end = last.end.max(range.end),
                _ => covered.push(range),
            }
        }
        covered
    }
}
