//! The rollout state of one feature flag in one environment.

use serde::{Deserialize, Serialize};

use super::Time;

/// How far a flag is rolled out; never a bare number, because a provider may know only part of it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Percent {
    /// The provider says exactly this, in percent of its unit (0 to 100).
    Known {
        /// 0 to 100.
        value: f64,
    },
    /// A lower bound: other rules add to it.
    AtLeast {
        /// 0 to 100.
        value: f64,
    },
    /// Counted on synthetic keys.
    Estimated {
        /// 0 to 100.
        value: f64,
        /// How many keys were asked.
        n: u32,
    },
    /// The provider cannot tell.
    Unknown,
}

impl Percent {
    /// For the screen: `25 %`, `≥ 10 %`, `~24 % (n 400)`, `unknown`.
    pub fn text(self) -> String {
        let round = |v: f64| if v.fract() == 0.0 { format!("{v:.0}") } else { format!("{v:.1}") };
        match self {
            Self::Known { value } => format!("{} %", round(value)),
            Self::AtLeast { value } => format!("≥ {} %", round(value)),
            Self::Estimated { value, n } => format!("~{} % (n {n})", round(value)),
            Self::Unknown => "unknown".into(),
        }
    }

    /// The number that may be compared with a gate's value: only an exact one.
    pub fn exact(self) -> Option<f64> {
        match self {
            Self::Known { value } => Some(value),
            _ => None,
        }
    }
}

/// A flag as a provider describes it. Every text is harmless to print.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Flag {
    /// Its key.
    pub key: String,
    /// Whether it is switched on in the environment.
    pub enabled: bool,
    /// How far it is rolled out (of `unit`).
    pub percent: Percent,
    /// What the percentage counts: `org`, `user`, `session`; empty where the provider does not say.
    pub unit: String,
    /// When it was last changed.
    pub updated_at: Option<Time>,
    /// Who changed it last.
    pub updated_by: Option<String>,
    /// The next scheduled step: when, and to how many percent.
    pub next: Option<(Time, f64)>,
    /// What callers really got, where the provider counts it: percent on, and of how many.
    pub observed: Option<(f64, u64)>,
    /// Variants with their weight in percent.
    pub variants: Vec<(String, f64)>,
}
