//! Whose turn it is to hold a large body: memory is bounded whatever the sources send.
//!
//! The turn is the whole program's. Who has it keeps it as long as nobody else waits; while others do, a
//! body must come at a pace, so that one server that drips cannot make the answers of all others late.

use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, timeout, timeout_at};

use crate::http::Response;
use crate::model::{Fault, FaultCode};

/// How many large bodies are held in memory at once, of all sources together.
static TURNS: Semaphore = Semaphore::const_new(1);

/// How many sources wait for a turn.
static WAITING: AtomicUsize = AtomicUsize::new(0);

/// What must have come in each second of a turn, on average, while others wait.
const PACE: f64 = 64.0 * 1024.0;

/// How long a turn may be slow; also how often one that brings nothing is looked at.
const PATIENCE: Duration = Duration::from_secs(2);

/// The right to hold a large body, until it is dropped.
pub(super) struct Turn {
    _permit: SemaphorePermit<'static>,
    begun: Instant,
    had: usize,
}

/// Counts as waiting for as long as it lives, also where the poll is given up.
struct Waiting;

impl Waiting {
    fn begin() -> Self {
        WAITING.fetch_add(1, Ordering::Relaxed);
        Self
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        WAITING.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Turn {
    /// Waits for a turn, but not beyond the time-out of the exchange.
    ///
    /// # Errors
    /// Timed out, because of the others.
    pub(super) async fn wait(response: &Response) -> Result<Self, Fault> {
        let _waiting = Waiting::begin();
        if let Ok(Ok(permit)) = timeout_at(response.until(), TURNS.acquire()).await {
            return Ok(Self { _permit: permit, begun: Instant::now(), had: 0 });
        }
        let text = "other large answers were being read for the whole time-out";
        Err(Fault::new(FaultCode::TimedOut, text))
    }

    /// The next slice of the body.
    ///
    /// # Errors
    /// Those of [`Response::slice`]; and timed out, where the body is slow and others wait.
    pub(super) async fn slice(&mut self, response: &mut Response) -> Result<Option<Bytes>, Fault> {
        let mut next = pin!(response.slice());
        let slice = loop {
            match timeout(PATIENCE, &mut next).await {
                Ok(slice) => break slice?,
                Err(_) => self.keeps_pace()?,
            }
        };
        // A body that is whole is not late.
        let Some(slice) = slice else { return Ok(None) };
        self.had += slice.len();
        self.keeps_pace()?;
        Ok(Some(slice))
    }

    fn keeps_pace(&mut self) -> Result<(), Fault> {
        if WAITING.load(Ordering::Relaxed) == 0 {
            // It is measured from when others began to wait.
            (self.begun, self.had) = (Instant::now(), 0);
            return Ok(());
        }
        let taken = self.begun.elapsed();
        if taken < PATIENCE || self.had as f64 >= PACE * taken.as_secs_f64() {
            return Ok(());
        }
        let text = "a large answer came so slowly that others could not wait for it";
        Err(Fault::new(FaultCode::TimedOut, text))
    }
}
