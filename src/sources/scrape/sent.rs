//! What an endpoint sent, as far as there is room for it.

use std::cell::Cell;
use std::time::Duration;

use crate::model::labels::LabelsRef;
use crate::model::{Labels, Time};
use crate::promql::Filter;
use crate::sources::exposition::Summary;

/// Labels, value and the endpoint's own timestamp of one sample.
pub type Row = (Labels, f64, Option<Time>);

/// The most bytes of a series' labels: what a screen, a page or a log could never show.
const MAX_LABELS: usize = 16 * 1024;
/// What the labels of a series may take in memory, on average, before series are left out.
const BYTES_A_SERIES: usize = 512;
/// What a label takes in memory beside its text.
const BYTES_A_LABEL: usize = 96;
/// How far ahead of this clock a sample may be stamped: `Date` and many exporters tell whole seconds.
const AHEAD: Duration = Duration::from_secs(1);

/// What of an endpoint's answer is kept.
#[derive(Clone, Copy)]
pub(super) struct Keep<'s> {
    pub(super) filter: &'s Filter,
    /// The most samples of one endpoint.
    pub(super) max_series: usize,
    /// The most bytes of a line.
    pub(super) max_line: usize,
    /// What all endpoints of the source may keep together.
    pub(super) room: &'s Room,
}

/// What the endpoints of a source may keep together in one poll.
pub(super) struct Room {
    series: Cell<usize>,
    bytes: Cell<usize>,
}

impl Room {
    pub(super) fn new(max_series: usize) -> Self {
        let bytes = max_series.saturating_mul(BYTES_A_SERIES).max(MAX_LABELS);
        Self { series: Cell::new(max_series), bytes: Cell::new(bytes) }
    }

    /// Takes what one series with labels of this size needs, if there is room for it.
    fn take(&self, size: usize) -> bool {
        let (Some(series), Some(bytes)) =
            (self.series.get().checked_sub(1), self.bytes.get().checked_sub(size))
        else {
            return false;
        };
        self.series.set(series);
        self.bytes.set(bytes);
        true
    }
}

/// What an endpoint sent.
#[derive(Default)]
pub(super) struct Sent {
    pub(super) rows: Vec<Row>,
    pub(super) summary: Summary,
    /// A character set that the answer claims and metrics do not have.
    pub(super) charset: Option<String>,
    /// Wanted samples beyond what the source may keep, those aside that the reader left out.
    pub(super) cut: usize,
    /// Wanted samples with labels too long to be kept.
    pub(super) too_long: usize,
    /// Wanted samples that are stamped later than now, and the furthest of them; they are not kept.
    pub(super) ahead: (usize, Duration),
    /// Wanted samples that are stamped so long ago that nothing looks back to them, and the furthest.
    pub(super) behind: (usize, Duration),
}

impl Sent {
    /// Keeps a sample that was had at `now`, if there is room for it and its stamp can be believed.
    pub(super) fn keep(
        &mut self,
        labels: LabelsRef<'_>,
        value: f64,
        stamp: Option<Time>,
        now: Time,
        room: &Room,
    ) {
        let size = size(labels);
        let further = |so_far: &mut (usize, Duration), by| *so_far = (so_far.0 + 1, so_far.1.max(by));
        if size > MAX_LABELS {
            self.too_long += 1;
        } else if let Some(stamp) = stamp.filter(|stamp| stamp.since(now) > AHEAD) {
            further(&mut self.ahead, stamp.since(now));
        } else if room.take(size) {
            if let Some(stamp) = stamp.filter(|stamp| now.since(*stamp) > super::LOOKBACK) {
                further(&mut self.behind, now.since(stamp));
            }
            self.rows.push((labels.to_labels(), value, stamp));
        } else {
            self.cut += 1;
        }
    }
}

fn size(labels: LabelsRef<'_>) -> usize {
    labels.iter().map(|(name, value)| BYTES_A_LABEL + name.len() + value.len()).sum()
}
