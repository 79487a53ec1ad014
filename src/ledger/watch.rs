//! Noticing that another terminal wrote: the system's word where it gives one, a look every two
//! seconds where it does not (NFS tells nothing, an overflowing queue loses something).

use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::time::Duration;

use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};

use super::events::{name, survey};

/// How long nothing may be heard before the directory is looked at all the same.
const QUIET: Duration = Duration::from_secs(2);

/// Keeps the watch alive. Both fields hold a sender; when both are gone, the thread ends.
struct Watching {
    _notified: Option<RecommendedWatcher>,
    _alive: Sender<()>,
}

/// Calls `changed` once at the beginning, because an event may have come between opening the run and
/// now, and then whenever `events/` has got a new number.
pub(super) fn start(events: PathBuf, changed: Box<dyn Fn() + Send + Sync>) -> std::io::Result<Box<dyn Send>> {
    let (alive, heard) = mpsc::channel();
    let notified = notified(&events, alive.clone());
    let mut last = survey(&events).map_or(0, |(last, _)| last);
    std::thread::Builder::new().name("ledger-watch".into()).spawn(move || {
        changed();
        loop {
            match heard.recv_timeout(QUIET) {
                Err(RecvTimeoutError::Disconnected) => return,
                Ok(()) | Err(RecvTimeoutError::Timeout) => {}
            }
            let seen = last;
            while events.join(name(last + 1)).exists() {
                last += 1;
            }
            if last > seen {
                changed();
            }
        }
    })?;
    Ok(Box::new(Watching { _notified: notified, _alive: alive }))
}

/// `None` where the system has no watches left to give: the look every two seconds remains.
fn notified(events: &Path, tell: Sender<()>) -> Option<RecommendedWatcher> {
    let mut watcher = notify::recommended_watcher(move |_: notify::Result<notify::Event>| {
        let _ = tell.send(());
    })
    .ok()?;
    watcher.watch(events, RecursiveMode::NonRecursive).ok()?;
    Some(watcher)
}
