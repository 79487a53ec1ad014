//! Keys and types of a file against its JSON Schema: every unknown key, missing key, wrong type and
//! unknown word of the file at once, where reading into a type would stop at the first.

use std::ops::Range;

use serde_json::Value;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::document::{Document, Troubles};
use super::file::TITLE;
use super::nearest::{did_you_mean, list};
use crate::model::text::harmless_line;

/// The version of both forms.
const FORM: &str = "1";

/// Everything in the file that the schema does not allow.
pub(super) fn check(document: &Document<'_>, schema: &Value) -> Troubles {
    let mut walk = Walk { root: schema, troubles: Troubles::default(), hidden: false };
    if let Some(newer) = other_form(document.root()) {
        // Whatever else differs in another form would only be noise.
        let found = harmless_line(document.raw(newer.clone()), 40);
        walk.troubles
            .add(newer, format!("this gonogo reads files of the form schema = {FORM}, found {found}"));
        return walk.troubles;
    }
    if document.root().get_ref().as_table().is_some_and(DeTable::is_empty) {
        walk.troubles.add(0..0, "the file is empty: it begins with `schema = 1`");
        return walk.troubles;
    }
    walk.value(document.root(), schema, document.root().span());
    walk.troubles
}

fn other_form(root: &Spanned<DeValue<'_>>) -> Option<Range<usize>> {
    let form = root.get_ref().get("schema")?;
    let number = form.get_ref().as_integer()?;
    (number.as_str() != FORM).then(|| form.span())
}

struct Walk<'s> {
    root: &'s Value,
    troubles: Troubles,
    /// Whether what stands here may be a secret in the wrong place, so that it is not repeated.
    hidden: bool,
}

/// Marks tables of whose lines none is ever shown.
const SECRETS: &str = "x-secrets";

impl<'s> Walk<'s> {
    /// The schema that a reference stands for.
    fn resolved(&self, schema: &'s Value) -> &'s Value {
        let pointer = schema.get("$ref").and_then(Value::as_str).and_then(|r| r.strip_prefix('#'));
        pointer.and_then(|p| self.root.pointer(p)).unwrap_or(schema)
    }

    fn value(&mut self, value: &Spanned<DeValue<'_>>, schema: &'s Value, place: Range<usize>) {
        let titled = schema;
        let schema = self.resolved(schema);
        if !type_fits(value.get_ref(), schema) {
            if self.hidden {
                self.troubles.add_secret(
                    place,
                    format!("expected {}, found something else", expected(titled, schema)),
                );
                return;
            }
            let message = format!("expected {}, found {}", expected(titled, schema), found(value.get_ref()));
            self.troubles.add(place, message);
            return;
        }
        match value.get_ref() {
            DeValue::Table(table) => {
                let around = self.hidden;
                self.hidden |= schema.get(SECRETS).is_some();
                self.table(table, schema, place);
                self.hidden = around;
            }
            DeValue::Array(elements) => {
                if let Some(items) = schema.get("items") {
                    for element in elements {
                        let place = place_of(element, &place);
                        self.value(element, items, place);
                    }
                }
            }
            DeValue::String(word) => self.word(word, schema, place),
            DeValue::Integer(_) | DeValue::Float(_) => self.bounds(value.get_ref(), schema, place),
            DeValue::Boolean(_) | DeValue::Datetime(_) => {}
        }
    }

    fn table(&mut self, table: &DeTable<'_>, schema: &'s Value, place: Range<usize>) {
        let schema_of_table = schema;
        let empty = serde_json::Map::new();
        let known = schema.get("properties").and_then(Value::as_object);
        let others = schema.get("additionalProperties").filter(|s| s.is_object());
        for (key, value) in table {
            let name = key.get_ref().as_ref();
            if let Some(schema) = known.and_then(|k| k.get(name)).or(others) {
                self.value(value, schema, place_of(value, &key.span()));
                continue;
            }
            let names = || known.into_iter().flat_map(|k| k.keys().map(String::as_str));
            let near = did_you_mean(name, names());
            if self.hidden {
                let message = format!(
                    "there is no such key here{near}; a config holds no secrets, only where they come from: `env`, `file` or `command`"
                );
                self.troubles.add_secret(key.span(), message);
                continue;
            }
            let help = list("keys allowed here", names());
            self.troubles.add_with_help(key.span(), format!("there is no such key here{near}"), help);
        }
        let properties = known.unwrap_or(&empty);
        let required = schema.get("required").and_then(Value::as_array);
        for name in required.into_iter().flatten().filter_map(Value::as_str) {
            if !table.contains_key(name) {
                let schema = properties.get(name).unwrap_or(&Value::Null);
                let kind = expected(schema, self.resolved(schema));
                let message = format!("this key is missing: {kind}");
                if std::ptr::eq(schema_of_table, self.root) {
                    self.troubles.missing_in_file(name, message);
                } else {
                    self.troubles.missing(place.clone(), name, message);
                }
            }
        }
    }

    fn word(&mut self, word: &str, schema: &'s Value, place: Range<usize>) {
        let words = allowed_words(schema);
        if !words.is_empty() && !words.contains(&word) {
            if self.hidden {
                let message = format!("is not one of the words allowed here: {}", words.join(", "));
                self.troubles.add_secret(place, message);
                return;
            }
            let near = did_you_mean(word, words.iter().copied());
            let message = format!(
                "{:?} is not one of the words allowed here: {}{near}",
                harmless_line(word, 60),
                words.join(", ")
            );
            self.troubles.add(place, message);
        }
    }

    fn bounds(&mut self, value: &DeValue<'_>, schema: &'s Value, place: Range<usize>) {
        let Some(number) = number(value) else {
            let message = format!("{} is too large a number", found(value));
            self.troubles.add(place, message);
            return;
        };
        let bound = |name: &str| schema.get(name).and_then(Value::as_f64);
        let message = match (bound("minimum"), bound("maximum")) {
            (Some(low), _) if number < low => format!("{number} is too small: at least {low}"),
            (_, Some(high)) if number > high => format!("{number} is too large: at most {high}"),
            _ => return,
        };
        self.troubles.add(place, message);
    }
}

/// Tables made by dotted headers have no place of their own: then it is that of their key.
fn place_of(value: &Spanned<DeValue<'_>>, key: &Range<usize>) -> Range<usize> {
    let span = value.span();
    if span.is_empty() { key.clone() } else { span }
}

fn number(value: &DeValue<'_>) -> Option<f64> {
    match value {
        DeValue::Integer(i) => i64::from_str_radix(i.as_str(), i.radix()).ok().map(|i| i as f64),
        DeValue::Float(f) => f.as_str().parse().ok(),
        _ => None,
    }
}

fn types(schema: &Value) -> Vec<&str> {
    match schema.get("type") {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
        _ if schema.get("oneOf").is_some() => vec!["string"],
        _ => Vec::new(),
    }
}

fn type_fits(value: &DeValue<'_>, schema: &Value) -> bool {
    let types = types(schema);
    let has = |name: &str| types.contains(&name);
    match value {
        DeValue::String(_) => has("string"),
        DeValue::Integer(_) => has("integer") || has("number"),
        DeValue::Float(_) => has("number"),
        DeValue::Boolean(_) => has("boolean"),
        DeValue::Datetime(_) => {
            let is_time = schema.get("format").and_then(Value::as_str) == Some("date-time");
            is_time || schema.get("x-toml-date").is_some()
        }
        DeValue::Array(_) => has("array"),
        DeValue::Table(_) => has("object"),
    }
}

fn allowed_words(schema: &Value) -> Vec<&str> {
    if let Some(words) = schema.get("enum").and_then(Value::as_array) {
        return words.iter().filter_map(Value::as_str).collect();
    }
    let variants = schema.get("oneOf").and_then(Value::as_array);
    variants.into_iter().flatten().filter_map(|v| v.get("const").and_then(Value::as_str)).collect()
}

/// What a key takes, in words.
fn expected(titled: &Value, schema: &Value) -> String {
    if let Some(title) = titled.get(TITLE).or_else(|| schema.get(TITLE)).and_then(Value::as_str) {
        return title.to_owned();
    }
    let words = allowed_words(schema);
    if !words.is_empty() {
        return format!("one of {}", words.join(", "));
    }
    let names: Vec<&str> = types(schema)
        .into_iter()
        .map(|t| match t {
            "string" => "text in quotes",
            "integer" => "a whole number",
            "number" => "a number",
            "boolean" => "true or false",
            "array" if schema.pointer("/items/$ref").is_some() => "tables in [[ ]]",
            "array" => "a list in [ ]",
            _ => "a table",
        })
        .collect();
    names.join(" or ")
}

/// What stands there, in words.
fn found(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => format!("the text {:?}", harmless_line(text, 60)),
        DeValue::Integer(i) => format!("the whole number {}", harmless_line(&i.to_string(), 60)),
        DeValue::Float(f) => format!("the number {}", harmless_line(f.as_str(), 60)),
        DeValue::Boolean(b) => b.to_string(),
        DeValue::Datetime(t) => format!("the time {t}"),
        DeValue::Array(_) => "a list".into(),
        DeValue::Table(_) => "a table".into(),
    }
}
