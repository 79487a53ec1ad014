//! Families of samples become exposition text: the text format 0.0.4 or `OpenMetrics` 1.0, as the
//! Node client or the Go client prints it.

use std::borrow::Cow;
use std::fmt::Write as _;

use super::histogram::Histogram;
use crate::model::value;

/// The format of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Prometheus text, version 0.0.4.
    Text,
    /// `OpenMetrics` text, version 1.0.0.
    OpenMetrics,
}

impl Format {
    /// The content type of an answer.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Text => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }

    /// The format that an `Accept` header prefers: `OpenMetrics` where it is named with at least the
    /// weight of plain text (RFC 9110, section 12.5.1), plain text otherwise.
    pub fn accepted(accept: &str) -> Self {
        let weight = |media: &str| {
            let named = accept.split(',').filter_map(|range| {
                let mut parts = range.split(';').map(str::trim);
                let name = parts.next()?;
                let q = parts.find_map(|part| part.strip_prefix("q=")).map_or(Ok(1.0), str::parse::<f64>);
                name.eq_ignore_ascii_case(media).then_some(q.unwrap_or(0.0))
            });
            named.fold(0.0, f64::max)
        };
        let open = weight("application/openmetrics-text");
        if open > 0.0 && open >= weight("text/plain") { Self::OpenMetrics } else { Self::Text }
    }
}

/// Whose client library prints the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// prom-client: in the order of registration, a blank line between families.
    Node,
    /// `client_golang`: families and labels sorted, large numbers with an exponent.
    Go,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Counter,
    Gauge,
    Histogram,
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

type Label = (&'static str, Cow<'static, str>);

#[derive(Debug)]
enum Number {
    Count(u64),
    Float(f64),
}

#[derive(Debug)]
struct Sample {
    suffix: &'static str,
    labels: Vec<Label>,
    le: Option<f64>,
    number: Number,
}

/// A metric with its samples.
#[derive(Debug)]
pub struct Family {
    name: &'static str,
    help: &'static str,
    kind: Kind,
    samples: Vec<Sample>,
}

impl Family {
    /// A counter; its name ends in `_total`.
    pub fn counter(name: &'static str, help: &'static str) -> Self {
        Self { name, help, kind: Kind::Counter, samples: Vec::new() }
    }

    /// A gauge.
    pub fn gauge(name: &'static str, help: &'static str) -> Self {
        Self { name, help, kind: Kind::Gauge, samples: Vec::new() }
    }

    /// A classic histogram.
    pub fn histogram(name: &'static str, help: &'static str) -> Self {
        Self { name, help, kind: Kind::Histogram, samples: Vec::new() }
    }

    /// Adds a series that counts.
    #[must_use]
    pub fn count<const N: usize>(self, labels: [(&'static str, &str); N], count: u64) -> Self {
        self.add("", owned(labels), None, Number::Count(count))
    }

    /// Adds a series with any number.
    #[must_use]
    pub fn value<const N: usize>(self, labels: [(&'static str, &str); N], value: f64) -> Self {
        self.add("", owned(labels), None, Number::Float(value))
    }

    /// Adds the buckets, sum and count of a histogram.
    #[must_use]
    pub fn observed<const N: usize>(mut self, labels: [(&'static str, &str); N], of: &Histogram) -> Self {
        let labels = owned(labels);
        for (le, count) in of.cumulative() {
            self = self.add("_bucket", labels.clone(), Some(le), Number::Count(count));
        }
        self = self.add("_sum", labels.clone(), None, Number::Float(of.sum()));
        self.add("_count", labels, None, Number::Count(of.count()))
    }

    fn add(mut self, suffix: &'static str, labels: Vec<Label>, le: Option<f64>, number: Number) -> Self {
        self.samples.push(Sample { suffix, labels, le, number });
        self
    }

    /// Adds a label to every series, as a client library's default labels do.
    pub fn label_all(&mut self, name: &'static str, value: &'static str) {
        for sample in &mut self.samples {
            sample.labels.push((name, Cow::Borrowed(value)));
        }
    }
}

fn owned<const N: usize>(labels: [(&'static str, &str); N]) -> Vec<Label> {
    labels.into_iter().map(|(name, value)| (name, Cow::Owned(value.to_owned()))).collect()
}

/// The whole page.
pub fn page(mut families: Vec<Family>, dialect: Dialect, format: Format) -> String {
    if dialect == Dialect::Go {
        families.sort_by_key(|family| family.name);
        for sample in families.iter_mut().flat_map(|family| &mut family.samples) {
            sample.labels.sort();
        }
    }
    let mut out = String::with_capacity(families.iter().map(|f| 120 + 90 * f.samples.len()).sum());
    for family in &families {
        write_family(&mut out, family, dialect, format);
        if dialect == Dialect::Node && format == Format::Text {
            out.push('\n');
        }
    }
    if format == Format::OpenMetrics {
        out.push_str("# EOF\n");
    }
    out
}

fn write_family(out: &mut String, family: &Family, dialect: Dialect, format: Format) {
    // In OpenMetrics a counter's family has no suffix; its samples have.
    let title = match (format, family.kind) {
        (Format::OpenMetrics, Kind::Counter) => family.name.strip_suffix("_total").unwrap_or(family.name),
        _ => family.name,
    };
    let help = escaped(family.help, format == Format::OpenMetrics);
    let _ = writeln!(out, "# HELP {title} {help}\n# TYPE {title} {}", family.kind.word());
    for sample in &family.samples {
        let _ = write!(out, "{}{}", family.name, sample.suffix);
        let le = sample.le.map(|le| ("le", Cow::Owned(float(le, dialect, format))));
        for (i, (name, value)) in sample.labels.iter().chain(&le).enumerate() {
            let open = if i == 0 { '{' } else { ',' };
            let _ = write!(out, "{open}{name}=\"{}\"", escaped(value, true));
        }
        if !sample.labels.is_empty() || le.is_some() {
            out.push('}');
        }
        let _ = match sample.number {
            Number::Count(count) if whole(family.kind, dialect, format) => writeln!(out, " {count}"),
            Number::Count(count) => writeln!(out, " {}", float(count as f64, dialect, format)),
            Number::Float(number) => writeln!(out, " {}", float(number, dialect, format)),
        };
    }
}

/// Whether counts are printed as integers: the Go client does so in buckets of `OpenMetrics` only.
fn whole(kind: Kind, dialect: Dialect, format: Format) -> bool {
    dialect == Dialect::Node || (kind == Kind::Histogram && format == Format::OpenMetrics)
}

fn float(number: f64, dialect: Dialect, format: Format) -> String {
    if dialect == Dialect::Node || !number.is_finite() {
        return value::text(number);
    }
    let mut text = go_float(number);
    // The Go client marks floats in OpenMetrics.
    if format == Format::OpenMetrics && !text.contains(['.', 'e']) {
        text.push_str(".0");
    }
    text
}

/// `strconv.FormatFloat(v, 'g', -1, 64)`: the shortest digits, with an exponent of at least two
/// digits below 1e-4 and from 1e6 on.
fn go_float(number: f64) -> String {
    let scientific = format!("{number:e}");
    let Some((mantissa, exponent)) = scientific.split_once('e') else { return scientific };
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..6).contains(&exponent) {
        return value::text(number);
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.unsigned_abs())
}

/// Backslash and line feed escaped, and the quote where it would end a value.
fn escaped(text: &str, quotes: bool) -> Cow<'_, str> {
    if !text.contains(['\\', '\n', '"']) {
        return Cow::Borrowed(text);
    }
    let text = text.replace('\\', "\\\\").replace('\n', "\\n");
    Cow::Owned(if quotes { text.replace('"', "\\\"") } else { text })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_look_as_each_client_library_prints_them() {
        for (number, go) in [
            (0.0, "0"),
            (123_456.0, "123456"),
            (1_234_567.0, "1.234567e+06"),
            (1_764_684_131.204, "1.764684131204e+09"),
            (0.00025, "0.00025"),
            (0.000_012, "1.2e-05"),
            (f64::INFINITY, "+Inf"),
        ] {
            assert_eq!(float(number, Dialect::Go, Format::Text), go);
        }
        assert_eq!(float(1_764_684_131.0, Dialect::Node, Format::Text), "1764684131");
        assert_eq!(float(3.0, Dialect::Go, Format::OpenMetrics), "3.0");
    }

    #[test]
    fn a_page_of_the_node_client_keeps_its_order_and_separates_families() {
        let families = || {
            vec![
                Family::counter("b_total", "Two\nlines.").count([("z", "a\"\\\n"), ("a", "1")], 3),
                Family::gauge("a_bytes", "One.").value([], 0.5),
            ]
        };
        assert_eq!(
            page(families(), Dialect::Node, Format::Text),
            "# HELP b_total Two\\nlines.\n# TYPE b_total counter\nb_total{z=\"a\\\"\\\\\\n\",a=\"1\"} 3\n\n\
             # HELP a_bytes One.\n# TYPE a_bytes gauge\na_bytes 0.5\n\n"
        );
        assert_eq!(
            page(families(), Dialect::Go, Format::OpenMetrics),
            "# HELP a_bytes One.\n# TYPE a_bytes gauge\na_bytes 0.5\n\
             # HELP b Two\\nlines.\n# TYPE b counter\nb_total{a=\"1\",z=\"a\\\"\\\\\\n\"} 3.0\n# EOF\n"
        );
    }

    #[test]
    fn openmetrics_is_sent_to_those_who_prefer_it_only() {
        let prometheus = "application/openmetrics-text;version=1.0.0,\
                          application/openmetrics-text;version=0.0.1;q=0.75,\
                          text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
        assert_eq!(Format::accepted(prometheus), Format::OpenMetrics);
        for text in [
            "",
            "*/*",
            "text/plain;version=0.0.4, application/openmetrics-text;q=0.5",
            "application/openmetrics-text;q=0",
        ] {
            assert_eq!(Format::accepted(text), Format::Text, "{text}");
        }
    }
}
