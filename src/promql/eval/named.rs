//! The labels of a sample, and the groups that samples fall into.

use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::model::Labels;
use crate::model::labels::NAME;

/// Labels of which the metric's name may be left out without a copy.
#[derive(Clone, Debug)]
pub(in crate::promql) struct Named<'h> {
    labels: Cow<'h, Labels>,
    nameless: bool,
    /// The number of the track they are of, where they are still those of one.
    track: u32,
}

/// The number of no track.
const NONE: u32 = u32::MAX;

impl<'h> Named<'h> {
    /// The labels of the track with this number.
    pub(in crate::promql) fn of(labels: &'h Labels, track: usize) -> Self {
        Self { labels: Cow::Borrowed(labels), nameless: false, track: u32::try_from(track).unwrap_or(NONE) }
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        if self.nameless && name == NAME { None } else { self.labels.get(name) }
    }

    /// The metric's name.
    pub(super) fn name(&self) -> Option<&str> {
        if self.nameless { None } else { self.labels.name() }
    }

    /// A number that no other labels of the query have.
    fn number(&self) -> Option<usize> {
        (self.track != NONE).then_some(self.track as usize * 2 + usize::from(self.nameless))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &str)> + Clone {
        self.labels.iter().filter(|(name, _)| !(self.nameless && *name == NAME))
    }

    pub(super) fn without_name(self) -> Self {
        Self { nameless: true, ..self }
    }

    pub(super) fn with(&self, name: &str, value: &str) -> Self {
        Self::from(Labels::from_pairs(self.iter().chain(std::iter::once((name, value)))))
    }

    pub(in crate::promql) fn into_labels(self) -> Labels {
        if self.nameless && self.labels.name().is_some() {
            return self.labels.without_name();
        }
        self.labels.into_owned()
    }
}

impl From<Labels> for Named<'_> {
    fn from(labels: Labels) -> Self {
        Self { labels: Cow::Owned(labels), nameless: false, track: NONE }
    }
}

impl PartialEq for Named<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for Named<'_> {}

impl Hash for Named<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.iter().for_each(|pair| pair.hash(state));
    }
}

/// Which labels make a group.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rule<'r> {
    /// The listed labels make it; else all but those and the metric's name.
    pub(super) listed: bool,
    pub(super) labels: &'r [String],
    /// Where not listed: the metric's name is one of the labels like any other.
    pub(super) named: bool,
}

impl Rule<'_> {
    fn keeps(self, name: &str) -> bool {
        let listed = self.labels.iter().any(|label| label == name);
        if self.listed { listed } else { !listed && (self.named || name != NAME) }
    }

    /// The labels of the group that a series belongs to.
    pub(super) fn of(self, series: &Named<'_>) -> Labels {
        Labels::from_pairs(series.iter().filter(|(name, _)| self.keeps(name)))
    }

    fn hash(self, series: &Named<'_>) -> u64 {
        let mut hasher = DefaultHasher::new();
        if !(self.listed && self.labels.is_empty()) {
            series.iter().filter(|(name, _)| self.keeps(name)).for_each(|pair| pair.hash(&mut hasher));
        }
        hasher.finish()
    }
}

/// Groups that were met, by one rule; the labels of each are made once.
#[derive(Clone, Debug, Default)]
pub(super) struct Known {
    labels: Vec<Labels>,
    places: HashMap<u64, Vec<usize>>,
    /// The group of labels that have a number, so that they are read only once.
    numbered: Vec<u32>,
}

/// More groups than this are forgotten before the next evaluation: values may be made into labels.
const MOST_KNOWN: usize = 10_000;

impl Known {
    fn find(&self, rule: Rule<'_>, hash: u64, series: &Named<'_>) -> Option<usize> {
        let own = || series.iter().filter(|(name, _)| rule.keeps(name));
        let places = self.places.get(&hash)?;
        places.iter().copied().find(|place| self.labels.get(*place).is_some_and(|l| l.iter().eq(own())))
    }

    fn place(&mut self, rule: Rule<'_>, series: &Named<'_>) -> usize {
        let number = series.number();
        if let Some(place) = number.and_then(|number| self.numbered.get(number)).filter(|p| **p != NONE) {
            return *place as usize;
        }
        let hash = rule.hash(series);
        let place = self.find(rule, hash, series).unwrap_or_else(|| {
            self.labels.push(rule.of(series));
            self.places.entry(hash).or_default().push(self.labels.len() - 1);
            self.labels.len() - 1
        });
        if let Some(number) = number {
            if self.numbered.len() <= number {
                self.numbered.resize(number + 1, NONE);
            }
            if let Some(kept) = self.numbered.get_mut(number) {
                *kept = u32::try_from(place).unwrap_or(NONE);
            }
        }
        place
    }
}

/// Groups in the order in which they are met first.
pub(super) struct Groups<'r> {
    rule: Rule<'r>,
    known: Known,
    /// Which of the known groups were met, and the place of each known one among them.
    met: Vec<usize>,
    order: Vec<u32>,
}

impl<'r> Groups<'r> {
    pub(super) fn by(rule: Rule<'r>) -> Self {
        Self::knowing(rule, Known::default())
    }

    /// With what an evaluation before this one, by the same rule, found out.
    pub(super) fn knowing(rule: Rule<'r>, known: Known) -> Self {
        let known = if known.labels.len() > MOST_KNOWN { Known::default() } else { known };
        let order = vec![NONE; known.labels.len()];
        Self { rule, known, met: Vec::new(), order }
    }

    /// The group of a series, where it was met.
    pub(super) fn find(&self, series: &Named<'_>) -> Option<usize> {
        let known = self.known.find(self.rule, self.rule.hash(series), series)?;
        self.order.get(known).filter(|place| **place != NONE).map(|place| *place as usize)
    }

    /// The group of a series, which is made where it is new.
    pub(super) fn place(&mut self, series: &Named<'_>) -> usize {
        let known = self.known.place(self.rule, series);
        if known >= self.order.len() {
            self.order.resize(known + 1, NONE);
        }
        let Some(place) = self.order.get_mut(known) else { return 0 };
        if *place == NONE {
            *place = u32::try_from(self.met.len()).unwrap_or(NONE);
            self.met.push(known);
        }
        *place as usize
    }

    /// The labels of each group that was met, and what is known for the next time.
    pub(super) fn into_parts(self) -> (Vec<Labels>, Known) {
        let labels = self.met.iter().filter_map(|known| self.known.labels.get(*known).cloned()).collect();
        (labels, self.known)
    }

    /// The labels of each group that was met.
    pub(super) fn into_labels(self) -> Vec<Labels> {
        self.into_parts().0
    }
}
