//! The signals of a scrape source: their expressions, evaluated over the history.

use std::collections::HashMap;
use std::time::Duration;

use crate::model::duration::short;
use crate::model::{Fault, FaultCode, Labels, Point, SignalAnswer, SignalDef, SignalId, Time};
use crate::promql::{EvalError, Expr, History, Standing, Value};
use crate::sources::freshness;

use super::ages::Ages;

/// The most series that a signal may have; a chart and a gate take less.
const MOST_POINTS: usize = 1_000;

/// In how many steps the past is searched for the last sample of dead series.
const STEPS: u32 = 60;

/// The signals of a source.
pub struct Signals {
    all: Vec<Signal>,
    ages: Ages,
}

impl Signals {
    /// Signals with their parsed expressions, not evaluated yet.
    pub fn new<'d>(signals: impl IntoIterator<Item = (&'d SignalDef, Expr)>) -> Self {
        let all = signals.into_iter().map(|(def, expr)| Signal::new(def, expr)).collect();
        Self { all, ages: Ages::default() }
    }

    /// Evaluates them at `now`, the moment of the scrape that the history ends with: one after the
    /// other, by [`Round::next_answer`].
    pub fn round<'s>(&'s mut self, history: &'s History, now: Time) -> Round<'s> {
        self.ages.next_poll();
        Round { left: self.all.iter_mut(), ages: &mut self.ages, history, now }
    }
}

/// One evaluation of all signals.
pub struct Round<'s> {
    left: std::slice::IterMut<'s, Signal>,
    ages: &'s mut Ages,
    history: &'s History,
    now: Time,
}

impl Round<'_> {
    /// What the next signal says; `None` after the last. The endpoint's clock compared with this
    /// one's, `offset` in seconds, counts only where the signal compares them with `time()`.
    pub fn next_answer(&mut self, warnings: &[String], offset: Option<f64>) -> Option<SignalAnswer> {
        let signal = self.left.next()?;
        Some(signal.answer((self.history, self.ages), self.now, warnings, offset))
    }
}

/// A signal with the expressions that tell the age of its samples, which depend on the labels of its
/// last answer.
pub(super) struct Signal {
    id: SignalId,
    expr: Standing,
    max_age: Duration,
    /// Whether it compares the endpoint's clock with this one.
    mixes_clocks: bool,
    names: Vec<String>,
    /// The places of the age expressions among those of the source.
    ages: Vec<usize>,
    /// The [`Ages::made`] for which they were made for `names`.
    made: Option<u64>,
    /// When the oldest sample behind each row of the last answer was taken; `None`: no sample stands
    /// behind it. A row whose series have died keeps it, so that the past is searched only once.
    known: HashMap<Labels, Option<Time>>,
}

impl Signal {
    /// A signal that was not evaluated yet.
    fn new(def: &SignalDef, expr: Expr) -> Self {
        Self {
            id: def.id.clone(),
            expr: Standing::new(expr),
            max_age: def.max_age,
            mixes_clocks: def.query.contains("time()"),
            names: Vec::new(),
            ages: Vec::new(),
            made: None,
            known: HashMap::new(),
        }
    }

    /// Evaluates at `now`, the moment of the scrape.
    /// Its clock compared with this one's, `offset` in seconds, counts only where `time()` does.
    fn answer(
        &mut self,
        (history, ages): (&History, &mut Ages),
        now: Time,
        warnings: &[String],
        offset: Option<f64>,
    ) -> SignalAnswer {
        let mut warnings = warnings.to_vec();
        let offset = offset.filter(|_| self.mixes_clocks).unwrap_or_default();
        // A whole second is what `Date` leaves open.
        if offset.abs() > 1.0 + self.max_age.as_secs_f64() / 2.0 {
            let by = short(Duration::try_from_secs_f64(offset.abs()).unwrap_or(Duration::MAX));
            let side = if offset > 0.0 { "ahead of" } else { "behind" };
            let warning = format!("its clock is {by} {side} this one, which time() compares it with");
            if !warnings.contains(&warning) {
                warnings.push(warning);
            }
        }
        let result = self.points(history, ages, now);
        SignalAnswer { signal: self.id.clone(), result, warnings, history: Vec::new() }
    }

    fn points(&mut self, history: &History, ages: &mut Ages, now: Time) -> Result<Vec<Point>, Fault> {
        let rows = match self.expr.instant(history, now).map_err(|e| fault(&e))? {
            Value::Scalar(value) => vec![(Labels::none(), value)],
            Value::Vector(rows) => rows,
            Value::String(_) => return Err(Fault::new(FaultCode::Query, "a string is no number")),
            Value::Matrix(_) => {
                return Err(Fault::new(FaultCode::Query, "a range of samples is no single value"));
            }
        };
        if rows.len() > MOST_POINTS {
            self.known = HashMap::new();
            let text = format!("{} series, and a signal may have {MOST_POINTS}: aggregate them", rows.len());
            return Err(Fault::new(FaultCode::TooLarge, text));
        }
        self.prepare(&rows, ages);
        ages.ask(&self.ages, history, now);
        let before = std::mem::take(&mut self.known);
        let mut points = Vec::with_capacity(rows.len());
        for (labels, value) in rows {
            let sampled = ages
                .of_row(&self.ages, &labels)
                .map(Some)
                .or_else(|| before.get(&labels).copied())
                .unwrap_or_else(|| self.of_the_dead(&labels, history, ages, now));
            self.known.insert(labels.clone(), sampled);
            points.push(Point { labels, value, sampled: sampled.unwrap_or(now).min(now) });
        }
        Ok(points)
    }

    /// When the last sample was taken of series that have died but still weigh in the expression's
    /// windows. `None`: no sample at all stands behind the row, as for `vector(0)` and `absent(…)`.
    fn of_the_dead(&self, row: &Labels, history: &History, ages: &mut Ages, at: Time) -> Option<Time> {
        let window = self.expr.expr().window();
        let step = window / STEPS;
        if step.is_zero() {
            return None;
        }
        let begins = history.begins()?;
        (1..=STEPS)
            .map(|n| at.before(step * n))
            .take_while(|then| *then >= begins)
            .find_map(|then| ages.of_row_at(&self.ages, row, history, then))
            .filter(|sampled| *sampled > at.before(window))
    }

    fn prepare(&mut self, rows: &[(Labels, f64)], ages: &mut Ages) {
        let names = freshness::label_names(rows.iter().map(|(labels, _)| labels));
        if self.made == Some(ages.made) && names == self.names {
            return;
        }
        let texts = freshness::expressions(self.expr.expr(), &names);
        self.ages = texts.iter().filter_map(|text| ages.place(text)).collect();
        (self.names, self.made) = (names, Some(ages.made));
    }
}

fn fault(error: &EvalError) -> Fault {
    let code = match error {
        EvalError::TooLittleHistory { .. } => FaultCode::TooLittleHistory,
        EvalError::Failed(_) => FaultCode::Query,
    };
    Fault::new(code, error.to_string())
}
