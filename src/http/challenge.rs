//! What a server asks for when it refuses: the challenges of 401 and 403 (RFC 9110, 11.6; RFC 6750).

use http_auth::ChallengeRef;
use reqwest::header::{HeaderMap, WWW_AUTHENTICATE};

use super::credential::Proof;
use crate::model::text::harmless_line;
use crate::model::{Fault, FaultCode};

/// What was sent to say who asks, without the secret in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Shown {
    /// A token.
    Token,
    /// A user and a password.
    Password,
    /// A header of its own, by name.
    Header(String),
}

impl Shown {
    pub(super) fn of(proof: &Proof) -> Self {
        match proof {
            Proof::Bearer(_) => Self::Token,
            Proof::Basic { .. } => Self::Password,
            Proof::Header { name, .. } => Self::Header(harmless_line(name, 60)),
        }
    }

    fn scheme(&self) -> Option<&'static str> {
        match self {
            Self::Token => Some("Bearer"),
            Self::Password => Some("Basic"),
            Self::Header(_) => None,
        }
    }

    fn words(&self) -> String {
        match self {
            Self::Token => "the token".into(),
            Self::Password => "the user or password".into(),
            Self::Header(name) => format!("the header {name}"),
        }
    }
}

/// All `WWW-Authenticate` headers as one list; a list may be spread over several (RFC 9110, 5.3).
pub(super) fn joined(headers: &HeaderMap) -> Option<String> {
    let all: Vec<&str> = headers.get_all(WWW_AUTHENTICATE).iter().filter_map(|v| v.to_str().ok()).collect();
    (!all.is_empty()).then(|| all.join(", "))
}

/// The fault of a 401: what was not accepted, why by the challenge that fits what was sent, and what
/// is asked for where none fits.
pub(super) fn refused(challenges: Option<&str>, shown: Option<&Shown>) -> Fault {
    let all = parsed(challenges);
    let fault = |text: String| Fault::new(FaultCode::SignInNeeded, format!("sign-in needed: {text}"));
    let Some(shown) = shown else {
        return fault(format!("no credential is configured{}", asked(&all)));
    };
    let mut text = format!("{} is not accepted", shown.words());
    match fitting(&all, shown) {
        Some(challenge) => {
            let said = ["error", "error_description"].map(|name| parameter(challenge, name));
            for why in said.into_iter().flatten() {
                text.push_str(": ");
                text.push_str(&why);
            }
            if let Some(scope) = parameter(challenge, "scope") {
                text.push_str("; needs scope ");
                text.push_str(&scope);
            }
        }
        None if shown.scheme().is_some() => text.push_str(&asked(&all)),
        None => {}
    }
    fault(text)
}

/// The fault of a 403: which scope is missing, where the server says it.
pub(super) fn forbidden(challenges: Option<&str>, shown: Option<&Shown>) -> Fault {
    let all = parsed(challenges);
    let fitting = shown.and_then(|shown| fitting(&all, shown)).or(all.first());
    let scope = fitting.and_then(|challenge| parameter(challenge, "scope"));
    let text = scope.map_or("forbidden".into(), |scope| format!("forbidden: needs {scope}"));
    Fault::new(FaultCode::Forbidden, text)
}

/// `, the server asks for Basic or Negotiate`; nothing where it asks for nothing readable.
fn asked(all: &[ChallengeRef<'_>]) -> String {
    let mut schemes: Vec<String> = Vec::new();
    for challenge in all {
        let scheme = harmless_line(challenge.scheme, 40);
        if !schemes.contains(&scheme) {
            schemes.push(scheme);
        }
    }
    schemes.truncate(4);
    if schemes.is_empty() { String::new() } else { format!("; the server asks for {}", schemes.join(" or ")) }
}

/// What cannot be read is as if it were not there: it only explains.
fn parsed(challenges: Option<&str>) -> Vec<ChallengeRef<'_>> {
    challenges.and_then(|text| http_auth::parse_challenges(text).ok()).unwrap_or_default()
}

fn fitting<'a, 'i>(all: &'a [ChallengeRef<'i>], shown: &Shown) -> Option<&'a ChallengeRef<'i>> {
    let scheme = shown.scheme()?;
    all.iter().find(|challenge| challenge.scheme.eq_ignore_ascii_case(scheme))
}

fn parameter(challenge: &ChallengeRef<'_>, name: &str) -> Option<String> {
    let (_, value) = challenge.params.iter().find(|(n, _)| n.eq_ignore_ascii_case(name))?;
    Some(harmless_line(&value.to_unescaped(), 120)).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO: &str = "Basic realm=\"ops\", Bearer realm=\"x\", error=\"invalid_token\", \
                       error_description=\"it has expired\", scope=\"flags:read audit:read\"";

    #[test]
    fn the_challenge_that_fits_what_was_sent_says_why() {
        let said = |challenges, shown: Option<Shown>| refused(Some(challenges), shown.as_ref()).text;
        assert_eq!(
            said(TWO, Some(Shown::Token)),
            "sign-in needed: the token is not accepted: invalid_token: it has expired; needs scope flags:read audit:read"
        );
        assert_eq!(said(TWO, Some(Shown::Password)), "sign-in needed: the user or password is not accepted");
        assert_eq!(
            said("Basic realm=\"ops\"", Some(Shown::Token)),
            "sign-in needed: the token is not accepted; the server asks for Basic"
        );
        assert_eq!(
            said(TWO, None),
            "sign-in needed: no credential is configured; the server asks for Basic or Bearer"
        );
        assert_eq!(
            said(TWO, Some(Shown::Header("X-API-Key".into()))),
            "sign-in needed: the header X-API-Key is not accepted"
        );
        for unreadable in ["", "\"", "=,=", "Bearer scope=\"never ends"] {
            assert_eq!(said(unreadable, Some(Shown::Token)), "sign-in needed: the token is not accepted");
        }
    }

    #[test]
    fn a_403_names_the_scope_and_nothing_that_could_move_the_cursor() {
        let said = |challenges| forbidden(Some(challenges), Some(&Shown::Token)).text;
        assert_eq!(said(TWO), "forbidden: needs flags:read audit:read");
        assert_eq!(said("Bearer"), "forbidden");
        assert!(!said("Bearer scope=\"a\u{9b}2J\"").contains('\u{9b}'));
    }
}
