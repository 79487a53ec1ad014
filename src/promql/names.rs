//! A small set of names that answers "no" quickly: it is asked once a line of an exposition, and of
//! a million lines a few thousand are wanted.

/// The set: an open hash table over the name's length, beginning and end.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    held: Vec<Box<[u8]>>,
    /// Indexes into `held` plus one; 0 is empty. Its length is a power of two, at most half full.
    table: Vec<u32>,
    /// A bit for each length that occurs; the highest stands for all longer ones.
    lengths: u64,
}

impl Names {
    pub(super) fn add(&mut self, name: &str) {
        if self.holds(name.as_bytes()) {
            return;
        }
        self.held.push(name.as_bytes().into());
        self.lengths |= length_bit(name.len());
        let size = (self.held.len() * 4).next_power_of_two();
        self.table = vec![0; size];
        for (place, name) in (1u32..).zip(&self.held) {
            let mut slot = hash(name) as usize & (size - 1);
            while self.table.get(slot).is_some_and(|taken| *taken != 0) {
                slot = (slot + 1) & (size - 1);
            }
            if let Some(empty) = self.table.get_mut(slot) {
                *empty = place;
            }
        }
    }

    #[inline]
    pub(super) fn holds(&self, name: &[u8]) -> bool {
        if self.lengths & length_bit(name.len()) == 0 {
            return false;
        }
        let mask = self.table.len().wrapping_sub(1);
        let mut slot = hash(name) as usize & mask;
        // A slot that is empty, and the table always has some, ends the search.
        while let Some(place) = self.table.get(slot).copied().filter(|place| *place != 0) {
            if self.held.get(place as usize - 1).is_some_and(|known| **known == *name) {
                return true;
            }
            slot = (slot + 1) & mask;
        }
        false
    }
}

#[inline]
fn length_bit(len: usize) -> u64 {
    1 << len.min(63)
}

/// Eight bytes from each end and the length: names that share all three collide and are compared.
#[inline]
fn hash(name: &[u8]) -> u64 {
    let word = |bytes: Option<&[u8; 8]>| bytes.map(|bytes| u64::from_le_bytes(*bytes));
    let (head, tail) = match (word(name.first_chunk()), word(name.last_chunk())) {
        (Some(head), Some(tail)) => (head, tail),
        _ => (name.iter().fold(0, |sum, byte| (sum << 8) | u64::from(*byte)), 0),
    };
    let mixed = (head ^ tail.rotate_left(29) ^ name.len() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed ^ (mixed >> 32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_the_names_that_were_added_are_held() {
        let mut names = Names::default();
        assert!(!names.holds(b"") && !names.holds(b"up"));
        let all: Vec<String> = (0..500)
            .map(|i| format!("http_requests_{i}_total"))
            .chain(["up".into(), String::new(), "a".repeat(90), format!("{}b", "a".repeat(89))])
            .collect();
        for name in &all {
            names.add(name);
        }
        assert!(all.iter().all(|name| names.holds(name.as_bytes())));
        for other in ["u", "down", "http_requests_500_total", "http_requests_5x_total"] {
            assert!(!names.holds(other.as_bytes()), "{other}");
        }
        assert!(!names.holds("a".repeat(91).as_bytes()));
    }
}
