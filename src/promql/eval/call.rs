//! Function calls.

use super::calendar::Civil;
use super::named::Named;
use super::window::Window;
use super::{
    Computed, Evaluator, Sample, aggregate, distinct, foreign, histogram, labels, mapped, math, over_time,
    unnamed, wrong_kind,
};
use crate::model::Labels;
use crate::promql::EvalError;
use crate::promql::functions::Function;
use crate::promql::plan::{Call, Node};

impl<'h> Evaluator<'h> {
    pub(super) fn call(&self, call: &Call, at: i64) -> Result<Computed<'h>, EvalError> {
        let args = call.args.as_slice();
        let scalar = |place: usize| match args.get(place) {
            Some(node) => self.scalar(node, at),
            None => Err(wrong_kind()),
        };
        let vector = |place: usize| match args.get(place) {
            Some(node) => self.vector(node, at),
            None => Err(wrong_kind()),
        };
        let samples = match call.function {
            Function::Time => return Ok(Computed::Scalar(at as f64 / 1000.0)),
            Function::Pi => return Ok(Computed::Scalar(std::f64::consts::PI)),
            Function::Scalar => {
                return Ok(Computed::Scalar(match vector(0)?.as_slice() {
                    [only] => only.value,
                    _ => f64::NAN,
                }));
            }
            Function::Vector => vec![Sample { labels: Labels::none().into(), value: scalar(0)? }],
            Function::Map(f) => mapped(vector(0)?, f)?,
            Function::Over(f) => self.over(args, f, false, at)?,
            Function::Each(f) => self.over(args, |window| Some(f(window)), false, at)?,
            Function::LastOverTime => self.over(args, |window| Some(over_time::last(window)), true, at)?,
            Function::Date(part) => self.date(args, part, at)?,
            Function::Timestamp => self.timestamps(args, at)?,
            Function::Absent => absent(args, vector(0)?.is_empty()),
            Function::AbsentOverTime => {
                let mut empty = true;
                if let Some(node) = args.first() {
                    self.ranges(node, at, |_, _, _| empty = false)?;
                }
                absent(args, empty)
            }
            Function::Clamp => clamped(vector(0)?, scalar(1)?, scalar(2)?)?,
            Function::ClampMax => clamped(vector(0)?, f64::NEG_INFINITY, scalar(1)?)?,
            Function::ClampMin => clamped(vector(0)?, scalar(1)?, f64::INFINITY)?,
            Function::Round => {
                let to = if args.len() > 1 { scalar(1)? } else { 1.0 };
                mapped(vector(0)?, |value| math::round(value, to))?
            }
            Function::HistogramQuantile => {
                let q = scalar(0)?;
                distinct(histogram::quantiles(q, vector(1)?))?
            }
            Function::HistogramFraction => {
                let (lower, upper) = (scalar(0)?, scalar(1)?);
                distinct(histogram::fractions(lower, upper, vector(2)?))?
            }
            Function::Sort => sorted(vector(0)?, false),
            Function::SortDesc => sorted(vector(0)?, true),
            Function::LabelReplace => labels::replace(vector(0)?, &texts(args))?,
            Function::LabelJoin => labels::join(vector(0)?, &texts(args))?,
            Function::Foreign(_) => return Err(foreign()),
        };
        Ok(Computed::Vector(samples))
    }

    /// A function over the range among its arguments; the other one, if any, is a number.
    fn over(
        &self,
        args: &[Node],
        f: impl Fn(&Window<'_>) -> Option<f64>,
        keeps_name: bool,
        at: i64,
    ) -> Result<Vec<Sample<'h>>, EvalError> {
        let is_range = |node: &&Node| matches!(node, Node::Matrix(..) | Node::Subquery(_));
        let Some(range) = args.iter().find(is_range) else { return Err(wrong_kind()) };
        let parameter = match args.iter().find(|node| !is_range(node)) {
            Some(node) => self.scalar(node, at)?,
            None => f64::NAN,
        };
        let mut out = Vec::new();
        self.ranges(range, at, |labels: Named<'h>, edges, samples| {
            let window = Window { samples, start: edges.start, end: edges.end, at, parameter };
            if let Some(value) = f(&window) {
                out.push(Sample { labels, value });
            }
        })?;
        if keeps_name { Ok(out) } else { unnamed(out) }
    }

    fn date(&self, args: &[Node], part: fn(&Civil) -> f64, at: i64) -> Result<Vec<Sample<'h>>, EvalError> {
        let of = |seconds: f64| Civil::from_seconds(seconds).map_or(f64::NAN, |civil| part(&civil));
        if let Some(node) = args.first() {
            return mapped(self.vector(node, at)?, of);
        }
        let seconds = at.div_euclid(1000) as f64;
        Ok(vec![Sample { labels: Labels::none().into(), value: of(seconds) }])
    }

    /// The time of the sample itself for a selector, of the evaluation for what was computed.
    fn timestamps(&self, args: &[Node], at: i64) -> Result<Vec<Sample<'h>>, EvalError> {
        match args.first() {
            Some(Node::Vector(selector)) => {
                mapped(self.latest(selector, at, |point| point.time as f64 / 1000.0)?, |time| time)
            }
            Some(node) => mapped(self.vector(node, at)?, |_| at as f64 / 1000.0),
            None => Err(wrong_kind()),
        }
    }
}

fn absent<'h>(args: &[Node], empty: bool) -> Vec<Sample<'h>> {
    match args.first() {
        Some(node) if empty => vec![Sample { labels: labels::of_absent(node).into(), value: 1.0 }],
        _ => Vec::new(),
    }
}

fn clamped(samples: Vec<Sample<'_>>, least: f64, most: f64) -> Result<Vec<Sample<'_>>, EvalError> {
    if most < least {
        return Ok(Vec::new());
    }
    mapped(samples, |value| math::clamp(value, least, most))
}

fn sorted(mut samples: Vec<Sample<'_>>, descending: bool) -> Vec<Sample<'_>> {
    samples.sort_by(|a, b| aggregate::order(a.value, b.value, descending));
    samples
}

fn texts(args: &[Node]) -> Vec<String> {
    args.iter()
        .filter_map(|node| if let Node::Text(text) = node { Some(text.clone()) } else { None })
        .collect()
}
