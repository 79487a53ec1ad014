//! What only some providers of flags are told.

use schemars::JsonSchema;
use serde::Deserialize;

use super::At;

/// Where in the answer of a `json` source the facts of a flag stand, as JSON pointers. What is left out
/// is not told.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(rename = "FlagMap")]
pub(in crate::settings) struct FlagMapTable {
    /// The array or object of flags: `/flags`; the whole answer where it is left out.
    pub(in crate::settings) list: Option<At<String>>,
    /// In a flag: its key. Left out where the list is an object, whose keys are the flags' keys.
    pub(in crate::settings) key: Option<At<String>>,
    /// In a flag: whether it is on, as `true` or `false`.
    pub(in crate::settings) enabled: At<String>,
    /// In a flag: how far it is rolled out.
    pub(in crate::settings) percent: Option<At<String>>,
    /// What everybody is written as: 1 or 100; 100 where it is left out.
    pub(in crate::settings) percent_scale: Option<At<u32>>,
    /// In a flag: when it was changed last, as an RFC 3339 time or a Unix time in milliseconds.
    pub(in crate::settings) updated_at: Option<At<String>>,
    /// In a flag: who changed it last.
    pub(in crate::settings) updated_by: Option<At<String>>,
    /// In the whole answer: the environment it speaks of; an answer for another one is refused.
    pub(in crate::settings) environment: Option<At<String>>,
}
