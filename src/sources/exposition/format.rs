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

/// The `Accept` header of a scrape, as Prometheus 3 sends it: `OpenMetrics`, else text, else whatever
/// there is; names in UTF-8 need no escaping.
pub const ACCEPT: &str = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,\
     application/openmetrics-text;version=0.0.1;q=0.5,\
     text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2";

/// The same where the older text was asked for by name.
pub const ACCEPT_TEXT: &str =
    "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.6,text/plain;version=0.0.4;q=0.5,*/*;q=0.2";

impl Format {
    /// The dialect a `Content-Type` header names; `None` where it is not an exposition (HTML, JSON):
    /// Prometheus 3 refuses those, an older one read them as text. A missing header, `text/plain` of
    /// any version, and `application/octet-stream` are text.
    pub fn of_content_type(header: Option<&str>) -> Option<Format> {
        let media = header.unwrap_or("").split(';').next().unwrap_or("").trim();
        match media.to_ascii_lowercase().as_str() {
            "" | "text/plain" | "application/octet-stream" => Some(Format::Text),
            "application/openmetrics-text" => Some(Format::OpenMetrics),
            _ => None,
        }
    }
}

/// The character set that a `Content-Type` header names, where it is not the one that metrics are
/// written in. They are read as UTF-8 all the same, as by a server, and what is none is unreadable.
pub fn foreign_charset(header: Option<&str>) -> Option<&str> {
    let charset = header?.split(';').skip(1).find_map(|part| {
        let (key, value) = part.split_once('=')?;
        key.trim().eq_ignore_ascii_case("charset").then(|| value.trim().trim_matches('"'))
    })?;
    let known = ["utf-8", "utf8", "us-ascii", "ascii"];
    (!known.iter().any(|known| charset.eq_ignore_ascii_case(known))).then_some(charset)
}

#[cfg(test)]
mod tests {
    use super::{Format, foreign_charset};

    #[test]
    fn a_character_set_is_foreign_where_it_is_named_and_not_utf_8() {
        for (header, foreign) in [
            (None, None),
            (Some("text/plain"), None),
            (Some("text/plain; version=0.0.4; charset=UTF-8"), None),
            (Some("text/plain; charset=\"utf8\""), None),
            (Some("text/plain; Charset=ISO-8859-1; version=0.0.4"), Some("ISO-8859-1")),
            (Some("application/openmetrics-text; charset=utf-16"), Some("utf-16")),
        ] {
            assert_eq!(foreign_charset(header), foreign, "{header:?}");
        }
    }

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
