//! How old the samples behind answers are: questions that several signals of a source ask alike are
//! answered once a poll.

use std::collections::HashMap;

use crate::model::{Labels, Time};
use crate::promql::{Expr, History, Standing, Value};

/// More questions than this are forgotten, and asked anew: an endpoint may change its labels.
const MOST: usize = 2_000;

/// The questions of a source's signals.
#[derive(Default)]
pub(super) struct Ages {
    questions: Vec<Question>,
    places: HashMap<String, usize>,
    /// Changes when the questions are forgotten.
    pub(super) made: u64,
}

struct Question {
    expr: Standing,
    /// The answer of this poll.
    now: Option<Oldest>,
}

impl Ages {
    /// The answers of the poll before count no more.
    pub(super) fn next_poll(&mut self) {
        if self.questions.len() > MOST {
            (self.questions, self.places) = (Vec::new(), HashMap::new());
            self.made += 1;
        }
        self.questions.iter_mut().for_each(|question| question.now = None);
    }

    /// The place of a question; `None` for what is no expression.
    pub(super) fn place(&mut self, text: &str) -> Option<usize> {
        if let Some(place) = self.places.get(text) {
            return Some(*place);
        }
        let expr = Standing::new(Expr::parse(text).ok()?);
        self.questions.push(Question { expr, now: None });
        self.places.insert(text.to_owned(), self.questions.len() - 1);
        Some(self.questions.len() - 1)
    }

    /// Answers these questions for `now`, the moment of the poll.
    pub(super) fn ask(&mut self, places: &[usize], history: &History, now: Time) {
        for place in places {
            if let Some(question) = self.questions.get_mut(*place)
                && question.now.is_none()
            {
                question.now = Some(Oldest::of(&mut question.expr, history, now));
            }
        }
    }

    /// When the oldest sample behind a row was taken, by the answers to these questions.
    pub(super) fn of_row(&self, places: &[usize], row: &Labels) -> Option<Time> {
        let answers = places.iter().filter_map(|place| self.questions.get(*place)?.now.as_ref());
        answers.filter_map(|oldest| oldest.of_row(row)).min()
    }

    /// The same at another moment.
    pub(super) fn of_row_at(
        &mut self,
        places: &[usize],
        row: &Labels,
        history: &History,
        at: Time,
    ) -> Option<Time> {
        let mut oldest = None;
        for place in places {
            let Some(question) = self.questions.get_mut(*place) else { continue };
            let found = Oldest::of(&mut question.expr, history, at).of_row(row);
            oldest = oldest.into_iter().chain(found).min();
        }
        oldest
    }
}

/// The oldest sample of each group of series that one selector finds: groups by the names of their
/// labels, sorted by their labels, so that a row's are found without a look at all others.
#[derive(Debug, Default)]
struct Oldest(Vec<Named>);

/// The names of the labels of groups, and the groups.
type Named = (Vec<String>, Vec<(Labels, Time)>);

impl Oldest {
    fn of(expr: &mut Standing, history: &History, at: Time) -> Self {
        let mut oldest = Self::default();
        if let Ok(Value::Vector(rows)) = expr.instant(history, at) {
            for (labels, seconds) in rows {
                if let Some(time) = Time::from_seconds(seconds) {
                    oldest.add(labels, time);
                }
            }
        }
        oldest.0.iter_mut().for_each(|(_, groups)| groups.sort_by(|a, b| a.0.cmp(&b.0)));
        oldest
    }

    fn add(&mut self, labels: Labels, time: Time) {
        let has = |names: &[String]| names.iter().map(String::as_str).eq(labels.iter().map(|(name, _)| name));
        if let Some((_, groups)) = self.0.iter_mut().find(|(names, _)| has(names)) {
            groups.push((labels, time));
        } else {
            let names = labels.iter().map(|(name, _)| name.to_owned()).collect();
            self.0.push((names, vec![(labels, time)]));
        }
    }

    /// Of the groups whose labels are all on the row.
    fn of_row(&self, row: &Labels) -> Option<Time> {
        let of = |(names, groups): &Named| {
            let wanted = || names.iter().map(|name| row.get(name).unwrap_or(""));
            let place = groups.binary_search_by(|(own, _)| own.iter().map(|(_, value)| value).cmp(wanted()));
            place.ok().and_then(|place| groups.get(place)).map(|(_, time)| *time)
        };
        self.0.iter().filter_map(of).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources::freshness;

    #[test]
    fn a_rows_groups_are_those_whose_labels_are_all_on_it() {
        let mut all = Vec::new();
        for i in 0..60_i64 {
            let (queue, pod) = (format!("q{}", i * 7 % 10), format!("p{}", i % 4));
            let pairs = [("queue", queue.as_str()), ("pod", pod.as_str()), ("zone", "a")];
            let keep = (i % 5) as usize;
            let labels = Labels::from_pairs(pairs.into_iter().take(keep.min(3)));
            if !all.iter().any(|(known, _)| *known == labels) {
                all.push((labels, Time::from_millis(i * 37 % 100)));
            }
        }
        let mut oldest = Oldest::default();
        for (labels, time) in &all {
            oldest.add(labels.clone(), *time);
        }
        oldest.0.iter_mut().for_each(|(_, groups)| groups.sort_by(|a, b| a.0.cmp(&b.0)));
        assert!(oldest.0.len() == 4 && all.len() > 10);
        let selectors = [all.clone()];
        for i in 0..12 {
            let queue = format!("q{i}");
            let row = Labels::from_pairs([("queue", queue.as_str()), ("pod", "p1"), ("zone", "b")]);
            assert_eq!(oldest.of_row(&row), freshness::of_row(&row, &selectors), "{row}");
        }
        assert_eq!(oldest.of_row(&Labels::none()), freshness::of_row(&Labels::none(), &selectors));
    }
}
