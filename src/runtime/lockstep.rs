//! In step with a simulated product: second n is served, polled, evaluated and shown; then n + 1.
//!
//! Time passes as an argument, so that the same seed gives the same screen on every machine.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc::{Sender, UnboundedReceiver, unbounded_channel};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};

use crate::app::Msg;
use crate::model::{Launch, SourceId, Time};
use crate::sources::Source;

use super::feed::{self, Lockstep, Polls};
use super::{Clock, Deck};

/// One simulated step.
const STEP: Duration = Duration::from_secs(1);

/// How far the clock runs on with the wall before the next step: up to it, and not to it.
const RUNS_ON: Duration = Duration::from_millis(999);

/// Starts the stepping thread.
///
/// # Errors
/// The system's, where the thread cannot be started.
pub(super) fn start(
    step: Lockstep,
    launch: &Arc<Launch>,
    clock: &Clock,
    room: Sender<Msg>,
    deck: Deck,
) -> std::io::Result<Polls> {
    let (ask, asked) = unbounded_channel();
    let asks: BTreeMap<_, _> = launch.sources.iter().map(|def| (def.id.clone(), ask.clone())).collect();
    let (launch, clock) = (Arc::clone(launch), clock.clone());
    feed::thread("lockstep", move || async move {
        // A room that is gone ends the simulation.
        let _ = run(step, &launch, &clock, asked, &room, &deck).await;
    })?;
    Ok(Polls::new(asks))
}

async fn run(
    mut step: Lockstep,
    launch: &Launch,
    clock: &Clock,
    mut asked: UnboundedReceiver<SourceId>,
    room: &Sender<Msg>,
    deck: &Deck,
) -> Option<()> {
    let mut sources: Vec<(Duration, Source)> =
        launch.sources.iter().filter_map(|def| Some((def.every, feed::source(launch, def).ok()?))).collect();
    room.send(Msg::Forwarding(true)).await.ok()?;
    let mut now = step.start;
    let mut pace = None;
    loop {
        let forwarding = now < step.forward_to;
        serve(&step, now);
        let last = step.stop_at.is_some_and(|stop| now >= stop);
        clock.set(now, if forwarding || last { Duration::ZERO } else { RUNS_ON });
        for (every, source) in &mut sources {
            if now.since(step.start).as_millis().is_multiple_of(every.as_millis().max(1)) {
                poll_source(source, now, room, deck).await?;
            }
        }
        room.send(Msg::Clock(now)).await.ok()?;
        if last {
            room.send(Msg::Forwarding(false)).await.ok()?;
            room.send(Msg::Over).await.ok()?;
            return answer_only(&mut sources, now, &mut asked, room, deck).await;
        }
        if !forwarding {
            let pace = match &mut pace {
                Some(pace) => pace,
                none => {
                    room.send(Msg::Forwarding(false)).await.ok()?;
                    let beat = STEP.div_f64(step.speed.clamp(0.01, 1000.0));
                    let mut fresh = interval_at(Instant::now() + beat, beat);
                    fresh.set_missed_tick_behavior(MissedTickBehavior::Delay);
                    none.insert(fresh)
                }
            };
            loop {
                tokio::select! {
                    () = next_step(&mut step.steps, pace) => break,
                    id = asked.recv() => poll_one(&mut sources, &id?, clock.now(), room, deck).await?,
                }
            }
        }
        now = now.after(STEP);
    }
}

/// The next step is due: by the wall, or when the rehearsal says so.
async fn next_step(steps: &mut Option<UnboundedReceiver<()>>, pace: &mut Interval) {
    match steps {
        Some(steps) => match steps.recv().await {
            Some(()) => {}
            // Whoever rehearsed is gone, and the room with them.
            None => std::future::pending().await,
        },
        None => {
            pace.tick().await;
        }
    }
}

/// After the last step the product stands still, and still answers who asks.
async fn answer_only(
    sources: &mut [(Duration, Source)],
    now: Time,
    asked: &mut UnboundedReceiver<SourceId>,
    room: &Sender<Msg>,
    deck: &Deck,
) -> Option<()> {
    loop {
        let id = asked.recv().await?;
        poll_one(sources, &id, now, room, deck).await?;
    }
}

async fn poll_one(
    sources: &mut [(Duration, Source)],
    id: &SourceId,
    now: Time,
    room: &Sender<Msg>,
    deck: &Deck,
) -> Option<()> {
    for (_, source) in sources.iter_mut().filter(|(_, source)| source.id() == id) {
        poll_source(source, now, room, deck).await?;
    }
    Some(())
}

async fn poll_source(source: &mut Source, now: Time, room: &Sender<Msg>, deck: &Deck) -> Option<()> {
    deck.listen(source);
    let poll = source.poll(now).await;
    deck.take(&poll, source, now);
    room.send(Msg::Polled(Box::new(poll))).await.ok()
}

fn serve(step: &Lockstep, now: Time) {
    step.product.lock().unwrap_or_else(PoisonError::into_inner).advance_to(now);
}
