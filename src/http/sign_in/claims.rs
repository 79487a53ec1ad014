//! Who a person is, by the claims of an ID token and of `userinfo`.
//!
//! An ID token is read only where it comes straight from the token endpoint. Then the connection's TLS
//! says who made it, and its signature need not be checked (OIDC Core 1.0, 3.1.3.7, point 6);
//! a token of any other origin is never believed. Over plain http, which only loopback or `allow-http`
//! may use, nothing says so.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::zeroize::Zeroizing;
use serde_json::{Map, Value};

use crate::model::Time;
use crate::model::credential::SignInDef;
use crate::model::text::harmless_line;

/// How far apart clocks may be where the issuer's is not known, in seconds.
const CLOCKS_APART: f64 = 300.0;
/// The same where it is: `Date` has whole seconds, and the token was made before it.
const KNOWN_APART: f64 = 60.0;
/// The most roles that are kept.
const MOST_ROLES: usize = 200;
/// Where a name is looked for when the config does not say.
const NAMES: [&str; 4] = ["/preferred_username", "/email", "/name", "/sub"];

/// Whether a token has the form of a JWT: only then anything can be read from it.
pub(super) fn is_jwt(token: &str) -> bool {
    payload(token).is_some()
}

/// The claims of a JWT, unchecked.
fn payload(token: &str) -> Option<Map<String, Value>> {
    let mut parts = token.split('.');
    let (Some(_), Some(body), Some(_), None) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return None;
    };
    let bytes = Zeroizing::new(URL_SAFE_NO_PAD.decode(body.trim_end_matches('=')).ok()?);
    serde_json::from_slice(&bytes).ok()
}

/// The claims of an ID token that the token endpoint has just handed out. `server` is the issuer's own
/// time, where it said one.
///
/// # Errors
/// Which claim is wrong, as the end of a sentence.
pub(super) fn of_id_token(
    token: &str,
    def: &SignInDef,
    now: Time,
    server: Option<Time>,
) -> Result<Map<String, Value>, String> {
    let claims = payload(token).ok_or("it is no JWT")?;
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    if text("iss") != Some(def.issuer.as_str()) {
        return Err(format!(
            "it was made by another issuer, {}",
            harmless_line(text("iss").unwrap_or("nobody"), 100)
        ));
    }
    let audience: Vec<&str> = match claims.get("aud") {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(all)) => all.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    if !audience.contains(&def.client_id.as_str()) {
        return Err("it is for another client (aud)".into());
    }
    match text("azp") {
        Some(azp) if azp != def.client_id => return Err("it was given to another client (azp)".into()),
        None if audience.len() > 1 => {
            return Err("it is for several clients and does not say to whom it was given (azp)".into());
        }
        _ => {}
    }
    let ends = claims.get("exp").and_then(Value::as_f64).ok_or("it does not say when it ends (exp)")?;
    let (now, apart) = server.map_or((now, CLOCKS_APART), |server| (server, KNOWN_APART));
    if now.seconds() > ends + apart {
        return Err("it has expired (exp)".into());
    }
    if text("sub").is_none_or(str::is_empty) {
        return Err("it names no subject (sub)".into());
    }
    Ok(claims)
}

/// The claims with those of `userinfo` added, which must be about the same subject (OIDC Core
/// 1.0, 5.3.2).
pub(super) fn with_userinfo(
    mut claims: Map<String, Value>,
    userinfo: Map<String, Value>,
) -> Result<Map<String, Value>, String> {
    let subject = |claims: &Map<String, Value>| claims.get("sub").and_then(Value::as_str).map(str::to_owned);
    match (subject(&claims), subject(&userinfo)) {
        (_, None) => return Err("it names no subject (sub)".into()),
        (Some(one), Some(other)) if one != other => return Err("it is about somebody else (sub)".into()),
        _ => {}
    }
    for (name, value) in userinfo {
        claims.entry(name).or_insert(value);
    }
    Ok(claims)
}

/// Takes out the claim that roles are read from; whether it was there.
pub(super) fn drop_roles(claims: &mut Map<String, Value>, def: &SignInDef) -> bool {
    let first = def.roles.as_deref().and_then(|pointer| pointer.strip_prefix('/')?.split('/').next());
    first.is_some_and(|first| claims.remove(&first.replace("~1", "/").replace("~0", "~")).is_some())
}

/// Whether the claims hold what the config looks for.
pub(super) fn are_enough(claims: &Map<String, Value>, def: &SignInDef) -> bool {
    let has = |pointer: &str| found(claims, pointer).is_some();
    def.roles.as_deref().is_none_or(has)
        && def.name.as_deref().map_or_else(|| NAMES.iter().take(3).any(|n| has(n)), has)
}

fn found<'c>(claims: &'c Map<String, Value>, pointer: &str) -> Option<&'c Value> {
    let (first, rest) = pointer
        .strip_prefix('/')?
        .split_once('/')
        .map_or((pointer.strip_prefix('/')?, None), |(f, r)| (f, Some(r)));
    let top = claims.get(&first.replace("~1", "/").replace("~0", "~"))?;
    match rest {
        None => Some(top),
        Some(rest) => top.pointer(&format!("/{rest}")),
    }
}

/// The name to show.
pub(super) fn name(claims: &Map<String, Value>, def: &SignInDef) -> String {
    let of = |pointer: &str| {
        let text = harmless_line(found(claims, pointer)?.as_str()?, 80);
        Some(unmarked(&text).to_owned()).filter(|text| !text.is_empty())
    };
    let own = def.name.as_deref().and_then(of);
    own.or_else(|| NAMES.iter().find_map(|pointer| of(pointer)))
        .unwrap_or_else(|| "somebody without a name".into())
}

/// A name without the mark of those that nobody vouches for, which only this program sets: else the name of
/// a person who is signed in would read as one that is not, and one person could pass for two.
fn unmarked(text: &str) -> &str {
    let mut text = text.trim();
    while let Some((mark, rest)) = text.split_once(':')
        && mark.trim().eq_ignore_ascii_case("unverified")
    {
        text = rest.trim();
    }
    text
}

/// The values of the role claim: a list of texts, one text with spaces between, or the names of a map
/// whose values are not false (Zitadel).
pub(super) fn roles(claims: &Map<String, Value>, def: &SignInDef) -> Vec<String> {
    let Some(value) = def.roles.as_deref().and_then(|pointer| found(claims, pointer)) else {
        return Vec::new();
    };
    let texts: Vec<&str> = match value {
        Value::String(text) => text.split_whitespace().collect(),
        Value::Array(all) => all.iter().filter_map(Value::as_str).collect(),
        Value::Object(all) => all
            .iter()
            .filter(|(_, v)| !matches!(v, Value::Null | Value::Bool(false)))
            .map(|(k, _)| k.as_str())
            .collect(),
        _ => Vec::new(),
    };
    texts.into_iter().take(MOST_ROLES).map(|text| harmless_line(text, 120)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::sign_in::tests::def;
    use serde_json::json;

    fn jwt(claims: &Value) -> String {
        let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
        format!("{}.{}.{}", part("{\"alg\":\"RS256\"}"), part(&claims.to_string()), "c2ln")
    }

    fn claims(value: Value) -> Map<String, Value> {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn an_id_token_must_be_of_the_issuer_for_this_client_and_not_expired() {
        let now = Time::from_millis(1_000_000_000);
        let good = json!({ "iss": "https://id.example.com", "aud": "gonogo", "exp": 1_000_300, "sub": "u1" });
        let judged = |changed: &[(&str, Value)], server| {
            let mut claims = good.clone();
            for (name, value) in changed {
                claims[*name] = value.clone();
            }
            of_id_token(&jwt(&claims), &def(), now, server).map(|_| ())
        };
        assert_eq!(judged(&[], None), Ok(()));
        assert_eq!(judged(&[("aud", json!(["gonogo", "other"])), ("azp", json!("gonogo"))], None), Ok(()));
        for (changed, why) in [
            (vec![("iss", json!("https://id.example.com/"))], "another issuer"),
            (vec![("aud", json!("other"))], "another client (aud)"),
            (vec![("aud", json!(["gonogo", "other"]))], "several clients"),
            (vec![("azp", json!("other"))], "azp"),
            (vec![("exp", json!(999_000))], "expired"),
            (vec![("exp", json!("soon"))], "when it ends"),
            (vec![("sub", json!(""))], "no subject"),
        ] {
            let said = judged(&changed, None).unwrap_err();
            assert!(said.contains(why), "{changed:?}: {said}");
        }
        // This machine is ten minutes fast: by the issuer's own clock the token has not ended.
        let late = [("exp", json!(999_500))];
        assert!(judged(&late, None).is_err());
        assert_eq!(judged(&late, Some(Time::from_millis(999_400_000))), Ok(()));
        for bad in ["", "a.b", "a.b.c", "a.b.c.d", "..", "€.€.€"] {
            assert!(!is_jwt(bad), "{bad}");
        }
    }

    #[test]
    fn roles_and_names_are_found_where_the_config_points() {
        let mut def = def();
        let held = claims(json!({
            "sub": "u1", "email": "ana@corp", "realm_access": { "roles": ["launch-commander", 5, "qa\u{1b}"] },
            "scp": "a b", "map": { "x": { "1": "y" }, "z": false }, "a/b": { "c": ["d"] }
        }));
        def.roles = Some("/realm_access/roles".into());
        assert_eq!(roles(&held, &def), ["launch-commander", "qa\\u{1b}"]);
        def.role_names = [("captain".to_owned(), vec!["launch-commander".to_owned()])].into();
        assert_eq!(def.checklist_roles(&roles(&held, &def)), ["captain"]);
        for (pointer, expected) in
            [("/scp", vec!["a", "b"]), ("/map", vec!["x"]), ("/a~1b/c", vec!["d"]), ("/none", vec![])]
        {
            def.roles = Some(pointer.into());
            assert_eq!(roles(&held, &def), expected, "{pointer}");
        }
        assert_eq!(name(&held, &def), "ana@corp");
        def.name = Some("/sub".into());
        assert_eq!(name(&held, &def), "u1");
        for marked in ["unverified:bo", "Unverified: unverified :unverified:bo", "bo"] {
            assert_eq!(
                name(&claims(json!({ "preferred_username": marked })), &crate::http::sign_in::tests::def()),
                "bo",
                "{marked}"
            );
        }
        let only = claims(json!({ "preferred_username": "unverified:", "sub": "u1" }));
        assert_eq!(name(&only, &crate::http::sign_in::tests::def()), "u1");
    }

    #[test]
    fn userinfo_about_somebody_else_is_refused() {
        let one = claims(json!({ "sub": "u1", "email": "a" }));
        assert!(
            with_userinfo(one.clone(), claims(json!({ "sub": "u2" }))).unwrap_err().contains("somebody else")
        );
        assert!(with_userinfo(one.clone(), claims(json!({}))).is_err());
        let both = with_userinfo(one, claims(json!({ "sub": "u1", "email": "b", "roles": ["x"] }))).unwrap();
        assert_eq!((both["email"].as_str(), both["roles"][0].as_str()), (Some("a"), Some("x")));
    }
}
