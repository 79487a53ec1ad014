//! How old the samples behind answers are: many questions of a poll, asked in one request.
//!
//! Signals look at the same series again and again, and a request for each selector of each of them
//! would be most of what a server is asked. So the questions of a poll are told apart by a label, and
//! joined with `or`. A server that refuses such a request is asked one by one.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::StreamExt;
use futures_util::stream;
use tokio::time::{Instant, timeout_at};

use super::AT_ONCE;
use super::api::Api;
use super::reply::{Reply, Value};
use crate::model::{Fault, FaultCode, Time};
use crate::sources::freshness::Oldest;

/// The label that tells the questions of one request apart.
const MARK: &str = "gonogo_question";
/// The most questions of one request, and the most of their text.
const MOST: usize = 16;
const LONGEST: usize = 8 * 1024;

/// What one question came to.
#[derive(Clone, Debug)]
pub(super) struct Age {
    /// The oldest samples, by this program's clock.
    pub(super) oldest: Oldest,
    /// Why some may be missing.
    pub(super) warnings: Vec<String>,
}

/// Answers to questions about ages, by the text of the question.
#[derive(Debug, Default)]
pub(super) struct Ages(BTreeMap<String, Result<Age, Fault>>);

/// One poll's way of asking.
#[derive(Clone, Copy)]
pub(super) struct Asking<'a> {
    pub(super) api: &'a Api,
    pub(super) now: Time,
    pub(super) until: Instant,
    /// What is told where time runs out.
    pub(super) late: &'a Fault,
    /// Whether the server takes several questions in one request; it is learnt.
    pub(super) together: &'a AtomicBool,
}

impl Ages {
    /// What a question came to; nothing where it was not asked.
    pub(super) fn of(&self, question: &str) -> Result<Age, Fault> {
        let none = || Ok(Age { oldest: Oldest::new(), warnings: Vec::new() });
        self.0.get(question).cloned().unwrap_or_else(none)
    }

    /// What these questions came to, of those that were asked.
    pub(super) fn only(&self, questions: &[String]) -> Self {
        let known = questions.iter().filter_map(|q| self.0.get_key_value(q));
        Self(known.map(|(question, age)| (question.clone(), age.clone())).collect())
    }

    /// Asks those of the questions that were not asked yet.
    pub(super) async fn ask(&mut self, asking: Asking<'_>, questions: Vec<String>) {
        let mut fresh: Vec<String> =
            questions.into_iter().filter(|question| !self.0.contains_key(question)).collect();
        fresh.sort();
        fresh.dedup();
        if fresh.len() > 1 && asking.together.load(Ordering::Relaxed) {
            let batches = batches(fresh);
            let asked = batches.into_iter().map(|batch| async move {
                let reply = asking.one(&joined(&batch)).await;
                (batch, reply)
            });
            let replies: Vec<_> = stream::iter(asked).buffered(AT_ONCE).collect().await;
            fresh = Vec::new();
            for (batch, reply) in replies {
                match reply {
                    Err(fault) if fault.code == FaultCode::Query => fresh.extend(batch),
                    Err(fault) => self.0.extend(batch.into_iter().map(|q| (q, Err(fault.clone())))),
                    Ok(reply) => self.0.extend(taken_apart(batch, reply, asking.now)),
                }
            }
            asking.together.store(fresh.is_empty(), Ordering::Relaxed);
        }
        let asked = fresh.into_iter().map(|question| async move {
            let reply = asking.one(&question).await;
            (question, reply.map(|reply| age(reply, asking.now)))
        });
        self.0.extend(stream::iter(asked).buffered(AT_ONCE).collect::<Vec<_>>().await);
    }
}

impl Asking<'_> {
    pub(super) async fn one(&self, question: &str) -> Result<Reply, Fault> {
        timeout_at(self.until, self.api.instant(question, None))
            .await
            .unwrap_or_else(|_| Err(self.late.clone()))
    }
}

fn batches(questions: Vec<String>) -> Vec<Vec<String>> {
    let mut all: Vec<Vec<String>> = Vec::new();
    let mut long = 0;
    for question in questions {
        long += question.len();
        match all.last_mut() {
            Some(batch) if batch.len() < MOST && long <= LONGEST => batch.push(question),
            _ => {
                long = question.len();
                all.push(vec![question]);
            }
        }
    }
    all
}

/// Several questions as one, each with its number as a label.
pub(super) fn joined(questions: &[String]) -> String {
    let marked = questions
        .iter()
        .enumerate()
        .map(|(number, question)| format!("label_replace({question}, \"{MARK}\", \"{number}\", \"\", \"\")"));
    marked.collect::<Vec<_>>().join(" or ")
}

/// The number of the question that a row of a joined answer belongs to.
pub(super) fn mark(labels: &crate::model::Labels) -> Option<usize> {
    labels.get(MARK)?.parse().ok()
}

fn taken_apart(
    batch: Vec<String>,
    reply: Reply,
    now: Time,
) -> impl Iterator<Item = (String, Result<Age, Fault>)> {
    let whole = age(reply, now);
    let mut apart: Vec<Oldest> = vec![Oldest::new(); batch.len()];
    for (labels, taken) in whole.oldest {
        if let Some(own) = mark(&labels).and_then(|number| apart.get_mut(number)) {
            own.push((labels.filtered(|name| name != MARK), taken));
        }
    }
    let warnings = whole.warnings;
    batch
        .into_iter()
        .zip(apart)
        .map(move |(question, oldest)| (question, Ok(Age { oldest, warnings: warnings.clone() })))
}

/// Turned from the server's clock into this program's: what counts is how long before its evaluation
/// a sample was taken. One that is ahead of the server's own clock stays ahead.
fn age(reply: Reply, now: Time) -> Age {
    let Value::Vector(rows) = reply.value else {
        return Age { oldest: Oldest::new(), warnings: reply.warnings };
    };
    let oldest = rows
        .into_iter()
        .filter_map(|(labels, at, taken)| {
            let taken = Time::from_seconds(taken)?;
            Some((labels, now.before(at.since(taken)).after(taken.since(at))))
        })
        .collect();
    Age { oldest, warnings: reply.warnings }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Labels;

    #[test]
    fn questions_are_joined_within_bounds_and_their_answers_told_apart() {
        let questions: Vec<String> = (0..40).map(|n| format!("min by () (timestamp(m{n}))")).collect();
        let sizes: Vec<usize> = batches(questions.clone()).iter().map(Vec::len).collect();
        assert_eq!(sizes, [16, 16, 8]);
        assert_eq!(batches(vec!["x".repeat(5000); 3]).len(), 3);
        let two = &questions[..2];
        assert!(crate::promql::Expr::parse(&joined(two)).is_ok(), "{}", joined(two));
        let at = Time::from_millis(60_000);
        let row = |mark: &str, taken| (Labels::from_pairs([(MARK, mark), ("queue", "a")]), at, taken);
        let reply = Reply {
            value: Value::Vector(vec![row("1", 55.0), row("0", 50.0), row("7", 1.0), row("x", 1.0)]),
            warnings: vec!["partial".into()],
            infos: Vec::new(),
            date: None,
            histograms: 0,
        };
        // This program's clock is at 100 s when the server's is at 60.
        let apart: BTreeMap<_, _> = taken_apart(two.to_vec(), reply, Time::from_millis(100_000)).collect();
        let age = |n: usize| apart[&two[n]].clone().unwrap();
        let a = Labels::from_pairs([("queue", "a")]);
        assert_eq!(age(0).oldest, [(a.clone(), Time::from_millis(90_000))]);
        assert_eq!(age(1).oldest, [(a, Time::from_millis(95_000))]);
        assert_eq!(age(1).warnings, ["partial"]);
    }
}
