//! From the parser's tree to the plan.

use promql_parser::label as pl;
use promql_parser::parser as pp;
use promql_parser::parser::token;

use super::shape::Place;
use crate::promql::ExprError;
use crate::promql::functions::{self, Function};
use crate::promql::matcher::{Compare, Matcher, Pattern};
use crate::promql::plan::{
    Aggregate, Aggregator, At, Binary, Call, Group, Matching, Node, Operator, Selector, Shift, Subquery,
};

use crate::model::labels::NAME;

/// What became of a tree.
#[derive(Debug)]
pub(in crate::promql) struct Lowered {
    pub(in crate::promql) plan: Node,
    /// The first thing in it that only a server evaluates.
    pub(in crate::promql) foreign: Option<ExprError>,
}

/// Lowers a tree; `calls` are the places of its functions and aggregations from left to right.
pub(super) fn lower(tree: &pp::Expr, calls: &[Place], len: usize) -> Result<Lowered, ExprError> {
    let mut lowering = Lowering {
        calls: calls.iter(),
        whole: Place { at: 0, len },
        selectors: 0,
        aggregations: 0,
        foreign: None,
    };
    let plan = lowering.node(tree)?;
    Ok(Lowered { plan, foreign: lowering.foreign })
}

struct Lowering<'c> {
    calls: std::slice::Iter<'c, Place>,
    whole: Place,
    selectors: usize,
    aggregations: usize,
    foreign: Option<ExprError>,
}

impl Lowering<'_> {
    fn node(&mut self, tree: &pp::Expr) -> Result<Node, ExprError> {
        Ok(match tree {
            pp::Expr::Paren(inner) => self.node(&inner.expr)?,
            pp::Expr::NumberLiteral(number) => Node::Number(number.val),
            pp::Expr::StringLiteral(text) => Node::Text(text.val.clone()),
            pp::Expr::VectorSelector(selector) => Node::Vector(self.selector(selector)?),
            pp::Expr::MatrixSelector(matrix) => {
                Node::Matrix(self.selector(&matrix.vs)?, millis(matrix.range))
            }
            pp::Expr::Subquery(subquery) => Node::Subquery(Box::new(Subquery {
                expr: self.node(&subquery.expr)?,
                range: millis(subquery.range),
                step: subquery.step.map(millis),
                shift: shift(subquery.offset.as_ref(), subquery.at.as_ref()),
            })),
            pp::Expr::Unary(unary) => Node::Negate(Box::new(self.node(&unary.expr)?)),
            pp::Expr::Binary(binary) => Node::Binary(Box::new(self.binary(binary)?)),
            pp::Expr::Aggregate(aggregate) => Node::Aggregate(Box::new(self.aggregate(aggregate)?)),
            pp::Expr::Call(call) => Node::Call(self.call(call)?),
            pp::Expr::Extension(_) => return Err(self.error_at(self.whole, "no PromQL")),
        })
    }

    fn error_at(&self, place: Place, text: impl Into<String>) -> ExprError {
        let place = if place.len == 0 { self.whole } else { place };
        ExprError { offset: place.at, len: place.len.max(1), text: text.into() }
    }

    fn next_call(&mut self) -> Place {
        self.calls.next().copied().unwrap_or(self.whole)
    }

    fn refuse(&mut self, place: Place, name: &str, reason: &str) {
        if self.foreign.is_none() {
            self.foreign = Some(
                self.error_at(place, format!("{name} is evaluated by a Prometheus server only: {reason}")),
            );
        }
    }

    fn call(&mut self, call: &pp::Call) -> Result<Call, ExprError> {
        let place = self.next_call();
        let name = call.func.name;
        let Some(function) = functions::find(name) else {
            return Err(self.error_at(place, format!("unknown function {name}")));
        };
        if let Function::Foreign(why) = function {
            self.refuse(place, &format!("{name}()"), why.reason());
        }
        let args = call.args.args.iter().map(|arg| self.node(arg)).collect::<Result<_, _>>()?;
        Ok(Call { function, args })
    }

    fn aggregate(&mut self, aggregate: &pp::AggregateExpr) -> Result<Aggregate, ExprError> {
        let place = self.next_call();
        let aggregator = aggregator(aggregate.op.id());
        if aggregator == Aggregator::Foreign {
            self.refuse(place, &aggregate.op.to_string(), "it is experimental in Prometheus");
        }
        let param = aggregate.param.as_ref().map(|param| self.node(param)).transpose()?;
        let (without, labels) = match &aggregate.modifier {
            None => (false, Vec::new()),
            Some(pp::LabelModifier::Include(labels)) => (false, labels.labels.clone()),
            Some(pp::LabelModifier::Exclude(labels)) => (true, labels.labels.clone()),
        };
        let id = self.aggregations;
        self.aggregations += 1;
        Ok(Aggregate { id, aggregator, param, expr: self.node(&aggregate.expr)?, without, labels })
    }

    fn binary(&mut self, binary: &pp::BinaryExpr) -> Result<Binary, ExprError> {
        let Some(operator) = operator(binary.op.id()) else {
            return Err(self.error_at(self.whole, format!("{} is no operator between values", binary.op)));
        };
        let mut matching = Matching::default();
        let mut returns_bool = false;
        if let Some(modifier) = &binary.modifier {
            returns_bool = modifier.return_bool;
            match &modifier.matching {
                None => {}
                Some(pp::LabelModifier::Include(labels)) => {
                    matching.on = true;
                    matching.labels.clone_from(&labels.labels);
                }
                Some(pp::LabelModifier::Exclude(labels)) => matching.labels.clone_from(&labels.labels),
            }
            match &modifier.card {
                pp::VectorMatchCardinality::OneToOne | pp::VectorMatchCardinality::ManyToMany => {}
                pp::VectorMatchCardinality::ManyToOne(labels) => {
                    matching.group = Group::ManyToOne;
                    matching.include.clone_from(&labels.labels);
                }
                pp::VectorMatchCardinality::OneToMany(labels) => {
                    matching.group = Group::OneToMany;
                    matching.include.clone_from(&labels.labels);
                }
            }
        }
        Ok(Binary {
            operator,
            lhs: self.node(&binary.lhs)?,
            rhs: self.node(&binary.rhs)?,
            returns_bool,
            matching,
        })
    }

    fn selector(&mut self, selector: &pp::VectorSelector) -> Result<Selector, ExprError> {
        let mut matchers = Vec::with_capacity(selector.matchers.matchers.len() + 1);
        if let Some(name) = &selector.name {
            matchers.push(Matcher { name: NAME.into(), compare: Compare::Equal(name.clone()) });
        }
        for matcher in &selector.matchers.matchers {
            let pattern = || Pattern::new(&matcher.value).map_err(|text| self.error_at(self.whole, text));
            let compare = match matcher.op {
                pl::MatchOp::Equal => Compare::Equal(matcher.value.clone()),
                pl::MatchOp::NotEqual => Compare::NotEqual(matcher.value.clone()),
                pl::MatchOp::Re(_) => Compare::Match(pattern()?, matcher.value.clone()),
                pl::MatchOp::NotRe(_) => Compare::NotMatch(pattern()?, matcher.value.clone()),
            };
            matchers.push(Matcher { name: matcher.name.clone(), compare });
        }
        let id = self.selectors;
        self.selectors += 1;
        Ok(Selector { id, matchers, shift: shift(selector.offset.as_ref(), selector.at.as_ref()) })
    }
}

fn millis(duration: std::time::Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

fn shift(offset: Option<&pp::Offset>, at: Option<&pp::AtModifier>) -> Shift {
    let offset = match offset {
        None => 0,
        Some(pp::Offset::Pos(duration)) => millis(*duration),
        Some(pp::Offset::Neg(duration)) => -millis(*duration),
    };
    let at = at.map(|at| match at {
        pp::AtModifier::Start => At::Start,
        pp::AtModifier::End => At::End,
        pp::AtModifier::At(time) => At::Time(match time.duration_since(std::time::UNIX_EPOCH) {
            Ok(after) => millis(after),
            Err(before) => -millis(before.duration()),
        }),
    });
    Shift { offset, at }
}

fn operator(id: token::TokenId) -> Option<Operator> {
    Some(match id {
        token::T_ADD => Operator::Add,
        token::T_SUB => Operator::Sub,
        token::T_MUL => Operator::Mul,
        token::T_DIV => Operator::Div,
        token::T_MOD => Operator::Mod,
        token::T_POW => Operator::Pow,
        token::T_ATAN2 => Operator::Atan2,
        token::T_EQLC => Operator::Equal,
        token::T_NEQ => Operator::NotEqual,
        token::T_GTR => Operator::Greater,
        token::T_LSS => Operator::Less,
        token::T_GTE => Operator::GreaterEqual,
        token::T_LTE => Operator::LessEqual,
        token::T_LAND => Operator::And,
        token::T_LOR => Operator::Or,
        token::T_LUNLESS => Operator::Unless,
        _ => return None,
    })
}

fn aggregator(id: token::TokenId) -> Aggregator {
    match id {
        token::T_SUM => Aggregator::Sum,
        token::T_AVG => Aggregator::Avg,
        token::T_MIN => Aggregator::Min,
        token::T_MAX => Aggregator::Max,
        token::T_COUNT => Aggregator::Count,
        token::T_GROUP => Aggregator::Group,
        token::T_STDDEV => Aggregator::Stddev,
        token::T_STDVAR => Aggregator::Stdvar,
        token::T_TOPK => Aggregator::Topk,
        token::T_BOTTOMK => Aggregator::Bottomk,
        token::T_QUANTILE => Aggregator::Quantile,
        token::T_COUNT_VALUES => Aggregator::CountValues,
        _ => Aggregator::Foreign,
    }
}
