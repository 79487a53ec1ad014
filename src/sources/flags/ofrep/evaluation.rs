//! What one context gets of a flag, and what many contexts' answers come to.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::super::{Wanted, clean, unreadable, words};
use crate::model::{Fault, Percent};
use crate::sources::json;

/// What one context got of one flag.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase")]
pub(super) struct Evaluation {
    pub(super) key: Option<String>,
    pub(super) value: Option<Value>,
    pub(super) variant: Option<String>,
    pub(super) reason: Option<String>,
    pub(super) error_code: Option<String>,
    pub(super) error_details: Option<String>,
}

#[derive(Deserialize)]
struct BulkDoc {
    flags: Vec<Value>,
}

/// What an evaluation says of a flag.
pub(super) enum State {
    /// It is switched off: nobody gets it.
    Off,
    /// Whether this key gets it; `None` where it gets what its caller has for a default.
    Got(Option<bool>),
}

/// What made-up keys got of one flag.
#[derive(Default)]
pub(super) struct Counted {
    /// By the key's number, whether it was on; `None` where that is not told.
    got: BTreeMap<usize, Option<bool>>,
}

impl Counted {
    /// Takes in what keys got now.
    pub(super) fn take(&mut self, got: &[(usize, Option<bool>)]) {
        let changed = got.iter().any(|(key, on)| self.got.get(key).is_some_and(|before| before != on));
        if changed {
            self.got.clear();
        }
        self.got.extend(got.iter().copied());
    }

    /// Whether any key had it on.
    pub(super) fn is_on(&self) -> bool {
        self.got.values().any(|got| *got == Some(true))
    }

    /// The share of the keys that had it on, unknown where it is of any; `None` before any was asked.
    pub(super) fn percent(&self) -> Option<Percent> {
        let n = u32::try_from(self.got.len()).ok().filter(|n| *n > 0)?;
        if self.got.values().any(Option::is_none) {
            return Some(Percent::Unknown);
        }
        let on = self.got.values().filter(|got| **got == Some(true)).count();
        Some(Percent::Estimated { value: 100.0 * on as f64 / f64::from(n), n })
    }
}

/// What an evaluation says. Without a value callers take their own default, which may be on: only the
/// reason DISABLED says that the flag is off. Reasons that are not known say nothing.
pub(super) fn state(key: &str, told: &Evaluation, on: &[String]) -> Result<State, Fault> {
    let reason = told.reason.as_deref().unwrap_or_default();
    if reason.eq_ignore_ascii_case("DISABLED") {
        return Ok(State::Off);
    }
    if let Some(code) = &told.error_code {
        let details = told.error_details.as_deref().unwrap_or("no more is said");
        return Err(unreadable(key, &format!("{}: {}", clean(code), clean(details))));
    }
    let Some(value) = told.value.as_ref().filter(|value| !value.is_null()) else {
        return Ok(State::Got(None));
    };
    let named = |text: &str| on.iter().any(|on| on == text);
    let got = match value.as_bool() {
        Some(got) => got,
        None if on.is_empty() => {
            let what = format!(
                "gives {}, no boolean: say with `on` which variants count as on",
                clean(&words(value))
            );
            return Err(unreadable(key, &what));
        }
        None => named(&words(value)) || told.variant.as_deref().is_some_and(named),
    };
    // A static value is everybody's.
    if !got && reason.eq_ignore_ascii_case("STATIC") { Ok(State::Off) } else { Ok(State::Got(Some(got))) }
}

/// Those of a bulk answer that were asked for; the others may be as broken as they like.
pub(super) fn evaluations(bytes: &[u8], wanted: &Wanted) -> Result<Vec<Evaluation>, Fault> {
    let doc: BulkDoc = json::decode(bytes)?;
    let is_wanted = wanted.set();
    let keyed = doc.flags.into_iter().filter_map(|flag| {
        let key = flag.get("key")?.as_str()?.to_owned();
        is_wanted(&key).then_some((key, flag))
    });
    keyed
        .map(|(key, flag)| {
            serde_json::from_value(flag).map_err(|_| unreadable(&key, "its evaluation cannot be read"))
        })
        .collect()
}

/// A made-up targeting key; the same for the same seed and number.
pub(super) fn targeting_key(seed: &str, number: usize) -> String {
    let hash = Sha256::digest(format!("{seed}/{number}"));
    hash.iter().take(12).fold(String::from("gonogo-"), |mut key, byte| {
        let _ = write!(key, "{byte:02x}");
        key
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::FaultCode;

    fn evaluation(text: &str) -> Evaluation {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn whether_a_flag_is_on_is_read_from_reason_and_value() {
        let on = ["treatment".to_owned(), "7".to_owned()];
        for (text, expected) in [
            (r#"{"key":"k","reason":"DISABLED"}"#, None),
            (r#"{"key":"k","reason":"DISABLED","value":true}"#, None),
            (r#"{"key":"k","reason":"FALLBACK"}"#, Some(None)),
            (r#"{"key":"k","reason":"DEFAULT","value":null}"#, Some(None)),
            (r#"{"key":"k","reason":"ERROR"}"#, Some(None)),
            (r#"{"key":"k","reason":"STATIC","value":false}"#, None),
            (r#"{"key":"k","reason":"STATIC","value":true}"#, Some(Some(true))),
            (r#"{"key":"k","reason":"TARGETING_MATCH","value":false}"#, Some(Some(false))),
            (r#"{"key":"k","reason":"SPLIT","value":true}"#, Some(Some(true))),
            (r#"{"key":"k","reason":"BY_THE_MOON","value":true,"metadata":{"x":1}}"#, Some(Some(true))),
            (r#"{"key":"k","value":"treatment"}"#, Some(Some(true))),
            (r#"{"key":"k","value":"red","variant":"treatment"}"#, Some(Some(true))),
            (r#"{"key":"k","value":7}"#, Some(Some(true))),
            (r#"{"key":"k","value":"control"}"#, Some(Some(false))),
        ] {
            let state = state("k", &evaluation(text), &on).unwrap();
            assert_eq!(if let State::Got(got) = state { Some(got) } else { None }, expected, "{text}");
        }
        for (text, said) in [
            (
                r#"{"reason":"ERROR","errorCode":"TYPE_MISMATCH","errorDetails":"x"}"#,
                "flag k: TYPE_MISMATCH: x",
            ),
            (r#"{"value":"red"}"#, "flag k: gives red, no boolean: say with `on` which variants count as on"),
        ] {
            let fault = state("k", &evaluation(text), &[]).err().unwrap();
            assert_eq!((fault.code, fault.text.as_str()), (FaultCode::Unreadable, said));
        }
    }

    #[test]
    fn an_estimate_begins_anew_where_a_key_gets_something_else_than_before() {
        let mut counted = Counted::default();
        counted.take(&[(0, Some(true)), (1, Some(false)), (2, Some(false))]);
        counted.take(&[(3, Some(true))]);
        assert_eq!(counted.percent(), Some(Percent::Estimated { value: 50.0, n: 4 }));
        counted.take(&[(0, Some(true))]);
        assert_eq!(counted.percent(), Some(Percent::Estimated { value: 50.0, n: 4 }));
        counted.take(&[(1, Some(true)), (2, Some(false))]);
        assert_eq!(counted.percent(), Some(Percent::Estimated { value: 50.0, n: 2 }));
        // What one key's callers have for a default is not known, so no share is.
        counted.take(&[(3, None)]);
        assert_eq!((counted.percent(), counted.is_on()), (Some(Percent::Unknown), true));
    }

    #[test]
    fn made_up_keys_are_the_same_for_the_same_seed_only() {
        assert_eq!(targeting_key("a", 1), targeting_key("a", 1));
        let keys: std::collections::BTreeSet<String> = (0..1000).map(|n| targeting_key("a", n)).collect();
        assert_eq!(keys.len(), 1000);
        assert!(!keys.contains(&targeting_key("b", 1)));
    }
}
