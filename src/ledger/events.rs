//! Reading `events/`: one immutable file an event, named `000001.toml` onwards, dense.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use crate::checklist::{Event, Run, event_file};
use crate::model::{RunId, text};

use super::LedgerError;

/// The most bytes of an event file or a template that are read; what is longer was not written here.
pub(super) const MAX_FILE: u64 = 4 * 1024 * 1024;

/// What can be wrong with what is stored.
#[derive(Debug)]
pub(super) enum Trouble {
    /// A file that must not be as it is.
    Bad {
        /// The event's number, where the file is or should be an event.
        seq: Option<u64>,
        /// The file, as seen from the run's directory.
        file: String,
        /// What is wrong with it.
        why: String,
    },
    /// The system would not let it be read.
    Io(PathBuf, io::Error),
}

impl Trouble {
    pub(super) fn bad(seq: u64, why: impl std::fmt::Display) -> Self {
        Self::Bad { seq: Some(seq), file: format!("events/{}", name(seq)), why: format!("{why}") }
    }

    /// As the error of the contract.
    pub(super) fn of(self, run: &RunId) -> LedgerError {
        match self {
            Self::Bad { file, why, .. } => LedgerError::Damaged {
                run: run.clone(),
                what: text::harmless_line(&format!("{file}: {why}"), 600),
            },
            Self::Io(path, source) => unreadable(&path, source),
        }
    }
}

/// A path that cannot be read, with the system's word.
pub(super) fn unreadable(path: &Path, source: io::Error) -> LedgerError {
    LedgerError::Unreadable { what: shown(path), source }
}

/// A path, harmless to print.
pub(super) fn shown(path: &Path) -> String {
    text::harmless(&path.to_string_lossy()).into_owned()
}

/// The file name of an event.
pub(super) fn name(seq: u64) -> String {
    format!("{seq:06}.toml")
}

/// What a name in `events/` stands for.
enum Entry {
    Event(u64),
    /// Ours in the making, or left behind by file systems themselves.
    Passing,
    Foreign,
}

fn classify(file: &str) -> Entry {
    let seq = file.strip_suffix(".toml").and_then(|digits| digits.parse::<u64>().ok());
    match seq {
        Some(seq) if seq > 0 && name(seq) == file => Entry::Event(seq),
        _ if file.starts_with(".tmp-") || file.starts_with(".nfs") || file == ".DS_Store" => Entry::Passing,
        _ => Entry::Foreign,
    }
}

/// The highest number in `events/`, and the first name that has no business there.
pub(super) fn survey(events: &Path) -> Result<(u64, Option<String>), Trouble> {
    let io = |e| Trouble::Io(events.to_owned(), e);
    let mut last = 0;
    let mut foreign: Option<String> = None;
    let entries = match fs::read_dir(events) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            let why = "the directory is missing".into();
            return Err(Trouble::Bad { seq: Some(1), file: "events".into(), why });
        }
        other => other.map_err(io)?,
    };
    for entry in entries {
        let file = entry.map_err(io)?.file_name().to_string_lossy().into_owned();
        match classify(&file) {
            Entry::Event(seq) => last = last.max(seq),
            Entry::Passing => {}
            Entry::Foreign => foreign = Some(foreign.map_or(file.clone(), |before| before.min(file))),
        }
    }
    Ok((last, foreign))
}

/// An event by its number; `None` where there is no such file.
pub(super) fn one(events: &Path, seq: u64) -> Result<Option<Event>, Trouble> {
    let path = events.join(name(seq));
    let Some(text) = whole_text(&path, |why| Trouble::bad(seq, why))? else {
        return Ok(None);
    };
    event_file::read(&text).map(Some).map_err(|why| Trouble::bad(seq, why))
}

/// The text of a regular file of reasonable size; `None` where there is no such file.
pub(super) fn whole_text(path: &Path, bad: impl Fn(&str) -> Trouble) -> Result<Option<String>, Trouble> {
    whole_text_up_to(path, MAX_FILE, bad)
}

/// As [`whole_text`], of at most this many bytes.
pub(super) fn whole_text_up_to(
    path: &Path,
    most: u64,
    bad: impl Fn(&str) -> Trouble,
) -> Result<Option<String>, Trouble> {
    let io = |e| Trouble::Io(path.to_owned(), e);
    // Asked before opening: a named pipe would wait for a writer for ever.
    match fs::symlink_metadata(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(io(e)),
        Ok(meta) if !meta.is_file() => return Err(bad("it is no regular file")),
        Ok(_) => {}
    }
    let file = match File::open(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other.map_err(io)?,
    };
    let mut bytes = Vec::new();
    file.take(most + 1).read_to_end(&mut bytes).map_err(io)?;
    if bytes.len() as u64 > most {
        return Err(bad("it is too large to have been written by gonogo"));
    }
    String::from_utf8(bytes).map(Some).map_err(|_| bad("it is not UTF-8"))
}

/// The run's next event, which follows what it has seen; `None` where there is none yet.
pub(super) fn next(events: &Path, run: &Run) -> Result<Option<Event>, Trouble> {
    let event = one(events, run.seq + 1)?;
    if let Some(event) = &event {
        run.follows(event).map_err(|why| Trouble::bad(run.seq + 1, why))?;
    }
    Ok(event)
}

/// Takes into the run every event that follows what it has seen, and returns them.
pub(super) fn tail(events: &Path, run: &mut Run) -> Result<Vec<Event>, Trouble> {
    let mut new = Vec::new();
    while let Some(event) = next(events, run)? {
        run.apply(&event);
        new.push(event);
    }
    Ok(new)
}

/// Folds all events into a run that has seen none, and checks that nothing is missing or foreign.
pub(super) fn all(events: &Path, run: &mut Run) -> Result<(), Trouble> {
    // Surveyed first: an event that is written meanwhile is folded and not taken for a gap.
    let surveyed = survey(events)?;
    tail(events, run)?;
    complete(surveyed, run)
}

/// Whether the run that was folded reaches the highest number that was surveyed before, and nothing
/// else lies in `events/`.
pub(super) fn complete((last, foreign): (u64, Option<String>), run: &Run) -> Result<(), Trouble> {
    if run.seq < last {
        return Err(Trouble::bad(run.seq + 1, format!("it is missing, though {} is there", name(last))));
    }
    if run.seq == 0 {
        return Err(Trouble::bad(1, "it is missing: this run never began"));
    }
    match foreign {
        None => Ok(()),
        Some(file) => Err(Trouble::Bad {
            seq: None,
            file: format!("events/{file}"),
            why: "it is no event; move it out of events/".into(),
        }),
    }
}
