//! JSON bodies: their type, their size, and what is said where they cannot be read.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::http::Response;
use crate::model::{Fault, FaultCode};

use super::turn::Turn;

/// From this size on a body is decoded on a thread of its own, so that the others are polled in time.
const LARGE: usize = 256 * 1024;

/// So much is set aside for a large body at once. A body that grew by doubling would be held twice while
/// it moves; memory that is set aside and not written to costs nothing. From 32 MiB on glibc gives a
/// block that is freed back to the system; after a smaller one it would keep twice its size in every
/// thread from then on.
const SET_ASIDE: usize = 33 << 20;

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
    decode: impl FnOnce(&[u8]) -> Result<T, Fault> + Send + 'static,
) -> Result<T, Fault> {
    let html = response.content_type.as_deref().is_some_and(is_html);
    if html {
        return Err(Fault::new(FaultCode::ContentType, "answers an HTML page, not JSON"));
    }
    let mut bytes = Vec::new();
    let mut turn: Option<Turn> = None;
    loop {
        let slice = match &mut turn {
            Some(turn) => turn.slice(response).await?,
            None => response.slice().await?,
        };
        let Some(slice) = slice else { break };
        bytes.extend_from_slice(&slice);
        if bytes.len() >= LARGE && turn.is_none() {
            turn = Some(Turn::wait(response).await?);
            // Where it is refused, the body grows as it comes.
            let _ = bytes.try_reserve_exact(SET_ASIDE);
        }
    }
    if bytes.len() < LARGE {
        return decode(&bytes);
    }
    tokio::task::spawn_blocking(move || decode(&bytes))
        .await
        .map_err(|_| Fault::new(FaultCode::Unreadable, "the answer could not be decoded"))?
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
