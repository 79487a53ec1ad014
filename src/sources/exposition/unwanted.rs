//! The quickest way past a line that nobody wants.

/// How wide a comparison is: what the processor compares at once.
const WIDE: usize = 16;

/// The beginning of the last line that nobody wanted, up to and with the byte behind its name. Lines
/// come in runs of one name, and to compare is quicker than to look up: a million times a scrape, so
/// names of usual length are compared by a few wide words in place, not by a call for any length.
#[derive(Debug, Default)]
pub(super) struct Unwanted {
    begins: Vec<u8>,
    first: [u8; WIDE],
    second: [u8; WIDE],
    last: [u8; WIDE],
}

impl Unwanted {
    /// Remembers a line by its name; not one that begins with a blank.
    pub(super) fn remember(&mut self, line: &[u8], name: &[u8]) {
        self.begins.clear();
        if line.starts_with(name) {
            self.begins.extend_from_slice(line.get(..=name.len()).unwrap_or_default());
        }
        self.first = wide(&self.begins, 0).unwrap_or_default();
        self.second = wide(&self.begins, WIDE).unwrap_or(self.first);
        self.last = self.begins.last_chunk().copied().unwrap_or_default();
    }

    /// Where the text begins like that line: what follows the name and the byte behind it.
    #[inline]
    pub(super) fn behind<'t>(&self, text: &'t [u8]) -> Option<&'t [u8]> {
        let length = self.begins.len();
        let (head, behind) = text.split_at_checked(length)?;
        let same = match length {
            0 => false,
            16..=32 => self.ends_alike(head),
            33..=48 => self.ends_alike(head) && wide(head, WIDE) == Some(self.second),
            _ => head == self.begins,
        };
        same.then_some(behind)
    }

    #[inline]
    fn ends_alike(&self, head: &[u8]) -> bool {
        wide(head, 0) == Some(self.first) && head.last_chunk() == Some(&self.last)
    }
}

#[inline]
fn wide(bytes: &[u8], at: usize) -> Option<[u8; WIDE]> {
    bytes.get(at..)?.first_chunk().copied()
}

#[cfg(test)]
mod tests {
    use super::Unwanted;

    #[test]
    fn a_name_of_any_length_is_known_again_and_one_that_differs_in_any_byte_is_not() {
        for length in 1..80 {
            let name: Vec<u8> = (0..length).map(|n| b'a' + n % 26).collect();
            let line = [&name[..], b"{x=\"1\"} 1"].concat();
            let mut unwanted = Unwanted::default();
            assert_eq!(unwanted.behind(&line), None, "nothing is remembered");
            unwanted.remember(&line, &name);
            assert_eq!(unwanted.behind(&line), Some(&b"x=\"1\"} 1"[..]), "{length}");
            assert_eq!(unwanted.behind(&name), None, "too short: {length}");
            for at in 0..=name.len() {
                let mut other = line.clone();
                other[at] ^= 1;
                assert_eq!(unwanted.behind(&other), None, "{length} at {at}");
            }
        }
    }
}
