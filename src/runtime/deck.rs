//! Where polls are recorded, while somebody wants them recorded.

use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::app::Recorded;
use crate::model::{Launch, Polled, Time};
use crate::sources::Source;
use crate::sources::capture::{Head, Recorder, SourceHead, Tally, Written};

use super::{Clock, feed};

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

    /// How the recording stands, for the room; `None` where there is none, or its end was told.
    pub(super) fn told(&self) -> Option<Recorded> {
        let mut state = self.state();
        if let Some(recorder) = &state.recorder {
            return Some(Recorded::Holds(recorder.tally().polls));
        }
        let (path, why) = state.broken.take()?;
        Some(Recorded::BrokeOff(format!("{}: {why}", path.display())))
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

/// The launch as a capture keeps it: its config and its checklist.
pub type Label = (Written, Option<Written>);

/// What captures of a room are begun and ended with.
#[derive(Clone)]
pub(super) struct Tapes {
    pub(super) deck: Deck,
    launch: Arc<Launch>,
    label: Option<Arc<Label>>,
    clock: Clock,
}

impl Tapes {
    pub(super) fn new(launch: Arc<Launch>, label: Option<Label>, clock: Clock) -> Self {
        Self { deck: Deck::default(), launch, label: label.map(Arc::new), clock }
    }

    /// Begins a capture and gives its file's name.
    ///
    /// # Errors
    /// The system's; a file that exists already.
    pub(super) fn begin(&self, file: Option<String>) -> io::Result<String> {
        let Some(label) = &self.label else {
            return Err(io::Error::other("this room cannot be recorded"));
        };
        if self.deck.tally().is_some() {
            return Err(io::Error::other("there is a recording already"));
        }
        let now = self.clock.now();
        let path = match file {
            Some(file) => at_home(&file),
            None => PathBuf::from(named(&self.launch.product, now)),
        };
        let (config, checklist) = Label::clone(label);
        let head = head(&self.launch, config, checklist, now);
        self.deck.begin(Recorder::create(&path, &head)?);
        Ok(path.display().to_string())
    }

    /// Ends the capture, and says what it holds.
    pub(super) fn end(&self) -> Option<Recorded> {
        match self.deck.end()? {
            Ok(tally) => Some(Recorded::Ended(format!("{} polls, {} samples", tally.polls, tally.samples))),
            Err(error) => Some(Recorded::BrokeOff(error.to_string())),
        }
    }

    /// Ends the capture as the room ends.
    ///
    /// # Errors
    /// The system's.
    pub(super) fn close(&self) -> io::Result<()> {
        match self.deck.end() {
            Some(Err(error)) => {
                let text = format!("the capture has no end, what was written can be read: {error}");
                Err(io::Error::new(error.kind(), text))
            }
            Some(Ok(_)) | None => Ok(()),
        }
    }
}

/// A file's name for a capture: `tasks-20251202T150000Z.om`.
fn named(product: &str, now: Time) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let product: String = product.chars().take(40).map(plain).collect();
    let time: String = now.to_string().chars().take(19).filter(char::is_ascii_alphanumeric).collect();
    format!("{product}-{time}Z.om")
}

/// `~/` as a shell reads it.
fn at_home(file: &str) -> PathBuf {
    match (file.strip_prefix("~/"), std::env::home_dir()) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => PathBuf::from(file),
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
