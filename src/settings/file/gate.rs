//! Gates as they are written, in a config and in a checklist item.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{At, IdText, OpWord, SpanText};

/// The same keys stand in `[[gate]]` and in `[item.gate]`; a flattened struct would lose the places
/// of its keys, so both are spelled out from one list.
macro_rules! gate_tables {
    ($($(#[$meta:meta])* $field:ident: $type:ty,)*) => {
        /// What a checklist item's gate asks for.
        #[derive(Clone, Debug, Deserialize, JsonSchema)]
        #[serde(rename_all = "kebab-case", deny_unknown_fields)]
        #[schemars(rename = "ItemGate")]
        pub(in crate::settings) struct GateTerms {
            $($(#[$meta])* pub(in crate::settings) $field: $type,)*
        }

        /// A gate outside a checklist; it counts in the verdict too.
        #[derive(Clone, Debug, Deserialize, JsonSchema)]
        #[serde(rename_all = "kebab-case", deny_unknown_fields)]
        #[schemars(rename = "Gate")]
        pub(in crate::settings) struct GateTable {
            /// Its id, unique among the gates: lower-case letters, digits, `.`, `_`, `-`.
            #[schemars(with = "IdText")]
            pub(in crate::settings) id: At<String>,
            /// For people; the id where it is left out.
            pub(in crate::settings) title: Option<At<String>>,
            $($(#[$meta])* pub(in crate::settings) $field: $type,)*
        }

        impl GateTable {
            /// Without id and title.
            pub(in crate::settings) fn terms(&self) -> GateTerms {
                GateTerms { $($field: self.$field.clone(),)* }
            }
        }
    };
}

gate_tables! {
    /// The signal whose series are compared. One of `signal`, `query`, `flag`, `alert`.
    signal: Option<At<String>>,
    /// An expression of its own, asked of `source`.
    query: Option<At<String>>,
    /// The source that answers `query`, or that vouches for `alert` where several tell alerts.
    source: Option<At<String>>,
    /// The key of a flag of this config.
    flag: Option<At<String>>,
    /// The name of an alert that must not fire; `*` stands for every alert.
    alert: Option<At<String>>,
    /// The state the flag must be in.
    enabled: Option<At<bool>>,
    /// The percentage the flag's rollout is compared with.
    #[schemars(range(min = 0, max = 100))]
    percent: Option<At<f64>>,
    /// Only series, or alerts, with these labels count.
    #[serde(rename = "where")]
    matching: Option<At<BTreeMap<String, At<String>>>>,
    /// The comparison that must hold for every series that counts (for a flag's percentage: `>=`
    /// where it is left out).
    #[schemars(with = "Option<OpWord>")]
    op: Option<At<String>>,
    /// The number compared with, in the signal's unit.
    value: Option<At<f64>>,
    /// Once failed, it passes again only when the comparison holds with this number.
    clear: Option<At<f64>>,
    /// How long it must have passed without a break.
    #[schemars(with = "Option<SpanText>")]
    hold: Option<At<String>>,
    /// The oldest sample that still counts; three intervals of the source where it is left out.
    #[schemars(with = "Option<SpanText>")]
    max_age: Option<At<String>>,
    /// How many series must count; fewer or more is unknown.
    #[schemars(range(min = 1))]
    expect_series: Option<At<u32>>,
    /// Below this value of another signal there is too little traffic to judge.
    min_volume: Option<At<MinVolume>>,
    /// What too little traffic means; `unknown` where it is left out.
    idle: Option<At<IdleWord>>,
    /// Whether infinite values are compared instead of being unknown.
    allow_infinite: Option<At<bool>>,
}

/// Below `value` of `signal` there is too little traffic to judge.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(in crate::settings) struct MinVolume {
    /// A signal that counts traffic.
    pub(in crate::settings) signal: At<String>,
    /// The least of it.
    pub(in crate::settings) value: At<f64>,
}

/// What too little traffic means.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "Idle")]
pub(in crate::settings) enum IdleWord {
    /// Unknown, with the reason `idle`.
    Unknown,
    /// Pass.
    Pass,
}
