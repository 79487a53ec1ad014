//! `run.toml`: what the events of a run add up to, for people and their tools.
//!
//! It is written anew after an event and never read back: what is shown as done must not rest on a file
//! that is made to be looked into. Losing it costs nothing.

use std::fs::Permissions;
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use serde::Serialize;

use crate::checklist::{Author, Run};
use crate::model::Time;

const HEADING: &str =
    "# What events/ adds up to, rebuilt after events. Never read back: edits here change nothing.\n";

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct View {
    schema: u64,
    run: String,
    title: String,
    checklist: String,
    mode: &'static str,
    started: Option<Time>,
    by: Option<String>,
    t0: Option<Time>,
    seq: u64,
    head: Option<String>,
    settled: usize,
    items: usize,
    #[serde(rename = "item")]
    rows: Vec<Row>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Row {
    id: String,
    stage: &'static str,
    rev: u64,
    by: Option<String>,
    at: Option<Time>,
    reason: Option<String>,
    waits_for: Vec<String>,
    notes: usize,
}

/// From this many items on the view is written now and then only: it is for people, who do not read a
/// thousand lines after each tick.
const MANY: usize = 500;
/// How seldom that is, in events.
const SELDOM: u64 = 32;

/// Writes the view in one step: a reader sees the one before or this one, whole.
pub(super) fn write(dir: &Path, run: &Run) -> io::Result<()> {
    if run.items.len() > MANY && run.seq > 1 && !run.seq.is_multiple_of(SELDOM) {
        return Ok(());
    }
    let text = toml::to_string(&of(run)).map_err(io::Error::other)?;
    replace(dir, "run.toml", &[HEADING.as_bytes(), text.as_bytes()])
}

/// Puts a file into the run's directory in one step.
pub(super) fn replace(dir: &Path, name: &str, parts: &[&[u8]]) -> io::Result<()> {
    let mut file = tempfile::Builder::new()
        .prefix(".tmp-")
        // What the umask leaves of it: on a shared host the group reads the view.
        .permissions(Permissions::from_mode(0o666))
        .tempfile_in(dir)?;
    for part in parts {
        file.write_all(part)?;
    }
    file.persist(dir.join(name)).map_err(|e| e.error)?;
    Ok(())
}

fn of(run: &Run) -> View {
    let (settled, items) = run.progress();
    let signed = |settled: Option<&(Author, Time)>| {
        settled.map_or((None, None), |(a, t)| (Some(a.by.clone()), Some(*t)))
    };
    let (by, started) = signed(run.started.as_ref());
    let rows = run.template.items.iter().zip(&run.items).map(|(item, state)| {
        let (by, at) = signed(state.settled.as_ref());
        Row {
            id: item.id.to_string(),
            stage: state.stage.word(),
            rev: state.rev,
            by,
            at,
            reason: state.reason.clone(),
            waits_for: run.waits_for(&item.id).iter().map(ToString::to_string).collect(),
            notes: state.notes.len(),
        }
    });
    View {
        schema: 1,
        run: run.id.to_string(),
        title: run.template.title.clone(),
        checklist: run.template.id.clone(),
        mode: run.mode.as_str(),
        started,
        by,
        t0: run.clock.t0,
        seq: run.seq,
        head: run.head.as_ref().map(|h| h.0.clone()),
        settled,
        items,
        rows: rows.collect(),
    }
}
