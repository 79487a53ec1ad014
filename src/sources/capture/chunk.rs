//! The sample lines of one poll, read from their place in a capture.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};

use super::poll_line::{Beside, PollLine, labels_of};
use crate::model::Time;
use crate::sources::Batch;
use crate::sources::exposition::{Format, Reader, Sample};

/// Reads a poll's wanted samples; `None` where there is something else in their place than was
/// written.
pub(super) fn read(
    file: &mut File,
    line: &PollLine,
    wants_name: impl Fn(&[u8]) -> bool,
) -> io::Result<Option<Batch>> {
    file.seek(SeekFrom::Start(line.at))?;
    let mut rest = line.bytes;
    let mut reader = Reader::new(Format::OpenMetrics, &wants_name);
    let mut batch = Batch::new();
    let (mut foreign, mut stamped) = (false, 0);
    let mut keep = |sample: Sample| {
        let at = sample.timestamp_ms.map(Time::from_millis);
        foreign |= at.is_none();
        let own = at.filter(|at| *at != line.asked);
        stamped += u64::from(own.is_some());
        batch.push((sample.labels, sample.value, own));
    };
    let mut slice = vec![0; 128 << 10];
    while rest > 0 {
        let want = usize::try_from(rest).unwrap_or(usize::MAX).min(slice.len());
        let read = file.read(slice.get_mut(..want).unwrap_or_default())?;
        if read == 0 {
            return Ok(None);
        }
        rest -= read as u64;
        reader.feed(slice.get(..read).unwrap_or_default(), &mut keep);
    }
    let summary = reader.finish(&mut keep);
    let as_written = summary.series_sent == line.samples
        && summary.lines == line.samples
        && summary.unreadable == 0
        && summary.duplicates == 0;
    if !as_written || foreign || stamped > line.stamped {
        return Ok(None);
    }
    put_beside(&mut batch, line);
    Ok(Some(batch))
}

/// Adds the samples that stand in the line of JSON, at their places.
pub(super) fn put_beside(batch: &mut Batch, line: &PollLine) {
    for Beside(place, labels, number, time) in &line.beside {
        let Ok(number) = number.parse::<f64>() else { continue };
        let place = usize::try_from(*place).unwrap_or(usize::MAX).min(batch.len());
        batch.insert(place, (labels_of(labels), number, *time));
    }
}
