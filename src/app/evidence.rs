//! The number that backs a tick (rule 9).

use crate::checklist::Evidence;
use crate::engine::Watch;
use crate::model::{Condition, GateId, Time, value};

/// The number behind a gate's newest judgement, as it is stored with the tick; `None` where there is
/// none.
pub fn of_gate(watch: &Watch, id: &GateId, now: Time) -> Option<Evidence> {
    let gate = watch.gate(id)?;
    let judgement = watch.judge(id, now)?;
    Some(Evidence {
        kind: match gate.def.condition {
            Condition::Flag { .. } => "flag",
            Condition::Alert(_) => "alert",
            Condition::Signal(_) => "metric",
        }
        .into(),
        query: gate.query.clone(),
        value: value::text(judgement.value?),
        sampled: judgement.sampled?,
        source: gate.source.as_str().into(),
    })
}
