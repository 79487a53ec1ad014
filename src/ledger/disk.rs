//! The few steps that must be durable, behind a trait, so that tests can make each of them fail.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::Duration;

/// What the ledger asks of a file system.
pub(super) trait Disk: Send + Sync {
    /// Writes a new file and syncs it; whatever stood there before is gone.
    fn write_synced(&self, path: &Path, bytes: &[u8]) -> io::Result<()>;
    /// link(2): gives the file a second name, which must not exist.
    fn link(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Syncs a directory, so that its names are durable.
    fn sync_dir(&self, path: &Path) -> io::Result<()>;
}

/// The real one.
pub(super) struct RealDisk;

impl Disk for RealDisk {
    fn write_synced(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        match fs::remove_file(path) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
            _ => {}
        }
        // Read-only from birth: an event is never changed, and an editor asks before it overwrites one.
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o444).open(path)?;
        let written = file.write_all(bytes).and_then(|()| file.sync_all());
        if written.is_err() {
            let _ = fs::remove_file(path);
        }
        written
    }

    fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::hard_link(from, to)
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        File::open(path)?.sync_all()
    }
}

/// Makes a directory with all its parents, each durable in its own parent.
pub(super) fn make_dirs(disk: &dyn Disk, path: &Path) -> io::Result<()> {
    if path.as_os_str().is_empty() || path.is_dir() {
        return Ok(());
    }
    let parent = path.parent().unwrap_or(Path::new(""));
    make_dirs(disk, parent)?;
    match fs::create_dir(path) {
        Err(e) if e.kind() != io::ErrorKind::AlreadyExists || !path.is_dir() => return Err(e),
        _ => {}
    }
    disk.sync_dir(if parent.as_os_str().is_empty() { Path::new(".") } else { parent })
}

/// How old something unfinished must be before it counts as left behind.
const LEFT_BEHIND: Duration = Duration::from_hours(1);

/// Removes what was left unfinished in a directory by a process that died, an hour or more before
/// `fresh` was written: the file system's own clock on both sides. What cannot be removed stays.
pub(super) fn sweep(dir: &Path, fresh: &Path) {
    let modified = |path: &Path| fs::symlink_metadata(path).and_then(|meta| meta.modified());
    let (Ok(now), Ok(entries)) = (modified(fresh), fs::read_dir(dir)) else { return };
    for entry in entries.flatten().filter(|e| e.file_name().to_string_lossy().starts_with(".tmp-")) {
        let path = entry.path();
        let age = modified(&path).ok().and_then(|then| now.duration_since(then).ok());
        if age.is_some_and(|age| age >= LEFT_BEHIND) {
            let _ = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
        }
    }
}
