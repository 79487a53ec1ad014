//! The rollout state of one feature flag in one environment, and what a provider can tell of it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Time;

/// How far a flag is rolled out; never a bare number, because a provider may know only part of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
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
    /// The provider tells percentages, and cannot tell this one.
    #[default]
    Unknown,
    /// The provider tells no percentages at all.
    Unsupported,
}

impl Percent {
    /// For the screen: `25 %`, `≥ 10 %`, `~24 % ±4.2`, `unknown`, `unsupported`.
    pub fn text(self) -> String {
        match self {
            Self::Known { value } => format!("{} %", short(value)),
            Self::AtLeast { value } => format!("≥ {} %", short(value)),
            Self::Estimated { value, n } => {
                let (low, high) = interval(value, u64::from(n));
                // Rounded up: a bar of error that looks smaller than it is would flatter the estimate.
                let margin = ((value - low).max(high - value) * 10.0).ceil() / 10.0;
                format!("~{} % ±{}", short(value), short(margin))
            }
            Self::Unknown => "unknown".into(),
            Self::Unsupported => "unsupported".into(),
        }
    }

    /// The number that may be compared with a gate's value: only an exact one.
    pub fn exact(self) -> Option<f64> {
        match self {
            Self::Known { value } => Some(value),
            _ => None,
        }
    }

    /// The least and the most it may be, in percent; `None` where nothing is known.
    pub fn bounds(self) -> Option<(f64, f64)> {
        match self {
            Self::Known { value } => Some((value, value)),
            Self::AtLeast { value } => Some((value, 100.0)),
            Self::Estimated { value, n } => Some(interval(value, u64::from(n))),
            Self::Unknown | Self::Unsupported => None,
        }
    }
}

fn short(value: f64) -> String {
    let rounded = (value * 10.0).round() / 10.0;
    // What is nearly all, or hardly any, is neither: 99.97 must not read as everybody.
    let kept = match value {
        v if v < 100.0 && rounded >= 100.0 => 99.9,
        v if v > 0.0 && rounded <= 0.0 => 0.1,
        _ => rounded,
    };
    if kept.fract() == 0.0 { format!("{kept:.0}") } else { format!("{kept:.1}") }
}

/// Between which percentages the true share lies with 95 % confidence, where `percent` of `n` were
/// counted (Wilson's interval, which also holds near 0 and 100).
pub fn interval(percent: f64, n: u64) -> (f64, f64) {
    /// The normal distribution's 97.5 % quantile.
    const Z: f64 = 1.96;
    if n == 0 {
        return (0.0, 100.0);
    }
    let (p, n) = (percent.clamp(0.0, 100.0) / 100.0, n as f64);
    let scale = 1.0 + Z * Z / n;
    let middle = (p + Z * Z / (2.0 * n)) / scale;
    let half = Z * (p * (1.0 - p) / n + Z * Z / (4.0 * n * n)).sqrt() / scale;
    (((middle - half) * 100.0).clamp(0.0, percent), ((middle + half) * 100.0).clamp(percent, 100.0))
}

/// What callers really got, as the provider counted it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Observed {
    /// How often the flag was on.
    pub on: u64,
    /// How often it was off.
    pub off: u64,
    /// Over how long it was counted.
    pub window: Option<Duration>,
    /// When that ended.
    pub at: Option<Time>,
}

impl Observed {
    /// How often it was asked for.
    pub fn count(&self) -> u64 {
        self.on.saturating_add(self.off)
    }

    /// Percent that were on; `None` where nobody asked.
    pub fn percent(&self) -> Option<f64> {
        (self.count() > 0).then(|| 100.0 * self.on as f64 / self.count() as f64)
    }
}

/// One rule of a flag: for whom, and how many of them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Rule {
    /// Its name, or its kind where it has none.
    pub name: String,
    /// For whom, in words: `org.plan in (enterprise)`; empty: for everybody.
    pub when: String,
    /// For how many of them; of a rule that is switched off, what it would be.
    pub percent: Percent,
    /// The variant that it gives; empty where it gives none of its own.
    pub variant: String,
    /// Whether it is switched on.
    pub enabled: bool,
}

/// The same flag in another environment.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Elsewhere {
    /// The environment.
    pub environment: String,
    /// Whether it is switched on there; `None` where the flag does not exist there.
    pub enabled: Option<bool>,
    /// How far it is rolled out there.
    pub percent: Percent,
}

/// A flag as a provider describes it. Every text is harmless to print.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Flag {
    /// Its key.
    pub key: String,
    /// Whether it is switched on in the environment.
    pub enabled: bool,
    /// Whether `enabled` is not known: nobody who was asked for got it and the provider does not say that it
    /// is switched off, or what callers get while it is off is not known. Captures of earlier versions do not hold this.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub enabled_unknown: bool,
    /// How far it is rolled out (of `unit`).
    pub percent: Percent,
    /// What the percentage counts: `org`, `user`, `session`; empty where the provider does not say.
    pub unit: String,
    /// When it was last changed.
    pub updated_at: Option<Time>,
    /// Who changed it last, by name.
    pub updated_by: Option<String>,
    /// The same, by an id that nobody chooses for themselves, where the provider tells one: it is what gates
    /// compare.
    pub updated_by_id: Option<String>,
    /// The next scheduled step: when, and to how many percent.
    pub next: Option<(Time, f64)>,
    /// What callers really got, where the provider counts it.
    #[serde(deserialize_with = "observed")]
    pub observed: Option<Observed>,
    /// Variants with their weight in percent; `None`: the provider does not say how much.
    pub variants: Vec<(String, Option<f64>)>,
    /// Its rules, in the provider's order.
    pub rules: Vec<Rule>,
    /// Who or what is always in, or always out, in words: `in: org_acme; out: org_globex`.
    pub targets: String,
    /// Flags that must be on too.
    pub prerequisites: Vec<String>,
    /// The same flag in other environments, where the provider tells of them.
    pub elsewhere: Vec<Elsewhere>,
    /// Who answers for it.
    pub owner: String,
    /// Whether the provider has put it away: it is not evaluated any more.
    pub archived: bool,
    /// Whether the provider calls it stale: due to be removed.
    pub stale: bool,
}

/// Captures of earlier versions hold `[percent, count]`.
fn observed<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Observed>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Form {
        Counted(Observed),
        Share(f64, u64),
    }
    Ok(Option::<Form>::deserialize(deserializer)?.map(|form| match form {
        Form::Counted(observed) => observed,
        Form::Share(percent, count) => {
            let on = ((percent.clamp(0.0, 100.0) / 100.0 * count as f64).round() as u64).min(count);
            Observed { on, off: count - on, ..Observed::default() }
        }
    }))
}

impl Flag {
    /// Whether the last change was this person's: by the id where one is told, because people choose their
    /// names themselves, else by name. `None` where neither is told.
    pub fn is_changed_by(&self, who: &str) -> Option<bool> {
        let told = self.updated_by_id.as_ref().or(self.updated_by.as_ref())?;
        Some(told == who)
    }

    /// Whether it is switched on; `None` where that is not known.
    pub fn switched(&self) -> Option<bool> {
        (!self.enabled_unknown).then_some(self.enabled)
    }

    /// How far it is rolled out to callers now: one that is off is out for nobody.
    pub fn reach(&self) -> Percent {
        if self.switched() == Some(false) { Percent::Known { value: 0.0 } } else { self.percent }
    }
}

/// What a provider can tell. What it cannot is drawn differently from "none" and from "off".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Caps {
    /// How far a flag is rolled out.
    pub percent: bool,
    /// Its rules and variants.
    pub rules: bool,
    /// Its state in other environments.
    pub environments: bool,
    /// When it was changed last.
    pub changed: bool,
    /// Who changed it last.
    pub author: bool,
    /// What comes next.
    pub schedule: bool,
    /// What callers really got.
    pub observed: bool,
    /// Whether the list of asked-for keys that do not exist can be trusted: a flag that is absent is
    /// missing, and not merely hidden from the credential.
    pub missing: bool,
    /// Whether an unchanged answer costs a 304 only.
    pub conditional: bool,
}

impl Caps {
    /// Everything.
    pub const ALL: Self = Self {
        percent: true,
        rules: true,
        environments: true,
        changed: true,
        author: true,
        schedule: true,
        observed: true,
        missing: true,
        conditional: true,
    };

    /// Nothing but whether a flag is on.
    pub const NONE: Self = Self {
        percent: false,
        rules: false,
        environments: false,
        changed: false,
        author: false,
        schedule: false,
        observed: false,
        missing: false,
        conditional: false,
    };
}

/// The identity contract can tell everything, and captures of earlier versions knew no other provider.
impl Default for Caps {
    fn default() -> Self {
        Self::ALL
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentage_says_how_sure_it_is_and_never_rounds_to_all_or_none() {
        for (percent, shown) in [
            (Percent::Known { value: 25.0 }, "25 %"),
            (Percent::Known { value: 99.97 }, "99.9 %"),
            (Percent::Known { value: 0.01 }, "0.1 %"),
            (Percent::AtLeast { value: 10.0 }, "≥ 10 %"),
            (Percent::Estimated { value: 24.0, n: 400 }, "~24 % ±4.5"),
            (Percent::Estimated { value: 0.0, n: 400 }, "~0 % ±1"),
            (Percent::Unknown, "unknown"),
            (Percent::Unsupported, "unsupported"),
        ] {
            assert_eq!(percent.text(), shown);
        }
    }

    #[test]
    fn an_interval_holds_the_share_it_was_counted_from_and_shrinks_with_the_count() {
        assert_eq!(interval(50.0, 0), (0.0, 100.0));
        let (few, many) = (interval(25.0, 40), interval(25.0, 4000));
        assert!(few.0 < many.0 && many.0 < 25.0 && 25.0 < many.1 && many.1 < few.1);
        let (low, high) = interval(100.0, 400);
        assert!(low > 98.0 && high == 100.0);
    }

    #[test]
    fn what_an_earlier_capture_holds_is_read() {
        let old = r#"{"key":"k","enabled":true,"percent":{"kind":"known","value":25.0},"unit":"org",
            "updated_at":null,"updated_by":"Ravi","next":null,"observed":[24.0,100],"variants":[]}"#;
        let flag: Flag = serde_json::from_str(old).unwrap();
        assert_eq!(flag.observed, Some(Observed { on: 24, off: 76, ..Observed::default() }));
        assert_eq!(flag.switched(), Some(true));
        let again: Flag = serde_json::from_str(&serde_json::to_string(&flag).unwrap()).unwrap();
        assert_eq!(again, flag);
        assert_eq!((flag.is_changed_by("Ravi"), flag.is_changed_by("eve")), (Some(true), Some(false)));
        assert_eq!(Flag::default().is_changed_by("eve"), None);
    }
}
