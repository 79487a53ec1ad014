//! A launch, as one config file describes it, checked and with its defaults filled in.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

pub use super::credential::CredentialDef;
use super::gate::Threshold;
use super::provider::{FlagSource, Provider};
use super::{GateDef, Labels, RouteDef, SignalId, SourceId, Time};

/// A product, a version, an environment, and what is watched and ticked for it.
#[derive(Clone, Debug, Default)]
pub struct Launch {
    /// `Tasks`.
    pub product: String,
    /// `0.1.4`, without the leading `v`.
    pub version: String,
    /// `production`.
    pub environment: String,
    /// The checklist template's file, absolute or relative to the working directory.
    pub checklist: Option<PathBuf>,
    /// T-0, where the config sets it.
    pub t0: Option<Time>,
    /// Whether a live run opens for writing.
    pub write: bool,
    /// Where runs live; `None`: the user's state directory.
    pub ledger: Option<PathBuf>,
    /// What says who asks, by name, used or not.
    pub credentials: BTreeMap<String, CredentialDef>,
    /// The name of the credential that says who is at the keyboard.
    pub identity: Option<String>,
    /// Whether only somebody who is signed in may write to a run.
    pub require_identity: bool,
    /// What is polled.
    pub sources: Vec<SourceDef>,
    /// The expressions; those made for gates with a `query` of their own come last.
    pub signals: Vec<SignalDef>,
    /// The flags that matter.
    pub flags: Vec<FlagDef>,
    /// What the routes of the product's API need of their callers.
    pub routes: Vec<RouteDef>,
    /// How what organisations may use is compared with what they do.
    pub tenants: Option<TenantsDef>,
    /// Gates outside a checklist; they count in the verdict too.
    pub gates: Vec<GateDef>,
    /// Theme name: `dark`, `light`, `high-contrast`, `colour-blind`, `mono`.
    pub theme: Option<String>,
    /// Key rebindings: command name to key text.
    pub keys: BTreeMap<String, String>,
}

impl Launch {
    /// A signal by id.
    pub fn signal(&self, id: &SignalId) -> Option<&SignalDef> {
        self.signals.iter().find(|s| s.id == *id)
    }

    /// Whether any source tells alerts.
    pub fn has_alerts(&self) -> bool {
        self.sources.iter().any(|s| s.kind.tells_alerts())
    }

    /// The credential that says who is at the keyboard.
    pub fn identity_credential(&self) -> Option<&CredentialDef> {
        self.credentials.get(self.identity.as_deref()?)
    }

    /// A source by id.
    pub fn source(&self, id: &SourceId) -> Option<&SourceDef> {
        self.sources.iter().find(|s| s.id == *id)
    }
}

/// How what organisations may use is compared with what they do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TenantsDef {
    /// The key of the entitlement: `tasks`.
    pub entitlement: String,
    /// The signal that tells how much each tenant asks, a second.
    pub traffic: SignalId,
    /// The signal that tells how much of it is refused with 403, a second.
    pub refused: Option<SignalId>,
}

/// Something polled.
#[derive(Clone, Debug, PartialEq)]
pub struct SourceDef {
    /// The key of its table.
    pub id: SourceId,
    /// What it is and where.
    pub kind: SourceKind,
    /// Time between the beginnings of two polls.
    pub every: Duration,
    /// The longest a poll may take, from connecting to the last byte.
    pub timeout: Duration,
    /// The most decoded bytes that are read of one body.
    pub max_body: u64,
    /// The most series a scrape source keeps.
    pub max_series: usize,
    /// The longest history that a scrape source keeps; no expression looks back further.
    pub max_history: Duration,
    /// The longest line of a scrape source's answer that is read, in bytes.
    pub max_line: u64,
    /// Headers sent with each request, for tenancy.
    pub headers: Vec<(String, String)>,
    /// What says who asks.
    pub credential: Option<CredentialDef>,
    /// A PEM file with the certificate authority to trust beside the system's.
    pub ca_file: Option<PathBuf>,
    /// The certificate that is shown, and the proxy.
    pub route: Route,
    /// Whether plain http off loopback is allowed.
    pub allow_http: bool,
}

/// How an endpoint is reached: the certificate that is shown to it, and the proxy before it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Route {
    /// A PEM file with the certificate to show (mTLS).
    pub client_cert: Option<PathBuf>,
    /// A PEM file with its key; `None`: it stands in the certificate's file.
    pub client_key: Option<PathBuf>,
    /// The proxy's address; `None`: that of the environment. Never for this machine.
    pub proxy: Option<String>,
    /// Hosts that are reached without any proxy.
    pub no_proxy: Vec<String>,
}

/// The kinds of sources.
#[derive(Clone, Debug, PartialEq)]
pub enum SourceKind {
    /// Exposition text, one or many endpoints; expressions are evaluated by gonogo.
    Scrape {
        /// Absolute URLs.
        urls: Vec<String>,
        /// Added to every series, like a scrape job's.
        labels: Labels,
    },
    /// The HTTP API of Prometheus or one that speaks it; the server evaluates.
    Prometheus {
        /// The base URL, without `/api/v1`.
        url: String,
        /// Whether its alerts and alerting rules are asked for.
        alerts: bool,
    },
    /// The API v2 of an Alertmanager, or of one that speaks it.
    Alertmanager {
        /// The base URL, without `/api/v2`.
        url: String,
        /// An alert that always fires (a dead man's switch): while it is there, and only then, the
        /// absence of another alert means something.
        watchdog: Option<String>,
    },
    /// The identity contract `launch-identity/1`.
    Identity {
        /// The base URL, without `/launch/v1`.
        url: String,
        /// The environment whose flags are asked for.
        environment: String,
        /// Whether what it grants is asked for at every poll, because routes are held against it.
        grants: bool,
        /// Other environments whose flags are shown beside it.
        beside: Vec<String>,
    },
    /// A provider of flags.
    Flags(Box<FlagSource>),
}

impl SourceKind {
    /// Whether flags are asked of it.
    pub fn tells_flags(&self) -> bool {
        matches!(self, Self::Identity { .. } | Self::Flags(_))
    }

    /// The credential for what its first one may not ask, where one is configured.
    pub fn admin_credential(&self) -> Option<&CredentialDef> {
        match self {
            Self::Flags(flags) => match &flags.provider {
                Provider::Unleash { admin, .. } => admin.as_ref(),
                _ => None,
            },
            _ => None,
        }
    }

    /// Whether alerts are asked of it.
    pub fn tells_alerts(&self) -> bool {
        matches!(self, Self::Prometheus { alerts: true, .. } | Self::Alertmanager { .. })
    }
}

/// Signals shown together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Board {
    /// Depth, age, in, out, drain, failures by queue.
    Queues,
    /// Rates, errors, latency by service.
    Api,
    /// What callers of flags really get.
    Flags,
    /// By tenant.
    Tenants,
    /// Billing beside tasks.
    Billing,
    /// Created tasks, active organisations, usage events.
    Usage,
    /// Sign-ins and tokens.
    Identity,
    /// On no block: for gates, messages and the comparison of tenants.
    Hidden,
}

impl Board {
    /// The boards that a config may name: those with a block, and the one without.
    pub const WRITTEN: [Board; 8] = [
        Board::Queues,
        Board::Api,
        Board::Flags,
        Board::Tenants,
        Board::Billing,
        Board::Usage,
        Board::Identity,
        Board::Hidden,
    ];

    /// The boards with a block.
    pub const NAMED: [Board; 7] = [
        Board::Queues,
        Board::Api,
        Board::Flags,
        Board::Tenants,
        Board::Billing,
        Board::Usage,
        Board::Identity,
    ];

    /// The name in a config.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queues => "queues",
            Self::Api => "api",
            Self::Flags => "flags",
            Self::Tenants => "tenants",
            Self::Billing => "billing",
            Self::Usage => "usage",
            Self::Identity => "identity",
            Self::Hidden => "hidden",
        }
    }

    /// The label whose values are the rows of the board's table.
    pub fn row_label(self) -> &'static str {
        match self {
            Self::Queues => "queue",
            Self::Api | Self::Identity => "service",
            Self::Flags => "flag",
            Self::Tenants => "tenant",
            Self::Billing | Self::Usage => "product",
            Self::Hidden => "",
        }
    }
}

/// What a signal's number counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unit {
    /// Jobs in a queue.
    Jobs,
    /// Seconds.
    Seconds,
    /// Percent, 0 to 100.
    Percent,
    /// Events a second.
    PerSecond,
    /// A ratio, 0 to 1, drawn as percent.
    Ratio,
    /// Bytes.
    Bytes,
    /// A bare number.
    #[default]
    None,
}

impl Unit {
    /// All of them, for messages that say what is allowed.
    pub const ALL: [Unit; 7] =
        [Unit::Jobs, Unit::Seconds, Unit::Percent, Unit::PerSecond, Unit::Ratio, Unit::Bytes, Unit::None];

    /// The name in a config.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Jobs => "jobs",
            Self::Seconds => "seconds",
            Self::Percent => "percent",
            Self::PerSecond => "per-second",
            Self::Ratio => "ratio",
            Self::Bytes => "bytes",
            Self::None => "none",
        }
    }
}

/// A named `PromQL` expression over one source.
#[derive(Clone, Debug, PartialEq)]
pub struct SignalDef {
    /// Its id.
    pub id: SignalId,
    /// The block it is shown in.
    pub board: Board,
    /// Column heading.
    pub title: String,
    /// The source that answers.
    pub source: SourceId,
    /// `PromQL`, as sent or as evaluated.
    pub query: String,
    /// What the number counts.
    pub unit: Unit,
    /// Drawn as a warning when crossed.
    pub warn: Option<Threshold>,
    /// Drawn as bad when crossed.
    pub bad: Option<Threshold>,
    /// The oldest sample that still counts.
    pub max_age: Duration,
    /// What to say where a living source has no series: `no jobs are waiting`.
    pub empty: Option<String>,
    /// What +Inf means, in a word: `not draining`.
    pub infinite: Option<String>,
    /// What NaN means, in a word: `idle`.
    pub nan: Option<String>,
}

/// A flag that matters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlagDef {
    /// Its key.
    pub key: String,
    /// The source that tells its state.
    pub source: SourceId,
    /// A signal that says what callers get, in percent.
    pub observed: Option<SignalId>,
    /// A signal that counts the evaluations behind it.
    pub evaluations: Option<SignalId>,
}
