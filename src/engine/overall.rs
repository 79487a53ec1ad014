//! The one verdict of the launch (rule 1): any fail is NO-GO, any unknown is NO-GO, and no gate at
//! all is unknown.

use crate::model::{GateId, Verdict};

use super::Judgement;

/// GO, or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Every gate passes.
    Go,
    /// A gate fails.
    NoGo,
    /// No gate fails, but not every one is known to pass; not GO either.
    Unknown,
}

impl Outcome {
    /// The words for the screen.
    pub fn words(self) -> &'static str {
        match self {
            Self::Go => "GO",
            Self::NoGo => "NO-GO",
            Self::Unknown => "NO-GO unknown",
        }
    }

    /// The word in JSON.
    pub fn code(self) -> &'static str {
        match self {
            Self::Go => "go",
            Self::NoGo => "no-go",
            Self::Unknown => "unknown",
        }
    }
}

/// The verdict of the launch with the judgements behind it.
#[derive(Clone, Debug, PartialEq)]
pub struct Overall {
    /// GO, or not.
    pub outcome: Outcome,
    /// The gates that count, worst first: fails, then unknowns, then passes; in each the order of
    /// the config.
    pub gates: Vec<(GateId, Judgement)>,
}

impl Overall {
    /// Aggregates judgements given in the order of the config.
    pub fn of(mut gates: Vec<(GateId, Judgement)>) -> Self {
        gates.sort_by_key(|(_, judgement)| std::cmp::Reverse(judgement.verdict));
        let outcome = match gates.first().map(|(_, worst)| worst.verdict) {
            Some(Verdict::Fail) => Outcome::NoGo,
            Some(Verdict::Pass) => Outcome::Go,
            Some(Verdict::Unknown) | None => Outcome::Unknown,
        };
        Self { outcome, gates }
    }

    /// How many gates have this verdict.
    pub fn count(&self, verdict: Verdict) -> usize {
        self.gates.iter().filter(|(_, j)| j.verdict == verdict).count()
    }
}
