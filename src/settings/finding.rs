//! What is wrong in a file, and where: for people with a picture, for programs with its place.

use std::fmt::Write as _;
use std::io;
use std::path::Path;

use super::picture::{self, Picture};
use crate::model::text::harmless;

/// One thing that is wrong in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The file, as it was called.
    pub file: String,
    /// 1-based; 0 where the file could not be read at all.
    pub line: usize,
    /// 1-based, in characters; 0 where the file could not be read at all.
    pub column: usize,
    /// The key it is about, `source.worker.timeout` or `signal[0].query`; empty for the whole file.
    pub key: String,
    /// What was found and what is allowed, in one line.
    pub message: String,
    /// The line of the file with a mark under it.
    pub(super) picture: Option<Picture>,
}

impl Finding {
    /// A finding about a whole file.
    pub(super) fn of_file(file: &str, message: impl Into<String>) -> Self {
        Self {
            file: harmless(file).into_owned(),
            line: 0,
            column: 0,
            key: String::new(),
            message: message.into(),
            picture: None,
        }
    }

    /// `FILE:LINE:COLUMN: KEY: MESSAGE` and the picture under it.
    fn render(&self, styled: bool) -> String {
        let mut text = self.file.clone();
        if self.line > 0 {
            let _ = write!(text, ":{}:{}", self.line, self.column);
        }
        if !self.key.is_empty() {
            let _ = write!(text, ": {}", self.key);
        }
        let _ = write!(text, ": {}", self.message);
        if let Some(picture) = &self.picture {
            text.push('\n');
            text.push_str(&picture::draw(picture, styled));
        }
        text
    }
}

/// Something wrong in a file, with its place: prints as `FILE:LINE:COLUMN: …` and a mark under it.
/// All that was found is in `findings`, in the order of the file; the other fields tell the first.
#[derive(Debug, thiserror::Error)]
#[error("{rendered}")]
pub struct SettingsError {
    /// 1-based; 0 where the file could not be read at all.
    pub line: usize,
    /// 1-based, in characters.
    pub column: usize,
    /// The message without place and picture.
    pub message: String,
    /// The whole text for a terminal, without colours.
    pub rendered: String,
    /// Everything that was found; never empty.
    pub findings: Vec<Finding>,
}

impl SettingsError {
    /// All findings as text, with colours where `styled`.
    pub fn render(&self, styled: bool) -> String {
        render(&self.findings, styled)
    }

    pub(super) fn new(findings: Vec<Finding>) -> Self {
        let first = findings.first();
        Self {
            line: first.map_or(0, |f| f.line),
            column: first.map_or(0, |f| f.column),
            message: first.map(|f| f.message.clone()).unwrap_or_default(),
            rendered: render(&findings, false),
            findings,
        }
    }

    /// A file that could not be read.
    pub(super) fn unreadable(path: &Path, error: &io::Error) -> Self {
        Self::new(vec![Finding::of_file(&path.display().to_string(), why_unreadable(error))])
    }
}

fn render(findings: &[Finding], styled: bool) -> String {
    let texts: Vec<String> = findings.iter().map(|f| f.render(styled)).collect();
    texts.join("\n")
}

/// Why a file cannot be read, in words.
pub(super) fn why_unreadable(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "there is no such file".into(),
        io::ErrorKind::PermissionDenied => "may not be read: permission denied".into(),
        io::ErrorKind::IsADirectory => "is a directory, not a file".into(),
        io::ErrorKind::FileTooLarge => error.to_string(),
        _ => format!("cannot be read: {error}"),
    }
}
