//! Each source by its own task: poll, tell the room, wait out the interval (or be asked sooner).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::{Sender, UnboundedReceiver, unbounded_channel};
use tokio::time::{Instant, sleep_until};

use crate::app::Msg;
use crate::http::Pool;
use crate::model::{Fault, Launch, Polled, SourceDef, SourceId, SourceKind};
use crate::sources::schedule::{MAX_RETRY_AFTER, first_delay, next_delay};

use super::Clock;
use super::feed::{self, Polls};

/// Starts the tasks on the polling thread.
///
/// # Errors
/// The system's, where the thread cannot be started.
pub(super) fn start(launch: &Arc<Launch>, clock: &Clock, room: Sender<Msg>) -> std::io::Result<Polls> {
    let mut asks = BTreeMap::new();
    let mut ears = Vec::new();
    for def in &launch.sources {
        let (ask, asked) = unbounded_channel();
        asks.insert(def.id.clone(), ask);
        ears.push((def.clone(), asked));
    }
    allow_connections(launch.sources.iter().map(endpoints).sum());
    let shortest = launch.sources.iter().map(|def| def.every).min().unwrap_or_default();
    let (launch, clock) = (Arc::clone(launch), clock.clone());
    feed::thread("polling", move || async move {
        let (begun, count, pool) = (Instant::now(), ears.len(), Arc::new(Pool::default()));
        let tasks: Vec<_> = ears
            .into_iter()
            .enumerate()
            .map(|(place, (def, asked))| {
                let start = Start {
                    launch: Arc::clone(&launch),
                    def,
                    pool: Arc::clone(&pool),
                    at: begun + first_delay(place, count, shortest),
                };
                tokio::task::spawn_local(one_source(start, clock.clone(), asked, room.clone()))
            })
            .collect();
        for task in tasks {
            let _ = task.await;
        }
    })?;
    Ok(Polls::new(asks))
}

/// How many connections a source may hold at once.
fn endpoints(def: &SourceDef) -> usize {
    match &def.kind {
        SourceKind::Scrape { urls, .. } => urls.len(),
        _ => 4,
    }
}

/// A thousand endpoints are a thousand connections, and a shell's usual limit is 1,024 open files. It
/// may be raised up to the hard limit; where that is too low, what is over it fails in words.
fn allow_connections(wanted: usize) {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let wanted = wanted as u64 + 128;
    if limit.current.is_some_and(|current| current < wanted) {
        let current = Some(limit.maximum.map_or(wanted, |most| most.min(wanted)));
        let _ = setrlimit(Resource::Nofile, Rlimit { current, maximum: limit.maximum });
    }
}

/// What the task of a source begins with.
struct Start {
    launch: Arc<Launch>,
    def: SourceDef,
    pool: Arc<Pool>,
    /// When its first poll begins.
    at: Instant,
}

async fn one_source(start: Start, clock: Clock, mut asked: UnboundedReceiver<SourceId>, room: Sender<Msg>) {
    let Start { launch, def, pool, at } = start;
    let mut source = match feed::source_sharing(&launch, &def, pool) {
        Ok(source) => source,
        Err(fault) => {
            let poll =
                Polled { source: def.id, asked: clock.now(), took: Duration::ZERO, outcome: Err(fault) };
            let _ = room.send(Msg::Polled(Box::new(poll))).await;
            return;
        }
    };
    drop(launch);
    sleep_until(at).await;
    loop {
        let began = Instant::now();
        // Whoever asked before this poll begins is answered by it.
        while asked.try_recv().is_ok() {}
        let poll = source.poll(clock.now()).await;
        let rest = poll.outcome.as_ref().err().filter(|fault| fault.retry_after.is_some()).cloned();
        let retry_after = rest.as_ref().and_then(|fault| fault.retry_after);
        if room.send(Msg::Polled(Box::new(poll))).await.is_err() {
            return;
        }
        let next = began + next_delay(def.every, retry_after, fastrand::f64());
        let peace = rest.map(|fault| (fault, began + retry_after.unwrap_or_default().min(MAX_RETRY_AFTER)));
        loop {
            tokio::select! {
                () = sleep_until(next) => break,
                ask = asked.recv() => if ask.is_none() { return },
            }
            match &peace {
                // A server that asked to be left alone is, whoever asks for a number meanwhile.
                Some((fault, until)) if Instant::now() < *until => {
                    let poll = refused(&def, &clock, fault);
                    if room.send(Msg::Polled(Box::new(poll))).await.is_err() {
                        return;
                    }
                }
                _ => break,
            }
        }
    }
}

/// What is told instead of a poll that a server asked not to be sent.
fn refused(def: &SourceDef, clock: &Clock, fault: &Fault) -> Polled {
    Polled { source: def.id.clone(), asked: clock.now(), took: Duration::ZERO, outcome: Err(fault.clone()) }
}
