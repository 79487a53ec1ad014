//! The identity contract `launch-identity/1`, the part that the product serves: `meta`, `whoami`
//! and `flags`, with entity tags, pages and RFC 9457 problems.

mod flags;
mod query;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::product::Product;
use query::Query;

const BASE: &str = "/launch/v1/";
const SCOPE: &str = "flags:read";

/// The environments that the product knows.
pub const ENVIRONMENTS: [&str; 3] = ["development", "staging", "production"];

/// A request, as far as the contract looks at it.
#[derive(Clone, Copy, Debug)]
pub struct Ask<'a> {
    /// The path, from the root.
    pub path: &'a str,
    /// The query, without its question mark.
    pub query: &'a str,
    /// The `Authorization` header.
    pub authorization: Option<&'a str>,
    /// The `If-None-Match` header.
    pub if_none_match: Option<&'a str>,
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// The body's type; `None` with no body.
    pub content_type: Option<&'static str>,
    /// Further headers.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: String,
}

impl Reply {
    /// A problem (RFC 9457): a kind, a title and what is wrong in this case.
    pub fn problem(status: u16, kind: &str, title: &str, detail: &str) -> Self {
        let kind = format!("urn:launch-identity:problem:{kind}");
        let body = json!({ "type": kind, "title": title, "status": status, "detail": detail });
        Self {
            status,
            content_type: Some("application/problem+json"),
            headers: vec![("cache-control", "no-store".into())],
            body: body.to_string(),
        }
    }

    /// Nothing lives under this path.
    pub fn unknown_path(path: &str) -> Self {
        Self::problem(404, "not-found", "Not found", &format!("nothing is served under {path}"))
    }

    /// A JSON body that is nobody's to keep.
    pub fn document(body: &Value) -> Self {
        Self { headers: vec![("cache-control", "no-store".into())], ..Self::json(body) }
    }

    fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    fn json(body: &Value) -> Self {
        Self {
            status: 200,
            content_type: Some("application/json"),
            headers: vec![("cache-control", "private, no-cache".into())],
            body: body.to_string(),
        }
    }

    /// A JSON body with its entity tag, or 304 where the caller has it already.
    fn tagged(body: &Value, ask: Ask<'_>) -> Self {
        let mut reply = Self::json(body);
        let tag = entity_tag(&reply.body);
        if ask.if_none_match.is_some_and(|tags| matches_tag(tags, &tag)) {
            reply = Self { status: 304, content_type: None, body: String::new(), ..reply };
        }
        reply.with("etag", tag)
    }
}

/// Whether a path belongs to the contract.
pub fn is_contract(path: &str) -> bool {
    path.starts_with(BASE)
}

/// Answers a request for a path of the contract; `token` is the one that is asked for, if any is.
pub fn answer(product: &Product, ask: Ask<'_>, token: Option<&str>) -> Reply {
    if let Some(refused) = token.and_then(|token| refuse(ask.authorization, token)) {
        return refused;
    }
    match ask.path.strip_prefix(BASE) {
        Some("meta") => Reply::json(&meta(product)),
        Some("whoami") => Reply::tagged(&whoami(product), ask),
        Some("flags") => match flags::page(product, &Query::parse(ask.query)) {
            Ok(body) => Reply::tagged(&body, ask),
            Err(problem) => problem,
        },
        _ => Reply::unknown_path(ask.path),
    }
}

/// 401 with the challenge of RFC 6750: a request without a token is told no error code.
fn refuse(authorization: Option<&str>, token: &str) -> Option<Reply> {
    let bearer = authorization.and_then(|value| value.split_once(' ')).and_then(|(scheme, rest)| {
        scheme.eq_ignore_ascii_case("bearer").then_some(rest.trim_start_matches(' '))
    });
    let (error, detail) = match bearer {
        Some(given) if given == token => return None,
        Some(_) => (", error=\"invalid_token\"", "the token is not known here"),
        None => ("", "send a bearer token"),
    };
    let challenge = format!("Bearer realm=\"launch-identity\", scope=\"{SCOPE}\"{error}");
    Some(Reply::problem(401, "sign-in-needed", "Sign in", detail).with("www-authenticate", challenge))
}

fn meta(product: &Product) -> Value {
    json!({
        "contract": "launch-identity/1",
        "service": { "name": "identity (simulated)", "version": env!("CARGO_PKG_VERSION") },
        "server_time": product.now().rfc3339(),
        "environments": ENVIRONMENTS,
        "capabilities": ["flags"],
        "poll": { "min_interval_s": 2 },
    })
}

fn whoami(product: &Product) -> Value {
    // A token of eight hours that is renewed as it ends.
    let shift = std::time::Duration::from_hours(8);
    let renewed = u32::try_from(product.uptime().as_secs() / shift.as_secs()).unwrap_or(0) + 1;
    json!({
        "subject": { "id": "ada", "kind": "user", "display": "Ada" },
        "org_id": "org_acme",
        "roles": ["launch-commander", "captain"],
        "scopes": [SCOPE],
        "expires_at": product.at(shift * renewed).rfc3339(),
        "impersonator": null,
    })
}

fn entity_tag(body: &str) -> String {
    let start = Sha256::digest(body).iter().take(8).fold(0_u64, |tag, byte| tag << 8 | u64::from(*byte));
    format!("\"{start:016x}\"")
}

/// Whether an `If-None-Match` value names the tag: weak comparison, `*` names any (RFC 9110, 13.1.2).
fn matches_tag(tags: &str, tag: &str) -> bool {
    tags.split(',').map(str::trim).any(|t| t == "*" || t.strip_prefix("W/").unwrap_or(t) == tag)
}

#[cfg(test)]
mod tests {
    use super::super::{DEMO_SEED, DEMO_START};
    use super::*;

    fn ask(path: &'static str) -> Ask<'static> {
        Ask { path, query: "environment=production", authorization: None, if_none_match: None }
    }

    #[test]
    fn a_token_is_asked_for_before_anything_is_told_even_whether_a_path_exists() {
        let product = Product::new(DEMO_SEED, DEMO_START);
        for path in ["/launch/v1/flags", "/launch/v1/meta", "/launch/v1/nothing"] {
            let none = answer(&product, ask(path), Some("s3cret"));
            let challenge = &none.headers.iter().find(|(name, _)| *name == "www-authenticate").unwrap().1;
            assert_eq!(none.status, 401);
            assert!(challenge.starts_with("Bearer ") && !challenge.contains("error="), "{challenge}");
            let wrong = Ask { authorization: Some("Bearer guess"), ..ask(path) };
            let wrong = answer(&product, wrong, Some("s3cret"));
            assert!(wrong.headers.iter().any(|(_, value)| value.contains("invalid_token")));
            assert!(!wrong.body.contains("s3cret"));
        }
        let right = Ask { authorization: Some("bearer s3cret"), ..ask("/launch/v1/whoami") };
        let right = answer(&product, right, Some("s3cret"));
        assert!(right.status == 200 && right.body.contains("\"ada\""));
    }

    #[test]
    fn the_tag_changes_with_the_body_and_only_with_it() {
        let mut product = Product::new(DEMO_SEED, DEMO_START);
        let first = answer(&product, ask("/launch/v1/flags"), None);
        let tag = first.headers.iter().find(|(name, _)| *name == "etag").unwrap().1.clone();
        let list = format!("\"other\", W/{tag}");
        let again = Ask { if_none_match: Some(&list), ..ask("/launch/v1/flags") };
        let same = answer(&product, again, None);
        assert_eq!((same.status, same.body.as_str(), same.content_type), (304, "", None));
        assert!(same.headers.contains(&("etag", tag)));
        product.set_flag_percent(11.0);
        assert_eq!(answer(&product, again, None).status, 200);
    }
}
