//! The number that backs a tick (rule 9).

use crate::checklist::{Evidence, Hash};
use crate::engine::{Gate, Watch};
use crate::model::{Condition, GateId, Time, value};

/// The number behind a gate's newest judgement, as it is stored with the tick; `None` where there is
/// none.
pub fn of_gate(watch: &Watch, id: &GateId, now: Time) -> Option<Evidence> {
    let gate = watch.gate(id)?;
    let judgement = watch.judge(id, now)?;
    Some(Evidence {
        kind: match gate.def.condition {
            Condition::Flag(_) => "flag",
            Condition::Alert(_) => "alert",
            Condition::Route(_) => "route",
            Condition::Signal(_) => "metric",
        }
        .into(),
        query: Some(gate.query.clone()),
        value: value::text(judgement.value?),
        sampled: Some(judgement.sampled?),
        source: Some(gate.source.as_str().into()),
        gate: None,
        hash: Some(answer(watch, gate)),
    })
}

/// The hash of the whole answer behind a gate: every series with its labels, value and moment, or the
/// flag's state, so that what was known can be compared with a capture later.
fn answer(watch: &Watch, gate: &Gate) -> Hash {
    let text = match &gate.def.condition {
        Condition::Signal(id) => {
            let series = watch.track(id).map_or(&[][..], |track| &track.series);
            let lines = series.iter().filter_map(|series| {
                let point = series.now.as_ref()?;
                Some(format!("{} {} {}", series.labels, value::text(point.value), point.sampled.millis()))
            });
            lines.collect::<Vec<_>>().join("\n")
        }
        Condition::Flag(wanted) => {
            format!("{:?}", watch.flag(&wanted.key).and_then(|state| state.flag.as_ref()))
        }
        Condition::Alert(_) | Condition::Route(_) => {
            format!("{:?}", gate.recent.back().map(|measure| &measure.reason))
        }
    };
    Hash::of(text.as_bytes())
}

/// The numbers behind every one of these gates, each with the gate's name.
pub fn of_all<'g>(watch: &Watch, gates: impl Iterator<Item = &'g GateId>, now: Time) -> Vec<Evidence> {
    let of = |id: &GateId| {
        let number = of_gate(watch, id, now)?;
        Some(Evidence { gate: Some(id.to_string()), ..number })
    };
    gates.filter_map(of).collect()
}
