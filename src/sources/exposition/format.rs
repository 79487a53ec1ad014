//! The dialects, and how a server says which one it speaks.

/// Which dialect of the text is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// Text 0.0.4: timestamps are milliseconds.
    #[default]
    Text,
    /// `OpenMetrics` 1.0: timestamps are seconds with fractions, `# EOF` ends it.
    OpenMetrics,
}

/// The `Accept` header of a scrape: `OpenMetrics`, else text, else whatever there is.
pub const ACCEPT: &str = "application/openmetrics-text;version=1.0.0;q=0.8,\
     application/openmetrics-text;version=0.0.1;q=0.7,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";

impl Format {
    /// The dialect a `Content-Type` header names; `None` where it is not an exposition (HTML, JSON).
    /// A missing header, `text/plain` of any version, and `application/octet-stream` are text.
    pub fn of_content_type(header: Option<&str>) -> Option<Format> {
        let media = header.unwrap_or("").split(';').next().unwrap_or("").trim();
        match media.to_ascii_lowercase().as_str() {
            "" | "text/plain" | "application/octet-stream" => Some(Format::Text),
            "application/openmetrics-text" => Some(Format::OpenMetrics),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Format;

    #[test]
    fn a_content_type_names_the_dialect_or_says_that_this_is_no_exposition() {
        for (header, format) in [
            (None, Some(Format::Text)),
            (Some(""), Some(Format::Text)),
            (Some("text/plain"), Some(Format::Text)),
            (Some("text/plain; version=0.0.4; charset=utf-8"), Some(Format::Text)),
            (Some("Text/Plain;version=1.0.0;escaping=allow-utf-8"), Some(Format::Text)),
            (Some("application/octet-stream"), Some(Format::Text)),
            (Some("application/openmetrics-text; version=1.0.0; charset=utf-8"), Some(Format::OpenMetrics)),
            (Some("text/html; charset=utf-8"), None),
            (Some("application/json"), None),
            (Some("application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily"), None),
        ] {
            assert_eq!(Format::of_content_type(header), format, "{header:?}");
        }
    }
}
