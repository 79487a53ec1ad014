//! The loop of an interactive room: keys, polls, the clock and signals come in, frames go out.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use crossterm::event::EventStream;
use futures_util::StreamExt;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc::{Receiver, UnboundedReceiver, channel, unbounded_channel};
use tokio::time::{Instant, sleep_until};

use crate::app::{Effect, Msg, State, update};
use crate::model::Launch;
use crate::ui;

use super::deck::{Label, Tapes};
use super::hands::{Book, Hands};
use super::screen::Screen;
use super::{Clock, Feed, input, tty};

/// How many messages may wait for the room; more make the senders wait.
pub(super) const WAITING: usize = 256;

/// How many of them are taken in before the next frame is considered.
const AT_ONCE: usize = 64;

/// Everything a room is opened with.
pub struct Setup {
    /// What is launched.
    pub launch: Arc<Launch>,
    /// The room before anything happened.
    pub state: State,
    /// How it looks.
    pub theme: ui::Theme,
    /// What feeds it.
    pub feed: Feed,
    /// Its clock.
    pub clock: Clock,
    /// The ledger, where the launch has a checklist.
    pub book: Option<Book>,
    /// What a capture of the room begins with; `None`: it cannot be recorded.
    pub label: Option<Label>,
}

/// How a room ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The user quit.
    Quit,
    /// A signal ended it.
    Signal(u8),
}

/// Opens the room on the terminal and stays until it ends.
///
/// # Errors
/// The system's, where the terminal or a thread cannot be had.
pub fn open(setup: Setup) -> io::Result<(Ending, State)> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(4)
        .thread_keep_alive(Duration::from_secs(2))
        .build()?;
    let ending = runtime.block_on(run(setup));
    // A blocked write to the ledger must not keep the program after the screen is gone.
    runtime.shutdown_timeout(Duration::from_millis(100));
    ending
}

struct Room {
    state: State,
    theme: ui::Theme,
    clock: Clock,
    screen: Screen,
    hands: Hands,
    written: UnboundedReceiver<io::Result<()>>,
    /// Something changed since the last frame.
    dirty: bool,
}

async fn run(setup: Setup) -> io::Result<(Ending, State)> {
    let Setup { launch, state, theme, feed, clock, book, label } = setup;
    let mut signals = Signals::new()?;
    let (lost, mut hung_up) = unbounded_channel();
    tty::watch(lost)?;
    let (written, frames) = unbounded_channel();
    let screen = Screen::enter(written)?;
    let (sender, mut messages) = channel(WAITING);
    let tapes = Tapes::new(Arc::clone(&launch), label, clock.clone());
    let mut room = Room {
        hands: Hands::new(super::Polls::default(), book.clone(), tapes.clone(), sender.clone()),
        state,
        theme,
        clock,
        screen,
        written: frames,
        dirty: true,
    };
    // The first frame comes before the first poll, and before the ledger is looked into.
    let ending = match room.draw() {
        Ok(()) => match feed.start_on(&launch, &room.clock, sender.clone(), tapes.deck.clone()) {
            Ok(polls) => {
                room.hands = Hands::new(polls, book, tapes, sender);
                room.hands.open();
                if let Some(def) = launch.identity_credential() {
                    room.hands.watch_person(def);
                }
                room.stay(&mut messages, &mut signals, &mut hung_up).await
            }
            Err(error) => Err(error),
        },
        Err(error) => Err(error),
    };
    room.screen.restore(&mut room.written);
    // A poll that waits for room among the messages must not wait any longer.
    drop(messages);
    let ended = room.hands.finish();
    let state = room.state;
    ending.and_then(|ending| ended.map(|()| (ending, state)))
}

impl Room {
    async fn stay(
        &mut self,
        messages: &mut Receiver<Msg>,
        signals: &mut Signals,
        hung_up: &mut UnboundedReceiver<()>,
    ) -> io::Result<Ending> {
        let mut keys = EventStream::new();
        let mut second = next_second(&self.clock);
        loop {
            if self.dirty && self.screen.is_idle() {
                self.draw()?;
            }
            tokio::select! {
                biased;
                ending = signals.next() => return Ok(ending),
                _ = hung_up.recv() => return Ok(Ending::Signal(1)),
                event = keys.next() => match event {
                    Some(Ok(event)) => {
                        if let Some(msg) = input::message(event, self.clock.now())
                            && let Some(ending) = self.take(msg)?
                        {
                            return Ok(ending);
                        }
                    }
                    // The terminal is gone: the tty watch would say so too, but this came first.
                    Some(Err(_)) | None => return Ok(Ending::Signal(1)),
                },
                frame = self.written.recv() => match frame {
                    Some(Ok(())) => self.screen.written(),
                    Some(Err(_)) | None => return Ok(Ending::Signal(1)),
                },
                Some(msg) = messages.recv() => {
                    if let Some(ending) = self.take(msg)? {
                        return Ok(ending);
                    }
                    for _ in 0..AT_ONCE {
                        let Ok(msg) = messages.try_recv() else { break };
                        if let Some(ending) = self.take(msg)? {
                            return Ok(ending);
                        }
                    }
                }
                () = sleep_until(second) => {
                    second = next_second(&self.clock);
                    if let Some(msg) = self.hands.recorded() {
                        self.take(msg)?;
                    }
                    // A simulated clock is moved by its steps.
                    if !self.clock.is_simulated()
                        && let Some(ending) = self.take(Msg::Clock(self.clock.now()))?
                    {
                        return Ok(ending);
                    }
                }
            }
        }
    }

    fn take(&mut self, msg: Msg) -> io::Result<Option<Ending>> {
        self.dirty = true;
        for effect in update(&mut self.state, msg) {
            match effect {
                Effect::Quit => return Ok(Some(Ending::Quit)),
                Effect::Suspend => self.suspend()?,
                Effect::Copy(text) => self.screen.copy(&text)?,
                Effect::Call(text) => self.screen.call(&text)?,
                other => self.hands.carry_out(other),
            }
        }
        for view in self.state.runs() {
            self.hands.follow(&view.run);
        }
        Ok(None)
    }

    fn draw(&mut self) -> io::Result<()> {
        self.dirty = false;
        let (state, theme) = (&self.state, &self.theme);
        self.screen.title(&ui::title(state))?;
        self.screen.draw(|frame| ui::view(state, theme, frame))
    }

    /// Gives the terminal to the shell until it continues the program.
    fn suspend(&mut self) -> io::Result<()> {
        self.screen.restore(&mut self.written);
        let me = rustix::process::getpid();
        rustix::process::kill_process(me, rustix::process::Signal::TSTP)?;
        self.screen.resume()
    }
}

/// When the wall clock shows a new second.
fn next_second(clock: &Clock) -> Instant {
    let into = clock.now().millis().rem_euclid(1000);
    Instant::now() + Duration::from_millis(u64::try_from(1000 - into).unwrap_or(1000))
}

/// The signals that end a room.
struct Signals {
    term: Signal,
    hup: Signal,
    int: Signal,
}

impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self {
            term: signal(SignalKind::terminate())?,
            hup: signal(SignalKind::hangup())?,
            int: signal(SignalKind::interrupt())?,
        })
    }

    async fn next(&mut self) -> Ending {
        tokio::select! {
            _ = self.term.recv() => Ending::Signal(15),
            _ = self.hup.recv() => Ending::Signal(1),
            _ = self.int.recv() => Ending::Signal(2),
        }
    }
}
