//! One signal asked of a server, with the age of the samples behind its answer.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use super::ages::{Ages, Asking};
use super::reply::{Reply, Value};
use crate::model::duration::short;
use crate::model::{Fault, FaultCode, Labels, Point, SignalAnswer, SignalDef, SignalId, Time};
use crate::promql::Expr;
use crate::sources::freshness::{self, Oldest};

/// A signal, and what its last answer was, by which the next poll asks for values and ages in one go.
pub(super) struct Signal {
    id: SignalId,
    query: String,
    max_age: Duration,
    /// `None` where only the server understands the expression; then the age of its samples cannot be
    /// asked for.
    expr: Option<Expr>,
    names: Option<Vec<String>>,
    behind: BTreeMap<Labels, Behind>,
    absence: Option<Absence>,
}

/// Why an answer is empty.
struct Absence {
    /// Which selectors had series then.
    alive: Vec<bool>,
    /// When it was asked.
    asked: Time,
    why: Option<String>,
}

/// How long a reason holds where nothing is seen to change: a metric may come and have other labels
/// than those that are looked for.
const REASON: Duration = Duration::from_mins(5);

/// What stands behind a row.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Behind {
    /// Series that live; the oldest of their newest samples.
    Living(Time),
    /// Series that died, and still weigh in the window.
    Dead(Time),
    /// No sample at all, as for `vector(0)` and `absent(…)`.
    Nothing,
}

/// How far the time of a dead sample may be off: it is looked for in steps of up to a minute.
const DEAD_STEP: Duration = Duration::from_mins(1);

impl Signal {
    pub(super) fn new(def: &SignalDef) -> Self {
        Self {
            id: def.id.clone(),
            query: def.query.clone(),
            max_age: def.max_age,
            expr: Expr::parse(&def.query).ok(),
            names: None,
            behind: BTreeMap::new(),
            absence: None,
        }
    }

    pub(super) fn id(&self) -> &SignalId {
        &self.id
    }

    pub(super) fn query(&self) -> &str {
        &self.query
    }

    pub(super) fn expr(&self) -> Option<&Expr> {
        self.expr.as_ref()
    }

    /// The questions about ages that fit the labels of the last answer.
    pub(super) fn ages(&self) -> Vec<String> {
        match (&self.expr, &self.names) {
            (Some(expr), Some(names)) => freshness::expressions(expr, names),
            _ => Vec::new(),
        }
    }

    /// Asks for the values, and for what `guessed`, the ages asked for beside, does not tell of them.
    /// Nothing here waits for another signal.
    pub(super) async fn gather(
        &mut self,
        asking: Asking<'_>,
        guessed: impl Future<Output = Arc<Ages>>,
    ) -> (Result<Reply, Fault>, Ages) {
        let reply = match asking.one(&self.query).await {
            Ok(reply) => reply,
            Err(fault) => return (Err(fault), Ages::default()),
        };
        let fitting = self.ages_of(&reply);
        let mut ages = guessed.await.only(&fitting);
        ages.ask(asking, fitting).await;
        ages.ask(asking, self.dead_of(&reply, &ages, asking.now)).await;
        (Ok(reply), ages)
    }

    /// The questions about ages that fit this answer.
    fn ages_of(&mut self, reply: &Reply) -> Vec<String> {
        let Ok(rows) = rows(&reply.value) else { return Vec::new() };
        self.names = Some(freshness::label_names(rows.iter().map(|(labels, _)| *labels)));
        self.ages()
    }

    /// The questions about series that died, for rows of which nothing else tells what is behind them.
    fn dead_of(&self, reply: &Reply, ages: &Ages, now: Time) -> Vec<String> {
        let asked = self.ages();
        let (Ok(rows), Ok((oldest, _))) = (rows(&reply.value), all_of(ages, &asked)) else {
            return Vec::new();
        };
        let window = self.window();
        let unknown = |labels: &Labels| {
            let told = match self.behind.get(labels) {
                None => false,
                Some(Behind::Nothing) => true,
                Some(Behind::Living(at) | Behind::Dead(at)) => *at > now.before(window),
            };
            !told && freshness::of_row(labels, &oldest).is_none()
        };
        if window.is_zero() || !rows.iter().any(|(labels, _)| unknown(labels)) {
            return Vec::new();
        }
        asked.iter().map(|age| freshness::of_the_dead(age, window)).collect()
    }

    /// The answer, once all that belongs to it was asked.
    pub(super) fn answer(&mut self, reply: Result<&Reply, &Fault>, ages: &Ages, now: Time) -> SignalAnswer {
        let told = reply.map_err(Clone::clone).and_then(|reply| self.points(reply, ages, now));
        let (result, warnings) = match told {
            Ok((points, warnings)) => (Ok(points), warnings),
            Err(fault) => (Err(fault), Vec::new()),
        };
        SignalAnswer { signal: self.id.clone(), result, warnings, history: Vec::new() }
    }

    fn points(&mut self, reply: &Reply, ages: &Ages, now: Time) -> Result<(Vec<Point>, Vec<String>), Fault> {
        let rows = rows(&reply.value)?;
        let asked = self.ages();
        let (oldest, mut doubts) = all_of(ages, &asked)?;
        let dead: Vec<String> = asked.iter().map(|age| freshness::of_the_dead(age, self.window())).collect();
        let (dead, more) = all_of(ages, &dead)?;
        doubts.extend(more);
        let behind: Vec<(&Labels, f64, Behind)> = rows
            .iter()
            .map(|(labels, value)| (*labels, *value, self.behind(labels, &oldest, &dead, now)))
            .collect();
        let points = behind.iter().map(|(labels, value, behind)| Point {
            labels: (*labels).clone(),
            value: *value,
            // One that is ahead of the server's own clock stays ahead, for gates to refuse.
            sampled: match behind {
                Behind::Living(at) | Behind::Dead(at) => *at,
                Behind::Nothing => now,
            },
        });
        let points = points.collect();
        let mut warnings = reply.warnings.clone();
        warnings.extend(self.doubt(reply, now));
        if reply.histograms > 0 {
            warnings.push(format!("{} native histograms left out: they are no numbers", reply.histograms));
        }
        if self.expr.is_none() {
            warnings
                .push("the age of its samples cannot be asked for: gonogo cannot read the expression".into());
        }
        for doubt in doubts {
            if !warnings.contains(&doubt) {
                warnings.push(doubt);
            }
        }
        let behind = behind.into_iter().map(|(labels, _, behind)| (labels.clone(), behind)).collect();
        self.behind = behind;
        Ok((points, warnings))
    }

    /// The age of a sample is told by the moment of evaluation. Where that is neither the server's own
    /// time nor this program's, it may be an answer kept from earlier, and its age is anybody's guess.
    fn doubt(&self, reply: &Reply, asked: Time) -> Option<String> {
        let at = reply.value.evaluated()?;
        let clock = reply.date.unwrap_or(asked);
        // A whole second is what `Date` leaves open.
        let off = at.since(clock).max(clock.since(at)).saturating_sub(Duration::from_secs(1));
        let side = if at > clock { "ahead of" } else { "behind" };
        let whose = if reply.date.is_some() { "its own" } else { "this" };
        (off > self.max_age / 2).then(|| format!("evaluated {} {side} {whose} clock", short(off)))
    }

    fn behind(&self, labels: &Labels, oldest: &[Oldest], dead: &[Oldest], now: Time) -> Behind {
        if let Some(at) = freshness::of_row(labels, oldest) {
            return Behind::Living(at);
        }
        let window = self.window();
        let before = self.behind.get(labels);
        if window.is_zero() {
            // The values were asked for in the moment in which the series died: what was known of it
            // before holds for this once.
            return match before {
                Some(Behind::Living(at)) => Behind::Dead(*at),
                _ => Behind::Nothing,
            };
        }
        // Give or take a step, so that a sample that still weighs is not taken for none.
        let weighs = |at: &Time| *at > now.before(window + DEAD_STEP);
        if let Some(at) = freshness::of_row(labels, dead).filter(weighs) {
            return Behind::Dead(at);
        }
        match before {
            Some(Behind::Living(at) | Behind::Dead(at)) if *at > now.before(window) => Behind::Dead(*at),
            _ => Behind::Nothing,
        }
    }

    fn window(&self) -> Duration {
        self.expr.as_ref().map(Expr::window).unwrap_or_default()
    }

    /// Which selectors have series, where the reason why nothing is told has to be asked anew;
    /// `None` where the answer holds something, or nothing changed since.
    pub(super) fn unexplained(&mut self, answer: &SignalAnswer, ages: &Ages, now: Time) -> Option<Vec<bool>> {
        if !matches!(&answer.result, Ok(points) if points.is_empty()) || self.expr.is_none() {
            self.absence = None;
            return None;
        }
        let alive = |question: &String| ages.of(question).is_ok_and(|age| !age.oldest.is_empty());
        let alive: Vec<bool> = self.ages().iter().map(alive).collect();
        let holds = |then: &Absence| then.alive == alive && now.since(then.asked) < REASON;
        let known = self.absence.as_ref().is_some_and(holds);
        (!known).then_some(alive)
    }

    /// Keeps a reason until something changes.
    pub(super) fn explain(&mut self, alive: Vec<bool>, asked: Time, why: Option<String>) {
        self.absence = Some(Absence { alive, asked, why });
    }

    /// Why its last answer was empty.
    pub(super) fn absence(&self) -> Option<&str> {
        self.absence.as_ref().and_then(|absence| absence.why.as_deref())
    }
}

/// What all of these questions came to, and the doubts about it.
fn all_of(ages: &Ages, questions: &[String]) -> Result<(Vec<Oldest>, Vec<String>), Fault> {
    let mut all = (Vec::new(), Vec::new());
    for question in questions {
        let age = ages.of(question)?;
        all.0.push(age.oldest);
        all.1.extend(age.warnings);
    }
    Ok(all)
}

fn rows(value: &Value) -> Result<Vec<(&Labels, f64)>, Fault> {
    static NO_LABELS: LazyLock<Labels> = LazyLock::new(Labels::none);
    let no_number = |text: &str| Err(Fault::new(FaultCode::Query, text));
    match value {
        Value::Scalar(_, value) => Ok(vec![(&NO_LABELS, *value)]),
        Value::Vector(rows) => {
            // Of two values for one series, nobody knows which is true.
            let mut seen = HashSet::new();
            if let Some((twice, ..)) = rows.iter().find(|(labels, ..)| !seen.insert(labels)) {
                return Err(Fault::new(
                    FaultCode::Unreadable,
                    format!("the answer cannot be read: two values for {twice}"),
                ));
            }
            Ok(rows.iter().map(|(labels, _, value)| (labels, *value)).collect())
        }
        Value::String(..) => no_number("a string is no number"),
        Value::Matrix(_) => no_number("a range of samples is no single value"),
    }
}
