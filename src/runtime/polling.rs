//! Each source by its own task: poll, tell the room, wait out the interval (or be asked sooner).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::{Sender, UnboundedReceiver, unbounded_channel};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use crate::app::Msg;
use crate::http::{Pool, sign_in};
use crate::model::{Fault, Launch, Polled, SourceDef, SourceId, SourceKind};
use crate::sources::Source;
use crate::sources::schedule::{MAX_RETRY_AFTER, first_delay, next_delay};

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
    allow_connections(launch.sources.iter().map(endpoints).sum());
    let shortest = launch.sources.iter().map(|def| def.every).min().unwrap_or_default();
    let (launch, clock) = (Arc::clone(launch), clock.clone());
    let (quit, quits) = watch::channel(());
    let (working, done) = std::sync::mpsc::channel::<()>();
    feed::thread("polling", move || async move {
        let _working = working;
        let (begun, count, pool) = (Instant::now(), ears.len(), Arc::new(Pool::default()));
        let tasks: Vec<_> = ears
            .into_iter()
            .enumerate()
            .map(|(place, (def, asked))| {
                let start = Start {
                    launch: Arc::clone(&launch),
                    def,
                    pool: Arc::clone(&pool),
                    past: past.clone(),
                    at: begun + first_delay(place, count, shortest),
                };
                let mouths = Mouths {
                    clock: clock.clone(),
                    asked,
                    quits: quits.clone(),
                    room: room.clone(),
                    deck: deck.clone(),
                };
                tokio::task::spawn_local(one_source(start, mouths))
            })
            .collect();
        for task in tasks {
            let _ = task.await;
        }
        // A poll that was given up leaves its refresh behind.
        sign_in::settled().await;
    })?;
    Ok(Polls::new(asks).ending(quit, done))
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
    /// Where histories are kept.
    past: Option<Past>,
    /// When its first poll begins.
    at: Instant,
}

/// What a source's task hears and tells.
struct Mouths {
    clock: Clock,
    asked: UnboundedReceiver<SourceId>,
    quits: watch::Receiver<()>,
    room: Sender<Msg>,
    deck: Deck,
}

async fn one_source(start: Start, mut mouths: Mouths) {
    let Start { launch, def, pool, past, at } = start;
    let mut source = match feed::source_sharing(&launch, &def, &pool) {
        Ok(source) => source,
        Err(fault) => {
            let _ = mouths.room.send(Msg::Polled(Box::new(refused(&def, &mouths.clock, &fault)))).await;
            return;
        }
    };
    let mut keeper = past.and_then(|past| Keeper::new(&past, &launch, &source));
    drop(launch);
    if let Some(keeper) = &keeper
        && let Some(note) = keeper.recall(&mut source, mouths.clock.now()).await
    {
        let _ = mouths.room.send(Msg::Noted(note)).await;
    }
    let quit = tokio::select! {
        () = sleep_until(at) => false,
        _ = mouths.quits.changed() => true,
    };
    if !quit {
        let _ = poll_on(&def, &mut source, &mut mouths, &mut keeper).await;
    }
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
    loop {
        let began = Instant::now();
        let Mouths { clock, asked, quits, room, deck } = &mut *mouths;
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
        let rest = poll.outcome.as_ref().err().filter(|fault| fault.retry_after.is_some()).cloned();
        let retry_after = rest.as_ref().and_then(|fault| fault.retry_after);
        room.send(Msg::Polled(Box::new(poll))).await.ok()?;
        if let Some(keeper) = keeper
            && let Some(note) = keeper.after_poll(source).await
        {
            room.send(Msg::Noted(note)).await.ok()?;
        }
        let least = source.least_interval().min(MAX_RETRY_AFTER);
        let next = began + next_delay(def.every.max(least), retry_after, fastrand::f64()).max(least);
        let peace = rest.map(|fault| (fault, began + retry_after.unwrap_or_default().min(MAX_RETRY_AFTER)));
        pause(def, mouths, next, peace, began + least).await?;
    }
}

/// Waits until the next poll is due, or somebody asks for one, but never less than until `earliest`. A
/// server that asked for peace has it until then, whoever asks for a number meanwhile.
async fn pause(
    def: &SourceDef,
    mouths: &mut Mouths,
    next: Instant,
    peace: Option<(Fault, Instant)>,
    earliest: Instant,
) -> Option<()> {
    let Mouths { clock, asked, quits, room, .. } = mouths;
    loop {
        tokio::select! {
            () = sleep_until(next) => return Some(()),
            ask = asked.recv() => drop(ask?),
            _ = quits.changed() => return None,
        }
        match &peace {
            Some((fault, until)) if Instant::now() < *until => {
                room.send(Msg::Polled(Box::new(refused(def, clock, fault)))).await.ok()?;
            }
            _ => break,
        }
    }
    tokio::select! {
        () = sleep_until(earliest) => Some(()),
        _ = quits.changed() => None,
    }
}

/// What is told instead of a poll that was not made.
fn refused(def: &SourceDef, clock: &Clock, fault: &Fault) -> Polled {
    Polled { source: def.id.clone(), asked: clock.now(), took: Duration::ZERO, outcome: Err(fault.clone()) }
}
