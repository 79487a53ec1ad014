//! What a running program writes, as it writes it: its output file, from where it was read last.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;

use crate::model::text;

/// An output file that is being read while it is written.
pub(super) struct Following {
    path: PathBuf,
    /// The file as it was opened. A long output is put under its name anew, without its middle.
    open: Option<(u64, File)>,
    /// A line that has no end yet.
    line: Vec<u8>,
}

impl Following {
    /// Nothing was read yet; the file need not exist.
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, open: None, line: Vec::new() }
    }

    /// The lines that are new, harmless to print; at the end also the last, which may lack its end.
    pub(super) fn more(&mut self, is_end: bool) -> String {
        let mut out = String::new();
        self.read(&mut out);
        let named = fs::metadata(&self.path).ok().map(|meta| meta.ino());
        let known = self.open.as_ref().map(|(ino, _)| *ino);
        if named.is_some() && named != known {
            let replaced = known.is_some();
            self.open = self.reopened(replaced);
            if replaced {
                self.end_line(&mut out);
                let path = self.path.display().to_string();
                let shown = text::harmless(&path);
                let _ = writeln!(out, "… a part is not shown here; {shown} keeps beginning and end");
            }
            self.read(&mut out);
        }
        if is_end && !self.line.is_empty() {
            self.end_line(&mut out);
        }
        out
    }

    /// What replaces a file begins with what was shown already, so that it is gone on with at its end.
    fn reopened(&self, at_end: bool) -> Option<(u64, File)> {
        let mut file = File::open(&self.path).ok()?;
        let ino = file.metadata().ok()?.ino();
        if at_end {
            file.seek(SeekFrom::End(0)).ok()?;
        }
        Some((ino, file))
    }

    fn read(&mut self, out: &mut String) {
        let mut bytes = Vec::new();
        if let Some((_, file)) = &mut self.open {
            // What cannot be read now is read the next time, or seen in the file.
            let _ = file.read_to_end(&mut bytes);
        }
        for byte in bytes {
            if byte == b'\n' {
                self.end_line(out);
            } else {
                self.line.push(byte);
            }
        }
    }

    fn end_line(&mut self, out: &mut String) {
        let line = String::from_utf8_lossy(&self.line);
        out.push_str(&text::harmless(line.trim_end_matches('\r')));
        out.push('\n');
        self.line.clear();
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn lines_come_once_and_whole_and_the_last_one_at_the_end() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("000002.log");
        let mut following = Following::new(path.clone());
        assert_eq!(following.more(false), "");
        let mut file = File::create(&path).unwrap();
        file.write_all(b"one\ntw").unwrap();
        assert_eq!(following.more(false), "one\n");
        file.write_all(b"o\r\n\x1b[2Jthree").unwrap();
        assert_eq!(following.more(false), "two\n");
        assert_eq!(following.more(true), "\\u{1b}[2Jthree\n");
        assert_eq!(following.more(true), "");
    }

    #[test]
    fn a_file_that_is_replaced_is_gone_on_with_at_its_end_and_that_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("000002.log");
        fs::write(&path, "one\n").unwrap();
        let mut following = Following::new(path.clone());
        assert_eq!(following.more(false), "one\n");
        let newer = dir.path().join("newer");
        fs::write(&newer, "one\n… 9 bytes left out …\nnine\n").unwrap();
        fs::rename(&newer, &path).unwrap();
        let told = following.more(false);
        assert!(told.contains("not shown here") && !told.contains("nine"), "{told}");
        File::options().append(true).open(&path).unwrap().write_all(b"ten\n").unwrap();
        assert_eq!(following.more(true), "ten\n");
    }
}
