//! Numbers that are added at one end and dropped at the other, always in one piece, so that a window
//! of them is a slice.

/// The numbers. What was dropped is moved out only once it is an eighth of what is kept: a few moves
/// for each number that is added.
#[derive(Clone, Debug)]
pub(super) struct Ring<T> {
    held: Vec<T>,
    /// How many at the beginning were dropped.
    dropped: usize,
}

impl<T> Default for Ring<T> {
    fn default() -> Self {
        Self { held: Vec::new(), dropped: 0 }
    }
}

impl<T: Copy> Ring<T> {
    pub(super) fn as_slice(&self) -> &[T] {
        self.held.get(self.dropped..).unwrap_or_default()
    }

    pub(super) fn len(&self) -> usize {
        self.held.len() - self.dropped
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(super) fn last(&self) -> Option<&T> {
        self.as_slice().last()
    }

    /// Adds at the end. It grows by a quarter instead of doubling: with the oldest leaving at the
    /// other end it stops growing, and half of it would stay empty for ever.
    pub(super) fn push(&mut self, value: T) {
        if self.held.len() == self.held.capacity() {
            if self.dropped > 0 && self.dropped * 8 >= self.len() {
                self.pack();
            } else {
                self.held.reserve_exact(self.held.len() / 4 + 8);
            }
        }
        self.held.push(value);
    }

    /// Drops the first `count`.
    pub(super) fn drop_first(&mut self, count: usize) {
        self.dropped += count.min(self.len());
        if self.dropped > 16 && self.dropped * 8 >= self.len() {
            self.pack();
        }
    }

    /// Keeps the first `count`.
    pub(super) fn truncate(&mut self, count: usize) {
        self.held.truncate(self.dropped + count);
    }

    fn pack(&mut self) {
        self.held.drain(..self.dropped);
        self.dropped = 0;
    }

    #[cfg(test)]
    pub(super) fn capacity(&self) -> usize {
        self.held.capacity()
    }
}

impl<T> FromIterator<T> for Ring<T> {
    fn from_iter<I: IntoIterator<Item = T>>(values: I) -> Self {
        Self { held: values.into_iter().collect(), dropped: 0 }
    }
}
