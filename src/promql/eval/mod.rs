//! The evaluator: walks a plan at one moment.
//!
//! Start with [`Evaluator::eval`]. What a function does to the samples of a range is in [`rate`] and
//! [`over_time`], what operators do in [`binary`], aggregations in [`aggregate`].

mod aggregate;
mod binary;
pub(super) mod calendar;
mod call;
mod histogram;
mod labels;
pub(super) mod math;
pub(super) mod named;
pub(super) mod over_time;
pub(super) mod rate;
mod sums;
pub(super) mod window;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashSet};
use std::fmt::Write as _;

use self::aggregate::Parameter;
use self::named::{Known, Named};
use super::EvalError;
use super::history::{Copied, Hint, Point, Samples, Track};
use super::plan::{Aggregate, Aggregator, Binary, Node, Selector};
use crate::model::Labels;

/// The most samples one query may look at for one moment, as in Prometheus.
const MAX_SAMPLES: usize = 50_000_000;
/// What a step of a subquery counts as, however few samples it looks at.
const STEP: usize = 50;

/// One series' value at the moment of evaluation.
#[derive(Clone, Debug)]
pub(super) struct Sample<'h> {
    pub(super) labels: Named<'h>,
    pub(super) value: f64,
}

/// What a node comes to.
#[derive(Clone, Debug)]
pub(super) enum Computed<'h> {
    Scalar(f64),
    Text(String),
    Vector(Vec<Sample<'h>>),
}

/// The edges of a range, in milliseconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Edges {
    pub(super) start: i64,
    pub(super) end: i64,
}

/// What stays true of the series that an expression selects, as long as they are the same: the groups
/// that each aggregation puts them into, by its number.
#[derive(Clone, Debug, Default)]
pub(super) struct Memory(Vec<Known>);

/// A query under way.
pub(super) struct Evaluator<'h> {
    /// The series of each selector, by its number.
    tracks: Vec<Vec<Track<'h>>>,
    /// The number of each selector's first track, counted through all selectors.
    first: Vec<usize>,
    memory: RefCell<Memory>,
    /// Where the edges of each selector's last window were.
    hints: Vec<Cell<Hint>>,
    start: i64,
    end: i64,
    looked_at: Cell<usize>,
}

impl<'h> Evaluator<'h> {
    /// A query from `start` to `end` over the series that each selector of a plan picks.
    /// `memory` is of a query over the same series, or empty.
    pub(super) fn new(tracks: Vec<Vec<Track<'h>>>, start: i64, end: i64, memory: Memory) -> Self {
        let hints = tracks.iter().map(|_| Cell::default()).collect();
        let count = |counted: &mut usize, tracks: &Vec<_>| {
            let first = *counted;
            *counted += tracks.len();
            Some(first)
        };
        let first = tracks.iter().scan(0, count).collect();
        Self { tracks, first, memory: RefCell::new(memory), hints, start, end, looked_at: Cell::new(0) }
    }

    /// What was found out about the series.
    pub(super) fn into_memory(self) -> Memory {
        self.memory.into_inner()
    }

    /// The value of the whole plan at `at`.
    pub(super) fn value(&self, plan: &Node, at: i64) -> Result<Computed<'h>, EvalError> {
        self.looked_at.set(0);
        self.eval(plan, at)
    }

    /// The value of a node at `at`.
    fn eval(&self, node: &Node, at: i64) -> Result<Computed<'h>, EvalError> {
        match node {
            Node::Number(value) => Ok(Computed::Scalar(*value)),
            Node::Text(text) => Ok(Computed::Text(text.clone())),
            Node::Vector(selector) => Ok(Computed::Vector(self.latest(selector, at, |point| point.value)?)),
            Node::Negate(inner) => match self.eval(inner, at)? {
                Computed::Scalar(value) => Ok(Computed::Scalar(-value)),
                Computed::Vector(samples) => mapped(samples, |value| -value).map(Computed::Vector),
                Computed::Text(_) => Err(wrong_kind()),
            },
            Node::Binary(binary) => self.binary(binary, at),
            Node::Aggregate(aggregate) => self.aggregate(aggregate, at).map(Computed::Vector),
            Node::Call(call) => self.call(call, at),
            Node::Matrix(..) | Node::Subquery(_) => Err(wrong_kind()),
        }
    }

    fn binary(&self, node: &Binary, at: i64) -> Result<Computed<'h>, EvalError> {
        match (self.eval(&node.lhs, at)?, self.eval(&node.rhs, at)?) {
            (Computed::Scalar(a), Computed::Scalar(b)) => {
                Ok(Computed::Scalar(binary::scalars(node.operator, a, b)))
            }
            (Computed::Vector(vector), Computed::Scalar(scalar)) => {
                binary::with_scalar(node, vector, scalar, false).map(Computed::Vector)
            }
            (Computed::Scalar(scalar), Computed::Vector(vector)) => {
                binary::with_scalar(node, vector, scalar, true).map(Computed::Vector)
            }
            (Computed::Vector(lhs), Computed::Vector(rhs)) => {
                binary::vectors(node, lhs, rhs).map(Computed::Vector)
            }
            _ => Err(wrong_kind()),
        }
    }

    fn aggregate(&self, node: &Aggregate, at: i64) -> Result<Vec<Sample<'h>>, EvalError> {
        if node.aggregator == Aggregator::Foreign {
            return Err(foreign());
        }
        let parameter = match node.param.as_ref().map(|param| self.eval(param, at)).transpose()? {
            None => Parameter::None,
            Some(Computed::Scalar(number)) => Parameter::Number(number),
            Some(Computed::Text(text)) => Parameter::Text(text),
            Some(Computed::Vector(_)) => return Err(wrong_kind()),
        };
        let samples = self.vector(&node.expr, at)?;
        let mut known = self.memory.borrow_mut().0.get_mut(node.id).map(std::mem::take).unwrap_or_default();
        let answer = aggregate::aggregate(node, &parameter, samples, &mut known);
        aggregate::change(&mut self.memory.borrow_mut().0, node.id, |kept| *kept = known);
        answer
    }

    fn vector(&self, node: &Node, at: i64) -> Result<Vec<Sample<'h>>, EvalError> {
        match self.eval(node, at)? {
            Computed::Vector(samples) => Ok(samples),
            _ => Err(wrong_kind()),
        }
    }

    fn scalar(&self, node: &Node, at: i64) -> Result<f64, EvalError> {
        match self.eval(node, at)? {
            Computed::Scalar(value) => Ok(value),
            _ => Err(wrong_kind()),
        }
    }

    /// What an instant selector finds; `value` says what is taken of each sample.
    fn latest(
        &self,
        selector: &Selector,
        at: i64,
        value: impl Fn(&Point) -> f64,
    ) -> Result<Vec<Sample<'h>>, EvalError> {
        let moment = selector.shift.moment(at, self.start, self.end);
        let tracks = self.tracks(selector);
        self.look_at(tracks.len())?;
        let mut hint = self.hint(selector);
        let mut samples = Vec::with_capacity(tracks.len());
        for (number, track) in (self.first(selector)..).zip(tracks) {
            if let Some(point) = track.latest(moment, &mut hint) {
                samples.push(Sample { labels: Named::of(track.labels, number), value: value(&point) });
            }
        }
        self.keep_hint(selector, hint);
        Ok(samples)
    }

    fn hint(&self, selector: &Selector) -> Hint {
        self.hints.get(selector.id).map_or_else(Hint::default, Cell::get)
    }

    fn keep_hint(&self, selector: &Selector, hint: Hint) {
        if let Some(kept) = self.hints.get(selector.id) {
            kept.set(hint);
        }
    }

    fn first(&self, selector: &Selector) -> usize {
        self.first.get(selector.id).copied().unwrap_or(0)
    }

    fn tracks(&self, selector: &Selector) -> &[Track<'h>] {
        self.tracks.get(selector.id).map_or(&[], Vec::as_slice)
    }

    /// Calls `see` for each series of a range or subquery that has a sample in it.
    pub(super) fn ranges(
        &self,
        node: &Node,
        at: i64,
        mut see: impl FnMut(Named<'h>, Edges, Samples<'_>),
    ) -> Result<(), EvalError> {
        match node {
            Node::Matrix(selector, range) => {
                let end = selector.shift.moment(at, self.start, self.end);
                let edges = Edges { start: end.saturating_sub(*range), end };
                let mut copied = Copied::default();
                let mut hint = self.hint(selector);
                for (number, track) in (self.first(selector)..).zip(self.tracks(selector)) {
                    let samples = track.between((edges.start, edges.end), &mut hint, &mut copied);
                    self.look_at(samples.values.len())?;
                    if !samples.values.is_empty() {
                        see(Named::of(track.labels, number), edges, samples);
                    }
                }
                self.keep_hint(selector, hint);
                Ok(())
            }
            Node::Subquery(subquery) => {
                let end = subquery.shift.moment(at, self.start, self.end);
                let edges = Edges { start: end.saturating_sub(subquery.range), end };
                let (mut step, length, last) = subquery.steps(end);
                let mut series: BTreeMap<Labels, Copied> = BTreeMap::new();
                while step <= last {
                    self.look_at(STEP)?;
                    for sample in self.vector(&subquery.expr, step)? {
                        series.entry(sample.labels.into_labels()).or_default().push(step, sample.value);
                    }
                    step = step.saturating_add(length);
                }
                for (labels, points) in series {
                    see(Named::from(labels), edges, points.as_samples());
                }
                Ok(())
            }
            _ => Err(wrong_kind()),
        }
    }

    /// Counts samples, so that no expression, however small, can keep the program busy for long.
    fn look_at(&self, samples: usize) -> Result<(), EvalError> {
        let total = self.looked_at.get().saturating_add(samples);
        self.looked_at.set(total);
        if total > MAX_SAMPLES {
            return Err(EvalError::Failed(
                "query processing would load too many samples into memory in query execution".into(),
            ));
        }
        Ok(())
    }
}

/// Each value through a function; the metric name goes.
fn mapped(mut samples: Vec<Sample<'_>>, f: impl Fn(f64) -> f64) -> Result<Vec<Sample<'_>>, EvalError> {
    for sample in &mut samples {
        sample.value = f(sample.value);
    }
    unnamed(samples)
}

/// The metric names go. Series that were told apart stay so where all had the same name.
fn unnamed(samples: Vec<Sample<'_>>) -> Result<Vec<Sample<'_>>, EvalError> {
    let name = samples.first().and_then(|sample| sample.labels.name());
    let alike = samples.iter().all(|sample| sample.labels.name() == name);
    let samples: Vec<_> = samples
        .into_iter()
        .map(|sample| Sample { labels: sample.labels.without_name(), value: sample.value })
        .collect();
    if alike { Ok(samples) } else { distinct(samples) }
}

/// No two series of an answer may have the same labels.
fn distinct(samples: Vec<Sample<'_>>) -> Result<Vec<Sample<'_>>, EvalError> {
    let mut seen = HashSet::with_capacity(samples.len());
    if samples.iter().all(|sample| seen.insert(&sample.labels)) {
        return Ok(samples);
    }
    Err(EvalError::Failed("vector cannot contain metrics with the same labelset".into()))
}

/// What the checks at parsing keep from happening.
fn wrong_kind() -> EvalError {
    EvalError::Failed("an operand is of a kind that its operator or function does not take".into())
}

fn foreign() -> EvalError {
    EvalError::Failed("the expression holds a function that a Prometheus server evaluates only".into())
}

/// Labels as Prometheus writes them in its error texts: `{__name__="up", job="api"}`.
fn go_text<'l>(labels: impl Iterator<Item = (&'l str, &'l str)>) -> String {
    let mut out = String::from("{");
    for (i, (name, value)) in labels.enumerate() {
        let _ = write!(out, "{}{name}={value:?}", if i > 0 { ", " } else { "" });
    }
    out.push('}');
    out
}
