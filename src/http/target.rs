//! Where a request may go, and where a redirect may lead it.

use std::net::IpAddr;

use hyper_util::client::proxy::matcher::Matcher;
use reqwest::Url;
use secrecy::SecretString;

use crate::model::{Fault, FaultCode};

/// A URL without its user and password, which are kept apart.
#[derive(Clone)]
pub(super) struct Target {
    pub(super) url: Url,
    pub(super) basic: Option<(String, SecretString)>,
}

impl Target {
    /// Reads a URL.
    pub(super) fn parse(text: &str, query: &[(String, String)]) -> Result<Self, Fault> {
        // The text itself is not printed: it may hold a password.
        let bad = |why: &str| Fault::new(FaultCode::Unreachable, format!("the URL cannot be used: {why}"));
        let mut url = Url::parse(text.trim()).map_err(|e| bad(&e.to_string()))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(bad("it must begin with http:// or https://"));
        }
        if url.host_str().is_none_or(str::is_empty) {
            return Err(bad("it names no host"));
        }
        let basic = (!url.username().is_empty() || url.password().is_some())
            .then(|| (decoded(url.username()), SecretString::from(decoded(url.password().unwrap_or("")))));
        // Both refuse only URLs without a host, which were refused above.
        let _ = url.set_username("");
        let _ = url.set_password(None);
        url.set_fragment(None);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        Ok(Self { url, basic })
    }

    pub(super) fn is_tls(&self) -> bool {
        self.url.scheme() == "https"
    }

    /// Whether the host is this machine.
    pub(super) fn is_loopback(&self) -> bool {
        let Some(host) = self.url.host_str() else { return false };
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        match bare.parse::<IpAddr>() {
            Ok(IpAddr::V6(ip)) => ip.is_loopback() || ip.to_ipv4_mapped().is_some_and(|v4| v4.is_loopback()),
            Ok(IpAddr::V4(ip)) => ip.is_loopback(),
            Err(_) => {
                let name = bare.trim_end_matches('.');
                name == "localhost" || name.ends_with(".localhost")
            }
        }
    }

    /// Refuses plain http to another machine where the config does not allow it.
    pub(super) fn allowed(&self, allow_http: bool) -> Result<(), Fault> {
        if self.is_tls() || allow_http || self.is_loopback() {
            return Ok(());
        }
        let host = self.url.host_str().unwrap_or_default();
        let text = format!("plain http to {host} is refused: use https, or set allow-http = true");
        Err(Fault::new(FaultCode::Unreachable, text))
    }

    /// Whether one of these patterns says that the host is reached without a proxy.
    pub(super) fn is_direct(&self, no_proxy: &[String]) -> bool {
        let Ok(uri) = self.url.as_str().parse() else { return false };
        // The matcher that the transport has itself: with any proxy at all, is this one left out?
        let matcher = Matcher::builder().all("http://proxy.invalid").no(no_proxy.join(",")).build();
        !no_proxy.is_empty() && matcher.intercept(&uri).is_none()
    }

    /// A redirect that is not to be followed, wherever it leads; of that place only the host is told.
    pub(super) fn not_redirected(&self, location: &str) -> Fault {
        let next = self.url.join(location).ok();
        let host = next.as_ref().and_then(|next| next.host_str()).unwrap_or("an unreadable URL");
        let text = format!("redirects to {host}: what is posted here is sent to the configured address only");
        Fault::new(FaultCode::Status, text)
    }

    /// Where a redirect leads, if it may be followed: to the same host and port by the same scheme,
    /// or from http up to https on the same host. Credentials and headers were meant for that host
    /// and no other.
    pub(super) fn redirected(&self, location: &str) -> Result<Self, Fault> {
        let refuse =
            |what: String| Fault::new(FaultCode::Status, format!("redirects to {what}, not followed"));
        let next = self.url.join(location).map_err(|_| refuse("an unreadable URL".into()))?;
        let next = Self::parse(next.as_str(), &[])?;
        let host = next.url.host_str().unwrap_or_default();
        if self.url.host_str() != next.url.host_str() {
            return Err(refuse(format!("another host, {host}")));
        }
        let (from, to) = (self.url.port_or_known_default(), next.url.port_or_known_default());
        match (self.is_tls(), next.is_tls()) {
            (true, false) => Err(refuse("plain http".into())),
            (false, true) if from == to || (from, to) == (Some(80), Some(443)) => Ok(()),
            _ if from == to => Ok(()),
            _ => Err(refuse(format!("another port, {host}:{}", to.unwrap_or(0)))),
        }?;
        Ok(Self { url: next.url, basic: self.basic.clone() })
    }
}

/// Host and port of a URL, as in the `instance` label of a scrape: `127.0.0.1:9464`,
/// `worker.example:443`; the port is always there. `None` where the text is no URL.
pub fn host_and_port(url: &str) -> Option<String> {
    let target = Target::parse(url, &[]).ok()?;
    Some(format!("{}:{}", target.url.host_str()?, target.url.port_or_known_default()?))
}

/// Percent-decoding of a user or password. Kept here: one caller, and no crate at hand does it.
fn decoded(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let mut ahead = bytes.clone();
        let hex = |b: Option<u8>| b.and_then(|b| char::from(b).to_digit(16));
        match (byte, hex(ahead.next()), hex(ahead.next())) {
            (b'%', Some(high), Some(low)) => {
                out.push((high * 16 + low) as u8);
                bytes = ahead;
            }
            _ => out.push(byte),
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret;

    fn target(url: &str) -> Target {
        Target::parse(url, &[]).unwrap_or_else(|e| panic!("{url}: {e}"))
    }

    #[test]
    fn plain_http_goes_to_this_machine_or_needs_leave() {
        for here in [
            "http://127.0.0.1:9",
            "http://localhost",
            "http://[::1]:80/x",
            "http://a.localhost",
            "http://127.9.9.9",
        ] {
            assert!(target(here).allowed(false).is_ok(), "{here}");
        }
        for there in [
            "http://10.0.0.1",
            "http://localhost.example.com",
            "http://[fe80::1]",
            "http://127.0.0.1.example.com",
        ] {
            assert!(target(there).allowed(false).unwrap_err().text.contains("allow-http"), "{there}");
            assert!(target(there).allowed(true).is_ok());
        }
        assert!(target("https://example.com").allowed(false).is_ok());
    }

    #[test]
    fn hosts_that_are_reached_without_a_proxy_are_named_by_name_domain_address_or_network() {
        let direct = |url, patterns: &[&str]| {
            target(url).is_direct(&patterns.iter().map(|p| (*p).to_owned()).collect::<Vec<_>>())
        };
        assert!(direct("https://prom.example.com/x", &["example.com"]));
        assert!(direct("https://prom.example.com", &["other", ".example.com"]));
        assert!(direct("http://10.1.2.3:9090", &["10.0.0.0/8"]));
        assert!(direct("https://anything", &["*"]));
        assert!(!direct("https://prom.example.com", &["prom.example.org"]));
        assert!(!direct("https://prom.example.com", &[]));
    }

    #[test]
    fn a_redirect_is_followed_on_the_same_host_or_up_to_https_and_nowhere_else() {
        let from = target("http://h:8080/metrics");
        for ok in ["/other", "http://h:8080/x", "https://h:8080/x", "//h:8080/y"] {
            assert!(from.redirected(ok).is_ok(), "{ok}");
        }
        for no in [
            "http://evil:8080/",
            "http://h:9090/",
            "https://h/",
            "//evil:8080/",
            "ftp://h:8080/",
            "http://h:8080@evil/",
        ] {
            assert!(from.redirected(no).is_err(), "{no}");
        }
        assert!(target("http://h/a").redirected("https://h/a").is_ok());
        assert!(target("https://h/a").redirected("http://h/a").is_err());
    }

    #[test]
    fn a_password_in_a_url_is_kept_apart_and_never_printed() {
        let t = target("https://me:p%40ss@example.com/x");
        assert_eq!(t.url.as_str(), "https://example.com/x");
        let (user, password) = t.basic.unwrap();
        assert_eq!((user.as_str(), password.expose_secret()), ("me", "p@ss"));
        assert_eq!(host_and_port("https://me:pw@example.com/x").unwrap(), "example.com:443");
        let error = Target::parse("http://me:secret@", &[]).err().unwrap();
        assert!(!error.text.contains("secret"), "{error}");
    }
}
