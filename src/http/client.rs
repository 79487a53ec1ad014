//! Sending a request.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use reqwest::header::{
    ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONNECTION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue,
    IF_NONE_MATCH, LOCATION,
};
use secrecy::{ExposeSecret, SecretString};
use tokio::time::{Instant, timeout_at};

use super::challenge::Shown;
use super::credential::Proof;
use super::fault::{self, Phase};
use super::pool::{Pool, Way};
use super::response::Limits;
use super::scrub::Scrub;
use super::target::Target;
use super::{Options, Request, Response};
use crate::model::{Fault, FaultCode};

const MAX_REDIRECTS: usize = 5;
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);

/// The client of one source. Building it is cheap: the transport is made at the first request.
pub struct Client {
    options: Options,
    timeout: Duration,
    pool: Arc<Pool>,
    /// Whether a connection may be waiting to be used again.
    pooled: AtomicBool,
    /// Decoded bytes of all bodies.
    received: Arc<AtomicU64>,
}

impl Client {
    /// A client with these options and connections of its own.
    pub fn new(options: Options) -> Self {
        Self::sharing(options, Arc::default())
    }

    /// A client with these options that shares its connections with others on the same runtime.
    pub fn sharing(options: Options, pool: Arc<Pool>) -> Self {
        let timeout = if options.timeout.is_zero() { DEFAULT_TIMEOUT } else { options.timeout };
        Self { options, timeout, pool, pooled: AtomicBool::new(false), received: Arc::default() }
    }

    /// Another client with the same options and connections of its own; what it receives counts as
    /// this one's.
    #[must_use]
    pub fn another(&self) -> Self {
        Self { received: Arc::clone(&self.received), ..Self::new(self.options.clone()) }
    }

    /// Another client on the same connections that says by another credential who asks; what it
    /// receives counts as this one's.
    #[must_use]
    pub fn asking_as(&self, credential: Arc<dyn super::Credential>) -> Self {
        let options = Options { credential: Some(credential), ..self.options.clone() };
        Self { received: Arc::clone(&self.received), ..Self::sharing(options, Arc::clone(&self.pool)) }
    }

    /// Another client on the same connections that sends more headers.
    #[must_use]
    pub fn adding(&self, headers: Vec<(String, String)>) -> Self {
        let mut options = self.options.clone();
        options.headers.extend(headers);
        Self { received: Arc::clone(&self.received), ..Self::sharing(options, Arc::clone(&self.pool)) }
    }

    /// How many decoded bytes of bodies were read so far; the count goes on.
    pub fn received(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.received)
    }

    /// Sends a request and returns when the header of the answer is there. A 401 renews the
    /// credential and asks once more, where there is a new one. Redirects are followed on the same host and port, and from
    /// http up to https, five at most; a POST stays a POST (but for 303), because what is posted
    /// here are questions.
    ///
    /// # Errors
    /// Unreachable, timed out, TLS, credential, a redirect that is not followed; never for another
    /// status.
    pub async fn send(&self, request: &Request) -> Result<Response, Fault> {
        let mut target = Target::parse(&request.url, &request.query)?;
        let mut body = Body::of(request);
        let mut until = Instant::now() + self.timeout;
        let (mut renewed, mut may_renew, mut redirects) = (None, true, 0);
        loop {
            target.allowed(self.options.allow_http)?;
            let asked = Instant::now();
            let proof = match &self.options.credential {
                _ if request.proof.is_some() => request.proof.clone(),
                _ if renewed.is_some() => renewed.take(),
                Some(credential) => Some(credential.proof(None).await?),
                None => target.basic.clone().map(|(user, password)| Proof::Basic { user, password }),
            };
            let headers = self.headers(request, &target, proof.as_ref())?;
            until += asked.elapsed();
            let answer = timeout_at(until, self.exchange(&target, body, headers))
                .await
                .map_err(|_| fault::timed_out(Phase::Head, self.timeout))??;
            let status = answer.status().as_u16();
            let shown = proof.as_ref().map(Shown::of);
            if let (401, Some(credential), Some(refused), None) =
                (status, &self.options.credential, &proof, &request.proof)
                && may_renew
            {
                may_renew = false;
                let asked = Instant::now();
                let new = credential.proof(Some(refused)).await?;
                until += asked.elapsed();
                // What was refused is not sent once more.
                if !new.is(refused) {
                    renewed = Some(new);
                    continue;
                }
            }
            let location = answer.headers().get(LOCATION).and_then(|v| v.to_str().ok());
            if let (301 | 302 | 303 | 307 | 308, Some(location)) = (status, location) {
                if self.options.no_redirects {
                    return Err(target.not_redirected(location));
                }
                target = target.redirected(location)?;
                redirects += 1;
                if redirects > MAX_REDIRECTS {
                    return Err(Fault::new(FaultCode::Status, "redirects without end"));
                }
                if status == 303 {
                    body = Body::None;
                }
                continue;
            }
            let limits = Limits {
                until,
                timeout: self.timeout,
                max_body: self.options.max_body,
                received: self.received(),
            };
            let form = if let Body::Form(form) = body { Some(form) } else { None };
            return Ok(Response::new(answer, limits, shown, Scrub::of(proof.as_ref(), form)));
        }
    }

    /// One exchange. A connection that waited in the pool may have been closed by the server in the
    /// same moment (Node.js does so after five idle seconds); only then it is tried once more. Not
    /// so where redirects are refused: what is posted there (a refresh token that works once) must not be
    /// sent twice.
    async fn exchange(
        &self,
        target: &Target,
        body: Body<'_>,
        headers: HeaderMap,
    ) -> Result<reqwest::Response, Fault> {
        let client = self.transport(target).await?;
        let mut again = self.pooled.load(Ordering::Relaxed) && !self.options.no_redirects;
        loop {
            let request = match body {
                Body::Form(form) => client.post(target.url.clone()).form(form),
                Body::Json(json) => client
                    .post(target.url.clone())
                    .header(CONTENT_TYPE, "application/json")
                    .body(json.clone()),
                Body::None => client.get(target.url.clone()),
            };
            match request.headers(headers.clone()).send().await {
                Ok(answer) => {
                    let closes = answer.headers().get(CONNECTION).is_some_and(|v| v == "close");
                    self.pooled.store(!closes, Ordering::Relaxed);
                    return Ok(answer);
                }
                Err(error) if again && !error.is_connect() && !error.is_timeout() => again = false,
                Err(error) => return Err(fault::of_error(&error, Phase::Head, self.timeout)),
            }
        }
    }

    fn headers(&self, request: &Request, target: &Target, proof: Option<&Proof>) -> Result<HeaderMap, Fault> {
        let mut headers = HeaderMap::new();
        // Over loopback compressing costs both sides more than it saves.
        let encoding = if target.is_loopback() { "identity" } else { "gzip" };
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(encoding));
        for (name, text) in [(ACCEPT, &request.accept), (IF_NONE_MATCH, &request.etag)] {
            if let Some(text) = text {
                headers.insert(name, value(text, false, "a header")?);
            }
        }
        for (name, text) in &self.options.headers {
            headers.insert(header_name(name)?, value(text, true, &format!("the header {name}"))?);
        }
        match proof {
            Some(Proof::Bearer(token)) if self.options.raw_token => {
                headers.insert(AUTHORIZATION, value(token.expose_secret(), true, "the token")?);
            }
            Some(Proof::Bearer(token)) => {
                headers.insert(AUTHORIZATION, bearer(token)?);
            }
            Some(Proof::Basic { user, password }) => {
                headers.insert(AUTHORIZATION, basic(user, password)?);
            }
            Some(Proof::Header { name, value: secret }) => {
                let secret = value(secret.expose_secret(), true, &format!("the header {name}"))?;
                headers.insert(header_name(name)?, secret);
            }
            None => {}
        }
        Ok(headers)
    }

    async fn transport(&self, target: &Target) -> Result<reqwest::Client, Fault> {
        let options = &self.options;
        let tls = target.is_tls();
        let direct = target.is_loopback() || target.is_direct(&options.no_proxy);
        let proxy = options.proxy.clone().filter(|_| !direct);
        // A proxy that is reached over TLS needs somebody to trust too.
        let tls = tls || proxy.as_ref().is_some_and(|proxy| proxy.starts_with("https:"));
        let way = Way {
            tls,
            direct,
            proxy,
            timeout: self.timeout,
            ca_file: options.ca_file.clone().filter(|_| tls),
            client_cert: options.client_cert.clone().filter(|_| tls),
            client_key: options.client_key.clone().filter(|_| tls),
        };
        self.pool.transport(&way).await
    }
}

/// What is posted, if anything.
#[derive(Clone, Copy)]
enum Body<'r> {
    None,
    Form(&'r [(String, String)]),
    Json(&'r Bytes),
}

impl<'r> Body<'r> {
    fn of(request: &'r Request) -> Self {
        match (&request.form, &request.json) {
            (Some(form), _) => Self::Form(form),
            (None, Some(json)) => Self::Json(json),
            (None, None) => Self::None,
        }
    }
}

fn header_name(name: &str) -> Result<HeaderName, Fault> {
    HeaderName::try_from(name)
        .map_err(|_| Fault::new(FaultCode::Credential, format!("{name:?} is no name of a header")))
}

fn value(text: &str, sensitive: bool, what: &str) -> Result<HeaderValue, Fault> {
    let mut value = HeaderValue::from_bytes(text.as_bytes()).map_err(|_| {
        Fault::new(FaultCode::Credential, format!("{what} holds characters that may not be sent"))
    })?;
    value.set_sensitive(sensitive);
    Ok(value)
}

fn bearer(token: &SecretString) -> Result<HeaderValue, Fault> {
    let text = SecretString::from(format!("Bearer {}", token.expose_secret()));
    value(text.expose_secret(), true, "the token")
}

fn basic(user: &str, password: &SecretString) -> Result<HeaderValue, Fault> {
    let pair = SecretString::from(format!("{user}:{}", password.expose_secret()));
    let encoded = SecretString::from(STANDARD.encode(pair.expose_secret()));
    let text = SecretString::from(format!("Basic {}", encoded.expose_secret()));
    value(text.expose_secret(), true, "the password")
}
