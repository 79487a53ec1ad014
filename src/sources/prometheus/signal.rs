//! One signal asked of a server, with the age of the samples behind its answer.

use std::time::Duration;

use futures_util::future::join_all;

use super::api::{Api, Reply, Value};
use crate::model::duration::short;
use crate::model::{Fault, FaultCode, Labels, Point, SignalAnswer, SignalDef, SignalId, Time};
use crate::promql::Expr;
use crate::sources::freshness::{self, Oldest};

/// A signal, and the label names of its last answer, by which the next poll asks for values and ages
/// in one go.
pub(super) struct Signal {
    id: SignalId,
    query: String,
    max_age: Duration,
    /// `None` where only the server understands the expression; then the age of its samples cannot be
    /// asked for.
    expr: Option<Expr>,
    names: Option<Vec<String>>,
}

/// A signal's answer before it is told.
pub(super) struct Answered {
    pub(super) reply: Reply,
    points: Vec<Point>,
    warnings: Vec<String>,
}

impl Signal {
    pub(super) fn new(def: &SignalDef) -> Self {
        let (id, query, max_age) = (def.id.clone(), def.query.clone(), def.max_age);
        Self { id, query, max_age, expr: Expr::parse(&def.query).ok(), names: None }
    }

    pub(super) fn query(&self) -> &str {
        &self.query
    }

    pub(super) fn answer(&self, result: Result<Answered, Fault>) -> SignalAnswer {
        let (result, warnings) = match result {
            Ok(answered) => (Ok(answered.points), answered.warnings),
            Err(fault) => (Err(fault), Vec::new()),
        };
        SignalAnswer { signal: self.id.clone(), result, warnings, history: Vec::new() }
    }

    /// Asks for the values, and for the ages of the samples behind them.
    pub(super) async fn ask(&mut self, api: &Api, now: Time) -> Result<Answered, Fault> {
        let guessed = self.ages(self.names.as_deref());
        let (reply, ages) =
            futures_util::future::join(api.instant(&self.query, None), ask_all(api, &guessed, now)).await;
        let reply = reply?;
        let rows = rows(&reply.value)?;
        let names = freshness::label_names(rows.iter().map(|(labels, _)| *labels));
        let (asked, ages) = if self.names.as_ref() == Some(&names) {
            (guessed, ages)
        } else {
            let asked = self.ages(Some(&names));
            let ages = ask_all(api, &asked, now).await;
            (asked, ages)
        };
        self.names = Some(names);
        let ages = ages?;
        let mut sampled: Vec<_> = rows.iter().map(|(labels, _)| freshness::of_row(labels, &ages)).collect();
        let window = self.expr.as_ref().map(Expr::window).unwrap_or_default();
        if sampled.contains(&None) && !asked.is_empty() && !window.is_zero() {
            let dead: Vec<_> = asked.iter().map(|age| freshness::of_the_dead(age, window)).collect();
            let dead = ask_all(api, &dead, now).await?;
            let within = |sampled: &Time| *sampled > now.before(window);
            for (sampled, (labels, _)) in sampled.iter_mut().zip(&rows) {
                *sampled = sampled.or_else(|| freshness::of_row(labels, &dead).filter(within));
            }
        }
        let points = rows.iter().zip(sampled).map(|((labels, value), sampled)| Point {
            labels: (*labels).clone(),
            value: *value,
            sampled: sampled.unwrap_or(now),
        });
        let points = points.collect();
        let mut warnings = reply.warnings.clone();
        warnings.extend(self.doubt(&reply, now));
        if reply.histograms > 0 {
            warnings.push(format!("{} native histograms left out: they are no numbers", reply.histograms));
        }
        if self.expr.is_none() {
            warnings
                .push("the age of its samples cannot be asked for: gonogo cannot read the expression".into());
        }
        Ok(Answered { reply, points, warnings })
    }

    /// The age of a sample is told by the moment of evaluation. Where that is neither the server's own
    /// time nor this program's, it may be an answer kept from earlier, and its age is anybody's guess.
    fn doubt(&self, reply: &Reply, asked: Time) -> Option<String> {
        let at = reply.value.evaluated()?;
        let clock = reply.date.unwrap_or(asked);
        // A whole second is what `Date` leaves open.
        let off = at.since(clock).max(clock.since(at)).saturating_sub(Duration::from_secs(1));
        let side = if at > clock { "ahead of" } else { "behind" };
        (off > self.max_age / 2).then(|| format!("evaluated {} {side} its own clock", short(off)))
    }

    fn ages(&self, names: Option<&[String]>) -> Vec<String> {
        match (&self.expr, names) {
            (Some(expr), Some(names)) => freshness::expressions(expr, names),
            _ => Vec::new(),
        }
    }
}

/// Asks for ages, and turns them from the server's clock into this program's: what counts is how long
/// before its evaluation a sample was taken.
async fn ask_all(api: &Api, expressions: &[String], now: Time) -> Result<Vec<Oldest>, Fault> {
    let asked = expressions.iter().map(|expression| api.instant(expression, None));
    let replies = join_all(asked).await;
    replies
        .into_iter()
        .map(|reply| match reply?.value {
            Value::Vector(rows) => Ok(rows
                .into_iter()
                .filter_map(|(labels, at, taken)| {
                    let taken = Time::from_seconds(taken)?;
                    // One that is ahead of the server's own clock stays ahead, for gates to refuse.
                    Some((labels, now.before(at.since(taken)).after(taken.since(at))))
                })
                .collect()),
            _ => Ok(Oldest::new()),
        })
        .collect()
}

fn rows(value: &Value) -> Result<Vec<(&Labels, f64)>, Fault> {
    static NO_LABELS: std::sync::LazyLock<Labels> = std::sync::LazyLock::new(Labels::none);
    let no_number = |text: &str| Err(Fault::new(FaultCode::Query, text));
    match value {
        Value::Scalar(_, value) => Ok(vec![(&NO_LABELS, *value)]),
        Value::Vector(rows) => Ok(rows.iter().map(|(labels, _, value)| (labels, *value)).collect()),
        Value::String(..) => no_number("a string is no number"),
        Value::Matrix(_) => no_number("a range of samples is no single value"),
    }
}
