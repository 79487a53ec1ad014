//! A gate whose failure proposes a rollback or a hold; a human confirms.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::GateDef;

/// What a trigger proposes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Open the rollback list.
    ProposeRollback,
    /// Hold the clock.
    Hold,
}

impl Action {
    /// As written in files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ProposeRollback => "propose-rollback",
            Self::Hold => "hold",
        }
    }

    /// The word for the screen: `ROLLBACK`, `HOLD`.
    pub fn word(self) -> &'static str {
        match self {
            Self::ProposeRollback => "ROLLBACK",
            Self::Hold => "HOLD",
        }
    }
}

/// A trigger of a checklist.
#[derive(Clone, Debug, PartialEq)]
pub struct TriggerDef {
    /// Its id, unique among the triggers of its checklist.
    pub id: String,
    /// The gate that says when all is well: it asks for the opposite of what the trigger names, its id
    /// is [`TriggerDef::gate_id`], and it never counts in the verdict.
    pub gate: GateDef,
    /// How long the gate must have failed without a break.
    pub lasting: Duration,
    /// What is proposed then.
    pub action: Action,
    /// How long people have to answer; silence past it holds the clock.
    pub answer_within: Duration,
}

impl TriggerDef {
    /// The id of the gate of a trigger. Ids have no colon, so that it is nobody else's.
    pub fn gate_id(trigger: &str) -> String {
        format!("trigger:{trigger}")
    }
}
