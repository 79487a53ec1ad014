//! `state.json`: the fold of a run up to some event, so that opening it reads that and the tail.
//!
//! It is a cache and no truth: it carries its own hash, names the event it was made after, and is
//! thrown away where either does not fit. `verify` never looks at it, and a room that opens a run
//! recomputes the whole chain behind the screen.

use std::io;
use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::checklist::{Hash, Run, Template};
use crate::model::RunId;

use super::events::{self, Trouble};
use super::view::replace;

const FILE: &str = "state.json";
/// The form of the fold; another program's fold is not this one's.
const FORM: u64 = 1;
/// After how many events it is written anew: the tail that an opening reads stays shorter.
const EVERY: u64 = 32;

#[derive(Serialize, Deserialize)]
struct Snapshot<'a> {
    form: u64,
    program: &'a str,
    #[serde(borrow)]
    hash: std::borrow::Cow<'a, str>,
    #[serde(borrow)]
    run: &'a serde_json::value::RawValue,
}

/// Whether it is time to write it, after the run has come from `before` to where it is.
pub(super) fn is_due(before: u64, run: &Run) -> bool {
    run.seq / EVERY > before / EVERY
}

/// Writes it in one step.
pub(super) fn write(dir: &Path, run: &Run) -> io::Result<()> {
    let body = serde_json::value::to_raw_value(run)?;
    let hash = Hash::of(body.get().as_bytes()).0;
    let snapshot = Snapshot { form: FORM, program: program(), hash: hash.into(), run: &body };
    replace(dir, FILE, &[&serde_json::to_vec(&snapshot)?])
}

/// The run as the snapshot has it; `None` where there is none that fits this template and the event
/// that it says it was made after.
pub(super) fn read(dir: &Path, events: &Path, id: &RunId, template: &Arc<Template>) -> Option<Run> {
    let odd = |why: &str| Trouble::Bad { seq: None, file: FILE.into(), why: why.into() };
    let text = events::whole_text_up_to(&dir.join(FILE), 64 * events::MAX_FILE, odd).ok()??;
    let snapshot: Snapshot<'_> = serde_json::from_str(&text).ok()?;
    if snapshot.form != FORM || snapshot.program != program() {
        return None;
    }
    if Hash::of(snapshot.run.get().as_bytes()).0 != snapshot.hash {
        return None;
    }
    let run: Run = serde_json::from_str(snapshot.run.get()).ok()?;
    let run = run.restored(id.clone(), Arc::clone(template))?;
    let event = events::one(events, run.seq).ok()??;
    (run.head.as_ref() == Some(&event.hash)).then_some(run)
}

fn program() -> &'static str {
    env!("CARGO_PKG_VERSION")
}
