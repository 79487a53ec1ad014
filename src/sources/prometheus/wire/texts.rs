//! Warnings and infos.

use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::model::text::harmless_line;

/// How many remarks of one kind are kept; of the others only their number.
const MOST: usize = 20;
/// How long one may be, in characters.
const LONG: usize = 300;

/// Remarks on an answer, harmless to print. Whatever shape they come in, that there are some is never
/// lost: a warning that cannot be read is a warning.
#[derive(Default)]
pub(in super::super) struct Texts(pub(in super::super) Vec<String>);

const UNREADABLE: &str = "a remark that cannot be read";

impl<'de> Deserialize<'de> for Texts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(All)
    }
}

struct All;

impl<'de> Visitor<'de> for All {
    type Value = Texts;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("remarks")
    }
    fn visit_unit<E>(self) -> Result<Texts, E> {
        Ok(Texts::default())
    }
    fn visit_bool<E>(self, _: bool) -> Result<Texts, E> {
        Ok(Texts(vec![UNREADABLE.into()]))
    }
    fn visit_u64<E>(self, _: u64) -> Result<Texts, E> {
        Ok(Texts(vec![UNREADABLE.into()]))
    }
    fn visit_i64<E>(self, _: i64) -> Result<Texts, E> {
        Ok(Texts(vec![UNREADABLE.into()]))
    }
    fn visit_f64<E>(self, _: f64) -> Result<Texts, E> {
        Ok(Texts(vec![UNREADABLE.into()]))
    }
    fn visit_str<E>(self, text: &str) -> Result<Texts, E> {
        let beginning: String = text.chars().take(LONG + 1).collect();
        Ok(Texts(vec![harmless_line(&beginning, LONG)]))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Texts, A::Error> {
        let (mut all, mut more) = (Vec::new(), 0_usize);
        while all.len() < MOST
            && let Some(One(text)) = seq.next_element()?
        {
            all.push(text);
        }
        while seq.next_element::<IgnoredAny>()?.is_some() {
            more += 1;
        }
        if more > 0 {
            all.push(format!("and {more} more"));
        }
        Ok(Texts(all))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Texts, A::Error> {
        let mut any = false;
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {
            any = true;
        }
        Ok(Texts(any.then(|| UNREADABLE.to_owned()).into_iter().collect()))
    }
}

/// One remark.
struct One(String);

impl<'de> Deserialize<'de> for One {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Texts(all) = Texts::deserialize(deserializer)?;
        Ok(Self(if all.is_empty() { UNREADABLE.into() } else { all.join("; ") }))
    }
}
