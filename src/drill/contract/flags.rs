//! `GET /flags`: the rollout state of the flags in one environment, page by page.

use serde_json::{Value, json};

use super::super::product::Product;
use super::super::rollout::{AI_SUGGEST, BULK_IMPORT, KEYS, NEW_INVOICES, TASKS_ENABLED};
use super::query::Query;
use super::{ENVIRONMENTS, Reply, bad, limit, person};

/// The most flags in one page, and how many there are where the caller does not say.
const MOST: usize = 200;
const USUAL: usize = 50;
/// When the flags that never change were changed last, in days before the product started.
const LONG_AGO: u32 = 9;

/// One page of flags.
///
/// # Errors
/// The problem to answer with: no or an unknown environment, a limit or a cursor that is none.
pub fn page(product: &Product, query: &Query) -> Result<Value, Reply> {
    let environment = environment(query)?;
    let limit = limit(query, USUAL, MOST)?;
    let asked: Vec<&str> = query.all("key").collect();
    let missing: Vec<&str> = asked.iter().copied().filter(|key| !KEYS.contains(key)).collect();
    let mut keys: Vec<&str> =
        KEYS.into_iter().filter(|key| asked.is_empty() || asked.contains(key)).collect();
    keys.sort_unstable();
    if let Some(cursor) = query.one("cursor") {
        let last = cursor.strip_prefix("after:").filter(|key| KEYS.contains(key));
        let last = last.ok_or_else(|| bad("cursor", "the cursor is none that was handed out here"))?;
        keys.retain(|key| *key > last);
    }
    let next = keys.get(limit).and(keys.get(limit - 1)).map(|key| format!("after:{key}"));
    keys.truncate(limit);
    let flags: Vec<Value> = keys.iter().map(|key| flag(product, key, environment)).collect();
    Ok(json!({
        "environment": environment,
        "revision": product.rollout.version + 40,
        "missing": missing,
        "next_cursor": next,
        "flags": flags,
    }))
}

fn environment(query: &Query) -> Result<&'static str, Reply> {
    let known = ENVIRONMENTS.join(", ");
    let Some(asked) = query.one("environment").filter(|asked| !asked.is_empty()) else {
        return Err(bad("environment", &format!("say which environment: {known}")));
    };
    let found = ENVIRONMENTS.into_iter().find(|name| *name == asked);
    found.ok_or_else(|| bad("environment", &format!("there is no environment {asked:?}, only {known}")))
}

fn flag(product: &Product, key: &str, environment: &str) -> Value {
    let state = match environment {
        "production" => production(product, key),
        // Elsewhere everything is on for everybody, so that people can try it.
        _ => still(product, "all", Some(100)),
    };
    json!({
        "key": key,
        "kind": if key == NEW_INVOICES { "ops" } else { "release" },
        "value_type": "boolean",
        "owner": if key == NEW_INVOICES { "team-billing" } else { "team-tasks" },
        "tags": if key == TASKS_ENABLED { vec!["launch"] } else { vec![] },
        "archived": false,
        "stale": false,
        "state": state,
    })
}

fn production(product: &Product, key: &str) -> Value {
    let mut state = match key {
        TASKS_ENABLED => launched(product),
        NEW_INVOICES => still(product, "all", Some(100)),
        AI_SUGGEST => still(product, "off", Some(0)),
        _ => still(product, "rules", None),
    };
    if key == BULK_IMPORT {
        set(
            &mut state,
            "rules",
            json!([{
                "id": "beta",
                "name": "Beta customers on the enterprise plan",
                "enabled": true,
                "when": [
                    { "attribute": "org.plan", "op": "in", "values": ["enterprise"] },
                    { "attribute": "org.tags", "op": "contains", "values": ["beta"] },
                ],
                "percent": 100,
                "variant": "on",
            }]),
        );
    }
    if let Some(seen) = product.rollout.observed(key) {
        set(
            &mut state,
            "observed",
            json!({
                "window_s": seen.window.as_secs(),
                "on": seen.evaluations.on,
                "off": seen.evaluations.off,
                "at": product.at(seen.at).rfc3339(),
            }),
        );
    }
    state
}

/// The flag of the launch, where its rollout has got to and goes next.
fn launched(product: &Product) -> Value {
    let rollout = &product.rollout;
    let day = std::time::Duration::from_hours(24);
    let changed = match rollout.changed {
        Some(at) => product.at(at),
        None => product.at(std::time::Duration::ZERO).before(day),
    };
    let mode = if rollout.percent >= 100.0 { "all" } else { "percent" };
    let next = product
        .next_step()
        .map(|step| json!({ "next": { "at": product.at(step.at).rfc3339(), "percent": step.percent } }));
    json!({
        "enabled": true,
        "rollout": { "mode": mode, "percent": rollout.percent, "unit": "org", "exact": true },
        "rules": [],
        "targets": { "include": [], "exclude": [] },
        "variants": [
            { "key": "on", "weight_percent": rollout.percent },
            { "key": "off", "weight_percent": 100.0 - rollout.percent },
        ],
        "off_variant": "off",
        "prerequisites": [],
        "schedule": next,
        "observed": null,
        "version": rollout.version,
        "updated_at": changed.rfc3339(),
        "updated_by": person(&rollout.by),
    })
}

/// A flag that nobody has touched for days; no percentage where it cannot be told.
fn still(product: &Product, mode: &str, percent: Option<u8>) -> Value {
    let start = product.at(std::time::Duration::ZERO);
    json!({
        "enabled": mode != "off",
        "rollout": { "mode": mode, "percent": percent, "unit": "org", "exact": percent.is_some() },
        "rules": [],
        "targets": { "include": [], "exclude": [] },
        "variants": [],
        "off_variant": "off",
        "prerequisites": [],
        "schedule": null,
        "observed": null,
        "version": 3,
        "updated_at": start.before(std::time::Duration::from_hours(24) * LONG_AGO).rfc3339(),
        "updated_by": person("mei"),
    })
}

fn set(state: &mut Value, key: &str, value: Value) {
    if let Some(fields) = state.as_object_mut() {
        fields.insert(key.to_owned(), value);
    }
}
