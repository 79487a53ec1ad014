//! JSON bodies: their type, their size, and what is said where they cannot be read.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout_at;

use crate::http::Response;
use crate::model::{Fault, FaultCode};

/// From this size on a body is decoded on a thread of its own, so that the others are polled in time.
const LARGE: usize = 256 * 1024;

/// So much is set aside for a large body at once. A body that grew by doubling would be held twice while
/// it moves; memory that is set aside and not written to costs nothing. It is more than the 32 MiB from
/// which on glibc gives each block back to the system when it is freed, and learns nothing from it: after a
/// smaller one it would keep up to twice its size in each thread, for ever.
const SET_ASIDE: usize = 33 << 20;

/// How many large bodies are held in memory at once, of all sources together.
const LARGE_AT_ONCE: usize = 1;

/// Reads the body of an answer as a `T`.
///
/// # Errors
/// An HTML page, a body that is cut short, too large or late, or one that is no `T`.
pub(super) async fn body<T: DeserializeOwned + Send + 'static>(response: &mut Response) -> Result<T, Fault> {
    read(response, |bytes| decode(bytes)).await
}

/// Reads the body of an answer with `decode`, on a thread of its own where it is large.
///
/// # Errors
/// As [`body`], and those of `decode`.
pub(super) async fn read<T: Send + 'static>(
    response: &mut Response,
    decode: fn(&[u8]) -> Result<T, Fault>,
) -> Result<T, Fault> {
    let html = response.content_type.as_deref().is_some_and(is_html);
    if html {
        return Err(Fault::new(FaultCode::ContentType, "answers an HTML page, not JSON"));
    }
    let mut bytes = Vec::new();
    let mut turn = None;
    while let Some(slice) = response.slice().await? {
        bytes.extend_from_slice(&slice);
        if bytes.len() >= LARGE && turn.is_none() {
            turn = Some(turn_for_large(response).await?);
            bytes.reserve_exact(SET_ASIDE);
        }
    }
    if bytes.len() < LARGE {
        return decode(&bytes);
    }
    tokio::task::spawn_blocking(move || decode(&bytes))
        .await
        .map_err(|_| Fault::new(FaultCode::Unreadable, "the answer could not be decoded"))?
}

/// Waits until fewer large bodies than may be are held in memory, but not beyond the time-out.
async fn turn_for_large(response: &Response) -> Result<SemaphorePermit<'static>, Fault> {
    static TURNS: Semaphore = Semaphore::const_new(LARGE_AT_ONCE);
    let late =
        || Fault::new(FaultCode::TimedOut, "other large answers were being read for the whole time-out");
    match timeout_at(response.until(), TURNS.acquire()).await {
        Ok(Ok(turn)) => Ok(turn),
        Ok(Err(_)) | Err(_) => Err(late()),
    }
}

/// Decodes bytes that are all of a body.
pub(super) fn decode<'b, T: Deserialize<'b>>(bytes: &'b [u8]) -> Result<T, Fault> {
    if bytes.trim_ascii().is_empty() {
        return Err(Fault::new(FaultCode::CutShort, "an empty answer"));
    }
    serde_json::from_slice(bytes).map_err(|error| {
        if bytes.trim_ascii_start().starts_with(b"<") {
            return Fault::new(FaultCode::ContentType, "answers an HTML page, not JSON");
        }
        if error.is_eof() {
            return Fault::new(FaultCode::CutShort, "the JSON of the answer ends too early");
        }
        Fault::new(FaultCode::Unreadable, format!("the answer cannot be read: {error}"))
    })
}

/// Whether a `Content-Type` is that of a web page.
pub(super) fn is_html(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("text/html") || essence.eq_ignore_ascii_case("application/xhtml+xml")
}
