//! `[[flag]]`, and gates on flags.

use std::time::Duration;

use super::super::file::At;
use super::super::file::config::{FlagTable, SourceWord};
use super::gate::{Checked, Written, watched};
use super::{Check, Names, known_name};
use crate::model::gate::{FlagCondition, Idle};
use crate::model::{Condition, FlagDef, GateDef, GateId, Op, SignalId, SourceId};

impl Check<'_> {
    /// A flag that matters.
    pub(super) fn flag(&mut self, table: &FlagTable, names: &Names) -> FlagDef {
        let known = names.sources.iter().map(|s| s.name.as_str());
        let wanted = &table.source;
        known_name(&mut self.troubles, wanted.span(), "source", wanted.get(), &names.config, known);
        let source = names.sources.iter().find(|s| s.name == *wanted.get());
        if let Some(source) = source.filter(|s| !SourceWord::OF_FLAGS.contains(&s.kind)) {
            let kind = source.kind.as_str();
            self.troubles.add(
                wanted.span(),
                format!(
                    "{} is a source of kind {kind}: the state of flags is told by those of kind {}",
                    source.name,
                    SourceWord::OF_FLAGS.iter().map(|word| word.as_str()).collect::<Vec<_>>().join(", ")
                ),
            );
        }
        for signal in [&table.observed, &table.evaluations].into_iter().flatten() {
            self.signal_name(signal, names);
        }
        if let (None, Some(at)) = (&table.observed, &table.evaluations) {
            self.troubles.add(at.span(), "`evaluations` counts what is behind `observed`, which is missing");
        }
        FlagDef {
            key: self.words(&table.key),
            source: SourceId::new(wanted.get().as_str()),
            observed: table.observed.as_ref().map(|s| SignalId::new(s.get().as_str())),
            evaluations: table.evaluations.as_ref().map(|s| SignalId::new(s.get().as_str())),
        }
    }

    /// A gate on a flag's rollout state.
    pub(super) fn flag_gate(
        &mut self,
        written: &Written<'_>,
        flag: &At<String>,
        names: Option<&Names>,
    ) -> Option<Checked> {
        let terms = written.terms;
        if let Some(names) = names {
            let known = names.flags.iter().map(String::as_str);
            known_name(&mut self.troubles, flag.span(), "flag", flag.get(), &names.config, known);
        }
        let of_flags = ["op", "clear", "enabled", "percent", "within", "changed-by", "unchanged-for"];
        self.only_keys(terms, &of_flags, |key| {
            format!("`{key}` is asked of a signal; a flag has `enabled`, and `percent` with `op`")
        });
        let wanted = self.flag_condition(written, flag)?;
        // Without a percentage nothing is compared; the state then stands as 1 and 0 in the output.
        let op = match (&terms.op, wanted.percent) {
            (Some(op), true) => Op::parse(op.get())?,
            (None, true) if wanted.within.is_none() => Op::GreaterOrEqual,
            _ => Op::Equal,
        };
        let percent = terms.percent.as_ref().map(|p| self.finite(p));
        let value = percent.unwrap_or(if wanted.enabled == Some(false) { 0.0 } else { 1.0 });
        let gate = GateDef {
            id: GateId::new(written.id),
            title: written.title.to_owned(),
            condition: Condition::Flag(Box::new(wanted)),
            matching: Vec::new(),
            op,
            value,
            clear: self.clear(op, value, terms.clear.as_ref()),
            hold: self.span_or(terms.hold.as_ref(), Duration::ZERO, Duration::ZERO),
            max_age: self.max_age(terms.max_age.as_ref(), Duration::ZERO),
            expect_series: None,
            min_volume: None,
            idle: Idle::Unknown,
            allow_infinite: false,
            watch: watched(terms),
        };
        Some(Checked { gate, signal: None })
    }

    /// What the flag must be; `None` where the gate asks for nothing.
    fn flag_condition(&mut self, written: &Written<'_>, flag: &At<String>) -> Option<FlagCondition> {
        let terms = written.terms;
        for (key, place) in [
            ("op", terms.op.as_ref().map(At::span)),
            ("within", terms.within.as_ref().map(At::span)),
            ("clear", terms.clear.as_ref().map(At::span)),
        ] {
            if let (None, Some(place)) = (&terms.percent, place) {
                self.troubles.add(place, format!("`{key}` compares `percent`, which is missing"));
            }
        }
        if let (Some(op), Some(_)) = (&terms.op, &terms.within) {
            self.troubles.add(op.span(), "`within` compares to both sides: leave `op` out");
        }
        let within = terms.within.as_ref().map(|within| self.finite(within));
        let mut changed_by = Vec::new();
        if let Some(people) = &terms.changed_by {
            if people.get().is_empty() {
                self.troubles.add(people.span(), "names nobody: give a name or an id, or leave it out");
            }
            changed_by = people.get().iter().map(|who| self.words(who)).collect();
        }
        let quiet = terms.unchanged_for.as_ref();
        let unchanged_for = quiet.map(|_| self.span_or(quiet, Duration::from_secs(1), Duration::ZERO));
        let wanted = FlagCondition {
            key: flag.get().clone(),
            enabled: terms.enabled.as_ref().map(|e| *e.get()),
            percent: terms.percent.is_some(),
            within,
            changed_by,
            unchanged_for,
        };
        let asks = wanted.enabled.is_some()
            || wanted.percent
            || !wanted.changed_by.is_empty()
            || wanted.unchanged_for.is_some();
        if !asks {
            let message = "what must the flag be? give `enabled`, `percent`, `changed-by` or `unchanged-for`";
            self.troubles.add(flag.span(), message);
        }
        asks.then_some(wanted)
    }
}
