//! `[[signal]]` and `[[flag]]`.

use super::super::file::At;
use super::super::file::config::{FlagTable, SignalTable, SourceWord};
use super::{Check, Names, SourceName, known_name};
use crate::model::gate::{Op, Threshold};
use crate::model::{Board, FlagDef, SignalDef, SignalId, SourceId, Unit};

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
        if matches!(source.kind, SourceWord::Identity | SourceWord::Alertmanager) {
            self.troubles.add(
                wanted.span(),
                format!(
                    "{} is an {} source: only scrape and prometheus sources answer expressions",
                    source.name,
                    source.kind.as_str()
                ),
            );
            return None;
        }
        Some(source)
    }

    /// A signal with its defaults.
    pub(super) fn signal(&mut self, table: &SignalTable, names: &Names) -> SignalDef {
        let source = self.asked_source(&table.source, names);
        let every = source.map_or(super::source::EVERY, |s| s.every);
        self.query(&table.query, source.map(|s| s.kind));
        let (warn, bad) = (self.threshold(table.warn.as_ref()), self.threshold(table.bad.as_ref()));
        if let (Some(warn), Some(bad), Some(at)) = (warn, bad, &table.bad)
            && hides(bad, warn)
        {
            self.troubles.add(at.span(), "is crossed before `warn` is, so that no warning would ever show");
        }
        let board = Board::NAMED.into_iter().find(|b| b.as_str() == table.board.get());
        let unit = table.unit.as_ref().and_then(|u| Unit::ALL.into_iter().find(|w| w.as_str() == u.get()));
        SignalDef {
            id: SignalId::new(table.id.get().as_str()),
            board: board.unwrap_or(Board::Hidden),
            title: self.some_words(table.title.as_ref()).unwrap_or_else(|| table.id.get().clone()),
            source: SourceId::new(table.source.get().as_str()),
            query: table.query.get().trim().to_owned(),
            unit: unit.unwrap_or_default(),
            warn,
            bad,
            max_age: self.max_age(table.max_age.as_ref(), every).unwrap_or(every * INTERVALS),
            empty: self.some_words(table.empty.as_ref()),
            infinite: self.some_words(table.infinite.as_ref()),
            nan: self.some_words(table.nan.as_ref()),
        }
    }

    fn threshold(&mut self, text: Option<&At<String>>) -> Option<Threshold> {
        let text = text?;
        Threshold::parse(text.get()).map_err(|message| self.troubles.add(text.span(), message)).ok()
    }

    /// A flag that matters.
    pub(super) fn flag(&mut self, table: &FlagTable, names: &Names) -> FlagDef {
        let known = names.sources.iter().map(|s| s.name.as_str());
        let wanted = &table.source;
        known_name(&mut self.troubles, wanted.span(), "source", wanted.get(), &names.config, known);
        let source = names.sources.iter().find(|s| s.name == *wanted.get());
        if let Some(source) = source.filter(|s| s.kind != SourceWord::Identity) {
            let kind = source.kind.as_str();
            self.troubles.add(
                wanted.span(),
                format!(
                    "{} is a {kind} source: only an identity source tells the state of flags",
                    source.name
                ),
            );
        }
        if let Some(observed) = &table.observed {
            self.signal_name(observed, names);
        }
        FlagDef {
            key: self.words(&table.key),
            source: SourceId::new(wanted.get().as_str()),
            observed: table.observed.as_ref().map(|s| SignalId::new(s.get().as_str())),
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
