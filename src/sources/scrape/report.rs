//! What is said about a scrape of several endpoints.

use super::target::Scraped;
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
    fn sent(&mut self, sent: &super::target::Sent, instance: Option<&str>) {
        let (notes, summary) = (&mut self.notes, &sent.summary);
        let count = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
        notes.series_kept += sent.rows.len();
        notes.series_sent += count(summary.series_sent);
        notes.unreadable += count(summary.unreadable);
        notes.series_cut += count(summary.cut);
        notes.bytes += summary.bytes;
        let Some(first) = summary.first_unreadable.first() else { return };
        notes.first_unreadable.get_or_insert_with(|| (first.line, first.text.clone()));
        let lines = if summary.unreadable == 1 { "line" } else { "lines" };
        let whose = instance.map_or_else(String::new, |i| format!("{i}: "));
        let claims = sent.charset.as_ref().map(|c| format!(" (the answer claims {c})")).unwrap_or_default();
        self.warnings.push(format!(
            "{whose}{} {lines} unreadable, first at line {}: {}{claims}",
            summary.unreadable, first.line, first.text
        ));
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

    /// The numbers for the screen.
    pub(super) fn notes(&self, asked: Time) -> Notes {
        let clock_offset = self.date.map(|(date, took)| clock_offset(date, asked, took));
        Notes { clock_offset, ..self.notes.clone() }
    }
}
