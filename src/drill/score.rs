//! How well a drill went: what really happened beside what the team was seen to do.
//!
//! Pure: [`score`] is given the ground truth of the product, the moments that the run recorded, and what
//! the scenario expects. One clock for all steps: the moment at which the first inject began.

mod told;

use std::time::Duration;

use super::product::Happened;
use crate::model::scenario::{Decision, Expect};
use crate::model::{Time, duration};

/// What turns bad so soon after the last inject has ended is still its doing: windows look back.
const AFTERMATH: Duration = Duration::from_mins(5);

/// Something that was observed in a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moment {
    /// When.
    pub at: Time,
    /// What.
    pub what: Observed,
}

/// What can be observed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Observed {
    /// A gate, a trigger or a source of this id turned bad: failed, proposed something, could not be
    /// polled. Once each time it turns, not as long as it stays.
    Bad(String),
    /// Somebody decided.
    Decided(Decision),
    /// The rollback is complete: all its immediate items are done, or the flag is observed at 0 %,
    /// whichever is recorded first.
    RolledBack,
}

/// One step of what a team must do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// How long it took, from the first inject; `None`: not at all.
    pub took: Option<Duration>,
    /// The most it may take; `None`: as long as the drill.
    pub allowed: Option<Duration>,
    /// Whether the scenario asks for it.
    pub expected: bool,
}

impl Step {
    /// Whether it was done in time, or not asked for.
    pub fn passed(&self) -> bool {
        let soon = |took: Duration| self.allowed.is_none_or(|allowed| took <= allowed);
        !self.expected || self.took.is_some_and(soon)
    }
}

/// Something that was said to be bad, or decided about, while nothing was wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FalseAlarm {
    /// When.
    pub at: Time,
    /// The id of what turned bad, or the word of the decision.
    pub what: String,
}

/// How well a drill went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Score {
    /// The id of the scenario.
    pub scenario: String,
    /// When the first inject began; `None`: none did, so that there is nothing to measure.
    pub began: Option<Time>,
    /// Until everything that must show it did.
    pub detect: Step,
    /// Until it was decided.
    pub decide: Step,
    /// Until the rollback was complete.
    pub rollback: Step,
    /// What had to be decided.
    pub wanted: Decision,
    /// The decisions in their order, with how long each took from the first inject.
    pub decisions: Vec<(Decision, Duration)>,
    /// What had to show it and did not.
    pub unseen: Vec<String>,
    /// Alarms while nothing was wrong.
    pub false_alarms: Vec<FalseAlarm>,
    /// Why it is not passed, in the order of the steps; empty where it is.
    pub failures: Vec<String>,
}

impl Score {
    /// Whether everything that the scenario expects was done, and in time.
    pub fn passed(&self) -> bool {
        self.failures.is_empty()
    }
}

/// Scores a drill: the injects of `happened` as they came to be, `moments` in any order.
pub fn score(scenario: &str, expect: &Expect, happened: &[Happened], moments: &[Moment]) -> Score {
    let mut moments: Vec<&Moment> = moments.iter().collect();
    moments.sort_by_key(|moment| moment.at);
    let began = happened.iter().filter_map(|inject| inject.began).min();
    let since = |at: Time| began.filter(|began| at >= *began).map(|began| at.since(began));
    let first = |wanted: &dyn Fn(&Observed) -> bool| {
        moments.iter().filter(|moment| wanted(&moment.what)).find_map(|moment| since(moment.at))
    };

    let shown: Vec<Option<Duration>> = expect
        .detect
        .iter()
        .map(|id| first(&|what| matches!(what, Observed::Bad(bad) if bad == id)))
        .collect();
    let unseen = expect.detect.iter().zip(&shown).filter(|(_, shown)| shown.is_none());
    let unseen: Vec<String> = unseen.map(|(id, _)| id.clone()).collect();
    let detect = Step {
        took: shown.into_iter().collect::<Option<Vec<_>>>().and_then(|all| all.into_iter().max()),
        allowed: expect.within.detect,
        expected: true,
    };
    let decided = |decision| first(&|what| *what == Observed::Decided(decision));
    let decide = Step {
        took: match expect.decide {
            Decision::None => None,
            wanted => decided(wanted),
        },
        allowed: expect.within.decide,
        expected: expect.decide != Decision::None,
    };
    let rollback = Step {
        took: first(&|what| *what == Observed::RolledBack),
        allowed: expect.within.rollback,
        expected: expect.decide == Decision::Rollback,
    };
    let decisions = moments.iter().filter_map(|moment| match moment.what {
        Observed::Decided(decision) if decision != Decision::None => Some((decision, since(moment.at)?)),
        _ => None,
    });
    let mut score = Score {
        scenario: scenario.to_owned(),
        began,
        detect,
        decide,
        rollback,
        wanted: expect.decide,
        decisions: decisions.collect(),
        unseen,
        false_alarms: moments.iter().filter_map(|moment| false_alarm(moment, happened)).collect(),
        failures: Vec::new(),
    };
    score.failures = failures(&score, expect);
    score
}

/// A moment at which somebody, or something, said that it was bad while nothing was wrong.
fn false_alarm(moment: &Moment, happened: &[Happened]) -> Option<FalseAlarm> {
    let what = match &moment.what {
        Observed::Bad(id) => id.clone(),
        Observed::Decided(Decision::None) | Observed::RolledBack => return None,
        Observed::Decided(decision) => decision.as_str().to_owned(),
    };
    let in_effect = |inject: &Happened| {
        let begun = inject.began.is_some_and(|began| moment.at >= began);
        begun && inject.ended.is_none_or(|ended| moment.at <= ended.after(AFTERMATH))
    };
    (!happened.iter().any(in_effect)).then_some(FalseAlarm { at: moment.at, what })
}

fn failures(score: &Score, expect: &Expect) -> Vec<String> {
    if score.began.is_none() {
        return vec!["no inject began: there is nothing to measure".into()];
    }
    let mut all = Vec::new();
    if !score.unseen.is_empty() {
        all.push(format!("not shown by {}", score.unseen.join(", ")));
    }
    let steps = [("detected", &score.detect), ("decided", &score.decide), ("rolled back", &score.rollback)];
    for (done, step) in steps {
        match (step.took, step.allowed) {
            _ if step.passed() => {}
            (Some(took), Some(allowed)) => all.push(format!(
                "{done} after {}, {} at most were allowed",
                duration::short(took),
                duration::short(allowed)
            )),
            // Already told by name.
            _ if done == "detected" => {}
            _ => all.push(format!("not {done}{}", wanted(done, expect.decide))),
        }
    }
    // To hold before a rollback is right; to go back, or to stop, without need is not.
    let wrong = score.decisions.iter().find(|(decision, _)| match expect.decide {
        Decision::Rollback => false,
        Decision::Hold => *decision == Decision::Rollback,
        Decision::None => true,
    });
    if let Some((decision, took)) = wrong {
        let right = match expect.decide {
            Decision::None => "nothing had to be decided",
            _ => "a hold was right",
        };
        all.push(format!("decided {} after {}, where {right}", decision.as_str(), duration::short(*took)));
    }
    let alarms = score.false_alarms.len();
    if let Some(most) = expect.false_alarms.filter(|most| alarms > *most as usize) {
        all.push(format!("{alarms} false alarms, {most} at most were allowed"));
    }
    all
}

fn wanted(done: &str, decision: Decision) -> String {
    if done == "decided" { format!(": {} was expected", decision.as_str()) } else { String::new() }
}

#[cfg(test)]
mod tests;
