//! The samples of a capture by source and time: for files that gonogo did not write, or that are not
//! any more as it wrote them.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io;
use std::path::Path;
use std::time::Duration;

use super::head::Head;
use super::{Capture, read_wanted, rows};
use crate::model::{Labels, SourceId, Time};
use crate::sources::Batch;

/// The samples of each source in order of time.
pub(super) struct ByTime {
    series: Vec<Labels>,
    sources: BTreeMap<SourceId, Samples>,
    /// How many samples of a source are of a moment, wanted or not.
    held: HashMap<(SourceId, Time), u64>,
    /// What the file was like.
    pub(super) capture: Capture,
}

#[derive(Default)]
struct Samples {
    all: Vec<(Time, u32, f64)>,
    /// How many of them have been given out.
    given: usize,
}

/// Which series a source is given: those that it wants and that came from it, or, where nothing tells
/// where they came from, all that it wants.
pub(super) type Wants<'w> = dyn Fn(&SourceId, &Labels) -> bool + 'w;

impl ByTime {
    /// Reads all samples that a source wants.
    ///
    /// # Errors
    /// As [`super::read`].
    pub(super) fn read(
        path: &Path,
        head: Option<&Head>,
        sources: &[SourceId],
        wants: &Wants<'_>,
    ) -> io::Result<Self> {
        let owner = |labels: &Labels| -> Vec<&SourceId> {
            let owns = |id: &SourceId| match (head, rows::source(labels)) {
                (None, _) => true,
                (Some(_), Some(source)) => source == id.as_str(),
                (Some(head), None) => head.sources.iter().any(|s| s.id == *id && s.owns(labels)),
            };
            sources.iter().filter(|id| owns(id)).collect()
        };
        // Each series, whose it is, and whether they want it.
        let mut series: Vec<(Labels, Vec<(&SourceId, bool)>)> = Vec::new();
        let mut held: HashMap<(SourceId, Time), u64> = HashMap::new();
        let mut places: HashMap<Labels, u32> = HashMap::new();
        let mut given: BTreeMap<SourceId, Samples> = BTreeMap::new();
        let mut last: Vec<Time> = Vec::new();
        let mut capture = read_wanted(
            File::open(path)?,
            |labels| match head {
                Some(_) => !owner(labels).is_empty(),
                None => sources.iter().any(|id| wants(id, labels)),
            },
            |labels, at, value| {
                let place = *places.entry(labels.clone()).or_insert_with(|| {
                    let owners = owner(labels).into_iter().map(|id| (id, wants(id, labels))).collect();
                    series.push((labels.clone(), owners));
                    last.push(Time::MIN);
                    u32::try_from(series.len() - 1).unwrap_or(u32::MAX)
                });
                let newest = last.get_mut(place as usize);
                let new = newest.is_some_and(|last| std::mem::replace(last, at) < at);
                if new && let Some((_, owners)) = series.get(place as usize) {
                    for (id, wanted) in owners {
                        if head.is_some() {
                            *held.entry(((*id).clone(), at)).or_default() += 1;
                        }
                        if !wanted {
                            continue;
                        }
                        given.entry((*id).clone()).or_default().all.push((at, place, value));
                    }
                }
                new
            },
        )?;
        if capture.first.is_none() && capture.unreadable == 0 {
            capture.ended = true;
        }
        Ok(Self {
            series: series.into_iter().map(|(labels, _)| labels).collect(),
            sources: given,
            held,
            capture,
        })
    }

    /// How many samples of a source are of this moment, wanted or not.
    pub(super) fn held(&self, source: &SourceId, at: Time) -> u64 {
        self.held.get(&(source.clone(), at)).copied().unwrap_or(0)
    }

    /// The samples of a source up to and with `asked` that were not given yet; those of that very
    /// moment without a time of their own.
    pub(super) fn up_to(&mut self, source: &SourceId, asked: Time) -> Batch {
        let Some(samples) = self.sources.get_mut(source) else { return Batch::new() };
        let end = samples.all.partition_point(|(at, ..)| *at <= asked).max(samples.given);
        let new = samples.all.get(samples.given..end).unwrap_or_default();
        let row = |(at, place, value): &(Time, u32, f64)| {
            let labels = self.series.get(*place as usize)?.clone();
            Some((labels, *value, Some(*at).filter(|at| *at != asked)))
        };
        let batch = new.iter().filter_map(row).collect();
        samples.given = end;
        batch
    }

    /// The moments, an interval apart, since whose last one a source has new samples: when it would
    /// have been polled.
    pub(super) fn moments(&self, source: &SourceId, every: Duration) -> Vec<Time> {
        let every = i64::try_from(every.as_millis()).unwrap_or(i64::MAX).max(1);
        let mut moments: Vec<Time> = Vec::new();
        let all = self.sources.get(source).map(|s| s.all.as_slice()).unwrap_or_default();
        for (at, ..) in all {
            // Rounded up to the grid.
            let up = at.millis().rem_euclid(every);
            let moment = if up == 0 { at.millis() } else { at.millis().saturating_add(every - up) };
            if moments.last().is_none_or(|last| last.millis() < moment) {
                moments.push(Time::from_millis(moment));
            }
        }
        moments
    }
}
