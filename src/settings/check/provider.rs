//! `[source.NAME]` of a provider of flags.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::super::file::At;
use super::super::file::config::{SourceTable, SourceWord};
use super::super::file::provider::FlagMapTable;
use super::address::Part;
use super::source::Around;
use super::{Check, known_name};
use crate::model::launch::SourceKind;
use crate::model::provider::{FlagSource, JsonMap, OfrepDef, Provider};

/// Where `LaunchDarkly` is for most.
const LAUNCH_DARKLY: &str = "https://app.launchdarkly.com";
/// The synthetic keys, where nothing is said; the most keep a round short.
const KEYS: u32 = 200;
const MOST_KEYS: u32 = 5_000;

impl Check<'_> {
    /// A provider of flags with its defaults.
    pub(super) fn flag_source(&mut self, at: &At<SourceTable>, around: &Around<'_>) -> Option<SourceKind> {
        let table = at.get();
        let own = self.some_words(table.environment.as_ref());
        let environment = own.unwrap_or_else(|| around.environment.to_owned());
        let provider = match table.kind.get() {
            SourceWord::Unleash => Provider::Unleash {
                project: self.some_words(table.project.as_ref()).unwrap_or_else(|| "default".into()),
                admin: self.admin(table, around),
            },
            SourceWord::Ofrep => Provider::Ofrep(self.ofrep(table)),
            SourceWord::Launchdarkly => Provider::LaunchDarkly {
                project: self.some_words(table.project.as_ref()).unwrap_or_else(|| "default".into()),
                on: self.all_words(table.on.as_ref()),
            },
            SourceWord::Json => {
                let Some(map) = &table.map else {
                    let message = "a json source needs `map`: where the facts of a flag stand";
                    self.troubles.missing(at.span(), "map", message);
                    return None;
                };
                Provider::Json(self.json_map(map.get()))
            }
            _ => return None,
        };
        let url = self.provider_url(at, &provider)?;
        let beside = self.beside(table, &environment);
        Some(SourceKind::Flags(Box::new(FlagSource { url, environment, beside, provider })))
    }

    fn provider_url(&mut self, at: &At<SourceTable>, provider: &Provider) -> Option<String> {
        let table = at.get();
        let part = match provider {
            Provider::Unleash { .. } => Part::Base("/api"),
            Provider::Ofrep(_) => Part::Base("/ofrep/v1"),
            Provider::LaunchDarkly { .. } => Part::Base("/api/v2"),
            Provider::Json(_) => Part::Endpoint,
        };
        match (&table.url, provider) {
            (Some(url), _) => Some(self.address(url, part, table.allow_http.unwrap_or(false))),
            (None, Provider::LaunchDarkly { .. }) => Some(LAUNCH_DARKLY.into()),
            // The environment names it, where each terminal may have its own.
            (None, Provider::Ofrep(_)) => Some(String::new()),
            (None, _) => {
                let kind = provider.as_str();
                let a = if kind.starts_with('u') { "an" } else { "a" };
                self.troubles.missing(at.span(), "url", format!("{a} {kind} source needs its address"));
                None
            }
        }
    }

    fn admin(
        &mut self,
        table: &SourceTable,
        around: &Around<'_>,
    ) -> Option<crate::model::launch::CredentialDef> {
        let wanted = table.admin_credential.as_ref()?;
        let known = around.credentials.keys().map(String::as_str);
        known_name(&mut self.troubles, wanted.span(), "credential", wanted.get(), around.config, known);
        around.defs.get(wanted.get()).cloned()
    }

    /// Other environments, each once.
    pub(super) fn beside(&mut self, table: &SourceTable, environment: &str) -> Vec<String> {
        let Some(beside) = &table.beside else { return Vec::new() };
        if *table.kind.get() == SourceWord::Unleash && table.admin_credential.is_none() {
            let message = "other environments are told by the admin API only: add `admin-credential`";
            self.troubles.add(beside.span(), message);
        }
        let mut seen = super::values::Seen::default();
        let mut all = Vec::new();
        for other in beside.get() {
            self.once(other, "the environment", &mut seen);
            if other.get() == environment {
                self.troubles.add(other.span(), "is the environment of the source itself");
            }
            all.push(self.words(other));
        }
        all
    }

    fn ofrep(&mut self, table: &SourceTable) -> OfrepDef {
        let keys = table.keys.as_ref().map_or(KEYS, |keys| *keys.get());
        if let Some(at) = table.keys.as_ref().filter(|_| keys > MOST_KEYS) {
            self.troubles.add(at.span(), format!("at most {MOST_KEYS} keys: each is a request"));
        }
        OfrepDef {
            bulk: table.bulk.as_ref().is_none_or(|bulk| *bulk.get()),
            context: table.context.as_ref().map(|context| self.context(context)).unwrap_or_default(),
            keys,
            seed: self.some_words(table.seed.as_ref()).unwrap_or_else(|| "gonogo".into()),
            on: self.all_words(table.on.as_ref()),
        }
    }

    /// The attributes as JSON. A targeting key among them would make every synthetic key the same.
    fn context(&mut self, table: &At<BTreeMap<String, At<toml::Value>>>) -> Map<String, Value> {
        let mut context = Map::new();
        for (name, value) in table.get() {
            if name == "targetingKey" {
                let message = "the targeting keys are made by gonogo (`keys`, `seed`): leave it out";
                self.troubles.add(value.span(), message);
            }
            let json = match value.get() {
                toml::Value::String(text) => Value::from(text.clone()),
                toml::Value::Integer(number) => Value::from(*number),
                toml::Value::Float(number) if number.is_finite() => Value::from(*number),
                toml::Value::Boolean(on) => Value::from(*on),
                _ => {
                    let message = "is no attribute: write text, a number, true or false";
                    self.troubles.add(value.span(), message);
                    continue;
                }
            };
            context.insert(name.clone(), json);
        }
        context
    }

    fn all_words(&mut self, all: Option<&At<Vec<At<String>>>>) -> Vec<String> {
        all.into_iter().flat_map(At::get).map(|word| self.words(word)).collect()
    }

    fn json_map(&mut self, table: &FlagMapTable) -> JsonMap {
        let scale = table.percent_scale.as_ref();
        if let Some(at) = scale.filter(|scale| !matches!(scale.get(), 1 | 100)) {
            self.troubles.add(at.span(), "is what everybody is written as: 1 or 100");
        }
        if let (None, Some(at)) = (&table.percent, scale) {
            self.troubles.add(at.span(), "`percent-scale` is the scale of `percent`, which is missing");
        }
        JsonMap {
            list: self.pointer(table.list.as_ref()).unwrap_or_default(),
            key: self.pointer(table.key.as_ref()),
            enabled: self.pointer(Some(&table.enabled)).unwrap_or_default(),
            percent: self.pointer(table.percent.as_ref()),
            percent_scale: scale.map_or(100.0, |scale| f64::from(*scale.get())),
            updated_at: self.pointer(table.updated_at.as_ref()),
            updated_by: self.pointer(table.updated_by.as_ref()),
            environment: self.pointer(table.environment.as_ref()),
        }
    }

    /// A JSON pointer (RFC 6901): empty for the whole, else it begins with a slash.
    fn pointer(&mut self, at: Option<&At<String>>) -> Option<String> {
        let at = at?;
        let text = at.get();
        let escapes_well = text.split('~').skip(1).all(|rest| rest.starts_with('0') || rest.starts_with('1'));
        if !(text.is_empty() || text.starts_with('/')) || !escapes_well {
            self.troubles.add(at.span(), "is no JSON pointer: write one such as \"/flags\"");
        }
        Some(text.clone())
    }
}
