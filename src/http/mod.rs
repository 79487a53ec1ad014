//! The one HTTP client: time-outs, caps, TLS, proxies, credentials, conditional requests.
//!
//! May import `model` only. No other room (but `drill`, which serves) opens a socket. Start with
//! [`Client::send`]; what may be asked and where a redirect may lead is in `target`, what an error
//! is called in `fault`, what a 401 asks for in `challenge`. Times here are those of the system's
//! clock: the only use is a `Retry-After` date from a server that does not say its own time.

mod challenge;
mod client;
pub mod credential;
mod date;
mod fault;
mod gunzip;
mod pool;
mod resolver;
mod response;
mod scrub;
pub mod sign_in;
mod target;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

pub use client::Client;
pub use credential::{Asked, Credential, Proof};
pub use pool::Pool;
pub use response::Response;
pub use sign_in::SignIn;
pub use target::host_and_port;

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
    /// Says who asks; sent to the host that was configured and no other.
    pub credential: Option<Arc<dyn Credential>>,
    /// Whether a token is sent as `Authorization: TOKEN`, without `Bearer` before it (Unleash,
    /// `LaunchDarkly`).
    pub raw_token: bool,
    /// A PEM file with a certificate authority to trust beside the system's.
    pub ca_file: Option<PathBuf>,
    /// A PEM file with the certificate that this client shows (mTLS), the chain after it.
    pub client_cert: Option<PathBuf>,
    /// A PEM file with the key of that certificate; `None`: it stands in the certificate's file.
    pub client_key: Option<PathBuf>,
    /// The proxy to go through, an absolute URL; `None`: the one of the environment (`HTTPS_PROXY`
    /// and its like). Never for this machine.
    pub proxy: Option<String>,
    /// Hosts that are reached without any proxy: names, `.domain`, addresses, networks, `*`.
    pub no_proxy: Vec<String>,
    /// Whether plain http off loopback is allowed.
    pub allow_http: bool,
    /// Whether a redirect is refused instead of followed, also on the same host: what is posted is
    /// meant for one address.
    pub no_redirects: bool,
}

/// One request; a GET where there is neither a form nor JSON.
#[derive(Clone, Default)]
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
    /// A JSON body; the request is then a POST. Where there is a form too, the form is sent.
    pub json: Option<Bytes>,
    /// Says who asks in the place of the credential, and is never renewed.
    pub proof: Option<Proof>,
}

/// Names only: a URL may hold a password, and a form a token.
impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let form: Vec<&str> = self.form.iter().flatten().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("Request")
            .field("to", &host_and_port(&self.url))
            .field("form", &form)
            .field("json", &self.json.as_ref().map(Bytes::len))
            .finish_non_exhaustive()
    }
}
