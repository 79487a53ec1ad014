//! One frame without a terminal: for pipes, cron, screenshots and tests.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use tokio::sync::mpsc::{Receiver, channel};
use tokio::time::{Instant, timeout_at};

use crate::app::{Key, Msg, State, update};
use crate::ui;

use super::Polls;
use super::deck::Tapes;
use super::hands::Hands;
use super::room::{Setup, WAITING};

/// What the one frame is to show.
pub struct Once {
    /// Columns and rows.
    pub size: (u16, u16),
    /// Keys to press before it is drawn.
    pub keys: Vec<Key>,
    /// The longest to wait for every source's first word.
    pub patience: Duration,
}

/// Lets the room hear from every source (or, in step with a simulation, reach its last step), opens
/// the run, presses the keys and draws.
///
/// # Errors
/// The system's, where a thread cannot be had.
pub fn frame(setup: Setup, once: &Once) -> io::Result<(Buffer, State)> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().max_blocking_threads(4).build()?;
    let theme = setup.theme.clone();
    let (state, _hands) = runtime.block_on(settled(setup, once))?;
    runtime.shutdown_timeout(Duration::from_millis(100));
    Ok((draw(&state, &theme, once.size)?, state))
}

/// Draws a state into a buffer.
///
/// # Errors
/// None that a buffer can have.
pub fn draw(state: &State, theme: &ui::Theme, size: (u16, u16)) -> io::Result<Buffer> {
    let mut terminal = Terminal::new(TestBackend::new(size.0, size.1)).map_err(io::Error::other)?;
    terminal.draw(|frame| ui::view(state, theme, frame)).map_err(io::Error::other)?;
    Ok(terminal.backend().buffer().clone())
}

async fn settled(setup: Setup, once: &Once) -> io::Result<(State, Hands)> {
    let Setup { launch, mut state, feed, clock, book, label, .. } = setup;
    let tapes = Tapes::new(Arc::clone(&launch), label, clock.clone());
    let (sender, mut messages) = channel(WAITING);
    let has_book = book.is_some();
    let simulated = clock.is_simulated();
    // A picture is looked at; it does not take the desk.
    state.wants_desk &= simulated;
    let until = Instant::now() + once.patience;
    // The run is opened before anything is polled, so that a simulation stands at its beginning then.
    let mut hands = Hands::new(Polls::default(), book.clone(), tapes.clone(), sender.clone());
    hands.open();
    let mut opened = !has_book;
    while !opened {
        let Ok(Some(msg)) = timeout_at(until, messages.recv()).await else { break };
        opened = matches!(msg, Msg::Opened(_));
        take(&mut state, &mut hands, msg);
    }
    let polls = feed.start_on(&launch, &clock, sender.clone(), tapes.deck.clone())?;
    hands = Hands::new(polls, book, tapes, sender);
    let mut forwarded = !simulated;
    loop {
        let heard = state.watch.sources.iter().all(|s| s.last_asked.is_some());
        // What a simulation has not asked by its last step, it never asks.
        if forwarded && (simulated || heard) {
            break;
        }
        let Ok(Some(msg)) = timeout_at(until, messages.recv()).await else { break };
        forwarded |= matches!(msg, Msg::Forwarding(false));
        take(&mut state, &mut hands, msg);
    }
    if !simulated {
        take(&mut state, &mut hands, Msg::Clock(clock.now()));
    }
    for key in &once.keys {
        press(&mut state, &mut hands, *key, &mut messages, until).await;
    }
    Ok((state, hands))
}

/// Presses a key as a patient user does: the screen has caught up, and no dialog is too young.
pub(super) async fn press(
    state: &mut State,
    hands: &mut Hands,
    key: Key,
    messages: &mut Receiver<Msg>,
    until: Instant,
) {
    let at = state.now.after(crate::app::state::TYPE_AHEAD);
    take(state, hands, Msg::Key(key, at));
    while busy(state) {
        let Ok(Some(msg)) = timeout_at(until, messages.recv()).await else { return };
        take(state, hands, msg);
    }
}

/// Whether an answer that a key asked for is still to come.
pub(super) fn busy(state: &State) -> bool {
    state.asking.is_some() || state.runs().any(|view| !view.pending.is_empty() || !view.saving.is_empty())
}

pub(super) fn take(state: &mut State, hands: &mut Hands, msg: Msg) {
    for effect in update(state, msg) {
        if !super::rehearsal::is_of_terminal(&effect) {
            hands.carry_out(effect);
        }
    }
    for view in state.runs() {
        hands.follow(&view.run);
    }
}
