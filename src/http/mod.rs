//! The one HTTP client: time-outs, caps, TLS, credentials, conditional requests.
//!
//! May import `model` only. No other room (but `drill`, which serves) opens a socket.

use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use secrecy::SecretString;

use crate::model::{Fault, Time};

/// Gives the bearer token. `renew` is true after a 401: read or run it again.
pub trait Credential: Send + Sync {
    /// The token, or why there is none.
    fn token(&self, renew: bool) -> Pin<Box<dyn Future<Output = Result<SecretString, Fault>> + Send + '_>>;
}

/// What all requests of one source share.
#[derive(Clone, Default)]
pub struct Options {
    /// The longest from connecting to the last byte of the body.
    pub timeout: Duration,
    /// The most decoded bytes of one body; 0: no cap.
    pub max_body: u64,
    /// Sent with each request, to the host that was configured and no other.
    pub headers: Vec<(String, String)>,
    /// Bearer token.
    pub credential: Option<Arc<dyn Credential>>,
    /// A PEM file with a certificate authority to trust beside the system's.
    pub ca_file: Option<PathBuf>,
    /// Whether plain http off loopback is allowed.
    pub allow_http: bool,
}

/// The client of one source. Building it is cheap: TLS roots are loaded at the first https request.
pub struct Client {}

/// One request.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// Absolute URL.
    pub url: String,
    /// `Accept`.
    pub accept: Option<String>,
    /// `If-None-Match`.
    pub etag: Option<String>,
    /// A form body; the request is then a POST.
    pub form: Option<Vec<(String, String)>>,
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
    /// `WWW-Authenticate`.
    pub www_authenticate: Option<String>,
}

impl Client {
    /// A client with these options.
    pub fn new(_options: Options) -> Self {
        todo!()
    }

    /// Sends a request and returns when the header of the answer is there. A 401 renews the
    /// credential and asks once more.
    ///
    /// # Errors
    /// Unreachable, timed out, TLS, credential; never for a status.
    pub async fn send(&self, _request: &Request) -> Result<Response, Fault> {
        todo!()
    }
}

impl Response {
    /// The next slice of the decoded body; `None` at its end. Yields to other tasks at least every
    /// 256 KiB.
    ///
    /// # Errors
    /// Cut short (reset, `Content-Length` or gzip trailer not met), too large, timed out.
    pub async fn slice(&mut self) -> Result<Option<Bytes>, Fault> {
        todo!()
    }

    /// The whole body as text (invalid UTF-8 replaced).
    ///
    /// # Errors
    /// As [`Response::slice`].
    pub async fn text(&mut self) -> Result<String, Fault> {
        todo!()
    }

    /// The fault that this status means, where it is not 2xx or 304: sign-in needed, forbidden,
    /// rate limited, or `answers 503`.
    pub fn fault(&self) -> Option<Fault> {
        todo!()
    }
}
