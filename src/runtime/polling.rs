//! Each source by its own task: poll, tell the room, wait out the interval (or be asked sooner).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::{Sender, UnboundedReceiver, unbounded_channel};
use tokio::time::{Instant, sleep_until};

use crate::app::Msg;
use crate::model::{Launch, Polled, SourceDef, SourceId};
use crate::sources::schedule::next_delay;

use super::feed::{self, Polls};
use super::{Clock, Deck};

/// Starts the tasks on the polling thread.
///
/// # Errors
/// The system's, where the thread cannot be started.
pub(super) fn start(
    launch: &Arc<Launch>,
    clock: &Clock,
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
    feed::thread("polling", move || async move {
        let tasks: Vec<_> = ears
            .into_iter()
            .map(|(def, asked)| {
                tokio::task::spawn_local(one_source(
                    Arc::clone(&launch),
                    def,
                    clock.clone(),
                    asked,
                    room.clone(),
                    deck.clone(),
                ))
            })
            .collect();
        for task in tasks {
            let _ = task.await;
        }
    })?;
    Ok(Polls::new(asks))
}

async fn one_source(
    launch: Arc<Launch>,
    def: SourceDef,
    clock: Clock,
    mut asked: UnboundedReceiver<SourceId>,
    room: Sender<Msg>,
    deck: Deck,
) {
    let mut source = match feed::source(&launch, &def) {
        Ok(source) => source,
        Err(fault) => {
            let poll =
                Polled { source: def.id, asked: clock.now(), took: Duration::ZERO, outcome: Err(fault) };
            let _ = room.send(Msg::Polled(Box::new(poll))).await;
            return;
        }
    };
    let mut failures = 0;
    loop {
        let began = Instant::now();
        // Whoever asked before this poll begins is answered by it.
        while asked.try_recv().is_ok() {}
        deck.listen(&mut source);
        let poll = source.poll(clock.now()).await;
        deck.take(&poll, &source, clock.now());
        let retry_after = poll.outcome.as_ref().err().and_then(|fault| fault.retry_after);
        failures = if poll.outcome.is_ok() { 0 } else { failures + 1 };
        if room.send(Msg::Polled(Box::new(poll))).await.is_err() {
            return;
        }
        let next = began + next_delay(def.every, failures, retry_after, fastrand::f64());
        tokio::select! {
            () = sleep_until(next) => {}
            ask = asked.recv() => if ask.is_none() { return },
        }
    }
}
