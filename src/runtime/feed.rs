//! What feeds the room with polls: tasks with intervals of their own, or a simulation in step.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use tokio::sync::mpsc::{Sender, UnboundedReceiver, UnboundedSender};
use tokio::sync::watch;

use crate::app::{Msg, ReplayControl};
use crate::drill::SharedProduct;
use crate::http::{Client, Pool};
use crate::model::launch::CredentialDef;
use crate::model::{Fault, Launch, SourceDef, SourceId, Time};
use crate::sources::{Source, options};

use super::{Clock, Deck, Past, credential, lockstep, polling, replay};

/// How polls are made.
pub enum Feed {
    /// Each source by its own task on the polling thread; histories are kept in the given place.
    Polling(Option<Past>),
    /// In step with a simulated product.
    Lockstep(Lockstep),
    /// From a capture.
    Replay(Box<replay::Replay>),
}

/// A simulation to keep step with.
pub struct Lockstep {
    /// The product that answers.
    pub product: SharedProduct,
    /// The first simulated second.
    pub start: Time,
    /// Up to this moment the simulation runs as fast as the machine can.
    pub forward_to: Time,
    /// Stop there (screenshots, the end of a drill); `None`: go on with the wall clock, for ever.
    pub stop_at: Option<Time>,
    /// How many simulated seconds pass in one of the wall.
    pub speed: f64,
    /// Each step waits for a word from here instead of the wall clock: a scripted rehearsal.
    pub steps: Option<UnboundedReceiver<()>>,
}

impl Lockstep {
    /// At the pace of the wall, for ever; up to `forward_to` as fast as the machine can.
    pub fn new(product: SharedProduct, start: Time, forward_to: Time) -> Self {
        Self { product, start, forward_to, stop_at: None, speed: 1.0, steps: None }
    }
}

/// Asks for polls out of turn.
#[derive(Clone, Debug, Default)]
pub struct Polls {
    channels: BTreeMap<SourceId, UnboundedSender<SourceId>>,
    ending: Option<Arc<Ending>>,
    replay: Option<UnboundedSender<ReplayControl>>,
}

/// Ends the polls, and waits for what they still have to save.
#[derive(Debug)]
struct Ending {
    /// Dropped: no more polls.
    quit: watch::Sender<()>,
    /// Closed when the polling thread is done.
    done: Mutex<mpsc::Receiver<()>>,
}

impl Polls {
    /// One channel for each source.
    pub(super) fn new(channels: BTreeMap<SourceId, UnboundedSender<SourceId>>) -> Self {
        Self { channels, ending: None, replay: None }
    }

    /// As [`Polls::new`]; `quit` ends them when it is dropped, `done` is closed when they have ended.
    pub(super) fn ending(self, quit: watch::Sender<()>, done: mpsc::Receiver<()>) -> Self {
        Self { ending: Some(Arc::new(Ending { quit, done: Mutex::new(done) })), ..self }
    }

    /// Ends the polls and waits, at most so long, until histories are saved.
    pub(super) fn finish(self, patience: Duration) {
        drop(self.channels);
        let Some(Ending { quit, done }) = self.ending.and_then(Arc::into_inner) else { return };
        drop(quit);
        if let Ok(done) = done.into_inner() {
            let _ = done.recv_timeout(patience);
        }
    }

    /// With an ear of a replay.
    pub(super) fn with_replay(self, control: UnboundedSender<ReplayControl>) -> Self {
        Self { replay: Some(control), ..self }
    }

    /// Tells the replay something; nothing happens where there is none.
    pub(super) fn tell_replay(&self, control: ReplayControl) {
        if let Some(replay) = &self.replay {
            let _ = replay.send(control);
        }
    }

    /// Polls a source now. Nothing happens where there is no such source any more.
    pub fn ask(&self, source: &SourceId) {
        if let Some(channel) = self.channels.get(source) {
            let _ = channel.send(source.clone());
        }
    }
}

impl Feed {
    /// Starts the polls on a thread of their own; what they bring goes to `room`.
    ///
    /// # Errors
    /// The system's, where the thread cannot be started.
    pub fn start(self, launch: &Arc<Launch>, clock: &Clock, room: Sender<Msg>) -> std::io::Result<Polls> {
        self.start_on(launch, clock, room, Deck::default())
    }

    /// As [`Feed::start`], past a recorder.
    ///
    /// # Errors
    /// As [`Feed::start`].
    pub fn start_on(
        self,
        launch: &Arc<Launch>,
        clock: &Clock,
        room: Sender<Msg>,
        deck: Deck,
    ) -> std::io::Result<Polls> {
        match self {
            Self::Polling(past) => polling::start(launch, clock, past, room, deck),
            Self::Lockstep(step) => lockstep::start(step, launch, clock, room, deck),
            Self::Replay(replay) => replay::start(*replay, launch, clock, room),
        }
    }
}

/// Builds a source of the launch with its client and credential.
///
/// # Errors
/// An expression that cannot be evaluated; settings refuse such a config before.
pub fn source(launch: &Launch, def: &SourceDef) -> Result<Source, Fault> {
    source_sharing(launch, def, &Arc::default())
}

/// As [`source`], with connections from a pool that others on the same runtime share.
///
/// # Errors
/// As [`source`].
pub fn source_sharing(launch: &Launch, def: &SourceDef, pool: &Arc<Pool>) -> Result<Source, Fault> {
    let signals: Vec<_> = launch.signals.iter().filter(|s| s.source == def.id).cloned().collect();
    let flags: Vec<_> = launch.flags.iter().filter(|f| f.source == def.id).cloned().collect();
    let shared = |def: &CredentialDef| pool.credential(&def.name, || credential::credential(def));
    let credential = def.credential.as_ref().map(shared);
    let admin = def.kind.admin_credential().map(shared);
    let source =
        Source::new(def, &signals, &flags, Client::sharing(options(def, credential), Arc::clone(pool)))?;
    Ok(source.with_admin(admin, def.timeout))
}

/// How much nicer than the screen's thread those are that read what sources send.
#[cfg(target_os = "linux")]
const BEHIND_KEYS: i32 = 5;

/// A thread with a runtime of its own, for work that must not meet the screen's.
///
/// # Errors
/// The system's, where the thread or the runtime cannot be made.
pub(super) fn thread<F>(name: &str, work: impl FnOnce() -> F + Send + 'static) -> std::io::Result<()>
where
    F: Future<Output = ()>,
{
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        // Mostly questions to name servers, which may hang long; see `http::resolver`.
        .max_blocking_threads(32)
        .thread_keep_alive(Duration::from_secs(2))
        .build()?;
    std::thread::Builder::new().name(name.into()).spawn(move || {
        // On Linux this is of the thread, and of those that it starts: a key goes before a poll.
        #[cfg(target_os = "linux")]
        let _ = rustix::process::nice(BEHIND_KEYS);
        // Tasks of such a thread stay on it, so they need not be `Send`.
        tokio::task::LocalSet::new().block_on(&runtime, work());
    })?;
    Ok(())
}
