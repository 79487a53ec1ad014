//! One signal of a scrape source: its expression, evaluated over the history.

use std::collections::HashMap;
use std::time::Duration;

use crate::model::duration::short;
use crate::model::{Fault, FaultCode, Labels, Point, SignalAnswer, SignalDef, SignalId, Time};
use crate::promql::{EvalError, Expr, History, Standing, Value};
use crate::sources::freshness::{self, Oldest};

/// The most series that a signal may have; a chart and a gate take less.
const MOST_POINTS: usize = 1_000;

/// In how many steps the past is searched for the last sample of dead series.
const STEPS: u32 = 60;

/// A signal with the expressions that tell the age of its samples, which depend on the labels of its
/// last answer.
pub struct Signal {
    id: SignalId,
    expr: Standing,
    max_age: Duration,
    /// Whether it compares the endpoint's clock with this one.
    mixes_clocks: bool,
    names: Vec<String>,
    ages: Vec<Standing>,
    /// Whether the age expressions were made for `names`.
    made: bool,
    /// When the oldest sample behind each row of the last answer was taken; `None`: no sample stands
    /// behind it. A row whose series have died keeps it, so that the past is searched only once.
    known: HashMap<Labels, Option<Time>>,
}

impl Signal {
    /// A signal that was not evaluated yet.
    pub fn new(def: &SignalDef, expr: Expr) -> Self {
        Self {
            id: def.id.clone(),
            expr: Standing::new(expr),
            max_age: def.max_age,
            mixes_clocks: def.query.contains("time()"),
            names: Vec::new(),
            ages: Vec::new(),
            made: false,
            known: HashMap::new(),
        }
    }

    /// Evaluates at `now`, the moment of the scrape.
    /// Its clock compared with this one's, `offset` in seconds, counts only where `time()` does.
    pub fn answer(
        &mut self,
        history: &History,
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
        let result = self.points(history, now);
        SignalAnswer { signal: self.id.clone(), result, warnings, history: Vec::new() }
    }

    fn points(&mut self, history: &History, now: Time) -> Result<Vec<Point>, Fault> {
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
        self.prepare(&rows);
        let living = ages(&mut self.ages, history, now);
        let before = std::mem::take(&mut self.known);
        let mut points = Vec::with_capacity(rows.len());
        for (labels, value) in rows {
            let sampled = freshness::of_row(&labels, &living)
                .map(Some)
                .or_else(|| before.get(&labels).copied())
                .unwrap_or_else(|| self.of_the_dead(&labels, history, now));
            self.known.insert(labels.clone(), sampled);
            points.push(Point { labels, value, sampled: sampled.unwrap_or(now).min(now) });
        }
        Ok(points)
    }

    /// When the last sample was taken of series that have died but still weigh in the expression's
    /// windows. `None`: no sample at all stands behind the row, as for `vector(0)` and `absent(…)`.
    fn of_the_dead(&mut self, row: &Labels, history: &History, at: Time) -> Option<Time> {
        let window = self.expr.expr().window();
        let step = window / STEPS;
        if step.is_zero() {
            return None;
        }
        let begins = history.begins()?;
        (1..=STEPS)
            .map(|n| at.before(step * n))
            .take_while(|then| *then >= begins)
            .find_map(|then| freshness::of_row(row, &ages(&mut self.ages, history, then)))
            .filter(|sampled| *sampled > at.before(window))
    }

    fn prepare(&mut self, rows: &[(Labels, f64)]) {
        let names = freshness::label_names(rows.iter().map(|(labels, _)| labels));
        if self.made && names == self.names {
            return;
        }
        let texts = freshness::expressions(self.expr.expr(), &names);
        self.ages = texts.iter().filter_map(|text| Expr::parse(text).ok()).map(Standing::new).collect();
        (self.names, self.made) = (names, true);
    }
}

fn ages(exprs: &mut [Standing], history: &History, at: Time) -> Vec<Oldest> {
    exprs
        .iter_mut()
        .map(|expr| match expr.instant(history, at) {
            Ok(Value::Vector(rows)) => rows
                .into_iter()
                .filter_map(|(labels, seconds)| Some((labels, Time::from_seconds(seconds)?)))
                .collect(),
            _ => Oldest::new(),
        })
        .collect()
}

fn fault(error: &EvalError) -> Fault {
    let code = match error {
        EvalError::TooLittleHistory { .. } => FaultCode::TooLittleHistory,
        EvalError::Failed(_) => FaultCode::Query,
    };
    Fault::new(code, error.to_string())
}
