//! A history as bytes, to be kept across restarts.
//!
//! Numbers are of variable length: times as the distance from the one before, values as what differs
//! from the one before, so that a history of whole numbers that move little takes two to four bytes a
//! sample. A version, the key of what was watched, and a checksum tell a file that must not be read.

use sha2::{Digest as _, Sha256};

use super::gaps::Gaps;
use super::series::Column;
use super::{History, Limits};
use crate::model::{Labels, Time};

const MAGIC: &[u8] = b"gonogo history\n";
const VERSION: u8 = 1;
const CHECKSUM: usize = 32;

/// Why saved bytes are not read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// They do not begin as a history does.
    #[error("it is no history of gonogo's")]
    Foreign,
    /// Another version of gonogo wrote them.
    #[error("it was written by another version of gonogo (form {0}, not {VERSION})")]
    Version(u8),
    /// What was watched has changed since.
    #[error("it is of another source, or of other expressions")]
    AnotherSource,
    /// They are cut short or changed.
    #[error("it is damaged: {0}")]
    Damaged(&'static str),
}

impl History {
    /// The whole history as bytes; `key` says what was watched.
    pub fn save(&self, key: &[u8; 32]) -> Vec<u8> {
        let mut out = Writer(Vec::with_capacity(1024 + self.series.len() * 64));
        out.0.extend_from_slice(MAGIC);
        out.0.push(VERSION);
        out.0.extend_from_slice(key);
        let times = |out: &mut Writer, times: &[i64]| {
            out.unsigned(times.len() as u64);
            let mut before = 0;
            for time in times {
                out.signed(time.wrapping_sub(before));
                before = *time;
            }
        };
        times(&mut out, self.since.as_slice());
        times(&mut out, self.scrapes.as_slice());
        let gaps: Vec<i64> = self.gaps.closed().iter().flat_map(|(begin, end)| [*begin, *end]).collect();
        times(&mut out, &gaps);
        out.unsigned(self.series.len() as u64);
        for (labels, column) in self.series.iter() {
            out.unsigned(labels.len() as u64);
            for (name, value) in labels.iter() {
                out.text(name);
                out.text(value);
            }
            let values = match column {
                Column::Scraped { from, values } => {
                    out.0.push(0);
                    out.unsigned(from.saturating_sub(self.first));
                    values
                }
                Column::Timed { times: own, values, explicit } => {
                    out.0.push(1 + u8::from(*explicit));
                    times(&mut out, own.as_slice());
                    values
                }
            };
            out.unsigned(values.len() as u64);
            let mut before = 0;
            for value in values.as_slice() {
                // Numbers of few digits end in zeros: reversed they are short.
                out.unsigned((value.to_bits() ^ before).reverse_bits());
                before = value.to_bits();
            }
        }
        let checksum = Sha256::digest(&out.0);
        out.0.extend_from_slice(&checksum);
        out.0
    }

    /// Reads saved bytes back. Every series ended when they were saved, and from then on nobody looked
    /// until the next scrape. What is after `now` is left out: the clock was set back. Series beyond the
    /// limit are left out, too.
    ///
    /// # Errors
    /// [`Unreadable`]: nothing is taken of bytes that are not whole and of this `key`.
    pub fn restore(limits: Limits, key: &[u8; 32], bytes: &[u8], now: Time) -> Result<Self, Unreadable> {
        let rest = bytes.strip_prefix(MAGIC).ok_or(Unreadable::Foreign)?;
        let (version, rest) = rest.split_first().ok_or(Unreadable::Damaged("it ends too early"))?;
        if *version != VERSION {
            return Err(Unreadable::Version(*version));
        }
        let body = bytes.len().saturating_sub(CHECKSUM);
        let (said, checksum) =
            bytes.split_at_checked(body).ok_or(Unreadable::Damaged("it ends too early"))?;
        if Sha256::digest(said).as_slice() != checksum {
            return Err(Unreadable::Damaged("its checksum is another"));
        }
        let rest = rest.get(..rest.len().saturating_sub(CHECKSUM)).unwrap_or_default();
        let rest = rest.strip_prefix(key).ok_or(Unreadable::AnotherSource)?;
        let mut history =
            Self::read(limits, &mut Reader(rest)).ok_or(Unreadable::Damaged("it does not add up"))?;
        // One that was recorded in this very millisecond is not of the future.
        if history.last.is_some_and(|last| last > now.millis()) {
            history.set_back(now.millis().saturating_add(1));
        }
        if let Some(last) = history.last {
            history.end_all(last);
        }
        Ok(history)
    }

    /// Nobody looks after `last`: every series ends there.
    fn end_all(&mut self, last: i64) {
        let at = last.saturating_add(1);
        self.scrapes.push(at);
        let scrape = self.first + self.scrapes.len() as u64 - 1;
        for column in self.series.columns_mut() {
            if let Column::Timed { explicit, .. } = column {
                *explicit = false;
            }
            column.end(scrape, at);
        }
        self.last = Some(at);
        self.gaps.open(at);
    }

    fn read(limits: Limits, saved: &mut Reader<'_>) -> Option<Self> {
        let mut history = Self::new(limits);
        history.since = saved.times()?.first().copied();
        history.scrapes = rising(saved.times()?)?.into_iter().collect();
        history.last = history.scrapes.last().copied();
        let gaps = saved.times()?;
        let pairs = gaps.iter().step_by(2).copied().zip(gaps.iter().skip(1).step_by(2).copied()).collect();
        history.gaps = Gaps::of(pairs);
        for _ in 0..saved.count()? {
            let labels: Option<Vec<(String, String)>> =
                (0..saved.count()?).map(|_| Some((saved.text()?, saved.text()?))).collect();
            let labels = Labels::from_pairs(labels?);
            let kind = saved.byte()?;
            let mut from = 0;
            let mut times = Vec::new();
            if kind == 0 {
                from = saved.unsigned()?;
            } else {
                times = rising(saved.times()?)?;
            }
            let count = saved.count()?;
            let mut before = 0;
            let values = (0..count).map(|_| {
                before ^= saved.unsigned()?.reverse_bits();
                Some(f64::from_bits(before))
            });
            let values = values.collect::<Option<Vec<f64>>>()?;
            let fits = if kind == 0 {
                from.checked_add(values.len() as u64)? <= history.scrapes.len() as u64
            } else {
                times.len() == values.len()
            };
            if kind > 2 || !fits {
                return None;
            }
            let values = values.into_iter().collect();
            let column = if kind == 0 {
                Column::Scraped { from, values }
            } else {
                Column::Timed { times: times.into_iter().collect(), values, explicit: kind == 2 }
            };
            history.series.column(&labels, limits.max_series, || column);
        }
        saved.0.is_empty().then_some(history)
    }
}

fn rising(times: Vec<i64>) -> Option<Vec<i64>> {
    times.is_sorted_by(|a, b| a < b).then_some(times)
}

struct Writer(Vec<u8>);

impl Writer {
    /// Seven bits a byte, the lowest first; the eighth says that more follow.
    fn unsigned(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.0.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.0.push(number as u8);
    }

    fn signed(&mut self, number: i64) {
        self.unsigned(((number << 1) ^ (number >> 63)) as u64);
    }

    fn text(&mut self, text: &str) {
        self.unsigned(text.len() as u64);
        self.0.extend_from_slice(text.as_bytes());
    }
}

struct Reader<'b>(&'b [u8]);

impl Reader<'_> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn unsigned(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }

    /// How many of something follow, each of at least a byte.
    fn count(&mut self) -> Option<usize> {
        let count = usize::try_from(self.unsigned()?).ok()?;
        (count <= self.0.len()).then_some(count)
    }

    fn times(&mut self) -> Option<Vec<i64>> {
        let mut before = 0i64;
        (0..self.count()?)
            .map(|_| {
                let number = self.unsigned()?;
                before = before.wrapping_add((number >> 1).cast_signed() ^ -(number & 1).cast_signed());
                Some(before)
            })
            .collect()
    }

    fn text(&mut self) -> Option<String> {
        let length = self.count()?;
        let (text, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        std::str::from_utf8(text).ok().map(str::to_owned)
    }
}
