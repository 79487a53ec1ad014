//! A room without a terminal that is given its keys beforehand, each at its simulated moment: a scripted
//! drill comes out the same each time, because no step is taken before what the last one brought is done.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedSender, channel};
use tokio::time::{Instant, timeout_at};

use crate::app::{Effect, Key, Msg, State};
use crate::model::Time;

use super::Polls;
use super::deck::Tapes;
use super::hands::Hands;
use super::once::{busy, press, take};
use super::room::{Setup, WAITING};

/// The longest that a key's work may take on the wall.
const PATIENCE: Duration = Duration::from_secs(60);

/// Keys at their moments, the earliest first.
pub type Script = Vec<(Time, Vec<Key>)>;

/// Runs the room until its simulation is over, and gives what it knew then. `steps` lets the simulation
/// go on by one step.
///
/// # Errors
/// The system's, where a thread cannot be had.
pub fn run(setup: Setup, script: Script, steps: UnboundedSender<()>) -> io::Result<State> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().max_blocking_threads(4).build()?;
    let state = runtime.block_on(play(setup, script, steps))?;
    runtime.shutdown_timeout(Duration::from_millis(100));
    Ok(state)
}

async fn play(setup: Setup, script: Script, steps: UnboundedSender<()>) -> io::Result<State> {
    let Setup { launch, mut state, feed, clock, book, label, .. } = setup;
    let tapes = Tapes::new(Arc::clone(&launch), label, clock.clone());
    let (sender, mut messages) = channel(WAITING);
    let mut hands = Hands::new(Polls::default(), book.clone(), tapes.clone(), sender.clone());
    hands.open();
    while state.run.is_none() && state.run_note.is_none() {
        let Some(msg) = messages.recv().await else { return Ok(state) };
        take(&mut state, &mut hands, msg);
    }
    let polls = feed.start_on(&launch, &clock, sender.clone(), tapes.deck.clone())?;
    hands = Hands::new(polls, book, tapes, sender);
    let mut script = script.into_iter().peekable();
    while !state.over {
        let Some(msg) = messages.recv().await else { break };
        // The step on which the way ahead ends is told before its end is.
        let stepped = matches!(msg, Msg::Clock(_) | Msg::Forwarding(false));
        take(&mut state, &mut hands, msg);
        if !stepped || state.forwarding {
            continue;
        }
        let until = Instant::now() + PATIENCE;
        while let Some((_, keys)) = script.next_if(|(at, _)| *at <= state.now) {
            for key in keys {
                press(&mut state, &mut hands, key, &mut messages, until).await;
            }
        }
        while busy(&state) {
            let Ok(Some(msg)) = timeout_at(until, messages.recv()).await else { break };
            take(&mut state, &mut hands, msg);
        }
        if steps.send(()).is_err() {
            break;
        }
    }
    Ok(state)
}

/// Whether an effect is the loop's own affair.
pub(super) fn is_of_terminal(effect: &Effect) -> bool {
    matches!(effect, Effect::Quit | Effect::Suspend | Effect::Copy(_) | Effect::Call(_))
}
