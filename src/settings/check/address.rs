//! URLs of sources.

use std::net::IpAddr;

use reqwest::Url;

use super::super::file::At;
use super::Check;

/// What an address is the beginning of.
#[derive(Clone, Copy)]
pub(super) enum Part {
    /// The whole address of a metrics endpoint.
    Endpoint,
    /// The base that this path is added to.
    Base(&'static str),
}

impl Check<'_> {
    /// An absolute http or https URL with a host, without secrets; plain http only where allowed.
    pub(super) fn address(&mut self, text: &At<String>, part: Part, allow_http: bool) -> String {
        if let Err(message) = judge(text.get(), part, allow_http) {
            // What is wrong may be a password, or may hide one.
            if text.get().contains('@') {
                self.troubles.add_secret(text.span(), message);
            } else {
                self.troubles.add(text.span(), message);
            }
        }
        match part {
            Part::Endpoint => text.get().clone(),
            Part::Base(_) => text.get().trim_end_matches('/').to_owned(),
        }
    }
}

fn judge(text: &str, part: Part, allow_http: bool) -> Result<(), String> {
    let url = Url::parse(text).map_err(|why| {
        format!("is no address ({why}): write a whole URL such as \"http://127.0.0.1:9090/\"")
    })?;
    // The parser forgives `http:/host` and `http:host`; a person who wrote that meant something else.
    let rest = text.get(url.scheme().len()..).unwrap_or("");
    if !matches!(url.scheme(), "http" | "https") {
        return Err(format!("is not http or https, but {:?}", url.scheme()));
    }
    if !rest.starts_with("://") || text.trim() != text {
        return Err(format!("is no address: after {} comes \"://\" and a host", url.scheme()));
    }
    let Some(host) = url.host_str().filter(|h| !h.is_empty()) else {
        return Err("has no host".into());
    };
    if !url.username().is_empty() || url.password().is_some() {
        return Err("holds a name or a password: a config holds no secrets; use `credential`".into());
    }
    if url.fragment().is_some() {
        return Err("has a part after \"#\", which is never sent".into());
    }
    if let Part::Base(below) = part {
        if url.query().is_some() {
            return Err("has a part after \"?\", which a base address cannot have".into());
        }
        if url.path().trim_end_matches('/').ends_with(below) {
            return Err(format!("is a base address, to which {below} is added: leave {below} out"));
        }
    }
    if url.scheme() == "http" && !allow_http && !is_loopback(host) {
        return Err(format!(
            "sends plain http to {host}, where it can be read and changed on the way: use https, or set allow-http = true"
        ));
    }
    Ok(())
}

fn is_loopback(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || host.ends_with(".localhost")
        || host.parse::<IpAddr>().is_ok_and(|ip| ip.to_canonical().is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_whole_url_without_secrets_and_plain_http_stays_on_this_machine() {
        let endpoint = |text| judge(text, Part::Endpoint, false);
        for good in [
            "http://127.0.0.1:9464/metrics",
            "http://[::1]:9464/metrics",
            "http://localhost/metrics?format=text",
            "https://metrics.example.com",
        ] {
            assert_eq!(endpoint(good), Ok(()), "{good}");
        }
        for (bad, why) in [
            ("", "is no address"),
            ("127.0.0.1:9464/metrics", "is no address"),
            ("localhost:9464/metrics", "not http or https"),
            ("htp://x/", "not http or https"),
            ("http:/127.0.0.1/", "comes \"://\""),
            ("http://", "is no address"),
            (" http://127.0.0.1/", "comes \"://\""),
            ("https://ana:secret@example.com/", "no secrets"),
            ("https://example.com/#x", "never sent"),
            ("http://example.com/metrics", "allow-http"),
            ("http://127.0.0.1.example.com/", "allow-http"),
        ] {
            let said = endpoint(bad).unwrap_err();
            assert!(said.contains(why), "{bad}: {said}");
        }
        assert_eq!(judge("http://prom.internal:9090", Part::Endpoint, true), Ok(()));
        let base = |text| judge(text, Part::Base("/api/v1"), false);
        assert_eq!(base("https://prom.example.com/prefix/"), Ok(()));
        assert!(base("https://prom.example.com/api/v1/").unwrap_err().contains("leave /api/v1 out"));
        assert!(base("https://prom.example.com/?x=1").unwrap_err().contains('?'));
    }
}
