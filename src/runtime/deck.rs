//! Where polls are recorded, while somebody wants them recorded.

use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::model::{Launch, Polled, Time};
use crate::sources::Source;
use crate::sources::capture::{Head, Recorder, SourceHead, Tally, Written};

use super::feed;

/// A recorder that polls pass by, and that can be switched on and off.
#[derive(Clone, Debug, Default)]
pub struct Deck(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    recorder: Option<Recorder>,
    /// Why the last recording broke off.
    broken: Option<(PathBuf, String)>,
}

impl Deck {
    /// Records from now on.
    pub fn begin(&self, recorder: Recorder) {
        *self.state() = State { recorder: Some(recorder), broken: None };
    }

    /// What was recorded so far; `None` while nothing is.
    pub fn tally(&self) -> Option<Tally> {
        self.state().recorder.as_ref().map(Recorder::tally)
    }

    /// Why the recording broke off: where it was written, and what the system said.
    pub fn broken(&self) -> Option<(PathBuf, String)> {
        self.state().broken.clone()
    }

    /// Ends the recording; `None` where there is none.
    ///
    /// # Errors
    /// The system's.
    pub fn end(&self) -> Option<io::Result<Tally>> {
        // Bound first, so that the lock is not held while the disk is waited for.
        let recorder = self.state().recorder.take();
        recorder.map(Recorder::finish)
    }

    /// Before a poll: what it scrapes is kept only where it is recorded.
    pub(super) fn listen(&self, source: &mut Source) {
        source.keep_batch(self.state().recorder.is_some());
    }

    /// After a poll: records it. A disk that is full ends the recording, not the room.
    pub(super) fn take(&self, poll: &Polled, source: &Source, arrived: Time) {
        let mut state = self.state();
        let Some(recorder) = &mut state.recorder else { return };
        if let Err(error) = recorder.take(poll, source.batch(), arrived) {
            let path = recorder.path().to_owned();
            *state = State { recorder: None, broken: Some((path, error.to_string())) };
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The head of a capture of this launch.
pub fn head(launch: &Launch, config: Written, checklist: Option<Written>, now: Time) -> Head {
    let sources = launch.sources.iter().map(|def| {
        let targets = feed::source(launch, def).map(|source| source.target_labels()).unwrap_or_default();
        SourceHead::new(def.id.clone(), &targets)
    });
    Head::new(config, checklist, now, sources.collect())
}
