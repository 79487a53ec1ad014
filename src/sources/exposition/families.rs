//! Families: what HELP and TYPE said, and which samples belong to them.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use super::Family;

/// The families of one text, in the order in which they came. HELP and TYPE of a name that come
/// again replace what was known, as in Prometheus: concatenated exports repeat them.
#[derive(Debug, Default)]
pub(super) struct Families {
    list: Vec<Entry>,
    by_name: HashMap<String, usize, RandomState>,
    /// The name of the last sample and its family: samples come in runs.
    last: (String, usize),
}

#[derive(Debug)]
struct Entry {
    family: Family,
    /// Whether one of its samples, or the family itself, is wanted.
    wanted: bool,
}

/// The endings of samples by which they belong to a family of another name, with its types.
const ENDINGS: [(&str, &[&str]); 8] = [
    ("_bucket", &["histogram", "gaugehistogram"]),
    ("_count", &["histogram", "summary"]),
    ("_sum", &["histogram", "summary"]),
    ("_gcount", &["gaugehistogram"]),
    ("_gsum", &["gaugehistogram"]),
    ("_total", &["counter"]),
    ("_created", &["counter", "histogram", "summary"]),
    ("_info", &["info"]),
];

impl Families {
    /// Keeps the help of a family.
    pub(super) fn help(&mut self, name: &str, help: &str, wanted: bool) {
        if let Some(entry) = self.entry(name, wanted) {
            entry.family.help = help.into();
        }
    }

    /// Keeps the type of a family.
    pub(super) fn kind(&mut self, name: &str, kind: &str, wanted: bool) {
        // What belonged to no family may belong to this one.
        self.last.0.clear();
        if let Some(entry) = self.entry(name, wanted) {
            entry.family.kind = kind.into();
        }
    }

    /// Counts a sample line with its family, which is its own name where none was declared.
    pub(super) fn count(&mut self, name: &str, wanted: bool) {
        if self.last.0 != name || name.is_empty() {
            let at = self.home(name);
            self.last.0.clear();
            self.last.0.push_str(name);
            self.last.1 = at;
        }
        if let Some(entry) = self.list.get_mut(self.last.1) {
            entry.wanted |= wanted;
            entry.family.series += u64::from(wanted);
        }
    }

    /// Those of which a name is wanted.
    pub(super) fn into_wanted(self) -> Vec<Family> {
        self.list.into_iter().filter(|entry| entry.wanted).map(|entry| entry.family).collect()
    }

    fn home(&mut self, name: &str) -> usize {
        if let Some(at) = self.by_name.get(name) {
            return *at;
        }
        let declared = ENDINGS.iter().find_map(|(ending, kinds)| {
            let at = *self.by_name.get(name.strip_suffix(ending)?)?;
            self.list.get(at).is_some_and(|entry| kinds.contains(&entry.family.kind.as_str())).then_some(at)
        });
        declared.unwrap_or_else(|| self.place(name))
    }

    fn entry(&mut self, name: &str, wanted: bool) -> Option<&mut Entry> {
        let at = self.place(name);
        let entry = self.list.get_mut(at)?;
        entry.wanted |= wanted;
        Some(entry)
    }

    fn place(&mut self, name: &str) -> usize {
        if let Some(at) = self.by_name.get(name) {
            return *at;
        }
        let family = Family { name: name.into(), kind: "unknown".into(), ..Family::default() };
        self.list.push(Entry { family, wanted: false });
        self.by_name.insert(name.into(), self.list.len() - 1);
        self.list.len() - 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_belong_to_the_family_that_declared_their_ending() {
        let mut families = Families::default();
        families.kind("h", "histogram", true);
        families.help("h", "old", true);
        families.help("h", "new", true);
        families.kind("c", "counter", true);
        for name in
            ["h_bucket", "h_bucket", "h_sum", "h_count", "c_total", "c_created", "c_sum", "lone_total"]
        {
            families.count(name, true);
        }
        let seen: Vec<_> =
            families.into_wanted().into_iter().map(|f| (f.name, f.kind, f.help, f.series)).collect();
        let family = |n: &str, k: &str, h: &str, s| (n.to_owned(), k.to_owned(), h.to_owned(), s);
        assert_eq!(
            seen,
            [
                family("h", "histogram", "new", 4),
                family("c", "counter", "", 2),
                family("c_sum", "unknown", "", 1),
                family("lone_total", "unknown", "", 1),
            ]
        );
    }
}
