//! The files as they are written: one struct a table, one field a key, and their JSON Schemas.
//!
//! The schema made from these types is also what the program itself checks a file against, so that an
//! editor and `gonogo` say the same. What is more than structure is checked in `super::check`.

pub(super) mod checklist;
pub(super) mod config;
pub(super) mod credential;
pub(super) mod gate;
pub(super) mod preset;
pub(super) mod provider;
pub(super) mod scenario;

use std::borrow::Cow;
use std::ops::Range;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use toml::Spanned;

use crate::model::{Board, Op, Unit};

/// A value with its place in the file.
#[derive(Clone, Debug, Deserialize)]
#[serde(transparent)]
pub(super) struct At<T>(Spanned<T>);

impl<T> At<T> {
    /// The value.
    pub(super) fn get(&self) -> &T {
        self.0.get_ref()
    }

    /// Where it stands, in bytes of the file; of a `[table]` its header.
    pub(super) fn span(&self) -> Range<usize> {
        self.0.span()
    }
}

impl<T: JsonSchema> JsonSchema for At<T> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }

    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn schema_id() -> Cow<'static, str> {
        T::schema_id()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}

/// What a key takes, for messages; editors show it as the title.
pub(super) const TITLE: &str = "title";

/// Texts of a form of their own: they are read as text (or as any TOML value) and checked later, while
/// the schema says at once what they look like.
macro_rules! forms {
    ($($(#[$doc:meta])* $name:ident: $schema:expr,)*) => {
        $(
            $(#[$doc])*
            pub(super) struct $name;

            impl JsonSchema for $name {
                fn inline_schema() -> bool {
                    true
                }

                fn schema_name() -> Cow<'static, str> {
                    stringify!($name).into()
                }

                fn json_schema(_: &mut SchemaGenerator) -> Schema {
                    $schema
                }
            }
        )*
    };
}

forms! {
    /// A length of time in quotes.
    SpanText: json_schema!({
        "type": "string",
        "title": "a length of time such as \"5s\"",
        "examples": ["500ms", "5s", "10m", "1h30m"],
    }),
    /// `> 300`.
    ThresholdText: json_schema!({
        "type": "string",
        "title": "an operator and a number such as \"> 300\"",
        "examples": ["> 300", ">= 0.99"],
    }),
    /// A time with its zone, as a TOML date-time or as text.
    TimeText: json_schema!({
        "type": "string",
        "format": "date-time",
        "title": "a time such as 2025-12-02T15:00:00Z",
    }),
    /// A mark of the launch clock.
    MarkText: json_schema!({
        "type": "string",
        "title": "a mark of the clock such as \"T-00:10:00\"",
        "pattern": "^[Tt][+-].+$",
        "examples": ["T-00:10:00", "T-24h", "T+1h30m"],
    }),
    /// A day or a moment, as a TOML date, a TOML date-time or text.
    DateText: json_schema!({
        "type": "string",
        "title": "a day such as 2025-12-02, or a time such as 2025-12-02T15:00:00Z",
        "x-toml-date": true,
        "examples": ["2025-12-02", "2025-12-02T15:00:00Z"],
    }),
    /// When something is due.
    DueText: json_schema!({
        "type": "string",
        "title": "a mark of the clock such as \"T-24h\", a day, or a time",
        "x-toml-date": true,
        "examples": ["T-24h", "T+1h", "2025-12-02"],
    }),
    /// An attribute of a context.
    AttributeValue: json_schema!({
        "type": ["string", "number", "boolean"],
        "title": "text, a number, true or false",
    }),
    /// A number of bytes or a text with a unit.
    SizeText: json_schema!({
        "type": ["string", "integer"],
        "title": "a size such as \"64MiB\"",
        "minimum": 1,
        "examples": ["64MiB", 1_048_576],
    }),
    /// An id: what may be written on a command line, in file names, and in other tables.
    IdText: json_schema!({
        "type": "string",
        "title": "an id such as \"queue-depth\"",
        "pattern": "^[a-z0-9_-][a-z0-9._-]*$",
    }),
    /// The version of the form.
    FormVersion: json_schema!({ "type": "integer", "const": 1, "title": "the version of the form, 1" }),
    /// A block of the screen; `hidden` for none.
    BoardWord: words(Board::WRITTEN.map(Board::as_str)),
    /// What a number counts.
    UnitWord: words(Unit::ALL.map(Unit::as_str)),
    /// A comparison.
    OpWord: words(Op::ALL.map(Op::as_str)),
}

/// One of a few words.
fn words(words: impl IntoIterator<Item = &'static str>) -> Schema {
    let words: Vec<&str> = words.into_iter().collect();
    json_schema!({ "type": "string", "enum": words })
}
