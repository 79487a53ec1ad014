//! One endpoint of a scrape source.

use std::time::Duration;

use tokio::time::Instant;

use crate::http::{Client, Request, Response, host_and_port};
use crate::model::{Fault, FaultCode, Labels, Time};
use crate::promql::Filter;
use crate::sources::exposition::{ACCEPT, Format, Reader, Sample, Summary};
use crate::sources::json::is_html;

/// Labels, value and the endpoint's own timestamp of one sample.
pub type Row = (Labels, f64, Option<Time>);

/// One endpoint.
pub(super) struct Target {
    request: Request,
    instance: String,
    labels: Labels,
}

/// What one scrape of one endpoint came to.
pub(super) struct Scraped {
    pub(super) outcome: Result<Sent, Fault>,
    pub(super) took: Duration,
    /// The server's `Date`.
    pub(super) date: Option<Time>,
}

/// What an endpoint sent.
pub(super) struct Sent {
    pub(super) rows: Vec<Row>,
    pub(super) summary: Summary,
    /// Wanted samples beyond the most that can be kept.
    pub(super) cut: usize,
}

impl Scraped {
    pub(super) fn sent(&self) -> Option<&Summary> {
        self.outcome.as_ref().ok().map(|sent| &sent.summary)
    }

    pub(super) fn samples(&self) -> &[Row] {
        self.outcome.as_ref().map_or(&[], |sent| &sent.rows)
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
        Ok(Self { request, instance, labels })
    }

    /// Host and port.
    pub(super) fn instance(&self) -> &str {
        &self.instance
    }

    /// `job`, `instance` and the source's own labels.
    pub(super) fn labels(&self) -> &Labels {
        &self.labels
    }

    /// Fetches and reads the endpoint, keeping at most `max` wanted samples.
    pub(super) async fn scrape(&self, client: &Client, filter: &Filter, max: usize) -> Scraped {
        let begun = Instant::now();
        let (outcome, date) = match client.send(&self.request).await {
            Ok(mut response) => (self.read(&mut response, filter, max).await, response.date),
            Err(fault) => (Err(fault), None),
        };
        Scraped { outcome, took: begun.elapsed(), date }
    }

    async fn read(&self, response: &mut Response, filter: &Filter, max: usize) -> Result<Sent, Fault> {
        if let Some(fault) = response.fault() {
            return Err(fault);
        }
        let format = Format::of_content_type(response.content_type.as_deref())
            .ok_or_else(|| not_metrics(response.content_type.as_deref().unwrap_or_default()))?;
        let mut reader = Reader::new(format, filter);
        let mut sent = Sent { rows: Vec::new(), summary: Summary::default(), cut: 0 };
        let mut keep = |sample: Sample| {
            let labels = self.labelled(&sample.labels);
            if !filter.wants(&labels) {
                return;
            }
            if sent.rows.len() < max {
                sent.rows.push((labels, sample.value, sample.timestamp_ms.map(Time::from_millis)));
            } else {
                sent.cut += 1;
            }
        };
        let mut begun = false;
        while let Some(slice) = response.slice().await? {
            if !begun && let Some(first) = slice.iter().find(|b| !b.is_ascii_whitespace()) {
                begun = true;
                if *first == b'<' {
                    return Err(not_metrics("text/html"));
                }
            }
            reader.feed(&slice, &mut keep);
        }
        sent.summary = reader.finish(&mut keep);
        match (&sent.summary, format) {
            (summary, _) if summary.bytes == 0 => Err(Fault::new(FaultCode::CutShort, "an empty answer")),
            (Summary { complete: true, .. }, _) => Ok(sent),
            (_, Format::OpenMetrics) => Err(Fault::new(FaultCode::CutShort, "cut short: it has no # EOF")),
            (_, Format::Text) => Err(Fault::new(FaultCode::CutShort, "cut short: it ends within a line")),
        }
    }

    /// The labels of a series as a scrape job would write them: the source's own are added, and those
    /// of the same name that the endpoint sent become `exported_…`.
    fn labelled(&self, sent: &Labels) -> Labels {
        let clashes = |name: &str| self.labels.get(name).is_some();
        if !sent.iter().any(|(name, _)| clashes(name)) {
            return Labels::from_pairs(sent.iter().chain(self.labels.iter()));
        }
        let renamed = sent.iter().map(|(name, value)| {
            let mut name = name.to_owned();
            if clashes(&name) {
                name.insert_str(0, "exported_");
                while clashes(&name) || sent.get(&name).is_some() {
                    name.insert_str(0, "exported_");
                }
            }
            (name, value.to_owned())
        });
        Labels::from_pairs(renamed.chain(self.labels.iter().map(|(n, v)| (n.to_owned(), v.to_owned()))))
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
        let sent =
            |pairs: &[(&str, &str)]| target.labelled(&Labels::from_pairs(pairs.iter().copied())).to_string();
        let added = r#"instance="127.0.0.1:9464",job="w",service="worker"}"#;
        assert_eq!(sent(&[("__name__", "up"), ("a", "b")]), format!(r#"up{{a="b",{added}"#));
        assert_eq!(
            sent(&[("__name__", "x"), ("service", "s"), ("exported_service", "t")]),
            format!(r#"x{{exported_exported_service="s",exported_service="t",{added}"#)
        );
    }
}
