//! Flags in any JSON, read by pointers (RFC 6901): what is not mapped is not told.

use serde_json::Value;

use super::{
    Polling, Told, Wanted, answer, clean, moment, number, percentage, send, unreadable, without_cause, words,
};
use crate::http::{Client, Request};
use crate::model::poll::Notes;
use crate::model::provider::{FlagSource, JsonMap};
use crate::model::{Caps, Fault, FaultCode, Flag, Percent, Time};
use crate::sources::json;

/// One address that answers JSON.
pub struct Json {
    client: Client,
    url: String,
    environment: String,
    map: JsonMap,
    wanted: Wanted,
    /// The last answer that came with an `ETag`.
    kept: Option<(String, Vec<Flag>)>,
}

impl Json {
    /// The address of a config, asked for these flags, or for all of its list where there are none.
    pub fn new(def: &FlagSource, map: &JsonMap, keys: Vec<String>, client: Client) -> Self {
        Self {
            client,
            url: def.url.clone(),
            environment: def.environment.clone(),
            map: map.clone(),
            wanted: Wanted::new(keys),
            kept: None,
        }
    }

    async fn ask(&mut self) -> Told {
        let etag = self.kept.as_ref().map(|(etag, _)| etag.clone());
        let mut response =
            send(&self.client, Request { url: self.url.clone(), etag, ..Request::default() }).await?;
        if response.status == 304 {
            let (_, flags) = self.kept.clone().ok_or_else(without_cause)?;
            let notes = Notes { not_modified: true, ..Notes::default() };
            return Ok((answer(&self.environment, &self.wanted.0, flags, self.told()), notes));
        }
        let etag = response.etag.clone();
        let (map, wanted, environment) = (self.map.clone(), self.wanted.clone(), self.environment.clone());
        let flags =
            json::read(&mut response, move |bytes| decode(bytes, &map, &wanted.0, &environment)).await?;
        self.kept = etag.map(|etag| (etag, flags.clone()));
        Ok((answer(&self.environment, &self.wanted.0, flags, self.told()), Notes::default()))
    }

    fn told(&self) -> Caps {
        Caps {
            percent: self.map.percent.is_some(),
            changed: self.map.updated_at.is_some(),
            author: self.map.updated_by.is_some(),
            missing: true,
            conditional: self.kept.is_some(),
            ..Caps::NONE
        }
    }
}

impl super::Provider for Json {
    fn caps(&self) -> Caps {
        self.told()
    }

    fn poll(&mut self, _now: Time) -> Polling<'_> {
        Box::pin(self.ask())
    }
}

/// Reads an answer for those of `keys`, or for all where there are none.
///
/// # Errors
/// No JSON, no list where one should be, an answer for another environment, a flag among `keys` that
/// cannot be read or is there twice.
pub fn decode(bytes: &[u8], map: &JsonMap, keys: &[String], environment: &str) -> Result<Vec<Flag>, Fault> {
    let whole: Value = json::decode(bytes)?;
    if let Some(pointer) = &map.environment {
        let told = whole.pointer(pointer).and_then(Value::as_str);
        if told != Some(environment) {
            let text = match told {
                Some(told) => format!("answers for environment {}, not {environment}", clean(told)),
                None => format!("does not say its environment at {pointer} (map.environment)"),
            };
            return Err(Fault::new(FaultCode::WrongEnvironment, text));
        }
    }
    let wanted = Wanted::new(keys.to_vec());
    let is_wanted = wanted.set();
    let mut flags: Vec<Flag> = Vec::new();
    let mut take = |key: &str, value: &Value| {
        if !is_wanted(key) {
            return Ok(());
        }
        let flag = flag(key, value, map)?;
        // In two states at once, it is in none.
        if flags.iter().any(|known| known.key == flag.key) {
            return Err(unreadable(key, "is told twice"));
        }
        flags.push(flag);
        Ok(())
    };
    match (whole.pointer(&map.list), &map.key) {
        (Some(Value::Object(all)), None) => all.iter().try_for_each(|(key, value)| take(key, value))?,
        (Some(Value::Object(all)), Some(pointer)) => {
            all.values()
                .filter_map(|v| Some((key_at(v, pointer)?, v)))
                .try_for_each(|(key, v)| take(&key, v))?;
        }
        (Some(Value::Array(all)), Some(pointer)) => {
            all.iter()
                .filter_map(|v| Some((key_at(v, pointer)?, v)))
                .try_for_each(|(key, v)| take(&key, v))?;
        }
        (Some(Value::Array(_)), None) => {
            let text = format!(
                "there is an array at {:?} (map.list): map.key must say where a flag's key is",
                map.list
            );
            return Err(Fault::new(FaultCode::Unreadable, text));
        }
        _ => {
            let text = format!("there is no array or object at {:?} (map.list)", map.list);
            return Err(Fault::new(FaultCode::Unreadable, text));
        }
    }
    Ok(flags)
}

/// A key is text, or a number for those who count their flags.
fn key_at(flag: &Value, pointer: &str) -> Option<String> {
    flag.pointer(pointer).filter(|key| key.is_string() || key.is_number()).map(words)
}

fn flag(key: &str, value: &Value, map: &JsonMap) -> Result<Flag, Fault> {
    let Some(enabled) = value.pointer(&map.enabled).and_then(Value::as_bool) else {
        let what = format!("has neither true nor false at {} (map.enabled)", map.enabled);
        return Err(unreadable(key, &what));
    };
    let at = |pointer: &Option<String>| value.pointer(pointer.as_ref()?).filter(|v| !v.is_null());
    let percent = match (&map.percent, at(&map.percent)) {
        (None, _) => Percent::Unsupported,
        (Some(_), None) => Percent::Unknown,
        (Some(pointer), Some(written)) => {
            let Some(number) = number(written) else {
                return Err(unreadable(key, &format!("has no number at {pointer} (map.percent)")));
            };
            let percent = percentage(key, number * 100.0 / map.percent_scale)?;
            Percent::Known { value: if enabled { percent } else { 0.0 } }
        }
    };
    Ok(Flag {
        key: clean(key),
        enabled,
        percent,
        updated_at: at(&map.updated_at).and_then(moment),
        updated_by: at(&map.updated_by).map(|by| clean(&words(by))).filter(|by| !by.is_empty()),
        ..Flag::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(list: &str, key: Option<&str>) -> JsonMap {
        JsonMap {
            list: list.into(),
            key: key.map(Into::into),
            enabled: "/on".into(),
            percent: Some("/share".into()),
            percent_scale: 1.0,
            updated_at: Some("/at".into()),
            updated_by: Some("/by/name".into()),
            environment: Some("/env".into()),
        }
    }

    fn read(text: &str, map: &JsonMap, keys: &[&str]) -> Result<Vec<Flag>, Fault> {
        decode(text.as_bytes(), map, &keys.iter().map(|k| (*k).to_owned()).collect::<Vec<_>>(), "production")
    }

    #[test]
    fn arrays_and_objects_of_flags_are_read_alike() {
        let flag = r#""on":true,"share":"0.25","at":1764000000000,"by":{"name":"Ravi"}"#;
        let array =
            format!(r#"{{"env":"production","all":[{{"id":"a/b",{flag}}},{{"id":"other","on":"broken"}}]}}"#);
        let object = format!(r#"{{"env":"production","all":{{"a/b":{{{flag}}},"other":5}}}}"#);
        let of_array = read(&array, &map("/all", Some("/id")), &["a/b"]).unwrap();
        assert_eq!(of_array, read(&object, &map("/all", None), &["a/b"]).unwrap());
        let [flag] = of_array.as_slice() else { panic!("{of_array:?}") };
        assert_eq!(
            (flag.percent, flag.updated_by.as_deref()),
            (Percent::Known { value: 25.0 }, Some("Ravi"))
        );
        assert_eq!(flag.updated_at.unwrap().rfc3339(), "2025-11-24T16:00:00.000Z");
    }

    #[test]
    fn what_is_not_there_or_not_mapped_is_not_told() {
        let bare = JsonMap {
            list: "/all".into(),
            enabled: "/on".into(),
            percent_scale: 100.0,
            ..JsonMap::default()
        };
        let flags = read(r#"{"all":{"a":{"on":true,"share":1}}}"#, &bare, &["a"]).unwrap();
        assert_eq!((flags[0].percent, flags[0].updated_at), (Percent::Unsupported, None));
        let mapped = JsonMap { percent: Some("/share".into()), ..bare };
        assert_eq!(
            read(r#"{"all":{"a":{"on":true}}}"#, &mapped, &["a"]).unwrap()[0].percent,
            Percent::Unknown
        );
        assert_eq!(read(r#"{"all":{}}"#, &mapped, &["a"]).unwrap(), []);
    }

    #[test]
    fn an_answer_that_cannot_be_understood_says_which_pointer_led_nowhere() {
        let full = map("/all", Some("/id"));
        for (text, code, said) in [
            (
                r#"{"all":[]}"#,
                FaultCode::WrongEnvironment,
                "does not say its environment at /env (map.environment)",
            ),
            (
                r#"{"env":"staging","all":[]}"#,
                FaultCode::WrongEnvironment,
                "answers for environment staging, not production",
            ),
            (
                r#"{"env":"production"}"#,
                FaultCode::Unreadable,
                "there is no array or object at \"/all\" (map.list)",
            ),
            (
                r#"{"env":"production","all":[{"id":"a"}]}"#,
                FaultCode::Unreadable,
                "flag a: has neither true nor false at /on (map.enabled)",
            ),
            (
                r#"{"env":"production","all":[{"id":"a","on":true,"share":1.5}]}"#,
                FaultCode::Unreadable,
                "flag a: percent 150 lies outside 0 to 100",
            ),
            (
                r#"{"env":"production","all":[{"id":"a","on":true,"share":"NaN"}]}"#,
                FaultCode::Unreadable,
                "flag a: percent NaN lies outside 0 to 100",
            ),
            (
                r#"{"env":"production","all":[{"id":"a","on":true,"share":[]}]}"#,
                FaultCode::Unreadable,
                "flag a: has no number at /share (map.percent)",
            ),
            (
                r#"{"env":"production","all":[{"id":"a","on":true},{"id":"a","on":false}]}"#,
                FaultCode::Unreadable,
                "flag a: is told twice",
            ),
            ("<html>", FaultCode::ContentType, "answers an HTML page, not JSON"),
        ] {
            let fault = read(text, &full, &["a"]).unwrap_err();
            assert_eq!((fault.code, fault.text.as_str()), (code, said), "{text}");
        }
    }
}
