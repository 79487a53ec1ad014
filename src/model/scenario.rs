//! A scenario of a drill: what goes wrong in the simulated product and when, and what the team is
//! expected to do about it. What its words do is the business of `drill`.

mod action;
mod effect;

use std::time::Duration;

pub use action::Action;
pub use effect::{Boundary, Down, Effect, Endpoint, POLICIES, Service, TENANTS};

/// A scripted rehearsal.
#[derive(Clone, Debug, PartialEq)]
pub struct Scenario {
    /// Its id.
    pub id: String,
    /// For people, one line.
    pub title: String,
    /// What it rehearses.
    pub summary: String,
    /// The seed of the simulated product, unless somebody asks for another one.
    pub seed: u64,
    /// How the product stands when the drill opens.
    pub start: Opening,
    /// How long the drill lasts, from its opening.
    pub length: Duration,
    /// What the team must do.
    pub expect: Expect,
    /// What goes wrong, in the order in which it begins; never empty.
    pub injects: Vec<Inject>,
}

/// How the simulated product stands when a drill opens.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Opening {
    /// The rollout of `tasks.enabled`, 0 to 100, for as long as the product has been running.
    pub percent: f64,
    /// How long the product has been running: longer than the windows of the expressions that look at it.
    pub warm_up: Duration,
}

/// What a team must do in a drill; all times are measured from the moment the first inject began.
#[derive(Clone, Debug, PartialEq)]
pub struct Expect {
    /// The gates, triggers and sources that must show it, every one of them.
    pub detect: Vec<String>,
    /// What must be decided.
    pub decide: Decision,
    /// How soon.
    pub within: Within,
    /// The most false alarms that are let pass; `None`: they are only told.
    pub false_alarms: Option<u32>,
}

/// How soon each step must have happened; `None`: before the drill ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Within {
    /// It is shown.
    pub detect: Option<Duration>,
    /// It is decided.
    pub decide: Option<Duration>,
    /// The rollback is complete.
    pub rollback: Option<Duration>,
}

/// What a team can decide about trouble.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Go back.
    Rollback,
    /// Stop and wait.
    Hold,
    /// Nothing: go on.
    None,
}

impl Decision {
    /// All of them, for messages that say what is allowed.
    pub const ALL: [Decision; 3] = [Self::Rollback, Self::Hold, Self::None];

    /// As written in a scenario.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rollback => "rollback",
            Self::Hold => "hold",
            Self::None => "none",
        }
    }

    /// Reads `rollback`, `hold`, `none`.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|decision| decision.as_str() == text)
    }
}

/// Something that goes wrong for a time.
#[derive(Clone, Debug, PartialEq)]
pub struct Inject {
    /// When it begins, from the opening of the drill.
    pub at: Duration,
    /// When it ends, from the opening; `None`: not by itself.
    pub until: Option<Duration>,
    /// What the flag has to do with it.
    pub flag: FlagRule,
    /// What the team can do to end it, beside lowering the flag where `flag` says so.
    pub cured_by: Vec<Action>,
    /// What it does, and how strongly.
    pub effect: Effect,
    /// What the facilitator sees afterwards.
    pub text: String,
}

/// Whether an inject waits for the flag of the launch. Its target counts, not what callers have taken up.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum FlagRule {
    /// It does not.
    Any,
    /// It is in effect only while the flag is at so many percent or more.
    While(f64),
    /// It begins when the flag has come to so many percent, and lasts then whatever the flag does.
    After(f64),
}
