//! The newest of a file that is being written.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::Path;

/// The last `max` bytes of an output file or less, whether its program still runs or not; not
/// harmless to print. The cost depends on `max` only. A line whose beginning does not fit is left
/// out, where another one follows it.
///
/// # Errors
/// The system's; `NotFound` before the program has begun.
pub fn tail(path: &Path, max: u64) -> io::Result<String> {
    let mut file = File::open(path)?;
    let from = file.metadata()?.len().saturating_sub(max);
    // With the byte before it, a line that begins exactly there is known to be whole.
    file.seek(SeekFrom::Start(from.saturating_sub(1)))?;
    let mut bytes = Vec::new();
    file.take(max.saturating_add(u64::from(from > 0))).read_to_end(&mut bytes)?;
    let whole = match bytes.iter().position(|&byte| byte == b'\n') {
        Some(end) if from > 0 && end + 1 < bytes.len() => bytes.split_at(end + 1).1,
        _ if from > 0 => bytes.split_at(1.min(bytes.len())).1,
        _ => bytes.as_slice(),
    };
    Ok(readable(whole))
}

/// Bytes as text, without what is left of a character whose beginning was cut off.
pub(super) fn readable(bytes: &[u8]) -> String {
    let cut = bytes.iter().take(3).take_while(|&&byte| byte & 0b1100_0000 == 0b1000_0000).count();
    String::from_utf8_lossy(bytes.split_at(cut).1).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_file_is_read_in_whole_lines_where_there_are_some() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        for (text, max, want) in [
            ("one\ntwo\nthree\n", 100, "one\ntwo\nthree\n"),
            ("one\ntwo\nthree\n", 14, "one\ntwo\nthree\n"),
            ("one\ntwo\nthree\n", 10, "two\nthree\n"),
            ("one\ntwo\nthree\n", 9, "three\n"),
            ("one\ntwo\nthree", 5, "three"),
            ("one\ntwo\nthree", 3, "ree"),
            ("one\ntwo\nthree\n", 3, "ee\n"),
            ("Größe", 2, "e"),
            ("Größe", 3, "ße"),
            ("x", 0, ""),
            ("", 9, ""),
        ] {
            std::fs::write(&path, text).unwrap();
            assert_eq!(tail(&path, max).unwrap(), want, "{text:?} {max}");
        }
        assert_eq!(tail(&dir.path().join("none"), 9).unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
