//! The identity contract `launch-identity/1`, all of it, with entity tags, pages and RFC 9457 problems.

mod audit;
mod flags;
mod impersonation;
mod orgs;
mod query;
mod roles;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::product::Product;
use query::Query;

const BASE: &str = "/launch/v1/";

/// The scopes that the contract asks for, in the order of the paths that need them.
pub const SCOPES: [&str; 5] =
    ["flags:read", "orgs:read", "entitlements:read", "audit:read", "impersonation:read"];

/// Who is let in.
#[derive(Clone, Debug)]
pub struct Access {
    /// The bearer token that is asked for; `None`: everybody is let in.
    pub token: Option<String>,
    /// The scopes that the caller has then.
    pub scopes: Vec<String>,
}

impl Default for Access {
    fn default() -> Self {
        Self { token: None, scopes: SCOPES.map(str::to_owned).to_vec() }
    }
}

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

/// Answers a request for a path of the contract.
pub fn answer(product: &Product, ask: Ask<'_>, access: &Access) -> Reply {
    if let Some(refused) = access.token.as_ref().and_then(|token| refuse(ask.authorization, token)) {
        return refused;
    }
    let Some(path) = ask.path.strip_prefix(BASE) else { return Reply::unknown_path(ask.path) };
    if let Some(scope) = needed(path).filter(|scope| !access.scopes.iter().any(|s| s == scope)) {
        return forbid(scope);
    }
    let query = Query::parse(ask.query);
    let told = match path {
        "meta" => return Reply::json(&meta(product)),
        "whoami" => Ok(whoami(product, access)),
        "flags" => flags::page(product, &query),
        "orgs" => orgs::page(product, &query),
        "roles" => Ok(roles::all(product.injects.now.scope_withheld)),
        "audit-events" => audit::page(product, &query),
        "impersonation-sessions" => Ok(impersonation::sessions(product, &query)),
        _ => match path.strip_prefix("orgs/").and_then(|rest| rest.strip_suffix("/entitlements")) {
            Some(org) => orgs::entitlements(product, org),
            None => return Reply::unknown_path(ask.path),
        },
    };
    match told {
        Ok(body) => Reply::tagged(&body, ask),
        Err(problem) => problem,
    }
}

/// The scope that a path needs; none for what is told to everybody who is let in.
fn needed(path: &str) -> Option<&'static str> {
    Some(match path {
        "flags" => "flags:read",
        "orgs" => "orgs:read",
        "roles" => "entitlements:read",
        "audit-events" => "audit:read",
        "impersonation-sessions" => "impersonation:read",
        _ if path.starts_with("orgs/") => "entitlements:read",
        _ => return None,
    })
}

/// 403 that names the scope, in the problem and in the challenge.
fn forbid(scope: &str) -> Reply {
    let mut problem =
        Reply::problem(403, "insufficient-scope", "Forbidden", &format!("the token lacks {scope}"));
    if let Ok(Value::Object(mut fields)) = serde_json::from_str(&problem.body) {
        fields.insert("required_scope".into(), scope.into());
        problem.body = Value::Object(fields).to_string();
    }
    let challenge =
        format!("Bearer realm=\"launch-identity\", scope=\"{scope}\", error=\"insufficient_scope\"");
    problem.with("www-authenticate", challenge)
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
    let challenge = format!("Bearer realm=\"launch-identity\", scope=\"{}\"{error}", SCOPES.join(" "));
    Some(Reply::problem(401, "sign-in-needed", "Sign in", detail).with("www-authenticate", challenge))
}

fn meta(product: &Product) -> Value {
    json!({
        "contract": "launch-identity/1",
        "service": { "name": "identity (simulated)", "version": env!("CARGO_PKG_VERSION") },
        "server_time": product.now().rfc3339(),
        "environments": ENVIRONMENTS,
        "capabilities": ["flags", "orgs", "roles", "entitlements", "audit", "impersonation"],
        "poll": { "min_interval_s": 2 },
    })
}

fn whoami(product: &Product, access: &Access) -> Value {
    // A token of eight hours that is renewed as it ends.
    let shift = std::time::Duration::from_hours(8);
    let renewed = u32::try_from(product.uptime().as_secs() / shift.as_secs()).unwrap_or(0) + 1;
    json!({
        "subject": { "id": "ada", "kind": "user", "display": "Ada" },
        "org_id": "org_acme",
        "roles": ["launch-commander", "captain"],
        "scopes": access.scopes,
        "expires_at": product.at(shift * renewed).rfc3339(),
        "impersonator": null,
    })
}

/// A person, as the contract tells of one.
fn person(id: &str) -> Value {
    json!({ "id": id, "kind": "user", "display": capital(id) })
}

fn capital(word: &str) -> String {
    let mut word = word.to_owned();
    if let Some(first) = word.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    word
}

fn bad(parameter: &str, detail: &str) -> Reply {
    Reply::problem(400, &format!("bad-{parameter}"), "Bad request", detail)
}

/// How many the caller wants in a page: from 1 to `most`, `usual` where it does not say.
fn limit(query: &Query, usual: usize, most: usize) -> Result<usize, Reply> {
    let Some(limit) = query.one("limit") else { return Ok(usual) };
    let limit = limit.parse().ok().filter(|limit| (1..=most).contains(limit));
    limit.ok_or_else(|| bad("limit", &format!("limit is a number from 1 to {most}")))
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

    fn ask(path: &str) -> Ask<'_> {
        Ask { path, query: "environment=production", authorization: None, if_none_match: None }
    }

    #[test]
    fn a_token_is_asked_for_before_anything_is_told_even_whether_a_path_exists() {
        let product = Product::new(DEMO_SEED, DEMO_START);
        let access = Access { token: Some("s3cret".into()), ..Access::default() };
        for path in ["/launch/v1/flags", "/launch/v1/meta", "/launch/v1/nothing"] {
            let none = answer(&product, ask(path), &access);
            let challenge = &none.headers.iter().find(|(name, _)| *name == "www-authenticate").unwrap().1;
            assert_eq!(none.status, 401);
            assert!(challenge.starts_with("Bearer ") && !challenge.contains("error="), "{challenge}");
            let wrong = Ask { authorization: Some("Bearer guess"), ..ask(path) };
            let wrong = answer(&product, wrong, &access);
            assert!(wrong.headers.iter().any(|(_, value)| value.contains("invalid_token")));
            assert!(!wrong.body.contains("s3cret"));
        }
        let right = Ask { authorization: Some("bearer s3cret"), ..ask("/launch/v1/whoami") };
        let right = answer(&product, right, &access);
        assert!(right.status == 200 && right.body.contains("\"ada\""));
    }

    #[test]
    fn the_tag_changes_with_the_body_and_only_with_it() {
        let mut product = Product::new(DEMO_SEED, DEMO_START);
        let open = Access::default();
        let first = answer(&product, ask("/launch/v1/flags"), &open);
        let tag = first.headers.iter().find(|(name, _)| *name == "etag").unwrap().1.clone();
        let list = format!("\"other\", W/{tag}");
        let again = Ask { if_none_match: Some(&list), ..ask("/launch/v1/flags") };
        let same = answer(&product, again, &open);
        assert_eq!((same.status, same.body.as_str(), same.content_type), (304, "", None));
        assert!(same.headers.contains(&("etag", tag)));
        product.set_flag_percent(11.0);
        assert_eq!(answer(&product, again, &open).status, 200);
    }

    #[test]
    fn a_missing_scope_is_named_for_its_own_part_and_for_no_other() {
        let product = Product::new(DEMO_SEED, DEMO_START);
        for scope in SCOPES {
            let scopes = SCOPES.into_iter().filter(|s| *s != scope).map(str::to_owned).collect();
            let access = Access { token: None, scopes };
            for path in [
                "flags",
                "orgs",
                "orgs/org_acme/entitlements",
                "roles",
                "audit-events",
                "impersonation-sessions",
            ] {
                let path = format!("/launch/v1/{path}");
                let reply = answer(&product, ask(&path), &access);
                let lacks = needed(path.strip_prefix(BASE).unwrap()) == Some(scope);
                assert_eq!(reply.status, if lacks { 403 } else { 200 }, "{path} without {scope}");
                if lacks {
                    let problem: Value = serde_json::from_str(&reply.body).unwrap();
                    assert_eq!(problem["required_scope"], scope);
                    let challenge =
                        reply.headers.iter().find(|(name, _)| *name == "www-authenticate").unwrap();
                    assert!(challenge.1.contains(&format!("scope=\"{scope}\"")), "{challenge:?}");
                }
            }
        }
    }
}
