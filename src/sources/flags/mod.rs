//! Providers of flags beside the identity contract, behind one small trait: [`Provider`].
//!
//! [`unleash`], [`ofrep`], [`launchdarkly`] and [`json`] are one each; what their JSON means is said where
//! it is read. A flag that was asked for and is not in an answer is missing, never off; a percentage that
//! cannot be one makes the answer unreadable, because it would decide a gate.

pub mod json;
pub mod launchdarkly;
pub mod ofrep;
pub mod unleash;

use std::fmt::Write as _;
use std::pin::Pin;
use std::sync::Arc;

use serde::Deserialize;

use crate::http::{Client, Credential, Request, Response};
use crate::model::poll::{FlagsAnswer, Notes};
use crate::model::provider::{FlagSource, Provider as Kind};
use crate::model::text::harmless_line;
use crate::model::{Caps, Fault, FaultCode, Flag, Percent, Time};

pub use json::Json;
pub use launchdarkly::LaunchDarkly;
pub use ofrep::Ofrep;
pub use unleash::Unleash;

/// The longest text that is kept of a name.
const NAME: usize = 200;
/// The most bytes of a refusal that are read for its reason.
const EXPLANATION: usize = 16 * 1024;

/// The flags, and remarks on the exchange; or why there are none.
pub type Told = Result<(FlagsAnswer, Notes), Fault>;

/// One poll on its way.
pub type Polling<'a> = Pin<Box<dyn Future<Output = Told> + Send + 'a>>;

/// A provider of flags.
pub trait Provider: Send {
    /// What it can tell, as far as it is known by now.
    fn caps(&self) -> Caps;

    /// Asks once. What the provider cannot tell is left out of the answer's `caps`; a part that failed
    /// while the flags themselves were told is a remark.
    fn poll(&mut self, now: Time) -> Polling<'_>;

    /// Gives it a second credential, for what the first may not ask; `patience` is the longest that this
    /// may keep a poll. Most have no use for one.
    fn ask_also_as(&mut self, _credential: Arc<dyn Credential>, _patience: std::time::Duration) {}
}

/// The provider that a config describes, asked for these flags, or for all where no key is given.
pub fn provider(def: &FlagSource, keys: Vec<String>, client: Client) -> Box<dyn Provider> {
    match &def.provider {
        Kind::Unleash { .. } => Box::new(Unleash::new(def, keys, client)),
        Kind::Ofrep(ofrep) => Box::new(Ofrep::new(def, ofrep, keys, client)),
        Kind::LaunchDarkly { project, on } => Box::new(LaunchDarkly::new(def, project, on, keys, &client)),
        Kind::Json(map) => Box::new(Json::new(def, map, keys, client)),
    }
}

/// Sends a request; only 2xx and 304 come through.
async fn send(client: &Client, mut request: Request) -> Result<Response, Fault> {
    request.accept.get_or_insert_with(|| "application/json".into());
    let mut response = client.send(&request).await?;
    match response.fault() {
        Some(fault) => Err(refusal(fault, &mut response).await),
        None => Ok(response),
    }
}

/// The fault with the server's own words, where they can be read.
async fn refusal(fault: Fault, response: &mut Response) -> Fault {
    let body = response.explanation(EXPLANATION).await;
    worded(fault, &body)
}

/// What servers say beside a status, by their several names for it.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Words {
    detail: Option<String>,
    error_details: Option<String>,
    message: Option<String>,
    title: Option<String>,
    error: Option<String>,
}

fn worded(fault: Fault, body: &str) -> Fault {
    let Ok(words) = serde_json::from_str::<Words>(body) else { return fault };
    let said = [words.detail, words.error_details, words.message, words.title, words.error];
    match said.into_iter().flatten().find(|said| !said.trim().is_empty()) {
        Some(said) => Fault {
            retry_after: fault.retry_after,
            ..Fault::new(fault.code, format!("{}: {}", fault.text, harmless_line(&said, NAME)))
        },
        None => fault,
    }
}

/// A server that sends 304 unasked has told nothing.
fn without_cause() -> Fault {
    Fault::new(FaultCode::Status, "answers 304 without cause")
}

fn wrong_environment(told: &str, asked: &str, help: &str) -> Fault {
    let text = format!("answers for environment {}, not {asked}{help}", clean(told));
    Fault::new(FaultCode::WrongEnvironment, text)
}

/// The flags that were asked for; a key that has none is missing.
fn answer(environment: &str, keys: &[String], flags: Vec<Flag>, caps: Caps) -> FlagsAnswer {
    let missing =
        keys.iter().map(|key| clean(key)).filter(|key| !flags.iter().any(|flag| flag.key == *key)).collect();
    FlagsAnswer { environment: environment.to_owned(), flags, missing, caps }
}

fn clean(text: &str) -> String {
    harmless_line(text, NAME)
}

fn unreadable(key: &str, what: &str) -> Fault {
    Fault::new(FaultCode::Unreadable, format!("flag {}: {what}", clean(key)))
}

/// A percentage, which must be one.
fn percentage(key: &str, value: f64) -> Result<f64, Fault> {
    if (0.0..=100.0).contains(&value) {
        return Ok(value);
    }
    Err(unreadable(key, &format!("percent {value} lies outside 0 to 100")))
}

/// A number, or text that is one.
fn number(value: &serde_json::Value) -> Option<f64> {
    match value {
        serde_json::Value::Number(number) => number.as_f64(),
        serde_json::Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// RFC 3339, or a Unix time: in milliseconds, or in seconds where it is too small for those.
fn moment(value: &serde_json::Value) -> Option<Time> {
    match value {
        serde_json::Value::String(text) => {
            let stamp = text.trim().parse::<jiff::Timestamp>().ok()?;
            Some(Time::from_millis(stamp.as_millisecond()))
        }
        serde_json::Value::Number(number) => {
            let number = number.as_f64().filter(|n| n.is_finite() && *n > 0.0)?;
            // The year 5138 in seconds, 1973 in milliseconds.
            Time::from_seconds(if number < 1e11 { number } else { number / 1e3 })
        }
        _ => None,
    }
}

/// A value in a condition, as words.
fn words(value: &serde_json::Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned)
}

/// `(a, b, c and 4 more)`.
fn some_of<T>(all: &[T], word: impl Fn(&T) -> String) -> String {
    const SHOWN: usize = 5;
    let first = all.iter().take(SHOWN).map(word).collect::<Vec<_>>().join(", ");
    if all.len() > SHOWN { format!("({first} and {} more)", all.len() - SHOWN) } else { format!("({first})") }
}

/// What lies between two bounds, in percent: known where they meet, at least the lower one else, and
/// unknown where nothing is certain.
fn between(low: f64, high: f64) -> Percent {
    if low >= high {
        Percent::Known { value: low }
    } else if low > 0.0 {
        Percent::AtLeast { value: low }
    } else {
        Percent::Unknown
    }
}

/// A key as one part of a path: what is not unreserved (RFC 3986) is escaped.
fn path_segment(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    // The two that mean another folder.
    if matches!(out.as_str(), "." | "..") { out.replace('.', "%2E") } else { out }
}

/// The keys that are wanted, shared with a decoder on another thread.
#[derive(Clone)]
struct Wanted(Arc<[String]>);

impl Wanted {
    fn new(keys: Vec<String>) -> Self {
        Self(keys.into())
    }

    /// Whether a key is among them; all are, where none is named.
    fn set(&self) -> impl Fn(&str) -> bool {
        let set: std::collections::HashSet<&str, foldhash::fast::RandomState> =
            self.0.iter().map(String::as_str).collect();
        move |key| set.is_empty() || set.contains(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_a_refusal_are_harmless_and_keep_its_kind_and_its_wait() {
        let wait = Some(std::time::Duration::from_secs(7));
        let fault = Fault { retry_after: wait, ..Fault::new(FaultCode::Forbidden, "forbidden") };
        for (body, text) in [
            (
                r#"{"name":"NoAccessError","message":"You need ADMIN\u001b[2J"}"#,
                "forbidden: You need ADMIN\\u{1b}[2J",
            ),
            (r#"{"errorCode":"GENERAL","errorDetails":"no"}"#, "forbidden: no"),
            ("<html>", "forbidden"),
            (r#"{"message":" "}"#, "forbidden"),
        ] {
            let told = worded(fault.clone(), body);
            assert_eq!((told.text.as_str(), told.code, told.retry_after), (text, FaultCode::Forbidden, wait));
        }
    }

    #[test]
    fn moments_are_read_as_text_milliseconds_or_seconds() {
        let at = Some(Time::from_millis(1_764_000_000_000));
        for text in ["\"2025-11-24T16:00:00Z\"", "1764000000000", "1764000000"] {
            assert_eq!(moment(&serde_json::from_str(text).unwrap()), at, "{text}");
        }
        for text in ["\"soon\"", "null", "-5", "0", "1e300"] {
            assert_eq!(moment(&serde_json::from_str(text).unwrap()), None, "{text}");
        }
    }

    #[test]
    fn what_lies_between_two_bounds_is_never_said_to_be_more() {
        assert_eq!(between(25.0, 25.0), Percent::Known { value: 25.0 });
        assert_eq!(between(10.0, 40.0), Percent::AtLeast { value: 10.0 });
        assert_eq!(between(0.0, 40.0), Percent::Unknown);
        assert_eq!(between(0.0, 0.0), Percent::Known { value: 0.0 });
    }
}
