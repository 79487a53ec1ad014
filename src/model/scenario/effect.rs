//! What an inject does, and the words of the simulated product that it names.

use std::time::Duration;

/// What goes wrong. Percentages are of 0 to 100, factors at least 1.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Workers stop taking tasks jobs: so many percent of them.
    WorkerStall(f64),
    /// Tasks jobs take so many times as long.
    WorkerSlow(f64),
    /// The workers start anew each time so much has passed, the first time at once.
    WorkerRestarts(Duration),
    /// So many replicas of the worker are gone.
    ReplicasLost(u32),
    /// So many percent of new tasks jobs fail at every attempt and end among the dead letters.
    PoisonJobs(f64),
    /// So many percent of new billing jobs fail at every attempt.
    BillingPoison(f64),
    /// So many percent of the requests to a service are answered with a 5xx.
    ApiErrors(Service, f64),
    /// Requests to a service take so many times as long.
    ApiSlow(Service, f64),
    /// So many percent of requests to the tasks service are refused with a 403: those of one tenant, by
    /// its place in [`TENANTS`], or of all.
    AccessDenied(Option<usize>, f64),
    /// A service, or all of them, is asked so many times as much.
    TrafficSurge(Option<Service>, f64),
    /// A tenant, by its place in [`TENANTS`], asks the tasks service so many times as much as it should.
    NoisyTenant(usize, f64),
    /// So many percent of the billing workers are taken away.
    BillingStarved(f64),
    /// The synthetic task of every minute is never finished.
    EndToEndBroken,
    /// The memory of Redis fills up to so many percent within a minute, and its policy is this one of
    /// [`POLICIES`].
    RedisFull(f64, &'static str),
    /// Something that is polled cannot be.
    SourceDown(Endpoint, Down),
    /// One replica of what has a metrics endpoint is not scraped: it answers 503.
    Coverage(Endpoint),
    /// So many instances page at once.
    AlertStorm(u32),
    /// Alerts no longer come to the Alertmanager.
    AlertsLost,
    /// Somebody silences the alert of this name.
    Silenced(String),
    /// Somebody moves the flag to so many percent; once, when the inject begins.
    FlagMoved {
        /// 0 to 100.
        percent: f64,
        /// Whose hand.
        by: String,
    },
    /// Callers keep the state of the flag that they have.
    FlagStuck,
    /// So many percent of sign-ins and requests for a token fail.
    IdentityErrors(f64),
    /// Members of tenants lose the scope to write tasks.
    ScopeWithheld,
    /// So many customers have escalated cases about Tasks.
    Escalations(u32),
    /// A probe that asks for what it must not get is given it.
    BoundaryOpen(Boundary),
    /// So many impersonations a minute leave no audit record.
    AuditLost(u32),
    /// So many switches of the organisation a minute fail.
    SwitchErrors(u32),
    /// So many pages a minute are not taken by the pager.
    PagesUndelivered(u32),
}

impl Effect {
    /// The word for it in a scenario.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::WorkerStall(_) => "worker-stall",
            Self::WorkerSlow(_) => "worker-slow",
            Self::WorkerRestarts(_) => "worker-restarts",
            Self::ReplicasLost(_) => "replicas-lost",
            Self::PoisonJobs(_) => "poison-jobs",
            Self::BillingPoison(_) => "billing-poison",
            Self::ApiErrors(..) => "api-errors",
            Self::ApiSlow(..) => "api-slow",
            Self::AccessDenied(..) => "access-denied",
            Self::TrafficSurge(..) => "traffic-surge",
            Self::NoisyTenant(..) => "noisy-tenant",
            Self::BillingStarved(_) => "billing-starved",
            Self::EndToEndBroken => "end-to-end-broken",
            Self::RedisFull(..) => "redis-full",
            Self::SourceDown(..) => "source-down",
            Self::Coverage(_) => "coverage",
            Self::AlertStorm(_) => "alert-storm",
            Self::AlertsLost => "alerts-lost",
            Self::Silenced(_) => "silenced",
            Self::FlagMoved { .. } => "flag-moved",
            Self::FlagStuck => "flag-stuck",
            Self::IdentityErrors(_) => "identity-errors",
            Self::ScopeWithheld => "scope-withheld",
            Self::Escalations(_) => "escalations",
            Self::BoundaryOpen(_) => "boundary-open",
            Self::AuditLost(_) => "audit-lost",
            Self::SwitchErrors(_) => "switch-errors",
            Self::PagesUndelivered(_) => "pages-undelivered",
        }
    }
}

/// The tenants of the simulated product, the largest first.
pub const TENANTS: [&str; 20] = [
    "acme",
    "globex",
    "initech",
    "umbrella",
    "hooli",
    "stark",
    "wayne",
    "wonka",
    "cyberdyne",
    "tyrell",
    "soylent",
    "aperture",
    "massive",
    "vandelay",
    "dunder",
    "pied-piper",
    "oceanic",
    "sirius",
    "gringotts",
    "monsters",
];

/// What Redis can do when its memory is full. Only the first one loses no job.
pub const POLICIES: [&str; 4] = ["noeviction", "allkeys-lru", "allkeys-lfu", "volatile-lru"];

/// The words of an enum: what is written for each value.
macro_rules! words {
    ($name:ident, $count:literal: $($value:ident => $word:literal,)*) => {
        impl $name {
            /// All of them, for messages that say what is allowed.
            pub const ALL: [Self; $count] = [$(Self::$value,)*];

            /// As written in a scenario.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$value => $word,)*
                }
            }

            /// Reads what [`Self::as_str`] writes.
            pub fn parse(text: &str) -> Option<Self> {
                Self::ALL.into_iter().find(|value| value.as_str() == text)
            }
        }
    };
}

/// A service of the simulated product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// What is launched.
    Tasks,
    /// The pages that customers see.
    Portal,
    /// The back office.
    Admin,
    /// Sign-ins and tokens.
    Identity,
}

words! { Service, 4:
    Tasks => "tasks",
    Portal => "portal",
    Admin => "admin",
    Identity => "identity",
}

/// Something of the simulated product that is polled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// The worker's metrics.
    Worker,
    /// The API's metrics.
    Api,
    /// The flags and roles of identity.
    Identity,
    /// The metrics of identity.
    IdentityMetrics,
    /// The server that evaluates the alerting rules.
    Prometheus,
    /// The server that sends alerts on.
    Alertmanager,
    /// The metrics of the Redis that holds the queues.
    Redis,
    /// The metrics of the server that sends alerts on.
    Pager,
}

words! { Endpoint, 8:
    Worker => "worker",
    Api => "api",
    Identity => "identity",
    IdentityMetrics => "identity-metrics",
    Prometheus => "prometheus",
    Alertmanager => "alertmanager",
    Redis => "redis",
    Pager => "pager",
}

impl Endpoint {
    /// Those that are scraped, and so have replicas.
    pub const SCRAPED: [Self; 5] = [Self::Worker, Self::Api, Self::IdentityMetrics, Self::Redis, Self::Pager];
}

/// What separates customers, and those who have bought a product from those who have not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Boundary {
    /// Between tenants.
    Tenant,
    /// Around the product.
    Product,
}

words! { Boundary, 2:
    Tenant => "tenant",
    Product => "product",
}

/// How something is down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Down {
    /// It answers 503.
    Unavailable,
    /// It takes the request and never answers.
    Hang,
    /// It closes the connection without an answer.
    Reset,
}

words! { Down, 3:
    Unavailable => "503",
    Hang => "hang",
    Reset => "reset",
}
