//! What a gate asks for. How it is judged in time is the business of `engine`.

use std::time::Duration;

use super::{GateId, SignalId, SourceId};

/// How a value is compared with a threshold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
}

impl Op {
    /// All of them, for messages that say what is allowed.
    pub const ALL: [Op; 6] =
        [Op::Less, Op::LessOrEqual, Op::Greater, Op::GreaterOrEqual, Op::Equal, Op::NotEqual];

    /// As written in a config.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::Equal => "==",
            Self::NotEqual => "!=",
        }
    }

    /// Reads `<`, `<=`, `>`, `>=`, `==`, `!=`.
    pub fn parse(text: &str) -> Option<Op> {
        Self::ALL.into_iter().find(|op| op.as_str() == text)
    }

    /// The comparison that holds where this one does not.
    #[must_use]
    pub fn opposite(self) -> Self {
        match self {
            Self::Less => Self::GreaterOrEqual,
            Self::LessOrEqual => Self::Greater,
            Self::Greater => Self::LessOrEqual,
            Self::GreaterOrEqual => Self::Less,
            Self::Equal => Self::NotEqual,
            Self::NotEqual => Self::Equal,
        }
    }

    /// Whether `left op right`. False for NaN on either side, `!=` included: the caller asks
    /// `is_finite` first (rule 2 of the gates), and a NaN must never pass.
    pub fn holds(self, left: f64, right: f64) -> bool {
        if left.is_nan() || right.is_nan() {
            return false;
        }
        match self {
            Self::Less => left < right,
            Self::LessOrEqual => left <= right,
            Self::Greater => left > right,
            Self::GreaterOrEqual => left >= right,
            Self::Equal => left == right,
            Self::NotEqual => left != right,
        }
    }
}

/// An operator with its number: `> 300`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Threshold {
    /// The comparison.
    pub op: Op,
    /// The number compared with.
    pub value: f64,
}

impl Threshold {
    /// Reads `> 300`.
    ///
    /// # Errors
    /// A sentence that says what is allowed.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let split = text.find(|c: char| !"<>=!".contains(c)).unwrap_or(text.len());
        let (op, number) = text.split_at_checked(split).unwrap_or((text, ""));
        let bad = || {
            format!("{text:?} is no threshold: write one of < <= > >= == != and a number, as in \"> 300\"")
        };
        let op = Op::parse(op).ok_or_else(bad)?;
        let value: f64 = number.trim().parse().map_err(|_| bad())?;
        if value.is_finite() { Ok(Self { op, value }) } else { Err(bad()) }
    }

    /// Whether the value has crossed the threshold.
    pub fn crossed(self, value: f64) -> bool {
        self.op.holds(value, self.value)
    }
}

/// What a gate looks at.
#[derive(Clone, Debug, PartialEq)]
pub enum Condition {
    /// A signal's series (a gate with a `query` of its own has a signal made for it).
    Signal(SignalId),
    /// A flag's rollout state.
    Flag(Box<FlagCondition>),
    /// No alert of a name fires, and somebody vouches for it.
    Alert(Box<AlertCondition>),
    /// What a route needs is granted; its id, or [`ANY_ROUTE`](super::route::ANY_ROUTE) for all of them.
    Route(String),
}

/// What a flag must be; everything that is asked for counts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FlagCondition {
    /// The flag's key.
    pub key: String,
    /// The state it must be in, where the gate asks for one.
    pub enabled: Option<bool>,
    /// Whether its percentage is compared with the gate's value.
    pub percent: bool,
    /// How many points the percentage may be away from the gate's value, to either side; `None`: the gate's
    /// operator compares.
    pub within: Option<f64>,
    /// By whom the last change must have been made, by name or id; empty: by anybody.
    pub changed_by: Vec<String>,
    /// For how long nobody may have changed it.
    pub unchanged_for: Option<Duration>,
}

/// Which alert must not fire.
#[derive(Clone, Debug, PartialEq)]
pub struct AlertCondition {
    /// The alert's name, or [`ANY_ALERT`] for all of them.
    pub name: String,
    /// The source that vouches, where the gate names one.
    pub source: Option<SourceId>,
}

/// The name in an alert condition that stands for every alert.
pub const ANY_ALERT: &str = "*";

/// What no traffic means: below `min_volume` a ratio says nothing (rule 11).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Idle {
    /// Unknown, with the reason `idle`.
    #[default]
    Unknown,
    /// Pass.
    Pass,
}

/// How long the gate of a checklist item is watched after the item was ticked (rule 8).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Watched {
    /// Until the run is closed: a later fail makes the item `regressed`.
    #[default]
    UntilClosed,
    /// Until it is ticked: it was a question of that moment.
    UntilDone,
}

/// A gate: a condition that must hold for a time; only pass is GO.
#[derive(Clone, Debug, PartialEq)]
pub struct GateDef {
    /// Its id; for a checklist item's gate, the item's id.
    pub id: GateId,
    /// For people.
    pub title: String,
    /// What it looks at.
    pub condition: Condition,
    /// Only series with these labels count.
    pub matching: Vec<(String, String)>,
    /// The comparison that must hold for every series that counts.
    pub op: Op,
    /// The number compared with, in the signal's unit.
    pub value: f64,
    /// Once failed, it passes again only when `op clear` holds (hysteresis).
    pub clear: Option<f64>,
    /// How long it must have passed without a break.
    pub hold: Duration,
    /// The oldest sample that still counts; `None`: three intervals of the source.
    pub max_age: Option<Duration>,
    /// How many series must count; fewer or more is unknown.
    pub expect_series: Option<usize>,
    /// Below this value of another signal the gate is idle.
    pub min_volume: Option<(SignalId, f64)>,
    /// What idle means.
    pub idle: Idle,
    /// Whether infinite values are compared instead of being unknown.
    pub allow_infinite: bool,
    /// How long a passed gate of a checklist item stays watched.
    pub watch: Watched,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nan_satisfies_no_operator() {
        assert!(Op::ALL.iter().all(|op| !op.holds(f64::NAN, 1.0) && !op.holds(1.0, f64::NAN)));
    }

    #[test]
    fn a_threshold_is_an_operator_and_a_number() {
        assert_eq!(Threshold::parse("> 300").unwrap(), Threshold { op: Op::Greater, value: 300.0 });
        assert!(Threshold::parse(">=0.5").unwrap().crossed(0.5));
        for bad in ["300", "> x", "=> 3", "", "> NaN", "> inf"] {
            assert!(Threshold::parse(bad).unwrap_err().contains("threshold"), "{bad}");
        }
    }
}
