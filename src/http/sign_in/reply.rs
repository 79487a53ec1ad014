//! What a token endpoint answers: a token, or an error of RFC 6749, 5.2.

use std::time::Duration;

use secrecy::SecretString;
use secrecy::zeroize::Zeroizing;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::super::Response;
use crate::model::text::harmless_line;
use crate::model::{Fault, FaultCode};

/// The longest life that is believed: a century.
const LONGEST: f64 = 3.2e9;

/// A token endpoint's good answer.
#[derive(Deserialize)]
pub(super) struct Granted {
    #[serde(deserialize_with = "secret")]
    pub(super) access_token: SecretString,
    #[serde(default, deserialize_with = "text")]
    token_type: Option<String>,
    #[serde(default, deserialize_with = "seconds")]
    pub(super) expires_in: Option<Duration>,
    #[serde(default, deserialize_with = "maybe_secret")]
    pub(super) refresh_token: Option<SecretString>,
    #[serde(default, deserialize_with = "text")]
    pub(super) scope: Option<String>,
    #[serde(default, deserialize_with = "maybe_secret")]
    pub(super) id_token: Option<SecretString>,
}

impl Granted {
    /// Refuses a token that could not be sent as it must be.
    pub(super) fn checked(self) -> Result<Self, Fault> {
        let kind = self.token_type.as_deref().unwrap_or("Bearer");
        if !kind.eq_ignore_ascii_case("bearer") {
            let text =
                format!("the server gives tokens of type {}, only Bearer is known", harmless_line(kind, 40));
            return Err(Fault::new(FaultCode::Credential, text));
        }
        crate::http::credential::checked(
            secrecy::ExposeSecret::expose_secret(&self.access_token),
            "the token of the server",
        )?;
        Ok(self)
    }
}

/// An OAuth error, by its code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) code: String,
    pub(super) description: String,
}

impl Refusal {
    /// `invalid_grant: the refresh token has been used`.
    pub(super) fn words(&self) -> String {
        if self.description.is_empty() {
            self.code.clone()
        } else {
            format!("{}: {}", self.code, self.description)
        }
    }
}

/// What went wrong with a request to the issuer.
#[derive(Clone, Debug)]
pub(super) enum Failed {
    /// The server said no, in OAuth's words.
    Refused(Refusal),
    /// Anything else: no answer, no JSON, a redirect.
    Fault(Fault),
}

impl From<Fault> for Failed {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl Failed {
    /// As a source's fault, beginning with what was asked.
    pub(super) fn fault(self, what: &str) -> Fault {
        match self {
            Self::Refused(refusal) => {
                let code = match refusal.code.as_str() {
                    "invalid_grant" | "login_required" | "interaction_required" | "access_denied" => {
                        FaultCode::SignInNeeded
                    }
                    "temporarily_unavailable" | "server_error" => FaultCode::Status,
                    _ => FaultCode::Credential,
                };
                Fault::new(code, format!("{what}: {}", refusal.words()))
            }
            Self::Fault(fault) => {
                Fault { retry_after: fault.retry_after, ..Fault::new(fault.code, format!("{what}: {fault}")) }
            }
        }
    }
}

/// Reads an answer of the token endpoint or one like it.
pub(super) async fn oauth<T: DeserializeOwned>(response: &mut Response, what: &str) -> Result<T, Failed> {
    if (200..300).contains(&response.status) {
        return Ok(json(response, what).await?);
    }
    let fault = response.fault();
    let text = Zeroizing::new(response.explanation(8 * 1024).await);
    let refusal = refusal(&text, |decoded| response.scrubbed(decoded));
    let status = response.status;
    match (fault, refusal) {
        // Whatever it says beside: it is busy, and may say for how long.
        (Some(fault), _) if status == 429 => Err(Failed::Fault(fault)),
        (_, Some(refusal)) if status < 500 => Err(Failed::Refused(refusal)),
        (_, refusal) => {
            let words = refusal.map_or_else(String::new, |refusal| format!(" ({})", refusal.words()));
            // A 401 here is about the client, not about the person.
            let fault = Fault::new(FaultCode::Status, format!("answers {status}{words}"));
            Err(Failed::Fault(Fault { retry_after: response.retry_after, ..fault }))
        }
    }
}

/// Reads an error. Secrets that were sent are taken out of what is decoded too: in JSON they can be written
/// in many ways.
fn refusal(text: &str, scrubbed: impl Fn(String) -> String) -> Option<Refusal> {
    #[derive(Deserialize)]
    struct Wire {
        error: String,
        error_description: Option<String>,
    }
    let wire: Wire = serde_json::from_str(text).ok()?;
    Some(Refusal {
        code: harmless_line(&scrubbed(wire.error), 60),
        description: harmless_line(&scrubbed(wire.error_description.unwrap_or_default()), 160),
    })
}

/// The whole body as JSON. The error says where it breaks off and never what it holds.
pub(super) async fn json<T: DeserializeOwned>(response: &mut Response, what: &str) -> Result<T, Fault> {
    let html = response.content_type.as_deref().is_some_and(|t| t.trim_start().starts_with("text/html"));
    if html {
        return Err(Fault::new(FaultCode::ContentType, format!("{what} is an HTML page")));
    }
    let text = Zeroizing::new(response.text().await?);
    serde_json::from_str(&text).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        let why = if error.is_data() { "lacks what it must have" } else { "is no JSON" };
        Fault::new(FaultCode::Unreadable, format!("{what} {why} (line {line}, column {column})"))
    })
}

pub(super) fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SecretString, D::Error> {
    String::deserialize(deserializer).map(SecretString::from)
}

pub(super) fn maybe_secret<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<SecretString>, D::Error> {
    // An empty one is none: it must not take the place of one that works.
    Ok(Option::<String>::deserialize(deserializer)?.filter(|text| !text.is_empty()).map(SecretString::from))
}

/// A text, or several as a list, which some servers write for scopes. Anything else is as if it were not
/// there: what stands beside it, a rotated token, would be lost else.
fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::String(text) => Some(text),
        Value::Array(all) => {
            let all: Vec<&str> = all.iter().filter_map(Value::as_str).collect();
            Some(all.join(" "))
        }
        _ => None,
    })
}

/// A number of seconds, also as text, which some servers write. What is below nothing has ended; what is no
/// number is as if it were not there.
pub(super) fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    let number = match Value::deserialize(deserializer)? {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    let number = number.filter(|number: &f64| !number.is_nan());
    Ok(number.map(|number| Duration::from_secs_f64(number.clamp(0.0, LONGEST))))
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    fn granted(rest: &str) -> Option<Granted> {
        serde_json::from_str(&format!(r#"{{"access_token":"a"{rest}}}"#)).ok()
    }

    #[test]
    fn a_life_is_read_as_number_or_text_and_never_becomes_longer() {
        let life = |text: &str| granted(&format!(r#","expires_in":{text}"#)).map(|g| g.expires_in);
        assert_eq!(life("300"), Some(Some(Duration::from_secs(300))));
        assert_eq!(life("\"60\""), Some(Some(Duration::from_secs(60))));
        assert_eq!(life("-5"), Some(Some(Duration::ZERO)));
        assert_eq!(life("null"), Some(None));
        assert_eq!(life("1e300"), Some(Some(Duration::from_secs_f64(LONGEST))));
        assert_eq!(life("0"), Some(Some(Duration::ZERO)));
        for none in ["\"soon\"", "\"NaN\"", "\"\"", "[]", "true"] {
            assert_eq!(life(none), Some(None), "{none}");
        }
    }

    #[test]
    fn what_is_written_oddly_beside_a_rotated_token_does_not_lose_it() {
        let odd =
            r#","refresh_token":"r2","scope":["a","b"],"token_type":null,"expires_in":{},"id_token":"""#;
        let of = |text: &str| granted(text).unwrap();
        let granted = of(odd);
        assert_eq!(granted.refresh_token.unwrap().expose_secret(), "r2");
        assert_eq!((granted.scope.as_deref(), granted.expires_in), (Some("a b"), None));
        assert!(granted.id_token.is_none());
        assert!(of(r#","refresh_token":"""#).refresh_token.is_none());
    }

    #[test]
    fn a_token_that_is_no_bearer_token_is_refused_in_words_without_it() {
        let fault = |rest: &str| granted(rest).unwrap().checked().err().map(|fault| fault.text);
        assert_eq!(fault(r#","token_type":"bearer""#), None);
        assert!(fault(r#","token_type":"DPoP""#).unwrap().contains("type DPoP"));
        let odd: Granted = serde_json::from_str(r#"{"access_token":"s3cret two"}"#).unwrap();
        assert!(!odd.checked().err().unwrap().text.contains("s3cret"));
    }

    #[test]
    fn an_error_is_harmless_and_anything_else_is_none() {
        let odd =
            refusal("{\"error\":\"invalid_grant\",\"error_description\":\"a\\u001b[2Jb\"}", |text| text)
                .unwrap();
        assert_eq!(odd.words(), "invalid_grant: a\\u{1b}[2Jb");
        assert_eq!(refusal("<html>", |text| text), None);
        assert_eq!(refusal("{\"error\":5}", |text| text), None);
    }
}
