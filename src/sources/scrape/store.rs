//! A source's history as a file, so that a restart does not cost hours of Unknown.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use crate::model::Time;
use crate::promql::{History, Limits};

/// A larger file is none of gonogo's.
const MOST_BYTES: u64 = 1 << 30;

/// The file of one source of one launch.
#[derive(Clone, Debug)]
pub struct Store {
    path: PathBuf,
    key: [u8; 32],
}

impl Store {
    /// The file in `dir` for what `watched` stands for, in the launch of this name.
    pub fn new(dir: &Path, launch: &[&str], watched: &[u8; 32]) -> Self {
        let mut hash = Sha256::new();
        for part in launch {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part.as_bytes());
        }
        hash.update(watched);
        let key: [u8; 32] = hash.finalize().into();
        let name = key.iter().take(12).fold(String::new(), |name, byte| format!("{name}{byte:02x}"));
        Self { path: dir.join(format!("{name}.history")), key }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads the history back; `None` where there is none, or nothing recent enough in it.
    ///
    /// # Errors
    /// A sentence that says why the file is not used: it cannot be read, is damaged, older, or of
    /// something else. Nothing of it is taken then.
    pub fn load(&self, limits: Limits, now: Time) -> Result<Option<History>, String> {
        let told = |why: String| format!("the saved history {} is not used: {why}", self.path.display());
        let mut bytes = Vec::new();
        match File::open(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(told(error.to_string())),
            Ok(file) => {
                let meta = file.metadata().map_err(|error| told(error.to_string()))?;
                if meta.uid() != rustix::process::geteuid().as_raw() {
                    return Err(told("it belongs to another user".into()));
                }
                file.take(MOST_BYTES).read_to_end(&mut bytes).map_err(|error| told(error.to_string()))?
            }
        };
        let history =
            History::restore(limits, &self.key, &bytes, now).map_err(|error| told(error.to_string()))?;
        let keeps = limits.keep.max(std::time::Duration::from_mins(5));
        Ok(Some(history).filter(|history| history.ends().is_some_and(|last| now.since(last) < keeps)))
    }

    /// Puts the history in the place of the file, whole or not at all, for the user's eyes only.
    ///
    /// # Errors
    /// The system's.
    pub fn save(&self, history: &History) -> io::Result<()> {
        let dir = self.path.parent().unwrap_or(Path::new("."));
        fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
        // Made with 0600.
        let mut file = tempfile::NamedTempFile::new_in(dir)?;
        file.write_all(&history.save(&self.key))?;
        file.as_file().sync_data()?;
        file.persist(&self.path).map_err(|error| error.error)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;
    use std::time::Duration;

    use super::*;
    use crate::model::Labels;

    fn limits() -> Limits {
        Limits { keep: Duration::from_secs(3600), max_series: 10 }
    }

    fn at(seconds: u64) -> Time {
        Time::from_millis(1_700_000_000_000).after(Duration::from_secs(seconds))
    }

    fn seen() -> History {
        let mut history = History::new(limits());
        for i in 0..20 {
            let labels = Labels::from_pairs([("__name__", "depth")]);
            history.record(at(i * 5), [(labels, i as f64, None)]);
        }
        history
    }

    #[test]
    fn a_history_is_read_back_by_who_watches_the_same_and_by_nobody_else() {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path().join("gonogo/history");
        let store = Store::new(&dir, &["Tasks", "production"], &[1; 32]);
        assert!(store.load(limits(), at(100)).unwrap().is_none(), "there is no file yet");
        store.save(&seen()).unwrap();
        assert_eq!(fs::metadata(store.path()).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::metadata(&dir).unwrap().permissions().mode() & 0o777, 0o700);
        let back = store.load(limits(), at(100)).unwrap().unwrap();
        assert_eq!((back.begins(), back.series()), (Some(at(0)), 1));
        let other = Store::new(&dir, &["Tasks", "staging"], &[1; 32]);
        assert!(other.path() != store.path() && other.load(limits(), at(100)).unwrap().is_none());
        // A copy under the other's name is still not the other's.
        fs::copy(store.path(), other.path()).unwrap();
        let error = other.load(limits(), at(100)).unwrap_err();
        assert!(error.contains("another source"), "{error}");
        assert!(store.load(limits(), at(100_000)).unwrap().is_none(), "all of it is too old");
        assert_eq!(fs::read_dir(&dir).unwrap().count(), 2, "no temporary file is left behind");
    }

    #[test]
    fn a_damaged_file_is_not_used_and_the_sentence_says_why() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::new(dir.path(), &["Tasks"], &[1; 32]);
        store.save(&seen()).unwrap();
        let whole = fs::read(store.path()).unwrap();
        for (bytes, why) in [
            (whole[..whole.len() / 2].to_vec(), "damaged"),
            (b"hello".to_vec(), "no history"),
            (Vec::new(), "no history"),
            (
                {
                    let mut b = whole.clone();
                    b[15] = 9;
                    b
                },
                "another version",
            ),
            (
                {
                    let mut b = whole.clone();
                    let n = b.len() - 40;
                    b[n] ^= 1;
                    b
                },
                "damaged",
            ),
        ] {
            fs::write(store.path(), bytes).unwrap();
            let error = store.load(limits(), at(100)).unwrap_err();
            assert!(error.contains(why) && error.contains("is not used"), "{error}");
        }
    }
}
