//! Each source by its own task: poll, tell the room, wait out the interval (or be asked sooner).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::{Sender, UnboundedReceiver, unbounded_channel};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use crate::app::Msg;
use crate::model::{Launch, Polled, SourceDef, SourceId};
use crate::sources::Source;
use crate::sources::schedule::next_delay;

use super::feed::{self, Polls};
use super::past::Keeper;
use super::{Clock, Deck, Past};

/// Starts the tasks on the polling thread.
///
/// # Errors
/// The system's, where the thread cannot be started.
pub(super) fn start(
    launch: &Arc<Launch>,
    clock: &Clock,
    past: Option<Past>,
    room: Sender<Msg>,
    deck: Deck,
) -> std::io::Result<Polls> {
    let mut asks = BTreeMap::new();
    let mut ears = Vec::new();
    for def in &launch.sources {
        let (ask, asked) = unbounded_channel();
        asks.insert(def.id.clone(), ask);
        ears.push((def.clone(), asked));
    }
    let (launch, clock) = (Arc::clone(launch), clock.clone());
    let (quit, quits) = watch::channel(());
    let (working, done) = std::sync::mpsc::channel::<()>();
    feed::thread("polling", move || async move {
        let _working = working;
        let tasks: Vec<_> = ears
            .into_iter()
            .map(|(def, asked)| {
                tokio::task::spawn_local(one_source(
                    Arc::clone(&launch),
                    def,
                    Mouths {
                        clock: clock.clone(),
                        asked,
                        quits: quits.clone(),
                        room: room.clone(),
                        deck: deck.clone(),
                    },
                    past.clone(),
                ))
            })
            .collect();
        for task in tasks {
            let _ = task.await;
        }
    })?;
    Ok(Polls::new(asks).ending(quit, done))
}

/// What a source's task hears and tells.
struct Mouths {
    clock: Clock,
    asked: UnboundedReceiver<SourceId>,
    quits: watch::Receiver<()>,
    room: Sender<Msg>,
    deck: Deck,
}

async fn one_source(launch: Arc<Launch>, def: SourceDef, mut mouths: Mouths, past: Option<Past>) {
    let mut source = match feed::source(&launch, &def) {
        Ok(source) => source,
        Err(fault) => {
            let asked = mouths.clock.now();
            let poll = Polled { source: def.id, asked, took: Duration::ZERO, outcome: Err(fault) };
            let _ = mouths.room.send(Msg::Polled(Box::new(poll))).await;
            return;
        }
    };
    let mut keeper = past.and_then(|past| Keeper::new(&past, &launch, &source));
    if let Some(keeper) = &keeper
        && let Some(note) = keeper.recall(&mut source, mouths.clock.now()).await
    {
        let _ = mouths.room.send(Msg::Noted(note)).await;
    }
    let _ = poll_on(&def, &mut source, &mut mouths, &mut keeper).await;
    if let Some(keeper) = &mut keeper {
        keeper.end(&source).await;
    }
}

/// Polls until the room is gone (`None`).
async fn poll_on(
    def: &SourceDef,
    source: &mut Source,
    mouths: &mut Mouths,
    keeper: &mut Option<Keeper>,
) -> Option<()> {
    let Mouths { clock, asked, quits, room, deck } = mouths;
    let mut failures = 0;
    loop {
        let began = Instant::now();
        // Whoever asked before this poll begins is answered by it.
        while asked.try_recv().is_ok() {}
        let now = clock.now();
        room.send(Msg::Asked(def.id.clone(), now)).await.ok()?;
        deck.listen(source);
        let poll = tokio::select! {
            poll = source.poll(now) => poll,
            _ = quits.changed() => return None,
        };
        deck.take(&poll, source, clock.now());
        let retry_after = poll.outcome.as_ref().err().and_then(|fault| fault.retry_after);
        failures = if poll.outcome.is_ok() { 0 } else { failures + 1 };
        room.send(Msg::Polled(Box::new(poll))).await.ok()?;
        if let Some(keeper) = keeper
            && let Some(note) = keeper.after_poll(source).await
        {
            room.send(Msg::Noted(note)).await.ok()?;
        }
        let next = began + next_delay(def.every, failures, retry_after, fastrand::f64());
        tokio::select! {
            () = sleep_until(next) => {}
            ask = asked.recv() => drop(ask?),
            _ = quits.changed() => return None,
        }
    }
}
