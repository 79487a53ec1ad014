//! The samples of one series of an answer.

use std::fmt;

use crate::model::Time;

type Sample = (Time, f64);

/// Samples in the order that they came in. They are held in pieces: one that is full is left where it
/// is, so that an answer never needs the memory of its samples twice while it is read.
#[derive(Clone, Default)]
pub struct Samples {
    /// What most series fit in.
    first: Vec<Sample>,
    /// What came when it was full.
    more: Vec<Vec<Sample>>,
}

/// The least and the most samples of a piece whose size is not given.
const LEAST: usize = 8;
const MOST: usize = 4096;

impl Samples {
    /// No samples, with room for so many.
    pub(super) fn with_room(count: usize) -> Self {
        Self { first: Vec::with_capacity(count), more: Vec::new() }
    }

    /// Adds the next sample.
    #[inline]
    pub(super) fn push(&mut self, sample: Sample) {
        let last = self.more.last_mut().unwrap_or(&mut self.first);
        if last.len() < last.capacity() {
            last.push(sample);
        } else {
            self.push_to_next(sample);
        }
    }

    #[cold]
    fn push_to_next(&mut self, sample: Sample) {
        let room = self.len().clamp(LEAST, MOST);
        if self.first.is_empty() {
            self.first.reserve_exact(room);
            self.first.push(sample);
            return;
        }
        let mut piece = Vec::with_capacity(room);
        piece.push(sample);
        // The list of pieces must not double either: full ones are a hundredth of what they list.
        if self.more.len() == self.more.capacity() {
            self.more.reserve_exact(self.more.len() / 2 + 4);
        }
        self.more.push(piece);
    }

    /// Gives back the room that no sample needed.
    pub(super) fn fit(&mut self) {
        self.more.last_mut().unwrap_or(&mut self.first).shrink_to_fit();
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.first.len() + self.more.iter().map(Vec::len).sum::<usize>()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.first.is_empty()
    }

    /// The sample that came last.
    pub fn last(&self) -> Option<Sample> {
        self.more.last().unwrap_or(&self.first).last().copied()
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = Sample> + '_ {
        self.first.iter().chain(self.more.iter().flatten()).copied()
    }
}

impl From<Vec<Sample>> for Samples {
    fn from(first: Vec<Sample>) -> Self {
        Self { first, more: Vec::new() }
    }
}

/// Equal where the samples are, whatever the pieces.
impl PartialEq for Samples {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl fmt::Debug for Samples {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_come_out_in_order_however_many_pieces_they_are_in() {
        let sample = |n: u32| (Time::from_millis(n.into()), n.into());
        for room in [0, 1, 7, 240, 30_000] {
            for count in [0, 1, 2, 8, 9, 240, 241, 20_000] {
                let mut samples = Samples::with_room(room);
                (0..count).for_each(|n| samples.push(sample(n)));
                samples.fit();
                let whole: Vec<Sample> = (0..count).map(sample).collect();
                assert_eq!(samples.iter().collect::<Vec<_>>(), whole);
                assert_eq!((samples.len(), samples.is_empty()), (count as usize, count == 0));
                assert_eq!(samples.last(), whole.last().copied());
                assert_eq!(samples, Samples::from(whole));
            }
        }
    }

    #[test]
    fn full_pieces_stay_where_they_are_and_little_room_is_held_in_vain() {
        let mut samples = Samples::with_room(1);
        let mut room = 0;
        for n in 0..100_000_usize {
            samples.push((Time::from_millis(0), 0.0));
            room = samples.first.capacity() + samples.more.iter().map(Vec::capacity).sum::<usize>();
            assert!(room <= (2 * (n + 1)).max(LEAST + 1) && room <= n + 1 + MOST, "{room} for {}", n + 1);
        }
        samples.fit();
        let fitted = samples.first.capacity() + samples.more.iter().map(Vec::capacity).sum::<usize>();
        assert!(fitted <= room && fitted == 100_000);
    }
}
