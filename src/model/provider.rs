//! Sources of flags beside the identity contract: who is asked, and what for.

use super::launch::CredentialDef;

/// A provider of flags.
#[derive(Clone, Debug, PartialEq)]
pub struct FlagSource {
    /// The base URL (of `json` the whole address); empty for an OFREP endpoint that the environment
    /// variable `OFREP_ENDPOINT` names.
    pub url: String,
    /// The environment whose flags are asked for.
    pub environment: String,
    /// Other environments that are shown beside it, where the provider tells of several.
    pub beside: Vec<String>,
    /// Which provider.
    pub provider: Provider,
}

/// The providers.
#[derive(Clone, Debug, PartialEq)]
pub enum Provider {
    /// Unleash: its client API, and with a second credential its admin API.
    Unleash {
        /// The project the flags are in, for the admin API.
        project: String,
        /// An admin or personal token.
        admin: Option<CredentialDef>,
    },
    /// Any server that speaks the `OpenFeature` Remote Evaluation Protocol.
    Ofrep(OfrepDef),
    /// `LaunchDarkly`'s REST API.
    LaunchDarkly {
        /// The project's key.
        project: String,
        /// Variations that count as on, by value or name, where none is `true`.
        on: Vec<String>,
    },
    /// Any JSON, by pointers.
    Json(JsonMap),
}

/// What an OFREP server is asked.
#[derive(Clone, Debug, PartialEq)]
pub struct OfrepDef {
    /// Whether all flags are asked for at once.
    pub bulk: bool,
    /// Attributes of each evaluation's context.
    pub context: serde_json::Map<String, serde_json::Value>,
    /// How many synthetic targeting keys are asked; 0: no percentage is estimated.
    pub keys: u32,
    /// What the keys are made from: the same seed gives the same keys.
    pub seed: String,
    /// Variants that count as on, where the value is not a boolean.
    pub on: Vec<String>,
}

/// Where in some JSON the facts of a flag stand: JSON pointers (RFC 6901).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct JsonMap {
    /// The array or object of flags.
    pub list: String,
    /// In a flag: its key; `None` where the list is an object, whose keys are the flags' keys.
    pub key: Option<String>,
    /// In a flag: whether it is on.
    pub enabled: String,
    /// In a flag: how far it is rolled out.
    pub percent: Option<String>,
    /// What 100 percent is written as: 1 or 100.
    pub percent_scale: f64,
    /// In a flag: when it was changed.
    pub updated_at: Option<String>,
    /// In a flag: who changed it.
    pub updated_by: Option<String>,
    /// In the whole answer: the environment it speaks of.
    pub environment: Option<String>,
}

impl Provider {
    /// As written in a config.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Unleash { .. } => "unleash",
            Self::Ofrep(_) => "ofrep",
            Self::LaunchDarkly { .. } => "launchdarkly",
            Self::Json(_) => "json",
        }
    }

    /// Whether its tokens are sent as they are, without `Bearer` before them.
    pub fn raw_token(&self) -> bool {
        matches!(self, Self::Unleash { .. } | Self::LaunchDarkly { .. })
    }
}
