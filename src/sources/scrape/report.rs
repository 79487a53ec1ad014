//! What is said about a scrape of several endpoints.

use super::target::Scraped;
use crate::model::duration::short;
use crate::model::poll::Notes;
use crate::model::{Fault, Time};
use crate::sources::clock_offset;

/// What a scrape came to, in words and numbers.
pub(super) struct Report {
    notes: Notes,
    warnings: Vec<String>,
    failed: Option<Fault>,
    /// A server's `Date`, and how long its answer took.
    date: Option<(Time, std::time::Duration)>,
}

/// Sums up the endpoints' scrapes.
pub(super) fn of<'a>(scraped: &'a [Scraped], instances: impl Iterator<Item = &'a str>) -> Report {
    let many = scraped.len() > 1;
    let mut report = Report { notes: Notes::default(), warnings: Vec::new(), failed: None, date: None };
    let (mut faults, mut first): (usize, Option<(&str, &Fault)>) = (0, None);
    let mut retry_after = None;
    for (scraped, instance) in scraped.iter().zip(instances) {
        report.date = report.date.or(scraped.date.map(|date| (date, scraped.took)));
        match &scraped.outcome {
            Ok(sent) => report.sent(sent, many.then_some(instance)),
            Err(fault) => {
                faults += 1;
                retry_after = retry_after.max(fault.retry_after);
                first.get_or_insert((instance, fault));
            }
        }
    }
    if let Some((instance, fault)) = first {
        if faults == scraped.len() {
            let text = if many {
                format!("{instance} {fault}, and {} more", faults - 1)
            } else {
                fault.text.clone()
            };
            report.failed = Some(Fault { retry_after, ..Fault::new(fault.code, text) });
        } else {
            report.warnings.insert(0, format!("{faults} of {} targets: {instance} {fault}", scraped.len()));
        }
    }
    report
}

impl Report {
    fn sent(&mut self, sent: &super::sent::Sent, instance: Option<&str>) {
        let (notes, summary) = (&mut self.notes, &sent.summary);
        let count = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
        notes.series_kept += sent.rows.len();
        notes.series_sent += count(summary.series_sent);
        notes.unreadable += count(summary.unreadable);
        notes.series_cut += count(summary.cut) + sent.cut;
        let whose = instance.map_or_else(String::new, |i| format!("{i}: "));
        for warning in doubts(sent) {
            self.warnings.push(format!("{whose}{warning}"));
        }
        let Some(first) = summary.first_unreadable.first() else { return };
        notes.first_unreadable.get_or_insert_with(|| (first.line, first.text.clone()));
        let lines = if summary.unreadable == 1 { "line" } else { "lines" };
        let claims = sent.charset.as_ref().map(|c| format!(" (the answer claims {c})")).unwrap_or_default();
        self.warnings.push(format!(
            "{whose}{} {lines} unreadable, first at line {}: {}{claims}",
            summary.unreadable, first.line, first.text
        ));
    }

    /// How many series were left out for want of room.
    pub(super) fn series_cut(&self) -> usize {
        self.notes.series_cut
    }

    /// Adds series that the history refused.
    pub(super) fn cut(&mut self, refused: usize) {
        self.notes.series_kept = self.notes.series_kept.saturating_sub(refused);
        self.notes.series_cut += refused;
        let cut = self.notes.series_cut;
        if cut > 0 {
            self.warnings.push(format!("{cut} series left out (max-series)"));
        }
    }

    /// The fault of the whole source, where no endpoint gave an answer.
    pub(super) fn failed(&self) -> Option<Fault> {
        self.failed.clone()
    }

    /// Why the numbers may be incomplete; true of every signal on the source.
    pub(super) fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// Server's clock less this program's, in seconds, where a server said its time.
    pub(super) fn clock_offset(&self, asked: Time) -> Option<f64> {
        self.date.map(|(date, took)| clock_offset(date, asked, took))
    }

    /// The numbers for the screen.
    pub(super) fn notes(&self, asked: Time) -> Notes {
        Notes { clock_offset: self.clock_offset(asked), ..self.notes.clone() }
    }
}

/// Why what an endpoint sent cannot be taken at its word, though it can be read.
fn doubts(sent: &super::sent::Sent) -> Vec<String> {
    let series = |count: usize| if count == 1 { "1 series".into() } else { format!("{count} series") };
    let mut doubts = Vec::new();
    let (ahead, behind) = (sent.ahead, sent.behind);
    if ahead.0 > 0 {
        doubts.push(format!("{} stamped {} ahead of this clock", series(ahead.0), short(ahead.1)));
    }
    if behind.0 > 0 {
        doubts.push(format!("{} stamped {} behind this clock", series(behind.0), short(behind.1)));
    }
    if sent.summary.conflicts > 0 {
        let count = usize::try_from(sent.summary.conflicts).unwrap_or(usize::MAX);
        doubts.push(format!("{} sent twice with different values", series(count)));
    }
    if sent.too_long > 0 {
        doubts.push(format!("{} left out: labels too long", series(sent.too_long)));
    }
    doubts
}
