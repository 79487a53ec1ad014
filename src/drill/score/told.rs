//! A score as text for the end of a drill, and as JSON for the run.

use std::fmt;
use std::time::Duration;

use serde_json::{Value, json};

use super::{Score, Step};
use crate::model::text::harmless_line;
use crate::model::{Time, duration};

impl Score {
    /// The score as JSON; times are RFC 3339, lengths are seconds, what did not happen is null.
    pub fn json(&self) -> Value {
        let seconds = |span: Option<Duration>| span.map(|span| span.as_secs_f64());
        let step = |step: &Step| {
            json!({
                "expected": step.expected,
                "seconds": seconds(step.took),
                "allowed_seconds": seconds(step.allowed),
                "passed": step.passed(),
            })
        };
        let decisions = self.decisions.iter();
        let alarms = self.false_alarms.iter();
        json!({
            "scenario": self.scenario,
            "passed": self.passed(),
            "began": self.began.map(Time::rfc3339),
            "detect": step(&self.detect),
            "decide": step(&self.decide),
            "rollback": step(&self.rollback),
            "expected_decision": self.wanted.as_str(),
            "decisions": decisions
                .map(|(decision, took)| json!({ "decision": decision.as_str(), "seconds": took.as_secs_f64() }))
                .collect::<Vec<_>>(),
            "unseen": self.unseen,
            "false_alarms": alarms
                .map(|alarm| json!({ "at": alarm.at.rfc3339(), "what": alarm.what }))
                .collect::<Vec<_>>(),
            "failures": self.failures,
        })
    }
}

/// As people read it at the end of a drill, a line for each step.
impl fmt::Display for Score {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = if self.passed() { "PASSED" } else { "NOT PASSED" };
        writeln!(f, "drill {}: {verdict}", harmless_line(&self.scenario, 80))?;
        let steps = [
            ("time to detect", &self.detect),
            ("time to decide", &self.decide),
            ("time to roll back", &self.rollback),
        ];
        for (name, step) in steps {
            writeln!(f, "  {name:<18} {}", told(step))?;
        }
        writeln!(f, "  {:<18} {}", "false alarms", self.alarms())?;
        for failure in &self.failures {
            writeln!(f, "  - {}", harmless_line(failure, 300))?;
        }
        writeln!(f, "Times are measured from the moment the first inject began{}.", self.origin())
    }
}

impl Score {
    fn alarms(&self) -> String {
        if self.false_alarms.is_empty() {
            return "none".into();
        }
        let each =
            self.false_alarms.iter().map(|a| format!("{} at {}", harmless_line(&a.what, 80), a.at.clock()));
        format!("{}: {}", self.false_alarms.len(), each.collect::<Vec<_>>().join(", "))
    }

    fn origin(&self) -> String {
        self.began.map_or_else(|| "; none did".into(), |began| format!(", {}", began.rfc3339()))
    }
}

fn told(step: &Step) -> String {
    let took = step.took.map_or_else(|| "not at all".into(), duration::short);
    match (step.expected, step.took, step.allowed) {
        (false, None, _) => "not asked for".into(),
        (false, Some(_), _) => format!("{took} (not asked for)"),
        (true, _, Some(allowed)) => format!("{took} ({} allowed)", duration::short(allowed)),
        (true, _, None) => took,
    }
}
