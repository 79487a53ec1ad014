//! What a sign-in tells: what was granted, who it is, what is worth knowing.

use serde_json::{Map, Value};

use secrecy::ExposeSecret;

use super::cache::Kept;
use super::claims;
use super::grant::Answered;
use crate::model::credential::SignInDef;
use crate::model::text::harmless_line;
use crate::model::{Fault, Person, Time};

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

/// A sign-in after a refresh: what the server left out is as before; a new ID token says all that an ID
/// token says: a claim that it lacks is gone. One that is refused says nothing, but the new tokens are kept:
/// with the old ones nothing could be renewed any more. The flag says whether `userinfo` is to be asked.
pub(super) fn renewed(before: Kept, answered: Answered, def: &SignInDef, now: Time) -> (Kept, bool) {
    let claims = answered
        .granted
        .id_token
        .as_ref()
        .map(|token| claims::of_id_token(token.expose_secret(), def, now, answered.server));
    let new = got(answered, now);
    let mut kept = before;
    kept.remarks.retain(|remark| !OF_A_REFRESH.iter().any(|begin| remark.starts_with(begin)));
    let has_new = matches!(claims, Some(Ok(_)));
    match claims {
        Some(Ok(claims)) => {
            let before = known(&kept);
            if before.get("sub").is_some_and(|sub| claims.get("sub") != Some(sub)) {
                let why = "the renewed sign-in is about somebody else (sub)".to_owned();
                return (Kept { access: None, refresh: None, ended: Some(why), ..kept }, false);
            }
            kept.claims = claims;
        }
        Some(Err(why)) => kept.remarks.push(format!("{REFUSED}: {why}; who you are is as before")),
        None => {}
    }
    let asks = !claims::are_enough(&kept.claims, def) || (!has_new && def.roles.is_some());
    if !asks {
        kept.userinfo = Map::new();
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
    (kept, asks)
}

/// A sign-in with what `userinfo` said after its refresh; `None`: the issuer has no such place. What could
/// not be asked again gives no role any more: it may have been taken away since.
pub(super) fn with_userinfo(
    mut kept: Kept,
    told: Result<Option<Map<String, Value>>, Fault>,
    def: &SignInDef,
    has_id_token: bool,
) -> Kept {
    let checked = match told {
        Ok(Some(told)) => match claims::with_userinfo(known(&kept), told.clone()) {
            Ok(_) => Ok(told),
            Err(why) => Err(format!("its answer is refused: {why}")),
        },
        Ok(None) => Ok(Map::new()),
        Err(fault) => Err(fault.text),
    };
    match checked {
        Ok(told) => {
            if !has_id_token {
                // It is newer than the ID token of the sign-in.
                kept.claims.retain(|name, _| name == "sub" || !told.contains_key(name));
            }
            kept.userinfo = told;
        }
        Err(why) => {
            let had = claims::drop_roles(&mut kept.userinfo, def);
            let lost = if had { "; roles that it told before count no more" } else { "" };
            kept.remarks.push(format!("{UNASKED} ({why}){lost}"));
        }
    }
    kept
}

/// What is known of the person: the ID token, and what `userinfo` adds.
pub(super) fn known(kept: &Kept) -> Map<String, Value> {
    let mut all = kept.claims.clone();
    for (name, value) in &kept.userinfo {
        all.entry(name.clone()).or_insert_with(|| value.clone());
    }
    all
}

const OPAQUE: &str = "after the refresh the server gives an opaque token";
const REFUSED: &str = "the ID token of the refresh is refused";
const UNASKED: &str = "userinfo does not say more about you after the refresh";
/// What these remarks say is judged anew at each refresh.
const OF_A_REFRESH: [&str; 2] = [REFUSED, UNASKED];

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
    let claims = known(kept);
    let claimed = claims::roles(&claims, def);
    let over = kept.refresh.is_none() && kept.left(now).is_some_and(|left| left.is_zero());
    let ended = kept.ended.clone().or_else(|| over.then(|| "the sign-in has expired".to_owned()));
    let subject = claims.get("sub").and_then(serde_json::Value::as_str).unwrap_or("");
    Person {
        credential: credential.to_owned(),
        name: claims::name(&claims, def),
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
        let (after, _) = renewed(before, answered(r#"{"access_token":"opaque"}"#), &def(), now());
        assert!(after.remarks[0].contains("opaque token"), "{:?}", after.remarks);
        assert_eq!(after.refresh.as_ref().unwrap().expose_secret(), "r1");
        assert_eq!(after.life, None);
        let (still, _) = renewed(after.clone(), answered(r#"{"access_token":"opaque2"}"#), &def(), now());
        assert_eq!(still.remarks, after.remarks);
        let again = format!(r#"{{"access_token":"{JWT}","refresh_token":"r2"}}"#);
        let (after, _) = renewed(after, answered(&again), &def(), now());
        assert!(after.remarks.is_empty());
        assert_eq!(after.refresh.unwrap().expose_secret(), "r2");
    }

    fn id_token(claims: &Value) -> String {
        use base64::Engine as _;
        let part = |text: &str| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text);
        format!("{}.{}.c2ln", part("{}"), part(&claims.to_string()))
    }

    fn with_id_token(claims: &Value) -> Answered {
        let mut all = serde_json::json!({ "iss": "https://id.example.com", "aud": "gonogo", "exp": 2_000, "sub": "u1", "name": "Ada" });
        for (name, value) in claims.as_object().unwrap() {
            all[name] = value.clone();
        }
        answered(&format!(r#"{{"access_token":"a2","refresh_token":"r2","id_token":"{}"}}"#, id_token(&all)))
    }

    fn roles(kept: &Kept, def: &SignInDef) -> Vec<String> {
        person(kept, "me", def, now()).claimed
    }

    #[test]
    fn roles_that_were_taken_away_are_gone_after_a_refresh() {
        let def = SignInDef { roles: Some("/roles".into()), ..def() };
        let with_roles = serde_json::json!({ "roles": ["captain"] });
        let before = of_person(with_id_token(&with_roles), &def, now()).unwrap();
        assert_eq!(roles(&before, &def), ["captain"]);
        let told = |text: &str| Ok(Some(serde_json::from_str(text).unwrap()));

        // The new ID token lacks them.
        let (after, asks) = renewed(before.clone(), with_id_token(&serde_json::json!({})), &def, now());
        assert!(roles(&after, &def).is_empty() && asks);
        // userinfo tells them instead, then cannot be asked any more.
        let after = with_userinfo(after, told(r#"{"sub":"u1","roles":["qa"]}"#), &def, true);
        assert_eq!(roles(&after, &def), ["qa"]);
        let (after, asks) = renewed(after, with_id_token(&serde_json::json!({})), &def, now());
        assert!(asks);
        let silent = Err(Fault::new(crate::model::FaultCode::Status, "answers 503"));
        let after = with_userinfo(after, silent, &def, true);
        assert!(roles(&after, &def).is_empty());
        assert!(after.remarks[0].contains("answers 503"), "{:?}", after.remarks);
        assert!(after.remarks[0].contains("roles that it told before count no more"));
        // What is about somebody else tells nothing.
        let other = with_userinfo(after, told(r#"{"sub":"u2","roles":["captain"]}"#), &def, true);
        assert!(roles(&other, &def).is_empty());

        // No ID token came: userinfo is newer than the one of the sign-in.
        let (after, asks) = renewed(before.clone(), answered(r#"{"access_token":"a"}"#), &def, now());
        assert!(asks);
        let after = with_userinfo(after, told(r#"{"sub":"u1","roles":[]}"#), &def, false);
        assert!(roles(&after, &def).is_empty());

        // A new ID token that tells all ends what userinfo told, and needs no question.
        let both = Kept { userinfo: serde_json::from_str(r#"{"sub":"u1","x":1}"#).unwrap(), ..before };
        let (after, asks) = renewed(both, with_id_token(&with_roles), &def, now());
        assert!(after.userinfo.is_empty() && !asks);
    }

    #[test]
    fn a_refused_id_token_loses_no_tokens_and_one_of_somebody_else_ends_the_sign_in() {
        let before = of_person(with_id_token(&serde_json::json!({})), &def(), now()).unwrap();
        let (after, _) =
            renewed(before.clone(), with_id_token(&serde_json::json!({ "aud": "other" })), &def(), now());
        assert_eq!(after.refresh.as_ref().unwrap().expose_secret(), "r2");
        assert_eq!(person(&after, "me", &def(), now()).name, "Ada");
        assert!(after.remarks[0].contains("the ID token of the refresh is refused"), "{:?}", after.remarks);
        let (again, _) = renewed(after, with_id_token(&serde_json::json!({})), &def(), now());
        assert!(again.remarks.is_empty(), "it is judged anew");
        let (ended, asks) =
            renewed(before, with_id_token(&serde_json::json!({ "sub": "u2" })), &def(), now());
        assert!(ended.access.is_none() && ended.refresh.is_none() && !asks);
        assert!(!person(&ended, "me", &def(), now()).is_signed_in());
    }

    #[test]
    fn a_sign_in_without_a_refresh_token_ends_with_its_token() {
        let kept = of_person(answered(r#"{"access_token":"a","expires_in":60}"#), &def(), now()).unwrap();
        assert!(person(&kept, "me", &def(), now()).is_signed_in());
        let later = person(&kept, "me", &def(), now().after(Duration::from_secs(61)));
        assert_eq!(later.ended.as_deref(), Some("the sign-in has expired"));
    }
}
