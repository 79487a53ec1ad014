//! The histories of scrape sources across restarts: read back before the first poll, saved every
//! minute and at the end, on a blocking thread.

use std::path::PathBuf;
use std::time::Duration;

use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::Instant;

use crate::model::text::harmless_line;
use crate::model::{Launch, Time};
use crate::sources::Source;
use crate::sources::scrape::Store;

/// The time between two saves.
const EVERY: Duration = Duration::from_secs(60);

/// Where histories are kept.
#[derive(Clone, Debug)]
pub struct Past {
    /// The directory of the files.
    pub dir: PathBuf,
    /// Whether they are written too: one look (`check`, `--once`) only reads.
    pub save: bool,
}

/// Keeps the history of one source.
pub(super) struct Keeper {
    store: Store,
    saves: bool,
    saved: Instant,
    saving: Option<JoinHandle<std::io::Result<()>>>,
    /// A failure was told; it is told once.
    told: bool,
}

impl Keeper {
    /// `None` for a source that has no history.
    pub(super) fn new(past: &Past, launch: &Launch, source: &Source) -> Option<Self> {
        let scrape = source.scrape()?;
        let name = [launch.product.as_str(), launch.environment.as_str()];
        let store = Store::new(&past.dir, &name, scrape.watched());
        Some(Self { store, saves: past.save, saved: Instant::now(), saving: None, told: false })
    }

    /// Gives the source what was saved of it. A sentence where there is something that is not used.
    pub(super) async fn recall(&self, source: &mut Source, now: Time) -> Option<String> {
        let store = self.store.clone();
        let limits = source.scrape()?.limits();
        let loaded = spawn_blocking(move || store.load(limits, now)).await.ok()?;
        match loaded {
            Ok(history) => {
                source.recall(history?);
                None
            }
            Err(why) => Some(harmless_line(&format!("{}: {why}", source.id()), 400)),
        }
    }

    /// Saves where it is time to. A sentence where the save before failed.
    pub(super) async fn after_poll(&mut self, source: &Source) -> Option<String> {
        let failure = match self.saving.take_if(|saving| saving.is_finished()) {
            Some(saving) => saving.await.ok()?.err(),
            None => None,
        };
        if self.saves && self.saving.is_none() && self.saved.elapsed() >= EVERY {
            self.saved = Instant::now();
            self.saving = self.begin(source);
        }
        let failure = failure.filter(|_| !std::mem::replace(&mut self.told, true))?;
        Some(harmless_line(&format!("{}: the history cannot be saved: {failure}", source.id()), 400))
    }

    /// Saves for the last time.
    pub(super) async fn end(&mut self, source: &Source) {
        if let Some(saving) = self.saving.take() {
            let _ = saving.await;
        }
        if self.saves
            && let Some(saving) = self.begin(source)
        {
            let _ = saving.await;
        }
    }

    /// Copies the history, which is quick, and leaves the rest to another thread.
    fn begin(&self, source: &Source) -> Option<JoinHandle<std::io::Result<()>>> {
        let history = source.scrape()?.history();
        history.begins()?;
        let (store, history) = (self.store.clone(), history.clone());
        Some(spawn_blocking(move || store.save(&history)))
    }
}
