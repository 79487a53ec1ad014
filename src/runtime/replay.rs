//! A capture as the feed of a room: its polls come when they came, by a clock that can be paused,
//! hurried and set.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::{Sender, UnboundedReceiver, unbounded_channel};
use tokio::time::{Interval, MissedTickBehavior, interval};

use crate::app::{Msg, Replay as Shown, ReplayControl};
use crate::model::{Launch, Polled, Time};
use crate::sources::capture::{Play, Tape};

use super::Clock;
use super::feed::{self, Polls};

/// How often the clock is moved.
const BEAT: Duration = Duration::from_millis(100);
const SECOND: Duration = Duration::from_secs(1);
/// The longest silence that is told second by second.
const SILENCE: Duration = Duration::from_hours(6);
const FASTEST: f64 = 1000.0;
const SLOWEST: f64 = 0.125;

/// A capture to be replayed.
pub struct Replay {
    /// The capture.
    pub tape: Tape,
    /// The launch of its own config.
    pub recorded: Option<Launch>,
    /// Up to this moment as fast as the machine can; `None`: from the beginning.
    pub from: Option<Time>,
    /// Go there, or with `Some(None)` to the end, and stand still.
    pub stop_at: Option<Option<Time>>,
    /// How many times faster than it was.
    pub speed: f64,
}

/// Starts the replaying thread.
///
/// # Errors
/// The system's, where the thread cannot be started.
pub(super) fn start(
    replay: Replay,
    launch: &Arc<Launch>,
    clock: &Clock,
    room: Sender<Msg>,
) -> std::io::Result<Polls> {
    let (control, controls) = unbounded_channel();
    let (launch, clock) = (Arc::clone(launch), clock.clone());
    feed::thread("replay", move || async move {
        let shown = Shown { speed: replay.speed, paused: false, ended: false, trouble: Vec::new() };
        let mut head = Head { replay, launch, clock, room, shown, play: None, next: None, now: Time::MIN };
        if let Err(Stop::Broken(why)) = head.run(controls).await {
            head.shown.trouble.push(why);
            head.shown.ended = true;
            let _ = head.room.send(Msg::Replay(head.shown.clone())).await;
            let _ = head.room.send(Msg::Forwarding(false)).await;
            // The room stays as it was, with its sender alive.
            std::future::pending::<()>().await;
        }
    })?;
    Ok(Polls::new(BTreeMap::new()).with_replay(control))
}

enum Stop {
    /// The room is gone.
    Gone,
    /// The capture cannot be read any more.
    Broken(String),
}

impl From<std::io::Error> for Stop {
    fn from(error: std::io::Error) -> Self {
        Self::Broken(error.to_string())
    }
}

/// What reads the tape.
struct Head {
    replay: Replay,
    launch: Arc<Launch>,
    clock: Clock,
    room: Sender<Msg>,
    shown: Shown,
    play: Option<Play>,
    next: Option<(Time, Polled)>,
    now: Time,
}

impl Head {
    async fn run(&mut self, mut controls: UnboundedReceiver<ReplayControl>) -> Result<(), Stop> {
        self.rewind()?;
        let to = match self.replay.stop_at {
            Some(at) => Some(at.unwrap_or(Time::from_millis(i64::MAX))),
            None => self.replay.from,
        };
        self.shown.paused = self.replay.stop_at.is_some();
        self.forward(to.unwrap_or(self.now)).await?;
        let mut beat = beats();
        loop {
            tokio::select! {
                control = controls.recv() => self.obey(control.ok_or(Stop::Gone)?).await?,
                _ = beat.tick(), if !self.shown.paused && !self.shown.ended => {
                    let to = self.now.after(BEAT.mul_f64(self.shown.speed));
                    self.advance(to).await?;
                }
            }
        }
    }

    async fn obey(&mut self, control: ReplayControl) -> Result<(), Stop> {
        match control {
            ReplayControl::Pause => self.shown.paused = !self.shown.paused,
            ReplayControl::Faster => self.shown.speed = (self.shown.speed * 2.0).min(FASTEST),
            ReplayControl::Slower => self.shown.speed = (self.shown.speed / 2.0).max(SLOWEST),
            ReplayControl::Seek(to) => {
                if to < self.now {
                    self.rewind()?;
                    self.send(Msg::Rewound(self.now)).await?;
                }
                return self.forward(to).await;
            }
        }
        self.show().await
    }

    /// To the beginning of the capture.
    fn rewind(&mut self) -> Result<(), Stop> {
        let mut play = self.replay.tape.play(&self.launch, self.replay.recorded.as_ref())?;
        self.next = play.next()?;
        self.play = Some(play);
        self.shown.ended = false;
        let first = self
            .next
            .as_ref()
            .map(|(at, _)| *at)
            .ok_or_else(|| Stop::Broken("the capture holds no poll of this launch".into()))?;
        self.now = first;
        self.clock.set(first, Duration::ZERO);
        Ok(())
    }

    /// As fast as the machine can, to this moment.
    async fn forward(&mut self, to: Time) -> Result<(), Stop> {
        self.send(Msg::Forwarding(true)).await?;
        self.advance(to).await?;
        // Told first, for who waits for the end of it looks at this.
        self.show().await?;
        self.send(Msg::Forwarding(false)).await
    }

    /// Sends what happened up to this moment, each at its time, and the clock's whole seconds between.
    async fn advance(&mut self, to: Time) -> Result<(), Stop> {
        loop {
            let second = Time::from_millis(self.now.millis().div_euclid(1000) * 1000).after(SECOND);
            match &self.next {
                Some((at, _)) if *at <= to && *at <= second => {
                    let Some((at, poll)) = self.next.take() else { continue };
                    self.set(at);
                    self.send(Msg::Polled(Box::new(poll))).await?;
                    self.next = match &mut self.play {
                        Some(play) => play.next()?,
                        None => None,
                    };
                }
                None => {
                    if !self.shown.ended {
                        self.shown.ended = true;
                        self.send(Msg::Clock(self.now)).await?;
                        self.show().await?;
                    }
                    return Ok(());
                }
                Some((at, _)) if second <= to => {
                    // In a long silence nothing turns any more, and nobody waits for it.
                    let silent = at.since(second) > SILENCE && to.since(second) > SILENCE;
                    let next = if silent { (*at).min(to).before(SECOND) } else { second };
                    self.set(next);
                    self.send(Msg::Clock(next)).await?;
                }
                Some(_) => {
                    self.set(to);
                    return Ok(());
                }
            }
        }
    }

    fn set(&mut self, at: Time) {
        self.now = self.now.max(at);
        self.clock.set(self.now, Duration::ZERO);
    }

    async fn show(&mut self) -> Result<(), Stop> {
        let play = self.play.as_ref().map(Play::remarks).unwrap_or_default();
        self.shown.trouble = self.replay.tape.remarks().iter().cloned().chain(play).collect();
        self.send(Msg::Replay(self.shown.clone())).await
    }

    async fn send(&self, msg: Msg) -> Result<(), Stop> {
        self.room.send(msg).await.map_err(|_| Stop::Gone)
    }
}

fn beats() -> Interval {
    let mut beat = interval(BEAT);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    beat
}
