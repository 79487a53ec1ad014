//! The one HTTP client: time-outs, caps, TLS, credentials, conditional requests.
//!
//! May import `model` only. No other room (but `drill`, which serves) opens a socket. Start with
//! [`Client::send`]; what may be asked and where a redirect may lead is in `target`, what an error
//! is called in `fault`. Times here are those of the system's clock: the only use is a
//! `Retry-After` date from a server that does not say its own time.

mod client;
pub mod credential;
mod date;
mod fault;
mod gunzip;
mod pool;
mod resolver;
mod response;
mod target;

use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;

use crate::model::Fault;

pub use client::Client;
pub use pool::Pool;
pub use response::Response;
pub use target::host_and_port;

/// Gives the bearer token. `renew` is true after a 401: read or run it again.
pub trait Credential: Send + Sync {
    /// The token, or why there is none.
    fn token(&self, renew: bool) -> Pin<Box<dyn Future<Output = Result<SecretString, Fault>> + Send + '_>>;
}

/// What all requests of one source share.
#[derive(Clone, Default)]
pub struct Options {
    /// The longest from connecting to the last byte of the body; zero: 30 s. Getting a token from
    /// the credential is not counted.
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

/// One request.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// Absolute URL. A user and password in it are sent as basic authorization, unless there is a
    /// credential, and are never printed.
    pub url: String,
    /// Parameters added to the URL.
    pub query: Vec<(String, String)>,
    /// `Accept`.
    pub accept: Option<String>,
    /// `If-None-Match`.
    pub etag: Option<String>,
    /// A form body; the request is then a POST.
    pub form: Option<Vec<(String, String)>>,
}
