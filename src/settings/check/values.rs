//! Single values: ids, words, lengths of time, numbers, paths.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::PathBuf;
use std::time::Duration;

use directories::BaseDirs;

use super::super::file::At;
use super::Check;
use crate::model::duration;
use crate::model::text::harmless_line;

/// The longest id: it becomes a part of file names.
const LONGEST_ID: usize = 80;

/// Ids that were seen, and where: the place in the text, because telling the line of each would cost a
/// long list the square of its length.
#[derive(Default)]
pub(super) struct Seen(BTreeMap<String, usize>);

impl Check<'_> {
    /// An id of allowed characters.
    pub(super) fn id_text(&mut self, id: &str, place: Range<usize>) {
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-".contains(c);
        if id.is_empty() || !id.chars().all(allowed) || id.starts_with('.') {
            let shown = harmless_line(id, 60);
            self.troubles.add(
                place,
                format!(
                    "{shown:?} is no id: write lower-case letters, digits, \".\", \"_\" and \"-\", not beginning with \".\""
                ),
            );
        } else if id.len() > LONGEST_ID {
            self.troubles.add(place, format!("an id has at most {LONGEST_ID} characters"));
        }
    }

    /// An id of allowed characters that was not seen before.
    pub(super) fn unique_id(&mut self, id: &At<String>, what: &str, seen: &mut Seen) {
        self.id_text(id.get(), id.span());
        self.once(id, what, seen);
    }

    /// Something that was not seen before.
    pub(super) fn once(&mut self, name: &At<String>, what: &str, seen: &mut Seen) {
        if let Some(first) = seen.0.insert(name.get().clone(), name.span().start) {
            let first = self.document.line_of(first);
            let shown = harmless_line(name.get(), 60);
            self.troubles.add(
                name.span(),
                format!("{what} {shown:?} is there already, in line {first}; each needs its own"),
            );
        }
    }

    /// Words for people: not blank.
    pub(super) fn words(&mut self, text: &At<String>) -> String {
        if text.get().trim().is_empty() {
            self.troubles.add(text.span(), "must not be blank");
        }
        text.get().trim().to_owned()
    }

    /// As [`Self::words`], where there are any.
    pub(super) fn some_words(&mut self, text: Option<&At<String>>) -> Option<String> {
        text.map(|text| self.words(text))
    }

    /// A length of time.
    pub(super) fn span(&mut self, text: &At<String>) -> Option<Duration> {
        match duration::parse(text.get()) {
            Ok(span) => Some(span),
            Err(message) => {
                self.troubles.add(text.span(), message);
                None
            }
        }
    }

    /// A length of time of at least `least`; `fallback` where there is none or it is wrong.
    pub(super) fn span_or(
        &mut self,
        text: Option<&At<String>>,
        least: Duration,
        fallback: Duration,
    ) -> Duration {
        let Some(text) = text else { return fallback };
        let Some(span) = self.span(text) else { return fallback };
        if span < least {
            let message =
                format!("{:?} is too short: at least {}", text.get().trim(), duration::short(least));
            self.troubles.add(text.span(), message);
            return fallback;
        }
        span
    }

    /// The oldest age that counts; one below the interval would never be met.
    pub(super) fn max_age(&mut self, text: Option<&At<String>>, every: Duration) -> Option<Duration> {
        let span = self.span(text?)?;
        if span.is_zero() {
            self.troubles.add(text?.span(), "max-age must be longer than nothing");
            return None;
        }
        if span < every {
            let message = format!(
                "max-age {} is shorter than the time between two polls ({}): no sample could ever count",
                duration::short(span),
                duration::short(every)
            );
            self.troubles.add(text?.span(), message);
            return None;
        }
        Some(span)
    }

    /// A number that can be compared with.
    pub(super) fn finite(&mut self, number: &At<f64>) -> f64 {
        if !number.get().is_finite() {
            self.troubles.add(number.span(), "must be a finite number: no comparison with this can hold");
        }
        *number.get()
    }

    /// A path relative to the file, or below the user's home directory for `~/`.
    pub(super) fn path(&mut self, text: &At<String>) -> PathBuf {
        if text.get().is_empty() || text.get().contains('\0') {
            self.troubles.add(text.span(), "is no path");
        }
        let Some(below) = text.get().strip_prefix("~/") else {
            return self.base.join(text.get());
        };
        let Some(dirs) = BaseDirs::new() else {
            self.troubles.add(text.span(), "no home directory is known here: write the whole path");
            return PathBuf::from(text.get());
        };
        dirs.home_dir().join(below)
    }
}
