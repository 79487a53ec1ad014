//! A launch config as it is written.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::credential::CredentialTable;
use super::gate::GateTable;
use super::provider::FlagMapTable;
use super::{
    At, AttributeValue, BoardWord, FormVersion, IdText, SizeText, SpanText, ThresholdText, TimeText, UnitWord,
};

/// A launch: a product, a version, an environment, and what is watched and ticked for it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(rename = "Config")]
pub(in crate::settings) struct ConfigFile {
    /// The version of this form: 1.
    #[schemars(with = "FormVersion")]
    #[expect(dead_code, reason = "checked before the file is read as this type")]
    pub(in crate::settings) schema: u32,
    /// What is launched.
    pub(in crate::settings) launch: LaunchTable,
    /// Where runs of checklists are kept.
    pub(in crate::settings) ledger: Option<LedgerTable>,
    /// What is polled, by name.
    #[serde(default)]
    pub(in crate::settings) source: BTreeMap<String, At<SourceTable>>,
    /// What says who asks, by name; never the secrets themselves, but where they come from.
    #[serde(default)]
    pub(in crate::settings) credential: BTreeMap<String, At<CredentialTable>>,
    /// Named expressions over sources.
    #[serde(default)]
    pub(in crate::settings) signal: Vec<At<SignalTable>>,
    /// The flags that matter to the launch.
    #[serde(default)]
    pub(in crate::settings) flag: Vec<At<FlagTable>>,
    /// What the routes of the product's API need of their callers.
    #[serde(default)]
    pub(in crate::settings) route: Vec<At<RouteTable>>,
    /// How what organisations may use is compared with what they do.
    pub(in crate::settings) tenants: Option<At<TenantsTable>>,
    /// Gates outside a checklist; they count in the verdict too.
    #[serde(default)]
    pub(in crate::settings) gate: Vec<At<GateTable>>,
    /// Colours.
    pub(in crate::settings) theme: Option<ThemeTable>,
    /// Keys by the name of their command: `sign = "A"`.
    #[serde(default)]
    pub(in crate::settings) keys: BTreeMap<String, At<String>>,
}

/// What is launched.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(rename = "Launch")]
pub(in crate::settings) struct LaunchTable {
    /// The product's name.
    pub(in crate::settings) product: At<String>,
    /// Its version.
    pub(in crate::settings) version: At<String>,
    /// The environment it is launched in.
    pub(in crate::settings) environment: At<String>,
    /// The checklist's file; relative to this file.
    pub(in crate::settings) checklist: Option<At<String>>,
    /// T-0; it can also be set when a run is started.
    #[schemars(with = "Option<TimeText>")]
    pub(in crate::settings) t0: Option<At<toml::Value>>,
    /// Whether a live run opens for writing; `false` where it is left out.
    pub(in crate::settings) write: Option<bool>,
    /// The name of the credential of kind `device` that says who is at the keyboard; the only one of
    /// that kind where it is left out.
    pub(in crate::settings) identity: Option<At<String>>,
    /// Whether only somebody who is signed in may write to a run; `false` where it is left out.
    pub(in crate::settings) require_identity: Option<At<bool>>,
}

/// Where runs of checklists are kept.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(rename = "Ledger")]
pub(in crate::settings) struct LedgerTable {
    /// The kind of ledger.
    #[expect(dead_code, reason = "there is one kind, and the structure check has seen it")]
    pub(in crate::settings) kind: Option<LedgerKind>,
    /// The directory, relative to this file; the user's state directory where it is left out.
    pub(in crate::settings) path: Option<At<String>>,
}

/// The kinds of ledgers.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(in crate::settings) enum LedgerKind {
    /// A directory of immutable event files.
    Directory,
}

/// Something polled.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(rename = "Source")]
pub(in crate::settings) struct SourceTable {
    /// What it is.
    pub(in crate::settings) kind: At<SourceWord>,
    /// Its address: of a `scrape` source the metrics endpoint, else the base URL.
    pub(in crate::settings) url: Option<At<String>>,
    /// The endpoints of a `scrape` source that has several.
    pub(in crate::settings) urls: Option<At<Vec<At<String>>>>,
    /// The name of a preset (`gonogo config presets` lists them) or a preset file, `./my-preset.toml`,
    /// relative to this file: it gives the signals of a system's usual exporter.
    pub(in crate::settings) preset: Option<At<String>>,
    /// Put before the id of each of the preset's signals, where two presets would give the same id.
    pub(in crate::settings) preset_prefix: Option<At<String>>,
    /// Labels added to every series of a `scrape` source.
    pub(in crate::settings) labels: Option<At<BTreeMap<String, At<String>>>>,
    /// The environment a source of flags is asked for; `launch.environment` where it is left out.
    pub(in crate::settings) environment: Option<At<String>>,
    /// Other environments whose flags are shown beside it; of `identity`, of `launchdarkly`, and of
    /// `unleash` with an `admin-credential`.
    pub(in crate::settings) beside: Option<At<Vec<At<String>>>>,
    /// The project that an `unleash` or `launchdarkly` source's flags are in; `default` where it is left
    /// out.
    pub(in crate::settings) project: Option<At<String>>,
    /// The name of the `[credential.NAME]` table with an admin or personal token for the admin API of an
    /// `unleash` source: it tells who changed a flag, and what callers got.
    pub(in crate::settings) admin_credential: Option<At<String>>,
    /// Whether an `ofrep` source is asked for all flags at once; `true` where it is left out.
    pub(in crate::settings) bulk: Option<At<bool>>,
    /// Attributes that an `ofrep` source evaluates flags for, beside the targeting key.
    #[schemars(with = "Option<BTreeMap<String, AttributeValue>>")]
    pub(in crate::settings) context: Option<At<BTreeMap<String, At<toml::Value>>>>,
    /// How many made-up targeting keys an `ofrep` source is asked about to estimate percentages; 200 where
    /// it is left out, 0 for no estimate.
    pub(in crate::settings) keys: Option<At<u32>>,
    /// What the made-up keys are made from: the same seed gives the same keys.
    pub(in crate::settings) seed: Option<At<String>>,
    /// Variants, by name or value, that count as on where a flag is no boolean.
    pub(in crate::settings) on: Option<At<Vec<At<String>>>>,
    /// Where in the answer of a `json` source the facts of a flag stand.
    pub(in crate::settings) map: Option<At<FlagMapTable>>,
    /// Whether a `prometheus` source is asked for its alerts and alerting rules too.
    pub(in crate::settings) alerts: Option<At<bool>>,
    /// The name of an alert of an `alertmanager` source that always fires (a dead man's switch): while
    /// it is there, the absence of another alert means something.
    pub(in crate::settings) watchdog: Option<At<String>>,
    /// Time between two polls; `5s` where it is left out, at least `200ms`.
    #[schemars(with = "Option<SpanText>")]
    pub(in crate::settings) every: Option<At<String>>,
    /// The longest a poll may take; `3s` where it is left out.
    #[schemars(with = "Option<SpanText>")]
    pub(in crate::settings) timeout: Option<At<String>>,
    /// The most bytes, decoded, that are read of one body; `512MiB` for a `scrape` source, else
    /// `16MiB`, where it is left out.
    #[schemars(with = "Option<SizeText>")]
    pub(in crate::settings) max_body: Option<At<toml::Value>>,
    /// The most series a `scrape` source keeps; 20000 where it is left out.
    #[schemars(range(min = 1))]
    pub(in crate::settings) max_series: Option<At<u32>>,
    /// The longest history that a `scrape` source keeps; `24h` where it is left out, at least `1m`. As
    /// much is kept as the longest window of the expressions on it needs; one that looks back further
    /// than this is refused.
    #[schemars(with = "Option<SpanText>")]
    pub(in crate::settings) max_history: Option<At<String>>,
    /// The longest line that is read of a `scrape` source; `1MiB` where it is left out. A longer one
    /// is unreadable.
    #[schemars(with = "Option<SizeText>")]
    pub(in crate::settings) max_line: Option<At<toml::Value>>,
    /// Headers sent with each request: `{ X-Scope-OrgID = "tasks" }`.
    pub(in crate::settings) headers: Option<At<BTreeMap<String, At<String>>>>,
    /// The name of a `[credential.NAME]` table.
    pub(in crate::settings) credential: Option<At<String>>,
    /// A PEM file with the certificate authority to trust beside the system's; relative to this file.
    pub(in crate::settings) ca_file: Option<At<String>>,
    /// A PEM file with the certificate to show (mTLS); relative to this file.
    pub(in crate::settings) client_cert: Option<At<String>>,
    /// A PEM file with its key; where it is left out the key stands in the certificate's file.
    pub(in crate::settings) client_key: Option<At<String>>,
    /// The proxy to go through; that of the environment where it is left out. Never for this machine.
    pub(in crate::settings) proxy: Option<At<String>>,
    /// Hosts that are reached without any proxy: names, `.domain`, addresses, networks, `*`.
    pub(in crate::settings) no_proxy: Option<At<Vec<At<String>>>>,
    /// Whether plain http to another machine is allowed.
    pub(in crate::settings) allow_http: Option<bool>,
}

/// The kinds of sources.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "SourceKind")]
pub(in crate::settings) enum SourceWord {
    /// Exposition text, one or many endpoints; gonogo evaluates the expressions.
    Scrape,
    /// The HTTP API of Prometheus or one that speaks it; the server evaluates.
    Prometheus,
    /// The API v2 of an Alertmanager: alerts, silences, inhibitions.
    Alertmanager,
    /// The identity contract: flags, environment, who am I.
    Identity,
    /// Unleash: flags, by its client API and, with an `admin-credential`, its admin API.
    Unleash,
    /// A server that speaks the `OpenFeature` Remote Evaluation Protocol, such as flagd: flags.
    Ofrep,
    /// `LaunchDarkly`'s REST API: flags.
    Launchdarkly,
    /// Any JSON that tells of flags, read by `map`.
    Json,
}

impl SourceWord {
    /// Those that tell flags.
    pub(in crate::settings) const OF_FLAGS: &[SourceWord] =
        &[Self::Identity, Self::Unleash, Self::Ofrep, Self::Launchdarkly, Self::Json];

    /// As written.
    pub(in crate::settings) fn as_str(self) -> &'static str {
        match self {
            Self::Scrape => "scrape",
            Self::Prometheus => "prometheus",
            Self::Alertmanager => "alertmanager",
            Self::Identity => "identity",
            Self::Unleash => "unleash",
            Self::Ofrep => "ofrep",
            Self::Launchdarkly => "launchdarkly",
            Self::Json => "json",
        }
    }
}

/// A named expression over one source. Where a preset has a signal of this id, it takes that one's
/// place, and what is left out here is as there.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(rename = "Signal")]
pub(in crate::settings) struct SignalTable {
    /// Its id, unique among the signals: lower-case letters, digits, `.`, `_`, `-`.
    #[schemars(with = "IdText")]
    pub(in crate::settings) id: At<String>,
    /// The block of the screen it is shown in.
    #[schemars(with = "Option<BoardWord>")]
    pub(in crate::settings) board: Option<At<String>>,
    /// The column's heading; the id where it is left out.
    pub(in crate::settings) title: Option<At<String>>,
    /// The source that answers.
    pub(in crate::settings) source: Option<At<String>>,
    /// `PromQL`.
    pub(in crate::settings) query: Option<At<String>>,
    /// What the number counts; `none` where it is left out.
    #[schemars(with = "Option<UnitWord>")]
    pub(in crate::settings) unit: Option<At<String>>,
    /// Drawn as a warning when crossed.
    #[schemars(with = "Option<ThresholdText>")]
    pub(in crate::settings) warn: Option<At<String>>,
    /// Drawn as bad when crossed.
    #[schemars(with = "Option<ThresholdText>")]
    pub(in crate::settings) bad: Option<At<String>>,
    /// The oldest sample that still counts; three intervals of the source where it is left out.
    #[schemars(with = "Option<SpanText>")]
    pub(in crate::settings) max_age: Option<At<String>>,
    /// What to say where a living source has no series: `no jobs are waiting`.
    pub(in crate::settings) empty: Option<At<String>>,
    /// What an infinite value means, in a word: `not draining`.
    pub(in crate::settings) infinite: Option<At<String>>,
    /// What NaN means, in a word: `idle`.
    pub(in crate::settings) nan: Option<At<String>>,
}

/// A flag that matters to the launch.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(rename = "Flag")]
pub(in crate::settings) struct FlagTable {
    /// Its key.
    pub(in crate::settings) key: At<String>,
    /// The source of flags that tells its state.
    pub(in crate::settings) source: At<String>,
    /// A signal that says what callers get, in percent.
    pub(in crate::settings) observed: Option<At<String>>,
    /// A signal that counts the evaluations behind `observed`, in the same window: the fewer they are, the
    /// more of a difference is chance. Without it two points are a drift.
    pub(in crate::settings) evaluations: Option<At<String>>,
}

/// What a route of the product's API needs of its callers; a gate with `route` holds it against what is
/// granted.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(rename = "Route")]
pub(in crate::settings) struct RouteTable {
    /// Its id, unique among the routes: lower-case letters, digits, `.`, `_`, `-`.
    #[schemars(with = "IdText")]
    pub(in crate::settings) id: At<String>,
    /// For people: `POST /v1/tasks`; the id where it is left out.
    pub(in crate::settings) title: Option<At<String>>,
    /// The `identity` source that says what is granted.
    pub(in crate::settings) source: At<String>,
    /// Scopes that a caller's token must carry.
    pub(in crate::settings) scopes: Option<At<Vec<At<String>>>>,
    /// JSON pointers to what the identity service must say of the caller (`whoami`): `/org_id`.
    pub(in crate::settings) claims: Option<At<Vec<At<String>>>>,
    /// The roles that must each be granted all of the scopes; at least one role must where it is left out.
    pub(in crate::settings) roles: Option<At<Vec<At<String>>>>,
}

/// How what organisations may use is compared with what they do: both signals have a label `tenant`, which
/// is an organisation's id, slug or name, and a series of every tenant that asks at all (no `topk`).
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(rename = "Tenants")]
pub(in crate::settings) struct TenantsTable {
    /// The key of the entitlement, as the identity source tells it: `tasks`.
    pub(in crate::settings) entitlement: At<String>,
    /// The signal that tells how much each tenant asks, a second.
    pub(in crate::settings) traffic: At<String>,
    /// The signal that tells how much of that is refused with 403, a second; without it nobody is found
    /// who may ask and gets nothing.
    pub(in crate::settings) refused: Option<At<String>>,
}

/// Colours.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(rename = "Theme")]
pub(in crate::settings) struct ThemeTable {
    /// The theme's name.
    pub(in crate::settings) name: Option<ThemeName>,
}

/// The themes.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(in crate::settings) enum ThemeName {
    /// Light letters on a dark ground.
    Dark,
    /// Dark letters on a light ground.
    Light,
    /// The strongest contrasts.
    HighContrast,
    /// No pair of colours that is hard to tell apart.
    ColourBlind,
    /// No colours.
    Mono,
}

impl ThemeName {
    /// As written.
    pub(in crate::settings) fn as_str(self) -> &'static str {
        match self {
            Self::Dark => "dark",
            Self::Light => "light",
            Self::HighContrast => "high-contrast",
            Self::ColourBlind => "colour-blind",
            Self::Mono => "mono",
        }
    }
}
