//! `[[signal]]` and `[[flag]]`.

use super::super::file::At;
use super::super::file::config::{SignalTable, SourceWord, TenantsTable};
use super::super::nearest::nearest;
use super::query::answered;
use super::{Check, Names, SourceName, known_name};
use crate::model::gate::{Op, Threshold};
use crate::model::launch::TenantsDef;
use crate::model::{Board, SignalDef, SignalId, SourceId, Unit};

/// A source's samples count for so many intervals.
pub(super) const INTERVALS: u32 = 3;

impl Check<'_> {
    /// A source that can be asked expressions.
    pub(super) fn asked_source<'n>(
        &mut self,
        wanted: &At<String>,
        names: &'n Names,
    ) -> Option<&'n SourceName> {
        let known = names.sources.iter().map(|s| s.name.as_str());
        known_name(&mut self.troubles, wanted.span(), "source", wanted.get(), &names.config, known);
        let source = names.sources.iter().find(|s| s.name == *wanted.get())?;
        if !matches!(source.kind, SourceWord::Scrape | SourceWord::Prometheus) {
            self.troubles.add(
                wanted.span(),
                format!(
                    "{} is {} {} source: only scrape and prometheus sources answer expressions",
                    source.name,
                    if source.kind.as_str().starts_with(['a', 'i', 'o', 'u']) { "an" } else { "a" },
                    source.kind.as_str()
                ),
            );
            return None;
        }
        Some(source)
    }

    /// A signal with its defaults; what it leaves out is as in the preset's signal of the same id.
    pub(super) fn signal(
        &mut self,
        at: &At<SignalTable>,
        names: &Names,
        preset: Option<&SignalDef>,
    ) -> SignalDef {
        let (source, name) = match (&at.get().source, preset) {
            (Some(wanted), _) => (self.asked_source(wanted, names), wanted.get().as_str()),
            (None, Some(preset)) => {
                let name = preset.source.as_str();
                (names.sources.iter().find(|s| s.name == name), name)
            }
            (None, None) => {
                let id = at.get().id.get();
                let others = names.signals.iter().map(|(name, _)| name.as_str()).filter(|name| name != id);
                let near = nearest(id, others).map(|n| format!(" (or is it the preset's `{n}`?)"));
                let message =
                    format!("this key is missing: the name of a source{}", near.unwrap_or_default());
                self.troubles.missing(at.span(), "source", message);
                (None, "")
            }
        };
        self.signal_on(at, source, name, preset)
    }

    /// As [`Self::signal`], on a source; `name` is also that of one that does not exist.
    pub(super) fn signal_on(
        &mut self,
        at: &At<SignalTable>,
        source: Option<&SourceName>,
        name: &str,
        preset: Option<&SignalDef>,
    ) -> SignalDef {
        let table = at.get();
        let every = source.map_or(super::source::EVERY, |s| s.every);
        let same_source = preset.filter(|p| p.source.as_str() == name);
        let board =
            table.board.as_ref().and_then(|b| Board::WRITTEN.into_iter().find(|w| w.as_str() == b.get()));
        let unit = table.unit.as_ref().and_then(|u| Unit::ALL.into_iter().find(|w| w.as_str() == u.get()));
        if preset.is_none() {
            let boards = Board::WRITTEN.map(Board::as_str).join(", ");
            for (key, missing, what) in [
                ("board", table.board.is_none(), format!("one of {boards}")),
                ("query", table.query.is_none(), "PromQL in quotes".to_owned()),
            ] {
                if missing {
                    self.troubles.missing(at.span(), key, format!("this key is missing: {what}"));
                }
            }
        }
        let (warn, bad) = self.thresholds(table, preset);
        let title = self.some_words(table.title.as_ref()).or(preset.map(|p| p.title.clone()));
        SignalDef {
            id: SignalId::new(table.id.get().as_str()),
            board: board.or(preset.map(|p| p.board)).unwrap_or(Board::Hidden),
            title: title.unwrap_or_else(|| table.id.get().clone()),
            source: SourceId::new(name),
            query: self.query_or(table, source, preset),
            unit: unit.or(preset.map(|p| p.unit)).unwrap_or_default(),
            warn,
            bad,
            max_age: self
                .max_age(table.max_age.as_ref(), every)
                .or(same_source.map(|p| p.max_age))
                .unwrap_or(every * INTERVALS),
            empty: self.some_words(table.empty.as_ref()).or(preset.and_then(|p| p.empty.clone())),
            infinite: self.some_words(table.infinite.as_ref()).or(preset.and_then(|p| p.infinite.clone())),
            nan: self.some_words(table.nan.as_ref()).or(preset.and_then(|p| p.nan.clone())),
        }
    }

    /// The expression, its own or the preset's, which another source may not be able to answer.
    fn query_or(
        &mut self,
        table: &SignalTable,
        source: Option<&SourceName>,
        preset: Option<&SignalDef>,
    ) -> String {
        if let Some(query) = &table.query {
            self.query(query, source);
            return query.get().trim().to_owned();
        }
        let query = preset.map(|p| p.query.clone()).unwrap_or_default();
        if let Some(at) = &table.source
            && let Err(error) = answered(&query, source)
        {
            self.troubles.add(at.span(), format!("cannot answer the preset's expression: {}", error.text));
        }
        query
    }

    fn thresholds(
        &mut self,
        table: &SignalTable,
        preset: Option<&SignalDef>,
    ) -> (Option<Threshold>, Option<Threshold>) {
        let warn = self.threshold(table.warn.as_ref()).or(preset.and_then(|p| p.warn));
        let bad = self.threshold(table.bad.as_ref()).or(preset.and_then(|p| p.bad));
        if let (Some(warn), Some(bad)) = (warn, bad)
            && hides(bad, warn)
        {
            if let Some(at) = &table.bad {
                self.troubles
                    .add(at.span(), "is crossed before `warn` is, so that no warning would ever show");
            } else if let Some(at) = &table.warn {
                let op = bad.op.as_str();
                let message =
                    format!("is crossed after the preset's `bad` ({op} {}): set `bad` too", bad.value);
                self.troubles.add(at.span(), message);
            }
        }
        (warn, bad)
    }

    fn threshold(&mut self, text: Option<&At<String>>) -> Option<Threshold> {
        let text = text?;
        Threshold::parse(text.get()).map_err(|message| self.troubles.add(text.span(), message)).ok()
    }

    /// How entitlements are compared with traffic.
    pub(super) fn tenants(&mut self, at: &At<TenantsTable>, names: &Names) -> TenantsDef {
        let table = at.get();
        if !names.sources.iter().any(|s| s.kind == SourceWord::Identity) {
            let message = "compares with entitlements, which no source tells: add one of kind \"identity\"";
            self.troubles.add(at.span(), message);
        }
        for signal in [Some(&table.traffic), table.refused.as_ref()].into_iter().flatten() {
            self.signal_name(signal, names);
        }
        let id = |signal: &At<String>| SignalId::new(signal.get().as_str());
        TenantsDef {
            entitlement: self.words(&table.entitlement),
            traffic: id(&table.traffic),
            refused: table.refused.as_ref().map(id),
        }
    }

    /// The name of a signal that exists.
    pub(super) fn signal_name(&mut self, wanted: &At<String>, names: &Names) {
        let known = names.signals.iter().map(|(name, _)| name.as_str());
        known_name(&mut self.troubles, wanted.span(), "signal", wanted.get(), &names.config, known);
    }
}

/// Whether everything that crosses `warn` crosses `bad` too, and more.
fn hides(bad: Threshold, warn: Threshold) -> bool {
    let upwards = |t: Threshold| matches!(t.op, Op::Greater | Op::GreaterOrEqual);
    let downwards = |t: Threshold| matches!(t.op, Op::Less | Op::LessOrEqual);
    (upwards(bad) && upwards(warn) && bad.value < warn.value)
        || (downwards(bad) && downwards(warn) && bad.value > warn.value)
}
