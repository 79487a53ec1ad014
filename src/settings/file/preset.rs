//! A preset as it is written: the signals of a system's usual exporter, without a source.

use schemars::JsonSchema;
use serde::Deserialize;

use super::config::SignalTable;
use super::{At, FormVersion};

/// The signals that the usual exporter of some system allows, as expressions.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(rename = "Preset")]
pub(in crate::settings) struct PresetFile {
    /// The version of this form: 1.
    #[schemars(with = "FormVersion")]
    #[expect(dead_code, reason = "checked before the file is read as this type")]
    pub(in crate::settings) schema: u32,
    /// What the preset is for, in a few words.
    pub(in crate::settings) title: At<String>,
    /// The exporter it reads, and what that must be told to send.
    pub(in crate::settings) needs: At<String>,
    /// What the numbers do not tell.
    pub(in crate::settings) limits: Option<At<String>>,
    /// The signals, in the order of their columns.
    pub(in crate::settings) signal: Vec<At<SignalTable>>,
}
