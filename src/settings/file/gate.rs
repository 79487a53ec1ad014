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

        impl GateTerms {
            /// Terms that ask for nothing.
            pub(in crate::settings) fn none() -> Self {
                Self { $($field: None,)* }
            }
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
    /// The signal whose series are compared. One of `signal`, `query`, `flag`, `alert`, `route`.
    signal: Option<At<String>>,
    /// An expression of its own, asked of `source`.
    query: Option<At<String>>,
    /// The source that answers `query`, or that vouches for `alert` where several tell alerts.
    source: Option<At<String>>,
    /// The key of a flag of this config.
    flag: Option<At<String>>,
    /// The name of an alert that must not fire; `*` stands for every alert.
    alert: Option<At<String>>,
    /// The id of a route of this config whose needs must be granted; `*` stands for every route.
    route: Option<At<String>>,
    /// The state the flag must be in.
    enabled: Option<At<bool>>,
    /// The percentage the flag's rollout is compared with.
    #[schemars(range(min = 0, max = 100))]
    percent: Option<At<f64>>,
    /// How many points the flag's percentage may be away from `percent`, to either side; takes the place of
    /// `op`, and lets an estimate count whose whole error bar lies inside.
    #[schemars(range(min = 0, max = 100))]
    within: Option<At<f64>>,
    /// By whom the flag's last change must have been made: names or ids.
    changed_by: Option<At<Vec<At<String>>>>,
    /// For how long nobody may have changed the flag.
    #[schemars(with = "Option<SpanText>")]
    unchanged_for: Option<At<String>>,
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
    /// How long the gate of a checklist item is watched after the tick; `until-closed` where it is left
    /// out.
    watch: Option<At<WatchWord>>,
}

/// How long a gate is watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "Watch")]
pub(in crate::settings) enum WatchWord {
    /// Until the run is closed: a later fail makes the item regressed.
    UntilClosed,
    /// Until the item is ticked.
    UntilDone,
}

/// What proposes a rollback or a hold: while it holds for every moment of `for`, people are asked.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(rename = "Trigger")]
pub(in crate::settings) struct TriggerTable {
    /// Unique among the triggers.
    #[schemars(with = "IdText")]
    pub(in crate::settings) id: At<String>,
    /// For people; the id where it is left out.
    pub(in crate::settings) title: Option<At<String>>,
    /// The signal whose series are compared. One of `signal`, `query`, `alert`.
    pub(in crate::settings) signal: Option<At<String>>,
    /// An expression of its own, asked of `source`.
    pub(in crate::settings) query: Option<At<String>>,
    /// The source that answers `query`, or that vouches for `alert`.
    pub(in crate::settings) source: Option<At<String>>,
    /// The name of an alert that fires; `*` stands for every alert.
    pub(in crate::settings) alert: Option<At<String>>,
    /// Only series, or alerts, with these labels count.
    #[serde(rename = "where")]
    pub(in crate::settings) matching: Option<At<BTreeMap<String, At<String>>>>,
    /// The comparison that is trouble, where any series that counts satisfies it.
    #[schemars(with = "Option<OpWord>")]
    pub(in crate::settings) op: Option<At<String>>,
    /// The number compared with, in the signal's unit.
    pub(in crate::settings) value: Option<At<f64>>,
    /// How long it must have been trouble without a break; at once where it is left out.
    #[serde(rename = "for")]
    #[schemars(with = "Option<SpanText>")]
    pub(in crate::settings) lasting: Option<At<String>>,
    /// The oldest sample that still counts; three intervals of the source where it is left out.
    #[schemars(with = "Option<SpanText>")]
    pub(in crate::settings) max_age: Option<At<String>>,
    /// Below this value of another signal there is too little traffic to judge.
    pub(in crate::settings) min_volume: Option<At<MinVolume>>,
    /// What is proposed.
    pub(in crate::settings) action: At<ActionWord>,
    /// How long people have to answer before the clock is held; two minutes where it is left out.
    #[schemars(with = "Option<SpanText>")]
    pub(in crate::settings) answer_within: Option<At<String>>,
}

impl TriggerTable {
    /// What it looks at, as a gate would.
    pub(in crate::settings) fn terms(&self) -> GateTerms {
        GateTerms {
            signal: self.signal.clone(),
            query: self.query.clone(),
            source: self.source.clone(),
            alert: self.alert.clone(),
            matching: self.matching.clone(),
            op: self.op.clone(),
            value: self.value.clone(),
            max_age: self.max_age.clone(),
            min_volume: self.min_volume.clone(),
            ..GateTerms::none()
        }
    }
}

/// What a trigger proposes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "Action")]
pub(in crate::settings) enum ActionWord {
    /// The rollback list.
    ProposeRollback,
    /// A hold of the clock.
    Hold,
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
