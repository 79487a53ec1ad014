//! The JSON Schemas of the files, made from the types they are read into.

use std::sync::LazyLock;

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};
use serde_json::Value;

use super::file::checklist::ChecklistFile;
use super::file::config::ConfigFile;

static CONFIG: LazyLock<Value> = LazyLock::new(|| of::<ConfigFile>("A gonogo launch config"));
static CHECKLIST: LazyLock<Value> = LazyLock::new(|| of::<ChecklistFile>("A gonogo checklist"));

/// The JSON Schema of a launch config (`config/*.toml`).
pub fn config_schema() -> &'static Value {
    &CONFIG
}

/// The JSON Schema of a checklist template (`checklists/*.toml`).
pub fn checklist_schema() -> &'static Value {
    &CHECKLIST
}

fn of<T: JsonSchema>(title: &str) -> Value {
    let mut schema: Schema = SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<T>();
    schema.insert("title".into(), title.into());
    schema.to_value()
}
