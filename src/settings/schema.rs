//! The JSON Schemas of the files, made from the types they are read into.

use std::sync::LazyLock;

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};
use serde_json::Value;

use super::file::checklist::ChecklistFile;
use super::file::config::ConfigFile;
use super::file::preset::PresetFile;
use super::file::scenario::ScenarioFile;

static CONFIG: LazyLock<Value> = LazyLock::new(|| of::<ConfigFile>("A gonogo launch config"));
static PRESET: LazyLock<Value> = LazyLock::new(|| without_source(of::<PresetFile>("A gonogo preset")));
static CHECKLIST: LazyLock<Value> = LazyLock::new(|| of::<ChecklistFile>("A gonogo checklist"));
static SCENARIO: LazyLock<Value> = LazyLock::new(|| of::<ScenarioFile>("A gonogo drill"));

/// The JSON Schema of a launch config (`config/*.toml`).
pub fn config_schema() -> &'static Value {
    &CONFIG
}

/// The JSON Schema of a preset (`config/presets/*.toml`).
pub fn preset_schema() -> &'static Value {
    &PRESET
}

/// The JSON Schema of a checklist template (`checklists/*.toml`).
pub fn checklist_schema() -> &'static Value {
    &CHECKLIST
}

/// The JSON Schema of a drill's scenario (`config/drills/*.toml`).
pub fn scenario_schema() -> &'static Value {
    &SCENARIO
}

/// A preset's signals have no source, and nothing to leave the rest to.
fn without_source(mut schema: Value) -> Value {
    if let Some(Value::Object(signal)) = schema.pointer_mut("/$defs/Signal") {
        if let Some(Value::Object(properties)) = signal.get_mut("properties") {
            properties.remove("source");
        }
        signal.insert("required".into(), ["id", "board", "query"].map(Value::from).to_vec().into());
        signal.insert("description".into(), "A named expression.".into());
    }
    schema
}

fn of<T: JsonSchema>(title: &str) -> Value {
    let mut schema: Schema = SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<T>();
    schema.insert("title".into(), title.into());
    let mut schema = schema.to_value();
    without_null(&mut schema);
    schema
}

/// TOML has no null: a key that may be left out takes only its type.
fn without_null(schema: &mut Value) {
    match schema {
        Value::Array(all) => all.iter_mut().for_each(without_null),
        Value::Object(object) => {
            if let Some(Value::Array(types)) = object.get_mut("type") {
                types.retain(|t| t != "null");
                if let [one] = types.as_slice() {
                    let one = one.clone();
                    object.insert("type".into(), one);
                }
            }
            if let Some(Value::Array(mut any)) = object.remove("anyOf") {
                any.retain(|s| s.get("type") != Some(&Value::from("null")));
                match any.pop() {
                    Some(Value::Object(one)) if any.is_empty() => object.extend(one),
                    last => {
                        any.extend(last);
                        object.insert("anyOf".into(), any.into());
                    }
                }
            }
            object.values_mut().for_each(without_null);
        }
        _ => {}
    }
}
