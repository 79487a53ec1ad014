//! Which terminals are on a run: a small file of each in `here/`, touched every few seconds.
//!
//! No fact of the run, and never in its chain: a lease that is written down as an event every few
//! seconds would bury what people did. Ages are told by the file system's own clock on both sides.

use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use crate::checklist::Present;
use crate::model::text;

use super::disk::make_dirs;
use super::view::replace;

/// How long after its last touch a terminal still counts as there: three touches, and some patience
/// for a slow disk.
const FRESH: Duration = Duration::from_secs(20);
/// How old a file must be to be swept.
const LEFT: Duration = Duration::from_hours(24);
/// The longest name that is read of a file that anybody could have written.
const LONGEST: usize = 60;

/// Touches this terminal's file, and says who is there; itself included.
pub(super) fn touch(disk: &dyn super::disk::Disk, run: &Path, me: &Present) -> io::Result<Vec<Present>> {
    let here = run.join("here");
    if !here.is_dir() {
        make_dirs(disk, &here)?;
    }
    replace(&here, &file_name(&me.terminal), &[me.name.as_bytes()])?;
    let modified = |path: &Path| fs::symlink_metadata(path).and_then(|meta| meta.modified());
    let now = modified(&here.join(file_name(&me.terminal)))?;
    let mut present = Vec::new();
    for entry in fs::read_dir(&here)?.flatten() {
        let path = entry.path();
        let file = entry.file_name().to_string_lossy().into_owned();
        let Ok(then) = modified(&path) else { continue };
        // A file from a moment ahead is fresh: clocks of a shared disk may differ by a little.
        let age = now.duration_since(then).unwrap_or_default();
        if age > LEFT {
            let _ = fs::remove_file(&path);
        }
        let known = file.strip_suffix(SUFFIX).filter(|_| age <= FRESH);
        if let Some(terminal) = known {
            let name = fs::read(&path).unwrap_or_default();
            let name = text::harmless_line(&String::from_utf8_lossy(&name), LONGEST);
            present.push(Present { terminal: terminal.to_owned(), name });
        }
    }
    present.sort_by(|a, b| a.terminal.cmp(&b.terminal));
    Ok(present)
}

/// Takes this terminal's file away: it leaves at once, and not after a while.
pub(super) fn leave(run: &Path, terminal: &str) {
    let _ = fs::remove_file(run.join("here").join(file_name(terminal)));
}

const SUFFIX: &str = ".here";

fn file_name(terminal: &str) -> String {
    let safe = |c: char| if c.is_ascii_alphanumeric() || "-_".contains(c) { c } else { '-' };
    format!("{}{SUFFIX}", terminal.chars().take(80).map(safe).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::disk::RealDisk;

    fn me(terminal: &str) -> Present {
        Present { terminal: terminal.into(), name: format!("{terminal}\u{1b}[2J") }
    }

    #[test]
    fn terminals_see_each_other_until_they_leave_or_fall_silent() {
        let dir = tempfile::tempdir().unwrap();
        let names = |present: Vec<Present>| present.into_iter().map(|p| p.terminal).collect::<Vec<_>>();
        assert_eq!(names(touch(&RealDisk, dir.path(), &me("a-1")).unwrap()), ["a-1"]);
        let both = touch(&RealDisk, dir.path(), &me("b-2")).unwrap();
        assert!(both.iter().all(|p| p.name.ends_with("\\u{1b}[2J")), "{both:?}");
        assert_eq!(names(both), ["a-1", "b-2"]);
        leave(dir.path(), "a-1");
        assert_eq!(names(touch(&RealDisk, dir.path(), &me("b-2")).unwrap()), ["b-2"]);
        let old = std::time::SystemTime::now() - Duration::from_mins(1);
        let file = fs::File::options().write(true).open(dir.path().join("here/b-2.here")).unwrap();
        file.set_modified(old).unwrap();
        assert_eq!(names(touch(&RealDisk, dir.path(), &me("c/3")).unwrap()), ["c-3"]);
    }
}
