//! Why an answer is empty: no such metric, no series with such labels, series that died, or series
//! that live and that the expression leaves out. Asked once per change, in one request.

use std::time::Duration;

use super::ages::{joined, mark};
use super::api::Api;
use super::reply::Value;
use crate::model::duration::short;
use crate::model::text::harmless_line;
use crate::model::{Fault, Time};
use crate::promql::Expr;
use crate::sources::freshness;

/// How far back a series that died is looked for.
const REACH: Duration = Duration::from_hours(1);
/// How many selectors are asked about.
const MOST: usize = 4;

/// Asks why the answer to an expression is empty; `now` is this program's clock, by which it is told
/// when a series was last seen.
///
/// # Errors
/// As [`Api::instant`].
pub async fn why_empty(api: &Api, expr: &Expr, now: Time) -> Result<Option<String>, Fault> {
    let selectors: Vec<(String, Option<String>)> = expr.selectors().into_iter().take(MOST).collect();
    if selectors.is_empty() {
        return Ok(None);
    }
    // For each selector: its series now, its last sample, and the series of its metric now.
    let questions: Vec<String> = selectors
        .iter()
        .flat_map(|(selector, name)| {
            let last = freshness::of_the_dead(&format!("max(timestamp({selector}))"), REACH);
            let name = name.as_ref().unwrap_or(selector);
            [format!("count({selector})"), last, format!("count({name})")]
        })
        .collect();
    let reply = api.instant(&joined(&questions), None).await?;
    let Value::Vector(rows) = &reply.value else { return Ok(None) };
    let told = |question: usize| {
        let row = rows.iter().find(|(labels, ..)| mark(labels) == Some(question));
        row.map(|(_, at, value)| (*at, *value))
    };
    let reasons = selectors.iter().enumerate().filter_map(|(n, (selector, name))| {
        let selector = harmless_line(selector, 80);
        if told(3 * n).is_some() {
            return None;
        }
        if let Some((at, taken)) = told(3 * n + 1) {
            let seen = now.before(at.since(Time::from_seconds(taken)?));
            return Some(format!("{selector} died, last seen at {}", seen.clock()));
        }
        if let Some((_, count)) = told(3 * n + 2) {
            let name = harmless_line(name.as_deref().unwrap_or_default(), 60);
            return Some(format!("none of the {count} series of {name} is {selector}"));
        }
        Some(format!("no {selector} in the last {}", short(REACH)))
    });
    let reasons: Vec<String> = reasons.collect();
    if reasons.is_empty() {
        return Ok(Some("series are there, the expression leaves none of them".into()));
    }
    Ok(Some(reasons.join("; ")))
}
