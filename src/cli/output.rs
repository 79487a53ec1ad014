//! What commands print.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::{self, Write};

use crate::model::text;

/// Text for people or JSON for programs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Output {
    /// Tables and sentences.
    #[default]
    Text,
    /// One JSON document.
    Json,
}

/// Writes text to stdout as it is.
///
/// # Errors
/// The pipe's; `cli::exit` ends quietly on a closed one.
pub fn print(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// Writes one JSON document and a newline.
///
/// # Errors
/// As [`print`].
pub fn json(value: &serde_json::Value) -> io::Result<()> {
    print(&format!("{}\n", visible(&value.to_string())))
}

/// A JSON document without characters that could steer a terminal or hide from the eye: a program
/// reads the same from their escapes. Such characters stand in its strings only.
pub(super) fn visible(document: &str) -> Cow<'_, str> {
    if document.is_ascii()
        || document.chars().all(|c| matches!(text::harmless(c.encode_utf8(&mut [0; 4])), Cow::Borrowed(_)))
    {
        return document.into();
    }
    let mut out = String::with_capacity(document.len() + 64);
    for c in document.chars() {
        match text::harmless(c.encode_utf8(&mut [0; 4])) {
            Cow::Borrowed(_) => out.push(c),
            Cow::Owned(_) => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
        }
    }
    out.into()
}

/// Writes an error to stderr; a closed stderr is no reason to panic.
pub fn complain(text: &str) {
    let _ = writeln!(io::stderr().lock(), "gonogo: {}", text.trim_end());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_json_document_shows_what_hides_from_the_eye_and_means_the_same() {
        let value = serde_json::json!({ "a\u{202e}b": "\u{1b}[31m \u{e0041} Größe 日本" });
        let shown = visible(&value.to_string()).into_owned();
        assert_eq!(shown, r#"{"a\u202eb":"\u001b[31m \udb40\udc41 Größe 日本"}"#);
        assert_eq!(serde_json::from_str::<serde_json::Value>(&shown).unwrap(), value);
    }
}
