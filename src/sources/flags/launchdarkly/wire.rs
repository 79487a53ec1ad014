//! The JSON of the REST API. What is not read is ignored; what may be left out is optional.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::super::clean;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PageDoc {
    pub(super) items: Vec<Value>,
    pub(super) total_count: Option<usize>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct FlagDoc {
    pub(super) variations: Option<Vec<VariationDoc>>,
    pub(super) archived: Option<bool>,
    pub(super) deprecated: Option<bool>,
    #[serde(rename = "_maintainer")]
    pub(super) maintainer: Option<MemberDoc>,
    pub(super) environments: BTreeMap<String, EnvironmentDoc>,
}

#[derive(Deserialize)]
pub(super) struct VariationDoc {
    pub(super) value: Value,
    pub(super) name: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct MemberDoc {
    #[serde(rename = "_id")]
    pub(super) id: Option<String>,
    pub(super) email: Option<String>,
    pub(super) first_name: Option<String>,
    pub(super) last_name: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct EnvironmentDoc {
    pub(super) on: bool,
    pub(super) archived: Option<bool>,
    pub(super) last_modified: Option<Value>,
    pub(super) off_variation: Option<usize>,
    pub(super) fallthrough: Option<ServeDoc>,
    pub(super) rules: Option<Vec<RuleDoc>>,
    pub(super) targets: Option<Vec<TargetDoc>>,
    pub(super) context_targets: Option<Vec<TargetDoc>>,
    pub(super) prerequisites: Option<Vec<PrerequisiteDoc>>,
}

/// What is served: one variation, or shares of several.
#[derive(Deserialize)]
pub(super) struct ServeDoc {
    pub(super) variation: Option<usize>,
    pub(super) rollout: Option<RolloutDoc>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RolloutDoc {
    pub(super) variations: Vec<WeightDoc>,
    pub(super) bucket_by: Option<String>,
    pub(super) context_kind: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct WeightDoc {
    pub(super) variation: usize,
    pub(super) weight: f64,
}

#[derive(Deserialize)]
pub(super) struct RuleDoc {
    pub(super) description: Option<String>,
    pub(super) clauses: Option<Vec<ClauseDoc>>,
    #[serde(flatten)]
    pub(super) serve: ServeDoc,
}

#[derive(Deserialize)]
pub(super) struct ClauseDoc {
    pub(super) attribute: Option<String>,
    pub(super) op: String,
    pub(super) values: Option<Vec<Value>>,
    pub(super) negate: Option<bool>,
}

#[derive(Deserialize)]
pub(super) struct TargetDoc {
    pub(super) values: Option<Vec<Value>>,
    pub(super) variation: usize,
}

#[derive(Deserialize)]
pub(super) struct PrerequisiteDoc {
    pub(super) key: String,
}

impl MemberDoc {
    /// The name, or the address where there is none.
    pub(super) fn name(&self) -> Option<String> {
        let names: Vec<&str> =
            [&self.first_name, &self.last_name].into_iter().flatten().map(String::as_str).collect();
        let name = clean(&names.join(" "));
        if name.is_empty() {
            self.email.as_deref().map(clean).filter(|email| !email.is_empty())
        } else {
            Some(name)
        }
    }

    /// The address, or the id where there is none.
    pub(super) fn id(&self) -> Option<String> {
        self.email.as_deref().or(self.id.as_deref()).map(clean).filter(|id| !id.is_empty())
    }
}
