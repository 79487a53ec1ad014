//! The output file of one program: bounded, and readable while the program runs.
//!
//! Bytes are appended as they come. A file that grows past [`LIVE`] is replaced, by renaming, with
//! its head, a line that says how much was left out, and its newest bytes; so whoever opens it by its
//! name finds the newest lines at its end, and never half of a rewriting. At the end it is brought to
//! [`HEAD`] and [`TAIL`] in the same way.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::tail::readable;

/// How many of the first bytes of its output are kept.
pub const HEAD: usize = 64 * 1024;
/// How many of the last bytes of its output are kept.
pub const TAIL: usize = 64 * 1024;
/// How long the file may grow while the program runs, give or take one piece of output.
const LIVE: usize = 1024 * 1024;
/// How many of the last bytes go into the outcome.
const SAID: usize = 4 * 1024;
/// For the owner, and for the group that shares the ledger's directory.
const MODE: u32 = 0o640;

/// What became of a program's output.
pub(super) struct Kept {
    /// How many bytes there were.
    pub(super) bytes: u64,
    /// `sha256:` and the hash over all of them.
    pub(super) sha256: String,
    /// The last of them.
    pub(super) tail: String,
    /// Why the file does not hold what it should.
    pub(super) unkept: Option<String>,
}

impl Kept {
    /// Of a program that wrote nothing, or whose output was lost.
    pub(super) fn nothing(unkept: Option<String>) -> Self {
        Self { bytes: 0, sha256: digits(Sha256::new()), tail: String::new(), unkept }
    }
}

/// Writes the file.
pub(super) struct Keeper {
    path: PathBuf,
    file: File,
    /// How long the file is.
    length: usize,
    /// At most [`HEAD`] bytes.
    head: Vec<u8>,
    /// What came after the head: at least its last [`TAIL`] bytes.
    recent: Vec<u8>,
    bytes: u64,
    hash: Sha256,
    /// Why the file does not hold what came.
    unkept: Option<String>,
}

impl Keeper {
    /// Creates the file.
    ///
    /// # Errors
    /// The system's; also where the file exists: it belongs to another run of the program.
    pub(super) fn new(path: &Path) -> io::Result<Self> {
        let file = create(path)?;
        let (path, hash) = (path.to_owned(), Sha256::new());
        Ok(Self { path, file, length: 0, head: Vec::new(), recent: Vec::new(), bytes: 0, hash, unkept: None })
    }

    /// Adds to the output. A file that cannot be written does not stand in the program's way: the
    /// output is counted and hashed all the same, and the outcome says so.
    pub(super) fn add(&mut self, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        self.hash.update(bytes);
        self.bytes = self.bytes.saturating_add(bytes.len() as u64);
        let (first, rest) = bytes.split_at(bytes.len().min(HEAD.saturating_sub(self.head.len())));
        self.head.extend(first);
        self.recent.extend(rest);
        if self.recent.len() > 2 * TAIL {
            self.recent.drain(..self.recent.len() - TAIL);
        }
        if self.unkept.is_none() {
            let written = if self.length.saturating_add(bytes.len()) > LIVE {
                self.rewrite()
            } else {
                self.length += bytes.len();
                self.file.write_all(bytes)
            };
            self.unkept = written.err().map(|e| self.trouble(&e));
        }
    }

    /// Leaves head and tail in the file, and makes it durable. A file that could not be written before
    /// is tried once more.
    pub(super) fn finish(mut self) -> Kept {
        let whole = self.bytes <= (HEAD + TAIL) as u64;
        let written = if whole && self.unkept.is_none() { Ok(()) } else { self.rewrite() };
        let synced = written.and_then(|()| self.file.sync_all()).and_then(|()| sync_parent(&self.path));
        let unkept = synced.err().map(|e| self.trouble(&e));
        let last = |bytes: &[u8]| bytes.split_at(bytes.len().saturating_sub(SAID)).1.to_vec();
        let said = if self.recent.len() >= SAID {
            last(&self.recent)
        } else {
            last(&[last(&self.head), self.recent].concat())
        };
        Kept { bytes: self.bytes, sha256: digits(self.hash), tail: readable(&said), unkept }
    }

    /// Replaces the file with one that holds head and tail only.
    fn rewrite(&mut self) -> io::Result<()> {
        let tail = self.recent.split_at(self.recent.len().saturating_sub(TAIL)).1;
        let left_out = self.bytes.saturating_sub((self.head.len() + tail.len()) as u64);
        let mut all = self.head.clone();
        if left_out > 0 {
            let newline = if all.ends_with(b"\n") { "" } else { "\n" };
            all.extend(format!("{newline}… {left_out} bytes left out …\n").into_bytes());
        }
        all.extend(tail);
        let mut name = OsString::from(".tmp-");
        name.push(self.path.file_name().unwrap_or_default());
        let temp = self.path.with_file_name(name);
        let replaced = create(&temp).and_then(|mut file| {
            file.write_all(&all)?;
            fs::rename(&temp, &self.path)?;
            Ok(file)
        });
        match replaced {
            Ok(file) => {
                self.file = file;
                self.length = all.len();
                Ok(())
            }
            Err(e) => {
                let _ = fs::remove_file(&temp);
                Err(e)
            }
        }
    }

    fn trouble(&self, error: &io::Error) -> String {
        format!("the output could not be kept in {}: {error}", self.path.display())
    }
}

fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).create_new(true).mode(MODE).open(path)
}

/// Makes the name of a file durable.
pub(super) fn sync_parent(path: &Path) -> io::Result<()> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    File::open(parent.unwrap_or(Path::new(".")))?.sync_all()
}

fn digits(hash: Sha256) -> String {
    let mut text = String::from("sha256:");
    for byte in hash.finalize() {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn sha(bytes: &[u8]) -> String {
        let mut hash = Sha256::new();
        hash.update(bytes);
        digits(hash)
    }

    #[test]
    fn what_fits_is_kept_as_it_is_and_its_hash_is_the_files() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("000001.log");
        let mut keeper = Keeper::new(&path).unwrap();
        let bytes: Vec<u8> = (0..HEAD + TAIL).map(|i| b"abc\n"[i % 4]).collect();
        for piece in bytes.chunks(1000) {
            keeper.add(piece);
        }
        let kept = keeper.finish();
        assert_eq!(fs::read(&path).unwrap(), bytes);
        assert_eq!((kept.sha256, kept.unkept), (sha(&bytes), None));
        assert_eq!(kept.tail.as_bytes(), &bytes[bytes.len() - SAID..]);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o137, 0, "no one else reads it");
        assert!(Keeper::new(&path).is_err(), "a file of another run is not written over");
    }

    #[test]
    fn of_more_the_head_and_the_tail_are_kept_and_the_count_between_is_exact() {
        for (length, piece) in [(HEAD + TAIL + 1, 777), (3 * LIVE + 5, 65_536), (3 * LIVE + 5, 999)] {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("000001.log");
            let bytes: Vec<u8> = (0..length).map(|i| b'a' + (i % 25) as u8).collect();
            let mut keeper = Keeper::new(&path).unwrap();
            let mut given = 0;
            for piece in bytes.chunks(piece) {
                keeper.add(piece);
                given += piece.len();
                let live = fs::read(&path).unwrap();
                assert!(live.len() <= LIVE, "{}", live.len());
                assert!(live.ends_with(&bytes[given.saturating_sub(1000)..given]), "the newest is seen");
            }
            let kept = keeper.finish();
            let gap = format!("\n… {} bytes left out …\n", length - HEAD - TAIL);
            let want = [&bytes[..HEAD], gap.as_bytes(), &bytes[length - TAIL..]].concat();
            assert!(fs::read(&path).unwrap() == want);
            assert_eq!((kept.sha256, kept.bytes), (sha(&bytes), length as u64));
            assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "nothing lies about");
        }
    }

    #[test]
    fn a_file_that_cannot_be_written_is_told_and_the_figures_stay_true() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("output").join("000001.log");
        fs::create_dir(path.parent().unwrap()).unwrap();
        let mut keeper = Keeper::new(&path).unwrap();
        fs::remove_dir_all(path.parent().unwrap()).unwrap();
        let bytes = vec![b'x'; LIVE + 1];
        keeper.add(&bytes);
        keeper.add(b"end");
        let kept = keeper.finish();
        let why = kept.unkept.unwrap();
        assert!(why.starts_with("the output could not be kept in ") && why.contains("000001.log: "), "{why}");
        assert_eq!((kept.bytes, kept.sha256), (LIVE as u64 + 4, sha(&[&bytes[..], b"end"].concat())));
        assert!(kept.tail.ends_with("xend"));
    }
}
