//! `[[gate]]` and `[item.gate]`.

use std::fmt::Write as _;
use std::ops::Range;
use std::time::Duration;

use sha2::{Digest as _, Sha256};

use super::super::file::At;
use super::super::file::gate::{GateTerms, IdleWord, WatchWord};
use super::signal::INTERVALS;
use super::{Check, Names};
use crate::model::gate::{Idle, Watched};
use crate::model::{Board, Condition, GateDef, GateId, Op, SignalDef, SignalId, SourceId, Unit};

/// A gate with its name and place.
pub(super) struct Written<'t> {
    pub(super) id: &'t str,
    pub(super) title: &'t str,
    pub(super) terms: &'t GateTerms,
    /// Where the table begins.
    pub(super) place: Range<usize>,
}

/// A gate, and the signal made for it where it has an expression of its own.
pub(super) struct Checked {
    pub(super) gate: GateDef,
    pub(super) signal: Option<SignalDef>,
}

/// The name of the signal that is made for a gate with a `query`. Ids have no colon, so that it is
/// nobody else's. Another expression is another signal: a run keeps its own template, and its gate must
/// not be judged on what the file asks for today.
fn own_signal(gate: &str, source: &str, query: &str) -> SignalId {
    let mut hash = Sha256::new();
    for part in [source, query] {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part.as_bytes());
    }
    let hash = hash.finalize().iter().take(4).fold(String::new(), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    });
    SignalId::new(format!("gate:{gate}:{hash}"))
}

/// The keys that only some gates take, each with its place, as far as they are written.
fn written_keys(terms: &GateTerms) -> impl Iterator<Item = (&'static str, Range<usize>)> {
    let all = [
        ("source", terms.source.as_ref().map(At::span)),
        ("where", terms.matching.as_ref().map(At::span)),
        ("op", terms.op.as_ref().map(At::span)),
        ("value", terms.value.as_ref().map(At::span)),
        ("clear", terms.clear.as_ref().map(At::span)),
        ("enabled", terms.enabled.as_ref().map(At::span)),
        ("percent", terms.percent.as_ref().map(At::span)),
        ("within", terms.within.as_ref().map(At::span)),
        ("changed-by", terms.changed_by.as_ref().map(At::span)),
        ("unchanged-for", terms.unchanged_for.as_ref().map(At::span)),
        ("expect-series", terms.expect_series.as_ref().map(At::span)),
        ("min-volume", terms.min_volume.as_ref().map(At::span)),
        ("idle", terms.idle.as_ref().map(At::span)),
        ("allow-infinite", terms.allow_infinite.as_ref().map(At::span)),
    ];
    all.into_iter().filter_map(|(key, place)| Some((key, place?)))
}

/// How long it stays watched after its item was ticked.
pub(super) fn watched(terms: &GateTerms) -> Watched {
    match terms.watch.as_ref().map(At::get) {
        Some(WatchWord::UntilDone) => Watched::UntilDone,
        Some(WatchWord::UntilClosed) | None => Watched::UntilClosed,
    }
}

impl Check<'_> {
    /// A gate. Without `names` (a checklist read by itself) no name can be looked up.
    pub(super) fn gate(&mut self, written: &Written<'_>, names: Option<&Names>) -> Option<Checked> {
        let terms = written.terms;
        let chosen = [
            ("signal", &terms.signal),
            ("query", &terms.query),
            ("flag", &terms.flag),
            ("alert", &terms.alert),
            ("route", &terms.route),
        ];
        let mut chosen = chosen.into_iter().filter_map(|(key, at)| at.as_ref().map(|at| (key, at)));
        let Some((key, at)) = chosen.next() else {
            self.troubles.add(
                written.place.clone(),
                "a gate looks at something: give one of `signal`, `query`, `flag`, `alert`, `route`",
            );
            return None;
        };
        if let Some((other, second)) = chosen.next() {
            self.troubles
                .add(second.span(), format!("a gate looks at one thing: `{key}` or `{other}`, not both"));
            return None;
        }
        match key {
            "flag" => self.flag_gate(written, at, names),
            "alert" => self.alert_gate(written, at, names),
            "route" => Some(self.route_gate(written, at, names)),
            "query" => self.query_gate(written, at, names),
            _ => self.signal_gate(written, at, names),
        }
    }

    /// Refuses keys that have no meaning for a kind of gate: accepted without effect they would lie.
    pub(super) fn only_keys(&mut self, terms: &GateTerms, taken: &[&str], why: impl Fn(&str) -> String) {
        for (key, place) in written_keys(terms).filter(|(key, _)| !taken.contains(key)) {
            self.troubles.add(place, why(key));
        }
    }

    fn signal_gate(
        &mut self,
        written: &Written<'_>,
        signal: &At<String>,
        names: Option<&Names>,
    ) -> Option<Checked> {
        if let Some(source) = &written.terms.source {
            self.troubles
                .add(source.span(), "the signal has its source: leave `source` to gates with a `query`");
        }
        let mut every = Duration::ZERO;
        if let Some(names) = names {
            self.signal_name(signal, names);
            every = names.signals.iter().find(|(name, _)| name == signal.get()).map_or(every, |(_, e)| *e);
        }
        let id = SignalId::new(signal.get().as_str());
        let gate = self.compared(written, Condition::Signal(id), every, names)?;
        Some(Checked { gate, signal: None })
    }

    fn query_gate(
        &mut self,
        written: &Written<'_>,
        query: &At<String>,
        names: Option<&Names>,
    ) -> Option<Checked> {
        let Some(wanted) = &written.terms.source else {
            self.troubles.missing(
                written.place.clone(),
                "source",
                "a gate with a `query` says which source answers",
            );
            return None;
        };
        let source = names.and_then(|names| self.asked_source(wanted, names));
        self.query(query, source);
        let every = source.map_or(Duration::ZERO, |s| s.every);
        let id = own_signal(written.id, wanted.get(), query.get().trim());
        let gate = self.compared(written, Condition::Signal(id.clone()), every, names)?;
        let signal = source.map(|source| SignalDef {
            id,
            board: Board::Hidden,
            title: written.title.to_owned(),
            source: SourceId::new(source.name.as_str()),
            query: query.get().trim().to_owned(),
            unit: Unit::None,
            warn: None,
            bad: None,
            max_age: gate.max_age.unwrap_or(source.every * INTERVALS),
            empty: None,
            infinite: None,
            nan: None,
        });
        Some(Checked { gate, signal })
    }

    /// A gate on a signal's values.
    fn compared(
        &mut self,
        written: &Written<'_>,
        condition: Condition,
        every: Duration,
        names: Option<&Names>,
    ) -> Option<GateDef> {
        let terms = written.terms;
        let of_signals = [
            "source",
            "where",
            "op",
            "value",
            "clear",
            "expect-series",
            "min-volume",
            "idle",
            "allow-infinite",
        ];
        self.only_keys(terms, &of_signals, |key| {
            format!("`{key}` is asked of a flag; a signal has `op` and `value`")
        });
        if let (Some(volume), Some(names)) = (&terms.min_volume, names) {
            self.signal_name(&volume.get().signal, names);
        }
        for (key, missing) in [("op", terms.op.is_none()), ("value", terms.value.is_none())] {
            if missing {
                let message = "a gate compares: give `op` and `value`, as in op = \"<\", value = 500";
                self.troubles.missing(written.place.clone(), key, message);
            }
        }
        let op = Op::parse(terms.op.as_ref()?.get())?;
        let value = self.finite(terms.value.as_ref()?);
        let matching = terms.matching.iter().flat_map(At::get);
        let min_volume = terms.min_volume.as_ref().map(|v| {
            let signal = SignalId::new(v.get().signal.get().as_str());
            (signal, self.finite(&v.get().value))
        });
        if let (None, Some(idle)) = (&min_volume, &terms.idle) {
            self.troubles
                .add(idle.span(), "`idle` says what too little traffic means, and needs `min-volume`");
        }
        Some(GateDef {
            id: GateId::new(written.id),
            title: written.title.to_owned(),
            condition,
            matching: matching.map(|(name, value)| (name.clone(), value.get().clone())).collect(),
            op,
            value,
            clear: self.clear(op, value, terms.clear.as_ref()),
            hold: self.span_or(terms.hold.as_ref(), Duration::ZERO, Duration::ZERO),
            max_age: self.max_age(terms.max_age.as_ref(), every),
            expect_series: terms.expect_series.as_ref().map(|n| *n.get() as usize),
            min_volume,
            idle: match terms.idle.as_ref().map(At::get) {
                Some(IdleWord::Pass) => Idle::Pass,
                Some(IdleWord::Unknown) | None => Idle::Unknown,
            },
            allow_infinite: terms.allow_infinite.as_ref().is_some_and(|a| *a.get()),
            watch: watched(terms),
        })
    }

    /// `clear` must be harder to meet than `value`, or it would let a failed gate pass too early.
    pub(super) fn clear(&mut self, op: Op, value: f64, clear: Option<&At<f64>>) -> Option<f64> {
        let at = clear?;
        let number = self.finite(at);
        let passing = match op {
            Op::Less | Op::LessOrEqual => number <= value,
            Op::Greater | Op::GreaterOrEqual => number >= value,
            Op::Equal | Op::NotEqual => {
                let message = format!(
                    "`clear` has no meaning with {}: there is no side to come back from",
                    op.as_str()
                );
                self.troubles.add(at.span(), message);
                return None;
            }
        };
        if !passing && number.is_finite() && value.is_finite() {
            let side = if matches!(op, Op::Less | Op::LessOrEqual) { "at most" } else { "at least" };
            let message = format!(
                "`clear` is on the failing side: with {} {value} it must be {side} {value}, found {number}",
                op.as_str()
            );
            self.troubles.add(at.span(), message);
        }
        Some(number)
    }
}
