//! What commands print.

use std::io::{self, Write};

use crate::model::text::visible_json;

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
    print(&format!("{}\n", visible_json(&value.to_string())))
}

/// Writes an error to stderr; a closed stderr is no reason to panic.
pub fn complain(text: &str) {
    let _ = writeln!(io::stderr().lock(), "gonogo: {}", text.trim_end());
}
