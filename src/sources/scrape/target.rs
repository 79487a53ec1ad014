//! One endpoint of a scrape source.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use crate::http::{Client, Request, Response, host_and_port};
use crate::model::{Fault, FaultCode, Labels, Time};
use crate::promql::Filter;
use crate::sources::exposition::{ACCEPT, Format, Reader, Sample, Summary};
use crate::sources::json::is_html;

/// Labels, value and the endpoint's own timestamp of one sample.
pub(super) type Row = (Labels, f64, Option<Time>);

/// The most bytes of a series' labels: what a screen, a page or a log could never show.
const MAX_LABELS: usize = 16 * 1024;
/// What the labels of a series may take in memory, on average, before series are left out.
const BYTES_A_SERIES: usize = 512;
/// What a label takes in memory beside its text.
const BYTES_A_LABEL: usize = 96;
/// How far ahead of this clock a sample may be stamped: `Date` and many exporters tell whole seconds.
const AHEAD: Duration = Duration::from_secs(1);

/// What the endpoints of a source may keep together in one poll.
pub(super) struct Room {
    series: Cell<usize>,
    bytes: Cell<usize>,
}

impl Room {
    pub(super) fn new(max_series: usize) -> Self {
        let bytes = max_series.saturating_mul(BYTES_A_SERIES).max(MAX_LABELS);
        Self { series: Cell::new(max_series), bytes: Cell::new(bytes) }
    }

    /// Takes what one series with labels of this size needs, if there is room for it.
    fn take(&self, size: usize) -> bool {
        let (Some(series), Some(bytes)) =
            (self.series.get().checked_sub(1), self.bytes.get().checked_sub(size))
        else {
            return false;
        };
        self.series.set(series);
        self.bytes.set(bytes);
        true
    }
}

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

/// What an endpoint sent.
pub(super) struct Sent {
    pub(super) rows: Vec<Row>,
    pub(super) summary: Summary,
    /// Wanted samples beyond the most that can be kept.
    pub(super) cut: usize,
    /// Wanted samples with labels too long to be kept.
    pub(super) too_long: usize,
    /// Wanted samples that are stamped later than now, and the furthest of them; they are not kept.
    pub(super) ahead: (usize, Duration),
    /// Wanted samples that are stamped so long ago that nothing looks back to them, and the furthest.
    pub(super) behind: (usize, Duration),
}

impl Sent {
    fn nothing() -> Self {
        let summary = Summary::default();
        let none = (0, Duration::ZERO);
        Self { rows: Vec::new(), summary, cut: 0, too_long: 0, ahead: none, behind: none }
    }

    fn keep(&mut self, row: Row, now: Time, room: &Room) {
        let size = size(&row.0);
        let further = |so_far: &mut (usize, Duration), by| *so_far = (so_far.0 + 1, so_far.1.max(by));
        if size > MAX_LABELS {
            self.too_long += 1;
        } else if let Some(stamp) = row.2.filter(|stamp| stamp.since(now) > AHEAD) {
            further(&mut self.ahead, stamp.since(now));
        } else if room.take(size) {
            if let Some(stamp) = row.2.filter(|stamp| now.since(*stamp) > super::LOOKBACK) {
                further(&mut self.behind, now.since(stamp));
            }
            self.rows.push(row);
        } else {
            self.cut += 1;
        }
    }
}

fn size(labels: &Labels) -> usize {
    labels.iter().map(|(name, value)| BYTES_A_LABEL + name.len() + value.len()).sum()
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

    /// Fetches and reads the endpoint at `now`, keeping wanted samples while there is room.
    pub(super) async fn scrape(&self, client: &Client, filter: &Filter, now: Time, room: &Room) -> Scraped {
        let begun = Instant::now();
        let (outcome, date) = match client.send(&self.request).await {
            Ok(mut response) => (self.read(&mut response, filter, (now, begun), room).await, response.date),
            Err(fault) => (Err(fault), None),
        };
        Scraped { outcome, took: begun.elapsed(), date }
    }

    async fn read(
        &self,
        response: &mut Response,
        filter: &Filter,
        (asked, begun): (Time, Instant),
        room: &Room,
    ) -> Result<Sent, Fault> {
        if let Some(fault) = response.fault() {
            return Err(fault);
        }
        let format = Format::of_content_type(response.content_type.as_deref())
            .ok_or_else(|| not_metrics(response.content_type.as_deref().unwrap_or_default()))?;
        let mut reader = Reader::new(format, filter);
        let mut sent = Sent::nothing();
        // A sample may have been taken while the answer was on its way.
        let now = asked.after(begun.elapsed());
        let mut keep = |sample: Sample| {
            let labels = self.labelled(&sample.labels);
            if !filter.wants(&labels) {
                return;
            }
            let row = (labels, sample.value, sample.timestamp_ms.map(Time::from_millis));
            sent.keep(row, now, room);
        };
        let mut said = false;
        while let Some(slice) = response.slice().await? {
            if !said && let Some(first) = slice.iter().find(|b| !b.is_ascii_whitespace()) {
                said = true;
                if *first == b'<' {
                    return Err(not_metrics("text/html"));
                }
            }
            reader.feed(&slice, &mut keep);
        }
        sent.summary = reader.finish(&mut keep);
        let newline = sent.summary.newline;
        // Some never end their last line; one that did, and does not now, sent less than it has.
        if !newline && self.ends_lines.load(Ordering::Relaxed) {
            return Err(Fault::new(FaultCode::CutShort, "cut short: it ends within a line"));
        }
        match (&sent.summary, format) {
            _ if !said => Err(Fault::new(FaultCode::CutShort, "an empty answer")),
            (Summary { complete: true, .. }, _) => {
                self.ends_lines.store(newline, Ordering::Relaxed);
                Ok(sent)
            }
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
