//! Sending a request.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use reqwest::header::{
    ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONNECTION, HeaderMap, HeaderName, HeaderValue, IF_NONE_MATCH,
    LOCATION,
};
use secrecy::{ExposeSecret, SecretString};
use tokio::time::{Instant, timeout_at};

use super::fault::{self, Phase};
use super::pool::{Pool, Way};
use super::response::Limits;
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

    /// How many decoded bytes of bodies were read so far; the count goes on.
    pub fn received(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.received)
    }

    /// Sends a request and returns when the header of the answer is there. A 401 renews the
    /// credential and asks once more. Redirects are followed on the same host and port, and from
    /// http up to https, five at most; a POST stays a POST (but for 303), because what is posted
    /// here are questions.
    ///
    /// # Errors
    /// Unreachable, timed out, TLS, credential, a redirect that is not followed; never for another
    /// status.
    pub async fn send(&self, request: &Request) -> Result<Response, Fault> {
        let mut target = Target::parse(&request.url, &request.query)?;
        let mut form = request.form.as_deref();
        let mut until = Instant::now() + self.timeout;
        let (mut renew, mut renewed, mut redirects) = (false, false, 0);
        loop {
            target.allowed(self.options.allow_http)?;
            let asked = Instant::now();
            let headers = self.headers(request, &target, std::mem::take(&mut renew)).await?;
            until += asked.elapsed();
            let answer = timeout_at(until, self.exchange(&target, form, headers))
                .await
                .map_err(|_| fault::timed_out(Phase::Head, self.timeout))??;
            let status = answer.status().as_u16();
            if status == 401 && self.options.credential.is_some() && !renewed {
                (renew, renewed) = (true, true);
                continue;
            }
            let location = answer.headers().get(LOCATION).and_then(|v| v.to_str().ok());
            if let (301 | 302 | 303 | 307 | 308, Some(location)) = (status, location) {
                target = target.redirected(location)?;
                redirects += 1;
                if redirects > MAX_REDIRECTS {
                    return Err(Fault::new(FaultCode::Status, "redirects without end"));
                }
                if status == 303 {
                    form = None;
                }
                continue;
            }
            let presented = self.options.credential.is_some() || target.basic.is_some();
            let limits = Limits {
                until,
                timeout: self.timeout,
                max_body: self.options.max_body,
                received: self.received(),
            };
            return Ok(Response::new(answer, limits, presented));
        }
    }

    /// One exchange. A connection that waited in the pool may have been closed by the server in the
    /// same moment (Node.js does so after five idle seconds); only then it is tried once more.
    async fn exchange(
        &self,
        target: &Target,
        form: Option<&[(String, String)]>,
        headers: HeaderMap,
    ) -> Result<reqwest::Response, Fault> {
        let client = self.transport(target).await?;
        let mut again = self.pooled.load(Ordering::Relaxed);
        loop {
            let request = match form {
                Some(form) => client.post(target.url.clone()).form(form),
                None => client.get(target.url.clone()),
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

    async fn headers(&self, request: &Request, target: &Target, renew: bool) -> Result<HeaderMap, Fault> {
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
            let key = HeaderName::try_from(name.as_str())
                .map_err(|_| Fault::new(FaultCode::Credential, format!("{name:?} is no name of a header")))?;
            headers.insert(key, value(text, true, &format!("the header {name}"))?);
        }
        if let Some(credential) = &self.options.credential {
            let token = credential.token(renew).await?;
            headers.insert(AUTHORIZATION, bearer(&token)?);
        } else if let Some((user, password)) = &target.basic {
            headers.insert(AUTHORIZATION, basic(user, password)?);
        }
        Ok(headers)
    }

    async fn transport(&self, target: &Target) -> Result<reqwest::Client, Fault> {
        let tls = target.is_tls();
        let way = Way {
            tls,
            loopback: target.is_loopback(),
            timeout: self.timeout,
            ca_file: self.options.ca_file.clone().filter(|_| tls),
        };
        self.pool.transport(&way).await
    }
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
    let text = SecretString::from(format!("Basic {}", base64(pair.expose_secret().as_bytes())));
    value(text.expose_secret(), true, "the password")
}

/// RFC 4648; the one place that needs it, and no direct dependency brings it.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let byte = |i: usize| u32::from(chunk.get(i).copied().unwrap_or(0));
        let word = byte(0) << 16 | byte(1) << 8 | byte(2);
        for i in 0..4 {
            let digit = DIGITS.get((word >> (18 - 6 * i) & 63) as usize).copied().unwrap_or(b'=');
            out.push(char::from(if i <= chunk.len() { digit } else { b'=' }));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_and_password_are_encoded_as_rfc_7617_shows() {
        assert_eq!(base64(b"Aladdin:open sesame"), "QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
        assert_eq!([base64(b"f"), base64(b"fo"), base64(b"foo")], ["Zg==", "Zm8=", "Zm9v"]);
    }
}
