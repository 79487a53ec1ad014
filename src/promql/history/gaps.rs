//! The times at which nobody looked: between the end of one run of gonogo and the beginning of the
//! next, and while the machine slept.

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
        if let Some(since) = self.open.take() {
            self.add(since, at);
        }
    }

    /// Between `begin` and `end`, which is not before the end of any gap so far, nobody looked.
    fn add(&mut self, mut begin: i64, end: i64) {
        if begin >= end {
            return;
        }
        while let Some((before, _)) = self.closed.pop_if(|(_, before)| *before >= begin) {
            begin = begin.min(before);
        }
        self.closed.push((begin, end));
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
        let seen = self.closed.last().map_or(i64::MIN, |(_, end)| *end);
        let open = self.open.map(|since| (since.max(seen), i64::MAX));
        let overlap = |(begin, end): &(i64, i64)| {
            if from == to {
                i64::from(*begin < from && from < *end)
            } else {
                to.min(*end).saturating_sub(from.max(*begin)).max(0)
            }
        };
        self.closed.iter().chain(open.as_ref()).map(overlap).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_stretch_of_time_is_counted_twice() {
        let mut gaps = Gaps::of(vec![(10, 20), (30, 40)]);
        assert_eq!(gaps.within(0, 100), 20);
        gaps.open(35);
        assert_eq!(gaps.within(0, 100), 10 + 10 + 60);
        gaps.close(50);
        assert_eq!(gaps.closed(), [(10, 20), (30, 50)]);
        gaps.add(5, 60);
        assert_eq!(gaps.closed(), [(5, 60)]);
        gaps.add(70, 70);
        gaps.open(90);
        gaps.close(80);
        assert_eq!((gaps.closed(), gaps.within(0, 100)), (&[(5, 60)][..], 55));
        // What a file says may be any two numbers.
        assert_eq!(Gaps::of(vec![(i64::MIN, i64::MIN), (i64::MAX, i64::MIN)]).within(0, 100), 0);
    }
}
