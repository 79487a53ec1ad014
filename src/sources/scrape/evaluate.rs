//! One signal of a scrape source: its expression, evaluated over the history.

use std::collections::HashMap;

use crate::model::{Fault, FaultCode, Labels, Point, SignalAnswer, SignalId, Time};
use crate::promql::{EvalError, Expr, History, Standing, Value};
use crate::sources::freshness::{self, Oldest};

/// In how many steps the past is searched for the last sample of dead series.
const STEPS: u32 = 60;

/// A signal with the expressions that tell the age of its samples, which depend on the labels of its
/// last answer.
pub struct Signal {
    id: SignalId,
    expr: Standing,
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
    pub fn new(id: SignalId, expr: Expr) -> Self {
        Self {
            id,
            expr: Standing::new(expr),
            names: Vec::new(),
            ages: Vec::new(),
            made: false,
            known: HashMap::new(),
        }
    }

    /// Evaluates at `now`, the moment of the scrape.
    pub fn answer(&mut self, history: &History, now: Time, warnings: &[String]) -> SignalAnswer {
        SignalAnswer {
            signal: self.id.clone(),
            result: self.points(history, now),
            warnings: warnings.to_vec(),
            history: Vec::new(),
        }
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
