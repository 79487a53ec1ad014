//! Config and checklist files become checked types, with defaults, and errors that say where.
//!
//! May import `model`, `promql`, `checklist`.

use std::path::Path;

use crate::checklist::Template;
use crate::model::Launch;

/// Something wrong in a file, with its place: prints as `FILE:LINE:COLUMN: …` and a caret under it.
#[derive(Debug, thiserror::Error)]
#[error("{rendered}")]
pub struct SettingsError {
    /// 1-based; 0 where the file could not be read at all.
    pub line: usize,
    /// 1-based, in characters.
    pub column: usize,
    /// The message without place and picture.
    pub message: String,
    /// The whole text for a terminal.
    pub rendered: String,
}

/// Reads a launch config and, where it names one, its checklist (for the signals of gates).
pub fn load(_path: &Path) -> Result<(Launch, Option<Template>), SettingsError> {
    todo!()
}

/// Reads a checklist template from its text; `name` is what errors call it.
pub fn template(_name: &str, _text: &str) -> Result<Template, SettingsError> {
    todo!()
}
