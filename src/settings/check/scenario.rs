//! A whole scenario of a drill.

use std::ops::Range;
use std::path::Path;
use std::time::Duration;

use super::super::document::{Document, Troubles};
use super::super::file::At;
use super::super::file::scenario::{ExpectTable, InjectTable, ScenarioFile};
use super::super::finding::SettingsError;
use super::super::{schema, structure};
use super::Check;
use crate::model::duration;
use crate::model::scenario::{Action, Decision, Expect, FlagRule, Inject, Opening, Scenario, Within};

/// How long the product has been running where nothing is said.
const WARM_UP: Duration = Duration::from_mins(20);
/// The longest a product may run before a drill opens: it is simulated as fast as the machine can.
const LONGEST_WARM_UP: Duration = Duration::from_hours(12);
/// Nobody rehearses for longer.
const LONGEST: Duration = Duration::from_hours(12);

/// Checks a scenario.
///
/// # Errors
/// Everything that is wrong: first the structure, then, where that is right, the meaning.
pub(in crate::settings) fn check(document: &Document<'_>) -> Result<Scenario, SettingsError> {
    let troubles = structure::check(document, schema::scenario_schema());
    if !troubles.is_empty() {
        return Err(document.error(troubles));
    }
    let file: ScenarioFile = document.read()?;
    let mut check = Check { document, base: Path::new(""), troubles: Troubles::default() };
    let scenario = check.scenario(&file);
    if check.troubles.is_empty() { Ok(scenario) } else { Err(document.error(check.troubles)) }
}

impl Check<'_> {
    fn scenario(&mut self, file: &ScenarioFile) -> Scenario {
        self.id_text(file.id.get(), file.id.span());
        let second = Duration::from_secs(1);
        let length = self.span_or(Some(&file.length), second, second);
        self.at_most(length, LONGEST, &file.length);
        let start = file.start.get();
        let warm_up = self.span_or(start.warm_up.as_ref(), Duration::ZERO, WARM_UP);
        if let Some(written) = &start.warm_up {
            self.at_most(warm_up, LONGEST_WARM_UP, written);
        }
        if file.inject.is_empty() {
            self.troubles.missing_in_file("inject", "a scenario has one [[inject]] at least");
        }
        let mut injects: Vec<Inject> = file.inject.iter().filter_map(|at| self.inject(at, length)).collect();
        injects.sort_by_key(|inject| inject.at);
        Scenario {
            id: file.id.get().clone(),
            title: self.words(&file.title),
            summary: self.words(&file.summary).split_whitespace().collect::<Vec<_>>().join(" "),
            seed: *file.seed.get(),
            start: Opening { percent: *start.percent.get(), warm_up },
            length,
            expect: self.expect(file.expect.get(), length),
            injects,
        }
    }

    fn expect(&mut self, table: &ExpectTable, length: Duration) -> Expect {
        if table.detect.get().is_empty() {
            let message = "says what must show it: the id of a gate, a trigger or a source";
            self.troubles.add(table.detect.span(), message);
        }
        for id in table.detect.get() {
            self.id_text(id.get(), id.span());
        }
        let decide = Decision::parse(table.decide.get()).unwrap_or(Decision::None);
        let within = table.within.as_ref().map(At::get);
        let mut span = |text: Option<&At<String>>| {
            let span = self.span(text?)?;
            self.at_most(span, length, text?);
            Some(span)
        };
        let all = Within {
            detect: span(within.and_then(|w| w.detect.as_ref())),
            decide: span(within.and_then(|w| w.decide.as_ref())),
            rollback: span(within.and_then(|w| w.rollback.as_ref())),
        };
        let asked = |written: Option<&At<String>>, why: &str, check: &mut Self| {
            if let Some(written) = written {
                check.troubles.add(written.span(), why);
            }
        };
        if decide == Decision::None {
            let why = "decide = \"none\": nothing is decided, so there is no time for it";
            asked(within.and_then(|w| w.decide.as_ref()), why, self);
        }
        if decide != Decision::Rollback {
            let why = "only with decide = \"rollback\" is there a rollback to be complete";
            asked(within.and_then(|w| w.rollback.as_ref()), why, self);
        }
        Expect {
            detect: table.detect.get().iter().map(|id| id.get().clone()).collect(),
            decide,
            within: all,
            false_alarms: table.false_alarms.as_ref().map(|most| *most.get()),
        }
    }

    /// `None` where something is wrong with it, which has been said.
    fn inject(&mut self, at: &At<InjectTable>, length: Duration) -> Option<Inject> {
        let table = at.get();
        let begins = self.span(&table.at);
        if let Some(begins) = begins.filter(|begins| *begins >= length) {
            let (begins, length) = (duration::short(begins), duration::short(length));
            let message = format!("begins at {begins}, when the drill of {length} is over");
            self.troubles.add(table.at.span(), message);
        }
        let until = table.until.as_ref().and_then(|until| self.span(until));
        if let (Some(begins), Some(ends), Some(written)) = (begins, until, &table.until)
            && ends <= begins
        {
            self.troubles.add(written.span(), "ends before it begins: both are counted from the opening");
        }
        let flag = match (&table.while_flag, &table.after_flag) {
            (Some(_), Some(after)) => {
                self.troubles.add(after.span(), "`while-flag` or `after-flag`, not both");
                FlagRule::Any
            }
            (Some(least), None) => FlagRule::While(*least.get()),
            (None, Some(least)) => FlagRule::After(*least.get()),
            (None, None) => FlagRule::Any,
        };
        let cured_by = self.actions(table.cured_by.as_ref());
        let text = self.words(&table.text);
        let effect = self.effect(at)?;
        Some(Inject { at: begins?, until, flag, cured_by, effect, text })
    }

    fn actions(&mut self, list: Option<&At<Vec<At<String>>>>) -> Vec<Action> {
        let all = list.map(|list| list.get().as_slice()).unwrap_or_default();
        let mut actions = Vec::with_capacity(all.len());
        for word in all {
            match Action::parse(word.get()) {
                Some(action) => actions.push(action),
                None => self.troubles.add(word.span(), format!("is no action: {}", Action::ALLOWED)),
            }
        }
        actions
    }

    fn at_most(&mut self, span: Duration, most: Duration, written: &At<String>) {
        if span > most {
            self.too_long(span, most, written.span());
        }
    }

    fn too_long(&mut self, span: Duration, most: Duration, place: Range<usize>) {
        let (span, most) = (duration::short(span), duration::short(most));
        self.troubles.add(place, format!("{span} is too long: at most {most}"));
    }
}
