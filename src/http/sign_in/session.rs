//! What a sign-in tells: what was granted, who it is, what is worth knowing.

use serde_json::Map;

use secrecy::ExposeSecret;

use super::cache::Kept;
use super::claims;
use super::grant::Answered;
use crate::model::credential::SignInDef;
use crate::model::text::harmless_line;
use crate::model::{Person, Time};

/// Scopes that are about the ID token and the refresh token: a server need not list them among those of a
/// token for an API.
const OF_THE_SIGN_IN: [&str; 6] = ["openid", "offline_access", "profile", "email", "address", "phone"];

/// The program's own sign-in.
pub(super) fn of_program(answered: Answered, now: Time) -> Kept {
    got(answered, now)
}

/// A person's sign-in, as the token endpoint gave it just now.
///
/// # Errors
/// What is wrong with the ID token, as the end of a sentence.
pub(super) fn of_person(answered: Answered, def: &SignInDef, now: Time) -> Result<Kept, String> {
    let claims = match &answered.granted.id_token {
        Some(token) => claims::of_id_token(token.expose_secret(), def, now, answered.server)
            .map_err(|why| format!("the ID token is refused: {why}"))?,
        None => Map::new(),
    };
    Ok(Kept { claims, ..got(answered, now) })
}

/// A sign-in after a refresh: what the server left out is as before.
///
/// # Errors
/// The new ID token is refused, or is somebody else's.
pub(super) fn renewed(before: Kept, answered: Answered, def: &SignInDef, now: Time) -> Result<Kept, String> {
    let new = of_person(answered, def, now)?;
    let mut kept = before;
    if !new.claims.is_empty() {
        if kept.claims.get("sub").is_some_and(|sub| new.claims.get("sub") != Some(sub)) {
            return Err("the ID token is about somebody else (sub)".into());
        }
        // Claims that only `userinfo` told stay.
        kept.claims.extend(new.claims);
    }
    let was_jwt = kept.access.as_ref().is_some_and(|token| claims::is_jwt(token.expose_secret()));
    let is_jwt = new.access.as_ref().is_some_and(|token| claims::is_jwt(token.expose_secret()));
    if was_jwt && !is_jwt {
        let why = "where it gave a JWT before: an API that reads tokens itself will refuse them";
        kept.remarks.push(format!("{OPAQUE} {why}"));
    } else if is_jwt {
        kept.remarks.retain(|remark| !remark.starts_with(OPAQUE));
    }
    kept.access = new.access;
    kept.refresh = new.refresh.or(kept.refresh);
    (kept.got, kept.life) = (new.got, new.life);
    kept.scope = new.scope.or(kept.scope);
    kept.openid |= new.openid;
    kept.clock_offset = new.clock_offset.or(kept.clock_offset);
    Ok(kept)
}

const OPAQUE: &str = "after the refresh the server gives an opaque token";

fn got(answered: Answered, now: Time) -> Kept {
    let granted = answered.granted;
    Kept {
        access: Some(granted.access_token),
        refresh: granted.refresh_token,
        got: now,
        life: granted.expires_in,
        scope: granted.scope,
        openid: granted.id_token.is_some(),
        clock_offset: answered.server.map(|server| server.seconds() - now.seconds()),
        ..Kept::default()
    }
}

/// Who it is.
pub(super) fn person(kept: &Kept, credential: &str, def: &SignInDef, now: Time) -> Person {
    let claimed = claims::roles(&kept.claims, def);
    let over = kept.refresh.is_none() && kept.left(now).is_some_and(|left| left.is_zero());
    let ended = kept.ended.clone().or_else(|| over.then(|| "the sign-in has expired".to_owned()));
    let subject = kept.claims.get("sub").and_then(serde_json::Value::as_str).unwrap_or("");
    Person {
        credential: credential.to_owned(),
        name: claims::name(&kept.claims, def),
        issuer: harmless_line(&def.issuer, 200),
        subject: harmless_line(subject, 120),
        roles: def.checklist_roles(&claimed),
        claimed,
        tells_roles: def.roles.is_some(),
        scopes: granted(kept, def),
        withheld: withheld(kept, def),
        expires: kept.ends(),
        clock_offset: kept.clock_offset,
        remarks: kept.remarks.clone(),
        ended,
    }
}

fn granted(kept: &Kept, def: &SignInDef) -> Vec<String> {
    match &kept.scope {
        Some(scope) => scope.split_whitespace().take(200).map(|scope| harmless_line(scope, 120)).collect(),
        // What is not said is granted as asked (RFC 6749, 5.1).
        None => def.scopes.clone(),
    }
}

/// What was asked for and not granted; a server may drop a scope without a word.
fn withheld(kept: &Kept, def: &SignInDef) -> Vec<String> {
    let granted = granted(kept, def);
    let missing = |scope: &&String| match scope.as_str() {
        "openid" => !kept.openid,
        "offline_access" => kept.refresh.is_none() && kept.ended.is_none(),
        other if OF_THE_SIGN_IN.contains(&other) => false,
        _ => !granted.contains(scope),
    };
    def.scopes.iter().filter(missing).cloned().collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use secrecy::SecretString;

    use super::*;
    use crate::http::sign_in::tests::def;

    const JWT: &str = "e30.e30.c2ln";

    fn answered(text: &str) -> Answered {
        Answered { granted: serde_json::from_str(text).unwrap(), server: None }
    }

    fn now() -> Time {
        Time::from_millis(1_000_000)
    }

    #[test]
    fn a_scope_that_is_silently_dropped_is_told() {
        let kept = |scope: &str| {
            of_person(answered(&format!(r#"{{"access_token":"a"{scope}}}"#)), &def(), now()).unwrap()
        };
        let told = |scope: &str| person(&kept(scope), "me", &def(), now()).withheld;
        assert_eq!(told(r#","scope":"flags:read""#), ["audit:read"]);
        assert!(told("").is_empty(), "what is not said is granted as asked");
        let with =
            SignInDef { scopes: vec!["openid".into(), "offline_access".into(), "email".into()], ..def() };
        assert_eq!(withheld(&kept(r#","scope":"x""#), &with), ["openid", "offline_access"]);
    }

    #[test]
    fn an_opaque_token_after_a_jwt_is_told_and_a_refresh_token_that_does_not_rotate_stays() {
        let before = Kept {
            access: Some(SecretString::from(JWT)),
            refresh: Some(SecretString::from("r1")),
            life: Some(Duration::from_secs(60)),
            ..Kept::default()
        };
        let after = renewed(before, answered(r#"{"access_token":"opaque"}"#), &def(), now()).unwrap();
        assert!(after.remarks[0].contains("opaque token"), "{:?}", after.remarks);
        assert_eq!(after.refresh.as_ref().unwrap().expose_secret(), "r1");
        assert_eq!(after.life, None);
        let still = renewed(after.clone(), answered(r#"{"access_token":"opaque2"}"#), &def(), now()).unwrap();
        assert_eq!(still.remarks, after.remarks);
        let again = format!(r#"{{"access_token":"{JWT}","refresh_token":"r2"}}"#);
        let after = renewed(after, answered(&again), &def(), now()).unwrap();
        assert!(after.remarks.is_empty());
        assert_eq!(after.refresh.unwrap().expose_secret(), "r2");
    }

    #[test]
    fn a_sign_in_without_a_refresh_token_ends_with_its_token() {
        let kept = of_person(answered(r#"{"access_token":"a","expires_in":60}"#), &def(), now()).unwrap();
        assert!(person(&kept, "me", &def(), now()).is_signed_in());
        let later = person(&kept, "me", &def(), now().after(Duration::from_secs(61)));
        assert_eq!(later.ended.as_deref(), Some("the sign-in has expired"));
    }
}
