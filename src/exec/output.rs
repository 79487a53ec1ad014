//! A program's output on its way from the pipe to the file.

use tokio::io::AsyncReadExt as _;
use tokio::net::unix::pipe::Receiver;
use tokio::sync::oneshot;
use tokio::task::{JoinError, JoinHandle, spawn_blocking};
use tokio::time::timeout;

use super::LINGER;
use super::group::Group;
use super::kept::{Keeper, Kept};
use super::redact::Redactor;

/// How much is read at once.
const PIECE: usize = 64 * 1024;
/// How much may still be in the pipe when the program is over: the most that Linux allows.
const LEFT: usize = 1024 * 1024;

/// The output of a program, read in a task of its own.
pub(super) struct Reading {
    kept: JoinHandle<Kept>,
    over: oneshot::Sender<()>,
}

impl Reading {
    /// Begins to read. A slow disk holds up the program that writes, not whoever watches its time.
    pub(super) fn begin(pipe: Receiver, redactor: Redactor, keeper: Keeper) -> Self {
        let (over, told) = oneshot::channel();
        Self { kept: tokio::spawn(drain(pipe, Sink { redactor, keeper }, told)), over }
    }

    /// What was kept, once the program is over: all that it wrote, and what others in its group write
    /// within a moment. Then the group is ended; somebody who left it and holds the pipe is not
    /// waited for.
    pub(super) async fn rest(mut self, group: &Group) -> Kept {
        let mut kept = timeout(LINGER, &mut self.kept).await;
        if kept.is_err() {
            group.kill();
            kept = timeout(LINGER, &mut self.kept).await;
        }
        let kept = if let Ok(kept) = kept {
            kept
        } else {
            let _ = self.over.send(());
            self.kept.await
        };
        kept.unwrap_or_else(|e| Kept::nothing(Some(format!("the output was lost: {e}"))))
    }
}

/// Where the output goes.
struct Sink {
    redactor: Redactor,
    keeper: Keeper,
}

impl Sink {
    /// Takes the bytes on a thread that may wait for the disk.
    async fn take(mut self, bytes: Vec<u8>) -> Result<(Self, Vec<u8>), JoinError> {
        spawn_blocking(move || {
            self.keeper.add(&self.redactor.feed(&bytes));
            (self, bytes)
        })
        .await
    }

    async fn finish(mut self) -> Result<Kept, JoinError> {
        spawn_blocking(move || {
            self.keeper.add(&self.redactor.finish());
            self.keeper.finish()
        })
        .await
    }
}

/// Reads until everybody has closed the pipe, or only what is in it once the program is over.
async fn drain(mut pipe: Receiver, mut sink: Sink, mut over: oneshot::Receiver<()>) -> Kept {
    let lost = |e: JoinError| Kept::nothing(Some(format!("the output was lost: {e}")));
    let mut bytes = Vec::with_capacity(PIECE);
    let mut is_over = false;
    let mut left = LEFT;
    while left > 0 {
        bytes.clear();
        let read = if is_over {
            pipe.try_read_buf(&mut bytes)
        } else {
            tokio::select! {
                biased;
                _ = &mut over => {
                    is_over = true;
                    continue;
                }
                read = pipe.read_buf(&mut bytes) => read,
            }
        };
        match read {
            Ok(count @ 1..) => left = left.saturating_sub(if is_over { count } else { 0 }),
            _ => break,
        }
        (sink, bytes) = match sink.take(bytes).await {
            Ok(both) => both,
            Err(e) => return lost(e),
        };
    }
    sink.finish().await.unwrap_or_else(lost)
}
