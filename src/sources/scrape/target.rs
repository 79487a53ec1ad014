//! One endpoint of a scrape source.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use super::sent::{Keep, Row, Sent};
use crate::http::{Client, Request, Response, host_and_port};
use crate::model::labels::{LabelsBuf, LabelsRef};
use crate::model::{Fault, FaultCode, Labels, Time};
use crate::sources::exposition::{ACCEPT, Format, Reader, SampleRef, Summary, foreign_charset};
use crate::sources::json::is_html;

/// One endpoint.
pub(super) struct Target {
    request: Request,
    instance: String,
    labels: Labels,
    /// Whether an answer of it ended with a newline before.
    ends_lines: AtomicBool,
}

/// What one scrape of one endpoint came to.
pub(super) struct Scraped {
    pub(super) outcome: Result<Sent, Fault>,
    pub(super) took: Duration,
    /// The server's `Date`.
    pub(super) date: Option<Time>,
}

impl Scraped {
    pub(super) fn sent(&self) -> Option<&Summary> {
        self.outcome.as_ref().ok().map(|sent| &sent.summary)
    }

    pub(super) fn into_samples(self) -> Vec<Row> {
        self.outcome.map_or_else(|_| Vec::new(), |sent| sent.rows)
    }
}

impl Target {
    pub(super) fn new(job: &str, url: &str, labels: &Labels) -> Result<Self, Fault> {
        let instance = host_and_port(url).ok_or_else(|| {
            Fault::new(FaultCode::Unreachable, format!("source {job}: a URL cannot be read"))
        })?;
        // A source's own `job` or `instance` label goes first, as in Prometheus.
        let own = [("job", job), ("instance", instance.as_str())];
        let labels = Labels::from_pairs(own.into_iter().chain(labels.iter()));
        let request = Request { url: url.to_owned(), accept: Some(ACCEPT.to_owned()), ..Request::default() };
        Ok(Self { request, instance, labels, ends_lines: AtomicBool::new(false) })
    }

    /// Host and port.
    pub(super) fn instance(&self) -> &str {
        &self.instance
    }

    /// `job`, `instance` and the source's own labels.
    pub(super) fn labels(&self) -> &Labels {
        &self.labels
    }

    /// Fetches and reads the endpoint at `now`.
    pub(super) async fn scrape(&self, client: &Client, now: Time, keep: Keep<'_>) -> Scraped {
        let begun = Instant::now();
        let (outcome, date) = match client.send(&self.request).await {
            Ok(mut response) => {
                // A sample may have been taken while the answer was on its way.
                let had = now.after(begun.elapsed());
                (self.read(&mut response, had, keep).await, response.date)
            }
            Err(fault) => (Err(fault), None),
        };
        Scraped { outcome, took: begun.elapsed(), date }
    }

    async fn read(&self, response: &mut Response, now: Time, what: Keep<'_>) -> Result<Sent, Fault> {
        if let Some(fault) = response.fault() {
            return Err(fault);
        }
        let content_type = response.content_type.as_deref();
        let format = Format::of_content_type(content_type)
            .ok_or_else(|| not_metrics(content_type.unwrap_or_default()))?;
        let charset = foreign_charset(content_type).map(str::to_owned);
        let pick = |sent: LabelsRef<'_>, labels: &mut LabelsBuf| {
            self.put_labels(sent, labels);
            what.filter.wants(labels.labels())
        };
        let mut reader =
            Reader::new(format, what.filter).picking(&pick, what.max_series).with_max_line(what.max_line);
        let mut sent = Sent { charset, ..Sent::default() };
        let mut keep = |sample: SampleRef<'_>| {
            sent.keep(
                sample.labels,
                sample.value,
                sample.timestamp_ms.map(Time::from_millis),
                now,
                what.room,
            );
        };
        let mut said = false;
        while let Some(slice) = response.slice().await? {
            if !said && let Some(first) = slice.iter().find(|b| !b.is_ascii_whitespace()) {
                said = true;
                match *first {
                    b'<' => return Err(not_metrics("text/html")),
                    0x1f => return Err(not_metrics("gzip without saying so (Content-Encoding)")),
                    _ => {}
                }
            }
            reader.feed(&slice, &mut keep);
        }
        let summary = reader.finish(&mut keep);
        sent.summary = summary;
        if !said {
            return Err(Fault::new(FaultCode::CutShort, "an empty answer"));
        }
        self.whole(&sent, format)?;
        Ok(sent)
    }

    /// Whether an answer is all that the endpoint has.
    ///
    /// One hole stays: a `Content-Length` that is too short from the first answer on, and ends within
    /// the number of the last line (`31` of `312`). It looks like the answer of an exporter that never
    /// ends its last line (`BullMQ` has one, and Prometheus takes it), the client drops the bytes beyond
    /// the length, and a server that cuts each answer alike never shows the end of one.
    fn whole(&self, sent: &Sent, format: Format) -> Result<(), Fault> {
        let summary = &sent.summary;
        if let Some(line) = summary.no_metrics() {
            return Err(Fault::new(FaultCode::ContentType, without_metrics(sent, line)));
        }
        // Some never end their last line; one that did, and does not now, sent less than it has.
        let ended_before = self.ends_lines.load(Ordering::Relaxed);
        if summary.complete && (summary.newline || !ended_before) {
            self.ends_lines.store(summary.newline, Ordering::Relaxed);
            return Ok(());
        }
        let why = match format {
            Format::OpenMetrics if !summary.complete => "cut short: it has no # EOF",
            Format::OpenMetrics | Format::Text => "cut short: it ends within a line",
        };
        Err(Fault::new(FaultCode::CutShort, why))
    }

    /// The labels of a series as a scrape job would write them: the source's own are added, and those
    /// of the same name that the endpoint sent become `exported_…`.
    fn put_labels(&self, sent: LabelsRef<'_>, labels: &mut LabelsBuf) {
        if labels.join(sent, self.labels.as_ref()) {
            return;
        }
        let clashes = |name: &str| self.labels.get(name).is_some();
        let mut given: Vec<(String, String)> = Vec::new();
        for (name, value) in sent.iter() {
            let mut name = name.to_owned();
            if clashes(&name) {
                name.insert_str(0, "exported_");
                while clashes(&name)
                    || sent.get(&name).is_some()
                    || given.iter().any(|(before, _)| *before == name)
                {
                    name.insert_str(0, "exported_");
                }
            }
            given.push((name, value.to_owned()));
        }
        let own = self.labels.iter().map(|(n, v)| (n.to_owned(), v.to_owned()));
        labels.copy(Labels::from_pairs(given.into_iter().chain(own)).as_ref());
    }
}

/// What is said of an answer of which nothing is metrics; `line` is the first of it.
fn without_metrics(sent: &Sent, line: &str) -> String {
    if let Some(charset) = &sent.charset {
        return format!("answers text in {charset}, and metrics are UTF-8");
    }
    // A wanted line that is damaged says more by its flaw than by its text.
    match sent.summary.first_unreadable.first() {
        Some(first) if matches!(first.code, "not-utf8" | "too-long") => {
            format!("no metrics can be read, line {}: {}", first.line, first.text)
        }
        _ => format!("answers text without metrics: {line:?}"),
    }
}

fn not_metrics(content_type: &str) -> Fault {
    let what = if is_html(content_type) { "an HTML page".into() } else { content_type.to_owned() };
    Fault::new(FaultCode::ContentType, format!("answers {what}, not metrics"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scrape_adds_its_labels_and_renames_those_that_clash() {
        let own = Labels::from_pairs([("service", "worker")]);
        let target = Target::new("w", "http://me:pw@127.0.0.1:9464/metrics", &own).unwrap();
        let sent = |pairs: &[(&str, &str)]| {
            let mut labels = LabelsBuf::default();
            target.put_labels(Labels::from_pairs(pairs.iter().copied()).as_ref(), &mut labels);
            labels.labels().to_string()
        };
        let added = r#"instance="127.0.0.1:9464",job="w",service="worker"}"#;
        assert_eq!(sent(&[("__name__", "up"), ("a", "b")]), format!(r#"up{{a="b",{added}"#));
        assert_eq!(
            sent(&[("__name__", "x"), ("service", "s"), ("exported_service", "t")]),
            format!(r#"x{{exported_exported_service="s",exported_service="t",{added}"#)
        );
        // Each renamed label keeps its value, also where two would be called the same.
        let own = Labels::from_pairs([("service", "a"), ("exported_service", "b")]);
        let target = Target::new("w", "http://127.0.0.1:9464/metrics", &own).unwrap();
        let mut labels = LabelsBuf::default();
        let sent = Labels::from_pairs([("__name__", "x"), ("service", "s"), ("exported_service", "t")]);
        target.put_labels(sent.as_ref(), &mut labels);
        let labels = labels.labels();
        let mut values: Vec<&str> = labels.iter().map(|(_, value)| value).collect();
        values.sort_unstable();
        assert_eq!(values, ["127.0.0.1:9464", "a", "b", "s", "t", "w", "x"]);
    }
}
