//! The times at which nobody looked: between the end of one run of gonogo and the beginning of the next.

/// Stretches of time that were not seen, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Gaps {
    closed: Vec<(i64, i64)>,
    /// A gap that has not ended: the history was read back and nothing recorded since.
    open: Option<i64>,
}

impl Gaps {
    pub(super) fn of(closed: Vec<(i64, i64)>) -> Self {
        Self { closed, open: None }
    }

    pub(super) fn closed(&self) -> &[(i64, i64)] {
        &self.closed
    }

    /// From `since` on nobody looks.
    pub(super) fn open(&mut self, since: i64) {
        self.open = Some(since);
    }

    /// Somebody looks again at `at`.
    pub(super) fn close(&mut self, at: i64) {
        if let Some(since) = self.open.take().filter(|since| *since < at) {
            self.closed.push((since, at));
        }
    }

    /// Forgets what was before `cutoff`.
    pub(super) fn trim(&mut self, cutoff: i64) {
        self.closed.retain(|(_, end)| *end > cutoff);
    }

    /// Forgets what was from `at` on.
    pub(super) fn cut(&mut self, at: i64) {
        self.closed.retain(|(begin, _)| *begin < at);
        if let Some((_, end)) = self.closed.last_mut() {
            *end = (*end).min(at);
        }
    }

    /// How much of `from` to `to` was not seen. A moment (`from` = `to`) that was not counts as one
    /// millisecond.
    pub(super) fn within(&self, from: i64, to: i64) -> i64 {
        let open = self.open.map(|since| (since, i64::MAX));
        let overlap = |(begin, end): &(i64, i64)| {
            if from == to {
                i64::from(*begin < from && from < *end)
            } else {
                (to.min(*end) - from.max(*begin)).max(0)
            }
        };
        self.closed.iter().chain(open.as_ref()).map(overlap).sum()
    }
}
