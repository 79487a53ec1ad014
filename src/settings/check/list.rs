//! What a checklist has beside its items: parameters, holds, milestones, triggers.

use std::time::Duration;

use super::super::file::At;
use super::super::file::checklist::{ChecklistFile, ExitWord};
use super::super::file::gate::ActionWord;
use super::Check;
use super::gate::Written;
use super::template::Around;
use super::values::Seen;
use crate::checklist::params;
use crate::checklist::template::{Exit, HoldDef, Milestone, Param};
use crate::model::{Condition, Mark, SignalDef, Time, TriggerDef, trigger};

/// How long people have to answer a trigger where its template says nothing.
const ANSWER_WITHIN: Duration = Duration::from_mins(2);

impl Check<'_> {
    /// In the order of the file.
    pub(super) fn params(&mut self, file: &ChecklistFile) -> Vec<Param> {
        let mut written: Vec<_> = file.params.iter().collect();
        written.sort_by_key(|(_, at)| at.span().start);
        let mut params = Vec::new();
        for (name, at) in written {
            let fits = |c: char| c.is_ascii_alphanumeric() || c == '_';
            if name.is_empty() || !name.chars().all(fits) || name.starts_with(|c: char| c.is_ascii_digit()) {
                let message = "a parameter's name is letters, digits and \"_\", as in {{name}}";
                self.troubles.add(at.span(), message);
            }
            let table = at.get();
            let pattern = table.pattern.as_ref();
            let regex = pattern.map(|pattern| {
                let regex = params::whole(pattern.get());
                if regex.is_none() {
                    self.troubles.add(pattern.span(), "is no regular expression");
                }
                regex
            });
            if let (Some(default), Some(Some(regex))) = (&table.default, regex)
                && !regex.is_match(default.get())
            {
                self.troubles.add(default.span(), "the default does not match `pattern`");
            }
            params.push(Param {
                name: name.clone(),
                title: self.some_words(table.title.as_ref()),
                default: table.default.as_ref().map(|d| d.get().clone()),
                pattern: pattern.map(|p| p.get().clone()),
            });
        }
        params
    }

    /// The earliest mark first.
    pub(super) fn holds(&mut self, file: &ChecklistFile) -> Vec<HoldDef> {
        let mut seen = Seen::default();
        let mut holds: Vec<HoldDef> = Vec::new();
        for at in &file.hold {
            let table = at.get();
            self.unique_id(&table.id, "the hold", &mut seen);
            let mark = match Mark::parse(table.at.get()) {
                Ok(mark) if !mark.is_before() => {
                    let message = "a built-in hold lies before T-0; after it, hold by hand or by a trigger";
                    self.troubles.add(table.at.span(), message);
                    Mark::ZERO
                }
                Ok(mark) => mark,
                Err(why) => {
                    self.troubles.add(table.at.span(), why);
                    Mark::ZERO
                }
            };
            if holds.iter().any(|other| other.at == mark && mark != Mark::ZERO) {
                self.troubles.add(table.at.span(), "another hold has this mark");
            }
            let stations = self.roles(table.poll.as_ref());
            let exit = match table.exit.get() {
                ExitWord::Poll => Exit::Poll,
                ExitWord::Gates => Exit::Gates,
                ExitWord::Time => Exit::Time,
            };
            match (exit, &table.poll) {
                (Exit::Poll, None) => {
                    let message =
                        "a hold with exit = \"poll\" says who is asked: poll = [\"captain\", \"sre\"]";
                    self.troubles.missing(at.span(), "poll", message);
                }
                (Exit::Poll, Some(poll)) if stations.is_empty() => {
                    self.troubles.add(poll.span(), "a poll asks at least one station");
                }
                (Exit::Gates | Exit::Time, Some(poll)) => {
                    self.troubles.add(poll.span(), "only a hold with exit = \"poll\" has `poll`");
                }
                _ => {}
            }
            if exit == Exit::Time && table.max.is_none() {
                let message = "a hold with exit = \"time\" says how long it lasts: max = \"10m\"";
                self.troubles.missing(at.span(), "max", message);
            }
            holds.push(HoldDef {
                id: table.id.get().clone(),
                title: self.some_words(table.title.as_ref()),
                at: mark,
                max: table
                    .max
                    .as_ref()
                    .map(|max| self.span_or(Some(max), Duration::from_secs(1), Duration::from_secs(1))),
                exit,
                stations,
            });
        }
        holds.sort_by_key(|hold| hold.at);
        holds
    }

    /// The earliest first.
    pub(super) fn milestones(&mut self, file: &ChecklistFile) -> Vec<Milestone> {
        let mut seen = Seen::default();
        let mut milestones = Vec::new();
        for at in &file.milestone {
            let table = at.get();
            self.unique_id(&table.id, "the milestone", &mut seen);
            let (from, date) = match &table.until {
                Some(until) => (self.day_or_time(&table.date, false), self.day_or_time(until, true)),
                None => (None, self.day_or_time(&table.date, true)),
            };
            if let (Some(at), Some(from), Some(date)) = (&table.until, from, date)
                && from > date
            {
                self.troubles.add(at.span(), "it ends before it begins");
            }
            let (id, title) = (table.id.get().clone(), self.words(&table.title));
            milestones.push(Milestone { id, title, date: date.unwrap_or_default(), from });
        }
        milestones.sort_by_key(|milestone| milestone.date);
        milestones
    }

    /// A trigger's gate asks for the opposite of what the trigger names, so that it fails when that holds.
    pub(super) fn triggers(&mut self, around: &Around<'_>, signals: &mut Vec<SignalDef>) -> Vec<TriggerDef> {
        let mut seen = Seen::default();
        let mut triggers = Vec::new();
        for at in &around.file.trigger {
            let table = at.get();
            self.unique_id(&table.id, "the trigger", &mut seen);
            let title = self.some_words(table.title.as_ref()).unwrap_or_else(|| table.id.get().clone());
            let id = around.gate_id(table.id.get());
            let (id, terms) = (TriggerDef::gate_id(&id), table.terms());
            let written = Written { id: &id, title: &title, terms: &terms, place: at.span() };
            let lasting = self.span_or(table.lasting.as_ref(), Duration::ZERO, Duration::ZERO);
            let least = Duration::from_secs(10);
            let answer_within = self.span_or(table.answer_within.as_ref(), least, ANSWER_WITHIN);
            let Some(checked) = self.gate(&written, around.names) else { continue };
            let mut gate = checked.gate;
            if matches!(gate.condition, Condition::Signal(_)) {
                gate.op = gate.op.opposite();
            }
            signals.extend(checked.signal);
            triggers.push(TriggerDef {
                id: table.id.get().clone(),
                gate,
                lasting,
                action: match table.action.get() {
                    ActionWord::ProposeRollback => trigger::Action::ProposeRollback,
                    ActionWord::Hold => trigger::Action::Hold,
                },
                answer_within,
            });
        }
        triggers
    }

    /// A moment, or a day in UTC: its end where something is due, else its beginning.
    pub(super) fn day_or_time(&mut self, at: &At<toml::Value>, end: bool) -> Option<Time> {
        let text = match at.get() {
            toml::Value::Datetime(time) => time.to_string(),
            toml::Value::String(text) => text.trim().to_owned(),
            _ => String::new(),
        };
        let is_day = text.len() == 10 && text.bytes().filter(|b| *b == b'-').count() == 2;
        let whole = match (is_day, end) {
            (true, true) => format!("{text}T23:59:59Z"),
            (true, false) => format!("{text}T00:00:00Z"),
            (false, _) => text.clone(),
        };
        // A bare number of seconds, which a time on the command line may be, is no date in a file.
        let time = Time::parse(&whole).ok().filter(|_| text.parse::<f64>().is_err());
        if time.is_none() {
            let message = "is no day and no time with its zone: write 2025-12-02 or 2025-12-02T15:00:00Z";
            self.troubles.add(at.span(), message);
        }
        time
    }
}
