//! Reading a whole run again and recomputing its chain.

use std::sync::Arc;

use crate::checklist::{Hash, Run, Template};
use crate::model::{RunId, text};

use super::directory::{DirectoryLedger, Place};
use super::events::{self, Trouble};
use super::{LedgerError, names};

/// What verifying a run found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// The run.
    pub run: RunId,
    /// The last event up to which everything is as it was written.
    pub seq: u64,
    /// Its hash.
    pub head: Option<Hash>,
    /// The first thing that is not; `None` where all is well.
    pub first_bad: Option<FirstBad>,
}

/// The first thing that is not as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FirstBad {
    /// The event's number; `None` for a file that is no event.
    pub seq: Option<u64>,
    /// The file, as seen from the run's directory.
    pub file: String,
    /// What is wrong, harmless to print.
    pub why: String,
}

impl DirectoryLedger {
    /// Reads all events of a run, recomputes their hashes, and names the first bad one. A removed
    /// tail leaves a chain that is whole; it shows only against a `head` that was written down
    /// before, which must be the hash of some event (or its first digits, eight at least).
    ///
    /// # Errors
    /// [`LedgerError`], where there is no such run or it could not be read at all. What is wrong with
    /// a run that was read is in the answer.
    pub fn verify(&self, run: &str, head: Option<&str>) -> Result<Verified, LedgerError> {
        let place = self.place(&names::resolve(self.path(), run)?);
        let mut state = Run::new(place.id.clone(), Arc::new(Template::default()));
        let mut found = head.is_none();
        let bad =
            read_through(&place, &mut state, |hash| found |= head.is_some_and(|head| hash.is_named_by(head)))
                .err();
        let bad = bad.or_else(|| head.filter(|_| !found).map(|head| missing_head(state.seq, head)));
        let first_bad = match bad {
            None => None,
            Some(Trouble::Io(path, source)) => return Err(events::unreadable(&path, source)),
            Some(Trouble::Bad { seq, file, why }) => {
                let [file, why] = [file, why].map(|words| text::harmless_line(&words, 400));
                Some(FirstBad { seq, file, why })
            }
        };
        Ok(Verified { run: place.id, seq: state.seq, head: state.head, first_bad })
    }
}

/// Folds event by event, so that `state` is left at the last good one.
fn read_through(place: &Place, state: &mut Run, mut seen: impl FnMut(&Hash)) -> Result<(), Trouble> {
    let surveyed = events::survey(&place.events)?;
    while let Some(event) = events::next(&place.events, state)? {
        seen(&event.hash);
        state.apply(&event);
    }
    place.template(state)?;
    events::complete(surveyed, state)
}

fn missing_head(seq: u64, head: &str) -> Trouble {
    Trouble::bad(
        seq + 1,
        format!(
            "no event up to {seq} has the hash {head}: what was written after, up to it, was removed or replaced"
        ),
    )
}
