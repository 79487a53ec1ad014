//! Names of runs: `2025-12-02-tasks-launch-01kax3`, and finding one by a part of it.

use std::fs;
use std::io;
use std::path::Path;

use ulid::Ulid;

use crate::model::{RunId, Time, text};

use super::LedgerError;
use super::events::unreadable;

/// How many characters of a ULID end a name.
const TAIL: usize = 6;

/// The name of a run: its date, its template, and the first characters of a ULID of that moment, as
/// in the ids of its first events, so that the same moment gives the same name. `again` is for
/// when that name is taken: random characters of the ULID instead.
pub(super) fn of_run(at: Time, template: &str, again: bool) -> String {
    let ulid = if again { Ulid::generate() } else { Ulid::from_parts(millis(at), 0) };
    let digits = ulid.to_string().to_ascii_lowercase();
    let tail = if again {
        digits.len().checked_sub(TAIL).and_then(|at| digits.get(at..))
    } else {
        digits.get(..TAIL)
    };
    let template: String = template
        .chars()
        .take(64)
        .map(|c| if c.is_ascii_alphanumeric() || "-_".contains(c) { c } else { '-' })
        .collect();
    format!("{}-{template}-{}", at.date(), tail.unwrap_or("000000"))
}

/// A moment as a ULID counts it.
pub(super) fn millis(at: Time) -> u64 {
    u64::try_from(at.millis()).unwrap_or(0)
}

/// All names of runs in a ledger; none where the ledger does not exist yet.
pub(super) fn all(ledger: &Path) -> Result<Vec<String>, LedgerError> {
    let io = |e| unreadable(ledger, e);
    let entries = match fs::read_dir(ledger) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other.map_err(io)?,
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(io)?;
        let is_run = entry.path().join("events").is_dir() || entry.path().join("template.toml").is_file();
        if let (true, Ok(name)) = (is_run, entry.file_name().into_string())
            && !name.starts_with('.')
            // What gonogo did not name is no run of its, and may steer a terminal.
            && name.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
        {
            names.push(name);
        }
    }
    names.sort_unstable();
    Ok(names)
}

/// The run that is meant: its whole name, or a part that fits one run only.
pub(super) fn resolve(ledger: &Path, asked: &str) -> Result<RunId, LedgerError> {
    let names = all(ledger)?;
    if names.iter().any(|name| name == asked) {
        return Ok(RunId::new(asked));
    }
    let clean = || text::harmless_line(asked, 100);
    let part = asked.to_ascii_lowercase();
    let mut fits: Vec<String> = if part.is_empty() {
        Vec::new()
    } else {
        names.iter().filter(|name| name.to_ascii_lowercase().contains(&part)).cloned().collect()
    };
    match (fits.pop(), fits.is_empty()) {
        (Some(only), true) => Ok(RunId::new(only)),
        (Some(last), false) => {
            fits.push(last);
            Err(LedgerError::Ambiguous {
                asked: clean(),
                names: fits.iter().map(|n| text::harmless_line(n, 200)).collect(),
            })
        }
        (None, _) => Err(LedgerError::NoSuchRun {
            asked: clean(),
            ledger: ledger.to_owned(),
            nearest: nearest(&names, asked).map(|name| text::harmless_line(name, 200)),
        }),
    }
}

/// The name most like what was asked, whole or in its middle or last part.
fn nearest<'a>(names: &'a [String], asked: &str) -> Option<&'a str> {
    let like = |name: &str| {
        let after_date = name.get(11..).unwrap_or(name);
        let (template, tail) = after_date.rsplit_once('-').unwrap_or((after_date, after_date));
        [name, after_date, template, tail]
            .iter()
            .map(|part| strsim::normalized_damerau_levenshtein(part, asked))
            .fold(0.0, f64::max)
    };
    let best = names.iter().map(|name| (like(name), name)).max_by(|a, b| a.0.total_cmp(&b.0))?;
    (best.0 >= 0.5).then_some(best.1.as_str())
}
