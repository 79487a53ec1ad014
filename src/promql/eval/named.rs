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
}

impl<'h> Named<'h> {
    pub(in crate::promql) fn of(labels: &'h Labels) -> Self {
        Self { labels: Cow::Borrowed(labels), nameless: false }
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        if self.nameless && name == NAME { None } else { self.labels.get(name) }
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
        Self { labels: Cow::Owned(labels), nameless: false }
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

/// Groups in the order in which they are met first; the labels of each are made once.
pub(super) struct Groups<'r> {
    rule: Rule<'r>,
    labels: Vec<Labels>,
    places: HashMap<u64, Vec<usize>>,
}

impl<'r> Groups<'r> {
    pub(super) fn by(rule: Rule<'r>) -> Self {
        Self { rule, labels: Vec::new(), places: HashMap::new() }
    }

    /// The group of a series, where it is known.
    pub(super) fn find(&self, series: &Named<'_>) -> Option<usize> {
        self.among(self.places.get(&self.rule.hash(series))?, series)
    }

    /// The group of a series, which is made where it is new.
    pub(super) fn place(&mut self, series: &Named<'_>) -> usize {
        let hash = self.rule.hash(series);
        if let Some(place) = self.places.get(&hash).and_then(|places| self.among(places, series)) {
            return place;
        }
        let place = self.labels.len();
        self.labels.push(self.rule.of(series));
        self.places.entry(hash).or_default().push(place);
        place
    }

    fn among(&self, places: &[usize], series: &Named<'_>) -> Option<usize> {
        let own = || series.iter().filter(|(name, _)| self.rule.keeps(name));
        places.iter().copied().find(|place| self.labels.get(*place).is_some_and(|l| l.iter().eq(own())))
    }

    /// The labels of each group.
    pub(super) fn into_labels(self) -> Vec<Labels> {
        self.labels
    }
}
