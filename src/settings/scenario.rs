//! The scenarios of drills that are built in, and how one is found.

use std::path::Path;

use super::check::scenario::check;
use super::document::Document;
use super::finding::{Finding, SettingsError};
use super::{nearest, read};
use crate::model::Scenario;

/// Id and text of every scenario of `config/drills/`: the program needs no files for them.
const EMBEDDED: [(&str, &str); 3] = [
    ("worker-stall", include_str!("../../config/drills/worker-stall.toml")),
    ("api-errors", include_str!("../../config/drills/api-errors.toml")),
    ("blind", include_str!("../../config/drills/blind.toml")),
];

/// The ids and texts of the scenarios that are built in, in the order in which they are listed.
pub fn scenario_texts() -> impl Iterator<Item = (&'static str, &'static str)> {
    EMBEDDED.into_iter()
}

/// Reads a scenario from its text; `name` is what errors call it.
///
/// # Errors
/// Everything that is wrong in it.
pub fn scenario(name: &str, text: &str) -> Result<Scenario, SettingsError> {
    check(&Document::parse(name, text)?)
}

/// The scenario of a file, or the built-in one of an id. What has a slash or ends in `.toml` is a file.
///
/// # Errors
/// No such file or id; everything that is wrong in the file.
pub fn find_scenario(wanted: &str) -> Result<Scenario, SettingsError> {
    if read::is_path(wanted) {
        return scenario(wanted, &read::text(Path::new(wanted))?);
    }
    let ids = || EMBEDDED.into_iter().map(|(id, _)| id);
    if let Some((id, text)) = EMBEDDED.into_iter().find(|(id, _)| *id == wanted) {
        return scenario(&format!("drill {id}"), text);
    }
    let near = nearest::did_you_mean(wanted, ids());
    let known = nearest::list("built in", ids());
    let message =
        format!("there is no such scenario{near} ({known}); a file is named by a path such as ./drill.toml");
    Err(SettingsError::new(vec![Finding::of_file(wanted, message)]))
}
