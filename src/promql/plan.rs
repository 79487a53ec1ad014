//! What an expression asks for, as the evaluator walks it: brackets gone, matchers compiled, times in
//! milliseconds, functions found.

use super::functions::Function;
use super::matcher::Matcher;

/// One step of the plan.
#[derive(Clone, Debug)]
pub(super) enum Node {
    Number(f64),
    Text(String),
    Vector(Selector),
    Matrix(Selector, i64),
    Subquery(Box<Subquery>),
    Negate(Box<Node>),
    Binary(Box<Binary>),
    Aggregate(Box<Aggregate>),
    Call(Call),
}

/// Which series, and when.
#[derive(Clone, Debug)]
pub(super) struct Selector {
    /// Its number within the expression, so that its series are looked up once per query.
    pub(super) id: usize,
    pub(super) matchers: Vec<Matcher>,
    pub(super) shift: Shift,
}

/// `offset` and `@`.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Shift {
    pub(super) offset: i64,
    pub(super) at: Option<At>,
}

/// `@`.
#[derive(Clone, Copy, Debug)]
pub(super) enum At {
    Time(i64),
    Start,
    End,
}

impl Shift {
    /// The moment looked at when the expression is evaluated at `now`, in a query from `start` to `end`.
    pub(super) fn moment(self, now: i64, start: i64, end: i64) -> i64 {
        let base = match self.at {
            None => now,
            Some(At::Time(time)) => time,
            Some(At::Start) => start,
            Some(At::End) => end,
        };
        base.saturating_sub(self.offset)
    }
}

/// `expr[range:step]`.
#[derive(Clone, Debug)]
pub(super) struct Subquery {
    pub(super) expr: Node,
    pub(super) range: i64,
    pub(super) step: Option<i64>,
    pub(super) shift: Shift,
}

/// The step of a subquery that names none: Prometheus takes its evaluation interval, one minute by default.
const DEFAULT_STEP: i64 = 60_000;

impl Subquery {
    /// The steps, when it is looked at from `moment`: multiples of the step, after `moment - range`.
    /// Gives the first, the step, and the last that may come.
    pub(super) fn steps(&self, moment: i64) -> (i64, i64, i64) {
        let step = self.step.unwrap_or(DEFAULT_STEP).max(1);
        let after = moment.saturating_sub(self.range);
        let mut first = (after / step) * step;
        if first <= after {
            first = first.saturating_add(step);
        }
        (first, step, moment)
    }
}

/// Binary operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Add,
    Sub,
    Mul,
    Div,
    Mod,
    Pow,
    Atan2,
    Equal,
    NotEqual,
    Greater,
    Less,
    GreaterEqual,
    LessEqual,
    And,
    Or,
    Unless,
}

impl Operator {
    pub(super) fn compares(self) -> bool {
        matches!(
            self,
            Self::Equal | Self::NotEqual | Self::Greater | Self::Less | Self::GreaterEqual | Self::LessEqual
        )
    }
}

/// An operator between two expressions.
#[derive(Clone, Debug)]
pub(super) struct Binary {
    pub(super) operator: Operator,
    pub(super) lhs: Node,
    pub(super) rhs: Node,
    /// `bool`: 0 or 1 instead of dropping what does not hold.
    pub(super) returns_bool: bool,
    pub(super) matching: Matching,
}

/// Which series of the two sides belong together.
#[derive(Clone, Debug, Default)]
pub(super) struct Matching {
    /// `on` the labels; else ignoring them.
    pub(super) on: bool,
    pub(super) labels: Vec<String>,
    pub(super) group: Group,
    /// Labels taken over from the "one" side.
    pub(super) include: Vec<String>,
}

/// Which side may have many series for one of the other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Group {
    #[default]
    OneToOne,
    /// `group_left`.
    ManyToOne,
    /// `group_right`.
    OneToMany,
}

/// Aggregations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Aggregator {
    Sum,
    Avg,
    Min,
    Max,
    Count,
    Group,
    Stddev,
    Stdvar,
    Topk,
    Bottomk,
    Quantile,
    CountValues,
    /// `limitk` and `limit_ratio`: experimental, only a server evaluates them.
    Foreign,
}

/// `sum by (a) (expr)`.
#[derive(Clone, Debug)]
pub(super) struct Aggregate {
    /// Its number within the expression.
    pub(super) id: usize,
    pub(super) aggregator: Aggregator,
    pub(super) param: Option<Node>,
    pub(super) expr: Node,
    /// The labels are dropped (`without`), not kept (`by`).
    pub(super) without: bool,
    pub(super) labels: Vec<String>,
}

/// `f(a, b)`.
#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) function: Function,
    pub(super) args: Vec<Node>,
}

impl Node {
    /// Calls `see` for each selector, from left to right.
    pub(super) fn each_selector<'n>(&'n self, see: &mut impl FnMut(&'n Selector)) {
        match self {
            Self::Number(_) | Self::Text(_) => {}
            Self::Vector(selector) | Self::Matrix(selector, _) => see(selector),
            Self::Subquery(subquery) => subquery.expr.each_selector(see),
            Self::Negate(inner) => inner.each_selector(see),
            Self::Binary(binary) => {
                binary.lhs.each_selector(see);
                binary.rhs.each_selector(see);
            }
            Self::Aggregate(aggregate) => {
                if let Some(param) = &aggregate.param {
                    param.each_selector(see);
                }
                aggregate.expr.each_selector(see);
            }
            Self::Call(call) => call.args.iter().for_each(|arg| arg.each_selector(see)),
        }
    }

    /// The earliest moment from which a history must be known for the answer at `now` to be whole;
    /// `None` where the node looks at what is there now. `now` is earlier than `top`, the moment the
    /// whole expression is evaluated at, inside subqueries.
    pub(super) fn reach(&self, now: i64, top: i64, start: i64, end: i64) -> Option<i64> {
        let of = |node: &Node| node.reach(now, top, start, end);
        match self {
            Self::Number(_) | Self::Text(_) => None,
            Self::Vector(selector) => {
                let moment = selector.shift.moment(now, start, end);
                (moment < top).then_some(moment)
            }
            Self::Matrix(selector, range) => {
                Some(selector.shift.moment(now, start, end).saturating_sub(*range))
            }
            Self::Subquery(subquery) => {
                let moment = subquery.shift.moment(now, start, end);
                let after = moment.saturating_sub(subquery.range);
                let (first, _, last) = subquery.steps(moment);
                let inner = if first <= last { subquery.expr.reach(first, top, start, end) } else { None };
                inner.map(|inner| inner.min(after))
            }
            Self::Negate(inner) => of(inner),
            Self::Binary(binary) => earlier(of(&binary.lhs), of(&binary.rhs)),
            Self::Aggregate(aggregate) => earlier(aggregate.param.as_ref().and_then(of), of(&aggregate.expr)),
            Self::Call(call) => call.args.iter().map(of).fold(None, earlier),
        }
    }

    /// Calls `see` with each window of the past, and each moment of it (both edges the same), that the
    /// node looks at when it is evaluated at the moments of `at`, from the first to the last. `top` is
    /// the moment of the whole expression, `query` the first and last of the query.
    pub(super) fn each_span(
        &self,
        at: (i64, i64),
        top: i64,
        query: (i64, i64),
        see: &mut impl FnMut(i64, i64),
    ) {
        let moments =
            |shift: Shift| (shift.moment(at.0, query.0, query.1), shift.moment(at.1, query.0, query.1));
        match self {
            Self::Number(_) | Self::Text(_) => {}
            Self::Vector(selector) => {
                let (first, last) = moments(selector.shift);
                if first < top {
                    see(first, last);
                }
            }
            Self::Matrix(selector, range) => {
                let (first, last) = moments(selector.shift);
                see(first.saturating_sub(*range), last);
            }
            Self::Subquery(subquery) => {
                let (from, to) = moments(subquery.shift);
                let ((first, ..), (_, step, last)) = (subquery.steps(from), subquery.steps(to));
                if first <= last {
                    let last = last.div_euclid(step).saturating_mul(step);
                    subquery.expr.each_span((first, last.max(first)), top, query, see);
                }
            }
            Self::Negate(inner) => inner.each_span(at, top, query, see),
            Self::Binary(binary) => {
                binary.lhs.each_span(at, top, query, see);
                binary.rhs.each_span(at, top, query, see);
            }
            Self::Aggregate(aggregate) => {
                if let Some(param) = &aggregate.param {
                    param.each_span(at, top, query, see);
                }
                aggregate.expr.each_span(at, top, query, see);
            }
            Self::Call(call) => call.args.iter().for_each(|arg| arg.each_span(at, top, query, see)),
        }
    }

    /// How far back it looks from the moment of evaluation, in milliseconds; what `@` pins to a time
    /// has no distance from it and counts from there on only.
    pub(super) fn window(&self) -> i64 {
        match self {
            Self::Number(_) | Self::Text(_) => 0,
            Self::Vector(selector) => selector.shift.offset.max(0),
            Self::Matrix(selector, range) => selector.shift.offset.saturating_add(*range).max(0),
            Self::Subquery(subquery) => subquery
                .shift
                .offset
                .saturating_add(subquery.range)
                .saturating_add(subquery.expr.window())
                .max(0),
            Self::Negate(inner) => inner.window(),
            Self::Binary(binary) => binary.lhs.window().max(binary.rhs.window()),
            Self::Aggregate(aggregate) => {
                aggregate.param.as_ref().map_or(0, Self::window).max(aggregate.expr.window())
            }
            Self::Call(call) => call.args.iter().map(Self::window).max().unwrap_or(0),
        }
    }
}

fn earlier(a: Option<i64>, b: Option<i64>) -> Option<i64> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}
