//! Lines that begin with `#`: HELP, TYPE, UNIT, `# EOF`, and remarks.

use std::borrow::Cow;

use prometheus_parse::{LineInfo, SampleType};

use super::sample_line::{is_blank, starts_name, unescape};
use super::{Flaw, Format, is_plain_name};

/// What a `#` line says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Comment<'l> {
    /// HELP of a family, unescaped.
    Help { name: Cow<'l, str>, help: Cow<'l, str> },
    /// TYPE of a family.
    Type { name: Cow<'l, str>, kind: &'static str },
    /// `# EOF` of `OpenMetrics`.
    Eof,
    /// Nothing that is kept.
    Remark,
}

/// The types of both dialects.
const KINDS: [&str; 9] =
    ["counter", "gauge", "histogram", "summary", "untyped", "unknown", "info", "stateset", "gaugehistogram"];

/// Reads a line that begins with `#`, without its line break.
pub(super) fn read(line: &str, format: Format) -> Result<Comment<'_>, Flaw> {
    // `LineInfo` takes any white space for a separator: right in the older text, too much for
    // OpenMetrics, where a server refuses all but single spaces.
    let known = if format == Format::Text { through_line_info(line) } else { None };
    known.map_or_else(|| ourselves(line, format), Ok)
}

/// What `prometheus-parse` makes of the line, where it is right: plain names without `:`, a HELP that
/// it did not trim, and the four types that it can tell apart.
fn through_line_info(line: &str) -> Option<Comment<'_>> {
    match LineInfo::parse(line) {
        LineInfo::Doc { metric_name, doc } => {
            let whole = line.strip_suffix(doc)?.bytes().next_back().is_some_and(is_blank);
            (whole && is_plain_name(metric_name))
                .then(|| Comment::Help { name: metric_name.into(), help: unescape_help(doc) })
        }
        LineInfo::Type { metric_name, metric_alias, sample_type } => {
            let kind = match sample_type {
                SampleType::Counter => "counter",
                SampleType::Gauge => "gauge",
                SampleType::Histogram => "histogram",
                SampleType::Summary => "summary",
                SampleType::Untyped => return None,
            };
            let alone = line.split_ascii_whitespace().nth(4).is_none();
            let name = metric_alias.unwrap_or(metric_name);
            (alone && is_plain_name(&name)).then(|| Comment::Type { name: name.into(), kind })
        }
        _ => None,
    }
}

fn ourselves(line: &str, format: Format) -> Result<Comment<'_>, Flaw> {
    let strict = format == Format::OpenMetrics;
    let remark = || {
        if strict {
            Err(Flaw::new("bad-comment", "OpenMetrics has no comments but HELP, TYPE, UNIT and # EOF"))
        } else {
            Ok(Comment::Remark)
        }
    };
    if strict && line == "# EOF" {
        return Ok(Comment::Eof);
    }
    let Some(rest) = line.strip_prefix('#').and_then(|rest| after_blanks(rest, strict)) else {
        return remark();
    };
    let Some((word, rest)) = ["HELP", "TYPE", "UNIT"].iter().find_map(|word| {
        let rest = rest.strip_prefix(word)?;
        Some((*word, after_blanks(rest, strict)?))
    }) else {
        return remark();
    };
    if word == "UNIT" && !strict {
        return Ok(Comment::Remark);
    }
    // A server takes HELP of what only begins like a name, and no name at all is worth a word.
    if word == "HELP" && !strict && name_of(rest).is_none() && rest.bytes().next().is_some_and(starts_name) {
        return Ok(Comment::Remark);
    }
    let (name, rest) = name_of(rest).ok_or_else(|| {
        Flaw::new("bad-comment", format!("{word} is followed by {rest:?}, which begins with no metric name"))
    })?;
    if strict && rest.is_empty() {
        return Err(Flaw::new("bad-comment", format!("{word} ends behind the name")));
    }
    match word {
        "HELP" => {
            let help = if strict {
                rest.get(1..).map(unescape)
            } else {
                after_blanks(rest, false).map(unescape_help)
            };
            Ok(Comment::Help { name, help: help.unwrap_or_default() })
        }
        "TYPE" => {
            let kind =
                if strict { rest.get(1..).unwrap_or_default() } else { rest.trim_matches([' ', '\t']) };
            let known = KINDS.iter().find(|known| **known == kind && !(strict && kind == "untyped"));
            let kind =
                known.ok_or_else(|| Flaw::new("bad-type", format!("{kind:?} is no type of metric")))?;
            Ok(Comment::Type { name, kind })
        }
        _ => {
            let unit = rest.get(1..).unwrap_or_default();
            let fits = unit.is_empty()
                || name.strip_suffix(unit).is_some_and(|stem| stem.len() > 1 && stem.ends_with('_'));
            if fits {
                Ok(Comment::Remark)
            } else {
                Err(Flaw::new("bad-comment", format!("the name {name:?} does not end in its unit, _{unit}")))
            }
        }
    }
}

/// What stands behind one space (`strict`) or at least one blank; `None` where there is none.
fn after_blanks(text: &str, strict: bool) -> Option<&str> {
    if strict {
        return text.strip_prefix(' ');
    }
    let rest = text.trim_start_matches([' ', '\t']);
    (rest.len() < text.len()).then_some(rest)
}

/// A metric name, plain or in quotes, and what stands behind it (nothing, or something that begins
/// with a blank).
fn name_of(text: &str) -> Option<(Cow<'_, str>, &str)> {
    if let Some(quoted) = text.strip_prefix('"') {
        let mut escaped = false;
        let end = quoted.find(|c| {
            let closes = c == '"' && !escaped;
            escaped = c == '\\' && !escaped;
            closes
        })?;
        let (name, rest) = quoted.split_at_checked(end)?;
        let rest = rest.strip_prefix('"')?;
        return (!name.is_empty() && blank_or_end(rest)).then(|| (unescape(name), rest));
    }
    let end = text.find([' ', '\t']).unwrap_or(text.len());
    let (name, rest) = text.split_at_checked(end)?;
    is_plain_name(name).then(|| (name.into(), rest))
}

fn blank_or_end(text: &str) -> bool {
    text.bytes().next().is_none_or(is_blank)
}

/// Undoes `\\` and `\n`: in the older text a quote in HELP needs no backslash and loses none.
fn unescape_help(text: &str) -> Cow<'_, str> {
    if !text.contains('\\') {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('\\') {
        out.push_str(before);
        rest = if let Some(behind) = behind.strip_prefix('\\') {
            out.push('\\');
            behind
        } else if let Some(behind) = behind.strip_prefix('n') {
            out.push('\n');
            behind
        } else {
            out.push('\\');
            behind
        };
    }
    out.push_str(rest);
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn help<'l>(name: &'l str, help: &'l str) -> Comment<'l> {
        Comment::Help { name: name.into(), help: help.into() }
    }

    fn kind<'l>(name: &'l str, kind: &'static str) -> Comment<'l> {
        Comment::Type { name: name.into(), kind }
    }

    #[test]
    fn help_and_type_of_the_text_format_are_read_whoever_reads_them() {
        for (line, expected) in [
            ("# HELP a Some help.", help("a", "Some help.")),
            ("#\tHELP \t a \t Some  help", help("a", "Some  help")),
            ("# HELP a ends with a blank ", help("a", "ends with a blank ")),
            (r#"# HELP a \\ and \n and \" and \x"#, help("a", "\\ and \n and \\\" and \\x")),
            ("# HELP a", help("a", "")),
            ("# HELP a ", help("a", "")),
            ("# HELP ns:rec recorded", help("ns:rec", "recorded")),
            (r#"# HELP "my.metric" quoted"#, help("my.metric", "quoted")),
            (r#"# HELP "my \"odd\" metric" quoted"#, help("my \"odd\" metric", "quoted")),
            ("# HELP a \u{a0}nbsp", help("a", "\u{a0}nbsp")),
            ("# TYPE a counter", kind("a", "counter")),
            ("# \tTYPE  a\t histogram \t", kind("a", "histogram")),
            ("# TYPE ns:rec gauge", kind("ns:rec", "gauge")),
            ("# TYPE a untyped", kind("a", "untyped")),
            ("# TYPE a stateset", kind("a", "stateset")),
            ("# TYPE a gaugehistogram", kind("a", "gaugehistogram")),
            (r#"# TYPE "my.metric" summary"#, kind("my.metric", "summary")),
            ("#", Comment::Remark),
            ("#HELP a b", Comment::Remark),
            ("# HELPER a b", Comment::Remark),
            ("# HELP", Comment::Remark),
            ("# UNIT a seconds", Comment::Remark),
            ("# EOF", Comment::Remark),
            ("# anything \\ else", Comment::Remark),
            ("# HELP größe x", Comment::Remark),
            ("# HELP my-metric x", Comment::Remark),
        ] {
            assert_eq!(read(line, Format::Text), Ok(expected), "{line}");
        }
        for (line, code) in [
            ("# TYPE a conter", "bad-type"),
            ("# TYPE a counter x", "bad-type"),
            ("# TYPE a Counter", "bad-type"),
            ("# TYPE a", "bad-type"),
            ("# TYPE #", "bad-comment"),
            ("# HELP 1a x", "bad-comment"),
            ("# HELP \"\" x", "bad-comment"),
            ("# HELP ", "bad-comment"),
        ] {
            assert_eq!(read(line, Format::Text).unwrap_err().code, code, "{line}");
        }
    }

    #[test]
    fn openmetrics_takes_single_spaces_its_own_types_and_nothing_behind() {
        for (line, expected) in [
            ("# EOF", Comment::Eof),
            ("# TYPE a info", kind("a", "info")),
            ("# TYPE \"my.metric\" unknown", kind("my.metric", "unknown")),
            (r#"# HELP a \"quoted\" \n"#, help("a", "\"quoted\" \n")),
            ("# HELP a ", help("a", "")),
            ("# UNIT a_seconds seconds", Comment::Remark),
            ("# UNIT a ", Comment::Remark),
        ] {
            assert_eq!(read(line, Format::OpenMetrics), Ok(expected), "{line}");
        }
        for (line, code) in [
            ("# EOF ", "bad-comment"),
            ("# EOFa 1", "bad-comment"),
            ("#EOF", "bad-comment"),
            ("# a remark", "bad-comment"),
            ("#\tTYPE a counter", "bad-comment"),
            ("# TYPE  a counter", "bad-comment"),
            ("# TYPE a  counter", "bad-type"),
            ("# TYPE a counter ", "bad-type"),
            ("# TYPE a untyped", "bad-type"),
            ("# HELP a", "bad-comment"),
            ("# UNIT a_seconds bytes", "bad-comment"),
            ("# UNIT seconds seconds", "bad-comment"),
        ] {
            assert_eq!(read(line, Format::OpenMetrics).unwrap_err().code, code, "{line}");
        }
    }
}
