//! Gates on alerts: which source vouches that an alert does not fire.

use std::time::Duration;

use super::super::file::At;
use super::super::file::config::SourceWord;
use super::gate::{Checked, Written};
use super::{Check, Names, SourceName, known_name};
use crate::model::gate::{AlertCondition, Idle};
use crate::model::{Condition, GateDef, GateId, Op, SourceId};

impl Check<'_> {
    /// A gate that passes while no alert of this name fires. Rules are their server's to know: a name
    /// that no rule has is told by the verdict, not here.
    pub(super) fn alert_gate(
        &mut self,
        written: &Written<'_>,
        alert: &At<String>,
        names: Option<&Names>,
    ) -> Option<Checked> {
        let terms = written.terms;
        self.only_keys(terms, &["source", "where"], |key| {
            format!("`{key}` has no meaning for an alert, which fires or does not: it has `where`, `source`, `hold`, `max-age`")
        });
        if let Some(name) = terms.matching.as_ref().and_then(|m| m.get().get("alertname")) {
            self.troubles.add(name.span(), "the alert's name is what `alert` says");
        }
        let name = self.words(alert);
        let source = match names {
            Some(names) => Some(self.vouching(written, names)?),
            None => None,
        };
        let matching = terms.matching.iter().flat_map(At::get);
        let gate = GateDef {
            id: GateId::new(written.id),
            title: written.title.to_owned(),
            condition: Condition::Alert(Box::new(AlertCondition {
                name,
                source: terms.source.as_ref().map(|s| SourceId::new(s.get().as_str())),
            })),
            matching: matching.map(|(name, value)| (name.clone(), value.get().clone())).collect(),
            op: Op::Equal,
            value: 0.0,
            clear: None,
            hold: self.span_or(terms.hold.as_ref(), Duration::ZERO, Duration::ZERO),
            max_age: self.max_age(terms.max_age.as_ref(), source.map_or(Duration::ZERO, |s| s.every)),
            expect_series: None,
            min_volume: None,
            idle: Idle::Unknown,
            allow_infinite: false,
            watch: super::gate::watched(terms),
        };
        Some(Checked { gate, signal: None })
    }

    /// The source whose word counts: the one that is named, else the one that evaluates rules, else
    /// the one Alertmanager.
    fn vouching<'n>(&mut self, written: &Written<'_>, names: &'n Names) -> Option<&'n SourceName> {
        const NEEDED: &str = "a `prometheus` source with alerts = true, or one of kind \"alertmanager\"";
        if let Some(wanted) = &written.terms.source {
            let known = names.sources.iter().map(|s| s.name.as_str());
            known_name(&mut self.troubles, wanted.span(), "source", wanted.get(), &names.config, known);
            let source = names.sources.iter().find(|s| s.name == *wanted.get())?;
            if !source.alerts {
                self.troubles.add(wanted.span(), format!("{} tells no alerts: name {NEEDED}", source.name));
                return None;
            }
            return Some(source);
        }
        let of = |kind: SourceWord| -> Vec<&'n SourceName> {
            names.sources.iter().filter(|s| s.alerts && s.kind == kind).collect()
        };
        let several = |all: &[&SourceName]| {
            let all: Vec<&str> = all.iter().map(|s| s.name.as_str()).collect();
            format!("several sources tell alerts ({}): say with `source` which one counts", all.join(", "))
        };
        let message = match (of(SourceWord::Prometheus).as_slice(), of(SourceWord::Alertmanager).as_slice()) {
            ([only], _) | ([], [only]) => return Some(only),
            ([], []) => format!("{} has no source that tells alerts: add {NEEDED}", names.config),
            ([], all) | (all, _) => several(all),
        };
        self.troubles.missing(written.place.clone(), "alert", message);
        None
    }
}
