//! The head of an answer, and its body slice by slice.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE, ETAG, HeaderName};
use tokio::time::{Instant, timeout_at};

use super::challenge::{self, Shown};
use super::date;
use super::fault::{self, Phase};
use super::gunzip::Gunzip;
use super::scrub::Scrub;
use crate::model::duration::short;
use crate::model::{Fault, FaultCode, Time};

/// The most bytes handed on at once, and read before other tasks get their turn: with more, keys
/// pressed during a large scrape are late.
const SLICE: usize = 256 * 1024;

/// How long and how much may be read.
pub(super) struct Limits {
    pub(super) until: Instant,
    pub(super) timeout: Duration,
    pub(super) max_body: u64,
    /// Counts the decoded bytes of all bodies of the client.
    pub(super) received: Arc<AtomicU64>,
}

/// The head of an answer, and its body slice by slice.
pub struct Response {
    /// The status; any, also 304, 4xx and 5xx: what it means is the caller's to say.
    pub status: u16,
    /// `Content-Type`.
    pub content_type: Option<String>,
    /// `ETag`.
    pub etag: Option<String>,
    /// `Date` of the server.
    pub date: Option<Time>,
    /// `Retry-After`, in seconds or as a date, as a span from now.
    pub retry_after: Option<Duration>,
    /// `WWW-Authenticate`; where there are several, joined as one list.
    pub www_authenticate: Option<String>,
    body: reqwest::Response,
    /// Where the body is compressed.
    gunzip: Option<Gunzip>,
    /// Where the body is encoded in a way that was not asked for and is not known.
    encoded: Option<String>,
    limits: Limits,
    /// What was sent to say who asks.
    shown: Option<Shown>,
    /// What a refusal must not repeat.
    scrub: Scrub,
    /// Decoded bytes read from the body.
    read: u64,
    /// Read, and not handed on yet.
    rest: Bytes,
    /// Handed on since other tasks had their turn.
    unyielded: usize,
}

impl Response {
    pub(super) fn new(body: reqwest::Response, limits: Limits, shown: Option<Shown>, scrub: Scrub) -> Self {
        let headers = body.headers();
        let text = |name: HeaderName| headers.get(name)?.to_str().ok().map(str::to_owned);
        Self {
            status: body.status().as_u16(),
            content_type: text(CONTENT_TYPE),
            etag: text(ETAG),
            date: date::server(headers),
            retry_after: date::retry_after(headers)
                .or_else(|| date::rate_limit_reset(headers).filter(|_| body.status() == 429)),
            www_authenticate: challenge::joined(headers).map(|text| scrub.text(text)),
            gunzip: text(CONTENT_ENCODING).filter(|e| is_gzip(e)).map(|_| Gunzip::new()),
            encoded: text(CONTENT_ENCODING).filter(|e| !is_gzip(e) && !is_plain(e)),
            body,
            limits,
            shown,
            scrub,
            read: 0,
            rest: Bytes::new(),
            unyielded: 0,
        }
    }

    /// The next slice of the decoded body; `None` at its end. Yields to other tasks at least every
    /// 256 KiB.
    ///
    /// # Errors
    /// Cut short (reset, `Content-Length` or gzip trailer not met), too large, timed out. Bytes over
    /// the cap are never handed on.
    pub async fn slice(&mut self) -> Result<Option<Bytes>, Fault> {
        while self.rest.is_empty() {
            match self.more().await? {
                Some(bytes) => self.rest = bytes,
                None => return Ok(None),
            }
        }
        let slice = self.rest.split_to(self.rest.len().min(SLICE));
        self.unyielded += slice.len();
        if self.unyielded >= SLICE {
            self.unyielded = 0;
            tokio::task::yield_now().await;
        }
        Ok(Some(slice))
    }

    /// More of the decoded body, counted against the cap.
    async fn more(&mut self) -> Result<Option<Bytes>, Fault> {
        if let Some(encoding) = &self.encoded {
            let text = format!("the body is compressed with {encoding}, which was not asked for");
            return Err(Fault::new(FaultCode::ContentType, text));
        }
        let cap = if self.limits.max_body == 0 { u64::MAX } else { self.limits.max_body };
        let announced = self.body.content_length().filter(|_| self.gunzip.is_none());
        if announced.is_some_and(|length| length > cap.saturating_sub(self.read)) {
            return Err(fault::too_large(cap));
        }
        let bytes = self.decoded().await?;
        let more = bytes.as_ref().map_or(0, |b| b.len() as u64);
        self.read = self.read.saturating_add(more);
        self.limits.received.fetch_add(more, Ordering::Relaxed);
        if self.read > cap {
            return Err(fault::too_large(cap));
        }
        Ok(bytes)
    }

    async fn decoded(&mut self) -> Result<Option<Bytes>, Fault> {
        loop {
            if let Some(gunzip) = &mut self.gunzip {
                let bytes = gunzip.decoded()?;
                if bytes.is_some() || gunzip.is_over() {
                    return Ok(bytes);
                }
            }
            let (until, timeout) = (self.limits.until, self.limits.timeout);
            let sent = timeout_at(until, self.body.chunk())
                .await
                .map_err(|_| fault::timed_out(Phase::Body, timeout))?
                .map_err(|error| fault::of_error(&error, Phase::Body, timeout))?;
            match (sent, &mut self.gunzip) {
                (Some(bytes), Some(gunzip)) => gunzip.feed(bytes),
                (Some(bytes), None) => return Ok(Some(bytes)),
                (None, Some(gunzip)) => gunzip.end(),
                (None, None) => return Ok(None),
            }
        }
    }

    /// When the time-out of the exchange strikes.
    pub fn until(&self) -> Instant {
        self.limits.until
    }

    /// The whole body as text (invalid UTF-8 replaced).
    ///
    /// # Errors
    /// As [`Response::slice`].
    pub async fn text(&mut self) -> Result<String, Fault> {
        let mut all = Vec::new();
        while let Some(slice) = self.slice().await? {
            all.extend_from_slice(&slice);
        }
        Ok(String::from_utf8(all).unwrap_or_else(|e| String::from_utf8_lossy(e.as_bytes()).into_owned()))
    }

    /// What the body of a refusal says, as far as it can be read and at most `max` bytes of it: a
    /// broken explanation is no reason to lose the refusal. Secrets that were sent are taken out.
    pub async fn explanation(&mut self, max: usize) -> String {
        let mut all = Vec::new();
        while all.len() < max
            && let Ok(Some(slice)) = self.slice().await
        {
            all.extend_from_slice(&slice);
        }
        all.truncate(max);
        self.scrub.text(String::from_utf8_lossy(&all).into_owned())
    }

    /// A text that was decoded from the body, without the secrets that were sent.
    pub fn scrubbed(&self, text: String) -> String {
        self.scrub.text(text)
    }

    /// The fault that this status means, where it is not 2xx or 304: sign-in needed, forbidden,
    /// rate limited, or `answers 503`.
    pub fn fault(&self) -> Option<Fault> {
        let fault = match self.status {
            206 => Fault::new(FaultCode::CutShort, "cut short: answers 206, a part of the whole"),
            200..=299 | 304 => return None,
            401 => challenge::refused(self.www_authenticate.as_deref(), self.shown.as_ref()),
            403 => challenge::forbidden(self.www_authenticate.as_deref(), self.shown.as_ref()),
            429 => Fault::new(
                FaultCode::RateLimited,
                self.retry_after
                    .map_or("asked too often".into(), |r| format!("asked too often, again in {}", short(r))),
            ),
            status => Fault::new(FaultCode::Status, format!("answers {status}")),
        };
        Some(Fault { retry_after: self.retry_after, ..fault })
    }
}

fn is_plain(encoding: &str) -> bool {
    encoding.trim().is_empty() || encoding.trim().eq_ignore_ascii_case("identity")
}

fn is_gzip(encoding: &str) -> bool {
    ["gzip", "x-gzip"].iter().any(|name| encoding.trim().eq_ignore_ascii_case(name))
}
